#include "src/api/data_index_creation.h"
#include "src/api/text.h"
#include "src/os/text.h"

/* The program's buffer, and how much of it is in use. */
struct room {
    uint8_t *bytes;
    size_t used;
    size_t size;
    bool wide;
};

/* The three forms share their beginning, in both kinds of text. */
_Static_assert(sizeof(JET_INDEXCREATE_A) == sizeof(JET_INDEXCREATE_W) &&
                   sizeof(JET_INDEXCREATE2_A) == sizeof(JET_INDEXCREATE2_W) &&
                   sizeof(JET_INDEXCREATE3_A) == sizeof(JET_INDEXCREATE3_W) &&
                   sizeof(JET_INDEXCREATE2_A) == sizeof(JET_INDEXCREATE3_A) &&
                   offsetof(JET_INDEXCREATE_A, cbKeyMost) == offsetof(JET_INDEXCREATE2_A, cbKeyMost) &&
                   offsetof(JET_INDEXCREATE2_A, pSpacehints) == offsetof(JET_INDEXCREATE3_A, pSpacehints) &&
                   sizeof(JET_CONDITIONALCOLUMN_A) == sizeof(JET_CONDITIONALCOLUMN_W),
               "forms of JET_INDEXCREATE");

uint32_t data_index_creation_size(uint32_t level)
{
    switch (level) {
    case JET_IdxInfoCreateIndex:
        return sizeof(JET_INDEXCREATE_A);
    case JET_IdxInfoCreateIndex2:
        return sizeof(JET_INDEXCREATE2_A);
    case JET_IdxInfoCreateIndex3:
        return sizeof(JET_INDEXCREATE3_A);
    default:
        return 0;
    }
}

/* Bytes for a structure, at the next multiple of 8. */
static JET_ERR take(struct room *room, size_t size, void **out)
{
    const size_t start = (room->used + 7) / 8 * 8;
    if (start > room->size || size > room->size - start)
        return JET_errBufferTooSmall;
    *out = room->bytes + start;
    room->used = start + size;
    return JET_errSuccess;
}

/* A text, at the next byte. */
static JET_ERR put_text(struct room *room, const char *text)
{
    JET_ERR err = JET_errSuccess;
    uint8_t *out = room->bytes + room->used;
    const size_t unit = room->wide ? sizeof(WCHAR) : sizeof(char);
    size_t length = strlen(text);
    if (room->wide)
        TRY(os_utf8_to_utf16(text, length, NULL, 0, &length));
    if ((length + 1) * unit > room->size - room->used)
        FAIL(JET_errBufferTooSmall);
    if (room->wide)
        TRY(api_text_out_wide(text, (WCHAR *)(void *)out, (length + 1) * unit));
    else
        memcpy(out, text, length + 1);
    room->used += (length + 1) * unit;
done:
    return err;
}

/* "+column\0-column\0\0" */
static JET_ERR put_key(struct room *room, const struct table_cursor *cursor,
                       const struct index_definition *index, JET_INDEXCREATE3_A *out)
{
    JET_ERR err = JET_errSuccess;
    const size_t start = room->used;
    for (uint32_t i = 0; i < index->column_count; i++) {
        char segment[1 + NAME_MAX_SIZE + 1] = {index->columns[i].descending ? '-' : '+'};
        const struct column_definition *column =
            table_definition_column(cursor->table, index->columns[i].column);
        memcpy(segment + 1, column->name, sizeof(column->name));
        TRY(put_text(room, segment));
    }
    TRY(put_text(room, ""));
    out->szKey = (char *)room->bytes + start;
    out->cbKey = (uint32_t)(room->used - start);
done:
    return err;
}

