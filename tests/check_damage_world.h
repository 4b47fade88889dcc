/* The database that the tests of the checker damage: how it is made, how places in it are found and changed.
 */
#ifndef OPENESENT_TESTS_CHECK_DAMAGE_WORLD_H
#define OPENESENT_TESTS_CHECK_DAMAGE_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "include/esent.h"
#include "include/esent_host.h"
#include "src/btree/apply_space.h"
#include "src/os/memory.h"
#include "src/page/checksum.h"
#include "src/page/database_header.h"
#include "src/page/node.h"

#define PATH "/d/check.edb"
#define OK(call) assert_int_equal(call, JET_errSuccess)

/* ---- the database: a table of 400 rows with an index, and long values that rows share */

static uint8_t *golden;
static uint8_t *file;
static size_t file_size;
static size_t golden_size;
static uint32_t page_size;

static void make_rows(JET_SESID session, JET_TABLEID table, const JET_COLUMNID columns[4])
{
    static uint8_t bytes[30000];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i * 7 + i / 1000);
    OK(JetBeginTransaction(session));
    for (int32_t i = 0; i < 400; i++) {
        char text[80];
        snprintf(text, sizeof text, "row number %d of four hundred in this table", (i * 37) % 400);
        OK(JetPrepareUpdate(session, table, JET_prepInsert));
        OK(JetSetColumn(session, table, columns[0], &i, sizeof i, 0, NULL));
        OK(JetSetColumn(session, table, columns[1], text, (unsigned)strlen(text), 0, NULL));
        if (i % 50 == 0)
            OK(JetSetColumn(session, table, columns[2], bytes, 9000 + (unsigned)i * 50, 0, NULL));
        OK(JetSetColumn(session, table, columns[3], &i, sizeof i, 0, NULL));
        OK(JetUpdate(session, table, NULL, 0, NULL));
    }
    OK(JetCommitTransaction(session, 0));
}

/* Records that some indexes have no entry for, or several, and one whose keys are all the same. */
static void make_partial_table(JET_SESID session, JET_DBID database)
{
    JET_TABLEID table = 0;
    JET_COLUMNID columns[2];
    static char number[] = "number";
    static char text[] = "text";
    static char sometimes[] = "sometimes";
    static char tuples[] = "tuples";
    static char equal[] = "equal";
    static char by_number[] = "+number\0";
    static char by_text[] = "+text\0";
    JET_CONDITIONALCOLUMN_A condition = {sizeof condition, text, JET_bitIndexColumnMustBeNonNull};
    JET_INDEXCREATE_A indexes[] = {
        {.szIndexName = sometimes,
         .szKey = by_number,
         .cbKey = sizeof by_number,
         .rgconditionalcolumn = &condition,
         .cConditionalColumn = 1},
        {.szIndexName = tuples, .szKey = by_text, .cbKey = sizeof by_text, .grbit = JET_bitIndexTuples},
        {.szIndexName = equal, .szKey = by_number, .cbKey = sizeof by_number}};
    JET_COLUMNDEF definition = {.cbStruct = sizeof definition, .coltyp = JET_coltypLong};
    OK(JetCreateTableA(session, database, "a table with a name of as many letters as a name can have at all",
                       1, 100, &table));
    OK(JetAddColumnA(session, table, number, &definition, NULL, 0, &columns[0]));
    definition.coltyp = JET_coltypText;
    definition.cp = 1252;
    OK(JetAddColumnA(session, table, text, &definition, NULL, 0, &columns[1]));
    for (size_t i = 0; i < 3; i++) {
        indexes[i].cbStruct = sizeof indexes[i];
        OK(JetCreateIndex2A(session, table, &indexes[i], 1));
    }
    for (int32_t i = 0; i < 4; i++) {
        static const int32_t same = 7;
        OK(JetPrepareUpdate(session, table, JET_prepInsert));
        OK(JetSetColumn(session, table, columns[0], &same, sizeof same, 0, NULL));
        if (i % 2 == 0)
            OK(JetSetColumn(session, table, columns[1], "some words", 10, 0, NULL));
        OK(JetUpdate(session, table, NULL, 0, NULL));
    }
    OK(JetCloseTable(session, table));
}

