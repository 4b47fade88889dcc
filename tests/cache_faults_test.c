/* Databases' files that cannot be made, opened, grown or written, and pages that are not where they should
 * be: the cache says so, keeps what it has, and goes on when the disk does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "include/esent_host.h"
#include "src/cache/cache.h"
#include "src/os/file.h"
#include "src/os/memory.h"
#include "src/page/checksum.h"
#include "src/page/node.h"

#define PAGES 30u

static struct cache *cache;
static struct database *first;
static struct database *second;

static int set_up(void **state)
{
    const struct cache_config config = {50};
    (void)state;
    assert_int_equal(EsentHostUseMemoryFiles(), JET_errSuccess);
    assert_int_equal(cache_create(&config, &cache), JET_errSuccess);
    assert_int_equal(database_allocate(cache, NULL, 1, "/a.edb", &first), JET_errSuccess);
    assert_int_equal(database_allocate(cache, NULL, 2, "/b.edb", &second), JET_errSuccess);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    EsentHostFailNone();
    cache_purge_database(first);
    cache_purge_database(second);
    database_free(first);
    database_free(second);
    cache_destroy(cache);
    return EsentHostReset(NULL, 0) == 0 ? 0 : -1;
}

static JET_ERR create(struct database *database, uint32_t page_size, bool overwrite)
{
    struct database_header header;
    const struct signature signature = {.random = 5};
    database_header_init(&header, page_size, &signature);
    return database_create_file(database, &header, PAGES, overwrite);
}

static void change(struct database *database, page_number number, uint16_t position)
{
    struct latch latch;
    const struct log_position at = {position, 1, 1};
    assert_int_equal(cache_latch_new(database, number, &latch), JET_errSuccess);
    page_format(&latch.page, 9, PAGE_LEAF, 1);
    const struct node node = {key_of("key", 3), span_of("data", 4), 0};
    node_insert(&latch.page, 0, &node, 0);
    cache_set_dirty(&latch, database_next_dbtime(database), at, at);
    cache_unlatch(&latch);
}

static uint32_t dirty_pages(void)
{
    struct cache_statistics statistics;
    cache_get_statistics(cache, &statistics);
    return statistics.dirty;
}

/* ---- files */

static JET_ERR create_first(void)
{
    return create(first, 4096, true);
}
static JET_ERR open_first(void)
{
    return database_open_file(first, false);
}
static JET_ERR grow_first(void)
{
    return database_extend(first, PAGES + 20);
}
static JET_ERR write_header(void)
{
    return database_write_header(first);
}

static void each_step_of_a_file_can_fail(void **state)
{
    static const struct {
        JET_ERR (*step)(void);
        bool opens;
    } steps[] = {{create_first, true}, {open_first, true}, {grow_first, false}, {write_header, false}};
    static const struct {
        enum ESENT_HOST_FAULT kind;
        JET_ERR err;
    } kinds[] = {{ESENT_HOST_FAULT_ALLOCATE, JET_errOutOfMemory}, {ESENT_HOST_FAULT_IO, JET_errDiskIO}};
    (void)state;
    assert_int_equal(create_first(), JET_errSuccess);
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        for (size_t k = 0; k < 2; k++) {
            JET_ERR err = JET_errDiskIO;
            for (uint64_t nth = 1; err != JET_errSuccess; nth++) {
                if (steps[i].opens) {
                    database_close_file(first);
                    if (!os_file_exists("/a.edb")) { /* a failed creation takes it away */
                        assert_ptr_equal(steps[i].step, create_first);
                        assert_int_equal(create_first(), JET_errSuccess);
                        database_close_file(first);
                    }
                    /* one copy of the header is bad: opening mends it */
                    assert_int_equal(EsentHostFileWrite("/a.edb", 300, "spoiled", 7), JET_errSuccess);
                }
                EsentHostFailNth(kinds[k].kind, nth, 1);
                err = steps[i].step();
                EsentHostFailNone();
                assert_true(err == JET_errSuccess || err == kinds[k].err);
                if (steps[i].opens)
                    assert_int_equal(first->file != NULL, err == JET_errSuccess);
                assert_true(nth < 30);
            }
        }
    }
    assert_int_equal(atomic_load(&first->page_last), PAGES + 20);
}

