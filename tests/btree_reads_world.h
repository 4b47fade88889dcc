/* What the tests of wrong reads share: a disk with one file, of which a chosen page is read wrongly, and on
 * it a database with a few trees of each kind. */
#ifndef OPENESENT_TESTS_BTREE_READS_WORLD_H
#define OPENESENT_TESTS_BTREE_READS_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "include/esent_host.h"
#include "src/btree/apply_space.h"
#include "src/btree/btree_change.h"
#include "src/btree/btree_check.h"
#include "src/btree/btree_cursor.h"
#include "src/btree/merge.h"
#include "src/btree/root_header.h"
#include "src/btree/space.h"
#include "src/cache/cache_internal.h"
#include "src/os/file_system.h"
#include "src/os/memory.h"
#include "src/page/checksum.h"
#include "src/version/version.h"
#include "src/version/versioned_cursor.h"

#define PAGE_SIZE 2048u
#define HEADERS 2u
#define ROOM (1600u * PAGE_SIZE)

/* ---- a disk with one file */

static uint8_t disk[ROOM];
static uint8_t golden[ROOM];
static bool changed[ROOM / PAGE_SIZE];
static uint64_t disk_size;
static uint64_t golden_size;
static uint32_t reads;  /* of pages */
static uint32_t target; /* the read that goes wrong; 0 = none */

struct damage {
    const char *name;
    JET_ERR fails; /* the read itself answers this */
    void (*spoil)(struct page *page);
    bool unreadable;  /* the checksum is not put right */
    uint32_t noticed; /* so often at least the operation fails */
};
static const struct damage *damage;

static JET_ERR disk_open(void *context, const char *path, enum ESENT_HOST_OPEN_MODE mode,
                         enum ESENT_HOST_SHARE share, void **handle)
{
    (void)context;
    (void)path;
    (void)mode;
    (void)share;
    *handle = disk;
    return JET_errSuccess;
}
static void disk_close(void *context, void *handle)
{
    (void)context;
    (void)handle;
}
static JET_ERR disk_read(void *context, void *handle, uint64_t offset, void *buffer, size_t size,
                         size_t *done)
{
    (void)context;
    (void)handle;
    *done = offset >= disk_size ? 0 : size < disk_size - offset ? size : (size_t)(disk_size - offset);
    if (*done > 0)
        memcpy(buffer, disk + offset, *done);
    for (size_t at = 0; offset >= HEADERS * PAGE_SIZE && at + PAGE_SIZE <= *done; at += PAGE_SIZE) {
        if (++reads != target)
            continue;
        struct page page = {(uint8_t *)buffer + at, PAGE_SIZE,
                            (page_number)((offset + at) / PAGE_SIZE - HEADERS + 1)};
        if (damage->fails != JET_errSuccess)
            return damage->fails;
        if (damage->unreadable)
            memset(page.data + 500, 0x5a, 100);
        if (damage->spoil == NULL || page_check(&page) < JET_errSuccess)
            continue;
        damage->spoil(&page);
        if (!page_is_zero(&page))
            checksum_page_set(&page);
    }
    return JET_errSuccess;
}
static JET_ERR disk_write(void *context, void *handle, uint64_t offset, const void *buffer, size_t size)
{
    (void)context;
    (void)handle;
    if (offset + size > ROOM)
        return JET_errDiskFull;
    memcpy(disk + offset, buffer, size);
    for (uint64_t at = offset; at < offset + size; at += PAGE_SIZE)
        changed[at / PAGE_SIZE] = true;
    if (offset + size > disk_size)
        disk_size = offset + size;
    return JET_errSuccess;
}
static JET_ERR disk_sync(void *context, void *handle)
{
    (void)context;
    (void)handle;
    return JET_errSuccess;
}
static JET_ERR disk_get_size(void *context, void *handle, uint64_t *size)
{
    (void)context;
    (void)handle;
    *size = disk_size;
    return JET_errSuccess;
}
static JET_ERR disk_set_size(void *context, void *handle, uint64_t size)
{
    (void)context;
    (void)handle;
    if (size > ROOM)
        return JET_errDiskFull;
    for (uint64_t at = disk_size; at < size; at += PAGE_SIZE) {
        memset(disk + at, 0, PAGE_SIZE);
        changed[at / PAGE_SIZE] = true;
    }
    disk_size = size;
    return JET_errSuccess;
}
static JET_ERR disk_info(void *context, const char *path, struct ESENT_HOST_FILE_INFO *info)
{
    (void)context;
    (void)path;
    *info = (struct ESENT_HOST_FILE_INFO){.size = disk_size};
    return JET_errSuccess;
}
static JET_ERR disk_attributes(void *context, const char *path, int read_only)
{
    (void)context;
    (void)path;
    (void)read_only;
    return JET_errSuccess;
}
static JET_ERR disk_name(void *context, const char *path)
{
    (void)context;
    (void)path;
    return JET_errSuccess;
}
static JET_ERR disk_rename(void *context, const char *from, const char *to, int replace)
{
    (void)to;
    (void)replace;
    return disk_name(context, from);
}
static JET_ERR disk_list(void *context, const char *path, ESENT_HOST_LIST_CALLBACK callback,
                         void *callback_context)
{
    (void)callback;
    (void)callback_context;
    return disk_name(context, path);
}
static JET_ERR disk_free_space(void *context, const char *path, uint64_t *bytes)
{
    *bytes = ROOM - disk_size;
    return disk_name(context, path);
}
static JET_ERR disk_directory(void *context, char *path, size_t size)
{
    (void)context;
    (void)size;
    memcpy(path, "/", 2);
    return JET_errSuccess;
}

