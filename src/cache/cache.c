#include "src/cache/cache_internal.h"

#include "src/log/log.h"
#include "src/os/memory.h"
#include "src/os/thread.h"
#include "src/page/checksum.h"

/* --- page table --- */

static uint32_t hash_page(const struct database *database, page_number number)
{
    const uint32_t hash = (number + 0x10001u * database->id) * 0x9e3779b1u;
    return hash ^ hash >> 15;
}

struct partition *cache_partition(struct cache *cache, const struct database *database, page_number number)
{
    return &cache->partitions[hash_page(database, number) % PARTITIONS];
}

static struct cache_buffer **chain_of(struct partition *partition, const struct database *database,
                                      page_number number)
{
    return &partition->chains[hash_page(database, number) / PARTITIONS & (partition->chain_count - 1)];
}

struct cache_buffer *cache_find(struct partition *partition, const struct database *database,
                                page_number number)
{
    if (partition->chains == NULL)
        return NULL;
    struct cache_buffer *buffer = *chain_of(partition, database, number);
    while (buffer != NULL && !(buffer->database == database && buffer->page.number == number))
        buffer = buffer->chain_next;
    return buffer;
}

/* More chains for a partition that has filled up. A failure only makes it slower, except the very first time.
 */
static JET_ERR grow_chains(struct partition *partition)
{
    const uint32_t count = partition->chains == NULL ? CHAINS_FIRST : 2 * partition->chain_count;
    struct cache_buffer **old = partition->chains;
    const uint32_t old_count = partition->chain_count;
    struct cache_buffer **chains = os_allocate_array(count, sizeof(struct cache_buffer *));
    if (chains == NULL)
        return old == NULL ? JET_errOutOfMemory : JET_errSuccess;
    partition->chains = chains;
    partition->chain_count = count;
    for (uint32_t i = 0; i < old_count; i++) {
        while (old[i] != NULL) {
            struct cache_buffer *buffer = old[i];
            old[i] = buffer->chain_next;
            struct cache_buffer **chain = chain_of(partition, buffer->database, buffer->page.number);
            buffer->chain_next = *chain;
            *chain = buffer;
        }
    }
    os_free(old);
    return JET_errSuccess;
}

void cache_add(struct cache *cache, struct partition *partition, struct cache_buffer *buffer)
{
    struct cache_buffer **chain = chain_of(partition, buffer->database, buffer->page.number);
    buffer->chain_next = *chain;
    *chain = buffer;
    partition->buffer_count++;
    os_mutex_lock(&cache->ring_lock);
    if (cache->hand == NULL) {
        buffer->ring_next = buffer->ring_previous = buffer;
        cache->hand = buffer;
    } else {
        /* Just behind the hand: the last to be looked at. */
        buffer->ring_next = cache->hand;
        buffer->ring_previous = cache->hand->ring_previous;
        buffer->ring_previous->ring_next = buffer;
        cache->hand->ring_previous = buffer;
    }
    os_mutex_unlock(&cache->ring_lock);
}

static void ring_remove(struct cache *cache, struct cache_buffer *buffer)
{
    if (cache->hand == buffer)
        cache->hand = buffer->ring_next == buffer ? NULL : buffer->ring_next;
    buffer->ring_previous->ring_next = buffer->ring_next;
    buffer->ring_next->ring_previous = buffer->ring_previous;
}

static void chain_remove(struct partition *partition, struct cache_buffer *buffer)
{
    struct cache_buffer **link = chain_of(partition, buffer->database, buffer->page.number);
    while (*link != buffer)
        link = &(*link)->chain_next;
    *link = buffer->chain_next;
    partition->buffer_count--;
}

void cache_remove(struct cache *cache, struct partition *partition, struct cache_buffer *buffer)
{
    cache_unlink_dirty(partition, buffer);
    chain_remove(partition, buffer);
    os_mutex_lock(&cache->ring_lock);
    ring_remove(cache, buffer);
    os_mutex_unlock(&cache->ring_lock);
}

void cache_link_dirty(struct partition *partition, struct cache_buffer *buffer)
{
    if (buffer->dirty)
        return;
    buffer->dirty = true;
    buffer->dirty_previous = NULL;
    buffer->dirty_next = partition->dirty;
    if (partition->dirty != NULL)
        partition->dirty->dirty_previous = buffer;
    partition->dirty = buffer;
    partition->dirty_count++;
}