static void files_are_there_or_not(void **state)
{
    struct os_file *held = NULL;
    (void)state;
    assert_int_equal(database_open_file(first, false), JET_errFileNotFound);
    assert_int_equal(create(first, 4096, false), JET_errSuccess);
    database_close_file(first);
    assert_int_equal(create(first, 4096, false), JET_errDatabaseDuplicate);
    assert_true(os_file_exists("/a.edb")); /* which is left alone */
    assert_int_equal(os_file_open("/a.edb", OS_OPEN_READ, OS_SHARE_READ, &held), JET_errSuccess);
    assert_int_equal(create(first, 4096, true), JET_errFileAccessDenied);
    assert_int_equal(database_open_file(first, false), JET_errFileAccessDenied);
    assert_int_equal(database_open_file(first, true), JET_errSuccess);
    os_file_close(held);
    assert_int_equal(database_write_header(first), JET_errDatabaseFileReadOnly);
    database_close_file(first);
    /* read-only: a bad copy of the header is not mended */
    assert_int_equal(EsentHostFileCorrupt("/a.edb", 300, 1), JET_errSuccess);
    uint64_t before = EsentHostFilesHash();
    assert_int_equal(database_open_file(first, true), JET_errSuccess);
    assert_true(EsentHostFilesHash() == before);
    database_close_file(first);
    /* what is no database */
    uint8_t page[8192];
    const struct signature signature = {.random = 5};
    struct database_header header;
    database_header_init(&header, 4096, &signature);
    header.file_type = FILE_TYPE_LOG;
    database_header_to_page(&header, page, 4096);
    memcpy(page + 4096, page, 4096);
    assert_int_equal(EsentHostFileWrite("/a.edb", 0, page, sizeof page), JET_errSuccess);
    assert_int_equal(database_open_file(first, false), JET_errFileInvalidType);
    header.file_type = FILE_TYPE_DATABASE;
    database_header_to_page(&header, page, 4096);
    assert_int_equal(EsentHostFileWrite("/a.edb", 0, page, 4096), JET_errSuccess);
    assert_int_equal(EsentHostFileSetSize("/a.edb", 4096), JET_errSuccess); /* a header alone */
    assert_int_equal(database_open_file(first, true), JET_errSuccess);
    assert_int_equal(atomic_load(&first->page_last), 0);
}

static void growth_has_limits(void **state)
{
    (void)state;
    assert_int_equal(create_first(), JET_errSuccess);
    assert_int_equal(database_extend(first, 5), JET_errSuccess); /* it is larger */
    assert_int_equal(atomic_load(&first->page_last), PAGES);
    first->pages_max = 40;
    assert_int_equal(database_extend(first, 41), JET_errOutOfDatabaseSpace);
    assert_int_equal(database_extend(first, 40), JET_errSuccess);
    first->pages_max = 0;
    assert_int_equal(database_extend(first, UINT32_MAX), JET_errOutOfDatabaseSpace);
    EsentHostFailNth(ESENT_HOST_FAULT_DISK_FULL, 1, 1);
    assert_int_equal(database_extend(first, 50), JET_errDiskFull);
    assert_int_equal(atomic_load(&first->page_last), 40);
    database_raise_dbtime(first, 1000);
    database_raise_dbtime(first, 500);
    assert_int_equal(database_next_dbtime(first), 1001);
    database_raise_object_id(first, 70);
    database_raise_object_id(first, 60);
    assert_int_equal(database_next_object_id(first), 71);
}

/* ---- pages */

