/* A database with one tree of several leaves, whose log gets records by hand: they are redone after a crash.
 * Files in memory, simulated time. */
#ifndef OPENESENT_TESTS_RECOVERY_WORLD_H
#define OPENESENT_TESTS_RECOVERY_WORLD_H

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
#include "src/log/log.h"
#include "src/log/records.h"
#include "src/page/node.h"
#include "src/version/versioned_cursor.h"

#define ROWS 400u
#define PROCESS 9u /* a session that nobody has while the records are written */
#define OK(call) assert_int_equal((call), JET_errSuccess)
#define IS(call, code) assert_int_equal((call), (code))

static JET_INSTANCE instance;
static JET_SESID handle;
static struct session *session;
static struct database *database;
static page_number root;
static object_id object;
static JET_GRBIT init_grbit; /* of the start after the crash */
static struct log_position appended;
static uint16_t process = PROCESS; /* of the records to come */
static struct ESENT_HOST_SIMULATION simulation = {.seed = 1};

static inline void open_database(bool create)
{
    JET_DBID id = JET_dbidNil;
    OK(JetBeginSessionA(instance, &handle, NULL, NULL));
    OK(session_enter(handle, &session));
    session_leave(session);
    if (create) {
        OK(JetCreateDatabaseA(handle, "a.edb", NULL, &id, 0));
    } else {
        assert_true(JetAttachDatabaseA(handle, "a.edb", 0) >= JET_errSuccess);
        OK(JetOpenDatabaseA(handle, "a.edb", NULL, &id, 0));
    }
    OK(session_find_database(session, id, &database));
}

static inline JET_ERR make_instance(void)
{
    OK(JetSetSystemParameterA(NULL, 0, JET_paramDatabasePageSize, 4096, NULL));
    return JetCreateInstanceA(&instance, "i");
}

static inline JET_ERR init_instance(void)
{
    const JET_ERR err = make_instance();
    return err < JET_errSuccess ? err : JetInit3A(&instance, NULL, init_grbit);
}

static inline struct span row_key(unsigned number, char *buffer)
{
    (void)snprintf(buffer, 16, "row%05u", number);
    return span_of(buffer, strlen(buffer));
}

/* Rows of 60 bytes on leaves with room: they were longer at first. */
static inline void make_tree(void)
{
    struct tree_design design = {.parent = ROOT_PAGE_DATABASE, .pages = 1, .unique = true};
    struct versioned_cursor *cursor = NULL;
    char data[150];
    char buffer[16];
    memset(data, 'd', sizeof(data));
    OK(transaction_begin(&session->transaction, false));
    OK(versioned_create_tree(&session->transaction, database, &design, &root, &object));
    OK(versioned_cursor_open(&session->transaction, database, root, &cursor));
    for (unsigned i = 0; i < ROWS; i++)
        OK(versioned_cursor_insert(cursor, row_key(i, buffer), span_of(data, sizeof(data)), 0));
    OK(transaction_commit(&session->transaction, false));
    OK(transaction_begin(&session->transaction, false));
    for (unsigned i = 0; i < ROWS; i++) {
        OK(versioned_cursor_seek(cursor, row_key(i, buffer), VERSIONED_SEEK_EQ));
        OK(versioned_cursor_replace(cursor, span_of(data, 60)));
    }
    versioned_cursor_close(cursor);
    OK(transaction_commit(&session->transaction, false));
}

/* Makes the world once; afterwards goes back to it. */
static inline void begin_case(void)
{
    static bool made;
    init_grbit = 0;
    if (!made) {
        (void)EsentHostReset(NULL, 0);
        OK(EsentHostUseMemoryFiles());
        OK(EsentHostUseSimulation(&simulation));
        OK(init_instance());
        open_database(true);
        make_tree();
        OK(JetTerm2(instance, JET_bitTermComplete));
        OK(EsentHostFileCopy("a.edb", "/old.edb")); /* clean, attached by nobody */
        OK(EsentHostFilesSave(1));
        made = true;
    } else {
        EsentHostCrash();
        OK(EsentHostFilesRestore(1));
        OK(EsentHostUseSimulation(&simulation));
    }
    OK(init_instance());
    open_database(false);
}

