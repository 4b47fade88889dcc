/* libFuzzer's entry points (AFL++'s driver calls LLVMFuzzerTestOneInput too). */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "fuzz/mutate/mutate.h"
#include "fuzz/target/target.h"

#define CROSSED_ONE_IN 3

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t limit, unsigned int seed);
size_t LLVMFuzzerCustomCrossOver(const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size,
                                 uint8_t *out, size_t limit, unsigned int seed);

/* The engines call this once, AFL++ before it begins to count: what a process does only once is then behind
 * it. */
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    fuzz_warm_up();
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_run_input(data, size);
    return 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t limit, unsigned int seed)
{
    return mutate_input(data, size, limit, seed, fuzz_target.features);
}

size_t LLVMFuzzerCustomCrossOver(const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size,
                                 uint8_t *out, size_t limit, unsigned int seed)
{
    /* libFuzzer would cross as often as mutate. */
    if (seed % CROSSED_ONE_IN == 0 || a_size > limit)
        return mutate_cross_inputs(a, a_size, b, b_size, out, limit, seed);
    memcpy(out, a, a_size);
    return mutate_input(out, a_size, limit, seed, fuzz_target.features);
}
