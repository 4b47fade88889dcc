/* Random transactions on a logged tree, pages written at random moments, then the process dies: after
 * recovery the tree holds exactly what was committed. Each crash is recovered, worked on and crashed again.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "include/esent.h"
#include "include/esent_host.h"
#include "src/btree/btree_check.h"
#include "src/btree/space.h"
#include "src/instance/instance.h"
#include "src/instance/session.h"
#include "src/version/versioned_cursor.h"

#define SESSIONS 3
#define KEYS 60

static JET_INSTANCE instance;
static JET_SESID handles[SESSIONS];
static struct session *sessions[SESSIONS];
static struct versioned_cursor *cursors[SESSIONS];
static struct database *database;
static page_number root;
static uint32_t page_size;

static int committed[KEYS]; /* value of each key, 0: none */
static int own[SESSIONS][8][KEYS];
static uint64_t random_state;

/* What was committed, one state after the other; a crash may fall back to any since the last one known to be
 * durable. */
#define STATES 4000
static int history[STATES][KEYS];
static int history_count;
static int durable; /* index in history */

static void remember_state(bool is_durable)
{
    assert_true(history_count < STATES);
    memcpy(history[history_count++], committed, sizeof committed);
    if (is_durable)
        durable = history_count - 1;
}

static uint32_t random_below(uint32_t limit)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(random_state >> 33) % limit;
}

#define KEY_ROOM 2048

/* Long keys: six each begin with the same few hundred bytes, so that few fit a page, and trees are deep. */
static bool long_keys;

static struct span make_long_key(int key, char *buffer)
{
    const size_t unit = page_size / 50 < KEY_ROOM / 20 ? page_size / 50 : KEY_ROOM / 20;
    const size_t same = (size_t)(key / 6 * 37 % 10) * unit + 1;
    const size_t rest = (size_t)(key * 5 % 7) * unit;

    memset(buffer, 'a' + key / 6, same);
    buffer[same] = (char)('0' + key % 6);
    memset(buffer + same + 1, 'p', rest);
    return span_of(buffer, same + 1 + rest);
}

static struct span make_key(int key, char *buffer)
{
    if (long_keys)
        return make_long_key(key, buffer);
    size_t size = 3 + (size_t)(key % 7) * 5;

    buffer[0] = (char)('a' + key / 20);
    buffer[1] = (char)('0' + key % 20);
    memset(buffer + 2, 'p', size - 2);
    return span_of(buffer, size);
}

static struct span make_value(int value, uint8_t *buffer)
{
    size_t size = 2 + (size_t)value * 7 % 90 + (value % 5 == 0 ? page_size / 5 : 0);

    memset(buffer, value, size);
    return span_of(buffer, size);
}

static struct transaction *transaction_of(int session)
{
    return &sessions[session]->transaction;
}

static void open_sessions(void)
{
    JET_DBID id = JET_dbidNil;

    for (int i = 0; i < SESSIONS; i++) {
        assert_int_equal(JetBeginSessionA(instance, &handles[i], NULL, NULL), JET_errSuccess);
        assert_int_equal(session_enter(handles[i], &sessions[i]), JET_errSuccess);
        session_leave(sessions[i]);
    }
    if (root == 0)
        assert_int_equal(JetCreateDatabaseA(handles[0], "a.edb", NULL, &id, 0), JET_errSuccess);
    else
        assert_true(JetAttachDatabaseA(handles[0], "a.edb", 0) >= JET_errSuccess);
    if (root != 0)
        assert_int_equal(JetOpenDatabaseA(handles[0], "a.edb", NULL, &id, 0), JET_errSuccess);
    assert_int_equal(session_find_database(sessions[0], id, &database), JET_errSuccess);
}

static void make_tree(void)
{
    struct tree_design design = {.parent = ROOT_PAGE_DATABASE, .pages = 1, .unique = true};
    object_id object = 0;

    assert_int_equal(transaction_begin(transaction_of(0), false), JET_errSuccess);
    assert_int_equal(versioned_create_tree(transaction_of(0), database, &design, &root, &object),
                     JET_errSuccess);
    assert_int_equal(transaction_commit(transaction_of(0), false), JET_errSuccess);
}

