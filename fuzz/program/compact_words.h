/* The words that have a byte of their own in the compact form. Append only: an index is part of the form. */
#ifndef OPENESENT_FUZZ_COMPACT_WORDS_H
#define OPENESENT_FUZZ_COMPACT_WORDS_H

#include "fuzz/program/program.h"

/* The words of an argument's kind (a letter of op.h, no slot), at least one, at most 180. Never changed,
 * never freed. */
const struct program_token *compact_words(char kind, size_t *count);

#endif
