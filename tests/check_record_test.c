/* What the checker says of a record's bytes: one right record of each kind, and what can be wrong with it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "include/esent_host.h"
#include "src/check/check.h"

static char said[300];
static uint64_t referred; /* sum of the ids of long values */

static void note(void *context, const struct ESENT_HOST_FINDING *finding)
{
    (void)context;
    snprintf(said, sizeof said, "%s", finding->text);
}

static JET_ERR refer(void *context, uint64_t id)
{
    (void)context;
    referred += id;
    return id == 0xdead ? JET_errOutOfMemory : JET_errSuccess;
}

/* Header: last fixed column, last variable column, end of the fixed part (2 bytes); then fixed columns, their
 * null bits, offsets of the variable columns and their bytes, tags (id, offset) and their fields. */
#define R(...) (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__})
#define NONE 0, 127, 4, 0                         /* no columns */
#define TAG(id, at) (id), 1, (at)&0xff, (at) >> 8 /* column 256 + id */
#define NULL_TAG 0x2000
#define EXTENDED 0x4000
#define DERIVED 0x8000

static const struct {
    const uint8_t *bytes;
    size_t size;
    bool large;
    const char *says; /* NULL: it is right */
    uint64_t refers;
    JET_ERR err;
} rows[] = {
    {R(NONE), false, NULL, 0, 0},
    {R(0, 127, 4), false, "the fixed part makes no sense", 0, 0},
    {R(200, 127, 4, 0), false, "the fixed part makes no sense", 0, 0},
    {R(9, 127, 5, 0, 0), false, "the fixed part makes no sense", 0, 0},
    {R(1, 127, 40, 0, 0), false, "the fixed part makes no sense", 0, 0},
    {R(0, 100, 4, 0), false, "the number of the last variable column makes no sense", 0, 0},
    /* columns that the catalog knows: number 2 has two bytes at 8 */
    {R(2, 127, 11, 0, 1, 1, 1, 1, 2, 2, 0), false, NULL, 0, 0},
    {R(2, 127, 12, 0, 1, 1, 1, 1, 2, 2, 2, 0), false, "the fixed part has another size than the columns", 0,
     0},
    {R(3, 127, 12, 0, 1, 1, 1, 1, 2, 2, 2, 0), false, NULL, 0, 0}, /* its last column is not known */
    /* variable columns */
    {R(0, 129, 4, 0, 1, 0, 3, 0, 'a', 'b', 'c'), false, NULL, 0, 0},
    {R(0, 129, 4, 0, 1, 0, 3, 0x80, 'a', 'b', 'c'), false, NULL, 0, 0}, /* the second is null */
    {R(0, 129, 4, 0, 1, 0), false, "the variable columns' offsets reach beyond the record", 0, 0},
    {R(0, 129, 4, 0, 3, 0, 1, 0, 'a', 'b', 'c'), false, "a variable column lies outside the record", 0, 0},
    {R(0, 129, 4, 0, 1, 0, 9, 0, 'a', 'b', 'c'), false, "a variable column lies outside the record", 0, 0},
    /* tagged columns */
    {R(NONE, TAG(0, 4), 'x'), false, NULL, 0, 0},
    {R(NONE, TAG(0, 8), TAG(1, 9), 'x', 'y'), false, NULL, 0, 0},
    {R(NONE, 0, 1), false, "the tagged part makes no sense", 0, 0},
    {R(NONE, TAG(0, 2), 'x'), false, "the tagged part makes no sense", 0, 0},
    {R(NONE, TAG(0, 6), 'x', 'y'), false, "the tagged part makes no sense", 0, 0},
    {R(NONE, TAG(0, 40), 'x'), false, "the tagged part makes no sense", 0, 0},
    {R(NONE, TAG(1, 8), TAG(0, 9), 'x', 'y'), false, "tagged columns are not in order", 0, 0},
    {R(NONE, 5, 0, 4, 0, 'x'), false, "tagged columns are not in order", 0, 0}, /* no tagged column's id */
    {R(NONE, TAG(5, 8 | DERIVED), TAG(0, 9), 'x', 'y'), false, NULL, 0, 0},     /* derived ones come first */
    {R(NONE, TAG(0, 8), TAG(5, 9 | DERIVED), 'x', 'y'), false, "tagged columns are not in order", 0, 0},
    {R(NONE, TAG(0, 8), TAG(1, 20), 'x', 'y'), false, "a tagged field lies outside the record", 0, 0},
    {R(NONE, TAG(0, 12), TAG(1, 13), TAG(2, 12), 'x', 'y'), false, "a tagged field lies outside the record",
     0, 0},
    {R(NONE, TAG(0, 12), TAG(1, 4), TAG(2, 12), 'x', 'y'), false, "a tagged field lies outside the record", 0,
     0},
    {R(NONE, TAG(0, 4 | NULL_TAG)), false, NULL, 0, 0},
    {R(NONE, TAG(0, 4 | NULL_TAG), 'x'), false, "a null field has data", 0, 0},
    {R(NONE, TAG(0, 4 | NULL_TAG | EXTENDED)), false, "a null field has data", 0, 0},
    /* fields with a byte of flags */
    {R(NONE, TAG(0, 4 | EXTENDED), 0x01, 'x'), false, NULL, 0, 0},
    {R(NONE, TAG(0, 4 | EXTENDED)), false, "a tagged field lacks its header", 0, 0},
    {R(NONE, TAG(0, 4), 0x01, 'x'), true, NULL, 0, 0}, /* large pages: all of them */
    {R(NONE, TAG(0, 4)), true, "a tagged field lacks its header", 0, 0},
    {R(NONE, TAG(0, 4), 0x20), true, NULL, 0, 0},
    {R(NONE, TAG(0, 4), 0x20, 'x'), true, "a null field has data", 0, 0},
    {R(NONE, TAG(0, 4 | EXTENDED), 0x18, 1, 'x', 'y'), false, NULL, 0, 0},
    {R(NONE, TAG(0, 4 | EXTENDED), 0x18, 3, 'x', 'y'), false, "a field of two values makes no sense", 0, 0},
    {R(NONE, TAG(0, 4 | EXTENDED), 0x18), false, "a field of two values makes no sense", 0, 0},
    {R(NONE, TAG(0, 4 | EXTENDED), 0x05, 7, 0, 0, 0), false, NULL, 7, 0},
    {R(NONE, TAG(0, 4 | EXTENDED), 0x05, 7, 0, 0, 0, 1, 0, 0, 0), false, NULL, 0x100000007, 0},
    {R(NONE, TAG(0, 4 | EXTENDED), 0x05, 7, 0, 0), false, "a separated long value without an id", 0, 0},
    {R(NONE, TAG(0, 4 | EXTENDED), 0x04, 7, 0, 0, 0), false, "a short column with a separated value", 7, 0},
    {R(NONE, TAG(0, 4 | EXTENDED), 0x05, 0xad, 0xde, 0, 0), false, NULL, 0xdead, JET_errOutOfMemory},
    /* several values */
    {R(NONE, TAG(0, 4 | EXTENDED), 0x08, 4, 0, 5, 0, 'x', 'y'), false, NULL, 0, 0},
    {R(NONE, TAG(0, 4 | EXTENDED), 0x09, 4, 0x80, 8, 0, 7, 0, 0, 0, 'y'), false, NULL, 7, 0},
    {R(NONE, TAG(0, 4 | EXTENDED), 0x09, 4, 0x80, 8, 0, 0xad, 0xde, 0, 0, 'y'), false, NULL, 0xdead,
     JET_errOutOfMemory},
    {R(NONE, TAG(0, 4 | EXTENDED), 0x09, 4, 0x80, 6, 0, 7, 0), false, "a separated long value without an id",
     0, 0},
    {R(NONE, TAG(0, 4 | EXTENDED), 0x08, 4), false, "a multi-valued field makes no sense", 0, 0},
    {R(NONE, TAG(0, 4 | EXTENDED), 0x08, 2, 0, 0, 0), false, "a multi-valued field makes no sense", 0, 0},
    {R(NONE, TAG(0, 4 | EXTENDED), 0x08, 5, 0, 0, 0, 0), false, "a multi-valued field makes no sense", 0, 0},
    {R(NONE, TAG(0, 4 | EXTENDED), 0x08, 40, 0, 0, 0, 0), false, "a multi-valued field makes no sense", 0, 0},
    {R(NONE, TAG(0, 4 | EXTENDED), 0x08, 4, 0, 9, 0, 'x'), false,
     "a value of a multi-valued field lies outside it", 0, 0},
    {R(NONE, TAG(0, 4 | EXTENDED), 0x08, 6, 0, 7, 0, 6, 0, 'x'), false,
     "a value of a multi-valued field lies outside it", 0, 0},
    {R(NONE, TAG(0, 4 | EXTENDED), 0x08, 6, 0, 2, 0, 6, 0, 'x'), false,
     "a value of a multi-valued field lies outside it", 0, 0},
};

