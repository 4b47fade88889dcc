/* What transactions and their cursors refuse, and actions that leave things out. */
#include "tests/version_world.h"

static struct span bytes_of(const char *bytes)
{
    return text(bytes);
}

static void changes_want_a_transaction_and_a_node(void **state)
{
    struct node_view view;
    struct bookmark bookmark;
    int64_t old = 0;
    uint64_t less;
    uint64_t total;
    (void)state;
    open_world(4096, true);
    begin(0);
    assert_int_equal(insert(0, "a", "12345678"), JET_errSuccess);
    commit(0);
    /* no transaction */
    assert_int_equal(seek(0, "a"), JET_errSuccess);
    assert_int_equal(insert(0, "b", "x"), JET_errNotInTransaction);
    assert_int_equal(versioned_cursor_replace(cursors[0], bytes_of("x")), JET_errNotInTransaction);
    assert_int_equal(versioned_cursor_delete(cursors[0]), JET_errNotInTransaction);
    assert_int_equal(versioned_cursor_lock(cursors[0], VERSIONED_LOCK_READ), JET_errNotInTransaction);
    assert_int_equal(versioned_cursor_lock(cursors[0], VERSIONED_LOCK_WRITE), JET_errNotInTransaction);
    struct tree_design design = {.parent = ROOT_PAGE_DATABASE, .pages = 1, .unique = true};
    page_number made = 0;
    object_id object = 0;
    assert_int_equal(versioned_create_tree(&sessions[0], database, &design, &made, &object),
                     JET_errNotInTransaction);
    assert_int_equal(versioned_free_tree(&sessions[0], database, root), JET_errNotInTransaction);
    assert_int_equal(transaction_commit(&sessions[0], true), JET_errNotInTransaction);
    assert_int_equal(transaction_rollback(&sessions[0]), JET_errNotInTransaction);
    assert_int_equal(transaction_wait(&sessions[0], true), JET_errSuccess); /* no log */
    /* no node */
    begin(0);
    versioned_cursor_before_first(cursors[0]);
    assert_int_equal(versioned_cursor_replace(cursors[0], bytes_of("x")), JET_errNoCurrentRecord);
    assert_int_equal(versioned_cursor_delete(cursors[0]), JET_errNoCurrentRecord);
    assert_int_equal(versioned_cursor_get(cursors[0], &view), JET_errNoCurrentRecord);
    assert_int_equal(versioned_cursor_bookmark(cursors[0], &bookmark), JET_errNoCurrentRecord);
    assert_int_equal(versioned_cursor_position(cursors[0], &less, &total), JET_errNoCurrentRecord);
    assert_false(versioned_cursor_on_node(cursors[0]));
    /* no such bytes */
    assert_int_equal(seek(0, "a"), JET_errSuccess);
    assert_int_equal(versioned_cursor_delta(cursors[0], 5, 4, 1, &old, NULL), JET_errInvalidParameter);
    assert_int_equal(versioned_cursor_delta(cursors[0], 1, 8, 1, &old, NULL), JET_errInvalidParameter);
    assert_int_equal(versioned_cursor_delta(cursors[0], 4, 4, 1, &old, NULL), JET_errSuccess);
    assert_int_equal(old, 0x38373635);
    rollback(0);
    assert_data(0, "a", "12345678");
    /* read only */
    assert_int_equal(transaction_begin(&sessions[0], true), JET_errSuccess);
    assert_int_equal(seek(0, "a"), JET_errSuccess);
    assert_int_equal(versioned_cursor_replace(cursors[0], bytes_of("x")), JET_errTransReadOnly);
    assert_int_equal(versioned_cursor_lock(cursors[0], VERSIONED_LOCK_READ), JET_errSuccess);
    assert_int_equal(transaction_prepare_change(&sessions[0], NULL), JET_errTransReadOnly);
    database->temporary = true; /* temporary tables may be written always */
    assert_int_equal(transaction_prepare_change(&sessions[0], database), JET_errSuccess);
    database->temporary = false;
    rollback(0);
    for (int i = 0; i < TRANSACTION_LEVEL_MOST; i++)
        begin(0);
    assert_int_equal(transaction_begin(&sessions[0], false), JET_errTransTooDeep);
    for (int i = 0; i < TRANSACTION_LEVEL_MOST; i++)
        rollback(0);
    close_world();
}

/* The published engine goes by the last bookmark where there is no current node; the documented one refuses.
 */
