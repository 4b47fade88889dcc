/* Crashes of the machine in the middle of anything, on in-memory files that lose, reorder and tear what was
 * not synced: recovery gives back every committed row and nothing else. CRASH_ROUNDS says how many seeds
 * (default 60), CRASH_SEED the first. */
#if !defined(_GNU_SOURCE)
#define _GNU_SOURCE 1
#endif

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "include/esent_host.h"
#include "tests/kill_workload.h"

#define PATH "/w/w.edb"

static char finding_text[300];
static uint32_t refused;

static void note_finding(void *context, const struct ESENT_HOST_FINDING *finding)
{
    (void)context;
    if (!finding->warning && finding_text[0] == 0)
        snprintf(finding_text, sizeof finding_text, "%s: page %u object %u: %s", finding->kind, finding->page,
                 finding->object, finding->text);
}

struct plan {
    uint64_t seed;
    uint64_t random;
    uint32_t page_size;
    enum ESENT_HOST_CRASH_MODE mode;
    bool circular;
    uint32_t sector; /* what the disk writes whole */
    bool torn_pages; /* sectors are smaller than pages, and writes may tear: a page may need the backup */
};

static void set_process_parameters(const struct plan *plan)
{
    JetSetSystemParameterA(NULL, 0, JET_paramDatabasePageSize, plan->page_size, NULL);
    JetSetSystemParameterA(NULL, 0, JET_paramCircularLog, plan->circular, NULL);
}

static void new_world(struct plan *plan)
{
    struct ESENT_HOST_SIMULATION simulation = {.seed = plan->seed};
    static const uint32_t sizes[] = {4096, 8192, 16384, 32768};
    assert_int_equal(EsentHostReset(NULL, 0), 0);
    plan->random = plan->seed * 77 + 5;
    plan->page_size = sizes[plan->seed % 4];
    plan->mode = (enum ESENT_HOST_CRASH_MODE)(plan->seed / 4 % 5);
    plan->circular = plan->seed % 11 == 3; /* no log goes back to the backup: torn pages would be lost */
    plan->sector = plan->circular        ? plan->page_size
                   : plan->seed % 8 == 7 ? 512
                   : plan->seed % 8 == 3 ? 4096
                                         : plan->page_size;
    plan->torn_pages = plan->mode >= ESENT_HOST_CRASH_TEAR && plan->sector < plan->page_size;
    assert_int_equal(EsentHostUseSimulation(&simulation), JET_errSuccess);
    assert_int_equal(EsentHostDirectoryCreate("/w"), JET_errSuccess);
    assert_int_equal(EsentHostDirectoryCreate("/b"), JET_errSuccess);
    assert_int_equal(EsentHostTrackWrites((int)plan->sector), JET_errSuccess);
    set_process_parameters(plan);
}

static JET_ERR start(struct workload_engine *engine, bool fresh)
{
    JET_ERR err = workload_init(engine, "/w/");
    if (err >= JET_errSuccess)
        err = fresh ? workload_create(engine, PATH) : workload_open(engine, PATH);
    return err;
}

/* Works until the crash point, or to the end of `most` transactions. Answers the first error before the
 * point. */
static JET_ERR work(struct workload_engine *engine, struct workload *workload, uint32_t most)
{
    for (uint32_t i = 0; i < most; i++) {
        struct workload before = *workload;
        JET_ERR err = workload_run(engine, workload);
        if (EsentHostCrashPointReached()) {
            *workload = before;
            return JET_errSuccess;
        }
        if (err < JET_errSuccess)
            return err;
    }
    return JET_errSuccess;
}

static void crash(struct plan *plan)
{
    uint64_t seed = plan->seed * 31 + workload_random(&plan->random, 1000000);
    assert_int_equal(EsentHostMachineCrash(plan->mode, seed), JET_errSuccess);
    set_process_parameters(plan);
}

/* A crash during recovery itself, or during the end. */
static void crash_in_recovery(struct plan *plan)
{
    struct workload_engine engine = {0};
    EsentHostFailNth(ESENT_HOST_FAULT_CRASH, 1 + workload_random(&plan->random, 60), 1);
    if (start(&engine, false) >= JET_errSuccess && !EsentHostCrashPointReached())
        (void)JetTerm2(engine.instance, JET_bitTermComplete);
    EsentHostFailNone();
    crash(plan);
}

