/* Starts and ends of instances: settings that matter there, and what a failure of memory, files or the disk's
 * room leaves. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/instance_world.h"

/* --- parameters that matter at the start --- */

static void numbers_at_their_ends(void **state)
{
    static const struct {
        uint32_t parameter;
        uint64_t value;
    } rows[] = {{JET_paramCacheSizeMax, 1},    {JET_paramCacheSizeMax, 5000000000u},
                {JET_paramCacheSizeMax, 100},  {JET_paramDbExtensionSize, 1000000},
                {JET_paramDbExtensionSize, 1}, {JET_paramMaxVerPages, 100}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        instance = make("a", "a/");
        EXPECT(JET_errSuccess,
               JetSetSystemParameterA(&instance, JET_sesidNil, rows[i].parameter, rows[i].value, NULL));
        start();
        EXPECT(JET_errSuccess, JetCreateDatabaseA(session, "a/x.edb", NULL, &database, 0));
        make_table("t", 3);
        end();
        EXPECT(JET_errSuccess, EsentHostCheckDatabase("a/x.edb", NULL, NULL));
        assert_int_equal(teardown(state), 0);
        assert_int_equal(setup(state), 0);
    }
    cases_end();
}

static void settings_by_name(void **state)
{
    (void)state;
    JET_UNICODEINDEX german = {.lcid = 1031, .dwMapFlags = 0x10401};
    const JET_API_PTR given = (JET_API_PTR)(uintptr_t)&german;
    JET_UNICODEINDEX out = {0};
    instance = make("a", "a/");
    EXPECT(JET_errSuccess,
           JetSetSystemParameterA(&instance, JET_sesidNil, JET_paramUnicodeIndexDefault, given, NULL));
    EXPECT(JET_errSuccess,
           JetSetSystemParameterA(&instance, JET_sesidNil, JET_paramUnicodeIndexDefault, 0, NULL));
    EXPECT(JET_errSuccess, JetGetSystemParameterA(instance, JET_sesidNil, JET_paramUnicodeIndexDefault,
                                                  (JET_API_PTR *)(void *)&out, NULL, sizeof(out)));
    EXPECT_EQUAL(1033, out.lcid); /* as if none had been given */
    EXPECT(JET_errSuccess, JetSetSystemParameterA(&instance, JET_sesidNil, JET_paramConfiguration, 1, NULL));
    EXPECT(JET_errInvalidParameter,
           JetSetSystemParameterA(&instance, JET_sesidNil, JET_paramConfiguration, 0x10000, NULL));
    EXPECT(JET_errSuccess, JetSetSystemParameterA(&instance, JET_sesidNil, JET_paramRecovery, 0, "Repair"));
    EXPECT(JET_errInvalidParameter,
           JetSetSystemParameterA(&instance, JET_sesidNil, JET_paramKeyMost, 100, NULL));
    EXPECT(JET_errInvalidParameter,
           JetSetSystemParameterA(&instance, JET_sesidNil, JET_paramEngineFormatVersion, 1, NULL) <
                   JET_errSuccess
               ? JET_errInvalidParameter
               : JET_errSuccess);
    start();
    EXPECT(JET_errAlreadyInitialized,
           JetSetSystemParameterA(&instance, JET_sesidNil, JET_paramUnicodeIndexDefault, given, NULL));
    /* It keeps a log. */
    EXPECT(JET_errSuccess, JetCreateDatabaseA(session, "a/x.edb", NULL, &database, 0));
    struct ESENT_HOST_FILE_INFO info;
    EXPECT(JET_errSuccess, EsentHostFileInfo("a/edb.log", &info));
    end();
    cases_end();
}

/* A full disk where the log must take a detachment makes the instance unavailable; before that, nothing has
 * happened. The next start recovers. */
static void full_disk_under_the_log(void **state)
{
    int unavailable = 0;
    for (uint64_t nth = 1; nth < 100; nth++) {
        JET_SESID other;
        begin_with_database();
        EXPECT(JET_errSuccess, JetCloseDatabase(session, database, 0));
        EsentHostResetCounters();
        EsentHostFailNth(ESENT_HOST_FAULT_DISK_FULL, nth, 1000000);
        JET_ERR err = JetDetachDatabaseA(session, "a/x.edb");
        uint64_t failures = EsentHostCountFailures(ESENT_HOST_FAULT_DISK_FULL);
        EsentHostFailNone();
        EXPECT_EQUAL(failures > 0, err < JET_errSuccess);
        JET_ERR after = JetBeginTransaction(session);
        EXPECT(after, after == JET_errSuccess ? JetCommitTransaction(session, 0) : after);
        EXPECT(after, JetBeginSessionA(instance, &other, NULL, NULL));
        EXPECT(after == JET_errInstanceUnavailable ? after : JET_errSuccess, after);
        if (err == JET_errLogWriteFail)
            EXPECT(JET_errInstanceUnavailable, after);
        unavailable += after == JET_errInstanceUnavailable;
        (void)JetTerm2(instance, JET_bitTermAbrupt);
        begin();
        EXPECT(JET_errSuccess, JetAttachDatabaseA(session, "a/x.edb", 0));
        end();
        assert_int_equal(teardown(state), 0);
        assert_int_equal(setup(state), 0);
        if (failures == 0)
            break;
    }
    assert_true(unavailable > 0);
    cases_end();
}

