/* Sweeps: a program runs again and again, each time with one thing going wrong or happening at another point,
 * until it has happened at every point that there is.
 *
 * Points are counted first, by a run in which nothing happens; a point is visited if the run that was made
 * for it shows that the thing happened just there. At the end both numbers must be equal. */
#ifndef OPENESENT_FUZZ_SWEEP_H
#define OPENESENT_FUZZ_SWEEP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fuzz/program/program.h"

struct sweep_counts {
    size_t existing; /* points, or schedules */
    size_t visited;
    size_t equivalent; /* schedules among them that were not run: another one does the same */
    size_t runs;
    size_t judged;   /* answers that the model had an opinion on */
    size_t outcomes; /* different ones, where they are counted */
    size_t finds;
};

struct sweep {
    const struct program *program;
    const char *name;    /* for reports */
    const char *keep;    /* NULL, or a directory for the programs of finds */
    unsigned timeout;    /* seconds a run */
    unsigned depth;      /* faults: how many in a row, 1 or 2 */
    unsigned switches;   /* schedules: how many pre-emptions at most */
    bool prove;          /* schedules: runs those that count as equivalent, too, and compares */
    size_t part, parts;  /* faults: every parts-th point only, from the part-th on; 0 parts: all */
    size_t most;         /* stops after so many finds */
    double deadline;     /* monotonic seconds at which to stop, 0: never */
    size_t finds_so_far; /* of the sweep, for the names of files */
};

/* Makes each operation of a kind ("alloc", "io", ..., "crash") fail in turn, in each call. Two runs a point:
 * the process dies after that call, and what is found then must be as if the call had succeeded, or had not
 * been made; or the program goes on to its end, which must leave nothing behind and a start possible. Depth
 * 2: in the new start of the first kind of run, each operation fails as well, before another one. */
bool sweep_faults(struct sweep *sweep, const char *kind, struct sweep_counts *counts);

/* Makes the call (a line) on another thread, at each point where the program's only thread could be
 * interrupted. */
bool sweep_calls(struct sweep *sweep, const char *call, struct sweep_counts *counts);

/* Runs every schedule of a program of two threads in which at most `switches` times a thread is interrupted
 * that could have gone on; who goes on when one cannot, or asks the other to go first, is tried both ways and
 * does not count. In builds that know what each step touches (fuzz/sweep/trace.h), schedules that only let
 * steps change places which do not touch the same things are not run again, but counted. */
bool sweep_schedules(struct sweep *sweep, struct sweep_counts *counts);

/* Adds counts up. */
void sweep_add(struct sweep_counts *to, const struct sweep_counts *counts);

/* The time, in seconds, that deadlines are in. */
double sweep_now(void);
bool sweep_is_late(const struct sweep *sweep);

/* --- for the sweeps themselves */

/* In a child: adds a find to its answer. */
void sweep_answer_find(struct text *answer, const char *where, const char *what,
                       const struct program *program);
/* In the parent: reports the finds that end a child's answer. Returns false if there have been enough. */
bool sweep_take_finds(struct sweep *sweep, struct sweep_counts *counts, const char *texts, size_t size);
/* In the parent: a child's death, or its hanging, is a find as well. */
bool sweep_take_death(struct sweep *sweep, struct sweep_counts *counts, const char *where, const char *died,
                      const char *said);

/* Prints a find and keeps its program. Returns false if there have been enough. */
bool sweep_report(struct sweep *sweep, struct sweep_counts *counts, const char *where, const char *what,
                  const char *program);

#endif
