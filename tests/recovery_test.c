/* Recovery of what this engine wrote: redo makes the pages that were there; it may itself be interrupted at
 * any write; what the log misses gets the right error. On files in memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "include/esent_host.h"
#include "src/page/node.h"
#include "src/page/page.h"
#include "tests/kill_workload.h"

#define DIRECTORY "/r/"
#define DATABASE "/r/w.edb"
#define TRANSACTIONS 60u

static void begin_world(uint32_t page_size)
{
    const struct ESENT_HOST_SIMULATION simulation = {.seed = page_size};
    assert_int_equal(EsentHostReset(NULL, 0), 0);
    assert_int_equal(EsentHostUseMemoryFiles(), JET_errSuccess);
    assert_int_equal(EsentHostUseSimulation(&simulation), JET_errSuccess);
    assert_int_equal(EsentHostDirectoryCreate(DIRECTORY), JET_errSuccess);
    assert_int_equal(JetSetSystemParameterA(NULL, 0, JET_paramDatabasePageSize, page_size, NULL),
                     JET_errSuccess);
}

/* A new process on the same files. */
static void crash(uint32_t page_size)
{
    EsentHostCrash();
    EsentHostFailNone();
    assert_int_equal(JetSetSystemParameterA(NULL, 0, JET_paramDatabasePageSize, page_size, NULL),
                     JET_errSuccess);
}

#define DO(engine, call)                                                                                     \
    do {                                                                                                     \
        JET_ERR answer = (call);                                                                             \
        if (answer < JET_errSuccess)                                                                         \
            fail_msg("%s answered %d", (engine).failed, (int)answer);                                        \
    } while (0)

static void run_transactions(struct workload_engine *engine, struct workload *workload, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        DO(*engine, workload_run(engine, workload));
}

static void note_finding(void *context, const struct ESENT_HOST_FINDING *finding)
{
    (void)context;
    if (!finding->warning)
        print_message("%s: page %u object %u: %s\n", finding->kind, finding->page, finding->object,
                      finding->text);
}

/* Starts, compares the rows with the model's, ends, and checks the file. */
static void expect_rows(const struct workload *workload)
{
    static struct workload_engine engine;
    char why[200] = "";
    memset(&engine, 0, sizeof(engine));
    DO(engine, workload_init(&engine, DIRECTORY));
    DO(engine, workload_open(&engine, DATABASE));
    if (!workload_matches(&engine, workload, why, sizeof(why)))
        fail_msg("%s", why);
    assert_int_equal(JetTerm2(engine.instance, JET_bitTermComplete), JET_errSuccess);
    assert_int_equal(EsentHostCheckDatabase(DATABASE, note_finding, NULL), JET_errSuccess);
}

/* --- redo from the log alone --- */

static uint8_t *read_whole(const char *path, size_t *size)
{
    struct ESENT_HOST_FILE_INFO info;
    assert_int_equal(EsentHostFileInfo(path, &info), JET_errSuccess);
    *size = (size_t)info.size;
    uint8_t *bytes = malloc(*size);
    size_t done = 0;
    assert_non_null(bytes);
    assert_int_equal(EsentHostFileRead(path, 0, bytes, *size, &done), JET_errSuccess);
    assert_int_equal(done, *size);
    return bytes;
}

