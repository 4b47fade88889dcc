/* Compaction: copies the tables of one database into another, new one, tree by tree and densely (engine
 * source: `comp.cxx`).
 *
 * Records, index entries and long values are copied as they are: column and object ids stay the same, only
 * pages are new. What is deleted, and free pages, are left behind. */
#ifndef OPENESENT_INSTANCE_COMPACT_H
#define OPENESENT_INSTANCE_COMPACT_H

#include "src/instance/instance.h"

/* How far it is: `done` of `total` pages. An error that it answers ends the copy. */
typedef JET_ERR compact_progress(void *context, uint32_t done, uint32_t total);

/* Copies everything from `from` (which nobody changes meanwhile) to `to`, a new database that is not logged.
 * The session is at level 0 before and after. On an error `to` is to be thrown away.
 */
JET_ERR compact_database(struct session *session, struct database *from, struct database *to,
                         compact_progress *progress, void *context);

#endif
