#include "src/catalog/key.h"

#include "src/os/error.h"

#define PREFIX_NULL 0x00u
#define PREFIX_ZERO_LENGTH 0x40u
#define PREFIX_VALUE 0x7fu
#define PREFIX_NULL_HIGH 0xc0u
#define SENTINEL 0xffu
#define UNICODE_LEVEL_END 0x01u

#define CHUNK 8u
#define CHUNK_NORMALIZED 9u

#define CODE_PAGE_UNICODE 1200u

void key_format_of(const struct index_definition *index, const struct column_definition *column,
                   bool descending, struct key_format *out)
{
    *out = (struct key_format){
        .type = column->type,
        .code_page = column->code_page,
        .fixed = column_id_is_fixed(column->id),
        .descending = descending,
        .nulls_high = (index->flags & INDEX_FLAG_NULLS_HIGH) != 0,
        .dotnet_guid = (index->extended & INDEX_EXTENDED_DOTNET_GUID) != 0,
        .key_max = index->key_max,
        .segment_max = index->segment_max,
        .locale = index->locale,
        .map_flags = index->map_flags,
    };
}

static const uint8_t guid_order[16] = {10, 11, 12, 13, 14, 15, 8, 9, 6, 7, 4, 5, 0, 1, 2, 3};
static const uint8_t guid_order_dotnet[16] = {3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15};

static bool type_is_signed_integer(uint8_t type)
{
    return type == JET_coltypShort || type == JET_coltypLong || type == JET_coltypCurrency ||
           type == JET_coltypLongLong;
}

static bool type_is_float(uint8_t type)
{
    return type == JET_coltypIEEESingle || type == JET_coltypIEEEDouble || type == JET_coltypDateTime;
}

/* The comparable form of a value of fixed size, without prefix. */
static void normalize_fixed(const struct key_format *format, const uint8_t *value, uint32_t size,
                            uint8_t *out)
{
    if (format->type == JET_coltypGUID) {
        const uint8_t *order = format->dotnet_guid ? guid_order_dotnet : guid_order;
        for (uint32_t i = 0; i < 16; i++)
            out[i] = value[order[i]];
        return;
    }
    if (format->type == JET_coltypBit) {
        out[0] = value[0] == 0 ? 0x00 : 0xff;
        return;
    }
    for (uint32_t i = 0; i < size; i++)
        out[i] = value[size - 1 - i];
    if (type_is_signed_integer(format->type)) {
        out[0] ^= 0x80;
    } else if (type_is_float(format->type)) {
        if (out[0] & 0x80) {
            for (uint32_t i = 0; i < size; i++)
                out[i] = (uint8_t)~out[i];
        } else {
            out[0] |= 0x80;
        }
    }
}

static void segment_fixed(const struct key_format *format, const uint8_t *value, uint32_t size, uint8_t *out,
                          uint32_t available, struct key_segment *segment)
{
    uint8_t whole[17];
    uint32_t count = column_type_size(format->type);
    uint8_t padded[16] = {0};
    memcpy(padded, value, size < count ? size : count);
    whole[0] = PREFIX_VALUE;
    normalize_fixed(format, padded, count, whole + 1);
    segment->size = count + 1;
    if (segment->size > available) {
        segment->size = available;
        segment->truncated = true;
    }
    memcpy(out, whole, segment->size);
}

/* The limit of a segment: none is one more than any key. */
static uint32_t segment_limit(const struct key_format *format)
{
    return format->segment_max == format->key_max ? format->key_max + 1 : format->segment_max;
}

static void segment_binary_fixed(const struct key_format *format, const uint8_t *value, uint32_t size,
                                 uint8_t *out, uint32_t available, struct key_segment *segment)
{
    uint32_t count = size + 1;
    if (segment_limit(format) < format->key_max && count > segment_limit(format))
        count = segment_limit(format);
    if (count > available) {
        count = available;
        segment->truncated = true;
    }
    out[0] = PREFIX_VALUE;
    memcpy(out + 1, value, count - 1);
    segment->size = count;
}

