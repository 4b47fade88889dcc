/* Corners of backups through the public calls: paths that are too long, folders and disks in the way, files
 * that are not what their names say, backups that end between their steps. */
#include "tests/backup_world.h"

#include <sys/stat.h>
#include <unistd.h>

/* --- paths that do not fit --- */

static char *append(const char *text, const char *more)
{
    char *made = malloc(strlen(text) + strlen(more) + 1);
    assert_non_null(made);
    strcpy(made, text);
    return strcat(made, more);
}

/* A path of `length` bytes: folders of 100 letters and what is left. */
static void long_path(char *path, size_t length)
{
    for (size_t i = 0; i < length; i++)
        path[i] = i % 100 == 0 ? '/' : 'x';
    path[length] = 0;
    if (length % 100 == 1)
        path[length - 1] = 'x';
}

static void a_directory_that_is_too_long(void **state)
{
    (void)state;
    char path[1100];
    world_start(ESENT_HOST_DOCUMENTED);
    long_path(path, 1090); /* no path at all */
    IS(JetBackupInstanceA(instance, path, 0, NULL), JET_errInvalidPath);
    long_path(path, 1020); /* it exists, but what is made in it would not fit */
    OK(EsentHostDirectoryCreate(path));
    IS(JetBackupInstanceA(instance, path, 0, NULL), JET_errInvalidPath);
    IS(JetBackupInstanceA(instance, path, JET_bitBackupAtomic, NULL), JET_errInvalidPath);
    long_path(path, 1017); /* "/temp" fits, the database's name not */
    OK(EsentHostDirectoryCreate(path));
    IS(JetBackupInstanceA(instance, path, 0, NULL), JET_errInvalidPath);
    full_backup(); /* none of them is still running */
    world_end();
}

/* Files of the operating system may have longer names than paths may here. */
static void a_name_in_temp_that_is_too_long(void **state)
{
    (void)state;
    char base[] = "/tmp/corners-XXXXXX";
    char path[1200];
    assert_non_null(mkdtemp(base));
    long_path(path, 1000 - strlen(base));
    char *full = append(base, path);
    char *file = append(full, "/temp/123456789012345678901234567890");
    world_start(ESENT_HOST_DOCUMENTED);
    OK(JetTerm2(instance, JET_bitTermComplete));
    OK(EsentHostUsePosixFiles());
    OK(EsentHostDirectoryCreate(full));
    (void)snprintf(path, sizeof path, "%s/temp", full);
    assert_int_equal(mkdir(path, 0700), 0);
    FILE *written = fopen(file, "w");
    assert_non_null(written);
    (void)fclose(written);
    char *data = append(base, "/data/");
    world_instance(&instance, "long", data);
    OK(JetInit(&instance));
    IS(JetBackupInstanceA(instance, full, 0, NULL), JET_errInvalidPath);
    assert_int_equal(unlink(file), 0);
    IS(JetBackupInstanceA(instance, full, JET_bitBackupAtomic, NULL), JET_errSuccess);
    OK(JetTerm2(instance, JET_bitTermComplete));
    OK(EsentHostDirectoryDelete(base));
    assert_int_equal(EsentHostReset(NULL, 0), 0);
    free(full);
    free(file);
    free(data);
}

/* The engine's own folder may be too deep for the published engine's "old". */
static void a_current_directory_that_is_too_long(void **state)
{
    (void)state;
    char path[1100];
    world_start(ESENT_HOST_PUBLISHED);
    full_backup();
    long_path(path, 1022);
    OK(JetTerm2(instance, JET_bitTermComplete));
    OK(EsentHostSetDirectory(path));
    world_instance(&instance, "backup", "/a/");
    OK(JetInit(&instance));
    OK(EsentHostDirectoryCreate("/bk"));
    IS(JetBackupInstanceA(instance, "/bk", JET_bitBackupAtomic | JET_bitBackupIncremental, NULL),
       JET_errInvalidPath);
    OK(JetTerm2(instance, JET_bitTermComplete));
    OK(EsentHostSetDirectory(NULL));
    assert_int_equal(EsentHostReset(NULL, 0), 0);
    OK(EsentHostSetProfile(ESENT_HOST_DOCUMENTED));
}

