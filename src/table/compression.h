/* Compressed long values: a header byte (kind in the upper five bits, kind's own in the lower three) and the
 * data (engine source: `compression.cxx`). Pure functions, safe on damaged input. */
#ifndef OPENESENT_TABLE_COMPRESSION_H
#define OPENESENT_TABLE_COMPRESSION_H

#include "src/os/base.h"
#include "src/os/error.h"

/* The size of the data when decompressed. JET_errDecompressionFailed. */
JET_ERR decompressed_size(const uint8_t *data, uint32_t size, uint32_t *result);
/* Decompresses into at most `capacity` bytes; *actual gets the number written. JET_wrnBufferTruncated if
 * there was more; JET_errDecompressionFailed. */
JET_ERR decompress(const uint8_t *data, uint32_t size, uint8_t *out, uint32_t capacity, uint32_t *actual);
/* Compresses text to 7 bits a character where that is possible. Returns the size, or 0 if it is not (then the
 * value is stored as it is). `out` holds `size` bytes. */
uint32_t compress_7bit(const uint8_t *data, uint32_t size, uint8_t *out);

#endif
