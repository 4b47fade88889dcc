/* Redo of page moves and splits, written by hand, and of whole workloads from any mixture of old and new
 * pages. */
#include "tests/kill_workload.h"
#include "tests/recovery_world.h"

#include "src/log/log_reader.h"
#include "src/recovery/recovery_internal.h"

/* --- page moves --- */

static struct log_record_page_move move;
static uint8_t move_image[4096];

/* The tree's third leaf goes behind the file's end. */
static void make_move(void)
{
    struct latch latch = LATCH_INIT;
    begin_case();
    memset(&move, 0, sizeof move);
    move.page = page_part(LOG_RECORD_PAGE_MOVE, child(2), 0);
    move.destination_page = atomic_load(&database->page_last) + 1;
    move.left_page = child(1);
    move.right_page = child(3);
    move.parent_page = root;
    move.dbtime_left_before = time_of(move.left_page);
    move.dbtime_right_before = time_of(move.right_page);
    move.dbtime_parent_before = time_of(root);
    move.tree_page = root;
    move.tree_object = object;
    move.parent_line = 2;
    move.page_header_size = 2000;
    move.page_trailer_size = 2096;
    OK(cache_latch(database, move.page.page, LATCH_SHARED, 0, &latch));
    memcpy(move_image, latch.page.data, sizeof move_image);
    cache_unlatch(&latch);
}

static void append_move(void)
{
    append_two(&move, sizeof move, move_image, move.page_header_size + move.page_trailer_size);
}

static void check_moved(void)
{
    struct latch latch = LATCH_INIT;
    assert_int_equal(child(2), move.destination_page);
    OK(cache_latch(database, move.page.page, LATCH_SHARED, 0, &latch));
    assert_true(page_has_flag(&latch.page, PAGE_EMPTY));
    cache_unlatch(&latch);
    assert_int_equal(time_of(move.destination_page), move.page.dbtime);
    assert_int_equal(time_of(move.left_page), move.page.dbtime);
    assert_int_equal(time_of(move.right_page), move.page.dbtime);
    check_rows();
}

static void moves_that_make_no_sense(void **state)
{
    (void)state;
    for (int i = 0; i < 11; i++) {
        JET_ERR expected = JET_errLogCorrupted;
        make_move();
        switch (i) {
        case 0: /* roots move with all that points to them */
            move.move_flags = 1;
            expected = JET_errBadLogVersion;
            break;
        case 1:
            move.parent_page = PAGE_NUMBER_NULL;
            break;
        case 2:
            move.left_page = move.right_page;
            break;
        case 3:
            move.destination_page = move.page.page;
            break;
        case 4:
            move.parent_line = -1;
            break;
        case 5:
            move.parent_line = 1000;
            break;
        case 6: /* that is another child */
            move.parent_line = 1;
            break;
        case 7: /* a leaf has no children */
            move.parent_page = child(9);
            move.dbtime_parent_before = time_of(move.parent_page);
            break;
        case 8:
            move.dbtime_parent_before--;
            expected = JET_errDbTimeTooNew;
            break;
        case 9:
            move.dbtime_left_before++;
            expected = JET_errDbTimeTooOld;
            break;
        case 10:
            move.dbtime_right_before++;
            expected = JET_errDbTimeTooOld;
            break;
        default:
            move.page.dbtime_before++;
            expected = JET_errDbTimeTooOld;
            break;
        }
        append_move();
        const JET_ERR err = crash_and_start();
        if (err != expected)
            print_message("case %d: %d\n", i, (int)err);
        assert_int_equal(err, expected);
    }
}

/* Moves at the tree's edges; in a database that is not there, or a transaction of before: none. */
static void moves_at_edges(void **state)
{
    (void)state;
    make_move();
    move.page = page_part(LOG_RECORD_PAGE_MOVE, child(0), 0);
    move.left_page = PAGE_NUMBER_NULL;
    move.right_page = child(1);
    move.dbtime_right_before = time_of(move.right_page);
    move.parent_line = 0;
    append_move();
    OK(crash_and_start());
    assert_int_equal(child(0), move.destination_page);
    check_rows();
    for (int i = 0; i < 2; i++) {
        make_move();
        if (i == 0)
            move.page.database_id = 6;
        else
            move.page.level = 1;
        const page_number before = child(2);
        append_move();
        OK(crash_and_start());
        assert_int_equal(child(2), before);
        check_rows();
    }
}

