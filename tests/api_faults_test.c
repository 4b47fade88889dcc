/* Each allocation and each file operation of a working life fails once: tables, rows, long values,
 * transactions, a temporary table, a streaming backup. Every call answers a code, nothing is leaked, the next
 * start recovers what was committed, and the database is whole. */
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

#define ROWS 12
#define FIRST_BATCH 8 /* rows of the first committed transaction */

/* Leaves through `done` at the first error. */
#define STEP(call)                                                                                           \
    do {                                                                                                     \
        if ((err = (call)) < JET_errSuccess)                                                                 \
            goto done;                                                                                       \
    } while (0)

static uint8_t value[5000];
static uint8_t chunk[65536] __attribute__((aligned(4096)));

struct life {
    JET_INSTANCE instance;
    JET_SESID session;
    JET_DBID database;
    JET_TABLEID table;
    JET_COLUMNID id;
    JET_COLUMNID text;
    JET_COLUMNID data;
    int committed; /* rows whose commit was answered with success */
};

static bool setup_world(void)
{
    struct ESENT_HOST_SIMULATION simulation = {.seed = 1, .scheduler = ESENT_HOST_SCHEDULE_FIFO};
    (void)EsentHostReset(NULL, 0);
    return EsentHostUseMemoryFiles() == JET_errSuccess &&
           EsentHostUseSimulation(&simulation) == JET_errSuccess &&
           EsentHostDirectoryCreate("a") == JET_errSuccess;
}

static JET_ERR start(struct life *life)
{
    JET_ERR err;
    life->instance = JET_instanceNil;
    STEP(JetCreateInstanceA(&life->instance, "a"));
    STEP(JetSetSystemParameterA(&life->instance, JET_sesidNil, JET_paramLogFilePath, 0, "a/"));
    STEP(JetSetSystemParameterA(&life->instance, JET_sesidNil, JET_paramSystemPath, 0, "a/"));
    STEP(JetSetSystemParameterA(&life->instance, JET_sesidNil, JET_paramTempPath, 0, "a/"));
    STEP(JetSetSystemParameterA(&life->instance, JET_sesidNil, JET_paramLogFileSize, 128, NULL));
    STEP(JetInit(&life->instance));
    STEP(JetBeginSessionA(life->instance, &life->session, NULL, NULL));
done:
    return err;
}

static JET_ERR end(struct life *life)
{
    if (life->instance == JET_instanceNil || life->instance == 0)
        return JET_errSuccess;
    JET_ERR err = JetTerm2(life->instance, JET_bitTermComplete);
    if (err == JET_errTooManyActiveUsers || err == JET_errBackupInProgress)
        err = JetTerm2(life->instance, JET_bitTermDirty);
    return err == JET_errDirtyShutdown ? JET_errSuccess : err;
}

static JET_ERR make_table(struct life *life)
{
    JET_ERR err;
    JET_COLUMNDEF number = {
        .cbStruct = sizeof(number), .coltyp = JET_coltypLong, .grbit = JET_bitColumnFixed};
    JET_COLUMNDEF text = {.cbStruct = sizeof(text), .coltyp = JET_coltypText, .cp = 1252, .cbMax = 50};
    JET_COLUMNDEF data = {.cbStruct = sizeof(data), .coltyp = JET_coltypLongBinary};
    STEP(JetBeginTransaction(life->session));
    STEP(JetCreateTableA(life->session, life->database, "t", 0, 80, &life->table));
    STEP(JetAddColumnA(life->session, life->table, "id", &number, NULL, 0, &life->id));
    STEP(JetAddColumnA(life->session, life->table, "text", &text, NULL, 0, &life->text));
    STEP(JetAddColumnA(life->session, life->table, "data", &data, NULL, 0, &life->data));
    STEP(JetCreateIndexA(life->session, life->table, "pk", JET_bitIndexPrimary, "+id\0", 5, 80));
    STEP(JetCreateIndexA(life->session, life->table, "x", 0, "+text\0", 7, 80));
    STEP(JetCommitTransaction(life->session, 0));
done:
    return err;
}

static JET_ERR insert(struct life *life, int32_t id)
{
    JET_ERR err;
    char text[20];
    (void)snprintf(text, sizeof(text), "row %d", (int)id % 5);
    STEP(JetPrepareUpdate(life->session, life->table, JET_prepInsert));
    STEP(JetSetColumn(life->session, life->table, life->id, &id, sizeof(id), 0, NULL));
    STEP(JetSetColumn(life->session, life->table, life->text, text, (uint32_t)strlen(text), 0, NULL));
    STEP(JetSetColumn(life->session, life->table, life->data, value, id % 3 == 0 ? 3000 : 100, 0, NULL));
    STEP(JetUpdate(life->session, life->table, NULL, 0, NULL));
done:
    return err;
}

