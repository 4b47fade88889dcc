/* A log with a record of nearly every kind, written by hand: each allocation and each file operation of its
 * redo fails once. The start answers a code, and the next one does all that the log says. */
#include "tests/recovery_world.h"

#include "src/btree/apply_merge.h"
#include "src/page/database_header.h"

static void macro_record(uint8_t type, uint64_t time)
{
    const struct log_record_macro record = {type, process, time};
    append(&record, sizeof record);
}

/* --- what the log holds --- */

/* A row that comes back: the transaction never commits. */
static page_number changed_leaf;

static void an_open_transaction(void)
{
    const struct log_record_begin0 begin = {{LOG_RECORD_BEGIN0, PROCESS, 0x10}, 0x1000};
    struct log_record_node node = node_part(LOG_RECORD_FLAG_DELETE, changed_leaf, 2);
    append(&begin, sizeof begin);
    node.page.flags |= LOG_PAGE_VERSIONED;
    node.page.level = 1;
    node.version_id = 9000;
    append(&node, sizeof node);
    struct log_record_replace replace;
    memset(&replace, 0, sizeof replace);
    replace.node = node_part(LOG_RECORD_REPLACE, changed_leaf, 3);
    replace.node.page.flags |= LOG_PAGE_VERSIONED;
    replace.node.page.level = 1;
    replace.node.page.dbtime_before = node.page.dbtime;
    replace.node.version_id = 9001;
    replace.old_size = 60;
    replace.new_size = replace.size = 10;
    append_two(&replace, sizeof replace, "other data", 10);
    struct log_record_delta delta;
    memset(&delta, 0, sizeof delta);
    char key[100];
    line_text(changed_leaf, 4, key, NULL);
    delta.node = node_part(LOG_RECORD_DELTA, changed_leaf, 4);
    delta.node.page.flags |= LOG_PAGE_VERSIONED;
    delta.node.page.level = 1;
    delta.node.page.dbtime_before = replace.node.page.dbtime;
    delta.node.version_id = 9002;
    delta.delta = 5;
    delta.bookmark_key_size = (uint16_t)strlen(key);
    append_two(&delta, sizeof delta, key, strlen(key));
}

/* Answers the time of the root afterwards. */
static uint64_t a_merge(void)
{
    const uint64_t after = database_next_dbtime(database);
    const page_number source = child(1);
    struct latch latch = LATCH_INIT;
    uint8_t image[4096];
    OK(cache_latch(database, source, LATCH_SHARED, 0, &latch));
    memcpy(image, latch.page.data, sizeof image);
    cache_unlatch(&latch);
    struct log_record_merge2 record;
    memset(&record, 0, sizeof record);
    record.merge.page = page_part(LOG_RECORD_MERGE2, root, 1);
    record.merge.page.dbtime = after;
    record.merge.tree_page = root;
    record.merge.tree_object = object;
    record.merge.merge_type = MERGE_FULL_RIGHT;
    record.merge.flags = LOG_MERGE_DELETE_NODE;
    macro_record(LOG_RECORD_MACRO_BEGIN, after);
    append(&record, sizeof record);
    record.merge.page = page_part(LOG_RECORD_MERGE2, source, 0);
    record.merge.page.dbtime = after;
    record.merge.flags = LOG_MERGE_EMPTY_PAGE;
    record.merge.left_page = child(0);
    record.merge.right_page = child(2);
    record.merge.dbtime_left_before = time_of(child(0));
    record.merge.dbtime_right_before = time_of(child(2));
    record.before_image_size = sizeof image;
    append_two(&record, sizeof record, image, sizeof image);
    macro_record(LOG_RECORD_MACRO_COMMIT, after);
    return after;
}

/* The leaf behind those that are changed goes to a new page. */
static void a_page_move(page_number target, uint64_t root_time)
{
    const uint32_t line = 8;
    struct latch latch = LATCH_INIT;
    uint8_t image[4096];
    struct log_record_page_move record;
    memset(&record, 0, sizeof record);
    record.page = page_part(LOG_RECORD_PAGE_MOVE, child(line), 0);
    record.destination_page = target;
    record.left_page = child(line - 1);
    record.right_page = child(line + 1);
    record.parent_page = root;
    record.dbtime_left_before = time_of(record.left_page);
    record.dbtime_right_before = time_of(record.right_page);
    record.dbtime_parent_before = root_time;
    record.tree_page = root;
    record.tree_object = object;
    record.parent_line = (int32_t)line - 1; /* one has gone */
    record.page_header_size = 2000;
    record.page_trailer_size = 2096;
    OK(cache_latch(database, record.page.page, LATCH_SHARED, 0, &latch));
    memcpy(image, latch.page.data, sizeof image);
    cache_unlatch(&latch);
    append_two(&record, sizeof record, image, sizeof image);
}

