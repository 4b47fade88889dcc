/* The log goes down between two records of whatever is under way: a split, a merge, a tree that grows, a
 * database that is created or attached, an end, the undo of a recovery. Another thread stops it, behind each
 * record in turn. The call answers so, or success; the next start brings back what was committed. */
#include <limits.h>

#include "tests/recovery_world.h"

#include "src/log/log_internal.h"

#define MORE 8u
#define GONE 30u /* more than a leaf's */

/* ---- the other thread */

static struct {
    unsigned behind; /* so many records */
    bool durable;    /* not before they are on disk */
    bool stopped;
    bool over; /* what is under way */
    unsigned seen;
} stop;

/* Goes on at every point of the first thread, and makes none itself, so that no record is missed. */
static void stop_log(void *context)
{
    struct log_position last = LOG_POSITION_MIN;
    struct instance *watched;
    bool seen_log = false;
    (void)context;
    OK(instance_find(instance, &watched));
    while (!stop.stopped && !stop.over) {
        EsentHostYield();
        const struct log *log = watched->log;
        if (log == NULL && seen_log)
            break; /* it has ended */
        if (log == NULL || !log->started)
            continue;
        const struct log_position end = log_end_hint(log);
        stop.seen += seen_log && log_position_compare(last, end) != 0;
        last = end;
        seen_log = true;
        if (stop.seen >= stop.behind && (!stop.durable || log->durable >= log->entry)) {
            log_stop_service(watched->log);
            stop.stopped = true;
        }
    }
    instance_release(watched);
}

/* ---- what is under way: answers the first error */

static uint8_t choices[2000000];
static bool committed; /* the rows' transaction */

static JET_ERR change_rows(void)
{
    JET_ERR err = JET_errSuccess;
    struct transaction *transaction = &session->transaction;
    struct versioned_cursor *cursor = NULL;
    char data[1500];
    char buffer[32];
    memset(data, 'n', sizeof data);
    TRY(transaction_begin(transaction, false));
    TRY(versioned_cursor_open(transaction, database, root, &cursor));
    for (unsigned i = 0; i < MORE; i++) { /* splits in the middle, growth */
        (void)snprintf(buffer, sizeof buffer, "row%05u+%u", i * 7, i);
        TRY(versioned_cursor_insert(cursor, span_of(buffer, strlen(buffer)), span_of(data, sizeof data), 0));
    }
    for (unsigned i = 100; i < 100 + GONE; i++) {
        TRY(versioned_cursor_seek(cursor, row_key(i, buffer), VERSIONED_SEEK_EQ));
        TRY(versioned_cursor_delete(cursor));
    }
    TRY(transaction_commit(transaction, false));
    committed = true;
    TRY(version_store_clean(transaction->store, NULL)); /* merges */
done:
    versioned_cursor_close(cursor);
    if (transaction_level(transaction) > 0 && transaction_rollback(transaction) < JET_errSuccess)
        transaction_abandon(transaction);
    return err;
}

/* Trees of both kinds come, and one of them goes. */
static JET_ERR change_trees(void)
{
    JET_ERR err = JET_errSuccess;
    struct tree_registry *trees = session->instance->trees;
    const struct btree_actor actor = {.process = 1, .level = 1, .begin0 = 4};
    struct tree_design design = {.parent = ROOT_PAGE_DATABASE, .pages = 20, .unique = true};
    page_number made = 0;
    object_id made_object = 0;
    uint32_t total = 0;
    design.multiple_extents = true;
    TRY(space_create_tree(trees, database, &actor, &design, &made, &made_object));
    TRY(space_free_tree(trees, database, &actor, made));
    design.multiple_extents = false;
    design.pages = 2;
    TRY(space_create_tree(trees, database, &actor, &design, &made, &made_object));
    TRY(space_grow_database(trees, database, &actor, 300, &total));
    design.parent = made;
    design.pages = 30; /* the parent gets its second extent */
    TRY(space_create_tree(trees, database, &actor, &design, &made, &made_object));
done:
    return err;
}

static JET_ERR change_databases(void)
{
    JET_ERR err = JET_errSuccess;
    JET_DBID id = JET_dbidNil;
    TRY(JetCreateDatabaseA(handle, "b.edb", NULL, &id, 0));
    TRY(JetAttachDatabaseA(handle, "/old.edb", 0));
    TRY(JetDetachDatabaseA(handle, "/old.edb"));
done:
    return err;
}

