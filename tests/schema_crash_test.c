/* A machine crash at each write of a life full of schema changes: databases made, detached and attached,
 * tables, columns, indexes and long values made and deleted. Recovery finds what was there before the step
 * that was cut short, or behind it, and the files are whole. CRASH_STEP says which points are taken (1: all;
 * default 4). */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "include/esent.h"
#include "include/esent_host.h"

#define PAGE_SIZE 4096

static JET_INSTANCE instance;
static JET_SESID session;
static JET_DBID database;
static uint8_t value[9000];

#define TRY(call)                                                                                            \
    do {                                                                                                     \
        const JET_ERR err_ = (call);                                                                         \
        if (err_ < JET_errSuccess)                                                                           \
            return err_;                                                                                     \
    } while (0)

static JET_ERR start(void)
{
    TRY(JetSetSystemParameterA(NULL, 0, JET_paramDatabasePageSize, PAGE_SIZE, NULL));
    instance = JET_instanceNil;
    TRY(JetCreateInstanceA(&instance, "schema"));
    TRY(JetSetSystemParameterA(&instance, 0, JET_paramSystemPath, 0, "/w/"));
    TRY(JetSetSystemParameterA(&instance, 0, JET_paramLogFilePath, 0, "/w/"));
    TRY(JetSetSystemParameterA(&instance, 0, JET_paramTempPath, 0, "/w/"));
    TRY(JetSetSystemParameterA(&instance, 0, JET_paramLogFileSize, 128, NULL));
    TRY(JetSetSystemParameterA(&instance, 0, JET_paramCheckpointDepthMax, 16384, NULL));
    TRY(JetInit(&instance));
    return JetBeginSessionA(instance, &session, NULL, NULL);
}

/* ---- the steps, each durable when it returns */

static JET_ERR open_database(const char *path)
{
    return JetOpenDatabaseA(session, path, NULL, &database, 0);
}

static JET_ERR make_database(void)
{
    return JetCreateDatabaseA(session, "/w/a.edb", NULL, &database, 0);
}

static JET_ERR make_table(void)
{
    JET_TABLEID table;
    JET_COLUMNID column;
    const JET_COLUMNDEF number = {.cbStruct = sizeof number, .coltyp = JET_coltypLong};
    const JET_COLUMNDEF binary = {.cbStruct = sizeof binary, .coltyp = JET_coltypLongBinary};
    TRY(JetBeginTransaction(session));
    TRY(JetCreateTableA(session, database, "t", 1, 80, &table));
    TRY(JetAddColumnA(session, table, "id", &number, NULL, 0, &column));
    TRY(JetAddColumnA(session, table, "data", &binary, NULL, 0, &column));
    TRY(JetCreateIndexA(session, table, "pk", JET_bitIndexPrimary, "+id\0", 5, 80));
    TRY(JetCloseTable(session, table));
    return JetCommitTransaction(session, 0);
}

static JET_ERR open_table(const char *name, JET_TABLEID *table)
{
    return JetOpenTableA(session, database, name, NULL, 0, 0, table);
}

static JET_ERR column_of(JET_TABLEID table, const char *name, JET_COLUMNID *column)
{
    JET_COLUMNDEF definition = {.cbStruct = sizeof definition};
    TRY(JetGetTableColumnInfoA(session, table, name, &definition, sizeof definition, JET_ColInfo));
    *column = definition.columnid;
    return JET_errSuccess;
}

static JET_ERR insert_rows(int first, int count, uint32_t size)
{
    JET_TABLEID table;
    JET_COLUMNID id, data;
    TRY(open_table("t", &table));
    TRY(column_of(table, "id", &id));
    TRY(column_of(table, "data", &data));
    TRY(JetBeginTransaction(session));
    for (int32_t i = first; i < first + count; i++) {
        TRY(JetPrepareUpdate(session, table, JET_prepInsert));
        TRY(JetSetColumn(session, table, id, &i, sizeof i, 0, NULL));
        TRY(JetSetColumn(session, table, data, value, size, 0, NULL));
        TRY(JetUpdate(session, table, NULL, 0, NULL));
    }
    TRY(JetCommitTransaction(session, 0));
    return JetCloseTable(session, table);
}

static JET_ERR few_rows(void)
{
    return insert_rows(0, 40, 60);
}

static JET_ERR more_rows(void)
{
    return insert_rows(200, 30, 100);
}

static JET_ERR long_rows(void)
{
    return insert_rows(100, 6, sizeof value);
}

