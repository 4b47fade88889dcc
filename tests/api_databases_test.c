/* Databases call by call: sizes, information of open databases and of files, detaching; what each argument
 * class answers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "src/page/database_header.h"
#include "tests/api_cases.h"
#include "tests/api_world.h"

#define BAD_TEXT "a\xff"                                /* not UTF-8 */
#define BAD_WIDE ((const WCHAR[]){'a', 0xdc00, 'b', 0}) /* a lone low surrogate */
#define PAGE 4096u

static JET_DBID database;

static int setup(void **state)
{
    (void)state;
    (void)EsentHostReset(NULL, 0);
    if (JetSetSystemParameterA(NULL, JET_sesidNil, JET_paramDatabasePageSize, PAGE, NULL) != JET_errSuccess ||
        !api_world_start(true))
        return -1;
    return JetCreateDatabaseA(session, "x.edb", NULL, &database, 0) == JET_errSuccess ? 0 : -1;
}

static uint32_t pages_of_file(const char *path)
{
    struct ESENT_HOST_FILE_INFO info = {0};
    EXPECT(JET_errSuccess, EsentHostFileInfo(path, &info));
    return (uint32_t)(info.size / PAGE);
}

/* A copy of the database whose header is changed, with a checksum that fits. */
static void write_changed_header(const char *path, void (*change)(struct database_header *header))
{
    static uint8_t page[PAGE];
    static struct database_header header;
    size_t done = 0;
    EXPECT(JET_errSuccess, EsentHostFileCopy("x.edb", path));
    EXPECT(JET_errSuccess, EsentHostFileRead(path, 0, page, sizeof(page), &done));
    memcpy(&header, page, sizeof(header));
    change(&header);
    database_header_to_page(&header, page, PAGE);
    EXPECT(JET_errSuccess, EsentHostFileWrite(path, 0, page, sizeof(page)));
    EXPECT(JET_errSuccess, EsentHostFileWrite(path, sizeof(page), page, sizeof(page)));
}

static void make_converted(struct database_header *header)
{
    header->state = DATABASE_BEING_CONVERTED;
}

static void make_typeless(struct database_header *header)
{
    header->file_type = JET_filetypeUnknown;
}

static void make_dirty(struct database_header *header)
{
    header->state = DATABASE_DIRTY_SHUTDOWN;
}

static void detach(void)
{
    EXPECT(JET_errSuccess, JetCloseDatabase(session, database, 0));
    EXPECT(JET_errSuccess, JetDetachDatabaseA(session, "x.edb"));
}

/* --- sizes --- */

static void resize_arguments(void **state)
{
    (void)state;
    const JET_GRBIT both = JET_bitResizeDatabaseOnlyGrow | JET_bitResizeDatabaseOnlyShrink;
    uint32_t actual = 7;
    EXPECT(JET_errInvalidSesid, JetResizeDatabase(JET_sesidNil, database, 1000, &actual, 0));
    EXPECT(JET_errInvalidDatabaseId, JetResizeDatabase(session, 0, 1000, &actual, 0));
    EXPECT_EQUAL(7, actual);
    EXPECT(JET_errInvalidGrbit, JetResizeDatabase(session, database, 1000, &actual, both));
    EXPECT_EQUAL(0, actual);
    EXPECT(JET_errInvalidGrbit, JetResizeDatabase(session, database, 1000, &actual, 0x100));
    cases_end();
}

