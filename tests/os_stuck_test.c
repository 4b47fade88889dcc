/* Where threads wait: simulations that can go no further and say why, choices handed in, locks of the dead,
 * background work that is waited for. */
#if !defined(_GNU_SOURCE)
#define _GNU_SOURCE 1
#endif

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "include/esent_host.h"
#include "src/os/atomic.h"
#include "src/os/clock.h"
#include "src/os/executor.h"
#include "src/os/host.h"
#include "src/os/lock.h"
#include "src/os/memory.h"
#include "src/os/thread.h"

static int end_world(void **state)
{
    (void)state;
    os_host_memory_fail_nth(0);
    assert_int_equal(EsentHostReset(NULL, 0), 0);
    assert_int_equal(EsentHostUseThreads(), JET_errSuccess);
    return 0;
}

static void simulate(struct ESENT_HOST_SIMULATION simulation)
{
    assert_int_equal(EsentHostUseSimulation(&simulation), JET_errSuccess);
}

/* ---- stuck simulations: each in a process of its own, which leaves by the handler */

#if defined(__has_feature)
#if __has_feature(thread_sanitizer) || __has_feature(address_sanitizer)
#define WITH_SANITIZER 1
#endif
#endif
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
#define WITH_SANITIZER 1
#endif
#if defined(WITH_SANITIZER)
/* Past the sanitizer's own end of a process: threads that are stuck, and what only stacks point at that have
 * no turn, would count as leaked. */
#define leave_process(code) (void)syscall(SYS_exit_group, code)
#else
#define leave_process exit /* so that coverage is written */
#endif

static const char *const *wanted;

static void leave(const char *report)
{
    for (size_t i = 0; wanted[i] != NULL; i++) {
        if (strstr(report, wanted[i]) == NULL) {
            fprintf(stderr, "no \"%s\" in: %s", wanted[i], report);
            leave_process(1);
        }
    }
    leave_process(42);
}

static struct os_mutex lock;
static struct os_condition never;
static struct os_task task;

static void wait_for_ever(void *context)
{
    (void)context;
    os_mutex_lock(&lock);
    os_condition_wait(&never, &lock, OS_WAIT_FOREVER);
}

static void do_nothing(void *context)
{
    (void)context;
}

static void prepare(struct ESENT_HOST_SIMULATION simulation)
{
    simulate(simulation);
    os_mutex_init(&lock, OS_RANK_LEAF);
    os_condition_init(&never);
}

static void all_wait(void)
{
    struct os_thread *threads[2];
    prepare((struct ESENT_HOST_SIMULATION){.seed = 1});
    assert_int_equal(os_thread_create(do_nothing, NULL, &threads[0]), JET_errSuccess);
    assert_int_equal(os_thread_create(wait_for_ever, NULL, &threads[1]), JET_errSuccess);
    os_thread_join(threads[1]);
}

static void all_wait_and_no_work(void)
{
    prepare((struct ESENT_HOST_SIMULATION){.background_thread = 1});
    os_task_init(&task, do_nothing, NULL);
    os_task_submit(&task);
    os_sleep(10);
    wait_for_ever(NULL);
}

static void one_goes_on_for_ever(void)
{
    struct os_thread *thread;
    prepare((struct ESENT_HOST_SIMULATION){.maximum_points = 5000});
    assert_int_equal(os_thread_create(do_nothing, NULL, &thread), JET_errSuccess);
    for (;;) {
        os_mutex_lock(&lock);
        os_mutex_unlock(&lock);
    }
}

static void submit_again(void *context)
{
    (void)context;
    os_task_submit_after(&task, 1);
}

static void only_background_work(void)
{
    prepare((struct ESENT_HOST_SIMULATION){.background_thread = 0});
    os_task_init(&task, submit_again, NULL);
    os_task_submit(&task);
    wait_for_ever(NULL);
}

static void no_memory_for_background_work(void)
{
    prepare((struct ESENT_HOST_SIMULATION){.background_thread = 1});
    os_task_init(&task, do_nothing, NULL);
    os_host_memory_fail_nth(1);
    os_task_submit(&task);
}

