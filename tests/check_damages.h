/* Damages to the database of check_damage_world.h: each changes one thing, and puts the checksums right. */
#ifndef OPENESENT_TESTS_CHECK_DAMAGES_H
#define OPENESENT_TESTS_CHECK_DAMAGES_H

#include "tests/check_damage_world.h"

/* ---- trees */

static void root_without_flag(void)
{
    set_flags(page_at(24), 0, PAGE_ROOT);
}
static void empty_leaf(void)
{
    set_flags(table_leaf(), PAGE_EMPTY, 0);
}
static void unborn_leaf(void)
{
    set_flags(table_leaf(), PAGE_PRE_INIT, 0);
}
static void leaf_and_parent(void)
{
    set_flags(table_leaf(), PAGE_PARENT_OF_LEAF, 0);
}
static void leaf_of_an_index(void)
{
    set_flags(table_leaf(), PAGE_INDEX, 0);
}
static void leaf_of_another_object(void)
{
    struct page page = table_leaf();
    page_header(&page)->tree++;
    seal(page);
}
static void leaf_of_the_future(void)
{
    struct page page = table_leaf();
    page_header(&page)->modified += 1000000;
    seal(page);
}
static void leaf_with_root_flag(void)
{
    set_flags(table_leaf(), PAGE_ROOT, 0);
}
static void root_not_parent_of_leaves(void)
{
    set_flags(table_root(), 0, PAGE_PARENT_OF_LEAF);
}
static void child_outside(void)
{
    put_number(table_root(), 1, 99999);
}
static void child_twice(void)
{
    struct page root = table_root();
    put_number(root, 2, node_child(&root, 1));
}
static void child_of_space(void)
{
    put_number(table_root(), 1, 3);
}
static void last_leaf_goes_on(void)
{
    struct page root = table_root();
    struct page leaf = page_at(node_child(&root, page_line_count(&root) - 1));
    page_header(&leaf)->next = 30;
    seal(leaf);
}
static void other_next_leaf(void)
{
    struct page leaf = table_leaf();
    page_header(&leaf)->next++;
    seal(leaf);
}
static void other_previous_leaf(void)
{
    struct page leaf = table_leaf();
    page_header(&leaf)->previous++;
    seal(leaf);
}
static void nodes_exchanged(void)
{
    struct page leaf = table_leaf();
    uint8_t key[8];
    struct node node = node_get(&leaf, 0);
    size_t size = key_copy(&node.key, 0, key, sizeof key);
    drop_line(leaf, 0);
    add_node(leaf, 1, key, size, "data", 4);
}
static void leaf_begins_too_early(void)
{
    drop_line(table_leaf(), 0);
    add_node(table_leaf(), 0, "\x7f\x01", 2, "data", 4);
}
static void leaf_ends_too_late(void)
{
    struct page leaf = table_leaf();
    drop_line(leaf, 0);
    add_node(leaf, page_line_count(&leaf), "\xff\xff\xff", 3, "data", 4);
}
static void separators_exchanged(void)
{
    struct page root = table_root();
    page_number child = node_child(&root, 1);
    drop_line(root, 1);
    add_node(root, 1, "\x01", 1, &child, 4);
}
static void separator_too_long(void)
{
    struct page page = spare_page(1);
    uint8_t key[3990];
    page_number child = 30;
    memset(key, 0x80, sizeof key);
    page_format(&page, page_header(&(struct page){table_root().data, page_size, 0})->tree,
                PAGE_PARENT_OF_LEAF, 1);
    add_node(page, 0, key, sizeof key, &child, 4);
    put_number(table_root(), 1, page.number);
}
static void branch_without_children(void)
{
    struct page page = spare_page(1);
    page_format(&page, page_header(&(struct page){table_root().data, page_size, 0})->tree,
                PAGE_PARENT_OF_LEAF, 1);
    seal(page);
    put_number(table_root(), 1, page.number);
}
static void tree_too_deep(void)
{
    struct page root = table_root();
    put_number(root, 1, spare_page(0).number);
    for (uint32_t i = 0; i < 20; i++) {
        struct page page = spare_page(i);
        page_number child = spare_page(i + 1).number;
        page_format(&page, page_header(&root)->tree, 0, 1);
        add_node(page, 0, NULL, 0, &child, 4);
    }
}
static void leaves_at_different_depths(void)
{
    struct page root = table_root();
    struct page page = spare_page(1);
    uint32_t last = page_line_count(&root) - 1;
    page_number child = node_child(&root, last);
    page_format(&page, page_header(&root)->tree, PAGE_PARENT_OF_LEAF, 1);
    add_node(page, 0, NULL, 0, &child, 4);
    put_number(root, last, page.number);
}
static void zero_child(void)
{
    struct page leaf = table_leaf();
    memset(leaf.data, 0, leaf.size);
}
static void tags_overlap(void)
{
    struct page leaf = table_leaf();
    memcpy(leaf.data + leaf.size - 8, leaf.data + leaf.size - 12, 4);
    seal(leaf);
}

