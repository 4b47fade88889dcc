/* A program that goes on after a fault: its end, a new start, and what is wrong with them. */
#ifndef OPENESENT_FUZZ_LIFE_H
#define OPENESENT_FUZZ_LIFE_H

#include "fuzz/program/program.h"
#include "fuzz/runner/runner.h"

struct life {
    const struct program *calm;       /* what the same lines answer if nothing goes wrong */
    const struct program *transcript; /* as it was */
    const struct run_result *result;
    size_t program_lines; /* of the program itself; behind them is what life_append_end appended */
    size_t hit;           /* the line that was hit */
};

/* Appends the end of everything and a new start. */
void life_append_end(struct program *program, const struct program *source);

/* Behind the end of everything nothing is left. A new start succeeds, but where the calm program's own fails
 * in the same way, or where the model says so: the call that was hit may have had an effect, or none. */
bool life_ends_well(const struct life *life, char *what, size_t size);

#endif
