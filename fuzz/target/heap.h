/* The engine's memory while a target runs: every block lies behind the last one, nothing is given out twice
 * in one program, and all of it is there again for the next. That costs a few instructions a block, where
 * the sanitizers' allocators cost more than the engine's own work on it, and the memory stays warm.
 *
 * Under AddressSanitizer the bytes between blocks and all freed blocks are poisoned until the program ends:
 * an overflow or a use after free is noticed as by its own allocator, and reported with the stack of the
 * access ("use-after-poison"). Who allocated and freed the block is not kept: replay, the minimiser and the
 * sweeps keep the C library's heap, whose reports tell; so does a target with ESENT_FUZZ_HEAP=libc in its
 * environment.
 *
 * Under MemorySanitizer and ThreadSanitizer, which follow malloc and free, it is never used. What does not
 * fit goes to the C library. For one thread of the system, which is all that a simulation needs. */
#ifndef OPENESENT_FUZZ_TARGET_HEAP_H
#define OPENESENT_FUZZ_TARGET_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* From now on the engine's blocks come from here; while it holds none. The first call decides. */
void fuzz_heap_use(void);

/* The same for our own code, where the program is linked so that malloc comes here (world.c): whether it gets
 * its blocks from this heap now. */
void fuzz_heap_serve(bool all);

/* What is known of the heap; start NULL = not in use. */
struct fuzz_heap_state {
    uint8_t *start; /* 16-byte aligned */
    size_t used;    /* bytes given out */
    size_t live;    /* blocks */
    uint32_t last;  /* its own */
    size_t outside; /* blocks that came from the C library, freed or not */
};
struct fuzz_heap_state fuzz_heap_state(void);
/* All blocks that live, each with what belongs to it: 16-byte aligned, size in bytes a multiple of 16. */
void fuzz_heap_visit(void (*visit)(void *context, uint8_t *bytes, size_t size), void *context);
/* Goes back to a state of before. All is as if freed: the caller then puts back what lived, and opens it. */
void fuzz_heap_go_back(const struct fuzz_heap_state *state);
/* The block, whose bytes are there again as fuzz_heap_visit told of them, may be used. */
void fuzz_heap_open(uint8_t *bytes);

/* Makes all memory anew if no block lives; otherwise the next program goes on behind the last one's. */
void fuzz_heap_reset(void);

#endif
