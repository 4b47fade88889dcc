#include "src/table/cursor.h"

#include "src/cache/database.h"
#include "src/os/error.h"
#include "src/os/memory.h"
#include "src/table/navigate.h"
#include "src/table/temporary.h"
#include "src/table/update.h"

JET_ERR table_cursor_open(struct transaction *transaction, struct table_definition *table, JET_GRBIT grbit,
                          struct table_cursor **out)
{
    JET_ERR err = JET_errSuccess;
    struct table_cursor *cursor = os_allocate_zeroed(sizeof(*cursor));
    if (cursor == NULL) {
        catalog_close_table(table);
        return JET_errOutOfMemory;
    }
    cursor->transaction = transaction;
    cursor->database = table->database;
    cursor->table = table;
    cursor->grbit = grbit;
    cursor->is_temporary = table->is_temporary;
    cursor->updatable = (grbit & JET_bitTableReadOnly) == 0 && !table->database->read_only;
    cursor->open_level = (uint8_t)transaction_level(transaction);
    cursor->primary_level = cursor->open_level;
    cursor->local_storage = JET_LSNil;
    catalog_lock(table->database->catalog);
    cursor->next_of_table = table->cursors;
    table->cursors = cursor;
    catalog_unlock(table->database->catalog);
    TRY(versioned_cursor_open(transaction, table->database, table->root, &cursor->primary));
    versioned_cursor_before_first(cursor->primary);
    *out = cursor;
    cursor = NULL;
done:
    if (cursor != NULL)
        table_cursor_close(cursor);
    return err;
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
    if (cursor->grbit & JET_bitTableDenyWrite)
        cursor->table->deny_write_count -= cursor->exclusive;
    if (cursor->table->deny_read_count == 0 && cursor->table->deny_write_count == 0)
        cursor->table->exclusive_owner = NULL;
    catalog_unlock(catalog);
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
        temporary_drop(cursor);
    os_free(cursor->key);
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
    const JET_GRBIT grbit = from->grbit & ~(JET_GRBIT)(JET_bitTableDenyRead | JET_bitTableDenyWrite);
    TRY(table_cursor_open(from->transaction, from->table, grbit, &cursor));
    cursor->updatable = from->updatable;
    cursor->parameters = from->parameters;
    cursor->trees = from->trees;
    cursor->owner = from->owner;
    table_defer_first(cursor);
    *out = cursor;
done:
    return err;
}

JET_ERR table_check_name(const char *name, char *out)
{
    if (name == NULL)
        return JET_errInvalidName;
    size_t length = strlen(name);
    if (length == 0 || length > NAME_MAX_SIZE || name[0] == ' ')
        return JET_errInvalidName;
    for (size_t i = 0; i < length; i++) {
        const unsigned char c = (unsigned char)name[i];
        if (c < 0x20 || c == '!' || c == '.' || c == '[' || c == ']')
            return JET_errInvalidName;
    }
    while (name[length - 1] == ' ')
        length--; /* the first is no blank */
    memcpy(out, name, length);
    out[length] = 0;
    return JET_errSuccess;
}

/* Whether the deny bits of an open and those of others go together; takes them if so. Under the catalog's
 * lock. */
static JET_ERR take_locks(struct table_definition *table, JET_GRBIT grbit, const void *owner)
{
    if (table->delete_pending)
        return JET_errTableLocked;
    const bool mine = table->exclusive_owner == owner;
    if (table->deny_read_count > 0 && !mine)
        return JET_errTableLocked;
    if (table->deny_write_count > 0 && !mine && (grbit & JET_bitTableUpdatable) != 0)
        return JET_errTableLocked;
    if ((grbit & (JET_bitTableDenyRead | JET_bitTableDenyWrite)) != 0 && table->open_count > 1 &&
        (!mine || (grbit & JET_bitTablePermitDDL) != 0))
        return JET_errTableInUse;
    if (grbit & JET_bitTableDenyRead)
        table->deny_read_count++;
    if (grbit & JET_bitTableDenyWrite)
        table->deny_write_count++;
    if (grbit & (JET_bitTableDenyRead | JET_bitTableDenyWrite))
        table->exclusive_owner = owner;
    return JET_errSuccess;
}

