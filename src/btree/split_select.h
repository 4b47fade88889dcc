/* Choosing how to split a page: where, with which prefixes. */
#ifndef OPENESENT_BTREE_SPLIT_SELECT_H
#define OPENESENT_BTREE_SPLIT_SELECT_H

#include "src/btree/apply_split.h"
#include "src/btree/btree_internal.h"

/* Sums over a page's lines up to this one, with the operation done. */
struct line_weight {
    uint32_t size;    /* bytes with tags, nothing compressed */
    uint32_t reserve; /* what running transactions may claim */
    uint32_t common;  /* not a sum: bytes that the line would save with the key in front of it as prefix */
};

/* What a plan was made of. It is kept while the pages that it needs are fetched, and made anew only if
 * something changed meanwhile. */
struct split_basis {
    size_t depth; /* 0: there is no plan */
    enum change_kind kind;
    size_t data_size;
    page_number right;
    dbtime right_modified;
    page_number numbers[TREE_DEPTH_MOST + 1];
    dbtime modified[TREE_DEPTH_MOST + 1]; /* 0 above the first page that changes */
    uint32_t lines[TREE_DEPTH_MOST + 1];
};

/* A path being split; level 0 is the root. */
struct split_plan {
    struct tree *tree;
    struct latch path[TREE_DEPTH_MOST + 1];
    uint32_t lines[TREE_DEPTH_MOST + 1]; /* line taken at each level; in the leaf: where the change goes */
    size_t depth;                        /* number of levels */
    size_t levels_used;                  /* the greatest depth so far */
    struct latch right;                  /* sibling behind the leaf, if there is one */
    struct latch new_pages[TREE_DEPTH_MOST + 1];

    size_t first;                                 /* highest level that changes */
    struct split_step steps[TREE_DEPTH_MOST + 1]; /* by level */
    struct byte_buffer prefixes[TREE_DEPTH_MOST + 1];
    struct byte_buffer old_prefixes[TREE_DEPTH_MOST + 1];
    struct byte_buffer separators[TREE_DEPTH_MOST + 1];
    struct split_change change;
    bool operation_done; /* the change is part of the split */
    size_t new_page_count;
    struct line_weight *weights; /* of the level that is being planned */
    size_t weight_capacity;
    struct split_basis basis;
};

/* Plans the split of the leaf, and of the pages above as far as needed, for a change at lines[depth - 1]. The
 * path (and the right sibling) is latched. Sets first, steps, new_page_count, operation_done; page numbers of
 * new pages are left open. */
JET_ERR split_select(struct split_plan *plan, const struct node_change *change);

/* -- Weighing (split_weigh.c). */

/* Room of a page for lines with their tags, and for the prefix. */
static inline size_t split_capacity(const struct page *page)
{
    return page->size - page_header_size(page->size) - sizeof(struct page_tag);
}

/* Lines that will make up a page. */
struct split_half {
    uint32_t first;
    uint32_t end;
    int32_t prefix_line; /* from `first`, or SPLIT_LINE_NONE */
    size_t size;         /* bytes needed, reserves included */
    size_t reserve;
};

enum split_fit { SPLIT_FITS = 0, SPLIT_LEFT_OVERFLOWS = 1, SPLIT_RIGHT_OVERFLOWS = 2 };

/* The node with index `line` once the operation is done. */
struct node split_plan_line(const struct split_plan *plan, size_t level, uint32_t line);

/* Fills plan->weights for a level; again after its operation changed. */
JET_ERR split_weigh(struct split_plan *plan, size_t level);

/* What transactions may claim of the lines [first, end). */
size_t split_reserve(const struct split_plan *plan, uint32_t first, uint32_t end);

/* Chooses the key that saves most as prefix of half->first ... half->end, as the engine does, and fills the
 * rest of the half. A half of a page that has a prefix fits a page with what is chosen here, unless the
 * operation is in it. */
void split_choose_prefix(const struct split_plan *plan, size_t level, struct split_half *half);

/* The line, 1 or greater, where a split leaves about as many bytes on both sides. Two lines or more. */
uint32_t split_middle_line(const struct split_plan *plan, size_t level);

#endif