static void start(void)
{
    instance = JET_instanceNil;
    assert_int_equal(JetCreateInstanceA(&instance, "i"), JET_errSuccess);
    assert_int_equal(JetSetSystemParameterA(&instance, JET_sesidNil, JET_paramLogFileSize, 128, NULL),
                     JET_errSuccess);
    assert_int_equal(JetInit(&instance), JET_errSuccess);
    open_sessions();
    if (root == 0)
        make_tree();
    for (int i = 0; i < SESSIONS; i++)
        assert_int_equal(versioned_cursor_open(transaction_of(i), database, root, &cursors[i]),
                         JET_errSuccess);
}

static int sees(int session, int key)
{
    for (unsigned i = transaction_level(transaction_of(session)); i > 0; i--) {
        if (own[session][i][key] >= 0)
            return own[session][i][key];
    }
    return committed[key];
}

static void check_tree(void)
{
    struct tree_report report;
    struct tree *tree = versioned_cursor_tree(cursors[0]);
    JET_ERR err = btree_check_space(tree, &report);
    if (report.problem != NULL)
        print_error("page %u: %s\n", report.where, report.problem);
    assert_int_equal(err, JET_errSuccess);
    struct tree *system = NULL;
    assert_int_equal(tree_open(tree->registry, database, ROOT_PAGE_DATABASE, &system), JET_errSuccess);
    err = btree_check_space(system, &report);
    if (report.problem != NULL)
        print_error("system page %u: %s\n", report.where, report.problem);
    assert_int_equal(err, JET_errSuccess);
    tree_close(system);
}

/* Whether the tree holds exactly what `state` says. */
static bool holds(const int *state)
{
    char key_buffer[KEY_ROOM];
    struct node_view view;
    JET_ERR err = versioned_cursor_first(cursors[0]);

    for (int key = 0; key < KEYS; key++) {
        if (state[key] == 0)
            continue;
        struct span expected = make_key(key, key_buffer);

        if (err != JET_errSuccess)
            return false;
        assert_int_equal(versioned_cursor_copy(cursors[0], &view), JET_errSuccess);
        if (span_compare(view.key, expected) != 0 || view.data.bytes[0] != state[key] ||
            view.data.bytes[view.data.size - 1] != state[key])
            return false;
        err = versioned_cursor_next(cursors[0]);
    }
    return err == JET_errNoCurrentRecord;
}

/* Finds the state that the crash left, among those it may have left, and goes on from there. */
static void check_committed(void)
{
    int found = history_count - 1;

    while (found >= durable && !holds(history[found]))
        found--;
    if (found < durable)
        print_error("durable %d of %d\n", durable, history_count);
    assert_true(found >= durable);
    memcpy(committed, history[found], sizeof committed);
    history_count = 0;
    remember_state(true);
}

/* Each session has its own third of the keys, so that there are no conflicts to model. */
static void write_something(int session)
{
    char key_buffer[KEY_ROOM];
    uint8_t value_buffer[20000];
    int key = (int)random_below(KEYS / SESSIONS) * SESSIONS + session;
    int value = 1 + (int)random_below(100);
    unsigned level = transaction_level(transaction_of(session));
    struct span data = make_value(value, value_buffer);

    if (sees(session, key) == 0) {
        assert_int_equal(versioned_cursor_insert(cursors[session], make_key(key, key_buffer), data, 0),
                         JET_errSuccess);
        own[session][level][key] = value;
        return;
    }
    assert_int_equal(versioned_cursor_seek(cursors[session], make_key(key, key_buffer), VERSIONED_SEEK_EQ),
                     JET_errSuccess);
    bool deletes = random_below(3) == 0;
    assert_int_equal(deletes ? versioned_cursor_delete(cursors[session])
                             : versioned_cursor_replace(cursors[session], data),
                     JET_errSuccess);
    own[session][level][key] = deletes ? 0 : value;
}

static int newly_durable; /* by the step that is running */

