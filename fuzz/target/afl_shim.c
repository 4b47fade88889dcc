/* AFL++'s custom mutator and trimmer, loaded by afl-fuzz as a shared object (AFL_CUSTOM_MUTATOR_LIBRARY). The
 * target's features come from ESENT_FUZZ_FEATURES, since the target itself is another process. */
#include <stdbool.h>
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
    struct trimming {
        struct program program; /* what is kept */
        size_t run;             /* lines that are left out at once: halves, quarters... single ones */
        size_t end;             /* of the run that is being tried */
        int32_t step, steps;
    } trim;
};

EXPORT void *afl_custom_init(void *afl, unsigned int seed);
EXPORT size_t afl_custom_fuzz(void *data, uint8_t *input, size_t size, uint8_t **out, uint8_t *other,
                              size_t other_size, size_t limit);
EXPORT int32_t afl_custom_init_trim(void *data, uint8_t *input, size_t size);
EXPORT size_t afl_custom_trim(void *data, uint8_t **out);
EXPORT int32_t afl_custom_post_trim(void *data, uint8_t success);
EXPORT void afl_custom_deinit(void *data);

static bool make_room(struct afl_mutator *mutator, size_t size)
{
    if (mutator->capacity >= size)
        return true;
    uint8_t *larger = realloc(mutator->buffer, size);
    if (larger == NULL)
        return false;
    mutator->buffer = larger;
    mutator->capacity = size;
    return true;
}

#define TRIM_BYTES 8192

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
    if (!make_room(mutator, limit))
        return size;
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

/* --- trimming: runs of lines from the end, then all faults at once */

int32_t afl_custom_init_trim(void *data, uint8_t *input, size_t size)
{
    struct afl_mutator *mutator = data;
    struct trimming *trim = &mutator->trim;
    program_free(&trim->program);
    *trim = (struct trimming){0};
    mutate_decode_input(&trim->program, input, size);
    const size_t lines = trim->program.line_count;
    if (lines < 2 || !make_room(mutator, TRIM_BYTES))
        return 0;
    trim->run = lines / 2;
    trim->end = lines;
    for (size_t run = trim->run; run > 0; run /= 2)
        trim->steps += (int32_t)((lines + run - 1) / run);
    trim->steps++;
    return trim->steps;
}

/* The lines that the present step leaves out. */
static size_t start_of_run(const struct trimming *trim)
{
    return trim->end > trim->run ? trim->end - trim->run : 0;
}

static void change_for_step(struct program *program, const struct trimming *trim)
{
    if (trim->run > 0) {
        program_remove(program, start_of_run(trim), trim->end - start_of_run(trim));
        return;
    }
    for (size_t i = 0; i < program->line_count; i++)
        program->lines[i].fault_count = 0;
}

size_t afl_custom_trim(void *data, uint8_t **out)
{
    struct afl_mutator *mutator = data;
    struct program smaller = {0};
    program_copy(&smaller, &mutator->trim.program);
    change_for_step(&smaller, &mutator->trim);
    const size_t size = mutate_encode_input(&smaller, mutator->buffer, mutator->capacity);
    program_free(&smaller);
    *out = mutator->buffer;
    return size;
}

int32_t afl_custom_post_trim(void *data, uint8_t success)
{
    struct trimming *trim = &((struct afl_mutator *)data)->trim;
    const size_t start = start_of_run(trim);
    const bool last = trim->run == 0;
    if (success)
        change_for_step(&trim->program, trim);
    trim->end = start;
    while (trim->run > 0 && trim->end == 0) {
        trim->run /= 2;
        trim->end = trim->program.line_count;
        if (trim->end == 0)
            trim->run = 0;
    }
    trim->step++;
    return last ? trim->steps : trim->step < trim->steps ? trim->step : trim->steps - 1;
}

void afl_custom_deinit(void *data)
{
    struct afl_mutator *mutator = data;
    program_free(&mutator->trim.program);
    free(mutator->buffer);
    free(mutator);
}
