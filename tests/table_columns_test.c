/* Columns of rows, call by call, where programs cannot say it: options and sizes of retrievals, counts of
 * values, enumerations of chosen columns, sizes of records, kinds of long-value changes, escrow. The codes
 * are those of the published engine (`fldext.cxx`, `fldenum.cxx`, `fldmod.cxx`, `lv.cxx`). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/api_world.h"

#define BIG 3000u /* of a long value that goes out of the row */

static JET_TABLEID table;
static uint8_t big[BIG];

enum {
    ID,
    FIXED,
    WIDE,
    VARIABLE,
    MANY,
    LONG,
    LONG_DEFAULT,
    TAG_DEFAULT,
    ESCROW,
    ESCROW_WIDE,
    ENCRYPTED,
    COMPRESSED,
    SHORT_LONG,
    NUMBER,
    SHORT_TAG,
    PLAIN_LONG,
    COLUMNS
};
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
    {"fixed", JET_coltypBinary, JET_bitColumnFixed, 0, 3, NULL, 0},
    {"wide", JET_coltypText, JET_bitColumnFixed, 1200, 8, NULL, 0},
    {"variable", JET_coltypText, 0, 1252, 10, NULL, 0},
    {"many", JET_coltypLong, JET_bitColumnTagged | JET_bitColumnMultiValued, 0, 0, NULL, 0},
    {"long", JET_coltypLongBinary, JET_bitColumnTagged | JET_bitColumnMultiValued, 0, 0, NULL, 0},
    {"long default", JET_coltypLongText, 0, 1252, 0, "default", 7},
    {"tag default", JET_coltypText, JET_bitColumnTagged, 1252, 0, "tag", 3},
    {"escrow", JET_coltypLong, JET_bitColumnEscrowUpdate, 0, 0, "\0\0\0\0", 4},
    {"escrow wide", JET_coltypLongLong, JET_bitColumnEscrowUpdate, 0, 0, "\0\0\0\0\0\0\0\0", 8},
    {"encrypted", JET_coltypLongBinary, JET_bitColumnEncrypted, 0, 0, NULL, 0},
    {"compressed", JET_coltypLongText, JET_bitColumnCompressed, 1252, 0, NULL, 0},
    {"short long", JET_coltypLongBinary, 0, 0, 20, NULL, 0},
    {"number", JET_coltypLong, 0, 0, 0, "\7\0\0\0", 4},
    {"short tag", JET_coltypBinary, JET_bitColumnTagged, 0, 5, NULL, 0},
    {"plain long", JET_coltypLongBinary, 0, 0, 0, NULL, 0},
};
static JET_COLUMNID ids[COLUMNS];

static JET_ERR set_with(int column, const void *value, uint32_t size, JET_GRBIT grbit, uint32_t itag,
                        uint32_t offset)
{
    JET_SETINFO info = {.cbStruct = sizeof(info), .itagSequence = itag, .ibLongValue = offset};
    return JetSetColumn(session, table, ids[column], value, size, grbit, &info);
}

static JET_ERR set(int column, const void *value, uint32_t size, JET_GRBIT grbit)
{
    return set_with(column, value, size, grbit, 1, 0);
}

static void prepare(uint32_t preparation)
{
    assert_int_equal(JetPrepareUpdate(session, table, preparation), JET_errSuccess);
}

static void update(void)
{
    assert_int_equal(JetUpdate(session, table, NULL, 0, NULL), JET_errSuccess);
}

static void go_to(int32_t id)
{
    assert_int_equal(JetMakeKey(session, table, &id, 4, JET_bitNewKey), JET_errSuccess);
    assert_int_equal(JetSeek(session, table, JET_bitSeekEQ), JET_errSuccess);
}

/* Row 1: values everywhere; row 2: nothing but its id, and nulls over the defaults. */
static void add_rows(void)
{
    int32_t id = 1;
    const int32_t three[3] = {5, 6, 7};
    assert_int_equal(JetBeginTransaction(session), JET_errSuccess);
    prepare(JET_prepInsert);
    assert_int_equal(set(ID, &id, 4, 0), JET_errSuccess);
    assert_int_equal(set(VARIABLE, "abc", 3, 0), JET_errSuccess);
    for (int i = 0; i < 3; i++)
        assert_int_equal(set_with(MANY, &three[i], 4, 0, 0, 0), JET_errSuccess);
    assert_int_equal(set(LONG, big, BIG, 0), JET_errSuccess);
    assert_int_equal(set_with(LONG, "short", 5, 0, 0, 0), JET_errSuccess);
    update();
    id = 2;
    prepare(JET_prepInsert);
    assert_int_equal(set(ID, &id, 4, 0), JET_errSuccess);
    assert_int_equal(set(LONG_DEFAULT, NULL, 0, 0), JET_errSuccess);
    assert_int_equal(set(TAG_DEFAULT, NULL, 0, 0), JET_errSuccess);
    update();
    assert_int_equal(JetCommitTransaction(session, 0), JET_errSuccess);
    go_to(1);
}

