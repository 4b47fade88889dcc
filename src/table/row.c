/* JetUpdate and JetDelete: rows with their index entries and long values (engine source: `recupd.cxx`). */
#include "src/cache/database.h"
#include "src/os/error.h"
#include "src/os/memory.h"
#include "src/table/index_key.h"
#include "src/table/long_value.h"
#include "src/table/navigate.h"
#include "src/table/temporary.h"
#include "src/table/update.h"

/* --- index entries --- */

JET_ERR table_index_insert(struct table_cursor *cursor, struct versioned_cursor *tree,
                           const struct index_definition *index, struct span key, struct span primary,
                           unsigned flags)
{
    (void)cursor;
    JET_ERR err = versioned_cursor_insert(tree, key, primary, flags);
    if (err == JET_errKeyDuplicate && !index_is_unique(index))
        err = JET_errSuccess; /* the entry is there: two values of the row with one key */
    return err;
}

JET_ERR table_index_delete(struct table_cursor *cursor, struct versioned_cursor *tree,
                           const struct index_definition *index, struct span key, struct span primary)
{
    JET_ERR err = JET_errSuccess;
    (void)cursor;
    if (index_is_unique(index)) {
        TRY(versioned_cursor_seek(tree, key, VERSIONED_SEEK_EQ));
    } else {
        const struct bookmark entry = {.key = key, .data = primary};
        TRY(versioned_cursor_goto(tree, &entry));
    }
    TRY(versioned_cursor_delete(tree));
done:
    if (err == JET_errRecordNotFound || err == JET_errRecordDeleted) {
        /* An index that is populated later has entries of rows that came after it only. */
        const bool incomplete = (index->extended & INDEX_EXTENDED_DEFERRED_POPULATE) != 0;
        err = incomplete ? JET_errSuccess : JET_errSecondaryIndexCorrupted;
    }
    return err;
}

static struct span key_at(const struct index_keys *keys, uint32_t i)
{
    return span_of(keys->entries[i]->bytes, keys->entries[i]->size);
}

/* Brings one index from the keys of the old record (may be NULL) to those of the new one (may be NULL). */
static JET_ERR change_index(struct table_cursor *cursor, const struct index_definition *index,
                            const struct record_view *old, const struct record_view *new, struct span primary)
{
    JET_ERR err = JET_errSuccess;
    struct index_keys before = {0};
    struct index_keys after = {0};
    struct versioned_cursor *tree = NULL;
    if (old != NULL)
        TRY(index_keys_of_record(cursor, index, *old, false, &before));
    if (new != NULL)
        err = index_keys_of_record(cursor, index, *new, true, &after);
    if (err == JET_errNullKeyDisallowed && index->delete_pending)
        err = JET_errSuccess; /* an index on its way out refuses no rows */
    TRY(err);
    if (before.count == 0 && after.count == 0)
        goto done;
    TRY(versioned_cursor_open(cursor->transaction, cursor->database, index->root, &tree));
    versioned_cursor_set_density(tree, index->density);
    /* Both are sorted: entries of one side only are what changes. Deletes first, so that unique keys may
     * swap. */
    for (int pass = 0; pass < 2; pass++) {
        uint32_t i = 0;
        uint32_t j = 0;
        while (i < before.count || j < after.count) {
            int order = i == before.count  ? 1
                        : j == after.count ? -1
                                           : span_compare(key_at(&before, i), key_at(&after, j));
            if (order < 0 && pass == 0)
                TRY(table_index_delete(cursor, tree, index, key_at(&before, i), primary));
            if (order > 0 && pass == 1)
                TRY(table_index_insert(cursor, tree, index, key_at(&after, j), primary,
                                       VERSIONED_INSERT_DEFAULT));
            i += order <= 0;
            j += order >= 0;
        }
    }
done:
    versioned_cursor_close(tree);
    index_keys_free(&before);
    index_keys_free(&after);
    return err;
}

/* Whether a set column is among the index' columns. */
static bool index_concerned(const struct table_cursor *cursor, const struct index_definition *index)
{
    for (unsigned i = 0; i < index->column_count; i++) {
        const struct column_definition *column =
            table_definition_column(cursor->table, index->columns[i].column);
        if (table_column_was_set(cursor, column))
            return true;
    }
    for (unsigned i = 0; i < index->condition_count; i++) {
        const struct column_definition *column =
            table_definition_column(cursor->table, index->conditions[i].column);
        if (table_column_was_set(cursor, column))
            return true;
    }
    return false;
}

