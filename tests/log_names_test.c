/* Names in logs: how much room a path takes in a header's list of databases, and texts that are too long, cut
 * or no text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "include/esent.h"
#include "src/log/log_file_header.h"
#include "src/log/records.h"
#include "src/os/path.h"

/* One unit of UTF-16 for each character up to U+FFFF, two for the others. */
static void paths_take_two_bytes_a_unit(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        size_t units; /* with the final zero */
    } cases[] = {
        {"", 1},
        {"a", 2},
        {"\x7f", 2},
        {"\xc2\x80", 2},
        {"\xdf\xbf", 2},
        {"\xe0\xa0\x80", 2},
        {"\xef\xbf\xbd", 2},
        {"\xf0\x90\x80\x80", 3}, /* U+10000 */
        {"\xf4\x8f\xbf\xbf", 3}, /* U+10FFFF */
        {"/a/\xf0\x9f\x98\x80\xc3\xa4.edb", 11},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint8_t list[200] = {0};
        const struct attachment one = {.database_id = 1};
        struct attachment found;
        char path[40];
        size_t used = 0, offset = 0;
        assert_int_equal(attachment_size(cases[i].path), sizeof one + 2 * cases[i].units);
        assert_int_equal(attachment_append(list, sizeof list, &used, &one, cases[i].path), JET_errSuccess);
        assert_int_equal(used, sizeof one + 2 * cases[i].units);
        assert_true(attachment_next(list, sizeof list, &offset, &found, path, sizeof path));
        assert_string_equal(path, cases[i].path);
        assert_int_equal(offset, used);
    }
}

static void what_is_no_path_is_not_added(void **state)
{
    (void)state;
    uint8_t list[200] = {0};
    const struct attachment one = {.database_id = 1};
    size_t used = 0;
    char *path = malloc(LOG_PATH_UNITS + 1);
    memset(path, 'x', LOG_PATH_UNITS);
    path[LOG_PATH_UNITS] = 0;
    assert_true(attachment_append(list, sizeof list, &used, &one, path) < JET_errSuccess);
    assert_int_equal(used, 0);
    assert_int_equal(list[0], 0);
    free(path);
}

/* A name that the reader has no room for ends the list. */
static void long_names_end_the_list(void **state)
{
    (void)state;
    uint8_t list[200] = {0};
    const struct attachment one = {.database_id = 1};
    size_t used = 0;
    assert_int_equal(attachment_append(list, sizeof list, &used, &one, "abcd"), JET_errSuccess);
    for (size_t room = 1; room <= 6; room++) {
        struct attachment found;
        char path[10];
        size_t offset = 0;
        assert_int_equal(attachment_next(list, sizeof list, &offset, &found, path, room), room > 4);
        assert_int_equal(offset, room > 4 ? used : 0);
    }
}

static void texts_are_read_up_to_their_zero(void **state)
{
    (void)state;
    char path[OS_PATH_SIZE];
    const size_t size = (LOG_PATH_UNITS + 1) * 2;
    uint8_t *text = malloc(size);
    for (size_t i = 0; i < size; i++)
        text[i] = i % 2 == 0 ? 'x' : 0;
    /* As many units as a path may have, without a zero; one more. */
    char *room = malloc(LOG_PATH_UNITS + 1);
    assert_int_equal(log_text_decode(text, LOG_PATH_UNITS * 2, true, room, LOG_PATH_UNITS + 1),
                     JET_errSuccess);
    assert_int_equal(strlen(room), LOG_PATH_UNITS);
    assert_int_equal(log_text_decode(text, LOG_PATH_UNITS * 2, true, room, LOG_PATH_UNITS),
                     JET_errLogFileCorrupt);
    assert_int_equal(log_text_decode(text, size, true, room, LOG_PATH_UNITS + 1), JET_errLogFileCorrupt);
    free(room);
    /* Half a unit at the end is none. */
    assert_int_equal(log_text_decode(text, 7, true, path, sizeof path), JET_errSuccess);
    assert_string_equal(path, "xxx");
    text[2] = 0;
    assert_int_equal(log_text_decode(text, 8, true, path, sizeof path), JET_errSuccess);
    assert_string_equal(path, "x");
    /* One byte a character. */
    memcpy(text, "abcd\0ef", 7);
    for (size_t most = 1; most <= 6; most++) {
        const JET_ERR err = log_text_decode(text, 7, false, path, most);
        assert_int_equal(err, most > 4 ? JET_errSuccess : JET_errLogFileCorrupt);
        if (most > 4)
            assert_string_equal(path, "abcd");
    }
    assert_int_equal(log_text_decode(text, 3, false, path, 4), JET_errSuccess);
    assert_string_equal(path, "abc");
    assert_int_equal(log_text_decode(text, 3, false, path, 3), JET_errLogFileCorrupt);
    assert_int_equal(log_text_decode(text, 0, false, path, 1), JET_errSuccess);
    assert_string_equal(path, "");
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths_take_two_bytes_a_unit),
        cmocka_unit_test(what_is_no_path_is_not_added),
        cmocka_unit_test(long_names_end_the_list),
        cmocka_unit_test(texts_are_read_up_to_their_zero),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
