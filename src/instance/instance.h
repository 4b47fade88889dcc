/* Instances: what one is made of, how calls find and enter one.
 *
 * The process has a mode: none, one-instance (JetInit without a created instance, or the legacy parameter
 * calls), multi-instance (JetCreateInstance, JetEnableMultiInstance); it is none again when the last instance
 * has gone. Instance handles are looked up in the process's table; a handle names a slot and a sequence
 * number.
 *
 * Gates, in this order: mode (legacy calls), lookup, service stopped, unavailable, terminating / restoring,
 * not initialised. Engine source: `jetapi.cxx`. */
#ifndef OPENESENT_INSTANCE_INSTANCE_H
#define OPENESENT_INSTANCE_INSTANCE_H

#include "src/instance/parameters.h"
#include "src/instance/session.h"
#include "src/os/executor.h"
#include "src/os/lock.h"
#include "src/os/path.h"
#include "src/recovery/database_set.h"

struct log;
struct cache;
struct version_store;
struct tree_registry;
struct backup_context;

enum process_mode {
    PROCESS_MODE_NONE,
    PROCESS_MODE_ONE_INSTANCE,
    PROCESS_MODE_MULTI_INSTANCE,
};

enum instance_state {
    INSTANCE_CREATED,      /* parameters may be set; never initialised */
    INSTANCE_INITIALIZING, /* JetInit* or a restore is at work */
    INSTANCE_RESTORING,
    INSTANCE_RUNNING,
    INSTANCE_TERMINATING,
    INSTANCE_GONE, /* about to be freed */
};

/* A database that the instance knows: attached, or being attached. Under the instance's database lock. */
struct instance_database {
    struct database *database;       /* NULL: free slot */
    uint32_t sequence;               /* of this use of the slot: makes old JET_DBIDs unknown */
    uint32_t opens;                  /* sessions' JetOpenDatabase calls, all together */
    bool busy;                       /* being created, attached or detached: nobody else may touch it */
    bool ready;                      /* attach is complete */
    struct session *exclusive_owner; /* opened with JET_bitDbExclusive by this session */
};

struct instance {
    JET_INSTANCE handle;
    uint32_t number; /* slot in the process's table */
    char *name;      /* NULL if none was given */
    char *display_name;

    struct os_mutex lock; /* OS_RANK_INSTANCE: state, calls, service */
    struct os_condition changed;
    enum instance_state state;
    uint32_t calls;      /* entered calls that the end of the instance waits for */
    uint32_t references; /* lookups without a gate; under the process lock */
    os_atomic_bool service_stopped;
    os_atomic_32 stopped_bits; /* JET_bitStopService...; with QuiesceCaches the checkpoint is kept near */
    os_atomic_64 unavailable;  /* what calls answer since a fatal error (as int32_t), 0: none */
    os_atomic_bool terminating;
    bool backup_allowed;   /* initialised, and no term begun */
    uint64_t start_thread; /* the thread of the start under way, while the state says that there is one */
    bool term_refused;     /* a term gave up because of transactions that run */
    bool restore_failed;   /* a restore that had found its logs failed */

    struct parameters parameters;
    char system_path[OS_PATH_SIZE]; /* absolute, with separator; valid from start-up on */
    char log_path[OS_PATH_SIZE];
    char temporary_path[OS_PATH_SIZE]; /* of the temporary database's file */
    uint32_t page_size;
    bool recovery_on; /* JET_paramRecovery */

    struct log *log;
    struct cache *cache;
    struct tree_registry *trees;
    struct version_store *versions;
    struct database_set logged_databases; /* what log and recovery know of the databases */
    bool set_made; /* logged_databases, set_callbacks and checkpoint_task are initialised */
    struct log_callbacks set_callbacks; /* the set's answers to the log */
    struct os_task checkpoint_task;
    struct backup_context *backup; /* made with the instance, so that a stop finds it at any time */

    struct os_mutex session_lock; /* OS_RANK_SESSION: list and counts of sessions */
    struct session *sessions;
    uint32_t session_count; /* the program's */
    uint16_t next_process;
    os_atomic_32 cursor_count; /* open cursors of all sessions */

    struct os_mutex database_lock; /* OS_RANK_DATABASES */
    struct instance_database databases[INSTANCE_DATABASES];
};

/* --- lookup and gates --- */

enum process_mode process_mode(void);

