/* Backups under real threads: while one thread writes, others back up, stop, truncate and take snapshots; and
 * what a backup into a directory restores to. For the thread sanitizer above all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "include/esent.h"
#include "include/esent_host.h"

#define BUFFER (1u << 18)
#define ROWS_AT_ONCE 5u
#define BACKUPS 12
#define ROW_BYTES 120u

static JET_INSTANCE the_instance;
static atomic_bool go_on;
static atomic_uint committed; /* rows that are durable */
static atomic_int unexpected;

#define OK(call) assert_int_equal((call), JET_errSuccess)

static int setup(void **state)
{
    (void)state;
    (void)EsentHostReset(NULL, 0);
    if (EsentHostUseMemoryFiles() != JET_errSuccess || EsentHostUseThreads() != JET_errSuccess)
        return -1;
    atomic_store(&go_on, true);
    atomic_store(&committed, 0);
    atomic_store(&unexpected, 0);
    return EsentHostDirectoryCreate("/a") == JET_errSuccess ? 0 : -1;
}

static int teardown(void **state)
{
    char report[1000] = "";
    (void)state;
    const size_t left = EsentHostReset(report, sizeof report);
    if (left > 0)
        print_message("left: %s\n", report);
    return left == 0 ? 0 : -1;
}

static void make_instance(void)
{
    the_instance = JET_instanceNil;
    OK(JetCreateInstanceA(&the_instance, "threads"));
    OK(JetSetSystemParameterA(&the_instance, 0, JET_paramLogFilePath, 0, "/a/"));
    OK(JetSetSystemParameterA(&the_instance, 0, JET_paramSystemPath, 0, "/a/"));
    OK(JetSetSystemParameterA(&the_instance, 0, JET_paramTempPath, 0, "/a/"));
    OK(JetSetSystemParameterA(&the_instance, 0, JET_paramLogFileSize, 128, NULL));
}

static void make_database(void)
{
    static const char key[] = "+id\0";
    JET_SESID session;
    JET_DBID database;
    JET_TABLEID table;
    JET_COLUMNID column;
    JET_COLUMNDEF definition = {.cbStruct = sizeof definition, .coltyp = JET_coltypLong};
    OK(JetBeginSessionA(the_instance, &session, NULL, NULL));
    OK(JetCreateDatabaseA(session, "/a/a.edb", NULL, &database, 0));
    OK(JetBeginTransaction(session));
    OK(JetCreateTableA(session, database, "t", 1, 80, &table));
    OK(JetAddColumnA(session, table, "id", &definition, NULL, 0, &column));
    definition.coltyp = JET_coltypLongBinary;
    OK(JetAddColumnA(session, table, "data", &definition, NULL, 0, &column));
    OK(JetCreateIndexA(session, table, "id", JET_bitIndexPrimary, key, sizeof key, 80));
    OK(JetCloseTable(session, table));
    OK(JetCommitTransaction(session, 0));
    OK(JetEndSession(session, 0));
}

static bool expected(JET_ERR err, const JET_ERR *others, size_t count, const char *what)
{
    if (err >= JET_errSuccess)
        return true;
    for (size_t i = 0; i < count; i++) {
        if (others[i] == err)
            return false;
    }
    print_error("%s: %d\n", what, (int)err);
    atomic_fetch_add(&unexpected, 1);
    return false;
}

/* --- the writer --- */

static JET_ERR open_table(JET_SESID session, JET_DBID *database, JET_TABLEID *table)
{
    JET_ERR err = JetOpenDatabaseA(session, "/a/a.edb", NULL, database, 0);
    return err < JET_errSuccess ? err : JetOpenTableA(session, *database, "t", NULL, 0, 0, table);
}

static JET_ERR insert(JET_SESID session, JET_TABLEID table, const JET_COLUMNID columns[2], int32_t id)
{
    uint8_t data[ROW_BYTES];
    memset(data, id & 0xff, sizeof data);
    JET_ERR err = JetPrepareUpdate(session, table, JET_prepInsert);
    if (err >= JET_errSuccess)
        err = JetSetColumn(session, table, columns[0], &id, sizeof id, 0, NULL);
    if (err >= JET_errSuccess)
        err = JetSetColumn(session, table, columns[1], data, sizeof data, 0, NULL);
    return err < JET_errSuccess ? err : JetUpdate(session, table, NULL, 0, NULL);
}

