/* JetSetCursorFilter: which filters are refused, and which rows pass which (engine source: `rec.cxx`). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/api_world.h"

#define ROW(n) (1u << (n))

static JET_TABLEID table;

enum { ID, NUMBER, BYTES, BIT, GUID, WIDE, TEXT, LONG, TAGS, COLUMNS };
static const struct {
    const char *name;
    uint32_t type;
    JET_GRBIT grbit;
} shape[COLUMNS] = {
    {"id", JET_coltypLong, JET_bitColumnFixed},
    {"number", JET_coltypShort, 0},
    {"bytes", JET_coltypBinary, 0},
    {"bit", JET_coltypBit, 0},
    {"guid", JET_coltypGUID, 0},
    {"wide", JET_coltypLongLong, 0},
    {"text", JET_coltypText, 0},
    {"long", JET_coltypLongBinary, 0},
    {"tags", JET_coltypShort, JET_bitColumnTagged | JET_bitColumnMultiValued},
};
static JET_COLUMNID ids[COLUMNS];

static void set(int column, const void *value, uint32_t size, JET_GRBIT grbit)
{
    assert_int_equal(JetSetColumn(session, table, ids[column], value, size, grbit, NULL), JET_errSuccess);
}

static void row(int32_t id, const int16_t *number, const char *bytes, const uint8_t *bit)
{
    assert_int_equal(JetPrepareUpdate(session, table, JET_prepInsert), JET_errSuccess);
    set(ID, &id, 4, 0);
    if (number != NULL) {
        set(NUMBER, number, 2, 0);
        set(TAGS, number, 2, 0);
    }
    if (bytes != NULL)
        set(BYTES, bytes, (uint32_t)strlen(bytes), JET_bitSetZeroLength);
    if (bit != NULL)
        set(BIT, bit, 1, 0);
    assert_int_equal(JetUpdate(session, table, NULL, 0, NULL), JET_errSuccess);
}

static int start(void **state)
{
    const int16_t minus = -5;
    const int16_t three = 3;
    const int16_t seven = 7;
    const uint8_t yes = 5; /* any value but 0 */
    const uint8_t no = 0;
    JET_DBID database;
    (void)state;
    assert_true(api_world_start(true));
    assert_int_equal(JetCreateDatabaseA(session, "f.edb", NULL, &database, 0), JET_errSuccess);
    assert_int_equal(JetCreateTableA(session, database, "t", 0, 80, &table), JET_errSuccess);
    for (int i = 0; i < COLUMNS; i++) {
        const JET_COLUMNDEF definition = {
            .cbStruct = sizeof(definition), .coltyp = shape[i].type, .grbit = shape[i].grbit};
        assert_int_equal(JetAddColumnA(session, table, shape[i].name, &definition, NULL, 0, &ids[i]),
                         JET_errSuccess);
    }
    assert_int_equal(JetCreateIndexA(session, table, "pk", JET_bitIndexPrimary, "+id\0", 5, 80),
                     JET_errSuccess);
    assert_int_equal(JetCreateIndexA(session, table, "x", 0, "+number\0", 9, 80), JET_errSuccess);
    row(1, &minus, "ab", &yes);
    row(2, &three, "abc", &no);
    row(3, &three, NULL, NULL);
    row(4, NULL, "", &yes);
    row(5, &seven, "b", &no);
    return 0;
}

static JET_ERR filter(int column, JET_RELOP relation, const void *value, uint32_t size, JET_GRBIT grbit)
{
    JET_INDEX_COLUMN condition = {.columnid = ids[column],
                                  .relop = relation,
                                  .pv = (void *)(uintptr_t)value,
                                  .cb = size,
                                  .grbit = grbit};
    return JetSetCursorFilter(session, table, &condition, 1, 0);
}

/* A bit for each row that is met, going forward or back. */
static unsigned rows_met(bool back)
{
    unsigned met = 0;
    JET_ERR err = JetMove(session, table, back ? JET_MoveLast : (int32_t)JET_MoveFirst, 0);
    while (err == JET_errSuccess) {
        int32_t id = 0;
        assert_int_equal(JetRetrieveColumn(session, table, ids[ID], &id, sizeof(id), NULL, 0, NULL),
                         JET_errSuccess);
        met |= ROW(id);
        err = JetMove(session, table, back ? JET_MovePrevious : JET_MoveNext, 0);
    }
    assert_int_equal(err, JET_errNoCurrentRecord);
    return met;
}

