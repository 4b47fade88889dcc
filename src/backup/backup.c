#include "src/backup/backup_internal.h"
#include "src/backup/snapshot.h"

#include "src/log/log.h"
#include "src/os/clock.h"
#include "src/os/host.h"
#include "src/os/memory.h"

/* --- the context --- */

JET_ERR backup_context_create(struct backup_context **result)
{
    struct backup_context *context = os_allocate_zeroed(sizeof *context);
    if (context == NULL)
        return JET_errOutOfMemory;
    os_mutex_init(&context->lock, OS_RANK_BACKUP);
    os_condition_init(&context->changed);
    *result = context;
    return JET_errSuccess;
}

void backup_context_free(struct backup_context *context)
{
    if (context == NULL)
        return;
    backup_drop_file(context);
    os_condition_destroy(&context->changed);
    os_mutex_destroy(&context->lock);
    os_free(context);
}

void backup_context_bind(struct backup_context *context, const struct backup_services *services,
                         void *instance)
{
    os_mutex_lock(&context->lock);
    if (context->services == NULL) {
        context->services = services;
        context->instance = instance;
    }
    ASSERT(context->services == services && context->instance == instance);
    os_mutex_unlock(&context->lock);
}

struct log *backup_log(const struct backup_context *context)
{
    ASSERT(context->services != NULL);
    return context->services->log(context->instance);
}

enum backup_state backup_state_inside(const struct backup_context *context)
{
    return (enum backup_state)os_atomic_load(&context->state);
}

void backup_enter(struct backup_context *context)
{
    snapshot_poll(context);
    os_mutex_lock(&context->lock);
    while (context->busy)
        os_condition_wait(&context->changed, &context->lock, OS_WAIT_FOREVER);
    context->busy = true;
    /* Who began a backup has waited for attaches and detaches under way, and none begins any more. */
    ASSERT(context->attaching == 0 || backup_state_inside(context) == BACKUP_IDLE ||
           backup_state_inside(context) == BACKUP_SNAPSHOT || context->left_in_databases);
    os_mutex_unlock(&context->lock);
}

void backup_leave(struct backup_context *context)
{
    os_mutex_lock(&context->lock);
    ASSERT(context->busy);
    context->busy = false;
    os_condition_wake_all(&context->changed);
    os_mutex_unlock(&context->lock);
}

void backup_set_state(struct backup_context *context, enum backup_state state)
{
    os_atomic_store(&context->state, (uint32_t)state);
    log_keep_from(backup_log(context), state == BACKUP_IDLE    ? 0
                                       : context->copy_low > 0 ? context->copy_low
                                                               : 1);
}

void backup_copy_from_checkpoint(struct backup_context *context)
{
    struct log *log = backup_log(context);
    context->copy_low = log_checkpoint(log).generation;
    ASSERT(context->copy_low > 0);
    log_keep_from(log, context->copy_low);
}

JET_ERR backup_enter_for(struct backup_context *context, enum backup_event event)
{
    backup_enter(context);
    bool stopped = os_atomic_load(&context->stopped);
#if defined(ESENT_CANARY)
    /* Planted on purpose, to see that the harness finds it: a stop does not reach the truncation. */
    stopped = stopped && event != BACKUP_EVENT_TRUNCATE;
#endif
    const JET_ERR err =
        backup_gate(os_host_profile(), backup_state_inside(context), event, stopped, context->file.open);
    if (err != JET_errSuccess)
        backup_leave(context);
    return err;
}

void backup_failed(struct backup_context *context, enum backup_event event, JET_ERR err)
{
    const struct backup_rule *rule = backup_rule(os_host_profile(), backup_state_inside(context), event);
    if (rule->failed == BACKUP_IDLE && backup_state_inside(context) != BACKUP_IDLE)
        backup_finish(context, err, 0);
}

/* --- from other layers --- */

void backup_stop(struct backup_context *context)
{
    os_atomic_store(&context->stopped, true);
}

enum backup_state backup_state_of(struct backup_context *context)
{
    return backup_state_inside(context);
}

bool backup_is_active(struct backup_context *context)
{
    return backup_state_of(context) != BACKUP_IDLE;
}

