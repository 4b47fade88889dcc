/* Several threads work on one table under the simulated scheduler, each on its own rows, and a few rows that
 * all change; the process or the machine dies somewhere: each thread's committed rows are there. CRASH_ROUNDS
 * seeds (default 40) from CRASH_SEED. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "include/esent_host.h"
#include "tests/kill_workload.h"

#define PATH "/w/w.edb"
#define WORKERS 3u

struct worker {
    uint32_t number;
    uint64_t random;
    struct workload workload;
    struct workload_engine engine;
    uint32_t most;
    uint32_t conflicts;
    JET_ERR err; /* what ended it */
};

struct world {
    uint64_t seed;
    struct workload_engine engine;
    struct worker workers[WORKERS];
};

static struct world world;
static char finding_text[300];

static void note_finding(void *context, const struct ESENT_HOST_FINDING *finding)
{
    (void)context;
    if (!finding->warning && finding_text[0] == 0)
        snprintf(finding_text, sizeof finding_text, "%s: page %u object %u: %s", finding->kind, finding->page,
                 finding->object, finding->text);
}

/* Every worker reads and, if nobody else does, changes a row that belongs to all. */
static JET_ERR touch_shared_row(struct worker *worker)
{
    struct workload_engine *engine = &worker->engine;
    int32_t key = 1000000;
    int32_t tag = (int32_t)worker->number;
    JET_ERR err;
    WORKLOAD_TRY(JetBeginTransaction(engine->session));
    WORKLOAD_TRY(JetSetCurrentIndexA(engine->session, engine->table, NULL));
    WORKLOAD_TRY(JetMakeKey(engine->session, engine->table, &key, sizeof key, JET_bitNewKey));
    err = JetSeek(engine->session, engine->table, JET_bitSeekEQ);
    if (err == JET_errRecordNotFound) {
        err = JetPrepareUpdate(engine->session, engine->table, JET_prepInsert);
        if (err >= JET_errSuccess)
            err = JetSetColumn(engine->session, engine->table, engine->id, &key, sizeof key, 0, NULL);
    } else if (err >= JET_errSuccess) {
        err = JetPrepareUpdate(engine->session, engine->table, JET_prepReplace);
    }
    if (err >= JET_errSuccess)
        err = JetSetColumn(engine->session, engine->table, engine->tag, &tag, sizeof tag, 0, NULL);
    if (err >= JET_errSuccess)
        err = JetUpdate(engine->session, engine->table, NULL, 0, NULL);
    if (err >= JET_errSuccess)
        return JetCommitTransaction(engine->session, JET_bitCommitLazyFlush);
    if (err == JET_errWriteConflict || err == JET_errKeyDuplicate) {
        worker->conflicts++;
        WORKLOAD_TRY(JetRollback(engine->session, 0));
        return JET_errSuccess;
    }
    engine->failed = "the shared row";
    return err;
}

static JET_ERR work_on(struct worker *worker)
{
    JET_ERR err;
    struct workload_engine *engine = &worker->engine;
    WORKLOAD_TRY(JetBeginSessionA(engine->instance, &engine->session, NULL, NULL));
    WORKLOAD_TRY(JetOpenDatabaseA(engine->session, PATH, NULL, &engine->database, 0));
    WORKLOAD_TRY(JetOpenTableA(engine->session, engine->database, "t", NULL, 0, 0, &engine->table));
    for (uint32_t i = 0; i < worker->most; i++) {
        struct workload before = worker->workload;
        err = workload_run(engine, &worker->workload);
        if (EsentHostCrashPointReached()) {
            worker->workload = before;
            return JET_errSuccess;
        }
        if (err < JET_errSuccess)
            return err;
        if (workload_random(&worker->random, 3) == 0)
            WORKLOAD_TRY(touch_shared_row(worker));
    }
    return JetEndSession(engine->session, 0);
}

static void worker_main(void *context)
{
    struct worker *worker = context;
    worker->err = work_on(worker);
}

static void set_page_size(void)
{
    static const uint32_t sizes[] = {4096, 8192, 16384, 32768};
    JetSetSystemParameterA(NULL, 0, JET_paramDatabasePageSize, sizes[world.seed % 4], NULL);
}

static void new_world(uint64_t seed)
{
    struct ESENT_HOST_SIMULATION simulation = {
        .seed = seed,
        .scheduler = seed % 2 == 0 ? ESENT_HOST_SCHEDULE_RANDOM : ESENT_HOST_SCHEDULE_PRIORITY,
        .expected_points = 60000,
        .priority_changes = 5,
        .background_thread = seed / 2 % 2,
    };
    assert_int_equal(EsentHostReset(NULL, 0), 0);
    memset(&world, 0, sizeof world);
    world.seed = seed;
    assert_int_equal(EsentHostUseSimulation(&simulation), JET_errSuccess);
    assert_int_equal(EsentHostDirectoryCreate("/w"), JET_errSuccess);
    assert_int_equal(EsentHostTrackWrites(4096), JET_errSuccess);
    set_page_size();
    for (uint32_t i = 0; i < WORKERS; i++) {
        world.workers[i].number = i;
        world.workers[i].random = seed * 100 + i;
        world.workers[i].workload.seed = seed * 10 + i;
    }
}

