/* What rows, keys, values and definitions answer at their edges: keys that are full, values of fixed width,
 * stored nulls, defaults that nobody set, call-backs that refuse, names that are none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/api_world.h"

#define OK(call) assert_int_equal((call), JET_errSuccess)
#define IS(call, code) assert_int_equal((call), (code))

enum column { ID, FIXED, ANSI, TAIL, NUMBERS, WORD, LONG, ESCROW, COLUMNS };

static JET_DBID database;
static JET_TABLEID table;
static JET_COLUMNID ids[COLUMNS];
static uint8_t bytes[8192];

static int start(void **state)
{
    static const int32_t seven = 7;
    static const int32_t zero = 0;
    static const struct {
        const char *name;
        uint32_t type;
        JET_GRBIT grbit;
        uint16_t code_page;
        uint32_t max;
        const void *value;
        uint32_t size;
    } shape[COLUMNS] = {
        {"id", JET_coltypLong, JET_bitColumnFixed, 0, 0, NULL, 0},
        {"fixed", JET_coltypBinary, JET_bitColumnFixed, 0, 254, NULL, 0},
        {"ansi", JET_coltypText, JET_bitColumnFixed, 1252, 8, NULL, 0},
        {"tail", JET_coltypText, 0, 1252, 0, NULL, 0},
        {"numbers", JET_coltypLong, JET_bitColumnTagged, 0, 0, &seven, sizeof seven},
        {"word", JET_coltypText, 0, 1252, 0, "default", 7},
        {"long", JET_coltypLongBinary, JET_bitColumnTagged, 0, 0, NULL, 0},
        {"escrow", JET_coltypLong, JET_bitColumnFixed | JET_bitColumnEscrowUpdate, 0, 0, &zero, sizeof zero},
    };
    (void)state;
    assert_true(api_world_start(true));
    OK(JetCreateDatabaseA(session, "c.edb", NULL, &database, 0));
    OK(JetCreateTableA(session, database, "t", 0, 80, &table));
    for (int i = 0; i < COLUMNS; i++) {
        const JET_COLUMNDEF definition = {.cbStruct = sizeof(definition),
                                          .coltyp = shape[i].type,
                                          .grbit = shape[i].grbit,
                                          .cp = shape[i].code_page,
                                          .cbMax = shape[i].max};
        OK(JetAddColumnA(session, table, shape[i].name, &definition, shape[i].value, shape[i].size, &ids[i]));
    }
    OK(JetCreateIndexA(session, table, "pk", JET_bitIndexPrimary, "+id\0", 5, 80));
    memset(bytes, 'b', sizeof bytes);
    return 0;
}

static void set_number(enum column column, int32_t value)
{
    OK(JetSetColumn(session, table, ids[column], &value, sizeof value, 0, NULL));
}

static void insert(int32_t id)
{
    OK(JetPrepareUpdate(session, table, JET_prepInsert));
    set_number(ID, id);
    OK(JetUpdate(session, table, NULL, 0, NULL));
}

static void go_to(int32_t id)
{
    OK(JetSetCurrentIndexA(session, table, NULL));
    OK(JetMakeKey(session, table, &id, sizeof id, JET_bitNewKey));
    OK(JetSeek(session, table, JET_bitSeekEQ));
}

static int32_t current(void)
{
    int32_t id = 0;
    OK(JetRetrieveColumn(session, table, ids[ID], &id, sizeof id, NULL, 0, NULL));
    return id;
}

/* ---- keys */

/* The first column fills the key to its last byte: the second one has no place. */
static void full_keys(void **state)
{
    (void)state;
    OK(JetCreateIndexA(session, table, "strict", JET_bitIndexDisallowTruncation | JET_bitIndexIgnoreNull,
                       "+fixed\0+tail\0", 14, 80));
    OK(JetCreateIndexA(session, table, "loose", 0, "+fixed\0+tail\0", 14, 80));
    OK(JetPrepareUpdate(session, table, JET_prepInsert));
    set_number(ID, 1);
    OK(JetSetColumn(session, table, ids[FIXED], bytes, 254, 0, NULL));
    OK(JetSetColumn(session, table, ids[TAIL], "tail", 4, 0, NULL));
    IS(JetUpdate(session, table, NULL, 0, NULL), JET_errKeyTruncated);
    OK(JetDeleteIndexA(session, table, "strict"));
    OK(JetUpdate(session, table, NULL, 0, NULL));
    /* What does not enter the key does not matter to who looks for it. */
    OK(JetSetCurrentIndexA(session, table, "loose"));
    OK(JetMakeKey(session, table, bytes, 254, JET_bitNewKey));
    OK(JetMakeKey(session, table, "another", 7, 0));
    OK(JetSeek(session, table, JET_bitSeekEQ));
    assert_int_equal(current(), 1);
    uint32_t size = 0;
    OK(JetRetrieveKey(session, table, bytes + 1000, 1000, &size, JET_bitRetrieveCopy));
    assert_int_equal(size, 255);
}