/* ---- space */

static void extent_of_three_bytes(void)
{
    put_data(page_at(2), 0, "abc", 3);
}
static void extent_with_a_long_key(void)
{
    static const uint8_t key[] = {0, 0, 0, 1, 1, 1};
    uint32_t pages = 1;
    add_node(page_at(2), 0, key, sizeof key, &pages, 4);
}
static void owned_extent_of_a_pool(void)
{
    static const uint8_t key[] = {0x80, 0, 0, 0, 40};
    uint32_t pages = 1;
    add_node(page_at(2), page_line_count(&(struct page){page_at(2).data, page_size, 2}), key, 5, &pages, 4);
}
static void extent_of_no_pages(void)
{
    put_number(page_at(2), 0, 0);
}
static void extent_of_too_many_pages(void)
{
    put_number(page_at(2), 0, 0x7fffffff);
}
static void extent_that_ends_at_zero(void)
{
    static const uint8_t key[4] = {0};
    uint32_t pages = 1;
    add_node(page_at(2), 0, key, 4, &pages, 4);
}
static void extent_beyond_the_end(void)
{
    static const uint8_t key[4] = {0, 1, 0, 0};
    uint32_t pages = 1;
    add_node(page_at(3), page_line_count(&(struct page){page_at(3).data, page_size, 3}), key, 4, &pages, 4);
}
static void extents_that_overlap(void)
{
    struct page page = page_at(3);
    struct extent_key key = extent_key_of(last_page() - 1);
    uint32_t pages = 2;
    add_node(page, 0, key.bytes, 4, &pages, 4);
}
static void empty_pool(void)
{
    static const uint8_t key[] = {0x81, 0, 0, 0, 40};
    uint32_t none = 0;
    add_node(page_at(3), page_line_count(&(struct page){page_at(3).data, page_size, 3}), key, 5, &none, 4);
}
static void available_to_another(void)
{
    struct page page = nth_page(PAGE_ROOT | PAGE_LEAF | PAGE_SPACE_TREE, 2);
    static const uint8_t key[] = {0, 0, 0, 4};
    uint32_t pages = 1;
    add_node(page, 0, key, 4, &pages, 4);
}
static void used_page_in_a_pool(void)
{
    static const uint8_t key[] = {0x81, 0, 0, 0, 4};
    uint32_t pages = 1;
    add_node(page_at(3), page_line_count(&(struct page){page_at(3).data, page_size, 3}), key, 5, &pages, 4);
}
static void available_twice(void)
{
    struct page page = page_at(3);
    uint8_t key[5] = {0x81};
    struct extent_key last = extent_key_of(last_page());
    uint32_t pages = 1;
    memcpy(key + 1, last.bytes, 4);
    add_node(page, page_line_count(&page), key, 5, &pages, 4);
}
static void database_root_available(void)
{
    static const uint8_t key[4] = {0, 0, 0, 1};
    uint32_t pages = 1;
    add_node(page_at(3), 0, key, 4, &pages, 4);
}
static void small_split_buffer(void)
{
    put_external_header(page_at(2), "12345678", 8);
}
static void no_split_buffer(void)
{
    struct page page = page_at(2);
    page_set_external_header(&page, NULL, 0);
    seal(page);
}
static void split_buffer_before_the_file(void)
{
    static const uint32_t words[4] = {3, 9, 0, 0};
    put_external_header(page_at(3), words, 16);
}
static void split_buffer_behind_the_file(void)
{
    static const uint32_t words[4] = {0, 0, 99999, 1};
    put_external_header(page_at(3), words, 16);
}
static void root_without_space_header(void)
{
    struct page page = nth_page(PAGE_ROOT | PAGE_INDEX, 1);
    page_set_external_header(&page, NULL, 0);
    seal(page);
}
static void root_with_fields_but_no_space(void)
{
    static const uint8_t fields[25] = {2};
    put_external_header(table_root(), fields, sizeof fields);
}
static void parent_that_is_no_tree(void)
{
    put_header_word(table_root(), 4, 77);
}
static void parents_in_a_ring(void)
{
    put_header_word(table_root(), 4, nth_page(PAGE_ROOT | PAGE_INDEX, 1).number);
}
static void root_with_a_parent(void)
{
    put_header_word(page_at(1), 4, 1);
}
static void not_unique(void)
{
    struct page root = table_root();
    struct line line = page_external_header(&root);
    uint32_t flags;
    memcpy(&flags, line.data + 8 + (line.size % 8 == 1), 4);
    put_header_word(root, 8, flags ^ 2);
}
static struct page single_root(void)
{
    for (page_number number = 25; number <= last_page(); number++) {
        struct page page = page_at(number);
        struct line line = page_external_header(&page);
        if (!page_is_zero(&page) && page_is_root(&page) && !page_has_flag(&page, PAGE_SPACE_TREE) &&
            line.size == 16 && (line.data[8] & 1) == 0)
            return page;
    }
    fail();
    return page_at(1);
}
static void single_extent_of_nothing(void)
{
    put_header_word(single_root(), 0, 0);
}
static void single_extent_of_forty(void)
{
    put_header_word(single_root(), 0, 40);
}
static void single_extent_cut_off(void)
{
    file_size = page_file_offset(single_root().number + 1, page_size);
    put_header_word(single_root(), 0, 8);
}
static void bit_behind_the_extent(void)
{
    put_header_word(single_root(), 12, 0x80000000);
}
static void space_trees_nowhere(void)
{
    put_header_word(table_root(), 12, 0);
}
static void space_trees_behind(void)
{
    put_header_word(table_root(), 12, last_page());
}
static void space_trees_unreadable(void)
{
    put_header_word(table_root(), 12, last_page() - 1);
}
static void unreadable_root(void)
{
    table_root().data[300] ^= 0x77;
    table_root().data[301] ^= 0x77;
}