/* A patch file beside the database would have a name that is too long: only its backup into a directory
 * fails. */
static void a_database_whose_patch_file_is_too_long(void **state)
{
    (void)state;
    char path[1100] = "/";
    JET_DBID other;
    world_start(ESENT_HOST_DOCUMENTED);
    while (strlen(path) < 1018)
        strcat(path, strlen(path) == 601 ? "/x" : "\xE2\x82\xAC"); /* three bytes, one unit in the log */
    path[601] = 0;
    OK(EsentHostDirectoryCreate(path));
    path[601] = '/';
    OK(JetCreateDatabaseA(session, path, NULL, &other, 0));
    OK(EsentHostDirectoryCreate("/bk"));
    IS(JetBackupInstanceA(instance, "/bk", 0, NULL), JET_errInvalidPath);
    full_backup();
    world_end();
}

/* --- folders and disks in the way --- */

static void folders_in_the_way(void **state)
{
    (void)state;
    world_start(ESENT_HOST_DOCUMENTED);
    /* "old" holds a folder, which nobody deletes: found when the new backup is complete. */
    OK(EsentHostDirectoryCreate("/b1/old/inner"));
    IS(JetBackupInstanceA(instance, "/b1", JET_bitBackupAtomic, NULL), JET_errDeleteBackupFileFail);
    assert_true(exists("/b1/new/a.edb"));
    /* Names that cannot be changed: each step that changes one fails once. */
    OK(EsentHostDirectoryCreate("/b2/temp"));
    OK(EsentHostDirectoryCreate("/b2/new"));
    OK(EsentHostFileWrite("/b2/temp/x", 0, "x", 1));
    EsentHostFailNth(ESENT_HOST_FAULT_NAME, 1, 1); /* the file in "temp" */
    IS(JetBackupInstanceA(instance, "/b2", JET_bitBackupAtomic, NULL), JET_errDeleteBackupFileFail);
    EsentHostFailNth(ESENT_HOST_FAULT_NAME, 2, 1); /* "temp" itself, empty by now */
    OK(EsentHostDirectoryCreate("/b2/temp"));
    OK(EsentHostFileWrite("/b2/temp/x", 0, "x", 1));
    IS(JetBackupInstanceA(instance, "/b2", JET_bitBackupAtomic, NULL), JET_errFileAccessDenied);
    assert_false(exists("/b2/temp"));              /* it went with the failed backup */
    EsentHostFailNth(ESENT_HOST_FAULT_NAME, 1, 1); /* "new" to "old" */
    IS(JetBackupInstanceA(instance, "/b2", JET_bitBackupAtomic, NULL), JET_errFileAccessDenied);
    assert_true(exists("/b2/new") && !exists("/b2/old"));
    OK(JetBackupInstanceA(instance, "/b2", JET_bitBackupAtomic, NULL));
    assert_true(exists("/b2/new/a.edb") && !exists("/b2/old") && !exists("/b2/temp"));
    /* What an atomic backup has left is no place for the logs of another kind. */
    IS(JetBackupInstanceA(instance, "/b2", JET_bitBackupIncremental, NULL), JET_errBackupDirectoryNotEmpty);
    world_end();
}

/* --- logs that are not what they should be --- */

static const char *first_log; /* many of its segments hold records */

static void begin_logs(void)
{
    char list[4096];
    OK(JetBeginExternalBackupInstance(instance, 0));
    OK(JetGetLogInfoInstanceA(instance, list, sizeof list, NULL));
    first_log = exists("/a/edb00001.log") ? "/a/edb00001.log" : "/a/edb00000001.log";
    assert_true(exists(first_log));
}

static void names_of_no_log(void **state)
{
    (void)state;
    JET_HANDLE handle;
    static const char *const names[] = {"/a/e.log", "/a/foo00001.log", "/a/edbx0001.log", "/a/edb.log"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        world_start(ESENT_HOST_DOCUMENTED);
        begin_logs();
        if (i < 3)
            OK(EsentHostFileCopy(first_log, names[i]));
        IS(open_file(names[i], &handle), JET_errInvalidParameter);
        world_end();
    }
}

