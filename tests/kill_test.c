/* kill -9 of a working process, again and again, on POSIX files: each time recovery gives back every
 * committed row and nothing else, and the checker finds nothing wrong. KILL_ROUNDS says how often (default
 * 12). */
#if !defined(_GNU_SOURCE)
#define _GNU_SOURCE 1
#endif

#include <setjmp.h>
#include <stdarg.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "include/esent_host.h"
#include "tests/kill_workload.h"

#define READY UINT32_MAX

static char directory[64];

static void child_dies(const struct workload_engine *engine, JET_ERR err)
{
    fprintf(stderr, "worker: %s answered %d\n", engine->failed, err);
    _exit(3);
}

static void set_page_size(uint32_t size)
{
    JetSetSystemParameterA(NULL, 0, JET_paramDatabasePageSize, size, NULL);
}

/* The worker: recovers, then commits transactions and tells of each through the pipe until it is killed. */
static void work(struct workload *workload, uint32_t page_size, bool fresh, int pipe_end)
{
    struct workload_engine engine = {0};
    if (chdir(directory) != 0)
        _exit(2);
    set_page_size(page_size);
    JET_ERR err = workload_init(&engine, "./");
    if (err >= JET_errSuccess)
        err = fresh ? workload_create(&engine, "w.edb") : workload_open(&engine, "w.edb");
    uint32_t done = READY;
    while (err >= JET_errSuccess) {
        if (write(pipe_end, &done, sizeof done) != (ssize_t)sizeof done)
            _exit(2);
        err = workload_run(&engine, workload);
        done = workload->done;
    }
    child_dies(&engine, err);
}

static void note_finding(void *context, const struct ESENT_HOST_FINDING *finding)
{
    (void)context;
    if (!finding->warning)
        fprintf(stderr, "checker: %s: page %u object %u: %s\n", finding->kind, finding->page, finding->object,
                finding->text);
}

/* Another process: recovers, compares, ends properly, checks. Exit status 10 or 11: the state is after `done`
 * or one more. */
static void verify(struct workload *workload, uint32_t page_size)
{
    struct workload_engine engine = {0};
    char why[256] = "";
    char why_next[256] = "";
    int status = 10;
    if (chdir(directory) != 0)
        _exit(2);
    set_page_size(page_size);
    JET_ERR err = workload_init(&engine, "./");
    if (err >= JET_errSuccess)
        err = workload_open(&engine, "w.edb");
    if (err < JET_errSuccess)
        child_dies(&engine, err);
    if (!workload_matches(&engine, workload, why, sizeof why)) {
        workload_advance(workload);
        status = 11;
        if (!workload_matches(&engine, workload, why_next, sizeof why_next)) {
            fprintf(stderr, "neither before (%s) nor after (%s)\n", why, why_next);
            _exit(4);
        }
    }
    err = JetTerm2(engine.instance, JET_bitTermComplete);
    if (err < JET_errSuccess)
        child_dies(&engine, err);
    err = EsentHostCheckDatabase("w.edb", note_finding, NULL);
    if (err != JET_errSuccess) {
        fprintf(stderr, "checker: %d\n", err);
        _exit(5);
    }
    _exit(status);
}

static void sleep_microseconds(uint32_t microseconds)
{
    struct timespec rest = {microseconds / 1000000, (long)(microseconds % 1000000) * 1000};
    nanosleep(&rest, NULL);
}

/* Takes one number from the worker. */
static bool hear(int from, uint32_t *last, bool *ready)
{
    uint32_t told;
    if (read(from, &told, sizeof told) != (ssize_t)sizeof told)
        return false;
    *ready = true;
    if (told != READY)
        *last = told;
    return true;
}

/* Starts a worker, kills it `delay` microseconds later (`patient`: later than its first transaction, however
 * slow the machine is), answers how many transactions it told of (READY: none; 0 with *ready false: not even
 * ready). */
static uint32_t kill_once(struct workload *workload, uint32_t page_size, bool fresh, uint32_t delay,
                          bool patient, bool *ready)
{
    int ends[2];
    uint32_t last = workload->done;
    assert_int_equal(pipe(ends), 0);
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        close(ends[0]);
        work(workload, page_size, fresh, ends[1]);
    }
    close(ends[1]);
    *ready = false;
    while (patient && last == workload->done && hear(ends[0], &last, ready)) {
    }
    sleep_microseconds(delay);
    kill(child, SIGKILL);
    while (hear(ends[0], &last, ready)) {
    }
    close(ends[0]);
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL)
        fail_msg("the worker ended by itself: %x", (unsigned)status);
    return last;
}

static void remove_directory(void)
{
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", directory);
    assert_int_equal(system(command), 0);
}

static void make_directory(void)
{
    snprintf(directory, sizeof directory, "/tmp/kill_test_XXXXXX");
    assert_non_null(mkdtemp(directory));
}

static void kill_again_and_again(uint32_t page_size, uint32_t rounds)
{
    struct workload workload = {.seed = page_size};
    uint64_t random = page_size;
    bool fresh = true;
    uint32_t one_more = 0;
    make_directory();
    for (uint32_t round = 0; round < rounds; round++) {
        bool ready = false;
        uint32_t delay = 5000 + workload_random(&random, round % 3 == 0 ? 10000 : 100000);
        uint32_t last = kill_once(&workload, page_size, fresh, delay, round % 3 == 1, &ready);
        if (!ready && fresh) {
            /* killed before there was a database to keep */
            remove_directory();
            make_directory();
            continue;
        }
        fresh = false;
        while (workload.done < last)
            workload_advance(&workload);
        fflush(stdout);
        pid_t child = fork();
        if (child == 0)
            verify(&workload, page_size);
        int status = 0;
        assert_int_equal(waitpid(child, &status, 0), child);
        if (!WIFEXITED(status) || (WEXITSTATUS(status) != 10 && WEXITSTATUS(status) != 11))
            fail_msg("round %u of %u, page size %u, after %u transactions: status %x; files in %s", round,
                     rounds, page_size, workload.done, (unsigned)status, directory);
        if (WEXITSTATUS(status) == 11) {
            workload_advance(&workload);
            one_more++;
        }
    }
    print_message("page size %u: %u kills, %u transactions, %u unanswered commits came through\n", page_size,
                  rounds, workload.done, one_more);
    assert_true(workload.done > 0);
    remove_directory();
}

static uint32_t rounds_wanted(void)
{
    const char *text = getenv("KILL_ROUNDS");
    return text != NULL ? (uint32_t)strtoul(text, NULL, 10) : 12;
}

static void kills_with_small_pages(void **state)
{
    (void)state;
    kill_again_and_again(4096, (rounds_wanted() + 1) / 2);
}

static void kills_with_large_pages(void **state)
{
    (void)state;
    kill_again_and_again(32768, (rounds_wanted() + 1) / 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kills_with_small_pages),
        cmocka_unit_test(kills_with_large_pages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
