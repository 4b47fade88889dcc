/* Values on their way into keys and back, and out of their compressed form, where they are short, long, cut
 * or damaged. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <uchar.h>

#include <cmocka.h>

#include "include/esent_host.h"
#include "src/catalog/key.h"
#include "src/table/compression.h"

static const uint16_t invariant[1];

static struct key_format format_of(uint8_t type, bool fixed)
{
    return (struct key_format){.type = type,
                               .code_page = type == JET_coltypText ? 1252 : 0,
                               .fixed = fixed,
                               .key_max = KEY_SIZE_DEFAULT,
                               .segment_max = KEY_SIZE_DEFAULT,
                               .locale = invariant,
                               .map_flags = KEY_MAP_FLAGS_DEFAULT};
}

static void short_and_cut_values(void **state)
{
    uint8_t key[300];
    struct key_segment segment;
    struct key_format format = format_of(JET_coltypLong, true);
    (void)state;
    /* A value that is shorter than its type (in a damaged row) counts as filled up. */
    assert_int_equal(key_normalize(&format, (const uint8_t *)"\5\0", 2, key, 255, &segment), JET_errSuccess);
    assert_int_equal(segment.size, 5);
    assert_memory_equal(key, "\x7f\x80\0\0\5", 5);
    assert_false(segment.truncated);
    assert_int_equal(key_normalize(&format, (const uint8_t *)"\5\0\0\0", 4, key, 3, &segment),
                     JET_errSuccess);
    assert_int_equal(segment.size, 3);
    assert_true(segment.truncated);
    format = format_of(JET_coltypBinary, true);
    format.segment_max = 5;
    assert_int_equal(key_normalize(&format, (const uint8_t *)"0123456789", 10, key, 255, &segment),
                     JET_errSuccess);
    assert_int_equal(segment.size, 5);
    assert_memory_equal(key,
                        "\x7f"
                        "0123",
                        5);
    assert_false(segment.truncated); /* the limit is the index' own */
    assert_int_equal(key_normalize(&format, (const uint8_t *)"01", 2, key, 255, &segment), JET_errSuccess);
    assert_int_equal(segment.size, 3);
    assert_int_equal(key_normalize(&format, (const uint8_t *)"0123456789", 10, key, 4, &segment),
                     JET_errSuccess);
    assert_int_equal(segment.size, 4);
    assert_true(segment.truncated);
    format = format_of(JET_coltypText, false);
    format.segment_max = 4;
    assert_int_equal(key_normalize(&format, (const uint8_t *)"abcdef", 6, key, 255, &segment),
                     JET_errSuccess);
    assert_int_equal(segment.size, 4);
    format.code_page = 1200;
    assert_int_equal(key_normalize(&format, (const uint8_t *)"a", 1, key, 255, &segment),
                     JET_errUnicodeTranslationFail);
}

static void limits(void **state)
{
    uint8_t key[40] = {0x7f, 'A', 'B', 'C', 0};
    struct key_format format = format_of(JET_coltypText, false);
    uint32_t size = 5;
    (void)state;
    key_limit_partial_text(&format, key, &size, 3, false);
    assert_int_equal(size, 3); /* no longer than there is room */
    size = 1;
    key_limit_partial_text(&format, key, &size, 3, true); /* null has no beginning */
    assert_int_equal(size, 4);
    assert_memory_equal(key + 1, "\xff\xff\xff", 3);
    format.code_page = 1200;
    memcpy(key, "\x7f\x20\x21\x22", 4);
    size = 4;
    key_limit_partial_text(&format, key, &size, 10, false); /* a sort key cut before its first level ended */
    assert_int_equal(size, 4);
    size = 3;
    key_limit_partial_binary(key, &size, 10, 0, false);
    assert_int_equal(size, 3);
    key_limit_partial_binary(key, &size, 10, 2, false);
    assert_int_equal(size, 2);
}

