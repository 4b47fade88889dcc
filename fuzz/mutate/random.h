/* The chance behind mutation: decided by a seed alone. Not thread-safe per generator. */
#ifndef OPENESENT_FUZZ_RANDOM_H
#define OPENESENT_FUZZ_RANDOM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A small deterministic generator (splitmix64). */
struct mutate_random {
    uint64_t state;
    size_t from; /* the first line of a program that mutation may change, as it is at the moment; 0 usually */
};

uint64_t mutate_next(struct mutate_random *random);

/* A number below `limit` (limit 0 gives 0). */
size_t mutate_below(struct mutate_random *random, size_t limit);

/* True once in `n` on average. */
bool mutate_one_in(struct mutate_random *random, unsigned n);

#endif