void backup_term(struct backup_context *context)
{
    if (!backup_is_active(context))
        return;
    backup_stop(context);
    backup_enter(context);
    if (backup_is_active(context))
        backup_finish(context, JET_errBackupAbortByServer, 0);
    backup_leave(context);
}

JET_ERR backup_enter_attach(struct backup_context *context)
{
    snapshot_poll(context);
    os_mutex_lock(&context->lock);
    const JET_ERR err = backup_gate(os_host_profile(), backup_state_inside(context),
                                    BACKUP_EVENT_ATTACH_DETACH, false, false);
    if (err == JET_errSuccess)
        context->attaching++;
    os_mutex_unlock(&context->lock);
    return err;
}

void backup_leave_attach(struct backup_context *context)
{
    os_mutex_lock(&context->lock);
    ASSERT(context->attaching > 0);
    context->attaching--;
    os_condition_wake_all(&context->changed);
    os_mutex_unlock(&context->lock);
}

/* Moves from idle to the state of a begun backup, so that no attach or detach begins any more, and waits for
 * those under way. A freeze may have come first since the gate was passed: it asks under the same lock. */
static JET_ERR leave_idle(struct backup_context *context, enum backup_event event)
{
    const enum ESENT_HOST_PROFILE profile = os_host_profile();
    os_mutex_lock(&context->lock);
    const enum backup_state state = backup_state_inside(context);
    const JET_ERR err = backup_gate(profile, state, event, false, false);
    if (err == JET_errSuccess) {
        context->copy_low = context->copy_end = 0;
        context->delete_low = context->delete_end = 0;
        context->left_in_databases = false;
        os_atomic_store(&context->stopped, false);
        backup_set_state(context, backup_rule(profile, state, event)->after);
        while (context->attaching > 0)
            os_condition_wait(&context->changed, &context->lock, OS_WAIT_FOREVER);
    }
    os_mutex_unlock(&context->lock);
    return err;
}

/* --- begin --- */

static JET_ERR check_begin_grbit(const struct backup_context *context, JET_GRBIT grbit)
{
    const JET_GRBIT special = JET_bitBackupIncremental | JET_bitBackupSurrogate;
    if (grbit & ~(special | JET_bitInternalCopy))
        return JET_errInvalidGrbit;
    if (grbit & special && context->services->circular(context->instance))
        return JET_errInvalidBackup;
    if (grbit & JET_bitInternalCopy && grbit & special)
        return JET_errInvalidGrbit;
    return JET_errSuccess;
}

static JET_ERR check_begin_log(const struct backup_context *context, JET_GRBIT grbit)
{
    JET_ERR err = JET_errSuccess;
    struct log *log = backup_log(context);
    if (!log_enabled(log))
        return JET_errLoggingDisabled;
    const JET_ERR state = log_state(log);
    if (state == JET_errLogWriteFail)
        return state;
    TRY(check_begin_grbit(context, grbit));
    err = state;
done:
    return err;
}

static enum backup_event begin_event(JET_GRBIT grbit)
{
    if (grbit & JET_bitBackupSurrogate)
        return BACKUP_EVENT_BEGIN_SURROGATE;
    return grbit & JET_bitBackupIncremental ? BACKUP_EVENT_BEGIN_INCREMENTAL : BACKUP_EVENT_BEGIN_FULL;
}

/* Whether the databases belong to the backup from its begin: of a full one they do once they are opened. */
static void mark_database(void *all, struct database *database)
{
    database->backup = (struct database_backup){.in_backup = *(const bool *)all};
}

static void mark_databases(struct backup_context *context, bool all)
{
    context->services->visit(context->instance, mark_database, &all);
}

