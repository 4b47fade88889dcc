#include "src/page/checksum.h"

#include "src/os/sanitizer.h"

#define HEADER_SEED 0x89abcdefu
#define BLOCKS_MAX 4u
/* The bit of a page that says which checksum it has; flipping it back would not make sense of anything. */
#define FORMAT_BIT (8u * (uint32_t)offsetof(struct page_header, flags) + 13u)

OS_RANGE_CHECKED static uint32_t xor_of_words(const void *bytes, size_t size)
{
    const uint8_t *at = bytes;
    uint64_t sum = 0;
    for (size_t i = 0; i + 8 <= size; i += 8) {
        uint64_t word;
        memcpy(&word, at + i, 8);
        sum ^= word;
    }
    return (uint32_t)sum ^ (uint32_t)(sum >> 32);
}

uint32_t checksum_header(const void *header, size_t size)
{
    uint32_t first;
    ASSERT(size % 8 == 0);
    os_check_readable(header, size);
    memcpy(&first, header, 4);
    return xor_of_words(header, size) ^ first ^ HEADER_SEED;
}

void checksum_header_set(void *header, size_t size)
{
    const uint32_t sum = checksum_header(header, size);
    memcpy(header, &sum, 4);
}

/* Two words at once: what every processor that this runs on can add up in one step. */
typedef uint64_t word_pair __attribute__((vector_size(16)));
#define GROUP_PAIRS 8u
#define GROUP_BYTES (GROUP_PAIRS * sizeof(word_pair))

static inline __attribute__((always_inline)) uint32_t parity(uint64_t word)
{
    return (uint32_t)__builtin_parityll(word);
}

static inline __attribute__((always_inline)) uint32_t parity_of_pair(word_pair pair)
{
    return parity(pair[0] ^ pair[1]);
}

/* The XOR of all words of a block, and of the numbers of those with an odd number of set bits. Bit b of the
 * latter is the parity of all words whose number has bit b: bit 0 tells the halves of a pair apart, bits 1 to
 * 3 the pairs of a group, the others the groups. */
OS_RANGE_CHECKED static uint32_t sum_words(const uint8_t *at, uint32_t size, uint64_t *columns)
{
    word_pair all = {0, 0};
    word_pair odd = {0, 0};    /* bit 1 */
    word_pair second = {0, 0}; /* bit 2 */
    word_pair upper = {0, 0};  /* bit 3 */
    uint32_t groups = 0;
    for (uint32_t group = 0; group < size / GROUP_BYTES; group++, at += GROUP_BYTES) {
        word_pair pairs[GROUP_PAIRS];
        memcpy(pairs, at, sizeof pairs);
        const word_pair middle = pairs[2] ^ pairs[3];
        const word_pair last = pairs[6] ^ pairs[7];
        const word_pair half = pairs[4] ^ pairs[5] ^ last;
        const word_pair whole = pairs[0] ^ pairs[1] ^ middle ^ half;
        odd ^= pairs[1] ^ pairs[3] ^ pairs[5] ^ pairs[7];
        second ^= middle ^ last;
        upper ^= half;
        all ^= whole;
        groups ^= group & (0u - parity_of_pair(whole));
    }
    *columns = all[0] ^ all[1];
    return parity(all[1]) | parity_of_pair(odd) << 1 | parity_of_pair(second) << 2 |
           parity_of_pair(upper) << 3 | groups << 4;
}

/* The XOR of the numbers of a word's set bits. */
static uint32_t sum_columns(uint64_t columns)
{
    static const uint64_t with_bit[6] = {0xaaaaaaaaaaaaaaaau, 0xccccccccccccccccu, 0xf0f0f0f0f0f0f0f0u,
                                         0xff00ff00ff00ff00u, 0xffff0000ffff0000u, 0xffffffff00000000u};
    uint32_t sum = 0;
    for (uint32_t bit = 0; bit < 6; bit++)
        sum |= parity(columns & with_bit[bit]) << bit;
    return sum;
}

/* The code is the XOR of the positions of all set bits (low half) and of their complements (high half): a
 * single flipped bit changes both by its position. With an odd number of set bits the halves are complements
 * of each other, with an even number equal, so that only the low half needs to be summed up. */
uint64_t checksum_block(const void *block, uint32_t size, uint32_t page_number, bool skips_checksum)
{
    ASSERT(size >= 1024 && size <= 8192 && (size & (size - 1)) == 0);
    uint64_t columns;
    os_check_readable(block, size);
    const uint32_t rows = sum_words(block, size, &columns);
    if (skips_checksum) { /* the first word: its number is 0 and has changed no row */
        uint64_t word;
        memcpy(&word, block, sizeof word);
        columns ^= word;
    }
    const uint32_t low = rows << 6 | sum_columns(columns);
    const uint32_t all = 8 * size - 1;
    const uint32_t high = parity(columns) ? low ^ all : low;
    const uint32_t sum = (uint32_t)columns ^ (uint32_t)(columns >> 32) ^ page_number;
    return (uint64_t)(high << 16 | low) << 32 | sum;
}

/* The position of the single wrong bit that turned `expected` into `actual`; false if there is no such bit.
 */
