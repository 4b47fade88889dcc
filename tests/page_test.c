/* Pages and nodes against a plain model, checksums against every single-bit error. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "src/page/checksum.h"
#include "src/page/node.h"

static const uint32_t sizes[] = {2048, 4096, 8192, 16384, 32768};
#define SIZE_COUNT (sizeof sizes / sizeof sizes[0])

static uint32_t seed = 1;
static uint32_t next_random(uint32_t limit)
{
    seed = seed * 1664525u + 1013904223u;
    return (seed >> 8) % limit;
}

static struct page new_page(uint32_t size, uint32_t flags)
{
    struct page page = {aligned_alloc(4096, size < 4096 ? 4096 : size), size, 7};
    page_format(&page, 42, flags, 99);
    return page;
}

/* --- nodes against a model --- */

struct model_node {
    uint8_t key[64];
    size_t key_size;
    uint8_t data[300];
    size_t data_size;
    uint8_t flags;
};

static void assert_same(const struct page *page, const struct model_node *model, uint32_t count)
{
    assert_int_equal(page_check(page), JET_errSuccess);
    assert_int_equal(page_line_count(page), count);
    for (uint32_t i = 0; i < count; i++) {
        const struct node node = node_get(page, i);
        uint8_t key[64];
        assert_int_equal(key_size(&node.key), model[i].key_size);
        assert_int_equal(key_copy(&node.key, 0, key, sizeof key), model[i].key_size);
        assert_memory_equal(key, model[i].key, model[i].key_size);
        assert_int_equal(node.data.size, model[i].data_size);
        assert_memory_equal(node.data.bytes, model[i].data, model[i].data_size);
        assert_int_equal(node.flags & ~NODE_COMPRESSED, model[i].flags);
    }
}

static struct model_node random_node(void)
{
    struct model_node node = {.key_size = 1 + next_random(60), .data_size = 1 + next_random(250)};
    for (size_t i = 0; i < node.key_size; i++)
        node.key[i] = (uint8_t)(i < 10 && next_random(20) != 0 ? 'p' : next_random(256));
    for (size_t i = 0; i < node.data_size; i++)
        node.data[i] = (uint8_t)next_random(256);
    node.flags = (uint8_t)next_random(4);
    return node;
}

static void insert(struct page *page, struct model_node *model, uint32_t *count, uint32_t at)
{
    const struct model_node new_node = random_node();
    struct node node = {.key = key_of(new_node.key, new_node.key_size),
                        .data = span_of(new_node.data, new_node.data_size),
                        .flags = new_node.flags};
    size_t prefix = node_prefix_size(page, &node.key);
    if (next_random(4) == 0)
        prefix = 0;
    const size_t size = node_size(new_node.key_size, new_node.data_size, prefix);
    if (!page_has_room(page, (uint32_t)size - 4))
        return;
    const uint32_t free_before = page_free_bytes(page);
    node_insert(page, at, &node, prefix);
    assert_int_equal(page_free_bytes(page), free_before - size);
    memmove(model + at + 1, model + at, (*count - at) * sizeof *model);
    model[at] = new_node;
    ++*count;
}