static inline uint64_t time_of(page_number page)
{
    struct latch latch = LATCH_INIT;
    if (page == PAGE_NUMBER_NULL)
        return ~UINT64_C(0);
    OK(cache_latch(database, page, LATCH_SHARED, 0, &latch));
    uint64_t time = page_header(&latch.page)->modified;
    cache_unlatch(&latch);
    return time;
}

static inline void append_two(const void *record, size_t size, const void *more, size_t more_size)
{
    const struct log_piece pieces[] = {{record, size}, {more, more_size}};
    OK(log_append(database->log, pieces, more_size > 0 ? 2 : 1, 0, 0, &appended));
    OK(log_flush(database->log, appended));
}

static inline void append(const void *record, size_t size)
{
    append_two(record, size, NULL, 0);
}

/* The first part of a record that changes `page` now. */
static inline struct log_record_page page_part(uint8_t type, page_number page, uint16_t line)
{
    return (struct log_record_page){
        .type = type,
        .process_id = process,
        .database_id = (uint8_t)database->id,
        .page = page,
        .dbtime = database_next_dbtime(database),
        .dbtime_before = time_of(page),
        .line = line,
        .flags = LOG_PAGE_UNIQUE,
    };
}

static inline struct log_record_node node_part(uint8_t type, page_number page, uint16_t line)
{
    return (struct log_record_node){
        .page = page_part(type, page, line), .tree_page = root, .tree_object = object};
}

/* The process dies; what the next start answers. */
static inline JET_ERR crash_and_start(void)
{
    EsentHostCrash();
    const JET_ERR err = init_instance();
    if (err >= JET_errSuccess)
        open_database(false);
    return err;
}

static inline page_number child(uint32_t line)
{
    struct latch latch = LATCH_INIT;
    OK(cache_latch(database, root, LATCH_SHARED, 0, &latch));
    assert_true(line < page_line_count(&latch.page));
    const page_number number = node_child(&latch.page, line);
    cache_unlatch(&latch);
    return number;
}

static inline uint32_t lines_of(page_number page)
{
    struct latch latch = LATCH_INIT;
    OK(cache_latch(database, page, LATCH_SHARED, 0, &latch));
    const uint32_t count = page_line_count(&latch.page);
    cache_unlatch(&latch);
    return count;
}

/* Key and data of a line, as text. */
static inline void line_text(page_number page, uint32_t line, char *key, char *data)
{
    struct latch latch = LATCH_INIT;
    OK(cache_latch(database, page, LATCH_SHARED, 0, &latch));
    assert_true(line < page_line_count(&latch.page));
    struct node node = node_get(&latch.page, line);
    key[key_copy(&node.key, 0, key, 99)] = 0;
    if (data != NULL) {
        memcpy(data, node.data.bytes, node.data.size);
        data[node.data.size] = 0;
    }
    cache_unlatch(&latch);
}

/* The tree is sound and has so many nodes. */
static inline void check_tree(uint64_t nodes)
{
    struct tree *tree = NULL;
    struct tree_report report;
    OK(tree_open(session->instance->trees, database, root, &tree));
    OK(btree_check(tree, NULL, NULL, &report));
    assert_int_equal(report.nodes, nodes);
    tree_close(tree);
}

/* How many rows a cursor meets: what is marked as deleted does not count. */
static inline unsigned visible_rows(void)
{
    struct versioned_cursor *cursor = NULL;
    unsigned count = 0;
    OK(versioned_cursor_open(&session->transaction, database, root, &cursor));
    for (JET_ERR err = versioned_cursor_first(cursor); err >= JET_errSuccess;
         err = versioned_cursor_next(cursor))
        count++;
    versioned_cursor_close(cursor);
    return count;
}

/* All rows can be found. */
static inline void check_rows(void)
{
    struct versioned_cursor *cursor = NULL;
    check_tree(ROWS);
    OK(versioned_cursor_open(&session->transaction, database, root, &cursor));
    for (unsigned i = 0; i < ROWS; i++) {
        char buffer[16];
        OK(versioned_cursor_seek(cursor, row_key(i, buffer), VERSIONED_SEEK_EQ));
    }
    versioned_cursor_close(cursor);
}

#endif
