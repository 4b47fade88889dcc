#include "src/backup/snapshot.h"

#include "src/backup/backup_internal.h"
#include "src/log/log.h"
#include "src/os/clock.h"
#include "src/os/host.h"
#include "src/os/memory.h"

#define PREPARE_BITS                                                                                         \
    (JET_bitIncrementalSnapshot | JET_bitCopySnapshot | JET_bitContinueAfterThaw | JET_bitExplicitPrepare)
/* Answer for an instance that is not in the session: the engine's, which has no name. */
#define ERROR_NOT_IN_SESSION ((JET_ERR)-1)

enum snapshot_state {
    SNAPSHOT_PREPARED,
    SNAPSHOT_FROZEN,
    SNAPSHOT_THAWED, /* logs may be deleted, more than once */
    SNAPSHOT_TIMED_OUT,
};

struct snapshot {
    JET_OSSNAPID id;
    enum snapshot_state state;
    JET_GRBIT grbit;
    uint64_t deadline;              /* tick at which a freeze has failed */
    struct backup_context *members; /* in the order of the process's table, by snapshot_next */
    struct snapshot *next;
};

/* All sessions of the process. */
static struct {
    struct os_mutex lock;
    struct snapshot *first;
    JET_OSSNAPID last_id;
} sessions = {.lock = OS_MUTEX_INITIALIZER(OS_RANK_SNAPSHOT)};

/* Where writes of frozen instances wait. They come with any locks held: this one calls nothing. */
static struct {
    struct os_mutex lock;
    struct os_condition opened;
} gate = {.lock = OS_MUTEX_INITIALIZER(OS_RANK_LEAF), .opened = {PTHREAD_COND_INITIALIZER}};

static void forget_sessions(void)
{
    os_mutex_init(&sessions.lock, OS_RANK_SNAPSHOT);
    os_mutex_init(&gate.lock, OS_RANK_LEAF);
    os_condition_init(&gate.opened);
    sessions.first = NULL;
    sessions.last_id = 0;
}

static void expire(struct snapshot *session);

/* What is over by now has failed before anything else happens. */
static void lock_sessions(void)
{
    os_mutex_lock(&sessions.lock);
    for (struct snapshot *session = sessions.first; session != NULL; session = session->next)
        expire(session);
}

static void unlock_sessions(void)
{
    os_mutex_unlock(&sessions.lock);
}

static JET_ERR find_session(JET_OSSNAPID id, struct snapshot **found)
{
    struct snapshot *session = sessions.first;
    while (session != NULL && session->id != id)
        session = session->next;
    *found = session;
    return session == NULL ? JET_errOSSnapshotInvalidSnapId : JET_errSuccess;
}

static bool is_incremental(const struct snapshot *session)
{
    return (session->grbit & JET_bitIncrementalSnapshot) != 0;
}

static uint8_t scope_of(const struct snapshot *session)
{
    return is_incremental(session) ? LOG_BACKUP_INCREMENTAL : LOG_BACKUP_FULL;
}

/* An instance may be on its way out: its log is touched only after this. */
static bool enter_member(struct backup_context *context)
{
    return context->services->enter(context->instance) >= JET_errSuccess;
}

static void leave_member(struct backup_context *context)
{
    context->services->leave(context->instance);
}

static void log_phase(struct backup_context *context, const struct snapshot *session, uint8_t phase)
{
    if (!enter_member(context))
        return;
    /* For whoever reads the log later; nothing depends on it. */
    (void)backup_log_record(context, phase, BACKUP_INFO_OS_SNAPSHOT, scope_of(session), 0, NULL, 0, NULL);
    leave_member(context);
}

/* --- members --- */

static uint32_t number_of(const struct backup_context *context)
{
    return context->services->number(context->instance);
}

static void join(struct snapshot *session, struct backup_context *context)
{
    struct backup_context **link = &session->members;
    while (*link != NULL && number_of(*link) < number_of(context))
        link = &(*link)->snapshot_next;
    context->snapshot_next = *link;
    *link = context;
    context->snapshot = session;
    log_phase(context, session, LOG_BACKUP_BEGIN);
}

static void part(struct backup_context *context)
{
    struct backup_context **link = &context->snapshot->members;
    while (*link != context)
        link = &(*link)->snapshot_next;
    *link = context->snapshot_next;
    context->snapshot = NULL;
}

