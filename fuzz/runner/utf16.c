#include "fuzz/runner/utf16.h"

/* One code point of at most `size` bytes; a byte that starts no well-formed sequence stands for itself. */
static size_t decode(const unsigned char *bytes, size_t size, uint32_t *point)
{
    unsigned char c = bytes[0];
    size_t length = c >= 0xc2 && c <= 0xdf ? 2 : c >= 0xe0 && c <= 0xef ? 3 : c >= 0xf0 && c <= 0xf4 ? 4 : 1;
    *point = c;
    if (length == 1 || length > size)
        return 1;
    uint32_t value = c & (0x7fu >> length);
    for (size_t i = 1; i < length; i++) {
        if ((bytes[i] & 0xc0) != 0x80)
            return 1;
        value = value << 6 | (bytes[i] & 0x3fu);
    }
    if (value > 0x10ffff)
        return 1;
    *point = value;
    return length;
}

uint16_t *utf16_from_bytes(struct arena *arena, const char *bytes, size_t size, size_t *units)
{
    uint16_t *text = arena_allocate(arena, (size * 2 + 2) * sizeof *text);
    size_t count = 0;
    for (size_t i = 0; i < size;) {
        uint32_t point;
        i += decode((const unsigned char *)bytes + i, size - i, &point);
        if (point >= 0x10000) {
            text[count++] = (uint16_t)(0xd800 + ((point - 0x10000) >> 10));
            text[count++] = (uint16_t)(0xdc00 + ((point - 0x10000) & 0x3ff));
        } else {
            text[count++] = (uint16_t)point;
        }
    }
    text[count] = 0;
    *units = count;
    return text;
}

void utf16_print(struct text *out, const uint16_t *text, size_t units)
{
    for (size_t i = 0; i < units && text[i] != 0; i++) {
        uint32_t point = text[i];
        if (point >= 0xd800 && point < 0xdc00 && i + 1 < units && text[i + 1] >= 0xdc00 &&
            text[i + 1] < 0xe000) {
            point = 0x10000 + ((point - 0xd800) << 10) + (text[i + 1] - 0xdc00u);
            i++;
        }
        char bytes[4];
        size_t size = 0;
        if (point < 0x80) {
            bytes[size++] = (char)point;
        } else if (point < 0x800) {
            bytes[size++] = (char)(0xc0 | point >> 6);
            bytes[size++] = (char)(0x80 | (point & 0x3f));
        } else if (point < 0x10000) {
            bytes[size++] = (char)(0xe0 | point >> 12);
            bytes[size++] = (char)(0x80 | (point >> 6 & 0x3f));
            bytes[size++] = (char)(0x80 | (point & 0x3f));
        } else {
            bytes[size++] = (char)(0xf0 | point >> 18);
            bytes[size++] = (char)(0x80 | (point >> 12 & 0x3f));
            bytes[size++] = (char)(0x80 | (point >> 6 & 0x3f));
            bytes[size++] = (char)(0x80 | (point & 0x3f));
        }
        text_add(out, bytes, size);
    }
}
