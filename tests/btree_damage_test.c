/* Damaged pages that pass their checksum: whatever a tree looks like, walks and changes end with an error or
 * without, and never with a crash, a broken assertion or a walk without end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "include/esent_host.h"
#include "src/btree/btree_change.h"
#include "src/btree/btree_check.h"
#include "src/btree/btree_cursor.h"
#include "src/btree/merge.h"
#include "src/btree/space.h"

static struct cache *cache;
static struct database *database;
static struct tree_registry *registry;
static struct btree_actor actor = {.process = 1, .level = 1, .begin0 = 4};
static uint64_t random_state;

static uint32_t random_below(uint32_t limit)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(random_state >> 33) % limit;
}

static struct span make_key(uint32_t number, uint8_t *key)
{
    key[0] = (uint8_t)(number * 41);
    key[1] = (uint8_t)(number >> 8);
    key[2] = (uint8_t)number;
    memset(key + 3, 'k', number % 9);
    return span_of(key, 3 + number % 9);
}

/* A database with a few trees of several levels. */
static void build(uint32_t page_size, page_number *roots, size_t count)
{
    const struct cache_config config = {2000};
    struct database_header header;
    struct signature signature = {.random = 5};

    assert_int_equal(cache_create(&config, &cache), JET_errSuccess);
    assert_int_equal(database_allocate(cache, NULL, 1, "/a.edb", &database), JET_errSuccess);
    database_header_init(&header, page_size, &signature);
    assert_int_equal(database_create_file(database, &header, 254, true), JET_errSuccess);
    assert_int_equal(tree_registry_create(&registry), JET_errSuccess);
    assert_int_equal(space_create_database(registry, database, &actor, 254), JET_errSuccess);
    for (size_t i = 0; i < count; i++) {
        struct tree_design design = {.parent = ROOT_PAGE_DATABASE, .pages = 1, .unique = i != 1};
        object_id object = 0;
        struct tree *tree = NULL;

        assert_int_equal(space_create_tree(registry, database, &actor, &design, &roots[i], &object),
                         JET_errSuccess);
        assert_int_equal(tree_open(registry, database, roots[i], &tree), JET_errSuccess);
        for (uint32_t n = 0; n < 200u << i; n++) {
            uint8_t key[32];
            uint8_t data[60] = {7};

            (void)btree_insert(tree, &actor, make_key(n * 7, key), span_of(data, 1 + n % 60));
        }
        tree_close(tree);
    }
    tree_registry_free(registry);
    assert_int_equal(tree_registry_create(&registry), JET_errSuccess);
}

/* Changes bytes of a page where they hurt: links, counts, tags, lines. What page_check refuses is put back,
 * since the cache refuses it too. */
static void damage_page(void)
{
    struct latch latch = LATCH_INIT;
    uint8_t before[PAGE_SIZE_MAX];
    page_number number = 1 + random_below(60);

    if (cache_latch(database, number, LATCH_EXCLUSIVE, LATCH_ZERO_OK, &latch) < JET_errSuccess)
        return;
    memcpy(before, latch.page.data, latch.page.size);
    if (!page_is_zero(&latch.page)) {
        struct page_header *header = page_header(&latch.page);
        uint32_t offset = 0;

        switch (random_below(8)) {
        case 0:
            header->next = random_below(60);
            break;
        case 1:
            header->previous = random_below(60);
            break;
        case 2:
            header->flags ^= 1u << random_below(18);
            break;
        case 3:
            header->tree = random_below(8);
            break;
        case 4:
            header->uncommitted_free_bytes = (uint16_t)random_below(latch.page.size);
            break;
        case 5: {
            uint32_t lines = page_line_count(&latch.page);

            if (lines > 0)
                page_delete_lines(&latch.page, random_below(lines), 1);
            break;
        }
        default:
            offset = page_header_size(latch.page.size) + random_below(300);
            latch.page.data[offset] = (uint8_t)random_below(random_below(2) == 0 ? 256 : 8);
            break;
        }
        if (page_check(&latch.page) < JET_errSuccess)
            memcpy(latch.page.data, before, latch.page.size);
        cache_set_dirty(&latch, DBTIME_NULL, LOG_POSITION_MIN, LOG_POSITION_MIN);
    }
    cache_unlatch(&latch);
}

