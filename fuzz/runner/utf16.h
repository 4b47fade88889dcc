/* UTF-16 for the wide calls and for u: values. */
#ifndef OPENESENT_FUZZ_UTF16_H
#define OPENESENT_FUZZ_UTF16_H

#include <stddef.h>
#include <stdint.h>

#include "fuzz/program/arena.h"
#include "fuzz/program/program.h"

/* UTF-8 to UTF-16 (bytes that are not UTF-8 become the unit of the same number); a zero unit follows. */
uint16_t *utf16_from_bytes(struct arena *arena, const char *bytes, size_t size, size_t *units);

/* A NUL-terminated UTF-16 text of at most `units` units to UTF-8. */
void utf16_print(struct text *out, const uint16_t *text, size_t units);

#endif
