/* Whether a page makes sense: its header, its tags, its nodes. */
#include "src/page/node.h"
#include "src/page/tags.h"

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
