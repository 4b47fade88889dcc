/* Physical B+-trees: types that all of the layer shares, and the changes of one tree (engine sources:
 * `bt.cxx`, `node.cxx`, `btsplit.hxx`).
 *
 * A node is a key and data. In a unique tree the key identifies it; in a non-unique tree (secondary indexes)
 * key and data together do ("bookmark"). Nodes that a running transaction may still need are flag-deleted
 * only; the version layer above decides what a transaction sees, this layer sees everything.
 *
 * Every change of a page follows one order: exclusive latch, new dbtime, log record, apply, stamp the dbtime
 * and mark the page dirty. What "apply" does is in `apply_*.h`, shared with recovery's redo. */
#ifndef OPENESENT_BTREE_BTREE_H
#define OPENESENT_BTREE_BTREE_H

#include "src/btree/tree.h"
#include "src/cache/cache.h"
#include "src/page/node.h"

/* What identifies a node: its key, and in non-unique trees its data (empty in unique ones). */
struct bookmark {
    struct span key;
    struct span data;
};

/* Longest key of a node that the largest page size supports, with room for the engine's suffixes. */
#define BTREE_KEY_MOST 2048

/* On whose behalf a page is changed; goes to the log record. */
struct btree_actor {
    uint16_t process; /* the session's number ("procid") in log records */
    uint8_t level;    /* transaction level */
    uint32_t begin0;  /* transaction id */
    struct log_position
        begin; /* where redo must start to repeat the changes: the transaction's begin record */
};

#endif