static JET_ERR work_on_rows(struct life *life)
{
    JET_ERR err;
    STEP(JetBeginTransaction(life->session));
    for (int32_t id = 1; id <= FIRST_BATCH; id++)
        STEP(insert(life, id));
    STEP(JetCommitTransaction(life->session, 0));
    life->committed = FIRST_BATCH;
    /* One that is taken back. */
    STEP(JetBeginTransaction(life->session));
    STEP(insert(life, 100));
    STEP(JetMove(life->session, life->table, (int32_t)JET_MoveFirst, 0));
    STEP(JetDelete(life->session, life->table));
    STEP(JetRollback(life->session, 0));
    /* And one that replaces. */
    STEP(JetBeginTransaction(life->session));
    for (int32_t id = FIRST_BATCH + 1; id <= ROWS; id++)
        STEP(insert(life, id));
    STEP(JetMove(life->session, life->table, (int32_t)JET_MoveFirst, 0));
    STEP(JetPrepareUpdate(life->session, life->table, JET_prepReplace));
    STEP(JetSetColumn(life->session, life->table, life->text, "other", 5, 0, NULL));
    STEP(JetSetColumn(life->session, life->table, life->data, value, sizeof(value), 0, NULL));
    STEP(JetUpdate(life->session, life->table, NULL, 0, NULL));
    STEP(JetCommitTransaction(life->session, 0));
    life->committed = ROWS;
done:
    return err;
}

static JET_ERR use_temporary_table(struct life *life)
{
    JET_ERR err;
    JET_COLUMNDEF column = {.cbStruct = sizeof(column),
                            .coltyp = JET_coltypLong,
                            .grbit = JET_bitColumnTTKey | JET_bitColumnFixed};
    JET_COLUMNID id;
    JET_TABLEID table;
    STEP(JetOpenTempTable(life->session, &column, 1, JET_bitTTIndexed | JET_bitTTUpdatable, &table, &id));
    STEP(JetBeginTransaction(life->session));
    for (int32_t i = 0; i < 5; i++) {
        STEP(JetPrepareUpdate(life->session, table, JET_prepInsert));
        STEP(JetSetColumn(life->session, table, id, &i, sizeof(i), 0, NULL));
        STEP(JetUpdate(life->session, table, NULL, 0, NULL));
    }
    STEP(JetCommitTransaction(life->session, 0));
    STEP(JetMove(life->session, table, (int32_t)JET_MoveFirst, 0));
    STEP(JetCloseTable(life->session, table));
done:
    return err;
}

static JET_ERR stream(struct life *life, const char *path)
{
    JET_ERR err;
    JET_HANDLE file;
    uint32_t low;
    uint32_t high;
    uint32_t done_bytes;
    STEP(JetOpenFileInstanceA(life->instance, (char *)(uintptr_t)path, &file, &low, &high));
    do {
        STEP(JetReadFileInstance(life->instance, file, chunk, sizeof(chunk), &done_bytes));
    } while (done_bytes > 0);
    STEP(JetCloseFileInstance(life->instance, file));
done:
    return err;
}

static JET_ERR back_up(struct life *life)
{
    JET_ERR err;
    static char list[4096];
    uint32_t size;
    STEP(JetBeginExternalBackupInstance(life->instance, 0));
    STEP(stream(life, "a/x.edb"));
    STEP(JetGetLogInfoInstanceA(life->instance, list, sizeof(list), &size));
    for (const char *log = list; *log != '\0'; log += strlen(log) + 1)
        STEP(stream(life, log));
    STEP(JetTruncateLogInstance(life->instance));
    STEP(JetEndExternalBackupInstance2(life->instance, JET_bitBackupEndNormal));
done:
    return err;
}

static JET_ERR live(struct life *life)
{
    JET_ERR err;
    memset(life, 0, sizeof(*life));
    STEP(start(life));
    STEP(JetCreateDatabaseA(life->session, "a/x.edb", NULL, &life->database, 0));
    STEP(make_table(life));
    STEP(work_on_rows(life));
    STEP(use_temporary_table(life));
    STEP(back_up(life));
    STEP(JetCloseTable(life->session, life->table));
    STEP(JetEndSession(life->session, 0));
done:;
    JET_ERR ended = end(life);
    return err < JET_errSuccess ? err : ended;
}

