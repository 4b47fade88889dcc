/* What names and ranges a backup takes: files whose names say more than they hold, sections behind the end,
 * ranges of surrogates, and what a backup that a snapshot has ended leaves to the next snapshot. */
#include "tests/backup_world.h"

#include "src/backup/backup_internal.h"
#include "src/backup/backup_state.h"
#include "src/backup/snapshot.h"
#include "src/instance/process.h"
#include "src/log/log.h"
#include "src/os/memory.h"

static struct backup_context *context;

/* The world, and the backup layer's own calls beside the public ones. */
static void start(enum ESENT_HOST_PROFILE profile)
{
    world_start(profile);
    process_lock();
    struct instance *inside = process_find_locked(instance);
    process_unlock();
    assert_non_null(inside);
    context = inside->backup;
    context->instance = inside;
}

static void log_list(char *list, size_t size)
{
    OK(JetGetLogInfoInstanceA(instance, list, (uint32_t)size, NULL));
}

static void begin_logs(void)
{
    char list[4096];
    OK(JetBeginExternalBackupInstance(instance, 0));
    log_list(list, sizeof list);
}

/* --- names --- */

/* Names of logs that are not there: what counts is whether such a name has a number. */
static void names_with_and_without_numbers(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        JET_ERR published;
    } names[] = {
        {"/a/edb00000.log", JET_errMissingFileToBackup},
        {"/a/edb00000000.log", JET_errMissingFileToBackup},
        {"/a/edbFFFFFFFF.log", JET_errMissingFileToBackup},
        {"/a/edbfffff.log", JET_errMissingFileToBackup},
        {"/a/edb0000g.log", JET_errInvalidParameter},
        {"/a/edb0000000g.log", JET_errInvalidParameter},
        {"/a/edb0000.log", JET_errInvalidParameter},
        {"/a/edb000000.log", JET_errInvalidParameter},
        {"/a/edb000000000.log", JET_errInvalidParameter},
        {"/a/edb.log", JET_errInvalidParameter},
        {"/a/edc00001.log", JET_errInvalidParameter},
        {"/a/ed.log", JET_errInvalidParameter},
    };
    JET_HANDLE handle;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        start(ESENT_HOST_PUBLISHED);
        begin_logs();
        IS(open_file(names[i].name, &handle), names[i].published);
        IS(JetEndExternalBackupInstance(instance), JET_errNoBackup); /* the error has ended it */
        world_end();
        /* In the documented profile a number that no log has is no name, although there is such a file. */
        start(ESENT_HOST_DOCUMENTED);
        begin_logs();
        const bool numbered = strcmp(names[i].name, "/a/edbfffff.log") == 0;
        if (!exists(names[i].name))
            OK(EsentHostFileWrite(names[i].name, 0, "x", 1));
        IS(open_file(names[i].name, &handle), numbered ? JET_errSuccess : JET_errInvalidParameter);
        world_end();
    }
}

/* A log under the name of another generation. */
static void a_log_by_another_number(void **state)
{
    (void)state;
    for (int publish = 0; publish < 2; publish++) {
        char list[4096];
        start(publish ? ESENT_HOST_PUBLISHED : ESENT_HOST_DOCUMENTED);
        roll_logs(2);
        OK(JetBeginExternalBackupInstance(instance, 0));
        log_list(list, sizeof list);
        const char *second = list + strlen(list) + 1;
        assert_true(exists(list) && exists(second));
        OK(stream(list));
        OK(EsentHostFileCopy(list, second));
        IS(stream(second), publish ? JET_errSuccess : JET_errLogFileCorrupt);
        assert_int_equal(backup_state_of(context), publish ? BACKUP_LOGS : BACKUP_IDLE);
        world_end();
    }
}

/* One bit of its header has flipped: no log at all, by whichever number. */
static void a_log_with_a_damaged_header(void **state)
{
    (void)state;
    for (int publish = 0; publish < 2; publish++) {
        char list[4096];
        start(publish ? ESENT_HOST_PUBLISHED : ESENT_HOST_DOCUMENTED);
        OK(JetBeginExternalBackupInstance(instance, 0));
        log_list(list, sizeof list);
        OK(EsentHostFileCorrupt(list, 300, 1)); /* nothing but the checksum tells */
        IS(stream(list), JET_errLogReadVerifyFailure);
        assert_int_equal(backup_state_of(context), BACKUP_IDLE);
        world_end();
    }
}