static void segment_copy(uint32_t from, uint32_t to)
{
    uint8_t segment[4096];
    size_t got;
    OK(EsentHostFileRead(first_log, from * 4096ull, segment, sizeof segment, &got));
    OK(EsentHostFileWrite(first_log, to * 4096ull, segment, sizeof segment));
}

static void segments_out_of_place(void **state)
{
    (void)state;
    /* A segment may hold a copy of the one before, which a write to come would have replaced. */
    world_start(ESENT_HOST_DOCUMENTED);
    begin_logs();
    segment_copy(2, 3);
    OK(stream(first_log));
    world_end();
    /* But not of the one after it, nor of one that is far away. */
    world_start(ESENT_HOST_DOCUMENTED);
    begin_logs();
    segment_copy(3, 2);
    IS(stream(first_log), JET_errLogReadVerifyFailure);
    world_end();
    world_start(ESENT_HOST_DOCUMENTED);
    begin_logs();
    segment_copy(1, 3);
    IS(stream(first_log), JET_errLogReadVerifyFailure);
    world_end();
}

/* What begins with zeroes need not be a segment never written. */
static void half_a_segment(void **state)
{
    (void)state;
    static const uint8_t zeroes[64];
    world_start(ESENT_HOST_DOCUMENTED);
    begin_logs();
    OK(EsentHostFileWrite(first_log, 2 * 4096ull, zeroes, sizeof zeroes));
    IS(stream(first_log), JET_errLogReadVerifyFailure);
    world_end();
}

static void logs_of_another_size(void **state)
{
    (void)state;
    struct ESENT_HOST_FILE_INFO info;
    for (int publish = 0; publish < 2; publish++) {
        world_start(publish ? ESENT_HOST_PUBLISHED : ESENT_HOST_DOCUMENTED);
        begin_logs();
        OK(EsentHostFileInfo(first_log, &info));
        OK(EsentHostFileSetSize(first_log, info.size - 100));
        IS(stream(first_log), publish ? JET_errLogReadVerifyFailure : JET_errLogFileCorrupt);
        world_end();
    }
}

/* The log of another instance under the name of one of ours. */
static void another_instances_log(void **state)
{
    (void)state;
    JET_INSTANCE other;
    for (int publish = 0; publish < 2; publish++) {
        world_start(publish ? ESENT_HOST_PUBLISHED : ESENT_HOST_DOCUMENTED);
        world_instance(&other, "other", "/b/");
        OK(JetInit(&other));
        OK(JetTerm2(other, JET_bitTermComplete));
        begin_logs();
        OK(EsentHostFileCopy("/b/edb.log", first_log));
        IS(stream(first_log), publish ? JET_errSuccess : JET_errBadLogSignature);
        world_end();
    }
}

/* A log before the copy's range may be read, but does not count as copied. */
static void a_log_before_the_range(void **state)
{
    (void)state;
    char list[4096];
    world_start(ESENT_HOST_DOCUMENTED);
    OK(JetTerm2(instance, JET_bitTermComplete));
    world_instance(&instance, "backup", "/a/");
    OK(JetInit(&instance));
    roll_logs(3);
    OK(JetBeginExternalBackupInstance(instance, 0));
    OK(JetGetLogInfoInstanceA(instance, list, sizeof list, NULL));
    assert_string_not_equal(list, "/a/edb00001.log");
    for (int i = 0; i < 20; i++)
        OK(stream("/a/edb00001.log"));
    IS(JetTruncateLogInstance(instance), JET_errLogFileNotCopied);
    stream_logs();
    OK(JetTruncateLogInstance(instance));
    assert_false(exists("/a/edb00001.log"));
    OK(JetEndExternalBackupInstance2(instance, JET_bitBackupEndAbort));
    world_end();
}

/* --- databases that are in the backup and yet are not --- */

