/* A database with trees that no log knows, for tests of single operations. */
#ifndef OPENESENT_TESTS_BTREE_CORNERS_WORLD_H
#define OPENESENT_TESTS_BTREE_CORNERS_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "include/esent_host.h"
#include "src/btree/btree_change.h"
#include "src/btree/btree_check.h"
#include "src/btree/btree_cursor.h"
#include "src/btree/merge.h"
#include "src/btree/root_header.h"
#include "src/btree/space.h"
#include "src/btree/space_internal.h"
#include "src/page/node.h"

#define OK(call) assert_int_equal((call), JET_errSuccess)
#define IS(call, code) do { const JET_ERR is_ = (call); if (is_ != (code)) { fprintf(stderr, "%s:%d %s: %d\n", __FILE__, __LINE__, #call, is_); } assert_int_equal(is_, (code)); } while (0)

static struct cache *cache;
static struct database *database;
static struct tree_registry *registry;
static struct btree_actor actor = {.process = 1, .level = 1, .begin0 = 4};

static inline void open_new(uint32_t page_size)
{
    const struct cache_config config = {1000};
    struct database_header header;
    struct signature signature = {.random = 5};
    OK(cache_create(&config, &cache));
    OK(database_allocate(cache, NULL, 1, "/a.edb", &database));
    database_header_init(&header, page_size, &signature);
    OK(database_create_file(database, &header, 254, true));
    OK(tree_registry_create(&registry));
    OK(space_create_database(registry, database, &actor, 254));
}

static inline int set_up(void **state)
{
    (void)state;
    return EsentHostUseMemoryFiles();
}

static inline int tear_down(void **state)
{
    (void)state;
    char report[500] = "";
    tree_registry_free(registry);
    cache_purge_database(database);
    database_free(database);
    cache_destroy(cache);
    registry = NULL;
    database = NULL;
    cache = NULL;
    const size_t left = EsentHostReset(report, sizeof report);
    if (left != 0)
        print_error("%s\n", report);
    return left == 0 ? 0 : -1;
}

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
