/* Cursors of a transaction: see the tree as the transaction's snapshot does, change it under its rules
 * (engine source: `dir.cxx`). This is what tables, indexes and the catalog are made of.
 *
 * The place of a cursor: on a node (by bookmark), between nodes beside a bookmark (after a failed seek),
 * before the first, behind the last. It keeps its place by bookmark, so others may change or remove the node
 * meanwhile: `get` on a node that is gone says JET_errRecordDeleted, moves go to the neighbours.
 *
 * Results of a cursor (`node->key`, `node->data`) are valid until the next call on the same cursor. `get`
 * keeps the page latched until `versioned_cursor_release` (or any other call on the cursor): release before
 * calling anything else that may touch a tree, or use `versioned_cursor_copy`.
 *
 * Thread safety: a cursor belongs to its session's thread. */
#ifndef OPENESENT_VERSION_VERSIONED_CURSOR_H
#define OPENESENT_VERSION_VERSIONED_CURSOR_H

#include "src/btree/btree_cursor.h"
#include "src/version/transaction.h"

struct versioned_cursor;

JET_ERR versioned_cursor_open(struct transaction *transaction, struct database *database, page_number root,
                              struct versioned_cursor **out);
/* NULL is fine. Before the transaction's end of life (transaction_done), by its thread. */
void versioned_cursor_close(struct versioned_cursor *cursor);

/* How full appending fills the tree's pages, in percent; for all cursors on it. */
void versioned_cursor_set_density(struct versioned_cursor *cursor, uint32_t density);
struct tree *versioned_cursor_tree(struct versioned_cursor *cursor);
/* A second cursor of the same transaction on the same tree, at the same place. */
JET_ERR versioned_cursor_duplicate(struct versioned_cursor *from, struct versioned_cursor **out);

/* -- Moving. Each returns JET_errNoCurrentRecord when there is no such node; the place is then before the
 * first or behind the last. The page is not latched afterwards; use `get`. */
void versioned_cursor_before_first(struct versioned_cursor *cursor);
void versioned_cursor_after_last(struct versioned_cursor *cursor);
/* Nowhere: there is no next node and no previous one, until the cursor is placed anew. */
void versioned_cursor_lose(struct versioned_cursor *cursor);
JET_ERR versioned_cursor_first(struct versioned_cursor *cursor);
JET_ERR versioned_cursor_last(struct versioned_cursor *cursor);
JET_ERR versioned_cursor_next(struct versioned_cursor *cursor);
JET_ERR versioned_cursor_previous(struct versioned_cursor *cursor);
/* To the next (previous) node whose key differs from the current one (JET_bitMoveKeyNE). */
JET_ERR versioned_cursor_next_key(struct versioned_cursor *cursor);
JET_ERR versioned_cursor_previous_key(struct versioned_cursor *cursor);

/* Searches the first (for LE, LT: last) visible node by key. */
enum versioned_seek {
    VERSIONED_SEEK_EQ, /* the first node with exactly this key */
    VERSIONED_SEEK_GE,
    VERSIONED_SEEK_GT,
    VERSIONED_SEEK_LE, /* last node with a key at or before; among equal keys the first, as JetSeek does */
    VERSIONED_SEEK_LT,
};
/* JET_errSuccess: at a node with the key (EQ, GE, LE) or at the neighbour asked for (GT, LT);
 * JET_wrnSeekNotEqual: at the nearest node in the direction; JET_errRecordNotFound: none; the place is then
 * beside the key, so that next and previous go to the neighbours. */
JET_ERR versioned_cursor_seek(struct versioned_cursor *cursor, struct span key, enum versioned_seek how);
/* Whether a descent by `key` ends on a node that the snapshot shows: the first at or behind the key, else the
 * last of the tree. The place does not change. After a seek that found nothing this tells whether the
 * published engine gave up at once or went on to an end of the tree. */
JET_ERR versioned_cursor_lands(struct versioned_cursor *cursor, struct span key, bool *visible);
/* Whether the tree has any node, be it visible to nobody: a deleted one that has not been cleaned up counts.
 */
JET_ERR versioned_cursor_any_node(struct versioned_cursor *cursor, bool *any);
/* JET_errWriteConflict if the tree has changes of other transactions that the snapshot does not see: not
 * committed, or committed since. The cursor loses its place. */
