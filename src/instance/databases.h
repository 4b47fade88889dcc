/* The databases of an instance: JET_DBIDs, opening and closing, create, attach, detach.
 *
 * A JET_DBID names an instance, a slot and the use of that slot, so that the id of a database that was
 * detached is unknown afterwards. Engine sources: `db.cxx`, `fmp.cxx`. */
#ifndef OPENESENT_INSTANCE_DATABASES_H
#define OPENESENT_INSTANCE_DATABASES_H

#include "src/cache/database.h"
#include "src/instance/instance.h"

/* What JetCreateDatabase2 and JetAttachDatabase2 take. */
struct database_options {
    uint32_t pages_most; /* limit of the file's size, 0: none */
    JET_GRBIT grbit;
};

/* Creates a database file and opens it for the session. `path` as the program gave it. Errors in the engine's
 * order: JET_errInTransaction, JET_errInvalidGrbit..., JET_errDatabaseDuplicate, JET_errInvalidPath,
 * JET_errTooManyAttachedDatabases, those of the file, JET_errDatabaseSharingViolation,
 * JET_errDatabaseFileReadOnly. */
JET_ERR databases_create(struct session *session, const char *path, const struct database_options *options,
                         JET_DBID *id);

/* Attaches an existing database. JET_wrnDatabaseAttached if it is already. */
JET_ERR databases_attach(struct session *session, const char *path, const struct database_options *options);

/* Detaches one database, or all (path NULL or empty). JET_errDatabaseInUse, JET_errDatabaseNotFound,
 * JET_errBackupInProgress... */
JET_ERR databases_detach(struct session *session, const char *path, JET_GRBIT grbit);

/* Opens an attached database for the session. */
JET_ERR databases_open(struct session *session, const char *path, JET_GRBIT grbit, JET_DBID *id);
/* Closes one open of the session; its cursors in it must be closed by the caller if it is the last. `*last`
 * tells. */
JET_ERR databases_close(struct session *session, JET_DBID id, bool *last);

/* The id that a session sees for a database of the instance. */
JET_DBID databases_id(const struct instance *instance, const struct database *database);

/* The slot of a database that is attached under this path (made absolute here); NULL if there is none. Under
 * the database lock. */
struct instance_database *databases_find_locked(struct instance *instance, const char *path);

/* Sessions at the end of an instance (term.c, session_life.c): the session is entered or taken. */
void session_close_cursors(struct session *session);
/* Rolls everything back. */
JET_ERR session_undo(struct session *session);
/* Frees a session whose cursors are closed and whose transaction is at level 0, and its handle. */
void session_free(struct session *session);

#endif
