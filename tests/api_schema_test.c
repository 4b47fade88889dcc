/* Tables, columns and indexes made, renamed and deleted, call by call: structures in each of their forms,
 * wrong sizes, names that are none; and the hints that read ahead. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/api_cases.h"
#include "tests/api_world.h"

#define BAD_TEXT ((char *)(uintptr_t) "a\xff")  /* not UTF-8 */
#define BAD_WIDE ((WCHAR *)(uintptr_t)bad_wide) /* a lone low surrogate */
#define TEXT(text) ((char *)(uintptr_t)(text))
#define LONG_NAME "1234567890123456789012345678901234567890123456789012345678901234x" /* 65 */

static const WCHAR bad_wide[] = {'a', 0xdc00, 'b', 0};
static WCHAR wide_t[] = {'t', 0};
static WCHAR wide_n[] = {'n', 0};
static WCHAR wide_a[] = {'a', 0};
static WCHAR wide_w[] = {'w', 0};
static WCHAR wide_key[] = {'+', 'b', 0, 0};
static WCHAR wide_odd_key[] = {'+', 0x3b1, 0, 0};

static JET_DBID database;
static JET_TABLEID table;
static JET_COLUMNID column_a;

static int setup(void **state)
{
    JET_COLUMNDEF number = {
        .cbStruct = sizeof(number), .coltyp = JET_coltypLong, .grbit = JET_bitColumnFixed};
    JET_COLUMNDEF text = {.cbStruct = sizeof(text), .coltyp = JET_coltypText, .cp = 1200};
    (void)state;
    return api_world_start(true) &&
                   JetCreateDatabaseA(session, "x.edb", NULL, &database, 0) == JET_errSuccess &&
                   JetCreateTableA(session, database, "t", 0, 80, &table) == JET_errSuccess &&
                   JetAddColumnA(session, table, "a", &number, NULL, 0, &column_a) == JET_errSuccess &&
                   JetAddColumnA(session, table, "b", &text, NULL, 0, NULL) == JET_errSuccess
               ? 0
               : -1;
}

/* --- tables --- */

static void open_and_close(void **state)
{
    (void)state;
    JET_TABLEID other = 7;
    EXPECT(JET_errInvalidSesid, JetOpenTableA(0, database, "t", NULL, 0, 0, &other));
    EXPECT(JET_errInvalidDatabaseId, JetOpenTableA(session, 0, "t", NULL, 0, 0, &other));
    EXPECT_EQUAL(7, other);
    EXPECT(JET_errInvalidParameter, JetOpenTableA(session, database, "t", NULL, 0, 0, NULL));
    EXPECT(JET_errInvalidName, JetOpenTableA(session, database, NULL, NULL, 0, 0, &other));
    EXPECT(JET_errInvalidName, JetOpenTableA(session, database, "", NULL, 0, 0, &other));
    EXPECT(JET_errInvalidParameter, JetOpenTableA(session, database, BAD_TEXT, NULL, 0, 0, &other));
    EXPECT(JET_errInvalidParameter, JetOpenTableW(session, database, BAD_WIDE, NULL, 0, 0, &other));
    EXPECT(JET_errObjectNotFound, JetOpenTableA(session, database, "no", NULL, 0, 0, &other));
    EXPECT_EQUAL(JET_tableidNil, other);
    EXPECT(JET_errInvalidGrbit, JetOpenTableA(session, database, "t", NULL, 0, 0x10000000, &other));
    EXPECT(JET_errInvalidGrbit,
           JetOpenTableA(session, database, "t", NULL, 0, JET_bitTablePermitDDL, &other));
    EXPECT(JET_errInvalidGrbit, JetOpenTableA(session, database, "t", NULL, 0,
                                              JET_bitTableDenyRead | JET_bitTableReadOnly, &other));
    EXPECT(JET_errSuccess, JetOpenTableW(session, database, wide_t, NULL, 0, 0, &other));
    EXPECT(JET_errInvalidTableId, JetCloseTable(session, 0));
    EXPECT(JET_errInvalidTableId, JetCloseTable(session, JET_tableidNil));
    EXPECT(JET_errInvalidSesid, JetCloseTable(0, other));
    EXPECT(JET_errSuccess, JetCloseTable(session, other));
    EXPECT(JET_errInvalidTableId, JetCloseTable(session, other));
    EXPECT(JET_errInvalidParameter, JetDupCursor(session, table, NULL, 0));
    EXPECT(JET_errInvalidTableId, JetDupCursor(session, other, &other, 0));
    EXPECT(JET_errSuccess, JetDupCursor(session, table, &other, 0));
    EXPECT(JET_errSuccess, JetCloseTable(session, other));
    cases_end();
}