/* Back to idle, if the snapshot holds the instance's backup state. In the published engine also a streaming
 * backup that was begun since the prepare loses its state here. */
static void release_state(struct backup_context *context)
{
    os_mutex_lock(&context->lock);
    const enum backup_state state = backup_state_inside(context);
    if (state == BACKUP_SNAPSHOT || os_host_is_published()) {
        if (state != BACKUP_IDLE)
            context->left_in_databases =
                state == BACKUP_DATABASES || (state == BACKUP_SURROGATE && context->full);
        backup_set_state(context, BACKUP_IDLE);
        os_atomic_store(&context->stopped, false);
    }
    os_mutex_unlock(&context->lock);
}

/* Lets all members go. */
static void release_members(struct snapshot *session)
{
    while (session->members != NULL) {
        struct backup_context *context = session->members;
        release_state(context);
        log_phase(context, session, LOG_BACKUP_STOP);
        part(context);
    }
}

/* --- freeze and thaw --- */

/* Until the thaw, or the time is over: that the snapshot has failed then is for the next call to find. */
static void wait_at_gate(void *waiting)
{
    struct backup_context *context = waiting;
    os_mutex_lock(&gate.lock);
    while (os_atomic_load(&context->frozen)) {
        const uint64_t now = os_clock_ticks();
        const uint64_t end = atomic_load(&context->frozen_at_most);
        if (now >= end)
            break;
        (void)os_condition_wait(&gate.opened, &gate.lock, (uint32_t)(end - now));
    }
    os_mutex_unlock(&gate.lock);
}

static void thaw_member(struct backup_context *context)
{
    os_mutex_lock(&gate.lock);
    const bool was_frozen = os_atomic_exchange(&context->frozen, false);
    os_condition_wake_all(&gate.opened);
    os_mutex_unlock(&gate.lock);
    if (was_frozen)
        log_set_write_gate(backup_log(context), NULL, NULL);
}

static void thaw_members(struct snapshot *session)
{
    for (struct backup_context *context = session->members; context != NULL; context = context->snapshot_next)
        thaw_member(context);
}

/* A freeze whose time is over has failed; its instances are free again. */
static void time_out(struct snapshot *session)
{
    session->state = SNAPSHOT_TIMED_OUT;
    thaw_members(session);
    release_members(session);
}

static void expire(struct snapshot *session)
{
    if (session->state == SNAPSHOT_FROZEN && os_clock_ticks() >= session->deadline)
        time_out(session);
}

/* Marks the members as being backed up; if one may not be, all leave the session. */
static JET_ERR claim_members(struct snapshot *session)
{
    for (struct backup_context *context = session->members; context != NULL;
         context = context->snapshot_next) {
        os_mutex_lock(&context->lock);
        JET_ERR err =
            backup_gate(os_host_profile(), backup_state_inside(context), BACKUP_EVENT_FREEZE, false, false);
        if (err == JET_errSuccess && !context->services->backup_allowed(context->instance))
            err = JET_errOSSnapshotNotAllowed;
        if (err == JET_errSuccess) {
            os_atomic_store(&context->stopped, false);
            backup_set_state(context, context->left_in_databases ? BACKUP_DATABASES : BACKUP_SNAPSHOT);
            while (context->attaching > 0)
                os_condition_wait(&context->changed, &context->lock, OS_WAIT_FOREVER);
        }
        os_mutex_unlock(&context->lock);
        if (err != JET_errSuccess) {
            part(context);
            release_members(session);
            return err;
        }
        context->full = !is_incremental(session);
    }
    return JET_errSuccess;
}

/* The record that marks the snapshot's place in the log: first of a new generation, unless logging is
 * circular. */
static JET_ERR log_mark(struct snapshot *session, struct backup_context *context, bool rolls)
{
    JET_ERR err = JET_errSuccess;
    struct log *log = backup_log(context);
    const struct backup_info info = {.time = os_clock_log_time()};
    struct log_position position;
    TRY(backup_log_record(context, LOG_BACKUP_PREPARE_LOGS, BACKUP_INFO_OS_SNAPSHOT, scope_of(session), 0,
                          &info, rolls ? LOG_APPEND_NEW_GENERATION : 0, &position));
    TRY(log_flush(log, position));
    *(context->full ? &context->full_position : &context->incremental_position) = position;
    *(context->full ? &context->full_time : &context->incremental_time) = info.time;
    log_note_backup(log, context->full, position, info.time);
    context->copy_end = position.generation - (rolls ? 1 : 0);
done:
    return err;
}

