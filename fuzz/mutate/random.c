#include "fuzz/mutate/random.h"

uint64_t mutate_next(struct mutate_random *random)
{
    uint64_t z = (random->state += UINT64_C(0x9E3779B97F4A7C15));
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

size_t mutate_below(struct mutate_random *random, size_t limit)
{
    return limit == 0 ? 0 : (size_t)(mutate_next(random) % limit);
}

bool mutate_one_in(struct mutate_random *random, unsigned n)
{
    return mutate_below(random, n) == 0;
}
