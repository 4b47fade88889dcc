/* OS snapshots. */
#include <string.h>

#include "fuzz/model/backup_rules.h"

#define RECORDS 500u /* bytes: what beginning or ending a snapshot writes to an instance's log, at most */

static struct model_snapshot *snapshot_argument(struct model *model)
{
    const struct program_token *word =
        model->next < model->line->argument_count ? &model->line->arguments[model->next] : NULL;
    struct model_reference reference = model_reference(model);
    if (word != NULL && word->word != NULL && strncmp(word->word, "raw", 3) == 0) {
        model_no_opinion(model);
        model->lost = true; /* an invented number may be one that exists */
    }
    struct model_snapshot *snapshot = reference.kind == OBJECT_SNAPSHOT ? reference.pointer : NULL;
    if (snapshot == NULL || snapshot->state == SNAPSHOT_GONE) {
        model_want(model, JET_errOSSnapshotInvalidSnapId);
        return NULL;
    }
    if (snapshot->uncertain)
        model_no_opinion(model);
    return snapshot;
}

/* Bits beyond those that the call knows are refused before anything is looked at. */
static bool refuses_bits(struct model *model, uint32_t grbit, uint32_t known)
{
    if ((grbit & ~known) == 0)
        return false;
    model->expect.code_count = 0;
    model_want(model, JET_errInvalidGrbit);
    return true;
}

/* A frozen snapshot may have timed out by now: real time is not the model's. */
static void leave(struct model *model, struct model_snapshot *snapshot, enum snapshot_state state)
{
    snapshot->state = state;
    for (size_t i = 0; i < model->instance_count; i++) {
        struct model_instance *instance = model->instances[i];
        if (instance->snapshot != snapshot)
            continue;
        /* Kept beyond the thaw, the snapshot still holds the place of a backup. */
        if (instance->backup.kind == BACKUP_FROZEN && state != SNAPSHOT_THAWED)
            instance->backup = (struct backup_context){0};
        if (state != SNAPSHOT_GONE && state != SNAPSHOT_FAILED)
            continue;
        instance->snapshot = NULL;
        model_log_written(model, instance, RECORDS);
    }
}

static void time_out(struct model *model, struct model_snapshot *snapshot)
{
    leave(model, snapshot, SNAPSHOT_FAILED);
    snapshot->state = SNAPSHOT_TIMED_OUT;
}

void model_outwait_freeze(struct model *model, struct model_instance *instance)
{
    struct model_snapshot *snapshot = instance->snapshot;
    if (snapshot == NULL || snapshot->state != SNAPSHOT_FROZEN) {
        model->lost = true;
        return;
    }
    /* Those that were frozen before, for no longer, have ended by then. */
    for (size_t i = 0; i < model->snapshot_count; i++) {
        struct model_snapshot *other = model->snapshots[i];
        if (other == snapshot || other->state != SNAPSHOT_FROZEN)
            continue;
        if (other->frozen_as < snapshot->frozen_as && other->timeout <= snapshot->timeout)
            time_out(model, other);
        else
            model->lost = true;
    }
    time_out(model, snapshot);
}

void model_wait(struct model *model, uint64_t milliseconds)
{
    for (size_t i = 0; i < model->snapshot_count; i++) {
        struct model_snapshot *snapshot = model->snapshots[i];
        if (snapshot->state != SNAPSHOT_FROZEN)
            continue;
        snapshot->waited += milliseconds;
        if (snapshot->waited >= snapshot->timeout)
            model->lost = true;
    }
}

static void join(struct model *model, struct model_snapshot *snapshot, struct model_instance *instance)
{
    instance->snapshot = snapshot;
    model_log_written(model, instance, RECORDS);
}

static void prepare(struct model *model)
{
    struct model_reference slot = model_reference(model);
    const uint32_t grbit = model_bits(model);
    const uint32_t known =
        JET_bitIncrementalSnapshot | JET_bitCopySnapshot | JET_bitContinueAfterThaw | JET_bitExplicitPrepare;
    bool any = false;
    for (size_t i = 0; i < model->instance_count; i++)
        any = any || model->instances[i]->alive;
    if ((grbit & ~known) != 0)
        model_want(model, JET_errInvalidGrbit);
    else if (slot.is_null)
        model_want(model, JET_errInvalidParameter);
    else
        model_want(model, any ? JET_errSuccess : JET_errNotInitialized);
    if (!model_succeeded(model))
        return;
    struct model_snapshot *snapshot = arena_allocate(&model->arena, sizeof *snapshot);
    snapshot->grbit = grbit;
    snapshot->explicit_prepare = (grbit & JET_bitExplicitPrepare) != 0;
    model->snapshots =
        model_room(model, model->snapshots, model->snapshot_count, sizeof(struct model_snapshot *));
    model->snapshots[model->snapshot_count++] = snapshot;
    model_slot_set(model, slot, OBJECT_SNAPSHOT, snapshot);
    for (size_t i = 0; i < model->instance_count && !snapshot->explicit_prepare; i++) {
        struct model_instance *instance = model->instances[i];
        if (instance->alive && instance->initialised && instance->snapshot == NULL)
            join(model, snapshot, instance);
    }
}

