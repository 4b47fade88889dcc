/* Where the documentation and the published engine differ about backups: each row of the list, in both
 * profiles, through the public calls. The number in a test's name is the row's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "include/esent.h"
#include "include/esent_host.h"

#define PAGE 4096u
#define BUFFER (1u << 18)

static JET_INSTANCE instance;
static JET_SESID session;
static JET_DBID database;
static uint8_t *buffer;
static bool published;

#define OK(call) assert_int_equal((call), JET_errSuccess)
#define IS(call, documented_code, published_code)                                                            \
    assert_int_equal((call), published ? (published_code) : (documented_code))

static void set_up(bool publish)
{
    published = publish;
    OK(EsentHostUseMemoryFiles());
    const struct ESENT_HOST_SIMULATION simulation = {.seed = 1};
    OK(EsentHostUseSimulation(&simulation));
    OK(EsentHostSetProfile(publish ? ESENT_HOST_PUBLISHED : ESENT_HOST_DOCUMENTED));
    OK(EsentHostDirectoryCreate("/a"));
    OK(JetCreateInstanceA(&instance, "rows"));
    OK(JetSetSystemParameterA(&instance, 0, JET_paramLogFilePath, 0, "/a/"));
    OK(JetSetSystemParameterA(&instance, 0, JET_paramSystemPath, 0, "/a/"));
    OK(JetSetSystemParameterA(&instance, 0, JET_paramTempPath, 0, "/a/"));
    OK(JetSetSystemParameterA(&instance, 0, JET_paramLogFileSize, 512, NULL));
    OK(JetInit(&instance));
    OK(JetBeginSessionA(instance, &session, NULL, NULL));
    OK(JetCreateDatabaseA(session, "/a/a.edb", NULL, &database, 0));
}

static void tear_down(void)
{
    char report[500] = "";
    (void)JetTerm2(instance, JET_bitTermAbrupt | JET_bitTermStopBackup);
    const size_t left = EsentHostReset(report, sizeof report);
    if (left != 0)
        print_error("%s\n", report);
    assert_int_equal(left, 0);
}

static JET_ERR open_file(const char *name, JET_HANDLE *handle)
{
    uint32_t low, high;
    return JetOpenFileInstanceA(instance, name, handle, &low, &high);
}

static JET_ERR stream(const char *name)
{
    JET_HANDLE handle;
    uint32_t got;
    JET_ERR err = open_file(name, &handle);
    if (err < JET_errSuccess)
        return err;
    do {
        err = JetReadFileInstance(instance, handle, buffer, BUFFER, &got);
    } while (err == JET_errSuccess && got != 0);
    const JET_ERR closed = JetCloseFileInstance(instance, handle);
    return err < JET_errSuccess ? err : closed;
}

static void log_list(char *list)
{
    OK(JetGetLogInfoInstanceA(instance, list, 4096, NULL));
}

static JET_ERR stream_logs(void)
{
    char list[4096];
    JET_ERR err = JET_errSuccess;
    log_list(list);
    for (const char *name = list; *name != 0 && err == JET_errSuccess; name += strlen(name) + 1)
        err = stream(name);
    return err;
}

static void full_backup(void)
{
    OK(JetBeginExternalBackupInstance(instance, 0));
    OK(stream("/a/a.edb"));
    OK(stream_logs());
    OK(JetTruncateLogInstance(instance));
    OK(JetEndExternalBackupInstance(instance));
}

static JET_DBINFOMISC4 header(void)
{
    JET_DBINFOMISC4 info;
    OK(JetGetDatabaseInfoA(session, database, &info, sizeof info, JET_DbInfoMisc));
    return info;
}

static void row_1_end_after_a_stop(void)
{
    OK(JetBeginExternalBackupInstance(instance, 0));
    OK(stream("/a/a.edb"));
    OK(stream_logs());
    OK(JetTruncateLogInstance(instance));
    OK(JetStopBackupInstance(instance));
    IS(JetEndExternalBackupInstance(instance), JET_errBackupAbortByServer, JET_errSuccess);
    assert_int_equal(header().bkinfoFullPrev.genHigh, 0);
    full_backup();
    assert_int_not_equal(header().bkinfoFullPrev.genHigh, 0);
}

static void row_2_end_before_the_logs(void)
{
    OK(JetBeginExternalBackupInstance(instance, 0));
    OK(stream("/a/a.edb"));
    IS(JetEndExternalBackupInstance(instance), JET_errBackupAbortByCaller, JET_errSuccess);
    assert_int_equal(header().bkinfoFullPrev.genHigh, 0);
    assert_int_equal(header().bkinfoCopyPrev.genHigh, 0);
}

static void row_3_abort(void)
{
    OK(JetBeginExternalBackupInstance(instance, 0));
    OK(JetStopBackupInstance(instance));
    OK(JetEndExternalBackupInstance2(instance, JET_bitBackupEndAbort));
    assert_int_equal(JetEndExternalBackupInstance(instance), JET_errNoBackup);
}

static void row_4_bad_handles(void)
{
    JET_HANDLE first, second;
    uint32_t got = 7;
    OK(JetBeginExternalBackupInstance(instance, 0));
    IS(JetReadFileInstance(instance, 0, buffer, BUFFER, &got), JET_errInvalidParameter, JET_errSuccess);
    assert_int_equal(got, published ? 0 : 7);
    OK(open_file("/a/a.edb", &first));
    assert_int_equal(JetReadFileInstance(instance, first + 1, buffer, BUFFER, &got), JET_errInvalidParameter);
    assert_int_equal(JetReadFileInstance(instance, (JET_HANDLE)-1, buffer, BUFFER, &got),
                     JET_errInvalidParameter);
    OK(JetCloseFileInstance(instance, first));
    OK(open_file("/a/a.edb", &second));
    if (!published) {
        assert_int_not_equal(first, second);
        assert_int_equal(JetReadFileInstance(instance, first, buffer, BUFFER, &got), JET_errInvalidParameter);
        assert_int_equal(JetCloseFileInstance(instance, first), JET_errInvalidParameter);
    }
    OK(JetReadFileInstance(instance, second, buffer, BUFFER, &got));
    assert_int_equal(got, BUFFER);
    OK(JetEndExternalBackupInstance2(instance, JET_bitBackupEndAbort));
}

static void row_5_null_pointers(void)
{
    JET_HANDLE handle;
    uint32_t low, high;
    assert_int_equal(JetOpenFileInstanceA(instance, "/a/a.edb", NULL, &low, &high), JET_errNoBackup);
    OK(JetBeginExternalBackupInstance(instance, 0));
    assert_int_equal(JetOpenFileInstanceA(instance, "/a/a.edb", NULL, &low, &high), JET_errInvalidParameter);
    assert_int_equal(JetOpenFileInstanceA(instance, "/a/a.edb", &handle, NULL, &high),
                     JET_errInvalidParameter);
    assert_int_equal(JetOpenFileInstanceA(instance, "/a/a.edb", &handle, &low, NULL),
                     JET_errInvalidParameter);
    assert_int_equal(JetGetAttachInfoInstanceA(instance, NULL, 10, NULL), JET_errInvalidParameter);
    OK(open_file("/a/a.edb", &handle));
    assert_int_equal(JetReadFileInstance(instance, handle, NULL, BUFFER, NULL), JET_errInvalidParameter);
    OK(JetReadFileInstance(instance, handle, buffer, BUFFER, NULL));
    OK(JetCloseFileInstance(instance, handle));
    OK(JetEndExternalBackupInstance2(instance, JET_bitBackupEndAbort));
}

static void row_6_any_file(void)
{
    JET_HANDLE handle;
    char list[4096];
    OK(EsentHostFileWrite("/x.txt", 0, "hello", 5));
    OK(JetBeginExternalBackupInstance(instance, 0));
    log_list(list);
    IS(open_file("/x.txt", &handle), JET_errInvalidParameter, JET_errSuccess);
    if (published)
        OK(JetEndExternalBackupInstance2(instance, JET_bitBackupEndAbort));
    assert_int_equal(JetEndExternalBackupInstance(instance), JET_errNoBackup);
    OK(JetBeginExternalBackupInstance(instance, 0));
    log_list(list);
    assert_int_equal(open_file("/nothere.txt", &handle), JET_errMissingFileToBackup);
    assert_int_equal(JetEndExternalBackupInstance(instance), JET_errNoBackup);
}

static void row_7_incremental_without_logs(void)
{
    full_backup();
    OK(JetBeginExternalBackupInstance(instance, JET_bitBackupIncremental));
    IS(JetEndExternalBackupInstance(instance), JET_errBackupAbortByCaller, JET_errSuccess);
    assert_int_equal(header().bkinfoDiffPrev.genHigh, published ? 0xffffffffu : 0);
}

static void row_8_a_refused_term(void)
{
    OK(JetBeginExternalBackupInstance(instance, 0));
    assert_int_equal(JetTerm2(instance, JET_bitTermComplete), JET_errBackupInProgress);
    (void)JetEndExternalBackupInstance2(instance, JET_bitBackupEndAbort);
    IS(JetBeginExternalBackupInstance(instance, 0), JET_errSuccess, JET_errBackupNotAllowedYet);
}

static void row_9_a_prepared_snapshot_holds_nothing_up(void)
{
    JET_OSSNAPID id;
    uint32_t count = 7;
    JET_INSTANCE_INFO_A *info;
    OK(JetOSSnapshotPrepare(&id, 0));
    OK(JetTerm2(instance, JET_bitTermAbrupt | JET_bitTermStopBackup));
    OK(JetOSSnapshotFreezeA(id, &count, &info, 0));
    assert_int_equal(count, 0);
    OK(JetOSSnapshotThaw(id, 0));
}

static void row_10_streaming_calls_and_snapshots(void)
{
    JET_OSSNAPID id;
    uint32_t count, size;
    JET_INSTANCE_INFO_A *info;
    OK(JetOSSnapshotPrepare(&id, 0));
    OK(JetOSSnapshotFreezeA(id, &count, &info, 0));
    assert_int_equal(count, 1);
    assert_string_equal(info[0].szInstanceName, "rows");
    assert_int_equal(info[0].cDatabases, 1);
    assert_string_equal(info[0].szDatabaseFileName[0], "/a/a.edb");
    OK(JetFreeBuffer((char *)info));
    OK(JetStopBackupInstance(instance));
    IS(JetGetAttachInfoInstanceA(instance, NULL, 0, &size), JET_errNoBackup, JET_errBackupAbortByServer);
    IS(JetEndExternalBackupInstance(instance), JET_errNoBackup, JET_errSuccess);
    OK(JetOSSnapshotThaw(id, 0));
    assert_int_equal(header().bkinfoFullPrev.genHigh, 1);
    full_backup();
}

static void row_11_both_kinds_of_end(void)
{
    OK(JetBeginSurrogateBackup(instance, 1, 1, 0));
    IS(JetEndExternalBackupInstance(instance), JET_errSurrogateBackupInProgress, JET_errSuccess);
    IS(JetEndSurrogateBackup(instance, JET_bitBackupEndNormal), JET_errSuccess, JET_errNoBackup);
    assert_int_equal(header().bkinfoCopyPrev.genHigh, published ? 0 : 1);
    OK(JetBeginExternalBackupInstance(instance, 0));
    IS(JetEndSurrogateBackup(instance, JET_bitBackupEndAbort), JET_errBackupInProgress, JET_errSuccess);
    IS(JetEndExternalBackupInstance2(instance, JET_bitBackupEndAbort), JET_errSuccess, JET_errNoBackup);
}

static void row_12_begin_on_a_frozen_instance(void)
{
    JET_OSSNAPID id;
    uint32_t count;
    JET_INSTANCE_INFO_A *info;
    OK(JetOSSnapshotPrepare(&id, 0));
    OK(JetOSSnapshotFreezeA(id, &count, &info, 0));
    OK(JetFreeBuffer((char *)info));
    assert_int_equal(JetBeginExternalBackupInstance(instance, 0), JET_errBackupInProgress);
    IS(JetOSSnapshotThaw(id, 0), JET_errSuccess, JET_errOSSnapshotTimeOut);
}

static void row_13_no_directory(void)
{
    IS(JetBackupInstanceA(instance, NULL, 0, NULL), JET_errSuccess, JET_errBackupDirectoryNotEmpty);
    IS(JetBackupInstanceA(instance, "", 0, NULL), JET_errSuccess, JET_errBackupDirectoryNotEmpty);
    assert_int_equal(header().bkinfoFullPrev.genHigh, 0);
    OK(JetBeginExternalBackupInstance(instance, 0));
    OK(JetEndExternalBackupInstance2(instance, JET_bitBackupEndAbort));
}

static void row_14_a_log_cut_off(void)
{
    char list[4096];
    OK(JetBeginExternalBackupInstance(instance, 0));
    log_list(list);
    OK(EsentHostFileSetSize(list, 65536));
    IS(stream(list), JET_errLogFileCorrupt, JET_errSuccess);
    IS(JetTruncateLogInstance(instance), JET_errNoBackup, JET_errSuccess);
}

static void row_15_service_stopped(void)
{
    OK(JetBeginExternalBackupInstance(instance, 0));
    OK(JetStopServiceInstance(instance));
    assert_int_equal(JetEndExternalBackupInstance(instance), JET_errClientRequestToStopJetService);
    OK(JetStopBackupInstance(instance));
    OK(JetTerm2(instance, JET_bitTermComplete | JET_bitTermStopBackup));
}

static void row_16_small_pages(void)
{
    OK(JetTerm2(instance, JET_bitTermComplete));
    IS(JetSetSystemParameterA(NULL, 0, JET_paramDatabasePageSize, 2048, NULL), JET_errSuccess,
       JET_errInvalidParameter);
    OK(JetSetSystemParameterA(NULL, 0, JET_paramDatabasePageSize, PAGE, NULL));
}

#define ROWS(X)                                                                                              \
    X(row_1_end_after_a_stop)                                                                                \
    X(row_2_end_before_the_logs)                                                                             \
    X(row_3_abort)                                                                                           \
    X(row_4_bad_handles)                                                                                     \
    X(row_5_null_pointers)                                                                                   \
    X(row_6_any_file)                                                                                        \
    X(row_7_incremental_without_logs)                                                                        \
    X(row_8_a_refused_term)                                                                                  \
    X(row_9_a_prepared_snapshot_holds_nothing_up)                                                            \
    X(row_10_streaming_calls_and_snapshots)                                                                  \
    X(row_11_both_kinds_of_end)                                                                              \
    X(row_12_begin_on_a_frozen_instance)                                                                     \
    X(row_13_no_directory)                                                                                   \
    X(row_14_a_log_cut_off)                                                                                  \
    X(row_15_service_stopped)                                                                                \
    X(row_16_small_pages)

#define DEFINE(name)                                                                                         \
    static void name##_both(void **state)                                                                    \
    {                                                                                                        \
        (void)state;                                                                                         \
        for (int profile = 0; profile < 2; profile++) {                                                      \
            set_up(profile == 1);                                                                            \
            name();                                                                                          \
            tear_down();                                                                                     \
        }                                                                                                    \
    }
ROWS(DEFINE)

#define ENTRY(name) cmocka_unit_test(name##_both),

int main(void)
{
    buffer = aligned_alloc(4096, BUFFER);
    const struct CMUnitTest tests[] = {ROWS(ENTRY)};
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    free(buffer);
    return failed;
}
