/* Write-back: single pages, whole databases, up to a checkpoint; range locks and syncs. */
#include "src/cache/cache_internal.h"
#include "src/log/log.h"
#include "src/os/memory.h"
#include "src/page/checksum.h"

static bool in_locked_range(const struct database_cache_state *state, page_number number)
{
    return state->range_locked && number >= state->range_first && number <= state->range_last;
}

/* Announces a write of one page, after waiting for a range lock to go. */
static JET_ERR write_begin(struct database *database, page_number number, enum write_mode mode)
{
    struct cache *cache = database->cache;
    struct database_cache_state *state = &database->in_cache;
    JET_ERR err = JET_errSuccess;
    os_mutex_lock(&cache->write_lock);
    while (in_locked_range(state, number) && err == JET_errSuccess) {
        if (mode == WRITE_NO_WAIT)
            err = CACHE_ERR_CONFLICT;
        else
            os_condition_wait(&cache->write_done, &cache->write_lock, OS_WAIT_FOREVER);
    }
    if (err == JET_errSuccess)
        state->writes++;
    os_mutex_unlock(&cache->write_lock);
    return err;
}

/* Ends it. A page that was written is not durable before the next sync: its oldest modification is
 * remembered. */
static void write_end(struct database *database, struct log_position oldest)
{
    struct cache *cache = database->cache;
    struct database_cache_state *state = &database->in_cache;
    os_mutex_lock(&cache->write_lock);
    state->writes--;
    state->unsynced = true;
    state->unsynced_oldest = cache_older(state->unsynced_oldest, oldest);
    os_condition_wake_all(&cache->write_done);
    os_mutex_unlock(&cache->write_lock);
}

void cache_lock_range(struct database *database, page_number first, page_number last)
{
    struct cache *cache = database->cache;
    struct database_cache_state *state = &database->in_cache;
    os_mutex_lock(&cache->write_lock);
    while (state->range_locked)
        os_condition_wait(&cache->write_done, &cache->write_lock, OS_WAIT_FOREVER);
    state->range_locked = true;
    state->range_first = first;
    state->range_last = last;
    while (state->writes > 0)
        os_condition_wait(&cache->write_done, &cache->write_lock, OS_WAIT_FOREVER);
    os_mutex_unlock(&cache->write_lock);
}

void cache_unlock_range(struct database *database)
{
    struct cache *cache = database->cache;
    os_mutex_lock(&cache->write_lock);
    ASSERT(database->in_cache.range_locked);
    database->in_cache.range_locked = false;
    os_condition_wake_all(&cache->write_done);
    os_mutex_unlock(&cache->write_lock);
}

/* Everything that must be in the log before the page may go to disk. */
static JET_ERR flush_log_first(struct cache_buffer *buffer)
{
    struct database *database = buffer->database;
    if (!database->logged)
        return JET_errSuccess;
    /* Without a log, pages in memory may hold what no record tells of: the disk keeps what recovery can work
     * with. */
    if (log_state(database->log) != JET_errSuccess)
        return JET_errLogWriteFail;
    return log_position_is_null(buffer->last) ? JET_errSuccess : log_flush(database->log, buffer->last);
}

/* The flush type goes round 1, 2, 3 so that a lost write shows. */
static void stamp_page(struct page *page)
{
    struct page_header *header = page_header(page);
    const uint32_t type = (header->flags & PAGE_FLUSH_TYPE_MASK) >> PAGE_FLUSH_TYPE_SHIFT;
    header->flags = (header->flags & ~(uint32_t)PAGE_FLUSH_TYPE_MASK) | (type % 3 + 1)
                                                                            << PAGE_FLUSH_TYPE_SHIFT;
    checksum_page_set(page);
}

JET_ERR cache_write_buffer(struct cache_buffer *buffer, enum write_mode mode)
{
    struct database *database = buffer->database;
    struct page *page = &buffer->page;
    struct partition *partition = cache_partition(database->cache, database, page->number);
    JET_ERR err = JET_errSuccess;
    ASSERT(buffer->exclusive && buffer->dirty);
    TRY(flush_log_first(buffer));
    TRY(write_begin(database, page->number, mode));
    if (!page_is_zero(page))
        stamp_page(page);
    err = database->file == NULL ? JET_errDiskIO
                                 : os_file_write(database->file, page_file_offset(page->number, page->size),
                                                 page->data, page->size);
    (void)os_atomic_add(&database->cache->writes, 1);
    /* Even a failed write may have changed the file. */
    write_end(database, buffer->oldest);
    TRY(err);
    os_mutex_lock(&partition->lock);
    cache_unlink_dirty(partition, buffer);
    buffer->failed = false;
    buffer->oldest = LOG_POSITION_MIN;
    buffer->last = LOG_POSITION_MIN;
    os_mutex_unlock(&partition->lock);
done:
    return err;
}

