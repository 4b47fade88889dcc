/* The model's objects: arguments, expectations, files. */
#include "fuzz/model/state.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz/runner/names.h"

#define ROOM_LEAST 8u

static bool is_option_token(const struct program_token *token)
{
    const char *c = token->word;
    while ((*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || (*c >= '0' && *c <= '9'))
        c++;
    return c > token->word && *c == '=' && !(token->word[0] >= '0' && token->word[0] <= '9');
}

const struct program_token *model_token(struct model *model)
{
    while (model->next < model->line->argument_count && is_option_token(&model->line->arguments[model->next]))
        model->next++;
    return model->next < model->line->argument_count ? &model->line->arguments[model->next++] : NULL;
}

void *model_room(struct model *model, void *array, size_t count, size_t size)
{
    /* Its length is the next power of two. */
    if (count != 0 && (count < ROOM_LEAST || (count & (count - 1)) != 0))
        return array;
    void *longer = arena_allocate(&model->arena, (count < ROOM_LEAST ? ROOM_LEAST : 2 * count) * size);
    if (count > 0)
        memcpy(longer, array, count * size);
    return longer;
}

struct object model_slot(const struct model *model, int letter, unsigned long index)
{
    return index < SLOTS && model->slots[letter] != NULL ? model->slots[letter][index]
                                                         : (struct object){OBJECT_NONE, NULL};
}

struct model_reference model_reference(struct model *model)
{
    struct model_reference reference = {.letter = -1, .index = -1};
    const struct program_token *token = model_token(model);
    if (token == NULL || token->text != NULL)
        return reference;
    static const char letters[] = "isdthnbc";
    const char *letter = token->word[0] != '\0' ? strchr(letters, token->word[0]) : NULL;
    reference.is_null = strcmp(token->word, "null") == 0;
    if (letter == NULL || token->word[1] < '0' || token->word[1] > '9')
        return reference;
    unsigned long index = strtoul(token->word + 1, NULL, 10);
    if (index >= SLOTS)
        return reference;
    reference.letter = (int)(letter - letters);
    reference.index = (int)index;
    const struct object object = model_slot(model, reference.letter, index);
    reference.kind = object.kind;
    reference.pointer = object.pointer;
    return reference;
}

bool model_invented(const struct program_token *token)
{
    uint64_t number = 0;
    if (token->text != NULL || token->word == NULL || strncmp(token->word, "raw:", 4) != 0)
        return false;
    return !model_number_text(token->word + 4, &number) || (number != 0 && number != UINT64_MAX);
}

void model_slot_set(struct model *model, struct model_reference slot, enum object_kind kind, void *pointer)
{
    if (slot.letter < 0)
        return;
    struct object **slots = &model->slots[slot.letter];
    if (*slots == NULL)
        *slots = arena_allocate(&model->arena, SLOTS * sizeof **slots);
    (*slots)[slot.index] = (struct object){kind, pointer};
}

const char *model_text(struct model *model)
{
    const struct program_token *token = model_token(model);
    return token == NULL ? NULL : token->text;
}

bool model_number_text(const char *text, uint64_t *number)
{
    return name_number(text, number);
}

uint64_t model_number(struct model *model, uint64_t otherwise)
{
    const struct program_token *token = model_token(model);
    uint64_t number = otherwise;
    if (token != NULL && token->text == NULL)
        model_number_text(token->word, &number);
    return number;
}

uint32_t model_bits(struct model *model)
{
    return (uint32_t)model_number(model, 0);
}

const char *model_option(const struct model *model, const char *key)
{
    const struct program_token *token = program_find_argument(model->line, key);
    return token == NULL ? NULL : program_token_value(token, strlen(key) + 1, NULL);
}

bool model_has_options(const struct model *model)
{
    for (size_t i = 0; i < model->line->argument_count; i++) {
        if (is_option_token(&model->line->arguments[i]))
            return true;
    }
    return false;
}

/* Where the last of the names ends that begin at `start` and end at `end`, without it: a ".." takes it away.
 * NULL: there is none. */
static char *without_last(char *start, char *end)
{
    char *slash = end;
    while (slash > start && slash[-1] != '/')
        slash--;
    if (end == start || (end == slash + 2 && slash[0] == '.' && slash[1] == '.'))
        return NULL;
    return slash > start + 1 ? slash - 1 : slash;
}

/* Relative, one '/' between names, no name ".", ".." only at the start, no '/' at the end. */
const char *model_path(struct model *model, const char *path)
{
    char *copy = arena_text(&model->arena, path);
    char *out = copy;
    for (const char *name = copy; *name != '\0';) {
        const size_t length = strcspn(name, "/\\");
        const bool first = name == copy;
        char *above = length == 2 && name[0] == '.' && name[1] == '.' ? without_last(copy, out) : NULL;
        const bool kept = above == NULL && (length > 1 || (length == 1 && name[0] != '.'));
        if (above != NULL)
            out = above;
        if (kept && out > copy && out[-1] != '/')
            *out++ = '/';
        if (kept) {
            memmove(out, name, length);
            out += length;
        }
        name += length;
        if (first && length == 0)
            *out++ = '/'; /* from the root */
        while (*name == '/' || *name == '\\')
            name++;
    }
    if (out == copy + 1 && copy[0] == '/')
        out = copy;
    *out = '\0';
    return copy;
}

bool model_is_below(const char *path, const char *directory)
{
    const size_t length = strlen(directory);
    return strncmp(path, directory, length) == 0 && (path[length] == '\0' || path[length] == '/');
}

bool model_plain_text(const char *text)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
    return text != NULL && text[0] != '\0' && strspn(text, plain) == strlen(text) && strlen(text) <= 60;
}

