#include "src/table/long_value.h"

#include "src/btree/space.h"
#include "src/cache/database.h"
#include "src/catalog/rows.h"
#include "src/os/error.h"
#include "src/os/lock.h"
#include "src/os/memory.h"
#include "src/os/thread.h"
#include "src/page/page.h"
#include "src/table/compression.h"

#define TREE_PAGES 1u
#define TREE_DENSITY 100u
#define ID_MAX 0x7fffffffu

/* A value's root node: references, size; a newer form adds flags, of which only encryption exists. */
struct PACKED long_value_root {
    uint32_t references;
    uint32_t size;
};
_Static_assert(sizeof(struct long_value_root) == 8, "LVROOT is 8 bytes");

/* Key of a root (offset absent) or chunk. */
struct long_value_key {
    uint8_t bytes[12];
    uint32_t size;
};

static void put_big_endian(uint8_t *out, uint64_t value, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        out[i] = (uint8_t)(value >> 8 * (count - 1 - i));
}

static struct long_value_key root_key(uint64_t id)
{
    struct long_value_key key = {.size = id > UINT32_MAX ? 8 : 4};
    put_big_endian(key.bytes, id, key.size);
    return key;
}

static struct long_value_key chunk_key(uint64_t id, uint32_t offset)
{
    struct long_value_key key = root_key(id);
    put_big_endian(key.bytes + key.size, offset, 4);
    key.size += 4;
    return key;
}

static struct span key_span(const struct long_value_key *key)
{
    return span_of(key->bytes, key->size);
}

uint32_t long_value_chunk_size(uint32_t page_size)
{
    switch (page_size) {
    case 16384:
        return 4050;
    case 32768:
        return 8150;
    default:
        return page_size - 82;
    }
}

JET_ERR long_value_id(const struct value *value, uint64_t *id)
{
    if (value->size != 4 && value->size != 8)
        return JET_errDatabaseCorrupted;
    *id = 0;
    for (uint32_t i = 0; i < value->size; i++)
        *id |= (uint64_t)value->data[i] << 8 * i;
    return JET_errSuccess;
}

uint32_t long_value_id_encode(uint64_t id, uint8_t bytes[8])
{
    const uint32_t size = id > UINT32_MAX ? 8 : 4;
    for (uint32_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)(id >> 8 * i);
    return size;
}

JET_ERR long_value_keep(struct table_cursor *cursor, uint8_t *data, uint32_t size, uint64_t *id)
{
    struct pending_value *pending = os_allocate(sizeof(*pending));
    if (pending == NULL) {
        os_free(data);
        return JET_errOutOfMemory;
    }
    *pending = (struct pending_value){cursor->pending, ++cursor->pending_last, size, data};
    cursor->pending = pending;
    *id = PENDING_ID_BIT | pending->number;
    return JET_errSuccess;
}

const struct pending_value *long_value_pending(const struct table_cursor *cursor, uint64_t id)
{
    for (const struct pending_value *pending = cursor->pending; pending != NULL; pending = pending->next) {
        if ((PENDING_ID_BIT | pending->number) == id)
            return pending;
    }
    return NULL;
}

void long_value_drop_pending(struct table_cursor *cursor)
{
    while (cursor->pending != NULL) {
        struct pending_value *pending = cursor->pending;
        cursor->pending = pending->next;
        os_free(pending->data);
        os_free(pending);
    }
    cursor->pending_last = 0;
}

/* --- the tree --- */

/* Rollback of the creation: the table has no tree again. */
static void undo_tree(struct transaction *transaction, struct database *database, void *context)
{
    struct table_definition *table = context;
    (void)transaction;
    catalog_lock(database->catalog);
    table->long_value_id = 0;
    table->long_value_root = 0;
    table->long_value_next = 0;
    for (struct table_cursor *cursor = table->cursors; cursor != NULL; cursor = cursor->next_of_table) {
        versioned_cursor_close(cursor->long_values);
        cursor->long_values = NULL;
    }
    catalog_unlock(database->catalog);
    catalog_release(table);
}