/* Grows in steps of the extension size; the answer counts the pages of the header, as the file does. */
static void resize_grows(void **state)
{
    (void)state;
    uint32_t actual = 0;
    const uint32_t before = pages_of_file("x.edb");
    EXPECT(JET_errSuccess,
           JetSetSystemParameterA(&instance, JET_sesidNil, JET_paramDbExtensionSize, 64, NULL));
    EXPECT(JET_errSuccess, JetResizeDatabase(session, database, before, &actual, 0));
    EXPECT_EQUAL(before, actual);
    EXPECT(JET_errSuccess,
           JetResizeDatabase(session, database, before + 1000, &actual, JET_bitResizeDatabaseOnlyShrink));
    EXPECT_EQUAL(before, actual);
    EXPECT(JET_errSuccess, JetResizeDatabase(session, database, before + 65, &actual, 0));
    EXPECT_EQUAL(pages_of_file("x.edb"), actual);
    assert_true(actual >= before + 128);
    const uint32_t grown = actual;
    EXPECT(JET_errSuccess, JetGrowDatabase(session, database, before, &actual)); /* is larger already */
    EXPECT_EQUAL(grown, actual);
    EXPECT(JET_errSuccess, JetGrowDatabase(session, database, grown + 1, NULL));
    assert_true(pages_of_file("x.edb") > grown);
    /* The new room is there to be used, and the database is whole. */
    uint32_t available = 0;
    EXPECT(JET_errSuccess, JetGetDatabaseInfoA(session, database, &available, 4, JET_DbInfoSpaceAvailable));
    assert_true(available >= 192);
    cases_end();
}

static void resize_shrinks_nothing(void **state)
{
    (void)state;
    uint32_t actual = 0;
    const uint32_t before = pages_of_file("x.edb");
    EXPECT(JET_errFeatureNotAvailable, JetResizeDatabase(session, database, 1, &actual, 0));
    EXPECT_EQUAL(before, actual);
    EXPECT(JET_errFeatureNotAvailable,
           JetResizeDatabase(session, database, 1, NULL, JET_bitResizeDatabaseOnlyShrink));
    EXPECT(JET_errSuccess, JetResizeDatabase(session, database, 1, &actual, JET_bitResizeDatabaseOnlyGrow));
    EXPECT_EQUAL(before, actual);
    /* Where shrinking is allowed, it is a matter of what is free at the end: here nothing is given back. */
    EXPECT(JET_errSuccess, JetTerm(instance));
    instance = JET_instanceNil;
    EXPECT(JET_errSuccess, JetCreateInstanceA(&instance, "a"));
    EXPECT(JET_errSuccess, JetSetSystemParameterA(&instance, JET_sesidNil, JET_paramEnableShrinkDatabase,
                                                  JET_bitShrinkDatabaseOn, NULL));
    EXPECT(JET_errSuccess, JetInit(&instance));
    EXPECT(JET_errSuccess, JetBeginSessionA(instance, &session, NULL, NULL));
    EXPECT(JET_errSuccess, JetAttachDatabaseA(session, "x.edb", 0));
    EXPECT(JET_errSuccess, JetOpenDatabaseA(session, "x.edb", NULL, &database, 0));
    EXPECT(JET_errSuccess, JetResizeDatabase(session, database, 1, &actual, 0));
    EXPECT_EQUAL(before, actual);
    cases_end();
}

static void resize_of_a_read_only_database(void **state)
{
    (void)state;
    uint32_t actual = 0;
    const uint32_t before = pages_of_file("x.edb");
    EXPECT(JET_errSuccess, JetCloseDatabase(session, database, 0));
    EXPECT(JET_errSuccess, JetDetachDatabaseA(session, "x.edb"));
    EXPECT(JET_errSuccess, JetAttachDatabaseA(session, "x.edb", JET_bitDbReadOnly));
    /* The engine finds that it is read-only only, and does not tell. */
    EXPECT(JET_errSuccess, JetOpenDatabaseA(session, "x.edb", NULL, &database, 0));
    EXPECT(JET_errSuccess, JetOpenDatabaseA(session, "x.edb", NULL, &database, JET_bitDbReadOnly));
    EXPECT(JET_errDatabaseFileReadOnly, JetResizeDatabase(session, database, before + 1, &actual, 0));
    EXPECT_EQUAL(before, actual);
    EXPECT(JET_errSuccess, JetGrowDatabase(session, database, before, &actual));
    cases_end();
}

