/* The write-ahead log of one instance.
 *
 * A record is appended to a buffer in memory and gets its position at once; it is durable when log_flush has
 * returned for a position behind it. Records are byte-contiguous within segments; one too large for the rest
 * of its segment is fragmented; one too large for the rest of its file starts a new generation: the current
 * file `edb.log` is renamed to `edbGGGGG.log` (5 or 8 hexadecimal digits) and a new `edb.log`, made as
 * `edbtmp.log`, takes its place.
 *
 * Thread-safety: all functions may be called from any thread, except log_create/log_destroy and where said
 * otherwise. Locks: appending may start a new generation, which calls `attachments` and
 * `generations_required` with the caller's page latches held and none of the log's locks; they may take locks
 * of rank OS_RANK_DATABASE_HEADER and up. After a failed write the log is down for good: each later append or
 * flush answers JET_errLogWriteFail (-510). Engine sources: `logwrite.cxx`, `logstream.cxx`, `log.cxx`. */
#ifndef OPENESENT_LOG_LOG_H
#define OPENESENT_LOG_LOG_H

#include "src/log/checkpoint.h"
#include "src/log/log_file_header.h"
#include "src/log/log_reader.h"
#include "src/log/records.h"
#include "src/os/path.h"

struct log;
/* A part of a record: log_append concatenates the pieces. */
struct log_piece {
    const void *data;
    size_t size;
};

/* What the log needs to know from above. Every function may be NULL (tests). */
struct log_callbacks {
    void *context;
    /* Fills the list (zeroed by the caller) of loggable databases attached as of `position` (attach record
     * before it, no detach before it) with attachment_append, for a log file header or the checkpoint. */
    JET_ERR (*attachments)(void *context, struct log_position position, uint8_t list[LOG_ATTACHMENTS_SIZE]);
    /* The oldest position from which redo must start: minimum over modified pages in the cache and over
     * transactions with log records; LOG_POSITION_MAX if there is none. */
    struct log_position (*oldest_needed)(void *context);
    /* Called before generation `high` becomes the current one and before the checkpoint moves: the headers of
     * all attached databases must say on disk that recovery may need generations low to high (`created` =
     * creation time of `high`). */
    JET_ERR (*generations_required)(void *context, int32_t low, int32_t high, const struct log_time *created);
};

struct log_settings {
    const char *log_directory;    /* UTF-8, with trailing separator or empty */
    const char *system_directory; /* where the checkpoint lies */
    const char *base_name;        /* "edb" */
    bool legacy_extensions;       /* true: .log, .chk (8.3 or 11.3 names); false: .jtx, .jcp */
    bool eight_dot_three;         /* true: 5 digits, false: 8 */
    bool enabled;                 /* JET_paramRecovery on */
    bool circular;
    bool create_reserve_logs;
    bool births;                      /* new files are of the version with NewPage and SetDatabaseVersion */
    uint32_t file_size;               /* bytes, JET_paramLogFileSize * 1024 */
    uint32_t page_size;               /* bytes, of the databases */
    uint32_t checkpoint_too_deep;     /* generations, JET_paramCheckpointTooDeep; 0 = no limit */
    struct log_parameters parameters; /* for headers and Init records */
    struct log_callbacks callbacks;
};

/* Makes the log's object; opens nothing. The settings are copied, texts too. JET_errInvalidPath if the names
 * of the files do not fit in their directories. */
JET_ERR log_create(const struct log_settings *settings, struct log **log);
/* Frees it; closes files without writing anything. NULL is fine. */
void log_destroy(struct log *log);

bool log_enabled(const struct log *log);
const struct log_settings *log_get_settings(const struct log *log);

/* Callbacks may be set after creation, before the log is started. */
void log_set_callbacks(struct log *log, const struct log_callbacks *callbacks);

/* --- start and end (called by recovery and term) --- */

/* Begins a new log sequence: generation 1 with a new signature. There must be no log files in the directory.
 */
JET_ERR log_start_new(struct log *log);
/* Continues in the existing edb.log, which `reader` has read, behind its data. */
JET_ERR log_start_existing(struct log *log, const struct log_file_reader *reader);
/* Continues in a new generation behind existing archived files, the last of which `previous` has read (its
 * file is not edb.log; there is no edb.log). */
JET_ERR log_start_behind(struct log *log, const struct log_file_reader *previous);
/* Sets the position the checkpoint has now, before or after the start (recovery). */
void log_set_checkpoint(struct log *log, struct log_position checkpoint);
/* Flushes everything and closes the files. The files are closed even on error. */
JET_ERR log_stop(struct log *log);
/* Closes the files without writing what is in the buffer. */
JET_ERR log_abandon(struct log *log);
/* Size of the files to come, bytes (recovery found files of another size). */
void log_set_file_size(struct log *log, uint32_t size);
/* Whether the log accepts records now. */
bool log_started(const struct log *log);

/* --- appending --- */

