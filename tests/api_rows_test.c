/* Rows, keys, bookmarks, transactions and sessions, call by call: small buffers, wrong structures, missing
 * pointers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/api_cases.h"
#include "tests/api_world.h"

static JET_DBID database;
static JET_TABLEID table;
static JET_COLUMNID id_column;
static JET_COLUMNID text_column;
static JET_COLUMNID tagged_column;

static JET_ERR insert(int32_t id, const char *text)
{
    JET_ERR err = JetPrepareUpdate(session, table, JET_prepInsert);
    if (err >= JET_errSuccess)
        err = JetSetColumn(session, table, id_column, &id, sizeof(id), 0, NULL);
    if (err >= JET_errSuccess)
        err = JetSetColumn(session, table, text_column, text, (uint32_t)strlen(text), 0, NULL);
    if (err >= JET_errSuccess)
        err = JetUpdate(session, table, NULL, 0, NULL);
    return err;
}

static int setup(void **state)
{
    JET_COLUMNDEF number = {
        .cbStruct = sizeof(number), .coltyp = JET_coltypLong, .grbit = JET_bitColumnFixed};
    JET_COLUMNDEF text = {.cbStruct = sizeof(text), .coltyp = JET_coltypText, .cp = 1252};
    JET_COLUMNDEF tagged = {.cbStruct = sizeof(tagged),
                            .coltyp = JET_coltypLongBinary,
                            .grbit = JET_bitColumnTagged | JET_bitColumnMultiValued};
    (void)state;
    return api_world_start(true) &&
                   JetCreateDatabaseA(session, "x.edb", NULL, &database, 0) == JET_errSuccess &&
                   JetCreateTableA(session, database, "t", 0, 80, &table) == JET_errSuccess &&
                   JetAddColumnA(session, table, "id", &number, NULL, 0, &id_column) == JET_errSuccess &&
                   JetAddColumnA(session, table, "text", &text, NULL, 0, &text_column) == JET_errSuccess &&
                   JetAddColumnA(session, table, "tagged", &tagged, NULL, 0, &tagged_column) ==
                       JET_errSuccess &&
                   JetCreateIndexA(session, table, "pk", JET_bitIndexPrimary, "+id\0", 5, 80) ==
                       JET_errSuccess &&
                   JetCreateIndexA(session, table, "x", 0, "+text\0", 7, 80) == JET_errSuccess &&
                   JetCreateIndexA(session, table, "y", 0, "-text\0+id\0", 11, 80) == JET_errSuccess &&
                   insert(1, "one") == JET_errSuccess && insert(2, "two") == JET_errSuccess &&
                   insert(3, "three") == JET_errSuccess &&
                   JetMove(session, table, (int32_t)JET_MoveFirst, 0) == JET_errSuccess
               ? 0
               : -1;
}

/* --- changing rows --- */

static void updates(void **state)
{
    (void)state;
    uint8_t bookmark[64];
    uint32_t size = 77;
    JET_SETINFO info = {.cbStruct = sizeof(info) - 1, .itagSequence = 1};
    EXPECT(JET_errUpdateNotPrepared, JetUpdate(session, table, NULL, 0, NULL));
    EXPECT(JET_errUpdateNotPrepared, JetSetColumn(session, table, text_column, "x", 1, 0, &info));
    EXPECT(JET_errUpdateNotPrepared, JetSetColumns(session, table, NULL, 1));
    EXPECT(JET_errSuccess, JetPrepareUpdate(session, table, JET_prepReplace));
    EXPECT(JET_errAlreadyPrepared, JetPrepareUpdate(session, table, JET_prepReplace));
    EXPECT(JET_errInvalidParameter, JetSetColumn(session, table, text_column, "x", 1, 0, &info));
    info.cbStruct++;
    EXPECT(JET_errSuccess, JetSetColumn(session, table, text_column, "x", 1, 0, &info));
    EXPECT(JET_errInvalidParameter, JetSetColumns(session, table, NULL, 1));
    EXPECT(JET_errSuccess, JetSetColumns(session, table, NULL, 0));
    JET_SETCOLUMN columns[2] = {
        {.columnid = text_column, .pvData = "a", .cbData = 1, .itagSequence = 1},
        {.columnid = text_column, .pvData = "b", .cbData = 0x80000000u, .itagSequence = 1},
    };
    EXPECT(JET_errInvalidParameter, JetSetColumns(session, table, columns, 2));
    columns[1].cbData = 1;
    EXPECT(JET_errSuccess, JetSetColumns(session, table, columns, 2));
    columns[0].columnid = 77777;
    EXPECT(JET_errBadColumnId, JetSetColumns(session, table, columns, 2));
    EXPECT(JET_errSuccess, JetUpdate(session, table, bookmark, sizeof(bookmark), &size));
    assert_true(size > 0 && size < sizeof(bookmark));
    EXPECT(JET_errInvalidTableId, JetUpdate(session, 0, NULL, 0, NULL));
    EXPECT(JET_errInvalidTableId, JetDelete(session, 0));
    EXPECT(JET_errInvalidTableId, JetGetLock(session, 0, JET_bitReadLock));
    EXPECT(JET_errInvalidTableId, JetPrepareUpdate(session, 0, JET_prepInsert));
    EXPECT(JET_errInvalidTableId, JetSetColumn(session, 0, text_column, "x", 1, 0, NULL));
    EXPECT(JET_errInvalidTableId, JetEscrowUpdate(session, 0, id_column, &size, 4, NULL, 0, NULL, 0));
    cases_end();
}

