/* Redo of records, written by hand, that make trees and pages, change the size of files, or say which
 * databases there are. */
#include "tests/recovery_world.h"

#include "src/page/database_header.h"

/* --- macros --- */

static void macro_record(uint8_t type, uint64_t time)
{
    const struct log_record_macro record = {type, PROCESS, time};
    append(&record, sizeof record);
}

/* --- pages and sizes --- */

static page_number last_page(void)
{
    return atomic_load(&database->page_last);
}

static uint64_t file_size(void)
{
    struct ESENT_HOST_FILE_INFO info;
    OK(EsentHostFileInfo("a.edb", &info));
    return info.size;
}

static void a_new_page(void **state)
{
    (void)state;
    struct latch latch = LATCH_INIT;
    begin_case();
    struct log_record_new_page record = {.type = LOG_RECORD_NEW_PAGE,
                                         .process_id = PROCESS,
                                         .database_id = (uint8_t)database->id,
                                         .page = last_page() + 3,
                                         .object = 77,
                                         .dbtime_after = database_next_dbtime(database)};
    append(&record, sizeof record);
    OK(crash_and_start());
    assert_true(last_page() >= record.page);
    OK(cache_latch(database, record.page, LATCH_SHARED, 0, &latch));
    assert_int_equal(page_header(&latch.page)->tree, 77);
    assert_true(page_has_flag(&latch.page, PAGE_PRE_INIT));
    assert_int_equal(page_header(&latch.page)->modified, record.dbtime_after);
    cache_unlatch(&latch);
    assert_true(atomic_load(&database->object_id_last) >= 77);
    /* One that is newer stays, an older one is made anew. */
    record.page = child(2);
    record.dbtime_after = time_of(record.page);
    append(&record, sizeof record);
    OK(crash_and_start());
    check_rows();
    record.page = 0;
    append(&record, sizeof record);
    IS(crash_and_start(), JET_errLogCorrupted);
}

static void free_space_is_cleared(void **state)
{
    (void)state;
    begin_case();
    const page_number leaf = child(2);
    struct latch latch = LATCH_INIT;
    /* Something lies between the lines and the tags. */
    OK(cache_latch(database, leaf, LATCH_EXCLUSIVE, 0, &latch));
    page_compact(&latch.page);
    const size_t used =
        4096 - page_free_bytes(&latch.page) - sizeof(struct page_tag) * (page_line_count(&latch.page) + 1);
    memset(latch.page.data + used, 'x', 40);
    cache_set_dirty(&latch, page_header(&latch.page)->modified, appended, appended);
    cache_unlatch(&latch);
    OK(cache_flush_page(database, leaf));
    struct log_record_scrub record;
    memset(&record, 0, sizeof record);
    record.node = node_part(LOG_RECORD_SCRUB, leaf, 0);
    append(&record, sizeof record);
    OK(crash_and_start());
    OK(cache_latch(database, leaf, LATCH_SHARED, 0, &latch));
    for (size_t i = 0; i < 40; i++)
        assert_int_equal(latch.page.data[used + i], 0);
    assert_int_equal(page_header(&latch.page)->modified, record.node.page.dbtime);
    cache_unlatch(&latch);
    check_rows();
    /* Later pages are left alone, missing ones are missed. */
    append(&record, sizeof record);
    OK(crash_and_start());
    record.node.page.page = 1000000;
    append(&record, sizeof record);
    IS(crash_and_start(), JET_errRecoveryVerifyFailure);
}

static void the_file_grows(void **state)
{
    (void)state;
    begin_case();
    struct log_record_extend_database record = {{LOG_RECORD_EXTEND_DATABASE, 5}, (uint8_t)database->id, 0};
    append(&record, sizeof record); /* up to no page */
    record.last_page = last_page() + 50;
    append(&record, sizeof record);
    OK(crash_and_start());
    assert_int_equal(last_page(), record.last_page);
    assert_int_equal(file_size(), (record.last_page + 2) * 4096ull);
    record.database_id = 6;
    record.last_page += 50;
    append(&record, sizeof record);
    OK(crash_and_start());
    assert_int_equal(last_page(), record.last_page - 50);
}

/* New logs: what comes then is newer than the file's header. */
static void roll(void)
{
    char list[1000];
    for (int i = 0; i < 3; i++) {
        OK(JetBeginExternalBackupInstance(instance, 0));
        OK(JetGetLogInfoInstanceA(instance, list, sizeof list, NULL));
        OK(JetEndExternalBackupInstance2(instance, JET_bitBackupEndAbort));
    }
}

