#include "src/os/text.h"

#include "src/os/memory.h"

size_t os_utf16_length(const uint16_t *text)
{
    size_t length = 0;
    while (text[length] != 0)
        length++;
    return length;
}

size_t os_utf16_length_limited(const uint16_t *text, size_t limit)
{
    size_t length = 0;
    while (length < limit && text[length] != 0)
        length++;
    return length;
}

/* Decodes one code point of at most `length` (> 0) bytes; answers its bytes, 0 if malformed. */
static size_t decode_utf8(const uint8_t *text, size_t length, uint32_t *code)
{
    uint8_t first = text[0];
    if (first < 0x80) {
        *code = first;
        return 1;
    }
    size_t size = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    if (first < 0xc2 || first > 0xf4 || size > length)
        return 0;
    uint32_t value = first & (0x7fu >> size);
    for (size_t i = 1; i < size; i++) {
        if ((text[i] & 0xc0) != 0x80)
            return 0;
        value = value << 6 | (text[i] & 0x3fu);
    }
    static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    if (value < smallest[size] || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff))
        return 0;
    *code = value;
    return size;
}

bool os_utf8_is_valid(const char *text, size_t length)
{
    size_t at = 0;
    while (at < length) {
        uint32_t code;
        size_t size = decode_utf8((const uint8_t *)text + at, length - at, &code);
        if (size == 0)
            return false;
        at += size;
    }
    return true;
}

JET_ERR os_utf8_to_utf16(const char *text, size_t length, uint16_t *result, size_t size,
                         size_t *result_length)
{
    JET_ERR err = JET_errSuccess;
    bool measure = result == NULL;
    size_t at = 0;
    size_t out = 0;
    if (!measure && size == 0)
        return JET_errBufferTooSmall;
    while (at < length) {
        uint32_t code = 0;
        size_t taken = decode_utf8((const uint8_t *)text + at, length - at, &code);
        if (taken == 0)
            FAIL(JET_errInvalidParameter);
        size_t units = code >= 0x10000 ? 2 : 1;
        if (!measure) {
            if (out + units >= size)
                FAIL(JET_errBufferTooSmall);
            if (units == 1) {
                result[out] = (uint16_t)code;
            } else {
                result[out] = (uint16_t)(0xd800 + ((code - 0x10000) >> 10));
                result[out + 1] = (uint16_t)(0xdc00 + (code & 0x3ff));
            }
        }
        at += taken;
        out += units;
    }
    if (!measure)
        result[out] = 0;
    if (result_length != NULL)
        *result_length = out;
done:
    return err;
}

/* Decodes one code point of at most `length` (> 0) units; answers its units, 0 if malformed. */
static size_t decode_utf16(const uint16_t *text, size_t length, uint32_t *code)
{
    uint32_t first = text[0];
    *code = first;
    if (first < 0xd800 || first > 0xdfff)
        return 1;
    if (first >= 0xdc00 || length < 2 || text[1] < 0xdc00 || text[1] > 0xdfff)
        return 0;
    *code = 0x10000 + ((first - 0xd800) << 10) + (text[1] - 0xdc00u);
    return 2;
}

static size_t encode_utf8(uint32_t code, uint8_t bytes[4])
{
    if (code < 0x80) {
        bytes[0] = (uint8_t)code;
        return 1;
    }
    size_t size = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    static const uint8_t lead[] = {0, 0, 0xc0, 0xe0, 0xf0};
    for (size_t i = size - 1; i > 0; i--) {
        bytes[i] = (uint8_t)(0x80 | (code & 0x3f));
        code >>= 6;
    }
    bytes[0] = (uint8_t)(lead[size] | code);
    return size;
}

JET_ERR os_utf16_to_utf8(const uint16_t *text, size_t length, char *result, size_t size,
                         size_t *result_length)
{
    JET_ERR err = JET_errSuccess;
    bool measure = result == NULL;
    size_t at = 0;
    size_t out = 0;
    if (!measure && size == 0)
        return JET_errBufferTooSmall;
    while (at < length) {
        uint32_t code = 0;
        uint8_t bytes[4] = {0};
        size_t taken = decode_utf16(text + at, length - at, &code);
        if (taken == 0)
            FAIL(JET_errInvalidParameter);
        size_t count = encode_utf8(code, bytes);
        if (!measure) {
            if (out + count >= size)
                FAIL(JET_errBufferTooSmall);
            memcpy(result + out, bytes, count);
        }
        at += taken;
        out += count;
    }
    if (!measure)
        result[out] = 0;
    if (result_length != NULL)
        *result_length = out;
done:
    return err;
}

JET_ERR os_utf8_to_utf16_new(const char *text, uint16_t **result)
{
    JET_ERR err = JET_errSuccess;
    uint16_t *converted = NULL;
    size_t units = 0;
    *result = NULL;
    if (text == NULL)
        goto done;
    size_t length = strlen(text);
    TRY(os_utf8_to_utf16(text, length, NULL, 0, &units));
    converted = os_allocate((units + 1) * sizeof *converted);
    if (converted == NULL)
        FAIL(JET_errOutOfMemory);
    (void)os_utf8_to_utf16(text, length, converted, units + 1, NULL); /* measured above: cannot fail */
    *result = converted;
    converted = NULL;
done:
    os_free(converted);
    return err;
}

JET_ERR os_utf16_to_utf8_new(const uint16_t *text, char **result)
{
    JET_ERR err = JET_errSuccess;
    char *converted = NULL;
    size_t bytes = 0;
    *result = NULL;
    if (text == NULL)
        goto done;
    size_t length = os_utf16_length(text);
    TRY(os_utf16_to_utf8(text, length, NULL, 0, &bytes));
    converted = os_allocate(bytes + 1);
    if (converted == NULL)
        FAIL(JET_errOutOfMemory);
    (void)os_utf16_to_utf8(text, length, converted, bytes + 1, NULL); /* measured above: cannot fail */
    *result = converted;
    converted = NULL;
done:
    os_free(converted);
    return err;
}

char os_ascii_upper(char c)
{
    return c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
}

int os_text_compare_ascii_case_n(const char *a, size_t a_length, const char *b, size_t b_length)
{
    size_t common = a_length < b_length ? a_length : b_length;
    for (size_t i = 0; i < common; i++) {
        uint8_t x = (uint8_t)os_ascii_upper(a[i]);
        uint8_t y = (uint8_t)os_ascii_upper(b[i]);
        if (x != y)
            return x < y ? -1 : 1;
    }
    return (a_length > b_length) - (a_length < b_length);
}

int os_text_compare_ascii_case(const char *a, const char *b)
{
    return os_text_compare_ascii_case_n(a, strlen(a), b, strlen(b));
}

bool os_text_equal_ascii_case(const char *a, const char *b)
{
    return os_text_compare_ascii_case(a, b) == 0;
}

JET_ERR os_text_copy(const char *text, char *result, size_t size)
{
    size_t length = strlen(text);
    if (size == 0)
        return JET_errBufferTooSmall;
    if (length >= size) {
        result[0] = 0;
        return JET_errBufferTooSmall;
    }
    memcpy(result, text, length + 1);
    return JET_errSuccess;
}
