/* Choices within backups of which only one side is usual: what a short memory, a folder in the way, an offset
 * or a stop in the last moment makes of a call. */
#include "tests/backup_world.h"

#include "src/backup/snapshot.h"
#include "src/instance/process.h"
#include "src/os/clock.h"

static JET_DBID second;

static struct backup_context *context_of(JET_INSTANCE which)
{
    process_lock();
    struct backup_context *context = process_find_locked(which)->backup;
    process_unlock();
    return context;
}

static void begin(enum ESENT_HOST_PROFILE profile)
{
    world_start(profile);
    OK(JetCreateDatabaseA(session, "/a/b.edb", NULL, &second, 0));
}

/* Arms the nth allocation; tells by `failed` whether the call met it. */
static JET_ERR without_memory(uint64_t nth, JET_ERR (*call)(void), bool *failed)
{
    EsentHostResetCounters();
    EsentHostFailNth(ESENT_HOST_FAULT_ALLOCATE, nth, 1);
    const JET_ERR err = call();
    *failed = EsentHostCountFailures(ESENT_HOST_FAULT_ALLOCATE) > 0;
    EsentHostFailNone();
    return err;
}

/* Where the log had to go on without memory, it is down. */
static void memory_was_short(JET_ERR err)
{
    assert_true(err == JET_errOutOfMemory || err == JET_errLogWriteFail);
}

/* --- lists that memory does not suffice for --- */

static char list[4096];

static JET_ERR attach_info(void)
{
    return JetGetAttachInfoInstanceA(instance, list, sizeof list, NULL);
}

static void lists_are_whole(void **state)
{
    (void)state;
    bool failed = true;
    begin(ESENT_HOST_DOCUMENTED);
    OK(JetBeginExternalBackupInstance(instance, 0));
    for (uint64_t n = 1; failed; n++) {
        const JET_ERR err = without_memory(n, attach_info, &failed);
        if (err == JET_errSuccess)
            assert_memory_equal(list, "/a/a.edb\0/a/b.edb\0", 19);
        else
            IS(err, JET_errOutOfMemory);
    }
    OK(JetEndExternalBackupInstance2(instance, JET_bitBackupEndAbort));
    world_end();
}

static JET_ERR into_directory(void)
{
    return JetBackupInstanceA(instance, "/bk", 0, NULL);
}

static void directories_are_whole(void **state)
{
    (void)state;
    bool failed = true;
    for (uint64_t n = 1; failed; n++) {
        begin(ESENT_HOST_DOCUMENTED);
        OK(EsentHostDirectoryCreate("/bk"));
        const JET_ERR err = without_memory(n, into_directory, &failed);
        if (err == JET_errSuccess)
            assert_true(exists("/bk/a.edb") && exists("/bk/b.edb") && exists("/bk/a.pat") &&
                        exists("/bk/b.pat"));
        else
            memory_was_short(err);
        world_end();
    }
}

/* --- JetBackup tells how far it is --- */

static uint32_t told[8];
static size_t told_count;
static bool stop_at_end;

static JET_ERR JET_API status(JET_SESID sesid, JET_SNP snp, JET_SNT snt, void *data)
{
    const JET_SNPROG *progress = data;
    assert_int_equal(sesid, 0);
    assert_int_equal(snp, JET_snpBackup);
    assert_int_equal(progress->cunitTotal, 100);
    assert_true(told_count < sizeof told / sizeof *told);
    told[told_count++] = (uint32_t)snt * 1000 + progress->cunitDone;
    if (snt == JET_sntComplete && stop_at_end)
        OK(JetStopBackupInstance(instance));
    return JET_errSuccess;
}

static void progress_is_told(void **state)
{
    (void)state;
    begin(ESENT_HOST_DOCUMENTED);
    OK(EsentHostDirectoryCreate("/bk"));
    told_count = 0;
    OK(JetBackupInstanceA(instance, "/bk", 0, status));
    assert_int_equal(told_count, 4);
    assert_int_equal(told[0], JET_sntBegin * 1000);
    assert_int_equal(told[1], JET_sntProgress * 1000 + 49);
    assert_int_equal(told[2], JET_sntProgress * 1000 + 99);
    assert_int_equal(told[3], JET_sntComplete * 1000 + 100);
    /* Complete, but it comes to a bad end. */
    OK(EsentHostDirectoryCreate("/bk2"));
    told_count = 0;
    stop_at_end = true;
    IS(JetBackupInstanceA(instance, "/bk2", 0, status), JET_errBackupAbortByServer);
    stop_at_end = false;
    assert_int_equal(told[told_count - 1], JET_sntComplete * 1000 + 100);
    world_end();
}

/* --- folders --- */