void cache_unlink_dirty(struct partition *partition, struct cache_buffer *buffer)
{
    if (!buffer->dirty)
        return;
    buffer->dirty = false;
    if (buffer->dirty_previous != NULL)
        buffer->dirty_previous->dirty_next = buffer->dirty_next;
    else
        partition->dirty = buffer->dirty_next;
    if (buffer->dirty_next != NULL)
        buffer->dirty_next->dirty_previous = buffer->dirty_previous;
    partition->dirty_count--;
}

void cache_wake(struct partition *partition)
{
    if (partition->waiters > 0)
        os_condition_wake_all(&partition->released);
}

void cache_wait(struct partition *partition)
{
    partition->waiters++;
    os_condition_wait(&partition->released, &partition->lock, OS_WAIT_FOREVER);
    partition->waiters--;
}

/* --- life --- */

JET_ERR cache_create(const struct cache_config *config, struct cache **result)
{
    struct cache *cache = os_allocate_zeroed(sizeof *cache);
    if (cache == NULL)
        return JET_errOutOfMemory;
    for (uint32_t i = 0; i < PARTITIONS; i++) {
        os_mutex_init(&cache->partitions[i].lock, OS_RANK_CACHE);
        os_condition_init(&cache->partitions[i].released);
    }
    os_mutex_init(&cache->ring_lock, OS_RANK_CACHE_LIST);
    os_mutex_init(&cache->write_lock, OS_RANK_CACHE_WRITE);
    os_condition_init(&cache->write_done);
    cache_set_size(cache, config->pages_max);
    *result = cache;
    return JET_errSuccess;
}

void cache_destroy(struct cache *cache)
{
    if (cache == NULL)
        return;
    ASSERT(cache->hand == NULL && cache->databases == NULL);
    for (uint32_t i = 0; i < PARTITIONS; i++) {
        os_free(cache->partitions[i].chains);
        os_condition_destroy(&cache->partitions[i].released);
        os_mutex_destroy(&cache->partitions[i].lock);
    }
    os_condition_destroy(&cache->write_done);
    os_mutex_destroy(&cache->write_lock);
    os_mutex_destroy(&cache->ring_lock);
    os_free(cache);
}

void cache_set_size(struct cache *cache, uint32_t pages_max)
{
    os_atomic_store(&cache->pages_max, pages_max < 4 ? 4 : pages_max);
}

void cache_get_statistics(struct cache *cache, struct cache_statistics *statistics)
{
    *statistics = (struct cache_statistics){.latches = os_atomic_load(&cache->latches),
                                            .reads = os_atomic_load(&cache->reads),
                                            .writes = os_atomic_load(&cache->writes)};
    for (uint32_t i = 0; i < PARTITIONS; i++) {
        struct partition *partition = &cache->partitions[i];
        os_mutex_lock(&partition->lock);
        statistics->pages += partition->buffer_count;
        statistics->dirty += partition->dirty_count;
        os_mutex_unlock(&partition->lock);
    }
}

/* --- latches --- */

static bool is_free_for(const struct cache_buffer *buffer, enum latch_mode mode)
{
    if (buffer->exclusive)
        return false;
    switch (mode) {
    case LATCH_SHARED:
        return true;
    case LATCH_INTENT:
        return !buffer->intent;
    default:
        return !buffer->intent && buffer->shared == 0;
    }
}

/* Between the append of a record and cache_set_dirty the page does not look dirty: until the latch is
 * released, the checkpoint does not pass the floor. */
static void grant_exclusive(struct cache_buffer *buffer)
{
    const struct database *database = buffer->database;
    buffer->exclusive = true;
    buffer->floor = database->logged ? log_end_hint(database->log) : LOG_POSITION_MIN;
}

static void grant(struct cache_buffer *buffer, enum latch_mode mode)
{
    if (mode == LATCH_SHARED)
        buffer->shared++;
    else if (mode == LATCH_INTENT)
        buffer->intent = true;
    else
        grant_exclusive(buffer);
}

static void revoke(struct cache_buffer *buffer, enum latch_mode mode)
{
    if (mode == LATCH_SHARED)
        buffer->shared--;
    else if (mode == LATCH_INTENT)
        buffer->intent = false;
    else
        buffer->exclusive = false;
}

static void fill_latch(struct latch *latch, struct cache_buffer *buffer, enum latch_mode mode)
{
    latch->page = buffer->page;
    latch->database = buffer->database;
    latch->buffer = buffer;
    latch->mode = mode;
}

