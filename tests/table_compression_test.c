/* Compressed values: 7-bit there and back, damaged data. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "src/table/compression.h"

static uint32_t seed = 11;
static uint32_t next_random(uint32_t limit)
{
    seed = seed * 1664525u + 1013904223u;
    return (seed >> 8) % limit;
}

static void text_comes_back(void **state)
{
    (void)state;
    for (int round = 0; round < 5000; round++) {
        uint8_t text[300];
        uint8_t packed[300];
        uint8_t back[300];
        uint32_t size = next_random(300);
        uint32_t actual = 0;
        const bool wide = next_random(2) != 0;
        if (wide)
            size &= ~1u;
        for (uint32_t i = 0; i < size; i++)
            text[i] = wide && i % 2 == 1 ? 0 : (uint8_t)next_random(128);
        const uint32_t small = compress_7bit(text, size, packed);
        if (small == 0)
            continue;
        assert_true(small < size);
        assert_int_equal(decompressed_size(packed, small, &actual), JET_errSuccess);
        assert_int_equal(actual, size);
        assert_int_equal(decompress(packed, small, back, sizeof(back), &actual), JET_errSuccess);
        assert_int_equal(actual, size);
        assert_memory_equal(back, text, size);
    }
}

static void long_text_becomes_smaller(void **state)
{
    uint8_t text[200];
    uint8_t packed[200];
    (void)state;
    memset(text, 'x', sizeof(text));
    assert_true(compress_7bit(text, sizeof(text), packed) > 0);
    text[17] = 0xff;
    assert_int_equal(compress_7bit(text, sizeof(text), packed), 0);
}

static void damaged_data_is_safe(void **state)
{
    (void)state;
    for (int round = 0; round < 100000; round++) {
        const uint32_t size = 1 + next_random(60);
        const uint32_t room = next_random(200);
        uint8_t *packed = malloc(size);
        uint8_t *out = malloc(room + 1);
        uint32_t actual = 0;
        assert_non_null(packed);
        assert_non_null(out);
        for (uint32_t i = 0; i < size; i++)
            packed[i] = (uint8_t)next_random(256);
        packed[0] = (uint8_t)(next_random(8) << 3 | next_random(8));
        out[room] = 0x5a;
        (void)decompressed_size(packed, size, &actual);
        actual = 0;
        if (decompress(packed, size, out, room, &actual) == JET_errSuccess)
            assert_true(actual <= room);
        assert_int_equal(out[room], 0x5a);
        free(out);
        free(packed);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_comes_back),
        cmocka_unit_test(long_text_becomes_smaller),
        cmocka_unit_test(damaged_data_is_safe),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
