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
#include "fuzz/sweep/life.h"
#include "fuzz/sweep/pairs.h"
#include "fuzz/sweep/sweep.h"
#include "fuzz/sweep/torn_page.h"

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

/* Sessions end before their instance does: a stop in between is taken. */
static void test_a_call_loses_its_session_to_an_end(void **state)
{
    (void)state;
    assert_true(explains_threads(BEGUN "@1 BeginTransaction s0 => -1104\n@1 StopBackupInstance i0 => 0\n"
                                       "Term2 i0 TermAbrupt => 0\nJoin 1 => 0\n"));
    assert_false(explains_threads(BEGUN "@1 BeginTransaction s0 => -1104\n@1 StopBackupInstance i0 => 0\n"
                                        "StopBackupInstance i0 => 0\nJoin 1 => 0\n"));
    assert_false(explains_threads(BEGUN "@1 BeginTransaction s0 => 0\nTerm2 i0 TermAbrupt => 0\nJoin 1 => 0\n"
                                        "StopBackupInstance i0 => 0\n"));
}

#define FROZEN                                                                                               \
    "set CreatePathIfNotExist 1\nCreateInstance i0 \"a\" => 0\nInit i0 => 0\nBeginSession i0 s0 => 0\n"      \
    "CreateDatabase s0 d0 \"a.edb\" 0 => 0\nTable s0 d0 t0 \"t\" => 0\n"                                     \
    "OSSnapshotPrepare n0 0 => 0\nOSSnapshotFreeze n0 0 => 0 n=1 \"a\" \"a.edb\"\n"

/* An end is refused because it comes into the middle of a call that has begun a transaction, which then goes
 * on. What the end did before it noticed stays done: the snapshot has lost its instance. */
static void test_an_end_meets_a_transaction(void **state)
{
    (void)state;
#define THAWED FROZEN "OSSnapshotThaw n0 0 => 0\n@1 Term2 i0 TermAbrupt => -1059\n"
    assert_true(explains_threads(THAWED "@1 OSSnapshotThaw n0 0 => -2404\n"
                                        "Insert s0 t0 1 1 40 => 0 rows=1\nJoin 1 => 0\n"));
    assert_false(explains_threads(THAWED "@1 OSSnapshotThaw n0 0 => -2402\n"
                                         "Insert s0 t0 1 1 40 => 0 rows=1\nJoin 1 => 0\n"));
    /* Nothing that has a transaction was under way. */
    assert_false(explains_threads(THAWED "@1 OSSnapshotThaw n0 0 => -2404\n"
                                         "HashTable s0 t0 => 0 rows=0\nJoin 1 => 0\n"));
    assert_false(explains_threads(THAWED "@1 OSSnapshotThaw n0 0 => -2404\nJoin 1 => 0\n"
                                         "HashTable s0 t0 => 0 rows=0\nInsert s0 t0 1 1 40 => 0 rows=1\n"));
}

