/* Mutexes and conditions, and the check of the lock order. */
#if !defined(_GNU_SOURCE)
#define _GNU_SOURCE 1
#endif

#include "src/os/lock.h"

#include <errno.h>
#include <time.h>

#include "src/os/clock.h"
#include "src/os/internal.h"
#include "src/os/lock_order.h"
#include "src/os/sanitizer.h"
#include "src/os/trace.h"

OS_UNTRACED_BEGIN

/* The small steps of every lock are part of it, with all that is checked there. */
#define INLINE static inline __attribute__((always_inline))

bool os_lock_none_held(void)
{
#if OS_LOCK_CHECKED
    return os_thread_self()->held_count == 0;
#else
    return true;
#endif
}

void os_mutex_init(struct os_mutex *mutex, enum os_lock_rank rank)
{
    pthread_mutex_init(&mutex->native, NULL);
    atomic_init(&mutex->owner, NULL);
    mutex->world = 0;
    mutex->rank = rank;
}

void os_mutex_destroy(struct os_mutex *mutex)
{
    ASSERT(atomic_load_explicit(&mutex->owner, memory_order_relaxed) == NULL ||
           mutex->world != os_host.world);
    pthread_mutex_destroy(&mutex->native);
}

INLINE struct os_thread *mutex_owner(const struct os_mutex *mutex)
{
    return mutex->world == os_host.world ? atomic_load_explicit(&mutex->owner, memory_order_relaxed) : NULL;
}

INLINE void set_owner(struct os_mutex *mutex, struct os_thread *owner)
{
    mutex->world = os_host.world;
    atomic_store_explicit(&mutex->owner, owner, memory_order_relaxed);
}

/* With the rank as the caller read it: of a mutex that is gone, that is what AddressSanitizer reports. The
 * rest is not looked at again. */
OS_RANGE_CHECKED static void lock(struct os_mutex *mutex, enum os_lock_rank rank)
{
    struct os_thread *self = os_thread_self();
    lock_check_order(self, mutex, rank);
    if (os_host.simulated) {
        os_scheduler_point(false);
        while (mutex_owner(mutex) != NULL)
            os_scheduler_block(mutex, "mutex", false, 0);
        set_owner(mutex, self);
        os_trace_lock(mutex, ESENT_HOST_LOCK_TAKEN);
    } else {
        pthread_mutex_lock(&mutex->native);
        if (OS_LOCK_CHECKED)
            atomic_store_explicit(&mutex->owner, self, memory_order_relaxed);
    }
    lock_remember(self, mutex, rank);
}

void os_mutex_lock(struct os_mutex *mutex)
{
    lock(mutex, mutex->rank);
}

bool os_mutex_try_lock(struct os_mutex *mutex)
{
    struct os_thread *self = os_thread_self();
    if (os_host.simulated) {
        os_scheduler_point(false);
        if (mutex_owner(mutex) != NULL) {
            os_trace_lock(mutex, ESENT_HOST_LOCK_REFUSED);
            return false;
        }
        set_owner(mutex, self);
        os_trace_lock(mutex, ESENT_HOST_LOCK_TAKEN);
    } else {
        if (pthread_mutex_trylock(&mutex->native) != 0)
            return false;
        if (OS_LOCK_CHECKED)
            atomic_store_explicit(&mutex->owner, self, memory_order_relaxed);
    }
    lock_remember(self, mutex, mutex->rank);
    return true;
}

/* Lets go without a scheduling point. The rank as for `lock`. */
OS_RANGE_CHECKED static void release(struct os_mutex *mutex, enum os_lock_rank rank)
{
    if (OS_LOCK_CHECKED) {
        struct os_thread *self = os_thread_self();
        ASSERT(atomic_load_explicit(&mutex->owner, memory_order_relaxed) == self);
        lock_forget(self, mutex, rank);
    }
    if (os_host.simulated) {
        ASSERT(mutex->world == os_host.world);
        os_trace_lock(mutex, ESENT_HOST_LOCK_LEFT);
        set_owner(mutex, NULL);
        os_scheduler_wake(mutex, false);
    } else {
        if (OS_LOCK_CHECKED)
            atomic_store_explicit(&mutex->owner, NULL, memory_order_relaxed);
        pthread_mutex_unlock(&mutex->native);
    }
}

