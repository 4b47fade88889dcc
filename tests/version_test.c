/* Transactions over a tree, step by step: visibility, conflicts, rollback at all levels, deltas, locks,
 * schema entries, clean-up. */
#include "tests/version_world.h"

static void test_levels(void **state)
{
    (void)state;
    open_world(4096, true);
    assert_int_equal(insert(0, "a", "1"), JET_errNotInTransaction);
    assert_int_equal(transaction_commit(&sessions[0], true), JET_errNotInTransaction);
    assert_int_equal(transaction_rollback(&sessions[0]), JET_errNotInTransaction);
    for (int i = 0; i < TRANSACTION_LEVEL_MOST; i++)
        begin(0);
    assert_int_equal(transaction_begin(&sessions[0], false), JET_errTransTooDeep);
    assert_int_equal(insert(0, "a", "1"), JET_errSuccess);
    commit(0);
    assert_data(0, "a", "1");
    rollback(0);
    assert_int_equal(seek(0, "a"), JET_errRecordNotFound);
    while (transaction_level(&sessions[0]) > 0)
        commit(0);
    assert_int_equal(transaction_begin(&sessions[0], true), JET_errSuccess);
    assert_int_equal(insert(0, "a", "1"), JET_errTransReadOnly);
    commit(0);
    close_world();
}

static void test_snapshots(void **state)
{
    (void)state;
    open_world(4096, true);
    begin(0);
    assert_int_equal(insert(0, "a", "one"), JET_errSuccess);
    assert_int_equal(seek(1, "a"), JET_errRecordNotFound); /* uncommitted */
    begin(1);
    commit(0);
    assert_int_equal(seek(1, "a"), JET_errRecordNotFound); /* committed later */
    assert_int_equal(insert(1, "a", "mine"), JET_errKeyDuplicate);
    commit(1);
    assert_data(1, "a", "one");
    begin(1);
    begin(0);
    assert_int_equal(seek(0, "a"), JET_errSuccess);
    assert_int_equal(versioned_cursor_replace(cursors[0], text("two and longer")), JET_errSuccess);
    assert_data(0, "a", "two and longer");
    assert_data(1, "a", "one");
    assert_data(2, "a", "one");
    assert_int_equal(versioned_cursor_replace(cursors[1], text("x")), JET_errWriteConflict);
    commit(0);
    assert_data(1, "a", "one");
    assert_data(2, "a", "two and longer");
    assert_int_equal(versioned_cursor_replace(cursors[1], text("x")), JET_errWriteConflict);
    assert_int_equal(versioned_cursor_delete(cursors[1]), JET_errWriteConflict);
    commit(1);
    begin(1);
    begin(0);
    assert_int_equal(seek(0, "a"), JET_errSuccess);
    assert_int_equal(versioned_cursor_delete(cursors[0]), JET_errSuccess);
    struct node_view view;
    assert_int_equal(versioned_cursor_get(cursors[0], &view), JET_errRecordDeleted);
    assert_data(1, "a", "two and longer");
    assert_int_equal(insert(1, "a", "mine"), JET_errKeyDuplicate);
    commit(0);
    assert_data(1, "a", "two and longer");
    assert_int_equal(insert(1, "a", "mine"), JET_errKeyDuplicate);
    assert_int_equal(seek(2, "a"), JET_errRecordNotFound);
    begin(2);
    assert_int_equal(insert(2, "a", "again"), JET_errSuccess);
    assert_data(1, "a", "two and longer");
    assert_data(2, "a", "again");
    rollback(2);
    assert_data(1, "a", "two and longer");
    commit(1);
    assert_int_equal(seek(1, "a"), JET_errRecordNotFound);
    close_world();
}

static void test_locks(void **state)
{
    (void)state;
    open_world(4096, true);
    begin(0);
    assert_int_equal(insert(0, "a", "one"), JET_errSuccess);
    commit(0);
    begin(0);
    begin(1);
    assert_int_equal(seek(0, "a"), JET_errSuccess);
    assert_int_equal(seek(1, "a"), JET_errSuccess);
    assert_int_equal(versioned_cursor_lock(cursors[0], VERSIONED_LOCK_READ), JET_errSuccess);
    assert_int_equal(versioned_cursor_lock(cursors[1], VERSIONED_LOCK_READ), JET_errSuccess);
    assert_int_equal(versioned_cursor_lock(cursors[1], VERSIONED_LOCK_WRITE), JET_errWriteConflict);
    assert_int_equal(versioned_cursor_replace(cursors[0], text("x")), JET_errWriteConflict);
    rollback(1);
    assert_int_equal(versioned_cursor_lock(cursors[0], VERSIONED_LOCK_WRITE), JET_errSuccess);
    begin(1);
    assert_int_equal(versioned_cursor_lock(cursors[1], VERSIONED_LOCK_READ), JET_errWriteConflict);
    assert_int_equal(versioned_cursor_replace(cursors[0], text("x")), JET_errSuccess);
    rollback(0);
    assert_data(1, "a", "one");
    close_world();
}

