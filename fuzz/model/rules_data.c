/* Transactions, and rows of the tables that `Table` makes. Other changes make a table opaque. */
#include <stdlib.h>
#include <string.h>

#include "fuzz/model/state.h"

/* A transaction that has written no more than this to the log has not filled the version store. */
#define VERSIONS_MOST ((uint64_t)2 << 20)

static void give_up(struct model *model)
{
    model_no_opinion(model);
    model->lost = true;
}

static bool alone(const struct model *model, const struct model_session *session)
{
    for (size_t i = 0; i < model->session_count; i++) {
        const struct model_session *other = model->sessions[i];
        if (other != session && other->alive && other->instance == session->instance && other->level > 0)
            return false;
    }
    return true;
}

/* In a transaction, with others about: it may see what was there before they changed it, and not change it.
 */
static bool sees_older(const struct model *model, const struct model_session *session)
{
    for (size_t i = 0; i < model->session_count && session->level > 0; i++) {
        const struct model_session *other = model->sessions[i];
        if (other != session && other->alive && other->instance == session->instance)
            return true;
    }
    return false;
}

/* The cursor of a data call; NULL: what it answers was added. */
static struct model_cursor *cursor_gate(struct model *model, struct model_session *session)
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

static struct model_table *cursor_table(const struct model_cursor *cursor)
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

/* Something was changed, and what it was is not known. */
static void taint_databases(struct model *model, const struct model_instance *instance)
{
    for (size_t i = 0; i < model->file_count; i++) {
        if (model->files[i]->attached != instance)
            continue;
        taint_content(model->files[i]->content);
        taint_content(model->files[i]->durable);
    }
}

/* --- transactions */

static void save_contents(struct model *model, struct model_session *session)
{
    unsigned level = session->level;
    session->saved_count[level] = 0;
    for (size_t i = 0; i < model->file_count && session->saved_count[level] < 16; i++) {
        struct database_file *file = model->files[i];
        if (file->attached != session->instance)
            continue;
        uint32_t at = session->saved_count[level]++;
        session->saved[level][at] = model_content_copy(model, file->content);
        session->saved_files[level][at] = file;
    }
}

/* A transaction belongs to the thread that began it. */
static bool shares_session(struct model *model, const struct model_session *session)
{
    if (session->level == 0 || session->thread == model->line->thread)
        return false;
    model->expect.no_opinion = session->foreign || session->instance->lost;
    model_want(model, JET_errSessionSharingViolation);
    return true;
}

/* A session with a context of its own is shared by other rules. */
static void session_context(struct model *model)
{
    struct model_reference slot = model_reference(model);
    model_no_opinion(model);
    if (slot.kind == OBJECT_SESSION)
        ((struct model_session *)slot.pointer)->foreign = true;
}

static void begin(struct model *model)
{
    struct model_session *session = model_session_gate(model);
    if (session == NULL || shares_session(model, session))
        return;
    if (session->level == 7) {
        model_want(model, JET_errTransTooDeep);
        return;
    }
    model_want(model, JET_errSuccess);
    if (!model_succeeded(model))
        return;
    if (strcmp(model->line->op->name, "BeginTransaction") != 0 && model->line->argument_count > 1 &&
        session->level == 0)
        model->lost = true; /* read-only transactions are not described */
    save_contents(model, session);
    if (session->level == 0)
        session->thread = model->line->thread;
    session->level++;
}

/* A wait for commits that were lazy; it ends no transaction and needs none. False: the bits ask for none. */
static bool wait_for_commits(struct model *model, struct model_session *session, uint64_t grbit)
{
    const uint64_t known = JET_bitCommitLazyFlush | JET_bitWaitLastLevel0Commit | JET_bitWaitAllLevel0Commit;
    if ((grbit & ~known) != 0) {
        model_no_opinion(model); /* a new log by force, redo callbacks */
        if (model_succeeded(model))
            model->lost = true;
        return true;
    }
    if ((grbit & ~(uint64_t)JET_bitCommitLazyFlush) == 0)
        return false;
    const bool alone = grbit == JET_bitWaitLastLevel0Commit || grbit == JET_bitWaitAllLevel0Commit;
    model_want(model, alone ? JET_errSuccess : JET_errInvalidGrbit);
    if (model_succeeded(model) && session->level == 0)
        model_content_commit(model, session->instance, false);
    return true;
}

