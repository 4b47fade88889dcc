/* Mutation of programs: what a fuzzer changes from one input to the next.
 *
 * Everything works on the program, never on its bytes: calls are inserted, dropped, repeated, moved, taken
 * from another program, given to another thread or instance; arguments become near-valid or invalid ones. The
 * result is decided by the seed alone. Both fuzzing engines use this one core through thin shims.
 *
 * Not thread-safe per program; different programs are independent. */
#ifndef OPENESENT_FUZZ_MUTATE_H
#define OPENESENT_FUZZ_MUTATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fuzz/mutate/random.h"
#include "fuzz/program/program.h"

/* What a target wants to see in its programs. */
enum mutate_feature {
    MUTATE_BACKUP = 1 << 0,   /* backup, restore, snapshots */
    MUTATE_DATA = 1 << 1,     /* schema, rows, cursors, transactions */
    MUTATE_THREADS = 1 << 2,  /* calls on other threads, joins, schedules */
    MUTATE_FAULTS = 1 << 3,   /* failing allocations, I/O, syncs */
    MUTATE_CRASH = 1 << 4,    /* process deaths */
    MUTATE_DAMAGE = 1 << 5,   /* corrupted, truncated, deleted files */
    MUTATE_TEXT = 1 << 6,     /* odd texts and paths, wide variants */
    MUTATE_SETTINGS = 1 << 7, /* page sizes, profiles */
};

/* The longest program that mutation makes, in lines. */
#define MUTATE_LINES_MAX 192

/* Changes `program` in one to a few places. Comments and expectations are dropped first. `features`: enum
 * mutate_feature. */
void mutate_program(struct program *program, struct mutate_random *random, unsigned features);

/* Makes `child` (zeroed) out of two programs: their calls interleaved or one's stretch put into the other. */
void mutate_cross(struct program *child, const struct program *a, const struct program *b,
                  struct mutate_random *random);

/* Inputs of the fuzzing engines: one marker byte, then the compact form. Text is accepted as well, so that
 * the corpus on disk can be used as it is. */
#define MUTATE_COMPACT_MARKER 0xEE

/* `program` must be zeroed; it is to be freed in any case. Any bytes give a program. */
void mutate_decode_input(struct program *program, const uint8_t *bytes, size_t size);

/* Returns the size written, or 0 if the program does not fit into `limit` bytes. */
size_t mutate_encode_input(const struct program *program, uint8_t *bytes, size_t limit);

/* The engines' interface: mutate `bytes` in place, or cross two inputs into a third. Returns the new size, at
 * most `limit`. */
size_t mutate_input(uint8_t *bytes, size_t size, size_t limit, uint64_t seed, unsigned features);
size_t mutate_cross_inputs(const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size, uint8_t *out,
                           size_t limit, uint64_t seed);

#endif
