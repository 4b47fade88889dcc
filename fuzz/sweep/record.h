/* A run with the schedule it took: where threads could have been switched, and which line each point was in.
 */
#ifndef OPENESENT_FUZZ_RECORD_H
#define OPENESENT_FUZZ_RECORD_H

#include <stdint.h>

#include "fuzz/program/program.h"
#include "fuzz/runner/runner.h"

struct record {
    uint8_t *choices; /* as EsentHostGetSchedule answers them, up to the last line's answer */
    size_t size;
    size_t *ends; /* by line: how many choices had been made when its answer was taken */
    size_t line_count;
    size_t *points; /* record_collect_points: those choices that are about threads */
    size_t point_count;
};

/* Runs the program in memory under its own schedule. `transcript` may be NULL. */
struct run_result record_run(const struct program *program, struct record *record,
                             struct program *transcript);
void record_free(struct record *record);

/* Puts `set switches "..."` in front of everything (`program` is empty); nothing without switches. */
void record_set_switches(struct program *program, size_t count, const size_t *switches);

/* The first choice that gave another thread its turn. */
bool record_first_switch(const struct record *record, size_t *at);

/* The choices about threads from `from` on, before `end`. */
void record_collect_points(struct record *record, size_t from, size_t end);

/* Whether two runs chose the same before `size`. */
bool record_agrees(const struct record *a, const struct record *b, size_t size);

#endif
