#include "src/os/thread.h"

#include "src/os/fault.h"
#include "src/os/internal.h"
#include "src/os/trace.h"

/* Real threads get numbers from here; those of a simulation have their own, from 1, the same in each run. */
static os_atomic_64 last_id = 1u << 20;

/* The record of a thread that was not made here, and of the thread that sets simulations up. */
static _Thread_local struct os_thread own_record;
_Thread_local struct os_thread *os_thread_current;
_Thread_local struct os_thread_costs os_thread_costs;

struct os_thread *os_thread_register(void)
{
    own_record.id = os_atomic_add(&last_id, 1);
    os_thread_current = &own_record;
    return &own_record;
}

/* Whose turn it is, not what they share. */
OS_UNTRACED_BEGIN
void os_thread_set_self(struct os_thread *thread)
{
    os_thread_current = thread;
}
OS_UNTRACED_END

uint64_t os_thread_id(void)
{
    return os_thread_self()->id;
}

static void *real_main(void *argument)
{
    struct os_thread *thread = argument;
    os_thread_current = thread;
    thread->function(thread->context);
    ASSERT(thread->held_count == 0);
    return NULL;
}

JET_ERR os_thread_create(void (*function)(void *context), void *context, struct os_thread **thread)
{
    JET_ERR err = JET_errSuccess;
    struct os_thread *made = NULL;
    *thread = NULL;
    if (os_fault_point(ESENT_HOST_FAULT_THREAD))
        FAIL(JET_errOutOfThreads);
    made = os_host_allocate(sizeof *made);
    if (made == NULL)
        FAIL(JET_errOutOfMemory);
    made->function = function;
    made->context = context;
    if (os_host.simulated) {
        TRY(os_scheduler_create(made));
        *thread = made;
        made = NULL;
        os_point();
    } else {
        made->id = os_atomic_add(&last_id, 1);
        if (pthread_create(&made->native, NULL, real_main, made) != 0)
            FAIL(JET_errOutOfThreads);
        *thread = made;
        made = NULL;
    }
done:
    os_host_free(made);
    return err;
}

void os_thread_join(struct os_thread *thread)
{
    if (os_host.simulated) {
        os_scheduler_join(thread);
        return;
    }
    pthread_join(thread->native, NULL);
    os_host_free(thread);
}

void os_yield(void)
{
    if (os_host.simulated)
        os_scheduler_point(true);
}

JET_ERR EsentHostThreadStart(void (*function)(void *context), void *context,
                             struct ESENT_HOST_THREAD **thread)
{
    struct os_thread *made = NULL;
    os_fault_suspend();
    JET_ERR err = os_thread_create(function, context, &made);
    os_fault_resume();
    *thread = (struct ESENT_HOST_THREAD *)made;
    return err;
}

void EsentHostThreadJoin(struct ESENT_HOST_THREAD *thread)
{
    os_thread_join((struct os_thread *)thread);
}

void **EsentHostThreadData(void)
{
    return &os_thread_self()->data;
}

int EsentHostMemoryIsCopied(void)
{
    os_thread_self()->costs = os_thread_costs;
    return os_host.simulated && os_sim.threads == 1;
}

void EsentHostMemoryIsBack(void)
{
    os_thread_set_self(os_host.simulated ? os_sim.running : NULL);
    os_thread_costs = os_host.simulated ? os_sim.running->costs : (struct os_thread_costs){0};
}

void EsentHostYield(void)
{
    os_yield();
}
