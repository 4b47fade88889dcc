/* Cutting a failing program down to what still fails.
 *
 * In the domain's order: whole instances (with all lines that use them), sessions, threads, then runs of
 * lines, faults, points of the schedule, expectations, arguments. A program of several threads that no longer
 * fails when something is left out is tried with a few other schedules. Each step is kept only if the
 * caller's judge says that the smaller program still shows the same failure. */
#ifndef OPENESENT_FUZZ_MINIMISE_H
#define OPENESENT_FUZZ_MINIMISE_H

#include <stdbool.h>
#include <stddef.h>

#include "fuzz/program/program.h"

struct minimise_judge {
    void *context;
    /* True if the program still shows the failure. Called often; must leave no state behind. */
    bool (*fails)(void *context, const struct program *program);
    /* NULL, or which lines may be left out; then nothing else is changed. For failures against recorded
     * expectations, which only hold as long as what went before has the same effects. */
    bool (*removable)(const struct program_line *line);
    /* NULL, or whether to stop now. */
    bool (*stop)(void *context);
};

struct minimise_counts {
    size_t tried, kept;
};

/* `program` fails before and after; it only gets smaller. Stops after `most` judgements (0 = no limit). */
void minimise(struct program *program, const struct minimise_judge *judge, size_t most,
              struct minimise_counts *counts);

#endif
