#include "src/table/retrieve.h"

#include "src/cache/database.h"
#include "src/os/error.h"
#include "src/os/memory.h"
#include "src/table/index_key.h"
#include "src/table/long_value.h"
#include "src/table/update.h"

JET_ERR row_read(struct table_cursor *cursor, bool copy, struct row_copy *row)
{
    JET_ERR err = JET_errSuccess;
    struct node_view node;
    *row = (struct row_copy){0};
    if (copy && cursor->prepared != PREPARED_NONE) {
        row->data = cursor->work.data;
        row->size = cursor->work.size;
        goto done;
    }
    TRY(table_settle(cursor));
    TRY(versioned_cursor_copy(cursor->primary, &node));
    row->data = node.data.bytes;
    row->size = (uint32_t)node.data.size;
    row->key_size = (uint32_t)node.key.size;
done:
    return err;
}

#define INTERNAL_BITS 0xf0000000u /* of a grbit: nobody else may use them */

/* Gives bytes out: as many as fit. */
static JET_ERR give(const uint8_t *data, uint32_t size, void *buffer, uint32_t max, uint32_t *actual)
{
    const uint32_t count = size < max ? size : max;
    if (count > 0 && buffer != NULL)
        memcpy(buffer, data, count);
    if (actual != NULL)
        *actual = size;
    return size > max ? JET_wrnBufferTruncated : JET_errSuccess;
}

static JET_ERR give_null(uint32_t *actual)
{
    if (actual != NULL)
        *actual = 0;
    return JET_wrnColumnNull;
}

/* A value of a long column, from an offset on. */
static JET_ERR give_long(struct table_cursor *cursor, const struct value *value, uint32_t offset,
                         void *buffer, uint32_t max, uint32_t *actual)
{
    JET_ERR err = JET_errSuccess;
    uint32_t size = 0;
    uint32_t done_size = 0;
    uint64_t id = 0;
    uint8_t *memory = NULL;
    if (value->kind == VALUE_SEPARATED) {
        TRY(long_value_id(value, &id));
        TRY(long_value_size(cursor, id, &size));
        size = offset < size ? size - offset : 0;
        if (buffer != NULL && max > 0 && size > 0)
            TRY(long_value_read(cursor, id, offset, buffer, size < max ? size : max, &done_size));
        if (actual != NULL)
            *actual = size;
        err = size > max ? JET_wrnBufferTruncated : JET_errSuccess;
        goto done;
    }
    TRY(long_value_fetch(cursor, value, &memory, &size));
    const uint32_t start = offset < size ? offset : size;
    err = give(memory + start, size - start, buffer, max, actual);
done:
    os_free(memory);
    return err;
}

static JET_ERR give_value(struct table_cursor *cursor, const struct column_definition *column,
                          const struct value *value, const struct retrieve_options *options, void *buffer,
                          uint32_t max, uint32_t *actual)
{
    uint64_t id = 0;
    const bool is_default = value->kind == VALUE_DEFAULT;
    if (value->kind == VALUE_NULL || value->kind == VALUE_DEFAULT_NULL ||
        (is_default && (options->grbit & JET_bitRetrieveIgnoreDefault) != 0 &&
         column_id_is_tagged(column->id)))
        return give_null(actual);
    if (options->grbit & (JET_bitRetrieveLongId | JET_bitRetrieveLongValueRefCount)) {
        if (value->kind != VALUE_SEPARATED)
            return give_null(actual);
        if (options->grbit & JET_bitRetrieveLongId)
            return give(value->data, value->size, buffer, max, actual);
        uint32_t references = 0;
        JET_ERR err = long_value_id(value, &id);
        if (err >= JET_errSuccess)
            err = long_value_references(cursor, id, &references);
        return err < JET_errSuccess ? err : give((const uint8_t *)&references, 4, buffer, max, actual);
    }
    if (options->grbit & JET_bitRetrievePhysicalSize) {
        if (value->kind == VALUE_SEPARATED)
            return give_long(cursor, value, 0, NULL, UINT32_MAX, actual);
        *actual = value->size;
        return JET_errSuccess;
    }
    if (column_is_long(column))
        return give_long(cursor, value, options->offset, buffer, max, actual);
    return give(value->data, value->size, buffer, max, actual);
}

/* --- from the index --- */