static void step(int session)
{
    struct transaction *transaction = transaction_of(session);
    unsigned level = transaction_level(transaction);

    switch (random_below(16)) {
    case 0:
        if (level > 0)
            assert_int_equal(transaction_rollback(transaction), JET_errSuccess);
        break;
    case 1:
    case 2:
        if (level == 0)
            break;
        for (int key = 0; key < KEYS; key++) {
            int value = own[session][level][key];

            if (value >= 0 && level > 1)
                own[session][level - 1][key] = value;
            else if (value >= 0)
                committed[key] = value;
        }
        bool lazy = random_below(2) == 0;
        assert_int_equal(transaction_commit(transaction, lazy), JET_errSuccess);
        if (level == 1)
            remember_state(false);
        if (level == 1 && !lazy)
            newly_durable = history_count - 1;
        break;
    case 3:
        if (level >= 7)
            break;
        assert_int_equal(transaction_begin(transaction, false), JET_errSuccess);
        for (int key = 0; key < KEYS; key++)
            own[session][level + 1][key] = -1;
        break;
    case 4:
        if (random_below(4) == 0)
            assert_int_equal(cache_flush_database(database), JET_errSuccess);
        else
            (void)cache_flush_page(database, root + random_below(20));
        break;
    case 5:
        if (random_below(3) == 0)
            (void)version_store_clean(transaction->store, NULL);
        break;
    default:
        if (level > 0)
            write_something(session);
        break;
    }
}

static void run(uint64_t seed)
{
    root = 0;
    random_state = seed;
    page_size = 4096u << random_below(4);
    long_keys = seed % 4 == 2 || seed % 4 == 3;
    /* A torn page is lost (as it is to the real engine): pages are written whole or not. */
    if (seed % 2 == 1)
        assert_int_equal(EsentHostTrackWrites((int)page_size), JET_errSuccess);
    memset(committed, 0, sizeof committed);
    assert_int_equal(JetSetSystemParameterA(NULL, JET_sesidNil, JET_paramDatabasePageSize, page_size, NULL),
                     JET_errSuccess);
    start();
    history_count = 0;
    remember_state(true);
    for (int life = 0; life < 4; life++) {
        uint32_t steps = 50 + random_below(600);

        /* In every third life the disk stops at some write: what the engine does afterwards is in vain. */
        bool stops = (seed + (uint64_t)life) % 3 == 0;
        if (stops)
            EsentHostFailNth(ESENT_HOST_FAULT_CRASH, 1 + random_below(200), 1);
        for (uint32_t i = 0; i < steps; i++) {
            newly_durable = durable;
            step((int)random_below(SESSIONS));
            if (stops && EsentHostCrashPointReached() != 0)
                break;
            durable = newly_durable;
        }
        check_tree();
        if (EsentHostCrashPointReached() == 0) {
            assert_int_equal(transaction_wait(transaction_of(0), true), JET_errSuccess);
            if (EsentHostCrashPointReached() == 0)
                durable = history_count - 1;
        }
        EsentHostFailNone(); /* a point that was not reached; one that was stays */
        /* The process dies, or the whole machine, which loses what was written and not synced. */
        if (seed % 2 == 0)
            EsentHostCrash();
        else
            assert_int_equal(
                EsentHostMachineCrash((enum ESENT_HOST_CRASH_MODE)random_below(5), seed + (uint64_t)life),
                JET_errSuccess);
        assert_int_equal(
            JetSetSystemParameterA(NULL, JET_sesidNil, JET_paramDatabasePageSize, page_size, NULL),
            JET_errSuccess);
        start();
        check_committed();
        check_tree();
    }
    EsentHostCrash();
}

static void test_crashes(void **state)
{
    (void)state;
    const char *only = getenv("SEED");
    uint64_t first = only != NULL ? strtoull(only, NULL, 10) : 1;
    uint64_t last = only != NULL ? first : 25;

    for (uint64_t seed = first; seed <= last; seed++) {
        print_message("seed %llu\n", (unsigned long long)seed);
        run(seed);
        assert_int_equal(EsentHostReset(NULL, 0), 0);
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
        cmocka_unit_test_setup(test_crashes, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
