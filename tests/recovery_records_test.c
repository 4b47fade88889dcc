/* Redo of single records, written by hand: what each does to its page, what it does if the page is newer,
 * older or not there, and what records that make no sense are answered with. */
#include "tests/recovery_world.h"

/* --- records that need no page --- */

/* A record of any type, all zero but for the type (and the database). */
static void append_zeroes(uint8_t type)
{
    uint8_t bytes[2048] = {type};
    const size_t size = log_record_fixed_size(type);
    assert_true(size > 0 && size <= sizeof bytes);
    append(bytes, size);
}

static void kinds_of_records(void **state)
{
    (void)state;
    static const struct {
        uint8_t type;
        JET_ERR answer;
    } cases[] = {
        {LOG_RECORD_SPLIT, JET_errBadLogVersion},
        {LOG_RECORD_MERGE, JET_errBadLogVersion},
        {LOG_RECORD_CONVERT_FDP_OBSOLETE, JET_errBadLogVersion},
        {LOG_RECORD_ROOT_PAGE_MOVE, JET_errBadLogVersion},
        {LOG_RECORD_END, JET_errLogCorrupted},
        {LOG_RECORD_PREPARE_COMMIT, JET_errLogCorrupted},
        {LOG_RECORD_PREPARE_ROLLBACK, JET_errLogCorrupted},
        {LOG_RECORD_FULL_BACKUP, JET_errSuccess},
        {LOG_RECORD_INCREMENTAL_BACKUP, JET_errSuccess},
        {LOG_RECORD_BACKUP_OBSOLETE, JET_errSuccess},
        {LOG_RECORD_JET_OPERATION, JET_errSuccess},
        {LOG_RECORD_FORCE_WRITE, JET_errSuccess},
        {LOG_RECORD_TRACE, JET_errSuccess},
        {LOG_RECORD_SCAN_CHECK, JET_errSuccess},
        {LOG_RECORD_SCAN_CHECK2, JET_errSuccess},
        {LOG_RECORD_REATTACH, JET_errSuccess},
        {LOG_RECORD_COMMIT_CONTEXT, JET_errSuccess},
        {LOG_RECORD_TRIM_DATABASE, JET_errSuccess},
        {LOG_RECORD_SIGNAL_ATTACH_DATABASE, JET_errSuccess},
        {LOG_RECORD_EXTENT_FREED, JET_errSuccess},
        {LOG_RECORD_EXTENT_FREED2, JET_errSuccess},
        {LOG_RECORD_FREE_FDP, JET_errSuccess},
        {LOG_RECORD_MACRO_ABORT, JET_errSuccess},
        {LOG_RECORD_MACRO_COMMIT, JET_errSuccess},
        {LOG_RECORD_SPLIT2, JET_errLogCorrupted}, /* outside of a macro */
        {LOG_RECORD_MERGE2, JET_errLogCorrupted},
        {LOG_RECORD_SET_DATABASE_VERSION, JET_errSuccess}, /* of a database that is not there */
        {LOG_RECORD_SHRINK_DATABASE, JET_errSuccess},
        {LOG_RECORD_SHRINK_DATABASE2, JET_errSuccess},
        {LOG_RECORD_SHRINK_DATABASE3, JET_errSuccess},
        {LOG_RECORD_NEW_PAGE, JET_errSuccess},
        {LOG_RECORD_SCRUB, JET_errSuccess},
        {LOG_RECORD_EXTEND_DATABASE, JET_errLogCorrupted}, /* its size says it has no content */
        {LOG_RECORD_CREATE_DATABASE, JET_errLogCorrupted}, /* no id */
        {LOG_RECORD_ATTACH_DATABASE, JET_errLogCorrupted},
        {LOG_RECORD_DETACH_DATABASE, JET_errSuccess},
        {LOG_RECORD_CREATE_DATABASE_FINISH, JET_errSuccess},
        {LOG_RECORD_PAGE_MOVE, JET_errSuccess},
        {LOG_RECORD_CREATE_MULTIPLE_EXTENT_FDP, JET_errSuccess},
        {LOG_RECORD_CREATE_SINGLE_EXTENT_FDP, JET_errSuccess},
        {LOG_RECORD_CONVERT_FDP, JET_errSuccess},
        {LOG_RECORD_INSERT, JET_errSuccess},
        {LOG_RECORD_UNDO_INFO, JET_errSuccess},
        {LOG_RECORD_INIT, JET_errSuccess},
        {LOG_RECORD_TERM, JET_errSuccess},
        {LOG_RECORD_RECOVERY_UNDO, JET_errSuccess},
        {LOG_RECORD_RECOVERY_QUIT, JET_errSuccess},
        {LOG_RECORD_RECOVERY_QUIT2, JET_errSuccess},
        {LOG_RECORD_RECOVERY_QUIT_KEEP_ATTACHMENTS, JET_errSuccess},
        {LOG_RECORD_FORCE_ROLLOVER, JET_errSuccess},
        {LOG_RECORD_BEGIN, JET_errLogCorrupted}, /* of no level */
        {LOG_RECORD_COMMIT, JET_errSuccess},
        {LOG_RECORD_ROLLBACK, JET_errSuccess},
        {LOG_RECORD_REFRESH, JET_errSuccess},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        begin_case();
        append_zeroes(cases[i].type);
        if (cases[i].type == LOG_RECORD_TERM)
            append_zeroes(cases[i].type); /* it has ended already */
        const JET_ERR err = crash_and_start();
        if (err != cases[i].answer)
            print_message("%s: %d\n", log_record_name(cases[i].type), (int)err);
        assert_int_equal(err, cases[i].answer);
        if (err >= 0)
            check_rows();
    }
}

