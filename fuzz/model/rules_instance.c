/* Instances: create, start, end, stop the service; sessions; the death of the process. */
#include <string.h>

#include "fuzz/model/backup_rules.h"

#define TERM_WAIT 3000u /* milliseconds: so long an orderly end waits for transactions */
#define JOIN_MOST 100u  /* milliseconds: what calls need that wait for nobody */

bool model_name_in_use(const struct model *model, const char *name)
{
    for (size_t i = 0; i < model->instance_count; i++) {
        const struct model_instance *other = model->instances[i];
        if (other->alive && (name == NULL) == (other->name == NULL) &&
            (name == NULL || strcmp(other->name, name) == 0))
            return true;
    }
    return false;
}

static void create_instance(struct model *model)
{
    struct model_reference slot = model_reference(model);
    const char *name = model_text(model);
    if (slot.is_null) {
        if (model->mode == MODE_ONE)
            model_no_opinion(model);
        model_want(model, JET_errInvalidParameter);
        return;
    }
    if (model->mode == MODE_ONE) {
        model_want(model, JET_errRunningInOneInstanceMode);
        return;
    }
    if (model_instances_full(model))
        model_want(model, JET_errTooManyInstances);
    else
        model_want(model, model_name_in_use(model, name) ? JET_errInstanceNameInUse : JET_errSuccess);
    if (!model_succeeded(model))
        return;
    model->mode = MODE_MULTI;
    model_slot_set(model, slot, OBJECT_INSTANCE, model_add_instance(model, name));
}

/* --- end */

static bool has_databases(const struct model *model, const struct model_instance *instance)
{
    for (size_t i = 0; i < model->file_count; i++) {
        if (model->files[i]->attached == instance)
            return true;
    }
    return false;
}

static bool ends_half_way(const struct model *model)
{
    return model->line->fault_count > 0 && strcmp(model->line->faults[0].kind, MODEL_HALF) == 0;
}

/* The instance has ended without a word about it: its log makes of the database what it was when the log was
 * last written. */
static void leave_dirty(struct model *model, struct database_file *file)
{
    if (file->read_only)
        return; /* nothing was to be written */
    file->dirty = true;
    file->damaged = file->damaged || file->unloggable; /* no log will ever mend it */
    file->content = model_content_copy(model, file->durable);
    if (file->uncertain)
        file->content->opaque = true;
    if (file->fields_fresh)
        file->fields_unknown = true;
}

static void shut_down(struct model *model, struct model_instance *instance, bool dirty)
{
    if (!dirty && !instance->no_logging)
        model_close_logs(model, instance);
    for (size_t i = 0; i < model->file_count; i++) {
        struct database_file *file = model->files[i];
        if (file->attached != instance)
            continue;
        if (ends_half_way(model) && !file->read_only) {
            file->left_path = file->log_path;
            file->left_base = file->log_base;
            file->moved = false;
        }
        file->exclusive = NULL;
        file->dirty = false;
        if (dirty)
            leave_dirty(model, file);
        file->durable = model_content_copy(model, file->content);
        file->uncertain = false;
        file->fields_fresh = false;
        file->copied = false;
        file->attached = NULL;
        file->damaged = file->damaged || instance->lost;
    }
    model_kill_instance(model, instance);
}

/* The term has not begun. */
static bool is_refusal(int32_t code)
{
    return code == JET_errBackupInProgress || code == JET_errSurrogateBackupInProgress ||
           code == JET_errTooManyActiveUsers || code == JET_errTermInProgress ||
           code == JET_errInvalidParameter || code == JET_errNotInitialized;
}

/* Refused: the instance goes on, but without its backup if that was to be stopped. Failed on the way: it is
 * gone all the same, and what it has written is not known. */
static void term_failed(struct model *model, struct model_instance *instance, int32_t code, bool ends_backup)
{
    if (!is_refusal(code)) {
        instance->lost = true;
        model_touch(model, instance->log_path);
        model_touch(model, instance->system_path);
        shut_down(model, instance, true);
        return;
    }
    if (code != JET_errBackupInProgress && code != JET_errTooManyActiveUsers) {
        instance->lost = true;
        return;
    }
    instance->never_backup = model->published;
    instance->term_failed = model->published && code == JET_errTooManyActiveUsers;
    if (ends_backup)
        model_backup_end(model, instance);
}