static void refused(void **state)
{
    const int16_t three = 3;
    const uint8_t many[16] = {0};
    const struct {
        int column;
        JET_RELOP relation;
        const void *value;
        uint32_t size;
        JET_GRBIT grbit;
        JET_ERR expected;
    } cases[] = {
        {TEXT, JET_relopEquals, "a", 1, 0, JET_errFilteredMoveNotSupported},
        {TEXT, JET_relopEquals, NULL, 0, 0, JET_errFilteredMoveNotSupported},
        {LONG, JET_relopEquals, "a", 1, 0, JET_errFilteredMoveNotSupported},
        {NUMBER, JET_relopPrefixEquals, &three, 2, 0, JET_errInvalidParameter},
        {NUMBER, JET_relopEquals, NULL, 0, JET_bitZeroLength, JET_errInvalidParameter},
        {BYTES, JET_relopPrefixEquals, NULL, 0, 0, JET_errInvalidParameter},
        {NUMBER, JET_relopBitmaskEqualsZero, NULL, 0, 0, JET_errInvalidParameter},
        {NUMBER, JET_relopBitmaskNotEqualsZero, NULL, 0, 0, JET_errInvalidParameter},
        {NUMBER, JET_relopEquals, many, 4, 0, JET_errInvalidParameter},
        {NUMBER, JET_relopEquals, NULL, 2, 0, JET_errInvalidParameter},
        {BYTES, JET_relopBitmaskEqualsZero, many, 2, 0, JET_errInvalidParameter},
        {BIT, JET_relopBitmaskNotEqualsZero, many, 1, 0, JET_errInvalidParameter},
        {GUID, JET_relopBitmaskNotEqualsZero, many, 16, 0, JET_errInvalidParameter},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        /* The one before does not outlive a refused one. */
        assert_int_equal(filter(NUMBER, JET_relopEquals, &three, 2, 0), JET_errSuccess);
        const JET_ERR err =
            filter(cases[i].column, cases[i].relation, cases[i].value, cases[i].size, cases[i].grbit);
        if (err != cases[i].expected)
            fail_msg("case %zu: %d, not %d", i, (int)err, (int)cases[i].expected);
        assert_int_equal(rows_met(false), ROW(1) | ROW(2) | ROW(3) | ROW(4) | ROW(5));
    }
    assert_int_equal(JetSetCursorFilter(session, table, NULL, 1, 0), JET_errInvalidParameter);
    assert_int_equal(JetSetCursorFilter(session, table, NULL, 0, 1), JET_errInvalidGrbit);
    assert_int_equal(JetSetCursorFilter(session, table, NULL, 0, 0), JET_errSuccess);
    JET_INDEX_COLUMN unknown = {.columnid = 100, .relop = JET_relopEquals};
    assert_int_equal(JetSetCursorFilter(session, table, &unknown, 1, 0), JET_errColumnNotFound);
    /* Indexes and filters exclude each other. */
    assert_int_equal(filter(NUMBER, JET_relopEquals, &three, 2, 0), JET_errSuccess);
    assert_int_equal(JetSetCurrentIndexA(session, table, "x"), JET_errFilteredMoveNotSupported);
    assert_int_equal(JetMove(session, table, 0, 0), JET_errFilteredMoveNotSupported);
    assert_int_equal(JetSetCursorFilter(session, table, NULL, 0, 0), JET_errSuccess);
    assert_int_equal(JetSetCurrentIndexA(session, table, "x"), JET_errSuccess);
    assert_int_equal(filter(NUMBER, JET_relopEquals, &three, 2, 0), JET_errFilteredMoveNotSupported);
}

