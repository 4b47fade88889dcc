/* Engine sources: `xpress.c`, `compression.cxx`. */
#include "src/page/xpress.h"

#include <string.h>

#include "src/os/sanitizer.h"

#define LENGTH_LEAST 3u
#define DISTANCE_MOST 8192u
#define LENGTH_IN_MATCH 7u  /* the three bits' greatest: more follows */
#define LENGTH_IN_HALF 15u  /* the half byte's */
#define LENGTH_IN_BYTE 255u /* the byte's */

/* --- expanding --- */

/* Reading position. */
struct reader {
    const uint8_t *data;
    uint32_t size;
    uint32_t at;
    uint32_t half_at; /* byte behind the one whose upper half is still to be used, 0: none */
};

static bool take(struct reader *in, unsigned count, uint32_t *value)
{
    if (in->size - in->at < count)
        return false;
    *value = 0;
    for (unsigned i = 0; i < count; i++)
        *value |= (uint32_t)in->data[in->at++] << 8 * i;
    return true;
}

static bool take_half(struct reader *in, uint32_t *value)
{
    if (in->half_at != 0) {
        *value = in->data[in->half_at - 1] >> 4;
        in->half_at = 0;
        return true;
    }
    if (!take(in, 1, value))
        return false;
    *value &= 0xf;
    in->half_at = in->at;
    return true;
}

/* The length of a match, whose lower three bits are known. */
static bool take_length(struct reader *in, uint32_t *length)
{
    uint32_t more = 0;
    if (*length == LENGTH_IN_MATCH) {
        if (!take_half(in, length))
            return false;
        if (*length == LENGTH_IN_HALF) {
            if (!take(in, 1, length))
                return false;
            if (*length == LENGTH_IN_BYTE) {
                const uint32_t before = LENGTH_IN_HALF + LENGTH_IN_MATCH;
                if (!take(in, 2, &more) || (more == 0 && !take(in, 4, &more)) || more < before)
                    return false;
                *length = more - before;
            }
            *length += LENGTH_IN_HALF;
        }
        *length += LENGTH_IN_MATCH;
    }
    *length += LENGTH_LEAST;
    return true;
}

bool xpress_expand(const uint8_t *data, uint32_t size, uint8_t *out, uint32_t count)
{
    struct reader in = {.data = data, .size = size};
    uint32_t flags = 0;
    uint32_t flag_count = 0;
    uint32_t done = 0;
    while (done < count) {
        uint32_t value = 0;
        if (flag_count == 0) {
            if (!take(&in, 4, &flags))
                return false;
            flag_count = 32;
        }
        flag_count--;
        if ((flags >> flag_count & 1) == 0) {
            if (!take(&in, 1, &value))
                return false;
            out[done++] = (uint8_t)value;
            continue;
        }
        if (!take(&in, 2, &value))
            return false;
        const uint32_t distance = (value >> 3) + 1;
        uint32_t length = value & LENGTH_IN_MATCH;
        if (!take_length(&in, &length) || distance > done)
            return false;
        for (; length > 0 && done < count; length--, done++)
            out[done] = out[done - distance];
    }
    return true;
}

/* --- compressing --- */

#define HASH_BITS 10u
#define GROUP 32u /* items that share a word of flags */

/* The caller has looked at both ranges: this runs for each page whose image is logged. */
struct writer {
    uint8_t *out;
    uint32_t capacity;
    uint32_t at;
    uint32_t flags_at; /* of the group that is being filled */
    uint32_t flags;
    uint32_t flag_count;
    uint32_t half_at; /* as in the reader */
    bool full;
};

OS_RANGE_CHECKED static inline void put(struct writer *to, unsigned count, uint32_t value)
{
    if (to->capacity - to->at < count) {
        to->full = true;
        return;
    }
    for (unsigned i = 0; i < count; i++)
        to->out[to->at++] = (uint8_t)(value >> 8 * i);
}

OS_RANGE_CHECKED static inline void put_flags(struct writer *to)
{
    for (unsigned i = 0; i < 4; i++)
        to->out[to->flags_at + i] = (uint8_t)(to->flags >> 8 * i);
}

