/* Streaming and directory backup. Orders of checks: the specification's sections 3 to 7. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz/model/backup_rules.h"

static bool misses_full_backup(const struct model *model, const struct model_instance *instance,
                               bool *unknown)
{
    bool missing = false;
    for (size_t i = 0; i < model->file_count; i++) {
        const struct database_file *file = model->files[i];
        if (file->attached != instance) /* those that no backup holds are looked at, too */
            continue;
        if (file->fields_unknown || file->damaged)
            *unknown = true;
        missing = missing || file->fields.full == 0 || file->full_by_snapshot;
    }
    return missing;
}

/* Copying opens the database, and the session that has it for itself alone is in the way. */
static bool any_exclusive(const struct model *model, const struct model_instance *instance)
{
    for (size_t i = 0; i < model->file_count; i++) {
        if (model_in_backup(model->files[i], instance) && model->files[i]->exclusive != NULL)
            return true;
    }
    return false;
}

/* Copying fails at the first of the databases already. */
static bool first_is_exclusive(const struct model *model, const struct model_instance *instance)
{
    const struct database_file *first = NULL;
    for (size_t i = 0; i < model->file_count; i++) {
        const struct database_file *file = model->files[i];
        if (model_in_backup(file, instance) && (first == NULL || file->place < first->place))
            first = file;
    }
    return first != NULL && first->exclusive != NULL;
}

static const char *base_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}

/* Two databases that would be copied to one place. */
static bool any_same_name(const struct model *model, const struct model_instance *instance)
{
    for (size_t i = 0; i < model->file_count; i++) {
        for (size_t k = i + 1; k < model->file_count; k++) {
            if (model_in_backup(model->files[i], instance) && model_in_backup(model->files[k], instance) &&
                strcmp(base_of(model->files[i]->path), base_of(model->files[k]->path)) == 0)
                return true;
        }
    }
    return false;
}

/* --- begin */

/* What stands against a begin with these bits; 0 nothing. */
static int32_t begin_code(struct model *model, struct model_instance *instance, uint32_t grbit)
{
    const uint32_t incremental = JET_bitBackupIncremental;
    const uint32_t surrogate = JET_bitBackupSurrogate;
    const uint32_t internal = JET_bitInternalCopy;
    if (instance->never_backup)
        return JET_errBackupNotAllowedYet;
    if (instance->no_logging)
        return JET_errLoggingDisabled;
    if (instance->log_failed)
        return JET_errLogWriteFail;
    if ((grbit & ~(incremental | surrogate | internal)) != 0)
        return JET_errInvalidGrbit;
    if ((grbit & (incremental | surrogate)) != 0 && model_circular(instance))
        return JET_errInvalidBackup;
    if ((grbit & internal) != 0 && (grbit & (incremental | surrogate)) != 0)
        return JET_errInvalidGrbit;
    if (instance->backup.kind == BACKUP_SURROGATE)
        return JET_errSurrogateBackupInProgress;
    if (instance->backup.kind != BACKUP_NONE)
        return JET_errBackupInProgress;
    bool unknown = (grbit & surrogate) != 0 && (grbit & incremental) != 0; /* has rules of its own */
    if ((grbit & incremental) != 0 && misses_full_backup(model, instance, &unknown)) {
        if (unknown)
            model_no_opinion(model);
        return JET_errMissingFullBackup;
    }
    if (unknown)
        model_no_opinion(model);
    return JET_errSuccess;
}

static void begin_backup(struct model *model, struct model_instance *instance, uint32_t grbit)
{
    instance->backup = (struct backup_context){
        .kind = (grbit & JET_bitBackupSurrogate) != 0 ? BACKUP_SURROGATE : BACKUP_LOCAL,
        .incremental = (grbit & JET_bitBackupIncremental) != 0};
    for (size_t i = 0; i < model->file_count; i++) {
        if (model->files[i]->attached != instance)
            continue;
        model->files[i]->copied = false;
        model->files[i]->joined = true;
    }
    model_log_written(model, instance, 4096);
}

/* The published engine's begin waits where an instance is frozen; nobody thaws it meanwhile. One that is
 * unavailable may refuse it at once. */
static bool waits_for_thaw(struct model *model, const struct model_instance *instance)
{
    const int32_t answered = model_answered(model);
    if (instance->lost && answered != JET_errSuccess && answered != JET_errBackupInProgress)
        return false;
    return model->published && instance->backup.kind == BACKUP_FROZEN &&
           model->expect.codes[0] == JET_errBackupInProgress;
}

