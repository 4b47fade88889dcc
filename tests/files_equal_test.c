/* The pages that the published engine wrote for a program, and those that this engine writes for the same
 * program, are the same: headers, siblings, prefixes, nodes and their order. The recorded files lie beside
 * the checkout
 * (../shared); without them the test says so and is skipped.
 *
 * Not compared: times (dbtime), checksums, flags of writing, the version flag of nodes, which says only that
 * there may be versions, and where in the page a line lies. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fuzz/runner/runner.h"
#include "src/page/database_header.h"
#include "src/page/node.h"
#include "tests/shared_files.h"

#define FILE_SIZE_MOST (16u << 20)

struct set {
    const char *name;
    unsigned different; /* pages that are known to differ: see docs/fidelity.md */
};

static const struct set sets[] = {
    {"clean-4096", 0},       {"clean-16384", 0},      {"clean-32768", 0},     {"deleted-4096", 0},
    {"indexes-8192", 0},     {"multivalues-4096", 0}, {"sequential-4096", 0}, {"tables-8192", 0},
    {"term-abrupt-4096", 0}, {"types-4096", 0},       {"compressed-8192", 1}, /* Xpress is read, not written
                                                                               */
    {"unicode-8192", 4}, /* sort keys and their version are not Windows' */
};

struct file {
    uint8_t *bytes;
    size_t size;
};

static uint8_t *read_pipe(const char *path, size_t *size)
{
    char command[SHARED_PATH_SIZE + 32];
    uint8_t *bytes = malloc(FILE_SIZE_MOST);
    assert_non_null(bytes);
    (void)snprintf(command, sizeof(command), "gzip -dc '%s'", path);
    FILE *pipe = popen(command, "r");
    assert_non_null(pipe);
    *size = fread(bytes, 1, FILE_SIZE_MOST, pipe);
    assert_int_equal(pclose(pipe), 0);
    return bytes;
}

/* Takes the database as it is after the program's last call. */
static void take_database(void *context, const struct program *program, size_t line,
                          const struct run_answer *answer)
{
    struct file *file = context;
    uint64_t size = 0;
    (void)answer;
    if (line + 1 != program->line_count)
        return;
    assert_true(run_file_size("a.edb", &size));
    assert_true(size <= FILE_SIZE_MOST);
    file->size = (size_t)size;
    file->bytes = malloc(file->size);
    assert_non_null(file->bytes);
    assert_true(run_file_read("a.edb", 0, file->bytes, file->size));
}

static void build(const char *path, struct file *file)
{
    struct program program = {0};
    struct program_error error = {0};
    struct run_result result;
    struct run_options options = {
        .simulated = true, .profile = "published", .observer = {.context = file, .after = take_database}};
    assert_true(program_read(&program, path, &error));
    run_program(&program, &options, NULL, &result);
    assert_true(result.finished);
    program_free(&program);
}

static bool spans_equal(struct span a, struct span b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.bytes, b.bytes, a.size) == 0);
}

static bool pages_equal(struct page *a, struct page *b)
{
    const uint32_t left_out = PAGE_FLAGS_OF_WRITING;
    if (page_is_zero(a) || page_is_zero(b))
        return page_is_zero(a) && page_is_zero(b);
    assert_true(page_check(a) >= 0 && page_check(b) >= 0);
    const struct page_header *ha = page_header(a);
    const struct page_header *hb = page_header(b);
    if (ha->previous != hb->previous || ha->next != hb->next || ha->tree != hb->tree ||
        ha->free_bytes != hb->free_bytes || ha->uncommitted_free_bytes != hb->uncommitted_free_bytes ||
        (ha->flags & ~left_out) != (hb->flags & ~left_out) || page_line_count(a) != page_line_count(b))
        return false;
    struct line xa = page_external_header(a);
    struct line xb = page_external_header(b);
    if (!spans_equal(span_of(xa.data, xa.size), span_of(xb.data, xb.size)))
        return false;
    for (uint32_t line = 0; line < page_line_count(a); line++) {
        struct node na = node_get(a, line);
        struct node nb = node_get(b, line);
        if ((na.flags | NODE_VERSIONED) != (nb.flags | NODE_VERSIONED) ||
            !spans_equal(na.key.prefix, nb.key.prefix) || !spans_equal(na.key.suffix, nb.key.suffix) ||
            !spans_equal(na.data, nb.data))
            return false;
    }
    return true;
}

static unsigned compare(const char *name, const struct file *recorded, const struct file *built)
{
    const struct database_header *header = (const void *)recorded->bytes;
    unsigned different = 0;
    uint32_t size = header->page_size;
    assert_int_equal(recorded->size, built->size);
    for (page_number number = 1; page_file_offset(number + 1, size) <= recorded->size; number++) {
        uint64_t offset = page_file_offset(number, size);
        struct page a = {recorded->bytes + offset, size, number};
        struct page b = {built->bytes + offset, size, number};
        if (!pages_equal(&a, &b)) {
            print_message("%s: page %u differs\n", name, number);
            different++;
        }
    }
    return different;
}

static void test_same_pages(void **state)
{
    (void)state;
    char path[SHARED_PATH_SIZE];
    const char *shared = shared_directory();
    if (shared == NULL) {
        print_message("no ../shared: skipped\n");
        skip();
    }
    for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]); i++) {
        struct file recorded = {0};
        struct file built = {0};
        (void)snprintf(path, sizeof(path), "%s/golden/files/%s/build.txt", shared, sets[i].name);
        build(path, &built);
        (void)snprintf(path, sizeof(path), "%s/golden/files/%s/a.edb.gz", shared, sets[i].name);
        recorded.bytes = read_pipe(path, &recorded.size);
        assert_int_equal(compare(sets[i].name, &recorded, &built), sets[i].different);
        free(recorded.bytes);
        free(built.bytes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_same_pages)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
