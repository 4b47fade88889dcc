/* Every page that an operation reads, read wrongly in each of many ways: a disk that fails, a page that is
 * another, that is empty, that points into a circle... The operation answers an error that says so, or what
 * it would have answered; nothing stays latched, nothing leaks. Where only the reading failed, it goes
 * through when it is repeated. */
#if !defined(_GNU_SOURCE)
#define _GNU_SOURCE 1
#endif

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
    const struct cache_config config = {2000};
    struct version_store_options options = {.bytes_most = 10000000};
    assert_int_equal(cache_create(&config, &cache), JET_errSuccess);
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

/* ---- operations; repeated they finish what they began */

static JET_ERR with_tree(size_t which, JET_ERR (*function)(struct tree *tree))
{
    struct tree *tree = NULL;
    JET_ERR err = tree_open(registry, database, roots[which], &tree);
    if (err < JET_errSuccess)
        return err;
    err = function(tree);
    tree_close(tree);
    return err;
}

static JET_ERR insert_between(struct tree *tree)
{
    JET_ERR err = JET_errSuccess;
    for (uint32_t i = 0; i < 14 && err == JET_errSuccess; i++)
        err = insert_into(tree, 41 + i * 8, 150);
    return err;
}
static JET_ERR insert_cluster(struct tree *tree)
{
    JET_ERR err = JET_errSuccess;
    for (uint32_t i = 0; i < 30 && err == JET_errSuccess; i++)
        err = insert_into(tree, 1000 + i, 400);
    return err;
}
static JET_ERR append(struct tree *tree)
{
    JET_ERR err = JET_errSuccess;
    for (uint32_t i = 0; i < 40 && err == JET_errSuccess; i++)
        err = insert_into(tree, 5000 + i, 300);
    return err;
}
static JET_ERR replace(struct tree *tree)
{
    JET_ERR err = JET_errSuccess;
    uint8_t key[80];
    static const uint8_t data[800] = {3};
    for (uint32_t i = 0; i < 12 && err == JET_errSuccess; i++) {
        struct bookmark bookmark = {make_key(i * 4, key), {NULL, 0}};
        err = btree_replace(tree, &actor, &bookmark, span_of(data, 700));
    }
    return err;
}

static bool always_dead(void *context, struct tree *tree, const struct node *node)
{
    (void)context;
    (void)tree;
    (void)node;
    return true;
}
static bool never_dead(void *context, struct tree *tree, const struct node *node)
{
    (void)context;
    (void)tree;
    (void)node;
    return false;
}

static JET_ERR remove_leaves(struct tree *tree)
{
    JET_ERR err = JET_errSuccess;
    uint8_t key[80];
    for (uint32_t i = 0; i < 60 && err >= JET_errSuccess; i += 6) {
        struct bookmark bookmark = {make_key(i * 4, key), {NULL, 0}};
        bool removed = false;
        err = btree_remove_leaf(tree, &actor, &bookmark, always_dead, NULL, &removed);
        if (err == JET_errRecordNotFound)
            err = JET_errSuccess;
    }
    return err;
}
static JET_ERR merge_leaves(struct tree *tree)
{
    JET_ERR err = JET_errSuccess;
    uint8_t key[80];
    uint8_t data[80];
    for (uint32_t i = 0; i < 40 && err >= JET_errSuccess; i++) {
        memset(data, (int)(uint8_t)(i * 4), sizeof data);
        struct bookmark bookmark = {make_key(i * 4, key), {NULL, 0}};
        if (!tree->unique)
            bookmark.data = span_of(data, 10 + i % 60);
        bool removed = false;
        err = i % 9 != 0 ? btree_delete(tree, &actor, &bookmark)
                         : btree_remove_leaf(tree, &actor, &bookmark, never_dead, NULL, &removed);
        if (err == JET_errRecordNotFound)
            err = JET_errSuccess;
    }
    for (uint32_t i = 0; i < 40 && err >= JET_errSuccess; i += 9) {
        memset(data, (int)(uint8_t)(i * 4), sizeof data);
        struct bookmark bookmark = {make_key(i * 4, key), {NULL, 0}};
        if (!tree->unique)
            bookmark.data = span_of(data, 10 + i % 60);
        bool removed = false;
        err = btree_remove_leaf(tree, &actor, &bookmark, never_dead, NULL, &removed);
        if (err == JET_errRecordNotFound)
            err = JET_errSuccess;
    }
    return err;
}

