/* Between the bytes that fuzzing engines keep and programs. */
#include "fuzz/mutate/mutate.h"

#include <string.h>

#include "fuzz/program/compact.h"

void mutate_decode_input(struct program *program, const uint8_t *bytes, size_t size)
{
    if (size > 0 && bytes[0] == MUTATE_COMPACT_MARKER) {
        compact_decode(program, bytes + 1, size - 1);
        return;
    }
    struct program_error error;
    if (size > 0 && program_parse(program, (const char *)bytes, size, &error))
        return;
    program_free(program);
    memset(program, 0, sizeof *program);
    compact_decode(program, bytes, size);
}

size_t mutate_encode_input(const struct program *program, uint8_t *bytes, size_t limit)
{
    struct text out = {0};
    compact_encode(program, &out);
    size_t size = 0;
    if (out.size + 1 <= limit) {
        bytes[0] = MUTATE_COMPACT_MARKER;
        if (out.size > 0)
            memcpy(bytes + 1, out.bytes, out.size);
        size = out.size + 1;
    }
    text_free(&out);
    return size;
}

/* Encodes, shortening the program from its end until it fits. */
static size_t encode_fitting(struct program *program, uint8_t *bytes, size_t limit)
{
    size_t size;
    while ((size = mutate_encode_input(program, bytes, limit)) == 0 && program->line_count > 0)
        program_remove(program, program->line_count - 1 - program->line_count / 8,
                       1 + program->line_count / 8);
    return size;
}

size_t mutate_input(uint8_t *bytes, size_t size, size_t limit, uint64_t seed, unsigned features)
{
    struct program program = {0};
    struct mutate_random random = {.state = seed};
    mutate_decode_input(&program, bytes, size);
    mutate_program(&program, &random, features);
    size_t changed = encode_fitting(&program, bytes, limit);
    program_free(&program);
    return changed > 0 ? changed : size;
}

size_t mutate_cross_inputs(const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size, uint8_t *out,
                           size_t limit, uint64_t seed)
{
    struct program first = {0};
    struct program second = {0};
    struct program child = {0};
    struct mutate_random random = {.state = seed};
    mutate_decode_input(&first, a, a_size);
    mutate_decode_input(&second, b, b_size);
    mutate_cross(&child, &first, &second, &random);
    size_t size = encode_fitting(&child, out, limit);
    program_free(&first);
    program_free(&second);
    program_free(&child);
    return size;
}
