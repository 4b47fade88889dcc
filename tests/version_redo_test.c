/* Version entries rebuilt from log records, in the order and out of the order that logs have them; and
 * records that no log has, which are refused. */
#include "tests/version_world.h"

#include "src/btree/apply_node.h"

static struct transaction *one = &sessions[0];
static const struct log_position begun = {7, 3, 2};

static struct version_redo entry_of(enum version_operation operation, uint32_t id, const char *key)
{
    return (struct version_redo){.operation = operation,
                                 .database = database,
                                 .root = root,
                                 .object = 7,
                                 .unique = true,
                                 .entry_id = id,
                                 .bookmark = {text(key), text("data of no matter")},
                                 .before_known = true};
}

static struct version_entry *newest(void)
{
    return one->newest;
}

static void open_one(void)
{
    open_world(4096, true);
    assert_int_equal(version_redo_begin(one, 0, 1, 500, begun), JET_errSuccess);
}

static void levels_go_as_the_log_says(void **state)
{
    (void)state;
    open_world(4096, true);
    static const struct {
        unsigned from;
        unsigned levels;
        JET_ERR err;
        unsigned level; /* afterwards */
    } begins[] = {
        {1, 1, JET_errLogCorrupted, 0}, {0, 0, JET_errLogCorrupted, 0}, {0, 11, JET_errLogCorrupted, 0},
        {0, 2, JET_errSuccess, 2},      {0, 1, JET_errLogCorrupted, 2}, {2, 9, JET_errLogCorrupted, 2},
        {2, 1, JET_errSuccess, 3},
    };
    for (size_t i = 0; i < sizeof begins / sizeof begins[0]; i++) {
        assert_int_equal(version_redo_begin(one, begins[i].from, begins[i].levels, 500, begun),
                         begins[i].err);
        assert_int_equal(transaction_level(one), begins[i].level);
    }
    assert_int_equal(one->actor.begin0, 500);
    assert_int_equal(one->first_record.byte, begun.byte);
    struct version_redo entry = entry_of(VERSION_INSERT, 10, "a");
    assert_int_equal(version_redo_entry(one, &entry), JET_errSuccess);
    assert_int_equal(newest()->level, 3);
    assert_int_equal(version_redo_commit(one, 3, 0), JET_errLogCorrupted);
    assert_int_equal(version_redo_commit(one, 2, 0), JET_errSuccess);
    assert_int_equal(newest()->level, 2);
    assert_int_equal(version_redo_rollback(one, 0), JET_errLogCorrupted);
    assert_int_equal(version_redo_rollback(one, 3), JET_errLogCorrupted);
    assert_int_equal(version_redo_rollback(one, 1), JET_errSuccess);
    assert_null(newest());
    assert_int_equal(version_redo_commit(one, 0, 600), JET_errSuccess);
    assert_int_equal(transaction_level(one), 0);
    assert_int_equal(version_redo_rollback(one, 1), JET_errLogCorrupted);
    assert_int_equal(version_redo_begin(one, 0, 1, 700, begun), JET_errSuccess);
    assert_int_equal(version_redo_rollback(one, 1), JET_errSuccess);
    assert_int_equal(transaction_level(one), 0);
    close_world();
}

static void an_entry_may_want_memory(void **state)
{
    (void)state;
    open_world(4096, true);
    JET_ERR err = JET_errOutOfMemory;
    for (uint64_t nth = 1; err != JET_errSuccess; nth++) {
        struct version_redo entry = entry_of(VERSION_REPLACE, 10, "a");
        entry.before = text("before");
        if (transaction_level(one) == 0)
            assert_int_equal(version_redo_begin(one, 0, 1, 500, begun), JET_errSuccess);
        EsentHostFailNth(ESENT_HOST_FAULT_ALLOCATE, nth, 1);
        err = version_redo_entry(one, &entry);
        EsentHostFailNone();
        assert_true(err == JET_errSuccess || err == JET_errOutOfMemory);
        assert_int_equal(newest() != NULL, err == JET_errSuccess);
        assert_true(nth < 20);
    }
    assert_int_equal(version_redo_rollback(one, 1), JET_errSuccess);
    close_world();
}

