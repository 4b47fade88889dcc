/* Streaming backup of one instance: begin, streams of databases and logs, log ranges, truncation, end; and
 * the same packed into one call that fills a directory.
 *
 * One context per instance. Its calls are let in one at a time (each waits for the one before); only
 * backup_stop and backup_state_of never wait, so that a stop takes effect while a read is under way. What
 * each call may do when is in backup_state.h; the rest of its rules in the function's comment. Paths are
 * UTF-8 and absolute in lists, as given elsewhere. Sizes are bytes. Engine source: `backup.cxx`.
 *
 * The layer does not know instances: what it needs from one it asks through struct backup_services. */
#ifndef OPENESENT_BACKUP_BACKUP_H
#define OPENESENT_BACKUP_BACKUP_H

#include "src/backup/backup_state.h"
#include "src/cache/database.h"
#include "src/os/path.h"

struct log;
struct backup_context;

/* An instance, as a backup sees it. */
struct backup_services {
    struct log *(*log)(void *instance); /* null before the instance runs */
    uint32_t (*page_size)(void *instance);
    bool (*circular)(void *instance);      /* JET_paramCircularLog */
    bool (*creates_paths)(void *instance); /* JET_paramCreatePathIfNotExist */
    bool (*terminating)(void *instance);
    uint32_t (*number)(void *instance);     /* its place in the process's table */
    bool (*backup_allowed)(void *instance); /* initialised, no term begun */
    /* Enters the instance as a call does, so that it does not end meanwhile; errors are those of the gates.
     */
    JET_ERR (*enter)(void *instance);
    void (*leave)(void *instance);
    const char *(*log_directory)(void *instance);
    const char *(*base_name)(void *instance);
    /* Calls visit for each database that is attached for good, in the order of their ids, the temporary one
     * not. No database comes or goes meanwhile. */
    void (*visit)(void *instance, void (*visit)(void *context, struct database *database), void *context);
    /* The database attached under a path, the temporary one too; JET_errDatabaseNotFound,
     * JET_errDatabaseInUse. */
    JET_ERR (*find)(void *instance, const char *path, struct database **database);
};

JET_ERR backup_context_create(struct backup_context **context);
/* Frees it; a backup must have ended. Null is allowed. */
void backup_context_free(struct backup_context *context);
/* Names the instance. Every call but backup_stop needs it; the same again does nothing. */
void backup_context_bind(struct backup_context *context, const struct backup_services *services,
                         void *instance);

/* --- from other layers --- */

/* Sets the stop flag and returns; never waits. Cleared by the next begin and by every end. */
void backup_stop(struct backup_context *context);

/* The state just now; never waits. */
enum backup_state backup_state_of(struct backup_context *context);
bool backup_is_active(struct backup_context *context);

/* Ends a running backup (not a snapshot) as JET_errBackupAbortByServer: for a term. Waits for a call in
 * progress, which the stop flag makes short. */
void backup_term(struct backup_context *context);

/* Around attach and detach: JET_errBackupInProgress or JET_errSurrogateBackupInProgress while a backup runs;
 * on success a begin waits until backup_leave_attach. */
JET_ERR backup_enter_attach(struct backup_context *context);
void backup_leave_attach(struct backup_context *context);

/* --- the calls --- */

/* grbit: JET_bitBackupIncremental, JET_bitBackupSurrogate, JET_bitInternalCopy. Errors in order: spec of
 * JetBeginExternalBackup. [first, last] is the range of a surrogate backup. */
JET_ERR backup_begin(struct backup_context *context, JET_GRBIT grbit, uint32_t first, uint32_t last);
JET_ERR backup_begin_surrogate(struct backup_context *context, uint32_t first, uint32_t last,
                               JET_GRBIT grbit);

/* JET_errNoBackup, JET_errBackupAbortByServer, or success: what every call that copies meets first. */
JET_ERR backup_check_running(struct backup_context *context);

/* A list of texts, each with a NUL, one more NUL at the end. The caller hands over {NULL, 0}, and frees the
 * texts with os_free, whatever the answer. */
struct backup_list {
    char *texts;
    size_t size; /* with all NULs */
};
JET_ERR backup_attach_info(struct backup_context *context, struct backup_list *list);

/* Opens a database (databases phase) or a log or other file (logs phase) from `offset` on. *size is the whole
 * stream's. */
JET_ERR backup_open_file(struct backup_context *context, const char *path, uint64_t offset,
                         JET_HANDLE *handle, uint64_t *size);

/* The next bytes of the stream; *done may be null. */
JET_ERR backup_read_file(struct backup_context *context, JET_HANDLE handle, void *buffer, uint32_t size,
                         uint32_t *done);
JET_ERR backup_close_file(struct backup_context *context, JET_HANDLE handle);

/* The logs of the copy range; *low and *high (may be null) are its first and last generation. */
JET_ERR backup_log_info(struct backup_context *context, struct backup_list *list, uint32_t *low,
                        uint32_t *high);
/* The logs of the delete range. */
JET_ERR backup_truncate_info(struct backup_context *context, struct backup_list *list);
JET_ERR backup_truncate_log(struct backup_context *context);

/* grbit: exactly one of JET_bitBackupEndNormal and JET_bitBackupEndAbort, and further bits. */
JET_ERR backup_end(struct backup_context *context, JET_GRBIT grbit);
JET_ERR backup_end_surrogate(struct backup_context *context, JET_GRBIT grbit);

/* JetBackupInstance: all of it into a directory. `status` may be null. */
JET_ERR backup_to_directory(struct backup_context *context, const char *directory, JET_GRBIT grbit,
                            JET_PFNSTATUS status);

#endif