bool model_plain_path(const char *path)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./\\:";
    return path != NULL && path[0] != '\0' && strspn(path, plain) == strlen(path) && strlen(path) <= 120 &&
           strstr(path, "//") == NULL && strstr(path, "..") == NULL;
}

/* Files of an instance's own lie there. */
static bool is_home(const struct model *model, const char *directory, size_t length)
{
    for (size_t i = 0; i < model->instance_count; i++) {
        const struct model_instance *instance = model->instances[i];
        const char *const paths[] = {instance->log_path, instance->system_path, model->defaults.log_path};
        for (size_t k = 0; k < sizeof paths / sizeof paths[0]; k++) {
            if (strlen(paths[k]) == length && strncmp(paths[k], directory, length) == 0)
                return true;
        }
    }
    return false;
}

bool model_disturbing_target(const struct model *model, const char *path)
{
    if (path == NULL || path[0] == '\0')
        return false;
    if (!model_plain_path(path) || strchr(path, '.') == path ||
        strcspn(path, "\\:ABCDEFGHIJKLMNOPQRSTUVWXYZ") != strlen(path) || strstr(path, "tmp") != NULL)
        return true;
    const char *clean = model_path((struct model *)(uintptr_t)model, path);
    const char *slash = strrchr(clean, '/');
    const bool log = strstr(path, "edb.") != NULL || strstr(path, ".log") != NULL;
    if (is_home(model, clean, strlen(clean)) ||
        (log && is_home(model, clean, slash == NULL ? 0 : (size_t)(slash - clean))))
        return true;
    for (size_t i = 0; i < model->file_count; i++) {
        const size_t length = strlen(clean);
        const char *file = model->files[i]->path;
        if ((strcmp(clean, file) == 0 && model->files[i]->exists) ||
            (model->files[i]->attached != NULL && strncmp(clean, file, length) == 0 && file[length] == '/'))
            return true;
    }
    return false;
}

bool model_database_path(const char *path)
{
    const size_t length = path == NULL ? 0 : strlen(path);
    return model_plain_path(path) && path[0] != '/' && length > 4 && strcmp(path + length - 4, ".edb") == 0 &&
           path[length - 5] != '/';
}