static int start(void **state)
{
    JET_DBID database;
    (void)state;
    assert_true(api_world_start(true));
    for (uint32_t i = 0; i < BIG; i++)
        big[i] = (uint8_t)(i * 7);
    assert_int_equal(JetCreateDatabaseA(session, "c.edb", NULL, &database, 0), JET_errSuccess);
    assert_int_equal(JetCreateTableA(session, database, "t", 0, 80, &table), JET_errSuccess);
    for (int i = 0; i < COLUMNS; i++) {
        const JET_COLUMNDEF definition = {.cbStruct = sizeof(definition),
                                          .coltyp = shape[i].type,
                                          .grbit = shape[i].grbit,
                                          .cp = shape[i].code_page,
                                          .cbMax = shape[i].max};
        assert_int_equal(
            JetAddColumnA(session, table, shape[i].name, &definition, shape[i].value, shape[i].size, &ids[i]),
            JET_errSuccess);
    }
    assert_int_equal(JetCreateIndexA(session, table, "pk", JET_bitIndexPrimary, "+id\0", 5, 80),
                     JET_errSuccess);
    add_rows();
    return 0;
}

/* --- retrieval */

static void options_of_retrievals(void **state)
{
    const struct {
        int column; /* COLUMNS: id 0 */
        JET_GRBIT grbit;
        uint32_t itag;
        uint32_t offset;
        uint32_t max;
        JET_ERR expected;
        uint32_t actual;
    } cases[] = {
        {LONG, JET_bitRetrievePhysicalSize, 1, 0, 0, JET_errSuccess, BIG},
        {LONG, JET_bitRetrievePhysicalSize | JET_bitRetrieveCopy, 2, 0, 0, JET_errSuccess, 5},
        {VARIABLE, JET_bitRetrievePhysicalSize, 1, 0, 0, JET_errSuccess, 3},
        {LONG, JET_bitRetrievePhysicalSize | JET_bitRetrieveIgnoreDefault, 1, 0, 0, JET_errInvalidGrbit, 0},
        {LONG, JET_bitRetrievePhysicalSize, 1, 0, 10, JET_errInvalidParameter, 0},
        {LONG, JET_bitRetrievePhysicalSize, 1, 3, 0, JET_errInvalidParameter, 0},
        {LONG, JET_bitRetrieveLongId, 1, 0, 8, JET_errSuccess, 4},
        {LONG, JET_bitRetrieveLongId, 2, 0, 8, JET_wrnColumnNull, 0},
        {VARIABLE, JET_bitRetrieveLongId, 1, 0, 8, JET_wrnColumnNull, 0},
        {LONG, JET_bitRetrieveLongValueRefCount, 1, 0, 8, JET_errSuccess, 4},
        {LONG, JET_bitRetrieveLongValueRefCount, 1, 0, 3, JET_wrnBufferTruncated, 4},
        {LONG, 0x10000000, 1, 0, 8, JET_errInvalidGrbit, 0},
        {VARIABLE, JET_bitRetrieveTuple, 1, 0, 8, JET_errInvalidGrbit, 0},
        {VARIABLE, JET_bitRetrieveFromIndex | JET_bitRetrieveFromPrimaryBookmark, 1, 0, 8,
         JET_errInvalidGrbit, 0},
        {COLUMNS, 0, 0, 0, 8, JET_errBadItagSequence, 0},
        {LONG, 0, 0, 0, 8, JET_errBadItagSequence, 0},
        {LONG, 0, 3, 0, 8, JET_wrnColumnNull, 0},
        {LONG, 0, 1, BIG - 2, 8, JET_errSuccess, 2},
        {LONG, 0, 1, BIG + 2, 8, JET_errSuccess, 0},
        {LONG, 0, 2, 7, 8, JET_errSuccess, 0},
        {LONG, 0, 1, 0, 8, JET_wrnBufferTruncated, BIG},
        {LONG_DEFAULT, 0, 1, 0, 8, JET_errSuccess, 7},
        {LONG_DEFAULT, JET_bitRetrieveIgnoreDefault, 1, 0, 8, JET_wrnColumnNull, 0},
        {NUMBER, JET_bitRetrieveIgnoreDefault, 1, 0, 8, JET_errSuccess, 4},
        {COLUMNS, 0, 4, 0, 8, JET_wrnBufferTruncated, BIG}, /* after the three of "many" */
        {COLUMNS, 0, 6, 0, 8, JET_errSuccess, 7},           /* then the defaults */
        {COLUMNS, JET_bitRetrieveIgnoreDefault, 6, 0, 8, JET_wrnColumnNull, 0},
        {ESCROW, 0, 1, 0, 3, JET_errInvalidBufferSize, 4},
        {ENCRYPTED, 0, 1, 0, 8, JET_errColumnNoEncryptionKey, 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint8_t buffer[8];
        uint32_t actual = 0;
        JET_RETINFO info = {
            .cbStruct = sizeof(info), .ibLongValue = cases[i].offset, .itagSequence = cases[i].itag};
        const JET_COLUMNID id = cases[i].column == COLUMNS ? 0 : ids[cases[i].column];
        const JET_ERR err =
            JetRetrieveColumn(session, table, id, buffer, cases[i].max, &actual, cases[i].grbit, &info);
        if (err != cases[i].expected || (err >= JET_errSuccess && actual != cases[i].actual))
            fail_msg("case %zu: %d and %u bytes, not %d and %u", i, (int)err, (unsigned)actual,
                     (int)cases[i].expected, (unsigned)cases[i].actual);
    }
    uint8_t count[4] = {0};
    assert_int_equal(
        JetRetrieveColumn(session, table, ids[LONG], count, 4, NULL, JET_bitRetrieveLongValueRefCount, NULL),
        JET_errSuccess);
    assert_int_equal(count[0], 1);
    assert_int_equal(
        JetRetrieveColumn(session, table, ids[LONG], NULL, 0, NULL, JET_bitRetrievePhysicalSize, NULL),
        JET_errInvalidParameter);
    /* Who does not want to know the size need not. */
    uint8_t few[8];
    assert_int_equal(JetRetrieveColumn(session, table, ids[LONG], few, 8, NULL, 0, NULL),
                     JET_wrnBufferTruncated);
    assert_memory_equal(few, big, 8);
    assert_int_equal(JetRetrieveColumn(session, table, ids[FIXED], few, 8, NULL, 0, NULL), JET_wrnColumnNull);
    /* A row that is only made has no versions that an escrow column's value would have to be corrected by. */
    prepare(JET_prepInsert);
    assert_int_equal(JetRetrieveColumn(session, table, ids[ESCROW], few, 3, NULL, JET_bitRetrieveCopy, NULL),
                     JET_wrnBufferTruncated);
    prepare(JET_prepCancel);
    assert_int_equal(JetBeginTransaction(session), JET_errSuccess);
    for (int i = 0; i < 2; i++) {
        prepare(i == 0 ? JET_prepInsertCopy : JET_prepInsertCopyDeleteOriginal);
        assert_int_equal(
            JetRetrieveColumn(session, table, ids[ESCROW], few, 3, NULL, JET_bitRetrieveCopy, NULL),
            JET_wrnBufferTruncated);
        prepare(JET_prepCancel);
    }
    assert_int_equal(JetRollback(session, 0), JET_errSuccess);
    /* An update's own value has an id and a count before it is in the tree. */
    assert_int_equal(JetBeginTransaction(session), JET_errSuccess);
    prepare(JET_prepReplace);
    assert_int_equal(set(LONG, big, BIG - 1, 0), JET_errSuccess);
    assert_int_equal(JetRetrieveColumn(session, table, ids[LONG], count, 4, NULL,
                                       JET_bitRetrieveLongValueRefCount | JET_bitRetrieveCopy, NULL),
                     JET_errSuccess);
    assert_int_equal(count[0], 1);
    prepare(JET_prepCancel);
    assert_int_equal(JetRollback(session, 0), JET_errSuccess);
}

static void counts_of_values(void **state)
{
    const struct {
        int column;
        JET_GRBIT grbit;
        uint32_t first; /* of row 1 */
        uint32_t second;
    } cases[] = {
        {MANY, 0, 3, 0},
        {LONG, 0, 2, 0},
        {VARIABLE, 0, 1, 0},
        {FIXED, 0, 0, 0},
        {NUMBER, 0, 1, 1},
        {TAG_DEFAULT, 0, 1, 0}, /* not in the record: the default; null in the record: nothing */
        {TAG_DEFAULT, JET_bitRetrieveIgnoreDefault, 1, 0},
        {SHORT_TAG, 0, 0, 0},
        {COLUMNS, 0, 7, 0},
        {COLUMNS, JET_bitRetrieveIgnoreDefault, 5, 0},
        {COLUMNS, JET_bitRetrieveNull, 7, 2},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        for (int32_t row = 1; row <= 2; row++) {
            JET_RETRIEVECOLUMN one = {.columnid = cases[i].column == COLUMNS ? 0 : ids[cases[i].column],
                                      .grbit = cases[i].grbit};
            go_to(row);
            assert_int_equal(JetRetrieveColumns(session, table, &one, 1), JET_errSuccess);
            const uint32_t expected = row == 1 ? cases[i].first : cases[i].second;
            if (one.itagSequence != expected || one.cbActual != 0)
                fail_msg("case %zu, row %d: %u values, not %u", i, (int)row, (unsigned)one.itagSequence,
                         (unsigned)expected);
        }
    }
    JET_RETRIEVECOLUMN wrong = {.columnid = 127};
    assert_int_equal(JetRetrieveColumns(session, table, &wrong, 1), JET_errColumnNotFound);
    wrong = (JET_RETRIEVECOLUMN){.columnid = ids[MANY], .grbit = 0x10000000};
    assert_int_equal(JetRetrieveColumns(session, table, &wrong, 1), JET_errInvalidGrbit);
}

/* --- enumeration */

struct memory {
    int live;
    int made;
    int fail_at; /* 0: never */
};

static void *JET_API reallocate(void *context, void *block, uint32_t size)
{
    struct memory *memory = context;
    if (size == 0) {
        memory->live--;
        free(block);
        return NULL;
    }
    if (++memory->made == memory->fail_at)
        return NULL;
    memory->live += block == NULL;
    return realloc(block, size);
}

static void give_back(struct memory *memory, JET_ENUMCOLUMN *columns, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (columns[i].err == JET_wrnColumnSingleValue) {
            reallocate(memory, columns[i].pvData, 0);
            continue;
        }
        for (uint32_t j = 0; columns[i].rgEnumColumnValue != NULL && j < columns[i].cEnumColumnValue; j++) {
            if (columns[i].rgEnumColumnValue[j].pvData != NULL)
                reallocate(memory, columns[i].rgEnumColumnValue[j].pvData, 0);
        }
        if (columns[i].rgEnumColumnValue != NULL)
            reallocate(memory, columns[i].rgEnumColumnValue, 0);
    }
    reallocate(memory, columns, 0);
}

