/* Facts about log records: names, families, sizes, databases, the texts in them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "include/esent.h"
#include "src/log/records.h"

static void kinds(void **state)
{
    (void)state;
    static const struct {
        uint8_t type;
        const char *name;
        bool page, node;
        size_t size;
    } cases[] = {
        {LOG_RECORD_NOP, "NOP", false, false, 1},
        {LOG_RECORD_BEGIN, "BEGIN", false, false, 4},
        {LOG_RECORD_INSERT, "INSERT", true, true, 50},
        {LOG_RECORD_SPLIT2, "SPLIT2", true, false, 110},
        {LOG_RECORD_SCRUB, "SCRUB", true, true, 54},
        {LOG_RECORD_EXTENT_FREED2, "EXTENT_FREED2", false, false, sizeof(struct log_record_extent_freed2)},
        {LOG_RECORD_CHECKSUM, "UNKNOWN", false, false, 0},
        {40, "UNKNOWN", false, false, 0},
        {LOG_RECORD_TYPE_END, "UNKNOWN", false, false, 0},
        {255, "UNKNOWN", false, false, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_string_equal(log_record_name(cases[i].type), cases[i].name);
        assert_int_equal(log_record_is_page(cases[i].type), cases[i].page);
        assert_int_equal(log_record_is_node(cases[i].type), cases[i].node);
        assert_int_equal(log_record_fixed_size(cases[i].type), cases[i].size);
    }
}

/* A record of any type; its variable sizes are one byte each, or none. */
static _Alignas(8) uint8_t bytes[6000];

static void set16(size_t offset, uint16_t value)
{
    memcpy(bytes + offset, &value, sizeof value);
}

static void set32(size_t offset, uint32_t value)
{
    memcpy(bytes + offset, &value, sizeof value);
}

