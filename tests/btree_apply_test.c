/* What each change of a page does to its nodes, and which changes a log record may not ask for: redo checks
 * them against the page first, since page and log may be of different times, or damaged. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "src/btree/apply_merge.h"
#include "src/btree/apply_node.h"
#include "src/btree/apply_space.h"
#include "src/btree/apply_split.h"
#include "src/page/node.h"

static uint8_t bytes[4096];
static struct page page = {bytes, sizeof bytes, 7};

static struct span text(const char *characters)
{
    return (struct span){(const uint8_t *)characters, strlen(characters)};
}

static void node_with(uint8_t flags)
{
    page_format(&page, 9, PAGE_LEAF, 1);
    apply_insert(&page, 0, text("key"), 0, text("data"), false);
    node_set_flags(&page, 0, flags);
}

static void flags_are(uint8_t flags)
{
    assert_int_equal(node_get(&page, 0).flags & (NODE_DELETED | NODE_VERSIONED), flags);
}

static void changes_mark_nodes(void **state)
{
    (void)state;
    for (int versioned = 0; versioned < 2; versioned++) {
        const uint8_t mark = versioned ? NODE_VERSIONED : 0;
        page_format(&page, 9, PAGE_LEAF, 1);
        apply_insert(&page, 0, text("key"), 0, text("data"), versioned);
        flags_are(mark);
        node_with(NODE_DELETED);
        apply_flag_insert(&page, 0, versioned);
        flags_are(mark);
        node_with(NODE_DELETED);
        apply_flag_insert_and_replace(&page, 0, text("other"), versioned);
        flags_are(mark);
        assert_int_equal(node_get(&page, 0).data.size, 5);
        node_with(0);
        apply_replace(&page, 0, text("longer data"), versioned);
        flags_are(mark);
        assert_int_equal(node_get(&page, 0).data.size, 11);
        node_with(0);
        apply_flag_delete(&page, 0, versioned);
        flags_are(NODE_DELETED | mark);
        /* A mark that is there stays: others may still need the version. */
        node_with(NODE_DELETED | NODE_VERSIONED);
        apply_flag_insert(&page, 0, versioned);
        flags_are(NODE_VERSIONED);
    }
}

/* ---- what redo refuses */

#define FITS JET_errSuccess
#define NOT JET_errLogCorrupted

static struct span some(size_t size)
{
    static const uint8_t zeros[20000];
    return span_of(zeros, size);
}

static void inserts_are_checked(void **state)
{
    (void)state;
    static const struct {
        uint32_t line;
        size_t key;
        uint32_t prefix;
        size_t data;
        JET_ERR root,
            other; /* answers on a root, which has no prefix, and on a page whose prefix is five zeros */
    } rows[] = {
        {0, 6, 0, 10, FITS, FITS},    {2, 6, 0, 10, FITS, FITS}, {3, 6, 0, 10, NOT, NOT},
        {0, 6, 5, 10, NOT, FITS},     {0, 6, 6, 10, NOT, NOT},   {0, 4, 5, 10, NOT, NOT},
        {0, 0x2000, 0, 10, NOT, NOT}, {0, 6, 0, 5000, NOT, NOT}, {0, 6, 0, 4020, NOT, NOT},
        {0, 6, 0, 0, FITS, FITS},     {0, 0, 0, 0, FITS, FITS},
    };
    for (int other = 0; other < 2; other++) {
        page_format(&page, 9, other ? PAGE_LEAF : PAGE_LEAF | PAGE_ROOT, 1);
        struct span prefix = some(5);
        page_set_external_header(&page, &prefix, 1);
        apply_insert(&page, 0, text("a"), 0, text("data"), false);
        apply_insert(&page, 1, text("b"), 0, text("data"), false);
        for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
            JET_ERR err = apply_check_insert(&page, rows[i].line, some(rows[i].key), rows[i].prefix,
                                             some(rows[i].data));
            if (err != (other ? rows[i].other : rows[i].root))
                fail_msg("row %zu, %d: %d", i, other, err);
        }
        assert_int_equal(apply_check_insert(&page, 0, text("abcdefgh"), 5, some(1)),
                         NOT); /* not the prefix */
    }
}