static JET_ERR walk(struct tree *tree)
{
    struct btree_cursor *cursor = NULL;
    uint32_t count = 0;
    JET_ERR err = btree_cursor_open(tree, &cursor);
    if (err < JET_errSuccess)
        return err;
    for (err = btree_cursor_first(cursor, LATCH_SHARED); err == JET_errSuccess;
         err = btree_cursor_next(cursor))
        assert_true(++count < 100000);
    if (err == JET_errNoCurrentRecord || err == JET_errRecordNotFound) {
        for (err = btree_cursor_last(cursor, LATCH_SHARED); err == JET_errSuccess;
             err = btree_cursor_previous(cursor))
            assert_true(++count < 200000);
    }
    btree_cursor_close(cursor);
    return err == JET_errNoCurrentRecord || err == JET_errRecordNotFound ? JET_errSuccess : err;
}

static JET_ERR look_around(struct tree *tree)
{
    struct btree_cursor *cursor = NULL;
    uint8_t key[80];
    JET_ERR err = btree_cursor_open(tree, &cursor);
    for (uint32_t i = 0; i < 400 && err == JET_errSuccess; i += 57) {
        enum seek_place place;
        struct node_view view;
        struct bookmark bookmark = {make_key(i, key), {NULL, 0}};
        uint64_t less = 0;
        uint64_t total = 0;
        bool valid = false;
        err = btree_cursor_seek(cursor, &bookmark, LATCH_SHARED, &place);
        if (err == JET_errSuccess && place != SEEK_EMPTY)
            err = btree_cursor_node(cursor, &view);
        page_number page = btree_cursor_page(cursor);
        unsigned line = btree_cursor_line(cursor);
        dbtime modified = err == JET_errSuccess && place != SEEK_EMPTY ? btree_cursor_modified(cursor) : 0;
        btree_cursor_release(cursor);
        if (err == JET_errSuccess && place != SEEK_EMPTY)
            err = btree_cursor_try_place(cursor, page, line, modified, LATCH_SHARED, &valid);
        btree_cursor_release(cursor);
        if (err == JET_errSuccess)
            err = btree_cursor_estimate(cursor, &bookmark, &less, &total);
        btree_cursor_release(cursor);
        if (err == JET_errSuccess)
            err = btree_cursor_at_fraction(cursor, i, 400);
        btree_cursor_release(cursor);
        if (err == JET_errRecordNotFound)
            err = JET_errSuccess;
    }
    btree_cursor_close(cursor);
    return err;
}

static JET_ERR count_space(struct tree *tree)
{
    uint32_t owned = 0;
    uint32_t available = 0;
    JET_ERR err = space_count(tree, &owned, NULL);
    return err < JET_errSuccess ? err : space_count(tree, NULL, &available);
}
static JET_ERR check_space(struct tree *tree)
{
    struct tree_report report;
    JET_ERR err = btree_check_space(tree, &report);
    assert_true(err == JET_errSuccess || report.problem == NULL || err == JET_errDatabaseCorrupted);
    return err;
}
static JET_ERR number_rows(struct tree *tree)
{
    bool known = false;
    uint64_t highest = 0;
    JET_ERR err = root_autoincrement_read(tree, &known, &highest);
    if (err == JET_errSuccess)
        err = root_autoincrement_write(tree, &actor, 77);
    if (err == JET_errSuccess)
        err = root_autoincrement_read(tree, &known, &highest);
    if (err == JET_errSuccess)
        assert_true(known && highest == 77);
    return err;
}
static JET_ERR pages_come_and_go(struct tree *tree)
{
    page_number pages[24] = {0};
    JET_ERR err = JET_errSuccess;
    size_t count = 0;
    while (count < 24 && err == JET_errSuccess) {
        err = space_get_page(tree, &actor, count > 0 ? pages[count - 1] : PAGE_NUMBER_NULL, &pages[count]);
        count += err == JET_errSuccess;
    }
    for (size_t i = 0; i < count; i++) {
        JET_ERR freed = space_free_page(tree, &actor, pages[i * 7 % count]);
        if (count % 7 != 0 && err == JET_errSuccess)
            err = freed;
    }
    return err;
}

