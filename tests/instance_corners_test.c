/* Instances, sessions and databases at their edges: paths that do not fit, limits, handles of others, headers
 * that do not fit the instance, failures of the end, compaction of many and odd tables. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "src/os/file.h"
#include "src/page/database_header.h"
#include "tests/instance_world.h"

/* --- paths --- */

static void paths_of_instances(void **state)
{
    (void)state;
    char text[400];
    static char path[300];
    memset(path, 'p', sizeof(path) - 1);
    path[240] = '\0';
    /* Without a path for temporary tables they lie in the system's directory. */
    instance = make("a", "a/");
    EXPECT(JET_errSuccess, JetSetSystemParameterA(&instance, JET_sesidNil, JET_paramTempPath, 0, ""));
    start();
    EXPECT(JET_errSuccess,
           JetGetSystemParameterA(instance, JET_sesidNil, JET_paramTempPath, NULL, text, sizeof(text)));
    assert_non_null(strstr(text, "/a/"));
    /* Two instances need their own places, each of three. */
    JET_INSTANCE other = make("b", "b/");
    EXPECT(JET_errSuccess, JetSetSystemParameterA(&other, JET_sesidNil, JET_paramTempPath, 0, text));
    EXPECT(JET_errTempPathInUse, JetInit(&other));
    other = make("b", "b/");
    EXPECT(JET_errSuccess, JetSetSystemParameterA(&other, JET_sesidNil, JET_paramSystemPath, 0, "a/"));
    EXPECT(JET_errSystemPathInUse, JetInit(&other));
    other = make("b", "b/");
    EXPECT(JET_errSuccess, JetSetSystemParameterA(&other, JET_sesidNil, JET_paramLogFilePath, 0, "a/"));
    EXPECT(JET_errLogFilePathInUse, JetInit(&other));
    /* Without temporary tables their place does not matter, nor without recovery those of logs. */
    other = make("b", "b/");
    EXPECT(JET_errSuccess, JetSetSystemParameterA(&other, JET_sesidNil, JET_paramTempPath, 0, text));
    EXPECT(JET_errSuccess,
           JetSetSystemParameterA(&other, JET_sesidNil, JET_paramMaxTemporaryTables, 0, NULL));
    EXPECT(JET_errSuccess, JetInit(&other));
    EXPECT(JET_errSuccess, JetTerm(other));
    other = make("b", "a/");
    EXPECT(JET_errSuccess, JetSetSystemParameterA(&other, JET_sesidNil, JET_paramTempPath, 0, "b/"));
    EXPECT(JET_errSuccess, JetSetSystemParameterA(&other, JET_sesidNil, JET_paramRecovery, 0, "off"));
    EXPECT(JET_errSuccess, JetInit(&other));
    EXPECT(JET_errSuccess, JetTerm(other));
    end();
    cases_end();
}

/* Where the working directory is long, no relative path fits any more. */
static void long_working_directory(void **state)
{
    (void)state;
    static char directory[1020];
    for (size_t i = 0; i < sizeof(directory) - 1; i++)
        directory[i] = i % 100 == 0 ? '/' : 'd';
    static const size_t lengths[] = {240, 700, 1000, 1005, 1010, 1012, 1014, 1016, 1018};
    for (size_t i = 0; i < 2 * sizeof(lengths) / sizeof(lengths[0]); i++) {
        char path[1020];
        memcpy(path, directory, lengths[i / 2]);
        path[lengths[i / 2]] = '\0';
        assert_int_equal(setup(state), 0);
        if (EsentHostSetDirectory(path) != JET_errSuccess)
            continue;
        JET_INSTANCE made = JET_instanceNil;
        EXPECT(JET_errSuccess, JetCreateInstanceA(&made, "a"));
        (void)JetSetSystemParameterA(&made, JET_sesidNil, JET_paramTempPath, 0, "temp/");
        (void)JetSetSystemParameterA(&made, JET_sesidNil, JET_paramLogFilePath, 0, "a/");
        if (i % 2 == 1) /* a name alone, which lies in the system's directory */
            (void)JetSetSystemParameterA(&made, JET_sesidNil, JET_paramTempPath, 0, "temporary.edb");
        JET_ERR err = JetInit(&made);
        EXPECT_EQUAL(lengths[i / 2] > 200, err < JET_errSuccess);
        if (err >= JET_errSuccess)
            EXPECT(JET_errSuccess, JetTerm(made));
        EXPECT(JET_errSuccess, EsentHostSetDirectory(NULL));
        assert_int_equal(teardown(state), 0);
    }
    cases_end();
}

