/* Locks, conditions, threads, background tasks: with real threads and under the simulated scheduler. */
#if !defined(_GNU_SOURCE)
#define _GNU_SOURCE 1
#endif

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "include/esent_host.h"
#include "src/os/atomic.h"
#include "src/os/clock.h"
#include "src/os/executor.h"
#include "src/os/fault.h"
#include "src/os/file.h"
#include "src/os/host.h"
#include "src/os/lock.h"
#include "src/os/memory.h"
#include "src/os/random.h"
#include "src/os/thread.h"

static void simulate(uint64_t seed, enum ESENT_HOST_SCHEDULER scheduler)
{
    struct ESENT_HOST_SIMULATION simulation = {.seed = seed, .scheduler = scheduler, .expected_points = 200};
    assert_int_equal(EsentHostUseSimulation(&simulation), JET_errSuccess);
}

static int end_world(void **state)
{
    (void)state;
    assert_int_equal(EsentHostReset(NULL, 0), 0);
    assert_int_equal(EsentHostUseThreads(), JET_errSuccess);
    return 0;
}

/* Runs a test with real threads and under each scheduler with some seeds. */
static void in_every_mode(void (*body)(void))
{
    body();
    for (uint64_t seed = 0; seed < 12; seed++) {
        for (int scheduler = ESENT_HOST_SCHEDULE_FIFO; scheduler <= ESENT_HOST_SCHEDULE_PRIORITY;
             scheduler++) {
            simulate(seed, (enum ESENT_HOST_SCHEDULER)scheduler);
            body();
            assert_int_equal(EsentHostReset(NULL, 0), 0);
        }
    }
    assert_int_equal(EsentHostUseThreads(), JET_errSuccess);
}

#define THREADS 4

static void run_threads(void (*function)(void *), void *context)
{
    struct os_thread *threads[THREADS];
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(os_thread_create(function, context, &threads[i]), JET_errSuccess);
    for (size_t i = 0; i < THREADS; i++)
        os_thread_join(threads[i]);
}

/* ---- mutex */

static struct os_mutex counter_lock;
static uint32_t counter;
static struct os_mutex static_lock = OS_MUTEX_INITIALIZER(OS_RANK_LEAF);

static void count_under_mutex(void *context)
{
    (void)context;
    for (int i = 0; i < 50; i++) {
        os_mutex_lock(&counter_lock);
        assert_true(os_mutex_is_held(&counter_lock));
        uint32_t value = counter;
        os_mutex_lock(&static_lock);
        os_mutex_unlock(&static_lock);
        counter = value + 1;
        os_mutex_unlock(&counter_lock);
    }
}

static void mutex_body(void)
{
    os_mutex_init(&counter_lock, OS_RANK_DATABASES);
    counter = 0;
    run_threads(count_under_mutex, NULL);
    assert_int_equal(counter, THREADS * 50);
    assert_true(os_mutex_try_lock(&counter_lock));
    os_mutex_unlock(&counter_lock);
    assert_true(os_lock_none_held());
    os_mutex_destroy(&counter_lock);
}

static void mutexes_exclude(void **state)
{
    (void)state;
    in_every_mode(mutex_body);
}

/* ---- reader-writer lock */

static struct os_rwlock shared_lock;
static uint32_t pair[2];
static os_atomic_32 upgrades;

