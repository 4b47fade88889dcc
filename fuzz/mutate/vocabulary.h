/* The words that mutation knows: interesting numbers, bits by call, parameters, enumerators, and phrases:
 * short stretches of calls that belong together. Shared by all targets, read-only. */
#ifndef OPENESENT_FUZZ_VOCABULARY_H
#define OPENESENT_FUZZ_VOCABULARY_H

#include <stddef.h>

#include "fuzz/mutate/mutate.h"

/* Bits of a call's grbit argument, or NULL-terminated words of its enumerator argument. */
struct vocabulary_words {
    const char *op; /* name of the call, or a prefix of it ending in '*' */
    const char *const *words;
};

/* Words for a grbit ('g') or an enumerator ('w') of the call, NULL-terminated; never NULL. */
const char *const *vocabulary_bits(const char *op);
const char *const *vocabulary_enumerators(const char *op);

struct vocabulary_parameter {
    const char *name;
    const char *values[6]; /* tokens as in the text form; NULL-terminated when fewer */
};
extern const struct vocabulary_parameter vocabulary_parameters[];
extern const size_t vocabulary_parameter_count;

extern const char *const vocabulary_numbers[];
extern const size_t vocabulary_number_count;
extern const char *const vocabulary_values[];
extern const size_t vocabulary_value_count;
extern const char *const vocabulary_texts[];
extern const size_t vocabulary_text_count;
extern const char *const vocabulary_faults[];
extern const size_t vocabulary_fault_count;

/* A phrase: lines of program text. `$` stands for the number of the instance it is played on: i$, s$, d$, t$,
 * h$, and
 * "$" within paths for the instance's folder. */
struct vocabulary_phrase {
    const char *text;
    unsigned features; /* played only for targets with one of these */
};
extern const struct vocabulary_phrase vocabulary_phrases[];
extern const size_t vocabulary_phrase_count;

#endif
