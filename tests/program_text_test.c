/* The program text: parsing, printing, comparing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/shared_files.h"
#include "fuzz/program/emit_c.h"
#include "fuzz/program/program.h"
#include "fuzz/replay/walk.h"

static void parse(struct program *program, const char *text)
{
    struct program_error error = {0};
    *program = (struct program){0};
    if (!program_parse(program, text, strlen(text), &error))
        fail_msg("line %u: %s", error.line, error.message);
}

static void test_parts_of_a_line(void **state)
{
    (void)state;
    struct program program;
    parse(&program, "set page 8192\n\n# why\n@2 ReadFileInstance i0 h1 65536 off=512 fail=io:3 => 0 cb=4 \"x "
                    "y\" | size=9\n");
    assert_int_equal(program.line_count, 4);
    assert_int_equal(program.lines[0].kind, LINE_SET);
    assert_string_equal(program_setting(&program, "page"), "8192");
    assert_null(program_setting(&program, "profile"));
    assert_int_equal(program.lines[1].kind, LINE_BLANK);
    assert_string_equal(program.lines[2].comment, "# why");
    const struct program_line *line = &program.lines[3];
    assert_int_equal(line->thread, 2);
    assert_int_equal(line->number, 4);
    assert_string_equal(line->op->name, "ReadFileInstance");
    assert_int_equal(line->argument_count, 4);
    assert_string_equal(program_token_value(program_find_argument(line, "off"), 4, NULL), "512");
    assert_null(program_find_argument(line, "of"));
    assert_int_equal(line->fault_count, 1);
    assert_string_equal(line->faults[0].kind, "io");
    assert_int_equal(line->faults[0].nth, 3);
    assert_true(line->expects);
    assert_string_equal(line->outcome.code, "0");
    assert_string_equal(program_outcome_fact(&line->outcome, "cb", false), "4");
    assert_null(program_outcome_fact(&line->outcome, "size", false));
    assert_string_equal(program_outcome_fact(&line->outcome, "size", true), "9");
    program_free(&program);
}

static void test_escapes(void **state)
{
    (void)state;
    struct program program;
    const char *text = "OpenTable s0 d0 t0 \"a\\\"b\\\\c\\n\\x00\\xa0é\" 0\n";
    parse(&program, text);
    const struct program_token *name = &program.lines[0].arguments[3];
    assert_int_equal(name->text_size, 10);
    assert_memory_equal(name->text, "a\"b\\c\n\0\xa0\xc3\xa9", 10);
    struct text out = {0};
    program_print(&program, &out);
    assert_string_equal(out.bytes, text);
    text_free(&out);
    program_free(&program);
}

static void test_errors_name_the_line(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        unsigned line;
        const char *part;
    } cases[] = {
        {"Init i0\nFly i0\n", 2, "unknown call"},
        {"\n\nOpenTable s0 d0 t0 \"t\n", 3, "closing quote"},
        {"OpenTable s0 d0 t0 \"t\"x\n", 1, "blank must follow"},
        {"OpenTable s0 d0 t0 \"\\q\"\n", 1, "unknown escape"},
        {"OpenTable s0 d0 t0 \"\\x0g\"\n", 1, "two hex digits"},
        {"Init i0 fail=io\n", 1, "fail=KIND:N"},
        {"Init i0 fail=io:0\n", 1, "fail=KIND:N"},
        {"Init i0 =>\n", 1, "without a code"},
        {"Init i0 => 0 | a | b\n", 1, "second bar"},
        {"@999 Init i0\n", 1, "0 to 255"},
        {"@1\n", 1, "without a call"},
        {"set page\n", 1, "no value"},
        {"set page 1 2\n", 1, "one value"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct program program = {0};
        struct program_error error = {0};
        assert_false(program_parse(&program, cases[i].text, strlen(cases[i].text), &error));
        assert_int_equal(error.line, cases[i].line);
        if (strstr(error.message, cases[i].part) == NULL)
            fail_msg("case %zu: \"%s\" does not say \"%s\"", i, error.message, cases[i].part);
        program_free(&program);
    }
}

/* The difference that an answer makes to what a line expects. */
static const char *difference(const char *expected, const char *answer)
{
    static char kind[64];
    struct arena arena = {0};
    struct program_outcome want;
    struct program_outcome got;
    assert_true(program_parse_outcome(&arena, expected, strlen(expected), &want, NULL));
    assert_true(program_parse_outcome(&arena, answer, strlen(answer), &got, NULL));
    const char *found = program_outcome_difference(&want, &got);
    snprintf(kind, sizeof kind, "%s", found != NULL ? found : "none");
    arena_free(&arena);
    return kind;
}