/* Directories are made on request, with their parents; not through a file, and not if the path is none. */
static void directories_on_request(void **state)
{
    (void)state;
    EXPECT(JET_errSuccess, EsentHostFileWrite("file", 0, "x", 1));
    instance = make("a", "new/one/");
    EXPECT(JET_errSuccess,
           JetSetSystemParameterA(&instance, JET_sesidNil, JET_paramCreatePathIfNotExist, 1, NULL));
    start();
    /* Of databases, too. */
    EXPECT(JET_errSuccess, JetCreateDatabaseA(session, "new/two/x.edb", NULL, &database, 0));
    EXPECT(JET_errInvalidPath, JetCreateDatabaseA(session, "file/two/x.edb", NULL, &database, 0));
    end();
    instance = make("a", "a/");
    EXPECT(JET_errSuccess,
           JetSetSystemParameterA(&instance, JET_sesidNil, JET_paramCreatePathIfNotExist, 1, NULL));
    EXPECT(JET_errSuccess,
           JetSetSystemParameterA(&instance, JET_sesidNil, JET_paramLogFilePath, 0, "file/logs/"));
    EXPECT(JET_errInvalidPath, JetInit(&instance));
    instance = make("a", "a/");
    EXPECT(JET_errSuccess,
           JetSetSystemParameterA(&instance, JET_sesidNil, JET_paramCreatePathIfNotExist, 1, NULL));
    EXPECT(JET_errSuccess, JetSetSystemParameterA(&instance, JET_sesidNil, JET_paramSystemPath, 0, "file/"));
    EXPECT(JET_errInvalidPath, JetInit(&instance));
    instance = make("a", "a/");
    EXPECT(JET_errSuccess,
           JetSetSystemParameterA(&instance, JET_sesidNil, JET_paramCreatePathIfNotExist, 1, NULL));
    EXPECT(JET_errSuccess,
           JetSetSystemParameterA(&instance, JET_sesidNil, JET_paramTempPath, 0, "file/temp/"));
    EXPECT(JET_errInvalidPath, JetInit(&instance));
    cases_end();
}

static void paths_of_databases(void **state)
{
    (void)state;
    static char path[5000];
    memset(path, 'p', sizeof(path) - 1);
    begin_with_database();
    EXPECT(JET_errDatabaseInvalidPath, JetCreateDatabaseA(session, path, NULL, &database, 0));
    assert_true(JetAttachDatabaseA(session, path, 0) < JET_errSuccess);
    EXPECT(JET_errInvalidPath, JetOpenDatabaseA(session, path, NULL, &database, 0));
    EXPECT(JET_errInvalidPath, JetDetachDatabaseA(session, path));
    end();
    cases_end();
}

/* --- creation and attaching --- */

static void creation_options(void **state)
{
    (void)state;
    JET_DBID second = JET_dbidNil;
    begin_with_database();
    EXPECT(JET_errCannotDisableVersioning,
           JetCreateDatabaseA(session, "a/y.edb", NULL, &second, JET_bitDbVersioningOff));
    EXPECT(JET_errSuccess, JetCreateDatabaseA(session, "a/y.edb", NULL, &second, JET_bitDbShadowingOff));
    EXPECT(JET_errSuccess, JetCloseDatabase(session, second, 0));
    EXPECT(JET_errSuccess, JetDetachDatabaseA(session, "a/y.edb"));
    EXPECT(JET_errDatabaseDuplicate, JetCreateDatabaseA(session, "a/y.edb", NULL, &second, 0));
    EXPECT(JET_errSuccess, JetCreateDatabaseA(session, "a/y.edb", NULL, &second, JET_bitDbOverwriteExisting));
    /* What is attached, or a directory, is not written over. */
    EXPECT(JET_errDatabaseDuplicate,
           JetCreateDatabaseA(session, "a/y.edb", NULL, &second, JET_bitDbOverwriteExisting));
    EXPECT(JET_errSuccess, EsentHostDirectoryCreate("a/d"));
    assert_true(JetCreateDatabaseA(session, "a/d", NULL, &second, JET_bitDbOverwriteExisting) <
                JET_errSuccess);
    EXPECT(JET_errSuccess, JetBeginTransaction(session));
    EXPECT(JET_errInTransaction, JetCreateDatabaseA(session, "a/z.edb", NULL, &second, 0));
    EXPECT(JET_errInTransaction, JetAttachDatabaseA(session, "a/z.edb", 0));
    EXPECT(JET_errInTransaction, JetDetachDatabaseA(session, "a/z.edb"));
    EXPECT(JET_errSuccess, JetCommitTransaction(session, 0));
    end();
    cases_end();
}

