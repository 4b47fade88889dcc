/* Every schedule of a program of two threads with at most so many pre-emptions.
 *
 * The program runs once up to its first line of another thread. From there, each schedule is a child of this
 * process, which goes on to the end. Schedules form a tree: a child departs from its parent's schedule at one
 * more choice, later than all others.
 *
 * Which departures are left out. Two steps of different threads may change places if neither touches what the
 * other changes.
 *
 * - Thread A takes step a and is interrupted behind it; B's turn b follows. If a may change places with all
 * of b, the same is b and then a: the schedule that interrupts A one step earlier, which was run before.
 * - B's turn is interrupted after its first steps b, while A's step a may change places with these (but not
 * with what B does later). Then the same is b and then a, once more: A interrupted one step earlier. If a was
 * the first step of A's turn, B was not interrupted at all in that one.
 * - B is given a turn in which it takes the steps b. If they may change places with what A would have done
 *   next, A does that first, and B was not given that turn: two switches less.
 *
 * So each of them is the same as a schedule with fewer switches, or with as many and one of them earlier;
 * what departs further from it departs from that one, too. As this cannot go on for ever, one of those that
 * are the same is run. */
#if !defined(_GNU_SOURCE)
#define _GNU_SOURCE 1
#endif

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fuzz/runner/runner.h"
#include "fuzz/sweep/apart.h"
#include "fuzz/sweep/ends.h"
#include "fuzz/sweep/explain.h"
#include "fuzz/sweep/record.h"
#include "fuzz/sweep/sweep.h"
#include "fuzz/sweep/trace.h"
#include "include/esent_host.h"

#define DEPTH_MAX 16        /* departures of a schedule, those that do not count included */
#define CHOICES_MAX 1000000 /* of a run */
#define KNOWN_MAX 8192      /* a power of two */
#define PROGRAM_MAX (256 * 1024)
#define TRACES_SIZE ((size_t)4 << 30) /* address space; used is only what is touched */
#define SAID_MAX 4000
#define FOREVER 1000000 /* seconds: the runs have a time limit each */

struct schedule {
    size_t count;
    uint32_t at[DEPTH_MAX];
};

/* What a run shows. */
struct outcome {
    uint64_t answers;
    uint64_t files; /* 0 if they are not compared */
};

/* Shared by the process and its children, one of which runs at a time. */
struct shared {
    bool done; /* the run came to its end, and what follows is set */
    bool found;
    struct outcome outcome;
    uint64_t judged;
    char what[600];
    char program[PROGRAM_MAX];     /* of a find */
    uint64_t explained[KNOWN_MAX]; /* outcomes that were judged */
};

struct explorer {
    struct sweep *sweep;
    struct sweep_counts counts;
    struct text finds;
    struct program program;
    struct shared *shared;
    uint8_t *traces;
    struct trace_set sets[DEPTH_MAX + 1];  /* by departures: what the other thread does next */
    struct trace_set steps[DEPTH_MAX + 1]; /* the step in front of the last departure */
    struct schedule schedule;              /* of the run under way */
    uint8_t *choices;
    uint64_t outcomes[KNOWN_MAX]; /* numbers over the answers seen; 0 = free */
    uint64_t kept[KNOWN_MAX];     /* those of schedules that count as different */
    size_t kept_count;
    unsigned beyond; /* within schedules that count as equivalent */
    int said;        /* a file in memory: the children's standard error */
    bool served;
    bool is_child;
    bool enough;
};

static struct explorer *explorer; /* the run's observers need it */

static uint64_t number_over(uint64_t number, const void *bytes, size_t size)
{
    const uint8_t *at = bytes;
    for (size_t i = 0; i < size; i++)
        number = (number ^ at[i]) * UINT64_C(1099511628211);
    return number;
}

static uint64_t number_of_answers(const struct program *transcript)
{
    uint64_t number = UINT64_C(14695981039346656037);
    for (size_t i = 0; i < transcript->line_count; i++) {
        struct text text = {0};
        if (transcript->lines[i].kind == LINE_CALL)
            program_print_outcome(&transcript->lines[i].outcome, &text);
        number = number_over(number, text.bytes, text.size);
        number = number_over(number, "\n", 1);
        text_free(&text);
    }
    return number | 1;
}