static void pages_follow_the_model(void **state)
{
    (void)state;
    struct model_node *model = calloc(4096, sizeof *model);
    for (size_t s = 0; s < SIZE_COUNT; s++) {
        struct page page = new_page(sizes[s], PAGE_LEAF);
        const struct span prefix = span_of("pppppppppppp", 12);
        page_set_external_header(&page, &prefix, 1);
        uint32_t count = 0;
        for (int step = 0; step < 3000; step++) {
            const uint32_t at = count == 0 ? 0 : next_random(count);
            switch (next_random(8)) {
            case 0:
            case 1:
            case 2:
                insert(&page, model, &count, next_random(count + 1));
                break;
            case 3:
                if (count > 0) {
                    const uint32_t end = count - at < 3 ? count - at : 1 + next_random(3);
                    page_delete_lines(&page, at, end);
                    memmove(model + at, model + at + end, (count - at - end) * sizeof *model);
                    count -= end;
                }
                break;
            case 4:
            case 5:
                if (count > 0) {
                    const struct model_node other = random_node();
                    if (other.data_size > model[at].data_size &&
                        page_free_bytes(&page) < other.data_size - model[at].data_size)
                        break;
                    node_replace_data(&page, at, span_of(other.data, other.data_size));
                    memcpy(model[at].data, other.data, other.data_size);
                    model[at].data_size = other.data_size;
                }
                break;
            case 6:
                if (count > 0) {
                    node_set_flags(&page, at, NODE_DELETED);
                    node_clear_flags(&page, at, NODE_VERSIONED);
                    model[at].flags = (uint8_t)((model[at].flags | NODE_DELETED) & ~NODE_VERSIONED);
                }
                break;
            default:
                if (next_random(2) == 0)
                    page_compact(&page);
                else
                    page_zero_free_space(&page);
            }
            if (step % 50 == 0 || count < 3)
                assert_same(&page, model, count);
        }
        assert_same(&page, model, count);
        page_delete_lines(&page, 0, count);
        page_set_external_header(&page, NULL, 0);
        assert_int_equal(page_free_bytes(&page), page_line_size_max(sizes[s]) + 4);
        free(page.data);
    }
    free(model);
}

/* Largest line: fits exactly; one byte more does not. */
static void room_is_exact(void **state)
{
    (void)state;
    static const uint8_t bytes[PAGE_SIZE_MAX];
    for (size_t s = 0; s < SIZE_COUNT; s++) {
        struct page page = new_page(sizes[s], PAGE_LEAF);
        const uint32_t most = page_line_size_max(sizes[s]);
        assert_true(page_has_room(&page, most));
        assert_false(page_has_room(&page, most + 1));
        const struct span part = span_of(bytes, most);
        page_insert_line(&page, 0, 0, &part, 1);
        assert_int_equal(page_free_bytes(&page), 0);
        free(page.data);
    }
    assert_int_equal(page_line_size_max(4096), 4048);
}

static void keys_compare_as_bytes(void **state)
{
    (void)state;
    for (int i = 0; i < 20000; i++) {
        uint8_t a[8], b[8];
        const size_t size_a = next_random(9), size_b = next_random(9);
        for (size_t n = 0; n < 8; n++) {
            a[n] = (uint8_t)next_random(2);
            b[n] = (uint8_t)next_random(2);
        }
        const size_t cut_a = next_random((uint32_t)size_a + 1), cut_b = next_random((uint32_t)size_b + 1);
        const struct key key_a = {span_of(a, cut_a), span_of(a + cut_a, size_a - cut_a)};
        const struct key key_b = {span_of(b, cut_b), span_of(b + cut_b, size_b - cut_b)};
        const int expected = span_compare(span_of(a, size_a), span_of(b, size_b));
        const int actual = key_compare(&key_a, &key_b);
        assert_int_equal((actual > 0) - (actual < 0), (expected > 0) - (expected < 0));
        size_t common = 0;
        while (common < size_a && common < size_b && a[common] == b[common])
            common++;
        assert_int_equal(key_common_prefix(&key_a, &key_b), common);
    }
}

/* --- checks of untrusted pages --- */

/* Any damage is either refused or leaves a page whose every accessor is safe (the sanitizers watch). */
static void damaged_pages_are_safe(void **state)
{
    (void)state;
    uint32_t refused = 0;
    for (int round = 0; round < 4000; round++) {
        const uint32_t size = sizes[next_random(SIZE_COUNT)];
        struct page page = new_page(size, next_random(2) ? PAGE_LEAF : PAGE_LEAF | PAGE_INDEX);
        struct model_node model[64];
        uint32_t count = 0;
        const struct span prefix = span_of("pppppppppppp", 12);
        page_set_external_header(&page, &prefix, 1);
        for (int i = 0; i < 8; i++)
            insert(&page, model, &count, count);
        for (uint32_t hits = 1 + next_random(3); hits > 0; hits--) {
            const uint32_t where = next_random(2) ? 16 + next_random(64) : size - 1 - next_random(40);
            page.data[where] = (uint8_t)(page.data[where] ^ (1u << next_random(8)));
        }
        if (page_check(&page) != JET_errSuccess) {
            refused++;
        } else {
            uint32_t sum = 0;
            for (uint32_t i = 0; i < page_line_count(&page); i++) {
                const struct node node = node_get(&page, i);
                for (size_t n = 0; n < node.data.size; n++)
                    sum += node.data.bytes[n];
            }
            page_compact(&page);
            assert_true(sum != 1);
        }
        free(page.data);
    }
    assert_in_range(refused, 1000, 3999);
}

