/* Every operation of a kind fails in turn. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz/runner/runner.h"
#include "fuzz/sweep/apart.h"
#include "fuzz/sweep/ends.h"
#include "fuzz/sweep/explain.h"
#include "fuzz/sweep/life.h"
#include "fuzz/sweep/sweep.h"
#include "fuzz/sweep/torn_page.h"
#include "include/esent_host.h"

#define DEPTH_MAX 2
#define MACHINE_MODES 4

static const char *const machine_modes[MACHINE_MODES] = {"lose", "reorder", "tear", "prefix"};

struct point {
    size_t line;
    uint32_t nth;
};

struct points {
    struct point *points;
    size_t count, capacity;
};

struct fault_sweep {
    struct sweep *sweep;
    struct sweep_counts *counts;
    const char *kind; /* as it was asked for */
    const char *name; /* of the fault, in programs */
    enum ESENT_HOST_FAULT fault;
    bool machine;              /* not the process dies, but the machine */
    struct program transcript; /* of the run without faults */
    struct program calm;       /* the same, with the end of everything and a new start behind it */
    struct points points;      /* of that run */
};

/* One run: a program in which some lines are hit. */
struct world {
    struct program program;
    struct explain_unknown unknowns[DEPTH_MAX];
    size_t unknown_count;
    size_t hit;     /* the line that the last fault hits */
    uint64_t crash; /* for a machine: chooses what survives */
};

/* What a run showed. */
struct seen {
    const struct fault_sweep *sweep;
    struct points *points; /* NULL, or where to put the points of lines from `from` on */
    size_t from;
    uint64_t before;
    size_t hit; /* the line whose fault must strike; SIZE_MAX none */
    bool struck;
};

static void add_point(struct points *points, size_t line, uint32_t nth)
{
    if (points->count == points->capacity) {
        points->capacity = points->capacity == 0 ? 256 : points->capacity * 2;
        points->points = realloc(points->points, points->capacity * sizeof *points->points);
        if (points->points == NULL)
            abort();
    }
    points->points[points->count++] = (struct point){line, nth};
}

static void before_line(void *context, const struct program *program, size_t line)
{
    struct seen *seen = context;
    (void)program;
    (void)line;
    seen->before = EsentHostCountPoints(seen->sweep->fault);
}

static void after_line(void *context, const struct program *program, size_t line,
                       const struct run_answer *answer)
{
    struct seen *seen = context;
    (void)answer;
    const bool crash = seen->sweep->fault == ESENT_HOST_FAULT_CRASH;
    if (line == seen->hit)
        seen->struck =
            crash ? EsentHostCrashPointReached() != 0 : EsentHostCountFailures(seen->sweep->fault) > 0;
    if (seen->points == NULL || line < seen->from || strcmp(program->lines[line].op->name, "Crash") == 0)
        return;
    const uint64_t count = EsentHostCountPoints(seen->sweep->fault) - seen->before;
    for (uint64_t nth = 1; nth <= count; nth++)
        add_point(seen->points, line, (uint32_t)nth);
}

static void run_world(const struct fault_sweep *sweep, const struct program *program, struct seen *seen,
                      struct program *transcript, struct run_result *result)
{
    struct text note = {0};
    program_print(program, &note);
    apart_note(&note);
    text_free(&note);
    seen->sweep = sweep;
    struct run_options options = {
        .simulated = true,
        .observer = {.context = seen, .before = before_line, .after = after_line},
    };
    run_program(program, &options, transcript, result);
}

static void answer_find(struct text *answer, struct sweep_counts *counts, const char *where, const char *what,
                        const struct program *program)
{
    counts->finds++;
    sweep_answer_find(answer, where, what, program);
}

static void describe(const struct fault_sweep *sweep, const struct world *world, char *where, size_t size)
{
    const struct program_line *line = &world->program.lines[world->hit];
    size_t used = (size_t)snprintf(where, size, "%s:%u in line %zu (%s)", sweep->kind, line->faults[0].nth,
                                   world->hit + 1, line->op->name);
    if (world->unknown_count > 1 && used < size) {
        const struct program_line *first = &world->program.lines[world->unknowns[0].line];
        snprintf(where + used, size - used, " after %s:%u in line %zu (%s)", sweep->kind,
                 first->faults[0].nth, world->unknowns[0].line + 1, first->op->name);
    }
}

/* The lines of `program` up to the point's, which is hit; what is behind it is up to the caller. */
static void begin_world(struct world *world, const struct fault_sweep *sweep, const struct program *program,
                        const struct point *point, size_t lines)
{
    for (size_t i = 0; i < lines; i++) {
        struct program_line *line = program_append(&world->program);
        program_copy_line(&world->program, line, &program->lines[i]);
        line->expects = false;
        line->outcome = (struct program_outcome){0};
    }
    /* The program's own faults were taken out at the start; those here were put in by an outer sweep. */
    struct program_line *line = &world->program.lines[point->line];
    struct program_fault *fault = arena_allocate(&world->program.arena, sizeof *fault);
    *fault = (struct program_fault){.kind = sweep->name, .nth = point->nth};
    line->faults = fault;
    line->fault_count = 1;
    world->hit = point->line;
}