static void failed_writes_are_made_again(void **state)
{
    static const enum ESENT_HOST_FAULT kinds[] = {ESENT_HOST_FAULT_WRITE, ESENT_HOST_FAULT_SYNC};
    (void)state;
    assert_int_equal(create(first, 4096, true), JET_errSuccess);
    assert_int_equal(create(second, 8192, true), JET_errSuccess);
    for (size_t k = 0; k < 2; k++) {
        for (int way = 0; way < 3; way++) {
            for (uint16_t i = 0; i < 5; i++) {
                change(first, 3 + i, (uint16_t)(10 + i));
                change(second, 3 + i, (uint16_t)(20 + i));
            }
            EsentHostFailNth(kinds[k], 1, 0); /* all of them */
            const struct log_position limit = {100, 1, 1};
            JET_ERR err = way == 0   ? cache_flush_database(first)
                          : way == 1 ? cache_flush_before(cache, limit)
                                     : cache_flush_page(first, 3);
            EsentHostFailNone();
            assert_int_equal(err, way == 2 && k == 1 ? JET_errSuccess
                                                     : JET_errDiskIO); /* one page is not synced */
            if (k == 0)
                assert_int_equal(dirty_pages(), 10);
            /* nothing is known to be on disk yet */
            assert_int_equal(cache_oldest_modification(cache, first).byte, 10);
            assert_int_equal(cache_oldest_modification(cache, second).byte, 20);
            assert_int_equal(cache_oldest_modification(cache, NULL).byte, 10);
            assert_int_equal(cache_flush_before(cache, limit), JET_errSuccess);
            assert_int_equal(dirty_pages(), 0);
            assert_int_equal(log_position_compare(cache_oldest_modification(cache, NULL), LOG_POSITION_MAX),
                             0);
        }
    }
    assert_int_equal(cache_flush_page(first, 3), JET_errSuccess);  /* clean */
    assert_int_equal(cache_flush_page(first, 20), JET_errSuccess); /* not there */
    assert_int_equal(cache_flush_database(first), JET_errSuccess); /* nothing to do */
    const struct log_position early = {5, 1, 1};
    change(first, 4, 10);
    assert_int_equal(cache_flush_before(cache, early), JET_errSuccess); /* is too new for it */
    assert_int_equal(dirty_pages(), 1);
    /* a page of zeros is written as it is */
    struct latch latch;
    assert_int_equal(cache_latch_new(first, 9, &latch), JET_errSuccess);
    cache_set_dirty(&latch, DBTIME_NULL, early, early);
    assert_int_equal(cache_oldest_modification(cache, second).byte,
                     LOG_POSITION_MAX.byte); /* not its latch */
    cache_unlatch(&latch);
    assert_int_equal(cache_flush_page(first, 9), JET_errSuccess);
    cache_purge_from(first, 9);
    assert_int_equal(cache_latch(first, 9, LATCH_SHARED, 0, &latch), JET_errPageNotInitialized);
    database_close_file(first);
    assert_int_equal(cache_latch(first, 20, LATCH_SHARED, 0, &latch), JET_errFileIOBeyondEOF);
    assert_int_equal(cache_flush_page(first, 4), JET_errDiskIO);
    assert_int_equal(cache_flush_database(first), JET_errDiskIO);
    assert_int_equal(cache_flush_before(cache, LOG_POSITION_MAX), JET_errDiskIO);
}

/* While a range is locked, what the cache must make room for is found elsewhere. */
static void locked_ranges_are_not_written(void **state)
{
    (void)state;
    assert_int_equal(create(first, 4096, true), JET_errSuccess);
    cache_set_size(cache, 4);
    for (page_number number = 1; number <= 4; number++)
        change(first, number, 10);
    cache_lock_range(first, 1, 20);
    for (page_number number = 5; number <= 10; number++)
        change(first, number, 10);
    struct cache_statistics statistics;
    cache_get_statistics(cache, &statistics);
    assert_int_equal(statistics.writes, 0);
    assert_int_equal(statistics.dirty, 10);
    cache_unlock_range(first);
    change(first, 11, 10);
    change(first, 12, 10);
    cache_get_statistics(cache, &statistics);
    assert_true(statistics.writes > 0);
    assert_int_equal(cache_flush_database(first), JET_errSuccess);
}