static void values_from_keys(void **state)
{
    uint8_t value[16];
    uint32_t size = 4;
    uint32_t used = 0;
    bool null = false;
    struct key_format format = format_of(JET_coltypLongBinary, false);
    static const uint8_t chunk[] = {0x7f, '1', '2', '3', '4', '5', '6', '7', '8', 8};
    (void)state;
    assert_true(key_denormalize(&format, 0, chunk, sizeof(chunk), value, &size, &null, &used));
    assert_int_equal(size, 8); /* more than there was room for, which is told */
    assert_memory_equal(value, "1234", 4);
    size = 16;
    assert_false(key_denormalize(&format, 0, chunk, sizeof(chunk) - 1, value, &size, &null, &used));
    assert_false(key_denormalize(&format, 0, chunk, 0, value, &size, &null, &used));
    const uint8_t empty[] = {0x40};
    assert_true(key_denormalize(&format, 0, empty, 1, value, &size, &null, &used));
    assert_int_equal(size, 0);
    assert_false(null);
    const uint8_t high[] = {0xc0};
    assert_true(key_denormalize(&format, 0, high, 1, value, &size, &null, &used));
    assert_true(null);
    format = format_of(JET_coltypText, false);
    assert_false(key_denormalize(&format, 0, chunk, sizeof(chunk), value, &size, &null, &used));
    format = format_of(JET_coltypBinary, true);
    size = 16;
    assert_true(key_denormalize(&format, 3, chunk, sizeof(chunk), value, &size, &null, &used));
    assert_int_equal(size, 3);
    size = 2;
    assert_false(key_denormalize(&format, 3, chunk, sizeof(chunk), value, &size, &null, &used));
    size = 16;
    assert_false(key_denormalize(&format, 11, chunk, sizeof(chunk), value, &size, &null, &used));
    format = format_of(JET_coltypText, false);
    assert_false(key_skip_text(&format, chunk, 0, &used));
    assert_false(key_skip_text(&format, chunk, sizeof(chunk), &used)); /* it does not end */
    assert_true(key_skip_text(&format, empty, 1, &used));
    assert_int_equal(used, 1);
    format.descending = true;
    const uint8_t down[] = {0x80, 0xbe, 0xff, 0x01};
    assert_true(key_skip_text(&format, down, sizeof(down), &used));
    assert_int_equal(used, 3);
}

/* --- Unicode */

static JET_ERR map(const uint16_t *locale, uint32_t flags, const char16_t *text, uint32_t bytes, uint8_t *out,
                   uint32_t *size)
{
    bool cut = false;
    return key_map_text(locale, flags, (const uint8_t *)text, bytes, out, 200, size, &cut);
}

static bool same(uint32_t flags, const char16_t *left, const char16_t *right, uint32_t bytes)
{
    uint8_t a[200];
    uint8_t b[200];
    uint32_t a_size = 0;
    uint32_t b_size = 0;
    assert_int_equal(map(invariant, flags, left, bytes, a, &a_size), JET_errSuccess);
    assert_int_equal(map(invariant, flags, right, bytes, b, &b_size), JET_errSuccess);
    return a_size == b_size && memcmp(a, b, a_size) == 0;
}

static void texts(void **state)
{
    static const uint16_t not_ascii[] = {0xe4, 0};
    static uint16_t endless[200];
    uint8_t out[200];
    uint32_t size = 0;
    (void)state;
    for (int i = 0; i < 199; i++)
        endless[i] = 'e';
    assert_int_equal(map(not_ascii, 0, u"a", 2, out, &size), JET_errInvalidLanguageId);
    assert_int_equal(map(endless, 0, u"a", 2, out, &size), JET_errInvalidLanguageId);
    assert_int_equal(map(invariant, 0, u"a", 1, out, &size), JET_errUnicodeTranslationFail);
    assert_false(key_locale_is_valid(not_ascii));
    assert_false(key_locale_is_valid(endless));
    assert_true(key_locale_is_valid(invariant));
    assert_true(key_locale_is_valid(NULL));
    assert_false(same(0x400, u"aB", u"ab", 4));
    assert_true(same(0x401, u"aB", u"ab", 4));       /* case does not count */
    assert_true(same(0x410, u"aB", u"ab", 4));       /* nor does it by the rules of the language */
    assert_false(same(0x401, u"a\u00e4", u"aa", 4)); /* accents do */
    assert_true(same(0x402, u"a\u00e4", u"aa", 4));  /* or do not */
    assert_false(same(0x401, u"a-b", u"a+b", 6));
    assert_true(same(0x405, u"a-b", u"a!b", 6)); /* nor do symbols */
    /* More languages than collators are kept. */
    for (int i = 0; i < 30; i++) {
        const uint16_t locale[] = {'e', 'n', '-', (uint16_t)('A' + i % 26), (uint16_t)('A' + i / 26), 0};
        assert_int_equal(map(locale, KEY_MAP_FLAGS_DEFAULT, u"text", 8, out, &size), JET_errSuccess);
        assert_true(size > 0);
    }
    /* Memory fails at each point, and nothing stays. */
    for (uint64_t nth = 1;; nth++) {
        EsentHostResetCounters();
        EsentHostFailNth(ESENT_HOST_FAULT_ALLOCATE, nth, 1);
        const JET_ERR err = map(invariant, 0x401, u"text", 8, out, &size);
        const bool failed = EsentHostCountFailures(ESENT_HOST_FAULT_ALLOCATE) > 0;
        EsentHostFailNone();
        if (!failed) {
            assert_int_equal(err, JET_errSuccess);
            break;
        }
        assert_int_equal(err, JET_errOutOfMemory);
    }
    assert_int_equal(EsentHostReset(NULL, 0), 0);
}