static int32_t counter(int session)
{
    struct node_view view;
    int32_t value = 0;

    assert_int_equal(seek(session, "n"), JET_errSuccess);
    assert_int_equal(versioned_cursor_copy(cursors[session], &view), JET_errSuccess);
    memcpy(&value, view.data.bytes + 2, sizeof value);
    return value;
}

static int zeroes;

static void count_zero(struct version_store *of, struct database *in, page_number tree,
                       const struct bookmark *bookmark)
{
    assert_ptr_equal(of, store);
    assert_ptr_equal(in, database);
    assert_int_equal(tree, root);
    assert_int_equal(bookmark->key.size, 1);
    zeroes++;
}

static void test_deltas(void **state)
{
    (void)state;
    int64_t old = 0;

    open_world(4096, true);
    begin(0);
    assert_int_equal(versioned_cursor_insert(cursors[0], text("n"), span_of("xx\5\0\0\0yy", 8), 0),
                     JET_errSuccess);
    commit(0);
    begin(0);
    begin(1);
    assert_int_equal(counter(0), 5);
    assert_int_equal(counter(1), 5);
    assert_int_equal(versioned_cursor_delta(cursors[0], 2, 4, 5, &old, NULL), JET_errSuccess);
    assert_int_equal(old, 5);
    assert_int_equal(counter(0), 10);
    assert_int_equal(counter(1), 5);
    assert_int_equal(versioned_cursor_delta(cursors[1], 2, 4, 3, &old, NULL), JET_errSuccess);
    assert_int_equal(old, 10); /* the true value */
    assert_int_equal(counter(1), 8);
    assert_int_equal(counter(0), 10);
    assert_int_equal(counter(2), 5);
    assert_int_equal(versioned_cursor_replace(cursors[0], text("other data")), JET_errWriteConflict);
    commit(0);
    assert_int_equal(counter(1), 8);
    assert_int_equal(counter(2), 10);
    rollback(1);
    assert_int_equal(counter(1), 10);
    begin(1);
    assert_int_equal(versioned_cursor_delta(cursors[1], 2, 4, -10, &old, count_zero), JET_errSuccess);
    commit(1);
    zeroes = 0;
    assert_int_equal(version_store_clean(store, NULL), JET_errSuccess);
    assert_int_equal(zeroes, 1);
    close_world();
}

static void test_positions(void **state)
{
    (void)state;
    struct node_view view;

    open_world(4096, true);
    begin(0);
    assert_int_equal(insert(0, "b", "2"), JET_errSuccess);
    assert_int_equal(insert(0, "d", "4"), JET_errSuccess);
    assert_int_equal(insert(0, "f", "6"), JET_errSuccess);
    commit(0);
    struct versioned_cursor *cursor = cursors[0];
    assert_int_equal(versioned_cursor_seek(cursor, text("c"), VERSIONED_SEEK_EQ), JET_errRecordNotFound);
    assert_int_equal(versioned_cursor_get(cursor, &view), JET_errNoCurrentRecord);
    assert_int_equal(versioned_cursor_previous(cursor), JET_errSuccess);
    assert_int_equal(versioned_cursor_get(cursor, &view), JET_errSuccess);
    assert_memory_equal(view.key.bytes, "b", 1);
    assert_int_equal(versioned_cursor_seek(cursor, text("c"), VERSIONED_SEEK_GE), JET_wrnSeekNotEqual);
    assert_int_equal(versioned_cursor_get(cursor, &view), JET_errSuccess);
    assert_memory_equal(view.key.bytes, "d", 1);
    assert_int_equal(versioned_cursor_seek(cursor, text("d"), VERSIONED_SEEK_GT), JET_errSuccess);
    assert_int_equal(versioned_cursor_get(cursor, &view), JET_errSuccess);
    assert_memory_equal(view.key.bytes, "f", 1);
    assert_int_equal(versioned_cursor_seek(cursor, text("f"), VERSIONED_SEEK_GT), JET_errRecordNotFound);
    assert_int_equal(versioned_cursor_seek(cursor, text("e"), VERSIONED_SEEK_LE), JET_wrnSeekNotEqual);
    assert_int_equal(versioned_cursor_get(cursor, &view), JET_errSuccess);
    assert_memory_equal(view.key.bytes, "d", 1);
    assert_int_equal(versioned_cursor_seek(cursor, text("d"), VERSIONED_SEEK_LE), JET_errSuccess);
    assert_int_equal(versioned_cursor_seek(cursor, text("d"), VERSIONED_SEEK_LT), JET_errSuccess);
    assert_int_equal(versioned_cursor_get(cursor, &view), JET_errSuccess);
    assert_memory_equal(view.key.bytes, "b", 1);
    assert_int_equal(versioned_cursor_seek(cursor, text("b"), VERSIONED_SEEK_LT), JET_errRecordNotFound);
    /* A deleted place keeps its neighbours. */
    begin(0);
    assert_int_equal(seek(0, "d"), JET_errSuccess);
    assert_int_equal(versioned_cursor_delete(cursor), JET_errSuccess);
    commit(0);
    assert_int_equal(version_store_clean(store, NULL), JET_errSuccess);
    assert_int_equal(versioned_cursor_get(cursor, &view), JET_errRecordDeleted);
    assert_int_equal(versioned_cursor_next(cursor), JET_errSuccess);
    assert_int_equal(versioned_cursor_get(cursor, &view), JET_errSuccess);
    assert_memory_equal(view.key.bytes, "f", 1);
    assert_int_equal(versioned_cursor_next(cursor), JET_errNoCurrentRecord);
    assert_int_equal(versioned_cursor_next(cursor), JET_errNoCurrentRecord);
    assert_int_equal(versioned_cursor_previous(cursor), JET_errSuccess);
    assert_int_equal(versioned_cursor_get(cursor, &view), JET_errSuccess);
    assert_memory_equal(view.key.bytes, "f", 1);
    close_world();
}

