/* A database's header as programs see it (engine source: `db.cxx`). */
#ifndef OPENESENT_RECOVERY_HEADER_REPORT_H
#define OPENESENT_RECOVERY_HEADER_REPORT_H

#include "include/esent.h"
#include "src/page/database_header.h"

/* The newest structure; the older ones are its beginnings. */
void database_header_report(const struct database_header *header, JET_DBINFOMISC7 *info);

#endif