/* --- changes of nodes --- */

static page_number leaf; /* of the page that is changed, and what it was before */
static uint32_t leaf_lines;
static char leaf_key[100], leaf_data[100];

static void begin_leaf_case(void)
{
    begin_case();
    leaf = child(3);
    leaf_lines = lines_of(leaf);
    assert_true(leaf_lines > 5);
    line_text(leaf, 2, leaf_key, leaf_data);
}

/* A record with its bytes behind it. */
struct made {
    const void *bytes;
    size_t size;
    union {
        struct log_record_page page;
        struct log_record_node node;
        struct log_record_insert insert;
        struct log_record_flag_insert flag_insert;
        struct log_record_flag_insert_and_replace_data both;
        struct log_record_replace replace;
        struct log_record_delta delta;
        struct log_record_delta64 delta64;
        struct log_record_set_external_header header;
        struct log_record_undo undo;
        struct log_record_undo_info undo_info;
        struct log_record_empty_tree empty;
    };
};

static struct made made_node(uint8_t type, page_number page, uint32_t line, const void *bytes, size_t size)
{
    struct made made;
    memset(&made, 0, sizeof made);
    made.node = node_part(type, page, (uint16_t)line);
    made.bytes = bytes;
    made.size = size;
    return made;
}

static void append_made(const struct made *made)
{
    append_two(&made->page, log_record_fixed_size(made->page.type), made->bytes, made->size);
}

/* A new row in front of line 3. */
static struct made new_row(void)
{
    static char bytes[100];
    struct made made = made_node(LOG_RECORD_INSERT, leaf, 3, NULL, 0);
    (void)snprintf(bytes, sizeof bytes, "%s+new data", leaf_key);
    made.insert.suffix_size = (uint16_t)(strlen(leaf_key) + 1);
    made.insert.data_size = 8;
    made.bytes = bytes;
    made.size = strlen(bytes);
    return made;
}

static void expect_new_row(void)
{
    char key[100], data[100];
    check_tree(ROWS + 1);
    line_text(leaf, 3, key, data);
    assert_memory_equal(key, leaf_key, strlen(leaf_key));
    assert_string_equal(key + strlen(leaf_key), "+");
    assert_string_equal(data, "new data");
}

static void an_insert(void **state)
{
    (void)state;
    begin_leaf_case();
    struct made made = new_row();
    append_made(&made);
    OK(crash_and_start());
    expect_new_row();
    assert_int_equal(time_of(leaf), made.page.dbtime);
}