/* Judges what was read. *fixed: a bit was put right in memory. */
static JET_ERR verify_page(struct page *page, uint32_t flags, bool *fixed)
{
    if (page_is_zero(page))
        return flags & LATCH_ZERO_OK ? JET_errSuccess : JET_errPageNotInitialized;
    const enum checksum_result result = checksum_page_verify(page, true);
    if (result == CHECKSUM_BAD)
        return JET_errReadVerifyFailure;
    *fixed = result == CHECKSUM_REPAIRABLE;
    if (page_size_is_large(page->size)) {
        const struct large_page_header *header = (const struct large_page_header *)(const void *)page->data;
        if (header->number != page->number)
            return JET_errReadPgnoVerifyFailure;
    }
    return page_check(page);
}

static JET_ERR read_page(struct cache_buffer *buffer, uint32_t flags, bool *fixed)
{
    struct database *database = buffer->database;
    struct page *page = &buffer->page;
    (void)os_atomic_add(&database->cache->reads, 1);
    os_thread_add_cost(&os_thread_costs.pages_read, 1);
    if (page->number == PAGE_NUMBER_NULL || database->file == NULL)
        return JET_errFileIOBeyondEOF;
    JET_ERR err =
        os_file_read(database->file, page_file_offset(page->number, page->size), page->data, page->size);
    if (err == JET_errFileIOBeyondEOF && flags & LATCH_ZERO_OK) {
        memset(page->data, 0, page->size);
        err = JET_errSuccess;
    }
    if (err < JET_errSuccess)
        return err;
    const page_number lost_from = os_atomic_load(&database->lost_from);
    err = verify_page(page, flags, fixed);
    return err == JET_errPageNotInitialized && lost_from != 0 && page->number >= lost_from
               ? JET_errReadLostFlushVerifyFailure
               : err;
}

/* Brings a page in that is not in the table. On return the partition is locked; *buffer is latched
 * exclusively, or null if another thread was faster (start over). */
static JET_ERR bring_in(struct partition *partition, struct database *database, page_number number,
                        uint32_t flags, bool read, struct cache_buffer **result)
{
    struct cache *cache = database->cache;
    struct cache_buffer *buffer;
    bool fixed = false;
    *result = NULL;
    os_mutex_unlock(&partition->lock);
    JET_ERR err = cache_obtain_buffer(database, number, &buffer);
    os_mutex_lock(&partition->lock);
    if (err < JET_errSuccess)
        return err;
    if (partition->chains == NULL || partition->buffer_count >= 2 * partition->chain_count)
        err = grow_chains(partition);
    if (err < JET_errSuccess || cache_find(partition, database, number) != NULL) {
        (void)os_atomic_subtract(&cache->buffer_count, 1);
        os_free(buffer);
        return err;
    }
    buffer->exclusive = true;
    cache_add(cache, partition, buffer);
    if (read) {
        os_mutex_unlock(&partition->lock);
        err = read_page(buffer, flags, &fixed);
        os_mutex_lock(&partition->lock);
    }
    if (err < JET_errSuccess) {
        buffer->exclusive = false;
        cache_remove(cache, partition, buffer);
        (void)os_atomic_subtract(&cache->buffer_count, 1);
        os_free(buffer);
        cache_wake(partition);
        return err;
    }
    if (fixed && !database->read_only)
        cache_link_dirty(partition, buffer);
    *result = buffer;
    return JET_errSuccess;
}

static JET_ERR latch_page(struct database *database, page_number number, enum latch_mode mode, uint32_t flags,
                          bool read, struct latch *latch)
{
    JET_ERR err = JET_errSuccess;
    struct partition *partition = cache_partition(database->cache, database, number);
    ASSERT(mode != LATCH_NONE);
    *latch = (struct latch)LATCH_INIT;
    (void)os_atomic_add(&database->cache->latches, 1);
    os_thread_add_cost(&os_thread_costs.pages_referenced, 1);
    os_mutex_lock(&partition->lock);
    struct cache_buffer *buffer;
    for (;;) {
        buffer = cache_find(partition, database, number);
        if (buffer == NULL) {
            if (flags & LATCH_CACHED_ONLY)
                FAIL(CACHE_ERR_CONFLICT);
            TRY(bring_in(partition, database, number, flags, read, &buffer));
            if (buffer == NULL)
                continue;
            buffer->exclusive = false;
            cache_wake(partition);
            break;
        }
        if (is_free_for(buffer, mode))
            break;
        if (flags & LATCH_NO_WAIT)
            FAIL(CACHE_ERR_CONFLICT);
        cache_wait(partition);
    }
    if (read && !(flags & LATCH_ZERO_OK) && !buffer->dirty && page_is_zero(&buffer->page))
        FAIL(JET_errPageNotInitialized);
    grant(buffer, mode);
    os_atomic_store(&buffer->referenced, true);
    fill_latch(latch, buffer, mode);
done:
    os_mutex_unlock(&partition->lock);
    return err;
}