/* An end that was refused leaves a running instance: another start is told so. */
static void start_after_a_refused_end(void **state)
{
    static const struct {
        enum ESENT_HOST_PROFILE profile;
        JET_ERR answer;
    } rows[] = {{ESENT_HOST_DOCUMENTED, JET_errAlreadyInitialized},
                {ESENT_HOST_PUBLISHED, JET_errTempPathInUse}};
    for (size_t i = 0; i < 2; i++) {
        EXPECT(JET_errSuccess, EsentHostSetProfile(rows[i].profile));
        EXPECT(JET_errSuccess, JetSetSystemParameterA(NULL, JET_sesidNil, JET_paramEngineFormatVersion,
                                                      JET_efvExchange2016Cu1Rtm, NULL));
        begin();
        EXPECT(JET_errSuccess, JetBeginTransaction(session));
        EXPECT(JET_errTooManyActiveUsers, JetTerm2(instance, JET_bitTermComplete));
        JET_INSTANCE again = instance;
        EXPECT(rows[i].answer, JetInit(&again));
        EXPECT(JET_errSuccess, JetCommitTransaction(session, 0));
        EXPECT(JET_errSuccess, JetTerm2(instance, JET_bitTermComplete));
        EXPECT(JET_errSuccess, EsentHostSetProfile(ESENT_HOST_DOCUMENTED));
        assert_int_equal(teardown(state), 0);
        assert_int_equal(setup(state), 0);
    }
    cases_end();
}

/* Three instances: the third meets what the first has, whatever the second has. */
static void three_instances(void **state)
{
    (void)state;
    instance = make("a", "a/");
    EXPECT(JET_errSuccess,
           JetSetSystemParameterA(&instance, JET_sesidNil, JET_paramMaxTemporaryTables, 0, NULL));
    start();
    JET_INSTANCE second = make("b", "b/");
    EXPECT(JET_errSuccess, JetInit(&second));
    JET_INSTANCE third = make("c", "a/");
    EXPECT(JET_errSystemPathInUse, JetInit(&third)); /* its temporary tables' path is in nobody's use */
    third = make("c", "b/");
    EXPECT(JET_errTempPathInUse, JetInit(&third));
    EXPECT(JET_errSuccess, JetTerm(second));
    end();
    cases_end();
}

/* --- starts that fail --- */

/* A start with a map whose allocations fail takes the instance with it, and leaves nothing. */
static void starts_that_lack_memory(void **state)
{
    static char from[] = "a/x.edb";
    static char to[] = "a/y.edb";
    static WCHAR wide_from[] = {'a', '/', 'x', '.', 'e', 'd', 'b', 0};
    static WCHAR wide_to[] = {'a', '/', 'y', '.', 'e', 'd', 'b', 0};
    static char long_path[2000];
    JET_RSTMAP_A map = {from, to};
    JET_RSTMAP_W wide_map = {wide_from, wide_to};
    JET_RSTINFO_A info = {.cbStruct = sizeof(info), .rgrstmap = &map, .crstmap = 1};
    JET_RSTINFO_W wide = {.cbStruct = sizeof(wide), .rgrstmap = &wide_map, .crstmap = 1};
    for (int kind = 0; kind < 2; kind++) {
        for (uint64_t nth = 1;; nth++) {
            instance = make("a", "a/");
            EsentHostResetCounters();
            EsentHostFailNth(ESENT_HOST_FAULT_ALLOCATE, nth, 1);
            JET_ERR err = kind == 0 ? JetInit3A(&instance, &info, 0) : JetInit3W(&instance, &wide, 0);
            uint64_t failures = EsentHostCountFailures(ESENT_HOST_FAULT_ALLOCATE);
            EsentHostFailNone();
            if (err == JET_errSuccess)
                EXPECT(JET_errSuccess, JetTerm2(instance, JET_bitTermComplete));
            else if (instance != 0)
                EXPECT(JET_errSuccess, JetTerm(instance)); /* it was not begun with */
            EXPECT(failures > 0 && err < JET_errSuccess ? JET_errOutOfMemory : JET_errSuccess, err);
            assert_int_equal(teardown(state), 0);
            assert_int_equal(setup(state), 0);
            if (failures == 0 || cases_wrong > 5)
                break;
        }
    }
    memset(long_path, 'p', sizeof(long_path) - 1);
    map.szDatabaseName = long_path;
    instance = make("a", "a/");
    EXPECT(JET_errInvalidPath, JetInit3A(&instance, &info, 0));
    map = (JET_RSTMAP_A){from, long_path};
    instance = make("a", "a/");
    EXPECT(JET_errInvalidPath, JetInit3A(&instance, &info, 0));
    cases_end();
}

