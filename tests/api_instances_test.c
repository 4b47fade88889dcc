/* Instances from their creation to their end, call by call: what each argument class answers, in each state.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "include/esent.h"
#include "include/esent_host.h"
#include "tests/api_cases.h"

#define BAD_TEXT "a\xff"                                /* not UTF-8 */
#define BAD_WIDE ((const WCHAR[]){'a', 0xdc00, 'b', 0}) /* a lone low surrogate */

static JET_INSTANCE instance;
static JET_SESID session;

static int setup(void **state)
{
    struct ESENT_HOST_SIMULATION simulation = {.seed = 1, .scheduler = ESENT_HOST_SCHEDULE_FIFO};
    (void)state;
    (void)EsentHostReset(NULL, 0);
    instance = JET_instanceNil;
    session = JET_sesidNil;
    return EsentHostUseMemoryFiles() == JET_errSuccess &&
                   EsentHostUseSimulation(&simulation) == JET_errSuccess &&
                   EsentHostDirectoryCreate("a") == JET_errSuccess
               ? 0
               : -1;
}

static int teardown(void **state)
{
    char report[1000] = "";
    (void)state;
    size_t leaks = EsentHostReset(report, sizeof(report));
    if (leaks > 0)
        print_message("left behind: %s\n", report);
    return leaks == 0 ? 0 : -1;
}

static void make(void)
{
    instance = JET_instanceNil;
    EXPECT(JET_errSuccess, JetCreateInstanceA(&instance, "a"));
    EXPECT(JET_errSuccess, JetSetSystemParameterA(&instance, JET_sesidNil, JET_paramLogFilePath, 0, "a/"));
    EXPECT(JET_errSuccess, JetSetSystemParameterA(&instance, JET_sesidNil, JET_paramSystemPath, 0, "a/"));
    EXPECT(JET_errSuccess, JetSetSystemParameterA(&instance, JET_sesidNil, JET_paramTempPath, 0, "a/"));
    EXPECT(JET_errSuccess, JetSetSystemParameterA(&instance, JET_sesidNil, JET_paramLogFileSize, 128, NULL));
}

static void begin(void)
{
    make();
    EXPECT(JET_errSuccess, JetInit(&instance));
    EXPECT(JET_errSuccess, JetBeginSessionA(instance, &session, NULL, NULL));
}

/* A database with a table, and the process dies. */
static void leave_work_to_recovery(void)
{
    JET_DBID database;
    JET_TABLEID table;
    begin();
    EXPECT(JET_errSuccess, JetCreateDatabaseA(session, "a/x.edb", NULL, &database, 0));
    EXPECT(JET_errSuccess, JetCreateTableA(session, database, "t", 0, 80, &table));
    EsentHostCrash();
}

/* --- creation --- */

static void creation(void **state)
{
    (void)state;
    static const WCHAR name[] = {'w', 0};
    EXPECT(JET_errInvalidParameter, JetCreateInstance2A(NULL, "a", "b", 0));
    EXPECT(JET_errInvalidParameter, JetCreateInstance2W(NULL, name, name, 0));
    EXPECT(JET_errInvalidParameter, JetCreateInstance2A(&instance, BAD_TEXT, NULL, 0));
    EXPECT(JET_errInvalidParameter, JetCreateInstance2A(&instance, "a", BAD_TEXT, 0));
    EXPECT(JET_errInvalidParameter, JetCreateInstance2W(&instance, BAD_WIDE, NULL, 0));
    EXPECT(JET_errInvalidParameter, JetCreateInstance2W(&instance, name, BAD_WIDE, 0));
    EXPECT_EQUAL(JET_instanceNil, instance);
    JET_INSTANCE first;
    JET_INSTANCE second;
    EXPECT(JET_errSuccess, JetCreateInstance2A(&first, NULL, "shown", 0));
    EXPECT(JET_errInstanceNameInUse, JetCreateInstanceA(&second, NULL));
    EXPECT_EQUAL(JET_instanceNil, second);
    EXPECT(JET_errSuccess, JetCreateInstance2W(&second, name, name, 0));
    EXPECT(JET_errInstanceNameInUse, JetCreateInstanceA(&instance, "w"));
    EXPECT(JET_errSuccess, JetTerm(first));
    EXPECT(JET_errSuccess, JetTerm(second));
    EXPECT(JET_errInvalidParameter, JetTerm(second));
    cases_end();
}