static void new_trees(page_number first)
{
    struct log_record_create_single_extent_fdp single;
    memset(&single, 0, sizeof single);
    single.page = page_part(LOG_RECORD_CREATE_SINGLE_EXTENT_FDP, PAGE_NUMBER_NULL, 0);
    single.page.page = first;
    single.object = 99;
    single.parent_tree_page = ROOT_PAGE_DATABASE;
    single.primary_pages = 1;
    single.page_flags = PAGE_ROOT | PAGE_LEAF;
    append(&single, sizeof single);
    struct log_record_convert_fdp convert;
    memset(&convert, 0, sizeof convert);
    process++;
    convert.convert.page = page_part(LOG_RECORD_CONVERT_FDP, PAGE_NUMBER_NULL, 0);
    convert.convert.page.page = first;
    convert.convert.page.dbtime_before = single.page.dbtime;
    convert.convert.object = 99;
    convert.convert.owned_page = convert.convert.secondary_first_page = first + 1;
    convert.convert.available_page = first + 2;
    convert.convert.parent_tree_page = ROOT_PAGE_DATABASE;
    convert.convert.primary_pages = 1;
    convert.convert.secondary_pages = 4;
    convert.page_flags = PAGE_ROOT | PAGE_LEAF;
    append(&convert, sizeof convert);
    struct log_record_create_multiple_extent_fdp multiple;
    memset(&multiple, 0, sizeof multiple);
    multiple.page = page_part(LOG_RECORD_CREATE_MULTIPLE_EXTENT_FDP, PAGE_NUMBER_NULL, 0);
    multiple.page.page = first + 10;
    multiple.object = 100;
    multiple.owned_page = first + 11;
    multiple.available_page = first + 12;
    multiple.parent_tree_page = ROOT_PAGE_DATABASE;
    multiple.primary_pages = 16;
    multiple.page_flags = PAGE_ROOT | PAGE_LEAF;
    append(&multiple, sizeof multiple);
}

static void sizes(page_number last)
{
    const struct log_record_extend_database extend = {
        {LOG_RECORD_EXTEND_DATABASE, 5}, (uint8_t)database->id, last + 200};
    append(&extend, sizeof extend);
    const struct log_record_new_page page = {LOG_RECORD_NEW_PAGE, PROCESS, (uint8_t)database->id,
                                             last + 150,          77,      database_next_dbtime(database)};
    append(&page, sizeof page);
    process++;
    struct log_record_insert insert;
    memset(&insert, 0, sizeof insert);
    insert.node = node_part(LOG_RECORD_INSERT, child(14), 0);
    insert.node.page.level = 1; /* of a transaction that began before: not redone */
    append(&insert, sizeof insert);
    process++;
    const struct log_record_commit commit = {LOG_RECORD_COMMIT, process, 1};
    append(&commit, sizeof commit);
    process++;
    macro_record(LOG_RECORD_MACRO_ABORT, 1);
    process++;
    struct log_record_merge2 merge;
    memset(&merge, 0, sizeof merge);
    merge.merge.page = page_part(LOG_RECORD_MERGE2, child(14), 0);
    merge.merge.page.level = 1;
    append(&merge, sizeof merge);
    process = PROCESS;
    struct log_record_scrub scrub;
    memset(&scrub, 0, sizeof scrub);
    scrub.node = node_part(LOG_RECORD_SCRUB, child(5), 0);
    append(&scrub, sizeof scrub);
    const struct log_record_set_database_version version = {LOG_RECORD_SET_DATABASE_VERSION,
                                                            (uint8_t)database->id, 0x620, 20, 7};
    append(&version, sizeof version);
    struct log_record_backup backup = {.type = LOG_RECORD_BACKUP,
                                       .phase = LOG_BACKUP_UPDATE,
                                       .backup_type = BACKUP_INFO_NORMAL,
                                       .scope = LOG_BACKUP_FULL,
                                       .database_id = (uint8_t)database->id};
    backup.details.generation_low = 1;
    backup.details.generation_high = 1;
    backup.details.mark = appended;
    append(&backup, sizeof backup);
}