static JET_ERR change_indexes(struct table_cursor *cursor, const struct record_view *old,
                              const struct record_view *new, struct span primary)
{
    JET_ERR err = JET_errSuccess;
    for (struct index_definition *index = cursor->table->secondary; index != NULL; index = index->next) {
        if (index->state == DEFINITION_DELETED)
            continue;
        if (old != NULL && new != NULL && !index_concerned(cursor, index))
            continue;
        TRY(change_index(cursor, index, old, new, primary));
    }
done:
    return err;
}

/* --- long values --- */

struct id_list {
    uint64_t *ids;
    uint32_t count;
    uint32_t capacity;
};

static JET_ERR list_add(struct id_list *list, uint64_t id)
{
    if (list->count == list->capacity) {
        uint32_t capacity = list->capacity * 2 + 8;
        uint64_t *ids = os_reallocate(list->ids, capacity * sizeof(*ids));
        if (ids == NULL)
            return JET_errOutOfMemory;
        list->ids = ids;
        list->capacity = capacity;
    }
    list->ids[list->count++] = id;
    return JET_errSuccess;
}

/* What to do with a separated value: `place` is where its id is in the record. */
typedef JET_ERR visit_separated(struct table_cursor *cursor, uint64_t id, const uint8_t *place,
                                void *context);

static JET_ERR visit_values(struct table_cursor *cursor, struct record_view view, visit_separated *visit,
                            void *context)
{
    JET_ERR err = JET_errSuccess;
    uint32_t count = 0;
    const uint32_t page_size = cursor->table->page_size;
    TRY(tagged_count(view, page_size, &count));
    for (uint32_t i = 0; i < count; i++) {
        struct tagged_field field;
        TRY(tagged_field_at(view, page_size, i, &field));
        for (uint32_t itag = 1; field.long_type && itag <= field.value_count; itag++) {
            struct value value;
            uint64_t id = 0;
            TRY(tagged_value(&field, itag, &value));
            if (value.kind != VALUE_SEPARATED)
                continue;
            TRY(long_value_id(&value, &id));
            TRY(visit(cursor, id, value.data, context));
        }
    }
done:
    return err;
}

static JET_ERR collect_id(struct table_cursor *cursor, uint64_t id, const uint8_t *place, void *context)
{
    (void)cursor;
    (void)place;
    return long_value_is_pending(id) ? JET_errSuccess : list_add(context, id);
}

/* Makes the pending values: each gets a place in the tree, and the record its id. `context` is the record. */
static JET_ERR make_pending(struct table_cursor *cursor, uint64_t id, const uint8_t *place, void *context)
{
    struct record *record = context;
    uint8_t bytes[8];
    uint64_t made = 0;
    if (!long_value_is_pending(id))
        return JET_errSuccess;
    const struct pending_value *pending = long_value_pending(cursor, id);
    if (pending == NULL)
        return JET_errDatabaseCorrupted;
    JET_ERR err = long_value_create(cursor, pending->data, pending->size, &made);
    if (err < JET_errSuccess)
        return err;
    const uint32_t size = long_value_id_encode(made, bytes);
    ASSERT(size == 4);
    memcpy(record->data + (place - record->data), bytes, size);
    return JET_errSuccess;
}

static JET_ERR add_reference(struct table_cursor *cursor, uint64_t id, const uint8_t *place, void *context)
{
    (void)place;
    (void)context;
    return long_value_is_pending(id) ? JET_errSuccess : long_value_add_reference(cursor, id);
}

static JET_ERR remove_reference(struct table_cursor *cursor, uint64_t id, const uint8_t *place, void *context)
{
    (void)place;
    (void)context;
    return long_value_remove_reference(cursor, id);
}