/* More instances than the table has room for are refused, whatever the parameter says. */
static void limit_of_instances(void **state)
{
    (void)state;
    JET_INSTANCE made[3];
    EXPECT(JET_errSuccess, JetSetSystemParameterA(NULL, JET_sesidNil, JET_paramMaxInstances, 2000, NULL));
    EXPECT(JET_errSuccess, JetCreateInstanceA(&made[0], "a"));
    EXPECT(JET_errSuccess, JetTerm(made[0]));
    EXPECT(JET_errSuccess, JetSetSystemParameterA(NULL, JET_sesidNil, JET_paramMaxInstances, 2, NULL));
    EXPECT(JET_errSuccess, JetCreateInstanceA(&made[0], "a"));
    EXPECT(JET_errSuccess, JetCreateInstanceA(&made[1], "b"));
    EXPECT(JET_errTooManyInstances, JetCreateInstanceA(&made[2], "c"));
    EXPECT(JET_errSuccess, JetTerm(made[0]));
    EXPECT(JET_errSuccess, JetTerm(made[1]));
    cases_end();
}

/* --- start --- */

/* What does not go together is seen before anything is opened, and the instance is gone. */
static void settings_that_do_not_go_together(void **state)
{
    (void)state;
    make();
    EXPECT(JET_errSuccess, JetSetSystemParameterA(&instance, JET_sesidNil, JET_paramLogFileSize, 65, NULL));
    EXPECT(JET_errInvalidSettings, JetInit(&instance));
    EXPECT_EQUAL(0, instance);
    make();
    EXPECT(JET_errSuccess,
           JetSetSystemParameterA(&instance, JET_sesidNil, JET_paramCleanupMismatchedLogFiles, 1, NULL));
    EXPECT(JET_errInvalidSettings, JetInit(&instance));
    make();
    EXPECT(JET_errSuccess,
           JetSetSystemParameterA(&instance, JET_sesidNil, JET_paramCleanupMismatchedLogFiles, 1, NULL));
    EXPECT(JET_errSuccess, JetSetSystemParameterA(&instance, JET_sesidNil, JET_paramCircularLog, 1, NULL));
    EXPECT(JET_errInvalidSettings, JetInit2(&instance, JET_bitKeepDbAttachedAtEndOfRecovery));
    make();
    EXPECT(JET_errSuccess,
           JetSetSystemParameterA(&instance, JET_sesidNil, JET_paramCleanupMismatchedLogFiles, 1, NULL));
    EXPECT(JET_errSuccess, JetSetSystemParameterA(&instance, JET_sesidNil, JET_paramCircularLog, 1, NULL));
    EXPECT(JET_errSuccess, JetInit(&instance));
    EXPECT(JET_errSuccess, JetTerm(instance));
    cases_end();
}