static JET_ERR find_columns(JET_SESID session, JET_TABLEID table, JET_COLUMNID columns[2])
{
    static const char *const names[2] = {"id", "data"};
    for (int i = 0; i < 2; i++) {
        JET_COLUMNDEF definition;
        JET_ERR err =
            JetGetTableColumnInfoA(session, table, names[i], &definition, sizeof definition, JET_ColInfo);
        if (err < JET_errSuccess)
            return err;
        columns[i] = definition.columnid;
    }
    return JET_errSuccess;
}

static JET_ERR write_rows(JET_SESID session)
{
    JET_DBID database;
    JET_TABLEID table;
    JET_COLUMNID columns[2];
    JET_ERR err = open_table(session, &database, &table);
    if (err >= JET_errSuccess)
        err = find_columns(session, table, columns);
    for (uint32_t next = 0; err >= JET_errSuccess && atomic_load(&go_on); next += ROWS_AT_ONCE) {
        err = JetBeginTransaction(session);
        for (uint32_t i = 0; i < ROWS_AT_ONCE && err >= JET_errSuccess; i++)
            err = insert(session, table, columns, (int32_t)(next + i));
        if (err >= JET_errSuccess)
            err = JetCommitTransaction(session, 0);
        if (err >= JET_errSuccess)
            atomic_store(&committed, next + ROWS_AT_ONCE);
    }
    return err;
}

static void writer(void *context)
{
    JET_SESID session;
    (void)context;
    JET_ERR err = JetBeginSessionA(the_instance, &session, NULL, NULL);
    if (err >= JET_errSuccess) {
        err = write_rows(session);
        (void)JetEndSession(session, 0);
    }
    (void)expected(err, NULL, 0, "write");
}

/* --- who backs up --- */

static JET_ERR stream(const char *name, uint8_t *buffer)
{
    JET_HANDLE handle;
    uint32_t low, high, got = 1;
    JET_ERR err = JetOpenFileInstanceA(the_instance, name, &handle, &low, &high);
    if (err < JET_errSuccess)
        return err;
    while (err >= JET_errSuccess && got != 0)
        err = JetReadFileInstance(the_instance, handle, buffer, BUFFER, &got);
    const JET_ERR closed = JetCloseFileInstance(the_instance, handle);
    return err < JET_errSuccess ? err : closed;
}

static JET_ERR backup(uint8_t *buffer)
{
    char list[8192];
    JET_ERR err = stream("/a/a.edb", buffer);
    if (err >= JET_errSuccess)
        err = JetGetLogInfoInstanceA(the_instance, list, sizeof list, NULL);
    for (const char *name = list; err >= JET_errSuccess && *name != 0; name += strlen(name) + 1)
        err = stream(name, buffer);
    if (err >= JET_errSuccess)
        err = JetTruncateLogInstance(the_instance);
    return err;
}

/* Refused because another one is at it, or stopped. */
static const JET_ERR backup_errors[] = {
    JET_errBackupInProgress,      JET_errBackupAbortByServer, JET_errNoBackup,
    JET_errInvalidBackupSequence, JET_errLogFileNotCopied,    JET_errOSSnapshotInvalidSequence,
    JET_errOSSnapshotNotAllowed,  JET_errOSSnapshotTimeOut};
#define BACKUP_ERRORS backup_errors, sizeof backup_errors / sizeof backup_errors[0]

static void backuper(void *context)
{
    uint8_t *buffer = aligned_alloc(4096, BUFFER);
    (void)context;
    for (int i = 0; i < BACKUPS && buffer != NULL; i++) {
        if (!expected(JetBeginExternalBackupInstance(the_instance, 0), BACKUP_ERRORS, "begin"))
            continue;
        const bool good = expected(backup(buffer), BACKUP_ERRORS, "backup");
        const JET_GRBIT how = good ? JET_bitBackupEndNormal : JET_bitBackupEndAbort;
        (void)expected(JetEndExternalBackupInstance2(the_instance, how), BACKUP_ERRORS, "end");
    }
    free(buffer);
}

static void stopper(void *context)
{
    (void)context;
    while (atomic_load(&go_on)) {
        (void)JetStopBackupInstance(the_instance);
        EsentHostSleep(7);
    }
}

static void snapshotter(void *context)
{
    (void)context;
    while (atomic_load(&go_on)) {
        JET_OSSNAPID id;
        uint32_t count;
        JET_INSTANCE_INFO_A *info = NULL;
        if (expected(JetOSSnapshotPrepare(&id, 0), BACKUP_ERRORS, "prepare")) {
            if (expected(JetOSSnapshotFreezeA(id, &count, &info, 0), BACKUP_ERRORS, "freeze")) {
                (void)JetFreeBuffer((char *)info);
                (void)expected(JetOSSnapshotThaw(id, 0), BACKUP_ERRORS, "thaw");
            } else {
                (void)JetOSSnapshotAbort(id, 0);
            }
        }
        EsentHostSleep(3);
    }
}