void os_mutex_unlock(struct os_mutex *mutex)
{
    release(mutex, mutex->rank);
    os_point();
}

bool os_mutex_is_held(const struct os_mutex *mutex)
{
#if OS_LOCK_CHECKED
    if (os_host.simulated)
        return mutex_owner(mutex) == os_thread_self();
    return atomic_load_explicit(&mutex->owner, memory_order_relaxed) == os_thread_self();
#else
    (void)mutex;
    return true;
#endif
}

void os_condition_init(struct os_condition *condition)
{
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&condition->native, &attributes);
    pthread_condattr_destroy(&attributes);
}

void os_condition_destroy(struct os_condition *condition)
{
    pthread_cond_destroy(&condition->native);
}

static bool wait_real(struct os_condition *condition, struct os_mutex *mutex, uint32_t milliseconds)
{
    int result;
    if (OS_LOCK_CHECKED) {
        ASSERT(atomic_load_explicit(&mutex->owner, memory_order_relaxed) == os_thread_self());
        lock_forget(os_thread_self(), mutex, mutex->rank);
        atomic_store_explicit(&mutex->owner, NULL, memory_order_relaxed);
    }
    if (milliseconds == OS_WAIT_FOREVER) {
        result = pthread_cond_wait(&condition->native, &mutex->native);
    } else {
        struct timespec until;
        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_sec += milliseconds / 1000;
        until.tv_nsec += (long)(milliseconds % 1000) * 1000000;
        if (until.tv_nsec >= 1000000000) {
            until.tv_nsec -= 1000000000;
            until.tv_sec++;
        }
        result = pthread_cond_timedwait(&condition->native, &mutex->native, &until);
    }
    if (OS_LOCK_CHECKED) {
        atomic_store_explicit(&mutex->owner, os_thread_self(), memory_order_relaxed);
        lock_remember(os_thread_self(), mutex, mutex->rank);
    }
    return result != ETIMEDOUT;
}

bool os_condition_wait(struct os_condition *condition, struct os_mutex *mutex, uint32_t milliseconds)
{
    if (!os_host.simulated)
        return wait_real(condition, mutex, milliseconds);
    release(mutex, mutex->rank);
    bool forever = milliseconds == OS_WAIT_FOREVER;
    bool woken =
        os_scheduler_block(condition, "condition", !forever, forever ? 0 : os_clock_ticks() + milliseconds);
    os_mutex_lock(mutex);
    return woken;
}

void os_condition_wake_one(struct os_condition *condition)
{
    os_trace_lock(condition, ESENT_HOST_LOCK_CHANGED);
    if (os_host.simulated)
        os_scheduler_wake(condition, true);
    else
        pthread_cond_signal(&condition->native);
}

void os_condition_wake_all(struct os_condition *condition)
{
    os_trace_lock(condition, ESENT_HOST_LOCK_CHANGED);
    if (os_host.simulated)
        os_scheduler_wake(condition, false);
    else
        pthread_cond_broadcast(&condition->native);
}

/* ---- reader-writer lock: one word that the fast paths change alone; who must wait takes the native mutex */

#define WRITER 0x80000000u
#define WAITING 0x40000000u
#define READERS 0x3fffffffu

void os_rwlock_init(struct os_rwlock *lock, enum os_lock_rank rank)
{
    atomic_init(&lock->state, 0);
    lock->waiters = 0;
    lock->writers_waiting = 0;
    lock->upgrade_waiting = false;
    pthread_mutex_init(&lock->native, NULL);
    pthread_cond_init(&lock->condition, NULL);
    atomic_init(&lock->writer, NULL);
    lock->world = os_host.world;
    lock->rank = rank;
}

