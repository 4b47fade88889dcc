/* JetMakeKey: builds the search key, segment by segment (engine source: `fldnorm.cxx`). */
#include "src/os/error.h"
#include "src/os/memory.h"
#include "src/table/navigate.h"

#define LIMIT_MASK                                                                                           \
    (JET_bitFullColumnStartLimit | JET_bitFullColumnEndLimit | JET_bitPartialColumnStartLimit |              \
     JET_bitPartialColumnEndLimit)

void table_forget_key(struct table_cursor *cursor)
{
    cursor->key_prepared = false;
    cursor->key_limited = false;
    cursor->key_full = false;
}

static void start_key(struct table_cursor *cursor)
{
    table_forget_key(cursor);
    cursor->key_size = 0;
    cursor->key_columns = 0;
}

/* A key that the caller normalised himself. */
static JET_ERR take_normalized(struct table_cursor *cursor, const void *value, uint32_t size,
                               uint32_t key_max)
{
    if (size > key_max + 1 && size > KEY_SIZE_DEFAULT)
        return JET_errInvalidParameter;
    if (size > key_max + 1)
        size = key_max + 1;
    start_key(cursor);
    if (size > 0)
        memcpy(cursor->key, value, size);
    cursor->key_size = size;
    cursor->key_columns = 1;
    cursor->key_prepared = true;
    cursor->key_limited = size > key_max;
    return JET_errSuccess;
}

/* Brings a value into the width of a fixed column, or refuses it. */
static JET_ERR fit_fixed(const struct column_definition *column, const uint8_t **value, uint32_t *size,
                         uint8_t padded[256])
{
    if (*size == 0 || *size == column->max_size)
        return JET_errSuccess;
    if (column->type != JET_coltypText || *size > column->max_size)
        return JET_errInvalidBufferSize;
    memcpy(padded, *value, *size);
    if (column->code_page == 1200) {
        for (uint32_t i = *size; i < column->max_size; i++)
            padded[i] = (i - *size) % 2 == 0 ? ' ' : 0;
    } else {
        memset(padded + *size, ' ', column->max_size - *size);
    }
    *value = padded;
    *size = column->max_size;
    return JET_errSuccess;
}

static bool is_text(const struct key_format *format)
{
    return format->type == JET_coltypText || format->type == JET_coltypLongText;
}

static bool is_variable_binary(const struct key_format *format)
{
    return format->type == JET_coltypLongBinary || (format->type == JET_coltypBinary && !format->fixed);
}

static JET_ERR check_limit(const struct key_format *format, JET_GRBIT grbit)
{
    switch (grbit & LIMIT_MASK) {
    case JET_bitPartialColumnStartLimit:
    case JET_bitPartialColumnEndLimit:
        return is_text(format) || is_variable_binary(format) ? JET_errSuccess : JET_errInvalidGrbit;
    case 0:
    case JET_bitFullColumnStartLimit:
    case JET_bitFullColumnEndLimit:
        return JET_errSuccess;
    default:
        return JET_errInvalidGrbit;
    }
}

/* Applies the limit bits to the segment at the end of the key. */
static void apply_limit(struct table_cursor *cursor, const struct key_format *format, JET_GRBIT grbit,
                        uint8_t *segment, struct key_segment *made, uint32_t available)
{
    const JET_GRBIT limit = grbit & LIMIT_MASK;
    const bool end = (limit & (JET_bitFullColumnEndLimit | JET_bitPartialColumnEndLimit)) != 0;
    if (limit == JET_bitFullColumnStartLimit || limit == JET_bitFullColumnEndLimit) {
        key_limit_full(segment, &made->size, available, end);
    } else if (limit != 0) {
        if (is_text(format))
            key_limit_partial_text(format, segment, &made->size, available, end);
        else
            key_limit_partial_binary(segment, &made->size, available, made->binary_delimiter, end);
    } else if ((grbit & JET_bitSubStrLimit) != 0 && is_text(format)) {
        key_limit_partial_text(format, segment, &made->size, available, true);
    } else if ((grbit & JET_bitStrLimit) != 0) {
        key_limit_partial_binary(segment, &made->size, available, made->binary_delimiter, true);
    } else {
        return;
    }
    cursor->key_limited = true;
}

