/* The space of trees where little is left, where it was told wrongly, and where roots are not what somebody
 * remembers. */
#include "tests/btree_corners_world.h"

/* ---- limits of the file */

static void the_file_has_limits(void **state)
{
    struct tree *root = NULL;
    struct space_extent extent = {0, 0};
    uint32_t total = 0;
    (void)state;
    open_new(4096, 1000);
    OK(tree_open(registry, database, ROOT_PAGE_DATABASE, &root));
    /* grows to multiples of 256 pages, unless that would be more than it may have */
    OK(space_grow_database(registry, database, &actor, 10, &total));
    assert_int_equal(total, 510);
    database->pages_max = 1000;
    OK(space_grow_database(registry, database, &actor, 100, &total));
    assert_int_equal(total, 766);
    OK(space_grow_database(registry, database, &actor, 230, &total));
    assert_int_equal(total, 996);
    IS(space_grow_database(registry, database, &actor, 5, &total), JET_errOutOfDatabaseSpace);
    OK(space_grow_database(registry, database, &actor, 4, &total));
    assert_int_equal(total, 1000);
    database->pages_max = 0;
    IS(space_extend_file(root, 0x7fffff00, &extent), JET_errOutOfDatabaseSpace);
    assert_int_equal(database->page_last, 1000);
    tree_close(root);
}

/* ---- pages that are given back wrongly */

static void pages_come_back_once(void **state)
{
    page_number number = 0;
    page_number page = 0;
    uint32_t owned = 0;
    uint32_t available = 0;
    struct tree_design design = {.parent = ROOT_PAGE_DATABASE, .pages = 8, .unique = true};
    object_id object = 0;
    struct tree *tree = NULL;
    (void)state;
    open_new(4096, 1000);
    OK(space_create_tree(registry, database, &actor, &design, &number, &object));
    OK(tree_open(registry, database, number, &tree));
    OK(space_get_page(tree, &actor, PAGE_NUMBER_NULL, &page));
    assert_int_equal(page, number + 1);
    OK(space_count(tree, &owned, &available));
    assert_int_equal(owned, 8);
    assert_int_equal(available, 6);
    OK(space_free_page(tree, &actor, page));
    IS(space_free_page(tree, &actor, page), JET_errSPAvailExtCorrupted);
    IS(space_free_page(tree, &actor, number), JET_errSPOwnExtCorrupted);
    IS(space_free_page(tree, &actor, number + SPACE_BITMAP_PAGES + 1), JET_errSPOwnExtCorrupted);
    OK(space_count(tree, &owned, &available));
    assert_int_equal(available, 7);
    tree_close(tree);
}

/* ---- roots that are not what the catalog said */

static void nothing_knows(struct tree *tree, JET_ERR expected)
{
    struct tree_report report;
    page_number page = 0;
    uint32_t owned = 0;
    page_number made = 0;
    object_id object = 0;
    struct tree_design design = {.parent = tree->root, .pages = 1, .unique = true};
    IS(space_count(tree, &owned, NULL), expected);
    IS(space_get_page(tree, &actor, PAGE_NUMBER_NULL, &page), expected);
    IS(space_free_page(tree, &actor, tree->root + 1), expected);
    IS(btree_check_space(tree, &report), expected);
    IS(space_create_tree(registry, database, &actor, &design, &made, &object), expected);
    IS(space_free_tree(registry, database, &actor, tree->root), expected);
}

static void without_header(struct page *page)
{
    page_set_external_header(page, NULL, 0);
}

static void roots_are_not_what_they_were(void **state)
{
    page_number number = 0;
    struct tree *known = NULL;
    (void)state;
    open_new(4096, 1000);
    struct tree *tree = make_tree(&number, true);
    const object_id object = tree->object;
    tree_close(tree);
    (void)tree_registry_forget(registry, database);
    OK(tree_open_known(registry, database, number, object + 1, true, &known));
    nothing_knows(known, JET_errDatabaseCorrupted); /* another tree's */
    tree_close(known);
    (void)tree_registry_forget(registry, database);
    bend(number, without_header);
    OK(tree_open_known(registry, database, number, object, true, &known));
    nothing_knows(known, JET_errDatabaseCorrupted);
    tree_close(known);
}

/* ---- headers that claim too much */

static uint32_t claimed;

static void claim(struct page *page)
{
    struct space_header header;
    uint8_t bytes[ROOT_HEADER_MOST];
    assert_true(root_header_space(page, &header));
    header.pages = claimed;
    struct span part = {bytes, root_header_with_space(page, &header, bytes)};
    page_set_external_header(page, &part, 1);
}