static JET_ERR start(bool fresh)
{
    JET_ERR err = workload_init(&world.engine, "/w/");
    if (err >= JET_errSuccess)
        err = fresh ? workload_create(&world.engine, PATH) : workload_open(&world.engine, PATH);
    if (err >= JET_errSuccess && fresh) {
        /* whoever creates a table has it alone */
        err = JetCloseTable(world.engine.session, world.engine.table);
        if (err >= JET_errSuccess)
            err = JetOpenTableA(world.engine.session, world.engine.database, "t", NULL, 0, 0,
                                &world.engine.table);
    }
    return err;
}

static void must(JET_ERR err, const char *what)
{
    if (err < JET_errSuccess)
        fail_msg("seed %llu: %s answered %d", (unsigned long long)world.seed, what, err);
}

/* All workers run until they are done or, one by one, see that the crash point is behind. */
static void run_workers(uint32_t most)
{
    struct ESENT_HOST_THREAD *threads[WORKERS];
    for (uint32_t i = 0; i < WORKERS; i++) {
        struct worker *worker = &world.workers[i];
        worker->engine = world.engine;
        worker->engine.base = (int32_t)(i * 1000);
        worker->most = most;
        must(EsentHostThreadStart(worker_main, worker, &threads[i]), "the start of a thread");
    }
    for (uint32_t i = 0; i < WORKERS; i++)
        EsentHostThreadJoin(threads[i]);
    for (uint32_t i = 0; i < WORKERS; i++) {
        if (world.workers[i].err < JET_errSuccess && !EsentHostCrashPointReached())
            must(world.workers[i].err, world.workers[i].engine.failed);
    }
}

/* A commit that was under way at the crash may be there or not, for each worker. */
static void check_workers(void)
{
    for (uint32_t i = 0; i < WORKERS; i++) {
        struct worker *worker = &world.workers[i];
        char why[256] = "";
        char why_next[256] = "";
        worker->engine = world.engine;
        worker->engine.base = (int32_t)(i * 1000);
        if (workload_matches(&worker->engine, &worker->workload, why, sizeof why))
            continue;
        workload_advance(&worker->workload);
        if (!workload_matches(&worker->engine, &worker->workload, why_next, sizeof why_next))
            fail_msg("seed %llu, worker %u: neither before (%s) nor after (%s)",
                     (unsigned long long)world.seed, i, why, why_next);
    }
}

static void one_seed(uint64_t seed)
{
    new_world(seed);
    uint64_t random = seed * 3 + 1;
    must(start(true), "the start");
    for (uint32_t life = 0; life < 2; life++) {
        bool crashes = workload_random(&random, 3) != 0;
        if (crashes)
            EsentHostFailNth(ESENT_HOST_FAULT_CRASH, 1 + workload_random(&random, 250), 1);
        run_workers(3 + workload_random(&random, 20));
        EsentHostFailNone();
        if (!crashes && !EsentHostCrashPointReached())
            check_workers();
        assert_int_equal(EsentHostMachineCrash(seed % 3 == 0   ? ESENT_HOST_CRASH_KEEP_ALL
                                               : seed % 3 == 1 ? ESENT_HOST_CRASH_LOSE_ALL
                                                               : ESENT_HOST_CRASH_REORDER,
                                               seed),
                         JET_errSuccess);
        set_page_size();
        must(start(false), "the start after the crash");
        check_workers();
        must(JetTerm2(world.engine.instance, JET_bitTermComplete), "the end");
        finding_text[0] = 0;
        JET_ERR err = EsentHostCheckDatabase(PATH, note_finding, NULL);
        if (err != JET_errSuccess)
            fail_msg("seed %llu: the checker answered %d: %s", (unsigned long long)seed, err, finding_text);
        must(start(false), "the start after the end");
    }
    must(JetTerm2(world.engine.instance, JET_bitTermComplete), "the end");
    char report[400];
    if (EsentHostReset(report, sizeof report) != 0)
        fail_msg("seed %llu leaks: %s", (unsigned long long)seed, report);
}

static void threads_and_crashes(void **state)
{
    (void)state;
    const char *rounds = getenv("CRASH_ROUNDS");
    const char *first = getenv("CRASH_SEED");
    uint64_t seed = first != NULL ? strtoull(first, NULL, 10) : 0;
    uint64_t count = rounds != NULL ? strtoull(rounds, NULL, 10) : 40;
    for (uint64_t i = 0; i < count; i++)
        one_seed(seed + i);
}

/* The same work by real threads (for the thread sanitizer above all): no crash, everything is there. */
static void real_threads(void **state)
{
    (void)state;
    for (uint32_t round = 0; round < 3; round++) {
        new_world(round);
        assert_int_equal(EsentHostUseThreads(), JET_errSuccess);
        assert_int_equal(EsentHostTrackWrites(0), JET_errSuccess);
        must(start(true), "the start");
        run_workers(40);
        check_workers();
        must(JetTerm2(world.engine.instance, JET_bitTermComplete), "the end");
        finding_text[0] = 0;
        JET_ERR err = EsentHostCheckDatabase(PATH, note_finding, NULL);
        if (err != JET_errSuccess)
            fail_msg("round %u: the checker answered %d: %s", round, err, finding_text);
        char report[400];
        if (EsentHostReset(report, sizeof report) != 0)
            fail_msg("round %u leaks: %s", round, report);
    }
}

static int use_memory(void **state)
{
    (void)state;
    return EsentHostUseMemoryFiles();
}

static int end_world(void **state)
{
    (void)state;
    return (int)EsentHostReset(NULL, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(threads_and_crashes), cmocka_unit_test(real_threads)};
    const char *only = getenv("CRASH_TEST");
    if (only != NULL)
        cmocka_set_test_filter(only);
    return cmocka_run_group_tests(tests, use_memory, end_world);
}