static void changes_of_lines_are_checked(void **state)
{
    (void)state;
    page_format(&page, 9, PAGE_LEAF, 1);
    apply_insert(&page, 0, text("key"), 0, text("data"), false);
    assert_int_equal(apply_check_line(&page, 0), FITS);
    assert_int_equal(apply_check_line(&page, 1), NOT);
    assert_int_equal(apply_check_replace(&page, 1, 4), NOT);
    assert_int_equal(apply_check_replace(&page, 0, 2), FITS);
    assert_int_equal(apply_check_replace(&page, 0, 4 + page_free_bytes(&page)), FITS);
    assert_int_equal(apply_check_replace(&page, 0, 5 + page_free_bytes(&page)), NOT);
    assert_int_equal(apply_check_delta(&page, 1, 0, 4), NOT);
    assert_int_equal(apply_check_delta(&page, 0, 0, 4), FITS);
    assert_int_equal(apply_check_delta(&page, 0, 1, 4), NOT);
    assert_int_equal(apply_check_delta(&page, 0, 0, 8), NOT);
}

static void undone_changes_lose_their_mark(void **state)
{
    (void)state;
    for (int unversion = 0; unversion < 2; unversion++) {
        const uint8_t mark = unversion ? 0 : NODE_VERSIONED;
        node_with(NODE_VERSIONED);
        apply_undo_insert(&page, 0, unversion);
        flags_are(NODE_DELETED | mark);
        node_with(NODE_VERSIONED | NODE_DELETED);
        apply_undo_flag_delete(&page, 0, unversion);
        flags_are(mark);
        node_with(NODE_VERSIONED);
        apply_undo_replace(&page, 0, text("before"), unversion);
        flags_are(mark);
        assert_memory_equal(node_get(&page, 0).data.bytes, "before", 6);
    }
}

/* Differences of "0123456789": offset and flags, sizes, bytes. */
static void differences_are_checked(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t size;
        bool wide;
        JET_ERR err;
        const char *result;
    } rows[] = {
        {"", 0, false, FITS, "0123456789"},
        {"\x02\x00\x01\x03x", 5, false, FITS, "01x56789"},
        {"\x02\x40\x02xy", 5, false, FITS, "01xy23456789"},            /* insert */
        {"\x02\x20\x02xy", 5, false, FITS, "01xy456789"},              /* same length */
        {"\x02\x80\x01\x00\x03\x00x", 7, false, FITS, "01x56789"},     /* wide lengths */
        {"\x02\x00\x00\x01\x03x", 6, true, FITS, "01x56789"},          /* wide header */
        {"\x02\x20\x01x\x08\x20\x02yz", 9, false, FITS, "01x34567yz"}, /* two */
        {"\x02", 1, false, NOT, NULL},                                 /* half a header */
        {"\x02\x00", 2, false, NOT, NULL},                             /* no length */
        {"\x02\x00\x01", 3, false, NOT, NULL},                         /* no old length */
        {"\x02\x00\x02\x03x", 5, false, NOT, NULL},                    /* bytes missing */
        {"\x02\x20\x03xyz\x04\x20\x01y", 10, false, NOT, NULL},        /* backwards */
        {"\x0b\x40\x01x", 4, false, NOT, NULL},                        /* beyond the end */
        {"\x08\x20\x03xyz", 6, false, NOT, NULL},                      /* over the end */
        {"\x0a\x40\x03xyz", 6, false, NOT, NULL},                      /* more than the result may have */
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint8_t out[12] = {0};
        uint32_t size = 99;
        JET_ERR err = apply_difference(text("0123456789"), span_of(rows[i].bytes, rows[i].size), rows[i].wide,
                                       out, sizeof out, &size);
        if (err != rows[i].err)
            fail_msg("row %zu: %d", i, err);
        if (err == FITS) {
            assert_int_equal(size, strlen(rows[i].result));
            assert_memory_equal(out, rows[i].result, size);
        }
    }
}

