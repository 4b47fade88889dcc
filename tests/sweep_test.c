/* Sweeps: what the model can explain where it is not known what became of a call, and that every point is
 * visited. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "fuzz/sweep/explain.h"
#include "fuzz/sweep/sweep.h"

#define BEGUN                                                                                                \
    "set CreatePathIfNotExist 1\nCreateInstance i0 \"a\" => 0\nInit i0 => 0\nBeginSession i0 s0 => 0\n"      \
    "BeginExternalBackupInstance i0 0 => 0\n"
#define STOP_LINE 5

static void parse(struct program *program, const char *text)
{
    struct program_error error;
    *program = (struct program){0};
    if (!program_parse(program, text, strlen(text), &error))
        fail_msg("line %u: %s", error.line, error.message);
}

static bool explains_unknown(const char *text)
{
    struct program program;
    struct explain_result result;
    parse(&program, text);
    const struct program_outcome done = {.code = "0"};
    const struct explain_unknown unknown = {.line = STOP_LINE, .outcome = &done};
    explain_unknowns(&program, &unknown, 1, &result);
    assert_true(result.judged > 3);
    program_free(&program);
    return result.explained;
}

static void test_a_call_was_made_or_not(void **state)
{
    (void)state;
    const char *const answers[] = {"-801", "0 n=0", "-1003", "0 n=1"};
    for (size_t i = 0; i < 4; i++) {
        char text[600];
        snprintf(text, sizeof text, "%s",
                 BEGUN "StopBackupInstance i0 => -1011\nGetAttachInfoInstance i0 => ");
        strcat(text, answers[i]);
        strcat(text, "\n");
        assert_int_equal(explains_unknown(text), i < 2);
    }
}

static bool explains_threads(const char *text)
{
    struct program program;
    struct explain_result result;
    parse(&program, text);
    explain_threads(&program, &result);
    program_free(&program);
    return result.explained;
}

static void test_some_order_explains_two_threads(void **state)
{
    (void)state;
#define THREADS                                                                                              \
    BEGUN "@1 StopBackupInstance i0 => 0\nGetAttachInfoInstance i0 => %s\nJoin 1 => 0\n"                     \
          "EndExternalBackupInstance i0 => %s\n"
    char text[600];
    snprintf(text, sizeof text, THREADS, "0 n=0", "-801");
    assert_true(explains_threads(text));
    snprintf(text, sizeof text, THREADS, "-801", "-801");
    assert_true(explains_threads(text));
    /* The stop came before the end, whatever the order. */
    snprintf(text, sizeof text, THREADS, "0 n=0", "0");
    assert_false(explains_threads(text));
}

static void test_a_call_comes_before_or_behind_another(void **state)
{
    (void)state;
    struct program program;
    struct explain_result result;
    parse(&program, BEGUN "StopBackupInstance i0 => 0\nGetAttachInfoInstance i0 => 0 n=0\n"
                          "GetAttachInfoInstance i0 => 0 n=0\nGetAttachInfoInstance i0 => -801\n");
    explain_moved(&program, STOP_LINE, 7, &result);
    assert_true(result.explained);
    explain_moved(&program, STOP_LINE, 6, &result);
    assert_false(result.explained);
    assert_non_null(strstr(result.message, "GetAttachInfoInstance"));
    program_free(&program);
}

static const char two_threads[] =
    "set CreatePathIfNotExist 1\nCreateInstance i0 \"a\"\nInit i0\n"
    "@1 StopBackupInstance i0\nStopBackupInstance i0\nJoin 1\nTerm2 i0 TermComplete\n";

static void test_all_schedules_are_run(void **state)
{
    (void)state;
    struct program program;
    struct sweep_counts counts;
    size_t before = 0;
    parse(&program, two_threads);
    for (unsigned switches = 0; switches <= 2; switches++) {
        struct sweep sweep = {
            .program = &program, .name = "two threads", .timeout = 60, .switches = switches, .most = 1};
        assert_true(sweep_schedules(&sweep, &counts));
        assert_int_equal(counts.existing, counts.visited);
        assert_int_equal(counts.finds, 0);
        assert_true(switches == 0 ? counts.existing == 1 : counts.existing > before);
        before = counts.existing;
    }
    program_free(&program);
}

static void test_all_points_are_visited(void **state)
{
    (void)state;
    struct program program;
    struct sweep_counts counts;
    parse(&program, "set CreatePathIfNotExist 1\nset LogFileSize 128\nCreateInstance i0 \"a\"\nInit i0\n"
                    "BeginSession i0 s0\nTerm2 i0 TermComplete\n");
    struct sweep sweep = {.program = &program, .name = "a start", .timeout = 60, .depth = 1, .most = 1};
    static const char *const kinds[] = {"io", "crash", "sync"};
    for (size_t i = 0; i < 3; i++) {
        assert_true(sweep_faults(&sweep, kinds[i], &counts));
        assert_true(counts.existing > 3);
        assert_int_equal(counts.existing, counts.visited);
        assert_int_equal(counts.finds, 0);
    }
    assert_true(sweep_calls(&sweep, "StopBackupInstance i0", &counts));
    assert_true(counts.existing > 50);
    assert_int_equal(counts.existing, counts.visited);
    assert_int_equal(counts.finds, 0);
    assert_false(sweep_faults(&sweep, "nothing", &counts));
    program_free(&program);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_call_was_made_or_not),
        cmocka_unit_test(test_some_order_explains_two_threads),
        cmocka_unit_test(test_a_call_comes_before_or_behind_another),
        cmocka_unit_test(test_all_schedules_are_run),
        cmocka_unit_test(test_all_points_are_visited),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