static void attach_options(void **state)
{
    (void)state;
    begin_with_database();
    EXPECT(JET_errSuccess, JetCloseDatabase(session, database, 0));
    EXPECT(JET_errSuccess, JetDetachDatabaseA(session, "a/x.edb"));
    EXPECT(JET_errDatabaseNotFound, JetDetachDatabaseA(session, "a/x.edb"));
    EXPECT(JET_errDatabaseNotFound, JetDetachDatabaseA(session, "a/tmp.edb"));
    EXPECT(JET_errSuccess, JetDetachDatabaseA(session, NULL)); /* all: none */
    EXPECT(JET_errSuccess, JetDetachDatabaseA(session, ""));
    EXPECT(JET_errSuccess, JetAttachDatabaseA(session, "a/x.edb", JET_bitDbRecoveryOff));
    EXPECT(JET_errSuccess, JetDetachDatabaseA(session, ""));
    EXPECT(JET_errSuccess, JetAttachDatabaseA(session, "a/x.edb", JET_bitDbDeleteUnicodeIndexes));
    EXPECT(JET_errSuccess, JetDetachDatabaseA(session, NULL));
    assert_true(JetAttachDatabaseA(session, "a/x.edb", JET_bitDbDeleteUnicodeIndexes | JET_bitDbReadOnly) <
                0);
    assert_true(JetAttachDatabaseA(session, "a/x.edb", JET_bitDbVersioningOff) < JET_errSuccess);
    assert_true(JetAttachDatabaseA(session, "a", 0) < JET_errSuccess); /* a directory */
    /* A file that may not be written. */
    EXPECT(JET_errSuccess, os_file_set_read_only("a/x.edb", true));
    assert_true(JetAttachDatabaseA(session, "a/x.edb", 0) < JET_errSuccess);
    EXPECT(JET_errSuccess, JetAttachDatabaseA(session, "a/x.edb", JET_bitDbReadOnly));
    EXPECT(JET_errSuccess, JetDetachDatabaseA(session, "a/x.edb"));
    EXPECT(JET_errSuccess, os_file_set_read_only("a/x.edb", false));
    end();
    cases_end();
}

static void change_header(const char *path, void (*change)(struct database_header *header))
{
    static uint8_t page[PAGE];
    static struct database_header header;
    size_t done = 0;
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

static void make_just_created(struct database_header *header)
{
    header->state = DATABASE_JUST_CREATED;
}

static void make_dirty(struct database_header *header)
{
    header->state = DATABASE_DIRTY_SHUTDOWN;
}

/* Headers that the instance cannot work with. */
static void attach_of_odd_headers(void **state)
{
    (void)state;
    static const struct {
        void (*change)(struct database_header *header);
        JET_ERR answer;
    } rows[] = {{make_converted, JET_errDatabaseIncompleteUpgrade},
                {make_just_created, JET_errDatabaseDirtyShutdown},
                {make_dirty, JET_errDatabaseDirtyShutdown}};
    begin_with_database();
    EXPECT(JET_errSuccess, JetCloseDatabase(session, database, 0));
    EXPECT(JET_errSuccess, JetDetachDatabaseA(session, "a/x.edb"));
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        EXPECT(JET_errSuccess, EsentHostFileCopy("a/x.edb", "a/y.edb"));
        change_header("a/y.edb", rows[i].change);
        JET_ERR err = JetAttachDatabaseA(session, "a/y.edb", 0);
        if (err >= JET_errSuccess || (i > 0 && err != rows[i].answer)) {
            print_message("header %d: answers %d\n", (int)i, (int)err);
            cases_wrong++;
        }
    }
    end();
    /* Another page size. */
    EXPECT(JET_errSuccess, JetSetSystemParameterA(NULL, JET_sesidNil, JET_paramDatabasePageSize, 8192, NULL));
    instance = make("b", "b/");
    start();
    EXPECT(JET_errPageSizeMismatch, JetAttachDatabaseA(session, "a/x.edb", 0));
    end();
    cases_end();
}

