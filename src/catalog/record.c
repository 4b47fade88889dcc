#include "src/catalog/record.h"

#include "src/os/error.h"

/* What the engine puts into fixed columns that never had a value. */
#define FILL_BYTE '*'
#define NULL_BIT 0x8000u
#define VARIABLE_NONE (COLUMN_VARIABLE_FIRST - 1)

static uint16_t load16(const uint8_t *p)
{
    return (uint16_t)(p[0] | p[1] << 8);
}

static void store16(uint8_t *p, uint32_t value)
{
    p[0] = (uint8_t)value;
    p[1] = (uint8_t)(value >> 8);
}

/* The places inside a record, all checked against its size. */
struct layout {
    uint32_t fixed_last;
    uint32_t variable_last;
    uint32_t null_bits; /* offset of the null-bit array */
    uint32_t offsets;   /* offset of the variable offsets */
    uint32_t variable;  /* offset of the variable data */
    uint32_t tagged;    /* offset of the tagged part */
};

static JET_ERR layout_read(struct record_view view, struct layout *layout)
{
    if (view.size < RECORD_HEADER_SIZE)
        return JET_errDatabaseCorrupted;
    layout->fixed_last = view.data[0];
    layout->variable_last = view.data[1];
    layout->offsets = load16(view.data + 2);
    if (layout->fixed_last > COLUMN_FIXED_LAST || layout->variable_last < VARIABLE_NONE)
        return JET_errDatabaseCorrupted;
    uint32_t bits = (layout->fixed_last + 7) / 8;
    uint32_t count = layout->variable_last - VARIABLE_NONE;
    if (layout->offsets < RECORD_HEADER_SIZE + bits || layout->offsets + 2 * count > view.size)
        return JET_errDatabaseCorrupted;
    layout->null_bits = layout->offsets - bits;
    layout->variable = layout->offsets + 2 * count;
    uint32_t end = count == 0 ? 0 : load16(view.data + layout->variable - 2) & ~NULL_BIT;
    layout->tagged = layout->variable + end;
    return layout->tagged > view.size ? JET_errDatabaseCorrupted : JET_errSuccess;
}

JET_ERR record_tagged_offset(struct record_view view, uint32_t *offset)
{
    struct layout layout;
    JET_ERR err = layout_read(view, &layout);
    if (err == JET_errSuccess)
        *offset = layout.tagged;
    return err;
}

static struct record_view record_as_view(const struct record *record)
{
    return (struct record_view){record->data, record->size};
}

uint32_t record_size_max(const struct table_definition *table)
{
    const bool large = table->page_size > 8192;
    const uint32_t data_max = table->page_size - (large ? 80u : 40u) - 8u;
    const uint32_t key_max = table->primary != NULL ? table->primary->key_max : 4u;
    if (large)
        return data_max - 4 - key_max;
    return data_max - 2 - (key_max + 2 > 255 ? key_max + 2 : 255);
}

void record_init(struct record *record)
{
    ASSERT(record->capacity >= RECORD_HEADER_SIZE);
    record->data[0] = 0;
    record->data[1] = VARIABLE_NONE;
    store16(record->data + 2, RECORD_HEADER_SIZE);
    record->size = RECORD_HEADER_SIZE;
}

static void value_from_default(const struct column_definition *column, struct value *out)
{
    *out = (struct value){.kind = VALUE_DEFAULT_NULL};
    if (column_has_default(column)) {
        out->kind = VALUE_DEFAULT;
        out->data = column->default_value;
        out->size = column->default_size;
    }
}

static JET_ERR get_fixed(struct record_view view, const struct layout *layout,
                         const struct column_definition *column, struct value *out)
{
    uint32_t index = column->id - COLUMN_FIXED_FIRST;
    if (view.data[layout->null_bits + index / 8] & 1u << index % 8) {
        *out = (struct value){.kind = VALUE_NULL};
        return JET_errSuccess;
    }
    if (column->record_offset + column->max_size > layout->null_bits)
        return JET_errDatabaseCorrupted;
    *out = (struct value){VALUE_PLAIN, false, view.data + column->record_offset, column->max_size};
    return JET_errSuccess;
}