static void the_file_shrinks(void **state)
{
    (void)state;
    static const uint8_t types[] = {LOG_RECORD_SHRINK_DATABASE, LOG_RECORD_SHRINK_DATABASE2,
                                    LOG_RECORD_SHRINK_DATABASE3};
    for (size_t i = 0; i < 3; i++) {
        begin_case();
        const page_number before = last_page();
        struct log_record_shrink_database3 record;
        memset(&record, 0, sizeof record);
        record.shrink = (struct log_record_shrink_database){types[i], (uint8_t)database->id, before - 20, 20};
        append(&record, log_record_fixed_size(types[i]));
        OK(crash_and_start()); /* a file that may be of later times keeps its size */
        assert_int_equal(last_page(), before);
        begin_case(); /* one of before the attach, whose redo comes to the record: no smaller than it is */
        roll();
        record.shrink.last_page = before + 20;
        append(&record, log_record_fixed_size(types[i]));
        EsentHostCrash();
        OK(EsentHostFileCopy("/old.edb", "a.edb"));
        OK(init_instance());
        assert_int_equal(file_size(), (before + 2) * 4096ull);
        begin_case();
        roll();
        append(&record, log_record_fixed_size(types[i]));
        record.shrink.last_page = before - 20;
        append(&record, log_record_fixed_size(types[i]));
        EsentHostCrash();
        OK(EsentHostFileCopy("/old.edb", "a.edb"));
        OK(init_instance());
        assert_int_equal(file_size(), (before - 20 + 2) * 4096ull);
        open_database(false); /* gives it the size back that its trees of space tell */
        assert_int_equal(last_page(), before);
        check_rows();
    }
}

/* --- trees --- */

static struct log_record_create_multiple_extent_fdp multiple(page_number first)
{
    struct log_record_create_multiple_extent_fdp record;
    memset(&record, 0, sizeof record);
    record.page = page_part(LOG_RECORD_CREATE_MULTIPLE_EXTENT_FDP, PAGE_NUMBER_NULL, 0);
    record.page.page = first;
    record.object = 99;
    record.owned_page = first + 1;
    record.available_page = first + 2;
    record.parent_tree_page = ROOT_PAGE_DATABASE;
    record.primary_pages = 16;
    record.page_flags = PAGE_ROOT | PAGE_LEAF;
    return record;
}

static void check_made(page_number first, int pages, uint64_t time)
{
    for (int i = 0; i < pages; i++) {
        struct latch latch = LATCH_INIT;
        OK(cache_latch(database, first + (page_number)i, LATCH_SHARED, 0, &latch));
        assert_int_equal(page_header(&latch.page)->tree, 99);
        assert_true(page_is_root(&latch.page) && page_is_leaf(&latch.page));
        assert_int_equal(page_has_flag(&latch.page, PAGE_SPACE_TREE), i > 0);
        assert_int_equal(page_header(&latch.page)->modified, time);
        cache_unlatch(&latch);
    }
}

static void a_tree_with_extents(void **state)
{
    (void)state;
    begin_case();
    struct log_record_create_multiple_extent_fdp record = multiple(last_page() + 1);
    append(&record, sizeof record);
    OK(crash_and_start());
    check_made(record.page.page, 3, record.page.dbtime);
    /* As it is, it is not made again; where it does not fit together, not at all. */
    append(&record, sizeof record);
    OK(crash_and_start());
    record = multiple(last_page() + 1);
    record.available_page++;
    append(&record, sizeof record);
    IS(crash_and_start(), JET_errLogCorrupted);
    begin_case();
    record = multiple(last_page() + 1);
    record.page.page = record.available_page;
    append(&record, sizeof record);
    IS(crash_and_start(), JET_errLogCorrupted);
    /* Not in a transaction that began before, nor in a database that is not there. */
    begin_case();
    record = multiple(last_page() + 100);
    record.page.level = 1;
    append(&record, sizeof record);
    record.page.level = 0;
    record.page.database_id = 5;
    append(&record, sizeof record);
    const page_number before = last_page();
    OK(crash_and_start());
    assert_int_equal(last_page(), before);
}

