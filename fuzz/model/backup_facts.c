/* What the rules of streams, backups and snapshots share: the log's generations, which databases belong to a
 * backup, its end, the lists that calls give out. */
#include <stdlib.h>
#include <string.h>

#include "fuzz/model/backup_rules.h"

/* --- the log: which generation is current, as long as it can be told */

void model_log_written(struct model *model, struct model_instance *instance, uint64_t bytes)
{
    if (instance->snapshot != NULL && instance->snapshot->state == SNAPSHOT_FROZEN) {
        /* A write waits until the snapshot's time is over: when it is written is not described. */
        model->lost = true;
        return;
    }
    instance->log_bytes += bytes;
    if (instance->log_bytes <= model_log_file_size(instance) * 9 / 10)
        return;
    /* Near the end of the file the log rolls by itself: from here on only answers tell the generation. A file
     * may lie where the next one comes: then the log is down. */
    instance->generation = 0;
    if (model_touched(model, instance->log_path))
        instance->lost = true;
}

void model_roll_log(struct model_instance *instance)
{
    if (instance->generation != 0)
        instance->generation++;
    instance->log_bytes = 0;
}

static bool has_long_names(const struct model_instance *instance)
{
    return (instance->numbers[MODEL_FILE_NAMES] & JET_bitEightDotThreeSoftCompat) == 0;
}

const char *model_log_name(struct model *model, const struct model_instance *instance, uint32_t generation)
{
    return arena_format(&model->arena, has_long_names(instance) ? "%s%s%s%08X.log" : "%s%s%s%05X.log",
                        instance->log_path, instance->log_path[0] != '\0' ? "/" : "", instance->base_name,
                        generation);
}

/* The generation in a log's path, 0 if it is none of this instance's numbered logs. Small letters are no name
 * of one: with them it is the same file on Windows, and another one elsewhere. */
uint32_t model_log_generation(struct model *model, const struct model_instance *instance, const char *path)
{
    const char *wanted = model_path(model, path);
    const char *slash = strrchr(wanted, '/');
    const char *name = slash != NULL ? slash + 1 : wanted;
    size_t directory = slash != NULL ? (size_t)(slash - wanted) : 0;
    if (strlen(instance->log_path) != directory || strncmp(wanted, instance->log_path, directory) != 0)
        return 0;
    size_t base = strlen(instance->base_name);
    if (strncmp(name, instance->base_name, base) != 0 ||
        strlen(name + base) != (has_long_names(instance) ? 12 : 9) || strpbrk(name + base, "abcdef") != NULL)
        return 0;
    char *end;
    unsigned long generation = strtoul(name + base, &end, 16);
    return strcmp(end, ".log") == 0 && generation > 0 && generation < UINT32_MAX ? (uint32_t)generation : 0;
}

bool model_is_current_log(struct model *model, const struct model_instance *instance, const char *path)
{
    return strcmp(model_path(model, path),
                  arena_format(&model->arena, "%s%s%s.log", instance->log_path,
                               instance->log_path[0] != '\0' ? "/" : "", instance->base_name)) == 0;
}

/* --- databases of an instance */

bool model_in_backup(const struct database_file *file, const struct model_instance *instance)
{
    return file->attached == instance && !file->read_only && !file->unloggable;
}

struct database_file *model_attached_file(struct model *model, const struct model_instance *instance,
                                          const char *path)
{
    struct database_file *file = model_file_find(model, path);
    return file != NULL && file->attached == instance ? file : NULL;
}

/* A page may be damaged: copying may find that. */
bool model_pages_unsure(const struct model *model, const struct database_file *file)
{
    return file->damaged || model_clouded(model, file->path);
}

bool model_backup_unsure(const struct model *model, const struct model_instance *instance)
{
    for (size_t i = 0; i < model->file_count; i++) {
        if (model_in_backup(model->files[i], instance) && model_pages_unsure(model, model->files[i]))
            return true;
    }
    return false;
}

size_t model_count_in_backup(const struct model *model, const struct model_instance *instance)
{
    size_t count = 0;
    for (size_t i = 0; i < model->file_count; i++)
        count += model_in_backup(model->files[i], instance);
    return count;
}

bool model_gap(const struct model *model, const struct model_instance *instance)
{
    for (size_t i = 0; i < model->file_count; i++) {
        if (model->files[i]->attached == instance && model->files[i]->gap)
            return true;
    }
    return false;
}

/* --- begin and end */

/* In the published engine streaming calls work on a snapshot as on a backup, and may end it, roll its log, or
 * wait till its time is over: what comes of it is not followed, but for answers that say that nothing
 * happened. */
