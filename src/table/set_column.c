/* JetSetColumn: changes the work record of a prepared update (engine sources: `fldmod.cxx`, `lv.cxx`). */
#include "src/cache/database.h"
#include "src/os/error.h"
#include "src/os/host.h"
#include "src/os/memory.h"
#include "src/table/compression.h"
#include "src/table/long_value.h"
#include "src/table/update.h"

#define LONG_INTRINSIC_MAX 1023u
#define INTERNAL_BITS 0xf0000000u /* of a grbit: nobody else may use them */
#define LONG_SIZE_MAX 0x7fffffffu

/* What is to become of a long value (the engine's "lvop"). */
enum long_operation {
    LONG_NOTHING,
    LONG_SET_NULL,
    LONG_SET_EMPTY,
    LONG_INSERT,
    LONG_INSERT_ZEROS,
    LONG_REPLACE,
    LONG_APPEND,
    LONG_RESIZE,
    LONG_OVERWRITE,
    LONG_OVERWRITE_RESIZE,
};

static JET_ERR operation_overwrite(bool empty, bool exists, uint32_t offset, enum long_operation *operation)
{
    *operation = LONG_NOTHING;
    if (exists) {
        if (!empty)
            *operation = LONG_OVERWRITE;
        return JET_errSuccess;
    }
    if (offset != 0)
        return JET_errColumnNoChunk;
    *operation = empty ? LONG_SET_EMPTY : LONG_INSERT;
    return JET_errSuccess;
}

static JET_ERR choose_operation(JET_GRBIT grbit, uint32_t size, bool exists, uint32_t offset,
                                enum long_operation *operation)
{
    const bool empty = size == 0;
    switch (grbit & (JET_bitSetAppendLV | JET_bitSetOverwriteLV | JET_bitSetSizeLV | JET_bitSetZeroLength)) {
    case JET_bitSetAppendLV:
        if (empty)
            *operation = exists ? LONG_NOTHING : LONG_SET_EMPTY;
        else
            *operation = exists ? LONG_APPEND : LONG_INSERT;
        return JET_errSuccess;
    case JET_bitSetOverwriteLV:
        return operation_overwrite(empty, exists, offset, operation);
    case JET_bitSetSizeLV:
        *operation = empty ? LONG_SET_NULL : exists ? LONG_RESIZE : LONG_INSERT_ZEROS;
        return JET_errSuccess;
    case JET_bitSetZeroLength:
        *operation = empty ? LONG_SET_EMPTY : exists ? LONG_REPLACE : LONG_INSERT;
        return JET_errSuccess;
    case JET_bitSetSizeLV | JET_bitSetZeroLength:
        *operation = empty ? LONG_SET_EMPTY : exists ? LONG_RESIZE : LONG_INSERT_ZEROS;
        return JET_errSuccess;
    case JET_bitSetSizeLV | JET_bitSetOverwriteLV:
        if (empty)
            *operation = LONG_SET_NULL;
        else if (exists)
            *operation = LONG_OVERWRITE_RESIZE;
        else if (offset != 0)
            return JET_errColumnNoChunk;
        else
            *operation = LONG_INSERT;
        return JET_errSuccess;
    default:
        *operation = empty ? LONG_SET_NULL : exists ? LONG_REPLACE : LONG_INSERT;
        return JET_errSuccess;
    }
}

/* A long value as it shall be. */
struct long_edit {
    enum long_operation operation;
    const uint8_t *data; /* the caller's */
    uint32_t size;
    uint32_t offset;
    uint8_t *old; /* the whole old value, if the operation needs it */
    uint32_t old_size;
};

static JET_ERR edited_size(const struct long_edit *edit, uint64_t *size)
{
    *size = edit->size;
    switch (edit->operation) {
    case LONG_APPEND:
        *size += edit->old_size;
        break;
    case LONG_OVERWRITE:
    case LONG_OVERWRITE_RESIZE:
        if (edit->offset > edit->old_size)
            return JET_errColumnNoChunk;
        *size += edit->offset;
        if (edit->operation == LONG_OVERWRITE && *size < edit->old_size)
            *size = edit->old_size;
        break;
    default:
        break;
    }
    return *size > LONG_SIZE_MAX ? JET_errColumnTooBig : JET_errSuccess;
}

