/* Session handles, entering and leaving, cursors of a session. Begin and end of sessions are in
 * session_life.c. */
#include "src/instance/session_slots.h"

#include "src/instance/instance.h"
#include "src/os/executor.h"
#include "src/os/memory.h"
#include "src/os/thread.h"

#define CURSOR_SLOT_SHIFT 16
#define CURSOR_SEQUENCE_SHIFT 32
#define CURSORS_MOST 0xffffu

/* --- entering --- */

/* The gates of a session's instance; the slot is taken, so the instance cannot go away. */
static JET_ERR check_gates(const struct instance *instance, bool stopped_is_fine)
{
    if (os_atomic_load(&instance->service_stopped) && !stopped_is_fine)
        return JET_errClientRequestToStopJetService;
    JET_ERR unavailable = instance_unavailable(instance);
    if (unavailable != JET_errSuccess)
        return unavailable;
    if (os_atomic_load(&instance->terminating))
        return JET_errTermInProgress;
    return JET_errSuccess;
}

static JET_ERR enter(JET_SESID handle, bool stopped_is_fine, struct session **session)
{
    *session = NULL;
    struct session_slot *slot = session_slot_of_handle(handle);
    if (slot == NULL)
        return JET_errInvalidSesid;

    uint32_t state = SESSION_IDLE;
    if (!os_atomic_compare_exchange(&slot->state, &state, SESSION_BUSY)) {
        if (os_atomic_load(&slot->handle) != handle || state == SESSION_FREE)
            return JET_errInvalidSesid;
        if (state == SESSION_TAKEN)
            return JET_errTermInProgress;
        if (os_atomic_load(&slot->owner) != os_thread_id() || !slot->session->in_callback)
            return JET_errSessionSharingViolation;
        /* The session's own thread, out of a call-back. */
        slot->session->calls_depth++;
        *session = slot->session;
        return JET_errSuccess;
    }
    if (os_atomic_load(&slot->handle) != handle) {
        os_atomic_store(&slot->state, SESSION_IDLE);
        return JET_errInvalidSesid;
    }
    JET_ERR err = check_gates(slot->session->instance, stopped_is_fine);
    if (err != JET_errSuccess) {
        os_atomic_store(&slot->state, SESSION_IDLE);
        return err;
    }
    os_atomic_store(&slot->owner, os_thread_id());
    slot->session->calls_depth = 1;
    *session = slot->session;
    return JET_errSuccess;
}

JET_ERR session_enter(JET_SESID handle, struct session **session)
{
    return enter(handle, false, session);
}

JET_ERR session_enter_stopped(JET_SESID handle, struct session **session)
{
    return enter(handle, true, session);
}

void session_leave(struct session *session)
{
    ASSERT(session->calls_depth > 0);
    session->calls_depth--;
    if (session->calls_depth > 0)
        return;
    struct session_slot *slot = session_slot_at(session->slot);
    os_atomic_store(&slot->owner, 0);
    os_atomic_store(&slot->state, SESSION_IDLE);
    /* From here on the session may end at any time. */
    os_executor_point();
}

struct instance *session_instance(JET_SESID handle)
{
    struct session_slot *slot = session_slot_of_handle(handle);
    if (slot == NULL || os_atomic_load(&slot->handle) != handle)
        return NULL;
    return slot->instance;
}

JET_ERR session_enter_database(JET_SESID handle, JET_DBID id, struct session **session,
                               struct database **database)
{
    JET_ERR err = enter(handle, false, session);
    if (err != JET_errSuccess)
        return err;
    err = session_find_database(*session, id, database);
    if (err != JET_errSuccess) {
        session_leave(*session);
        *session = NULL;
    }
    return err;
}

/* --- cursors --- */

static bool is_cursor_handle(JET_TABLEID table)
{
    return (table & HANDLE_KIND_MASK) == HANDLE_KIND_CURSOR;
}

static struct session_cursor *find_cursor(const struct session *session, JET_TABLEID table)
{
    uint32_t index = (uint32_t)(table & 0xffff);
    uint32_t sequence = (uint32_t)(table >> CURSOR_SEQUENCE_SHIFT) & CURSOR_SEQUENCE_MASK;
    if (!is_cursor_handle(table) || index >= session->cursor_count || sequence == 0)
        return NULL;
    struct session_cursor *cursor = &session->cursors[index];
    return cursor->sequence == sequence ? cursor : NULL;
}

/* What is wrong with a cursor handle, as far as it tells by itself: it may be another session's, or that of a
 * session that has ended. `slot` is that of the session. */
static JET_ERR check_cursor_handle(uint32_t slot, JET_TABLEID table)
{
    if (table == 0 || table == JET_tableidNil || !is_cursor_handle(table))
        return JET_errInvalidTableId;
    uint32_t number = (uint32_t)(table >> CURSOR_SLOT_SHIFT) & 0xffff;
    uint32_t sequence = (uint32_t)(table >> CURSOR_SEQUENCE_SHIFT) & CURSOR_SEQUENCE_MASK;
    if (!session_slot_opened(number, sequence))
        return JET_errInvalidTableId;
    return number == slot ? JET_errSuccess : JET_errSesidTableIdMismatch;
}

JET_ERR session_find_cursor(struct session *session, JET_TABLEID table, void **object)
{
    *object = NULL;
    JET_ERR err = check_cursor_handle(session->slot, table);
    if (err != JET_errSuccess)
        return err;
    struct session_cursor *cursor = find_cursor(session, table);
    if (cursor == NULL)
        return JET_errInvalidTableId;
    *object = cursor->object;
    return JET_errSuccess;
}

