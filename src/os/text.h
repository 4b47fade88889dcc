/* Text: conversion between UTF-8 and UTF-16, strict; comparison of names.
 *
 * Counts of UTF-16 are units of 2 bytes, of UTF-8 bytes. `length` excludes, `size` includes a final NUL.
 * Malformed input (bad sequences, overlong forms, lone surrogates, values beyond U+10FFFF) is
 * JET_errInvalidParameter, a result that does not fit is JET_errBufferTooSmall; nothing is written past
 * `size`. */
#ifndef OPENESENT_OS_TEXT_H
#define OPENESENT_OS_TEXT_H

#include "src/os/base.h"
#include "src/os/error.h"

/* Units before the NUL. */
size_t os_utf16_length(const uint16_t *text);
/* The same, at most `limit` (which is answered if there is no NUL before). */
size_t os_utf16_length_limited(const uint16_t *text, size_t limit);

/* Converts `length` bytes; `result` gets a NUL after `*result_length` units (result_length may be NULL). With
 * result NULL and size 0 only the length is computed. */
JET_ERR os_utf8_to_utf16(const char *text, size_t length, uint16_t *result, size_t size,
                         size_t *result_length);

/* Converts `length` units; `result` gets a NUL after `*result_length` bytes. NULL and 0 as above. */
JET_ERR os_utf16_to_utf8(const uint16_t *text, size_t length, char *result, size_t size,
                         size_t *result_length);

/* The same as new blocks of os/memory.h, owned by the caller. A NULL text gives NULL and success. */
JET_ERR os_utf8_to_utf16_new(const char *text, uint16_t **result);
JET_ERR os_utf16_to_utf8_new(const uint16_t *text, char **result);

/* True if the bytes are well-formed UTF-8. */
bool os_utf8_is_valid(const char *text, size_t length);

/* Three-way comparison without regard to the case of A-Z: of names of tables, columns, parameters. */
int os_text_compare_ascii_case(const char *a, const char *b);
int os_text_compare_ascii_case_n(const char *a, size_t a_length, const char *b, size_t b_length);
bool os_text_equal_ascii_case(const char *a, const char *b);

/* Upper case of A-Z, anything else unchanged. */
char os_ascii_upper(char c);

/* Copies with a NUL; JET_errBufferTooSmall (and an empty result) if it does not fit. */
JET_ERR os_text_copy(const char *text, char *result, size_t size);

#endif