/* --- opening --- */

static void opening(void **state)
{
    (void)state;
    JET_SESID other;
    JET_DBID id = JET_dbidNil;
    JET_DBID foreign = JET_dbidNil;
    uint32_t pages = 0;
    JET_COLUMNDEF key = {.cbStruct = sizeof(key), .coltyp = JET_coltypLong, .grbit = JET_bitColumnTTKey};
    JET_COLUMNID column;
    begin_with_database();
    EXPECT(JET_errSuccess, JetBeginSessionA(instance, &other, NULL, NULL));
    /* An id is the session's that opened it. */
    EXPECT(JET_errInvalidDatabaseId, JetGetDatabaseInfoA(other, database, &pages, 4, JET_DbInfoFilesize));
    EXPECT(JET_errInvalidDatabaseId, JetCloseDatabase(other, database, 0));
    EXPECT(JET_errInvalidDatabaseId, JetCloseDatabase(session, database ^ 7, 0));
    EXPECT(JET_errInvalidDatabaseId, JetCloseDatabase(session, database ^ 6, 0));
    EXPECT(JET_errInvalidDatabaseId, JetCloseDatabase(session, database ^ (1u << 17), 0));
    /* The temporary database is nobody's to open. */
    char path[400];
    EXPECT(JET_errSuccess, JetOpenTempTable(session, &key, 1, 0, &table, &column));
    EXPECT(JET_errSuccess, JetCloseTable(session, table));
    EXPECT(JET_errSuccess,
           JetGetSystemParameterA(instance, JET_sesidNil, JET_paramTempPath, NULL, path, sizeof(path)));
    EXPECT(JET_errDatabaseNotFound, JetOpenDatabaseA(session, path, NULL, &id, 0));
    EXPECT(JET_errDatabaseNotFound, JetDetachDatabaseA(session, path));
    /* Exclusively: the same session may open it again. */
    EXPECT(JET_errSuccess, JetCloseDatabase(session, database, 0));
    EXPECT(JET_errSuccess, JetOpenDatabaseA(session, "a/x.edb", NULL, &database, JET_bitDbExclusive));
    EXPECT(JET_errSuccess, JetOpenDatabaseA(session, "a/x.edb", NULL, &id, 0));
    EXPECT(JET_errDatabaseLocked, JetOpenDatabaseA(other, "a/x.edb", NULL, &foreign, 0));
    EXPECT(JET_errSuccess, JetCloseDatabase(session, database, 0));
    EXPECT(JET_errSuccess, JetCloseDatabase(session, id, 0));
    /* An id of an earlier attachment names nothing. */
    EXPECT(JET_errSuccess, JetDetachDatabaseA(session, "a/x.edb"));
    EXPECT(JET_errSuccess, JetAttachDatabaseA(session, "a/x.edb", 0));
    EXPECT(JET_errInvalidDatabaseId, JetCloseDatabase(session, database, 0));
    EXPECT(JET_errSuccess, JetOpenDatabaseA(session, "a/x.edb", NULL, &database, 0));
    assert_int_not_equal(database, id);
    EXPECT(JET_errDatabaseInUse, JetDetachDatabaseA(session, "a/x.edb"));
    end();
    cases_end();
}

