/* Every page of databases that the real engine wrote: checksums verify and come out the same when computed
 * anew, checks pass, and a page rebuilt node by node has the same lines. The files lie in `../shared` beside
 * the checkout (or where ESENT_SHARED says); without them the test says so and is skipped. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "src/page/checksum.h"
#include "src/page/database_header.h"
#include "src/page/node.h"

static char *shared_directory(void)
{
    static char path[1024];
    const char *set = getenv("ESENT_SHARED");
    snprintf(path, sizeof path, "%s", set != NULL ? set : "../shared");
    return path;
}

/* A whole file, unpacked if its name ends with ".gz". */
static uint8_t *read_all(const char *path, size_t *size)
{
    char command[2048];
    snprintf(command, sizeof command, "gzip -dcf '%s'", path);
    FILE *pipe = popen(command, "r");
    assert_non_null(pipe);
    size_t capacity = 1 << 20;
    uint8_t *bytes = malloc(capacity);
    *size = 0;
    for (;;) {
        const size_t got = fread(bytes + *size, 1, capacity - *size, pipe);
        if (got == 0)
            break;
        *size += got;
        if (*size == capacity)
            bytes = realloc(bytes, capacity *= 2);
    }
    pclose(pipe);
    return bytes;
}

static void assert_rebuilds(const struct page *page, uint8_t *memory)
{
    struct page copy = {memory, page->size, page->number};
    page_format(&copy, page_header(page)->tree, page_header(page)->flags, page_header(page)->modified);
    const struct line header = page_external_header(page);
    const struct span part = span_of(header.data, header.size);
    page_set_external_header(&copy, &part, 1);
    for (uint32_t i = 0; i < page_line_count(page); i++) {
        const struct node node = node_get(page, i);
        node_insert(&copy, i, &node, node.key.prefix.size);
    }
    assert_int_equal(page_check(&copy), JET_errSuccess);
    assert_int_equal(page_free_bytes(&copy), page_free_bytes(page));
    for (uint32_t i = 0; i < page_line_count(page); i++) {
        const struct line a = page_line(page, i), b = page_line(&copy, i);
        assert_int_equal(a.size, b.size);
        assert_int_equal(a.flags, b.flags);
        assert_memory_equal(a.data, b.data, a.size);
        if (i > 0 && !(a.flags & NODE_DELETED)) {
            const struct node before = node_get(page, i - 1), node = node_get(page, i);
            const int order = node_compare(&before, &node.key, node.data, true);
            const bool empty_last = key_size(&node.key) == 0;
            assert_true(order < 0 || empty_last || !page_is_leaf(page));
        }
    }
}

struct totals {
    unsigned files;
    unsigned pages;
    unsigned nodes;
};

static void check_file(const char *path, struct totals *totals)
{
    size_t size;
    uint8_t *bytes = read_all(path, &size);
    struct database_header header;
    assert_true(size >= 8192);
    assert_int_equal(database_header_check(bytes, size), JET_errSuccess);
    memcpy(&header, bytes, sizeof header);
    const uint32_t page_size = header.page_size;
    uint8_t *memory = aligned_alloc(4096, PAGE_SIZE_MAX);
    for (page_number number = 1; page_file_offset(number, page_size) + page_size <= size; number++) {
        struct page page = {bytes + page_file_offset(number, page_size), page_size, number};
        if (page_is_zero(&page))
            continue;
        /* A streamed copy ends with a trailer that is no page. */
        const bool last = page_file_offset(number + 1, page_size) >= size;
        if (last && !log_position_is_null(header.full_current.mark))
            continue;
        if (checksum_page_verify(&page, false) != CHECKSUM_GOOD)
            fail_msg("%s: page %u: checksum", path, number);
        memcpy(memory, page.data, page_size);
        checksum_page_set(&page);
        assert_memory_equal(memory, page.data, page_size);
        /* Pages of shrunk or reverted space have a header only. */
        if (page_header(&page)->modified >= 0xfffffffffffffff0u)
            continue;
        if (page_check(&page) != JET_errSuccess)
            fail_msg("%s: page %u: check", path, number);
        totals->pages++;
        totals->nodes += page_line_count(&page);
        if (page_header(&page)->tag_state >> 12 <= 1 && page_header(&page)->tag_state != 0)
            assert_rebuilds(&page, memory);
    }
    totals->files++;
    free(memory);
    free(bytes);
}

static void real_files_verify(void **state)
{
    (void)state;
    char command[2048], path[1024];
    struct totals totals = {0, 0, 0};
    snprintf(
        command, sizeof command,
        "find '%s/golden/files' '%s/edb' -type f 2>/dev/null | grep -E '\\.(edb|dat|mdb|db)(\\.gz)?$' | sort",
        shared_directory(), shared_directory());
    FILE *list = popen(command, "r");
    assert_non_null(list);
    while (fgets(path, sizeof path, list) != NULL) {
        path[strcspn(path, "\n")] = 0;
        check_file(path, &totals);
    }
    pclose(list);
    if (totals.files == 0) {
        print_message("no sample databases at %s: skipped\n", shared_directory());
        skip();
    }
    print_message("%u files, %u pages, %u nodes\n", totals.files, totals.pages, totals.nodes);
    assert_true(totals.pages > 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(real_files_verify)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