/* A store that is full refuses changes, and works again after a rollback. */
static void test_full_store(void **state)
{
    (void)state;
    uint8_t value[200] = {1};
    JET_ERR err = JET_errSuccess;
    int count = 0;

    open_world(4096, true);
    store->options.bytes_most = 20000;
    begin(0);
    assert_int_equal(insert(0, "a", "one"), JET_errSuccess);
    while (err == JET_errSuccess && count < 10000) {
        assert_int_equal(seek(0, "a"), JET_errSuccess);
        err = versioned_cursor_replace(cursors[0], span_of(value, sizeof value));
        count++;
    }
    assert_int_equal(err, JET_errVersionStoreOutOfMemory);
    rollback(0);
    assert_int_equal(seek(0, "a"), JET_errRecordNotFound);
    begin(0);
    assert_int_equal(insert(0, "a", "two"), JET_errSuccess);
    commit(0);
    assert_data(1, "a", "two");
    close_world();
}

/* Schema entries run in the order of the transaction. */
static char action_log[200];

static void on_undo(struct transaction *transaction, struct database *of, void *context)
{
    assert_ptr_equal(transaction, &sessions[0]);
    assert_ptr_equal(of, database);
    strcat(action_log, "u");
    strcat(action_log, context);
}

static void on_commit(struct transaction *transaction, struct database *of, void *context)
{
    (void)transaction;
    (void)of;
    strcat(action_log, "c");
    strcat(action_log, context);
}

static void on_cleanup(struct database *of, void *context)
{
    (void)of;
    strcat(action_log, "x");
    strcat(action_log, context);
}

static void test_actions(void **state)
{
    (void)state;
    static const struct version_action action = {
        .name = "test", .undo = on_undo, .committed = on_commit, .cleanup = on_cleanup};

    open_world(4096, true);
    action_log[0] = 0;
    begin(0);
    assert_int_equal(version_add_action(&sessions[0], database, &action, "1"), JET_errSuccess);
    begin(0);
    assert_int_equal(version_add_action(&sessions[0], database, &action, "2"), JET_errSuccess);
    assert_int_equal(version_add_action(&sessions[0], database, &action, "3"), JET_errSuccess);
    rollback(0);
    assert_string_equal(action_log, "u3u2");
    assert_int_equal(version_add_action(&sessions[0], database, &action, "4"), JET_errSuccess);
    begin(1);
    commit(0);
    assert_string_equal(action_log, "u3u2c1c4");
    assert_int_equal(version_store_clean(store, NULL), JET_wrnRemainingVersions);
    assert_string_equal(action_log, "u3u2c1c4");
    commit(1);
    assert_int_equal(version_store_clean(store, NULL), JET_errSuccess);
    assert_string_equal(action_log, "u3u2c1c4x1x4");
    close_world();
}

