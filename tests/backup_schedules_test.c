/* Backups in many simulated interleavings, each from a seed: lost wake-ups show as threads that wait forever,
 * missing locks as broken invariants, a freeze that holds nothing up as a commit that went through. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "include/esent.h"
#include "include/esent_host.h"
#include "src/os/clock.h"

#define BUFFER (1u << 16)
#define SEEDS 30
#define ROUNDS 6
#define OK(call) assert_int_equal((call), JET_errSuccess)

static JET_INSTANCE instance;
static JET_SESID session;
static JET_TABLEID table;
static JET_COLUMNID column;
static bool ready; /* one thread at a time runs */
static bool done;
static unsigned attached_seen;

/* A world with a database and a table in it; pages are written back soon and often. */
static void set_up(uint64_t seed)
{
    const struct ESENT_HOST_SIMULATION simulation = {
        .seed = seed, .scheduler = ESENT_HOST_SCHEDULE_RANDOM, .background_thread = (uint32_t)(seed & 1)};
    const JET_COLUMNDEF definition = {.cbStruct = sizeof definition, .coltyp = JET_coltypLongBinary};
    JET_DBID database;
    (void)EsentHostReset(NULL, 0);
    OK(EsentHostUseMemoryFiles());
    OK(EsentHostUseSimulation(&simulation));
    OK(EsentHostDirectoryCreate("/a"));
    OK(JetSetSystemParameterA(NULL, 0, JET_paramDatabasePageSize, 4096, NULL));
    OK(JetCreateInstanceA(&instance, "schedules"));
    OK(JetSetSystemParameterA(&instance, 0, JET_paramLogFilePath, 0, "/a/"));
    OK(JetSetSystemParameterA(&instance, 0, JET_paramSystemPath, 0, "/a/"));
    OK(JetSetSystemParameterA(&instance, 0, JET_paramTempPath, 0, "/a/"));
    OK(JetSetSystemParameterA(&instance, 0, JET_paramLogFileSize, 128, NULL));
    OK(JetSetSystemParameterA(&instance, 0, JET_paramCheckpointDepthMax, 16384, NULL));
    OK(JetInit(&instance));
    OK(JetBeginSessionA(instance, &session, NULL, NULL));
    OK(JetCreateDatabaseA(session, "/a/a.edb", NULL, &database, 0));
    OK(JetCreateTableA(session, database, "t", 1, 80, &table));
    OK(JetAddColumnA(session, table, "data", &definition, NULL, 0, &column));
    ready = done = false;
}

static void tear_down(void)
{
    OK(JetTerm2(instance, JET_bitTermComplete));
    assert_int_equal(EsentHostReset(NULL, 0), 0);
}

static JET_ERR add_row(void)
{
    static uint8_t bytes[1500];
    JET_ERR err = JetBeginTransaction(session);
    if (err >= JET_errSuccess)
        err = JetPrepareUpdate(session, table, JET_prepInsert);
    if (err >= JET_errSuccess)
        err = JetSetColumn(session, table, column, bytes, sizeof bytes, 0, NULL);
    if (err >= JET_errSuccess)
        err = JetUpdate(session, table, NULL, 0, NULL);
    return err < JET_errSuccess ? err : JetCommitTransaction(session, 0);
}

static void writer(void *context)
{
    (void)context;
    for (int i = 0; i < 40; i++)
        assert_int_equal(add_row(), JET_errSuccess);
    done = true;
}

static void stream(void)
{
    static _Alignas(4096) uint8_t buffer[BUFFER];
    JET_HANDLE handle;
    uint32_t low, high, got = 1;
    OK(JetOpenFileInstanceA(instance, "/a/a.edb", &handle, &low, &high));
    while (got != 0)
        OK(JetReadFileInstance(instance, handle, buffer, BUFFER, &got));
    OK(JetCloseFileInstance(instance, handle));
}

static void run_both(void (*one)(void *), void (*other)(void *))
{
    struct ESENT_HOST_THREAD *threads[2];
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        set_up(seed);
        OK(EsentHostThreadStart(one, NULL, &threads[0]));
        OK(EsentHostThreadStart(other, NULL, &threads[1]));
        EsentHostThreadJoin(threads[0]);
        EsentHostThreadJoin(threads[1]);
        tear_down();
    }
}

/* --- reading while pages are written --- */

static void reader(void *context)
{
    (void)context;
    OK(JetBeginExternalBackupInstance(instance, 0));
    do
        stream();
    while (!done);
    OK(JetEndExternalBackupInstance2(instance, JET_bitBackupEndAbort));
}

