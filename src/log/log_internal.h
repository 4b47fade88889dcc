/* Inside of struct log, for the files of src/log only. */
#ifndef OPENESENT_LOG_LOG_INTERNAL_H
#define OPENESENT_LOG_LOG_INTERNAL_H

#include "src/log/log.h"
#include "src/os/atomic.h"
#include "src/os/executor.h"
#include "src/os/file.h"
#include "src/os/lock.h"
#include "src/os/path.h"

struct log {
    struct log_settings settings; /* texts owned */

    struct os_mutex lock;     /* guards everything below, for memory work only: no I/O under it */
    struct os_condition idle; /* signalled when `writing` or `checkpointing` ends */
    bool writing;             /* one thread writes files or changes generations */
    bool rolling;             /* a new generation is being made: nobody may append to the old one any more */
    os_atomic_64 end_hint;    /* log_end_hint */
    bool checkpointing;       /* one thread moves the checkpoint */
    bool started;
    bool service_stopped;              /* log_stop_service */
    void (*write_gate)(void *context); /* log_set_write_gate */
    void *write_gate_context;
    JET_ERR down; /* why no more records are taken; JET_errSuccess while all is well */

    /* The current generation. `buffer` holds the file's bytes from `base` to `entry`, both offsets in the
     * file; `base` is the start of a segment, everything before it is in the file. */
    struct os_file *file;
    struct log_file_header header;
    uint64_t segments_checksum;
    uint8_t *buffer;
    size_t capacity;
    uint8_t *spare; /* takes the buffer's place while it is written */
    size_t spare_capacity;
    size_t base;
    size_t entry;
    size_t durable;           /* offset in the file up to which data is durable */
    struct log_position last; /* of the last record, filling included; generation 0: none yet */

    struct log_position checkpoint;
    struct log_position checkpoint_written; /* as in the checkpoint file */
    struct log_position full_backup;
    struct log_time full_backup_time;
    struct log_position incremental_backup;
    struct log_time incremental_backup_time;
    int32_t keep_from;              /* log_keep_from */
    bool disk_full;                 /* a reserve file is in use, and there is no space for a new one */
    struct os_task checkpoint_task; /* moves the checkpoint after a generation has ended */
};

/* Position of an offset in the current file. */
static inline struct log_position log_position_of(const struct log *log, size_t offset)
{
    return (struct log_position){(uint16_t)(offset % LOG_SECTOR_SIZE), (uint16_t)(offset / LOG_SECTOR_SIZE),
                                 log->header.generation};
}

/* Marks the log as down for good; the first reason stays. Lock held. */
void log_set_down(struct log *log, JET_ERR reason);

/* Waits until no thread writes and makes this one the writer; lock held before and after. */
void log_begin_writing(struct log *log);
void log_end_writing(struct log *log);

/* Writes all whole segments in the buffer, and syncs if asked to. The caller is the writer and holds the
 * lock, which is given up in between. A failure brings the log down. */
JET_ERR log_write_segments(struct log *log, bool sync);

/* Fills the rest of the last segment. With `record`, as a record that readers of all versions skip. Lock
 * held. */
JET_ERR log_fill_segment(struct log *log, bool record);

/* Closes the current generation and begins the next. The caller is the writer and holds the lock, which is
 * given up in between. */
JET_ERR log_next_generation(struct log *log);

/* Makes the file of a generation as edbtmp.log with a header that follows `previous` (NULL: the first of a
 * sequence), and leaves it open. */
JET_ERR log_create_file(struct log *log, int32_t generation, const struct log_file_header *previous,
                        uint64_t previous_checksum, struct log_file_header *header, struct os_file **file);

/* Reserve files edbres00001.jrs and 2, which keep space for a clean end on a full disk. Errors are ignored.
 */
void log_create_reserves(struct log *log);
/* Turns a reserve file into `path`; JET_errDiskFull if there is none. */
JET_ERR log_use_reserve(struct log *log, const char *path);

/* With circular logging: deletes the oldest file if the checkpoint has passed it and no backup needs it;
 * while there is no backup, all but the last few of them. Called when a new file is made. */
void log_delete_passed(struct log *log);
/* Which pieces of a segment are not all zero: the field of struct log_segment_header. The header's piece
 * never is. */
uint8_t log_segment_pieces(const uint8_t *segment);
/* Makes an empty edbtmp.log if there is none: where it is missing together with edb.log, the directory is no
 * place where a log went on (recovery_check_current). A failure is of no matter. */
void log_keep_temporary(const struct log *log);

#endif
