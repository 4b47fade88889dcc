/* What indexes tell of rows, which rows they have entries of; keys, gaps between columns, first long values.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uchar.h>

#include <cmocka.h>

#include "tests/table_world.h"

/* --- what indexes tell */

/* Whatever an index is made of: a value out of it is the row's, and the itag is the one that the entry stands
 * for. */
static void values_from_indexes(void **state)
{
    static const struct shape shape[9] = {
        {"id", JET_coltypLong, JET_bitColumnFixed, 0, NULL, 0},
        {"text", JET_coltypText, 0, 1252, NULL, 0},
        {"wide", JET_coltypText, 0, 1200, NULL, 0},
        {"bytes", JET_coltypBinary, 0, 0, NULL, 0},
        {"guid", JET_coltypGUID, 0, 0, NULL, 0},
        {"many", JET_coltypLong, JET_bitColumnTagged | JET_bitColumnMultiValued, 0, NULL, 0},
        {"words", JET_coltypText, JET_bitColumnTagged | JET_bitColumnMultiValued, 1252, NULL, 0},
        {"long", JET_coltypLongBinary, 0, 0, NULL, 0},
        {"date", JET_coltypDateTime, 0, 0, NULL, 0},
    };
    static const struct {
        const char *name;
        const char *key;
        uint32_t size;
        JET_GRBIT grbit;
        uint32_t segment_max;
    } indexes[] = {
        {"pk", "+id\0", 5, JET_bitIndexPrimary, 0},
        {"text-id", "+text\0-id\0", 11, 0, 0},
        {"wide-id", "+wide\0+id\0", 11, 0, 0},
        {"bytes-guid", "-bytes\0+guid\0", 14, 0, 0},
        {"bytes-short", "+bytes\0+id\0", 12, 0, 20},
        {"many-date", "+many\0+date\0", 13, 0, 0},
        {"words-many", "+words\0-many\0", 14, JET_bitIndexCrossProduct, 0},
        {"nested", "+words\0+many\0", 14, JET_bitIndexNestedTable, 0},
        {"long", "+long\0+id\0", 11, 0, 0},
        {"tuples", "+text\0+id\0", 11, JET_bitIndexTuples, 0},
        {"high", "-many\0", 7, JET_bitIndexSortNullsHigh, 0},
    };
    JET_COLUMNID ids[9];
    static const char *const texts[] = {"alpha", "beta gamma", "", "alphabet", NULL};
    (void)state;
    make_table("t", shape, 9, ids);
    for (size_t i = 0; i < CASES(indexes); i++) {
        JET_INDEXCREATE_A index = {.cbStruct = sizeof(index),
                                   .szIndexName = (char *)(uintptr_t)indexes[i].name,
                                   .szKey = (char *)(uintptr_t)indexes[i].key,
                                   .cbKey = indexes[i].size,
                                   .grbit = indexes[i].grbit,
                                   .ulDensity = 80,
                                   .cbVarSegMac = indexes[i].segment_max};
        assert_int_equal(JetCreateIndex2A(session, table, &index, 1), JET_errSuccess);
    }
    assert_int_equal(JetBeginTransaction(session), JET_errSuccess);
    for (int32_t id = 1; id <= 5; id++) {
        const char *text = texts[id - 1];
        const uint32_t size = text == NULL ? 0 : (uint32_t)strlen(text);
        const double date = id;
        prepare(JET_prepInsert);
        assert_int_equal(set_with(ids[0], &id, 4, 0, 1), JET_errSuccess);
        if (text != NULL) {
            assert_int_equal(set_with(ids[1], text, size, JET_bitSetZeroLength, 1), JET_errSuccess);
            assert_int_equal(set_with(ids[2], "a\0b\0c\0d\0", size > 4 ? 8 : 4, 0, 1), JET_errSuccess);
            assert_int_equal(set_with(ids[3], big, size * 3, JET_bitSetZeroLength, 1), JET_errSuccess);
            assert_int_equal(set_with(ids[4], big + id, 16, 0, 1), JET_errSuccess);
            assert_int_equal(set_with(ids[7], big, size * 40 + 1, 0, 1), JET_errSuccess);
            assert_int_equal(set_with(ids[8], &date, 8, 0, 1), JET_errSuccess);
        }
        for (int32_t i = 0; i < id - 1; i++) {
            const int32_t value = i * 3 - id;
            assert_int_equal(set_with(ids[5], &value, 4, 0, 0), JET_errSuccess);
            assert_int_equal(set_with(ids[6], i % 2 == 0 ? "x" : "yy", i % 2 == 0 ? 1 : 2, 0, 0),
                             JET_errSuccess);
        }
        assert_int_equal(JetUpdate(session, table, NULL, 0, NULL), JET_errSuccess);
    }
    assert_int_equal(JetCommitTransaction(session, 0), JET_errSuccess);
    unsigned compared = 0;
    for (size_t i = 0; i < CASES(indexes); i++) {
        assert_int_equal(JetSetCurrentIndexA(session, table, indexes[i].name), JET_errSuccess);
        for (JET_ERR err = JetMove(session, table, (int32_t)JET_MoveFirst, 0); err == JET_errSuccess;
             err = JetMove(session, table, JET_MoveNext, 0)) {
            for (int c = 0; c < 9; c++) {
                uint8_t told[1000];
                uint8_t real[1000];
                uint32_t told_size = 0;
                uint32_t real_size = 0;
                JET_RETINFO info = {.cbStruct = sizeof(info), .itagSequence = 1};
                JET_GRBIT grbit = JET_bitRetrieveFromIndex | JET_bitRetrieveTag;
                JET_ERR got =
                    JetRetrieveColumn(session, table, ids[c], told, sizeof(told), &told_size, grbit, &info);
                const bool within = strstr(indexes[i].name[0] == 'n' ? "words many" : indexes[i].key,
                                           shape[c].name) != NULL ||
                                    (c == 5 && strstr(indexes[i].name, "many") != NULL);
                if (!within && got == JET_errColumnNotFound)
                    continue;
                if (got == JET_errIndexTuplesCannotRetrieveFromIndex) {
                    assert_string_equal(indexes[i].name, "tuples");
                    continue;
                }
                if (got == JET_errColumnNotFound) /* behind the first name in the key */
                    continue;
                assert_true(got >= JET_errSuccess);
                bool same = false;
                /* Of two columns with several values the itag tells only which of the first one it is. */
                const bool second = c == 5 && strstr(indexes[i].key, "words") != NULL;
                for (uint32_t itag = second ? 1 : info.itagSequence;
                     !same && itag <= (second ? 5 : info.itagSequence); itag++) {
                    JET_RETINFO of = {.cbStruct = sizeof(of), .itagSequence = itag};
                    const JET_ERR row =
                        JetRetrieveColumn(session, table, ids[c], real, sizeof(real), &real_size, 0, &of);
                    same = got == row && told_size == real_size && memcmp(told, real, real_size) == 0;
                }
                if (!same)
                    fail_msg("index %s, column %s, itag %u: %d and %u bytes", indexes[i].name, shape[c].name,
                             (unsigned)info.itagSequence, (int)got, (unsigned)told_size);
                compared++;
            }
        }
    }
    assert_true(compared > 60);
    uint8_t value[100];
    assert_int_equal(
        JetRetrieveColumn(session, table, 0xff00, value, sizeof(value), NULL, JET_bitRetrieveFromIndex, NULL),
        JET_errBadColumnId);
    assert_int_equal(JetSetCurrentIndexA(session, table, "tuples"), JET_errSuccess);
    assert_int_equal(JetMove(session, table, (int32_t)JET_MoveFirst, 0), JET_errSuccess);
    assert_true(JetRetrieveColumn(session, table, ids[1], value, sizeof(value), NULL,
                                  JET_bitRetrieveFromIndex | JET_bitRetrieveTuple, NULL) >= JET_errSuccess);
}