static JET_ERR insert_small(void)
{
    return with_tree(SMALL, insert_between);
}
static JET_ERR insert_large(void)
{
    return with_tree(LARGE, insert_cluster);
}
static JET_ERR insert_index(void)
{
    return with_tree(INDEX, insert_between);
}
static JET_ERR insert_child(void)
{
    return with_tree(CHILD, insert_cluster);
}
static JET_ERR insert_empty(void)
{
    return with_tree(EMPTY, insert_between);
}
static JET_ERR append_large(void)
{
    return with_tree(LARGE, append);
}
static JET_ERR replace_small(void)
{
    return with_tree(SMALL, replace);
}
static JET_ERR remove_from_large(void)
{
    return with_tree(LARGE, remove_leaves);
}
static JET_ERR remove_from_small(void)
{
    return with_tree(SMALL, remove_leaves);
}
static JET_ERR merge_in_large(void)
{
    return with_tree(LARGE, merge_leaves);
}
static JET_ERR merge_in_index(void)
{
    return with_tree(INDEX, merge_leaves);
}
static JET_ERR walk_large(void)
{
    return with_tree(LARGE, walk);
}
static JET_ERR walk_index(void)
{
    return with_tree(INDEX, walk);
}
static JET_ERR look_around_large(void)
{
    return with_tree(LARGE, look_around);
}
static JET_ERR look_around_index(void)
{
    return with_tree(INDEX, look_around);
}
static JET_ERR count_all(void)
{
    JET_ERR err = with_tree(LARGE, count_space);
    return err < JET_errSuccess ? err : with_tree(SMALL, count_space);
}
static JET_ERR check_all(void)
{
    JET_ERR err = with_tree(LARGE, check_space);
    return err < JET_errSuccess ? err : with_tree(SMALL, check_space);
}
static JET_ERR number_large(void)
{
    return with_tree(LARGE, number_rows);
}
static JET_ERR pages_of_large(void)
{
    return with_tree(LARGE, pages_come_and_go);
}
static JET_ERR pages_of_child(void)
{
    return with_tree(CHILD, pages_come_and_go);
}
static JET_ERR pages_of_empty(void)
{
    return with_tree(EMPTY, pages_come_and_go);
}

static JET_ERR trees_come_and_go(page_number parent)
{
    JET_ERR err = JET_errSuccess;
    for (uint32_t i = 0; i < 6 && err == JET_errSuccess; i++) {
        struct tree_design design = {
            .parent = parent, .pages = 1 + i * 9, .unique = true, .multiple_extents = i % 2};
        page_number made = 0;
        object_id object = 0;
        err = space_create_tree(registry, database, &actor, &design, &made, &object);
        if (err == JET_errSuccess && i != 4)
            err = space_free_tree(registry, database, &actor, made);
    }
    return err;
}
static JET_ERR tables_come_and_go(void)
{
    return trees_come_and_go(ROOT_PAGE_DATABASE);
}
static JET_ERR indexes_come_and_go(void)
{
    return trees_come_and_go(roots[SMALL]);
}
static JET_ERR free_large(void)
{
    JET_ERR err = space_free_tree(registry, database, &actor, roots[CHILD]);
    return err < JET_errSuccess ? err : space_free_tree(registry, database, &actor, roots[LARGE]);
}
static JET_ERR grow(void)
{
    uint32_t total = 0;
    return space_grow_database(registry, database, &actor, 100, &total);
}

