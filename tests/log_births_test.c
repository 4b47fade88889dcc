/* The log's version: which formats write records of pages' births and of databases' versions, that each page
 * is born before it is filled, and what redo makes of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fuzz/runner/runner.h"
#include "include/esent_host.h"
#include "src/log/log_reader.h"

#define FILES_MOST 4u
#define PAGES_MOST 1024u

static const char *const names[FILES_MOST] = {"edb00000001.log", "edb00001.log", "edb00000002.log",
                                              "edb.log"};

/* Copies of the logs as they are at the program's end, and how its tables' rows hash. */
struct copies {
    uint8_t *bytes[FILES_MOST];
    size_t sizes[FILES_MOST];
    char hashes[2][40];
    size_t hash_count;
    size_t failures; /* lines that answered something else than 0 */
    bool taken;
};

static void take(void *context, const struct program *program, size_t line, const struct run_answer *answer)
{
    struct copies *copies = context;
    const struct program_op *op = program->lines[line].op;
    uint64_t size = 0;
    if (answer->code != 0) {
        copies->failures++;
        print_message("%s answered %d\n", op->name, answer->code);
    }
    if (strcmp(op->name, "HashTable") == 0) {
        assert_true(copies->hash_count < 2 && answer->outcome.fact_count > 1);
        (void)snprintf(copies->hashes[copies->hash_count++], sizeof(copies->hashes[0]), "%s",
                       answer->outcome.facts[1].word);
    }
    if (strcmp(op->name, "Check") == 0 && answer->outcome.fact_count > 0) {
        copies->failures++;
        print_message("%.100s\n", answer->outcome.facts[0].text);
    }
    if (line + 1 != program->line_count)
        return;
    copies->taken = true;
    for (size_t i = 0; i < FILES_MOST; i++) {
        if (!run_file_size(names[i], &size))
            continue;
        copies->sizes[i] = (size_t)size;
        copies->bytes[i] = malloc((size_t)size);
        assert_true(run_file_read(names[i], 0, copies->bytes[i], (size_t)size));
    }
}

static void run(const char *text, struct copies *copies)
{
    struct program program = {0};
    struct program_error error = {0};
    struct run_result result;
    const struct run_options options = {.simulated = true, .observer = {.context = copies, .after = take}};
    memset(copies, 0, sizeof(*copies));
    assert_true(program_parse(&program, text, strlen(text), &error));
    run_program(&program, &options, NULL, &result);
    assert_true(result.finished);
    program_free(&program);
    assert_int_equal(copies->failures, 0);
    assert_true(copies->taken);
}

static void release(struct copies *copies)
{
    for (size_t i = 0; i < FILES_MOST; i++)
        free(copies->bytes[i]);
}

/* What the records of one file say. */
struct census {
    uint32_t update_major;
    uint32_t update_minor;
    unsigned births;
    unsigned versions;
    unsigned filled; /* pages that became a tree's */
    unsigned unborn; /* of these, those without a birth before */
    bool born[PAGES_MOST];
};

static void fill(struct census *census, uint32_t page)
{
    assert_true(page < PAGES_MOST);
    census->filled++;
    census->unborn += census->born[page] ? 0 : 1;
    census->born[page] = false;
}

static void count(struct census *census, const struct log_record_header *record)
{
    const struct log_record_new_page *birth = (const void *)record;
    const struct log_record_split2 *split = (const void *)record;
    const struct log_record_convert_fdp *convert = (const void *)record;
    const struct log_record_create_single_extent_fdp *single = (const void *)record;
    const struct log_record_create_multiple_extent_fdp *multiple = (const void *)record;
    switch (record->type) {
    case LOG_RECORD_NEW_PAGE:
        assert_true(birth->page < PAGES_MOST);
        census->births++;
        census->born[birth->page] = true;
        break;
    case LOG_RECORD_SET_DATABASE_VERSION:
        census->versions++;
        break;
    case LOG_RECORD_SPLIT2:
        if (split->split.new_page != 0)
            fill(census, split->split.new_page);
        break;
    case LOG_RECORD_CREATE_SINGLE_EXTENT_FDP:
        fill(census, single->page.page);
        break;
    case LOG_RECORD_CREATE_MULTIPLE_EXTENT_FDP:
        fill(census, multiple->page.page);
        fill(census, multiple->owned_page);
        fill(census, multiple->available_page);
        break;
    case LOG_RECORD_CONVERT_FDP:
        fill(census, convert->convert.owned_page);
        fill(census, convert->convert.available_page);
        break;
    default:
        break;
    }
}

static void take_census(const struct copies *copies, size_t file, struct census *census)
{
    struct log_file_reader *reader = NULL;
    const struct log_record_header *record;
    struct log_position position;
    size_t size = 0;
    memset(census, 0, sizeof(*census));
    assert_non_null(copies->bytes[file]);
    assert_int_equal(EsentHostReset(NULL, 0), 0);
    assert_int_equal(EsentHostUseMemoryFiles(), JET_errSuccess);
    assert_int_equal(EsentHostFileWrite("/x.log", 0, copies->bytes[file], copies->sizes[file]),
                     JET_errSuccess);
    assert_int_equal(log_file_open("/x.log", &reader), JET_errSuccess);
    census->update_major = log_file_reader_header(reader)->update_major;
    census->update_minor = log_file_reader_header(reader)->update_minor;
    assert_int_equal(log_file_seek(reader, LOG_POSITION_MIN), JET_errSuccess);
    while (log_file_next(reader, &record, &size, &position) == JET_errSuccess)
        count(census, record);
    log_file_close(reader);
    (void)EsentHostReset(NULL, 0);
}

