#include "src/page/page.h"
#include "src/page/node.h"

#define SMALL_MASK 0x1fffu
#define LARGE_MASK 0x7fffu
#define FLAGS_SHIFT 13
#define FLAGS_MASK 0xe000u
#define TAG_COUNT_MASK 0x0fffu
#define RESERVED_SHIFT 12
#define RESERVED_MASK 0x7u
#define TAG_SIZE ((uint32_t)sizeof(struct page_tag))

static uint32_t data_size(const struct page *page)
{
    return page->size - page_header_size(page->size);
}

static uint8_t *data_start(const struct page *page)
{
    return page->data + page_header_size(page->size);
}

static uint32_t tag_count(const struct page *page)
{
    return page_header(page)->tag_state & TAG_COUNT_MASK;
}

/* Tags in front of the lines: the external header's, and in newer databases up to six more. */
static uint32_t reserved_count(const struct page *page)
{
    const uint32_t reserved = (uint32_t)page_header(page)->tag_state >> RESERVED_SHIFT & RESERVED_MASK;
    return reserved == 0 ? 1 : reserved;
}

static void set_tag_count(struct page *page, uint32_t count)
{
    struct page_header *header = page_header(page);
    ASSERT(count <= TAG_COUNT_MASK);
    header->tag_state = (uint16_t)((header->tag_state & ~TAG_COUNT_MASK) | count);
}

static struct page_tag *tag_at(const struct page *page, uint32_t index)
{
    return (struct page_tag *)(void *)(page->data + page->size) - (index + 1);
}

static uint32_t offset_mask(const struct page *page)
{
    return page_size_is_large(page->size) ? LARGE_MASK : SMALL_MASK;
}

static uint32_t tag_size(const struct page *page, const struct page_tag *tag)
{
    return tag->size & offset_mask(page);
}

static uint32_t tag_offset(const struct page *page, const struct page_tag *tag)
{
    return tag->offset & offset_mask(page);
}

static void tag_set(const struct page *page, struct page_tag *tag, uint32_t offset, uint32_t size)
{
    const uint32_t mask = offset_mask(page);
    ASSERT(offset <= mask && size <= mask);
    tag->offset = (uint16_t)((tag->offset & ~mask) | offset);
    tag->size = (uint16_t)((tag->size & ~mask) | size);
}

static uint8_t tag_flags(const struct page *page, uint32_t index)
{
    const struct page_tag *tag = tag_at(page, index);
    if (!page_size_is_large(page->size))
        return (uint8_t)(tag->offset >> FLAGS_SHIFT);
    if (index < reserved_count(page) || tag_size(page, tag) < 2)
        return 0;
    uint16_t first;
    memcpy(&first, data_start(page) + tag_offset(page, tag), 2);
    return (uint8_t)(first >> FLAGS_SHIFT);
}

static void tag_set_flags(const struct page *page, uint32_t index, uint8_t flags)
{
    struct page_tag *tag = tag_at(page, index);
    ASSERT(flags <= 7);
    if (!page_size_is_large(page->size)) {
        tag->offset = (uint16_t)((tag->offset & SMALL_MASK) | (uint32_t)flags << FLAGS_SHIFT);
        return;
    }
    if (index < reserved_count(page) || tag_size(page, tag) < 2)
        return;
    uint8_t *at = data_start(page) + tag_offset(page, tag);
    uint16_t first;
    memcpy(&first, at, 2);
    first = (uint16_t)((first & ~FLAGS_MASK) | (uint32_t)flags << FLAGS_SHIFT);
    memcpy(at, &first, 2);
}

static struct line line_of_tag(const struct page *page, uint32_t index)
{
    const struct page_tag *tag = tag_at(page, index);
    return (struct line){data_start(page) + tag_offset(page, tag), tag_size(page, tag),
                         tag_flags(page, index)};
}

bool page_is_zero(const struct page *page)
{
    const uint8_t *data = page->data;
    return data[0] == 0 && memcmp(data, data + 1, page->size - 1) == 0;
}

void page_format(struct page *page, object_id tree, uint32_t flags, dbtime modified)
{
    ASSERT(page_size_is_valid(page->size) && page->number != PAGE_NUMBER_NULL);
    memset(page->data, 0, page->size);
    struct page_header *header = page_header(page);
    header->tree = tree;
    header->modified = modified;
    header->flags = flags | PAGE_NEW_RECORD_FORMAT | PAGE_NEW_CHECKSUM;
    header->free_bytes = (uint16_t)(data_size(page) - TAG_SIZE);
    header->tag_state = 1;
    if (page_size_is_large(page->size))
        ((struct large_page_header *)(void *)page->data)->number = page->number;
}