static void create_rename_delete(void **state)
{
    (void)state;
    JET_TABLEID other = 7;
    EXPECT(JET_errInvalidName, JetCreateTableA(session, database, NULL, 0, 80, &other));
    EXPECT_EQUAL(JET_tableidNil, other);
    EXPECT(JET_errInvalidParameter, JetCreateTableA(session, database, BAD_TEXT, 0, 80, &other));
    EXPECT(JET_errInvalidParameter, JetCreateTableW(session, database, BAD_WIDE, 0, 80, &other));
    EXPECT(JET_errInvalidDatabaseId, JetCreateTableA(session, 0, "n", 0, 80, &other));
    EXPECT(JET_errDensityInvalid, JetCreateTableA(session, database, "n", 0, 101, &other));
    EXPECT(JET_errTableDuplicate, JetCreateTableA(session, database, "t", 0, 80, &other));
    EXPECT(JET_errSuccess, JetCreateTableW(session, database, wide_n, 0, 80, &other));
    EXPECT(JET_errInvalidParameter, JetRenameTableA(session, database, BAD_TEXT, "m"));
    EXPECT(JET_errInvalidParameter, JetRenameTableA(session, database, "n", BAD_TEXT));
    EXPECT(JET_errInvalidParameter, JetRenameTableW(session, database, wide_n, BAD_WIDE));
    EXPECT(JET_errInvalidDatabaseId, JetRenameTableA(session, 0, "n", "m"));
    EXPECT(JET_errInvalidName, JetRenameTableA(session, database, "n", ""));
    EXPECT(JET_errSuccess, JetCloseTable(session, other));
    EXPECT(JET_errKeyDuplicate, JetRenameTableA(session, database, "n", "t"));
    EXPECT(JET_errSuccess, JetRenameTableW(session, database, wide_n, wide_w));
    EXPECT(JET_errInvalidDatabaseId, JetDeleteTableA(session, 0, "w"));
    EXPECT(JET_errInvalidParameter, JetDeleteTableA(session, database, BAD_TEXT));
    EXPECT(JET_errObjectNotFound, JetDeleteTableA(session, database, "n"));
    EXPECT(JET_errSuccess, JetDeleteTableW(session, database, wide_w));
    EXPECT(JET_errTableInUse, JetDeleteTableA(session, database, "t"));
    /* A transaction that may only read makes none. */
    EXPECT(JET_errSuccess, JetBeginTransaction2(session, JET_bitTransactionReadOnly));
    EXPECT(JET_errTransReadOnly, JetCreateTableA(session, database, "n", 0, 80, &other));
    EXPECT(JET_errSuccess, JetCommitTransaction(session, 0));
    cases_end();
}

static void read_only_database(void **state)
{
    (void)state;
    JET_TABLEID other;
    EXPECT(JET_errSuccess, JetCloseDatabase(session, database, 0));
    EXPECT(JET_errSuccess, JetDetachDatabaseA(session, "x.edb"));
    EXPECT(JET_errSuccess, JetAttachDatabaseA(session, "x.edb", JET_bitDbReadOnly));
    EXPECT(JET_errSuccess, JetOpenDatabaseA(session, "x.edb", NULL, &database, JET_bitDbReadOnly));
    EXPECT(JET_errPermissionDenied, JetCreateTableA(session, database, "n", 0, 80, &other));
    EXPECT(JET_errPermissionDenied, JetRenameTableA(session, database, "t", "n"));
    EXPECT(JET_errSuccess, JetOpenTableA(session, database, "t", NULL, 0, 0, &other));
    EXPECT(JET_errPermissionDenied, JetComputeStats(session, other));
    cases_end();
}

/* Each form of the whole-table structure is known by its size, and holds the columns and indexes of its form.
 */
#define WHOLE(structure, call, name)                                                                         \
    do {                                                                                                     \
        structure whole = {.cbStruct = sizeof(structure) - 1, .szTableName = (name), .tableid = 7};          \
        EXPECT(JET_errInvalidParameter, call(session, database, NULL));                                      \
        EXPECT(JET_errInvalidParameter, call(session, database, &whole));                                    \
        whole.cbStruct = sizeof(whole);                                                                      \
        EXPECT(JET_errInvalidDatabaseId, call(session, 0, &whole));                                          \
        EXPECT_EQUAL(JET_tableidNil, whole.tableid);                                                         \
        EXPECT(JET_errSuccess, call(session, database, &whole));                                             \
        EXPECT_EQUAL(1, whole.cCreated);                                                                     \
        EXPECT(JET_errSuccess, JetCloseTable(session, whole.tableid));                                       \
        EXPECT(JET_errTableDuplicate, call(session, database, &whole));                                      \
        EXPECT(JET_errSuccess, JetDeleteTableA(session, database, "n"));                                     \
    } while (0)

static void whole_tables(void **state)
{
    (void)state;
    WHOLE(JET_TABLECREATE_A, JetCreateTableColumnIndexA, TEXT("n"));
    WHOLE(JET_TABLECREATE_W, JetCreateTableColumnIndexW, wide_n);
    WHOLE(JET_TABLECREATE2_A, JetCreateTableColumnIndex2A, TEXT("n"));
    WHOLE(JET_TABLECREATE2_W, JetCreateTableColumnIndex2W, wide_n);
    WHOLE(JET_TABLECREATE3_A, JetCreateTableColumnIndex3A, TEXT("n"));
    WHOLE(JET_TABLECREATE3_W, JetCreateTableColumnIndex3W, wide_n);
    WHOLE(JET_TABLECREATE4_A, JetCreateTableColumnIndex4A, TEXT("n"));
    WHOLE(JET_TABLECREATE4_W, JetCreateTableColumnIndex4W, wide_n);
    cases_end();
}

