/* More damages to the database of check_damage_world.h: rows of the catalog, long values, indexes that leave
 * records out, and what is wrong about whole pages. */
#ifndef OPENESENT_TESTS_CHECK_DAMAGES_ROWS_H
#define OPENESENT_TESTS_CHECK_DAMAGES_ROWS_H

#include "tests/check_damages.h"

enum { ROW_TABLE = 1, ROW_COLUMN = 2, ROW_INDEX = 3, ROW_VALUES = 4 };

/* ---- the catalog */

/* The line of the catalog (or its shadow) that has this type and id or, if it is 0, the last of that type. */
static struct page catalog_line(page_number root, uint16_t type, uint32_t id, uint32_t *line)
{
    struct page page = page_at(root);
    if (id == 0)
        return catalog_row(root, type, line);
    while (!page_is_leaf(&page))
        page = page_at(node_child(&page, 0));
    struct page found = page;
    bool seen = false;
    for (;;) {
        for (uint32_t i = 0; i < page_line_count(&page); i++) {
            struct node node = node_get(&page, i);
            if (memcmp(node.data.bytes + 8, &type, 2) == 0 && memcmp(node.data.bytes + 10, &id, 4) == 0) {
                found = page;
                *line = i;
                seen = true;
            }
        }
        if (page_header(&page)->next == 0)
            break;
        page = page_at(page_header(&page)->next);
    }
    assert_true(seen);
    return found;
}

/* The id of the index of that name, of the last table that has one. */
static uint32_t index_id(const char *name)
{
    uint32_t id = 0;
    struct page page = page_at(4);
    while (!page_is_leaf(&page))
        page = page_at(node_child(&page, 0));
    for (;;) {
        for (uint32_t i = 0; i < page_line_count(&page); i++) {
            struct node node = node_get(&page, i);
            if (node.data.bytes[8] == ROW_INDEX &&
                memmem(node.data.bytes, node.data.size, name, strlen(name)) != NULL)
                memcpy(&id, node.data.bytes + 10, 4);
        }
        if (page_header(&page)->next == 0)
            break;
        page = page_at(page_header(&page)->next);
    }
    assert_true(id != 0);
    return id;
}

static void change_rows(uint16_t type, uint32_t id, void (*change)(uint8_t *row, uint32_t argument),
                        uint32_t argument)
{
    for (page_number root = 4; root <= 24; root += 20) { /* and its shadow */
        uint32_t line = 0;
        struct page page = catalog_line(root, type, id, &line);
        change((uint8_t *)(uintptr_t)node_get(&page, line).data.bytes, argument);
        seal(page);
    }
}

static uint32_t row_word(const uint8_t *row, size_t offset)
{
    uint16_t word;
    memcpy(&word, row + offset, 2);
    return word;
}

/* A fixed column's bit stands in the last bytes of the fixed part. */
static void make_null(uint8_t *row, uint32_t column)
{
    uint8_t *nulls = row + row_word(row, 2) - (row[0] + 7) / 8;
    nulls[(column - 1) / 8] |= (uint8_t)(1u << (column - 1) % 8);
}
/* The first variable column is the name. */
static void take_name(uint8_t *row, uint32_t unused)
{
    (void)unused;
    row[row_word(row, 2) + 1] |= 0x80;
}
static void set_type(uint8_t *row, uint32_t type)
{
    memcpy(row + 14, &type, 4);
}
static void set_id(uint8_t *row, uint32_t id)
{
    memcpy(row + 10, &id, 4);
}
static void set_kind(uint8_t *row, uint32_t kind)
{
    memcpy(row + 8, &kind, 2);
}
/* The column before is as long as the two together. */
static void take_last_variable(uint8_t *row, uint32_t unused)
{
    uint32_t count = row[1] - 127u;
    uint8_t *ends = row + row_word(row, 2);
    (void)unused;
    assert_true(count >= 2);
    memcpy(ends + 2 * (count - 2), ends + 2 * (count - 1), 2);
}

static void row_without_kind(void)
{
    change_rows(ROW_INDEX, 0, make_null, 2);
}
static void row_without_id(void)
{
    change_rows(ROW_INDEX, 0, make_null, 3);
}
static void row_without_root(void)
{
    change_rows(ROW_INDEX, 0, make_null, 4);
}
static void row_without_space(void)
{
    change_rows(ROW_INDEX, 0, make_null, 5);
}
static void row_without_flags(void)
{
    change_rows(ROW_INDEX, 0, make_null, 6);
}
static void index_without_name(void)
{
    change_rows(ROW_INDEX, 0, take_name, 0);
    entry_gone();
}
/* Types that nobody knows have the size that the row says. */
static void column_of_no_type(void)
{
    change_rows(ROW_COLUMN, 1, set_type, 77);
}
/* It is not known to be in the record, then. */
static void column_without_id(void)
{
    change_rows(ROW_COLUMN, 1, set_id, 0);
}
static void column_without_place(void)
{
    change_rows(ROW_COLUMN, 1, make_null, 9);
}
static void two_trees_of_values(void)
{
    change_rows(ROW_INDEX, 0, set_kind, ROW_VALUES);
}
/* A row of the last index with that many bytes behind its name: none. */
static void condition_of_no_bytes(void)
{
    change_rows(ROW_INDEX, index_id("sometimes"), take_last_variable, 0);
}
static void limits_of_no_bytes(void)
{
    change_rows(ROW_INDEX, index_id("tuples"), take_last_variable, 0);
}
static void catalog_unreadable(void)
{
    struct page page = page_at(4);
    if (!page_is_leaf(&page))
        page = page_at(node_child(&page, 0));
    memset(page.data, 0, page.size);
}

