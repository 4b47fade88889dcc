/* Databases: create, attach, open, detach, and what their headers say. */
#include <stdlib.h>
#include <string.h>

#include "fuzz/model/state.h"

bool model_lacks_database(struct model *model)
{
    if (model->next >= model->line->argument_count)
        return false;
    const struct program_token *token = &model->line->arguments[model->next];
    if (token->text != NULL || token->word == NULL)
        return false;
    const bool slot = token->word[0] == 'd' && token->word[1] >= '0' && token->word[1] <= '9';
    const unsigned long index = slot ? strtoul(token->word + 1, NULL, 10) : SLOTS;
    const bool empty = index < SLOTS && model_slot(model, 2, index).kind == OBJECT_NONE;
    if (!empty && strcmp(token->word, "nil") != 0)
        return false;
    model_want(model, JET_errInvalidDatabaseId);
    return true;
}

struct model_database *model_database_argument(struct model *model, struct model_session *session)
{
    struct model_reference reference = model_reference(model);
    struct model_database *database = reference.kind == OBJECT_DATABASE ? reference.pointer : NULL;
    if (database == NULL || database->instance != session->instance)
        return NULL;
    if (database->alive && database->session == session)
        return database;
    /* A handle names the database: it serves every session that has it open, by whatever call, and no
     * other. */
    for (size_t i = 0; i < model->database_count; i++) {
        struct model_database *other = model->databases[i];
        if (other->alive && other->session == session && other->file == database->file &&
            other->life == database->life)
            return other;
    }
    return NULL;
}

static void open_slot(struct model *model, struct model_reference slot, struct model_session *session,
                      struct database_file *file)
{
    struct model_database *database = arena_allocate(&model->arena, sizeof *database);
    *database = (struct model_database){session->instance, file, file->life, true, session};
    model->databases =
        model_room(model, model->databases, model->database_count, sizeof(struct model_database *));
    model->databases[model->database_count++] = database;
    model_slot_set(model, slot, OBJECT_DATABASE, database);
}

/* There is nowhere to put the handle. */
static bool lacks_place(struct model *model, struct model_reference slot)
{
    if (slot.is_null)
        model_want(model, JET_errInvalidParameter);
    return slot.is_null;
}

static bool backup_answer(struct model *model, const struct model_instance *instance)
{
    switch (instance->backup.kind) {
    case BACKUP_LOCAL:
        model_want(model, JET_errBackupInProgress);
        return true;
    case BACKUP_SURROGATE:
        model_want(model, JET_errSurrogateBackupInProgress);
        return true;
    case BACKUP_FROZEN:
        model_no_opinion(model);
        return true;
    case BACKUP_NONE:
        break;
    }
    return false;
}

static bool directory_may_be_missing(const struct model_instance *instance, const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *dot = strchr(path, '.'); /* a file's name may be where a folder's should be */
    return slash != NULL && (!model_creates_paths(instance) || (dot != NULL && dot < slash));
}

