/* The compact form of programs: nothing is lost on the way there and back, and any bytes are a program. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz/mutate/mutate.h"
#include "fuzz/program/compact.h"

static const char *const samples[] = {
    "",
    "# only a comment\n\n   # indented\n",
    "set profile published\nset page 8192\nset LogFileSize 512\n",
    "CreateInstance i0 \"a\"                          => 0\n",
    "SetSystemParameter null LogFilePath \"a/\" => -1003\n",
    "@3 ReadFileInstance i0 h0 65536 cbMax=7 fail=alloc:12 fail=io:1 => 0 cb=65536 | more=1 \"x y\"\n",
    "OpenFileInstance i255 h128 \"a\\x00b\\\"c\\\\\" => -1003\n",
    "Init i9\nInit i10\nInit i99\nInit i100\nInit i107\nInit i127\nInit i128\n",
    "OpenFileInstance raw:0x1234 nil \"\"\nOpenFileInstance zero null null\n",
    "SetColumn s0 t0 \"c\" a:\"\\xa0\" SetAppendLV|SetOverwriteLV itag=2\nSetColumn s0 t0 col:5 r:100:7\n",
    "ReadFileInstance i0 h0 007\nReadFileInstance i0 h0 0x10\nReadFileInstance i0 h0 -1\n",
    "ReadFileInstance i0 h0 18446744073709551615\n",
    "GetAttachInfoInstance i0 => 0 n=2 \"a/a.edb\" \"b/b.edb\" | cb=33\n",
    "Insert s0 t0 1 40 40 seed=3 txn=0 => 0 rows=40\nCrash\nInit i0 => not-run\n",
    "StopBackupInstance i0 => 0 |\n",
    "RestoreInstance i0 \"bk\" null pfn=1 => 0 begin=1 fail=0 | other=9\nListDir | => 0\n",
    "CreateTableColumnIndex2 s0 d0 t0 \"n\" 0 col=\"id;Long\" ix=\"pk;IndexPrimary;+id\"\n",
};

static void check_round_trip(const struct program *program)
{
    struct text bytes = {0};
    struct program again = {0};
    compact_encode(program, &bytes);
    compact_decode(&again, (const uint8_t *)bytes.bytes, bytes.size);
    assert_true(program_equal(program, &again));
    text_free(&bytes);
    program_free(&again);
}

static void test_nothing_is_lost(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof samples / sizeof samples[0]; i++) {
        struct program program = {0};
        struct program_error error;
        if (!program_parse(&program, samples[i], strlen(samples[i]), &error))
            fail_msg("sample %u, line %u: %s", (unsigned)i, error.line, error.message);
        check_round_trip(&program);
        program_free(&program);
    }
}

static void test_calls_are_short(void **state)
{
    (void)state;
    static const char text[] = "ReadFileInstance i0 h0 65536\n";
    struct program program = {0};
    struct program_error error;
    struct text bytes = {0};
    assert_true(program_parse(&program, text, sizeof text - 1, &error));
    compact_encode(&program, &bytes);
    assert_int_equal(bytes.size, 5); /* op, count, three arguments */
    text_free(&bytes);
    program_free(&program);
}

static void test_any_bytes_are_a_program(void **state)
{
    (void)state;
    struct mutate_random random = {.state = 7};
    for (int round = 0; round < 20000; round++) {
        uint8_t bytes[200];
        size_t size = mutate_below(&random, sizeof bytes);
        for (size_t i = 0; i < size; i++) {
            /* Random bytes, small ones, and markers. */
            size_t what = mutate_below(&random, 3);
            uint8_t byte = (uint8_t)mutate_next(&random);
            bytes[i] = what == 0 ? byte : what == 1 ? byte % 8 : (uint8_t)(0xfb + byte % 5);
        }
        struct program program = {0};
        struct program again = {0};
        struct text text = {0};
        struct program_error error = {0};
        compact_decode(&program, bytes, size);
        program_print(&program, &text);
        if (text.size > 0 && !program_parse(&again, text.bytes, text.size, &error))
            fail_msg("round %d, line %u: %s\n%s", round, error.line, error.message, text.bytes);
        if (!program_equal(&program, &again))
            fail_msg("round %d: the text reads back differently:\n%s", round, text.bytes);
        check_round_trip(&program);
        text_free(&text);
        program_free(&program);
        program_free(&again);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_is_lost),
        cmocka_unit_test(test_calls_are_short),
        cmocka_unit_test(test_any_bytes_are_a_program),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
