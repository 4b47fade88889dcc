/* The model as a judge of recorded transcripts: it agrees with all of them, and notices when an answer is
 * changed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/shared_files.h"
#include "fuzz/model/model.h"
#include "fuzz/replay/walk.h"

struct totals {
    size_t files, judged, none;
    size_t flipped, noticed;
};

static void report(void *context, const struct program_line *line, const struct model_verdict *verdict)
{
    const char *path = context;
    if (verdict->opinion == MODEL_DISAGREES)
        print_message("%s:%u: %s: %s\n", path, line->number, verdict->rule, verdict->expected);
}

static void read(struct program *program, const char *path)
{
    struct program_error error = {0};
    if (!program_read(program, path, &error))
        fail_msg("%s:%u: %s", path, error.line, error.message);
}

static void judge_file(void *context, const char *path)
{
    struct totals *totals = context;
    struct program program = {0};
    read(&program, path);
    char *name = strdup(path);
    if (model_judge_transcript(&program, NULL, &totals->judged, &totals->none, report, name) > 0)
        fail_msg("%s: the model disagrees", path);
    free(name);
    program_free(&program);
    totals->files++;
}

static void test_agrees_with_copies(void **state)
{
    (void)state;
    struct totals totals = {0};
    assert_true(each_program_file("tests/golden/scenarios", judge_file, &totals) > 50);
    each_program_file("tests/golden/backup", judge_file, &totals);
    each_program_file("tests/golden/restore", judge_file, &totals);
    print_message("%zu files, %zu lines judged, %zu without opinion\n", totals.files, totals.judged,
                  totals.none);
    assert_true(totals.judged > 2 * totals.none);
}

static void test_agrees_with_all_recordings(void **state)
{
    (void)state;
    struct totals totals = {0};
    static const char *const folders[] = {"scenarios", "backup", "restore"};
    const char *shared = shared_directory();
    for (size_t i = 0; shared != NULL && i < sizeof folders / sizeof folders[0]; i++) {
        char path[SHARED_PATH_SIZE];
        snprintf(path, sizeof path, "%s/golden/%s", shared, folders[i]);
        each_program_file(path, judge_file, &totals);
    }
    if (totals.files == 0) {
        print_message("no recordings beside the checkout: skipped\n");
        skip();
    }
    print_message("%zu files, %zu lines judged, %zu without opinion\n", totals.files, totals.judged,
                  totals.none);
}

/* Changes the code of one answer after the other. Where the model had an opinion, it must notice. */
static void flip_file(void *context, const char *path)
{
    struct totals *totals = context;
    struct program program = {0};
    read(&program, path);
    struct model *model = model_new(&program, NULL);
    for (size_t i = 0; i < program.line_count; i++) {
        struct program_line *line = &program.lines[i];
        struct model_verdict verdict;
        if (line->kind != LINE_CALL)
            continue;
        model_judge(model, line, line->expects ? &line->outcome : NULL, &verdict);
        if (verdict.opinion != MODEL_AGREES)
            continue;
        /* A second model sees the same calls up to here, then the changed answer. */
        struct model *other = model_new(&program, NULL);
        struct model_verdict changed;
        for (size_t k = 0; k < i; k++)
            model_judge(other, &program.lines[k], program.lines[k].expects ? &program.lines[k].outcome : NULL,
                        &changed);
        struct program_outcome wrong = line->outcome;
        wrong.code = strcmp(line->outcome.code, "0") == 0 ? "-1" : "0";
        model_judge(other, line, &wrong, &changed);
        totals->flipped++;
        totals->noticed += changed.opinion == MODEL_DISAGREES;
        if (changed.opinion != MODEL_DISAGREES)
            print_message("%s:%u: a wrong code passes\n", path, line->number);
        model_free(other);
    }
    model_free(model);
    program_free(&program);
}

static void test_notices_wrong_codes(void **state)
{
    (void)state;
    struct totals totals = {0};
    each_program_file("tests/golden/scenarios", flip_file, &totals);
    assert_true(totals.flipped > 500);
    print_message("%zu of %zu changed answers noticed\n", totals.noticed, totals.flipped);
    /* Both codes are allowed where the published engine's begin has waited for a freeze to end (1 line): a
     * race. */
    assert_true(totals.noticed + 1 >= totals.flipped);
}