static void read_and_write(void *context)
{
    (void)context;
    for (int i = 0; i < 60; i++) {
        switch (i % 6) {
        case 0:
            os_rwlock_lock_exclusive(&shared_lock);
            assert_true(os_rwlock_is_exclusive(&shared_lock));
            pair[0]++;
            os_yield();
            pair[1]++;
            os_rwlock_downgrade(&shared_lock);
            assert_int_equal(pair[0], pair[1]);
            os_rwlock_unlock_shared(&shared_lock);
            break;
        case 1:
            os_rwlock_lock_shared(&shared_lock);
            if (os_rwlock_try_upgrade(&shared_lock)) {
                pair[0]++;
                os_yield();
                pair[1]++;
                os_rwlock_unlock_exclusive(&shared_lock);
                os_atomic_add(&upgrades, 1);
            } else {
                os_rwlock_unlock_shared(&shared_lock);
            }
            break;
        case 2:
            if (os_rwlock_try_lock_exclusive(&shared_lock)) {
                pair[0]++;
                os_yield();
                pair[1]++;
                os_rwlock_unlock_exclusive(&shared_lock);
            }
            break;
        case 3:
            if (os_rwlock_try_lock_shared(&shared_lock)) {
                assert_int_equal(pair[0], pair[1]);
                os_rwlock_unlock_shared(&shared_lock);
            }
            break;
        default:
            os_rwlock_lock_shared(&shared_lock);
            assert_int_equal(pair[0], pair[1]);
            os_yield();
            assert_int_equal(pair[0], pair[1]);
            os_rwlock_unlock_shared(&shared_lock);
            break;
        }
    }
}

static void rwlock_body(void)
{
    os_rwlock_init(&shared_lock, OS_RANK_PAGE_LATCH);
    pair[0] = pair[1] = 0;
    os_atomic_store(&upgrades, 0);
    run_threads(read_and_write, NULL);
    assert_int_equal(pair[0], pair[1]);
    assert_true(pair[0] >= THREADS * 10);
    assert_true(os_atomic_load(&upgrades) > 0);
    assert_true(os_rwlock_is_idle(&shared_lock));
    os_rwlock_destroy(&shared_lock);
}

static void latches_share_and_exclude(void **state)
{
    (void)state;
    in_every_mode(rwlock_body);
}

/* ---- condition: a small bounded queue */

static struct os_mutex queue_lock;
static struct os_condition not_full;
static struct os_condition not_empty;
static uint32_t queue_length;
static uint32_t taken;

static void produce(void *context)
{
    (void)context;
    for (int i = 0; i < 40; i++) {
        os_mutex_lock(&queue_lock);
        while (queue_length == 3)
            os_condition_wait(&not_full, &queue_lock, OS_WAIT_FOREVER);
        queue_length++;
        os_condition_wake_one(&not_empty);
        os_mutex_unlock(&queue_lock);
    }
}

static void consume(void *context)
{
    (void)context;
    for (int i = 0; i < 40; i++) {
        os_mutex_lock(&queue_lock);
        while (queue_length == 0)
            os_condition_wait(&not_empty, &queue_lock, 60000);
        queue_length--;
        taken++;
        os_condition_wake_all(&not_full);
        os_mutex_unlock(&queue_lock);
    }
}

static void condition_body(void)
{
    struct os_thread *threads[4];
    os_mutex_init(&queue_lock, OS_RANK_LEAF);
    os_condition_init(&not_full);
    os_condition_init(&not_empty);
    queue_length = taken = 0;
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(os_thread_create(i % 2 == 0 ? produce : consume, NULL, &threads[i]), JET_errSuccess);
    for (size_t i = 0; i < 4; i++)
        os_thread_join(threads[i]);
    assert_int_equal(taken, 80);
    assert_int_equal(queue_length, 0);
    os_mutex_lock(&queue_lock);
    uint64_t before = os_clock_ticks();
    assert_false(os_condition_wait(&not_empty, &queue_lock, 20));
    assert_true(os_clock_ticks() >= before + 19);
    os_mutex_unlock(&queue_lock);
    os_condition_destroy(&not_full);
    os_condition_destroy(&not_empty);
    os_mutex_destroy(&queue_lock);
}

static void conditions_wake(void **state)
{
    (void)state;
    in_every_mode(condition_body);
}

/* ---- the scheduler */

static char trace[4096];

static void leave_trace(void *context)
{
    size_t at;
    char mark = (char)('a' + (int)(intptr_t)context);
    for (int i = 0; i < 20; i++) {
        os_sleep((uint32_t)(i % 3));
        at = strlen(trace);
        trace[at] = mark;
        trace[at + 1] = 0;
        os_yield();
    }
}