/* Removes references of the old record that the new one does not have any more. */
static JET_ERR drop_unused(struct table_cursor *cursor, struct record_view old, struct record_view new)
{
    JET_ERR err = JET_errSuccess;
    struct id_list before = {0};
    struct id_list after = {0};
    TRY(visit_values(cursor, old, collect_id, &before));
    if (before.count == 0)
        goto done;
    TRY(visit_values(cursor, new, collect_id, &after));
    for (uint32_t i = 0; i < before.count; i++) {
        uint32_t j = 0;
        while (j < after.count && after.ids[j] != before.ids[i])
            j++;
        if (j < after.count)
            after.ids[j] = UINT64_MAX; /* kept: pairs up once */
        else
            TRY(long_value_remove_reference(cursor, before.ids[i]));
    }
done:
    os_free(before.ids);
    os_free(after.ids);
    return err;
}

/* --- the update --- */

static JET_ERR check_nulls(struct table_cursor *cursor)
{
    JET_ERR err = JET_errSuccess;
    uint32_t position = 0;
    struct column_definition *column = NULL;
    for (;;) {
        struct value value;
        TRY(table_next_column(cursor, &position, &column));
        if (column == NULL)
            break;
        if ((column->flags & COLUMN_FLAG_NOT_NULL) == 0)
            continue;
        if (column_id_is_tagged(column->id))
            TRY_SOUND(tagged_get(cursor->table, table_work_view(cursor), column, 1, &value));
        else
            TRY(record_get(cursor->table, table_work_view(cursor), column, &value));
        if (value.kind == VALUE_NULL || value.kind == VALUE_DEFAULT_NULL)
            FAIL(JET_errNullInvalid);
    }
done:
    return err;
}

static void put_big_endian(uint8_t out[4], uint32_t value)
{
    for (unsigned i = 0; i < 4; i++)
        out[i] = (uint8_t)(value >> 8 * (3 - i));
}

/* The key of a new row in a table without primary index: the next number. */
static JET_ERR sequential_key(struct table_cursor *cursor, struct versioned_cursor *tree,
                              struct index_key *key)
{
    struct catalog *catalog = cursor->database->catalog;
    struct table_definition *table = cursor->table;
    uint32_t last = 0;
    catalog_lock(catalog);
    const bool known = table->sequential_next != 0;
    catalog_unlock(catalog);
    if (!known) {
        struct node_view node;
        JET_ERR err = versioned_cursor_last(tree);
        if (err >= JET_errSuccess)
            err = versioned_cursor_copy(tree, &node);
        if (err >= JET_errSuccess && node.key.size != 4)
            err = JET_errDatabaseCorrupted;
        if (err == JET_errNoCurrentRecord)
            node.key.size = 0;
        else if (err < JET_errSuccess)
            return err;
        for (unsigned i = 0; i < node.key.size; i++)
            last = last << 8 | node.key.bytes[i];
    }
    catalog_lock(catalog);
    if (table->sequential_next < last)
        table->sequential_next = last;
    last = (uint32_t)++table->sequential_next;
    catalog_unlock(catalog);
    put_big_endian(key->bytes, last);
    key->size = 4;
    return JET_errSuccess;
}

/* A copy of the work record that the update may fill in: the original stays for another try. */
static JET_ERR final_record(struct table_cursor *cursor, struct record *record)
{
    *record = cursor->work;
    record->data = os_allocate(record->capacity);
    if (record->data == NULL)
        return JET_errOutOfMemory;
    memcpy(record->data, cursor->work.data, cursor->work.size);
    return JET_errSuccess;
}

static JET_ERR set_version(struct table_cursor *cursor, struct record *record, struct record_view old,
                           bool insert)
{
    JET_ERR err = JET_errSuccess;
    struct value value;
    uint32_t version = 0;
    if (cursor->table->version_column == 0)
        goto done;
    const struct column_definition *column =
        table_definition_column(cursor->table, cursor->table->version_column);
    if (insert && table_column_was_set(cursor, column))
        goto done;
    if (!insert) {
        TRY(record_get(cursor->table, old, column, &value));
        if (value.kind == VALUE_PLAIN || value.kind == VALUE_DEFAULT)
            memcpy(&version, value.data, sizeof(version)); /* a Long */
        version++;
    }
    TRY(record_set(cursor->table, record, column, &version, column->max_size));
done:
    return err;
}