static const struct {
    void (*body)(void);
    const char *words[6];
} ends[] = {
    {all_wait,
     {"deadlock after", "thread 0: waits for end of thread", "thread 2: waits for condition", NULL}},
    {all_wait_and_no_work,
     {"deadlock after", "(background): waits for background work", "thread 0: waits for condition", NULL}},
    {one_goes_on_for_ever, {"livelock", "thread 0: can run", "thread 1: can run", NULL}},
    {only_background_work, {"deadlock (only background work goes on)", "(background)", NULL}},
    {no_memory_for_background_work, {"no memory for the background thread", NULL}},
};

static int status_of(void (*body)(void))
{
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        body();
        _exit(3);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

static void a_stuck_simulation_says_why(void **state)
{
    (void)state;
    EsentHostSetStuckHandler(leave);
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        wanted = ends[i].words;
        int status = status_of(ends[i].body);
        assert_true(WIFEXITED(status));
        if (WEXITSTATUS(status) != 42)
            fail_msg("%s: %d", ends[i].words[0], WEXITSTATUS(status));
    }
    EsentHostSetStuckHandler(NULL);
}

/* ---- choices handed in */

static char order[200];

static void sign(void *context)
{
    for (int i = 0; i < 3; i++) {
        size_t at = strlen(order);
        order[at] = (char)('a' + (int)(intptr_t)context);
        order[at + 1] = 0;
        os_yield();
    }
}

static const char *order_of(struct ESENT_HOST_SIMULATION simulation)
{
    struct os_thread *threads[3];
    order[0] = 0;
    simulate(simulation);
    for (intptr_t i = 0; i < 3; i++)
        assert_int_equal(os_thread_create(sign, (void *)i, &threads[i]), JET_errSuccess);
    for (size_t i = 0; i < 3; i++)
        os_thread_join(threads[i]);
    assert_int_equal(EsentHostReset(NULL, 0), 0);
    return order;
}

static void choices_name_threads(void **state)
{
    (void)state;
    /* thread 3 ('c') wherever it can run; then a thread that there is not: what the scheduler decides */
    uint8_t choices[64];
    memset(choices, ESENT_HOST_CHOICE_THREAD + 3, sizeof choices);
    struct ESENT_HOST_SIMULATION simulation = {.choices = choices, .choices_size = sizeof choices};
    assert_string_equal(order_of(simulation), "cccababab");
    char plain[200];
    simulation.choices_size = 0;
    strcpy(plain, order_of(simulation));
    simulation.choices_size = sizeof choices;
    memset(choices, ESENT_HOST_CHOICE_THREAD + 17, sizeof choices);
    assert_string_equal(order_of(simulation), plain);
}

static os_atomic_32 runs;

static void count_run(void *context)
{
    (void)context;
    os_atomic_add(&runs, 1);
}

static void choices_put_work_off(void **state)
{
    (void)state;
    static const uint8_t off[] = {3, 3, 3, 3, 0};
    simulate((struct ESENT_HOST_SIMULATION){.choices = off, .choices_size = sizeof off});
    os_atomic_store(&runs, 0);
    os_task_init(&task, count_run, NULL);
    os_task_submit(&task);
    for (int i = 0; i < 4; i++)
        os_executor_point();
    assert_int_equal(os_atomic_load(&runs), 0);
    os_executor_point();
    assert_int_equal(os_atomic_load(&runs), 1);
}

static void priorities_change_at_many_points(void **state)
{
    (void)state;
    char first[200];
    struct ESENT_HOST_SIMULATION simulation = {.seed = 5,
                                               .scheduler = ESENT_HOST_SCHEDULE_PRIORITY,
                                               .priority_changes = 1000,
                                               .maximum_points = 100000};
    strcpy(first, order_of(simulation));
    assert_int_equal(strlen(first), 9);
    assert_string_equal(order_of(simulation), first);
}

static void yield_often(void *context)
{
    (void)context;
    for (int i = 0; i < 4000; i++)
        os_yield();
}

/* A long record is made short again for the next life, which goes on alike if there is no memory even for
 * that. */
