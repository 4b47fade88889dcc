/* The page cache on files in memory: small budgets, latches, write-back, faults, range locks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "include/esent_host.h"
#include "src/cache/cache.h"
#include "src/log/log.h"
#include "src/os/memory.h"
#include "src/os/thread.h"
#include "src/page/checksum.h"
#include "src/page/node.h"

static struct cache *cache;
static struct database *database;

static struct log_position at(uint16_t byte)
{
    return (struct log_position){byte, 1, 1};
}

static void open_new(uint32_t pages_max, uint32_t page_size, page_number pages)
{
    const struct cache_config config = {pages_max};
    struct database_header header;
    struct signature signature = {.random = 5};
    assert_int_equal(cache_create(&config, &cache), JET_errSuccess);
    assert_int_equal(database_allocate(cache, NULL, 1, "/a.edb", &database), JET_errSuccess);
    database_header_init(&header, page_size, &signature);
    assert_int_equal(database_create_file(database, &header, pages, true), JET_errSuccess);
}

static void reopen(uint32_t pages_max)
{
    const struct cache_config config = {pages_max};
    database_free(database);
    cache_destroy(cache);
    assert_int_equal(cache_create(&config, &cache), JET_errSuccess);
    assert_int_equal(database_allocate(cache, NULL, 1, "/a.edb", &database), JET_errSuccess);
    assert_int_equal(database_open_file(database, false), JET_errSuccess);
}

/* Damages the file, which nobody else may open while the database is. */
static void damage(uint64_t offset, uint8_t mask)
{
    database_close_file(database);
    assert_int_equal(EsentHostFileCorrupt("/a.edb", offset, mask), JET_errSuccess);
    assert_int_equal(database_open_file(database, false), JET_errSuccess);
}

static int set_up(void **state)
{
    (void)state;
    return EsentHostUseMemoryFiles();
}

static int tear_down(void **state)
{
    (void)state;
    char report[500] = "";
    EsentHostFailNone();
    database_free(database);
    cache_destroy(cache);
    database = NULL;
    cache = NULL;
    const size_t left = EsentHostReset(report, sizeof report);
    if (left != 0)
        print_error("%s\n", report);
    return left == 0 ? 0 : -1;
}

static void format(page_number number, uint32_t value)
{
    struct latch latch;
    assert_int_equal(cache_latch_new(database, number, &latch), JET_errSuccess);
    page_format(&latch.page, 9, PAGE_LEAF, 1);
    const uint8_t key = 1;
    const struct node node = {.key = key_of(&key, 1), .data = span_of(&value, sizeof value)};
    node_insert(&latch.page, 0, &node, 0);
    cache_set_dirty(&latch, database_next_dbtime(database), at(1), at(1));
    cache_unlatch(&latch);
}

static uint32_t value_of(const struct latch *latch)
{
    uint32_t value;
    const struct node node = node_get(&latch->page, 0);
    memcpy(&value, node.data.bytes, sizeof value);
    return value;
}

static JET_ERR change(page_number number, uint32_t value)
{
    struct latch latch;
    const JET_ERR err = cache_latch(database, number, LATCH_EXCLUSIVE, 0, &latch);
    if (err < JET_errSuccess)
        return err;
    node_replace_data(&latch.page, 0, span_of(&value, sizeof value));
    cache_set_dirty(&latch, database_next_dbtime(database), at(2), at(2));
    cache_unlatch(&latch);
    return err;
}

static void assert_value(page_number number, uint32_t value)
{
    struct latch latch;
    assert_int_equal(cache_latch(database, number, LATCH_SHARED, 0, &latch), JET_errSuccess);
    assert_int_equal(value_of(&latch), value);
    cache_unlatch(&latch);
}

static void small_budgets_hold(void **state)
{
    (void)state;
    static const uint32_t budgets[] = {4, 5, 17, 1000};
    static const uint32_t sizes[] = {2048, 4096, 8192, 16384, 32768};
    for (size_t b = 0; b < 4; b++) {
        for (size_t s = 0; s < 5; s++) {
            uint32_t values[201];
            uint32_t seed = 7;
            open_new(budgets[b], sizes[s], 200);
            for (page_number n = 1; n <= 200; n++)
                format(n, values[n] = n);
            for (int i = 0; i < 1000; i++) {
                seed = seed * 1664525u + 1013904223u;
                const page_number n = 1 + (seed >> 8) % 200;
                if (seed >> 30 == 0)
                    assert_value(n, values[n]);
                else
                    assert_int_equal(change(n, values[n] = seed), JET_errSuccess);
            }
            struct cache_statistics statistics;
            cache_get_statistics(cache, &statistics);
            assert_true(statistics.pages <= budgets[b]);
            assert_int_equal(cache_flush_database(database), JET_errSuccess);
            assert_int_equal(log_position_compare(cache_oldest_modification(cache, NULL), LOG_POSITION_MAX),
                             0);
            assert_int_equal(database_write_header(database), JET_errSuccess);
            reopen(4);
            assert_int_equal(database->page_size, sizes[s]);
            assert_int_equal(atomic_load(&database->page_last), 200);
            for (page_number n = 1; n <= 200; n++)
                assert_value(n, values[n]);
            tear_down(NULL);
        }
    }
}

