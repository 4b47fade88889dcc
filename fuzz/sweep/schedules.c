/* Every schedule of a program of two threads with at most so many switches. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz/runner/runner.h"
#include "fuzz/sweep/apart.h"
#include "fuzz/sweep/ends.h"
#include "fuzz/sweep/explain.h"
#include "fuzz/sweep/record.h"
#include "fuzz/sweep/sweep.h"

#define SWITCHES_MAX 4
#define KNOWN_MAX 4096 /* a power of two */

struct schedule {
    uint32_t at[SWITCHES_MAX];
    uint32_t previous; /* what the choice at the last switch was before it */
    uint64_t prefix;   /* a number over the choices before it */
};

struct schedules {
    struct schedule *list;
    size_t count, capacity;
};

struct schedule_sweep {
    struct sweep *sweep;
    struct sweep_counts *counts;
    struct program program;
    struct schedules now;  /* of this level */
    struct schedules next; /* found by it: one switch more */
    size_t level;
    bool more;                    /* a next level is wanted */
    uint64_t outcomes[KNOWN_MAX]; /* numbers over the answers seen; 0 = free */
};

/* What a child answers: this, the outcome's number, then the points of the next level, then a find. */
struct reply {
    uint32_t strayed; /* the run did not take its schedule */
    uint32_t next_count;
    uint64_t outcome;
    uint64_t judged;
};

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

