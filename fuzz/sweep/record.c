#include "fuzz/sweep/record.h"

#include <stdlib.h>
#include <string.h>

#include "fuzz/sweep/apart.h"
#include "include/esent_host.h"

struct recorder {
    struct record *record;
};

static void after_line(void *context, const struct program *program, size_t line,
                       const struct run_answer *answer)
{
    struct record *record = ((struct recorder *)context)->record;
    (void)program;
    (void)answer;
    const size_t size = EsentHostGetSchedule(NULL, 0);
    record->ends[line] = size;
    if (size > record->size) {
        uint8_t *larger = realloc(record->choices, size);
        if (larger == NULL)
            abort();
        record->choices = larger;
        record->size = size;
    }
    EsentHostGetSchedule(record->choices, record->size);
}

struct run_result record_run(const struct program *program, struct record *record, struct program *transcript)
{
    struct text note = {0};
    program_print(program, &note);
    apart_note(&note);
    text_free(&note);
    *record = (struct record){.line_count = program->line_count};
    record->ends = calloc(program->line_count + 1, sizeof *record->ends);
    if (record->ends == NULL)
        abort();
    struct recorder recorder = {record};
    struct run_options options = {.simulated = true, .observer = {.context = &recorder, .after = after_line}};
    struct run_result result;
    run_program(program, &options, transcript, &result);
    return result;
}

void record_free(struct record *record)
{
    free(record->choices);
    free(record->ends);
    free(record->points);
    *record = (struct record){0};
}

void record_set_switches(struct program *program, size_t count, const size_t *switches)
{
    struct program_error error;
    struct text line = {0};
    text_print(&line, "set switches \"");
    for (size_t i = 0; i < count; i++)
        text_print(&line, "%s%zu", i > 0 ? " " : "", switches[i]);
    text_print(&line, "\"");
    if (count > 0)
        program_parse_line(program, line.bytes, line.size, &error);
    text_free(&line);
}

static bool is_about_threads(uint8_t choice)
{
    return (choice & ESENT_HOST_CHOICE_BACKGROUND) == 0;
}

bool record_first_switch(const struct record *record, size_t *at)
{
    for (size_t i = 0; i < record->size; i++) {
        if (is_about_threads(record->choices[i]) && record->choices[i] != 0) {
            *at = i;
            return true;
        }
    }
    return false;
}

void record_collect_points(struct record *record, size_t from, size_t end)
{
    free(record->points);
    record->points = calloc(record->size + 1, sizeof *record->points);
    record->point_count = 0;
    if (record->points == NULL)
        abort();
    for (size_t i = from; i < end && i < record->size; i++) {
        if (is_about_threads(record->choices[i]))
            record->points[record->point_count++] = i;
    }
}

bool record_agrees(const struct record *a, const struct record *b, size_t size)
{
    return a->size >= size && b->size >= size && (size == 0 || memcmp(a->choices, b->choices, size) == 0) &&
           a->size > size;
}
