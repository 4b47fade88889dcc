/* The catalog of a new database. What is created, in which order and at which pages is fixed in the format
 * (engine sources: `cat.cxx`, `kvpstore.cxx`). */
#include "src/btree/space.h"
#include "src/cache/database.h"
#include "src/catalog/catalog_internal.h"
#include "src/catalog/rows.h"
#include "src/os/error.h"
#include "src/os/memory.h"
#include "src/page/page.h"
#include "src/version/versioned_cursor.h"

#define CATALOG_PAGES 20u
#define DENSITY_DEFAULT 80u
#define DENSITY_LOCALES 92u
#define INDEX_PAGES 3u

#define FLAGS_SYSTEM_FIXED ((uint32_t)JET_bitObjectSystem | (uint32_t)JET_bitObjectTableFixedDDL)
/* System tables that are ordinary tables otherwise. */
#define FLAGS_DYNAMIC ((uint32_t)JET_bitObjectSystem | 0x08000000u)
#define FLAGS_DYNAMIC_FIXED (FLAGS_DYNAMIC | (uint32_t)JET_bitObjectTableFixedDDL)

#define PRIMARY_FLAGS                                                                                        \
    (INDEX_FLAG_UNIQUE | INDEX_FLAG_ALLOW_ALL_NULLS | INDEX_FLAG_ALLOW_FIRST_NULL |                          \
     INDEX_FLAG_ALLOW_SOME_NULLS | INDEX_FLAG_PRIMARY)

static const uint16_t locale_default[] = {'e', 'n', '-', 'U', 'S', 0};

/* What all steps need. */
struct bootstrap {
    struct transaction *transaction;
    struct database *database;
    struct catalog_writer writer; /* once the catalog's trees are there */
    object_id created;            /* the table that was made last */
    page_number locales_root;     /* of MSysLocales */
};

static struct bytes text(const char *name)
{
    return (struct bytes){(const uint8_t *)name, (uint32_t)strlen(name)};
}

static JET_ERR create_tree(struct bootstrap *b, page_number parent, uint32_t pages, bool multiple,
                           uint32_t page_flags, page_number expected, page_number *root, object_id *id)
{
    const struct tree_design design = {
        .parent = parent,
        .pages = pages,
        .unique = true,
        .multiple_extents = multiple,
        .page_flags = page_flags,
    };
    JET_ERR err = versioned_create_tree(b->transaction, b->database, &design, root, id);
    if (NEVER(err >= JET_errSuccess && expected != 0 && *root != expected))
        err = JET_errDatabaseCorrupted; /* the space trees were not as a new database has them */
    return err;
}

static uint32_t shadow_pages(uint32_t page_size)
{
    return page_size == 2048 ? 6 : 5;
}

static JET_ERR create_catalog_trees(struct bootstrap *b)
{
    JET_ERR err = JET_errSuccess;
    page_number root = 0;
    object_id id = 0;
    TRY(create_tree(b, ROOT_PAGE_DATABASE, CATALOG_PAGES, true, PAGE_PRIMARY, CATALOG_ROOT, &root, &id));
    TRY(create_tree(b, ROOT_PAGE_DATABASE, shadow_pages(b->database->page_size), true, PAGE_PRIMARY,
                    CATALOG_SHADOW_ROOT, &root, &id));
    TRY(create_tree(b, CATALOG_ROOT, INDEX_PAGES, true, PAGE_INDEX, CATALOG_NAME_INDEX_ROOT, &root, &id));
    TRY(create_tree(b, CATALOG_ROOT, INDEX_PAGES, true, PAGE_INDEX, CATALOG_ROOT_OBJECTS_INDEX_ROOT, &root,
                    &id));
    if (NEVER(id != CATALOG_ROOT_OBJECTS_INDEX_ID))
        FAIL(JET_errDatabaseCorrupted);
done:
    return err;
}

