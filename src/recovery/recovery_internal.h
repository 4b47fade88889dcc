/* Inside of recovery, for the files of src/recovery only. */
#ifndef OPENESENT_RECOVERY_RECOVERY_INTERNAL_H
#define OPENESENT_RECOVERY_RECOVERY_INTERNAL_H

#include "src/recovery/recovery.h"

/* One logged session while its records are redone. */
struct recovery_session {
    struct recovery_session *next;
    uint16_t process;
    bool began; /* its first transaction's begin was seen: changes before have no known owner and are in the
                   pages */
    struct transaction transaction;
    struct recovery_macro *macros; /* splits and merges whose end was not seen yet */
};

/* A split or merge: its records are collected until the macro commits, then redone together. */
struct recovery_macro {
    struct recovery_macro *next;
    uint64_t dbtime;
    uint8_t *records; /* one behind the other */
    size_t size;
    size_t capacity;
};

/* What is known of a database while redoing, by its log id. */
struct recovery_database {
    bool known;    /* the log has it attached now */
    bool deferred; /* attached in the log, but its file is not there or of another time: records are passed
                      over */
    bool deferred_future; /* because it is consistent later than here */
    bool deferred_access_denied;
    bool skipped;                   /* not in the restore map */
    char *path;                     /* where it is looked for; owned */
    char *logged_path;              /* as the log has it; owned */
    struct signature signature;     /* of the database */
    struct log_position attach;     /* position of the attach or create record */
    struct log_position consistent; /* state that the attach record started from */
    dbtime time;
    object_id last_object;
    uint32_t maximum_pages;
    int32_t future_generation; /* pages may hold changes up to this generation (header's max required) */
    struct database *database; /* NULL while deferred or skipped */
    bool told;                 /* a call-back knows that it is attached */
    struct recovery_page_set *missing; /* pages that redo found missing, see recovery_pages.c */
};

/* How far a replay has come, in percent. */
struct recovery_progress {
    bool running;
    bool counts_sectors;     /* few generations: their sectors are told apart */
    uint32_t expected, done; /* generations; the copy of a database counts as some */
    uint32_t sector;         /* behind this one of the generation redo began */
    uint32_t percent;        /* told last */
};

struct recovery {
    const struct recovery_options *options;
    struct recovery_report *report; /* NULL in a restore */
    struct database_set *set;
    struct log *log;
    bool hard;              /* restore */
    int32_t generation_low; /* of the backup set */
    int32_t generation_high;
    const char *directory;        /* logs are looked for here now */
    const char *target_directory; /* then here, up to target_high */
    int32_t target_high;
    bool external;                     /* restore: the databases are in place already */
    const char *restore_directory;     /* restore: the backup's directory */
    const char *restore_destination;   /* restore: where databases go, NULL: where they came from */
    char *placed[DATABASE_ID_MAX * 2]; /* restore: databases copied so far; owned */
    size_t placed_count;
    bool found_logs;      /* a log of the backup was opened */
    uint32_t patch_files; /* in the restore directory: one for each of its databases */
    struct recovery_progress progress;

    struct signature log_signature;
    bool signature_known;
    uint32_t log_file_size; /* bytes; all files must be equal; 0 until the first */

    struct checkpoint checkpoint;   /* where redo starts, with attachments; no more of it counts */
    struct log_file_reader *reader; /* current file */
    bool reader_is_current;         /* it is edb.log */
    int32_t generation;
    struct log_position position;  /* of the record being redone */
    struct log_position last_term; /* of the last record, if that is a term; else null */
    bool ended;                    /* all sessions have been ended by a term record */
    bool last_is_shutdown;         /* the last record is a shutdown mark */
    struct log_position shutdown_mark;
    bool told_redo;    /* a call-back knows that files are being redone */
    bool lost_logs;    /* JET_bitReplayIgnoreLostLogs: redo ended before the last committed log */
    bool removed_logs; /* and what did not fit was deleted */