static const os_file_system disk_calls = {
    .size = sizeof disk_calls,
    .open = disk_open,
    .close = disk_close,
    .read = disk_read,
    .write = disk_write,
    .sync = disk_sync,
    .get_size = disk_get_size,
    .set_size = disk_set_size,
    .info = disk_info,
    .set_read_only = disk_attributes,
    .remove = disk_name,
    .rename = disk_rename,
    .create_directory = disk_name,
    .remove_directory = disk_name,
    .sync_directory = disk_name,
    .list = disk_list,
    .free_space = disk_free_space,
    .current_directory = disk_directory,
};

/* ---- the database: a few trees of each kind */

static struct cache *cache;
static uint32_t cache_pages = 2000; /* 1: nearly each page is read anew whenever it is latched again */
static struct database *database;
static struct tree_registry *registry;
static struct version_store *store;
static struct btree_actor actor = {.process = 9, .level = 1, .begin0 = 4};

enum { SMALL, LARGE, INDEX, CHILD, EMPTY, TREES };
static page_number roots[TREES];

static struct span make_key(uint32_t number, uint8_t *key)
{
    key[0] = (uint8_t)(number >> 8);
    key[1] = (uint8_t)number;
    memset(key + 2, 'k', 20 + number % 40);
    return span_of(key, 22 + number % 40);
}

static struct tree *open_tree(size_t which)
{
    struct tree *tree = NULL;
    return tree_open(registry, database, roots[which], &tree) == JET_errSuccess ? tree : NULL;
}

static JET_ERR insert_into(struct tree *tree, uint32_t number, size_t size)
{
    uint8_t key[80];
    uint8_t data[900];
    memset(data, (int)number, sizeof data);
    JET_ERR err = btree_insert(tree, &actor, make_key(number, key), span_of(data, size));
    return err == JET_errKeyDuplicate ? JET_errSuccess : err;
}

static JET_ERR decide_deletion(struct node_change *change, const struct change_place *place)
{
    change->kind = CHANGE_FLAG_DELETE;
    return place->equal ? JET_errSuccess : JET_errRecordNotFound;
}