/* Where the rows are not as before, they are as behind the transaction that was under way. */
static bool has_rows(struct workload_engine *engine, struct workload *workload, char *why, size_t size)
{
    struct workload next = *workload;
    if (workload_matches(engine, workload, why, size))
        return true;
    workload_advance(&next);
    char why_next[100] = "";
    if (!workload_matches(engine, &next, why_next, sizeof why_next)) {
        size_t used = strlen(why);
        snprintf(why + used, size - used, "; behind the next: %s", why_next);
        return false;
    }
    *workload = next;
    return true;
}

static void end_and_check(const struct plan *plan, struct workload_engine *engine)
{
    JET_ERR err = JetTerm2(engine->instance, JET_bitTermComplete);
    if (err < JET_errSuccess)
        fail_msg("seed %llu: the end answered %d", (unsigned long long)plan->seed, err);
    finding_text[0] = 0;
    err = EsentHostCheckDatabase(PATH, note_finding, NULL);
    if (err != JET_errSuccess)
        fail_msg("seed %llu: the checker answered %d: %s", (unsigned long long)plan->seed, err, finding_text);
}

/* A page that the machine tore is found, and nothing else is wrong: the backup and the logs since then have
 * all rows. */
static void mend_torn_pages(const struct plan *plan, struct workload *workload)
{
    struct workload_engine engine = {0};
    char why[300] = "";
    JET_ERR err = start(&engine, false);
    if (err >= JET_errSuccess && has_rows(&engine, workload, why, sizeof why))
        err = JetTerm2(engine.instance, JET_bitTermComplete);
    else if (err >= JET_errSuccess && strstr(why, "-1018") != NULL)
        err = JET_errReadVerifyFailure;
    else if (err >= JET_errSuccess)
        fail_msg("seed %llu: a torn page passed for a good one: %s", (unsigned long long)plan->seed, why);
    if (err >= JET_errSuccess)
        err = EsentHostCheckDatabase(PATH, note_finding, NULL);
    EsentHostCrash();
    set_process_parameters(plan);
    if (err >= JET_errSuccess)
        return;
    if (err != JET_errReadVerifyFailure && err != JET_errDatabaseCorrupted)
        fail_msg("seed %llu: %s answered %d", (unsigned long long)plan->seed, engine.failed, err);
    refused++;
    engine = (struct workload_engine){0};
    err = workload_restore(&engine, "/w/", "/b");
    if (err < JET_errSuccess)
        fail_msg("seed %llu: after torn pages %s answered %d", (unsigned long long)plan->seed, engine.failed,
                 err);
}

static void check_state(const struct plan *plan, struct workload *workload)
{
    struct workload_engine engine = {0};
    char why[300] = "";
    if (plan->torn_pages)
        mend_torn_pages(plan, workload);
    JET_ERR err = start(&engine, false);
    if (err < JET_errSuccess)
        fail_msg("seed %llu: %s answered %d", (unsigned long long)plan->seed, engine.failed, err);
    if (!has_rows(&engine, workload, why, sizeof why))
        fail_msg("seed %llu (mode %d, pages of %u, sectors of %u): %s", (unsigned long long)plan->seed,
                 plan->mode, plan->page_size, plan->sector, why);
    end_and_check(plan, &engine);
}

static void one_seed(uint64_t seed)
{
    struct plan plan = {.seed = seed};
    struct workload workload = {.seed = seed};
    struct workload_engine engine = {0};
    new_world(&plan);
    JET_ERR err = start(&engine, true);
    if (err < JET_errSuccess)
        fail_msg("seed %llu: %s answered %d", (unsigned long long)seed, engine.failed, err);
    err = JetBackupInstanceA(engine.instance, "/b", 0, NULL);
    if (err < JET_errSuccess)
        fail_msg("seed %llu: the backup answered %d", (unsigned long long)seed, err);
    for (uint32_t life = 0; life < 3; life++) {
        if (life > 0 && (err = start(&engine, false)) < JET_errSuccess)
            fail_msg("seed %llu: %s answered %d", (unsigned long long)seed, engine.failed, err);
        EsentHostFailNth(ESENT_HOST_FAULT_CRASH, 1 + workload_random(&plan.random, 300), 1);
        err = work(&engine, &workload, 1 + workload_random(&plan.random, 60));
        if (err < JET_errSuccess)
            fail_msg("seed %llu: %s answered %d", (unsigned long long)seed, engine.failed, err);
        EsentHostFailNone();
        /* Sometimes the process dies first, and the machine while it recovers: what the process had written
         * and not synced is read, and may be gone afterwards. */
        if (seed % 5 == 2) {
            EsentHostCrash();
            set_process_parameters(&plan);
            crash_in_recovery(&plan);
        } else {
            crash(&plan);
        }
        for (uint32_t again = workload_random(&plan.random, 3); again > 0; again--)
            crash_in_recovery(&plan);
        check_state(&plan, &workload);
    }
    EsentHostCrash();
}