static void meet(enum ESENT_HOST_PROFILE profile)
{
    struct ESENT_HOST_THREAD *threads[5];
    OK(EsentHostSetProfile(profile));
    make_instance();
    OK(JetInit(&the_instance));
    make_database();
    OK(EsentHostThreadStart(writer, NULL, &threads[0]));
    OK(EsentHostThreadStart(stopper, NULL, &threads[1]));
    OK(EsentHostThreadStart(snapshotter, NULL, &threads[2]));
    OK(EsentHostThreadStart(backuper, NULL, &threads[3]));
    OK(EsentHostThreadStart(backuper, NULL, &threads[4]));
    EsentHostThreadJoin(threads[3]);
    EsentHostThreadJoin(threads[4]);
    atomic_store(&go_on, false);
    for (int i = 0; i < 3; i++)
        EsentHostThreadJoin(threads[i]);
    OK(JetTerm2(the_instance, JET_bitTermComplete));
    assert_int_equal(atomic_load(&unexpected), 0);
}

static void backups_and_stops_and_snapshots_meet(void **state)
{
    (void)state;
    meet(ESENT_HOST_DOCUMENTED);
}

static void they_meet_in_the_published_engine(void **state)
{
    (void)state;
    meet(ESENT_HOST_PUBLISHED);
}

/* --- what a backup restores to --- */

static uint32_t count_rows(void)
{
    JET_SESID session;
    JET_DBID database;
    JET_TABLEID table;
    JET_COLUMNID columns[2];
    uint32_t count = 0;
    OK(JetBeginSessionA(the_instance, &session, NULL, NULL));
    assert_true(JetAttachDatabaseA(session, "/a/a.edb", 0) >= JET_errSuccess);
    OK(open_table(session, &database, &table));
    OK(find_columns(session, table, columns));
    for (JET_ERR err = JetMove(session, table, (int32_t)JET_MoveFirst, 0); err != JET_errNoCurrentRecord;
         err = JetMove(session, table, JET_MoveNext, 0)) {
        int32_t id;
        uint8_t data[ROW_BYTES];
        uint32_t got;
        OK(err);
        OK(JetRetrieveColumn(session, table, columns[0], &id, sizeof id, NULL, 0, NULL));
        OK(JetRetrieveColumn(session, table, columns[1], data, sizeof data, &got, 0, NULL));
        assert_int_equal(id, count);
        assert_int_equal(got, sizeof data);
        for (uint32_t i = 0; i < sizeof data; i++)
            assert_int_equal(data[i], id & 0xff);
        count++;
    }
    return count;
}

static void a_backup_under_load_restores(void **state)
{
    struct ESENT_HOST_THREAD *thread;
    (void)state;
    make_instance();
    OK(JetInit(&the_instance));
    make_database();
    OK(EsentHostThreadStart(writer, NULL, &thread));
    while (atomic_load(&committed) < 300)
        EsentHostSleep(1);
    const uint32_t before = atomic_load(&committed);
    OK(EsentHostDirectoryCreate("/bk"));
    OK(JetBackupInstanceA(the_instance, "/bk", 0, NULL));
    const uint32_t after = atomic_load(&committed);
    while (atomic_load(&committed) < after + 100)
        EsentHostSleep(1);
    atomic_store(&go_on, false);
    EsentHostThreadJoin(thread);
    OK(JetTerm2(the_instance, JET_bitTermAbrupt));
    /* Without the logs written since, the backup's end is what comes back. */
    OK(EsentHostDirectoryDelete("/a"));
    OK(EsentHostDirectoryCreate("/a"));
    make_instance();
    OK(JetRestoreInstanceA(the_instance, "/bk", NULL, NULL));
    OK(JetInit(&the_instance));
    const uint32_t rows = count_rows();
    assert_true(rows >= before && rows <= after + ROWS_AT_ONCE && rows % ROWS_AT_ONCE == 0);
    OK(JetTerm2(the_instance, JET_bitTermComplete));
    assert_int_equal(atomic_load(&unexpected), 0);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(backups_and_stops_and_snapshots_meet, setup, teardown),
        cmocka_unit_test_setup_teardown(they_meet_in_the_published_engine, setup, teardown),
        cmocka_unit_test_setup_teardown(a_backup_under_load_restores, setup, teardown),
    };
    (void)argc;
    (void)argv;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
