/* The queue of background tasks, in order of their time; a pool of threads that is started when there is
 * work. */
#if !defined(_GNU_SOURCE)
#define _GNU_SOURCE 1
#endif

#include "src/os/executor.h"

#include <time.h>

#include "src/os/clock.h"
#include "src/os/internal.h"
#include "src/os/thread.h"

#define POOL_MAX 2u
/* Tasks run at one point: one that submits itself again and again must not hold its caller for ever. */
#define RUN_MAX 64u

enum { TASK_IDLE, TASK_QUEUED, TASK_RUNNING };

static pthread_mutex_t queue_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t queue_changed; /* work or stop, for the pool */
static pthread_cond_t task_ended;    /* for cancel and flush */
static pthread_once_t once = PTHREAD_ONCE_INIT;
static struct os_task *queue; /* by due, then by order of submission */
static struct os_thread *pool[POOL_MAX];
static uint32_t pool_size;
static uint32_t pool_idle;
static bool pool_stopping;

static void initialise(void)
{
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&queue_changed, &attributes);
    pthread_cond_init(&task_ended, &attributes);
    pthread_condattr_destroy(&attributes);
}

static void lock_queue(void)
{
    if (os_host.simulated)
        return;
    pthread_once(&once, initialise);
    pthread_mutex_lock(&queue_lock);
}

static void unlock_queue(void)
{
    if (!os_host.simulated)
        pthread_mutex_unlock(&queue_lock);
}

static void insert(struct os_task *task)
{
    struct os_task **link = &queue;
    while (*link != NULL && (*link)->due <= task->due)
        link = &(*link)->next;
    task->next = *link;
    *link = task;
    task->state = TASK_QUEUED;
}

static void take_out(struct os_task *task)
{
    struct os_task **link = &queue;
    while (*link != task)
        link = &(*link)->next;
    *link = task->next;
    task->next = NULL;
}

/* Takes the first task out if it is due. */
static struct os_task *take_due(void)
{
    struct os_task *task = queue;
    if (task == NULL || task->due > os_clock_ticks())
        return NULL;
    queue = task->next;
    task->next = NULL;
    task->state = TASK_RUNNING;
    task->again = false;
    return task;
}

/* Runs a task in TASK_RUNNING; called and returns with the queue locked. */
static void run(struct os_task *task)
{
    struct os_thread *self = os_thread_self();
    unlock_queue();
    self->task_depth++;
    task->function(task->context);
    self->task_depth--;
    ASSERT(os_lock_none_held() || self->task_depth > 0);
    lock_queue();
    task->state = TASK_IDLE;
    if (task->again) {
        task->again = false;
        task->due = task->again_due;
        insert(task);
    }
    if (os_host.simulated)
        os_scheduler_wake(task, false);
    else
        pthread_cond_broadcast(&task_ended);
}

static void wait_for_end(struct os_task *task)
{
    if (os_host.simulated)
        os_scheduler_block(task, "end of task", false, 0);
    else
        pthread_cond_wait(&task_ended, &queue_lock);
}

/* ---- the pool */

static void wait_for_work(void)
{
    pool_idle++;
    if (queue == NULL) {
        pthread_cond_wait(&queue_changed, &queue_lock);
    } else {
        uint64_t now = os_clock_ticks();
        uint64_t rest = queue->due > now ? queue->due - now : 0;
        struct timespec until;
        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_sec += (time_t)(rest / 1000);
        until.tv_nsec += (long)(rest % 1000) * 1000000 + 1000;
        if (until.tv_nsec >= 1000000000) {
            until.tv_nsec -= 1000000000;
            until.tv_sec++;
        }
        pthread_cond_timedwait(&queue_changed, &queue_lock, &until);
    }
    pool_idle--;
}

static void pool_main(void *context)
{
    (void)context;
    lock_queue();
    while (!pool_stopping) {
        struct os_task *task = take_due();
        if (task != NULL)
            run(task);
        else
            wait_for_work();
    }
    unlock_queue();
}

