#include "src/btree/apply_space.h"
#include "src/btree/root_header.h"

/* In an available-extents tree, keys whose first byte has this bit name a pool and have the page in the next
 * four. */
#define EXTENT_KEY_POOL 0x80u
#define EXTENT_KEY_POOL_MASK 0x07u

/* No file has as many pages. */
#define EXTENT_PAGE_MOST 0x7fffffffu

struct extent_key extent_key_of(page_number last)
{
    return (struct extent_key){
        {(uint8_t)(last >> 24), (uint8_t)(last >> 16), (uint8_t)(last >> 8), (uint8_t)last}};
}

bool extent_of_node(const struct node *node, struct space_extent *extent, unsigned *pool)
{
    uint8_t key[5] = {0};
    size_t size = key_size(&node->key);
    const uint8_t *number = key;

    if ((size != 4 && size != 5) || node->data.size != sizeof(uint32_t))
        return false;
    key_copy(&node->key, 0, key, sizeof key);
    if (((key[0] & EXTENT_KEY_POOL) != 0) != (size == 5))
        return false;
    if (size == 5)
        number = key + 1;
    if (pool != NULL)
        *pool = size == 5 ? key[0] & EXTENT_KEY_POOL_MASK : 0;
    extent->last =
        (page_number)number[0] << 24 | (page_number)number[1] << 16 | (page_number)number[2] << 8 | number[3];
    memcpy(&extent->pages, node->data.bytes, sizeof extent->pages);
    return extent->last < EXTENT_PAGE_MOST && extent->pages <= extent->last;
}

static void set_header(struct page *page, const void *header, size_t size)
{
    struct span part = span_of(header, size);

    page_set_external_header(page, &part, 1);
}

static void format_space_root(struct page *page, object_id object, uint32_t page_flags, dbtime modified)
{
    struct split_buffer buffer;

    memset(&buffer, 0, sizeof buffer);
    page_format(page, object, page_flags | PAGE_ROOT | PAGE_LEAF | PAGE_SPACE_TREE, modified);
    set_header(page, &buffer, sizeof buffer);
}

/* Extents come in any order; the page keeps them in that of their keys. */
static void insert_extent(struct page *page, page_number last, uint32_t pages)
{
    struct extent_key key = extent_key_of(last);
    struct node node = {key_of(key.bytes, sizeof key.bytes), span_of(&pages, sizeof pages), 0};
    uint32_t line = 0;

    while (line < page_line_count(page)) {
        struct node there = node_get(page, line);

        if (key_compare(&there.key, &node.key) > 0)
            break;
        line++;
    }
    node_insert(page, line, &node, 0);
}

void apply_create_single(struct page *root, const struct create_tree_change *change)
{
    struct space_header header = {.pages = change->pages, .parent = change->parent};

    header.flags = change->unique ? 0 : SPACE_NON_UNIQUE;
    if (change->pages > SPACE_BITMAP_PAGES)
        header.available = 0xffffffff;
    else
        header.available = (uint32_t)((UINT64_C(1) << (change->pages - 1)) - 1);
    page_format(root, change->object, change->page_flags | PAGE_ROOT | PAGE_LEAF, change->modified);
    set_header(root, &header, sizeof header);
}

void apply_create_multiple(struct page *root, struct page *owned, struct page *available,
                           const struct create_tree_change *change)
{
    page_number last = change->root + change->pages - 1;

    if (root != NULL) {
        struct space_header header = {change->pages, change->parent, SPACE_MULTIPLE_EXTENT,
                                      change->owned_root};

        if (!change->unique)
            header.flags |= SPACE_NON_UNIQUE;
        page_format(root, change->object, change->page_flags | PAGE_ROOT | PAGE_LEAF, change->modified);
        set_header(root, &header, sizeof header);
    }
    if (owned != NULL) {
        format_space_root(owned, change->object, change->page_flags, change->modified);
        insert_extent(owned, last, change->pages);
    }
    if (available != NULL) {
        format_space_root(available, change->object, change->page_flags, change->modified);
        if (change->pages > SPACE_MULTIPLE_PAGES_MIN)
            insert_extent(available, last, change->pages - SPACE_MULTIPLE_PAGES_MIN);
    }
}

/* The free pages of a single extent as extents. */
static void insert_bitmap(struct page *available, const struct convert_change *change)
{
    page_number first = 0; /* of the run that is being gathered */
    page_number last = change->root + change->header.pages - 1;

    for (page_number number = change->root + 1; number <= last; number++) {
        uint32_t bit = number - change->root - 1;
        bool is_free = bit >= SPACE_BITMAP_PAGES || (change->bitmap >> bit & 1) != 0;

        if (is_free && first == 0)
            first = number;
        if (!is_free && first != 0) {
            insert_extent(available, number - 1, number - first);
            first = 0;
        }
    }
    if (first != 0)
        insert_extent(available, last, last - first + 1);
}

void apply_convert(struct page *root, struct page *owned, struct page *available,
                   const struct convert_change *change)
{
    page_number secondary_last = change->secondary_first + change->secondary_pages - 1;

    if (owned != NULL) {
        format_space_root(owned, change->object, change->page_flags, change->modified);
        insert_extent(owned, secondary_last, change->secondary_pages);
        insert_extent(owned, change->root + change->header.pages - 1, change->header.pages);
    }
    if (available != NULL) {
        format_space_root(available, change->object, change->page_flags, change->modified);
        if (change->secondary_pages > 2)
            insert_extent(available, secondary_last, change->secondary_pages - 2);
        insert_bitmap(available, change);
    }
    if (root != NULL) {
        struct space_header header = change->header;
        uint8_t bytes[ROOT_HEADER_MOST];

        header.flags |= SPACE_MULTIPLE_EXTENT;
        header.available = change->secondary_first;
        set_header(root, bytes, root_header_with_space(root, &header, bytes));
    }
}