/* A transaction of everything. */
static JET_ERR transact(size_t which)
{
    JET_ERR err = JET_errSuccess;
    struct transaction transaction = {0};
    struct versioned_cursor *cursor = NULL;
    struct versioned_cursor *second = NULL;
    struct node_view view;
    uint8_t key[80];
    uint64_t less = 0;
    uint64_t total = 0;
    bool seen = false;
    static const uint8_t data[300] = {1, 2, 3};
    TRY(transaction_init(&transaction, store, 7));
    TRY(transaction_begin(&transaction, false));
    TRY(versioned_cursor_open(&transaction, database, roots[which], &cursor));
    for (uint32_t i = 0; i < 5; i++) {
        err = versioned_cursor_insert(cursor, make_key(2 + i * 160, key), span_of(data, 200),
                                      i == 4 ? VERSIONED_INSERT_APPEND : 0);
        if (err != JET_errKeyDuplicate && err != JET_errMultiValuedIndexViolation) /* of the run before */
            TRY(err);
    }
    for (enum versioned_seek how = VERSIONED_SEEK_EQ; how <= VERSIONED_SEEK_LT; how++) {
        err = versioned_cursor_seek(cursor, make_key(200 + (uint32_t)how, key), how);
        if (err != JET_errRecordNotFound)
            TRY(err);
        TRY(versioned_cursor_lands(cursor, make_key(300, key), &seen));
    }
    TRY(versioned_cursor_any_node(cursor, &seen));
    TRY(versioned_cursor_check_settled(cursor));
    TRY(versioned_cursor_first(cursor));
    TRY(versioned_cursor_duplicate(cursor, &second));
    for (int i = 0; i < 30; i++)
        TRY(versioned_cursor_next(cursor));
    TRY(versioned_cursor_previous_key(cursor));
    TRY(versioned_cursor_next_key(cursor));
    TRY(versioned_cursor_copy(cursor, &view));
    TRY(versioned_cursor_position(cursor, &less, &total));
    if (which != INDEX) {
        TRY(versioned_cursor_delta(cursor, 0, 4, 5, NULL, NULL));
        TRY(versioned_cursor_delta(cursor, 0, 8, 5, NULL, NULL));
        TRY(versioned_cursor_next(cursor));
        TRY(versioned_cursor_lock(cursor, VERSIONED_LOCK_WRITE));
        TRY(versioned_cursor_replace(cursor, span_of(data, 290)));
    }
    TRY(versioned_cursor_delete(cursor));
    TRY(versioned_cursor_last(cursor));
    TRY(versioned_cursor_goto_position(cursor, 1, 3));
    TRY(versioned_cursor_delete(second));
done:
    versioned_cursor_close(second);
    versioned_cursor_close(cursor);
    if (transaction_level(&transaction) > 0) {
        JET_ERR undone = err == JET_errSuccess && which == INDEX ? transaction_commit(&transaction, true)
                                                                 : transaction_rollback(&transaction);
        if (undone < JET_errSuccess)
            transaction_abandon(&transaction);
        err = err < JET_errSuccess ? err : undone;
    }
    transaction_done(&transaction);
    if (err >= JET_errSuccess)
        err = version_store_clean(store, NULL);
    return err;
}
static JET_ERR transact_large(void)
{
    return transact(LARGE);
}
static JET_ERR transact_index(void)
{
    return transact(INDEX);
}

