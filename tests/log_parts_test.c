/* The small parts of log files: names, headers, lists of attached databases, texts in records, distances. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "include/esent_host.h"
#include "src/log/log.h"
#include "src/log/log_file_header.h"
#include "src/log/log_internal.h"
#include "src/page/checksum.h"

/* --- names --- */

static void generations_in_names(void **state)
{
    (void)state;
    static const struct {
        const char *digits;
        int32_t generation;
    } cases[] = {
        {"00001", 1},    {"0000a", 10},      {"0000F", 15},    {"000g1", 0},       {"0001", 0},
        {"000001", 0},   {"0000001", 0},     {"00000010", 16}, {"fffff", 0xfffff}, {"7fffffff", INT32_MAX},
        {"80000000", 0}, {"ffffffff", 0},    {"0000:", 0},     {"0000/", 0},       {"0000@", 0},
        {"0000G", 0},    {"99999", 0x99999}, {"00000", 0},     {"000 1", 0},       {"", 0}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_int_equal(log_parse_generation(cases[i].digits, strlen(cases[i].digits)), cases[i].generation);
}

/* --- headers --- */

static struct log_file_header good_header(void)
{
    return (struct log_file_header){.generation = 1,
                                    .sector_size = LOG_SECTOR_SIZE,
                                    .header_sectors = LOG_HEADER_SECTORS,
                                    .file_sectors = 4,
                                    .major = LOG_VERSION_MAJOR,
                                    .minor = LOG_VERSION_MINOR,
                                    .update_major = LOG_VERSION_UPDATE_MAJOR,
                                    .file_type = FILE_TYPE_LOG};
}

static JET_ERR verify(struct log_file_header header)
{
    checksum_header_set(&header, sizeof header);
    return log_file_header_verify(&header);
}

#define CHANGED(field, value, answer)                                                                        \
    do {                                                                                                     \
        struct log_file_header header = good_header();                                                       \
        header.field = value;                                                                                \
        assert_int_equal(verify(header), answer);                                                            \
    } while (0)

static void headers_are_verified(void **state)
{
    (void)state;
    assert_int_equal(verify(good_header()), JET_errSuccess);
    struct log_file_header damaged = good_header();
    checksum_header_set(&damaged, sizeof damaged);
    damaged.padding[7] ^= 1;
    assert_int_equal(log_file_header_verify(&damaged), JET_errLogFileCorrupt);
    CHANGED(file_type, 0, JET_errSuccess); /* older writers */
    CHANGED(file_type, FILE_TYPE_DATABASE, JET_errFileInvalidType);
    CHANGED(major, LOG_VERSION_MAJOR + 1, JET_errBadLogVersion);
    CHANGED(minor, LOG_VERSION_MINOR - 1, JET_errBadLogVersion);
    CHANGED(update_major, LOG_VERSION_UPDATE_MAJOR_READABLE, JET_errSuccess);
    CHANGED(update_major, LOG_VERSION_UPDATE_MAJOR_READABLE + 1, JET_errBadLogVersion);
    CHANGED(sector_size, 512, JET_errLogFileCorrupt);
    CHANGED(header_sectors, LOG_HEADER_SECTORS + 1, JET_errLogFileCorrupt);
    CHANGED(file_sectors, 3, JET_errLogFileCorrupt);
    CHANGED(generation, 0, JET_errLogFileCorrupt);
    CHANGED(generation, -1, JET_errLogFileCorrupt);
}

/* --- lists of attached databases --- */

static void attachments_come_back(void **state)
{
    (void)state;
    static const char *const paths[] = {"/a/a.edb", "/\xc3\xa4/\xe6\x97\xa5\xe6\x9c\xac.edb", "c"};
    uint8_t list[LOG_ATTACHMENTS_SIZE] = {0};
    size_t used = 0;
    for (uint8_t i = 0; i < 3; i++) {
        const struct attachment one = {
            .database_id = (uint8_t)(i + 1), .dbtime = 100u + i, .last_object = 10u + i};
        assert_int_equal(attachment_append(list, sizeof list, &used, &one, paths[i]), JET_errSuccess);
    }
    struct attachment found;
    char path[300];
    size_t offset = 0;
    for (uint8_t i = 0; i < 3; i++) {
        assert_true(attachment_next(list, sizeof list, &offset, &found, path, sizeof path));
        assert_int_equal(found.database_id, i + 1);
        assert_int_equal(found.dbtime, 100 + i);
        assert_int_equal(found.last_object, 10 + i);
        assert_int_equal(found.flags, ATTACHMENT_UNICODE_NAMES);
        assert_string_equal(path, paths[i]);
    }
    assert_int_equal(offset, used);
    assert_false(attachment_next(list, sizeof list, &offset, &found, path, sizeof path));
    /* Names of one byte a character. */
    struct attachment *first = (struct attachment *)(void *)list;
    first->flags = 0;
    memcpy(first->names, "b.edb", 6);
    first->names_size = 6;
    offset = 0;
    assert_true(attachment_next(list, sizeof list, &offset, &found, path, sizeof path));
    assert_string_equal(path, "b.edb");
    assert_int_equal(offset, sizeof *first + 6);
}

/* An entry fits if a zero stays behind it, and is read only if it lies inside whole. */
static void attachments_stay_inside(void **state)
{
    (void)state;
    const struct attachment one = {.database_id = 1};
    const size_t size = sizeof one + 2 * sizeof "c";
    for (size_t room = size - 1; room <= size + 2; room++) {
        uint8_t *list = calloc(1, room);
        size_t used = 0;
        const JET_ERR err = attachment_append(list, room, &used, &one, "c");
        assert_int_equal(err, room > size ? JET_errSuccess : JET_errTooManyAttachedDatabases);
        assert_int_equal(used, room > size ? size : 0);
        free(list);
    }
    uint8_t list[200] = {0};
    size_t used = 0;
    assert_int_equal(attachment_append(list, sizeof list, &used, &one, "c"), JET_errSuccess);
    for (size_t room = 0; room <= size; room++) {
        struct attachment found;
        char path[10];
        size_t offset = 0;
        uint8_t *copy = malloc(room + 1);
        memcpy(copy, list, room);
        assert_int_equal(attachment_next(copy, room, &offset, &found, path, sizeof path), room == size);
        free(copy);
    }
}

/* --- distances --- */

static void distances_are_bytes_of_log(void **state)
{
    (void)state;
    struct log_settings settings = {.log_directory = "/l/",
                                    .system_directory = "/l/",
                                    .base_name = "edb",
                                    .file_size = 16 * LOG_SECTOR_SIZE};
    struct log *log = NULL;
    assert_int_equal(log_create(&settings, &log), JET_errSuccess);
    const struct log_position a = {.byte = 20, .sector = 3, .generation = 2};
    const struct log_position b = {.byte = 30, .sector = 3, .generation = 2};
    const struct log_position c = {.byte = 10, .sector = 1, .generation = 4};
    assert_int_equal(log_distance(log, a, a), 0);
    assert_int_equal(log_distance(log, a, b), 10);
    assert_int_equal(log_distance(log, b, a), 0);
    assert_int_equal(log_distance(log, a, c), 2 * settings.file_size - 2 * LOG_SECTOR_SIZE - 10);
    log_destroy(log);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(generations_in_names),       cmocka_unit_test(headers_are_verified),
        cmocka_unit_test(attachments_come_back),      cmocka_unit_test(attachments_stay_inside),
        cmocka_unit_test(distances_are_bytes_of_log),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