OS_RANGE_CHECKED static inline void begin_group(struct writer *to)
{
    if (to->flag_count == GROUP)
        put_flags(to);
    to->flags = to->flag_count = 0;
    to->flags_at = to->at;
    put(to, 4, 0);
}

/* Before what it tells of. */
OS_RANGE_CHECKED static inline void put_flag(struct writer *to, uint32_t flag)
{
    if (to->flag_count % GROUP == 0)
        begin_group(to);
    to->flags |= flag << (GROUP - 1 - to->flag_count);
    to->flag_count++;
}

OS_RANGE_CHECKED static void put_half(struct writer *to, uint32_t value)
{
    if (to->half_at != 0) {
        to->out[to->half_at - 1] |= (uint8_t)(value << 4);
        to->half_at = 0;
        return;
    }
    put(to, 1, value);
    to->half_at = to->full ? 0 : to->at;
}

OS_RANGE_CHECKED static void put_match(struct writer *to, uint32_t distance, uint32_t length)
{
    uint32_t rest = length - LENGTH_LEAST;
    put_flag(to, 1);
    put(to, 2, (distance - 1) << 3 | (rest < LENGTH_IN_MATCH ? rest : LENGTH_IN_MATCH));
    if (rest < LENGTH_IN_MATCH)
        return;
    const uint32_t whole = rest;
    rest -= LENGTH_IN_MATCH;
    put_half(to, rest < LENGTH_IN_HALF ? rest : LENGTH_IN_HALF);
    if (rest < LENGTH_IN_HALF)
        return;
    rest -= LENGTH_IN_HALF;
    put(to, 1, rest < LENGTH_IN_BYTE ? rest : LENGTH_IN_BYTE);
    if (rest < LENGTH_IN_BYTE)
        return;
    put(to, 2, whole <= 0xffff ? whole : 0);
    if (whole > 0xffff)
        put(to, 4, whole);
}

OS_RANGE_CHECKED static inline uint32_t hash_of(const uint8_t *bytes)
{
    const uint32_t three = bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16;
    return three * 2654435761u >> (32 - HASH_BITS);
}

OS_RANGE_CHECKED static inline uint32_t length_of_match(const uint8_t *left, const uint8_t *right,
                                                        uint32_t most)
{
    uint32_t length = 0;
    while (length < most && left[length] == right[length])
        length++;
    return length;
}

OS_RANGE_CHECKED static uint32_t compress(const uint8_t *data, uint32_t size, struct writer to)
{
    uint32_t seen[1u << HASH_BITS]; /* behind the last place with this hash; 0: none */
    uint32_t at = 0;
    memset(seen, 0, sizeof(seen));
    while (at < size && !to.full) {
        uint32_t length = 0;
        uint32_t from = 0;
        if (size - at >= LENGTH_LEAST) {
            uint32_t *place = &seen[hash_of(data + at)];
            from = *place;
            *place = at + 1;
            if (from != 0 && at - --from <= DISTANCE_MOST)
                length = length_of_match(data + from, data + at, size - at);
        }
        if (length < LENGTH_LEAST) {
            put_flag(&to, 0);
            put(&to, 1, data[at++]);
            continue;
        }
        put_match(&to, at - from, length);
        for (uint32_t end = at + length; ++at < end;) {
            if (size - at >= LENGTH_LEAST)
                seen[hash_of(data + at)] = at + 1;
        }
    }
    if (to.flag_count != 0 && !to.full)
        put_flags(&to);
    return to.full ? 0 : to.at;
}

uint32_t xpress_compress(const uint8_t *data, uint32_t size, uint8_t *out, uint32_t capacity)
{
    os_check_readable(data, size);
    os_check_readable(out, capacity);
    return compress(data, size, (struct writer){.out = out, .capacity = capacity});
}

uint32_t xpress_store(const uint8_t *data, uint32_t size, uint8_t *out)
{
    if (size <= XPRESS_HEADER_SIZE || size > 0xffff)
        return 0;
    const uint32_t used =
        xpress_compress(data, size, out + XPRESS_HEADER_SIZE, size - XPRESS_HEADER_SIZE - 1);
    if (used == 0)
        return 0;
    out[0] = XPRESS_KIND << 3;
    out[1] = (uint8_t)size;
    out[2] = (uint8_t)(size >> 8);
    return used + XPRESS_HEADER_SIZE;
}
