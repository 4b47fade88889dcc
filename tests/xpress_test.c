/* Compression of page images: what was compressed expands to what it was, whatever it was; what does not fit
 * is said; damaged streams are refused or give something of the right size, and nothing outside is touched.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "src/page/xpress.h"
#include "src/table/compression.h"

#define SIZE_MOST (1u << 20)

static uint8_t *data, *small, *large;

static int set_up(void **state)
{
    (void)state;
    data = malloc(SIZE_MOST);
    small = malloc(SIZE_MOST);
    large = malloc(SIZE_MOST);
    return data != NULL && small != NULL && large != NULL ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    free(data);
    free(small);
    free(large);
    return 0;
}

static uint32_t next_random(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 8;
}

/* There and back; the size between. */
static uint32_t round_trip(uint32_t size)
{
    const uint32_t used = xpress_compress(data, size, small, SIZE_MOST);
    uint8_t *exact = malloc(used > 0 ? used : 1); /* nothing behind it: reads beyond show */
    memcpy(exact, small, used);
    memset(large, 0xa5, size);
    assert_true(size == 0 || used > 0);
    assert_true(xpress_expand(exact, used, large, size));
    assert_memory_equal(data, large, size);
    free(exact);
    return used;
}

static void nothing_is_lost(void **state)
{
    (void)state;
    uint32_t seed = 1;
    for (unsigned round = 0; round < 300; round++) {
        const uint32_t size = next_random(&seed) % 9000;
        const uint32_t alphabet = 1 + next_random(&seed) % (round % 3 == 0 ? 3 : 256);
        for (uint32_t i = 0; i < size; i++)
            data[i] = (uint8_t)(next_random(&seed) % alphabet);
        /* Copies of what was before, near and far. */
        for (uint32_t at = 10; round % 2 == 0 && at + 600 < size; at += 100 + next_random(&seed) % 900) {
            const uint32_t length = next_random(&seed) % 500;
            const uint32_t from = next_random(&seed) % at;
            for (uint32_t i = 0; i < length; i++)
                data[at + i] = data[from + i];
        }
        (void)round_trip(size);
    }
}

/* Each way to write a length: in the match, in half a byte, in a byte, in a word, in a long word. */
static void lengths(void **state)
{
    (void)state;
    static const uint32_t sizes[] = {0,   1,     2,     3,     4,     5,     10,     11,     12,
                                     24,  25,    26,    27,    40,    279,   280,    281,    282,
                                     283, 284,   1000,  8192,  8193,  8200,  300,    310,    600,
                                     700, 65535, 65536, 65540, 65541, 65545, 100000, 1000000};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        memset(data, 7, sizes[i]);
        assert_true(round_trip(sizes[i]) <= 20);
        /* Two long matches share a byte for their halves. */
        for (uint32_t at = 1; at + 1 < sizes[i]; at += 15)
            data[at] = (uint8_t)at;
        (void)round_trip(sizes[i]);
    }
}

static void what_does_not_fit(void **state)
{
    (void)state;
    uint32_t seed = 3;
    for (uint32_t i = 0; i < 1000; i++)
        data[i] = (uint8_t)(i % 100 < 50 ? next_random(&seed) : 0);
    const uint32_t used = xpress_compress(data, 1000, small, SIZE_MOST);
    for (uint32_t capacity = 0; capacity < used; capacity++) {
        memset(small, 0x5a, used + 8);
        assert_int_equal(xpress_compress(data, 1000, small, capacity), 0);
        for (uint32_t i = capacity; i < used + 8; i++)
            assert_int_equal(small[i], 0x5a);
    }
    assert_int_equal(xpress_compress(data, 1000, small, used), used);
}

static void as_it_is_stored(void **state)
{
    (void)state;
    uint32_t actual = 0;
    uint32_t seed = 5;
    memset(data, 0, 4096);
    memcpy(data + 100, "some text, some text", 20);
    const uint32_t used = xpress_store(data, 4096, small);
    assert_in_range(used, 10, 100);
    assert_int_equal(small[0] >> 3, XPRESS_KIND);
    assert_int_equal(decompress(small, used, large, 4096, &actual), JET_errSuccess);
    assert_int_equal(actual, 4096);
    assert_memory_equal(data, large, 4096);
    /* Noise is not worth it; the size has two bytes. */
    for (uint32_t i = 0; i < 4096; i++)
        data[i] = (uint8_t)next_random(&seed);
    assert_int_equal(xpress_store(data, 4096, small), 0);
    assert_int_equal(xpress_store(data, 3, small), 0);
    memset(data, 0, SIZE_MOST);
    assert_true(xpress_store(data, 0xffff, small) > 0);
    assert_int_equal(xpress_store(data, 0x10000, small), 0);
}

static void damage(void **state)
{
    (void)state;
    uint32_t seed = 9;
    for (uint32_t i = 0; i < 3000; i++)
        data[i] = (uint8_t)(i / 7 * i);
    const uint32_t used = xpress_compress(data, 3000, small, SIZE_MOST);
    unsigned refused = 0;
    for (unsigned round = 0; round < 2000; round++) {
        const uint32_t size = round % 4 == 0 ? next_random(&seed) % used : used;
        uint8_t *exact = malloc(size > 0 ? size : 1);
        memcpy(exact, small, size);
        for (unsigned i = 0; i < 3 && size > 0; i++)
            exact[next_random(&seed) % size] = (uint8_t)next_random(&seed);
        large[3000] = 0x77;
        refused += xpress_expand(exact, size, large, 3000) ? 0 : 1;
        assert_int_equal(large[3000], 0x77);
        free(exact);
    }
    assert_in_range(refused, 100, 2000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_lost), cmocka_unit_test(lengths), cmocka_unit_test(what_does_not_fit),
        cmocka_unit_test(as_it_is_stored), cmocka_unit_test(damage),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
