/* Space of trees: owned and available extents, growing the file (engine source: `space.cxx`).
 *
 * Every tree owns extents that it got from its parent tree, the database's root tree from the file. A small
 * tree keeps its (single) extent as a bitmap in its root page; a larger one has two trees of extents, owned
 * and available, keyed by the last page of an extent with its length as data. */
#ifndef OPENESENT_BTREE_SPACE_H
#define OPENESENT_BTREE_SPACE_H

#include "src/btree/btree.h"

/* The external header of a root page ("SPACE_HEADER"). */
struct PACKED space_header {
    uint32_t pages;     /* size of the first extent; last allocation's size once `SPACE_VERSION2` is set */
    page_number parent; /* root page of the parent tree */
    uint32_t flags;     /* enum space_flags */
    uint32_t available; /* single extent: bitmap of free pages behind the root; else root page of owned
                           extents, the root of the available extents being the next page */
};
_Static_assert(sizeof(struct space_header) == 16, "SPACE_HEADER is 16 bytes");

enum space_flags {
    SPACE_MULTIPLE_EXTENT = 0x01,
    SPACE_NON_UNIQUE = 0x02,
    SPACE_VERSION2 = 0x04,
};

struct transaction;

/* Makes the root space trees of a new database of `pages` pages (at least 16) whose file has that size
 * already: page 1 root, 2 owned, 3 available. Logged as the engine does. */
JET_ERR space_create_database(struct tree_registry *registry, struct database *database,
                              const struct btree_actor *actor, uint32_t pages);

/* What a new tree shall be. */
struct tree_design {
    page_number parent;    /* root page of the tree to take space from (ROOT_PAGE_DATABASE for tables) */
    uint32_t pages;        /* initial size wished for; 0 or 1 = smallest */
    bool unique;           /* secondary indexes: false */
    bool multiple_extents; /* own space trees from the start (large tables) */
    uint32_t
        page_flags; /* of page.h's flags: PAGE_FLAG_INDEX / PAGE_FLAG_LONG_VALUE (root and leaf are added) */
};

/* Makes a tree: allocates an object id from the database header and an extent from the parent, formats the
 * root. Not versioned: the caller (version/table) frees it with `space_free_tree` when its transaction rolls
 * back. */
JET_ERR space_create_tree(struct tree_registry *registry, struct database *database,
                          const struct btree_actor *actor, const struct tree_design *design,
                          page_number *root, object_id *object);

/* Gives all space of the tree (and the root) back to its parent. No cursor may be open on it. */
JET_ERR space_free_tree(struct tree_registry *registry, struct database *database,
                        const struct btree_actor *actor, page_number root);

/* A page for the tree, near `hint` if that is not null; and back. */
JET_ERR space_get_page(struct tree *tree, const struct btree_actor *actor, page_number hint,
                       page_number *page);
JET_ERR space_free_page(struct tree *tree, const struct btree_actor *actor, page_number page);

/* What space_list tells of a tree's owned or available space. */
struct space_extents {
    struct space_extent *list; /* the caller's */
    uint32_t capacity;         /* entries of `list` */
    uint32_t count; /* entries filled, in the order of pages: extents beyond the capacity are left out */
    uint32_t pages; /* of all extents */
};
/* Either may be NULL; those given begin with count and pages 0. */
JET_ERR space_list(struct tree *tree, struct space_extents *owned, struct space_extents *available);

/* The last page that the database's space trees know of; the file may be shorter, or longer.
 * JET_errSPOwnExtCorrupted, JET_errSPAvailExtCorrupted, and those of reading pages. */
JET_ERR space_last_page(struct tree_registry *registry, struct database *database, page_number *last);

/* Counts for JetGetTableInfo / JetGetDatabaseInfo: pages owned and pages available. Either may be NULL. */
JET_ERR space_count(struct tree *tree, uint32_t *owned, uint32_t *available);

/* Grows the database by at least `pages` pages (JetGrowDatabase / JetSetDatabaseSize). `total` gets the new
 * size. */
JET_ERR space_grow_database(struct tree_registry *registry, struct database *database,
                            const struct btree_actor *actor, uint32_t pages, uint32_t *total);

#endif