static bool find_wrong_bit(uint64_t expected, uint64_t actual, uint32_t size, uint32_t *bit)
{
    const uint32_t code = (uint32_t)((expected ^ actual) >> 32);
    const uint32_t sum = (uint32_t)(expected ^ actual);
    const uint32_t all = 8 * size - 1;
    if (((code >> 16 ^ code) & all) != all || __builtin_popcount(sum) != 1)
        return false;
    *bit = code & 0xffff;
    return *bit <= all;
}

static void flip_bit(uint8_t *bytes, uint32_t bit)
{
    bytes[bit / 8] = (uint8_t)(bytes[bit / 8] ^ 1u << bit % 8);
}

enum checksum_result checksum_block_verify(void *block, uint32_t size, uint32_t number, bool repair)
{
    uint64_t expected;
    uint32_t bit;
    memcpy(&expected, block, 8);
    const uint64_t actual = checksum_block(block, size, number, true);
    if (actual == expected)
        return CHECKSUM_GOOD;
    if (!find_wrong_bit(expected, actual, size, &bit) || bit == FORMAT_BIT)
        return CHECKSUM_BAD;
    if (repair)
        flip_bit(block, bit);
    return CHECKSUM_REPAIRABLE;
}

/* Pages up to 8 KiB are one block; 16 and 32 KiB are four. */
static uint32_t block_size(uint32_t page_size)
{
    return page_size_is_large(page_size) ? page_size / BLOCKS_MAX : page_size;
}

static uint32_t block_count(uint32_t page_size)
{
    return page_size_is_large(page_size) ? BLOCKS_MAX : 1;
}

static uint8_t *stored_checksum(const struct page *page, uint32_t block)
{
    const size_t offset =
        block == 0 ? 0 : offsetof(struct large_page_header, checksums) + 8 * (size_t)(block - 1);
    return page->data + offset;
}

static enum checksum_result verify_old_format(const struct page *page)
{
    uint32_t stored[2];
    if (page_size_is_large(page->size))
        return CHECKSUM_BAD;
    memcpy(stored, page->data, sizeof stored);
    const bool good = stored[0] == checksum_header(page->data, page->size) && stored[1] == page->number;
    return good ? CHECKSUM_GOOD : CHECKSUM_BAD;
}

static bool all_blocks_match(const struct page *page)
{
    const uint32_t size = block_size(page->size);
    for (uint32_t block = 0; block < block_count(page->size); block++) {
        const uint64_t actual =
            checksum_block(page->data + (size_t)block * size, size, page->number, block == 0);
        if (memcmp(stored_checksum(page, block), &actual, 8) != 0)
            return false;
    }
    return true;
}

enum checksum_result checksum_page_verify(struct page *page, bool repair)
{
    ASSERT(page_size_is_valid(page->size));
    if (!page_has_flag(page, PAGE_NEW_CHECKSUM))
        return verify_old_format(page);
    if (all_blocks_match(page))
        return CHECKSUM_GOOD;

    const uint32_t size = block_size(page->size);
    uint64_t expected[BLOCKS_MAX];
    uint32_t wrong[BLOCKS_MAX];
    uint32_t wrong_count = 0;
    for (uint32_t block = 0; block < block_count(page->size); block++)
        memcpy(&expected[block], stored_checksum(page, block), 8);
    for (uint32_t block = 0; block < block_count(page->size); block++) {
        const uint64_t actual =
            checksum_block(page->data + (size_t)block * size, size, page->number, block == 0);
        uint32_t bit;
        if (actual == expected[block])
            continue;
        if (!find_wrong_bit(expected[block], actual, size, &bit) || (block == 0 && bit == FORMAT_BIT))
            return CHECKSUM_BAD;
        /* The wrong bit may lie in another block's checksum, which must be put right before it is used. */
        const uint32_t first = 8 * (uint32_t)offsetof(struct large_page_header, checksums);
        if (block == 0 && page_size_is_large(page->size) && bit >= first && bit < first + 3 * 64)
            expected[1 + (bit - first) / 64] ^= (uint64_t)1 << (bit - first) % 64;
        wrong[wrong_count++] = 8 * block * size + bit;
    }
    if (!repair)
        return CHECKSUM_REPAIRABLE;
    for (uint32_t i = 0; i < wrong_count; i++)
        flip_bit(page->data, wrong[i]);
    return all_blocks_match(page) ? CHECKSUM_REPAIRABLE : CHECKSUM_BAD;
}

void checksum_page_set(struct page *page)
{
    ASSERT(page_size_is_valid(page->size));
    if (page_size_is_large(page->size))
        page_header(page)->flags |= PAGE_NEW_CHECKSUM;
    if (!page_has_flag(page, PAGE_NEW_CHECKSUM)) {
        memcpy(page->data + 4, &page->number, 4);
        checksum_header_set(page->data, page->size);
        return;
    }
    /* The first block last: it covers the others' checksums. */
    const uint32_t size = block_size(page->size);
    for (uint32_t block = block_count(page->size); block-- > 0;) {
        const uint64_t sum =
            checksum_block(page->data + (size_t)block * size, size, page->number, block == 0);
        memcpy(stored_checksum(page, block), &sum, 8);
    }
}