/* Builds the new value in `out`, which has room for it. */
static void build_value(const struct long_edit *edit, uint8_t *out, uint32_t size)
{
    const uint32_t kept = edit->old_size < size ? edit->old_size : size;
    memset(out, 0, size);
    switch (edit->operation) {
    case LONG_INSERT_ZEROS:
        return;
    case LONG_RESIZE:
        memcpy(out, edit->old, kept);
        return;
    case LONG_APPEND:
        memcpy(out, edit->old, edit->old_size);
        memcpy(out + edit->old_size, edit->data, edit->size);
        return;
    case LONG_OVERWRITE:
    case LONG_OVERWRITE_RESIZE:
        memcpy(out, edit->old, kept);
        memcpy(out + edit->offset, edit->data, edit->size);
        return;
    default:
        memcpy(out, edit->data, edit->size);
        return;
    }
}

/* Puts a value into the tree's care: the record refers to it by a pending id. */
static JET_ERR store_separated(struct table_cursor *cursor, const struct column_definition *column,
                               uint32_t itag, const uint8_t *data, uint32_t size)
{
    uint64_t id = 0;
    uint8_t bytes[8];
    uint8_t *copy = os_allocate(size + 1);
    if (copy == NULL)
        return JET_errOutOfMemory;
    memcpy(copy, data, size);
    JET_ERR err = long_value_keep(cursor, copy, size, &id);
    if (err < JET_errSuccess)
        return err;
    return tagged_set(cursor->table, &cursor->work, column, itag, bytes, long_value_id_encode(id, bytes),
                      TAGGED_SET_SEPARATED);
}

/* Shorter values are not moved out: their ids would take as much. See record_fits about the profiles. */
static uint32_t long_id_size(void)
{
    return os_host_is_published() ? 8 : 4;
}

static JET_ERR store_intrinsic(struct table_cursor *cursor, const struct column_definition *column,
                               uint32_t itag, const uint8_t *data, uint32_t size, bool compressed)
{
    uint8_t buffer[LONG_INTRINSIC_MAX];
    struct tagged_field field;
    bool found = false;
    if (compressed && size <= sizeof(buffer) && itag <= 1) {
        JET_ERR err = tagged_find(table_work_view(cursor), cursor->table->page_size, column, &found, &field);
        if (NEVER(err < JET_errSuccess)) /* the work record is sound */
            return err;
        const bool first = itag == 1 || !found || field.value_count == 0;
        const uint32_t smaller = first ? compress_7bit(data, size, buffer) : 0;
        if (smaller >= long_id_size()) /* no smaller than its id would be if it were separated */
            return tagged_set(cursor->table, &cursor->work, column, itag, buffer, smaller,
                              TAGGED_SET_COMPRESSED);
    }
    return tagged_set(cursor->table, &cursor->work, column, itag, data, size, 0);
}

/* Moves long values of more than `threshold` bytes out of the work record. */
static JET_ERR separate_values(struct table_cursor *cursor, uint32_t threshold)
{
    JET_ERR err = JET_errSuccess;
    uint32_t count = 0;
    uint8_t *memory = NULL;
    TRY_SOUND(tagged_count(table_work_view(cursor), cursor->table->page_size, &count));
    for (uint32_t i = 0; i < count; i++) {
        struct tagged_field field;
        TRY_SOUND(tagged_field_at(table_work_view(cursor), cursor->table->page_size, i, &field));
        const JET_COLUMNID id = field.column | (field.derived ? COLUMN_TEMPLATE_BIT : 0);
        const struct column_definition *column = table_definition_column(cursor->table, id);
        if (!field.long_type || column == NULL)
            continue;
        for (uint32_t itag = 1; itag <= field.value_count; itag++) {
            struct value value;
            uint32_t size = 0;
            TRY_SOUND(tagged_field_at(table_work_view(cursor), cursor->table->page_size, i, &field));
            TRY_SOUND(tagged_value(&field, itag, &value));
            if (value.kind == VALUE_SEPARATED || value.size <= threshold)
                continue;
            TRY(long_value_fetch(cursor, &value, &memory, &size));
            TRY(store_separated(cursor, column, itag, memory, size));
            os_free(memory);
            memory = NULL;
        }
    }
done:
    os_free(memory);
    return err;
}

/* The next lower threshold when the record does not fit; false: nothing more to try. */
static bool lower_threshold(uint32_t page_size, uint32_t *threshold)
{
    if (*threshold <= long_id_size())
        return false;
    *threshold /= 2;
    if (*threshold < page_size / 64)
        *threshold = long_id_size();
    return true;
}

static bool wants_compression(const struct column_definition *column, JET_GRBIT grbit)
{
    if (grbit & JET_bitSetUncompressed)
        return false;
    return (grbit & JET_bitSetCompressed) != 0 || (column->flags & COLUMN_FLAG_COMPRESSED) != 0;
}