JET_ERR cache_latch(struct database *database, page_number number, enum latch_mode mode, uint32_t flags,
                    struct latch *latch)
{
    return latch_page(database, number, mode, flags, true, latch);
}

JET_ERR cache_latch_new(struct database *database, page_number number, struct latch *latch)
{
    ASSERT(number != PAGE_NUMBER_NULL);
    const JET_ERR err = latch_page(database, number, LATCH_EXCLUSIVE, 0, false, latch);
    if (err >= JET_errSuccess)
        memset(latch->page.data, 0, latch->page.size);
    return err;
}

static struct partition *partition_of(const struct latch *latch)
{
    return cache_partition(latch->database->cache, latch->database, latch->page.number);
}

bool cache_try_upgrade(struct latch *latch)
{
    struct partition *partition = partition_of(latch);
    struct cache_buffer *buffer = latch->buffer;
    ASSERT(latch->mode == LATCH_SHARED || latch->mode == LATCH_INTENT);
    os_mutex_lock(&partition->lock);
    revoke(buffer, latch->mode);
    const bool done = is_free_for(buffer, LATCH_EXCLUSIVE);
    if (done)
        latch->mode = LATCH_EXCLUSIVE;
    grant(buffer, latch->mode);
    os_mutex_unlock(&partition->lock);
    return done;
}

void cache_upgrade(struct latch *latch)
{
    struct partition *partition = partition_of(latch);
    struct cache_buffer *buffer = latch->buffer;
    ASSERT(latch->mode == LATCH_INTENT);
    os_mutex_lock(&partition->lock);
    while (buffer->shared > 0)
        cache_wait(partition);
    buffer->intent = false;
    grant_exclusive(buffer);
    latch->mode = LATCH_EXCLUSIVE;
    os_mutex_unlock(&partition->lock);
}

void cache_downgrade(struct latch *latch, enum latch_mode mode)
{
    struct partition *partition = partition_of(latch);
    ASSERT(mode != LATCH_NONE && mode < latch->mode);
    os_mutex_lock(&partition->lock);
    revoke(latch->buffer, latch->mode);
    grant(latch->buffer, mode);
    latch->mode = mode;
    cache_wake(partition);
    os_mutex_unlock(&partition->lock);
}

void cache_unlatch_held(struct latch *latch)
{
    ASSERT(latch_is_held(latch));
    struct partition *partition = partition_of(latch);
    os_mutex_lock(&partition->lock);
    revoke(latch->buffer, latch->mode);
    cache_wake(partition);
    os_mutex_unlock(&partition->lock);
    *latch = (struct latch)LATCH_INIT;
}

struct log_position cache_older(struct log_position a, struct log_position b)
{
    if (log_position_is_null(a))
        return b;
    if (log_position_is_null(b))
        return a;
    return log_position_compare(a, b) < 0 ? a : b;
}

void cache_set_dirty(struct latch *latch, dbtime modified, struct log_position oldest,
                     struct log_position last)
{
    struct partition *partition = partition_of(latch);
    struct cache_buffer *buffer = latch->buffer;
    ASSERT(latch->mode == LATCH_EXCLUSIVE && !latch->database->read_only);
    if (modified != DBTIME_NULL)
        page_header(&latch->page)->modified = modified;
    page_header(&latch->page)->flags &= ~(uint32_t)PAGE_SCRUBBED;
    os_mutex_lock(&partition->lock);
    os_thread_add_cost(buffer->dirty ? &os_thread_costs.pages_redirtied : &os_thread_costs.pages_dirtied, 1);
    cache_link_dirty(partition, buffer);
    buffer->oldest = cache_older(buffer->oldest, oldest);
    if (log_position_compare(buffer->last, last) < 0)
        buffer->last = last;
    os_mutex_unlock(&partition->lock);
}

/* --- forgetting --- */

