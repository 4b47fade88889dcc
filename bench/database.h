/* What the benches share: one instance with one database, filled and backed up through the public calls
 * alone. */
#ifndef OPENESENT_BENCH_DATABASE_H
#define OPENESENT_BENCH_DATABASE_H

#include <stddef.h>
#include <stdint.h>

#include "include/esent.h"

struct bench_database {
    JET_INSTANCE instance;
    JET_SESID session;
    JET_DBID database;
    JET_TABLEID table;
    JET_COLUMNID id;
    JET_COLUMNID data;
};

/* Ends the program with a message if a call failed. */
void bench_need(JET_ERR err, const char *call);

/* Processor seconds of this process; seconds of the wall. */
double bench_processor_seconds(void);
double bench_wall_seconds(void);

/* Creates an instance in `folder`, a database "a.edb" there, a table with columns id and data. */
void bench_create(struct bench_database *database, const char *folder);

/* Inserts rows in one transaction each `batch` rows. */
void bench_insert(struct bench_database *database, unsigned first, unsigned count, size_t size,
                  unsigned batch);

/* Streams a file of the backup in progress: calls `write` with each chunk (NULL: nobody wants it). Returns
 * its bytes. */
uint64_t bench_stream(struct bench_database *database, const char *path, size_t chunk,
                      void (*write)(void *context, const void *bytes, size_t size), void *context);

/* A full backup, begin to end with truncation; every byte is read. Returns the bytes. */
uint64_t bench_backup(struct bench_database *database, const char *folder, size_t chunk);

void bench_term(struct bench_database *database);

#endif