JET_ERR versioned_cursor_check_settled(struct versioned_cursor *cursor);
/* To the node with exactly this bookmark: JET_errSuccess, or JET_errRecordDeleted (the place does not
 * change). */
JET_ERR versioned_cursor_goto(struct versioned_cursor *cursor, const struct bookmark *bookmark);
/* Takes the bookmark without looking (restoring a saved place). */
JET_ERR versioned_cursor_set_bookmark(struct versioned_cursor *cursor, const struct bookmark *bookmark);
/* The bookmark of the current place; JET_errNoCurrentRecord when not on a node. Valid until the place
 * changes. */
JET_ERR versioned_cursor_bookmark(struct versioned_cursor *cursor, struct bookmark *bookmark);
bool versioned_cursor_on_node(const struct versioned_cursor *cursor);

/* -- Reading. Latches and shows the current node as the snapshot has it: JET_errNoCurrentRecord when not on a
 * node, JET_errRecordDeleted when it is gone (or invisible). */
JET_ERR versioned_cursor_get(struct versioned_cursor *cursor, struct node_view *node);
void versioned_cursor_release(struct versioned_cursor *cursor);
/* As get, but into the cursor's own buffer and unlatched. */
JET_ERR versioned_cursor_copy(struct versioned_cursor *cursor, struct node_view *node);

/* -- Changing: transaction level > 0 (JET_errNotInTransaction). The page is not latched afterwards. */
enum versioned_insert_flags {
    VERSIONED_INSERT_DEFAULT = 0,
    VERSIONED_INSERT_APPEND = 1 << 0,      /* hint: behind the last */
    VERSIONED_INSERT_KEEP_PLACE = 1 << 1,  /* the cursor does not move to the new node */
    VERSIONED_INSERT_UNVERSIONED = 1 << 2, /* building an index nobody else sees: no version entry */
};
/* JET_errKeyDuplicate: in a unique tree the key is there, or a change of it that my snapshot does not see
 * exists; in a non-unique tree key and data are there. The cursor is on the new node afterwards (unless
 * KEEP_PLACE). */
JET_ERR versioned_cursor_insert(struct versioned_cursor *cursor, struct span key, struct span data,
                                unsigned flags);
/* New data for the current node (unique trees). JET_errWriteConflict, JET_errRecordDeleted,
 * JET_errNoCurrentRecord. */
JET_ERR versioned_cursor_replace(struct versioned_cursor *cursor, struct span data);
/* Deletes the current node; the place stays on it (deleted). */
JET_ERR versioned_cursor_delete(struct versioned_cursor *cursor);
/* Locks the current node for the transaction without changing it. */
enum versioned_lock {
    VERSIONED_LOCK_READ,
    VERSIONED_LOCK_WRITE,
};
JET_ERR versioned_cursor_lock(struct versioned_cursor *cursor, enum versioned_lock lock);
/* Adds to the little-endian integer of `width` (4 or 8) bytes at `offset` of the data; concurrent deltas do
 * not conflict. `old` (may be NULL) gets the true value before, other transactions' deltas included. With
 * `on_zero`, clean-up calls it when the value is zero after everything is committed (long values, finalised
 * columns); the bookmark is the node's. */
typedef void versioned_zero_callback(struct version_store *store, struct database *database, page_number root,
                                     const struct bookmark *bookmark);
JET_ERR versioned_cursor_delta(struct versioned_cursor *cursor, uint16_t offset, unsigned width,
                               int64_t delta, int64_t *old, versioned_zero_callback *on_zero);

/* -- Numbers. */
/* Estimates the place of the current node: `less` of `total` nodes lie before it (JetGetRecordPosition). */
JET_ERR versioned_cursor_position(struct versioned_cursor *cursor, uint64_t *less, uint64_t *total);
/* Goes to the node about `less` of `total` into the tree (JetGotoPosition). */
JET_ERR versioned_cursor_goto_position(struct versioned_cursor *cursor, uint64_t less, uint64_t total);

/* -- Trees in transactions. Makes a tree that rollback takes away again; frees one when nobody can see it any
 * more. */
struct tree_design;
JET_ERR versioned_create_tree(struct transaction *transaction, struct database *database,
                              const struct tree_design *design, page_number *root, object_id *object);
JET_ERR versioned_free_tree(struct transaction *transaction, struct database *database, page_number root);

#endif
