/* JetDefragment: gives back what deletions left, answers as the engine does, leaves the database whole. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/api_world.h"

#define OK(call) assert_int_equal((call), JET_errSuccess)
#define ANSWERS(code, call) assert_int_equal((call), (code))
#define ROWS 400

static JET_DBID database;
static JET_COLUMNID id_column, data_column;

static int setup(void **state)
{
    (void)state;
    return api_world_start(true) && JetCreateDatabaseA(session, "x.edb", NULL, &database, 0) == JET_errSuccess
               ? 0
               : -1;
}

static JET_TABLEID make_table(void)
{
    JET_TABLEID table;
    JET_COLUMNDEF number = {
        .cbStruct = sizeof(number), .coltyp = JET_coltypLong, .grbit = JET_bitColumnFixed};
    JET_COLUMNDEF data = {.cbStruct = sizeof(data), .coltyp = JET_coltypLongBinary};
    OK(JetCreateTableA(session, database, "t", 0, 80, &table));
    OK(JetAddColumnA(session, table, "id", &number, NULL, 0, &id_column));
    OK(JetAddColumnA(session, table, "data", &data, NULL, 0, &data_column));
    OK(JetCreateIndexA(session, table, "pk", JET_bitIndexPrimary, "+id\0", 5, 80));
    return table;
}

static void fill(JET_TABLEID table)
{
    static uint8_t value[700];
    OK(JetBeginTransaction(session));
    for (int32_t id = 0; id < ROWS; id++) {
        OK(JetPrepareUpdate(session, table, JET_prepInsert));
        OK(JetSetColumn(session, table, id_column, &id, sizeof(id), 0, NULL));
        OK(JetSetColumn(session, table, data_column, value, sizeof(value), 0, NULL));
        OK(JetUpdate(session, table, NULL, 0, NULL));
    }
    OK(JetCommitTransaction(session, 0));
}

/* Deletes all rows but the first tenth. */
static void thin(JET_TABLEID table)
{
    int32_t id = 0;
    OK(JetBeginTransaction(session));
    JET_ERR err = JetMove(session, table, (int32_t)JET_MoveFirst, 0);
    while (err == JET_errSuccess) {
        OK(JetRetrieveColumn(session, table, id_column, &id, sizeof(id), NULL, 0, NULL));
        if (id >= ROWS / 10)
            OK(JetDelete(session, table));
        err = JetMove(session, table, JET_MoveNext, 0);
    }
    ANSWERS(JET_errNoCurrentRecord, err);
    OK(JetCommitTransaction(session, 0));
}

static uint32_t free_pages(JET_TABLEID table)
{
    uint32_t pages = 0;
    OK(JetGetTableInfoA(session, table, &pages, sizeof(pages), JET_TblInfoSpaceAvailable));
    return pages;
}

static uint32_t count(JET_TABLEID table)
{
    uint32_t records = 0;
    OK(JetMove(session, table, (int32_t)JET_MoveFirst, 0));
    OK(JetIndexRecordCount(session, table, &records, UINT32_MAX));
    return records;
}

static uint32_t calls;
static void *context_seen;

static JET_ERR JET_API on_done(JET_SESID sesid, JET_DBID dbid, JET_TABLEID tableid, JET_CBTYP cbtyp,
                               void *pvArg1, void *pvArg2, void *pvContext, JET_API_PTR ulUnused)
{
    (void)pvArg1;
    (void)pvArg2;
    (void)ulUnused;
    assert_true(sesid == session);
    assert_true(dbid == database);
    assert_true(tableid == JET_tableidNil);
    assert_int_equal(cbtyp, JET_cbtypOnlineDefragCompleted);
    context_seen = pvContext;
    calls++;
    return JET_errSuccess;
}

