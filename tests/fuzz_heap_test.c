/* The heap of the fuzz targets: blocks apart from each other, freed ones out of reach, all new for the next
 * program. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sanitizer/asan_interface.h>

#include "fuzz/target/heap.h"
#include "include/esent_host.h"
#include "src/os/memory.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WITH_ADDRESS_SANITIZER 1
#elif __has_feature(memory_sanitizer) || __has_feature(thread_sanitizer)
#define WITHOUT_HEAP 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define WITH_ADDRESS_SANITIZER 1
#elif defined(__SANITIZE_THREAD__)
#define WITHOUT_HEAP 1
#endif

static int set_up(void **state)
{
    (void)state;
    fuzz_heap_use();
    fuzz_heap_reset();
    return 0;
}

static bool is_poisoned(const uint8_t *byte)
{
#if defined(WITH_ADDRESS_SANITIZER)
    return __asan_address_is_poisoned(byte) != 0;
#else
    (void)byte;
    return true;
#endif
}

static bool is_open(const uint8_t *bytes, size_t size)
{
#if defined(WITH_ADDRESS_SANITIZER)
    return __asan_region_is_poisoned((void *)(uintptr_t)bytes, size) == NULL;
#else
    (void)bytes;
    (void)size;
    return true;
#endif
}

static void test_blocks_are_apart(void **state)
{
    static const size_t sizes[] = {1, 7, 8, 15, 16, 17, 100, 4096, 70000, (size_t)3 << 20};
    uint8_t *blocks[10];
    (void)state;
    for (size_t i = 0; i < 10; i++) {
        blocks[i] = os_allocate(sizes[i]);
        assert_non_null(blocks[i]);
        assert_int_equal((uintptr_t)blocks[i] % 16, 0);
        memset(blocks[i], (int)i, sizes[i]);
    }
    for (size_t i = 0; i < 10; i++) {
        assert_true(is_open(blocks[i], sizes[i]));
        assert_true(is_poisoned(blocks[i] + sizes[i]));
        assert_true(is_poisoned(blocks[i] + (sizes[i] + 15) / 16 * 16));
        assert_int_equal(blocks[i][0], i);
        assert_int_equal(blocks[i][sizes[i] - 1], i);
        os_free(blocks[i]);
    }
}

static void test_freed_blocks_do_not_come_back(void **state)
{
    (void)state;
    uint8_t *first = os_allocate(64);
    os_free(first);
    assert_true(is_poisoned(first));
    assert_true(is_poisoned(first + 63));
    for (int i = 0; i < 1000; i++) {
        uint8_t *other = os_allocate(64);
        assert_ptr_not_equal(other, first);
        os_free(other);
        assert_true(is_poisoned(other));
    }
}

/* What an earlier program left behind decides nothing. */
static void test_the_next_program_finds_nothing(void **state)
{
    (void)state;
    uint8_t *before = os_allocate(64);
    memset(before, 7, 64);
    os_free(before);
    fuzz_heap_reset();
    uint8_t *after = os_allocate(64);
    assert_ptr_equal(after, before);
    for (size_t i = 0; i < 64; i++)
        assert_int_equal(after[i], 0xbe);
    /* Not while a block lives. */
    fuzz_heap_reset();
    uint8_t *second = os_allocate(64);
    assert_ptr_not_equal(second, after);
    os_free(second);
    os_free(after);
}

static void test_pages_are_aligned(void **state)
{
    (void)state;
    uint8_t *odd = os_allocate(1);
    uint8_t *pages = os_allocate_pages(8192);
    assert_int_equal((uintptr_t)pages % OS_PAGE_ALIGNMENT, 0);
    assert_true(is_open(pages, 8192));
    assert_true(is_poisoned(pages + 8192));
    os_free(pages);
    os_free(odd);
}

struct found {
    size_t count;
    size_t bytes;
    uint8_t *kept;
    bool with_kept;
};

static void count_block(void *context, uint8_t *bytes, size_t size)
{
    struct found *found = context;
    found->count++;
    found->bytes += size;
    found->with_kept = found->with_kept || (found->kept >= bytes && found->kept < bytes + size);
}

/* What lives is found, whatever was freed around it; a former state is one where all is as if freed. */
static void test_living_blocks_are_found(void **state)
{
    (void)state;
    if (fuzz_heap_state().start == NULL)
        skip();
    fuzz_heap_reset();
    uint8_t *first = os_allocate(100);
    const struct fuzz_heap_state before = fuzz_heap_state();
    uint8_t *second = os_allocate(200);
    uint8_t *third = os_allocate(300);
    os_free(second);
    struct found found = {.kept = third};
    fuzz_heap_visit(count_block, &found);
    assert_int_equal(found.count, 2);
    assert_int_equal(found.count, fuzz_heap_state().live);
    assert_true(found.bytes >= 400 && found.bytes < 600);
    assert_true(found.with_kept);
    os_free(third);
    found = (struct found){.kept = third};
    fuzz_heap_visit(count_block, &found);
    assert_int_equal(found.count, 1);
    assert_false(found.with_kept);
    os_free(first);
    fuzz_heap_go_back(&before);
    assert_int_equal(fuzz_heap_state().used, before.used);
    assert_int_equal(fuzz_heap_state().live, 1);
    assert_true(is_poisoned(third));
    const struct fuzz_heap_state empty = {.start = before.start};
    fuzz_heap_go_back(&empty);
    assert_true(is_poisoned(first));
    first = os_allocate(1);
    os_free(first);
    fuzz_heap_reset();
}

/* More than the heap holds comes from the C library, and goes back there. */
static void test_full_heap(void **state)
{
    static uint8_t *blocks[100];
    (void)state;
    for (size_t i = 0; i < 100; i++) {
        blocks[i] = os_allocate((size_t)1 << 20);
        assert_non_null(blocks[i]);
        memset(blocks[i], (int)i, (size_t)1 << 20);
    }
    for (size_t i = 0; i < 100; i++) {
        assert_int_equal(blocks[i][0], i);
        os_free(blocks[i]);
    }
    assert_int_equal(os_memory_live_count(), 0);
    fuzz_heap_reset();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_blocks_are_apart, set_up),
        cmocka_unit_test_setup(test_freed_blocks_do_not_come_back, set_up),
        cmocka_unit_test_setup(test_the_next_program_finds_nothing, set_up),
        cmocka_unit_test_setup(test_pages_are_aligned, set_up),
        cmocka_unit_test_setup(test_living_blocks_are_found, set_up),
        cmocka_unit_test_setup(test_full_heap, set_up),
    };
#if defined(WITHOUT_HEAP) /* there the C library's heap is used */
    (void)tests;
    return 0;
#else
    return cmocka_run_group_tests(tests, NULL, NULL);
#endif
}
