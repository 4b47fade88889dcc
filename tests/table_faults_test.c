/* Each call on tables, rows and places, with a cache too small for what the program has: every page that it
 * reads cannot be read once, and every allocation fails once. It answers that; made again from the same place
 * it answers what it should, and in the end all is as it must be. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/api_world.h"

#define ROWS 120
#define BALLAST_ROWS 100 /* pages, more than the smallest cache has */
#define BIG 6000u

static JET_DBID database;
static JET_TABLEID table;
static JET_TABLEID ballast;
static JET_COLUMNID ids[7];
static uint8_t big[BIG];
static enum ESENT_HOST_FAULT kind;
static unsigned failures;

enum { ID, GROUP, TEXT, LONG, MANY, ESCROW, NUMBER };

static void fill_columns(void)
{
    static const struct {
        const char *name;
        uint32_t type;
        JET_GRBIT grbit;
        const void *value;
        uint32_t size;
    } shape[7] = {
        {"id", JET_coltypLong, JET_bitColumnFixed, NULL, 0},
        {"group", JET_coltypLong, JET_bitColumnFixed, NULL, 0},
        {"text", JET_coltypText, 0, NULL, 0},
        {"long", JET_coltypLongBinary, 0, NULL, 0},
        {"many", JET_coltypText, JET_bitColumnTagged | JET_bitColumnMultiValued, NULL, 0},
        {"escrow", JET_coltypLong, JET_bitColumnEscrowUpdate, "\0\0\0\0", 4},
        {"number", JET_coltypLong, JET_bitColumnAutoincrement, NULL, 0},
    };
    for (int i = 0; i < 7; i++) {
        const JET_COLUMNDEF definition = {
            .cbStruct = sizeof(definition), .coltyp = shape[i].type, .grbit = shape[i].grbit};
        assert_int_equal(
            JetAddColumnA(session, table, shape[i].name, &definition, shape[i].value, shape[i].size, &ids[i]),
            JET_errSuccess);
    }
    assert_int_equal(JetCreateIndexA(session, table, "pk", JET_bitIndexPrimary, "+id\0", 5, 80),
                     JET_errSuccess);
    assert_int_equal(JetCreateIndexA(session, table, "group", 0, "+group\0", 8, 80), JET_errSuccess);
    assert_int_equal(JetCreateIndexA(session, table, "text", JET_bitIndexUnique, "-text\0", 7, 80),
                     JET_errSuccess);
    assert_int_equal(JetCreateIndexA(session, table, "many", 0, "+many\0", 7, 80), JET_errSuccess);
}

static JET_ERR set(int column, const void *value, uint32_t size)
{
    return JetSetColumn(session, table, ids[column], value, size, 0, NULL);
}

static void fill_row(int32_t id)
{
    const int32_t group = id / 10;
    char text[20];
    (void)snprintf(text, sizeof(text), "text %03d", (int)id);
    assert_int_equal(JetPrepareUpdate(session, table, JET_prepInsert), JET_errSuccess);
    assert_int_equal(set(ID, &id, 4), JET_errSuccess);
    assert_int_equal(set(GROUP, &group, 4), JET_errSuccess);
    assert_int_equal(set(TEXT, text, (uint32_t)strlen(text)), JET_errSuccess);
    assert_int_equal(set(MANY, text, 6), JET_errSuccess);
    assert_int_equal(set(LONG, big, id % 20 == 0 ? BIG : 40), JET_errSuccess);
    assert_int_equal(JetUpdate(session, table, NULL, 0, NULL), JET_errSuccess);
}

static void fill_ballast(void)
{
    const JET_COLUMNDEF definition = {
        .cbStruct = sizeof(definition), .coltyp = JET_coltypBinary, .cbMax = 255};
    JET_COLUMNID columns[10];
    assert_int_equal(JetCreateTableA(session, database, "ballast", 0, 100, &ballast), JET_errSuccess);
    for (int i = 0; i < 10; i++) {
        char name[10];
        (void)snprintf(name, sizeof(name), "c%d", i);
        assert_int_equal(JetAddColumnA(session, ballast, name, &definition, NULL, 0, &columns[i]),
                         JET_errSuccess);
    }
    for (int row = 0; row < BALLAST_ROWS; row++) {
        assert_int_equal(JetPrepareUpdate(session, ballast, JET_prepInsert), JET_errSuccess);
        for (int i = 0; i < 10; i++)
            assert_int_equal(JetSetColumn(session, ballast, columns[i], big, 255, 0, NULL), JET_errSuccess);
        assert_int_equal(JetUpdate(session, ballast, NULL, 0, NULL), JET_errSuccess);
    }
}