/* ---- long values: their roots' keys have four bytes, the chunks' eight */

static uint32_t value_line(struct page page, uint32_t key_bytes, uint32_t nth)
{
    for (uint32_t line = 0; line < page_line_count(&page); line++) {
        struct node node = node_get(&page, line);
        if (key_size(&node.key) == key_bytes && --nth == 0)
            return line;
    }
    fail();
    return 0;
}
static void put_value_root(const void *bytes, size_t size)
{
    put_data(value_leaf(), value_line(value_leaf(), 4, 1), bytes, size);
}
static void value_root_too_short(void)
{
    put_value_root("1234567", 7);
}
static void value_without_references(void)
{
    static const uint32_t root[2] = {0, 9000};
    put_value_root(root, 8);
}
static void value_with_all_references(void)
{
    static const uint32_t root[2] = {UINT32_MAX, 9000};
    put_value_root(root, 8);
}
static void value_with_two_references(void)
{
    static const uint32_t root[2] = {2, 9000};
    put_value_root(root, 8);
}
static void value_too_small(void)
{
    static const uint32_t root[2] = {1, 50};
    put_value_root(root, 8);
}
static void value_too_large(void)
{
    static const uint32_t root[2] = {1, 90000};
    put_value_root(root, 8);
}
static void encrypted_value(void)
{
    uint8_t root[9] = {1, 0, 0, 0, 0x10, 0x23, 0, 0, 1}; /* 8,976 bytes; its chunks are longer */
    put_value_root(root, 9);
}
static void value_deleted(void)
{
    struct page page = value_leaf();
    node_set_flags(&page, value_line(page, 4, 1), NODE_DELETED);
    seal(page);
}
static void value_gone(void)
{
    drop_line(value_leaf(), value_line(value_leaf(), 4, 1));
}
static void first_chunk_gone(void)
{
    drop_line(value_leaf(), value_line(value_leaf(), 8, 1));
}
static void last_chunk_gone(void)
{
    /* the last node of the tree */
    struct page root = nth_page(PAGE_ROOT | PAGE_LONG_VALUE, 1);
    struct page leaf = page_at(node_child(&root, page_line_count(&root) - 1));
    drop_line(leaf, page_line_count(&leaf) - 1);
}
static void key_of_five(void)
{
    struct page page = value_leaf();
    drop_line(page, 1);
    add_node(page, 1, "\0\0\0\1\0", 5, "x", 1);
}
static void rows_without_reference(void)
{
    /* every row flag-deleted: nothing refers to the values */
    struct page root = table_root();
    for (uint32_t line = 0; line < page_line_count(&root); line++) {
        struct page leaf = page_at(node_child(&root, line));
        for (uint32_t i = 0; i < page_line_count(&leaf); i++)
            node_set_flags(&leaf, i, NODE_DELETED);
        seal(leaf);
    }
}

