/* Trees that somebody bent: pages that are well formed each, and do not fit each other. Each operation that
 * meets them says so, by the code, and the check by a text. */
#include "tests/btree_corners_world.h"

enum { ROWS = 160 };

static struct tree *tree;
static page_number root;

/* Four rows begin with the same 120 bytes, so that there are few pointers to a page. */
static struct span row_key(uint32_t number, uint8_t *key)
{
    key[0] = 'a';
    key[1] = (uint8_t)(number / 4);
    memset(key + 2, (int)(number / 4), 118);
    key[120] = (uint8_t)(number % 4);
    return span_of(key, 121);
}

static void build(void)
{
    uint8_t key[128];
    uint8_t data[420] = {1};
    open_new(2048, 1000);
    tree = make_tree(&root, true);
    for (uint32_t i = 0; i < ROWS; i++)
        OK(btree_insert(tree, &actor, row_key(i * 7 % ROWS, key), span_of(data, sizeof data)));
}

static void finish(void)
{
    tree_close(tree);
    assert_int_equal(tear_down(NULL), 0);
    assert_int_equal(set_up(NULL), 0);
}

static int tear_down_tree(void **state)
{
    tree_close(tree);
    return tear_down(state);
}

/* The page on the way to a row, so many levels below the root. */
static page_number page_above(uint32_t row, int depth)
{
    page_number number = root;
    uint8_t key[128];
    const struct bookmark bookmark = {row_key(row, key), {NULL, 0}};
    for (int i = 0; i < depth; i++) {
        struct latch latch = LATCH_INIT;
        OK(cache_latch(database, number, LATCH_SHARED, 0, &latch));
        assert_false(page_is_leaf(&latch.page));
        number = node_child(&latch.page, branch_line(&latch.page, &bookmark));
        cache_unlatch(&latch);
    }
    return number;
}

static page_number leaf_of(uint32_t row)
{
    return page_above(row, 2);
}

static page_number sibling(page_number number, bool next)
{
    struct latch latch = LATCH_INIT;
    OK(cache_latch(database, number, LATCH_SHARED, 0, &latch));
    const struct page_header *header = page_header(&latch.page);
    const page_number found = next ? header->next : header->previous;
    cache_unlatch(&latch);
    return found;
}

/* ---- what is bent */

static page_number value;
static page_number before;

static void set_next(struct page *page)
{
    page_header(page)->next = value;
}
static void set_previous(struct page *page)
{
    page_header(page)->previous = value;
}
static void empty(struct page *page)
{
    page_delete_lines(page, 0, page_line_count(page));
}
/* All pointers of a page, or those to one child. */
static void set_children(struct page *page)
{
    for (uint32_t line = 0; line < page_line_count(page); line++) {
        if (before == PAGE_NUMBER_NULL || node_child(page, line) == before)
            node_replace_data(page, line, span_of(&value, sizeof value));
    }
}

static void next_is(page_number page, page_number number)
{
    value = number;
    bend(page, set_next);
}
static void previous_is(page_number page, page_number number)
{
    value = number;
    bend(page, set_previous);
}
static void child_is(page_number page, page_number child, page_number number)
{
    before = child;
    value = number;
    bend(page, set_children);
}

/* The key of the pointer to `before` becomes this one. */
static uint8_t other_key[256];
static size_t other_size;
static void set_separator(struct page *page)
{
    for (uint32_t line = 0; line < page_line_count(page); line++) {
        const page_number child = node_child(page, line);
        if (child != before)
            continue;
        struct node node = {key_of(other_key, other_size), span_of(&child, sizeof child), 0};
        page_delete_lines(page, line, 1);
        node_insert(page, line, &node, node_prefix_size(page, &node.key));
        return;
    }
    fail();
}

/* ---- operations */

static JET_ERR walk(bool forward)
{
    struct btree_cursor *cursor = NULL;
    unsigned count = 0;
    OK(btree_cursor_open(tree, &cursor));
    JET_ERR err =
        forward ? btree_cursor_first(cursor, LATCH_SHARED) : btree_cursor_last(cursor, LATCH_SHARED);
    while (err == JET_errSuccess) {
        assert_true(++count <= ROWS);
        err = forward ? btree_cursor_next(cursor) : btree_cursor_previous(cursor);
    }
    btree_cursor_close(cursor);
    return err == JET_errNoCurrentRecord ? JET_errSuccess : err;
}

static JET_ERR seek(uint32_t row)
{
    struct btree_cursor *cursor = NULL;
    enum seek_place place;
    uint8_t key[128];
    const struct bookmark bookmark = {row_key(row, key), {NULL, 0}};
    OK(btree_cursor_open(tree, &cursor));
    const JET_ERR err = btree_cursor_seek(cursor, &bookmark, LATCH_SHARED, &place);
    btree_cursor_close(cursor);
    return err;
}

