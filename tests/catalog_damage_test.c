/* Rows of the catalog that say what cannot be: a definition loaded from them is refused, or sound. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/api_world.h"
#include "src/cache/database.h"
#include "src/catalog/catalog_internal.h"
#include "src/catalog/rows.h"
#include "src/instance/session.h"
#include "src/os/memory.h"
#include "src/version/versioned_cursor.h"

static JET_DBID database_id;
static struct session *entered;
static struct database *database;
static struct transaction *transaction;

static JET_COLUMNCREATE_A column_of(char *name, uint32_t type, JET_GRBIT grbit)
{
    return (JET_COLUMNCREATE_A){
        .cbStruct = sizeof(JET_COLUMNCREATE_A), .szColumnName = name, .coltyp = type, .grbit = grbit};
}

static JET_INDEXCREATE_A index_of(char *name, char *key, uint32_t size, JET_GRBIT grbit)
{
    return (JET_INDEXCREATE_A){.cbStruct = sizeof(JET_INDEXCREATE_A),
                               .szIndexName = name,
                               .szKey = key,
                               .cbKey = size,
                               .grbit = grbit};
}

static void make_table(char *name, char *template_name, JET_GRBIT grbit)
{
    static JET_CONDITIONALCOLUMN_A condition = {
        .cbStruct = sizeof(condition), .szColumnName = "text", .grbit = JET_bitIndexColumnMustBeNonNull};
    JET_COLUMNCREATE_A columns[] = {
        column_of("id", JET_coltypLong, JET_bitColumnFixed),
        column_of("text", JET_coltypText, 0),
        column_of("tag", JET_coltypLongText, 0),
        column_of("bytes", JET_coltypBinary, JET_bitColumnFixed),
    };
    JET_INDEXCREATE_A indexes[] = {
        index_of("pk", "+id\0", 5, JET_bitIndexPrimary),
        index_of("words", "+text\0", 7, 0),
        index_of("tuples", "+tag\0", 6, JET_bitIndexTuples),
        index_of("long", "+bytes\0", 8, JET_bitIndexKeyMost),
    };
    columns[1].pvDefault = "default";
    columns[1].cbDefault = 7;
    columns[3].cbMax = 20;
    indexes[1].rgconditionalcolumn = &condition;
    indexes[1].cConditionalColumn = 1;
    indexes[3].cbKeyMost = 300;
    indexes[3].cbVarSegMac = 100;
    JET_TABLECREATE2_A create = {.cbStruct = sizeof(create),
                                 .szTableName = name,
                                 .szTemplateTableName = template_name,
                                 .grbit = grbit};
    if (template_name == NULL) {
        create.rgcolumncreate = columns;
        create.cColumns = 4;
        create.rgindexcreate = indexes;
        create.cIndexes = 4;
    }
    assert_int_equal(JetCreateTableColumnIndex2A(session, database_id, &create), JET_errSuccess);
    assert_int_equal(JetCloseTable(session, create.tableid), JET_errSuccess);
}

static int start(void **state)
{
    (void)state;
    assert_true(api_world_start(true));
    assert_int_equal(JetCreateDatabaseA(session, "c.edb", NULL, &database_id, 0), JET_errSuccess);
    make_table("t", NULL, 0);
    make_table("m", NULL, JET_bitTableCreateTemplateTable);
    make_table("d", "m", 0);
    assert_int_equal(session_enter_database(session, database_id, &entered, &database), JET_errSuccess);
    transaction = &entered->transaction;
    return 0;
}

static int end(void **state)
{
    session_leave(entered);
    return api_world_end(state);
}

static object_id id_of(const char *table)
{
    object_id id = 0;
    page_number root = 0;
    assert_int_equal(catalog_seek_table(transaction, database, table, &id, &root), JET_errSuccess);
    return id;
}

/* The row of a table's column or index by its name; its bytes stay until the next call. */
struct found {
    const char *name;
    struct catalog_row row;
    bool seen;
};
static uint8_t *row_bytes;

static JET_ERR note_row(void *context, const struct catalog_row *row)
{
    struct found *found = context;
    if (row->name.size == strlen(found->name) && memcmp(row->name.data, found->name, row->name.size) == 0) {
        found->row = *row;
        found->seen = true;
    }
    return JET_errSuccess;
}