/* What is committed is on disk when the call comes back: while frozen, that is when the freeze is over. */
static void wait_for_log(struct model *model, const struct database_file *file,
                         struct model_instance *instance)
{
    if (!file->unloggable && model_succeeded(model) && instance->snapshot != NULL &&
        instance->snapshot->state == SNAPSHOT_FROZEN && instance->backup.kind == BACKUP_FROZEN)
        model_outwait_freeze(model, instance);
}

static void commit(struct model *model)
{
    struct model_session *session = model_session_gate(model);
    if (session == NULL)
        return;
    uint64_t grbit = model_number(model, 0);
    /* The bits come before the thread (`tm.cxx`, `dir.cxx`). */
    if (wait_for_commits(model, session, grbit) || shares_session(model, session))
        return;
    if (session->level == 0) {
        model_want(model, JET_errNotInTransaction);
        return;
    }
    model_want(model, JET_errSuccess);
    if (!model_succeeded(model))
        return;
    session->level--;
    for (size_t i = 0; i < model->cursor_count; i++) {
        if (model->cursors[i]->session == session && model->cursors[i]->level > session->level)
            model->cursors[i]->level = session->level;
    }
    if (session->level > 0)
        return;
    if (session->instance->snapshot != NULL && session->instance->snapshot->state == SNAPSHOT_FROZEN)
        model->lost = true; /* it waits if anything was changed */
    model_writes_commit(model, session);
    model_content_commit(model, session->instance, (grbit & JET_bitCommitLazyFlush) != 0);
}

static void restore_contents(struct model *model, struct model_session *session, unsigned level)
{
    for (uint32_t i = 0; i < session->saved_count[level]; i++) {
        struct database_file *file = session->saved_files[level][i];
        if (file->attached != session->instance)
            continue;
        bool mixed = false;
        for (size_t s = 0; s < model->session_count; s++) {
            const struct model_session *other = model->sessions[s];
            mixed = mixed || (other != session && other->alive && other->instance == session->instance);
        }
        file->content = session->saved[level][i];
        if (mixed) {
            file->content->opaque = true; /* others' changes are not told apart */
            file->uncertain = true;
        }
    }
}

static void rollback(struct model *model)
{
    struct model_session *session = model_ending_session_gate(model);
    if (session == NULL || shares_session(model, session))
        return;
    uint64_t grbit = model_number(model, 0);
    if (session->level == 0) {
        model_want(model, JET_errNotInTransaction);
        return;
    }
    model_want(model, JET_errSuccess);
    if ((grbit & ~(uint64_t)JET_bitRollbackAll) != 0)
        model_no_opinion(model);
    if (!model_succeeded(model))
        return;
    session->level = (grbit & JET_bitRollbackAll) != 0 ? 0 : session->level - 1;
    model_writes_rollback(model, session);
    restore_contents(model, session, session->level);
    /* Cursors opened inside are closed. */
    for (size_t i = 0; i < model->cursor_count; i++) {
        if (model->cursors[i]->session == session &&
            (model->cursors[i]->level > session->level || cursor_table(model->cursors[i]) == NULL))
            model->cursors[i]->alive = false;
    }
    if (session->level == 0)
        model_content_commit(model, session->instance, false);
}

/* --- tables */

static void add_cursor(struct model *model, struct model_reference slot, struct model_session *session,
                       struct database_file *file, const char *table)
{
    struct model_cursor *cursor = arena_allocate(&model->arena, sizeof *cursor);
    *cursor = (struct model_cursor){
        .session = session, .file = file, .table = table, .alive = true, .level = session->level};
    if (model->cursor_count == OBJECTS_MAX)
        model->lost = true;
    else
        model->cursors[model->cursor_count++] = cursor;
    model_slot_set(model, slot, OBJECT_CURSOR, cursor);
}

