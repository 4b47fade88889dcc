/* Transactions over a tree: visibility, conflicts, rollback at all levels, deltas, clean-up; random histories
 * of several sessions against a model of snapshot isolation. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "include/esent_host.h"
#include "src/btree/btree_check.h"
#include "src/btree/space.h"
#include "src/version/version.h"
#include "src/version/versioned_cursor.h"

#define SESSIONS 4

static struct cache *cache;
static struct database *database;
static struct tree_registry *registry;
static struct version_store *store;
static struct transaction sessions[SESSIONS];
static struct versioned_cursor *cursors[SESSIONS];
static page_number root;

static void open_world(uint32_t page_size, bool unique)
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

static void close_world(void)
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

static int set_up(void **state)
{
    (void)state;
    return EsentHostUseMemoryFiles();
}

static int tear_down(void **state)
{
    (void)state;
    char report[500] = "";
    const size_t left = EsentHostReset(report, sizeof report);

    if (left != 0)
        print_error("%s\n", report);
    return left == 0 ? 0 : -1;
}

static struct span text(const char *bytes)
{
    return span_of(bytes, strlen(bytes));
}

static JET_ERR insert(int session, const char *key, const char *data)
{
    return versioned_cursor_insert(cursors[session], text(key), text(data), 0);
}

static JET_ERR seek(int session, const char *key)
{
    return versioned_cursor_seek(cursors[session], text(key), VERSIONED_SEEK_EQ);
}

static void assert_data(int session, const char *key, const char *data)
{
    struct node_view view;

    assert_int_equal(seek(session, key), JET_errSuccess);
    assert_int_equal(versioned_cursor_copy(cursors[session], &view), JET_errSuccess);
    assert_int_equal(view.data.size, strlen(data));
    assert_memory_equal(view.data.bytes, data, view.data.size);
}

static void begin(int session)
{
    assert_int_equal(transaction_begin(&sessions[session], false), JET_errSuccess);
}

static void commit(int session)
{
    assert_int_equal(transaction_commit(&sessions[session], true), JET_errSuccess);
}

static void rollback(int session)
{
    assert_int_equal(transaction_rollback(&sessions[session]), JET_errSuccess);
}

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

/* -- Random histories against a model. The model keeps, for each of a few keys, the committed values with
 * their times, and each session's own changes by level. */

#define KEYS 40
#define VALUES 64

struct model_value {
    int value; /* 0: none */
    uint64_t time;
};

struct model_key {
    struct model_value committed[4000];
    int count;
};

struct model_session {
    uint64_t snapshot;
    int own[TRANSACTION_LEVEL_MOST + 1][KEYS]; /* by level; -1: unchanged at this level */
};

static struct model_key *model_keys;
static struct model_session model_sessions[SESSIONS];
static uint64_t model_clock;
static uint64_t random_state;
static bool with_faults; /* allocations fail now and then */

static uint32_t random_below(uint32_t limit)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(random_state >> 33) % limit;
}

static int committed_at(int key, uint64_t time)
{
    for (int i = model_keys[key].count - 1; i >= 0; i--) {
        if (model_keys[key].committed[i].time <= time)
            return model_keys[key].committed[i].value;
    }
    return 0;
}

static int model_sees(int session, int key)
{
    unsigned level = transaction_level(&sessions[session]);

    for (unsigned i = level; i > 0; i--) {
        if (model_sessions[session].own[i][key] >= 0)
            return model_sessions[session].own[i][key];
    }
    return committed_at(key, level == 0 ? UINT64_MAX : model_sessions[session].snapshot);
}

static bool model_conflict(int session, int key)
{
    for (int other = 0; other < SESSIONS; other++) {
        for (unsigned i = 1; other != session && i <= transaction_level(&sessions[other]); i++) {
            if (model_sessions[other].own[i][key] >= 0)
                return true;
        }
    }
    const struct model_key *history = &model_keys[key];
    return history->count > 0 &&
           history->committed[history->count - 1].time > model_sessions[session].snapshot;
}

static struct span make_key(int key, char *buffer)
{
    buffer[0] = (char)('a' + key / 10);
    buffer[1] = (char)('0' + key % 10);
    memset(buffer + 2, 'p', (size_t)(key % 7) * 5);
    return span_of(buffer, 2 + (size_t)(key % 7) * 5);
}

/* A value is its number and a length that depends on it. */
static struct span make_value(int value, uint8_t *buffer, uint32_t page_size)
{
    size_t size = 2 + (size_t)value * 7 % 60 + (value % 9 == 0 ? page_size / 5 : 0);

    memset(buffer, value, size);
    return span_of(buffer, size);
}

static void check_sight(int session, int key)
{
    char key_buffer[64];
    struct node_view view;
    int expected = model_sees(session, key);
    JET_ERR err = versioned_cursor_seek(cursors[session], make_key(key, key_buffer), VERSIONED_SEEK_EQ);

    assert_int_equal(err, expected == 0 ? JET_errRecordNotFound : JET_errSuccess);
    if (expected != 0) {
        assert_int_equal(versioned_cursor_copy(cursors[session], &view), JET_errSuccess);
        assert_int_equal(view.data.bytes[0], expected);
        assert_int_equal(view.data.bytes[view.data.size - 1], expected);
    }
}

