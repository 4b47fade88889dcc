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
#define GAP 32u /* before each block: its notes, and 16 bytes more that nobody may touch */
#define FILL_BYTES 128u
#define FILL UINT64_C(0xbebebebebebebebe)

/* Right before each block. Places are bytes from the heap's start; 0 = none. */
struct notes {
    uint32_t previous; /* living block */
    uint32_t next;
    size_t size;
};
_Static_assert(sizeof(struct notes) == GAP - 16, "the rest of the gap");

static struct {
    uint8_t *start; /* NULL = not in use */
    size_t used;    /* bytes from the start; more than there are once it was full */
    size_t live;    /* blocks */
    size_t outside; /* blocks of the C library's, freed or not */
    uint32_t last;  /* living block */
    bool serves;    /* our own malloc, too */
} heap;

/* The C library's, where malloc is wrapped. */
extern void *__real_malloc(size_t size) __attribute__((weak));
extern void *__real_calloc(size_t count, size_t size) __attribute__((weak));
extern void *__real_realloc(void *block, size_t size) __attribute__((weak));
extern void __real_free(void *block) __attribute__((weak));

static bool is_inside(const void *block)
{
    return (uintptr_t)block - (uintptr_t)heap.start < HEAP_BYTES;
}

static struct notes *notes_of(void *block)
{
    return (struct notes *)block - 1;
}

static void *block_at(uint32_t place)
{
    return heap.start + place;
}

UNCHECKED static size_t noted_size(void *block)
{
    return notes_of(block)->size;
}

/* Notes the size, and fills the beginning (up to the next word; that is still in front of the next block):
 * never what an earlier program left. */
UNCHECKED static void begin_block(void *block, size_t size)
{
    volatile uint64_t *word = block;
    const size_t filled = (size < FILL_BYTES ? size : FILL_BYTES) + 7;
    const uint32_t place = (uint32_t)((uint8_t *)block - heap.start);
    *notes_of(block) = (struct notes){.previous = heap.last, .size = size};
    if (heap.last != 0)
        notes_of(block_at(heap.last))->next = place;
    heap.last = place;
    heap.live++;
    for (size_t i = 0; i < filled / 8; i++)
        word[i] = FILL;
}

UNCHECKED static void end_block(void *block)
{
    const struct notes *notes = notes_of(block);
    if (notes->previous != 0)
        notes_of(block_at(notes->previous))->next = notes->next;
    if (notes->next != 0)
        notes_of(block_at(notes->next))->previous = notes->previous;
    else
        heap.last = notes->previous;
    heap.live--;
}

static void *from_library(size_t size, size_t alignment)
{
    heap.outside++;
    if (alignment <= 16)
        return __real_malloc != NULL ? __real_malloc(size) : malloc(size);
    return aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
}

static void *allocate(void *context, size_t size, size_t alignment)
{
    (void)context;
    if (size > BLOCK_MAX)
        return from_library(size, alignment);
    const size_t room = (size + 15) / 16 * 16 + GAP + (alignment > 16 ? alignment : 0);
    const size_t at = heap.used;
    if (at > HEAP_BYTES - room)
        return from_library(size, alignment);
    heap.used += room;
    const uintptr_t block = ((uintptr_t)heap.start + at + GAP + alignment - 1) / alignment * alignment;
    void *bytes = heap.start + (block - (uintptr_t)heap.start);
    begin_block(bytes, size);
    UNPOISON(bytes, size);
    return bytes;
}

static void release(void *context, void *block)
{
    (void)context;
    if (!is_inside(block)) {
        if (__real_free != NULL)
            __real_free(block);
        else
            free(block);
        return;
    }
    POISON(block, noted_size(block));
    end_block(block);
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

void fuzz_heap_serve(bool all)
{
    heap.serves = all && heap.start != NULL;
}

struct fuzz_heap_state fuzz_heap_state(void)
{
    return (struct fuzz_heap_state){.start = heap.start,
                                    .used = heap.used,
                                    .live = heap.live,
                                    .last = heap.last,
                                    .outside = heap.outside};
}

UNCHECKED void fuzz_heap_visit(void (*visit)(void *context, uint8_t *bytes, size_t size), void *context)
{
    for (uint32_t place = heap.last; place != 0;) {
        struct notes *notes = notes_of(block_at(place));
        const uint32_t previous = notes->previous;
        visit(context, (uint8_t *)notes, sizeof *notes + (notes->size + 15) / 16 * 16);
        place = previous;
    }
}

void fuzz_heap_go_back(const struct fuzz_heap_state *state)
{
    POISON(heap.start, heap.used > state->used ? heap.used : state->used);
    heap.used = state->used;
    heap.live = state->live;
    heap.last = state->last;
    heap.outside = state->outside;
}

void fuzz_heap_open(uint8_t *bytes)
{
    void *block = bytes + sizeof(struct notes);
    UNPOISON(block, noted_size(block));
}

void fuzz_heap_reset(void)
{
    if (heap.live == 0)
        heap.used = 0;
}

/* ---- our own code's malloc: linked with --wrap, calls of malloc come to __wrap_malloc */

void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *block, size_t size);
void __wrap_free(void *block);

void *__wrap_malloc(size_t size)
{
    return heap.serves ? allocate(NULL, size, 16) : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    if (!heap.serves || (size != 0 && count > BLOCK_MAX / size))
        return __real_calloc(count, size);
    void *block = allocate(NULL, count * size, 16);
    if (block != NULL)
        memset(block, 0, count * size);
    return block;
}

void *__wrap_realloc(void *block, size_t size)
{
    if (block == NULL)
        return __wrap_malloc(size);
    if (!is_inside(block))
        return __real_realloc(block, size);
    void *larger = allocate(NULL, size, 16);
    if (larger == NULL)
        return NULL;
    const size_t before = noted_size(block);
    memcpy(larger, block, before < size ? before : size);
    release(NULL, block);
    return larger;
}

void __wrap_free(void *block)
{
    if (block != NULL)
        release(NULL, block);
}
