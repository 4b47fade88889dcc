/* Rows: what makes them refused, how their numbers go on, and where their values lie. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/table_world.h"

/* --- numbers */

static int64_t insert_numbered(JET_COLUMNID number, uint32_t width)
{
    int64_t value = 0;
    prepare(JET_prepInsert);
    assert_int_equal(
        JetRetrieveColumn(session, table, number, &value, width, NULL, JET_bitRetrieveCopy, NULL),
        JET_errSuccess);
    assert_int_equal(JetUpdate(session, table, NULL, 0, NULL), JET_errSuccess);
    return value;
}

static void auto_increment(void **state)
{
    static const struct shape shapes[2][2] = {
        {{"n", JET_coltypLong, JET_bitColumnAutoincrement, 0, NULL, 0}, {"d", JET_coltypLong, 0, 0, NULL, 0}},
        {{"n", JET_coltypCurrency, JET_bitColumnAutoincrement, 0, NULL, 0},
         {"d", JET_coltypLong, 0, 0, NULL, 0}}};
    (void)state;
    for (int wide = 0; wide < 2; wide++) {
        const uint32_t width = wide != 0 ? 8 : 4;
        JET_COLUMNID ids[2];
        make_table("t", shapes[wide], 2, ids);
        for (int64_t i = 1; i <= 5; i++)
            assert_int_equal(insert_numbered(ids[0], width), i);
        prepare(JET_prepInsert); /* takes a number that is never used */
        prepare(JET_prepCancel);
        assert_int_equal(insert_numbered(ids[0], width), 7);
        assert_int_equal(set_with(ids[0], "\0\0\0\0\0\0\0\0", width, 0, 1), JET_errUpdateNotPrepared);
        prepare(JET_prepInsert);
        assert_int_equal(set_with(ids[0], "\0\0\0\0\0\0\0\0", width, 0, 1), JET_errInvalidColumnType);
        prepare(JET_prepCancel);
        /* Numbers go on behind those in use. */
        attach_anew();
        /* ... and behind what was left of the batches in which the published engine would have taken these: 1
         * and 2, 3 to 6, of which 6 is not used, so that 7 and 8 are the first batch of another life. */
        assert_int_equal(insert_numbered(ids[0], width), 9);
        assert_int_equal(insert_numbered(ids[0], width), 10);
        /* An empty table begins anew: nobody knows of the numbers any more. */
        for (JET_ERR err = JetMove(session, table, (int32_t)JET_MoveFirst, 0); err == JET_errSuccess;
             err = JetMove(session, table, JET_MoveNext, 0))
            assert_int_equal(JetDelete(session, table), JET_errSuccess);
        attach_anew();
        assert_int_equal(insert_numbered(ids[0], width), 1);
        assert_int_equal(JetCloseTable(session, table), JET_errSuccess);
        assert_int_equal(JetDeleteTableA(session, database, "t"), JET_errSuccess);
    }
}

/* In the published profile numbers are taken in growing batches, and what is left of one is lost. */
static void reserved_numbers(void **state)
{
    static const struct shape shape[2] = {{"n", JET_coltypLong, JET_bitColumnAutoincrement, 0, NULL, 0},
                                          {"d", JET_coltypLong, 0, 0, NULL, 0}};
    JET_COLUMNID ids[2];
    (void)state;
    EsentHostSetProfile(ESENT_HOST_PUBLISHED);
    make_table("t", shape, 2, ids);
    for (int64_t i = 1; i <= 3; i++)
        assert_int_equal(insert_numbered(ids[0], 4), i);
    attach_anew();
    assert_int_equal(insert_numbered(ids[0], 4), 7); /* 2, then 4 had been taken */
    attach_anew();
    assert_int_equal(insert_numbered(ids[0], 4), 9); /* 2 again */
    assert_int_equal(JetBeginTransaction(session), JET_errSuccess);
    for (int64_t i = 10; i < 700; i++) /* batches grow to 256 */
        assert_int_equal(insert_numbered(ids[0], 4), i);
    assert_int_equal(JetCommitTransaction(session, 0), JET_errSuccess);
    EsentHostSetProfile(ESENT_HOST_DOCUMENTED);
}

/* Where the root does not say how far numbers were taken (the documented profile wrote the rows), those in
 * use do. */
