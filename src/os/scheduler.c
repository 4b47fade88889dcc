/* The simulated scheduler: threads of which one runs at a time (carrier.h) and picks the next.
 *
 * Only the thread whose turn it is touches the state below. A doomed thread (its process died) leaves its
 * function by longjmp at the next chance. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "src/os/clock.h"
#include "src/os/internal.h"
#include "src/os/trace.h"

OS_UNTRACED_BEGIN

#define RECORD_MAX (16u << 20)
#define RECORD_ROOM 4096u
#define CHANGES_MAX 32u
#define IDLE_BACKGROUND_MAX 10000u
#define AS_DECIDED 0xffu

struct scheduler {
    struct os_thread *first;
    struct os_thread *last;
    struct os_thread *background; /* NULL until needed */
    struct os_thread *killer;     /* whose turn it is when a doomed thread has left */
    uint32_t next_number;
    uint32_t idle_background; /* times the background ran with nobody else able to */
    uint64_t switches;
    uint64_t lowest_priority;
    uint64_t changes[CHANGES_MAX]; /* points at which priorities drop, ascending */
    uint32_t change_count;
    uint32_t next_change;
    struct os_random random;
    struct ESENT_HOST_SIMULATION settings;
    uint8_t *choices;
    bool borrowed;             /* the choices are the host's */
    struct os_thread starter;  /* the thread that set the simulation up, while it lasts */
    struct os_thread *outside; /* that thread's record at other times */
    size_t choice_at;
    uint8_t *record;
    size_t record_size;
    size_t record_room;
};

static struct scheduler sim;
struct os_simulation os_sim;
struct ESENT_HOST_TRACE os_trace;
static void (*stuck_handler)(const char *report);

void EsentHostSetStuckHandler(void (*handler)(const char *report))
{
    stuck_handler = handler;
}

/* ---- report */

