/* Cutting programs down, and taking one instance's calls away. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz/independence/generate.h"
#include "fuzz/independence/independence.h"
#include "fuzz/minimise/failure.h"
#include "fuzz/minimise/minimise.h"
#include "fuzz/program/slots.h"

static void parse(struct program *program, const char *text)
{
    struct program_error error = {0};
    *program = (struct program){0};
    if (!program_parse(program, text, strlen(text), &error))
        fail_msg("line %u: %s", error.line, error.message);
}

static const char long_program[] = "set page 4096\n"
                                   "# two instances\n"
                                   "CreateInstance i0 \"a\" => 0\n"
                                   "Init i0 => 0\n"
                                   "BeginSession i0 s0 => 0\n"
                                   "CreateDatabase s0 d0 \"a/a.edb\" 0 => 0\n"
                                   "Table s0 d0 t0 \"t\" => 0\n"
                                   "CreateInstance i1 \"b\" => 0\n"
                                   "Init i1 => 0\n"
                                   "BeginSession i1 s1 => 0\n"
                                   "@1 Insert s0 t0 1 100 40 fail=alloc:3\n"
                                   "Join 1\n"
                                   "BeginExternalBackupInstance i0 0 => 0\n"
                                   "StopBackupInstance i0 => 0\n"
                                   "GetAttachInfoInstance i0 cbMax=100 => -801\n"
                                   "Term2 i1 TermComplete => 0\n"
                                   "Term2 i0 TermComplete => 0\n";

/* "Fails" if a stop comes after a begin, whatever else there is. */
static bool stop_after_begin(void *context, const struct program *program)
{
    size_t *calls = context;
    bool begun = false;
    ++*calls;
    for (size_t i = 0; i < program->line_count; i++) {
        const struct program_line *line = &program->lines[i];
        if (line->kind != LINE_CALL)
            continue;
        if (strcmp(line->op->name, "BeginExternalBackupInstance") == 0)
            begun = true;
        if (begun && strcmp(line->op->name, "StopBackupInstance") == 0)
            return true;
    }
    return false;
}

static void test_least_program(void **state)
{
    (void)state;
    struct program program;
    parse(&program, long_program);
    size_t calls = 0;
    struct minimise_judge judge = {.context = &calls, .fails = stop_after_begin};
    struct minimise_counts counts;
    minimise(&program, &judge, 0, &counts);
    assert_int_equal(program.line_count, 2);
    assert_string_equal(program.lines[0].op->name, "BeginExternalBackupInstance");
    assert_string_equal(program.lines[1].op->name, "StopBackupInstance");
    assert_false(program.lines[0].expects);
    assert_int_equal(counts.tried, calls);
    assert_true(counts.kept > 0);
    program_free(&program);
}

static void test_limit(void **state)
{
    (void)state;
    struct program program;
    parse(&program, long_program);
    size_t calls = 0;
    struct minimise_judge judge = {.context = &calls, .fails = stop_after_begin};
    minimise(&program, &judge, 3, NULL);
    assert_true(calls <= 3);
    assert_true(stop_after_begin(&calls, &program));
    program_free(&program);
}

/* "Fails" under a schedule that is interrupted at point 7, or one with an even seed. */
static bool fails_at_point(void *context, const struct program *program)
{
    (void)context;
    const char *switches = program_setting(program, "switches");
    const char *seed = program_setting(program, "schedule");
    return switches != NULL ? strstr(switches, "7") != NULL && program->line_count > 4
                            : seed != NULL && strtoul(seed, NULL, 10) % 2 == 0;
}

static void test_points_of_the_schedule_go(void **state)
{
    (void)state;
    struct program program;
    struct minimise_judge judge = {.fails = fails_at_point};
    parse(&program, "set switches \"3 7 12\"\n@1 StopBackupInstance i0\n@1 StopBackupInstance i0\n"
                    "@1 StopBackupInstance i0\nJoin 1\n");
    minimise(&program, &judge, 0, NULL);
    /* Shorter programs only fail under another schedule: one is found, and the line is all that is left. */
    assert_int_equal(program.line_count, 1);
    assert_string_equal(program.lines[0].name, "schedule");
    program_free(&program);
}

static void test_failures_have_keys(void **state)
{
    (void)state;
    char key[200];
    char line[200];
    const char said[] = "INFO: x\ncall 9: expected -801, got 0 cb=1\n    Read\nrule: I1 ReadFileInstance\n";
    failure_key(said, SIGABRT, key, sizeof key);
    assert_string_equal(key, "I1 ReadFileInstance: -801 / 0");
    failure_headline(said, line, sizeof line);
    assert_string_equal(line, "call 9: expected -801, got 0 cb=1");
    failure_key("rule: I9 left behind\n", SIGABRT, key, sizeof key);
    assert_string_equal(key, "I9 left behind");
    failure_key("a.c:3:4: runtime error: load of 0x12ab\n", SIGABRT, key, sizeof key);
    assert_string_equal(key, "a.c:N:N: runtime error: load of N");
    failure_key("", SIGALRM, key, sizeof key);
    assert_string_equal(key, "hang");
    failure_key("rule: nothing\n", 0, key, sizeof key);
    assert_string_equal(key, "");
}

