/* Reads log files: one generation after another, verifying headers, segments and the chain of generations.
 *
 * Used by recovery, backup, tools. Knows nothing of `struct log`. Errors are the engine's:
 *   JET_errLogFileCorrupt (-501) header or record damaged, JET_errMissingLogFile (-528), JET_errBadLogSignature (-530),
 *   JET_errInvalidLogSequence (-515) creation times do not chain, JET_errLogFileSizeMismatch (-541), JET_errLogTornWriteDuringHardRestore
 *   and friends (-570...-573), JET_errFileIOBeyondEOF (-4001) shorter than a header.
 * Thread-safety: one thread per reader. Engine sources: `logread.cxx`, `logstream.cxx`. */
#ifndef OPENESENT_LOG_LOG_READER_H
#define OPENESENT_LOG_LOG_READER_H

#include "src/log/log_file_header.h"

struct log_file_reader;

/* What a scan of one generation found, see log_file_open. */
struct log_file_end {
    struct log_position end;   /* first position without data */
    bool closed_normally;      /* the last record is a Term2 (or quit) */
    bool torn;                 /* the data ends in a damaged segment behind which nothing valid follows */
    bool corrupt;              /* a damaged segment with valid segments behind it: data is lost */
    unsigned repaired;         /* segments whose single-bit error was corrected in memory */
    uint64_t segments_checksum; /* accumulated checksum of all segments, as the next generation's header records it */
};

/* Opens the log file at `path`, checks its header, and finds the end of its data (all segments are verified).
 * On success the caller owns *reader. Besides I/O errors: JET_errLogFileCorrupt, JET_errBadLogVersion,
 * JET_errFileIOBeyondEOF, JET_errLogFileSizeMismatch... */
JET_ERR log_file_open(const char *path, struct log_file_reader **reader);
void log_file_close(struct log_file_reader *reader);

const struct log_file_header *log_file_reader_header(const struct log_file_reader *reader);
const struct log_file_end *log_file_reader_end(const struct log_file_reader *reader);

/* Positions the reader: the next record is the first at or behind `position` (of this generation). */
JET_ERR log_file_seek(struct log_file_reader *reader, struct log_position position);

/* The next record, assembled if it was fragmented. *record stays valid until the next call. Returns
 * JET_wrnNoMoreRecords (internal, positive) at the end of data: *record NULL, *position the end. NOPs are skipped.
 * JET_errLogFileCorrupt if a record is malformed. */
JET_ERR log_file_next(struct log_file_reader *reader, const struct log_record_header **record, size_t *size,
                      struct log_position *position);

#define LOG_NO_MORE_RECORDS 1 /* positive: a warning by sign, never leaves the library */

/* Reads and verifies a header only. */
JET_ERR log_file_header_read(const char *path, struct log_file_header *header);

#endif
