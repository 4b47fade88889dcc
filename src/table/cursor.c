#include "src/table/cursor.h"

#include "src/cache/database.h"
#include "src/os/error.h"
#include "src/table/navigate.h"

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
    if (name == NULL) {
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
        return err;
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
    return err;
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

JET_ERR table_check_updatable(struct table_cursor *cursor)
{
    if (cursor->is_temporary)
        return JET_errSuccess;
    if (cursor->database->read_only)
        return JET_errPermissionDenied;
    if (!cursor->updatable)
        return JET_errPermissionDenied;
    if (transaction_level(cursor->transaction) > 0 && cursor->transaction->read_only)
        return JET_errTransReadOnly;
    return JET_errSuccess;
}
