/* Inside of the page cache: shared by the files of src/cache only.
 *
 * Page table: PARTITIONS hash tables, each with a lock (OS_RANK_CACHE) that guards the chains, the list of
 * dirty buffers and every buffer's latch and dirt state. It is never held over I/O. The ring of all buffers,
 * for replacement, has its own lock (OS_RANK_CACHE_LIST); write-back state of databases another
 * (OS_RANK_CACHE_WRITE).
 *
 * A page that is being read, and one that is being written, is latched exclusively by the thread that does
 * it. */
#ifndef OPENESENT_CACHE_CACHE_INTERNAL_H
#define OPENESENT_CACHE_CACHE_INTERNAL_H

#include "src/cache/cache.h"
#include "src/os/atomic.h"
#include "src/os/lock.h"

#define PARTITIONS 16u
#define CHAINS_FIRST 16u /* per partition; doubled as it fills */

struct cache_buffer {
    struct cache_buffer *chain_next; /* page table */
    struct cache_buffer *dirty_next; /* the partition's dirty list */
    struct cache_buffer *dirty_previous;
    struct cache_buffer *ring_next; /* replacement ring */
    struct cache_buffer *ring_previous;
    struct database *database;
    struct page page;
    uint32_t shared; /* holders of shared latches */
    bool intent;
    bool exclusive;
    bool dirty;
    bool failed;                /* the last write failed: not a victim until a flush succeeds */
    uint32_t pass;              /* flush that has visited it */
    os_atomic_bool referenced;  /* latched since the clock hand came by */
    struct log_position oldest; /* where redo must start; null if nothing logged */
    struct log_position last;   /* record that must be on disk first */
    struct log_position floor;  /* while `exclusive`: whatever its holder appends to the log is behind */
    uint8_t bytes[] __attribute__((aligned(16)));
};

struct partition {
    struct os_mutex lock;
    struct os_condition released; /* a latch was released or the table changed */
    uint32_t waiters;
    struct cache_buffer **chains;
    uint32_t chain_count;
    uint32_t buffer_count;
    struct cache_buffer *dirty;
    uint32_t dirty_count;
};

struct cache {
    struct partition partitions[PARTITIONS];
    struct os_mutex ring_lock;
    struct cache_buffer *hand; /* clock hand in the ring */
    os_atomic_32 buffer_count;
    os_atomic_32 pages_max;
    struct os_mutex write_lock;
    struct os_condition write_done; /* a write, a sync or a range lock has ended */
    struct database *databases;
    os_atomic_32 pass;
    os_atomic_64 latches;
    os_atomic_64 reads;
    os_atomic_64 writes;
};

struct partition *cache_partition(struct cache *cache, const struct database *database, page_number number);

/* The buffer of a page, or null. Partition locked. */
struct cache_buffer *cache_find(struct partition *partition, const struct database *database,
                                page_number number);

/* Wakes waiters after a change of latch state. Partition locked. */
void cache_wake(struct partition *partition);

/* Waits for a change of latch state. Partition locked; let go meanwhile. */
void cache_wait(struct partition *partition);

/* A buffer for one more page, not in the table, on the ring later: evicts another if the budget is used up.
 * JET_errOutOfMemory. */
JET_ERR cache_obtain_buffer(struct database *database, page_number number, struct cache_buffer **buffer);

/* Takes an unlatched buffer out of table, lists and ring. Partition locked. */
void cache_remove(struct cache *cache, struct partition *partition, struct cache_buffer *buffer);

/* Puts a new buffer, latched exclusively, into table and ring. Partition locked. */
void cache_add(struct cache *cache, struct partition *partition, struct cache_buffer *buffer);

/* Dirt state. Partition locked. */
void cache_link_dirty(struct partition *partition, struct cache_buffer *buffer);
void cache_unlink_dirty(struct partition *partition, struct cache_buffer *buffer);

enum write_mode {
    WRITE_WAIT,    /* wait for range locks */
    WRITE_NO_WAIT, /* CACHE_ERR_CONFLICT instead */
};

/* Writes a dirty buffer that the caller holds exclusively; clean afterwards. No locks held. */
JET_ERR cache_write_buffer(struct cache_buffer *buffer, enum write_mode mode);

/* Oldest of two positions where null means none. */
struct log_position cache_older(struct log_position a, struct log_position b);

#endif
