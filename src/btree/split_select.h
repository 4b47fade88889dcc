/* Choosing how to split a page: where, with which prefixes. */
#ifndef OPENESENT_BTREE_SPLIT_SELECT_H
#define OPENESENT_BTREE_SPLIT_SELECT_H

#include "src/btree/apply_split.h"
#include "src/btree/btree_internal.h"

/* A path being split; level 0 is the root. */
struct split_plan {
    struct tree *tree;
    struct latch path[TREE_DEPTH_MOST + 1];
    uint32_t lines[TREE_DEPTH_MOST + 1]; /* line taken at each level; in the leaf: where the change goes */
    size_t depth;                        /* number of levels */
    struct latch right;                  /* sibling behind the leaf, if there is one */
    struct latch new_pages[TREE_DEPTH_MOST + 1];

    size_t first;                                 /* highest level that changes */
    struct split_step steps[TREE_DEPTH_MOST + 1]; /* by level */
    struct byte_buffer prefixes[TREE_DEPTH_MOST + 1];
    struct byte_buffer old_prefixes[TREE_DEPTH_MOST + 1];
    struct byte_buffer separators[TREE_DEPTH_MOST + 1];
    struct split_change change;
    bool operation_done; /* the change is part of the split */
    size_t new_page_count;
};

/* Plans the split of the leaf, and of the pages above as far as needed, for a change at lines[depth - 1]. The
 * path (and the right sibling) is latched. Sets first, steps, new_page_count, operation_done; page numbers of
 * new pages are left open. */
JET_ERR split_select(struct split_plan *plan, const struct node_change *change);

#endif
