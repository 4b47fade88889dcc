/* Locks: mutex, reader-writer lock, condition; and the one order in which they may be taken.
 *
 * Every lock has a rank. A thread that holds a lock may take only locks of a higher rank (assertion builds
 * check this); a rank marked "many" may be taken again by a thread that holds one of the same rank, and then
 * has an order of its own, given at the rank. Nothing here fails or allocates. In a simulation the locks are
 * flags of the scheduler and each call is a scheduling point. Mutexes are not recursive. */
#ifndef OPENESENT_OS_LOCK_H
#define OPENESENT_OS_LOCK_H

#include <pthread.h>
#include <stdatomic.h>

#include "src/os/base.h"

/* The lock order of the whole engine, outermost first. */
enum os_lock_rank {
    OS_RANK_PROCESS = 10,          /* process mode, instance table, process-wide parameters */
    OS_RANK_SNAPSHOT = 20,         /* operating-system snapshot sessions */
    OS_RANK_INSTANCE = 30,         /* many (by instance number): state of an instance, its start-up and end */
    OS_RANK_BACKUP = 40,           /* many (by instance number): backup state */
    OS_RANK_SESSION = 50,          /* many (by session number): session table, one session's state */
    OS_RANK_DATABASES = 60,        /* table of databases of an instance, attach state */
    OS_RANK_SCHEMA = 70,           /* many (by object id): table definitions, catalog changes */
    OS_RANK_TABLE = 80,            /* many: one table's auto-increment, long-value ids, counters */
    OS_RANK_TREE = 90,             /* many (child tree before parent): space of a tree */
    OS_RANK_TRANSACTION = 100,     /* begin and commit times of transactions */
    OS_RANK_PAGE_LATCH = 110,      /* many (down the tree, then to the right): page latches */
    OS_RANK_DATABASE_SIZE = 120,   /* size of a database file */
    OS_RANK_VERSION = 130,         /* many (by bucket number): version store buckets */
    OS_RANK_VERSION_GLOBAL = 140,  /* version store: lists, memory */
    OS_RANK_CACHE = 150,           /* many (by bucket number): page table of the cache */
    OS_RANK_CACHE_LIST = 160,      /* replacement order, free and dirty lists */
    OS_RANK_DATABASE_HEADER = 170, /* many: database header and its writing */
    OS_RANK_CHECKPOINT = 180,      /* checkpoint and its file */
    OS_RANK_LOG_WRITE = 190,       /* writing the log files */
    OS_RANK_LOG_BUFFER = 200,      /* appending to the log buffer */
    OS_RANK_CACHE_WRITE = 210,     /* write-back queue and I/O range locks */
    OS_RANK_HANDLES = 220,         /* handle tables (nothing is called while held) */
    OS_RANK_EXECUTOR = 230,        /* background tasks' queue */
    OS_RANK_LEAF = 240,            /* anything that calls nothing while held */
    OS_RANK_OS = 250,              /* inside src/os */
};

struct os_thread;

struct os_mutex {
    pthread_mutex_t native;
    _Atomic(struct os_thread *) owner; /* simulation and assertion builds */
    uint32_t world; /* the simulated process `owner` belongs to; an older one holds nothing */
    enum os_lock_rank rank;
};

/* Static initialiser, for the few process-wide locks. */
#define OS_MUTEX_INITIALIZER(lock_rank)                                                                      \
    {                                                                                                        \
        .native = PTHREAD_MUTEX_INITIALIZER, .owner = NULL, .world = 0, .rank = (lock_rank)                  \
    }

void os_mutex_init(struct os_mutex *mutex, enum os_lock_rank rank);
void os_mutex_destroy(struct os_mutex *mutex);
void os_mutex_lock(struct os_mutex *mutex);
/* True if it was free and is now held. May be called against the order. */
bool os_mutex_try_lock(struct os_mutex *mutex);
void os_mutex_unlock(struct os_mutex *mutex);
/* For assertions: true if this thread holds it (always true in builds without assertions). */
bool os_mutex_is_held(const struct os_mutex *mutex);

/* Reader-writer lock: many readers or one writer; a waiting writer holds new readers off. */
struct os_rwlock {
    _Atomic uint32_t state; /* number of readers, writer bit, somebody-waits bit */
    uint32_t waiters;       /* guarded by `native`: threads that wait, and how many of them for exclusive */
    uint32_t writers_waiting;
    bool upgrade_waiting;
    pthread_mutex_t native;
    pthread_cond_t condition;
    _Atomic(struct os_thread *) writer; /* NULL if none */
    uint32_t world;
    enum os_lock_rank rank;
};

void os_rwlock_init(struct os_rwlock *lock, enum os_lock_rank rank);
void os_rwlock_destroy(struct os_rwlock *lock);
void os_rwlock_lock_shared(struct os_rwlock *lock);
void os_rwlock_unlock_shared(struct os_rwlock *lock);
void os_rwlock_lock_exclusive(struct os_rwlock *lock);
void os_rwlock_unlock_exclusive(struct os_rwlock *lock);
bool os_rwlock_try_lock_shared(struct os_rwlock *lock);
bool os_rwlock_try_lock_exclusive(struct os_rwlock *lock);
/* Shared to exclusive without letting go. False (and still shared) if another thread waits for the same; the
 * caller must let go and begin again. May wait for the other readers. */
bool os_rwlock_try_upgrade(struct os_rwlock *lock);
/* Exclusive to shared without letting go. */
void os_rwlock_downgrade(struct os_rwlock *lock);
bool os_rwlock_is_exclusive(
    const struct os_rwlock *lock);                    /* for assertions: held exclusively by this thread */
bool os_rwlock_is_idle(const struct os_rwlock *lock); /* for assertions: nobody holds it */

/* Condition: waits until another thread wakes. Wake-ups may come without reason; test the condition in a
 * loop. */
struct os_condition {
    pthread_cond_t native;
};

#define OS_WAIT_FOREVER 0xffffffffu

void os_condition_init(struct os_condition *condition);
void os_condition_destroy(struct os_condition *condition);
/* Lets go of `mutex`, waits, takes it again. False if `milliseconds` passed without a wake-up. */
bool os_condition_wait(struct os_condition *condition, struct os_mutex *mutex, uint32_t milliseconds);
void os_condition_wake_one(struct os_condition *condition);
void os_condition_wake_all(struct os_condition *condition);

/* For assertions: true if this thread holds no lock at all (always true in builds without assertions). */
bool os_lock_none_held(void);

#endif