static void parts_of_whole_tables(void **state)
{
    (void)state;
    JET_COLUMNCREATE_A columns[2] = {
        {.cbStruct = sizeof(columns[0]), .szColumnName = TEXT("a"), .coltyp = JET_coltypLong},
        {.cbStruct = sizeof(columns[0]) - 1, .szColumnName = TEXT("b"), .coltyp = JET_coltypLong},
    };
    JET_INDEXCREATE_A index = {
        .cbStruct = sizeof(index), .szIndexName = TEXT("i"), .szKey = TEXT("+a\0"), .cbKey = 4};
    JET_TABLECREATE_A whole = {
        .cbStruct = sizeof(whole), .szTableName = TEXT("n"), .rgcolumncreate = columns, .cColumns = 2};
    EXPECT(JET_errInvalidParameter, JetCreateTableColumnIndexA(session, database, &whole));
    columns[1].cbStruct++;
    columns[1].szColumnName = BAD_TEXT;
    EXPECT(JET_errInvalidParameter, JetCreateTableColumnIndexA(session, database, &whole));
    columns[1].szColumnName = TEXT("a");
    EXPECT(JET_errColumnDuplicate, JetCreateTableColumnIndexA(session, database, &whole));
    EXPECT_EQUAL(JET_errSuccess, columns[0].err);
    EXPECT_EQUAL((uint32_t)JET_errColumnDuplicate, (uint32_t)columns[1].err);
    columns[1].szColumnName = TEXT("b");
    whole.szTemplateTableName = BAD_TEXT;
    EXPECT(JET_errInvalidParameter, JetCreateTableColumnIndexA(session, database, &whole));
    whole.szTemplateTableName = TEXT("no");
    EXPECT(JET_errObjectNotFound, JetCreateTableColumnIndexA(session, database, &whole));
    whole.szTemplateTableName = NULL;
    whole.rgindexcreate = &index;
    whole.cIndexes = 1;
    index.cbStruct--;
    EXPECT(JET_errInvalidParameter, JetCreateTableColumnIndexA(session, database, &whole));
    index.cbStruct++;
    index.szKey = TEXT("+c\0");
    EXPECT(JET_errColumnNotFound, JetCreateTableColumnIndexA(session, database, &whole));
    EXPECT_EQUAL((uint32_t)JET_errColumnNotFound, (uint32_t)index.err);
    index.szKey = TEXT("+a\0");
    EXPECT(JET_errSuccess, JetCreateTableColumnIndexA(session, database, &whole));
    EXPECT_EQUAL(4, whole.cCreated);
    EXPECT(JET_errSuccess, JetDelete(session, whole.tableid) == JET_errNoCurrentRecord ? JET_errSuccess : 1);
    /* A count with nothing there, and something there that is not counted. */
    whole.szTableName = TEXT("o");
    whole.rgindexcreate = NULL;
    EXPECT(JET_errInvalidParameter, JetCreateTableColumnIndexA(session, database, &whole));
    whole.szTableName = TEXT("o");
    whole.rgcolumncreate = NULL;
    whole.cIndexes = 0;
    EXPECT(JET_errSuccess, JetCreateTableColumnIndexA(session, database, &whole));
    EXPECT_EQUAL(1, whole.cCreated);
    cases_end();
}

/* --- columns --- */