/* --- expectations */

void model_want(struct model *model, int32_t code)
{
    struct expectation *expect = &model->expect;
    if (expect->code_count < sizeof expect->codes / sizeof expect->codes[0])
        expect->codes[expect->code_count++] = code;
}

void model_want_fact(struct model *model, const char *format, ...)
{
    char buffer[200];
    va_list list;
    va_start(list, format);
    vsnprintf(buffer, sizeof buffer, format, list);
    va_end(list);
    struct expectation *expect = &model->expect;
    if (expect->fact_count < sizeof expect->facts / sizeof expect->facts[0])
        expect->facts[expect->fact_count++] = arena_text(&model->arena, buffer);
}

void model_want_text(struct model *model, const char *text)
{
    struct expectation *expect = &model->expect;
    expect->check_texts = true;
    if (expect->text_count < sizeof expect->texts / sizeof expect->texts[0])
        expect->texts[expect->text_count++] = text;
}

void model_want_texts(struct model *model)
{
    model->expect.check_texts = true;
}

void model_no_opinion(struct model *model)
{
    model->expect.no_opinion = true;
}

int32_t model_answered(struct model *model)
{
    if (model->answer != NULL && model->answer->code != NULL) {
        char *end;
        long code = strtol(model->answer->code, &end, 10);
        if (end != model->answer->code && *end == '\0')
            return (int32_t)code;
    }
    if (model->expect.no_opinion || model->expect.code_count != 1) {
        model->lost = true;
        return -1;
    }
    return model->expect.codes[0];
}

bool model_answer_number(const struct model *model, const char *key, uint64_t *number)
{
    const char *text = model->answer == NULL ? NULL : program_outcome_fact(model->answer, key, true);
    return text != NULL && model_number_text(text, number);
}

/* --- objects */

static uint32_t free_instance_place(const struct model *model)
{
    for (uint32_t place = 0;; place++) {
        bool used = false;
        for (size_t i = 0; i < model->instance_count; i++)
            used = used || (model->instances[i]->alive && model->instances[i]->place == place);
        if (!used)
            return place;
    }
}

struct model_instance *model_add_instance(struct model *model, const char *name)
{
    struct model_instance *instance = arena_allocate(&model->arena, sizeof *instance);
    *instance = model->defaults;
    instance->name = name;
    instance->place = free_instance_place(model);
    instance->alive = true;
    model->instances =
        model_room(model, model->instances, model->instance_count, sizeof(struct model_instance *));
    model->instances[model->instance_count++] = instance;
    return instance;
}

bool model_instances_full(const struct model *model)
{
    size_t count = 0;
    for (size_t i = 0; i < model->instance_count; i++)
        count += model->instances[i]->alive;
    return count >= INSTANCES_MOST;
}

/* The instance is gone: so are its sessions, cursors and open databases. Files stay as they are; they
 * may miss logs that its backup has deleted, or itself, if it used them in a circle. */
void model_kill_instance(struct model *model, struct model_instance *instance)
{
    if (instance->backup.truncated || (instance->initialised && model_circular(instance)))
        model_logs_lost(model, instance);
    instance->alive = false;
    instance->initialised = false;
    instance->backup = (struct backup_context){0};
    instance->snapshot = NULL;
    for (size_t i = 0; i < model->session_count; i++) {
        if (model->sessions[i]->instance == instance)
            model->sessions[i]->alive = false;
    }
    for (size_t i = 0; i < model->cursor_count; i++) {
        if (model->cursors[i]->session->instance == instance)
            model->cursors[i]->alive = false;
    }
    for (size_t i = 0; i < model->database_count; i++) {
        if (model->databases[i]->instance == instance)
            model->databases[i]->alive = false;
    }
    for (size_t i = 0; i < model->file_count; i++) {
        if (model->files[i]->attached == instance)
            model->files[i]->attached = NULL;
    }
    bool any = false;
    for (size_t i = 0; i < model->instance_count; i++)
        any = any || model->instances[i]->alive;
    if (!any)
        model->mode = MODE_NONE;
}