/* The column's place in an index, or -1. */
static int place_in_index(const struct index_definition *index, JET_COLUMNID id)
{
    for (int i = 0; i < index->column_count; i++) {
        if (index->columns[i].column == id)
            return i;
    }
    return -1;
}

/* Reads a column's value out of a key. False: it cannot be had from there. */
static bool value_from_key(const struct table_cursor *cursor, const struct index_definition *index, int place,
                           struct span key, uint8_t *value, uint32_t *size, bool *null)
{
    uint32_t at = 0;
    const struct column_definition *wanted =
        table_definition_column(cursor->table, index->columns[place].column);
    const bool long_binary = wanted->type == JET_coltypBinary || wanted->type == JET_coltypLongBinary;
    /* A limit below the default one is what all columns need together: nothing is cut. */
    const bool cut = key.size >= index->key_max && index->key_max >= KEY_SIZE_DEFAULT;
    if (cut || column_is_text(wanted) || (long_binary && index->segment_max < index->key_max))
        return false;
    for (int i = 0; i <= place; i++) {
        struct key_format format;
        uint32_t used = 0;
        const struct column_definition *column =
            table_definition_column(cursor->table, index->columns[i].column);
        key_format_of(index, column, index->columns[i].descending, &format);
        *size = KEY_SIZE_MAX;
        if (column_is_text(column)) {
            if (column->code_page == 1200 ||
                !key_skip_text(&format, key.bytes + at, (uint32_t)key.size - at, &used))
                return false;
            at += used;
            continue;
        }
        if (!key_denormalize(&format, column->max_size, key.bytes + at, (uint32_t)key.size - at, value, size,
                             null, &used))
            return false;
        at += used;
    }
    return true;
}

/* Which value of the row the current entry of the index stands for. */
static JET_ERR itag_of_entry(struct table_cursor *cursor, struct span key, uint32_t *itag)
{
    JET_ERR err = JET_errSuccess;
    struct row_copy row = {0};
    struct index_key made;
    bool present = true;
    TRY(row_read(cursor, false, &row));
    for (*itag = 1; *itag < 65536; ++*itag) {
        TRY(index_key_of_row(cursor, cursor->index, row_view(&row), *itag, &made, &present));
        if (!present && *itag > 1)
            break;
        if (present && span_compare(span_of(made.bytes, made.size), key) == 0)
            goto done;
    }
    *itag = 1;
done:
    return err;
}

/* JET_errSuccess with *from_record: the caller reads the record, with options->itag. */
static JET_ERR retrieve_from_index(struct table_cursor *cursor, JET_COLUMNID id, void *buffer, uint32_t max,
                                   uint32_t *actual, struct retrieve_options *options, bool *from_record)
{
    JET_ERR err = JET_errSuccess;
    uint8_t *value = NULL;
    uint8_t *key = NULL;
    uint32_t size = 0;
    bool null = false;
    const bool bookmark = (options->grbit & JET_bitRetrieveFromPrimaryBookmark) != 0;
    const struct index_definition *index = bookmark ? cursor->table->primary : cursor->index;
    *from_record = true;
    if (bookmark && (options->grbit & JET_bitRetrieveFromIndex) != 0)
        FAIL(JET_errInvalidGrbit);
    if (!column_id_is_valid(id))
        FAIL(JET_errBadColumnId);
    if (cursor->secondary == NULL) {
        /* Without a place, and in a sort, the record has to tell. */
        if (cursor->table->primary == NULL || cursor->deferred_first || cursor->is_temporary ||
            !versioned_cursor_on_node(cursor->primary)) {
            options->itag = 1;
            goto done;
        }
        index = cursor->table->primary;
    }
    if (index == NULL)
        FAIL(JET_errColumnNotFound);
    const int place = place_in_index(index, id);
    if (place < 0)
        FAIL(JET_errColumnNotFound);
    if (index->tuples && place == 0 && (options->grbit & JET_bitRetrieveTuple) == 0)
        FAIL(JET_errIndexTuplesCannotRetrieveFromIndex);
    const struct column_definition *column = table_definition_column(cursor->table, id);
    if (column == NULL)
        FAIL(JET_errColumnNotFound);
    TRY(bookmark ? table_settle(cursor) : table_settle_active(cursor));
    struct bookmark at;
    struct versioned_cursor *from = bookmark ? cursor->primary : table_active(cursor);
    TRY(versioned_cursor_bookmark(from, &at));
    const struct span source = at.key;
    if ((key = os_duplicate(source.bytes, source.size)) == NULL ||
        (value = os_allocate(KEY_SIZE_MAX)) == NULL)
        FAIL(JET_errOutOfMemory);
    const struct span bytes = span_of(key, source.size);
    *from_record = !value_from_key(cursor, index, place, bytes, value, &size, &null);
    if (*from_record || ((options->grbit & JET_bitRetrieveTag) != 0 && cursor->secondary != NULL)) {
        if ((index->flags & INDEX_FLAG_MULTIVALUED) != 0 && (column->flags & COLUMN_FLAG_MULTIVALUED) != 0 &&
            !null && !bookmark)
            TRY(itag_of_entry(cursor, bytes, &options->itag));
        else
            options->itag = 1;
    }
    if (*from_record)
        goto done;
    if (null) {
        err = give_null(actual);
    } else {
        uint32_t start = 0;
        if (column_is_long(column))
            start = options->offset < size ? options->offset : size;
        err = give(value + start, size - start, buffer, max, actual);
    }
done:
    os_free(value);
    os_free(key);
    return err;
}

