#include "src/catalog/record.h"

#include "src/os/error.h"
#include "src/os/host.h"
#include "src/os/memory.h"

/* Bits of the header byte of a field. */
#define HEADER_LONG 0x01u
#define HEADER_COMPRESSED 0x02u
#define HEADER_SEPARATED 0x04u
#define HEADER_MULTIPLE 0x08u
#define HEADER_TWO_VALUES 0x10u
#define HEADER_NULL 0x20u
#define HEADER_ENCRYPTED 0x40u

/* Bits of an array entry's offset. */
#define ENTRY_DERIVED 0x8000u
#define ENTRY_SMALL_EXTENDED 0x4000u
#define ENTRY_SMALL_NULL 0x2000u

/* Bit of a multi-value's offset. */
#define VALUE_SEPARATED_BIT 0x8000u

#define ENTRY_SIZE 4u

static uint16_t load16(const uint8_t *p)
{
    return (uint16_t)(p[0] | p[1] << 8);
}

static void store16(uint8_t *p, uint32_t value)
{
    p[0] = (uint8_t)value;
    p[1] = (uint8_t)(value >> 8);
}

static bool page_is_small(uint32_t page_size)
{
    return page_size <= 8192;
}

/* The array of fields of a record. */
struct field_array {
    const uint8_t *base; /* start of the tagged part */
    uint32_t size;       /* of the tagged part */
    uint32_t start;      /* its offset in the record */
    uint32_t count;
    uint32_t mask; /* of the offset */
    bool small;
};

static JET_ERR array_open(struct record_view view, uint32_t page_size, struct field_array *array)
{
    JET_ERR err = record_tagged_offset(view, &array->start);
    if (err < JET_errSuccess)
        return err;
    array->base = view.data + array->start;
    array->size = view.size - array->start;
    array->small = page_is_small(page_size);
    array->mask = array->small ? 0x1fff : 0x7fff;
    array->count = 0;
    if (array->size == 0)
        return JET_errSuccess;
    if (array->size < ENTRY_SIZE)
        return JET_errDatabaseCorrupted;
    uint32_t first = load16(array->base + 2) & array->mask;
    if (first % ENTRY_SIZE != 0 || first == 0 || first > array->size)
        return JET_errDatabaseCorrupted;
    array->count = first / ENTRY_SIZE;
    return JET_errSuccess;
}

static uint16_t array_column(const struct field_array *array, uint32_t index)
{
    return load16(array->base + index * ENTRY_SIZE);
}

static uint16_t array_entry(const struct field_array *array, uint32_t index)
{
    return load16(array->base + index * ENTRY_SIZE + 2);
}

static uint32_t array_offset(const struct field_array *array, uint32_t index)
{
    return index == array->count ? array->size : array_entry(array, index) & array->mask;
}

/* Order of fields: the template's first, then by column. */
static int array_compare(const struct field_array *array, uint32_t index, uint16_t column, bool derived)
{
    bool entry_derived = (array_entry(array, index) & ENTRY_DERIVED) != 0;
    if (entry_derived != derived)
        return entry_derived ? -1 : 1;
    uint16_t id = array_column(array, index);
    return (id > column) - (id < column);
}

