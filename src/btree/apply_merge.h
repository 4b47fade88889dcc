/* What a merge does to leaves, for the running engine and for redo (engine source: `bt.cxx`). */
#ifndef OPENESENT_BTREE_APPLY_MERGE_H
#define OPENESENT_BTREE_APPLY_MERGE_H

#include "src/page/node.h"

enum merge_type {
    MERGE_EMPTY_PAGE = 1, /* the leaf had nothing to move */
    MERGE_FULL_RIGHT = 2, /* all its nodes go to the leaf behind */
    MERGE_PARTIAL_RIGHT = 3,
    MERGE_FULL_LEFT = 5,
    MERGE_PARTIAL_LEFT = 6,
};

/* Inserts copies of the lines [first, end) of `from` in front of line `place` of `to`, compressed by its
 * prefix; deleted nodes are left out. `scratch` is a page's worth of memory. JET_errLogCorrupted if they do
 * not fit, which leaves some of them inserted. */
JET_ERR apply_move_nodes(const struct page *from, uint32_t first, uint32_t end, struct page *to,
                         uint32_t place, uint8_t *scratch);

#endif
