#include "src/table/compression.h"

#include "src/page/xpress.h"

/* Kinds, in the upper five bits of the first byte. */
enum {
    KIND_7BIT_ASCII = 1,
    KIND_7BIT_UNICODE = 2,
    KIND_XPRESS = XPRESS_KIND,
};

/* 7-bit: the lower three bits tell how many bits of the last byte are used, less one. */
static uint32_t seven_bit_characters(const uint8_t *data, uint32_t size)
{
    if (size < 2)
        return 0;
    const uint64_t bits = (uint64_t)(size - 2) * 8 + (data[0] & 7u) + 1;
    return (uint32_t)(bits / 7);
}

JET_ERR decompressed_size(const uint8_t *data, uint32_t size, uint32_t *result)
{
    *result = 0;
    if (size == 0)
        return JET_errDecompressionFailed;
    switch (data[0] >> 3) {
    case KIND_7BIT_ASCII:
        *result = seven_bit_characters(data, size);
        return JET_errSuccess;
    case KIND_7BIT_UNICODE:
        *result = seven_bit_characters(data, size) * 2;
        return JET_errSuccess;
    case KIND_XPRESS:
        if (size < 3)
            return JET_errDecompressionFailed;
        *result = data[1] | (uint32_t)data[2] << 8;
        return JET_errSuccess;
    default:
        return JET_errDecompressionFailed;
    }
}

static uint32_t seven_bit_character(const uint8_t *bits, uint32_t size, uint32_t number)
{
    const uint64_t at = (uint64_t)number * 7;
    uint32_t pair = bits[at / 8];
    if (at / 8 + 1 < size)
        pair |= (uint32_t)bits[at / 8 + 1] << 8;
    return pair >> at % 8 & 0x7f;
}

static void expand_7bit(const uint8_t *data, uint32_t size, uint32_t unit, uint8_t *out, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (unit == 2 && i % 2 == 1)
            out[i] = 0;
        else
            out[i] = (uint8_t)seven_bit_character(data + 1, size - 1, i / unit);
    }
}

JET_ERR decompress(const uint8_t *data, uint32_t size, uint8_t *out, uint32_t capacity, uint32_t *actual)
{
    uint32_t whole = 0;
    JET_ERR err = decompressed_size(data, size, &whole);
    *actual = 0;
    if (err < JET_errSuccess)
        return err;
    const uint32_t count = whole < capacity ? whole : capacity;
    switch (data[0] >> 3) {
    case KIND_7BIT_ASCII:
        expand_7bit(data, size, 1, out, count);
        break;
    case KIND_7BIT_UNICODE:
        expand_7bit(data, size, 2, out, count);
        break;
    default:
        if (!xpress_expand(data + XPRESS_HEADER_SIZE, size - XPRESS_HEADER_SIZE, out, count))
            return JET_errDecompressionFailed;
        break;
    }
    *actual = count;
    return whole > capacity ? JET_wrnBufferTruncated : JET_errSuccess;
}

/* Whether all units are below 0x80: bytes, or UTF-16 units. */
static bool fits_7bit(const uint8_t *data, uint32_t size, uint32_t unit)
{
    if (size % unit != 0)
        return false;
    for (uint32_t i = 0; i < size; i++) {
        if (data[i] >= (unit == 2 && i % 2 == 1 ? 1u : 0x80u))
            return false;
    }
    return true;
}

uint32_t compress_7bit(const uint8_t *data, uint32_t size, uint8_t *out)
{
    uint32_t unit = 0;
    if (size == 0)
        return 0;
    if (fits_7bit(data, size, 2))
        unit = 2;
    else if (fits_7bit(data, size, 1))
        unit = 1;
    else
        return 0;
    const uint32_t count = size / unit;
    const uint32_t bits = count * 7;
    const uint32_t result = (bits + 7) / 8 + 1;
    if (result >= size)
        return 0;
    memset(out, 0, result);
    out[0] = (uint8_t)((uint32_t)(unit == 2 ? KIND_7BIT_UNICODE : KIND_7BIT_ASCII) << 3 | ((bits - 1) % 8));
    for (uint32_t i = 0; i < count; i++) {
        const uint32_t at = i * 7;
        const uint32_t pair = (uint32_t)data[i * unit] << at % 8;
        out[1 + at / 8] |= (uint8_t)pair;
        if (at % 8 > 1)
            out[2 + at / 8] |= (uint8_t)(pair >> 8);
    }
    return result;
}