static JET_ERR begin_inside(struct backup_context *context, JET_GRBIT grbit, uint32_t first, uint32_t last)
{
    JET_ERR err = JET_errSuccess;
    struct log *log = backup_log(context);
    const bool surrogate = (grbit & JET_bitBackupSurrogate) != 0;
    const bool incremental = (grbit & JET_bitBackupIncremental) != 0;
    const enum backup_info_type type = surrogate ? BACKUP_INFO_SURROGATE : BACKUP_INFO_NORMAL;
    mark_databases(context, surrogate || incremental);
    if (incremental)
        TRY(backup_check_full_before(context, type));
    context->full = !incremental;
    context->log_rolled = false;
    if (incremental) {
        if (surrogate)
            context->incremental_time = os_clock_log_time();
    } else {
        backup_copy_from_checkpoint(context);
        *(surrogate ? &context->full_position : &context->mark) = log_last(log);
        *(surrogate ? &context->full_time : &context->mark_time) = os_clock_log_time();
    }
    struct log_position position = LOG_POSITION_MIN;
    err = backup_log_record(context, LOG_BACKUP_BEGIN, (uint8_t)type,
                            incremental ? LOG_BACKUP_INCREMENTAL : LOG_BACKUP_FULL, 0, NULL, 0, &position);
    if (surrogate && incremental) {
        TRY(err);
        context->incremental_position = position;
    }
    if (surrogate) {
        context->copy_low = (int32_t)first;
        context->copy_end = (int32_t)last;
    }
    err = JET_errSuccess;
done:
    return err;
}

/* In the published engine a begin waits for the snapshot to thaw, and is refused afterwards. */
static JET_ERR wait_for_thaw(struct backup_context *context)
{
    snapshot_poll(context); /* one whose time is over refuses nobody */
    const bool refused = backup_state_of(context) == BACKUP_SNAPSHOT;
    if (!os_host_is_published() || !snapshot_is_frozen(context))
        return JET_errSuccess;
    snapshot_wait(context);
    return refused ? JET_errBackupInProgress : JET_errSuccess;
}

static void fall_back(struct backup_context *context, enum backup_event event)
{
    os_mutex_lock(&context->lock);
    os_atomic_store(&context->stopped, false);
    backup_set_state(context, backup_rule(os_host_profile(), BACKUP_IDLE, event)->failed);
    os_mutex_unlock(&context->lock);
}

JET_ERR backup_begin(struct backup_context *context, JET_GRBIT grbit, uint32_t first, uint32_t last)
{
    JET_ERR err = JET_errSuccess;
    TRY(check_begin_log(context, grbit));
    const enum backup_event event = begin_event(grbit);
    TRY(wait_for_thaw(context));
    TRY(backup_enter_for(context, event));
    err = leave_idle(context, event);
    if (err == JET_errSuccess) {
        context->logs_truncated = false;
        context->with_patch_files = false;
        err = begin_inside(context, grbit, first, last);
        if (err < JET_errSuccess)
            fall_back(context, event);
    }
    backup_leave(context);
done:
    return err;
}

JET_ERR backup_begin_surrogate(struct backup_context *context, uint32_t first, uint32_t last, JET_GRBIT grbit)
{
    if (first > last || (uint32_t)log_generation(backup_log(context)) < last)
        return JET_errInvalidParameter;
    return backup_begin(context, JET_bitBackupSurrogate | grbit, first, last);
}

/* --- end --- */

struct end_of_databases {
    struct backup_context *context;
    JET_GRBIT grbit;
    bool surrogate;
    bool good;
};

/* The kind of this backup's entry in a header: a full one needs a whole copy, an incremental one does not. */
static void update_database(const struct end_of_databases *end, struct database *database)
{
    struct backup_context *context = end->context;
    const bool truncated = (end->grbit & JET_bitBackupTruncateDone) != 0;
    struct backup_info info = {.generation_low = (uint32_t)context->copy_low};
    enum backup_info_type type = BACKUP_INFO_NORMAL;
    bool truncated_here = truncated || context->logs_truncated;
    if (end->surrogate) {
        type = BACKUP_INFO_SURROGATE;
        truncated_here = truncated;
        info.generation_high = (uint32_t)context->copy_end;
        info.mark = context->full ? context->full_position : context->incremental_position;
        info.time = context->full ? context->full_time : context->incremental_time;
    } else {
        info.generation_high = (uint32_t)(context->copy_end - 1);
        info.mark = context->full ? context->mark : context->incremental_position;
        info.time = context->full ? context->mark_time : context->incremental_time;
        if (context->full && !database->backup.copied)
            return;
    }
    backup_update_header(context, database, type, !context->full, truncated_here, &info);
}

static void end_database(void *argument, struct database *database)
{
    const struct end_of_databases *end = argument;
    if (end->good && database->backup.in_backup && database->logged)
        update_database(end, database);
    database->backup = (struct database_backup){0};
}

