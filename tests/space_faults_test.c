/* A table that could not be created, for whatever reason, has taken no space for good. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "include/esent.h"
#include "include/esent_host.h"

#define OK(call) assert_int_equal((call), JET_errSuccess)

static uint32_t free_pages(JET_SESID session, JET_DBID database)
{
    uint32_t pages;
    OK(JetGetDatabaseInfoA(session, database, &pages, sizeof pages, JET_DbInfoSpaceAvailable));
    return pages;
}

static void failed_tables_take_no_space(void **state)
{
    (void)state;
    const struct ESENT_HOST_SIMULATION simulation = {.seed = 1};
    JET_INSTANCE instance;
    JET_SESID session;
    JET_DBID database;
    JET_TABLEID table;
    unsigned failures = 0;
    (void)EsentHostReset(NULL, 0);
    OK(EsentHostUseMemoryFiles());
    OK(EsentHostUseSimulation(&simulation));
    OK(EsentHostDirectoryCreate("/a"));
    OK(JetCreateInstanceA(&instance, "space"));
    OK(JetSetSystemParameterA(&instance, 0, JET_paramLogFilePath, 0, "/a/"));
    OK(JetSetSystemParameterA(&instance, 0, JET_paramSystemPath, 0, "/a/"));
    OK(JetSetSystemParameterA(&instance, 0, JET_paramTempPath, 0, "/a/"));
    OK(JetInit(&instance));
    OK(JetBeginSessionA(instance, &session, NULL, NULL));
    OK(JetCreateDatabaseA(session, "/a/a.edb", NULL, &database, 0));
    OK(JetCreateTableA(session, database, "first", 1, 80, &table));
    OK(JetCloseTable(session, table));
    for (uint64_t nth = 1;; nth++) {
        const uint32_t before = free_pages(session, database);
        EsentHostResetCounters();
        EsentHostFailNth(ESENT_HOST_FAULT_ALLOCATE, nth, 1);
        const JET_ERR err = JetCreateTableA(session, database, "t", 16, 80, &table);
        const bool over = EsentHostCountFailures(ESENT_HOST_FAULT_ALLOCATE) == 0;
        EsentHostFailNone();
        if (err >= JET_errSuccess) {
            OK(JetCloseTable(session, table));
            OK(JetDeleteTableA(session, database, "t"));
            (void)JetIdle(session, JET_bitIdleCompact);
        } else {
            failures++;
            assert_int_equal(free_pages(session, database), before);
        }
        if (over)
            break;
    }
    assert_true(failures > 3);
    OK(JetTerm2(instance, JET_bitTermComplete));
    assert_int_equal(EsentHostReset(NULL, 0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(failed_tables_take_no_space)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