static void begin(struct model *model)
{
    struct model_instance *instance = model_gate(model, model_is_legacy(model), true);
    if (instance == NULL)
        return;
    uint32_t grbit = (uint32_t)model_number(model, 0);
    model_want(model, begin_code(model, instance, grbit));
    if (waits_for_thaw(model, instance)) { /* and then it is a race */
        if (instance->snapshot->state == SNAPSHOT_FROZEN)
            model_outwait_freeze(model, instance);
        model_want(model, JET_errSuccess);
    }
    if (model_succeeded(model))
        begin_backup(model, instance, grbit);
}

static void begin_surrogate(struct model *model)
{
    struct model_instance *instance = model_gate(model, false, true);
    if (instance == NULL)
        return;
    uint64_t first = model_number(model, 0);
    uint64_t last = model_number(model, 0);
    uint32_t grbit = (uint32_t)model_number(model, 0);
    const uint32_t tip = instance->no_logging ? 0 : instance->generation;
    int32_t code = JET_errInvalidParameter;
    if (instance->never_backup || ((uint32_t)first <= (uint32_t)last && (uint32_t)last <= tip))
        code = begin_code(model, instance, grbit | JET_bitBackupSurrogate);
    if (instance->backup.kind == BACKUP_FROZEN && model->published) {
        model_no_opinion(model);
        model->lost = true; /* it waits, and the freeze is over then */
    }
    if (tip == 0 && !instance->no_logging && (uint32_t)first <= (uint32_t)last && last != 0)
        model_no_opinion(model);
    model_want(model, code);
    if (model_succeeded(model))
        begin_backup(model, instance, grbit | JET_bitBackupSurrogate);
}

/* --- end */

/* The published engine records an incremental backup that never got a list of its logs as differential:
 * generations 0 to -1, or to the last one if it asked. */
static void record_hollow_incremental(struct model *model, struct model_instance *instance)
{
    const struct backup_context *backup = &instance->backup;
    for (size_t i = 0; i < model->file_count; i++) {
        struct database_file *file = model->files[i];
        if (!model_in_backup(file, instance) || !file->joined)
            continue;
        file->fields_fresh = true;
        file->fields_unknown = file->fields_unknown || (backup->list_failed && backup->failed_high == 0);
        file->fields.differential = backup->list_failed ? backup->failed_high : UINT32_MAX;
    }
}

static int32_t end_code(const struct model *model, const struct backup_context *backup, bool abort)
{
    if (model->published || abort)
        return JET_errSuccess;
    if (backup->stop)
        return JET_errBackupAbortByServer;
    return backup->logs_phase ? JET_errSuccess : JET_errBackupAbortByCaller;
}

static void finish_end(struct model *model, struct model_instance *instance, bool abort)
{
    const struct backup_context *backup = &instance->backup;
    if (backup->kind == BACKUP_SURROGATE) {
        for (size_t i = 0; i < model->file_count; i++)
            model->files[i]->fields_unknown =
                model->files[i]->fields_unknown || (model->files[i]->attached == instance && !abort);
    } else if (!abort && !backup->stop && backup->logs_phase) {
        model_record_good_end(model, instance);
    } else if (!abort && !backup->stop && backup->incremental && model->published) {
        record_hollow_incremental(model, instance);
    }
    model_backup_end(model, instance);
}

/* With bits that change what is recorded. */
static void end_with_bits(struct model *model, struct model_instance *instance, bool abort)
{
    const bool truncated = instance->backup.truncated;
    finish_end(model, instance, abort);
    if (abort)
        return;
    if (truncated)
        model_logs_lost(model, instance);
    for (size_t i = 0; i < model->file_count; i++)
        model->files[i]->fields_unknown =
            model->files[i]->fields_unknown || model->files[i]->attached == instance;
}

