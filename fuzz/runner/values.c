#include "fuzz/runner/values.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz/runner/names.h"
#include "fuzz/runner/utf16.h"
#include "include/esent.h"

uint32_t value_type_width(uint32_t column_type)
{
    switch (column_type) {
    case JET_coltypBit:
    case JET_coltypUnsignedByte:
        return 1;
    case JET_coltypShort:
    case JET_coltypUnsignedShort:
        return 2;
    case JET_coltypLong:
    case JET_coltypUnsignedLong:
    case JET_coltypIEEESingle:
        return 4;
    case JET_coltypCurrency:
    case JET_coltypIEEEDouble:
    case JET_coltypDateTime:
    case JET_coltypLongLong:
    case JET_coltypUnsignedLongLong:
        return 8;
    case JET_coltypGUID:
        return 16;
    default:
        return 0;
    }
}

uint32_t fnv_add(uint32_t hash, const void *bytes, size_t size)
{
    const unsigned char *next = bytes;
    size_t at = 0;
    for (; at + 8 <= size; at += 8) { /* sanitizers look at each access: one a word */
        uint64_t word;
        memcpy(&word, next + at, 8);
        for (unsigned shift = 0; shift < 64; shift += 8)
            hash = (hash ^ (uint8_t)(word >> shift)) * 16777619u;
    }
    for (; at < size; at++)
        hash = (hash ^ next[at]) * 16777619u;
    return hash;
}