static void passes(void **state)
{
    const int16_t three = 3;
    const int16_t five = 5;
    const int16_t four = 4;
    const uint8_t yes = 9;
    const int64_t wide = 0;
    const unsigned all = ROW(1) | ROW(2) | ROW(3) | ROW(4) | ROW(5);
    const struct {
        int column;
        uint32_t relation;
        const void *value;
        uint32_t size;
        JET_GRBIT grbit;
        unsigned rows;
    } cases[] = {
        {NUMBER, JET_relopEquals, &three, 2, 0, ROW(2) | ROW(3)},
        {TAGS, JET_relopEquals, &three, 2, 0, ROW(2) | ROW(3)},
        {NUMBER, JET_relopNotEquals, &three, 2, 0, ROW(1) | ROW(4) | ROW(5)},
        {NUMBER, JET_relopLessThan, &three, 2, 0, ROW(1) | ROW(4)},
        {NUMBER, JET_relopLessThanOrEqual, &three, 2, 0, all & ~ROW(5)},
        {NUMBER, JET_relopGreaterThan, &three, 2, 0, ROW(5)},
        {NUMBER, JET_relopGreaterThanOrEqual, &three, 2, 0, ROW(2) | ROW(3) | ROW(5)},
        {NUMBER, JET_relopGreaterThan, &five, 2, 0, ROW(5)},
        /* -5 is ...11111011: it has bit 2 not, 3 has bits 0 and 1, 7 all three. */
        {NUMBER, JET_relopBitmaskEqualsZero, &four, 2, 0, all & ~ROW(5)},
        {NUMBER, JET_relopBitmaskNotEqualsZero, &four, 2, 0, ROW(5)},
        {NUMBER, 9, &three, 2, 0, all},
        /* null */
        {NUMBER, JET_relopEquals, NULL, 0, 0, ROW(4)},
        {NUMBER, JET_relopNotEquals, NULL, 0, 0, all & ~ROW(4)},
        {NUMBER, JET_relopLessThan, NULL, 0, 0, 0},
        {NUMBER, JET_relopLessThanOrEqual, NULL, 0, 0, ROW(4)},
        {NUMBER, JET_relopGreaterThan, NULL, 0, 0, all & ~ROW(4)},
        {NUMBER, JET_relopGreaterThanOrEqual, NULL, 0, 0, all},
        {WIDE, JET_relopBitmaskEqualsZero, &wide, 8, 0, all},
        {WIDE, JET_relopBitmaskNotEqualsZero, &wide, 8, 0, 0},
        /* bytes: no order of keys, but of bytes */
        {BYTES, JET_relopEquals, "ab", 2, 0, ROW(1)},
        {BYTES, JET_relopPrefixEquals, "ab", 2, 0, ROW(1) | ROW(2)},
        {BYTES, JET_relopPrefixEquals, "ac", 2, 0, 0},
        {BYTES, JET_relopLessThan, "abc", 3, 0, ROW(1) | ROW(3) | ROW(4)},
        {BYTES, JET_relopGreaterThanOrEqual, "abc", 3, 0, ROW(2) | ROW(5)},
        {BYTES, JET_relopEquals, NULL, 0, JET_bitZeroLength, ROW(4)},
        {BYTES, JET_relopEquals, NULL, 0, 0, ROW(3)},
        {BIT, JET_relopEquals, &yes, 1, 0, ROW(1) | ROW(4)},
        {BIT, JET_relopNotEquals, &yes, 1, 0, ROW(2) | ROW(3) | ROW(5)},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const JET_ERR err = filter(cases[i].column, (JET_RELOP)cases[i].relation, cases[i].value,
                                   cases[i].size, cases[i].grbit);
        if (err != JET_errSuccess)
            fail_msg("case %zu: %d", i, (int)err);
        if (rows_met(false) != cases[i].rows || rows_met(true) != cases[i].rows)
            fail_msg("case %zu: rows %x forward, %x back, not %x", i, rows_met(false), rows_met(true),
                     cases[i].rows);
    }
}

static void several_and_seeks(void **state)
{
    const int16_t three = 3;
    int32_t id = 2;
    JET_INDEX_COLUMN both[2] = {
        {.columnid = ids[NUMBER], .relop = JET_relopEquals, .pv = (void *)(uintptr_t)&three, .cb = 2},
        {.columnid = ids[BYTES], .relop = JET_relopEquals},
    };
    (void)state;
    assert_int_equal(JetSetCursorFilter(session, table, both, 2, 0), JET_errSuccess);
    assert_int_equal(rows_met(false), ROW(3));
    /* A search for what is equal does not ask the filter, others go on to what passes. */
    const struct {
        JET_GRBIT grbit;
        int32_t from;
        JET_ERR expected;
        int32_t found;
    } cases[] = {
        {JET_bitSeekEQ, 2, JET_errSuccess, 2},        {JET_bitSeekGE, 1, JET_wrnSeekNotEqual, 3},
        {JET_bitSeekGE, 3, JET_errSuccess, 3},        {JET_bitSeekGT, 1, JET_errSuccess, 3},
        {JET_bitSeekLE, 5, JET_wrnSeekNotEqual, 3},   {JET_bitSeekLT, 5, JET_errSuccess, 3},
        {JET_bitSeekGT, 3, JET_errRecordNotFound, 0}, {JET_bitSeekLT, 3, JET_errRecordNotFound, 0},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(JetMakeKey(session, table, &cases[i].from, 4, JET_bitNewKey), JET_errSuccess);
        const JET_ERR err = JetSeek(session, table, cases[i].grbit);
        if (err != cases[i].expected)
            fail_msg("case %zu: %d, not %d", i, (int)err, (int)cases[i].expected);
        if (err < JET_errSuccess)
            continue;
        assert_int_equal(JetRetrieveColumn(session, table, ids[ID], &id, sizeof(id), NULL, 0, NULL),
                         JET_errSuccess);
        assert_int_equal(id, cases[i].found);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(refused, start, api_world_end),
        cmocka_unit_test_setup_teardown(passes, start, api_world_end),
        cmocka_unit_test_setup_teardown(several_and_seeks, start, api_world_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