/* Of a file that nobody has attached; counts without the header's pages. */
static void set_size(void **state)
{
    (void)state;
    static const WCHAR wide[] = {'x', '.', 'e', 'd', 'b', 0};
    uint32_t actual = 7;
    EXPECT(JET_errInvalidSesid, JetSetDatabaseSizeA(JET_sesidNil, "x.edb", 1000, &actual));
    EXPECT(JET_errInvalidParameter, JetSetDatabaseSizeA(session, "x.edb", 1000, NULL));
    EXPECT(JET_errDatabaseInvalidPath, JetSetDatabaseSizeA(session, NULL, 1000, &actual));
    EXPECT(JET_errDatabaseInvalidPath, JetSetDatabaseSizeA(session, "", 1000, &actual));
    EXPECT(JET_errInvalidParameter, JetSetDatabaseSizeA(session, BAD_TEXT, 1000, &actual));
    EXPECT(JET_errInvalidParameter, JetSetDatabaseSizeW(session, BAD_WIDE, 1000, &actual));
    EXPECT(JET_errInvalidParameter, JetSetDatabaseSizeA(session, "x.edb", 31, &actual));
    EXPECT(JET_errFileNotFound, JetSetDatabaseSizeA(session, "y.edb", 32, &actual));
    EXPECT(JET_errFileAccessDenied, JetSetDatabaseSizeA(session, "x.edb", 1000, &actual)); /* attached */
    EXPECT_EQUAL(7, actual);
    EXPECT(JET_errSuccess, JetCloseDatabase(session, database, 0));
    EXPECT(JET_errSuccess, JetDetachDatabaseA(session, "x.edb"));
    EXPECT(JET_errSuccess, JetSetDatabaseSizeA(session, "x.edb", 32, &actual));
    EXPECT_EQUAL(pages_of_file("x.edb") - 2, actual);
    EXPECT(JET_errSuccess, JetSetDatabaseSizeW(session, wide, 1000, &actual));
    EXPECT_EQUAL(1000, actual);
    EXPECT_EQUAL(1002, pages_of_file("x.edb"));
    EXPECT(JET_errSuccess, JetAttachDatabaseA(session, "x.edb", 0));
    cases_end();
}

static void set_size_of_a_dirty_file(void **state)
{
    (void)state;
    uint32_t actual = 7;
    detach();
    write_changed_header("y.edb", make_dirty);
    EXPECT(JET_errDatabaseDirtyShutdown, JetSetDatabaseSizeA(session, "y.edb", 1000, &actual));
    EXPECT_EQUAL(7, actual);
    EXPECT(JET_errSuccess, EsentHostFileWrite("z.edb", 0, "no database", 11));
    assert_true(JetSetDatabaseSizeA(session, "z.edb", 1000, &actual) < JET_errSuccess);
    cases_end();
}

/* --- information --- */

struct level {
    uint32_t level;
    uint32_t size;
    JET_ERR smaller; /* what a buffer that is a byte smaller answers */
    JET_ERR larger;
};

/* Each level has its size; most want it exactly. */
static const struct level levels[] = {
    {JET_DbInfoCountry, 4, JET_errInvalidBufferSize, JET_errInvalidBufferSize},
    {JET_DbInfoLCID, 4, JET_errInvalidBufferSize, JET_errInvalidBufferSize},
    {JET_DbInfoCp, 4, JET_errInvalidBufferSize, JET_errInvalidBufferSize},
    {JET_DbInfoCollate, 4, JET_errInvalidBufferSize, JET_errInvalidBufferSize},
    {JET_DbInfoOptions, 4, JET_errInvalidBufferSize, JET_errInvalidBufferSize},
    {JET_DbInfoTransactions, 4, JET_errInvalidBufferSize, JET_errInvalidBufferSize},
    {JET_DbInfoVersion, 4, JET_errInvalidBufferSize, JET_errInvalidBufferSize},
    {JET_DbInfoPageSize, 4, JET_errBufferTooSmall, JET_errBufferTooSmall},
    {JET_DbInfoFilesize, 4, JET_errInvalidBufferSize, JET_errSuccess},
    {JET_DbInfoFilesizeOnDisk, 4, JET_errInvalidBufferSize, JET_errSuccess},
    {JET_DbInfoSpaceOwned, 4, JET_errInvalidBufferSize, JET_errInvalidBufferSize},
    {JET_DbInfoSpaceAvailable, 4, JET_errInvalidBufferSize, JET_errInvalidBufferSize},
    {JET_DbInfoMisc, sizeof(JET_DBINFOMISC), JET_errInvalidBufferSize, JET_errInvalidBufferSize},
    {JET_DbInfoMisc, sizeof(JET_DBINFOMISC2), JET_errInvalidBufferSize, JET_errInvalidBufferSize},
    {JET_DbInfoMisc, sizeof(JET_DBINFOMISC3), JET_errInvalidBufferSize, JET_errInvalidBufferSize},
    {JET_DbInfoMisc, sizeof(JET_DBINFOMISC4), JET_errInvalidBufferSize, JET_errInvalidBufferSize},
};