static void a_long_record_begins_anew(void **state)
{
    (void)state;
    struct os_thread *threads[2];
    size_t lengths[2];
    simulate((struct ESENT_HOST_SIMULATION){.seed = 3, .scheduler = ESENT_HOST_SCHEDULE_RANDOM});
    for (size_t life = 0; life < 2; life++) {
        for (size_t i = 0; i < 2; i++)
            assert_int_equal(os_thread_create(yield_often, NULL, &threads[i]), JET_errSuccess);
        for (size_t i = 0; i < 2; i++)
            os_thread_join(threads[i]);
        lengths[life] = EsentHostGetSchedule(NULL, 0);
        os_host_memory_fail_nth(1);
        assert_int_equal(EsentHostReset(NULL, 0), 0);
        os_host_memory_fail_nth(0);
        assert_int_equal(EsentHostGetSchedule(NULL, 0), 0);
    }
    assert_true(lengths[0] > 4096);
    assert_int_equal(lengths[0], lengths[1]);
}

/* ---- locks */

static struct os_rwlock latch;
#define SOMEBODY_WAITS 0x40000000u /* in the word of a latch */
static os_atomic_32 step;

static void await(uint32_t wanted_step)
{
    for (int i = 0; i < 10000 && os_atomic_load(&step) < wanted_step; i++)
        usleep(500);
    assert_int_equal(os_atomic_load(&step), wanted_step);
}

/* Holds the latch and the mutex from step 1 to step 2. */
static void hold_shared(void *context)
{
    (void)context;
    os_rwlock_lock_shared(&latch);
    os_mutex_lock(&lock);
    os_atomic_store(&step, 1);
    await(2);
    os_mutex_unlock(&lock);
    os_rwlock_unlock_shared(&latch);
}

static void hold_exclusive(void *context)
{
    (void)context;
    os_rwlock_lock_exclusive(&latch);
    os_atomic_store(&step, 1);
    await(2);
    os_rwlock_unlock_exclusive(&latch);
}

static void go_on_when_one_waits(void *context)
{
    (void)context;
    for (int i = 0; i < 10000 && (os_atomic_load(&latch.state) & SOMEBODY_WAITS) == 0; i++)
        usleep(500);
    os_atomic_store(&step, 2);
}

static void real_threads_wait_for_latches(void **state)
{
    (void)state;
    os_rwlock_init(&latch, OS_RANK_PAGE_LATCH);
    os_mutex_init(&lock, OS_RANK_LEAF);
    for (int round = 0; round < 3; round++) {
        struct os_thread *threads[2];
        os_atomic_store(&step, 0);
        assert_int_equal(os_thread_create(round == 0 ? hold_exclusive : hold_shared, NULL, &threads[0]),
                         JET_errSuccess);
        await(1);
        assert_int_equal(os_rwlock_try_lock_shared(&latch), round != 0);
        if (round != 0) {
            assert_false(os_mutex_try_lock(&lock));
            if (round == 1)
                os_rwlock_unlock_shared(&latch);
        }
        assert_false(os_rwlock_try_lock_exclusive(&latch));
        assert_false(os_rwlock_is_idle(&latch));
        assert_int_equal(os_thread_create(go_on_when_one_waits, NULL, &threads[1]), JET_errSuccess);
        if (round == 0) {
            os_rwlock_lock_shared(&latch); /* waits for the writer */
            os_rwlock_unlock_shared(&latch);
        } else if (round == 1) {
            os_rwlock_lock_exclusive(&latch); /* waits for the reader */
            os_rwlock_downgrade(&latch);
            os_rwlock_unlock_shared(&latch);
        } else {
            assert_true(os_rwlock_try_upgrade(&latch)); /* waits for the other reader */
            os_rwlock_unlock_exclusive(&latch);
        }
        assert_int_equal(os_atomic_load(&step), 2);
        for (size_t i = 0; i < 2; i++)
            os_thread_join(threads[i]);
        assert_true(os_rwlock_is_idle(&latch));
    }
    os_mutex_destroy(&lock);
    os_rwlock_destroy(&latch);
}

static void hold_and_wait(void *context)
{
    (void)context;
    os_rwlock_lock_exclusive(&latch);
    os_mutex_lock(&lock);
    os_condition_wait(&never, &lock, OS_WAIT_FOREVER);
}

