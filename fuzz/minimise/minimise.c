#include "fuzz/minimise/minimise.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz/program/slots.h"

struct work {
    struct program *program;
    const struct minimise_judge *judge;
    size_t most;
    struct minimise_counts *counts;
};

#define OTHER_SCHEDULES 6

static bool is_of_schedule(const struct program_line *line)
{
    return line->kind == LINE_SET &&
           (strcmp(line->name, "schedule") == 0 || strcmp(line->name, "switches") == 0 ||
            strcmp(line->name, "priorities") == 0);
}

static bool has_threads(const struct program *program)
{
    bool threads = false;
    bool schedule = false;
    for (size_t i = 0; i < program->line_count; i++) {
        threads = threads || (program->lines[i].kind == LINE_CALL && program->lines[i].thread != 0);
        schedule = schedule || is_of_schedule(&program->lines[i]);
    }
    return threads && schedule;
}

/* Another schedule in place of the program's own. */
static void set_schedule(struct program *program, unsigned seed)
{
    struct program_error error;
    struct program_line last;
    char text[40];
    for (size_t i = program->line_count; i > 0; i--) {
        if (is_of_schedule(&program->lines[i - 1]))
            program_remove(program, i - 1, 1);
    }
    int size = snprintf(text, sizeof text, "set schedule %u", seed);
    if (!program_parse_line(program, text, (size_t)size, &error))
        return;
    last = program->lines[program->line_count - 1];
    memmove(&program->lines[1], &program->lines[0], (program->line_count - 1) * sizeof *program->lines);
    program->lines[0] = last;
}

static bool exhausted(const struct work *work)
{
    return (work->most != 0 && work->counts->tried >= work->most) ||
           (work->judge->stop != NULL && work->judge->stop(work->judge->context));
}

static bool judge_program(struct work *work, const struct program *program)
{
    if (exhausted(work))
        return false;
    work->counts->tried++;
    return work->judge->fails(work->judge->context, program);
}

/* Takes `smaller` over if it still fails; frees what is not kept. */
static bool try_program(struct work *work, struct program *smaller)
{
    bool keeps = judge_program(work, smaller);
    for (unsigned seed = 0; !keeps && has_threads(smaller) && seed < OTHER_SCHEDULES; seed++) {
        set_schedule(smaller, seed);
        keeps = judge_program(work, smaller);
    }
    if (keeps) {
        work->counts->kept++;
        program_free(work->program);
        *work->program = *smaller;
    } else {
        program_free(smaller);
    }
    return keeps;
}

/* --- leaving lines out: those that a predicate names */

static bool try_without(struct work *work, bool (*leave_out)(const struct program_line *, const void *),
                        const void *what)
{
    struct program smaller = {0};
    bool any = false;
    for (size_t i = 0; i < work->program->line_count; i++) {
        const struct program_line *line = &work->program->lines[i];
        if (leave_out(line, what))
            any = true;
        else
            program_copy_line(&smaller, program_append(&smaller), line);
    }
    if (any)
        return try_program(work, &smaller);
    program_free(&smaller);
    return false;
}

static bool is_on_thread(const struct program_line *line, const void *thread)
{
    const unsigned *number = thread;
    if (line->kind != LINE_CALL)
        return false;
    if (line->thread == *number)
        return true;
    return strcmp(line->op->name, "Join") == 0 && line->argument_count > 0 &&
           strtoul(line->arguments[0].word, NULL, 10) == *number;
}

static bool uses_set(const struct program_line *line, const void *set)
{
    return slot_set_is_used(set, line);
}

/* Leaves out each slot of a kind, with all that was made out of it. */
static void drop_slots(struct work *work, char letter)
{
    struct slot_set all = {0};
    for (size_t i = 0; i < work->program->line_count; i++) {
        const struct program_line *line = &work->program->lines[i];
        for (size_t a = 0; line->kind == LINE_CALL && a < line->argument_count; a++) {
            if (program_is_slot(&line->arguments[a]) && line->arguments[a].word[0] == letter)
                slot_set_add(&all, line->arguments[a].word);
        }
    }
    for (size_t i = all.count; i-- > 0 && !exhausted(work);) {
        struct slot_set set = {0};
        slot_set_add(&set, all.names[i]);
        slot_set_add_offspring(&set, work->program);
        try_without(work, uses_set, &set);
    }
}

static void drop_threads(struct work *work)
{
    for (unsigned thread = 1; thread < 16 && !exhausted(work); thread++)
        try_without(work, is_on_thread, &thread);
}

/* Leaves out runs of lines: halves, quarters, ... single lines, from the end, until nothing goes any more. */
static bool drop_runs(struct work *work)
{
    bool any = false;
    size_t run = work->program->line_count / 2;
    for (; run > 0 && !exhausted(work); run /= 2) {
        for (size_t end = work->program->line_count; end > 0 && !exhausted(work);) {
            size_t start = end > run ? end - run : 0;
            struct program smaller = {0};
            program_copy(&smaller, work->program);
            program_remove(&smaller, start, end - start);
            if (try_program(work, &smaller)) {
                any = true;
                if (end > work->program->line_count)
                    end = work->program->line_count;
                end = start < end ? start : end;
            } else {
                end = start;
            }
        }
    }
    return any;
}

/* --- making lines plainer */

static bool try_line(struct work *work, size_t index,
                     void (*change)(struct program *, struct program_line *, size_t), size_t detail)
{
    struct program smaller = {0};
    program_copy(&smaller, work->program);
    change(&smaller, &smaller.lines[index], detail);
    if (program_line_equal(&smaller.lines[index], &work->program->lines[index])) {
        program_free(&smaller);
        return false;
    }
    return try_program(work, &smaller);
}

