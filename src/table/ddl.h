/* Changes of the schema: tables, columns, indexes (engine sources: `fcreate.cxx`, `cat.cxx`).
 *
 * Each function checks its arguments in the engine's order and works in a transaction level of its own. */
#ifndef OPENESENT_TABLE_DDL_H
#define OPENESENT_TABLE_DDL_H

#include "src/table/cursor.h"

struct column_request {
    const char *name;
    uint32_t type;
    uint32_t code_page;
    uint32_t max_size;
    JET_GRBIT grbit;
    const void *default_value;
    uint32_t default_size;
    JET_COLUMNID id; /* out */
    JET_ERR err;     /* out, when a table is created with its columns */
};

struct condition_request {
    const char *column;
    JET_GRBIT grbit;
    bool size_is_right; /* cbStruct of the caller's structure */
};

struct index_request {
    const char *name;
    const char *key; /* "+a\0-b\0\0" */
    uint32_t key_size;
    JET_GRBIT grbit;
    uint32_t density;
    bool has_unicode;       /* a locale or flags were given */
    const uint16_t *locale; /* NULL: invariant */
    uint32_t map_flags;
    uint32_t segment_max; /* 0: none */
    uint32_t key_max;     /* with JET_bitIndexKeyMost */
    bool has_limits;
    struct tuple_limits limits;
    const struct condition_request *conditions;
    uint32_t condition_count;
    JET_ERR err; /* out */
};

struct table_request {
    const char *name;
    const char *template_name; /* NULL: none */
    uint32_t pages;
    uint32_t density;
    uint32_t separate_threshold;
    JET_GRBIT grbit;
    struct column_request *columns;
    uint32_t column_count;
    struct index_request *indexes;
    uint32_t index_count;
    uint32_t created; /* out: objects */
};

/* What tables are made with that parameters tell. */
struct ddl_context {
    const struct table_parameters *parameters;
    const void *owner;
};

/* Creates a table with columns and indexes and opens it exclusively. */
JET_ERR table_create(struct transaction *transaction, struct database *database,
                     struct table_request *request, const struct ddl_context *context,
                     struct table_cursor **out);
JET_ERR table_delete_table(struct transaction *transaction, struct database *database, const char *name);
JET_ERR table_rename(struct transaction *transaction, struct database *database, const char *name,
                     const char *new_name);

JET_ERR table_add_column(struct table_cursor *cursor, struct column_request *request);
JET_ERR table_delete_column(struct table_cursor *cursor, const char *name, JET_GRBIT grbit);
JET_ERR table_rename_column(struct table_cursor *cursor, const char *name, const char *new_name);
JET_ERR table_set_default(struct table_cursor *cursor, const char *name, const void *value, uint32_t size);

JET_ERR table_create_indexes(struct table_cursor *cursor, struct index_request *requests, uint32_t count,
                             const struct ddl_context *context);
JET_ERR table_delete_index(struct table_cursor *cursor, const char *name);

/* --- within this layer --- */

/* Checks a column and makes its definition, without id. `exclusive`: nobody else can use the table. */
JET_ERR ddl_check_column(const struct table_definition *table, const struct column_request *request,
                         bool exclusive, struct column_definition *column);
/* Gives the column its id and place. */
JET_ERR ddl_place_column(const struct table_definition *table, JET_GRBIT grbit,
                         struct column_definition *column);
/* Brings a default into the form of the record: JET_errInvalidBufferSize if it has not the column's width.
 * `buffer` has 256 bytes and becomes column->default_value if the value must be changed. */
JET_ERR ddl_fit_default(struct column_definition *column, uint8_t *buffer);
/* Checks an index and makes its definition, without id and root. */
JET_ERR ddl_check_index(const struct index_request *request, uint32_t page_size,
                        const struct ddl_context *context, struct index_definition *index);
/* Looks the key's and the conditions' columns up in `table`. */
typedef JET_ERR ddl_find_column(void *context, const char *name, const struct column_definition **column);
JET_ERR ddl_resolve_index(const struct index_request *request, ddl_find_column *find, void *find_context,
                          struct index_definition *index);
JET_ERR ddl_create_index_tree(struct transaction *transaction, const struct table_definition *table,
                              struct index_definition *index);
bool ddl_is_exclusive(const struct table_cursor *cursor);
/* How long a program may let keys become; pages of this size hold no longer ones. */
uint32_t ddl_key_max_of_page(uint32_t page_size);
/* 0 becomes the default; JET_errDensityInvalid. */
JET_ERR ddl_check_density(uint32_t *density);

#endif