static void make_trace(void)
{
    struct os_thread *threads[THREADS];
    trace[0] = 0;
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(os_thread_create(leave_trace, (void *)(intptr_t)i, &threads[i]), JET_errSuccess);
    for (size_t i = 0; i < THREADS; i++)
        os_thread_join(threads[i]);
}

static void the_same_seed_is_the_same_run(void **state)
{
    (void)state;
    char first[4096];
    uint32_t different = 0;
    for (int scheduler = ESENT_HOST_SCHEDULE_RANDOM; scheduler <= ESENT_HOST_SCHEDULE_PRIORITY; scheduler++) {
        char last[4096] = "";
        for (uint64_t seed = 1; seed <= 10; seed++) {
            simulate(seed, (enum ESENT_HOST_SCHEDULER)scheduler);
            uint32_t number = os_random_32();
            make_trace();
            int64_t end = os_clock_now();
            memcpy(first, trace, sizeof first);
            assert_int_equal(EsentHostReset(NULL, 0), 0);
            assert_int_equal(os_random_32(), number);
            make_trace();
            assert_string_equal(trace, first);
            assert_int_equal(os_clock_now(), end);
            different += strcmp(first, last) != 0;
            memcpy(last, first, sizeof last);
        }
    }
    assert_true(different > 15);
}

static void a_schedule_runs_again(void **state)
{
    (void)state;
    char first[4096];
    uint8_t choices[4096];
    simulate(77, ESENT_HOST_SCHEDULE_RANDOM);
    make_trace();
    memcpy(first, trace, sizeof first);
    size_t size = EsentHostGetSchedule(choices, sizeof choices);
    assert_true(size > 10 && size < sizeof choices);
    struct ESENT_HOST_COUNTERS counters;
    EsentHostGetCounters(&counters);
    assert_true(counters.switches > 10);
    struct ESENT_HOST_SIMULATION simulation = {.seed = 1, .choices = choices, .choices_size = size};
    assert_int_equal(EsentHostUseSimulation(&simulation), JET_errSuccess);
    make_trace();
    assert_string_equal(trace, first);
    /* any bytes are a schedule */
    memset(choices, 0xa5, sizeof choices);
    assert_int_equal(EsentHostUseSimulation(&simulation), JET_errSuccess);
    make_trace();
    assert_int_equal(strlen(trace), THREADS * 20);
}

/* Deviations from a schedule: at one point of it another thread gets its turn; what was before stays. */
static void a_schedule_can_be_left_at_a_point(void **state)
{
    (void)state;
    char plain[4096];
    uint8_t choices[4096];
    uint8_t left[4096];
    simulate(0, ESENT_HOST_SCHEDULE_FIFO);
    make_trace();
    memcpy(plain, trace, sizeof plain);
    const size_t size = EsentHostGetSchedule(choices, sizeof choices);
    assert_true(size > 10 && size < sizeof choices);
    struct ESENT_HOST_SIMULATION simulation = {.choices = choices, .choices_size = size};
    assert_int_equal(EsentHostUseSimulation(&simulation), JET_errSuccess);
    make_trace();
    assert_string_equal(trace, plain);
    size_t different = 0;
    for (size_t at = 0; at < size; at++) {
        memset(left, 0xff, sizeof left);
        left[at] = 0xfe;
        simulation.choices = left;
        simulation.choices_size = at + 1;
        assert_int_equal(EsentHostUseSimulation(&simulation), JET_errSuccess);
        make_trace();
        different += strcmp(trace, plain) != 0;
        EsentHostGetSchedule(left, sizeof left);
        assert_memory_equal(left, choices, at);
        if ((choices[at] & ESENT_HOST_CHOICE_BACKGROUND) == 0)
            assert_int_not_equal(left[at], choices[at]);
    }
    assert_true(different > size / 2);
}

/* A bug of depth two: lost update between two unlocked steps. The random schedulers find it. */
static uint32_t balance;