/* ---- splits: a good one, and what makes it a bad one */

static uint8_t more_bytes[3][4096];
static uint8_t scratch[4096];
static struct split_step steps[2]; /* a page above, and the leaf below */
static struct split_change change;

enum { LEFT = 20, RIGHT = 21, TOP = 22 };

static void good_split(void)
{
    static const uint8_t keys[4][3] = {"aaa", "bbb", "ccc", "ddd"};
    static const page_number child = LEFT;
    page_format(&page, 9, PAGE_LEAF, 1);
    page.number = LEFT;
    for (uint32_t i = 0; i < 4; i++)
        apply_insert(&page, i, span_of(keys[i], 3), 0, text("data"), false);
    struct page above = {more_bytes[0], 4096, TOP};
    page_format(&above, 9, PAGE_ROOT | PAGE_PARENT_OF_LEAF, 1);
    struct node pointer = {key_of(NULL, 0), span_of(&child, sizeof child), 0};
    node_insert(&above, 0, &pointer, 0);
    change = (struct split_change){text("cc"), text("new"), true};
    steps[0] = (struct split_step){.page = above, .change_page = true, .operation_line = 0};
    steps[1] = (struct split_step){
        .page = page,
        .change_page = true,
        .splits = true,
        .new_page = {more_bytes[1], 4096, RIGHT},
        .change_new = true,
        .split_number = LEFT,
        .new_number = RIGHT,
        .type = SPLIT_RIGHT,
        .operation = SPLIT_OPERATION_INSERT,
        .operation_line = 2,
        .split_line = 3,
        .line_count = 5,
        .new_flags = PAGE_LEAF,
        .split_flags = PAGE_LEAF,
        .prefix_line_split = SPLIT_LINE_NONE,
        .prefix_line_new = SPLIT_LINE_NONE,
        .parent_key = text("cca"),
    };
}

/* The leaf's step becomes one of a page of pointers. */
static void good_branch_split(void)
{
    good_split();
    static const page_number child = LEFT;
    page_format(&page, 9, PAGE_PARENT_OF_LEAF, 1);
    for (uint32_t i = 0; i < 4; i++) {
        struct node pointer = {key_of(&"abcd"[i], i < 3), span_of(&child, sizeof child), 0};
        node_insert(&page, i, &pointer, 0);
    }
    steps[1].new_flags = PAGE_PARENT_OF_LEAF;
    steps[1].operation = SPLIT_OPERATION_NONE;
    steps[1].line_count = 4;
    steps[1].split_line = 2;
}