static void single_extents_lie_in_the_file(void **state)
{
    page_number number = 0;
    struct tree_report report;
    uint32_t owned = 0;
    page_number page = 0;
    (void)state;
    open_new(4096, 1000);
    struct tree *tree = make_tree(&number, true);
    const uint32_t claims[] = {0, database->page_last + 1, database->page_last - number + 2};
    for (size_t i = 0; i < sizeof claims / sizeof claims[0]; i++) {
        claimed = claims[i];
        bend(number, claim);
        IS(space_count(tree, &owned, NULL), JET_errSPOwnExtCorrupted);
        IS(space_get_page(tree, &actor, PAGE_NUMBER_NULL, &page), JET_errSPOwnExtCorrupted);
        IS(btree_check_space(tree, &report), JET_errSPOwnExtCorrupted);
        os_mutex_lock(&tree->space_lock);
        IS(space_convert(tree, &actor, 4, 1), JET_errSPOwnExtCorrupted);
        os_mutex_unlock(&tree->space_lock);
        IS(space_free_tree(registry, database, &actor, number), JET_errSPOwnExtCorrupted);
    }
    tree_close(tree);
}

/* ---- split buffers */

static struct split_buffer buffer;

static void put_buffer(struct page *page)
{
    struct span part = {(const uint8_t *)&buffer, sizeof buffer};
    page_set_external_header(page, &part, 1);
}

