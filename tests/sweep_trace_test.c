/* What a sweep of schedules knows of a run: whose turn each step was, what it touched, and which steps may
 * change places. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>

#include "fuzz/sweep/trace.h"
#include "include/esent_host.h"

#define ROOM ((size_t)8 << 20)

static void *room;
static struct trace *trace;
static struct trace_set set;

static int make_room(void **state)
{
    (void)state;
    room = malloc(ROOM);
    set.slots = malloc(TRACE_SET_SLOTS * sizeof *set.slots);
    return room != NULL && set.slots != NULL ? 0 : -1;
}

static int free_room(void **state)
{
    (void)state;
    free(room);
    free(set.slots);
    return 0;
}

static void add_step(uint32_t thread, uint32_t next, uint32_t choice, bool free_to_go_on)
{
    trace->steps[trace->step_count++] = (struct trace_step){.thread = thread,
                                                            .choice = choice,
                                                            .next = next,
                                                            .free_to_go_on = free_to_go_on,
                                                            .first = trace->access_count};
}

/* An access of the last step. */
static void add_access(uint64_t first, uint32_t count, bool changes)
{
    trace->accesses[trace->access_count++] = (struct trace_access){first, count, changes};
    trace->steps[trace->step_count - 1].count++;
}

/* A step of thread 0 that looks at 100 to 103 and changes 200, then a turn of thread 1 in two steps that
 * looks at 300 and changes 102, then another step of thread 0 that changes 500. */
static void make_trace(void)
{
    trace = trace_in(room, ROOM);
    trace->known = true;
    add_step(0, 1, TRACE_NONE, false);
    add_access(100, 4, false);
    add_access(200, 1, true);
    add_step(1, 1, 7, true);
    add_access(300, 1, false);
    add_step(1, 0, TRACE_NONE, false);
    add_access(102, 1, true);
    add_step(0, 0, TRACE_NONE, false);
    add_access(500, 1, true);
}

static bool meets(uint64_t first, uint32_t count, bool changes)
{
    struct trace other = {.access_count = 1};
    struct trace_access access = {first, count, changes};
    const struct trace_step step = {.count = 1};
    other.accesses = &access;
    return trace_meets(&set, &other, &step);
}

static void test_steps_meet_where_one_changes(void **state)
{
    (void)state;
    make_trace();
    trace_set_of_turn(&set, trace, 1);
    assert_false(set.open);
    assert_int_equal(set.count, 2);
    assert_true(trace_meets(&set, trace, &trace->steps[0]));
    assert_false(trace_meets(&set, trace, &trace->steps[3]));
    assert_false(meets(300, 1, false)); /* both only look */
    assert_true(meets(300, 1, true));
    assert_true(meets(102, 1, false));
    assert_true(meets(90, 13, false));  /* a range that reaches it */
    assert_false(meets(90, 12, false)); /* one that does not */
    assert_false(meets(500, 1, true));  /* that was the turn behind */
    trace_set_of_step(&set, trace, 1);
    assert_false(meets(102, 1, true));
    assert_true(meets(300, 1, true));
}

static void test_what_is_not_known_meets_everything(void **state)
{
    (void)state;
    make_trace();
    trace->steps[2].choice = 9; /* the turn was given away: another schedule lets it go on */
    trace_set_of_turn(&set, trace, 1);
    assert_true(meets(1, 1, false));
    make_trace();
    trace->known = false;
    trace_set_of_turn(&set, trace, 1);
    assert_true(meets(1, 1, false));
    make_trace();
    trace->overflowed = true;
    trace_set_of_step(&set, trace, 0);
    assert_true(meets(1, 1, false));
    make_trace();
    trace->accesses[3].count = TRACE_SET_SLOTS; /* more than a set holds */
    trace_set_of_turn(&set, trace, 1);
    assert_true(meets(1, 1, false));
    trace_set_of_turn(&set, trace, trace->step_count); /* nothing follows */
}

static uint64_t shared[8];

static void other_thread(void *context)
{
    (void)context;
    trace_touch(&shared[0], sizeof shared[0], true);
    EsentHostYield();
    trace_touch(&shared[4], 2 * sizeof shared[0], false);
}

/* Thread 1 begins if the first choice says so. */
static void run_two_threads(uint8_t first, uint32_t from, uint64_t prefix, uint32_t next, bool whole)
{
    const uint8_t choices[] = {first};
    const struct ESENT_HOST_SIMULATION simulation = {.choices = choices, .choices_size = 1};
    struct ESENT_HOST_THREAD *thread = NULL;
    trace = trace_in(room, ROOM);
    assert_int_equal(EsentHostUseSimulation(&simulation), JET_errSuccess);
    trace_begin(trace, from, prefix, next, whole);
    assert_int_equal(EsentHostThreadStart(other_thread, NULL, &thread), JET_errSuccess);
    trace_touch(&shared[1], 1, true);
    EsentHostYield();
    trace_touch(&shared[2], 1, true);
    EsentHostThreadJoin(thread);
    trace_stop();
    trace_touch(&shared[3], 1, true); /* nobody looks any more */
    assert_int_equal(EsentHostUseThreads(), JET_errSuccess);
    trace->known = true;
}

static bool step_touches(size_t step, const uint64_t *place, bool changes)
{
    for (size_t i = 0; i < trace->steps[step].count; i++) {
        const struct trace_access *access = &trace->accesses[trace->steps[step].first + i];
        const uint64_t key = (uint64_t)(uintptr_t)place / 8;
        if (key >= access->first && key < access->first + access->count)
            return (access->changes != 0) == changes;
    }
    return false;
}

static void test_a_run_is_told_turn_by_turn(void **state)
{
    (void)state;
    run_two_threads(0, TRACE_NONE, 0, 0, true);
    assert_int_equal(trace->steps[0].thread, 0);
    assert_int_equal(trace->steps[0].choice, 0);
    assert_int_equal(trace->steps[0].next, 0);
    assert_true(trace->steps[0].free_to_go_on);
    assert_true(step_touches(1, &shared[1], true));
    assert_false(trace->steps[1].free_to_go_on); /* it yields */
    assert_int_equal(trace->steps[1].next, 1);
    assert_true(step_touches(2, &shared[0], true));
    bool looked = false;
    for (size_t i = 0; i < trace->step_count; i++) {
        looked = looked || (trace->steps[i].thread == 1 && step_touches(i, &shared[5], false));
        assert_false(step_touches(i, &shared[3], true));
    }
    assert_true(looked);
    /* The other one begins: a departure from that run at its first choice. */
    const uint64_t prefix = trace->steps[0].prefix;
    run_two_threads(1, 0, prefix, 0, true);
    assert_false(trace->strayed);
    assert_int_equal(trace->steps[0].thread, 1);
    assert_true(step_touches(0, &shared[0], true));
    run_two_threads(1, 0, prefix + 1, 0, true);
    assert_true(trace->strayed);
    run_two_threads(0, 0, prefix, 0, true);
    assert_true(trace->strayed); /* the same as the run that it should depart from */
    run_two_threads(1, 0, prefix, 0, false);
    for (size_t i = 0; i < trace->step_count; i++) /* only of the first turn */
        assert_int_equal(trace->steps[i].count, step_touches(i, &shared[0], true));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_steps_meet_where_one_changes),
        cmocka_unit_test(test_what_is_not_known_meets_everything),
        cmocka_unit_test(test_a_run_is_told_turn_by_turn),
    };
    return cmocka_run_group_tests(tests, make_room, free_room);
}
