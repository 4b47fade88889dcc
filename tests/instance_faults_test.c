/* Each allocation and each file operation of a short life of an instance fails once: every call answers a
 * code, nothing is leaked, and afterwards the files are good for a new start. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "include/esent.h"
#include "include/esent_host.h"

static bool setup_world(void)
{
    struct ESENT_HOST_SIMULATION simulation = {.seed = 1, .scheduler = ESENT_HOST_SCHEDULE_FIFO};
    (void)EsentHostReset(NULL, 0);
    return EsentHostUseMemoryFiles() == JET_errSuccess &&
           EsentHostUseSimulation(&simulation) == JET_errSuccess &&
           EsentHostDirectoryCreate("a") == JET_errSuccess;
}

static JET_ERR start(JET_INSTANCE *instance)
{
    JET_ERR err = JetCreateInstanceA(instance, "a");
    if (err >= JET_errSuccess)
        err = JetSetSystemParameterA(instance, JET_sesidNil, JET_paramLogFilePath, 0, "a/");
    if (err >= JET_errSuccess)
        err = JetSetSystemParameterA(instance, JET_sesidNil, JET_paramSystemPath, 0, "a/");
    if (err >= JET_errSuccess)
        err = JetSetSystemParameterA(instance, JET_sesidNil, JET_paramTempPath, 0, "a/");
    if (err >= JET_errSuccess)
        err = JetSetSystemParameterA(instance, JET_sesidNil, JET_paramLogFileSize, 128, NULL);
    if (err >= JET_errSuccess)
        err = JetInit(instance);
    return err;
}

/* Start, create a database, detach it, attach it again, end. The first error ends it; the instance always
 * ends. */
static JET_ERR life(bool *dead)
{
    JET_INSTANCE instance = JET_instanceNil;
    JET_SESID session = JET_sesidNil;
    JET_DBID id;
    JET_ERR err = start(&instance);
    *dead = false;
    if (err >= JET_errSuccess)
        err = JetBeginSessionA(instance, &session, NULL, NULL);
    if (err >= JET_errSuccess)
        err = JetCreateDatabaseA(session, "a/x.edb", NULL, &id, 0);
    if (err >= JET_errSuccess)
        err = JetCloseDatabase(session, id, 0);
    if (err >= JET_errSuccess)
        err = JetDetachDatabaseA(session, "a/x.edb");
    if (err >= JET_errSuccess)
        err = JetAttachDatabaseA(session, "a/x.edb", 0);
    if (err >= JET_errSuccess)
        err = JetEndSession(session, 0);
    if (instance != JET_instanceNil && instance != 0) {
        JET_ERR end = JetTerm2(instance, JET_bitTermComplete);
        if (end == JET_errTooManyActiveUsers || end == JET_errBackupInProgress)
            *dead = true; /* still there: must not happen */
        if (err >= JET_errSuccess)
            err = end;
    }
    return err;
}

/* What a failed life left behind must be startable, or say clearly that it is not. */
static void files_can_be_used(const char *kind, uint64_t nth, JET_ERR answer)
{
    JET_INSTANCE instance = JET_instanceNil;
    JET_SESID session;
    JET_ERR err = start(&instance);
    if (err >= JET_errSuccess)
        err = JetBeginSessionA(instance, &session, NULL, NULL);
    if (err >= JET_errSuccess) {
        err = JetAttachDatabaseA(session, "a/x.edb", 0);
        if (err == JET_errFileNotFound)
            err = JET_errSuccess;
    }
    if (instance != JET_instanceNil && instance != 0) {
        JET_ERR end = JetTerm2(instance, JET_bitTermComplete);
        if (err >= JET_errSuccess)
            err = end;
    }
    if (err < JET_errSuccess) {
        print_message("after %s %llu (answer %d): a new start answers %d\n", kind, (unsigned long long)nth,
                      (int)answer, (int)err);
        fail();
    }
}

static void fails_once(enum ESENT_HOST_FAULT kind)
{
    const char *name = EsentHostFaultName(kind);
    char report[1000];
    for (uint64_t nth = 1;; nth++) {
        bool dead;
        assert_true(setup_world());
        EsentHostResetCounters();
        EsentHostFailNth(kind, nth, 1);
        JET_ERR err = life(&dead);
        uint64_t failures = EsentHostCountFailures(kind);
        EsentHostFailNone();
        assert_false(dead);
        if (failures == 0) {
            assert_int_equal(err, JET_errSuccess);
            assert_true(nth > 2);
            print_message("%s: %llu points\n", name, (unsigned long long)nth - 1);
            break;
        }
        files_can_be_used(name, nth, err);
        report[0] = '\0';
        if (EsentHostReset(report, sizeof(report)) != 0) {
            print_message("%s %llu (answer %d) leaks: %s\n", name, (unsigned long long)nth, (int)err, report);
            fail();
        }
    }
    assert_int_equal(EsentHostReset(NULL, 0), 0);
}

static void each_allocation_fails(void **state)
{
    (void)state;
    fails_once(ESENT_HOST_FAULT_ALLOCATE);
}

static void each_file_operation_fails(void **state)
{
    (void)state;
    fails_once(ESENT_HOST_FAULT_IO);
}

static void the_disk_is_full(void **state)
{
    (void)state;
    fails_once(ESENT_HOST_FAULT_DISK_FULL);
}

static void each_write_stays_short(void **state)
{
    (void)state;
    fails_once(ESENT_HOST_FAULT_SHORT_WRITE);
}

static void each_sync_fails(void **state)
{
    (void)state;
    fails_once(ESENT_HOST_FAULT_SYNC);
}

static void each_open_fails(void **state)
{
    (void)state;
    fails_once(ESENT_HOST_FAULT_OPEN);
}

static void each_deletion_and_renaming_fails(void **state)
{
    (void)state;
    fails_once(ESENT_HOST_FAULT_NAME);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_allocation_fails),
        cmocka_unit_test(each_file_operation_fails),
        cmocka_unit_test(the_disk_is_full),
        cmocka_unit_test(each_write_stays_short),
        cmocka_unit_test(each_sync_fails),
        cmocka_unit_test(each_open_fails),
        cmocka_unit_test(each_deletion_and_renaming_fails),
    };
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