/* Trees made in a transaction go with it; freed ones when nobody needs them. */
static void test_trees(void **state)
{
    (void)state;
    struct tree_design design = {.parent = ROOT_PAGE_DATABASE, .pages = 5, .unique = true};
    struct tree *system = NULL;
    page_number made = 0;
    object_id object = 0;
    uint32_t before = 0;
    uint32_t after = 0;

    open_world(4096, true);
    assert_int_equal(tree_open(registry, database, ROOT_PAGE_DATABASE, &system), JET_errSuccess);
    assert_int_equal(space_count(system, NULL, &before), JET_errSuccess);
    begin(0);
    assert_int_equal(versioned_create_tree(&sessions[0], database, &design, &made, &object), JET_errSuccess);
    struct versioned_cursor *cursor = NULL;
    assert_int_equal(versioned_cursor_open(&sessions[0], database, made, &cursor), JET_errSuccess);
    assert_int_equal(versioned_cursor_insert(cursor, text("k"), text("v"), 0), JET_errSuccess);
    versioned_cursor_close(cursor);
    rollback(0);
    assert_int_equal(space_count(system, NULL, &after), JET_errSuccess);
    assert_int_equal(before, after);
    begin(0);
    assert_int_equal(versioned_create_tree(&sessions[0], database, &design, &made, &object), JET_errSuccess);
    commit(0);
    begin(0);
    assert_int_equal(versioned_free_tree(&sessions[0], database, made), JET_errSuccess);
    commit(0);
    assert_int_equal(version_store_clean(store, NULL), JET_errSuccess);
    assert_int_equal(space_count(system, NULL, &after), JET_errSuccess);
    assert_int_equal(before, after);
    tree_close(system);
    close_world();
}

static struct span number_key(uint32_t number, uint8_t *key)
{
    key[0] = 'n';
    key[1] = (uint8_t)(number >> 16);
    key[2] = (uint8_t)(number >> 8);
    key[3] = (uint8_t)number;
    memset(key + 4, 'x', number % 13);
    return span_of(key, 4 + number % 13);
}

/* Leaves that lose all their nodes leave the tree; their pages serve again. */
static void test_emptied_pages(void **state)
{
    (void)state;
    uint8_t key[32];
    struct tree *tree = NULL;
    struct tree_report report;
    const uint32_t count = 16000;

    for (uint32_t stride = 1; stride <= 3; stride++) {
        open_world(2048, true);
        begin(0);
        for (uint32_t i = 0; i < count; i++) {
            uint32_t number = i * 7919 % count;

            assert_int_equal(versioned_cursor_insert(cursors[0], number_key(number, key),
                                                     span_of("data of a node", 14), 0),
                             JET_errSuccess);
        }
        commit(0);
        assert_int_equal(tree_open(registry, database, root, &tree), JET_errSuccess);
        assert_int_equal(btree_check_space(tree, &report), JET_errSuccess);
        uint32_t pages = report.pages;
        assert_true(report.depth >= 3);
        /* Ranges that begin and end at odd places, from the back, the front, the middle. */
        for (uint32_t part = 0; part < 8; part++) {
            uint32_t first = (part * 5 % 8) * count / 8;

            begin(0);
            for (uint32_t i = first; i < first + count / 8; i++) {
                if (i % stride == 1)
                    continue;
                assert_int_equal(versioned_cursor_seek(cursors[0], number_key(i, key), VERSIONED_SEEK_EQ),
                                 JET_errSuccess);
                assert_int_equal(versioned_cursor_delete(cursors[0]), JET_errSuccess);
            }
            commit(0);
            assert_int_equal(version_store_clean(store, NULL), JET_errSuccess);
            JET_ERR err = btree_check_space(tree, &report);
            if (report.problem != NULL)
                print_error("page %u: %s\n", report.where, report.problem);
            assert_int_equal(err, JET_errSuccess);
            if (stride == 1)
                assert_true(report.deleted <= 1);
        }
        if (stride == 1)
            assert_true(report.pages < pages / 20);
        begin(0);
        for (uint32_t i = 0; i < count; i++) {
            if (i % stride == 1)
                continue;
            assert_int_equal(versioned_cursor_insert(cursors[0], number_key(i, key), span_of("again", 5), 0),
                             JET_errSuccess);
        }
        commit(0);
        assert_int_equal(btree_check_space(tree, &report), JET_errSuccess);
        assert_int_equal(report.nodes - report.deleted, count);
        tree_close(tree);
        close_world();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_levels, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_snapshots, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_locks, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_deltas, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_positions, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_actions, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_trees, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_full_store, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_emptied_pages, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