static void table(struct model *model)
{
    struct model_session *session = model_session_gate(model);
    if (session != NULL && (session->level == 7 || session->written > VERSIONS_MOST))
        model_no_opinion(model); /* it begins a transaction first, and needs versions */
    if (session == NULL || model_lacks_database(model))
        return;
    struct model_database *database = model_database_argument(model, session);
    struct model_reference slot = model_reference(model);
    const char *name = model_text(model);
    if (database == NULL || name == NULL) {
        model_no_opinion(model);
        if (model_succeeded(model)) {
            model_slot_set(model, slot, OBJECT_CURSOR, &unknown_cursor);
            taint_databases(model, session->instance);
        }
        return;
    }
    struct content *content = database->file->content;
    if (content->opaque || database->file->damaged || database->file->read_only || !alone(model, session) ||
        session->level == 7 || !model_plain_text(name) || strncmp(name, "MSys", 4) == 0)
        model_no_opinion(model);
    model_want(model, model_content_table(content, name) != NULL ? JET_errTableDuplicate : JET_errSuccess);
    if (!model_succeeded(model))
        return;
    model_content_add(model, content, name);
    add_cursor(model, slot, session, database->file, name);
    if (session->level == 0)
        wait_for_log(model, database->file, session->instance);
    if (!database->file->unloggable)
        model_writes(model, session, 10000);
    if (session->level == 0)
        model_content_commit(model, session->instance, false);
}

static void open_table(struct model *model)
{
    struct model_session *session = model_session_gate(model);
    if (session == NULL || model_lacks_database(model))
        return;
    struct model_database *database = model_database_argument(model, session);
    struct model_reference slot = model_reference(model);
    const char *name = model_text(model);
    uint64_t grbit = model_number(model, 0);
    if (database == NULL || name == NULL) {
        model_no_opinion(model);
        if (model_succeeded(model))
            model_slot_set(model, slot, OBJECT_CURSOR, &unknown_cursor);
        return;
    }
    struct content *content = database->file->content;
    bool known = model_content_table(content, name) != NULL;
    bool shared = false;
    for (size_t i = 0; i < model->cursor_count; i++)
        shared = shared || (model->cursors[i]->alive && model->cursors[i]->session != session &&
                            model->cursors[i]->file == database->file);
    if (content->opaque || database->file->damaged || !alone(model, session) || shared || grbit != 0 ||
        (!known && name[0] != 't'))
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
    struct model_cursor *cursor = cursor_gate(model, session);
    struct model_reference slot = model_reference(model);
    const uint64_t grbit = model_number(model, 0);
    if (cursor == NULL || grbit != 0 || session->instance->lost)
        model_no_opinion(model);
    model_want(model, JET_errSuccess);
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
    struct model_cursor *cursor = cursor_gate(model, session);
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
    struct model_table *rows = cursor->file == NULL ? NULL : cursor_table(cursor);
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
        taint_databases(model, session->instance);
    struct model_table *rows = cursor->file == NULL ? NULL : cursor_table(cursor);
    struct model_table *durable =
        rows == NULL ? NULL : model_content_table(cursor->file->durable, cursor->table);
    write_change(model, session, rows);
    if (rows != NULL)
        become_opaque(model, rows);
    if (durable != NULL)
        become_opaque(model, durable);
}

/* An update that stays prepared is in the way of every later one; which ends it is not followed. */
/* A row may be locked, and the cursor is in the middle of something. */
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
    for (size_t i = 0; i < model->line->argument_count && model_succeeded(model); i++) {
        const char *word = model->line->arguments[i].word;
        if (word[0] == 't' && word[1] >= '0' && word[1] <= '9' && strtoul(word + 1, NULL, 10) < SLOTS)
            model->slots[3][strtoul(word + 1, NULL, 10)] = (struct object){OBJECT_CURSOR, &unknown_cursor};
    }
    /* A slot of an unknown cursor: later calls on it have no opinion. */
    model->expect.no_opinion = true;
}

/* --- rows */

struct rows {
    int32_t from;
    uint32_t count, size, seed;
    int64_t per_transaction;
};

enum row_kind { ROW_INSERT, ROW_REPLACE, ROW_DELETE };

