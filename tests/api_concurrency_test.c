/* Several sessions at work on the same tables under real threads, while a backup streams, statistics are
 * asked and versions are cleaned; then an end in the middle of it. For the thread sanitizer above all; rows
 * must add up. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "include/esent.h"
#include "include/esent_host.h"

#define WRITERS 3
#define ROUNDS 40
#define ROWS_A_ROUND 5

static JET_INSTANCE instance;
static JET_COLUMNID column_id, column_owner, column_data;
static atomic_int problems;
static atomic_int writers_left;
static atomic_int rows_expected;
static atomic_bool may_be_ended; /* the instance may end under the threads */
static uint8_t value[6000];

static void complain(const char *what, JET_ERR err)
{
    print_message("%s answered %d\n", what, (int)err);
    atomic_fetch_add(&problems, 1);
}

static bool is_end(JET_ERR err)
{
    return atomic_load(&may_be_ended) &&
           (err == JET_errTermInProgress || err == JET_errInvalidSesid || err == JET_errInvalidParameter ||
            err == JET_errInvalidTableId || err == JET_errBackupAbortByServer || err == JET_errNoBackup ||
            err == JET_errNotInitialized);
}

/* False, with a complaint unless the instance is ending, if a call failed. */
#define GOOD(call)                                                                                           \
    do {                                                                                                     \
        JET_ERR answer_ = (call);                                                                            \
        if (answer_ < JET_errSuccess) {                                                                      \
            if (!is_end(answer_))                                                                            \
                complain(#call, answer_);                                                                    \
            return false;                                                                                    \
        }                                                                                                    \
    } while (0)

static void start_instance(void)
{
    (void)EsentHostReset(NULL, 0);
    assert_int_equal(EsentHostUseMemoryFiles(), JET_errSuccess);
    assert_int_equal(EsentHostUseThreads(), JET_errSuccess);
    atomic_store(&problems, 0);
    atomic_store(&rows_expected, 0);
    atomic_store(&may_be_ended, false);
    instance = JET_instanceNil;
    assert_int_equal(JetCreateInstanceA(&instance, "a"), JET_errSuccess);
    assert_int_equal(JetSetSystemParameterA(&instance, JET_sesidNil, JET_paramLogFileSize, 128, NULL), 0);
    assert_int_equal(JetInit(&instance), JET_errSuccess);
}

static void make_database(void)
{
    JET_SESID session;
    JET_DBID database;
    JET_TABLEID table;
    JET_COLUMNDEF number = {
        .cbStruct = sizeof(number), .coltyp = JET_coltypLong, .grbit = JET_bitColumnFixed};
    JET_COLUMNDEF data = {.cbStruct = sizeof(data), .coltyp = JET_coltypLongBinary};
    assert_int_equal(JetBeginSessionA(instance, &session, NULL, NULL), JET_errSuccess);
    assert_int_equal(JetCreateDatabaseA(session, "x.edb", NULL, &database, 0), JET_errSuccess);
    assert_int_equal(JetCreateTableA(session, database, "t", 0, 80, &table), JET_errSuccess);
    assert_int_equal(JetAddColumnA(session, table, "id", &number, NULL, 0, &column_id), JET_errSuccess);
    assert_int_equal(JetAddColumnA(session, table, "owner", &number, NULL, 0, &column_owner), JET_errSuccess);
    assert_int_equal(JetAddColumnA(session, table, "data", &data, NULL, 0, &column_data), JET_errSuccess);
    assert_int_equal(JetCreateIndexA(session, table, "pk", JET_bitIndexPrimary, "+id\0", 5, 80), 0);
    assert_int_equal(JetCreateIndexA(session, table, "owner", 0, "+owner\0", 8, 80), 0);
    assert_int_equal(JetEndSession(session, 0), JET_errSuccess);
}

struct writer {
    int32_t number;
    JET_SESID session;
    JET_DBID database;
    JET_TABLEID table;
};

static bool open_writer(struct writer *writer)
{
    GOOD(JetBeginSessionA(instance, &writer->session, NULL, NULL));
    GOOD(JetOpenDatabaseA(writer->session, "x.edb", NULL, &writer->database, 0));
    GOOD(JetOpenTableA(writer->session, writer->database, "t", NULL, 0, 0, &writer->table));
    return true;
}

static bool insert(const struct writer *writer, int32_t id)
{
    uint32_t size = id % 7 == 0 ? 5000 : (uint32_t)(id % 300);
    GOOD(JetPrepareUpdate(writer->session, writer->table, JET_prepInsert));
    GOOD(JetSetColumn(writer->session, writer->table, column_id, &id, sizeof(id), 0, NULL));
    GOOD(JetSetColumn(writer->session, writer->table, column_owner, &writer->number, 4, 0, NULL));
    GOOD(JetSetColumn(writer->session, writer->table, column_data, value, size, JET_bitSetZeroLength, NULL));
    GOOD(JetUpdate(writer->session, writer->table, NULL, 0, NULL));
    return true;
}

/* One transaction: some rows; every third is taken back; every fifth deletes what an earlier one put in. */
static bool write_round(const struct writer *writer, int round)
{
    int32_t first = writer->number * 100000 + round * ROWS_A_ROUND;
    int change = 0;
    GOOD(JetBeginTransaction(writer->session));
    for (int32_t i = 0; i < ROWS_A_ROUND; i++) {
        if (!insert(writer, first + i))
            return false;
        change++;
    }
    if (round % 5 == 4) {
        int32_t earlier = first - ROWS_A_ROUND;
        GOOD(JetMakeKey(writer->session, writer->table, &earlier, sizeof(earlier), JET_bitNewKey));
        JET_ERR err = JetSeek(writer->session, writer->table, JET_bitSeekEQ);
        if (err == JET_errSuccess) {
            GOOD(JetDelete(writer->session, writer->table));
            change--;
        } else if (err != JET_errRecordNotFound) {
            GOOD(err);
        }
    }
    if (round % 3 == 2) {
        GOOD(JetRollback(writer->session, 0));
    } else {
        GOOD(JetCommitTransaction(writer->session, round % 2 == 0 ? JET_bitCommitLazyFlush : 0));
        atomic_fetch_add(&rows_expected, change);
    }
    return true;
}

static bool write_all(int32_t number)
{
    struct writer writer = {.number = number};
    if (!open_writer(&writer))
        return false;
    for (int round = 0; round < ROUNDS; round++) {
        if (!write_round(&writer, round))
            return false;
    }
    GOOD(JetCloseTable(writer.session, writer.table));
    GOOD(JetEndSession(writer.session, 0));
    return true;
}

static void write_rows(void *context)
{
    (void)write_all((int32_t)(intptr_t)context);
    atomic_fetch_sub(&writers_left, 1);
}

/* Walks the table under a snapshot, forwards by one index and back by the other: the same number of rows. */
static bool read_once(const struct writer *reader)
{
    int forwards = 0;
    int backwards = 0;
    JET_ERR err;
    GOOD(JetBeginTransaction2(reader->session, JET_bitTransactionReadOnly));
    GOOD(JetSetCurrentIndexA(reader->session, reader->table, "owner"));
    for (err = JetMove(reader->session, reader->table, (int32_t)JET_MoveFirst, 0); err == JET_errSuccess;
         err = JetMove(reader->session, reader->table, JET_MoveNext, 0))
        forwards++;
    if (err != JET_errNoCurrentRecord)
        GOOD(err);
    GOOD(JetSetCurrentIndexA(reader->session, reader->table, NULL));
    for (err = JetMove(reader->session, reader->table, JET_MoveLast, 0); err == JET_errSuccess;
         err = JetMove(reader->session, reader->table, JET_MovePrevious, 0))
        backwards++;
    if (err != JET_errNoCurrentRecord)
        GOOD(err);
    GOOD(JetCommitTransaction(reader->session, 0));
    if (forwards != backwards) {
        print_message("%d rows forwards, %d backwards\n", forwards, backwards);
        atomic_fetch_add(&problems, 1);
        return false;
    }
    return true;
}

static void read_rows(void *context)
{
    struct writer reader = {.number = 0};
    uint32_t pages;
    (void)context;
    if (!open_writer(&reader))
        return;
    while (atomic_load(&writers_left) > 0) {
        if (!read_once(&reader))
            return;
        JET_ERR err = JetGetDatabaseInfoA(reader.session, reader.database, &pages, 4, JET_DbInfoSpaceOwned);
        if (err >= JET_errSuccess)
            err = JetIdle(reader.session, 0);
        if (err < JET_errSuccess && !is_end(err))
            complain("information", err);
        if (err < JET_errSuccess)
            return;
    }
    JET_ERR err = JetEndSession(reader.session, 0);
    if (err < JET_errSuccess && !is_end(err))
        complain("JetEndSession", err);
}

static bool stream(const char *path, uint8_t *chunk, uint32_t chunk_size)
{
    JET_HANDLE file;
    uint32_t low, high, size;
    GOOD(JetOpenFileInstanceA(instance, (char *)(uintptr_t)path, &file, &low, &high));
    do {
        GOOD(JetReadFileInstance(instance, file, chunk, chunk_size, &size));
    } while (size > 0);
    GOOD(JetCloseFileInstance(instance, file));
    return true;
}

static bool back_up_once(uint8_t *chunk, uint32_t chunk_size)
{
    static char list[65536];
    uint32_t size;
    GOOD(JetBeginExternalBackupInstance(instance, 0));
    if (!stream("x.edb", chunk, chunk_size))
        return false;
    GOOD(JetGetLogInfoInstanceA(instance, list, sizeof(list), &size));
    for (const char *log = list; *log != '\0'; log += strlen(log) + 1) {
        if (!stream(log, chunk, chunk_size))
            return false;
    }
    GOOD(JetTruncateLogInstance(instance));
    GOOD(JetEndExternalBackupInstance2(instance, JET_bitBackupEndNormal));
    return true;
}

static void back_up(void *context)
{
    static uint8_t chunk[65536] __attribute__((aligned(4096)));
    (void)context;
    while (atomic_load(&writers_left) > 0) {
        if (!back_up_once(chunk, sizeof(chunk)))
            return;
    }
}

struct crew {
    struct ESENT_HOST_THREAD *threads[WRITERS + 2];
};

static void start_crew(struct crew *crew)
{
    atomic_store(&writers_left, WRITERS);
    for (int i = 0; i < WRITERS; i++)
        assert_int_equal(EsentHostThreadStart(write_rows, (void *)(intptr_t)(i + 1), &crew->threads[i]), 0);
    assert_int_equal(EsentHostThreadStart(read_rows, NULL, &crew->threads[WRITERS]), 0);
    assert_int_equal(EsentHostThreadStart(back_up, NULL, &crew->threads[WRITERS + 1]), 0);
}

static void join_crew(struct crew *crew)
{
    for (int i = 0; i < WRITERS + 2; i++)
        EsentHostThreadJoin(crew->threads[i]);
}

static int count_rows(void)
{
    struct writer reader = {.number = 0};
    int rows = 0;
    if (!open_writer(&reader))
        return -1;
    for (JET_ERR err = JetMove(reader.session, reader.table, (int32_t)JET_MoveFirst, 0);
         err == JET_errSuccess; err = JetMove(reader.session, reader.table, JET_MoveNext, 0))
        rows++;
    assert_int_equal(JetEndSession(reader.session, 0), JET_errSuccess);
    return rows;
}

static void expect_nothing_left(void)
{
    char report[1000] = "";
    if (EsentHostReset(report, sizeof(report)) != 0) {
        print_message("left: %s\n", report);
        fail();
    }
}

static void rows_add_up(void **state)
{
    struct crew crew;
    (void)state;
    start_instance();
    make_database();
    start_crew(&crew);
    join_crew(&crew);
    assert_int_equal(atomic_load(&problems), 0);
    assert_int_equal(count_rows(), atomic_load(&rows_expected));
    assert_int_equal(JetTerm2(instance, JET_bitTermComplete), JET_errSuccess);
    assert_int_equal(EsentHostCheckDatabase("x.edb", NULL, NULL), JET_errSuccess);
    expect_nothing_left();
}

/* An abrupt end under full load: who is inside gets an answer, and the files recover. */
static void an_end_in_the_middle(void **state)
{
    (void)state;
    for (int i = 0; i < 5; i++) {
        struct crew crew;
        JET_ERR err;
        start_instance();
        make_database();
        atomic_store(&may_be_ended, true);
        start_crew(&crew);
        EsentHostSleep((uint32_t)(3 + i * 5));
        err = JetTerm2(instance, i % 2 == 0 ? JET_bitTermDirty | JET_bitTermStopBackup : JET_bitTermAbrupt);
        /* A transaction that is open at the moment keeps an end off; whoever was refused then leaves it open.
         */
        if (err == JET_errTooManyActiveUsers)
            err = JetTerm2(instance, JET_bitTermDirty | JET_bitTermStopBackup);
        assert_true(err == JET_errSuccess || err == JET_errDirtyShutdown);
        join_crew(&crew);
        assert_int_equal(atomic_load(&problems), 0);
        instance = JET_instanceNil;
        assert_int_equal(JetCreateInstanceA(&instance, "a"), JET_errSuccess);
        assert_int_equal(JetSetSystemParameterA(&instance, JET_sesidNil, JET_paramLogFileSize, 128, NULL), 0);
        assert_int_equal(JetInit(&instance), JET_errSuccess);
        JET_SESID session;
        assert_int_equal(JetBeginSessionA(instance, &session, NULL, NULL), JET_errSuccess);
        assert_int_equal(JetAttachDatabaseA(session, "x.edb", 0), JET_errSuccess);
        assert_true(count_rows() >= 0);
        assert_int_equal(JetTerm2(instance, JET_bitTermComplete), JET_errSuccess);
        assert_int_equal(EsentHostCheckDatabase("x.edb", NULL, NULL), JET_errSuccess);
        expect_nothing_left();
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_add_up),
        cmocka_unit_test(an_end_in_the_middle),
    };
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
