/* Rows, long values and index entries that are not what they should be, on pages that pass every check:
 * whatever is done with them ends with a code of corruption, or goes well, and is taken back by a rollback.
 */
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
#include "src/instance/session.h"
#include "src/table/cursor.h"
#include "src/version/versioned_cursor.h"

#define BIG 9000u /* three chunks of a long value */
#define ROWS 3

static JET_DBID database_id;
static JET_TABLEID table;
static uint8_t big[BIG];

enum { ID, NUMBER, TEXT, MANY, LONG, COMPRESSED, VERSION, COLUMNS };
static const struct {
    const char *name;
    uint32_t type;
    JET_GRBIT grbit;
} shape[COLUMNS] = {
    {"id", JET_coltypLong, JET_bitColumnFixed},
    {"number", JET_coltypShort, JET_bitColumnFixed},
    {"text", JET_coltypText, 0},
    {"many", JET_coltypText, JET_bitColumnTagged | JET_bitColumnMultiValued},
    {"long", JET_coltypLongBinary, JET_bitColumnTagged | JET_bitColumnMultiValued},
    {"compressed", JET_coltypLongText, JET_bitColumnCompressed},
    {"version", JET_coltypLong, JET_bitColumnVersion},
};
static JET_COLUMNID ids[COLUMNS];

static void set(int column, const void *value, uint32_t size, uint32_t itag)
{
    JET_SETINFO info = {.cbStruct = sizeof(info), .itagSequence = itag};
    assert_int_equal(JetSetColumn(session, table, ids[column], value, size, 0, &info), JET_errSuccess);
}

