/* Files changed by hand, and restores. */
#include <string.h>
#include <strings.h>

#include "fuzz/model/state.h"

/* In the program's own folder, or in what it stands in, anything may have changed. */
static void touch(struct model *model, const char *path)
{
    model_touch(model, path);
    const char *clean = path == NULL ? "none" : model_path(model, path);
    if (clean[0] == '\0' || strncmp(clean, "..", 2) == 0)
        model->lost = true;
}

static void touch_first(struct model *model)
{
    const char *path = model_text(model);
    model_no_opinion(model);
    touch(model, path);
    if (path != NULL && strcmp(model_path(model, path), "/") == 0)
        model->lost = true; /* all there is */
}

static void touch_second(struct model *model)
{
    model_no_opinion(model);
    model_text(model);
    touch(model, model_text(model));
}

/* Where an instance has its temporary database, or had it when it crashed, a file may be in the way. */
static bool is_temporary(struct model *model, const char *path)
{
    for (size_t i = 0; i < model->instance_count; i++) {
        const struct model_instance *instance = model->instances[i];
        if (instance->alive && instance->initialised &&
            model_is_below(model_path(model, path), model_temporary_file(model, instance)))
            return true;
    }
    for (size_t i = 0; i < model->file_count; i++) {
        if (model->files[i]->temporary && model_is_below(model_path(model, path), model->files[i]->path))
            return true;
    }
    return false;
}

static void make_directory(struct model *model)
{
    const char *path = model_text(model);
    if (!model_plain_path(path) || is_temporary(model, path) || strchr(path, '.') != NULL ||
        model_touched(model, model_path(model, path)))
        model_no_opinion(model); /* a file may be in the way */
    if (path != NULL && strchr(path, '.') != NULL && !model_database_path(path) && model_succeeded(model))
        model->lost = true; /* or may not come where this is now */
    model_want(model, JET_errSuccess);
    if (path == NULL || path[0] == '\0')
        return;
    /* No database can be there any more, nor have been. */
    struct database_file *file = model_file(model, path);
    if (file->exists || file->attached != NULL)
        model_no_opinion(model);
    file->damaged = true;
}

static struct backup_set *find_set(struct model *model, const char *directory)
{
    struct backup_set *found = NULL;
    const char *wanted = model_path(model, directory);
    for (size_t i = 0; i < model->set_count; i++) {
        if (strcmp(model->sets[i]->directory, wanted) == 0) {
            if (found != NULL)
                return NULL; /* written twice */
            found = model->sets[i];
        }
    }
    return found;
}

/* The set's database with this path, or NULL. */
static struct content *content_in_set(const struct backup_set *set, const char *path)
{
    size_t length = strlen(set->directory);
    if (strncmp(path, set->directory, length) != 0 || path[length] != '/')
        return NULL;
    for (uint32_t i = 0; i < set->count; i++) {
        if (strcmp(set->names[i], path + length + 1) == 0)
            return set->contents[i];
    }
    return NULL;
}

/* After a restore, the database at `path` holds what the set holds (or, if `content` is NULL, who knows). */
static void restored(struct model *model, const char *path, struct content *content)
{
    struct database_file *file = model_file(model, path);
    if (file->attached != NULL)
        return; /* nobody else writes to what an instance has open */
    *file = (struct database_file){.path = file->path, .exists = true, .damaged = content == NULL};
    file->content = content == NULL ? model_content_new(model) : model_content_copy(model, content);
    file->content->opaque = content == NULL || content->opaque;
    file->durable = model_content_copy(model, file->content);
    file->fields_unknown = content == NULL;
    file->page = content == NULL ? 0 : model->page;
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}

/* Databases are known by where they lay; one that is not named is missing in the end. */
static int32_t restore_code(const struct model *model, const struct backup_set *set, const char *const *from,
                            size_t count)
{
    if (set->page != model->page)
        return JET_errPageSizeMismatch;
    for (uint32_t i = 0; i < set->count; i++) {
        bool named = false;
        for (size_t k = 0; k < count; k++)
            named = named || strcmp(set->paths[i], from[k]) == 0;
        if (!named)
            return JET_errAttachedDatabaseMismatch;
    }
    return JET_errSuccess;
}

/* With a target: if it runs, its log begins a new generation; if not, the restore works in its folders. */
static void reach_target(struct model *model)
{
    const char *name = model_option(model, "tname");
    const char *log = model_option(model, "tlog");
    const char *checkpoint = model_option(model, "tchk");
    for (size_t i = 0; i < model->instance_count; i++) {
        struct model_instance *instance = model->instances[i];
        if (!instance->alive || !instance->initialised ||
            (name != NULL ? instance->name == NULL || strcasecmp(instance->name, name) != 0
                          : log == NULL || strcmp(instance->log_path, model_path(model, log)) != 0))
            continue;
        model_log_written(model, instance, 4096);
        instance->generation = 0;
    }
    model_touch(model, log);
    model_touch(model, checkpoint);
}