static void update_carelessly(void *context)
{
    (void)context;
    uint32_t value = balance;
    os_yield();
    balance = value + 1;
}

static void schedules_find_a_lost_update(void **state)
{
    (void)state;
    for (int scheduler = ESENT_HOST_SCHEDULE_RANDOM; scheduler <= ESENT_HOST_SCHEDULE_PRIORITY; scheduler++) {
        uint32_t lost = 0;
        for (uint64_t seed = 0; seed < 50; seed++) {
            simulate(seed, (enum ESENT_HOST_SCHEDULER)scheduler);
            balance = 0;
            run_threads(update_carelessly, NULL);
            lost += balance != THREADS;
            assert_int_equal(EsentHostReset(NULL, 0), 0);
        }
        assert_true(lost > 5);
    }
}

/* ---- things that must end the process: tried in a child */

static struct os_mutex first_lock;
static struct os_mutex second_lock;

static void lock_and_wait(void *context)
{
    struct os_mutex *mine = context == NULL ? &first_lock : &second_lock;
    os_mutex_lock(mine);
    os_sleep(10);
}

static void deadlock(void)
{
    static struct os_condition never;
    simulate(1, ESENT_HOST_SCHEDULE_FIFO);
    os_mutex_init(&first_lock, OS_RANK_DATABASES);
    os_condition_init(&never);
    os_mutex_lock(&first_lock);
    os_condition_wait(&never, &first_lock, OS_WAIT_FOREVER);
}

static void wrong_order(void)
{
    os_mutex_init(&first_lock, OS_RANK_DATABASES);
    os_mutex_init(&second_lock, OS_RANK_LEAF);
    os_mutex_lock(&second_lock);
    os_mutex_lock(&first_lock);
}

static void twice(void)
{
    os_mutex_init(&first_lock, OS_RANK_PAGE_LATCH);
    os_mutex_lock(&first_lock);
    os_mutex_lock(&first_lock);
}

static void sleep_with_lock(void)
{
    os_mutex_init(&first_lock, OS_RANK_DATABASES);
    lock_and_wait(NULL);
}

static void spin_for_ever(void *context)
{
    (void)context;
    for (;;)
        os_yield();
}

static void livelock(void)
{
    struct ESENT_HOST_SIMULATION simulation = {.maximum_points = 5000};
    struct os_thread *thread;
    assert_int_equal(EsentHostUseSimulation(&simulation), JET_errSuccess);
    assert_int_equal(os_thread_create(spin_for_ever, NULL, &thread), JET_errSuccess);
    spin_for_ever(NULL);
}

static void exit_as_told(const char *report)
{
    _exit(strstr(report, "deadlock") != NULL && strstr(report, "condition") != NULL ? 42 : 1);
}

static int status_of(void (*body)(void), bool quiet)
{
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        if (quiet && freopen("/dev/null", "w", stderr) == NULL)
            _exit(9);
        signal(SIGABRT, SIG_DFL);
        body();
        _exit(0);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

static void mistakes_are_caught(void **state)
{
    (void)state;
    static void (*const bodies[])(void) = {deadlock, livelock, wrong_order, twice, sleep_with_lock};
    size_t count = sizeof bodies / sizeof bodies[0];
#if !defined(ESENT_ASSERTIONS)
    count = 2; /* the order of locks is an invariant, checked where invariants are */
#endif
    for (size_t i = 0; i < count; i++) {
        int status = status_of(bodies[i], true);
        assert_true(WIFSIGNALED(status) || WEXITSTATUS(status) != 0);
    }
    EsentHostSetStuckHandler(exit_as_told);
    int status = status_of(deadlock, true);
    EsentHostSetStuckHandler(NULL);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 42);
}

/* ---- death */

static os_atomic_32 forgotten;
static void forget_something(void)
{
    os_atomic_add(&forgotten, 1);
}