static void cut_keys(void **state)
{
    (void)state;
    OK(JetCreateIndexA(session, table, "text", 0, "+tail\0+word\0", 13, 80));
    for (int32_t id = 1; id <= 2; id++) {
        OK(JetPrepareUpdate(session, table, JET_prepInsert));
        set_number(ID, id);
        OK(JetSetColumn(session, table, ids[TAIL], bytes, 255, 0, NULL));
        OK(JetSetColumn(session, table, ids[WORD], id == 1 ? "z" : "a", 1, 0, NULL));
        OK(JetUpdate(session, table, NULL, 0, NULL));
    }
    /* The words took no part: both rows have one key, and lie as they came. */
    OK(JetSetCurrentIndexA(session, table, "text"));
    OK(JetMakeKey(session, table, bytes, 255, JET_bitNewKey));
    OK(JetMakeKey(session, table, "m", 1, 0));
    OK(JetSeek(session, table, JET_bitSeekEQ));
    assert_int_equal(current(), 1);
    OK(JetMove(session, table, JET_MoveNext, 0));
    assert_int_equal(current(), 2);
    /* On from a last row that is not there. */
    IS(JetMove(session, table, JET_MoveNext, 0), JET_errNoCurrentRecord);
}

static void keys_of_fixed_columns(void **state)
{
    (void)state;
    OK(JetCreateIndexA(session, table, "ansi", 0, "+ansi\0", 7, 80));
    OK(JetCreateIndexA(session, table, "fixed", 0, "+fixed\0", 8, 80));
    OK(JetPrepareUpdate(session, table, JET_prepInsert));
    set_number(ID, 1);
    OK(JetSetColumn(session, table, ids[ANSI], "abc", 3, 0, NULL));
    OK(JetUpdate(session, table, NULL, 0, NULL));
    OK(JetSetCurrentIndexA(session, table, "ansi"));
    OK(JetMakeKey(session, table, "abc", 3, JET_bitNewKey)); /* blanks fill it up, as they do the value */
    OK(JetSeek(session, table, JET_bitSeekEQ));
    assert_int_equal(current(), 1);
    IS(JetMakeKey(session, table, "abcdefghi", 9, JET_bitNewKey), JET_errInvalidBufferSize);
    OK(JetSetCurrentIndexA(session, table, "fixed"));
    IS(JetMakeKey(session, table, bytes, 253, JET_bitNewKey), JET_errInvalidBufferSize);
    IS(JetMakeKey(session, table, NULL, 0, JET_bitNewKey | JET_bitKeyDataZeroLength),
       JET_errInvalidBufferSize);
}

/* ---- values */

static void stored_nulls(void **state)
{
    (void)state;
    int32_t value = 0;
    uint32_t size = 99;
    JET_RETINFO info = {.cbStruct = sizeof info, .itagSequence = 1};
    insert(1); /* the default, which nobody set */
    OK(JetPrepareUpdate(session, table, JET_prepInsert));
    set_number(ID, 2);
    OK(JetSetColumn(session, table, ids[NUMBERS], NULL, 0, 0, NULL));
    OK(JetUpdate(session, table, NULL, 0, NULL));
    go_to(1);
    OK(JetRetrieveColumn(session, table, ids[NUMBERS], &value, sizeof value, NULL, 0, NULL));
    assert_int_equal(value, 7);
    go_to(2);
    IS(JetRetrieveColumn(session, table, ids[NUMBERS], &value, sizeof value, NULL, 0, NULL),
       JET_wrnColumnNull);
    IS(JetRetrieveColumn(session, table, 0, &value, sizeof value, &size, JET_bitRetrieveNull, &info),
       JET_wrnColumnSetNull);
    assert_int_equal(size, 0);
    assert_int_equal(info.columnidNextTagged, ids[NUMBERS]);
    info.itagSequence = 1;
    IS(JetRetrieveColumn(session, table, 0, &value, sizeof value, &size, 0, &info), JET_wrnColumnNull);
}

/* How many values a column has: itag 0 asks for it. */
static uint32_t count(enum column column)
{
    JET_RETRIEVECOLUMN wanted = {.columnid = ids[column], .itagSequence = 0};
    const JET_ERR err = JetRetrieveColumns(session, table, &wanted, 1);
    assert_true(err >= JET_errSuccess);
    return wanted.itagSequence;
}

