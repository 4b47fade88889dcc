/* Making single calls and arguments, near what a program already says. */
#ifndef OPENESENT_FUZZ_GENERATE_H
#define OPENESENT_FUZZ_GENERATE_H

#include "fuzz/mutate/mutate.h"

/* Fills `line` (zeroed, of `program`) with a random call that suits the features and the program's own names.
 */
void generate_call(struct program *program, struct program_line *line, struct mutate_random *random,
                   unsigned features);

/* Replaces argument `index` of a call by another of its kind: mostly near-valid, sometimes invalid. */
void generate_other_argument(struct program *program, struct program_line *line, size_t index,
                             struct mutate_random *random);

/* The kind letter (see op.h) of argument `index` of an op; '*' for further arguments. */
char generate_argument_kind(const struct program_op *op, size_t index);

/* True for calls that suit the features: a program without crashes stays without. */
bool generate_op_suits(const struct program_op *op, unsigned features);

#endif
