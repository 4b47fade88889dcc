/* A page of a database: its header, its tag array, its lines.
 *
 * Layout (engine source: `cpage.hxx`; format paper: "Page"):
 *
 *     header (40 bytes; 80 for pages of 16 and 32 KiB) | lines, growing up | free space | tags, growing down
 *
 * Tag n is the 4-byte entry that ends 4 * n bytes before the end of the page: size and offset of a line, and
 * in small pages the line's three flags. In large pages the flags are the top three bits of the line's first
 * two bytes, which every node keeps free for it. Tag 0 is the external header: a root's space header, any
 * other page's common key prefix. The other tags are the nodes in key order; "line" n is tag n + 1.
 *
 * Everything here works on memory that the caller has latched: thread-safety is the caller's. Functions that
 * change a page never fail; they assert that there is room, which the caller has checked with page_has_room.
 * Reading is safe on any page that has passed page_check; nothing else may be read from an unchecked page but
 * its header. */
#ifndef OPENESENT_PAGE_PAGE_H
#define OPENESENT_PAGE_PAGE_H

#include "src/os/base.h"
#include "src/os/error.h"

#define PAGE_SIZE_MIN 2048u
#define PAGE_SIZE_MAX 32768u

/* Flags of a page (struct page_header.flags). */
enum page_flag {
    PAGE_ROOT = 0x0001,           /* root of a tree */
    PAGE_LEAF = 0x0002,           /* level 0 */
    PAGE_PARENT_OF_LEAF = 0x0004, /* level 1 */
    PAGE_EMPTY = 0x0008,          /* emptied by a merge, on its way to the space tree */
    PAGE_REPAIR = 0x0010,         /* touched by a repair */
    PAGE_PRIMARY = 0x0000,        /* of a table's clustered index */
    PAGE_SPACE_TREE = 0x0020,     /* of an owned-extents or available-extents tree */
    PAGE_INDEX = 0x0040,          /* of a secondary index */
    PAGE_LONG_VALUE = 0x0080,     /* of a long-value tree */
    PAGE_NON_UNIQUE = 0x0400,     /* of a non-unique secondary index: bookmarks are key and data */
    PAGE_NEW_RECORD_FORMAT = 0x0800,
    PAGE_NEW_CHECKSUM = 0x2000, /* XOR + ECC checksum; without it, XOR and the page's number */
    PAGE_SCRUBBED = 0x4000,     /* unused space zeroed since the last change */
    PAGE_FLUSH_TYPE_MASK =
        0x18000,             /* grows by one (1, 2, 3, 1, ...) with each write to disk: detects lost writes */
    PAGE_PRE_INIT = 0x20000, /* allocated, not yet formatted */
};
#define PAGE_FLUSH_TYPE_SHIFT 15
/* Flags that a page gets when it is written, which log records leave out. */
#define PAGE_FLAGS_OF_WRITING (PAGE_NEW_CHECKSUM | PAGE_SCRUBBED | PAGE_FLUSH_TYPE_MASK)

struct PACKED page_header {
    uint64_t checksum;    /* XOR in the low half, ECC in the high half */
    uint64_t modified;    /* dbtime of the last modification */
    page_number previous; /* siblings at the same level */
    page_number next;
    object_id tree;                  /* objid of the tree; 0 in pages that no tree owns */
    uint16_t free_bytes;             /* all free bytes, contiguous or not */
    uint16_t uncommitted_free_bytes; /* part of free_bytes that a rollback may claim back */
    uint16_t free_offset;            /* from the header's end to the contiguous free space */
    uint16_t tag_state; /* low 12 bits: number of tags; next 3: number of reserved tags, 0 meaning 1 */
    uint32_t flags;     /* enum page_flag */
};
_Static_assert(sizeof(struct page_header) == 40, "PGHDR is 40 bytes");
_Static_assert(offsetof(struct page_header, modified) == 8, "PGHDR.dbtimeDirtied");
_Static_assert(offsetof(struct page_header, tree) == 24, "PGHDR.objidFDP");
_Static_assert(offsetof(struct page_header, flags) == 36, "PGHDR.fFlags");

struct PACKED large_page_header {
    struct page_header common;
    uint64_t checksums[3]; /* of the second to fourth quarter */
    page_number number;    /* of this page */
    uint8_t reserved[12];
};
_Static_assert(sizeof(struct large_page_header) == 80, "PGHDR2 is 80 bytes");
_Static_assert(offsetof(struct large_page_header, number) == 64, "PGHDR2.pgno");

struct PACKED page_tag {
    uint16_t size;   /* low 13 bits (small) or 15 bits (large) */
    uint16_t offset; /* the same, from the header's end; small pages: flags in the top 3 bits */
};
_Static_assert(sizeof(struct page_tag) == 4, "TAG is 4 bytes");

