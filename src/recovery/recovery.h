/* Recovery: from the log to consistent databases.
 *
 * Start-up (JetInit*): if the log was not closed in good order, redo repeats every logged change that the
 * databases do not have yet, from the checkpoint to the end of the log; then undo rolls back the transactions
 * that had not committed. Every step may be repeated after another crash.
 *
 * Restore does the same with the databases and logs of a backup, whose pages may be of different moments.
 *
 * Thread-safety: the instance is starting; nobody else uses it. Engine sources: `logredo.cxx`, `rstmap.cxx`.
 */
#ifndef OPENESENT_RECOVERY_RECOVERY_H
#define OPENESENT_RECOVERY_RECOVERY_H

#include "src/recovery/database_set.h"

/* A database that recovery finds at another path than the log names. */
struct recovery_map_entry {
    const char *from;
    const char *to;
};

struct recovery_options {
    struct database_set *set; /* empty; with log (not started), cache, versions */
    struct tree_registry *trees;
    uint32_t page_size;
    const char *alternate_directory; /* JET_paramAlternateDatabaseRecoveryPath; NULL or empty: none */
    const struct recovery_map_entry *map;
    size_t map_count;
    JET_GRBIT grbit;               /* JetInit3: JET_bitReplay..., JET_bitRecoveryWithoutUndo, ... */
    struct log_position stop;      /* where redo ends, null: at the end of the log */
    bool log_size_default;         /* JET_paramLogFileSize was never set: take that of the files */
    bool delete_out_of_range_logs; /* JET_paramDeleteOutOfRangeLogs */
    bool cleanup_mismatched_logs;  /* JET_paramCleanupMismatchedLogFiles */
    bool doubt_checkpoint; /* without edb.log, begin at the oldest log: the published engine after a failed
                              restore, whose search for a checkpoint then goes by the name of edb.log */
    JET_PFNSTATUS status;  /* JET_snpRestore progress; may be NULL */
    JET_SESID status_session;
    bool asks; /* `status` is asked how to go on (JET_snpRecoveryControl); without one everything succeeds */
    JET_INSTANCE instance; /* as the call-back knows it */
    /* Expands compressed page images in records: src/table/compression.h has it. */
    JET_ERR(*decompress)
    (const uint8_t *data, uint32_t size, uint8_t *out, uint32_t capacity, uint32_t *actual);
};

/* What start-up found. */
struct recovery_report {
    bool new_log;      /* a new log sequence was begun */
    bool redone;       /* the log was replayed */
    uint32_t log_size; /* bytes of the log files now */
    JET_ERR warning;   /* JET_wrnCommittedLogFilesLost or ...Removed: what JetInit* answers, else success */
    /* With JET_bitKeepDbAttachedAtEndOfRecovery: the databases that were attached when the log ended. */
    char *attached[DATABASE_ID_MAX];
    uint32_t attached_count;
};

/* Frees what a report owns. */
void recovery_report_done(struct recovery_report *report);

/* Brings the log and the databases it names to a consistent state and leaves the log started, after its init
 * record. All databases are closed and clean. Errors (engine's): JET_errMissingLogFile,
 * JET_errMissingPreviousLogFile, JET_errRequiredLogFilesMissing, JET_errLogFileCorrupt,
 * JET_errBadLogSignature, JET_errInvalidLogSequence, JET_errLogFileSizeMismatch(DatabasesConsistent),
 * JET_errAttachedDatabaseMismatch, JET_errConsistentTimeMismatch, JET_errSoftRecoveryOnBackupDatabase,
 * JET_errRecoveredWithoutUndo(DatabasesConsistent), ... On error the log is not started and no database is
 * open. */
JET_ERR recovery_start(const struct recovery_options *options, struct recovery_report *report);

/* The end of an instance that was started: all sessions have ended, all databases of the set are written and
 * may be closed now. With `clean`, marks the databases clean (headers) and the log closed; else only closes
 * the log. The set is of no use any more; the database objects are the caller's. */
JET_ERR recovery_term(struct database_set *set, bool clean);

/* --- restore --- */

struct restore_options {
    struct recovery_options recovery; /* map: databases' paths in the backup (from) and after it (to) */
    const char *backup_directory;     /* logs (and, for a directory backup, databases and patch files) */
    const char *destination;          /* directory for databases, NULL or empty: where they came from */
    const char *target_log_directory; /* JetExternalRestore2's target instance; NULL or empty: none */
    int32_t target_generation_high;   /* its logs are replayed up to this one */
    int32_t generation_low;           /* of the backup; 0: what there is */
    int32_t generation_high;
    bool external; /* databases are in place already (JetExternalRestore) */
    JET_PFNSTATUS status;
    bool *found_logs; /* may be null; set if the backup's first log was there, whatever came of it */
};

/* JetRestore*, JetExternalRestore*: copies (unless external), redoes the backup's logs, then those of the log
 * directory, undoes, and leaves clean databases and a log that ends in order (closed). */
JET_ERR recovery_restore(const struct restore_options *options);

#endif