/* Any of the five pages may be on disk as the move leaves it; the image brings the source back. */
static void moves_from_any_mixture(void **state)
{
    (void)state;
    make_move();
    append_move();
    EsentHostCrash();
    OK(EsentHostFilesSave(2));
    OK(init_instance());
    OK(JetTerm2(instance, JET_bitTermComplete));
    const page_number pages[] = {move.parent_page, move.page.page, move.left_page, move.right_page,
                                 move.destination_page};
    static uint8_t bytes[5][4096];
    size_t done;
    for (int k = 0; k < 5; k++)
        OK(EsentHostFileRead("a.edb", (pages[k] + 1) * 4096ull, bytes[k], 4096, &done));
    for (unsigned mixture = 0; mixture < 32; mixture++) {
        EsentHostCrash();
        OK(EsentHostFilesRestore(2));
        OK(EsentHostFileCopy("/old.edb", "a.edb"));
        for (int k = 0; k < 5; k++)
            if (mixture & 1u << k)
                OK(EsentHostFileWrite("a.edb", (pages[k] + 1) * 4096ull, bytes[k], 4096));
        OK(init_instance());
        open_database(false);
        check_moved();
    }
}

/* The source is new, the target is not, and the record's image is none. */
static void images_of_moves(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++) {
        struct latch latch = LATCH_INIT;
        make_move();
        switch (i) {
        case 0:
            move.page_header_size = 4097;
            break;
        case 1:
            move.page_trailer_size = 2097;
            break;
        case 2:
            move.page_header_size = 20;
            break;
        default:
            memset(move_image + 4096 - 40, 0xff, 40);
            break;
        }
        static uint8_t long_image[8192];
        memcpy(long_image, move_image, sizeof move_image);
        append_two(&move, sizeof move, long_image, move.page_header_size + move.page_trailer_size);
        OK(cache_latch(database, move.page.page, LATCH_EXCLUSIVE, 0, &latch));
        recovery_empty_page(&latch.page);
        cache_set_dirty(&latch, move.page.dbtime, appended, appended);
        cache_unlatch(&latch);
        OK(cache_flush_page(database, move.page.page));
        IS(crash_and_start(), JET_errLogCorrupted);
    }
    /* The source is not even there. */
    make_move();
    move.page.page = 1000000;
    move.parent_line = 2;
    append_move();
    IS(crash_and_start(), JET_errDatabaseBufferDependenciesCorrupted);
}

/* --- splits that make no sense --- */

static void macro_record(uint8_t type, uint64_t time)
{
    const struct log_record_macro record = {type, PROCESS, time};
    append(&record, sizeof record);
}

/* The split of a leaf in its middle, as its record would be. */
static struct log_record_split2 split_record(page_number leaf)
{
    struct log_record_split2 record;
    memset(&record, 0, sizeof record);
    record.split.page = page_part(LOG_RECORD_SPLIT2, leaf, 0);
    record.split.new_page = atomic_load(&database->page_last) + 1;
    record.split.parent_page = root;
    record.split.dbtime_parent_before = time_of(root);
    record.split.tree_page = root;
    record.split.tree_object = object;
    record.split.split_type = 1;
    return record;
}