static void end(struct model *model)
{
    bool second = strcmp(model->line->op->name, "EndExternalBackupInstance2") == 0;
    struct model_instance *instance = model_gate(model, model_is_legacy(model), true);
    if (instance == NULL)
        return;
    const uint32_t grbit = second ? model_bits(model) : JET_bitBackupEndNormal;
    bool abort = grbit == JET_bitBackupEndAbort;
    /* Bits beyond the two are not looked at. */
    const uint32_t kind = grbit & (JET_bitBackupEndNormal | JET_bitBackupEndAbort);
    if (kind != JET_bitBackupEndNormal && kind != JET_bitBackupEndAbort) {
        model_want(model, JET_errInvalidParameter);
        return;
    }
    if (grbit != kind) {
        model_no_opinion(model);
        abort = kind == JET_bitBackupEndAbort;
    }
    struct backup_context *backup = &instance->backup;
    if (backup->kind == BACKUP_NONE) {
        model_want(model, JET_errNoBackup);
        backup->stop = false;
        return;
    }
    if (backup->kind == BACKUP_FROZEN) {
        if (model->published)
            model_no_opinion(model);
        model_want(model, JET_errNoBackup);
        if (model_succeeded(model))
            model->lost = true;
        return;
    }
    if (backup->kind == BACKUP_SURROGATE)
        model_want(model, model->published ? JET_errSuccess : JET_errSurrogateBackupInProgress);
    else
        model_want(model, end_code(model, backup, abort));
    int32_t code = model_answered(model);
    bool ended = code >= 0 || code == JET_errBackupAbortByServer || code == JET_errBackupAbortByCaller;
    if (ended && grbit != kind)
        end_with_bits(model, instance, abort);
    else if (ended)
        finish_end(model, instance, abort);
}

static void end_surrogate(struct model *model)
{
    struct model_instance *instance = model_gate(model, false, true);
    if (instance == NULL)
        return;
    const uint32_t grbit = model_bits(model);
    const bool abort = (grbit & JET_bitBackupEndAbort) != 0;
    const uint32_t kind = grbit & (JET_bitBackupEndNormal | JET_bitBackupEndAbort);
    struct backup_context *backup = &instance->backup;
    if (kind != JET_bitBackupEndNormal && kind != JET_bitBackupEndAbort)
        model_want(model, JET_errInvalidParameter);
    else if (backup->kind == BACKUP_NONE)
        model_want(model, JET_errNoBackup);
    else if (backup->kind == BACKUP_FROZEN && !model->published)
        model_want(model, JET_errNoBackup);
    else if (backup->kind == BACKUP_FROZEN)
        model_no_opinion(model);
    else if (backup->kind == BACKUP_LOCAL)
        model_want(model, model->published ? JET_errSuccess : JET_errBackupInProgress);
    else
        model_want(model,
                   !model->published && backup->stop && !abort ? JET_errBackupAbortByServer : JET_errSuccess);
    int32_t code = model_answered(model);
    if (code == JET_errBackupAbortByServer && backup->kind == BACKUP_SURROGATE)
        finish_end(model, instance, true);
    if (code < 0)
        return;
    if (backup->kind == BACKUP_FROZEN) {
        model->lost = true;
        return;
    }
    if (backup->kind == BACKUP_LOCAL) {
        for (size_t i = 0; i < model->file_count; i++)
            model->files[i]->fields_unknown =
                model->files[i]->fields_unknown || (model->files[i]->attached == instance && !abort);
        model_backup_end(model, instance);
        return;
    }
    finish_end(model, instance, abort);
}

/* --- stop */

static void stop(struct model *model)
{
    bool legacy = model_is_legacy(model);
    struct model_instance *instance = model_gate(model, legacy, false);
    if (instance == NULL) {
        model->expect.rule = "I4";
        return;
    }
    model_want(model, JET_errSuccess);
    if (model_succeeded(model))
        instance->backup.stop = true;
}

/* --- composites and whole directories */

/* The first read needs room for so many pages: three of a database, two of a log. */
static bool is_short(const struct model *model, uint64_t chunk, uint32_t pages)
{
    return chunk % model->page != 0 || chunk < (uint64_t)pages * model->page;
}

/* The file that is written could not be: the copy's trouble, not the backup's. */
static bool target_failed(struct model *model, const char *target)
{
    if (target == NULL || target[0] == '\0')
        return false;
    const int32_t code = model_answered(model);
    return code == JET_errInvalidPath || code == JET_errFileAccessDenied || code == JET_errFileNotFound ||
           code == JET_errDiskFull;
}

/* A chunk that is too small is found out once the file is open: that ends no backup. */
static void stream_refused(struct model *model, struct model_instance *instance, const char *path, bool opens)
{
    if (opens) {
        model->expect.code_count = 0;
        model_want(model, JET_errInvalidParameter);
    }
    const int32_t code = model_answered(model);
    if (code == JET_errInvalidParameter && !opens && model->expect.no_opinion)
        model->lost = true; /* or its name was found wrong, which does */
    else if (!opens || code != JET_errInvalidParameter)
        model_open_failed(model, instance, code, path);
}

