/* Corners of trees that no random change meets: nodes of extreme sizes, keys that are long and alike, pages
 * with one node left, and hints that are out of date. */
#include "tests/btree_corners_world.h"

static uint64_t random_state;

static uint32_t random_below(uint32_t limit)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(random_state >> 33) % limit;
}

static void is_sound(struct tree *tree, uint64_t nodes)
{
    struct tree_report report;
    const JET_ERR err = btree_check_space(tree, &report);
    if (err != JET_errSuccess)
        fail_msg("page %u: %s", report.where, report.problem);
    assert_int_equal(report.nodes - report.deleted, nodes);
}

/* A key of `size` bytes that begins with so many of the same byte. */
static struct span make_key(uint8_t *key, uint8_t same, size_t size, uint32_t number)
{
    memset(key, same, size);
    key[size - 2] = (uint8_t)(number >> 8);
    key[size - 1] = (uint8_t)number;
    return span_of(key, size);
}

/* ---- one node beside a prefix that other nodes left */

static void nodes_beside_an_old_prefix(void **state)
{
    static uint8_t key[300];
    static uint8_t data[4096];
    page_number root = 0;
    (void)state;
    memset(data, 'd', sizeof data);
    open_new(4096);
    struct tree *tree = make_tree(&root, true);
    for (uint32_t i = 0; i < 100; i++)
        OK(btree_insert(tree, &actor, make_key(key, 'k', 202, i), span_of(data, 100)));
    OK(btree_insert(tree, &actor, make_key(key, 'a', 202, 7), span_of(data, 100)));
    struct bookmark bookmark = {{NULL, 0}, {NULL, 0}};
    for (uint32_t i = 0; i < 100; i++) {
        bookmark.key = make_key(key, 'k', 202, i);
        OK(btree_delete(tree, &actor, &bookmark));
    }
    bookmark.key = make_key(key, 'a', 202, 7);
    size_t fitted = 0;
    for (size_t size = 3000; size < sizeof data; size++) {
        const JET_ERR err = btree_replace(tree, &actor, &bookmark, span_of(data, size));
        if (err == JET_errSuccess)
            fitted = size;
        else
            IS(err, JET_errRecordTooBig);
    }
    assert_in_range(fitted, 3600, 3700);
    is_sound(tree, 1);
    struct btree_cursor *cursor = NULL;
    struct node_view view;
    OK(btree_cursor_open(tree, &cursor));
    OK(btree_cursor_first(cursor, LATCH_SHARED));
    OK(btree_cursor_node(cursor, &view));
    assert_int_equal(view.data.size, fitted);
    btree_cursor_close(cursor);
    tree_close(tree);
}

/* ---- nodes that fit no page */

static void too_large_nodes_are_refused(void **state)
{
    static uint8_t key[4000];
    static uint8_t data[9000];
    page_number root = 0;
    (void)state;
    open_new(8192);
    struct tree *tree = make_tree(&root, true);
    const uint32_t most = page_line_size_max(8192);
    OK(btree_insert(tree, &actor, make_key(key, 'a', BTREE_KEY_MOST, 1), span_of(data, 10)));
    IS(btree_insert(tree, &actor, make_key(key, 'b', BTREE_KEY_MOST + 1, 1), span_of(data, 10)),
       JET_errRecordTooBig);
    IS(btree_insert(tree, &actor, make_key(key, 'c', 10, 1), span_of(data, most + 1)), JET_errRecordTooBig);
    IS(btree_insert(tree, &actor, make_key(key, 'd', 100, 1), span_of(data, most - 50)), JET_errRecordTooBig);
    IS(btree_insert(tree, &actor, make_key(key, 'e', 10, 1), span_of(data, most - 50)), JET_errSuccess);
    is_sound(tree, 2);
    tree_close(tree);
}

/* ---- long keys, alike in groups, in trees of several levels */

static size_t group_size(uint32_t group, uint32_t page_size)
{
    return 3 + (size_t)(group * 37 % 11) * (page_size / 64);
}

static struct span wild_key(uint32_t number, uint32_t page_size, uint8_t *key)
{
    const uint32_t group = number / 16;
    const size_t same = group_size(group, page_size);
    const size_t rest = (size_t)(number * 5 % 7) * (page_size / 128);
    memset(key, 'A' + (int)group, same);
    key[same] = (uint8_t)(number % 16);
    memset(key + same + 1, (int)(number % 3), rest);
    return span_of(key, same + 1 + rest);
}

enum { WILD_KEYS = 400 };

static void wild_keys(void **state)
{
    static uint8_t key[4096];
    static uint8_t data[8192];
    (void)state;
    for (uint64_t seed = 1; seed <= 12; seed++) {
        const uint32_t page_size = 2048u << (seed % 3);
        bool there[WILD_KEYS] = {false};
        uint64_t count = 0;
        page_number root = 0;
        random_state = seed;
        open_new(page_size);
        struct tree *tree = make_tree(&root, true);
        for (uint32_t i = 0; i < 3000; i++) {
            const bool shrinks = i % 1000 > 700;
            const uint32_t number = random_below(WILD_KEYS);
            const struct bookmark bookmark = {wild_key(number, page_size, key), {NULL, 0}};
            const size_t size = 1 + random_below(random_below(4) == 0 ? page_size / 2 : 100);
            const JET_ERR absent = there[number] ? JET_errSuccess : JET_errRecordNotFound;
            if (shrinks || random_below(4) == 0) {
                bool removed = false;
                IS(btree_delete(tree, &actor, &bookmark), absent);
                count -= there[number];
                there[number] = false;
                OK(btree_remove_leaf(tree, &actor, &bookmark, node_is_gone, NULL, &removed));
            } else if (random_below(3) == 0) {
                IS(btree_replace(tree, &actor, &bookmark, span_of(data, size)), absent);
            } else {
                IS(btree_insert(tree, &actor, bookmark.key, span_of(data, size)),
                   there[number] ? JET_errKeyDuplicate : JET_errSuccess);
                count += !there[number];
                there[number] = true;
            }
            if (i % 200 == 199)
                is_sound(tree, count);
        }
        tree_close(tree);
        assert_int_equal(tear_down(NULL), 0);
        assert_int_equal(set_up(NULL), 0);
    }
    open_new(4096);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(nodes_beside_an_old_prefix, set_up, tear_down),
        cmocka_unit_test_setup_teardown(too_large_nodes_are_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(wild_keys, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
