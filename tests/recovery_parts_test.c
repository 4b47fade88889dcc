/* Parts of recovery by themselves: images of pages in records, where databases are looked for, and what a
 * call-back hears of progress. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "include/esent_host.h"
#include "src/log/log_reader_internal.h"
#include "src/log/records.h"
#include "src/os/path.h"
#include "src/page/node.h"
#include "src/recovery/recovery_internal.h"
#include "src/recovery/restore.h"

#define OK(call) assert_int_equal((call), JET_errSuccess)
#define IS(call, code) assert_int_equal((call), (code))

static struct recovery_options options;
static struct recovery recovery;

static int begin(void **state)
{
    (void)state;
    memset(&options, 0, sizeof options);
    memset(&recovery, 0, sizeof recovery);
    recovery.options = &options;
    return EsentHostUseMemoryFiles();
}

static int end(void **state)
{
    (void)state;
    return EsentHostReset(NULL, 0) == 0 ? 0 : -1;
}

/* ---- images */

enum { PAGE = 4096 };

/* "Compressed": a byte that says what comes of it, and the rest as it is. */
static JET_ERR expand(const uint8_t *data, uint32_t size, uint8_t *out, uint32_t capacity, uint32_t *actual)
{
    if (data[0] != 'c' || size - 1 > capacity)
        return JET_errDecompressionFailed;
    memcpy(out, data + 1, size - 1);
    *actual = size - 1;
    return JET_errSuccess;
}

static void images_are_expanded(void **state)
{
    static uint8_t whole[PAGE];
    static uint8_t small[PAGE + 1];
    static uint8_t packed[PAGE + 2] = {'c'};
    static uint8_t out[2 * PAGE];
    struct page page = {whole, PAGE, 7};
    (void)state;
    options.decompress = expand;
    page_format(&page, 9, PAGE_LEAF, 5);
    for (uint32_t line = 0; line < 3; line++) {
        const struct node node = {key_of(&"abc"[line], 1), span_of("data", 4), 0};
        node_insert(&page, line, &node, 0);
    }
    OK(recovery_expand_image(&recovery, whole, PAGE, 0, PAGE, out));
    assert_memory_equal(out, whole, PAGE);
    IS(recovery_expand_image(&recovery, whole, PAGE - 1, 0, PAGE, out), JET_errLogCorrupted);
    /* without what is free: lines in front, tags behind */
    const size_t tags = (page_line_count(&page) + 1) * sizeof(struct page_tag);
    const size_t lines = PAGE - page_free_bytes(&page) - tags;
    memcpy(small, whole, lines);
    memcpy(small + lines, whole + PAGE - tags, tags);
    struct page_header *header = (struct page_header *)small;
    header->free_bytes = 0;
    memset(out, 'o', sizeof out); /* what is free is zero, whatever was there */
    OK(recovery_expand_image(&recovery, small, lines + tags, LOG_PREIMAGE_DEHYDRATED, PAGE, out));
    assert_memory_equal(out, whole, PAGE);
    const size_t bad_sizes[] = {PAGE + 1, page_header_size(PAGE) - 1, page_header_size(PAGE) + tags - 1};
    for (size_t i = 0; i < 3; i++)
        IS(recovery_expand_image(&recovery, small, bad_sizes[i], LOG_PREIMAGE_DEHYDRATED, PAGE, out),
           JET_errLogCorrupted);
    /* compressed, and what is no such thing */
    memcpy(packed + 1, small, lines + tags);
    const uint32_t both = LOG_PREIMAGE_DEHYDRATED | LOG_PREIMAGE_XPRESS;
    OK(recovery_expand_image(&recovery, packed, lines + tags + 1, both, PAGE, out));
    assert_memory_equal(out, whole, PAGE);
    IS(recovery_expand_image(&recovery, packed, lines + tags + 1, LOG_PREIMAGE_XPRESS, PAGE, out),
       JET_errLogCorrupted);
    packed[0] = 'x';
    IS(recovery_expand_image(&recovery, packed, lines + tags + 1, both, PAGE, out), JET_errLogCorrupted);
    /* nothing in it but the tag of what every page has */
    page_format(&page, 9, PAGE_LEAF, 5);
    const size_t head = page_header_size(PAGE);
    memcpy(small, whole, head);
    memcpy(small + head, whole + PAGE - sizeof(struct page_tag), sizeof(struct page_tag));
    header->free_bytes = 0;
    OK(recovery_expand_image(&recovery, small, head + sizeof(struct page_tag), LOG_PREIMAGE_DEHYDRATED, PAGE,
                             out));
    assert_memory_equal(out, whole, PAGE);
}