static void no_such_type(void)
{
    steps[1].type = (enum split_type)(SPLIT_APPEND + 1);
}
static void no_such_operation(void)
{
    steps[1].operation = (enum split_operation)(SPLIT_OPERATION_FLAG_INSERT_AND_REPLACE + 1);
}
static void no_lines(void)
{
    steps[1].line_count = 0;
}
static void splits_behind_the_end(void)
{
    steps[1].split_line = 5;
}
static void splits_right_at_the_front(void)
{
    steps[1].split_line = 0;
}
static void splits_down_in_the_middle(void)
{
    steps[1].type = SPLIT_VERTICAL;
}
static void inserts_behind_the_end(void)
{
    steps[1].operation_line = 5;
}
static void counts_other_lines(void)
{
    steps[1].line_count = 6;
    steps[1].split_line = 4;
}
static void counts_other_lines_of_a_new_page(void)
{
    steps[1].change_page = false;
    steps[1].line_count = 6;
}
static void appends_another_operation(void)
{
    steps[1].type = SPLIT_APPEND;
    steps[1].operation = SPLIT_OPERATION_REPLACE;
}
static void appends_in_the_middle(void)
{
    steps[1].type = SPLIT_APPEND;
}
static void appends_another_line(void)
{
    steps[1].type = SPLIT_APPEND;
    steps[1].operation_line = 4;
}
static void takes_a_negative_prefix(void)
{
    steps[1].prefix_line_new = -2;
}
static void takes_a_prefix_of_no_line(void)
{
    steps[1].prefix_line_new = 2;
}
static void splits_down_below_the_root(void)
{
    steps[1].type = SPLIT_VERTICAL;
    steps[1].split_line = 0;
}
static void splits_the_root_right(void)
{
    page_header(&page)->flags |= PAGE_ROOT;
}
static void fills_the_new_page(void)
{
    change.data = some(4040);
    steps[1].operation_line = 3;
    steps[1].prefix_line_new = 1;
}
static void fills_the_old_page(void)
{
    change.data = some(4040);
}
static void stands_alone(void)
{
    steps[1].splits = false;
}
static void points_to_another_page(void)
{
    steps[1].split_number = 77;
}
static void points_from_nowhere(void)
{
    page_delete_lines(&steps[0].page, 0, 1);
}
static void fills_the_page_above(void)
{
    page_delete_lines(&steps[0].page, 0, 1);
    static const page_number child = LEFT;
    struct node pointer = {key_of(some(4040).bytes, 4040), span_of(&child, sizeof child), 0};
    page_set_external_header(&steps[0].page, NULL, 0);
    pointer.key = key_of(memset(scratch, 'z', 4000), 4000);
    node_insert(&steps[0].page, 0, &pointer, 0);
    steps[1].parent_key = some(40);
}
static void splits_below_a_leaf(void)
{
    page_header(&steps[0].page)->flags |= PAGE_LEAF;
}
static void nothing(void)
{
}
static void is_done_already(void)
{
    steps[1].change_page = steps[1].change_new = false;
    steps[1].line_count = 9;
}
static void is_half_done(void)
{
    steps[1].change_page = false; /* the new page takes its lines from the old one's image */
}
static void is_half_done_but_the_last_line(void)
{
    is_half_done();
    steps[1].split_line = 4;
}
static void is_half_done_with_a_line_of_its_own(void)
{
    is_half_done();
    steps[1].operation_line = steps[1].split_line = 4; /* the old page's lines do not count */
    page_delete_lines(&page, 0, 2);
}
static void appends(void)
{
    steps[1].type = SPLIT_APPEND;
    steps[1].operation_line = steps[1].split_line = 4;
    steps[1].change_page = false;
}
static void takes_a_prefix(void)
{
    steps[1].prefix_line_new = 1;
}
static void replaces(void)
{
    steps[1].operation = SPLIT_OPERATION_REPLACE;
    steps[1].line_count = 4;
}
static void replaces_and_appends(void)
{
    replaces();
    steps[1].operation = SPLIT_OPERATION_FLAG_INSERT_AND_REPLACE;
    steps[1].operation_line = 3;
}
static void replaces_pointers(void)
{
    steps[1].operation = SPLIT_OPERATION_REPLACE;
}
static void replaces_deleted_pointers(void)
{
    steps[1].operation = SPLIT_OPERATION_FLAG_INSERT_AND_REPLACE;
}
static void inserts_no_pointer(void)
{
    steps[1].operation = SPLIT_OPERATION_INSERT;
    steps[1].line_count = 5;
}

