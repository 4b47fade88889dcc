/* Random histories of several sessions against a model of snapshot isolation. */
#include "tests/version_world.h"

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

/* The same for a non-unique tree: the model's keys are pairs of a key and data, which are there or not. */
static struct bookmark make_pair(int pair, char *key, char *data)
{
    data[0] = 'd';
    data[1] = (char)(pair % 5);
    memset(data + 2, 'q', (size_t)(pair % 3) * 9);
    return (struct bookmark){make_key(pair / 5, key), span_of(data, 2 + (size_t)(pair % 3) * 9)};
}

static void check_pair(int session, int pair)
{
    char key[64];
    char data[64];
    struct bookmark bookmark = make_pair(pair, key, data);
    struct node_view view;
    bool expected = model_sees(session, pair) != 0;

    assert_int_equal(versioned_cursor_goto(cursors[session], &bookmark),
                     expected ? JET_errSuccess : JET_errRecordDeleted);
    if (!expected)
        return;
    assert_int_equal(versioned_cursor_copy(cursors[session], &view), JET_errSuccess);
    assert_int_equal(span_compare(view.data, bookmark.data), 0);
    assert_int_equal(versioned_cursor_seek(cursors[session], bookmark.key, VERSIONED_SEEK_EQ),
                     JET_errSuccess);
    /* The seek goes to the first pair with the key. */
    int first = pair / 5 * 5;
    while (model_sees(session, first) == 0)
        first++;
    struct bookmark expected_first = make_pair(first, key, data);
    assert_int_equal(versioned_cursor_copy(cursors[session], &view), JET_errSuccess);
    assert_int_equal(span_compare(view.data, expected_first.data), 0);
}

static void write_pair(int session)
{
    char key[64];
    char data[64];
    int pair = (int)random_below(KEYS);
    struct bookmark bookmark = make_pair(pair, key, data);
    bool there = model_sees(session, pair) != 0;
    bool conflict = model_conflict(session, pair);
    unsigned level = transaction_level(&sessions[session]);
    JET_ERR err = JET_errSuccess;

    if (random_below(2) == 0) {
        err = versioned_cursor_insert(cursors[session], bookmark.key, bookmark.data, 0);
        if (conflict)
            assert_int_equal(err, JET_errKeyDuplicate);
        else
            assert_int_equal(err, there ? JET_errMultiValuedIndexViolation : JET_errSuccess);
        if (err == JET_errSuccess)
            model_sessions[session].own[level][pair] = 1;
        return;
    }
    err = versioned_cursor_goto(cursors[session], &bookmark);
    assert_int_equal(err, there ? JET_errSuccess : JET_errRecordDeleted);
    if (!there)
        return;
    err = versioned_cursor_delete(cursors[session]);
    assert_int_equal(err, conflict ? JET_errWriteConflict : JET_errSuccess);
    if (err == JET_errSuccess)
        model_sessions[session].own[level][pair] = 0;
}

static void walk_pairs(int session)
{
    char key[64];
    char data[64];
    struct node_view view;
    JET_ERR err = versioned_cursor_last(cursors[session]);

    for (int pair = KEYS - 1; pair >= 0; pair--) {
        if (model_sees(session, pair) == 0)
            continue;
        struct bookmark expected = make_pair(pair, key, data);

        assert_int_equal(err, JET_errSuccess);
        assert_int_equal(versioned_cursor_get(cursors[session], &view), JET_errSuccess);
        assert_int_equal(span_compare(view.key, expected.key), 0);
        assert_int_equal(span_compare(view.data, expected.data), 0);
        err = versioned_cursor_previous(cursors[session]);
    }
    assert_int_equal(err, JET_errNoCurrentRecord);
}

static void test_random_pairs(void **state)
{
    (void)state;
    with_faults = false;
    for (uint64_t seed = 1; seed <= 6; seed++) {
        random_state = seed;
        model_clock = 0;
        model_keys = calloc(KEYS, sizeof *model_keys);
        open_world(2048, false);
        for (int i = 0; i < 4000; i++) {
            int session = (int)random_below(SESSIONS);
            unsigned level = transaction_level(&sessions[session]);
            uint32_t what = random_below(16);

            if (what == 0 && level > 0)
                rollback(session);
            else if (what <= 2 && level > 0)
                model_commit(session);
            else if (what == 3)
                model_begin(session);
            else if (what == 4)
                walk_pairs(session);
            else if (what == 5)
                (void)version_store_clean(store, NULL);
            else if (what <= 8)
                check_pair(session, (int)random_below(KEYS));
            else if (level > 0)
                write_pair(session);
            if (i % 500 == 0)
                check_tree();
        }
        close_world();
        free(model_keys);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_random_pairs, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_random, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
