#if !defined(_GNU_SOURCE)
#define _GNU_SOURCE 1 /* pthread_timedjoin_np */
#endif

/* How long JetStopBackupInstance takes while another thread reads a database stream and two more write, on
 * real files. Prints the median, the 99.9th percentile and the worst, next to the same of a pair of clock
 * readings taken by the same thread at the same moments (what the machine alone adds), and how long it took
 * until the reader was told. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bench/database.h"

#define CHUNK (256 << 10)
#define WRITERS 2
#define MOST_STOPS (1 << 20)

struct world {
    struct bench_database database;
    char path[512];
    atomic_bool done;
    atomic_bool reading; /* a chunk has been read since the last stop */
    atomic_ullong told;  /* when the reader got AbortByServer */
    atomic_ullong chunks, commits;
};

struct writer {
    struct world *world;
    struct bench_database view; /* a session and a cursor of its own */
    unsigned first;
};

static unsigned long long nanoseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (unsigned long long)now.tv_sec * 1000000000u + (unsigned long long)now.tv_nsec;
}

/* Begins a backup and reads until it is stopped, or the stream is at its end and goes on from the start. */
static void read_until_stopped(struct world *world, void *buffer)
{
    JET_INSTANCE instance = world->database.instance;
    JET_ERR err = JET_errSuccess;
    bench_need(JetBeginExternalBackupInstance(instance, 0), "JetBeginExternalBackupInstance");
    while (err >= JET_errSuccess) {
        JET_HANDLE file;
        uint32_t low = 0;
        uint32_t high = 0;
        uint32_t got = 1;
        err = JetOpenFileInstanceA(instance, world->path, &file, &low, &high);
        if (err < JET_errSuccess)
            break;
        while (got > 0) {
            err = JetReadFileInstance(instance, file, buffer, CHUNK, &got);
            if (err < JET_errSuccess)
                break;
            atomic_fetch_add(&world->chunks, 1);
            atomic_store(&world->reading, true);
        }
        if (err < JET_errSuccess)
            atomic_store(&world->told, nanoseconds());
        JET_ERR closed = JetCloseFileInstance(instance, file);
        if (err >= JET_errSuccess)
            bench_need(closed, "JetCloseFileInstance");
    }
    if (err != JET_errBackupAbortByServer)
        bench_need(err, "reading");
    if (atomic_load(&world->told) == 0)
        atomic_store(&world->told, nanoseconds());
    err = JetEndExternalBackupInstance2(instance, JET_bitBackupEndAbort);
    if (err != JET_errBackupAbortByServer)
        bench_need(err, "JetEndExternalBackupInstance2");
}

static void *read_thread(void *context)
{
    struct world *world = context;
    void *buffer = aligned_alloc(65536, CHUNK);
    if (buffer == NULL)
        bench_need(JET_errOutOfMemory, "aligned_alloc");
    while (!atomic_load(&world->done))
        read_until_stopped(world, buffer);
    free(buffer);
    return NULL;
}

static void *write_thread(void *context)
{
    struct writer *writer = context;
    struct bench_database *view = &writer->view;
    bench_need(JetBeginSessionA(view->instance, &view->session, NULL, NULL), "JetBeginSession");
    bench_need(JetOpenDatabaseA(view->session, writer->world->path, NULL, &view->database, 0),
               "JetOpenDatabase");
    bench_need(JetOpenTableA(view->session, view->database, "t", NULL, 0, 0, &view->table), "JetOpenTable");
    for (unsigned row = writer->first; !atomic_load(&writer->world->done); row += 10) {
        bench_insert(view, row, 10, 400, 10);
        atomic_fetch_add(&writer->world->commits, 1);
    }
    bench_need(JetEndSession(view->session, 0), "JetEndSession");
    return NULL;
}

static int compare(const void *a, const void *b)
{
    unsigned long long x = *(const unsigned long long *)a;
    unsigned long long y = *(const unsigned long long *)b;
    return x < y ? -1 : x > y;
}

