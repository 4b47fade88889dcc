/* What the files about space share. All functions are called with the owner tree's space_lock held, and no
 * page latched. */
#ifndef OPENESENT_BTREE_SPACE_INTERNAL_H
#define OPENESENT_BTREE_SPACE_INTERNAL_H

#include "src/btree/apply_space.h"
#include "src/btree/btree_internal.h"

/* The space trees of a tree, open. */
struct space_trees {
    struct tree *owned;
    struct tree *available;
};
JET_ERR space_trees_open(struct tree *tree, struct space_trees *trees);
void space_trees_close(struct space_trees *trees);

/* Reads the root's space header. */
JET_ERR space_read_header(struct tree *tree, struct space_header *header);

/* -- Extent trees (space_extents.c). */
/* The first extent of the general pool whose last page is at or behind `at`; *found false if there is none.
 */
JET_ERR extents_find(struct tree *extents, page_number at, struct space_extent *extent, bool *found);
/* The first one of at least `pages` pages. */
JET_ERR extents_find_size(struct tree *extents, uint32_t pages, struct space_extent *extent, bool *found);
JET_ERR extents_insert(struct tree *extents, const struct btree_actor *actor, struct space_extent extent);
JET_ERR extents_delete(struct tree *extents, const struct btree_actor *actor, struct space_extent extent);
JET_ERR extents_resize(struct tree *extents, const struct btree_actor *actor, struct space_extent extent);
/* Takes `pages` pages from the front of an extent. */
JET_ERR extents_take(struct tree *extents, const struct btree_actor *actor, struct space_extent extent,
                     uint32_t pages);
/* Adds free pages, joining them with their neighbours within the same owned extent. */
JET_ERR extents_add_free(struct space_trees *trees, const struct btree_actor *actor,
                         struct space_extent extent);
/* Adds an extent to a list, as far as it has room; all extents, in order. */
void extents_note(struct space_extents *extents, struct space_extent extent);
JET_ERR extents_list(struct tree *extents, struct space_extents *list);
/* Number of pages of all extents. */
JET_ERR extents_sum(struct tree *extents, uint32_t *pages);

/* -- Split buffers. */
JET_ERR split_buffer_read(struct tree *extents, struct split_buffer *buffer, bool *leaf,
                          uint32_t *free_bytes);
JET_ERR split_buffer_add(struct tree *extents, const struct btree_actor *actor, struct space_extent extent);
JET_ERR split_buffer_take(struct tree *extents, const struct btree_actor *actor, page_number *page);
void split_buffer_return(struct tree *extents, const struct btree_actor *actor, page_number page);

/* -- Growing (space_grow.c). */
/* Sees to it that the next insert into either space tree finds pages for its splits. */
JET_ERR space_reserve(struct tree *tree, struct space_trees *trees, const struct btree_actor *actor);
/* Gives the tree another extent of `wanted` pages if possible, at least `least`: all of it is free. */
JET_ERR space_add_extent(struct tree *tree, struct space_trees *trees, const struct btree_actor *actor,
                         uint32_t wanted, uint32_t least, struct space_extent *extent);
/* Turns a single-extent tree into one with space trees. */
JET_ERR space_convert(struct tree *tree, const struct btree_actor *actor, uint32_t wanted, uint32_t least);
/* Gets an extent from the parent tree, or from the file for the database's root. */
JET_ERR space_from_parent(struct tree *tree, const struct btree_actor *actor, uint32_t wanted, uint32_t least,
                          struct space_extent *extent);
/* Makes the file larger: logged. */
JET_ERR space_extend_file(struct tree *tree, uint32_t wanted, struct space_extent *extent);

/* Takes its own lock: an extent of the tree for a child, which is made of it if `new_tree`; and back. */
JET_ERR space_get_extent(struct tree *tree, const struct btree_actor *actor, uint32_t wanted, uint32_t least,
                         bool new_tree, struct space_extent *extent);
JET_ERR space_free_extent(struct tree *tree, const struct btree_actor *actor, struct space_extent extent);

#endif