/* A row whose bookmark does not fit is not stored: the update stays prepared. */
static void bookmarks_of_updates(void **state)
{
    (void)state;
    uint8_t bookmark[64] = {0};
    uint32_t size = 0;
    int32_t id = 100;
    EXPECT(JET_errSuccess, JetPrepareUpdate(session, table, JET_prepInsert));
    EXPECT(JET_errSuccess, JetSetColumn(session, table, id_column, &id, sizeof(id), 0, NULL));
    EXPECT(JET_errBufferTooSmall, JetUpdate(session, table, bookmark, 2, &size));
    EXPECT_EQUAL(0, bookmark[0]);
    EXPECT(JET_errSuccess, JetUpdate(session, table, bookmark, 5, NULL));
    EXPECT_EQUAL(0x7f, bookmark[0]);
    EXPECT_EQUAL(0x80, bookmark[1]);
    EXPECT_EQUAL(100, bookmark[4]);
    id++;
    EXPECT(JET_errSuccess, JetPrepareUpdate(session, table, JET_prepInsert));
    EXPECT(JET_errSuccess, JetSetColumn(session, table, id_column, &id, sizeof(id), 0, NULL));
    EXPECT(JET_errSuccess, JetUpdate(session, table, NULL, 0, &size));
    EXPECT_EQUAL(5, size); /* a key of four bytes, and the byte before it */
    /* A row that an index refuses is not stored, but its bookmark is known. */
    size = 0;
    EXPECT(JET_errSuccess, JetPrepareUpdate(session, table, JET_prepInsert));
    EXPECT(JET_errSuccess, JetSetColumn(session, table, id_column, &id, sizeof(id), 0, NULL));
    EXPECT(JET_errKeyDuplicate, JetUpdate(session, table, NULL, 0, &size));
    EXPECT(JET_errSuccess, JetPrepareUpdate(session, table, JET_prepCancel));
    cases_end();
}

/* --- reading rows --- */

static void retrieving(void **state)
{
    (void)state;
    char text[20];
    uint32_t size = 0;
    JET_RETINFO info = {.cbStruct = sizeof(info) - 1, .itagSequence = 1};
    EXPECT(JET_errInvalidTableId, JetRetrieveColumn(session, 0, text_column, text, 20, &size, 0, NULL));
    EXPECT(JET_errInvalidParameter,
           JetRetrieveColumn(session, table, text_column, text, 20, &size, 0, &info));
    info.cbStruct++;
    EXPECT(JET_errSuccess, JetRetrieveColumn(session, table, text_column, text, 20, &size, 0, &info));
    EXPECT_EQUAL(3, size);
    EXPECT(JET_wrnBufferTruncated, JetRetrieveColumn(session, table, text_column, text, 2, &size, 0, NULL));
    EXPECT(JET_errInvalidParameter, JetRetrieveColumns(session, table, NULL, 1));
    EXPECT(JET_errSuccess, JetRetrieveColumns(session, table, NULL, 0));
    EXPECT(JET_errInvalidTableId, JetRetrieveColumns(session, 0, NULL, 0));
    /* Number 0 asks how many values there are. */
    EXPECT(JET_errSuccess, JetBeginTransaction(session));
    EXPECT(JET_errSuccess, JetPrepareUpdate(session, table, JET_prepReplace));
    JET_SETINFO next = {.cbStruct = sizeof(next), .itagSequence = 0};
    EXPECT(JET_errSuccess, JetSetColumn(session, table, tagged_column, "a", 1, 0, &next));
    EXPECT(JET_errSuccess, JetSetColumn(session, table, tagged_column, "b", 1, 0, &next));
    EXPECT(JET_errSuccess, JetUpdate(session, table, NULL, 0, NULL));
    EXPECT(JET_errSuccess, JetCommitTransaction(session, 0));
    JET_RETRIEVECOLUMN columns[2] = {
        {.columnid = tagged_column, .cbActual = 9},
        {.columnid = text_column, .pvData = text, .cbData = 1, .itagSequence = 1},
    };
    EXPECT(JET_wrnBufferTruncated, JetRetrieveColumns(session, table, columns, 2));
    EXPECT_EQUAL(2, columns[0].itagSequence);
    EXPECT_EQUAL(0, columns[0].cbActual);
    EXPECT_EQUAL(JET_wrnBufferTruncated, columns[1].err);
    columns[0] = (JET_RETRIEVECOLUMN){.columnid = 77777};
    EXPECT(JET_errBadColumnId, JetRetrieveColumns(session, table, columns, 2));
    JET_RETRIEVECOLUMN key = {
        .columnid = id_column, .pvData = text, .cbData = 4, .grbit = JET_bitRetrieveFromPrimaryBookmark};
    EXPECT(JET_errSuccess, JetRetrieveColumns(session, table, &key, 1));
    cases_end();
}

static JET_API_PTR reallocations;

