/* Memory fails at every allocation of every call on rows and schema of the recorded programs, one after the
 * other. Each call answers that memory ran out, has changed nothing, and made again answers what the
 * published engine was recorded to answer; so does all that follows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz/replay/summary.h"
#include "fuzz/replay/walk.h"
#include "fuzz/runner/runner.h"

/* Memory that fails while the log goes on to another file ends the instance (docs/faults.md): no more can be
 * said of what follows. */
#define INSTANCE_ENDED "answered -510"

/* A retrieval from the index goes to the first row if the cursor was nowhere, and stays there if it fails
 * then; from there it is refused. */
#define STAYS_AT_FIRST_ROW "data-dml/00271.jet"

struct totals {
    size_t files, failed, ended, retries;
};

static void check_file(void *context, const char *path)
{
    struct totals *totals = context;
    struct program program = {0};
    struct program transcript = {0};
    struct run_result result;
    struct program_error error = {0};
    struct file_result compared = {.path = path};
    const struct run_options options = {.simulated = true, .retry_allocations = true};
    if (!program_read(&program, path, &error))
        fail_msg("%s:%u: %s", path, error.line, error.message);
    run_program(&program, &options, &transcript, &result);
    assert_true(result.finished);
    totals->files++;
    totals->retries += result.retries;
    if (compare_with_file(&program, &transcript, false, &compared) != 0 &&
        strstr(compared.message, INSTANCE_ENDED) != NULL) {
        totals->ended++;
    } else if (compared.message[0] != 0 && strstr(path, STAYS_AT_FIRST_ROW) == NULL) {
        totals->failed++;
        print_message("%s:%u: %s\n", path, compared.line, compared.message);
    }
    if (result.alone && result.leaked_bytes > 0) {
        totals->failed++;
        print_message("%s: %u bytes left behind\n", path, (unsigned)result.leaked_bytes);
    }
    program_free(&transcript);
    program_free(&program);
}

static void check_folder(const char *folder)
{
    struct totals totals = {0};
    assert_true(each_program_file(folder, check_file, &totals) > 0);
    print_message("%zu files, %zu calls made again, %zu instances ended\n", totals.files, totals.retries,
                  totals.ended);
    assert_true(totals.ended < totals.files / 2 + 1);
    assert_true(totals.retries > totals.files);
    assert_int_equal(totals.failed, 0);
}

#define FOLDER_TEST(name, folder)                                                                            \
    static void name(void **state)                                                                           \
    {                                                                                                        \
        (void)state;                                                                                         \
        check_folder(folder);                                                                                \
    }

FOLDER_TEST(schema, "tests/golden/data-ddl")
FOLDER_TEST(rows, "tests/golden/data-dml")
FOLDER_TEST(wrong_calls, "tests/golden/data-err")
FOLDER_TEST(keys, "tests/golden/data-key")
FOLDER_TEST(navigation, "tests/golden/data-nav")
FOLDER_TEST(scenarios, "tests/golden/data-scenarios")
FOLDER_TEST(transactions, "tests/golden/data-txn")

int main(int argc, char **argv)
{
    if (argc > 1 && strstr(argv[1], ".jet") != NULL) {
        struct totals totals = {0};
        check_file(&totals, argv[1]);
        return totals.failed == 0 ? 0 : 1;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(schema),       cmocka_unit_test(rows),       cmocka_unit_test(wrong_calls),
        cmocka_unit_test(keys),         cmocka_unit_test(navigation), cmocka_unit_test(scenarios),
        cmocka_unit_test(transactions),
    };
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