/* What the times of page and record say. */
static void an_insert_at_other_times(void **state)
{
    (void)state;
    static const struct {
        int64_t before, after; /* relative to the page's time */
        JET_ERR answer;
    } cases[] = {
        {0, 0, JET_errSuccess},            /* the page has the change */
        {-5, -1, JET_errSuccess},          /* and later ones */
        {1, 100000, JET_errDbTimeTooOld},  /* the page lacks a change before */
        {-1, 100000, JET_errDbTimeTooNew}, /* the page has one that the log does not know */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        begin_leaf_case();
        struct made made = new_row();
        const uint64_t time = time_of(leaf);
        made.page.dbtime = time + (uint64_t)cases[i].after;
        made.page.dbtime_before = time + (uint64_t)cases[i].before;
        append_made(&made);
        IS(crash_and_start(), cases[i].answer);
        if (cases[i].answer >= JET_errSuccess)
            check_rows();
    }
}

static void an_insert_in_no_page(void **state)
{
    (void)state;
    struct ESENT_HOST_FILE_INFO info;
    static const struct {
        page_number page;
        JET_ERR answer;
    } cases[] = {
        {PAGE_NUMBER_NULL, JET_errLogCorrupted},
        {1000000, JET_errRecoveryVerifyFailure},
        {0x7fffffff, JET_errRecoveryVerifyFailure},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        begin_leaf_case();
        struct made made = new_row();
        made.page.page = cases[i].page;
        append_made(&made);
        IS(crash_and_start(), cases[i].answer);
    }
    /* A page never written. */
    begin_leaf_case();
    struct made made = new_row();
    OK(EsentHostFileInfo("a.edb", &info));
    made.page.page = (page_number)(info.size / 4096 - 2);
    append_made(&made);
    IS(crash_and_start(), JET_errRecoveryVerifyFailure);
    /* A database that the log does not know. */
    for (uint32_t id = 0; id < 10; id += 3) {
        begin_leaf_case();
        if (id == database->id)
            continue;
        made = new_row();
        made.page.database_id = (uint8_t)id;
        append_made(&made);
        OK(crash_and_start());
        check_rows();
    }
}

/* Records whose change does not fit the page. */
static void changes_that_do_not_fit(void **state)
{
    (void)state;
    static uint8_t many[4000];
    struct made made;
    for (int i = 0; i < 13; i++) {
        begin_leaf_case();
        made = new_row();
        switch (i) {
        case 0:
            made.page.line = (uint16_t)(leaf_lines + 1);
            break;
        case 1: /* more than the page holds */
            made.insert.data_size = sizeof many;
            made.insert.suffix_size = 0;
            made.bytes = many;
            made.size = sizeof many;
            break;
        case 2: /* a prefix that the page does not have */
            made.insert.suffix_size = 0;
            made.insert.prefix_size = (uint16_t)(made.size - 8);
            break;
        case 3:
            made = made_node(LOG_RECORD_FLAG_DELETE, leaf, leaf_lines, NULL, 0);
            break;
        case 4:
            made = made_node(LOG_RECORD_DELETE, leaf, leaf_lines, NULL, 0);
            break;
        case 5:
            made = made_node(LOG_RECORD_FLAG_INSERT, leaf, leaf_lines, NULL, 0);
            break;
        case 6: /* sizes that do not agree */
            made = made_node(LOG_RECORD_REPLACE, leaf, 2, many, 10);
            made.replace.size = 10;
            made.replace.new_size = 11;
            break;
        case 7:
            made = made_node(LOG_RECORD_REPLACE_DIFFERENCE, leaf, 2, many, 3);
            made.replace.size = 3;
            made.replace.new_size = 10;
            break;
        case 11:
            made = made_node(LOG_RECORD_FLAG_INSERT_AND_REPLACE_DATA, leaf, 2, many, 3900);
            made.both.data_size = 3900;
            break;
        case 12:
            made = made_node(LOG_RECORD_REPLACE, leaf, 2, many, 3900);
            made.replace.size = made.replace.new_size = 3900;
            break;
        case 8: /* a counter behind the node's data */
            made = made_node(LOG_RECORD_DELTA, leaf, 2, NULL, 0);
            made.delta.offset = 57;
            break;
        case 9:
            made = made_node(LOG_RECORD_SET_EXTERNAL_HEADER, leaf, 0, many, 3900);
            made.header.data_size = 3900;
            break;
        default:
            made = made_node(LOG_RECORD_FLAG_INSERT_AND_REPLACE_DATA, leaf, leaf_lines, NULL, 0);
            break;
        }
        append_made(&made);
        const JET_ERR err = crash_and_start();
        if (err != JET_errLogCorrupted)
            print_message("case %d: %d\n", i, (int)err);
        assert_int_equal(err, JET_errLogCorrupted);
    }
}

