/* Memory: every allocation of the engine goes through here, is counted, can be made to fail, and can be
 * listed.
 *
 * Each live block is on a list, so that a leak is found when the world is reset, and so that a simulated
 * death of the process (os/host.h) can free what the dead process held. Safe to call from any thread. An
 * allocation that fails answers NULL; the caller turns that into JET_errOutOfMemory. Sizes are bytes. */
#ifndef OPENESENT_OS_MEMORY_H
#define OPENESENT_OS_MEMORY_H

#include "src/os/base.h"
#include "src/os/error.h"

#define OS_STRINGIFY_(x) #x
#define OS_STRINGIFY(x) OS_STRINGIFY_(x)
#define OS_SITE __FILE__ ":" OS_STRINGIFY(__LINE__)

/* Alignment of os_allocate_pages, bytes. */
#define OS_PAGE_ALIGNMENT 4096u

/* A block of `size` bytes (0 is taken as 1), aligned for any type; its contents are undefined. NULL on
 * failure. */
#define os_allocate(size) os_allocate_at((size), OS_SITE)
/* The same, zero-filled. */
#define os_allocate_zeroed(size) os_allocate_zeroed_at((size), OS_SITE)
/* An array of count * size bytes, zero-filled; an overflow of the product is a failure. */
#define os_allocate_array(count, size) os_allocate_array_at((count), (size), OS_SITE)
/* Makes `block` (may be NULL) `size` bytes long, possibly moving it. On failure answers NULL and `block`
 * stays. */
#define os_reallocate(block, size) os_reallocate_at((block), (size), OS_SITE)
/* A block of `size` bytes aligned to OS_PAGE_ALIGNMENT, contents undefined. Freed with os_free like any
 * other. */
#define os_allocate_pages(size) os_allocate_pages_at((size), OS_SITE)
/* A copy of a NUL-terminated text. */
#define os_duplicate_text(text) os_duplicate_text_at((text), OS_SITE)
/* A copy of `size` bytes. */
#define os_duplicate(bytes, size) os_duplicate_at((bytes), (size), OS_SITE)

void *os_allocate_at(size_t size, const char *site);
void *os_allocate_zeroed_at(size_t size, const char *site);
void *os_allocate_array_at(size_t count, size_t size, const char *site);
void *os_reallocate_at(void *block, size_t size, const char *site);
void *os_allocate_pages_at(size_t size, const char *site);
char *os_duplicate_text_at(const char *text, const char *site);
void *os_duplicate_at(const void *bytes, size_t size, const char *site);

/* Frees a block of any of the above; NULL is allowed. */
void os_free(void *block);

/* True if `block` is a live block of ours (for JetFreeBuffer, which gets pointers from the application). A
 * walk of all live blocks: slow. */
bool os_memory_is_live(const void *block);

/* Number and total bytes of live blocks. */
size_t os_memory_live_count(void);
size_t os_memory_live_bytes(void);
/* Most bytes that were ever live since the last os_memory_free_all. */
size_t os_memory_peak_bytes(void);

/* Calls `visit` for each live block, oldest first not guaranteed. `site` is "file:line" of its allocation. */
void os_memory_visit(void (*visit)(void *context, const void *block, size_t size, const char *site),
                     void *context);

/* For tests of the host: the `nth` allocation of its own memory from now (1 = the next) fails, once. 0
 * disarms. The faults of programs (EsentHostFailNth) never reach that memory: files in memory stand for a
 * disk, which needs none. */
void os_host_memory_fail_nth(uint64_t nth);

/* Frees every live block (death of the process). Only while no other thread is inside the engine. */
void os_memory_free_all(void);

#endif