/* Deletes the current row: entries and, unless its values go on in a copy, long values. */
static JET_ERR delete_row(struct table_cursor *cursor, bool keep_values)
{
    JET_ERR err = JET_errSuccess;
    struct node_view node;
    uint8_t *copy = NULL;
    struct index_key primary;
    TRY(table_settle(cursor));
    TRY(versioned_cursor_lock(cursor->primary, VERSIONED_LOCK_WRITE));
    TRY(versioned_cursor_copy(cursor->primary, &node));
    if ((copy = os_duplicate(node.data.bytes, node.data.size)) == NULL)
        FAIL(JET_errOutOfMemory);
    const struct record_view old = {copy, (uint32_t)node.data.size};
    primary.size = (uint32_t)node.key.size;
    memcpy(primary.bytes, node.key.bytes, node.key.size);
    TRY(change_indexes(cursor, &old, NULL, span_of(primary.bytes, primary.size)));
    if (!keep_values)
        TRY(visit_values(cursor, old, remove_reference, NULL));
    TRY(versioned_cursor_delete(cursor->primary));
done:
    os_free(copy);
    return err;
}

/* A temporary table without JET_bitTTUnique may hold rows of one key: a number behind the key keeps them
 * apart, in order of insertion. */
static JET_ERR make_temporary_key_unique(struct table_cursor *cursor, struct index_key *key)
{
    struct table_definition *table = cursor->table;
    if (!temporary_has_numbers(cursor))
        return JET_errSuccess;
    if (key->size > KEY_SIZE_MAX - 4)
        key->size = KEY_SIZE_MAX - 4; /* they are in the order of what is left */
    put_big_endian(key->bytes + key->size, (uint32_t)++table->sequential_next);
    key->size += 4;
    return JET_errSuccess;
}

/* A sort lets the second row of a key fall, unless it was asked to complain. */
static bool drops_duplicates(const struct table_cursor *cursor)
{
    return cursor->is_temporary && cursor->temporary_inserting;
}

/* Deletes the row that the new one is a moved copy of; `old` keeps its record. */
static JET_ERR delete_original(struct table_cursor *cursor, struct record *old)
{
    JET_ERR err = JET_errSuccess;
    struct node_view node;
    TRY(versioned_cursor_copy(cursor->primary, &node));
    old->size = (uint32_t)node.data.size;
    if ((old->data = os_duplicate(node.data.bytes, node.data.size)) == NULL)
        FAIL(JET_errOutOfMemory);
    TRY(table_call_back(cursor, JET_cbtypBeforeDelete));
    TRY(delete_row(cursor, true));
    (void)table_call_back(cursor, JET_cbtypAfterDelete); /* it is deleted, whatever they say */
done:
    return err;
}

/* `old` is the original's record of a moved row, else empty. */
static JET_ERR insert_row(struct table_cursor *cursor, struct record *record, const struct record *old,
                          struct saved_bookmark *bookmark, uint32_t bookmark_max)
{
    JET_ERR err = JET_errSuccess;
    struct versioned_cursor *tree = NULL;
    struct index_key key;
    const struct record_view view = {record->data, record->size};
    TRY(check_nulls(cursor));
    TRY(set_version(cursor, record, view, true));
    TRY(visit_values(cursor, (struct record_view){record->data, record->size}, make_pending, record));
    TRY(versioned_cursor_open(cursor->transaction, cursor->database, cursor->table->root, &tree));
    const struct record_view final = {record->data, record->size};
    if (cursor->table->primary == NULL)
        TRY(sequential_key(cursor, tree, &key));
    else
        TRY(index_primary_key(cursor, final, &key));
    TRY(make_temporary_key_unique(cursor, &key));
    if (key.size > bookmark_max)
        FAIL(JET_errBufferTooSmall);
    err = versioned_cursor_insert(tree, span_of(key.bytes, key.size), span_of(record->data, record->size),
                                  VERSIONED_INSERT_DEFAULT);
    if (err == JET_errKeyDuplicate && drops_duplicates(cursor))
        err = JET_errSuccess;
    TRY(err);
    if (bookmark != NULL) {
        bookmark->size = key.size;
        memcpy(bookmark->bytes, key.bytes, key.size);
    }
    TRY(change_indexes(cursor, NULL, &final, span_of(key.bytes, key.size)));
    if (cursor->prepared == PREPARED_INSERT_COPY)
        TRY(visit_values(cursor, (struct record_view){cursor->work.data, cursor->work.size}, add_reference,
                         NULL));
    if (old->data != NULL)
        TRY(drop_unused(cursor, (struct record_view){old->data, old->size}, final));
done:
    versioned_cursor_close(tree);
    return err;
}

