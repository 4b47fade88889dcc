/* Open trees: one `struct tree` per (database, root page), shared by all cursors on it (engine source:
 * `fcb.hxx`).
 *
 * A tree is a B+-tree with its own space ("father data page", FDP): the root page names the object id,
 * uniqueness, the parent tree that it got its space from, and the roots of its owned and available extents.
 * The registry of open trees hangs on an instance-wide `struct tree_registry`; trees are reference counted
 * and are kept while referenced.
 *
 * Thread safety: registry calls are thread-safe; the immutable fields of a tree may be read without a lock.
 */
#ifndef OPENESENT_BTREE_TREE_H
#define OPENESENT_BTREE_TREE_H

#include "src/os/atomic.h"
#include "src/os/base.h"
#include "src/os/error.h"
#include "src/os/lock.h"

struct database;
struct tree_registry;

/* Where the engine keeps its trees: the root of the database's own space and of its catalog. */
#define ROOT_PAGE_DATABASE ((page_number)1)
#define ROOT_PAGE_DATABASE_OWNED ((page_number)2)
#define ROOT_PAGE_DATABASE_AVAILABLE ((page_number)3)

struct tree {
    struct database *database; /* borrowed; outlives the tree */
    page_number root;          /* immutable */
    page_number owner;  /* root of the tree whose space this is: of a space tree what log records name */
    object_id object;   /* immutable: object id stamped on every page of the tree */
    bool unique;        /* immutable: bookmark is the key alone; otherwise key and data */
    bool space;         /* immutable: an owned- or available-extents tree, whose pages carry the space flag */
    page_number parent; /* root page of the tree that owns our extents; null for the database root */

    os_atomic_32 append_free; /* percent of a page that appending leaves free: 20, or 0 for long values */

    bool space_known; /* (space lock) the two below are filled; otherwise at first use */
    /* Space, filled at open and changed by conversion under the root's latch (atomic reads allowed). */
    page_number owned_root;     /* root of the owned extents, null while the tree is single-extent */
    page_number available_root; /* root of the available extents, null while the tree is single-extent */

    struct os_mutex
        space_lock; /* OS_RANK_TREE: serialises allocation in this tree; taken child before parent */
    struct tree_registry *registry;
    struct tree *next;   /* (registry) */
    uint32_t references; /* (registry) */
    bool forgotten;      /* (registry) */
};

/* Makes and frees the registry of an instance. At free no tree may be referenced (asserted); unreferenced
 * ones go. */
JET_ERR tree_registry_create(struct tree_registry **out);
void tree_registry_free(struct tree_registry *registry);

/* Space that uncommitted changes may still claim for a node: the largest data size among the before-images
 * that running transactions hold for it, 0 if none. Set once by the version layer; without it nothing is
 * reserved. */
struct node;
typedef uint32_t node_reserve_function(void *context, struct tree *tree, const struct node *node);
void tree_registry_set_reserve(struct tree_registry *registry, node_reserve_function *function,
                               void *context);

/* Opens the tree with root page `root`, reading the root page when it is not open yet; adds a reference.
 * Errors: JET_errOutOfMemory, read errors, JET_errDatabaseCorrupted / JET_errSPAvailExtCorrupted for a page
 * that is no root. */
JET_ERR tree_open(struct tree_registry *registry, struct database *database, page_number root,
                  struct tree **out);
/* The same for a root that is just being made and cannot be read yet. */
JET_ERR tree_open_new(struct tree_registry *registry, struct database *database, page_number root,
                      object_id object, bool unique, page_number parent, struct tree **out);
/* The same for a tree as a log record names it: reads nothing, since its pages may be of another time.
 * Replaces an unreferenced tree of the same root with another object id. */
JET_ERR tree_open_known(struct tree_registry *registry, struct database *database, page_number root,
                        object_id object, bool unique, struct tree **out);
/* Takes a tree that is being deleted out of the registry, and drops the caller's reference; the memory goes
 * with the last one. */
void tree_forget(struct tree *tree);
void tree_add_reference(struct tree *tree);
void tree_close(struct tree *tree);

/* How full appending fills pages, in percent (20 to 100): what the catalog says of the tree. */
void tree_set_density(struct tree *tree, uint32_t density);

/* Fills the space fields from the root page if they are not known. Space lock held. */
JET_ERR tree_know_space(struct tree *tree);

/* Drops every unreferenced tree of a database (before it is closed); true if none remains. */
bool tree_registry_forget(struct tree_registry *registry, struct database *database);

#endif
