/* What the threads of a run did, turn by turn: which thread's it was, what of the memory and of the locks it
 * touched, and whether another thread could have had the next one. Two steps of different threads may change
 * places if neither touches what the other changes.
 *
 * Memory and locks are known in builds with ESENT_TRACE only (//fuzz:traced_sweep). */
#ifndef OPENESENT_FUZZ_SWEEP_TRACE_H
#define OPENESENT_FUZZ_SWEEP_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TRACE_NONE UINT32_MAX

/* Eight bytes of memory, or a part of a lock: from `first` on, `count` of them in a row. */
struct trace_access {
    uint64_t first;
    uint32_t count;
    uint32_t changes; /* 0: only looked at */
};

struct trace_step {
    uint32_t thread;
    uint32_t choice;     /* the one at its end; TRACE_NONE: another thread's turn came because it had to */
    uint32_t next;       /* whose turn came then */
    bool free_to_go_on;  /* another one's turn would be a pre-emption */
    uint64_t prefix;     /* a number over all turns before that choice */
    size_t first, count; /* its accesses */
};

/* A run from a choice on. It lies in one piece of memory that the caller gave. */
struct trace {
    bool known;   /* accesses are */
    bool strayed; /* the run did not come to the choice by the turns that it should have */
    bool overflowed;
    size_t step_count, access_count;
    size_t step_room, access_room;
    struct trace_step *steps;
    struct trace_access *accesses;
};

/* Lays a trace out in `memory`. */
struct trace *trace_in(void *memory, size_t size);
/* The first byte behind it. */
void *trace_end(const struct trace *trace);

/* Begins to watch: the simulation's turns from now on, kept from the choice `from` on (TRACE_NONE: at once).
 * `prefix` and `next`: what the run that this one departs from had there. Accesses are kept of the first
 * turn, or if `whole` of all. */
void trace_begin(struct trace *trace, uint32_t from, uint64_t prefix, uint32_t next, bool whole);
/* Ends the watching. */
void trace_stop(void);
/* Memory that was touched; by the compiler's calls. */
void trace_touch(const volatile void *address, size_t size, bool changes);

/* --- sets of accesses; the slots are the caller's, TRACE_SET_SLOTS of them */

#define TRACE_SET_SLOTS ((size_t)1 << 20)

struct trace_set {
    bool open; /* more belongs to it than is known: everything meets it */
    size_t count;
    size_t room; /* a power of two */
    struct trace_slot {
        uint64_t key; /* 0: free */
        bool changes;
    } * slots;
};

/* Makes the set of what a thread did from step `from` on until another one's turn came. */
void trace_set_of_turn(struct trace_set *set, const struct trace *trace, size_t from);
/* The same of one step. */
void trace_set_of_step(struct trace_set *set, const struct trace *trace, size_t step);
/* Whether a step may not change places with all of the set. */
bool trace_meets(const struct trace_set *set, const struct trace *trace, const struct trace_step *step);

#endif
