/* The external header of a tree's root: the space header alone, or a byte of flags and the fields it names
 * (engine source: `node.cxx`, root fields). Of the fields, trees of tables may have the highest
 * auto-increment number that is reserved. Space trees have a split buffer there instead. */
#ifndef OPENESENT_BTREE_ROOT_HEADER_H
#define OPENESENT_BTREE_ROOT_HEADER_H

#include "src/btree/btree.h"
#include "src/btree/space.h"

#define ROOT_HEADER_MOST 32u

/* The space header of a root page; false: there is none. */
bool root_header_space(const struct page *page, struct space_header *out);
/* The external header with another space header, its other fields kept; returns its size. */
uint32_t root_header_with_space(const struct page *page, const struct space_header *space,
                                uint8_t out[ROOT_HEADER_MOST]);

/* The highest number reserved for the tree's auto-increment column; *known false: the root has no such field.
 */
JET_ERR root_autoincrement_read(struct tree *tree, bool *known, uint64_t *highest);
/* Notes it, logged for the actor; it is no version, no rollback takes it back. JET_errRecordTooBig: the page
 * has no room for the field. */
JET_ERR root_autoincrement_write(struct tree *tree, const struct btree_actor *actor, uint64_t highest);

#endif
