/* AFL++'s custom mutator, loaded by afl-fuzz as a shared object (AFL_CUSTOM_MUTATOR_LIBRARY). The target's
 * features come from ESENT_FUZZ_FEATURES, since the target itself is another process. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz/mutate/mutate.h"

#define EXPORT __attribute__((visibility("default")))

struct afl_mutator {
    struct mutate_random random;
    unsigned features;
    uint8_t *buffer;
    size_t capacity;
};

EXPORT void *afl_custom_init(void *afl, unsigned int seed);
EXPORT size_t afl_custom_fuzz(void *data, uint8_t *input, size_t size, uint8_t **out, uint8_t *other,
                              size_t other_size, size_t limit);
EXPORT void afl_custom_deinit(void *data);

void *afl_custom_init(void *afl, unsigned int seed)
{
    (void)afl;
    struct afl_mutator *mutator = calloc(1, sizeof *mutator);
    if (mutator == NULL)
        return NULL;
    const char *features = getenv("ESENT_FUZZ_FEATURES");
    mutator->random.state = seed;
    mutator->features = features == NULL ? MUTATE_BACKUP : (unsigned)strtoul(features, NULL, 0);
    return mutator;
}

size_t afl_custom_fuzz(void *data, uint8_t *input, size_t size, uint8_t **out, uint8_t *other,
                       size_t other_size, size_t limit)
{
    struct afl_mutator *mutator = data;
    *out = input;
    if (mutator->capacity < limit) {
        uint8_t *larger = realloc(mutator->buffer, limit);
        if (larger == NULL)
            return size;
        mutator->buffer = larger;
        mutator->capacity = limit;
    }
    uint64_t seed = mutate_next(&mutator->random);
    size_t changed = 0;
    if (other != NULL && other_size > 0 && seed % 8 == 0) {
        changed = mutate_cross_inputs(input, size, other, other_size, mutator->buffer, limit, seed);
    } else if (size <= limit) {
        memcpy(mutator->buffer, input, size);
        changed = mutate_input(mutator->buffer, size, limit, seed, mutator->features);
    }
    if (changed == 0)
        return size;
    *out = mutator->buffer;
    return changed;
}

void afl_custom_deinit(void *data)
{
    struct afl_mutator *mutator = data;
    free(mutator->buffer);
    free(mutator);
}