/* The verdict on the last line of a program. */
static struct model_verdict last_verdict(const char *text, const char *profile)
{
    struct program program = {0};
    struct program_error error = {0};
    if (!program_parse(&program, text, strlen(text), &error))
        fail_msg("line %u: %s", error.line, error.message);
    struct model *model = model_new(&program, profile);
    struct model_verdict verdict = {0};
    for (size_t i = 0; i < program.line_count; i++)
        model_judge(model, &program.lines[i], program.lines[i].expects ? &program.lines[i].outcome : NULL,
                    &verdict);
    model_free(model);
    program_free(&program);
    return verdict;
}

#define START                                                                                                \
    "set CreatePathIfNotExist 1\nCreateInstance i0 \"a\" => 0\nSetSystemParameter i0 LogFilePath \"a/\" => " \
    "0\n"                                                                                                    \
    "SetSystemParameter i0 SystemPath \"a/\" => 0\nInit i0 => 0\nBeginSession i0 s0 => 0\n"                  \
    "CreateDatabase s0 d0 \"a/a.edb\" 0 => 0\nTable s0 d0 t0 \"t\" => 0\nInsert s0 t0 1 3 10 => 0 rows=3\n"

static void expect_rule(const char *text, const char *profile, const char *rule)
{
    struct model_verdict verdict = last_verdict(text, profile);
    assert_int_equal(verdict.opinion, MODEL_DISAGREES);
    assert_string_equal(verdict.rule, rule);
}

static void test_invariants(void **state)
{
    (void)state;
    /* I1: after a stop, nothing but AbortByServer. */
    expect_rule(START "BeginExternalBackupInstance i0 0 => 0\nStopBackupInstance i0 => "
                      "0\nGetAttachInfoInstance i0 => -520\n",
                NULL, "I1 code");
    /* I4, I12: a stop of an unknown instance. */
    expect_rule(START "StopBackupInstance raw:0x77 => 0\n", NULL, "I4 code");
    expect_rule(START "EndExternalBackupInstance s0 => 0\n", NULL, "I12 code");
    /* I7: rows. */
    expect_rule(START "HashTable s0 t0 => 0 n=2 fnv=00000000\n", NULL, "I7 fact n");
    /* I8: header fields. */
    expect_rule(START "GetDatabaseInfo s0 d0 DbInfoMisc => 0 state=2 page=4096 fullPrev=1\n", NULL,
                "I8 fact fullPrev");
    /* I5: beyond the announced size. */
    expect_rule(
        START "BeginExternalBackupInstance i0 0 => 0\nOpenFileInstance i0 h0 \"a/a.edb\" => 0 | size=65536\n"
              "ReadFileInstance i0 h0 65536 => 0 cb=65536\nReadFileInstance i0 h0 65536 => 0 cb=65536\n",
        NULL, "I5 fact cb");
    /* I3: a begin after an end succeeds. */
    expect_rule(START
                "BeginExternalBackupInstance i0 0 => 0\nEndExternalBackupInstance2 i0 BackupEndAbort => 0\n"
                "BeginExternalBackupInstance i0 0 => -505\n",
                NULL, "code");
}

static void test_profiles_differ(void **state)
{
    (void)state;
    const char *stopped = START "BeginExternalBackupInstance i0 0 => 0\nStopBackupInstance i0 => "
                                "0\nEndExternalBackupInstance i0 => 0\n";
    assert_int_equal(last_verdict(stopped, "published").opinion, MODEL_AGREES);
    assert_int_equal(last_verdict(stopped, "documented").opinion, MODEL_DISAGREES);
    const char *unread =
        START "BeginExternalBackupInstance i0 0 => 0\nEndExternalBackupInstance i0 => -800\n";
    assert_int_equal(last_verdict(unread, "published").opinion, MODEL_DISAGREES);
    assert_int_equal(last_verdict(unread, "documented").opinion, MODEL_AGREES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_agrees_with_copies),  cmocka_unit_test(test_agrees_with_all_recordings),
        cmocka_unit_test(test_notices_wrong_codes), cmocka_unit_test(test_invariants),
        cmocka_unit_test(test_profiles_differ),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
