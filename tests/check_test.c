/* The checker of closed databases: it accepts files written by Windows and by the published engine (found in
 * ../shared beside the checkout; the tests that need them skip without it), refuses each kind of damage, and
 * survives any. */
#if !defined(_GNU_SOURCE)
#define _GNU_SOURCE 1
#endif

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/shared_files.h"
#include "include/esent_host.h"
#include "src/os/memory.h"
#include "src/os/random.h"
#include "src/page/checksum.h"
#include "src/page/database_header.h"
#include "src/page/node.h"

#define PATH "/check.edb"

struct findings {
    uint32_t errors;
    uint32_t warnings;
    char kinds[512];
    char first[256];
};

static void note(void *context, const struct ESENT_HOST_FINDING *finding)
{
    struct findings *findings = context;
    if (finding->warning) {
        findings->warnings++;
        return;
    }
    if (findings->errors++ == 0)
        snprintf(findings->first, sizeof findings->first, "%s: page %u object %u: %s", finding->kind,
                 finding->page, finding->object, finding->text);
    if (strstr(findings->kinds, finding->kind) == NULL && strlen(findings->kinds) < 400) {
        strcat(findings->kinds, finding->kind);
        strcat(findings->kinds, " ");
    }
}

static JET_ERR check(struct findings *findings)
{
    memset(findings, 0, sizeof *findings);
    return EsentHostCheckDatabase(PATH, note, findings);
}

/* ---- files from ../shared */

static uint8_t *file;
static size_t file_size;
static uint32_t page_size;

/* Unpacks a file of ../shared to memory; false if it is not there. */
static bool load(const char *name)
{
    char command[512];
    const char *shared = shared_directory();
    snprintf(command, sizeof command, "%s/%s", shared != NULL ? shared : "../shared", name);
    FILE *probe = fopen(command, "rb");
    if (probe == NULL) {
        print_message("skipped: ../shared/%s is not there\n", name);
        return false;
    }
    fclose(probe);
    snprintf(command, sizeof command, "gzip -dc '%s/%s'", shared, name);
    FILE *pipe = popen(command, "r");
    assert_non_null(pipe);
    free(file);
    size_t room = 1 << 20;
    file = malloc(room);
    file_size = 0;
    size_t got;
    while ((got = fread(file + file_size, 1, room - file_size, pipe)) > 0) {
        file_size += got;
        if (file_size == room) {
            room *= 2;
            file = realloc(file, room);
        }
    }
    assert_int_equal(pclose(pipe), 0);
    assert_true(file_size > 8192);
    page_size = ((struct database_header *)(void *)file)->page_size;
    return true;
}

static void store(void)
{
    assert_int_equal(EsentHostFileWrite(PATH, 0, file, file_size), JET_errSuccess);
    assert_int_equal(EsentHostFileSetSize(PATH, file_size), JET_errSuccess);
}

static int use_memory(void **state)
{
    (void)state;
    return EsentHostUseMemoryFiles();
}

static int end_world(void **state)
{
    (void)state;
    free(file);
    file = NULL;
    assert_int_equal(EsentHostReset(NULL, 0), 0);
    return 0;
}

