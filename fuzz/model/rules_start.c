/* JetInit and its kin: which instance is meant, what stands against its start, what recovery brings back.
 * Source: `jetapi.cxx`. */
#include <string.h>
#include <strings.h>

#include "fuzz/model/state.h"

/* --- paths */

const char *model_temporary_file(struct model *model, const struct model_instance *instance)
{
    const char *path = instance->temp_path;
    if (strchr(path, '/') != NULL || instance->system_path[0] == '\0')
        return model_path(model, path);
    return arena_format(&model->arena, "%s/%s", instance->system_path, path);
}

/* The temporary database bears the name of a log, which then cannot be made, or takes the other's place. */
static bool temporary_is_log(struct model *model, const struct model_instance *instance)
{
    const char *path = model_temporary_file(model, instance);
    const size_t folder = strlen(instance->log_path);
    if (folder > 0 && (strncasecmp(path, instance->log_path, folder) != 0 || path[folder] != '/'))
        return false;
    const char *name = folder > 0 ? path + folder + 1 : path;
    return !instance->no_logging && strncasecmp(name, instance->base_name, strlen(instance->base_name)) == 0;
}

static bool has_temporary(const struct model_instance *instance)
{
    return instance->numbers[MODEL_TEMPORARY_TABLES] > 0;
}

/* What another instance that runs has already. */
static int32_t path_code(struct model *model, const struct model_instance *instance,
                         const struct model_instance *other)
{
    const bool logging = !instance->no_logging && !other->no_logging;
    if (has_temporary(instance) && has_temporary(other) &&
        strcmp(model_temporary_file(model, instance), model_temporary_file(model, other)) == 0)
        return JET_errTempPathInUse;
    if (logging && strcmp(instance->system_path, other->system_path) == 0)
        return JET_errSystemPathInUse;
    return logging && strcmp(instance->log_path, other->log_path) == 0 ? JET_errLogFilePathInUse
                                                                       : JET_errSuccess;
}

static int32_t paths_code(struct model *model, const struct model_instance *instance)
{
    if (instance->empty_log_path || instance->empty_system_path) {
        if (model->published)
            model_no_opinion(model);
        return JET_errInvalidPath;
    }
    for (uint32_t place = 0; place < model->instance_count; place++) {
        for (size_t i = 0; i < model->instance_count; i++) {
            const struct model_instance *other = model->instances[i];
            if (other == instance || !other->alive || !other->initialised || other->place != place)
                continue;
            if (other->lost)
                model_no_opinion(model);
            int32_t code = path_code(model, instance, other);
            if (code != JET_errSuccess)
                return code;
        }
    }
    return JET_errSuccess;
}

/* --- recovery */

/* Brings every file of the instance's logs to its durable state. */
static void recover_files(struct model *model, const struct model_instance *instance)
{
    for (size_t i = 0; i < model->file_count; i++) {
        struct database_file *file = model->files[i];
        if (!file->dirty || file->log_path == NULL || strcmp(file->log_path, instance->log_path) != 0 ||
            strcmp(file->log_base, instance->base_name) != 0)
            continue;
        file->dirty = false;
        if (model_touched(model, file->path))
            file->damaged = true;
    }
}

/* Logs that lie where the instance's do know the file. */
static bool logs_know_of(const struct database_file *file, const struct model_instance *instance)
{
    return file->log_path != NULL && strcmp(file->log_path, instance->log_path) == 0;
}

/* What recovery would find is not what was written. */
static bool is_clouded(const struct model *model, const struct model_instance *instance)
{
    if (model->assume_files || model_touched(model, instance->log_path) ||
        model_touched(model, instance->system_path))
        return true;
    for (size_t i = 0; i < model->set_count; i++) { /* a backup has left its logs there */
        if (model_is_below(model->sets[i]->directory, instance->log_path))
            return true;
    }
    for (size_t i = 0; i < model->file_count; i++) {
        const struct database_file *file = model->files[i];
        if (file->dirty && (file->damaged || model_touched(model, file->path)))
            return true;
    }
    return false;
}