/* Always, also for an index without text: creation ignores it there. */
static JET_ERR put_locale(struct room *room, const struct index_definition *index, uint32_t lcid,
                          uint32_t level, JET_INDEXCREATE3_A *out)
{
    JET_ERR err = JET_errSuccess;
    void *place;
    out->grbit |= JET_bitIndexUnicode;
    if (level != JET_IdxInfoCreateIndex3) {
        const JET_UNICODEINDEX numbered = {.lcid = lcid, .dwMapFlags = index->map_flags};
        TRY(take(room, sizeof(numbered), &place));
        memcpy(place, &numbered, sizeof(numbered));
    } else {
        size_t size = sizeof(index->locale[0]);
        JET_UNICODEINDEX2 named = {.dwMapFlags = index->map_flags};
        TRY(take(room, sizeof(named), &place));
        while (index->locale[size / sizeof(index->locale[0]) - 1] != 0)
            size += sizeof(index->locale[0]);
        void *name;
        TRY(take(room, size, &name));
        memcpy(name, index->locale, size);
        named.szLocaleName = name;
        memcpy(place, &named, sizeof(named));
    }
    out->pidxunicode = place;
done:
    return err;
}

static JET_ERR put_limits(struct room *room, const struct index_definition *index, JET_INDEXCREATE3_A *out)
{
    JET_ERR err = JET_errSuccess;
    if (!index->tuples) {
        out->cbVarSegMac = index->segment_max;
        goto done;
    }
    const JET_TUPLELIMITS limits = {
        .chLengthMin = index->tuple.min_length,
        .chLengthMax = index->tuple.max_length,
        .chToIndexMax = index->tuple.to_index_max,
        .cchIncrement = index->tuple.increment,
        .ichStart = index->tuple.start,
    };
    void *place;
    TRY(take(room, sizeof(limits), &place));
    memcpy(place, &limits, sizeof(limits));
    out->grbit |= JET_bitIndexTupleLimits;
    out->ptuplelimits = place;
done:
    return err;
}

static JET_ERR put_conditions(struct room *room, const struct table_cursor *cursor,
                              const struct index_definition *index, JET_INDEXCREATE3_A *out)
{
    JET_ERR err = JET_errSuccess;
    void *place;
    if (index->condition_count == 0)
        goto done;
    TRY(take(room, index->condition_count * sizeof(JET_CONDITIONALCOLUMN_A), &place));
    out->rgconditionalcolumn = place;
    out->cConditionalColumn = index->condition_count;
    for (uint32_t i = 0; i < index->condition_count; i++) {
        const struct index_key_column *from = &index->conditions[i];
        const JET_CONDITIONALCOLUMN_A condition = {
            .cbStruct = sizeof(condition),
            .szColumnName = (char *)room->bytes + room->used,
            .grbit = from->must_be_null ? JET_bitIndexColumnMustBeNull : JET_bitIndexColumnMustBeNonNull,
        };
        TRY(put_text(room, table_definition_column(cursor->table, from->column)->name));
        memcpy((uint8_t *)place + i * sizeof(condition), &condition, sizeof(condition));
    }
done:
    return err;
}

JET_ERR data_index_creation_out(const struct table_cursor *cursor, const struct index_definition *index,
                                JET_GRBIT grbit, uint32_t lcid, const struct info_call *call)
{
    JET_ERR err = JET_errSuccess;
    struct room room = {.bytes = call->result, .size = call->max, .wide = call->wide};
    const uint32_t size = data_index_creation_size(call->level);
    void *place;
    JET_INDEXCREATE3_A out = {
        .cbStruct = size,
        .grbit = grbit,
        .ulDensity = index->density,
        .cbKeyMost = index->key_max > KEY_SIZE_DEFAULT ? index->key_max : KEY_SIZE_DEFAULT,
    };
    if ((uintptr_t)call->result % _Alignof(JET_INDEXCREATE3_A) != 0)
        FAIL(JET_errInvalidParameter);
    TRY(take(&room, size, &place));
    if (call->level != JET_IdxInfoCreateIndex) {
        const JET_SPACEHINTS hints = {.cbStruct = sizeof(hints), .ulInitialDensity = index->density};
        TRY(take(&room, sizeof(hints), &place));
        memcpy(place, &hints, sizeof(hints));
        out.pSpacehints = place;
    }
    out.szIndexName = (char *)room.bytes + room.used;
    TRY(put_text(&room, index->name));
    TRY(put_key(&room, cursor, index, &out));
    TRY(put_locale(&room, index, lcid, call->level, &out));
    TRY(put_limits(&room, index, &out));
    TRY(put_conditions(&room, cursor, index, &out));
    memcpy(call->result, &out, size);
done:
    return err;
}