/* --- checks --- */

/* Bits of the data area that lines occupy, to find overlaps. */
struct coverage {
    uint64_t words[PAGE_SIZE_MAX / 64];
};

static bool coverage_add(struct coverage *coverage, uint32_t offset, uint32_t size)
{
    uint32_t at = offset;
    const uint32_t end = offset + size;
    while (at < end) {
        const uint32_t low = at % 64;
        const uint32_t take = end - at < 64 - low ? end - at : 64 - low;
        const uint64_t bits = (take == 64 ? ~(uint64_t)0 : ((uint64_t)1 << take) - 1) << low;
        if (coverage->words[at / 64] & bits)
            return false;
        coverage->words[at / 64] |= bits;
        at += take;
    }
    return true;
}

static bool header_is_sane(const struct page *page)
{
    const struct page_header *header = page_header(page);
    const uint32_t tags = tag_count(page);
    const uint32_t flags = header->flags;
    if (header->free_bytes > data_size(page) || header->uncommitted_free_bytes > header->free_bytes ||
        header->free_offset > data_size(page))
        return false;
    if (tags == 0)
        return (flags & (PAGE_EMPTY | PAGE_PRE_INIT)) != 0;
    if (tags < reserved_count(page) || tags * TAG_SIZE + header->free_offset > data_size(page))
        return false;
    if ((flags & PAGE_EMPTY && flags & PAGE_PRE_INIT) || (flags & PAGE_LONG_VALUE && flags & PAGE_INDEX))
        return false;
    return (flags & PAGE_NEW_RECORD_FORMAT) != 0;
}

static bool node_is_sane(const struct page *page, uint32_t line, uint32_t line_count)
{
    struct node node;
    if (node_get_checked(page, line, &node) < JET_errSuccess)
        return false;
    const bool leaf = page_is_leaf(page);
    if (key_size(&node.key) == 0 && (leaf || line + 1 < line_count))
        return false;
    if (leaf)
        return node.data.size != 0;
    return node.data.size == sizeof(page_number) && !(node.flags & (NODE_DELETED | NODE_VERSIONED)) &&
           node_child(page, line) != PAGE_NUMBER_NULL;
}

JET_ERR page_check(const struct page *page)
{
    if (!header_is_sane(page))
        return JET_errDatabaseCorrupted;
    const uint32_t tags = tag_count(page);
    const uint32_t reserved = reserved_count(page);
    struct coverage coverage;
    memset(coverage.words, 0, page->size / 8);
    uint32_t total = 0;
    for (uint32_t index = 0; index < tags; index++) {
        const struct page_tag *tag = tag_at(page, index);
        const uint32_t offset = tag_offset(page, tag);
        const uint32_t size = tag_size(page, tag);
        if (size == 0 && index < reserved)
            continue;
        if (size == 0 || offset + size > page_header(page)->free_offset ||
            !coverage_add(&coverage, offset, size))
            return JET_errDatabaseCorrupted;
        total += size;
    }
    if (tags > 0 && total + tags * TAG_SIZE + page_header(page)->free_bytes != data_size(page))
        return JET_errDatabaseCorrupted;
    const uint32_t lines = page_line_count(page);
    for (uint32_t line = 0; line < lines; line++)
        if (!node_is_sane(page, line, lines))
            return JET_errDatabaseCorrupted;
    return JET_errSuccess;
}

/* --- reading --- */

uint32_t page_line_count(const struct page *page)
{
    const uint32_t tags = tag_count(page);
    const uint32_t reserved = reserved_count(page);
    return tags > reserved ? tags - reserved : 0;
}

struct line page_line(const struct page *page, uint32_t line)
{
    ASSERT(line < page_line_count(page));
    return line_of_tag(page, line + reserved_count(page));
}

struct line page_external_header(const struct page *page)
{
    if (tag_count(page) == 0)
        return (struct line){data_start(page), 0, 0};
    return line_of_tag(page, 0);
}

uint32_t page_free_bytes(const struct page *page)
{
    return page_header(page)->free_bytes;
}

bool page_has_room(const struct page *page, uint32_t size)
{
    return page_header(page)->free_bytes >= size + TAG_SIZE;
}

/* --- changing --- */