static void counts_of_values(void **state)
{
    (void)state;
    insert(1);
    go_to(1);
    assert_int_equal(count(ID), 1);
    assert_int_equal(count(WORD), 1); /* its default */
    assert_int_equal(count(TAIL), 0);
    assert_int_equal(count(NUMBERS), 1);
    assert_int_equal(count(LONG), 0);
}

static void *JET_API reallocate(void *context, void *memory, uint32_t size)
{
    (void)context;
    if (size > 0)
        return realloc(memory, size);
    free(memory);
    return NULL;
}

/* A value that is asked for by its number may be there or not. */
static JET_ERR presence(enum column column, JET_GRBIT grbit, JET_ERR *first)
{
    uint32_t number = 1;
    JET_ENUMCOLUMNID wanted = {.columnid = ids[column], .ctagSequence = 1, .rgtagSequence = &number};
    uint32_t found = 0;
    JET_ENUMCOLUMN *columns = NULL;
    OK(JetEnumerateColumns(session, table, 1, &wanted, &found, &columns, reallocate, NULL, 100, grbit));
    assert_int_equal(found, 1);
    const JET_ERR err = columns[0].err;
    if (err == JET_errSuccess) {
        assert_int_equal(columns[0].cEnumColumnValue, 1);
        assert_int_equal(columns[0].rgEnumColumnValue[0].itagSequence, 1);
        *first = columns[0].rgEnumColumnValue[0].err;
        free(columns[0].rgEnumColumnValue[0].pvData);
        free(columns[0].rgEnumColumnValue);
    }
    free(columns);
    return err;
}

static void values_by_number(void **state)
{
    JET_ERR first = 99;
    (void)state;
    OK(JetPrepareUpdate(session, table, JET_prepInsert));
    set_number(ID, 1);
    OK(JetSetColumn(session, table, ids[NUMBERS], NULL, 0, 0, NULL));
    OK(JetUpdate(session, table, NULL, 0, NULL));
    go_to(1);
    IS(presence(ID, JET_bitEnumeratePresenceOnly, NULL), JET_wrnColumnPresent);
    IS(presence(LONG, JET_bitEnumeratePresenceOnly, NULL), JET_wrnColumnNull);
    OK(presence(NUMBERS, 0, &first));
    assert_int_equal(first, JET_wrnColumnNull);
    OK(presence(LONG, 0, &first));
    assert_int_equal(first, JET_wrnColumnNull);
    OK(presence(ID, 0, &first));
    assert_int_equal(first, JET_errSuccess);
}

static void contiguous_values(void **state)
{
    const JET_GRBIT grbit = JET_bitSetContiguousLV | JET_bitSetSeparateLV;
    uint32_t size = 0;
    (void)state;
    OK(JetBeginTransaction(session));
    OK(JetPrepareUpdate(session, table, JET_prepInsert));
    set_number(ID, 1);
    IS(JetSetColumn(session, table, ids[LONG], bytes, 4095, grbit, NULL), JET_errInvalidBufferSize);
    IS(JetSetColumn(session, table, ids[LONG], bytes, sizeof bytes, JET_bitSetContiguousLV, NULL),
       JET_errInvalidGrbit);
    OK(JetSetColumn(session, table, ids[LONG], bytes, sizeof bytes, grbit, NULL));
    OK(JetUpdate(session, table, NULL, 0, NULL));
    OK(JetCommitTransaction(session, 0));
    go_to(1);
    static uint8_t back[sizeof bytes];
    OK(JetRetrieveColumn(session, table, ids[LONG], back, sizeof back, &size, 0, NULL));
    assert_int_equal(size, sizeof bytes);
    assert_memory_equal(back, bytes, sizeof bytes);
}

static void escrow_values(void **state)
{
    int32_t one = 1;
    int32_t before = 99;
    uint32_t size = 0;
    (void)state;
    insert(1);
    insert(2);
    go_to(1);
    IS(JetEscrowUpdate(session, table, ids[ESCROW], &one, sizeof one, NULL, 0, NULL, 0),
       JET_errNotInTransaction);
    OK(JetBeginTransaction(session));
    IS(JetEscrowUpdate(session, table, ids[ESCROW] + 100, &one, sizeof one, NULL, 0, NULL, 0),
       JET_errColumnNotFound);
    IS(JetEscrowUpdate(session, table, ids[ID], &one, sizeof one, NULL, 0, NULL, 0), JET_errInvalidOperation);
    OK(JetEscrowUpdate(session, table, ids[ESCROW], &one, sizeof one, &before, sizeof before, &size, 0));
    assert_int_equal(before, 0);
    assert_int_equal(size, sizeof before);
    OK(JetEscrowUpdate(session, table, ids[ESCROW], &one, sizeof one, &before, sizeof before, &size, 0));
    assert_int_equal(before, 1);
    OK(JetDelete(session, table));
    IS(JetEscrowUpdate(session, table, ids[ESCROW], &one, sizeof one, NULL, 0, NULL, 0),
       JET_errRecordDeleted);
    IS(JetMove(session, table, JET_MovePrevious, 0), JET_errNoCurrentRecord);
    IS(JetEscrowUpdate(session, table, ids[ESCROW], &one, sizeof one, NULL, 0, NULL, 0),
       JET_errRecordDeleted); /* as the engine says it */
    IS(JetPrepareUpdate(session, table, JET_prepInsertCopy), JET_errNoCurrentRecord);
    OK(JetRollback(session, 0));
}