/* A freeze is waited for; a snapshot that is only prepared, or kept after its thaw, loses the instance. */
static void leave_snapshot(struct model *model, struct model_instance *instance)
{
    if (instance->snapshot->state == SNAPSHOT_FROZEN) {
        model_outwait_freeze(model, instance);
        return;
    }
    instance->snapshot = NULL;
    if (instance->backup.kind == BACKUP_FROZEN) /* one of its own may have begun since the prepare */
        instance->backup = (struct backup_context){0};
}

static int32_t term_code(struct model *model, const struct model_instance *instance, bool dirty, bool stopped)
{
    if (dirty) {
        if (instance->backup.kind != BACKUP_NONE || instance->snapshot != NULL)
            model_no_opinion(model);
        return JET_errDirtyShutdown;
    }
    if (instance->backup.kind != BACKUP_NONE && !stopped) {
        if (!has_databases(model, instance) || instance->backup.kind != BACKUP_LOCAL)
            model_no_opinion(model);
        return JET_errBackupInProgress;
    }
    return model_has_transaction(model, instance) ? JET_errTooManyActiveUsers : JET_errSuccess;
}

static void term(struct model *model)
{
    const bool plain = strcmp(model->line->op->name, "Term") == 0;
    struct model_instance *instance = model_gate(model, false, false);
    if (instance == NULL)
        return;
    if (!instance->initialised) { /* made, but never started */
        model_want(model, JET_errSuccess);
        if (model_succeeded(model))
            model_kill_instance(model, instance);
        return;
    }
    const uint64_t grbit = plain ? JET_bitTermAbrupt : model_bits(model);
    const bool stops = (grbit & (JET_bitTermAbrupt | JET_bitTermStopBackup)) != 0;
    const bool backup = instance->backup.kind == BACKUP_LOCAL || instance->backup.kind == BACKUP_SURROGATE;
    const bool dirty = (grbit & JET_bitTermDirty) != 0;
    if (instance->log_failed || (grbit & ~(uint64_t)15) != 0 || model_touched(model, instance->log_path) ||
        model_touched(model, instance->system_path))
        model_no_opinion(model);
    if (instance->snapshot != NULL && (model->published || dirty)) {
        model_no_opinion(model);
        model->lost = true; /* it may never come back there */
        return;
    }
    if (stops && instance->snapshot != NULL)
        leave_snapshot(model, instance);
    model_want(model, term_code(model, instance, dirty, stops));
    int32_t code = model_answered(model);
    if (code >= 0 || code == JET_errDirtyShutdown)
        shut_down(model, instance, code == JET_errDirtyShutdown);
    else
        term_failed(model, instance, code, stops && backup);
    if (code == JET_errTooManyActiveUsers && (grbit & JET_bitTermAbrupt) == 0)
        model_wait(model, TERM_WAIT);
}

/* Bits that a resume takes back, and what is noted for "everything", which it cannot take back. */
#define RESUMABLE ((uint64_t)(JET_bitStopServiceBackgroundUserTasks | JET_bitStopServiceQuiesceCaches))
#define STOPPED_FOR_GOOD 1u

static int32_t stop_service_code(const struct model_instance *instance, uint64_t grbit)
{
    const uint64_t emit = JET_bitStopServiceStopAndEmitLog;
    const uint64_t resume = (uint32_t)JET_bitStopServiceResume;
    if ((grbit & ~(RESUMABLE | emit | resume)) != 0)
        return JET_errInvalidGrbit;
    if (!instance->initialised)
        return JET_errNotInitialized;
    if ((grbit & resume) != 0) {
        const uint64_t bits = (grbit & ~resume) != 0 ? grbit & ~resume : instance->stopped_bits;
        if ((bits & emit) != 0)
            return JET_errInvalidGrbit;
        return (bits & ~RESUMABLE) != 0 ? JET_errClientRequestToStopJetService : JET_errSuccess;
    }
    if ((grbit & emit) != 0)
        return grbit == emit ? JET_wrnCallbackNotRegistered : JET_errInvalidGrbit;
    return JET_errSuccess;
}

