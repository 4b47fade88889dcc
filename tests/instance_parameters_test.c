/* The table of system parameters and its rules: ranges, types, when a parameter may be written. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "src/instance/parameters.h"
#include "src/os/memory.h"

static struct parameters set;
static const struct parameter_writer fresh = {.mode_chosen = false, .running = false, .advanced = true};
static const struct parameter_writer running = {.mode_chosen = true, .running = true, .advanced = true};

static int setup(void **state)
{
    (void)state;
    parameters_init(&set, NULL);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    parameters_done(&set);
    return os_memory_live_count() == 0 ? 0 : -1;
}

/* Every number of esent.h has a line of the table with sane bounds, and its default is one of its values. */
static void defaults_lie_in_their_ranges(void **state)
{
    (void)state;
    uint32_t known = 0;
    for (uint32_t number = 0; number < PARAMETER_COUNT; number++) {
        const struct parameter_definition *definition = parameter_definition(number);
        if (definition->type == PARAMETER_ILLEGAL)
            continue;
        known++;
        assert_true(definition->low <= definition->high);
        bool number_like = definition->type == PARAMETER_BOOLEAN || definition->type == PARAMETER_GRBIT ||
                           definition->type == PARAMETER_INTEGER || definition->type == PARAMETER_BLOCK_SIZE;
        if (!number_like || (definition->flags & PARAMETER_READ_ONLY) != 0)
            continue;
        assert_true(definition->default_value >= definition->low);
        assert_true(definition->default_value <= definition->high);
        assert_true(definition->small_default >= definition->low);
        assert_true(definition->small_default <= definition->high);
    }
    assert_true(known > 200);
    assert_int_equal(parameter_definition(185)->type, PARAMETER_ILLEGAL);
    assert_int_equal(parameter_definition(PARAMETER_COUNT)->type, PARAMETER_ILLEGAL);
}

static void numbers_are_checked_against_their_range(void **state)
{
    (void)state;
    assert_int_equal(parameter_set(&set, JET_paramLogFileSize, 64, NULL, &fresh), JET_errSuccess);
    assert_int_equal(parameter_number(&set, JET_paramLogFileSize), 64);
    assert_int_equal(parameter_set(&set, JET_paramLogFileSize, 63, NULL, &fresh), JET_errInvalidParameter);
    assert_int_equal(parameter_set(&set, JET_paramLogFileSize, 32769, NULL, &fresh), JET_errInvalidParameter);
    assert_int_equal(parameter_number(&set, JET_paramLogFileSize), 64);
    assert_int_equal(parameter_set(&set, 185, 0, NULL, &fresh), JET_errInvalidParameter);
    assert_int_equal(parameter_set(&set, 100000, 0, NULL, &fresh), JET_errInvalidParameter);
    assert_int_equal(parameter_set(&set, JET_paramKeyMost, 1000, NULL, &fresh), JET_errInvalidParameter);
}

static void page_sizes_are_powers_of_two(void **state)
{
    (void)state;
    static const uint32_t good[] = {2048, 4096, 8192, 16384, 32768};
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        assert_int_equal(parameter_set(&set, JET_paramDatabasePageSize, good[i], NULL, &fresh),
                         JET_errSuccess);
    static const uint32_t bad[] = {0, 1024, 4097, 6144, 65536};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(parameter_set(&set, JET_paramDatabasePageSize, bad[i], NULL, &fresh),
                         JET_errInvalidParameter);
}

/* Once an instance runs, its start-up parameters keep their values; setting the value it has is no change. */
static void fixed_parameters_refuse_late_changes(void **state)
{
    (void)state;
    uint64_t size = parameter_number(&set, JET_paramLogFileSize);
    assert_int_equal(parameter_set(&set, JET_paramLogFileSize, size, NULL, &running), JET_errSuccess);
    assert_int_equal(parameter_set(&set, JET_paramLogFileSize, size * 2, NULL, &running),
                     JET_errAlreadyInitialized);
    assert_int_equal(parameter_set(&set, JET_paramMaxInstances, 20, NULL, &running),
                     JET_errAlreadyInitialized);
    assert_int_equal(parameter_set(&set, JET_paramSystemPath, 0, "x", &running), JET_errAlreadyInitialized);
    assert_int_equal(parameter_set(&set, JET_paramCheckpointDepthMax, 1, NULL, &running), JET_errSuccess);
}