/* Columns that went leave gaps between those that stay, whose defaults new rows still have. */
static void gaps_between_columns(void **state)
{
    static const struct shape shape[6] = {
        {"f1", JET_coltypLong, 0, 0, "\1\0\0\0", 4}, {"f2", JET_coltypLong, 0, 0, "\2\0\0\0", 4},
        {"f3", JET_coltypLong, 0, 0, "\3\0\0\0", 4}, {"v1", JET_coltypText, 0, 1252, "one", 3},
        {"v2", JET_coltypText, 0, 1252, "two", 3},   {"v3", JET_coltypText, 0, 1252, "three", 5}};
    JET_COLUMNID ids[6];
    char text[10];
    uint32_t size = 0;
    (void)state;
    make_table("t", shape, 6, ids);
    assert_int_equal(JetDeleteColumnA(session, table, "f2"), JET_errSuccess);
    assert_int_equal(JetDeleteColumnA(session, table, "v2"), JET_errSuccess);
    for (int i = 0; i < 2; i++) { /* as long as they are known, and when they are not */
        const int32_t four = 4;
        prepare(JET_prepInsert);
        assert_int_equal(set_with(ids[1], &four, 4, 0, 1), JET_errColumnNotFound);
        assert_int_equal(JetUpdate(session, table, NULL, 0, NULL), JET_errSuccess);
        assert_int_equal(JetMove(session, table, JET_MoveLast, 0), JET_errSuccess);
        for (int c = 0; c < 6; c++) {
            const JET_ERR err = JetRetrieveColumn(session, table, ids[c], text, sizeof(text), &size, 0, NULL);
            assert_int_equal(err, c % 3 == 1 ? JET_errColumnNotFound : JET_errSuccess);
            if (c % 3 != 1) {
                assert_int_equal(size, shape[c].size);
                assert_memory_equal(text, shape[c].value, size);
            }
        }
        attach_anew();
    }
}