/* Lookup only (JetStopBackup*, JetStopService*, JetTerm*): JET_errInvalidParameter. Released with
 * instance_release. */
JET_ERR instance_find(JET_INSTANCE handle, struct instance **instance);
/* The same for legacy calls: mode none -> JET_errInvalidParameter, multi ->
 * JET_errRunningInMultiInstanceMode. */
JET_ERR instance_find_legacy(struct instance **instance);
void instance_release(struct instance *instance);

/* Lookup and gates; the instance runs and does not end before instance_leave. */
JET_ERR instance_enter(JET_INSTANCE handle, struct instance **instance);
/* The gates for an instance that was found already, by a snapshot: all that run are in it, those with a
 * stopped service and those that are unavailable, too. On success leave with instance_leave. */
JET_ERR instance_enter_found(struct instance *instance);
void instance_leave(struct instance *instance);
/* The same where a call of the API ends, with no locks held: in a simulation, background work runs here. */
void instance_leave_call(struct instance *instance);

/* Lookup and gates for calls that start an instance or restore: JET_errAlreadyInitialized if it runs. Sets
 * the state to `state` (initializing or restoring) until instance_leave_start, which makes it running,
 * created again, or gone: then nobody else can end it, and the caller frees it. */
JET_ERR instance_enter_start(JET_INSTANCE handle, enum instance_state state, struct instance **instance);
void instance_leave_start(struct instance *instance, enum instance_state state);

/* Calls visit for each instance (under a reference, in the order of slots); stops at the first error. */
JET_ERR instance_visit(JET_ERR (*visit)(struct instance *instance, void *context), void *context);

/* A fatal error: every later call answers JET_errInstanceUnavailable, or the code for a full log disk (the
 * first error counts). */
void instance_set_unavailable(struct instance *instance, JET_ERR error);
/* That code, or success. */
static inline JET_ERR instance_unavailable(const struct instance *instance)
{
    return (JET_ERR)(int64_t)os_atomic_load(&instance->unavailable);
}

/* --- life --- */

/* Makes an instance; chooses multi-instance mode if none is chosen (JetCreateInstance*).
 * JET_errRunningInOneInstanceMode, JET_errTooManyInstances, JET_errInstanceNameInUse, JET_errOutOfMemory.
 * Names may be NULL. */
JET_ERR instance_create(const char *name, const char *display_name, JET_INSTANCE *handle);
/* Takes the instance out of the table and frees it once the last reference has gone; the caller holds none.
 * With the last instance the mode becomes none. The instance's parts must be gone (instance_stop). */
void instance_free(struct instance *instance);
/* Ends an instance that was made and never ran, unless another thread has ended it or begun to start it. */
void instance_free_created(JET_INSTANCE handle);

/* Where recovery is to find a database under another name, and where it stops. */
struct instance_recovery_map {
    char **from; /* count paths each; NULL if count is 0 */
    char **to;
    size_t count;
    struct log_position stop;
    JET_PFNSTATUS status;
};

/* JetInit*: starts an instance up (start.c): paths, log, recovery, temporary database.
 * JET_errAlreadyInitialized. On failure the instance is freed, as the engine does. `map` may be NULL. */
JET_ERR instance_start(JET_INSTANCE handle, const struct instance_recovery_map *map, JET_GRBIT grbit);

/* JetTerm*: ends it (term.c). On JET_errBackupInProgress, JET_errTooManyActiveUsers the instance goes on. */
JET_ERR instance_term(JET_INSTANCE handle, JET_GRBIT grbit);

/* A backup that is active: JET_errBackupInProgress, JET_errSurrogateBackupInProgress, success if none. */
JET_ERR instance_backup_state(struct instance *instance);
/* Ends a backup as stopped by the server, and waits for a frozen snapshot to thaw (JetTerm2). */
void instance_end_backup(struct instance *instance);

/* JetStopService*. */
JET_ERR instance_stop_service(struct instance *instance, JET_GRBIT grbit);
/* JetStopService, JetStopServiceInstance. */
JET_ERR instance_stop_whole_service(struct instance *instance);

/* The parameters that hold for an instance: `global` ones are the process's. */
uint64_t instance_parameter(const struct instance *instance, uint32_t number);
const char *instance_parameter_text(const struct instance *instance, uint32_t number);

/* The process's parameters (global ones, and defaults of new instances), for reading. */
const struct parameters *process_parameters(void);

#endif