static void a_tree_of_one_extent(void **state)
{
    (void)state;
    begin_case();
    struct log_record_create_single_extent_fdp record;
    memset(&record, 0, sizeof record);
    record.page = page_part(LOG_RECORD_CREATE_SINGLE_EXTENT_FDP, PAGE_NUMBER_NULL, 0);
    record.page.page = last_page() + 5;
    record.object = 99;
    record.parent_tree_page = ROOT_PAGE_DATABASE;
    record.primary_pages = 4;
    record.page_flags = PAGE_ROOT | PAGE_LEAF;
    append(&record, sizeof record);
    OK(crash_and_start());
    check_made(record.page.page, 1, record.page.dbtime);
    append(&record, sizeof record);
    OK(crash_and_start());
    check_made(record.page.page, 1, record.page.dbtime);
}

/* The tree's own root, which has one extent, gets trees of its extents. */
static struct log_record_convert_fdp conversion(page_number first)
{
    struct log_record_convert_fdp record;
    memset(&record, 0, sizeof record);
    record.convert.page = page_part(LOG_RECORD_CONVERT_FDP, root, 0);
    record.convert.object = 99;
    record.convert.owned_page = record.convert.secondary_first_page = first;
    record.convert.available_page = first + 1;
    record.convert.parent_tree_page = ROOT_PAGE_DATABASE;
    record.convert.primary_pages = 1;
    record.convert.secondary_pages = 4;
    record.page_flags = PAGE_ROOT | PAGE_LEAF;
    return record;
}

static void a_conversion(void **state)
{
    (void)state;
    struct latch latch = LATCH_INIT;
    begin_case();
    struct log_record_convert_fdp record = conversion(last_page() + 1);
    append(&record, sizeof record);
    OK(crash_and_start());
    for (page_number i = 0; i < 2; i++) {
        OK(cache_latch(database, record.convert.owned_page + i, LATCH_SHARED, 0, &latch));
        assert_true(page_has_flag(&latch.page, PAGE_SPACE_TREE));
        assert_int_equal(page_header(&latch.page)->modified, record.convert.page.dbtime);
        cache_unlatch(&latch);
    }
    assert_int_equal(time_of(root), record.convert.page.dbtime);
    for (int i = 0; i < 3; i++) {
        begin_case();
        record = conversion(i == 2 ? root : last_page() + 1);
        record.convert.owned_page += i == 0;
        record.convert.available_page += i == 1;
        append(&record, sizeof record);
        IS(crash_and_start(), JET_errLogCorrupted);
    }
    begin_case();
    const uint64_t before = time_of(root);
    record = conversion(last_page() + 1);
    record.convert.page.level = 1;
    append(&record, sizeof record);
    OK(crash_and_start());
    assert_int_equal(time_of(root), before);
    /* In a macro it waits for the end, and there is none of its kind. */
    record.convert.page.level = 0;
    macro_record(LOG_RECORD_MACRO_BEGIN, record.convert.page.dbtime);
    append(&record, sizeof record);
    OK(crash_and_start());
    assert_int_equal(time_of(root), before);
    macro_record(LOG_RECORD_MACRO_BEGIN, record.convert.page.dbtime);
    append(&record, sizeof record);
    macro_record(LOG_RECORD_MACRO_COMMIT, record.convert.page.dbtime);
    IS(crash_and_start(), JET_errLogCorrupted);
}

static void macros_that_make_no_sense(void **state)
{
    (void)state;
    begin_case();
    macro_record(LOG_RECORD_MACRO_BEGIN, 1234);
    macro_record(LOG_RECORD_MACRO_COMMIT, 1234); /* an empty one */
    macro_record(LOG_RECORD_MACRO_BEGIN, 1234);
    macro_record(LOG_RECORD_MACRO_ABORT, 1234);
    macro_record(LOG_RECORD_MACRO_BEGIN, 1234);
    macro_record(LOG_RECORD_MACRO_BEGIN, 1235);
    macro_record(LOG_RECORD_MACRO_COMMIT, 1235);
    OK(crash_and_start());
    macro_record(LOG_RECORD_MACRO_BEGIN, 1234);
    macro_record(LOG_RECORD_MACRO_BEGIN, 1234);
    IS(crash_and_start(), JET_errLogCorrupted);
}

/* --- databases --- */

