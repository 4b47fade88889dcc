/* Each allocation and each file operation of a backup fails once: a call answers a code, nothing is leaked,
 * no row is lost, the next backup is a good one; and a backup or restore that says it is good is good. */
#include <setjmp.h>
#include <stdarg.h>
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
#define ROWS 60u
#define DATABASE "/a/a.edb"

static JET_INSTANCE the_instance;
static unsigned forgiven; /* failures in spite of which the operation succeeded */
static uint8_t *buffer;

#define OK(call) assert_int_equal((call), JET_errSuccess)
#define TRY(call)                                                                                            \
    do {                                                                                                     \
        const JET_ERR err_ = (call);                                                                         \
        if (err_ < JET_errSuccess)                                                                           \
            return err_;                                                                                     \
    } while (0)

/* --- a world --- */

static JET_ERR make_instance(void)
{
    the_instance = JET_instanceNil;
    TRY(JetCreateInstanceA(&the_instance, "faults"));
    TRY(JetSetSystemParameterA(&the_instance, 0, JET_paramLogFilePath, 0, "/a/"));
    TRY(JetSetSystemParameterA(&the_instance, 0, JET_paramSystemPath, 0, "/a/"));
    TRY(JetSetSystemParameterA(&the_instance, 0, JET_paramTempPath, 0, "/a/"));
    return JetSetSystemParameterA(&the_instance, 0, JET_paramLogFileSize, 128, NULL);
}

static JET_ERR attach(JET_SESID *session, JET_DBID *database)
{
    TRY(JetBeginSessionA(the_instance, session, NULL, NULL));
    TRY(JetAttachDatabaseA(*session, DATABASE, 0));
    return JetOpenDatabaseA(*session, DATABASE, NULL, database, 0);
}

static void fill(void)
{
    JET_SESID session;
    JET_DBID database;
    JET_TABLEID table;
    JET_COLUMNID column;
    const JET_COLUMNDEF definition = {.cbStruct = sizeof definition, .coltyp = JET_coltypLong};
    OK(JetBeginSessionA(the_instance, &session, NULL, NULL));
    OK(JetCreateDatabaseA(session, DATABASE, NULL, &database, 0));
    OK(JetCreateTableA(session, database, "t", 1, 80, &table));
    OK(JetAddColumnA(session, table, "id", &definition, NULL, 0, &column));
    for (uint32_t i = 0; i < ROWS; i++) {
        OK(JetPrepareUpdate(session, table, JET_prepInsert));
        OK(JetSetColumn(session, table, column, &i, sizeof i, 0, NULL));
        OK(JetUpdate(session, table, NULL, 0, NULL));
    }
    OK(JetEndSession(session, 0));
}

static void rows_are_there(const char *what, uint64_t nth)
{
    JET_SESID session;
    JET_DBID database;
    JET_TABLEID table;
    uint32_t count = 0;
    JET_ERR err = attach(&session, &database);
    if (err >= JET_errSuccess)
        err = JetOpenTableA(session, database, "t", NULL, 0, 0, &table);
    if (err >= JET_errSuccess)
        err = JetIndexRecordCount(session, table, &count, 0);
    if (err < JET_errSuccess || count != ROWS) {
        print_message("%s %llu: %u rows, %d\n", what, (unsigned long long)nth, count, (int)err);
        fail();
    }
    OK(JetEndSession(session, 0));
}

/* The disk's state 1: a database with rows, and a good backup of it. */
static void make_world(void)
{
    const struct ESENT_HOST_SIMULATION simulation = {.seed = 1, .scheduler = ESENT_HOST_SCHEDULE_FIFO};
    (void)EsentHostReset(NULL, 0);
    OK(EsentHostUseMemoryFiles());
    OK(EsentHostUseSimulation(&simulation));
    OK(EsentHostDirectoryCreate("/a"));
    OK(EsentHostDirectoryCreate("/good"));
    OK(EsentHostDirectoryCreate("/bk"));
    OK(make_instance());
    OK(JetInit(&the_instance));
    fill();
    OK(JetBackupInstanceA(the_instance, "/good", 0, NULL));
    OK(JetTerm2(the_instance, JET_bitTermComplete));
}

