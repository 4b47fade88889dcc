/* The catalog: MSysObjects and its shadow, MSysObjids, MSysLocales; loading of table definitions from them and changes of
 * them (engine source: `cat.cxx`).
 *
 * All changes are ordinary versioned, logged changes of the catalog's trees within the caller's transaction; a definition
 * in memory follows by version-store callbacks. Visibility of somebody else's uncommitted DDL follows from the catalog's
 * records, read under the caller's snapshot.
 *
 * Thread-safety: every function may be called from any thread; a transaction is used by one thread at a time. */
#ifndef OPENESENT_CATALOG_CATALOG_H
#define OPENESENT_CATALOG_CATALOG_H

#include "src/catalog/definition.h"
#include "src/catalog/record.h"

struct transaction;
struct database;

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

/* Creates the catalog of a new database, whose system space tree (pages 1-3) exists: MSysObjects, its shadow and indexes,
 * MSysObjids, MSysLocales. `transaction` must not be in a transaction; the function uses its own. For CreateDatabase.
 * Errors: those of the trees (space, log, memory); the database is then to be thrown away. */
JET_ERR catalog_create(struct transaction *transaction, struct database *database);

/* Forgets all definitions of a database (detach, close of the instance). No cursor may be open. */
void catalog_unload(struct database *database);

#endif