static JET_ERR get_variable(struct record_view view, const struct layout *layout, uint32_t id,
                            struct value *out)
{
    uint32_t index = id - COLUMN_VARIABLE_FIRST;
    uint32_t entry = load16(view.data + layout->offsets + 2 * index);
    if (entry & NULL_BIT) {
        *out = (struct value){.kind = VALUE_NULL};
        return JET_errSuccess;
    }
    uint32_t start = index == 0 ? 0 : load16(view.data + layout->offsets + 2 * index - 2) & ~NULL_BIT;
    if (start > entry || layout->variable + entry > layout->tagged)
        return JET_errDatabaseCorrupted;
    *out = (struct value){VALUE_PLAIN, false, view.data + layout->variable + start, entry - start};
    return JET_errSuccess;
}

JET_ERR record_get(const struct table_definition *table, struct record_view view,
                   const struct column_definition *column, struct value *out)
{
    (void)table;
    struct layout layout;
    JET_ERR err = layout_read(view, &layout);
    if (err < JET_errSuccess)
        return err;
    if (column_id_is_fixed(column->id)) {
        if (column->id <= layout.fixed_last)
            return get_fixed(view, &layout, column, out);
    } else {
        ASSERT(column_id_is_variable(column->id));
        if (column->id <= layout.variable_last)
            return get_variable(view, &layout, column->id, out);
    }
    value_from_default(column, out);
    return JET_errSuccess;
}

JET_ERR record_check(struct record_view view, uint32_t page_size)
{
    struct layout layout;
    JET_ERR err = JET_errSuccess;
    TRY(layout_read(view, &layout));
    uint32_t end = 0;
    for (uint32_t offset = layout.offsets; offset < layout.variable; offset += 2) {
        uint32_t entry = load16(view.data + offset) & ~NULL_BIT;
        if (entry < end)
            FAIL(JET_errDatabaseCorrupted);
        end = entry;
    }
    uint32_t count = 0;
    TRY(tagged_count(view, page_size, &count));
    for (uint32_t i = 0; i < count; i++) {
        struct tagged_field field;
        struct value value;
        TRY(tagged_field_at(view, page_size, i, &field));
        for (uint32_t itag = 1; itag <= field.value_count; itag++)
            TRY(tagged_value(&field, itag, &value));
    }
done:
    return err;
}

/* Moves everything behind `offset` by `delta` bytes. The caller checked the capacity. */
static void shift(struct record *record, uint32_t offset, int32_t delta)
{
    ASSERT(offset <= record->size && (int64_t)record->size + delta <= (int64_t)record->capacity);
    memmove(record->data + (int64_t)offset + delta, record->data + offset, record->size - offset);
    record->size = (uint32_t)((int64_t)record->size + delta);
}

/* Copies the defaults of fixed columns first..last into a record that already has room for them. */
static void burst_fixed_defaults(const struct table_definition *table, struct record *record,
                                 uint32_t null_bits, uint32_t first, uint32_t last)
{
    for (uint32_t id = first; id <= last; id++) {
        const struct column_definition *column = table_definition_column_any(table, id);
        if (column == NULL || column->state == DEFINITION_DELETED || !column_has_default(column))
            continue;
        uint32_t index = id - COLUMN_FIXED_FIRST;
        record->data[null_bits + index / 8] &= (uint8_t) ~(1u << index % 8);
        uint32_t size = column->default_size < column->max_size ? column->default_size : column->max_size;
        memcpy(record->data + column->record_offset, column->default_value, size);
    }
}

/* Makes room for fixed columns up to `column`. */
static JET_ERR extend_fixed(const struct table_definition *table, struct record *record,
                            const struct layout *layout, const struct column_definition *column)
{
    const uint32_t old_bits = layout->offsets - layout->null_bits;
    const uint32_t new_bits = (column->id + 7) / 8;
    const uint32_t new_end = column->record_offset + column->max_size;
    if (new_end < layout->null_bits)
        return JET_errDatabaseCorrupted;
    const uint32_t growth = new_end + new_bits - layout->offsets;
    if (!record_fits(table, record, (int64_t)record->size + growth, 0))
        return JET_errRecordTooBig;
    shift(record, layout->offsets, (int32_t)growth);
    memmove(record->data + new_end, record->data + layout->null_bits, old_bits);
    memset(record->data + layout->null_bits, FILL_BYTE, new_end - layout->null_bits);
    memset(record->data + new_end + old_bits, 0xff, new_bits - old_bits);
    for (uint32_t index = layout->fixed_last; index < column->id; index++)
        record->data[new_end + index / 8] |= (uint8_t)(1u << index % 8);
    store16(record->data + 2, new_end + new_bits);
    record->data[0] = (uint8_t)column->id;
    burst_fixed_defaults(table, record, new_end, layout->fixed_last + 1, column->id);
    return JET_errSuccess;
}