/* Folders are made for a new database, also if it is refused then: no file can be there any more. */
static void make_folders(struct model *model, const struct model_instance *instance, const char *path)
{
    for (const char *slash = strchr(path, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        const char *folder = arena_format(&model->arena, "%.*s", (int)(slash - path), path);
        const char *last = strrchr(folder, '/');
        if (!model_creates_paths(instance))
            continue;
        if (model_database_path(folder))
            model_file(model, folder)->damaged = true;
        else if (strchr(last == NULL ? folder : last, '.') != NULL)
            model_touch(model, folder); /* it may bear the name of a log */
    }
}

/* An instance may make its temporary database there, or has made it, and deletes it in the end. */
static bool is_temporary(struct model *model, const struct database_file *file)
{
    for (size_t i = 0; i < model->instance_count; i++) {
        const struct model_instance *instance = model->instances[i];
        if (instance->initialised && strcmp(model_temporary_file(model, instance), file->path) == 0)
            return true;
    }
    return false;
}

/* While frozen, an attach or detach waits, or not: by what it finds first. */
static bool meets_freeze(struct model *model, const struct model_instance *instance)
{
    if (instance->snapshot == NULL || instance->snapshot->state != SNAPSHOT_FROZEN)
        return false;
    model_no_opinion(model);
    model->lost = true;
    return true;
}

static bool databases_full(const struct model *model, const struct model_instance *instance)
{
    size_t count = 0;
    for (size_t i = 0; i < model->file_count; i++)
        count += model->files[i]->attached == instance;
    return count >= DATABASES_MOST;
}

static int32_t create_code(const struct model *model, const struct model_instance *instance,
                           const struct database_file *file)
{
    if (file->attached != instance && databases_full(model, instance))
        return JET_errTooManyAttachedDatabases;
    return file->exists ? JET_errDatabaseDuplicate : JET_errSuccess;
}

/* The newer calls bring the most pages that the file may have, 0: any number. */
static uint32_t pages_argument(struct model *model)
{
    const char *name = model->line->op->name;
    return name[strlen(name) - 1] == '2' ? model_bits(model) : 0;
}

/* Which rows find no room any more is not described. */
static void limit_pages(struct database_file *file, uint32_t pages)
{
    if (pages == 0)
        return;
    file->content->opaque = true;
    file->durable->opaque = true;
}

/* The creation was refused before the log knew of it. */
static bool is_refusal(const struct model *model, int32_t code)
{
    return code == JET_errInTransaction || code == JET_errDatabaseDuplicate ||
           code == JET_errDatabaseSharingViolation || code == JET_errTooManyAttachedDatabases ||
           code == JET_errCannotDisableVersioning || code == JET_errDatabaseInvalidPath ||
           (code == JET_errInvalidPath && !model->published);
}

static void create_database(struct model *model)
{
    struct model_session *session = model_session_gate(model);
    struct model_reference slot = model_reference(model);
    const char *path = model_text(model);
    const uint32_t pages = pages_argument(model);
    const uint32_t grbit = model_bits(model);
    if (session == NULL || lacks_place(model, slot))
        return;
    struct model_instance *instance = session->instance;
    if (meets_freeze(model, instance))
        return;
    if (!model_database_path(path) || grbit != 0) {
        model_no_opinion(model);
        path = path == NULL ? "" : path;
        model->lost = model->lost || !model_database_path(path);
    }
    struct database_file *file = model_file(model, path);
    const bool temporary = is_temporary(model, file);
    if (temporary || session->level > 0 || instance->snapshot != NULL || model_clouded(model, file->path) ||
        directory_may_be_missing(instance, file->path) || file->damaged ||
        (file->attached != NULL && file->attached != instance))
        model_no_opinion(model);
    model_want(model, create_code(model, instance, file));
    make_folders(model, instance, file->path);
    if (!model_succeeded(model)) {
        /* One that fails half-way is fatal to the instance, and in its log. */
        if (!is_refusal(model, model_answered(model))) {
            instance->lost = true;
            model_touch(model, instance->log_path);
        }
        return;
    }
    *file = (struct database_file){.path = file->path, .exists = true, .page = model->page};
    file->content = model_content_new(model);
    file->durable = model_content_new(model);
    model_attach(model, file, instance);
    file->damaged = temporary;
    limit_pages(file, pages);
    if ((grbit & ~(uint32_t)(JET_bitDbRecoveryOff | JET_bitDbVersioningOff | JET_bitDbShadowingOff)) != 0)
        model->lost = true;
    file->unloggable = instance->no_logging || (grbit & JET_bitDbRecoveryOff) != 0;
    file->gap = instance->backup.incremental; /* it wants all logs, and the first may be gone */
    open_slot(model, slot, session, file);
    model_log_written(model, instance, 60000);
}

static bool has_logs_of(const struct database_file *file, const struct model_instance *instance)
{
    return file->log_path == NULL || (strcmp(file->log_path, instance->log_path) == 0 &&
                                      strcmp(file->log_base, instance->base_name) == 0);
}

/* With other logs than before, the database's backups mean nothing any more. */
static void forget_backups(struct database_file *file)
{
    file->fields = (struct backup_fields){0};
    file->fields_fresh = true;
    file->full_by_snapshot = false;
}

/* Of a file that is there and not attached yet: the size of its pages is looked at before its state. */
static int32_t attach_code(const struct model *model, const struct model_instance *instance,
                           const struct database_file *file)
{
    if (databases_full(model, instance))
        return JET_errTooManyAttachedDatabases;
    if (file->page != 0 && file->page != model->page)
        return JET_errPageSizeMismatch;
    return file->dirty ? JET_errDatabaseDirtyShutdown : JET_errSuccess;
}

static void attach_database(struct model *model)
{
    struct model_session *session = model_session_gate(model);
    const char *path = model_text(model);
    const uint32_t pages = pages_argument(model);
    const uint32_t grbit = model_bits(model);
    if (session == NULL || path == NULL) {
        if (path == NULL)
            model_no_opinion(model);
        return;
    }
    struct model_instance *instance = session->instance;
    if (meets_freeze(model, instance))
        return;
    struct database_file *file = model_file(model, path);
    bool here = file->attached == instance;
    file->damaged = file->damaged || is_temporary(model, file);
    if (session->level > 0 || model_clouded(model, file->path) || file->damaged ||
        instance->snapshot != NULL || (file->attached != NULL && !here) ||
        (grbit & ~(uint32_t)JET_bitDbReadOnly) != 0 || !model_database_path(path))
        model_no_opinion(model);
    if (!file->exists && model->assume_files)
        model_no_opinion(model);
    if (!file->exists)
        model_want(model, JET_errFileNotFound);
    else if (!backup_answer(model, instance))
        model_want(model, here ? JET_wrnDatabaseAttached : attach_code(model, instance, file));
    int32_t code = model_answered(model);
    if (code < 0 || code == JET_wrnDatabaseAttached)
        return;
    if (file->damaged || model_clouded(model, file->path) || !file->exists) {
        file->content->opaque = true;
        file->fields_unknown = true;
    }
    file->exists = true;
    file->page = model->page;
    file->read_only = (grbit & JET_bitDbReadOnly) != 0;
    file->unloggable = instance->no_logging || (grbit & JET_bitDbRecoveryOff) != 0;
    if (!file->read_only && (file->unloggable || !has_logs_of(file, instance)))
        forget_backups(file);
    file->gap = file->gap || (file->read_only && !has_logs_of(file, instance)); /* other numbers */
    model_attach(model, file, instance);
    limit_pages(file, pages);
    file->copied = false;
    model_log_written(model, instance, 8000);
}

/* The session, or NULL: somebody, has it open. */
static bool is_open(const struct model *model, const struct database_file *file,
                    const struct model_session *session)
{
    for (size_t i = 0; i < model->database_count; i++) {
        const struct model_database *database = model->databases[i];
        if (database->alive && database->file == file && (session == NULL || database->session == session))
            return true;
    }
    return false;
}

static int32_t open_code(const struct model *model, const struct model_session *session,
                         const struct database_file *file, uint32_t grbit)
{
    if (file == NULL || file->attached != session->instance)
        return JET_errDatabaseNotFound;
    if (file->exclusive != NULL && file->exclusive != session)
        return JET_errDatabaseLocked;
    if ((grbit & JET_bitDbExclusive) != 0 && is_open(model, file, NULL))
        return JET_errDatabaseInUse;
    return JET_errSuccess;
}

static void open_database(struct model *model)
{
    struct model_session *session = model_session_gate(model);
    struct model_reference slot = model_reference(model);
    const char *path = model_text(model);
    const uint32_t grbit = model_bits(model);
    if (session == NULL || lacks_place(model, slot))
        return;
    struct database_file *file = path == NULL ? NULL : model_file_find(model, path);
    const struct model_handle *copying = session->instance->backup.open;
    if (!model_database_path(path) || session->level > 0 ||
        (grbit & ~(uint32_t)(JET_bitDbReadOnly | JET_bitDbExclusive)) != 0)
        model_no_opinion(model);
    if (file != NULL && file->damaged && file->attached == NULL)
        model_no_opinion(model); /* a recovery may have left it attached */
    if ((grbit & JET_bitDbExclusive) != 0 && copying != NULL && copying->file == file)
        model_no_opinion(model); /* the copy has it open, too */
    model_want(model, open_code(model, session, file, grbit));
    if (!model_succeeded(model))
        return;
    if (file == NULL)
        file = model_file(model, path == NULL ? "" : path);
    if (file->attached != session->instance)
        model->lost = true;
    if ((grbit & JET_bitDbExclusive) != 0)
        file->exclusive = session;
    open_slot(model, slot, session, file);
}

static void close_database(struct model *model)
{
    struct model_session *session = model_ending_session_gate(model);
    if (session == NULL || model_lacks_database(model))
        return;
    struct model_database *database = model_database_argument(model, session);
    if (database == NULL) {
        model_no_opinion(model);
        session->instance->lost = session->instance->lost || model_succeeded(model); /* some open less */
        return;
    }
    if (database->session != session)
        model_no_opinion(model);
    model_want(model, JET_errSuccess);
    if (!model_succeeded(model))
        return;
    database->alive = false;
    if (database->file->exclusive == session)
        database->file->exclusive = NULL;
    for (size_t i = 0; i < model->cursor_count && !is_open(model, database->file, session); i++) {
        struct model_cursor *cursor = model->cursors[i];
        if (cursor->session == session && cursor->file == database->file)
            cursor->alive = false;
    }
}

static void detached(struct model *model, struct model_instance *instance, struct database_file *file)
{
    file->attached = NULL;
    file->dirty = false;
    file->durable = model_content_copy(model, file->content);
    file->uncertain = false;
    file->fields_fresh = false;
    file->damaged = file->damaged || instance->lost;
    model_log_written(model, instance, 8000);
}

static struct database_file *file_at(const struct model *model, const struct model_instance *instance,
                                     uint32_t place)
{
    for (size_t i = 0; i < model->file_count; i++) {
        if (model->files[i]->attached == instance && model->files[i]->place == place)
            return model->files[i];
    }
    return NULL;
}

/* Without a name all are detached, in their order, up to the first that is in use. */
static void detach_all(struct model *model, const struct model_session *session)
{
    struct model_instance *instance = session->instance;
    const bool one_in_use = model_answered(model) == JET_errDatabaseInUse;
    model_no_opinion(model);
    if (!model_succeeded(model) && !one_in_use) {
        const bool refused = session->level > 0 || instance->backup.kind != BACKUP_NONE ||
                             model_answered(model) == JET_errInvalidGrbit ||
                             model_answered(model) == JET_errForceDetachNotAllowed;
        instance->lost = instance->lost || !refused;
        return;
    }
    for (uint32_t place = 1; place <= model->file_count; place++) {
        struct database_file *file = file_at(model, instance, place);
        if (file != NULL && is_open(model, file, NULL))
            return;
        if (file != NULL && one_in_use && model_has_transaction(model, instance))
            break;
        if (file != NULL)
            detached(model, instance, file);
    }
    /* Versions may keep one in use that nobody has open. */
    instance->lost = instance->lost || one_in_use;
}

static void detach_database(struct model *model)
{
    struct model_session *session = model_session_gate(model);
    const char *path = model_text(model);
    const uint32_t grbit = model_bits(model);
    if (session == NULL)
        return;
    struct model_instance *instance = session->instance;
    if (meets_freeze(model, instance))
        return;
    if (grbit != 0)
        model_no_opinion(model);
    if (path == NULL || path[0] == '\0') {
        detach_all(model, session);
        return;
    }
    struct database_file *file = model_file_find(model, path);
    bool attached = file != NULL && file->attached == instance;
    /* An old transaction may keep versions of the database, which is in use then. */
    if (!model_database_path(path) || model_has_transaction(model, instance) || instance->snapshot != NULL)
        model_no_opinion(model);
    if (!attached)
        model_want(model, JET_errDatabaseNotFound);
    else if (is_open(model, file, NULL) && instance->backup.kind == BACKUP_NONE)
        model_want(model, JET_errDatabaseInUse);
    else if (!backup_answer(model, instance))
        model_want(model, JET_errSuccess);
    if (attached && is_open(model, file, NULL))
        model_want(model, JET_errDatabaseInUse); /* which of the two is seen first is not told */
    if (!attached && instance->backup.kind != BACKUP_NONE)
        backup_answer(model, instance);
    if (!model_succeeded(model))
        return;
    if (!attached) {
        instance->lost = true;
        return;
    }
    detached(model, instance, file);
}

/* --- headers */

static void want_header(struct model *model, const struct database_file *file, uint32_t state)
{
    model_want_fact(model, "state=%u", state);
    if (file->page != 0)
        model_want_fact(model, "page=%u", file->page);
    if (file->fields_unknown)
        return;
    model->expect.rule = "I8";
    model_want_fact(model, "fullPrev=%u", file->fields.full);
    model_want_fact(model, "incPrev=%u", file->fields.incremental);
    model_want_fact(model, "fullCur=0");
    model_want_fact(model, "copyPrev=%u", file->fields.copy);
    model_want_fact(model, "diffPrev=%u", file->fields.differential);
}

static bool is_misc(struct model *model)
{
    const struct program_token *level = model_token(model);
    return level != NULL && level->text == NULL && strcmp(level->word, "DbInfoMisc") == 0;
}

/* Where the generations were not known, the header tells them. */
static void learn_header(struct model *model, struct database_file *file)
{
    uint64_t value;
    if (!model_succeeded(model))
        return;
    if (model_answer_number(model, "fullPrev", &value))
        file->fields.full = (uint32_t)value;
    if (model_answer_number(model, "incPrev", &value))
        file->fields.incremental = (uint32_t)value;
    if (model_answer_number(model, "copyPrev", &value))
        file->fields.copy = (uint32_t)value;
    if (model_answer_number(model, "diffPrev", &value))
        file->fields.differential = (uint32_t)value;
}

static void get_database_info(struct model *model)
{
    struct model_session *session = model_session_gate(model);
    if (session == NULL || model_lacks_database(model))
        return;
    struct model_database *database = model_database_argument(model, session);
    if (!is_misc(model) || model_has_options(model) || database == NULL) {
        model_no_opinion(model);
        return;
    }
    struct database_file *file = database->file;
    if (file->damaged || session->instance->snapshot != NULL ||
        session->instance->backup.kind == BACKUP_FROZEN)
        model_no_opinion(model);
    model_want(model, JET_errSuccess);
    want_header(model, file, file->read_only ? JET_dbstateCleanShutdown : JET_dbstateDirtyShutdown);
    learn_header(model, file);
}

static void get_database_file_info(struct model *model)
{
    const char *path = model_text(model);
    struct database_file *file = model_file_find(model, path);
    if (file == NULL || !file->exists || file->damaged || model_clouded(model, file->path) ||
        !is_misc(model) || file->attached != NULL) {
        model_no_opinion(model);
        return;
    }
    model_want(model, JET_errSuccess);
    want_header(model, file, file->dirty ? JET_dbstateDirtyShutdown : JET_dbstateCleanShutdown);
    learn_header(model, file);
}

const struct model_entry model_database_entries[] = {
    {"CreateDatabase", create_database},
    {"CreateDatabase2", create_database},
    {"AttachDatabase", attach_database},
    {"AttachDatabase2", attach_database},
    {"OpenDatabase", open_database},
    {"CloseDatabase", close_database},
    {"DetachDatabase", detach_database},
    {"DetachDatabase2", detach_database},
    {"GetDatabaseInfo", get_database_info},
    {"GetDatabaseFileInfo", get_database_file_info},
    {NULL, NULL},
};