/* Primary keys of columns whose values are all of one size are no longer than that, whatever the index may
 * hold. */
static void primary_keys(void **state)
{
    static const uint32_t limits[][2] = {{255, 0}, {255, 10}, {255, 30}, {300, 0}, {300, 290}};
    (void)state;
    for (size_t i = 0; i < CASES(limits); i++) {
        const JET_COLUMNDEF bytes = {
            .cbStruct = sizeof(bytes), .coltyp = JET_coltypBinary, .grbit = JET_bitColumnFixed, .cbMax = 20};
        const JET_COLUMNDEF number = {.cbStruct = sizeof(number), .coltyp = JET_coltypLong};
        JET_COLUMNID ids[2];
        JET_INDEXCREATE_A index = {.cbStruct = sizeof(index),
                                   .szIndexName = "pk",
                                   .szKey = "+b\0+n\0",
                                   .cbKey = 7,
                                   .grbit =
                                       JET_bitIndexPrimary | (limits[i][0] > 255 ? JET_bitIndexKeyMost : 0u),
                                   .ulDensity = 80,
                                   .cbVarSegMac = limits[i][1],
                                   .cbKeyMost = limits[i][0]};
        assert_int_equal(JetCreateTableA(session, database, "t", 0, 80, &table), JET_errSuccess);
        assert_int_equal(JetAddColumnA(session, table, "b", &bytes, NULL, 0, &ids[0]), JET_errSuccess);
        assert_int_equal(JetAddColumnA(session, table, "n", &number, NULL, 0, &ids[1]), JET_errSuccess);
        assert_int_equal(JetCreateIndex2A(session, table, &index, 1), JET_errSuccess);
        for (int32_t n = 0; n < 3; n++) {
            prepare(JET_prepInsert);
            assert_int_equal(set_with(ids[0], big, 20, 0, 1), JET_errSuccess);
            assert_int_equal(set_with(ids[1], &n, 4, 0, 1), JET_errSuccess);
            assert_int_equal(JetUpdate(session, table, NULL, 0, NULL), JET_errSuccess);
            attach_anew();
        }
        uint8_t key[300];
        uint32_t size = 0;
        assert_int_equal(JetMove(session, table, (int32_t)JET_MoveFirst, 0), JET_errSuccess);
        assert_int_equal(JetRetrieveKey(session, table, key, sizeof(key), &size, 0), JET_errSuccess);
        assert_int_equal(size, (limits[i][1] == 10 ? 10 : 21) + 5);
        assert_int_equal(JetMove(session, table, 2, 0), JET_errSuccess);
        assert_int_equal(JetMove(session, table, 1, 0), JET_errNoCurrentRecord);
        assert_int_equal(JetCloseTable(session, table), JET_errSuccess);
        assert_int_equal(JetDeleteTableA(session, database, "t"), JET_errSuccess);
    }
}

/* The first long value of a table that others may use makes a tree for all of them: each allocation of that
 * fails once. */