static JET_ERR enter_cursor(JET_SESID handle, JET_TABLEID table, bool stopped_is_fine,
                            struct session **session, void **object)
{
    *session = NULL;
    *object = NULL;
    struct session_slot *slot = session_slot_of_handle(handle);
    if (slot == NULL || os_atomic_load(&slot->handle) != handle)
        return JET_errInvalidSesid;
    JET_ERR err = check_cursor_handle(session_slot_number(slot), table);
    if (err != JET_errSuccess)
        return err;
    err = enter(handle, stopped_is_fine, session);
    if (err != JET_errSuccess)
        return err;
    err = session_find_cursor(*session, table, object);
    if (err != JET_errSuccess) {
        session_leave(*session);
        *session = NULL;
    }
    return err;
}

JET_ERR session_enter_cursor(JET_SESID handle, JET_TABLEID table, struct session **session, void **object)
{
    return enter_cursor(handle, table, false, session, object);
}

JET_ERR session_enter_cursor_stopped(JET_SESID handle, JET_TABLEID table, struct session **session,
                                     void **object)
{
    return enter_cursor(handle, table, true, session, object);
}

/* Makes room for one more cursor; false without memory. */
static bool grow_cursors(struct session *session)
{
    uint32_t count = session->cursor_count == 0 ? 8 : session->cursor_count * 2;
    if (count > CURSORS_MOST)
        count = CURSORS_MOST;
    if (count == session->cursor_count)
        return false;
    struct session_cursor *larger = os_reallocate(session->cursors, count * sizeof(*larger));
    if (larger == NULL)
        return false;
    memset(larger + session->cursor_count, 0, (count - session->cursor_count) * sizeof(*larger));
    /* Lowest numbers first, so that handles are the same in each run. */
    for (uint32_t i = count; i > session->cursor_count; i--) {
        larger[i - 1].next_free = session->cursor_free;
        session->cursor_free = i;
    }
    session->cursors = larger;
    session->cursor_count = count;
    return true;
}

JET_ERR session_reserve_cursor(struct session *session)
{
    struct instance *instance = session->instance;
    if (os_atomic_add(&instance->cursor_count, 1u) > instance_parameter(instance, JET_paramMaxCursors)) {
        os_atomic_subtract(&instance->cursor_count, 1u);
        return JET_errOutOfCursors;
    }
    if (session->cursor_free == 0 && !grow_cursors(session)) {
        os_atomic_subtract(&instance->cursor_count, 1u);
        return JET_errOutOfMemory;
    }
    return JET_errSuccess;
}

void session_release_reserved_cursor(struct session *session)
{
    os_atomic_subtract(&session->instance->cursor_count, 1u);
}

void session_place_cursor(struct session *session, enum cursor_kind kind, void *object,
                          void (*close)(struct session *session, void *object), JET_TABLEID *table)
{
    ASSERT(kind != CURSOR_KIND_NONE && object != NULL && close != NULL && session->cursor_free != 0);
    uint32_t index = session->cursor_free - 1;
    struct session_cursor *cursor = &session->cursors[index];
    session->cursor_free = cursor->next_free;
    cursor->next_free = 0;
    cursor->sequence = session_next_cursor_sequence();
    cursor->kind = kind;
    cursor->object = object;
    cursor->close = close;
    session->cursors_used++;
    *table = HANDLE_KIND_CURSOR | ((uint64_t)cursor->sequence << CURSOR_SEQUENCE_SHIFT) |
             ((uint64_t)session->slot << CURSOR_SLOT_SHIFT) | index;
}

void session_remove_cursor(struct session *session, JET_TABLEID table)
{
    struct session_cursor *cursor = find_cursor(session, table);
    ASSERT(cursor != NULL);
    cursor->sequence = 0;
    cursor->kind = CURSOR_KIND_NONE;
    cursor->object = NULL;
    cursor->next_free = session->cursor_free;
    session->cursor_free = (uint32_t)(cursor - session->cursors) + 1;
    ASSERT(session->cursors_used > 0);
    session->cursors_used--;
    os_atomic_subtract(&session->instance->cursor_count, 1u);
}

void session_close_cursor(struct session *session, JET_TABLEID table)
{
    struct session_cursor cursor = session->cursors[table & 0xffff];
    session_remove_cursor(session, table);
    cursor.close(session, cursor.object);
}

void session_visit_cursors(struct session *session,
                           void (*visit)(struct session *session, JET_TABLEID table, void *object,
                                         void *context),
                           void *context)
{
    for (uint32_t i = 0; i < session->cursor_count; i++) {
        const struct session_cursor *cursor = &session->cursors[i];
        if (cursor->sequence == 0)
            continue;
        JET_TABLEID table = HANDLE_KIND_CURSOR | ((uint64_t)cursor->sequence << CURSOR_SEQUENCE_SHIFT) |
                            ((uint64_t)session->slot << CURSOR_SLOT_SHIFT) | i;
        visit(session, table, cursor->object, context);
    }
}

/* --- threads --- */

JET_ERR session_check_thread(const struct session *session)
{
    if (transaction_level(&session->transaction) == 0)
        return JET_errSuccess;
    if (session->transaction_by_context) {
        if (session->has_context && session->context_thread == os_thread_id() &&
            session->context == session->transaction_thread)
            return JET_errSuccess;
    } else if (session->transaction_thread == os_thread_id()) {
        return JET_errSuccess;
    }
    return JET_errSessionSharingViolation;
}

void session_bind_thread(struct session *session)
{
    session->transaction_by_context = session->has_context;
    session->transaction_thread = session->has_context ? session->context : os_thread_id();
}

void session_callback_begin(struct session *session)
{
    ASSERT(session->calls_depth > 0);
    session->callback_depth++;
    session->in_callback = true;
}

void session_callback_end(struct session *session)
{
    ASSERT(session->callback_depth > 0);
    session->callback_depth--;
    session->in_callback = session->callback_depth > 0;
}
