/* The process dies, and while the next start repeats what the log has, the power fails: what the dead process
 * had written, but not synced, is lost then, unless the start saw to it before it used it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "include/esent.h"
#include "include/esent_host.h"

#define OK(call) assert_int_equal((call), JET_errSuccess)
#define DATABASE "/a/a.edb"
#define COMMITTED 20u
#define LAZY 60u /* rows of a commit that nobody waited for */
#define BEHIND                                                                                               \
    120u /* rows that were not committed: so many that the log is written without being asked to             \
          */
#define ROW 3000u

static JET_INSTANCE instance;
static JET_SESID session;
static JET_DBID database;
static JET_TABLEID table;
static JET_COLUMNID column;

static void make_instance(void)
{
    OK(JetCreateInstanceA(&instance, "power"));
    OK(JetSetSystemParameterA(&instance, 0, JET_paramLogFilePath, 0, "/a/"));
    OK(JetSetSystemParameterA(&instance, 0, JET_paramSystemPath, 0, "/a/"));
    OK(JetSetSystemParameterA(&instance, 0, JET_paramTempPath, 0, "/a/"));
    OK(JetSetSystemParameterA(&instance, 0, JET_paramLogFileSize, 2048, NULL));
}

static void make_table(const char *path)
{
    const JET_COLUMNDEF definition = {.cbStruct = sizeof definition, .coltyp = JET_coltypLongBinary};
    OK(JetCreateDatabaseA(session, path, NULL, &database, 0));
    OK(JetCreateTableA(session, database, "t", 1, 80, &table));
    OK(JetAddColumnA(session, table, "data", &definition, NULL, 0, &column));
}

static void add_rows(unsigned count)
{
    static uint8_t data[ROW];
    for (unsigned i = 0; i < count; i++) {
        memset(data, (int)('a' + i % 26), sizeof data);
        OK(JetPrepareUpdate(session, table, JET_prepInsert));
        OK(JetSetColumn(session, table, column, data, sizeof data, 0, NULL));
        OK(JetUpdate(session, table, NULL, 0, NULL));
    }
}

/* Committed rows, and two more transactions whose records are in the log's file, where no sync has made them
 * durable. */
static void make_world(void)
{
    const struct ESENT_HOST_SIMULATION simulation = {.seed = 1};
    (void)EsentHostReset(NULL, 0);
    OK(EsentHostUseMemoryFiles());
    OK(EsentHostUseSimulation(&simulation));
    OK(EsentHostTrackWrites(1));
    OK(EsentHostDirectoryCreate("/a"));
    make_instance();
    OK(JetInit(&instance));
    OK(JetBeginSessionA(instance, &session, NULL, NULL));
    make_table(DATABASE);
    const JET_TABLEID first = table;
    make_table("/a/b.edb");
    const JET_TABLEID second = table; /* written back behind the first */
    table = first;
    OK(JetBeginTransaction(session));
    add_rows(COMMITTED);
    OK(JetCommitTransaction(session, 0));
    OK(JetBeginTransaction(session));
    add_rows(LAZY);
    OK(JetCommitTransaction(session, JET_bitCommitLazyFlush));
    table = second;
    OK(JetBeginTransaction(session));
    add_rows(BEHIND);
    EsentHostCrash();
}

static void ignore(void *context, const struct ESENT_HOST_FINDING *finding)
{
    (void)context;
    (void)finding;
}

/* Every third of them. */
static void moments_of_a_start(void **state)
{
    int reached = 1;
    unsigned kept = 0;
    unsigned lost = 0;
    (void)state;
    for (uint64_t nth = 1; reached; nth += 3) {
        uint32_t count = 0;
        make_world();
        make_instance();
        EsentHostFailNth(ESENT_HOST_FAULT_CRASH, nth, 1);
        (void)JetInit(&instance);
        reached = EsentHostCrashPointReached();
        OK(EsentHostMachineCrash(ESENT_HOST_CRASH_LOSE_ALL, 1));
        EsentHostFailNone();
        make_instance();
        OK(JetInit(&instance));
        OK(JetBeginSessionA(instance, &session, NULL, NULL));
        OK(JetAttachDatabaseA(session, DATABASE, 0));
        OK(JetOpenDatabaseA(session, DATABASE, NULL, &database, 0));
        OK(JetOpenTableA(session, database, "t", NULL, 0, 0, &table));
        OK(JetIndexRecordCount(session, table, &count, 0));
        kept += count == COMMITTED + LAZY;
        lost += count == COMMITTED;
        assert_int_equal(kept + lost, nth / 3 + 1);
        OK(JetTerm2(instance, JET_bitTermComplete));
        OK(EsentHostCheckDatabase(DATABASE, ignore, NULL));
    }
    assert_true(kept > 0 && lost > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(moments_of_a_start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
