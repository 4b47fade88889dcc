/* JetSetCursorFilter: conditions that rows must fulfil to be met by moves (engine source: `rec.cxx`). */
#include "src/os/error.h"
#include "src/os/memory.h"
#include "src/table/navigate.h"
#include "src/table/retrieve.h"

void table_forget_filter(struct table_cursor *cursor)
{
    for (uint32_t i = 0; i < cursor->filter_count; i++)
        os_free(cursor->filters[i].value);
    os_free(cursor->filters);
    cursor->filters = NULL;
    cursor->filter_count = 0;
}

static bool is_bit_relation(uint32_t relation)
{
    return relation == JET_relopBitmaskEqualsZero || relation == JET_relopBitmaskNotEqualsZero;
}

/* In the engine's order. Relations that it does not know it lets pass, here and later. */
static JET_ERR check_condition(struct table_cursor *cursor, const JET_INDEX_COLUMN *condition)
{
    struct column_definition *column = NULL;
    const uint32_t relation = (uint32_t)condition->relop;
    JET_ERR err = table_find_column(cursor, condition->columnid, &column);
    if (err < JET_errSuccess)
        return err;
    const bool binary = column->type == JET_coltypBinary;
    if (column_is_long(column) || column_is_text(column))
        return JET_errFilteredMoveNotSupported;
    if ((relation == JET_relopPrefixEquals || (condition->grbit & JET_bitZeroLength) != 0) && !binary)
        return JET_errInvalidParameter;
    if (condition->cb == 0)
        return relation == JET_relopPrefixEquals || is_bit_relation(relation) ? JET_errInvalidParameter
                                                                              : JET_errSuccess;
    if (condition->pv == NULL || (!binary && condition->cb != column_type_size(column->type)))
        return JET_errInvalidParameter;
    if (is_bit_relation(relation) &&
        (binary || column->type == JET_coltypBit || column->type == JET_coltypGUID))
        return JET_errInvalidParameter;
    return JET_errSuccess;
}

static JET_ERR copy_condition(struct table_cursor *cursor, const JET_INDEX_COLUMN *condition,
                              struct cursor_filter *filter)
{
    JET_ERR err = check_condition(cursor, condition);
    if (err < JET_errSuccess)
        return err;
    *filter = (struct cursor_filter){
        .column = condition->columnid,
        .relation = (uint32_t)condition->relop,
        .null = condition->cb == 0 && (condition->grbit & JET_bitZeroLength) == 0,
        .size = condition->cb,
    };
    if (condition->cb == 0)
        return JET_errSuccess;
    filter->value = os_duplicate(condition->pv, condition->cb);
    return filter->value == NULL ? JET_errOutOfMemory : JET_errSuccess;
}

JET_ERR table_set_filter(struct table_cursor *cursor, const JET_INDEX_COLUMN *columns, uint32_t count,
                         JET_GRBIT grbit)
{
    JET_ERR err = JET_errSuccess;
    const bool replaces = grbit == 0 && cursor->secondary == NULL;
    table_forget_filter(cursor); /* whatever comes of this call */
    if (!replaces)
        FAIL(grbit != 0 ? JET_errInvalidGrbit : JET_errFilteredMoveNotSupported);
    if (count == 0)
        goto done;
    if (columns == NULL)
        FAIL(JET_errInvalidParameter);
    if ((cursor->filters = os_allocate_array(count, sizeof(*cursor->filters))) == NULL)
        FAIL(JET_errOutOfMemory);
    for (uint32_t i = 0; i < count; i++) {
        TRY(copy_condition(cursor, &columns[i], &cursor->filters[i]));
        cursor->filter_count = i + 1;
    }
done:
    if (err < JET_errSuccess)
        table_forget_filter(cursor);
    return err;
}