/* Whether the code fits what failed. A log that could not be written is down. */
static bool tells(enum ESENT_HOST_FAULT kind, JET_ERR err)
{
    switch (kind) {
    case ESENT_HOST_FAULT_ALLOCATE:
        return err == JET_errOutOfMemory || err == JET_errLogWriteFail;
    case ESENT_HOST_FAULT_DISK_FULL:
        return err == JET_errDiskFull || err == JET_errLogDiskFull || err == JET_errLogWriteFail;
    case ESENT_HOST_FAULT_NAME:
        return err == JET_errFileAccessDenied || err == JET_errMakeBackupDirectoryFail ||
               err == JET_errLogWriteFail;
    case ESENT_HOST_FAULT_OPEN:
        return err == JET_errFileAccessDenied || err == JET_errAccessDenied || err == JET_errLogWriteFail;
    default:
        return err == JET_errDiskIO || err == JET_errLogWriteFail;
    }
}

/* --- what is done --- */

static JET_ERR stream(const char *name)
{
    JET_HANDLE handle;
    uint32_t low, high, got = 1;
    JET_ERR err = JET_errSuccess;
    TRY(JetOpenFileInstanceA(the_instance, name, &handle, &low, &high));
    while (err >= JET_errSuccess && got != 0)
        err = JetReadFileInstance(the_instance, handle, buffer, BUFFER, &got);
    const JET_ERR closed = JetCloseFileInstance(the_instance, handle);
    return err < JET_errSuccess ? err : closed;
}

static JET_ERR streams(void)
{
    char list[4096];
    TRY(stream(DATABASE));
    TRY(JetGetLogInfoInstanceA(the_instance, list, sizeof list, NULL));
    for (const char *name = list; *name != 0; name += strlen(name) + 1)
        TRY(stream(name));
    return JetTruncateLogInstance(the_instance);
}

static JET_ERR streaming(void)
{
    TRY(JetBeginExternalBackupInstance(the_instance, 0));
    const JET_ERR err = streams();
    const JET_ERR end = JetEndExternalBackupInstance2(
        the_instance, err < JET_errSuccess ? JET_bitBackupEndAbort : JET_bitBackupEndNormal);
    return err < JET_errSuccess ? err : end;
}

static JET_ERR directory(void)
{
    return JetBackupInstanceA(the_instance, "/bk", 0, NULL);
}

static JET_ERR atomic_directory(void)
{
    return JetBackupInstanceA(the_instance, "/bk", JET_bitBackupAtomic, NULL);
}

static JET_ERR snapshot(void)
{
    JET_OSSNAPID id;
    uint32_t count;
    JET_INSTANCE_INFO_A *info = NULL;
    TRY(JetOSSnapshotPrepare(&id, 0));
    JET_ERR err = JetOSSnapshotFreezeA(id, &count, &info, 0);
    if (err < JET_errSuccess) {
        (void)JetOSSnapshotAbort(id, 0);
        return err;
    }
    (void)JetFreeBuffer((char *)info);
    err = JetOSSnapshotThaw(id, 0);
    if (err < JET_errSuccess)
        (void)JetOSSnapshotAbort(id, 0);
    return err;
}

static void restore_good(const char *from, const char *what, uint64_t nth)
{
    OK(EsentHostDirectoryDelete("/a"));
    OK(EsentHostDirectoryCreate("/a"));
    OK(make_instance());
    JET_ERR err = JetRestoreInstanceA(the_instance, from, NULL, NULL);
    if (err >= JET_errSuccess)
        err = JetInit(&the_instance);
    if (err < JET_errSuccess) {
        print_message("%s %llu: a good backup restores with %d\n", what, (unsigned long long)nth, (int)err);
        fail();
    }
    rows_are_there(what, nth);
    OK(JetTerm2(the_instance, JET_bitTermComplete));
}

/* The instance runs on with all its rows, after a new start at the latest, and backs up again. */
static void life_goes_on(const char *what, uint64_t nth)
{
    (void)JetTerm2(the_instance, JET_bitTermComplete | JET_bitTermStopBackup);
    OK(make_instance());
    const JET_ERR err = JetInit(&the_instance);
    if (err < JET_errSuccess) {
        print_message("%s %llu: a new start answers %d\n", what, (unsigned long long)nth, (int)err);
        fail();
    }
    rows_are_there(what, nth);
    JET_SESID session;
    JET_DBID database;
    assert_true(attach(&session, &database) >= JET_errSuccess);
    OK(streaming());
    OK(JetTerm2(the_instance, JET_bitTermComplete));
}

