/* Where cursors are: keys, bookmarks, positions, ranges, counts, and temporary tables in their phases; what
 * the published engine (`rec.cxx`, `fldnorm.cxx`, `sortapi.cxx`, `stats.cxx`) answers to each. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/api_world.h"

#define CASES(array) (sizeof(array) / sizeof((array)[0]))
#define ROWS 9

static JET_DBID database;
static JET_TABLEID table;
static JET_COLUMNID ids[6];

static int start(void **state)
{
    static const struct {
        const char *name;
        uint32_t type;
        JET_GRBIT grbit;
        uint16_t code_page;
        uint32_t max;
    } shape[6] = {
        {"id", JET_coltypLong, JET_bitColumnFixed, 0, 0},
        {"group", JET_coltypLong, JET_bitColumnFixed, 0, 0},
        {"text", JET_coltypText, 0, 1252, 0},
        {"wide", JET_coltypText, JET_bitColumnFixed, 1200, 8},
        {"bytes", JET_coltypBinary, 0, 0, 0},
        {"piece", JET_coltypText, 0, 1200, 0},
    };
    (void)state;
    assert_true(api_world_start(true));
    assert_int_equal(JetCreateDatabaseA(session, "p.edb", NULL, &database, 0), JET_errSuccess);
    assert_int_equal(JetCreateTableA(session, database, "t", 0, 80, &table), JET_errSuccess);
    for (int i = 0; i < 6; i++) {
        const JET_COLUMNDEF definition = {.cbStruct = sizeof(definition),
                                          .coltyp = shape[i].type,
                                          .grbit = shape[i].grbit,
                                          .cp = shape[i].code_page,
                                          .cbMax = shape[i].max};
        assert_int_equal(JetAddColumnA(session, table, shape[i].name, &definition, NULL, 0, &ids[i]),
                         JET_errSuccess);
    }
    assert_int_equal(JetCreateIndexA(session, table, "pk", JET_bitIndexPrimary, "+id\0", 5, 80),
                     JET_errSuccess);
    assert_int_equal(JetCreateIndexA(session, table, "group", 0, "+group\0", 8, 80), JET_errSuccess);
    assert_int_equal(JetCreateIndexA(session, table, "text", JET_bitIndexUnique, "+text\0", 7, 80),
                     JET_errSuccess);
    assert_int_equal(JetCreateIndexA(session, table, "wide", 0, "+wide\0", 7, 80), JET_errSuccess);
    assert_int_equal(JetCreateIndexA(session, table, "bytes", 0, "+bytes\0", 8, 80), JET_errSuccess);
    assert_int_equal(JetCreateIndexA(session, table, "piece", JET_bitIndexTuples, "+piece\0", 8, 80),
                     JET_errSuccess);
    assert_int_equal(JetBeginTransaction(session), JET_errSuccess);
    for (int32_t id = 1; id <= ROWS; id++) {
        const int32_t group = (id - 1) / 3;
        const char text[2] = {'t', (char)('0' + id)};
        assert_int_equal(JetPrepareUpdate(session, table, JET_prepInsert), JET_errSuccess);
        assert_int_equal(JetSetColumn(session, table, ids[0], &id, 4, 0, NULL), JET_errSuccess);
        assert_int_equal(JetSetColumn(session, table, ids[1], &group, 4, 0, NULL), JET_errSuccess);
        assert_int_equal(JetSetColumn(session, table, ids[2], text, 2, 0, NULL), JET_errSuccess);
        assert_int_equal(JetSetColumn(session, table, ids[3], "a\0b\0", 4, 0, NULL), JET_errSuccess);
        assert_int_equal(JetSetColumn(session, table, ids[4], text, 2, 0, NULL), JET_errSuccess);
        assert_int_equal(JetSetColumn(session, table, ids[5], "t\0u\0p\0l\0e\0", 10, 0, NULL),
                         JET_errSuccess);
        assert_int_equal(JetUpdate(session, table, NULL, 0, NULL), JET_errSuccess);
    }
    assert_int_equal(JetCommitTransaction(session, 0), JET_errSuccess);
    return 0;
}

static void by(const char *index)
{
    assert_int_equal(JetSetCurrentIndexA(session, table, index), JET_errSuccess);
}

static void key(int32_t value)
{
    assert_int_equal(JetMakeKey(session, table, &value, 4, JET_bitNewKey), JET_errSuccess);
}

static int32_t current(void)
{
    int32_t id = 0;
    assert_int_equal(JetRetrieveColumn(session, table, ids[0], &id, 4, NULL, 0, NULL), JET_errSuccess);
    return id;
}

static void keys(void **state)
{
    static uint8_t large[2000];
    const struct {
        const char *index;
        const void *value;
        uint32_t size;
        JET_GRBIT grbit;
        JET_ERR expected;
    } cases[] = {
        {"pk", large, 3, JET_bitNewKey, JET_errInvalidBufferSize},
        {"pk", large, 4, 0, JET_errKeyNotMade},
        {"pk", large, 4, JET_bitNewKey, JET_errSuccess},
        {"pk", large, 4, 0, JET_errKeyIsMade},
        {"pk", large, 0, JET_bitNewKey | JET_bitKeyDataZeroLength, JET_errInvalidBufferSize},
        {"pk", large, 4, JET_bitNewKey | JET_bitPartialColumnStartLimit, JET_errInvalidGrbit},
        {"pk", large, 4, JET_bitNewKey | JET_bitFullColumnStartLimit | JET_bitFullColumnEndLimit,
         JET_errInvalidGrbit},
        {"pk", large, 300, JET_bitNormalizedKey, JET_errInvalidParameter},
        {"pk", large, 6, JET_bitNormalizedKey, JET_errSuccess},
        {"pk", large, 7, JET_bitNormalizedKey, JET_errSuccess}, /* cut to what keys of the index have */
        {"pk", NULL, 5, JET_bitNormalizedKey, JET_errSuccess},
        {"text", large, 256, JET_bitNormalizedKey, JET_errSuccess},
        {"text", large, 257, JET_bitNormalizedKey, JET_errInvalidParameter},
        {"text", "a", 1, JET_bitNewKey | JET_bitPartialColumnEndLimit, JET_errSuccess},
        {"text", "a", 1, 0, JET_errKeyIsMade},
        {"text", "a", 1, JET_bitNewKey | JET_bitStrLimit, JET_errSuccess},
        {"text", "a", 1, JET_bitNewKey | JET_bitSubStrLimit, JET_errSuccess},
        {"text", "", 0, JET_bitNewKey | JET_bitKeyDataZeroLength, JET_errSuccess},
        {"text", large, 2000, JET_bitNewKey, JET_errSuccess},
        {"bytes", large, 2000, JET_bitNewKey, JET_errSuccess},
        {"bytes", "ab", 2, JET_bitNewKey | JET_bitPartialColumnStartLimit, JET_errSuccess},
        {"bytes", "", 0, JET_bitNewKey | JET_bitKeyDataZeroLength, JET_errSuccess},
        {"wide", "a\0b\0", 4, JET_bitNewKey, JET_errSuccess}, /* filled up as in rows */
        {"wide", large, 9, JET_bitNewKey, JET_errInvalidBufferSize},
        {"wide", NULL, 0, JET_bitNewKey, JET_errSuccess},
        {"wide", "", 0, JET_bitNewKey | JET_bitKeyDataZeroLength, JET_errInvalidBufferSize},
        {"piece", "t\0u\0", 4, JET_bitNewKey, JET_errIndexTuplesKeyTooSmall},
        {"piece", NULL, 0, JET_bitNewKey, JET_errIndexTuplesKeyTooSmall},
        {"piece", "", 0, JET_bitNewKey | JET_bitKeyDataZeroLength, JET_errIndexTuplesKeyTooSmall},
        {"piece", "u\0p\0l\0", 6, JET_bitNewKey, JET_errSuccess},
        {"piece", "t\0u\0p\0l\0e\0t\0u\0p\0l\0e\0t\0u\0p\0", 26, JET_bitNewKey,
         JET_errSuccess}, /* its beginning */
    };
    (void)state;
    const char *index = NULL;
    for (size_t i = 0; i < CASES(cases); i++) {
        if (index == NULL || strcmp(index, cases[i].index) != 0)
            by(index = cases[i].index);
        const JET_ERR err = JetMakeKey(session, table, cases[i].value, cases[i].size, cases[i].grbit);
        if (err != cases[i].expected)
            fail_msg("case %zu: %d, not %d", i, (int)err, (int)cases[i].expected);
    }
    /* What was filled up is found. */
    by("wide");
    assert_int_equal(JetMakeKey(session, table, "a\0b\0", 4, JET_bitNewKey), JET_errSuccess);
    assert_int_equal(JetSeek(session, table, JET_bitSeekEQ), JET_errSuccess);
    by("piece");
    assert_int_equal(JetMakeKey(session, table, "u\0p\0l\0e\0", 8, JET_bitNewKey), JET_errSuccess);
    assert_int_equal(JetSeek(session, table, JET_bitSeekEQ), JET_errSuccess);
    /* Without an index rows have numbers, which only whole keys can name. */
    JET_TABLEID plain;
    assert_int_equal(JetCreateTableA(session, database, "plain", 0, 80, &plain), JET_errSuccess);
    assert_int_equal(JetMakeKey(session, plain, large, 4, JET_bitNewKey), JET_errNoCurrentIndex);
    assert_int_equal(JetMakeKey(session, plain, large, 4, JET_bitNormalizedKey), JET_errSuccess);
    assert_int_equal(JetSetIndexRange(session, plain, 0), JET_errNoCurrentIndex);
    assert_int_equal(JetSeek(session, plain, JET_bitSeekGE), JET_errRecordNotFound);
}