static void recovery_map_arguments(void **state)
{
    (void)state;
    static WCHAR wide_from[] = {'a', '/', 'x', '.', 'e', 'd', 'b', 0};
    static WCHAR wide_to[] = {'a', '/', 'y', '.', 'e', 'd', 'b', 0};
    static char from[] = "a/x.edb";
    static char to[] = "a/y.edb";
    JET_RSTMAP_A map = {from, to};
    JET_RSTMAP_W wide_map = {wide_from, wide_to};
    JET_RSTINFO_A info = {.cbStruct = sizeof(info), .rgrstmap = &map, .crstmap = 1};
    JET_RSTINFO_W wide = {.cbStruct = sizeof(wide), .rgrstmap = &wide_map, .crstmap = 1};
    make();
    info.cbStruct = wide.cbStruct = sizeof(info) - 1;
    EXPECT(JET_errInvalidParameter, JetInit3A(&instance, &info, 0));
    EXPECT(JET_errInvalidParameter, JetInit3W(&instance, &wide, 0));
    info.cbStruct = wide.cbStruct = sizeof(info);
    info.crstmap = wide.crstmap = -1;
    EXPECT(JET_errInvalidParameter, JetInit3A(&instance, &info, 0));
    EXPECT(JET_errInvalidParameter, JetInit3W(&instance, &wide, 0));
    info.crstmap = wide.crstmap = 0; /* an array of nothing */
    EXPECT(JET_errInvalidParameter, JetInit3A(&instance, &info, 0));
    info.crstmap = wide.crstmap = 1;
    info.rgrstmap = NULL;
    EXPECT(JET_errInvalidParameter, JetInit3A(&instance, &info, 0));
    info.rgrstmap = &map;
    map.szDatabaseName = NULL;
    EXPECT(JET_errInvalidParameter, JetInit3A(&instance, &info, 0));
    map = (JET_RSTMAP_A){from, NULL};
    EXPECT(JET_errInvalidParameter, JetInit3A(&instance, &info, 0));
    map.szNewDatabaseName = (char *)(uintptr_t)BAD_TEXT;
    EXPECT(JET_errInvalidParameter, JetInit3A(&instance, &info, 0));
    map = (JET_RSTMAP_A){(char *)(uintptr_t)BAD_TEXT, to};
    EXPECT(JET_errInvalidParameter, JetInit3A(&instance, &info, 0));
    wide_map.szDatabaseName = NULL;
    EXPECT(JET_errInvalidParameter, JetInit3W(&instance, &wide, 0));
    wide_map = (JET_RSTMAP_W){wide_from, NULL};
    EXPECT(JET_errInvalidParameter, JetInit3W(&instance, &wide, 0));
    wide_map.szNewDatabaseName = (WCHAR *)(uintptr_t)BAD_WIDE;
    EXPECT(JET_errInvalidParameter, JetInit3W(&instance, &wide, 0));
    /* None of these has cost the instance. */
    wide.rgrstmap = NULL;
    wide.crstmap = 0;
    EXPECT(JET_errSuccess, JetInit3W(&instance, &wide, 0));
    EXPECT(JET_errAlreadyInitialized, JetInit3W(&instance, NULL, 0));
    EXPECT(JET_errAlreadyInitialized, JetInit3A(&instance, NULL, 0));
    EXPECT(JET_errSuccess, JetTerm2(instance, JET_bitTermComplete));
    cases_end();
}

static void recovers_elsewhere(JET_RSTINFO_A *info, JET_RSTINFO_W *wide)
{
    JET_DBID database;
    EXPECT(JET_errSuccess, EsentHostFileRename("a/x.edb", "a/y.edb"));
    make();
    EXPECT(JET_errSuccess, wide != NULL
                               ? JetInit3W(&instance, wide, JET_bitReplayInferCheckpointFromRstmapDbs)
                               : JetInit3A(&instance, info, 0));
    EXPECT(JET_errSuccess, JetBeginSessionA(instance, &session, NULL, NULL));
    EXPECT(JET_errSuccess, JetAttachDatabaseA(session, "a/y.edb", 0));
    EXPECT(JET_errSuccess, JetOpenDatabaseA(session, "a/y.edb", NULL, &database, 0));
    EXPECT(JET_errSuccess, JetTerm2(instance, JET_bitTermComplete));
}

/* The databases of the map are recovered where they lie now. */
static void recovery_follows_the_map(void **state)
{
    static WCHAR wide_from[] = {'a', '/', 'x', '.', 'e', 'd', 'b', 0};
    static WCHAR wide_to[] = {'a', '/', 'y', '.', 'e', 'd', 'b', 0};
    static char from[] = "a/x.edb";
    static char to[] = "a/y.edb";
    JET_RSTMAP_A map = {from, to};
    JET_RSTMAP_W wide_map = {wide_from, wide_to};
    JET_RSTINFO_A info = {.cbStruct = sizeof(info), .rgrstmap = &map, .crstmap = 1};
    JET_RSTINFO_W wide = {.cbStruct = sizeof(wide), .rgrstmap = &wide_map, .crstmap = 1};
    leave_work_to_recovery();
    recovers_elsewhere(&info, NULL);
    cases_end();
    (void)teardown(state);
    assert_int_equal(setup(state), 0);
    leave_work_to_recovery();
    recovers_elsewhere(NULL, &wide);
    cases_end();
}

/* --- call-backs of the start --- */

static int callbacks;

/* Another thread's calls are not the start's own. */
static void elsewhere_during_start(void *unused)
{
    JET_API_PTR value = 0;
    (void)unused;
    EXPECT(JET_errInitInProgress,
           JetGetSystemParameterA(instance, JET_sesidNil, JET_paramLogFileSize, &value, NULL, 0));
    EXPECT(JET_errInitInProgress,
           JetSetSystemParameterA(&instance, JET_sesidNil, JET_paramCheckpointDepthMax, 6000, NULL));
}

/* Within the start an instance takes no calls; its parameters may be read, and what is not fixed yet written.
 */