static bool backs_up(JET_ERR (*operation)(void), const char *copy, enum ESENT_HOST_FAULT kind, uint64_t nth)
{
    const char *name = EsentHostFaultName(kind);
    JET_SESID session;
    JET_DBID database;
    OK(make_instance());
    OK(JetInit(&the_instance));
    assert_true(attach(&session, &database) >= JET_errSuccess);
    EsentHostResetCounters();
    EsentHostFailNth(kind, nth, 1);
    const JET_ERR err = operation();
    const bool over = EsentHostCountFailures(kind) == 0;
    EsentHostFailNone();
    if (over)
        OK(err);
    forgiven += !over && err >= JET_errSuccess;
    assert_true(err >= JET_errSuccess || tells(kind, err));
    life_goes_on(name, nth);
    if (err >= JET_errSuccess && copy != NULL)
        restore_good(copy, name, nth);
    return over;
}

/* A restore that failed may be done again. */
static bool restores(enum ESENT_HOST_FAULT kind, uint64_t nth)
{
    const char *name = EsentHostFaultName(kind);
    OK(EsentHostDirectoryDelete("/a"));
    OK(EsentHostDirectoryCreate("/a"));
    OK(make_instance());
    EsentHostResetCounters();
    EsentHostFailNth(kind, nth, 1);
    const JET_ERR err = JetRestoreInstanceA(the_instance, "/good", NULL, NULL);
    const bool over = EsentHostCountFailures(kind) == 0;
    EsentHostFailNone();
    if (over)
        OK(err);
    forgiven += !over && err >= JET_errSuccess;
    assert_true(err >= JET_errSuccess || tells(kind, err));
    (void)JetTerm2(the_instance, JET_bitTermComplete);
    if (err >= JET_errSuccess) {
        OK(make_instance());
        OK(JetInit(&the_instance));
        rows_are_there(name, nth);
        OK(JetTerm2(the_instance, JET_bitTermComplete));
    }
    restore_good("/good", name, nth);
    return over;
}

/* At most so many points are tried again, or not needed. */
static void fails_once(JET_ERR (*operation)(void), const char *copy, unsigned most)
{
    static const enum ESENT_HOST_FAULT kinds[] = {ESENT_HOST_FAULT_ALLOCATE,  ESENT_HOST_FAULT_OPEN,
                                                  ESENT_HOST_FAULT_READ,      ESENT_HOST_FAULT_SHORT_WRITE,
                                                  ESENT_HOST_FAULT_DISK_FULL, ESENT_HOST_FAULT_SYNC,
                                                  ESENT_HOST_FAULT_NAME};
    make_world();
    forgiven = 0;
    OK(EsentHostFilesSave(1));
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        bool over = false;
        uint64_t nth = 0;
        while (!over) {
            nth++;
            OK(EsentHostFilesRestore(1));
            over = operation != NULL ? backs_up(operation, copy, kinds[i], nth) : restores(kinds[i], nth);
        }
        print_message("%s: %llu points\n", EsentHostFaultName(kinds[i]), (unsigned long long)nth - 1);
    }
    assert_true(forgiven <= most);
    char report[1000] = "";
    const size_t left = EsentHostReset(report, sizeof report);
    if (left != 0)
        print_message("left: %s\n", report);
    assert_int_equal(left, 0);
}

static void a_streaming_backup(void **state)
{
    (void)state;
    fails_once(streaming, NULL, 13);
}

static void a_backup_into_a_directory(void **state)
{
    (void)state;
    fails_once(directory, "/bk", 13);
}

static void an_atomic_backup(void **state)
{
    (void)state;
    fails_once(atomic_directory, "/bk", 13);
}

static void a_snapshot(void **state)
{
    (void)state;
    fails_once(snapshot, NULL, 9);
}

static void a_restore(void **state)
{
    (void)state;
    fails_once(NULL, NULL, 32);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_streaming_backup), cmocka_unit_test(a_backup_into_a_directory),
        cmocka_unit_test(an_atomic_backup),   cmocka_unit_test(a_snapshot),
        cmocka_unit_test(a_restore),
    };
    buffer = aligned_alloc(4096, BUFFER);
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    const int result = buffer == NULL ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
    free(buffer);
    return result;
}
