/* JetTerm*: the end of an instance (engine sources: `jetapi.cxx`, `tm.cxx`, `sysinit.cxx`). */
#include "src/backup/snapshot.h"
#include "src/catalog/catalog.h"
#include "src/cache/cache.h"
#include "src/instance/databases.h"
#include "src/instance/engine.h"
#include "src/instance/session_slots.h"
#include "src/os/clock.h"
#include "src/os/executor.h"
#include "src/os/file.h"
#include "src/os/host.h"
#include "src/os/memory.h"
#include "src/recovery/recovery.h"
#include "src/version/version.h"

/* How long an orderly end waits for versions that somebody still needs, milliseconds. */
#define REMAINING_VERSIONS_WAIT 3000u

enum term_kind {
    TERM_CLEAN, /* cleans versions, waits for them */
    TERM_QUICK, /* leaves the versions to the next start */
    TERM_ERROR, /* writes nothing: the next start recovers */
};

/* --- sessions --- */

/* Takes all sessions, waiting for calls that are under way. */
static void take_sessions(struct instance *instance)
{
    for (;;) {
        bool all = true;
        os_mutex_lock(&instance->session_lock);
        for (struct session *session = instance->sessions; session != NULL; session = session->next) {
            if (!session->taken)
                session->taken = session_slot_take(session);
            all = all && session->taken;
        }
        os_mutex_unlock(&instance->session_lock);
        if (all)
            return;
        os_sleep(1);
    }
}

static void give_sessions_back(struct instance *instance)
{
    os_mutex_lock(&instance->session_lock);
    for (struct session *session = instance->sessions; session != NULL; session = session->next) {
        session->taken = false;
        session_slot_give_back(session);
    }
    os_mutex_unlock(&instance->session_lock);
}

static bool some_session_in_transaction(struct instance *instance)
{
    bool found = false;
    os_mutex_lock(&instance->session_lock);
    for (const struct session *session = instance->sessions; session != NULL; session = session->next)
        found = found || transaction_level(&session->transaction) > 0;
    os_mutex_unlock(&instance->session_lock);
    return found;
}

/* Ends all sessions. Transactions that are open, which only an end in error leaves, are abandoned to
 * recovery. */
static void end_sessions(struct instance *instance)
{
    while (instance->sessions != NULL) {
        struct session *session = instance->sessions;
        session_close_cursors(session);
        if (transaction_level(&session->transaction) > 0)
            transaction_abandon(&session->transaction);
        session_free(session);
    }
}

/* --- the way in and out --- */

/* Finds the instance and takes it from running to terminating. `*created` is set for one that never ran. */
static JET_ERR enter_term(JET_INSTANCE handle, struct instance **out, bool *created)
{
    JET_ERR err = JET_errSuccess;
    struct instance *instance = NULL;
    *created = false;
    TRY(instance_find(handle, &instance));
    os_mutex_lock(&instance->lock);
    switch (instance->state) {
    case INSTANCE_CREATED:
        instance->state = INSTANCE_GONE;
        *created = true;
        break;
    case INSTANCE_RUNNING:
        instance->state = INSTANCE_TERMINATING;
        break;
    case INSTANCE_TERMINATING:
        err = JET_errTermInProgress;
        break;
    case INSTANCE_RESTORING:
        err = JET_errRestoreInProgress;
        break;
    default:
        err = JET_errNotInitialized;
        break;
    }
    if (err == JET_errSuccess)
        os_atomic_store(&instance->terminating, true);
    os_mutex_unlock(&instance->lock);
    instance_release(instance);
    *out = instance;
done:
    return err;
}

/* The end was refused: the instance goes on. */
static void leave_term(struct instance *instance, JET_ERR reason)
{
    give_sessions_back(instance);
    os_mutex_lock(&instance->lock);
    instance->state = INSTANCE_RUNNING;
    instance->term_refused = reason == JET_errTooManyActiveUsers;
    os_atomic_store(&instance->terminating, false);
    /* The published engine never lets such an instance back up again. */
    if (!os_host_is_published())
        instance->backup_allowed = true;
    os_condition_wake_all(&instance->changed);
    os_mutex_unlock(&instance->lock);
}

