/* Streaming and directory backup. Orders of checks: the specification's sections 3 to 7. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz/model/state.h"

/* --- the log: which generation is current, as long as it can be told */

void model_log_written(struct model *model, struct model_instance *instance, uint64_t bytes)
{
    instance->log_bytes += bytes;
    /* Near the end of the file the log rolls by itself: from here on only answers tell the generation. */
    if (instance->log_bytes > (uint64_t)model->log_file_size * 7 / 10)
        instance->generation = 0;
}

static void roll_log(struct model_instance *instance)
{
    if (instance->generation != 0)
        instance->generation++;
    instance->log_bytes = 0;
}

static const char *log_name(struct model *model, const struct model_instance *instance, uint32_t generation)
{
    return arena_format(&model->arena, model->long_names ? "%s%s%s%08X.log" : "%s%s%s%05X.log",
                        instance->log_path, instance->log_path[0] != '\0' ? "/" : "", instance->base_name,
                        generation);
}

/* The generation in a log's path, 0 if it is none of this instance's numbered logs. */
static uint32_t log_generation(struct model *model, const struct model_instance *instance, const char *path)
{
    const char *wanted = model_path(model, path);
    const char *slash = strrchr(wanted, '/');
    const char *name = slash != NULL ? slash + 1 : wanted;
    size_t directory = slash != NULL ? (size_t)(slash - wanted) : 0;
    if (strlen(instance->log_path) != directory || strncmp(wanted, instance->log_path, directory) != 0)
        return 0;
    size_t base = strlen(instance->base_name);
    if (strncmp(name, instance->base_name, base) != 0 || strlen(name + base) < 9)
        return 0;
    char *end;
    unsigned long generation = strtoul(name + base, &end, 16);
    return strcmp(end, ".log") == 0 && generation > 0 && generation < UINT32_MAX ? (uint32_t)generation : 0;
}

static bool is_current_log(struct model *model, const struct model_instance *instance, const char *path)
{
    return strcmp(model_path(model, path),
                  arena_format(&model->arena, "%s%s%s.log", instance->log_path,
                               instance->log_path[0] != '\0' ? "/" : "", instance->base_name)) == 0;
}

/* --- databases of an instance */

static bool in_backup(const struct database_file *file, const struct model_instance *instance)
{
    return file->attached == instance && !file->read_only && !file->unloggable;
}

static struct database_file *attached_file(struct model *model, const struct model_instance *instance,
                                           const char *path)
{
    struct database_file *file = model_file_find(model, path);
    return file != NULL && file->attached == instance ? file : NULL;
}

static size_t count_in_backup(const struct model *model, const struct model_instance *instance)
{
    size_t count = 0;
    for (size_t i = 0; i < model->file_count; i++)
        count += in_backup(model->files[i], instance);
    return count;
}

static bool misses_full_backup(const struct model *model, const struct model_instance *instance,
                               bool *unknown)
{
    bool missing = false;
    for (size_t i = 0; i < model->file_count; i++) {
        const struct database_file *file = model->files[i];
        if (!in_backup(file, instance))
            continue;
        if (file->fields_unknown || file->damaged)
            *unknown = true;
        missing = missing || file->fields.full == 0 || file->full_by_snapshot;
    }
    return missing;
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
    if ((grbit & (incremental | surrogate)) != 0 && instance->circular)
        return JET_errInvalidBackup;
    if ((grbit & internal) != 0 && (grbit & (incremental | surrogate)) != 0)
        return JET_errInvalidGrbit;
    if (instance->backup.kind == BACKUP_SURROGATE)
        return JET_errSurrogateBackupInProgress;
    if (instance->backup.kind == BACKUP_FROZEN && model->published)
        model_no_opinion(model); /* waits for the thaw, then it is a race */
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
        if (model->files[i]->attached == instance)
            model->files[i]->copied = false;
    }
    model_log_written(model, instance, 4096);
}