static void sizes(void **state)
{
    (void)state;
    static const struct {
        uint8_t type;
        size_t at[3]; /* where sizes stand: of two bytes each, of four from `wide` on */
        unsigned count, wide;
    } cases[] = {
#define AT(structure, field) offsetof(struct structure, field)
        {LOG_RECORD_SPLIT,
         {AT(log_record_split, parent_key_size), AT(log_record_split, prefix_split_old_size),
          AT(log_record_split, prefix_split_new_size)},
         3,
         3},
        {LOG_RECORD_SPLIT2,
         {AT(log_record_split2, split.parent_key_size), AT(log_record_split2, before_image_size)},
         2,
         1},
        {LOG_RECORD_MERGE, {AT(log_record_merge, parent_separator_size)}, 1, 1},
        {LOG_RECORD_MERGE2,
         {AT(log_record_merge2, merge.parent_separator_size), AT(log_record_merge2, before_image_size)},
         2,
         1},
        {LOG_RECORD_PAGE_MOVE,
         {AT(log_record_page_move, page_header_size), AT(log_record_page_move, page_trailer_size)},
         2,
         0},
        {LOG_RECORD_EMPTY_TREE, {AT(log_record_empty_tree, list_size)}, 1, 1},
        {LOG_RECORD_DELTA,
         {AT(log_record_delta, bookmark_key_size), AT(log_record_delta, bookmark_data_size)},
         2,
         2},
        {LOG_RECORD_DELTA64,
         {AT(log_record_delta64, bookmark_key_size), AT(log_record_delta64, bookmark_data_size)},
         2,
         2},
        {LOG_RECORD_INSERT,
         {AT(log_record_insert, suffix_size), AT(log_record_insert, prefix_size),
          AT(log_record_insert, data_size)},
         3,
         3},
        {LOG_RECORD_FLAG_INSERT,
         {AT(log_record_flag_insert, key_size), AT(log_record_flag_insert, data_size)},
         2,
         2},
        {LOG_RECORD_REPLACE, {AT(log_record_replace, size)}, 1, 1},
        {LOG_RECORD_REPLACE_DIFFERENCE, {AT(log_record_replace, size)}, 1, 1},
        {LOG_RECORD_UNDO_INFO,
         {AT(log_record_undo_info, bookmark_key_size), AT(log_record_undo_info, bookmark_data_size),
          AT(log_record_undo_info, data_size)},
         3,
         3},
        {LOG_RECORD_UNDO,
         {AT(log_record_undo, bookmark_key_size), AT(log_record_undo, bookmark_data_size)},
         2,
         2},
        {LOG_RECORD_SET_EXTERNAL_HEADER, {AT(log_record_set_external_header, data_size)}, 1, 1},
        {LOG_RECORD_SCRUB, {AT(log_record_scrub, data_size)}, 1, 1},
        {LOG_RECORD_FULL_BACKUP, {AT(log_record_path, size)}, 1, 1},
        {LOG_RECORD_INCREMENTAL_BACKUP, {AT(log_record_path, size)}, 1, 1},
        {LOG_RECORD_EXTERNAL_RESTORE_LEGACY, {AT(log_record_path, size)}, 1, 1},
        {LOG_RECORD_EXTERNAL_RESTORE, {AT(log_record_path, size)}, 1, 1},
        {LOG_RECORD_BACKUP_OBSOLETE, {AT(log_record_backup_obsolete, path_size)}, 1, 1},
        {LOG_RECORD_BACKUP, {AT(log_record_backup, path_size)}, 1, 1},
        {LOG_RECORD_CREATE_DATABASE, {AT(log_record_create_database, path_size)}, 1, 1},
        {LOG_RECORD_ATTACH_DATABASE, {AT(log_record_attach_database, path_size)}, 1, 1},
        {LOG_RECORD_DETACH_DATABASE, {AT(log_record_detach_database, path_size)}, 1, 1},
        {LOG_RECORD_TRACE, {AT(log_record_trace, size)}, 1, 1},
        {LOG_RECORD_FORCE_ROLLOVER, {AT(log_record_trace, size)}, 1, 1},
        {LOG_RECORD_PREPARE_COMMIT, {AT(log_record_prepare_commit, data_size)}, 1, 0},
        {LOG_RECORD_FRAGMENT_BEGIN, {AT(log_record_fragment_begin, fragment_size)}, 1, 1},
        {LOG_RECORD_FRAGMENT, {AT(log_record_fragment, fragment_size)}, 1, 1},
        {LOG_RECORD_NOP2, {AT(log_record_ignored, size)}, 1, 0},
        {LOG_RECORD_IGNORED19, {AT(log_record_ignored, size)}, 1, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        memset(bytes, 0, sizeof bytes);
        bytes[0] = cases[i].type;
        size_t size = log_record_fixed_size(cases[i].type);
        if (cases[i].type == LOG_RECORD_NOP2 || cases[i].type == LOG_RECORD_IGNORED19)
            size = sizeof(struct log_record_ignored);
        assert_int_equal(log_record_size(bytes, sizeof bytes), size);
        for (unsigned k = 0; k < cases[i].count; k++) {
            if (k < cases[i].wide)
                set16(cases[i].at[k], (uint16_t)(100 + k));
            else
                set32(cases[i].at[k], 100 + k);
            size += 100 + k;
        }
        if (log_record_size(bytes, sizeof bytes) != size)
            print_message("%s\n", log_record_name(cases[i].type));
        assert_int_equal(log_record_size(bytes, sizeof bytes), size);
        assert_int_equal(log_record_size(bytes, size), size);
        assert_int_equal(log_record_size(bytes, size - 1), 0); /* no more than there is */
    }
    assert_int_equal(log_record_size(bytes, 0), 0);
    /* The version information of a creation. */
    memset(bytes, 0, sizeof bytes);
    struct log_record_create_database *create = (void *)bytes;
    create->type = LOG_RECORD_CREATE_DATABASE;
    create->flags = LOG_CREATE_VERSION_INFO;
    assert_int_equal(log_record_size(bytes, 100), sizeof *create + 4);
}

static void databases(void **state)
{
    (void)state;
    static const struct {
        uint8_t type;
        size_t at;
    } cases[] = {
        {LOG_RECORD_INSERT, AT(log_record_page, database_id)},
        {LOG_RECORD_MERGE2, AT(log_record_page, database_id)},
        {LOG_RECORD_CREATE_DATABASE, AT(log_record_create_database, database_id)},
        {LOG_RECORD_ATTACH_DATABASE, AT(log_record_attach_database, database_id)},
        {LOG_RECORD_DETACH_DATABASE, AT(log_record_detach_database, database_id)},
        {LOG_RECORD_CREATE_DATABASE_FINISH, AT(log_record_create_database_finish, database_id)},
        {LOG_RECORD_SET_DATABASE_VERSION, AT(log_record_set_database_version, database_id)},
        {LOG_RECORD_SHRINK_DATABASE, AT(log_record_shrink_database, database_id)},
        {LOG_RECORD_SHRINK_DATABASE2, AT(log_record_shrink_database, database_id)},
        {LOG_RECORD_SHRINK_DATABASE3, AT(log_record_shrink_database, database_id)},
        {LOG_RECORD_TRIM_DATABASE, AT(log_record_trim_database, database_id)},
        {LOG_RECORD_NEW_PAGE, AT(log_record_new_page, database_id)},
        {LOG_RECORD_ROOT_PAGE_MOVE, AT(log_record_root_page_move, database_id)},
        {LOG_RECORD_SIGNAL_ATTACH_DATABASE, AT(log_record_signal_attach, database_id)},
        {LOG_RECORD_EXTENT_FREED, AT(log_record_extent_freed, database_id)},
        {LOG_RECORD_EXTENT_FREED2, AT(log_record_extent_freed, database_id)},
        {LOG_RECORD_EXTEND_DATABASE, AT(log_record_extend_database, database_id)},
        {LOG_RECORD_REATTACH, AT(log_record_reattach, database_id)},
        {LOG_RECORD_FREE_FDP, AT(log_record_free_fdp, database_id)},
        {LOG_RECORD_MACRO_INFO2, AT(log_record_macro_info2, database_id)},
        {LOG_RECORD_SCAN_CHECK, sizeof(struct log_record_ignored)},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        memset(bytes, 0, sizeof bytes);
        bytes[0] = cases[i].type;
        bytes[cases[i].at] = 5;
        if (i + 5 >= sizeof cases / sizeof *cases) {
            assert_int_equal(log_record_database(bytes), 0); /* it says that it has no content */
            set32(offsetof(struct log_record_ignored, size), 1);
        }
        assert_int_equal(log_record_database(bytes), 5);
    }
    bytes[0] = LOG_RECORD_BEGIN;
    assert_int_equal(log_record_database(bytes), 0);
}

static void paths(void **state)
{
    (void)state;
    static const struct {
        uint8_t type;
        size_t size_at, flags_at, text_at;
        uint8_t wide;
    } cases[] = {
        {LOG_RECORD_CREATE_DATABASE, AT(log_record_create_database, path_size),
         AT(log_record_create_database, flags), sizeof(struct log_record_create_database),
         LOG_CREATE_UNICODE_NAMES},
        {LOG_RECORD_ATTACH_DATABASE, AT(log_record_attach_database, path_size),
         AT(log_record_attach_database, flags), sizeof(struct log_record_attach_database),
         LOG_ATTACH_UNICODE_NAMES},
        {LOG_RECORD_DETACH_DATABASE, AT(log_record_detach_database, path_size),
         AT(log_record_detach_database, flags), sizeof(struct log_record_detach_database),
         LOG_DETACH_UNICODE_NAMES},
    };
    char path[20];
    for (size_t i = 0; i < 3; i++) {
        memset(bytes, 0, sizeof bytes);
        bytes[0] = cases[i].type;
        const size_t at = cases[i].text_at;
        memcpy(bytes + at, "/a.edb", 7);
        set16(cases[i].size_at, 7);
        assert_int_equal(log_record_path_text(bytes, at + 7, path, sizeof path), JET_errSuccess);
        assert_string_equal(path, "/a.edb");
        assert_int_equal(log_record_path_text(bytes, at + 6, path, sizeof path), JET_errLogFileCorrupt);
        assert_int_equal(log_record_path_text(bytes, at + 7, path, 7), JET_errSuccess);
        assert_int_equal(log_record_path_text(bytes, at + 7, path, 6), JET_errLogFileCorrupt);
        set16(cases[i].size_at, 4); /* without a NUL, it ends where its size says */
        assert_int_equal(log_record_path_text(bytes, at + 7, path, sizeof path), JET_errSuccess);
        assert_string_equal(path, "/a.e");
        static const uint16_t units[] = {'/', 0x65e5, 0};
        memcpy(bytes + at, units, sizeof units);
        bytes[cases[i].flags_at] = cases[i].wide;
        set16(cases[i].size_at, sizeof units);
        assert_int_equal(log_record_path_text(bytes, at + sizeof units, path, sizeof path), JET_errSuccess);
        assert_string_equal(path, "/\xe6\x97\xa5");
        assert_int_equal(log_record_path_text(bytes, at + sizeof units, path, 4), JET_errLogFileCorrupt);
        set16(cases[i].size_at, (uint16_t)(2 * (LOG_PATH_UNITS + 1)));
        assert_int_equal(log_record_path_text(bytes, sizeof bytes, path, sizeof path), JET_errLogFileCorrupt);
    }
    /* With version information in front of it. */
    memset(bytes, 0, sizeof bytes);
    bytes[0] = LOG_RECORD_CREATE_DATABASE;
    bytes[cases[0].flags_at] = LOG_CREATE_VERSION_INFO;
    memcpy(bytes + cases[0].text_at + 4, "b", 2);
    set16(cases[0].size_at, 2);
    assert_int_equal(log_record_path_text(bytes, cases[0].text_at + 6, path, sizeof path), JET_errSuccess);
    assert_string_equal(path, "b");
    bytes[0] = LOG_RECORD_BEGIN;
    assert_int_equal(log_record_path_text(bytes, sizeof bytes, path, sizeof path), JET_errLogFileCorrupt);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kinds),
        cmocka_unit_test(sizes),
        cmocka_unit_test(databases),
        cmocka_unit_test(paths),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