static const struct {
    const char *name;
    void (*good)(void);
    void (*make)(void);
    JET_ERR err;
} splits[] = {
#define ROW(good, make, err)                                                                                 \
    {                                                                                                        \
#make, good, make, err                                                                               \
    }
    ROW(good_split, nothing, FITS),
    ROW(good_split, is_done_already, FITS),
    ROW(good_split, is_half_done, FITS),
    ROW(good_split, is_half_done_but_the_last_line, FITS),
    ROW(good_split, is_half_done_with_a_line_of_its_own, FITS),
    ROW(good_split, appends, FITS),
    ROW(good_split, takes_a_prefix, FITS),
    ROW(good_split, replaces, FITS),
    ROW(good_split, replaces_and_appends, FITS),
    ROW(good_branch_split, nothing, FITS),
    ROW(good_split, no_such_type, NOT),
    ROW(good_split, no_such_operation, NOT),
    ROW(good_split, no_lines, NOT),
    ROW(good_split, splits_behind_the_end, NOT),
    ROW(good_split, splits_right_at_the_front, NOT),
    ROW(good_split, splits_down_in_the_middle, NOT),
    ROW(good_split, inserts_behind_the_end, NOT),
    ROW(good_split, counts_other_lines, NOT),
    ROW(good_split, counts_other_lines_of_a_new_page, NOT),
    ROW(good_split, appends_another_operation, NOT),
    ROW(good_split, appends_in_the_middle, NOT),
    ROW(good_split, appends_another_line, NOT),
    ROW(good_split, takes_a_negative_prefix, NOT),
    ROW(good_split, takes_a_prefix_of_no_line, NOT),
    ROW(good_split, splits_down_below_the_root, NOT),
    ROW(good_split, splits_the_root_right, NOT),
    ROW(good_split, fills_the_new_page, NOT),
    ROW(good_split, fills_the_old_page, NOT),
    ROW(good_split, stands_alone, NOT),
    ROW(good_split, points_to_another_page, NOT),
    ROW(good_split, points_from_nowhere, NOT),
    ROW(good_split, fills_the_page_above, NOT),
    ROW(good_split, splits_below_a_leaf, NOT),
    ROW(good_branch_split, replaces_pointers, NOT),
    ROW(good_branch_split, replaces_deleted_pointers, NOT),
    ROW(good_branch_split, inserts_no_pointer, NOT),
#undef ROW
};

static void splits_are_checked(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof splits / sizeof splits[0]; i++) {
        splits[i].good();
        splits[i].make();
        JET_ERR err = apply_check_split(steps, 2, &change);
        if (err != splits[i].err)
            fail_msg("a split that does '%s': %d", splits[i].name, err);
        if (err != FITS)
            continue;
        struct page before = steps[1].page;
        uint32_t lines = page_line_count(&before);
        apply_split(steps, 2, &change, 9, 5, scratch);
        if (!steps[1].change_page || !steps[1].change_new)
            continue;
        assert_int_equal(page_line_count(&steps[1].page) + page_line_count(&steps[1].new_page),
                         steps[1].line_count);
        assert_true(lines == 4);
        assert_int_equal(page_line_count(&steps[0].page), 2);
        assert_int_equal(node_child(&steps[0].page, 0), LEFT);
        assert_int_equal(node_child(&steps[0].page, 1), RIGHT);
    }
    good_split();
    assert_int_equal(apply_check_split(steps, 1, &change), NOT); /* a pointer to no split */
}

/* ---- merges and space */

static void moved_nodes_must_fit(void **state)
{
    (void)state;
    page_format(&page, 9, PAGE_LEAF, 1);
    struct page to = {more_bytes[0], 4096, 8};
    page_format(&to, 9, PAGE_LEAF, 1);
    for (uint32_t i = 0; i < 3; i++)
        apply_insert(&page, i, span_of(&"abc"[i], 1), 0, some(1200), true);
    node_set_flags(&page, 1, NODE_DELETED);
    assert_int_equal(apply_move_nodes(&page, 0, 3, &to, 0, scratch), FITS);
    assert_int_equal(page_line_count(&to), 2); /* the deleted one stays */
    assert_int_equal(node_get(&to, 0).key.suffix.bytes[0], 'a');
    assert_int_equal(apply_move_nodes(&page, 2, 3, &to, 0, scratch), FITS);
    assert_int_equal(apply_move_nodes(&page, 0, 1, &to, 0, scratch), NOT);
}