static void chosen_columns(void **state)
{
    struct memory memory = {0};
    uint32_t tags[] = {2, 1, 9};
    JET_ENUMCOLUMNID wanted[] = {
        {.columnid = ids[MANY]},
        {.columnid = 0},
        {.columnid = 127},
        {.columnid = ids[LONG], .ctagSequence = 3, .rgtagSequence = tags},
        {.columnid = ids[VARIABLE]},
        {.columnid = ids[FIXED]},
        {.columnid = ids[TAG_DEFAULT], .ctagSequence = 1, .rgtagSequence = tags},
        {.columnid = ids[NUMBER]},
    };
    const uint32_t wanted_count = sizeof(wanted) / sizeof(wanted[0]);
    JET_ENUMCOLUMN *columns = NULL;
    uint32_t count = 0;
    (void)state;
    assert_int_equal(JetEnumerateColumns(session, table, wanted_count, wanted, &count, &columns, reallocate,
                                         &memory, 100, JET_bitEnumerateCompressOutput),
                     JET_errSuccess);
    assert_int_equal(count, wanted_count);
    assert_int_equal(columns[0].err, JET_errSuccess);
    assert_int_equal(columns[0].cEnumColumnValue, 3);
    assert_int_equal(*(int32_t *)columns[0].rgEnumColumnValue[2].pvData, 7);
    assert_int_equal(columns[1].err, JET_wrnColumnSkipped);
    assert_int_equal(columns[2].err, JET_errColumnNotFound);
    assert_int_equal(columns[3].cEnumColumnValue, 3);
    assert_int_equal(columns[3].rgEnumColumnValue[0].cbData, 5); /* value 2 */
    assert_int_equal(columns[3].rgEnumColumnValue[1].err, JET_wrnColumnTruncated);
    assert_int_equal(columns[3].rgEnumColumnValue[1].cbData, 100);
    assert_int_equal(columns[3].rgEnumColumnValue[2].err, JET_wrnColumnNull);
    assert_int_equal(columns[4].err, JET_wrnColumnSingleValue);
    assert_int_equal(columns[4].cbData, 3);
    assert_int_equal(columns[5].err, JET_wrnColumnNull);
    assert_int_equal(columns[6].rgEnumColumnValue[0].err,
                     JET_wrnColumnNull); /* a default has one value only */
    assert_int_equal(columns[7].err, JET_wrnColumnSingleValue);
    give_back(&memory, columns, count);
    assert_int_equal(memory.live, 0);

    assert_int_equal(JetEnumerateColumns(session, table, wanted_count, wanted, &count, &columns, reallocate,
                                         &memory, 100, JET_bitEnumeratePresenceOnly),
                     JET_errSuccess);
    assert_int_equal(columns[0].err, JET_wrnColumnPresent);
    assert_int_equal(columns[5].err, JET_wrnColumnNull);
    give_back(&memory, columns, count);

    assert_int_equal(JetEnumerateColumns(session, table, 0, NULL, &count, &columns, reallocate, &memory, 100,
                                         JET_bitEnumerateInRecordOnly | JET_bitEnumerateTaggedOnly |
                                             JET_bitEnumerateIgnoreDefault),
                     JET_errSuccess);
    assert_int_equal(count, 2); /* "many" and "long" */
    assert_int_equal(columns[1].rgEnumColumnValue[0].err, JET_wrnColumnNotInRecord);
    assert_int_equal(columns[1].rgEnumColumnValue[1].cbData, 5);
    give_back(&memory, columns, count);
    assert_int_equal(memory.live, 0);
    /* Every allocation of the program's can fail. */
    for (int nth = 1;; nth++) {
        memory = (struct memory){.fail_at = nth};
        columns = NULL;
        const JET_ERR err = JetEnumerateColumns(session, table, wanted_count, wanted, &count, &columns,
                                                reallocate, &memory, 100, JET_bitEnumerateCompressOutput);
        if (err == JET_errSuccess) {
            assert_true(nth > 8);
            give_back(&memory, columns, count);
            break;
        }
        assert_int_equal(err, JET_errOutOfMemory);
        assert_int_equal(memory.live, 0);
        assert_null(columns);
    }
    assert_int_equal(memory.live, 0);
}