static void columns(void **state)
{
    (void)state;
    JET_COLUMNDEF definition = {.cbStruct = sizeof(definition), .coltyp = JET_coltypLong};
    int32_t value = 5;
    JET_COLUMNID id = 7;
    EXPECT(JET_errInvalidTableId, JetAddColumnA(session, 0, "n", &definition, NULL, 0, &id));
    EXPECT(JET_errInvalidParameter, JetAddColumnA(session, table, "n", NULL, NULL, 0, &id));
    definition.cbStruct--;
    EXPECT(JET_errInvalidParameter, JetAddColumnA(session, table, "n", &definition, NULL, 0, &id));
    definition.cbStruct++;
    EXPECT(JET_errInvalidParameter, JetAddColumnA(session, table, BAD_TEXT, &definition, NULL, 0, &id));
    EXPECT(JET_errInvalidParameter, JetAddColumnW(session, table, BAD_WIDE, &definition, NULL, 0, &id));
    EXPECT(JET_errColumnDuplicate, JetAddColumnA(session, table, "a", &definition, NULL, 0, &id));
    EXPECT(JET_errInvalidName, JetAddColumnA(session, table, LONG_NAME, &definition, NULL, 0, &id));
    EXPECT_EQUAL(7, id);
    EXPECT(JET_errSuccess, JetAddColumnW(session, table, wide_n, &definition, NULL, 0, NULL));
    EXPECT(JET_errInvalidTableId, JetRenameColumnA(session, 0, "n", "w", 0));
    EXPECT(JET_errInvalidParameter, JetRenameColumnA(session, table, BAD_TEXT, "w", 0));
    EXPECT(JET_errInvalidParameter, JetRenameColumnA(session, table, "n", BAD_TEXT, 0));
    EXPECT(JET_errColumnNotFound, JetRenameColumnA(session, table, "w", "n", 0));
    EXPECT(JET_errSuccess, JetRenameColumnW(session, table, wide_n, wide_w, 0));
    EXPECT(JET_errSuccess, JetCloseTable(session, table));
    EXPECT(JET_errInvalidDatabaseId, JetSetColumnDefaultValueA(session, 0, "t", "a", &value, 4, 0));
    EXPECT(JET_errInvalidParameter,
           JetSetColumnDefaultValueA(session, database, BAD_TEXT, "a", &value, 4, 0));
    EXPECT(JET_errInvalidParameter,
           JetSetColumnDefaultValueA(session, database, "t", BAD_TEXT, &value, 4, 0));
    EXPECT(JET_errInvalidName, JetSetColumnDefaultValueA(session, database, "t", "", &value, 4, 0));
    EXPECT(JET_errInvalidName, JetSetColumnDefaultValueA(session, database, "", "a", &value, 4, 0));
    EXPECT(JET_errNullInvalid, JetSetColumnDefaultValueA(session, database, "t", "a", NULL, 4, 0));
    EXPECT(JET_errNullInvalid, JetSetColumnDefaultValueA(session, database, "t", "a", &value, 0, 0));
    EXPECT(JET_errObjectNotFound, JetSetColumnDefaultValueA(session, database, "no", "a", &value, 4, 0));
    EXPECT(JET_errColumnNotFound, JetSetColumnDefaultValueA(session, database, "t", "no", &value, 4, 0));
    EXPECT(JET_errSuccess, JetSetColumnDefaultValueW(session, database, wide_t, wide_a, &value, 4, 0));
    EXPECT(JET_errSuccess, JetOpenTableA(session, database, "t", NULL, 0, JET_bitTableDenyRead, &table));
    EXPECT(JET_errInvalidTableId, JetDeleteColumnA(session, 0, "w"));
    EXPECT(JET_errInvalidParameter, JetDeleteColumnA(session, table, BAD_TEXT));
    EXPECT(JET_errColumnNotFound, JetDeleteColumn2A(session, table, "no", 0));
    EXPECT(JET_errSuccess, JetDeleteColumn2W(session, table, wide_w, 0));
    cases_end();
}

/* --- indexes --- */

static void index_arguments(void **state)
{
    (void)state;
    JET_INDEXCREATE_A index = {.cbStruct = sizeof(index),
                               .szIndexName = TEXT("i"),
                               .szKey = TEXT("+a\0"),
                               .cbKey = 4,
                               .ulDensity = 80};
    EXPECT(JET_errInvalidTableId, JetCreateIndex2A(session, 0, &index, 1));
    EXPECT(JET_errInvalidParameter, JetCreateIndex2A(session, table, NULL, 1));
    EXPECT(JET_errInvalidParameter, JetCreateIndex2A(session, table, &index, 0));
    index.cbStruct--;
    EXPECT(JET_errInvalidParameter, JetCreateIndex2A(session, table, &index, 1));
    index.cbStruct++;
    index.szIndexName = BAD_TEXT;
    EXPECT(JET_errInvalidParameter, JetCreateIndex2A(session, table, &index, 1));
    index.szIndexName = TEXT("");
    EXPECT(JET_errInvalidName, JetCreateIndex2A(session, table, &index, 1));
    EXPECT_EQUAL((uint32_t)JET_errInvalidName, (uint32_t)index.err);
    index.szIndexName = TEXT("i");
    index.szKey = NULL;
    EXPECT(JET_errInvalidParameter, JetCreateIndex2A(session, table, &index, 1));
    index.szKey = TEXT("+a\0");
    index.lcid = 0x1234; /* no language */
    EXPECT(JET_errInvalidLanguageId, JetCreateIndex2A(session, table, &index, 1));
    index.lcid = 0;
    JET_CONDITIONALCOLUMN_A conditions[17];
    for (size_t i = 0; i < 17; i++)
        conditions[i] = (JET_CONDITIONALCOLUMN_A){.cbStruct = sizeof(conditions[0]),
                                                  .szColumnName = TEXT("b"),
                                                  .grbit = JET_bitIndexColumnMustBeNull};
    index.rgconditionalcolumn = conditions;
    index.cConditionalColumn = 17; /* more than there may be */
    EXPECT(JET_errIndexInvalidDef, JetCreateIndex2A(session, table, &index, 1));
    index.cConditionalColumn = 1;
    conditions[0].cbStruct--;
    EXPECT(JET_errIndexInvalidDef, JetCreateIndex2A(session, table, &index, 1));
    conditions[0].cbStruct++;
    conditions[0].szColumnName = BAD_TEXT;
    EXPECT(JET_errInvalidParameter, JetCreateIndex2A(session, table, &index, 1));
    conditions[0].szColumnName = TEXT("b");
    EXPECT(JET_errSuccess, JetCreateIndex2A(session, table, &index, 1));
    EXPECT(JET_errIndexDuplicate, JetCreateIndex2A(session, table, &index, 1));
    EXPECT(JET_errIndexDuplicate, JetCreateIndexA(session, table, "i", 0, "+a\0", 4, 80));
    EXPECT(JET_errInvalidTableId, JetDeleteIndexA(session, 0, "i"));
    EXPECT(JET_errInvalidParameter, JetDeleteIndexA(session, table, BAD_TEXT));
    EXPECT(JET_errInvalidParameter, JetDeleteIndexW(session, table, BAD_WIDE));
    EXPECT(JET_errIndexNotFound, JetDeleteIndexA(session, table, "no"));
    EXPECT(JET_errSuccess, JetDeleteIndexA(session, table, "i"));
    /* In UTF-16; a key that is no plain text is no column's. */
    EXPECT(JET_errSuccess, JetCreateIndexW(session, table, wide_w, 0, wide_key, sizeof(wide_key), 80));
    EXPECT(JET_errColumnNotFound,
           JetCreateIndexW(session, table, wide_n, 0, wide_odd_key, sizeof(wide_odd_key), 80));
    EXPECT(JET_errInvalidParameter, JetCreateIndexW(session, table, wide_n, 0, NULL, 8, 80));
    EXPECT(JET_errSuccess, JetDeleteIndexW(session, table, wide_w));
    cases_end();
}