static const struct {
    const char *name;
    JET_ERR (*run)(void);
} operations[] = {
    {"insert small", insert_small},
    {"insert large", insert_large},
    {"insert index", insert_index},
    {"insert child", insert_child},
    {"insert empty", insert_empty},
    {"append", append_large},
    {"replace", replace_small},
    {"remove large", remove_from_large},
    {"remove small", remove_from_small},
    {"merge large", merge_in_large},
    {"merge index", merge_in_index},
    {"walk large", walk_large},
    {"walk index", walk_index},
    {"look large", look_around_large},
    {"look index", look_around_index},
    {"count", count_all},
    {"check", check_all},
    {"number", number_large},
    {"pages of large", pages_of_large},
    {"pages of child", pages_of_child},
    {"pages of empty", pages_of_empty},
    {"tables", tables_come_and_go},
    {"indexes", indexes_come_and_go},
    {"free", free_large},
    {"grow", grow},
    {"transaction large", transact_large},
    {"transaction index", transact_index},
};
#define OPERATIONS (sizeof operations / sizeof operations[0])

static void start(void)
{
    restore();
    open_world();
    assert_int_equal(database_open_file(database, false), JET_errSuccess);
    reads = 0;
}

static void finish(void)
{
    target = 0;
    close_world();
    assert_int_equal(os_memory_live_count(), 0);
}

/* Whether all that is there is whole. */
static void check_world(const char *name)
{
    static const size_t kept[] = {SMALL, INDEX, EMPTY};
    struct tree_report report;
    struct tree *tree = NULL;
    for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++) {
        tree = open_tree(kept[i]);
        assert_non_null(tree);
        if (btree_check_space(tree, &report) != JET_errSuccess)
            fail_msg("%s: page %u: %s", name, report.where, report.problem);
        tree_close(tree);
    }
}

static void reading_fails_and_succeeds_again(void **state)
{
    static const struct damage kinds[] = {
        {.name = "disk", .fails = JET_errDiskIO},
        {.name = "unreadable", .unreadable = true},
    };
    (void)state;
    for (size_t kind = 0; kind < sizeof kinds / sizeof kinds[0]; kind++) {
        damage = &kinds[kind];
        for (size_t i = 0; i < OPERATIONS; i++) {
            start();
            JET_ERR err = operations[i].run();
            if (err != JET_errSuccess)
                fail_msg("%s: %d", operations[i].name, err);
            uint32_t count = reads;
            check_world(operations[i].name);
            finish();
            for (uint32_t nth = 1; nth <= count; nth++) {
                start();
                target = nth;
                err = operations[i].run();
                if (err != JET_errSuccess && err != (kind == 0 ? JET_errDiskIO : JET_errReadVerifyFailure))
                    fail_msg("%s: read %u %s: %d", operations[i].name, nth, damage->name, err);
                err = operations[i].run();
                /* trees that come, or go, do so twice */
                if (err != JET_errSuccess && operations[i].run != free_large)
                    fail_msg("%s: read %u %s, again: %d", operations[i].name, nth, damage->name, err);
                check_world(operations[i].name);
                finish();
            }
        }
    }
}

/* As above for memory: each allocation fails once. */
static void memory_fails_and_succeeds_again(void **state)
{
    (void)state;
    for (size_t i = 0; i < OPERATIONS; i++) {
        uint64_t nth = 1;
        for (JET_ERR err = JET_errOutOfMemory; err != JET_errSuccess; nth++) {
            start();
            EsentHostFailNth(ESENT_HOST_FAULT_ALLOCATE, nth, 1);
            err = operations[i].run();
            uint64_t failures = EsentHostCountFailures(ESENT_HOST_FAULT_ALLOCATE);
            EsentHostFailNone();
            EsentHostResetCounters();
            if (err != JET_errSuccess && err != JET_errOutOfMemory)
                fail_msg("%s: allocation %llu: %d", operations[i].name, (unsigned long long)nth, err);
            if (err == JET_errSuccess && failures != 0)
                err = JET_errOutOfMemory; /* it did without */
            JET_ERR again = operations[i].run();
            if (again != JET_errSuccess && operations[i].run != free_large)
                fail_msg("%s: allocation %llu, again: %d", operations[i].name, (unsigned long long)nth,
                         again);
            check_world(operations[i].name);
            finish();
        }
        assert_true(nth > 2);
    }
}

