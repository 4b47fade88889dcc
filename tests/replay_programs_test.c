/* Runs programs against the library: recorded transcripts and the corpus must match, runs must repeat byte
 * for byte, and the runner must survive whatever a program says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "fuzz/model/paths.h"
#include "fuzz/replay/summary.h"
#include "fuzz/replay/walk.h"
#include "fuzz/runner/judge.h"
#include "fuzz/runner/runner.h"

struct totals {
    size_t files, failed;
};

static void read(struct program *program, const char *path)
{
    struct program_error error = {0};
    if (!program_read(program, path, &error))
        fail_msg("%s:%u: %s", path, error.line, error.message);
}

static void run(const struct program *program, struct program *transcript, struct run_result *result)
{
    struct run_options options = {.simulated = true};
    *transcript = (struct program){0};
    run_program(program, &options, transcript, result);
    assert_true(result->finished);
}

static void check_file(void *context, const char *path)
{
    struct totals *totals = context;
    struct program program = {0};
    struct program transcript;
    struct run_result result;
    struct file_result compared = {.path = path};
    read(&program, path);
    run(&program, &transcript, &result);
    totals->files++;
    if (compare_with_file(&program, &transcript, false, &compared) != 0) {
        totals->failed++;
        print_message("%s:%u: %s\n", path, compared.line, compared.message);
    }
    program_free(&transcript);
    program_free(&program);
}

static void check_folder(const char *folder)
{
    struct totals totals = {0};
    assert_true(each_program_file(folder, check_file, &totals) > 0);
    print_message("%zu files\n", totals.files);
    assert_int_equal(totals.failed, 0);
}

static void test_recorded_transcripts(void **state)
{
    (void)state;
    check_folder("tests/golden");
}

static void test_seeds(void **state)
{
    (void)state;
    check_folder("corpus/seeds");
}

/* The model judges every answer of the seeds. */
static void judge_file(void *context, const char *path)
{
    struct totals *totals = context;
    struct program program = {0};
    struct program transcript = {0};
    struct run_result result;
    struct judge judge;
    struct file_result judged = {.path = path};
    read(&program, path);
    judge_start(&judge, &program, NULL);
    struct run_options options = {.simulated = true, .observer = judge.observer};
    run_program(&program, &options, &transcript, &result);
    totals->files++;
    if (judge_finish(&judge, &transcript, &judged) != 0) {
        totals->failed++;
        print_message("%s:%u: %s\n", path, judged.line, judged.message);
    }
    program_free(&transcript);
    program_free(&program);
}

static void test_model_judges_seeds(void **state)
{
    (void)state;
    struct totals totals = {0};
    each_program_file("corpus/seeds", judge_file, &totals);
    assert_int_equal(totals.failed, 0);
}

/* Every edge of the model near its beginnings: the engine answers as foretold. */
static void judge_path(void *context, const struct program *program)
{
    struct totals *totals = context;
    struct program transcript = {0};
    struct run_result result;
    struct judge judge;
    struct file_result judged = {.path = "path"};
    judge_start(&judge, program, NULL);
    struct run_options options = {.simulated = true, .observer = judge.observer};
    run_program(program, &options, &transcript, &result);
    totals->files++;
    if (judge_finish(&judge, &transcript, &judged) != 0) {
        struct text text = {0};
        totals->failed++;
        program_print(&transcript, &text);
        print_message("%s\n%s\n", judged.message, text.bytes);
        text_free(&text);
    }
    program_free(&transcript);
}

static void walk_paths(const char *profile)
{
    struct totals totals = {0};
    struct paths_counts counts;
    paths_walk(profile, 16, judge_path, &totals, &counts);
    print_message("%s: %zu states, %zu edges in %zu programs\n", profile, counts.states, counts.covered,
                  counts.programs);
    assert_true(counts.edges > 500);
    assert_int_equal(counts.edges, counts.covered);
    assert_int_equal(totals.files, counts.programs);
    assert_int_equal(totals.failed, 0);
}

static void test_paths(void **state)
{
    (void)state;
    walk_paths("documented");
    walk_paths("published");
}