static void seeks(void **state)
{
    (void)state;
    by("group");
    key(1);
    assert_int_equal(JetSeek(session, table, 0), JET_errInvalidParameter);
    assert_int_equal(JetSeek(session, table, JET_bitSeekEQ | JET_bitSeekGE), JET_errInvalidParameter);
    assert_int_equal(JetSeek(session, table, JET_bitSeekEQ | JET_bitCheckUniqueness),
                     JET_errSuccess); /* one of three */
    key(7);
    assert_int_equal(JetSeek(session, table, JET_bitSeekEQ), JET_errRecordNotFound);
    assert_int_equal(JetSeek(session, table, JET_bitSeekEQ), JET_errKeyNotMade);
    key(2);
    assert_int_equal(JetSeek(session, table, JET_bitSeekEQ | JET_bitSetIndexRange), JET_errSuccess);
    assert_int_equal(current(), 7);
    assert_int_equal(JetMove(session, table, 2, 0), JET_errSuccess);
    assert_int_equal(JetMove(session, table, 1, 0), JET_errNoCurrentRecord);
    by("text");
    assert_int_equal(JetMakeKey(session, table, "t9", 2, JET_bitNewKey), JET_errSuccess);
    assert_int_equal(JetSeek(session, table, JET_bitSeekEQ | JET_bitCheckUniqueness), JET_wrnUniqueKey);
    /* The last entry of an index that is not unique has nothing behind. */
    by("bytes");
    assert_int_equal(JetMakeKey(session, table, "t9", 2, JET_bitNewKey), JET_errSuccess);
    assert_int_equal(JetSeek(session, table, JET_bitSeekEQ | JET_bitCheckUniqueness), JET_wrnUniqueKey);
    assert_int_equal(JetMakeKey(session, table, "t3", 2, JET_bitNewKey), JET_errSuccess);
    assert_int_equal(JetSeek(session, table, JET_bitSeekEQ | JET_bitCheckUniqueness), JET_wrnUniqueKey);
    by(NULL);
    key(3);
    assert_int_equal(JetSeek(session, table, JET_bitSeekEQ | JET_bitCheckUniqueness), JET_wrnUniqueKey);
    /* An update that was prepared is gone when the cursor goes. */
    assert_int_equal(JetPrepareUpdate(session, table, JET_prepReplace), JET_errSuccess);
    key(4);
    assert_int_equal(JetSeek(session, table, JET_bitSeekEQ), JET_errSuccess);
    assert_int_equal(JetUpdate(session, table, NULL, 0, NULL), JET_errUpdateNotPrepared);
    assert_int_equal(JetPrepareUpdate(session, table, JET_prepReplace), JET_errSuccess);
    assert_int_equal(JetMove(session, table, 1, 0), JET_errSuccess);
    assert_int_equal(JetUpdate(session, table, NULL, 0, NULL), JET_errUpdateNotPrepared);
    assert_int_equal(JetPrepareUpdate(session, table, JET_prepReplace), JET_errSuccess);
    assert_int_equal(JetSetCurrentIndex2A(session, table, "group", JET_bitMoveFirst), JET_errSuccess);
    assert_int_equal(JetUpdate(session, table, NULL, 0, NULL), JET_errUpdateNotPrepared);
}

