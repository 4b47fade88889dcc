/* The frame of the calls that tell of a table's columns and indexes: by cursor or by the table's name. */
#ifndef OPENESENT_API_DATA_INFOS_H
#define OPENESENT_API_DATA_INFOS_H

#include "src/api/data_common.h"

/* What the program asked for. */
struct info_call {
    const void *name; /* of the part: text, or a column's id */
    bool wide;
    void *result;
    uint32_t max; /* bytes */
    uint32_t level;
};

/* Answers the call. Texts that it makes are freed with `texts`. */
typedef JET_ERR info_function(struct session *session, struct table_cursor *cursor, struct data_texts *texts,
                              const struct info_call *call);

JET_ERR data_info_of_cursor(JET_SESID sesid, JET_TABLEID tableid, const struct info_call *call,
                            info_function *info);
/* Opens the table for the call. */
JET_ERR data_info_of_name(JET_SESID sesid, JET_DBID dbid, const void *table, const struct info_call *call,
                          info_function *info);

/* Puts a number of pages, owned or available, into a buffer: JET_errBufferTooSmall. */
JET_ERR data_space_of_tree(struct session *session, struct table_cursor *cursor, page_number root, bool owned,
                           void *result, uint32_t max);

#endif