/* With the queue locked. Without a thread the work waits for os_executor_run_pending. */
static void call_pool(void)
{
    if (pool_idle == 0 && pool_size < POOL_MAX && !pool_stopping) {
        if (os_thread_create(pool_main, NULL, &pool[pool_size]) == JET_errSuccess)
            pool_size++;
    }
    pthread_cond_signal(&queue_changed);
}

void os_executor_stop(void)
{
    if (os_host.simulated)
        return;
    lock_queue();
    if (pool_stopping || pool_size == 0) {
        unlock_queue();
        return;
    }
    pool_stopping = true;
    pthread_cond_broadcast(&queue_changed);
    uint32_t size = pool_size;
    unlock_queue();
    for (uint32_t i = 0; i < size; i++)
        os_thread_join(pool[i]);
    lock_queue();
    pool_size = 0;
    pool_stopping = false;
    unlock_queue();
}

/* ---- tasks */

void os_task_init(struct os_task *task, void (*function)(void *context), void *context)
{
    *task = (struct os_task){.function = function, .context = context, .state = TASK_IDLE};
}

void os_task_submit(struct os_task *task)
{
    os_task_submit_after(task, 0);
}

void os_task_submit_after(struct os_task *task, uint32_t milliseconds)
{
    uint64_t due = os_clock_ticks() + milliseconds;
    lock_queue();
    if (task->state == TASK_RUNNING) {
        if (!task->again || due < task->again_due)
            task->again_due = due;
        task->again = true;
    } else if (task->state == TASK_IDLE || due < task->due) {
        if (task->state == TASK_QUEUED)
            take_out(task);
        task->due = due;
        insert(task);
        if (!os_host.simulated)
            call_pool();
        else if (os_scheduler_has_background_thread())
            os_scheduler_kick_background();
    }
    unlock_queue();
}

void os_task_cancel(struct os_task *task)
{
    lock_queue();
    while (task->state != TASK_IDLE) {
        if (task->state == TASK_QUEUED) {
            take_out(task);
            task->state = TASK_IDLE;
        } else {
            task->again = false;
            wait_for_end(task);
        }
    }
    unlock_queue();
}

void os_task_flush(struct os_task *task)
{
    lock_queue();
    while (task->state != TASK_IDLE) {
        if (task->state == TASK_QUEUED) {
            take_out(task);
            task->state = TASK_RUNNING;
            task->again = false;
            run(task);
            break;
        }
        wait_for_end(task);
    }
    unlock_queue();
}

bool os_task_is_idle(struct os_task *task)
{
    lock_queue();
    bool idle = task->state == TASK_IDLE;
    unlock_queue();
    return idle;
}

/* ---- running without a pool */

bool os_executor_next_due(uint64_t *due)
{
    if (queue == NULL)
        return false;
    *due = queue->due;
    return true;
}

uint32_t os_executor_run_due(void)
{
    uint32_t count = 0;
    lock_queue();
    struct os_task *task;
    while (count < RUN_MAX && (task = take_due()) != NULL) {
        run(task);
        count++;
    }
    unlock_queue();
    return count;
}

uint32_t os_executor_run_pending(void)
{
    if (os_thread_self()->task_depth > 0)
        return 0;
    ASSERT(os_lock_none_held());
    return os_executor_run_due();
}

/* A schedule puts work off in one of four cases. */
void os_executor_point(void)
{
    if (!os_host.simulated || queue == NULL || os_scheduler_has_background_thread())
        return;
    if (os_scheduler_choose(4) == 3)
        return;
    os_executor_run_pending();
}

void os_executor_forget(void)
{
    os_executor_stop();
    lock_queue();
    queue = NULL;
    unlock_queue();
}

uint32_t EsentHostRunBackground(void)
{
    return os_executor_run_pending();
}
