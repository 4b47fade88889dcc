/* Begin and end of sessions. */
#include "src/instance/databases.h"
#include "src/instance/instance.h"
#include "src/instance/session_slots.h"
#include "src/os/memory.h"

/* Numbers of sessions in log records are unique among the instance's sessions and as small as can be. */
static bool process_number_used(const struct instance *instance, uint16_t number)
{
    for (const struct session *session = instance->sessions; session != NULL; session = session->next) {
        if (session->process == number)
            return true;
    }
    return false;
}

/* Puts a session on the instance's list and numbers it; the caller holds the session lock. */
static JET_ERR link_session(struct instance *instance, struct session *session)
{
    if (!session->own && instance->session_count >= instance_parameter(instance, JET_paramMaxSessions))
        return JET_errOutOfSessions;
    uint16_t number = PROCESS_SESSION_FIRST;
    while (process_number_used(instance, number))
        number++;
    ASSERT(number <= PROCESS_SESSION_LAST); /* the parameter allows fewer */
    session->process = number;
    session->next = instance->sessions;
    if (session->next != NULL)
        session->next->previous = session;
    instance->sessions = session;
    instance->session_count += !session->own;
    return JET_errSuccess;
}

static void unlink_session(struct instance *instance, struct session *session)
{
    os_mutex_lock(&instance->session_lock);
    if (session->previous != NULL)
        session->previous->next = session->next;
    else
        instance->sessions = session->next;
    if (session->next != NULL)
        session->next->previous = session->previous;
    ASSERT(session->own || instance->session_count > 0);
    instance->session_count -= !session->own;
    os_mutex_unlock(&instance->session_lock);
}

static JET_ERR begin(struct instance *instance, bool own, JET_SESID *handle)
{
    JET_ERR err = JET_errSuccess;
    bool linked = false;
    bool claimed = false;
    struct session *session = os_allocate_zeroed(sizeof(*session));
    if (session == NULL)
        return JET_errOutOfMemory;
    session->instance = instance;
    session->own = own;
    session->commit_default = (JET_GRBIT)instance_parameter(instance, JET_paramCommitDefault);

    os_mutex_lock(&instance->session_lock);
    err = link_session(instance, session);
    if (err >= JET_errSuccess) {
        linked = true;
        err = session_slot_claim(session);
        claimed = err >= JET_errSuccess;
    }
    os_mutex_unlock(&instance->session_lock);
    TRY(err);
    TRY(transaction_init(&session->transaction, instance->versions, session->process));
    *handle = session->handle;
    session->calls_depth = 1;
    session_leave(session);
    return JET_errSuccess;
done:
    if (linked)
        unlink_session(instance, session);
    if (claimed)
        session_slot_release(session);
    os_free(session);
    return err;
}

JET_ERR session_begin(struct instance *instance, JET_SESID *handle)
{
    return begin(instance, false, handle);
}

JET_ERR session_begin_own(struct instance *instance, JET_SESID *handle)
{
    return begin(instance, true, handle);
}

static void close_cursor(struct session *session, JET_TABLEID table, void *object, void *context)
{
    (void)context;
    (void)object;
    session_close_cursor(session, table);
}

void session_close_cursors(struct session *session)
{
    session_visit_cursors(session, close_cursor, NULL);
    ASSERT(session->cursors_used == 0);
}

/* Rolls everything back. */
static JET_ERR session_undo(struct session *session)
{
    JET_ERR err = JET_errSuccess;
    while (transaction_level(&session->transaction) > 0)
        TRY(transaction_rollback(&session->transaction));
done:
    return err;
}

void session_free(struct session *session)
{
    struct instance *instance = session->instance;
    ASSERT(session->cursors_used == 0);
    if (session->free_owner_data != NULL)
        session->free_owner_data(session);
    for (uint32_t slot = 0; slot < INSTANCE_DATABASES; slot++)
        session_forget_database(session, slot);
    transaction_done(&session->transaction);
    unlink_session(instance, session);
    session_slot_release(session);
    os_free(session->cursors);
    os_free(session);
}

JET_ERR session_end(struct session *session)
{
    JET_ERR err = JET_errSuccess;
    /* Under a session context anybody may end the session; otherwise the transaction's thread only. */
    if (!session->transaction_by_context)
        TRY(session_check_thread(session));
    session_close_cursors(session);
    TRY(session_undo(session));
    session_free(session);
done:
    return err;
}