static void accepts_the_files_of_others(void **state)
{
    static const struct {
        const char *name;
        JET_ERR expected;
    } files[] = {
        {"golden/files/clean-4096/a.edb.gz", JET_errSuccess},
        {"golden/files/clean-16384/a.edb.gz", JET_errSuccess},
        {"golden/files/clean-32768/a.edb.gz", JET_errSuccess},
        {"golden/files/compressed-8192/a.edb.gz", JET_errSuccess},
        {"golden/files/deep-index-8192/a.edb.gz", JET_errSuccess},
        {"golden/files/deleted-4096/a.edb.gz", JET_errSuccess},
        {"golden/files/indexes-8192/a.edb.gz", JET_errSuccess},
        {"golden/files/multivalues-4096/a.edb.gz", JET_errSuccess},
        {"golden/files/sequential-4096/a.edb.gz", JET_errSuccess},
        {"golden/files/tables-8192/a.edb.gz", JET_errSuccess},
        {"golden/files/types-4096/a.edb.gz", JET_errSuccess},
        {"golden/files/unicode-8192/a.edb.gz", JET_errSuccess},
        {"golden/files/dirty-two-32768/a.edb.gz", JET_errDatabaseDirtyShutdown},
        {"golden/files/backup-full-8192/bk/a.edb.gz", JET_errDatabaseDirtyShutdown},
        {"edb/dissect/basic.edb.gz", JET_errSuccess},
        {"edb/dissect/default.edb.gz", JET_errSuccess},
        {"edb/dissect/index.edb.gz", JET_errSuccess},
        {"edb/dissect/multi.edb.gz", JET_errSuccess},
        {"edb/dissect/text.edb.gz", JET_errSuccess},
        {"edb/ese_parser/decompress_test.edb.gz", JET_errSuccess},
        {"edb/ese_parser/test.edb.gz", JET_errSuccess},
        {"edb/go-ese/Current.mdb.gz", JET_errDatabaseDirtyShutdown},
        {"edb/go-ese/SystemIdentity.mdb.gz", JET_errSuccess},
        {"edb/museum/srum-server2022-day0/SRUDB.dat.gz", JET_errSuccess},
        {"edb/museum/srum-win10-clean-with-logs/SRUDB.dat.gz", JET_errSuccess},
        {"edb/museum/srum-win10-dirty/SRUDB.dat.gz", JET_errDatabaseDirtyShutdown},
        {"edb/museum/windows-search/Windows.edb.gz", JET_errSuccess},
        {"edb/artemis/qmgr.db.gz", JET_errDatabaseDirtyShutdown},
        {"edb/plaso/SystemIdentity.mdb.gz", JET_errSuccess},
    };
    (void)state;
    uint32_t seen = 0;
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        struct findings findings;
        if (!load(files[i].name))
            continue;
        store();
        JET_ERR err = check(&findings);
        if (findings.errors != 0 || err != files[i].expected)
            fail_msg("%s: %d, %s", files[i].name, err, findings.first);
        seen++;
    }
    if (seen == 0)
        skip();
}

/* ---- damage that keeps the checksums right */

static struct page page_at(page_number number)
{
    return (struct page){file + page_file_offset(number, page_size), page_size, number};
}

static void seal(struct page *page)
{
    checksum_page_set(page);
}

static uint32_t last_page(void)
{
    return (uint32_t)(file_size / page_size) - 2;
}

/* The first page that has all of `flags`, none of `without`, and at least `lines` lines; 0 if there is none.
 */
static page_number find_page(uint32_t flags, uint32_t without, uint32_t lines)
{
    for (page_number number = 25; number <= last_page(); number++) {
        struct page page = page_at(number);
        if (!page_is_zero(&page) && (page_header(&page)->flags & flags) == flags &&
            !page_has_flag(&page, without) && page_header(&page)->tree > 7 && page_line_count(&page) >= lines)
            return number;
    }
    return 0;
}

static void expect(const char *kind)
{
    struct findings findings;
    store();
    JET_ERR err = check(&findings);
    assert_int_equal(err, JET_errDatabaseCorrupted);
    if (strstr(findings.kinds, kind) == NULL)
        fail_msg("%s expected, found: %s(%s)", kind, findings.kinds, findings.first);
}

static bool load_rich(void)
{
    return load("golden/files/indexes-8192/a.edb.gz");
}

static void sees_a_flipped_bit(void **state)
{
    (void)state;
    if (!load_rich())
        skip();
    file[page_file_offset(30, page_size) + 1000] ^= 4;
    expect("checksum");
}

