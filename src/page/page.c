#include "src/page/page.h"

#include "src/os/zero.h"
#include "src/page/tags.h"

bool page_is_zero(const struct page *page)
{
    /* The tag state tells of any page in use, without looking at all of it. */
    return page_header(page)->tag_state == 0 && os_is_zero(page->data, page->size);
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