static void reach_into_snapshot(struct model *model, struct model_instance *instance)
{
    model_no_opinion(model);
    const int32_t code = model_answered(model);
    const bool only_asks = strncmp(model->line->op->name, "GetAttachInfo", 13) == 0;
    if (code == JET_errNoBackup || code == JET_errBackupAbortByServer || only_asks)
        return;
    instance->snapshot->uncertain = true;
    for (size_t i = 0; i < model->instance_count; i++)
        if (model->instances[i]->snapshot == instance->snapshot)
            model->instances[i]->lost = true;
}

/* The checks that most calls share. False: the call ends there. */
bool model_in_progress(struct model *model, struct model_instance *instance)
{
    const struct backup_context *backup = &instance->backup;
    if (backup->kind == BACKUP_FROZEN && model->published) {
        reach_into_snapshot(model, instance);
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

void model_log_read(struct backup_context *backup, uint32_t generation)
{
    if (generation == 0 || !backup->range_known)
        backup->sum_unknown = true; /* another instance's log may count by its number (published engine) */
    else if (generation >= backup->low && generation <= backup->high)
        backup->read_sum += generation;
}

static void record(struct database_file *file, uint32_t *field, uint32_t high)
{
    if (high == 0)
        file->fields_unknown = true;
    else
        *field = high;
}

/* The limit of what is deleted heeds neither databases that are not attached nor those attached read-only; in
 * these no backup is recorded, either, though it may have copied them. */
void model_logs_deleted(struct model *model)
{
    for (size_t i = 0; i < model->file_count; i++) {
        struct database_file *file = model->files[i];
        file->gap = file->gap || file->attached == NULL || file->read_only;
    }
}

void model_logs_lost(struct model *model, const struct model_instance *instance)
{
    model_logs_deleted(model);
    for (size_t i = 0; i < model->file_count; i++)
        model->files[i]->gap = model->files[i]->gap || model->files[i]->attached == instance;
}

void model_record_good_end(struct model *model, struct model_instance *instance)
{
    const struct backup_context *backup = &instance->backup;
    const bool faulted = model->line->fault_count > 0;
    if (backup->truncated)
        model_logs_deleted(model);
    for (size_t i = 0; i < model->file_count; i++) {
        struct database_file *file = model->files[i];
        if (!model_in_backup(file, instance) || (backup->incremental ? !file->joined : !file->copied))
            continue;
        file->fields_fresh = true;
        /* A fault while it is recorded does not show in the answer. */
        file->fields_unknown = file->fields_unknown || faulted;
        if (faulted)
            file->gap = file->gap || backup->truncated;
        else
            file->gap = file->gap && (backup->incremental || !backup->truncated);
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
    instance->backup.truncated = false; /* it is written down */
}

void model_backup_end(struct model *model, struct model_instance *instance)
{
    if (instance->backup.open != NULL)
        instance->backup.open->open = false;
    if (instance->backup.truncated) /* and nowhere written down */
        model_logs_lost(model, instance);
    instance->backup = (struct backup_context){0};
    for (size_t i = 0; i < model->file_count; i++) {
        if (model->files[i]->attached == instance)
            model->files[i]->copied = false;
    }
    model_log_written(model, instance, 4096);
}

/* --- lists */

void model_want_databases(struct model *model, const struct model_instance *instance)
{
    for (uint32_t place = 1; place <= model->file_count; place++) {
        for (size_t i = 0; i < model->file_count; i++) {
            const struct database_file *file = model->files[i];
            if (file->place == place && model_in_backup(file, instance))
                model_want_text(model, file->path);
        }
    }
}

static const struct model_instance *instance_at(const struct model *model, uint32_t place)
{
    for (size_t i = 0; i < model->instance_count; i++) {
        if (model->instances[i]->alive && model->instances[i]->place == place)
            return model->instances[i];
    }
    return NULL;
}

void model_want_instances(struct model *model, const struct model_snapshot *snapshot)
{
    size_t count = 0;
    model_want_texts(model);
    for (uint32_t place = 0; place < model->instance_count; place++) {
        const struct model_instance *instance = instance_at(model, place);
        if (instance == NULL || (snapshot != NULL && instance->snapshot != snapshot))
            continue;
        count++;
        model_want_text(model, instance->name == NULL ? "" : instance->name);
        if (instance->name != NULL && !model_plain_text(instance->name))
            model_no_opinion(model); /* shown as a path */
        model_want_databases(model, instance);
        if (instance->lost)
            model_no_opinion(model);
    }
    model_want_fact(model, "n=%zu", count);
}