static void hold_in_a_simulation(void *context)
{
    (void)context;
    os_mutex_lock(&lock);
    os_yield();
    os_mutex_unlock(&lock);
}

static void the_dead_hold_no_latch(void **state)
{
    (void)state;
    struct os_thread *thread;
    simulate((struct ESENT_HOST_SIMULATION){.seed = 2});
    os_rwlock_init(&latch, OS_RANK_PAGE_LATCH);
    os_mutex_init(&lock, OS_RANK_LEAF);
    os_condition_init(&never);
    assert_int_equal(os_thread_create(hold_in_a_simulation, NULL, &thread), JET_errSuccess);
    os_yield();
    assert_false(os_mutex_try_lock(&lock));
    os_thread_join(thread);
    assert_int_equal(os_thread_create(hold_and_wait, NULL, &thread), JET_errSuccess);
    os_yield();
    assert_false(os_rwlock_try_lock_shared(&latch));
    EsentHostCrash();
    assert_true(os_rwlock_is_idle(&latch));
    assert_true(os_rwlock_try_lock_exclusive(&latch));
    os_rwlock_unlock_exclusive(&latch);
    os_rwlock_destroy(&latch);
    os_thread_join(thread);
}

/* ---- background work */

static struct os_task slow;

static void take_time(void *context)
{
    (void)context;
    os_atomic_store(&step, 1);
    EsentHostSleep(30);
    os_atomic_add(&runs, 1);
}

/* Submits itself from within: at the earliest of the times. */
static void submit_itself(void *context)
{
    (void)context;
    if (os_atomic_add(&runs, 1) == 1) {
        os_task_submit_after(&slow, 5000);
        os_task_submit_after(&slow, 20);
        os_task_submit_after(&slow, 8000);
    }
}

static void waiters_body(bool flush)
{
    os_atomic_store(&runs, 0);
    os_atomic_store(&step, 0);
    os_task_init(&slow, take_time, NULL);
    os_task_submit(&slow);
    for (int i = 0; i < 1000 && os_atomic_load(&step) == 0; i++)
        EsentHostSleep(1);
    assert_int_equal(os_atomic_load(&step), 1);
    assert_int_equal(os_atomic_load(&runs), 0);
    if (flush)
        os_task_flush(&slow);
    else
        os_task_cancel(&slow);
    assert_int_equal(os_atomic_load(&runs), 1);
    assert_true(os_task_is_idle(&slow));
}

static void running_tasks_are_waited_for(void **state)
{
    (void)state;
    for (int flush = 0; flush < 2; flush++) {
        waiters_body(flush);
        os_executor_stop();
        simulate((struct ESENT_HOST_SIMULATION){.background_thread = 1});
        waiters_body(flush);
        assert_int_equal(EsentHostReset(NULL, 0), 0);
        assert_int_equal(EsentHostUseThreads(), JET_errSuccess);
    }
}

static void a_task_comes_back_at_the_earliest_time(void **state)
{
    (void)state;
    simulate((struct ESENT_HOST_SIMULATION){.background_thread = 1});
    os_atomic_store(&runs, 0);
    os_task_init(&slow, submit_itself, NULL);
    os_task_submit(&slow);
    os_sleep(19);
    assert_int_equal(os_atomic_load(&runs), 1);
    os_sleep(2);
    assert_int_equal(os_atomic_load(&runs), 2);
    os_sleep(10000);
    assert_int_equal(os_atomic_load(&runs), 2);
    os_task_cancel(&slow);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(a_stuck_simulation_says_why, end_world),
        cmocka_unit_test_teardown(choices_name_threads, end_world),
        cmocka_unit_test_teardown(choices_put_work_off, end_world),
        cmocka_unit_test_teardown(priorities_change_at_many_points, end_world),
        cmocka_unit_test_teardown(a_long_record_begins_anew, end_world),
        cmocka_unit_test_teardown(real_threads_wait_for_latches, end_world),
        cmocka_unit_test_teardown(the_dead_hold_no_latch, end_world),
        cmocka_unit_test_teardown(running_tasks_are_waited_for, end_world),
        cmocka_unit_test_teardown(a_task_comes_back_at_the_earliest_time, end_world),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