#define INSTANCE "CreateInstance i0 \"a\"\n"
#define WORK                                                                                                 \
    "Init i0\nBeginSession i0 s0\nCreateDatabase s0 d0 \"a.edb\" 0\nTable s0 d0 t0 \"t\"\n"                  \
    "Insert s0 t0 1 400 300\n"
#define END "Term2 i0 TermComplete\n"

static void the_newest_format_has_births(void **state)
{
    (void)state;
    struct copies copies;
    static struct census census;
    run("set profile published\nset page 4096\n" INSTANCE "SetSystemParameter i0 LogFileSize 1024\n" WORK END,
        &copies);
    take_census(&copies, 3, &census);
    assert_int_equal(census.update_major, 40);
    assert_int_equal(census.update_minor, 100);
    assert_int_equal(census.versions, 1);
    assert_in_range(census.filled, 40, PAGES_MOST);
    assert_int_equal(census.unborn, 0);
    assert_int_equal(census.births, census.filled);
    release(&copies);
}

static void others_have_none(void **state)
{
    (void)state;
    static const char *const programs[] = {
        "set profile published\nset page 4096\n" INSTANCE
        "SetSystemParameter i0 LogFileSize 1024\nSetSystemParameter i0 EngineFormatVersion 8920\n" WORK END,
        "set profile published\nset page 4096\n" INSTANCE
        "SetSystemParameter i0 LogFileSize 1024\nSetSystemParameter i0 EngineFormatVersion 9100\n" WORK END,
        "set profile documented\nset page 4096\n" INSTANCE
        "SetSystemParameter i0 LogFileSize 1024\n" WORK END,
    };
    for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]); i++) {
        struct copies copies;
        static struct census census;
        run(programs[i], &copies);
        take_census(&copies, 3, &census);
        assert_int_equal(census.update_major, 5);
        assert_int_equal(census.update_minor, 16);
        assert_int_equal(census.versions + census.births, 0);
        assert_in_range(census.filled, 40, PAGES_MOST);
        release(&copies);
    }
}

/* The documented profile writes them if the program asks for a format that has them. */
static void whoever_asks_gets_them(void **state)
{
    (void)state;
    struct copies copies;
    static struct census census;
    run("set profile documented\nset page 4096\n" INSTANCE
        "SetSystemParameter i0 LogFileSize 1024\nSetSystemParameter i0 EngineFormatVersion 9120\n" WORK END,
        &copies);
    take_census(&copies, 3, &census);
    assert_int_equal(census.update_major, 40);
    assert_in_range(census.births, 40, PAGES_MOST);
    assert_int_equal(census.unborn, 0);
    release(&copies);
}

/* A log of the older version ends when a database is attached that is to have the newer one's records. */
static void an_older_log_ends(void **state)
{
    (void)state;
    struct copies copies;
    static struct census census;
    run("set profile published\nset page 4096\n" INSTANCE
        "SetSystemParameter i0 LogFileSize 1024\nSetSystemParameter i0 EngineFormatVersion 8920\n" WORK END
            INSTANCE
        "Init i0\nBeginSession i0 s0\nAttachDatabase s0 \"a.edb\" 0\nOpenDatabase s0 d0 \"a.edb\" 0\n"
        "OpenTable s0 d0 t0 \"t\" 0\nInsert s0 t0 1001 200 300\n" END,
        &copies);
    take_census(&copies, 0, &census);
    assert_int_equal(census.update_major, 5);
    assert_int_equal(census.births, 0);
    take_census(&copies, 3, &census);
    assert_int_equal(census.update_major, 40);
    assert_int_equal(census.versions, 1);
    assert_in_range(census.births, 10, PAGES_MOST);
    release(&copies);
}

/* Redo: the rows of a crash are there, and every page of the database is sound. */
static void redo_knows_them(void **state)
{
    (void)state;
    struct copies copies;
    run("set profile published\nset page 4096\n" INSTANCE "SetSystemParameter i0 LogFileSize 1024\n" WORK
        "HashTable s0 t0\nCrash\n" INSTANCE
        "Init i0\nBeginSession i0 s0\nAttachDatabase s0 \"a.edb\" 0\nOpenDatabase s0 d0 \"a.edb\" 0\n"
        "OpenTable s0 d0 t0 \"t\" 0\nHashTable s0 t0\nInsert s0 t0 1001 200 300\n" END "Check \"a.edb\"\n",
        &copies);
    assert_int_equal(copies.hash_count, 2);
    assert_string_equal(copies.hashes[0], copies.hashes[1]);
    release(&copies);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_newest_format_has_births),
        cmocka_unit_test(others_have_none),
        cmocka_unit_test(whoever_asks_gets_them),
        cmocka_unit_test(an_older_log_ends),
        cmocka_unit_test(redo_knows_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
