/* Several threads in one tree: inserts, replaces, deletes, walks both ways, clean-up at the same time. Run
 * under the thread sanitizer it shows races; everywhere it shows deadlocks and broken trees. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "include/esent_host.h"
#include "src/btree/btree_check.h"
#include "src/btree/space.h"
#include "src/os/thread.h"
#include "src/version/version.h"
#include "src/version/versioned_cursor.h"

#define THREADS 4

static struct cache *cache;
static struct database *database;
static struct tree_registry *registry;
static struct version_store *store;
static page_number root;
static int rounds;

struct worker {
    struct os_thread *thread;
    uint16_t number;
    uint64_t random_state;
    uint32_t inserted; /* own keys that are there at the end */
    uint32_t deleted;
};

static uint32_t random_below(struct worker *worker, uint32_t limit)
{
    worker->random_state = worker->random_state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(worker->random_state >> 33) % limit;
}

static struct span make_key(uint32_t number, uint8_t *key)
{
    key[0] = (uint8_t)(number * 41);
    key[1] = (uint8_t)(number >> 8);
    key[2] = (uint8_t)number;
    memset(key + 3, 'k', number % 9);
    return span_of(key, 3 + number % 9);
}

static void walk(struct versioned_cursor *cursor, bool forward)
{
    uint8_t last[64] = {0};
    size_t last_size = 0;
    struct node_view view;
    JET_ERR err = forward ? versioned_cursor_first(cursor) : versioned_cursor_last(cursor);

    for (int i = 0; err == JET_errSuccess && i < 300; i++) {
        err = versioned_cursor_get(cursor, &view);
        if (err == JET_errSuccess) {
            int order = span_compare(view.key, span_of(last, last_size));

            ASSERT(i == 0 || (forward ? order > 0 : order < 0));
            ASSERT(view.data.size > 0 && view.data.bytes[0] == view.data.bytes[view.data.size - 1]);
            memcpy(last, view.key.bytes, view.key.size);
            last_size = view.key.size;
        }
        versioned_cursor_release(cursor);
        err = forward ? versioned_cursor_next(cursor) : versioned_cursor_previous(cursor);
    }
    ASSERT(err == JET_errSuccess || err == JET_errNoCurrentRecord);
}

static void change(struct worker *worker, struct transaction *transaction, struct versioned_cursor *cursor)
{
    uint8_t key[64];
    uint8_t data[400];
    uint32_t number = random_below(worker, 3000);
    bool keep = random_below(worker, 4) != 0;

    memset(data, (int)number, sizeof data);
    JET_ERR err = transaction_begin(transaction, false);
    ASSERT(err == JET_errSuccess);
    switch (random_below(worker, 3)) {
    case 0:
        err = versioned_cursor_insert(cursor, make_key(number, key), span_of(data, 1 + number % 300), 0);
        ASSERT(err == JET_errSuccess || err == JET_errKeyDuplicate);
        break;
    case 1:
        err = versioned_cursor_seek(cursor, make_key(number, key), VERSIONED_SEEK_EQ);
        if (err == JET_errSuccess)
            err = versioned_cursor_replace(cursor, span_of(data, 1 + random_below(worker, 400)));
        ASSERT(err == JET_errSuccess || err == JET_errRecordNotFound || err == JET_errWriteConflict);
        break;
    default:
        err = versioned_cursor_seek(cursor, make_key(number, key), VERSIONED_SEEK_EQ);
        if (err == JET_errSuccess)
            err = versioned_cursor_delete(cursor);
        ASSERT(err == JET_errSuccess || err == JET_errRecordNotFound || err == JET_errWriteConflict);
        break;
    }
    err = keep ? transaction_commit(transaction, true) : transaction_rollback(transaction);
    ASSERT(err == JET_errSuccess);
}