static void stream_file(struct model *model)
{
    struct model_instance *instance = model_gate(model, false, true);
    const char *path = model_text(model);
    const char *target = model_text(model);
    uint64_t chunk = model_number(model, 0);
    if (model_disturbing_target(model, target) || target_failed(model, target)) {
        model_no_opinion(model);
        model->lost = true;
        return;
    }
    if (instance == NULL)
        return;
    if (target != NULL && target[0] != '\0')
        model_touch(model, target);
    if (!model_in_progress(model, instance))
        return;
    struct database_file *file;
    uint32_t generation;
    bool opens = model_open_rule(model, instance, path, &file, &generation);
    if (is_short(model, chunk, file != NULL ? 3 : 2)) {
        stream_refused(model, instance, path, opens);
        return;
    }
    if (opens)
        model_want_fact(model, "whole=1");
    if (opens && file == NULL && chunk % 4096 != 0)
        model_no_opinion(model);
    if (opens && file != NULL && model_pages_unsure(model, file) && !model_succeeded(model))
        model_no_opinion(model);
    int32_t code = model_answered(model);
    struct backup_context *backup = &instance->backup;
    if (code >= 0) {
        if (file != NULL)
            file->copied = true;
        else
            model_log_read(backup, generation);
    } else if (opens && file != NULL) {
        model_wait(model, REREADING);
    } else if (opens) {
        if (code != JET_errInvalidParameter)
            model_backup_end(model, instance);
    } else {
        model_open_failed(model, instance, code, path);
    }
}

static void keep_set(struct model *model, struct model_instance *instance, const char *directory,
                     bool partial)
{
    struct backup_set *set = arena_allocate(&model->arena, sizeof *set);
    set->directory = model_path(model, directory);
    set->whole = !partial && !instance->lost && !model_backup_unsure(model, instance) &&
                 !any_same_name(model, instance);
    set->high = instance->backup.high;
    set->page = model->page;
    set->usual_names = strcmp(instance->base_name, model->defaults.base_name) == 0 &&
                       instance->numbers[MODEL_FILE_NAMES] == model->defaults.numbers[MODEL_FILE_NAMES];
    for (size_t i = 0; i < model->file_count && set->count < 16; i++) {
        const struct database_file *file = model->files[i];
        if (!model_in_backup(file, instance))
            continue;
        set->names[set->count] = base_of(file->path);
        set->paths[set->count] = file->path;
        set->contents[set->count] = model_content_copy(model, file->durable);
        if (file->uncertain || file->damaged || instance->lost)
            set->contents[set->count]->opaque = true;
        set->count++;
    }
    model->sets = model_room(model, model->sets, model->set_count, sizeof(struct backup_set *));
    model->sets[model->set_count++] = set;
}

static void mark_copied(struct model *model, struct model_instance *instance)
{
    for (size_t i = 0; i < model->file_count; i++) {
        if (model_in_backup(model->files[i], instance))
            model->files[i]->copied = true;
    }
}

/* It was begun, and the composite ends what it cannot go on with. */
static void full_backup_failed(struct model *model, struct model_instance *instance)
{
    const char *step = model->answer == NULL ? NULL : program_outcome_fact(model->answer, "step", true);
    if (step == NULL || strcmp(step, "Begin") == 0 || strcmp(step, "End") == 0) {
        instance->lost = true;
        return;
    }
    if (strcmp(step, "Log") == 0 || strcmp(step, "Truncate") == 0)
        model_roll_log(instance);
    else if (strcmp(step, "Database") == 0)
        model_wait(model, REREADING);
    else
        instance->generation = 0;
    model_backup_end(model, instance);
}

/* Copying has met a page that may have been damaged by hand. */
static bool met_damage(struct model *model, const struct model_instance *instance)
{
    const char *step = model->answer == NULL ? NULL : program_outcome_fact(model->answer, "step", true);
    return step != NULL && strcmp(step, "Database") == 0 && model_backup_unsure(model, instance);
}

/* Where a refusal was not sure, the answer says whether it was one. */
static bool was_begun(struct model *model, int32_t code)
{
    const char *step = model->answer == NULL ? NULL : program_outcome_fact(model->answer, "step", true);
    if (step != NULL)
        return strcmp(step, "Begin") != 0;
    return code == JET_errSuccess || model_answered(model) != code;
}