/* --- deletes, replaces, counters --- */

static void a_delete(void **state)
{
    (void)state;
    char key[100];
    begin_leaf_case();
    struct made made = made_node(LOG_RECORD_DELETE, leaf, 2, NULL, 0);
    append_made(&made);
    OK(crash_and_start());
    check_tree(ROWS - 1);
    assert_int_equal(lines_of(leaf), leaf_lines - 1);
    line_text(leaf, 2, key, NULL);
    assert_true(strcmp(key, leaf_key) > 0);
}

static void a_flag_delete_and_insert(void **state)
{
    (void)state;
    char key[100], data[100];
    static char bytes[150];
    begin_leaf_case();
    struct made made = made_node(LOG_RECORD_FLAG_DELETE, leaf, 2, NULL, 0);
    append_made(&made);
    OK(crash_and_start());
    struct latch latch = LATCH_INIT;
    OK(cache_latch(database, leaf, LATCH_SHARED, 0, &latch));
    assert_true((node_get(&latch.page, 2).flags & NODE_DELETED) != 0);
    cache_unlatch(&latch);
    /* It comes back with other data. */
    made = made_node(LOG_RECORD_FLAG_INSERT_AND_REPLACE_DATA, leaf, 2, NULL, 0);
    (void)snprintf(bytes, sizeof bytes, "%snew data", leaf_key);
    made.both.key_size = (uint16_t)strlen(leaf_key);
    made.both.data_size = 8;
    made.bytes = bytes;
    made.size = strlen(bytes);
    append_made(&made);
    OK(crash_and_start());
    check_rows();
    line_text(leaf, 2, key, data);
    assert_string_equal(key, leaf_key);
    assert_string_equal(data, "new data");
}

static void replaces(void **state)
{
    (void)state;
    char key[100], data[100];
    begin_leaf_case();
    struct made made = made_node(LOG_RECORD_REPLACE, leaf, 2, "other data", 10);
    made.replace.size = made.replace.new_size = 10;
    made.replace.old_size = 60;
    append_made(&made);
    OK(crash_and_start());
    line_text(leaf, 2, key, data);
    assert_string_equal(key, leaf_key);
    assert_string_equal(data, "other data");
    check_rows();
    /* A page that is newer keeps what it has. */
    made.page.dbtime = time_of(leaf);
    append_made(&made);
    made.bytes = "wrong data";
    OK(crash_and_start());
    line_text(leaf, 2, key, data);
    assert_string_equal(data, "other data");
}

static void counters(void **state)
{
    (void)state;
    char key[100], data[100];
    uint64_t value;
    for (int wide = 0; wide < 2; wide++) {
        begin_leaf_case();
        struct made made = made_node(wide ? LOG_RECORD_DELTA64 : LOG_RECORD_DELTA, leaf, 2, NULL, 0);
        if (wide) {
            made.delta64.delta = INT64_C(0x100000001);
            made.delta64.offset = 8;
        } else {
            made.delta.delta = -2;
            made.delta.offset = 8;
        }
        append_made(&made);
        OK(crash_and_start());
        line_text(leaf, 2, key, data);
        memcpy(&value, data + 8, 8);
        assert_true(value == (wide ? UINT64_C(0x6464646564646465) : UINT64_C(0x6464646464646462)));
        assert_memory_equal(data, "dddddddd", 8);
        assert_int_equal(data[16], 'd');
    }
}

