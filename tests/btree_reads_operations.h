/* Operations of the tests of wrong reads, on the trees of btree_reads_world.h; repeated they finish what they
 * began. */
#ifndef OPENESENT_TESTS_BTREE_READS_OPERATIONS_H
#define OPENESENT_TESTS_BTREE_READS_OPERATIONS_H

#include "tests/btree_reads_world.h"

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
    uint8_t data[80];
    for (uint32_t i = 90; i < 210 && err >= JET_errSuccess; i += 6) {
        struct bookmark bookmark = {make_key(i * 4, key), {NULL, 0}};
        memset(data, (int)(uint8_t)(i * 4), sizeof data);
        if (!tree->unique)
            bookmark.data = span_of(data, 10 + i % 60);
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
    for (uint32_t i = 0; i < 90 && err >= JET_errSuccess; i++) {
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
    for (uint32_t i = 0; i < 90 && err >= JET_errSuccess; i += 9) {
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
        err = btree_cursor_seek(cursor, &bookmark, LATCH_SHARED, &place);
        if (err == JET_errSuccess && place != SEEK_EMPTY)
            err = btree_cursor_node(cursor, &view);
        page_number page = btree_cursor_page(cursor);
        unsigned line = btree_cursor_line(cursor);
        dbtime modified = err == JET_errSuccess && place != SEEK_EMPTY ? btree_cursor_modified(cursor) : 0;
        btree_cursor_release(cursor);
        if (err == JET_errSuccess && place != SEEK_EMPTY)
            (void)btree_cursor_try_place(cursor, page, line, modified);
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
/* As when other sessions need the memory. */
static JET_ERR forget_pages(void)
{
    JET_ERR err = cache_flush_database(database);
    cache_purge_database(database);
    return err;
}

static JET_ERR number_rows(struct tree *tree)
{
    bool known = false;
    uint64_t highest = 0;
    JET_ERR err = forget_pages();
    if (err == JET_errSuccess)
        err = root_autoincrement_read(tree, &known, &highest);
    if (err == JET_errSuccess)
        err = forget_pages();
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

/* Space in steps, between which the pages are forgotten. */
static JET_ERR space_in_steps(struct tree *tree)
{
    JET_ERR err = JET_errSuccess;
    page_number page = PAGE_NUMBER_NULL;
    uint32_t owned = 0;
    uint32_t available = 0;
    for (int i = 0; i < 3; i++) {
        TRY(forget_pages());
        TRY(space_get_page(tree, &actor, PAGE_NUMBER_NULL, &page));
        TRY(forget_pages());
        TRY(space_free_page(tree, &actor, page));
        TRY(forget_pages());
        TRY(space_count(tree, &owned, &available));
    }
    TRY(forget_pages());
    TRY(insert_cluster(tree));
done:
    return err;
}
static JET_ERR step_large(void)
{
    return with_tree(LARGE, space_in_steps);
}
static JET_ERR step_small(void)
{
    return with_tree(SMALL, space_in_steps);
}
static JET_ERR step_child(void)
{
    return with_tree(CHILD, space_in_steps);
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
static JET_ERR remove_from_index(void)
{
    return with_tree(INDEX, remove_leaves);
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
static JET_ERR check_index(void)
{
    return with_tree(INDEX, check_space);
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
static bool abandoned; /* changes that could not be taken back are in the pages */

/* One transaction changes what another reads as it was. */
static JET_ERR read_old_images(void)
{
    JET_ERR err = JET_errSuccess;
    struct transaction writer = {0};
    struct transaction reader = {0};
    struct versioned_cursor *changing = NULL;
    struct versioned_cursor *reading = NULL;
    struct versioned_cursor *empty = NULL;
    struct node_view view;
    struct bookmark bookmark;
    uint8_t key[80];
    static const uint8_t data[300] = {1, 2, 3};
    TRY(transaction_init(&writer, store, 7));
    TRY(transaction_init(&reader, store, 8));
    TRY(transaction_begin(&reader, false));
    TRY(transaction_begin(&writer, false));
    TRY(versioned_cursor_open(&writer, database, roots[LARGE], &changing));
    TRY(versioned_cursor_open(&reader, database, roots[LARGE], &reading));
    TRY(versioned_cursor_open(&reader, database, roots[EMPTY], &empty));
    TRY(versioned_cursor_first(changing));
    for (int i = 0; i < 5; i++) {
        TRY(i == 1   ? versioned_cursor_delta(changing, 0, 4, 7, NULL, NULL)
            : i == 2 ? versioned_cursor_delta(changing, 0, 8, 7, NULL, NULL)
            : i == 3 ? versioned_cursor_delete(changing)
                     : versioned_cursor_replace(changing, span_of(data, 250)));
        TRY(versioned_cursor_next(changing));
    }
    TRY(versioned_cursor_first(reading));
    for (int i = 0; i < 6; i++) {
        TRY(versioned_cursor_copy(reading, &view));
        assert_true(abandoned || view.data.size < 100); /* as it was */
        TRY(versioned_cursor_get(reading, &view));
        versioned_cursor_release(reading);
        TRY(versioned_cursor_bookmark(reading, &bookmark));
        TRY(versioned_cursor_goto(reading, &bookmark));
        TRY(versioned_cursor_next(reading));
    }
    bookmark = (struct bookmark){make_key(8, key), {NULL, 0}};
    TRY(versioned_cursor_set_bookmark(reading, &bookmark));
    TRY(versioned_cursor_previous(reading));
    TRY(versioned_cursor_seek(reading, make_key(4, key), VERSIONED_SEEK_LE));
    err = versioned_cursor_seek(reading, make_key(3, key), VERSIONED_SEEK_LT);
    if (err != JET_errRecordNotFound)
        TRY(err);
    for (enum versioned_seek how = VERSIONED_SEEK_EQ; how <= VERSIONED_SEEK_LT; how++) {
        err = versioned_cursor_seek(empty, make_key(3, key), how);
        err = err == JET_errRecordNotFound ? JET_errSuccess : err;
        TRY(err);
    }
    err = versioned_cursor_last(empty);
    err = err == JET_errNoCurrentRecord ? JET_errSuccess : err;
done:
    versioned_cursor_close(changing);
    versioned_cursor_close(reading);
    versioned_cursor_close(empty);
    if (transaction_level(&writer) > 0 && transaction_rollback(&writer) < JET_errSuccess) {
        transaction_abandon(&writer);
        abandoned = true;
    }
    if (transaction_level(&reader) > 0 && transaction_rollback(&reader) < JET_errSuccess)
        transaction_abandon(&reader);
    transaction_done(&writer);
    transaction_done(&reader);
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
    {"remove index", remove_from_index},
    {"merge large", merge_in_large},
    {"merge index", merge_in_index},
    {"walk large", walk_large},
    {"walk index", walk_index},
    {"look large", look_around_large},
    {"look index", look_around_index},
    {"count", count_all},
    {"check", check_all},
    {"check index", check_index},
    {"number", number_large},
    {"steps large", step_large},
    {"steps small", step_small},
    {"steps child", step_child},
    {"pages of large", pages_of_large},
    {"pages of child", pages_of_child},
    {"pages of empty", pages_of_empty},
    {"tables", tables_come_and_go},
    {"indexes", indexes_come_and_go},
    {"free", free_large},
    {"grow", grow},
    {"transaction large", transact_large},
    {"transaction index", transact_index},
    {"old images", read_old_images},
};
#define OPERATIONS (sizeof operations / sizeof operations[0])

#endif