void os_rwlock_destroy(struct os_rwlock *lock)
{
    ASSERT(os_rwlock_is_idle(lock));
    pthread_mutex_destroy(&lock->native);
    pthread_cond_destroy(&lock->condition);
}

/* A lock of a dead process is free. */
static void bury(struct os_rwlock *lock)
{
    if (os_host.simulated && lock->world != os_host.world) {
        os_atomic_store(&lock->state, 0);
        lock->waiters = lock->writers_waiting = 0;
        lock->upgrade_waiting = false;
        lock->world = os_host.world;
    }
}

/* Tries to go from `state` to shared or exclusive; `mine` = readers that are this thread itself (upgrade). */
static bool take(struct os_rwlock *lock, bool exclusive, uint32_t mine)
{
    uint32_t state = os_atomic_load(&lock->state);
    for (;;) {
        bool busy = exclusive ? (state & WRITER) != 0 || (state & READERS) != mine : (state & WRITER) != 0;
        if (busy)
            return false;
        uint32_t wanted = exclusive ? (state - mine) | WRITER : state + 1;
        if (os_atomic_compare_exchange(&lock->state, &state, wanted))
            return true;
    }
}

static void lock_native(struct os_rwlock *lock)
{
    if (!os_host.simulated)
        pthread_mutex_lock(&lock->native);
}

static void unlock_native(struct os_rwlock *lock)
{
    if (!os_host.simulated)
        pthread_mutex_unlock(&lock->native);
}

static void wait_for_change(struct os_rwlock *lock)
{
    if (os_host.simulated)
        os_scheduler_block(lock, "latch", false, 0);
    else
        pthread_cond_wait(&lock->condition, &lock->native);
}

static void wake_waiters(struct os_rwlock *lock)
{
    lock_native(lock);
    if (os_host.simulated)
        os_scheduler_wake(lock, false);
    else
        pthread_cond_broadcast(&lock->condition);
    unlock_native(lock);
}

static void take_slowly(struct os_rwlock *lock, bool exclusive, uint32_t mine)
{
    os_trace_lock(lock, ESENT_HOST_LOCK_CHANGED);
    lock_native(lock);
    lock->waiters++;
    if (exclusive)
        lock->writers_waiting++;
    for (;;) {
        /* The bit is set before the test, so that a release after the test wakes us. */
        atomic_fetch_or_explicit(&lock->state, WAITING, memory_order_acq_rel);
        bool turn = exclusive ? mine != 0 || !lock->upgrade_waiting : lock->writers_waiting == 0;
        if (turn && take(lock, exclusive, mine))
            break;
        wait_for_change(lock);
    }
    if (exclusive)
        lock->writers_waiting--;
    if (--lock->waiters == 0)
        atomic_fetch_and_explicit(&lock->state, ~WAITING, memory_order_acq_rel);
    unlock_native(lock);
}

static void took_exclusive(struct os_rwlock *lock)
{
    ASSERT((os_atomic_load(&lock->state) & READERS) == 0);
    atomic_store_explicit(&lock->writer, os_thread_self(), memory_order_relaxed);
}

void os_rwlock_lock_shared(struct os_rwlock *lock)
{
    lock_check_order(os_thread_self(), lock, lock->rank);
    bury(lock);
    os_point();
    uint32_t state = os_atomic_load(&lock->state);
    while ((state & (WRITER | WAITING)) == 0) {
        if (os_atomic_compare_exchange(&lock->state, &state, state + 1))
            goto taken;
    }
    take_slowly(lock, false, 0);
taken:
    os_trace_lock(lock, ESENT_HOST_LOCK_TAKEN_SHARED);
    lock_remember(os_thread_self(), lock, lock->rank);
}

bool os_rwlock_try_lock_shared(struct os_rwlock *lock)
{
    bury(lock);
    os_point();
    if ((os_atomic_load(&lock->state) & WAITING) != 0 || !take(lock, false, 0)) {
        os_trace_lock(lock, ESENT_HOST_LOCK_REFUSED);
        return false;
    }
    os_trace_lock(lock, ESENT_HOST_LOCK_TAKEN_SHARED);
    lock_remember(os_thread_self(), lock, lock->rank);
    return true;
}

