/* The tags of a page, from its end downwards: where its lines are. For the files of src/page alone; offsets
 * and sizes are taken as they stand, so whoever does not trust the page checks them first. */
#ifndef OPENESENT_PAGE_TAGS_H
#define OPENESENT_PAGE_TAGS_H

#include "src/page/page.h"

#define SMALL_MASK 0x1fffu
#define LARGE_MASK 0x7fffu
#define FLAGS_SHIFT 13
#define FLAGS_MASK 0xe000u
#define TAG_COUNT_MASK 0x0fffu
#define RESERVED_SHIFT 12
#define RESERVED_MASK 0x7u
#define TAG_SIZE ((uint32_t)sizeof(struct page_tag))

/* Inlined in every build: they are a few instructions, and nearly all that the engine does begins here. */
#define TAG_INLINE static inline __attribute__((always_inline))

TAG_INLINE uint32_t data_size(const struct page *page)
{
    return page->size - page_header_size(page->size);
}

TAG_INLINE uint8_t *data_start(const struct page *page)
{
    return page->data + page_header_size(page->size);
}

TAG_INLINE uint32_t tag_count(const struct page *page)
{
    return page_header(page)->tag_state & TAG_COUNT_MASK;
}

/* Tags in front of the lines: the external header's, and in newer databases up to six more. */
TAG_INLINE uint32_t reserved_count(const struct page *page)
{
    const uint32_t reserved = (uint32_t)page_header(page)->tag_state >> RESERVED_SHIFT & RESERVED_MASK;
    return reserved == 0 ? 1 : reserved;
}

TAG_INLINE void set_tag_count(struct page *page, uint32_t count)
{
    struct page_header *header = page_header(page);
    ASSERT(count <= TAG_COUNT_MASK);
    header->tag_state = (uint16_t)((header->tag_state & ~TAG_COUNT_MASK) | count);
}

TAG_INLINE struct page_tag *tag_at(const struct page *page, uint32_t index)
{
    return (struct page_tag *)(void *)(page->data + page->size) - (index + 1);
}

TAG_INLINE uint32_t offset_mask(const struct page *page)
{
    return page_size_is_large(page->size) ? LARGE_MASK : SMALL_MASK;
}

TAG_INLINE uint32_t tag_size(const struct page *page, const struct page_tag *tag)
{
    return tag->size & offset_mask(page);
}

TAG_INLINE uint32_t tag_offset(const struct page *page, const struct page_tag *tag)
{
    return tag->offset & offset_mask(page);
}

TAG_INLINE void tag_set(const struct page *page, struct page_tag *tag, uint32_t offset, uint32_t size)
{
    const uint32_t mask = offset_mask(page);
    ASSERT(offset <= mask && size <= mask);
    tag->offset = (uint16_t)((tag->offset & ~mask) | offset);
    tag->size = (uint16_t)((tag->size & ~mask) | size);
}

TAG_INLINE uint8_t tag_flags(const struct page *page, uint32_t index)
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

TAG_INLINE void tag_set_flags(const struct page *page, uint32_t index, uint8_t flags)
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

TAG_INLINE struct line line_of_tag(const struct page *page, uint32_t index)
{
    const struct page_tag *tag = tag_at(page, index);
    return (struct line){data_start(page) + tag_offset(page, tag), tag_size(page, tag),
                         tag_flags(page, index)};
}

#endif