static JET_ERR JET_API during_start(JET_SESID sesid, JET_SNP snp, JET_SNT snt, void *progress)
{
    JET_API_PTR value = 0;
    JET_SESID none;
    JET_INSTANCE again = instance;
    (void)sesid;
    (void)progress;
    if (callbacks++ > 0)
        return JET_errSuccess;
    EXPECT_EQUAL(JET_snpRestore, snp);
    EXPECT_EQUAL(JET_sntBegin, snt);
    EXPECT(JET_errSuccess,
           JetGetSystemParameterA(instance, JET_sesidNil, JET_paramLogFileSize, &value, NULL, 0));
    EXPECT_EQUAL(128, value);
    EXPECT(JET_errSuccess,
           JetSetSystemParameterA(&instance, JET_sesidNil, JET_paramCheckpointDepthMax, 5000, NULL));
    EXPECT(JET_errAlreadyInitialized,
           JetSetSystemParameterA(&instance, JET_sesidNil, JET_paramLogFileSize, 256, NULL));
    EXPECT(JET_errNotInitialized, JetBeginSessionA(instance, &none, NULL, NULL));
    EXPECT(JET_errNotInitialized, JetStopServiceInstance(instance));
    EXPECT(JET_errNotInitialized, JetTerm2(instance, JET_bitTermAbrupt));
    EXPECT(JET_errInitInProgress, JetInit(&again));
    struct ESENT_HOST_THREAD *thread;
    EXPECT(JET_errSuccess, EsentHostThreadStart(elsewhere_during_start, NULL, &thread));
    EsentHostThreadJoin(thread);
    return JET_errSuccess;
}

static void calls_within_the_start(void **state)
{
    (void)state;
    JET_RSTINFO_A info = {.cbStruct = sizeof(info), .pfnStatus = during_start};
    JET_API_PTR value = 0;
    leave_work_to_recovery();
    callbacks = 0;
    make();
    EXPECT(JET_errSuccess, JetInit3A(&instance, &info, 0));
    assert_true(callbacks > 0);
    EXPECT(JET_errSuccess,
           JetGetSystemParameterA(instance, JET_sesidNil, JET_paramCheckpointDepthMax, &value, NULL, 0));
    EXPECT_EQUAL(5000, value);
    EXPECT(JET_errSuccess, JetTerm2(instance, JET_bitTermComplete));
    cases_end();
}

/* --- one-instance mode --- */

static void one_instance_mode(void **state)
{
    (void)state;
    JET_API_PTR value = 0;
    JET_INSTANCE other = 77;
    uint32_t count = 5;
    EXPECT(JET_errSuccess, JetSetSystemParameterA(NULL, JET_sesidNil, JET_paramLogFileSize, 128, NULL));
    EXPECT(JET_errInvalidParameter, JetStopService()); /* before there is one */
    EXPECT(JET_errSuccess, JetInit(NULL));
    EXPECT(JET_errAlreadyInitialized, JetInit(NULL));
    EXPECT(JET_errAlreadyInitialized, JetInit(&other)); /* whatever the handle holds */
    EXPECT_EQUAL(77, other);
    EXPECT(JET_errRunningInOneInstanceMode, JetCreateInstanceA(&other, "b"));
    EXPECT(JET_errRunningInOneInstanceMode, JetEnableMultiInstanceA(NULL, 0, &count));
    EXPECT_EQUAL(0, count);
    /* Any handle is the instance's, also for parameters; those of the process stay the process's. */
    EXPECT(JET_errSuccess, JetGetSystemParameterA(123, JET_sesidNil, JET_paramLogFileSize, &value, NULL, 0));
    EXPECT_EQUAL(128, value);
    EXPECT(JET_errAlreadyInitialized,
           JetSetSystemParameterA(NULL, JET_sesidNil, JET_paramLogFileSize, 256, NULL));
    EXPECT(JET_errAlreadyInitialized,
           JetSetSystemParameterA(NULL, JET_sesidNil, JET_paramMaxInstances, 9, NULL));
    EXPECT(JET_errSuccess, JetGetSystemParameterA(123, JET_sesidNil, JET_paramMaxInstances, &value, NULL, 0));
    EXPECT(JET_errSuccess, JetBeginSessionA(123, &session, NULL, NULL));
    EXPECT(JET_errSuccess, JetStopService());
    EXPECT(JET_errClientRequestToStopJetService, JetBeginSessionA(123, &session, NULL, NULL));
    EXPECT(JET_errSuccess, JetTerm2(123, JET_bitTermComplete));
    EXPECT(JET_errInvalidParameter, JetTerm2(123, JET_bitTermComplete));
    cases_end();
}

