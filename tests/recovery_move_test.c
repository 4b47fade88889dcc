/* Redo of moved pages: another engine's log has them, so the record is appended by hand. The move is redone
 * from whatever mixture of old and new pages had reached the disk. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "include/esent.h"
#include "include/esent_host.h"
#include "src/btree/btree_check.h"
#include "src/btree/space.h"
#include "src/cache/cache.h"
#include "src/instance/instance.h"
#include "src/instance/session.h"
#include "src/page/node.h"
#include "src/version/versioned_cursor.h"

#define ROWS 120u

static JET_INSTANCE instance;
static JET_SESID handle;
static struct session *session;
static struct database *database;
static page_number root;
static uint32_t page_size;
static uint8_t row_data[1000]; /* of a row: its first bytes, as many as fit some 36 times into a page */

struct move {
    page_number source, target, parent, left, right;
    uint32_t line;
    uint64_t before, left_before, right_before, parent_before, after;
    object_id object;
};

static void start(void)
{
    JET_DBID id = JET_dbidNil;
    assert_int_equal(JetSetSystemParameterA(NULL, 0, JET_paramDatabasePageSize, page_size, NULL),
                     JET_errSuccess);
    assert_int_equal(JetCreateInstanceA(&instance, "i"), JET_errSuccess);
    assert_int_equal(JetInit(&instance), JET_errSuccess);
    assert_int_equal(JetBeginSessionA(instance, &handle, NULL, NULL), JET_errSuccess);
    assert_int_equal(session_enter(handle, &session), JET_errSuccess);
    session_leave(session);
    JET_ERR err = JetAttachDatabaseA(handle, "a.edb", 0);
    if (err == JET_errFileNotFound)
        assert_int_equal(JetCreateDatabaseA(handle, "a.edb", NULL, &id, 0), JET_errSuccess);
    else
        assert_int_equal(JetOpenDatabaseA(handle, "a.edb", NULL, &id, 0), JET_errSuccess);
    assert_int_equal(session_find_database(session, id, &database), JET_errSuccess);
}

static struct span row_key(unsigned number, char *buffer)
{
    (void)snprintf(buffer, 16, "row%05u", number);
    return span_of(buffer, strlen(buffer));
}

static void make_tree(void)
{
    struct tree_design design = {.parent = ROOT_PAGE_DATABASE, .pages = 1, .unique = true};
    struct versioned_cursor *cursor = NULL;
    object_id object = 0;
    memset(row_data, 'd', sizeof(row_data));
    assert_int_equal(transaction_begin(&session->transaction, false), JET_errSuccess);
    assert_int_equal(versioned_create_tree(&session->transaction, database, &design, &root, &object),
                     JET_errSuccess);
    assert_int_equal(versioned_cursor_open(&session->transaction, database, root, &cursor), JET_errSuccess);
    for (unsigned i = 0; i < ROWS; i++) {
        char buffer[16];
        assert_int_equal(
            versioned_cursor_insert(cursor, row_key(i, buffer), span_of(row_data, page_size / 40), 0),
            JET_errSuccess);
    }
    versioned_cursor_close(cursor);
    assert_int_equal(transaction_commit(&session->transaction, false), JET_errSuccess);
}

static uint64_t time_of(page_number page)
{
    struct latch latch = LATCH_INIT;
    if (page == PAGE_NUMBER_NULL)
        return ~UINT64_C(0);
    assert_int_equal(cache_latch(database, page, LATCH_SHARED, 0, &latch), JET_errSuccess);
    uint64_t time = page_header(&latch.page)->modified;
    cache_unlatch(&latch);
    return time;
}

/* The tree's second leaf is to go to a free page of the tree. */
static void plan_move(struct move *move)
{
    struct latch latch = LATCH_INIT;
    struct tree *tree = NULL;
    struct btree_actor actor = {.process = 1};
    move->parent = root;
    move->line = 1;
    assert_int_equal(cache_latch(database, root, LATCH_SHARED, 0, &latch), JET_errSuccess);
    assert_true(page_line_count(&latch.page) > 2);
    move->source = node_child(&latch.page, move->line);
    move->object = page_header(&latch.page)->tree;
    cache_unlatch(&latch);
    assert_int_equal(cache_latch(database, move->source, LATCH_SHARED, 0, &latch), JET_errSuccess);
    move->left = page_header(&latch.page)->previous;
    move->right = page_header(&latch.page)->next;
    cache_unlatch(&latch);
    assert_int_equal(tree_open(session->instance->trees, database, root, &tree), JET_errSuccess);
    assert_int_equal(space_get_page(tree, &actor, PAGE_NUMBER_NULL, &move->target), JET_errSuccess);
    tree_close(tree);
    move->before = time_of(move->source);
    move->left_before = time_of(move->left);
    move->right_before = time_of(move->right);
    move->parent_before = time_of(move->parent);
    move->after = database_next_dbtime(database);
}