static void one_database_per_session(void **state)
{
    (void)state;
    JET_DBID id;
    instance = make("a", "a/");
    EXPECT(JET_errSuccess,
           JetSetSystemParameterA(&instance, JET_sesidNil, JET_paramOneDatabasePerSession, 1, NULL));
    start();
    EXPECT(JET_errSuccess, JetCreateDatabaseA(session, "a/x.edb", NULL, &database, 0));
    EXPECT(JET_errSuccess, JetCloseDatabase(session, database, 0));
    EXPECT(JET_errSuccess, JetOpenDatabaseA(session, "a/x.edb", NULL, &database, 0));
    EXPECT(JET_errOneDatabasePerSession, JetOpenDatabaseA(session, "a/x.edb", NULL, &id, 0));
    end();
    cases_end();
}

/* As many as there are slots; and none that another instance has. */
static void many_databases(void **state)
{
    (void)state;
    char path[] = "a/0.edb";
    JET_DBID id;
    begin();
    for (int i = 0; i < 6; i++, path[2]++)
        EXPECT(JET_errSuccess, JetCreateDatabaseA(session, path, NULL, &id, 0));
    EXPECT(JET_errTooManyAttachedDatabases, JetCreateDatabaseA(session, path, NULL, &id, 0));
    JET_INSTANCE first = instance;
    instance = make("b", "b/");
    start();
    EXPECT(JET_errDatabaseSharingViolation, JetAttachDatabaseA(session, "a/0.edb", 0));
    EXPECT(JET_errSuccess, JetTerm(instance));
    instance = first;
    end();
    cases_end();
}

/* --- sessions --- */

static void cursors_of_others(void **state)
{
    (void)state;
    JET_SESID other;
    JET_TABLEID cursor;
    begin_with_database();
    EXPECT(JET_errSuccess, JetCreateTableA(session, database, "t", 0, 80, &table));
    EXPECT(JET_errSuccess, JetBeginSessionA(instance, &other, NULL, NULL));
    EXPECT(JET_errSesidTableIdMismatch, JetMove(other, table, 1, 0));
    EXPECT(JET_errSesidTableIdMismatch, JetCloseTable(other, table));
    EXPECT(JET_errInvalidTableId, JetMove(session, table ^ 0xffff, 1, 0));
    EXPECT(JET_errInvalidTableId, JetMove(session, table ^ 0x8000, 1, 0));
    EXPECT(JET_errInvalidTableId, JetMove(session, 12345, 1, 0));
    EXPECT(JET_errInvalidTableId, JetMove(session, session, 1, 0));
    EXPECT(JET_errInvalidSesid, JetMove(table, table, 1, 0));
    EXPECT(JET_errInvalidSesid, JetBeginTransaction(session | 0xffff));
    for (int bit = 0; bit < 64; bit++) {
        JET_ERR err = JetMove(session, table ^ ((JET_TABLEID)1 << bit), 1, 0);
        EXPECT(err == JET_errSesidTableIdMismatch ? err : JET_errInvalidTableId, err);
        EXPECT(JET_errInvalidSesid, JetBeginTransaction(session ^ ((JET_SESID)1 << bit)));
    }
    EXPECT(JET_errSuccess, JetDupCursor(session, table, &cursor, 0));
    EXPECT(JET_errSuccess, JetCloseTable(session, cursor));
    EXPECT(JET_errInvalidTableId, JetMove(session, cursor, 1, 0));
    end();
    cases_end();
}

static void limit_of_cursors(void **state)
{
    (void)state;
    JET_TABLEID cursors[40];
    JET_ERR err = JET_errSuccess;
    int count = 0;
    instance = make("a", "a/");
    EXPECT(JET_errSuccess, JetSetSystemParameterA(&instance, JET_sesidNil, JET_paramMaxCursors, 10, NULL));
    start();
    EXPECT(JET_errSuccess, JetCreateDatabaseA(session, "a/x.edb", NULL, &database, 0));
    EXPECT(JET_errSuccess, JetCreateTableA(session, database, "t", 0, 80, &table));
    while (count < 40 && (err = JetDupCursor(session, table, &cursors[count], 0)) == JET_errSuccess)
        count++;
    EXPECT(JET_errOutOfCursors, err);
    EXPECT_EQUAL(9, count);
    EXPECT(JET_errOutOfCursors, JetCreateTableA(session, database, "u", 0, 80, &cursors[count]));
    EXPECT(JET_errSuccess, JetCloseTable(session, cursors[0]));
    EXPECT(JET_errSuccess,
           JetCreateTableA(session, database, "u", 0, 80, &cursors[0])); /* was not left there */
    end();
    cases_end();
}