/* --- streams --- */

static void a_read_without_room(void **state)
{
    (void)state;
    JET_HANDLE handle;
    uint32_t got = 77;
    start(ESENT_HOST_DOCUMENTED);
    OK(JetBeginExternalBackupInstance(instance, 0));
    OK(open_file("/a/a.edb", &handle));
    IS(JetReadFileInstance(instance, handle, buffer, 0, &got), JET_errInvalidParameter);
    OK(JetReadFileInstance(instance, handle, buffer, 3 * PAGE, &got));
    assert_int_equal(got, 3 * PAGE);
    IS(JetReadFileInstance(instance, handle, buffer, 0, &got), JET_errInvalidParameter);
    OK(JetReadFileInstance(instance, handle, buffer, PAGE, &got));
    assert_int_equal(got, PAGE); /* none of them has ended the copy */
    OK(JetCloseFileInstance(instance, handle));
    OK(JetEndExternalBackupInstance2(instance, JET_bitBackupEndAbort));
    world_end();
}

/* A section that begins behind the end has the trailer: once, or (published engine) at every read. */
static void a_section_behind_the_end(void **state)
{
    (void)state;
    for (int publish = 0; publish < 2; publish++) {
        JET_HANDLE handle;
        uint64_t size;
        uint32_t got;
        start(publish ? ESENT_HOST_PUBLISHED : ESENT_HOST_DOCUMENTED);
        OK(JetBeginExternalBackupInstance(instance, 0));
        OK(backup_open_file(context, "/a/a.edb", 0, &handle, &size));
        OK(backup_close_file(context, handle));
        uint64_t begin = size + 10 * PAGE;
        OK(backup_open_file(context, "/a/a.edb", begin, &handle, &size));
        for (int i = 0; i < 3; i++) {
            memset(buffer, 0xAA, 2 * PAGE);
            OK(backup_read_file(context, handle, buffer, 4 * PAGE, &got));
            assert_int_equal(got, i == 0 || publish ? PAGE : 0);
            assert_int_equal(buffer[PAGE - 1], got == 0 ? 0xAA : 0); /* a trailer ends with noughts */
            assert_int_equal(buffer[PAGE], 0xAA);
        }
        OK(backup_close_file(context, handle));
        OK(JetEndExternalBackupInstance2(instance, JET_bitBackupEndAbort));
        world_end();
    }
}

/* --- begins and ranges --- */

static void ranges_of_surrogates(void **state)
{
    (void)state;
    start(ESENT_HOST_DOCUMENTED);
    roll_logs(2);
    IS(JetBeginSurrogateBackup(instance, 2, 1, 0), JET_errInvalidParameter);
    IS(JetBeginSurrogateBackup(instance, 1, 1000, 0), JET_errInvalidParameter);
    assert_int_equal(backup_state_of(context), BACKUP_IDLE);
    OK(JetBeginSurrogateBackup(instance, 1, 2, 0));
    OK(JetEndSurrogateBackup(instance, JET_bitBackupEndNormal));
    world_end();
}

/* Nothing begins on a log that cannot be written any more. */
static void a_begin_on_a_log_that_is_down(void **state)
{
    (void)state;
    JET_DBID other;
    start(ESENT_HOST_DOCUMENTED);
    EsentHostFailNth(ESENT_HOST_FAULT_WRITE, 1, 0);
    (void)JetCreateDatabaseA(session, "/a/b.edb", NULL, &other, 0);
    EsentHostFailNone();
    IS(JetBeginExternalBackupInstance(instance, 0), JET_errLogWriteFail);
    IS(JetBeginExternalBackupInstance(instance, 0x100),
       JET_errLogWriteFail); /* before its bits are looked at */
    IS(JetBeginSurrogateBackup(instance, 1, 1, 0), JET_errLogWriteFail);
    assert_int_equal(backup_state_of(context), BACKUP_IDLE);
    world_end();
}

