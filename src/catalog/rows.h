/* Changes of catalog rows: in MSysObjects, its two indexes and the shadow, within the caller's transaction.
 */
#ifndef OPENESENT_CATALOG_ROWS_H
#define OPENESENT_CATALOG_ROWS_H

#include "src/catalog/schema.h"

/* Inserts a row everywhere. JET_errKeyDuplicate: the name (or id) is taken, perhaps by a change that this
 * transaction does not see; the caller names it (table, column, index duplicate). `unversioned` while a
 * database is created. */
JET_ERR catalog_insert_row(struct transaction *transaction, struct database *database,
                           const struct catalog_row *row, bool unversioned);
/* The same for many rows: the trees stay open between them. Not across the end of a transaction. */
struct catalog_writer {
    struct transaction *transaction;
    struct database *database;
    const struct table_definition *schema;
    struct versioned_cursor *primary;
    struct versioned_cursor *names;
    struct versioned_cursor *roots; /* NULL until needed */
    struct versioned_cursor *shadow;
    uint8_t *buffer; /* for one record */
};
JET_ERR catalog_writer_open(struct transaction *transaction, struct database *database,
                            struct catalog_writer *writer);
JET_ERR catalog_writer_insert(struct catalog_writer *writer, const struct catalog_row *row, bool unversioned);
/* Of one that is open, half open or zeroed. */
void catalog_writer_close(struct catalog_writer *writer);

/* Deletes the row with that key everywhere. JET_errRecordNotFound. */
JET_ERR catalog_delete_row(struct transaction *transaction, struct database *database, object_id table,
                           uint16_t type, uint32_t id);
/* Deletes all rows of a table. */
JET_ERR catalog_delete_table_rows(struct transaction *transaction, struct database *database,
                                  object_id table);
/* Replaces the row of (table, type, id) by another one of the same key; its name may be another. */
JET_ERR catalog_replace_row(struct transaction *transaction, struct database *database,
                            const struct catalog_row *row);

/* Reads the row of (table, type, id). The row points into *buffer, which the caller frees with os_free.
 * JET_errRecordNotFound. */
JET_ERR catalog_read_row(struct transaction *transaction, struct database *database, object_id table,
                         uint16_t type, uint32_t id, struct catalog_row *row, uint8_t **buffer);

/* Calls visit for each row of a table in the order of type and id; the row is valid during the call only, and
 * visit must not touch trees. */
typedef JET_ERR catalog_visit_row(void *context, const struct catalog_row *row);
JET_ERR catalog_visit_rows(struct transaction *transaction, struct database *database, object_id table,
                           catalog_visit_row *visit, void *context);

/* MSysObjids: one row for each tree. */
JET_ERR catalog_insert_objid(struct transaction *transaction, struct database *database, object_id id,
                             object_id table, uint16_t type, bool unversioned);
JET_ERR catalog_delete_objid(struct transaction *transaction, struct database *database, object_id id);

/* From a row to a definition's parts and back. */
JET_ERR catalog_column_from_row(const struct catalog_row *row, bool in_template,
                                struct column_definition *column);
JET_ERR catalog_index_from_row(const struct catalog_row *row, struct index_definition *index);
void catalog_row_from_column(object_id table, const struct column_definition *column,
                             struct catalog_row *row);

/* Memory that a row of an index refers to. */
struct catalog_index_buffers {
    struct index_segment segments[INDEX_SEGMENT_MAX];
    struct index_segment conditions[INDEX_SEGMENT_MAX];
    uint16_t segment_max;
    uint32_t tuple[5];
};
void catalog_row_from_index(object_id table, const struct index_definition *index,
                            struct catalog_index_buffers *buffers, struct catalog_row *row);

#endif
