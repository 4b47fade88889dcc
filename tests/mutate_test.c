/* The mutator: same seed, same program; whatever it makes is a program that prints and reads back; sizes stay
 * in bounds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz/mutate/generate.h"
#include "fuzz/mutate/mutate.h"
#include "fuzz/mutate/vocabulary.h"

#define LIMIT 8192
#define ROUNDS 3000
#define EVERYTHING 0xffu

static const char start[] = "# a comment\n"
                            "set page 4096\n"
                            "CreateInstance i0 \"a\" => 0\n"
                            "Init i0 => 0\n"
                            "BeginExternalBackupInstance i0 0 => 0\n"
                            "OpenFileInstance i0 h0 \"a/a.edb\" => 0 | size=1\n"
                            "StopBackupInstance i0 => 0\n"
                            "ReadFileInstance i0 h0 65536 => -801\n";

/* The program's text; to be freed. */
static char *text_of(const uint8_t *bytes, size_t size)
{
    struct program program = {0};
    struct text text = {0};
    mutate_decode_input(&program, bytes, size);
    program_print(&program, &text);
    program_free(&program);
    return text.bytes;
}

static void test_same_seed_same_result(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 200; seed++) {
        uint8_t a[LIMIT];
        uint8_t b[LIMIT];
        memcpy(a, start, sizeof start - 1);
        memcpy(b, start, sizeof start - 1);
        size_t a_size = mutate_input(a, sizeof start - 1, LIMIT, seed, EVERYTHING);
        size_t b_size = mutate_input(b, sizeof start - 1, LIMIT, seed, EVERYTHING);
        assert_int_equal(a_size, b_size);
        assert_memory_equal(a, b, a_size);
    }
}

static void test_results_read_back_from_text(void **state)
{
    (void)state;
    uint8_t bytes[LIMIT];
    size_t size = sizeof start - 1;
    memcpy(bytes, start, size);
    for (uint64_t seed = 0; seed < ROUNDS; seed++) {
        size = mutate_input(bytes, size, LIMIT, seed, EVERYTHING);
        assert_in_range(size, 1, LIMIT);
        struct program program = {0};
        mutate_decode_input(&program, bytes, size);
        assert_true(program.line_count <= MUTATE_LINES_MAX);
        struct text text = {0};
        struct program again = {0};
        struct program_error error;
        program_print(&program, &text);
        if (text.size > 0 && !program_parse(&again, text.bytes, text.size, &error))
            fail_msg("seed %u: line %u: %s\n%s", (unsigned)seed, error.line, error.message, text.bytes);
        assert_true(program_equal(&program, &again));
        program_free(&again);
        program_free(&program);
        text_free(&text);
    }
}

static void test_features_are_kept(void **state)
{
    (void)state;
    uint8_t bytes[LIMIT];
    size_t size = sizeof start - 1;
    memcpy(bytes, start, size);
    for (uint64_t seed = 0; seed < ROUNDS; seed++)
        size = mutate_input(bytes, size, LIMIT, seed, MUTATE_BACKUP);
    struct program program = {0};
    mutate_decode_input(&program, bytes, size);
    for (size_t i = 0; i < program.line_count; i++) {
        assert_int_equal(program.lines[i].thread, 0);
        assert_int_equal(program.lines[i].fault_count, 0);
    }
    program_free(&program);
}

static void test_crossing_takes_from_both(void **state)
{
    (void)state;
    static const char other[] = "OSSnapshotPrepare n0 0\nOSSnapshotFreeze n0 0\nOSSnapshotThaw n0 0\n";
    unsigned both = 0;
    for (uint64_t seed = 0; seed < 200; seed++) {
        uint8_t out[LIMIT];
        size_t size = mutate_cross_inputs((const uint8_t *)start, sizeof start - 1, (const uint8_t *)other,
                                          sizeof other - 1, out, LIMIT, seed);
        assert_in_range(size, 1, LIMIT);
        char *text = text_of(out, size);
        assert_non_null(text);
        both += strstr(text, "StopBackup") != NULL && strstr(text, "OSSnapshot") != NULL;
        assert_null(strstr(text, "=>"));
        free(text);
    }
    assert_in_range(both, 50, 200);
}

static void test_small_limits_are_respected(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 500; seed++) {
        uint8_t bytes[64];
        size_t size = 0;
        for (int i = 0; i < 5; i++) {
            size =
                mutate_input(bytes, size, 1 + (size_t)(seed % sizeof bytes), seed + (uint64_t)i, EVERYTHING);
            assert_true(size <= 1 + seed % sizeof bytes);
        }
    }
}

static void test_any_bytes_are_an_input(void **state)
{
    (void)state;
    struct mutate_random random = {.state = 99};
    for (int round = 0; round < 500; round++) {
        uint8_t bytes[LIMIT];
        size_t size = mutate_below(&random, 300);
        for (size_t i = 0; i < size; i++)
            bytes[i] = (uint8_t)mutate_next(&random);
        if (size > 0 && round % 2 == 0)
            bytes[0] = MUTATE_COMPACT_MARKER;
        size = mutate_input(bytes, size, LIMIT, (uint64_t)round, EVERYTHING);
        assert_true(size <= LIMIT);
    }
}

static void test_phrases_are_programs(void **state)
{
    (void)state;
    for (size_t i = 0; i < vocabulary_phrase_count; i++) {
        char text[2048];
        size_t size = 0;
        for (const char *at = vocabulary_phrases[i].text; *at != '\0' && size < sizeof text; at++)
            text[size++] = *at == '$' ? '1' : *at;
        struct program program = {0};
        struct program_error error;
        if (!program_parse(&program, text, size, &error))
            fail_msg("phrase %u, line %u: %s", (unsigned)i, error.line, error.message);
        program_free(&program);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_seed_same_result),      cmocka_unit_test(test_results_read_back_from_text),
        cmocka_unit_test(test_features_are_kept),          cmocka_unit_test(test_crossing_takes_from_both),
        cmocka_unit_test(test_small_limits_are_respected), cmocka_unit_test(test_any_bytes_are_an_input),
        cmocka_unit_test(test_phrases_are_programs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
