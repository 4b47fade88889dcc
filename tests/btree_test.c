/* Physical B+-trees: random changes against a simple model, all page sizes, unique and not, space afterwards.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/btree_world.h"

static void reopen(uint32_t cache_pages)
{
    const struct cache_config config = {cache_pages};

    tree_registry_free(registry);
    assert_int_equal(cache_flush_database(database), JET_errSuccess);
    assert_int_equal(database_write_header(database), JET_errSuccess);
    cache_purge_database(database);
    database_free(database);
    cache_destroy(cache);
    assert_int_equal(cache_create(&config, &cache), JET_errSuccess);
    assert_int_equal(database_allocate(cache, NULL, 1, "/a.edb", &database), JET_errSuccess);
    assert_int_equal(database_open_file(database, false), JET_errSuccess);
    assert_int_equal(tree_registry_create(&registry), JET_errSuccess);
}

/* -- The model: an array of nodes in order. */

struct model_node {
    uint8_t key[64];
    size_t key_size;
    uint8_t *data;
    size_t data_size;
};

static struct model_node *model;
static size_t model_count;
static size_t model_capacity;

static uint64_t random_state;

static uint32_t random_below(uint32_t limit)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(random_state >> 33) % limit;
}

static void model_clear(void)
{
    for (size_t i = 0; i < model_count; i++)
        free(model[i].data);
    free(model);
    model = NULL;
    model_count = 0;
    model_capacity = 0;
}

static int compare_node(const struct model_node *node, struct span key, struct span data, bool unique)
{
    int order = span_compare(span_of(node->key, node->key_size), key);

    return order != 0 || unique ? order : span_compare(span_of(node->data, node->data_size), data);
}

static size_t model_find(struct span key, struct span data, bool unique, bool *equal)
{
    size_t i = 0;

    while (i < model_count && compare_node(&model[i], key, data, unique) < 0)
        i++;
    *equal = i < model_count && compare_node(&model[i], key, data, unique) == 0;
    return i;
}

static void model_set_data(struct model_node *node, struct span data)
{
    free(node->data);
    node->data = malloc(data.size + 1);
    memcpy(node->data, data.bytes, data.size);
    node->data_size = data.size;
}

static void model_insert(size_t at, struct span key, struct span data)
{
    if (model_count == model_capacity) {
        model_capacity = model_capacity * 2 + 64;
        model = realloc(model, model_capacity * sizeof *model);
    }
    memmove(&model[at + 1], &model[at], (model_count - at) * sizeof *model);
    memset(&model[at], 0, sizeof model[at]);
    memcpy(model[at].key, key.bytes, key.size);
    model[at].key_size = key.size;
    model_set_data(&model[at], data);
    model_count++;
}

static void model_delete(size_t at)
{
    free(model[at].data);
    memmove(&model[at], &model[at + 1], (model_count - at - 1) * sizeof *model);
    model_count--;
}

/* Keys that no other key begins with: a length byte first. Few enough that they meet. */
static struct span random_key(uint8_t *key, uint32_t variety)
{
    uint32_t number = random_below(variety);
    size_t size = 1 + 3 + (number % 5 == 0 ? 20 + number % 30 : number % 9);

    key[0] = (uint8_t)size;
    key[1] = (uint8_t)(number >> 16);
    key[2] = (uint8_t)(number >> 8);
    key[3] = (uint8_t)number;
    memset(key + 4, 'k', size - 4);
    return span_of(key, size);
}

static void check_all(struct tree *tree)
{
    struct tree_report report;
    struct btree_cursor *cursor = NULL;
    size_t i = 0;
    JET_ERR err = btree_check_space(tree, &report);

    if (report.problem != NULL)
        print_error("page %u: %s\n", report.where, report.problem);
    assert_int_equal(err, JET_errSuccess);
    assert_int_equal(btree_cursor_open(tree, &cursor), JET_errSuccess);
    err = btree_cursor_first(cursor, LATCH_SHARED);
    for (; err == JET_errSuccess; err = btree_cursor_next(cursor)) {
        struct node_view view;

        assert_int_equal(btree_cursor_node(cursor, &view), JET_errSuccess);
        if ((view.flags & NODE_DELETED) != 0)
            continue;
        assert_true(i < model_count);
        assert_int_equal(view.key.size, model[i].key_size);
        assert_memory_equal(view.key.bytes, model[i].key, view.key.size);
        assert_int_equal(view.data.size, model[i].data_size);
        assert_memory_equal(view.data.bytes, model[i].data, view.data.size);
        i++;
    }
    assert_true(err == JET_errNoCurrentRecord || err == JET_errRecordNotFound);
    assert_int_equal(i, model_count);
    err = btree_cursor_last(cursor, LATCH_SHARED);
    for (; err == JET_errSuccess; err = btree_cursor_previous(cursor)) {
        struct node_view view;

        assert_int_equal(btree_cursor_node(cursor, &view), JET_errSuccess);
        if ((view.flags & NODE_DELETED) != 0)
            continue;
        assert_true(i > 0);
        i--;
        assert_memory_equal(view.key.bytes, model[i].key, view.key.size);
    }
    assert_int_equal(i, 0);
    btree_cursor_close(cursor);
}

