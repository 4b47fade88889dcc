/* Which images of the world (world.h) are kept, and which one a program goes on from: that of the longest
 * beginning that it shares with a program before. Images are made where a program first leaves what was seen
 * before (its successors among an engine's mutants share just that) and every few lines. Used ones stay, the
 * others make room. */
#ifndef OPENESENT_FUZZ_TARGET_IMAGES_H
#define OPENESENT_FUZZ_TARGET_IMAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fuzz/program/program.h"
#include "fuzz/target/world.h"

/* Begins to use them where the build can and ESENT_FUZZ_IMAGES is not "off" in the environment. Once, between
 * programs, with nothing in the heap. */
void images_use(void);
bool images_are_used(void);
/* ESENT_FUZZ_IMAGES is "check": every program is run whole as well, and must answer the same; all images are
 * made. */
bool images_are_checked(void);

struct life;

#define IMAGES_PLANNED_MAX 24u

struct images_plan {
    const struct world_image *image; /* NULL: from the start of the process */
    struct life *life;               /* what lives in it */
    size_t from;                     /* line to go on at */
    /* The lines before which images are wanted, ascending, and what they are found by. */
    size_t count;
    size_t lines[IMAGES_PLANNED_MAX];
    uint64_t keys[IMAGES_PLANNED_MAX];
    size_t leaves;  /* the line at which it leaves what was seen before */
    uint64_t since; /* nanoseconds: when the last image was made */
};

/* Plans a program's run. `own`: how many of its lines are the input's, whose beginnings others may share; 0:
 * whole, and without a trace. */
void images_plan(const struct program *program, size_t own, struct images_plan *plan);
/* Whether what was run since the last image, or since the plan, took long enough that the n-th wanted one,
 * which is made next, may well save more than it costs. Depends on time: which images there are changes no
 * answer. */
bool images_are_worth_it(struct images_plan *plan, size_t n);
/* Takes the n-th wanted image over (NULL: none could be made). */
void images_add(struct images_plan *plan, size_t n, struct world_image *image, struct life *life);

#endif