/* A transaction may belong to a context instead of a thread. */
static JET_ERR answer_elsewhere;

static void commit_elsewhere(void *with_context)
{
    if (with_context != NULL)
        EXPECT(JET_errSuccess, JetSetSessionContext(session, 5));
    answer_elsewhere = JetBeginTransaction(session);
    if (with_context != NULL) {
        EXPECT(JET_errSuccess, JetCommitTransaction(session, 0));
        EXPECT(JET_errSuccess, JetResetSessionContext(session));
    }
}

static void transactions_of_contexts(void **state)
{
    (void)state;
    struct ESENT_HOST_THREAD *thread;
    begin();
    EXPECT(JET_errSuccess, JetSetSessionContext(session, 5));
    EXPECT(JET_errSuccess, JetBeginTransaction(session));
    EXPECT(JET_errSuccess, JetBeginTransaction(session)); /* with the context */
    EXPECT(JET_errSuccess, JetCommitTransaction(session, 0));
    EXPECT(JET_errSuccess, EsentHostThreadStart(commit_elsewhere, NULL, &thread));
    EsentHostThreadJoin(thread);
    EXPECT(JET_errSessionSharingViolation, answer_elsewhere); /* the context is the first thread's */
    EXPECT(JET_errSuccess, JetResetSessionContext(session));
    EXPECT(JET_errSessionSharingViolation, JetBeginTransaction(session));
    EXPECT(JET_errSuccess, JetSetSessionContext(session, 6));
    EXPECT(JET_errSessionSharingViolation, JetBeginTransaction(session)); /* another context */
    EXPECT(JET_errSuccess, JetResetSessionContext(session));
    /* The context moves to another thread, and the transaction with it. */
    EXPECT(JET_errSuccess, EsentHostThreadStart(commit_elsewhere, &answer_elsewhere, &thread));
    EsentHostThreadJoin(thread);
    EXPECT(JET_errSuccess, answer_elsewhere);
    EXPECT(JET_errSuccess, JetSetSessionContext(session, 5));
    EXPECT(JET_errSuccess, JetCommitTransaction(session, 0));
    end();
    cases_end();
}

static void end_elsewhere(void *unused)
{
    (void)unused;
    answer_elsewhere = JetEndSession(session, 0);
}

/* Nobody else ends a session that is in a transaction, but under a context anybody may. */
static void end_of_a_session_in_a_transaction(void **state)
{
    (void)state;
    struct ESENT_HOST_THREAD *thread;
    begin();
    EXPECT(JET_errSuccess, JetBeginTransaction(session));
    EXPECT(JET_errSuccess, EsentHostThreadStart(end_elsewhere, NULL, &thread));
    EsentHostThreadJoin(thread);
    EXPECT(JET_errSessionSharingViolation, answer_elsewhere);
    EXPECT(JET_errSuccess, JetCommitTransaction(session, 0));
    EXPECT(JET_errSuccess, JetSetSessionContext(session, 5));
    EXPECT(JET_errSuccess, JetBeginTransaction(session));
    EXPECT(JET_errSuccess, JetBeginTransaction(session));
    EXPECT(JET_errSuccess, EsentHostThreadStart(end_elsewhere, NULL, &thread));
    EsentHostThreadJoin(thread);
    EXPECT(JET_errSuccess, answer_elsewhere);
    EXPECT(JET_errInvalidSesid, JetCommitTransaction(session, 0));
    end();
    cases_end();
}

/* --- one-instance mode, legacy calls --- */

