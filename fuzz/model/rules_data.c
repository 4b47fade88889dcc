/* Tables and cursors. Changes of rows and schema that are not followed make a table opaque. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "fuzz/model/data_rules.h"

#define TABLE_NAME_MOST 60u /* longer names are not described */

bool model_alone(const struct model *model, const struct model_session *session)
{
    for (size_t i = 0; i < model->session_count; i++) {
        const struct model_session *other = model->sessions[i];
        if (other != session && other->alive && other->instance == session->instance && other->level > 0)
            return false;
    }
    return true;
}

bool model_sees_older(const struct model *model, const struct model_session *session)
{
    if (session->level == 0)
        return false;
    for (size_t i = 0; i < model->session_count; i++) {
        const struct model_session *other = model->sessions[i];
        if (other != session && other->alive && other->instance == session->instance)
            return true;
    }
    return session->left;
}

struct model_cursor *model_cursor_gate(struct model *model, struct model_session *session)
{
    struct model_reference reference = model_reference(model);
    struct model_cursor *cursor = reference.kind == OBJECT_CURSOR ? reference.pointer : NULL;
    if (cursor == NULL) {
        if (reference.letter >= 0 && reference.kind != OBJECT_NONE)
            model_no_opinion(model);
        model_want(model, JET_errInvalidTableId);
        return NULL;
    }
    if (!cursor->alive || cursor->session != session) {
        model_no_opinion(model);
        return NULL;
    }
    if (cursor->special)
        model_no_opinion(model);
    return cursor;
}

struct model_table *model_cursor_table(const struct model_cursor *cursor)
{
    return model_content_table(cursor->file->content, cursor->table);
}

/* What a slot holds after calls that open cursors in ways that are not followed. */
static struct model_cursor unknown_cursor;

/* A table of that name may be another one, with other indexes. */
static void taint_content(struct content *content)
{
    content->opaque = true;
    for (uint32_t i = 0; i < content->count; i++)
        content->tables[i].indexed = true;
}

void model_taint_databases(struct model *model, const struct model_instance *instance)
{
    for (size_t i = 0; i < model->file_count; i++) {
        if (model->files[i]->attached != instance)
            continue;
        taint_content(model->files[i]->content);
        taint_content(model->files[i]->durable);
    }
}

/* --- tables */

/* Blanks at the end are no part of it. */
static const char *table_name(struct model *model)
{
    const char *text = model_text(model);
    size_t length = text == NULL ? 0 : strlen(text);
    if (length == 0 || length > TABLE_NAME_MOST)
        return text;
    while (length > 0 && text[length - 1] == ' ')
        length--;
    return arena_format(&model->arena, "%.*s", (int)length, text);
}

/* A table that another session has made may be younger than the session's transaction. */
static bool surely_sees(const struct model *model, const struct model_session *session,
                        const struct database_file *file, const struct model_table *table)
{
    if (!model_sees_older(model, session) || table->maker == session)
        return true;
    for (uint32_t i = 0; i < session->saved_count[0] && !session->beside; i++) {
        if (session->saved_files[0][i] == file)
            return model_content_table(session->saved[0][i], table->name) != NULL;
    }
    return false;
}

static void add_cursor(struct model *model, struct model_reference slot, struct model_session *session,
                       struct database_file *file, const char *table)
{
    struct model_cursor *cursor = arena_allocate(&model->arena, sizeof *cursor);
    *cursor = (struct model_cursor){
        .session = session, .file = file, .table = table, .alive = true, .level = session->level};
    model->cursors = model_room(model, model->cursors, model->cursor_count, sizeof(struct model_cursor *));
    model->cursors[model->cursor_count++] = cursor;
    model_slot_set(model, slot, OBJECT_CURSOR, cursor);
}

static void make_table(struct model *model)
{
    struct model_session *session = model_session_gate(model);
    if (session != NULL && (session->level == 7 || model_versions(session) > MODEL_VERSIONS_MOST))
        model_no_opinion(model); /* it begins a transaction first, and needs versions */
    if (session == NULL || model_lacks_database(model))
        return;
    struct model_database *database = model_database_argument(model, session);
    struct model_reference slot = model_reference(model);
    const char *name = table_name(model);
    if (database == NULL || name == NULL) {
        model_no_opinion(model);
        if (model_succeeded(model)) {
            model_slot_set(model, slot, OBJECT_CURSOR, &unknown_cursor);
            model_taint_databases(model, session->instance);
        }
        return;
    }
    struct content *content = database->file->content;
    if (content->opaque || database->file->damaged || database->file->read_only ||
        !model_alone(model, session) || session->level == 7 || !model_plain_text(name) ||
        strncasecmp(name, "MSys", 4) == 0)
        model_no_opinion(model);
    model_want(model, model_content_table(content, name) != NULL ? JET_errTableDuplicate : JET_errSuccess);
    if (!model_succeeded(model)) { /* its space was taken and given back */
        if (!database->file->unloggable)
            model_log_written(model, session->instance, 1500);
        return;
    }
    model_content_add(model, content, name)->maker = session;
    add_cursor(model, slot, session, database->file, name);
    if (session->level == 0)
        model_wait_for_log(model, database->file, session->instance);
    const bool logged = !database->file->unloggable;
    if (logged)
        model_writes(model, session, 10000);
    else
        model_writes_unlogged(session, 10000);
    if (session->level == 0)
        model_content_commit(model, session, logged ? WROTE_SURELY : WROTE_NOTHING, false);
    else
        session->wrote = session->wrote || logged;
}

