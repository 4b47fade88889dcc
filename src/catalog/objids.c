/* MSysObjids: which table a tree belongs to. A row for each table, index and long-value tree; its columns are
 * tagged. */
#include "src/cache/database.h"
#include "src/catalog/catalog_internal.h"
#include "src/catalog/rows.h"
#include "src/os/error.h"
#include "src/os/memory.h"
#include "src/version/versioned_cursor.h"

enum {
    OBJIDS_ID = 256,
    OBJIDS_TABLE = 257,
    OBJIDS_TYPE = 258,
};

/* The root page of the table, 0 if the database has none (an old one). */
static JET_ERR objids_root(struct transaction *transaction, struct database *database, page_number *root)
{
    JET_ERR err = JET_errSuccess;
    struct catalog *catalog = NULL;
    object_id id = 0;
    TRY(catalog_get(database, &catalog));
    catalog_lock(catalog);
    *root = catalog->objids_root;
    catalog_unlock(catalog);
    if (*root != 0)
        goto done;
    err = catalog_seek_table(transaction, database, CATALOG_OBJIDS_NAME, &id, root);
    if (err == JET_errObjectNotFound) {
        *root = 0;
        err = JET_errSuccess;
        goto done;
    }
    TRY(err);
    catalog_lock(catalog);
    catalog->objids_root = *root;
    catalog_unlock(catalog);
done:
    return err;
}

static const struct key_format key_format = {
    .type = JET_coltypLong, .key_max = KEY_SIZE_DEFAULT, .segment_max = KEY_SIZE_DEFAULT};

static uint32_t objids_key(object_id id, uint8_t *key)
{
    struct key_segment segment;
    JET_ERR err = key_normalize(&key_format, (const uint8_t *)&id, 4, key, KEY_SIZE_DEFAULT, &segment);
    ASSERT(err == JET_errSuccess);
    (void)err;
    return segment.size;
}

static JET_ERR encode(uint32_t page_size, object_id id, object_id table, uint16_t type, struct record *record)
{
    JET_ERR err = JET_errSuccess;
    const struct table_definition shape = {.page_size = page_size};
    const struct column_definition id_column = {.id = OBJIDS_ID, .type = JET_coltypLong};
    const struct column_definition table_column = {.id = OBJIDS_TABLE, .type = JET_coltypLong};
    const struct column_definition type_column = {.id = OBJIDS_TYPE, .type = JET_coltypShort};
    record_init(record);
    TRY(tagged_set(&shape, record, &id_column, 1, &id, 4, 0));
    TRY(tagged_set(&shape, record, &table_column, 1, &table, 4, 0));
    TRY(tagged_set(&shape, record, &type_column, 1, &type, 2, 0));
done:
    return err;
}

JET_ERR catalog_insert_objid(struct transaction *transaction, struct database *database, object_id id,
                             object_id table, uint16_t type, bool unversioned)
{
    JET_ERR err = JET_errSuccess;
    struct versioned_cursor *cursor = NULL;
    uint8_t key[KEY_BUFFER_SIZE];
    uint8_t bytes[64];
    struct record record = {bytes, 0, sizeof(bytes)};
    page_number root = 0;
    TRY(objids_root(transaction, database, &root));
    if (root == 0)
        goto done;
    TRY(encode(database->page_size, id, table, type, &record));
    TRY(versioned_cursor_open(transaction, database, root, &cursor));
    versioned_cursor_set_density(cursor, DENSITY_OBJIDS);
    TRY(versioned_cursor_insert(cursor, span_of(key, objids_key(id, key)), span_of(record.data, record.size),
                                unversioned ? VERSIONED_INSERT_UNVERSIONED : VERSIONED_INSERT_DEFAULT));
done:
    versioned_cursor_close(cursor);
    return err;
}

JET_ERR catalog_delete_objid(struct transaction *transaction, struct database *database, object_id id)
{
    JET_ERR err = JET_errSuccess;
    struct versioned_cursor *cursor = NULL;
    uint8_t key[KEY_BUFFER_SIZE];
    page_number root = 0;
    TRY(objids_root(transaction, database, &root));
    if (root == 0)
        goto done;
    TRY(versioned_cursor_open(transaction, database, root, &cursor));
    err = versioned_cursor_seek(cursor, span_of(key, objids_key(id, key)), VERSIONED_SEEK_EQ);
    if (err >= JET_errSuccess)
        err = versioned_cursor_delete(cursor);
    else if (err == JET_errRecordNotFound)
        err = JET_errSuccess;
done:
    versioned_cursor_close(cursor);
    return err;
}
