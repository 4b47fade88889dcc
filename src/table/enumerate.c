/* JetEnumerateColumns, JetGetRecordSize, JetRetrieveTaggedColumnList (engine source: `fldenum.cxx`). */
#include "src/cache/database.h"
#include "src/os/error.h"
#include "src/os/memory.h"
#include "src/table/long_value.h"
#include "src/table/retrieve.h"

#define ALL_BITS                                                                                             \
    (JET_bitEnumerateCopy | JET_bitEnumerateIgnoreDefault | JET_bitEnumeratePresenceOnly |                   \
     JET_bitEnumerateTaggedOnly | JET_bitEnumerateCompressOutput |                                           \
     JET_bitEnumerateIgnoreUserDefinedDefault | JET_bitEnumerateInRecordOnly)

/* One column of one row, as far as it is there. */
struct column_values {
    const struct column_definition *column;
    bool present;     /* the row (or a default) tells something about it */
    uint32_t count;   /* values; 0: null */
    struct value one; /* of columns that are not tagged, and of defaults */
    bool tagged;      /* `field` holds the values */
    struct tagged_field field;
};

static bool defaults_wanted(JET_GRBIT grbit)
{
    return (grbit & JET_bitEnumerateIgnoreDefault) == 0;
}

static JET_ERR read_values(struct table_cursor *cursor, struct record_view view,
                           const struct column_definition *column, JET_GRBIT grbit, struct column_values *out)
{
    JET_ERR err = JET_errSuccess;
    bool found = false;
    *out = (struct column_values){.column = column};
    if (column_id_is_tagged(column->id)) {
        TRY(tagged_find(view, cursor->table->page_size, column, &found, &out->field));
        if (found) {
            out->present = true;
            out->tagged = true;
            out->count = out->field.value_count;
            goto done;
        }
        TRY(tagged_get(cursor->table, view, column, 1, &out->one));
    } else {
        TRY(record_has_column(view, column->id, &found));
        TRY(record_get(cursor->table, view, column, &out->one));
        if (found) {
            out->present = true;
            out->count = out->one.kind != VALUE_NULL;
            goto done;
        }
    }
    out->count = out->one.kind == VALUE_DEFAULT && defaults_wanted(grbit);
    /* Defaults come as a record of their own, in which the columns before the last one are null. */
    out->present = out->count > 0 ||
                   (defaults_wanted(grbit) && !column_id_is_tagged(column->id) &&
                    column->id <= record_last_default(cursor->table, column_id_is_variable(column->id)));
done:
    return err;
}

static JET_ERR value_at(const struct column_values *values, uint32_t itag, struct value *value)
{
    if (values->tagged)
        return tagged_value(&values->field, itag, value);
    *value = values->one;
    if (itag > values->count)
        value->kind = VALUE_DEFAULT_NULL;
    return JET_errSuccess;
}

static void *allocate(const struct enumeration *request, uint32_t size)
{
    return request->reallocate(request->context, NULL, size == 0 ? 1 : size);
}

/* Copies a value into memory of the program. */
static JET_ERR copy_value(struct table_cursor *cursor, const struct enumeration *request,
                          const struct value *value, void **data, uint32_t *size, JET_ERR *result)
{
    JET_ERR err = JET_errSuccess;
    uint8_t *memory = NULL;
    TRY(long_value_fetch(cursor, value, &memory, size));
    *result = JET_errSuccess;
    if (value->kind == VALUE_SEPARATED && *size > request->size_max) {
        *size = request->size_max;
        *result = JET_wrnColumnTruncated;
    }
    if ((*data = allocate(request, *size)) == NULL)
        FAIL(JET_errOutOfMemory);
    memcpy(*data, memory, *size);
done:
    os_free(memory);
    return err;
}

static void free_column(const struct enumeration *request, JET_ENUMCOLUMN *column)
{
    if (column->err == JET_wrnColumnSingleValue) {
        if (column->pvData != NULL)
            request->reallocate(request->context, column->pvData, 0);
        return;
    }
    if (column->rgEnumColumnValue == NULL)
        return;
    for (uint32_t i = 0; i < column->cEnumColumnValue; i++) {
        if (column->rgEnumColumnValue[i].pvData != NULL)
            request->reallocate(request->context, column->rgEnumColumnValue[i].pvData, 0);
    }
    request->reallocate(request->context, column->rgEnumColumnValue, 0);
}

