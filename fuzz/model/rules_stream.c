/* Streaming: lists of databases and logs, open, read, close, truncate. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz/model/backup_rules.h"

/* --- lists */

static bool odd_buffer(const struct model *model)
{
    return model_option(model, "cbMax") != NULL || model_option(model, "pv") != NULL;
}

/* What is wrong with the buffer is seen when the list is there, behind the roll. */
static bool refuses_buffer(const struct model *model, int32_t code)
{
    return code == JET_errBufferTooSmall || (code == JET_errInvalidParameter && odd_buffer(model));
}

static void attach_info(struct model *model)
{
    struct model_instance *instance = model_gate(model, model_is_legacy(model), true);
    if (instance == NULL || !model_in_progress(model, instance))
        return;
    if (instance->backup.incremental) {
        model_want(model, JET_errInvalidBackupSequence);
        return;
    }
    if (odd_buffer(model))
        model_no_opinion(model);
    model_want(model, JET_errSuccess);
    model_want_fact(model, "n=%zu", model_count_in_backup(model, instance));
    model_want_texts(model);
    model_want_databases(model, instance);
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
        backup->high = model_log_generation(model, instance, last);
    if (model->answer != NULL) {
        for (size_t i = 0; i < model->answer->note_count; i++) {
            const struct program_token *token = &model->answer->notes[i];
            uint32_t generation = token->text != NULL && token->word[0] == '\0'
                                      ? model_log_generation(model, instance, token->text)
                                      : 0;
            if (generation != 0 && (backup->low == 0 || generation < backup->low))
                backup->low = generation;
        }
    }
    if (model->answer == NULL && backup->high != 0)
        backup->low = 1;
    backup->range_known = backup->low != 0 && backup->high != 0;
}

/* The first call that asks for logs begins a new generation and fixes the ranges. */
void model_enter_logs_phase(struct model *model, struct model_instance *instance)
{
    struct backup_context *backup = &instance->backup;
    if (backup->logs_phase)
        return;
    backup->logs_phase = true;
    backup->high = instance->generation;
    backup->sum_unknown = false; /* what was read till now does not count */
    model_roll_log(instance);
    (void)model;
}

/* A list of logs is given, unless one may be missing. */
static void want_list(struct model *model, const struct model_instance *instance)
{
    const bool missing = model_touched(model, instance->log_path) ||
                         (instance->backup.incremental && model_gap(model, instance));
    model_want(model, JET_errSuccess);
    if (odd_buffer(model) || instance->log_failed || (missing && !model_succeeded(model)))
        model_no_opinion(model);
}

/* Where a log is missing, that is noticed behind the roll, which the published engine makes once. */
static void list_failed(struct model *model, struct model_instance *instance, int32_t code)
{
    struct backup_context *backup = &instance->backup;
    const bool missing = code == JET_errMissingFileToBackup;
    if (!backup->list_failed)
        backup->failed_high = missing ? instance->generation : 0;
    backup->list_failed = true;
    backup->no_ranges = backup->no_ranges || (model->published && backup->incremental);
    if (backup->kind == BACKUP_LOCAL)
        instance->generation = 0; /* the log may have been rolled */
}

static bool odd_structure(const struct model *model)
{
    const char *text = model_option(model, "cbSize");
    uint64_t size = 0;
    if (text == NULL || model_option(model, "pli") != NULL)
        return false;
    if (model_is_wide(model) && model->published)
        return false; /* it is not looked at */
    model_number_text(text, &size);
    return (uint32_t)size != (model_is_wide(model) ? sizeof(JET_LOGINFO_W) : sizeof(JET_LOGINFO_A));
}

