/* The life of instances, sessions and databases through the API, on files in memory: modes, gates, handles,
 * start, end. */
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

#define OK(call) assert_int_equal((call), JET_errSuccess)
#define ANSWERS(code, call) assert_int_equal((call), (code))

static int setup(void **state)
{
    struct ESENT_HOST_SIMULATION simulation = {.seed = 1, .scheduler = ESENT_HOST_SCHEDULE_FIFO};
    (void)state;
    (void)EsentHostReset(NULL, 0);
    if (EsentHostUseMemoryFiles() != JET_errSuccess || EsentHostUseSimulation(&simulation) != JET_errSuccess)
        return -1;
    return EsentHostSetProfile(ESENT_HOST_DOCUMENTED) == JET_errSuccess ? 0 : -1;
}

static int teardown(void **state)
{
    char report[2000] = "";
    (void)state;
    size_t leaks = EsentHostReset(report, sizeof(report));
    if (leaks > 0)
        print_message("left behind: %s\n", report);
    return leaks == 0 ? 0 : -1;
}

/* An instance that lies in a directory of its own and is ready to be initialised. */
static JET_INSTANCE made(const char *name)
{
    JET_INSTANCE instance = JET_instanceNil;
    char directory[64];
    (void)snprintf(directory, sizeof(directory), "%s/", name);
    OK(EsentHostDirectoryCreate(directory));
    OK(JetCreateInstanceA(&instance, name));
    OK(JetSetSystemParameterA(&instance, JET_sesidNil, JET_paramLogFilePath, 0, directory));
    OK(JetSetSystemParameterA(&instance, JET_sesidNil, JET_paramSystemPath, 0, directory));
    OK(JetSetSystemParameterA(&instance, JET_sesidNil, JET_paramTempPath, 0, directory));
    OK(JetSetSystemParameterA(&instance, JET_sesidNil, JET_paramLogFileSize, 128, NULL));
    return instance;
}

static JET_INSTANCE started(const char *name)
{
    JET_INSTANCE instance = made(name);
    OK(JetInit(&instance));
    return instance;
}

static JET_SESID session_of(JET_INSTANCE instance)
{
    JET_SESID session = JET_sesidNil;
    OK(JetBeginSessionA(instance, &session, NULL, NULL));
    return session;
}

/* --- modes and instance handles --- */

static void instance_handles_are_looked_up(void **state)
{
    (void)state;
    JET_INSTANCE instance = JET_instanceNil;
    JET_INSTANCE wrong[] = {0, JET_instanceNil, 1, 0x1234, (JET_INSTANCE)(uintptr_t)&instance};
    JET_SESID session;
    OK(JetCreateInstanceA(&instance, "a"));
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        ANSWERS(JET_errInvalidParameter, JetBeginSessionA(wrong[i], &session, NULL, NULL));
        ANSWERS(JET_errInvalidParameter, JetTerm(wrong[i]));
        ANSWERS(JET_errInvalidParameter, JetStopServiceInstance(wrong[i]));
    }
    ANSWERS(JET_errNotInitialized, JetBeginSessionA(instance, &session, NULL, NULL));
    ANSWERS(JET_errNotInitialized, JetStopServiceInstance(instance));
    ANSWERS(JET_errRunningInMultiInstanceMode, JetStopService());
    JET_INSTANCE old = instance;
    OK(JetTerm(instance));
    ANSWERS(JET_errInvalidParameter, JetTerm(old));
    OK(JetCreateInstanceA(&instance, "a"));
    assert_true(instance != old);
    ANSWERS(JET_errInvalidParameter, JetTerm(old));
    OK(JetTerm(instance));
    ANSWERS(JET_errInvalidParameter, JetStopService());
}

static void names_of_instances_are_unique(void **state)
{
    (void)state;
    JET_INSTANCE a = JET_instanceNil;
    JET_INSTANCE b = JET_instanceNil;
    OK(JetCreateInstanceA(&a, "a"));
    ANSWERS(JET_errInstanceNameInUse, JetCreateInstanceA(&b, "a"));
    assert_true(b == JET_instanceNil);
    OK(JetCreateInstanceW(&b, u"b"));
    ANSWERS(JET_errInvalidParameter, JetCreateInstanceA(NULL, "c"));
    OK(JetTerm(a));
    OK(JetTerm(b));
}

