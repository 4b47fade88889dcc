/* Recovery of what the published engine and Windows wrote: dirty databases become clean and sound; a database
 * made from its log alone has the very pages that the engine wrote. The files lie beside the checkout
 * (../shared); without them the test says so and is skipped. */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "include/esent_host.h"
#include "src/page/database_header.h"
#include "src/page/node.h"
#include "src/page/page.h"
#include "tests/shared_files.h"

#define PATH_SIZE SHARED_PATH_SIZE
#define DIRECTORY "/g/"

/* A new world with the files of a directory. */
static void load_directory(const char *directory)
{
    const struct ESENT_HOST_SIMULATION simulation = {.seed = 1};
    DIR *entries = opendir(directory);
    struct dirent *entry;
    assert_non_null(entries);
    assert_int_equal(EsentHostReset(NULL, 0), 0);
    assert_int_equal(EsentHostSetProfile(ESENT_HOST_PUBLISHED), JET_errSuccess);
    assert_int_equal(EsentHostUseMemoryFiles(), JET_errSuccess);
    assert_int_equal(EsentHostUseSimulation(&simulation), JET_errSuccess);
    assert_int_equal(EsentHostDirectoryCreate(DIRECTORY), JET_errSuccess);
    while ((entry = readdir(entries)) != NULL) {
        char path[PATH_SIZE];
        char target[PATH_SIZE];
        if (entry->d_name[0] == '.')
            continue;
        (void)snprintf(path, sizeof(path), "%s/%s", directory, entry->d_name);
        (void)snprintf(target, sizeof(target), "%s%s", DIRECTORY, entry->d_name);
        if (shared_ends_with(target, ".gz"))
            target[strlen(target) - 3] = '\0';
        assert_true(shared_load(path, target));
    }
    (void)closedir(entries);
}

struct engine {
    const char *base_name;
    uint32_t legacy_names;
    uint32_t page_size;
    uint32_t log_size; /* KiB */
};

static void recover(const struct engine *engine)
{
    JET_INSTANCE instance = 0;
    assert_int_equal(JetSetSystemParameterA(NULL, 0, JET_paramDatabasePageSize, engine->page_size, NULL), 0);
    assert_int_equal(JetCreateInstanceA(&instance, "golden"), JET_errSuccess);
    assert_int_equal(JetSetSystemParameterA(&instance, 0, JET_paramSystemPath, 0, DIRECTORY), 0);
    assert_int_equal(JetSetSystemParameterA(&instance, 0, JET_paramLogFilePath, 0, DIRECTORY), 0);
    assert_int_equal(JetSetSystemParameterA(&instance, 0, JET_paramTempPath, 0, DIRECTORY), 0);
    assert_int_equal(
        JetSetSystemParameterA(&instance, 0, JET_paramAlternateDatabaseRecoveryPath, 0, DIRECTORY), 0);
    assert_int_equal(JetSetSystemParameterA(&instance, 0, JET_paramBaseName, 0, engine->base_name), 0);
    assert_int_equal(
        JetSetSystemParameterA(&instance, 0, JET_paramLegacyFileNames, engine->legacy_names, NULL), 0);
    assert_int_equal(JetSetSystemParameterA(&instance, 0, JET_paramLogFileSize, engine->log_size, NULL), 0);
    assert_int_equal(JetInit(&instance), JET_errSuccess);
    assert_int_equal(JetTerm2(instance, JET_bitTermComplete), JET_errSuccess);
}

static void note_finding(void *context, const struct ESENT_HOST_FINDING *finding)
{
    (void)context;
    if (!finding->warning)
        print_message("%s: page %u object %u: %s\n", finding->kind, finding->page, finding->object,
                      finding->text);
}

static uint8_t *read_whole(const char *path, size_t *size)
{
    struct ESENT_HOST_FILE_INFO info;
    size_t done = 0;
    assert_int_equal(EsentHostFileInfo(path, &info), JET_errSuccess);
    *size = (size_t)info.size;
    uint8_t *bytes = malloc(*size);
    assert_non_null(bytes);
    assert_int_equal(EsentHostFileRead(path, 0, bytes, *size, &done), JET_errSuccess);
    assert_int_equal(done, *size);
    return bytes;
}

static void expect_sound(const char *path)
{
    size_t size;
    struct database_header header;
    uint8_t *bytes = read_whole(path, &size);
    memcpy(&header, bytes, sizeof(header));
    free(bytes);
    assert_int_equal(header.state, DATABASE_CLEAN_SHUTDOWN);
    assert_int_equal(EsentHostCheckDatabase(path, note_finding, NULL), JET_errSuccess);
}

/* Large pages have a line's flags in its second byte. */
static bool same_line(struct line a, struct line b, bool large)
{
    if (a.size != b.size || ((a.flags ^ b.flags) & ~NODE_VERSIONED) != 0)
        return false;
    for (uint32_t i = 0; i < a.size; i++) {
        if (((a.data[i] ^ b.data[i]) & ~(large && i == 1 ? NODE_VERSIONED << 5 : 0)) != 0)
            return false;
    }
    return true;
}

