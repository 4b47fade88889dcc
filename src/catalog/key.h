/* Key normalisation: column values to bytes that compare, with memcmp, as the values do (engine source:
 * `fldnorm.cxx`).
 *
 * A key is one segment a column: a prefix byte (null, zero length, value) and the value in a comparable form;
 * a descending segment is complemented. Pure functions, thread-safe. */
#ifndef OPENESENT_CATALOG_KEY_H
#define OPENESENT_CATALOG_KEY_H

#include "src/catalog/definition.h"

/* Largest limit of an index's keys in bytes (32 KiB pages), and the same with the byte that limits may add.
 */
#define KEY_SIZE_MAX 2000u
#define KEY_BUFFER_SIZE (KEY_SIZE_MAX + 1u)
#define KEY_SIZE_DEFAULT 255u

/* All that normalising a value of a column in an index needs to know. */
struct key_format {
    uint8_t type;
    uint16_t code_page;
    bool fixed; /* a fixed column: binary is stored as it is */
    bool descending;
    bool nulls_high;
    bool dotnet_guid;
    uint32_t key_max;
    uint32_t segment_max;   /* equal to key_max: no limit of its own */
    const uint16_t *locale; /* zero-terminated UTF-16; for Unicode text */
    uint32_t map_flags;     /* LCMapString flags; for Unicode text */
};

void key_format_of(const struct index_definition *index, const struct column_definition *column,
                   bool descending, struct key_format *out);

/* A normalised segment. */
struct key_segment {
    uint32_t size;
    bool truncated;            /* the value did not fit what is left of the key */
    uint32_t binary_delimiter; /* variable binary: offset of the padding of its last chunk, else 0 */
};

/* Normalises a value into `out`, which holds `available` > 0 bytes; value NULL = null. Errors:
 * JET_errOutOfMemory, JET_errUnicodeNormalizationNotSupported, JET_errInvalidLanguageId from text. */
JET_ERR key_normalize(const struct key_format *format, const uint8_t *value, uint32_t size, uint8_t *out,
                      uint32_t available, struct key_segment *segment);

/* Limits that JetMakeKey puts behind a segment. The buffer has available + 1 bytes, the segment is in it. */
void key_limit_full(uint8_t *segment, uint32_t *size, uint32_t available, bool end);
void key_limit_partial_text(const struct key_format *format, uint8_t *segment, uint32_t *size,
                            uint32_t available, bool end);
void key_limit_partial_binary(uint8_t *segment, uint32_t *size, uint32_t available, uint32_t delimiter,
                              bool end);

/* The length of a segment of 8-bit text. False if it does not end. */
bool key_skip_text(const struct key_format *format, const uint8_t *segment, uint32_t length, uint32_t *used);
/* Reads a fixed-size value back from its segment (prefix byte included): JetRetrieveColumn from the index.
 * `*used` gets the segment's length. Returns false if the value cannot be had from the key (text, truncated).
 * For variable binary the value has up to `*size` bytes, which gets the real size. *null is set for a null
 * segment. */
bool key_denormalize(const struct key_format *format, uint32_t fixed_size, const uint8_t *segment,
                     uint32_t length, uint8_t *value, uint32_t *size, bool *null, uint32_t *used);

/* Unicode text to sort-key bytes (key_text.c). Writes at most `available` bytes; *truncated if there are
 * more. */
JET_ERR key_map_text(const uint16_t *locale, uint32_t map_flags, const uint8_t *text, uint32_t size,
                     uint8_t *out, uint32_t available, uint32_t *written, bool *truncated);
/* Whether a locale (UTF-16 name) is known. */
bool key_locale_is_valid(const uint16_t *locale);

/* The flags the engine uses when none are given: sort key, ignoring case, kana type and width. */
#define KEY_MAP_FLAGS_DEFAULT 0x00030401u

#endif