/* Without a transaction there is nothing to undo. */
static void records_outside_of_transactions_are_passed_over(void **state)
{
    (void)state;
    open_world(4096, true);
    struct version_redo entry = entry_of(VERSION_INSERT, 10, "a");
    assert_int_equal(version_redo_entry(one, &entry), JET_errSuccess);
    assert_int_equal(version_redo_undo_info(one, &entry), JET_errSuccess);
    version_redo_undone(one, 10, &entry);
    assert_null(newest());
    close_world();
}

/* The before-image comes with the record, with a record behind it, or before it. */
static void before_images_come_early_and_late(void **state)
{
    (void)state;
    open_one();
    struct version_redo entry = entry_of(VERSION_REPLACE, 10, "a");
    entry.before = text("with it");
    assert_int_equal(version_redo_entry(one, &entry), JET_errSuccess);
    assert_true(newest()->before_known);
    entry.before = text("another");
    assert_int_equal(version_redo_undo_info(one, &entry), JET_errSuccess); /* known already */
    assert_int_equal(newest()->before_size, 7);
    assert_memory_equal(newest()->before, "with it", 7);

    entry = entry_of(VERSION_REPLACE, 11, "b");
    entry.before_known = false;
    assert_int_equal(version_redo_entry(one, &entry), JET_errSuccess);
    assert_false(newest()->before_known);
    assert_int_equal(version_redo_entry(one, &entry), JET_errSuccess); /* the same record again */
    assert_false(newest()->before_known);
    EsentHostFailNth(ESENT_HOST_FAULT_ALLOCATE, 1, 1);
    entry.before = text("behind it");
    assert_int_equal(version_redo_undo_info(one, &entry), JET_errOutOfMemory);
    EsentHostFailNone();
    assert_int_equal(version_redo_undo_info(one, &entry), JET_errSuccess);
    assert_true(newest()->before_known);
    assert_memory_equal(newest()->before, "behind it", 9);

    entry = entry_of(VERSION_REPLACE, 12, "c");
    entry.before = text("before it");
    assert_int_equal(version_redo_undo_info(one, &entry), JET_errSuccess);
    struct version_entry *made = newest();
    entry.before_known = false;
    assert_int_equal(version_redo_entry(one, &entry), JET_errSuccess);
    assert_ptr_equal(newest(), made);
    assert_true(made->before_known);

    entry = entry_of(VERSION_INSERT, 13, "d"); /* an insert has none */
    entry.before_known = false;
    assert_int_equal(version_redo_entry(one, &entry), JET_errSuccess);
    assert_true(newest()->before_known);
    entry.before_known = true;
    assert_int_equal(version_redo_entry(one, &entry), JET_errSuccess);
    version_redo_undone(one, 11, &entry); /* in the middle of the list */
    version_redo_undone(one, 99, &entry); /* unknown */
    assert_int_equal(newest()->id, 13);
    assert_int_equal(newest()->older->id, 12);
    assert_int_equal(newest()->older->older->id, 10);
    assert_int_equal(version_redo_rollback(one, 1), JET_errSuccess);
    close_world();
}

/* ---- undo records */

static uint8_t bytes[4096];
static struct page page = {bytes, sizeof bytes, 9};

static void node_with(const char *data)
{
    page_format(&page, 7, PAGE_LEAF, 1);
    apply_insert(&page, 0, text("a"), 0, text(data), true);
}

