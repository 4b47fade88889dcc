/* Records: fixed, variable and tagged columns hold together. */
#include "src/check/check.h"

#define HEADER_SIZE 4u
#define FIXED_MAX 127u
#define VARIABLE_FIRST 128u
#define TAGGED_FIRST 256u

#define TAG_DERIVED 0x8000u
#define TAG_EXTENDED_SMALL 0x4000u
#define TAG_NULL_SMALL 0x2000u

enum {
    VALUE_LONG = 0x01,
    VALUE_COMPRESSED = 0x02,
    VALUE_SEPARATED = 0x04,
    VALUE_MULTIPLE = 0x08,
    VALUE_TWO = 0x10,
    VALUE_NULL = 0x20,
    VALUE_ENCRYPTED = 0x40,
};

static void report(const struct record_check *record, const char *text)
{
    check_report(record->check, "record", record->page, record->table, "%s", text);
}

/* Offset where the variable offsets begin; 0 if the record is broken. */
static uint32_t fixed_end(struct span data)
{
    if (data.size < HEADER_SIZE)
        return 0;
    uint32_t last = data.bytes[0];
    uint32_t end = check_u16(data.bytes + 2);
    if (last > FIXED_MAX || end < HEADER_SIZE + (last + 7) / 8 || end > data.size)
        return 0;
    return end;
}

static uint32_t variable_count(struct span data)
{
    uint32_t last = data.bytes[1];
    return last >= VARIABLE_FIRST ? last - VARIABLE_FIRST + 1 : 0;
}

bool record_fixed(struct span data, uint32_t offset, uint32_t column, void *value, size_t size)
{
    uint32_t end = fixed_end(data);
    if (end == 0 || column > data.bytes[0])
        return false;
    uint32_t nulls = end - (data.bytes[0] + 7u) / 8;
    if (offset + size > nulls || (data.bytes[nulls + (column - 1) / 8] >> (column - 1) % 8 & 1) != 0)
        return false;
    memcpy(value, data.bytes + offset, size);
    return true;
}

bool record_variable(struct span data, uint32_t column, struct span *value)
{
    uint32_t end = fixed_end(data);
    if (end == 0 || column - VARIABLE_FIRST >= variable_count(data))
        return false;
    uint32_t start = end + 2 * variable_count(data);
    if (start > data.size)
        return false;
    uint32_t index = column - VARIABLE_FIRST;
    uint32_t last = check_u16(data.bytes + end + 2 * index);
    uint32_t first = index == 0 ? 0 : check_u16(data.bytes + end + 2 * (index - 1)) & 0x7fff;
    if ((last & 0x8000) != 0 || first > last || start + last > data.size)
        return false;
    *value = span_of(data.bytes + start + first, last - first);
    return true;
}

/* The fixed part ends where the definition of its last column says. (The catalog gives no offsets for its own
 * columns.) */
static void check_fixed(struct record_check *record, struct span data, uint32_t end)
{
    uint32_t last = data.bytes[0];
    if (record->table == CHECK_CATALOG_OBJECT || record->table == CHECK_SHADOW_OBJECT)
        return;
    for (size_t i = 0; i < record->check->column_count; i++) {
        const struct check_column *column = &record->check->columns[i];
        if (column->table != record->table || column->id != last || column->offset == 0)
            continue;
        if ((uint32_t)column->offset + column->size + (last + 7) / 8 != end)
            check_report(record->check, "record", record->page, record->table,
                         "the fixed part has another size than the columns: last %u end %u offset %u size %u",
                         last, end, column->offset, column->size);
        return;
    }
}

/* Answers where the tagged part begins; 0 if the record is broken. */
static uint32_t check_variable(const struct record_check *record, struct span data, uint32_t end)
{
    uint32_t count = variable_count(data);
    uint32_t start = end + 2 * count;
    uint32_t before = 0;
    if (start > data.size) {
        report(record, "the variable columns' offsets reach beyond the record");
        return 0;
    }
    for (uint32_t i = 0; i < count; i++) {
        uint32_t offset = check_u16(data.bytes + end + 2 * i) & 0x7fff;
        if (offset < before || start + offset > data.size) {
            report(record, "a variable column lies outside the record");
            return 0;
        }
        before = offset;
    }
    return start + before;
}

static JET_ERR check_separated(struct record_check *record, struct span value)
{
    if (value.size != 4 && value.size != 8) {
        report(record, "a separated long value without an id");
        return JET_errSuccess;
    }
    uint64_t id = check_u32(value.bytes);
    if (value.size == 8)
        id |= (uint64_t)check_u32(value.bytes + 4) << 32;
    return record->long_value == NULL ? JET_errSuccess : record->long_value(record->context, id);
}