static void log_info(struct model *model)
{
    const char *name = model->line->op->name;
    bool second = strncmp(name, "GetLogInfoInstance2", 19) == 0;
    /* The size of the structure, if there is one, is seen before anything else. */
    if (second && odd_structure(model)) {
        model_want(model, JET_errInvalidParameter);
        return;
    }
    struct model_instance *instance = model_gate(model, model_is_legacy(model), true);
    if (instance == NULL || !model_in_progress(model, instance))
        return;
    struct backup_context *backup = &instance->backup;
    if (backup->open != NULL) {
        model_want(model, JET_errInvalidBackupSequence);
        return;
    }
    want_list(model, instance);
    int32_t code = model_answered(model);
    if (code < 0 && !refuses_buffer(model, code)) {
        list_failed(model, instance, code);
        return;
    }
    /* A later list is of what was there then, also if the first one failed. */
    const bool rolls = !backup->logs_phase && !backup->list_failed;
    model_enter_logs_phase(model, instance);
    uint32_t known = backup->high;
    if (known != 0 && code >= 0) {
        if (second && model_option(model, "pli") == NULL)
            model_want_fact(model, "hi=%u", known);
        if (second && model_option(model, "pli") == NULL)
            model_want_fact(model, "base=%s", instance->base_name);
        if (!odd_buffer(model))
            model_want_fact(model, "last=%s", model_log_name(model, instance, known));
    }
    learn_range(model, instance);
    if (rolls && backup->high != 0 && instance->generation == 0) {
        instance->generation = backup->high + 1;
        instance->log_bytes = 0;
    }
}

static void truncate_info(struct model *model)
{
    struct model_instance *instance = model_gate(model, model_is_legacy(model), true);
    if (instance == NULL || !model_in_progress(model, instance))
        return;
    if (instance->backup.open != NULL) {
        model_want(model, JET_errInvalidBackupSequence);
        return;
    }
    want_list(model, instance);
    int32_t code = model_answered(model);
    if (code >= 0 || refuses_buffer(model, code))
        model_enter_logs_phase(model, instance);
    else
        list_failed(model, instance, code);
}

/* --- files */

/* The engine adds up the generations that were read, and compares the sum. */
static bool all_logs_read(const struct backup_context *backup)
{
    uint64_t wanted = 0;
    for (uint32_t generation = backup->low; generation <= backup->high; generation++)
        wanted += generation;
    return backup->read_sum >= wanted;
}

static void truncate_log(struct model *model)
{
    struct model_instance *instance = model_gate(model, model_is_legacy(model), true);
    if (instance == NULL || !model_in_progress(model, instance))
        return;
    struct backup_context *backup = &instance->backup;
    if (backup->open != NULL || !backup->logs_phase || backup->no_ranges) {
        model_want(model, JET_errInvalidBackupSequence);
        return;
    }
    if (!backup->range_known || backup->sum_unknown)
        model_no_opinion(model);
    model_want(model,
               backup->range_known && !all_logs_read(backup) ? JET_errLogFileNotCopied : JET_errSuccess);
    if (model_succeeded(model))
        backup->truncated = true;
}

/* It may not be a path at all once it is completed: that is seen before it is looked for. */
static bool is_endless(const char *path)
{
    return strlen(path) > 700;
}

/* What opening `path` answers: the code is added; *file and *generation say what it is. True: expected to
 * open. */
bool model_open_rule(struct model *model, struct model_instance *instance, const char *path,
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
    if (is_endless(path))
        model_no_opinion(model);
    *file = model_attached_file(model, instance, path);
    if (*file != NULL && (*file)->exclusive != NULL) {
        model_want(model, JET_errDatabaseLocked);
        return false;
    }
    bool databases_phase = !backup->incremental && !backup->logs_phase;
    if (databases_phase) {
        if (*file == NULL && model->published &&
            strcmp(model_path(model, path), model_temporary_file(model, instance)) == 0)
            model_no_opinion(model);
        model_want(model, *file != NULL ? JET_errSuccess : JET_errDatabaseNotFound);
        return *file != NULL;
    }
    if (*file != NULL) {
        model_want(model, JET_errInvalidBackupSequence);
        return false;
    }
    *generation = model_log_generation(model, instance, path);
    if (model_is_current_log(model, instance, path)) {
        if (!backup->logs_phase)
            model_no_opinion(model);
        model_want(model, JET_errInvalidParameter);
        return false;
    }
    bool in_range =
        *generation != 0 && backup->range_known && *generation >= backup->low && *generation <= backup->high;
    const bool beyond = instance->generation != 0 && *generation >= instance->generation;
    if (in_range && !model_touched(model, instance->log_path)) {
        /* It may be gone since (not where paths are foretold: the checkpoint stays where it was); or never
         * have been there, where the range was not found out. */
        if ((backup->truncated && model->answer != NULL) || backup->no_ranges)
            model_no_opinion(model);
        model_want(model, JET_errSuccess);
        return true;
    }
    if (!beyond || backup->incremental || model_touched(model, instance->log_path))
        model_no_opinion(model);
    model_want(model, JET_errMissingFileToBackup);
    return false;
}