static void stop_service(struct model *model)
{
    const bool newer = strcmp(model->line->op->name, "StopServiceInstance2") == 0;
    struct model_instance *instance = model_gate(model, model_is_legacy(model), false);
    if (instance == NULL)
        return;
    const uint64_t grbit = newer ? model_bits(model) : JET_bitStopServiceAll;
    const uint64_t resume = (uint32_t)JET_bitStopServiceResume;
    model_want(model, stop_service_code(instance, grbit));
    if (!model_succeeded(model))
        return;
    if ((grbit & resume) != 0) {
        instance->stopped_bits &= (grbit & ~resume) != 0 ? ~grbit : 0;
        return;
    }
    if ((grbit & JET_bitStopServiceStopAndEmitLog) != 0)
        instance->lost = true; /* it can write nothing any more */
    if (grbit == JET_bitStopServiceAll)
        instance->service_stopped = true;
    if (newer || !model->published)
        instance->stopped_bits |= grbit == JET_bitStopServiceAll ? STOPPED_FOR_GOOD | RESUMABLE : grbit;
    else
        instance->numbers[MODEL_CHECKPOINT_DEPTH] = 16384; /* the older calls bring the checkpoint near */
}

static void instance_info(struct model *model)
{
    if (model_has_options(model))
        model_no_opinion(model); /* null pointers */
    model_want(model, JET_errSuccess);
    model_want_instances(model, NULL);
}

/* --- sessions */

static void add_session(struct model *model, struct model_reference slot, struct model_instance *instance)
{
    struct model_session *session = arena_allocate(&model->arena, sizeof *session);
    session->instance = instance;
    session->alive = true;
    session->foreign = model->line->thread != 0;
    model->sessions =
        model_room(model, model->sessions, model->session_count, sizeof(struct model_session *));
    model->sessions[model->session_count++] = session;
    model_slot_set(model, slot, OBJECT_SESSION, session);
}

/* How many there may be is a parameter. */
static int32_t session_code(const struct model *model, const struct model_instance *instance)
{
    uint64_t count = 0;
    for (size_t i = 0; i < model->session_count; i++)
        count += model->sessions[i]->alive && model->sessions[i]->instance == instance;
    return count < instance->numbers[MODEL_SESSIONS] ? JET_errSuccess : JET_errOutOfSessions;
}

static void begin_session(struct model *model)
{
    struct model_instance *instance = model_gate(model, false, true);
    struct model_reference slot = model_reference(model);
    if (slot.is_null) { /* before anything else is looked at */
        model->expect = (struct expectation){0};
        model_want(model, JET_errInvalidParameter);
        return;
    }
    if (instance == NULL)
        return;
    model_want(model, session_code(model, instance));
    if (!model_succeeded(model))
        return;
    add_session(model, slot, instance);
}

/* Without parameters. In the mode already, it depends on those that were written before. */
static void enable_multi_instance(struct model *model)
{
    switch (model->mode) {
    case MODE_NONE:
        model_want(model, JET_errSuccess);
        break;
    case MODE_ONE:
        model_want(model, JET_errRunningInOneInstanceMode);
        break;
    case MODE_MULTI:
        model_want(model, JET_errSystemParamsAlreadySet);
        model_want(model, JET_errSystemParameterConflict);
        break;
    }
    if (model_succeeded(model))
        model->mode = MODE_MULTI;
}

static void dup_session(struct model *model)
{
    struct model_session *first = model_session_gate(model);
    struct model_reference slot = model_reference(model);
    if (first == NULL)
        return;
    model_want(model, slot.is_null ? JET_errInvalidParameter : session_code(model, first->instance));
    if (model_succeeded(model))
        add_session(model, slot, first->instance);
}