static void *JET_API reallocate(void *context, void *block, uint32_t size)
{
    static uint8_t room[10000];
    static size_t used;
    (void)context;
    if (block != NULL || size == 0)
        return NULL;
    reallocations++;
    void *here = room + used;
    used += (size + 15u) & ~15u;
    return here;
}

static void enumerating(void **state)
{
    (void)state;
    uint32_t count = 0;
    JET_ENUMCOLUMN *columns = NULL;
    JET_ENUMCOLUMNID wanted = {.columnid = text_column};
    EXPECT(JET_errInvalidTableId,
           JetEnumerateColumns(session, 0, 0, NULL, &count, &columns, reallocate, NULL, 1000, 0));
    EXPECT(JET_errSuccess,
           JetEnumerateColumns(session, table, 1, &wanted, &count, &columns, reallocate, NULL, 1000, 0));
    EXPECT_EQUAL(1, count);
    EXPECT_EQUAL(text_column, columns[0].columnid);
    /* A count without its array stands for all. */
    EXPECT(JET_errSuccess,
           JetEnumerateColumns(session, table, 0, NULL, &count, &columns, reallocate, NULL, 1000, 0));
    EXPECT_EQUAL(2, count);
    assert_true(reallocations > 0);
    EXPECT(JET_errInvalidTableId, JetRetrieveTaggedColumnList(session, 0, &count, NULL, 0, 0, 0));
    EXPECT(JET_errInvalidParameter, JetRetrieveTaggedColumnList(session, table, NULL, NULL, 0, 0, 0));
    cases_end();
}

static void record_sizes(void **state)
{
    (void)state;
    JET_RECSIZE size;
    JET_RECSIZE2 size2;
    memset(&size, 0, sizeof(size));
    memset(&size2, 0, sizeof(size2));
    EXPECT(JET_errInvalidParameter, JetGetRecordSize(session, table, NULL, 0));
    EXPECT(JET_errInvalidParameter, JetGetRecordSize2(session, table, NULL, 0));
    EXPECT(JET_errInvalidTableId, JetGetRecordSize(session, 0, &size, 0));
    EXPECT(JET_errSuccess, JetGetRecordSize(session, table, &size, 0));
    EXPECT(JET_errSuccess, JetGetRecordSize2(session, table, &size2, 0));
    EXPECT_EQUAL(7, size.cbData);
    EXPECT_EQUAL(size.cbData, size2.cbData);
    EXPECT_EQUAL(2, size.cNonTaggedColumns);
    /* Sums go on where they were. */
    EXPECT(JET_errSuccess, JetGetRecordSize(session, table, &size, JET_bitRecordSizeRunningTotal));
    EXPECT_EQUAL(14, size.cbData);
    cases_end();
}

/* --- keys and places --- */

static void keys(void **state)
{
    (void)state;
    int32_t id = 2;
    uint8_t key[20];
    uint32_t size = 0;
    EXPECT(JET_errKeyNotMade, JetSeek(session, table, JET_bitSeekEQ));
    EXPECT(JET_errKeyNotMade, JetRetrieveKey(session, table, key, sizeof(key), &size, JET_bitRetrieveCopy));
    EXPECT(JET_errSuccess,
           JetMakeKey(session, table, &id, sizeof(id), JET_bitNewKey | JET_bitKeyDataZeroLength));
    EXPECT(JET_errSuccess,
           JetRetrieveKey(session, table, key, 2, &size, JET_bitRetrieveCopy)); /* cut without a word */
    EXPECT_EQUAL(5, size);
    EXPECT(JET_errSuccess, JetSeek(session, table, JET_bitSeekEQ));
    EXPECT(JET_wrnBufferTruncated, JetRetrieveKey(session, table, key, 2, &size, 0));
    EXPECT(JET_errSuccess, JetRetrieveKey(session, table, key, 5, NULL, 0));
    EXPECT(JET_errSuccess, JetRetrieveKey(session, table, NULL, 5, &size, 0));
    EXPECT(JET_errInvalidTableId, JetMakeKey(session, 0, &id, sizeof(id), JET_bitNewKey));
    EXPECT(JET_errInvalidTableId, JetSeek(session, 0, JET_bitSeekEQ));
    EXPECT(JET_errInvalidTableId, JetMove(session, 0, 1, 0));
    EXPECT(JET_errInvalidTableId, JetSetIndexRange(session, 0, 0));
    EXPECT(JET_errInvalidTableId, JetRetrieveKey(session, 0, key, 5, NULL, 0));
    cases_end();
}