JET_ERR table_open(struct transaction *transaction, struct database *database, const char *name,
                   JET_GRBIT grbit, struct table_cursor **out)
{
    JET_ERR err = JET_errSuccess;
    char checked[NAME_MAX_SIZE + 1];
    struct table_definition *table = NULL;
    TRY(table_check_name(name, checked));
    TRY(catalog_open_table(transaction, database, checked, &table));
    catalog_lock(database->catalog);
    err = take_locks(table, grbit, transaction);
    catalog_unlock(database->catalog);
    if (err < JET_errSuccess) {
        catalog_close_table(table);
        goto done;
    }
    struct table_cursor *cursor = NULL;
    TRY(table_cursor_open(transaction, table, grbit, &cursor));
    cursor->exclusive = (grbit & (JET_bitTableDenyRead | JET_bitTableDenyWrite)) != 0;
    table_defer_first(cursor);
    *out = cursor;
done:
    return err;
}

/* Whether the cursor's transaction sees the column. */
static JET_ERR column_visible(struct table_cursor *cursor, const struct column_definition *column,
                              bool *visible)
{
    if (column->state == DEFINITION_COMMITTED) {
        *visible = true;
        return JET_errSuccess;
    }
    return catalog_sees_column(cursor->transaction, cursor->table, column, visible);
}

JET_ERR table_find_column(struct table_cursor *cursor, JET_COLUMNID id, struct column_definition **out)
{
    bool visible = false;
    if (!column_id_is_valid(id))
        return JET_errBadColumnId;
    struct column_definition *column = table_definition_column(cursor->table, id);
    if (column == NULL)
        return JET_errColumnNotFound;
    JET_ERR err = column_visible(cursor, column, &visible);
    if (err == JET_errSuccess && !visible)
        err = JET_errColumnNotFound;
    *out = column;
    return err;
}

JET_ERR table_next_column(struct table_cursor *cursor, uint32_t *position, struct column_definition **out)
{
    while ((*out = table_definition_next_column(cursor->table, position)) != NULL) {
        bool visible = false;
        JET_ERR err = column_visible(cursor, *out, &visible);
        if (err < JET_errSuccess)
            return err;
        if (visible)
            return JET_errSuccess;
    }
    return JET_errSuccess;
}

JET_ERR table_find_column_by_name(struct table_cursor *cursor, const char *name,
                                  struct column_definition **out)
{
    JET_ERR err = JET_errSuccess;
    uint32_t position = 0;
    while ((*out = table_definition_next_column(cursor->table, &position)) != NULL) {
        bool visible = false;
        if (name_compare((*out)->name, name) != 0)
            continue;
        TRY(column_visible(cursor, *out, &visible));
        if (visible)
            return JET_errSuccess;
    }
    err = JET_errColumnNotFound;
done:
    return err;
}

static JET_ERR index_visible(struct table_cursor *cursor, const struct index_definition *index, bool *visible)
{
    if (index->state == DEFINITION_COMMITTED) {
        *visible = true;
        return JET_errSuccess;
    }
    return catalog_sees_index(cursor->transaction, cursor->table, index, visible);
}

