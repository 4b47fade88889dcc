/* What several calls have in common at their edges: texts that are none, failing files, a transaction of
 * another thread, sessions that do not see each other's changes, more cursors than there is room for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/api_cases.h"
#include "tests/api_world.h"

#define BAD_TEXT ((char *)(uintptr_t) "a\xff")  /* not UTF-8 */
#define BAD_WIDE ((WCHAR *)(uintptr_t)bad_wide) /* a lone low surrogate */
#define TEXT(text) ((char *)(uintptr_t)(text))

static const WCHAR bad_wide[] = {'a', 0xdc00, 'b', 0};
static WCHAR wide_path[] = {'x', '.', 'e', 'd', 'b', 0};

static JET_DBID database;
static JET_TABLEID table;
static JET_COLUMNID column;

static int setup(void **state)
{
    JET_COLUMNDEF number = {
        .cbStruct = sizeof(number), .coltyp = JET_coltypLong, .grbit = JET_bitColumnFixed};
    (void)state;
    if (!api_world_start(true) ||
        JetCreateDatabaseA(session, "x.edb", NULL, &database, 0) != JET_errSuccess ||
        JetCreateTableA(session, database, "t", 0, 80, &table) != JET_errSuccess ||
        JetAddColumnA(session, table, "a", &number, NULL, 0, &column) != JET_errSuccess ||
        JetAddColumnA(session, table, "b", &number, NULL, 0, NULL) != JET_errSuccess ||
        JetCreateIndexA(session, table, "x", 0, "+a\0", 4, 80) != JET_errSuccess)
        return -1;
    return JetPrepareUpdate(session, table, JET_prepInsert) == JET_errSuccess &&
                   JetUpdate(session, table, NULL, 0, NULL) == JET_errSuccess &&
                   JetMove(session, table, (int32_t)JET_MoveFirst, 0) == JET_errSuccess
               ? 0
               : -1;
}

/* Whoever made the table has it alone until then. */
static void reopen(void)
{
    EXPECT(JET_errSuccess, JetCloseTable(session, table));
    EXPECT(JET_errSuccess, JetOpenTableA(session, database, "t", NULL, 0, 0, &table));
}

/* --- texts --- */

static void texts_of_backups(void **state)
{
    (void)state;
    JET_HANDLE file;
    uint32_t low = 0;
    uint32_t high = 0;
    uint32_t size = 0;
    WCHAR wide[200];
    EXPECT(JET_errInvalidParameter, JetBackupInstanceA(instance, BAD_TEXT, 0, NULL));
    EXPECT(JET_errInvalidParameter, JetBackupInstanceW(instance, BAD_WIDE, 0, NULL));
    EXPECT(JET_errSuccess, JetBeginExternalBackupInstance(instance, 0));
    EXPECT(JET_errInvalidParameter, JetOpenFileInstanceA(instance, BAD_TEXT, &file, &low, &high));
    EXPECT(JET_errInvalidParameter, JetOpenFileInstanceW(instance, BAD_WIDE, &file, &low, &high));
    EXPECT(JET_errInvalidParameter,
           JetOpenFileSectionInstanceA(instance, BAD_TEXT, &file, 0, 1, 0, &low, (int32_t *)&high));
    EXPECT(JET_errInvalidParameter,
           JetOpenFileSectionInstanceW(instance, BAD_WIDE, &file, 0, 1, 0, &low, (int32_t *)&high));
    EXPECT(JET_errSuccess, JetGetAttachInfoInstanceW(instance, NULL, 0, &size));
    assert_true(size > 0);
    /* Lists of logs tell what was copied, and without a buffer what is needed. */
    EXPECT(JET_errSuccess, JetGetLogInfoInstanceW(instance, NULL, 0, &size));
    EXPECT(JET_errSuccess, JetGetLogInfoInstanceW(instance, wide, sizeof(wide), &low));
    EXPECT_EQUAL(size, low);
    EXPECT(JET_errSuccess, JetGetLogInfoInstanceW(instance, wide, 4, &low));
    EXPECT_EQUAL(4, low);
    EXPECT(JET_errSuccess, JetEndExternalBackupInstance2(instance, JET_bitBackupEndAbort));
    cases_end();
}