/* An instance that runs has its checkpoint or its temporary database there. */
static bool is_taken(struct model *model, const char *path)
{
    for (size_t i = 0; i < model->instance_count; i++) {
        const struct model_instance *instance = model->instances[i];
        if (instance->alive && instance->initialised &&
            (strcmp(instance->system_path, path) == 0 ||
             model_is_below(model_temporary_file(model, instance), path)))
            return true;
    }
    return false;
}

/* A restore takes an instance of its own: where there is no other, the mode may end with it. */
static void end_mode(struct model *model)
{
    if (model->mode == MODE_MULTI && model_the_one(model) == NULL)
        model->lost = true;
}

static void external_restore(struct model *model)
{
    end_mode(model);
    const char *checkpoint = model_text(model);
    const char *log = model_text(model);
    const char *backup = model_text(model);
    struct backup_set *set = backup == NULL ? NULL : find_set(model, backup);
    const char *from[16];
    const char *to[16];
    size_t count = 0;
    while (count < 16) {
        const char *first = model_text(model);
        const char *second = model_text(model);
        if (first == NULL || second == NULL)
            break;
        from[count] = model_path(model, first);
        to[count++] = model_path(model, second);
    }
    if (model_has_options(model) || set == NULL || !set->whole || !set->usual_names || set->spent ||
        count == 0 || count > set->count || checkpoint == NULL || log == NULL ||
        model_touched(model, set->directory) || model_touched(model, model_path(model, log)) ||
        model_logs_used(model, model_path(model, log)) ||
        strcmp(model_path(model, log), model_path(model, checkpoint)) != 0 || (model->mode == MODE_ONE) ||
        is_taken(model, model_path(model, log)) ||
        model_instances_full(model)) /* it takes an instance of its own */
        model_no_opinion(model);
    reach_target(model);
    for (size_t i = 0; i < count && set != NULL; i++) {
        const char *base = strrchr(to[i], '/');
        if (content_in_set(set, to[i]) == NULL || base == NULL || strcmp(base + 1, base_name(from[i])) != 0)
            model_no_opinion(model);
    }
    for (size_t i = 0; i < model->set_count && log != NULL; i++) {
        if (model->sets[i] != set && model_is_below(model->sets[i]->directory, model_path(model, log)))
            model_no_opinion(model); /* an increment lies there and is played, too */
    }
    bool sure = !model->expect.no_opinion;
    model_want(model, set == NULL ? JET_errSuccess : restore_code(model, set, from, count));
    model->expect.rule = "I7";
    if (log != NULL)
        model_lay_logs(model, model_path(model, log));
    if (!model_succeeded(model)) {
        for (size_t i = 0; i < count; i++)
            restored(model, to[i], NULL);
        model_touch(model, checkpoint);
        model_touch(model, log);
        model_touch(model, backup);
        return;
    }
    for (size_t i = 0; i < count; i++)
        restored(model, to[i], sure && set != NULL ? content_in_set(set, to[i]) : NULL);
    if (!sure) {
        model_touch(model, checkpoint);
        model_touch(model, log);
        model_touch(model, backup);
    }
    if (set != NULL)
        set->spent = true;
}

/* Restores of directory backups play forward through what logs they find: followed, not foretold. They take
 * an instance of their own, or one that is not started and stays so. */
static void restore(struct model *model)
{
    const bool with_instance = strncmp(model->line->op->name, "RestoreInstance", 15) == 0;
    struct model_instance *instance = &model->defaults;
    model_no_opinion(model);
    end_mode(model);
    if (with_instance) {
        struct model_reference reference = model_reference(model);
        if (reference.kind == OBJECT_INSTANCE && ((struct model_instance *)reference.pointer)->alive)
            instance = reference.pointer;
    }
    if (instance != &model->defaults && !instance->initialised)
        instance->lost = true; /* its paths are others now */
    model_touch(model, instance->log_path);
    model_touch(model, instance->system_path);
    for (const char *path = model_text(model); path != NULL; path = model_text(model)) {
        model_touch(model, path);
        if (!model_plain_path(path) || strchr(path, '.') != NULL || path[0] == '/')
            model->lost = true;
    }
    for (size_t i = 0; i < model->file_count; i++) { /* wherever they lay when they were backed up */
        if (model->files[i]->attached == NULL)
            model->files[i]->damaged = true;
    }
}

const struct model_entry model_file_entries[] = {
    {"MakeDir", make_directory},
    {"DeleteDir", touch_first},
    {"DeleteFile", touch_first},
    {"Corrupt", touch_first},
    {"Truncate", touch_first},
    {"CopyFile", touch_second},
    {"CopyDir", touch_second},
    {"ExternalRestore", external_restore},
    {"ExternalRestore2", external_restore},
    {"Restore", restore},
    {"Restore2", restore},
    {"RestoreInstance", restore},
    {NULL, NULL},
};