    struct recovery_session *sessions;
    struct recovery_database databases[DATABASE_ID_MAX + 1];
};

/* --- recovery_logs.c: files and generations --- */

/* Checks a file's header against what is known of the sequence (signature, page size, file size). */
JET_ERR recovery_check_header(struct recovery *recovery, const struct log_file_header *header);
/* Opens a generation in the current directory: archived file or, if that is missing, edb.log.
 * JET_errFileNotFound. */
JET_ERR recovery_open_archived(struct recovery *recovery, int32_t generation); /* not edb.log */
JET_ERR recovery_open_generation(struct recovery *recovery, int32_t generation);
/* Opens edb.log. JET_errFileNotFound. */
JET_ERR recovery_open_current(struct recovery *recovery);
/* Asks the call-back whether a log may be opened for redo. */
JET_ERR recovery_ask_open(const struct recovery *recovery, int32_t generation, bool current);
/* edb.log, generation `generation`, is missing: may the log go on without it? `action`: a JET_MissingLog...
 */
JET_ERR recovery_check_current(const struct recovery *recovery, unsigned action, int32_t generation);
/* After the last record of a file: the next one. *done when there is none and redo is complete. */
JET_ERR recovery_next_file(struct recovery *recovery, bool *done);
/* Whether the attached databases need generations above `generation`. */
JET_ERR recovery_check_required(const struct recovery *recovery, int32_t generation);
/* At the end of redo: the same for where redo ended; logs that may be lost are, and the databases' headers
 * say so. */
JET_ERR recovery_check_required_after_redo(struct recovery *recovery);
/* Whether the open log ends in damage; a current log may end in what a crash left of its last writes. */
bool recovery_log_is_damaged(const struct recovery *recovery);
/* The code for a damaged log at this stage. */
JET_ERR recovery_corruption(const struct recovery *recovery, bool torn);
void recovery_close_reader(struct recovery *recovery);

/* --- recovery_progress.c: status call-backs (JET_snpRestore); nothing if the options have none --- */

/* Begins to count: generations low to high will be redone. */
void recovery_progress_begin(struct recovery *recovery, int32_t low, int32_t high);
/* One of the backup's `databases` was copied to its place. */
void recovery_progress_database(struct recovery *recovery, uint32_t databases);
/* Redo goes on with the next generation; with a record in this sector of it. */
void recovery_progress_next_file(struct recovery *recovery);
void recovery_progress_sector(struct recovery *recovery, uint32_t sector);
/* Complete, or failed. */
void recovery_progress_end(struct recovery *recovery, bool well);

/* --- recovery_control.c: call-backs that decide (JET_snpRecoveryControl). Each answers what is to happen:
 * `by_default` if nobody is asked. They may change their mind at every call. --- */

/* A log is about to be opened; `reason` is a JET_OpenLogFor... */
JET_ERR recovery_control_open_log(const struct recovery *recovery, const char *path, unsigned reason,
                                  int32_t generation, bool current, JET_ERR by_default);
/* A log is not there; `action`, a JET_MissingLog..., is what success means. */
JET_ERR recovery_control_missing_log(const struct recovery *recovery, unsigned action, int32_t generation,
                                     bool current, JET_ERR by_default);
/* An error: the checkpoint is not to be used. */
JET_ERR recovery_control_open_checkpoint(const struct recovery *recovery);
/* JET_errRecoveredWithoutUndo: no undo. */
JET_ERR recovery_control_begin_undo(const struct recovery *recovery, JET_ERR by_default);
/* All of a file was redone; the next one was opened (told only if the former was not); redo is complete. */
void recovery_control_file_redone(struct recovery *recovery);
void recovery_control_file_opened(struct recovery *recovery);
void recovery_control_redo_ends(const struct recovery *recovery);
/* An error that may be passed over. */
JET_ERR recovery_control_condition(const struct recovery *recovery, JET_ERR by_default);
/* A database takes part, and what is redone is new to it: told once. A database of which that was told
 * leaves. */