static void raw_pages_are_verified(void **state)
{
    static uint8_t bytes[4 * 16384];
    struct latch latch;
    (void)state;
    first->file = NULL;
    assert_int_equal(cache_read_raw(first, 1, 1, bytes), JET_errFileIOBeyondEOF);
    assert_int_equal(create(first, 16384, true), JET_errSuccess);
    change(first, 2, 10);
    change(first, 3, 10);
    assert_int_equal(cache_flush_database(first), JET_errSuccess);
    cache_purge_database(first);
    cache_lock_range(first, 1, 10);
    assert_int_equal(cache_read_raw(first, 1, 4, bytes), JET_errSuccess); /* zeros are fine */
    EsentHostFailNth(ESENT_HOST_FAULT_READ, 1, 1);
    assert_int_equal(cache_read_raw(first, 1, 4, bytes), JET_errDiskIO);
    /* page 3 in the place of page 2, with a checksum for it, but its own number */
    struct page page = {bytes, 16384, 2};
    struct page other = {bytes + 16384, 16384, 3};
    assert_int_equal(cache_read_raw(first, 2, 2, bytes), JET_errSuccess);
    memcpy(page.data, other.data, 16384);
    checksum_page_set(&page);
    database_close_file(first);
    assert_int_equal(EsentHostFileWrite("/a.edb", page_file_offset(2, 16384), bytes, 16384), JET_errSuccess);
    assert_int_equal(database_open_file(first, false), JET_errSuccess);
    assert_int_equal(cache_read_raw(first, 2, 1, bytes), JET_errReadPgnoVerifyFailure);
    assert_int_equal(cache_latch(first, 2, LATCH_SHARED, 0, &latch), JET_errReadPgnoVerifyFailure);
    assert_int_equal(cache_latch(first, 3, LATCH_SHARED, 0, &latch), JET_errSuccess);
    cache_unlatch(&latch);
    /* one wrong bit is put right, on disk only where that may be written */
    database_close_file(first);
    cache_purge_database(first);
    assert_int_equal(EsentHostFileCorrupt("/a.edb", page_file_offset(3, 16384) + 9000, 4), JET_errSuccess);
    assert_int_equal(database_open_file(first, true), JET_errSuccess);
    assert_int_equal(cache_latch(first, 3, LATCH_SHARED, 0, &latch), JET_errSuccess);
    cache_unlatch(&latch);
    assert_int_equal(dirty_pages(), 0);
    cache_unlock_range(first);
    database_close_file(first);
    cache_purge_database(first);
    assert_int_equal(database_open_file(first, false), JET_errSuccess);
    assert_int_equal(cache_latch(first, 3, LATCH_SHARED, 0, &latch), JET_errSuccess);
    cache_unlatch(&latch);
    assert_int_equal(dirty_pages(), 1);
    assert_int_equal(cache_latch(first, 0, LATCH_SHARED, 0, &latch), JET_errFileIOBeyondEOF);
    assert_int_equal(cache_latch(first, 500, LATCH_SHARED, 0, &latch), JET_errFileIOBeyondEOF);
    assert_int_equal(cache_latch(first, 20, LATCH_SHARED, 0, &latch), JET_errPageNotInitialized);
    assert_int_equal(cache_latch(first, 20, LATCH_SHARED, LATCH_ZERO_OK, &latch), JET_errSuccess);
    cache_unlatch(&latch);
    assert_int_equal(cache_latch(first, 20, LATCH_SHARED, 0, &latch), JET_errPageNotInitialized);
    assert_int_equal(cache_flush_database(first), JET_errSuccess);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_step_of_a_file_can_fail, set_up, tear_down),
        cmocka_unit_test_setup_teardown(files_are_there_or_not, set_up, tear_down),
        cmocka_unit_test_setup_teardown(growth_has_limits, set_up, tear_down),
        cmocka_unit_test_setup_teardown(failed_writes_are_made_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(locked_ranges_are_not_written, set_up, tear_down),
        cmocka_unit_test_setup_teardown(raw_pages_are_verified, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