static void bookmarks(void **state)
{
    (void)state;
    uint8_t key[20];
    uint8_t bookmark[20];
    uint32_t size = 0;
    uint32_t key_size = 0;
    EXPECT(JET_errInvalidTableId, JetGetBookmark(session, 0, bookmark, 20, &size));
    EXPECT(JET_errBufferTooSmall, JetGetBookmark(session, table, bookmark, 2, &size));
    EXPECT_EQUAL(5, size);
    EXPECT(JET_errSuccess, JetGetBookmark(session, table, bookmark, 20, &size));
    EXPECT(JET_errInvalidBookmark, JetGotoBookmark(session, table, NULL, size));
    EXPECT(JET_errInvalidTableId, JetGotoBookmark(session, 0, bookmark, size));
    EXPECT(JET_errSuccess, JetGotoBookmark(session, table, bookmark, size));
    EXPECT(JET_errNoCurrentIndex,
           JetGetSecondaryIndexBookmark(session, table, key, 20, &key_size, bookmark, 20, &size, 0));
    EXPECT(JET_errSuccess, JetSetCurrentIndexA(session, table, "x"));
    EXPECT(JET_errBufferTooSmall,
           JetGetSecondaryIndexBookmark(session, table, key, 2, &key_size, bookmark, 20, &size, 0));
    EXPECT(JET_errBufferTooSmall,
           JetGetSecondaryIndexBookmark(session, table, key, 20, &key_size, bookmark, 2, &size, 0));
    EXPECT(JET_errSuccess,
           JetGetSecondaryIndexBookmark(session, table, key, 20, &key_size, bookmark, 20, &size, 0));
    EXPECT(JET_errSuccess, JetGotoSecondaryIndexBookmark(session, table, key, key_size, bookmark, size, 0));
    EXPECT(JET_errInvalidTableId,
           JetGetSecondaryIndexBookmark(session, 0, key, 20, NULL, bookmark, 20, NULL, 0));
    EXPECT(JET_errInvalidTableId,
           JetGotoSecondaryIndexBookmark(session, 0, key, key_size, bookmark, size, 0));
    cases_end();
}

static void counts_and_positions(void **state)
{
    (void)state;
    JET_RECPOS position = {.cbStruct = sizeof(position)};
    uint32_t count = 0;
    uint64_t count2 = 0;
    EXPECT(JET_errInvalidParameter, JetIndexRecordCount(session, table, NULL, 0));
    EXPECT(JET_errInvalidParameter, JetIndexRecordCount2(session, table, NULL, 0));
    EXPECT(JET_errInvalidTableId, JetIndexRecordCount(session, 0, &count, 0));
    EXPECT(JET_errSuccess, JetIndexRecordCount(session, table, &count, 100));
    EXPECT_EQUAL(3, count);
    EXPECT(JET_errSuccess, JetIndexRecordCount2(session, table, &count2, 2));
    EXPECT_EQUAL(2, count2);
    EXPECT(JET_errInvalidParameter, JetGetRecordPosition(session, table, NULL, sizeof(position)));
    EXPECT(JET_errInvalidParameter, JetGetRecordPosition(session, table, &position, sizeof(position) - 1));
    EXPECT(JET_errInvalidTableId, JetGetRecordPosition(session, 0, &position, sizeof(position)));
    EXPECT(JET_errSuccess, JetGetRecordPosition(session, table, &position, sizeof(position)));
    EXPECT(JET_errInvalidParameter, JetGotoPosition(session, table, NULL));
    EXPECT(JET_errInvalidTableId, JetGotoPosition(session, 0, &position));
    EXPECT(JET_errSuccess, JetGotoPosition(session, table, &position));
    cases_end();
}

static void current_index(void **state)
{
    (void)state;
    static const WCHAR wide_x[] = {'x', 0};
    static const WCHAR bad[] = {'a', 0xdc00, 'b', 0};
    char name[20];
    WCHAR wide[20];
    EXPECT(JET_errInvalidGrbit, JetSetCurrentIndex2A(session, table, "x", 0x100));
    EXPECT(JET_errInvalidParameter, JetSetCurrentIndexA(session, table, "a\xff"));
    EXPECT(JET_errInvalidParameter, JetSetCurrentIndexW(session, table, bad));
    EXPECT(JET_errIndexNotFound, JetSetCurrentIndexA(session, table, "no"));
    EXPECT(JET_errInvalidTableId, JetSetCurrentIndexA(session, 0, "x"));
    EXPECT(JET_errSuccess, JetSetCurrentIndexW(session, table, wide_x));
    EXPECT(JET_errSuccess, JetMove(session, table, (int32_t)JET_MoveFirst, 0));
    EXPECT(JET_errSuccess, JetSetCurrentIndex2W(session, table, wide_x, JET_bitNoMove));
    EXPECT(JET_errSuccess, JetSetCurrentIndex3W(session, table, wide_x, JET_bitMoveFirst, 1));
    EXPECT(JET_errSuccess, JetSetCurrentIndex4W(session, table, wide_x, NULL, JET_bitMoveFirst, 1));
    EXPECT(JET_errSuccess, JetGetCurrentIndexA(session, table, name, sizeof(name)));
    assert_string_equal(name, "x");
    EXPECT(JET_errSuccess, JetGetCurrentIndexW(session, table, wide, sizeof(wide)));
    EXPECT_EQUAL('x', wide[0]);
    /* The narrow call cuts a name without a word; the wide one tells. */
    EXPECT(JET_errSuccess, JetSetCurrentIndexA(session, table, "pk"));
    EXPECT(JET_errSuccess, JetGetCurrentIndexA(session, table, name, 2));
    assert_string_equal(name, "p");
    EXPECT(JET_wrnBufferTruncated, JetGetCurrentIndexA(session, table, name, 0));
    EXPECT(JET_errSuccess, JetGetCurrentIndexA(session, table, NULL, 5));
    EXPECT(JET_errBufferTooSmall, JetGetCurrentIndexW(session, table, wide, 4));
    EXPECT_EQUAL('p', wide[0]);
    EXPECT_EQUAL(0, wide[1]);
    JET_TABLEID bare;
    EXPECT(JET_errSuccess, JetCreateTableA(session, database, "bare", 0, 80, &bare));
    EXPECT(JET_errSuccess, JetGetCurrentIndexA(session, bare, name, sizeof(name)));
    assert_string_equal(name, "");
    EXPECT(JET_errInvalidTableId, JetSetCursorFilter(session, 0, NULL, 0, 0));
    EXPECT(JET_errInvalidTableId, JetGetCurrentIndexA(session, 0, name, sizeof(name)));
    EXPECT(JET_errInvalidTableId, JetGetCurrentIndexW(session, 0, wide, sizeof(wide)));
    cases_end();
}