static int start(void **state)
{
    struct ESENT_HOST_SIMULATION simulation = {.seed = 1, .scheduler = ESENT_HOST_SCHEDULE_FIFO};
    (void)state;
    (void)EsentHostReset(NULL, 0);
    assert_int_equal(EsentHostUseMemoryFiles(), JET_errSuccess);
    assert_int_equal(EsentHostUseSimulation(&simulation), JET_errSuccess);
    assert_int_equal(JetSetSystemParameterA(NULL, JET_sesidNil, JET_paramCacheSizeMax, 1, NULL),
                     JET_errSuccess);
    instance = JET_instanceNil;
    assert_int_equal(JetCreateInstanceA(&instance, "a"), JET_errSuccess);
    assert_int_equal(JetInit(&instance), JET_errSuccess);
    assert_int_equal(JetBeginSessionA(instance, &session, NULL, NULL), JET_errSuccess);
    for (uint32_t i = 0; i < BIG; i++)
        big[i] = (uint8_t)(i * 13);
    assert_int_equal(JetCreateDatabaseA(session, "f.edb", NULL, &database, 0), JET_errSuccess);
    assert_int_equal(JetCreateTableA(session, database, "t", 0, 80, &table), JET_errSuccess);
    fill_columns();
    assert_int_equal(JetBeginTransaction(session), JET_errSuccess);
    for (int32_t id = 1; id <= ROWS; id++)
        fill_row(id);
    assert_int_equal(JetCommitTransaction(session, 0), JET_errSuccess);
    fill_ballast();
    failures = 0;
    return 0;
}

/* Other pages take the whole cache. */
static void chill(void)
{
    JET_ERR err = JetMove(session, ballast, (int32_t)JET_MoveFirst, 0);
    while (err == JET_errSuccess)
        err = JetMove(session, ballast, JET_MoveNext, 0);
    assert_int_equal(err, JET_errNoCurrentRecord);
}

static JET_ERR fault_code(void)
{
    return kind == ESENT_HOST_FAULT_ALLOCATE ? JET_errOutOfMemory : JET_errDiskIO;
}

/* Whether the call that answered `err` is to be made again, with the next fault. */
static bool again(JET_ERR err, JET_ERR expected, const char *what, uint64_t nth)
{
    const bool failed = EsentHostCountFailures(kind) > 0;
    EsentHostFailNone();
    if (failed && err == fault_code()) {
        failures++;
        return true;
    }
    if (err != expected)
        fail_msg("%s, %s %u: %d, not %d", what, EsentHostFaultName(kind), (unsigned)nth, (int)err,
                 (int)expected);
    return false;
}

static void arm(uint64_t nth)
{
    if (kind == ESENT_HOST_FAULT_READ)
        chill();
    EsentHostResetCounters();
    EsentHostFailNth(kind, nth, 1);
}