/* Some bytes that someone else owns. */
struct span {
    const uint8_t *bytes;
    size_t size;
};

static inline struct span span_of(const void *bytes, size_t size)
{
    return (struct span){(const uint8_t *)bytes, size};
}

/* A page in memory: a view, cheap to copy. `data` holds `size` bytes, aligned to 8. */
struct page {
    uint8_t *data;
    uint32_t size;
    page_number number;
};

/* A line or the external header. Valid until the page changes. */
struct line {
    uint8_t *data;
    uint32_t size;
    uint8_t flags; /* enum node_flag */
};

static inline bool page_size_is_valid(uint32_t size)
{
    return size >= PAGE_SIZE_MIN && size <= PAGE_SIZE_MAX && (size & (size - 1)) == 0;
}

static inline bool page_size_is_large(uint32_t size)
{
    return size > 8192;
}

static inline uint32_t page_header_size(uint32_t page_size)
{
    return page_size_is_large(page_size) ? (uint32_t)sizeof(struct large_page_header)
                                         : (uint32_t)sizeof(struct page_header);
}

/* Bytes of the largest line that fits an otherwise empty page beside the external header's tag and its own
 * tag (the engine's CbPageDataMax: 4048 of 4096). */
static inline uint32_t page_line_size_max(uint32_t page_size)
{
    return page_size - page_header_size(page_size) - 2 * (uint32_t)sizeof(struct page_tag);
}

static inline struct page_header *page_header(const struct page *page)
{
    return (struct page_header *)(void *)page->data;
}

static inline bool page_has_flag(const struct page *page, uint32_t flag)
{
    return (page_header(page)->flags & flag) != 0;
}

static inline bool page_is_leaf(const struct page *page)
{
    return page_has_flag(page, PAGE_LEAF);
}

static inline bool page_is_root(const struct page *page)
{
    return page_has_flag(page, PAGE_ROOT);
}

/* True if every byte is zero: a page of the file that was never written. */
bool page_is_zero(const struct page *page);

/* Makes an empty page of the tree `tree`: no lines, no siblings, empty external header. `flags` as enum
 * page_flag; the record and checksum format flags are added. Stamps the number into large pages. */
void page_format(struct page *page, object_id tree, uint32_t flags, dbtime modified);

/* Checks header, tags and nodes of a page that came from outside: after success no accessor reads out of
 * bounds, no two lines overlap, key prefixes lie within the external header. JET_errDatabaseCorrupted
 * otherwise. A page that only passed its checksum may be passed; a zero page fails. */
JET_ERR page_check(const struct page *page);

/* Number of lines, external header not counted. */
uint32_t page_line_count(const struct page *page);

/* The line with index `line`, 0 <= line < page_line_count. */
struct line page_line(const struct page *page, uint32_t line);

/* The external header; size 0 if there is none. */
struct line page_external_header(const struct page *page);

/* Free bytes, contiguous or not. */
uint32_t page_free_bytes(const struct page *page);

/* True if a new line of `size` bytes (its tag not counted in) fits. */
bool page_has_room(const struct page *page, uint32_t size);

/* Inserts a line before index `line` (line == count appends), made of the parts in order. The parts must not
 * lie on the page. Compacts the page if need be. Requires page_has_room for the sum. */
void page_insert_line(struct page *page, uint32_t line, uint8_t flags, const struct span *parts,
                      size_t part_count);

/* Replaces the whole of a line. Growing needs that many free bytes, and parts that do not lie on the page;
 * shrinking may use parts of the line itself as long as they move towards its start. */
void page_replace_line(struct page *page, uint32_t line, uint8_t flags, const struct span *parts,
                       size_t part_count);

/* Removes the lines [line, line + count). */
void page_delete_lines(struct page *page, uint32_t line, uint32_t count);

/* Replaces the external header; rules as page_replace_line. Part count 0 empties it. */
void page_set_external_header(struct page *page, const struct span *parts, size_t part_count);

/* Sets the flags of a line and nothing else. Atomic towards readers of flags under a shared latch is not
 * promised. */
void page_set_line_flags(struct page *page, uint32_t line, uint8_t flags);

/* Moves all lines together so that the free space is one piece. Contents and order stay. */
void page_compact(struct page *page);

/* Zeroes everything between lines that is not in use. */
void page_zero_free_space(struct page *page);

/* Uncommitted free space: bytes that rolled-back changes could claim. Clamped to [0, free_bytes]. */
void page_set_uncommitted_free(struct page *page, uint32_t bytes);

#endif