static void numbers_of_the_other_profile(void **state)
{
    static const struct shape shape[2] = {{"n", JET_coltypLong, JET_bitColumnAutoincrement, 0, NULL, 0},
                                          {"d", JET_coltypLong, 0, 0, NULL, 0}};
    JET_COLUMNID ids[2];
    (void)state;
    make_table("t", shape, 2, ids);
    for (int64_t i = 1; i <= 300; i++)
        assert_int_equal(insert_numbered(ids[0], 4), i);
    attach_anew();
    EsentHostSetProfile(ESENT_HOST_PUBLISHED);
    /* 2 + 4 + ... + 128 + 256 is the first end of a batch at or behind 300. */
    assert_int_equal(insert_numbered(ids[0], 4), 511);
    EsentHostSetProfile(ESENT_HOST_DOCUMENTED);
    attach_anew();
    assert_int_equal(insert_numbered(ids[0], 4), 513); /* 511 and 512 were the first of a new life */
}

/* Finding out how far numbers are used, and reserving more: each allocation fails once. */
static void numbers_without_memory(void **state)
{
    static const struct shape shape[1] = {{"n", JET_coltypLong, JET_bitColumnAutoincrement, 0, NULL, 0}};
    JET_COLUMNID ids[1];
    (void)state;
    for (int profile = 0; profile < 2; profile++) {
        unsigned failures = 0;
        make_table("t", shape, 1, ids);
        for (int64_t i = 1; i <= 3; i++)
            assert_int_equal(insert_numbered(ids[0], 4), i);
        EsentHostSetProfile(profile == 0 ? ESENT_HOST_DOCUMENTED : ESENT_HOST_PUBLISHED);
        for (uint64_t nth = 1;; nth++) {
            attach_anew();
            EsentHostResetCounters();
            EsentHostFailNth(ESENT_HOST_FAULT_ALLOCATE, nth, 1);
            const JET_ERR err = JetPrepareUpdate(session, table, JET_prepInsert);
            EsentHostFailNone();
            if (err == JET_errSuccess)
                break;
            assert_int_equal(err, JET_errOutOfMemory);
            failures++;
        }
        assert_true(failures > 0);
        prepare(JET_prepCancel);
        EsentHostSetProfile(ESENT_HOST_DOCUMENTED);
        assert_int_equal(JetCloseTable(session, table), JET_errSuccess);
        assert_int_equal(JetDeleteTableA(session, database, "t"), JET_errSuccess);
    }
}

/* Rows without a primary index are in the order of insertion, through every new start. */
static void sequence(void **state)
{
    static const struct shape shape[1] = {{"d", JET_coltypLong, 0, 0, NULL, 0}};
    JET_COLUMNID ids[1];
    uint8_t bookmark[10];
    uint32_t size = 0;
    (void)state;
    make_table("t", shape, 1, ids);
    for (int32_t i = 0; i < 3; i++) {
        attach_anew();
        prepare(JET_prepInsert);
        assert_int_equal(set_with(ids[0], &i, 4, 0, 1), JET_errSuccess);
        assert_int_equal(JetUpdate(session, table, bookmark, 3, &size), JET_errBufferTooSmall);
        assert_int_equal(JetUpdate(session, table, bookmark, 4, &size), JET_errSuccess);
        assert_int_equal(size, 4);
    }
    int32_t expected = 0;
    for (JET_ERR err = JetMove(session, table, (int32_t)JET_MoveFirst, 0); err == JET_errSuccess;
         err = JetMove(session, table, JET_MoveNext, 0)) {
        int32_t value = 0;
        assert_int_equal(JetRetrieveColumn(session, table, ids[0], &value, 4, NULL, 0, NULL), JET_errSuccess);
        assert_int_equal(value, expected++);
    }
    assert_int_equal(expected, 3);
}

/* --- what is refused */

