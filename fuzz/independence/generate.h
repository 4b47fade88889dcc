/* Programs for independence_check: two instances that do not know of each other, their calls interleaved. */
#ifndef OPENESENT_FUZZ_INDEPENDENCE_GENERATE_H
#define OPENESENT_FUZZ_INDEPENDENCE_GENERATE_H

#include <stdint.h>

#include "fuzz/program/program.h"

/* Makes a program out of a seed; the same seed gives the same program, and neighbouring seeds differ in
 * everything. `program` must be zeroed and is to be freed by the caller. Each line names one instance's slots
 * and files alone: every call of the backup family but those that mean all instances, with right and wrong
 * arguments, in any order, among changes of rows, crashes, terms and restarts. */
void independence_generate(struct program *program, uint64_t seed);

#endif
