/* The check of the lock order (lock.h): an assertion, made where assertions are. Elsewhere nothing of it is
 * left. */
#ifndef OPENESENT_OS_LOCK_ORDER_H
#define OPENESENT_OS_LOCK_ORDER_H

#include <stdio.h>

#include "src/os/internal.h"

#if defined(ESENT_ASSERTIONS)
#define OS_LOCK_CHECKED 1

static bool may_hold_many(enum os_lock_rank rank)
{
    switch (rank) {
    case OS_RANK_INSTANCE:
    case OS_RANK_BACKUP:
    case OS_RANK_SESSION:
    case OS_RANK_SCHEMA:
    case OS_RANK_TABLE:
    case OS_RANK_TREE:
    case OS_RANK_PAGE_LATCH:
    case OS_RANK_VERSION:
    case OS_RANK_CACHE:
    case OS_RANK_DATABASE_HEADER:
        return true;
    default:
        return false;
    }
}

static inline __attribute__((always_inline)) void lock_remember(struct os_thread *self, const void *lock,
                                                                enum os_lock_rank rank)
{
    ASSERT(self->held_count < OS_HELD_MAX);
    struct os_held_lock *held = &self->held[self->held_count];
    const bool first = self->held_count++ == 0;
    held->lock = lock;
    held->rank = rank;
    held->most = first || held[-1].most < rank ? rank : held[-1].most;
}

static inline __attribute__((always_inline)) void lock_forget(struct os_thread *self, const void *lock,
                                                              enum os_lock_rank rank)
{
    uint32_t at = self->held_count;
    while (at > 0 && self->held[at - 1].lock != lock) /* mostly it is the last one */
        at--;
    ASSERT(at > 0 && self->held[at - 1].rank == rank);
    const uint32_t count = self->held_count;
    self->held_count = at - 1;
    for (; at < count; at++)
        lock_remember(self, self->held[at].lock, self->held[at].rank);
}

static void lock_order_broken(const void *lock, enum os_lock_rank rank, const struct os_held_lock *held)
{
    fprintf(stderr, "lock order: rank %d wanted while rank %d is held%s\n", (int)rank, (int)held->rank,
            held->lock == lock ? " (the same lock)" : "");
    os_assertion_failed("lock order", __FILE__, __LINE__);
}

/* Before waiting for a lock: everything held has a lower rank. Mostly the one look at the last lock held says
 * so. */
static inline __attribute__((always_inline)) void lock_check_order(const struct os_thread *self,
                                                                   const void *lock, enum os_lock_rank rank)
{
    if (self->held_count == 0 || self->held[self->held_count - 1].most < rank)
        return;
    for (const struct os_held_lock *held = self->held; held < self->held + self->held_count; held++) {
        if (held->rank >= rank &&
            (held->lock == lock || held->rank > rank || (held->rank == rank && !may_hold_many(rank))))
            lock_order_broken(lock, rank, held);
    }
}

#else
#define OS_LOCK_CHECKED 0
#define lock_check_order(self, lock, rank) ((void)(lock), (void)(rank))
#define lock_remember(self, lock, rank) ((void)(lock), (void)(rank))
#define lock_forget(self, lock, rank) ((void)(lock), (void)(rank))
#endif

#endif