static void levels_of_an_open_database(void **state)
{
    (void)state;
    uint8_t buffer[2 * sizeof(JET_DBINFOMISC4)];
    for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++) {
        const struct level *row = &levels[i];
        EXPECT(JET_errSuccess, JetGetDatabaseInfoA(session, database, buffer, row->size, row->level));
        EXPECT(JET_errSuccess, JetGetDatabaseInfoW(session, database, buffer, row->size, row->level));
        EXPECT(row->smaller, JetGetDatabaseInfoA(session, database, buffer, row->size - 1, row->level));
        EXPECT(row->larger, JetGetDatabaseInfoW(session, database, buffer, row->size + 1, row->level));
        EXPECT(JET_errInvalidParameter, JetGetDatabaseInfoA(session, database, NULL, 0, row->level));
        if (cases_wrong > 0)
            print_message("level %u\n", (unsigned)row->level);
    }
    EXPECT(JET_errFeatureNotAvailable, JetGetDatabaseInfoA(session, database, buffer, 4, JET_DbInfoIsam));
    EXPECT(JET_errInvalidParameter, JetGetDatabaseInfoA(session, database, buffer, 4, 99));
    EXPECT(JET_errInvalidDatabaseId, JetGetDatabaseInfoA(session, 0, buffer, 4, JET_DbInfoCp));
    EXPECT(JET_errInvalidSesid, JetGetDatabaseInfoA(0, database, buffer, 4, JET_DbInfoCp));
    cases_end();
}

static uint32_t number(uint32_t level)
{
    uint32_t value = 0xabababab;
    EXPECT(JET_errSuccess, JetGetDatabaseInfoA(session, database, &value, sizeof(value), level));
    return value;
}

static void values_of_an_open_database(void **state)
{
    (void)state;
    JET_DBINFOMISC4 misc;
    EXPECT_EQUAL(1, number(JET_DbInfoCountry));
    EXPECT_EQUAL(1033, number(JET_DbInfoLCID));
    EXPECT_EQUAL(1252, number(JET_DbInfoCp));
    EXPECT_EQUAL(0, number(JET_DbInfoCollate));
    EXPECT_EQUAL(7, number(JET_DbInfoTransactions));
    EXPECT_EQUAL(0x620, number(JET_DbInfoVersion));
    EXPECT_EQUAL(PAGE, number(JET_DbInfoPageSize));
    EXPECT_EQUAL(0, number(JET_DbInfoOptions));
    EXPECT_EQUAL(pages_of_file("x.edb"), number(JET_DbInfoFilesize));
    EXPECT_EQUAL(pages_of_file("x.edb"), number(JET_DbInfoFilesizeOnDisk | JET_DbInfoUseCachedResult));
    assert_true(number(JET_DbInfoSpaceOwned) <= pages_of_file("x.edb"));
    assert_true(number(JET_DbInfoSpaceAvailable) < number(JET_DbInfoSpaceOwned));
    EXPECT(JET_errSuccess, JetGetDatabaseInfoA(session, database, &misc, sizeof(misc), JET_DbInfoMisc));
    EXPECT_EQUAL(0x620, misc.ulVersion);
    EXPECT_EQUAL(JET_dbstateDirtyShutdown, misc.dbstate);
    EXPECT_EQUAL(PAGE, misc.cbPageSize);
    /* Opened by one session alone. */
    EXPECT(JET_errSuccess, JetCloseDatabase(session, database, 0));
    EXPECT(JET_errSuccess, JetOpenDatabaseA(session, "x.edb", NULL, &database, JET_bitDbExclusive));
    EXPECT_EQUAL(JET_bitDbExclusive, number(JET_DbInfoOptions));
    cases_end();
}

