#include "src/catalog/catalog.h"

#include "src/cache/database.h"
#include "src/catalog/catalog_internal.h"
#include "src/catalog/rows.h"
#include "src/os/error.h"
#include "src/os/lock.h"
#include "src/os/memory.h"
#include "src/version/versioned_cursor.h"

/* Guards the making of caches. */
static struct os_mutex creation_lock = OS_MUTEX_INITIALIZER(OS_RANK_LEAF);

static void catalog_free(struct catalog *catalog)
{
    while (catalog->tables != NULL) {
        struct table_definition *table = catalog->tables;
        catalog->tables = table->next;
        ASSERT(table->open_count == 0);
        table_definition_free(table);
    }
    table_definition_free(catalog->schema);
    os_mutex_destroy(&catalog->lock);
    os_free(catalog);
}

JET_ERR catalog_get(struct database *database, struct catalog **out)
{
    JET_ERR err = JET_errSuccess;
    struct catalog *catalog = NULL;
    os_mutex_lock(&creation_lock);
    *out = database->catalog;
    os_mutex_unlock(&creation_lock);
    if (*out != NULL)
        return JET_errSuccess;
    if ((catalog = os_allocate_zeroed(sizeof(*catalog))) == NULL)
        return JET_errOutOfMemory;
    os_mutex_init(&catalog->lock, OS_RANK_SCHEMA);
    TRY(catalog_schema_create(database->page_size, &catalog->schema));
    os_mutex_lock(&creation_lock);
    if (database->catalog == NULL) {
        database->catalog = catalog;
        catalog = NULL;
    }
    *out = database->catalog;
    os_mutex_unlock(&creation_lock);
done:
    if (catalog != NULL)
        catalog_free(catalog);
    return err;
}

void catalog_unload(struct database *database)
{
    if (database->catalog != NULL)
        catalog_free(database->catalog);
    database->catalog = NULL;
}

void catalog_lock(struct catalog *catalog)
{
    os_mutex_lock(&catalog->lock);
}

void catalog_unlock(struct catalog *catalog)
{
    os_mutex_unlock(&catalog->lock);
}

const struct table_definition *catalog_schema(struct catalog *catalog)
{
    return catalog->schema;
}

void catalog_link(struct catalog *catalog, struct table_definition *table)
{
    catalog_lock(catalog);
    table->next = catalog->tables;
    catalog->tables = table;
    catalog_unlock(catalog);
}

void catalog_unlink(struct catalog *catalog, struct table_definition *table)
{
    struct table_definition **link = &catalog->tables;
    while (*link != table) {
        ASSERT(*link != NULL);
        link = &(*link)->next;
    }
    *link = table->next;
    table->next = NULL;
    table->unlinked = true;
}

void catalog_hold(struct table_definition *table)
{
    struct catalog *catalog = table->database->catalog;
    catalog_lock(catalog);
    table->versioned_count++;
    catalog_unlock(catalog);
}

/* Whether the definition is in no list, and nobody has it. Under the lock. */
static bool nobody_has(const struct table_definition *table)
{
    return table->unlinked && table->open_count == 0 && table->versioned_count == 0;
}

void catalog_release(struct table_definition *table)
{
    struct catalog *catalog = table->database->catalog;
    catalog_lock(catalog);
    ASSERT(table->versioned_count > 0);
    table->versioned_count--;
    const bool last = nobody_has(table);
    catalog_unlock(catalog);
    if (last)
        table_definition_free(table);
}

struct table_definition *catalog_find(struct catalog *catalog, object_id id)
{
    struct table_definition *table = catalog->tables;
    while (table != NULL && table->id != id)
        table = table->next;
    return table;
}

JET_ERR catalog_seek_table(struct transaction *transaction, struct database *database, const char *name,
                           object_id *id, page_number *root)
{
    JET_ERR err = JET_errSuccess;
    struct catalog *catalog = NULL;
    struct versioned_cursor *roots = NULL;
    struct versioned_cursor *rows = NULL;
    struct node_view node;
    struct catalog_row row;
    uint8_t key[KEY_BUFFER_SIZE];
    const struct bytes text = {(const uint8_t *)name, (uint32_t)strlen(name)};
    TRY(catalog_get(database, &catalog));
    TRY(versioned_cursor_open(transaction, database, CATALOG_ROOT_OBJECTS_INDEX_ROOT, &roots));
    TRY(versioned_cursor_seek(roots, span_of(key, catalog_key_root(text, key)), VERSIONED_SEEK_EQ));
    TRY(versioned_cursor_copy(roots, &node));
    TRY(versioned_cursor_open(transaction, database, CATALOG_ROOT, &rows));
    TRY(versioned_cursor_seek(rows, node.data, VERSIONED_SEEK_EQ));
    TRY(versioned_cursor_copy(rows, &node));
    TRY(catalog_row_decode(catalog->schema, (struct record_view){node.data.bytes, (uint32_t)node.data.size},
                           &row));
    *id = row.table;
    *root = row.type_or_root;
done:
    versioned_cursor_close(rows);
    versioned_cursor_close(roots);
    return err == JET_errRecordNotFound ? JET_errObjectNotFound : err;
}

