#include "src/api/text.h"

#include "src/os/memory.h"
#include "src/os/text.h"

JET_ERR api_text_from_wide(const WCHAR *text, char **result)
{
    *result = NULL;
    return os_utf16_to_utf8_new(text, result);
}

JET_ERR api_text_check(const char *text)
{
    if (text != NULL && !os_utf8_is_valid(text, strlen(text)))
        return JET_errInvalidParameter;
    return JET_errSuccess;
}

JET_ERR api_text_out(const char *text, char *buffer, size_t size)
{
    if (buffer == NULL || size == 0)
        return JET_errInvalidParameter;
    size_t length = strlen(text);
    if (length < size) {
        memcpy(buffer, text, length + 1);
        return JET_errSuccess;
    }
    memcpy(buffer, text, size - 1);
    buffer[size - 1] = '\0';
    return JET_errBufferTooSmall;
}

JET_ERR api_text_out_wide(const char *text, WCHAR *buffer, size_t size)
{
    JET_ERR err = JET_errSuccess;
    uint16_t *wide = NULL;
    size_t room = size / sizeof(WCHAR);
    if (buffer == NULL || room == 0)
        return JET_errInvalidParameter;
    TRY(os_utf8_to_utf16_new(text, &wide));
    size_t length = os_utf16_length(wide);
    if (length < room) {
        memcpy(buffer, wide, (length + 1) * sizeof(WCHAR));
    } else {
        memcpy(buffer, wide, (room - 1) * sizeof(WCHAR));
        buffer[room - 1] = 0;
        err = JET_errBufferTooSmall;
    }
done:
    os_free(wide);
    return err;
}