/* ---- call-backs */

static unsigned called[2];
static JET_ERR answer;

static JET_ERR JET_API call_back(JET_SESID sesid, JET_DBID dbid, JET_TABLEID tableid, JET_CBTYP type,
                                 void *first, void *second, void *context, uintptr_t unused)
{
    (void)sesid;
    (void)dbid;
    (void)tableid;
    (void)first;
    (void)second;
    (void)unused;
    assert_int_equal(type, JET_cbtypBeforeInsert);
    called[*(unsigned *)context]++;
    return *(unsigned *)context == 1 ? answer : JET_errSuccess;
}

/* The one that came last is asked first; if it refuses, the other hears nothing. */
static void call_backs_refuse(void **state)
{
    static unsigned numbers[2] = {0, 1};
    JET_HANDLE handles[2];
    (void)state;
    called[0] = called[1] = 0;
    EsentHostFailNth(ESENT_HOST_FAULT_ALLOCATE, 1, 1);
    IS(JetRegisterCallback(session, table, JET_cbtypBeforeInsert, call_back, &numbers[0], &handles[0]),
       JET_errOutOfMemory);
    EsentHostFailNone();
    insert(1);
    assert_int_equal(called[0], 0);
    for (int i = 0; i < 2; i++)
        OK(JetRegisterCallback(session, table, JET_cbtypBeforeInsert, call_back, &numbers[i], &handles[i]));
    answer = JET_errAccessDenied;
    OK(JetPrepareUpdate(session, table, JET_prepInsert));
    set_number(ID, 2);
    assert_true(JetUpdate(session, table, NULL, 0, NULL) < JET_errSuccess);
    assert_int_equal(called[0], 0);
    assert_int_equal(called[1], 1);
    answer = JET_errSuccess;
    OK(JetUpdate(session, table, NULL, 0, NULL));
    assert_int_equal(called[0], 1);
    assert_int_equal(called[1], 2);
}

/* ---- definitions */

static void names_and_limits(void **state)
{
    JET_INDEXCREATE_A index = {.cbStruct = sizeof index,
                               .szIndexName = (char *)"limited",
                               .szKey = (char *)"+tail\0",
                               .cbKey = 7,
                               .cbVarSegMac = 65536};
    JET_TABLEID reader;
    (void)state;
    IS(JetSetCurrentIndexA(session, table, "a.b"), JET_errInvalidName);
    IS(JetSetCurrentIndexA(session, table, "neither"), JET_errIndexNotFound);
    IS(JetRenameTableA(session, database, "a.b", "c"), JET_errInvalidName);
    IS(JetRenameTableA(session, database, "c", "a.b"), JET_errInvalidName);
    IS(JetCreateIndex2A(session, table, &index, 1), JET_errIndexInvalidDef);
    index.cbVarSegMac = 256;
    IS(JetCreateIndex2A(session, table, &index, 1), JET_errIndexInvalidDef);
    index.cbVarSegMac = 255;
    OK(JetCreateIndex2A(session, table, &index, 1));
    insert(1);
    OK(JetOpenTableA(session, database, "t", NULL, 0, JET_bitTableReadOnly, &reader));
    OK(JetMove(session, reader, (int32_t)JET_MoveFirst, 0));
    IS(JetDelete(session, reader), JET_errPermissionDenied);
    OK(JetCloseTable(session, reader));
    go_to(1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(full_keys, start, api_world_end),
        cmocka_unit_test_setup_teardown(cut_keys, start, api_world_end),
        cmocka_unit_test_setup_teardown(keys_of_fixed_columns, start, api_world_end),
        cmocka_unit_test_setup_teardown(stored_nulls, start, api_world_end),
        cmocka_unit_test_setup_teardown(counts_of_values, start, api_world_end),
        cmocka_unit_test_setup_teardown(values_by_number, start, api_world_end),
        cmocka_unit_test_setup_teardown(contiguous_values, start, api_world_end),
        cmocka_unit_test_setup_teardown(escrow_values, start, api_world_end),
        cmocka_unit_test_setup_teardown(call_backs_refuse, start, api_world_end),
        cmocka_unit_test_setup_teardown(names_and_limits, start, api_world_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