/* After a failed open: in the logs phase it ends the backup, but for the checks that come before the file is
 * looked at. */
void model_open_failed(struct model *model, struct model_instance *instance, int32_t code, const char *path)
{
    struct backup_context *backup = &instance->backup;
    bool logs = backup->incremental || backup->logs_phase;
    if (code == JET_errOutOfMemory || path == NULL || path[0] == '\0' ||
        (code == JET_errInvalidPath && is_endless(path)))
        return;
    if (logs)
        model_backup_end(model, instance);
}

/* More than one section is refused before anything is looked at. */
static bool names_sections(struct model *model)
{
    const size_t next = model->next;
    for (int i = 0; i < 4; i++)
        model_token(model);
    const bool several = (int32_t)(uint32_t)model_number(model, 0) > 1;
    model->next = next;
    return several;
}

static void open_file(struct model *model)
{
    const bool section = strncmp(model->line->op->name, "OpenFileSection", 15) == 0;
    if (section && names_sections(model)) {
        model_want(model, JET_wrnNyi);
        return;
    }
    struct model_instance *instance = model_gate(model, model_is_legacy(model), true);
    if (instance == NULL)
        return;
    struct model_reference slot = model_reference(model);
    const char *path = model_text(model);
    uint64_t start = 0;
    if (section) {
        model_number(model, 0);
        model_number(model, 0);
        start = model_number(model, 0);
    }
    if (!model_in_progress(model, instance))
        return;
    if (start % model->page != 0 || (start > 0 && start < (uint64_t)3 * model->page)) {
        model_want(model, JET_errInvalidParameter);
        return;
    }
    if (model_option(model, "ph") != NULL || model_option(model, "plo") != NULL ||
        model_option(model, "phi") != NULL || slot.is_null) {
        /* A null pointer for something to be returned. */
        if (model->published || instance->backup.open != NULL)
            model_no_opinion(model);
        model_want(model, JET_errInvalidParameter);
        if (model_answered(model) < 0)
            return;
        model->expect.code_count = 0;
    }
    struct database_file *file;
    uint32_t generation;
    model_open_rule(model, instance, path, &file, &generation);
    int32_t code = model_answered(model);
    if (code < 0) {
        model_open_failed(model, instance, code, path);
        return;
    }
    struct model_handle *handle = arena_allocate(&model->arena, sizeof *handle);
    *handle = (struct model_handle){.instance = instance,
                                    .open = true,
                                    .file = file,
                                    .is_log = file == NULL &&
                                              (instance->backup.incremental || instance->backup.logs_phase),
                                    .generation = generation,
                                    .offset = start,
                                    .section = start > 0};
    /* Without an answer (paths are foretold), logs have their size and databases no end. */
    if (model->answer == NULL)
        handle->size = generation != 0 ? model_log_file_size(instance) : UINT64_MAX / 2;
    uint64_t size;
    if (model_answer_number(model, "size", &size) && (file != NULL || generation != 0))
        handle->size = size;
    instance->backup.open = handle;
    model_slot_set(model, slot, OBJECT_HANDLE, handle);
}

/* In the published engine all handles are number 0, of which only the lower half is looked at. */
static bool is_zero(const struct program_token *token, const struct model_reference *reference)
{
    uint64_t number = 1;
    if (reference->kind == OBJECT_HANDLE)
        return true;
    if (token == NULL || token->text != NULL)
        return false;
    if (strncmp(token->word, "raw:", 4) == 0)
        model_number_text(token->word + 4, &number);
    return strcmp(token->word, "zero") == 0 || strcmp(token->word, "null") == 0 || (uint32_t)number == 0;
}

/* An invented number that may be a handle's: they are counted as files are opened. */
static bool may_be_counted(const struct program_token *token)
{
    uint64_t number = 0;
    return token != NULL && token->text == NULL && strncmp(token->word, "raw:", 4) == 0 &&
           model_number_text(token->word + 4, &number) && number > 0 && number <= 1000;
}

/* The open file that the next argument names, or NULL. */
static struct model_handle *handle_argument(struct model *model, const struct model_instance *instance)
{
    const size_t next = model->next;
    const struct program_token *token = model_token(model);
    model->next = next;
    const struct model_reference reference = model_reference(model);
    struct model_handle *open = instance->backup.open;
    if (model->published)
        return open != NULL && is_zero(token, &reference) ? open : NULL;
    if (may_be_counted(token) && open != NULL) {
        model_no_opinion(model);
        return model_answered(model) == JET_errInvalidParameter ? NULL : open;
    }
    return open != NULL && reference.kind == OBJECT_HANDLE && reference.pointer == open ? open : NULL;
}