static bool only_looks(const struct program_line *line)
{
    return line->kind == LINE_CALL && strncmp(line->op->name, "Get", 3) == 0;
}

static void test_only_removable_lines_go(void **state)
{
    (void)state;
    struct program program;
    parse(&program, long_program);
    size_t before = program.line_count;
    size_t calls = 0;
    struct minimise_judge judge = {.context = &calls, .fails = stop_after_begin, .removable = only_looks};
    minimise(&program, &judge, 0, NULL);
    assert_int_equal(program.line_count, before - 1);
    assert_true(program.lines[2].expects);
    program_free(&program);
}

static void test_offspring(void **state)
{
    (void)state;
    struct program program;
    parse(&program, long_program);
    struct slot_set set = {0};
    slot_set_add(&set, "i0");
    slot_set_add_offspring(&set, &program);
    assert_true(slot_set_has(&set, "s0"));
    assert_true(slot_set_has(&set, "d0"));
    assert_true(slot_set_has(&set, "t0"));
    assert_false(slot_set_has(&set, "s1"));
    program_free(&program);
}

static enum independence check(const char *text)
{
    struct program program;
    struct run_options options = {.simulated = true};
    parse(&program, text);
    enum independence answer = independence_check(&program, &options, NULL);
    program_free(&program);
    return answer;
}

#define TWO                                                                                                  \
    "set CreatePathIfNotExist 1\nCreateInstance i0 \"a\"\nSetSystemParameter i0 LogFilePath "                \
    "\"a/\"\nSetSystemParameter i0 SystemPath \"a/\"\n"                                                      \
    "SetSystemParameter i0 TempPath \"a/\"\nInit i0\nCreateInstance i1 \"b\"\nSetSystemParameter i1 "        \
    "LogFilePath \"b/\"\n"                                                                                   \
    "SetSystemParameter i1 SystemPath \"b/\"\nSetSystemParameter i1 TempPath \"b/\"\nInit i1\n"

static void test_independence(void **state)
{
    (void)state;
    assert_int_equal(
        check(TWO
              "BeginExternalBackupInstance i0 0\nBeginExternalBackupInstance i1 0\nStopBackupInstance i0\n"
              "GetLogInfoInstance i1\nGetLogInfoInstance i0\nTerm2 i0 TermAbrupt\nTerm2 i1 TermAbrupt\n"),
        INDEPENDENT);
    assert_int_equal(check(TWO "OSSnapshotPrepare n0 0\n"), NOT_APPLICABLE);
    assert_int_equal(check("CreateInstance i0 \"a\"\nInit i0\n"), NOT_APPLICABLE);
    /* One that is not: the second instance cannot have the first one's name. */
    assert_int_equal(check("CreateInstance i0 \"same\"\nCreateInstance i1 \"same\"\nInit i0\nInit i1\n"),
                     DEPENDENT);
    /* Files belong to the instance in whose folder they are; a folder of both binds them together. */
    assert_int_equal(check(TWO "ListDir \"a\"\nDeleteFile \"b/edb.chk\"\nListDir \"b\"\n"), INDEPENDENT);
    assert_int_equal(check(TWO "CopyFile \"a/edb.chk\" \"b/x\"\nListDir \"b\"\n"), NOT_APPLICABLE);
}

/* A few of the programs that independence_check --generate makes; they are all about two instances. */
static void test_generated_programs(void **state)
{
    (void)state;
    struct run_options options = {.simulated = true};
    size_t checked = 0;
    for (uint64_t seed = 1; checked < 1400; seed++) {
        assert_true(seed <= 1600); /* few of them bind their instances together */
        struct program program = {0};
        struct program same = {0};
        struct text report = {0};
        independence_generate(&program, seed);
        enum independence answer = independence_check(&program, &options, &report);
        if (answer == DEPENDENT)
            fail_msg("seed %u: %s", (unsigned)seed, report.bytes);
        checked += answer == INDEPENDENT ? 1 : 0;
        if (seed < 10) {
            independence_generate(&same, seed);
            assert_true(program_equal(&program, &same));
        }
        text_free(&report);
        program_free(&same);
        program_free(&program);
    }
}

/* In this one a term waits three seconds, and the other instance cleans up meanwhile. */
static void test_waiting(void **state)
{
    (void)state;
    struct run_options options = {.simulated = true};
    struct program program = {0};
    struct text report = {0};
    independence_generate(&program, 4218);
    if (independence_check(&program, &options, &report) != INDEPENDENT)
        fail_msg("%s", report.bytes);
    text_free(&report);
    program_free(&program);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_least_program),
        cmocka_unit_test(test_limit),
        cmocka_unit_test(test_points_of_the_schedule_go),
        cmocka_unit_test(test_failures_have_keys),
        cmocka_unit_test(test_only_removable_lines_go),
        cmocka_unit_test(test_offspring),
        cmocka_unit_test(test_independence),
        cmocka_unit_test(test_waiting),
        cmocka_unit_test(test_generated_programs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
