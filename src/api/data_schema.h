/* Reading the API's structures of indexes, in their three forms and two kinds of text. */
#ifndef OPENESENT_API_DATA_SCHEMA_H
#define OPENESENT_API_DATA_SCHEMA_H

#include "src/api/data_common.h"

/* Index structures of form 1-3 (JET_INDEXCREATE, 2, 3) as requests; both arrays are freed by the caller with
 * os_free, also on failure. */
JET_ERR data_read_indexes(struct data_texts *texts, const void *indexes, uint32_t count, uint32_t version,
                          struct index_request **requests, struct condition_request **conditions);
/* Puts the results of `count` indexes into the structures that data_read_indexes has read. */
void data_index_results(void *indexes, const struct index_request *requests, uint32_t count);

#endif