/* Puts a number into the table; true if it was new. A full table takes all for known. */
static bool remember(uint64_t *table, uint64_t number)
{
    for (size_t probe = 0; probe < KNOWN_MAX; probe++) {
        uint64_t *slot = &table[(number + probe) % KNOWN_MAX];
        if (*slot == number)
            return false;
        if (*slot == 0) {
            *slot = number;
            return true;
        }
    }
    return false;
}

/* ---- in a child: the end of its run */

static bool is_explained(const struct program *transcript, const struct run_result *result)
{
    struct shared *shared = explorer->shared;
    if (result->alone && (result->leaked_bytes != 0 || result->leaked_handles != 0)) {
        snprintf(shared->what, sizeof shared->what, "I9: %llu bytes and %u open files are left",
                 (unsigned long long)result->leaked_bytes, result->leaked_handles);
        return false;
    }
    if (!remember(shared->explained, shared->outcome.answers))
        return true;
    struct explain_result explained;
    explain_threads(transcript, &explained);
    shared->judged = explained.judged;
    snprintf(shared->what, sizeof shared->what, "no order of the calls explains the answers: %s",
             explained.message);
    return explained.explained;
}

/* The lines with the schedule in front of them. */
static void add_switches(const struct program *lines, const struct schedule *schedule,
                         struct program *program)
{
    size_t at[DEPTH_MAX];
    for (size_t i = 0; i < schedule->count; i++)
        at[i] = schedule->at[i];
    record_set_switches(program, schedule->count, at);
    for (size_t i = 0; i < lines->line_count; i++)
        program_copy_line(program, program_append(program), &lines->lines[i]);
}

static _Noreturn void end_child(const struct program *transcript, const struct run_result *result)
{
    struct shared *shared = explorer->shared;
    trace_stop();
    shared->outcome.answers = number_of_answers(transcript);
    shared->outcome.files = result->files_hash;
    shared->found = !is_explained(transcript, result);
    if (shared->found) {
        struct program program = {0};
        struct text text = {0};
        add_switches(transcript, &explorer->schedule, &program);
        program_print(&program, &text);
        snprintf(shared->program, sizeof shared->program, "%s", text.bytes);
    }
    shared->done = true;
    _exit(0);
}

/* ---- one schedule */

static void describe(const struct schedule *schedule, char *where, size_t size)
{
    size_t used = (size_t)snprintf(where, size, "switches");
    for (size_t i = 0; i < schedule->count && used < size; i++)
        used += (size_t)snprintf(where + used, size - used, " %u", schedule->at[i]);
}

static void add_find(const char *what, const char *program)
{
    char where[200];
    describe(&explorer->schedule, where, sizeof where);
    text_add(&explorer->finds, where, strlen(where) + 1);
    text_add(&explorer->finds, what, strlen(what) + 1);
    text_add(&explorer->finds, program, strlen(program) + 1);
    explorer->counts.finds++;
    explorer->enough = explorer->enough || explorer->counts.finds >= explorer->sweep->most;
}

static void add_death(int status)
{
    char what[SAID_MAX + 100];
    struct program program = {0};
    struct text text = {0};
    const bool hung = WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM;
    int used = snprintf(what, sizeof what, "%s: ", hung ? "hang" : "crash");
    ssize_t got = pread(explorer->said, what + used, SAID_MAX, 0);
    what[used + (got > 0 ? (int)got : 0)] = '\0';
    add_switches(&explorer->program, &explorer->schedule, &program);
    program_print(&program, &text);
    add_find(what, text.bytes);
    text_free(&text);
    program_free(&program);
}

/* In the child: the schedule from here on. */
static void be_child(struct trace *trace, uint64_t prefix, uint32_t next, bool whole)
{
    const struct schedule *schedule = &explorer->schedule;
    const uint32_t last = schedule->count > 0 ? schedule->at[schedule->count - 1] : TRACE_NONE;
    explorer->is_child = true;
    dup2(explorer->said, 2);
    alarm(explorer->sweep->timeout);
    for (size_t i = 0; i < schedule->count; i++)
        explorer->choices[schedule->at[i]] = 0xfe; /* the other thread */
    EsentHostSetChoices(explorer->choices, last == TRACE_NONE ? 0 : (size_t)last + 1);
    trace_begin(trace, last, prefix, next, whole);
}