static void print(const char *what, unsigned long long *times, size_t count)
{
    qsort(times, count, sizeof *times, compare);
    printf("  %-34s median %9.1f us   99.9 %% %9.1f us   worst %9.1f us\n", what,
           (double)times[count / 2] / 1e3, (double)times[count * 999 / 1000] / 1e3,
           (double)times[count - 1] / 1e3);
}

struct times {
    unsigned long long *stop, *nothing, *told;
    size_t count;
};

static void measure(struct world *world, double seconds, struct times *times)
{
    unsigned seed = 1;
    double until = bench_wall_seconds() + seconds;
    while (bench_wall_seconds() < until && times->count < MOST_STOPS) {
        seed = seed * 1664525u + 1013904223u;
        while (!atomic_load(&world->reading))
            usleep(50);
        usleep((seed >> 16) % 2000); /* anywhere in a read */
        atomic_store(&world->told, 0);
        unsigned long long before = nanoseconds();
        unsigned long long start = nanoseconds();
        bench_need(JetStopBackupInstance(world->database.instance), "JetStopBackupInstance");
        unsigned long long end = nanoseconds();
        times->nothing[times->count] = start - before;
        times->stop[times->count] = end - start;
        unsigned long long told;
        while ((told = atomic_load(&world->told)) == 0)
            usleep(20);
        times->told[times->count++] = told > start ? told - start : 0;
        atomic_store(&world->reading, false);
    }
}

int main(int argc, char **argv)
{
    double seconds = argc > 1 ? atof(argv[1]) : 3;
    char folder[] = "/tmp/openesent-bench-XXXXXX";
    static struct world world;
    struct writer writers[WRITERS];
    pthread_t threads[WRITERS + 1];
    if (mkdtemp(folder) == NULL)
        bench_need(JET_errDiskIO, "mkdtemp");
    bench_create(&world.database, folder);
    snprintf(world.path, sizeof world.path, "%s/a.edb", folder);
    bench_insert(&world.database, 1, 8000, 3000, 500);
    /* Who creates a table has it alone. */
    bench_need(JetCloseTable(world.database.session, world.database.table), "JetCloseTable");
    pthread_create(&threads[WRITERS], NULL, read_thread, &world);
    for (unsigned i = 0; i < WRITERS; i++) {
        writers[i] = (struct writer){.world = &world, .view = world.database, .first = 100000000 * (i + 1)};
        pthread_create(&threads[i], NULL, write_thread, &writers[i]);
    }
    struct times times = {.stop = malloc(MOST_STOPS * sizeof *times.stop),
                          .nothing = malloc(MOST_STOPS * sizeof *times.nothing),
                          .told = malloc(MOST_STOPS * sizeof *times.told)};
    if (times.stop == NULL || times.nothing == NULL || times.told == NULL)
        bench_need(JET_errOutOfMemory, "malloc");
    measure(&world, seconds, &times);
    atomic_store(&world.done, true);
    /* The reader waits for a stop. */
    for (bool ended = false; !ended;) {
        bench_need(JetStopBackupInstance(world.database.instance), "JetStopBackupInstance");
        struct timespec limit;
        clock_gettime(CLOCK_REALTIME, &limit);
        limit.tv_sec += 1;
        ended = pthread_timedjoin_np(threads[WRITERS], NULL, &limit) == 0;
    }
    for (unsigned i = 0; i < WRITERS; i++)
        pthread_join(threads[i], NULL);
    printf("JetStopBackupInstance, %zu stops in %.0f s; meanwhile %llu chunks of %d KiB read, %llu commits\n",
           times.count, seconds, atomic_load(&world.chunks), CHUNK / 1024, atomic_load(&world.commits));
    print("the call", times.stop, times.count);
    print("nothing (two readings of the clock)", times.nothing, times.count);
    print("until the reader was told", times.told, times.count);
    free(times.stop);
    free(times.nothing);
    free(times.told);
    bench_term(&world.database);
    char command[128];
    snprintf(command, sizeof command, "rm -rf -- '%s'", folder);
    return system(command) == 0 ? 0 : 1;
}