static JET_ERR set_fixed(const struct table_definition *table, struct record *record, struct layout *layout,
                         const struct column_definition *column, const void *value, uint32_t size)
{
    JET_ERR err = JET_errSuccess;
    if (column->id > layout->fixed_last) {
        TRY(extend_fixed(table, record, layout, column));
        TRY_SOUND(layout_read(record_as_view(record), layout));
    }
    if (column->record_offset + column->max_size > layout->null_bits)
        FAIL(JET_errDatabaseCorrupted);
    uint32_t index = column->id - COLUMN_FIXED_FIRST;
    uint8_t *bits = record->data + layout->null_bits + index / 8;
    if (value == NULL) {
        *bits |= (uint8_t)(1u << index % 8);
        goto done;
    }
    ASSERT(size == column->max_size);
    *bits &= (uint8_t) ~(1u << index % 8);
    memcpy(record->data + column->record_offset, value, size);
done:
    return err;
}

/* The bytes of the defaults of variable columns first..last. */
static uint32_t variable_defaults_size(const struct table_definition *table, uint32_t first, uint32_t last)
{
    uint32_t size = 0;
    for (uint32_t id = first; id <= last; id++) {
        const struct column_definition *column = table_definition_column_any(table, id);
        if (column != NULL && column->state != DEFINITION_DELETED && column_has_default(column))
            size += column->default_size;
    }
    return size;
}

/* Makes room for the offsets of variable columns up to `id`; columns in between get their defaults, `id`
 * itself is null. */
static JET_ERR extend_variable(const struct table_definition *table, struct record *record,
                               const struct layout *layout, uint32_t id, uint32_t more)
{
    const uint32_t added = 2 * (id - layout->variable_last);
    const uint32_t defaults = variable_defaults_size(table, layout->variable_last + 1, id - 1);
    const uint32_t size = record->size + added + defaults;
    if (!record_fits(table, record, (int64_t)size + more, 0))
        return JET_errRecordTooBig;
    shift(record, layout->tagged, (int32_t)defaults);
    shift(record, layout->variable, (int32_t)added);
    uint8_t *entry = record->data + layout->variable;
    uint32_t end = layout->tagged - layout->variable;
    uint8_t *data = record->data + layout->variable + added;
    for (uint32_t i = layout->variable_last + 1; i <= id; i++, entry += 2) {
        const struct column_definition *column = table_definition_column_any(table, i);
        if (i < id && column != NULL && column->state != DEFINITION_DELETED && column_has_default(column)) {
            memcpy(data + end, column->default_value, column->default_size);
            end += column->default_size;
            store16(entry, end);
        } else {
            store16(entry, end | NULL_BIT);
        }
    }
    record->data[1] = (uint8_t)id;
    return JET_errSuccess;
}

