/* Background work: tasks that run soon, on a small pool of threads (threaded mode), or, in a simulation, on
 * the caller's thread at chosen points. Nothing else in the engine starts threads.
 *
 * A task is embedded in its owner, so that submitting allocates nothing and cannot fail. A task never runs
 * twice at once; submitted again while it runs, it runs once more afterwards. Tasks must not wait for other
 * tasks. */
#ifndef OPENESENT_OS_EXECUTOR_H
#define OPENESENT_OS_EXECUTOR_H

#include "src/os/base.h"

struct os_task {
    void (*function)(void *context);
    void *context;
    /* The executor's own: */
    struct os_task *next;
    uint64_t due; /* tick at which it may run */
    uint8_t state;
    bool again;
    uint64_t again_due;
};

void os_task_init(struct os_task *task, void (*function)(void *context), void *context);

/* Queues the task; one that is queued already stays once (at the earlier time). Locks may be held. */
void os_task_submit(struct os_task *task);
/* The same, not before `milliseconds` have passed. */
void os_task_submit_after(struct os_task *task, uint32_t milliseconds);

/* Takes the task out of the queue; if it runs, waits for its end. After that it is neither queued nor
 * running, and may be freed. No lock that the task takes may be held. Not to be called by the task itself. */
void os_task_cancel(struct os_task *task);

/* If the task is queued (due or not), sees to it that it runs, and waits for its end. Same rules. */
void os_task_flush(struct os_task *task);

bool os_task_is_idle(struct os_task *task);

/* A chosen point: the API calls it when it leaves, without locks. In a simulation runs the tasks that are due
 * (the schedule may put some off); in threaded mode does nothing. */
void os_executor_point(void);

/* Runs due tasks on this thread until none is left (at most 64), in either mode. Answers how many ran. */
uint32_t os_executor_run_pending(void);

/* Ends the pool's threads when the last instance has gone; tasks still queued stay queued. The next submit
 * starts it again. Does nothing in a simulation. */
void os_executor_stop(void);

#endif