/* Ranges upward and downward, with and without their limit. */
static void ranges(void **state)
{
    const struct {
        int32_t from;
        int32_t limit;
        JET_GRBIT grbit;
        JET_ERR expected;
        uint32_t count;
    } cases[] = {
        {2, 5, JET_bitRangeUpperLimit | JET_bitRangeInclusive, JET_errSuccess, 4},
        {2, 5, JET_bitRangeUpperLimit, JET_errSuccess, 3},
        {5, 2, JET_bitRangeInclusive, JET_errSuccess, 4},
        {5, 2, 0, JET_errSuccess, 3},
        {5, 5, JET_bitRangeUpperLimit, JET_errNoCurrentRecord, 0},
        {5, 5, 0, JET_errNoCurrentRecord, 0},
        {5, 2, JET_bitRangeUpperLimit, JET_errNoCurrentRecord, 0},
        {2, 5, JET_bitRangeInclusive, JET_errNoCurrentRecord, 0},
        {9, 20, JET_bitRangeUpperLimit, JET_errSuccess, 1},
        {1, 0, 0, JET_errSuccess, 1},
    };
    (void)state;
    for (size_t i = 0; i < CASES(cases); i++) {
        uint32_t count = 0;
        key(cases[i].from);
        assert_int_equal(JetSeek(session, table, JET_bitSeekEQ), JET_errSuccess);
        key(cases[i].limit);
        const JET_ERR err = JetSetIndexRange(session, table, cases[i].grbit);
        if (err != cases[i].expected)
            fail_msg("case %zu: %d, not %d", i, (int)err, (int)cases[i].expected);
        if (err < JET_errSuccess) {
            assert_int_equal(JetSetIndexRange(session, table, JET_bitRangeRemove), JET_errInvalidOperation);
            continue;
        }
        assert_int_equal(JetIndexRecordCount(session, table, &count, 0), JET_errSuccess);
        if (count != cases[i].count)
            fail_msg("case %zu: %u rows, not %u", i, (unsigned)count, (unsigned)cases[i].count);
        assert_int_equal(JetIndexRecordCount(session, table, &count, 2), JET_errSuccess);
        assert_int_equal(count, cases[i].count < 2 ? cases[i].count : 2);
        uint32_t met = 1;
        while (JetMove(session, table, (cases[i].grbit & JET_bitRangeUpperLimit) != 0 ? 1 : -1, 0) ==
               JET_errSuccess)
            met++;
        assert_int_equal(met, cases[i].count);
    }
    assert_int_equal(JetSetIndexRange(session, table, 0), JET_errKeyNotMade);
    key(4);
    assert_int_equal(JetSeek(session, table, JET_bitSeekEQ), JET_errSuccess);
    key(6);
    assert_int_equal(JetSetIndexRange(session, table, JET_bitRangeUpperLimit | JET_bitRangeInstantDuration),
                     JET_errSuccess);
    assert_int_equal(JetMove(session, table, 4, 0), JET_errSuccess); /* it was for the moment only */
    /* A search in vain leaves the cursor where a range may begin. */
    by("group");
    key(1);
    assert_int_equal(JetSeek(session, table, JET_bitSeekEQ), JET_errSuccess);
    key(-1);
    assert_int_equal(JetSeek(session, table, JET_bitSeekEQ), JET_errRecordNotFound);
    key(0);
    assert_int_equal(JetSetIndexRange(session, table, JET_bitRangeUpperLimit | JET_bitRangeInclusive),
                     JET_errSuccess);
    assert_int_equal(JetMove(session, table, 1, 0), JET_errSuccess);
    assert_int_equal(current(), 1);
}