static void prepare_instance(struct model *model)
{
    struct model_snapshot *snapshot = snapshot_argument(model);
    model->expect.code_count = 0; /* the instance is looked at first */
    struct model_instance *instance = model_gate(model, false, true);
    if (instance == NULL)
        return;
    if (refuses_bits(model, model_bits(model), 0))
        return;
    if (snapshot == NULL) {
        model_want(model, JET_errOSSnapshotInvalidSnapId);
        return;
    }
    if (snapshot->state != SNAPSHOT_PREPARED || !snapshot->explicit_prepare || instance->snapshot != NULL ||
        !instance->initialised)
        model_no_opinion(model);
    bool backup = instance->backup.kind == BACKUP_LOCAL || instance->backup.kind == BACKUP_SURROGATE ||
                  instance->never_backup;
    model_want(model, backup ? JET_errOSSnapshotNotAllowed : JET_errSuccess);
    if (model_succeeded(model))
        join(model, snapshot, instance);
}

static bool is_in(const struct model_instance *instance, const struct model_snapshot *snapshot)
{
    return instance->alive && instance->snapshot == snapshot;
}

static bool is_backing_up(const struct model_instance *instance)
{
    return instance->backup.kind == BACKUP_LOCAL || instance->backup.kind == BACKUP_SURROGATE;
}

/* What the instances are like stands against it: first of all those that are being backed up. */
static int32_t members_code(struct model *model, const struct model_snapshot *snapshot)
{
    int32_t code = JET_errSuccess;
    for (size_t i = 0; i < model->instance_count; i++) {
        const struct model_instance *instance = model->instances[i];
        if (!instance->alive)
            continue;
        if (instance->lost)
            model_no_opinion(model); /* the log of one that is unavailable may be down: -510 */
        if (model_touched(model, instance->log_path))
            model_no_opinion(model); /* the log may not get its next file */
        if (is_backing_up(instance)) {
            if (!is_in(instance, snapshot) || instance->backup.kind == BACKUP_SURROGATE)
                model_no_opinion(model);
            return JET_errOSSnapshotNotAllowed;
        }
        if (!is_in(instance, snapshot))
            continue;
        if (instance->never_backup || (snapshot->grbit & JET_bitIncrementalSnapshot) != 0)
            model_no_opinion(model);
        if (instance->no_logging)
            code = JET_errLoggingDisabled;
    }
    return code;
}

static int32_t freeze_code(struct model *model, const struct model_snapshot *snapshot)
{
    return snapshot->state == SNAPSHOT_PREPARED ? members_code(model, snapshot)
                                                : JET_errOSSnapshotInvalidSequence;
}

/* The instances drop out; the session may be frozen again, without them. Some may have begun a new generation
 * already. A refused freeze may disturb the backups that it was refused for. */
static void freeze_failed(struct model *model, struct model_snapshot *snapshot, int32_t code)
{
    for (size_t i = 0; i < model->instance_count && code != JET_errOSSnapshotNotAllowed; i++) {
        if (is_in(model->instances[i], snapshot))
            model->instances[i]->generation = 0;
    }
    leave(model, snapshot, SNAPSHOT_FAILED);
    snapshot->state = SNAPSHOT_PREPARED;
    size_t reasons = 0; /* instances that it was refused for */
    for (size_t i = 0; i < model->instance_count; i++)
        reasons += model->instances[i]->alive &&
                   (is_backing_up(model->instances[i]) || model->instances[i]->never_backup);
    for (size_t i = 0; i < model->instance_count && reasons > 1; i++)
        model->instances[i]->lost = true;
}