static void a_file_called_temp(void **state)
{
    (void)state;
    begin(ESENT_HOST_DOCUMENTED);
    OK(EsentHostDirectoryCreate("/bk"));
    OK(EsentHostFileWrite("/bk/temp", 0, "x", 1));
    IS(JetBackupInstanceA(instance, "/bk", JET_bitBackupAtomic, NULL), JET_errMakeBackupDirectoryFail);
    world_end();
}

/* The published engine puts the logs of an incremental atomic backup into "old" of its own folder. */
static void old_beside_the_program(void **state)
{
    (void)state;
    begin(ESENT_HOST_PUBLISHED);
    OK(EsentHostDirectoryCreate("/here/old"));
    OK(EsentHostDirectoryCreate("/bk"));
    OK(JetTerm2(instance, JET_bitTermComplete));
    OK(EsentHostSetDirectory("/here"));
    world_instance(&instance, "backup", "/a/");
    OK(JetInit(&instance));
    OK(JetBeginSessionA(instance, &session, NULL, NULL));
    OK(JetAttachDatabaseA(session, "/a/a.edb", 0));
    OK(JetBackupInstanceA(instance, "/bk", JET_bitBackupAtomic, NULL));
    OK(JetBackupInstanceA(instance, "/bk", JET_bitBackupAtomic | JET_bitBackupIncremental, NULL));
    assert_true(exists("/here/old/edb00000002.log"));
    assert_true(exists("/bk/old/a.edb") && !exists("/bk/old/edb00000002.log"));
    OK(JetTerm2(instance, JET_bitTermComplete));
    OK(EsentHostSetDirectory(NULL));
    world_end();
}

/* Without a directory: who cannot delete the logs that are of no use says so. */
static void logs_that_stay(void **state)
{
    (void)state;
    begin(ESENT_HOST_DOCUMENTED);
    full_backup();
    OK(JetTerm2(instance, JET_bitTermComplete));
    world_instance(&instance, "backup", "/a/");
    OK(JetInit(&instance));
    roll_logs(2);
    EsentHostFailNth(ESENT_HOST_FAULT_NAME, 1, 1);
    IS(JetBackupInstanceA(instance, NULL, 0, NULL), JET_errFileAccessDenied);
    EsentHostFailNone();
    OK(JetBackupInstanceA(instance, NULL, 0, NULL));
    world_end();
}

/* --- streams --- */

static JET_ERR open_at(uint64_t offset, JET_HANDLE *handle)
{
    char name[] = "/a/a.edb";
    uint32_t low;
    int32_t high;
    return JetOpenFileSectionInstanceA(instance, name, handle, 0, 1, offset, &low, &high);
}

/* A stream may begin at page 2, the fourth of the stream; whoever reads it to its end has read it. */
static void streams_from_an_offset(void **state)
{
    (void)state;
    JET_HANDLE handle;
    uint32_t got;
    uint8_t page[PAGE];
    begin(ESENT_HOST_DOCUMENTED);
    OK(JetBeginExternalBackupInstance(instance, 0));
    OK(open_at(0, &handle));
    OK(JetReadFileInstance(instance, handle, buffer, BUFFER, &got));
    memcpy(page, buffer + 3 * PAGE, sizeof page);
    OK(JetCloseFileInstance(instance, handle));
    IS(open_at(3 * PAGE + 1, &handle), JET_errInvalidParameter);
    IS(open_at(2 * PAGE, &handle), JET_errInvalidParameter);
    OK(open_at(3 * PAGE, &handle));
    OK(JetReadFileInstance(instance, handle, buffer, BUFFER, &got));
    assert_int_equal(got, BUFFER);
    assert_memory_equal(buffer, page, sizeof page);
    while (got != 0)
        OK(JetReadFileInstance(instance, handle, buffer, BUFFER, &got));
    OK(JetCloseFileInstance(instance, handle));
    OK(stream("/a/b.edb"));
    stream_logs();
    OK(JetEndExternalBackupInstance(instance));
    assert_int_equal(header().bkinfoCopyPrev.genHigh, 1);
    world_end();
}

static void reads_without_a_file(void **state)
{
    (void)state;
    uint32_t got = 1;
    begin(ESENT_HOST_PUBLISHED);
    OK(JetBeginExternalBackupInstance(instance, 0));
    IS(JetReadFileInstance(instance, 1, buffer, BUFFER, &got), JET_errInvalidParameter);
    OK(JetReadFileInstance(instance, 0, buffer, BUFFER, &got));
    assert_int_equal(got, 0);
    world_end();
}