static void test_comparison(void **state)
{
    (void)state;
    assert_string_equal(difference("0", "0 n=1 \"x\""), "none");
    assert_string_equal(difference("0", "-801"), "code");
    assert_string_equal(difference("0 n=1", "0 n=1 m=2"), "none");
    assert_string_equal(difference("0 n=1", "0 | n=1"), "none");
    assert_string_equal(difference("0 n=1", "0 n=2"), "n=1");
    assert_string_equal(difference("0 | n=1", "0 n=2"), "none");
    assert_string_equal(difference("0 \"a\" \"b\"", "0 \"a\" n=1 \"b\""), "none");
    assert_string_equal(difference("0 \"a\" \"b\"", "0 \"b\" \"a\""), "texts");
    assert_string_equal(difference("0 \"a\"", "0 \"a\" \"b\""), "texts");
    assert_string_equal(difference("0 \"a\" \"b\"", "0 \"a\""), "texts");
    assert_string_equal(difference("0 last=\"a\"", "0 last=\"b\""), "last=");
    assert_string_equal(difference("not-run", "-1"), "none");
    assert_string_equal(difference("hang", "0"), "none");
}

static void test_copies_share_nothing(void **state)
{
    (void)state;
    struct program program;
    parse(&program, "# c\nset page 4096\n@1 Init i0 fail=alloc:2 => 0 a=b | c\nTerm i0\n");
    struct program copy = {0};
    program_copy(&copy, &program);
    program_free(&program);
    struct program again;
    parse(&again, "# c\nset page 4096\n@1 Init i0 fail=alloc:2 => 0 a=b | c\nTerm i0\n");
    assert_true(program_equal(&copy, &again));
    program_remove(&copy, 1, 1);
    assert_false(program_equal(&copy, &again));
    assert_int_equal(copy.line_count, 3);
    assert_string_equal(copy.lines[1].op->name, "Init");
    program_free(&copy);
    program_free(&again);
}

static void test_ops_are_sorted(void **state)
{
    (void)state;
    for (size_t i = 0; i < program_op_count; i++) {
        if (i > 0)
            assert_true(strcmp(program_ops[i - 1].name, program_ops[i].name) < 0);
        assert_ptr_equal(program_op_find(program_ops[i].name), &program_ops[i]);
    }
    assert_null(program_op_find("Nothing"));
}

/* A file comes out byte for byte as it went in. */
static void check_round_trip(void *context, const char *path)
{
    size_t *count = context;
    struct program program = {0};
    struct program_error error = {0};
    if (!program_read(&program, path, &error))
        fail_msg("%s:%u: %s", path, error.line, error.message);
    struct text printed = {0};
    program_print(&program, &printed);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    char *bytes = malloc(printed.size + 1);
    assert_non_null(bytes);
    size_t size = fread(bytes, 1, printed.size + 1, file);
    fclose(file);
    if (size != printed.size || memcmp(bytes, printed.bytes, size) != 0)
        fail_msg("%s is not printed as it was read", path);
    free(bytes);
    text_free(&printed);
    program_free(&program);
    ++*count;
}

static void test_files_round_trip(void **state)
{
    (void)state;
    size_t count = 0;
    assert_true(each_program_file("tests/golden", check_round_trip, &count) > 100);
    each_program_file("corpus", check_round_trip, &count);
    print_message("%zu files\n", count);
}

/* All recorded transcripts, where they lie beside the checkout; files that a crash of the recorder garbled
 * are known by their folder. */
static void test_all_recordings_round_trip(void **state)
{
    (void)state;
    static const char *const folders[] = {"scenarios", "backup", "restore", "data", "files", "probes"};
    size_t count = 0;
    const char *shared = shared_directory();
    for (size_t i = 0; shared != NULL && i < sizeof folders / sizeof folders[0]; i++) {
        char path[SHARED_PATH_SIZE];
        snprintf(path, sizeof path, "%s/golden/%s", shared, folders[i]);
        each_program_file(path, check_round_trip, &count);
    }
    if (count == 0) {
        print_message("no recordings beside the checkout: skipped\n");
        skip();
    }
    print_message("%zu files\n", count);
}

static void test_c_form(void **state)
{
    (void)state;
    struct program program;
    parse(&program, "set page 4096\nset switches \"3\"\nset sector 512\nCreateInstance i0 \"a\" => 0\nInit "
                    "i0 => 0\nStopBackupInstance i0 => "
                    "0\n@1 Term i0\nCrash tear 7\n");
    struct text out = {0};
    emit_c(&program, &out);
    assert_non_null(strstr(out.bytes, "JetStopBackupInstance(i[0])"));
    assert_non_null(strstr(out.bytes, "JetCreateInstanceA(&out, \"a\")"));
    assert_non_null(strstr(out.bytes, "JET_paramDatabasePageSize"));
    assert_non_null(strstr(out.bytes, "not in this form of C: @1 Term i0"));
    assert_non_null(strstr(out.bytes, "not in this form of C: Crash tear 7"));
    /* What is the runner's is no parameter. */
    assert_null(strstr(out.bytes, "JET_paramswitches"));
    assert_null(strstr(out.bytes, "JET_paramsector"));
    text_free(&out);
    program_free(&program);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parts_of_a_line),
        cmocka_unit_test(test_escapes),
        cmocka_unit_test(test_errors_name_the_line),
        cmocka_unit_test(test_comparison),
        cmocka_unit_test(test_copies_share_nothing),
        cmocka_unit_test(test_ops_are_sorted),
        cmocka_unit_test(test_files_round_trip),
        cmocka_unit_test(test_all_recordings_round_trip),
        cmocka_unit_test(test_c_form),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