static void random_change(struct tree *tree, uint32_t variety, uint32_t data_most)
{
    uint8_t key_bytes[64];
    uint8_t data_bytes[20000];
    struct span key = random_key(key_bytes, variety);
    struct span data =
        span_of(data_bytes, random_below(10) == 0 ? 1 + random_below(data_most) : 1 + random_below(60));
    bool equal = false;

    if (!tree->unique)
        data.size = 1 + random_below(12);
    for (size_t i = 0; i < data.size; i++)
        data_bytes[i] = (uint8_t)random_below(tree->unique ? 256 : 3);
    size_t at = model_find(key, data, tree->unique, &equal);
    struct bookmark bookmark = {key, tree->unique ? span_of(NULL, 0) : data};
    switch (random_below(10)) {
    case 0:
    case 1:
        assert_int_equal(btree_delete(tree, &actor, &bookmark),
                         equal ? JET_errSuccess : JET_errRecordNotFound);
        if (equal)
            model_delete(at);
        break;
    case 2:
    case 3:
        if (!tree->unique)
            break;
        assert_int_equal(btree_replace(tree, &actor, &bookmark, data),
                         equal ? JET_errSuccess : JET_errRecordNotFound);
        if (equal)
            model_set_data(&model[at], data);
        break;
    default:
        assert_int_equal(btree_insert(tree, &actor, key, data), equal ? JET_errKeyDuplicate : JET_errSuccess);
        if (!equal)
            model_insert(at, key, data);
        break;
    }
}

static struct tree *make_tree(bool unique, page_number *root)
{
    struct tree_design design = {.parent = ROOT_PAGE_DATABASE, .pages = 1, .unique = unique};
    struct tree *tree = NULL;
    object_id object = 0;

    if (!unique)
        design.page_flags = PAGE_INDEX | PAGE_NON_UNIQUE;
    assert_int_equal(space_create_tree(registry, database, &actor, &design, root, &object), JET_errSuccess);
    assert_int_equal(tree_open(registry, database, *root, &tree), JET_errSuccess);
    assert_int_equal(tree->object, object);
    assert_int_equal(tree->unique, unique);
    return tree;
}

static void check_database(void)
{
    struct tree *tree = NULL;
    struct tree_report report;

    assert_int_equal(tree_open(registry, database, ROOT_PAGE_DATABASE, &tree), JET_errSuccess);
    JET_ERR err = btree_check_space(tree, &report);
    if (report.problem != NULL)
        print_error("database page %u: %s\n", report.where, report.problem);
    assert_int_equal(err, JET_errSuccess);
    tree_close(tree);
}

static uint32_t database_available(void)
{
    struct tree *tree = NULL;
    uint32_t available = 0;

    assert_int_equal(tree_open(registry, database, ROOT_PAGE_DATABASE, &tree), JET_errSuccess);
    assert_int_equal(space_count(tree, NULL, &available), JET_errSuccess);
    tree_close(tree);
    return available;
}

static void run_random(uint32_t page_size, bool unique, uint32_t changes, uint64_t seed)
{
    page_number root = 0;

    random_state = seed;
    open_new(page_size, 64);
    struct tree *tree = make_tree(unique, &root);
    for (uint32_t i = 0; i < changes; i++) {
        random_change(tree, changes / 2 + 10, page_size / 2);
        if (i % 512 == 511)
            check_all(tree);
    }
    check_all(tree);
    check_database();
    tree_close(tree);
    reopen(64);
    assert_int_equal(tree_open(registry, database, root, &tree), JET_errSuccess);
    check_all(tree);
    tree_close(tree);
    assert_int_equal(space_free_tree(registry, database, &actor, root), JET_errSuccess);
    check_database();
    model_clear();
    assert_int_equal(tear_down(NULL), 0);
    assert_int_equal(set_up(NULL), 0);
}

static void test_random_all_sizes(void **state)
{
    (void)state;
    for (uint32_t size = 2048; size <= 32768; size *= 2) {
        run_random(size, true, 3000, size);
        run_random(size, false, 3000, size + 1);
    }
    open_new(4096, 64);
}

/* Ascending keys fill pages one after the other. */
static void test_append(void **state)
{
    (void)state;
    page_number root = 0;
    struct tree_report report;

    open_new(4096, 200);
    struct tree *tree = make_tree(true, &root);
    for (uint32_t i = 0; i < 20000; i++) {
        uint8_t key[4] = {(uint8_t)(i >> 24), (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i};
        uint8_t data[40] = {1};

        assert_int_equal(btree_insert(tree, &actor, span_of(key, 4), span_of(data, sizeof data)),
                         JET_errSuccess);
    }
    assert_int_equal(btree_check_space(tree, &report), JET_errSuccess);
    assert_int_equal(report.nodes, 20000);
    /* 80 % full: about 65 nodes of 48 bytes with key compression. */
    assert_true(report.pages < 20000 / 60);
    tree_close(tree);
}

/* What is created and freed comes back. */
static void test_space_comes_back(void **state)
{
    (void)state;
    page_number roots[40];

    open_new(4096, 200);
    uint32_t before = database_available();
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 40; i++) {
            struct tree_design design = {.parent = ROOT_PAGE_DATABASE,
                                         .pages = (uint32_t)i,
                                         .unique = true,
                                         .multiple_extents = i % 3 == 0};
            object_id object = 0;

            assert_int_equal(space_create_tree(registry, database, &actor, &design, &roots[i], &object),
                             JET_errSuccess);
        }
        check_database();
        for (int i = 0; i < 40; i++)
            assert_int_equal(space_free_tree(registry, database, &actor, roots[i * 7 % 40]), JET_errSuccess);
        check_database();
    }
    assert_true(database_available() >= before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_random_all_sizes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_append, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_space_comes_back, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