/* The second and third form; each language as the form tells it. */
static void index_forms(void **state)
{
    (void)state;
    static WCHAR name[] = {'d', 'e', '-', 'D', 'E', 0};
    char locale[170];
    JET_UNICODEINDEX by_number = {.lcid = 1031, .dwMapFlags = 0x10401};
    JET_UNICODEINDEX2 by_name = {.szLocaleName = name, .dwMapFlags = 0x10401};
    JET_INDEXCREATE2_A second[2] = {
        {.cbStruct = sizeof(second[0]),
         .szIndexName = TEXT("i"),
         .szKey = TEXT("+b\0"),
         .cbKey = 4,
         .lcid = 1036},
        {.cbStruct = sizeof(second[0]),
         .szIndexName = TEXT("j"),
         .szKey = TEXT("+b\0"),
         .cbKey = 4,
         .grbit = JET_bitIndexUnicode,
         .pidxunicode = &by_number},
    };
    JET_INDEXCREATE3_A third = {.cbStruct = sizeof(third),
                                .szIndexName = TEXT("k"),
                                .szKey = TEXT("+b\0"),
                                .cbKey = 4,
                                .grbit = JET_bitIndexUnicode,
                                .pidxunicode = &by_name};
    JET_INDEXCREATE3_W wide = {
        .cbStruct = sizeof(wide), .szIndexName = wide_w, .szKey = wide_key, .cbKey = sizeof(wide_key)};
    EXPECT(JET_errSuccess, JetCreateIndex3A(session, table, second, 2));
    EXPECT(JET_errSuccess, JetCreateIndex4A(session, table, &third, 1));
    EXPECT(JET_errSuccess, JetCreateIndex4W(session, table, &wide, 1));
    static const struct {
        const char *index;
        const char *locale;
    } rows[] = {{"i", "fr-FR"}, {"j", "de-DE"}, {"k", "de-DE"}, {"w", "en-US"}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        EXPECT(JET_errSuccess, JetGetTableIndexInfoA(session, table, rows[i].index, locale, sizeof(locale),
                                                     JET_IdxInfoLocaleName));
        assert_string_equal(locale, rows[i].locale);
    }
    /* Both are told what became of them, if there are several. */
    second[0].szIndexName = TEXT("l");
    EXPECT(JET_errIndexDuplicate, JetCreateIndex3A(session, table, second, 2));
    EXPECT_EQUAL((uint32_t)JET_errIndexDuplicate, (uint32_t)second[1].err);
    second[0].cbStruct--;
    EXPECT(JET_errInvalidParameter, JetCreateIndex3A(session, table, second, 2));
    third.cbStruct--;
    EXPECT(JET_errInvalidParameter, JetCreateIndex4A(session, table, &third, 1));
    cases_end();
}

/* Structures without the newest member, close together as an old program has them. */
static void languages(void **state)
{
    (void)state;
    static const struct {
        uint32_t number;
        const char *locale;
        uint32_t told;
    } rows[] = {
        {0x407, "de-DE", 0x407}, {0x7f, "", 0}, {0x400, "", 0}, {0x800, "", 0}, {0x0c0c, "fr-CA", 0x0c0c}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char name[] = "i0";
        char locale[170];
        uint32_t lcid = 7;
        name[1] = (char)('0' + i);
        JET_UNICODEINDEX unicode = {.lcid = rows[i].number, .dwMapFlags = 0x10401};
        JET_INDEXCREATE_A index = {.cbStruct = sizeof(index),
                                   .szIndexName = name,
                                   .szKey = TEXT("+b\0"),
                                   .cbKey = 4,
                                   .grbit = JET_bitIndexUnicode,
                                   .pidxunicode = &unicode};
        EXPECT(JET_errSuccess, JetCreateIndex2A(session, table, &index, 1));
        EXPECT(JET_errSuccess,
               JetGetTableIndexInfoA(session, table, name, locale, sizeof(locale), JET_IdxInfoLocaleName));
        assert_string_equal(locale, rows[i].locale);
        EXPECT(JET_errSuccess, JetGetTableIndexInfoA(session, table, name, &lcid, 4, JET_IdxInfoLCID));
        EXPECT_EQUAL(rows[i].told, lcid);
        EXPECT(JET_errInvalidBufferSize,
               JetGetTableIndexInfoA(session, table, name, &lcid, 3, JET_IdxInfoLCID));
    }
    cases_end();
}