/* --- information --- */

static void miscellaneous_information(void **state)
{
    (void)state;
    JET_SIGNATURE signature;
    JET_SIGNATURE again;
    make();
    EXPECT(JET_errNotInitialized, JetGetInstanceMiscInfo(instance, &signature, sizeof(signature), 0));
    EXPECT(JET_errSuccess, JetInit(&instance));
    memset(&signature, 0, sizeof(signature));
    EXPECT(JET_errSuccess, JetGetInstanceMiscInfo(instance, &signature, sizeof(signature), 0));
    EXPECT(JET_errSuccess, JetGetInstanceMiscInfo(instance, &again, sizeof(again), 0));
    assert_memory_equal(&signature, &again, sizeof(again));
    assert_int_not_equal(signature.ulRandom, 0);
    EXPECT(JET_errInvalidParameter, JetGetInstanceMiscInfo(instance, NULL, sizeof(signature), 0));
    EXPECT(JET_errInvalidParameter, JetGetInstanceMiscInfo(instance, &signature, sizeof(signature), 1));
    EXPECT(JET_errBufferTooSmall, JetGetInstanceMiscInfo(instance, &signature, sizeof(signature) - 1, 0));
    EXPECT(JET_errInvalidParameter, JetGetInstanceMiscInfo(0, &signature, sizeof(signature), 0));
    EXPECT(JET_errSuccess, JetTerm(instance));
    cases_end();
}

/* --- stop service --- */

static void stop_service(void **state)
{
    (void)state;
    make();
    EXPECT(JET_errNotInitialized, JetStopServiceInstance(instance));
    EXPECT(JET_errRunningInMultiInstanceMode, JetStopService());
    EXPECT(JET_errInvalidParameter, JetStopServiceInstance2(0, 0));
    EXPECT(JET_errSuccess, JetInit(&instance));
    EXPECT(JET_errInvalidGrbit, JetStopServiceInstance2(instance, 0x100));
    /* Parts of the service stop and go on; the rest does not notice. */
    EXPECT(JET_errSuccess, JetStopServiceInstance2(instance, JET_bitStopServiceBackgroundUserTasks));
    EXPECT(JET_errSuccess, JetStopServiceInstance2(instance, JET_bitStopServiceQuiesceCaches));
    EXPECT(JET_errSuccess, JetBeginSessionA(instance, &session, NULL, NULL));
    EXPECT(JET_errSuccess,
           JetStopServiceInstance2(instance, JET_bitStopServiceResume | JET_bitStopServiceQuiesceCaches));
    EXPECT(JET_errSuccess, JetStopServiceInstance2(instance, JET_bitStopServiceResume));
    EXPECT(JET_errInvalidGrbit,
           JetStopServiceInstance2(instance, JET_bitStopServiceResume | JET_bitStopServiceStopAndEmitLog));
    EXPECT(JET_errInvalidGrbit, JetStopServiceInstance2(instance, JET_bitStopServiceStopAndEmitLog |
                                                                      JET_bitStopServiceQuiesceCaches));
    /* Everything cannot be taken back. */
    EXPECT(JET_errSuccess, JetStopServiceInstance2(instance, JET_bitStopServiceAll));
    EXPECT(JET_errClientRequestToStopJetService, JetStopServiceInstance2(instance, JET_bitStopServiceResume));
    EXPECT(JET_errSuccess, JetStopServiceInstance2(instance, JET_bitStopServiceResume |
                                                                 JET_bitStopServiceBackgroundUserTasks));
    EXPECT(JET_errSuccess, JetTerm(instance));
    cases_end();
}

static uint64_t checkpoint_depth(void)
{
    JET_API_PTR value = 0;
    EXPECT(JET_errSuccess,
           JetGetSystemParameterA(instance, JET_sesidNil, JET_paramCheckpointDepthMax, &value, NULL, 0));
    return value;
}

/* In the published engine the older calls bring the checkpoint near by its parameter; the newer one and the
 * documented profile leave the parameter alone. */