static int start(void **state)
{
    (void)state;
    assert_true(api_world_start(true));
    for (uint32_t i = 0; i < BIG; i++)
        big[i] = (uint8_t)(i * 11);
    assert_int_equal(JetCreateDatabaseA(session, "d.edb", NULL, &database_id, 0), JET_errSuccess);
    assert_int_equal(JetCreateTableA(session, database_id, "t", 0, 80, &table), JET_errSuccess);
    for (int i = 0; i < COLUMNS; i++) {
        const JET_COLUMNDEF definition = {
            .cbStruct = sizeof(definition), .coltyp = shape[i].type, .grbit = shape[i].grbit};
        assert_int_equal(JetAddColumnA(session, table, shape[i].name, &definition, NULL, 0, &ids[i]),
                         JET_errSuccess);
    }
    assert_int_equal(JetCreateIndexA(session, table, "pk", JET_bitIndexPrimary, "+id\0", 5, 80),
                     JET_errSuccess);
    assert_int_equal(JetCreateIndexA(session, table, "many", 0, "+many\0+number\0", 15, 80), JET_errSuccess);
    assert_int_equal(JetCreateIndexA(session, table, "text", JET_bitIndexUnique, "+text\0", 7, 80),
                     JET_errSuccess);
    assert_int_equal(JetBeginTransaction(session), JET_errSuccess);
    for (int32_t id = 1; id <= ROWS; id++) {
        const char text[2] = {'t', (char)('0' + id)};
        assert_int_equal(JetPrepareUpdate(session, table, JET_prepInsert), JET_errSuccess);
        set(ID, &id, 4, 1);
        set(NUMBER, &id, 2, 1);
        set(TEXT, text, 2, 1);
        set(MANY, "one", 3, 1);
        set(MANY, "two", 3, 2);
        set(LONG, big, BIG, 1);
        set(LONG, "short", 5, 2);
        set(COMPRESSED, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", 32, 1);
        assert_int_equal(JetUpdate(session, table, NULL, 0, NULL), JET_errSuccess);
    }
    assert_int_equal(JetCommitTransaction(session, 0), JET_errSuccess);
    return 0;
}

static void go_to(int32_t id)
{
    assert_int_equal(JetSetCurrentIndexA(session, table, NULL), JET_errSuccess);
    assert_int_equal(JetMakeKey(session, table, &id, 4, JET_bitNewKey), JET_errSuccess);
    assert_int_equal(JetSeek(session, table, JET_bitSeekEQ), JET_errSuccess);
}

/* --- behind the engine's back, within the session's transaction */

struct place {
    struct session *session;
    struct table_cursor *cursor;
    struct versioned_cursor *tree;
};

static void enter(struct place *place, int tree)
{
    void *object = NULL;
    assert_int_equal(session_enter(session, &place->session), JET_errSuccess);
    assert_int_equal(session_find_cursor(place->session, table, &object), JET_errSuccess);
    place->cursor = object;
    const struct table_definition *definition = place->cursor->table;
    page_number root = definition->root;
    if (tree == 1)
        root = definition->long_value_root;
    for (const struct index_definition *index = definition->secondary; tree > 1 && index != NULL;
         index = index->next) {
        if ((tree == 2) == (strcmp(index->name, "many") == 0))
            root = index->root;
    }
    assert_int_equal(
        versioned_cursor_open(&place->session->transaction, place->cursor->database, root, &place->tree),
        JET_errSuccess);
    assert_int_equal(versioned_cursor_first(place->tree), JET_errSuccess);
}

static void leave(struct place *place)
{
    versioned_cursor_close(place->tree);
    session_leave(place->session);
}

enum { ROWS_TREE, LONG_TREE, MANY_TREE, TEXT_TREE };

/* The nth node of a tree. */
static uint32_t read_node(int tree, int nth, uint8_t *key, uint32_t *key_size, uint8_t *data)
{
    struct place place;
    struct node_view node;
    enter(&place, tree);
    for (int i = 0; i < nth; i++)
        assert_int_equal(versioned_cursor_next(place.tree), JET_errSuccess);
    assert_int_equal(versioned_cursor_copy(place.tree, &node), JET_errSuccess);
    const uint32_t size = (uint32_t)node.data.size;
    memcpy(data, node.data.bytes, size);
    if (key != NULL) {
        *key_size = (uint32_t)node.key.size;
        memcpy(key, node.key.bytes, node.key.size);
    }
    leave(&place);
    return size;
}

static void write_node(int tree, int nth, const uint8_t *data, uint32_t size)
{
    struct place place;
    enter(&place, tree);
    for (int i = 0; i < nth; i++)
        assert_int_equal(versioned_cursor_next(place.tree), JET_errSuccess);
    assert_int_equal(versioned_cursor_replace(place.tree, span_of(data, size)), JET_errSuccess);
    leave(&place);
}

static void delete_node(int tree, int nth)
{
    struct place place;
    enter(&place, tree);
    for (int i = 0; i < nth; i++)
        assert_int_equal(versioned_cursor_next(place.tree), JET_errSuccess);
    assert_int_equal(versioned_cursor_delete(place.tree), JET_errSuccess);
    leave(&place);
}

static void insert_node(int tree, struct span key, struct span data)
{
    struct place place;
    enter(&place, tree);
    assert_int_equal(versioned_cursor_insert(place.tree, key, data, VERSIONED_INSERT_DEFAULT),
                     JET_errSuccess);
    leave(&place);
}

/* --- everything that can be done with a row */

static unsigned corrupted; /* calls that said so */
static const char *what;   /* is being done */

/* What may be said of a row whose bytes are anything. */
static JET_ERR see(JET_ERR err)
{
    switch (err) {
    case JET_errDatabaseCorrupted:
    case JET_errSecondaryIndexCorrupted:
    case JET_errDecompressionFailed:
    case JET_errLVCorrupted:
        corrupted++;
        return err;
    case JET_errNoCurrentRecord: /* in the index it is not there */
    case JET_errKeyDuplicate:
    case JET_errRecordPrimaryChanged:
    case JET_errRecordTooBig:
    case JET_errColumnTooBig:
    case JET_errColumnNotFound:
    case JET_errNullInvalid:
    case JET_errMultiValuedDuplicate:
    case JET_errUpdateNotPrepared:
    case JET_errBadItagSequence:
        return err;
    default:
        if (err < JET_errSuccess)
            fail_msg("%s: %d", what, (int)err);
        return err;
    }
}

static void *JET_API reallocate(void *context, void *block, uint32_t size)
{
    (void)context;
    if (size == 0) {
        free(block);
        return NULL;
    }
    return realloc(block, size);
}

static void enumerate(JET_GRBIT grbit)
{
    JET_ENUMCOLUMN *columns = NULL;
    uint32_t count = 0;
    if (see(JetEnumerateColumns(session, table, 0, NULL, &count, &columns, reallocate, NULL, BIG, grbit)) <
        JET_errSuccess)
        return;
    for (uint32_t i = 0; i < count; i++) {
        if (columns[i].err == JET_wrnColumnSingleValue) {
            free(columns[i].pvData);
            continue;
        }
        for (uint32_t j = 0; columns[i].rgEnumColumnValue != NULL && j < columns[i].cEnumColumnValue; j++)
            free(columns[i].rgEnumColumnValue[j].pvData);
        free(columns[i].rgEnumColumnValue);
    }
    free(columns);
}

static void read_columns(void)
{
    static uint8_t buffer[BIG + 100];
    uint32_t actual = 0;
    for (int i = 0; i < COLUMNS; i++) {
        JET_RETRIEVECOLUMN count = {.columnid = ids[i]};
        what = shape[i].name;
        for (uint32_t itag = 1; itag <= 3; itag++) {
            JET_RETINFO info = {.cbStruct = sizeof(info), .itagSequence = itag};
            (void)see(JetRetrieveColumn(session, table, ids[i], buffer, sizeof(buffer), &actual, 0, &info));
        }
        (void)see(
            JetRetrieveColumn(session, table, ids[i], NULL, 0, &actual, JET_bitRetrievePhysicalSize, NULL));
        (void)see(JetRetrieveColumn(session, table, ids[i], buffer, 8, &actual,
                                    JET_bitRetrieveLongValueRefCount, NULL));
        (void)see(JetRetrieveColumns(session, table, &count, 1));
    }
    for (uint32_t itag = 1; itag < 7; itag++) {
        JET_RETINFO info = {.cbStruct = sizeof(info), .itagSequence = itag};
        what = "scan";
        (void)see(JetRetrieveColumn(session, table, 0, buffer, sizeof(buffer), &actual, 0, &info));
    }
    JET_RETRIEVECOLUMN all = {.columnid = 0};
    (void)see(JetRetrieveColumns(session, table, &all, 1));
}

static void read_row(void)
{
    JET_RETRIEVEMULTIVALUECOUNT list[8];
    JET_RECSIZE2 size = {0};
    uint32_t count = 0;
    const int16_t two = 2;
    read_columns();
    what = "enumerate";
    enumerate(0);
    enumerate(JET_bitEnumerateCompressOutput);
    what = "list";
    (void)see(JetRetrieveTaggedColumnList(session, table, &count, list, sizeof(list), 0, 0));
    what = "size";
    (void)see(JetGetRecordSize2(session, table, &size, 0));
    what = "filter";
    JET_INDEX_COLUMN filter = {
        .columnid = ids[NUMBER], .relop = JET_relopLessThan, .pv = (void *)(uintptr_t)&two, .cb = 2};
    assert_int_equal(JetSetCursorFilter(session, table, &filter, 1, 0), JET_errSuccess);
    (void)see(JetMove(session, table, (int32_t)JET_MoveFirst, 0));
    (void)see(JetMove(session, table, JET_MoveNext, 0));
    assert_int_equal(JetSetCursorFilter(session, table, NULL, 0, 0), JET_errSuccess);
    go_to(1);
    what = "index";
    (void)see(JetSetCurrentIndex2A(session, table, "many", JET_bitNoMove));
    if (JetSetCurrentIndexA(session, table, NULL) == JET_errSuccess)
        go_to(1);
}

static void change(uint32_t preparation, int column, const void *value, uint32_t size)
{
    const int32_t id = 77;
    go_to(1);
    if (see(JetPrepareUpdate(session, table, preparation)) < JET_errSuccess)
        return;
    (void)see(JetSetColumn(session, table, ids[column], value, size, 0, NULL));
    if (preparation != JET_prepReplace)
        (void)see(JetSetColumn(session, table, ids[ID], &id, 4, 0, NULL));
    if (see(JetUpdate(session, table, NULL, 0, NULL)) < JET_errSuccess)
        (void)JetPrepareUpdate(session, table, JET_prepCancel);
}

/* Each change in a transaction of its own within the one that made the damage. */
static void in_transaction(uint32_t preparation, int column, const void *value, uint32_t size)
{
    assert_int_equal(JetBeginTransaction(session), JET_errSuccess);
    change(preparation, column, value, size);
    assert_int_equal(JetRollback(session, 0), JET_errSuccess);
}

static void change_row(void)
{
    const int16_t two = 2;
    what = "replace number";
    in_transaction(JET_prepReplace, NUMBER, &two, 2);
    what = "replace text";
    in_transaction(JET_prepReplace, TEXT, "other", 5);
    what = "replace many";
    in_transaction(JET_prepReplace, MANY, "three", 5);
    what = "replace long";
    in_transaction(JET_prepReplace, LONG, big, 5000);
    what = "replace long by null";
    in_transaction(JET_prepReplace, LONG, NULL, 0);
    what = "replace compressed";
    in_transaction(JET_prepReplace, COMPRESSED, "bbbbbbbbbbbbbbbbbbbbbbb", 20);
    what = "copy";
    in_transaction(JET_prepInsertCopy, TEXT, "copy", 4);
    what = "move";
    in_transaction(JET_prepInsertCopyDeleteOriginal, TEXT, "moved", 5);
    assert_int_equal(JetBeginTransaction(session), JET_errSuccess);
    go_to(1);
    what = "delete";
    (void)see(JetDelete(session, table));
    assert_int_equal(JetRollback(session, 0), JET_errSuccess);
}

static void use_row(void)
{
    go_to(1);
    read_row();
    change_row();
}

/* All rows, as they were. */
static void all_is_well(void)
{
    static uint8_t buffer[BIG + 1];
    for (int32_t id = 1; id <= ROWS; id++) {
        uint32_t actual = 0;
        go_to(id);
        assert_int_equal(
            JetRetrieveColumn(session, table, ids[LONG], buffer, sizeof(buffer), &actual, 0, NULL),
            JET_errSuccess);
        assert_int_equal(actual, BIG);
        assert_memory_equal(buffer, big, BIG);
        assert_int_equal(
            JetRetrieveColumn(session, table, ids[COMPRESSED], buffer, sizeof(buffer), &actual, 0, NULL),
            JET_errSuccess);
        assert_int_equal(actual, 32);
    }
    assert_int_equal(JetSetCurrentIndexA(session, table, "many"), JET_errSuccess);
    int entries = 0;
    for (JET_ERR err = JetMove(session, table, (int32_t)JET_MoveFirst, 0); err == JET_errSuccess;
         err = JetMove(session, table, JET_MoveNext, 0))
        entries++;
    assert_int_equal(entries, 2 * ROWS);
    assert_int_equal(JetSetCurrentIndexA(session, table, NULL), JET_errSuccess);
}

static void damaged(int tree, int nth, const uint8_t *data, uint32_t size)
{
    assert_int_equal(JetBeginTransaction(session), JET_errSuccess);
    write_node(tree, nth, data, size);
    use_row();
    assert_int_equal(JetRollback(session, 0), JET_errSuccess);
}

/* --- the tests */

static void every_byte_of_a_row(void **state)
{
    static const uint8_t patterns[] = {0xff, 0x01, 0x80};
    uint8_t data[4096];
    (void)state;
    corrupted = 0;
    const uint32_t size = read_node(ROWS_TREE, 0, NULL, NULL, data);
    for (uint32_t i = 0; i < size; i++) {
        for (size_t j = 0; j < sizeof(patterns); j++) {
            data[i] ^= patterns[j];
            damaged(ROWS_TREE, 0, data, size);
            data[i] ^= patterns[j];
        }
    }
    for (uint32_t cut = 0; cut < size; cut++)
        damaged(ROWS_TREE, 0, data, cut);
    print_message("%u bytes, %u calls said that it is corrupted\n", (unsigned)size, corrupted);
    assert_true(corrupted > 1000);
    all_is_well();
}

static void long_values(void **state)
{
    uint8_t key[100];
    uint32_t key_size = 0;
    uint8_t root[4096];
    uint8_t data[8192];
    static uint8_t larger[9000];
    uint32_t actual = 0;
    (void)state;
    const uint32_t root_size = read_node(LONG_TREE, 0, key, &key_size, root);
    assert_int_equal(root_size, 8);
    assert_int_equal(key_size, 4);
    const struct {
        int nth;
        uint32_t size;
        uint32_t offset;
        uint32_t value; /* of 4 bytes at the offset, if within */
        JET_ERR expected;
    } cases[] = {
        {0, 7, 8, 0, JET_errLVCorrupted},                   /* a root too short */
        {0, 8, 4, BIG + 5000, JET_errDecompressionFailed},  /* a size beyond the chunks */
        {0, 8, 4, BIG - 1, JET_errLVCorrupted},             /* the last chunk is too long then */
        {0, 8, 4, 100, JET_errLVCorrupted},                 /**/
        {0, 8, 0, 0, JET_errSuccess},                       /* no references: does not matter to readers */
        {1, 0, 100, 0, JET_errDecompressionFailed},         /* an empty chunk */
        {1, 1, 100, 0, JET_errDecompressionFailed},         /* a compressed one of nothing */
        {1, 50, 0, 0x18181818, JET_errDecompressionFailed}, /* of nonsense, in each of the forms */
        {1, 50, 0, 0x10101010, JET_errLVCorrupted},         /**/
        {1, 50, 0, 0x08080808, JET_errLVCorrupted},         /**/
        {3, 50, 0, 0x18181818, JET_errDecompressionFailed}, /* the last of them */
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(JetBeginTransaction(session), JET_errSuccess);
        (void)read_node(LONG_TREE, cases[i].nth, NULL, NULL, data);
        if (cases[i].offset + 4 <= cases[i].size)
            memcpy(data + cases[i].offset, &cases[i].value, 4);
        write_node(LONG_TREE, cases[i].nth, data, cases[i].size);
        go_to(1);
        const JET_ERR err = JetRetrieveColumn(session, table, ids[LONG], larger, BIG, &actual, 0, NULL);
        if (err != cases[i].expected)
            fail_msg("case %zu: %d, not %d", i, (int)err, (int)cases[i].expected);
        use_row();
        assert_int_equal(JetRollback(session, 0), JET_errSuccess);
    }
    for (int nth = 0; nth < 4; nth++) { /* the root or a chunk is missing */
        assert_int_equal(JetBeginTransaction(session), JET_errSuccess);
        delete_node(LONG_TREE, nth);
        go_to(1);
        assert_int_equal(JetRetrieveColumn(session, table, ids[LONG], larger, BIG, &actual, 0, NULL),
                         JET_errLVCorrupted);
        use_row();
        assert_int_equal(JetRollback(session, 0), JET_errSuccess);
    }
    /* Nodes between the chunks, and ids of the newer, longer kind at the end. */
    const uint8_t between[8] = {key[0], key[1], key[2], key[3], 0, 0, 0, 9};
    assert_int_equal(JetBeginTransaction(session), JET_errSuccess);
    insert_node(LONG_TREE, span_of(between, 8), span_of("x", 1));
    go_to(1);
    assert_int_equal(JetRetrieveColumn(session, table, ids[LONG], larger, BIG, &actual, 0, NULL),
                     JET_errLVCorrupted);
    use_row();
    assert_int_equal(JetRollback(session, 0), JET_errSuccess);
    all_is_well();
}

/* Ids of the newer kind, which nobody makes here: no number is left behind them. */
static void newer_ids(void **state)
{
    static const uint8_t keys[2][8] = {{0x80, 0, 0, 0, 0, 0, 0, 1}, {0xff, 0xff, 0xff}};
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct place place;
        assert_int_equal(JetBeginTransaction(session), JET_errSuccess);
        insert_node(LONG_TREE, span_of(keys[i], i == 0 ? 8 : 3), span_of("\1\0\0\0\0\0\0\0", 8));
        enter(&place, LONG_TREE);
        const uint32_t next = place.cursor->table->long_value_next;
        place.cursor->table->long_value_next = 0; /* as after a new start */
        leave(&place);
        assert_int_equal(JetPrepareUpdate(session, table, JET_prepInsert), JET_errSuccess);
        const int32_t id = 50;
        set(ID, &id, 4, 1);
        set(LONG, big, BIG, 1);
        assert_int_equal(JetUpdate(session, table, NULL, 0, NULL), JET_errOutOfLongValueIDs);
        assert_int_equal(JetPrepareUpdate(session, table, JET_prepCancel), JET_errSuccess);
        assert_int_equal(JetRollback(session, 0), JET_errSuccess);
        enter(&place, LONG_TREE);
        place.cursor->table->long_value_next = next;
        leave(&place);
    }
    all_is_well();
}