/* A language that programs have no number for here is known by its name. */
static void language_without_a_number(void **state)
{
    (void)state;
    static WCHAR name[] = {'g', 'a', '-', 'I', 'E', 0};
    JET_UNICODEINDEX2 unicode = {.szLocaleName = name, .dwMapFlags = 0x10401};
    JET_INDEXCREATE3_A index = {.cbStruct = sizeof(index),
                                .szIndexName = TEXT("i"),
                                .szKey = TEXT("+b\0"),
                                .cbKey = 4,
                                .grbit = JET_bitIndexUnicode,
                                .pidxunicode = &unicode};
    char locale[170];
    uint32_t lcid = 7;
    EXPECT(JET_errSuccess, JetCreateIndex4A(session, table, &index, 1));
    EXPECT(JET_errSuccess,
           JetGetTableIndexInfoA(session, table, "i", locale, sizeof(locale), JET_IdxInfoLocaleName));
    assert_string_equal(locale, "ga-IE");
    EXPECT(JET_errSuccess, JetGetTableIndexInfoA(session, table, "i", &lcid, 4, JET_IdxInfoLCID));
    EXPECT_EQUAL(0, lcid);
    lcid = 7;
    EXPECT(JET_errSuccess, JetGetTableIndexInfoA(session, table, "i", &lcid, 2, JET_IdxInfoLCID));
    EXPECT_EQUAL(0, lcid);
    /* Without the bit or without the structure it is the default one. */
    index.szIndexName = TEXT("j");
    index.pidxunicode = NULL;
    EXPECT(JET_errIndexInvalidDef, JetCreateIndex4A(session, table, &index, 1));
    JET_INDEXCREATE_A first = {.cbStruct = sizeof(first),
                               .szIndexName = TEXT("k"),
                               .szKey = TEXT("+b\0"),
                               .cbKey = 4,
                               .grbit = JET_bitIndexUnicode};
    EXPECT(JET_errIndexInvalidDef, JetCreateIndex2A(session, table, &first, 1));
    cases_end();
}

static void old_index_structures(void **state)
{
    (void)state;
    const size_t size = offsetof(JET_INDEXCREATE_A, cbKeyMost);
    JET_INDEXCREATE_A index = {
        .cbStruct = (uint32_t)size, .szKey = TEXT("+a\0"), .cbKey = 4, .ulDensity = 80};
    uint8_t *array = malloc(2 * size); /* not a byte more: whoever reads on is seen */
    uint16_t most = 0;
    assert_non_null(array);
    index.szIndexName = TEXT("i");
    memcpy(array, &index, size);
    index.szIndexName = TEXT("j");
    index.szKey = TEXT("-a\0");
    memcpy(array + size, &index, size);
    EXPECT(JET_errSuccess, JetCreateIndex2A(session, table, (JET_INDEXCREATE_A *)(void *)array, 2));
    EXPECT(JET_errSuccess, JetGetTableIndexInfoA(session, table, "i", &most, 2, JET_IdxInfoKeyMost));
    EXPECT_EQUAL(255, most);
    EXPECT(JET_errSuccess, JetGetTableIndexInfoA(session, table, "j", &most, 2, JET_IdxInfoKeyMost));
    /* Several at once are made outside of transactions only. */
    EXPECT(JET_errSuccess, JetBeginTransaction(session));
    EXPECT(JET_errInTransaction, JetCreateIndex2A(session, table, (JET_INDEXCREATE_A *)(void *)array, 2));
    EXPECT(JET_errSuccess, JetCommitTransaction(session, 0));
    free(array);
    cases_end();
}

static void tuple_limits(void **state)
{
    (void)state;
    JET_TUPLELIMITS limits = {.chLengthMin = 3, .chLengthMax = 6, .chToIndexMax = 100, .cchIncrement = 1};
    JET_INDEXCREATE_A index = {.cbStruct = sizeof(index),
                               .szIndexName = TEXT("i"),
                               .szKey = TEXT("+b\0"),
                               .cbKey = 4,
                               .grbit = JET_bitIndexTuples | JET_bitIndexTupleLimits};
    EXPECT(JET_errIndexInvalidDef, JetCreateIndex2A(session, table, &index, 1)); /* none given */
    index.ptuplelimits = &limits;
    limits.chLengthMin = 1;
    EXPECT(JET_errIndexTuplesInvalidLimits, JetCreateIndex2A(session, table, &index, 1));
    limits.chLengthMin = 3;
    EXPECT(JET_errSuccess, JetCreateIndex2A(session, table, &index, 1));
    cases_end();
}

/* --- hints --- */