static int make_database_of(uint32_t size)
{
    JET_INSTANCE instance = JET_instanceNil;
    JET_SESID session = 0;
    JET_DBID database = 0;
    JET_TABLEID table = 0;
    JET_COLUMNID columns[4];
    static const char key[] = "+text\0";
    static const char primary[] = "+id\0";
    struct ESENT_HOST_FILE_INFO info;
    size_t done = 0;
    OK(EsentHostUseMemoryFiles());
    (void)EsentHostReset(NULL, 0);
    OK(EsentHostDirectoryCreate("/d"));
    OK(EsentHostSetDirectory("/d"));
    OK(JetSetSystemParameterA(NULL, 0, JET_paramDatabasePageSize, size, NULL));
    OK(JetCreateInstanceA(&instance, "check"));
    OK(JetInit(&instance));
    OK(JetBeginSessionA(instance, &session, NULL, NULL));
    OK(JetCreateDatabaseA(session, PATH, NULL, &database, 0));
    make_partial_table(session, database);
    OK(JetCreateTableA(session, database, "rows", 1, 100, &table));
    static const struct {
        const char *name;
        JET_COLTYP type;
        JET_GRBIT grbit;
    } made[4] = {{"id", JET_coltypLong, JET_bitColumnFixed},
                 {"text", JET_coltypText, 0},
                 {"long", JET_coltypLongBinary, 0},
                 {"tagged", JET_coltypLong, JET_bitColumnTagged}};
    for (size_t i = 0; i < 4; i++) {
        JET_COLUMNDEF definition = {
            .cbStruct = sizeof definition, .coltyp = made[i].type, .grbit = made[i].grbit, .cp = 1252};
        OK(JetAddColumnA(session, table, made[i].name, &definition, NULL, 0, &columns[i]));
    }
    OK(JetCreateIndexA(session, table, "primary", JET_bitIndexPrimary, primary, sizeof primary, 100));
    OK(JetCreateIndexA(session, table, "by text", 0, key, sizeof key, 100));
    make_rows(session, table, columns);
    OK(JetCloseTable(session, table));
    OK(JetCreateTableA(session, database, "second", 1, 100, &table));
    OK(JetCloseTable(session, table));
    OK(JetCloseDatabase(session, database, 0));
    OK(JetTerm(instance));
    OK(EsentHostFileInfo(PATH, &info));
    golden_size = (size_t)info.size;
    golden = malloc(golden_size);
    file = malloc(golden_size);
    OK(EsentHostFileRead(PATH, 0, golden, golden_size, &done));
    assert_int_equal(done, golden_size);
    page_size = ((struct database_header *)(void *)golden)->page_size;
    assert_int_equal(page_size, size);
    return 0;
}

static int make_database(void **state)
{
    (void)state;
    return make_database_of(4096);
}

static int make_large_pages(void **state)
{
    (void)state;
    return make_database_of(16384);
}

static int end_world(void **state)
{
    (void)state;
    free(golden);
    free(file);
    OK(EsentHostSetDirectory(NULL));
    assert_int_equal(EsentHostReset(NULL, 0), 0);
    return 0;
}

/* ---- places */

static struct page page_at(page_number number)
{
    return (struct page){file + page_file_offset(number, page_size), page_size, number};
}

static page_number last_page(void)
{
    return (page_number)(file_size / page_size) - 2;
}

#define KIND (PAGE_ROOT | PAGE_LEAF | PAGE_SPACE_TREE | PAGE_INDEX | PAGE_LONG_VALUE)

/* The `nth` page (from 1) of the program's tables with exactly these of the flags KIND. */
static struct page nth_page(uint32_t flags, uint32_t nth)
{
    for (page_number number = 25; number <= last_page(); number++) {
        struct page page = page_at(number);
        if (!page_is_zero(&page) && page_header(&page)->tree > 7 &&
            (page_header(&page)->flags & KIND) == flags && !page_has_flag(&page, PAGE_EMPTY) &&
            page_line_count(&page) > 0 && --nth == 0)
            return page;
    }
    fail_msg("no page with flags %x", flags);
    return page_at(1);
}

static struct page table_root(void)
{
    return nth_page(PAGE_ROOT, 1);
}
static struct page table_leaf(void)
{
    struct page root = table_root();
    return page_at(node_child(&root, 2));
}
static struct page value_leaf(void)
{
    return nth_page(PAGE_LONG_VALUE | PAGE_LEAF, 1);
}
/* A page to build with, from the end of the file, which is not available any more. */
static struct page spare_page(uint32_t n)
{
    struct page available = page_at(3);
    uint32_t last = page_line_count(&available) - 1;
    struct extent_key key = extent_key_of(last_page());
    struct key end = key_of(key.bytes, sizeof key.bytes);
    struct node node = node_get(&available, last);
    if (key_compare(&node.key, &end) == 0) {
        page_delete_lines(&available, last, 1);
        checksum_page_set(&available);
    }
    return page_at(last_page() - n);
}

static void seal(struct page page)
{
    checksum_page_set(&page);
}

static void set_flags(struct page page, uint32_t set, uint32_t clear)
{
    page_header(&page)->flags = (page_header(&page)->flags | set) & ~clear;
    seal(page);
}

static void put_data(struct page page, uint32_t line, const void *bytes, size_t size)
{
    node_replace_data(&page, line, span_of(bytes, size));
    seal(page);
}

static void put_number(struct page page, uint32_t line, uint32_t number)
{
    put_data(page, line, &number, sizeof number);
}

static void add_node(struct page page, uint32_t line, const void *key, size_t key_bytes, const void *data,
                     size_t size)
{
    struct node node = {key_of(key, key_bytes), span_of(data, size), 0};
    node_insert(&page, line, &node, 0);
    seal(page);
}

static void drop_line(struct page page, uint32_t line)
{
    page_delete_lines(&page, line, 1);
    seal(page);
}

static void put_header_word(struct page page, size_t offset, uint32_t value)
{
    struct line line = page_external_header(&page);
    assert_true(line.size >= offset + 4);
    memcpy(line.data + offset + (line.size % 8 == 1), &value, 4);
    seal(page);
}

static void put_external_header(struct page page, const void *bytes, size_t size)
{
    struct span part = span_of(bytes, size);
    page_set_external_header(&page, &part, 1);
    seal(page);
}

#endif
