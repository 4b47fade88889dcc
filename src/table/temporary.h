/* Temporary tables: sorted collections of rows in the temporary database (engine sources: `sortapi.cxx`,
 * `sort.cxx`).
 *
 * Every temporary table is a tree from the start; what the engine refuses for one that is only being sorted
 * is refused here as well. */
#ifndef OPENESENT_TABLE_TEMPORARY_H
#define OPENESENT_TABLE_TEMPORARY_H

#include "src/table/ddl.h"

struct temporary_request {
    const JET_COLUMNDEF *columns;
    uint32_t count;
    JET_GRBIT grbit;        /* JET_bitTT… */
    const uint16_t *locale; /* NULL: the default one */
    uint32_t map_flags;     /* 0: the default ones */
    uint32_t key_max;       /* 0: the default */
    uint32_t segment_max;
    JET_COLUMNID *ids; /* out: count ids */
};
/* `database` is the temporary one. */
JET_ERR table_open_temporary(struct transaction *transaction, struct database *database,
                             const struct temporary_request *request, struct table_cursor **out);

/* Whether the published engine would have made a table of the sort: rows can be changed then. */
bool temporary_is_materialized(const struct table_cursor *cursor);
/* The phase of a sort without index: rows are put in, then read. JET_errIllegalOperation for what a sort
 * cannot do. */
JET_ERR temporary_check_move(struct table_cursor *cursor, int32_t rows);
JET_ERR temporary_check_seek(struct table_cursor *cursor);
JET_ERR temporary_check_change(const struct table_cursor *cursor);
/* Whether a number follows the key of each row. */
static inline bool temporary_has_numbers(const struct table_cursor *cursor)
{
    return cursor->is_temporary && cursor->table->primary != NULL &&
           (cursor->table->temporary_grbit & (JET_bitTTUnique | JET_bitTTForwardOnly)) ==
               JET_bitTTForwardOnly;
}
#define TEMPORARY_NUMBER_SIZE 4u
#endif