static void a_version(void **state)
{
    (void)state;
    begin_case();
    struct log_record_set_database_version record = {LOG_RECORD_SET_DATABASE_VERSION, (uint8_t)database->id,
                                                     0x620, 20, 7};
    append(&record, sizeof record);
    OK(crash_and_start());
    assert_int_equal(database->header.update_major, 20);
    assert_int_equal(database->header.update_minor, 7);
    record.database_id = 6;
    record.update_major = 30;
    append(&record, sizeof record);
    OK(crash_and_start());
    assert_int_equal(database->header.update_major, 20);
    record.database_id = (uint8_t)database->id;
    record.major = 0x621;
    append(&record, sizeof record);
    IS(crash_and_start(), JET_errInvalidDatabaseVersion);
}

struct database_record {
    size_t size;
    union {
        struct log_record_create_database create;
        struct log_record_attach_database attach;
        struct log_record_detach_database detach;
        uint8_t bytes[3000];
    };
};

static const struct signature a_signature = {.random = 0x4711};

static void add_path(struct database_record *record, size_t at, const char *path, uint16_t *size)
{
    *size = (uint16_t)(strlen(path) + 1);
    memcpy(record->bytes + at, path, *size);
    record->size = at + *size;
}

static struct database_record create_record(uint8_t id, const char *path, unsigned flags, uint16_t version)
{
    struct database_record record;
    uint16_t size;
    memset(&record, 0, sizeof record);
    record.create.type = LOG_RECORD_CREATE_DATABASE;
    record.create.process_id = PROCESS;
    record.create.database_id = id;
    record.create.database_signature = a_signature;
    record.create.flags = (uint8_t)flags;
    size_t at = sizeof record.create;
    if (flags & LOG_CREATE_VERSION_INFO) {
        memcpy(record.bytes + at, &version, 2);
        at += 4;
    }
    add_path(&record, at, path, &size);
    record.create.path_size = size;
    return record;
}

static struct database_record attach_record(uint8_t id, const char *path)
{
    struct database_record record;
    uint16_t size;
    memset(&record, 0, sizeof record);
    record.attach.type = LOG_RECORD_ATTACH_DATABASE;
    record.attach.process_id = PROCESS;
    record.attach.database_id = id;
    record.attach.database_signature = a_signature;
    record.attach.log_signature = log_signature(database->log);
    add_path(&record, sizeof record.attach, path, &size);
    record.attach.path_size = size;
    return record;
}

static void append_record(const struct database_record *record)
{
    append(record->bytes, record->size);
}

static void finish_record(uint8_t id)
{
    const struct log_record_create_database_finish record = {LOG_RECORD_CREATE_DATABASE_FINISH, PROCESS, id};
    append(&record, sizeof record);
}

static void detach_record(uint8_t id)
{
    struct database_record record;
    memset(&record, 0, sizeof record);
    record.detach.type = LOG_RECORD_DETACH_DATABASE;
    record.detach.process_id = PROCESS;
    record.detach.database_id = id;
    append(record.bytes, sizeof record.detach);
}

static struct database_header header_of(const char *path)
{
    static _Alignas(4096) uint8_t bytes[4096];
    struct database_header header;
    size_t done;
    OK(EsentHostFileRead(path, 0, bytes, sizeof bytes, &done));
    memcpy(&header, bytes, sizeof header);
    return header;
}

static bool exists(const char *path)
{
    struct ESENT_HOST_FILE_INFO info;
    return EsentHostFileInfo(path, &info) >= JET_errSuccess;
}

static void creations(void **state)
{
    (void)state;
    struct database_record record;
    /* One that is never finished is nothing. */
    begin_case();
    record = create_record(2, "/b.edb", LOG_CREATE_VERSION_INFO, LOG_CREATE_VERSION);
    append_record(&record);
    OK(crash_and_start());
    assert_false(exists("/b.edb"));
    /* One that is, is a file of this log, clean after recovery. */
    begin_case();
    append_record(&record);
    finish_record(2);
    finish_record(3);
    finish_record(200);
    const struct log_position position = appended;
    OK(crash_and_start());
    assert_true(exists("/b.edb"));
    struct database_header header = header_of("/b.edb");
    assert_int_equal(header.state, DATABASE_CLEAN_SHUTDOWN);
    assert_int_equal(header.signature.random, 0x4711);
    assert_int_equal(header.attach.generation, position.generation);
    assert_int_equal(header.database_id, 2);
    /* Detached, it is of that time. */
    begin_case();
    append_record(&record);
    finish_record(2);
    detach_record(2);
    detach_record(3);
    detach_record(0);
    detach_record(100);
    OK(crash_and_start());
    header = header_of("/b.edb");
    assert_int_equal(header.state, DATABASE_CLEAN_SHUTDOWN);
    assert_true(log_position_compare(header.consistent, appended) <= 0);
    check_rows();
}

