/* The databases of an instance: JET_DBIDs, opening and closing, create, attach, detach.
 *
 * A JET_DBID names an instance, a slot and the use of that slot, so that the id of a database that was
 * detached is unknown afterwards. A slot is busy while its database is being created, attached or detached.
 * Engine sources: `db.cxx`, `fmp.cxx`. Calls are thread-safe; those with a session need it entered. */
#ifndef OPENESENT_INSTANCE_DATABASES_H
#define OPENESENT_INSTANCE_DATABASES_H

#include "src/cache/database.h"
#include "src/instance/instance.h"

/* What JetCreateDatabase2 and JetAttachDatabase2 take. */
struct database_options {
    uint32_t pages_most; /* limit of the file's size, 0: none */
    JET_GRBIT grbit;
};

/* Creates a database file and opens it for the session. `path` as the program gave it. JET_errInTransaction,
 * JET_errCannotDisableVersioning, JET_errDatabaseInvalidPath, JET_errDatabaseDuplicate,
 * JET_errTooManyAttachedDatabases, JET_errDatabaseSharingViolation, errors of the file, log, memory: if the
 * creation is in the log already, the instance is unavailable afterwards. */
JET_ERR databases_create(struct session *session, const char *path, const struct database_options *options,
                         JET_DBID *id);

/* Attaches an existing database. JET_wrnDatabaseAttached if it is already. */
JET_ERR databases_attach(struct session *session, const char *path, const struct database_options *options);

/* Detaches one database, or all (path NULL or empty). JET_errInTransaction, JET_errBackupInProgress,
 * JET_errDatabaseNotFound, JET_errDatabaseInUse. */
JET_ERR databases_detach(struct session *session, const char *path, JET_GRBIT grbit);

/* Opens an attached database for the session. */
JET_ERR databases_open(struct session *session, const char *path, JET_GRBIT grbit, JET_DBID *id);
/* Closes one open of the session, whose id this is (session_find_database); `*last` tells whether the session
 * has none left. */
void databases_close(struct session *session, JET_DBID id, bool *last);

/* The id of a database of the instance. */
JET_DBID databases_id(const struct instance *instance, const struct database *database);

/* The temporary database, made at its first use; no session opens it. */
JET_ERR databases_temporary(struct session *session, struct database **database);

/* --- slots, for the files of this layer --- */

/* The slot of a database that is attached (or being attached) under this absolute path; NULL if there is
 * none. Under the database lock. */
struct instance_database *databases_find_locked(struct instance *instance, const char *path);

/* Takes a free slot for a database of this absolute path, busy for the caller, with a new database object.
 * Slot 0 is for the temporary database only. JET_wrnDatabaseAttached (and the slot, untouched) if the
 * instance has it already, JET_errDatabaseSharingViolation if another instance has,
 * JET_errTooManyAttachedDatabases, JET_errOutOfMemory. */
JET_ERR databases_reserve(struct instance *instance, const char *path, bool temporary, bool logged,
                          struct instance_database **slot);
/* Gives a busy slot back; its database object is freed (pages purged, file closed, nothing written). */
void databases_release(struct instance *instance, struct instance_database *slot);
/* The database is attached: sessions may open it. */
void databases_publish(struct instance *instance, struct instance_database *slot);
/* Counts an open of the session and answers the id. Under the database lock or while the slot is busy. */
JET_DBID databases_open_slot(struct session *session, struct instance_database *slot);

/* Pages of a new database, without the two of its header. */
uint32_t databases_initial_pages(const struct instance *instance);

/* Ends one database whose slot is busy for the caller: cleans versions (JET_errDatabaseInUse if some remain),
 * writes all pages, logs the detach, makes the header clean. The slot is then to be released. */
JET_ERR databases_shut(struct instance *instance, struct instance_database *slot, uint16_t process);

/* For a database that is not logged: the header says dirty while it is attached, clean afterwards. */
JET_ERR databases_write_state(struct database *database, enum database_state state);

/* --- sessions at the end of an instance (term.c, session_life.c): the session is entered or taken --- */

void session_close_cursors(struct session *session);
/* Frees a session whose cursors are closed and whose transaction is at level 0, and its handle. */
void session_free(struct session *session);

#endif