static void one_instance_mode_keeps_others_out(void **state)
{
    (void)state;
    JET_INSTANCE instance = JET_instanceNil;
    JET_INSTANCE other = JET_instanceNil;
    OK(EsentHostSetDirectory("/one"));
    OK(EsentHostDirectoryCreate("/one"));
    OK(JetInit(&instance));
    ANSWERS(JET_errRunningInOneInstanceMode, JetCreateInstanceA(&other, "b"));
    ANSWERS(JET_errAlreadyInitialized, JetInit(NULL));
    ANSWERS(JET_errRunningInOneInstanceMode, JetEnableMultiInstanceA(NULL, 0, NULL));
    /* The handle means nothing here. */
    OK(JetTerm(0));
    OK(EsentHostSetDirectory(NULL));
}

static void multi_instance_mode_compares_parameters(void **state)
{
    (void)state;
    JET_SETSYSPARAM_A set = {.paramid = JET_paramMaxInstances, .lParam = 4};
    uint32_t count = 77;
    OK(JetEnableMultiInstanceA(&set, 1, &count));
    assert_int_equal(count, 1);
    ANSWERS(JET_errSystemParamsAlreadySet, JetEnableMultiInstanceA(&set, 1, &count));
    set.lParam = 5;
    ANSWERS(JET_errSystemParameterConflict, JetEnableMultiInstanceA(&set, 1, &count));
    assert_int_equal(set.err, JET_errSystemParameterConflict);
    ANSWERS(JET_errRunningInMultiInstanceMode, JetInit(NULL));
    JET_INSTANCE instances[5];
    char name[] = "a";
    for (int i = 0; i < 4; i++, name[0]++)
        OK(JetCreateInstanceA(&instances[i], name));
    ANSWERS(JET_errTooManyInstances, JetCreateInstanceA(&instances[4], name));
    for (int i = 0; i < 4; i++)
        OK(JetTerm(instances[i]));
}

/* --- parameters --- */

static void parameters_come_back_as_they_were_set(void **state)
{
    (void)state;
    JET_API_PTR value = 0;
    char text[300];
    WCHAR wide[300];
    JET_INSTANCE instance = made("a");
    OK(JetGetSystemParameterA(instance, JET_sesidNil, JET_paramLogFileSize, &value, NULL, 0));
    assert_int_equal(value, 128);
    OK(JetGetSystemParameterA(instance, JET_sesidNil, JET_paramLogFilePath, NULL, text, sizeof(text)));
    assert_string_equal(text, "/a/");
    OK(JetGetSystemParameterW(instance, JET_sesidNil, JET_paramLogFilePath, NULL, wide, sizeof(wide)));
    assert_memory_equal(wide, u"/a/", 8);
    ANSWERS(JET_errBufferTooSmall,
            JetGetSystemParameterA(instance, JET_sesidNil, JET_paramLogFilePath, NULL, text, 3));
    assert_string_equal(text, "/a");
    ANSWERS(JET_errInvalidParameter,
            JetGetSystemParameterA(instance, JET_sesidNil, JET_paramLogFilePath, NULL, NULL, 0));
    ANSWERS(JET_errInvalidParameter,
            JetGetSystemParameterA(instance, JET_sesidNil, JET_paramLogFileSize, NULL, text, sizeof(text)));
    ANSWERS(JET_errInvalidParameter, JetGetSystemParameterA(instance, JET_sesidNil, 185, &value, NULL, 0));
    ANSWERS(JET_errAlreadyInitialized,
            JetSetSystemParameterA(&instance, JET_sesidNil, JET_paramDatabasePageSize, 8192, NULL));
    OK(JetGetSystemParameterA(instance, JET_sesidNil, JET_paramKeyMost, &value, NULL, 0));
    assert_int_equal(value, 1000);
    value = (JET_API_PTR)(int64_t)JET_errInvalidParameter;
    OK(JetGetSystemParameterA(instance, JET_sesidNil, JET_paramErrorToString, &value, text, sizeof(text)));
    assert_string_equal(text, "JET_errInvalidParameter, Invalid Parameter");
    OK(JetTerm(instance));
}

static void text_is_checked(void **state)
{
    (void)state;
    JET_INSTANCE instance = JET_instanceNil;
    static const WCHAR lone_surrogate[] = {'a', 0xd800, 0};
    ANSWERS(JET_errInvalidParameter, JetCreateInstanceA(&instance, "\xff"));
    ANSWERS(JET_errInvalidParameter, JetCreateInstanceW(&instance, lone_surrogate));
    OK(JetCreateInstanceW(&instance, u"\u00fc"));
    JET_INSTANCE other = JET_instanceNil;
    ANSWERS(JET_errInstanceNameInUse, JetCreateInstanceA(&other, "\xc3\xbc"));
    OK(JetTerm(instance));
}