static uint32_t contiguous_free(const struct page *page)
{
    return data_size(page) - page_header(page)->free_offset - tag_count(page) * TAG_SIZE;
}

/* Sorts tag indexes by the offset of their lines (heap sort: no recursion, no memory). */
static void sort_by_offset(const struct page *page, uint16_t *indexes, uint32_t count)
{
    uint32_t start = count / 2;
    uint32_t end = count;
    while (end > 1) {
        if (start > 0) {
            start--;
        } else {
            end--;
            const uint16_t swap = indexes[end];
            indexes[end] = indexes[0];
            indexes[0] = swap;
        }
        uint32_t root = start;
        for (;;) {
            uint32_t child = 2 * root + 1;
            if (child >= end)
                break;
            if (child + 1 < end && tag_offset(page, tag_at(page, indexes[child])) <
                                       tag_offset(page, tag_at(page, indexes[child + 1])))
                child++;
            if (tag_offset(page, tag_at(page, indexes[root])) >=
                tag_offset(page, tag_at(page, indexes[child])))
                break;
            const uint16_t swap = indexes[root];
            indexes[root] = indexes[child];
            indexes[child] = swap;
            root = child;
        }
    }
}

/* The tags with a line, by offset. Returns their number. */
static uint32_t list_by_offset(const struct page *page, uint16_t *indexes)
{
    uint32_t count = 0;
    bool sorted = true;
    uint32_t previous = 0;
    for (uint32_t index = 0; index < tag_count(page); index++) {
        const struct page_tag *tag = tag_at(page, index);
        if (tag_size(page, tag) == 0)
            continue;
        sorted = sorted && tag_offset(page, tag) >= previous;
        previous = tag_offset(page, tag);
        indexes[count++] = (uint16_t)index;
    }
    if (!sorted)
        sort_by_offset(page, indexes, count);
    return count;
}

void page_compact(struct page *page)
{
    uint16_t indexes[TAG_COUNT_MASK + 1];
    const uint32_t count = list_by_offset(page, indexes);
    uint8_t *start = data_start(page);
    uint32_t to = 0;
    for (uint32_t i = 0; i < count; i++) {
        struct page_tag *tag = tag_at(page, indexes[i]);
        const uint32_t size = tag_size(page, tag);
        const uint32_t from = tag_offset(page, tag);
        ASSERT(to <= from);
        if (to != from) {
            memmove(start + to, start + from, size);
            tag_set(page, tag, to, size);
        }
        to += size;
    }
    page_header(page)->free_offset = (uint16_t)to;
}

void page_zero_free_space(struct page *page)
{
    uint16_t indexes[TAG_COUNT_MASK + 1];
    const uint32_t count = list_by_offset(page, indexes);
    uint8_t *start = data_start(page);
    uint32_t at = 0;
    for (uint32_t i = 0; i < count; i++) {
        const struct page_tag *tag = tag_at(page, indexes[i]);
        memset(start + at, 0, tag_offset(page, tag) - at);
        at = tag_offset(page, tag) + tag_size(page, tag);
    }
    page_header(page)->free_offset = (uint16_t)at;
    memset(start + at, 0, contiguous_free(page));
}

static void make_contiguous(struct page *page, uint32_t size)
{
    ASSERT(page_header(page)->free_bytes >= size);
    if (contiguous_free(page) < size)
        page_compact(page);
    ASSERT(contiguous_free(page) >= size);
}

static uint32_t parts_size(const struct span *parts, size_t count)
{
    size_t total = 0;
    for (size_t i = 0; i < count; i++)
        total += parts[i].size;
    ASSERT(total <= PAGE_SIZE_MAX);
    return (uint32_t)total;
}

static void copy_parts(uint8_t *to, const struct span *parts, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (parts[i].size != 0)
            memmove(to, parts[i].bytes, parts[i].size);
        to += parts[i].size;
    }
}

/* What could be claimed is counted on the high side; it is never more than what is free. */
static void clamp_uncommitted_free(struct page_header *header)
{
    if (header->uncommitted_free_bytes > header->free_bytes)
        header->uncommitted_free_bytes = header->free_bytes;
}

