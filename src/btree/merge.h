/* Taking leaves out of a tree (engine source: `bt.cxx`, merges of types "empty page" and "full right"). */
#ifndef OPENESENT_BTREE_MERGE_H
#define OPENESENT_BTREE_MERGE_H

#include "src/btree/btree.h"
#include "src/page/node.h"

/* Whether a flag-deleted node of the leaf is of no use to anybody. Called with the leaf latched; must not
 * latch pages. */
typedef bool node_is_dead(void *context, struct tree *tree, const struct node *node);

/* Removes the leaf that holds the bookmark, and the pages above that lose their only child, if all of the
 * leaf's nodes are dead, or if what lives fits the leaf behind. The pages go back to the tree's space.
 * *removed tells; other leaves, a root, and the last leaf of a tree stay. One call is one macro in the log.
 */
JET_ERR btree_remove_leaf(struct tree *tree, const struct btree_actor *actor, const struct bookmark *bookmark,
                          node_is_dead *is_dead, void *context, bool *removed);

/* Whether it looks as if the leaf would fit the one behind it; or (`previous`) as if the leaf in front would
 * fit this one, whose first node's bookmark then goes to `key` and `data`. The leaf is latched. Looks at what
 * is in memory and free for reading, and never waits. */
struct byte_buffer;
bool btree_leaf_seems_to_fit(const struct tree *tree, const struct latch *leaf, bool previous,
                             struct byte_buffer *key, struct byte_buffer *data);

#endif