static void clean_tree(struct database *database, void *context)
{
    (void)database;
    catalog_release(context);
}

static const struct version_action create_tree_action = {
    .name = "create long values", .undo = undo_tree, .cleanup = clean_tree};

static JET_ERR create_tree(struct transaction *transaction, struct table_definition *table)
{
    JET_ERR err = JET_errSuccess;
    const struct tree_design design = {
        .parent = table->root, .pages = TREE_PAGES, .unique = true, .page_flags = PAGE_LONG_VALUE};
    struct database *database = table->database;
    page_number root = 0;
    object_id id = 0;
    TRY(versioned_create_tree(transaction, database, &design, &root, &id));
    if (!table->is_temporary) {
        const struct catalog_row row = {
            .table = table->id,
            .type = CATALOG_LONG_VALUE,
            .id = id,
            .name = {(const uint8_t *)"LV", 2},
            .type_or_root = root,
            .space_usage = TREE_DENSITY,
            .pages_or_locale = TREE_PAGES,
        };
        TRY(catalog_insert_row(transaction, database, &row, false));
        TRY(catalog_insert_objid(transaction, database, id, table->id, CATALOG_LONG_VALUE, false));
        TRY(version_add_action(transaction, database, &create_tree_action, table));
        catalog_hold(table);
    }
    catalog_lock(database->catalog);
    table->long_value_id = id;
    table->long_value_root = root;
    catalog_unlock(database->catalog);
done:
    return err;
}

/* Trees for tables that others use are made by a transaction of their own, which commits at once: others will
 * put values in before the one who needed it first has committed. */
static struct os_mutex tree_lock = OS_MUTEX_INITIALIZER(OS_RANK_DATABASES);

/* Others may be making the tree. */
static page_number tree_root(struct table_definition *table)
{
    catalog_lock(table->database->catalog);
    page_number root = table->long_value_root;
    catalog_unlock(table->database->catalog);
    return root;
}

static JET_ERR create_shared_tree(struct table_cursor *cursor)
{
    JET_ERR err = JET_errSuccess;
    struct transaction own = {0};
    bool committed = false;
    os_mutex_lock(&tree_lock);
    if (tree_root(cursor->table) != 0)
        goto done;
    TRY(transaction_init(&own, cursor->transaction->store, PROCESS_LONG_VALUE_TREES));
    err = transaction_begin(&own, false);
    if (err >= JET_errSuccess) {
        err = create_tree(&own, cursor->table);
        if (err >= JET_errSuccess)
            err = transaction_commit(&own, true);
        if (err < JET_errSuccess)
            (void)transaction_rollback(&own); /* the first error counts */
    }
    committed = err >= JET_errSuccess;
    if (!committed)
        transaction_done(&own);
done:
    os_mutex_unlock(&tree_lock);
    if (committed) { /* the engine waits for it, too; a freeze may make that long, so the lock is free by now
                      */
        err = transaction_wait(&own, false);
        transaction_done(&own);
    }
    return err;
}

static JET_ERR open_tree(struct table_cursor *cursor, bool create)
{
    struct table_definition *table = cursor->table;
    page_number root = tree_root(table);
    if (cursor->long_values != NULL && versioned_cursor_tree(cursor->long_values)->root == root)
        return JET_errSuccess;
    versioned_cursor_close(cursor->long_values);
    cursor->long_values = NULL;
    if (root == 0) {
        if (!create)
            return JET_errLVCorrupted; /* a record refers to a value, but there is no tree */
        const bool alone = table->is_temporary || table->exclusive_owner == cursor->transaction;
        JET_ERR err = alone ? create_tree(cursor->transaction, table) : create_shared_tree(cursor);
        if (err < JET_errSuccess)
            return err;
        root = tree_root(table);
    }
    return versioned_cursor_open(cursor->transaction, cursor->database, root, &cursor->long_values);
}