void value_generate(void *buffer, size_t size, uint32_t seed)
{
    unsigned char *next = buffer;
    uint32_t x = seed;
    size_t at = 0;
    for (; at + 8 <= size; at += 8) {
        uint64_t word = 0;
        for (unsigned shift = 0; shift < 64; shift += 8) {
            x = x * 1664525u + 1013904223u;
            word |= (uint64_t)(x >> 24) << shift;
        }
        memcpy(next + at, &word, 8);
    }
    for (; at < size; at++) {
        x = x * 1664525u + 1013904223u;
        next[at] = (unsigned char)(x >> 24);
    }
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

static bool parse_integer(struct arena *arena, const char *text, size_t width, struct value *value)
{
    uint64_t number;
    if (!name_number(text, &number))
        return false;
    value->bytes = arena_copy(arena, &number, sizeof number);
    value->size = (uint32_t)width;
    return true;
}

static bool parse_float(struct arena *arena, const char *text, uint32_t column_type, struct value *value)
{
    char *end;
    double number = strtod(text, &end);
    if (end == text || *end != '\0')
        return false;
    if (column_type == JET_coltypIEEESingle) {
        float narrow = (float)number;
        value->bytes = arena_copy(arena, &narrow, sizeof narrow);
        value->size = sizeof narrow;
    } else {
        value->bytes = arena_copy(arena, &number, sizeof number);
        value->size = sizeof number;
    }
    return true;
}

static bool parse_hex(struct arena *arena, const char *text, struct value *value)
{
    size_t digits = strlen(text);
    if (digits % 2 != 0 || digits / 2 > VALUE_BYTES_MAX)
        return false;
    unsigned char *bytes = arena_allocate(arena, digits / 2 + 1);
    for (size_t i = 0; i < digits / 2; i++) {
        int high = hex_digit(text[2 * i]);
        int low = hex_digit(text[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        bytes[i] = (unsigned char)(high * 16 + low);
    }
    value->bytes = bytes;
    value->size = (uint32_t)(digits / 2);
    return true;
}

static bool parse_generated(struct arena *arena, const char *text, struct value *value)
{
    char *end;
    unsigned long long size = strtoull(text, &end, 10);
    if (end == text || *end != ':' || size > VALUE_BYTES_MAX)
        return false;
    uint64_t seed;
    if (!name_number(end + 1, &seed))
        return false;
    void *bytes = arena_allocate(arena, (size_t)size + 1);
    value_generate(bytes, (size_t)size, (uint32_t)seed);
    value->bytes = bytes;
    value->size = (uint32_t)size;
    return true;
}

/* {00112233-4455-6677-8899-aabbccddeeff}: the first three fields are little-endian in memory. */
static bool parse_guid(struct arena *arena, const char *text, struct value *value)
{
    unsigned char digits[16];
    size_t count = 0;
    if (*text++ != '{')
        return false;
    while (*text != '}' && *text != '\0') {
        if (*text == '-') {
            text++;
            continue;
        }
        int high = hex_digit(text[0]);
        int low = high < 0 ? -1 : hex_digit(text[1]);
        if (low < 0 || count == sizeof digits)
            return false;
        digits[count++] = (unsigned char)(high * 16 + low);
        text += 2;
    }
    if (text[0] != '}' || text[1] != '\0' || count != sizeof digits)
        return false;
    static const unsigned char order[16] = {3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15};
    unsigned char bytes[16];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = digits[order[i]];
    value->bytes = arena_copy(arena, bytes, sizeof bytes);
    value->size = sizeof bytes;
    return true;
}

static bool parse_text(struct arena *arena, char kind, const char *text, size_t size, struct value *value)
{
    if (kind == 'a') {
        value->bytes = arena_copy(arena, text, size);
        value->size = (uint32_t)size;
        return true;
    }
    size_t units;
    value->bytes = utf16_from_bytes(arena, text, size, &units);
    value->size = (uint32_t)(units * 2);
    return true;
}

bool value_parse(struct arena *arena, const struct program_token *token, uint32_t column_type,
                 struct value *value)
{
    *value = (struct value){0};
    if (token->text != NULL) {
        if (strcmp(token->word, "a:") == 0 || strcmp(token->word, "u:") == 0)
            return parse_text(arena, token->word[0], token->text, token->text_size, value);
        return false;
    }
    return value_parse_text(arena, token->word, column_type, value);
}

bool value_parse_text(struct arena *arena, const char *text, uint32_t column_type, struct value *value)
{
    *value = (struct value){0};
    if (strcmp(text, "null") == 0) {
        value->is_null = true;
        return true;
    }
    if (strcmp(text, "zero") == 0) {
        value->is_zero = true;
        value->bytes = "";
        return true;
    }
    const char *colon = strchr(text, ':');
    if (colon == NULL)
        return false;
    const char *rest = colon + 1;
    if (colon - text == 2 && text[0] == 'i' && strchr("1248", text[1]) != NULL)
        return parse_integer(arena, rest, (size_t)(text[1] - '0'), value);
    if (colon - text != 1)
        return false;
    switch (text[0]) {
    case 'i': {
        /* Whole numbers in the width of columns that hold such; 4 bytes for all others. */
        uint32_t width = value_type_width(column_type);
        bool whole = width != 0 && width <= 8 && column_type != JET_coltypIEEEDouble;
        return parse_integer(arena, rest, whole ? width : 4, value);
    }
    case 'f':
        return parse_float(arena, rest, column_type, value);
    case 'x':
        return parse_hex(arena, rest, value);
    case 'r':
        return parse_generated(arena, rest, value);
    case 'g':
        return parse_guid(arena, rest, value);
    case 'a':
    case 'u':
        return parse_text(arena, text[0], rest, strlen(rest), value);
    default:
        return false;
    }
}

void value_print_hex(struct text *out, const void *bytes, size_t size)
{
    static const char digits[] = "0123456789abcdef";
    const unsigned char *next = bytes;
    for (size_t i = 0; i < size; i++) {
        char pair[2] = {digits[next[i] >> 4], digits[next[i] & 15]};
        text_add(out, pair, 2);
    }
}

static bool is_signed_type(uint32_t type)
{
    return type == JET_coltypShort || type == JET_coltypLong || type == JET_coltypCurrency ||
           type == JET_coltypLongLong;
}

static bool is_integer_type(uint32_t type)
{
    return is_signed_type(type) || type == JET_coltypBit || type == JET_coltypUnsignedByte ||
           type == JET_coltypUnsignedShort || type == JET_coltypUnsignedLong;
}

/* Little-endian integer of up to 8 bytes; a signed type's sign counts only when the value has its full width.
 */
static void print_integer(struct text *out, const void *bytes, size_t size, uint32_t type)
{
    uint64_t number = 0;
    memcpy(&number, bytes, size);
    if (is_signed_type(type) && size == value_type_width(type) && size < 8 && (number >> (size * 8 - 1)) != 0)
        number |= ~(uint64_t)0 << (size * 8);
    if (is_signed_type(type))
        text_print(out, "%lld", (long long)(int64_t)number);
    else
        text_print(out, "%llu", (unsigned long long)number);
}

/* Text that can be shown: each character printable ASCII. Copies the characters of UTF-16 to `plain`. Returns
 * their number, 0 if the text cannot be shown. */
static size_t plain_text(const void *bytes, size_t size, uint32_t type, uint32_t code_page, char *plain,
                         size_t room)
{
    if (type != JET_coltypText && type != JET_coltypLongText)
        return 0;
    size_t step = code_page == 1200 ? 2 : 1;
    const unsigned char *next = bytes;
    if (size == 0 || size % step != 0 || size / step > room)
        return 0;
    for (size_t i = 0; i < size; i += step) {
        if (next[i] < 0x20 || next[i] > 0x7e || (step == 2 && next[i + 1] != 0))
            return 0;
        plain[i / step] = (char)next[i];
    }
    return size / step;
}

void value_print_fact(struct text *out, const char *key, const void *bytes, size_t size, size_t true_size,
                      uint32_t column_type, uint32_t code_page)
{
    char plain[64];
    size_t length;
    if (size > 64) {
        text_print(out, " cb=%zu fnv=%08x", true_size, fnv_add(FNV_START, bytes, size));
        return;
    }
    if (true_size != size)
        text_print(out, " cb=%zu", true_size);
    text_print(out, " %s=", key);
    if (size == 0) {
        text_print(out, "zero");
    } else if (is_integer_type(column_type) && size <= 8) {
        text_print(out, "i:");
        print_integer(out, bytes, size, column_type);
    } else if (column_type == JET_coltypIEEESingle && size == sizeof(float)) {
        float number;
        memcpy(&number, bytes, sizeof number);
        text_print(out, "f:%.17g", (double)number);
    } else if ((column_type == JET_coltypIEEEDouble || column_type == JET_coltypDateTime) &&
               size == sizeof(double)) {
        double number;
        memcpy(&number, bytes, sizeof number);
        text_print(out, "f:%.17g", number);
    } else if (column_type == JET_coltypGUID && size == 16) {
        const unsigned char *g = bytes;
        text_print(out, "g:{%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-", g[3], g[2], g[1], g[0], g[5], g[4],
                   g[7], g[6], g[8], g[9]);
        value_print_hex(out, g + 10, 6);
        text_print(out, "}");
    } else if ((length = plain_text(bytes, size, column_type, code_page, plain, sizeof plain)) > 0) {
        text_print(out, code_page == 1200 ? "u:" : "a:");
        program_print_quoted(plain, length, out);
    } else {
        text_print(out, "x:");
        value_print_hex(out, bytes, size);
    }
}

void value_print_short(struct text *out, const void *bytes, size_t size, uint32_t column_type,
                       uint32_t code_page)
{
    char plain[24];
    size_t length = plain_text(bytes, size, column_type, code_page, plain, sizeof plain);
    if (length > 0 && (memchr(plain, ' ', length) != NULL || memchr(plain, ',', length) != NULL ||
                       memchr(plain, '"', length) != NULL || memchr(plain, '|', length) != NULL))
        length = 0;
    if (size == 0) {
        text_print(out, "zero");
    } else if (is_integer_type(column_type) && size <= 8) {
        print_integer(out, bytes, size, column_type);
    } else if (length > 0) {
        text_add(out, plain, length);
    } else if (size <= 16) {
        text_print(out, "x");
        value_print_hex(out, bytes, size);
    } else {
        text_print(out, "cb:%zu:%08x", size, fnv_add(FNV_START, bytes, size));
    }
}