/* Sixteen more tries, each after a longer pause. */
static void reads_are_tried_again(void **state)
{
    (void)state;
    JET_HANDLE handle;
    uint32_t got;
    begin(ESENT_HOST_DOCUMENTED);
    OK(JetBeginExternalBackupInstance(instance, 0));
    OK(open_file("/a/a.edb", &handle));
    const uint64_t before = os_clock_ticks();
    EsentHostFailNth(ESENT_HOST_FAULT_READ, 1, 0);
    IS(JetReadFileInstance(instance, handle, buffer, BUFFER, &got), JET_errDiskIO);
    EsentHostFailNone();
    assert_int_equal(os_clock_ticks() - before, 100 * (16 * 17 / 2));
    world_end();
}

/* Only logs have content; a log's segment is not empty because all of it is alike. */
static void contents_of_files(void **state)
{
    (void)state;
    static uint8_t alike[PAGE];
    JET_HANDLE handle;
    uint32_t got = 1;
    memset(alike, 0xC3, sizeof alike);
    begin(ESENT_HOST_DOCUMENTED);
    OK(EsentHostFileWrite("/a/a.pat", 0, "", 0));
    OK(JetBeginExternalBackupInstance(instance, 0));
    stream_logs();
    OK(open_file("/a/a.pat", &handle));
    OK(JetReadFileInstance(instance, handle, buffer, BUFFER, &got));
    assert_int_equal(got, 0);
    OK(JetCloseFileInstance(instance, handle));
    OK(EsentHostFileWrite("/a/a.pat", 0, "x", 1));
    OK(open_file("/a/a.pat", &handle));
    IS(JetReadFileInstance(instance, handle, buffer, BUFFER, &got), JET_errLogReadVerifyFailure);
    OK(JetBeginExternalBackupInstance(instance, 0)); /* the other one has ended */
    OK(JetGetLogInfoInstanceA(instance, list, sizeof list, NULL));
    OK(EsentHostFileWrite("/a/edb00001.log", 2 * PAGE, alike, sizeof alike));
    IS(stream("/a/edb00001.log"), JET_errLogReadVerifyFailure);
    world_end();
}

/* --- freezes --- */

static JET_OSSNAPID snapshot;

static JET_ERR freeze(void)
{
    uint32_t count;
    JET_INSTANCE_INFO_A *found = NULL;
    const JET_ERR err = JetOSSnapshotFreezeA(snapshot, &count, &found, 0);
    if (err >= JET_errSuccess) {
        assert_int_equal(count, 1);
        assert_int_equal(found[0].cDatabases, 2);
        OK(JetFreeBuffer((char *)found));
    }
    return err;
}

/* A freeze that memory does not suffice for is over, and its session too. */
static void freezes_without_memory(void **state)
{
    (void)state;
    bool failed = true;
    for (uint64_t n = 1; failed; n++) {
        begin(ESENT_HOST_DOCUMENTED);
        OK(JetOSSnapshotPrepare(&snapshot, 0));
        const JET_ERR err = without_memory(n, freeze, &failed);
        if (err == JET_errSuccess) {
            OK(JetOSSnapshotThaw(snapshot, 0));
        } else {
            memory_was_short(err);
            assert_false(snapshot_is_frozen(context_of(instance)));
            (void)JetOSSnapshotAbort(snapshot, 0);
            if (err == JET_errOutOfMemory) {
                OK(JetBeginExternalBackupInstance(instance, 0));
                OK(JetEndExternalBackupInstance2(instance, JET_bitBackupEndAbort));
            }
        }
        world_end();
    }
}

/* A write waits to the end of the time, and no longer; then the instance is as if it had never been frozen.
 */
static void freezes_that_last_too_long(void **state)
{
    (void)state;
    JET_TABLEID table;
    begin(ESENT_HOST_DOCUMENTED);
    EsentHostAdvanceClock(5000);
    OK(JetOSSnapshotPrepare(&snapshot, 0));
    OK(freeze());
    const uint64_t before = os_clock_ticks();
    OK(JetCreateTableA(session, database, "t", 1, 80, &table));
    assert_int_equal(os_clock_ticks() - before, 70000); /* JET_paramOSSnapshotTimeout */
    IS(JetOSSnapshotThaw(snapshot, 0), JET_errOSSnapshotTimeOut);
    assert_false(snapshot_is_frozen(context_of(instance)));
    world_end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_are_whole),        cmocka_unit_test(directories_are_whole),
        cmocka_unit_test(progress_is_told),       cmocka_unit_test(a_file_called_temp),
        cmocka_unit_test(old_beside_the_program), cmocka_unit_test(logs_that_stay),
        cmocka_unit_test(streams_from_an_offset), cmocka_unit_test(reads_without_a_file),
        cmocka_unit_test(reads_are_tried_again),  cmocka_unit_test(contents_of_files),
        cmocka_unit_test(freezes_without_memory), cmocka_unit_test(freezes_that_last_too_long),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
