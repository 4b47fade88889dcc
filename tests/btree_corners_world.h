/* Trees of btree_world.h for tests of single operations. */
#ifndef OPENESENT_TESTS_BTREE_CORNERS_WORLD_H
#define OPENESENT_TESTS_BTREE_CORNERS_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "src/btree/merge.h"
#include "src/btree/root_header.h"
#include "src/btree/space_internal.h"
#include "src/page/node.h"
#include "tests/btree_world.h"

#define OK(call) assert_int_equal((call), JET_errSuccess)
#define IS(call, code) assert_int_equal((call), (code))

static inline struct tree *make_tree(page_number *root, bool unique)
{
    struct tree_design design = {.parent = ROOT_PAGE_DATABASE,
                                 .pages = 1,
                                 .unique = unique,
                                 .page_flags = unique ? 0 : PAGE_INDEX | PAGE_NON_UNIQUE};
    struct tree *tree = NULL;
    object_id object = 0;
    OK(space_create_tree(registry, database, &actor, &design, root, &object));
    OK(tree_open(registry, database, *root, &tree));
    return tree;
}

static inline bool node_is_gone(void *context, struct tree *tree, const struct node *node)
{
    (void)context;
    (void)tree;
    (void)node;
    return true;
}

/* Changes a page behind everybody's back. */
static inline void bend(page_number number, void (*change)(struct page *page))
{
    struct latch latch = LATCH_INIT;
    OK(cache_latch(database, number, LATCH_EXCLUSIVE, LATCH_ZERO_OK, &latch));
    change(&latch.page);
    cache_set_dirty(&latch, DBTIME_NULL, LOG_POSITION_MIN, LOG_POSITION_MIN);
    cache_unlatch(&latch);
}

#endif