/* A tuple index' first column holds pieces of the text: the key is of a piece. */
static JET_ERR cut_tuple(const struct index_definition *index, const struct key_format *format,
                         const uint8_t *value, uint32_t *size)
{
    const uint32_t unit = format->code_page == 1200 ? 2 : 1;
    if (value == NULL || *size == 0 || *size / unit < index->tuple.min_length)
        return JET_errIndexTuplesKeyTooSmall;
    if (*size > index->tuple.max_length * unit)
        *size = index->tuple.max_length * unit;
    return JET_errSuccess;
}

static JET_ERR append_segment(struct table_cursor *cursor, const struct index_definition *index,
                              const uint8_t *value, uint32_t size, JET_GRBIT grbit)
{
    JET_ERR err = JET_errSuccess;
    uint8_t padded[256];
    struct key_format format;
    struct key_segment made = {0};
    if (cursor->key_columns >= index->column_count)
        FAIL(JET_errKeyIsMade);
    const struct index_key_column *part = &index->columns[cursor->key_columns];
    const struct column_definition *column = table_definition_column(cursor->table, part->column);
    key_format_of(index, column, part->descending, &format);
    uint32_t used_size =
        index->key_max == KEY_SIZE_DEFAULT && size > KEY_SIZE_DEFAULT ? KEY_SIZE_DEFAULT : size;
    if (format.fixed) {
        if (size > 0 && size != column->max_size && column->type != JET_coltypText)
            FAIL(JET_errInvalidBufferSize);
        TRY(fit_fixed(column, &value, &used_size, padded));
    }
    TRY(check_limit(&format, grbit));
    if (!cursor->key_full && cursor->key_size < index->key_max) {
        const uint32_t available = index->key_max - cursor->key_size;
        uint8_t *segment = cursor->key + cursor->key_size;
        const bool zero_length = size == 0 && (grbit & JET_bitKeyDataZeroLength) != 0;
        if (index->tuples && cursor->key_columns == 0)
            TRY(cut_tuple(index, &format, value, &used_size));
        if (zero_length && (format.fixed || (!is_text(&format) && !is_variable_binary(&format))))
            FAIL(JET_errInvalidBufferSize);
        if (size == 0)
            value = zero_length ? padded : NULL;
        const uint32_t fixed_size = column_type_size(column->type);
        if (size > 0 && fixed_size != 0 && used_size != fixed_size)
            FAIL(JET_errInvalidBufferSize);
        TRY(key_normalize(&format, value, size == 0 ? 0 : used_size, segment, available, &made));
        if (made.truncated)
            cursor->key_full = true;
        apply_limit(cursor, &format, grbit, segment, &made, available);
    }
    cursor->key_columns++;
    cursor->key_size += made.size;
    ASSERT(cursor->key_size <= index->key_max + 1u);
    cursor->key_prepared = true;
done:
    return err;
}

JET_ERR table_make_key(struct table_cursor *cursor, const void *value, uint32_t size, JET_GRBIT grbit)
{
    JET_ERR err = JET_errSuccess;
    struct index_definition *index = cursor->index;
    if (index == NULL)
        TRY(table_find_index(cursor, NULL, &index));
    if (index == NULL && (grbit & JET_bitNormalizedKey) == 0)
        FAIL(JET_errNoCurrentIndex);
    if (cursor->key == NULL && (cursor->key = os_allocate(KEY_BUFFER_SIZE + 1)) == NULL)
        FAIL(JET_errOutOfMemory);
    if (value == NULL)
        size = 0;
    if (grbit & JET_bitNormalizedKey) {
        TRY(take_normalized(cursor, value, size, index == NULL ? KEY_SIZE_DEFAULT : index->key_max));
        goto done;
    }
    if (grbit & JET_bitNewKey)
        start_key(cursor);
    else if (cursor->key_limited)
        FAIL(JET_errKeyIsMade);
    else if (!cursor->key_prepared)
        FAIL(JET_errKeyNotMade);
    TRY(append_segment(cursor, index, value, size, grbit));
done:
    return err;
}