static void find_row(const char *table, const char *name, struct catalog_row *row)
{
    struct found found = {.name = name};
    assert_int_equal(catalog_visit_rows(transaction, database, id_of(table), note_row, &found),
                     JET_errSuccess);
    assert_true(found.seen);
    os_free(row_bytes);
    assert_int_equal(catalog_read_row(transaction, database, found.row.table, found.row.type, found.row.id,
                                      row, &row_bytes),
                     JET_errSuccess);
}

/* Writes bytes in place of the row. */
static void put(const struct catalog_row *row, struct span bytes)
{
    struct versioned_cursor *cursor = NULL;
    uint8_t key[KEY_BUFFER_SIZE];
    const uint32_t size = catalog_key_primary(row->table, row->type, row->id, key);
    assert_int_equal(versioned_cursor_open(transaction, database, CATALOG_ROOT, &cursor), JET_errSuccess);
    assert_int_equal(versioned_cursor_seek(cursor, span_of(key, size), VERSIONED_SEEK_EQ), JET_errSuccess);
    assert_int_equal(versioned_cursor_replace(cursor, bytes), JET_errSuccess);
    versioned_cursor_close(cursor);
}

static void put_row(const struct catalog_row *place, const struct catalog_row *row)
{
    uint8_t bytes[4096];
    struct record record = {.data = bytes, .capacity = sizeof(bytes)};
    assert_int_equal(catalog_row_encode(database->catalog->schema, row, &record), JET_errSuccess);
    put(place, span_of(record.data, record.size));
}

static JET_ERR load(const char *table)
{
    struct table_definition *definition = NULL;
    const JET_ERR err = catalog_load(transaction, database, id_of(table), &definition);
    table_definition_free(definition);
    return err;
}

#define NUMBER(member, value)                                                                                \
    offsetof(struct catalog_row, member), sizeof(((struct catalog_row *)0)->member), value, NULL
#define BYTES(member, data, size) offsetof(struct catalog_row, member), size, 0, data
#define GONE ((const void *)"")