static void the_external_header(void **state)
{
    (void)state;
    begin_leaf_case();
    struct made made = made_node(LOG_RECORD_SET_EXTERNAL_HEADER, root, 0, NULL, 0);
    struct latch latch = LATCH_INIT;
    static uint8_t bytes[100];
    OK(cache_latch(database, root, LATCH_SHARED, 0, &latch));
    struct line line = page_external_header(&latch.page);
    memcpy(bytes, line.data, line.size);
    made.size = made.header.data_size = (uint16_t)line.size;
    cache_unlatch(&latch);
    made.bytes = bytes;
    bytes[0] ^= 1; /* the number of pages it says it was made with */
    append_made(&made);
    OK(crash_and_start());
    OK(cache_latch(database, root, LATCH_SHARED, 0, &latch));
    line = page_external_header(&latch.page);
    assert_int_equal(line.size, made.size);
    assert_memory_equal(line.data, bytes, line.size);
    cache_unlatch(&latch);
}

static void a_tree_is_emptied(void **state)
{
    (void)state;
    struct log_empty_page list[3];
    for (int newer = 0; newer < 2; newer++) {
        begin_leaf_case();
        struct made made = made_node(LOG_RECORD_EMPTY_TREE, root, 0, list, sizeof list);
        made.empty.list_size = sizeof list;
        for (uint32_t i = 0; i < 3; i++)
            list[i] = (struct log_empty_page){.page = child(i), .dbtime_before = time_of(child(i))};
        if (newer)
            made.page.dbtime = made.page.dbtime_before;
        append_made(&made);
        OK(crash_and_start());
        if (newer) {
            check_rows();
            continue;
        }
        assert_int_equal(lines_of(root), 0);
        for (int i = 0; i < 3; i++) {
            struct latch latch = LATCH_INIT;
            OK(cache_latch(database, list[i].page, LATCH_SHARED, 0, &latch));
            assert_true(page_has_flag(&latch.page, PAGE_EMPTY));
            assert_int_equal(page_line_count(&latch.page), 0);
            assert_int_equal(page_header(&latch.page)->modified, made.page.dbtime);
            cache_unlatch(&latch);
        }
        check_tree(0);
    }
}

/* The root is not one of the pages that go. */
static void a_root_that_goes_with_its_tree(void **state)
{
    (void)state;
    begin_leaf_case();
    const struct log_empty_page entry = {.page = root, .dbtime_before = time_of(root)};
    struct made made = made_node(LOG_RECORD_EMPTY_TREE, root, 0, &entry, sizeof entry);
    made.empty.list_size = sizeof entry;
    append_made(&made);
    IS(crash_and_start(), JET_errLogCorrupted);
}

/* A page of the tree that is of another time. */
static void a_tree_of_other_times(void **state)
{
    (void)state;
    begin_leaf_case();
    const struct log_empty_page entry = {.page = child(0), .dbtime_before = time_of(child(0)) + 1};
    struct made made = made_node(LOG_RECORD_EMPTY_TREE, root, 0, &entry, sizeof entry);
    made.empty.list_size = sizeof entry;
    append_made(&made);
    IS(crash_and_start(), JET_errDbTimeTooOld);
}

/* --- pages that are not there --- */

static struct log_record_new_page new_page(page_number page)
{
    return (struct log_record_new_page){
        LOG_RECORD_NEW_PAGE, PROCESS, (uint8_t)database->id, page, 77, database_next_dbtime(database)};
}

