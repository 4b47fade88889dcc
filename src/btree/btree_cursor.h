/* Physical cursors: find nodes, walk them, change them in place; sees every node, also flag-deleted ones.
 *
 * A cursor holds at most one page latched. While it is latched (after a successful seek, move or get), the
 * node's key and data may be read through `btree_cursor_node` without copying. `btree_cursor_release` drops
 * the latch and keeps the place as a bookmark if `save` is asked for. A thread must not call into another
 * cursor while it holds one latched, except from a tree to its space trees (which this layer does itself).
 *
 * Thread safety: one cursor is used by one thread at a time; different cursors work in parallel. */
#ifndef OPENESENT_BTREE_BTREE_CURSOR_H
#define OPENESENT_BTREE_BTREE_CURSOR_H

#include "src/btree/btree.h"

struct btree_cursor;

/* Where a seek ended, relative to what was asked for. */
enum seek_place {
    SEEK_EQUAL,   /* at the node asked for */
    SEEK_GREATER, /* at the first node behind it */
    SEEK_LESS,    /* at the last node before it: nothing lies behind */
    SEEK_EMPTY,   /* the tree has no node */
};

/* The node at the cursor; pointers are valid while the cursor holds its latch. The key is joined from prefix
 * and suffix in the cursor's buffer. */
struct node_view {
    struct span key;
    struct span data;
    unsigned flags; /* enum node_flag */
};

JET_ERR btree_cursor_open(struct tree *tree, struct btree_cursor **out); /* adds a reference to the tree */
void btree_cursor_close(struct btree_cursor *cursor);                    /* NULL is fine */
struct tree *btree_cursor_tree(const struct btree_cursor *cursor);

/* Finds the first node whose bookmark is at or behind `bookmark` (an empty data span makes it a key search
 * also in non-unique trees), else the last one before. Latches the node's page unless the place is
 * SEEK_EMPTY. */
JET_ERR btree_cursor_seek(struct btree_cursor *cursor, const struct bookmark *bookmark, enum latch_mode mode,
                          enum seek_place *place);
/* First and last node; JET_errRecordNotFound in an empty tree (nothing latched). */
JET_ERR btree_cursor_first(struct btree_cursor *cursor, enum latch_mode mode);
JET_ERR btree_cursor_last(struct btree_cursor *cursor, enum latch_mode mode);
/* To the neighbour; the cursor is latched before. JET_errNoCurrentRecord at the end: the cursor stays latched
 * where it was. Restarts by bookmark when the page changed under it. */
JET_ERR btree_cursor_next(struct btree_cursor *cursor);
JET_ERR btree_cursor_previous(struct btree_cursor *cursor);

/* Latches the page where a node was, shared, if it is still there unchanged. Otherwise nothing is latched. */
bool btree_cursor_try_place(struct btree_cursor *cursor, page_number page, uint32_t line, dbtime modified);

/* The node, while latched. JET_errOutOfMemory when its key had to be joined. */
JET_ERR btree_cursor_node(struct btree_cursor *cursor, struct node_view *node);
/* The same with the key in two pieces: cannot fail. */
struct node btree_cursor_raw_node(const struct btree_cursor *cursor);
void btree_cursor_release(struct btree_cursor *cursor);
page_number btree_cursor_page(const struct btree_cursor *cursor);
unsigned btree_cursor_line(const struct btree_cursor *cursor);
dbtime btree_cursor_modified(const struct btree_cursor *cursor);
/* Estimates where a bookmark lies: `less` of `total` nodes before it; and which node lies there (latched
 * shared). JET_errRecordNotFound in an empty tree. */
JET_ERR btree_cursor_estimate(struct btree_cursor *cursor, const struct bookmark *bookmark, uint64_t *less,
                              uint64_t *total);
JET_ERR btree_cursor_at_fraction(struct btree_cursor *cursor, uint64_t less, uint64_t total);

#endif