static void check_walk(int session)
{
    char key_buffer[64];
    struct node_view view;
    JET_ERR err = versioned_cursor_first(cursors[session]);

    for (int key = 0; key < KEYS; key++) {
        if (model_sees(session, key) == 0)
            continue;
        struct span expected = make_key(key, key_buffer);

        assert_int_equal(err, JET_errSuccess);
        assert_int_equal(versioned_cursor_get(cursors[session], &view), JET_errSuccess);
        assert_int_equal(view.key.size, expected.size);
        assert_memory_equal(view.key.bytes, expected.bytes, expected.size);
        assert_int_equal(view.data.bytes[0], model_sees(session, key));
        err = versioned_cursor_next(cursors[session]);
    }
    assert_int_equal(err, JET_errNoCurrentRecord);
}

static void random_write(int session, uint32_t page_size)
{
    char key_buffer[64];
    uint8_t value_buffer[20000];
    int key = (int)random_below(KEYS);
    int value = 1 + (int)random_below(VALUES);
    int sees = model_sees(session, key);
    bool conflict = model_conflict(session, key);
    struct span data = make_value(value, value_buffer, page_size);
    struct versioned_cursor *cursor = cursors[session];
    unsigned level = transaction_level(&sessions[session]);
    JET_ERR err = JET_errSuccess;

    bool faults = with_faults && random_below(4) == 0;

    if (random_below(3) == 0) {
        if (faults)
            EsentHostFailNth(ESENT_HOST_FAULT_ALLOCATE, 1 + random_below(8), 1);
        err = versioned_cursor_insert(cursor, make_key(key, key_buffer), data, 0);
        EsentHostFailNone();
        if (err == JET_errOutOfMemory && faults) {
            check_sight(session, key);
            return;
        }
        assert_int_equal(err, sees != 0 || conflict ? JET_errKeyDuplicate : JET_errSuccess);
        if (err == JET_errSuccess)
            model_sessions[session].own[level][key] = value;
        return;
    }
    check_sight(session, key);
    if (sees == 0)
        return;
    bool deletes = random_below(3) == 0;
    if (faults)
        EsentHostFailNth(ESENT_HOST_FAULT_ALLOCATE, 1 + random_below(8), 1);
    err = deletes ? versioned_cursor_delete(cursor) : versioned_cursor_replace(cursor, data);
    EsentHostFailNone();
    if (err == JET_errOutOfMemory && faults) {
        check_sight(session, key);
        return;
    }
    assert_int_equal(err, conflict ? JET_errWriteConflict : JET_errSuccess);
    if (err == JET_errSuccess)
        model_sessions[session].own[level][key] = deletes ? 0 : value;
}

static void model_begin(int session)
{
    unsigned level = transaction_level(&sessions[session]);

    if (transaction_begin(&sessions[session], false) != JET_errSuccess)
        return;
    if (level == 0)
        model_sessions[session].snapshot = model_clock;
    for (int key = 0; key < KEYS; key++)
        model_sessions[session].own[level + 1][key] = -1;
}

static void model_commit(int session)
{
    unsigned level = transaction_level(&sessions[session]);

    commit(session);
    if (level == 1)
        model_clock++;
    for (int key = 0; key < KEYS; key++) {
        int value = model_sessions[session].own[level][key];

        if (value < 0)
            continue;
        if (level > 1) {
            model_sessions[session].own[level - 1][key] = value;
        } else {
            assert_true(model_keys[key].count < 4000);
            model_keys[key].committed[model_keys[key].count++] = (struct model_value){value, model_clock};
        }
    }
}

static void random_step(uint32_t page_size)
{
    int session = (int)random_below(SESSIONS);
    unsigned level = transaction_level(&sessions[session]);

    switch (random_below(24)) {
    case 0:
        if (level > 0 && with_faults) {
            EsentHostFailNth(ESENT_HOST_FAULT_ALLOCATE, 1 + random_below(8), 1);
            JET_ERR err = transaction_rollback(&sessions[session]);
            EsentHostFailNone();
            assert_true(err == JET_errSuccess || err == JET_errOutOfMemory);
            if (err == JET_errSuccess)
                break;
        }
        if (level > 0)
            rollback(session);
        break;
    case 1:
    case 2:
        if (level > 0)
            model_commit(session);
        break;
    case 3:
        model_begin(session);
        break;
    case 4:
        check_walk(session);
        break;
    case 5:
        if (with_faults)
            EsentHostFailNth(ESENT_HOST_FAULT_ALLOCATE, 1 + random_below(8), 1);
        (void)version_store_clean(store, NULL);
        EsentHostFailNone();
        break;
    case 6:
    case 7:
    case 8:
        check_sight(session, (int)random_below(KEYS));
        break;
    default:
        if (level == 0)
            model_begin(session);
        random_write(session, page_size);
        break;
    }
}

static void check_tree(void)
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

static void test_random(void **state)
{
    (void)state;
    for (uint32_t page_size = 2048; page_size <= 32768; page_size *= 4) {
        for (uint64_t seed = 1; seed <= 6; seed++) {
            random_state = seed * 77 + page_size;
            with_faults = seed % 2 == 0;
            model_clock = 0;
            model_keys = calloc(KEYS, sizeof *model_keys);
            open_world(page_size, true);
            for (int i = 0; i < 4000; i++) {
                random_step(page_size);
                if (i % 500 == 0)
                    check_tree();
            }
            for (int i = 0; i < SESSIONS; i++) {
                while (transaction_level(&sessions[i]) > 0)
                    rollback(i);
            }
            check_walk(0);
            check_tree();
            close_world();
            free(model_keys);
        }
    }
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
        cmocka_unit_test_setup_teardown(test_emptied_pages, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_random, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