static JET_ERR add_table(struct bootstrap *b, object_id id, page_number root, const char *name,
                         uint32_t flags, uint32_t density, uint32_t pages)
{
    const struct catalog_row row = {
        .table = id,
        .type = CATALOG_TABLE,
        .id = id,
        .name = text(name),
        .type_or_root = root,
        .space_usage = density,
        .flags = flags,
        .pages_or_locale = pages,
        .root_flag = true,
    };
    return catalog_writer_insert(&b->writer, &row, true);
}

static JET_ERR add_catalog_columns(struct bootstrap *b, object_id table)
{
    JET_ERR err = JET_errSuccess;
    for (unsigned i = 0; i < CATALOG_COLUMN_COUNT; i++) {
        const struct catalog_column *from = &catalog_columns[i];
        struct catalog_row row = {
            .table = table,
            .type = CATALOG_COLUMN,
            .id = from->id,
            .name = text(from->name),
            .type_or_root = from->type,
            .space_usage = column_type_size(from->type),
            .flags = from->not_null ? COLUMN_FLAG_NOT_NULL : 0,
            .pages_or_locale = 1252,
            .has_record_offset = column_id_is_fixed(from->id),
            .record_offset = RECORD_HEADER_SIZE, /* the same for all: the offsets follow from the ids */
        };
        if (from->type == JET_coltypText || from->type == JET_coltypBinary)
            row.space_usage = 255;
        TRY(catalog_writer_insert(&b->writer, &row, true));
    }
done:
    return err;
}

/* An index over up to three columns (0 = none). */
static JET_ERR add_index(struct bootstrap *b, object_id table, object_id id, page_number root,
                         const char *name, uint16_t flags, uint32_t density, const JET_COLUMNID columns[3])
{
    struct index_definition index = {
        .id = id,
        .root = root,
        .flags = flags,
        .key_max = KEY_SIZE_DEFAULT,
        .segment_max = KEY_SIZE_DEFAULT,
        .density = density,
        .map_flags = KEY_MAP_FLAGS_DEFAULT,
    };
    struct catalog_index_buffers buffers;
    struct catalog_row row;
    while (index.column_count < 3 && columns[index.column_count] != 0) {
        index.columns[index.column_count].column = columns[index.column_count];
        index.column_count++;
    }
    memcpy(index.name, name, strlen(name) + 1);
    memcpy(index.locale, locale_default, sizeof(locale_default));
    catalog_row_from_index(table, &index, &buffers, &row);
    return catalog_writer_insert(&b->writer, &row, true);
}

static JET_ERR populate_catalog(struct bootstrap *b)
{
    JET_ERR err = JET_errSuccess;
    const uint16_t primary = INDEX_FLAG_UNIQUE | INDEX_FLAG_NO_NULL_SEGMENT | INDEX_FLAG_PRIMARY;
    const JET_COLUMNID by_id[3] = {1, 2, 3};
    const JET_COLUMNID by_name[3] = {1, 2, 128};
    const JET_COLUMNID by_root[3] = {8, 128, 0};
    TRY(catalog_writer_open(b->transaction, b->database, &b->writer));
    TRY(add_table(b, CATALOG_ID, CATALOG_ROOT, "MSysObjects", FLAGS_SYSTEM_FIXED, DENSITY_DEFAULT,
                  CATALOG_PAGES));
    TRY(add_catalog_columns(b, CATALOG_ID));
    TRY(add_table(b, CATALOG_SHADOW_ID, CATALOG_SHADOW_ROOT, "MSysObjectsShadow", FLAGS_SYSTEM_FIXED,
                  DENSITY_DEFAULT, shadow_pages(b->database->page_size)));
    TRY(add_catalog_columns(b, CATALOG_SHADOW_ID));
    TRY(add_index(b, CATALOG_ID, CATALOG_ID, CATALOG_ROOT, "Id", primary, DENSITY_DEFAULT, by_id));
    TRY(add_index(b, CATALOG_SHADOW_ID, CATALOG_SHADOW_ID, CATALOG_SHADOW_ROOT, "Id", primary,
                  DENSITY_DEFAULT, by_id));
    TRY(add_index(b, CATALOG_ID, CATALOG_NAME_INDEX_ID, CATALOG_NAME_INDEX_ROOT, "Name",
                  INDEX_FLAG_UNIQUE | INDEX_FLAG_NO_NULL_SEGMENT, DENSITY_DEFAULT, by_name));
    TRY(add_index(b, CATALOG_ID, CATALOG_ROOT_OBJECTS_INDEX_ID, CATALOG_ROOT_OBJECTS_INDEX_ROOT,
                  "RootObjects", INDEX_FLAG_UNIQUE | INDEX_FLAG_ALLOW_SOME_NULLS, DENSITY_DEFAULT, by_root));
done:
    return err;
}