/* The greatest id in the tree. */
static JET_ERR last_id(struct table_cursor *cursor, uint32_t *id)
{
    struct node_view node;
    *id = 0;
    JET_ERR err = versioned_cursor_last(cursor->long_values);
    if (err == JET_errNoCurrentRecord)
        return JET_errSuccess;
    if (err >= JET_errSuccess)
        err = versioned_cursor_copy(cursor->long_values, &node);
    if (err < JET_errSuccess)
        return err;
    if (node.key.size < 4 || (node.key.bytes[0] & 0x80) != 0)
        return JET_errOutOfLongValueIDs; /* 8-byte ids: written by newer engines, not made here */
    for (unsigned i = 0; i < 4; i++)
        *id = *id << 8 | node.key.bytes[i];
    return JET_errSuccess;
}

static JET_ERR next_id(struct table_cursor *cursor, uint64_t *id)
{
    struct catalog *catalog = cursor->database->catalog;
    struct table_definition *table = cursor->table;
    uint32_t last = 0;
    catalog_lock(catalog);
    const bool known = table->long_value_next != 0;
    catalog_unlock(catalog);
    if (!known) {
        JET_ERR err = last_id(cursor, &last);
        if (err < JET_errSuccess)
            return err;
    }
    catalog_lock(catalog);
    if (table->long_value_next < last)
        table->long_value_next = last;
    *id = ++table->long_value_next;
    catalog_unlock(catalog);
    return *id >= ID_MAX ? JET_errOutOfLongValueIDs : JET_errSuccess;
}

/* Goes to the root node and reads it. */
static JET_ERR read_root(struct table_cursor *cursor, uint64_t id, struct long_value_root *root)
{
    JET_ERR err = JET_errSuccess;
    struct node_view node;
    const struct long_value_key key = root_key(id);
    TRY(open_tree(cursor, false));
    TRY(versioned_cursor_seek(cursor->long_values, key_span(&key), VERSIONED_SEEK_EQ));
    TRY(versioned_cursor_copy(cursor->long_values, &node));
    if (node.data.size < sizeof(*root))
        FAIL(JET_errLVCorrupted);
    memcpy(root, node.data.bytes, sizeof(*root));
done:
    return err == JET_errRecordNotFound ? JET_errLVCorrupted : err;
}

JET_ERR long_value_size(struct table_cursor *cursor, uint64_t id, uint32_t *size)
{
    struct long_value_root root;
    if (long_value_is_pending(id)) {
        const struct pending_value *pending = long_value_pending(cursor, id);
        if (pending == NULL)
            return JET_errLVCorrupted;
        *size = pending->size;
        return JET_errSuccess;
    }
    JET_ERR err = read_root(cursor, id, &root);
    if (err >= JET_errSuccess)
        *size = root.size;
    return err;
}

JET_ERR long_value_references(struct table_cursor *cursor, uint64_t id, uint32_t *count)
{
    struct long_value_root root;
    *count = 1;
    if (long_value_is_pending(id))
        return JET_errSuccess;
    JET_ERR err = read_root(cursor, id, &root);
    if (err >= JET_errSuccess)
        *count = root.references;
    return err;
}

/* The offset in a chunk's key, if the key is one of a chunk of `id`. */
static bool chunk_offset(struct span key, uint64_t id, uint32_t *offset)
{
    const struct long_value_key root = root_key(id);
    if (key.size != root.size + 4 || memcmp(key.bytes, root.bytes, root.size) != 0)
        return false;
    *offset = 0;
    for (uint32_t i = 0; i < 4; i++)
        *offset = *offset << 8 | key.bytes[root.size + i];
    return true;
}

/* The bytes of a chunk: as they are, or decompressed into `memory` if they are shorter than the value
 * demands. */
static JET_ERR chunk_bytes(struct span data, uint32_t expected, uint8_t *memory, const uint8_t **bytes)
{
    uint32_t actual = 0;
    *bytes = data.bytes;
    if (data.size == expected)
        return JET_errSuccess;
    if (data.size > expected)
        return JET_errLVCorrupted;
    JET_ERR err = decompress(data.bytes, (uint32_t)data.size, memory, expected, &actual);
    if (err >= JET_errSuccess && actual != expected)
        err = JET_errLVCorrupted;
    *bytes = memory;
    return err < JET_errSuccess ? err : JET_errSuccess;
}