struct database_file *model_file_find(struct model *model, const char *path)
{
    if (path == NULL)
        return NULL;
    const char *wanted = model_path(model, path);
    for (size_t i = 0; i < model->file_count; i++) {
        if (strcmp(model->files[i]->path, wanted) == 0)
            return model->files[i];
    }
    return NULL;
}

struct database_file *model_file(struct model *model, const char *path)
{
    struct database_file *file = model_file_find(model, path);
    if (file != NULL)
        return file;
    file = arena_allocate(&model->arena, sizeof *file);
    file->path = model_path(model, path);
    file->content = model_content_new(model);
    file->durable = file->content;
    model->files = model_room(model, model->files, model->file_count, sizeof(struct database_file *));
    model->files[model->file_count++] = file;
    return file;
}

static bool came_from_others(const struct database_file *file, const struct model_instance *instance)
{
    return file->log_path != NULL && (strcmp(file->log_path, instance->log_path) != 0 ||
                                      strcmp(file->log_base, instance->base_name) != 0);
}

/* What is changed without a log is another database to all logs. */
static void note_passage(struct model *model, struct database_file *file,
                         const struct model_instance *instance)
{
    if (file->unloggable)
        file->passages = NULL;
    if (file->unloggable || !came_from_others(file, instance))
        return;
    struct passage *passage = arena_allocate(&model->arena, sizeof *passage);
    *passage = (struct passage){file->log_path, file->log_base, instance->log_path, instance->base_name,
                                file->passages};
    file->passages = passage;
}

void model_attach(struct model *model, struct database_file *file, struct model_instance *instance)
{
    file->attached = NULL;
    for (file->place = 1;; file->place++) {
        bool used = false;
        for (size_t i = 0; i < model->file_count; i++)
            used = used || (model->files[i]->attached == instance && model->files[i]->place == file->place);
        if (!used)
            break;
    }
    file->attached = instance;
    file->life = ++model->attach_count;
    file->joined = false;
    if (file->read_only) /* its header keeps to the logs that it had */
        return;
    /* A restore has put it there: those logs want the one that was. */
    if (file->dirty && came_from_others(file, instance))
        model_touch(model, file->log_path);
    note_passage(model, file, instance);
    file->log_path = instance->log_path;
    file->log_base = instance->base_name;
    if (file->left_path == NULL)
        return;
    if (file->unloggable || strcmp(file->left_path, file->log_path) != 0 ||
        strcmp(file->left_base, file->log_base) != 0)
        file->moved = true;
    else
        file->left_path = NULL;
}

void model_touch(struct model *model, const char *path)
{
    if (path == NULL)
        return;
    model->touched = model_room(model, model->touched, model->touched_count, sizeof(char *));
    model->touched[model->touched_count++] = model_path(model, path);
}

bool model_touched(const struct model *model, const char *path)
{
    for (size_t i = 0; i < model->touched_count; i++) {
        const char *touched = model->touched[i];
        if (path[0] == '\0' && strchr(touched, '/') == NULL)
            return true; /* in the program's own directory */
        size_t length = strlen(touched);
        if (strncmp(path, touched, length) == 0 && (path[length] == '\0' || path[length] == '/'))
            return true;
        length = strlen(path);
        if (length > 0 && strncmp(touched, path, length) == 0 &&
            (touched[length] == '/' || touched[length] == '\0'))
            return true;
    }
    return false;
}

static bool is_below(const char *path, const char *directory)
{
    size_t length = strlen(directory);
    return strncmp(path, directory, length) == 0 && (path[length] == '/' || path[length] == '\0');
}