static void work(void *context)
{
    struct worker *worker = context;
    struct transaction transaction;
    struct versioned_cursor *cursor = NULL;
    JET_ERR err = transaction_init(&transaction, store, worker->number);

    ASSERT(err == JET_errSuccess);
    err = versioned_cursor_open(&transaction, database, root, &cursor);
    ASSERT(err == JET_errSuccess);
    for (int i = 0; i < rounds; i++) {
        if (i % 50 == worker->number)
            walk(cursor, i % 100 < 50);
        if (i % 200 == 0)
            (void)version_store_clean(store, NULL);
        change(worker, &transaction, cursor);
    }
    versioned_cursor_close(cursor);
    transaction_done(&transaction);
    (void)err;
}

static void run_threads(uint32_t page_size, uint64_t seed)
{
    const struct cache_config config = {100};
    struct database_header header;
    struct signature signature = {.random = 5};
    struct btree_actor actor = {.process = 1, .level = 1, .begin0 = 4};
    struct tree_design design = {.parent = ROOT_PAGE_DATABASE, .pages = 1, .unique = true};
    struct worker workers[THREADS] = {{0}};
    object_id object = 0;
    struct tree *tree = NULL;
    struct tree_report report;

    assert_int_equal(cache_create(&config, &cache), JET_errSuccess);
    assert_int_equal(database_allocate(cache, NULL, 1, "/a.edb", &database), JET_errSuccess);
    database_header_init(&header, page_size, &signature);
    assert_int_equal(database_create_file(database, &header, 254, true), JET_errSuccess);
    assert_int_equal(tree_registry_create(&registry), JET_errSuccess);
    assert_int_equal(space_create_database(registry, database, &actor, 254), JET_errSuccess);
    struct version_store_options options = {.trees = registry, .bytes_most = 10000000};
    assert_int_equal(version_store_create(&options, &store), JET_errSuccess);
    assert_int_equal(space_create_tree(registry, database, &actor, &design, &root, &object), JET_errSuccess);
    for (uint16_t i = 0; i < THREADS; i++) {
        workers[i].number = (uint16_t)(i + 1);
        workers[i].random_state = seed * THREADS + i;
        assert_int_equal(os_thread_create(work, &workers[i], &workers[i].thread), JET_errSuccess);
    }
    for (int i = 0; i < THREADS; i++)
        os_thread_join(workers[i].thread);
    assert_int_equal(version_store_clean(store, NULL), JET_errSuccess);
    assert_int_equal(tree_open(registry, database, root, &tree), JET_errSuccess);
    JET_ERR err = btree_check_space(tree, &report);
    if (report.problem != NULL)
        print_error("page %u: %s\n", report.where, report.problem);
    assert_int_equal(err, JET_errSuccess);
    tree_close(tree);
    version_store_free(store);
    tree_registry_free(registry);
    cache_purge_database(database);
    database_free(database);
    cache_destroy(cache);
}

static void test_threads(void **state)
{
    (void)state;
    rounds = 1500;
    run_threads(4096, 0);
}

/* The same under the simulated scheduler: many orders of the threads' steps, each of which can be repeated.
 */
static void test_simulated(void **state)
{
    (void)state;
    const char *many = getenv("SEEDS");
    uint64_t seeds = many != NULL ? strtoull(many, NULL, 10) : 30;

    for (uint64_t seed = 1; seed <= seeds; seed++) {
        struct ESENT_HOST_SIMULATION simulation = {.seed = seed, .scheduler = ESENT_HOST_SCHEDULE_RANDOM};

        assert_int_equal(EsentHostReset(NULL, 0), 0);
        assert_int_equal(EsentHostUseMemoryFiles(), JET_errSuccess);
        assert_int_equal(EsentHostUseSimulation(&simulation), JET_errSuccess);
        rounds = 120;
        run_threads(2048, seed);
    }
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
    const size_t left = EsentHostReset(report, sizeof report);

    if (left != 0)
        print_error("%s\n", report);
    return left == 0 ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_threads, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_simulated, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