static bool same_line(struct line a, struct line b)
{
    return a.size == b.size && ((a.flags ^ b.flags) & ~NODE_VERSIONED) == 0 &&
           (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

/* The same but for what redo need not repeat: where lines lie in the page, checksum and count of flushes, and
 * marks that only mean that versions are to be looked for. */
static bool same_page(const struct page *a, const struct page *b)
{
    const uint32_t left_out = PAGE_FLUSH_TYPE_MASK | PAGE_SCRUBBED;
    const struct page_header *x = page_header(a);
    const struct page_header *y = page_header(b);
    if (page_is_zero(a) || page_is_zero(b))
        return page_is_zero(a) == page_is_zero(b);
    if (x->modified != y->modified || x->previous != y->previous || x->next != y->next ||
        x->tree != y->tree || x->free_bytes != y->free_bytes || ((x->flags ^ y->flags) & ~left_out) != 0 ||
        page_line_count(a) != page_line_count(b) ||
        !same_line(page_external_header(a), page_external_header(b)))
        return false;
    for (uint32_t line = 0; line < page_line_count(a); line++) {
        if (!same_line(page_line(a, line), page_line(b, line)))
            return false;
    }
    return true;
}

static void redo_repeats_every_page(uint32_t page_size)
{
    static struct workload_engine engine;
    struct workload workload = {.seed = 3 * page_size};
    size_t size = 0;
    size_t size_again = 0;
    begin_world(page_size);
    memset(&engine, 0, sizeof(engine));
    DO(engine, workload_init(&engine, DIRECTORY));
    DO(engine, workload_create(&engine, DATABASE));
    run_transactions(&engine, &workload, 4 * TRANSACTIONS);
    assert_int_equal(JetTerm2(engine.instance, JET_bitTermComplete), JET_errSuccess);
    uint8_t *before = read_whole(DATABASE, &size);
    assert_int_equal(EsentHostFileDelete(DATABASE), JET_errSuccess);
    assert_int_equal(EsentHostFileDelete(DIRECTORY "edb.chk"), JET_errSuccess);
    crash(page_size);
    expect_rows(&workload);
    uint8_t *after = read_whole(DATABASE, &size_again);
    assert_int_equal(size, size_again);
    for (size_t offset = 2 * (size_t)page_size; offset < size; offset += page_size) {
        const page_number number = (page_number)(offset / page_size - 1);
        const struct page a = {before + offset, page_size, number};
        const struct page b = {after + offset, page_size, number};
        if (!same_page(&a, &b))
            fail_msg("page %u is another", (unsigned)number);
    }
    free(before);
    free(after);
}

static void pages_of_4096_are_repeated(void **state)
{
    (void)state;
    redo_repeats_every_page(4096);
}

static void pages_of_32768_are_repeated(void **state)
{
    (void)state;
    redo_repeats_every_page(32768);
}

/* --- crashes while recovering --- */

/* Leaves a crashed instance with some transactions done and one running. `whole`: nothing made the checkpoint
 * move, all changes are in the log behind it. */
static void leave_crashed(struct workload *workload, uint32_t page_size, bool whole)
{
    static struct workload_engine engine;
    struct workload_row rows[WORKLOAD_IDS];
    begin_world(page_size);
    memset(&engine, 0, sizeof(engine));
    DO(engine, workload_init(&engine, DIRECTORY));
    if (whole)
        assert_int_equal(
            JetSetSystemParameterA(&engine.instance, 0, JET_paramCheckpointDepthMax, 20 << 20, NULL), 0);
    DO(engine, workload_create(&engine, DATABASE));
    run_transactions(&engine, workload, TRANSACTIONS);
    /* One that is in the log, but not committed. */
    struct workload_transaction running = workload_next(workload, rows);
    DO(engine, JetBeginTransaction(engine.session));
    for (uint32_t i = 0; i < running.count; i++)
        DO(engine, workload_step(&engine, &running.steps[i]));
    JET_SESID other;
    assert_int_equal(JetBeginSessionA(engine.instance, &other, NULL, NULL), JET_errSuccess);
    assert_int_equal(JetCommitTransaction(other, JET_bitWaitAllLevel0Commit), JET_errSuccess);
    crash(page_size);
}

static unsigned interrupt_everywhere(uint64_t seed)
{
    static struct workload_engine engine;
    struct workload workload = {.seed = seed};
    const uint32_t page_size = 4096;
    unsigned points = 0;
    leave_crashed(&workload, page_size, seed % 2 == 0);
    assert_int_equal(EsentHostFilesSave(1), JET_errSuccess);
    for (uint64_t nth = 1;; nth += 1 + nth / 8) {
        assert_int_equal(EsentHostFilesRestore(1), JET_errSuccess);
        EsentHostFailNth(ESENT_HOST_FAULT_CRASH, nth, 1);
        memset(&engine, 0, sizeof(engine));
        DO(engine, workload_init(&engine, DIRECTORY));
        bool reached = EsentHostCrashPointReached() != 0;
        crash(page_size);
        expect_rows(&workload);
        crash(page_size);
        if (!reached)
            return points;
        points++;
    }
}

static void recovery_may_be_interrupted(void **state)
{
    const char *given = getenv("RECOVERY_SEEDS");
    uint64_t seeds = given != NULL ? strtoull(given, NULL, 10) : 4;
    unsigned points = 0;
    (void)state;
    for (uint64_t seed = 0; seed < seeds; seed++)
        points += interrupt_everywhere(seed);
    print_message("%u points\n", points);
    assert_true(points > 10 * seeds);
}

/* Each write, sync and allocation of a recovery fails once: an error or success, and the next start finds
 * everything. */
static void recovery_may_fail(void **state)
{
    static const enum ESENT_HOST_FAULT kinds[] = {ESENT_HOST_FAULT_WRITE,    ESENT_HOST_FAULT_SYNC,
                                                  ESENT_HOST_FAULT_ALLOCATE, ESENT_HOST_FAULT_READ,
                                                  ESENT_HOST_FAULT_OPEN,     ESENT_HOST_FAULT_DISK_FULL};
    static struct workload_engine engine;
    struct workload workload = {.seed = 6};
    const uint32_t page_size = 4096;
    (void)state;
    leave_crashed(&workload, page_size, false);
    assert_int_equal(EsentHostFilesSave(1), JET_errSuccess);
    for (size_t kind = 0; kind < sizeof(kinds) / sizeof(kinds[0]); kind++) {
        bool failed = true;
        for (uint64_t nth = 1; failed; nth += 1 + nth / 4) {
            assert_int_equal(EsentHostFilesRestore(1), JET_errSuccess);
            EsentHostResetCounters();
            EsentHostFailNth(kinds[kind], nth, 1);
            memset(&engine, 0, sizeof(engine));
            JET_ERR err = workload_init(&engine, DIRECTORY);
            failed = EsentHostCountFailures(kinds[kind]) != 0;
            EsentHostFailNone();
            if (!failed)
                assert_int_equal(err, JET_errSuccess);
            crash(page_size);
            expect_rows(&workload);
            crash(page_size);
        }
    }
}

/* --- files that are missing --- */

static JET_ERR start(JET_GRBIT grbit)
{
    JET_INSTANCE instance = 0;
    JET_ERR err = JetCreateInstanceA(&instance, "workload");
    if (err >= JET_errSuccess)
        err = JetSetSystemParameterA(&instance, 0, JET_paramSystemPath, 0, DIRECTORY);
    if (err >= JET_errSuccess)
        err = JetSetSystemParameterA(&instance, 0, JET_paramLogFilePath, 0, DIRECTORY);
    if (err >= JET_errSuccess)
        err = JetSetSystemParameterA(&instance, 0, JET_paramTempPath, 0, DIRECTORY);
    assert_int_equal(err, JET_errSuccess);
    err = JetInit3A(&instance, NULL, grbit);
    if (err >= JET_errSuccess)
        assert_int_equal(JetTerm2(instance, JET_bitTermComplete), JET_errSuccess);
    return err;
}

static void the_checkpoint_may_be_missing(void **state)
{
    struct workload workload = {.seed = 7};
    (void)state;
    leave_crashed(&workload, 4096, false);
    assert_int_equal(EsentHostFileDelete(DIRECTORY "edb.chk"), JET_errSuccess);
    expect_rows(&workload);
}

static void a_database_is_made_again(void **state)
{
    struct workload workload = {.seed = 8};
    (void)state;
    leave_crashed(&workload, 4096, true);
    assert_int_equal(EsentHostFileDelete(DATABASE), JET_errSuccess);
    expect_rows(&workload);
}

static void an_attached_database_is_missed(void **state)
{
    static struct workload_engine engine;
    struct workload workload = {.seed = 9};
    (void)state;
    leave_crashed(&workload, 4096, false);
    expect_rows(&workload);
    memset(&engine, 0, sizeof(engine));
    DO(engine, workload_init(&engine, DIRECTORY));
    DO(engine, workload_open(&engine, DATABASE));
    run_transactions(&engine, &workload, 5);
    crash(4096);
    assert_int_equal(EsentHostFilesSave(2), JET_errSuccess);
    assert_int_equal(EsentHostFileDelete(DATABASE), JET_errSuccess);
    assert_int_equal(start(0), JET_errAttachedDatabaseMismatch);
    crash(4096);
    assert_int_equal(start(JET_bitReplayIgnoreMissingDB), JET_errSuccess);
    crash(4096);
    assert_int_equal(EsentHostFilesRestore(2), JET_errSuccess);
    expect_rows(&workload);
}

static void a_log_is_missed(void **state)
{
    struct workload workload = {.seed = 10};
    (void)state;
    leave_crashed(&workload, 4096, true);
    assert_int_equal(EsentHostFilesSave(2), JET_errSuccess);
    assert_int_equal(EsentHostFileDelete(DIRECTORY "edb00001.log"), JET_errSuccess);
    assert_int_equal(start(0), JET_errMissingLogFile);
    crash(4096);
    assert_int_equal(EsentHostFilesRestore(2), JET_errSuccess);
    assert_int_equal(EsentHostFileDelete(DIRECTORY "edb.log"), JET_errSuccess);
    assert_int_equal(start(0), JET_errRequiredLogFilesMissing);
    crash(4096);
    assert_int_equal(EsentHostFilesRestore(2), JET_errSuccess);
    assert_int_equal(EsentHostFileCorrupt(DIRECTORY "edb00001.log", 3 * 4096 + 100, 0xff), JET_errSuccess);
    assert_int_equal(start(0), JET_errLogFileCorrupt);
    crash(4096);
    assert_int_equal(EsentHostFilesRestore(2), JET_errSuccess);
    expect_rows(&workload);
}

static void undo_can_be_left_out(void **state)
{
    struct workload workload = {.seed = 11};
    (void)state;
    leave_crashed(&workload, 4096, false);
    assert_int_equal(start(JET_bitRecoveryWithoutUndo), JET_errRecoveredWithoutUndo);
    crash(4096);
    expect_rows(&workload);
    crash(4096);
    assert_int_equal(start(JET_bitRecoveryWithoutUndo), JET_errRecoveredWithoutUndoDatabasesConsistent);
}

static void old_logs_can_go(void **state)
{
    struct workload workload = {.seed = 12};
    struct ESENT_HOST_FILE_INFO info;
    (void)state;
    leave_crashed(&workload, 4096, true);
    assert_int_equal(EsentHostFileInfo(DIRECTORY "edb00001.log", &info), JET_errSuccess);
    assert_int_equal(start(JET_bitTruncateLogsAfterRecovery), JET_errSuccess);
    assert_int_equal(EsentHostFileInfo(DIRECTORY "edb00001.log", &info), JET_errFileNotFound);
    crash(4096);
    expect_rows(&workload);
}

static int end_world(void **state)
{
    char report[500] = "";
    (void)state;
    EsentHostFailNone();
    size_t lost = EsentHostReset(report, sizeof(report));
    if (lost != 0)
        print_message("leaks: %s\n", report);
    return lost == 0 ? 0 : -1;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(pages_of_4096_are_repeated, end_world),
        cmocka_unit_test_teardown(pages_of_32768_are_repeated, end_world),
        cmocka_unit_test_teardown(recovery_may_be_interrupted, end_world),
        cmocka_unit_test_teardown(recovery_may_fail, end_world),
        cmocka_unit_test_teardown(the_checkpoint_may_be_missing, end_world),
        cmocka_unit_test_teardown(a_database_is_made_again, end_world),
        cmocka_unit_test_teardown(an_attached_database_is_missed, end_world),
        cmocka_unit_test_teardown(a_log_is_missed, end_world),
        cmocka_unit_test_teardown(undo_can_be_left_out, end_world),
        cmocka_unit_test_teardown(old_logs_can_go, end_world),
    };
    (void)argc;
    (void)argv;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
