/* Lists that information calls answer: temporary tables that the program reads and closes. */
#ifndef OPENESENT_API_DATA_LISTS_H
#define OPENESENT_API_DATA_LISTS_H

#include "src/api/data_common.h"

#define LIST_COLUMNS_MAX 20u

struct list {
    struct session *session;
    struct table_cursor *cursor;
    uint32_t count; /* columns */
    uint32_t rows;
    bool wide;
    JET_ERR row_err; /* what failed first in the row being made */
    JET_COLUMNID ids[LIST_COLUMNS_MAX];
    JET_COLTYP types[LIST_COLUMNS_MAX];
};

/* What a column of a list is; texts get the code page of the call. */
struct list_column {
    JET_COLTYP type;
    JET_GRBIT grbit;
};

/* Makes an empty list. On failure nothing is left. */
JET_ERR list_open(struct session *session, const struct list_column *columns, uint32_t count, bool wide,
                  struct list *list);
/* A row: begun, filled, ended. The end tells whether all of it has succeeded. */
void list_begin_row(struct list *list);
void list_set_number(struct list *list, uint32_t column, uint32_t value);
void list_set_text(struct list *list, uint32_t column, const char *text);
void list_set_bytes(struct list *list, uint32_t column, const void *bytes, uint32_t size);
JET_ERR list_end_row(struct list *list);
/* Gives the list to the program, at its first row. */
JET_ERR list_publish(struct list *list, JET_TABLEID *table);
/* Drops a list that was not published. */
void list_abandon(struct list *list);

#endif