static void wrong_enumerations(void **state)
{
    struct memory memory = {0};
    JET_ENUMCOLUMN *columns = NULL;
    uint32_t count = 0;
    (void)state;
    assert_int_equal(JetEnumerateColumns(session, table, 0, NULL, NULL, &columns, reallocate, &memory, 0, 0),
                     JET_errInvalidParameter);
    assert_int_equal(JetEnumerateColumns(session, table, 0, NULL, &count, NULL, reallocate, &memory, 0, 0),
                     JET_errInvalidParameter);
    assert_int_equal(JetEnumerateColumns(session, table, 0, NULL, &count, &columns, NULL, &memory, 0, 0),
                     JET_errInvalidParameter);
    assert_int_equal(
        JetEnumerateColumns(session, table, 0, NULL, &count, &columns, reallocate, &memory, 0, 0x40),
        JET_errInvalidGrbit);
    assert_int_equal(memory.made, 0);
}

static void sizes_of_records(void **state)
{
    JET_RECSIZE2 plain = {0};
    JET_RECSIZE2 local = {0};
    JET_RECSIZE2 twice = {0};
    (void)state;
    assert_int_equal(JetGetRecordSize2(session, table, &plain, 0x40), JET_errInvalidGrbit);
    assert_int_equal(JetGetRecordSize2(session, table, &plain, JET_bitRecordSizeInCopyBuffer),
                     JET_errUpdateNotPrepared);
    assert_int_equal(JetGetRecordSize2(session, table, &plain, 0), JET_errSuccess);
    assert_int_equal(plain.cLongValues, 1);
    assert_int_equal(plain.cbLongValueData, BIG);
    assert_int_equal(plain.cMultiValues, 3);
    assert_int_equal(plain.cTaggedColumns, 2);
    assert_int_equal(JetGetRecordSize2(session, table, &local, JET_bitRecordSizeLocal), JET_errSuccess);
    assert_int_equal(local.cbLongValueData, 0);
    assert_int_equal(local.cbLongValueOverhead, 0);
    assert_int_equal(local.cbData, plain.cbData);
    twice = plain;
    assert_int_equal(JetGetRecordSize2(session, table, &twice, JET_bitRecordSizeRunningTotal),
                     JET_errSuccess);
    assert_int_equal(twice.cbData, 2 * plain.cbData);
    assert_int_equal(twice.cbLongValueData, 2 * BIG);
    prepare(JET_prepReplace);
    assert_int_equal(set(VARIABLE, "abcdef", 6, 0), JET_errSuccess);
    assert_int_equal(JetGetRecordSize2(session, table, &local, JET_bitRecordSizeInCopyBuffer),
                     JET_errSuccess);
    assert_int_equal(local.cbData, plain.cbData + 3);
    prepare(JET_prepCancel);
}