/* As a transaction leaves it behind. */
static void flag_delete(struct tree *tree, uint32_t number, size_t size)
{
    uint8_t key[80];
    uint8_t data[80];
    memset(data, (int)(uint8_t)number, sizeof data);
    struct node_change change = {.bookmark = {make_key(number, key), {NULL, 0}}, .decide = decide_deletion};
    if (!tree->unique)
        change.bookmark.data = span_of(data, size);
    assert_int_equal(btree_change_node(tree, &actor, &change), JET_errSuccess);
}

static void make_tree(size_t which, page_number parent, bool multiple)
{
    struct tree_design design = {.parent = parent,
                                 .pages = 1,
                                 .unique = which != INDEX,
                                 .multiple_extents = multiple,
                                 .page_flags = which == INDEX ? PAGE_INDEX | PAGE_NON_UNIQUE : 0};
    object_id object = 0;
    assert_int_equal(space_create_tree(registry, database, &actor, &design, &roots[which], &object),
                     JET_errSuccess);
}

static void open_world(void)
{
    const struct cache_config config = {cache_pages};
    struct version_store_options options = {.bytes_most = 10000000};
    assert_int_equal(cache_create(&config, &cache), JET_errSuccess);
    os_atomic_store(&cache->pages_max, cache_pages); /* less than a program may ask for */
    assert_int_equal(tree_registry_create(&registry), JET_errSuccess);
    options.trees = registry;
    assert_int_equal(version_store_create(&options, &store), JET_errSuccess);
    assert_int_equal(database_allocate(cache, NULL, 1, "/a.edb", &database), JET_errSuccess);
}

static void close_world(void)
{
    version_store_forget(store, database);
    version_store_free(store);
    tree_registry_free(registry);
    cache_purge_database(database);
    database_free(database);
    cache_destroy(cache);
}

static int build(void **state)
{
    static const uint32_t counts[TREES] = {60, 400, 300, 30, 0};
    struct database_header header;
    struct signature signature = {.random = 5};
    (void)state;
    (void)EsentHostReset(NULL, 0);
    assert_int_equal(EsentHostUseFileSystem(&disk_calls), JET_errSuccess);
    open_world();
    database_header_init(&header, PAGE_SIZE, &signature);
    assert_int_equal(database_create_file(database, &header, 254, true), JET_errSuccess);
    assert_int_equal(space_create_database(registry, database, &actor, 254), JET_errSuccess);
    make_tree(SMALL, ROOT_PAGE_DATABASE, false);
    make_tree(LARGE, ROOT_PAGE_DATABASE, true);
    make_tree(INDEX, ROOT_PAGE_DATABASE, false);
    make_tree(EMPTY, ROOT_PAGE_DATABASE, false);
    make_tree(CHILD, roots[LARGE], false);
    for (size_t which = 0; which < TREES; which++) {
        struct tree *tree = open_tree(which);
        for (uint32_t i = 0; i < counts[which]; i++)
            assert_int_equal(insert_into(tree, i * 4, 10 + i % 60), JET_errSuccess);
        for (uint32_t i = 100; i < 200 && i < counts[which]; i++)
            flag_delete(tree, i * 4, 10 + i % 60);
        tree_close(tree);
    }
    assert_int_equal(cache_flush_database(database), JET_errSuccess);
    assert_int_equal(database_write_header(database), JET_errSuccess);
    close_world();
    memcpy(golden, disk, sizeof disk);
    golden_size = disk_size;
    memset(changed, 0, sizeof changed);
    return 0;
}

static void restore(void)
{
    for (size_t i = 0; i < ROOM / PAGE_SIZE; i++) {
        if (changed[i])
            memcpy(disk + i * PAGE_SIZE, golden + i * PAGE_SIZE, PAGE_SIZE);
        changed[i] = false;
    }
    disk_size = golden_size;
}

#endif