static void read_ahead(void **state)
{
    (void)state;
    const void *keys[2] = {"a", "b"};
    uint32_t sizes[2] = {1, 1};
    int32_t done = 7;
    EXPECT(JET_errInvalidTableId, JetPrereadKeys(session, 0, keys, sizes, 2, &done, JET_bitPrereadForward));
    EXPECT(JET_errInvalidParameter,
           JetPrereadKeys(session, table, NULL, sizes, 2, &done, JET_bitPrereadForward));
    EXPECT_EQUAL(0, done);
    EXPECT(JET_errInvalidParameter,
           JetPrereadKeys(session, table, keys, NULL, 2, &done, JET_bitPrereadForward));
    EXPECT(JET_errInvalidParameter,
           JetPrereadKeys(session, table, keys, sizes, 0, NULL, JET_bitPrereadForward));
    EXPECT(JET_errInvalidGrbit, JetPrereadKeys(session, table, keys, sizes, 2, &done, 0));
    EXPECT(JET_errInvalidGrbit, JetPrereadKeys(session, table, keys, sizes, 2, &done,
                                               JET_bitPrereadForward | JET_bitPrereadBackward));
    EXPECT(JET_errSuccess, JetPrereadKeys(session, table, keys, sizes, 2, &done, JET_bitPrereadForward));
    EXPECT_EQUAL(2, done);
    EXPECT(JET_errInvalidParameter,
           JetPrereadKeys(session, table, keys, sizes, 2, &done, JET_bitPrereadBackward));
    EXPECT_EQUAL(0, done);
    keys[0] = "bb";
    sizes[0] = 2;
    EXPECT(JET_errSuccess, JetPrereadKeys(session, table, keys, sizes, 2, NULL, JET_bitPrereadBackward));
    EXPECT(JET_errInvalidParameter,
           JetPrereadKeys(session, table, keys, sizes, 2, NULL, JET_bitPrereadForward));
    keys[0] = keys[1] = "b";
    sizes[0] = 1;
    EXPECT(JET_errSuccess, JetPrereadKeys(session, table, keys, sizes, 2, NULL, JET_bitPrereadForward));
    sizes[1] = 0;
    EXPECT(JET_errInvalidBufferSize,
           JetPrereadKeys(session, table, keys, sizes, 2, NULL, JET_bitPrereadForward));
    sizes[1] = 5; /* numbers of rows have four bytes */
    EXPECT(JET_errInvalidBufferSize,
           JetPrereadKeys(session, table, keys, sizes, 2, NULL, JET_bitPrereadForward));
    keys[1] = NULL;
    EXPECT(JET_errInvalidParameter,
           JetPrereadKeys(session, table, keys, sizes, 2, NULL, JET_bitPrereadForward));
    EXPECT(JET_errSuccess, JetCreateIndexA(session, table, "i", 0, "+a\0", 4, 80));
    EXPECT(JET_errSuccess, JetSetCurrentIndexA(session, table, "i"));
    keys[1] = "12345";
    sizes[1] = 5;
    EXPECT(JET_errInvalidParameter,
           JetPrereadKeys(session, table, keys, sizes, 2, NULL, JET_bitPrereadForward));
    EXPECT(JET_errSuccess, JetPrereadKeys(session, table, keys, sizes, 2, NULL, JET_bitPrereadBackward));
    JET_INDEX_RANGE range = {0};
    uint32_t ranges = 7;
    EXPECT(JET_errInvalidParameter,
           JetPrereadIndexRanges(session, table, NULL, 1, &ranges, NULL, 0, JET_bitPrereadForward));
    EXPECT(JET_errInvalidParameter,
           JetPrereadIndexRanges(session, table, &range, 0, &ranges, NULL, 0, JET_bitPrereadForward));
    EXPECT(JET_errInvalidGrbit, JetPrereadIndexRanges(session, table, &range, 1, NULL, NULL, 0, 0));
    EXPECT(JET_errInvalidTableId,
           JetPrereadIndexRanges(session, 0, &range, 1, NULL, NULL, 0, JET_bitPrereadForward));
    EXPECT_EQUAL(7, ranges);
    EXPECT(JET_errSuccess,
           JetPrereadIndexRanges(session, table, &range, 1, NULL, NULL, 0, JET_bitPrereadForward));
    EXPECT(JET_errSuccess,
           JetPrereadIndexRanges(session, table, &range, 1, &ranges, NULL, 0, JET_bitPrereadForward));
    EXPECT_EQUAL(1, ranges);
    cases_end();
}

/* --- local storage, cursors --- */

static JET_ERR JET_API forget(JET_SESID sesid, JET_DBID dbid, JET_TABLEID tableid, JET_CBTYP type, void *one,
                              void *two, void *context, JET_API_PTR unused)
{
    (void)sesid, (void)dbid, (void)tableid, (void)type, (void)one, (void)two, (void)context, (void)unused;
    return JET_errSuccess;
}