/* --- transactions --- */

static void transactions(void **state)
{
    (void)state;
    JET_COMMIT_ID commit;
    memset(&commit, 0xab, sizeof(commit));
    EXPECT(JET_errInvalidSesid, JetBeginTransaction(0));
    EXPECT(JET_errInvalidSesid, JetCommitTransaction(0, 0));
    EXPECT(JET_errInvalidSesid, JetRollback(0, 0));
    EXPECT(JET_errNotInTransaction, JetCommitTransaction(session, 0));
    EXPECT(JET_errNotInTransaction, JetRollback(session, 0));
    EXPECT(JET_errInvalidGrbit, JetCommitTransaction(session, 0x1000));
    EXPECT(JET_errSuccess, JetCommitTransaction(session, JET_bitForceNewLog));
    EXPECT(JET_errInvalidGrbit, JetCommitTransaction(session, JET_bitForceNewLog | JET_bitCommitLazyFlush));
    EXPECT(JET_errSuccess, JetCommitTransaction(session, JET_bitWaitAllLevel0Commit));
    EXPECT(JET_errInvalidGrbit,
           JetCommitTransaction(session, JET_bitWaitAllLevel0Commit | JET_bitCommitLazyFlush));
    EXPECT(JET_errSuccess, JetCommitTransaction(session, JET_bitWaitLastLevel0Commit));
    EXPECT(JET_errInvalidGrbit,
           JetCommitTransaction(session, JET_bitWaitLastLevel0Commit | JET_bitCommitLazyFlush));
    for (int level = 0; level < 7; level++)
        EXPECT(JET_errSuccess, JetBeginTransaction(session));
    EXPECT(JET_errTransTooDeep, JetBeginTransaction(session));
    EXPECT(JET_errSuccess, JetRollback(session, 0));
    EXPECT(JET_errSuccess, JetCommitTransaction2(session, JET_bitCommitLazyFlush, 0, &commit));
    EXPECT_EQUAL(0, ((const uint8_t *)&commit)[3]);
    EXPECT(JET_errSuccess, JetRollback(session, JET_bitRollbackAll));
    EXPECT(JET_errNotInTransaction, JetRollback(session, 0));
    EXPECT(JET_errSuccess, JetBeginTransaction3(session, 5, JET_bitTransactionReadOnly));
    EXPECT(JET_errSuccess, JetCommitTransaction(session, 0));
    cases_end();
}

static void no_log_to_roll(void **state)
{
    (void)state;
    EXPECT(JET_errSuccess, JetTerm(instance));
    instance = JET_instanceNil;
    EXPECT(JET_errSuccess, JetCreateInstanceA(&instance, "a"));
    EXPECT(JET_errSuccess, JetSetSystemParameterA(&instance, JET_sesidNil, JET_paramRecovery, 0, "off"));
    EXPECT(JET_errSuccess, JetInit(&instance));
    EXPECT(JET_errSuccess, JetBeginSessionA(instance, &session, NULL, NULL));
    EXPECT(JET_errSuccess, JetCommitTransaction(session, JET_bitForceNewLog));
    cases_end();
}

/* --- sessions --- */

static void contexts(void **state)
{
    (void)state;
    EXPECT(JET_errInvalidSesid, JetSetSessionContext(0, 5));
    EXPECT(JET_errInvalidParameter, JetSetSessionContext(session, 0));
    EXPECT(JET_errInvalidParameter, JetSetSessionContext(session, UINT64_MAX));
    EXPECT(JET_errSessionContextNotSetByThisThread, JetResetSessionContext(session));
    EXPECT(JET_errSuccess, JetSetSessionContext(session, 5));
    EXPECT(JET_errSessionContextAlreadySet, JetSetSessionContext(session, 6));
    EXPECT(JET_errSuccess, JetResetSessionContext(session));
    EXPECT(JET_errInvalidSesid, JetResetSessionContext(0));
    cases_end();
}

static void reset_from_elsewhere(void *answer)
{
    *(JET_ERR *)answer = JetResetSessionContext(session);
}

static void context_of_another_thread(void **state)
{
    (void)state;
    struct ESENT_HOST_THREAD *thread;
    JET_ERR answer = JET_errSuccess;
    EXPECT(JET_errSuccess, JetSetSessionContext(session, 5));
    EXPECT(JET_errSuccess, EsentHostThreadStart(reset_from_elsewhere, &answer, &thread));
    EsentHostThreadJoin(thread);
    EXPECT(JET_errSessionContextNotSetByThisThread, answer);
    EXPECT(JET_errSuccess, JetResetSessionContext(session));
    cases_end();
}