/* Makes what was written so far durable. */
static JET_ERR sync_file(struct database *database)
{
    struct cache *cache = database->cache;
    struct database_cache_state *state = &database->in_cache;
    JET_ERR err = JET_errSuccess;
    os_mutex_lock(&cache->write_lock);
    while (state->syncing)
        os_condition_wait(&cache->write_done, &cache->write_lock, OS_WAIT_FOREVER);
    if (!state->unsynced || database->file == NULL) {
        os_mutex_unlock(&cache->write_lock);
        return JET_errSuccess;
    }
    /* Writes that end while the sync runs count for the next one; until it has ended, nothing is durable. */
    state->syncing = true;
    state->unsynced = false;
    os_mutex_unlock(&cache->write_lock);
    err = os_file_sync(database->file);
    os_mutex_lock(&cache->write_lock);
    state->syncing = false;
    if (err < JET_errSuccess)
        state->unsynced = true;
    else if (!state->unsynced)
        state->unsynced_oldest = LOG_POSITION_MIN;
    os_condition_wake_all(&cache->write_done);
    os_mutex_unlock(&cache->write_lock);
    return err;
}

/* --- flushing many --- */

/* Which dirty pages a flush is about. */
struct flush {
    struct database *database; /* null: all */
    struct log_position limit; /* pages with oldest modification before it */
    uint32_t pass;
    JET_ERR err; /* first error */
};

static bool is_wanted(const struct flush *flush, const struct cache_buffer *buffer)
{
    if (flush->database != NULL)
        return buffer->database == flush->database;
    return !log_position_is_null(buffer->oldest) && log_position_compare(buffer->oldest, flush->limit) < 0;
}

/* The next dirty page of a partition that this flush has not seen, latched exclusively; null if there is
 * none. */
static struct cache_buffer *next_dirty(struct partition *partition, const struct flush *flush)
{
    struct cache_buffer *buffer;
    os_mutex_lock(&partition->lock);
again:
    for (buffer = partition->dirty; buffer != NULL; buffer = buffer->dirty_next) {
        if (buffer->pass == flush->pass || !is_wanted(flush, buffer))
            continue;
        if (buffer->exclusive || buffer->intent || buffer->shared > 0) {
            cache_wait(partition);
            goto again;
        }
        buffer->pass = flush->pass;
        buffer->exclusive = true;
        break;
    }
    os_mutex_unlock(&partition->lock);
    return buffer;
}

static void flush_partition(struct partition *partition, struct flush *flush)
{
    struct cache_buffer *buffer;
    while ((buffer = next_dirty(partition, flush)) != NULL) {
        const JET_ERR err = cache_write_buffer(buffer, WRITE_WAIT);
        if (err < JET_errSuccess && flush->err == JET_errSuccess)
            flush->err = err;
        os_mutex_lock(&partition->lock);
        buffer->exclusive = false;
        cache_wake(partition);
        os_mutex_unlock(&partition->lock);
    }
}

JET_ERR cache_flush_database(struct database *database)
{
    struct cache *cache = database->cache;
    struct flush flush = {.database = database, .pass = os_atomic_add(&cache->pass, 1)};
    for (uint32_t i = 0; i < PARTITIONS; i++)
        flush_partition(&cache->partitions[i], &flush);
    const JET_ERR err = sync_file(database);
    return flush.err < JET_errSuccess ? flush.err : err;
}

/* Syncs every database of the cache that needs it. Detaching waits for us (database_close_file). */
static JET_ERR sync_all(struct cache *cache)
{
    JET_ERR first = JET_errSuccess;
    os_mutex_lock(&cache->write_lock);
    for (struct database *database = cache->databases; database != NULL; database = database->in_cache.next) {
        if (!database->in_cache.unsynced || database->file == NULL)
            continue;
        database->in_cache.users++;
        os_mutex_unlock(&cache->write_lock);
        const JET_ERR err = sync_file(database);
        os_mutex_lock(&cache->write_lock);
        database->in_cache.users--;
        os_condition_wake_all(&cache->write_done);
        if (err < JET_errSuccess && first == JET_errSuccess)
            first = err;
    }
    os_mutex_unlock(&cache->write_lock);
    return first;
}

