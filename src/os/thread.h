/* Threads, real or simulated.
 *
 * In a simulation one thread runs at a time, and which one is decided by the host's seed or list of choices
 * at each scheduling point: every call of os/lock.h, os/file.h, os_sleep, os_thread_* and os_yield. The same
 * choices give the same run. Threads that are not made here (the program's own) may call the engine in
 * threaded mode only, except the one that set the simulation up. */
#ifndef OPENESENT_OS_THREAD_H
#define OPENESENT_OS_THREAD_H

#include "src/os/base.h"
#include "src/os/error.h"
#include "src/os/trace.h"

struct os_thread;

/* Starts a thread; joined exactly once with os_thread_join. JET_errOutOfThreads or JET_errOutOfMemory. */
JET_ERR os_thread_create(void (*function)(void *context), void *context, struct os_thread **thread);
void os_thread_join(struct os_thread *thread);

/* A number that tells threads apart: not 0, never used again while the process lives. */
uint64_t os_thread_id(void);

/* What the calling thread's calls have cost so far (JetGetThreadStats). All wrap around. */
struct os_thread_costs {
    uint32_t pages_referenced; /* latched */
    uint32_t pages_read;
    uint32_t pages_dirtied;
    uint32_t pages_redirtied; /* that were dirty already */
    uint32_t log_records; /* appended, or read and redone */
    uint32_t log_bytes;   /* of these */
    uint32_t long_values_read;
};
extern _Thread_local struct os_thread_costs os_thread_costs __attribute__((tls_model("initial-exec")));

/* Adds to one of them. Simulated threads that are stacks in one thread keep theirs in the same place, each
 * while it is its turn: not to be taken for something that they share. */
OS_UNTRACED_BEGIN
static inline void os_thread_add_cost(uint32_t *cost, uint32_t count)
{
    *cost += count;
}
OS_UNTRACED_END

/* One record of so many bytes. */
static inline void os_thread_add_log_record(uint32_t size)
{
    os_thread_add_cost(&os_thread_costs.log_records, 1);
    os_thread_add_cost(&os_thread_costs.log_bytes, size);
}

/* A scheduling point. Does nothing in threaded mode. */
void os_yield(void);

#endif
