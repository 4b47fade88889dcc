/* Opening, duplicating and closing cursors, and what the end of a transaction means to them (engine sources:
 * `fcreate.cxx`, `fucb.cxx`). */
#include "src/cache/database.h"
#include "src/os/error.h"
#include "src/os/memory.h"
#include "src/table/cursor.h"
#include "src/table/long_value.h"
#include "src/table/navigate.h"
#include "src/table/update.h"

static bool denies(const struct table_cursor *cursor, JET_GRBIT deny)
{
    return cursor->exclusive && (cursor->grbit & deny) != 0;
}

/* What the other cursors of a table mean to somebody who opens it. */
struct others {
    bool deny_read;    /* another session keeps readers out */
    bool deny_write;   /* another session keeps writers out */
    bool writers_held; /* any session does, his own included */
    bool any;          /* another session has it open */
    bool writers;      /* so that it may write */
};

static struct others look_at_others(const struct table_definition *table, const void *owner)
{
    struct others others = {0};
    for (const struct table_cursor *one = table->cursors; one != NULL; one = one->next_of_table) {
        others.writers_held = others.writers_held || denies(one, JET_bitTableDenyWrite);
        if (one->transaction == owner)
            continue;
        others.any = true;
        others.writers = others.writers || one->updatable;
        others.deny_read = others.deny_read || denies(one, JET_bitTableDenyRead);
        others.deny_write = others.deny_write || denies(one, JET_bitTableDenyWrite);
    }
    return others;
}

/* Whether the table's own schema is settled: nobody needs an older state of it, or (a template) has it as his
 * own. */
static bool schema_may_change(const struct table_definition *table)
{
    return table->is_template ? !table->template_used : table->versioned_count == 0;
}

/* Whether the deny bits of an open and those of others go together; takes them if so. Under the catalog's
 * lock. (engine source: `fileopen.cxx`) */
static JET_ERR take_locks(struct table_definition *table, JET_GRBIT grbit, const void *owner)
{
    if ((grbit & JET_bitTableReadOnly) != 0 && (grbit & JET_bitTableUpdatable) != 0)
        return JET_errInvalidGrbit;
    if (table->delete_pending)
        return JET_errTableLocked;
    const struct others others = look_at_others(table, owner);
    if (others.deny_read)
        return JET_errTableLocked;
    if (others.deny_write && (grbit & JET_bitTableUpdatable) != 0)
        return JET_errTableLocked;
    if ((grbit & JET_bitTableDenyWrite) != 0 && (others.writers_held || others.writers))
        return JET_errTableInUse;
    if ((grbit & JET_bitTableDenyRead) != 0 && others.any)
        return JET_errTableInUse;
    if ((grbit & JET_bitTablePermitDDL) != 0 && !schema_may_change(table))
        return JET_errTableInUse;
    if (grbit & JET_bitTableDenyRead) {
        table->deny_read_count++;
        table->exclusive_owner = owner;
    }
    return JET_errSuccess;
}

/* What a new cursor is to be. */
struct opening {
    JET_GRBIT grbit;
    bool updatable;
    bool asks_others; /* its deny bits, and those of others, have to go together */
};

/* Takes over the table, also on failure. */
static JET_ERR open_cursor(struct transaction *transaction, struct table_definition *table,
                           const struct opening *opening, struct table_cursor **out)
{
    JET_ERR err = JET_errSuccess;
    const JET_GRBIT denying = JET_bitTableDenyRead | JET_bitTableDenyWrite;
    struct table_cursor *cursor = os_allocate_zeroed(sizeof(*cursor));
    if (cursor == NULL) {
        catalog_close_table(table);
        return JET_errOutOfMemory;
    }
    cursor->transaction = transaction;
    cursor->database = table->database;
    cursor->table = table;
    cursor->grbit = opening->grbit;
    cursor->is_temporary = table->is_temporary;
    cursor->updatable = opening->updatable;
    cursor->exclusive = opening->asks_others && (opening->grbit & denying) != 0;
    cursor->permits_ddl = opening->asks_others && (opening->grbit & JET_bitTablePermitDDL) != 0;
    cursor->open_level = (uint8_t)transaction_level(transaction);
    cursor->primary_level = cursor->open_level;
    cursor->local_storage.value = JET_LSNil;
    /* Whoever looks at the table's cursors next finds this one as it will be. */
    catalog_lock(table->database->catalog);
    if (opening->asks_others)
        err = take_locks(table, opening->grbit, transaction);
    if (err >= JET_errSuccess) {
        cursor->next_of_table = table->cursors;
        table->cursors = cursor;
    }
    catalog_unlock(table->database->catalog);
    if (err < JET_errSuccess) {
        os_free(cursor);
        catalog_close_table(table);
        return err;
    }
    TRY(versioned_cursor_open(transaction, table->database, table->root, &cursor->primary));
    versioned_cursor_set_density(cursor->primary, table->density);
    versioned_cursor_before_first(cursor->primary);
    *out = cursor;
    cursor = NULL;
done:
    if (cursor != NULL)
        table_cursor_close(cursor);
    return err;
}