static void texts_of_defragmentation(void **state)
{
    (void)state;
    const JET_GRBIT start = JET_bitDefragmentBatchStart;
    EXPECT(JET_errInvalidParameter, JetDefragmentA(session, database, BAD_TEXT, NULL, NULL, start));
    EXPECT(JET_errInvalidParameter, JetDefragment2W(session, database, BAD_WIDE, NULL, NULL, NULL, start));
    EXPECT(JET_errInvalidParameter, JetDefragment3A(session, BAD_TEXT, NULL, NULL, NULL, NULL, NULL, start));
    EXPECT(JET_errInvalidParameter,
           JetDefragment3A(session, "x.edb", BAD_TEXT, NULL, NULL, NULL, NULL, start));
    EXPECT(JET_errInvalidParameter, JetDefragment3W(session, BAD_WIDE, NULL, NULL, NULL, NULL, NULL, start));
    EXPECT(JET_errInvalidParameter,
           JetDefragment3W(session, wide_path, BAD_WIDE, NULL, NULL, NULL, NULL, start));
    EXPECT(JET_errInvalidSesid, JetDefragment3A(0, "x.edb", NULL, NULL, NULL, NULL, NULL, start));
    EXPECT(JET_errInvalidGrbit, JetDefragment3A(session, "x.edb", NULL, NULL, NULL, NULL, NULL, 0));
    EXPECT(JET_errInvalidGrbit, JetDefragmentA(session, database, NULL, NULL, NULL, 0x1000));
    EXPECT(JET_errSuccess, JetDefragment3W(session, wide_path, NULL, NULL, NULL, NULL, NULL, start));
    cases_end();
}

static int calls_left;

/* Refuses one of the calls. */
static JET_ERR JET_API refuse(JET_SESID sesid, JET_SNP snp, JET_SNT snt, void *progress)
{
    (void)sesid, (void)snp, (void)snt, (void)progress;
    return calls_left-- == 0 ? JET_errCallbackFailed : JET_errSuccess;
}

static void compactions(void **state)
{
    (void)state;
    static char path[5000];
    memset(path, 'p', sizeof(path) - 1);
    EXPECT(JET_errInvalidSesid, JetCompactA(0, "x.edb", "y.edb", NULL, NULL, 0));
    EXPECT(JET_errInvalidParameter, JetCompactA(session, BAD_TEXT, "y.edb", NULL, NULL, 0));
    EXPECT(JET_errInvalidParameter, JetCompactA(session, "x.edb", BAD_TEXT, NULL, NULL, 0));
    EXPECT(JET_errInvalidParameter, JetCompactW(session, BAD_WIDE, wide_path, NULL, NULL, 0));
    EXPECT(JET_errInvalidParameter, JetCompactW(session, wide_path, BAD_WIDE, NULL, NULL, 0));
    EXPECT(JET_errDatabaseInvalidPath, JetCompactA(session, "", "y.edb", NULL, NULL, 0));
    EXPECT(JET_errDatabaseInvalidPath, JetCompactA(session, NULL, "y.edb", NULL, NULL, 0));
    EXPECT(JET_errDatabaseInvalidPath, JetCompactA(session, "x.edb", "", NULL, NULL, 0));
    EXPECT(JET_errDatabaseInvalidPath, JetCompactA(session, "x.edb", NULL, NULL, NULL, 0));
    EXPECT(JET_errInvalidPath, JetCompactA(session, "x.edb", path, NULL, NULL, 0));
    EXPECT(JET_errDatabaseInUse, JetCompactA(session, "x.edb", "y.edb", NULL, NULL, 0));
    EXPECT(JET_errSuccess, JetCloseDatabase(session, database, 0));
    /* The program may refuse at each call it gets; then nothing is left. */
    JET_ERR err = JET_errCallbackFailed;
    for (int nth = 0; err == JET_errCallbackFailed && nth < 1000; nth++) {
        struct ESENT_HOST_FILE_INFO info;
        calls_left = nth;
        err = JetCompactA(session, "x.edb", "y.edb", refuse, NULL, 0);
        EXPECT(err == JET_errSuccess ? JET_errSuccess : JET_errFileNotFound,
               EsentHostFileInfo("y.edb", &info));
    }
    EXPECT(JET_errSuccess, err);
    cases_end();
}

/* Each file operation of a compaction fails once, the source being read anew each time: nothing is left, and
 * the next one succeeds. */