JET_ERR recovery_control_attached(const struct recovery *recovery, struct recovery_database *known);
JET_ERR recovery_control_detaching(const struct recovery *recovery, const struct recovery_database *known);

/* --- recovery_redo.c --- */

/* Redoes everything from recovery->checkpoint to the end of the log. */
JET_ERR recovery_redo(struct recovery *recovery);
/* Redoes one record that belongs to a session. */
JET_ERR recovery_redo_record(struct recovery *recovery, const struct log_record_header *record, size_t size);

/* --- recovery_sessions.c --- */

JET_ERR recovery_session(struct recovery *recovery, uint16_t process, struct recovery_session **session);
void recovery_free_sessions(struct recovery *recovery);
/* Whether a record of the session is redone: not if its transaction began before the checkpoint, for then
 * everything it changed is in the pages. Changes outside of transactions (level 0) always are. */
static inline bool recovery_session_redoes(const struct recovery_session *session,
                                           const struct log_record_page *record)
{
    return session->began || record->level == 0;
}
JET_ERR recovery_redo_transaction(struct recovery *recovery, const struct log_record_header *record);
/* NULL if the session has no macro of that time. */
struct recovery_macro *recovery_find_macro(const struct recovery_session *session, uint64_t time);
JET_ERR recovery_macro_begin(struct recovery_session *session, uint64_t time);
JET_ERR recovery_macro_add(struct recovery_macro *macro, const void *record, size_t size);
void recovery_macro_end(struct recovery_session *session, uint64_t time);
/* Rolls all sessions' transactions back, logging it, or (`forget`) drops what is known of them. */
JET_ERR recovery_undo_sessions(struct recovery *recovery, bool forget);

/* --- recovery_databases.c: attachments --- */

/* The attachments that checkpoint or log header name. */
JET_ERR recovery_load_attachments(struct recovery *recovery, const uint8_t list[LOG_ATTACHMENTS_SIZE]);
JET_ERR recovery_redo_create(struct recovery *recovery, const struct log_record_create_database *record,
                             size_t size);
JET_ERR recovery_redo_create_finish(struct recovery *recovery,
                                    const struct log_record_create_database_finish *record);
JET_ERR recovery_redo_attach(struct recovery *recovery, const struct log_record_attach_database *record,
                             size_t size);
JET_ERR recovery_redo_detach(struct recovery *recovery, const struct log_record_detach_database *record);
#define RECOVERY_CREATE_PAGES 32u /* pages of a database that redo makes: records extend it */

/* Header of a database as an attach record leaves it; header_lock held. */
void recovery_header_after_attach(struct recovery *recovery, struct database *database);
/* Raises the generations in the headers of the databases when redo comes to a new file. */
JET_ERR recovery_raise_generations(struct recovery *recovery);
/* Attached databases that were not found: the error that ends recovery, if any. */
JET_ERR recovery_check_mismatch(const struct recovery *recovery);
/* Closes a database and forgets it, without writing. */
void recovery_drop_database(struct recovery *recovery, uint32_t id);
void recovery_drop_databases(struct recovery *recovery);
/* Writes all pages, marks the databases clean as of `position`, closes and forgets them. */
JET_ERR recovery_close_databases(struct recovery *recovery, struct log_position position);
/* Before that: tells the call-back of each. */
JET_ERR recovery_tell_detaching(const struct recovery *recovery);
/* The database that a record concerns, if the record has to be redone: NULL if not. Notes the time and
 * object. */
struct database *recovery_target(struct recovery *recovery, uint32_t id, uint64_t time, object_id object);

/* --- recovery_paths.c --- */

/* Where a database that the log names is to be looked for: restore map, restore destination, alternate
 * directory. *skip if a map is given and does not name it. */
JET_ERR recovery_map_path(struct recovery *recovery, const char *logged, bool before_redo, char *path,
                          size_t capacity, bool *skip);