/* Whether the record's key in the primary index is still the one it has. */
static JET_ERR check_primary_key(struct table_cursor *cursor, struct record_view view, struct span current)
{
    struct index_key key;
    const struct index_definition *primary = cursor->table->primary;
    if (primary == NULL || !index_concerned(cursor, primary))
        return JET_errSuccess;
    JET_ERR err = index_primary_key(cursor, view, &key);
    if (err >= JET_errSuccess && span_compare(span_of(key.bytes, key.size), current) != 0)
        err = JET_errRecordPrimaryChanged;
    return err;
}

static JET_ERR replace_row(struct table_cursor *cursor, struct record *record)
{
    JET_ERR err = JET_errSuccess;
    struct node_view node;
    uint8_t *copy = NULL;
    struct index_key primary;
    if (cursor->set_count == 0)
        goto done;
    TRY(versioned_cursor_copy(cursor->primary, &node));
    if ((copy = os_duplicate(node.data.bytes, node.data.size)) == NULL)
        FAIL(JET_errOutOfMemory);
    const struct record_view old = {copy, (uint32_t)node.data.size};
    primary.size = (uint32_t)node.key.size;
    memcpy(primary.bytes, node.key.bytes, node.key.size);
    const struct span key = span_of(primary.bytes, primary.size);
    TRY(check_primary_key(cursor, (struct record_view){record->data, record->size}, key));
    TRY(set_version(cursor, record, old, false));
    TRY(visit_values(cursor, (struct record_view){record->data, record->size}, make_pending, record));
    const struct record_view final = {record->data, record->size};
    TRY(change_indexes(cursor, &old, &final, key));
    TRY(versioned_cursor_replace(cursor->primary, span_of(record->data, record->size)));
    TRY(drop_unused(cursor, old, final));
done:
    os_free(copy);
    return err;
}

static bool replacing(const struct table_cursor *cursor)
{
    return cursor->prepared == PREPARED_REPLACE || cursor->prepared == PREPARED_REPLACE_NO_LOCK;
}

/* Ends the transaction of one call: commits, or rolls back after an error. Level 1 commits as the session
 * wishes. */
static JET_ERR end_own_transaction(struct table_cursor *cursor, JET_ERR err)
{
    if (err >= JET_errSuccess)
        err = transaction_commit(cursor->transaction, false);
    if (err < JET_errSuccess)
        (void)transaction_rollback(cursor->transaction); /* the first error counts */
    return err;
}

/* Only rows of a table that may go altogether can do without. */
static bool may_do_without_version(const struct table_cursor *cursor)
{
    if (cursor->temporary_inserting)
        return true;
    return !replacing(cursor) && (cursor->is_temporary || os_atomic_load(&cursor->table->uncommitted));
}

static JET_ERR lock_unchanged(struct table_cursor *cursor)
{
    JET_ERR err = versioned_cursor_lock(cursor->primary, VERSIONED_LOCK_WRITE);
    return err < JET_errSuccess ? err : table_record_unchanged(cursor);
}