static void error_categories_form_a_path(void **state)
{
    (void)state;
    JET_ERR error = JET_errOutOfMemory;
    JET_ERRINFOBASIC_W info;
    OK(JetGetErrorInfoW(&error, &info, sizeof(info), JET_ErrorInfoSpecificErr, 0));
    assert_int_equal(info.errcatMostSpecific, JET_errcatMemory);
    assert_int_equal(info.rgCategoricalHierarchy[0], JET_errcatError);
    assert_int_equal(info.rgCategoricalHierarchy[1], JET_errcatOperation);
    assert_int_equal(info.rgCategoricalHierarchy[2], JET_errcatResource);
    assert_int_equal(info.rgCategoricalHierarchy[3], JET_errcatMemory);
    ANSWERS(JET_errInvalidParameter, JetGetErrorInfoW(NULL, &info, sizeof(info), 1, 0));
    ANSWERS(JET_errInvalidBufferSize, JetGetErrorInfoW(&error, &info, 3, 1, 0));
}

/* --- start, sessions, end --- */

static void start_and_end(void **state)
{
    (void)state;
    JET_INSTANCE instance = started("a");
    ANSWERS(JET_errAlreadyInitialized, JetInit(&instance));
    JET_SESID session = session_of(instance);
    uint32_t version = 0;
    OK(JetGetVersion(session, &version));
    assert_int_equal(version, 0x50000000);
    OK(JetEndSession(session, 0));
    ANSWERS(JET_errInvalidSesid, JetGetVersion(session, &version));
    session = session_of(instance);
    OK(JetTerm2(instance, JET_bitTermComplete));
    ANSWERS(JET_errInvalidSesid, JetGetVersion(session, &version));
    ANSWERS(JET_errInvalidParameter, JetTerm(instance));
}

static void session_handles_are_looked_up(void **state)
{
    (void)state;
    JET_INSTANCE instance = started("a");
    JET_SESID session = session_of(instance);
    JET_SESID wrong[] = {0, JET_sesidNil, 1, instance, session + 1, session ^ ((JET_SESID)1 << 20)};
    JET_SESID other = JET_sesidNil;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        ANSWERS(JET_errInvalidSesid, JetEndSession(wrong[i], 0));
        ANSWERS(JET_errInvalidSesid, JetDupSession(wrong[i], &other));
    }
    ANSWERS(JET_errInvalidParameter, JetDupSession(session, NULL));
    OK(JetDupSession(session, &other));
    assert_true(other != session);
    OK(JetEndSession(other, 0));
    OK(JetTerm(instance));
}

static void sessions_have_a_limit(void **state)
{
    (void)state;
    JET_INSTANCE instance = made("a");
    JET_SESID session;
    OK(JetSetSystemParameterA(&instance, JET_sesidNil, JET_paramMaxSessions, 3, NULL));
    OK(JetInit(&instance));
    for (int i = 0; i < 3; i++)
        (void)session_of(instance);
    ANSWERS(JET_errOutOfSessions, JetBeginSessionA(instance, &session, NULL, NULL));
    assert_true(session == JET_sesidNil);
    OK(JetTerm(instance));
}

static void session_parameters(void **state)
{
    (void)state;
    JET_INSTANCE instance = started("a");
    JET_SESID session = session_of(instance);
    JET_GRBIT commit = JET_bitCommitLazyFlush;
    int32_t level = 5;
    uint32_t size = 0;
    OK(JetSetSessionParameter(session, JET_sesparamCommitDefault, &commit, sizeof(commit)));
    commit = 0;
    OK(JetGetSessionParameter(session, JET_sesparamCommitDefault, &commit, sizeof(commit), &size));
    assert_int_equal(commit, JET_bitCommitLazyFlush);
    assert_int_equal(size, 4);
    OK(JetGetSessionParameter(session, JET_sesparamTransactionLevel, &level, sizeof(level), NULL));
    assert_int_equal(level, 0);
    ANSWERS(JET_errFeatureNotAvailable,
            JetSetSessionParameter(session, JET_sesparamTransactionLevel, &level, sizeof(level)));
    ANSWERS(JET_errInvalidBufferSize, JetSetSessionParameter(session, JET_sesparamCommitDefault, &commit, 3));
    ANSWERS(JET_errInvalidSesparamId, JetSetSessionParameter(session, 5000, &commit, 4));
    ANSWERS(JET_errInvalidParameter, JetSetSessionParameter(session, JET_sesparamCommitDefault, NULL, 4));
    OK(JetSetSessionContext(session, 7));
    ANSWERS(JET_errSessionContextAlreadySet, JetSetSessionContext(session, 8));
    OK(JetResetSessionContext(session));
    ANSWERS(JET_errSessionContextNotSetByThisThread, JetResetSessionContext(session));
    OK(JetTerm(instance));
}

