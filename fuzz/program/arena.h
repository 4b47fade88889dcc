/* Memory of one program: allocations are released all at once. Not thread-safe. Running out of memory ends
 * the process (a harness has nothing better to do, and the library's own allocations are tested elsewhere).
 */
#ifndef OPENESENT_FUZZ_ARENA_H
#define OPENESENT_FUZZ_ARENA_H

#include <stddef.h>

struct arena_block;

struct arena {
    struct arena_block *first; /* newest block */
    char *next;
    char *end;
    size_t usual; /* size of the next block, unless something large needs more; 0 = the first's */
};

/* A zeroed `struct arena` is empty and ready for use. */
void *arena_allocate(struct arena *arena, size_t size);

/* Copies `size` bytes and adds a NUL. */
char *arena_copy(struct arena *arena, const void *bytes, size_t size);
char *arena_text(struct arena *arena, const char *text);
char *arena_format(struct arena *arena, const char *format, ...) __attribute__((format(printf, 2, 3)));

void arena_free(struct arena *arena);

#endif
