/* Splits of pages, as the engine performs and redoes them (engine sources: `bt.cxx`, `btsplit.hxx`).
 *
 * One split changes a path of pages from the highest page that changes down to the page that was full:
 *
 *     vertical   the root's nodes move to a new page, which becomes the root's only child
 *     right      the nodes from `split_line` on move to a new page behind the split one
 *     append     only the node to be inserted, the last of its level, goes to a new last page
 *
 * The page above gets a pointer to the new page, which may split it too. The change of a node that asked for
 * the room is part of the split, unless it does not fit either half (SPLIT_OPERATION_NONE: it is tried again
 * afterwards). All pages of a split have the same new dbtime; its records are one macro in the log. */
#ifndef OPENESENT_BTREE_APPLY_SPLIT_H
#define OPENESENT_BTREE_APPLY_SPLIT_H

#include "src/page/node.h"

enum split_type {
    SPLIT_VERTICAL = 0,
    SPLIT_RIGHT = 1,
    SPLIT_APPEND = 2,
};

enum split_operation {
    SPLIT_OPERATION_NONE = 0,
    SPLIT_OPERATION_INSERT = 1,
    SPLIT_OPERATION_REPLACE = 2,
    SPLIT_OPERATION_FLAG_INSERT_AND_REPLACE = 3,
};

#define SPLIT_LINE_NONE ((int32_t)-1)

/* One level of a split. Lines are counted with the operation done, except for SPLIT_OPERATION_NONE. */
struct split_step {
    struct page page; /* the page to split or, if `splits` is false, to insert the pointer into */
    bool change_page; /* false: redo found it done already */
    bool splits;

    struct page new_page;
    bool change_new;
    struct page right_page; /* the sibling behind a split leaf */
    bool change_right;
    page_number split_number;
    page_number new_number;
    page_number right_number; /* PAGE_NUMBER_NULL: none */

    enum split_type type;
    enum split_operation operation;
    uint32_t operation_line;
    uint32_t split_line; /* the first line that moves */
    uint32_t line_count;
    uint32_t new_flags; /* of the pages afterwards */
    uint32_t split_flags;
    uint32_t uncommitted_free_split;
    uint32_t uncommitted_free_new;
    int32_t
        prefix_line_split;    /* line whose key becomes the split page's prefix, SPLIT_LINE_NONE: no prefix */
    int32_t prefix_line_new;  /* the same of the new page, counted from split_line */
    struct span prefix_split; /* key of prefix_line_split; must not lie on a page that changes */
    struct span parent_key;   /* separator, goes to the page above with split_number; same rule */
};

/* The change of a leaf's node that is part of the split. */
struct split_change {
    struct span key; /* insert */
    struct span data;
    bool versioned;
};

/* Steps come from the top down, each being the child of the one before; the last one splits. `scratch` is a
 * page's worth of memory. New pages are formatted here, for `object` with `modified`; the caller stamps the
 * dbtime of the others. */
void apply_split(struct split_step *steps, size_t count, const struct split_change *change, object_id object,
                 dbtime modified, uint8_t *scratch);

/* For redo: whether the record fits the pages (lines, sizes, room); JET_errLogCorrupted. Call for all steps
 * before apply_split. */
JET_ERR apply_check_split(const struct split_step *steps, size_t count, const struct split_change *change);

/* The line of a page above that a separator belongs before: the first whose key is greater. */
uint32_t split_separator_line(const struct page *parent, struct span key);

/* The node with index `line` after the operation, taken from the page before it (`source`); at upper levels
 * `child` is the step below. The child's page numbers are read from it. */
struct node split_line_node(const struct split_step *step, const struct page *source,
                            const struct split_step *child, const struct split_change *change, uint32_t line);

#endif
