/* What a failing run says for itself, in a word that two runs share if they fail for the same reason. */
#ifndef OPENESENT_FUZZ_FAILURE_H
#define OPENESENT_FUZZ_FAILURE_H

#include <stddef.h>

/* `said` is what the run wrote on its standard error, `status` what waitpid answered. `key` becomes "" for a
 * run that did not fail. */
void failure_key(const char *said, int status, char *key, size_t size);

/* The line of `said` that tells a person most: "call 9: expected -801, got 0", an assertion, a sanitizer's
 * line. */
void failure_headline(const char *said, char *line, size_t size);

#endif