static JET_ERR end_instance(void)
{
    return JetTerm2(instance, JET_bitTermComplete);
}

static JET_ERR recover(void)
{
    return JetInit3A(&instance, NULL, init_grbit);
}

/* A crash in the middle of a transaction, and of a split. */
static void leave_crash(void)
{
    struct versioned_cursor *cursor = NULL;
    char buffer[16];
    OK(transaction_begin(&session->transaction, false));
    OK(versioned_cursor_open(&session->transaction, database, root, &cursor));
    for (unsigned i = 0; i < 10; i++) {
        OK(versioned_cursor_seek(cursor, row_key(i, buffer), VERSIONED_SEEK_EQ));
        OK(versioned_cursor_delete(cursor));
    }
    versioned_cursor_close(cursor);
    process = session->process;
    const struct log_record_macro begin = {LOG_RECORD_MACRO_BEGIN, process, database_next_dbtime(database)};
    append(&begin, sizeof begin);
    EsentHostCrash();
    OK(make_instance());
}

static const struct {
    const char *name;
    void (*prepare)(void);
    JET_ERR (*run)(void);
    unsigned least; /* records */
    unsigned step;  /* in the middle of many */
} cases[] = {
    {"rows", NULL, change_rows, 100, 1},
    {"trees", NULL, change_trees, 15, 1},
    {"databases", NULL, change_databases, 300, 97},
    {"end", NULL, end_instance, 2, 1},
    {"recovery", leave_crash, recover, 5, 1},
};

/* What the next start finds. */
static void check_start(size_t which, unsigned behind)
{
    struct tree *tree = NULL;
    struct tree_report report;
    const page_number roots[] = {root, ROOT_PAGE_DATABASE};
    const unsigned after = ROWS - GONE + MORE;
    OK(crash_and_start());
    const unsigned rows = visible_rows();
    if (rows != ROWS && !(cases[which].run == change_rows && rows == after))
        fail_msg("%s, behind %u: %u rows", cases[which].name, behind, rows);
    if (committed)
        assert_int_equal(rows, after);
    for (size_t i = 0; i < 2; i++) {
        OK(tree_open(session->instance->trees, database, roots[i], &tree));
        if (btree_check_space(tree, &report) != JET_errSuccess)
            fail_msg("%s, behind %u: page %u: %s", cases[which].name, behind, report.where, report.problem);
        tree_close(tree);
    }
}

/* How many records were seen until the log was stopped, or all was over. */
static unsigned stop_behind(size_t which, unsigned behind, bool durable)
{
    struct ESENT_HOST_THREAD *thread;
    begin_case();
    if (cases[which].prepare != NULL)
        cases[which].prepare();
    memset(&stop, 0, sizeof stop);
    stop.behind = behind;
    stop.durable = durable;
    committed = false;
    OK(EsentHostThreadStart(stop_log, NULL, &thread));
    const JET_ERR err = cases[which].run();
    stop.over = true;
    EsentHostThreadJoin(thread);
    if (!stop.stopped)
        OK(err);
    else if (err != JET_errSuccess && err != JET_errLogWriteFail)
        fail_msg("%s, behind %u: %d", cases[which].name, behind, err);
    check_start(which, behind);
    return stop.seen;
}

static void the_log_stops(void **state)
{
    (void)state;
    for (size_t which = 0; which < sizeof cases / sizeof cases[0]; which++) {
        const unsigned count = stop_behind(which, UINT_MAX, false);
        assert_true(count >= cases[which].least);
        for (unsigned behind = 0; behind <= count;) {
            (void)stop_behind(which, behind, false);
            if (cases[which].run != change_rows)
                (void)stop_behind(which, behind, true);
            behind += behind < 10 || behind + 10 >= count ? 1 : cases[which].step;
        }
    }
}

static int tear_down(void **state)
{
    (void)state;
    EsentHostCrash();
    return EsentHostReset(NULL, 0) == 0 ? 0 : -1;
}

int main(void)
{
    memset(choices, 1, sizeof choices); /* the other one */
    simulation.choices = choices;
    simulation.choices_size = sizeof choices;
    const struct CMUnitTest tests[] = {cmocka_unit_test_teardown(the_log_stops, tear_down)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
