/* Records against a plain model: fixed, variable and tagged columns on all page sizes, and damaged records.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "src/catalog/record.h"

static uint32_t seed = 3;
static uint32_t next_random(uint32_t limit)
{
    seed = seed * 1664525u + 1013904223u;
    return (seed >> 8) % limit;
}

#define COLUMNS 15
#define VALUES 6
#define SIZE_MOST 60

struct model_value {
    uint32_t size;
    uint8_t bytes[SIZE_MOST];
};

struct model_column {
    bool set;  /* the record has a word on it */
    bool null; /* explicitly */
    uint32_t count;
    struct model_value values[VALUES];
};

static const struct column_definition designs[COLUMNS] = {
    {.id = 1, .type = JET_coltypLong, .max_size = 4},
    {.id = 2, .type = JET_coltypUnsignedByte, .max_size = 1},
    {.id = 3, .type = JET_coltypGUID, .max_size = 16},
    {.id = 4, .type = JET_coltypShort, .max_size = 2},
    {.id = 5, .type = JET_coltypLongLong, .max_size = 8},
    {.id = 128, .type = JET_coltypText, .code_page = 1252, .max_size = 255},
    {.id = 129, .type = JET_coltypBinary, .max_size = 255},
    {.id = 130, .type = JET_coltypBinary, .max_size = 255},
    {.id = 256, .type = JET_coltypLongBinary, .flags = COLUMN_FLAG_MULTIVALUED},
    {.id = 257, .type = JET_coltypBinary, .max_size = 255, .flags = COLUMN_FLAG_MULTIVALUED},
    {.id = 258, .type = JET_coltypLong, .max_size = 4, .flags = COLUMN_FLAG_MULTIVALUED},
    {.id = 259, .type = JET_coltypLongText, .code_page = 1252},
    {.id = 260, .type = JET_coltypBinary, .max_size = 255, .flags = COLUMN_FLAG_DEFAULT},
    {.id = 261, .type = JET_coltypLongBinary, .flags = COLUMN_FLAG_MULTIVALUED},
    {.id = 262, .type = JET_coltypShort, .max_size = 2, .flags = COLUMN_FLAG_MULTIVALUED},
};

static struct table_definition *new_table(uint32_t page_size)
{
    static uint8_t standard[] = "dflt";
    struct table_definition *table = NULL;
    assert_int_equal(table_definition_create(&table), JET_errSuccess);
    table->page_size = page_size;
    for (size_t i = 0; i < COLUMNS; i++) {
        struct column_definition column = designs[i];
        if (column_id_is_fixed(column.id))
            column.record_offset = table->fixed_end;
        if (column.flags & COLUMN_FLAG_DEFAULT) {
            column.default_value = standard;
            column.default_size = 4;
        }
        column.state = DEFINITION_COMMITTED;
        assert_int_equal(table_definition_add_column(table, &column, NULL), JET_errSuccess);
    }
    return table;
}

static void assert_value(const struct value *value, const struct model_value *model)
{
    assert_int_equal(value->kind, VALUE_PLAIN);
    assert_int_equal(value->size, model->size);
    assert_memory_equal(value->data, model->bytes, model->size);
}

static void assert_tagged(const struct table_definition *table, struct record_view view,
                          const struct column_definition *column, const struct model_column *model)
{
    bool found = false;
    struct tagged_field field;
    struct value value;
    assert_int_equal(tagged_find(view, table->page_size, column, &found, &field), JET_errSuccess);
    assert_int_equal(found, model->set);
    if (found)
        assert_int_equal(field.value_count, model->count);
    for (uint32_t itag = 1; itag <= model->count; itag++) {
        assert_int_equal(tagged_get(table, view, column, itag, &value), JET_errSuccess);
        assert_value(&value, &model->values[itag - 1]);
    }
    if (model->count == 0) {
        assert_int_equal(tagged_get(table, view, column, 1, &value), JET_errSuccess);
        const bool standard = !model->set && column->default_value != NULL;
        assert_int_equal(value.kind, standard      ? VALUE_DEFAULT
                                     : model->null ? VALUE_NULL
                                                   : VALUE_DEFAULT_NULL);
    }
}

static void assert_same(const struct table_definition *table, const struct record *record,
                        const struct model_column *model)
{
    const struct record_view view = {record->data, record->size};
    assert_int_equal(record_check(view, table->page_size), JET_errSuccess);
    for (size_t i = 0; i < COLUMNS; i++) {
        const struct column_definition *column = table_definition_column(table, designs[i].id);
        struct value value;
        if (column_id_is_tagged(column->id)) {
            assert_tagged(table, view, column, &model[i]);
            continue;
        }
        assert_int_equal(record_get(table, view, column, &value), JET_errSuccess);
        if (model[i].count == 0)
            assert_true(value.kind == VALUE_NULL || value.kind == VALUE_DEFAULT_NULL);
        else
            assert_value(&value, &model[i].values[0]);
    }
}

static void random_value(const struct column_definition *column, struct model_value *value)
{
    const uint32_t fixed = column_type_size(column->type);
    value->size = fixed != 0 ? fixed : next_random(SIZE_MOST);
    for (uint32_t i = 0; i < value->size; i++)
        value->bytes[i] = (uint8_t)next_random(256);
}

