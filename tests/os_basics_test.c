/* Memory, faults, text, paths, clock, random numbers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "src/os/clock.h"
#include "src/os/fault.h"
#include "src/os/memory.h"
#include "src/os/path.h"
#include "src/os/random.h"
#include "src/os/text.h"
#include "src/os/zero.h"

/* ---- zeros */

static void one_bit_is_not_zero(void **state)
{
    uint8_t bytes[700] = {0};
    (void)state;
    for (size_t size = 0; size <= 400; size += size < 20 ? 1 : 61) {
        for (size_t from = 0; from < 17; from++) {
            bytes[from + size] = 0x80; /* right behind */
            if (from > 0)
                bytes[from - 1] = 1;
            assert_true(os_is_zero(bytes + from, size));
            for (size_t at = from; at < from + size; at++) {
                bytes[at] = (uint8_t)(1u << at % 8);
                assert_false(os_is_zero(bytes + from, size));
                bytes[at] = 0;
            }
            memset(bytes, 0, sizeof bytes);
        }
    }
}

/* ---- memory */

static void memory_counts_and_frees(void **state)
{
    (void)state;
    size_t before = os_memory_live_count();
    size_t bytes = os_memory_live_bytes();
    uint8_t *a = os_allocate(100);
    uint8_t *b = os_allocate_zeroed(5000);
    uint8_t *page = os_allocate_pages(8192);
    assert_non_null(a);
    assert_non_null(b);
    assert_int_equal((uintptr_t)a % 16, 0);
    assert_int_equal((uintptr_t)page % OS_PAGE_ALIGNMENT, 0);
    for (size_t i = 0; i < 5000; i++)
        assert_int_equal(b[i], 0);
    memset(a, 7, 100);
    memset(page, 1, 8192);
    assert_int_equal(os_memory_live_count(), before + 3);
    assert_int_equal(os_memory_live_bytes(), bytes + 100 + 5000 + 8192);
    assert_true(os_memory_is_live(b));
    a = os_reallocate(a, 200);
    for (size_t i = 0; i < 100; i++)
        assert_int_equal(a[i], 7);
    os_free(b);
    assert_false(os_memory_is_live(b));
    os_free(a);
    os_free(page);
    os_free(NULL);
    assert_int_equal(os_memory_live_count(), before);
    assert_int_equal(os_memory_live_bytes(), bytes);
}

static void memory_refuses_impossible_sizes(void **state)
{
    (void)state;
    assert_null(os_allocate_array(SIZE_MAX / 2, 3));
    void *no_items = os_allocate_array(SIZE_MAX, 0);
    assert_non_null(no_items);
    os_free(no_items);
    void *no_bytes = os_duplicate("", 0);
    assert_non_null(no_bytes);
    os_free(no_bytes);
    assert_null(os_allocate(SIZE_MAX - 10));
    assert_null(os_allocate_pages(SIZE_MAX - 10));
    void *nothing = os_allocate(0);
    assert_non_null(nothing);
    os_free(nothing);
}

static void failed_reallocation_keeps_the_block(void **state)
{
    (void)state;
    char *text = os_duplicate_text("kept");
    EsentHostFailNth(ESENT_HOST_FAULT_ALLOCATE, 1, 1);
    assert_null(os_reallocate(text, 1000));
    assert_string_equal(text, "kept");
    text = os_reallocate(text, 2);
    assert_memory_equal(text, "ke", 2);
    os_free(text);
}

static void note_site(void *context, const void *block, size_t size, const char *site)
{
    (void)block;
    if (size == 77 && strstr(site, "os_basics_test.c:") != NULL)
        ++*(int *)context;
}

static void leaks_are_reported_with_their_place(void **state)
{
    (void)state;
    char report[512];
    int found = 0;
    assert_non_null(os_allocate(77));
    os_memory_visit(note_site, &found);
    assert_int_equal(found, 1);
    assert_int_equal(EsentHostReset(report, sizeof report), 1);
    assert_non_null(strstr(report, "os_basics_test.c:"));
    assert_int_equal(os_memory_live_count(), 0);
    assert_int_equal(EsentHostReset(report, sizeof report), 0);
    assert_string_equal(report, "");
}

static uint32_t custom_blocks;
static void *custom_allocate(void *context, size_t size, size_t alignment)
{
    assert_ptr_equal(context, &custom_blocks);
    custom_blocks++;
    return aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
}
static void custom_free(void *context, void *block)
{
    assert_ptr_equal(context, &custom_blocks);
    custom_blocks--;
    free(block);
}