/* One row; the code of its failure. */
static int32_t change_row(struct model *model, struct model_table *rows, enum row_kind kind,
                          struct model_row row)
{
    if (kind == ROW_INSERT)
        return model_rows_insert(model, rows, row) ? JET_errSuccess : JET_errKeyDuplicate;
    struct model_row *found = model_rows_find(rows, row.id);
    if (found == NULL)
        return JET_errRecordNotFound;
    if (kind == ROW_REPLACE)
        *found = row;
    else
        model_rows_remove(rows, row.id);
    return JET_errSuccess;
}

static struct model_table *copy_rows(struct model *model, const struct model_table *rows)
{
    struct content one = {.tables = (struct model_table *)(uintptr_t)rows, .count = 1};
    return model_content_copy(model, &one)->tables;
}

/* Which rows these are, is not known; that there is no such cursor means that there are none. */
static void change_unknown(struct model *model, struct model_session *session)
{
    uint64_t rows = 0;
    if (model_answered(model) == JET_errInvalidTableId)
        return;
    if (model_succeeded(model) || (model_answer_number(model, "rows", &rows) && rows > 0))
        taint_databases(model, session->instance);
    model_writes_unknown(model, session);
}

/* What the change is going to write to the log, at most: up to the first row that is missing. */
static uint64_t rows_volume(const struct model *model, const struct model_session *session,
                            struct model_table *rows, enum row_kind kind, const struct rows *change)
{
    const bool known = !rows->opaque && alone(model, session) && !sees_older(model, session);
    const bool last = known && (rows->count == 0 || rows->rows[rows->count - 1].id < change->from);
    uint64_t volume = 1000 + model->page;
    if (kind == ROW_INSERT)
        return volume + change->count * model_insert_volume(model, change->size, last);
    for (uint32_t i = 0; i < change->count; i++) {
        const struct model_row *found =
            known ? model_rows_find(rows, (int32_t)((uint32_t)change->from + i)) : NULL;
        if (known && found == NULL)
            break;
        const uint64_t before = known ? found->size : rows->largest;
        volume += kind == ROW_DELETE ? model_delete_volume(before)
                                     : model_replace_volume(model, before, change->size);
    }
    return volume;
}

static void change_rows(struct model *model, enum row_kind kind)
{
    struct model_session *session = model_session_gate(model);
    if (session == NULL)
        return;
    struct model_cursor *cursor = cursor_gate(model, session);
    if (cursor == NULL) {
        if (model->expect.no_opinion)
            change_unknown(model, session);
        return;
    }
    struct rows change = {.per_transaction = -1};
    change.from = (int32_t)model_number(model, 0);
    change.count = (uint32_t)model_number(model, 0);
    change.size = kind == ROW_DELETE ? 0 : (uint32_t)model_number(model, 0);
    const uint64_t grbit = model_number(model, 0); /* of the last commit */
    uint64_t number;
    const char *text = model_option(model, "seed");
    if (text != NULL && model_number_text(text, &number))
        change.seed = (uint32_t)number;
    text = model_option(model, "txn");
    if (text != NULL && model_number_text(text, &number))
        change.per_transaction = (int64_t)number;
    struct model_table *rows = cursor_table(cursor);
    if (rows == NULL) {
        model_no_opinion(model);
        change_unknown(model, session);
        return;
    }
    const uint64_t volume = rows_volume(model, session, rows, kind, &change);
    if (session->written + volume > VERSIONS_MOST)
        model_no_opinion(model);
    struct database_file *file = cursor->file;
    if (rows->opaque || file->content->opaque || file->read_only || file->damaged || !alone(model, session) ||
        (change.per_transaction == 0 && session->level == 0) || session->level == 7 ||
        sees_older(model, session))
        model_no_opinion(model);
    if ((grbit & ~(uint64_t)JET_bitCommitLazyFlush) != 0 && change.per_transaction != 0 && change.count > 0)
        give_up(model); /* a commit that is refused, or that only waits */
    struct model_table *before = copy_rows(model, rows);
    int32_t code = JET_errSuccess;
    uint32_t done = 0;
    struct model_table *committed = before;
    uint32_t kept = 0; /* rows that stay after a failure */
    for (uint32_t i = 0; i < change.count && code == JET_errSuccess; i++) {
        int32_t id = (int32_t)((uint32_t)change.from + i);
        struct model_row row = {id, change.size, (uint32_t)id * 2654435761u + change.seed};
        code = change_row(model, rows, kind, row);
        if (code == JET_errSuccess)
            done++;
        if (change.per_transaction > 0 && done > 0 && done % change.per_transaction == 0)
            committed = copy_rows(model, rows), kept = done;
    }
    if (code == JET_errSuccess)
        kept = done;
    model_want(model, code);
    model_want_fact(model, "rows=%u", kept);
    if (kept > 0 && code == JET_errSuccess && session->level == 0 && grbit == 0)
        wait_for_log(model, file, session->instance);
    int32_t answer = model_answered(model);
    if (!file->unloggable && rows->indexed)
        model_writes_unknown(model, session);
    else if (!file->unloggable)
        model_writes(model, session, answer < 0 ? volume + volume / 2 : volume);
    /* Of two transactions that change the same rows, the same code may mean another row. */
    if (answer != code || !alone(model, session))
        rows->opaque = true;
    else if (code != JET_errSuccess && change.per_transaction != 0)
        *rows = *copy_rows(model, committed);
    if (rows->largest < change.size)
        rows->largest = change.size;
    if (session->level == 0)
        model_content_commit(model, session->instance, change.per_transaction > 0 || grbit != 0);
}