static void one_member(void **state)
{
    static const uint8_t zeros[100] = {0};
    static const uint8_t nines[100] = {9, 0, 9, 0, 9, 0, 9, 0};
    static const uint8_t unknown_segment[4] = {0, 0, 100, 0};
    static const char long_name[] =
        "a name that is longer than what the names of tables may have in all of this world";
    const struct {
        const char *table;
        const char *name;
        size_t offset;
        size_t size;
        uint64_t number;
        const void *bytes; /* NULL: it is a number */
        JET_ERR expected;
    } cases[] = {
        /* columns */
        {"t", "text", NUMBER(type_or_root, 0x100), JET_errCatalogCorrupted},
        {"t", "text", NUMBER(id, 0x10000), JET_errCatalogCorrupted},
        {"t", "text", NUMBER(id, 0), JET_errCatalogCorrupted},
        {"t", "bytes", NUMBER(has_record_offset, 0), JET_errCatalogCorrupted},
        {"t", "bytes", NUMBER(record_offset, 3), JET_errCatalogCorrupted},
        {"t", "bytes", NUMBER(space_usage, 0), JET_errCatalogCorrupted},
        {"t", "bytes", NUMBER(space_usage, 256), JET_errCatalogCorrupted},
        {"t", "bytes", NUMBER(space_usage, 255), JET_errSuccess},
        {"t", "id", NUMBER(space_usage, 2), JET_errCatalogCorrupted}, /* not of its type's size */
        {"t", "id", BYTES(default_value, zeros, 3), JET_errSuccess},  /* there is no bit that says so */
        {"t", "text", NUMBER(type_or_root, JET_coltypLong), JET_errCatalogCorrupted}, /* its default is not */
        {"t", "bytes", NUMBER(flags, COLUMN_FLAG_VERSION), JET_errCatalogCorrupted},
        {"t", "text", NUMBER(flags, COLUMN_FLAG_VERSION), JET_errCatalogCorrupted},
        {"t", "text", NUMBER(flags, COLUMN_FLAG_ESCROW), JET_errCatalogCorrupted},
        {"t", "bytes", NUMBER(flags, COLUMN_FLAG_AUTOINCREMENT), JET_errCatalogCorrupted},
        {"t", "id", NUMBER(flags, COLUMN_FLAG_AUTOINCREMENT), JET_errSuccess},
        {"t", "id", NUMBER(flags, COLUMN_FLAG_VERSION), JET_errSuccess},
        {"t", "id", NUMBER(flags, COLUMN_FLAG_DEFAULT), JET_errSuccess}, /* without one: there is none */
        {"t", "tag", NUMBER(id, 300),
         JET_errCatalogCorrupted}, /* then an index has a column that is not there */
        {"t", "id", NUMBER(id, 5), JET_errCatalogCorrupted},
        {"t", "text", NUMBER(type_or_root, JET_coltypNil), JET_errSuccess}, /* a deleted one */
        {"t", "text", BYTES(name, long_name, 70), JET_errCatalogCorrupted},
        {"t", "text", BYTES(name, GONE, 0), JET_errCatalogCorrupted},
        {"t", "text", BYTES(default_value, zeros, 90), JET_errSuccess},
        /* indexes */
        {"t", "words", NUMBER(flags, INDEX_FLAG_PRIMARY | INDEX_FLAG_UNIQUE), JET_errCatalogCorrupted},
        {"t", "words", BYTES(segments, zeros, 3), JET_errCatalogCorrupted},
        {"t", "words", BYTES(segments, zeros, 68), JET_errCatalogCorrupted},
        {"t", "words", BYTES(segments, GONE, 0), JET_errCatalogCorrupted},
        {"t", "words", BYTES(segments, unknown_segment, 4), JET_errCatalogCorrupted},
        {"t", "pk", BYTES(segments, unknown_segment, 4), JET_errCatalogCorrupted},
        {"t", "words", BYTES(conditions, zeros, 3), JET_errCatalogCorrupted},
        {"t", "words", BYTES(conditions, zeros, 68), JET_errCatalogCorrupted},
        {"t", "words", BYTES(conditions, unknown_segment, 4), JET_errCatalogCorrupted},
        {"t", "long", NUMBER(key_max, 0), JET_errCatalogCorrupted},
        {"t", "long", NUMBER(key_max, 2001), JET_errCatalogCorrupted},
        {"t", "long", BYTES(segment_max, zeros, 2), JET_errCatalogCorrupted},
        {"t", "long", BYTES(segment_max, nines, 3), JET_errSuccess}, /* not of the right size: none */
        {"t", "long", NUMBER(key_max, 50), JET_errCatalogCorrupted}, /* less than a segment has */
        {"t", "tuples", BYTES(tuple_limits, zeros, 20), JET_errCatalogCorrupted},
        {"t", "tuples", BYTES(tuple_limits, nines, 8),
         JET_errSuccess}, /* an older form, with fewer of them */
        {"t", "words", BYTES(locale, nines, 8), JET_errSuccess},
        /* tables */
        {"t", "t", BYTES(template_name, long_name, 70), JET_errCatalogCorrupted},
        {"t", "t", BYTES(template_name, "none", 4), JET_errCatalogCorrupted},
        {"t", "t", BYTES(template_name, "d", 1),
         JET_errCatalogCorrupted}, /* no template, and derived itself */
        {"t", "t", BYTES(template_name, "t", 1), JET_errCatalogCorrupted},
        {"t", "t", BYTES(separate_threshold, nines, 4), JET_errSuccess},
        {"t", "t", NUMBER(flags, 0), JET_errSuccess},
        {"d", "pk", BYTES(name, "no", 2), JET_errCatalogCorrupted}, /* of no index of the template */
        {"d", "words", BYTES(name, "none", 4), JET_errCatalogCorrupted},
        {"d", "d", BYTES(template_name, GONE, 0),
         JET_errCatalogCorrupted}, /* its indexes have no columns then */
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct catalog_row row;
        struct catalog_row damaged;
        assert_int_equal(transaction_begin(transaction, false), JET_errSuccess);
        find_row(cases[i].table, cases[i].name, &row);
        damaged = row;
        uint8_t *member = (uint8_t *)&damaged + cases[i].offset;
        if (cases[i].bytes == NULL) {
            memcpy(member, &cases[i].number, cases[i].size);
        } else {
            const struct bytes bytes = {cases[i].size == 0 ? NULL : cases[i].bytes, (uint32_t)cases[i].size};
            memcpy(member, &bytes, sizeof(bytes));
        }
        put_row(&row, &damaged);
        const JET_ERR err = load(cases[i].table);
        if (err != cases[i].expected)
            fail_msg("case %zu: %d, not %d", i, (int)err, (int)cases[i].expected);
        assert_int_equal(transaction_rollback(transaction), JET_errSuccess);
        assert_int_equal(load(cases[i].table), JET_errSuccess);
    }
}