static void nulls(void **state)
{
    static const struct shape shape[5] = {
        {"fixed", JET_coltypLong, JET_bitColumnNotNULL, 0, NULL, 0},
        {"variable", JET_coltypText, JET_bitColumnNotNULL, 1252, NULL, 0},
        {"tagged", JET_coltypText, JET_bitColumnNotNULL | JET_bitColumnTagged, 1252, NULL, 0},
        {"long", JET_coltypLongText, JET_bitColumnNotNULL, 1252, NULL, 0},
        {"default", JET_coltypLong, JET_bitColumnNotNULL, 0, "\1\0\0\0", 4},
    };
    JET_COLUMNID ids[5];
    (void)state;
    make_table("t", shape, 5, ids);
    assert_int_equal(JetBeginTransaction(session), JET_errSuccess);
    prepare(JET_prepInsert);
    for (int i = 0; i < 5; i++)
        assert_int_equal(set_with(ids[i], NULL, 0, 0, 1), JET_errNullInvalid);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(JetUpdate(session, table, NULL, 0, NULL), JET_errNullInvalid);
        assert_int_equal(set_with(ids[i], "abcd", 4, 0, 1), JET_errSuccess);
    }
    assert_int_equal(JetUpdate(session, table, NULL, 0, NULL), JET_errSuccess);
    assert_int_equal(JetCommitTransaction(session, 0), JET_errSuccess);
}

static void conflicts(void **state)
{
    static const struct shape shape[2] = {{"id", JET_coltypLong, JET_bitColumnFixed, 0, NULL, 0},
                                          {"v", JET_coltypLong, JET_bitColumnVersion, 0, NULL, 0}};
    JET_COLUMNID ids[2];
    JET_TABLEID other;
    const int32_t one = 1;
    const int32_t two = 2;
    (void)state;
    make_table("t", shape, 2, ids);
    assert_int_equal(JetCreateIndexA(session, table, "pk", JET_bitIndexPrimary, "+id\0", 5, 80),
                     JET_errSuccess);
    prepare(JET_prepInsert);
    assert_int_equal(set_with(ids[0], &one, 4, 0, 1), JET_errSuccess);
    assert_int_equal(JetUpdate2(session, table, NULL, 0, NULL, JET_bitUpdateNoVersion),
                     JET_errUpdateMustVersion);
    assert_int_equal(JetUpdate(session, table, NULL, 0, NULL), JET_errSuccess);
    assert_int_equal(JetMove(session, table, (int32_t)JET_MoveFirst, 0), JET_errSuccess);
    prepare(JET_prepReplace);
    assert_int_equal(set_with(ids[1], &two, 4, 0, 1), JET_errInvalidColumnType);
    assert_int_equal(set_with(ids[0], &two, 4, 0, 1), JET_errSuccess);
    assert_int_equal(JetUpdate(session, table, NULL, 0, NULL), JET_errRecordPrimaryChanged);
    prepare(JET_prepCancel);
    /* The row has changed since the update without a lock was prepared. */
    assert_int_equal(JetDupCursor(session, table, &other, 0), JET_errSuccess);
    assert_int_equal(JetMove(session, other, (int32_t)JET_MoveFirst, 0), JET_errSuccess);
    prepare(JET_prepReplaceNoLock);
    assert_int_equal(set_with(ids[0], &one, 4, 0, 1), JET_errSuccess);
    assert_int_equal(JetPrepareUpdate(session, other, JET_prepReplace), JET_errSuccess);
    assert_int_equal(JetSetColumn(session, other, ids[0], &one, 4, 0, NULL), JET_errSuccess);
    assert_int_equal(JetUpdate(session, other, NULL, 0, NULL), JET_errSuccess); /* its version counts up */
    assert_int_equal(JetUpdate(session, table, NULL, 0, NULL), JET_errWriteConflict);
    prepare(JET_prepCancel);
    assert_int_equal(JetDelete(session, other), JET_errSuccess);
    assert_int_equal(JetPrepareUpdate(session, table, JET_prepReplace), JET_errRecordDeleted);
    assert_int_equal(JetPrepareUpdate(session, table, 77), JET_errInvalidParameter);
    assert_int_equal(JetPrepareUpdate(session, table, JET_prepCancel), JET_errUpdateNotPrepared);
    assert_int_equal(JetCloseTable(session, other), JET_errSuccess);
    /* A moved copy's original is not deleted beside it. */
    assert_int_equal(JetBeginTransaction(session), JET_errSuccess);
    prepare(JET_prepInsert);
    assert_int_equal(set_with(ids[0], &one, 4, 0, 1), JET_errSuccess);
    assert_int_equal(JetUpdate(session, table, NULL, 0, NULL), JET_errSuccess);
    assert_int_equal(JetMove(session, table, (int32_t)JET_MoveFirst, 0), JET_errSuccess);
    prepare(JET_prepInsertCopyDeleteOriginal);
    assert_int_equal(JetDelete(session, table), JET_errAlreadyPrepared);
    prepare(JET_prepCancel);
    prepare(JET_prepReplace);
    assert_int_equal(JetDelete(session, table), JET_errSuccess); /* the update is gone with the row */
    assert_int_equal(JetUpdate(session, table, NULL, 0, NULL), JET_errUpdateNotPrepared);
    assert_int_equal(JetCommitTransaction(session, 0), JET_errSuccess);
}

