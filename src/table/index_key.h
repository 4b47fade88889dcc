/* The keys that a record has in an index: none, one, or many (multi-values, tuples) (engine sources:
 * `fldnorm.cxx`, `recupd.cxx`). */
#ifndef OPENESENT_TABLE_INDEX_KEY_H
#define OPENESENT_TABLE_INDEX_KEY_H

#include "src/table/cursor.h"

struct index_key {
    uint32_t size;
    uint8_t bytes[KEY_BUFFER_SIZE];
};

/* A set of keys, sorted and without doubles after index_keys_of_record. */
struct index_keys {
    struct index_key **entries;
    uint32_t count;
    uint32_t capacity;
};

/* All keys of a record. Errors of violated rules: JET_errNullKeyDisallowed, JET_errKeyTruncated (only if
 * `enforce`). The record must be in memory that stays (not a latched page). */
JET_ERR index_keys_of_record(struct table_cursor *cursor, const struct index_definition *index,
                             struct record_view view, bool enforce, struct index_keys *keys);
void index_keys_free(struct index_keys *keys);

/* The one key of a record in its primary index. */
JET_ERR index_primary_key(struct table_cursor *cursor, struct record_view view, struct index_key *key);

/* The key of value `itag` of the (first) multi-valued column; *present false if the row has no such entry. */
JET_ERR index_key_of_row(struct table_cursor *cursor, const struct index_definition *index,
                         struct record_view view, uint32_t itag, struct index_key *key, bool *present);

#endif