static void stopped_service_lets_nothing_but_the_end_through(void **state)
{
    (void)state;
    JET_INSTANCE instance = started("a");
    JET_SESID session = session_of(instance);
    JET_SESID other;
    uint32_t version;
    ANSWERS(JET_errInvalidGrbit, JetStopServiceInstance2(instance, 0x1));
    OK(JetStopServiceInstance(instance));
    ANSWERS(JET_errClientRequestToStopJetService, JetGetVersion(session, &version));
    ANSWERS(JET_errClientRequestToStopJetService, JetBeginSessionA(instance, &other, NULL, NULL));
    ANSWERS(JET_errClientRequestToStopJetService,
            JetStopServiceInstance2(instance, JET_bitStopServiceResume));
    OK(JetEndSession(session, 0));
    OK(JetTerm2(instance, JET_bitTermComplete));
}

static void two_instances_need_their_own_places(void **state)
{
    (void)state;
    JET_INSTANCE a = started("a");
    JET_INSTANCE b = JET_instanceNil;
    OK(JetCreateInstanceA(&b, "b"));
    OK(JetSetSystemParameterA(&b, JET_sesidNil, JET_paramLogFilePath, 0, "a/"));
    OK(JetSetSystemParameterA(&b, JET_sesidNil, JET_paramSystemPath, 0, "a/"));
    OK(JetSetSystemParameterA(&b, JET_sesidNil, JET_paramTempPath, 0, "t.edb"));
    ANSWERS(JET_errSystemPathInUse, JetInit(&b));
    assert_true(b == 0);
    OK(JetTerm(a));
}

/* --- databases --- */

static void create_close_attach_detach(void **state)
{
    (void)state;
    JET_INSTANCE instance = started("a");
    JET_SESID session = session_of(instance);
    JET_DBID id = JET_dbidNil;
    JET_DBID again = JET_dbidNil;
    OK(JetCreateDatabaseA(session, "a/x.edb", NULL, &id, 0));
    assert_true(id != JET_dbidNil);
    ANSWERS(JET_errDatabaseDuplicate, JetCreateDatabaseA(session, "a/x.edb", NULL, &again, 0));
    ANSWERS(JET_wrnDatabaseAttached, JetAttachDatabaseA(session, "a/x.edb", 0));
    OK(JetOpenDatabaseA(session, "/a/x.edb", NULL, &again, 0));
    assert_int_equal(again, id);
    ANSWERS(JET_errDatabaseInUse, JetDetachDatabaseA(session, "a/x.edb"));
    OK(JetCloseDatabase(session, id, 0));
    OK(JetCloseDatabase(session, id, 0));
    ANSWERS(JET_errInvalidDatabaseId, JetCloseDatabase(session, id, 0));
    OK(JetDetachDatabaseA(session, "a/x.edb"));
    ANSWERS(JET_errDatabaseNotFound, JetDetachDatabaseA(session, "a/x.edb"));
    ANSWERS(JET_errDatabaseNotFound, JetOpenDatabaseA(session, "a/x.edb", NULL, &again, 0));
    ANSWERS(JET_errFileNotFound, JetAttachDatabaseA(session, "a/y.edb", 0));
    OK(JetAttachDatabaseW(session, u"a/x.edb", 0));
    OK(JetOpenDatabaseW(session, u"a\\x.edb", NULL, &again, 0));
    ANSWERS(JET_errInvalidDatabaseId, JetCloseDatabase(session, id, 0));
    OK(JetTerm2(instance, JET_bitTermComplete));
}

