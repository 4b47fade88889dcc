/* What can be said about an error code: its name, and where it stands in the hierarchy of error categories.
 */
#ifndef OPENESENT_API_ERROR_TEXT_H
#define OPENESENT_API_ERROR_TEXT_H

#include <string.h>

#include "src/os/error.h"

struct error_description {
    JET_ERR code;
    const char *name; /* as in esent.h */
    JET_ERRCAT category;
};

/* NULL for a number that is no code. */
const struct error_description *error_describe(JET_ERR error);

/* "JET_errName, Name in Words" for JET_paramErrorToString. JET_errBufferTooSmall if `size` is too small. */
JET_ERR error_text(JET_ERR error, char *text, size_t size);

#endif