static void advanced_parameters_are_left_alone_without_the_switch(void **state)
{
    (void)state;
    struct parameter_writer plain = fresh;
    plain.advanced = false;
    uint64_t before = parameter_number(&set, JET_paramMaxSessions);
    assert_int_equal(parameter_set(&set, JET_paramMaxSessions, before + 1, NULL, &plain), JET_errSuccess);
    assert_int_equal(parameter_number(&set, JET_paramMaxSessions), before);
    assert_int_equal(parameter_set(&set, JET_paramMaxSessions, before + 1, NULL, &fresh), JET_errSuccess);
    assert_int_equal(parameter_number(&set, JET_paramMaxSessions), before + 1);
}

static void texts_have_lengths_and_folders_a_separator(void **state)
{
    (void)state;
    assert_string_equal(parameter_text(&set, JET_paramBaseName), "edb");
    assert_int_equal(parameter_set(&set, JET_paramBaseName, 0, "ab", &fresh), JET_errInvalidParameter);
    assert_int_equal(parameter_set(&set, JET_paramBaseName, 0, "abcd", &fresh), JET_errInvalidParameter);
    assert_int_equal(parameter_set(&set, JET_paramBaseName, 0, NULL, &fresh), JET_errInvalidParameter);
    assert_int_equal(parameter_set(&set, JET_paramBaseName, 0, "abc", &fresh), JET_errSuccess);
    assert_string_equal(parameter_text(&set, JET_paramBaseName), "abc");
    assert_int_equal(parameter_set(&set, JET_paramLogFilePath, 0, "/a/./b", &fresh), JET_errSuccess);
    assert_string_equal(parameter_text(&set, JET_paramLogFilePath), "/a/b/");
    assert_int_equal(parameter_set(&set, JET_paramTempPath, 0, "t.edb", &fresh), JET_errSuccess);
    assert_string_equal(parameter_text(&set, JET_paramTempPath), "t.edb");
    assert_int_equal(parameter_set(&set, JET_paramTempPath, 0, "/a\\t.edb", &fresh), JET_errSuccess);
    assert_string_equal(parameter_text(&set, JET_paramTempPath), "/a/t.edb");
    char long_text[400];
    memset(long_text, 'x', sizeof(long_text) - 1);
    long_text[sizeof(long_text) - 1] = '\0';
    assert_int_equal(parameter_set(&set, JET_paramLogFilePath, 0, long_text, &fresh),
                     JET_errInvalidParameter);
}

static void booleans_become_one(void **state)
{
    (void)state;
    assert_int_equal(parameter_set(&set, JET_paramCircularLog, 77, NULL, &fresh), JET_errSuccess);
    assert_int_equal(parameter_number(&set, JET_paramCircularLog), 1);
}

static void copies_are_independent(void **state)
{
    (void)state;
    struct parameters copy;
    assert_int_equal(parameter_set(&set, JET_paramEventSource, 0, "one", &fresh), JET_errSuccess);
    assert_int_equal(parameters_copy(&copy, &set), JET_errSuccess);
    assert_int_equal(parameter_set(&copy, JET_paramEventSource, 0, "two", &fresh), JET_errSuccess);
    assert_string_equal(parameter_text(&set, JET_paramEventSource), "one");
    parameters_done(&copy);
}

static void format_versions_are_known_ones(void **state)
{
    (void)state;
    static const uint32_t good[] = {JET_efvExchange2016Cu1Rtm, JET_efvUseEngineDefault,
                                    JET_efvUsePersistedFormat,
                                    JET_efvExchange2016Cu1Rtm | JET_efvAllowHigherPersistedFormat};
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        assert_int_equal(parameter_set(&set, JET_paramEngineFormatVersion, good[i], NULL, &fresh),
                         JET_errSuccess);
    assert_int_equal(parameter_set(&set, JET_paramEngineFormatVersion, 1, NULL, &fresh),
                     JET_errEngineFormatVersionNoLongerSupportedTooLow);
    assert_int_equal(parameter_set(&set, JET_paramEngineFormatVersion, 20000, NULL, &fresh),
                     JET_errEngineFormatVersionNotYetImplementedTooHigh);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(defaults_lie_in_their_ranges, setup, teardown),
        cmocka_unit_test_setup_teardown(numbers_are_checked_against_their_range, setup, teardown),
        cmocka_unit_test_setup_teardown(page_sizes_are_powers_of_two, setup, teardown),
        cmocka_unit_test_setup_teardown(fixed_parameters_refuse_late_changes, setup, teardown),
        cmocka_unit_test_setup_teardown(advanced_parameters_are_left_alone_without_the_switch, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(texts_have_lengths_and_folders_a_separator, setup, teardown),
        cmocka_unit_test_setup_teardown(booleans_become_one, setup, teardown),
        cmocka_unit_test_setup_teardown(copies_are_independent, setup, teardown),
        cmocka_unit_test_setup_teardown(format_versions_are_known_ones, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