/* I10: the same program gives the same transcript, notes and all. */
static void repeat_file(void *context, const char *path)
{
    struct totals *totals = context;
    struct program program = {0};
    struct program first;
    struct program second;
    struct run_result result;
    read(&program, path);
    run(&program, &first, &result);
    run(&program, &second, &result);
    totals->files++;
    if (!program_equal(&first, &second)) {
        totals->failed++;
        print_message("%s: two runs differ\n", path);
    }
    program_free(&first);
    program_free(&second);
    program_free(&program);
}

static void test_runs_repeat(void **state)
{
    (void)state;
    struct totals totals = {0};
    each_program_file("corpus/seeds", repeat_file, &totals);
    assert_int_equal(totals.failed, 0);
}

static void run_text(const char *text, struct program *transcript, struct run_result *result)
{
    struct program program = {0};
    struct program_error error = {0};
    if (!program_parse(&program, text, strlen(text), &error))
        fail_msg("line %u: %s", error.line, error.message);
    run(&program, transcript, result);
    program_free(&program);
}

/* Lines that the runner cannot make a call of are counted and go on as "not-run". */
static void test_bad_lines(void **state)
{
    (void)state;
    struct program transcript;
    struct run_result result;
    run_text("Init\nInit x9\nOpenTable s0 d0 t0 t 0\nSetSystemParameter i0 Nothing 1\nReadFileInstance i0 h0 "
             "many\n"
             "Insert s0 t0 1 99999999999 1\nTerm i0 fail=lightning:1\nSetColumn s0 t0 \"a\" q:1\nTruncate "
             "\"x\" 0\nStopBackupInstance nil\n",
             &transcript, &result);
    assert_int_equal(result.lines, 10);
    assert_int_equal(result.bad_lines, 7);
    assert_string_equal(transcript.lines[0].outcome.code, "not-run");
    assert_string_equal(transcript.lines[7].outcome.code, "-1104");
    assert_string_equal(transcript.lines[8].outcome.code, "-1811");
    assert_string_equal(transcript.lines[9].outcome.code, "-1003");
    program_free(&transcript);
}

#define START                                                                                                \
    "set CreatePathIfNotExist 1\nset LogFileSize 512\nCreateInstance i0 \"a\"\nSetSystemParameter i0 "       \
    "LogFilePath \"a/\"\n"                                                                                   \
    "SetSystemParameter i0 SystemPath \"a/\"\nSetSystemParameter i0 TempPath \"a/\"\nInit i0\nBeginSession " \
    "i0 s0\n"                                                                                                \
    "CreateDatabase s0 d0 \"a/a.edb\" 0\nTable s0 d0 t0 \"t\"\n"

static const struct program_line *last_line(const struct program *transcript)
{
    return &transcript->lines[transcript->line_count - 1];
}

static void test_nothing_is_left_after_term(void **state)
{
    (void)state;
    struct program transcript;
    struct run_result result;
    run_text(START "Insert s0 t0 1 50 400\nFullBackup i0 \"bk\" 65536\nTerm2 i0 TermComplete\n", &transcript,
             &result);
    assert_string_equal(last_line(&transcript)->outcome.code, "0");
    assert_int_equal(result.leaked_bytes, 0);
    assert_int_equal(result.leaked_handles, 0);
    program_free(&transcript);
}

static void test_crash_forgets_slots(void **state)
{
    (void)state;
    struct program transcript;
    struct run_result result;
    run_text(START "Crash\nBeginTransaction s0\n", &transcript, &result);
    assert_string_equal(last_line(&transcript)->outcome.code, "-1104");
    program_free(&transcript);
}

