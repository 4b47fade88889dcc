/* A call on another thread at every point at which the program's own thread could be interrupted. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz/runner/runner.h"
#include "fuzz/sweep/apart.h"
#include "fuzz/sweep/ends.h"
#include "fuzz/sweep/explain.h"
#include "fuzz/sweep/record.h"
#include "fuzz/sweep/sweep.h"

struct call_sweep {
    struct sweep *sweep;
    struct sweep_counts *counts;
    const char *call;
    struct program program; /* with the call as its first one */
    size_t moved;           /* where it stands */
    size_t join;            /* the last line before the thread is waited for, when the program is run */
    size_t start;           /* the choice at which the thread begins, and is kept from it */
    struct record record;   /* of the run in which the call comes last */
};

/* The settings, the call, the other calls. */
static bool build(struct call_sweep *calls)
{
    const struct program *source = calls->sweep->program;
    struct program_error error;
    bool placed = false;
    for (size_t i = 0; i < source->line_count; i++) {
        const struct program_line *line = &source->lines[i];
        if (line->kind == LINE_CALL && !placed) {
            char text[300];
            int size = snprintf(text, sizeof text, "@1 %s", calls->call);
            calls->moved = calls->program.line_count;
            placed = true;
            if (!program_parse_line(&calls->program, text, (size_t)size, &error))
                return false;
        }
        if (line->kind == LINE_CALL || line->kind == LINE_SET)
            ends_append_plain(&calls->program, line);
    }
    calls->join = calls->program.line_count; /* with the switches' line in front: the line before it */
    ends_append(&calls->program, "Join 1");
    ends_terminate(&calls->program, source, source->line_count);
    return placed;
}

/* The program as it is run: with the switches. */
static void with_switches(const struct call_sweep *calls, const char *switches, struct program *program)
{
    ends_append(program, "set switches \"%s\"", switches);
    for (size_t i = 0; i < calls->program.line_count; i++)
        program_copy_line(program, program_append(program), &calls->program.lines[i]);
}

/* The line of the program's own thread in which a choice was made. */
static size_t line_at(const struct record *record, size_t choice, size_t moved)
{
    for (size_t line = 0; line < record->line_count; line++) {
        if (line != moved && record->ends[line] > choice)
            return line;
    }
    return record->line_count;
}

static void describe(const struct call_sweep *calls, size_t index, char *where, size_t size)
{
    snprintf(where, size, "%s at point %zu", calls->call, calls->record.points[index]);
}

static void work(void *context, size_t index, struct text *answer)
{
    const struct call_sweep *calls = context;
    const size_t at = calls->record.points[index];
    struct program program = {0};
    struct program transcript = {0};
    struct record record = {0};
    struct explain_result explained;
    struct sweep_counts counts = {.existing = 1, .runs = 1};
    char line[60];
    snprintf(line, sizeof line, "%zu %zu+1", calls->start, at);
    with_switches(calls, line, &program);
    const struct run_result result = record_run(&program, &record, &transcript);
    counts.visited =
        record_agrees(&record, &calls->record, at) && record.choices[at] != calls->record.choices[at];
    /* One line more than in the program without switches. */
    explain_moved(&transcript, calls->moved + 1, line_at(&calls->record, at, calls->moved + 1), &explained);
    counts.judged = explained.judged;
    text_add(answer, &counts, sizeof counts);
    const char *left = program_outcome_fact(&transcript.lines[transcript.line_count - 1].outcome, "n", false);
    const bool leaks = result.leaked_bytes != 0 && left != NULL && strcmp(left, "0") == 0;
    if (!explained.explained || leaks) {
        char leak[100];
        char where[300];
        snprintf(leak, sizeof leak, "I9: %llu bytes are left", (unsigned long long)result.leaked_bytes);
        describe(calls, index, where, sizeof where);
        sweep_answer_find(answer, where, explained.explained ? leak : explained.message, &transcript);
    }
    record_free(&record);
    program_free(&transcript);
    program_free(&program);
}

static bool take(void *context, size_t index, const char *died, const char *answer, size_t size)
{
    struct call_sweep *calls = context;
    struct sweep_counts *counts = calls->counts;
    if (died != NULL) {
        char where[300];
        describe(calls, index, where, sizeof where);
        return sweep_take_death(calls->sweep, counts, where, died, answer);
    }
    struct sweep_counts own;
    memcpy(&own, answer, sizeof own);
    own.existing = 0; /* known before */
    sweep_add(counts, &own);
    return sweep_take_finds(calls->sweep, counts, answer + sizeof own, size - sizeof own) &&
           !sweep_is_late(calls->sweep);
}

bool sweep_calls(struct sweep *sweep, const char *call, struct sweep_counts *counts)
{
    struct call_sweep calls = {.sweep = sweep, .counts = counts, .call = call};
    struct record plain = {0};
    *counts = (struct sweep_counts){0};
    bool good = build(&calls);
    if (good) {
        record_run(&calls.program, &plain, NULL);
        good = record_first_switch(&plain, &calls.start);
    }
    if (good) {
        struct program last = {0};
        char line[30];
        snprintf(line, sizeof line, "%zu", calls.start);
        with_switches(&calls, line, &last);
        record_run(&last, &calls.record, NULL);
        record_collect_points(&calls.record, calls.start + 1, calls.record.ends[calls.join]);
        counts->existing = calls.record.point_count;
        program_free(&last);
        struct apart_jobs jobs = {.context = &calls,
                                  .count = calls.record.point_count,
                                  .timeout = sweep->timeout,
                                  .work = work,
                                  .take = take};
        apart_run(&jobs);
    }
    record_free(&plain);
    record_free(&calls.record);
    program_free(&calls.program);
    return good;
}