static void compactions_with_failing_files(void **state)
{
    (void)state;
    struct ESENT_HOST_FILE_INFO info;
    for (int32_t i = 0; i < 2000; i++) {
        EXPECT(JET_errSuccess, JetPrepareUpdate(session, table, JET_prepInsert));
        EXPECT(JET_errSuccess, JetSetColumn(session, table, column, &i, sizeof(i), 0, NULL));
        EXPECT(JET_errSuccess, JetUpdate(session, table, NULL, 0, NULL));
    }
    EXPECT(JET_errSuccess, JetCloseDatabase(session, database, 0));
    EXPECT(JET_errSuccess, JetDetachDatabaseA(session, "x.edb"));
    for (uint64_t nth = 1; nth < 1000; nth++) {
        EXPECT(JET_errSuccess, JetAttachDatabaseA(session, "x.edb", 0));
        EsentHostResetCounters();
        EsentHostFailNth(ESENT_HOST_FAULT_IO, nth, 1);
        JET_ERR err = JetCompactA(session, "x.edb", "y.edb", NULL, NULL, 0);
        uint64_t failures = EsentHostCountFailures(ESENT_HOST_FAULT_IO);
        EsentHostFailNone();
        JET_ERR there = EsentHostFileInfo("y.edb", &info);
        EXPECT(err < JET_errSuccess ? JET_errFileNotFound : JET_errSuccess, there);
        if (err >= JET_errSuccess) {
            EXPECT(JET_errSuccess, EsentHostCheckDatabase("y.edb", NULL, NULL));
            EXPECT(JET_errSuccess, EsentHostFileDelete("y.edb"));
        }
        EXPECT(JET_errSuccess, JetDetachDatabaseA(session, "x.edb"));
        if (failures == 0) {
            EXPECT(JET_errSuccess, err);
            break;
        }
        assert_true(cases_wrong < 10);
    }
    cases_end();
}

static void instance_information(void **state)
{
    (void)state;
    uint32_t count;
    JET_INSTANCE_INFO_W *wide;
    JET_INSTANCE_INFO_A *narrow;
    EXPECT(JET_errInvalidParameter, JetGetInstanceInfoW(NULL, &wide));
    EXPECT(JET_errInvalidParameter, JetGetInstanceInfoW(&count, NULL));
    EXPECT(JET_errInvalidParameter, JetGetInstanceInfoA(NULL, &narrow));
    EXPECT(JET_errInvalidParameter, JetGetInstanceInfoA(&count, NULL));
    /* Several databases: the allocation for each may fail. */
    JET_DBID second;
    EXPECT(JET_errSuccess, JetCreateDatabaseA(session, "y.edb", NULL, &second, 0));
    for (uint64_t nth = 1; nth < 20; nth++) {
        EsentHostFailNth(ESENT_HOST_FAULT_ALLOCATE, nth, 1);
        JET_ERR err = JetGetInstanceInfoA(&count, &narrow);
        EsentHostFailNone();
        if (err == JET_errSuccess) {
            EXPECT_EQUAL(1, count);
            EXPECT_EQUAL(2, narrow[0].cDatabases);
            EXPECT(JET_errSuccess, JetFreeBuffer((char *)narrow));
            break;
        }
        EXPECT(JET_errOutOfMemory, err);
    }
    cases_end();
}

/* --- failing files --- */

static uint32_t number;
static uint64_t number64;

static JET_ERR file_pages(void)
{
    return JetGetDatabaseInfoA(session, database, &number, 4, JET_DbInfoFilesize);
}

static JET_ERR grow(void)
{
    return JetGrowDatabase(session, database, 1, &number);
}

static JET_ERR file_size(void)
{
    return JetGetDatabaseFileInfoA("y.edb", &number64, 8, JET_DbInfoFilesize);
}

static JET_ERR file_type(void)
{
    return JetGetDatabaseFileInfoA("y.edb", &number, 4, JET_DbInfoFileType);
}

static JET_ERR log_type(void)
{
    return JetGetDatabaseFileInfoA("edb.log", &number, 4, JET_DbInfoFileType);
}

static JET_ERR set_size(void)
{
    static uint32_t pages = 1000;
    return JetSetDatabaseSizeA(session, "y.edb", pages += 10, &number);
}