/* ---- indexes */

static void entry_gone(void)
{
    drop_line(nth_page(PAGE_INDEX | PAGE_LEAF, 2), 1);
}
static void entry_to_nowhere(void)
{
    struct page page = nth_page(PAGE_INDEX | PAGE_LEAF, 2);
    put_data(page, 1, "\x7f\xff\xff\xff\xff", 5);
}

/* ---- the catalog */

/* The last row of the catalog (or its shadow) of an object's type. */
static struct page catalog_row(page_number root, uint16_t type, uint32_t *line)
{
    struct page page = page_at(root);
    struct page found = page;
    *line = UINT32_MAX;
    while (!page_is_leaf(&page))
        page = page_at(node_child(&page, 0));
    for (;;) {
        for (uint32_t i = 0; i < page_line_count(&page); i++) {
            struct node node = node_get(&page, i);
            uint16_t there;
            memcpy(&there, node.data.bytes + 8, 2);
            if (there == type) {
                found = page;
                *line = i;
            }
        }
        if (page_header(&page)->next == 0)
            break;
        page = page_at(page_header(&page)->next);
    }
    assert_true(*line != UINT32_MAX);
    return found;
}

static void put_catalog(uint16_t type, size_t offset, uint32_t value, size_t size)
{
    for (page_number root = 4; root <= 24; root += 20) { /* and its shadow */
        uint32_t line;
        struct page page = catalog_row(root, type, &line);
        struct node node = node_get(&page, line);
        memcpy((uint8_t *)(uintptr_t)node.data.bytes + offset, &value, size);
        seal(page);
    }
}
static void row_without_columns(void)
{
    put_catalog(3, 0, 2, 1);
}
static void row_without_type(void)
{
    put_catalog(3, 0, 1, 1);
}
static void root_nowhere(void)
{
    put_catalog(3, 14, 99999, 4);
}
static void root_zero(void)
{
    put_catalog(3, 14, 0, 4);
}
static void other_table_id(void)
{
    put_catalog(1, 10, 9999, 4);
}
static void unknown_type(void)
{
    put_catalog(3, 8, 77, 2);
}
static void callback_type(void)
{
    put_catalog(3, 8, 5, 2);
}
static void index_of_no_table(void)
{
    put_catalog(3, 4, 5555, 4);
}
static void two_roots(void)
{
    put_catalog(3, 14, table_root().number, 4);
}
static void two_ids(void)
{
    put_catalog(3, 10, page_header(&(struct page){table_root().data, page_size, 0})->tree, 4);
}
static void id_too_high(void)
{
    put_catalog(3, 10, 7777, 4);
}
static void shadow_differs(void)
{
    uint32_t line;
    struct page page = catalog_row(24, 3, &line);
    node_set_flags(&page, line, NODE_DELETED);
    seal(page);
}

/* ---- the header */

static void change_header(void (*change)(struct database_header *header))
{
    for (size_t copy = 0; copy < 2; copy++) {
        uint8_t *bytes = file + copy * page_size;
        change((struct database_header *)(void *)bytes);
        checksum_header_set(bytes, page_size);
    }
}
static void set_no_state(struct database_header *header)
{
    header->state = 0;
}
static void set_high_state(struct database_header *header)
{
    header->state = 99;
}
static void set_required(struct database_header *header)
{
    header->generation_min_required = header->generation_max_required = 3;
}
static void set_maximum(struct database_header *header)
{
    header->generation_max_required = 3;
}
static void set_minimum(struct database_header *header)
{
    header->generation_min_required = 3;
}
static void state_zero(void)
{
    change_header(set_no_state);
}
static void state_too_high(void)
{
    change_header(set_high_state);
}
static void clean_but_requires_logs(void)
{
    change_header(set_required);
}
static void clean_but_requires_a_log(void)
{
    change_header(set_maximum);
}
static void requires_backwards(void)
{
    change_header(set_minimum);
}
static void ends_within_a_page(void)
{
    file_size -= 100;
}
/* The last page of a streamed copy says how the backup went: it has a header's checksum, no page's. */
static void trailer_of_a_backup(void)
{
    uint8_t *bytes = page_at(last_page()).data;
    memset(bytes, 0, page_size);
    bytes[100] = 7;
    checksum_header_set(bytes, page_size);
}
static void nothing(void)
{
}

#endif