/* ---- paths */

static void databases_are_looked_for(void **state)
{
    static const struct recovery_map_entry map = {"/logged/a.edb", "/there/b.edb"};
    static char alternate[OS_PATH_SIZE];
    static char long_name[OS_PATH_SIZE];
    char path[OS_PATH_SIZE];
    bool skip = true;
    bool exists = true;
    (void)state;
    OK(EsentHostDirectoryCreate("/folder"));
    OK(EsentHostFileWrite("/file", 0, "x", 1));
    OK(recovery_path_exists("/folder", true, &exists));
    assert_true(exists);
    OK(recovery_path_exists("/folder", false, &exists));
    assert_false(exists);
    OK(recovery_path_exists("/file", true, &exists));
    assert_false(exists);
    OK(recovery_path_exists("/neither", false, &exists));
    assert_false(exists);

    OK(recovery_map_path(&recovery, "/logged/a.edb", true, path, sizeof path, &skip));
    assert_string_equal(path, "/logged/a.edb");
    assert_false(skip);
    options.alternate_directory = "";
    OK(recovery_map_path(&recovery, "/logged/a.edb", true, path, sizeof path, &skip));
    assert_string_equal(path, "/logged/a.edb");
    options.alternate_directory = "/other";
    OK(recovery_map_path(&recovery, "/logged/a.edb", true, path, sizeof path, &skip));
    assert_string_equal(path, "/other/a.edb");
    memset(alternate, 'd', 200);
    memset(long_name, 'n', sizeof long_name - 10);
    alternate[0] = long_name[0] = '/';
    options.alternate_directory = alternate;
    assert_true(recovery_map_path(&recovery, long_name, true, path, sizeof path, &skip) < JET_errSuccess);
    options.alternate_directory = NULL;

    options.map = &map;
    options.map_count = 1;
    OK(recovery_map_path(&recovery, "/LOGGED/A.edb", true, path, sizeof path, &skip));
    assert_string_equal(path, "/there/b.edb");
    assert_false(skip);
    OK(recovery_map_path(&recovery, "/logged/c.edb", true, path, sizeof path, &skip));
    assert_true(skip);
    options.grbit = JET_bitReplayMissingMapEntryDB;
    OK(recovery_map_path(&recovery, "/logged/c.edb", true, path, sizeof path, &skip));
    assert_false(skip);
    /* a restore takes what its list has, and without one what turns up in the logs */
    recovery.hard = recovery.external = true;
    OK(recovery_map_path(&recovery, "/logged/c.edb", false, path, sizeof path, &skip));
    assert_true(skip);
    options.map_count = 0;
    OK(recovery_map_path(&recovery, "/logged/c.edb", true, path, sizeof path, &skip));
    assert_true(skip);
    OK(recovery_map_path(&recovery, "/logged/c.edb", false, path, sizeof path, &skip));
    assert_false(skip);
}

/* ---- progress */

static uint32_t heard[200];
static JET_SNT heard_what[200];
static size_t heard_count;

static JET_ERR JET_API hear(JET_SESID session, JET_SNP snp, JET_SNT snt, void *data)
{
    const JET_SNPROG *progress = data;
    (void)session;
    assert_int_equal(snp, JET_snpRestore);
    assert_int_equal(progress->cunitTotal, 100);
    heard[heard_count] = progress->cunitDone;
    heard_what[heard_count++] = snt;
    return JET_errSuccess;
}

