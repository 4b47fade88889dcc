/* What the files of src/btree share; not for other layers. */
#ifndef OPENESENT_BTREE_BTREE_INTERNAL_H
#define OPENESENT_BTREE_BTREE_INTERNAL_H

#include "src/btree/btree_change.h"
#include "src/btree/btree_cursor.h"
#include "src/os/lock.h"
#include "src/os/memory.h"

/* Deepest tree that is believed; more means a cycle of child pointers. */
#define TREE_DEPTH_MOST 16

/* A growing buffer. */
struct byte_buffer {
    uint8_t *bytes;
    size_t size;
    size_t capacity;
};

JET_ERR byte_buffer_reserve(struct byte_buffer *buffer, size_t capacity);
JET_ERR byte_buffer_set(struct byte_buffer *buffer, struct span content);
void byte_buffer_free(struct byte_buffer *buffer);

struct btree_cursor {
    struct tree *tree;
    struct latch latch;
    uint32_t line;
    struct byte_buffer key;      /* the current node's key when it had to be joined */
    struct byte_buffer mark_key; /* saved bookmark, while moving backwards gives way */
    struct byte_buffer mark_data;
};

/* Compares a leaf's node with a bookmark. `with_data`: data counts (non-unique trees, full bookmarks). */
int node_compare_bookmark(const struct node *node, const struct bookmark *bookmark, bool with_data);

/* The line of a branch page whose child holds the bookmark. */
uint32_t branch_line(const struct page *page, const struct bookmark *bookmark);

/* The first line of a leaf at or behind the bookmark (may be the count of lines); whether it is equal. */
uint32_t leaf_line(const struct tree *tree, const struct page *page, const struct bookmark *bookmark,
                   bool *equal);

/* Checks that a page just latched is what its tree says: object id, level. `below`: the page above, NULL for
 * the root. */
JET_ERR tree_check_page(const struct tree *tree, const struct page *page, const struct page *above);

/* Latches the leaf where the bookmark is or would be. On success *line is as leaf_line says. NULL bookmark:
 * `last` says which end of the tree. */
JET_ERR tree_find_leaf(struct tree *tree, const struct bookmark *bookmark, bool last, enum latch_mode mode,
                       struct latch *latch, uint32_t *line, bool *equal);

#endif
