/* Random numbers: from the system, or from the host's seed (then the same in each run). Thread-safe; not for
 * secrets. */
#ifndef OPENESENT_OS_RANDOM_H
#define OPENESENT_OS_RANDOM_H

#include "src/os/base.h"

uint32_t os_random_32(void);
uint64_t os_random_64(void);
/* 0 <= result < limit; limit > 0. */
uint32_t os_random_below(uint32_t limit);

/* A generator of one's own (deterministic from `seed`), not locked. */
struct os_random {
    uint64_t state;
};
void os_random_seed(struct os_random *random, uint64_t seed);
uint64_t os_random_next(struct os_random *random);
uint32_t os_random_next_below(struct os_random *random, uint32_t limit);

#endif