static void a_database_without_a_log(void **state)
{
    (void)state;
    JET_DBID other;
    JET_DBINFOMISC4 info;
    char list[100];
    world_start(ESENT_HOST_DOCUMENTED);
    OK(JetCreateDatabaseA(session, "/a/u.edb", NULL, &other, JET_bitDbRecoveryOff));
    /* Streamed on request, but not listed, and its header tells nothing. */
    OK(JetBeginExternalBackupInstance(instance, 0));
    OK(JetGetAttachInfoInstanceA(instance, list, sizeof list, NULL));
    assert_memory_equal(list, "/a/a.edb\0", 10);
    OK(stream("/a/u.edb"));
    OK(stream("/a/a.edb"));
    stream_logs();
    OK(JetEndExternalBackupInstance(instance));
    OK(JetGetDatabaseInfoA(session, other, &info, sizeof info, JET_DbInfoMisc));
    assert_int_equal(info.bkinfoCopyPrev.genHigh, 0);
    assert_int_not_equal(header().bkinfoCopyPrev.genHigh, 0);
    /* Nor does it get a patch file in a directory. */
    OK(EsentHostDirectoryCreate("/bk"));
    OK(JetBackupInstanceA(instance, "/bk", 0, NULL));
    assert_true(exists("/bk/a.edb") && exists("/bk/a.pat") && !exists("/bk/u.edb") && !exists("/bk/u.pat"));
    /* All databases belong to a surrogate backup. */
    OK(JetBeginSurrogateBackup(instance, 1, 1, 0));
    OK(JetEndSurrogateBackup(instance, JET_bitBackupEndNormal));
    OK(JetGetDatabaseInfoA(session, other, &info, sizeof info, JET_DbInfoMisc));
    assert_int_equal(info.bkinfoCopyPrev.genHigh, 0);
    world_end();
}

/* The temporary database is no file of a backup by the documentation; the published engine streams what of it
 * is on disk. */
static void the_temporary_database(void **state)
{
    (void)state;
    JET_HANDLE handle;
    char name[300];
    JET_TABLEID table;
    JET_COLUMNID column;
    const JET_COLUMNDEF definition = {.cbStruct = sizeof definition, .coltyp = JET_coltypLong};
    world_start(ESENT_HOST_DOCUMENTED);
    OK(JetOpenTempTable(session, &definition, 1, 0, &table, &column));
    OK(JetGetSystemParameterA(instance, session, JET_paramTempPath, NULL, name, sizeof name));
    OK(JetBeginExternalBackupInstance(instance, 0));
    IS(open_file(name, &handle), JET_errDatabaseNotFound);
    OK(JetEndExternalBackupInstance2(instance, JET_bitBackupEndAbort));
    world_end();
}

/* --- ends --- */

/* An incremental backup that ends before its logs are listed has no mark: the published engine calls it good,
 * and the header keeps the newer entry. */
static void a_mark_older_than_the_headers(void **state)
{
    (void)state;
    world_start(ESENT_HOST_PUBLISHED);
    full_backup();
    OK(JetBeginExternalBackupInstance(instance, JET_bitBackupIncremental));
    stream_logs();
    OK(JetTruncateLogInstance(instance));
    OK(JetEndExternalBackupInstance(instance));
    const JET_DBINFOMISC4 before = header();
    assert_int_not_equal(before.bkinfoIncPrev.genHigh, 0);
    OK(JetTerm2(instance, JET_bitTermComplete));
    world_instance(&instance, "backup", "/a/");
    OK(JetInit(&instance));
    OK(JetBeginSessionA(instance, &session, NULL, NULL));
    OK(JetAttachDatabaseA(session, "/a/a.edb", 0));
    OK(JetOpenDatabaseA(session, "/a/a.edb", NULL, &database, 0));
    OK(JetBeginExternalBackupInstance(instance, JET_bitBackupIncremental));
    OK(JetEndExternalBackupInstance2(instance, JET_bitBackupEndNormal | JET_bitBackupTruncateDone));
    const JET_DBINFOMISC4 after = header();
    assert_memory_equal(&after.bkinfoIncPrev, &before.bkinfoIncPrev, sizeof before.bkinfoIncPrev);
    world_end();
}