static void files_that_fail(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        JET_ERR (*call)(void);
    } rows[] = {{"file pages", file_pages}, {"grow", grow},         {"file size", file_size},
                {"file type", file_type},   {"log type", log_type}, {"set size", set_size}};
    JET_DBID second;
    EXPECT(JET_errSuccess, JetCreateDatabaseA(session, "y.edb", NULL, &second, 0));
    EXPECT(JET_errSuccess, JetCloseDatabase(session, second, 0));
    EXPECT(JET_errSuccess, JetDetachDatabaseA(session, "y.edb"));
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        for (uint64_t nth = 1;; nth++) {
            EsentHostResetCounters();
            EsentHostFailNth(ESENT_HOST_FAULT_IO, nth, 1);
            JET_ERR err = rows[i].call();
            uint64_t failures = EsentHostCountFailures(ESENT_HOST_FAULT_IO);
            EsentHostFailNone();
            if (failures > 0 && err != JET_errDiskIO) {
                print_message("%s, operation %d: answers %d\n", rows[i].name, (int)nth, (int)err);
                cases_wrong++;
            }
            if (failures == 0) {
                EXPECT(JET_errSuccess, err);
                break;
            }
        }
    }
    static char path[5000];
    memset(path, 'p', sizeof(path) - 1);
    EXPECT(JET_errInvalidPath, JetGetDatabaseFileInfoA(path, &number, 4, JET_DbInfoFileType));
    EXPECT(JET_errInvalidPath, JetSetDatabaseSizeA(session, path, 100, &number));
    cases_end();
}

static JET_ERR table_available(void)
{
    return JetGetTableInfoA(session, table, &number, 4, JET_TblInfoSpaceAvailable);
}

static JET_ERR table_owned(void)
{
    return JetGetTableInfoA(session, table, &number, 4, JET_TblInfoSpaceOwned);
}

static JET_ERR long_values_owned(void)
{
    return JetGetTableInfoA(session, table, &number, 4, JET_TblInfoSpaceOwnedLV);
}

static JET_ERR index_owned(void)
{
    return JetGetTableIndexInfoA(session, table, "pk", &number, 4, JET_IdxInfoSpaceOwned);
}

static JET_ERR database_owned(void)
{
    return JetGetDatabaseInfoA(session, database, &number, 4, JET_DbInfoSpaceOwned);
}

static JET_ERR position(void)
{
    JET_RECPOS place = {.cbStruct = sizeof(place)};
    JET_ERR err = JetMove(session, table, JET_MoveLast, 0);
    return err < JET_errSuccess ? err : JetGetRecordPosition(session, table, &place, sizeof(place));
}

static JET_ERR list_columns(void)
{
    JET_COLUMNLIST list;
    JET_ERR err = JetGetTableColumnInfoA(session, table, NULL, &list, sizeof(list), JET_ColInfoList);
    return err < JET_errSuccess ? err : JetCloseTable(session, list.tableid);
}

