/* Every schedule of a program of two threads with at most so many pre-emptions.
 *
 * The program runs once up to its first line of another thread. From there, each schedule is a child of this
 * process, which goes on to the end. Schedules form a tree: a child departs from its parent's schedule at one
 * more choice, later than all others.
 *
 * Which departures are left out: thread A takes step a and is interrupted behind it, and B's turn b follows.
 * If a and b touch nothing that the other changes, b and then a is the same; that is the schedule which
 * interrupts A one step earlier, and it was run before. So A is interrupted only behind steps that meet what
 * B does next. The same holds for the first steps of B's turn and the turn of A that would follow without it:
 * if they do not meet, the schedule with two switches less does the same. What is left out so leads to a
 * schedule with fewer switches, or with an earlier one, and at most as many; so it ends at one that is run.
 */
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
    struct trace_set sets[DEPTH_MAX + 1];
    struct schedule schedule; /* of the run under way */
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
static void be_child(struct trace *trace, uint64_t prefix, uint32_t next)
{
    const struct schedule *schedule = &explorer->schedule;
    const uint32_t last = schedule->count > 0 ? schedule->at[schedule->count - 1] : TRACE_NONE;
    explorer->is_child = true;
    dup2(explorer->said, 2);
    alarm(explorer->sweep->timeout);
    for (size_t i = 0; i < schedule->count; i++)
        explorer->choices[schedule->at[i]] = 0xfe; /* the other thread */
    EsentHostSetChoices(explorer->choices, last == TRACE_NONE ? 0 : (size_t)last + 1);
    trace_begin(trace, last, prefix, next);
}

/* Runs the schedule in a child, and takes what it shows. False in the child itself, and if it died. */
static bool run_schedule(struct trace *trace, uint64_t prefix, uint32_t next)
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
        be_child(trace, prefix, next);
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

/* Departs from a run at each of its choices. `shown` is what the run showed that it departs from itself. */
static void explore(const struct trace *trace, unsigned budget, struct outcome shown)
{
    const size_t depth = explorer->schedule.count;
    struct trace_set *set = &explorer->sets[depth];
    struct outcome own = explorer->shared->outcome;
    for (size_t i = 0; i < trace->step_count && depth < DEPTH_MAX && !explorer->enough; i++) {
        const struct trace_step *step = &trace->steps[i];
        if (step->choice == TRACE_NONE)
            set->open = true; /* another thread's turn comes: what is known is of no use behind that */
        const unsigned cost = step->free_to_go_on ? 1 : 0;
        if (step->choice == TRACE_NONE || cost > budget)
            continue;
        const bool equivalent = step->free_to_go_on && !trace_meets(set, trace, step);
        explorer->counts.existing++;
        explorer->counts.equivalent += equivalent;
        if (equivalent && !explorer->sweep->prove) {
            explorer->counts.visited++;
            continue;
        }
        uint8_t *place = trace_end(trace);
        struct trace *next = trace_in(place, (size_t)(explorer->traces + TRACES_SIZE - place));
        explorer->schedule.at[depth] = step->choice;
        explorer->schedule.count = depth + 1;
        explorer->beyond += equivalent;
        const bool good = run_schedule(next, step->prefix, step->next);
        if (explorer->is_child)
            return;
        if (good && equivalent)
            check_equivalent(&shown);
        if (good && !equivalent) {
            trace_set_of_turn(set, next, 0);
            shown = explorer->shared->outcome;
        }
        if (good) {
            trace_set_of_turn(&explorer->sets[depth + 1], trace, i + 1);
            explore(next, budget - cost, own);
            if (explorer->is_child)
                return;
        }
        explorer->beyond -= equivalent;
        explorer->schedule.count = depth;
        if (!good || step->next != step->thread)
            set->open = true;
    }
}

static void explore_all(void)
{
    struct trace *plain = trace_in(explorer->traces, TRACES_SIZE);
    explorer->counts.existing++;
    const bool good = run_schedule(plain, 0, 0);
    if (explorer->is_child || !good)
        return;
    explorer->sets[0].open = true;
    explore(plain, explorer->sweep->switches, explorer->shared->outcome);
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
    for (size_t i = 0; i <= DEPTH_MAX; i++)
        explorer->sets[i].slots = make_room(TRACE_SET_SLOTS * sizeof *explorer->sets[i].slots, MAP_SHARED);
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