static JET_ERR read_pending(struct table_cursor *cursor, uint64_t id, uint32_t offset, uint8_t *buffer,
                            uint32_t size, uint32_t *actual)
{
    const struct pending_value *pending = long_value_pending(cursor, id);
    *actual = 0;
    if (pending == NULL)
        return JET_errLVCorrupted;
    if (offset < pending->size) {
        *actual = pending->size - offset < size ? pending->size - offset : size;
        memcpy(buffer, pending->data + offset, *actual);
    }
    return JET_errSuccess;
}

JET_ERR long_value_read(struct table_cursor *cursor, uint64_t id, uint32_t offset, uint8_t *buffer,
                        uint32_t size, uint32_t *actual)
{
    JET_ERR err = JET_errSuccess;
    struct long_value_root root;
    uint8_t *memory = NULL;
    const uint32_t chunk = long_value_chunk_size(cursor->database->page_size);
    *actual = 0;
    if (long_value_is_pending(id))
        return read_pending(cursor, id, offset, buffer, size, actual);
    os_thread_add_cost(&os_thread_costs.long_values_read, 1);
    TRY(read_root(cursor, id, &root));
    if (offset >= root.size || size == 0)
        goto done;
    if (size > root.size - offset)
        size = root.size - offset;
    if ((memory = os_allocate(chunk)) == NULL)
        FAIL(JET_errOutOfMemory);
    const struct long_value_key key = chunk_key(id, offset / chunk * chunk);
    err = versioned_cursor_seek(cursor->long_values, key_span(&key), VERSIONED_SEEK_EQ);
    while (*actual < size) {
        struct node_view node;
        uint32_t at = 0;
        const uint8_t *bytes = NULL;
        TRY(err);
        TRY(versioned_cursor_copy(cursor->long_values, &node));
        const uint32_t place = offset + *actual;
        if (!chunk_offset(node.key, id, &at) || at != place / chunk * chunk || at >= root.size)
            FAIL(JET_errLVCorrupted);
        const uint32_t in_chunk = root.size - at < chunk ? root.size - at : chunk;
        TRY(chunk_bytes(node.data, in_chunk, memory, &bytes));
        const uint32_t skip = place - at;
        const uint32_t take = in_chunk - skip < size - *actual ? in_chunk - skip : size - *actual;
        memcpy(buffer + *actual, bytes + skip, take);
        *actual += take;
        if (*actual < size)
            err = versioned_cursor_next(cursor->long_values);
    }
done:
    os_free(memory);
    if (err == JET_errRecordNotFound || err == JET_errNoCurrentRecord)
        err = JET_errLVCorrupted;
    return err < JET_errSuccess ? err : JET_errSuccess;
}

/* One piece of a new value. */
static JET_ERR insert_chunk(struct table_cursor *cursor, uint64_t id, const uint8_t *data, uint32_t size,
                            uint32_t offset)
{
    const uint32_t chunk = long_value_chunk_size(cursor->database->page_size);
    const struct long_value_key key = chunk_key(id, offset);
    const uint32_t take = size - offset < chunk ? size - offset : chunk;

    ASSERT(take > 0);
    return versioned_cursor_insert(cursor->long_values, key_span(&key), span_of(data + offset, take),
                                   VERSIONED_INSERT_APPEND);
}

static JET_ERR insert_root(struct table_cursor *cursor, uint64_t id, uint32_t size)
{
    const struct long_value_root root = {.references = 1, .size = size};
    const struct long_value_key key = root_key(id);

    return versioned_cursor_insert(cursor->long_values, key_span(&key), span_of(&root, sizeof(root)),
                                   VERSIONED_INSERT_DEFAULT);
}