static void fail_read(struct model *model, struct model_instance *instance, struct model_handle *handle,
                      int32_t code)
{
    if (code == JET_errInvalidParameter)
        return;
    if (handle->is_log) {
        model_backup_end(model, instance);
    } else {
        model_wait(model, REREADING);
        handle->open = false;
        instance->backup.open = NULL;
    }
}

/* A read that begins elsewhere than a file does: nothing there is a log's header; behind a database comes its
 * trailer once more, or always (published engine). */
static bool begins_oddly(const struct model_handle *handle)
{
    return handle->section &&
           (handle->is_log ? handle->offset < handle->size : handle->offset >= handle->size);
}

static void read_file(struct model *model)
{
    struct model_instance *instance = model_gate(model, model_is_legacy(model), true);
    if (instance == NULL)
        return;
    struct model_handle *handle = handle_argument(model, instance);
    const uint32_t size = (uint32_t)model_number(model, 0);
    if (!model_in_progress(model, instance))
        return;
    const char *offset_text = model_option(model, "off");
    uint64_t misaligned = 0;
    if (offset_text != NULL)
        model_number_text(offset_text, &misaligned);
    if (misaligned % 4096 != 0) {
        model_want(model, JET_errInvalidParameter);
        return;
    }
    if (model_option(model, "pv") != NULL)
        model_no_opinion(model);
    if (handle == NULL) {
        if (model->published && instance->backup.open == NULL)
            model_no_opinion(model); /* of number 0 with nothing open there is nothing to be read */
        model_want(model, JET_errInvalidParameter);
        model->expect.rule = "I12";
        return;
    }
    const uint32_t least = handle->offset > 0 ? 0 : (handle->is_log ? 2 : 3) * model->page;
    if (size % model->page != 0 || size < least || (size == 0 && !handle->is_log)) {
        model_want(model, JET_errInvalidParameter);
        return;
    }
    if (handle->is_log && size % 4096 != 0)
        model_no_opinion(model);
    if (handle->file != NULL ? model_pages_unsure(model, handle->file)
                             : model_touched(model, instance->log_path))
        model_no_opinion(model);
    if (handle->size == 0 || begins_oddly(handle))
        model_no_opinion(model); /* or a file that is none of the backup's */
    model_want(model, JET_errSuccess);
    const uint64_t rest = handle->size > handle->offset ? handle->size - handle->offset : 0;
    uint64_t given = rest < size ? rest : size;
    model_want_fact(model, "cb=%llu", (unsigned long long)given);
    model->expect.rule = "I5";
    int32_t code = model_answered(model);
    model_answer_number(model, "cb", &given);
    if (code < 0)
        fail_read(model, instance, handle, code);
    else
        handle->offset += given;
}

static void close_handle(struct model_instance *instance, struct model_handle *handle)
{
    struct backup_context *backup = &instance->backup;
    const bool whole = handle->size != 0 && handle->offset == handle->size;
    handle->open = false;
    backup->open = NULL;
    if (whole && handle->file != NULL)
        handle->file->copied = true;
    if (handle->size == 0 && handle->file != NULL)
        handle->file->fields_unknown = true;
    if (handle->is_log && (whole || handle->size == 0))
        model_log_read(backup, handle->size == 0 ? 0 : handle->generation);
}

static void close_file(struct model *model)
{
    struct model_instance *instance = model_gate(model, model_is_legacy(model), true);
    if (instance == NULL)
        return;
    struct model_handle *handle = handle_argument(model, instance);
    const struct backup_context *backup = &instance->backup;
    if (backup->kind == BACKUP_FROZEN && model->published)
        model_no_opinion(model);
    if (backup->kind != BACKUP_LOCAL) {
        model_want(model, JET_errNoBackup);
        return;
    }
    model_want(model, handle != NULL ? JET_errSuccess : JET_errInvalidParameter);
    if (!model_succeeded(model))
        return;
    if (handle != NULL)
        close_handle(instance, handle);
    else
        model->lost = true;
}

const struct model_entry model_stream_entries[] = {
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
    {NULL, NULL},
};
