/* Changing one node of a tree: in place, or with a split.
 *
 * The caller describes the change by a `struct node_change` with a function that decides: it is called with
 * the leaf latched exclusively (or in intent mode, before a split) at the place of the bookmark, and says
 * what is to be done there, or refuses with an error. It may be called several times, since the tree may have
 * changed between attempts; the last call before the change counts. */
#ifndef OPENESENT_BTREE_BTREE_CHANGE_H
#define OPENESENT_BTREE_BTREE_CHANGE_H

#include "src/btree/btree.h"
#include "src/page/node.h"

enum change_kind {
    CHANGE_NONE,                    /* nothing to do after all */
    CHANGE_INSERT,                  /* key, data */
    CHANGE_FLAG_INSERT,             /* the deleted node comes back */
    CHANGE_FLAG_INSERT_AND_REPLACE, /* the same with new data */
    CHANGE_REPLACE,                 /* data */
    CHANGE_FLAG_DELETE,
    CHANGE_DELETE,       /* the node goes from the page */
    CHANGE_DELTA,        /* offset, width, delta */
    CHANGE_UNDO_INSERT,  /* logged as undo of the entry `entry_id` */
    CHANGE_UNDO_REPLACE, /* data: the before-image */
    CHANGE_UNDO_FLAG_DELETE,
    CHANGE_UNDO_DELTA,
};

struct node_change;

/* The place a change happens at. */
struct change_place {
    struct latch *latch;
    uint32_t line;
    bool equal;       /* line is the bookmark's node */
    struct node node; /* if equal; spans point into the page */
};

/* Sets change->kind and the fields it needs. Must not latch pages or wait. */
typedef JET_ERR change_decide(struct node_change *change, const struct change_place *place);

/* Called under the latch, after the change was applied and before the latch is let go. `record`: position of
 * its log record, null if unlogged. */
typedef void change_applied(struct node_change *change, const struct change_place *place,
                            struct log_position record);

struct node_change {
    struct bookmark bookmark; /* caller's memory */
    change_decide *decide;
    change_applied *applied; /* may be NULL */
    void *context;

    struct tree *tree; /* the caller may leave it out, unless `decide` wants it */

    enum change_kind kind;
    struct span data;
    bool versioned;
    bool append;       /* probably behind all others: `page` and `modified` say where the last leaf was */
    uint32_t entry_id; /* version entry, 0 if none */
    uint32_t replace_entry_id; /* CHANGE_FLAG_INSERT_AND_REPLACE: entry of the replacement */
    uint16_t offset;
    uint8_t width;
    int64_t delta;
    uint8_t undo_level;

    /* Where it happened, as a hint for finding it again; with `append` also a hint where to look first. */
    page_number page;
    uint32_t line;
    dbtime modified;
};

/* Does it. Errors: what `decide` says, JET_errRecordTooBig-like JET_errKeyTooBig for nodes that fit no page,
 * log, space and I/O errors; nothing is changed then. */
JET_ERR btree_change_node(struct tree *tree, const struct btree_actor *actor, struct node_change *change);

/* Plain changes without versions, for space trees and tools. JET_errKeyDuplicate, JET_errRecordNotFound. */
JET_ERR btree_insert(struct tree *tree, const struct btree_actor *actor, struct span key, struct span data);
JET_ERR btree_replace(struct tree *tree, const struct btree_actor *actor, const struct bookmark *bookmark,
                      struct span data);
JET_ERR btree_delete(struct tree *tree, const struct btree_actor *actor, const struct bookmark *bookmark);

#endif