static void die_in_the_middle(void *context)
{
    struct os_file *file = NULL;
    (void)context;
    os_mutex_lock(&static_lock);
    assert_non_null(os_allocate(1000));
    assert_int_equal(os_file_open("/dying", OS_OPEN_OR_CREATE, OS_SHARE_READ_WRITE, &file), JET_errSuccess);
    for (;;)
        os_yield();
}

static void a_dying_process_leaves_only_files(void **state)
{
    (void)state;
    struct os_thread *threads[3];
    assert_int_equal(EsentHostUseMemoryFiles(), JET_errSuccess);
    simulate(3, ESENT_HOST_SCHEDULE_RANDOM);
    os_host_on_death(forget_something);
    os_host_on_death(forget_something);
    os_atomic_store(&forgotten, 0);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(os_thread_create(die_in_the_middle, NULL, &threads[i]), JET_errSuccess);
    for (int i = 0; i < 30; i++)
        os_yield();
    assert_true(os_memory_live_count() > 0);
    os_host_hold();
    assert_int_equal(EsentHostSetProfile(ESENT_HOST_PUBLISHED), JET_errAlreadyInitialized);
    EsentHostCrash();
    assert_int_equal(os_atomic_load(&forgotten), 1);
    assert_int_equal(os_memory_live_count(), 0);
    struct ESENT_HOST_COUNTERS counters;
    EsentHostGetCounters(&counters);
    assert_int_equal(counters.open_files, 0);
    assert_true(os_mutex_try_lock(&static_lock)); /* the dead hold nothing */
    os_mutex_unlock(&static_lock);
    assert_true(os_file_exists("/dying"));
    assert_int_equal(EsentHostSetProfile(ESENT_HOST_DOCUMENTED), JET_errSuccess);
    for (size_t i = 0; i < 3; i++)
        os_thread_join(threads[i]);
    assert_int_equal(EsentHostReset(NULL, 0), 0);
    assert_int_equal(EsentHostUsePosixFiles(), JET_errSuccess);
}

/* ---- background work */

static os_atomic_32 runs;
static struct os_task task;
static struct os_task other_task;

static void count_run(void *context)
{
    (void)context;
    os_atomic_add(&runs, 1);
}

static void submit_again(void *context)
{
    (void)context;
    if (os_atomic_add(&runs, 1) < 5)
        os_task_submit(&other_task);
}

static void wait_for_runs(uint32_t wanted)
{
    for (int i = 0; i < 5000 && os_atomic_load(&runs) < wanted; i++) {
        os_executor_point();
        if (os_atomic_load(&runs) < wanted)
            os_sleep(1);
    }
    assert_int_equal(os_atomic_load(&runs), wanted);
}

static void executor_body(void)
{
    os_atomic_store(&runs, 0);
    os_task_init(&task, count_run, NULL);
    os_task_init(&other_task, submit_again, NULL);
    os_task_submit(&task);
    wait_for_runs(1);
    os_task_cancel(&task);
    /* later */
    uint64_t before = os_clock_ticks();
    os_task_submit_after(&task, 30);
    wait_for_runs(2);
    assert_true(os_clock_ticks() >= before + 29);
    os_task_cancel(&task);
    /* never */
    os_task_submit_after(&task, 100000);
    assert_false(os_task_is_idle(&task));
    os_task_cancel(&task);
    assert_true(os_task_is_idle(&task));
    assert_int_equal(os_atomic_load(&runs), 2);
    /* at once */
    os_task_submit_after(&task, 100000);
    os_task_flush(&task);
    assert_int_equal(os_atomic_load(&runs), 3);
    os_task_flush(&task);
    assert_int_equal(os_atomic_load(&runs), 3);
    /* an earlier time wins, once */
    os_task_submit_after(&task, 100000);
    os_task_submit(&task);
    os_task_submit_after(&task, 50);
    wait_for_runs(4);
    os_task_cancel(&task);
    os_atomic_store(&runs, 0);
    os_task_submit(&other_task);
    wait_for_runs(5);
    os_task_cancel(&other_task);
    os_executor_stop();
    assert_int_equal(os_executor_run_pending(), 0);
}

