/* Text at the API: ...A calls take UTF-8, ...W calls UTF-16; inside the engine it is UTF-8. */
#ifndef OPENESENT_API_TEXT_H
#define OPENESENT_API_TEXT_H

#include "src/os/error.h"

/* Converts a text of a ...W call to a new block of os/memory.h (freed by the caller). NULL gives NULL.
 * Malformed UTF-16 is JET_errInvalidParameter. */
JET_ERR api_text_from_wide(const WCHAR *text, char **result);

/* Judges a text of a ...A call: NULL is fine, malformed UTF-8 is JET_errInvalidParameter. */
JET_ERR api_text_check(const char *text);

/* Gives a text out. `size` is the buffer's size in bytes. What does not fit is JET_errBufferTooSmall, and the
 * buffer holds what fits, with a NUL. A NULL buffer or size 0 is JET_errInvalidParameter. */
JET_ERR api_text_out(const char *text, char *buffer, size_t size);
JET_ERR api_text_out_wide(const char *text, WCHAR *buffer, size_t size);

#endif