static void append(struct schedules *schedules, const struct schedule *schedule)
{
    if (schedules->count == schedules->capacity) {
        schedules->capacity = schedules->capacity == 0 ? 1024 : schedules->capacity * 2;
        schedules->list = realloc(schedules->list, schedules->capacity * sizeof *schedules->list);
        if (schedules->list == NULL)
            abort();
    }
    schedules->list[schedules->count++] = *schedule;
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

static void program_of(const struct schedule_sweep *schedules, const struct schedule *schedule,
                       struct program *program)
{
    size_t at[SWITCHES_MAX];
    for (size_t i = 0; i < schedules->level; i++)
        at[i] = schedule->at[i];
    record_set_switches(program, schedules->level, at);
    for (size_t i = 0; i < schedules->program.line_count; i++)
        program_copy_line(program, program_append(program), &schedules->program.lines[i]);
}

/* The schedule was taken: the choices before the last switch are those of the run it was derived from, and
 * the choice there is another. */
static bool was_taken(const struct schedule_sweep *schedules, const struct schedule *schedule,
                      const struct record *record)
{
    if (schedules->level == 0)
        return true;
    const size_t at = schedule->at[schedules->level - 1];
    return record->size > at && record->choices[at] != schedule->previous &&
           number_over(1, record->choices, at) == schedule->prefix;
}

/* The explained outcomes of this child, so that each is judged once. */
static uint64_t explained_here[KNOWN_MAX];

static bool is_explained(const struct program *transcript, const struct run_result *result, uint64_t outcome,
                         struct reply *reply, char *what, size_t size)
{
    if (result->alone && (result->leaked_bytes != 0 || result->leaked_handles != 0)) {
        snprintf(what, size, "I9: %llu bytes and %u open files are left",
                 (unsigned long long)result->leaked_bytes, result->leaked_handles);
        return false;
    }
    if (!remember(explained_here, outcome))
        return true;
    struct explain_result explained;
    explain_threads(transcript, &explained);
    reply->judged = explained.judged;
    snprintf(what, size, "no order of the calls explains the answers: %s", explained.message);
    return explained.explained;
}

static void describe(const struct schedule_sweep *schedules, const struct schedule *schedule, char *where,
                     size_t size)
{
    size_t used = (size_t)snprintf(where, size, "switches");
    for (size_t i = 0; i < schedules->level && used < size; i++)
        used += (size_t)snprintf(where + used, size - used, " %u", schedule->at[i]);
}

static void work(void *context, size_t index, struct text *answer)
{
    const struct schedule_sweep *schedules = context;
    const struct schedule *schedule = &schedules->now.list[index];
    struct program program = {0};
    struct program transcript = {0};
    struct record record = {0};
    struct reply reply = {0};
    char what[600] = "";
    program_of(schedules, schedule, &program);
    const struct run_result result = record_run(&program, &record, &transcript);
    reply.strayed = !was_taken(schedules, schedule, &record);
    /* Without the setting's line, which is not the same in all of them. */
    reply.outcome = number_of_answers(&transcript);
    const bool found = !is_explained(&transcript, &result, reply.outcome, &reply, what, sizeof what);
    if (schedules->more) {
        record_collect_points(&record, schedules->level == 0 ? 0 : schedule->at[schedules->level - 1] + 1,
                              record.size);
        reply.next_count = (uint32_t)record.point_count;
    }
    text_add(answer, &reply, sizeof reply);
    uint64_t prefix = 1;
    size_t done = 0;
    for (size_t i = 0; i < reply.next_count; i++) {
        const size_t at = record.points[i];
        prefix = number_over(prefix, record.choices + done, at - done);
        done = at;
        struct schedule next = *schedule;
        next.at[schedules->level] = (uint32_t)at;
        next.previous = record.choices[at];
        next.prefix = prefix;
        text_add(answer, &next, sizeof next);
    }
    if (found) {
        char where[120];
        describe(schedules, schedule, where, sizeof where);
        sweep_answer_find(answer, where, what, &transcript);
    }
    record_free(&record);
    program_free(&transcript);
    program_free(&program);
}

static bool take(void *context, size_t index, const char *died, const char *answer, size_t size)
{
    struct schedule_sweep *schedules = context;
    struct sweep_counts *counts = schedules->counts;
    if (died != NULL) {
        char where[120];
        describe(schedules, &schedules->now.list[index], where, sizeof where);
        return sweep_take_death(schedules->sweep, counts, where, died, answer);
    }
    counts->runs++;
    struct reply reply;
    memcpy(&reply, answer, sizeof reply);
    counts->visited += !reply.strayed;
    counts->judged += reply.judged;
    counts->outcomes += remember(schedules->outcomes, reply.outcome);
    const char *at = answer + sizeof reply;
    for (uint32_t i = 0; i < reply.next_count; i++, at += sizeof(struct schedule)) {
        struct schedule next;
        memcpy(&next, at, sizeof next);
        append(&schedules->next, &next);
    }
    return sweep_take_finds(schedules->sweep, counts, at, (size_t)(answer + size - at)) &&
           !sweep_is_late(schedules->sweep);
}

bool sweep_schedules(struct sweep *sweep, struct sweep_counts *counts)
{
    struct schedule_sweep schedules = {.sweep = sweep, .counts = counts};
    struct schedule plain = {0};
    const size_t most = sweep->switches < SWITCHES_MAX ? sweep->switches : SWITCHES_MAX;
    *counts = (struct sweep_counts){0};
    for (size_t i = 0; i < sweep->program->line_count; i++) {
        const struct program_line *line = &sweep->program->lines[i];
        if (line->kind == LINE_CALL || line->kind == LINE_SET) {
            struct program_line bare = *line;
            bare.expects = false;
            bare.outcome = (struct program_outcome){0};
            program_copy_line(&schedules.program, program_append(&schedules.program), &bare);
        }
    }
    append(&schedules.now, &plain);
    bool go_on = true;
    for (schedules.level = 0; go_on && schedules.level <= most; schedules.level++) {
        struct apart_jobs jobs = {.context = &schedules,
                                  .count = schedules.now.count,
                                  .timeout = sweep->timeout,
                                  .work = work,
                                  .take = take};
        schedules.more = schedules.level < most;
        counts->existing += schedules.now.count;
        go_on = apart_run(&jobs);
        free(schedules.now.list);
        schedules.now = schedules.next;
        schedules.next = (struct schedules){0};
    }
    if (!go_on)
        counts->existing += schedules.now.count; /* found, but not run any more */
    free(schedules.now.list);
    program_free(&schedules.program);
    return true;
}
