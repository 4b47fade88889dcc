/* Cutting a failing input of a target down, each step run by the target itself in a process of its own. */
#ifndef OPENESENT_FUZZ_REDUCE_H
#define OPENESENT_FUZZ_REDUCE_H

/* Prints, on standard output, the smallest program found that fails as the input in `path` does: first, in
 * comments, how it fails. `seconds`: how long at most. Returns 0 done, 1 the input does not fail, 2 it cannot
 * be read. */
int fuzz_reduce(const char *path, double seconds);

#endif