static void stop_service_and_the_checkpoint(void **state)
{
    (void)state;
    for (int published = 0; published < 2; published++) {
        EXPECT(JET_errSuccess, EsentHostSetProfile(published ? ESENT_HOST_PUBLISHED : ESENT_HOST_DOCUMENTED));
        make();
        EXPECT(JET_errInvalidGrbit, JetStopServiceInstance2(instance, 0x100)); /* seen first */
        EXPECT(JET_errSuccess, JetInit(&instance));
        EXPECT(JET_errSuccess, JetStopServiceInstance2(instance, JET_bitStopServiceQuiesceCaches));
        assert_int_equal(checkpoint_depth(), 20971520);
        EXPECT(JET_errSuccess, JetStopServiceInstance(instance));
        assert_int_equal(checkpoint_depth(), published ? 16384 : 20971520);
        EXPECT(published ? JET_errSuccess : JET_errClientRequestToStopJetService,
               JetStopServiceInstance2(instance, JET_bitStopServiceResume));
        assert_int_equal(checkpoint_depth(), published ? 16384 : 20971520);
        EXPECT(JET_errSuccess, JetTerm(instance));
        cases_end();
    }
}

/* Without a log nothing is emitted. */
static void stop_without_log(void **state)
{
    (void)state;
    make();
    EXPECT(JET_errSuccess, JetSetSystemParameterA(&instance, JET_sesidNil, JET_paramRecovery, 0, "off"));
    EXPECT(JET_errSuccess, JetInit(&instance));
    EXPECT(JET_wrnCallbackNotRegistered, JetStopServiceInstance2(instance, JET_bitStopServiceStopAndEmitLog));
    EXPECT(JET_errSuccess, JetBeginSessionA(instance, &session, NULL, NULL));
    EXPECT(JET_errSuccess, JetTerm(instance));
    cases_end();
}

/* --- calls during the end --- */

static void end_orderly(void *context)
{
    *(JET_ERR *)context = JetTerm2(instance, JET_bitTermComplete);
}

/* An orderly end waits a while for an open transaction; meanwhile everybody else is told so. */
static void calls_during_the_end(void **state)
{
    (void)state;
    JET_ERR answer = JET_errSuccess;
    JET_API_PTR value;
    JET_SESID none;
    JET_INSTANCE again;
    struct ESENT_HOST_THREAD *thread;
    begin();
    EXPECT(JET_errSuccess, JetBeginTransaction(session));
    EXPECT(JET_errSuccess, EsentHostThreadStart(end_orderly, &answer, &thread));
    EsentHostSleep(1000);
    again = instance;
    EXPECT(JET_errTermInProgress, JetTerm2(instance, JET_bitTermComplete));
    EXPECT(JET_errTermInProgress, JetInit(&again));
    EXPECT(JET_errTermInProgress, JetStopServiceInstance(instance));
    EXPECT(JET_errTermInProgress, JetBeginSessionA(instance, &none, NULL, NULL));
    EXPECT(JET_errTermInProgress,
           JetGetSystemParameterA(instance, JET_sesidNil, JET_paramLogFileSize, &value, NULL, 0));
    EXPECT(JET_errTermInProgress,
           JetSetSystemParameterA(&instance, JET_sesidNil, JET_paramCheckpointDepthMax, 5000, NULL));
    EsentHostThreadJoin(thread);
    EXPECT(JET_errTooManyActiveUsers, answer);
    EXPECT(JET_errSuccess, JetCommitTransaction(session, 0));
    EXPECT(JET_errSuccess, JetTerm2(instance, JET_bitTermComplete));
    cases_end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(creation, setup, teardown),
        cmocka_unit_test_setup_teardown(limit_of_instances, setup, teardown),
        cmocka_unit_test_setup_teardown(settings_that_do_not_go_together, setup, teardown),
        cmocka_unit_test_setup_teardown(recovery_map_arguments, setup, teardown),
        cmocka_unit_test_setup_teardown(recovery_follows_the_map, setup, teardown),
        cmocka_unit_test_setup_teardown(calls_within_the_start, setup, teardown),
        cmocka_unit_test_setup_teardown(one_instance_mode, setup, teardown),
        cmocka_unit_test_setup_teardown(miscellaneous_information, setup, teardown),
        cmocka_unit_test_setup_teardown(stop_service, setup, teardown),
        cmocka_unit_test_setup_teardown(stop_service_and_the_checkpoint, setup, teardown),
        cmocka_unit_test_setup_teardown(stop_without_log, setup, teardown),
        cmocka_unit_test_setup_teardown(calls_during_the_end, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