/* What the call did counts only if it was told that it did it, or if nobody knows. */
static void judge_world(const struct fault_sweep *sweep, const struct world *world,
                        const struct program *transcript, struct explain_result *result)
{
    struct explain_unknown unknowns[DEPTH_MAX];
    struct program halves[DEPTH_MAX] = {0};
    size_t count = 0;
    for (size_t i = 0; i < world->unknown_count; i++) {
        const struct program_line *line = &transcript->lines[world->unknowns[i].line];
        if (sweep->fault != ESENT_HOST_FAULT_CRASH && explain_is_success(&line->outcome))
            continue;
        unknowns[count] = world->unknowns[i];
        explain_add_halves(&halves[count], line, unknowns[count].outcome);
        unknowns[count].instead = &halves[count];
        count++;
    }
    explain_unknowns(transcript, unknowns, count, result);
    for (size_t i = 0; i < count; i++)
        program_free(&halves[i]);
}

/* The process dies behind the hit line; then a new start. Collects the points of the new start if wanted. */
static void visit_death(const struct fault_sweep *sweep, struct world *world, size_t source_lines,
                        struct points *points, struct program *transcript, struct sweep_counts *counts,
                        struct text *finds)
{
    struct run_result result;
    struct explain_result explained;
    char where[300];
    if (sweep->machine)
        ends_append(&world->program, "Crash %s %u", machine_modes[world->crash % MACHINE_MODES],
                    (unsigned)world->crash);
    else
        ends_append(&world->program, "Crash");
    const size_t from = world->program.line_count;
    ends_start_again(&world->program, sweep->sweep->program, source_lines);
    struct seen seen = {.hit = world->hit, .points = points, .from = from};
    run_world(sweep, &world->program, &seen, transcript, &result);
    counts->runs++;
    counts->visited += seen.struck;
    /* What is behind a start that fails for a lost page is not asked for. */
    struct program asked = *transcript;
    asked.line_count = torn_page_line(transcript, world->hit);
    judge_world(sweep, world, &asked, &explained);
    counts->judged += explained.judged;
    describe(sweep, world, where, sizeof where);
    if (!explained.explained)
        answer_find(finds, counts, where, explained.message, transcript);
}

/* The program goes on, ends everything, starts again. */
static void visit_life(const struct fault_sweep *sweep, const struct point *point,
                       struct sweep_counts *counts, struct text *finds)
{
    const struct program *program = sweep->sweep->program;
    struct world world = {0};
    struct program transcript = {0};
    struct run_result result;
    char where[300];
    char what[400];
    begin_world(&world, sweep, program, point, program->line_count);
    life_append_end(&world.program, program);
    struct seen seen = {.hit = point->line};
    run_world(sweep, &world.program, &seen, &transcript, &result);
    counts->runs++;
    describe(sweep, &world, where, sizeof where);
    const struct life life = {.calm = &sweep->calm,
                              .transcript = &transcript,
                              .result = &result,
                              .program_lines = program->line_count,
                              .hit = point->line};
    if (!life_ends_well(&life, what, sizeof what))
        answer_find(finds, counts, where, what, &transcript);
    program_free(&transcript);
    program_free(&world.program);
}

/* The second fault: each operation of the new start, in a world that one fault has hit already. */
static void visit_second(const struct fault_sweep *sweep, const struct world *first,
                         const struct program *transcript, const struct points *points, size_t source_lines,
                         struct sweep_counts *counts, struct text *finds)
{
    for (size_t i = 0; i < points->count && counts->finds == 0; i++) {
        const struct point *point = &points->points[i];
        struct world world = {
            .unknowns = {first->unknowns[0]}, .unknown_count = DEPTH_MAX, .crash = first->crash + i};
        struct program second = {0};
        begin_world(&world, sweep, &first->program, point, point->line + 1);
        world.unknowns[1] =
            (struct explain_unknown){.line = point->line, .outcome = &transcript->lines[point->line].outcome};
        counts->existing++;
        visit_death(sweep, &world, source_lines, NULL, &second, counts, finds);
        program_free(&second);
        program_free(&world.program);
    }
}

/* A death at a point, and all that can go wrong in the start behind it if `deep`. */
static void visit_point(const struct fault_sweep *sweep, const struct point *point, uint64_t crash, bool deep,
                        struct sweep_counts *counts, struct text *finds)
{
    struct world world = {.unknown_count = 1, .crash = crash};
    struct points second = {0};
    struct program transcript = {0};
    begin_world(&world, sweep, sweep->sweep->program, point, point->line + 1);
    world.unknowns[0] = (struct explain_unknown){.line = point->line,
                                                 .outcome = &sweep->transcript.lines[point->line].outcome};
    visit_death(sweep, &world, point->line + 1, deep ? &second : NULL, &transcript, counts, finds);
    visit_second(sweep, &world, &transcript, &second, point->line + 1, counts, finds);
    free(second.points);
    program_free(&transcript);
    program_free(&world.program);
}

