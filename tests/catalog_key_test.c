/* Key normalisation: bytes as the published engine makes them, order of keys, values read back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "src/catalog/key.h"

static uint32_t seed = 7;
static uint32_t next_random(uint32_t limit)
{
    seed = seed * 1664525u + 1013904223u;
    return (seed >> 8) % limit;
}

static const uint16_t invariant[1];

static struct key_format format_of(uint8_t type)
{
    return (struct key_format){.type = type,
                               .code_page = type == JET_coltypText ? 1252 : 0,
                               .fixed = type != JET_coltypText && type != JET_coltypLongBinary,
                               .key_max = KEY_SIZE_DEFAULT,
                               .segment_max = KEY_SIZE_DEFAULT,
                               .locale = invariant,
                               .map_flags = KEY_MAP_FLAGS_DEFAULT};
}

static uint32_t make(const struct key_format *format, const void *value, uint32_t size, uint8_t out[256])
{
    struct key_segment segment;
    assert_int_equal(key_normalize(format, value, size, out, 255, &segment), JET_errSuccess);
    return segment.size;
}

static void assert_key(struct key_format format, const void *value, uint32_t size, const char *hex)
{
    uint8_t key[256];
    char text[513] = "";
    const uint32_t length = make(&format, value, size, key);
    for (uint32_t i = 0; i < length; i++) {
        text[2 * i] = "0123456789abcdef"[key[i] >> 4];
        text[2 * i + 1] = "0123456789abcdef"[key[i] & 15];
    }
    text[2 * length] = 0;
    assert_string_equal(text, hex);
}

/* Recorded from the published engine. */
static void keys_have_the_known_bytes(void **state)
{
    (void)state;
    const int32_t five = 5;
    const int32_t minus = -3;
    const double minus_zero = -0.0;
    struct key_format down = format_of(JET_coltypLong);
    down.descending = true;
    assert_key(format_of(JET_coltypLong), &five, 4, "7f80000005");
    assert_key(format_of(JET_coltypLong), &minus, 4, "7f7ffffffd");
    assert_key(down, &five, 4, "807ffffffa");
    assert_key(down, NULL, 0, "ff");
    assert_key(format_of(JET_coltypLong), NULL, 0, "00");
    assert_key(format_of(JET_coltypUnsignedLong), &five, 4, "7f00000005");
    assert_key(format_of(JET_coltypIEEEDouble), &minus_zero, 8, "7f7fffffffffffffff");
    assert_key(format_of(JET_coltypText), "a_b", 3, "7f415f4200");
    assert_key(format_of(JET_coltypText), "", 0, "40");
    assert_key(format_of(JET_coltypText), "mn\0z", 4, "7f4d4e00");
    assert_key(format_of(JET_coltypLongBinary), "\x01\x02", 2, "7f010200000000000002");
    assert_key(format_of(JET_coltypLongBinary), "12345678", 8, "7f313233343536373808");
    struct key_format high = format_of(JET_coltypLong);
    high.nulls_high = true;
    assert_key(high, NULL, 0, "c0");
    /* A type that has no zero length takes it as null. */
    assert_key(format_of(JET_coltypLong), "", 0, "00");
}

static int sign(int64_t value)
{
    return (value > 0) - (value < 0);
}

static int compare_keys(const uint8_t *a, uint32_t a_size, const uint8_t *b, uint32_t b_size)
{
    const int order = memcmp(a, b, a_size < b_size ? a_size : b_size);
    return order != 0 ? sign(order) : sign((int64_t)a_size - (int64_t)b_size);
}

