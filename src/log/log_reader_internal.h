/* Inside of a reader of a log file, for log_reader.c and log_scan.c only. */
#ifndef OPENESENT_LOG_LOG_READER_INTERNAL_H
#define OPENESENT_LOG_LOG_READER_INTERNAL_H

#include "src/log/log_reader.h"
#include "src/os/file.h"

struct log_file_reader {
    struct log_file_header header;
    struct log_file_end end;
    uint8_t *segments;     /* valid segments, from sector LOG_HEADER_SECTORS on */
    uint32_t count;        /* of them */
    uint32_t capacity;     /* room for, in segments */
    size_t next;           /* offset in `segments` behind the last record */
    uint8_t *assembled;    /* a fragmented record */
    size_t assembled_size; /* room of it */
};

/* Reads all segments of the file and takes in those that count; reader->header is filled in before. */
JET_ERR log_file_scan(struct log_file_reader *reader, struct os_file *file);

#endif
