/* Failures in the life of a database that must not be passed over, and what its header says afterwards. */
#include "tests/backup_world.h"

static JET_DBID second;

static JET_ERR create(void)
{
    return JetCreateDatabaseA(session, "/a/b.edb", NULL, &second, 0);
}

static JET_ERR create_and_detach(void)
{
    const JET_ERR err = create();
    if (err < JET_errSuccess)
        return err;
    OK(JetCloseDatabase(session, second, 0));
    return JetDetachDatabaseA(session, "/a/b.edb");
}

static JET_ERR attach(void)
{
    return JetAttachDatabaseA(session, "/a/b.edb", 0);
}

static JET_ERR detach(void)
{
    return JetDetachDatabaseA(session, "/a/b.edb");
}

static JET_ERR nothing(void)
{
    return JET_errSuccess;
}

static JET_ERR create_and_close(void)
{
    const JET_ERR err = create();
    return err < JET_errSuccess ? err : JetCloseDatabase(session, second, 0);
}

/* Each write and each allocation of the call fails once: it says so. */
static void failures_are_told(void **state)
{
    (void)state;
    static const enum ESENT_HOST_FAULT kinds[] = {ESENT_HOST_FAULT_WRITE, ESENT_HOST_FAULT_ALLOCATE};
    static const struct {
        JET_ERR (*before)(void);
        JET_ERR (*call)(void);
    } steps[] = {{nothing, create}, {create_and_detach, attach}, {create_and_close, detach}};
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
            bool failed = true;
            for (uint64_t n = 1; failed; n++) {
                world_start(ESENT_HOST_DOCUMENTED);
                OK(steps[i].before());
                EsentHostResetCounters();
                EsentHostFailNth(kinds[k], n, 1);
                const JET_ERR err = steps[i].call();
                failed = EsentHostCountFailures(kinds[k]) > 0;
                EsentHostFailNone();
                assert_int_equal(failed, err < JET_errSuccess);
                world_end();
            }
        }
    }
}

/* What a backup left in the header is the same after a crash, whatever the clock says meanwhile. */
static void headers_are_redone(void **state)
{
    (void)state;
    world_start(ESENT_HOST_DOCUMENTED);
    OK(JetBeginExternalBackupInstance(instance, 0));
    EsentHostAdvanceClock(3600 * 1000);
    OK(stream("/a/a.edb"));
    stream_logs();
    OK(JetTruncateLogInstance(instance));
    EsentHostAdvanceClock(3600 * 1000);
    OK(JetEndExternalBackupInstance(instance));
    const JET_DBINFOMISC4 before = header();
    OK(JetCommitTransaction(session, JET_bitWaitAllLevel0Commit));
    EsentHostCrash();
    EsentHostAdvanceClock(3600 * 1000);
    world_instance(&instance, "backup", "/a/");
    OK(JetInit(&instance));
    OK(JetBeginSessionA(instance, &session, NULL, NULL));
    OK(JetAttachDatabaseA(session, "/a/a.edb", 0));
    OK(JetOpenDatabaseA(session, "/a/a.edb", NULL, &database, 0));
    const JET_DBINFOMISC4 after = header();
    assert_int_not_equal(before.bkinfoFullPrev.logtimeMark.bMonth, 0);
    assert_memory_equal(&after.bkinfoFullPrev, &before.bkinfoFullPrev, sizeof after.bkinfoFullPrev);
    world_end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(failures_are_told),
        cmocka_unit_test(headers_are_redone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