static void a_program_brings_its_allocator(void **state)
{
    (void)state;
    struct ESENT_HOST_ALLOCATOR allocator = {&custom_blocks, custom_allocate, custom_free};
    assert_int_equal(EsentHostSetAllocator(&allocator), JET_errSuccess);
    void *block = os_allocate(10);
    void *pages = os_allocate_pages(10);
    assert_int_equal(custom_blocks, 2);
    assert_int_equal(EsentHostSetAllocator(NULL), JET_errAlreadyInitialized);
    os_free(block);
    os_free(pages);
    assert_int_equal(custom_blocks, 0);
    assert_int_equal(EsentHostSetAllocator(NULL), JET_errSuccess);
}

/* ---- faults */

static void the_nth_point_fails(void **state)
{
    (void)state;
    EsentHostResetCounters();
    EsentHostFailNth(ESENT_HOST_FAULT_SYNC, 3, 2);
    const bool expected[] = {false, false, true, true, false};
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(os_fault_point(ESENT_HOST_FAULT_SYNC), expected[i]);
    assert_int_equal(EsentHostCountPoints(ESENT_HOST_FAULT_SYNC), 5);
    assert_int_equal(EsentHostCountFailures(ESENT_HOST_FAULT_SYNC), 2);
    assert_int_equal(EsentHostCountPoints(ESENT_HOST_FAULT_READ), 0);

    EsentHostFailNth(ESENT_HOST_FAULT_SYNC, 2, 0);
    assert_false(os_fault_point(ESENT_HOST_FAULT_SYNC));
    for (size_t i = 0; i < 10; i++)
        assert_true(os_fault_point(ESENT_HOST_FAULT_SYNC));
    os_fault_suspend();
    assert_false(os_fault_point(ESENT_HOST_FAULT_SYNC));
    os_fault_resume();
    assert_true(os_fault_point(ESENT_HOST_FAULT_SYNC));
    EsentHostFailNth(ESENT_HOST_FAULT_SYNC, 0, 0);
    assert_false(os_fault_point(ESENT_HOST_FAULT_SYNC));
}

static void counters_restart_and_faults_stay_armed(void **state)
{
    (void)state;
    EsentHostResetCounters();
    EsentHostFailNth(ESENT_HOST_FAULT_READ, 4, 1);
    assert_false(os_fault_point(ESENT_HOST_FAULT_READ));
    EsentHostResetCounters();
    assert_int_equal(EsentHostCountPoints(ESENT_HOST_FAULT_READ), 0);
    assert_false(os_fault_point(ESENT_HOST_FAULT_READ));
    assert_false(os_fault_point(ESENT_HOST_FAULT_READ));
    assert_true(os_fault_point(ESENT_HOST_FAULT_READ));
    assert_false(os_fault_point(ESENT_HOST_FAULT_READ));
}

static void faults_that_never_end_stay_armed(void **state)
{
    (void)state;
    EsentHostResetCounters();
    EsentHostFailNth(ESENT_HOST_FAULT_READ, 2, UINT64_MAX); /* more than can be counted: for ever */
    assert_false(os_fault_point(ESENT_HOST_FAULT_READ));
    assert_true(os_fault_point(ESENT_HOST_FAULT_READ));
    EsentHostResetCounters();
    for (int i = 0; i < 5; i++)
        assert_true(os_fault_point(ESENT_HOST_FAULT_READ)); /* in the middle of the failures */
    assert_int_equal(EsentHostCountFailures(ESENT_HOST_FAULT_READ), 5);
    EsentHostFailNth(ESENT_HOST_FAULT_READ, 1, 1);
    assert_true(os_fault_point(ESENT_HOST_FAULT_READ));
    EsentHostResetCounters(); /* what is over stays over */
    assert_false(os_fault_point(ESENT_HOST_FAULT_READ));
    assert_false(os_fault_point(ESENT_HOST_FAULT_READ));
}

static void fault_names_go_both_ways(void **state)
{
    (void)state;
    for (int kind = 0; kind < ESENT_HOST_FAULT_COUNT; kind++)
        assert_int_equal(EsentHostFaultFromName(EsentHostFaultName((enum ESENT_HOST_FAULT)kind)), kind);
    assert_int_equal(EsentHostFaultFromName("nonsense"), ESENT_HOST_FAULT_COUNT);
}

/* ---- text */