static void end_session(struct model *model)
{
    struct model_session *session = model_ending_session_gate(model);
    if (session == NULL)
        return;
    model_want(model, JET_errSuccess);
    if (!model_succeeded(model))
        return;
    if (session->level > 0)
        model_roll_back(model, session, 0);
    session->alive = false;
    for (size_t i = 0; i < model->database_count; i++) {
        struct model_database *database = model->databases[i];
        if (!database->alive || database->session != session)
            continue;
        database->alive = false;
        if (database->file->exclusive == session)
            database->file->exclusive = NULL;
    }
    for (size_t i = 0; i < model->cursor_count; i++) {
        if (model->cursors[i]->session == session)
            model->cursors[i]->alive = false;
    }
    for (size_t i = 0; i < model->session_count; i++) {
        if (model->sessions[i]->instance == session->instance)
            model->sessions[i]->left = true;
    }
}

/* --- the process dies */

/* Writes to files by hand, or into backup sets: nobody has asked for their sync. */
static bool writes_beside(const struct program_line *line)
{
    static const char *const names[] = {"StreamFile", "FullBackup", "Backup", "BackupInstance"};
    if (line->kind != LINE_CALL)
        return false;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strncmp(line->op->name, names[i], strlen(names[i])) == 0)
            return true;
    }
    return line->op->family == OP_FILE;
}

/* The machine dies: the last of what was written may be lost, and some of it torn. What is promised is
 * promised all the same, but not for pages whose sectors are torn, and not for what is not the engine's. */
static void machine_crash(struct model *model)
{
    const char *mode = model->line->arguments[0].word;
    const bool tears = strcmp(mode, "tear") == 0 || strcmp(mode, "prefix") == 0;
    for (size_t i = 0; i < model->file_count; i++) {
        struct database_file *file = model->files[i];
        if (file->attached != NULL && tears && program_sector_size(model->program) < model->page)
            file->damaged = true;
    }
    for (const struct program_line *line = model->program->lines; line < model->line; line++) {
        for (size_t i = 0; i < line->argument_count && writes_beside(line); i++)
            model_touch(model, line->arguments[i].text);
    }
}

static void crash(struct model *model)
{
    model_want(model, JET_errSuccess);
    if (model->crash_point) {
        model->lost = true; /* the disk is an earlier one: sweeps try what may be on it */
        return;
    }
    if (model->line->argument_count > 0)
        machine_crash(model);
    for (size_t i = 0; i < model->file_count; i++) {
        struct database_file *file = model->files[i];
        if (file->attached == NULL)
            continue;
        leave_dirty(model, file);
        file->damaged = file->damaged || file->attached->lost;
        file->exclusive = NULL;
        file->copied = false;
    }
    for (size_t i = 0; i < model->instance_count; i++) {
        struct model_instance *instance = model->instances[i];
        /* Its log may hold what cannot be done again. */
        if (instance->alive && instance->lost) {
            model_touch(model, instance->log_path);
            model_touch(model, instance->system_path);
        }
        if (instance->initialised) {
            struct database_file *temporary = model_file(model, model_temporary_file(model, instance));
            temporary->temporary = true;
            temporary->damaged = true;
        }
        model_kill_instance(model, instance);
    }
    for (size_t i = 0; i < model->snapshot_count; i++)
        model->snapshots[i]->state = SNAPSHOT_GONE;
    memset(model->slots, 0, sizeof model->slots);
    model->mode = MODE_NONE;
    model_parameters_reset(model);
}

static void join(struct model *model)
{
    model_want(model, JET_errSuccess);
    model_wait(model, JOIN_MOST);
}

static void sleep_for(struct model *model)
{
    model_want(model, JET_errSuccess);
    model_wait(model, model_number(model, 0));
}

const struct model_entry model_instance_entries[] = {
    {"CreateInstance", create_instance},
    {"CreateInstance2", create_instance},
    {"Init", model_init},
    {"Init2", model_init},
    {"Init3", model_init},
    {"Term", term},
    {"Term2", term},
    {"StopService", stop_service},
    {"StopServiceInstance", stop_service},
    {"StopServiceInstance2", stop_service},
    {"BeginSession", begin_session},
    {"DupSession", dup_session},
    {"EnableMultiInstance", enable_multi_instance},
    {"EndSession", end_session},
    {"GetInstanceInfo", instance_info},
    {"Crash", crash},
    {"Join", join},
    {"Sleep", sleep_for},
    {NULL, NULL},
};