static void progress_is_told(void **state)
{
    (void)state;
    recovery_progress_begin(&recovery, 1, 5); /* nobody hears of it */
    recovery_progress_database(&recovery, 1);
    recovery_progress_next_file(&recovery);
    recovery_progress_sector(&recovery, 9);
    recovery_progress_end(&recovery, true);
    options.status = hear;
    recovery.hard = true;
    heard_count = 0;
    recovery_progress_begin(&recovery, 1, 100);
    recovery_progress_database(&recovery, 2);
    recovery_progress_database(&recovery, 2); /* each copy counts as some generations: 10 % together */
    recovery_progress_sector(&recovery, 9);   /* so many generations are not told apart further */
    for (int i = 0; i < 101; i++)
        recovery_progress_next_file(&recovery);
    recovery_progress_end(&recovery, false);
    assert_int_equal(heard_what[0], JET_sntBegin);
    assert_int_equal(heard[1], 4);
    for (size_t i = 2; i + 1 < heard_count; i++) {
        assert_int_equal(heard_what[i], JET_sntProgress);
        assert_true(heard[i] > heard[i - 1] && heard[i] <= 100);
    }
    assert_int_equal(heard_what[heard_count - 1], JET_sntFail);
    assert_int_equal(heard[heard_count - 1], 100);
    /* few generations, and nobody knows how many databases: one copy is worth one */
    heard_count = 0;
    recovery_progress_begin(&recovery, 7, 7);
    recovery_progress_database(&recovery, 0);
    recovery_progress_end(&recovery, true);
    assert_int_equal(heard_count, 3);
    assert_int_equal(heard[1], 50);
    assert_int_equal(heard_what[2], JET_sntComplete);
}

/* What is heard of two generations of 32 sectors, of which redo begins in the ninth; and from how many
 * generations on sectors do not matter. */
static void sectors_count_where_generations_are_few(void **state)
{
    static const uint32_t expected[] = {0, 15, 50, 53, 100};
    static const uint32_t most[] = {65, 59}; /* of a start, of a restore */
    struct log_file_reader reader = {.header.file_sectors = 32};
    (void)state;
    options.status = hear;
    recovery.reader = &reader;
    heard_count = 0;
    recovery_progress_begin(&recovery, 4, 5);
    recovery.progress.sector = 8;
    recovery_progress_sector(&recovery, 8);
    recovery_progress_sector(&recovery, 10);
    recovery_progress_sector(&recovery, 10);
    recovery_progress_next_file(&recovery);
    recovery_progress_sector(&recovery, 2);
    recovery_progress_end(&recovery, true);
    assert_int_equal(heard_count, sizeof expected / sizeof expected[0]);
    assert_memory_equal(heard, expected, sizeof expected);
    for (int hard = 0; hard < 2; hard++) {
        recovery.hard = hard;
        for (uint32_t more = 0; more < 2; more++) {
            heard_count = 0;
            recovery_progress_begin(&recovery, 1, (int32_t)(most[hard] + more));
            recovery_progress_sector(&recovery, 31);
            recovery_progress_sector(&recovery, 32);
            assert_int_equal(heard_count, more == 0 ? 2 : 1);
            recovery_progress_end(&recovery, true);
        }
    }
}

/* ---- a log that was never started */

static void nothing_ends_that_was_not_begun(void **state)
{
    const struct log_settings settings = {
        .log_directory = "/", .system_directory = "/", .base_name = "edb", .enabled = true};
    struct database_set set;
    struct log *log = NULL;
    (void)state;
    OK(log_create(&settings, &log));
    database_set_init(&set, log, NULL, NULL);
    assert_null(database_set_get(&set, 1));
    assert_null(database_set_get(&set, DATABASE_ID_MAX + 1));
    OK(recovery_term(&set, true));
    OK(recovery_term(&set, false));
    assert_false(log_started(log));
    database_set_done(&set);
    log_destroy(log);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(images_are_expanded, begin, end),
        cmocka_unit_test_setup_teardown(databases_are_looked_for, begin, end),
        cmocka_unit_test_setup_teardown(progress_is_told, begin, end),
        cmocka_unit_test_setup_teardown(sectors_count_where_generations_are_few, begin, end),
        cmocka_unit_test_setup_teardown(nothing_ends_that_was_not_begun, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