static void legacy_calls_of_an_instance_that_is_not_there(void **state)
{
    (void)state;
    JET_SESID none;
    EXPECT(JET_errInvalidParameter, JetBeginExternalBackup(0));
    EXPECT(JET_errInvalidParameter, JetStopService());
    EXPECT(JET_errSuccess, JetSetSystemParameterA(NULL, JET_sesidNil, JET_paramLogFileSize, 128, NULL));
    EXPECT(JET_errSuccess, JetInit(NULL));
    EXPECT(JET_errSuccess, JetBeginExternalBackup(0));
    EXPECT(JET_errBackupAbortByCaller, JetEndExternalBackup()); /* before its logs */
    EXPECT(JET_errSuccess, JetTerm(0));
    EXPECT(JET_errInvalidParameter, JetBeginExternalBackup(0));
    EXPECT(JET_errInvalidParameter, JetBeginSessionA(0, &none, NULL, NULL));
    /* Whatever a bogus handle holds, an initialisation makes the one instance. */
    JET_INSTANCE bogus = 12345;
    EXPECT(JET_errSuccess, JetInit(&bogus));
    EXPECT(JET_errSuccess, JetTerm(bogus));
    cases_end();
}

/* --- compaction --- */

/* Names and ids in different orders, more columns than a list has room for at first, an index younger than
 * the next table, a last id that is nobody's any more. */
static void compaction_of_odd_tables(void **state)
{
    (void)state;
    JET_TABLEID first;
    char index[] = "i0";
    JET_OBJECTLIST list;
    begin_with_database();
    make_table("z", 2);
    first = table;
    make_table("a", 90);
    EXPECT(JET_errSuccess, JetCloseTable(session, table));
    for (int i = 0; i < 5; i++, index[1]++)
        EXPECT(JET_errSuccess, JetCreateIndexA(session, first, index, 0, "+c00\0", 6, 80));
    EXPECT(JET_errSuccess, JetCloseTable(session, first));
    for (char name[] = "m0"; name[1] <= '9'; name[1]++) {
        make_table(name, 1);
        EXPECT(JET_errSuccess, JetCloseTable(session, table));
    }
    for (char name[] = "n0"; name[1] <= '9'; name[1]++) {
        make_table(name, 1);
        EXPECT(JET_errSuccess, JetCloseTable(session, table));
    }
    for (char name[] = "o0"; name[1] <= '9'; name[1]++) {
        make_table(name, 1);
        EXPECT(JET_errSuccess, JetCloseTable(session, table));
    }
    make_table("last", 0);
    EXPECT(JET_errSuccess, JetCloseTable(session, table));
    EXPECT(JET_errSuccess, JetDeleteTableA(session, database, "last"));
    EXPECT(JET_errSuccess, JetCloseDatabase(session, database, 0));
    EXPECT(JET_errSuccess, JetCompactA(session, "a/x.edb", "a/y.edb", NULL, NULL, 0));
    EXPECT(JET_errSuccess, JetAttachDatabaseA(session, "a/y.edb", 0));
    EXPECT(JET_errSuccess, JetOpenDatabaseA(session, "a/y.edb", NULL, &database, 0));
    EXPECT(JET_errSuccess, JetGetObjectInfoA(session, database, JET_objtypTable, NULL, NULL, &list,
                                             sizeof(list), JET_ObjInfoListNoStats));
    assert_true(list.cRecord >= 32);
    EXPECT(JET_errSuccess, JetOpenTableA(session, database, "z", NULL, 0, 0, &table));
    uint32_t count = 0;
    EXPECT(JET_errSuccess, JetGetTableIndexInfoA(session, table, NULL, &count, 4, JET_IdxInfoCount));
    EXPECT_EQUAL(6, count);
    /* New tables get new ids. */
    make_table("new", 1);
    end();
    EXPECT(JET_errSuccess, EsentHostCheckDatabase("a/y.edb", NULL, NULL));
    cases_end();
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        CASE(paths_of_instances),
        CASE(long_working_directory),
        CASE(directories_on_request),
        CASE(paths_of_databases),
        CASE(creation_options),
        CASE(attach_options),
        CASE(attach_of_odd_headers),
        CASE(opening),
        CASE(one_database_per_session),
        CASE(many_databases),
        CASE(cursors_of_others),
        CASE(limit_of_cursors),
        CASE(transactions_of_contexts),
        CASE(legacy_calls_of_an_instance_that_is_not_there),
        CASE(end_of_a_session_in_a_transaction),
        CASE(compaction_of_odd_tables),
    };
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