static void report_line(char *report, size_t size, size_t *at, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

static void report_line(char *report, size_t size, size_t *at, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int written = vsnprintf(report + *at, size - *at, format, arguments);
    va_end(arguments);
    if (ALWAYS(written >= 0))
        *at = *at + (size_t)written < size ? *at + (size_t)written : size - 1;
}

static _Noreturn void stuck(const char *what)
{
    static char report[4096];
    size_t at = 0;
    report_line(report, sizeof report, &at, "simulation stuck: %s after %llu points\n", what,
                (unsigned long long)os_sim.points);
    for (const struct os_thread *thread = sim.first; thread != NULL; thread = thread->next) {
        if (thread->state == OS_THREAD_FINISHED)
            continue;
        report_line(report, sizeof report, &at, "thread %u%s: %s %s %p, holds", thread->number,
                    thread == sim.background ? " (background)" : "",
                    thread->state == OS_THREAD_WAITING ? "waits for" : "can run",
                    thread->state == OS_THREAD_WAITING ? thread->waiting_kind : "", thread->waiting_for);
        for (uint32_t i = 0; i < thread->held_count; i++)
            report_line(report, sizeof report, &at, " rank %d (%p)", (int)thread->held[i].rank,
                        thread->held[i].lock);
        report_line(report, sizeof report, &at, "\n");
    }
    if (stuck_handler != NULL)
        stuck_handler(report);
    fputs(report, stderr);
    abort();
}

/* ---- choices */

static void record_choice(uint32_t choice)
{
    if (sim.record_size == sim.record_room) {
        size_t room = sim.record_room == 0 ? RECORD_ROOM : sim.record_room * 2;
        if (room > RECORD_MAX)
            return;
        uint8_t *grown = os_host_reallocate(sim.record, room);
        if (grown == NULL)
            return;
        sim.record = grown;
        sim.record_room = room;
    }
    sim.record[sim.record_size++] = (uint8_t)choice;
}

/* What the schedule that was handed in says about the next choice: the byte, or "as the scheduler decides".
 */
static uint32_t wanted_choice(void)
{
    return sim.choice_at < sim.settings.choices_size ? sim.choices[sim.choice_at++] : AS_DECIDED;
}

uint32_t os_scheduler_choose(uint32_t count)
{
    uint32_t wanted = wanted_choice();
    uint32_t choice = wanted % count;
    if (wanted >= ESENT_HOST_CHOICE_RELATIVE)
        choice =
            sim.settings.scheduler != ESENT_HOST_SCHEDULE_FIFO ? os_random_next_below(&sim.random, count) : 0;
    record_choice(ESENT_HOST_CHOICE_BACKGROUND | choice);
    return choice;
}

bool os_scheduler_has_background_thread(void)
{
    return sim.settings.background_thread != 0;
}

/* The n-th runnable thread: 0 is the running one if it can go on, then the others by number, beginning after
 * it. */
static struct os_thread *runnable_at(uint32_t n)
{
    struct os_thread *thread = os_sim.running;
    do {
        if (thread->state == OS_THREAD_RUNNABLE && n-- == 0)
            return thread;
        thread = thread->next != NULL ? thread->next : sim.first;
    } while (thread != os_sim.running);
    ASSERT(false);
    return NULL;
}

static uint32_t index_of_highest_priority(void)
{
    uint32_t best = 0;
    for (uint32_t i = 1; i < os_sim.runnable; i++) {
        if (runnable_at(i)->priority > runnable_at(best)->priority)
            best = i;
    }
    return best;
}

static bool index_of_thread(uint32_t number, uint32_t *index)
{
    for (uint32_t i = 0; i < os_sim.runnable; i++) {
        if (runnable_at(i)->number != number)
            continue;
        *index = i;
        return true;
    }
    return false;
}

/* The scheduler's own decision among several runnable threads. */
static uint32_t decide(bool yield)
{
    switch (sim.settings.scheduler) {
    case ESENT_HOST_SCHEDULE_RANDOM:
        return os_random_next_below(&sim.random, os_sim.runnable);
    case ESENT_HOST_SCHEDULE_PRIORITY:
        if (yield)
            os_sim.running->priority = --sim.lowest_priority;
        return index_of_highest_priority();
    default:
        return yield ? 1 : 0;
    }
}

static void tell_turn(bool chosen, struct os_thread *next, bool preemption)
{
    const struct ESENT_HOST_TURN turn = {
        .choice = chosen ? sim.record_size - 1 : SIZE_MAX,
        .thread = next->number,
        .free_to_go_on = preemption,
    };
    if (os_trace.turn != NULL && (chosen || next != os_sim.running))
        os_trace.turn(os_trace.context, &turn);
}

/* Picks among the runnable threads (at least one). `yield`: the running thread asks for others to go first.
 */
static struct os_thread *pick(bool yield)
{
    if (os_sim.runnable == 1) {
        struct os_thread *only = runnable_at(0);
        tell_turn(false, only, false);
        return only;
    }
    uint32_t wanted = wanted_choice();
    uint32_t choice = wanted;
    if (wanted >= ESENT_HOST_CHOICE_RELATIVE)
        choice = decide(yield) + (AS_DECIDED - wanted);
    else if (wanted >= ESENT_HOST_CHOICE_THREAD &&
             !index_of_thread(wanted - ESENT_HOST_CHOICE_THREAD, &choice))
        choice = decide(yield);
    choice %= os_sim.runnable;
    struct os_thread *next = runnable_at(choice);
    record_choice(choice);
    tell_turn(true, next, !yield && os_sim.running->state == OS_THREAD_RUNNABLE);
    return next;
}

static void await_change(void)
{
    os_sim.change_at = sim.next_change < sim.change_count ? sim.changes[sim.next_change] : UINT64_MAX;
}

static void draw_changes(void)
{
    uint32_t count = sim.settings.priority_changes != 0 ? sim.settings.priority_changes : 3;
    uint32_t among = sim.settings.expected_points != 0 ? sim.settings.expected_points : 10000;
    sim.change_count = count < CHANGES_MAX ? count : CHANGES_MAX;
    sim.next_change = 0;
    for (uint32_t i = 0; i < sim.change_count; i++) {
        uint64_t at = os_random_next_below(&sim.random, among);
        uint32_t slot = i;
        for (; slot > 0 && sim.changes[slot - 1] > at; slot--)
            sim.changes[slot] = sim.changes[slot - 1];
        sim.changes[slot] = at;
    }
}

/* ---- turns */

static void switch_to(struct os_thread *self, struct os_thread *next)
{
    if (next == self)
        return;
    sim.switches++;
    os_sim.running = next;
    os_carrier_switch(self, next);
    ASSERT(os_sim.running == self);
    if (self->doomed)
        longjmp(self->death, 1);
}

void os_scheduler_point_slow(bool yield)
{
    if (os_sim.points >= os_sim.change_at) {
        sim.next_change++;
        await_change();
        os_sim.running->priority = --sim.lowest_priority;
    }
    if (os_sim.runnable == 1)
        return;
    if (os_sim.points > sim.settings.maximum_points)
        stuck("livelock");
    struct os_thread *self = os_thread_self();
    ASSERT(os_sim.running == self);
    switch_to(self, pick(yield));
}

/* ---- waiting and waking */

static void make_runnable(struct os_thread *thread, bool timed_out)
{
    ASSERT(thread->state == OS_THREAD_WAITING);
    thread->state = OS_THREAD_RUNNABLE;
    thread->timed_out = timed_out;
    os_sim.runnable++;
}

void os_scheduler_clock_moved(void)
{
    uint64_t now = os_clock_ticks();
    for (struct os_thread *thread = sim.first; thread != NULL; thread = thread->next) {
        if (thread->state == OS_THREAD_WAITING && thread->has_deadline && thread->deadline <= now)
            make_runnable(thread, true);
    }
}

void os_scheduler_wake_slow(const void *object, bool one)
{
    for (struct os_thread *thread = sim.first; thread != NULL; thread = thread->next) {
        if (thread->state != OS_THREAD_WAITING || thread->waiting_for != object)
            continue;
        make_runnable(thread, false);
        if (one)
            return;
    }
}

static struct os_thread *earliest_sleeper(void)
{
    struct os_thread *earliest = NULL;
    for (struct os_thread *thread = sim.first; thread != NULL; thread = thread->next) {
        if (thread->state == OS_THREAD_WAITING && thread->has_deadline &&
            (earliest == NULL || thread->deadline < earliest->deadline))
            earliest = thread;
    }
    return earliest;
}

static void advance_to(uint64_t tick)
{
    uint64_t now = os_clock_ticks();
    if (tick > now)
        os_clock_advance(tick - now);
}

/* Whether the background thread is there for more work, and not held up itself by what it has begun. */
static bool background_is_free(void)
{
    return sim.background == NULL ||
           (sim.background->state == OS_THREAD_WAITING && sim.background->waiting_for == &sim.background);
}

/* Nobody can run: time passes until somebody can, or background work that may wake somebody gets a thread. */
static void find_runnable(void)
{
    while (os_sim.runnable == 0) {
        struct os_thread *sleeper = earliest_sleeper();
        uint64_t due = 0;
        bool work = background_is_free() && os_executor_next_due(&due);
        if (work && (sleeper == NULL || due <= sleeper->deadline)) {
            if (++sim.idle_background > IDLE_BACKGROUND_MAX)
                stuck("deadlock (only background work goes on)");
            advance_to(due);
            os_scheduler_kick_background();
        } else if (sleeper != NULL) {
            advance_to(sleeper->deadline);
        } else {
            stuck("deadlock");
        }
    }
}

bool os_scheduler_block(const void *object, const char *kind, bool has_deadline, uint64_t deadline)
{
    struct os_thread *self = os_thread_self();
    ASSERT(os_sim.running == self);
    os_trace_lock(object, ESENT_HOST_LOCK_CHANGED);
    os_sim.points++;
    self->state = OS_THREAD_WAITING;
    self->waiting_for = object;
    self->waiting_kind = kind;
    self->has_deadline = has_deadline;
    self->deadline = deadline;
    self->timed_out = false;
    os_sim.runnable--;
    find_runnable();
    if (self != sim.background)
        sim.idle_background = 0;
    switch_to(self, pick(false));
    self->waiting_for = NULL;
    self->has_deadline = false;
    return !self->timed_out;
}

/* ---- threads */

/* Who goes on when this thread has left. */
static struct os_thread *finish(struct os_thread *self)
{
    self->state = OS_THREAD_FINISHED;
    if (self->doomed)
        return sim.killer;
    ASSERT(self->held_count == 0);
    os_sim.runnable--;
    os_scheduler_wake(self, false);
    find_runnable();
    return pick(false);
}

_Noreturn void os_carrier_begins(struct os_thread *thread)
{
    if (setjmp(thread->death) == 0 && !thread->doomed)
        thread->function(thread->context);
    struct os_thread *self = os_sim.running; /* as `thread`, which longjmp may have spoiled */
    struct os_thread *next = finish(self);
    os_sim.running = next;
    os_carrier_leave(self, next);
}

static void enlist(struct os_thread *thread)
{
    thread->next = NULL;
    thread->number = sim.next_number++;
    thread->id = thread->number + 1;
    thread->state = OS_THREAD_RUNNABLE;
    thread->priority = (UINT64_C(1) << 62) + (os_random_next(&sim.random) >> 2);
    if (sim.first == NULL)
        sim.first = thread;
    else
        sim.last->next = thread;
    sim.last = thread;
    os_sim.threads++;
    os_sim.runnable++;
}

static void delist(struct os_thread *thread)
{
    struct os_thread **link = &sim.first;
    struct os_thread *previous = NULL;
    while (*link != thread) {
        previous = *link;
        link = &(*link)->next;
    }
    *link = thread->next;
    if (sim.last == thread)
        sim.last = previous;
    os_sim.threads--;
}

JET_ERR os_scheduler_create(struct os_thread *thread)
{
    if (!os_carrier_make(thread))
        return JET_errOutOfThreads;
    enlist(thread);
    return JET_errSuccess;
}

void os_scheduler_join(struct os_thread *thread)
{
    os_point();
    while (thread->state != OS_THREAD_FINISHED)
        os_scheduler_block(thread, "end of thread", false, 0);
    if (!thread->gone)
        os_carrier_free(thread);
    delist(thread);
    os_host_free(thread);
}

/* ---- background thread */

static void background_main(void *context)
{
    (void)context;
    for (;;) {
        while (os_executor_run_due() != 0) {
        }
        uint64_t due = 0;
        bool work = os_scheduler_has_background_thread() && os_executor_next_due(&due);
        os_scheduler_block(&sim.background, "background work", work, due);
    }
}

void os_scheduler_kick_background(void)
{
    if (sim.background == NULL) {
        struct os_thread *thread = os_host_allocate(sizeof *thread);
        if (thread == NULL)
            stuck("no memory for the background thread");
        thread->function = background_main;
        if (os_scheduler_create(thread) < 0)
            stuck("no background thread");
        sim.background = thread;
    } else if (background_is_free()) {
        make_runnable(sim.background, false);
    }
}

/* ---- beginning and end */

void os_scheduler_kill_others(void)
{
    struct os_thread *self = os_thread_self();
    ASSERT(self == sim.first); /* only the first thread has no function to leave */
    sim.killer = self;
    for (struct os_thread *thread = sim.first; thread != NULL; thread = thread->next) {
        if (thread == self || thread->gone)
            continue;
        if (thread->state != OS_THREAD_FINISHED) {
            thread->doomed = true;
            os_sim.running = thread;
            os_carrier_switch(self, thread);
        }
        os_carrier_free(thread);
        thread->gone = true;
        thread->held_count = 0;
    }
    os_sim.runnable = 1;
    sim.killer = NULL;
    if (sim.background != NULL) {
        struct os_thread *background = sim.background;
        sim.background = NULL;
        delist(background);
        os_host_free(background);
    }
    self->held_count = 0;
    self->task_depth = 0;
}

static void forget_all_but_first(void)
{
    while (sim.first->next != NULL) {
        struct os_thread *thread = sim.first->next;
        ASSERT(thread->gone);
        delist(thread);
        os_host_free(thread);
    }
}

void os_scheduler_restart(void)
{
    os_scheduler_kill_others();
    forget_all_but_first();
    sim.next_number = 1;
    os_sim.points = sim.switches = 0;
    sim.choice_at = 0;
    sim.record_size = 0;
    os_host_free(sim.record); /* all lives begin alike */
    sim.record = NULL;
    sim.record_room = 0;
    sim.idle_background = 0;
    sim.lowest_priority = UINT64_C(1) << 61;
    os_random_seed(&sim.random, sim.settings.seed ^ 0x5eed);
    sim.first->priority = (UINT64_C(1) << 62) + (os_random_next(&sim.random) >> 2);
    if (sim.settings.scheduler == ESENT_HOST_SCHEDULE_PRIORITY)
        draw_changes();
    else
        sim.change_count = 0;
    await_change();
}

static void forget_choices(void)
{
    if (!sim.borrowed)
        os_host_free(sim.choices);
    sim.borrowed = false;
    sim.choices = NULL;
    sim.settings.choices_size = 0;
}

JET_ERR os_scheduler_start(const struct ESENT_HOST_SIMULATION *simulation)
{
    uint8_t *choices = NULL;
    if (simulation->choices_size > 0) {
        choices = os_host_reallocate(NULL, simulation->choices_size);
        if (choices == NULL)
            return JET_errOutOfMemory;
        memcpy(choices, simulation->choices, simulation->choices_size);
    }
    forget_choices();
    sim.choices = choices;
    sim.settings = *simulation;
    sim.settings.choices = NULL;
    if (sim.settings.maximum_points == 0)
        sim.settings.maximum_points = 100000000;
    if (!os_host.simulated) {
        struct os_thread *self = &sim.starter;
        sim.outside = os_thread_self();
        *self = (struct os_thread){.data = sim.outside->data, .fault_suspends = sim.outside->fault_suspends};
        os_thread_set_self(self);
        sim.first = sim.last = NULL;
        os_sim.threads = 0;
        os_sim.runnable = 0;
        sim.next_number = 0;
        sim.background = NULL;
        os_carrier_adopt(self);
        enlist(self);
        os_sim.running = self;
    }
    os_scheduler_restart();
    return JET_errSuccess;
}

void os_scheduler_stop(void)
{
    os_scheduler_kill_others();
    forget_all_but_first();
    os_carrier_release(sim.first);
    sim.outside->data = sim.first->data;
    sim.outside->fault_suspends = sim.first->fault_suspends;
    os_thread_set_self(sim.outside);
    sim.first = sim.last = os_sim.running = NULL;
    os_sim.threads = 0;
    forget_choices();
    os_host_free(sim.record);
    sim.record = NULL;
    sim.record_size = sim.record_room = 0;
}

size_t EsentHostGetSchedule(uint8_t *choices, size_t size)
{
    if (size > sim.record_size)
        size = sim.record_size;
    if (size > 0)
        memcpy(choices, sim.record, size);
    return sim.record_size;
}

void EsentHostSetChoices(const uint8_t *choices, size_t size)
{
    forget_choices();
    sim.choices = (uint8_t *)(uintptr_t)choices; /* only read */
    sim.borrowed = true;
    sim.settings.choices_size = size;
    sim.choice_at = sim.record_size;
}

int EsentHostSetTrace(const struct ESENT_HOST_TRACE *trace)
{
    os_trace = trace != NULL ? *trace : (struct ESENT_HOST_TRACE){0};
#if defined(ESENT_TRACE)
    return 1;
#else
    return 0;
#endif
}

void os_scheduler_counters(struct ESENT_HOST_COUNTERS *counters)
{
    counters->points = os_sim.points;
    counters->switches = sim.switches;
}

OS_UNTRACED_END
