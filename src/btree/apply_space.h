/* Making trees and turning their space from one extent into many: what the records do to pages, shared by the
 * running engine and redo (engine source: `space.cxx`). Pages are latched exclusively; those that need no
 * change are left out by a false flag. New pages are formatted here. */
#ifndef OPENESENT_BTREE_APPLY_SPACE_H
#define OPENESENT_BTREE_APPLY_SPACE_H

#include "src/btree/space.h"
#include "src/page/node.h"

/* Pages that a single-extent tree can tell free or used, behind the root. */
#define SPACE_BITMAP_PAGES 32u
/* Root, owned and available: what a tree with own space trees takes at least. */
#define SPACE_MULTIPLE_PAGES_MIN 3u

/* Buffer of pages in the root header of a space tree, for its own splits ("SPLIT_BUFFER"). */
struct PACKED space_extent {
    page_number last;
    uint32_t pages;
};
struct PACKED split_buffer {
    struct space_extent extents[2];
};
_Static_assert(sizeof(struct split_buffer) == 16, "SPLIT_BUFFER is 16 bytes");

/* Key of an extent in a space tree: its last page, big-endian. Its data is the number of pages. */
struct extent_key {
    uint8_t bytes[4];
};
struct extent_key extent_key_of(page_number last);
/* The extent of a node; false if it is none. `pool` (may be NULL) gets 0, or the pool of a reserved extent.
 */
bool extent_of_node(const struct node *node, struct space_extent *extent, unsigned *pool);

struct create_tree_change {
    page_number root;
    object_id object;
    bool unique;
    page_number parent;
    uint32_t pages;
    uint32_t page_flags;    /* without root, leaf and space-tree flags */
    page_number owned_root; /* multiple extents only; the available extents' root is the next page */
    dbtime modified;
};

/* LOG_RECORD_CREATE_SINGLE_EXTENT_FDP. */
void apply_create_single(struct page *root, const struct create_tree_change *change);
/* LOG_RECORD_CREATE_MULTIPLE_EXTENT_FDP; page pointers may be NULL. */
void apply_create_multiple(struct page *root, struct page *owned, struct page *available,
                           const struct create_tree_change *change);

struct convert_change {
    page_number root;
    object_id object;
    page_number secondary_first; /* root of the owned extents; the next page is that of the available ones */
    uint32_t secondary_pages;
    uint32_t bitmap;            /* free pages before */
    struct space_header header; /* before */
    uint32_t page_flags;
    dbtime modified;
};

/* LOG_RECORD_CONVERT_FDP: the tree gets a second extent and space trees in it; page pointers may be NULL. The
 * root's flags and nodes do not change. */
void apply_convert(struct page *root, struct page *owned, struct page *available,
                   const struct convert_change *change);

#endif