static uint32_t intrinsic_limit(const struct table_cursor *cursor, JET_GRBIT grbit)
{
    if (grbit & JET_bitSetSeparateLV)
        return long_id_size();
    if (grbit & JET_bitSetIntrinsicLV)
        return record_size_max(cursor->table);
    const uint32_t preferred = cursor->table->separate_threshold;
    return preferred == 0 ? LONG_INTRINSIC_MAX : preferred;
}

static JET_ERR store_value(struct table_cursor *cursor, const struct column_definition *column, uint32_t itag,
                           const uint8_t *data, uint32_t size, JET_GRBIT grbit)
{
    uint32_t threshold = cursor->database->page_size;
    if (size > intrinsic_limit(cursor, grbit)) {
        JET_ERR err = store_separated(cursor, column, itag, data, size);
        while (err == JET_errRecordTooBig && lower_threshold(cursor->database->page_size, &threshold)) {
            if ((err = separate_values(cursor, threshold)) >= JET_errSuccess)
                err = store_separated(cursor, column, itag, data, size);
        }
        return err;
    }
    const bool compressed = wants_compression(column, grbit);
    JET_ERR err = store_intrinsic(cursor, column, itag, data, size, compressed);
    if (err == JET_errRecordTooBig && size > threshold / 2)
        err = store_separated(cursor, column, itag, data, size);
    while (err == JET_errRecordTooBig && lower_threshold(cursor->database->page_size, &threshold)) {
        if ((err = separate_values(cursor, threshold)) < JET_errSuccess)
            break;
        err = store_intrinsic(cursor, column, itag, data, size, compressed);
        if (err == JET_errRecordTooBig && size > threshold)
            err = store_separated(cursor, column, itag, data, size);
    }
    return err;
}

static JET_ERR set_long(struct table_cursor *cursor, const struct column_definition *column, const void *data,
                        uint32_t size, const struct set_options *options)
{
    JET_ERR err = JET_errSuccess;
    struct long_edit edit = {.data = data, .size = size, .offset = options->offset};
    struct value old = {.kind = VALUE_DEFAULT_NULL};
    uint8_t *built = NULL;
    uint64_t new_size = 0;
    if (transaction_level(cursor->transaction) == 0)
        FAIL(JET_errNotInTransaction);
    table_column_mark_set(cursor, column);
    if (options->itag != 0)
        TRY_SOUND(tagged_get(cursor->table, table_work_view(cursor), column, options->itag, &old));
    const bool exists =
        old.kind == VALUE_PLAIN || old.kind == VALUE_SEPARATED || old.kind == VALUE_COMPRESSED;
    TRY(choose_operation(options->grbit, size, exists, options->offset, &edit.operation));
    if (edit.operation == LONG_NOTHING)
        goto done;
    if (edit.operation == LONG_SET_NULL) {
        if (column->flags & COLUMN_FLAG_NOT_NULL)
            FAIL(JET_errNullInvalid);
        TRY(tagged_set(cursor->table, &cursor->work, column, options->itag, NULL, 0,
                       (options->grbit & JET_bitSetRevertToDefaultValue) != 0 ? TAGGED_SET_REVERT : 0));
        goto done;
    }
    if (edit.operation == LONG_SET_EMPTY) {
        TRY(tagged_set(cursor->table, &cursor->work, column, options->itag, "", 0, 0));
        goto done;
    }
    if (exists && edit.operation != LONG_REPLACE)
        TRY(long_value_fetch(cursor, &old, &edit.old, &edit.old_size));
    TRY(edited_size(&edit, &new_size));
    if (column->max_size > 0 && new_size > column->max_size)
        FAIL(JET_errColumnTooBig);
    if ((built = os_allocate((size_t)new_size + 1)) == NULL)
        FAIL(JET_errOutOfMemory);
    build_value(&edit, built, (uint32_t)new_size);
    TRY(store_value(cursor, column, options->itag, built, (uint32_t)new_size, options->grbit));
done:
    os_free(edit.old);
    os_free(built);
    return err;
}

/* --- plain columns --- */

/* A column the record does not reach yet gets its place (with its default) before the value is looked at. */
static JET_ERR make_room(struct table_cursor *cursor, const struct column_definition *column)
{
    bool has = false;
    JET_ERR err = record_has_column(table_work_view(cursor), column->id, &has);
    if (NEVER(err < JET_errSuccess) || has)
        return err;
    return record_set(cursor->table, &cursor->work, column, column->default_value, column->default_size);
}