/* Which parameters of a session may be read into which sizes, and set from which. */
static void session_parameters(void **state)
{
    (void)state;
    uint8_t value[200] = {0};
    uint32_t size = 0;
    static const struct {
        uint32_t number;
        uint32_t size;
        JET_ERR larger; /* what a larger buffer answers when read */
        JET_ERR set;
    } rows[] = {
        {JET_sesparamCommitDefault, 4, JET_errInvalidBufferSize, JET_errSuccess},
        {JET_sesparamTransactionLevel, 4, JET_errInvalidBufferSize, JET_errFeatureNotAvailable},
        {JET_sesparamOperationContext, sizeof(JET_OPERATIONCONTEXT), JET_errSuccess, JET_errSuccess},
        {JET_sesparamCorrelationID, 4, JET_errSuccess, JET_errSuccess},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        EXPECT(JET_errSuccess, JetGetSessionParameter(session, rows[i].number, NULL, 0, &size));
        EXPECT_EQUAL(rows[i].size, size);
        EXPECT(JET_errSuccess, JetGetSessionParameter(session, rows[i].number, value, rows[i].size, &size));
        EXPECT(JET_errSuccess, JetGetSessionParameter(session, rows[i].number, value, rows[i].size, NULL));
        EXPECT(JET_errInvalidBufferSize,
               JetGetSessionParameter(session, rows[i].number, value, rows[i].size - 1, NULL));
        EXPECT(rows[i].larger,
               JetGetSessionParameter(session, rows[i].number, value, rows[i].size + 1, NULL));
        EXPECT(JET_errInvalidParameter, JetGetSessionParameter(session, rows[i].number, NULL, 0, NULL));
        EXPECT(rows[i].set, JetSetSessionParameter(session, rows[i].number, value, rows[i].size));
        EXPECT(rows[i].set == JET_errSuccess ? JET_errInvalidBufferSize : rows[i].set,
               JetSetSessionParameter(session, rows[i].number, value, rows[i].size - 1));
        EXPECT(JET_errInvalidParameter, JetSetSessionParameter(session, rows[i].number, NULL, rows[i].size));
        if (cases_wrong > 0)
            print_message("parameter %u\n", (unsigned)rows[i].number);
    }
    EXPECT(JET_errInvalidSesparamId, JetGetSessionParameter(session, 77, value, 4, NULL));
    EXPECT(JET_errInvalidSesparamId, JetSetSessionParameter(session, 77, value, 4));
    EXPECT(JET_errInvalidSesparamId, JetSetSessionParameter(session, 77, NULL, 0));
    EXPECT(JET_errInvalidSesid, JetGetSessionParameter(0, JET_sesparamCommitDefault, value, 4, NULL));
    EXPECT(JET_errInvalidSesid, JetSetSessionParameter(0, JET_sesparamCommitDefault, value, 4));
    cases_end();
}

static void idling(void **state)
{
    (void)state;
    uint32_t version = 0;
    JET_SESID other = 7;
    EXPECT(JET_errInvalidSesid, JetIdle(0, 0));
    EXPECT(JET_wrnNoIdleActivity, JetIdle(session, 0));
    EXPECT(JET_wrnNoIdleActivity, JetIdle(session, JET_bitIdleCompact));
    EXPECT(JET_wrnNoIdleActivity, JetIdle(session, JET_bitIdleCompact | JET_bitIdleCompactAsync));
    EXPECT(JET_errInvalidGrbit, JetIdle(session, JET_bitIdleCompactAsync));
    EXPECT(JET_errSuccess, JetIdle(session, JET_bitIdleFlushBuffers));
    EXPECT(JET_errSuccess, JetIdle(session, JET_bitIdleStatus));
    EXPECT(JET_errInvalidParameter, JetGetVersion(session, NULL));
    EXPECT(JET_errInvalidSesid, JetGetVersion(0, &version));
    EXPECT(JET_errSuccess, JetGetVersion(session, &version));
    assert_int_not_equal(version, 0);
    EXPECT(JET_errInvalidParameter, JetDupSession(session, NULL));
    EXPECT(JET_errInvalidSesid, JetDupSession(0, &other));
    EXPECT(JET_errSuccess, JetDupSession(session, &other));
    EXPECT(JET_errSuccess, JetEndSession(other, 0));
    EXPECT(JET_errInvalidSesid, JetEndSession(other, 0));
    EXPECT(JET_errInvalidParameter, JetBeginSessionA(instance, NULL, NULL, NULL));
    EXPECT(JET_errInvalidParameter, JetBeginSessionA(0, &other, NULL, NULL));
    char text[] = "not a buffer of the engine";
    EXPECT(JET_errSuccess, JetFreeBuffer(text)); /* is left alone */
    EXPECT(JET_errSuccess, JetFreeBuffer(NULL));
    cases_end();
}