/* The program's locale becomes that of the instance's databases. */
static void locale_of_an_open_database(void **state)
{
    (void)state;
    JET_UNICODEINDEX unicode = {.lcid = 1031, .dwMapFlags = 0x10401};
    EXPECT(JET_errSuccess, JetTerm(instance));
    instance = JET_instanceNil;
    EXPECT(JET_errSuccess, JetCreateInstanceA(&instance, "a"));
    EXPECT(JET_errSuccess, JetSetSystemParameterA(&instance, JET_sesidNil, JET_paramUnicodeIndexDefault,
                                                  (JET_API_PTR)(uintptr_t)&unicode, NULL));
    EXPECT(JET_errSuccess, JetInit(&instance));
    EXPECT(JET_errSuccess, JetBeginSessionA(instance, &session, NULL, NULL));
    EXPECT(JET_errSuccess, JetAttachDatabaseA(session, "x.edb", 0));
    EXPECT(JET_errSuccess, JetOpenDatabaseA(session, "x.edb", NULL, &database, 0));
    EXPECT_EQUAL(1031, number(JET_DbInfoLCID));
    cases_end();
}

static void names_of_an_open_database(void **state)
{
    (void)state;
    char text[200];
    WCHAR wide[200];
    EXPECT(JET_errSuccess, JetGetDatabaseInfoA(session, database, text, sizeof(text), JET_DbInfoFilename));
    const uint32_t length = (uint32_t)strlen(text);
    assert_string_equal(text + length - 5, "x.edb");
    EXPECT(JET_errSuccess, JetGetDatabaseInfoA(session, database, text, length + 1, JET_DbInfoFilename));
    EXPECT(JET_errBufferTooSmall, JetGetDatabaseInfoA(session, database, text, length, JET_DbInfoFilename));
    EXPECT(JET_errSuccess, JetGetDatabaseInfoW(session, database, wide, sizeof(wide), JET_DbInfoFilename));
    EXPECT_EQUAL('b', wide[length - 1]);
    EXPECT_EQUAL(0, wide[length]);
    EXPECT(JET_errSuccess,
           JetGetDatabaseInfoW(session, database, wide, (length + 1) * 2, JET_DbInfoFilename));
    EXPECT(JET_errBufferTooSmall,
           JetGetDatabaseInfoW(session, database, wide, length * 2, JET_DbInfoFilename));
    EXPECT(JET_errInvalidParameter,
           JetGetDatabaseInfoA(session, database, NULL, length + 1, JET_DbInfoFilename));
    EXPECT(JET_errInvalidParameter, JetGetDatabaseInfoW(session, database, NULL, 200, JET_DbInfoFilename));
    text[0] = 'x';
    EXPECT(JET_errSuccess, JetGetDatabaseInfoA(session, database, text, 1, JET_DbInfoConnect));
    EXPECT_EQUAL(0, text[0]);
    EXPECT(JET_errBufferTooSmall, JetGetDatabaseInfoA(session, database, text, 0, JET_DbInfoConnect));
    cases_end();
}

/* --- information of files --- */

static const struct level file_levels[] = {
    {JET_DbInfoFilesize, 8, JET_errInvalidBufferSize, JET_errInvalidBufferSize},
    {JET_DbInfoFilesizeOnDisk, 8, JET_errInvalidBufferSize, JET_errInvalidBufferSize},
    {JET_DbInfoPageSize, 4, JET_errInvalidBufferSize, JET_errInvalidBufferSize},
    {JET_DbInfoFileType, 4, JET_errInvalidBufferSize, JET_errInvalidBufferSize},
    {JET_DbInfoDBInUse, 4, JET_errInvalidBufferSize, JET_errInvalidBufferSize},
    {JET_DbInfoMisc, sizeof(JET_DBINFOMISC), JET_errInvalidBufferSize, JET_errInvalidBufferSize},
    {JET_DbInfoMisc, sizeof(JET_DBINFOMISC4), JET_errInvalidBufferSize, JET_errInvalidBufferSize},
};