static void each_record_is_judged(void **state)
{
    (void)state;
    struct check_column columns[] = {{.table = 40, .id = 1, .offset = 4, .size = 4},
                                     {.table = 40, .id = 2, .offset = 8, .size = 2},
                                     {.table = 40, .id = 3, .offset = 0, .size = 9},
                                     {.table = 41, .id = 2, .offset = 30, .size = 2}};
    struct check check = {
        .callback = note, .columns = columns, .column_count = sizeof columns / sizeof columns[0]};
    check.header.state = DATABASE_CLEAN_SHUTDOWN;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct record_check record = {.check = &check, .table = 40, .page = 30, .long_value = refer};
        uint8_t *exact = malloc(rows[i].size); /* reading behind the end is seen */
        memcpy(exact, rows[i].bytes, rows[i].size);
        check.page_size = rows[i].large ? 16384 : 4096;
        said[0] = 0;
        referred = 0;
        JET_ERR err = check_record(&record, span_of(exact, rows[i].size));
        if (err != rows[i].err || referred != rows[i].refers ||
            (rows[i].says == NULL ? said[0] != 0 : strstr(said, rows[i].says) == NULL))
            fail_msg("row %zu: %d \"%s\", refers to %llx", i, err, said, (unsigned long long)referred);
        free(exact);
    }
    /* nobody asks for the long values */
    struct record_check record = {.check = &check, .table = 40};
    static const uint8_t separated[] = {NONE, TAG(0, 4 | EXTENDED), 0x05, 7, 0, 0, 0};
    check.page_size = 4096;
    assert_int_equal(check_record(&record, span_of(separated, sizeof separated)), JET_errSuccess);
    /* the catalog's own columns are no matter */
    record.table = CHECK_CATALOG_OBJECT;
    static const uint8_t fixed[] = {2, 127, 12, 0, 1, 1, 1, 1, 2, 2, 2, 0};
    said[0] = 0;
    assert_int_equal(check_record(&record, span_of(fixed, sizeof fixed)), JET_errSuccess);
    record.table = CHECK_SHADOW_OBJECT;
    assert_int_equal(check_record(&record, span_of(fixed, sizeof fixed)), JET_errSuccess);
    assert_string_equal(said, "");
}

