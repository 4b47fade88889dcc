/* SplitMix64: one 64-bit state, passes the usual test batteries, starts well from any seed. */
#if !defined(_GNU_SOURCE)
#define _GNU_SOURCE 1
#endif

#include "src/os/random.h"

#include <sys/random.h>
#include <time.h>

#include "src/os/internal.h"

static pthread_mutex_t random_lock = PTHREAD_MUTEX_INITIALIZER;
static struct os_random host_random;
static bool host_random_ready;
static uint64_t host_seed;

void os_random_seed(struct os_random *random, uint64_t seed)
{
    random->state = seed;
}

uint64_t os_random_next(struct os_random *random)
{
    uint64_t z = (random->state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

/* Multiply and shift: the bias is below 2^-32. */
uint32_t os_random_next_below(struct os_random *random, uint32_t limit)
{
    return (uint32_t)(((os_random_next(random) >> 32) * limit) >> 32);
}

static uint64_t system_seed(void)
{
    uint64_t seed = 0;
    if (getrandom(&seed, sizeof seed, GRND_NONBLOCK) != (ssize_t)sizeof seed) {
        struct timespec now;
        clock_gettime(CLOCK_REALTIME, &now);
        seed = (uint64_t)now.tv_sec * 1000000007u ^ (uint64_t)now.tv_nsec ^ (uint64_t)(uintptr_t)&seed;
    }
    return seed;
}

uint64_t os_random_64(void)
{
    pthread_mutex_lock(&random_lock);
    if (!host_random_ready) {
        os_random_seed(&host_random, os_host.seeded ? host_seed : system_seed());
        host_random_ready = true;
    }
    uint64_t value = os_random_next(&host_random);
    pthread_mutex_unlock(&random_lock);
    return value;
}

uint32_t os_random_32(void)
{
    return (uint32_t)(os_random_64() >> 32);
}

uint32_t os_random_below(uint32_t limit)
{
    ASSERT(limit > 0);
    return (uint32_t)(((os_random_64() >> 32) * limit) >> 32);
}

void os_random_host_seed(uint64_t seed)
{
    host_seed = seed;
    host_random_ready = false;
}

void os_random_host_rewind(void)
{
    host_random_ready = false;
}
