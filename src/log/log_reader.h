/* Reads one log file: verifies header and segments, finds the end of the data, walks the records.
 *
 * Used by recovery, backup and tools. The whole data of a file is held in memory while it is open.
 *
 * A partly filled segment is written twice, at its place and in the sector behind it (the shadow); a torn
 * write of the one leaves the other. Segments of older generations (a recycled file) and zeroes count as
 * empty. Segments that this engine writes need no shadow: each is written once, and says which ones before it
 * need not be there. Thread-safety: one thread per reader. Engine sources: `logread.cxx`, `logstream.cxx`. */
#ifndef OPENESENT_LOG_LOG_READER_H
#define OPENESENT_LOG_LOG_READER_H

#include "src/log/log_file_header.h"

struct log_file_reader;

/* What the scan of a file found when it was opened. */
struct log_file_end {
    struct log_position end;       /* first position without data: the start of a segment */
    bool closed_normally;          /* the last record is a term or a recovery quit */
    bool torn;                     /* the last write was torn; its shadow copy was used */
    bool corrupt;                  /* a segment is damaged beyond repair: records from `end` on are lost */
    bool torn_tail;                /* behind `end` lies what a crash left of writes that nothing waited for */
    uint32_t tail_end;             /* with `torn_tail`: the sector behind the last of it */
    uint32_t torn_sector;          /* with `torn` */
    uint32_t corrupt_sector;       /* with `corrupt` */
    unsigned repaired;             /* segments whose single wrong bit was put right in memory */
    uint64_t segments_checksum;    /* of all segments together, as the next generation's header records it */
    struct log_position last_term; /* position of the term record, with closed_normally */
};

/* Opens a log file, checks its header and size, and reads and verifies all segments. A damaged segment is no
 * error here: see log_file_reader_end. On success the caller owns *reader. Errors: those of os_file_open and
 * os_file_read (JET_errFileIOBeyondEOF: shorter than a header), of log_file_header_verify,
 * JET_errLogFileSizeMismatch. */
JET_ERR log_file_open(const char *path, struct log_file_reader **reader);
void log_file_close(struct log_file_reader *reader); /* NULL is fine */

const struct log_file_header *log_file_reader_header(const struct log_file_reader *reader);
const struct log_file_end *log_file_reader_end(const struct log_file_reader *reader);

/* Writes the segment that was read from its shadow copy to its own place, so that the shadow may be
 * overwritten. Does nothing if the file is not torn. */
JET_ERR log_file_patch(const char *path, struct log_file_reader *reader);

/* Positions the reader: the next record is the first that begins at or behind `position` (of this
 * generation). */
JET_ERR log_file_seek(struct log_file_reader *reader, struct log_position position);

#define LOG_NO_MORE_RECORDS 1 /* a warning by sign, never leaves the library */

/* The next record, put together if it was fragmented; it stays valid until the next call. LOG_NO_MORE_RECORDS
 * at the end of the data (*record is NULL, *position the end). NOPs and fill are skipped.
 * JET_errLogFileCorrupt if a record is malformed. */
JET_ERR log_file_next(struct log_file_reader *reader, const struct log_record_header **record, size_t *size,
                      struct log_position *position);

/* Position behind the record that log_file_next answered last. */
struct log_position log_file_position(const struct log_file_reader *reader);

/* Reads and verifies a header only; the file's size is checked too. */
JET_ERR log_file_header_read(const char *path, struct log_file_header *header);

#endif