static void first_long_value(void **state)
{
    static const struct shape shape[2] = {{"id", JET_coltypLong, 0, 0, NULL, 0},
                                          {"long", JET_coltypLongBinary, 0, 0, NULL, 0}};
    JET_COLUMNID ids[2];
    static uint8_t back[9000];
    uint32_t actual = 0;
    unsigned failures = 0;
    (void)state;
    make_table("t", shape, 2, ids);
    attach_anew();
    assert_int_equal(JetBeginTransaction(session), JET_errSuccess);
    prepare(JET_prepInsert);
    assert_int_equal(set_with(ids[1], big, 8500, 0, 1), JET_errSuccess);
    /* As long as it is the update's own it is read from there, from any place on. */
    const uint32_t offsets[][3] = {
        {0, 9000, 8500}, {8400, 9000, 100}, {8500, 10, 0}, {9000, 10, 0}, {5, 10, 10}};
    for (size_t i = 0; i < CASES(offsets); i++) {
        JET_RETINFO info = {.cbStruct = sizeof(info), .itagSequence = 1, .ibLongValue = offsets[i][0]};
        const JET_ERR err = JetRetrieveColumn(session, table, ids[1], back, offsets[i][1], &actual,
                                              JET_bitRetrieveCopy, &info);
        assert_int_equal(err, offsets[i][0] + offsets[i][1] < 8500 ? JET_wrnBufferTruncated : JET_errSuccess);
        assert_memory_equal(back, big + offsets[i][0], offsets[i][2]);
    }
    for (uint64_t nth = 1;; nth++) {
        EsentHostResetCounters();
        EsentHostFailNth(ESENT_HOST_FAULT_ALLOCATE, nth, 1);
        const JET_ERR err = JetUpdate(session, table, NULL, 0, NULL);
        const bool failed = EsentHostCountFailures(ESENT_HOST_FAULT_ALLOCATE) > 0;
        EsentHostFailNone();
        if (err == JET_errSuccess)
            break;
        assert_true(failed);
        assert_int_equal(err, JET_errOutOfMemory);
        failures++;
    }
    assert_true(failures > 10);
    assert_int_equal(JetCommitTransaction(session, 0), JET_errSuccess);
    assert_int_equal(JetMove(session, table, (int32_t)JET_MoveFirst, 0), JET_errSuccess);
    assert_int_equal(JetRetrieveColumn(session, table, ids[1], back, sizeof(back), &actual, 0, NULL),
                     JET_errSuccess);
    assert_int_equal(actual, 8500);
    assert_memory_equal(back, big, 8500);
}

/* A temporary table has long values, too. */
static void temporary_long_values(void **state)
{
    const JET_COLUMNDEF columns[2] = {
        {.cbStruct = sizeof(columns[0]), .coltyp = JET_coltypLong, .grbit = JET_bitColumnTTKey},
        {.cbStruct = sizeof(columns[0]), .coltyp = JET_coltypLongBinary}};
    JET_COLUMNID ids[2];
    static uint8_t back[9000];
    uint32_t actual = 0;
    (void)state;
    assert_int_equal(
        JetOpenTempTable(session, columns, 2, JET_bitTTIndexed | JET_bitTTUpdatable, &table, ids),
        JET_errSuccess);
    assert_int_equal(JetBeginTransaction(session), JET_errSuccess);
    for (int32_t id = 1; id <= 2; id++) {
        prepare(JET_prepInsert);
        assert_int_equal(set_with(ids[0], &id, 4, 0, 1), JET_errSuccess);
        assert_int_equal(set_with(ids[1], big + id, 8500, 0, 1), JET_errSuccess);
        assert_int_equal(JetUpdate(session, table, NULL, 0, NULL), JET_errSuccess);
    }
    assert_int_equal(JetCommitTransaction(session, 0), JET_errSuccess);
    for (int32_t id = 1; id <= 2; id++) {
        assert_int_equal(JetMove(session, table, id == 1 ? (int32_t)JET_MoveFirst : JET_MoveNext, 0),
                         JET_errSuccess);
        assert_int_equal(JetRetrieveColumn(session, table, ids[1], back, sizeof(back), &actual, 0, NULL),
                         JET_errSuccess);
        assert_int_equal(actual, 8500);
        assert_memory_equal(back, big + id, 8500);
        assert_int_equal(
            JetRetrieveColumn(session, table, ids[0], back, 4, &actual, JET_bitRetrieveFromIndex, NULL),
            JET_errSuccess);
    }
    assert_int_equal(JetCloseTable(session, table), JET_errSuccess);
}

/* Which rows an index has an entry of, and how many. */
static uint32_t entries_of(const char *index)
{
    uint32_t count = 0;
    assert_int_equal(JetSetCurrentIndexA(session, table, index), JET_errSuccess);
    if (JetMove(session, table, (int32_t)JET_MoveFirst, 0) != JET_errSuccess)
        return 0;
    assert_int_equal(JetIndexRecordCount(session, table, &count, 0), JET_errSuccess);
    return count;
}