static void freeze(struct model *model)
{
    struct model_snapshot *snapshot = snapshot_argument(model);
    if (refuses_bits(model, model_bits(model), 0))
        return;
    if (model_has_options(model))
        model_no_opinion(model);
    if (snapshot == NULL)
        return;
    for (size_t i = 0; i < model->instance_count && model->published; i++) {
        if (model->instances[i]->alive && model->instances[i]->no_logging)
            model_no_opinion(model); /* refused or not: by what other instances are like */
    }
    int32_t code = freeze_code(model, snapshot);
    model_want(model, code);
    if (code == JET_errSuccess)
        model_want_instances(model, snapshot);
    int32_t answer = model_answered(model);
    if (answer < 0) {
        if (snapshot->state == SNAPSHOT_PREPARED && answer != JET_errInvalidParameter &&
            answer != JET_errInvalidGrbit)
            freeze_failed(model, snapshot, answer);
        return;
    }
    snapshot->state = SNAPSHOT_FROZEN;
    snapshot->frozen_as = model->freeze_count++;
    snapshot->waited = 0;
    snapshot->timeout = model->defaults.numbers[MODEL_SNAPSHOT_TIMEOUT];
    uint64_t count;
    if (model_answer_number(model, "n", &count) && count == 0)
        snapshot->uncertain = true;
    for (size_t i = 0; i < model->instance_count; i++) {
        struct model_instance *instance = model->instances[i];
        if (!is_in(instance, snapshot))
            continue;
        instance->backup = (struct backup_context){.kind = BACKUP_FROZEN, .high = instance->generation};
        if (!model_circular(instance)) /* circular logs go on where they are */
            model_roll_log(instance);
    }
    if (snapshot->timeout == 0)
        time_out(model, snapshot); /* over as soon as anybody looks */
}

/* A good thaw counts as a backup of every database of the instances. */
static void record_thaw(struct model *model, const struct model_snapshot *snapshot)
{
    for (size_t i = 0; i < model->file_count; i++) {
        struct database_file *file = model->files[i];
        if (file->attached == NULL || file->attached->snapshot != snapshot ||
            file->attached->backup.kind != BACKUP_FROZEN || !model_in_backup(file, file->attached))
            continue;
        const uint32_t high = file->attached->backup.high;
        const bool copy = (snapshot->grbit & JET_bitCopySnapshot) != 0;
        file->fields_fresh = true;
        /* A fault while it is recorded does not show in the answer. */
        if (high == 0 || model->line->fault_count > 0) {
            file->fields_unknown = true;
        } else if ((snapshot->grbit & JET_bitIncrementalSnapshot) != 0) {
            *(copy ? &file->fields.differential : &file->fields.incremental) = high;
        } else if (copy) {
            file->fields.copy = high;
        } else {
            file->fields = (struct backup_fields){.full = high, .copy = file->fields.copy};
            file->full_by_snapshot = true;
        }
    }
}

static void thaw(struct model *model)
{
    struct model_snapshot *snapshot = snapshot_argument(model);
    if (refuses_bits(model, model_bits(model), 0) || snapshot == NULL)
        return;
    const bool frozen = snapshot->state == SNAPSHOT_FROZEN;
    const bool late = snapshot->state == SNAPSHOT_TIMED_OUT;
    if (!late)
        model_want(model, frozen ? JET_errSuccess : JET_errOSSnapshotInvalidSequence);
    if (frozen || late)
        model_want(model, JET_errOSSnapshotTimeOut);
    int32_t code = frozen && model->answer == NULL ? JET_errSuccess : model_answered(model);
    if (code == JET_errOSSnapshotInvalidSequence && !frozen)
        return;
    if (late && code == JET_errOSSnapshotTimeOut) {
        if ((snapshot->grbit & JET_bitContinueAfterThaw) == 0)
            snapshot->state = SNAPSHOT_GONE;
        return;
    }
    if (code != JET_errSuccess) {
        for (size_t i = 0; i < model->instance_count; i++) {
            if (is_in(model->instances[i], snapshot))
                model->instances[i]->lost = true;
        }
        snapshot->uncertain = true;
        leave(model, snapshot, SNAPSHOT_GONE);
        if (code == JET_errOSSnapshotTimeOut && (snapshot->grbit & JET_bitContinueAfterThaw) != 0)
            snapshot->state = SNAPSHOT_TIMED_OUT; /* waits for its end */
        return;
    }
    if ((snapshot->grbit & JET_bitContinueAfterThaw) == 0)
        record_thaw(model, snapshot); /* else it counts when it is ended */
    leave(model, snapshot,
          (snapshot->grbit & JET_bitContinueAfterThaw) != 0 ? SNAPSHOT_THAWED : SNAPSHOT_GONE);
}

/* In the published engine the end of a snapshot reaches into backups that are not its own. */
static void disturb_backups(struct model *model, const struct model_snapshot *snapshot)
{
    for (size_t i = 0; i < model->instance_count && model->published; i++) {
        if (is_in(model->instances[i], snapshot) && is_backing_up(model->instances[i]))
            model->instances[i]->lost = true;
    }
}