/* In a file of a later time pages may be missing, if they are made anew or dropped later on. */
static void missing_pages(void **state)
{
    (void)state;
    struct log_record_new_page page;
    begin_leaf_case();
    const page_number last = atomic_load(&database->page_last);
    struct made made = new_row();
    for (page_number i = 0; i < 20; i++) {
        made.page.page = last + 1 + i % 18; /* some of them twice */
        made.page.dbtime = database_next_dbtime(database);
        append_made(&made);
    }
    for (page_number i = 0; i < 18; i++) {
        page = new_page(last + 1 + i);
        append(&page, sizeof page);
    }
    OK(crash_and_start());
    /* Those that never are, are missed, at the log's end or where a life of the instance ends in it. */
    for (int ends = 0; ends < 2; ends++) {
        begin_leaf_case();
        made = new_row();
        made.page.page = last + 1;
        append_made(&made);
        if (ends) {
            append_zeroes(LOG_RECORD_TERM);
            append_zeroes(LOG_RECORD_INIT);
        }
        EsentHostCrash();
        IS(init_instance(), JET_errRecoveryVerifyFailure);
    }
    /* In one of an earlier time none may be. */
    begin_leaf_case();
    made = new_row();
    made.page.page = last + 1;
    append_made(&made);
    EsentHostCrash();
    OK(EsentHostFileCopy("/old.edb", "a.edb"));
    IS(init_instance(), JET_errPageNotInitialized);
}

/* --- transactions --- */

static void begin_record(uint8_t type, unsigned from, unsigned levels)
{
    const struct log_record_begin0 record = {{type, PROCESS, (uint8_t)(from | levels << 4)}, 0x1000};
    append(&record, type == LOG_RECORD_BEGIN ? sizeof record.begin : sizeof record);
}

static void commit_record(unsigned to)
{
    const struct log_record_commit0 record = {
        {to == 0 ? LOG_RECORD_COMMIT0 : LOG_RECORD_COMMIT, PROCESS, (uint8_t)to}, 0x1002};
    append(&record, to == 0 ? sizeof record : sizeof record.commit);
}

static void rollback_record(unsigned levels)
{
    const struct log_record_rollback record = {LOG_RECORD_ROLLBACK, PROCESS, (uint8_t)levels};
    append(&record, sizeof record);
}

static void refresh_record(void)
{
    const struct log_record_refresh record = {LOG_RECORD_REFRESH, PROCESS, 0x1004};
    append(&record, sizeof record);
}

static uint32_t next_version = 5000;

static struct made versioned_row(unsigned level)
{
    struct made made = new_row();
    made.page.flags |= LOG_PAGE_VERSIONED;
    made.page.level = (uint8_t)level;
    made.page.trx_begin0 = 0x1000;
    made.node.version_id = ++next_version;
    return made;
}

/* One row, inserted in a transaction that does this: is it there afterwards? */
static void transactions(void **state)
{
    (void)state;
    for (int i = 0; i < 10; i++) {
        bool there = false;
        begin_leaf_case();
        if (i < 7)
            begin_record(i == 6 ? LOG_RECORD_BEGIN_DISTRIBUTED : LOG_RECORD_BEGIN0, 0, i == 3 ? 2 : 1);
        struct made made = versioned_row(i == 3 ? 2 : 1);
        switch (i) {
        case 0: /* never ends */
        case 6:
            append_made(&made);
            break;
        case 1: /* commits */
            append_made(&made);
            commit_record(0);
            there = true;
            break;
        case 2: /* a level that ends is not the transaction's end */
            begin_record(LOG_RECORD_BEGIN, 1, 1);
            append_made(&made);
            commit_record(1);
            break;
        case 3: /* both levels end */
            append_made(&made);
            commit_record(1);
            commit_record(0);
            there = true;
            break;
        case 4: /* begins anew, without a record of a begin */
            commit_record(0);
            refresh_record();
            append_made(&made);
            break;
        case 5: /* a refresh of a transaction that runs changes nothing; no more levels end than there are */
            refresh_record();
            append_made(&made);
            rollback_record(0);
            commit_record(3);
            commit_record(1);
            break;
        case 7: /* began before the checkpoint: its changes are in the pages, and not redone */
            append_made(&made);
            commit_record(0);
            break;
        case 8: /* a deeper level does not say that its transaction is known */
            begin_record(LOG_RECORD_BEGIN, 1, 1);
            refresh_record();
            rollback_record(1);
            append_made(&made);
            break;
        default: /* outside of transactions, all are redone */
            made = new_row();
            append_made(&made);
            there = true;
            break;
        }
        const JET_ERR err = crash_and_start();
        if (err != JET_errSuccess || visible_rows() != ROWS + there)
            print_message("case %d: %d\n", i, (int)err);
        OK(err);
        assert_int_equal(visible_rows(), ROWS + there);
        if (there)
            expect_new_row();
    }
}