static void latches_exclude(void **state)
{
    (void)state;
    struct latch a, b, c;
    open_new(10, 4096, 10);
    format(3, 1);
    assert_int_equal(cache_latch(database, 3, LATCH_SHARED, 0, &a), JET_errSuccess);
    assert_int_equal(cache_latch(database, 3, LATCH_INTENT, LATCH_NO_WAIT, &b), JET_errSuccess);
    assert_int_equal(cache_latch(database, 3, LATCH_INTENT, LATCH_NO_WAIT, &c), CACHE_ERR_CONFLICT);
    assert_false(latch_is_held(&c));
    assert_int_equal(cache_latch(database, 3, LATCH_EXCLUSIVE, LATCH_NO_WAIT, &c), CACHE_ERR_CONFLICT);
    assert_false(cache_try_upgrade(&b));
    assert_false(cache_try_upgrade(&a));
    cache_unlatch(&a);
    cache_upgrade(&b);
    assert_int_equal(cache_latch(database, 3, LATCH_SHARED, LATCH_NO_WAIT, &a), CACHE_ERR_CONFLICT);
    cache_downgrade(&b, LATCH_SHARED);
    assert_int_equal(cache_latch(database, 3, LATCH_SHARED, LATCH_NO_WAIT, &a), JET_errSuccess);
    cache_unlatch(&a);
    assert_true(cache_try_upgrade(&b));
    cache_unlatch(&b);
    cache_unlatch(&b);
    assert_int_equal(cache_latch(database, 5, LATCH_SHARED, LATCH_CACHED_ONLY, &a), CACHE_ERR_CONFLICT);
}

static void more_latches_than_budget(void **state)
{
    (void)state;
    struct latch latches[40];
    open_new(4, 4096, 100);
    for (page_number n = 1; n <= 40; n++)
        format(n, n);
    for (page_number n = 1; n <= 40; n++)
        assert_int_equal(cache_latch(database, n, LATCH_EXCLUSIVE, 0, &latches[n - 1]), JET_errSuccess);
    for (page_number n = 1; n <= 40; n++)
        cache_unlatch(&latches[n - 1]);
    for (page_number n = 41; n <= 50; n++)
        format(n, n);
    struct cache_statistics statistics;
    cache_get_statistics(cache, &statistics);
    assert_true(statistics.pages <= 4);
}

static void bad_pages_are_told(void **state)
{
    (void)state;
    struct latch latch;
    open_new(10, 4096, 10);
    format(3, 1);
    format(4, 1);
    assert_int_equal(cache_flush_database(database), JET_errSuccess);
    cache_purge_database(database);
    assert_int_equal(cache_latch(database, 5, LATCH_SHARED, 0, &latch), JET_errPageNotInitialized);
    assert_int_equal(cache_latch(database, 11, LATCH_SHARED, 0, &latch), JET_errFileIOBeyondEOF);
    assert_int_equal(cache_latch(database, 0, LATCH_SHARED, 0, &latch), JET_errFileIOBeyondEOF);
    assert_int_equal(cache_latch(database, 5, LATCH_SHARED, LATCH_ZERO_OK, &latch), JET_errSuccess);
    assert_true(page_is_zero(&latch.page));
    cache_unlatch(&latch);
    assert_int_equal(cache_latch(database, 5, LATCH_SHARED, 0, &latch), JET_errPageNotInitialized);
    assert_int_equal(cache_latch(database, 11, LATCH_SHARED, LATCH_ZERO_OK, &latch), JET_errSuccess);
    cache_unlatch(&latch);
    /* One wrong bit is put right, two are not. */
    damage(page_file_offset(3, 4096) + 100, 0x10);
    damage(page_file_offset(4, 4096) + 100, 0x11);
    assert_value(3, 1);
    assert_int_equal(cache_latch(database, 4, LATCH_SHARED, 0, &latch), JET_errReadVerifyFailure);
    assert_int_equal(cache_flush_database(database), JET_errSuccess);
    uint8_t raw[4096];
    cache_lock_range(database, 3, 5);
    assert_int_equal(cache_read_raw(database, 3, 1, raw), JET_errSuccess);
    assert_int_equal(cache_read_raw(database, 4, 1, raw), JET_errReadVerifyFailure);
    assert_int_equal(cache_read_raw(database, 5, 1, raw), JET_errSuccess);
    /* A page in another's place. */
    assert_int_equal(cache_read_raw(database, 3, 1, raw), JET_errSuccess);
    cache_unlock_range(database);
    assert_int_equal(os_file_write(database->file, page_file_offset(4, 4096), raw, 4096), JET_errSuccess);
    assert_int_equal(cache_latch(database, 4, LATCH_SHARED, 0, &latch), JET_errReadVerifyFailure);
}

