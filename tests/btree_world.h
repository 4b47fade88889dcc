/* A database in memory with trees that no log knows. Include after cmocka.h. */
#ifndef OPENESENT_TESTS_BTREE_WORLD_H
#define OPENESENT_TESTS_BTREE_WORLD_H

#include "include/esent_host.h"
#include "src/btree/btree_change.h"
#include "src/btree/btree_check.h"
#include "src/btree/btree_cursor.h"
#include "src/btree/space.h"

static struct cache *cache;
static struct database *database;
static struct tree_registry *registry;
static struct btree_actor actor = {.process = 1, .level = 1, .begin0 = 4};

static inline void open_new(uint32_t page_size, uint32_t cache_pages)
{
    const struct cache_config config = {cache_pages};
    struct database_header header;
    struct signature signature = {.random = 5};

    assert_int_equal(cache_create(&config, &cache), JET_errSuccess);
    assert_int_equal(database_allocate(cache, NULL, 1, "/a.edb", &database), JET_errSuccess);
    database_header_init(&header, page_size, &signature);
    assert_int_equal(database_create_file(database, &header, 254, true), JET_errSuccess);
    assert_int_equal(tree_registry_create(&registry), JET_errSuccess);
    assert_int_equal(space_create_database(registry, database, &actor, 254), JET_errSuccess);
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

#endif