#define EACH_FAULT(expected, place, call)                                                                    \
    for (uint64_t nth = 1;; nth++) {                                                                         \
        place;                                                                                               \
        arm(nth);                                                                                            \
        if (!again((call), (expected), #call, nth))                                                          \
            break;                                                                                           \
    }
#define HERE (void)0

static void key(const void *value, uint32_t size)
{
    assert_int_equal(JetMakeKey(session, table, value, size, JET_bitNewKey), JET_errSuccess);
}

static void key_of(int32_t value)
{
    key(&value, 4);
}

static void go_to(int32_t id)
{
    assert_int_equal(JetSetCurrentIndexA(session, table, NULL), JET_errSuccess);
    key_of(id);
    assert_int_equal(JetSeek(session, table, JET_bitSeekEQ), JET_errSuccess);
}

static void go_to_group(int32_t group)
{
    assert_int_equal(JetSetCurrentIndexA(session, table, "group"), JET_errSuccess);
    key_of(group);
    assert_int_equal(JetSeek(session, table, JET_bitSeekEQ), JET_errSuccess);
}

static int32_t current(void)
{
    int32_t id = 0;
    assert_int_equal(JetRetrieveColumn(session, table, ids[ID], &id, 4, NULL, 0, NULL), JET_errSuccess);
    return id;
}

/* --- places */

static void seeks(void)
{
    assert_int_equal(JetSetCurrentIndexA(session, table, NULL), JET_errSuccess);
    EACH_FAULT(JET_errSuccess, key_of(50), JetSeek(session, table, JET_bitSeekEQ));
    EACH_FAULT(JET_wrnSeekNotEqual, key_of(0), JetSeek(session, table, JET_bitSeekGE));
    EACH_FAULT(JET_errSuccess, key_of(50), JetSeek(session, table, JET_bitSeekLT));
    EACH_FAULT(JET_errRecordNotFound, key_of(500), JetSeek(session, table, JET_bitSeekGE));
    EACH_FAULT(JET_errRecordNotFound, key_of(0), JetSeek(session, table, JET_bitSeekEQ));
    EACH_FAULT(JET_errSuccess, go_to(1), JetSetCurrentIndexA(session, table, "group"));
    EACH_FAULT(JET_errSuccess, key_of(4), JetSeek(session, table, JET_bitSeekEQ | JET_bitCheckUniqueness));
    EACH_FAULT(JET_wrnUniqueKey, key_of(12), JetSeek(session, table, JET_bitSeekEQ | JET_bitCheckUniqueness));
    EACH_FAULT(JET_errSuccess, key_of(5), JetSeek(session, table, JET_bitSeekEQ | JET_bitSetIndexRange));
    EACH_FAULT(JET_errRecordNotFound, key_of(77), JetSeek(session, table, JET_bitSeekEQ));
    EACH_FAULT(JET_errRecordNotFound, key_of(-5), JetSeek(session, table, JET_bitSeekLE));
    EACH_FAULT(JET_errSuccess, key_of(4), JetSeek(session, table, JET_bitSeekGT));
    EACH_FAULT(JET_errSuccess, go_to(77), JetSetCurrentIndex2A(session, table, "text", JET_bitNoMove));
    assert_int_equal(current(), 77);
    EACH_FAULT(JET_errSuccess, go_to(77), JetSetCurrentIndex2A(session, table, "many", JET_bitNoMove));
    EACH_FAULT(JET_errSuccess, go_to_group(3),
               JetSetCurrentIndex2A(session, table, "text", JET_bitMoveFirst));
    assert_int_equal(current(), ROWS);
}

static void moves(void)
{
    EACH_FAULT(JET_errSuccess, go_to(50), JetMove(session, table, 20, 0));
    EACH_FAULT(JET_errSuccess, go_to(50), JetMove(session, table, -20, 0));
    EACH_FAULT(JET_errSuccess, go_to(50), JetMove(session, table, 0, 0));
    EACH_FAULT(JET_errSuccess, go_to(50), JetMove(session, table, JET_MoveLast, 0));
    EACH_FAULT(JET_errSuccess, go_to_group(3), JetMove(session, table, 1, JET_bitMoveKeyNE));
    assert_int_equal(current(), 40);
    EACH_FAULT(JET_errSuccess, go_to_group(3), JetMove(session, table, -1, JET_bitMoveKeyNE));
    assert_int_equal(current(), 29);
    EACH_FAULT(JET_errSuccess, go_to_group(3), JetMove(session, table, (int32_t)JET_MoveFirst, 0));
    EACH_FAULT(JET_errNoCurrentRecord, go_to_group(12), JetMove(session, table, 1, 0));
    /* a move that fails ends before the first row */
    go_to(50);
    arm(1);
    if (JetMove(session, table, 40, 0) == fault_code())
        assert_int_equal(JetMove(session, table, 1, 0), JET_errSuccess);
    EsentHostFailNone();
}

static void bookmarks_and_positions(void)
{
    uint8_t row[300];
    uint8_t entry[300];
    uint32_t row_size = 0;
    uint32_t entry_size = 0;
    uint32_t count = 0;
    JET_RECPOS place = {.cbStruct = sizeof(place)};
    JET_TABLEID copy;
    go_to_group(3);
    EACH_FAULT(JET_errSuccess, HERE, JetGetBookmark(session, table, row, sizeof(row), &row_size));
    EACH_FAULT(JET_errSuccess, HERE,
               JetGetSecondaryIndexBookmark(session, table, entry, sizeof(entry), &entry_size, row,
                                            sizeof(row), &row_size, 0));
    EACH_FAULT(JET_errSuccess, go_to_group(8),
               JetGotoSecondaryIndexBookmark(session, table, entry, entry_size, row, row_size, 0));
    EACH_FAULT(JET_errSuccess, go_to_group(8), JetGotoBookmark(session, table, row, row_size));
    assert_int_equal(current(), 30);
    EACH_FAULT(JET_errSuccess, HERE, JetRetrieveKey(session, table, entry, sizeof(entry), &entry_size, 0));
    EACH_FAULT(JET_errSuccess, HERE, JetGetRecordPosition(session, table, &place, sizeof(place)));
    EACH_FAULT(JET_errSuccess, HERE, JetGotoPosition(session, table, &place));
    EACH_FAULT(JET_errSuccess, go_to_group(8), JetIndexRecordCount(session, table, &count, 0));
    assert_int_equal(count, ROWS - 79);
    go_to_group(8);
    key_of(9);
    EACH_FAULT(JET_errSuccess, HERE,
               JetSetIndexRange(session, table, JET_bitRangeUpperLimit | JET_bitRangeInclusive));
    EACH_FAULT(JET_errSuccess, HERE, JetIndexRecordCount(session, table, &count, 0));
    assert_int_equal(count, 20);
    EACH_FAULT(JET_errSuccess, HERE, JetDupCursor(session, table, &copy, 0));
    assert_int_equal(JetCloseTable(session, copy), JET_errSuccess);
    /* A cursor that was only opened goes to its first row when it is asked for one. */
    EACH_FAULT(JET_errSuccess, assert_int_equal(JetSetCurrentIndexA(session, table, NULL), JET_errSuccess),
               JetGetRecordPosition(session, table, &place, sizeof(place)));
    EACH_FAULT(JET_errSuccess, assert_int_equal(JetSetCurrentIndexA(session, table, "group"), JET_errSuccess),
               JetIndexRecordCount(session, table, &count, 3));
    EACH_FAULT(JET_errSuccess, assert_int_equal(JetSetCurrentIndexA(session, table, "group"), JET_errSuccess),
               JetRetrieveKey(session, table, entry, sizeof(entry), &entry_size, 0));
    EACH_FAULT(JET_errSuccess, assert_int_equal(JetSetCurrentIndexA(session, table, "group"), JET_errSuccess),
               JetGetSecondaryIndexBookmark(session, table, entry, sizeof(entry), &entry_size, row,
                                            sizeof(row), &row_size, 0));
}

static void filters(void)
{
    const int32_t eight = 8;
    JET_INDEX_COLUMN condition = {
        .columnid = ids[GROUP], .relop = JET_relopEquals, .pv = (void *)(uintptr_t)&eight, .cb = 4};
    assert_int_equal(JetSetCurrentIndexA(session, table, NULL), JET_errSuccess);
    EACH_FAULT(JET_errSuccess, HERE, JetSetCursorFilter(session, table, &condition, 1, 0));
    EACH_FAULT(JET_errSuccess, HERE, JetMove(session, table, (int32_t)JET_MoveFirst, 0));
    assert_int_equal(current(), 80);
    EACH_FAULT(JET_errSuccess, HERE, JetMove(session, table, JET_MoveLast, 0));
    EACH_FAULT(JET_wrnSeekNotEqual, key_of(3), JetSeek(session, table, JET_bitSeekGE));
    assert_int_equal(current(), 80);
    EACH_FAULT(JET_errSuccess, key_of(100), JetSeek(session, table, JET_bitSeekLT));
    assert_int_equal(JetSetCursorFilter(session, table, NULL, 0, 0), JET_errSuccess);
}

/* --- columns */

static void *JET_API reallocate(void *context, void *block, uint32_t size)
{
    (void)context;
    if (size == 0) {
        free(block);
        return NULL;
    }
    return realloc(block, size);
}

static JET_ERR enumerate(void)
{
    JET_ENUMCOLUMN *columns = NULL;
    uint32_t count = 0;
    const JET_ERR err =
        JetEnumerateColumns(session, table, 0, NULL, &count, &columns, reallocate, NULL, BIG, 0);
    for (uint32_t i = 0; err == JET_errSuccess && i < count; i++) {
        for (uint32_t j = 0; columns[i].rgEnumColumnValue != NULL && j < columns[i].cEnumColumnValue; j++)
            free(columns[i].rgEnumColumnValue[j].pvData);
        free(columns[i].rgEnumColumnValue);
    }
    if (err == JET_errSuccess)
        free(columns);
    return err;
}

static void columns(void)
{
    static uint8_t buffer[BIG];
    JET_RECSIZE2 size;
    JET_RETRIEVEMULTIVALUECOUNT list[8];
    JET_RETRIEVECOLUMN count = {.columnid = ids[MANY]};
    uint32_t actual = 0;
    go_to(40);
    EACH_FAULT(JET_errSuccess, HERE,
               JetRetrieveColumn(session, table, ids[TEXT], buffer, BIG, &actual, 0, NULL));
    EACH_FAULT(JET_errSuccess, HERE,
               JetRetrieveColumn(session, table, ids[LONG], buffer, BIG, &actual, 0, NULL));
    assert_int_equal(actual, BIG);
    assert_memory_equal(buffer, big, BIG);
    EACH_FAULT(JET_wrnBufferTruncated, HERE,
               JetRetrieveColumn(session, table, ids[LONG], buffer, 10, &actual, 0, NULL));
    EACH_FAULT(JET_errSuccess, HERE,
               JetRetrieveColumn(session, table, ids[LONG], buffer, 4, &actual,
                                 JET_bitRetrieveLongValueRefCount, NULL));
    EACH_FAULT(
        JET_errSuccess, HERE,
        JetRetrieveColumn(session, table, ids[LONG], NULL, 0, &actual, JET_bitRetrievePhysicalSize, NULL));
    EACH_FAULT(JET_errSuccess, HERE, enumerate());
    EACH_FAULT(JET_errSuccess, HERE, JetGetRecordSize2(session, table, &size, 0));
    assert_int_equal(size.cbLongValueData, BIG);
    EACH_FAULT(JET_errSuccess, HERE,
               JetRetrieveTaggedColumnList(session, table, &actual, list, sizeof(list), 0, 0));
    EACH_FAULT(JET_errSuccess, HERE, JetRetrieveColumns(session, table, &count, 1));
    EACH_FAULT(JET_errSuccess, go_to(40), JetSetCurrentIndex2A(session, table, "many", JET_bitNoMove));
    EACH_FAULT(
        JET_errSuccess, HERE,
        JetRetrieveColumn(session, table, ids[MANY], buffer, BIG, &actual, JET_bitRetrieveFromIndex, NULL));
    EACH_FAULT(JET_errSuccess, HERE,
               JetRetrieveColumn(session, table, ids[ID], buffer, BIG, &actual,
                                 JET_bitRetrieveFromPrimaryBookmark, NULL));
}

/* --- changes */

static void changes(void)
{
    const int32_t id = 1000;
    const int32_t one = 1;
    int32_t old = 0;
    for (int outer = 0; outer < 2; outer++) { /* in a transaction of the program's, and in the call's own */
        if (outer != 0)
            assert_int_equal(JetBeginTransaction(session), JET_errSuccess);
        EACH_FAULT(JET_errSuccess, HERE, JetPrepareUpdate(session, table, JET_prepInsert));
        assert_int_equal(set(ID, &id, 4), JET_errSuccess);
        if (outer != 0)
            EACH_FAULT(JET_errSuccess, HERE, set(LONG, big, BIG));
        EACH_FAULT(JET_errSuccess, HERE, set(MANY, "x", 1));
        EACH_FAULT(JET_errSuccess, HERE, JetUpdate(session, table, NULL, 0, NULL));
        go_to(id);
        EACH_FAULT(JET_errSuccess, HERE, JetPrepareUpdate(session, table, JET_prepReplace));
        EACH_FAULT(JET_errSuccess, HERE, set(GROUP, &one, 4));
        if (outer != 0) {
            JET_SETINFO info = {.cbStruct = sizeof(info), .itagSequence = 1};
            EACH_FAULT(JET_errSuccess, HERE,
                       JetSetColumn(session, table, ids[LONG], big, 10, JET_bitSetAppendLV, &info));
        }
        EACH_FAULT(JET_errSuccess, HERE, JetUpdate(session, table, NULL, 0, NULL));
        if (outer != 0) {
            EACH_FAULT(
                JET_errSuccess, go_to(id),
                JetEscrowUpdate(session, table, ids[ESCROW], (void *)(uintptr_t)&one, 4, &old, 4, NULL, 0));
            EACH_FAULT(JET_errSuccess, go_to(id), JetGetLock(session, table, JET_bitWriteLock));
            EACH_FAULT(JET_errSuccess, go_to(id), JetPrepareUpdate(session, table, JET_prepInsertCopy));
            const int32_t other = 1001;
            assert_int_equal(set(ID, &other, 4), JET_errSuccess);
            assert_int_equal(set(TEXT, "copy", 4), JET_errSuccess);
            EACH_FAULT(JET_errSuccess, HERE, JetUpdate(session, table, NULL, 0, NULL));
            EACH_FAULT(JET_errSuccess, go_to(other),
                       JetPrepareUpdate(session, table, JET_prepInsertCopyDeleteOriginal));
            const int32_t last = 1002;
            assert_int_equal(set(ID, &last, 4), JET_errSuccess);
            EACH_FAULT(JET_errSuccess, HERE, JetUpdate(session, table, NULL, 0, NULL));
            EACH_FAULT(JET_errSuccess, go_to(last), JetDelete(session, table));
        }
        EACH_FAULT(JET_errSuccess, go_to(id), JetDelete(session, table));
        if (outer != 0)
            assert_int_equal(JetCommitTransaction(session, 0), JET_errSuccess);
    }
}

/* --- the schema */

static void attach_anew(void)
{
    assert_int_equal(JetCloseTable(session, table), JET_errSuccess);
    assert_int_equal(JetCloseTable(session, ballast), JET_errSuccess);
    assert_int_equal(JetCloseDatabase(session, database, 0), JET_errSuccess);
    assert_int_equal(JetDetachDatabaseA(session, "f.edb"), JET_errSuccess);
    assert_int_equal(JetAttachDatabaseA(session, "f.edb", 0), JET_errSuccess);
    assert_int_equal(JetOpenDatabaseA(session, "f.edb", NULL, &database, 0), JET_errSuccess);
    assert_int_equal(JetOpenTableA(session, database, "ballast", NULL, 0, 0, &ballast), JET_errSuccess);
    assert_int_equal(JetOpenTableA(session, database, "t", NULL, 0, 0, &table), JET_errSuccess);
}

/* Forgets what is known of all tables but the ballast. */
static void forget_tables(void)
{
    attach_anew();
    assert_int_equal(JetCloseTable(session, table), JET_errSuccess);
    assert_int_equal(JetCloseTable(session, ballast), JET_errSuccess);
    assert_int_equal(JetCloseDatabase(session, database, 0), JET_errSuccess);
    assert_int_equal(JetDetachDatabaseA(session, "f.edb"), JET_errSuccess);
    assert_int_equal(JetAttachDatabaseA(session, "f.edb", 0), JET_errSuccess);
    assert_int_equal(JetOpenDatabaseA(session, "f.edb", NULL, &database, 0), JET_errSuccess);
    assert_int_equal(JetOpenTableA(session, database, "ballast", NULL, 0, 0, &ballast), JET_errSuccess);
    table = JET_tableidNil;
}

static void open_again(void)
{
    if (table == JET_tableidNil)
        assert_int_equal(JetOpenTableA(session, database, "t", NULL, 0, 0, &table), JET_errSuccess);
}

static void schema(void)
{
    const JET_COLUMNDEF plain = {.cbStruct = sizeof(plain), .coltyp = JET_coltypLong};
    const JET_COLUMNDEF tagged = {
        .cbStruct = sizeof(tagged), .coltyp = JET_coltypText, .grbit = JET_bitColumnTagged};
    const JET_COLUMNDEF escrow = {.cbStruct = sizeof(escrow),
                                  .coltyp = JET_coltypLong,
                                  .grbit = JET_bitColumnFixed | JET_bitColumnEscrowUpdate};
    const int32_t five = 5;
    const int32_t zero = 0;
    JET_TABLEID other;
    JET_COLUMNLIST list;
    char name[20];
    static int round;
    EACH_FAULT(JET_errSuccess, (open_again(), forget_tables()),
               JetOpenTableA(session, database, "t", NULL, 0, 0, &table));
    assert_int_equal(JetOpenTableA(session, database, "t", NULL, 0, 0, &other), JET_errSuccess);
    assert_int_equal(JetCloseTable(session, other), JET_errSuccess);
    EACH_FAULT(JET_errObjectNotFound, HERE, JetOpenTableA(session, database, "none", NULL, 0, 0, &other));
    (void)snprintf(name, sizeof(name), "c%d", round);
    EACH_FAULT(JET_errSuccess, HERE, JetAddColumnA(session, table, name, &plain, NULL, 0, NULL));
    EACH_FAULT(JET_errColumnDuplicate, HERE, JetAddColumnA(session, table, name, &tagged, NULL, 0, NULL));
    EACH_FAULT(JET_errSuccess, HERE, JetRenameColumnA(session, table, name, "renamed", 0));
    EACH_FAULT(JET_errSuccess, HERE,
               JetSetColumnDefaultValueA(session, database, "t", "renamed", &five, 4, 0));
    EACH_FAULT(JET_errSuccess, HERE,
               JetCreateIndexA(session, table, "renamed", 0, "+renamed\0+id\0", 14, 80));
    EACH_FAULT(JET_errColumnInUse, HERE, JetDeleteColumnA(session, table, "renamed"));
    EACH_FAULT(JET_errSuccess, HERE, JetDeleteIndexA(session, table, "renamed"));
    EACH_FAULT(JET_errSuccess, HERE, JetDeleteColumnA(session, table, "renamed"));
    EACH_FAULT(JET_errSuccess, HERE, JetCreateTableA(session, database, "u", 0, 80, &other));
    assert_int_equal(JetCloseTable(session, other), JET_errSuccess);
    /* An open that fails keeps nobody out. */
    EACH_FAULT(JET_errSuccess, HERE,
               JetOpenTableA(session, database, "u", NULL, 0, JET_bitTableDenyRead, &other));
    assert_int_equal(JetCloseTable(session, other), JET_errSuccess);
    assert_int_equal(JetOpenTableA(session, database, "u", NULL, 0, 0, &other), JET_errSuccess);
    assert_int_equal(JetAddColumnA(session, other, "e", &escrow, &zero, sizeof(zero), NULL),
                     JET_errExclusiveTableLockRequired);
    assert_int_equal(JetCloseTable(session, other), JET_errSuccess);
    EACH_FAULT(JET_errSuccess, HERE, JetRenameTableA(session, database, "u", "v"));
    EACH_FAULT(JET_errSuccess, HERE, JetDeleteTableA(session, database, "v"));
    list.cbStruct = sizeof(list);
    EACH_FAULT(JET_errSuccess, HERE,
               JetGetTableColumnInfoA(session, table, NULL, &list, sizeof(list), JET_ColInfoList));
    assert_int_equal(JetCloseTable(session, list.tableid), JET_errSuccess);
    JET_OBJECTLIST objects = {.cbStruct = sizeof(objects)};
    EACH_FAULT(JET_errSuccess, HERE,
               JetGetObjectInfoA(session, database, JET_objtypTable, NULL, NULL, &objects, sizeof(objects),
                                 JET_ObjInfoListNoStats));
    assert_int_equal(JetCloseTable(session, objects.tableid), JET_errSuccess);
    round++;
}

/* A column that numbers the rows that are there. */
static void numbered_rows(void)
{
    const JET_COLUMNDEF numbers = {
        .cbStruct = sizeof(numbers), .coltyp = JET_coltypLong, .grbit = JET_bitColumnAutoincrement};
    const JET_COLUMNDEF plain = {.cbStruct = sizeof(plain), .coltyp = JET_coltypLong};
    JET_COLUMNID id;
    JET_TABLEID own;
    int32_t last = 0;
    assert_int_equal(JetCreateTableA(session, database, "numbered", 0, 80, &own), JET_errSuccess);
    assert_int_equal(JetAddColumnA(session, own, "a", &plain, NULL, 0, NULL), JET_errSuccess);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(JetPrepareUpdate(session, own, JET_prepInsert), JET_errSuccess);
        EACH_FAULT(JET_errSuccess, HERE, JetUpdate(session, own, NULL, 0, NULL));
    }
    EACH_FAULT(JET_errSuccess, HERE, JetAddColumnA(session, own, "n", &numbers, NULL, 0, &id));
    assert_int_equal(JetMove(session, own, JET_MoveLast, 0), JET_errSuccess);
    assert_int_equal(JetRetrieveColumn(session, own, id, &last, 4, NULL, 0, NULL), JET_errSuccess);
    assert_int_equal(last, 5);
    EACH_FAULT(JET_errSuccess, HERE, JetPrepareUpdate(session, own, JET_prepInsert));
    assert_int_equal(JetUpdate(session, own, NULL, 0, NULL), JET_errSuccess);
    assert_int_equal(JetCloseTable(session, own), JET_errSuccess);
    assert_int_equal(JetDeleteTableA(session, database, "numbered"), JET_errSuccess);
}

static void temporary_tables(void)
{
    const JET_COLUMNDEF column = {.cbStruct = sizeof(column),
                                  .coltyp = JET_coltypLong,
                                  .grbit = JET_bitColumnTTKey | JET_bitColumnFixed};
    JET_COLUMNID id;
    JET_TABLEID temporary;
    for (int i = 0; i < 2; i++) {
        const JET_GRBIT grbit = i == 0 ? JET_bitTTIndexed : JET_bitTTIndexed | JET_bitTTForceMaterialization;
        EACH_FAULT(JET_errSuccess, HERE, JetOpenTempTable(session, &column, 1, grbit, &temporary, &id));
        for (int32_t value = 0; value < 3; value++) {
            EACH_FAULT(JET_errSuccess, HERE, JetPrepareUpdate(session, temporary, JET_prepInsert));
            EACH_FAULT(JET_errSuccess, HERE, JetSetColumn(session, temporary, id, &value, 4, 0, NULL));
            EACH_FAULT(JET_errSuccess, HERE, JetUpdate(session, temporary, NULL, 0, NULL));
        }
        const int32_t one = 1;
        for (int grbits = 0; grbits < 3; grbits++) {
            static const JET_GRBIT ways[] = {JET_bitSeekEQ, JET_bitSeekGT, JET_bitSeekLE};
            EACH_FAULT(
                JET_errSuccess,
                assert_int_equal(JetMakeKey(session, temporary, &one, 4, JET_bitNewKey), JET_errSuccess),
                JetSeek(session, temporary, ways[grbits]));
        }
        assert_int_equal(JetCloseTable(session, temporary), JET_errSuccess);
    }
}

static void all_is_well(void)
{
    uint32_t count = 0;
    assert_int_equal(JetSetCurrentIndexA(session, table, NULL), JET_errSuccess);
    assert_int_equal(JetMove(session, table, (int32_t)JET_MoveFirst, 0), JET_errSuccess);
    assert_int_equal(JetIndexRecordCount(session, table, &count, 0), JET_errSuccess);
    assert_int_equal(count, ROWS);
    assert_int_equal(JetSetCurrentIndexA(session, table, "text"), JET_errSuccess);
    assert_int_equal(JetMove(session, table, (int32_t)JET_MoveFirst, 0), JET_errSuccess);
    assert_int_equal(JetIndexRecordCount(session, table, &count, 0), JET_errSuccess);
    assert_int_equal(count, ROWS);
}

static void run_all(void)
{
    seeks();
    moves();
    bookmarks_and_positions();
    filters();
    columns();
    changes();
    schema();
    numbered_rows();
    temporary_tables();
    all_is_well();
    print_message("%s: %u calls failed and were made again\n", EsentHostFaultName(kind), failures);
}

static void allocations(void **state)
{
    (void)state;
    kind = ESENT_HOST_FAULT_ALLOCATE;
    run_all();
    assert_true(failures > 250);
}

static void reads(void **state)
{
    (void)state;
    kind = ESENT_HOST_FAULT_READ;
    run_all();
    assert_true(failures > 250);
}

static void published_profile(void **state)
{
    EsentHostSetProfile(ESENT_HOST_PUBLISHED); /* numbers are reserved in the root there */
    allocations(state);
    kind = ESENT_HOST_FAULT_READ;
    run_all();
    EsentHostSetProfile(ESENT_HOST_DOCUMENTED);
}

static void keep_finding(void *context, const struct ESENT_HOST_FINDING *finding)
{
    if (!finding->warning) {
        print_message("%s, page %u: %s\n", finding->kind, (unsigned)finding->page, finding->text);
        ++*(unsigned *)context;
    }
}

static int end(void **state)
{
    char report[1000] = "";
    unsigned findings = 0;
    (void)state;
    EsentHostFailNone();
    const JET_ERR err = JetTerm2(instance, JET_bitTermComplete);
    const JET_ERR checked = EsentHostCheckDatabase("f.edb", keep_finding, &findings);
    const size_t leaks = EsentHostReset(report, sizeof(report));
    if (err != JET_errSuccess || leaks > 0 || checked != JET_errSuccess)
        print_message("term %d, check %d, left: %.300s\n", (int)err, (int)checked, report);
    return err == JET_errSuccess && leaks == 0 && findings == 0 ? 0 : -1;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(allocations, start, end),
        cmocka_unit_test_setup_teardown(reads, start, end),
        cmocka_unit_test_setup_teardown(published_profile, start, end),
    };
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
