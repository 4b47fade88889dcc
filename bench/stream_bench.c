/* Streaming backup against cp: one database of real files is copied through JetReadFileInstance and by cp, in
 * turns, in one run. Prints bytes per second of both, their ratio, and the peak of memory. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "bench/database.h"

#define ROUNDS 5
#define CHUNK (1 << 20)

static void write_chunk(void *context, const void *bytes, size_t size)
{
    const char *next = bytes;
    while (size > 0) {
        ssize_t done = write(*(int *)context, next, size);
        if (done <= 0)
            bench_need(JET_errDiskIO, "write");
        next += done;
        size -= (size_t)done;
    }
}

static double stream_once(struct bench_database *database, const char *from, const char *to, uint64_t *bytes)
{
    bench_need(JetBeginExternalBackupInstance(database->instance, 0), "JetBeginExternalBackupInstance");
    double start = bench_wall_seconds();
    int file = open(to, O_CREAT | O_TRUNC | O_WRONLY, 0644);
    if (file < 0)
        bench_need(JET_errDiskIO, "open");
    *bytes = bench_stream(database, from, CHUNK, write_chunk, &file);
    close(file);
    double used = bench_wall_seconds() - start;
    bench_need(JetEndExternalBackupInstance2(database->instance, JET_bitBackupEndAbort),
               "JetEndExternalBackupInstance2");
    return used;
}

static double copy_once(const char *from, const char *to)
{
    char command[1200];
    snprintf(command, sizeof command, "cp -- '%s' '%s'", from, to);
    double start = bench_wall_seconds();
    if (system(command) != 0)
        bench_need(JET_errDiskIO, "cp");
    return bench_wall_seconds() - start;
}

int main(int argc, char **argv)
{
    unsigned megabytes = argc > 1 ? (unsigned)atoi(argv[1]) : 64;
    char folder[] = "/tmp/openesent-bench-XXXXXX";
    char database_path[256];
    char copy_path[256];
    struct bench_database database;
    if (mkdtemp(folder) == NULL)
        bench_need(JET_errDiskIO, "mkdtemp");
    snprintf(database_path, sizeof database_path, "%s/a.edb", folder);
    snprintf(copy_path, sizeof copy_path, "%s/copy", folder);
    bench_create(&database, folder);
    bench_insert(&database, 1, megabytes * 1024 / 3, 3000, 500);
    double stream = 0;
    double copy = 0;
    uint64_t bytes = 0;
    for (int i = 0; i < ROUNDS; i++) {
        double one = copy_once(database_path, copy_path);
        copy = i == 0 || one < copy ? one : copy;
        one = stream_once(&database, database_path, copy_path, &bytes);
        stream = i == 0 || one < stream ? one : stream;
    }
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    double size = (double)bytes / 1e6;
    printf("JetReadFileInstance: %.0f MB/s   cp: %.0f MB/s   ratio %.2f   (%.0f MB, best of %d, peak memory "
           "%ld KiB)\n",
           size / stream, size / copy, copy / stream, size, ROUNDS, usage.ru_maxrss);
    bench_term(&database);
    char command[128];
    snprintf(command, sizeof command, "rm -rf -- '%s'", folder);
    return system(command) == 0 ? 0 : 1;
}