static JET_ERR fill_value(struct table_cursor *cursor, const struct enumeration *request,
                          const struct column_values *values, uint32_t itag, JET_ENUMCOLUMNVALUE *out)
{
    struct value value;
    out->itagSequence = itag;
    JET_ERR err = value_at(values, itag, &value);
    if (err < JET_errSuccess)
        return err;
    if (value.kind == VALUE_NULL || value.kind == VALUE_DEFAULT_NULL) {
        out->err = JET_wrnColumnNull;
        return JET_errSuccess;
    }
    if (value.kind == VALUE_SEPARATED && (request->grbit & JET_bitEnumerateInRecordOnly) != 0) {
        out->err = JET_wrnColumnNotInRecord;
        return JET_errSuccess;
    }
    return copy_value(cursor, request, &value, &out->pvData, &out->cbData, &out->err);
}

/* `itags` NULL: all values. */
static JET_ERR fill_column(struct table_cursor *cursor, const struct enumeration *request,
                           const struct column_values *values, const uint32_t *itags, uint32_t itag_count,
                           JET_ENUMCOLUMN *out)
{
    JET_ERR err = JET_errSuccess;
    struct value value;
    if (values->count == 0 && itags == NULL) {
        out->err = JET_wrnColumnNull;
        goto done;
    }
    if (request->grbit & JET_bitEnumeratePresenceOnly) {
        out->err = values->count == 0 ? JET_wrnColumnNull : JET_wrnColumnPresent;
        goto done;
    }
    if (itags == NULL && values->count == 1 && (request->grbit & JET_bitEnumerateCompressOutput) != 0) {
        TRY(value_at(values, 1, &value));
        if (value.kind != VALUE_SEPARATED) {
            JET_ERR result = JET_errSuccess;
            out->err = JET_wrnColumnSingleValue;
            TRY(copy_value(cursor, request, &value, &out->pvData, &out->cbData, &result));
            goto done;
        }
    }
    const uint32_t count = itags != NULL ? itag_count : values->count;
    out->rgEnumColumnValue = allocate(request, count * (uint32_t)sizeof(JET_ENUMCOLUMNVALUE));
    if (out->rgEnumColumnValue == NULL)
        FAIL(JET_errOutOfMemory);
    memset(out->rgEnumColumnValue, 0, count * sizeof(JET_ENUMCOLUMNVALUE));
    out->cEnumColumnValue = count;
    for (uint32_t i = 0; i < count; i++)
        TRY(fill_value(cursor, request, values, itags != NULL ? itags[i] : i + 1,
                       &out->rgEnumColumnValue[i]));
done:
    return err;
}

/* The columns inherited from a template, or the table's own ones. */
static JET_ERR enumerate_part(struct table_cursor *cursor, const struct enumeration *request,
                              struct record_view view, bool inherited, JET_ENUMCOLUMN *columns,
                              uint32_t *count)
{
    JET_ERR err = JET_errSuccess;
    uint32_t position = 0;
    struct column_definition *column = NULL;
    for (;;) {
        struct column_values values;
        TRY(table_next_column(cursor, &position, &column));
        if (column == NULL)
            break;
        if (column->inherited != inherited ||
            ((request->grbit & JET_bitEnumerateTaggedOnly) != 0 && !column_id_is_tagged(column->id)))
            continue;
        TRY(read_values(cursor, view, column, request->grbit, &values));
        if (!values.present)
            continue;
        JET_ENUMCOLUMN *out = &columns[(*count)++];
        out->columnid = column_public_id(column);
        TRY(fill_column(cursor, request, &values, NULL, 0, out));
    }
done:
    return err;
}

static JET_ERR enumerate_all(struct table_cursor *cursor, const struct enumeration *request,
                             struct record_view view, JET_ENUMCOLUMN *columns, uint32_t *count)
{
    JET_ERR err = JET_errSuccess;
    if (cursor->table->is_derived)
        TRY(enumerate_part(cursor, request, view, true, columns, count));
    TRY(enumerate_part(cursor, request, view, false, columns, count));
done:
    return err;
}

