/* What the tests of transactions share: a database in memory with one tree, a few sessions with a cursor on
 * it each. */
#ifndef OPENESENT_TESTS_VERSION_WORLD_H
#define OPENESENT_TESTS_VERSION_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "include/esent_host.h"
#include "src/btree/btree_check.h"
#include "src/btree/space.h"
#include "src/version/version_internal.h"

#define SESSIONS 4

static struct cache *cache;
static struct database *database;
static struct tree_registry *registry;
static struct version_store *store;
static struct transaction sessions[SESSIONS];
static struct versioned_cursor *cursors[SESSIONS];
static page_number root;

static inline void open_world(uint32_t page_size, bool unique)
{
    const struct cache_config config = {64};
    struct database_header header;
    struct signature signature = {.random = 5};
    struct btree_actor actor = {.process = 1, .level = 1, .begin0 = 4};
    struct tree_design design = {.parent = ROOT_PAGE_DATABASE, .pages = 1, .unique = unique};
    object_id object = 0;

    assert_int_equal(cache_create(&config, &cache), JET_errSuccess);
    assert_int_equal(database_allocate(cache, NULL, 1, "/a.edb", &database), JET_errSuccess);
    database_header_init(&header, page_size, &signature);
    assert_int_equal(database_create_file(database, &header, 254, true), JET_errSuccess);
    assert_int_equal(tree_registry_create(&registry), JET_errSuccess);
    assert_int_equal(space_create_database(registry, database, &actor, 254), JET_errSuccess);
    struct version_store_options options = {.trees = registry, .bytes_most = 10000000};
    assert_int_equal(version_store_create(&options, &store), JET_errSuccess);
    assert_int_equal(space_create_tree(registry, database, &actor, &design, &root, &object), JET_errSuccess);
    for (uint16_t i = 0; i < SESSIONS; i++) {
        assert_int_equal(transaction_init(&sessions[i], store, (uint16_t)(i + 1)), JET_errSuccess);
        assert_int_equal(versioned_cursor_open(&sessions[i], database, root, &cursors[i]), JET_errSuccess);
    }
}

static inline void close_world(void)
{
    for (int i = 0; i < SESSIONS; i++) {
        versioned_cursor_close(cursors[i]);
        while (transaction_level(&sessions[i]) > 0)
            assert_int_equal(transaction_rollback(&sessions[i]), JET_errSuccess);
        transaction_done(&sessions[i]);
    }
    assert_int_equal(version_store_clean(store, NULL), JET_errSuccess);
    assert_int_equal(version_store_bytes(store), 0);
    version_store_free(store);
    tree_registry_free(registry);
    cache_purge_database(database);
    database_free(database);
    cache_destroy(cache);
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
    const size_t left = EsentHostReset(report, sizeof report);

    if (left != 0)
        print_error("%s\n", report);
    return left == 0 ? 0 : -1;
}

static inline struct span text(const char *bytes)
{
    return span_of(bytes, strlen(bytes));
}

static inline JET_ERR insert(int session, const char *key, const char *data)
{
    return versioned_cursor_insert(cursors[session], text(key), text(data), 0);
}

static inline JET_ERR seek(int session, const char *key)
{
    return versioned_cursor_seek(cursors[session], text(key), VERSIONED_SEEK_EQ);
}

static inline void assert_data(int session, const char *key, const char *data)
{
    struct node_view view;

    assert_int_equal(seek(session, key), JET_errSuccess);
    assert_int_equal(versioned_cursor_copy(cursors[session], &view), JET_errSuccess);
    assert_int_equal(view.data.size, strlen(data));
    assert_memory_equal(view.data.bytes, data, view.data.size);
}

static inline void begin(int session)
{
    assert_int_equal(transaction_begin(&sessions[session], false), JET_errSuccess);
}

static inline void commit(int session)
{
    assert_int_equal(transaction_commit(&sessions[session], true), JET_errSuccess);
}

static inline void rollback(int session)
{
    assert_int_equal(transaction_rollback(&sessions[session]), JET_errSuccess);
}

/* The tree is whole, and so is its space. */
static inline void check_tree(void)
{
    struct tree *tree = NULL;
    struct tree_report report;

    assert_int_equal(tree_open(registry, database, root, &tree), JET_errSuccess);
    JET_ERR err = btree_check_space(tree, &report);
    if (report.problem != NULL)
        print_error("page %u: %s\n", report.where, report.problem);
    assert_int_equal(err, JET_errSuccess);
    tree_close(tree);
}
#endif