static void every_code_point_survives(void **state)
{
    (void)state;
    for (uint32_t code = 1; code <= 0x10ffff; code += code < 0x3000 ? 1 : 97) {
        uint16_t wide[3];
        size_t units = 1;
        if (code >= 0xd800 && code <= 0xdfff)
            continue;
        wide[0] = (uint16_t)code;
        if (code >= 0x10000) {
            wide[0] = (uint16_t)(0xd800 + ((code - 0x10000) >> 10));
            wide[1] = (uint16_t)(0xdc00 + (code & 0x3ff));
            units = 2;
        }
        char narrow[8];
        uint16_t back[4];
        size_t bytes = 0;
        size_t back_units = 0;
        assert_int_equal(os_utf16_to_utf8(wide, units, narrow, sizeof narrow, &bytes), JET_errSuccess);
        assert_true(os_utf8_is_valid(narrow, bytes));
        assert_int_equal(os_utf8_to_utf16(narrow, bytes, back, 4, &back_units), JET_errSuccess);
        assert_int_equal(back_units, units);
        assert_memory_equal(back, wide, units * 2);
    }
}

static void malformed_text_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"\x80",
                                      "\xc0\x80",
                                      "\xc1\xbf",
                                      "\xe0\x80\x80",
                                      "\xed\xa0\x80",
                                      "\xf4\x90\x80\x80",
                                      "\xf5\x80\x80\x80",
                                      "\xc3",
                                      "\xe2\x82",
                                      "\xf0\x9f\x98",
                                      "a\xff",
                                      "\xc3(",
                                      "\xe2(\xa1"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        uint16_t wide[16];
        assert_false(os_utf8_is_valid(bad[i], strlen(bad[i])));
        assert_int_equal(os_utf8_to_utf16(bad[i], strlen(bad[i]), wide, 16, NULL), JET_errInvalidParameter);
    }
    static const uint16_t lone[][2] = {{0xd800, 'a'}, {0xdc00, 'a'}, {0xdbff, 0xd800}, {0xd800, 0xe000}};
    for (size_t i = 0; i < sizeof lone / sizeof lone[0]; i++) {
        char narrow[16];
        assert_int_equal(os_utf16_to_utf8(lone[i], 2, narrow, sizeof narrow, NULL), JET_errInvalidParameter);
    }
    char narrow[16];
    uint16_t half = 0xd83d;
    assert_int_equal(os_utf16_to_utf8(&half, 1, narrow, sizeof narrow, NULL), JET_errInvalidParameter);
}

static void small_buffers_are_not_overrun(void **state)
{
    (void)state;
    const char *text = "a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"; /* 1 + 1 + 1 + 2 units */
    size_t needed = 0;
    assert_int_equal(os_utf8_to_utf16(text, strlen(text), NULL, 0, &needed), JET_errSuccess);
    assert_int_equal(needed, 5);
    for (size_t size = 1; size <= 8; size++) {
        uint16_t *wide = malloc(size * 2);
        JET_ERR expected = size > 5 ? JET_errSuccess : JET_errBufferTooSmall;
        assert_int_equal(os_utf8_to_utf16(text, strlen(text), wide, size, NULL), expected);
        free(wide);
    }
    uint16_t *wide = NULL;
    char *narrow = NULL;
    assert_int_equal(os_utf8_to_utf16_new(text, &wide), JET_errSuccess);
    assert_int_equal(os_utf16_length(wide), 5);
    assert_int_equal(os_utf16_length_limited(wide, 3), 3);
    assert_int_equal(os_utf16_to_utf8_new(wide, &narrow), JET_errSuccess);
    assert_string_equal(narrow, text);
    for (size_t size = 1; size <= 12; size++) {
        char *copy = malloc(size);
        JET_ERR expected = size > 10 ? JET_errSuccess : JET_errBufferTooSmall;
        assert_int_equal(os_utf16_to_utf8(wide, 5, copy, size, NULL), expected);
        free(copy);
    }
    os_free(wide);
    os_free(narrow);
    assert_int_equal(os_utf8_to_utf16_new(NULL, &wide), JET_errSuccess);
    assert_null(wide);
    assert_int_equal(os_utf16_to_utf8_new(NULL, &narrow), JET_errSuccess);
    assert_null(narrow);
    uint16_t unit;
    char byte;
    assert_int_equal(os_utf8_to_utf16("", 0, &unit, 0, NULL), JET_errBufferTooSmall);
    assert_int_equal(os_utf16_to_utf8(&unit, 0, &byte, 0, NULL), JET_errBufferTooSmall);
    assert_int_equal(os_text_copy("", &byte, 0), JET_errBufferTooSmall);
}