static void full_backup(struct model *model)
{
    struct model_instance *instance = model_gate(model, false, true);
    const char *directory = model_text(model);
    uint64_t chunk = model_number(model, 0);
    uint32_t grbit = (uint32_t)model_number(model, 0);
    uint64_t truncate = 1;
    uint64_t end_grbit = JET_bitBackupEndNormal;
    const char *text = model_option(model, "truncate");
    if (text != NULL)
        model_number_text(text, &truncate);
    text = model_option(model, "end");
    if (text != NULL)
        model_number_text(text, &end_grbit);
    /* The directory is made in any case. */
    if (instance == NULL && directory != NULL)
        model_touch(model, directory);
    if (model_disturbing_target(model, directory) || (directory != NULL && strchr(directory, '.') != NULL) ||
        target_failed(model, directory)) {
        model_no_opinion(model);
        model->lost = true;
        return;
    }
    if (instance == NULL)
        return;
    int32_t code = begin_code(model, instance, grbit);
    if (instance->backup.kind == BACKUP_FROZEN && model->published) {
        model_no_opinion(model);
        model->lost = true; /* it waits, and the freeze is over then */
    }
    const uint32_t end_kind = (uint32_t)end_grbit & (JET_bitBackupEndNormal | JET_bitBackupEndAbort);
    const bool plain =
        (uint32_t)end_grbit == JET_bitBackupEndNormal || (uint32_t)end_grbit == JET_bitBackupEndAbort;
    const bool databases =
        (grbit & JET_bitBackupIncremental) == 0 && model_count_in_backup(model, instance) > 0;
    const bool short_chunk = is_short(model, chunk, databases ? 3 : 2);
    if ((!short_chunk && chunk % 4096 != 0) || !plain || (grbit & ~(uint32_t)JET_bitBackupIncremental) != 0 ||
        model_touched(model, instance->log_path) || (grbit != 0 && model_gap(model, instance)))
        model_no_opinion(model);
    bool incremental = (grbit & JET_bitBackupIncremental) != 0;
    const bool locked =
        code == JET_errSuccess && !incremental &&
        (short_chunk ? first_is_exclusive(model, instance) : any_exclusive(model, instance));
    if (code == JET_errSuccess && locked)
        model_want(model, JET_errDatabaseLocked);
    else
        model_want(model, code == JET_errSuccess && short_chunk ? JET_errInvalidParameter : code);
    if (code == JET_errSuccess)
        model_want_fact(model, "databases=%zu", incremental ? 0 : model_count_in_backup(model, instance));
    else
        model_want_fact(model, "step=Begin");
    if (code == JET_errSuccess && !incremental && met_damage(model, instance))
        model_no_opinion(model);
    if (!model_succeeded(model)) {
        const bool begun = was_begun(model, code);
        if (directory != NULL && begun)
            model_touch(model, directory);
        else if (directory != NULL && directory[0] != '\0')
            model_file(model, directory)->damaged = true; /* a folder */
        if (begun && (grbit & JET_bitBackupSurrogate) != 0)
            instance->lost = true; /* the end that the runner tries is none of a surrogate's */
        else if (begun)
            full_backup_failed(model, instance);
        return;
    }
    begin_backup(model, instance, grbit);
    mark_copied(model, instance);
    model_enter_logs_phase(model, instance);
    instance->backup.truncated = truncate != 0;
    if (directory != NULL)
        keep_set(model, instance, directory, incremental);
    if (plain)
        finish_end(model, instance, end_kind == JET_bitBackupEndAbort);
    else
        end_with_bits(model, instance, end_kind == JET_bitBackupEndAbort);
}

/* A directory where databases or logs lie is not empty, nor is one with their folders in it. */
static bool holds_databases(struct model *model, const char *directory)
{
    const char *path = model_path(model, directory);
    size_t length = strlen(path);
    for (size_t i = 0; i < model->file_count; i++) {
        if (strncmp(model->files[i]->path, path, length) == 0 &&
            (length == 0 || model->files[i]->path[length] == '/'))
            return true;
    }
    for (size_t i = 0; i < model->instance_count; i++) {
        const struct model_instance *instance = model->instances[i];
        if (model_is_below(instance->log_path, path) || model_is_below(instance->system_path, path) ||
            model_is_below(model_temporary_file(model, instance), path))
            return true;
    }
    for (size_t i = 0; i < model->used_log_count; i++) {
        if (model_is_below(model->used_logs[i].directory, path))
            return true;
    }
    return false;
}

/* Without a directory only logs are deleted that nobody needs; no backup is recorded. The published engine
 * makes a backup in the current directory when asked for an atomic or an incremental one. */
