/* Changing rows: prepared updates, setting columns, deleting, escrow columns, locks (engine sources:
 * `fldmod.cxx`, `recupd.cxx`). */
#ifndef OPENESENT_TABLE_UPDATE_H
#define OPENESENT_TABLE_UPDATE_H

#include "src/table/cursor.h"

JET_ERR table_prepare(struct table_cursor *cursor, uint32_t preparation);
/* Forgets a prepared update without any ado. */
void table_drop_update(struct table_cursor *cursor);

struct set_options {
    uint32_t itag;   /* 0: one more value */
    uint32_t offset; /* long values */
    JET_GRBIT grbit;
};
JET_ERR table_set_column(struct table_cursor *cursor, JET_COLUMNID id, const void *value, uint32_t size,
                         const struct set_options *options);

/* Makes the update. `bookmark` (may be NULL) gets the row's bookmark; one that does not fit `bookmark_max`
 * bytes is JET_errBufferTooSmall for an insert, before anything happens. On failure the update stays
 * prepared. */
JET_ERR table_update(struct table_cursor *cursor, JET_GRBIT grbit, struct saved_bookmark *bookmark,
                     uint32_t bookmark_max);
JET_ERR table_delete(struct table_cursor *cursor);
JET_ERR table_get_lock(struct table_cursor *cursor, JET_GRBIT grbit);
/* Adds a delta to an escrow column; `old` gets the value before, in the column's width. */
JET_ERR table_escrow(struct table_cursor *cursor, JET_COLUMNID id, const void *delta, uint32_t size,
                     void *old, uint32_t old_max, uint32_t *old_size, JET_GRBIT grbit);

/* Within this layer. */
static inline struct record_view table_work_view(const struct table_cursor *cursor)
{
    return (struct record_view){cursor->work.data, cursor->work.size};
}
static inline bool table_column_was_set(const struct table_cursor *cursor,
                                        const struct column_definition *column)
{
    const uint32_t bit = column_id_is_tagged(column->id) ? 0 : column->id;
    return (cursor->columns_set[bit / 8] >> bit % 8 & 1) != 0;
}
static inline void table_column_mark_set(struct table_cursor *cursor, const struct column_definition *column)
{
    const uint32_t bit = column_id_is_tagged(column->id) ? 0 : column->id;
    cursor->columns_set[bit / 8] |= (uint8_t)(1u << bit % 8);
    cursor->set_count++;
}
/* Whether the record is still what it was when the update was prepared: JET_errWriteConflict. */
JET_ERR table_record_unchanged(struct table_cursor *cursor);
/* Call-backs of the table: `id` names one to take it back (JET_errInvalidParameter: there is no such). */
JET_ERR table_callback_add(struct table_cursor *cursor, JET_CBTYP types, JET_CALLBACK function, void *context,
                           uint32_t *id);
JET_ERR table_callback_remove(struct table_cursor *cursor, uint32_t id);
/* Tells all that wait for `type`; the first error ends it. */
JET_ERR table_call_back(struct table_cursor *cursor, JET_CBTYP type);
/* The next auto-increment value of the table. */
JET_ERR table_next_autoincrement(struct table_cursor *cursor, uint64_t *value);
/* Reserves the batch of auto-increment values behind `last`, and lets the table go on there if it has none. */
JET_ERR table_reserve_numbers(struct table_cursor *cursor, uint64_t last);
/* Adds or removes the row's entries of one index; used when an index is built, too. */
JET_ERR table_index_insert(struct table_cursor *cursor, struct versioned_cursor *tree,
                           const struct index_definition *index, struct span key, struct span primary,
                           unsigned flags); /* of versioned_cursor_insert */
JET_ERR table_index_delete(struct table_cursor *cursor, struct versioned_cursor *tree,
                           const struct index_definition *index, struct span key, struct span primary);

#endif