static void converted_text_needs_memory_and_sense(void **state)
{
    (void)state;
    static const uint16_t half[] = {'a', 0xdc00, 0};
    static const uint16_t whole[] = {'a', 0};
    uint16_t *wide = NULL;
    char *narrow = NULL;
    assert_int_equal(os_utf8_to_utf16_new("a\xff", &wide), JET_errInvalidParameter);
    assert_int_equal(os_utf16_to_utf8_new(half, &narrow), JET_errInvalidParameter);
    EsentHostFailNth(ESENT_HOST_FAULT_ALLOCATE, 1, 2);
    assert_int_equal(os_utf8_to_utf16_new("a", &wide), JET_errOutOfMemory);
    assert_int_equal(os_utf16_to_utf8_new(whole, &narrow), JET_errOutOfMemory);
    assert_null(wide);
    assert_null(narrow);
}

static void names_compare_without_case(void **state)
{
    (void)state;
    assert_true(os_text_equal_ascii_case("MSysObjects", "msysOBJECTS"));
    assert_false(os_text_equal_ascii_case("a", "ab"));
    assert_true(os_text_compare_ascii_case("a", "B") < 0);
    assert_true(os_text_compare_ascii_case("a", "_") < 0); /* by upper case */
    assert_true(os_text_compare_ascii_case("{", "Z") > 0);
    assert_true(os_text_compare_ascii_case("\xc3\xa9", "z") > 0);
    char copy[4];
    assert_int_equal(os_text_copy("abc", copy, 4), JET_errSuccess);
    assert_int_equal(os_text_copy("abcd", copy, 4), JET_errBufferTooSmall);
    assert_string_equal(copy, "");
}

/* ---- paths */

static void check_full(const char *path, const char *expected)
{
    char full[OS_PATH_SIZE];
    assert_int_equal(os_path_full(path, full, sizeof full), JET_errSuccess);
    assert_string_equal(full, expected);
}

static void paths_become_absolute_and_plain(void **state)
{
    (void)state;
    assert_int_equal(EsentHostSetDirectory("/base/dir"), JET_errSuccess);
    check_full("a.edb", "/base/dir/a.edb");
    check_full("./x/../a.edb", "/base/dir/a.edb");
    check_full("sub\\log\\", "/base/dir/sub/log");
    check_full("../../../../x", "/x");
    check_full("/", "/");
    check_full("//a///b//", "/a/b");
    check_full("..", "/base");
    check_full(".", "/base/dir");
    check_full("Z:\\dev\\shm\\a.edb", "Z:/dev/shm/a.edb");
    check_full("Z:\\..\\..", "Z:/");
    check_full("...", "/base/dir/...");
    char full[OS_PATH_SIZE];
    char longer[OS_PATH_SIZE + 10];
    memset(longer, 'x', sizeof longer);
    longer[sizeof longer - 1] = 0;
    assert_int_equal(os_path_full(longer, full, sizeof full), JET_errInvalidPath);
    assert_int_equal(os_path_full("", full, sizeof full), JET_errInvalidPath);
    assert_int_equal(os_path_full(NULL, full, sizeof full), JET_errInvalidPath);
    assert_true(os_path_equal("a", "/base/dir/./a"));
    assert_false(os_path_equal("a", "A"));
    assert_false(os_path_equal("", ""));
    assert_false(os_path_equal("a", ""));
    check_full(".x", "/base/dir/.x");
    check_full("..x", "/base/dir/..x");
    check_full("{:x", "/base/dir/{:x");
    assert_int_equal(os_path_full("a", full, 7), JET_errInvalidPath);
    assert_int_equal(os_path_full("a", full, 8), JET_errInvalidPath); /* not even the directory fits */
    assert_false(os_path_ends_with_separator(""));
    assert_int_equal(EsentHostSetDirectory(NULL), JET_errSuccess);
}

static void paths_come_apart(void **state)
{
    (void)state;
    char text[OS_PATH_SIZE];
    assert_string_equal(os_path_file_name("/a/b.edb"), "b.edb");
    assert_string_equal(os_path_file_name("b.edb"), "b.edb");
    assert_string_equal(os_path_file_name("Z:b.edb"), "b.edb");
    assert_string_equal(os_path_file_name("a\\b/"), "");
    assert_string_equal(os_path_extension("/a.x/b"), "");
    assert_string_equal(os_path_extension("/a.x/b.y.edb"), ".edb");
    static const char *const pairs[][2] = {{"/a/b", "/a"}, {"/a", "/"},   {"a", "."},
                                           {"a/b", "a"},   {"a//b", "a"}, {"Z:\\x", "Z:\\"}};
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        assert_int_equal(os_path_directory(pairs[i][0], text, sizeof text), JET_errSuccess);
        assert_string_equal(text, pairs[i][1]);
    }
    assert_int_equal(os_path_join("/a/", "b", text, sizeof text), JET_errSuccess);
    assert_string_equal(text, "/a/b");
    assert_int_equal(os_path_join("a", "b", text, sizeof text), JET_errSuccess);
    assert_string_equal(text, "a/b");
    assert_int_equal(os_path_join("", "b", text, sizeof text), JET_errSuccess);
    assert_string_equal(text, "b");
    assert_int_equal(os_path_join("abc", "def", text, 7), JET_errInvalidPath);
    assert_int_equal(os_path_directory("/abc/def", text, 4), JET_errInvalidPath);
    assert_int_equal(os_path_directory("abc", text, 1), JET_errInvalidPath);
}