/* Rows that come without their table's. */
static void lost_rows(void **state)
{
    struct catalog_row row;
    struct catalog_row moved;
    struct versioned_cursor *cursor = NULL;
    struct table_definition *definition = NULL;
    uint8_t key[KEY_BUFFER_SIZE];
    (void)state;
    assert_int_equal(catalog_load(transaction, database, 4711, &definition), JET_errObjectNotFound);
    assert_int_equal(transaction_begin(transaction, false), JET_errSuccess);
    find_row("t", "t", &row);
    moved = row;
    moved.type = CATALOG_INDEX;
    put_row(&row, &moved);
    assert_int_equal(load("t"), JET_errCatalogCorrupted);
    /* Rows of kinds that others may add are passed over. */
    moved = row;
    assert_int_equal(transaction_rollback(transaction), JET_errSuccess);
    assert_int_equal(transaction_begin(transaction, false), JET_errSuccess);
    moved.type = 77;
    moved.id = 1;
    moved.root_flag = false;
    assert_int_equal(catalog_insert_row(transaction, database, &moved, false), JET_errSuccess);
    assert_int_equal(load("t"), JET_errSuccess);
    /* The list of tables leads nowhere, as does the name. */
    assert_int_equal(versioned_cursor_open(transaction, database, CATALOG_ROOT, &cursor), JET_errSuccess);
    assert_int_equal(
        versioned_cursor_seek(cursor, span_of(key, catalog_key_primary(row.table, row.type, row.id, key)),
                              VERSIONED_SEEK_EQ),
        JET_errSuccess);
    assert_int_equal(versioned_cursor_delete(cursor), JET_errSuccess);
    versioned_cursor_close(cursor);
    object_id id = 0;
    page_number root = 0;
    assert_int_equal(catalog_seek_table(transaction, database, "t", &id, &root), JET_errObjectNotFound);
    assert_int_equal(transaction_rollback(transaction), JET_errSuccess);
}

/* A database of an older kind has no list of ids. */
static void no_list_of_ids(void **state)
{
    struct versioned_cursor *cursor = NULL;
    uint8_t key[KEY_BUFFER_SIZE];
    const struct bytes name = {(const uint8_t *)CATALOG_OBJIDS_NAME, sizeof(CATALOG_OBJIDS_NAME) - 1};
    (void)state;
    /* One that is not in it can be taken out. */
    assert_int_equal(transaction_begin(transaction, false), JET_errSuccess);
    assert_int_equal(catalog_delete_objid(transaction, database, 4711), JET_errSuccess);
    assert_int_equal(versioned_cursor_open(transaction, database, CATALOG_ROOT_OBJECTS_INDEX_ROOT, &cursor),
                     JET_errSuccess);
    assert_int_equal(
        versioned_cursor_seek(cursor, span_of(key, catalog_key_root(name, key)), VERSIONED_SEEK_EQ),
        JET_errSuccess);
    assert_int_equal(versioned_cursor_delete(cursor), JET_errSuccess);
    versioned_cursor_close(cursor);
    database->catalog->objids_root = 0;
    assert_int_equal(catalog_insert_objid(transaction, database, 4711, 4711, CATALOG_TABLE, false),
                     JET_errSuccess);
    assert_int_equal(catalog_delete_objid(transaction, database, 4711), JET_errSuccess);
    assert_int_equal(database->catalog->objids_root, 0);
    assert_int_equal(transaction_rollback(transaction), JET_errSuccess);
    assert_int_equal(catalog_insert_objid(transaction, database, 4711, 4711, CATALOG_TABLE, false),
                     JET_errNotInTransaction);
    assert_true(database->catalog->objids_root != 0);
}