/* The machine dies there four times: each time other writes survive. The point counts once. */
static void visit_machine(const struct fault_sweep *sweep, size_t index, struct sweep_counts *counts,
                          struct text *finds)
{
    const size_t deep = index % MACHINE_MODES;
    size_t visited = 0;
    for (size_t mode = 0; mode < MACHINE_MODES; mode++) {
        struct sweep_counts own = {0};
        visit_point(sweep, &sweep->points.points[index], index * MACHINE_MODES + mode,
                    sweep->sweep->depth > 1 && mode == deep, &own, finds);
        const size_t first = own.existing < own.visited; /* not among those of the start behind it */
        visited += first;
        counts->existing += own.existing;
        counts->visited += own.visited - first;
        counts->runs += own.runs;
        counts->judged += own.judged;
        counts->finds += own.finds;
    }
    counts->visited += visited == MACHINE_MODES;
}

static void work(void *context, size_t index, struct text *answer)
{
    const struct fault_sweep *sweep = context;
    const struct point *point = &sweep->points.points[index];
    struct sweep_counts counts = {.existing = 1};
    struct text finds = {0};
    if (sweep->machine) {
        visit_machine(sweep, index, &counts, &finds);
    } else {
        if (sweep->fault != ESENT_HOST_FAULT_CRASH)
            visit_life(sweep, point, &counts, &finds);
        visit_point(sweep, point, 0, sweep->sweep->depth > 1, &counts, &finds);
    }
    text_add(answer, &counts, sizeof counts);
    text_add(answer, finds.bytes, finds.size);
    text_free(&finds);
}

static bool take(void *context, size_t index, const char *died, const char *answer, size_t size)
{
    struct fault_sweep *sweep = context;
    struct sweep_counts *counts = sweep->counts;
    const struct point *point = &sweep->points.points[index];
    if (died != NULL) {
        char where[120];
        snprintf(where, sizeof where, "%s:%u in line %zu (%s)", sweep->kind, point->nth, point->line + 1,
                 sweep->sweep->program->lines[point->line].op->name);
        counts->existing++;
        return sweep_take_death(sweep->sweep, counts, where, died, answer);
    }
    struct sweep_counts own;
    memcpy(&own, answer, sizeof own);
    own.finds = 0; /* they are counted where they are reported */
    sweep_add(counts, &own);
    return sweep_take_finds(sweep->sweep, counts, answer + sizeof own, size - sizeof own) &&
           !sweep_is_late(sweep->sweep);
}

/* The same program without faults of its own. */
static void copy_without_faults(struct program *to, const struct program *from)
{
    program_copy(to, from);
    for (size_t i = 0; i < to->line_count; i++)
        to->lines[i].fault_count = 0;
}

/* What the program's end and a new start answer if nothing was ever wrong. */
static void run_calm(struct fault_sweep *sweep)
{
    struct program program = {0};
    struct run_result result;
    struct seen seen = {.hit = SIZE_MAX};
    program_copy(&program, sweep->sweep->program);
    life_append_end(&program, sweep->sweep->program);
    run_world(sweep, &program, &seen, &sweep->calm, &result);
    program_free(&program);
}

/* Leaves out the points of other parts. */
static void keep_part(const struct sweep *sweep, struct points *points)
{
    size_t count = 0;
    for (size_t i = sweep->part; sweep->parts > 0 && i < points->count; i += sweep->parts)
        points->points[count++] = points->points[i];
    if (sweep->parts > 0)
        points->count = count;
}

bool sweep_faults(struct sweep *sweep, const char *kind, struct sweep_counts *counts)
{
    const struct program *given = sweep->program;
    struct program program = {0};
    struct fault_sweep faults = {.sweep = sweep, .counts = counts, .kind = kind};
    struct run_result result;
    *counts = (struct sweep_counts){0};
    faults.machine = strcmp(kind, "machine") == 0;
    faults.name = faults.machine ? "crash" : kind;
    faults.fault = EsentHostFaultFromName(faults.name);
    if (faults.fault == ESENT_HOST_FAULT_COUNT)
        return false;
    copy_without_faults(&program, given);
    sweep->program = &program;
    struct seen seen = {.hit = SIZE_MAX, .points = &faults.points};
    run_world(&faults, sweep->program, &seen, &faults.transcript, &result);
    keep_part(sweep, &faults.points);
    run_calm(&faults);
    struct apart_jobs jobs = {.context = &faults,
                              .count = faults.points.count,
                              .timeout = sweep->timeout,
                              .work = work,
                              .take = take};
    const bool whole = apart_run(&jobs);
    if (!whole && counts->existing < faults.points.count)
        counts->existing = faults.points.count; /* the others exist, too */
    free(faults.points.points);
    program_free(&faults.transcript);
    program_free(&faults.calm);
    program_free(&program);
    sweep->program = given;
    return true;
}