static void the_oldest_modification_is_kept_until_synced(void **state)
{
    (void)state;
    struct latch latch;
    open_new(10, 4096, 10);
    format(3, 1);
    assert_int_equal(cache_oldest_modification(cache, NULL).byte, 1);
    assert_int_equal(change(3, 5), JET_errSuccess);
    assert_int_equal(cache_oldest_modification(cache, database).byte, 1);
    assert_int_equal(cache_flush_page(database, 3), JET_errSuccess);
    assert_int_equal(cache_oldest_modification(cache, database).byte, 1);
    assert_int_equal(change(3, 6), JET_errSuccess);
    assert_int_equal(cache_flush_before(cache, at(1)), JET_errSuccess);
    assert_int_equal(cache_oldest_modification(cache, database).byte, 2);
    EsentHostFailNth(ESENT_HOST_FAULT_SYNC, 1, 1);
    assert_int_equal(cache_flush_before(cache, at(3)), JET_errDiskIO);
    assert_int_equal(cache_oldest_modification(cache, database).byte, 2);
    assert_int_equal(cache_flush_before(cache, at(3)), JET_errSuccess);
    assert_int_equal(cache_oldest_modification(cache, database).generation, LOG_POSITION_MAX.generation);
    (void)latch;
}

/* A page goes to disk behind the latest of the records that it was marked dirty with: a change's own, or the
 * one of what takes it back. */
static void the_log_is_written_before_the_page(void **state)
{
    (void)state;
    const struct log_settings settings = {.log_directory = "/l/",
                                          .system_directory = "/l/",
                                          .base_name = "edb",
                                          .legacy_extensions = true,
                                          .enabled = true,
                                          .file_size = 16 * LOG_SECTOR_SIZE,
                                          .page_size = 4096};
    struct log *log = NULL;
    open_new(10, 4096, 10);
    assert_int_equal(EsentHostDirectoryCreate("/l"), JET_errSuccess);
    assert_int_equal(log_create(&settings, &log), JET_errSuccess);
    assert_int_equal(log_start_new(log), JET_errSuccess);
    database->logged = true;
    database->log = log;
    for (page_number number = 3; number <= 4; number++) {
        struct log_position positions[2];
        struct latch latch;
        for (int i = 0; i < 2; i++) {
            struct log_record_trace record = {.type = LOG_RECORD_TRACE};
            assert_int_equal(log_append_record(log, &record, sizeof record, &positions[i]), JET_errSuccess);
            if (i == 0) /* a flush takes all that was appended: only what comes later is left for the page */
                assert_int_equal(log_flush(log, positions[0]), JET_errSuccess);
        }
        const bool in_order = number == 3;
        assert_int_equal(cache_latch_new(database, number, &latch), JET_errSuccess);
        page_format(&latch.page, 9, PAGE_LEAF, 1);
        cache_set_dirty(&latch, 8, positions[0], positions[!in_order]);
        cache_set_dirty(&latch, 9, positions[0], positions[in_order]);
        cache_unlatch(&latch);
        assert_false(log_is_durable(log, positions[1]));
        assert_int_equal(cache_flush_page(database, number), JET_errSuccess);
        assert_true(log_is_durable(log, positions[1]));
    }
    database->log = NULL;
    assert_int_equal(log_stop(log), JET_errSuccess);
    log_destroy(log);
}

/* Every allocation and I/O fails once: nothing is lost but what the call was told. */
static void faults_change_nothing(void **state)
{
    (void)state;
    for (int kind = 0; kind < 4; kind++) {
        static const enum ESENT_HOST_FAULT kinds[] = {ESENT_HOST_FAULT_ALLOCATE, ESENT_HOST_FAULT_READ,
                                                      ESENT_HOST_FAULT_WRITE, ESENT_HOST_FAULT_SHORT_WRITE};
        for (uint64_t nth = 1; nth < 200; nth += 3) {
            uint32_t values[31];
            open_new(4, 4096, 40);
            for (page_number n = 1; n <= 30; n++)
                format(n, values[n] = n);
            EsentHostFailNth(kinds[kind], nth, 3);
            for (uint32_t i = 0; i < 200; i++) {
                const page_number n = 1 + i * 7 % 30;
                if (change(n, i) >= JET_errSuccess)
                    values[n] = i;
            }
            EsentHostFailNone();
            assert_int_equal(cache_flush_database(database), JET_errSuccess);
            for (page_number n = 1; n <= 30; n++)
                assert_value(n, values[n]);
            tear_down(NULL);
        }
    }
}