/* Versions that fill half of their room are a reason to be idle. */
static void idle_when_full(void **state)
{
    (void)state;
    static char text[200];
    memset(text, 'x', sizeof(text));
    EXPECT(JET_errSuccess, JetTerm(instance));
    instance = JET_instanceNil;
    EXPECT(JET_errSuccess, JetCreateInstanceA(&instance, "a"));
    EXPECT(JET_errSuccess, JetSetSystemParameterA(&instance, JET_sesidNil, JET_paramMaxVerPages, 1, NULL));
    EXPECT(JET_errSuccess, JetInit(&instance));
    EXPECT(JET_errSuccess, JetBeginSessionA(instance, &session, NULL, NULL));
    EXPECT(JET_errSuccess, JetAttachDatabaseA(session, "x.edb", 0));
    EXPECT(JET_errSuccess, JetOpenDatabaseA(session, "x.edb", NULL, &database, 0));
    EXPECT(JET_errSuccess, JetOpenTableA(session, database, "t", NULL, 0, 0, &table));
    EXPECT(JET_errSuccess, JetIdle(session, JET_bitIdleStatus));
    JET_ERR err = JetBeginTransaction(session);
    for (int32_t id = 10; err == JET_errSuccess && id < 5000; id++) {
        err = insert(id, "some text");
        if (err == JET_errSuccess && JetIdle(session, JET_bitIdleStatus) == JET_wrnIdleFull)
            err = JET_wrnIdleFull;
    }
    EXPECT(JET_wrnIdleFull, err);
    EXPECT(JET_errSuccess, JetRollback(session, 0));
    cases_end();
}

/* --- temporary tables --- */

static JET_COLUMNDEF temporary_columns[] = {
    {.cbStruct = sizeof(JET_COLUMNDEF), .coltyp = JET_coltypText, .cp = 1200, .grbit = JET_bitColumnTTKey}};

static void temporary_tables(void **state)
{
    (void)state;
    static WCHAR german[] = {'d', 'e', '-', 'D', 'E', 0};
    JET_TABLEID made = 7;
    JET_COLUMNID column;
    JET_UNICODEINDEX by_number = {.lcid = 1031, .dwMapFlags = 0x10401};
    JET_UNICODEINDEX nothing = {.lcid = 0, .dwMapFlags = 0x10401};
    JET_UNICODEINDEX unknown = {.lcid = 0x1234};
    JET_UNICODEINDEX2 by_name = {.szLocaleName = german, .dwMapFlags = 0x10401};
    EXPECT(JET_errInvalidSesid, JetOpenTempTable(0, temporary_columns, 1, 0, &made, &column));
    EXPECT(JET_errInvalidParameter, JetOpenTempTable(session, NULL, 1, 0, &made, &column));
    EXPECT(JET_errInvalidParameter, JetOpenTempTable(session, temporary_columns, 1, 0, NULL, &column));
    EXPECT_EQUAL(7, made);
    EXPECT(JET_errInvalidLanguageId,
           JetOpenTempTable2(session, temporary_columns, 1, 0x1234, 0, &made, &column));
    EXPECT(JET_errInvalidLanguageId,
           JetOpenTempTable3(session, temporary_columns, 1, &unknown, 0, &made, &column));
    EXPECT(JET_errSuccess, JetOpenTempTable2(session, temporary_columns, 1, 1031, 0, &made, &column));
    EXPECT(JET_errSuccess, JetCloseTable(session, made));
    EXPECT(JET_errSuccess, JetOpenTempTable3(session, temporary_columns, 1, &by_number, 0, &made, &column));
    EXPECT(JET_errSuccess, JetCloseTable(session, made));
    EXPECT(JET_errSuccess, JetOpenTempTable3(session, temporary_columns, 1, &nothing, 0, &made, &column));
    EXPECT(JET_errSuccess, JetCloseTable(session, made));
    EXPECT(JET_errSuccess, JetOpenTempTable3(session, temporary_columns, 1, NULL, 0, &made, &column));
    EXPECT(JET_errSuccess, JetCloseTable(session, made));
    JET_OPENTEMPORARYTABLE open = {.cbStruct = sizeof(open) - 1,
                                   .prgcolumndef = temporary_columns,
                                   .ccolumn = 1,
                                   .prgcolumnid = &column};
    EXPECT(JET_errInvalidParameter, JetOpenTemporaryTable(session, NULL));
    EXPECT(JET_errInvalidParameter, JetOpenTemporaryTable(session, &open));
    open.cbStruct++;
    EXPECT(JET_errSuccess, JetOpenTemporaryTable(session, &open));
    EXPECT(JET_errSuccess, JetCloseTable(session, open.tableid));
    open.pidxunicode = &by_number;
    EXPECT(JET_errSuccess, JetOpenTemporaryTable(session, &open));
    EXPECT(JET_errSuccess, JetCloseTable(session, open.tableid));
    JET_OPENTEMPORARYTABLE2 open2 = {.cbStruct = sizeof(open2) - 1,
                                     .prgcolumndef = temporary_columns,
                                     .ccolumn = 1,
                                     .prgcolumnid = &column};
    EXPECT(JET_errInvalidParameter, JetOpenTemporaryTable2(session, NULL));
    EXPECT(JET_errInvalidParameter, JetOpenTemporaryTable2(session, &open2));
    open2.cbStruct++;
    EXPECT(JET_errSuccess, JetOpenTemporaryTable2(session, &open2));
    EXPECT(JET_errSuccess, JetCloseTable(session, open2.tableid));
    open2.pidxunicode = &by_name;
    EXPECT(JET_errSuccess, JetOpenTemporaryTable2(session, &open2));
    EXPECT(JET_errSuccess, JetCloseTable(session, open2.tableid));
    cases_end();
}