/* ---- lazy commits: what comes back is a prefix, and not shorter than what was waited for */

static void lazy_of(uint64_t seed)
{
    struct plan plan = {.seed = seed};
    struct workload workload = {.seed = seed};
    struct workload_engine engine = {0};
    char why[256] = "";
    new_world(&plan);
    assert_int_equal(EsentHostTrackWrites((int)plan.page_size), JET_errSuccess);
    JET_ERR err = start(&engine, true);
    struct workload state = workload; /* what is surely there */
    EsentHostFailNth(ESENT_HOST_FAULT_CRASH, 1 + workload_random(&plan.random, 200), 1);
    for (uint32_t i = 0; i < 80 && err >= JET_errSuccess && !EsentHostCrashPointReached(); i++) {
        engine.lazy = workload_random(&plan.random, 4) != 0;
        bool rolls_back = workload_next(&workload, (struct workload_row[WORKLOAD_IDS]){{0}}).rolls_back;
        err = workload_run(&engine, &workload);
        if (!engine.lazy && !rolls_back && !EsentHostCrashPointReached())
            state = workload;
    }
    if (err < JET_errSuccess)
        fail_msg("seed %llu: %s answered %d", (unsigned long long)seed, engine.failed, err);
    EsentHostFailNone();
    uint32_t most = workload.done;
    plan.mode = (enum ESENT_HOST_CRASH_MODE)(seed % 3);
    crash(&plan);
    err = start(&engine, false);
    if (err < JET_errSuccess)
        fail_msg("seed %llu: %s answered %d", (unsigned long long)seed, engine.failed, err);
    while (!workload_matches(&engine, &state, why, sizeof why)) {
        if (state.done >= most)
            fail_msg("seed %llu: no prefix of the lazy commits: %s", (unsigned long long)seed, why);
        workload_advance(&state);
    }
    err = JetTerm2(engine.instance, JET_bitTermComplete);
    if (err < JET_errSuccess)
        fail_msg("seed %llu: the end answered %d", (unsigned long long)seed, err);
    EsentHostCrash();
}

/* ---- faults without a crash */

static void end_well(struct plan *plan, struct workload_engine *engine, const struct workload *workload)
{
    char why[256] = "";
    if (!workload_matches(engine, workload, why, sizeof why))
        fail_msg("seed %llu: %s", (unsigned long long)plan->seed, why);
    JET_ERR err = JetTerm2(engine->instance, JET_bitTermComplete);
    if (err < JET_errSuccess)
        fail_msg("seed %llu: the end answered %d", (unsigned long long)plan->seed, err);
    finding_text[0] = 0;
    err = EsentHostCheckDatabase(PATH, note_finding, NULL);
    if (err != JET_errSuccess)
        fail_msg("seed %llu: the checker answered %d: %s", (unsigned long long)plan->seed, err, finding_text);
    char report[400];
    if (EsentHostReset(report, sizeof report) != 0)
        fail_msg("seed %llu leaks: %s", (unsigned long long)plan->seed, report);
}

/* An allocation fails somewhere in each transaction: the call says so, the rollback works, nothing else
 * changes. */
static void allocations_of(uint64_t seed)
{
    struct plan plan = {.seed = seed};
    struct workload workload = {.seed = seed};
    struct workload_engine engine = {0};
    new_world(&plan);
    assert_int_equal(EsentHostTrackWrites(0), JET_errSuccess);
    JET_ERR err = start(&engine, true);
    if (err < JET_errSuccess)
        fail_msg("seed %llu: %s answered %d", (unsigned long long)seed, engine.failed, err);
    for (uint32_t i = 0; i < 80; i++) {
        EsentHostFailNth(ESENT_HOST_FAULT_ALLOCATE, 1 + workload_random(&plan.random, 1 + i * 3), 1);
        err = workload_run(&engine, &workload);
        EsentHostFailNone();
        if (err >= JET_errSuccess)
            continue;
        if (err == JET_errLogWriteFail || err == JET_errInstanceUnavailable) {
            /* the log could not go on: only a new start helps */
            EsentHostCrash();
            set_process_parameters(&plan);
            check_state(&plan, &workload);
            err = start(&engine, false);
            if (err < JET_errSuccess)
                fail_msg("seed %llu: %s answered %d", (unsigned long long)seed, engine.failed, err);
            continue;
        }
        if (err != JET_errOutOfMemory)
            fail_msg("seed %llu, transaction %u: %s answered %d", (unsigned long long)seed, workload.done,
                     engine.failed, err);
        err = JetRollback(engine.session, JET_bitRollbackAll);
        if (err < JET_errSuccess && err != JET_errNotInTransaction)
            fail_msg("seed %llu: the rollback answered %d", (unsigned long long)seed, err);
    }
    end_well(&plan, &engine, &workload);
}