static bool fixed_of(const uint8_t *bytes, size_t size, uint32_t offset, uint32_t column, uint32_t *value)
{
    return record_fixed(span_of(bytes, size), offset, column, value, 4);
}

static void columns_are_read(void **state)
{
    (void)state;
    uint32_t value = 0;
    struct span text;
    static const uint8_t record[] = {2, 129, 13, 0, 1, 2, 3, 4, 5, 6, 7, 8, 2, 2, 0, 3, 0x80, 'a', 'b', 'c'};
    assert_true(fixed_of(record, sizeof record, 4, 1, &value));
    assert_int_equal(value, 0x04030201);
    assert_false(fixed_of(record, sizeof record, 8, 2, &value)); /* null */
    assert_false(fixed_of(record, sizeof record, 8, 3, &value)); /* not there */
    assert_false(fixed_of(record, sizeof record, 9, 1, &value)); /* into the null bits */
    assert_false(fixed_of(record, 3, 4, 1, &value));
    assert_true(record_variable(span_of(record, sizeof record), 128, &text));
    assert_int_equal(text.size, 2);
    assert_memory_equal(text.bytes, "ab", 2);
    assert_false(record_variable(span_of(record, sizeof record), 129, &text)); /* null */
    assert_false(record_variable(span_of(record, sizeof record), 130, &text)); /* not there */
    assert_false(record_variable(span_of(record, 3), 128, &text));
    assert_false(record_variable(span_of(record, 16), 128, &text));                /* half an offset */
    assert_false(record_variable(span_of(record, sizeof record - 2), 128, &text)); /* half a value */
    static const uint8_t backwards[] = {0, 129, 4, 0, 3, 0, 1, 0, 'a', 'b', 'c'};
    assert_false(record_variable(span_of(backwards, sizeof backwards), 129, &text));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_record_is_judged),
        cmocka_unit_test(columns_are_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
