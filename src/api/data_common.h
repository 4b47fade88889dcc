/* Frame of the data calls: entering a session with its cursor, texts of A and W calls, opening cursors for
 * the program. */
#ifndef OPENESENT_API_DATA_COMMON_H
#define OPENESENT_API_DATA_COMMON_H

#include "src/instance/instance.h"
#include "src/table/cursor.h"
#include "src/table/ddl.h"

/* A call on a cursor. */
struct data_call {
    struct session *session;
    struct table_cursor *cursor;
};

/* Enters; on success the call is left with data_leave. The order of checks is session_enter_cursor's. */
JET_ERR data_enter(JET_SESID sesid, JET_TABLEID tableid, struct data_call *call);
/* What a cursor on a temporary table refuses with JET_errIllegalOperation, by the table's phase. */
enum {
    REFUSE_INSERTING = 1 << 0,    /* before the first move or seek */
    REFUSE_SORTED = 1 << 1,       /* then, in a sort that was not asked to be updatable */
    REFUSE_MATERIALIZED = 1 << 2, /* in one that was */
    REFUSE_SORT = REFUSE_INSERTING | REFUSE_SORTED,
    REFUSE_TEMPORARY = REFUSE_SORT | REFUSE_MATERIALIZED,
    ALLOW_IN_CALLBACK = 1 << 3, /* also for a cursor whose call-back runs; all else is refused there */
};
/* Enters for a call that these phases refuse. */
JET_ERR data_enter_unless(JET_SESID sesid, JET_TABLEID tableid, unsigned refused, struct data_call *call);
/* A session in a transaction may make changes only on the thread that began it:
 * JET_errSessionSharingViolation. */
JET_ERR data_check_change(const struct data_call *call);
void data_leave(struct data_call *call);

/* Gives a new cursor a handle; on failure the cursor is closed. */
JET_ERR data_publish_cursor(struct session *session, struct table_cursor *cursor, JET_TABLEID *table);
/* The same after session_reserve_cursor: cannot fail. */
void data_place_cursor(struct session *session, struct table_cursor *cursor, JET_TABLEID *table);

/* What tables need to know of the instance's parameters. */
const struct table_parameters *data_parameters(struct session *session);
JET_ERR data_ddl_context(struct session *session, struct ddl_context *context);

/* Texts that a call was given: UTF-8 as they are, UTF-16 converted. Freed together. */
struct data_texts {
    bool wide;
    char **made;
    uint32_t count;
    uint32_t capacity;
};
void data_texts_init(struct data_texts *texts, bool wide);
void data_texts_free(struct data_texts *texts);
/* Keeps memory of the call with its texts; takes it over, also on failure. */
JET_ERR data_texts_keep(struct data_texts *texts, char *text);
/* NULL stays NULL. */
JET_ERR data_text(struct data_texts *texts, const void *text, const char **out);
/* A list of texts that ends with an empty one ("+a\0+b\0\0"), of `size` bytes. */
JET_ERR data_text_list(struct data_texts *texts, const void *text, uint32_t size, const char **out,
                       uint32_t *out_size);

/* Gives bytes out as JetGetBookmark and its kind do: JET_errBufferTooSmall, or (`cut`) what fits with
 * JET_wrnBufferTruncated. */
JET_ERR data_give_bytes(struct span bytes, void *buffer, uint32_t max, uint32_t *actual, bool cut);

/* Index ids (JET_INDEXID): what JetGetTableIndexInfo gave out for an index of the cursor's table.
 * JET_errInvalidIndexId. */
void data_id_of_index(const struct table_cursor *cursor, const struct index_definition *index,
                      JET_INDEXID *id);
JET_ERR data_index_of_id(struct table_cursor *cursor, const JET_INDEXID *id, struct index_definition **index);

/* A converted LCID: the locale's name, or an empty one for the invariant and unknown ones. */
#define DATA_LOCALE_SIZE 85u
JET_ERR data_locale_of_lcid(uint32_t lcid, uint16_t locale[DATA_LOCALE_SIZE]);

#endif