static bool may_update(const struct table_definition *table, JET_GRBIT grbit)
{
    return (grbit & JET_bitTableReadOnly) == 0 && !table->database->read_only;
}

JET_ERR table_cursor_open(struct transaction *transaction, struct table_definition *table, JET_GRBIT grbit,
                          struct table_cursor **out)
{
    const struct opening opening = {grbit, may_update(table, grbit), false};
    return open_cursor(transaction, table, &opening, out);
}

/* Gives back what the open took from others. */
static void release_locks(struct table_cursor *cursor)
{
    struct catalog *catalog = cursor->database->catalog;
    catalog_lock(catalog);
    struct table_cursor **link = &cursor->table->cursors;
    while (*link != cursor)
        link = &(*link)->next_of_table;
    *link = cursor->next_of_table;
    if (cursor->grbit & JET_bitTableDenyRead)
        cursor->table->deny_read_count -= cursor->exclusive;
    if (cursor->table->deny_read_count == 0)
        cursor->table->exclusive_owner = NULL;
    catalog_unlock(catalog);
}

/* Gives back the pages of a temporary table that nobody has open any more. */
static void drop_temporary(struct table_cursor *cursor)
{
    struct transaction *transaction = cursor->transaction;
    if (transaction_begin(transaction, false) < JET_errSuccess)
        return; /* the space stays taken until the temporary database goes */
    JET_ERR err = versioned_free_tree(transaction, cursor->database, cursor->table->root);
    if (err >= JET_errSuccess)
        err = transaction_commit(transaction, true);
    if (err < JET_errSuccess)
        (void)transaction_rollback(transaction);
}

void table_cursor_close(struct table_cursor *cursor)
{
    if (cursor == NULL)
        return;
    table_drop_update(cursor);
    table_forget_filter(cursor);
    versioned_cursor_close(cursor->long_values);
    versioned_cursor_close(cursor->secondary);
    versioned_cursor_close(cursor->primary);
    release_locks(cursor);
    if (cursor->is_temporary && cursor->table->open_count == 1)
        drop_temporary(cursor);
    os_free(cursor->key);
    local_storage_free(&cursor->local_storage, JET_cbtypFreeCursorLS);
    catalog_close_table(cursor->table);
    os_free(cursor);
}

JET_ERR table_cursor_duplicate(struct table_cursor *from, struct table_cursor **out)
{
    JET_ERR err = JET_errSuccess;
    struct table_cursor *cursor = NULL;
    struct catalog *catalog = from->database->catalog;
    catalog_lock(catalog);
    from->table->open_count++;
    catalog_unlock(catalog);
    const struct opening opening = {.grbit = from->grbit &
                                             ~(JET_GRBIT)(JET_bitTableDenyRead | JET_bitTableDenyWrite),
                                    .updatable = from->updatable};
    TRY(open_cursor(from->transaction, from->table, &opening, &cursor));
    cursor->parameters = from->parameters;
    cursor->trees = from->trees;
    cursor->owner = from->owner;
    table_defer_first(cursor);
    *out = cursor;
done:
    return err;
}

JET_ERR table_open(struct transaction *transaction, struct database *database, const char *name,
                   JET_GRBIT grbit, struct table_cursor **out)
{
    JET_ERR err = JET_errSuccess;
    char checked[NAME_MAX_SIZE + 1];
    struct table_definition *table = NULL;
    TRY(table_check_name(name, checked));
    TRY(catalog_open_table(transaction, database, checked, &table));
    const struct opening opening = {grbit, may_update(table, grbit), true};
    struct table_cursor *cursor = NULL;
    TRY(open_cursor(transaction, table, &opening, &cursor));
    table_defer_first(cursor);
    *out = cursor;
done:
    return err;
}

/* Whether the cursor's transaction sees the column. */
void table_drop_update(struct table_cursor *cursor)
{
    long_value_drop_pending(cursor);
    os_free(cursor->work.data);
    cursor->work = (struct record){0};
    cursor->prepared = PREPARED_NONE;
    memset(cursor->columns_set, 0, sizeof(cursor->columns_set));
    cursor->set_count = 0;
    cursor->original_hash_known = false;
}

static void lower(uint8_t *level, unsigned most)
{
    if (*level > most)
        *level = (uint8_t)most;
}

void table_commit_level(struct table_cursor *cursor, unsigned level)
{
    lower(&cursor->open_level, level);
    lower(&cursor->primary_level, level);
    lower(&cursor->secondary_level, level);
    lower(&cursor->prepared_level, level);
}

void table_roll_back_level(struct table_cursor *cursor, unsigned level)
{
    ASSERT(level > 0);
    if (cursor->prepared != PREPARED_NONE && cursor->prepared_level >= level)
        table_drop_update(cursor);
    if (cursor->primary_level >= level) {
        cursor->deferred_first = false;
        cursor->beside = false;
        versioned_cursor_before_first(cursor->primary);
    }
    if (cursor->secondary != NULL && cursor->secondary_level >= level) {
        cursor->beside = false;
        cursor->deferred_secondary = false;
        versioned_cursor_before_first(cursor->secondary);
    }
    lower(&cursor->primary_level, level - 1);
    lower(&cursor->secondary_level, level - 1);
}