static void split_buffers_are_checked(void **state)
{
    struct tree *root = NULL;
    struct space_trees trees;
    struct tree_report report;
    struct split_buffer good;
    bool leaf = false;
    uint32_t free_bytes = 0;
    (void)state;
    open_new(4096, 1000);
    OK(tree_open(registry, database, ROOT_PAGE_DATABASE, &root));
    OK(btree_check_space(root, &report));
    OK(space_trees_open(root, &trees));
    OK(split_buffer_read(trees.owned, &good, &leaf, &free_bytes));
    const page_number last = database->page_last;
    static const struct {
        int which;
        uint32_t pages;
        bool inside;
        JET_ERR err;
        const char *problem;
    } rows[] = {
        {0, 1, true, JET_errDatabaseCorrupted, "page is used twice or free"},
        {1, 1, true, JET_errDatabaseCorrupted, "page is used twice or free"},
        {0, 1, false, JET_errSPAvailExtCorrupted, NULL},
        {1, 5000, true, JET_errSPAvailExtCorrupted, NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        buffer = good;
        buffer.extents[rows[i].which].last = rows[i].inside ? ROOT_PAGE_DATABASE : last + 1;
        buffer.extents[rows[i].which].pages = rows[i].pages;
        bend(trees.owned->root, put_buffer);
        IS(btree_check_space(root, &report), rows[i].err);
        if (rows[i].problem != NULL)
            assert_string_equal(report.problem, rows[i].problem);
        else
            assert_null(report.problem);
    }
    /* two extents have room; a third one has none */
    memset(&buffer, 0, sizeof buffer);
    bend(trees.owned->root, put_buffer);
    page_number page = 0;
    IS(split_buffer_take(trees.owned, &actor, &page), JET_errOutOfDatabaseSpace);
    OK(split_buffer_add(trees.owned, &actor, (struct space_extent){100, 2}));
    OK(split_buffer_take(trees.owned, &actor, &page));
    assert_int_equal(page, 99);
    split_buffer_return(trees.owned, &actor, 99);  /* in front of its neighbour */
    split_buffer_return(trees.owned, &actor, 120); /* on its own */
    split_buffer_return(trees.owned, &actor, 140); /* no room: lost to use */
    OK(split_buffer_read(trees.owned, &buffer, &leaf, &free_bytes));
    assert_true(buffer.extents[0].last == 100 && buffer.extents[0].pages == 2);
    assert_true(buffer.extents[1].last == 120 && buffer.extents[1].pages == 1);
    IS(split_buffer_add(trees.owned, &actor, (struct space_extent){150, 2}), JET_errOutOfDatabaseSpace);
    space_trees_close(&trees);
    tree_close(root);
}

/* ---- free space that is told wrongly */

static void the_second_extent_is_another_one(void **state)
{
    struct tree *root = NULL;
    struct space_trees trees;
    struct space_extent extent = {0, 0};
    bool found = false;
    page_number number = 0;
    page_number below = 0;
    page_number page = 0;
    (void)state;
    open_new(4096, 1000);
    struct tree_design design = {.parent = ROOT_PAGE_DATABASE, .pages = 40, .unique = true};
    object_id object = 0;
    OK(space_create_tree(registry, database, &actor, &design, &below, &object));
    struct tree *tree = make_tree(&number, true);
    OK(tree_open(registry, database, ROOT_PAGE_DATABASE, &root));
    OK(space_trees_open(root, &trees));
    /* the root's free pages are said to begin with the tree's own root */
    OK(extents_find_size(trees.available, 1, &extent, &found));
    assert_true(found && extent.last > number);
    const uint32_t pages = extent.pages;
    extent.pages = extent.last - number + 1;
    OK(extents_resize(trees.available, &actor, extent));
    IS(space_get_page(tree, &actor, PAGE_NUMBER_NULL, &page), JET_errSPAvailExtCorrupted);
    assert_int_equal(tree->owned_root, PAGE_NUMBER_NULL);
    extent.pages = pages;
    OK(extents_resize(trees.available, &actor, extent));
    /* one in front of the tree is as good as any */
    OK(space_free_tree(registry, database, &actor, below));
    OK(space_get_page(tree, &actor, PAGE_NUMBER_NULL, &page));
    assert_in_range(page, below, below + 39);
    assert_in_range(tree->owned_root, below, below + 39);
    space_trees_close(&trees);
    tree_close(root);
    tree_close(tree);
}

/* ---- the number reserved in the root */

static void a_full_root_has_no_room_for_numbers(void **state)
{
    static uint8_t data[4096];
    page_number number = 0;
    uint64_t highest = 0;
    bool known = true;
    (void)state;
    open_new(4096, 1000);
    struct tree *tree = make_tree(&number, true);
    struct latch latch = LATCH_INIT;
    OK(cache_latch(database, number, LATCH_SHARED, 0, &latch));
    const uint32_t room = page_free_bytes(&latch.page);
    cache_unlatch(&latch);
    OK(btree_insert(tree, &actor, span_of("key", 3), span_of(data, room - 4 - 2 - 3 - 2)));
    IS(root_autoincrement_write(tree, &actor, 77), JET_errRecordTooBig);
    OK(root_autoincrement_read(tree, &known, &highest));
    assert_false(known);
    const struct bookmark bookmark = {span_of("key", 3), {NULL, 0}};
    OK(btree_replace(tree, &actor, &bookmark, span_of(data, 10)));
    OK(root_autoincrement_write(tree, &actor, 77));
    OK(root_autoincrement_read(tree, &known, &highest));
    assert_true(known);
    assert_int_equal(highest, 77);
    tree_close(tree);
}

/* ---- trees that are open */

static void trees_of_two_databases(void **state)
{
    /* The identifiers share a bucket of the registry. */
    struct database *other = NULL;
    struct database_header header;
    struct signature signature = {.random = 6};
    struct tree *first = NULL;
    struct tree *second = NULL;
    (void)state;
    open_new(4096, 1000);
    OK(database_allocate(cache, NULL, 1 + REGISTRY_BUCKETS, "/b.edb", &other));
    database_header_init(&header, 4096, &signature);
    OK(database_create_file(other, &header, 254, true));
    OK(space_create_database(registry, other, &actor, 254));
    OK(tree_open(registry, database, ROOT_PAGE_DATABASE, &first));
    OK(tree_open(registry, other, ROOT_PAGE_DATABASE, &second));
    assert_ptr_not_equal(first, second);
    assert_ptr_equal(first->database, database);
    assert_ptr_equal(second->database, other);
    tree_close(first);
    tree_close(second);
    assert_true(tree_registry_forget(registry, other));
    cache_purge_database(other);
    database_free(other);
}

static void a_replaced_tree_is_forgotten(void **state)
{
    struct tree *old = NULL;
    struct tree *now = NULL;
    struct tree *again = NULL;
    (void)state;
    open_new(4096, 1000);
    OK(tree_open_known(registry, database, 40, 7, true, &old));
    OK(tree_open_known(registry, database, 40, 8, true, &now)); /* another tree there since */
    tree_forget(old);                                           /* is not there any more */
    OK(tree_open_known(registry, database, 40, 8, true, &again));
    assert_ptr_equal(again, now);
    tree_close(again);
    tree_close(now);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_file_has_limits, set_up, tear_down),
        cmocka_unit_test_setup_teardown(pages_come_back_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(roots_are_not_what_they_were, set_up, tear_down),
        cmocka_unit_test_setup_teardown(single_extents_lie_in_the_file, set_up, tear_down),
        cmocka_unit_test_setup_teardown(split_buffers_are_checked, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_second_extent_is_another_one, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_full_root_has_no_room_for_numbers, set_up, tear_down),
        cmocka_unit_test_setup_teardown(trees_of_two_databases, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_replaced_tree_is_forgotten, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