/* What must be read from the file, which fails once: the call tells so, and the next one succeeds. */
static void pages_that_fail(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        JET_ERR (*call)(void);
    } rows[] = {{"table available", table_available},
                {"table owned", table_owned},
                {"long values", long_values_owned},
                {"index owned", index_owned},
                {"database owned", database_owned},
                {"position", position},
                {"list", list_columns},
                {"grow", grow}};
    static uint8_t value[9000];
    JET_COLUMNID long_column;
    JET_COLUMNDEF binary = {.cbStruct = sizeof(binary), .coltyp = JET_coltypLongBinary};
    EXPECT(JET_errSuccess, JetCloseTable(session, table));
    EXPECT(JET_errSuccess, JetCreateTableA(session, database, "cold", 0, 80, &table));
    EXPECT(JET_errSuccess,
           JetAddColumnA(session, table, "a",
                         &(JET_COLUMNDEF){.cbStruct = sizeof(JET_COLUMNDEF), .coltyp = JET_coltypLong}, NULL,
                         0, &column));
    EXPECT(JET_errSuccess, JetAddColumnA(session, table, "l", &binary, NULL, 0, &long_column));
    EXPECT(JET_errSuccess, JetCreateIndexA(session, table, "pk", JET_bitIndexPrimary, "+a\0", 4, 80));
    EXPECT(JET_errSuccess, JetCreateIndexA(session, table, "x", 0, "-a\0", 4, 80));
    EXPECT(JET_errSuccess, JetBeginTransaction(session));
    for (int32_t i = 0; i < 600; i++) {
        EXPECT(JET_errSuccess, JetPrepareUpdate(session, table, JET_prepInsert));
        EXPECT(JET_errSuccess, JetSetColumn(session, table, column, &i, sizeof(i), 0, NULL));
        if (i % 100 == 0)
            EXPECT(JET_errSuccess, JetSetColumn(session, table, long_column, value, sizeof(value), 0, NULL));
        EXPECT(JET_errSuccess, JetUpdate(session, table, NULL, 0, NULL));
    }
    EXPECT(JET_errSuccess, JetCommitTransaction(session, 0));
    EXPECT(JET_errSuccess, JetCloseDatabase(session, database, 0));
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        for (uint64_t nth = 1; nth < 300; nth++) {
            EXPECT(JET_errSuccess, JetDetachDatabaseA(session, "x.edb"));
            EXPECT(JET_errSuccess, JetAttachDatabaseA(session, "x.edb", 0));
            EXPECT(JET_errSuccess, JetOpenDatabaseA(session, "x.edb", NULL, &database, 0));
            EXPECT(JET_errSuccess, JetOpenTableA(session, database, "cold", NULL, 0, 0, &table));
            EsentHostResetCounters();
            EsentHostFailNth(ESENT_HOST_FAULT_READ, nth, 1);
            JET_ERR err = rows[i].call();
            uint64_t failures = EsentHostCountFailures(ESENT_HOST_FAULT_READ);
            EsentHostFailNone();
            if (err != (failures > 0 ? JET_errDiskIO : JET_errSuccess)) {
                print_message("%s, read %d: answers %d\n", rows[i].name, (int)nth, (int)err);
                cases_wrong++;
            }
            EXPECT(JET_errSuccess, rows[i].call());
            EXPECT(JET_errSuccess, JetCloseDatabase(session, database, 0));
            if (failures == 0 || cases_wrong > 5)
                break;
        }
    }
    cases_end();
}

/* --- another thread --- */

static JET_ERR delete_column(void)
{
    return JetDeleteColumnA(session, table, "b");
}

static JET_ERR delete_index(void)
{
    return JetDeleteIndexA(session, table, "x");
}

static JET_ERR create_index(void)
{
    return JetCreateIndexA(session, table, "y", 0, "-a\0", 4, 80);
}

static JET_ERR compute(void)
{
    return JetComputeStats(session, table);
}

static JET_ERR update(void)
{
    return JetUpdate(session, table, NULL, 0, NULL);
}

static JET_ERR delete_row(void)
{
    return JetDelete(session, table);
}

static JET_ERR begin(void)
{
    return JetBeginTransaction(session);
}

static JET_ERR commit(void)
{
    return JetCommitTransaction(session, 0);
}

static JET_ERR roll_back(void)
{
    return JetRollback(session, 0);
}

struct elsewhere {
    JET_ERR (*call)(void);
    JET_ERR answer;
};

static void run_elsewhere(void *argument)
{
    struct elsewhere *elsewhere = argument;
    elsewhere->answer = elsewhere->call();
}

/* A transaction belongs to the thread that began it: nobody else changes anything in it. */
static void transaction_of_another_thread(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        JET_ERR (*call)(void);
    } rows[] = {{"delete column", delete_column},
                {"delete index", delete_index},
                {"create index", create_index},
                {"compute", compute},
                {"update", update},
                {"delete row", delete_row},
                {"begin", begin},
                {"commit", commit},
                {"roll back", roll_back}};
    EXPECT(JET_errSuccess, JetBeginTransaction(session));
    EXPECT(JET_errSuccess, JetPrepareUpdate(session, table, JET_prepReplace));
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct elsewhere elsewhere = {rows[i].call, 1};
        struct ESENT_HOST_THREAD *thread;
        EXPECT(JET_errSuccess, EsentHostThreadStart(run_elsewhere, &elsewhere, &thread));
        EsentHostThreadJoin(thread);
        if (elsewhere.answer != JET_errSessionSharingViolation) {
            print_message("%s answers %d\n", rows[i].name, (int)elsewhere.answer);
            cases_wrong++;
        }
    }
    EXPECT(JET_errSuccess, JetPrepareUpdate(session, table, JET_prepCancel));
    EXPECT(JET_errSuccess, JetCommitTransaction(session, 0));
    cases_end();
}

/* --- another session --- */