static void entries(void **state)
{
    static const struct shape shape[4] = {{"id", JET_coltypLong, JET_bitColumnFixed, 0, NULL, 0},
                                          {"wide", JET_coltypLongText, 0, 1200, NULL, 0},
                                          {"a", JET_coltypLong, 0, 0, NULL, 0},
                                          {"b", JET_coltypLong, 0, 0, NULL, 0}};
    static JET_TUPLELIMITS limits[] = {{3, 5, 100, 1, 0}, {2, 4, 3, 2, 0}, {3, 5, 100, 1, 4}};
    static JET_CONDITIONALCOLUMN_A conditions[2] = {
        {sizeof(conditions[0]), "a", JET_bitIndexColumnMustBeNonNull},
        {sizeof(conditions[0]), "b", JET_bitIndexColumnMustBeNull}};
    JET_COLUMNID ids[4];
    (void)state;
    make_table("t", shape, 4, ids);
    static const struct {
        const char *name;
        const char *key;
        uint32_t size;
        JET_GRBIT grbit;
        int limits;
        uint32_t conditions;
        uint32_t expected;
    } indexes[] = {
        {"all", "+a\0", 4, 0, -1, 0, 6},
        {"no null", "+a\0", 4, JET_bitIndexIgnoreNull, -1, 0, 4},
        {"no first null", "+a\0+b\0", 7, JET_bitIndexIgnoreFirstNull, -1, 0, 4},
        {"no null at all", "+a\0+b\0", 7, JET_bitIndexIgnoreAnyNull, -1, 0, 2},
        {"not both null", "+a\0+b\0", 7, JET_bitIndexIgnoreNull, -1, 0, 5},
        {"both conditions", "+id\0", 5, 0, -1, 2, 2},
        /* "abcdef" has four pieces of three and more, "abcdefgh" six; "ab" none */
        {"pieces", "+wide\0+id\0", 11, JET_bitIndexTupleLimits, 0, 0, 4 + 6},
        /* from two on, every second beginning, no more than three: 0, 2, 4 */
        {"steps", "+wide\0+id\0", 11, JET_bitIndexTupleLimits, 1, 0, 3 + 3 + 1},
        /* not before the fifth character: "efgh" and "fgh" */
        {"from the fifth", "+wide\0", 7, JET_bitIndexTupleLimits, 2, 0, 2},
    };
    for (size_t i = 0; i < CASES(indexes); i++) {
        JET_INDEXCREATE_A index = {.cbStruct = sizeof(index),
                                   .szIndexName = (char *)(uintptr_t)indexes[i].name,
                                   .szKey = (char *)(uintptr_t)indexes[i].key,
                                   .cbKey = indexes[i].size,
                                   .grbit = indexes[i].grbit,
                                   .ulDensity = 80,
                                   .rgconditionalcolumn = conditions,
                                   .cConditionalColumn = indexes[i].conditions};
        if (indexes[i].limits >= 0)
            index.ptuplelimits = &limits[indexes[i].limits];
        assert_int_equal(JetCreateIndex2A(session, table, &index, 1), JET_errSuccess);
    }
    const struct {
        const char16_t *wide;
        uint32_t size;
        int32_t a; /* 0: null */
        int32_t b;
    } rows[] = {{u"abcdef", 12, 1, 1}, {u"abcdefgh", 16, 2, 0}, {u"ab", 4, 0, 3},
                {NULL, 0, 4, 4},       {NULL, 0, 5, 0},         {NULL, 0, 0, 0}};
    assert_int_equal(JetBeginTransaction(session), JET_errSuccess);
    for (size_t i = 0; i < CASES(rows); i++) {
        const int32_t id = (int32_t)i;
        prepare(JET_prepInsert);
        assert_int_equal(set_with(ids[0], &id, 4, 0, 1), JET_errSuccess);
        if (rows[i].wide != NULL)
            assert_int_equal(set_with(ids[1], rows[i].wide, rows[i].size, 0, 1), JET_errSuccess);
        if (rows[i].a != 0)
            assert_int_equal(set_with(ids[2], &rows[i].a, 4, 0, 1), JET_errSuccess);
        if (rows[i].b != 0)
            assert_int_equal(set_with(ids[3], &rows[i].b, 4, 0, 1), JET_errSuccess);
        assert_int_equal(JetUpdate(session, table, NULL, 0, NULL), JET_errSuccess);
    }
    assert_int_equal(JetCommitTransaction(session, 0), JET_errSuccess);
    for (size_t i = 0; i < CASES(indexes); i++) {
        if (entries_of(indexes[i].name) != indexes[i].expected)
            fail_msg("%s: %u entries, not %u", indexes[i].name, (unsigned)entries_of(indexes[i].name),
                     (unsigned)indexes[i].expected);
    }
    /* And none is left when the rows go. */
    assert_int_equal(JetSetCurrentIndexA(session, table, NULL), JET_errSuccess);
    for (JET_ERR err = JetMove(session, table, (int32_t)JET_MoveFirst, 0); err == JET_errSuccess;
         err = JetMove(session, table, JET_MoveNext, 0))
        assert_int_equal(JetDelete(session, table), JET_errSuccess);
    for (size_t i = 0; i < CASES(indexes); i++)
        assert_int_equal(entries_of(indexes[i].name), 0);
}