/* How a value compares with the filter's: numbers by their size, all else byte by byte. */
static int compare(const struct column_definition *column, const struct value *value,
                   const struct cursor_filter *filter)
{
    const struct key_format format = {
        .type = column->type, .fixed = true, .key_max = KEY_SIZE_MAX, .segment_max = KEY_SIZE_MAX};
    uint8_t left[KEY_BUFFER_SIZE];
    uint8_t right[KEY_BUFFER_SIZE];
    struct key_segment left_segment = {0};
    struct key_segment right_segment = {0};
    if (column->type == JET_coltypBinary || filter->size == 0)
        return span_compare(span_of(value->data, value->size), span_of(filter->value, filter->size));
    /* Neither text nor long: it cannot fail. */
    SOUND(key_normalize(&format, value->data, value->size, left, KEY_SIZE_MAX, &left_segment));
    SOUND(key_normalize(&format, filter->value, filter->size, right, KEY_SIZE_MAX, &right_segment));
    return span_compare(span_of(left, left_segment.size), span_of(right, right_segment.size));
}

static bool bits_in_common(const struct value *value, const struct cursor_filter *filter)
{
    for (uint32_t i = 0; i < filter->size; i++) {
        if (value->data[i] & filter->value[i])
            return true;
    }
    return false;
}

/* Null is less than everything, and equal to null. */
static bool null_fulfils(const struct cursor_filter *filter)
{
    switch (filter->relation) {
    case JET_relopEquals:
    case JET_relopGreaterThanOrEqual:
        return filter->null;
    case JET_relopNotEquals:
    case JET_relopLessThan:
        return !filter->null;
    case JET_relopPrefixEquals:
    case JET_relopGreaterThan:
    case JET_relopBitmaskNotEqualsZero:
        return false;
    default:
        return true;
    }
}

static bool value_fulfils(const struct column_definition *column, const struct value *value,
                          const struct cursor_filter *filter)
{
    switch (filter->relation) {
    case JET_relopEquals:
        return !filter->null && compare(column, value, filter) == 0;
    case JET_relopPrefixEquals:
        return value->size >= filter->size && memcmp(value->data, filter->value, filter->size) == 0;
    case JET_relopNotEquals:
        return filter->null || compare(column, value, filter) != 0;
    case JET_relopLessThanOrEqual:
        return !filter->null && compare(column, value, filter) <= 0;
    case JET_relopLessThan:
        return compare(column, value, filter) < 0;
    case JET_relopGreaterThanOrEqual:
        return compare(column, value, filter) >= 0;
    case JET_relopGreaterThan:
        return filter->null || compare(column, value, filter) > 0;
    case JET_relopBitmaskEqualsZero:
        return !bits_in_common(value, filter);
    case JET_relopBitmaskNotEqualsZero:
        return bits_in_common(value, filter);
    default:
        return true;
    }
}

static JET_ERR fulfils(struct table_cursor *cursor, struct record_view view,
                       const struct cursor_filter *filter, bool *result)
{
    JET_ERR err = JET_errSuccess;
    struct column_definition *column = NULL;
    struct value value;
    TRY(table_find_column(cursor, filter->column, &column));
    if (column_id_is_tagged(column->id))
        TRY(tagged_get(cursor->table, view, column, 1, &value));
    else
        TRY(record_get(cursor->table, view, column, &value));
    const uint32_t fixed = column_type_size(column->type);
    if (value.kind == VALUE_NULL || value.kind == VALUE_DEFAULT_NULL)
        *result = null_fulfils(filter);
    else if (fixed != 0 && value.size != fixed)
        err = JET_errDatabaseCorrupted;
    else
        *result = value_fulfils(column, &value, filter);
done:
    return err;
}

JET_ERR table_passes_filter(struct table_cursor *cursor, bool *passes)
{
    JET_ERR err = JET_errSuccess;
    struct node_view node;
    uint8_t *copy = NULL;
    *passes = true;
    if (cursor->filter_count == 0)
        return JET_errSuccess;
    TRY(versioned_cursor_copy(cursor->primary, &node));
    if ((copy = os_duplicate(node.data.bytes, node.data.size)) == NULL)
        FAIL(JET_errOutOfMemory);
    const struct record_view view = {copy, (uint32_t)node.data.size};
    for (uint32_t i = 0; i < cursor->filter_count && *passes; i++)
        TRY(fulfils(cursor, view, &cursor->filters[i], passes));
done:
    os_free(copy);
    return err;
}
