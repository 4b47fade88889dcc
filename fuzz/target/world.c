#if !defined(_GNU_SOURCE)
#define _GNU_SOURCE 1
#endif

#include "fuzz/target/world.h"

#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "fuzz/target/heap.h"
#include "include/esent_host.h"

#if defined(__SANITIZE_ADDRESS__)
#define WITH_ADDRESS_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WITH_ADDRESS_SANITIZER 1
#endif
#endif

#if defined(WITH_ADDRESS_SANITIZER)
#define UNCHECKED __attribute__((no_sanitize("address", "undefined")))
#else
#define UNCHECKED
#endif

#if defined(__clang__) /* what is done here is not the input's doing */
#pragma clang attribute push(__attribute__((no_sanitize("coverage"))), apply_to = function)
#endif

#define PAGE 4096u
#define PAGES_MAX 4096u
#define IMAGE_BYTES ((size_t)1 << 20) /* at most: larger worlds are copied more slowly than run */

extern uint8_t world_data_begin[] __attribute__((weak));
extern uint8_t world_data_end[] __attribute__((weak));
extern uint8_t world_bss_begin[] __attribute__((weak));
extern uint8_t world_bss_end[] __attribute__((weak));
/* libFuzzer's counters of edges, where there are some. */
extern uint8_t __start___sancov_cntrs[] __attribute__((weak));
extern uint8_t __stop___sancov_cntrs[] __attribute__((weak));

struct page {
    uint8_t bytes[PAGE];
};

/* A block of the heap that lived. */
struct range {
    uint8_t *bytes;
    size_t size;
};

struct world_image {
    struct fuzz_heap_state heap;
    struct range *ranges;
    size_t range_count;
    uint8_t *heap_bytes; /* of all ranges, one behind the other */
    size_t page_count;
    struct page
        *pages; /* those of the variables that had changed until then, in the order of their first change */
    uint8_t *counters;
};

static struct {
    bool decided;
    bool works;
    struct fuzz_heap_state empty;
    struct sigaction before;
    size_t page_count;
    uint8_t *changed[PAGES_MAX]; /* pages that were ever written since the beginning, in that order */
    struct page *first;          /* what they held before */
    uint8_t *images;             /* room for them */
    uint16_t free_images[WORLD_IMAGES_MAX]; /* by number, the last one next */
    size_t free_image_count;
    uint8_t *before_run; /* counters of edges that the input's reading has visited */
} world;

/* The C library's functions look at what the sanitizer thinks of the memory. */
static void copy_bytes(void *to, const void *from, size_t size)
{
#if defined(__x86_64__)
    __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(size) : : "memory");
#else
    volatile uint8_t *target = to;
    const volatile uint8_t *source = from;
    for (size_t i = 0; i < size; i++)
        target[i] = source[i];
#endif
}

static void *reserve(size_t size)
{
    void *bytes =
        mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return bytes != MAP_FAILED ? bytes : NULL;
}

/* ---- variables */

static bool is_ours(const uint8_t *at)
{
    return (at >= world_data_begin && at < world_data_end) || (at >= world_bss_begin && at < world_bss_end);
}

/* The first write to a page of ours; all else is whose it was before. */
static void on_fault(int signal, siginfo_t *information, void *context)
{
    uint8_t *at = information->si_addr;
    if (is_ours(at) && world.page_count < PAGES_MAX) {
        uint8_t *page = at - (uintptr_t)at % PAGE;
        copy_bytes(world.first[world.page_count].bytes, page, PAGE);
        world.changed[world.page_count++] = page;
        if (mprotect(page, PAGE, PROT_READ | PROT_WRITE) == 0)
            return;
    }
    if ((world.before.sa_flags & SA_SIGINFO) != 0) {
        world.before.sa_sigaction(signal, information, context);
        return;
    }
    sigaction(SIGSEGV, &world.before, NULL); /* and again */
}

static bool watch(uint8_t *begin, const uint8_t *end)
{
    return begin == end || mprotect(begin, (size_t)(end - begin), PROT_READ) == 0;
}

static bool watch_variables(void)
{
    struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER};
    sigemptyset(&action.sa_mask);
    world.first = reserve(PAGES_MAX * sizeof *world.first);
    return world.first != NULL && sigaction(SIGSEGV, &action, &world.before) == 0 &&
           watch(world_data_begin, world_data_end) && watch(world_bss_begin, world_bss_end);
}

static void put_variables_back(const struct world_image *image)
{
    for (size_t i = 0; i < world.page_count; i++) {
        const struct page *page = image != NULL && i < image->page_count ? &image->pages[i] : &world.first[i];
        copy_bytes(world.changed[i], page->bytes, PAGE);
    }
}