/* --- where values lie */

/* More than a row holds: long values go out, the largest limits first, and come back as they were. */
static void rows_that_overflow(void **state)
{
    static struct shape shape[31];
    static char names[31][8];
    JET_COLUMNID ids[31];
    static uint8_t back[20000];
    (void)state;
    for (int i = 0; i < 31; i++) {
        (void)snprintf(names[i], sizeof(names[i]), "c%d", i);
        shape[i] = (struct shape){names[i],
                                  JET_coltypLongBinary,
                                  i % 3 == 0 ? JET_bitColumnTagged | JET_bitColumnMultiValued : 0,
                                  0,
                                  NULL,
                                  0};
    }
    shape[30] = (struct shape){"id", JET_coltypLong, JET_bitColumnFixed, 0, NULL, 0};
    make_table("t", shape, 31, ids);
    static const uint32_t sizes[] = {1000, 900, 300, 120, 60, 1024, 5000};
    for (size_t s = 0; s < CASES(sizes); s++) {
        uint32_t set = 0;
        assert_int_equal(JetBeginTransaction(session), JET_errSuccess);
        prepare(JET_prepInsert);
        for (int i = 0; i < 30; i++, set++) {
            const JET_ERR err =
                set_with(ids[i], big + i, sizes[s], i % 7 == 3 ? JET_bitSetIntrinsicLV : 0, 1);
            if (err == JET_errRecordTooBig)
                continue;
            assert_int_equal(err, JET_errSuccess);
        }
        for (int i = 0; i < 30; i += 3) {
            assert_int_equal(set_with(ids[i], big + 100 + i, sizes[s] / 2, 0, 0), JET_errSuccess);
            assert_int_equal(set_with(ids[i], big + 200 + i, 7, 0, 0), JET_errSuccess);
        }
        assert_int_equal(JetUpdate(session, table, NULL, 0, NULL), JET_errSuccess);
        assert_int_equal(JetCommitTransaction(session, 0), JET_errSuccess);
        assert_int_equal(JetMove(session, table, JET_MoveLast, 0), JET_errSuccess);
        for (int i = 0; i < 30; i++) {
            uint32_t actual = 0;
            const JET_ERR err =
                JetRetrieveColumn(session, table, ids[i], back, sizeof(back), &actual, 0, NULL);
            if (err == JET_wrnColumnNull) /* one that had to stay in the row and found no room */
                continue;
            assert_int_equal(err, JET_errSuccess);
            if (i % 7 != 3 || actual == sizes[s]) {
                assert_int_equal(actual, sizes[s]);
                assert_memory_equal(back, big + i, actual);
            }
            if (i % 3 == 0) {
                JET_RETINFO info = {.cbStruct = sizeof(info), .itagSequence = 3};
                assert_int_equal(
                    JetRetrieveColumn(session, table, ids[i], back, sizeof(back), &actual, 0, &info),
                    JET_errSuccess);
                if (actual == 7)
                    assert_memory_equal(back, big + 200 + i, 7);
            }
        }
        assert_int_equal(set, 30);
    }
}

