/* Which instances a snapshot of the whole process takes: all that run, also those that answer errors to
 * everybody else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "include/esent.h"
#include "include/esent_host.h"
#include "src/os/clock.h"

#define OK(call) assert_int_equal((call), JET_errSuccess)
#define IS(call, code) assert_int_equal((call), (code))

static JET_INSTANCE instances[2];
static JET_SESID sessions[2];

static void start(unsigned number)
{
    char name[8], directory[8], database[16];
    JET_DBID id;
    (void)snprintf(name, sizeof(name), "i%u", number);
    (void)snprintf(directory, sizeof(directory), "/%u/", number);
    (void)snprintf(database, sizeof(database), "/%u/a.edb", number);
    OK(EsentHostDirectoryCreate(directory));
    OK(JetCreateInstanceA(&instances[number], name));
    OK(JetSetSystemParameterA(&instances[number], 0, JET_paramLogFilePath, 0, directory));
    OK(JetSetSystemParameterA(&instances[number], 0, JET_paramSystemPath, 0, directory));
    OK(JetSetSystemParameterA(&instances[number], 0, JET_paramTempPath, 0, directory));
    OK(JetInit(&instances[number]));
    OK(JetBeginSessionA(instances[number], &sessions[number], NULL, NULL));
    OK(JetCreateDatabaseA(sessions[number], database, NULL, &id, 0));
}

static int set_up(void **state)
{
    const struct ESENT_HOST_SIMULATION simulation = {.seed = 1};
    (void)state;
    (void)EsentHostReset(NULL, 0);
    if (EsentHostUseMemoryFiles() != JET_errSuccess ||
        EsentHostUseSimulation(&simulation) != JET_errSuccess ||
        EsentHostSetProfile(ESENT_HOST_PUBLISHED) != JET_errSuccess)
        return -1;
    start(0);
    start(1);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 2; i++)
        (void)JetTerm2(instances[i], JET_bitTermAbrupt);
    return EsentHostReset(NULL, 0) == 0 ? 0 : -1;
}

/* Freezes everything: how many instances that took. */
static JET_ERR freeze(JET_OSSNAPID *id, uint32_t *count)
{
    JET_INSTANCE_INFO_A *infos = NULL;
    *count = 99;
    OK(JetOSSnapshotPrepare(id, 0));
    JET_ERR err = JetOSSnapshotFreezeA(*id, count, &infos, 0);
    if (infos != NULL)
        (void)JetFreeBuffer((char *)infos);
    return err;
}

/* A creation that fails half-way. */
static void make_unavailable(void)
{
    JET_DBID id;
    JET_SESID session;
    assert_true(JetCreateDatabaseA(sessions[0], "/none/b.edb", NULL, &id, 0) < JET_errSuccess);
    IS(JetBeginSessionA(instances[0], &session, NULL, NULL), JET_errInstanceUnavailable);
}

static void an_unavailable_one_is_in(void **state)
{
    (void)state;
    JET_OSSNAPID id;
    uint32_t count;
    make_unavailable();
    OK(freeze(&id, &count));
    assert_int_equal(count, 2);
    OK(JetOSSnapshotThaw(id, 0));
    /* By its handle it cannot be asked in. */
    OK(JetOSSnapshotPrepare(&id, JET_bitExplicitPrepare));
    IS(JetOSSnapshotPrepareInstance(id, instances[0], 0), JET_errInstanceUnavailable);
    OK(JetOSSnapshotAbort(id, 0));
}

static void one_whose_log_is_down_fails_the_freeze(void **state)
{
    (void)state;
    JET_OSSNAPID id;
    uint32_t count;
    IS(JetStopServiceInstance2(instances[0], JET_bitStopServiceStopAndEmitLog), JET_wrnCallbackNotRegistered);
    IS(freeze(&id, &count), JET_errLogWriteFail);
    assert_int_equal(count, 0);
    IS(JetOSSnapshotThaw(id, 0), JET_errOSSnapshotInvalidSequence);
    OK(JetOSSnapshotAbort(id, 0));
    /* Nothing of it is left on the other one. */
    OK(JetBeginExternalBackupInstance(instances[1], 0));
    OK(JetEndExternalBackupInstance(instances[1]));
}

/* The one that froze first is free at once, not when the time of the freeze would be over. */
static void one_that_fails_lets_the_others_go(void **state)
{
    (void)state;
    JET_OSSNAPID id;
    uint32_t count;
    JET_DBID database;
    IS(JetStopServiceInstance2(instances[1], JET_bitStopServiceStopAndEmitLog), JET_wrnCallbackNotRegistered);
    IS(freeze(&id, &count), JET_errLogWriteFail);
    const uint64_t before = os_clock_ticks();
    OK(JetCreateDatabaseA(sessions[0], "/0/b.edb", NULL, &database, 0));
    assert_int_equal(os_clock_ticks(), before);
    OK(JetOSSnapshotAbort(id, 0));
}

/* Snapshots die with their process. */
static void a_new_process_knows_none(void **state)
{
    (void)state;
    JET_OSSNAPID first, last, again;
    OK(JetOSSnapshotPrepare(&first, 0));
    OK(JetOSSnapshotPrepare(&last, 0));
    EsentHostCrash();
    OK(JetCreateInstanceA(&instances[0], "again"));
    OK(JetInit(&instances[0]));
    OK(JetOSSnapshotPrepare(&again, 0));
    assert_int_equal(again, first);
    IS(JetOSSnapshotThaw(last, 0), JET_errOSSnapshotInvalidSnapId);
    OK(JetOSSnapshotAbort(again, 0));
}

static void a_stopped_service_is_in(void **state)
{
    (void)state;
    JET_OSSNAPID id;
    uint32_t count;
    OK(JetStopServiceInstance(instances[0]));
    OK(freeze(&id, &count));
    assert_int_equal(count, 2);
    OK(JetOSSnapshotThaw(id, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_unavailable_one_is_in, set_up, tear_down),
        cmocka_unit_test_setup_teardown(one_whose_log_is_down_fails_the_freeze, set_up, tear_down),
        cmocka_unit_test_setup_teardown(one_that_fails_lets_the_others_go, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_new_process_knows_none, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_stopped_service_is_in, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