/* ---- pages that are read whole, but are not what they should be */

static void of_another_tree(struct page *page)
{
    page_header(page)->tree++;
}
static void leaf_or_not(struct page *page)
{
    page_header(page)->flags ^= PAGE_LEAF;
}
static void root_or_not(struct page *page)
{
    page_header(page)->flags ^= PAGE_ROOT;
}
static void space_or_not(struct page *page)
{
    page_header(page)->flags ^= PAGE_SPACE_TREE;
}
static void next_is_itself(struct page *page)
{
    page_header(page)->next = page->number;
}
static void next_is_nowhere(struct page *page)
{
    page_header(page)->next = 100000;
}
static void next_is_the_first(struct page *page)
{
    page_header(page)->next = ROOT_PAGE_DATABASE;
}
static void previous_is_itself(struct page *page)
{
    page_header(page)->previous = page->number;
}
static void previous_is_the_first(struct page *page)
{
    page_header(page)->previous = ROOT_PAGE_DATABASE;
}
static void all_zero(struct page *page)
{
    memset(page->data, 0, page->size);
}
static void without_lines(struct page *page)
{
    page_delete_lines(page, 0, page_line_count(page));
}
static void without_last_line(struct page *page)
{
    if (page_line_count(page) > 0)
        page_delete_lines(page, page_line_count(page) - 1, 1);
}
static void from_the_future(struct page *page)
{
    page_header(page)->modified += 1000000;
}

/* Branch pages: all pointers to one place. */
static void point_to(struct page *page, page_number number)
{
    if (page_is_leaf(page))
        return;
    for (uint32_t line = 0; line < page_line_count(page); line++) {
        if (node_get(page, line).data.size == sizeof number)
            node_replace_data(page, line, span_of(&number, sizeof number));
    }
}
static void children_are_itself(struct page *page)
{
    point_to(page, page->number);
}
static void children_are_one(struct page *page)
{
    if (!page_is_leaf(page))
        point_to(page, node_child(page, 0));
}
static void children_are_the_root(struct page *page)
{
    point_to(page, ROOT_PAGE_DATABASE);
}
static void children_are_nowhere(struct page *page)
{
    point_to(page, 99999);
}

/* Roots: the external header. */
static void without_header(struct page *page)
{
    if (page_is_root(page))
        page_set_external_header(page, NULL, 0);
}
static void header_of_a_byte(struct page *page)
{
    struct span part = span_of("\xff", 1);
    if (page_is_root(page))
        page_set_external_header(page, &part, 1);
}
static void change_header(struct page *page, size_t offset, uint32_t value)
{
    struct line line = page_external_header(page);
    if (page_is_root(page) && line.size >= offset + sizeof value)
        memcpy(line.data + offset, &value, sizeof value);
}
static void header_with_no_pages(struct page *page)
{
    change_header(page, 0, 0);
}
static void header_with_all_pages(struct page *page)
{
    change_header(page, 0, UINT32_MAX);
}
static void header_with_many_pages(struct page *page)
{
    change_header(page, 0, 240);
}
static void header_with_other_parent(struct page *page)
{
    change_header(page, 4, page->number);
}
static void header_with_large_parent(struct page *page)
{
    change_header(page, 4, roots[CHILD]);
}
static void header_with_space_tree_as_parent(struct page *page)
{
    change_header(page, 4, ROOT_PAGE_DATABASE_OWNED);
}
static void header_with_no_parent(struct page *page)
{
    change_header(page, 4, 0);
}
static void header_with_one_extent(struct page *page)
{
    change_header(page, 8, 0);
}
static void header_with_extents(struct page *page)
{
    change_header(page, 8, SPACE_MULTIPLE_EXTENT);
}
static void header_with_other_extents(struct page *page)
{
    change_header(page, 12, roots[SMALL]);
}
static void header_with_free_bits(struct page *page)
{
    change_header(page, 12, UINT32_MAX);
}
static void header_with_no_bits(struct page *page)
{
    change_header(page, 12, 0);
}