static void splits_that_make_no_sense(void **state)
{
    (void)state;
    for (int i = 0; i < 9; i++) {
        begin_case();
        const page_number leaf = child(3);
        struct log_record_split2 record = split_record(leaf);
        struct log_record_node node = node_part(LOG_RECORD_DELETE, leaf, 0);
        struct log_record_replace replace;
        memset(&replace, 0, sizeof replace);
        replace.node = node_part(LOG_RECORD_REPLACE, leaf, 0);
        replace.new_size = 1;
        node.page.dbtime = replace.node.page.dbtime = record.split.page.dbtime;
        macro_record(LOG_RECORD_MACRO_BEGIN, record.split.page.dbtime);
        switch (i) {
        case 0: /* more levels than a tree has */
            for (int k = 0; k < 17; k++)
                append(&record, sizeof record);
            break;
        case 1: /* the change before the end of the levels */
            append(&record, sizeof record);
            append(&replace, sizeof replace);
            append(&record, sizeof record);
            break;
        case 2: /* two changes */
            append(&record, sizeof record);
            append(&replace, sizeof replace);
            append(&replace, sizeof replace);
            break;
        case 3: /* a change that asks for no room */
            append(&record, sizeof record);
            append(&node, sizeof node);
            break;
        case 4: /* sizes that do not agree */
            append(&record, sizeof record);
            append(&replace, sizeof replace);
            break;
        case 5: /* a merge among them */
        {
            struct log_record_merge2 merge;
            memset(&merge, 0, sizeof merge);
            merge.merge.page = record.split.page;
            merge.merge.page.type = LOG_RECORD_MERGE2;
            append(&record, sizeof record);
            append(&merge, sizeof merge);
            break;
        }
        case 6: /* a page twice */
            record.split.new_page = leaf;
            append(&record, sizeof record);
            break;
        case 7: /* lines that are not there */
            record.split.split_line = 1000;
            record.split.line_count = 3;
            append(&record, sizeof record);
            break;
        default: /* a change of a node alone is no split */
            append(&node, sizeof node);
            break;
        }
        macro_record(LOG_RECORD_MACRO_COMMIT, record.split.page.dbtime);
        const JET_ERR err = crash_and_start();
        if (err != JET_errLogCorrupted)
            print_message("split %d: %d\n", i, (int)err);
        assert_int_equal(err, JET_errLogCorrupted);
    }
}

/* --- a split, played again with changes --- */

/* The records of the split that a large row brings about, as the engine writes them. */
static struct {
    uint8_t bytes[6000];
    size_t size;
} played[8];
static size_t played_count;
static page_number split_leaf;

static void insert_large_row(void)
{
    static char data[3500];
    struct versioned_cursor *cursor = NULL;
    memset(data, 'l', sizeof data);
    OK(transaction_begin(&session->transaction, false));
    OK(versioned_cursor_open(&session->transaction, database, root, &cursor));
    OK(versioned_cursor_insert(cursor, span_of("row00100+", 9), span_of(data, sizeof data), 0));
    versioned_cursor_close(cursor);
    OK(transaction_commit(&session->transaction, false));
}

static void record_split(void)
{
    struct log_file_reader *reader;
    const struct log_record_header *record;
    size_t size;
    struct log_position position;
    begin_case();
    const struct log_position from = log_end(database->log);
    insert_large_row();
    OK(log_flush_all(database->log));
    OK(log_file_open("edb.log", &reader));
    OK(log_file_seek(reader, from));
    bool inside = false;
    played_count = 0;
    while (log_file_next(reader, &record, &size, &position) == JET_errSuccess) {
        inside = inside || record->type == LOG_RECORD_MACRO_BEGIN;
        if (!inside)
            continue;
        assert_true(size <= sizeof played[0].bytes && played_count < 8);
        memcpy(played[played_count].bytes, record, size);
        played[played_count++].size = size;
        if (record->type == LOG_RECORD_MACRO_COMMIT)
            break;
    }
    log_file_close(reader);
    assert_true(played_count >= 5); /* begin, two levels, the insert, end */
    assert_int_equal(played[2].bytes[0], LOG_RECORD_SPLIT2);
    split_leaf = ((const struct log_record_page *)(const void *)played[2].bytes)->page;
}