static void segment_binary(const struct key_format *format, const uint8_t *value, uint32_t size, uint8_t *out,
                           uint32_t available, struct key_segment *segment)
{
    uint64_t wanted = ((uint64_t)size + CHUNK - 1) / CHUNK * CHUNK_NORMALIZED + 1;
    if (segment_limit(format) < format->key_max && wanted > segment_limit(format))
        wanted = segment_limit(format);
    if (wanted > available) {
        wanted = available;
        segment->truncated = true;
    }
    uint32_t room = (uint32_t)wanted - 1;
    uint32_t at = 1;
    out[0] = PREFIX_VALUE;
    while (room >= CHUNK_NORMALIZED) {
        uint32_t take = size < CHUNK ? size : CHUNK;
        memcpy(out + at, value, take);
        if (size <= CHUNK) {
            segment->binary_delimiter = at + take;
            memset(out + at + take, 0, CHUNK - take);
            out[at + CHUNK] = (uint8_t)take; /* a chunk that has room is cut by no limit */
        } else {
            out[at + CHUNK] = CHUNK_NORMALIZED;
        }
        value += take;
        size -= take;
        at += CHUNK_NORMALIZED;
        room -= CHUNK_NORMALIZED;
    }
    if (room > 0) {
        /* A part of a chunk that the limit cuts: as much as fits, zeros behind the value's end. */
        uint32_t take = size < room ? size : room;
        if (size < room)
            segment->binary_delimiter = at + size;
        memcpy(out + at, value, take);
        memset(out + at + take, 0, room - take);
        at += room;
    }
    segment->size = at;
}

/* Upper case of a-z in the bytes of 8-bit text. */
static uint8_t upper(uint8_t c)
{
    return (uint8_t)(c >= 'a' && c <= 'z' ? c - 0x20 : c);
}

/* 8-bit text up to its first zero byte, upper-cased, ending with zero. When it is cut, the last byte has 0x20
 * taken from it whatever it is: the format has it so. Returns whether it was cut. */
static bool map_bytes(const uint8_t *text, uint32_t size, uint8_t *out, uint32_t available, uint32_t *written)
{
    uint32_t limit = available > size ? size : (available == 0 ? 0 : available - 1);
    uint32_t length = 0;
    *written = 0;
    if (available == 0)
        return true;
    while (length < limit && text[length] != 0) {
        out[length] = upper(text[length]);
        length++;
    }
    bool cut = available <= size && length == limit && text[length] != 0;
    out[length] = (uint8_t)(cut ? text[length] - 0x20 : 0);
    *written = length + 1;
    return cut;
}

static JET_ERR segment_text(const struct key_format *format, const uint8_t *value, uint32_t size,
                            uint8_t *out, uint32_t available, struct key_segment *segment)
{
    const uint32_t unit = format->code_page == CODE_PAGE_UNICODE ? 2 : 1;
    uint32_t limit = segment_limit(format);
    uint32_t room = (available < limit ? available : limit) - 1;
    uint32_t written = 0;
    bool cut = false;
    size = size / unit * unit;
    if (format->key_max == KEY_SIZE_DEFAULT) {
        uint32_t most = (format->key_max + unit - 1) / unit * unit;
        size = size < most ? size : most;
    }
    if (unit == 2) {
        if (size == 0)
            return JET_errUnicodeTranslationFail; /* half a character: systems have no sort key of nothing */
        JET_ERR err =
            key_map_text(format->locale, format->map_flags, value, size, out + 1, room, &written, &cut);
        if (err < JET_errSuccess)
            return err;
    } else {
        cut = map_bytes(value, size, out + 1, room, &written);
    }
    segment->truncated = cut && (limit > format->key_max || written < limit - 1);
    out[0] = PREFIX_VALUE;
    segment->size = written + 1;
    return JET_errSuccess;
}

JET_ERR key_normalize(const struct key_format *format, const uint8_t *value, uint32_t size, uint8_t *out,
                      uint32_t available, struct key_segment *segment)
{
    JET_ERR err = JET_errSuccess;
    ASSERT(available > 0);
    *segment = (struct key_segment){0};
    if (value == NULL || size == 0) {
        const bool has_length = format->type == JET_coltypText || format->type == JET_coltypLongText ||
                                format->type == JET_coltypBinary || format->type == JET_coltypLongBinary;
        out[0] = (uint8_t)(value != NULL && has_length ? PREFIX_ZERO_LENGTH
                           : format->nulls_high        ? PREFIX_NULL_HIGH
                                                       : PREFIX_NULL);
        segment->size = 1;
    } else if (format->type == JET_coltypText || format->type == JET_coltypLongText) {
        TRY(segment_text(format, value, size, out, available, segment));
    } else if (format->type == JET_coltypBinary || format->type == JET_coltypLongBinary) {
        if (format->fixed)
            segment_binary_fixed(format, value, size, out, available, segment);
        else
            segment_binary(format, value, size, out, available, segment);
    } else {
        segment_fixed(format, value, size, out, available, segment);
    }
    if (format->descending) {
        for (uint32_t i = 0; i < segment->size; i++)
            out[i] = (uint8_t)~out[i];
    }
done:
    return err;
}

void key_limit_full(uint8_t *segment, uint32_t *size, uint32_t available, bool end)
{
    if (end) {
        memset(segment + *size, SENTINEL, available + 1 - *size);
        *size = available + 1;
    }
}