JET_ERR table_find_index(struct table_cursor *cursor, const char *name, struct index_definition **out)
{
    JET_ERR err = JET_errSuccess;
    bool visible = false;
    struct index_definition *primary = cursor->table->primary;
    if (primary != NULL) {
        TRY(index_visible(cursor, primary, &visible));
        if (!visible)
            primary = NULL;
    }
    if (name == NULL || name[0] == 0) {
        *out = primary;
        goto done;
    }
    if (primary != NULL && name_compare(primary->name, name) == 0) {
        *out = primary;
        goto done;
    }
    for (struct index_definition *index = cursor->table->secondary; index != NULL; index = index->next) {
        if (name_compare(index->name, name) != 0)
            continue;
        TRY(index_visible(cursor, index, &visible));
        if (visible) {
            *out = index;
            goto done;
        }
    }
    err = JET_errIndexNotFound;
done:
    return err;
}

void table_defer_first(struct table_cursor *cursor)
{
    table_before_first(cursor);
    cursor->deferred_first = true;
    cursor->deferred_secondary = cursor->secondary != NULL;
}

JET_ERR table_settle(struct table_cursor *cursor)
{
    if (!cursor->deferred_first)
        return JET_errSuccess;
    JET_ERR err = versioned_cursor_first(table_active(cursor));
    if (err >= JET_errSuccess)
        err = table_follow(cursor);
    if (err < JET_errSuccess) {
        table_defer_first(cursor);
        return err == JET_errRecordNotFound ? JET_errNoCurrentRecord : err;
    }
    cursor->deferred_first = false;
    cursor->deferred_secondary = false;
    return JET_errSuccess;
}

JET_ERR table_settle_active(struct table_cursor *cursor)
{
    if (cursor->secondary == NULL)
        return table_settle(cursor);
    if (!cursor->deferred_secondary)
        return JET_errSuccess;
    JET_ERR err = versioned_cursor_first(cursor->secondary);
    if (err < JET_errSuccess)
        versioned_cursor_before_first(cursor->secondary);
    else
        cursor->deferred_secondary = false;
    return err == JET_errRecordNotFound ? JET_errNoCurrentRecord : err;
}

JET_ERR table_current(struct table_cursor *cursor, struct node_view *node)
{
    JET_ERR err = table_settle(cursor);
    return err < JET_errSuccess ? err : versioned_cursor_get(cursor->primary, node);
}

JET_ERR table_follow(struct table_cursor *cursor)
{
    struct node_view node;
    struct bookmark bookmark;
    if (cursor->secondary == NULL)
        return JET_errSuccess;
    JET_ERR err = versioned_cursor_copy(cursor->secondary, &node);
    if (err < JET_errSuccess)
        return err;
    bookmark = (struct bookmark){.key = node.data};
    cursor->deferred_first = false;
    return versioned_cursor_set_bookmark(cursor->primary, &bookmark);
}

void table_before_first(struct table_cursor *cursor)
{
    cursor->deferred_first = false;
    cursor->deferred_secondary = false;
    cursor->beside = false;
    if (cursor->secondary != NULL)
        versioned_cursor_before_first(cursor->secondary);
    versioned_cursor_before_first(cursor->primary);
}

void table_after_last(struct table_cursor *cursor)
{
    cursor->deferred_first = false;
    cursor->deferred_secondary = false;
    cursor->beside = false;
    if (cursor->secondary != NULL)
        versioned_cursor_after_last(cursor->secondary);
    versioned_cursor_after_last(cursor->primary);
}

void table_note_level(struct table_cursor *cursor)
{
    const uint8_t level = (uint8_t)transaction_level(cursor->transaction);
    cursor->beside = false;
    if (cursor->secondary != NULL)
        cursor->secondary_level = level;
    else
        cursor->primary_level = level;
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

JET_ERR table_check_updatable(struct table_cursor *cursor)
{
    if (cursor->is_temporary)
        return cursor->updatable ? JET_errSuccess : JET_errPermissionDenied;
    if (cursor->database->read_only)
        return JET_errPermissionDenied;
    if (!cursor->updatable)
        return JET_errPermissionDenied;
    if (transaction_level(cursor->transaction) > 0 && cursor->transaction->read_only)
        return JET_errTransReadOnly;
    return JET_errSuccess;
}