/* A thaw lets the log go first: rows can be written, and yet a backup cannot begin. */
static void test_a_begin_meets_a_thaw(void **state)
{
    (void)state;
    assert_true(explains_threads(FROZEN "@1 Insert s0 t0 1 1 40 => 0 rows=1\n"
                                        "@1 BeginExternalBackupInstance i0 0 => -505\n"
                                        "OSSnapshotThaw n0 0 => 0\nJoin 1 => 0\n"));
    /* Behind the thaw there is no reason. */
    assert_false(explains_threads(FROZEN "@1 Insert s0 t0 1 1 40 => 0 rows=1\n"
                                         "OSSnapshotThaw n0 0 => 0\nJoin 1 => 0\n"
                                         "BeginExternalBackupInstance i0 0 => -505\n"));
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

/* A freeze that failed may have frozen all the same; an end may have ended. */
static void test_a_call_went_half_way(void **state)
{
    (void)state;
    const struct program_outcome done = {.code = "0"};
    struct program program;
    struct program halves = {0};
    parse(&program, "OSSnapshotFreeze n3 0 => -1011\nTerm2 i0 0 => -1022\nBeginSession i0 s0 => -1011\n");
    explain_add_halves(&halves, &program.lines[2], &done);
    assert_int_equal(halves.line_count, 0);
    explain_add_halves(&halves, &program.lines[0], &done);
    assert_int_equal(halves.line_count, 2);
    assert_string_equal(halves.lines[1].op->name, "OSSnapshotAbort");
    assert_string_equal(halves.lines[1].arguments[0].word, "n3");
    explain_add_halves(&halves, &program.lines[1], &done);
    assert_int_equal(halves.line_count, 3);
    assert_string_equal(halves.lines[2].outcome.code, "0");
    assert_string_equal(halves.lines[2].faults[0].kind, MODEL_HALF);
    program_free(&halves);
    program_free(&program);
}

static bool ends_well(const char *text, const char *calm_text, uint64_t leaked)
{
    struct program transcript;
    struct program calm;
    char what[300] = "";
    parse(&transcript, text);
    parse(&calm, calm_text);
    const struct run_result result = {.leaked_bytes = leaked};
    const struct life life = {
        .calm = &calm, .transcript = &transcript, .result = &result, .program_lines = 3, .hit = 1};
    const bool well = life_ends_well(&life, what, sizeof what);
    assert_int_equal(what[0] == 0, well);
    program_free(&transcript);
    program_free(&calm);
    return well;
}

static void test_a_new_start_must_be_possible(void **state)
{
    (void)state;
#define LIFE(first, listed, second)                                                                          \
    "CreateInstance i0 \"a\" => 0\nInit i0 => " first "\nTerm2 i0 TermAbrupt => 0\n"                         \
    "GetInstanceInfo => 0 n=" listed "\nCreateInstance i0 \"a\" => 0\nInit i0 => " second "\n"
#define AGAIN "Init i0 => " /* one that has begun already */
    static const char calm[] = LIFE("0", "0", "0");
    assert_true(ends_well(LIFE("-1011", "0", "0"), calm, 0));
    assert_false(ends_well(LIFE("-1011", "0", "-528"), calm, 0));
    assert_true(ends_well(LIFE("-1011", "0", "-528"), LIFE("0", "0", "-528"), 0));
    assert_false(ends_well(LIFE("-1011", "0", "-528"), LIFE("0", "0", "-1216"), 0));
    assert_true(ends_well(LIFE("-1011", "0", "0\n" AGAIN "-1030"), LIFE("0", "0", "0\n" AGAIN "0"), 0));
    assert_false(ends_well(LIFE("-1011", "0", "0\n" AGAIN "-528"), LIFE("0", "0", "0\n" AGAIN "0"), 0));
    /* What is left behind counts if no instance lives. */
    assert_false(ends_well(LIFE("-1011", "0", "0"), calm, 12));
    assert_true(ends_well(LIFE("-1011", "1", "0"), calm, 12));
}

static void test_all_pairs_are_different(void **state)
{
    (void)state;
    static char seen[55][400];
    assert_int_equal(pairs_count(1, 1), 55);
    assert_int_equal(pairs_count(2, 1), 1000);
    assert_int_equal(pairs_count(2, 2), 5050);
    for (uint64_t number = 0; number < 55; number++) {
        struct program program = {0};
        struct text text = {0};
        size_t others = 0;
        pairs_build(&program, 1, 1, 1, number);
        for (size_t i = 0; i < program.line_count; i++) {
            const struct program_line *line = &program.lines[i];
            others += line->kind == LINE_CALL && line->thread == 1;
            if (line->kind == LINE_CALL && i + 6 >= program.line_count)
                program_print_line(line, &text);
        }
        assert_int_equal(others, 1);
        snprintf(seen[number], sizeof seen[number], "%s", text.bytes);
        for (uint64_t before = 0; before < number; before++)
            assert_string_not_equal(seen[before], seen[number]);
        text_free(&text);
        program_free(&program);
    }
}

static size_t sequence_of(const struct program *program, unsigned thread, size_t from, size_t order,
                          char *text)
{
    size_t size = 0;
    for (size_t i = 0, calls = 0; i < program->line_count && calls < from + order; i++) {
        const struct program_line *line = &program->lines[i];
        const bool own = line->kind == LINE_CALL && line->thread == thread &&
                         strcmp(line->op->name, "Join") != 0 && i >= program->line_count - 12;
        if (own && calls++ >= from)
            size += (size_t)sprintf(text + size, "%s ", line->op->name);
    }
    return size;
}

/* On each side every pair of calls is made, one behind the other. */
static void test_a_covering_set_covers(void **state)
{
    static char seen[2][4 * 34][80];
    (void)state;
    assert_int_equal(pairs_cover_count(2), 34);
    assert_int_equal(pairs_cover_count(3), 500);
    size_t different[2] = {0};
    for (uint64_t number = 0; number < 34; number++) {
        struct program program = {0};
        pairs_cover_build(&program, 0, 2, number);
        for (unsigned thread = 0; thread < 2; thread++) {
            for (size_t from = 0; from < PAIRS_COVER_CALLS - 1; from++) {
                char text[80];
                size_t known = 0;
                assert_true(sequence_of(&program, thread, from, 2, text) > 0);
                while (known < different[thread] && strcmp(seen[thread][known], text) != 0)
                    known++;
                strcpy(seen[thread][known], text);
                different[thread] += known == different[thread];
            }
        }
        program_free(&program);
    }
    assert_int_equal(different[0], 100);
    assert_int_equal(different[1], 100);
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
        assert_int_equal(counts.equivalent, 0); /* nothing is known of what the steps touch */
        /* Without pre-emptions there are the two threads that may begin. */
        assert_true(switches == 0 ? counts.existing >= 2 && counts.existing < 10 : counts.existing > before);
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
    assert_true(sweep_faults(&sweep, "machine", &counts));
    assert_true(counts.existing > 3);
    assert_int_equal(counts.existing, counts.visited);
    assert_int_equal(counts.runs, 4 * counts.existing);
    assert_int_equal(counts.finds, 0);
    assert_true(sweep_calls(&sweep, "StopBackupInstance i0", &counts));
    assert_true(counts.existing > 50);
    assert_int_equal(counts.existing, counts.visited);
    assert_int_equal(counts.finds, 0);
    assert_false(sweep_faults(&sweep, "nothing", &counts));
    program_free(&program);
}

static bool has_torn_page(const char *text)
{
    struct program program = {0};
    parse(&program, text);
    const size_t line = torn_page_line(&program, 0);
    assert_true(line == 2 || line == program.line_count);
    program_free(&program);
    return line == 2;
}

static void test_a_page_written_by_half_is_lost(void **state)
{
    static const char *const texts[] = {
        "Init i0 fail=short:6 => -1022\nCrash => 0\nInit i0 => -1018\n"
        "Check \"b\" => 0\nCheck \"a\" => -1206 \"checksum page=3 object=0: x\"\n",
        "Init i0 fail=write:6 => -1022\nCrash => 0\nInit i0 => -1018\n"
        "Check \"a\" => -1206 \"checksum page=3 object=0: x\"\n", /* nothing was written */
        "Init i0 fail=short:6 => -1022\nCrash => 0\nInit i0 => -501\n"
        "Check \"a\" => -1206 \"checksum page=3 object=0: x\"\n", /* that is no page */
        "Init i0 fail=short:6 => -1022\nCrash => 0\nInit i0 => -1018\n"
        "Check \"a\" => -1206 \"order page=3 object=2: x\"\n",
        "Init i0 fail=short:6 => -1022\nCrash => 0\nInit i0 => -1018\n"
        "Check \"a\" => -1206 \"checksum page=3 object=0: x\" \"checksum page=4 object=0: x\"\n",
        "Init i0 fail=short:6 => -1022\nCrash => 0\nInit i0 => -1018\n"
        "Check \"b\" => -1206 \"checksum page=3 object=0: x\"\n"
        "Check \"a\" => -1206 \"checksum page=4 object=0: x\"\n", /* one write, one page */
        "Init i0 fail=short:6 => -1022\nCrash => 0\nInit i0 => -1018\nCheck \"a\" => 0\n",
    };
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        assert_int_equal(has_torn_page(texts[i]), i == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_page_written_by_half_is_lost),
        cmocka_unit_test(test_a_call_was_made_or_not),
        cmocka_unit_test(test_some_order_explains_two_threads),
        cmocka_unit_test(test_a_call_loses_its_session_to_an_end),
        cmocka_unit_test(test_an_end_meets_a_transaction),
        cmocka_unit_test(test_a_begin_meets_a_thaw),
        cmocka_unit_test(test_a_call_comes_before_or_behind_another),
        cmocka_unit_test(test_a_call_went_half_way),
        cmocka_unit_test(test_a_new_start_must_be_possible),
        cmocka_unit_test(test_all_pairs_are_different),
        cmocka_unit_test(test_a_covering_set_covers),
        cmocka_unit_test(test_all_schedules_are_run),
        cmocka_unit_test(test_all_points_are_visited),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