/* Runs the schedule in a child, and takes what it shows. False in the child itself, and if it died. `whole`:
 * others will depart from it. */
static bool run_schedule(struct trace *trace, uint64_t prefix, uint32_t next, bool whole)
{
    struct shared *shared = explorer->shared;
    shared->done = shared->found = false;
    shared->judged = 0;
    if (ftruncate(explorer->said, 0) != 0 || lseek(explorer->said, 0, SEEK_SET) != 0)
        abort();
    const pid_t pid = fork();
    if (pid < 0)
        abort();
    if (pid == 0) {
        be_child(trace, prefix, next, whole);
        return false;
    }
    int status = 0;
    waitpid(pid, &status, 0);
    explorer->counts.runs++;
    explorer->enough = explorer->enough || sweep_is_late(explorer->sweep);
    if (!shared->done) {
        explorer->counts.visited++;
        add_death(status);
        return false;
    }
    explorer->counts.visited += !trace->strayed;
    explorer->counts.judged += shared->judged;
    explorer->counts.outcomes += remember(explorer->outcomes, shared->outcome.answers);
    if (explorer->beyond == 0)
        explorer->kept_count += remember(explorer->kept, shared->outcome.answers);
    if (shared->found)
        add_find(shared->what, shared->program);
    return !trace->strayed;
}

/* ---- the tree */

static bool is_same(const struct outcome *a, const struct outcome *b)
{
    return a->answers == b->answers && a->files == b->files;
}

static void check_equivalent(const struct outcome *other)
{
    struct program program = {0};
    struct text text = {0};
    if (is_same(&explorer->shared->outcome, other))
        return;
    add_switches(&explorer->program, &explorer->schedule, &program);
    program_print(&program, &text);
    add_find("counts as equivalent to a schedule that shows something else", text.bytes);
    text_free(&text);
    program_free(&program);
}

/* What is known of a run when others depart from it. */
struct origin {
    const struct trace *trace;
    unsigned budget;         /* pre-emptions that may follow */
    struct outcome shown;    /* by the run itself */
    struct outcome departed; /* by the run that it departs from */
    uint32_t at, before; /* where it does, and the choice before that step; TRACE_NONE: none that counts */
};

/* Runs, to compare, the schedule in which the step before the last departure but one comes behind the turn
 * that is interrupted now. */
static void check_earlier(const struct origin *origin, struct trace *next)
{
    const struct schedule schedule = explorer->schedule;
    const struct outcome shown = explorer->shared->outcome;
    const size_t last = schedule.count - 1;
    const uint32_t turn = schedule.at[last] - origin->at; /* choices of the turn */
    const bool undone = last >= 2 && schedule.at[last - 2] == origin->before;
    explorer->schedule.count = undone ? last - 1 : last + 1;
    explorer->schedule.at[undone ? last - 2 : last - 1] = origin->before;
    explorer->schedule.at[undone ? last - 2 : last] = origin->before + turn;
    run_schedule(next, 0, 0, false);
    if (explorer->is_child)
        return;
    explorer->schedule = schedule;
    if (explorer->shared->done)
        check_equivalent(&shown);
    explorer->shared->outcome = shown;
}

/* How a departure may make no difference. */
enum sameness { DIFFERS, STEP_LATER, STEP_EARLIER };

/* Runs the schedule that departs from the origin's run behind a step, and those that depart from it. */
static void depart(const struct origin *origin, size_t i, enum sameness same, struct outcome *shown);