/* Here copy_low and copy_end are the first and the last generation that the snapshot holds. */
static JET_ERR freeze_member(struct snapshot *session, struct backup_context *context)
{
    JET_ERR err = JET_errSuccess;
    struct log *log = backup_log(context);
    const bool circular = context->services->circular(context->instance);
    int32_t low, high;
    if (!log_enabled(log))
        FAIL(JET_errLoggingDisabled);
    if (context->full) {
        TRY(log_mark(session, context, !circular));
        backup_copy_from_checkpoint(context);
    } else {
        TRY(backup_check_full_before(context, BACKUP_INFO_OS_SNAPSHOT));
        if (circular)
            FAIL(JET_errInvalidBackup);
        TRY(log_mark(session, context, true));
        TRY(log_generation_range(log, &low, &high));
        context->copy_low = low == 0 ? 1 : low;
        TRY(backup_check_no_gap(context, context->copy_low));
    }
    const int32_t checkpoint = log_checkpoint(log).generation;
    context->delete_low = 0;
    context->delete_end = context->copy_end < checkpoint ? context->copy_end : checkpoint;
    atomic_store(&context->frozen_at_most, session->deadline);
    os_atomic_store(&context->frozen, true);
    log_set_write_gate(log, wait_at_gate, context);
done:
    return err;
}

static JET_ERR freeze_members(struct snapshot *session)
{
    JET_ERR err = JET_errSuccess;
    for (struct backup_context *context = session->members; context != NULL;
         context = context->snapshot_next) {
        if (!enter_member(context))
            FAIL(JET_errOSSnapshotNotAllowed);
        err = freeze_member(session, context);
        leave_member(context);
        TRY(err);
    }
done:
    if (err < JET_errSuccess) {
        thaw_members(session);
        release_members(session);
    }
    return err;
}

/* --- sessions --- */

JET_ERR snapshot_prepare(JET_GRBIT grbit, JET_OSSNAPID *id)
{
    JET_ERR err = JET_errSuccess;
    if (grbit & ~(JET_GRBIT)PREPARE_BITS)
        return JET_errInvalidGrbit;
    os_host_on_death(forget_sessions);
    lock_sessions();
    struct snapshot *session = os_allocate_zeroed(sizeof *session);
    if (session == NULL)
        FAIL(JET_errOutOfMemory);
    session->id = ++sessions.last_id;
    session->grbit = grbit;
    session->next = sessions.first;
    sessions.first = session;
    *id = session->id;
done:
    unlock_sessions();
    return err;
}

static void remove_session(struct snapshot *session)
{
    struct snapshot **link = &sessions.first;
    while (*link != session)
        link = &(*link)->next;
    *link = session->next;
    ASSERT(session->members == NULL);
    os_free(session);
}

void snapshot_add(JET_OSSNAPID id, struct backup_context *context)
{
    struct snapshot *session;
    lock_sessions();
    if (context->snapshot == NULL && find_session(id, &session) == JET_errSuccess &&
        session->state == SNAPSHOT_PREPARED)
        join(session, context);
    unlock_sessions();
}

JET_ERR snapshot_prepare_instance(JET_OSSNAPID id, struct backup_context *context, bool backup_allowed,
                                  JET_GRBIT grbit)
{
    JET_ERR err = JET_errSuccess;
    struct snapshot *session;
    if (grbit != 0)
        return JET_errInvalidGrbit;
    lock_sessions();
    TRY(find_session(id, &session));
    if (session->state != SNAPSHOT_PREPARED)
        FAIL(JET_errOSSnapshotInvalidSequence);
    if (context->snapshot != NULL || backup_is_active(context) || !backup_allowed)
        FAIL(JET_errOSSnapshotNotAllowed);
    join(session, context);
done:
    unlock_sessions();
    return err;
}