static void lists_of_tagged_columns(void **state)
{
    JET_RETRIEVEMULTIVALUECOUNT list[8];
    uint32_t count = 0;
    (void)state;
    assert_int_equal(JetRetrieveTaggedColumnList(session, table, &count, list, sizeof(list), 0, 0),
                     JET_errSuccess);
    assert_int_equal(count, 4); /* two with values, two with defaults */
    assert_int_equal(list[0].cMultiValues, 3);
    assert_int_equal(JetRetrieveTaggedColumnList(session, table, &count, list, sizeof(list), ids[LONG],
                                                 JET_bitRetrieveIgnoreDefault),
                     JET_errSuccess);
    assert_int_equal(count, 1);
    assert_int_equal(list[0].columnid, ids[LONG]);
    assert_true(list[0].fLongValue);
    assert_int_equal(JetRetrieveTaggedColumnList(session, table, &count, list, sizeof(list[0]), 0, 0),
                     JET_errSuccess);
    assert_int_equal(count, 1);
    go_to(2);
    assert_int_equal(JetRetrieveTaggedColumnList(session, table, &count, list, sizeof(list), 0, 0),
                     JET_errSuccess);
    assert_int_equal(count, 2); /* nulls that hide defaults */
    assert_true(list[0].fNullOverride);
    assert_int_equal(list[0].cMultiValues, 0);
}