static void the_header_survives_either_copy(void **state)
{
    (void)state;
    for (uint32_t size = 2048; size <= 32768; size *= 2) {
        open_new(4, size, 4);
        database->header.full_previous.generation_low = 77;
        assert_int_equal(database_write_header(database), JET_errSuccess);
        for (int copy = 0; copy < 2; copy++) {
            damage((uint64_t)copy * size + 10, 0xff);
            reopen(4);
            assert_int_equal(database->header.full_previous.generation_low, 77);
            assert_int_equal(database->page_size, size);
        }
        database_close_file(database);
        assert_int_equal(EsentHostFileCorrupt("/a.edb", 10, 0xff), JET_errSuccess);
        assert_int_equal(EsentHostFileCorrupt("/a.edb", size + 10, 0xff), JET_errSuccess);
        assert_int_equal(database_open_file(database, false), JET_errReadVerifyFailure);
        tear_down(NULL);
    }
}

/* --- threads --- */

static void hammer(void *context)
{
    uint32_t seed = *(uint32_t *)context;
    for (int i = 0; i < 3000; i++) {
        seed = seed * 1664525u + 1013904223u;
        const page_number n = 1 + (seed >> 8) % 20;
        struct latch latch;
        switch (seed >> 29) {
        case 0:
        case 1:
        case 2:
            assert_int_equal(cache_latch(database, n, LATCH_SHARED, 0, &latch), JET_errSuccess);
            (void)value_of(&latch);
            cache_unlatch(&latch);
            break;
        case 3:
            assert_int_equal(cache_latch(database, n, LATCH_INTENT, 0, &latch), JET_errSuccess);
            cache_upgrade(&latch);
            cache_set_dirty(&latch, 9, at(1), at(1));
            cache_downgrade(&latch, LATCH_SHARED);
            cache_unlatch(&latch);
            break;
        case 4:
            assert_int_equal(cache_flush_page(database, n), JET_errSuccess);
            break;
        default: {
            assert_int_equal(cache_latch(database, n, LATCH_EXCLUSIVE, 0, &latch), JET_errSuccess);
            const uint32_t value = value_of(&latch) + 1;
            node_replace_data(&latch.page, 0, span_of(&value, sizeof value));
            cache_set_dirty(&latch, 10, at(1), at(1));
            cache_unlatch(&latch);
            (*(uint32_t *)context)++;
        }
        }
        if (i % 500 == 0) {
            assert_int_equal(cache_flush_before(cache, at(5)), JET_errSuccess);
            (void)cache_oldest_modification(cache, NULL);
        }
    }
}

static void threads_lose_no_change(void **state)
{
    (void)state;
    struct os_thread *threads[4];
    uint32_t contexts[4];
    open_new(6, 4096, 30);
    for (page_number n = 1; n <= 20; n++)
        format(n, 0);
    for (uint32_t i = 0; i < 4; i++) {
        contexts[i] = 1000 * (i + 1);
        assert_int_equal(os_thread_create(hammer, &contexts[i], &threads[i]), JET_errSuccess);
    }
    uint8_t raw[4 * 4096];
    for (uint32_t i = 0; i < 50; i++) {
        const page_number first = 1 + i % 16;
        cache_lock_range(database, first, first + 3);
        assert_int_equal(cache_read_raw(database, first, 4, raw), JET_errSuccess);
        cache_unlock_range(database);
    }
    uint32_t expected = 0, sum = 0;
    for (uint32_t i = 0; i < 4; i++) {
        os_thread_join(threads[i]);
        expected += contexts[i] - 1000 * (i + 1);
    }
    for (page_number n = 1; n <= 20; n++) {
        struct latch latch;
        assert_int_equal(cache_latch(database, n, LATCH_SHARED, 0, &latch), JET_errSuccess);
        sum += value_of(&latch);
        cache_unlatch(&latch);
    }
    assert_int_equal(sum, expected);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(small_budgets_hold),
        CASE(latches_exclude),
        CASE(more_latches_than_budget),
        CASE(bad_pages_are_told),
        CASE(the_oldest_modification_is_kept_until_synced),
        CASE(the_log_is_written_before_the_page),
        CASE(faults_change_nothing),
        CASE(the_header_survives_either_copy),
        CASE(threads_lose_no_change),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