/* The record has the source in two parts, between which there may be something that is zero. */
static struct log_position log_move(const struct move *move, uint16_t head, uint16_t tail)
{
    static uint8_t image[2 * 16384];
    struct latch latch = LATCH_INIT;
    struct log_position position;
    assert_int_equal(cache_latch(database, move->source, LATCH_SHARED, 0, &latch), JET_errSuccess);
    memcpy(image, latch.page.data, head < page_size ? head : page_size);
    if (tail < page_size)
        memcpy(image + head, latch.page.data + page_size - tail, tail);
    cache_unlatch(&latch);
    struct log_record_page_move record = {
        .page = {.type = LOG_RECORD_PAGE_MOVE,
                 .process_id = 1,
                 .database_id = (uint8_t)database->id,
                 .page = move->source,
                 .dbtime = move->after,
                 .dbtime_before = move->before},
        .destination_page = move->target,
        .left_page = move->left,
        .right_page = move->right,
        .parent_page = move->parent,
        .dbtime_left_before = move->left_before,
        .dbtime_right_before = move->right_before,
        .dbtime_parent_before = move->parent_before,
        .tree_page = root,
        .tree_object = move->object,
        .parent_line = (int32_t)move->line,
        .page_header_size = head,
        .page_trailer_size = tail,
    };
    const struct log_piece pieces[] = {{&record, sizeof(record)}, {image, (size_t)head + tail}};
    assert_int_equal(log_append(database->log, pieces, 2, 0, 0, &position), JET_errSuccess);
    assert_int_equal(log_flush(database->log, position), JET_errSuccess);
    return position;
}

/* As the engine that moves pages leaves the source, and writes it before the others. */
static void empty_source(const struct move *move, struct log_position position)
{
    struct latch latch = LATCH_INIT;
    assert_int_equal(cache_latch(database, move->source, LATCH_EXCLUSIVE, 0, &latch), JET_errSuccess);
    page_delete_lines(&latch.page, 0, page_line_count(&latch.page));
    page_set_external_header(&latch.page, NULL, 0);
    page_header(&latch.page)->flags |= PAGE_EMPTY;
    cache_set_dirty(&latch, move->after, position, position);
    cache_unlatch(&latch);
    assert_int_equal(cache_flush_page(database, move->source), JET_errSuccess);
}

static void check_moved(const struct move *move)
{
    struct latch latch = LATCH_INIT;
    struct tree *tree = NULL;
    struct tree_report report;
    struct versioned_cursor *cursor = NULL;
    assert_int_equal(cache_latch(database, move->source, LATCH_SHARED, 0, &latch), JET_errSuccess);
    assert_true(page_has_flag(&latch.page, PAGE_EMPTY));
    cache_unlatch(&latch);
    assert_int_equal(cache_latch(database, root, LATCH_SHARED, 0, &latch), JET_errSuccess);
    assert_int_equal(node_child(&latch.page, move->line), move->target);
    cache_unlatch(&latch);
    assert_int_equal(tree_open(session->instance->trees, database, root, &tree), JET_errSuccess);
    assert_int_equal(btree_check(tree, NULL, NULL, &report), JET_errSuccess);
    assert_int_equal(report.nodes, ROWS);
    tree_close(tree);
    assert_int_equal(versioned_cursor_open(&session->transaction, database, root, &cursor), JET_errSuccess);
    for (unsigned i = 0; i < ROWS; i++) {
        char buffer[16];
        struct node_view view;
        assert_int_equal(versioned_cursor_seek(cursor, row_key(i, buffer), VERSIONED_SEEK_EQ),
                         JET_errSuccess);
        assert_int_equal(versioned_cursor_copy(cursor, &view), JET_errSuccess);
        assert_int_equal(view.data.size, page_size / 40);
        assert_memory_equal(view.data.bytes, row_data, view.data.size);
    }
    versioned_cursor_close(cursor);
}

static void move_and_crash(bool source_written, uint32_t size)
{
    struct move move;
    page_size = size;
    start();
    make_tree();
    plan_move(&move);
    assert_int_equal(cache_flush_database(database), JET_errSuccess);
    struct log_position position = log_move(&move, 3000, (uint16_t)(page_size - 3000));
    if (source_written)
        empty_source(&move, position);
    EsentHostCrash();
    start();
    check_moved(&move);
    assert_int_equal(JetTerm2(instance, JET_bitTermComplete), JET_errSuccess);
}

static void test_nothing_written(void **state)
{
    (void)state;
    move_and_crash(false, 4096);
}

static void test_source_written_first(void **state)
{
    (void)state;
    move_and_crash(true, 4096);
}

/* Large pages have their number in them. */
static void test_large_pages(void **state)
{
    (void)state;
    move_and_crash(false, 16384);
}

static void test_large_source_written_first(void **state)
{
    (void)state;
    move_and_crash(true, 16384);
}

/* What is no page: longer than one, together or in its first part; without its header; without its lines. */
static void test_parts_that_are_no_page(void **state)
{
    static const uint16_t parts[][2] = {{4097, 0}, {3000, 1097}, {39, 4057}, {3000, 0}};
    (void)state;
    page_size = 4096;
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        struct move move;
        assert_int_equal(EsentHostReset(NULL, 0), 0);
        assert_int_equal(EsentHostUseMemoryFiles(), JET_errSuccess);
        start();
        make_tree();
        plan_move(&move);
        assert_int_equal(cache_flush_database(database), JET_errSuccess);
        empty_source(&move, log_move(&move, parts[i][0], parts[i][1]));
        EsentHostCrash();
        assert_int_equal(JetCreateInstanceA(&instance, "i"), JET_errSuccess);
        assert_int_equal(JetInit(&instance), JET_errLogCorrupted);
    }
}

static int set_up(void **state)
{
    const struct ESENT_HOST_SIMULATION simulation = {.seed = 1};
    (void)state;
    return EsentHostUseMemoryFiles() < 0 || EsentHostUseSimulation(&simulation) < 0 ? -1 : 0;
}

static int tear_down(void **state)
{
    (void)state;
    return EsentHostReset(NULL, 0) == 0 ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_nothing_written, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_source_written_first, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_large_pages, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_large_source_written_first, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_parts_that_are_no_page, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