/* --- changes */

static void kinds_of_long_changes(void **state)
{
    static uint8_t expected[BIG * 2];
    static uint8_t buffer[BIG * 2];
    const struct {
        const char *before; /* NULL: null */
        JET_GRBIT grbit;
        const char *value;
        uint32_t size;
        uint32_t offset;
        JET_ERR expected;
        const char *after; /* NULL: null; only if it succeeds */
    } cases[] = {
        {"abc", 0, "xy", 2, 0, JET_errSuccess, "xy"},
        {"abc", JET_bitSetAppendLV, "xy", 2, 0, JET_errSuccess, "abcxy"},
        {"abc", JET_bitSetAppendLV, NULL, 0, 0, JET_errSuccess, "abc"},
        {NULL, JET_bitSetAppendLV, "xy", 2, 0, JET_errSuccess, "xy"},
        {NULL, JET_bitSetAppendLV, NULL, 0, 0, JET_errSuccess, ""},
        {"abc", JET_bitSetOverwriteLV, "xy", 2, 1, JET_errSuccess, "axy"},
        {"abc", JET_bitSetOverwriteLV, "x", 1, 1, JET_errSuccess, "axc"},
        {"abc", JET_bitSetOverwriteLV, "xy", 2, 3, JET_errSuccess, "abcxy"},
        {"abc", JET_bitSetOverwriteLV, "xy", 2, 4, JET_errColumnNoChunk, NULL},
        {"abc", JET_bitSetOverwriteLV, NULL, 0, 0, JET_errSuccess, "abc"},
        {NULL, JET_bitSetOverwriteLV, "xy", 2, 0, JET_errSuccess, "xy"},
        {NULL, JET_bitSetOverwriteLV, NULL, 0, 0, JET_errSuccess, ""},
        {NULL, JET_bitSetOverwriteLV, "xy", 2, 1, JET_errColumnNoChunk, NULL},
        {"abc", JET_bitSetSizeLV, NULL, 2, 0, JET_errSuccess, "ab"},
        {"abc", JET_bitSetSizeLV, NULL, 0, 0, JET_errSuccess, NULL},
        {"abc", JET_bitSetSizeLV | JET_bitSetZeroLength, NULL, 0, 0, JET_errSuccess, ""},
        {"abc", JET_bitSetSizeLV | JET_bitSetZeroLength, NULL, 1, 0, JET_errSuccess, "a"},
        {"abc", JET_bitSetSizeLV | JET_bitSetOverwriteLV, "x", 1, 1, JET_errSuccess, "ax"},
        {"abc", JET_bitSetSizeLV | JET_bitSetOverwriteLV, NULL, 0, 0, JET_errSuccess, NULL},
        {NULL, JET_bitSetSizeLV | JET_bitSetOverwriteLV, "x", 1, 0, JET_errSuccess, "x"},
        {NULL, JET_bitSetSizeLV | JET_bitSetOverwriteLV, "x", 1, 1, JET_errColumnNoChunk, NULL},
        {"abc", JET_bitSetZeroLength, NULL, 0, 0, JET_errSuccess, ""},
        {"abc", 0, NULL, 0, 0, JET_errSuccess, NULL},
        {"abc", JET_bitSetContiguousLV, "x", 1, 0, JET_errInvalidGrbit, NULL},
        {"abc", JET_bitSetContiguousLV | JET_bitSetSeparateLV, "x", 1, 0, JET_errInvalidBufferSize, NULL},
        {"abc", JET_bitSetUniqueMultiValues | JET_bitSetAppendLV, "x", 1, 0, JET_errInvalidGrbit, NULL},
        {"abc", 0x10000000, "x", 1, 0, JET_errInvalidGrbit, NULL},
        {"abc", 0, "x", 0x80000000, 0, JET_errInvalidParameter, NULL},
    };
    (void)state;
    assert_int_equal(JetBeginTransaction(session), JET_errSuccess);
    /* The same with a value in the row and with one that has gone out. */
    for (int separate = 0; separate < 2; separate++) {
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
            const uint32_t lead = separate != 0 && cases[i].before != NULL ? BIG : 0;
            uint32_t actual = 0;
            prepare(JET_prepReplace);
            memcpy(buffer, big, lead);
            if (cases[i].before != NULL)
                memcpy(buffer + lead, cases[i].before, strlen(cases[i].before));
            assert_int_equal(set(PLAIN_LONG, cases[i].before == NULL ? NULL : buffer,
                                 lead + (cases[i].before == NULL ? 0 : (uint32_t)strlen(cases[i].before)), 0),
                             JET_errSuccess);
            if (separate != 0) { /* it is in its tree by then */
                update();
                prepare(JET_prepReplace);
            }
            const bool resizes =
                (cases[i].grbit & JET_bitSetSizeLV) != 0 && (cases[i].grbit & JET_bitSetOverwriteLV) == 0;
            const bool places = (cases[i].grbit & JET_bitSetOverwriteLV) != 0;
            const JET_ERR err = set_with(PLAIN_LONG, cases[i].value,
                                         cases[i].size + (resizes && cases[i].size > 0 ? lead : 0),
                                         cases[i].grbit, 1, cases[i].offset + (places ? lead : 0));
            if (err != cases[i].expected)
                fail_msg("case %zu: %d, not %d", i, (int)err, (int)cases[i].expected);
            const JET_ERR got = JetRetrieveColumn(session, table, ids[PLAIN_LONG], buffer, sizeof(buffer),
                                                  &actual, JET_bitRetrieveCopy, NULL);
            if (err >= JET_errSuccess) {
                const bool keeps =
                    cases[i].after != NULL &&
                    (cases[i].grbit & (JET_bitSetAppendLV | JET_bitSetOverwriteLV | JET_bitSetSizeLV)) != 0;
                const uint32_t kept = keeps && !(resizes && cases[i].size == 0) ? lead : 0;
                assert_int_equal(got, cases[i].after == NULL ? JET_wrnColumnNull : JET_errSuccess);
                memcpy(expected, big, kept);
                if (cases[i].after != NULL)
                    memcpy(expected + kept, cases[i].after, strlen(cases[i].after));
                const uint32_t size = kept + (cases[i].after == NULL ? 0 : (uint32_t)strlen(cases[i].after));
                if (actual != size || memcmp(buffer, expected, size) != 0)
                    fail_msg("case %zu (%d): %u bytes, not %u", i, separate, (unsigned)actual,
                             (unsigned)size);
            }
            prepare(JET_prepCancel);
        }
    }
    assert_int_equal(JetRollback(session, 0), JET_errSuccess);
}