static void delete_logs(struct model *model, struct model_instance *instance, bool incremental)
{
    int32_t code = begin_code(model, instance, 0);
    if (incremental && (code == JET_errSuccess || code == JET_errBackupInProgress) &&
        model_circular(instance))
        code = JET_errInvalidBackup;
    if (model->published || model_touched(model, instance->log_path))
        model_no_opinion(model);
    model_want(model, code);
    if (!model->published) {
        if (model_succeeded(model)) {
            begin_backup(model, instance, 0);
            model_logs_deleted(model);
            model_backup_end(model, instance);
        }
        return;
    }
    if (code < 0 && model_answered(model) == code)
        return;             /* not begun */
    model_touch(model, ""); /* logs were copied there */
    model_touch(model, "new");
    model_touch(model, "old");
    model_touch(model, "temp");
    instance->generation = 0;
    if (model_succeeded(model))
        model_logs_deleted(model);
    for (size_t i = 0; i < model->file_count && model_succeeded(model); i++)
        model->files[i]->fields_unknown =
            model->files[i]->fields_unknown || model->files[i]->attached == instance;
}

/* The directory may hold something already, or the logs may not be what they were. */
static bool directory_unsure(struct model *model, const struct model_instance *instance,
                             const char *directory)
{
    const char *path = model_path(model, directory);
    for (size_t i = 0; i < model->set_count; i++) {
        if (model_is_below(model->sets[i]->directory, path))
            return true;
    }
    return directory[0] == '/' || !model_creates_paths(instance) || model_clouded(model, path) ||
           holds_databases(model, directory) || model_touched(model, instance->log_path) ||
           any_exclusive(model, instance) || any_same_name(model, instance);
}

static void backup_directory(struct model *model)
{
    struct model_instance *instance = model_gate(model, model_is_legacy(model), true);
    const char *directory = model_text(model);
    const uint32_t grbit = (uint32_t)model_number(model, 0);
    if (instance == NULL)
        return;
    const bool incremental = (grbit & JET_bitBackupIncremental) != 0;
    if (instance->backup.kind == BACKUP_FROZEN && model->published) {
        model_no_opinion(model);
        model->lost = true; /* it waits, and the freeze is over then */
    }
    if (directory == NULL || directory[0] == '\0') {
        delete_logs(model, instance, incremental);
        return;
    }
    int32_t code = begin_code(model, instance, grbit & JET_bitBackupIncremental);
    if (!model_plain_path(directory))
        model_no_opinion(model);
    if (code != JET_errSuccess) { /* the directory is not looked at */
        model_want(model, code);
        model->lost = model->lost || model_succeeded(model);
        if (model_answered(model) != code) { /* that was not sure: it was begun after all */
            model_touch(model, directory);
            instance->generation = 0;
        }
        return;
    }
    if (model_disturbing_target(model, directory) || strchr(directory, '.') != NULL) {
        model_no_opinion(model);
        model->lost = true;
        return;
    }
    const bool unsure = directory_unsure(model, instance, directory);
    if (incremental || unsure)
        model_no_opinion(model);
    if (unsure)
        model_touch(model, directory); /* folders in it may be deleted, or get other names */
    model_want(model, code);
    if (model_backup_unsure(model, instance) && !model_succeeded(model))
        model_no_opinion(model);
    if (!model_succeeded(model)) {
        model_touch(model, directory);
        instance->generation = 0; /* it failed on the way, perhaps after the roll */
        if (model_backup_unsure(model, instance))
            model_wait(model, REREADING);
        return;
    }
    begin_backup(model, instance, grbit & JET_bitBackupIncremental);
    mark_copied(model, instance);
    model_enter_logs_phase(model, instance);
    instance->backup.truncated = true;
    if ((grbit & JET_bitBackupAtomic) != 0)
        directory = arena_format(&model->arena, "%s/new", directory);
    keep_set(model, instance, directory, true);
    finish_end(model, instance, false);
}

const struct model_entry model_backup_entries[] = {
    {"BeginExternalBackup", begin},
    {"BeginExternalBackupInstance", begin},
    {"BeginSurrogateBackup", begin_surrogate},
    {"EndSurrogateBackup", end_surrogate},
    {"EndExternalBackup", end},
    {"EndExternalBackupInstance", end},
    {"EndExternalBackupInstance2", end},
    {"StopBackup", stop},
    {"StopBackupInstance", stop},
    {"StreamFile", stream_file},
    {"FullBackup", full_backup},
    {"Backup", backup_directory},
    {"BackupInstance", backup_directory},
    {NULL, NULL},
};