static void begin(struct model *model)
{
    struct model_instance *instance = model_gate(model, model_is_legacy(model), true);
    if (instance == NULL)
        return;
    uint32_t grbit = (uint32_t)model_number(model, 0);
    model_want(model, begin_code(model, instance, grbit));
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
    int32_t code = begin_code(model, instance, grbit | JET_bitBackupSurrogate);
    if (code == JET_errSuccess || first == 0 || last < first || last > 1)
        model_no_opinion(model);
    model_want(model, code);
    if (model_succeeded(model))
        begin_backup(model, instance, grbit | JET_bitBackupSurrogate);
}

/* --- end */

static void record(struct database_file *file, uint32_t *field, uint32_t high)
{
    if (high == 0)
        file->fields_unknown = true;
    else
        *field = high;
}

void model_record_good_end(struct model *model, struct model_instance *instance)
{
    const struct backup_context *backup = &instance->backup;
    for (size_t i = 0; i < model->file_count; i++) {
        struct database_file *file = model->files[i];
        if (!in_backup(file, instance) || (!backup->incremental && !file->copied))
            continue;
        file->fields_fresh = true;
        if (backup->incremental) {
            record(file, backup->truncated ? &file->fields.incremental : &file->fields.differential,
                   backup->high);
        } else if (backup->truncated) {
            record(file, &file->fields.full, backup->high);
            file->full_by_snapshot = false;
            file->fields.incremental = 0;
            file->fields.differential = 0;
        } else {
            record(file, &file->fields.copy, backup->high);
        }
    }
}

void model_backup_end(struct model *model, struct model_instance *instance)
{
    if (instance->backup.open != NULL)
        instance->backup.open->open = false;
    instance->backup = (struct backup_context){0};
    for (size_t i = 0; i < model->file_count; i++) {
        if (model->files[i]->attached == instance)
            model->files[i]->copied = false;
    }
    model_log_written(model, instance, 4096);
}

/* The published engine records an incremental backup that never asked for its logs as differential,
 * generations 0 to -1. */