/* The same state of the files, and these records. */
static JET_ERR play(bool leaf_is_newer)
{
    const struct log_record_begin0 transaction = {{LOG_RECORD_BEGIN0, PROCESS, 0x10}, 0x1000};
    const struct log_record_commit0 commit = {{LOG_RECORD_COMMIT0, PROCESS, 0}, 0x1002};
    append(&transaction, sizeof transaction);
    uint64_t time = 0;
    for (size_t i = 0; i < played_count; i++) {
        memcpy(played[i].bytes + 1, (const uint16_t[]){PROCESS}, 2);
        append(played[i].bytes, played[i].size);
        if (i == 0)
            time = ((const struct log_record_macro *)(const void *)played[i].bytes)->dbtime;
    }
    append(&commit, sizeof commit);
    if (leaf_is_newer) {
        struct latch latch = LATCH_INIT;
        OK(cache_latch(database, split_leaf, LATCH_EXCLUSIVE, 0, &latch));
        page_delete_lines(&latch.page, 0, page_line_count(&latch.page)); /* as if it had been split */
        cache_set_dirty(&latch, time, appended, appended);
        cache_unlatch(&latch);
        OK(cache_flush_page(database, split_leaf));
    }
    return crash_and_start();
}

static void swap_played(size_t a, size_t b)
{
    played[7] = played[a];
    played[a] = played[b];
    played[b] = played[7];
}

static void a_split_played_again(void **state)
{
    (void)state;
    for (int i = 0; i < 15; i++) {
        record_split();
        struct log_record_split2 *leaf = (void *)played[2].bytes;
        struct log_record_split2 *above = (void *)played[1].bytes;
        JET_ERR expected = JET_errLogCorrupted;
        bool newer = false;
        begin_case();
        switch (i) {
        case 0:
            expected = JET_errSuccess;
            break;
        case 1: /* the leaf was written first: the image brings it back */
            newer = true;
            expected = JET_errSuccess;
            break;
        case 2: /* the image is none */
            newer = true;
            leaf->flags ^= LOG_PREIMAGE_XPRESS;
            break;
        case 3:
            newer = true;
            memset(played[2].bytes + played[2].size - 40, 0xff, 40);
            break;
        case 4: /* the leaf is not there, the new page neither, but the parent is as before */
            leaf->split.page.page = 1000000;
            break;
        case 5:
            leaf->split.page.dbtime_before++;
            expected = JET_errDbTimeTooOld;
            break;
        case 6:
            leaf->split.dbtime_right_before++;
            expected = JET_errDbTimeTooOld;
            break;
        case 7:
            leaf->split.new_page = PAGE_NUMBER_NULL;
            break;
        case 8: /* a line that is not there */
            leaf->split.operation_line = 1000;
            break;
        case 9: /* a level behind the change */
            assert_int_equal(played[3].bytes[0], LOG_RECORD_INSERT);
            swap_played(2, 3);
            break;
        case 10: /* a page twice: in the place of each other one */
            leaf->split.new_page = leaf->split.page.page;
            break;
        case 11:
            leaf->split.right_page = leaf->split.page.page;
            break;
        case 12:
            leaf->split.right_page = leaf->split.new_page;
            break;
        case 13:
            leaf->split.page.page = above->split.page.page;
            break;
        default: /* two changes */
            played[played_count] = played[played_count - 1];
            played[played_count - 1] = played[3];
            played_count++;
            break;
        }
        const JET_ERR err = play(newer);
        if (err != expected)
            print_message("played %d: %d\n", i, (int)err);
        assert_int_equal(err, expected);
        if (err >= JET_errSuccess) {
            check_tree(ROWS + 1);
            assert_int_equal(visible_rows(), ROWS + 1);
        }
    }
}

/* --- workloads --- */

#define WELL(call) assert_true((call) >= JET_errSuccess)

static uint8_t *whole(const char *path, size_t *size)
{
    struct ESENT_HOST_FILE_INFO info;
    OK(EsentHostFileInfo(path, &info));
    *size = (size_t)info.size;
    uint8_t *bytes = malloc(*size);
    size_t done;
    assert_non_null(bytes);
    OK(EsentHostFileRead(path, 0, bytes, *size, &done));
    return bytes;
}