/* Extents: leaves of space trees. */
static void change_extents(struct page *page, uint32_t value)
{
    if (!page_has_flag(page, PAGE_SPACE_TREE) || !page_is_leaf(page))
        return;
    for (uint32_t line = 0; line < page_line_count(page); line++)
        node_replace_data(page, line, span_of(&value, sizeof value));
}
static void extents_of_nothing(struct page *page)
{
    change_extents(page, 0);
}
static void extents_of_all(struct page *page)
{
    change_extents(page, UINT32_MAX);
}
static void extents_of_more(struct page *page)
{
    change_extents(page, 200);
}
static void extents_of_one(struct page *page)
{
    change_extents(page, 1);
}
static void extents_of_no_number(struct page *page)
{
    for (uint32_t line = 0;
         page_has_flag(page, PAGE_SPACE_TREE) && page_is_leaf(page) && line < page_line_count(page); line++)
        node_replace_data(page, line, span_of("ab", 2));
}
static void an_extent_beyond_the_end(struct page *page)
{
    static const uint8_t key[4] = {0, 9, 0, 0};
    uint32_t pages = 3;
    struct node node = {key_of(key, 4), span_of(&pages, sizeof pages), 0};
    if (page_has_flag(page, PAGE_SPACE_TREE) && page_is_leaf(page) && page_has_room(page, 20))
        node_insert(page, page_line_count(page), &node, 0);
}
static void an_extent_of_a_pool(struct page *page)
{
    static const uint8_t key[5] = {0x82, 0, 0, 0, 40};
    uint32_t pages = 3;
    struct node node = {key_of(key, 5), span_of(&pages, sizeof pages), 0};
    if (page_has_flag(page, PAGE_SPACE_TREE) && page_is_leaf(page) && page_has_room(page, 20))
        node_insert(page, page_line_count(page), &node, 0);
}
static void extents_deleted(struct page *page)
{
    for (uint32_t line = 0;
         page_has_flag(page, PAGE_SPACE_TREE) && page_is_leaf(page) && line < page_line_count(page); line++)
        node_set_flags(page, line, NODE_DELETED);
}

/* Leaves: nodes where no search expects them. */
static void nodes_twice(struct page *page)
{
    uint8_t key[100];
    uint8_t data[100];
    if (!page_is_leaf(page) || page_line_count(page) == 0)
        return;
    struct node node = node_get(page, page_line_count(page) - 1);
    size_t size = key_copy(&node.key, 0, key, sizeof key);
    if (node.data.size > sizeof data || !page_has_room(page, 220))
        return;
    memcpy(data, node.data.bytes, node.data.size);
    node = (struct node){key_of(key, size), span_of(data, node.data.size), 0};
    node_insert(page, 0, &node, 0);
}
static void nodes_short(struct page *page)
{
    for (uint32_t line = 0; page_is_leaf(page) && !page_is_root(page) && line < page_line_count(page); line++)
        node_replace_data(page, line, span_of(NULL, 0));
}
static void uncommitted(struct page *page)
{
    if (page_is_leaf(page))
        page_set_uncommitted_free(page, page_free_bytes(page));
}

/* `least`: so many of the reads at least make the operation fail. */
#define SPOIL(function, least)                                                                               \
    {                                                                                                        \
#function, JET_errSuccess, function, false, least                                                    \
    }
