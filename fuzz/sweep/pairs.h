/* All small programs of two threads: each thread makes a few calls out of a short list, behind a set-up that
 * both share. What one thread does and the other does may be changed over; each pair is there once. */
#ifndef OPENESENT_FUZZ_PAIRS_H
#define OPENESENT_FUZZ_PAIRS_H

#include <stddef.h>
#include <stdint.h>

#include "fuzz/program/program.h"

#define PAIRS_CALLS_MAX 3 /* of one thread */
#define PAIRS_SETUPS 5

const char *pairs_setup_name(size_t setup);

/* How many programs there are in which one thread makes `calls` calls and the other `other` (at most
 * `calls`). */
uint64_t pairs_count(size_t calls, size_t other);

/* Programs in which each thread makes this many calls. */
#define PAIRS_COVER_CALLS 4

/* How many of them it takes so that on each side every sequence of `order` (2 or 3) calls is made. */
uint64_t pairs_cover_count(size_t order);
void pairs_cover_build(struct program *program, size_t setup, size_t order, uint64_t number);

/* Appends the program with this number, below pairs_count, to an empty one. */
void pairs_build(struct program *program, size_t setup, size_t calls, size_t other, uint64_t number);

#endif