static void set_page_size(uint32_t page_size)
{
    OK(JetSetSystemParameterA(NULL, 0, JET_paramDatabasePageSize, page_size, NULL));
}

/* Runs transactions on a database that was clean before; saves the files as a crash leaves them, with the
 * database as it was before, and answers the database as it is afterwards. */
static uint8_t *run_and_crash(struct workload *workload, uint32_t page_size, size_t *size)
{
    static struct workload_engine engine;
    const struct ESENT_HOST_SIMULATION simulation = {.seed = workload->seed};
    (void)EsentHostReset(NULL, 0);
    OK(EsentHostUseMemoryFiles());
    OK(EsentHostUseSimulation(&simulation));
    OK(EsentHostDirectoryCreate("/w"));
    for (int life = 0; life < 2; life++) {
        memset(&engine, 0, sizeof engine);
        set_page_size(page_size);
        WELL(workload_init(&engine, "/w/"));
        OK(JetSetSystemParameterA(&engine.instance, 0, JET_paramCheckpointDepthMax, 20 << 20, NULL));
        WELL(life == 0 ? workload_create(&engine, "/w/w.edb") : workload_open(&engine, "/w/w.edb"));
        for (int i = 0; i < (life == 0 ? 20 : 80); i++)
            WELL(workload_run(&engine, workload));
        if (life == 0) {
            OK(JetTerm2(engine.instance, JET_bitTermComplete));
            OK(EsentHostFileCopy("/w/w.edb", "/old.edb"));
        } else {
            OK(JetCommitTransaction(engine.session, JET_bitWaitAllLevel0Commit));
        }
    }
    EsentHostCrash();
    OK(EsentHostFilesSave(3));
    memset(&engine, 0, sizeof engine);
    set_page_size(page_size);
    WELL(workload_init(&engine, "/w/"));
    OK(JetTerm2(engine.instance, JET_bitTermComplete));
    return whole("/w/w.edb", size);
}

static void check_mixture(struct workload *workload, uint32_t page_size, const uint8_t *after, size_t size,
                          uint64_t seed, unsigned share)
{
    static struct workload_engine engine;
    char why[200] = "";
    EsentHostCrash();
    OK(EsentHostFilesRestore(3));
    OK(EsentHostFileCopy("/old.edb", "/w/w.edb"));
    for (size_t offset = 2 * page_size; offset + page_size <= size; offset += page_size) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        if ((seed >> 33) % 8 < share)
            OK(EsentHostFileWrite("/w/w.edb", offset, after + offset, page_size));
    }
    memset(&engine, 0, sizeof engine);
    set_page_size(page_size);
    const JET_ERR err = workload_init(&engine, "/w/");
    if (err < JET_errSuccess)
        print_message("seed %u, share %u: %s %d\n", (unsigned)workload->seed, share, engine.failed, (int)err);
    WELL(err);
    WELL(workload_open(&engine, "/w/w.edb"));
    if (!workload_matches(&engine, workload, why, sizeof why))
        fail_msg("%s", why);
    OK(JetTerm2(engine.instance, JET_bitTermComplete));
    OK(EsentHostCheckDatabase("/w/w.edb", NULL, NULL));
}

/* Whatever pages had reached the disk when the process died, redo makes the same of them. */
static void workloads_from_any_mixture(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 4; seed++) {
        struct workload workload = {.seed = seed};
        const uint32_t page_size = seed % 2 == 0 ? 4096 : 8192;
        size_t size;
        uint8_t *after = run_and_crash(&workload, page_size, &size);
        for (unsigned share = 0; share <= 8; share += 2)
            check_mixture(&workload, page_size, after, size, seed * 10 + share, share);
        free(after);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(moves_that_make_no_sense),   cmocka_unit_test(moves_at_edges),
        cmocka_unit_test(moves_from_any_mixture),     cmocka_unit_test(images_of_moves),
        cmocka_unit_test(splits_that_make_no_sense),  cmocka_unit_test(a_split_played_again),
        cmocka_unit_test(workloads_from_any_mixture),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