static JET_ERR add_column(struct bootstrap *b, object_id table, const struct column_definition *column)
{
    struct catalog_row row;
    catalog_row_from_column(table, column, &row);
    return catalog_writer_insert(&b->writer, &row, true);
}

static JET_ERR create_objids(struct bootstrap *b)
{
    JET_ERR err = JET_errSuccess;
    page_number root = 0;
    object_id id = 0;
    const JET_COLUMNID key[3] = {256, 0, 0};
    const struct column_definition columns[] = {
        {.id = 256, .type = JET_coltypLong, .max_size = 4, .name = "objid"},
        {.id = 257, .type = JET_coltypLong, .max_size = 4, .name = "objidTable"},
        {.id = 258, .type = JET_coltypShort, .max_size = 2, .name = "type"},
    };
    TRY(create_tree(b, ROOT_PAGE_DATABASE, 1, false, PAGE_PRIMARY, 0, &root, &id));
    TRY(catalog_writer_open(b->transaction, b->database, &b->writer));
    TRY(add_table(b, id, root, CATALOG_OBJIDS_NAME, FLAGS_DYNAMIC_FIXED, DENSITY_OBJIDS, 0));
    for (unsigned i = 0; i < 3; i++)
        TRY(add_column(b, id, &columns[i]));
    TRY(add_index(b, id, id, root, "primary", PRIMARY_FLAGS, DENSITY_OBJIDS, key));
    b->created = id;
done:
    return err;
}

/* The rows of MSysObjids: for the catalog, for its shadow, and for itself. */
static JET_ERR note_catalog(struct bootstrap *b)
{
    JET_ERR err = JET_errSuccess;
    TRY(catalog_insert_objid(b->transaction, b->database, CATALOG_ID, CATALOG_ID, CATALOG_TABLE, true));
    TRY(catalog_insert_objid(b->transaction, b->database, CATALOG_NAME_INDEX_ID, CATALOG_ID, CATALOG_INDEX,
                             true));
    TRY(catalog_insert_objid(b->transaction, b->database, CATALOG_ROOT_OBJECTS_INDEX_ID, CATALOG_ID,
                             CATALOG_INDEX, true));
done:
    return err;
}

static JET_ERR note_shadow(struct bootstrap *b)
{
    return catalog_insert_objid(b->transaction, b->database, CATALOG_SHADOW_ID, CATALOG_SHADOW_ID,
                                CATALOG_TABLE, true);
}

static JET_ERR note_created_table(struct bootstrap *b)
{
    return catalog_insert_objid(b->transaction, b->database, b->created, b->created, CATALOG_TABLE, true);
}

/* A row of MSysLocales: a UTF-16 name (with its zero), a type, a number. */
struct locales_row {
    const char *name;
    uint8_t type;
    uint32_t value;
};
static const struct locales_row locales_rows[] = {
    {".Schema\\Internal\\Major", 1, 1},  {".Schema\\Internal\\Minor", 1, 0},
    {".Schema\\Internal\\Update", 1, 0}, {".Schema\\External\\Major", 1, 1},
    {".Schema\\External\\Minor", 1, 0},  {".Schema\\External\\Update", 1, 0},
    {"MSysLocalesConsistent", 2, 1},
};