/* The index of the field, or of the place where it belongs. */
static uint32_t array_search(const struct field_array *array, uint16_t column, bool derived, bool *found)
{
    uint32_t low = 0;
    uint32_t high = array->count;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (array_compare(array, middle, column, derived) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    *found = low < array->count && array_compare(array, low, column, derived) == 0;
    return low;
}

static JET_ERR count_values(struct tagged_field *field)
{
    if (field->null) {
        field->value_count = 0;
    } else if (!field->multiple) {
        field->value_count = 1;
    } else if (field->two_values) {
        if (field->size < 1 || field->data[0] + 1u > field->size)
            return JET_errDatabaseCorrupted;
        field->value_count = 2;
    } else {
        uint32_t first = field->size < 2 ? 0 : load16(field->data) & ~VALUE_SEPARATED_BIT;
        if (first < 2 || first % 2 != 0 || first > field->size)
            return JET_errDatabaseCorrupted;
        field->value_count = first / 2;
    }
    return JET_errSuccess;
}

static JET_ERR field_decode(const struct field_array *array, uint32_t index, struct tagged_field *field)
{
    uint16_t entry = array_entry(array, index);
    uint32_t start = array_offset(array, index);
    uint32_t end = array_offset(array, index + 1);
    if (start < array->count * ENTRY_SIZE || start > end || end > array->size)
        return JET_errDatabaseCorrupted;
    *field = (struct tagged_field){
        .column = array_column(array, index),
        .derived = (entry & ENTRY_DERIVED) != 0,
        .data = array->base + start,
        .size = end - start,
    };
    bool has_header = !array->small || (entry & ENTRY_SMALL_EXTENDED) != 0;
    if (has_header) {
        if (field->size < 1)
            return JET_errDatabaseCorrupted;
        field->header = field->data[0];
        field->data++;
        field->size--;
    }
    field->null = array->small ? (entry & ENTRY_SMALL_NULL) != 0 : (field->header & HEADER_NULL) != 0;
    field->long_type = (field->header & HEADER_LONG) != 0;
    field->multiple = (field->header & HEADER_MULTIPLE) != 0;
    field->two_values = field->multiple && (field->header & HEADER_TWO_VALUES) != 0;
    return count_values(field);
}

JET_ERR tagged_count(struct record_view view, uint32_t page_size, uint32_t *count)
{
    struct field_array array;
    JET_ERR err = array_open(view, page_size, &array);
    if (err == JET_errSuccess)
        *count = array.count;
    return err;
}

JET_ERR tagged_field_at(struct record_view view, uint32_t page_size, uint32_t index, struct tagged_field *out)
{
    struct field_array array;
    JET_ERR err = array_open(view, page_size, &array);
    if (err < JET_errSuccess)
        return err;
    ASSERT(index < array.count);
    return field_decode(&array, index, out);
}

JET_ERR tagged_find(struct record_view view, uint32_t page_size, const struct column_definition *column,
                    bool *found, struct tagged_field *out)
{
    struct field_array array;
    JET_ERR err = array_open(view, page_size, &array);
    if (err < JET_errSuccess)
        return err;
    uint32_t index = array_search(&array, (uint16_t)column->id, column->inherited, found);
    return *found ? field_decode(&array, index, out) : JET_errSuccess;
}

static JET_ERR multiple_value(const struct tagged_field *field, uint32_t itag, struct value *out)
{
    if (field->two_values) {
        uint32_t first = field->data[0];
        *out = (struct value){VALUE_PLAIN, false, field->data + 1, first};
        if (itag == 2)
            *out = (struct value){VALUE_PLAIN, false, field->data + 1 + first, field->size - 1 - first};
        return JET_errSuccess;
    }
    uint16_t entry = load16(field->data + 2 * (itag - 1));
    uint32_t start = entry & ~VALUE_SEPARATED_BIT;
    uint32_t end =
        itag == field->value_count ? field->size : load16(field->data + 2 * itag) & ~VALUE_SEPARATED_BIT;
    if (start < 2 * field->value_count || start > end || end > field->size)
        return JET_errDatabaseCorrupted;
    *out = (struct value){VALUE_PLAIN, false, field->data + start, end - start};
    if (entry & VALUE_SEPARATED_BIT)
        out->kind = VALUE_SEPARATED;
    else if (itag == 1 && (field->header & HEADER_COMPRESSED) != 0)
        out->kind = VALUE_COMPRESSED;
    return JET_errSuccess;
}

JET_ERR tagged_value(const struct tagged_field *field, uint32_t itag, struct value *out)
{
    *out = (struct value){.kind = VALUE_DEFAULT_NULL};
    if (field->null) {
        if (itag == 1)
            out->kind = VALUE_NULL;
        return JET_errSuccess;
    }
    if (itag == 0 || itag > field->value_count)
        return JET_errSuccess;
    if (field->multiple)
        return multiple_value(field, itag, out);
    *out = (struct value){VALUE_PLAIN, (field->header & HEADER_ENCRYPTED) != 0, field->data, field->size};
    if (field->header & HEADER_SEPARATED)
        out->kind = VALUE_SEPARATED;
    else if (field->header & HEADER_COMPRESSED)
        out->kind = VALUE_COMPRESSED;
    return JET_errSuccess;
}

JET_ERR tagged_get(const struct table_definition *table, struct record_view view,
                   const struct column_definition *column, uint32_t itag, struct value *out)
{
    bool found = false;
    struct tagged_field field;
    JET_ERR err = tagged_find(view, table->page_size, column, &found, &field);
    if (err < JET_errSuccess)
        return err;
    if (found)
        return tagged_value(&field, itag, out);
    *out = (struct value){.kind = VALUE_DEFAULT_NULL};
    if (itag == 1 && column_has_default(column)) {
        out->kind = VALUE_DEFAULT;
        out->data = column->default_value;
        out->size = column->default_size;
    }
    return JET_errSuccess;
}

/* The new contents of a field while it is put together: either `keep` values of the old field or the new
 * value. */
struct field_edit {
    const struct tagged_field *old; /* NULL: none */
    uint32_t itag;                  /* value that is set or removed; value_count + 1 = appended */
    const uint8_t *value;           /* NULL: removed */
    uint32_t size;
    uint32_t how;
    uint32_t count; /* values afterwards */
    bool long_type;
    bool small;
};

/* Value `number` (1-based) of the field as it will be. */
static JET_ERR edit_value(const struct field_edit *edit, uint32_t number, struct value *out)
{
    if (edit->value != NULL && number == edit->itag) {
        *out = (struct value){VALUE_PLAIN, false, edit->value, edit->size};
        if (edit->how & TAGGED_SET_SEPARATED)
            out->kind = VALUE_SEPARATED;
        else if (edit->how & TAGGED_SET_COMPRESSED)
            out->kind = VALUE_COMPRESSED;
        return JET_errSuccess;
    }
    if (edit->value == NULL && number >= edit->itag)
        number++;
    return tagged_value(edit->old, number, out);
}

/* The header byte of the field as it will be; 0 means that small pages keep none. */
static JET_ERR edit_header(const struct field_edit *edit, uint32_t *header)
{
    *header = edit->long_type ? HEADER_LONG : 0;
    if (edit->count == 0) {
        if (!edit->small)
            *header |= HEADER_NULL;
        else
            *header = 0;
        return JET_errSuccess;
    }
    struct value first;
    JET_ERR err = edit_value(edit, 1, &first);
    if (NEVER(err < JET_errSuccess))
        return err;
    if (first.kind == VALUE_COMPRESSED)
        *header |= HEADER_COMPRESSED;
    if (edit->count == 1 && first.kind == VALUE_SEPARATED)
        *header |= HEADER_SEPARATED;
    if (edit->count > 1)
        *header |= HEADER_MULTIPLE;
    if (edit->count == 2 && edit->small && !edit->long_type)
        *header |= HEADER_TWO_VALUES;
    return JET_errSuccess;
}

/* Writes the field into `out` (NULL: only measures). */
static JET_ERR edit_write(const struct field_edit *edit, uint32_t header, uint8_t *out, uint32_t *size)
{
    JET_ERR err = JET_errSuccess;
    uint32_t at = 0;
    if (header != 0 || !edit->small) {
        if (out != NULL)
            out[0] = (uint8_t)header;
        at = 1;
    }
    const uint32_t base = at;
    const bool two = (header & HEADER_TWO_VALUES) != 0;
    if (two)
        at += 1;
    else if (edit->count > 1)
        at += 2 * edit->count;
    for (uint32_t number = 1; number <= edit->count; number++) {
        struct value value;
        TRY_SOUND(edit_value(edit, number, &value));
        if (out != NULL) {
            if (two && number == 1)
                out[base] = (uint8_t)value.size;
            else if (!two && edit->count > 1)
                store16(out + base + 2 * (number - 1),
                        (at - base) | (value.kind == VALUE_SEPARATED ? VALUE_SEPARATED_BIT : 0));
            if (value.size > 0)
                memcpy(out + at, value.data, value.size);
        }
        at += value.size;
    }
    *size = at;
done:
    return err;
}

/* Replaces bytes [start, end) of the tagged part by `size` bytes, moving what follows. */
static void replace_bytes(struct record *record, uint32_t start, uint32_t end, const uint8_t *bytes,
                          uint32_t size)
{
    ASSERT(end <= record->size && record->size - (end - start) + size <= record->capacity);
    memmove(record->data + start + size, record->data + end, record->size - end);
    if (size > 0)
        memcpy(record->data + start, bytes, size);
    record->size = record->size - (end - start) + size;
}

static void add_to_offsets(uint8_t *base, uint32_t from, uint32_t to, uint32_t mask, int32_t delta)
{
    for (uint32_t i = from; i < to; i++) {
        uint8_t *p = base + i * ENTRY_SIZE + 2;
        uint32_t offset = (uint32_t)((int32_t)(load16(p) & mask) + delta);
        store16(p, (load16(p) & ~mask) | (offset & mask));
    }
}

static void remove_field(struct record *record, const struct field_array *array, uint32_t index)
{
    uint32_t start = array_offset(array, index);
    uint32_t end = array_offset(array, index + 1);
    replace_bytes(record, array->start + start, array->start + end, NULL, 0);
    replace_bytes(record, array->start + index * ENTRY_SIZE, array->start + (index + 1) * ENTRY_SIZE, NULL,
                  0);
    uint8_t *base = record->data + array->start;
    add_to_offsets(base, 0, index, array->mask, -(int32_t)ENTRY_SIZE);
    add_to_offsets(base, index, array->count - 1, array->mask, -(int32_t)(ENTRY_SIZE + end - start));
}

#define WIDE_ID_MORE 4u /* bytes of a separated value's id in the newest format beyond those here */

static uint32_t count_separated(const struct tagged_field *field)
{
    uint32_t count = 0;
    for (uint32_t itag = 1; field->long_type && itag <= field->value_count; itag++) {
        struct value value;
        const JET_ERR err = tagged_value(field, itag, &value);
        if (ALWAYS(err >= JET_errSuccess) && value.kind == VALUE_SEPARATED)
            count++;
    }
    return count;
}

static uint32_t separated_in_record(const struct table_definition *table, const struct record *record)
{
    const struct record_view view = {record->data, record->size};
    struct field_array array;
    uint32_t count = 0;
    const JET_ERR err = array_open(view, table->page_size, &array);
    if (NEVER(err < JET_errSuccess)) /* it has passed record_check */
        return 0;
    for (uint32_t i = 0; i < array.count; i++) {
        struct tagged_field field;
        const JET_ERR decoded = field_decode(&array, i, &field);
        if (ALWAYS(decoded >= JET_errSuccess))
            count += count_separated(&field);
    }
    return count;
}

bool record_fits(const struct table_definition *table, const struct record *record, int64_t size,
                 int32_t separated)
{
    const int64_t most = record_size_max(table);
    if (size > most || size > record->capacity)
        return false;
    /* A separated value takes more bytes than are added for it: below half of the limit all fits. */
    if (!os_host_is_published() || size < most / 2)
        return true;
    const int64_t count = (int64_t)separated_in_record(table, record) + separated;
    return size + (int64_t)WIDE_ID_MORE * count <= most;
}

/* Puts `bytes` in as field `index`, new or in place of the old one. */
static JET_ERR put_field(const struct table_definition *table, struct record *record,
                         const struct field_array *array, uint32_t index, bool found,
                         const struct column_definition *column, uint32_t flags, const uint8_t *bytes,
                         uint32_t size, int32_t separated)
{
    uint32_t start = array_offset(array, index);
    uint32_t end = found ? array_offset(array, index + 1) : start;
    uint32_t entry_growth = found ? 0 : ENTRY_SIZE;
    uint64_t new_size = (uint64_t)record->size + entry_growth + size - (end - start);
    bool grows = size + entry_growth > end - start;
    if ((grows && !record_fits(table, record, (int64_t)new_size, separated)) || new_size > record->capacity)
        return JET_errRecordTooBig;
    if (array->count == 0)
        start = end = 0;
    int32_t delta = (int32_t)size - (int32_t)(end - start);
    replace_bytes(record, array->start + start, array->start + end, bytes, size);
    uint32_t count = array->count;
    if (!found) {
        uint8_t entry[ENTRY_SIZE] = {0};
        store16(entry, column->id & 0xffff);
        replace_bytes(record, array->start + index * ENTRY_SIZE, array->start + index * ENTRY_SIZE, entry,
                      ENTRY_SIZE);
        count++;
    }
    uint8_t *base = record->data + array->start;
    add_to_offsets(base, 0, index, array->mask, (int32_t)entry_growth);
    add_to_offsets(base, index + 1, count, array->mask, (int32_t)entry_growth + delta);
    store16(base + index * ENTRY_SIZE + 2, (start + entry_growth) | flags);
    return JET_errSuccess;
}

/* The flags of the field's array entry. */
static uint32_t entry_flags(const struct field_edit *edit, const struct column_definition *column,
                            uint32_t header)
{
    uint32_t flags = column->inherited ? ENTRY_DERIVED : 0;
    if (edit->small && header != 0)
        flags |= ENTRY_SMALL_EXTENDED;
    if (edit->small && edit->count == 0)
        flags |= ENTRY_SMALL_NULL;
    return flags;
}

/* By how much the edit changes the number of separated values. */
static int32_t separated_change(const struct field_edit *edit)
{
    int32_t change = edit->value != NULL && (edit->how & TAGGED_SET_SEPARATED) != 0 ? 1 : 0;
    struct value value;
    if (edit->itag > edit->old->value_count)
        return change;
    const JET_ERR err = tagged_value(edit->old, edit->itag, &value);
    return ALWAYS(err >= JET_errSuccess) && value.kind == VALUE_SEPARATED ? change - 1 : change;
}

JET_ERR tagged_set(const struct table_definition *table, struct record *record,
                   const struct column_definition *column, uint32_t itag, const void *value, uint32_t size,
                   uint32_t how)
{
    JET_ERR err = JET_errSuccess;
    uint8_t *bytes = NULL;
    struct field_array array;
    struct tagged_field old = {0};
    bool found = false;
    TRY_SOUND(array_open((struct record_view){record->data, record->size}, table->page_size, &array));
    uint32_t index = array_search(&array, (uint16_t)column->id, column->inherited, &found);
    if (found)
        TRY_SOUND(field_decode(&array, index, &old)); /* record_check */
    struct field_edit edit = {
        .old = &old,
        .itag = itag,
        .value = value,
        .size = size,
        .how = how,
        .long_type = column_is_long(column),
        .small = array.small,
    };
    if (itag == 0 || itag > old.value_count)
        edit.itag = old.value_count + 1;
    const bool null_over_null = value == NULL && edit.itag > old.value_count;
    if (null_over_null && (edit.itag > 1 || (!found && itag != 1)))
        goto done; /* nothing there to remove */
    if (value != NULL)
        edit.count = edit.itag > old.value_count ? old.value_count + 1 : old.value_count;
    else
        edit.count = null_over_null ? 0 : old.value_count - 1;
    if (edit.count == 0 && (!column_has_default(column) || (how & TAGGED_SET_REVERT) != 0)) {
        if (found)
            remove_field(record, &array, index);
        goto done;
    }
    uint32_t header = 0;
    uint32_t new_size = 0;
    TRY_SOUND(edit_header(&edit, &header));
    TRY_SOUND(edit_write(&edit, header, NULL, &new_size));
    if (new_size > record_size_max(table))
        FAIL(JET_errRecordTooBig);
    if ((bytes = os_allocate(new_size + 1)) == NULL)
        FAIL(JET_errOutOfMemory);
    TRY_SOUND(edit_write(&edit, header, bytes, &new_size));
    const uint32_t flags = entry_flags(&edit, column, header);
    TRY(put_field(table, record, &array, index, found, column, flags, bytes, new_size,
                  separated_change(&edit)));
done:
    os_free(bytes);
    return err;
}
