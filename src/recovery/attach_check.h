/* The decision whether a database file can take part in redo from the present position on: for
 * recovery_databases.c. */
#ifndef OPENESENT_RECOVERY_ATTACH_CHECK_H
#define OPENESENT_RECOVERY_ATTACH_CHECK_H

#include "src/recovery/recovery_internal.h"

enum attach_decision {
    ATTACH_NOW,                 /* the file is what the log expects */
    ATTACH_CREATE,              /* make it (anew) */
    ATTACH_DEFER,               /* not there, or another database: pass over its records */
    ATTACH_DEFER_FUTURE,        /* consistent later than here: pass over its records until its next attach */
    ATTACH_DEFER_ACCESS_DENIED, /* cannot be opened */
};

/* For a create record; `overwrites`: of a call that was to delete what was in its place. */
JET_ERR attach_check_create(const struct recovery *recovery, const struct recovery_database *known,
                            bool overwrites, struct database_header *header, enum attach_decision *decision);

/* For an attach record, or (NULL) for an attachment of the checkpoint. Errors end recovery:
 * JET_errRequiredLogFilesMissing, JET_errSoftRecoveryOnBackupDatabase, JET_errConsistentTimeMismatch,
 * JET_errAttachedDatabaseMismatch, JET_errDatabaseCorrupted, JET_errReadVerifyFailure. */
JET_ERR attach_check(const struct recovery *recovery, const struct recovery_database *known,
                     const struct log_record_attach_database *record, struct database_header *header,
                     enum attach_decision *decision);

#endif