static void undo_records_are_applied_or_refused(void **state)
{
    (void)state;
    static const struct {
        enum version_operation entry;
        enum version_operation record;
        bool before_known;
        uint32_t line;
        uint16_t offset;
        JET_ERR err;
        const char *data; /* afterwards; NULL: deleted */
    } rows[] = {
        {VERSION_INSERT, VERSION_INSERT, true, 0, 0, JET_errSuccess, NULL},
        {VERSION_INSERT, VERSION_INSERT, true, 1, 0, JET_errLogCorrupted, "12345678"},
        {VERSION_INSERT, VERSION_REPLACE, true, 0, 0, JET_errLogCorrupted, "12345678"},
        {VERSION_FLAG_DELETE, VERSION_FLAG_DELETE, true, 0, 0, JET_errSuccess, "12345678"},
        {VERSION_REPLACE, VERSION_REPLACE, true, 0, 0, JET_errSuccess, "before"},
        {VERSION_REPLACE, VERSION_REPLACE, false, 0, 0, JET_errLogCorrupted, "12345678"},
        {VERSION_DELTA, VERSION_DELTA, true, 0, 4, JET_errSuccess, "12344678"},
        {VERSION_DELTA, VERSION_DELTA, true, 0, 5, JET_errLogCorrupted, "12345678"},
        {VERSION_DELTA64, VERSION_DELTA64, true, 0, 0, JET_errSuccess, "02345678"},
        {VERSION_DELTA64, VERSION_DELTA64, true, 0, 1, JET_errLogCorrupted, "12345678"},
        {VERSION_READ_LOCK, VERSION_READ_LOCK, true, 0, 0, JET_errLogCorrupted, "12345678"},
    };
    open_one();
    for (uint32_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct version_redo entry = entry_of(rows[i].entry, 10 + i, "a");
        entry.before_known = rows[i].before_known;
        entry.before =
            rows[i].entry == VERSION_REPLACE && rows[i].before_known ? text("before") : span_of(NULL, 0);
        entry.offset = rows[i].offset;
        entry.delta = 1;
        assert_int_equal(version_redo_entry(one, &entry), JET_errSuccess);
        node_with("12345678");
        if (rows[i].entry == VERSION_FLAG_DELETE)
            apply_flag_delete(&page, 0, true);
        struct version_redo what = {.operation = rows[i].record, .entry_id = 10 + i};
        JET_ERR err = version_redo_undo_page(one, &what, &page, rows[i].line);
        struct node node = node_get(&page, 0);
        bool deleted = (node.flags & NODE_DELETED) != 0;
        if (err != rows[i].err || deleted != (rows[i].data == NULL) ||
            (!deleted && (node.data.size != strlen(rows[i].data) ||
                          memcmp(node.data.bytes, rows[i].data, node.data.size) != 0)))
            fail_msg("row %u: %d, \"%.*s\"", i, err, (int)node.data.size, (const char *)node.data.bytes);
        version_redo_undone(one, 10 + i, &what);
    }
    struct version_redo unknown = {.operation = VERSION_INSERT, .entry_id = 99};
    assert_int_equal(version_redo_undo_page(one, &unknown, &page, 0), JET_errLogCorrupted);
    /* a before-image that does not fit the page */
    struct version_redo entry = entry_of(VERSION_REPLACE, 90, "a");
    static const uint8_t large[5000];
    entry.before = span_of(large, sizeof large);
    assert_int_equal(version_redo_entry(one, &entry), JET_errSuccess);
    node_with("12345678");
    unknown = (struct version_redo){.operation = VERSION_REPLACE, .entry_id = 90};
    assert_int_equal(version_redo_undo_page(one, &unknown, &page, 0), JET_errLogCorrupted);
    assert_int_equal(version_redo_rollback(one, 1), JET_errSuccess);
    close_world();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(levels_go_as_the_log_says, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_entry_may_want_memory, set_up, tear_down),
        cmocka_unit_test_setup_teardown(records_outside_of_transactions_are_passed_over, set_up, tear_down),
        cmocka_unit_test_setup_teardown(before_images_come_early_and_late, set_up, tear_down),
        cmocka_unit_test_setup_teardown(undo_records_are_applied_or_refused, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