/* Rows that a new start finds, or an error. */
static JET_ERR count_rows(int *rows)
{
    JET_ERR err;
    struct life life;
    memset(&life, 0, sizeof(life));
    *rows = 0;
    STEP(start(&life));
    STEP(JetAttachDatabaseA(life.session, "a/x.edb", 0));
    STEP(JetOpenDatabaseA(life.session, "a/x.edb", NULL, &life.database, 0));
    err = JetOpenTableA(life.session, life.database, "t", NULL, 0, 0, &life.table);
    if (err == JET_errObjectNotFound)
        goto done;
    STEP(err);
    err = JetMove(life.session, life.table, (int32_t)JET_MoveFirst, 0);
    while (err >= JET_errSuccess) {
        (*rows)++;
        err = JetMove(life.session, life.table, JET_MoveNext, 0);
    }
    if (err == JET_errNoCurrentRecord)
        err = JET_errSuccess;
done:;
    JET_ERR ended = end(&life);
    if (err == JET_errFileNotFound || err == JET_errObjectNotFound)
        err = JET_errSuccess;
    return err < JET_errSuccess ? err : ended;
}

/* The first finding of a check. */
static void keep_finding(void *context, const struct ESENT_HOST_FINDING *finding)
{
    char *text = context;
    if (text[0] == '\0')
        (void)snprintf(text, 200, "%s, page %u: %s", finding->kind, (unsigned)finding->page, finding->text);
}

/* True if all was well. */
static bool judge(const char *name, uint64_t nth, JET_ERR answer, int committed)
{
    int rows;
    char report[500] = "";
    char finding[200] = "";
    JET_ERR err = count_rows(&rows);
    JET_ERR checked = EsentHostCheckDatabase("a/x.edb", keep_finding, finding);
    if (checked == JET_errFileNotFound)
        checked = JET_errSuccess;
    size_t leaks = EsentHostReset(report, sizeof(report));
    bool good = err == JET_errSuccess && checked == JET_errSuccess && leaks == 0 &&
                (rows == committed || (rows == FIRST_BATCH && committed == 0) || rows == ROWS);
    if (!good)
        print_message("%s %llu: answer %d; then start %d, rows %d of %d, check %d %s, left %zu %s\n", name,
                      (unsigned long long)nth, (int)answer, (int)err, rows, committed, (int)checked, finding,
                      leaks, report);
    return good;
}

static void fails_once(enum ESENT_HOST_FAULT kind)
{
    const char *name = EsentHostFaultName(kind);
    const char *only = getenv("ONLY");
    int bad = 0;
    int most_bad = getenv("ALL") != NULL ? 10000 : 10;
    for (uint64_t nth = only != NULL ? (uint64_t)atoi(only) : 1;; nth++) {
        struct life life;
        assert_true(setup_world());
        EsentHostResetCounters();
        EsentHostFailNth(kind, nth, 1);
        JET_ERR err = live(&life);
        uint64_t failures = EsentHostCountFailures(kind);
        EsentHostFailNone();
        if (failures == 0) {
            assert_int_equal(err, JET_errSuccess);
            assert_int_equal(life.committed, ROWS);
            print_message("%s: %llu points, %d bad\n", name, (unsigned long long)nth - 1, bad);
            assert_true(judge(name, nth, err, ROWS));
            break;
        }
        if (!judge(name, nth, err, life.committed) && ++bad >= most_bad)
            fail();
        if (only != NULL)
            break;
    }
    assert_int_equal(bad, 0);
}

#define FAULT_TEST(name, kind)                                                                               \
    static void name(void **state)                                                                           \
    {                                                                                                        \
        (void)state;                                                                                         \
        fails_once(kind);                                                                                    \
    }

FAULT_TEST(allocations, ESENT_HOST_FAULT_ALLOCATE)
FAULT_TEST(file_operations, ESENT_HOST_FAULT_IO)
FAULT_TEST(full_disk, ESENT_HOST_FAULT_DISK_FULL)
FAULT_TEST(short_writes, ESENT_HOST_FAULT_SHORT_WRITE)
FAULT_TEST(syncs, ESENT_HOST_FAULT_SYNC)

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(allocations),  cmocka_unit_test(file_operations), cmocka_unit_test(full_disk),
        cmocka_unit_test(short_writes), cmocka_unit_test(syncs),
    };
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
