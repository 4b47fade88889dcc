/* Long values: kept in a tree of their own, as a root node (reference count, size) and chunks (engine source:
 * `lv.cxx`).
 *
 * Keys: the id, big-endian, 4 bytes (8 for large ids); chunks add their offset, 4 bytes big-endian. A record
 * refers to a value by its little-endian id. Values that several records share are copied when one of them
 * changes it.
 *
 * All changes belong to the cursor's transaction. Values that a prepared update has set are kept in memory
 * until the update is made ("pending"): the record being prepared refers to them by ids of their own. */
#ifndef OPENESENT_TABLE_LONG_VALUE_H
#define OPENESENT_TABLE_LONG_VALUE_H

#include "src/table/cursor.h"

/* A value of a prepared update that will get its place in the tree with the update. */
struct pending_value {
    struct pending_value *next;
    uint32_t number;
    uint32_t size;
    uint8_t *data;
};
/* Ids of pending values: this bit and the number. Ids of the tree never have it in 4 bytes. */
#define PENDING_ID_BIT 0x80000000u
static inline bool long_value_is_pending(uint64_t id)
{
    return id <= UINT32_MAX && (id & PENDING_ID_BIT) != 0;
}
/* Keeps `data` (os/memory.h; taken over, freed also on failure) as a pending value of the cursor. */
JET_ERR long_value_keep(struct table_cursor *cursor, uint8_t *data, uint32_t size, uint64_t *id);
const struct pending_value *long_value_pending(const struct table_cursor *cursor, uint64_t id);
void long_value_drop_pending(struct table_cursor *cursor);

/* The id in a record's field: 4 or 8 bytes. JET_errDatabaseCorrupted otherwise. */
JET_ERR long_value_id(const struct value *value, uint64_t *id);
/* The bytes of an id as a record keeps it; returns their number. */
uint32_t long_value_id_encode(uint64_t id, uint8_t bytes[8]);

JET_ERR long_value_size(struct table_cursor *cursor, uint64_t id, uint32_t *size);
/* Reads up to `size` bytes from `offset`; *actual gets what was read. */
JET_ERR long_value_read(struct table_cursor *cursor, uint64_t id, uint32_t offset, uint8_t *buffer,
                        uint32_t size, uint32_t *actual);
/* References to the value. */
JET_ERR long_value_references(struct table_cursor *cursor, uint64_t id, uint32_t *count);

/* Makes a new value of `size` bytes with one reference; creates the tree if the table has none. */
JET_ERR long_value_create(struct table_cursor *cursor, const uint8_t *data, uint32_t size, uint64_t *id);
JET_ERR long_value_add_reference(struct table_cursor *cursor, uint64_t id);
/* Takes a reference away; the last one deletes the value. */
JET_ERR long_value_remove_reference(struct table_cursor *cursor, uint64_t id);

/* Bytes in a chunk, by page size. */
uint32_t long_value_chunk_size(uint32_t page_size);

/* Reads a whole value of any kind into new memory (freed by the caller): separated, compressed or plain. */
JET_ERR long_value_fetch(struct table_cursor *cursor, const struct value *value, uint8_t **data,
                         uint32_t *size);
/* The size of a value of any kind. */
JET_ERR long_value_logical_size(struct table_cursor *cursor, const struct value *value, uint32_t *size);
#endif