/* Every byte of every row, changed in a few ways. */
static JET_ERR sweep_row(void *context, const struct catalog_row *row)
{
    static const uint8_t patterns[] = {0xff, 0x01, 0x80, 0x1f};
    struct catalog_row same;
    uint8_t *bytes = NULL;
    unsigned *refused = context;
    assert_int_equal(catalog_read_row(transaction, database, row->table, row->type, row->id, &same, &bytes),
                     JET_errSuccess);
    /* How long the record is: the end of what was read is not told. */
    struct versioned_cursor *cursor = NULL;
    struct node_view node;
    uint8_t key[KEY_BUFFER_SIZE];
    uint8_t record[4096];
    assert_int_equal(versioned_cursor_open(transaction, database, CATALOG_ROOT, &cursor), JET_errSuccess);
    assert_int_equal(
        versioned_cursor_seek(cursor, span_of(key, catalog_key_primary(row->table, row->type, row->id, key)),
                              VERSIONED_SEEK_EQ),
        JET_errSuccess);
    assert_int_equal(versioned_cursor_copy(cursor, &node), JET_errSuccess);
    const size_t size = node.data.size;
    memcpy(record, node.data.bytes, size);
    versioned_cursor_close(cursor);
    for (size_t i = 0; i < size * sizeof(patterns); i++) {
        struct table_definition *definition = NULL;
        assert_int_equal(transaction_begin(transaction, false), JET_errSuccess);
        record[i / sizeof(patterns)] ^= patterns[i % sizeof(patterns)];
        put(row, span_of(record, size));
        record[i / sizeof(patterns)] ^= patterns[i % sizeof(patterns)];
        const JET_ERR err = catalog_load(transaction, database, row->table, &definition);
        table_definition_free(definition);
        if (err != JET_errSuccess && err != JET_errCatalogCorrupted)
            fail_msg("row %u %u %u, byte %zu ^ %x: %d", (unsigned)row->table, (unsigned)row->type,
                     (unsigned)row->id, i / sizeof(patterns), patterns[i % sizeof(patterns)], (int)err);
        *refused += err < JET_errSuccess;
        assert_int_equal(transaction_rollback(transaction), JET_errSuccess);
    }
    /* Cut short at each length. */
    for (size_t cut = 0; cut < size; cut++) {
        struct table_definition *definition = NULL;
        assert_int_equal(transaction_begin(transaction, false), JET_errSuccess);
        put(row, span_of(record, cut));
        const JET_ERR err = catalog_load(transaction, database, row->table, &definition);
        table_definition_free(definition);
        if (err != JET_errSuccess && err != JET_errCatalogCorrupted)
            fail_msg("row %u %u %u, cut to %zu: %d", (unsigned)row->table, (unsigned)row->type,
                     (unsigned)row->id, cut, (int)err);
        *refused += err < JET_errSuccess;
        assert_int_equal(transaction_rollback(transaction), JET_errSuccess);
    }
    os_free(bytes);
    return JET_errSuccess;
}

static void every_byte(void **state)
{
    unsigned refused = 0;
    (void)state;
    assert_int_equal(catalog_visit_rows(transaction, database, id_of("t"), sweep_row, &refused),
                     JET_errSuccess);
    print_message("%u refused\n", refused);
    assert_true(refused > 500);
    assert_int_equal(catalog_visit_rows(transaction, database, id_of("d"), sweep_row, &refused),
                     JET_errSuccess);
    assert_int_equal(load("t"), JET_errSuccess);
    assert_int_equal(load("d"), JET_errSuccess);
}

/* The catalog describes itself: its own tables are read like others. */
static void own_tables(void **state)
{
    JET_TABLEID table;
    uint32_t count = 0;
    static const char *const names[] = {"MSysObjects", "MSysObjectsShadow"};
    (void)state;
    session_leave(entered);
    for (int i = 0; i < 2; i++) {
        JET_COLUMNDEF name = {.cbStruct = sizeof(name)};
        char text[100];
        uint32_t size = 0;
        unsigned seen = 0;
        assert_int_equal(JetOpenTableA(session, database_id, names[i], NULL, 0, 0, &table), JET_errSuccess);
        assert_int_equal(JetGetTableColumnInfoA(session, table, "Name", &name, sizeof(name), JET_ColInfo),
                         JET_errSuccess);
        assert_int_equal(name.coltyp, JET_coltypText);
        for (JET_ERR err = JetMove(session, table, (int32_t)JET_MoveFirst, 0); err == JET_errSuccess;
             err = JetMove(session, table, JET_MoveNext, 0)) {
            assert_int_equal(
                JetRetrieveColumn(session, table, name.columnid, text, sizeof(text), &size, 0, NULL),
                JET_errSuccess);
            seen += size == 5 && memcmp(text, "words", 5) == 0;
            count++;
        }
        assert_int_equal(seen, 3); /* an index of each of the three tables */
        assert_int_equal(JetCloseTable(session, table), JET_errSuccess);
    }
    assert_true(count > 100);
    assert_int_equal(session_enter_database(session, database_id, &entered, &database), JET_errSuccess);
}

static int forget_bytes(void **state)
{
    (void)state;
    os_free(row_bytes);
    row_bytes = NULL;
    return 0;
}

static int end_and_forget(void **state)
{
    (void)forget_bytes(state);
    return end(state);
}

int main(int argc, char **argv)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, start, end_and_forget)
    const struct CMUnitTest tests[] = {CASE(one_member), CASE(lost_rows), CASE(no_list_of_ids),
                                       CASE(every_byte), CASE(own_tables)};
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