static void bookmarks(void **state)
{
    uint8_t row[300];
    uint8_t entry[300];
    uint32_t row_size = 0;
    uint32_t entry_size = 0;
    (void)state;
    by("group");
    assert_int_equal(JetMove(session, table, JET_MoveLast, 0), JET_errSuccess);
    assert_int_equal(JetGetSecondaryIndexBookmark(session, table, entry, sizeof(entry), &entry_size, row,
                                                  sizeof(row), &row_size, 0),
                     JET_errSuccess);
    const struct {
        const void *entry;
        uint32_t entry_size;
        const void *row;
        uint32_t row_size;
        JET_GRBIT grbit;
        JET_ERR expected;
    } cases[] = {
        {NULL, 5, row, row_size, 0, JET_errInvalidBookmark},
        {entry, 0, row, row_size, 0, JET_errInvalidBookmark},
        {entry, 2001, row, row_size, 0, JET_errInvalidBookmark},
        {entry, entry_size, NULL, 5, 0, JET_errInvalidBookmark},
        {entry, entry_size, row, 0, 0, JET_errInvalidBookmark},
        {entry, entry_size, row, 2001, 0, JET_errInvalidBookmark},
        {entry, entry_size, row, row_size, 0, JET_errSuccess},
    };
    for (size_t i = 0; i < CASES(cases); i++) {
        const JET_ERR err = JetGotoSecondaryIndexBookmark(
            session, table, (void *)(uintptr_t)cases[i].entry, cases[i].entry_size,
            (void *)(uintptr_t)cases[i].row, cases[i].row_size, cases[i].grbit);
        if (err != cases[i].expected)
            fail_msg("case %zu: %d, not %d", i, (int)err, (int)cases[i].expected);
    }
    assert_int_equal(current(), 9);
    assert_int_equal(JetGotoBookmark(session, table, NULL, 5), JET_errInvalidBookmark);
    assert_int_equal(JetGotoBookmark(session, table, row, 0), JET_errInvalidBookmark);
    assert_int_equal(JetGotoBookmark(session, table, row, 2001), JET_errInvalidBookmark);
    /* An update that was prepared is gone. */
    assert_int_equal(JetPrepareUpdate(session, table, JET_prepReplace), JET_errSuccess);
    assert_int_equal(JetGotoSecondaryIndexBookmark(session, table, entry, entry_size, row, row_size, 0),
                     JET_errSuccess);
    assert_int_equal(JetUpdate(session, table, NULL, 0, NULL), JET_errUpdateNotPrepared);
    assert_int_equal(JetPrepareUpdate(session, table, JET_prepReplace), JET_errSuccess);
    assert_int_equal(JetGotoBookmark(session, table, row, row_size), JET_errSuccess);
    assert_int_equal(JetUpdate(session, table, NULL, 0, NULL), JET_errUpdateNotPrepared);
    /* The row goes; whoever asks for it may stand beside. */
    assert_int_equal(JetDelete(session, table), JET_errSuccess);
    assert_int_equal(JetGotoSecondaryIndexBookmark(session, table, entry, entry_size, row, row_size, 0),
                     JET_errRecordDeleted);
    assert_int_equal(JetGotoSecondaryIndexBookmark(session, table, entry, entry_size, row, row_size,
                                                   JET_bitBookmarkPermitVirtualCurrency),
                     JET_errRecordDeleted);
    assert_int_equal(JetMove(session, table, -1, 0), JET_errSuccess);
    assert_int_equal(current(), 8);
    assert_int_equal(JetGotoBookmark(session, table, row, row_size), JET_errRecordDeleted);
    by("text");
    assert_int_equal(JetMove(session, table, (int32_t)JET_MoveFirst, 0), JET_errSuccess);
    assert_int_equal(JetGetSecondaryIndexBookmark(session, table, entry, sizeof(entry), &entry_size, row,
                                                  sizeof(row), &row_size, 0),
                     JET_errSuccess);
    /* A unique entry needs no row, unless one may be beside it. */
    assert_int_equal(JetGotoSecondaryIndexBookmark(session, table, entry, entry_size, NULL, 0, 0),
                     JET_errSuccess);
    assert_int_equal(JetGotoSecondaryIndexBookmark(session, table, entry, entry_size, NULL, 0,
                                                   JET_bitBookmarkPermitVirtualCurrency),
                     JET_errInvalidBookmark);
    by(NULL);
    assert_int_equal(JetGotoSecondaryIndexBookmark(session, table, entry, entry_size, row, row_size, 0),
                     JET_errNoCurrentIndex);
    assert_int_equal(JetGetSecondaryIndexBookmark(session, table, entry, sizeof(entry), &entry_size, row,
                                                  sizeof(row), &row_size, 0),
                     JET_errNoCurrentIndex);
}