static void table(struct model *model)
{
    make_table(model);
    model_left_in_transaction(model);
}

static void open_table(struct model *model)
{
    struct model_session *session = model_session_gate(model);
    if (session == NULL || model_lacks_database(model))
        return;
    struct model_database *database = model_database_argument(model, session);
    struct model_reference slot = model_reference(model);
    const char *name = table_name(model);
    uint64_t grbit = model_number(model, 0);
    if (slot.is_null) {
        if (database == NULL)
            model_no_opinion(model);
        model_want(model, JET_errInvalidParameter);
        return;
    }
    if (database == NULL || name == NULL) {
        model_no_opinion(model);
        if (model_succeeded(model))
            model_slot_set(model, slot, OBJECT_CURSOR, &unknown_cursor);
        return;
    }
    struct content *content = database->file->content;
    const struct model_table *found = model_content_table(content, name);
    const bool known = found != NULL;
    bool shared = false;
    for (size_t i = 0; i < model->cursor_count; i++)
        shared = shared || (model->cursors[i]->alive && model->cursors[i]->session != session &&
                            model->cursors[i]->file == database->file);
    if (content->opaque || database->file->damaged || !model_alone(model, session) || shared || grbit != 0 ||
        (known ? !surely_sees(model, session, database->file, found) : name[0] != 't') ||
        !model_plain_text(name))
        model_no_opinion(model);
    model_want(model, known ? JET_errSuccess : JET_errObjectNotFound);
    if (!model_succeeded(model))
        return;
    if (!known) {
        struct model_table *added = model_content_add(model, content, name);
        added->opaque = true;
        added->indexed = true;
    }
    add_cursor(model, slot, session, database->file, name);
    model->cursors[model->cursor_count - 1]->special = grbit != 0;
}

/* Another cursor on the same table. */
static void dup_cursor(struct model *model)
{
    struct model_session *session = model_session_gate(model);
    if (session == NULL)
        return;
    struct model_cursor *cursor = model_cursor_gate(model, session);
    struct model_reference slot = model_reference(model);
    const uint64_t grbit = model_number(model, 0);
    if (cursor == NULL || grbit != 0 || session->instance->lost)
        model_no_opinion(model);
    model_want(model, slot.is_null ? JET_errInvalidParameter : JET_errSuccess);
    if (!model_succeeded(model))
        return;
    if (cursor == NULL || slot.letter < 0) {
        model_slot_set(model, slot, OBJECT_CURSOR, &unknown_cursor);
        return;
    }
    add_cursor(model, slot, session, cursor->file, cursor->table);
    model->cursors[model->cursor_count - 1]->special = cursor->special || grbit != 0;
}

static void close_table(struct model *model)
{
    struct model_session *session = model_ending_session_gate(model);
    if (session == NULL)
        return;
    struct model_cursor *cursor = model_cursor_gate(model, session);
    if (cursor == NULL)
        return;
    model->expect.no_opinion = session->instance->lost;
    model_want(model, JET_errSuccess);
    if (model_succeeded(model))
        cursor->alive = false;
}

/* What one change of a row or of the table writes to the log. */
static void write_change(struct model *model, struct model_session *session, const struct model_table *rows)
{
    const char *name = model->line->op->name;
    const bool builds = strncmp(name, "CreateIndex", 11) == 0;
    const bool row = strcmp(name, "Row") == 0 || strcmp(name, "Update") == 0 || strcmp(name, "Delete") == 0;
    const uint64_t values = strcmp(name, "Row") == 0 ? model_value_volume(model) : 0;
    if (rows == NULL || (row && rows->indexed) || (builds && (rows->opaque || rows->count > 0)))
        model_writes_unknown(model, session);
    else
        model_writes(model, session,
                     row ? (uint64_t)3 * model->page + 2 * rows->largest + values + 1000 : 4000);
}

static void become_opaque(struct model *model, struct model_table *rows)
{
    rows->opaque = true;
    rows->largest += strcmp(model->line->op->name, "Row") == 0 ? model_value_volume(model) : 0;
    rows->indexed = rows->indexed || strncmp(model->line->op->name, "CreateIndex", 11) == 0;
}