static bool always_dead(void *context, struct tree *tree, const struct node *node)
{
    (void)context;
    (void)tree;
    (void)node;
    return true;
}

static void use_tree(page_number root)
{
    struct tree *tree = NULL;
    struct btree_cursor *cursor = NULL;
    struct tree_report report;
    uint32_t count = 0;
    uint8_t key[32];
    uint8_t data[400] = {9};

    if (tree_open(registry, database, root, &tree) < JET_errSuccess)
        return;
    (void)btree_check_space(tree, &report);
    assert_int_equal(btree_cursor_open(tree, &cursor), JET_errSuccess);
    for (JET_ERR err = btree_cursor_first(cursor, LATCH_SHARED); err == JET_errSuccess;
         err = btree_cursor_next(cursor))
        assert_true(++count < 1000000);
    for (JET_ERR err = btree_cursor_last(cursor, LATCH_SHARED); err == JET_errSuccess;
         err = btree_cursor_previous(cursor))
        assert_true(++count < 2000000);
    btree_cursor_close(cursor);
    for (uint32_t i = 0; i < 60; i++) {
        uint32_t number = random_below(6000);
        struct bookmark bookmark = {make_key(number, key), {NULL, 0}};
        bool removed = false;

        if (!tree->unique)
            bookmark.data = span_of(data, 1 + number % 60);
        switch (random_below(6)) {
        case 0:
            (void)btree_delete(tree, &actor, &bookmark);
            break;
        case 1:
            if (tree->unique)
                (void)btree_replace(tree, &actor, &bookmark, span_of(data, 1 + random_below(400)));
            break;
        case 2:
            (void)btree_remove_leaf(tree, &actor, &bookmark, always_dead, NULL, &removed);
            break;
        default:
            (void)btree_insert(tree, &actor, bookmark.key, span_of(data, 1 + random_below(300)));
            break;
        }
    }
    (void)space_count(tree, &count, &count);
    tree_close(tree);
}

static void run(uint64_t seed)
{
    page_number roots[4];
    page_number made = 0;
    object_id object = 0;
    uint32_t total = 0;
    struct tree_design design = {.parent = ROOT_PAGE_DATABASE, .pages = 20, .unique = true};

    random_state = seed;
    build(random_below(2) == 0 ? 2048 : 16384, roots, 4);
    for (int round = 0; round < 4; round++) {
        for (uint32_t i = 1 + random_below(4); i > 0; i--)
            damage_page();
        for (size_t i = 0; i < 4; i++)
            use_tree(roots[i]);
        use_tree(ROOT_PAGE_DATABASE_OWNED);
        (void)space_create_tree(registry, database, &actor, &design, &made, &object);
        design.parent = roots[random_below(4)];
        if (random_below(4) == 0)
            (void)space_free_tree(registry, database, &actor, roots[random_below(4)]);
        (void)space_grow_database(registry, database, &actor, 1, &total);
        (void)tree_registry_forget(registry, database);
    }
    tree_registry_free(registry);
    cache_purge_database(database);
    database_free(database);
    cache_destroy(cache);
}

static void test_damage(void **state)
{
    (void)state;
    const char *only = getenv("SEED");
    const char *many = getenv("SEEDS");
    uint64_t first = only != NULL ? strtoull(only, NULL, 10) : 1;
    uint64_t last = only != NULL ? first : many != NULL ? strtoull(many, NULL, 10) : 60;
    char report[500] = "";

    for (uint64_t seed = first; seed <= last; seed++) {
        if (many != NULL)
            print_message("seed %llu\n", (unsigned long long)seed);
        run(seed);
        size_t left = EsentHostReset(report, sizeof report);
        if (left != 0)
            print_error("seed %llu: %s\n", (unsigned long long)seed, report);
        assert_int_equal(left, 0);
        assert_int_equal(EsentHostUseMemoryFiles(), JET_errSuccess);
    }
}

static int set_up(void **state)
{
    (void)state;
    (void)EsentHostReset(NULL, 0);
    return EsentHostUseMemoryFiles();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_damage, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
