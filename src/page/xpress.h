/* Plain LZ77 of the engine's "Xpress" kind: groups of 32 flags, highest first, each before what it tells of:
 * a byte, or a match of 16 bits (distance less one in the upper 13, length less three in the lower three,
 * longer ones continued in shared half bytes, bytes, words). Pure functions, safe on damaged input. */
#ifndef OPENESENT_PAGE_XPRESS_H
#define OPENESENT_PAGE_XPRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Expands to exactly `count` bytes. False: the data is no such stream. */
bool xpress_expand(const uint8_t *data, uint32_t size, uint8_t *out, uint32_t count);
/* Compresses into at most `capacity` bytes. Returns the size, 0 if it does not fit. */
uint32_t xpress_compress(const uint8_t *data, uint32_t size, uint8_t *out, uint32_t capacity);

/* The same as compressed values and page images are stored: a byte that says so, and the size when expanded,
 * come first. Returns the whole size; 0 if it would not be less than `size`, or that is 64 KiB or more. `out`
 * holds `size` bytes. */
#define XPRESS_KIND 3u /* in the upper five bits of the byte */
#define XPRESS_HEADER_SIZE 3u
uint32_t xpress_store(const uint8_t *data, uint32_t size, uint8_t *out);

#endif
