#include "fuzz/target/heap.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "include/esent_host.h"

#if defined(__SANITIZE_ADDRESS__)
#define WITH_ADDRESS_SANITIZER 1
#elif defined(__SANITIZE_THREAD__)
#define WITH_OTHER_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WITH_ADDRESS_SANITIZER 1
#elif __has_feature(memory_sanitizer) || __has_feature(thread_sanitizer)
#define WITH_OTHER_SANITIZER 1
#endif
#endif

#if defined(WITH_ADDRESS_SANITIZER)
#include <sanitizer/asan_interface.h>
#define UNCHECKED __attribute__((no_sanitize_address))
#define POISON(block, size) __asan_poison_memory_region(block, size)
#define UNPOISON(block, size) __asan_unpoison_memory_region(block, size)
#else
#define UNCHECKED
#define POISON(block, size) ((void)(block), (void)(size))
#define UNPOISON(block, size) ((void)(block), (void)(size))
#endif

#define HEAP_BYTES ((size_t)32 << 20)
#define BLOCK_MAX ((size_t)4 << 20)
#define GAP 32u /* before each block: its size, and at least 16 bytes that nobody may touch */
#define FILL_BYTES 128u
#define FILL UINT64_C(0xbebebebebebebebe)

static struct {
    uint8_t *start; /* NULL = not in use */
    size_t used;    /* bytes from the start; more than there are once it was full */
    size_t live;    /* blocks */
} heap;

static bool is_inside(const void *block)
{
    return (uintptr_t)block - (uintptr_t)heap.start < HEAP_BYTES;
}

static size_t *size_of(void *block)
{
    return (size_t *)(void *)((uint8_t *)block - sizeof(size_t));
}

UNCHECKED static size_t noted_size(void *block)
{
    return *size_of(block);
}

/* Notes the size, and fills the beginning (up to the next word; that is still in front of the next block):
 * never what an earlier program left. */
UNCHECKED static void begin_block(void *block, size_t size)
{
    volatile uint64_t *word = block;
    const size_t filled = (size < FILL_BYTES ? size : FILL_BYTES) + 7;
    *size_of(block) = size;
    for (size_t i = 0; i < filled / 8; i++)
        word[i] = FILL;
}

static void *from_library(size_t size, size_t alignment)
{
    if (alignment <= 16)
        return malloc(size);
    return aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
}

static void *allocate(void *context, size_t size, size_t alignment)
{
    (void)context;
    if (size > BLOCK_MAX)
        return from_library(size, alignment);
    const size_t room = (size + 15) / 16 * 16 + GAP + (alignment > 16 ? alignment : 0);
    const size_t at = __atomic_fetch_add(&heap.used, room, __ATOMIC_RELAXED);
    if (at > HEAP_BYTES - room)
        return from_library(size, alignment);
    const uintptr_t block = ((uintptr_t)heap.start + at + GAP + alignment - 1) / alignment * alignment;
    void *bytes = heap.start + (block - (uintptr_t)heap.start);
    begin_block(bytes, size);
    __atomic_add_fetch(&heap.live, 1, __ATOMIC_RELAXED);
    UNPOISON(bytes, size);
    return bytes;
}

static void release(void *context, void *block)
{
    (void)context;
    if (!is_inside(block)) {
        free(block);
        return;
    }
    POISON(block, noted_size(block));
    __atomic_sub_fetch(&heap.live, 1, __ATOMIC_RELAXED);
}

void fuzz_heap_use(void)
{
    static bool decided;
    if (decided)
        return;
    decided = true;
#if defined(WITH_OTHER_SANITIZER)
    return;
#endif
    const char *wanted = getenv("ESENT_FUZZ_HEAP");
    if (wanted != NULL && strcmp(wanted, "libc") == 0)
        return;
    void *start =
        mmap(NULL, HEAP_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (start == MAP_FAILED)
        return;
    const struct ESENT_HOST_ALLOCATOR allocator = {.allocate = allocate, .free = release};
    heap.start = start;
    POISON(start, HEAP_BYTES);
    if (EsentHostSetAllocator(&allocator) < JET_errSuccess)
        heap.start = NULL;
}

void fuzz_heap_reset(void)
{
    if (heap.live == 0)
        heap.used = 0;
}