/* A derived table: the template's columns and its own share rows. */
static void derived_rows(void **state)
{
    static char *const key = "+a\0";
    JET_COLUMNCREATE_A columns[4] = {
        {.cbStruct = sizeof(columns[0]), .szColumnName = "a", .coltyp = JET_coltypLong},
        {.cbStruct = sizeof(columns[0]),
         .szColumnName = "t",
         .coltyp = JET_coltypLongText,
         .grbit = JET_bitColumnTagged},
        {.cbStruct = sizeof(columns[0]),
         .szColumnName = "d",
         .coltyp = JET_coltypLongText,
         .pvDefault = "dd",
         .cbDefault = 2},
        {.cbStruct = sizeof(columns[0]),
         .szColumnName = "m",
         .coltyp = JET_coltypLongBinary,
         .grbit = JET_bitColumnTagged | JET_bitColumnMultiValued}};
    JET_INDEXCREATE_A index = {.cbStruct = sizeof(index),
                               .szIndexName = "pk",
                               .szKey = key,
                               .cbKey = 4,
                               .grbit = JET_bitIndexPrimary};
    JET_TABLECREATE2_A create = {.cbStruct = sizeof(create),
                                 .szTableName = "m",
                                 .rgcolumncreate = columns,
                                 .cColumns = 4,
                                 .rgindexcreate = &index,
                                 .cIndexes = 1,
                                 .grbit = JET_bitTableCreateTemplateTable};
    const int32_t one = 1;
    static uint8_t back[5000];
    uint32_t actual = 0;
    (void)state;
    assert_int_equal(JetCreateTableColumnIndex2A(session, database, &create), JET_errSuccess);
    assert_int_equal(JetCloseTable(session, create.tableid), JET_errSuccess);
    JET_COLUMNCREATE_A own[2] = {
        {.cbStruct = sizeof(own[0]), .szColumnName = "o", .coltyp = JET_coltypLongText},
        {.cbStruct = sizeof(own[0]), .szColumnName = "b", .coltyp = JET_coltypLong}};
    create = (JET_TABLECREATE2_A){.cbStruct = sizeof(create),
                                  .szTableName = "t",
                                  .szTemplateTableName = "m",
                                  .rgcolumncreate = own,
                                  .cColumns = 2};
    assert_int_equal(JetCreateTableColumnIndex2A(session, database, &create), JET_errSuccess);
    table = create.tableid;
    attach_anew();
    const struct {
        JET_COLUMNID id;
        uint32_t size;
    } values[] = {{columns[1].columnid, 3000},
                  {columns[3].columnid, 400},
                  {own[0].columnid, 4000},
                  {columns[2].columnid, 5}};
    assert_int_equal(JetBeginTransaction(session), JET_errSuccess);
    prepare(JET_prepInsert);
    assert_int_equal(set_with(columns[0].columnid, &one, 4, 0, 1), JET_errSuccess);
    for (size_t i = 0; i < CASES(values); i++)
        assert_int_equal(
            set_with(values[i].id, big + i, values[i].size, i < 2 ? JET_bitSetIntrinsicLV : 0, 1),
            JET_errSuccess);
    for (int i = 0; i < 8; i++) /* until the template's values must go out */
        assert_int_equal(set_with(columns[3].columnid, big, 300, 0, 0), JET_errSuccess);
    assert_int_equal(JetUpdate(session, table, NULL, 0, NULL), JET_errSuccess);
    assert_int_equal(JetCommitTransaction(session, 0), JET_errSuccess);
    assert_int_equal(JetMove(session, table, (int32_t)JET_MoveFirst, 0), JET_errSuccess);
    for (size_t i = 0; i < CASES(values); i++) {
        assert_int_equal(
            JetRetrieveColumn(session, table, values[i].id, back, sizeof(back), &actual, 0, NULL),
            JET_errSuccess);
        assert_int_equal(actual, values[i].size);
        assert_memory_equal(back, big + i, actual);
    }
    /* Back to the default, by leaving the field away. */
    assert_int_equal(JetBeginTransaction(session), JET_errSuccess);
    prepare(JET_prepReplace);
    assert_int_equal(set_with(columns[2].columnid, NULL, 0, JET_bitSetRevertToDefaultValue, 1),
                     JET_errSuccess);
    assert_int_equal(JetUpdate(session, table, NULL, 0, NULL), JET_errSuccess);
    assert_int_equal(JetCommitTransaction(session, 0), JET_errSuccess);
    assert_int_equal(
        JetRetrieveColumn(session, table, columns[2].columnid, back, sizeof(back), &actual, 0, NULL),
        JET_errSuccess);
    assert_int_equal(actual, 2);
}

int main(int argc, char **argv)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, start, api_world_end)
    const struct CMUnitTest tests[] = {
        CASE(auto_increment),
        CASE(reserved_numbers),
        CASE(numbers_of_the_other_profile),
        CASE(numbers_without_memory),
        CASE(sequence),
        CASE(nulls),
        CASE(conflicts),
        CASE(rows_that_overflow),
        CASE(derived_rows),
    };
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