static void wait_for_calls(struct instance *instance)
{
    os_mutex_lock(&instance->lock);
    while (instance->calls > 0)
        (void)os_condition_wait(&instance->changed, &instance->lock, OS_WAIT_FOREVER);
    instance->backup_allowed = false;
    os_mutex_unlock(&instance->lock);
}

/* --- the work --- */

static enum term_kind kind_of(const struct instance *instance, JET_GRBIT grbit)
{
    if (instance_unavailable(instance) != JET_errSuccess || (grbit & JET_bitTermDirty) != 0)
        return TERM_ERROR;
    return (grbit & JET_bitTermAbrupt) != 0 ? TERM_QUICK : TERM_CLEAN;
}

/* Cleans versions; tells whether a running transaction stands in the way of the end. */
static JET_ERR clean_versions(struct instance *instance, enum term_kind kind)
{
    const JET_ERR cleaned = version_store_clean(instance->versions, NULL);
    if (kind == TERM_CLEAN &&
        (cleaned == JET_wrnRemainingVersions || some_session_in_transaction(instance))) {
        os_sleep(REMAINING_VERSIONS_WAIT);
        (void)version_store_clean(instance->versions, NULL);
    }
    return kind != TERM_ERROR && some_session_in_transaction(instance) ? JET_errTooManyActiveUsers
                                                                       : JET_errSuccess;
}

/* Writes all databases, so that their headers may become clean. */
static JET_ERR write_databases(struct instance *instance)
{
    JET_ERR err = JET_errSuccess;
    if (instance->recovery_on)
        TRY(log_flush_all(instance->log));
    for (uint32_t i = 1; i < INSTANCE_DATABASES; i++) {
        struct database *database = instance->databases[i].database;
        if (database == NULL || database->read_only)
            continue;
        TRY(cache_flush_database(database));
        if (!database->logged)
            TRY(databases_write_state(database, DATABASE_CLEAN_SHUTDOWN));
    }
done:
    return err;
}

static void drop_temporary(struct instance *instance)
{
    if (instance->databases[0].database == NULL)
        return;
    databases_release(instance, &instance->databases[0]);
    (void)os_file_delete(instance->temporary_path);
}

/* Beyond the point of no return: ends everything and frees the instance. */
static JET_ERR finish(struct instance *instance, enum term_kind kind, JET_GRBIT grbit)
{
    /* While there is a log: what is written from here on waits for no freeze. */
    snapshot_drop(instance->backup);
    os_task_cancel(&instance->checkpoint_task);
    end_sessions(instance);
    JET_ERR err = kind != TERM_ERROR ? write_databases(instance) : JET_errSuccess;
    if (err < JET_errSuccess)
        kind = TERM_ERROR; /* the first error is the answer */
    if (instance->recovery_on) {
        const JET_ERR ended = recovery_term(&instance->logged_databases, kind != TERM_ERROR);
        if (kind != TERM_ERROR && ended < JET_errSuccess)
            err = ended;
    }
    if (err >= JET_errSuccess)
        err = (grbit & JET_bitTermDirty) != 0 ? JET_errDirtyShutdown : JET_errSuccess;
    drop_temporary(instance);
    engine_close(instance);
    instance_free(instance);
    return err;
}

JET_ERR instance_term(JET_INSTANCE handle, JET_GRBIT grbit)
{
    JET_ERR err = JET_errSuccess;
    struct instance *instance = NULL;
    bool created = false;

    TRY(enter_term(handle, &instance, &created));
    if (created) {
        instance_free(instance);
        goto done;
    }
    /* In this order: a call of the instance may be about to begin a session. */
    wait_for_calls(instance);
    take_sessions(instance);
    enum term_kind kind = kind_of(instance, grbit);
    if ((grbit & (JET_bitTermStopBackup | JET_bitTermAbrupt)) != 0)
        instance_end_backup(instance);
    if (kind != TERM_ERROR)
        err = instance_backup_state(instance);
    if (err == JET_errSuccess)
        err = clean_versions(instance, kind);
    if (err < JET_errSuccess) /* not if nothing is to be written */
        leave_term(instance, err);
    else
        err = finish(instance, kind, grbit);
done:
    os_executor_point();
    return err;
}