/* Pieces first, since the root names their size: what the engine does. */
JET_ERR long_value_create(struct table_cursor *cursor, const uint8_t *data, uint32_t size, uint64_t *id)
{
    JET_ERR err = JET_errSuccess;
    const uint32_t chunk = long_value_chunk_size(cursor->database->page_size);
    TRY(open_tree(cursor, true));
    do {
        TRY(next_id(cursor, id));
        err = size > 0 ? insert_chunk(cursor, *id, data, size, 0) : insert_root(cursor, *id, size);
    } while (err == JET_errKeyDuplicate);
    TRY(err);
    for (uint32_t offset = chunk; offset < size; offset += chunk)
        TRY(insert_chunk(cursor, *id, data, size, offset));
    if (size > 0)
        TRY(insert_root(cursor, *id, size));
done:
    return err;
}

JET_ERR long_value_add_reference(struct table_cursor *cursor, uint64_t id)
{
    struct long_value_root root;
    JET_ERR err = read_root(cursor, id, &root);
    if (err >= JET_errSuccess)
        err = versioned_cursor_delta(cursor->long_values, offsetof(struct long_value_root, references), 4, 1,
                                     NULL, NULL);
    return err;
}

/* Deletes the root, where the cursor is, and all chunks. */
static JET_ERR delete_value(struct table_cursor *cursor, uint64_t id)
{
    JET_ERR err = JET_errSuccess;
    uint32_t offset = 0;
    TRY(versioned_cursor_delete(cursor->long_values));
    for (err = versioned_cursor_next(cursor->long_values); err >= JET_errSuccess;
         err = versioned_cursor_next(cursor->long_values)) {
        struct bookmark place;
        TRY_SOUND(versioned_cursor_bookmark(cursor->long_values, &place));
        if (!chunk_offset(place.key, id, &offset))
            break;
        TRY(versioned_cursor_delete(cursor->long_values));
    }
    if (err == JET_errNoCurrentRecord)
        err = JET_errSuccess;
done:
    return err;
}

JET_ERR long_value_remove_reference(struct table_cursor *cursor, uint64_t id)
{
    JET_ERR err = JET_errSuccess;
    struct long_value_root root;
    TRY(read_root(cursor, id, &root));
    if (root.references <= 1)
        TRY(delete_value(cursor, id));
    else
        TRY(versioned_cursor_delta(cursor->long_values, offsetof(struct long_value_root, references), 4, -1,
                                   NULL, NULL));
done:
    return err;
}

JET_ERR long_value_logical_size(struct table_cursor *cursor, const struct value *value, uint32_t *size)
{
    JET_ERR err = JET_errSuccess;
    uint64_t id = 0;
    *size = value->size;
    if (value->kind == VALUE_SEPARATED) {
        TRY(long_value_id(value, &id));
        TRY(long_value_size(cursor, id, size));
    } else if (value->kind == VALUE_COMPRESSED) {
        TRY(decompressed_size(value->data, value->size, size));
    }
done:
    return err;
}

JET_ERR long_value_fetch(struct table_cursor *cursor, const struct value *value, uint8_t **data,
                         uint32_t *size)
{
    JET_ERR err = JET_errSuccess;
    uint32_t actual = 0;
    uint64_t id = 0;
    *data = NULL;
    TRY(long_value_logical_size(cursor, value, size));
    if ((*data = os_allocate(*size + 1)) == NULL)
        FAIL(JET_errOutOfMemory);
    if (value->kind == VALUE_SEPARATED) {
        TRY(long_value_id(value, &id));
        TRY(long_value_read(cursor, id, 0, *data, *size, &actual));
        if (actual != *size)
            FAIL(JET_errLVCorrupted);
    } else if (value->kind == VALUE_COMPRESSED) {
        TRY(decompress(value->data, value->size, *data, *size, &actual));
    } else if (value->size > 0) {
        memcpy(*data, value->data, value->size);
    }
done:
    if (err < JET_errSuccess) {
        os_free(*data);
        *data = NULL;
    }
    return err < JET_errSuccess ? err : JET_errSuccess;
}
