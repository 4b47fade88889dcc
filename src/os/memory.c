/* Counted memory. Live blocks hang on one of a few lists (by thread, to keep threads apart), each with its
 * own lock. */
#include "src/os/memory.h"

#include <stdlib.h>

#include "src/os/fault.h"
#include "src/os/internal.h"
#include "src/os/trace.h"

OS_UNTRACED_BEGIN

#define SHARD_COUNT 16u
#define MAGIC_LIVE 0x4c697665u
#define MAGIC_DEAD 0x44656164u

struct header {
    struct header *previous;
    struct header *next;
    size_t size; /* of the user's part */
    const char *site;
    uint32_t magic;
    uint16_t shard;
    uint16_t offset; /* of the user's part from the start of the raw block */
    uint64_t padding;
};
_Static_assert(sizeof(struct header) % 16 == 0, "the user's part stays aligned");

struct shard {
    pthread_mutex_t lock;
    struct header list; /* ring */
    size_t count;
    size_t bytes;
    size_t peak;
};

#define SHARD_INIT                                                                                           \
    {                                                                                                        \
        .lock = PTHREAD_MUTEX_INITIALIZER                                                                    \
    }
static struct shard shards[SHARD_COUNT] = {
    SHARD_INIT, SHARD_INIT, SHARD_INIT, SHARD_INIT, SHARD_INIT, SHARD_INIT, SHARD_INIT, SHARD_INIT,
    SHARD_INIT, SHARD_INIT, SHARD_INIT, SHARD_INIT, SHARD_INIT, SHARD_INIT, SHARD_INIT, SHARD_INIT};

static void lock_shard(struct shard *shard)
{
    if (!os_host.simulated)
        pthread_mutex_lock(&shard->lock);
    if (shard->list.next == NULL)
        shard->list.next = shard->list.previous = &shard->list;
}

static void unlock_shard(struct shard *shard)
{
    if (!os_host.simulated)
        pthread_mutex_unlock(&shard->lock);
}

static void *raw_allocate(size_t size, size_t alignment)
{
    if (os_host.allocator_set)
        return os_host.allocator.allocate(os_host.allocator.context, size, alignment);
    if (alignment <= 16)
        return malloc(size);
    return aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
}

static void raw_free(void *block)
{
    if (os_host.allocator_set)
        os_host.allocator.free(os_host.allocator.context, block);
    else
        free(block);
}

static struct header *header_of(const void *block)
{
    return (struct header *)((uintptr_t)block - sizeof(struct header));
}

static void *allocate(size_t size, size_t offset, size_t alignment, const char *site)
{
    if (os_fault_point(ESENT_HOST_FAULT_ALLOCATE))
        return NULL;
    if (size == 0)
        size = 1;
    if (size > SIZE_MAX - 2 * offset - alignment)
        return NULL;
    uint8_t *raw = raw_allocate(size + offset, alignment);
    if (raw == NULL)
        return NULL;
    uint32_t index = (uint32_t)(os_thread_self()->id % SHARD_COUNT);
    struct shard *shard = &shards[index];
    struct header *header = (struct header *)(void *)(raw + offset - sizeof *header);
    header->size = size;
    header->site = site;
    header->magic = MAGIC_LIVE;
    header->shard = (uint16_t)index;
    header->offset = (uint16_t)offset;
    lock_shard(shard);
    header->next = &shard->list;
    header->previous = shard->list.previous;
    header->previous->next = header;
    shard->list.previous = header;
    shard->count++;
    shard->bytes += size;
    if (shard->bytes > shard->peak)
        shard->peak = shard->bytes;
    unlock_shard(shard);
    return raw + offset;
}

void *os_allocate_at(size_t size, const char *site)
{
    return allocate(size, sizeof(struct header), 16, site);
}

void *os_allocate_zeroed_at(size_t size, const char *site)
{
    void *block = os_allocate_at(size, site);
    if (block != NULL)
        memset(block, 0, size);
    return block;
}

void *os_allocate_array_at(size_t count, size_t size, const char *site)
{
    if (size != 0 && count > SIZE_MAX / size)
        return NULL;
    return os_allocate_zeroed_at(count * size, site);
}

void *os_allocate_pages_at(size_t size, const char *site)
{
    return allocate(size, OS_PAGE_ALIGNMENT, OS_PAGE_ALIGNMENT, site);
}

