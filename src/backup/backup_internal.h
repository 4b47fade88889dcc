/* Inside of the backup layer: the context, shared by the files of src/backup only. */
#ifndef OPENESENT_BACKUP_BACKUP_INTERNAL_H
#define OPENESENT_BACKUP_BACKUP_INTERNAL_H

#include "src/backup/backup.h"
#include "src/os/atomic.h"
#include "src/os/lock.h"

struct snapshot;

/* The one file that can be open. */
struct backup_file {
    bool open;
    JET_HANDLE handle;
    uint64_t position; /* next byte of the stream */
    uint64_t size;     /* of the stream */
    char path[OS_PATH_SIZE];
    /* Of a database: */
    struct database *database;     /* null if it is a file */
    struct database_header header; /* as of the open, with the current backup filled in */
    page_number last;              /* last page of the stream */
    page_number copied;            /* last page handed out */
    bool trailer_done;
    /* Of a file: */
    struct os_file *file;
    bool is_log;
    int32_t generation; /* of a log, by its name */
    uint32_t sector;    /* next one to verify; 0 = the header */
};

struct backup_context {
    struct os_mutex lock; /* OS_RANK_BACKUP: busy, attaching, binding */
    struct os_condition changed;
    bool busy;          /* a call is inside: everything below is its own */
    uint32_t attaching; /* attaches and detaches under way */
    os_atomic_32 state; /* enum backup_state; changed by the call inside only */
    os_atomic_bool stopped;
    const struct backup_services *services;
    void *instance;

    bool full; /* the backup is not incremental */
    bool logs_truncated;
    /* Published engine: a snapshot ended a backup while databases were copied. The next snapshot is taken for
     * one that copies them, if no backup begins before. */
    bool left_in_databases;
    bool log_rolled; /* for the logs of this backup; also in snapshots, by the last streaming backup */
    int32_t copy_low, copy_end; /* generations [low, end); 0 0 before they are known */
    int32_t delete_low, delete_end;
    uint64_t generations_copied; /* sum of those read to their end */
    struct log_position mark;    /* of a full streaming backup: log's end at its begin */
    struct log_time mark_time;
    struct log_position full_position; /* last backup records that rolled the log, also of earlier backups */
    struct log_time full_time;
    struct log_position incremental_position;
    struct log_time incremental_time;
    struct backup_file file;
    bool with_patch_files; /* JetBackup: each database has one */

    struct snapshot *snapshot; /* the session that the instance is prepared for; under the snapshots' lock */
    struct backup_context *snapshot_next;
    os_atomic_bool frozen;           /* nothing may be written; under the snapshots' lock */
    _Atomic uint64_t frozen_at_most; /* tick at which that is over in any case */
};

/* Takes the context for a call, after the call before; leaves it. */
void backup_enter(struct backup_context *context);
void backup_leave(struct backup_context *context);

/* Enters and asks the gate; entered only on success. */
JET_ERR backup_enter_for(struct backup_context *context, enum backup_event event);

enum backup_state backup_state_inside(const struct backup_context *context);
void backup_set_state(struct backup_context *context, enum backup_state state);

/* The instance's log: there as long as the instance is entered, though perhaps switched off. */
struct log *backup_log(const struct backup_context *context);

/* A full copy begins where recovery would begin; those logs are kept from now on. */
void backup_copy_from_checkpoint(struct backup_context *context);

/* What the table says should the call inside fail or be refused with `event`: ends the backup if it is to
 * end. */
void backup_failed(struct backup_context *context, enum backup_event event, JET_ERR err);

/* Ends the backup inside: `outcome` success updates headers, anything else logs an abort. */
void backup_finish(struct backup_context *context, JET_ERR outcome, JET_GRBIT grbit);

/* Closes the open file without counting it as copied. */
void backup_drop_file(struct backup_context *context);

/* Appends a backup record (records.h). `info` may be null. */
JET_ERR backup_log_record(struct backup_context *context, uint8_t phase, uint8_t type, uint8_t scope,
                          uint32_t database_id, const struct backup_info *info, unsigned flags,
                          struct log_position *position);

/* Stores a finished backup into one database's header and logs that. `log_only`, `truncated` choose the
 * field. A failure leaves the header as it was: the backup is good all the same, as in the engine. */
void backup_update_header(struct backup_context *context, struct database *database,
                          enum backup_info_type type, bool log_only, bool truncated,
                          const struct backup_info *info);

/* Fixes the ranges if it has not happened yet: rolls the log. */
JET_ERR backup_prepare_logs(struct backup_context *context);

/* Deletes what a full backup that copied no database may delete. */
JET_ERR backup_delete_unneeded_logs(struct backup_context *context);

/* JET_errMissingFullBackup if a database has had none of this type. */
JET_ERR backup_check_full_before(struct backup_context *context, enum backup_info_type type);
/* JET_errMissingFileToBackup if logs between the last backup of a database and generation `low` are gone. */
JET_ERR backup_check_no_gap(struct backup_context *context, int32_t low);

/* The patch file that belongs to a database, beside it. */
JET_ERR backup_patch_path(const struct database *database, char *path, size_t size);

/* Appends a text to a list that was initialised with {NULL, 0}; backup_list_end adds the last NUL. */
JET_ERR backup_list_add(struct backup_list *list, const char *text);
JET_ERR backup_list_end(struct backup_list *list);

#endif