static JET_ERR add_column(void)
{
    JET_TABLEID table;
    JET_COLUMNID column;
    const JET_COLUMNDEF number = {.cbStruct = sizeof number, .coltyp = JET_coltypLong};
    TRY(open_table("t", &table));
    TRY(JetAddColumnA(session, table, "more", &number, NULL, 0, &column));
    return JetCloseTable(session, table);
}

static JET_ERR make_index(void)
{
    JET_TABLEID table;
    TRY(open_table("t", &table));
    TRY(JetCreateIndexA(session, table, "back", 0, "-id\0", 5, 80));
    return JetCloseTable(session, table);
}

static JET_ERR delete_index(void)
{
    JET_TABLEID table;
    TRY(open_table("t", &table));
    TRY(JetDeleteIndexA(session, table, "back"));
    return JetCloseTable(session, table);
}

static JET_ERR delete_column(void)
{
    JET_TABLEID table;
    TRY(open_table("t", &table));
    TRY(JetDeleteColumnA(session, table, "more"));
    return JetCloseTable(session, table);
}

static JET_ERR make_other_table(void)
{
    JET_TABLEID table;
    TRY(JetCreateTableA(session, database, "u", 16, 80, &table));
    return JetCloseTable(session, table);
}

static JET_ERR rename_table(void)
{
    return JetRenameTableA(session, database, "u", "v");
}

static JET_ERR delete_table(void)
{
    return JetDeleteTableA(session, database, "v");
}

static JET_ERR delete_rows(void)
{
    JET_TABLEID table;
    TRY(open_table("t", &table));
    TRY(JetBeginTransaction(session));
    TRY(JetMove(session, table, (int32_t)JET_MoveLast, 0));
    for (int i = 0; i < 20; i++) {
        TRY(JetDelete(session, table));
        TRY(JetMove(session, table, JET_MovePrevious, 0));
    }
    TRY(JetCommitTransaction(session, 0));
    return JetCloseTable(session, table);
}

static JET_ERR detach(void)
{
    TRY(JetCloseDatabase(session, database, 0));
    return JetDetachDatabaseA(session, "/w/a.edb");
}

static JET_ERR attach(void)
{
    TRY(JetAttachDatabaseA(session, "/w/a.edb", 0));
    return open_database("/w/a.edb");
}

static JET_ERR make_other_database(void)
{
    JET_DBID other;
    TRY(JetCreateDatabaseA(session, "/w/b.edb", NULL, &other, 0));
    return JetCloseDatabase(session, other, 0);
}

static JET_ERR detach_other_database(void)
{
    return JetDetachDatabaseA(session, "/w/b.edb");
}

static JET_ERR restart(void)
{
    TRY(JetTerm2(instance, JET_bitTermComplete));
    TRY(start());
    return attach();
}

static JET_ERR (*const steps[])(void) = {
    make_database,
    make_table,
    few_rows,
    add_column,
    make_index,
    make_other_table,
    long_rows,
    rename_table,
    delete_rows,
    delete_index,
    make_other_database,
    delete_column,
    detach,
    attach,
    more_rows,
    delete_table,
    detach_other_database,
    restart,
    make_index,
};
#define STEPS (sizeof steps / sizeof steps[0])

/* ---- what is there, as a number */

static uint32_t count_rows(JET_TABLEID table)
{
    uint32_t rows = 0;
    JET_ERR err = JetMove(session, table, (int32_t)JET_MoveFirst, 0);
    for (; err == JET_errSuccess; err = JetMove(session, table, JET_MoveNext, 0))
        rows++;
    assert_int_equal(err, JET_errNoCurrentRecord);
    return rows;
}

static uint32_t look(void)
{
    uint32_t seen = 0;
    JET_TABLEID table;
    JET_COLUMNID column;
    uint32_t rows = 0;
    if (EsentHostFileInfo("/w/a.edb", &(struct ESENT_HOST_FILE_INFO){0}) != JET_errSuccess)
        return 0;
    const JET_ERR attached = JetAttachDatabaseA(session, "/w/a.edb", 0);
    if (attached < JET_errSuccess || open_database("/w/a.edb") < JET_errSuccess)
        fail_msg("the database does not open: %d", attached);
    seen = 1;
    if (open_table("t", &table) >= JET_errSuccess) {
        rows = count_rows(table);
        seen |= 2 + rows * 4096;
        seen |= column_of(table, "more", &column) >= JET_errSuccess ? 4 : 0;
        if (JetSetCurrentIndexA(session, table, "back") >= JET_errSuccess) {
            seen |= 8;
            assert_int_equal(count_rows(table), rows);
        }
        assert_int_equal(JetCloseTable(session, table), JET_errSuccess);
    }
    for (int i = 0; i < 2; i++) {
        if (open_table(i == 0 ? "u" : "v", &table) < JET_errSuccess)
            continue;
        seen |= i == 0 ? 16 : 32;
        assert_int_equal(JetCloseTable(session, table), JET_errSuccess);
    }
    return seen;
}

