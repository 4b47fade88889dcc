/* What trees look like after inserts at a hot point, appends, and deletes: how many pages they keep. */
#include <stdio.h>

#include "tests/version_world.h"

#define VALUE_SIZE 100

static char value[VALUE_SIZE + 1];

static void insert_key(const char *format, unsigned number)
{
    char key[20];
    (void)snprintf(key, sizeof(key), format, number);
    begin(0);
    assert_int_equal(insert(0, key, value), JET_errSuccess);
    commit(0);
}

static void delete_key(const char *format, unsigned number)
{
    char key[20];
    (void)snprintf(key, sizeof(key), format, number);
    begin(0);
    assert_int_equal(seek(0, key), JET_errSuccess);
    assert_int_equal(versioned_cursor_delete(cursors[0]), JET_errSuccess);
    commit(0);
}

static struct tree_report report_tree(void)
{
    struct tree *tree = NULL;
    struct tree_report report;
    assert_int_equal(tree_open(registry, database, root, &tree), JET_errSuccess);
    assert_int_equal(btree_check_space(tree, &report), JET_errSuccess);
    tree_close(tree);
    return report;
}

static int set_up_value(void **state)
{
    memset(value, 'v', VALUE_SIZE);
    return set_up(state);
}

/* Rows that come in order in front of others: pages fill up instead of being cut in half again and again. */
static void test_hot_point_fills_pages(void **state)
{
    (void)state;
    open_world(4096, true);
    for (unsigned i = 0; i < 60; i++) /* the tree's end: two leaves */
        insert_key("z%04u", i);
    for (unsigned i = 0; i < 600; i++)
        insert_key("m%04u", i);
    struct tree_report report = report_tree();
    /* A row takes about 115 bytes: 36 of them fill a page. Cut in half each time, pages would hold 18. */
    assert_int_equal(report.nodes, 660);
    assert_true(report.pages <= 660 / 30 + 3);
    close_world();
}

/* Appended pages keep the room that the density says; a density of 100 keeps none. */
static void test_density_of_appends(void **state)
{
    (void)state;
    uint32_t pages[2];
    for (int dense = 0; dense < 2; dense++) {
        open_world(4096, true);
        versioned_cursor_set_density(cursors[0], dense ? 100 : 50);
        for (unsigned i = 0; i < 600; i++)
            insert_key("a%04u", i);
        pages[dense] = report_tree().pages;
        close_world();
    }
    assert_true(pages[0] > pages[1] * 3 / 2);
}

/* Every other row of a tree goes, and then more: what is left moves together. */
static void test_leaves_merge(void **state)
{
    (void)state;
    open_world(4096, true);
    for (unsigned i = 0; i < 600; i++)
        insert_key("a%04u", i);
    uint32_t before = report_tree().pages;
    for (unsigned i = 0; i < 600; i++) {
        if (i % 5 != 0)
            delete_key("a%04u", i);
    }
    assert_int_equal(version_store_clean(store, NULL), JET_errSuccess);
    struct tree_report report = report_tree();
    assert_int_equal(report.nodes, 120);
    assert_true(report.pages <= before / 2);
    for (unsigned i = 0; i < 600; i += 5) {
        char key[20];
        (void)snprintf(key, sizeof(key), "a%04u", i);
        assert_data(0, key, value);
    }
    close_world();
}

/* A deleted node that a snapshot still sees keeps its leaf where it is. */
static void test_seen_nodes_stay(void **state)
{
    (void)state;
    open_world(4096, true);
    for (unsigned i = 0; i < 200; i++)
        insert_key("a%04u", i);
    uint32_t before = report_tree().pages;
    begin(1);
    for (unsigned i = 0; i < 199; i++)
        delete_key("a%04u", i);
    (void)version_store_clean(store, NULL);
    assert_int_equal(report_tree().pages, before);
    assert_data(1, "a0007", value);
    commit(1);
    assert_int_equal(version_store_clean(store, NULL), JET_errSuccess);
    assert_true(report_tree().pages < before);
    assert_data(0, "a0199", value);
    close_world();
}

/* Memory runs out at each allocation of a clean-up in turn: the tree stays whole, and a later one finishes.
 */
static void test_merge_without_memory(void **state)
{
    (void)state;
    for (uint64_t nth = 1; nth < 40; nth++) {
        open_world(4096, true);
        for (unsigned i = 0; i < 120; i++)
            insert_key("a%04u", i);
        for (unsigned i = 0; i < 120; i++) {
            if (i % 6 != 0)
                delete_key("a%04u", i);
        }
        EsentHostFailNth(ESENT_HOST_FAULT_ALLOCATE, nth, 1);
        (void)version_store_clean(store, NULL);
        EsentHostFailNth(ESENT_HOST_FAULT_ALLOCATE, 0, 0);
        check_tree();
        for (unsigned i = 0; i < 120; i += 6) {
            char key[20];
            (void)snprintf(key, sizeof(key), "a%04u", i);
            assert_data(0, key, value);
        }
        close_world();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_hot_point_fills_pages, set_up_value, tear_down),
        cmocka_unit_test_setup_teardown(test_density_of_appends, set_up_value, tear_down),
        cmocka_unit_test_setup_teardown(test_leaves_merge, set_up_value, tear_down),
        cmocka_unit_test_setup_teardown(test_seen_nodes_stay, set_up_value, tear_down),
        cmocka_unit_test_setup_teardown(test_merge_without_memory, set_up_value, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
