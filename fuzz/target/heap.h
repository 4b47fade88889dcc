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
 * fit goes to the C library. Thread-safe, but for fuzz_heap_reset. */
#ifndef OPENESENT_FUZZ_TARGET_HEAP_H
#define OPENESENT_FUZZ_TARGET_HEAP_H

/* From now on the engine's blocks come from here; while it holds none. The first call decides. */
void fuzz_heap_use(void);

/* Makes all memory anew if no block lives; otherwise the next program goes on behind the last one's. */
void fuzz_heap_reset(void);

#endif