/* Takes a reference to a definition that is in the cache already. */
static struct table_definition *open_cached(struct catalog *catalog, object_id id)
{
    catalog_lock(catalog);
    struct table_definition *table = catalog_find(catalog, id);
    if (table != NULL)
        table->open_count++;
    catalog_unlock(catalog);
    return table;
}

/* Puts a loaded definition into the cache, unless somebody was faster; answers the one that is there. */
static struct table_definition *publish(struct catalog *catalog, struct table_definition *loaded)
{
    catalog_lock(catalog);
    struct table_definition *table = catalog_find(catalog, loaded->id);
    if (table == NULL) {
        table = loaded;
        table->next = catalog->tables;
        catalog->tables = table;
        loaded = NULL;
    }
    table->open_count++;
    catalog_unlock(catalog);
    table_definition_free(loaded);
    return table;
}

JET_ERR catalog_open_table(struct transaction *transaction, struct database *database, const char *name,
                           struct table_definition **out)
{
    JET_ERR err = JET_errSuccess;
    struct catalog *catalog = NULL;
    struct table_definition *loaded = NULL;
    object_id id = 0;
    page_number root = 0;
    TRY(catalog_get(database, &catalog));
    TRY(catalog_seek_table(transaction, database, name, &id, &root));
    if ((*out = open_cached(catalog, id)) != NULL)
        goto done;
    TRY(catalog_load(transaction, database, id, &loaded));
    *out = publish(catalog, loaded);
done:
    return err;
}

void catalog_close_table(struct table_definition *table)
{
    struct catalog *catalog = table->database->catalog;
    catalog_lock(catalog);
    ASSERT(table->open_count > 0);
    table->open_count--;
    const bool last = nobody_has(table);
    catalog_unlock(catalog);
    if (last)
        table_definition_free(table);
}

/* Whether the transaction sees the row of (table, type, id), and that under the same name. */
static JET_ERR sees_row(struct transaction *transaction, const struct table_definition *table, uint16_t type,
                        uint32_t id, const char *name, bool *sees)
{
    struct catalog_row row;
    uint8_t *buffer = NULL;
    JET_ERR err = catalog_read_row(transaction, table->database, table->id, type, id, &row, &buffer);
    *sees = err == JET_errSuccess && (type != CATALOG_COLUMN || row.type_or_root != JET_coltypNil);
    (void)name;
    os_free(buffer);
    return err == JET_errRecordNotFound ? JET_errSuccess : err;
}

/* Whether nothing but the making of it can hide the column or index, and that does not. Says no when in
 * doubt. */
static bool sees_birth(const struct transaction *transaction, const struct definition_birth *birth,
                       bool delete_pending)
{
    return !delete_pending &&
           transaction_sees(transaction, os_atomic_load(&birth->begin0), os_atomic_load(&birth->commit0));
}

JET_ERR catalog_sees_column(struct transaction *transaction, const struct table_definition *table,
                            const struct column_definition *column, bool *sees)
{
    const uint8_t state = column->state; /* once: cleaning versions commits it at any time */
    *sees = state == DEFINITION_COMMITTED;
    if (state != DEFINITION_VERSIONED)
        return JET_errSuccess;
    *sees = sees_birth(transaction, &column->birth, column->delete_pending);
    if (*sees)
        return JET_errSuccess;
    return sees_row(transaction, table, CATALOG_COLUMN, column->id, column->name, sees);
}

JET_ERR catalog_sees_index(struct transaction *transaction, const struct table_definition *table,
                           const struct index_definition *index, bool *sees)
{
    const uint8_t state = index->state; /* once: cleaning versions commits it at any time */
    *sees = state == DEFINITION_COMMITTED;
    if (state != DEFINITION_VERSIONED)
        return JET_errSuccess;
    *sees = sees_birth(transaction, &index->birth, index->delete_pending);
    if (*sees)
        return JET_errSuccess;
    return sees_row(transaction, table, CATALOG_INDEX, index->id, index->name, sees);
}

JET_ERR catalog_visit_tables(struct transaction *transaction, struct database *database,
                             catalog_visit_table *visit, void *context)
{
    JET_ERR err = JET_errSuccess;
    struct catalog *catalog = NULL;
    struct versioned_cursor *roots = NULL;
    struct versioned_cursor *rows = NULL;
    TRY(catalog_get(database, &catalog));
    TRY(versioned_cursor_open(transaction, database, CATALOG_ROOT_OBJECTS_INDEX_ROOT, &roots));
    TRY(versioned_cursor_open(transaction, database, CATALOG_ROOT, &rows));
    for (err = versioned_cursor_first(roots); err >= JET_errSuccess; err = versioned_cursor_next(roots)) {
        struct node_view node;
        struct catalog_row row;
        char name[NAME_MAX_SIZE + 1] = {0};
        TRY(versioned_cursor_copy(roots, &node));
        TRY(versioned_cursor_seek(rows, node.data, VERSIONED_SEEK_EQ));
        TRY(versioned_cursor_copy(rows, &node));
        TRY(catalog_row_decode(catalog->schema,
                               (struct record_view){node.data.bytes, (uint32_t)node.data.size}, &row));
        memcpy(name, row.name.data, row.name.size);
        TRY(visit(context, name, row.table, row.flags));
    }
    if (err == JET_errNoCurrentRecord)
        err = JET_errSuccess;
done:
    versioned_cursor_close(rows);
    versioned_cursor_close(roots);
    return err;
}