static void record_hollow_incremental(struct model *model, struct model_instance *instance)
{
    for (size_t i = 0; i < model->file_count; i++) {
        if (in_backup(model->files[i], instance))
            model->files[i]->fields.differential = UINT32_MAX;
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

static void end(struct model *model)
{
    bool second = strcmp(model->line->op->name, "EndExternalBackupInstance2") == 0;
    struct model_instance *instance = model_gate(model, model_is_legacy(model), true);
    if (instance == NULL)
        return;
    uint64_t grbit = second ? model_number(model, 0) : JET_bitBackupEndNormal;
    bool abort = grbit == JET_bitBackupEndAbort;
    /* Bits beyond the two are not looked at. */
    uint64_t kind = grbit & (JET_bitBackupEndNormal | JET_bitBackupEndAbort);
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
    if (ended)
        finish_end(model, instance, abort);
    if (ended && grbit != kind) {
        for (size_t i = 0; i < model->file_count; i++)
            model->files[i]->fields_unknown =
                model->files[i]->fields_unknown || model->files[i]->attached == instance;
    }
}

static void end_surrogate(struct model *model)
{
    struct model_instance *instance = model_gate(model, false, true);
    if (instance == NULL)
        return;
    uint64_t grbit = model_number(model, 0);
    bool abort = (grbit & JET_bitBackupEndAbort) != 0;
    uint64_t kind = grbit & (JET_bitBackupEndNormal | JET_bitBackupEndAbort);
    struct backup_context *backup = &instance->backup;
    if (kind != JET_bitBackupEndNormal && kind != JET_bitBackupEndAbort)
        model_want(model, JET_errInvalidParameter);
    else if (backup->kind == BACKUP_NONE)
        model_want(model, JET_errNoBackup);
    else if (backup->kind == BACKUP_FROZEN)
        model_no_opinion(model);
    else if (backup->kind == BACKUP_LOCAL)
        model_want(model, model->published ? JET_errSuccess : JET_errBackupInProgress);
    else
        model_want(model, JET_errSuccess);
    if (!model_succeeded(model))
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

/* The checks that most calls share. False: the call ends there. */
static bool in_progress(struct model *model, const struct model_instance *instance)
{
    const struct backup_context *backup = &instance->backup;
    if (backup->kind == BACKUP_FROZEN && model->published) {
        model_no_opinion(model);
        return false;
    }
    if (backup->kind != BACKUP_LOCAL) {
        model_want(model, JET_errNoBackup);
        return false;
    }
    if (backup->stop) {
        model_want(model, JET_errBackupAbortByServer);
        model->expect.rule = "I1";
        return false;
    }
    return true;
}

/* --- lists */

static bool odd_buffer(const struct model *model)
{
    return model_option(model, "cbMax") != NULL || model_option(model, "pv") != NULL;
}

static void attach_info(struct model *model)
{
    struct model_instance *instance = model_gate(model, model_is_legacy(model), true);
    if (instance == NULL || !in_progress(model, instance))
        return;
    if (instance->backup.incremental) {
        model_want(model, JET_errInvalidBackupSequence);
        return;
    }
    if (odd_buffer(model))
        model_no_opinion(model);
    model_want(model, JET_errSuccess);
    model_want_fact(model, "n=%zu", count_in_backup(model, instance));
    model_want_texts(model);
    uint64_t after = 0;
    for (;;) {
        const struct database_file *next = NULL;
        for (size_t i = 0; i < model->file_count; i++) {
            const struct database_file *file = model->files[i];
            if (in_backup(file, instance) && file->attach_order > after &&
                (next == NULL || file->attach_order < next->attach_order))
                next = file;
        }
        if (next == NULL)
            break;
        model_want_text(model, next->path);
        after = next->attach_order;
    }
}

/* Takes the range of generations from the answer, or from what is known. */
static void learn_range(struct model *model, struct model_instance *instance)
{
    struct backup_context *backup = &instance->backup;
    uint64_t number;
    const char *last = model->answer == NULL ? NULL : program_outcome_fact(model->answer, "last", true);
    if (model_answer_number(model, "hi", &number))
        backup->high = (uint32_t)number;
    else if (last != NULL)
        backup->high = log_generation(model, instance, last);
    if (model->answer != NULL) {
        for (size_t i = 0; i < model->answer->note_count; i++) {
            const struct program_token *token = &model->answer->notes[i];
            uint32_t generation = token->text != NULL && token->word[0] == '\0'
                                      ? log_generation(model, instance, token->text)
                                      : 0;
            if (generation != 0 && (backup->low == 0 || generation < backup->low))
                backup->low = generation;
        }
    }
    backup->range_known = backup->low != 0 && backup->high != 0;
}

/* The first call that asks for logs begins a new generation and fixes the ranges. */
static void enter_logs_phase(struct model *model, struct model_instance *instance)
{
    struct backup_context *backup = &instance->backup;
    if (backup->logs_phase)
        return;
    backup->logs_phase = true;
    backup->high = instance->generation;
    roll_log(instance);
    (void)model;
}

static void log_info(struct model *model)
{
    const char *name = model->line->op->name;
    bool second = strncmp(name, "GetLogInfoInstance2", 19) == 0;
    struct model_instance *instance = model_gate(model, model_is_legacy(model), true);
    if (instance == NULL)
        return;
    const char *size = model_option(model, "cbSize");
    if (second && size != NULL) {
        if (model_is_wide(model) && model->published)
            model_no_opinion(model);
        model_want(model, JET_errInvalidParameter);
        if (!model->expect.no_opinion || model_answered(model) < 0)
            return;
        model->expect.code_count = 0;
    }
    if (!in_progress(model, instance))
        return;
    struct backup_context *backup = &instance->backup;
    if (backup->open != NULL) {
        model_want(model, JET_errInvalidBackupSequence);
        return;
    }
    if (odd_buffer(model) || instance->log_failed)
        model_no_opinion(model);
    model_want(model, JET_errSuccess);
    /* A buffer too small comes after the roll. */
    int32_t code = model_answered(model);
    if (code < 0 && code != JET_errBufferTooSmall)
        return;
    enter_logs_phase(model, instance);
    uint32_t known = backup->high;
    if (known != 0 && code >= 0) {
        if (second && model_option(model, "pli") == NULL)
            model_want_fact(model, "hi=%u", known);
        if (second && model_option(model, "pli") == NULL)
            model_want_fact(model, "base=%s", instance->base_name);
        if (!odd_buffer(model))
            model_want_fact(model, "last=%s", log_name(model, instance, known));
    }
    learn_range(model, instance);
    if (backup->high != 0 && instance->generation == 0) {
        instance->generation = backup->high + 1;
        instance->log_bytes = 0;
    }
}

static void truncate_info(struct model *model)
{
    struct model_instance *instance = model_gate(model, model_is_legacy(model), true);
    if (instance == NULL || !in_progress(model, instance))
        return;
    if (instance->backup.open != NULL) {
        model_want(model, JET_errInvalidBackupSequence);
        return;
    }
    if (odd_buffer(model) || instance->log_failed)
        model_no_opinion(model);
    model_want(model, JET_errSuccess);
    int32_t code = model_answered(model);
    if (code >= 0 || code == JET_errBufferTooSmall)
        enter_logs_phase(model, instance);
}

/* --- files */

static bool all_logs_read(const struct backup_context *backup)
{
    for (uint32_t generation = backup->low; generation <= backup->high; generation++) {
        bool found = false;
        for (uint32_t i = 0; i < backup->read_count; i++)
            found = found || backup->read_logs[i] == generation;
        if (!found)
            return false;
    }
    return true;
}

static void truncate_log(struct model *model)
{
    struct model_instance *instance = model_gate(model, model_is_legacy(model), true);
    if (instance == NULL || !in_progress(model, instance))
        return;
    struct backup_context *backup = &instance->backup;
    if (backup->open != NULL || !backup->logs_phase) {
        model_want(model, JET_errInvalidBackupSequence);
        return;
    }
    if (!backup->range_known)
        model_no_opinion(model);
    model_want(model,
               backup->range_known && !all_logs_read(backup) ? JET_errLogFileNotCopied : JET_errSuccess);
    if (model_succeeded(model))
        backup->truncated = true;
}

/* What opening `path` answers: the code is added; *file and *generation say what it is. True: expected to
 * open. */
static bool open_rule(struct model *model, struct model_instance *instance, const char *path,
                      struct database_file **file, uint32_t *generation)
{
    struct backup_context *backup = &instance->backup;
    *file = NULL;
    *generation = 0;
    if (path == NULL || path[0] == '\0') {
        model_want(model, JET_errInvalidParameter);
        return false;
    }
    if (backup->open != NULL) {
        model_want(model, JET_errOutOfMemory);
        return false;
    }
    *file = attached_file(model, instance, path);
    bool databases_phase = !backup->incremental && !backup->logs_phase;
    if (databases_phase) {
        if (*file == NULL && strstr(path, "tmp") != NULL)
            model_no_opinion(model); /* the temporary database */
        model_want(model, *file != NULL ? JET_errSuccess : JET_errDatabaseNotFound);
        return *file != NULL;
    }
    if (*file != NULL) {
        model_want(model, JET_errInvalidBackupSequence);
        return false;
    }
    *generation = log_generation(model, instance, path);
    if (is_current_log(model, instance, path)) {
        if (!backup->logs_phase)
            model_no_opinion(model);
        model_want(model, JET_errInvalidParameter);
        return false;
    }
    bool in_range =
        *generation != 0 && backup->range_known && *generation >= backup->low && *generation <= backup->high;
    bool beyond = *generation != 0 && backup->high != 0 && *generation > backup->high + 4;
    if (in_range && !model_touched(model, instance->log_path)) {
        model_want(model, JET_errSuccess);
        return true;
    }
    if (!beyond || backup->incremental)
        model_no_opinion(model);
    model_want(model, JET_errMissingFileToBackup);
    return false;
}

/* After a failed open: in the logs phase it ends the backup, but for the checks that come before the file is
 * looked at. */
static void open_failed(struct model *model, struct model_instance *instance, int32_t code, const char *path)
{
    struct backup_context *backup = &instance->backup;
    bool logs = backup->incremental || backup->logs_phase;
    if (code == JET_errOutOfMemory || (path == NULL || path[0] == '\0'))
        return;
    if (logs)
        model_backup_end(model, instance);
}

static void open_file(struct model *model)
{
    bool section = strncmp(model->line->op->name, "OpenFileSection", 15) == 0;
    struct model_instance *instance = model_gate(model, model_is_legacy(model), true);
    if (instance == NULL)
        return;
    struct model_reference slot = model_reference(model);
    const char *path = model_text(model);
    bool bad_start = false;
    if (section) {
        model_number(model, 0);
        uint64_t sections = model_number(model, 0);
        uint64_t start = model_number(model, 0);
        if (sections > 1) {
            model_want(model, JET_wrnNyi);
            return;
        }
        bad_start = start % model->page != 0 || (start > 0 && start < (uint64_t)3 * model->page);
    }
    if (!in_progress(model, instance))
        return;
    if (bad_start) {
        model_want(model, JET_errInvalidParameter);
        return;
    }
    if (model_has_options(model))
        model_no_opinion(model);
    struct database_file *file;
    uint32_t generation;
    open_rule(model, instance, path, &file, &generation);
    int32_t code = model_answered(model);
    if (code < 0) {
        open_failed(model, instance, code, path);
        return;
    }
    struct model_handle *handle = arena_allocate(&model->arena, sizeof *handle);
    *handle = (struct model_handle){.instance = instance,
                                    .open = true,
                                    .file = file,
                                    .is_log = file == NULL,
                                    .generation = generation,
                                    .section = section};
    uint64_t size;
    if (model_answer_number(model, "size", &size) && (file != NULL || generation != 0))
        handle->size = size;
    instance->backup.open = handle;
    model_slot_set(model, slot, OBJECT_HANDLE, handle);
}

static void fail_read(struct model *model, struct model_instance *instance, struct model_handle *handle,
                      int32_t code)
{
    if (code == JET_errInvalidParameter)
        return;
    if (handle->is_log) {
        model_backup_end(model, instance);
    } else {
        handle->open = false;
        instance->backup.open = NULL;
    }
}

static void read_file(struct model *model)
{
    struct model_instance *instance = model_gate(model, model_is_legacy(model), true);
    if (instance == NULL)
        return;
    struct model_reference reference = model_reference(model);
    uint64_t size = model_number(model, 0);
    if (!in_progress(model, instance))
        return;
    const char *offset_text = model_option(model, "off");
    uint64_t misaligned = 0;
    if (offset_text != NULL)
        model_number_text(offset_text, &misaligned);
    if (misaligned % 4096 != 0) {
        model_want(model, JET_errInvalidParameter);
        return;
    }
    if (model_option(model, "pv") != NULL || model_option(model, "pcb") != NULL || size > UINT32_MAX)
        model_no_opinion(model);
    struct model_handle *handle = reference.kind == OBJECT_HANDLE ? reference.pointer : NULL;
    if (handle == NULL || !handle->open || handle->instance != instance) {
        if (model->published)
            model_no_opinion(model);
        model_want(model, JET_errInvalidParameter);
        model->expect.rule = "I12";
        return;
    }
    uint64_t least =
        handle->offset > 0 ? 0 : (handle->is_log ? 2u : 3u) * (handle->is_log ? 4096u : model->page);
    if (size == 0 && handle->is_log) {
        model_want(model, JET_errSuccess);
        model_want_fact(model, "cb=0");
        return;
    }
    uint64_t unit = handle->is_log ? 4096 : model->page;
    if (handle->is_log && size % unit != 0)
        model_no_opinion(model);
    if (size % model->page != 0 || size < least || (size == 0 && !handle->is_log)) {
        if (handle->section || handle->is_log)
            model_no_opinion(model);
        model_want(model, JET_errInvalidParameter);
        return;
    }
    if (handle->size == 0)
        model_no_opinion(model); /* a file that is none of the backup's */
    model_want(model, JET_errSuccess);
    uint64_t rest = handle->size > handle->offset ? handle->size - handle->offset : 0;
    if (handle->size != 0 && !handle->section) {
        if (rest == 0 || rest >= size)
            model_want_fact(model, "cb=%llu", (unsigned long long)(rest == 0 ? 0 : size));
        else
            model_want_fact(model, "cb=%llu", (unsigned long long)rest);
        model->expect.rule = "I5";
    }
    int32_t code = model_answered(model);
    if (code < 0)
        fail_read(model, instance, handle, code);
    else
        handle->offset += rest < size ? rest : size;
}

static void close_handle(struct model *model, struct model_instance *instance, struct model_handle *handle)
{
    struct backup_context *backup = &instance->backup;
    bool whole = handle->size != 0 && handle->offset >= handle->size;
    handle->open = false;
    backup->open = NULL;
    if (handle->size == 0 || handle->section)
        backup->range_known = false;
    if (whole && handle->file != NULL)
        handle->file->copied = true;
    if (whole && handle->is_log && handle->generation != 0 && backup->read_count < 64)
        backup->read_logs[backup->read_count++] = handle->generation;
    if (handle->file != NULL && handle->size == 0)
        handle->file->fields_unknown = true;
    (void)model;
}

static void close_file(struct model *model)
{
    struct model_instance *instance = model_gate(model, model_is_legacy(model), true);
    if (instance == NULL)
        return;
    struct model_reference reference = model_reference(model);
    const struct backup_context *backup = &instance->backup;
    if (backup->kind == BACKUP_FROZEN && model->published)
        model_no_opinion(model);
    if (backup->kind != BACKUP_LOCAL) {
        model_want(model, JET_errNoBackup);
        return;
    }
    struct model_handle *handle = reference.kind == OBJECT_HANDLE ? reference.pointer : NULL;
    bool good = handle != NULL && handle->open && handle->instance == instance;
    if (!good && model->published && backup->open != NULL)
        model_no_opinion(model); /* a small number may be the open one's */
    model_want(model, good ? JET_errSuccess : JET_errInvalidParameter);
    if (!model_succeeded(model))
        return;
    if (good)
        close_handle(model, instance, handle);
    else
        model->lost = true;
}

/* --- composites and whole directories */

static bool good_chunk(const struct model *model, uint64_t chunk)
{
    return chunk % model->page == 0 && chunk % 4096 == 0 && chunk >= (uint64_t)3 * model->page &&
           chunk >= 8192;
}

static void stream_file(struct model *model)
{
    struct model_instance *instance = model_gate(model, false, true);
    const char *path = model_text(model);
    const char *target = model_text(model);
    uint64_t chunk = model_number(model, 0);
    if (instance == NULL)
        return;
    if (target != NULL && target[0] != '\0')
        model_touch(model, target);
    if (!in_progress(model, instance))
        return;
    if (!good_chunk(model, chunk))
        model_no_opinion(model);
    struct database_file *file;
    uint32_t generation;
    bool opens = open_rule(model, instance, path, &file, &generation);
    if (opens)
        model_want_fact(model, "whole=1");
    int32_t code = model_answered(model);
    struct backup_context *backup = &instance->backup;
    if (code >= 0) {
        if (file != NULL)
            file->copied = true;
        else if (generation != 0 && backup->read_count < 64)
            backup->read_logs[backup->read_count++] = generation;
    } else if (opens) {
        if (file == NULL)
            model_backup_end(model, instance);
    } else {
        open_failed(model, instance, code, path);
    }
}

static void keep_set(struct model *model, struct model_instance *instance, const char *directory,
                     bool partial)
{
    struct backup_set *set = arena_allocate(&model->arena, sizeof *set);
    set->directory = model_path(model, directory);
    set->whole = !partial;
    set->high = instance->backup.high;
    for (size_t i = 0; i < model->file_count && set->count < 16; i++) {
        const struct database_file *file = model->files[i];
        if (!in_backup(file, instance))
            continue;
        const char *slash = strrchr(file->path, '/');
        set->names[set->count] = slash != NULL ? slash + 1 : file->path;
        set->contents[set->count] = model_content_copy(model, file->durable);
        if (file->uncertain || file->damaged || instance->lost)
            set->contents[set->count]->opaque = true;
        set->count++;
    }
    if (model->set_count < OBJECTS_MAX)
        model->sets[model->set_count++] = set;
}

static void mark_copied(struct model *model, struct model_instance *instance)
{
    for (size_t i = 0; i < model->file_count; i++) {
        if (in_backup(model->files[i], instance))
            model->files[i]->copied = true;
    }
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
    if (instance == NULL)
        return;
    int32_t code = begin_code(model, instance, grbit);
    bool plain = end_grbit == JET_bitBackupEndNormal || end_grbit == JET_bitBackupEndAbort;
    if (!good_chunk(model, chunk) || !plain || (grbit & ~(uint32_t)JET_bitBackupIncremental) != 0 ||
        model_touched(model, instance->log_path))
        model_no_opinion(model);
    model_want(model, code);
    bool incremental = (grbit & JET_bitBackupIncremental) != 0;
    if (code == JET_errSuccess)
        model_want_fact(model, "databases=%zu", incremental ? 0 : count_in_backup(model, instance));
    else
        model_want_fact(model, "step=Begin");
    if (!model_succeeded(model)) {
        if (directory != NULL && code == JET_errSuccess)
            model_touch(model, directory);
        if (code == JET_errSuccess)
            instance->lost = true;
        return;
    }
    begin_backup(model, instance, grbit);
    mark_copied(model, instance);
    enter_logs_phase(model, instance);
    instance->backup.truncated = truncate != 0;
    if (directory != NULL)
        keep_set(model, instance, directory, incremental);
    finish_end(model, instance, end_grbit == JET_bitBackupEndAbort);
}

static void backup_directory(struct model *model)
{
    struct model_instance *instance = model_gate(model, model_is_legacy(model), true);
    const char *directory = model_text(model);
    uint32_t grbit = (uint32_t)model_number(model, 0);
    bool touched = directory != NULL && model_clouded(model, model_path(model, directory));
    if (instance == NULL)
        return;
    bool incremental = (grbit & JET_bitBackupIncremental) != 0;
    int32_t code = begin_code(model, instance, grbit & (JET_bitBackupIncremental));
    bool hollow = directory == NULL || directory[0] == '\0';
    if (hollow || touched || code != JET_errSuccess || incremental ||
        model_touched(model, instance->log_path))
        model_no_opinion(model);
    model_want(model, code);
    if (!model_succeeded(model))
        return;
    if (hollow) {
        /* The published engine makes a backup of it when asked for an atomic one. */
        instance->generation = 0;
        for (size_t i = 0; i < model->file_count; i++)
            model->files[i]->fields_unknown =
                model->files[i]->fields_unknown || model->files[i]->attached == instance;
        return;
    }
    begin_backup(model, instance, grbit & JET_bitBackupIncremental);
    mark_copied(model, instance);
    enter_logs_phase(model, instance);
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
    {"GetAttachInfo", attach_info},
    {"GetAttachInfoInstance", attach_info},
    {"GetLogInfo", log_info},
    {"GetLogInfoInstance", log_info},
    {"GetLogInfoInstance2", log_info},
    {"GetTruncateLogInfoInstance", truncate_info},
    {"TruncateLog", truncate_log},
    {"TruncateLogInstance", truncate_log},
    {"OpenFile", open_file},
    {"OpenFileInstance", open_file},
    {"OpenFileSectionInstance", open_file},
    {"ReadFile", read_file},
    {"ReadFileInstance", read_file},
    {"CloseFile", close_file},
    {"CloseFileInstance", close_file},
    {"StreamFile", stream_file},
    {"FullBackup", full_backup},
    {"Backup", backup_directory},
    {"BackupInstance", backup_directory},
    {NULL, NULL},
};
