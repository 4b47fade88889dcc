/* JetRestore* and JetExternalRestore*, call by call: arguments, targets that run and that do not, calls from
 * within. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "include/esent.h"
#include "include/esent_host.h"
#include "tests/api_cases.h"

#define BAD_TEXT ((char *)(uintptr_t) "a\xff")  /* not UTF-8 */
#define BAD_WIDE ((WCHAR *)(uintptr_t)bad_wide) /* a lone low surrogate */
#define TEXT(text) ((char *)(uintptr_t)(text))

static const WCHAR bad_wide[] = {'a', 0xdc00, 'b', 0};
static WCHAR wide_backup[] = {'b', '/', 0};
static WCHAR wide_restore[] = {'r', '/', 0};
static WCHAR wide_from[] = {'a', '/', 'x', '.', 'e', 'd', 'b', 0};
static WCHAR wide_to[] = {'r', '/', 'x', '.', 'e', 'd', 'b', 0};

static JET_INSTANCE instance;
static JET_SESID session;
static JET_DBID database;
static JET_TABLEID table;
static uint32_t low; /* generations of the backup */
static uint32_t high;

static int setup(void **state)
{
    struct ESENT_HOST_SIMULATION simulation = {.seed = 1, .scheduler = ESENT_HOST_SCHEDULE_FIFO};
    static const char *const directories[] = {"a", "b", "d", "r", "t"};
    (void)state;
    (void)EsentHostReset(NULL, 0);
    if (EsentHostUseMemoryFiles() != JET_errSuccess || EsentHostUseSimulation(&simulation) != JET_errSuccess)
        return -1;
    for (size_t i = 0; i < sizeof(directories) / sizeof(directories[0]); i++) {
        if (EsentHostDirectoryCreate(directories[i]) != JET_errSuccess)
            return -1;
    }
    return 0;
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

/* An instance that lies in `directory`. */
static void make(const char *name, const char *directory)
{
    instance = JET_instanceNil;
    EXPECT(JET_errSuccess, JetCreateInstanceA(&instance, name));
    EXPECT(JET_errSuccess,
           JetSetSystemParameterA(&instance, JET_sesidNil, JET_paramLogFilePath, 0, directory));
    EXPECT(JET_errSuccess,
           JetSetSystemParameterA(&instance, JET_sesidNil, JET_paramSystemPath, 0, directory));
    EXPECT(JET_errSuccess, JetSetSystemParameterA(&instance, JET_sesidNil, JET_paramTempPath, 0, directory));
    EXPECT(JET_errSuccess, JetSetSystemParameterA(&instance, JET_sesidNil, JET_paramLogFileSize, 128, NULL));
}

static void insert_rows(int count)
{
    for (int i = 0; i < count; i++) {
        EXPECT(JET_errSuccess, JetBeginTransaction(session));
        EXPECT(JET_errSuccess, JetPrepareUpdate(session, table, JET_prepInsert));
        EXPECT(JET_errSuccess, JetUpdate(session, table, NULL, 0, NULL));
        EXPECT(JET_errSuccess, JetCommitTransaction(session, 0));
    }
}

static uint8_t chunk[65536] __attribute__((aligned(4096)));

static void stream(const char *from, const char *to)
{
    JET_HANDLE file;
    uint32_t size_low;
    uint32_t size_high;
    uint32_t got = 0;
    uint64_t at = 0;
    EXPECT(JET_errSuccess, JetOpenFileInstanceA(instance, TEXT(from), &file, &size_low, &size_high));
    do {
        EXPECT(JET_errSuccess, JetReadFileInstance(instance, file, chunk, sizeof(chunk), &got));
        EXPECT(JET_errSuccess, EsentHostFileWrite(to, at, chunk, got));
        at += got;
    } while (got > 0 && cases_wrong == 0);
    EXPECT(JET_errSuccess, JetCloseFileInstance(instance, file));
}

/* A streamed backup in b/, its database in r/, of the instance "a" which goes on with three rows more. */
static void back_up(void)
{
    char logs[2000];
    char to[100];
    JET_LOGINFO_A info = {.cbSize = sizeof(info)};
    EXPECT(JET_errSuccess, JetBeginExternalBackupInstance(instance, 0));
    stream("a/x.edb", "r/x.edb");
    EXPECT(JET_errSuccess, JetGetLogInfoInstance2A(instance, logs, sizeof(logs), NULL, &info));
    low = info.ulGenLow;
    high = info.ulGenHigh - 1;
    for (const char *log = logs; *log != '\0'; log += strlen(log) + 1) {
        (void)snprintf(to, sizeof(to), "b/%s", strrchr(log, '/') + 1);
        stream(log, to);
    }
    EXPECT(JET_errSuccess, JetEndExternalBackupInstance2(instance, JET_bitBackupEndNormal));
}

static void begin(void)
{
    make("a", "a/");
    EXPECT(JET_errSuccess, JetInit(&instance));
    EXPECT(JET_errSuccess, JetBeginSessionA(instance, &session, NULL, NULL));
    EXPECT(JET_errSuccess, JetCreateDatabaseA(session, "a/x.edb", NULL, &database, 0));
    EXPECT(JET_errSuccess, JetCreateTableA(session, database, "t", 0, 80, &table));
    insert_rows(2);
}

static void begin_and_back_up(void)
{
    begin();
    back_up();
    insert_rows(3);
}

/* Rows of the restored database, which an instance in its directory attaches. */
static int restored_rows(const char *directory, const char *path)
{
    JET_INSTANCE first = instance;
    int rows = 0;
    make("reader", directory);
    EXPECT(JET_errSuccess, JetInit(&instance));
    EXPECT(JET_errSuccess, JetBeginSessionA(instance, &session, NULL, NULL));
    EXPECT(JET_errSuccess, JetAttachDatabaseA(session, path, 0));
    EXPECT(JET_errSuccess, JetOpenDatabaseA(session, path, NULL, &database, 0));
    EXPECT(JET_errSuccess, JetOpenTableA(session, database, "t", NULL, 0, 0, &table));
    for (JET_ERR err = JetMove(session, table, (int32_t)JET_MoveFirst, 0); err == JET_errSuccess;
         err = JetMove(session, table, JET_MoveNext, 0))
        rows++;
    EXPECT(JET_errSuccess, JetTerm2(instance, JET_bitTermComplete));
    instance = first;
    return rows;
}

/* --- JetRestore* --- */

static void restore_arguments(void **state)
{
    (void)state;
    make("a", "a/");
    EXPECT(JET_errInvalidParameter, JetRestoreInstanceA(instance, NULL, NULL, NULL));
    EXPECT(JET_errInvalidParameter, JetRestoreInstanceW(instance, NULL, NULL, NULL));
    EXPECT(JET_errInvalidParameter, JetRestoreInstanceA(instance, BAD_TEXT, NULL, NULL));
    EXPECT(JET_errInvalidParameter, JetRestoreInstanceA(instance, "d/", BAD_TEXT, NULL));
    EXPECT(JET_errInvalidParameter, JetRestoreInstanceW(instance, BAD_WIDE, NULL, NULL));
    EXPECT(JET_errInvalidParameter, JetRestoreInstanceW(instance, wide_backup, BAD_WIDE, NULL));
    EXPECT(JET_errInvalidParameter, JetRestoreInstanceA(1234567, "d/", NULL, NULL));
    EXPECT(JET_errRunningInMultiInstanceMode, JetRestoreA("d/", NULL));
    EXPECT(JET_errRunningInMultiInstanceMode, JetRestore2W(wide_backup, NULL, NULL));
    /* Nothing there to restore: the instance is as it was. */
    EXPECT(JET_errFileNotFound, JetRestoreInstanceA(instance, "d/", "", NULL));
    EXPECT(JET_errSuccess, JetInit(&instance));
    EXPECT(JET_errAlreadyInitialized, JetRestoreInstanceA(instance, "d/", NULL, NULL));
    EXPECT(JET_errSuccess, JetTerm(instance));
    cases_end();
}

/* Without an instance the call makes one of its own, wherever that may run. */
static void restore_without_an_instance(void **state)
{
    (void)state;
    EXPECT(JET_errFileNotFound, JetRestoreInstanceA(JET_instanceNil, "d/", NULL, NULL));
    EXPECT(JET_errFileNotFound, JetRestoreInstanceA(0, "d/", NULL, NULL));
    EXPECT(JET_errFileNotFound, JetRestoreA("d/", NULL));
    EXPECT(JET_errFileNotFound, JetRestoreW(wide_backup, NULL));
    EXPECT(JET_errInvalidParameter, JetRestoreA(NULL, NULL));
    /* One at a time. */
    EXPECT(JET_errSuccess, JetSetSystemParameterA(NULL, JET_sesidNil, JET_paramMaxInstances, 1, NULL));
    make("a", "a/");
    EXPECT(JET_errTooManyInstances, JetRestoreInstanceA(JET_instanceNil, "d/", NULL, NULL));
    EXPECT(JET_errTooManyInstances,
           JetExternalRestoreA(TEXT("r/"), TEXT("r/"), NULL, 0, TEXT("b/"), 1, 1, NULL));
    EXPECT(JET_errSuccess, JetTerm(instance));
    cases_end();
}

static void restore_in_one_instance_mode(void **state)
{
    (void)state;
    JET_LOGINFO_A info = {.cbSize = sizeof(info), .szBaseName = "edb"};
    EXPECT(JET_errSuccess, JetSetSystemParameterA(NULL, JET_sesidNil, JET_paramLogFileSize, 128, NULL));
    EXPECT(JET_errSuccess, JetInit(NULL));
    EXPECT(JET_errAlreadyInitialized, JetRestoreA("d/", NULL));
    EXPECT(JET_errTooManyInstances, JetRestoreInstanceA(JET_instanceNil, "d/", NULL, NULL));
    EXPECT(JET_errRunningInOneInstanceMode,
           JetExternalRestoreA(TEXT("r/"), TEXT("r/"), NULL, 0, TEXT("b/"), 1, 1, NULL));
    EXPECT(JET_errRunningInOneInstanceMode,
           JetExternalRestore2A(TEXT("r/"), TEXT("r/"), NULL, 0, TEXT("b/"), &info, NULL, NULL, NULL, NULL));
    EXPECT(JET_errSuccess, JetTerm(0));
    cases_end();
}

/* A path that is to be made, and one that must be there. */
static void restore_makes_directories(void **state)
{
    (void)state;
    static WCHAR wide_directory[] = {'d', '/', 0};
    static WCHAR wide_target[] = {'n', '/', 0};
    begin();
    EXPECT(JET_errSuccess, JetBackupInstanceA(instance, "d/", 0, NULL));
    EXPECT(JET_errSuccess, JetTerm2(instance, JET_bitTermComplete));
    make("a", "t/");
    EXPECT(JET_errSuccess,
           JetSetSystemParameterA(&instance, JET_sesidNil, JET_paramCreatePathIfNotExist, 1, NULL));
    EXPECT(JET_errSuccess, JetRestoreInstanceW(instance, wide_directory, wide_target, NULL));
    EXPECT(JET_errSuccess, JetTerm(instance));
    EXPECT_EQUAL(2, restored_rows("t/", "n/x.edb"));
    make("a", "nowhere/");
    EXPECT(JET_errInvalidPath, JetRestoreInstanceA(instance, "d/", "r/", NULL));
    EXPECT(JET_errSuccess, JetTerm(instance));
    cases_end();
}

/* --- calls from within --- */

static int callbacks;

static JET_ERR JET_API during_restore(JET_SESID sesid, JET_SNP snp, JET_SNT snt, void *progress)
{
    JET_SESID none;
    JET_API_PTR value;
    JET_INSTANCE again = instance;
    JET_LOGINFO_A info = {.cbSize = sizeof(info), .szBaseName = "edb", .ulGenLow = 1, .ulGenHigh = 1};
    (void)sesid;
    (void)snt;
    (void)progress;
    if (callbacks++ > 0)
        return JET_errSuccess;
    EXPECT_EQUAL(JET_snpRestore, snp);
    EXPECT(JET_errRestoreInProgress, JetBeginSessionA(instance, &none, NULL, NULL));
    EXPECT(JET_errRestoreInProgress, JetTerm2(instance, JET_bitTermAbrupt));
    EXPECT(JET_errRestoreInProgress, JetInit(&again));
    EXPECT(JET_errRestoreInProgress, JetRestoreInstanceA(instance, "d/", NULL, NULL));
    EXPECT(JET_errRestoreInProgress,
           JetGetSystemParameterA(instance, JET_sesidNil, JET_paramLogFileSize, &value, NULL, 0));
    EXPECT(JET_errRestoreInProgress,
           JetSetSystemParameterA(&instance, JET_sesidNil, JET_paramLogFileSize, 256, NULL));
    EXPECT(JET_errNotInitialized, JetStopServiceInstance(instance));
    /* An instance that restores continues nobody's backup. */
    EXPECT(JET_errRestoreInProgress, JetExternalRestore2A(TEXT("r/"), TEXT("r/"), NULL, 0, TEXT("b/"), &info,
                                                          TEXT("a"), NULL, NULL, NULL));
    return JET_errSuccess;
}

static void calls_within_a_restore(void **state)
{
    (void)state;
    begin();
    EXPECT(JET_errSuccess, JetBackupInstanceA(instance, "d/", 0, NULL));
    EXPECT(JET_errSuccess, JetTerm2(instance, JET_bitTermComplete));
    make("a", "t/");
    callbacks = 0;
    EXPECT(JET_errSuccess, JetRestoreInstanceA(instance, "d/", "t/", during_restore));
    assert_true(callbacks > 0);
    EXPECT(JET_errSuccess, JetTerm(instance));
    EXPECT_EQUAL(2, restored_rows("t/", "t/x.edb"));
    cases_end();
}

/* --- JetExternalRestore* --- */

static void external_arguments(void **state)
{
    (void)state;
    JET_LOGINFO_A info = {.cbSize = sizeof(info), .szBaseName = "edb", .ulGenLow = 1, .ulGenHigh = 1};
    JET_LOGINFO_W wide = {
        .cbSize = sizeof(wide), .szBaseName = {'e', 'd', 'b'}, .ulGenLow = 1, .ulGenHigh = 1};
    JET_RSTMAP_A map = {TEXT("a/x.edb"), TEXT("r/x.edb")};
    JET_RSTMAP_W wide_map = {wide_from, wide_to};
#define EXTERNAL(name, logs, checkpoints)                                                                    \
    JetExternalRestore2A(TEXT("r/"), TEXT("r/"), &map, 1, TEXT("b/"), &info, (name), (logs), (checkpoints),  \
                         NULL)
    EXPECT(JET_errInvalidParameter, EXTERNAL(NULL, TEXT("t/"), NULL));
    EXPECT(JET_errInvalidParameter, EXTERNAL(NULL, NULL, TEXT("t/")));
    EXPECT(JET_errInvalidParameter, EXTERNAL(TEXT("a"), TEXT("t/"), TEXT("t/")));
    EXPECT(JET_errInvalidParameter, EXTERNAL(BAD_TEXT, NULL, NULL));
    EXPECT(JET_errInvalidParameter, EXTERNAL(NULL, BAD_TEXT, TEXT("t/")));
    EXPECT(JET_errInvalidParameter, EXTERNAL(NULL, TEXT("t/"), BAD_TEXT));
    EXPECT(JET_errBadRestoreTargetInstance, EXTERNAL(TEXT("nobody"), NULL, NULL));
    EXPECT(JET_errInvalidParameter,
           JetExternalRestore2A(TEXT("r/"), TEXT("r/"), &map, 1, TEXT("b/"), NULL, NULL, NULL, NULL, NULL));
    EXPECT(JET_errInvalidParameter, JetExternalRestore2W(wide_restore, wide_restore, &wide_map, 1,
                                                         wide_backup, NULL, NULL, NULL, NULL, NULL));
    info.cbSize = wide.cbSize = 3;
    EXPECT(JET_errInvalidParameter, EXTERNAL(NULL, NULL, NULL));
    EXPECT(JET_errInvalidParameter, JetExternalRestore2W(wide_restore, wide_restore, &wide_map, 1,
                                                         wide_backup, &wide, NULL, NULL, NULL, NULL));
#define LEGACY(checkpoint, log, pairs, count, backup)                                                        \
    JetExternalRestoreA((checkpoint), (log), (pairs), (count), (backup), 1, 1, NULL)
    EXPECT(JET_errInvalidParameter, LEGACY(BAD_TEXT, TEXT("r/"), &map, 1, TEXT("b/")));
    EXPECT(JET_errInvalidParameter, LEGACY(TEXT("r/"), BAD_TEXT, &map, 1, TEXT("b/")));
    EXPECT(JET_errInvalidParameter, LEGACY(TEXT("r/"), TEXT("r/"), &map, 1, BAD_TEXT));
    EXPECT(JET_errInvalidParameter, LEGACY(TEXT("r/"), TEXT("r/"), &map, -1, TEXT("b/")));
    EXPECT(JET_errInvalidParameter, LEGACY(TEXT("r/"), TEXT("r/"), NULL, 1, TEXT("b/")));
    EXPECT(JET_errInvalidPath, LEGACY(TEXT("r/"), TEXT("r/"), &map, 1, NULL));
    EXPECT(JET_errInvalidPath, LEGACY(TEXT("r/"), NULL, &map, 1, TEXT("b/")));
    EXPECT(JET_errInvalidPath, JetExternalRestoreA(TEXT("r/"), TEXT("r/"), &map, 1, TEXT("b/"), 0, 1, NULL));
    map.szNewDatabaseName = NULL;
    EXPECT(JET_errInvalidParameter, LEGACY(TEXT("r/"), TEXT("r/"), &map, 1, TEXT("b/")));
    map.szNewDatabaseName = BAD_TEXT;
    EXPECT(JET_errInvalidParameter, LEGACY(TEXT("r/"), TEXT("r/"), &map, 1, TEXT("b/")));
    map.szDatabaseName = NULL;
    EXPECT(JET_errInvalidParameter, LEGACY(TEXT("r/"), TEXT("r/"), &map, 1, TEXT("b/")));
#define LEGACY_WIDE(checkpoint, pairs, count)                                                                \
    JetExternalRestoreW((checkpoint), wide_restore, (pairs), (count), wide_backup, 1, 1, NULL)
    EXPECT(JET_errInvalidParameter, LEGACY_WIDE(BAD_WIDE, &wide_map, 1));
    EXPECT(JET_errInvalidParameter, LEGACY_WIDE(wide_restore, &wide_map, -1));
    EXPECT(JET_errInvalidParameter, LEGACY_WIDE(wide_restore, NULL, 1));
    wide_map.szNewDatabaseName = BAD_WIDE;
    EXPECT(JET_errInvalidParameter, LEGACY_WIDE(wide_restore, &wide_map, 1));
    wide_map.szDatabaseName = BAD_WIDE;
    EXPECT(JET_errInvalidParameter, LEGACY_WIDE(wide_restore, &wide_map, 1));
    cases_end();
}

static JET_RSTMAP_A map = {TEXT("a/x.edb"), TEXT("r/x.edb")};

static JET_PFNSTATUS status;

static JET_ERR restore(const char *base, const char *target, const char *target_directory)
{
    JET_LOGINFO_A info = {.cbSize = sizeof(info), .ulGenLow = low, .ulGenHigh = high};
    memcpy(info.szBaseName, base, strlen(base) + 1);
    return JetExternalRestore2A(TEXT("r/"), TEXT("r/"), &map, 1, TEXT("b/"), &info, TEXT(target),
                                TEXT(target_directory), TEXT(target_directory), status);
}

/* A target that runs: its logs are played after those of the backup. */
static void target_by_name(void **state)
{
    (void)state;
    begin_and_back_up();
    EXPECT(JET_errBadRestoreTargetInstance, restore("abc", "a", NULL));
    EXPECT(JET_errSuccess, restore("edb", "A", NULL)); /* upper and lower case are the same */
    insert_rows(1);                                    /* the target goes on */
    EXPECT_EQUAL(5, restored_rows("r/", "r/x.edb"));
    EXPECT(JET_errSuccess, JetTerm2(instance, JET_bitTermAbrupt));
    cases_end();
}

static JET_ERR JET_API add_logs(JET_SESID sesid, JET_SNP snp, JET_SNT snt, void *data)
{
    (void)sesid;
    (void)data;
    if (snp != JET_snpRestore || snt != JET_sntBegin)
        return JET_errSuccess;
    for (int i = 0; i < 3; i++) {
        insert_rows(1);
        EXPECT(JET_errSuccess, JetCommitTransaction2(session, JET_bitForceNewLog, 0, NULL));
    }
    return JET_errSuccess;
}

/* What a target gets during the restore is not played: the logs end where it stood when that began. */
static void target_that_goes_on(void **state)
{
    (void)state;
    begin_and_back_up();
    status = add_logs;
    EXPECT(JET_errSuccess, restore("edb", "a", NULL));
    status = NULL;
    EXPECT_EQUAL(5, restored_rows("r/", "r/x.edb"));
    EXPECT(JET_errSuccess, JetTerm2(instance, JET_bitTermAbrupt));
    cases_end();
}

static void target_by_directory(void **state)
{
    (void)state;
    begin_and_back_up();
    EXPECT(JET_errSuccess, restore("edb", NULL, "a/"));
    EXPECT_EQUAL(5, restored_rows("r/", "r/x.edb"));
    EXPECT(JET_errSuccess, JetTerm2(instance, JET_bitTermAbrupt));
    cases_end();
}

/* Logs of a circular target are not played: some may be gone. */
static void circular_target(void **state)
{
    (void)state;
    make("a", "a/");
    EXPECT(JET_errSuccess, JetSetSystemParameterA(&instance, JET_sesidNil, JET_paramCircularLog, 1, NULL));
    EXPECT(JET_errSuccess, JetInit(&instance));
    EXPECT(JET_errSuccess, JetBeginSessionA(instance, &session, NULL, NULL));
    EXPECT(JET_errSuccess, JetCreateDatabaseA(session, "a/x.edb", NULL, &database, 0));
    EXPECT(JET_errSuccess, JetCreateTableA(session, database, "t", 0, 80, &table));
    insert_rows(2);
    back_up();
    insert_rows(3);
    EXPECT(JET_errSuccess, restore("edb", "a", NULL));
    EXPECT_EQUAL(2, restored_rows("r/", "r/x.edb"));
    EXPECT(JET_errSuccess, JetTerm2(instance, JET_bitTermAbrupt));
    cases_end();
}

/* A target that does not run: the restore runs in its directories, and needs no others. */
static void target_that_does_not_run(void **state)
{
    (void)state;
    begin_and_back_up();
    make("b", "nowhere/"); /* an instance that is none of it */
    EXPECT(JET_errSuccess, restore("edb", NULL, "t/"));
    EXPECT(JET_errSuccess, JetTerm(instance));
    EXPECT_EQUAL(2, restored_rows("t/", "r/x.edb"));
    EsentHostCrash();
    cases_end();
}

/* What the instance of the restore does not take as its parameters; and what there is no log for. */
static void odd_arguments(void **state)
{
    (void)state;
    static char long_path[2000];
    static WCHAR wide_odd[] = {'o', 'd', 'd', 0};
    JET_LOGINFO_A info = {.cbSize = sizeof(info), .ulGenLow = 1, .ulGenHigh = 1, .szBaseName = "ab"};
    JET_LOGINFO_W wide = {
        .cbSize = sizeof(wide), .szBaseName = {'e', 'd', 'b'}, .ulGenLow = 1, .ulGenHigh = 1};
    JET_RSTMAP_A odd_map = {TEXT("a/x.edb"), long_path};
    JET_RSTMAP_W wide_map = {BAD_WIDE, wide_to};
    memset(long_path, 'p', sizeof(long_path) - 1);
    EXPECT(JET_errInvalidParameter,
           JetExternalRestore2A(TEXT("r/"), TEXT("r/"), NULL, 0, TEXT("b/"), &info, NULL, NULL, NULL, NULL));
    EXPECT(JET_errInvalidParameter,
           JetExternalRestoreA(TEXT("r/"), long_path, NULL, 0, TEXT("b/"), 1, 1, NULL));
    EXPECT(JET_errInvalidParameter,
           JetExternalRestoreA(long_path, TEXT("r/"), NULL, 0, TEXT("b/"), 1, 1, NULL));
    EXPECT(JET_errInvalidPath,
           JetExternalRestoreA(TEXT("r/"), TEXT("r/"), &odd_map, 1, TEXT("b/"), 1, 1, NULL));
    odd_map = (JET_RSTMAP_A){long_path, TEXT("r/x.edb")};
    EXPECT(JET_errInvalidPath,
           JetExternalRestoreA(TEXT("r/"), TEXT("r/"), &odd_map, 1, TEXT("b/"), 1, 1, NULL));
    EXPECT(JET_errInvalidParameter,
           JetExternalRestore2W(BAD_WIDE, wide_restore, NULL, 0, wide_backup, &wide, NULL, NULL, NULL, NULL));
    EXPECT(JET_errInvalidParameter, JetExternalRestore2W(wide_restore, wide_restore, NULL, 0, wide_backup,
                                                         &wide, BAD_WIDE, NULL, NULL, NULL));
    EXPECT(JET_errInvalidParameter, JetExternalRestore2W(wide_restore, wide_restore, &wide_map, 1,
                                                         wide_backup, &wide, NULL, NULL, NULL, NULL));
    assert_true(JetExternalRestoreA(TEXT("r/"), TEXT("r/"), NULL, 0, TEXT("b/"), 0, -1, NULL) <
                JET_errSuccess);
    /* Among the instances that are looked through there may be one without a name. */
    JET_INSTANCE unnamed = JET_instanceNil;
    EXPECT(JET_errSuccess, JetCreateInstanceA(&unnamed, NULL));
    for (uint64_t nth = 1;; nth++) {
        JET_RSTMAP_W good = {wide_from, wide_to};
        EsentHostResetCounters();
        EsentHostFailNth(ESENT_HOST_FAULT_ALLOCATE, nth, 1);
        JET_ERR err = JetExternalRestore2W(wide_restore, wide_restore, &good, 1, wide_backup, &wide, wide_odd,
                                           NULL, NULL, NULL);
        uint64_t failures = EsentHostCountFailures(ESENT_HOST_FAULT_ALLOCATE);
        EsentHostFailNone();
        EXPECT(failures > 0 ? JET_errOutOfMemory : JET_errBadRestoreTargetInstance, err);
        if (failures == 0)
            break;
    }
    EXPECT(JET_errSuccess, JetTerm(unnamed));
    cases_end();
}

/* Files that fail before the restore has begun. */
static void directories_that_fail(void **state)
{
    (void)state;
    for (uint64_t nth = 1; nth < 200; nth++) {
        make("a", "t/");
        EXPECT(JET_errSuccess,
               JetSetSystemParameterA(&instance, JET_sesidNil, JET_paramCreatePathIfNotExist, 1, NULL));
        EsentHostResetCounters();
        EsentHostFailNth(ESENT_HOST_FAULT_IO, nth, 1);
        JET_ERR err = JetRestoreInstanceA(instance, "d/", "n/", NULL);
        EsentHostFailNone();
        EsentHostFailNth(ESENT_HOST_FAULT_IO, nth, 1);
        JET_ERR external = JetExternalRestoreA(TEXT("n/c/"), TEXT("n/l/"), NULL, 0, TEXT("b/"), 1, 1, NULL);
        uint64_t failures = EsentHostCountFailures(ESENT_HOST_FAULT_IO);
        EsentHostFailNone();
        assert_true(err < JET_errSuccess && external < JET_errSuccess);
        EXPECT(JET_errSuccess, JetTerm(instance));
        (void)EsentHostDirectoryDelete("n");
        if (failures == 0)
            break;
    }
    cases_end();
}

/* A target whose log cannot be completed. */
static void target_that_cannot_roll(void **state)
{
    (void)state;
    begin_and_back_up();
    EsentHostFailNth(ESENT_HOST_FAULT_WRITE, 1, 1000);
    assert_true(restore("edb", "a", NULL) < JET_errSuccess);
    EsentHostFailNone();
    (void)JetTerm2(instance, JET_bitTermAbrupt);
    cases_end();
}

/* After a restore that failed, the instance may still be started. */
static void start_after_a_failed_restore(void **state)
{
    static const enum ESENT_HOST_PROFILE profiles[] = {ESENT_HOST_DOCUMENTED, ESENT_HOST_PUBLISHED};
    for (size_t i = 0; i < 2; i++) {
        begin();
        EXPECT(JET_errSuccess, JetBackupInstanceA(instance, "d/", 0, NULL));
        EXPECT(JET_errSuccess, JetTerm2(instance, JET_bitTermComplete));
        EXPECT(JET_errSuccess, EsentHostSetProfile(profiles[i]));
        EXPECT(JET_errSuccess, EsentHostFileDelete("d/x.edb"));
        make("a", "t/");
        assert_true(JetRestoreInstanceA(instance, "d/", "t/", NULL) < JET_errSuccess);
        JET_ERR err = JetInit(&instance);
        if (err >= JET_errSuccess)
            EXPECT(JET_errSuccess, JetTerm(instance));
        else
            EXPECT_EQUAL(0, instance);
        EXPECT(JET_errSuccess, EsentHostSetProfile(ESENT_HOST_DOCUMENTED));
        assert_int_equal(teardown(state), 0);
        assert_int_equal(setup(state), 0);
    }
    cases_end();
}

/* The wide call does the same, and makes the directories it runs in. */
static void wide_restore_call(void **state)
{
    (void)state;
    static WCHAR wide_new[] = {'n', '/', 0};
    begin_and_back_up();
    JET_RSTMAP_W pair = {wide_from, wide_to};
    JET_LOGINFO_W info = {
        .cbSize = sizeof(info), .szBaseName = {'e', 'd', 'b'}, .ulGenLow = low, .ulGenHigh = high};
    EXPECT(JET_errSuccess,
           JetExternalRestore2W(wide_new, wide_new, &pair, 1, wide_backup, &info, NULL, NULL, NULL, NULL));
    EXPECT_EQUAL(2, restored_rows("n/", "r/x.edb"));
    EsentHostCrash();
    cases_end();
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(restore_arguments),
        CASE(restore_without_an_instance),
        CASE(restore_in_one_instance_mode),
        CASE(restore_makes_directories),
        CASE(calls_within_a_restore),
        CASE(external_arguments),
        CASE(target_by_name),
        CASE(target_that_goes_on),
        CASE(target_by_directory),
        CASE(circular_target),
        CASE(target_that_does_not_run),
        CASE(odd_arguments),
        CASE(directories_that_fail),
        CASE(target_that_cannot_roll),
        CASE(start_after_a_failed_restore),
        CASE(wide_restore_call),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