static void levels_of_a_file(void **state)
{
    (void)state;
    static const WCHAR wide[] = {'x', '.', 'e', 'd', 'b', 0};
    uint8_t buffer[2 * sizeof(JET_DBINFOMISC4)];
    for (size_t i = 0; i < sizeof(file_levels) / sizeof(file_levels[0]); i++) {
        const struct level *row = &file_levels[i];
        EXPECT(JET_errSuccess, JetGetDatabaseFileInfoA("x.edb", buffer, row->size, row->level));
        EXPECT(JET_errSuccess, JetGetDatabaseFileInfoW(wide, buffer, row->size, row->level));
        EXPECT(row->smaller, JetGetDatabaseFileInfoA("x.edb", buffer, row->size - 1, row->level));
        EXPECT(row->larger, JetGetDatabaseFileInfoA("x.edb", buffer, row->size + 1, row->level));
        if (cases_wrong > 0)
            print_message("level %u\n", (unsigned)row->level);
    }
    EXPECT(JET_errInvalidParameter, JetGetDatabaseFileInfoA("x.edb", buffer, 4, 99));
    EXPECT(JET_errInvalidParameter, JetGetDatabaseFileInfoA("x.edb", NULL, 8, JET_DbInfoFilesize));
    EXPECT(JET_errInvalidParameter, JetGetDatabaseFileInfoA(NULL, buffer, 8, JET_DbInfoFilesize));
    EXPECT(JET_errInvalidParameter, JetGetDatabaseFileInfoA("", buffer, 8, JET_DbInfoFilesize));
    EXPECT(JET_errInvalidParameter, JetGetDatabaseFileInfoA(BAD_TEXT, buffer, 8, JET_DbInfoFilesize));
    EXPECT(JET_errInvalidParameter, JetGetDatabaseFileInfoW(BAD_WIDE, buffer, 8, JET_DbInfoFilesize));
    EXPECT(JET_errFileNotFound, JetGetDatabaseFileInfoA("y.edb", buffer, 8, JET_DbInfoFilesize));
    static const WCHAR other[] = {'y', '.', 'e', 'd', 'b', 0};
    EXPECT(JET_errFileNotFound, JetGetDatabaseFileInfoW(other, buffer, 8, JET_DbInfoFilesize));
    cases_end();
}

static uint32_t file_number(const char *path, uint32_t level)
{
    uint32_t value = 0xabababab;
    EXPECT(JET_errSuccess, JetGetDatabaseFileInfoA(path, &value, sizeof(value), level));
    return value;
}

static void values_of_a_file(void **state)
{
    (void)state;
    uint64_t size = 0;
    JET_DBINFOMISC misc;
    EXPECT_EQUAL(1, file_number("x.edb", JET_DbInfoDBInUse));
    EXPECT_EQUAL(PAGE, file_number("x.edb", JET_DbInfoPageSize));
    EXPECT_EQUAL(JET_filetypeDatabase, file_number("x.edb", JET_DbInfoFileType));
    EXPECT(JET_errSuccess, JetGetDatabaseFileInfoA("x.edb", &misc, sizeof(misc), JET_DbInfoMisc));
    EXPECT_EQUAL(JET_dbstateDirtyShutdown, misc.dbstate);
    EXPECT(JET_errSuccess, JetCloseDatabase(session, database, 0));
    EXPECT(JET_errSuccess, JetDetachDatabaseA(session, "x.edb"));
    EXPECT_EQUAL(0, file_number("x.edb", JET_DbInfoDBInUse));
    EXPECT_EQUAL(PAGE, file_number("x.edb", JET_DbInfoPageSize));
    EXPECT_EQUAL(JET_filetypeDatabase, file_number("x.edb", JET_DbInfoFileType));
    EXPECT(JET_errSuccess, JetGetDatabaseFileInfoA("x.edb", &misc, sizeof(misc), JET_DbInfoMisc));
    EXPECT_EQUAL(JET_dbstateCleanShutdown, misc.dbstate);
    EXPECT(JET_errSuccess, JetGetDatabaseFileInfoA("x.edb", &size, sizeof(size), JET_DbInfoFilesize));
    EXPECT_EQUAL((uint64_t)pages_of_file("x.edb") * PAGE, size);
    cases_end();
}

