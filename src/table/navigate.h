/* Moving cursors: keys, seeks, moves, ranges, bookmarks, positions, the current index. */
#ifndef OPENESENT_TABLE_NAVIGATE_H
#define OPENESENT_TABLE_NAVIGATE_H

#include "src/table/cursor.h"

JET_ERR table_make_key(struct table_cursor *cursor, const void *value, uint32_t size, JET_GRBIT grbit);
void table_forget_key(struct table_cursor *cursor);
JET_ERR table_seek(struct table_cursor *cursor, JET_GRBIT grbit);
JET_ERR table_move(struct table_cursor *cursor, int32_t rows, JET_GRBIT grbit);
JET_ERR table_set_range(struct table_cursor *cursor, JET_GRBIT grbit);
void table_forget_range(struct table_cursor *cursor);
JET_ERR table_set_index(struct table_cursor *cursor, const char *name, JET_GRBIT grbit, uint32_t itag);
JET_ERR table_set_index_definition(struct table_cursor *cursor, struct index_definition *index,
                                   JET_GRBIT grbit, uint32_t itag);
JET_ERR table_goto_bookmark(struct table_cursor *cursor, struct span bookmark);
JET_ERR table_goto_secondary_bookmark(struct table_cursor *cursor, struct span key, struct span bookmark,
                                      JET_GRBIT grbit);
/* The bookmark of the current row, in the cursor's memory. */
JET_ERR table_bookmark(struct table_cursor *cursor, struct span *bookmark);
JET_ERR table_secondary_bookmark(struct table_cursor *cursor, struct span *key, struct span *bookmark);
/* The key of the current index entry (or the made key, JET_bitRetrieveCopy), in the cursor's memory. */
JET_ERR table_retrieve_key(struct table_cursor *cursor, JET_GRBIT grbit, struct span *key);
JET_ERR table_count(struct table_cursor *cursor, uint64_t limit, uint64_t *count);
JET_ERR table_position(struct table_cursor *cursor, JET_RECPOS *position);
JET_ERR table_goto_position(struct table_cursor *cursor, const JET_RECPOS *position);
JET_ERR table_set_filter(struct table_cursor *cursor, const JET_INDEX_COLUMN *columns, uint32_t count,
                         JET_GRBIT grbit);
void table_forget_filter(struct table_cursor *cursor);
/* Whether the current row passes the filter. */
JET_ERR table_passes_filter(struct table_cursor *cursor, bool *passes);

#endif
