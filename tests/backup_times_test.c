/* When each kind of backup is said to have been made, of which place of the log, with which logs: a full one
 * when it began, an incremental one when the log went on for it, a snapshot when it froze. Something happens
 * an hour apart. */
#include "tests/backup_world.h"

static JET_LOGTIME zero_hour;

static void step(void)
{
    EsentHostAdvanceClock(3600 * 1000);
}

static void begin(void)
{
    world_start(ESENT_HOST_DOCUMENTED);
    zero_hour = header().logtimeAttach;
}

struct expected {
    int hours; /* since the database was attached */
    uint32_t low, high;
    int32_t mark; /* generation of the place */
};

static void compare(const JET_BKINFO *info, const struct expected *expected)
{
    assert_int_equal((info->logtimeMark.bHours - zero_hour.bHours + 24) % 24, expected->hours);
    assert_int_equal(info->genLow, expected->low);
    assert_int_equal(info->genHigh, expected->high);
    assert_int_equal(info->lgposMark.lGeneration, expected->mark);
}

static void of_streams(void **state)
{
    (void)state;
    begin();
    step(); /* 1 */
    OK(JetBeginExternalBackupInstance(instance, 0));
    step();
    OK(stream("/a/a.edb"));
    step();
    stream_logs();
    step();
    OK(JetTruncateLogInstance(instance));
    OK(JetEndExternalBackupInstance(instance));
    JET_DBINFOMISC4 info = header();
    compare(&info.bkinfoFullPrev, &(struct expected){1, 1, 1, 1});
    step(); /* 5 */
    OK(JetBeginExternalBackupInstance(instance, JET_bitBackupIncremental));
    step();
    stream_logs();
    step();
    OK(JetTruncateLogInstance(instance));
    OK(JetEndExternalBackupInstance(instance));
    info = header();
    compare(&info.bkinfoFullPrev, &(struct expected){1, 1, 1, 1});
    compare(&info.bkinfoIncPrev, &(struct expected){6, 1, 2, 3});
    world_end();
}

static void of_surrogates(void **state)
{
    (void)state;
    begin();
    roll_logs(3);
    step(); /* 1 */
    OK(JetBeginSurrogateBackup(instance, 1, 2, 0));
    step();
    OK(JetEndSurrogateBackup(instance, JET_bitBackupEndNormal | JET_bitBackupTruncateDone));
    JET_DBINFOMISC4 info = header();
    compare(&info.bkinfoFullPrev, &(struct expected){1, 1, 2, 4});
    step(); /* 3 */
    OK(JetBeginSurrogateBackup(instance, 3, 3, JET_bitBackupIncremental));
    step();
    OK(JetEndSurrogateBackup(instance, JET_bitBackupEndNormal | JET_bitBackupTruncateDone));
    info = header();
    compare(&info.bkinfoFullPrev, &(struct expected){1, 1, 2, 4});
    compare(&info.bkinfoIncPrev, &(struct expected){3, 3, 3, 4});
    step(); /* 5: a copy changes neither of them */
    OK(JetBeginSurrogateBackup(instance, 1, 3, 0));
    OK(JetEndSurrogateBackup(instance, JET_bitBackupEndNormal));
    info = header();
    compare(&info.bkinfoFullPrev, &(struct expected){1, 1, 2, 4});
    compare(&info.bkinfoIncPrev, &(struct expected){3, 3, 3, 4});
    compare(&info.bkinfoCopyPrev, &(struct expected){5, 1, 3, 4});
    world_end();
}

static void snapshot(JET_GRBIT grbit)
{
    JET_OSSNAPID id;
    uint32_t count;
    JET_INSTANCE_INFO_A *instances;
    OK(JetOSSnapshotPrepare(&id, grbit));
    step();
    OK(JetOSSnapshotFreezeA(id, &count, &instances, 0));
    OK(JetFreeBuffer((char *)instances));
    EsentHostAdvanceClock(1000);
    OK(JetOSSnapshotThaw(id, 0));
}

static void of_snapshots(void **state)
{
    (void)state;
    begin();
    step();
    snapshot(0); /* freezes at 2 */
    JET_DBINFOMISC4 info = header();
    compare(&info.bkinfoFullPrev, &(struct expected){2, 1, 1, 2});
    step();
    snapshot(JET_bitIncrementalSnapshot); /* at 4 */
    info = header();
    compare(&info.bkinfoFullPrev, &(struct expected){2, 1, 1, 2});
    compare(&info.bkinfoIncPrev, &(struct expected){4, 1, 2, 3});
    OK(JetTerm2(instance, JET_bitTermComplete));
    /* Where logging is circular, the log does not go on for it. */
    world_instance(&instance, "backup", "/a/");
    OK(JetSetSystemParameterA(&instance, 0, JET_paramCircularLog, 1, NULL));
    OK(JetInit(&instance));
    OK(JetBeginSessionA(instance, &session, NULL, NULL));
    OK(JetAttachDatabaseA(session, "/a/a.edb", 0));
    OK(JetOpenDatabaseA(session, "/a/a.edb", NULL, &database, 0));
    snapshot(0); /* at 5 */
    info = header();
    compare(&info.bkinfoFullPrev, &(struct expected){5, 3, 3, 3});
    world_end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(of_streams),
        cmocka_unit_test(of_surrogates),
        cmocka_unit_test(of_snapshots),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