static void nodes_of_space_trees_are_checked(void **state)
{
    (void)state;
    static const struct {
        const char *key;
        size_t key_size;
        uint32_t pages;
        size_t data_size;
        bool good;
        page_number last;
        unsigned pool;
    } rows[] = {
        {"\0\0\0\x30", 4, 16, 4, true, 0x30, 0},     {"\x83\0\0\0\x30", 5, 16, 4, true, 0x30, 3},
        {"\0\0\0\x30", 3, 16, 4, false, 0, 0},       {"\0\0\0\x30", 4, 16, 3, false, 0, 0},
        {"\x83\0\0\x30", 4, 16, 4, false, 0, 0},     {"\x03\0\0\0\x30", 5, 16, 4, false, 0, 0},
        {"\x7f\xff\xff\xff", 4, 16, 4, false, 0, 0}, {"\0\0\0\x30", 4, 0x31, 4, false, 0, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct node node = {key_of(rows[i].key, rows[i].key_size), span_of(&rows[i].pages, rows[i].data_size),
                            0};
        struct space_extent extent;
        unsigned pool = 9;
        assert_int_equal(extent_of_node(&node, &extent, &pool), rows[i].good);
        assert_int_equal(extent_of_node(&node, &extent, NULL), rows[i].good);
        if (rows[i].good) {
            assert_int_equal(extent.last, rows[i].last);
            assert_int_equal(extent.pages, rows[i].pages);
            assert_int_equal(pool, rows[i].pool);
        }
    }
}

static void new_trees_say_what_is_free(void **state)
{
    (void)state;
    struct create_tree_change made = {.root = 50, .object = 9, .pages = 5, .parent = 1};
    struct page root = {more_bytes[0], 4096, 50};
    struct page owned = {more_bytes[1], 4096, 60};
    struct page available = {more_bytes[2], 4096, 61};
    struct space_header header;
    struct space_extent extent;
    apply_create_single(&root, &made);
    memcpy(&header, page_external_header(&root).data, sizeof header);
    assert_int_equal(header.available, 0xf);
    assert_int_equal(header.flags, SPACE_NON_UNIQUE);
    made.pages = 40; /* more than the bitmap tells */
    made.unique = true;
    apply_create_single(&root, &made);
    memcpy(&header, page_external_header(&root).data, sizeof header);
    assert_int_equal(header.available, 0xffffffff);
    assert_int_equal(header.flags, 0);
    made.unique = false;
    made.owned_root = 60;
    apply_create_multiple(&root, NULL, NULL, &made);
    memcpy(&header, page_external_header(&root).data, sizeof header);
    assert_int_equal(header.flags, SPACE_NON_UNIQUE | SPACE_MULTIPLE_EXTENT);
    /* converted: a second extent of just its two roots, and of the first the pages that the bitmap has free
     */
    struct convert_change convert = {.root = 50,
                                     .object = 9,
                                     .secondary_first = 60,
                                     .secondary_pages = 2,
                                     .bitmap = 0x5,
                                     .header = {.pages = 4, .parent = 1}};
    apply_convert(NULL, &owned, &available, &convert);
    assert_int_equal(page_line_count(&owned), 2);
    assert_int_equal(page_line_count(&available), 2);
    struct node node = node_get(&available, 0);
    assert_true(extent_of_node(&node, &extent, NULL));
    assert_true(extent.last == 51 && extent.pages == 1);
    node = node_get(&available, 1);
    assert_true(extent_of_node(&node, &extent, NULL));
    assert_true(extent.last == 53 && extent.pages == 1);
    convert.secondary_pages = 6;
    apply_convert(NULL, NULL, &available, &convert);
    assert_int_equal(page_line_count(&available), 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(changes_mark_nodes),           cmocka_unit_test(inserts_are_checked),
        cmocka_unit_test(changes_of_lines_are_checked), cmocka_unit_test(undone_changes_lose_their_mark),
        cmocka_unit_test(differences_are_checked),      cmocka_unit_test(splits_are_checked),
        cmocka_unit_test(moved_nodes_must_fit),         cmocka_unit_test(nodes_of_space_trees_are_checked),
        cmocka_unit_test(new_trees_say_what_is_free),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