static void abort_it(struct model *model, struct model_snapshot *snapshot)
{
    model_want(model, JET_errSuccess);
    if (!model_succeeded(model))
        return;
    if (snapshot->state == SNAPSHOT_FROZEN && model->published &&
        (snapshot->grbit & JET_bitContinueAfterThaw) == 0)
        record_thaw(model, snapshot); /* an abort counts as a backup there */
    disturb_backups(model, snapshot);
    leave(model, snapshot, SNAPSHOT_GONE);
}

static void abort_snapshot(struct model *model)
{
    struct model_snapshot *snapshot = snapshot_argument(model);
    if (!refuses_bits(model, model_bits(model), 0) && snapshot != NULL)
        abort_it(model, snapshot);
}

/* False: the call ends there. */
static bool may_truncate(struct model *model, const struct model_snapshot *snapshot, uint32_t grbit)
{
    if (refuses_bits(model, grbit, JET_bitAllDatabasesSnapshot) || snapshot == NULL)
        return false;
    if (snapshot->state == SNAPSHOT_THAWED && (snapshot->grbit & JET_bitCopySnapshot) == 0)
        return true;
    model_want(model, JET_errOSSnapshotInvalidSequence);
    return false;
}

/* With all databases in the snapshot, logs go; others' increments may miss them. */
static void want_truncated(struct model *model, const struct model_instance *only,
                           const struct model_snapshot *snapshot, uint32_t grbit)
{
    model_want(model, JET_errSuccess);
    for (size_t i = 0; i < model->instance_count && grbit != 0; i++) {
        const struct model_instance *instance = model->instances[i];
        if (!is_in(instance, snapshot) || (only != NULL && only != instance))
            continue;
        if (model_touched(model, instance->log_path))
            model_no_opinion(model);
        if (model_succeeded(model))
            model_logs_lost(model, instance); /* the snapshot may end without being recorded */
    }
}

static void truncate_log(struct model *model)
{
    struct model_snapshot *snapshot = snapshot_argument(model);
    const uint32_t grbit = model_bits(model);
    if (may_truncate(model, snapshot, grbit))
        want_truncated(model, NULL, snapshot, grbit);
}

static void truncate_log_of_instance(struct model *model)
{
    struct model_snapshot *snapshot = snapshot_argument(model);
    const size_t codes = model->expect.code_count;
    model->expect.code_count = 0; /* the instance is looked at first */
    struct model_instance *instance = model_gate(model, false, true);
    if (instance == NULL)
        return;
    model->expect.code_count = codes;
    const uint32_t grbit = model_bits(model);
    if (!may_truncate(model, snapshot, grbit))
        return;
    if (is_in(instance, snapshot))
        want_truncated(model, instance, snapshot, grbit);
    else
        model_want(model, -1);
}

static void end_snapshot(struct model *model)
{
    struct model_snapshot *snapshot = snapshot_argument(model);
    const uint32_t grbit = model_bits(model);
    if (refuses_bits(model, grbit, JET_bitAbortSnapshot) || snapshot == NULL)
        return;
    if (grbit != 0) {
        abort_it(model, snapshot);
        return;
    }
    if (snapshot->state == SNAPSHOT_FROZEN || snapshot->state == SNAPSHOT_TIMED_OUT)
        model_want(model, JET_errOSSnapshotInvalidSequence);
    else
        model_want(model, JET_errSuccess);
    if (!model_succeeded(model))
        return;
    disturb_backups(model, snapshot);
    if (snapshot->state == SNAPSHOT_THAWED)
        record_thaw(model, snapshot);
    leave(model, snapshot, SNAPSHOT_GONE);
}

static void freeze_info(struct model *model)
{
    struct model_snapshot *snapshot = snapshot_argument(model);
    if (refuses_bits(model, model_bits(model), 0))
        return;
    if (model_has_options(model))
        model_no_opinion(model);
    if (snapshot == NULL)
        return;
    if (snapshot->state != SNAPSHOT_FROZEN && snapshot->state != SNAPSHOT_THAWED)
        model_no_opinion(model);
    model_want(model, JET_errSuccess);
    model_want_instances(model, snapshot);
}

const struct model_entry model_snapshot_entries[] = {
    {"OSSnapshotPrepare", prepare},
    {"OSSnapshotPrepareInstance", prepare_instance},
    {"OSSnapshotFreeze", freeze},
    {"OSSnapshotThaw", thaw},
    {"OSSnapshotAbort", abort_snapshot},
    {"OSSnapshotTruncateLog", truncate_log},
    {"OSSnapshotTruncateLogInstance", truncate_log_of_instance},
    {"OSSnapshotEnd", end_snapshot},
    {"OSSnapshotGetFreezeInfo", freeze_info},
    {NULL, NULL},
};