/* ---- clock and random */

static void log_times_go_both_ways(void **state)
{
    (void)state;
    struct log_time time = os_log_time_from_clock(INT64_C(951782399987)); /* 2000-02-28 23:59:59.987 */
    assert_int_equal(time.year, 100);
    assert_int_equal(time.month, 2);
    assert_int_equal(time.day, 28);
    assert_int_equal(time.hours, 23);
    assert_int_equal(time.seconds, 59);
    assert_int_equal(time.milliseconds1 & 1, 1);
    for (int64_t at = -INT64_C(2208988800000); at < INT64_C(5869583999999); at += INT64_C(7777777777)) {
        time = os_log_time_from_clock(at);
        assert_int_equal(os_log_time_to_clock(&time), at);
    }
    struct log_time nothing = {0};
    assert_int_equal(os_log_time_to_clock(&nothing), 0);
    nothing.month = 3;
    assert_int_equal(os_log_time_to_clock(&nothing), 0); /* no day */
    assert_int_equal(os_clock_to_file_time(0), INT64_C(116444736000000000));
    assert_true(os_clock_to_date(86400000) == 25570.0);
}

static void simulated_time_moves_by_sleeping(void **state)
{
    (void)state;
    assert_int_equal(EsentHostSetClock(1000), JET_errSuccess);
    assert_int_equal(os_clock_now(), 1000);
    os_sleep(250);
    EsentHostAdvanceClock(50);
    assert_int_equal(os_clock_now(), 1300);
    assert_int_equal(EsentHostGetClock(), 1300);
    assert_int_equal(os_clock_ticks(), 300);
    assert_int_equal(EsentHostSetClock(-1), JET_errSuccess);
    assert_true(os_clock_now() > INT64_C(1600000000000));
}

static void a_seed_gives_the_same_numbers(void **state)
{
    (void)state;
    uint32_t first[8];
    assert_int_equal(EsentHostSetRandomSeed(5), JET_errSuccess);
    for (size_t i = 0; i < 8; i++)
        first[i] = os_random_32();
    assert_int_equal(EsentHostSetRandomSeed(5), JET_errSuccess);
    for (size_t i = 0; i < 8; i++)
        assert_int_equal(os_random_32(), first[i]);
    uint32_t seen = 0;
    for (size_t i = 0; i < 200; i++)
        seen |= 1u << os_random_below(7);
    assert_int_equal(seen, 0x7f);
    assert_int_equal(EsentHostSetRandomSeed(0), JET_errSuccess);
    assert_true(os_random_64() != os_random_64());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_bit_is_not_zero),
        cmocka_unit_test(memory_counts_and_frees),
        cmocka_unit_test(memory_refuses_impossible_sizes),
        cmocka_unit_test(failed_reallocation_keeps_the_block),
        cmocka_unit_test(leaks_are_reported_with_their_place),
        cmocka_unit_test(a_program_brings_its_allocator),
        cmocka_unit_test(the_nth_point_fails),
        cmocka_unit_test(counters_restart_and_faults_stay_armed),
        cmocka_unit_test(faults_that_never_end_stay_armed),
        cmocka_unit_test(fault_names_go_both_ways),
        cmocka_unit_test(every_code_point_survives),
        cmocka_unit_test(malformed_text_is_refused),
        cmocka_unit_test(small_buffers_are_not_overrun),
        cmocka_unit_test(converted_text_needs_memory_and_sense),
        cmocka_unit_test(names_compare_without_case),
        cmocka_unit_test(paths_become_absolute_and_plain),
        cmocka_unit_test(paths_come_apart),
        cmocka_unit_test(log_times_go_both_ways),
        cmocka_unit_test(simulated_time_moves_by_sleeping),
        cmocka_unit_test(a_seed_gives_the_same_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