/* Departs from a run at each of its choices. */
static void explore(const struct origin *origin)
{
    const struct trace *trace = origin->trace;
    const size_t depth = explorer->schedule.count;
    struct trace_set *set = &explorer->sets[depth];
    struct outcome shown = origin->departed;
    bool early = origin->before != TRACE_NONE; /* what led here has not met the step in front of it yet */
    for (size_t i = 0; i < trace->step_count && depth < DEPTH_MAX && !explorer->enough; i++) {
        const struct trace_step *step = &trace->steps[i];
        const unsigned cost = step->free_to_go_on ? 1 : 0;
        if (step->choice == TRACE_NONE)
            set->open = true; /* another thread's turn comes: what is known is of no use behind that */
        early = early && step->free_to_go_on && !trace_meets(&explorer->steps[depth], trace, step);
        if (step->choice == TRACE_NONE || cost > origin->budget)
            continue;
        const bool later = step->free_to_go_on && !trace_meets(set, trace, step);
        const enum sameness same = later ? STEP_LATER : early ? STEP_EARLIER : DIFFERS;
        explorer->counts.existing++;
        explorer->counts.equivalent += same != DIFFERS;
        if (same == DIFFERS || explorer->sweep->prove)
            depart(origin, i, same, &shown);
        else
            explorer->counts.visited++;
        if (explorer->is_child)
            return;
        if (same == STEP_EARLIER || step->next != step->thread)
            set->open = true;
    }
}

static void depart(const struct origin *origin, size_t i, enum sameness same, struct outcome *shown)
{
    const struct trace *trace = origin->trace;
    const struct trace_step *step = &trace->steps[i];
    const size_t depth = explorer->schedule.count;
    struct trace_set *set = &explorer->sets[depth];
    const unsigned rest = origin->budget - (step->free_to_go_on ? 1 : 0);
    uint8_t *place = trace_end(trace);
    struct trace *next = trace_in(place, (size_t)(explorer->traces + TRACES_SIZE - place));
    struct origin here = {.trace = next, .budget = rest, .departed = origin->shown, .at = step->choice};
    explorer->schedule.at[depth] = step->choice;
    explorer->schedule.count = depth + 1;
    explorer->beyond += same != DIFFERS;
    const bool good = run_schedule(next, step->prefix, step->next, rest > 0);
    if (explorer->is_child)
        return;
    here.shown = explorer->shared->outcome;
    if (good && same == STEP_LATER)
        check_equivalent(shown);
    if (good && same == STEP_EARLIER)
        check_earlier(origin,
                      (struct trace *)trace_in(trace_end(next), (size_t)(explorer->traces + TRACES_SIZE -
                                                                         (uint8_t *)trace_end(next))));
    if (explorer->is_child)
        return;
    if (good && same == DIFFERS) {
        trace_set_of_turn(set, next, 0);
        *shown = here.shown;
    }
    if (!good)
        set->open = true;
    here.before = TRACE_NONE;
    if (good && rest > 0) {
        const bool first = i == 0 || trace->steps[i - 1].thread != step->thread;
        if (i == 0 && depth > 0)
            here.before = explorer->schedule.at[depth - 1];
        else if (!first && trace->steps[i - 1].free_to_go_on)
            here.before = trace->steps[i - 1].choice;
        if (!step->free_to_go_on)
            here.before = TRACE_NONE;
        trace_set_of_step(&explorer->steps[depth + 1], trace, i);
        trace_set_of_turn(&explorer->sets[depth + 1], trace, i + 1);
    }
    if (good)
        explore(&here);
    if (explorer->is_child)
        return;
    explorer->beyond -= same != DIFFERS;
    explorer->schedule.count = depth;
}

static void explore_all(void)
{
    struct trace *plain = trace_in(explorer->traces, TRACES_SIZE);
    explorer->counts.existing++;
    const bool good = run_schedule(plain, 0, 0, true);
    if (explorer->is_child || !good)
        return;
    const struct origin origin = {.trace = plain,
                                  .budget = explorer->sweep->switches,
                                  .shown = explorer->shared->outcome,
                                  .departed = explorer->shared->outcome,
                                  .at = TRACE_NONE,
                                  .before = TRACE_NONE};
    explorer->sets[0].open = true;
    explore(&origin);
    if (!explorer->is_child && explorer->enough)
        explorer->counts.existing++; /* there are more */
    if (!explorer->is_child && explorer->sweep->prove && explorer->counts.outcomes != explorer->kept_count)
        add_find("outcomes were seen only in schedules that count as equivalent", "");
}