static void creation(uint8_t id, const char *path, bool finished)
{
    uint8_t bytes[200];
    struct log_record_create_database record;
    const uint16_t version[2] = {LOG_CREATE_VERSION, 0};
    memset(&record, 0, sizeof record);
    record.type = LOG_RECORD_CREATE_DATABASE;
    record.process_id = PROCESS;
    record.database_id = id;
    record.database_signature.random = id;
    record.flags = LOG_CREATE_VERSION_INFO;
    record.path_size = (uint16_t)(strlen(path) + 1);
    memcpy(bytes, version, sizeof version);
    memcpy(bytes + sizeof version, path, record.path_size);
    append_two(&record, sizeof record, bytes, sizeof version + record.path_size);
    const struct log_record_create_database_finish finish = {LOG_RECORD_CREATE_DATABASE_FINISH, PROCESS, id};
    if (finished)
        append(&finish, sizeof finish);
}

static void detach(uint8_t id)
{
    const struct log_record_detach_database record = {LOG_RECORD_DETACH_DATABASE, PROCESS, id, 0, 0};
    append(&record, sizeof record);
}

static void write_everything(void)
{
    begin_case();
    const page_number last = atomic_load(&database->page_last);
    changed_leaf = child(12);
    an_open_transaction();
    /* Each kind in a session of its own, which redo has to make. */
    process = PROCESS + 1;
    const uint64_t merged = a_merge();
    process = PROCESS + 2;
    a_page_move(last + 30, merged);
    process = PROCESS + 3;
    new_trees(last + 1);
    sizes(last);
    creation(2, "/b.edb", true);
    creation(3, "/c.edb", true);
    creation(4, "/d.edb", false);
    detach(2);
    macro_record(LOG_RECORD_MACRO_BEGIN, database_next_dbtime(database));
    EsentHostCrash();
    OK(EsentHostFilesSave(2));
}

static bool exists(const char *path)
{
    struct ESENT_HOST_FILE_INFO info;
    return EsentHostFileInfo(path, &info) >= JET_errSuccess;
}

static void check_everything(void)
{
    open_database(false);
    assert_int_equal(visible_rows(), ROWS);
    check_tree(ROWS);
    assert_int_equal(database->header.update_minor, 7);
    assert_int_equal(database->header.full_previous.generation_high, 1);
    assert_true(exists("/b.edb") && exists("/c.edb") && !exists("/d.edb"));
}

/* --- faults --- */

static unsigned sweep(enum ESENT_HOST_FAULT kind)
{
    unsigned points = 0;
    for (uint64_t nth = 1;; nth++) {
        EsentHostCrash();
        OK(EsentHostFilesRestore(2));
        EsentHostResetCounters();
        EsentHostFailNth(kind, nth, 1);
        JET_ERR err = init_instance();
        const bool failed = EsentHostCountFailures(kind) != 0;
        EsentHostFailNone();
        if (!failed) {
            OK(err);
            check_everything();
            return points;
        }
        points++;
        /* Nothing of it can be left out. */
        if (kind == ESENT_HOST_FAULT_ALLOCATE)
            assert_true(err < JET_errSuccess);
        if (err < JET_errSuccess) {
            assert_true(err == JET_errOutOfMemory || err == JET_errDiskIO || err == JET_errFileAccessDenied ||
                        err == JET_errLogWriteFail || err == JET_errDiskFull ||
                        err == JET_errCheckpointFileNotFound);
            EsentHostCrash();
            err = init_instance();
        }
        if (err < JET_errSuccess)
            print_message("%s %u: %d\n", EsentHostFaultName(kind), (unsigned)nth, (int)err);
        OK(err);
        check_everything();
    }
}

static void allocations(void **state)
{
    (void)state;
    write_everything();
    assert_true(sweep(ESENT_HOST_FAULT_ALLOCATE) > 100);
}

static void file_operations(void **state)
{
    (void)state;
    write_everything();
    assert_true(sweep(ESENT_HOST_FAULT_IO) > 100);
    (void)sweep(ESENT_HOST_FAULT_READ);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(allocations),
        cmocka_unit_test(file_operations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