static uint64_t seeds_wanted(uint64_t otherwise)
{
    const char *rounds = getenv("CRASH_ROUNDS");
    return rounds != NULL ? strtoull(rounds, NULL, 10) : otherwise;
}

static uint64_t first_seed(void)
{
    const char *first = getenv("CRASH_SEED");
    return first != NULL ? strtoull(first, NULL, 10) : 0;
}

static void allocations_fail(void **state)
{
    (void)state;
    for (uint64_t i = 0; i < seeds_wanted(40); i++)
        allocations_of(first_seed() + i);
}

/* Writes, reads, syncs fail, the disk is full: calls fail until the instance may be useless; after a restart
 * all is as committed. */
static void disks_of(uint64_t seed)
{
    static const enum ESENT_HOST_FAULT kinds[] = {ESENT_HOST_FAULT_WRITE, ESENT_HOST_FAULT_READ,
                                                  ESENT_HOST_FAULT_SYNC,  ESENT_HOST_FAULT_DISK_FULL,
                                                  ESENT_HOST_FAULT_IO,    ESENT_HOST_FAULT_SHORT_WRITE};
    struct plan plan = {.seed = seed};
    struct workload workload = {.seed = seed};
    struct workload_engine engine = {0};
    enum ESENT_HOST_FAULT kind = kinds[seed % 6];
    new_world(&plan);
    plan.torn_pages = false;
    assert_int_equal(EsentHostTrackWrites(0), JET_errSuccess);
    if (kind == ESENT_HOST_FAULT_SHORT_WRITE) {
        plan.torn_pages = true;
        plan.circular = false;
        set_process_parameters(&plan);
    }
    JET_ERR err = start(&engine, true);
    if (err >= JET_errSuccess && plan.torn_pages)
        err = JetBackupInstanceA(engine.instance, "/b", 0, NULL);
    for (uint32_t life = 0; life < 4; life++) {
        if (life > 0)
            err = start(&engine, false);
        if (err < JET_errSuccess)
            fail_msg("seed %llu: %s answered %d", (unsigned long long)seed, engine.failed, err);
        EsentHostFailNth(kind, 1 + workload_random(&plan.random, 150), workload_random(&plan.random, 3));
        do {
            err = workload_run(&engine, &workload);
        } while (err >= JET_errSuccess && workload_random(&plan.random, 80) != 0);
        if (err < JET_errSuccess)
            (void)JetRollback(engine.session, JET_bitRollbackAll);
        if (workload_random(&plan.random, 2) == 0)
            (void)JetTerm2(engine.instance, JET_bitTermComplete);
        EsentHostFailNone();
        EsentHostCrash();
        set_process_parameters(&plan);
        plan.mode = ESENT_HOST_CRASH_KEEP_ALL;
        check_state(&plan, &workload);
    }
    err = start(&engine, false);
    if (err < JET_errSuccess)
        fail_msg("seed %llu: %s answered %d", (unsigned long long)seed, engine.failed, err);
    end_well(&plan, &engine, &workload);
}

static void disks_fail(void **state)
{
    (void)state;
    for (uint64_t i = 0; i < seeds_wanted(40); i++)
        disks_of(first_seed() + i);
}

static void machines_crash(void **state)
{
    (void)state;
    uint64_t count = seeds_wanted(60);
    for (uint64_t i = 0; i < count; i++)
        one_seed(first_seed() + i);
    print_message("%llu seeds, %u restored after torn pages\n", (unsigned long long)count, refused);
}

static void lazy_commits_come_back_in_order(void **state)
{
    (void)state;
    for (uint64_t i = 0; i < seeds_wanted(60); i++)
        lazy_of(first_seed() + i);
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
    const struct CMUnitTest tests[] = {cmocka_unit_test(machines_crash),
                                       cmocka_unit_test(lazy_commits_come_back_in_order),
                                       cmocka_unit_test(allocations_fail), cmocka_unit_test(disks_fail)};
    const char *only = getenv("CRASH_TEST");
    if (only != NULL)
        cmocka_set_test_filter(only);
    return cmocka_run_group_tests(tests, use_memory, end_world);
}
