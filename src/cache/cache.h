/* The page cache of an instance: every access to a page goes through a latch taken here.
 *
 * Latches: shared (many), intent (one, together with shared ones; may be upgraded without giving way to
 * anybody), exclusive (alone). A latch pins the page in memory. Order: latch trees from the root down and
 * siblings from left to right; hold a page while latching the next ("coupling"). Waiting for a latch never
 * waits for I/O of another page.
 *
 * Changing a page: latch exclusively; database_next_dbtime; append the log record; change the bytes; then
 * cache_set_dirty with the positions and the dbtime. Nothing in between may fail after the record was
 * appended.
 *
 * Write-ahead: a page goes to disk only after the log is on disk up to the page's last modification, and
 * after the undo-information hook has run if the page was marked for it. Pages of databases without log skip
 * both.
 *
 * Memory: at most `pages_max` pages are kept; only when all are latched it grows beyond, and shrinks again
 * later. All functions are thread-safe. A cache's databases may have different page sizes. */
#ifndef OPENESENT_CACHE_CACHE_H
#define OPENESENT_CACHE_CACHE_H

#include "src/cache/database.h"
#include "src/page/page.h"

struct cache;
struct cache_buffer;

/* No latch now, and waiting was not asked for. Internal: never leaves the engine. */
#define CACHE_ERR_CONFLICT ((JET_ERR)-213)

enum latch_mode { LATCH_NONE, LATCH_SHARED, LATCH_INTENT, LATCH_EXCLUSIVE };

enum latch_flag {
    LATCH_NO_WAIT =
        1, /* CACHE_ERR_CONFLICT instead of waiting for another latch (reading from disk still waits) */
    LATCH_ZERO_OK =
        2, /* a page of zeroes, or beyond the file's end, is no error: page_is_zero tells (redo) */
    LATCH_CACHED_ONLY = 4, /* CACHE_ERR_CONFLICT if the page is not in memory */
};

/* A held latch. Copying the struct moves the latch; only one copy may be unlatched. */
struct latch {
    struct page page; /* the bytes; page.data is null if not held */
    struct database *database;
    struct cache_buffer *buffer;
    enum latch_mode mode;
};

#define LATCH_INIT                                                                                           \
    {                                                                                                        \
        {NULL, 0, 0}, NULL, NULL, LATCH_NONE                                                                 \
    }

static inline bool latch_is_held(const struct latch *latch)
{
    return latch->mode != LATCH_NONE;
}

struct cache_config {
    uint32_t pages_max; /* budget in pages, at least 4 */
};

JET_ERR cache_create(const struct cache_config *config, struct cache **cache);

/* Frees the cache. All databases must have been purged. Null is allowed. */
void cache_destroy(struct cache *cache);

/* Changes the budget; takes effect as pages are released. */
void cache_set_size(struct cache *cache, uint32_t pages_max);

/* Latches a page, reading it from the file if need be. Errors: CACHE_ERR_CONFLICT; JET_errPageNotInitialized
 * (zero page); JET_errReadVerifyFailure (checksum); JET_errDatabaseCorrupted (page_check);
 * JET_errReadPgnoVerifyFailure; JET_errFileIOBeyondEOF; JET_errDiskIO; JET_errOutOfMemory. A single flipped
 * bit is put right silently (and the page marked dirty unless the database is read-only). On error *latch is
 * not held. */
JET_ERR cache_latch(struct database *database, page_number number, enum latch_mode mode, uint32_t flags,
                    struct latch *latch);

/* Latches a page exclusively without reading it: its old content does not matter and is zeroed. Format it
 * next. */
JET_ERR cache_latch_new(struct database *database, page_number number, struct latch *latch);

/* Shared or intent to exclusive, if possible at once: false leaves the latch as it is (release and start
 * over). */
bool cache_try_upgrade(struct latch *latch);

/* Intent to exclusive; waits for the readers to leave. */
void cache_upgrade(struct latch *latch);

/* Exclusive to intent or shared, or intent to shared. */
void cache_downgrade(struct latch *latch, enum latch_mode mode);

/* Releases a latch that is held. */
void cache_unlatch_held(struct latch *latch);

/* Releases the latch, if held. */
static inline void cache_unlatch(struct latch *latch)
{
    if (latch_is_held(latch))
        cache_unlatch_held(latch);
}

/* The bytes of an exclusively latched page have changed: stamps `modified` into the page (DBTIME_NULL: leaves
 * it), marks it dirty. `oldest`: where redo must start to repeat this change (the transaction's begin, or the
 * record itself); `last`: position of the change's record, which must be on disk before the page is. Both
 * null for unlogged changes. */
void cache_set_dirty(struct latch *latch, dbtime modified, struct log_position oldest,
                     struct log_position last);

/* Writes all dirty pages of a database and syncs its file. Goes on after an error; returns the first. */
JET_ERR cache_flush_database(struct database *database);

/* Writes the pages whose oldest modification lies before `limit`, of all databases, and syncs the files:
 * afterwards the checkpoint may move to `limit`, unless pages were latched or failed (then the next call
 * tries again). */
JET_ERR cache_flush_before(struct cache *cache, struct log_position limit);

/* Writes one page if it is in memory and dirty. No sync. */
JET_ERR cache_flush_page(struct database *database, page_number number);

/* The oldest modification that is not known to be on disk: of one database, or of all (null).
 * LOG_POSITION_MAX if none. Redo that starts there finds everything. */
struct log_position cache_oldest_modification(struct cache *cache, const struct database *database);

/* Forgets all pages of a database, dirty or not. None may be latched. */
void cache_purge_database(struct database *database);

/* Forgets the pages from `first` on (after a shrink). None may be latched. */
void cache_purge_from(struct database *database, page_number first);

/* Keeps the pages [first, last] from being written until cache_unlock_range; waits for writes of them in
 * progress. At most one range a database at a time. Reading through latches goes on. */
void cache_lock_range(struct database *database, page_number first, page_number last);
void cache_unlock_range(struct database *database);

/* Reads pages [first, first + count) straight from the file into `buffer` as backups see them, verified; the
 * caller holds the range lock. JET_errReadVerifyFailure etc.; zero pages are fine. */
JET_ERR cache_read_raw(struct database *database, page_number first, uint32_t count, void *buffer);

/* Counters for tests and JetGetThreadStats. */
struct cache_statistics {
    uint64_t latches;
    uint64_t reads;
    uint64_t writes;
    uint32_t pages; /* in memory now */
    uint32_t dirty;
};
void cache_get_statistics(struct cache *cache, struct cache_statistics *statistics);

#endif