static void positions(void **state)
{
    JET_RECPOS place = {.cbStruct = sizeof(place), .centriesLT = 2, .centriesTotal = 1};
    JET_TABLEID empty;
    (void)state;
    assert_int_equal(JetGotoPosition(session, table, &place), JET_errInvalidParameter);
    assert_int_equal(JetMove(session, table, (int32_t)JET_MoveFirst, 0), JET_errSuccess);
    assert_int_equal(JetPrepareUpdate(session, table, JET_prepReplace), JET_errSuccess);
    place.centriesTotal = 2;
    assert_int_equal(JetGotoPosition(session, table, &place), JET_errSuccess);
    assert_int_equal(current(), ROWS);
    assert_int_equal(JetUpdate(session, table, NULL, 0, NULL), JET_errUpdateNotPrepared);
    place = (JET_RECPOS){.cbStruct = sizeof(place), .centriesLT = 0, .centriesTotal = 9};
    assert_int_equal(JetGotoPosition(session, table, &place), JET_errSuccess);
    assert_int_equal(current(), 1);
    assert_int_equal(JetGetRecordPosition(session, table, &place, sizeof(place)), JET_errSuccess);
    assert_int_equal(place.centriesLT, 0);
    assert_int_equal(place.centriesTotal, ROWS);
    assert_int_equal(JetCreateTableA(session, database, "e", 0, 80, &empty), JET_errSuccess);
    place = (JET_RECPOS){.cbStruct = sizeof(place), .centriesLT = 1, .centriesTotal = 1};
    assert_int_equal(JetGotoPosition(session, empty, &place), JET_errNoCurrentRecord);
    place.centriesTotal = 3;
    assert_int_equal(JetGotoPosition(session, empty, &place), JET_errNoCurrentRecord);
    assert_int_equal(JetGetRecordPosition(session, empty, &place, sizeof(place)), JET_errNoCurrentRecord);
}