JET_ERR cache_flush_before(struct cache *cache, struct log_position limit)
{
    struct flush flush = {.limit = limit, .pass = os_atomic_add(&cache->pass, 1)};
    for (uint32_t i = 0; i < PARTITIONS; i++)
        flush_partition(&cache->partitions[i], &flush);
    const JET_ERR err = sync_all(cache);
    return flush.err < JET_errSuccess ? flush.err : err;
}

JET_ERR cache_flush_page(struct database *database, page_number number)
{
    struct latch latch;
    JET_ERR err = cache_latch(database, number, LATCH_EXCLUSIVE, LATCH_CACHED_ONLY | LATCH_ZERO_OK, &latch);
    if (err == CACHE_ERR_CONFLICT)
        return JET_errSuccess;
    if (err >= JET_errSuccess && latch.buffer->dirty)
        err = cache_write_buffer(latch.buffer, WRITE_WAIT);
    cache_unlatch(&latch);
    return err;
}

/* What the holders of exclusive latches may have appended without having marked their page yet. Partition
 * locked. */
static struct log_position oldest_floor(const struct partition *partition, const struct database *database)
{
    struct log_position oldest = LOG_POSITION_MIN;
    for (uint32_t i = 0; i < partition->chain_count; i++)
        for (const struct cache_buffer *at = partition->chains[i]; at != NULL; at = at->chain_next)
            if (at->exclusive && (database == NULL || at->database == database))
                oldest = cache_older(oldest, at->floor);
    return oldest;
}

struct log_position cache_oldest_modification(struct cache *cache, const struct database *database)
{
    struct log_position oldest = LOG_POSITION_MIN;
    for (uint32_t i = 0; i < PARTITIONS; i++) {
        struct partition *partition = &cache->partitions[i];
        os_mutex_lock(&partition->lock);
        for (const struct cache_buffer *at = partition->dirty; at != NULL; at = at->dirty_next)
            if (database == NULL || at->database == database)
                oldest = cache_older(oldest, at->oldest);
        oldest = cache_older(oldest, oldest_floor(partition, database));
        os_mutex_unlock(&partition->lock);
    }
    /* Afterwards, since a page that is written meanwhile moves from there to here. */
    os_mutex_lock(&cache->write_lock);
    for (const struct database *at = cache->databases; at != NULL; at = at->in_cache.next)
        if (database == NULL || at == database)
            oldest = cache_older(oldest, at->in_cache.unsynced_oldest);
    os_mutex_unlock(&cache->write_lock);
    return log_position_is_null(oldest) ? LOG_POSITION_MAX : oldest;
}

/* --- reading as backups do --- */

static JET_ERR verify_raw(const struct database *database, page_number number, uint8_t *bytes)
{
    struct page page = {bytes, database->page_size, number};
    if (page_is_zero(&page))
        return JET_errSuccess;
    if (checksum_page_verify(&page, true) == CHECKSUM_BAD)
        return JET_errReadVerifyFailure;
    if (page_size_is_large(page.size) &&
        ((const struct large_page_header *)(const void *)bytes)->number != number)
        return JET_errReadPgnoVerifyFailure;
    return JET_errSuccess;
}

JET_ERR cache_read_raw(struct database *database, page_number first, uint32_t count, void *buffer)
{
    JET_ERR err = JET_errSuccess;
    uint8_t *bytes = buffer;
    if (database->file == NULL)
        FAIL(JET_errFileIOBeyondEOF);
    /* Held by the caller, so that nobody changes it meanwhile. */
    ASSERT(database->in_cache.range_locked && database->in_cache.range_first <= first &&
           first + count - 1 <= database->in_cache.range_last);
    TRY(os_file_read(database->file, page_file_offset(first, database->page_size), bytes,
                     (size_t)count * database->page_size));
    for (uint32_t i = 0; i < count; i++)
        TRY(verify_raw(database, first + i, bytes + (size_t)i * database->page_size));
done:
    return err;
}