/* A long value may be stored at once, or with its row, as a short one is. */
static void set_columns(struct model *model)
{
    struct model_reference session_slot = model_reference(model);
    struct model_reference cursor_slot = model_reference(model);
    const uint64_t bytes = model_value_volume(model);
    model_no_opinion(model);
    if (session_slot.kind != OBJECT_SESSION || cursor_slot.kind != OBJECT_CURSOR || bytes < 400 ||
        !model_succeeded(model))
        return;
    struct model_cursor *cursor = cursor_slot.pointer;
    struct model_table *rows = cursor->file == NULL ? NULL : model_cursor_table(cursor);
    struct model_table *durable =
        rows == NULL ? NULL : model_content_table(cursor->file->durable, cursor->table);
    if (rows != NULL)
        rows->largest += bytes;
    if (durable != NULL)
        durable->largest += bytes;
    if (rows != NULL)
        model_writes(model, session_slot.pointer, bytes);
    else
        model_writes_unknown(model, session_slot.pointer);
}

/* Calls that change rows in ways that are not followed, or that read with their own rules. */
static void opaque_change(struct model *model)
{
    model_no_opinion(model);
    struct model_reference session_slot = model_reference(model);
    struct model_reference cursor_slot = model_reference(model);
    struct model_session *session = session_slot.kind == OBJECT_SESSION ? session_slot.pointer : NULL;
    if (session == NULL || cursor_slot.kind != OBJECT_CURSOR)
        return;
    struct model_cursor *cursor = cursor_slot.pointer;
    if ((!cursor->alive || cursor->session != session) && model_succeeded(model))
        model_taint_databases(model, session->instance);
    struct model_table *rows = cursor->file == NULL ? NULL : model_cursor_table(cursor);
    struct model_table *durable =
        rows == NULL ? NULL : model_content_table(cursor->file->durable, cursor->table);
    write_change(model, session, rows);
    if (rows != NULL)
        become_opaque(model, rows);
    if (durable != NULL)
        become_opaque(model, durable);
}

/* An update that stays prepared is in the way of every later one; which ends it is not followed. A row may be
 * locked, and the cursor is in the middle of something. */
static void prepared(struct model *model)
{
    const bool begun = model_succeeded(model);
    opaque_change(model);
    model->next = 0;
    model_reference(model);
    struct model_reference cursor = model_reference(model);
    if (cursor.kind == OBJECT_CURSOR && cursor.pointer != &unknown_cursor && begun)
        ((struct model_cursor *)cursor.pointer)->special = true;
}

/* It goes with the level of the transaction in which it was set, or with a call that is refused: later ones
 * may find it or not. */
static void cursor_filter(struct model *model)
{
    model_no_opinion(model);
    model_reference(model);
    struct model_reference slot = model_reference(model);
    struct model_cursor *cursor = slot.kind == OBJECT_CURSOR ? slot.pointer : NULL;
    const bool sets = model_token(model) != NULL;
    if (cursor != NULL && cursor->alive)
        cursor->filtered = sets || (cursor->filtered && !model_succeeded(model));
}

/* Schema changes in a database, and cursors that are not followed. */
static void opaque_database(struct model *model)
{
    model_no_opinion(model);
    struct model_reference session_slot = model_reference(model);
    struct model_reference database_slot = model_reference(model);
    if (database_slot.kind == OBJECT_DATABASE) {
        struct model_database *database = database_slot.pointer;
        taint_content(database->file->content);
        taint_content(database->file->durable);
    }
    if (session_slot.kind == OBJECT_SESSION)
        model_writes(model, session_slot.pointer, 30000 + 700 * model->line->argument_count);
    const char *arguments = model->line->op->arguments;
    const char *cursor = strchr(arguments, 'T');
    if (cursor == NULL || !model_succeeded(model))
        return;
    model->next = 0;
    for (const char *before = arguments; before < cursor; before++)
        (void)model_token(model);
    model_slot_set(model, model_reference(model), OBJECT_CURSOR, &unknown_cursor);
}

const struct model_entry model_data_entries[] = {
    {"Table", table},
    {"OpenTable", open_table},
    {"CloseTable", close_table},
    {"Row", opaque_change},
    {"PrepareUpdate", prepared},
    {"SetColumn", set_columns},
    {"SetColumns", set_columns},
    {"Update", opaque_change},
    {"Delete", opaque_change},
    {"EscrowUpdate", opaque_change},
    {"AddColumn", opaque_change},
    {"DeleteColumn", opaque_change},
    {"DeleteColumn2", opaque_change},
    {"RenameColumn", opaque_change},
    {"CreateIndex", opaque_change},
    {"CreateIndex2", opaque_change},
    {"DeleteIndex", opaque_change},
    {"CreateTable", opaque_database},
    {"CreateTableColumnIndex2", opaque_database},
    {"DeleteTable", opaque_database},
    {"RenameTable", opaque_database},
    {"DupCursor", dup_cursor},
    {"OpenTempTable", opaque_database},
    {"OpenTempTable2", opaque_database},
    {"SetColumnDefaultValue", opaque_database},
    {"SetCursorFilter", cursor_filter},
    {NULL, NULL},
};