static void set_plain(const struct table_definition *table, struct record *record,
                      const struct column_definition *column, struct model_column *model)
{
    struct model_value value;
    random_value(column, &value);
    const bool null = next_random(4) == 0;
    JET_ERR err = record_set(table, record, column, null ? NULL : value.bytes, value.size);
    if (err == JET_errRecordTooBig)
        return;
    assert_int_equal(err, JET_errSuccess);
    model->count = !null;
    model->values[0] = value;
}

static void model_remove(struct model_column *model, uint32_t itag, bool standard)
{
    if (itag >= 1 && itag <= model->count) {
        memmove(&model->values[itag - 1], &model->values[itag],
                (model->count - itag) * sizeof(model->values[0]));
        model->count--;
        model->set = model->count > 0 || standard;
        model->null = model->count == 0 && standard;
    } else if (itag == 1 && standard) {
        model->set = true;
        model->null = true;
    }
}

static void set_tagged(const struct table_definition *table, struct record *record,
                       const struct column_definition *column, struct model_column *model)
{
    struct model_value value;
    const bool several = (column->flags & COLUMN_FLAG_MULTIVALUED) != 0;
    uint32_t itag = several ? next_random(VALUES + 1) : 1;
    random_value(column, &value);
    if (next_random(3) == 0) {
        JET_ERR err = tagged_set(table, record, column, itag, NULL, 0, 0);
        if (err == JET_errRecordTooBig)
            return;
        assert_int_equal(err, JET_errSuccess);
        model_remove(model, itag, column->default_value != NULL);
        return;
    }
    if ((itag == 0 || itag > model->count) && model->count == VALUES)
        return; /* the model is full */
    JET_ERR err = tagged_set(table, record, column, itag, value.bytes, value.size, 0);
    if (err == JET_errRecordTooBig)
        return;
    assert_int_equal(err, JET_errSuccess);
    const uint32_t place = itag == 0 || itag > model->count ? model->count++ : itag - 1;
    model->values[place] = value;
    model->set = true;
    model->null = false;
}

static void records_follow_the_model(void **state)
{
    static const uint32_t sizes[] = {2048, 4096, 8192, 16384, 32768};
    (void)state;
    for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
        struct table_definition *table = new_table(sizes[s]);
        for (int round = 0; round < 30; round++) {
            struct model_column model[COLUMNS] = {0};
            struct record record = {malloc(sizes[s]), 0, sizes[s]};
            assert_non_null(record.data);
            record_init(&record);
            for (int step = 0; step < 120; step++) {
                const size_t i = next_random(COLUMNS);
                const struct column_definition *column = table_definition_column(table, designs[i].id);
                if (column_id_is_tagged(column->id))
                    set_tagged(table, &record, column, &model[i]);
                else
                    set_plain(table, &record, column, &model[i]);
                assert_same(table, &record, model);
            }
            free(record.data);
        }
        table_definition_free(table);
    }
}

static void read_all(const struct table_definition *table, struct record_view view)
{
    struct value value;
    struct tagged_field field;
    uint32_t count = 0;
    for (size_t i = 0; i < COLUMNS; i++) {
        const struct column_definition *column = table_definition_column(table, designs[i].id);
        if (!column_id_is_tagged(column->id))
            (void)record_get(table, view, column, &value);
        for (uint32_t itag = 1; column_id_is_tagged(column->id) && itag < 9; itag++)
            (void)tagged_get(table, view, column, itag, &value);
    }
    if (tagged_count(view, table->page_size, &count) < JET_errSuccess)
        return;
    for (uint32_t i = 0; i < count; i++) {
        if (tagged_field_at(view, table->page_size, i, &field) < JET_errSuccess)
            continue;
        for (uint32_t itag = 1; itag <= field.value_count && itag < 50; itag++) {
            if (tagged_value(&field, itag, &value) >= JET_errSuccess && value.size > 0)
                assert_true(value.data >= view.data && value.data + value.size <= view.data + view.size);
        }
    }
}

/* A record from a damaged file is refused or read, but never read beyond. */
static void damaged_records_are_safe(void **state)
{
    (void)state;
    for (int large = 0; large < 2; large++) {
        const uint32_t page_size = large ? 16384 : 4096;
        struct table_definition *table = new_table(page_size);
        for (int round = 0; round < 300; round++) {
            struct model_column model[COLUMNS] = {0};
            struct record record = {malloc(page_size), 0, page_size};
            assert_non_null(record.data);
            record_init(&record);
            for (int step = 0; step < 30; step++) {
                const size_t i = next_random(COLUMNS);
                const struct column_definition *column = table_definition_column(table, designs[i].id);
                if (column_id_is_tagged(column->id))
                    set_tagged(table, &record, column, &model[i]);
                else
                    set_plain(table, &record, column, &model[i]);
            }
            for (int damage = 0; damage < 40; damage++) {
                const uint32_t size = next_random(4) == 0 ? next_random(record.size + 1) : record.size;
                uint8_t *exact = malloc(size + 1u);
                assert_non_null(exact);
                memcpy(exact, record.data, size);
                for (uint32_t hits = 1 + next_random(3); size > 0 && hits > 0; hits--)
                    exact[next_random(size)] = (uint8_t)next_random(256);
                uint8_t *tight = malloc(size == 0 ? 1 : size);
                assert_non_null(tight);
                memcpy(tight, exact, size);
                const struct record_view view = {tight, size};
                if (record_check(view, page_size) >= JET_errSuccess)
                    read_all(table, view);
                read_all(table, view);
                free(tight);
                free(exact);
            }
            free(record.data);
        }
        table_definition_free(table);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_follow_the_model),
        cmocka_unit_test(damaged_records_are_safe),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