static void limits_of_columns(void **state)
{
    uint8_t text[20];
    uint32_t actual = 0;
    (void)state;
    assert_int_equal(JetBeginTransaction(session), JET_errSuccess);
    prepare(JET_prepReplace);
    /* zeros that are made from nothing */
    assert_int_equal(set(SHORT_LONG, NULL, 4, JET_bitSetSizeLV), JET_errSuccess);
    assert_int_equal(JetRetrieveColumn(session, table, ids[SHORT_LONG], text, sizeof(text), &actual,
                                       JET_bitRetrieveCopy, NULL),
                     JET_errSuccess);
    assert_int_equal(actual, 4);
    assert_memory_equal(text, "\0\0\0\0", 4);
    assert_int_equal(set(SHORT_LONG, big, 21, 0), JET_errColumnTooBig);
    assert_int_equal(set(SHORT_LONG, big, 20, 0), JET_errSuccess);
    assert_int_equal(set(SHORT_LONG, big, 1, JET_bitSetAppendLV), JET_errColumnTooBig);
    assert_int_equal(set(PLAIN_LONG, "abc", 3, 0), JET_errSuccess);
    assert_int_equal(set(PLAIN_LONG, big, 0x7fffffff, JET_bitSetAppendLV), JET_errColumnTooBig);
    assert_int_equal(set(PLAIN_LONG, NULL, 0, 0), JET_errSuccess);
    assert_int_equal(set(PLAIN_LONG, NULL, 3, JET_bitSetSizeLV | JET_bitSetZeroLength), JET_errSuccess);
    assert_int_equal(JetRetrieveColumn(session, table, ids[PLAIN_LONG], text, sizeof(text), &actual,
                                       JET_bitRetrieveCopy, NULL),
                     JET_errSuccess);
    assert_int_equal(actual, 3);
    assert_int_equal(set(PLAIN_LONG, big, BIG, JET_bitSetContiguousLV | JET_bitSetSeparateLV),
                     JET_errInvalidBufferSize);
    assert_int_equal(set(VARIABLE, big, 11, 0), JET_wrnColumnMaxTruncated);
    assert_int_equal(set(SHORT_TAG, big, 6, 0), JET_errColumnTooBig);
    assert_int_equal(set(FIXED, big, 4, 0), JET_errInvalidBufferSize);
    assert_int_equal(set(NUMBER, big, 3, 0), JET_errInvalidBufferSize);
    assert_int_equal(set(MANY, big, 3, 0), JET_errInvalidBufferSize);
    assert_int_equal(set(MANY, big, 5, 0), JET_errColumnTooBig);
    assert_int_equal(set(ENCRYPTED, big, 5, 0), JET_errColumnNoEncryptionKey);
    /* shorter values of fixed columns are filled up, by characters */
    assert_int_equal(set(WIDE, "a\0b\0", 4, 0), JET_errSuccess);
    assert_int_equal(
        JetRetrieveColumn(session, table, ids[WIDE], text, sizeof(text), &actual, JET_bitRetrieveCopy, NULL),
        JET_errSuccess);
    assert_int_equal(actual, 8);
    assert_memory_equal(text, "a\0b\0 \0 \0", 8);
    assert_int_equal(set(FIXED, "x", 1, 0), JET_errSuccess);
    assert_int_equal(
        JetRetrieveColumn(session, table, ids[FIXED], text, sizeof(text), &actual, JET_bitRetrieveCopy, NULL),
        JET_errSuccess);
    assert_memory_equal(text, "x\0\0", 3);
    prepare(JET_prepCancel);
    assert_int_equal(JetRollback(session, 0), JET_errSuccess);
}

