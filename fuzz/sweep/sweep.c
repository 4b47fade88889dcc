#if !defined(_GNU_SOURCE)
#define _GNU_SOURCE 1
#endif

#include "fuzz/sweep/sweep.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "fuzz/sweep/apart.h"

#define KEPT_MAX 10000

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
    to->equivalent += counts->equivalent;
    to->runs += counts->runs;
    to->judged += counts->judged;
    to->outcomes += counts->outcomes;
    to->finds += counts->finds;
}

static void keep_program(struct sweep *sweep, const char *where, const char *what, const char *program)
{
    char path[600];
    FILE *file = NULL;
    for (size_t number = sweep->finds_so_far; file == NULL && number < sweep->finds_so_far + KEPT_MAX;
         number++) {
        snprintf(path, sizeof path, "%s/find-%03zu.jet", sweep->keep, number);
        file = fopen(path, "wx"); /* those of other sweeps stay */
    }
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

/* Three texts, each ending in a NUL. */
void sweep_answer_find(struct text *answer, const char *where, const char *what,
                       const struct program *program)
{
    struct text text = {0};
    program_print(program, &text);
    text_add(answer, where, strlen(where) + 1);
    text_add(answer, what, strlen(what) + 1);
    text_add(answer, text.bytes, text.size + 1);
    text_free(&text);
}

bool sweep_take_finds(struct sweep *sweep, struct sweep_counts *counts, const char *texts, size_t size)
{
    const char *end = texts + size;
    while (texts < end) {
        const char *where = texts;
        const char *what = where + strlen(where) + 1;
        const char *program = what + strlen(what) + 1;
        texts = program + strlen(program) + 1;
        if (!sweep_report(sweep, counts, where, what, program))
            return false;
    }
    return true;
}

bool sweep_take_death(struct sweep *sweep, struct sweep_counts *counts, const char *where, const char *died,
                      const char *said)
{
    char what[600];
    snprintf(what, sizeof what, "%s: %.500s", died, said);
    counts->visited++;
    counts->runs++;
    return sweep_report(sweep, counts, where, what, apart_last_note()) && !sweep_is_late(sweep);
}