/* The same but for what redo need not repeat: where lines lie, checksum, count of flushes, version marks. */
static bool same_page(const struct page *a, const struct page *b)
{
    const uint32_t left_out = PAGE_FLUSH_TYPE_MASK | PAGE_SCRUBBED;
    const struct page_header *x = page_header(a);
    const struct page_header *y = page_header(b);
    if (page_is_zero(a) || page_is_zero(b))
        return page_is_zero(a) == page_is_zero(b);
    if (x->modified != y->modified || x->previous != y->previous || x->next != y->next ||
        x->tree != y->tree || x->free_bytes != y->free_bytes || ((x->flags ^ y->flags) & ~left_out) != 0 ||
        page_line_count(a) != page_line_count(b) ||
        !same_line(page_external_header(a), page_external_header(b), false))
        return false;
    for (uint32_t line = 0; line < page_line_count(a); line++) {
        if (!same_line(page_line(a, line), page_line(b, line), page_size_is_large(a->size)))
            return false;
    }
    return true;
}

static uint32_t size_in_name(const char *name)
{
    for (const char *dash = name; (dash = strchr(dash, '-')) != NULL; dash++) {
        uint32_t size = (uint32_t)strtoul(dash + 1, NULL, 10);
        if (size >= 2048)
            return size;
    }
    return 0;
}

static void set_path(char *path, const char *set)
{
    const char *directory = shared_directory();
    if (directory == NULL) {
        print_message("../shared is not there: skipped\n");
        skip();
    }
    (void)snprintf(path, PATH_SIZE, "%s/%s", directory, set);
}

static void databases_come_from_their_logs(void **state)
{
    static const char *const sets[] = {"clean-4096",      "clean-16384",  "clean-32768",  "compressed-8192",
                                       "deleted-4096",    "indexes-8192", "tables-8192",  "multivalues-4096",
                                       "sequential-4096", "types-4096",   "unicode-8192", "term-abrupt-4096"};
    (void)state;
    for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]); i++) {
        char path[PATH_SIZE];
        char name[64];
        size_t size = 0;
        size_t size_made = 0;
        unsigned pages = 0;
        const struct engine engine = {"edb", 1, size_in_name(sets[i]), 128};
        (void)snprintf(name, sizeof(name), "golden/files/%s", sets[i]);
        set_path(path, name);
        load_directory(path);
        uint8_t *written = read_whole(DIRECTORY "a.edb", &size);
        assert_int_equal(EsentHostFileDelete(DIRECTORY "a.edb"), JET_errSuccess);
        (void)EsentHostFileDelete(DIRECTORY "edb.chk");
        recover(&engine);
        uint8_t *made = read_whole(DIRECTORY "a.edb", &size_made);
        assert_true(size_made >= size);
        for (size_t offset = 2 * (size_t)engine.page_size; offset < size; offset += engine.page_size) {
            const page_number number = (page_number)(offset / engine.page_size - 1);
            const struct page a = {written + offset, engine.page_size, number};
            const struct page b = {made + offset, engine.page_size, number};
            if (!same_page(&a, &b))
                fail_msg("%s: page %u is another", sets[i], (unsigned)number);
            pages += !page_is_zero(&a);
        }
        print_message("%s: %u pages\n", sets[i], pages);
        assert_true(pages > 10);
        free(written);
        free(made);
        expect_sound(DIRECTORY "a.edb");
    }
    assert_int_equal(EsentHostReset(NULL, 0), 0);
}

static void dirty_databases_become_sound(void **state)
{
    static const char *const sets[] = {"dirty-ddl-8192", "dirty-large-undo-16384",
                                       "special-columns-8192-dirty", "types-32768-dirty", "dirty-two-32768"};
    (void)state;
    for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]); i++) {
        char path[PATH_SIZE];
        char name[64];
        struct ESENT_HOST_FILE_INFO info;
        const struct engine engine = {"edb", 1, size_in_name(sets[i]), 128};
        (void)snprintf(name, sizeof(name), "golden/files/%s", sets[i]);
        set_path(path, name);
        load_directory(path);
        recover(&engine);
        expect_sound(DIRECTORY "a.edb");
        if (EsentHostFileInfo(DIRECTORY "b.edb", &info) == JET_errSuccess)
            expect_sound(DIRECTORY "b.edb");
    }
    assert_int_equal(EsentHostReset(NULL, 0), 0);
}

/* A dirty database of Windows 10 with its logs of five digits. */
static void a_database_of_windows_becomes_sound(void **state)
{
    const struct engine engine = {"SRU", 3, 4096, 64};
    char path[PATH_SIZE];
    (void)state;
    set_path(path, "edb/museum/srum-win10-dirty");
    load_directory(path);
    recover(&engine);
    expect_sound(DIRECTORY "SRUDB.dat");
    assert_int_equal(EsentHostReset(NULL, 0), 0);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(databases_come_from_their_logs),
        cmocka_unit_test(dirty_databases_become_sound),
        cmocka_unit_test(a_database_of_windows_becomes_sound),
    };
    (void)argc;
    (void)argv;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