static void escrow(void **state)
{
    const int32_t delta = 3;
    const int64_t wide = -8;
    int32_t old = 9;
    int64_t wide_old = 9;
    uint32_t size = 0;
    (void)state;
    assert_int_equal(
        JetEscrowUpdate(session, table, ids[ESCROW], (void *)(uintptr_t)&delta, 4, NULL, 0, NULL, 0),
        JET_errNotInTransaction);
    assert_int_equal(JetBeginTransaction(session), JET_errSuccess);
    const struct {
        int column;
        const void *delta;
        uint32_t size;
        void *old;
        uint32_t old_max;
        JET_ERR expected;
    } cases[] = {
        {ESCROW, &wide, 8, NULL, 0, JET_errInvalidBufferSize},
        {ESCROW, NULL, 4, NULL, 0, JET_errInvalidBufferSize},
        {ESCROW, &delta, 4, &old, 3, JET_errInvalidBufferSize},
        {ID, &delta, 4, NULL, 0, JET_errInvalidOperation},
        {ESCROW, &delta, 4, &old, 4, JET_errSuccess},
        {ESCROW, &delta, 4, NULL, 4, JET_errSuccess},
        {ESCROW, &delta, 4, &old, 0, JET_errSuccess},
        {ESCROW_WIDE, &wide, 8, &wide_old, 8, JET_errSuccess},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const JET_ERR err =
            JetEscrowUpdate(session, table, ids[cases[i].column], (void *)(uintptr_t)cases[i].delta,
                            cases[i].size, cases[i].old, cases[i].old_max, &size, 0);
        if (err != cases[i].expected)
            fail_msg("case %zu: %d, not %d", i, (int)err, (int)cases[i].expected);
    }
    assert_int_equal(old, 0);
    assert_int_equal(wide_old, 0);
    assert_int_equal(size, 8);
    assert_int_equal(JetRetrieveColumn(session, table, ids[ESCROW], &old, 4, NULL, 0, NULL), JET_errSuccess);
    assert_int_equal(old, 9);
    prepare(JET_prepReplace);
    assert_int_equal(
        JetEscrowUpdate(session, table, ids[ESCROW], (void *)(uintptr_t)&delta, 4, NULL, 0, NULL, 0),
        JET_errAlreadyPrepared);
    prepare(JET_prepCancel);
    assert_int_equal(JetDelete(session, table), JET_errSuccess);
    assert_int_equal(
        JetEscrowUpdate(session, table, ids[ESCROW], (void *)(uintptr_t)&delta, 4, NULL, 0, NULL, 0),
        JET_errRecordDeleted);
    assert_int_equal(JetCommitTransaction(session, 0), JET_errSuccess);
}

int main(int argc, char **argv)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, start, api_world_end)
    const struct CMUnitTest tests[] = {
        CASE(options_of_retrievals), CASE(counts_of_values),  CASE(chosen_columns),
        CASE(wrong_enumerations),    CASE(sizes_of_records),  CASE(lists_of_tagged_columns),
        CASE(kinds_of_long_changes), CASE(limits_of_columns), CASE(escrow),
    };
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