/* Directories that cannot be made. */
static void starts_that_make_no_directories(void **state)
{
    static const enum ESENT_HOST_FAULT kinds[] = {ESENT_HOST_FAULT_IO, ESENT_HOST_FAULT_NAME,
                                                  ESENT_HOST_FAULT_SYNC};
    for (size_t kind = 0; kind < sizeof(kinds) / sizeof(kinds[0]); kind++) {
        for (uint64_t nth = 1; nth < 200; nth++) {
            instance = make("a", "new/one/");
            EXPECT(JET_errSuccess,
                   JetSetSystemParameterA(&instance, JET_sesidNil, JET_paramCreatePathIfNotExist, 1, NULL));
            EXPECT(JET_errSuccess,
                   JetSetSystemParameterA(&instance, JET_sesidNil, JET_paramTempPath, 0, "new/two/"));
            EsentHostResetCounters();
            EsentHostFailNth(kinds[kind], nth, 1);
            JET_ERR err = JetInit(&instance);
            uint64_t failures = EsentHostCountFailures(kinds[kind]);
            EsentHostFailNone();
            if (err >= JET_errSuccess)
                EXPECT(JET_errSuccess, JetTerm2(instance, JET_bitTermComplete));
            else
                EXPECT_EQUAL(0, instance);
            if (failures == 0)
                EXPECT(JET_errSuccess, err);
            assert_int_equal(teardown(state), 0);
            assert_int_equal(setup(state), 0);
            if (failures == 0)
                break;
        }
    }
    cases_end();
}

/* --- ends that fail --- */

/* What an end cannot write it tells; the next start recovers. */
static void ends_that_fail(void **state)
{
    static const enum ESENT_HOST_FAULT kinds[] = {ESENT_HOST_FAULT_WRITE, ESENT_HOST_FAULT_SYNC,
                                                  ESENT_HOST_FAULT_DISK_FULL};
    static const JET_GRBIT bits[] = {0, JET_bitDbRecoveryOff};
    for (size_t kind = 0; kind < sizeof(kinds) / sizeof(kinds[0]); kind++) {
        for (size_t logged = 0; logged < 2; logged++) {
            for (uint64_t nth = 1; nth < 100; nth++) {
                JET_DBINFOMISC misc;
                begin();
                EXPECT(JET_errSuccess, JetCreateDatabaseA(session, "a/x.edb", NULL, &database, bits[logged]));
                EXPECT(JET_errSuccess, JetCreateTableA(session, database, "t", 0, 80, &table));
                EsentHostResetCounters();
                EsentHostFailNth(kinds[kind], nth, 1000000);
                JET_ERR err = JetTerm2(instance, JET_bitTermComplete);
                uint64_t failures = EsentHostCountFailures(kinds[kind]);
                EsentHostFailNone();
                EXPECT(JET_errSuccess,
                       JetGetDatabaseFileInfoA("a/x.edb", &misc, sizeof(misc), JET_DbInfoMisc));
                if (err >= JET_errSuccess && misc.dbstate != JET_dbstateCleanShutdown) {
                    print_message("%s %d: answers %d, state %d\n", EsentHostFaultName(kinds[kind]), (int)nth,
                                  (int)err, (int)misc.dbstate);
                    cases_wrong++;
                }
                if (logged == 0 && err < JET_errSuccess) {
                    begin();
                    EXPECT(JET_errSuccess, JetAttachDatabaseA(session, "a/x.edb", 0));
                    end();
                }
                assert_int_equal(teardown(state), 0);
                assert_int_equal(setup(state), 0);
                if (failures == 0)
                    break;
            }
        }
    }
    cases_end();
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        CASE(numbers_at_their_ends),           CASE(settings_by_name), CASE(full_disk_under_the_log),
        CASE(start_after_a_refused_end),       CASE(three_instances),  CASE(starts_that_lack_memory),
        CASE(starts_that_make_no_directories), CASE(ends_that_fail),
    };
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