/* Whether there is such a file or directory. An error that leaves it open is the caller's: what is there must
 * not be passed over because it could not be seen. */
JET_ERR recovery_path_exists(const char *path, bool directory, bool *exists);

/* --- recovery_pages.c: access to pages for redo --- */

enum redo_need { REDO_NOT_NEEDED, REDO_NEEDED };

/* Latches a page for redo exclusively and compares its time with the record's. *need REDO_NOT_NEEDED: the
 * change is there already (or the page is gone in a later state of the file: then the latch is not held).
 * JET_errDbTimeTooOld / TooNew if page and log do not fit. */
JET_ERR recovery_latch(struct recovery *recovery, struct database *database, page_number page, uint64_t time,
                       uint64_t before, struct latch *latch, enum redo_need *need);
/* The same for a page that the record creates: REDO_NEEDED if it has to be formatted (latched, zeroed). */
JET_ERR recovery_latch_new(struct recovery *recovery, struct database *database, page_number page,
                           uint64_t time, struct latch *latch, enum redo_need *need);
/* Whether no page is named twice, PAGE_NUMBER_NULL apart. A record that does so is damaged; since each page
 * is latched once, it would wait for itself. */
bool recovery_pages_differ(const page_number *pages, size_t count);
/* Stamps a page that was changed and marks it dirty; it stays latched. */
void recovery_latch_changed(struct recovery *recovery, struct latch *latch, uint64_t time);
/* At the end of redo: pages that were missing and never written by a later record. */
JET_ERR recovery_check_missing_pages(struct recovery *recovery);
void recovery_free_missing_pages(struct recovery_database *database);

/* --- recovery_node.c, recovery_tree.c, recovery_space.c --- */

JET_ERR recovery_redo_node(struct recovery *recovery, const struct log_record_node *record, size_t size);
JET_ERR recovery_redo_create_fdp(struct recovery *recovery, const struct log_record_page *record);
JET_ERR recovery_redo_convert_fdp(struct recovery *recovery, const struct log_record_convert_fdp *record,
                                  size_t size);
JET_ERR recovery_redo_extend(struct recovery *recovery, const struct log_record_extend_database *record,
                             size_t size);
JET_ERR recovery_redo_shrink(struct recovery *recovery, const struct log_record_shrink_database *record);
JET_ERR recovery_redo_page_move(struct recovery *recovery, const struct log_record_page_move *record);
JET_ERR recovery_redo_new_page(struct recovery *recovery, const struct log_record_new_page *record);
JET_ERR recovery_redo_scrub(struct recovery *recovery, const struct log_record_scrub *record);

JET_ERR recovery_redo_split(struct recovery *recovery, struct recovery_session *session,
                            const struct recovery_macro *macro);
JET_ERR recovery_redo_merge(struct recovery *recovery, const struct recovery_macro *macro);
/* All nodes and the prefix go; the page waits for the space tree. */
void recovery_empty_page(struct page *page);

/* The page's content before a split or merge as the record holds it, expanded into `page`, which has room for
 * two pages. JET_errLogCorrupted. */
JET_ERR recovery_expand_image(const struct recovery *recovery, const uint8_t *image, size_t size,
                              uint32_t flags, uint32_t page_size, uint8_t *page);

/* --- recovery_end.c --- */

/* Connects the log with the set of databases. */
void recovery_set_callbacks(struct recovery *recovery);

/* Appends the mark behind which databases are consistent, and makes it durable. */
JET_ERR recovery_append_shutdown_mark(struct log *log, struct log_position *position);
/* After redo: undo, quit record, checkpoint. */
JET_ERR recovery_undo(struct recovery *recovery);
/* A term or init record, or the end of the log in order: the sessions are over, the databases clean. */
JET_ERR recovery_end_sessions(struct recovery *recovery);
/* Frees everything; databases that are open are closed without being written. */
void recovery_done(struct recovery *recovery);

#endif
