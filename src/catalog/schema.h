/* The schema of MSysObjects and its shadow, which is fixed in the format (engine source: `_cat.cxx`), and
 * rows of it.
 *
 * A row is the plain form of a catalog record. Its pointers refer to the caller's memory when it is written,
 * and to the record it was read from when it is read. */
#ifndef OPENESENT_CATALOG_SCHEMA_H
#define OPENESENT_CATALOG_SCHEMA_H

#include "src/catalog/catalog.h"
#include "src/catalog/key.h"

#define CATALOG_COLUMN_COUNT 29u

struct catalog_column {
    const char *name;
    JET_COLUMNID id;
    uint8_t type;
    bool not_null;
};
/* The columns in the order in which the engine lists them in the catalog. */
extern const struct catalog_column catalog_columns[CATALOG_COLUMN_COUNT];

struct bytes {
    const uint8_t *data; /* NULL: null */
    uint32_t size;
};

struct catalog_row {
    object_id table;
    uint16_t type; /* enum catalog_type */
    uint32_t id;
    struct bytes name;
    uint32_t type_or_root; /* column: JET_coltyp; else root page */
    uint32_t space_usage;  /* column: max size; else density */
    uint32_t flags;
    uint32_t pages_or_locale; /* column: code page; table: initial pages */
    bool root_flag;           /* tables */
    uint8_t root_mark;        /* how the record says so */
    bool has_record_offset;   /* fixed columns */
    uint16_t record_offset;
    bool has_map_flags; /* indexes */
    uint32_t map_flags;
    bool has_key_max; /* indexes whose limit is not 255 */
    uint16_t key_max;
    bool has_chunk_max; /* tables with a long-value chunk size of their own */
    uint32_t chunk_max;
    struct bytes template_name; /* columns: callback */
    struct bytes default_value;
    struct bytes segments;
    struct bytes segment_max;
    struct bytes conditions;
    struct bytes tuple_limits;
    struct bytes version;
    struct bytes sort_id;
    struct bytes separate_threshold;
    struct bytes space_hints;
    struct bytes deferred_hints;
    struct bytes locale;
};

/* The definition of MSysObjects as a table, for the record functions. Freed by the caller. */
JET_ERR catalog_schema_create(uint32_t page_size, struct table_definition **out);

/* Encodes a row; `record` has room for a record of the page size. */
JET_ERR catalog_row_encode(const struct table_definition *schema, const struct catalog_row *row,
                           struct record *record);
/* JET_errCatalogCorrupted for a record that is none. */
JET_ERR catalog_row_decode(const struct table_definition *schema, struct record_view view,
                           struct catalog_row *row);

/* Keys of the catalog's trees; `key` holds KEY_BUFFER_SIZE bytes. */
#define CATALOG_KEY_ANY_TYPE 0u
uint32_t catalog_key_primary(object_id table, uint16_t type, uint32_t id, uint8_t *key);
/* The first `parts` (1-3) segments of it. */
uint32_t catalog_key_prefix(object_id table, uint16_t type, uint32_t id, unsigned parts, uint8_t *key);
uint32_t catalog_key_name(object_id table, uint16_t type, struct bytes name, uint8_t *key);
uint32_t catalog_key_root(struct bytes name, uint8_t *key);

#endif