/* Forgets the pages of a partition from `first` on; waits for those a writer holds. */
static void purge_partition(struct partition *partition, struct database *database, page_number first)
{
    struct cache *cache = database->cache;
    os_mutex_lock(&partition->lock);
    for (uint32_t chain = 0; chain < partition->chain_count; chain++) {
        struct cache_buffer *buffer = partition->chains[chain];
        while (buffer != NULL) {
            if (buffer->database != database || buffer->page.number < first) {
                buffer = buffer->chain_next;
                continue;
            }
            if (!is_free_for(buffer, LATCH_EXCLUSIVE)) {
                cache_wait(partition);
                /* The table may be another one now. */
                chain = UINT32_MAX;
                break;
            }
            struct cache_buffer *next = buffer->chain_next;
            cache_remove(cache, partition, buffer);
            (void)os_atomic_subtract(&cache->buffer_count, 1);
            os_free(buffer);
            buffer = next;
        }
    }
    cache_wake(partition);
    os_mutex_unlock(&partition->lock);
}

void cache_purge_from(struct database *database, page_number first)
{
    if (database->cache == NULL)
        return;
    for (uint32_t i = 0; i < PARTITIONS; i++)
        purge_partition(&database->cache->partitions[i], database, first);
}

void cache_purge_database(struct database *database)
{
    cache_purge_from(database, PAGE_NUMBER_NULL);
}

/* --- replacement --- */

/* What the clock hand found. */
enum victim { VICTIM_NONE, VICTIM_CLEAN, VICTIM_DIRTY };

/* Moves the hand on to a buffer that nobody uses and nobody used lately. A clean one is taken out; a dirty
 * one is latched exclusively for writing. Partition locks are only tried, since they come first in the order.
 */
static enum victim find_victim(struct cache *cache, struct cache_buffer **victim)
{
    enum victim found = VICTIM_NONE;
    os_mutex_lock(&cache->ring_lock);
    const uint32_t steps = 2 * os_atomic_load(&cache->buffer_count) + 1;
    for (uint32_t step = 0; step < steps && cache->hand != NULL && found == VICTIM_NONE; step++) {
        struct cache_buffer *buffer = cache->hand;
        cache->hand = buffer->ring_next;
        if (os_atomic_exchange(&buffer->referenced, false))
            continue;
        struct partition *partition = cache_partition(cache, buffer->database, buffer->page.number);
        if (!os_mutex_try_lock(&partition->lock))
            continue;
        if (is_free_for(buffer, LATCH_EXCLUSIVE) && !(buffer->dirty && buffer->failed)) {
            *victim = buffer;
            if (buffer->dirty) {
                buffer->exclusive = true;
                found = VICTIM_DIRTY;
            } else {
                chain_remove(partition, buffer);
                ring_remove(cache, buffer);
                found = VICTIM_CLEAN;
            }
        }
        os_mutex_unlock(&partition->lock);
    }
    os_mutex_unlock(&cache->ring_lock);
    return found;
}

/* Writes a victim and lets it go; the hand will find it clean. */
static JET_ERR clean_victim(struct cache *cache, struct cache_buffer *buffer)
{
    struct partition *partition = cache_partition(cache, buffer->database, buffer->page.number);
    const JET_ERR err = cache_write_buffer(buffer, WRITE_NO_WAIT);
    os_mutex_lock(&partition->lock);
    buffer->exclusive = false;
    buffer->failed = err < JET_errSuccess;
    cache_wake(partition);
    os_mutex_unlock(&partition->lock);
    return err;
}

JET_ERR cache_obtain_buffer(struct database *database, page_number number, struct cache_buffer **result)
{
    struct cache *cache = database->cache;
    struct cache_buffer *buffer = NULL;
    uint32_t failures = 0;
    while (os_atomic_load(&cache->buffer_count) >= os_atomic_load(&cache->pages_max) && failures < 4) {
        const enum victim found = find_victim(cache, &buffer);
        if (found == VICTIM_NONE)
            break;
        if (found == VICTIM_CLEAN) {
            (void)os_atomic_subtract(&cache->buffer_count, 1);
            os_free(buffer);
        } else if (clean_victim(cache, buffer) < JET_errSuccess) {
            failures++;
        }
    }
    /* If all are in use or cannot be written, the cache grows beyond its budget. */
    buffer = os_allocate(sizeof *buffer + database->page_size);
    if (buffer == NULL)
        return JET_errOutOfMemory;
    memset(buffer, 0, sizeof *buffer);
    buffer->database = database;
    buffer->page = (struct page){buffer->bytes, database->page_size, number};
    (void)os_atomic_add(&cache->buffer_count, 1);
    *result = buffer;
    return JET_errSuccess;
}