#define LOCALES_TYPE 1u
#define LOCALES_VALUE 2u
#define LOCALES_KEY 128u
#define LOCALES_VALUE_OFFSET 5u /* in a row */
#define LOCALES_ROW_UPDATE 5u   /* by key: External\Major, \Minor, \Update, Internal\Major, \Minor, \Update */

static JET_ERR insert_locales_row(struct versioned_cursor *cursor, const struct table_definition *table,
                                  const struct locales_row *row)
{
    JET_ERR err = JET_errSuccess;
    const struct key_format format = {
        .type = JET_coltypBinary, .key_max = KEY_SIZE_DEFAULT, .segment_max = KEY_SIZE_DEFAULT};
    uint16_t name[64];
    uint8_t bytes[256];
    uint8_t key[KEY_BUFFER_SIZE];
    struct record record = {bytes, 0, sizeof(bytes)};
    struct key_segment segment;
    uint32_t length = 0;
    /* The value's type is a number in the record, and its name ends with a zero. */
    do
        name[length] = (uint8_t)row->name[length];
    while (row->name[length++] != 0);
    record_init(&record);
    TRY_SOUND(record_set(table, &record, table_definition_column(table, LOCALES_TYPE), &row->type, 1));
    TRY_SOUND(record_set(table, &record, table_definition_column(table, LOCALES_VALUE), &row->value, 4));
    TRY_SOUND(record_set(table, &record, table_definition_column(table, LOCALES_KEY), name, length * 2));
    TRY(key_normalize(&format, (const uint8_t *)name, length * 2, key, KEY_SIZE_DEFAULT, &segment));
    TRY(versioned_cursor_insert(cursor, span_of(key, segment.size), span_of(record.data, record.size),
                                VERSIONED_INSERT_UNVERSIONED));
done:
    return err;
}

static JET_ERR create_locales(struct bootstrap *b)
{
    JET_ERR err = JET_errSuccess;
    page_number root = 0;
    object_id id = 0;
    uint32_t zero = 0;
    struct table_definition *table = NULL;
    struct versioned_cursor *cursor = NULL;
    const JET_COLUMNID key[3] = {LOCALES_KEY, 0, 0};
    const struct column_definition columns[] = {
        {.id = LOCALES_TYPE,
         .type = JET_coltypUnsignedByte,
         .flags = COLUMN_FLAG_NOT_NULL,
         .record_offset = 4,
         .max_size = 1,
         .name = "Type"},
        {.id = LOCALES_VALUE,
         .type = JET_coltypLong,
         .flags = COLUMN_FLAG_DEFAULT | COLUMN_FLAG_ESCROW,
         .record_offset = 5,
         .max_size = 4,
         .default_value = (uint8_t *)&zero,
         .default_size = 4,
         .name = "iValue"},
        {.id = LOCALES_KEY, .type = JET_coltypBinary, .max_size = 255, .name = "Key"},
    };
    TRY(create_tree(b, ROOT_PAGE_DATABASE, 1, false, PAGE_PRIMARY, 0, &root, &id));
    TRY(catalog_writer_open(b->transaction, b->database, &b->writer));
    TRY(add_table(b, id, root, CATALOG_LOCALES_NAME, FLAGS_DYNAMIC, DENSITY_LOCALES, 0));
    TRY(table_definition_create(&table));
    table->page_size = b->database->page_size;
    for (unsigned i = 0; i < 3; i++) {
        TRY(add_column(b, id, &columns[i]));
        TRY(table_definition_add_column(table, &columns[i], NULL));
    }
    TRY(add_index(b, id, id, root, "KeyPrimary", PRIMARY_FLAGS | INDEX_FLAG_DISALLOW_TRUNCATION,
                  DENSITY_LOCALES, key));
    b->created = id;
    b->locales_root = root;
    TRY(versioned_cursor_open(b->transaction, b->database, root, &cursor));
    versioned_cursor_set_density(cursor, DENSITY_LOCALES);
    for (unsigned i = 0; i < sizeof(locales_rows) / sizeof(locales_rows[0]); i++)
        TRY(insert_locales_row(cursor, table, &locales_rows[i]));
done:
    versioned_cursor_close(cursor);
    table_definition_free(table);
    return err;
}