void backup_finish(struct backup_context *context, JET_ERR outcome, JET_GRBIT grbit)
{
    const enum backup_state state = backup_state_inside(context);
    const bool surrogate = state == BACKUP_SURROGATE;
    const uint8_t type = surrogate ? BACKUP_INFO_SURROGATE : BACKUP_INFO_NORMAL;
    const uint8_t scope = context->full ? LOG_BACKUP_FULL : LOG_BACKUP_INCREMENTAL;
    struct end_of_databases end = {
        .context = context,
        .grbit = grbit,
        .surrogate = surrogate,
        .good = outcome == JET_errSuccess && !(grbit & JET_bitBackupNoDbHeaderUpdate),
    };
    backup_drop_file(context);
    if (outcome != JET_errSuccess)
        (void)backup_log_record(context, LOG_BACKUP_ABORT, type, scope, 0, NULL, 0, NULL);
    context->services->visit(context->instance, end_database, &end);
    context->left_in_databases = false;
    os_atomic_store(&context->stopped, false);
    os_mutex_lock(&context->lock);
    backup_set_state(context, BACKUP_IDLE);
    os_mutex_unlock(&context->lock);
    (void)backup_log_record(context, LOG_BACKUP_STOP, type, scope, 0, NULL, 0, NULL);
}

static JET_ERR check_end_grbit(JET_GRBIT grbit)
{
    const bool normal = (grbit & JET_bitBackupEndNormal) != 0;
    const bool abort = (grbit & JET_bitBackupEndAbort) != 0;
    return normal == abort ? JET_errInvalidParameter : JET_errSuccess;
}

/* What the caller is told: the published engine calls every end a success. */
static JET_ERR end_answer(JET_GRBIT grbit, JET_ERR outcome)
{
    if (os_host_is_published() || grbit & JET_bitBackupEndAbort)
        return JET_errSuccess;
    return outcome;
}

/* An end clears what was left behind, although there is no backup. */
static void forget_phase(struct backup_context *context)
{
    os_mutex_lock(&context->lock);
    if (backup_state_inside(context) == BACKUP_IDLE) { /* still */
        os_atomic_store(&context->stopped, false);
        context->left_in_databases = false;
    }
    os_mutex_unlock(&context->lock);
}

/* `finished`: the caller's word for it that everything was copied, as a surrogate's end is. */
static JET_ERR end_as(struct backup_context *context, JET_GRBIT grbit, enum backup_event event, bool finished)
{
    JET_ERR err = JET_errSuccess;
    TRY(check_end_grbit(grbit));
    err = backup_enter_for(context, event);
    if (err == JET_errNoBackup)
        forget_phase(context);
    TRY(err);
    const enum backup_state state = backup_state_inside(context);
    JET_ERR outcome = backup_end_outcome(os_host_profile(), state, os_atomic_load(&context->stopped));
    if (outcome == JET_errSuccess && state == BACKUP_SURROGATE && context->full && !finished)
        outcome = JET_errBackupAbortByCaller;
    if (grbit & JET_bitBackupEndAbort)
        outcome = JET_errBackupAbortByCaller;
    /* Ended by the wrong call (published engine only): a failed end. */
    if ((state == BACKUP_SURROGATE) != (event == BACKUP_EVENT_END_SURROGATE))
        outcome = state == BACKUP_SURROGATE ? JET_errSurrogateBackupInProgress : JET_errBackupInProgress;
    /* A good end would write headers, which a frozen instance may not (published engine: others cannot end
     * it). */
    if (state == BACKUP_SNAPSHOT && outcome == JET_errSuccess)
        snapshot_wait(context);
    backup_finish(context, outcome, grbit);
    backup_leave(context);
    err = end_answer(grbit, outcome);
done:
    return err;
}

JET_ERR backup_end(struct backup_context *context, JET_GRBIT grbit)
{
    return end_as(context, grbit,
                  grbit & JET_bitBackupSurrogate ? BACKUP_EVENT_END_SURROGATE : BACKUP_EVENT_END, false);
}

JET_ERR backup_end_surrogate(struct backup_context *context, JET_GRBIT grbit)
{
    return end_as(context, grbit, BACKUP_EVENT_END_SURROGATE, true);
}