void page_insert_line(struct page *page, uint32_t line, uint8_t flags, const struct span *parts,
                      size_t part_count)
{
    struct page_header *header = page_header(page);
    const uint32_t size = parts_size(parts, part_count);
    const uint32_t index = line + reserved_count(page);
    const uint32_t tags = tag_count(page);
    ASSERT(index <= tags && size > 0);
    make_contiguous(page, size + TAG_SIZE);
    memmove(tag_at(page, tags), tag_at(page, tags) + 1, (tags - index) * TAG_SIZE);
    set_tag_count(page, tags + 1);
    struct page_tag *tag = tag_at(page, index);
    *tag = (struct page_tag){0, 0};
    tag_set(page, tag, header->free_offset, size);
    copy_parts(data_start(page) + header->free_offset, parts, part_count);
    header->free_offset = (uint16_t)(header->free_offset + size);
    header->free_bytes = (uint16_t)(header->free_bytes - size - TAG_SIZE);
    tag_set_flags(page, index, flags);
    clamp_uncommitted_free(header);
}

static void replace_tag(struct page *page, uint32_t index, uint8_t flags, const struct span *parts,
                        size_t part_count)
{
    struct page_header *header = page_header(page);
    struct page_tag *tag = tag_at(page, index);
    const uint32_t size = parts_size(parts, part_count);
    const uint32_t old_size = tag_size(page, tag);
    const uint32_t old_offset = tag_offset(page, tag);
    const bool last = old_offset + old_size == header->free_offset;
    uint32_t offset = old_offset;
    if (size > old_size && !(last && contiguous_free(page) >= size - old_size)) {
        /* Give the old place up, so that compaction may use it. */
        header->free_bytes = (uint16_t)(header->free_bytes + old_size);
        tag_set(page, tag, 0, 0);
        make_contiguous(page, size);
        offset = header->free_offset;
        header->free_offset = (uint16_t)(header->free_offset + size);
        header->free_bytes = (uint16_t)(header->free_bytes - size);
    } else {
        if (last)
            header->free_offset = (uint16_t)(header->free_offset + size - old_size);
        header->free_bytes = (uint16_t)(header->free_bytes + old_size - size);
    }
    tag_set(page, tag, offset, size);
    copy_parts(data_start(page) + offset, parts, part_count);
    tag_set_flags(page, index, flags);
    clamp_uncommitted_free(header);
}

void page_replace_line(struct page *page, uint32_t line, uint8_t flags, const struct span *parts,
                       size_t part_count)
{
    ASSERT(line < page_line_count(page) && parts_size(parts, part_count) > 0);
    replace_tag(page, line + reserved_count(page), flags, parts, part_count);
}

void page_set_external_header(struct page *page, const struct span *parts, size_t part_count)
{
    ASSERT(tag_count(page) > 0);
    replace_tag(page, 0, 0, parts, part_count);
}

void page_delete_lines(struct page *page, uint32_t line, uint32_t count)
{
    struct page_header *header = page_header(page);
    const uint32_t first = line + reserved_count(page);
    const uint32_t tags = tag_count(page);
    ASSERT(first + count <= tags);
    if (count == 0)
        return;
    uint32_t freed = 0;
    for (uint32_t index = first + count; index-- > first;) {
        const struct page_tag *tag = tag_at(page, index);
        const uint32_t size = tag_size(page, tag);
        if (tag_offset(page, tag) + size == header->free_offset)
            header->free_offset = (uint16_t)(header->free_offset - size);
        freed += size + TAG_SIZE;
    }
    const uint32_t after = tags - first - count;
    memmove(tag_at(page, tags - count - 1), tag_at(page, tags - 1), after * TAG_SIZE);
    set_tag_count(page, tags - count);
    header->free_bytes = (uint16_t)(header->free_bytes + freed);
    if (header->free_bytes + tag_count(page) * TAG_SIZE == data_size(page))
        header->free_offset = 0;
}

void page_set_line_flags(struct page *page, uint32_t line, uint8_t flags)
{
    ASSERT(line < page_line_count(page));
    tag_set_flags(page, line + reserved_count(page), flags);
}

void page_set_uncommitted_free(struct page *page, uint32_t bytes)
{
    struct page_header *header = page_header(page);
    header->uncommitted_free_bytes = (uint16_t)(bytes < header->free_bytes ? bytes : header->free_bytes);
}

void page_add_uncommitted_free(struct page *page, uint32_t bytes)
{
    page_set_uncommitted_free(page, page_header(page)->uncommitted_free_bytes + bytes);
}

void page_reclaim_uncommitted_free(struct page *page, uint32_t bytes)
{
    const uint32_t now = page_header(page)->uncommitted_free_bytes;
    page_set_uncommitted_free(page, bytes < now ? now - bytes : 0);
}