static void insert(struct model *model)
{
    change_rows(model, ROW_INSERT);
}

static void replace(struct model *model)
{
    change_rows(model, ROW_REPLACE);
}

static void delete_rows(struct model *model)
{
    change_rows(model, ROW_DELETE);
}

/* --- reading */

static struct model_table *readable(struct model *model, struct model_cursor **out)
{
    struct model_session *session = model_session_gate(model);
    if (session == NULL)
        return NULL;
    struct model_cursor *cursor = cursor_gate(model, session);
    if (cursor == NULL)
        return NULL;
    *out = cursor;
    model->expect.no_opinion = session->instance->lost || session->foreign;
    struct model_table *rows = cursor_table(cursor);
    if (rows == NULL) {
        model_no_opinion(model);
        return NULL;
    }
    if (rows->opaque || cursor->file->content->opaque || cursor->file->damaged || !alone(model, session) ||
        sees_older(model, session))
        model_no_opinion(model);
    model->expect.rule = "I7";
    return rows;
}

static void hash_table(struct model *model)
{
    struct model_cursor *cursor;
    struct model_table *rows = readable(model, &cursor);
    if (rows == NULL)
        return;
    model_want(model, JET_errSuccess);
    model_want_fact(model, "n=%u", rows->count);
    model_want_fact(model, "fnv=%08x", model_rows_hash(rows));
}

static void count_rows(struct model *model)
{
    struct model_cursor *cursor;
    struct model_table *rows = readable(model, &cursor);
    if (rows == NULL)
        return;
    model_want(model, JET_errSuccess);
    model_want_fact(model, "n=%u", rows->count);
}

static void seek_row(struct model *model)
{
    struct model_cursor *cursor;
    struct model_table *rows = readable(model, &cursor);
    if (rows == NULL)
        return;
    struct model_row *row = model_rows_find(rows, (int32_t)model_number(model, 0));
    model_want(model, row != NULL ? JET_errSuccess : JET_errRecordNotFound);
    if (row != NULL)
        model_want_fact(model, "cb=%u", row->size);
}

const struct model_entry model_data_entries[] = {
    {"BeginTransaction", begin},
    {"BeginTransaction2", begin},
    {"BeginTransaction3", begin},
    {"SetSessionContext", session_context},
    {"ResetSessionContext", session_context},
    {"CommitTransaction", commit},
    {"CommitTransaction2", commit},
    {"Rollback", rollback},
    {"Table", table},
    {"OpenTable", open_table},
    {"CloseTable", close_table},
    {"Insert", insert},
    {"Replace", replace},
    {"DeleteRows", delete_rows},
    {"HashTable", hash_table},
    {"CountRows", count_rows},
    {"SeekRow", seek_row},
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
    {NULL, NULL},
};