static JET_ERR estimate(uint32_t row)
{
    struct btree_cursor *cursor = NULL;
    uint64_t less = 0;
    uint64_t total = 0;
    uint8_t key[128];
    const struct bookmark bookmark = {row_key(row, key), {NULL, 0}};
    OK(btree_cursor_open(tree, &cursor));
    const JET_ERR err = btree_cursor_estimate(cursor, &bookmark, &less, &total);
    btree_cursor_close(cursor);
    return err;
}

static JET_ERR go_to(uint64_t less, uint64_t total)
{
    struct btree_cursor *cursor = NULL;
    OK(btree_cursor_open(tree, &cursor));
    const JET_ERR err = btree_cursor_at_fraction(cursor, less, total);
    btree_cursor_close(cursor);
    return err;
}

/* A row that does not fit its leaf. */
static JET_ERR grow(uint32_t row)
{
    uint8_t key[128];
    static const uint8_t data[1500] = {2};
    const struct bookmark bookmark = {row_key(row, key), {NULL, 0}};
    return btree_replace(tree, &actor, &bookmark, span_of(data, sizeof data));
}

static bool removed;
static JET_ERR decide_flag(struct node_change *change, const struct change_place *place)
{
    change->kind = CHANGE_FLAG_DELETE;
    return place->equal ? JET_errSuccess : JET_errRecordNotFound;
}
static void flag_all(page_number leaf)
{
    uint8_t key[128];
    for (uint32_t i = 0; i < ROWS; i++) {
        if (leaf_of(i) != leaf)
            continue;
        struct node_change change = {.bookmark = {row_key(i, key), {NULL, 0}}, .decide = decide_flag};
        OK(btree_change_node(tree, &actor, &change));
    }
}
static JET_ERR merge(uint32_t row)
{
    uint8_t key[128];
    const struct bookmark bookmark = {row_key(row, key), {NULL, 0}};
    removed = false;
    return btree_remove_leaf(tree, &actor, &bookmark, node_is_gone, NULL, &removed);
}

static void problem_is(const char *text)
{
    struct tree_report report;
    IS(btree_check_space(tree, &report), JET_errDatabaseCorrupted);
    assert_non_null(report.problem);
    assert_string_equal(report.problem, text);
}

static void tree_is_sound(void)
{
    struct tree_report report;
    OK(btree_check_space(tree, &report));
    assert_null(report.problem);
    assert_int_equal(report.depth, 3);
}

/* ---- tests */

enum { ROW = 80 }; /* in the middle */

static void separators_fit_their_pages(void **state)
{
    (void)state;
    build();
    tree_is_sound();
    const page_number leaf = leaf_of(ROW);
    const page_number right = sibling(leaf, true);
    /* between the first node of the leaf behind and the second */
    struct latch latch = LATCH_INIT;
    OK(cache_latch(database, right, LATCH_SHARED, 0, &latch));
    struct node node = node_get(&latch.page, 0);
    other_size = key_copy(&node.key, 0, other_key, sizeof other_key);
    other_key[other_size++] = 0;
    cache_unlatch(&latch);
    before = leaf;
    bend(page_above(ROW, 1), set_separator);
    problem_is("node lies before its page's separator");
    finish();

    build();
    const page_number above = page_above(ROW, 1);
    page_number children[2] = {0, 0};
    OK(cache_latch(database, above, LATCH_SHARED, 0, &latch));
    children[0] = node_child(&latch.page, 0);
    children[1] = node_child(&latch.page, 1);
    node = node_get(&latch.page, 0);
    other_size = key_copy(&node.key, 0, other_key, sizeof other_key);
    cache_unlatch(&latch);
    bend(children[1], empty);
    before = children[1];
    bend(above, set_separator); /* the second like the first, with nothing between them */
    problem_is("separators are out of order");
    finish();
    build();
}

/* A tree of pages that each have one child. */
static void make_chain(uint32_t length)
{
    page_number pages[40];
    uint32_t total = 0;
    OK(space_grow_database(registry, database, &actor, 100, &total));
    for (uint32_t i = 0; i < length; i++)
        pages[i] = 300 + i;
    for (uint32_t i = 0; i < length; i++) {
        struct latch latch = LATCH_INIT;
        const page_number child = i + 1 < length ? pages[i + 1] : pages[0];
        const struct node node = {key_of(NULL, 0), span_of(&child, sizeof child), 0};
        OK(cache_latch_new(database, pages[i], &latch));
        page_format(&latch.page, tree->object, 0, database_next_dbtime(database));
        node_insert(&latch.page, 0, &node, 0);
        cache_set_dirty(&latch, DBTIME_NULL, LOG_POSITION_MIN, LOG_POSITION_MIN);
        cache_unlatch(&latch);
    }
    child_is(root, PAGE_NUMBER_NULL, pages[0]);
}

