/* Checksums of pages and headers (engine sources: `checksum_amd64.cxx`, `checksumu.cxx`).
 *
 * A header (database, log, checkpoint) begins with the XOR of all its other 4-byte words and 0x89abcdef.
 * A page begins with 8 bytes: in the old format that XOR and the page's number; in the new format
 * (PAGE_NEW_CHECKSUM) the XOR mixed with the page's number, and an error-correcting code that finds any
 * single flipped bit. Pages of 16 and 32 KiB are protected in four blocks, the latter three by checksums
 * inside the header. Pure functions of memory; no state. Buffers must be aligned to 4 bytes. */
#ifndef OPENESENT_PAGE_CHECKSUM_H
#define OPENESENT_PAGE_CHECKSUM_H

#include "src/page/page.h"

/* XOR of all words of `size` bytes but the first, with the seed: what a header's first word must be. */
uint32_t checksum_header(const void *header, size_t size);

/* Stores the checksum into a header's first word. */
void checksum_header_set(void *header, size_t size);

/* The new-format checksum of one block: a page up to 8 KiB, a quarter of a larger one, or a page of the log.
 * The first 8 bytes are left out if `skips_checksum` (the block begins with its own checksum). Size: power of
 * two, 1 to 8 KiB. */
uint64_t checksum_block(const void *block, uint32_t size, uint32_t page_number, bool skips_checksum);

enum checksum_result {
    CHECKSUM_GOOD,
    CHECKSUM_REPAIRABLE, /* one bit per block is wrong (repaired if asked for) */
    CHECKSUM_BAD,
};

/* Verifies one block that begins with its checksum (log segments use it). With `repair`, a single wrong bit
 * is put right in place. */
enum checksum_result checksum_block_verify(void *block, uint32_t size, uint32_t number, bool repair);

/* Verifies a page by its number. With `repair`, single wrong bits are put right in place, and the result is
 * then CHECKSUM_REPAIRABLE only if the page verifies afterwards. Does not look at the meaning of the page. */
enum checksum_result checksum_page_verify(struct page *page, bool repair);

/* Computes and stores a page's checksums, in the format its flags say (large pages: always the new one). */
void checksum_page_set(struct page *page);

#endif