static JET_ERR set_variable(const struct table_definition *table, struct record *record,
                            struct layout *layout, const struct column_definition *column, const void *value,
                            uint32_t size)
{
    JET_ERR err = JET_errSuccess;
    if (column->id > layout->variable_last) {
        TRY(extend_variable(table, record, layout, column->id, value == NULL ? 0 : size));
        TRY_SOUND(layout_read(record_as_view(record), layout));
    }
    uint32_t index = column->id - COLUMN_VARIABLE_FIRST;
    uint8_t *entry = record->data + layout->offsets + 2 * index;
    uint32_t start = index == 0 ? 0 : load16(entry - 2) & ~NULL_BIT;
    uint32_t end = load16(entry) & ~NULL_BIT;
    if (NEVER(start > end || layout->variable + end > layout->tagged)) /* record_check */
        FAIL(JET_errDatabaseCorrupted);
    int32_t delta = (int32_t)(value == NULL ? 0 : size) - (int32_t)(end - start);
    int64_t new_size = (int64_t)record->size + delta;
    if (delta > 0 && !record_fits(table, record, new_size, 0))
        FAIL(JET_errRecordTooBig);
    if (delta != 0) {
        shift(record, layout->variable + end, delta);
        uint8_t *last = record->data + layout->variable - 2;
        for (uint8_t *p = entry; p <= last; p += 2)
            store16(p, (uint32_t)(load16(p) + delta));
    }
    uint32_t raw = load16(entry) & ~NULL_BIT;
    if (value == NULL) {
        store16(entry, raw | NULL_BIT);
    } else {
        store16(entry, raw);
        if (size > 0)
            memcpy(record->data + layout->variable + start, value, size);
    }
done:
    return err;
}

JET_ERR record_set(const struct table_definition *table, struct record *record,
                   const struct column_definition *column, const void *value, uint32_t size)
{
    struct layout layout;
    JET_ERR err = layout_read(record_as_view(record), &layout);
    if (NEVER(err < JET_errSuccess)) /* it was made here, or has passed record_check */
        return err;
    if (column_id_is_fixed(column->id))
        return set_fixed(table, record, &layout, column, value, size);
    ASSERT(column_id_is_variable(column->id));
    return set_variable(table, record, &layout, column, value, size);
}

/* The last column of an array that has a default and will stay, or NULL. Who has the table for himself need
 * not wait for the end of his own changes. */
static const struct column_definition *last_with_default(const struct column_array *array, bool exclusive)
{
    for (uint32_t i = array->count; i > 0; i--) {
        const struct column_definition *column = array->entries[i - 1];
        const uint8_t state =
            column != NULL ? column->state : DEFINITION_DELETED; /* once: it may be committed */
        const bool settled = state == DEFINITION_COMMITTED || (exclusive && state == DEFINITION_VERSIONED);
        if (settled && column_has_default(column))
            return column;
    }
    return NULL;
}

JET_COLUMNID record_last_default(const struct table_definition *table, bool variable)
{
    const struct column_definition *column =
        last_with_default(variable ? &table->variable : &table->fixed, table->deny_read_count > 0);
    return column == NULL ? 0 : column->id;
}

JET_ERR record_set_defaults(const struct table_definition *table, struct record *record)
{
    JET_ERR err = JET_errSuccess;
    record_init(record);
    const struct column_definition *fixed = last_with_default(&table->fixed, table->deny_read_count > 0);
    if (fixed != NULL) {
        struct layout layout;
        TRY_SOUND(layout_read(record_as_view(record), &layout));
        TRY(extend_fixed(table, record, &layout, fixed));
    }
    const struct column_definition *variable =
        last_with_default(&table->variable, table->deny_read_count > 0);
    if (variable != NULL)
        TRY(record_set(table, record, variable, variable->default_value, variable->default_size));
done:
    return err;
}

/* Whether the record has its own entry (value or null) for a fixed or variable column. */
JET_ERR record_has_column(struct record_view view, JET_COLUMNID id, bool *has)
{
    struct layout layout;
    JET_ERR err = layout_read(view, &layout);
    if (err < JET_errSuccess)
        return err;
    id &= 0xffff;
    *has = column_id_is_fixed(id) ? id <= layout.fixed_last : id <= layout.variable_last;
    return JET_errSuccess;
}

JET_ERR record_measure(struct record_view view, struct record_extent *out)
{
    struct layout layout;
    JET_ERR err = layout_read(view, &layout);
    if (err < JET_errSuccess)
        return err;
    *out = (struct record_extent){
        .fixed_last = layout.fixed_last,
        .variable_last = layout.variable_last,
        .fixed_data = layout.null_bits - RECORD_HEADER_SIZE,
        .variable_data = layout.tagged - layout.variable,
        .overhead = RECORD_HEADER_SIZE + (layout.variable - layout.null_bits),
        .tagged = layout.tagged,
    };
    return JET_errSuccess;
}