static void roll_further(int count)
{
    for (int i = 0; i < count; i++) {
        struct log_position position;
        OK(backup_log_record(context, LOG_BACKUP_BEGIN, BACKUP_INFO_NORMAL, LOG_BACKUP_FULL, 0, NULL,
                             LOG_APPEND_NEW_GENERATION, &position));
        OK(log_flush(backup_log(context), position));
    }
    OK(log_update_checkpoint(backup_log(context), false));
}

/* The log was rolled, but the list failed; before it is asked for again, the checkpoint passes the end of the
 * range. What is not to be copied is not deleted either. */
static void a_checkpoint_behind_the_range(void **state)
{
    (void)state;
    bool seen = false;
    for (uint64_t n = 1; n < 40 && !seen; n++) {
        struct backup_list logs = {NULL, 0};
        char kept[60], gone[60];
        start(ESENT_HOST_DOCUMENTED);
        OK(JetCloseDatabase(session, database, 0));
        OK(JetDetachDatabaseA(session, "/a/a.edb")); /* no database holds the checkpoint */
        OK(JetBeginExternalBackupInstance(instance, 0));
        EsentHostFailNth(ESENT_HOST_FAULT_ALLOCATE, n, 1);
        const JET_ERR err = backup_log_info(context, &logs, NULL, NULL);
        EsentHostFailNone();
        os_free(logs.texts);
        if (err < JET_errSuccess && context->log_rolled) {
            seen = true;
            roll_further(3);
            assert_true(log_checkpoint(backup_log(context)).generation > context->copy_end);
            (void)snprintf(gone, sizeof gone, "/a/edb%05X.log", (unsigned)context->copy_end - 1);
            (void)snprintf(kept, sizeof kept, "/a/edb%05X.log", (unsigned)context->copy_end);
            stream_logs();
            assert_true(exists(gone) && exists(kept));
            OK(JetTruncateLogInstance(instance));
            assert_true(!exists(gone) && exists(kept));
            OK(JetEndExternalBackupInstance(instance));
        }
        world_end();
    }
    assert_true(seen);
}

/* --- snapshots --- */

static JET_ERR freeze(JET_OSSNAPID id, uint32_t *count)
{
    JET_INSTANCE_INFO_A *info = NULL;
    const JET_ERR err = JetOSSnapshotFreezeA(id, count, &info, 0);
    if (err >= JET_errSuccess)
        OK(JetFreeBuffer((char *)info));
    return err;
}

static JET_OSSNAPID frozen(JET_GRBIT grbit)
{
    JET_OSSNAPID id;
    uint32_t count;
    OK(JetOSSnapshotPrepare(&id, grbit));
    OK(freeze(id, &count));
    assert_int_equal(count, 1);
    return id;
}

/* One that is not the first of its session leaves it. */
static void the_second_leaves(void **state)
{
    (void)state;
    JET_INSTANCE other;
    JET_OSSNAPID id;
    uint32_t count = 0;
    start(ESENT_HOST_DOCUMENTED);
    world_instance(&other, "other", "/b/");
    OK(JetInit(&other));
    OK(JetOSSnapshotPrepare(&id, 0));
    OK(JetTerm2(other, JET_bitTermComplete));
    OK(freeze(id, &count));
    assert_int_equal(count, 1);
    assert_int_equal(backup_state_of(context), BACKUP_SNAPSHOT);
    OK(JetOSSnapshotThaw(id, 0));
    world_end();
}

static bool not_allowed(void *argument)
{
    return argument == NULL;
}