enum log_append_flags {
    LOG_APPEND_NEW_GENERATION = 0x1 /* first start a new generation: the record will be its first */
};

/* Appends one record. *position (may be NULL) is its place; with logging disabled LOG_POSITION_MIN. The total
 * size must be what log_record_size says. `begin0_generation`: generation of the transaction's begin, 0 if
 * none (limits the length of transactions: JET_errTransactionTooLong, JET_errCheckpointDepthTooDeep). Errors:
 * JET_errLogWriteFail, JET_errLogDiskFull, JET_errLogSequenceEnd, JET_errOutOfMemory; nothing was appended
 * then. */
JET_ERR log_append(struct log *log, const struct log_piece *pieces, size_t count, unsigned flags,
                   int32_t begin0_generation, struct log_position *position);

/* One piece. */
JET_ERR log_append_record(struct log *log, const void *record, size_t size, struct log_position *position);

/* Position the next record will get, at least. */
struct log_position log_end(struct log *log);
/* Position of the last record that was appended; filling of a segment counts as one. */
struct log_position log_last(struct log *log);
/* A position that nothing is appended before any more, perhaps older than the end: without a lock, for who
 * must know, before he appends, from where on his record will be. */
struct log_position log_end_hint(const struct log *log);

/* --- durability --- */

/* Returns when every record at or before `position` is on disk. Waits for a flush in progress and shares it.
 */
JET_ERR log_flush(struct log *log, struct log_position position);
JET_ERR log_flush_all(struct log *log);
/* First position that is not yet durable. */
struct log_position log_durable_end(struct log *log);
/* Whether the record at `position` is durable: a page whose last modification it is may be written. */
bool log_is_durable(struct log *log, struct log_position position);
/* JET_errSuccess, or why no more records are accepted: JET_errLogWriteFail, JET_errLogDiskFull,
 * JET_errLogSequenceEnd. */
JET_ERR log_state(struct log *log);
/* Makes every later write fail (JET_errLogWriteFail): "stop and emit log". */
void log_stop_service(struct log *log);

/* While a gate is set, it is called without locks at the beginning of every log_flush and may wait (frozen
 * snapshots). NULL takes it away. */
void log_set_write_gate(struct log *log, void (*wait)(void *context), void *context);

/* --- generations --- */

int32_t log_generation(struct log *log); /* current one */
/* Whether the current file's version has NewPage and SetDatabaseVersion records. */
bool log_has_births(struct log *log);
struct log_time log_generation_created(struct log *log);
struct signature log_signature(struct log *log);
/* Starts a new generation (for backups): the old one is complete and durable on return. *generation is the
 * new one. */
JET_ERR log_roll(struct log *log, int32_t *generation);
/* The same for a program that asks for it (JET_bitForceNewLog): the new generation begins with a record that
 * says so. */
JET_ERR log_force_new_generation(struct log *log);
/* The generation that the 5 or 8 hexadecimal digits of an archived log's name say; 0: they are none, or say 0
 * or more than there can be. */
int32_t log_parse_generation(const char *digits, size_t count);
/* Lowest and highest archived generation on disk, 0 0 if there is none; after a failure, of what was seen. */
JET_ERR log_generation_range(struct log *log, int32_t *low, int32_t *high);
/* Deletes archived generations [low, end). Missing ones are no error. */
JET_ERR log_delete_generations(struct log *log, int32_t low, int32_t end);

/* Full path of a generation's file in the log's own directories, or of the other files named below: it fits,
 * or log_create would have failed. */
void log_path(const struct log *log, int32_t generation, char path[OS_PATH_SIZE]);
/* The same in another directory (restore, backup); also for the other files of the log. */
enum { LOG_PATH_CURRENT = 0, LOG_PATH_TEMPORARY = -1, LOG_PATH_CHECKPOINT = -2 };
JET_ERR log_path_in(const struct log *log, const char *directory, int32_t generation, char *path,
                    size_t capacity);
/* The same in another directory. */
JET_ERR log_generation_range_in(const struct log *log, const char *directory, int32_t *low, int32_t *high);

/* --- checkpoint --- */

struct log_position log_checkpoint(struct log *log);
/* Recomputes the checkpoint (callbacks) and, if it moved or `force`, writes database headers' required
 * generations and the checkpoint file; with circular logging deletes generations behind it. */
JET_ERR log_update_checkpoint(struct log *log, bool force);
/* Writes the checkpoint file for the position of the record that closed the log in good order: nothing is
 * attached, and nothing has to be redone. */
JET_ERR log_write_checkpoint(struct log *log, struct log_position position);
/* Bytes between two positions, b before a gives 0. */
uint64_t log_distance(struct log *log, struct log_position a, struct log_position b);
/* Circular logging deletes no generation from this one on (a backup needs them); 0 = no restriction. */
void log_keep_from(struct log *log, int32_t generation);
/* Backup bookkeeping shown in the checkpoint file. */
void log_note_backup(struct log *log, bool full, struct log_position mark, struct log_time time);

#endif