static void upgrade_information(void **state)
{
    (void)state;
    JET_DBINFOUPGRADE info = {.cbStruct = sizeof(info)};
    EXPECT(JET_errInvalidBufferSize,
           JetGetDatabaseFileInfoA("x.edb", &info, sizeof(info) - 1, JET_DbInfoUpgrade));
    info.cbStruct--;
    EXPECT(JET_errInvalidParameter, JetGetDatabaseFileInfoA("x.edb", &info, sizeof(info), JET_DbInfoUpgrade));
    info.cbStruct++;
    EXPECT(JET_errSuccess, JetGetDatabaseFileInfoA("x.edb", &info, sizeof(info), JET_DbInfoUpgrade));
    EXPECT_EQUAL(pages_of_file("x.edb") * PAGE, info.cbFilesizeLow);
    EXPECT_EQUAL(0, info.cbFilesizeHigh);
    EXPECT_EQUAL((uint64_t)info.cbFilesizeLow * 10 / 64, info.cbFreeSpaceRequiredLow);
    EXPECT_EQUAL(1, info.fAlreadyUpgraded);
    EXPECT_EQUAL(0, info.fUpgradable);
    /* What is no database is not upgraded, and not an error. */
    EXPECT(JET_errSuccess, EsentHostFileWrite("z.edb", 0, "no database", 11));
    EXPECT(JET_errSuccess, JetGetDatabaseFileInfoA("z.edb", &info, sizeof(info), JET_DbInfoUpgrade));
    EXPECT_EQUAL(11, info.cbFilesizeLow);
    EXPECT_EQUAL(0, info.fAlreadyUpgraded);
    EXPECT_EQUAL(0, info.fUpgradable);
    cases_end();
}

static void other_headers(void **state)
{
    (void)state;
    JET_DBINFOUPGRADE info = {.cbStruct = sizeof(info)};
    JET_DBINFOMISC misc;
    detach();
    write_changed_header("c.edb", make_converted);
    EXPECT(JET_errDatabaseIncompleteUpgrade,
           JetGetDatabaseFileInfoA("c.edb", &info, sizeof(info), JET_DbInfoUpgrade));
    write_changed_header("s.edb", make_typeless);
    EXPECT(JET_errFileInvalidType, JetGetDatabaseFileInfoA("s.edb", &misc, sizeof(misc), JET_DbInfoMisc));
    EXPECT_EQUAL(JET_filetypeUnknown, file_number("s.edb", JET_DbInfoFileType));
    EXPECT(JET_errFileInvalidType, JetGetDatabaseFileInfoA("edb.chk", &misc, sizeof(misc), JET_DbInfoMisc));
    EXPECT_EQUAL(JET_filetypeCheckpoint, file_number("edb.chk", JET_DbInfoFileType));
    EXPECT_EQUAL(JET_filetypeLog, file_number("edb.log", JET_DbInfoFileType));
    cases_end();
}

/* --- detach --- */

static void detach_arguments(void **state)
{
    (void)state;
    static const WCHAR wide[] = {'x', '.', 'e', 'd', 'b', 0};
    EXPECT(JET_errInvalidSesid, JetDetachDatabaseA(0, "x.edb"));
    EXPECT(JET_errInvalidParameter, JetDetachDatabaseA(session, BAD_TEXT));
    EXPECT(JET_errInvalidParameter, JetDetachDatabase2W(session, BAD_WIDE, 0));
    EXPECT(JET_errInvalidGrbit, JetDetachDatabase2A(session, "x.edb", 0x100));
    EXPECT(JET_errForceDetachNotAllowed, JetDetachDatabase2A(session, "x.edb", JET_bitForceDetach));
    EXPECT(JET_errDatabaseNotFound, JetDetachDatabaseA(session, "y.edb"));
    EXPECT(JET_errDatabaseInUse, JetDetachDatabaseW(session, wide));
    EXPECT(JET_errSuccess, JetCloseDatabase(session, database, 0));
    EXPECT(JET_errInvalidDatabaseId, JetCloseDatabase(session, database, 0));
    EXPECT(JET_errSuccess, JetDetachDatabase2W(session, wide, 0));
    cases_end();
}

