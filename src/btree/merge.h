/* Taking emptied leaves out of a tree (engine source: `bt.cxx`, merges of type "empty page"). */
#ifndef OPENESENT_BTREE_MERGE_H
#define OPENESENT_BTREE_MERGE_H

#include "src/btree/btree.h"
#include "src/page/node.h"

/* Whether a flag-deleted node of the leaf is of no use to anybody. Called with the leaf latched; must not
 * latch pages. */
typedef bool node_is_dead(void *context, struct tree *tree, const struct node *node);

/* Removes the leaf that holds the bookmark, and the pages above that lose their only child, if all of the
 * leaf's nodes are dead. The pages go back to the tree's space. *removed tells; a leaf that has live nodes, a
 * root, and the last leaf of a tree stay. One call is one macro in the log. */
JET_ERR btree_remove_leaf(struct tree *tree, const struct btree_actor *actor, const struct bookmark *bookmark,
                          node_is_dead *is_dead, void *context, bool *removed);

#endif