static void database_information(void **state)
{
    (void)state;
    JET_INSTANCE instance = started("a");
    JET_SESID session = session_of(instance);
    JET_DBID id = JET_dbidNil;
    JET_DBINFOMISC4 misc;
    char path[300];
    uint32_t pages = 0;
    uint64_t bytes = 0;
    OK(JetCreateDatabaseA(session, "a/x.edb", NULL, &id, 0));
    OK(JetGetDatabaseInfoA(session, id, &misc, sizeof(misc), JET_DbInfoMisc));
    assert_int_equal(misc.dbstate, JET_dbstateDirtyShutdown);
    assert_int_equal(misc.cbPageSize, 4096);
    assert_int_equal(misc.ulVersion, 0x620);
    assert_int_equal(misc.genMinRequired, 1);
    OK(JetGetDatabaseInfoA(session, id, path, sizeof(path), JET_DbInfoFilename));
    assert_string_equal(path, "/a/x.edb");
    OK(JetGetDatabaseInfoA(session, id, &pages, sizeof(pages), JET_DbInfoFilesize));
    assert_int_equal(pages, 256);
    OK(JetGetDatabaseInfoA(session, id, &pages, sizeof(pages), JET_DbInfoSpaceOwned));
    assert_int_equal(pages, 254);
    ANSWERS(JET_errInvalidBufferSize, JetGetDatabaseInfoA(session, id, &misc, 5, JET_DbInfoMisc));
    ANSWERS(JET_errInvalidParameter, JetGetDatabaseInfoA(session, id, &misc, sizeof(misc), 999));
    ANSWERS(JET_errInvalidDatabaseId, JetGetDatabaseInfoA(session, id + 8, &pages, 4, JET_DbInfoFilesize));
    OK(JetTerm2(instance, JET_bitTermComplete));
    OK(JetGetDatabaseFileInfoA("a/x.edb", &misc, sizeof(misc), JET_DbInfoMisc));
    assert_int_equal(misc.dbstate, JET_dbstateCleanShutdown);
    assert_int_equal(misc.genMinRequired, 0);
    OK(JetGetDatabaseFileInfoA("a/x.edb", &bytes, sizeof(bytes), JET_DbInfoFilesize));
    assert_int_equal(bytes, 1048576);
    OK(JetGetDatabaseFileInfoW(u"a/x.edb", &pages, sizeof(pages), JET_DbInfoPageSize));
    assert_int_equal(pages, 4096);
    ANSWERS(JET_errFileNotFound, JetGetDatabaseFileInfoA("a/none.edb", &bytes, sizeof(bytes), 10));
}

static void other_instances_cannot_have_the_file(void **state)
{
    (void)state;
    JET_INSTANCE a = started("a");
    JET_INSTANCE b = started("b");
    JET_SESID session_a = session_of(a);
    JET_SESID session_b = session_of(b);
    JET_DBID id;
    OK(JetCreateDatabaseA(session_a, "a/x.edb", NULL, &id, 0));
    ANSWERS(JET_errDatabaseSharingViolation, JetAttachDatabaseA(session_b, "a/x.edb", 0));
    ANSWERS(JET_errInvalidDatabaseId, JetCloseDatabase(session_b, id, 0));
    OK(JetTerm(a));
    OK(JetAttachDatabaseA(session_b, "a/x.edb", 0));
    OK(JetTerm(b));
}

static uint32_t log_records(void)
{
    JET_THREADSTATS stats;
    OK(JetGetThreadStats(&stats, sizeof(stats)));
    return stats.cLogRecord;
}

static void logged_work_survives_a_crash(void **state)
{
    (void)state;
    JET_INSTANCE instance = started("a");
    JET_SESID session = session_of(instance);
    JET_DBID id;
    JET_DBINFOMISC4 misc;
    const uint32_t before = log_records();
    OK(JetCreateDatabaseA(session, "a/x.edb", NULL, &id, 0));
    const uint32_t appended = log_records() - before;
    EsentHostCrash();
    OK(JetGetDatabaseFileInfoA("a/x.edb", &misc, sizeof(misc), JET_DbInfoMisc));
    assert_int_equal(misc.dbstate, JET_dbstateDirtyShutdown);
    const uint32_t crashed = log_records();
    instance = started("a");
    assert_true(log_records() - crashed >= appended); /* what is redone counts, too */
    session = session_of(instance);
    OK(JetAttachDatabaseA(session, "a/x.edb", 0));
    OK(JetTerm2(instance, JET_bitTermComplete));
    OK(EsentHostCheckDatabase("a/x.edb", NULL, NULL));
}

