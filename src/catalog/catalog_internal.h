/* Shared by the files of the catalog only. */
#ifndef OPENESENT_CATALOG_CATALOG_INTERNAL_H
#define OPENESENT_CATALOG_CATALOG_INTERNAL_H

#include "src/catalog/catalog.h"
#include "src/os/lock.h"

#define DENSITY_OBJIDS 100u /* how full MSysObjids' pages are filled, percent */

/* The schema cache of one database. */
struct catalog {
    struct os_mutex lock; /* OS_RANK_SCHEMA: list, counts, states of definitions */
    struct table_definition *tables;
    struct table_definition *schema; /* immutable */
    page_number objids_root;         /* of MSysObjids; 0 = not looked up yet */
};

/* Loads a definition from the catalog's rows (load.c). */
JET_ERR catalog_load(struct transaction *transaction, struct database *database, object_id id,
                     struct table_definition **out);

#endif