static void start(struct model *model, struct model_instance *instance, bool clouded)
{
    instance->initialised = true;
    instance->lost = instance->lost || temporary_is_log(model, instance);
    if (!instance->no_logging) {
        model_use_logs(model, instance);
        recover_files(model, instance);
    }
    const char *temporary = model_temporary_file(model, instance);
    for (size_t i = 0; i < model->file_count; i++) {
        struct database_file *file = model->files[i];
        if (file->attached == NULL && (clouded || strcmp(file->path, temporary) == 0))
            file->damaged = true;
    }
}

/* --- the call */

/* The folders are made if that was asked for; the program's own is there. */
static bool folders_may_be_missing(const struct model_instance *instance)
{
    return !model_creates_paths(instance) &&
           (instance->log_path[0] != '\0' || instance->system_path[0] != '\0' ||
            strchr(instance->temp_path, '/') != NULL);
}

/* The handle names no instance: one is made, in one-instance mode always. NULL: what the call answers was
 * added. */
static struct model_instance *find_instance(struct model *model, struct model_reference slot, bool *made)
{
    const bool raw = model_invented(&model->line->arguments[0]);
    *made = false;
    if (model->mode == MODE_MULTI && slot.is_null) {
        model_want(model, JET_errRunningInMultiInstanceMode);
        return NULL;
    }
    if (model->mode == MODE_ONE && model_the_one(model) != NULL) {
        model_want(model, JET_errAlreadyInitialized);
        return NULL;
    }
    if (model->mode == MODE_MULTI && (slot.kind != OBJECT_NONE || raw)) {
        struct model_instance *instance = slot.kind == OBJECT_INSTANCE ? slot.pointer : NULL;
        if (instance != NULL && instance->alive)
            return instance;
        model_want(model, JET_errInvalidParameter);
        model->expect.rule = "I12";
        return NULL;
    }
    if (model_instances_full(model)) {
        model_want(model, JET_errTooManyInstances);
        return NULL;
    }
    if (model_name_in_use(model, NULL)) {
        model_want(model, JET_errInstanceNameInUse);
        return NULL;
    }
    *made = true;
    if (model->mode == MODE_NONE)
        model->mode = MODE_ONE;
    return model_add_instance(model, NULL);
}

/* A term that failed half-way has told a database that it is detached, but perhaps not the logs; since then
 * it was attached without them. */
static bool misses_a_database(const struct model *model, const struct model_instance *instance)
{
    for (size_t i = 0; i < model->file_count; i++) {
        const struct database_file *file = model->files[i];
        if (file->left_path != NULL && strcmp(file->left_path, instance->log_path) == 0 &&
            strcmp(file->left_base, instance->base_name) == 0 && file->moved)
            return true;
    }
    return false;
}

static bool is_of(const char *path, const char *base, const char *other_path, const char *other_base)
{
    return strcmp(path, other_path) == 0 && strcmp(base, other_base) == 0;
}

/* The record of an attach says that a database came to these logs from others. It is back there, and none
 * that the record knows, unless somebody has it open; or it is still of these logs, and somebody reads it. */
static void want_passages(struct model *model, const struct model_instance *instance)
{
    bool back = false, read = false;
    for (size_t i = 0; i < model->file_count; i++) {
        const struct database_file *file = model->files[i];
        for (const struct passage *passage = file->passages; passage != NULL; passage = passage->older) {
            if (!is_of(passage->path, passage->base, instance->log_path, instance->base_name))
                continue;
            back = back || is_of(passage->from_path, passage->from_base, file->log_path, file->log_base);
            read = read || (file->attached != NULL &&
                            is_of(passage->path, passage->base, file->log_path, file->log_base));
        }
    }
    if (back)
        model_want(model, JET_errConsistentTimeMismatch);
    if (read)
        model_want(model, JET_errFileAccessDenied);
}

static int32_t init_code(struct model *model, const struct model_instance *instance)
{
    if (instance->initialised)
        return instance->term_failed ? JET_errTempPathInUse : JET_errAlreadyInitialized;
    int32_t code = paths_code(model, instance);
    if (code == JET_errSuccess && folders_may_be_missing(instance))
        model_no_opinion(model);
    return code;
}

