/* The record format: fixed, variable and tagged columns (engine sources: `rec.hxx`, `tagfld.hxx`).
 *
 *     byte   last fixed column in the record
 *     byte   last variable column in the record (127 = none)
 *     u16    offset of the end of the fixed part (null bits included)
 *     fixed values, a null bit a fixed column, u16 end offsets of variable values (0x8000 = null), variable
 * values, tagged part: an array of {u16 column, u16 offset and flags}, then the fields' data.
 *
 * A value of a tagged column is behind an optional header byte (always there on 16 and 32 KiB pages).
 *
 * Reading is safe on damaged records: everything is bounds-checked, a malformed record answers
 * JET_errRecordCorrupted… (JET_errDatabaseCorrupted). Thread-safety: none needed, works on memory of the
 * caller. */
#ifndef OPENESENT_CATALOG_RECORD_H
#define OPENESENT_CATALOG_RECORD_H

#include "src/catalog/definition.h"

/* A record in the making: `data` of `capacity` bytes holds a valid record of `size` bytes. */
struct record {
    uint8_t *data;
    uint32_t size;
    uint32_t capacity;
};

/* A read-only view. */
struct record_view {
    const uint8_t *data;
    uint32_t size;
};

/* How a value was found. */
enum value_kind {
    VALUE_NULL,         /* explicitly null, or no value and no default */
    VALUE_PLAIN,        /* the bytes */
    VALUE_SEPARATED,    /* a long value stored elsewhere: the bytes are its 4-byte (or 8-byte) id */
    VALUE_COMPRESSED,   /* a long value in the record, compressed */
    VALUE_DEFAULT,      /* the bytes of the column's default */
    VALUE_DEFAULT_NULL, /* not in the record, no default */
};

struct value {
    enum value_kind kind;
    bool encrypted;
    const uint8_t *data;
    uint32_t size;
};

#define RECORD_HEADER_SIZE 4u

/* The largest record of a table in bytes: what fits a page beside a primary key of the greatest size. */
uint32_t record_size_max(const struct table_definition *table);
/* Whether a record may become `size` bytes while the number of its separated values changes by `separated`.
 * The published engine was recorded with its newest format, where a reference to a separated value takes 8
 * bytes, not 4 as in the format written here: its profile counts each of them so. */
bool record_fits(const struct table_definition *table, const struct record *record, int64_t size,
                 int32_t separated);

/* Makes the smallest record: no columns. capacity >= RECORD_HEADER_SIZE. */
void record_init(struct record *record);

/* Checks a whole record's structure; JET_errDatabaseCorrupted if something points outside. */
JET_ERR record_check(struct record_view view, uint32_t page_size);

/* Reads a fixed or variable column. Sets VALUE_DEFAULT… if the record has never had the column. */
JET_ERR record_get(const struct table_definition *table, struct record_view view,
                   const struct column_definition *column, struct value *out);
/* Sets a fixed or variable column; value NULL = null. A shorter fixed value must have been padded by the
 * caller. Errors: JET_errRecordTooBig (nothing changed). */
JET_ERR record_set(const struct table_definition *table, struct record *record,
                   const struct column_definition *column, const void *value, uint32_t size);

/* Fills a new record with defaults of fixed and variable columns, as PrepareUpdate(Insert) does. */
JET_ERR record_set_defaults(const struct table_definition *table, struct record *record);

/* Tagged columns. A field is all values of one column. */
struct tagged_field {
    uint16_t column;
    bool derived; /* of a template's column */
    bool null;    /* explicitly null over a default */
    bool long_type;
    bool two_values;
    bool multiple;
    uint8_t header;       /* raw flags, 0 if there is no header byte */
    uint32_t value_count; /* 0 if null */
    const uint8_t *data;  /* behind the header byte */
    uint32_t size;
};

/* The number of tagged fields in a record. */
JET_ERR tagged_count(struct record_view view, uint32_t page_size, uint32_t *count);
/* The field at an index (0-based) in the record's order: template's columns first, then by id. */
JET_ERR tagged_field_at(struct record_view view, uint32_t page_size, uint32_t index,
                        struct tagged_field *out);
/* The field of a column; *found false if there is none. */
JET_ERR tagged_find(struct record_view view, uint32_t page_size, const struct column_definition *column,
                    bool *found, struct tagged_field *out);
/* Value `itag` (1-based) of a field; VALUE_DEFAULT_NULL if there are fewer. */
JET_ERR tagged_value(const struct tagged_field *field, uint32_t itag, struct value *out);
/* Value of a column with its default: itag 1 of a column without field answers the default if it has one. */
JET_ERR tagged_get(const struct table_definition *table, struct record_view view,
                   const struct column_definition *column, uint32_t itag, struct value *out);

/* How tagged_set stores the bytes. */
#define TAGGED_SET_SEPARATED 0x1u  /* the value is a long-value id */
#define TAGGED_SET_COMPRESSED 0x2u /* the value is compressed; only itag 1 of a field */
#define TAGGED_SET_REVERT 0x4u     /* null: drop the value, the default shows again */

/* Sets, appends (itag 0 or beyond the end) or removes (value NULL) a value. Errors: JET_errRecordTooBig
 * (unchanged). */
JET_ERR tagged_set(const struct table_definition *table, struct record *record,
                   const struct column_definition *column, uint32_t itag, const void *value, uint32_t size,
                   uint32_t how);

/* Whether the record itself has a place (a value or null) for a fixed or variable column. */
JET_ERR record_has_column(struct record_view view, JET_COLUMNID id, bool *has);
/* The last fixed or variable column that a record of defaults only would have; 0 if there is none. */
JET_COLUMNID record_last_default(const struct table_definition *table, bool variable);
/* Where the tagged part starts. */
JET_ERR record_tagged_offset(struct record_view view, uint32_t *offset);

/* What the parts of a record take, in bytes. */
struct record_extent {
    uint32_t fixed_last;    /* last fixed column in the record, 0 = none */
    uint32_t variable_last; /* last variable one, 127 = none */
    uint32_t fixed_data;
    uint32_t variable_data;
    uint32_t overhead; /* header, null bits, variable offsets */
    uint32_t tagged;   /* offset of the tagged part */
};
JET_ERR record_measure(struct record_view view, struct record_extent *out);

#endif