/* An instance whose end has begun since the session was prepared: all leave it. */
static void a_member_that_may_not_be_backed_up(void **state)
{
    (void)state;
    JET_OSSNAPID id;
    uint32_t count = 77;
    start(ESENT_HOST_DOCUMENTED);
    OK(JetOSSnapshotPrepare(&id, 0));
    const struct backup_services *before = context->services;
    struct backup_services services = *before;
    services.backup_allowed = not_allowed;
    context->services = &services;
    IS(snapshot_freeze(id, 0, 1000, NULL, NULL), JET_errOSSnapshotNotAllowed);
    context->services = before;
    assert_int_equal(backup_state_of(context), BACKUP_IDLE);
    assert_null(context->snapshot);
    OK(freeze(id, &count)); /* of nobody */
    assert_int_equal(count, 0);
    assert_int_equal(backup_state_of(context), BACKUP_IDLE);
    OK(JetOSSnapshotThaw(id, 0));
    world_end();
}

static void restart_with_circular_logs(void)
{
    OK(JetTerm2(instance, JET_bitTermComplete));
    world_instance(&instance, "backup", "/a/");
    OK(JetSetSystemParameterA(&instance, 0, JET_paramCircularLog, 1, NULL));
    OK(JetInit(&instance));
    OK(JetBeginSessionA(instance, &session, NULL, NULL));
    OK(JetAttachDatabaseA(session, "/a/a.edb", 0));
    OK(JetOpenDatabaseA(session, "/a/a.edb", NULL, &database, 0));
}

/* There are no incremental snapshots with circular logs; a full one truncates nothing. */
static void snapshots_with_circular_logs(void **state)
{
    (void)state;
    JET_OSSNAPID id;
    uint32_t count;
    start(ESENT_HOST_DOCUMENTED);
    roll_logs(3);
    restart_with_circular_logs();
    assert_true(exists("/a/edb00003.log"));
    id = frozen(JET_bitContinueAfterThaw);
    OK(JetOSSnapshotThaw(id, 0));
    OK(JetOSSnapshotTruncateLog(id, JET_bitAllDatabasesSnapshot));
    assert_true(exists("/a/edb00003.log"));
    OK(JetOSSnapshotEnd(id, 0));
    assert_int_not_equal(header().bkinfoFullPrev.genHigh, 0);
    OK(JetOSSnapshotPrepare(&id, JET_bitIncrementalSnapshot));
    IS(freeze(id, &count), JET_errInvalidBackup);
    OK(JetOSSnapshotAbort(id, 0));
    world_end();
}

/* A snapshot that ends a backup (published engine) leaves to the next one that databases were copied: after a
 * full surrogate backup they may be opened, after an incremental one not. */
static void a_surrogate_ended_by_a_snapshot(void **state)
{
    (void)state;
    for (JET_GRBIT grbit = 0; grbit <= JET_bitBackupIncremental; grbit += JET_bitBackupIncremental) {
        JET_OSSNAPID id;
        JET_HANDLE handle;
        start(ESENT_HOST_PUBLISHED);
        OK(JetBeginSurrogateBackup(instance, 1, 1, 0));
        OK(JetEndSurrogateBackup(instance, JET_bitBackupEndNormal | JET_bitBackupTruncateDone));
        OK(JetOSSnapshotPrepare(&id, 0));
        OK(JetBeginSurrogateBackup(instance, 1, 1, grbit));
        OK(JetOSSnapshotAbort(id, 0));
        assert_int_equal(backup_state_of(context), BACKUP_IDLE);
        id = frozen(0);
        assert_int_equal(backup_state_of(context), grbit == 0 ? BACKUP_DATABASES : BACKUP_SNAPSHOT);
        IS(open_file("/a/a.edb", &handle), grbit == 0 ? JET_errSuccess : JET_errInvalidBackupSequence);
        OK(JetOSSnapshotAbort(id, 0));
        world_end();
    }
}

static void ended_by_a_snapshot(void)
{
    JET_OSSNAPID id;
    start(ESENT_HOST_PUBLISHED);
    OK(JetOSSnapshotPrepare(&id, 0));
    OK(JetBeginExternalBackupInstance(instance, 0));
    OK(JetOSSnapshotAbort(id, 0));
}

/* A truncation leads such a snapshot to its logs: not before it is frozen, not while a file is open, and not
 * when it is stopped. */