static void init_failed(struct model *model, struct model_instance *instance, struct model_reference slot,
                        int32_t code)
{
    if (instance->term_failed) {
        instance->lost = true; /* its handle is dead, its sessions hang on */
        model->lost = true;    /* and it is listed as if nothing had happened */
        return;
    }
    if (instance->initialised && code == JET_errAlreadyInitialized)
        return;
    if (instance->initialised)
        model->lost = true;
    model_kill_instance(model, instance);
    model_slot_set(model, slot, OBJECT_NONE, NULL); /* zero */
}

/* A start that fails may have recovered the databases all the same: for the size of log files surely, for
 * other reasons as far as it came. */
static void recovery_failed(struct model *model, struct model_instance *instance, bool special, bool clouded)
{
    if (instance->initialised || instance->no_logging)
        return;
    if (model_answered(model) == JET_errLogFileSizeMismatchDatabasesConsistent && !special) {
        recover_files(model, instance);
        return;
    }
    if (paths_code(model, instance) == JET_errSuccess)
        model_lay_logs(model, instance->log_path); /* where there were none, some may have been begun */
    for (size_t i = 0; i < model->file_count && (special || clouded); i++) {
        struct database_file *file = model->files[i];
        file->damaged = file->damaged || (file->dirty && logs_know_of(file, instance));
    }
}

/* Bits change what recovery does; some of them only if it has something to do. */
static bool matters_to_recovery(const struct model *model, const struct model_instance *instance,
                                uint64_t grbit)
{
    const uint64_t idle = JET_bitKeepDbAttachedAtEndOfRecovery | JET_bitReplayIgnoreMissingDB |
                          JET_bitReplayMissingMapEntryDB | JET_bitReplayIgnoreLostLogs;
    if ((grbit & ~idle) != 0)
        return true;
    for (size_t i = 0; i < model->file_count && grbit != 0; i++) {
        const struct database_file *file = model->files[i];
        /* One that such a recovery has left attached may be dirty again. */
        if ((file->dirty || file->damaged) && logs_know_of(file, instance))
            return true;
    }
    return false;
}

/* Databases that recovery has something to do with are looked for where they may not be. */
static bool looks_elsewhere(const struct model *model, const struct model_instance *instance)
{
    for (size_t i = 0; i < model->file_count && instance->elsewhere != NULL; i++) {
        const struct database_file *file = model->files[i];
        const char *slash = strrchr(file->path, '/');
        const size_t folder = slash == NULL ? 0 : (size_t)(slash - file->path);
        if (file->dirty && logs_know_of(file, instance) &&
            (strlen(instance->elsewhere) != folder || strncmp(file->path, instance->elsewhere, folder) != 0))
            return !instance->no_logging;
    }
    return false;
}

void model_init(struct model *model)
{
    const bool plain = strcmp(model->line->op->name, "Init") == 0;
    struct model_reference slot = model_reference(model);
    const uint64_t grbit = model_bits(model);
    bool made;
    struct model_instance *instance = find_instance(model, slot, &made);
    if (instance == NULL)
        return;
    const bool special = (!plain && matters_to_recovery(model, instance, grbit)) ||
                         looks_elsewhere(model, instance) || model_token(model) != NULL;
    const bool differ = !instance->no_logging && model_logs_differ(model, instance);
    const bool clouded = is_clouded(model, instance) || differ;
    if (clouded || special || instance->lost)
        model_no_opinion(model);
    model_want(model, init_code(model, instance));
    if (misses_a_database(model, instance))
        model_want(model, JET_errAttachedDatabaseMismatch);
    if (!instance->initialised && !instance->no_logging && !model_logs_closed(model, instance))
        want_passages(model, instance);
    if (!model_succeeded(model)) {
        recovery_failed(model, instance, special, clouded);
        init_failed(model, instance, slot, model_answered(model));
        return;
    }
    /* What such a recovery makes of its databases is not followed: they may be left attached. */
    for (size_t i = 0; i < model->file_count && special; i++) {
        struct database_file *file = model->files[i];
        file->damaged = file->damaged || (file->dirty && logs_know_of(file, instance));
    }
    start(model, instance, clouded);
    if (special || differ || (clouded && made))
        instance->lost = true;
    if (made)
        model_slot_set(model, slot, OBJECT_INSTANCE, instance);
}