/* --- checksums --- */

static void single_bit_errors_are_repaired(void **state)
{
    (void)state;
    for (size_t s = 0; s < SIZE_COUNT; s++) {
        struct page page = new_page(sizes[s], PAGE_LEAF);
        for (uint32_t i = page_header_size(sizes[s]); i < sizes[s]; i++)
            page.data[i] = (uint8_t)next_random(256);
        checksum_page_set(&page);
        assert_int_equal(checksum_page_verify(&page, false), CHECKSUM_GOOD);
        uint8_t *copy = malloc(sizes[s]);
        memcpy(copy, page.data, sizes[s]);
        for (uint32_t bit = 0; bit < 8 * sizes[s]; bit += 1 + next_random(sizes[s] / 64)) {
            page.data[bit / 8] = (uint8_t)(page.data[bit / 8] ^ 1u << bit % 8);
            const enum checksum_result found = checksum_page_verify(&page, false);
            const enum checksum_result result = checksum_page_verify(&page, true);
            if (bit < 64 || bit == 36 * 8 + 13) {
                assert_int_equal(result, CHECKSUM_BAD);
                memcpy(page.data, copy, sizes[s]);
            } else {
                assert_int_equal(found, CHECKSUM_REPAIRABLE);
                assert_int_equal(result, CHECKSUM_REPAIRABLE);
            }
            assert_memory_equal(page.data, copy, sizes[s]);
        }
        free(copy);
        free(page.data);
    }
}

static void double_bit_errors_are_found(void **state)
{
    (void)state;
    struct page page = new_page(8192, PAGE_LEAF);
    checksum_page_set(&page);
    for (int i = 0; i < 3000; i++) {
        const uint32_t a = 64 + next_random(8192 * 8 - 64), b = 64 + next_random(8192 * 8 - 64);
        if (a == b)
            continue;
        page.data[a / 8] = (uint8_t)(page.data[a / 8] ^ 1u << a % 8);
        page.data[b / 8] = (uint8_t)(page.data[b / 8] ^ 1u << b % 8);
        assert_int_equal(checksum_page_verify(&page, true), CHECKSUM_BAD);
        page.data[a / 8] = (uint8_t)(page.data[a / 8] ^ 1u << a % 8);
        page.data[b / 8] = (uint8_t)(page.data[b / 8] ^ 1u << b % 8);
    }
    free(page.data);
}

static void a_page_at_a_wrong_place_is_found(void **state)
{
    (void)state;
    for (size_t s = 0; s < SIZE_COUNT; s++) {
        struct page page = new_page(sizes[s], PAGE_LEAF);
        checksum_page_set(&page);
        page.number = 8;
        assert_int_equal(checksum_page_verify(&page, true), CHECKSUM_BAD);
        if (sizes[s] <= 8192) {
            page_header(&page)->flags &= ~(uint32_t)PAGE_NEW_CHECKSUM;
            checksum_page_set(&page);
            assert_int_equal(checksum_page_verify(&page, true), CHECKSUM_GOOD);
            page.number = 9;
            assert_int_equal(checksum_page_verify(&page, true), CHECKSUM_BAD);
        }
        free(page.data);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pages_follow_the_model),
        cmocka_unit_test(room_is_exact),
        cmocka_unit_test(keys_compare_as_bytes),
        cmocka_unit_test(damaged_pages_are_safe),
        cmocka_unit_test(single_bit_errors_are_repaired),
        cmocka_unit_test(double_bit_errors_are_found),
        cmocka_unit_test(a_page_at_a_wrong_place_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