JET_ERR table_update(struct table_cursor *cursor, JET_GRBIT grbit, struct saved_bookmark *bookmark,
                     uint32_t bookmark_max)
{
    JET_ERR err = JET_errSuccess;
    struct record record = {0};
    struct record old = {0};
    if (cursor->prepared == PREPARED_NONE)
        return JET_errUpdateNotPrepared;
    if (replacing(cursor) && bookmark != NULL) {
        struct span current;
        TRY(table_bookmark(cursor, &current));
        bookmark->size = (uint32_t)current.size;
        memcpy(bookmark->bytes, current.bytes, current.size);
    }
    const bool replaces = replacing(cursor);
    TRY(transaction_begin(cursor->transaction, false));
    if ((grbit & JET_bitUpdateNoVersion) != 0 && !may_do_without_version(cursor))
        err = JET_errUpdateMustVersion;
    if (err >= JET_errSuccess && cursor->prepared == PREPARED_REPLACE_NO_LOCK)
        err = lock_unchanged(cursor);
    if (err >= JET_errSuccess && cursor->prepared == PREPARED_INSERT_COPY_DELETE)
        err = delete_original(cursor, &old);
    if (err >= JET_errSuccess) /* they may still set columns */
        err = table_call_back(cursor, replaces ? JET_cbtypBeforeReplace : JET_cbtypBeforeInsert);
    if (err >= JET_errSuccess)
        err = final_record(cursor, &record);
    if (err >= JET_errSuccess && replaces)
        err = replace_row(cursor, &record);
    else if (err >= JET_errSuccess)
        err = insert_row(cursor, &record, &old, bookmark, bookmark == NULL ? UINT32_MAX : bookmark_max);
    TRY(end_own_transaction(cursor, err));
    table_drop_update(cursor);
    /* What is said afterwards changes nothing any more. */
    (void)table_call_back(cursor, replaces ? JET_cbtypAfterReplace : JET_cbtypAfterInsert);
done:
    os_free(record.data);
    os_free(old.data);
    return err < JET_errSuccess ? err : JET_errSuccess;
}

JET_ERR table_delete(struct table_cursor *cursor)
{
    JET_ERR err = JET_errSuccess;
    TRY(table_check_updatable(cursor));
    if (cursor->prepared == PREPARED_INSERT_COPY_DELETE)
        FAIL(JET_errAlreadyPrepared);
    if (cursor->prepared != PREPARED_NONE)
        table_drop_update(cursor);
    TRY(transaction_begin(cursor->transaction, false));
    err = table_call_back(cursor, JET_cbtypBeforeDelete);
    if (err >= JET_errSuccess)
        err = delete_row(cursor, false);
    TRY(end_own_transaction(cursor, err));
    (void)table_call_back(cursor, JET_cbtypAfterDelete); /* the row is gone, whatever it says */
done:
    return err < JET_errSuccess ? err : JET_errSuccess;
}

/* --- escrow --- */

static JET_ERR check_escrow(struct table_cursor *cursor, JET_COLUMNID id, const void *delta, uint32_t size,
                            const void *old, uint32_t old_max, struct column_definition **column)
{
    JET_ERR err = JET_errSuccess;
    if (transaction_level(cursor->transaction) == 0)
        FAIL(JET_errNotInTransaction);
    TRY(table_check_updatable(cursor));
    TRY(table_find_column(cursor, id, column));
    if (cursor->prepared != PREPARED_NONE)
        FAIL(JET_errAlreadyPrepared);
    if ((*column)->max_size != size || delta == NULL)
        FAIL(JET_errInvalidBufferSize);
    if (old != NULL && old_max != 0 && size > old_max)
        FAIL(JET_errInvalidBufferSize);
    if (!column_id_is_fixed((*column)->id) || ((*column)->flags & COLUMN_FLAG_ESCROW) == 0)
        FAIL(JET_errInvalidOperation);
    if (size != 4 && size != 8)
        FAIL(JET_errInvalidOperation);
done:
    return err;
}

JET_ERR table_escrow(struct table_cursor *cursor, JET_COLUMNID id, const void *delta, uint32_t size,
                     void *old, uint32_t old_max, uint32_t *old_size, JET_GRBIT grbit)
{
    JET_ERR err = JET_errSuccess;
    struct column_definition *column = NULL;
    int64_t amount = 0;
    int64_t before = 0;
    (void)grbit;
    TRY(check_escrow(cursor, id, delta, size, old, old_max, &column));
    TRY(table_settle(cursor));
    if (size == 4) {
        int32_t narrow = 0;
        memcpy(&narrow, delta, 4);
        amount = narrow;
    } else {
        memcpy(&amount, delta, 8);
    }
    err = versioned_cursor_delta(cursor->primary, column->record_offset, size, amount, &before, NULL);
    if (err == JET_errNoCurrentRecord)
        err = JET_errRecordDeleted; /* as the published engine says it */
    TRY(err);
    if (old != NULL && old_max >= size)
        memcpy(old, &before, size);
    if (old_size != NULL)
        *old_size = size;
done:
    return err < JET_errSuccess ? err : JET_errSuccess;
}