/* What was not synced is gone with the machine, and stays if only the process dies. */
static void test_machine_crash(void **state)
{
    (void)state;
    static const struct {
        const char *crash;
        const char *code;   /* of the crash */
        const char *folder; /* behind it */
    } rows[] = {
        {"Crash", "0", "0"},
        {"Crash lose 1", "0", "-1811"},
        {"Crash reorder 1", "0", NULL},
        {"Crash keep 1", "not-run", "0"},
        {"Crash tear x", "not-run", "0"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct program transcript;
        struct run_result result;
        char text[200];
        snprintf(text, sizeof text, "MakeDir \"z\"\nMakeDir \"z/x\"\n%s\nListDir \"z\"\n", rows[i].crash);
        run_text(text, &transcript, &result);
        assert_string_equal(transcript.lines[2].outcome.code, rows[i].code);
        if (rows[i].folder != NULL)
            assert_string_equal(last_line(&transcript)->outcome.code, rows[i].folder);
        program_free(&transcript);
    }
}

static void test_files(void **state)
{
    (void)state;
    struct program transcript;
    struct run_result result;
    run_text("MakeDir \"x\"\nCorrupt \"x/none\" 0 1\nCopyFile \"x/none\" \"y\"\nDeleteDir \"x\"\nDeleteDir "
             "\"x\"\nListDir \"x\"\n",
             &transcript, &result);
    static const char *const codes[] = {"0", "-1811", "-1811", "0", "0", "-1811"};
    for (size_t i = 0; i < 6; i++)
        assert_string_equal(transcript.lines[i].outcome.code, codes[i]);
    program_free(&transcript);
}

/* On a real disk a program changes its own folder and nothing beside it. */
static void test_files_outside(void **state)
{
    (void)state;
    static const char text[] =
        "MakeDir \"a/../b\"\nMakeDir \"../c\"\nDeleteDir \"..\"\nDeleteDir \"b/../..\"\n"
        "DeleteDir \"/nowhere\"\nDeleteDir \"C:x\"\nDeleteFile \"..\\\\keep\"\n"
        "CopyFile \"b\" \"../d\"\nCopyDir \"b\" \"..\"\nCorrupt \"../keep\" 0 1\n"
        "Truncate \"../keep\" 0\nListDir \"..\"\nDeleteDir \"b\"\n";
    char folder[64] = "/tmp/replay_programs_XXXXXX";
    char inner[80], file[80];
    assert_non_null(mkdtemp(folder));
    snprintf(inner, sizeof inner, "%s/inner", folder);
    snprintf(file, sizeof file, "%s/keep", folder);
    assert_int_equal(mkdir(inner, 0700), 0);
    FILE *keep = fopen(file, "wb");
    assert_non_null(keep);
    fputs("kept", keep);
    fclose(keep);
    struct program program = {0};
    struct program transcript = {0};
    struct program_error error;
    struct run_result result;
    struct run_options options = {.files = RUN_POSIX, .directory = inner, .simulated = true};
    assert_true(program_parse(&program, text, sizeof text - 1, &error));
    run_program(&program, &options, &transcript, &result);
    assert_true(result.finished);
    assert_int_equal(result.lines, 13);
    assert_int_equal(result.bad_lines, 10);
    assert_string_equal(transcript.lines[11].outcome.code, "0");
    assert_string_equal(last_line(&transcript)->outcome.code, "0");
    struct stat status;
    assert_int_equal(stat(file, &status), 0);
    assert_int_equal(status.st_size, 4);
    assert_int_equal(remove(file), 0);
    assert_int_equal(remove(inner), 0);
    assert_int_equal(remove(folder), 0); /* nothing else came to be there */
    program_free(&transcript);
    program_free(&program);
}

static void test_threads(void **state)
{
    (void)state;
    struct program transcript;
    struct run_result result;
    run_text(START "@1 BeginSession i0 s1\nJoin 1\n@1 BeginTransaction s1\n@1 CommitTransaction s1 0\n@2 "
                   "StopBackupInstance i0\nJoin 1\nJoin 2\n"
                   "Term2 i0 TermComplete\n",
             &transcript, &result);
    for (size_t i = transcript.line_count - 8; i < transcript.line_count; i++)
        assert_string_equal(transcript.lines[i].outcome.code, "0");
    program_free(&transcript);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bad_lines),
        cmocka_unit_test(test_nothing_is_left_after_term),
        cmocka_unit_test(test_crash_forgets_slots),
        cmocka_unit_test(test_machine_crash),
        cmocka_unit_test(test_files),
        cmocka_unit_test(test_files_outside),
        cmocka_unit_test(test_threads),
        cmocka_unit_test(test_runs_repeat),
        cmocka_unit_test(test_model_judges_seeds),
        cmocka_unit_test(test_seeds),
        cmocka_unit_test(test_recorded_transcripts),
        cmocka_unit_test(test_paths),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