/* --- one column --- */

static JET_ERR check_grbit(const struct table_cursor *cursor, const struct retrieve_options *options,
                           uint32_t max, const uint32_t *actual)
{
    const JET_GRBIT grbit = options->grbit;
    (void)cursor;
    if (grbit & INTERNAL_BITS)
        return JET_errInvalidGrbit;
    if (grbit & JET_bitRetrievePhysicalSize) {
        if (grbit & ~(JET_GRBIT)(JET_bitRetrievePhysicalSize | JET_bitRetrieveCopy))
            return JET_errInvalidGrbit;
        if (max != 0 || actual == NULL || options->offset != 0)
            return JET_errInvalidParameter;
    }
    if ((grbit & JET_bitRetrieveTuple) != 0 && (grbit & JET_bitRetrieveFromIndex) == 0)
        return JET_errInvalidGrbit;
    return JET_errSuccess;
}

static bool inserting(const struct table_cursor *cursor)
{
    return cursor->prepared == PREPARED_INSERT || cursor->prepared == PREPARED_INSERT_COPY ||
           cursor->prepared == PREPARED_INSERT_COPY_DELETE;
}

/* One column of a scan: whether value number *left of what is still to come lies in it; if not, counts it
 * off. */
static JET_ERR scan_column(struct table_cursor *cursor, struct record_view view,
                           const struct column_definition *column, JET_GRBIT grbit, uint32_t *left,
                           struct value *value, bool *here)
{
    JET_ERR err = JET_errSuccess;
    struct tagged_field field;
    bool found = false;
    uint32_t count = 0;
    TRY(tagged_find(view, cursor->table->page_size, column, &found, &field));
    if (!found)
        count = (column->flags & COLUMN_FLAG_DEFAULT) != 0 && (grbit & JET_bitRetrieveIgnoreDefault) == 0;
    else if (field.null)
        count = (grbit & JET_bitRetrieveNull) != 0;
    else
        count = field.value_count;
    *here = *left <= count;
    if (*here && found && !field.null)
        TRY(tagged_value(&field, *left, value));
    else if (*here)
        TRY(tagged_get(cursor->table, view, column, 1, value));
    else
        *left -= count;
done:
    return err;
}

/* Column 0: value number options->itag among all values of all tagged columns. */
static JET_ERR scan_tagged(struct table_cursor *cursor, struct record_view view,
                           const struct retrieve_options *options, const struct column_definition **column,
                           struct value *value)
{
    JET_ERR err = JET_errSuccess;
    uint32_t position = 0;
    uint32_t left = options->itag;
    struct column_definition *next = NULL;
    *value = (struct value){.kind = VALUE_DEFAULT_NULL};
    for (;;) {
        bool here = false;
        TRY(table_next_column(cursor, &position, &next));
        if (next == NULL)
            break;
        if (!column_id_is_tagged(next->id))
            continue;
        TRY(scan_column(cursor, view, next, options->grbit, &left, value, &here));
        if (here) {
            *column = next;
            break;
        }
    }
done:
    return err;
}