/* Whoever ends the backup state of a frozen instance (published engine) lets others begin: after the thaw. */
static void begin_after_an_end_of_the_frozen(void **state)
{
    (void)state;
    JET_OSSNAPID id;
    uint32_t count;
    JET_INSTANCE_INFO_A *info;
    world_start(ESENT_HOST_PUBLISHED);
    OK(JetSetSystemParameterA(NULL, 0, JET_paramOSSnapshotTimeout, 1000, NULL));
    OK(JetOSSnapshotPrepare(&id, 0));
    OK(JetOSSnapshotFreezeA(id, &count, &info, 0));
    OK(JetFreeBuffer((char *)info));
    OK(JetEndExternalBackupInstance2(instance, JET_bitBackupEndAbort));
    OK(JetBeginExternalBackupInstance(instance, 0));
    IS(JetOSSnapshotThaw(id, 0), JET_errOSSnapshotTimeOut);
    world_end();
    /* Logs may be listed while frozen: the new log that is wanted waits for the thaw. */
    world_start(ESENT_HOST_PUBLISHED);
    char list[4096];
    OK(JetOSSnapshotPrepare(&id, 0));
    OK(JetOSSnapshotFreezeA(id, &count, &info, 0));
    OK(JetFreeBuffer((char *)info));
    OK(JetGetLogInfoInstanceA(instance, list, sizeof list, NULL));
    IS(JetOSSnapshotThaw(id, 0), JET_errOSSnapshotTimeOut);
    world_end();
    /* Not if the last streaming backup has had its own: none is made for a snapshot then. */
    world_start(ESENT_HOST_PUBLISHED);
    OK(JetBeginExternalBackupInstance(instance, 0));
    OK(JetGetLogInfoInstanceA(instance, list, sizeof list, NULL));
    OK(JetEndExternalBackupInstance(instance));
    OK(JetOSSnapshotPrepare(&id, 0));
    OK(JetOSSnapshotFreezeA(id, &count, &info, 0));
    OK(JetFreeBuffer((char *)info));
    OK(JetGetLogInfoInstanceA(instance, list, sizeof list, NULL));
    OK(JetOSSnapshotThaw(id, 0));
    OK(JetSetSystemParameterA(NULL, 0, JET_paramOSSnapshotTimeout, 20000, NULL));
    world_end();
}

/* --- failures --- */

/* What is done, once its beginning is done. */
struct step {
    const char *what;
    enum ESENT_HOST_FAULT kind;
    void (*before)(void);
    JET_ERR (*act)(void);
    bool repeats; /* whether the same call is in order again */
};

static JET_DBID second;

static void two_databases(void)
{
    OK(JetCreateDatabaseA(session, "/a/b.edb", NULL, &second, 0));
}

static void begun(void)
{
    two_databases();
    OK(JetBeginExternalBackupInstance(instance, 0));
}

static void all_read(void)
{
    begun();
    OK(stream("/a/a.edb"));
    OK(stream("/a/b.edb"));
    stream_logs();
}

static JET_OSSNAPID thawed;

static void thawed_snapshot(void)
{
    uint32_t count;
    JET_INSTANCE_INFO_A *info;
    two_databases();
    OK(JetOSSnapshotPrepare(&thawed, JET_bitContinueAfterThaw));
    OK(JetOSSnapshotFreezeA(thawed, &count, &info, 0));
    OK(JetFreeBuffer((char *)info));
    OK(JetOSSnapshotThaw(thawed, 0));
}

static void full_snapshot(void)
{
    thawed_snapshot();
    OK(JetOSSnapshotEnd(thawed, 0));
    OK(JetOSSnapshotPrepare(&thawed, JET_bitIncrementalSnapshot));
}

static void prepared_directory(void)
{
    two_databases();
    OK(EsentHostDirectoryCreate("/bk"));
}

static void logs_to_delete(void)
{
    full_backup();
    OK(JetTerm2(instance, JET_bitTermComplete));
    world_instance(&instance, "backup", "/a/");
    OK(JetInit(&instance));
    OK(JetBeginSessionA(instance, &session, NULL, NULL));
    roll_logs(2);
}

static JET_ERR attach_info(void)
{
    char list[1000];
    return JetGetAttachInfoInstanceA(instance, list, sizeof list, NULL);
}

static JET_ERR log_info(void)
{
    char list[4096];
    return JetGetLogInfoInstanceA(instance, list, sizeof list, NULL);
}

static JET_ERR truncate_info(void)
{
    char list[4096];
    return JetGetTruncateLogInfoInstanceA(instance, list, sizeof list, NULL);
}

static JET_ERR end(void)
{
    return JetEndExternalBackupInstance2(instance, JET_bitBackupEndNormal);
}