/* ---- long values */

static struct page last_value_leaf(void)
{
    struct page root = nth_page(PAGE_ROOT | PAGE_LONG_VALUE, 1);
    return page_at(node_child(&root, page_line_count(&root) - 1));
}
static void add_value(const void *key, size_t key_bytes, const void *data, size_t size)
{
    struct page page = last_value_leaf();
    add_node(page, page_line_count(&page), key, key_bytes, data, size);
}
/* Eight bytes of number, the first bit set; its chunks have twelve. */
#define WIDE "\x80\0\0\0\0\0\0\x05"
static void wide_value(void)
{
    static const uint32_t root[2] = {1, 0};
    add_value(WIDE, 8, root, 8);
}
static void wide_value_without_its_chunk(void)
{
    static const uint32_t root[2] = {1, 3};
    add_value(WIDE, 8, root, 8);
}
static void wide_value_with_its_chunk(void)
{
    static const uint32_t root[2] = {1, 3};
    add_value(WIDE, 8, root, 8);
    add_value(WIDE "\0\0\0\0", 12, "abc", 3);
}
static void wide_chunk_too_long(void)
{
    static const uint32_t root[2] = {1, 3};
    add_value(WIDE, 8, root, 8);
    add_value(WIDE "\0\0\0\0", 12, "abcd", 4);
}
static void key_of_thirteen(void)
{
    add_value(WIDE "\0\0\0\0\0", 13, "abc", 3);
}
static void value_of_nothing(void)
{
    static const uint32_t root[2] = {1, 0};
    put_value_root(root, 8);
}
static void value_with_flags(void)
{
    static const uint8_t root[9] = {1, 0, 0, 0, 0x28, 0x23, 0, 0, 0}; /* 9,000 bytes, not encrypted */
    put_value_root(root, 9);
}
/* The first value is still being read when another's chunk comes. */
static void second_value_gone(void)
{
    uint32_t seen = 0;
    for (uint32_t nth = 1;; nth++) {
        struct page page = nth_page(PAGE_LONG_VALUE | PAGE_LEAF, nth);
        for (uint32_t line = 0; line < page_line_count(&page); line++) {
            struct node node = node_get(&page, line);
            if (key_size(&node.key) == 4 && ++seen == 2) {
                drop_line(page, line);
                return;
            }
        }
    }
}
static void values_unreadable(void)
{
    struct page page = last_value_leaf();
    memset(page.data, 0, page.size);
}

/* ---- trees and pages */

static void child_zero(void)
{
    put_number(table_root(), 1, 0);
}
static void empty_separator(void)
{
    struct page root = table_root();
    page_number child = node_child(&root, 1);
    drop_line(root, 1);
    add_node(root, 1, NULL, 0, &child, 4);
}
/* A branch below the first separator whose own last has no end. */
static void separator_behind_the_parents(void)
{
    struct page root = table_root();
    struct page page = spare_page(1);
    page_number child = node_child(&root, 0);
    page_format(&page, page_header(&root)->tree, PAGE_PARENT_OF_LEAF, 1);
    add_node(page, 0, NULL, 0, &child, 4);
    put_number(root, 0, page.number);
}
static void equal_entries_exchanged(void)
{
    uint32_t line = 0;
    struct page row = catalog_line(4, ROW_INDEX, index_id("equal"), &line);
    page_number number;
    memcpy(&number, node_get(&row, line).data.bytes + 14, 4);
    struct page page = page_at(number);
    struct node first = node_get(&page, 0);
    uint8_t key[20];
    uint8_t data[20];
    size_t key_bytes = key_copy(&first.key, 0, key, sizeof key);
    size_t size = first.data.size;
    assert_true(page_is_leaf(&page) && size < sizeof data);
    memcpy(data, first.data.bytes, size);
    drop_line(page, 0);
    add_node(page, 1, key, key_bytes, data, size);
}
static void one_bit_wrong(void)
{
    table_leaf().data[1000] ^= 4;
}
static void last_page_unreadable(void)
{
    trailer_of_a_backup();
    page_at(last_page()).data[200] ^= 0x77;
    page_at(last_page()).data[201] ^= 0x77;
}
static void file_of_two_pages(void)
{
    file_size = 2 * page_size;
}
static void header_differs_from_shadow(void)
{
    file[page_size + 600] ^= 1;
}

#endif