/* ---- the program's run up to its first line of another thread */

static void before_line(void *context, const struct program *program, size_t line)
{
    (void)context;
    if (explorer->served || program->lines[line].thread == 0)
        return;
    explorer->served = true;
    explore_all();
}

static size_t last_call(const struct program *program)
{
    size_t line = program->line_count;
    while (line > 0 && program->lines[line - 1].kind != LINE_CALL)
        line--;
    return line - 1;
}

/* What comes behind the last answer is not the program's. */
static void after_line(void *context, const struct program *program, size_t line,
                       const struct run_answer *answer)
{
    (void)context;
    (void)answer;
    if (explorer->is_child && line == last_call(program))
        trace_stop();
}

static void *make_room(size_t size, int how)
{
    void *room = mmap(NULL, size, PROT_READ | PROT_WRITE, how | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (room == MAP_FAILED)
        abort();
    return room;
}

static void prepare(struct explorer *fresh)
{
    explorer = fresh;
    explorer->shared = make_room(sizeof *explorer->shared, MAP_SHARED);
    explorer->traces = make_room(TRACES_SIZE, MAP_SHARED);
    for (size_t i = 0; i <= DEPTH_MAX; i++) {
        explorer->sets[i].slots = make_room(TRACE_SET_SLOTS * sizeof(struct trace_slot), MAP_SHARED);
        explorer->steps[i].slots = make_room(TRACE_SET_SLOTS * sizeof(struct trace_slot), MAP_SHARED);
    }
    explorer->choices = make_room(CHOICES_MAX, MAP_PRIVATE);
    memset(explorer->choices, 0xff, CHOICES_MAX); /* as the scheduler decides */
    explorer->said = memfd_create("said", 0);
    if (explorer->said < 0)
        abort();
}

/* In a child of the sweep: all schedules of the program. */
static void work(void *context, size_t index, struct text *answer)
{
    static struct explorer fresh;
    struct run_options options = {.simulated = true,
                                  .observer = {.before = before_line, .after = after_line}};
    struct run_result result;
    struct program transcript = {0};
    struct text note = {0};
    (void)index;
    fresh = *(struct explorer *)context;
    prepare(&fresh);
    program_print(&explorer->program, &note);
    apart_note(&note);
    text_free(&note);
    options.hash_files = explorer->sweep->prove;
    run_program(&explorer->program, &options, &transcript, &result);
    if (explorer->is_child)
        end_child(&transcript, &result);
    program_free(&transcript);
    text_add(answer, &explorer->counts, sizeof explorer->counts);
    text_add(answer, explorer->finds.bytes, explorer->finds.size);
}

static bool take(void *context, size_t index, const char *died, const char *answer, size_t size)
{
    struct explorer *given = context;
    (void)index;
    if (died != NULL) {
        given->counts.existing++;
        return sweep_take_death(given->sweep, &given->counts, "up to the first line of another thread", died,
                                answer);
    }
    memcpy(&given->counts, answer, sizeof given->counts);
    given->counts.finds = 0; /* they are counted where they are reported */
    return sweep_take_finds(given->sweep, &given->counts, answer + sizeof given->counts,
                            size - sizeof given->counts);
}

bool sweep_schedules(struct sweep *sweep, struct sweep_counts *counts)
{
    struct explorer given = {.sweep = sweep};
    for (size_t i = 0; i < sweep->program->line_count; i++) {
        const struct program_line *line = &sweep->program->lines[i];
        if (line->kind == LINE_CALL || line->kind == LINE_SET) {
            struct program_line bare = *line;
            bare.expects = false;
            bare.outcome = (struct program_outcome){0};
            program_copy_line(&given.program, program_append(&given.program), &bare);
        }
    }
    const struct apart_jobs jobs = {
        .context = &given, .count = 1, .timeout = FOREVER, .work = work, .take = take};
    apart_run(&jobs);
    *counts = given.counts;
    program_free(&given.program);
    return true;
}