void key_limit_partial_text(const struct key_format *format, uint8_t *segment, uint32_t *size,
                            uint32_t available, bool end)
{
    const uint8_t flip = format->descending ? 0xff : 0x00;
    uint32_t at = 1;
    if (*size < 2) {
        key_limit_full(segment, size, available, end);
        return;
    }
    if (format->code_page == CODE_PAGE_UNICODE) {
        while (at < *size && segment[at] != (uint8_t)(UNICODE_LEVEL_END ^ flip))
            at++;
    } else {
        at = *size;
        if (segment[at - 1] == flip)
            at--;
    }
    if (at > available)
        at = available;
    if (end) {
        memset(segment + at, SENTINEL, available - at + 1);
        *size = available + 1;
    } else {
        *size = at;
    }
}

void key_limit_partial_binary(uint8_t *segment, uint32_t *size, uint32_t available, uint32_t delimiter,
                              bool end)
{
    if (delimiter == 0) {
        key_limit_full(segment, size, available, end);
    } else if (end) {
        *size += 1;
        memset(segment + delimiter, SENTINEL, *size - delimiter);
    } else {
        *size = delimiter;
    }
}

static void denormalize_fixed(const struct key_format *format, const uint8_t *in, uint32_t size,
                              uint8_t *value)
{
    uint8_t bytes[16];
    memcpy(bytes, in, size);
    if (format->type == JET_coltypGUID) {
        const uint8_t *order = format->dotnet_guid ? guid_order_dotnet : guid_order;
        for (uint32_t i = 0; i < 16; i++)
            value[order[i]] = bytes[i];
        return;
    }
    if (type_is_signed_integer(format->type)) {
        bytes[0] ^= 0x80;
    } else if (type_is_float(format->type)) {
        if (bytes[0] & 0x80) {
            bytes[0] &= 0x7f;
        } else {
            for (uint32_t i = 0; i < size; i++)
                bytes[i] = (uint8_t)~bytes[i];
        }
    }
    for (uint32_t i = 0; i < size; i++)
        value[i] = bytes[size - 1 - i];
}

/* Variable binary: chunks of 8 bytes, each followed by 9 or by the number of bytes used. */
static bool denormalize_binary(const uint8_t *in, uint32_t length, uint8_t flip, uint8_t *value,
                               uint32_t *size, uint32_t *used)
{
    uint32_t at = 1;
    uint32_t count = 0;
    const uint32_t most = *size;
    for (;;) {
        if (at + CHUNK_NORMALIZED > length)
            return false;
        uint32_t mark = (uint8_t)(in[at + CHUNK] ^ flip);
        uint32_t take = mark < CHUNK ? mark : CHUNK;
        for (uint32_t i = 0; i < take; i++, count++) {
            if (count < most)
                value[count] = (uint8_t)(in[at + i] ^ flip);
        }
        at += CHUNK_NORMALIZED;
        if (mark != CHUNK_NORMALIZED)
            break;
    }
    *size = count;
    *used = at;
    return true;
}

bool key_skip_text(const struct key_format *format, const uint8_t *segment, uint32_t length, uint32_t *used)
{
    const uint8_t flip = format->descending ? 0xff : 0x00;
    if (length == 0)
        return false;
    *used = 1;
    if ((segment[0] ^ flip) != PREFIX_VALUE)
        return true; /* null or empty: nothing follows */
    while (*used < length) {
        if ((segment[(*used)++] ^ flip) == 0)
            return true;
    }
    return false;
}

bool key_denormalize(const struct key_format *format, uint32_t fixed_size, const uint8_t *segment,
                     uint32_t length, uint8_t *value, uint32_t *size, bool *null, uint32_t *used)
{
    const uint8_t flip = format->descending ? 0xff : 0x00;
    *null = false;
    if (length == 0)
        return false;
    uint8_t prefix = segment[0] ^ flip;
    if (prefix == PREFIX_NULL || prefix == PREFIX_NULL_HIGH || prefix == PREFIX_ZERO_LENGTH) {
        *null = prefix != PREFIX_ZERO_LENGTH;
        *size = 0;
        *used = 1;
        return true;
    }
    if (format->type == JET_coltypText || format->type == JET_coltypLongText)
        return false;
    if (format->type == JET_coltypLongBinary || (format->type == JET_coltypBinary && !format->fixed))
        return denormalize_binary(segment, length, flip, value, size, used);
    uint32_t count = format->type == JET_coltypBinary ? fixed_size : column_type_size(format->type);
    if (length < count + 1 || *size < count)
        return false;
    for (uint32_t i = 0; i < count; i++)
        value[i] = (uint8_t)(segment[1 + i] ^ flip);
    if (format->type != JET_coltypBinary)
        denormalize_fixed(format, value, count, value);
    *size = count;
    *used = count + 1;
    return true;
}