/* --- temporary tables */

static JET_COLUMNID temporary_ids[20];

static JET_ERR open_temporary(JET_GRBIT grbit, uint32_t columns, JET_TABLEID *temporary)
{
    JET_COLUMNDEF definitions[20];
    for (uint32_t i = 0; i < 20; i++)
        definitions[i] = (JET_COLUMNDEF){.cbStruct = sizeof(definitions[0]),
                                         .coltyp = JET_coltypLong,
                                         .grbit = i == 0 || columns > 2 ? JET_bitColumnTTKey : 0};
    return JetOpenTempTable(session, definitions, columns, grbit, temporary, temporary_ids);
}

static void insert(JET_TABLEID temporary, int32_t value, JET_ERR expected)
{
    assert_int_equal(JetPrepareUpdate(session, temporary, JET_prepInsert), JET_errSuccess);
    assert_int_equal(JetSetColumn(session, temporary, temporary_ids[0], &value, 4, 0, NULL), JET_errSuccess);
    assert_int_equal(JetUpdate(session, temporary, NULL, 0, NULL), expected);
}

static void temporary_searches(void **state)
{
    static const JET_GRBIT kinds[] = {JET_bitTTIndexed, JET_bitTTIndexed | JET_bitTTForceMaterialization};
    const struct {
        int32_t key;
        JET_GRBIT grbit;
        JET_ERR expected;
        int32_t found;
    } cases[] = {
        {4, JET_bitSeekEQ, JET_errSuccess, 4},        {5, JET_bitSeekEQ, JET_errRecordNotFound, 0},
        {4, JET_bitSeekGE, JET_errSuccess, 4},        {5, JET_bitSeekGE, JET_wrnSeekNotEqual, 6},
        {9, JET_bitSeekGE, JET_errRecordNotFound, 0}, {4, JET_bitSeekGT, JET_errSuccess, 6},
        {6, JET_bitSeekGT, JET_errRecordNotFound, 0}, {4, JET_bitSeekLE, JET_errSuccess, 4},
        {5, JET_bitSeekLE, JET_wrnSeekNotEqual, 4},   {1, JET_bitSeekLE, JET_errRecordNotFound, 0},
        {4, JET_bitSeekLT, JET_errSuccess, 2},        {2, JET_bitSeekLT, JET_errRecordNotFound, 0},
    };
    (void)state;
    for (size_t kind = 0; kind < CASES(kinds); kind++) {
        JET_TABLEID temporary;
        assert_int_equal(open_temporary(kinds[kind], 2, &temporary), JET_errSuccess);
        for (int32_t value = 6; value > 0; value -= 2)
            insert(temporary, value, JET_errSuccess);
        for (size_t i = 0; i < CASES(cases); i++) {
            int32_t found = 0;
            assert_int_equal(JetMakeKey(session, temporary, &cases[i].key, 4, JET_bitNewKey), JET_errSuccess);
            const JET_ERR err = JetSeek(session, temporary, cases[i].grbit);
            if (err != cases[i].expected)
                fail_msg("kind %zu, case %zu: %d, not %d", kind, i, (int)err, (int)cases[i].expected);
            if (err >= JET_errSuccess)
                assert_int_equal(
                    JetRetrieveColumn(session, temporary, temporary_ids[0], &found, 4, NULL, 0, NULL),
                    JET_errSuccess);
            assert_int_equal(found, cases[i].found);
        }
        assert_int_equal(JetCloseTable(session, temporary), JET_errSuccess);
    }
}