static void sees_a_broken_header(void **state)
{
    struct findings findings;
    (void)state;
    if (!load_rich())
        skip();
    file[100] ^= 4;
    store();
    assert_int_equal(check(&findings), JET_errSuccess); /* the shadow is good */
    assert_int_equal(findings.warnings, 1);
    file[page_size + 100] ^= 8;
    store();
    assert_true(check(&findings) < JET_errSuccess);
    assert_int_equal(EsentHostFileDelete(PATH), JET_errSuccess);
    assert_int_equal(check(&findings), JET_errFileNotFound);
}

static void sees_nodes_out_of_order(void **state)
{
    (void)state;
    if (!load_rich())
        skip();
    page_number number = find_page(PAGE_LEAF, PAGE_SPACE_TREE | PAGE_LONG_VALUE, 3);
    assert_true(number != 0);
    struct page page = page_at(number);
    /* exchange two tags */
    uint8_t tag[4];
    uint8_t *second = page.data + page.size - 8;
    memcpy(tag, second, 4);
    memmove(second, second - 4, 4);
    memcpy(second - 4, tag, 4);
    seal(&page);
    expect("tree");
}

static void sees_wrong_siblings(void **state)
{
    (void)state;
    if (!load("golden/files/deep-index-8192/a.edb.gz"))
        skip();
    page_number number = 0;
    for (page_number at = 25; at <= last_page() && number == 0; at++) {
        struct page page = page_at(at);
        if (!page_is_zero(&page) && page_is_leaf(&page) && page_header(&page)->next != 0)
            number = at;
    }
    assert_true(number != 0);
    struct page page = page_at(number);
    page_header(&page)->next = 0;
    seal(&page);
    expect("tree");
}

static void sees_a_foreign_page(void **state)
{
    (void)state;
    if (!load_rich())
        skip();
    page_number number = find_page(PAGE_LEAF, PAGE_SPACE_TREE, 1);
    struct page page = page_at(number);
    page_header(&page)->tree += 1;
    seal(&page);
    expect("tree");
}

static void sees_a_page_with_two_owners(void **state)
{
    (void)state;
    if (!load_rich())
        skip();
    /* a single-extent tree claims one page more than it has */
    bool done = false;
    for (page_number number = 25; number <= last_page() && !done; number++) {
        struct page page = page_at(number);
        struct line header = page_external_header(&page);
        if (page_is_zero(&page) || !page_is_root(&page) || page_has_flag(&page, PAGE_SPACE_TREE) ||
            header.size != 16 || (header.data[8] & 1) != 0)
            continue;
        header.data[0]++;
        seal(&page);
        done = true;
    }
    assert_true(done);
    expect("space");
}

static void sees_a_page_used_and_available(void **state)
{
    (void)state;
    if (!load_rich())
        skip();
    /* the available extents of the database's root gain a page that the catalog uses */
    struct page page = page_at(3);
    bool done = false;
    for (uint32_t line = 0; line < page_line_count(&page) && !done; line++) {
        struct node node = node_get(&page, line);
        if (node.data.size != 4)
            continue;
        uint32_t count;
        memcpy(&count, node.data.bytes, 4);
        count += 2;
        memcpy((uint8_t *)(uintptr_t)node.data.bytes, &count, 4);
        seal(&page);
        done = true;
    }
    assert_true(done);
    expect("space");
}

/* Indexes that leave records out by design cannot show it: at least one of the others must. */
static void sees_a_lost_index_entry(void **state)
{
    (void)state;
    if (!load_rich())
        skip();
    uint32_t seen = 0;
    for (page_number number = 25; number <= last_page(); number++) {
        struct findings findings;
        struct page page = page_at(number);
        if (page_is_zero(&page) || !page_is_leaf(&page) || !page_has_flag(&page, PAGE_INDEX) ||
            page_has_flag(&page, PAGE_SPACE_TREE) || page_line_count(&page) < 3)
            continue;
        uint8_t *before = malloc(page_size);
        memcpy(before, page.data, page_size);
        page_delete_lines(&page, 1, 1);
        seal(&page);
        store();
        seen += check(&findings) == JET_errDatabaseCorrupted && strstr(findings.kinds, "index") != NULL;
        memcpy(page.data, before, page_size);
        free(before);
    }
    assert_true(seen > 0);
}

