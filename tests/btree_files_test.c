/* Trees of databases that the real engine wrote: every tree's invariants and space hold, cursors walk it both
 * ways and find each node again; and new nodes, splits and deletes keep it in order. The files lie in
 * `../shared` beside the checkout (or where ESENT_SHARED says); without them the test says so and is skipped.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "include/esent_host.h"
#include "src/btree/btree_change.h"
#include "src/btree/btree_check.h"
#include "src/btree/btree_cursor.h"
#include "src/btree/space.h"

static const char *const sets[] = {
    "clean-4096",   "clean-16384",     "clean-32768", "types-4096",   "deep-index-8192",  "deleted-4096",
    "indexes-8192", "sequential-4096", "tables-8192", "unicode-8192", "multivalues-4096", "compressed-8192",
};

static char copy_path[64];

static bool unpack(const char *set)
{
    char command[2048];
    const char *shared = getenv("ESENT_SHARED");

    snprintf(command, sizeof command,
             "f='%s/golden/files/%s/a.edb'; test -e $f || f=$f.gz; gzip -dcf $f > %s 2>/dev/null",
             shared != NULL ? shared : "../shared", set, copy_path);
    return system(command) == 0;
}

static struct cache *cache;
static struct database *database;
static struct tree_registry *registry;
static uint64_t nodes_seen;
static uint32_t trees_seen;

static void open_file(void)
{
    const struct cache_config config = {500};

    assert_int_equal(cache_create(&config, &cache), JET_errSuccess);
    assert_int_equal(database_allocate(cache, NULL, 1, copy_path, &database), JET_errSuccess);
    assert_int_equal(database_open_file(database, false), JET_errSuccess);
    assert_int_equal(tree_registry_create(&registry), JET_errSuccess);
}

static void close_file(void)
{
    tree_registry_free(registry);
    cache_purge_database(database);
    database_free(database);
    cache_destroy(cache);
}

/* Copies the bookmarks of all nodes, walking forward; walks back; seeks each. */
static void walk(struct tree *tree, uint64_t expected)
{
    struct btree_cursor *cursor = NULL;
    struct bookmark *marks = calloc((size_t)expected + 1, sizeof *marks);
    uint64_t count = 0;

    assert_int_equal(btree_cursor_open(tree, &cursor), JET_errSuccess);
    JET_ERR err = btree_cursor_first(cursor, LATCH_SHARED);
    for (; err >= JET_errSuccess; err = btree_cursor_next(cursor)) {
        struct node_view view;

        assert_int_equal(btree_cursor_node(cursor, &view), JET_errSuccess);
        assert_true(count < expected);
        uint8_t *key = malloc(view.key.size + 1);
        uint8_t *data = malloc(view.data.size + 1);
        memcpy(key, view.key.bytes, view.key.size);
        memcpy(data, view.data.bytes, view.data.size);
        marks[count++] =
            (struct bookmark){span_of(key, view.key.size), span_of(data, tree->unique ? 0 : view.data.size)};
    }
    assert_true(err == JET_errNoCurrentRecord || err == JET_errRecordNotFound);
    assert_int_equal(count, expected);
    err = btree_cursor_last(cursor, LATCH_SHARED);
    for (uint64_t i = count; i > 0; i--, err = btree_cursor_previous(cursor)) {
        struct node_view view;

        assert_int_equal(err, JET_errSuccess);
        assert_int_equal(btree_cursor_node(cursor, &view), JET_errSuccess);
        assert_int_equal(span_compare(view.key, marks[i - 1].key), 0);
    }
    for (uint64_t i = 0; i < count; i++) {
        enum seek_place place = SEEK_EMPTY;

        assert_int_equal(btree_cursor_seek(cursor, &marks[i], LATCH_SHARED, &place), JET_errSuccess);
        assert_int_equal(place, SEEK_EQUAL);
        btree_cursor_release(cursor);
        free((void *)(uintptr_t)marks[i].key.bytes);
        free((void *)(uintptr_t)marks[i].data.bytes);
    }
    free(marks);
    btree_cursor_close(cursor);
}

/* Every root page that is not of a space tree. Roots of deleted trees may lie about; those own pages no more.
 */
static void check_trees(const char *set, bool change)
{
    for (page_number number = 1; number <= database->page_last; number++) {
        struct latch latch = LATCH_INIT;
        struct tree *tree = NULL;
        struct tree_report report;

        if (cache_latch(database, number, LATCH_SHARED, LATCH_ZERO_OK, &latch) < JET_errSuccess)
            continue;
        bool root = !page_is_zero(&latch.page) && page_is_root(&latch.page) &&
                    !page_has_flag(&latch.page, PAGE_SPACE_TREE) && page_header(&latch.page)->tree != 0;
        cache_unlatch(&latch);
        if (!root)
            continue;
        assert_int_equal(tree_open(registry, database, number, &tree), JET_errSuccess);
        JET_ERR err = btree_check_space(tree, &report);
        if (err < JET_errSuccess)
            print_error("%s: tree %u: page %u: %s\n", set, number, report.where,
                        report.problem != NULL ? report.problem : "unreadable");
        assert_int_equal(err, JET_errSuccess);
        trees_seen++;
        nodes_seen += report.nodes;
        walk(tree, report.nodes);
        if (change && tree->unique && number != ROOT_PAGE_DATABASE) {
            struct btree_actor actor = {.process = 1, .level = 1, .begin0 = 4};
            uint8_t data[200] = {1};

            for (uint32_t i = 0; i < 300; i++) {
                uint8_t key[6] = {(uint8_t)(i * 37), (uint8_t)(i >> 3), 0xee,
                                  (uint8_t)i,        (uint8_t)(i >> 8), 7};

                err = btree_insert(tree, &actor, span_of(key, 6), span_of(data, 1 + i % sizeof data));
                assert_true(err == JET_errSuccess || err == JET_errKeyDuplicate);
            }
            err = btree_check_space(tree, &report);
            if (err < JET_errSuccess)
                print_error("%s: tree %u after changes: page %u: %s\n", set, number, report.where,
                            report.problem != NULL ? report.problem : "unreadable");
            assert_int_equal(err, JET_errSuccess);
        }
        tree_close(tree);
    }
}

static void test_engine_trees(void **state)
{
    (void)state;
    if (!unpack(sets[0])) {
        print_message("no files of the real engine in ../shared: skipped\n");
        skip();
    }
    for (size_t i = 0; i < sizeof sets / sizeof sets[0]; i++) {
        if (!unpack(sets[i])) {
            print_message("%s is not there\n", sets[i]);
            continue;
        }
        open_file();
        check_trees(sets[i], false);
        check_trees(sets[i], true);
        close_file();
    }
    print_message("%u trees, %llu nodes\n", trees_seen, (unsigned long long)nodes_seen);
    assert_true(trees_seen > 100);
}

static int set_up(void **state)
{
    (void)state;
    snprintf(copy_path, sizeof copy_path, "/tmp/btree-files-%d.edb", (int)getpid());
    return EsentHostUsePosixFiles();
}

static int tear_down(void **state)
{
    (void)state;
    char report[500] = "";

    unlink(copy_path);
    const size_t left = EsentHostReset(report, sizeof report);
    if (left != 0)
        print_error("%s\n", report);
    return left == 0 ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_engine_trees, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