static void tasks_run_in_time(void **state)
{
    (void)state;
    in_every_mode(executor_body);
}

static void tasks_run_without_threads(void **state)
{
    (void)state;
    os_atomic_store(&runs, 0);
    os_task_init(&task, count_run, NULL);
    EsentHostFailNth(ESENT_HOST_FAULT_THREAD, 1, 0);
    os_task_submit(&task);
    assert_int_equal(os_atomic_load(&runs), 0);
    assert_int_equal(os_executor_run_pending(), 1);
    assert_int_equal(os_atomic_load(&runs), 1);
    EsentHostFailNone();
}

static struct os_mutex wait_lock;
static struct os_condition done_condition;

static void announce(void *context)
{
    (void)context;
    os_mutex_lock(&wait_lock);
    os_atomic_add(&runs, 1);
    os_condition_wake_all(&done_condition);
    os_mutex_unlock(&wait_lock);
}

/* Who waits for what only background work brings, gets it, though nobody reaches a chosen point. */
static void waiting_lets_background_work_run(void **state)
{
    (void)state;
    for (uint32_t background = 0; background < 2; background++) {
        struct ESENT_HOST_SIMULATION simulation = {
            .seed = 1, .scheduler = ESENT_HOST_SCHEDULE_RANDOM, .background_thread = background};
        assert_int_equal(EsentHostUseSimulation(&simulation), JET_errSuccess);
        os_atomic_store(&runs, 0);
        os_mutex_init(&wait_lock, OS_RANK_LEAF);
        os_condition_init(&done_condition);
        os_task_init(&task, announce, NULL);
        for (uint32_t i = 1; i <= 3; i++) {
            os_task_submit_after(&task, i * 10);
            os_mutex_lock(&wait_lock);
            while (os_atomic_load(&runs) < i)
                os_condition_wait(&done_condition, &wait_lock, OS_WAIT_FOREVER);
            os_mutex_unlock(&wait_lock);
        }
        os_task_cancel(&task);
        os_condition_destroy(&done_condition);
        os_mutex_destroy(&wait_lock);
        assert_int_equal(EsentHostReset(NULL, 0), 0);
    }
}

static void threads_can_fail_to_start(void **state)
{
    (void)state;
    struct os_thread *thread = NULL;
    EsentHostFailNth(ESENT_HOST_FAULT_THREAD, 1, 1);
    assert_int_equal(os_thread_create(spin_for_ever, NULL, &thread), JET_errOutOfThreads);
    assert_null(thread);
    EsentHostFailNone();
}

static void ids_differ(void *context)
{
    assert_true(os_thread_id() != *(uint64_t *)context);
    assert_true(os_thread_id() != 0);
}

static void threads_have_ids(void **state)
{
    (void)state;
    uint64_t mine = os_thread_id();
    run_threads(ids_differ, &mine);
    assert_int_equal(os_thread_id(), mine);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(mutexes_exclude, end_world),
        cmocka_unit_test_teardown(latches_share_and_exclude, end_world),
        cmocka_unit_test_teardown(conditions_wake, end_world),
        cmocka_unit_test_teardown(the_same_seed_is_the_same_run, end_world),
        cmocka_unit_test_teardown(a_schedule_runs_again, end_world),
        cmocka_unit_test_teardown(a_schedule_can_be_left_at_a_point, end_world),
        cmocka_unit_test_teardown(schedules_find_a_lost_update, end_world),
        cmocka_unit_test_teardown(mistakes_are_caught, end_world),
        cmocka_unit_test_teardown(a_dying_process_leaves_only_files, end_world),
        cmocka_unit_test_teardown(tasks_run_in_time, end_world),
        cmocka_unit_test_teardown(tasks_run_without_threads, end_world),
        cmocka_unit_test_teardown(waiting_lets_background_work_run, end_world),
        cmocka_unit_test_teardown(threads_can_fail_to_start, end_world),
        cmocka_unit_test_teardown(threads_have_ids, end_world),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