JET_ERR table_retrieve(struct table_cursor *cursor, JET_COLUMNID id, void *buffer, uint32_t max,
                       uint32_t *actual, struct retrieve_options *options)
{
    JET_ERR err = JET_errSuccess;
    struct column_definition *column = NULL;
    const struct column_definition *found = NULL;
    struct row_copy row = {0};
    struct value value;
    bool from_record = true;
    TRY(check_grbit(cursor, options, max, actual));
    if (options->grbit & (JET_bitRetrieveFromIndex | JET_bitRetrieveFromPrimaryBookmark)) {
        err = retrieve_from_index(cursor, id, buffer, max, actual, options, &from_record);
        if (err < JET_errSuccess || !from_record) {
            options->column = id;
            goto done;
        }
    }
    if (options->row_first)
        TRY(row_read(cursor, (options->grbit & JET_bitRetrieveCopy) != 0, &row));
    if (id != 0)
        TRY(table_find_column(cursor, id, &column));
    if (column != NULL && (column->flags & COLUMN_FLAG_ENCRYPTED) != 0 &&
        (options->grbit &
         (JET_bitRetrievePhysicalSize | JET_bitRetrieveLongId | JET_bitRetrieveLongValueRefCount)) == 0)
        FAIL(JET_errColumnNoEncryptionKey);
    if (!options->row_first)
        TRY(row_read(cursor, (options->grbit & JET_bitRetrieveCopy) != 0, &row));
    found = column;
    if (id == 0) {
        if (options->itag == 0)
            FAIL(JET_errBadItagSequence);
        TRY(scan_tagged(cursor, row_view(&row), options, &found, &value));
        if (found != NULL && value.kind == VALUE_NULL) {
            (void)give_null(actual);
            options->column = column_public_id(found);
            FAIL(JET_wrnColumnSetNull);
        }
    } else if (column_id_is_tagged(column->id)) {
        if (options->itag == 0)
            FAIL(JET_errBadItagSequence);
        TRY(tagged_get(cursor->table, row_view(&row), column, options->itag, &value));
    } else {
        TRY(record_get(cursor->table, row_view(&row), column, &value));
    }
    options->column = found == NULL ? 0 : column_public_id(found);
    err = found == NULL ? give_null(actual) : give_value(cursor, found, &value, options, buffer, max, actual);
    /* The published engine corrects an escrow column's value in the buffer, which must hold the whole. */
    if (err != JET_errSuccess && err >= JET_errSuccess && found != NULL &&
        (found->flags & COLUMN_FLAG_ESCROW) != 0 && !inserting(cursor))
        err = JET_errInvalidBufferSize;
done:
    return err;
}

JET_ERR table_count_values(struct table_cursor *cursor, JET_COLUMNID id, JET_GRBIT grbit, uint32_t *count)
{
    JET_ERR err = JET_errSuccess;
    struct row_copy row = {0};
    struct value value;
    struct column_definition *column = NULL;
    const struct retrieve_options options = {.grbit = grbit};
    uint32_t actual = 0;
    *count = 0;
    TRY(check_grbit(cursor, &options, 0, &actual));
    TRY(row_read(cursor, (grbit & JET_bitRetrieveCopy) != 0, &row));
    if (id != 0)
        TRY(table_find_column(cursor, id, &column));
    if (column != NULL && column_id_is_tagged(column->id)) {
        bool found = false;
        struct tagged_field field;
        TRY(tagged_find(row_view(&row), cursor->table->page_size, column, &found, &field));
        if (found)
            *count = field.value_count;
        else if (column->flags & COLUMN_FLAG_DEFAULT)
            *count = 1; /* whether defaults are wanted or not */
    } else if (column != NULL) {
        TRY(record_get(cursor->table, row_view(&row), column, &value));
        *count = value.kind == VALUE_PLAIN || value.kind == VALUE_DEFAULT;
    } else {
        struct column_definition *next = NULL;
        for (uint32_t position = 0;;) {
            uint32_t left = UINT32_MAX;
            bool here = false;
            TRY(table_next_column(cursor, &position, &next));
            if (next == NULL)
                break;
            if (!column_id_is_tagged(next->id))
                continue;
            TRY(scan_column(cursor, row_view(&row), next, grbit, &left, &value, &here));
            *count += UINT32_MAX - left;
        }
    }
done:
    return err;
}