static void pages_are_written_while_others_are_read(void **state)
{
    (void)state;
    run_both(writer, reader);
}

/* --- calls of one backup from two threads --- */

static void asker(void *context)
{
    (void)context;
    while (!done) {
        char list[200];
        const JET_ERR err = JetGetAttachInfoInstanceA(instance, list, sizeof list, NULL);
        assert_true(err == JET_errSuccess || err == JET_errNoBackup || err == JET_errInvalidBackupSequence);
    }
}

static void backuper(void *context)
{
    (void)context;
    for (int i = 0; i < ROUNDS; i++) {
        OK(JetBeginExternalBackupInstance(instance, 0));
        stream();
        OK(JetEndExternalBackupInstance2(instance, JET_bitBackupEndAbort));
    }
    done = true;
}

static void two_threads_share_a_backup(void **state)
{
    (void)state;
    run_both(backuper, asker);
}

/* --- attaching while a backup begins --- */

/* Tries until no backup is in the way. */
static JET_ERR patiently(JET_SESID own, JET_ERR (*act)(JET_SESID own))
{
    JET_ERR err;
    while ((err = act(own)) == JET_errBackupInProgress && !done)
        EsentHostYield();
    return err;
}

static JET_ERR create(JET_SESID own)
{
    JET_DBID database;
    const JET_ERR err = JetCreateDatabaseA(own, "/a/b.edb", NULL, &database, 0);
    return err < JET_errSuccess ? err : JetCloseDatabase(own, database, 0);
}

static JET_ERR detach(JET_SESID own)
{
    return JetDetachDatabaseA(own, "/a/b.edb");
}

static JET_ERR attach(JET_SESID own)
{
    return JetAttachDatabaseA(own, "/a/b.edb", 0);
}

static void attacher(void *context)
{
    (void)context;
    JET_SESID own;
    OK(JetBeginSessionA(instance, &own, NULL, NULL));
    JET_ERR err = create(own);
    ready = true;
    while (err == JET_errSuccess && !done) {
        err = patiently(own, detach);
        if (err == JET_errSuccess)
            err = patiently(own, attach);
    }
    assert_true(err == JET_errSuccess || err == JET_errBackupInProgress);
    OK(JetEndSession(own, 0));
}

/* The databases of a backup stay the same from its begin to its end. */
static void lister(void *context)
{
    (void)context;
    while (!ready)
        EsentHostYield();
    for (int i = 0; i < 2 * ROUNDS; i++) {
        char list[2][200];
        uint32_t size[2];
        OK(JetBeginExternalBackupInstance(instance, 0));
        OK(JetGetAttachInfoInstanceA(instance, list[0], sizeof list[0], &size[0]));
        for (int k = 0; k < 20; k++)
            EsentHostYield();
        OK(JetGetAttachInfoInstanceA(instance, list[1], sizeof list[1], &size[1]));
        assert_int_equal(size[0], size[1]);
        assert_memory_equal(list[0], list[1], size[0]);
        attached_seen += size[0] > 12;
        OK(JetEndExternalBackupInstance2(instance, JET_bitBackupEndAbort));
        for (int k = 0; k < 20; k++)
            EsentHostYield();
    }
    done = true;
}

static void attaches_and_backups_take_turns(void **state)
{
    (void)state;
    run_both(attacher, lister);
    assert_true(attached_seen > 0);
}

/* --- a freeze --- */

static void committer(void *context)
{
    (void)context;
    assert_int_equal(add_row(), JET_errSuccess);
    done = true;
}

static void a_frozen_log_holds_commits_up(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        JET_OSSNAPID id;
        uint32_t count;
        JET_INSTANCE_INFO_A *info;
        struct ESENT_HOST_THREAD *thread;
        set_up(seed);
        OK(JetOSSnapshotPrepare(&id, 0));
        OK(JetOSSnapshotFreezeA(id, &count, &info, 0));
        OK(JetFreeBuffer((char *)info));
        const uint64_t before = os_clock_ticks();
        OK(EsentHostThreadStart(committer, NULL, &thread));
        for (int i = 0; i < 3000; i++)
            EsentHostYield();
        assert_false(done);
        OK(JetOSSnapshotThaw(id, 0));
        EsentHostThreadJoin(thread);
        assert_true(done);
        assert_true(os_clock_ticks() - before < 1000); /* woken by the thaw, not by the end of the time */
        tear_down();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pages_are_written_while_others_are_read),
        cmocka_unit_test(two_threads_share_a_backup),
        cmocka_unit_test(attaches_and_backups_take_turns),
        cmocka_unit_test(a_frozen_log_holds_commits_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
