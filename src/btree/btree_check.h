/* Checks the invariants of a tree: every page, key order, separators, sibling links, space. For tests and the
 * database checker; nobody may change the tree meanwhile. */
#ifndef OPENESENT_BTREE_BTREE_CHECK_H
#define OPENESENT_BTREE_BTREE_CHECK_H

#include "src/btree/btree.h"

struct tree_report {
    uint64_t nodes;   /* of leaves, deleted ones included */
    uint64_t deleted; /* flag-deleted ones */
    uint32_t pages;
    uint32_t depth; /* levels; 1 for a root that is a leaf */
    uint32_t empty_leaves;
    const char *problem; /* what is wrong first; NULL if nothing */
    page_number where;
};

/* Called for each page of the tree. */
typedef JET_ERR tree_page_visitor(void *context, page_number page);

/* JET_errSuccess, or JET_errDatabaseCorrupted with report->problem; read errors. `visit` may be NULL. */
JET_ERR btree_check(struct tree *tree, tree_page_visitor *visit, void *context, struct tree_report *report);

/* Checks the tree with its space trees: every page in use is owned and not available, every available page is
 * owned, and nothing is counted twice. */
JET_ERR btree_check_space(struct tree *tree, struct tree_report *report);

#endif
