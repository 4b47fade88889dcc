/* Non-interference (I2): what one instance does changes no answer of another.
 *
 * The program runs twice: as it is, and without every line that touches one instance (or a session, database,
 * cursor, handle that came from it). The lines that are left must answer the same, facts and notes. Time is
 * everybody's: in place of a call that waited, the second run pauses as long. */
#ifndef OPENESENT_FUZZ_INDEPENDENCE_H
#define OPENESENT_FUZZ_INDEPENDENCE_H

#include <stddef.h>

#include "fuzz/program/program.h"
#include "fuzz/runner/runner.h"

enum independence {
    INDEPENDENT,
    DEPENDENT,      /* an answer changed: see the report */
    NOT_APPLICABLE, /* fewer than two instances, or calls that mean all instances by their nature */
};

/* Takes away each instance in turn. `report` (may be NULL) gets the first line whose answer changes, and both
 * answers. */
enum independence independence_check(const struct program *program, const struct run_options *options,
                                     struct text *report);

#endif