/* An index that is being made is there for its session only: not in lists, counts, spaces, nor by its id. */
static void index_of_another_session(void **state)
{
    (void)state;
    reopen();
    JET_SESID other;
    JET_DBID other_database;
    JET_TABLEID other_table;
    JET_INDEXLIST list;
    JET_INDEXID id;
    uint32_t count = 0;
    EXPECT(JET_errSuccess, JetBeginSessionA(instance, &other, NULL, NULL));
    EXPECT(JET_errSuccess, JetOpenDatabaseA(other, "x.edb", NULL, &other_database, 0));
    EXPECT(JET_errSuccess, JetOpenTableA(other, other_database, "t", NULL, 0, 0, &other_table));
    EXPECT(JET_errSuccess, JetBeginTransaction(session));
    EXPECT(JET_errSuccess, create_index());
    EXPECT(JET_errSuccess, JetGetTableIndexInfoA(session, table, "y", &id, sizeof(id), JET_IdxInfoIndexId));
    EXPECT(JET_errSuccess, JetGetTableIndexInfoA(session, table, NULL, &count, 4, JET_IdxInfoCount));
    EXPECT_EQUAL(3, count);
    EXPECT(JET_errSuccess, JetGetTableIndexInfoA(other, other_table, NULL, &count, 4, JET_IdxInfoCount));
    EXPECT_EQUAL(2, count);
    EXPECT(JET_errSuccess,
           JetGetTableIndexInfoA(other, other_table, NULL, &list, sizeof(list), JET_IdxInfoList));
    EXPECT_EQUAL(1, list.cRecord);
    EXPECT(JET_errSuccess, JetCloseTable(other, list.tableid));
    EXPECT(JET_errSuccess, JetGetTableInfoA(other, other_table, &count, 4, JET_TblInfoSpaceAvailable));
    EXPECT(JET_errInvalidIndexId, JetSetCurrentIndex4A(other, other_table, NULL, &id, 0, 0));
    EXPECT(JET_errSuccess, JetSetCurrentIndex4A(session, table, NULL, &id, 0, 0));
    EXPECT(JET_errSuccess, JetSetCurrentIndexA(session, table, NULL));
    EXPECT(JET_errSuccess, JetCommitTransaction(session, 0));
    EXPECT(JET_errSuccess, JetSetCurrentIndex4A(other, other_table, NULL, &id, 0, 0));
    EXPECT(JET_errInvalidGrbit, JetSetCurrentIndex4A(other, other_table, NULL, &id, 0x100, 0));
    /* And one that is being deleted is there for the others only. */
    EXPECT(JET_errSuccess, JetSetCurrentIndexA(other, other_table, NULL));
    EXPECT(JET_errSuccess, JetBeginTransaction(session));
    EXPECT(JET_errSuccess, delete_index());
    EXPECT(JET_errSuccess, JetGetTableInfoA(session, table, &count, 4, JET_TblInfoSpaceAvailable));
    EXPECT(JET_errSuccess, JetCommitTransaction(session, 0));
    EXPECT(JET_errSuccess, JetEndSession(other, 0));
    cases_end();
}

/* --- rows that may only be read --- */

static void read_only_cursors(void **state)
{
    (void)state;
    JET_TABLEID reader;
    JET_SETINFO info = {.cbStruct = 1};
    uint32_t value = 5;
    JET_SETCOLUMN set = {.columnid = column, .pvData = &value, .cbData = 4};
    EXPECT(JET_errSuccess, JetCloseTable(session, table));
    EXPECT(JET_errSuccess, JetOpenTableA(session, database, "t", NULL, 0, JET_bitTableReadOnly, &reader));
    EXPECT(JET_errPermissionDenied, JetPrepareUpdate(session, reader, JET_prepInsert));
    EXPECT(JET_errPermissionDenied, JetSetColumn(session, reader, column, &value, 4, 0, &info));
    EXPECT(JET_errPermissionDenied, JetSetColumns(session, reader, &set, 1));
    EXPECT(JET_errInvalidTableId, JetSetColumns(session, 0, &set, 1));
    EXPECT(JET_errPermissionDenied, JetDelete(session, reader));
    EXPECT(JET_errPermissionDenied, JetComputeStats(session, reader));
    EXPECT(JET_errSuccess, JetCloseDatabase(session, database, 0));
    EXPECT(JET_errSuccess, JetDetachDatabaseA(session, "x.edb"));
    EXPECT(JET_errSuccess, JetAttachDatabaseA(session, "x.edb", JET_bitDbReadOnly));
    EXPECT(JET_errSuccess, JetOpenDatabaseA(session, "x.edb", NULL, &database, JET_bitDbReadOnly));
    EXPECT(JET_errPermissionDenied, JetSetColumnDefaultValueA(session, database, "t", "a", &value, 4, 0));
    cases_end();
}

