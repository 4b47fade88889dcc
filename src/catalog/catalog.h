/* The catalog: MSysObjects and its shadow, MSysObjids, MSysLocales; loading of table definitions from them
 * and changes of them (engine source: `cat.cxx`).
 *
 * All changes are ordinary versioned, logged changes of the catalog's trees within the caller's transaction;
 * a definition in memory follows by version-store callbacks. Visibility of somebody else's uncommitted DDL
 * follows from the catalog's records, read under the caller's snapshot.
 *
 * Thread-safety: every function may be called from any thread; a transaction is used by one thread at a time.
 */
#ifndef OPENESENT_CATALOG_CATALOG_H
#define OPENESENT_CATALOG_CATALOG_H

#include "src/catalog/definition.h"
#include "src/catalog/record.h"

struct transaction;
struct database;
struct catalog;

/* Types of catalog records. */
enum catalog_type {
    CATALOG_TABLE = 1,
    CATALOG_COLUMN = 2,
    CATALOG_INDEX = 3,
    CATALOG_LONG_VALUE = 4,
    CATALOG_CALLBACK = 5,
};

/* Fixed places of the catalog in every database. */
#define CATALOG_ROOT 4u
#define CATALOG_NAME_INDEX_ROOT 7u
#define CATALOG_ROOT_OBJECTS_INDEX_ROOT 10u
#define CATALOG_SHADOW_ROOT 24u
#define CATALOG_ID 2u
#define CATALOG_SHADOW_ID 3u
#define CATALOG_NAME_INDEX_ID 4u
#define CATALOG_ROOT_OBJECTS_INDEX_ID 5u
#define CATALOG_OBJIDS_NAME "MSysObjids"
#define CATALOG_LOCALES_NAME "MSysLocales"

/* --- the cache of definitions --- */

/* The schema cache of a database, made at the first call. JET_errOutOfMemory. */
JET_ERR catalog_get(struct database *database, struct catalog **out);
/* Forgets all definitions of a database (detach, close of the instance). No cursor may be open. */
void catalog_unload(struct database *database);
/* The lock over the cache and all definitions' mutable fields. Nothing that waits for I/O is called with it.
 */
void catalog_lock(struct catalog *catalog);
void catalog_unlock(struct catalog *catalog);
/* Puts a new definition into the cache; the cache owns it. */
void catalog_link(struct catalog *catalog, struct table_definition *table);
/* Takes a definition out; it is freed when who holds it lets go. Under the lock. */
void catalog_unlink(struct catalog *catalog, struct table_definition *table);
/* Pending schema changes keep a definition in memory. Release may free it. */
void catalog_hold(struct table_definition *table);
void catalog_release(struct table_definition *table);
struct table_definition *catalog_find(struct catalog *catalog, object_id id); /* under the lock */
/* The definition of MSysObjects as a table (shared, immutable). */
const struct table_definition *catalog_schema(struct catalog *catalog);

/* --- reading --- */

/* Finds a table by name as the transaction sees it: its object id and root. JET_errObjectNotFound. */
JET_ERR catalog_seek_table(struct transaction *transaction, struct database *database, const char *name,
                           object_id *id, page_number *root);
/* The definition of a table, from the cache or loaded; open_count is raised by one: give back with
 * `catalog_close_table`. JET_errObjectNotFound if the transaction sees no such table. */
JET_ERR catalog_open_table(struct transaction *transaction, struct database *database, const char *name,
                           struct table_definition **out);
void catalog_close_table(struct table_definition *table);
/* Whether the transaction sees a column or index that is not simply committed. */
JET_ERR catalog_sees_column(struct transaction *transaction, const struct table_definition *table,
                            const struct column_definition *column, bool *sees);
JET_ERR catalog_sees_index(struct transaction *transaction, const struct table_definition *table,
                           const struct index_definition *index, bool *sees);

/* Calls visit for each table the transaction sees, in the order of names. */
typedef JET_ERR catalog_visit_table(void *context, const char *name, object_id id, uint32_t flags);
JET_ERR catalog_visit_tables(struct transaction *transaction, struct database *database,
                             catalog_visit_table *visit, void *context);

/* --- building definitions --- */

/* Copies the template's columns into a derived table's definition, and completes its derived indexes. */
JET_ERR catalog_inherit(struct table_definition *table, const struct table_definition *template_table);
/* Lowers a primary index's key limit to what keys of its columns can have, which leaves more room to records.
 */
void catalog_reduce_key_max(const struct table_definition *table, struct index_definition *index);

/* --- creating --- */

/* Creates the catalog of a new database, whose system space tree (pages 1-3) exists: MSysObjects, its shadow
 * and indexes, MSysObjids, MSysLocales. `transaction` must not be in a transaction; the function uses its
 * own. For CreateDatabase. `newest`: MSysLocales has the newest format's columns, too. Errors: those of the
 * trees (space, log, memory); the database is then to be thrown away. */
JET_ERR catalog_create(struct transaction *transaction, struct database *database, bool newest);

#endif