static void levels_that_do_not_exist(void **state)
{
    (void)state;
    static const unsigned cases[][2] = {{0, 0}, {0, 11}, {0, 15}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        begin_case();
        begin_record(LOG_RECORD_BEGIN0, cases[i][0], cases[i][1]);
        IS(crash_and_start(), JET_errLogCorrupted);
    }
    begin_case();
    begin_record(LOG_RECORD_BEGIN0, 0, 7);
    begin_record(LOG_RECORD_BEGIN, 3, 8);
    IS(crash_and_start(), JET_errLogCorrupted);
    begin_case();
    begin_record(LOG_RECORD_BEGIN0, 0, 7);
    OK(crash_and_start());
}

/* An undo in the log: of a change that is redone, the change goes again; its transaction may end. */
static void undos(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++) {
        static char key[100];
        begin_leaf_case();
        if (i < 2)
            begin_record(LOG_RECORD_BEGIN0, 0, 1);
        struct made made = versioned_row(1);
        if (i == 2) { /* outside of a transaction there is nothing to undo */
            made = new_row();
        }
        append_made(&made);
        struct made undo = made_node(LOG_RECORD_UNDO, leaf, 3, NULL, 0);
        (void)snprintf(key, sizeof key, "%s+", leaf_key);
        undo.page.dbtime_before = made.page.dbtime;
        undo.page.level = i == 2 ? 0 : 1;
        undo.node.version_id = made.node.version_id;
        undo.undo.bookmark_key_size = (uint16_t)strlen(key);
        undo.undo.operation = VERSION_INSERT;
        undo.undo.undo_level = 1;
        undo.bytes = key;
        undo.size = strlen(key);
        append_made(&undo);
        if (i == 1)
            rollback_record(1);
        OK(crash_and_start());
        assert_int_equal(visible_rows(), i == 2 ? ROWS + 1 : ROWS);
    }
}

/* Before-images change no page: outside of transactions they mean nothing, and they are no part of a split.
 */
static void before_images(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        begin_leaf_case();
        struct made made = made_node(LOG_RECORD_UNDO_INFO, leaf, 2, leaf_key, strlen(leaf_key));
        made.undo_info.bookmark_key_size = (uint16_t)strlen(leaf_key);
        made.undo_info.operation = VERSION_REPLACE;
        const struct log_record_macro begin = {LOG_RECORD_MACRO_BEGIN, PROCESS, made.page.dbtime};
        const struct log_record_macro end = {LOG_RECORD_MACRO_COMMIT, PROCESS, made.page.dbtime};
        const uint64_t time = time_of(leaf);
        if (i == 1)
            append(&begin, sizeof begin);
        append_made(&made);
        if (i == 1)
            append(&end, sizeof end);
        OK(crash_and_start());
        check_rows();
        assert_int_equal(time_of(leaf), time);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kinds_of_records),
        cmocka_unit_test(an_insert),
        cmocka_unit_test(an_insert_at_other_times),
        cmocka_unit_test(an_insert_in_no_page),
        cmocka_unit_test(changes_that_do_not_fit),
        cmocka_unit_test(a_delete),
        cmocka_unit_test(a_flag_delete_and_insert),
        cmocka_unit_test(replaces),
        cmocka_unit_test(counters),
        cmocka_unit_test(the_external_header),
        cmocka_unit_test(a_tree_is_emptied),
        cmocka_unit_test(a_root_that_goes_with_its_tree),
        cmocka_unit_test(a_tree_of_other_times),
        cmocka_unit_test(missing_pages),
        cmocka_unit_test(transactions),
        cmocka_unit_test(levels_that_do_not_exist),
        cmocka_unit_test(undos),
        cmocka_unit_test(before_images),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
