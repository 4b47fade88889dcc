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
    open_new(4096, 1000);
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
    open_new(8192, 1000);
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

/* Each two rows begin alike, in an order that is not theirs, so that pointers have no prefix in common. */
static struct span pair_key(uint32_t number, uint32_t page_size, uint8_t *key)
{
    const uint32_t pair = number / 2 * 77 % 256;
    memset(key, (int)pair, page_size / 12);
    key[page_size / 12] = (uint8_t)(number % 2);
    return span_of(key, page_size / 12 + 1);
}

static struct span random_key(uint64_t seed, uint32_t number, uint32_t page_size, uint8_t *key)
{
    return seed % 2 == 0 ? pair_key(number, page_size, key) : wild_key(number, page_size, key);
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
        open_new(page_size, 1000);
        struct tree *tree = make_tree(&root, true);
        for (uint32_t i = 0; i < 3000; i++) {
            const bool shrinks = i % 1000 > 700;
            const uint32_t number = random_below(WILD_KEYS);
            const struct bookmark bookmark = {random_key(seed, number, page_size, key), {NULL, 0}};
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
    open_new(4096, 1000);
}

/* ---- hints that are out of date */

static JET_ERR decide_insertion(struct node_change *change, const struct change_place *place)
{
    change->kind = CHANGE_INSERT;
    return place->equal ? JET_errKeyDuplicate : JET_errSuccess;
}

static dbtime time_of(page_number number, page_number *next, page_number *child)
{
    struct latch latch = LATCH_INIT;
    OK(cache_latch(database, number, LATCH_SHARED, 0, &latch));
    const dbtime modified = page_header(&latch.page)->modified;
    if (next != NULL)
        *next = page_header(&latch.page)->next;
    if (child != NULL)
        *child = node_child(&latch.page, 0);
    cache_unlatch(&latch);
    return modified;
}

static void without_lines(struct page *page)
{
    page_delete_lines(page, 0, page_line_count(page));
}

static void hints_are_looked_at(void **state)
{
    uint8_t key[20];
    static const uint8_t data[100] = {1};
    page_number root = 0;
    page_number other_root = 0;
    page_number first = 0;
    page_number last = 0;
    uint32_t number = 0;
    (void)state;
    open_new(2048, 1000);
    struct tree *other = make_tree(&other_root, true);
    OK(btree_insert(other, &actor, span_of("a", 1), span_of("b", 1)));
    struct tree *tree = make_tree(&root, true);
    struct node_change change = {
        .decide = decide_insertion, .data = span_of(data, sizeof data), .append = true};
    for (; number < 60; number++) {
        change.bookmark.key = make_key(key, 'k', 10, number);
        OK(btree_change_node(tree, &actor, &change)); /* says where it happened, for the next one */
    }
    last = change.page;
    assert_int_not_equal(last, root);
    (void)time_of(root, NULL, &first);
    struct btree_cursor *cursor = NULL;
    OK(btree_cursor_open(tree, &cursor));
    const page_number pages[] = {other_root, root, first, last, PAGE_NUMBER_NULL};
    for (size_t i = 0; i < sizeof pages / sizeof pages[0]; i++) {
        const dbtime modified = pages[i] == PAGE_NUMBER_NULL ? 0 : time_of(pages[i], NULL, NULL);
        const bool leaf = pages[i] == first || pages[i] == last;
        assert_int_equal(btree_cursor_try_place(cursor, pages[i], 0, modified), leaf);
        btree_cursor_release(cursor);
        assert_false(btree_cursor_try_place(cursor, pages[i], 1000, modified));
        assert_false(btree_cursor_try_place(cursor, pages[i], 0, modified + 1));
        change.page = pages[i];
        change.modified = modified;
        change.bookmark.key = make_key(key, 'k', 10, number++);
        OK(btree_change_node(tree, &actor, &change));
        change.page = pages[i]; /* in front of what is there */
        change.modified = pages[i] == PAGE_NUMBER_NULL ? 0 : time_of(pages[i], NULL, NULL);
        change.bookmark.key = make_key(key, 'j', 10, (uint32_t)i);
        OK(btree_change_node(tree, &actor, &change));
    }
    btree_cursor_close(cursor);
    is_sound(tree, number + 5);
    /* the last leaf without its nodes */
    change.page = last = change.page;
    bend(last, without_lines);
    change.modified = time_of(last, NULL, NULL);
    change.bookmark.key = make_key(key, 'k', 10, number++);
    OK(btree_change_node(tree, &actor, &change));
    tree_close(tree);
    tree_close(other);
}

/* ---- changes with versions, where nobody reserves what they may take back */

static JET_ERR decide_as_told(struct node_change *change, const struct change_place *place)
{
    (void)change;
    return place->equal ? JET_errSuccess : JET_errRecordNotFound;
}

static void room_for_what_comes_back(void **state)
{
    static uint8_t data[2048];
    uint8_t key[20];
    page_number root = 0;
    (void)state;
    open_new(2048, 1000);
    struct tree *tree = make_tree(&root, true);
    for (uint32_t i = 0; i < 40; i++)
        OK(btree_insert(tree, &actor, make_key(key, 'k', 10, i), span_of(data, 100)));
    /* Grows so that its page is split: what it was before is reserved beside it. */
    struct node_change change = {.bookmark = {make_key(key, 'k', 10, 4), {NULL, 0}},
                                 .decide = decide_as_told,
                                 .kind = CHANGE_REPLACE,
                                 .data = span_of(data, 1500),
                                 .versioned = true};
    OK(btree_change_node(tree, &actor, &change));
    is_sound(tree, 40);
    /* It shrinks, others take the room, and it wants the room back: the page is split first. */
    change.data = span_of(data, 50);
    OK(btree_change_node(tree, &actor, &change));
    for (uint32_t i = 0; i < 12; i++) {
        struct span more = make_key(key, 'k', 10, 4);
        key[10] = (uint8_t)i;
        more.size++;
        OK(btree_insert(tree, &actor, more, span_of(data, 100)));
    }
    change.bookmark.key = make_key(key, 'k', 10, 4);
    change.kind = CHANGE_UNDO_REPLACE;
    change.data = span_of(data, 1500);
    OK(btree_change_node(tree, &actor, &change));
    is_sound(tree, 52);
    struct btree_cursor *cursor = NULL;
    struct node_view view;
    enum seek_place place;
    OK(btree_cursor_open(tree, &cursor));
    OK(btree_cursor_seek(cursor, &change.bookmark, LATCH_SHARED, &place));
    assert_int_equal(place, SEEK_EQUAL);
    OK(btree_cursor_node(cursor, &view));
    assert_int_equal(view.data.size, 1500);
    btree_cursor_close(cursor);
    tree_close(tree);
}

/* ---- nodes of an index that are longer than separators may be */

static void long_nodes_of_an_index(void **state)
{
    static uint8_t data[3000];
    uint8_t key[20];
    page_number root = 0;
    (void)state;
    open_new(8192, 1000);
    struct tree *tree = make_tree(&root, false);
    for (uint32_t i = 0; i < 40; i++) {
        data[0] = (uint8_t)i;
        OK(btree_insert(tree, &actor, make_key(key, 'k', 10, i / 4), span_of(data, 2500 + i)));
    }
    is_sound(tree, 40);
    tree_close(tree);
}

/* ---- two nodes of one key, where each key is there once */

static uint8_t twin[20];
static void most_alike(struct page *page)
{
    /* but the last three; the first one lies highest, so that no rows seem to come in order */
    for (uint32_t line = page_line_count(page) - 3; line-- > 0;) {
        const struct span data = span_of(twin, 10);
        const struct node node = {key_of(twin, 10), data, 0};
        page_delete_lines(page, line, 1);
        node_insert(page, line, &node, node_prefix_size(page, &node.key));
    }
}

static void alike_nodes_cannot_be_parted(void **state)
{
    uint8_t key[20];
    static const uint8_t data[1500] = {1};
    (void)state;
    for (int unique = 0; unique < 2; unique++) {
        page_number root = 0;
        page_number first = 0;
        open_new(2048, 1000);
        struct tree *tree = make_tree(&root, unique);
        for (uint32_t i = 0; i < 200; i++)
            OK(btree_insert(tree, &actor, make_key(key, 'k', 10, i), span_of(data, 10)));
        (void)time_of(root, NULL, &first);
        make_key(twin, 'k', 10, 1);
        bend(first, most_alike);
        make_key(key, 'k', 10, 1);
        key[10] = 0; /* behind them */
        IS(btree_insert(tree, &actor, span_of(key, 11), span_of(data, 1200)), JET_errDatabaseCorrupted);
        tree_close(tree);
        if (unique == 0) {
            assert_int_equal(tear_down(NULL), 0);
            assert_int_equal(set_up(NULL), 0);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(nodes_beside_an_old_prefix, set_up, tear_down),
        cmocka_unit_test_setup_teardown(too_large_nodes_are_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(wild_keys, set_up, tear_down),
        cmocka_unit_test_setup_teardown(hints_are_looked_at, set_up, tear_down),
        cmocka_unit_test_setup_teardown(room_for_what_comes_back, set_up, tear_down),
        cmocka_unit_test_setup_teardown(long_nodes_of_an_index, set_up, tear_down),
        cmocka_unit_test_setup_teardown(alike_nodes_cannot_be_parted, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