static void deltas_by_the_last_bookmark(void **state)
{
    (void)state;
    for (int published = 0; published < 2; published++) {
        int64_t old = 0;
        assert_int_equal(EsentHostSetProfile(published ? ESENT_HOST_PUBLISHED : ESENT_HOST_DOCUMENTED),
                         JET_errSuccess);
        open_world(4096, true);
        begin(0);
        assert_int_equal(insert(0, "a", "1234"), JET_errSuccess);
        commit(0);
        begin(0);
        assert_int_equal(seek(0, "a"), JET_errSuccess);
        versioned_cursor_lose(cursors[0]);
        assert_int_equal(versioned_cursor_delta(cursors[0], 0, 4, 1, &old, NULL),
                         published ? JET_errSuccess : JET_errNoCurrentRecord);
        assert_int_equal(old, published ? 0x34333231 : 0);
        rollback(0);
        if (published) { /* of a node that is not there at all */
            begin(0);
            struct bookmark bookmark = {text("none"), {NULL, 0}};
            assert_int_equal(versioned_cursor_set_bookmark(cursors[0], &bookmark), JET_errSuccess);
            versioned_cursor_lose(cursors[0]);
            assert_int_equal(versioned_cursor_delta(cursors[0], 0, 4, 1, &old, NULL), JET_errRecordDeleted);
            rollback(0);
        }
        close_world();
    }
    assert_int_equal(EsentHostSetProfile(ESENT_HOST_DOCUMENTED), JET_errSuccess);
}

/* ---- actions */

static char happened[32];

static void happen(const char *what)
{
    strncat(happened, what, sizeof happened - strlen(happened) - 1);
}
static void undo(struct transaction *transaction, struct database *of, void *context)
{
    (void)transaction;
    (void)of;
    happen(context);
    happen("u");
}
static void committed(struct transaction *transaction, struct database *of, void *context)
{
    (void)transaction;
    (void)of;
    (void)context;
    happen("c");
}
static void cleanup(struct database *of, void *context)
{
    (void)of;
    (void)context;
    happen("x");
}
static void abandoned(void *context)
{
    (void)context;
    happen("a");
}

enum { ROLLBACK, COMMIT, ABANDON, FORGET };

/* What another database's end is to this one's entries: nothing. */
static void forget_another(void)
{
    struct database *other = NULL;
    char before[sizeof happened];
    memcpy(before, happened, sizeof before);
    uint64_t bytes = version_store_bytes(store);
    assert_int_equal(database_allocate(cache, NULL, 2, "/b.edb", &other), JET_errSuccess);
    version_store_forget(store, other);
    assert_int_equal(version_store_bytes(store), bytes);
    assert_string_equal(happened, before);
    database_free(other);
}

static void actions_end_once(void **state)
{
    static const struct version_action whole = {"whole", undo, committed, cleanup, abandoned};
    static const struct version_action bare = {"bare", NULL, NULL, NULL, NULL};
    static const struct version_action cleaned = {"cleaned", NULL, NULL, cleanup, NULL};
    static const struct {
        const struct version_action *action;
        int end;
        const char *happens;
    } rows[] = {
        {&whole, ROLLBACK, "1u"}, {&whole, COMMIT, "cx"},  {&whole, ABANDON, "a"},   {&whole, FORGET, "ca"},
        {&bare, ROLLBACK, ""},    {&bare, COMMIT, ""},     {&bare, ABANDON, ""},     {&bare, FORGET, ""},
        {&cleaned, ROLLBACK, ""}, {&cleaned, COMMIT, "x"}, {&cleaned, ABANDON, "x"}, {&cleaned, FORGET, "x"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        open_world(4096, true);
        begin(1); /* keeps what is committed from being cleaned up */
        begin(0);
        happened[0] = 0;
        assert_int_equal(version_add_action(&sessions[0], database, rows[i].action, (void *)(uintptr_t) "1"),
                         JET_errSuccess);
        switch (rows[i].end) {
        case ROLLBACK:
            rollback(0);
            break;
        case COMMIT:
            commit(0);
            commit(1);
            assert_int_equal(version_store_clean(store, NULL), JET_errSuccess);
            break;
        case ABANDON:
            transaction_abandon(&sessions[0]);
            break;
        default:
            commit(0);
            forget_another();
            version_store_forget(store, database);
            break;
        }
        if (strcmp(happened, rows[i].happens) != 0)
            fail_msg("row %zu: %s", i, happened);
        close_world();
        if (strcmp(happened, rows[i].happens) != 0)
            fail_msg("row %zu, later: %s", i, happened);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(changes_want_a_transaction_and_a_node, set_up, tear_down),
        cmocka_unit_test_setup_teardown(deltas_by_the_last_bookmark, set_up, tear_down),
        cmocka_unit_test_setup_teardown(actions_end_once, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