/* --- intersection --- */

static void range_of(JET_TABLEID cursor, const char *index, const char *from)
{
    EXPECT(JET_errSuccess, JetSetCurrentIndexA(session, cursor, index));
    EXPECT(JET_errSuccess, JetMakeKey(session, cursor, from, (uint32_t)strlen(from), JET_bitNewKey));
    EXPECT(JET_errSuccess,
           JetSeek(session, cursor, JET_bitSeekGE) < JET_errSuccess ? JET_errRecordNotFound : JET_errSuccess);
}

static void intersection(void **state)
{
    (void)state;
    JET_TABLEID one;
    JET_TABLEID two;
    JET_TABLEID other;
    JET_RECORDLIST list = {.cbStruct = sizeof(list)};
    EXPECT(JET_errSuccess, JetDupCursor(session, table, &one, 0));
    EXPECT(JET_errSuccess, JetDupCursor(session, table, &two, 0));
    EXPECT(JET_errSuccess, JetCreateTableA(session, database, "other", 0, 80, &other));
    range_of(one, "x", "three"); /* three, two */
    range_of(two, "y", "three"); /* backwards: three, one */
    JET_INDEXRANGE ranges[3] = {{.cbStruct = sizeof(ranges[0]), .tableid = one},
                                {.cbStruct = sizeof(ranges[0]), .tableid = two},
                                {.cbStruct = sizeof(ranges[0]), .tableid = other}};
    EXPECT(JET_errInvalidSesid, JetIntersectIndexes(0, ranges, 2, &list, 0));
    EXPECT(JET_errInvalidParameter, JetIntersectIndexes(session, NULL, 2, &list, 0));
    EXPECT(JET_errInvalidParameter, JetIntersectIndexes(session, ranges, 0, &list, 0));
    EXPECT(JET_errInvalidParameter, JetIntersectIndexes(session, ranges, 65, &list, 0));
    EXPECT(JET_errInvalidParameter, JetIntersectIndexes(session, ranges, 2, NULL, 0));
    list.cbStruct--;
    EXPECT(JET_errInvalidParameter, JetIntersectIndexes(session, ranges, 2, &list, 0));
    list.cbStruct++;
    ranges[1].cbStruct--;
    EXPECT(JET_errInvalidParameter, JetIntersectIndexes(session, ranges, 2, &list, 0));
    ranges[1].cbStruct++;
    EXPECT(JET_errInvalidParameter, JetIntersectIndexes(session, ranges, 3, &list, 0)); /* of two tables */
    ranges[1].tableid = one;
    EXPECT(JET_errInvalidParameter,
           JetIntersectIndexes(session, ranges, 2, &list, 0)); /* twice the same index */
    ranges[1].tableid = 0;
    EXPECT(JET_errInvalidTableId, JetIntersectIndexes(session, ranges, 2, &list, 0));
    ranges[1].tableid = session;
    EXPECT(JET_errInvalidTableId, JetIntersectIndexes(session, ranges, 2, &list, 0));
    ranges[1].tableid = two ^ 0xff;
    EXPECT(JET_errInvalidTableId, JetIntersectIndexes(session, ranges, 2, &list, 0));
    ranges[1].tableid = two;
    EXPECT(JET_errSuccess, JetIntersectIndexes(session, ranges, 2, &list, 0));
    EXPECT_EQUAL(1, list.cRecord);
    uint8_t bookmark[20];
    uint32_t size = 0;
    int32_t id = 0;
    EXPECT(JET_errSuccess, JetRetrieveColumn(session, list.tableid, list.columnidBookmark, bookmark,
                                             sizeof(bookmark), &size, 0, NULL));
    EXPECT(JET_errSuccess, JetGotoBookmark(session, table, bookmark, size));
    EXPECT(JET_errSuccess, JetRetrieveColumn(session, table, id_column, &id, sizeof(id), NULL, 0, NULL));
    EXPECT_EQUAL(3, id);
    EXPECT(JET_errSuccess, JetCloseTable(session, list.tableid));
    /* Nobody there. */
    EXPECT(JET_errNoCurrentRecord,
           JetMove(session, one, JET_MoveLast, 0) < 0 ? 1 : JetMove(session, one, JET_MoveNext, 0));
    EXPECT(JET_errNoCurrentRecord, JetIntersectIndexes(session, ranges, 2, &list, 0));
    cases_end();
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, api_world_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(updates),
        CASE(bookmarks_of_updates),
        CASE(retrieving),
        CASE(enumerating),
        CASE(record_sizes),
        CASE(keys),
        CASE(bookmarks),
        CASE(counts_and_positions),
        CASE(current_index),
        CASE(transactions),
        CASE(no_log_to_roll),
        CASE(contexts),
        CASE(context_of_another_thread),
        CASE(session_parameters),
        CASE(idling),
        CASE(idle_when_full),
        CASE(temporary_tables),
        CASE(intersection),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