/* --- compressed values */

/* The engine's other form: one literal, then one or two copies of it, as long as may be. */
static void long_matches(void **state)
{
    static const struct {
        uint8_t data[32];
        uint32_t size;
        uint32_t length; /* 0: damaged */
    } cases[] = {
        /* head, count, flags; 'a'; a match of distance 1 and length 7 + ..., in more and more bytes */
        {{0x18, 4, 0, 0, 0, 0, 0x40, 'a', 0x00, 0x00}, 10, 4},
        {{0x18, 14, 0, 0, 0, 0, 0x40, 'a', 0x07, 0x00, 0x03}, 11, 14},
        {{0x18, 31, 0, 0, 0, 0, 0x40, 'a', 0x07, 0x00, 0x0f, 5}, 12, 31},
        {{0x18, 43, 0, 0, 0, 0, 0x40, 'a', 0x07, 0x00, 0x0f, 255, 39, 0}, 14, 43},
        {{0x18, 43, 0, 0, 0, 0, 0x40, 'a', 0x07, 0x00, 0x0f, 255, 0, 0, 39, 0, 0, 0}, 18, 43},
        {{0x18, 10, 0, 0, 0, 0, 0x40, 'a', 0x07, 0x00, 0x0f, 255, 39, 0},
         14,
         10}, /* longer than what is wanted */
        /* the second match has the upper half of the byte */
        {{0x18, 25, 0, 0, 0, 0, 0x60, 'a', 0x07, 0x00, 0x23, 0x07, 0x00}, 13, 25},
        /* damaged */
        {{0x18, 43, 0, 0, 0, 0, 0x40, 'a', 0x07, 0x00, 0x0f, 255, 21, 0}, 14, 0},
        {{0x18, 43, 0, 0, 0, 0, 0x40, 'a', 0x0f, 0x00, 0x0f, 255, 39, 0},
         14,
         0}, /* from before the beginning */
    };
    uint8_t out[64];
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint32_t actual = 0;
        memset(out, 0, sizeof(out));
        const JET_ERR err = decompress(cases[i].data, cases[i].size, out, sizeof(out), &actual);
        if (cases[i].length == 0) {
            assert_int_equal(err, JET_errDecompressionFailed);
            continue;
        }
        if (err != JET_errSuccess || actual != cases[i].length)
            fail_msg("case %zu: %d, %u bytes", i, (int)err, (unsigned)actual);
        for (uint32_t j = 0; j < actual; j++)
            assert_int_equal(out[j], 'a');
        /* Each byte is needed. */
        for (uint32_t size = 0; size < cases[i].size; size++)
            assert_int_equal(decompress(cases[i].data, size, out, sizeof(out), &actual),
                             JET_errDecompressionFailed);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(short_and_cut_values), cmocka_unit_test(limits),
        cmocka_unit_test(values_from_keys),     cmocka_unit_test(texts),
        cmocka_unit_test(long_matches),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