static JET_ERR put_fixed(struct table_cursor *cursor, const struct column_definition *column,
                         const uint8_t *data, uint32_t size)
{
    uint8_t padded[256];
    if (size == 0)
        data = NULL;
    if (data == NULL && (column->flags & COLUMN_FLAG_NOT_NULL) != 0)
        return JET_errNullInvalid;
    table_column_mark_set(cursor, column);
    if (data == NULL)
        return record_set(cursor->table, &cursor->work, column, NULL, 0);
    JET_ERR err = make_room(cursor, column);
    if (err < JET_errSuccess)
        return err;
    if (size != column->max_size) {
        const bool text = column->type == JET_coltypText;
        if ((!text && column->type != JET_coltypBinary) || size > column->max_size)
            return JET_errInvalidBufferSize;
        memset(padded, text ? ' ' : 0, sizeof(padded));
        if (text && column->code_page == 1200) {
            for (uint32_t i = size; i < column->max_size; i++)
                padded[i] = (i - size) % 2 == 0 ? ' ' : 0;
        }
        memcpy(padded, data, size);
        data = padded;
    } else if (column->type == JET_coltypBit) {
        padded[0] = data[0] == 0 ? 0x00 : 0xff;
        data = padded;
    }
    return record_set(cursor->table, &cursor->work, column, data, column->max_size);
}

static JET_ERR put_variable(struct table_cursor *cursor, const struct column_definition *column,
                            const uint8_t *data, uint32_t size)
{
    JET_ERR warning = JET_errSuccess;
    table_column_mark_set(cursor, column);
    if (data == NULL && (column->flags & COLUMN_FLAG_NOT_NULL) != 0)
        return JET_errNullInvalid;
    if (data != NULL && size > column->max_size) {
        size = column->max_size;
        warning = JET_wrnColumnMaxTruncated;
    }
    JET_ERR err = record_set(cursor->table, &cursor->work, column, data, size);
    return err < JET_errSuccess ? err : warning;
}

static JET_ERR put_tagged(struct table_cursor *cursor, const struct column_definition *column,
                          const uint8_t *data, uint32_t size, const struct set_options *options)
{
    const uint32_t fixed = column_type_size(column->type);
    if (data == NULL && (column->flags & COLUMN_FLAG_NOT_NULL) != 0)
        return JET_errNullInvalid;
    table_column_mark_set(cursor, column);
    if (data != NULL && column->max_size > 0 && size > column->max_size && fixed == 0)
        return JET_errColumnTooBig;
    if (data != NULL && size > 0 && fixed != 0 && size != fixed)
        return size > column->max_size && column->max_size > 0 ? JET_errColumnTooBig
                                                               : JET_errInvalidBufferSize;
    return tagged_set(cursor->table, &cursor->work, column, options->itag, data, size,
                      (options->grbit & JET_bitSetRevertToDefaultValue) != 0 ? TAGGED_SET_REVERT : 0);
}

static JET_ERR put_plain(struct table_cursor *cursor, const struct column_definition *column,
                         const uint8_t *data, uint32_t size, const struct set_options *options)
{
    if (column_id_is_fixed(column->id))
        return put_fixed(cursor, column, data, size);
    if (column_id_is_variable(column->id))
        return put_variable(cursor, column, data, size);
    return put_tagged(cursor, column, data, size, options);
}

static JET_ERR set_plain(struct table_cursor *cursor, const struct column_definition *column,
                         const void *data, uint32_t size, const struct set_options *options)
{
    static const uint8_t empty[1];
    uint32_t threshold = cursor->database->page_size;
    const uint8_t *bytes = data;
    if (size == 0)
        bytes = (options->grbit & JET_bitSetZeroLength) != 0 ? empty : NULL;
    JET_ERR err = put_plain(cursor, column, bytes, size, options);
    while (err == JET_errRecordTooBig && lower_threshold(cursor->database->page_size, &threshold)) {
        if (transaction_level(cursor->transaction) == 0)
            return JET_errNotInTransaction; /* moving long values out needs one */
        if ((err = separate_values(cursor, threshold)) < JET_errSuccess)
            break;
        err = put_plain(cursor, column, bytes, size, options);
    }
    return err;
}

/* --- multi-values that must be different --- */