static JET_ERR enumerate_wanted(struct table_cursor *cursor, const struct enumeration *request,
                                struct record_view view, const JET_ENUMCOLUMNID *wanted,
                                uint32_t wanted_count, JET_ENUMCOLUMN *columns, uint32_t *count)
{
    JET_ERR err = JET_errSuccess;
    for (uint32_t i = 0; i < wanted_count; i++) {
        struct column_definition *column = NULL;
        struct column_values values;
        JET_ENUMCOLUMN *out = &columns[(*count)++];
        out->columnid = wanted[i].columnid;
        if (wanted[i].columnid == 0) {
            out->err = JET_wrnColumnSkipped;
            continue;
        }
        out->err = table_find_column(cursor, wanted[i].columnid, &column);
        if (out->err == JET_errColumnNotFound)
            continue;
        TRY(out->err);
        TRY(read_values(cursor, view, column, request->grbit, &values));
        TRY(fill_column(cursor, request, &values,
                        wanted[i].ctagSequence == 0 ? NULL : wanted[i].rgtagSequence, wanted[i].ctagSequence,
                        out));
    }
done:
    return err;
}

static uint32_t column_count(const struct table_definition *table)
{
    return table->fixed.count + table->variable.count + table->tagged.count + table->template_tagged.count;
}

JET_ERR table_enumerate(struct table_cursor *cursor, const JET_ENUMCOLUMNID *wanted, uint32_t wanted_count,
                        const struct enumeration *request)
{
    JET_ERR err = JET_errSuccess;
    struct row_copy row = {0};
    JET_ENUMCOLUMN *columns = NULL;
    uint32_t count = 0;
    if (request->columns == NULL || request->count == NULL || request->reallocate == NULL)
        return JET_errInvalidParameter;
    *request->columns = NULL;
    *request->count = 0;
    if (request->grbit & ~(JET_GRBIT)ALL_BITS)
        FAIL(JET_errInvalidGrbit);
    TRY(row_read(cursor, (request->grbit & JET_bitEnumerateCopy) != 0, &row));
    const uint32_t most = wanted_count > 0 ? wanted_count : column_count(cursor->table);
    const uint32_t size = most * (uint32_t)sizeof(JET_ENUMCOLUMN);
    if ((columns = allocate(request, size)) == NULL)
        FAIL(JET_errOutOfMemory);
    memset(columns, 0, size);
    if (wanted_count > 0)
        err = enumerate_wanted(cursor, request, row_view(&row), wanted, wanted_count, columns, &count);
    else
        err = enumerate_all(cursor, request, row_view(&row), columns, &count);
    TRY(err);
    *request->columns = columns;
    *request->count = count;
    columns = NULL;
done:
    if (columns != NULL) {
        for (uint32_t i = 0; i < count; i++)
            free_column(request, &columns[i]);
        request->reallocate(request->context, columns, 0);
    }
    return err < JET_errSuccess ? err : JET_errSuccess;
}

/* --- sizes --- */

#define ROW_OVERHEAD (4u + 2u) /* the line's entry, the key's length */

static JET_ERR add_field(struct table_cursor *cursor, const struct tagged_field *field, JET_GRBIT grbit,
                         JET_RECSIZE2 *sizes)
{
    JET_ERR err = JET_errSuccess;
    uint32_t data = 0;
    sizes->cTaggedColumns++;
    if (field->value_count > 1)
        sizes->cMultiValues += field->value_count - 1;
    for (uint32_t itag = 1; itag <= field->value_count; itag++) {
        struct value value;
        uint32_t logical = 0;
        TRY(tagged_value(field, itag, &value));
        data += value.size;
        if (value.kind == VALUE_SEPARATED) {
            sizes->cLongValues++;
            sizes->cbOverhead += value.size;
            if (grbit & JET_bitRecordSizeLocal)
                continue;
            TRY(long_value_logical_size(cursor, &value, &logical));
            sizes->cbLongValueData += logical;
            sizes->cbLongValueDataCompressed += logical;
            const uint32_t chunk = long_value_chunk_size(cursor->table->page_size);
            const uint32_t chunks = (logical + chunk - 1) / chunk;
            sizes->cbLongValueOverhead += ROW_OVERHEAD + 4 + 8 + (uint64_t)chunks * (ROW_OVERHEAD + 8);
            continue;
        }
        TRY(long_value_logical_size(cursor, &value, &logical));
        sizes->cbData += logical;
        sizes->cbDataCompressed += value.size;
        sizes->cCompressedColumns += value.kind == VALUE_COMPRESSED;
    }
    sizes->cbOverhead += 4 + (field->size - data) + (field->header != 0 || cursor->table->page_size > 8192);
done:
    return err;
}