static void creations_that_cannot_be(void **state)
{
    (void)state;
    struct database_record record;
    static const struct {
        uint8_t id;
        const char *path;
        unsigned flags;
        uint16_t version;
        JET_ERR answer;
    } cases[] = {
        {0, "/b.edb", LOG_CREATE_VERSION_INFO, LOG_CREATE_VERSION, JET_errLogCorrupted},
        {DATABASE_ID_MAX + 1, "/b.edb", LOG_CREATE_VERSION_INFO, LOG_CREATE_VERSION, JET_errLogCorrupted},
        {255, "/b.edb", LOG_CREATE_VERSION_INFO, LOG_CREATE_VERSION, JET_errLogCorrupted},
        {2, "/b.edb", 0, 0, JET_errInvalidCreateDbVersion},
        {2, "/b.edb", LOG_CREATE_VERSION_INFO, 9, JET_errInvalidCreateDbVersion},
        {2, "/none/b.edb", LOG_CREATE_VERSION_INFO, LOG_CREATE_VERSION, JET_errAttachedDatabaseMismatch},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        begin_case();
        record = create_record(cases[i].id, cases[i].path, cases[i].flags, cases[i].version);
        append_record(&record);
        const JET_ERR err = crash_and_start();
        if (err != cases[i].answer)
            print_message("case %d: %d\n", (int)i, (int)err);
        assert_int_equal(err, cases[i].answer);
        assert_false(exists("/b.edb"));
    }
    /* Texts that are no paths. */
    static char long_path[1100];
    memset(long_path, 'x', sizeof long_path - 1);
    long_path[0] = '/';
    long_path[550] = 0;
    begin_case();
    record =
        create_record(2, long_path, LOG_CREATE_VERSION_INFO | LOG_CREATE_UNICODE_NAMES, LOG_CREATE_VERSION);
    record.create.path_size = 2 * 1024 + 2;
    append(record.bytes, sizeof record.create + 4 + record.create.path_size);
    IS(crash_and_start(), JET_errLogFileCorrupt);
    begin_case();
    record = attach_record(2, long_path);
    record.attach.path_size = 1100;
    memset(record.bytes + sizeof record.attach, 'x', 1100);
    append(record.bytes, sizeof record.attach + 1100);
    IS(crash_and_start(), JET_errLogFileCorrupt);
    /* The place of a database that is attached; the same one once more, under the same number. */
    begin_case();
    record = create_record(2, database->path, LOG_CREATE_VERSION_INFO, LOG_CREATE_VERSION);
    append_record(&record);
    IS(crash_and_start(), JET_errDatabaseDuplicate);
    begin_case();
    record = create_record(2, "/b.edb", LOG_CREATE_VERSION_INFO, LOG_CREATE_VERSION);
    append_record(&record);
    append_record(&record);
    finish_record(2);
    OK(crash_and_start());
    assert_int_equal(header_of("/b.edb").state, DATABASE_CLEAN_SHUTDOWN);
}

static void attaches(void **state)
{
    (void)state;
    struct database_record record;
    /* A file that is not there. */
    begin_case();
    record = attach_record(2, "/b.edb");
    append_record(&record);
    IS(crash_and_start(), JET_errAttachedDatabaseMismatch);
    begin_case();
    append_record(&record);
    EsentHostCrash();
    init_grbit = JET_bitReplayIgnoreMissingDB;
    OK(init_instance());
    open_database(false);
    check_rows();
    /* It is detached again: nobody misses it. */
    begin_case();
    append_record(&record);
    detach_record(2);
    OK(crash_and_start());
    /* No database has this number. */
    begin_case();
    record = attach_record(0, "/b.edb");
    append_record(&record);
    IS(crash_and_start(), JET_errLogCorrupted);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_page),
        cmocka_unit_test(free_space_is_cleared),
        cmocka_unit_test(the_file_grows),
        cmocka_unit_test(the_file_shrinks),
        cmocka_unit_test(a_tree_with_extents),
        cmocka_unit_test(a_tree_of_one_extent),
        cmocka_unit_test(a_conversion),
        cmocka_unit_test(macros_that_make_no_sense),
        cmocka_unit_test(a_version),
        cmocka_unit_test(creations),
        cmocka_unit_test(creations_that_cannot_be),
        cmocka_unit_test(attaches),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
