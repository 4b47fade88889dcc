/* The threads of a program: each runs its lines in order, one worker for each thread number. */
#include <stdlib.h>
#include <string.h>

#include "fuzz/runner/run.h"

#define QUEUE_MAX 1024

struct worker {
    struct run *run;
    struct ESENT_HOST_THREAD *thread;
    struct run_thread own;
    pthread_cond_t changed;
    size_t queue[QUEUE_MAX];
    size_t first; /* next line to run */
    size_t count; /* lines given so far */
    bool busy;
    bool stop;
};

/* Waits for the worker's state to change. Real threads wait on the condition; simulated ones let time pass,
 * which lets the others run. The run's lock is held before and after. */
static void wait_for_change(struct worker *worker)
{
    struct run *run = worker->run;
    if (!run->options->simulated) {
        pthread_cond_wait(&worker->changed, &run->lock);
        return;
    }
    pthread_mutex_unlock(&run->lock);
    EsentHostSleep(1);
    pthread_mutex_lock(&run->lock);
}

static void work(void *context)
{
    struct worker *worker = context;
    struct run *run = worker->run;
    *EsentHostThreadData() = &worker->own;
    pthread_mutex_lock(&run->lock);
    for (;;) {
        while (worker->first == worker->count && !worker->stop)
            wait_for_change(worker);
        if (worker->first == worker->count)
            break;
        size_t line = worker->queue[worker->first++];
        worker->busy = true;
        pthread_mutex_unlock(&run->lock);
        run_line(run, line);
        pthread_mutex_lock(&run->lock);
        worker->busy = false;
        pthread_cond_broadcast(&worker->changed);
    }
    pthread_mutex_unlock(&run->lock);
}

struct run_thread *run_thread(void)
{
    return *EsentHostThreadData();
}

void *run_value_buffer(void)
{
    struct run_thread *thread = run_thread();
    /* Not malloc, which may be the targets' heap: this one stays. */
    if (thread->value_buffer == NULL && posix_memalign(&thread->value_buffer, 64, VALUE_BUFFER) != 0)
        abort();
    return thread->value_buffer;
}

static struct worker *worker_of(struct run *run, unsigned thread)
{
    if (run->workers[thread] != NULL)
        return run->workers[thread];
    struct worker *worker = calloc(1, sizeof *worker);
    if (worker == NULL)
        abort();
    worker->run = run;
    pthread_cond_init(&worker->changed, NULL);
    if (EsentHostThreadStart(work, worker, &worker->thread) < JET_errSuccess) {
        pthread_cond_destroy(&worker->changed);
        free(worker);
        return NULL;
    }
    run->workers[thread] = worker;
    return worker;
}

/* The next call is another thread's as well, and these are handed over together. */
static bool goes_on(const struct run *run, size_t line)
{
    for (size_t i = line + 1; run->together && i < run->program->line_count; i++) {
        if (run->program->lines[i].kind == LINE_CALL)
            return run->program->lines[i].thread != 0;
    }
    return false;
}

void worker_start(struct run *run, unsigned thread, size_t line)
{
    struct worker *worker = worker_of(run, thread);
    if (worker == NULL || worker->count == QUEUE_MAX) {
        run_line(run, line); /* no thread to be had: in line */
        return;
    }
    pthread_mutex_lock(&run->lock);
    worker->queue[worker->count++] = line;
    pthread_cond_broadcast(&worker->changed);
    pthread_mutex_unlock(&run->lock);
    if (goes_on(run, line))
        return;
    if (run->options->simulated)
        EsentHostAdvanceClock(1); /* one that waits for work notices it */
    EsentHostYield();
}

void worker_join(struct run *run, unsigned thread)
{
    struct worker *worker = run->workers[thread];
    if (worker == NULL)
        return;
    pthread_mutex_lock(&run->lock);
    while (worker->first < worker->count || worker->busy)
        wait_for_change(worker);
    pthread_mutex_unlock(&run->lock);
}

void workers_stop(struct run *run)
{
    for (size_t i = 0; i < THREADS_MAX; i++) {
        struct worker *worker = run->workers[i];
        if (worker == NULL)
            continue;
        pthread_mutex_lock(&run->lock);
        worker->stop = true;
        pthread_cond_broadcast(&worker->changed);
        pthread_mutex_unlock(&run->lock);
        EsentHostThreadJoin(worker->thread);
        pthread_cond_destroy(&worker->changed);
        free(worker->own.value_buffer);
        free(worker);
        run->workers[i] = NULL;
    }
}