/* ---- counters of edges */

static size_t counter_count(void)
{
    return (size_t)(__stop___sancov_cntrs - __start___sancov_cntrs);
}

/* ---- the world */

bool world_begin(void)
{
    if (world.decided)
        return world.works;
    world.decided = true;
    world.empty = fuzz_heap_state();
    if (world_data_begin == NULL || world.empty.start == NULL || world.empty.live != 0)
        return false;
    world.before_run = reserve(counter_count() + 1);
    world.images = reserve(WORLD_IMAGES_MAX * IMAGE_BYTES);
    for (size_t i = 0; i < WORLD_IMAGES_MAX; i++)
        world.free_images[world.free_image_count++] = (uint16_t)i;
    world.works = world.before_run != NULL && world.images != NULL && watch_variables();
    return world.works;
}

static size_t round_up(size_t size)
{
    return (size + 63) / 64 * 64;
}

static void add_size(void *context, uint8_t *bytes, size_t size)
{
    (void)bytes;
    *(size_t *)context += size;
}

static void add_range(void *context, uint8_t *bytes, size_t size)
{
    struct world_image *image = context;
    image->ranges[image->range_count++] = (struct range){.bytes = bytes, .size = size};
}

/* The image's parts lie behind each other. */
static struct world_image *image_new(const struct fuzz_heap_state *heap, size_t heap_size)
{
    const size_t parts[] = {sizeof(struct world_image), heap->live * sizeof(struct range),
                            world.page_count * sizeof(struct page), heap_size, counter_count()};
    size_t offsets[sizeof parts / sizeof parts[0]];
    size_t total = 0;
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        offsets[i] = total;
        total += round_up(parts[i]);
    }
    if (total > IMAGE_BYTES || world.free_image_count == 0)
        return NULL;
    uint8_t *bytes = world.images + world.free_images[--world.free_image_count] * IMAGE_BYTES;
    struct world_image *image = (struct world_image *)(void *)bytes;
    *image = (struct world_image){.heap = *heap,
                                  .ranges = (struct range *)(void *)(bytes + offsets[1]),
                                  .page_count = world.page_count,
                                  .pages = (struct page *)(void *)(bytes + offsets[2]),
                                  .heap_bytes = bytes + offsets[3],
                                  .counters = bytes + offsets[4]};
    return image;
}

struct world_image *world_copy(void)
{
    const struct fuzz_heap_state heap = fuzz_heap_state();
    size_t heap_size = 0;
    fuzz_heap_visit(add_size, &heap_size);
    if (heap.outside != world.empty.outside || EsentHostMemoryIsCopied() == 0)
        return NULL;
    struct world_image *image = image_new(&heap, heap_size);
    if (image == NULL)
        return NULL;
    fuzz_heap_visit(add_range, image);
    uint8_t *bytes = image->heap_bytes;
    for (size_t i = 0; i < image->range_count; i++) {
        const struct range *range = &image->ranges[i];
        copy_bytes(bytes, range->bytes, range->size);
        bytes += range->size;
    }
    for (size_t i = 0; i < world.page_count; i++)
        copy_bytes(image->pages[i].bytes, world.changed[i], PAGE);
    copy_bytes(image->counters, __start___sancov_cntrs, counter_count());
    return image;
}

static void put_heap_back(const struct world_image *image)
{
    const uint8_t *bytes = image->heap_bytes;
    for (size_t i = 0; i < image->range_count; i++) {
        const struct range *range = &image->ranges[i];
        copy_bytes(range->bytes, bytes, range->size);
        fuzz_heap_open(range->bytes);
        bytes += range->size;
    }
}

void world_go_back(const struct world_image *image)
{
    const size_t count = counter_count();
    copy_bytes(world.before_run, __start___sancov_cntrs, count);
    if (image != NULL)
        copy_bytes(__start___sancov_cntrs, image->counters, count);
    else if (count > 0)
        memset(__start___sancov_cntrs, 0, count);
    fuzz_heap_go_back(image != NULL ? &image->heap : &world.empty);
    put_variables_back(image);
    if (image != NULL)
        put_heap_back(image);
    EsentHostMemoryIsBack();
}

UNCHECKED void world_is_done(void)
{
    const size_t count = counter_count();
    for (size_t i = 0; i < count; i++)
        __start___sancov_cntrs[i] = (uint8_t)(__start___sancov_cntrs[i] + world.before_run[i]);
}

void world_forget(struct world_image *image)
{
    if (image == NULL)
        return;
    const size_t number = (size_t)((uint8_t *)image - world.images) / IMAGE_BYTES;
    world.free_images[world.free_image_count++] = (uint16_t)number;
}

#if defined(__clang__)
#pragma clang attribute pop
#endif
