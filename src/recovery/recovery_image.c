/* Images of pages as records of splits and merges hold them. */
#include "src/recovery/recovery_internal.h"

/* A dehydrated page lacks the free space between its lines and its tags. */
static JET_ERR rehydrate(const uint8_t *image, size_t size, uint32_t page_size, uint8_t *page)
{
    struct page_header header;
    if (size > page_size || size < page_header_size(page_size))
        return JET_errLogCorrupted;
    memcpy(&header, image, sizeof(header));
    size_t tags = (size_t)(header.tag_state & 0x0fff) * sizeof(struct page_tag);
    if (tags > size - page_header_size(page_size))
        return JET_errLogCorrupted;
    size_t growth = page_size - size;
    memset(page, 0, page_size);
    memcpy(page, image, size - tags);
    memcpy(page + page_size - tags, image + size - tags, tags);
    header.free_bytes = (uint16_t)(header.free_bytes + growth);
    memcpy(page, &header, sizeof(header));
    return JET_errSuccess;
}

JET_ERR recovery_expand_image(const struct recovery *recovery, const uint8_t *image, size_t size,
                              uint32_t flags, uint32_t page_size, uint8_t *page)
{
    /* Room behind the page holds the image between its two steps. */
    uint8_t *decompressed = page + page_size;
    uint32_t actual = (uint32_t)size;
    if ((flags & LOG_PREIMAGE_XPRESS) != 0) {
        if (recovery->options->decompress(image, (uint32_t)size, decompressed, page_size, &actual) !=
            JET_errSuccess)
            return JET_errLogCorrupted;
        image = decompressed;
    }
    if ((flags & LOG_PREIMAGE_DEHYDRATED) != 0)
        return rehydrate(image, actual, page_size, page);
    if (actual != page_size)
        return JET_errLogCorrupted;
    memcpy(page, image, page_size);
    return JET_errSuccess;
}