/* As behind step i, found by doing them without a crash. */
static uint32_t expected[STEPS + 1];

static void begin_world(enum ESENT_HOST_CRASH_MODE mode)
{
    const struct ESENT_HOST_SIMULATION simulation = {.seed = (uint64_t)mode + 1};
    (void)EsentHostReset(NULL, 0);
    assert_int_equal(EsentHostUseMemoryFiles(), JET_errSuccess);
    assert_int_equal(EsentHostUseSimulation(&simulation), JET_errSuccess);
    assert_int_equal(EsentHostDirectoryCreate("/w"), JET_errSuccess);
    assert_int_equal(EsentHostTrackWrites(PAGE_SIZE), JET_errSuccess);
}

static void learn(void)
{
    for (size_t i = 0; i < sizeof value; i++)
        value[i] = (uint8_t)(i * 7 + i / 251);
    for (size_t count = 0; count <= STEPS; count++) {
        begin_world(ESENT_HOST_CRASH_KEEP_ALL);
        assert_int_equal(start(), JET_errSuccess);
        for (size_t i = 0; i < count; i++) {
            const JET_ERR err = steps[i]();
            if (err < JET_errSuccess)
                fail_msg("step %zu answered %d", i, err);
        }
        EsentHostCrash();
        assert_int_equal(start(), JET_errSuccess);
        expected[count] = look();
        EsentHostCrash();
    }
}

static void whole(const char *path, uint64_t point)
{
    const JET_ERR err = EsentHostCheckDatabase(path, NULL, NULL);
    if (err != JET_errSuccess && err != JET_errFileNotFound)
        fail_msg("point %llu: the checker answers %d for %s", (unsigned long long)point, err, path);
}

/* True if there was such a point. */
static bool crash_at(enum ESENT_HOST_CRASH_MODE mode, uint64_t point)
{
    size_t done = 0;
    begin_world(mode);
    EsentHostFailNth(ESENT_HOST_FAULT_CRASH, point, 1);
    JET_ERR err = start();
    while (err >= JET_errSuccess && !EsentHostCrashPointReached() && done < STEPS) {
        err = steps[done]();
        done += !EsentHostCrashPointReached();
    }
    const bool reached = EsentHostCrashPointReached();
    if (err < JET_errSuccess && !reached)
        fail_msg("mode %d, point %llu: step %zu answered %d", mode, (unsigned long long)point, done, err);
    EsentHostFailNone();
    assert_int_equal(EsentHostMachineCrash(mode, point), JET_errSuccess);
    err = start();
    if (err < JET_errSuccess)
        fail_msg("mode %d, point %llu, step %zu: JetInit answered %d", mode, (unsigned long long)point, done,
                 err);
    const uint32_t seen = look();
    if (seen != expected[done] && (done == STEPS || seen != expected[done + 1]))
        fail_msg("mode %d, point %llu, step %zu: %x, neither %x nor %x", mode, (unsigned long long)point,
                 done, seen, expected[done], expected[done < STEPS ? done + 1 : done]);
    assert_int_equal(JetTerm2(instance, JET_bitTermComplete), JET_errSuccess);
    whole("/w/a.edb", point);
    whole("/w/b.edb", point);
    return reached;
}

static void crash_everywhere(enum ESENT_HOST_CRASH_MODE mode)
{
    const char *text = getenv("CRASH_STEP");
    const uint64_t step = text != NULL ? strtoull(text, NULL, 10) : 1;
    uint64_t point = 1 + (uint64_t)mode % step;
    while (crash_at(mode, point))
        point += step;
    print_message("%llu points\n", (unsigned long long)(point - 1));
}

static void all_writes_survive(void **state)
{
    (void)state;
    crash_everywhere(ESENT_HOST_CRASH_KEEP_ALL);
}

static void unsynced_writes_are_lost(void **state)
{
    (void)state;
    crash_everywhere(ESENT_HOST_CRASH_LOSE_ALL);
}

static void some_unsynced_writes_survive(void **state)
{
    (void)state;
    crash_everywhere(ESENT_HOST_CRASH_REORDER);
}

static int begin(void **state)
{
    (void)state;
    learn();
    return 0;
}

static int end(void **state)
{
    (void)state;
    return (int)EsentHostReset(NULL, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_writes_survive),
        cmocka_unit_test(unsynced_writes_are_lost),
        cmocka_unit_test(some_unsynced_writes_survive),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