static void remove_faults(struct program *program, struct program_line *line, size_t detail)
{
    (void)program;
    (void)detail;
    line->fault_count = 0;
}

static void move_to_main(struct program *program, struct program_line *line, size_t detail)
{
    (void)program;
    (void)detail;
    line->thread = 0;
}

static void forget_expectation(struct program *program, struct program_line *line, size_t detail)
{
    (void)program;
    (void)detail;
    line->expects = false;
    line->outcome = (struct program_outcome){0};
}

static void remove_argument(struct program *program, struct program_line *line, size_t detail)
{
    (void)program;
    memmove(&line->arguments[detail], &line->arguments[detail + 1],
            (line->argument_count - detail - 1) * sizeof *line->arguments);
    line->argument_count--;
}

/* A number becomes half of itself, other words become 0. */
static void shrink_argument(struct program *program, struct program_line *line, size_t detail)
{
    struct program_token *token = &line->arguments[detail];
    char *end;
    if (token->text != NULL || program_is_slot(token) || strchr(token->word, ':') != NULL ||
        strchr(token->word, '=') != NULL)
        return;
    unsigned long long number = strtoull(token->word, &end, 0);
    if (*end == '\0' && end != token->word)
        token->word = arena_format(&program->arena, "%llu", number / 2);
    else if (strcmp(token->word, "nil") != 0 && strcmp(token->word, "null") != 0 &&
             strcmp(token->word, "zero") != 0)
        token->word = "0";
}

/* Takes the point with this number out of "3 57 60"; false if there are not so many, or only one. */
static bool remove_switch(struct program *program, struct program_line *line, size_t point)
{
    const char *text = program_token_value(&line->arguments[0], 0, NULL);
    struct text left = {0};
    size_t count = 0;
    for (const char *at = text; *at != '\0'; at += strcspn(at, " "), at += strspn(at, " ")) {
        if (count++ != point)
            text_print(&left, "%s%.*s", left.size > 0 ? " " : "", (int)strcspn(at, " "), at);
    }
    const bool shorter = point < count && left.size > 0;
    if (shorter) {
        line->arguments[0].text = arena_text(&program->arena, left.bytes);
        line->arguments[0].text_size = left.size;
    }
    text_free(&left);
    return shorter;
}

/* Leaves out the points of `set switches` one by one. */
static void drop_switches(struct work *work)
{
    for (size_t i = 0; i < work->program->line_count; i++) {
        if (!is_of_schedule(&work->program->lines[i]) ||
            strcmp(work->program->lines[i].name, "switches") != 0)
            continue;
        for (size_t point = 16; point-- > 0 && !exhausted(work);) {
            struct program smaller = {0};
            program_copy(&smaller, work->program);
            if (remove_switch(&smaller, &smaller.lines[i], point)) {
                if (try_program(work, &smaller))
                    break; /* the line may be another one now */
            } else {
                program_free(&smaller);
            }
        }
    }
}

static void plainer_line(struct work *work, size_t index)
{
    const struct program_line *line = &work->program->lines[index];
    if (line->kind != LINE_CALL)
        return;
    if (work->program->lines[index].thread != 0)
        try_line(work, index, move_to_main, 0);
    if (work->program->lines[index].expects)
        try_line(work, index, forget_expectation, 0);
    for (size_t a = work->program->lines[index].argument_count; a-- > 0 && !exhausted(work);) {
        if (a + 1 == work->program->lines[index].argument_count && try_line(work, index, remove_argument, a))
            continue;
        while (!exhausted(work) && try_line(work, index, shrink_argument, a)) {
        }
    }
}

static bool may_go(const struct program_line *line, const void *function)
{
    bool (*const *removable)(const struct program_line *) = function;
    return (*removable)(line);
}

/* All removable lines at once, else one by one. */
static void drop_removable(struct work *work)
{
    bool (*removable)(const struct program_line *) = work->judge->removable;
    if (try_without(work, may_go, &removable))
        return;
    for (size_t i = work->program->line_count; i-- > 0 && !exhausted(work);) {
        if (!removable(&work->program->lines[i]))
            continue;
        struct program smaller = {0};
        program_copy(&smaller, work->program);
        program_remove(&smaller, i, 1);
        try_program(work, &smaller);
    }
}

void minimise(struct program *program, const struct minimise_judge *judge, size_t most,
              struct minimise_counts *counts)
{
    struct minimise_counts own = {0};
    struct work work = {program, judge, most, counts != NULL ? counts : &own};
    *work.counts = (struct minimise_counts){0};
    if (judge->removable != NULL) {
        drop_removable(&work);
        return;
    }
    drop_slots(&work, 'i');
    drop_slots(&work, 's');
    drop_threads(&work);
    drop_slots(&work, 'n');
    drop_slots(&work, 't');
    for (int rounds = 0; rounds < 4 && drop_runs(&work); rounds++) {
    }
    for (size_t i = work.program->line_count; i-- > 0 && !exhausted(&work);) {
        if (work.program->lines[i].kind == LINE_CALL && work.program->lines[i].fault_count > 0)
            try_line(&work, i, remove_faults, 0);
    }
    drop_switches(&work);
    for (size_t i = work.program->line_count; i-- > 0 && !exhausted(&work);) {
        if (i < work.program->line_count)
            plainer_line(&work, i);
    }
    drop_runs(&work);
}