static void local_storage(void **state)
{
    (void)state;
    JET_LS value = 7;
    EXPECT(JET_errSuccess, JetTerm(instance));
    instance = JET_instanceNil;
    EXPECT(JET_errSuccess, JetCreateInstanceA(&instance, "a"));
    EXPECT(JET_errSuccess, JetSetSystemParameterA(&instance, JET_sesidNil, JET_paramRuntimeCallback,
                                                  (JET_API_PTR)(uintptr_t)forget, NULL));
    EXPECT(JET_errSuccess, JetInit(&instance));
    EXPECT(JET_errSuccess, JetBeginSessionA(instance, &session, NULL, NULL));
    EXPECT(JET_errSuccess, JetAttachDatabaseA(session, "x.edb", 0));
    EXPECT(JET_errSuccess, JetOpenDatabaseA(session, "x.edb", NULL, &database, 0));
    EXPECT(JET_errSuccess, JetOpenTableA(session, database, "t", NULL, 0, 0, &table));
    EXPECT(JET_errInvalidParameter, JetGetLS(session, table, NULL, JET_bitLSCursor));
    EXPECT(JET_errInvalidTableId, JetGetLS(session, 0, &value, JET_bitLSCursor));
    EXPECT(JET_errInvalidGrbit, JetGetLS(session, table, &value, JET_bitLSCursor | JET_bitLSTable));
    EXPECT_EQUAL(7, value);
    EXPECT(JET_errLSNotSet, JetGetLS(session, table, &value, JET_bitLSCursor));
    EXPECT_EQUAL(JET_LSNil, value);
    EXPECT(JET_errInvalidGrbit, JetSetLS(session, table, 5, JET_bitLSCursor | JET_bitLSTable));
    static const JET_GRBIT places[] = {JET_bitLSCursor, JET_bitLSTable};
    for (size_t i = 0; i < 2; i++) {
        EXPECT(JET_errSuccess, JetSetLS(session, table, 5, places[i]));
        EXPECT(JET_errLSAlreadySet, JetSetLS(session, table, 6, places[i]));
        EXPECT(JET_errSuccess, JetGetLS(session, table, &value, places[i]));
        EXPECT_EQUAL(5, value);
        EXPECT(JET_errSuccess, JetGetLS(session, table, &value, places[i] | JET_bitLSReset));
        EXPECT_EQUAL(5, value);
        EXPECT(JET_errLSNotSet, JetGetLS(session, table, &value, places[i]));
        EXPECT(JET_errSuccess, JetSetLS(session, table, 6, places[i]));
        EXPECT(JET_errSuccess, JetSetLS(session, table, JET_LSNil, places[i] | JET_bitLSReset));
        EXPECT(JET_errLSNotSet, JetGetLS(session, table, &value, places[i]));
    }
    cases_end();
}

static void local_storage_without_callback(void **state)
{
    (void)state;
    EXPECT(JET_errLSCallbackNotSpecified, JetSetLS(session, table, 5, JET_bitLSCursor));
    cases_end();
}

static void cursor_information(void **state)
{
    (void)state;
    uint32_t out = 0;
    EXPECT(JET_errInvalidTableId, JetGetCursorInfo(session, 0, NULL, 0, 0));
    EXPECT(JET_errInvalidParameter, JetGetCursorInfo(session, table, &out, 4, 0));
    EXPECT(JET_errInvalidParameter, JetGetCursorInfo(session, table, NULL, 0, 1));
    EXPECT(JET_errNoCurrentRecord, JetGetCursorInfo(session, table, NULL, 0, 0));
    EXPECT(JET_errSuccess, JetPrepareUpdate(session, table, JET_prepInsert));
    EXPECT(JET_errSuccess, JetUpdate(session, table, NULL, 0, NULL));
    EXPECT(JET_errSuccess, JetMove(session, table, (int32_t)JET_MoveFirst, 0));
    EXPECT(JET_errSuccess, JetGetCursorInfo(session, table, NULL, 0, 0));
    cases_end();
}

static void row_callbacks(void **state)
{
    (void)state;
    JET_HANDLE handle = 7;
    const JET_CBTYP types = JET_cbtypBeforeInsert;
    EXPECT(JET_errInvalidTableId, JetRegisterCallback(session, 0, types, forget, NULL, &handle));
    EXPECT(JET_errInvalidParameter,
           JetRegisterCallback(session, table, JET_cbtypNull, forget, NULL, &handle));
    EXPECT(JET_errInvalidParameter, JetRegisterCallback(session, table, types, NULL, NULL, &handle));
    EXPECT(JET_errInvalidParameter, JetRegisterCallback(session, table, types, forget, NULL, NULL));
    EXPECT_EQUAL(7, handle);
    EXPECT(JET_errSuccess, JetRegisterCallback(session, table, types, forget, NULL, &handle));
    EXPECT(JET_errInvalidTableId, JetUnregisterCallback(session, 0, types, handle));
    EXPECT(JET_errInvalidParameter, JetUnregisterCallback(session, table, types, (JET_HANDLE)UINT32_MAX + 2));
    EXPECT(JET_errSuccess, JetUnregisterCallback(session, table, types, handle));
    cases_end();
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, api_world_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(open_and_close),
        CASE(create_rename_delete),
        CASE(read_only_database),
        CASE(whole_tables),
        CASE(parts_of_whole_tables),
        CASE(columns),
        CASE(index_arguments),
        CASE(index_forms),
        CASE(languages),
        CASE(language_without_a_number),
        CASE(old_index_structures),
        CASE(tuple_limits),
        CASE(read_ahead),
        CASE(local_storage),
        CASE(local_storage_without_callback),
        CASE(cursor_information),
        CASE(row_callbacks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