/* --- many cursors --- */

/* The table of cursors grows; it may fail to, and then the new cursor is not there. */
static void more_cursors_than_room(void **state)
{
    (void)state;
    JET_TABLEID cursors[300];
    JET_COLUMNDEF key = {.cbStruct = sizeof(key), .coltyp = JET_coltypLong, .grbit = JET_bitColumnTTKey};
    JET_COLUMNID id;
    for (int i = 0; i < 300; i++) {
        JET_ERR err;
        for (uint64_t nth = 1;; nth++) {
            EsentHostResetCounters();
            EsentHostFailNth(ESENT_HOST_FAULT_ALLOCATE, nth, 1);
            err = i % 3 == 0   ? JetOpenTableA(session, database, "t", NULL, 0, 0, &cursors[i])
                  : i % 3 == 1 ? JetDupCursor(session, table, &cursors[i], 0)
                               : JetOpenTempTable(session, &key, 1, 0, &cursors[i], &id);
            uint64_t failures = EsentHostCountFailures(ESENT_HOST_FAULT_ALLOCATE);
            EsentHostFailNone();
            EXPECT(failures > 0 && err < JET_errSuccess ? JET_errOutOfMemory : JET_errSuccess, err);
            if (failures == 0 || cases_wrong > 5)
                break;
            if (err == JET_errSuccess)
                EXPECT(JET_errSuccess, JetCloseTable(session, cursors[i]));
        }
    }
    for (int i = 0; i < 300; i++)
        EXPECT(JET_errSuccess, JetCloseTable(session, cursors[i]));
    cases_end();
}

/* Each first call of a session needs what a session has once. */
static JET_ERR first_call_of(JET_SESID other, JET_DBID id, int which)
{
    JET_TABLEID cursor;
    switch (which) {
    case 0:
        return JetOpenTableA(other, id, "t", NULL, 0, 0, &cursor);
    case 1:
        return JetCreateTableA(other, id, "n", 0, 80, &cursor);
    default: {
        JET_COLUMNDEF key = {.cbStruct = sizeof(key), .coltyp = JET_coltypLong, .grbit = JET_bitColumnTTKey};
        JET_COLUMNID column_id;
        return JetOpenTempTable(other, &key, 1, 0, &cursor, &column_id);
    }
    }
}

static void first_calls_of_sessions(void **state)
{
    (void)state;
    reopen();
    for (int which = 0; which < 3; which++) {
        for (uint64_t nth = 1; nth < 100; nth++) {
            JET_SESID other;
            JET_DBID id;
            EXPECT(JET_errSuccess, JetBeginSessionA(instance, &other, NULL, NULL));
            EXPECT(JET_errSuccess, JetOpenDatabaseA(other, "x.edb", NULL, &id, 0));
            EXPECT(JET_errSuccess, JetBeginTransaction(other));
            EsentHostResetCounters();
            EsentHostFailNth(ESENT_HOST_FAULT_ALLOCATE, nth, 1);
            JET_ERR err = first_call_of(other, id, which);
            uint64_t failures = EsentHostCountFailures(ESENT_HOST_FAULT_ALLOCATE);
            EsentHostFailNone();
            EXPECT(JET_errSuccess, JetRollback(other, 0));
            EXPECT(JET_errSuccess, JetEndSession(other, 0));
            EXPECT(failures > 0 && err < JET_errSuccess ? JET_errOutOfMemory : JET_errSuccess, err);
            if (failures == 0 || cases_wrong > 5)
                break;
        }
    }
    cases_end();
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, api_world_end)

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        CASE(texts_of_backups),
        CASE(texts_of_defragmentation),
        CASE(compactions),
        CASE(compactions_with_failing_files),
        CASE(instance_information),
        CASE(files_that_fail),
        CASE(pages_that_fail),
        CASE(transaction_of_another_thread),
        CASE(index_of_another_session),
        CASE(read_only_cursors),
        CASE(more_cursors_than_room),
        CASE(first_calls_of_sessions),
    };
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
