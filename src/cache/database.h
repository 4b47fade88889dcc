/* A database of an instance, as the layers from the page cache up know it: its file, header, clock, sizes,
 * modes.
 *
 * Made when a database is created, attached or met in recovery, freed at detach or term; while it exists, its
 * address is its identity. Fields marked (atomic) may be read and changed by any thread; (header lock) ones
 * under header_lock; the others are set before the database is published and do not change while it is in
 * use. */
#ifndef OPENESENT_CACHE_DATABASE_H
#define OPENESENT_CACHE_DATABASE_H

#include <stdatomic.h>

#include "src/os/base.h"
#include "src/os/error.h"
#include "src/os/file.h"
#include "src/os/lock.h"
#include "src/page/database_header.h"

struct cache;
struct log;
struct catalog;

#define DATABASE_ID_TEMPORARY 0u /* in the log and in JET_DBIDs: the temporary database */
#define DATABASE_ID_MAX 6u       /* the greatest beside it (engine: dbidMax is the first that is none) */

/* What the database is used for now; the order is that of its life. */
enum database_use {
    DATABASE_UNUSED,
    DATABASE_CREATING,
    DATABASE_ATTACHING,
    DATABASE_ATTACHED,
    DATABASE_DETACHING,
    DATABASE_REDOING, /* recovery replays into it */
};

/* Part in a streaming backup or snapshot; owned by the backup layer, reset by it. */
struct database_backup {
    bool in_backup;          /* opened in this backup, or part of the frozen snapshot */
    bool copied;             /* its stream was read to the end */
    page_number copied_last; /* reads of this backup have passed [1, copied_last] */
    page_number stream_last; /* last page of the stream, as announced at open; 0 if not open */
};

/* What the page cache keeps for each of its databases, guarded by the cache's write lock. */
struct database_cache_state {
    struct database *next; /* list of all databases of the cache */
    uint32_t users;        /* background writers that use the file just now */
    uint32_t writes;       /* page writes in progress */
    bool range_locked;     /* pages [range_first, range_last] may not be written */
    page_number range_first;
    page_number range_last;
    bool syncing;
    bool unsynced; /* something was written since the last sync began */
    struct log_position
        unsynced_oldest; /* oldest modification among pages written and not known to be durable */
};

struct database {
    struct cache *cache;
    struct log *log; /* null if never logged (temporary database, recovery off) */
    void *instance;  /* struct instance, for the layers above */
    uint32_t id;     /* DATABASE_ID_TEMPORARY, or 1 up: JET_DBID and log id */
    char *path;      /* full path as the file layer wants it; owned */
    uint32_t page_size;
    bool read_only;
    bool temporary;
    bool logged;           /* changes go to the log */
    bool versioned;        /* changes are versioned */
    uint32_t attach_grbit; /* as given to JetAttachDatabase2 or JetCreateDatabase2 */
    uint32_t pages_max;    /* limit of the file's size in pages; 0: none */

    struct os_file *file;       /* null until created or opened */
    _Atomic uint32_t use;       /* enum database_use */
    _Atomic uint64_t dbtime;    /* (atomic) the last one given out */
    _Atomic uint32_t page_last; /* (atomic) last page the file has room for, without the two header pages */
    _Atomic uint32_t
        lost_from; /* (atomic) pages from here on were cut off the file: they read as zero; 0: none */
    _Atomic uint32_t object_id_last; /* (atomic) the last one given out */
    _Atomic uint32_t open_count;     /* (atomic) JetOpenDatabase references; the instance layer counts */

    struct os_mutex header_lock;   /* held over a header's change and write; never while a page is latched */
    struct database_header header; /* (header lock) as last written or to be written */
    struct os_mutex size_lock;     /* held over growing the file */
    struct database_cache_state in_cache;

    struct database_backup backup; /* (backup layer's lock) */

    struct catalog *catalog; /* schema cache, owned by the catalog layer */
    void *trees;             /* tree table, owned by the B+-tree layer */
    void *recovery;          /* owned by the recovery layer while redoing */
};

/* Allocates a database object without a file: path copied, use DATABASE_UNUSED, logged if `log` is not null.
 * JET_errOutOfMemory. Free with database_free. */
JET_ERR database_allocate(struct cache *cache, struct log *log, uint32_t id, const char *path,
                          struct database **database);

/* Frees it. The file is closed if open, without writing anything; its pages must have been purged. Null is
 * allowed. */
void database_free(struct database *database);

/* Creates the file (error JET_errDatabaseDuplicate if it exists and `overwrite` is off), with `pages` zero
 * pages, and writes the header given. On failure the file is removed again. */
JET_ERR database_create_file(struct database *database, const struct database_header *header,
                             page_number pages, bool overwrite);

/* Opens the file and reads the header into database->header; sets page_size, page_last, dbtime,
 * object_id_last. JET_errFileNotFound, JET_errFileAccessDenied, and those of database_header_read. */
JET_ERR database_open_file(struct database *database, bool read_only);

/* Closes the file without writing. */
void database_close_file(struct database *database);

/* Writes database->header (dbtime and object_id_last brought up to date) to both places. Takes header_lock.
 */
JET_ERR database_write_header(struct database *database);

/* Same, by a caller that holds header_lock. */
JET_ERR database_write_header_locked(struct database *database);

/* Grows the file so that pages 1..last exist, new ones zero. Never shrinks. JET_errDiskFull,
 * JET_errOutOfDatabaseSpace beyond pages_max or the format's limit. Callers serialise by the space trees'
 * latches. */
JET_ERR database_extend(struct database *database, page_number last);

/* The next tick of the database's clock. */
static inline dbtime database_next_dbtime(struct database *database)
{
    return atomic_fetch_add(&database->dbtime, 1) + 1;
}

/* Raises the clock to at least `time` (redo). */
void database_raise_dbtime(struct database *database, dbtime time);

static inline object_id database_next_object_id(struct database *database)
{
    return atomic_fetch_add(&database->object_id_last, 1) + 1;
}

/* Raises the last object id to at least `id` (redo). */
void database_raise_object_id(struct database *database, object_id id);

#endif