static void sees_a_lost_record(void **state)
{
    (void)state;
    if (!load_rich())
        skip();
    page_number number = find_page(PAGE_LEAF, PAGE_SPACE_TREE | PAGE_INDEX | PAGE_LONG_VALUE, 3);
    assert_true(number != 0);
    struct page page = page_at(number);
    node_set_flags(&page, 1, NODE_DELETED);
    seal(&page);
    expect("index");
}

static void sees_a_wrong_reference_count(void **state)
{
    (void)state;
    if (!load("golden/files/compressed-8192/a.edb.gz"))
        skip();
    bool done = false;
    for (page_number number = 25; number <= last_page() && !done; number++) {
        struct page page = page_at(number);
        if (page_is_zero(&page) || !page_has_flag(&page, PAGE_LONG_VALUE) ||
            page_has_flag(&page, PAGE_SPACE_TREE) || !page_is_leaf(&page))
            continue;
        for (uint32_t line = 0; line < page_line_count(&page) && !done; line++) {
            struct node node = node_get(&page, line);
            if (key_size(&node.key) != 4 || node.data.size != 8)
                continue;
            ((uint8_t *)(uintptr_t)node.data.bytes)[0]++;
            seal(&page);
            done = true;
        }
    }
    assert_true(done);
    expect("long value");
}

static void sees_a_shadow_that_differs(void **state)
{
    (void)state;
    if (!load_rich())
        skip();
    bool done = false;
    for (page_number number = 24; number <= last_page() && !done; number++) {
        struct page page = page_at(number);
        if (page_is_zero(&page) || page_header(&page)->tree != 3 || !page_is_leaf(&page) ||
            page_has_flag(&page, PAGE_SPACE_TREE) || page_line_count(&page) < 2)
            continue;
        node_set_flags(&page, page_line_count(&page) - 1, NODE_DELETED);
        seal(&page);
        done = true;
    }
    assert_true(done);
    expect("catalog");
}

static void sees_a_broken_record(void **state)
{
    (void)state;
    if (!load_rich())
        skip();
    page_number number = find_page(PAGE_LEAF, PAGE_SPACE_TREE | PAGE_INDEX | PAGE_LONG_VALUE, 1);
    struct page page = page_at(number);
    struct node node = node_get(&page, 0);
    ((uint8_t *)(uintptr_t)node.data.bytes)[3] = 0x70; /* the fixed part ends far away */
    seal(&page);
    expect("record");
}

static void sees_a_file_cut_short(void **state)
{
    struct findings findings;
    (void)state;
    if (!load_rich())
        skip();
    file_size = page_file_offset(40, page_size);
    expect("space");
    file_size = page_size * 2 + 10;
    store();
    assert_true(check(&findings) < JET_errSuccess);
    file_size = 100;
    store();
    assert_true(check(&findings) < JET_errSuccess);
    file_size = 0;
    store();
    assert_true(check(&findings) < JET_errSuccess);
}

/* ---- any damage at all: no crash, no endless work */

