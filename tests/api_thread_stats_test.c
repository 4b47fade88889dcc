/* JetGetThreadStats: what the calling thread's calls cost, and nobody else's. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/api_world.h"

#define OK(call) assert_int_equal((call), JET_errSuccess)
#define VALUE_SIZE 20000 /* more than a row holds */

static JET_DBID database;
static JET_TABLEID table;
static JET_COLUMNID column;

static int setup(void **state)
{
    (void)state;
    JET_COLUMNDEF data = {.cbStruct = sizeof(data), .coltyp = JET_coltypLongBinary};
    return api_world_start(false) &&
                   JetCreateDatabaseA(session, "x.edb", NULL, &database, 0) == JET_errSuccess &&
                   JetCreateTableA(session, database, "t", 0, 80, &table) == JET_errSuccess &&
                   JetAddColumnA(session, table, "data", &data, NULL, 0, &column) == JET_errSuccess
               ? 0
               : -1;
}

static JET_THREADSTATS3 stats(void)
{
    JET_THREADSTATS3 now;
    OK(JetGetThreadStats(&now, sizeof(now)));
    assert_int_equal(now.cbStruct, sizeof(now));
    return now;
}

static void insert(const void *value, uint32_t size)
{
    OK(JetBeginTransaction(session));
    OK(JetPrepareUpdate(session, table, JET_prepInsert));
    OK(JetSetColumn(session, table, column, value, size, 0, NULL));
    OK(JetUpdate(session, table, NULL, 0, NULL));
    OK(JetCommitTransaction(session, 0));
}

static void changes_and_reads_are_counted(void **state)
{
    static uint8_t value[VALUE_SIZE];
    (void)state;
    const JET_THREADSTATS3 start = stats();
    assert_int_equal(JetMove(session, table, (int32_t)JET_MoveFirst, 0), JET_errNoCurrentRecord);
    const JET_THREADSTATS3 looked = stats();
    assert_true(looked.cPageReferenced > start.cPageReferenced);
    assert_int_equal(looked.cPageDirtied, start.cPageDirtied);
    assert_int_equal(looked.cLogRecord, start.cLogRecord);
    insert("a", 1);
    insert("b", 1);
    const JET_THREADSTATS3 inserted = stats();
    assert_true(inserted.cPageRedirtied > looked.cPageRedirtied);
    assert_true(inserted.cLogRecord - looked.cLogRecord >= 2);
    assert_true(inserted.cbLogRecord - looked.cbLogRecord >= 2 * (inserted.cLogRecord - looked.cLogRecord));
    assert_int_equal(inserted.cSeparatedLongValueRead, start.cSeparatedLongValueRead);
    insert(value, VALUE_SIZE);
    OK(JetMove(session, table, (int32_t)JET_MoveLast, 0));
    OK(JetRetrieveColumn(session, table, column, value, VALUE_SIZE, NULL, 0, NULL));
    assert_int_equal(stats().cSeparatedLongValueRead, start.cSeparatedLongValueRead + 1);
    assert_true(stats().cPageDirtied > inserted.cPageDirtied);
}

static void pages_come_from_the_file_once(void **state)
{
    (void)state;
    insert("a", 1);
    OK(JetCloseTable(session, table));
    OK(JetCloseDatabase(session, database, 0));
    OK(JetDetachDatabaseA(session, "x.edb"));
    const JET_THREADSTATS3 start = stats();
    OK(JetAttachDatabaseA(session, "x.edb", 0));
    OK(JetOpenDatabaseA(session, "x.edb", NULL, &database, 0));
    OK(JetOpenTableA(session, database, "t", NULL, 0, 0, &table));
    OK(JetMove(session, table, (int32_t)JET_MoveFirst, 0));
    const JET_THREADSTATS3 first = stats();
    assert_true(first.cPageRead > start.cPageRead);
    assert_int_equal(first.cPageCacheMiss - start.cPageCacheMiss, first.cPageRead - start.cPageRead);
    OK(JetMove(session, table, (int32_t)JET_MoveFirst, 0));
    assert_int_equal(stats().cPageRead, first.cPageRead);
    assert_true(stats().cPageReferenced > first.cPageReferenced);
}

static void *insert_elsewhere(void *context)
{
    JET_THREADSTATS3 *costs = context;
    JET_SESID own;
    JET_DBID id;
    JET_TABLEID cursor;
    bool good = JetBeginSessionA(instance, &own, NULL, NULL) == JET_errSuccess &&
                JetOpenDatabaseA(own, "x.edb", NULL, &id, 0) == JET_errSuccess &&
                JetOpenTableA(own, id, "t", NULL, 0, 0, &cursor) == JET_errSuccess &&
                JetBeginTransaction(own) == JET_errSuccess &&
                JetPrepareUpdate(own, cursor, JET_prepInsert) == JET_errSuccess &&
                JetUpdate(own, cursor, NULL, 0, NULL) == JET_errSuccess &&
                JetCommitTransaction(own, 0) == JET_errSuccess && JetEndSession(own, 0) == JET_errSuccess &&
                JetGetThreadStats(costs, sizeof(*costs)) == JET_errSuccess;
    return good ? context : NULL;
}

static void other_threads_are_not_counted(void **state)
{
    pthread_t thread;
    void *result = NULL;
    JET_THREADSTATS3 theirs;
    (void)state;
    OK(JetCloseTable(session, table)); /* its creator's cursor is exclusive */
    const JET_THREADSTATS3 start = stats();
    assert_int_equal(pthread_create(&thread, NULL, insert_elsewhere, &theirs), 0);
    assert_int_equal(pthread_join(thread, &result), 0);
    assert_non_null(result);
    const JET_THREADSTATS3 end = stats();
    assert_memory_equal(&start, &end, sizeof(start));
    assert_true(theirs.cPageReferenced > 0);
    assert_true(theirs.cLogRecord > 0);
    assert_true(theirs.cLogRecord < start.cLogRecord); /* that thread began at nothing */
}

static void callers_of_all_sizes(void **state)
{
    JET_THREADSTATS3 whole;
    (void)state;
    memset(&whole, 0xee, sizeof(whole));
    assert_int_equal(JetGetThreadStats(&whole, sizeof(JET_THREADSTATS) - 1), JET_errBufferTooSmall);
    OK(JetGetThreadStats(&whole, sizeof(JET_THREADSTATS)));
    assert_int_equal(whole.cbStruct, sizeof(JET_THREADSTATS));
    assert_true(whole.cPageReferenced > 0);
    assert_int_equal(whole.cPageCacheMiss, 0xeeeeeeee);
    OK(JetGetThreadStats(&whole, 1000 * 1000));
    assert_int_equal(whole.cbStruct, sizeof(whole));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(changes_and_reads_are_counted, setup, api_world_end),
        cmocka_unit_test_setup_teardown(pages_come_from_the_file_once, setup, api_world_end),
        cmocka_unit_test_setup_teardown(other_threads_are_not_counted, setup, api_world_end),
        cmocka_unit_test_setup_teardown(callers_of_all_sizes, setup, api_world_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