JET_ERR table_record_size(struct table_cursor *cursor, JET_RECSIZE2 *sizes, JET_GRBIT grbit)
{
    JET_ERR err = JET_errSuccess;
    struct row_copy row = {0};
    struct record_extent extent;
    uint32_t count = 0;
    if (grbit &
        ~(JET_GRBIT)(JET_bitRecordSizeInCopyBuffer | JET_bitRecordSizeRunningTotal | JET_bitRecordSizeLocal))
        FAIL(JET_errInvalidGrbit);
    if ((grbit & JET_bitRecordSizeInCopyBuffer) != 0 && cursor->prepared == PREPARED_NONE)
        FAIL(JET_errUpdateNotPrepared);
    TRY(row_read(cursor, (grbit & JET_bitRecordSizeInCopyBuffer) != 0, &row));
    if ((grbit & JET_bitRecordSizeRunningTotal) == 0)
        *sizes = (JET_RECSIZE2){0};
    TRY(record_measure(row_view(&row), &extent));
    sizes->cbOverhead += ROW_OVERHEAD + row.key_size + extent.overhead;
    sizes->cbData += extent.fixed_data + extent.variable_data;
    sizes->cbDataCompressed += extent.fixed_data + extent.variable_data;
    sizes->cNonTaggedColumns += extent.fixed_last + (extent.variable_last - (COLUMN_VARIABLE_FIRST - 1));
    TRY(tagged_count(row_view(&row), cursor->table->page_size, &count));
    for (uint32_t i = 0; i < count; i++) {
        struct tagged_field field;
        TRY(tagged_field_at(row_view(&row), cursor->table->page_size, i, &field));
        TRY(add_field(cursor, &field, grbit, sizes));
    }
done:
    return err < JET_errSuccess ? err : JET_errSuccess;
}

JET_ERR table_tagged_list(struct table_cursor *cursor, JET_RETRIEVEMULTIVALUECOUNT *list, uint32_t max,
                          uint32_t *count, JET_COLUMNID start, JET_GRBIT grbit)
{
    JET_ERR err = JET_errSuccess;
    struct row_copy row = {0};
    uint32_t position = 0;
    struct column_definition *column = NULL;
    bool reached = !column_id_is_tagged(start);
    *count = 0;
    TRY(row_read(cursor, (grbit & JET_bitRetrieveCopy) != 0, &row));
    for (;;) {
        struct column_values values;
        TRY(table_next_column(cursor, &position, &column));
        if (column == NULL || (max != 0 && *count == max))
            break;
        if (!column_id_is_tagged(column->id))
            continue;
        reached = reached || column_public_id(column) >= start;
        const JET_GRBIT ignore =
            (grbit & JET_bitRetrieveIgnoreDefault) != 0 ? JET_bitEnumerateIgnoreDefault : 0;
        TRY(read_values(cursor, row_view(&row), column, ignore, &values));
        if (!reached || !values.present)
            continue;
        if (list != NULL && max != 0) {
            list[*count] = (JET_RETRIEVEMULTIVALUECOUNT){
                .columnid = column_public_id(column),
                .cMultiValues = (uint16_t)values.count,
            };
            list[*count].fLongValue = column_is_long(column);
            list[*count].fNullOverride = values.tagged && values.field.null;
            list[*count].fDerived = column->inherited;
        }
        ++*count;
    }
done:
    return err < JET_errSuccess ? err : JET_errSuccess;
}