static void survives_any_damage(void **state)
{
    static const char *const names[] = {
        "golden/files/indexes-8192/a.edb.gz", "golden/files/multivalues-4096/a.edb.gz",
        "golden/files/compressed-8192/a.edb.gz", "golden/files/clean-32768/a.edb.gz"};
    struct os_random random;
    (void)state;
    os_random_seed(&random, 20);
    uint32_t refused = 0;
    uint32_t tried = 0;
    for (size_t f = 0; f < sizeof names / sizeof names[0]; f++) {
        if (!load(names[f]))
            continue;
        store();
        assert_int_equal(EsentHostFilesSave(0), JET_errSuccess);
        uint8_t *damaged = malloc(page_size);
        page_number used[400];
        uint32_t used_count = 0;
        for (page_number number = 1; number <= last_page() && used_count < 400; number++) {
            struct page page = page_at(number);
            if (!page_is_zero(&page))
                used[used_count++] = number;
        }
        for (uint32_t round = 0; round < 150; round++) {
            uint32_t pages = 1 + os_random_next_below(&random, 3);
            while (pages-- > 0) {
                page_number number = used[os_random_next_below(&random, used_count)];
                memcpy(damaged, file + page_file_offset(number, page_size), page_size);
                uint32_t changes = 1 + os_random_next_below(&random, 8);
                while (changes-- > 0) {
                    uint32_t where = os_random_next_below(&random, 4);
                    uint32_t at = where == 0   ? 8 + os_random_next_below(&random, 32)
                                  : where == 1 ? page_size - 1 - os_random_next_below(&random, 64)
                                  : where == 2 ? 40 + os_random_next_below(&random, 100)
                                               : os_random_next_below(&random, page_size);
                    damaged[at] = (uint8_t)os_random_next(&random);
                }
                struct page page = {damaged, page_size, number};
                checksum_page_set(&page);
                assert_int_equal(
                    EsentHostFileWrite(PATH, page_file_offset(number, page_size), damaged, page_size),
                    JET_errSuccess);
            }
            struct findings findings;
            tried++;
            refused += check(&findings) != JET_errSuccess;
            assert_int_equal(os_memory_live_count(), 0);
            assert_int_equal(EsentHostFilesRestore(0), JET_errSuccess);
        }
        free(damaged);
    }
    if (tried == 0)
        skip();
    assert_true(refused * 3 > tried); /* many bytes of a page are free space or data */
}

static void every_allocation_and_read_can_fail(void **state)
{
    struct findings findings;
    (void)state;
    if (!load("golden/files/multivalues-4096/a.edb.gz"))
        skip();
    store();
    static const enum ESENT_HOST_FAULT kinds[] = {ESENT_HOST_FAULT_ALLOCATE, ESENT_HOST_FAULT_IO};
    for (size_t k = 0; k < 2; k++) {
        EsentHostFailNone();
        EsentHostResetCounters();
        assert_int_equal(check(&findings), JET_errSuccess);
        uint64_t points = EsentHostCountPoints(kinds[k]);
        assert_true(points > 10);
        uint64_t step = points / 150 + 1;
        for (uint64_t n = 1; n <= points; n += step) {
            EsentHostFailNth(kinds[k], n, 1);
            JET_ERR err = check(&findings);
            assert_true(err < JET_errSuccess || findings.warnings > 0); /* one header may miss */
            assert_int_equal(findings.errors, 0);
            EsentHostFailNone();
            assert_int_equal(os_memory_live_count(), 0);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accepts_the_files_of_others),  cmocka_unit_test(sees_a_flipped_bit),
        cmocka_unit_test(sees_a_broken_header),         cmocka_unit_test(sees_nodes_out_of_order),
        cmocka_unit_test(sees_wrong_siblings),          cmocka_unit_test(sees_a_foreign_page),
        cmocka_unit_test(sees_a_page_with_two_owners),  cmocka_unit_test(sees_a_page_used_and_available),
        cmocka_unit_test(sees_a_lost_index_entry),      cmocka_unit_test(sees_a_lost_record),
        cmocka_unit_test(sees_a_wrong_reference_count), cmocka_unit_test(sees_a_shadow_that_differs),
        cmocka_unit_test(sees_a_broken_record),         cmocka_unit_test(sees_a_file_cut_short),
        cmocka_unit_test(survives_any_damage),          cmocka_unit_test(every_allocation_and_read_can_fail),
    };
    return cmocka_run_group_tests(tests, use_memory, end_world);
}
