/* Reading columns of rows: one, several, all (engine sources: `fldext.cxx`, `fldenum.cxx`). */
#ifndef OPENESENT_TABLE_RETRIEVE_H
#define OPENESENT_TABLE_RETRIEVE_H

#include "src/table/cursor.h"

/* A record while it is read: valid until the cursor is moved, changed or its row read again. */
struct row_copy {
    const uint8_t *data;
    uint32_t size;
    uint32_t key_size; /* of the row; 0 if it has none yet */
};
/* The current row, or (copy) the prepared update's record if there is one. */
JET_ERR row_read(struct table_cursor *cursor, bool copy, struct row_copy *row);
static inline struct record_view row_view(const struct row_copy *row)
{
    return (struct record_view){row->data, row->size};
}

struct retrieve_options {
    JET_GRBIT grbit;
    uint32_t offset;     /* of long values */
    uint32_t itag;       /* in; out with JET_bitRetrieveTag and for column 0 */
    JET_COLUMNID column; /* out: the column that was read */
    bool row_first;      /* whether there is a row is looked at before the column */
};
/* JetRetrieveColumn. `actual` (may be NULL) gets the size of the value from `offset` on. JET_wrnColumnNull,
 * JET_wrnBufferTruncated. */
JET_ERR table_retrieve(struct table_cursor *cursor, JET_COLUMNID id, void *buffer, uint32_t max,
                       uint32_t *actual, struct retrieve_options *options);
/* The number of values of a tagged column, or of all columns that have values (id 0). */
JET_ERR table_count_values(struct table_cursor *cursor, JET_COLUMNID id, JET_GRBIT grbit, uint32_t *count);

struct enumeration {
    JET_ENUMCOLUMN **columns;
    uint32_t *count;
    JET_PFNREALLOC reallocate;
    void *context;
    uint32_t size_max; /* of a value; what is longer is cut */
    JET_GRBIT grbit;
};
JET_ERR table_enumerate(struct table_cursor *cursor, const JET_ENUMCOLUMNID *wanted, uint32_t wanted_count,
                        const struct enumeration *request);

JET_ERR table_record_size(struct table_cursor *cursor, JET_RECSIZE2 *sizes, JET_GRBIT grbit);
JET_ERR table_tagged_list(struct table_cursor *cursor, JET_RETRIEVEMULTIVALUECOUNT *list, uint32_t max,
                          uint32_t *count, JET_COLUMNID start, JET_GRBIT grbit);

#endif