static void truncations_of_such_a_snapshot(void **state)
{
    (void)state;
    JET_HANDLE handle;
    ended_by_a_snapshot();
    IS(JetTruncateLogInstance(instance), JET_errNoBackup);
    JET_OSSNAPID id = frozen(0);
    assert_int_equal(backup_state_of(context), BACKUP_DATABASES);
    OK(open_file("/a/a.edb", &handle));
    IS(JetTruncateLogInstance(instance), JET_errInvalidBackupSequence);
    assert_int_equal(backup_state_of(context), BACKUP_DATABASES);
    OK(JetCloseFileInstance(instance, handle));
    OK(JetTruncateLogInstance(instance));
    assert_int_equal(backup_state_of(context), BACKUP_SNAPSHOT);
    OK(JetOSSnapshotThaw(id, 0));
    world_end();
    ended_by_a_snapshot();
    id = frozen(0);
    OK(JetStopBackupInstance(instance));
    IS(JetTruncateLogInstance(instance), JET_errBackupAbortByServer);
    assert_int_equal(backup_state_of(context), BACKUP_DATABASES);
    OK(JetOSSnapshotThaw(id, 0));
    world_end();
}

/* Who ends the state of a snapshot (published engine) has made no backup; the snapshot's own end counts. */
static void an_end_that_is_no_backup(void **state)
{
    (void)state;
    start(ESENT_HOST_PUBLISHED);
    const JET_OSSNAPID id = frozen(JET_bitContinueAfterThaw);
    OK(JetOSSnapshotThaw(id, 0));
    assert_int_equal(backup_state_of(context), BACKUP_SNAPSHOT);
    OK(JetEndExternalBackupInstance2(instance, JET_bitBackupEndNormal | JET_bitBackupTruncateDone));
    assert_int_equal(backup_state_of(context), BACKUP_IDLE);
    assert_int_equal(header().bkinfoFullPrev.genHigh, 0);
    assert_int_equal(header().bkinfoCopyPrev.genHigh, 0);
    OK(JetOSSnapshotEnd(id, 0));
    assert_int_not_equal(header().bkinfoFullPrev.genHigh, 0);
    world_end();
}

/* The databases that a backup had copied when a snapshot ended it are still in it: an end while the next one
 * is frozen waits for that, and stores them (published engine). */
static void an_end_of_what_was_cut_off(void **state)
{
    (void)state;
    JET_OSSNAPID id;
    start(ESENT_HOST_PUBLISHED);
    OK(JetOSSnapshotPrepare(&id, 0));
    OK(JetBeginExternalBackupInstance(instance, 0));
    OK(stream("/a/a.edb"));
    stream_logs();
    OK(JetOSSnapshotAbort(id, 0));
    assert_int_equal(backup_state_of(context), BACKUP_IDLE);
    id = frozen(0);
    assert_int_equal(backup_state_of(context), BACKUP_SNAPSHOT);
    OK(JetEndExternalBackupInstance2(instance, JET_bitBackupEndNormal | JET_bitBackupTruncateDone));
    assert_int_equal(backup_state_of(context), BACKUP_IDLE);
    assert_int_equal(header().bkinfoFullPrev.genHigh, 1);
    IS(JetOSSnapshotThaw(id, 0), JET_errOSSnapshotTimeOut);
    world_end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_with_and_without_numbers),
        cmocka_unit_test(a_log_by_another_number),
        cmocka_unit_test(a_log_with_a_damaged_header),
        cmocka_unit_test(a_read_without_room),
        cmocka_unit_test(a_section_behind_the_end),
        cmocka_unit_test(ranges_of_surrogates),
        cmocka_unit_test(a_begin_on_a_log_that_is_down),
        cmocka_unit_test(a_checkpoint_behind_the_range),
        cmocka_unit_test(the_second_leaves),
        cmocka_unit_test(a_member_that_may_not_be_backed_up),
        cmocka_unit_test(snapshots_with_circular_logs),
        cmocka_unit_test(a_surrogate_ended_by_a_snapshot),
        cmocka_unit_test(truncations_of_such_a_snapshot),
        cmocka_unit_test(an_end_that_is_no_backup),
        cmocka_unit_test(an_end_of_what_was_cut_off),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