static void dirty_end_leaves_recovery_to_do(void **state)
{
    (void)state;
    JET_INSTANCE instance = started("a");
    JET_SESID session = session_of(instance);
    JET_DBID id;
    OK(JetCreateDatabaseA(session, "a/x.edb", NULL, &id, 0));
    ANSWERS(JET_errDirtyShutdown, JetTerm2(instance, JET_bitTermDirty));
    instance = started("a");
    session = session_of(instance);
    OK(JetAttachDatabaseA(session, "a/x.edb", 0));
    OK(JetTerm(instance));
}

static void null_arguments_are_answered(void **state)
{
    (void)state;
    JET_INSTANCE instance = started("a");
    JET_SESID session = session_of(instance);
    JET_DBID id = JET_dbidNil;
    ANSWERS(JET_errInvalidParameter, JetBeginSessionA(instance, NULL, NULL, NULL));
    ANSWERS(JET_errDatabaseInvalidPath, JetCreateDatabaseA(session, NULL, NULL, &id, 0));
    ANSWERS(JET_errDatabaseInvalidPath, JetCreateDatabaseA(session, "", NULL, &id, 0));
    ANSWERS(JET_errInvalidParameter, JetCreateDatabaseA(session, "a/x.edb", NULL, NULL, 0));
    ANSWERS(JET_errDatabaseInvalidPath, JetAttachDatabaseA(session, NULL, 0));
    ANSWERS(JET_errDatabaseInvalidPath, JetOpenDatabaseA(session, NULL, NULL, &id, 0));
    OK(JetDetachDatabaseA(session, NULL));
    ANSWERS(JET_errInvalidParameter, JetGetDatabaseFileInfoA(NULL, &id, 4, JET_DbInfoPageSize));
    ANSWERS(JET_errInvalidParameter, JetGetThreadStats(NULL, 100));
    OK(JetFreeBuffer(NULL));
    OK(JetTerm(instance));
}

/* Each page size works from creation to a clean end. */
static void page_sizes(void **state)
{
    (void)state;
    static const uint32_t sizes[] = {2048, 4096, 8192, 16384, 32768};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        char name[16];
        char path[32];
        JET_DBID id;
        (void)snprintf(name, sizeof(name), "p%u", (unsigned)sizes[i]);
        (void)snprintf(path, sizeof(path), "%s/x.edb", name);
        OK(JetSetSystemParameterA(NULL, JET_sesidNil, JET_paramDatabasePageSize, sizes[i], NULL));
        JET_INSTANCE instance = started(name);
        JET_SESID session = session_of(instance);
        OK(JetCreateDatabaseA(session, path, NULL, &id, 0));
        OK(JetTerm2(instance, JET_bitTermComplete));
        OK(EsentHostCheckDatabase(path, NULL, NULL));
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(instance_handles_are_looked_up, setup, teardown),
        cmocka_unit_test_setup_teardown(names_of_instances_are_unique, setup, teardown),
        cmocka_unit_test_setup_teardown(one_instance_mode_keeps_others_out, setup, teardown),
        cmocka_unit_test_setup_teardown(multi_instance_mode_compares_parameters, setup, teardown),
        cmocka_unit_test_setup_teardown(parameters_come_back_as_they_were_set, setup, teardown),
        cmocka_unit_test_setup_teardown(error_categories_form_a_path, setup, teardown),
        cmocka_unit_test_setup_teardown(start_and_end, setup, teardown),
        cmocka_unit_test_setup_teardown(session_handles_are_looked_up, setup, teardown),
        cmocka_unit_test_setup_teardown(sessions_have_a_limit, setup, teardown),
        cmocka_unit_test_setup_teardown(session_parameters, setup, teardown),
        cmocka_unit_test_setup_teardown(stopped_service_lets_nothing_but_the_end_through, setup, teardown),
        cmocka_unit_test_setup_teardown(two_instances_need_their_own_places, setup, teardown),
        cmocka_unit_test_setup_teardown(create_close_attach_detach, setup, teardown),
        cmocka_unit_test_setup_teardown(database_information, setup, teardown),
        cmocka_unit_test_setup_teardown(other_instances_cannot_have_the_file, setup, teardown),
        cmocka_unit_test_setup_teardown(logged_work_survives_a_crash, setup, teardown),
        cmocka_unit_test_setup_teardown(dirty_end_leaves_recovery_to_do, setup, teardown),
        cmocka_unit_test_setup_teardown(null_arguments_are_answered, setup, teardown),
        cmocka_unit_test_setup_teardown(page_sizes, setup, teardown),
        cmocka_unit_test_setup_teardown(text_is_checked, setup, teardown),
    };
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