static JET_ERR into_directory(void)
{
    return JetBackupInstanceA(instance, "/bk", 0, NULL);
}

static JET_ERR into_nothing(void)
{
    return JetBackupInstanceA(instance, NULL, 0, NULL);
}

static JET_ERR truncate_snapshot(void)
{
    return JetOSSnapshotTruncateLog(thawed, JET_bitAllDatabasesSnapshot);
}

static JET_ERR freeze(void)
{
    uint32_t count;
    JET_INSTANCE_INFO_A *info = NULL;
    const JET_ERR err = JetOSSnapshotFreezeA(thawed, &count, &info, 0);
    if (err >= JET_errSuccess)
        OK(JetFreeBuffer((char *)info));
    return err;
}

/* Each point of the call fails once: it answers an error or has done its work; then what is in order again is
 * done. */
static void each_point_fails(void **state)
{
    (void)state;
    static const struct step steps[] = {
        {"attach info", ESENT_HOST_FAULT_ALLOCATE, begun, attach_info, true},
        {"log info", ESENT_HOST_FAULT_ALLOCATE, begun, log_info, true},
        {"log info", ESENT_HOST_FAULT_IO, begun, log_info, false},
        {"truncate info", ESENT_HOST_FAULT_ALLOCATE, begun, truncate_info, true},
        {"end", ESENT_HOST_FAULT_IO, all_read, end, false},
        {"directory", ESENT_HOST_FAULT_ALLOCATE, prepared_directory, into_directory, false},
        {"nothing", ESENT_HOST_FAULT_IO, logs_to_delete, into_nothing, false},
        {"truncate snapshot", ESENT_HOST_FAULT_IO, thawed_snapshot, truncate_snapshot, false},
        {"freeze", ESENT_HOST_FAULT_IO, full_snapshot, freeze, false},
    };
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        bool failed = true;
        for (uint64_t n = 1; failed; n++) {
            world_start(ESENT_HOST_DOCUMENTED);
            steps[i].before();
            EsentHostResetCounters();
            EsentHostFailNth(steps[i].kind, n, 1);
            const JET_ERR err = steps[i].act();
            EsentHostFailNone();
            (void)JetOSSnapshotAbort(thawed, 0);
            failed = EsentHostCountFailures(steps[i].kind) > 0;
            if (!failed || (steps[i].repeats && err < JET_errSuccess)) {
                const JET_ERR again = failed ? steps[i].act() : err;
                const bool down = failed && again == JET_errLogWriteFail; /* it had to make a log */
                if (again != JET_errSuccess && !down)
                    print_message("%s %u: %d\n", steps[i].what, (unsigned)n, (int)again);
                assert_true(again == JET_errSuccess || down);
            }
            world_end();
        }
    }
}

/* A log that cannot be written any more backs nothing up. */
static void a_log_that_is_down(void **state)
{
    (void)state;
    world_start(ESENT_HOST_DOCUMENTED);
    OK(EsentHostDirectoryCreate("/bk"));
    EsentHostFailNth(ESENT_HOST_FAULT_WRITE, 1, 0);
    (void)JetCreateDatabaseA(session, "/a/b.edb", NULL, &second, 0);
    IS(into_directory(), JET_errLogWriteFail);
    EsentHostFailNone();
    world_end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_directory_that_is_too_long),
        cmocka_unit_test(a_name_in_temp_that_is_too_long),
        cmocka_unit_test(a_current_directory_that_is_too_long),
        cmocka_unit_test(a_database_whose_patch_file_is_too_long),
        cmocka_unit_test(folders_in_the_way),
        cmocka_unit_test(names_of_no_log),
        cmocka_unit_test(segments_out_of_place),
        cmocka_unit_test(half_a_segment),
        cmocka_unit_test(logs_of_another_size),
        cmocka_unit_test(another_instances_log),
        cmocka_unit_test(a_log_before_the_range),
        cmocka_unit_test(a_database_without_a_log),
        cmocka_unit_test(the_temporary_database),
        cmocka_unit_test(a_mark_older_than_the_headers),
        cmocka_unit_test(begin_after_an_end_of_the_frozen),
        cmocka_unit_test(each_point_fails),
        cmocka_unit_test(a_log_that_is_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