/* Says in MSysLocales that its columns are those of version 1.0.`update`. */
static JET_ERR set_locales_update(struct bootstrap *b, uint32_t update)
{
    JET_ERR err = JET_errSuccess;
    struct versioned_cursor *cursor = NULL;
    struct node_view node;
    uint8_t bytes[256];
    TRY(versioned_cursor_open(b->transaction, b->database, b->locales_root, &cursor));
    TRY(versioned_cursor_first(cursor));
    /* By name it is the last of those that begin with a dot. */
    for (unsigned i = 0; i < LOCALES_ROW_UPDATE; i++)
        TRY(versioned_cursor_next(cursor));
    TRY(versioned_cursor_copy(cursor, &node));
    if (NEVER(node.data.size > sizeof(bytes) || node.data.size < LOCALES_VALUE_OFFSET + sizeof(update)))
        FAIL(JET_errDatabaseCorrupted);
    memcpy(bytes, node.data.bytes, node.data.size);
    memcpy(bytes + LOCALES_VALUE_OFFSET, &update, sizeof(update));
    TRY(versioned_cursor_replace(cursor, span_of(bytes, node.data.size)));
done:
    versioned_cursor_close(cursor);
    return err;
}

static JET_ERR extend_locales(struct bootstrap *b, const struct column_definition *column, uint32_t update)
{
    JET_ERR err = JET_errSuccess;
    TRY(catalog_writer_open(b->transaction, b->database, &b->writer));
    TRY(add_column(b, b->created, column));
    TRY(set_locales_update(b, update));
done:
    return err;
}

/* Kinds of values that the newest format adds, each in a transaction of its own. */
static JET_ERR add_locales_bytes(struct bootstrap *b)
{
    const struct column_definition column = {.id = 256, .type = JET_coltypLongBinary, .name = "rgbValue"};
    return extend_locales(b, &column, 1);
}

static JET_ERR add_locales_long_number(struct bootstrap *b)
{
    const struct column_definition column = {
        .id = 3, .type = JET_coltypCurrency, .record_offset = 9, .max_size = 8, .name = "i64Value"};
    return extend_locales(b, &column, 2);
}

static JET_ERR run_in_transaction(struct bootstrap *b, JET_ERR (*step)(struct bootstrap *), bool lazy)
{
    JET_ERR err = transaction_begin(b->transaction, false);
    if (err < JET_errSuccess)
        return err;
    err = step(b);
    catalog_writer_close(&b->writer);
    if (err >= JET_errSuccess)
        err = transaction_commit(b->transaction, lazy);
    if (err < JET_errSuccess)
        (void)transaction_rollback(b->transaction); /* the first error counts */
    return err;
}

static JET_ERR create_catalog(struct bootstrap *b)
{
    JET_ERR err = create_catalog_trees(b);
    return err < JET_errSuccess ? err : populate_catalog(b);
}

/* The order, the transactions and the commits that are waited for are the engine's, so that the log has room
 * for as much. */
static const struct {
    JET_ERR (*step)(struct bootstrap *b);
    bool lazy;
    bool newest; /* in the newest format only */
} steps[] = {
    {create_catalog, false, false},     {create_objids, false, false},
    {note_catalog, true, false},        {note_shadow, true, false},
    {note_created_table, false, false}, {create_locales, false, false},
    {add_locales_bytes, false, true},   {add_locales_long_number, false, true},
    {note_created_table, true, false},
};

JET_ERR catalog_create(struct transaction *transaction, struct database *database, bool newest)
{
    JET_ERR err = JET_errSuccess;
    struct bootstrap b = {.transaction = transaction, .database = database};
    ASSERT(transaction_level(transaction) == 0);
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        if (steps[i].newest && !newest)
            continue;
        TRY(run_in_transaction(&b, steps[i].step, steps[i].lazy));
    }
done:
    return err < JET_errSuccess ? err : JET_errSuccess;
}