static void index_entries(void **state)
{
    const int16_t two = 2;
    (void)state;
    /* An entry is missing: who would take it away says so. */
    for (int tree = MANY_TREE; tree <= TEXT_TREE; tree++) {
        assert_int_equal(JetBeginTransaction(session), JET_errSuccess);
        delete_node(tree, 0);
        go_to(1);
        assert_int_equal(JetDelete(session, table), JET_errSecondaryIndexCorrupted);
        if (tree == MANY_TREE) {
            go_to(1);
            assert_int_equal(JetPrepareUpdate(session, table, JET_prepReplace), JET_errSuccess);
            assert_int_equal(JetSetColumn(session, table, ids[NUMBER], &two, 2, 0, NULL), JET_errSuccess);
            assert_int_equal(JetUpdate(session, table, NULL, 0, NULL), JET_errSecondaryIndexCorrupted);
            assert_int_equal(JetPrepareUpdate(session, table, JET_prepCancel), JET_errSuccess);
        }
        use_row();
        assert_int_equal(JetRollback(session, 0), JET_errSuccess);
    }
    /* The row of an entry is missing. */
    assert_int_equal(JetBeginTransaction(session), JET_errSuccess);
    delete_node(ROWS_TREE, 0);
    assert_int_equal(JetSetCurrentIndexA(session, table, "text"), JET_errSuccess);
    (void)see(JetMove(session, table, (int32_t)JET_MoveFirst, 0));
    uint8_t buffer[10];
    const JET_ERR err = JetRetrieveColumn(session, table, ids[ID], buffer, sizeof(buffer), NULL, 0, NULL);
    assert_true(err == JET_errRecordDeleted || err == JET_errNoCurrentRecord);
    assert_int_equal(JetRollback(session, 0), JET_errSuccess);
    all_is_well();
}

/* After all that the table is whole. */
static int end(void **state)
{
    const int failed = api_world_end(state);
    return failed;
}

int main(int argc, char **argv)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, start, end)
    const struct CMUnitTest tests[] = {CASE(every_byte_of_a_row), CASE(long_values), CASE(newer_ids),
                                       CASE(index_entries)};
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