static void temporary_sizes(void **state)
{
    JET_COLUMNDEF columns[2] = {
        {.cbStruct = sizeof(columns[0]), .coltyp = JET_coltypText, .cp = 1200, .grbit = JET_bitColumnTTKey},
        {.cbStruct = sizeof(columns[0]),
         .coltyp = JET_coltypGUID,
         .grbit = JET_bitColumnTTKey | JET_bitColumnTTDescending}};
    JET_COLUMNID columns_ids[2];
    static uint16_t german[] = {'d', 'e', '-', 'D', 'E', 0};
    static uint16_t nowhere[] = {'q', 'q', 'q', 'q', 'q', 'q', 'q', 'q', 'q', 'q', '-', 'Q', 0};
    JET_UNICODEINDEX2 unicode = {german, 0x00030401};
    JET_OPENTEMPORARYTABLE2 open = {.cbStruct = sizeof(open),
                                    .prgcolumndef = columns,
                                    .ccolumn = 2,
                                    .pidxunicode = &unicode,
                                    .grbit = JET_bitTTIndexed | JET_bitTTSortNullsHigh | JET_bitTTDotNetGuid,
                                    .prgcolumnid = columns_ids};
    const struct {
        uint32_t key_max;
        uint32_t segment_max;
        JET_ERR expected;
    } cases[] = {
        {254, 0, JET_errInvalidParameter},
        {1001, 0, JET_errInvalidParameter},
        {100000, 0, JET_errInvalidParameter},
        {300, 301, JET_errInvalidParameter},
        {0, 256, JET_errInvalidParameter},
        {300, 300, JET_errSuccess},
        {1000, 0, JET_errSuccess},
        {0, 255, JET_errSuccess},
        {0, 0, JET_errSuccess},
    };
    (void)state;
    for (size_t i = 0; i < CASES(cases); i++) {
        open.cbKeyMost = cases[i].key_max;
        open.cbVarSegMac = cases[i].segment_max;
        const JET_ERR err = JetOpenTemporaryTable2(session, &open);
        if (err != cases[i].expected)
            fail_msg("case %zu: %d, not %d", i, (int)err, (int)cases[i].expected);
        if (err < JET_errSuccess)
            continue;
        assert_int_equal(JetPrepareUpdate(session, open.tableid, JET_prepInsert), JET_errSuccess);
        assert_int_equal(JetSetColumn(session, open.tableid, columns_ids[0], "x\0", 2, 0, NULL),
                         JET_errSuccess);
        assert_int_equal(JetUpdate(session, open.tableid, NULL, 0, NULL), JET_errSuccess);
        assert_int_equal(JetMove(session, open.tableid, (int32_t)JET_MoveFirst, 0), JET_errSuccess);
        assert_int_equal(JetCloseTable(session, open.tableid), JET_errSuccess);
    }
    unicode.szLocaleName = nowhere;
    assert_int_equal(JetOpenTemporaryTable2(session, &open), JET_errInvalidLanguageId);
    unicode.szLocaleName = german;
    open.prgcolumnid = NULL;
    assert_int_equal(JetOpenTemporaryTable2(session, &open), JET_errSuccess);
    assert_int_equal(JetCloseTable(session, open.tableid), JET_errSuccess);
    columns[0].cbStruct = 3;
    assert_int_equal(JetOpenTemporaryTable2(session, &open), JET_errInvalidParameter);
    columns[0].cbStruct = sizeof(columns[0]);
    columns[0].cp = 1251;
    assert_int_equal(JetOpenTemporaryTable2(session, &open), JET_errInvalidCodePage);
    /* Columns of a key beyond the sixteenth are none of the key. */
    JET_TABLEID temporary;
    assert_int_equal(open_temporary(JET_bitTTIndexed, 20, &temporary), JET_errSuccess);
    insert(temporary, 5, JET_errSuccess);
    assert_int_equal(JetMove(session, temporary, (int32_t)JET_MoveFirst, 0), JET_errSuccess);
    for (int i = 0; i < 17; i++) {
        const int32_t value = 5;
        assert_int_equal(JetMakeKey(session, temporary, &value, 4, i == 0 ? JET_bitNewKey : 0),
                         i < 16 ? JET_errSuccess : JET_errKeyIsMade);
    }
    assert_int_equal(JetCloseTable(session, temporary), JET_errSuccess);
}

