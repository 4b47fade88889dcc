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

static JET_ERR check_condition(struct table_cursor *cursor, const JET_INDEX_COLUMN *condition)
{
    struct column_definition *column = NULL;
    JET_ERR err = table_find_column(cursor, condition->columnid, &column);
    if (err < JET_errSuccess)
        return err;
    if (column->flags & COLUMN_FLAG_ESCROW)
        return JET_errFilteredMoveNotSupported;
    if (column_is_long(column))
        return JET_errFilteredMoveNotSupported;
    const bool bits =
        condition->relop == JET_relopBitmaskEqualsZero || condition->relop == JET_relopBitmaskNotEqualsZero;
    const bool equality = condition->relop == JET_relopEquals || condition->relop == JET_relopNotEquals;
    if ((uint32_t)condition->relop > JET_relopBitmaskNotEqualsZero)
        return JET_errInvalidParameter;
    const bool null = condition->cb == 0 && (condition->grbit & JET_bitZeroLength) == 0;
    if (null && !equality)
        return JET_errInvalidParameter;
    if (column_is_text(column) && !(null && equality) && column->code_page == 1200)
        return JET_errFilteredMoveNotSupported;
    const uint32_t fixed = column_type_size(column->type);
    if (!null && fixed != 0 && condition->cb != fixed)
        return JET_errInvalidBufferSize;
    (void)bits;
    return JET_errSuccess;
}

JET_ERR table_set_filter(struct table_cursor *cursor, const JET_INDEX_COLUMN *columns, uint32_t count,
                         JET_GRBIT grbit)
{
    JET_ERR err = JET_errSuccess;
    struct cursor_filter *filters = NULL;
    if (cursor->secondary != NULL)
        FAIL(JET_errFilteredMoveNotSupported);
    if (grbit != 0)
        FAIL(JET_errInvalidGrbit);
    table_forget_filter(cursor);
    if (count == 0)
        goto done;
    if (columns == NULL)
        FAIL(JET_errInvalidParameter);
    for (uint32_t i = 0; i < count; i++)
        TRY(check_condition(cursor, &columns[i]));
    if ((filters = os_allocate_array(count, sizeof(*filters))) == NULL)
        FAIL(JET_errOutOfMemory);
    cursor->filters = filters;
    for (uint32_t i = 0; i < count; i++) {
        filters[i] = (struct cursor_filter){
            .column = columns[i].columnid,
            .relation = (uint32_t)columns[i].relop,
            .grbit = columns[i].grbit,
            .size = columns[i].cb,
        };
        cursor->filter_count = i + 1;
        const bool null = columns[i].cb == 0 && (columns[i].grbit & JET_bitZeroLength) == 0;
        if (null)
            continue;
        filters[i].value = os_allocate(columns[i].cb + 1);
        if (filters[i].value == NULL) {
            table_forget_filter(cursor);
            FAIL(JET_errOutOfMemory);
        }
        memcpy(filters[i].value, columns[i].pv == NULL ? "" : columns[i].pv, columns[i].cb);
    }
done:
    return err;
}

/* Compares a value with the filter's, in the order that an index over the column has. */
static JET_ERR compare(const struct column_definition *column, const struct value *value,
                       const struct cursor_filter *filter, int *order)
{
    static const uint16_t invariant[1];
    const struct key_format format = {
        .type = column->type,
        .code_page = column->code_page,
        .fixed = column_id_is_fixed(column->id),
        .key_max = KEY_SIZE_MAX,
        .segment_max = KEY_SIZE_MAX,
        .locale = invariant,
        .map_flags = KEY_MAP_FLAGS_DEFAULT,
    };
    uint8_t left[KEY_BUFFER_SIZE];
    uint8_t right[KEY_BUFFER_SIZE];
    struct key_segment left_segment;
    struct key_segment right_segment;
    JET_ERR err = key_normalize(&format, value->size == 0 ? (const uint8_t *)"" : value->data, value->size,
                                left, KEY_SIZE_MAX, &left_segment);
    if (err >= JET_errSuccess)
        err = key_normalize(&format, filter->value, filter->size, right, KEY_SIZE_MAX, &right_segment);
    if (err >= JET_errSuccess)
        *order = span_compare(span_of(left, left_segment.size), span_of(right, right_segment.size));
    return err;
}

static bool bits_in_common(const struct value *value, const struct cursor_filter *filter)
{
    for (uint32_t i = 0; i < value->size && i < filter->size; i++) {
        if (value->data[i] & filter->value[i])
            return true;
    }
    return false;
}

static JET_ERR fulfils(struct table_cursor *cursor, struct record_view view,
                       const struct cursor_filter *filter, bool *result)
{
    JET_ERR err = JET_errSuccess;
    struct column_definition *column = NULL;
    struct value value;
    int order = 0;
    TRY(table_find_column(cursor, filter->column, &column));
    if (column_id_is_tagged(column->id))
        TRY(tagged_get(cursor->table, view, column, 1, &value));
    else
        TRY(record_get(cursor->table, view, column, &value));
    const bool null = value.kind == VALUE_NULL || value.kind == VALUE_DEFAULT_NULL;
    if (filter->value == NULL || null) {
        const bool same = (filter->value == NULL) == null;
        *result =
            filter->relation == JET_relopEquals ? same : filter->relation == JET_relopNotEquals && !same;
        goto done;
    }
    TRY(compare(column, &value, filter, &order));
    switch (filter->relation) {
    case JET_relopEquals:
        *result = order == 0;
        break;
    case JET_relopPrefixEquals:
        *result = value.size >= filter->size && memcmp(value.data, filter->value, filter->size) == 0;
        break;
    case JET_relopNotEquals:
        *result = order != 0;
        break;
    case JET_relopLessThanOrEqual:
        *result = order <= 0;
        break;
    case JET_relopLessThan:
        *result = order < 0;
        break;
    case JET_relopGreaterThanOrEqual:
        *result = order >= 0;
        break;
    case JET_relopGreaterThan:
        *result = order > 0;
        break;
    case JET_relopBitmaskEqualsZero:
        *result = !bits_in_common(&value, filter);
        break;
    default:
        *result = bits_in_common(&value, filter);
        break;
    }
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