/* Which of the four fields the snapshot goes to. */
static void save_database(void *argument, struct database *database)
{
    struct backup_context *context = argument;
    const struct backup_info info = {
        .mark = context->full ? context->full_position : context->incremental_position,
        .time = context->full ? context->full_time : context->incremental_time,
        .generation_low = (uint32_t)context->copy_low,
        .generation_high = (uint32_t)context->copy_end,
    };
    const bool copy = (context->snapshot->grbit & JET_bitCopySnapshot) != 0;
    if (database->logged)
        backup_update_header(context, database, BACKUP_INFO_OS_SNAPSHOT, !context->full, !copy, &info);
}

/* Ends a thawed session: well (headers are updated) or not. */
static void finish_thawed(struct snapshot *session, bool well)
{
    for (struct backup_context *context = session->members; well && context != NULL;
         context = context->snapshot_next) {
        if (!enter_member(context))
            continue;
        context->services->visit(context->instance, save_database, context);
        leave_member(context);
    }
    release_members(session);
    remove_session(session);
}

/* Whether an end with this bit is in order; the session is gone afterwards. Not for frozen ones. */
static JET_ERR end_session(struct snapshot *session, JET_GRBIT grbit)
{
    const bool abort = (grbit & JET_bitAbortSnapshot) != 0;
    ASSERT(session->state != SNAPSHOT_FROZEN);
    if (session->state == SNAPSHOT_PREPARED) {
        release_members(session);
        remove_session(session);
    } else if (session->state != SNAPSHOT_TIMED_OUT) {
        finish_thawed(session, !abort);
    } else if (abort) {
        remove_session(session);
    } else {
        return JET_errOSSnapshotInvalidSequence;
    }
    return JET_errSuccess;
}

/* Thaws a frozen or timed-out session; one that does not continue ends here. */
static JET_ERR thaw_session(struct snapshot *session, bool abort)
{
    JET_ERR err = JET_errSuccess;
    if (session->state == SNAPSHOT_TIMED_OUT) {
        err = JET_errOSSnapshotTimeOut;
    } else {
        thaw_members(session);
        session->state = SNAPSHOT_THAWED;
    }
    if (!(session->grbit & JET_bitContinueAfterThaw))
        (void)end_session(session, err < JET_errSuccess || abort ? JET_bitAbortSnapshot : 0);
    return err;
}

JET_ERR snapshot_thaw(JET_OSSNAPID id, JET_GRBIT grbit)
{
    JET_ERR err = JET_errSuccess;
    struct snapshot *session;
    if (grbit != 0)
        return JET_errInvalidGrbit;
    lock_sessions();
    TRY(find_session(id, &session));
    if (session->state != SNAPSHOT_FROZEN && session->state != SNAPSHOT_TIMED_OUT)
        FAIL(JET_errOSSnapshotInvalidSequence);
    err = thaw_session(session, false);
done:
    unlock_sessions();
    return err;
}

static JET_ERR abort_frozen(struct snapshot *session)
{
    /* The published engine counts an aborted freeze as a good snapshot. */
    if ((session->grbit & JET_bitContinueAfterThaw) == 0)
        return thaw_session(session, !os_host_is_published());
    (void)thaw_session(session, true); /* one that is frozen thaws */
    return end_session(session, JET_bitAbortSnapshot);
}

static JET_ERR visit_members(struct snapshot *session, snapshot_visitor visit, void *context)
{
    JET_ERR err = JET_errSuccess;
    for (struct backup_context *member = session->members; member != NULL; member = member->snapshot_next)
        TRY(visit(context, member->instance));
done:
    return err;
}

JET_ERR snapshot_freeze(JET_OSSNAPID id, JET_GRBIT grbit, uint32_t timeout, snapshot_visitor visit,
                        void *context)
{
    JET_ERR err = JET_errSuccess;
    struct snapshot *session;
    if (grbit != 0)
        return JET_errInvalidGrbit;
    lock_sessions();
    TRY(find_session(id, &session));
    if (session->state != SNAPSHOT_PREPARED)
        FAIL(JET_errOSSnapshotInvalidSequence);
    TRY(claim_members(session));
    session->deadline = os_clock_ticks() + timeout;
    TRY(freeze_members(session));
    session->state = SNAPSHOT_FROZEN;
    err = visit_members(session, visit, context);
    if (err < JET_errSuccess)
        (void)abort_frozen(session);
done:
    unlock_sessions();
    return err;
}