static void temporary_phases(void **state)
{
    const JET_COLUMNDEF more = {.cbStruct = sizeof(more), .coltyp = JET_coltypLong};
    const int32_t five = 5;
    JET_TABLEID temporary;
    uint8_t bytes[300];
    uint32_t size = 0;
    (void)state;
    /* A table from the start takes a key once. */
    assert_int_equal(open_temporary(JET_bitTTIndexed | JET_bitTTForceMaterialization, 2, &temporary),
                     JET_errSuccess);
    insert(temporary, 5, JET_errSuccess);
    insert(temporary, 5, JET_errKeyDuplicate);
    assert_int_equal(JetPrepareUpdate(session, temporary, JET_prepCancel), JET_errSuccess);
    assert_int_equal(JetCloseTable(session, temporary), JET_errSuccess);
    /* Rows of one key that may be there twice have keys of their own, which nobody sees. */
    assert_int_equal(open_temporary(JET_bitTTForwardOnly, 2, &temporary), JET_errSuccess);
    insert(temporary, 5, JET_errSuccess);
    insert(temporary, 5, JET_errSuccess);
    assert_int_equal(JetMove(session, temporary, (int32_t)JET_MoveFirst, 0), JET_errSuccess);
    assert_int_equal(JetRetrieveKey(session, temporary, bytes, sizeof(bytes), &size, 0), JET_errSuccess);
    assert_int_equal(size, 5);
    assert_int_equal(JetAddColumnA(session, temporary, "x", &more, NULL, 0, NULL), JET_errIllegalOperation);
    assert_int_equal(JetDeleteColumnA(session, temporary, "x"), JET_errIllegalOperation);
    assert_int_equal(JetRenameColumnA(session, temporary, "x", "y", 0), JET_errIllegalOperation);
    assert_int_equal(JetCreateIndexA(session, temporary, "x", 0, "+x\0", 4, 80), JET_errIllegalOperation);
    assert_int_equal(JetDeleteIndexA(session, temporary, "x"), JET_errIllegalOperation);
    assert_int_equal(JetCloseTable(session, temporary), JET_errSuccess);
    /* One that is sorted only. */
    assert_int_equal(open_temporary(JET_bitTTUnique, 2, &temporary), JET_errSuccess);
    insert(temporary, 5, JET_errSuccess);
    insert(temporary, 5, JET_errSuccess); /* falls */
    assert_int_equal(JetPrepareUpdate(session, temporary, JET_prepReplace), JET_errIllegalOperation);
    assert_int_equal(JetMakeKey(session, temporary, &five, 4, JET_bitNewKey), JET_errSuccess);
    assert_int_equal(JetSeek(session, temporary, JET_bitSeekEQ), JET_errIllegalOperation);
    assert_int_equal(JetMove(session, temporary, (int32_t)JET_MoveFirst, 0), JET_errSuccess);
    assert_int_equal(JetMove(session, temporary, 1, 0), JET_errNoCurrentRecord);
    assert_int_equal(JetMove(session, temporary, -1, 0), JET_errIllegalOperation);
    assert_int_equal(JetPrepareUpdate(session, temporary, JET_prepInsert), JET_errIllegalOperation);
    assert_int_equal(JetDelete(session, temporary), JET_errIllegalOperation);
    assert_int_equal(JetCloseTable(session, temporary), JET_errSuccess);
}

int main(int argc, char **argv)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, start, api_world_end)
    const struct CMUnitTest tests[] = {
        CASE(keys),
        CASE(seeks),
        CASE(ranges),
        CASE(bookmarks),
        CASE(positions),
        CASE(temporary_searches),
        CASE(temporary_sizes),
        CASE(temporary_phases),
    };
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
