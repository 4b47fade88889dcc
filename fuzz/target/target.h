/* What all fuzz targets share: an input becomes a program, the program runs, the model judges each call, and
 * a failure explains itself before the process aborts.
 *
 * A target is one small file that defines `fuzz_target`; the entry points of the engines are in the shims. */
#ifndef OPENESENT_FUZZ_TARGET_H
#define OPENESENT_FUZZ_TARGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fuzz/program/program.h"

struct fuzz_target {
    const char *name;
    unsigned features; /* enum mutate_feature: what mutation may put into programs */
    bool simulated;    /* threads under the seeded scheduler */
    bool judged;       /* the model judges answers; without, only crashes, leaks and assertions count */
};

/* Defined by each target's own file. */
extern const struct fuzz_target fuzz_target;

/* Counters of a process, shared with ./campaign through a file when ESENT_FUZZ_STATISTICS names one.
 * ESENT_FUZZ_STATES names another, in which all processes of a target count the model's states: eight bytes
 * say how many. */
struct fuzz_statistics {
    uint64_t executions;
    uint64_t calls;
    uint64_t judged;    /* calls that the model had an opinion about */
    uint64_t succeeded; /* calls that answered success */
    uint64_t spared;    /* lines that images of the world spared (images.h) */
};
extern struct fuzz_statistics *fuzz_statistics;

/* Runs one input. Returns normally only when nothing is wrong. Any bytes are an input. */
void fuzz_run_input(const uint8_t *bytes, size_t size);

/* Lives one life of everything, so that later ones differ in nothing but their inputs. */
void fuzz_warm_up(void);

/* Makes sizes small enough for thousands of runs a second: rows, chunks, sleeps. */
void fuzz_limit_program(struct program *program);

/* Appends the calls that end what the program began, so that what is left behind shows. */
void fuzz_append_ends(struct program *program);

/* Whether fuzz_run_input does so before it runs a program (true): a reducer asks what fails without. */
extern bool fuzz_ends_are_appended;

#endif