/* An array of offsets, then the values. The first offset is where the array ends, and says so how many there
 * are. */
static JET_ERR check_multiple(struct record_check *record, struct span field)
{
    JET_ERR err = JET_errSuccess;
    uint32_t first = field.size >= 2 ? check_u16(field.bytes) & 0x7fff : 0;
    if (first < 4 || first % 2 != 0 || first > field.size) {
        report(record, "a multi-valued field makes no sense");
        goto done;
    }
    uint32_t count = first / 2;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t raw = check_u16(field.bytes + 2 * i);
        uint32_t start = raw & 0x7fff;
        uint32_t end = i + 1 < count ? check_u16(field.bytes + 2 * (i + 1)) & 0x7fff : (uint32_t)field.size;
        ASSERT(start >= first); /* where the value before ends */
        if (start > end || end > field.size) {
            report(record, "a value of a multi-valued field lies outside it");
            goto done;
        }
        if ((raw & 0x8000) != 0)
            TRY(check_separated(record, span_of(field.bytes + start, end - start)));
    }
done:
    return err;
}

static JET_ERR check_field(struct record_check *record, struct span field, bool has_header)
{
    JET_ERR err = JET_errSuccess;
    uint8_t header = 0;
    if (has_header) {
        if (field.size == 0) {
            report(record, "a tagged field lacks its header");
            goto done;
        }
        header = field.bytes[0];
        field = span_of(field.bytes + 1, field.size - 1);
    }
    if ((header & VALUE_NULL) != 0) {
        if (field.size != 0)
            report(record, "a null field has data");
    } else if ((header & VALUE_TWO) != 0) {
        if (field.size < 1 || field.bytes[0] > field.size - 1)
            report(record, "a field of two values makes no sense");
    } else if ((header & VALUE_MULTIPLE) != 0) {
        TRY(check_multiple(record, field));
    } else if ((header & VALUE_SEPARATED) != 0) {
        if ((header & VALUE_LONG) == 0)
            report(record, "a short column with a separated value");
        TRY(check_separated(record, field));
    }
done:
    return err;
}

/* Fields are in order: derived columns first, then by id. */
static JET_ERR check_tagged(struct record_check *record, struct span tagged)
{
    JET_ERR err = JET_errSuccess;
    bool small = !page_size_is_large(record->check->page_size);
    uint32_t mask = small ? 0x1fff : 0x7fff;
    uint32_t first = tagged.size >= 4 ? check_u16(tagged.bytes + 2) & mask : 0;
    uint32_t before = 0;
    if (first < 4 || first % 4 != 0 || first > tagged.size) {
        report(record, "the tagged part makes no sense");
        goto done;
    }
    uint32_t count = first / 4;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t column = check_u16(tagged.bytes + 4 * i);
        uint32_t raw = check_u16(tagged.bytes + 4 * i + 2);
        uint32_t start = raw & mask;
        uint32_t end =
            i + 1 < count ? check_u16(tagged.bytes + 4 * (i + 1) + 2) & mask : (uint32_t)tagged.size;
        uint32_t rank = column + ((raw & TAG_DERIVED) != 0 ? 0 : 0x10000);
        if (column < TAGGED_FIRST || rank <= before) {
            report(record, "tagged columns are not in order");
            goto done;
        }
        before = rank;
        ASSERT(start >= first); /* where the field before ends */
        if (start > end || end > tagged.size) {
            report(record, "a tagged field lies outside the record");
            goto done;
        }
        struct span field = span_of(tagged.bytes + start, end - start);
        if (small && (raw & TAG_NULL_SMALL) != 0) {
            if (field.size != 0 || (raw & TAG_EXTENDED_SMALL) != 0)
                report(record, "a null field has data");
        } else {
            TRY(check_field(record, field, !small || (raw & TAG_EXTENDED_SMALL) != 0));
        }
    }
done:
    return err;
}

JET_ERR check_record(struct record_check *record, struct span data)
{
    JET_ERR err = JET_errSuccess;
    uint32_t end = fixed_end(data);
    if (end == 0) {
        report(record, "the fixed part makes no sense");
        goto done;
    }
    check_fixed(record, data, end);
    if (data.bytes[1] < VARIABLE_FIRST - 1)
        report(record, "the number of the last variable column makes no sense");
    uint32_t tagged = check_variable(record, data, end);
    if (tagged != 0 && tagged < data.size)
        TRY(check_tagged(record, span_of(data.bytes + tagged, data.size - tagged)));
done:
    return err;
}