static void create_attach_open_arguments(void **state)
{
    (void)state;
    static const WCHAR wide[] = {'y', '.', 'e', 'd', 'b', 0};
    JET_DBID id = 7;
    EXPECT(JET_errInvalidSesid, JetCreateDatabaseA(0, "y.edb", NULL, &id, 0));
    EXPECT(JET_errInvalidParameter, JetCreateDatabaseA(session, "y.edb", NULL, NULL, 0));
    EXPECT(JET_errInvalidParameter, JetCreateDatabaseA(session, BAD_TEXT, NULL, &id, 0));
    EXPECT(JET_errInvalidParameter, JetCreateDatabaseW(session, BAD_WIDE, NULL, &id, 0));
    EXPECT(JET_errDatabaseInvalidPath, JetCreateDatabaseA(session, "", NULL, &id, 0));
    EXPECT(JET_errDatabaseDuplicate, JetCreateDatabaseA(session, "x.edb", NULL, &id, 0));
    EXPECT_EQUAL(JET_dbidNil, id);
    EXPECT(JET_errInvalidSesid, JetCreateDatabase2W(0, wide, 0, &id, 0));
    EXPECT(JET_errInvalidSesid, JetOpenDatabaseW(0, wide, NULL, &id, 0));
    EXPECT(JET_errInvalidSesid, JetAttachDatabase2W(0, wide, 0, 0));
    EXPECT(JET_errSuccess, JetCreateDatabase2W(session, wide, 0, &id, 0));
    EXPECT(JET_errInvalidSesid, JetOpenDatabaseA(0, "y.edb", NULL, &id, 0));
    EXPECT(JET_errInvalidParameter, JetOpenDatabaseA(session, "y.edb", NULL, NULL, 0));
    EXPECT(JET_errInvalidParameter, JetOpenDatabaseA(session, BAD_TEXT, NULL, &id, 0));
    EXPECT(JET_errInvalidParameter, JetOpenDatabaseW(session, BAD_WIDE, NULL, &id, 0));
    EXPECT(JET_errDatabaseInvalidPath, JetOpenDatabaseA(session, NULL, NULL, &id, 0));
    EXPECT(JET_errDatabaseInvalidPath, JetOpenDatabaseA(session, "", NULL, &id, 0));
    EXPECT(JET_errDatabaseNotFound, JetOpenDatabaseA(session, "z.edb", NULL, &id, 0));
    EXPECT(JET_errSuccess, JetOpenDatabaseW(session, wide, NULL, &id, 0));
    EXPECT(JET_errDatabaseInUse, JetOpenDatabaseA(session, "y.edb", NULL, &id, JET_bitDbExclusive));
    EXPECT(JET_errInvalidSesid, JetAttachDatabaseA(0, "y.edb", 0));
    EXPECT(JET_errInvalidParameter, JetAttachDatabaseA(session, BAD_TEXT, 0));
    EXPECT(JET_errInvalidParameter, JetAttachDatabaseW(session, BAD_WIDE, 0));
    EXPECT(JET_errDatabaseInvalidPath, JetAttachDatabaseA(session, NULL, 0));
    EXPECT(JET_errDatabaseInvalidPath, JetAttachDatabaseA(session, "", 0));
    EXPECT(JET_wrnDatabaseAttached, JetAttachDatabase2W(session, wide, 0, 0));
    EXPECT(JET_errInvalidSesid, JetCloseDatabase(0, id, 0));
    EXPECT(JET_errInvalidDatabaseId, JetCloseDatabase(session, JET_dbidNil, 0));
    cases_end();
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, api_world_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(resize_arguments),
        CASE(resize_grows),
        CASE(resize_shrinks_nothing),
        CASE(resize_of_a_read_only_database),
        CASE(set_size),
        CASE(set_size_of_a_dirty_file),
        CASE(levels_of_an_open_database),
        CASE(values_of_an_open_database),
        CASE(locale_of_an_open_database),
        CASE(names_of_an_open_database),
        CASE(levels_of_a_file),
        CASE(values_of_a_file),
        CASE(upgrade_information),
        CASE(other_headers),
        CASE(detach_arguments),
        CASE(create_attach_open_arguments),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
