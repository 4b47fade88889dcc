#if !defined(_GNU_SOURCE)
#define _GNU_SOURCE 1
#endif

#include "fuzz/sweep/sweep.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

double sweep_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

bool sweep_is_late(const struct sweep *sweep)
{
    return sweep->deadline > 0 && sweep_now() > sweep->deadline;
}

void sweep_add(struct sweep_counts *to, const struct sweep_counts *counts)
{
    to->existing += counts->existing;
    to->visited += counts->visited;
    to->runs += counts->runs;
    to->judged += counts->judged;
    to->outcomes += counts->outcomes;
    to->finds += counts->finds;
}

static void keep_program(struct sweep *sweep, const char *where, const char *what, const char *program)
{
    char path[600];
    snprintf(path, sizeof path, "%s/find-%03zu.jet", sweep->keep, sweep->finds_so_far);
    FILE *file = fopen(path, "w");
    if (file == NULL)
        return;
    fprintf(file, "# %s: ", where);
    for (const char *at = what; *at != '\0'; at++)
        fputc(*at == '\n' ? ' ' : *at, file);
    fprintf(file, "\n%s", program);
    fclose(file);
    printf("      kept as %s\n", path);
}

bool sweep_report(struct sweep *sweep, struct sweep_counts *counts, const char *where, const char *what,
                  const char *program)
{
    counts->finds++;
    sweep->finds_so_far++;
    printf("FIND  %s: %s: %s\n", sweep->name, where, what);
    if (sweep->keep != NULL)
        keep_program(sweep, where, what, program);
    fflush(stdout);
    return sweep->finds_so_far < sweep->most;
}
