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

/* Looks at the level and the buffer, before anything else is looked at. */
typedef JET_ERR info_check(const struct info_call *call);

/* For `info_check`: a buffer of at least `least` bytes. */
JET_ERR data_info_check_size(const struct info_call *call, size_t least);

/* Answers the call. Texts that it makes are freed with `texts`. */
typedef JET_ERR info_function(struct session *session, struct table_cursor *cursor, struct data_texts *texts,
                              const struct info_call *call);

JET_ERR data_info_of_cursor(JET_SESID sesid, JET_TABLEID tableid, const struct info_call *call,
                            info_check *check, info_function *info);
/* Opens the table for the call. */
JET_ERR data_info_of_name(JET_SESID sesid, JET_DBID dbid, const void *table, const struct info_call *call,
                          info_check *check, info_function *info);

/* Numbers of pages, owned or available: of one tree (owned: with those of the trees below it, if it is a
 * table's), of a table's secondary indexes and long values together, of its long values. */
JET_ERR data_pages_of_tree(struct session *session, struct table_cursor *cursor, page_number root, bool owned,
                           uint32_t *pages);
JET_ERR data_pages_of_parts(struct session *session, struct table_cursor *cursor, bool owned,
                            uint32_t *pages);
JET_ERR data_pages_of_long_values(struct session *session, struct table_cursor *cursor, bool owned,
                                  uint32_t *pages);

#endif