static void trees_have_a_depth(void **state)
{
    struct tree_report report;
    (void)state;
    build();
    make_chain(30);
    IS(btree_check(tree, NULL, NULL, &report), JET_errDatabaseCorrupted);
    assert_string_equal(report.problem, "tree is too deep");
    IS(walk(true), JET_errBadParentPageLink);
    IS(walk(false), JET_errBadParentPageLink);
    IS(seek(ROW), JET_errBadParentPageLink);
    IS(estimate(ROW), JET_errBadParentPageLink);
    IS(go_to(1, 2), JET_errBadParentPageLink);
    IS(grow(ROW), JET_errBadParentPageLink);
    IS(merge(ROW), JET_errBadParentPageLink);
}

static void fractions_beyond_the_end(void **state)
{
    struct btree_cursor *cursor = NULL;
    struct node_view view;
    uint8_t key[128];
    (void)state;
    build();
    OK(btree_cursor_open(tree, &cursor));
    static const uint64_t fractions[][2] = {{0, 0}, {0, 5}, {5, 5}, {9, 5}};
    for (size_t i = 0; i < 4; i++) {
        OK(btree_cursor_at_fraction(cursor, fractions[i][0], fractions[i][1]));
        OK(btree_cursor_node(cursor, &view));
        const struct span wanted = row_key(i < 2 ? 0 : ROWS - 1, key);
        assert_int_equal(view.key.size, wanted.size);
        assert_memory_equal(view.key.bytes, wanted.bytes, wanted.size);
    }
    btree_cursor_close(cursor);
}

/* Two empty leaves that point to each other, both ways. */
static void empty_pages_in_a_circle(void **state)
{
    (void)state;
    build();
    const page_number one = leaf_of(ROW);
    const page_number two = sibling(one, true);
    struct btree_cursor *cursor = NULL;
    bend(one, empty);
    bend(two, empty);
    next_is(two, one);
    previous_is(one, two);
    OK(btree_cursor_open(tree, &cursor));
    uint8_t key[128];
    enum seek_place place;
    const struct bookmark bookmark = {row_key(ROW, key), {NULL, 0}};
    IS(btree_cursor_seek(cursor, &bookmark, LATCH_SHARED, &place), JET_errBadPageLink);
    btree_cursor_close(cursor);
    IS(walk(true), JET_errBadPageLink);
    IS(walk(false), JET_errBadPageLink);
}

/* What a split and a merge find around the leaf: nothing is changed then. */
static void leaves_and_their_neighbours(void **state)
{
    (void)state;
    enum bent {
        NEXT_ABOVE,
        NEXT_BRANCH,
        NEXT_BEFORE,
        PREVIOUS_BRANCH,
        PREVIOUS_NEXT,
        CHILD_ABOVE,
        CHILD_ROOT,
        BENT
    };
    for (int bent = 0; bent < BENT; bent++) {
        build();
        const page_number leaf = leaf_of(ROW);
        const page_number above = page_above(ROW, 1);
        const page_number next = sibling(leaf, true);
        flag_all(leaf);
        JET_ERR split = JET_errBadPageLink;
        JET_ERR merged = JET_errBadPageLink;
        switch (bent) {
        case NEXT_ABOVE:
            next_is(leaf, above);
            break;
        case NEXT_BRANCH: /* of the same tree, not on the way */
            next_is(leaf, page_above(0, 1));
            break;
        case NEXT_BEFORE:
            next_is(leaf, sibling(leaf, false));
            break;
        case PREVIOUS_BRANCH:
            previous_is(leaf, page_above(0, 1));
            split = JET_errSuccess;
            break;
        case PREVIOUS_NEXT:
            previous_is(leaf, next);
            next_is(next, leaf);
            split = JET_errSuccess;
            break;
        case CHILD_ABOVE:
            child_is(above, leaf, above);
            split = merged = JET_errBadParentPageLink;
            break;
        default:
            child_is(root, above, root);
            split = merged = JET_errBadParentPageLink;
            break;
        }
        if (bent == CHILD_ABOVE || bent == CHILD_ROOT) {
            IS(seek(ROW), JET_errBadParentPageLink);
            uint8_t key[128];
            const struct bookmark bookmark = {row_key(ROW, key), {NULL, 0}};
            IS(btree_delete(tree, &actor, &bookmark), JET_errBadParentPageLink);
        }
        IS(merge(ROW), merged);
        assert_false(removed);
        if (split != JET_errSuccess) {
            uint8_t key[128];
            static const uint8_t data[1500] = {2};
            struct span long_key = row_key(ROW, key);
            key[121] = 1;
            long_key.size++;
            IS(btree_insert(tree, &actor, long_key, span_of(data, sizeof data)), split);
        }
        finish();
    }
    build();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(separators_fit_their_pages, set_up, tear_down_tree),
        cmocka_unit_test_setup_teardown(trees_have_a_depth, set_up, tear_down_tree),
        cmocka_unit_test_setup_teardown(fractions_beyond_the_end, set_up, tear_down_tree),
        cmocka_unit_test_setup_teardown(empty_pages_in_a_circle, set_up, tear_down_tree),
        cmocka_unit_test_setup_teardown(leaves_and_their_neighbours, set_up, tear_down_tree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