static void rows_stay_and_the_database_is_whole(void **state)
{
    uint32_t passes = 9;
    uint32_t seconds = 9;
    (void)state;
    JET_TABLEID table = make_table();
    fill(table);
    thin(table);
    assert_int_equal(count(table), ROWS / 10);
    const uint32_t before = free_pages(table);
    OK(JetDefragmentA(session, database, "t", &passes, &seconds, JET_bitDefragmentBatchStart));
    assert_int_equal(count(table), ROWS / 10);
    assert_true(free_pages(table) > before);
    OK(JetCloseTable(session, table));
    OK(JetCloseDatabase(session, database, 0));
    OK(JetDetachDatabaseA(session, "x.edb"));
    OK(EsentHostCheckDatabase("x.edb", NULL, NULL));
}

static void a_stop_finds_nothing_running(void **state)
{
    uint32_t passes = 9;
    uint32_t seconds = 9;
    (void)state;
    ANSWERS(JET_wrnDefragNotRunning,
            JetDefragmentA(session, database, NULL, &passes, &seconds, JET_bitDefragmentBatchStop));
    assert_int_equal(passes, 0);
    assert_int_equal(seconds, 0);
    ANSWERS(JET_wrnDefragNotRunning,
            JetDefragmentW(session, database, NULL, NULL, NULL, JET_bitDefragmentBatchStop));
}

static void the_program_is_told(void **state)
{
    int mark = 0;
    (void)state;
    calls = 0;
    OK(JetDefragment2A(session, database, NULL, NULL, NULL, on_done, JET_bitDefragmentBatchStart));
    assert_int_equal(calls, 1);
    assert_null(context_seen);
    OK(JetDefragment3A(session, "x.edb", NULL, NULL, NULL, on_done, &mark, JET_bitDefragmentBatchStart));
    assert_int_equal(calls, 2);
    assert_ptr_equal(context_seen, &mark);
    OK(JetDefragment3W(session, u"x.edb", NULL, NULL, NULL, on_done, NULL, JET_bitDefragmentBatchStart));
    assert_int_equal(calls, 3);
}

static void bad_calls_are_refused(void **state)
{
    JET_DBID second;
    (void)state;
    OK(JetCloseTable(session, make_table()));
    ANSWERS(JET_errInvalidGrbit, JetDefragmentA(session, database, NULL, NULL, NULL, 0));
    ANSWERS(JET_errInvalidGrbit, JetDefragmentA(session, database, "t", NULL, NULL,
                                                JET_bitDefragmentBTree | JET_bitDefragmentBatchStart));
    ANSWERS(JET_errInvalidParameter,
            JetDefragmentA(session, database, NULL, NULL, NULL, JET_bitDefragmentBTree));
    ANSWERS(JET_errInvalidParameter,
            JetDefragment2A(session, database, "t", NULL, NULL, on_done, JET_bitDefragmentBTree));
    ANSWERS(JET_errObjectNotFound,
            JetDefragmentA(session, database, "none", NULL, NULL, JET_bitDefragmentBTree));
    OK(JetDefragmentA(session, database, "t", NULL, NULL, JET_bitDefragmentBTree));
    ANSWERS(JET_errInvalidDatabaseId,
            JetDefragmentA(session, JET_dbidNil, NULL, NULL, NULL, JET_bitDefragmentBatchStart));
    ANSWERS(JET_errDatabaseNotFound,
            JetDefragment3A(session, "none.edb", NULL, NULL, NULL, NULL, NULL, JET_bitDefragmentBatchStart));
    OK(JetCloseDatabase(session, database, 0));
    OK(JetDetachDatabaseA(session, "x.edb"));
    OK(JetAttachDatabaseA(session, "x.edb", JET_bitDbReadOnly));
    OK(JetOpenDatabaseA(session, "x.edb", NULL, &second, JET_bitDbReadOnly));
    ANSWERS(JET_errDatabaseFileReadOnly,
            JetDefragmentA(session, second, NULL, NULL, NULL, JET_bitDefragmentBatchStart));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(rows_stay_and_the_database_is_whole, setup, api_world_end),
        cmocka_unit_test_setup_teardown(a_stop_finds_nothing_running, setup, api_world_end),
        cmocka_unit_test_setup_teardown(the_program_is_told, setup, api_world_end),
        cmocka_unit_test_setup_teardown(bad_calls_are_refused, setup, api_world_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