static void numbers_sort_as_their_keys(void **state)
{
    (void)state;
    for (int round = 0; round < 20000; round++) {
        int64_t left = (int64_t)((uint64_t)next_random(1u << 24) << 40 | next_random(1u << 24));
        int64_t right = next_random(2) ? left + (int64_t)next_random(3) - 1 : -left;
        uint8_t a[256];
        uint8_t b[256];
        struct key_format format = format_of(JET_coltypLongLong);
        format.descending = next_random(2) != 0;
        const uint32_t a_size = make(&format, &left, 8, a);
        const uint32_t b_size = make(&format, &right, 8, b);
        const int order = left < right ? -1 : left > right;
        assert_int_equal(compare_keys(a, a_size, b, b_size), format.descending ? -order : order);
    }
}

static uint32_t random_bytes(uint8_t *bytes)
{
    const uint32_t size = next_random(40);
    for (uint32_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)(next_random(3) == 0 ? 0xff : next_random(3));
    return size;
}

static void binary_sorts_as_its_keys(void **state)
{
    (void)state;
    for (int round = 0; round < 20000; round++) {
        uint8_t left[40];
        uint8_t right[40];
        uint8_t a[256];
        uint8_t b[256];
        const uint32_t left_size = random_bytes(left);
        const uint32_t right_size = random_bytes(right);
        const struct key_format format = format_of(JET_coltypLongBinary);
        const uint32_t a_size = make(&format, left, left_size, a);
        const uint32_t b_size = make(&format, right, right_size, b);
        assert_int_equal(compare_keys(a, a_size, b, b_size),
                         compare_keys(left, left_size, right, right_size));
    }
}

static void values_come_back_from_keys(void **state)
{
    static const uint8_t types[] = {JET_coltypBit,           JET_coltypUnsignedByte, JET_coltypShort,
                                    JET_coltypLong,          JET_coltypCurrency,     JET_coltypUnsignedLong,
                                    JET_coltypIEEESingle,    JET_coltypLongLong,     JET_coltypGUID,
                                    JET_coltypUnsignedShort, JET_coltypLongBinary};
    (void)state;
    for (int round = 0; round < 20000; round++) {
        uint8_t value[40];
        uint8_t key[256];
        uint8_t back[256];
        uint32_t used = 0;
        uint32_t back_size = sizeof(back);
        bool null = true;
        struct key_format format = format_of(types[next_random(sizeof(types))]);
        format.descending = next_random(2) != 0;
        format.dotnet_guid = next_random(2) != 0;
        uint32_t size = random_bytes(value);
        if (format.fixed)
            size = column_type_size(format.type);
        if (format.type == JET_coltypIEEESingle)
            memset(value, next_random(2) ? 0x3e : 0xbe, 4);
        if (format.type == JET_coltypBit)
            value[0] = value[0] == 0 ? 0 : 0xff;
        const uint32_t length = make(&format, value, size, key);
        assert_true(key_denormalize(&format, size, key, length, back, &back_size, &null, &used));
        assert_false(null);
        assert_int_equal(used, length);
        assert_int_equal(back_size, size);
        assert_memory_equal(back, value, size);
    }
}

/* Whatever stands in a key from a damaged file: no reading beyond it. */
static void damaged_keys_are_safe(void **state)
{
    (void)state;
    for (int round = 0; round < 50000; round++) {
        uint8_t bytes[40];
        uint8_t back[2001];
        uint32_t back_size = sizeof(back);
        uint32_t used = 0;
        bool null = false;
        const uint32_t size = random_bytes(bytes);
        uint8_t *exact = malloc(size + 1);
        assert_non_null(exact);
        memcpy(exact, bytes, size);
        struct key_format format = format_of((uint8_t)(1 + next_random(17)));
        if (key_denormalize(&format, 16, exact, size, back, &back_size, &null, &used))
            assert_true(used <= size);
        if (key_skip_text(&format, exact, size, &used))
            assert_true(used <= size);
        free(exact);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_have_the_known_bytes), cmocka_unit_test(numbers_sort_as_their_keys),
        cmocka_unit_test(binary_sorts_as_its_keys),  cmocka_unit_test(values_come_back_from_keys),
        cmocka_unit_test(damaged_keys_are_safe),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