void *os_reallocate_at(void *block, size_t size, const char *site)
{
    if (block == NULL)
        return os_allocate_at(size, site);
    struct header *header = header_of(block);
    ASSERT(header->magic == MAGIC_LIVE);
    ASSERT(header->offset == sizeof(struct header));
    void *moved = os_allocate_at(size, site);
    if (moved == NULL)
        return NULL;
    memcpy(moved, block, size < header->size ? size : header->size);
    os_free(block);
    return moved;
}

char *os_duplicate_text_at(const char *text, const char *site)
{
    return os_duplicate_at(text, strlen(text) + 1, site);
}

void *os_duplicate_at(const void *bytes, size_t size, const char *site)
{
    void *block = os_allocate_at(size, site);
    if (block != NULL && size != 0)
        memcpy(block, bytes, size);
    return block;
}

void os_free(void *block)
{
    if (block == NULL)
        return;
    struct header *header = header_of(block);
    ASSERT(header->magic == MAGIC_LIVE);
    struct shard *shard = &shards[header->shard % SHARD_COUNT];
    lock_shard(shard);
    header->previous->next = header->next;
    header->next->previous = header->previous;
    shard->count--;
    shard->bytes -= header->size;
    unlock_shard(shard);
    header->magic = MAGIC_DEAD;
    os_trace_freed(block, header->size);
    raw_free((uint8_t *)block - header->offset);
}

void os_memory_visit(void (*visit)(void *context, const void *block, size_t size, const char *site),
                     void *context)
{
    for (uint32_t i = 0; i < SHARD_COUNT; i++) {
        struct shard *shard = &shards[i];
        lock_shard(shard);
        for (struct header *header = shard->list.next; header != &shard->list; header = header->next)
            visit(context, header + 1, header->size, header->site);
        unlock_shard(shard);
    }
}

struct search {
    const void *block;
    bool found;
};

static void compare_block(void *context, const void *block, size_t size, const char *site)
{
    struct search *search = context;
    (void)size;
    (void)site;
    if (block == search->block)
        search->found = true;
}

bool os_memory_is_live(const void *block)
{
    struct search search = {block, false};
    os_memory_visit(compare_block, &search);
    return search.found;
}

static void sum(size_t *count, size_t *bytes, size_t *peak)
{
    *count = *bytes = *peak = 0;
    for (uint32_t i = 0; i < SHARD_COUNT; i++) {
        lock_shard(&shards[i]);
        *count += shards[i].count;
        *bytes += shards[i].bytes;
        *peak += shards[i].peak;
        unlock_shard(&shards[i]);
    }
}

size_t os_memory_live_count(void)
{
    size_t count, bytes, peak;
    sum(&count, &bytes, &peak);
    return count;
}

size_t os_memory_live_bytes(void)
{
    size_t count, bytes, peak;
    sum(&count, &bytes, &peak);
    return bytes;
}

size_t os_memory_peak_bytes(void)
{
    size_t count, bytes, peak;
    sum(&count, &bytes, &peak);
    return peak;
}

void os_memory_reset_peak(void)
{
    for (uint32_t i = 0; i < SHARD_COUNT; i++)
        shards[i].peak = shards[i].bytes;
}

void os_memory_free_all(void)
{
    for (uint32_t i = 0; i < SHARD_COUNT; i++) {
        struct shard *shard = &shards[i];
        if (shard->count == 0)
            continue;
        while (shard->list.next != &shard->list) {
            struct header *header = shard->list.next;
            os_free(header + 1);
        }
        ASSERT(shard->count == 0);
        ASSERT(shard->bytes == 0);
    }
    os_memory_reset_peak();
}

/* ---- the host's own */

static os_atomic_64 host_allocations_left; /* until one fails; 0 = none will */

void os_host_memory_fail_nth(uint64_t nth)
{
    os_atomic_store(&host_allocations_left, nth);
}

static bool host_memory_fails(void)
{
    return os_atomic_load(&host_allocations_left) != 0 && os_atomic_subtract(&host_allocations_left, 1) == 0;
}

void *os_host_allocate(size_t size)
{
    return host_memory_fails() ? NULL : calloc(1, size);
}

void *os_host_reallocate(void *block, size_t size)
{
    return host_memory_fails() ? NULL : realloc(block, size);
}

void os_host_free(void *block)
{
    free(block);
}

OS_UNTRACED_END
