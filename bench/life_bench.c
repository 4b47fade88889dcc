/* One full life a turn, on files in memory: create an instance and a database, 100 rows, a full backup, one
 * more backup that is stopped, term. Prints lives per second of processor time, and the peak of memory. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "bench/database.h"
#include "include/esent_host.h"

static void live(void)
{
    struct bench_database database;
    bench_create(&database, "a");
    bench_insert(&database, 1, 100, 100, 10);
    bench_backup(&database, "a", 1 << 20);
    bench_need(JetBeginExternalBackupInstance(database.instance, 0), "JetBeginExternalBackupInstance");
    bench_need(JetStopBackupInstance(database.instance), "JetStopBackupInstance");
    JET_ERR err = JetEndExternalBackupInstance(database.instance);
    if (err != JET_errBackupAbortByServer)
        bench_need(err, "JetEndExternalBackupInstance");
    bench_term(&database);
}

int main(int argc, char **argv)
{
    double seconds = argc > 1 ? atof(argv[1]) : 3;
    unsigned lives = 0;
    bench_need(EsentHostUseMemoryFiles(), "EsentHostUseMemoryFiles");
    bench_need(EsentHostFilesSave(0), "EsentHostFilesSave");
    double start = bench_processor_seconds();
    double used;
    do {
        live();
        bench_need(EsentHostFilesRestore(0), "EsentHostFilesRestore");
        lives++;
        used = bench_processor_seconds() - start;
    } while (used < seconds);
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    printf("lives per processor second: %.1f   (%u lives, peak memory %ld KiB)\n", lives / used, lives,
           usage.ru_maxrss);
    return 0;
}