JET_ERR snapshot_end(JET_OSSNAPID id, JET_GRBIT grbit)
{
    JET_ERR err = JET_errSuccess;
    struct snapshot *session;
    if (grbit & ~(JET_GRBIT)JET_bitAbortSnapshot)
        return JET_errInvalidGrbit;
    lock_sessions();
    TRY(find_session(id, &session));
    if (session->state != SNAPSHOT_FROZEN) {
        err = end_session(session, grbit);
    } else if (!(grbit & JET_bitAbortSnapshot)) {
        err = JET_errOSSnapshotInvalidSequence;
    } else {
        err = abort_frozen(session);
    }
done:
    unlock_sessions();
    return err;
}

JET_ERR snapshot_abort(JET_OSSNAPID id, JET_GRBIT grbit)
{
    return grbit != 0 ? JET_errInvalidGrbit : snapshot_end(id, JET_bitAbortSnapshot);
}

/* --- truncation --- */

static JET_ERR truncate_member(struct snapshot *session, struct backup_context *context, JET_GRBIT grbit)
{
    JET_ERR err = JET_errSuccess;
    struct log *log = backup_log(context);
    int32_t low = 0;
    int32_t high;
    if (context->delete_end == 0)
        goto done;
    struct backup_info info = {.generation_low = 0, .generation_high = 0};
    /* Only if all databases are in the snapshot are the logs of no use to anybody. */
    if (grbit == JET_bitAllDatabasesSnapshot && !context->services->circular(context->instance)) {
        TRY(log_generation_range(log, &low, &high));
        if (low > context->delete_end)
            FAIL(JET_errRequiredLogFilesMissing);
        info.generation_low = (uint32_t)low;
        info.generation_high = (uint32_t)context->delete_end;
    }
    (void)backup_log_record(context, LOG_BACKUP_TRUNCATE, BACKUP_INFO_OS_SNAPSHOT, scope_of(session), 0,
                            &info, 0, NULL);
    if (low != 0 && low < context->delete_end)
        err = log_delete_generations(log, low, context->delete_end);
done:
    context->delete_end = 0;
    return err;
}

JET_ERR snapshot_truncate_log(JET_OSSNAPID id, struct backup_context *only, JET_GRBIT grbit)
{
    JET_ERR err = JET_errSuccess;
    struct snapshot *session;
    bool found = only == NULL;
    if (grbit & ~(JET_GRBIT)JET_bitAllDatabasesSnapshot)
        return JET_errInvalidGrbit;
    lock_sessions();
    TRY(find_session(id, &session));
    if (session->state != SNAPSHOT_THAWED || session->grbit & JET_bitCopySnapshot)
        FAIL(JET_errOSSnapshotInvalidSequence);
    for (struct backup_context *context = session->members; context != NULL;
         context = context->snapshot_next) {
        if ((only != NULL && context != only) || !enter_member(context))
            continue;
        found = true;
        const JET_ERR truncated = truncate_member(session, context, grbit);
        leave_member(context);
        if (err >= JET_errSuccess)
            err = truncated;
    }
    if (!found)
        err = ERROR_NOT_IN_SESSION;
done:
    unlock_sessions();
    return err;
}

/* --- from other layers --- */

JET_ERR snapshot_visit(JET_OSSNAPID id, snapshot_visitor visit, void *context)
{
    JET_ERR err = JET_errSuccess;
    struct snapshot *session;
    lock_sessions();
    TRY(find_session(id, &session));
    err = visit_members(session, visit, context);
done:
    unlock_sessions();
    return err;
}

bool snapshot_is_frozen(struct backup_context *context)
{
    return os_atomic_load(&context->frozen);
}

void snapshot_poll(struct backup_context *context)
{
    if (!snapshot_is_frozen(context))
        return;
    lock_sessions();
    unlock_sessions();
}

void snapshot_wait(struct backup_context *context)
{
    wait_at_gate(context);
    snapshot_poll(context);
}

void snapshot_drop(struct backup_context *context)
{
    lock_sessions();
    if (context->snapshot != NULL) {
        thaw_member(context);
        os_mutex_lock(&context->lock);
        if (backup_state_inside(context) == BACKUP_SNAPSHOT)
            backup_set_state(context, BACKUP_IDLE);
        os_mutex_unlock(&context->lock);
        part(context);
    }
    unlock_sessions();
}

void snapshot_term(struct backup_context *context)
{
    snapshot_wait(context);
    snapshot_drop(context);
}