static const struct damage spoiled[] = {
    SPOIL(of_another_tree, 186),
    SPOIL(leaf_or_not, 171),
    SPOIL(root_or_not, 183),
    SPOIL(space_or_not, 54),
    SPOIL(next_is_itself, 105),
    SPOIL(next_is_nowhere, 105),
    SPOIL(next_is_the_first, 105),
    SPOIL(previous_is_itself, 96),
    SPOIL(previous_is_the_first, 96),
    SPOIL(all_zero, 189),
    SPOIL(without_lines, 24),
    SPOIL(without_last_line, 7),
    SPOIL(from_the_future, 45),
    SPOIL(children_are_itself, 13),
    SPOIL(children_are_one, 3),
    SPOIL(children_are_the_root, 13),
    SPOIL(children_are_nowhere, 13),
    SPOIL(without_header, 30),
    SPOIL(header_of_a_byte, 51),
    SPOIL(header_with_no_pages, 1),
    SPOIL(header_with_all_pages, 5),
    SPOIL(header_with_many_pages, 0),
    SPOIL(header_with_other_parent, 38),
    SPOIL(header_with_large_parent, 38),
    SPOIL(header_with_space_tree_as_parent, 38),
    SPOIL(header_with_no_parent, 22),
    SPOIL(header_with_one_extent, 5),
    SPOIL(header_with_extents, 0),
    SPOIL(header_with_other_extents, 42),
    SPOIL(header_with_free_bits, 42),
    SPOIL(header_with_no_bits, 5),
    SPOIL(extents_of_nothing, 6),
    SPOIL(extents_of_all, 26),
    SPOIL(extents_of_more, 19),
    SPOIL(extents_of_one, 5),
    SPOIL(extents_of_no_number, 26),
    SPOIL(an_extent_beyond_the_end, 12),
    SPOIL(an_extent_of_a_pool, 0),
    SPOIL(extents_deleted, 6),
    SPOIL(nodes_twice, 28),
    SPOIL(nodes_short, 114),
    SPOIL(uncommitted, 0),
};

/* What damage may be called; the rest is what an operation answers anyway when nodes have gone. */
static bool is_answer(JET_ERR err)
{
    static const JET_ERR answers[] = {
        JET_errSuccess,
        JET_errDatabaseCorrupted,
        JET_errSPAvailExtCorrupted,
        JET_errSPOwnExtCorrupted,
        JET_errSPAvailExtCacheOutOfSync,
        JET_errPageNotInitialized,
        JET_errBadPageLink,
        JET_errBadParentPageLink,
        JET_errNodeCorrupted,
        JET_errFileIOBeyondEOF,
        JET_errOutOfDatabaseSpace,
        JET_errDiskFull,
        JET_errRecordNotFound,
        JET_errNoCurrentRecord,
        JET_errRecordDeleted,
        JET_errKeyDuplicate,
        JET_errRecordTooBig,
        JET_errBadEmptyPage,
        JET_errDbTimeCorrupted,
        JET_errInvalidParameter,
    };
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        if (answers[i] == err)
            return true;
    }
    return false;
}

static void spoiled_pages_are_no_surprise(void **state)
{
    (void)state;
    uint32_t noticed[sizeof spoiled / sizeof spoiled[0]] = {0};
    for (size_t i = 0; i < OPERATIONS; i++) {
        start();
        (void)operations[i].run();
        uint32_t count = reads;
        finish();
        for (uint32_t nth = 1; nth <= count; nth++) {
            for (size_t kind = 0; kind < sizeof spoiled / sizeof spoiled[0]; kind++) {
                damage = &spoiled[kind];
                start();
                target = nth;
                JET_ERR err = operations[i].run();
                if (!is_answer(err))
                    fail_msg("%s: read %u %s: %d", operations[i].name, nth, damage->name, err);
                noticed[kind] += err < JET_errSuccess;
                finish();
            }
        }
    }
    for (size_t kind = 0; kind < sizeof spoiled / sizeof spoiled[0]; kind++) {
        if (noticed[kind] < spoiled[kind].noticed)
            fail_msg("%s is noticed %u times", spoiled[kind].name, noticed[kind]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(reading_fails_and_succeeds_again, build),
        cmocka_unit_test_setup(memory_fails_and_succeeds_again, build),
        cmocka_unit_test_setup(spoiled_pages_are_no_surprise, build),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