static bool is_known(const struct model *model, const char *path)
{
    for (size_t i = 0; i < model->file_count; i++) {
        if (strcmp(model->files[i]->path, path) == 0)
            return model->files[i]->exists;
    }
    return false;
}

bool model_clouded(const struct model *model, const char *path)
{
    for (size_t i = 0; i < model->set_count; i++) {
        if (is_below(path, model->sets[i]->directory) && !(model->sets[i]->spent && is_known(model, path)))
            return true;
    }
    return model_touched(model, path);
}

bool model_logs_used(const struct model *model, const char *directory)
{
    for (size_t i = 0; i < model->used_log_count; i++) {
        if (strcmp(model->used_logs[i].directory, directory) == 0)
            return true;
    }
    return false;
}

static void add_logs(struct model *model, struct used_logs logs)
{
    model->used_logs = model_room(model, model->used_logs, model->used_log_count, sizeof logs);
    model->used_logs[model->used_log_count++] = logs;
}

static bool same_set(const struct used_logs *logs, const struct model_instance *instance)
{
    return strcmp(logs->directory, instance->log_path) == 0 &&
           (logs->base_name == NULL || strcmp(logs->base_name, instance->base_name) == 0);
}

/* Both write their checkpoint into one file. */
static bool has_checkpoint_of(const struct used_logs *logs, const struct model_instance *instance)
{
    return logs->system_path != NULL && strcmp(logs->base_name, instance->base_name) == 0 &&
           strcmp(logs->system_path, instance->system_path) == 0;
}

bool model_logs_differ(const struct model *model, const struct model_instance *instance)
{
    for (size_t i = 0; i < model->used_log_count; i++) {
        const struct used_logs *logs = &model->used_logs[i];
        const bool same = same_set(logs, instance);
        if (same && (logs->base_name == NULL || strcmp(logs->system_path, instance->system_path) != 0 ||
                     logs->file_names != instance->numbers[MODEL_FILE_NAMES] || logs->page != model->page ||
                     logs->kilobytes != instance->numbers[MODEL_LOG_SIZE]))
            return true;
        if (!same && has_checkpoint_of(logs, instance))
            return true;
    }
    return false;
}

void model_close_logs(struct model *model, const struct model_instance *instance)
{
    for (size_t i = 0; i < model->used_log_count; i++)
        model->used_logs[i].closed = model->used_logs[i].closed || same_set(&model->used_logs[i], instance);
}

bool model_logs_closed(const struct model *model, const struct model_instance *instance)
{
    for (size_t i = 0; i < model->used_log_count; i++) {
        if (model->used_logs[i].closed && same_set(&model->used_logs[i], instance))
            return true;
    }
    return false;
}

void model_use_logs(struct model *model, struct model_instance *instance)
{
    bool found = false;
    const bool differ = model_logs_differ(model, instance);
    for (size_t i = 0; i < model->used_log_count; i++) {
        struct used_logs *logs = &model->used_logs[i];
        const bool same = same_set(logs, instance);
        found = found || same;
        logs->closed = logs->closed && !same;
        if (same && differ) /* a checkpoint is left elsewhere, and gets old */
            *logs = (struct used_logs){.directory = instance->log_path};
        else if (!same && has_checkpoint_of(logs, instance)) /* it is written over: all is played again */
            *logs = (struct used_logs){.directory = logs->directory};
    }
    instance->generation = found || model_touched(model, instance->log_path) ? 0 : 1;
    instance->lowest = instance->generation;
    instance->log_bytes = 0;
    if (!found)
        add_logs(model, (struct used_logs){instance->log_path, instance->base_name, instance->system_path,
                                           instance->numbers[MODEL_FILE_NAMES],
                                           instance->numbers[MODEL_LOG_SIZE], model->page, false});
}

void model_lay_logs(struct model *model, const char *directory)
{
    if (!model_logs_used(model, directory))
        add_logs(model, (struct used_logs){.directory = directory});
}
