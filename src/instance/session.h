/* Sessions: looked-up handles, entering and leaving calls, thread rules, open databases and cursors of a
 * session.
 *
 * A session handle names a slot and a sequence number. Entering takes the slot for the calling thread, so
 * that everything that hangs on the session (transaction, cursors, opened databases) is used by one thread at
 * a time without further locks, and so that a term that has taken a session's slot knows that nobody is
 * inside.
 *
 * A cursor handle (JET_TABLEID) names its session's slot, an index in the session's table of cursors, and a
 * sequence number; a lookup never follows a pointer made from a handle. Engine sources: `pib.cxx`,
 * `jetapi.cxx`. */
#ifndef OPENESENT_INSTANCE_SESSION_H
#define OPENESENT_INSTANCE_SESSION_H

#include "src/os/atomic.h"
#include "src/os/error.h"
#include "src/version/transaction.h"

struct instance;
struct session;
struct database;

/* Databases of an instance: slot 0 is the temporary database. */
#define INSTANCE_DATABASES 7u

/* Kinds of objects behind a JET_TABLEID. */
enum cursor_kind {
    CURSOR_KIND_NONE = 0,
    CURSOR_KIND_TABLE = 1, /* a cursor of src/table */
};

/* One cursor of a session. `object` belongs to the opener, who gives `close` for the end of the session. */
struct session_cursor {
    uint32_t sequence; /* 0: free */
    uint32_t next_free;
    enum cursor_kind kind;
    void *object;
    void (*close)(struct session *session, void *object);
};

struct session {
    struct instance *instance;
    JET_SESID handle;
    uint32_t slot;
    uint16_t process;                /* number in log records, unique in the instance */
    bool own;                        /* the engine's: not counted among the program's */
    struct session *next, *previous; /* of the instance; under its session lock */

    struct transaction transaction;
    JET_GRBIT commit_default;    /* JET_sesparamCommitDefault */
    uint64_t transaction_thread; /* thread (or context) that began level 1 */
    bool has_context;            /* JetSetSessionContext */
    bool transaction_by_context; /* level 1 was begun under a context */
    uint64_t context;
    uint64_t context_thread;
    uint64_t transaction_id; /* JetBeginTransaction3 */
    uint32_t correlation_id;
    JET_OPERATIONCONTEXT operation_context;

    uint32_t opened[INSTANCE_DATABASES];        /* JetOpenDatabase count of each slot */
    uint32_t open_sequence[INSTANCE_DATABASES]; /* attach sequence that the count belongs to */

    struct table_cursor *table_cursors; /* head of the table layer's own list */
    struct session_cursor *cursors;     /* the handles */
    uint32_t cursor_count;              /* of the array */
    uint32_t cursors_used;
    uint32_t cursor_free; /* first free one + 1, 0: none */

    bool taken;           /* by a term, under the session lock */
    uint32_t calls_depth; /* 1 in a call; more in calls out of a call-back */
    uint32_t callback_depth;
    uint32_t row_callbacks; /* that are running: a change of a row is in the middle */
    uint8_t callback_level; /* transaction level in one of them, which must not go below; else 0 */
    bool in_callback;       /* the engine is in a call-back of this session: its thread may call in again */
    void *owner_data;       /* of the data calls (src/api/data_*), freed through free_owner_data */
    void (*free_owner_data)(struct session *session);
};

/* --- entering --- */

/* Takes the session for a call. In order: nil, zero, unknown or ended handle -> JET_errInvalidSesid; service
 * stopped -> JET_errClientRequestToStopJetService; instance unavailable -> its code; terminating ->
 * JET_errTermInProgress; another thread is inside -> JET_errSessionSharingViolation. On success the caller
 * leaves with session_leave. */
JET_ERR session_enter(JET_SESID handle, struct session **session);
/* The same for calls that a stopped service still allows: rollback, end of session, close. */
JET_ERR session_enter_stopped(JET_SESID handle, struct session **session);
void session_leave(struct session *session);
/* The instance of a session handle, without entering; NULL if the handle is none. The process lock keeps the
 * instance. */
struct instance *session_instance(JET_SESID handle);

/* Takes the session, then looks the database up: one that this session has opened, else
 * JET_errInvalidDatabaseId. */
JET_ERR session_enter_database(JET_SESID handle, JET_DBID id, struct session **session,
                               struct database **database);

/* Takes the session, then looks the cursor up. Order as the engine's: session handle (-1104), table handle
 * nil or zero (JET_errInvalidTableId), of another session (JET_errSesidTableIdMismatch), gates, closed or
 * unknown handle (JET_errInvalidTableId). */
JET_ERR session_enter_cursor(JET_SESID handle, JET_TABLEID table, struct session **session, void **object);
JET_ERR session_enter_cursor_stopped(JET_SESID handle, JET_TABLEID table, struct session **session,
                                     void **object);

/* --- inside a call --- */

/* The database behind an id that this session has opened; JET_errInvalidDatabaseId. */
JET_ERR session_find_database(struct session *session, JET_DBID id, struct database **database);
/* A second cursor handle of the same session; JET_errInvalidTableId or JET_errSesidTableIdMismatch. */
JET_ERR session_find_cursor(struct session *session, JET_TABLEID table, void **object);

/* Gives a cursor a handle, in two steps, since nothing must fail any more when the object is there: first
 * room (JET_errOutOfCursors beyond JET_paramMaxCursors, JET_errOutOfMemory), then the handle. The room is
 * either used or released, within the same call. `close` is called when the session ends with the cursor
 * still open. */
JET_ERR session_reserve_cursor(struct session *session);
void session_release_reserved_cursor(struct session *session);
void session_place_cursor(struct session *session, enum cursor_kind kind, void *object,
                          void (*close)(struct session *session, void *object), JET_TABLEID *table);
/* Takes the handle back: it is unknown from now on. The object is the caller's. */
void session_remove_cursor(struct session *session, JET_TABLEID table);
/* Takes the handle back and calls its close function. */
void session_close_cursor(struct session *session, JET_TABLEID table);
/* Calls visit for each cursor, newest first not guaranteed; visit may remove the one it was given. */
void session_visit_cursors(struct session *session,
                           void (*visit)(struct session *session, JET_TABLEID table, void *object,
                                         void *context),
                           void *context);

/* Before begin (inside a transaction), commit and rollback: a transaction belongs to the thread that began
 * it, or to the session context under which it was begun. JET_errSessionSharingViolation. */
JET_ERR session_check_thread(const struct session *session);
/* Call right after level 1 was begun: remembers the thread or context. */
void session_bind_thread(struct session *session);

/* Around a call-back into the program: its thread may call in with this session. */
void session_callback_begin(struct session *session);
void session_callback_end(struct session *session);

/* --- life --- */

/* Takes the session's counted opens of a database slot back (JetCloseDatabase, detach, end of session). */
void session_forget_database(struct session *session, uint32_t slot);

/* JetBeginSession: a new session of a running instance. JET_errOutOfSessions (JET_paramMaxSessions),
 * JET_errOutOfMemory. */
JET_ERR session_begin(struct instance *instance, JET_SESID *handle);
/* The engine's own one, which the program's sessions leave room for. JET_errOutOfMemory. */
JET_ERR session_begin_own(struct instance *instance, JET_SESID *handle);
/* JetEndSession on an entered session: rolls back, closes cursors and databases, frees it. It is left by
 * that, on success; on failure it is still entered. */
JET_ERR session_end(struct session *session);

#endif
