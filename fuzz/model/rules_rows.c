/* Rows of the tables that `Table` makes: changes and reading. */
#include <string.h>

#include "fuzz/model/data_rules.h"

static void give_up(struct model *model)
{
    model_no_opinion(model);
    model->lost = true;
}

/* --- changes */

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
        model_taint_databases(model, session->instance);
    model_writes_unknown(model, session);
}

/* What the change is going to write to the log, at most: up to the first row that is missing. */
static uint64_t rows_volume(const struct model *model, const struct model_session *session,
                            struct model_table *rows, enum row_kind kind, const struct rows *change)
{
    const bool known = !rows->opaque && model_alone(model, session) && !model_sees_older(model, session);
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

/* Which rows the call is about: its next arguments, and options. */
static struct rows rows_argument(struct model *model, enum row_kind kind)
{
    struct rows change = {.per_transaction = -1};
    change.from = (int32_t)model_number(model, 0);
    change.count = (uint32_t)model_number(model, 0);
    change.size = kind == ROW_DELETE ? 0 : (uint32_t)model_number(model, 0);
    uint64_t number;
    const char *text = model_option(model, "seed");
    if (text != NULL && model_number_text(text, &number))
        change.seed = (uint32_t)number;
    text = model_option(model, "txn");
    if (text != NULL && model_number_text(text, &number))
        change.per_transaction = (int64_t)number;
    return change;
}

static void change_rows(struct model *model, enum row_kind kind)
{
    struct model_session *session = model_session_gate(model);
    if (session == NULL)
        return;
    struct model_cursor *cursor = model_cursor_gate(model, session);
    if (cursor == NULL) {
        if (model->expect.no_opinion)
            change_unknown(model, session);
        return;
    }
    const struct rows change = rows_argument(model, kind);
    const uint64_t grbit = model_number(model, 0); /* of the last commit */
    struct model_table *rows = model_cursor_table(cursor);
    if (rows == NULL) {
        model_no_opinion(model);
        change_unknown(model, session);
        return;
    }
    const uint64_t volume = rows_volume(model, session, rows, kind, &change);
    if (model_versions(session) + volume > MODEL_VERSIONS_MOST)
        model_no_opinion(model);
    struct database_file *file = cursor->file;
    if (rows->opaque || file->content->opaque || file->read_only || file->damaged ||
        !model_alone(model, session) || (change.per_transaction == 0 && session->level == 0) ||
        session->level == 7 || model_sees_older(model, session))
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
        model_wait_for_log(model, file, session->instance);
    int32_t answer = model_answered(model);
    if (file->unloggable)
        model_writes_unlogged(session, volume);
    else if (rows->indexed)
        model_writes_unknown(model, session);
    else
        model_writes(model, session, answer < 0 ? volume + volume / 2 : volume);
    /* Of two transactions that change the same rows, the same code may mean another row. */
    if (answer != code || !model_alone(model, session))
        rows->opaque = true;
    else if (code != JET_errSuccess && change.per_transaction != 0)
        *rows = *copy_rows(model, committed);
    if (rows->largest < change.size)
        rows->largest = change.size;
    const bool each = change.per_transaction == 0; /* outside a transaction each row is committed at once */
    const uint32_t logged = file->unloggable ? 0 : session->level > 0 || each ? done : kept;
    if (session->level > 0)
        session->wrote = session->wrote || (logged > 0 && answer == code);
    else if (answer != code)
        model_content_commit(model, session, WROTE_PERHAPS, true);
    else
        model_content_commit(model, session, logged > 0 ? WROTE_SURELY : WROTE_NOTHING,
                             !each && (code != JET_errSuccess || grbit != 0));
}

static void insert(struct model *model)
{
    change_rows(model, ROW_INSERT);
    model_left_in_transaction(model);
}

static void replace(struct model *model)
{
    change_rows(model, ROW_REPLACE);
    model_left_in_transaction(model);
}

static void delete_rows(struct model *model)
{
    change_rows(model, ROW_DELETE);
    model_left_in_transaction(model);
}

/* --- reading */

static struct model_table *readable(struct model *model, const struct model_cursor **used)
{
    struct model_session *session = model_session_gate(model);
    if (session == NULL)
        return NULL;
    struct model_cursor *cursor = model_cursor_gate(model, session);
    if (cursor == NULL)
        return NULL;
    model->expect.no_opinion = session->instance->lost || session->foreign;
    struct model_table *rows = model_cursor_table(cursor);
    if (rows == NULL) {
        model_no_opinion(model);
        return NULL;
    }
    if (rows->opaque || cursor->file->content->opaque || cursor->file->damaged ||
        !model_alone(model, session) || model_sees_older(model, session))
        model_no_opinion(model);
    model->expect.rule = "I7";
    *used = cursor;
    return rows;
}

static struct model_table *counted(struct model *model)
{
    const struct model_cursor *cursor = NULL;
    struct model_table *rows = readable(model, &cursor);
    if (rows == NULL)
        return NULL;
    if (cursor->filtered)
        model_want(model, JET_errFilteredMoveNotSupported);
    model_want(model, JET_errSuccess);
    model_want_fact(model, "n=%u", rows->count);
    return rows;
}

static void hash_table(struct model *model)
{
    const struct model_table *rows = counted(model);
    if (rows != NULL)
        model_want_fact(model, "fnv=%08x", model_rows_hash(rows));
}

static void count_rows(struct model *model)
{
    (void)counted(model);
}

static void seek_row(struct model *model)
{
    const struct model_cursor *cursor = NULL;
    struct model_table *rows = readable(model, &cursor);
    if (rows == NULL)
        return;
    struct model_row *row = model_rows_find(rows, (int32_t)model_number(model, 0));
    model_want(model, row != NULL ? JET_errSuccess : JET_errRecordNotFound);
    if (row != NULL)
        model_want_fact(model, "cb=%u", row->size);
}

const struct model_entry model_row_entries[] = {
    {"Insert", insert},
    {"Replace", replace},
    {"DeleteRows", delete_rows},
    {"HashTable", hash_table},
    {"CountRows", count_rows},
    {"SeekRow", seek_row},
    {NULL, NULL},
};