static JET_ERR values_equal(const struct column_definition *column, bool normalized, const uint8_t *a,
                            uint32_t a_size, const uint8_t *b, uint32_t b_size, bool *equal)
{
    if (!normalized) {
        *equal = a_size == b_size && memcmp(a, b, a_size) == 0;
        return JET_errSuccess;
    }
    static const uint16_t invariant[1];
    const struct key_format format = {
        .type = column->type,
        .code_page = column->code_page,
        .key_max = KEY_SIZE_DEFAULT,
        .segment_max = KEY_SIZE_DEFAULT,
        .locale = invariant,
        .map_flags = KEY_MAP_FLAGS_DEFAULT,
    };
    struct key_segment left;
    struct key_segment right;
    uint8_t left_bytes[KEY_BUFFER_SIZE];
    uint8_t right_bytes[KEY_BUFFER_SIZE];
    JET_ERR err = key_normalize(&format, a, a_size, left_bytes, KEY_SIZE_DEFAULT, &left);
    if (err >= JET_errSuccess)
        err = key_normalize(&format, b, b_size, right_bytes, KEY_SIZE_DEFAULT, &right);
    if (err >= JET_errSuccess)
        *equal = left.size == right.size && memcmp(left_bytes, right_bytes, left.size) == 0;
    return err;
}

static JET_ERR check_unique(struct table_cursor *cursor, const struct column_definition *column,
                            const uint8_t *data, uint32_t size, const struct set_options *options)
{
    JET_ERR err = JET_errSuccess;
    bool found = false;
    struct tagged_field field;
    uint8_t *memory = NULL;
    const bool normalized = (options->grbit & JET_bitSetUniqueNormalizedMultiValues) != 0;
    TRY_SOUND(tagged_find(table_work_view(cursor), cursor->table->page_size, column, &found, &field));
    for (uint32_t itag = 1; found && itag <= field.value_count; itag++) {
        struct value value;
        uint32_t other = 0;
        bool equal = false;
        if (itag == options->itag)
            continue;
        TRY_SOUND(tagged_value(&field, itag, &value));
        TRY(long_value_fetch(cursor, &value, &memory, &other));
        TRY(values_equal(column, normalized, data, size, memory, other, &equal));
        if (equal)
            FAIL(JET_errMultiValuedDuplicate);
        os_free(memory);
        memory = NULL;
    }
done:
    os_free(memory);
    return err;
}

static JET_ERR check_grbit(struct table_cursor *cursor, JET_GRBIT grbit, uint32_t size)
{
    const JET_GRBIT unique = JET_bitSetUniqueMultiValues | JET_bitSetUniqueNormalizedMultiValues;
    if ((grbit & unique) != 0 &&
        (grbit & (JET_bitSetAppendLV | JET_bitSetOverwriteLV | JET_bitSetSizeLV)) != 0)
        return JET_errInvalidGrbit;
    if ((grbit & JET_bitSetContiguousLV) != 0 && (grbit & JET_bitSetSeparateLV) == 0)
        return JET_errInvalidGrbit;
    if ((grbit & JET_bitSetContiguousLV) != 0 && size < cursor->database->page_size)
        return JET_errInvalidBufferSize;
    return (grbit & INTERNAL_BITS) != 0 ? JET_errInvalidGrbit : JET_errSuccess;
}

static bool replacing(const struct table_cursor *cursor)
{
    return cursor->prepared == PREPARED_REPLACE || cursor->prepared == PREPARED_REPLACE_NO_LOCK;
}

JET_ERR table_set_column(struct table_cursor *cursor, JET_COLUMNID id, const void *value, uint32_t size,
                         const struct set_options *options)
{
    JET_ERR err = JET_errSuccess;
    struct column_definition *column = NULL;
    const JET_GRBIT grbit = options->grbit;
    TRY(table_check_updatable(cursor));
    if (size > LONG_SIZE_MAX)
        FAIL(JET_errInvalidParameter);
    if (cursor->prepared == PREPARED_NONE)
        FAIL(JET_errUpdateNotPrepared);
    TRY(check_grbit(cursor, grbit, size));
    TRY(table_find_column(cursor, id, &column));
    if (value == NULL && (grbit & JET_bitSetSizeLV) == 0)
        size = 0;
    if ((column->flags & COLUMN_FLAG_VERSION) != 0 && replacing(cursor))
        FAIL(JET_errInvalidColumnType);
    if (column->flags & COLUMN_FLAG_AUTOINCREMENT)
        FAIL(JET_errInvalidColumnType);
    if (column->flags & COLUMN_FLAG_ENCRYPTED)
        FAIL(JET_errColumnNoEncryptionKey); /* nobody can give one: the function needs another engine */
    if ((grbit & (JET_bitSetUniqueMultiValues | JET_bitSetUniqueNormalizedMultiValues)) != 0 &&
        column_id_is_tagged(column->id) && (size > 0 || (grbit & JET_bitSetZeroLength) != 0))
        TRY(check_unique(cursor, column, value, size, options));
    if (column_is_long(column) && column_id_is_tagged(column->id))
        err = set_long(cursor, column, value, size, options);
    else
        err = set_plain(cursor, column, value, size, options);
done:
    return err;
}
