/* Jobs that may crash or hang, run in child processes: many to a child, so that they cost little; a child
 * that dies takes one job with it. */
#ifndef OPENESENT_FUZZ_APART_H
#define OPENESENT_FUZZ_APART_H

#include <stdbool.h>
#include <stddef.h>

#include "fuzz/program/program.h"

struct apart_jobs {
    void *context;
    size_t count;
    unsigned timeout; /* seconds for one job */
    /* In a child: does job `index` and writes its answer. */
    void (*work)(void *context, size_t index, struct text *answer);
    /* In this process, in order. `died` is NULL, or how the job ended instead of answering ("crash", "hang");
     * the answer is then what the child had said on its standard error, perhaps cut. Returns false to stop.
     */
    bool (*take)(void *context, size_t index, const char *died, const char *answer, size_t size);
};

/* Returns false if a `take` stopped it, or no child could be made. */
bool apart_run(const struct apart_jobs *jobs);

/* In a child: what it is about to do, for people, should it die of it. */
void apart_note(const struct text *text);
/* In the parent's `take`: the last note of the child that died. */
const char *apart_last_note(void);

#endif