void os_rwlock_unlock_shared(struct os_rwlock *lock)
{
    lock_forget(os_thread_self(), lock, lock->rank);
    ASSERT((os_atomic_load(&lock->state) & READERS) > 0);
    os_trace_lock(lock, ESENT_HOST_LOCK_LEFT_SHARED);
    uint32_t state = os_atomic_subtract(&lock->state, 1);
    if ((state & WAITING) != 0)
        wake_waiters(lock);
    os_point();
}

void os_rwlock_lock_exclusive(struct os_rwlock *lock)
{
    lock_check_order(os_thread_self(), lock, lock->rank);
    bury(lock);
    os_point();
    uint32_t idle = 0;
    if (!os_atomic_compare_exchange(&lock->state, &idle, WRITER))
        take_slowly(lock, true, 0);
    took_exclusive(lock);
    os_trace_lock(lock, ESENT_HOST_LOCK_TAKEN);
    lock_remember(os_thread_self(), lock, lock->rank);
}

bool os_rwlock_try_lock_exclusive(struct os_rwlock *lock)
{
    bury(lock);
    os_point();
    uint32_t idle = 0;
    if (!os_atomic_compare_exchange(&lock->state, &idle, WRITER)) {
        os_trace_lock(lock, ESENT_HOST_LOCK_REFUSED);
        return false;
    }
    took_exclusive(lock);
    os_trace_lock(lock, ESENT_HOST_LOCK_TAKEN);
    lock_remember(os_thread_self(), lock, lock->rank);
    return true;
}

void os_rwlock_unlock_exclusive(struct os_rwlock *lock)
{
    lock_forget(os_thread_self(), lock, lock->rank);
    ASSERT((os_atomic_load(&lock->state) & WRITER) != 0);
    os_trace_lock(lock, ESENT_HOST_LOCK_LEFT);
    atomic_store_explicit(&lock->writer, NULL, memory_order_relaxed);
    uint32_t state = atomic_fetch_and_explicit(&lock->state, ~WRITER, memory_order_acq_rel);
    if ((state & WAITING) != 0)
        wake_waiters(lock);
    os_point();
}

bool os_rwlock_try_upgrade(struct os_rwlock *lock)
{
    ASSERT((os_atomic_load(&lock->state) & READERS) > 0);
    os_trace_lock(lock, ESENT_HOST_LOCK_CHANGED);
    lock_native(lock);
    if (lock->upgrade_waiting) {
        unlock_native(lock);
        return false;
    }
    lock->upgrade_waiting = true;
    unlock_native(lock);
    if (!take(lock, true, 1))
        take_slowly(lock, true, 1);
    lock_native(lock);
    lock->upgrade_waiting = false;
    unlock_native(lock);
    took_exclusive(lock);
    return true;
}

void os_rwlock_downgrade(struct os_rwlock *lock)
{
    ASSERT((os_atomic_load(&lock->state) & WRITER) != 0);
    os_trace_lock(lock, ESENT_HOST_LOCK_CHANGED);
    atomic_store_explicit(&lock->writer, NULL, memory_order_relaxed);
    uint32_t state = atomic_fetch_add_explicit(&lock->state, 1 - WRITER, memory_order_acq_rel);
    if ((state & WAITING) != 0)
        wake_waiters(lock);
    os_point();
}

bool os_rwlock_is_exclusive(const struct os_rwlock *lock)
{
    if (!OS_LOCK_CHECKED)
        return true;
    return atomic_load_explicit(&lock->writer, memory_order_relaxed) == os_thread_self();
}

bool os_rwlock_is_idle(const struct os_rwlock *lock)
{
    if (os_host.simulated && lock->world != os_host.world)
        return true;
    return (os_atomic_load(&((struct os_rwlock *)(uintptr_t)lock)->state) & (WRITER | READERS)) == 0;
}

OS_UNTRACED_END