/* Keys that would have to be cut. */
static void whole_keys_only(void **state)
{
    static const struct shape shape[3] = {{"id", JET_coltypLong, JET_bitColumnFixed, 0, NULL, 0},
                                          {"a", JET_coltypLongBinary, 0, 0, NULL, 0},
                                          {"b", JET_coltypLongBinary, 0, 0, NULL, 0}};
    JET_COLUMNID ids[3];
    (void)state;
    make_table("t", shape, 3, ids);
    assert_int_equal(JetCreateIndexA(session, table, "ab", JET_bitIndexDisallowTruncation, "+a\0+b\0", 7, 80),
                     JET_errSuccess);
    assert_int_equal(JetBeginTransaction(session), JET_errSuccess);
    const struct {
        uint32_t a;
        uint32_t b;
        JET_ERR expected;
    } cases[] = {{100, 20, JET_errSuccess}, {240, 10, JET_errKeyTruncated}, {100, 200, JET_errKeyTruncated},
                 {216, 8, JET_errSuccess},  {216, 9, JET_errKeyTruncated},  {300, 1, JET_errKeyTruncated}};
    for (size_t i = 0; i < CASES(cases); i++) {
        prepare(JET_prepInsert);
        assert_int_equal(set_with(ids[1], big, cases[i].a, 0, 1), JET_errSuccess);
        assert_int_equal(set_with(ids[2], big, cases[i].b, 0, 1), JET_errSuccess);
        const JET_ERR err = JetUpdate(session, table, NULL, 0, NULL);
        if (err != cases[i].expected)
            fail_msg("case %zu: %d, not %d", i, (int)err, (int)cases[i].expected);
        if (err < JET_errSuccess)
            prepare(JET_prepCancel);
    }
    assert_int_equal(JetCommitTransaction(session, 0), JET_errSuccess);
}

/* An index that is to be filled later knows the rows that came after it only, and nobody may use it. */
static void deferred_index(void **state)
{
    static const struct shape shape[1] = {{"id", JET_coltypLong, JET_bitColumnFixed, 0, NULL, 0}};
    JET_COLUMNID ids[1];
    (void)state;
    make_table("t", shape, 1, ids);
    assert_int_equal(JetCreateIndexA(session, table, "pk", JET_bitIndexPrimary, "+id\0", 5, 80),
                     JET_errSuccess);
    for (int32_t id = 1; id <= 4; id++) {
        if (id == 3)
            assert_int_equal(
                JetCreateIndexA(session, table, "later", JET_bitIndexDeferredPopulateCreate, "-id\0", 5, 80),
                JET_errSuccess);
        prepare(JET_prepInsert);
        assert_int_equal(set_with(ids[0], &id, 4, 0, 1), JET_errSuccess);
        assert_int_equal(JetUpdate(session, table, NULL, 0, NULL), JET_errSuccess);
    }
    assert_int_equal(JetSetCurrentIndexA(session, table, "later"), JET_errCantUseDeferredPopulateIndex);
    for (JET_ERR err = JetMove(session, table, (int32_t)JET_MoveFirst, 0); err == JET_errSuccess;
         err = JetMove(session, table, JET_MoveNext, 0))
        assert_int_equal(JetDelete(session, table), JET_errSuccess);
}

int main(int argc, char **argv)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, start, api_world_end)
    const struct CMUnitTest tests[] = {
        CASE(values_from_indexes), CASE(gaps_between_columns),  CASE(primary_keys),
        CASE(first_long_value),    CASE(temporary_long_values), CASE(entries),
        CASE(whole_keys_only),     CASE(deferred_index),
    };
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
