/* What the files of src/btree share; not for other layers. */
#ifndef OPENESENT_BTREE_BTREE_INTERNAL_H
#define OPENESENT_BTREE_BTREE_INTERNAL_H

#include "src/btree/btree_change.h"
#include "src/btree/btree_cursor.h"
#include "src/log/log.h"
#include "src/os/lock.h"
#include "src/os/memory.h"

/* Deepest tree that is believed; more means a cycle of child pointers. */
#define TREE_DEPTH_MOST 16

#define REGISTRY_BUCKETS 64u

struct tree_registry {
    struct os_mutex lock;
    struct tree *buckets[REGISTRY_BUCKETS];
    node_reserve_function *reserve;
    void *reserve_context;
};

/* Largest data size that rollback may bring back for the node; and how much more that is than it has now. */
uint32_t node_reserved_size(struct tree *tree, const struct node *node);
uint32_t node_reserve(struct tree *tree, const struct node *node);

/* A growing buffer. Zeroed it is empty; it may begin with memory that somebody else owns. */
struct byte_buffer {
    uint8_t *bytes;
    size_t size;
    size_t capacity;
    bool borrowed;
};

static inline struct byte_buffer byte_buffer_on(void *memory, size_t capacity)
{
    return (struct byte_buffer){memory, 0, capacity, true};
}

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

/* A cursor inside of another structure (zeroed); takes over a reference to the tree. */
void btree_cursor_init(struct btree_cursor *cursor, struct tree *tree);
void btree_cursor_done(struct btree_cursor *cursor);

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

/* The log and stamping of changes (btree_log.c). Whether changes of the tree are logged at all. */
bool change_is_logged(const struct tree *tree);
/* Fills the first part of a page record. */
void log_fill_page(struct log_record_page *record, uint8_t type, const struct tree *tree,
                   const struct btree_actor *actor, page_number page, dbtime modified, dbtime before);
/* Appends the record of a change of one node; `page` is as before the change. `before` is the page's dbtime
 * before, or LOG_DBTIME_NONE within a split. */
#define LOG_DBTIME_NONE (~(uint64_t)0)
JET_ERR log_node_change(const struct tree *tree, const struct btree_actor *actor, const struct page *page,
                        uint32_t line, const struct node_change *change, dbtime modified, dbtime before,
                        struct log_position *position);
/* The image of a page for a record: it carries the new dbtime already (redo puts the old one back), and is
 * compressed where that makes it smaller: *flags says so. `scratch` holds two pages, the piece lies in it. */
struct log_piece log_page_image(const struct page *page, dbtime modified, uint8_t *scratch, uint32_t *flags);
/* After a macro's commit: the pages it changed, for who reads ahead. Not needed by redo; cannot fail. */
void log_macro_pages(const struct tree *tree, const page_number *pages, size_t count);
JET_ERR log_macro(const struct tree *tree, const struct btree_actor *actor, uint8_t type, dbtime modified,
                  struct log_position *position);
/* Latches a page that is about to become one of the tree's. Where the log's version has it, a record tells of
 * the page's birth, and it is empty until the change that fills it. The page's dbtime is below that of every
 * change that is given its dbtime afterwards. */
JET_ERR latch_new_page(const struct tree *tree, const struct btree_actor *actor, page_number number,
                       struct latch *latch);
/* After the bytes changed: stamps and marks the page dirty. */
void stamp_page(struct latch *latch, const struct btree_actor *actor, dbtime modified,
                struct log_position position);

/* Bytes of a page, tag included, that the change needs at this place. */
uint32_t change_size(const struct page *page, uint32_t line, const struct node_change *change);
/* Whether the page has them without touching what rollbacks may claim. Puts the page's hint right when the
 * latch is exclusive. */
bool page_has_space(struct tree *tree, struct latch *latch, uint32_t size);
/* Whether the change fits the leaf, and should not begin a new last page instead (density of appends). */
bool change_fits(struct tree *tree, struct latch *latch, uint32_t line, const struct node_change *change);
/* Logs and does the change at a line of the leaf, which is latched exclusively. */
JET_ERR change_in_place(struct tree *tree, const struct btree_actor *actor, struct latch *latch,
                        uint32_t line, struct node_change *change);
/* Lets `decide` say what to do at a place. */
JET_ERR change_ask(struct node_change *change, struct latch *latch, uint32_t line, bool equal);
/* The same with a split, where there is no room. */
JET_ERR split_and_change(struct tree *tree, const struct btree_actor *actor, struct node_change *change);

/* Replaces the external header of a root that the caller has latched exclusively. */
JET_ERR root_set_header(struct tree *tree, const struct btree_actor *actor, struct latch *root,
                        struct span header);

/* Pages for a split, from the tree's space, or for a space tree from its split buffer. */
JET_ERR tree_take_page(struct tree *tree, const struct btree_actor *actor, page_number hint,
                       page_number *page);
void tree_return_page(struct tree *tree, const struct btree_actor *actor, page_number page);

#endif
