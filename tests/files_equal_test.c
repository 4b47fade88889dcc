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
#include "src/log/log_reader.h"
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
    const char *name;
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

/* Takes the file as it is after the program's last call; one that is not there has no bytes. */
static void take_file(void *context, const struct program *program, size_t line,
                      const struct run_answer *answer)
{
    struct file *file = context;
    uint64_t size = 0;
    (void)answer;
    if (line + 1 != program->line_count)
        return;
    if (!run_file_size(file->name, &size))
        return;
    assert_true(size <= FILE_SIZE_MOST);
    file->size = (size_t)size;
    file->bytes = malloc(file->size);
    assert_non_null(file->bytes);
    assert_true(run_file_read(file->name, 0, file->bytes, file->size));
}

static void build(const char *path, struct file *file)
{
    struct program program = {0};
    struct program_error error = {0};
    struct run_result result;
    struct run_options options = {
        .simulated = true, .profile = "published", .observer = {.context = file, .after = take_file}};
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
        struct file built = {.name = "a.edb"};
        (void)snprintf(path, sizeof(path), "%s/golden/files/%s/build.txt", shared, sets[i].name);
        build(path, &built);
        (void)snprintf(path, sizeof(path), "%s/golden/files/%s/a.edb.gz", shared, sets[i].name);
        recorded.bytes = read_pipe(path, &recorded.size);
        assert_int_equal(compare(sets[i].name, &recorded, &built), sets[i].different);
        free(recorded.bytes);
        free(built.bytes);
    }
}

/* --- log records --- */

/* Sets whose whole log is one file. */
static const char *const logs[] = {"clean-4096", "clean-16384",     "clean-32768",      "term-abrupt-4096",
                                   "types-4096", "dirty-two-32768", "types-32768-dirty"};

/* What of a record is compared. */
struct trace {
    uint8_t type;
    uint8_t flags;
    uint16_t line;
    uint32_t page;
    uint32_t tree_page;
    uint32_t tree_object;
};

#define TRACES_MOST 4000
#define FIRST_OF_PROGRAM 8u /* object ids below are the catalog's */

/* Fills a trace; false for records that are not compared: of the catalog, transactions, before-images (the
 * engine logs them later, or never), and what clean-up does at its leisure. */
static bool trace_of(const struct log_record_header *record, struct trace *trace)
{
    const struct log_record_node *node = (const void *)record;
    const struct log_record_split2 *split = (const void *)record;
    const struct log_record_convert_fdp *convert = (const void *)record;
    const struct log_record_page *page = (const void *)record;
    memset(trace, 0, sizeof(*trace));
    switch (record->type) {
    case LOG_RECORD_INSERT:
    case LOG_RECORD_FLAG_INSERT:
    case LOG_RECORD_FLAG_DELETE:
    case LOG_RECORD_REPLACE:
    case LOG_RECORD_REPLACE_DIFFERENCE:
    case LOG_RECORD_SET_EXTERNAL_HEADER:
    case LOG_RECORD_DELTA:
        trace->tree_page = node->tree_page;
        trace->tree_object = node->tree_object;
        break;
    case LOG_RECORD_SPLIT2:
        trace->tree_page = split->split.tree_page;
        trace->tree_object = split->split.tree_object;
        break;
    case LOG_RECORD_CONVERT_FDP:
        trace->tree_page = convert->convert.owned_page;
        trace->tree_object = convert->convert.object;
        break;
    default:
        return false;
    }
    trace->type = record->type == LOG_RECORD_REPLACE_DIFFERENCE ? LOG_RECORD_REPLACE : record->type;
    trace->flags = page->flags;
    trace->line = page->line;
    trace->page = page->page;
    return trace->tree_object >= FIRST_OF_PROGRAM;
}

/* `end`: the sector behind what was written, fillings of flushed segments counted in. */
static size_t read_traces(const char *path, struct trace *traces, unsigned *end)
{
    struct log_file_reader *reader = NULL;
    const struct log_record_header *record;
    struct log_position position;
    size_t size = 0;
    size_t count = 0;
    assert_int_equal(log_file_open(path, &reader), JET_errSuccess);
    assert_int_equal(log_file_seek(reader, LOG_POSITION_MIN), JET_errSuccess);
    while (log_file_next(reader, &record, &size, &position) == JET_errSuccess) {
        assert_true(count < TRACES_MOST);
        if (trace_of(record, &traces[count]))
            count++;
    }
    *end = log_file_reader_end(reader)->end.sector;
    log_file_close(reader);
    return count;
}

static void compare_log(const char *shared, const char *name)
{
    static struct trace recorded[TRACES_MOST];
    static struct trace made[TRACES_MOST];
    char path[SHARED_PATH_SIZE];
    /* A full log has its number here as soon as there is one record more. */
    struct file built = {.name = "edb00000001.log"};
    unsigned end, recorded_end;
    (void)snprintf(path, sizeof(path), "%s/golden/files/%s/build.txt", shared, name);
    build(path, &built);
    if (built.bytes == NULL) {
        built.name = "edb.log";
        build(path, &built);
    }
    assert_non_null(built.bytes);
    assert_int_equal(EsentHostReset(NULL, 0), 0);
    assert_int_equal(EsentHostUseMemoryFiles(), JET_errSuccess);
    (void)snprintf(path, sizeof(path), "%s/golden/files/%s/edb.log.gz", shared, name);
    assert_true(shared_load(path, "/recorded.log"));
    assert_int_equal(EsentHostFileWrite("/built.log", 0, built.bytes, built.size), JET_errSuccess);
    size_t count = read_traces("/recorded.log", recorded, &recorded_end);
    assert_true(count > 10);
    assert_int_equal(read_traces("/built.log", made, &end), count);
    /* Images of split pages are not compressed by the same search, before-images follow at once, and a term
     * waits once more. */
    assert_in_range(end, recorded_end, recorded_end + 2);
    for (size_t i = 0; i < count; i++) {
        if (memcmp(&recorded[i], &made[i], sizeof(recorded[i])) != 0)
            print_message("%s: change %zu: type %u page %u line %u here, type %u page %u line %u there\n",
                          name, i, made[i].type, made[i].page, made[i].line, recorded[i].type,
                          recorded[i].page, recorded[i].line);
        assert_memory_equal(&recorded[i], &made[i], sizeof(recorded[i]));
    }
    free(built.bytes);
    (void)EsentHostReset(NULL, 0);
}

static void test_same_changes(void **state)
{
    (void)state;
    const char *shared = shared_directory();
    if (shared == NULL) {
        print_message("no ../shared: skipped\n");
        skip();
    }
    for (size_t i = 0; i < sizeof(logs) / sizeof(logs[0]); i++)
        compare_log(shared, logs[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_same_pages),
                                       cmocka_unit_test(test_same_changes)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
