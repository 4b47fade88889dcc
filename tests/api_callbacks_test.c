/* Call-backs (JetRegisterCallback): who is told of what change, in which order, what a call-back may do, what
 * its error does; and when local storage goes (JetSetLS). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/api_world.h"

#define OK(call) assert_int_equal((call), JET_errSuccess)
#define ANSWERS(code, call) assert_int_equal((call), (code))
#define REFUSED(call) ANSWERS(JET_errIllegalOperation, call)

enum {
    CHANGES = JET_cbtypBeforeInsert | JET_cbtypAfterInsert | JET_cbtypBeforeReplace | JET_cbtypAfterReplace |
              JET_cbtypBeforeDelete | JET_cbtypAfterDelete,
};

static JET_DBID database;
static JET_TABLEID table;
static JET_COLUMNID id_column, data_column;

/* A call-back that jumped out of the engine would leave the session busy: it notes where it went wrong. */
static unsigned wrong_line;
#define EXPECT(condition) (void)((condition) || wrong_line != 0 || (wrong_line = __LINE__) != 0)

static JET_CBTYP told[20]; /* what the program was told since the last told_is */
static uint32_t told_count;
static JET_ERR answer;    /* what the call-backs say */
static JET_CBTYP refuses; /* of these */

static int setup(void **state)
{
    (void)state;
    told_count = 0;
    wrong_line = 0;
    answer = JET_errSuccess;
    refuses = 0;
    JET_COLUMNDEF number = {
        .cbStruct = sizeof(number), .coltyp = JET_coltypLong, .grbit = JET_bitColumnFixed};
    return api_world_start(true) &&
                   JetCreateDatabaseA(session, "x.edb", NULL, &database, 0) == JET_errSuccess &&
                   JetCreateTableA(session, database, "t", 0, 80, &table) == JET_errSuccess &&
                   JetAddColumnA(session, table, "id", &number, NULL, 0, &id_column) == JET_errSuccess &&
                   JetAddColumnA(session, table, "data", &number, NULL, 0, &data_column) == JET_errSuccess &&
                   JetCreateIndexA(session, table, "pk", JET_bitIndexPrimary, "+id\0", 5, 80) ==
                       JET_errSuccess
               ? 0
               : -1;
}

static JET_ERR set(JET_COLUMNID column, int32_t value)
{
    return JetSetColumn(session, table, column, &value, sizeof(value), 0, NULL);
}

static JET_ERR insert(int32_t id)
{
    OK(JetPrepareUpdate(session, table, JET_prepInsert));
    OK(set(id_column, id));
    return JetUpdate(session, table, NULL, 0, NULL);
}

static void find(int32_t id)
{
    OK(JetMakeKey(session, table, &id, sizeof(id), JET_bitNewKey));
    OK(JetSeek(session, table, JET_bitSeekEQ));
}

static int32_t data_of(int32_t id)
{
    int32_t data = -1;
    find(id);
    (void)JetRetrieveColumn(session, table, data_column, &data, sizeof(data), NULL, 0, NULL);
    return data;
}

static uint32_t rows(void)
{
    uint32_t count = 0;
    if (JetMove(session, table, (int32_t)JET_MoveFirst, 0) == JET_errNoCurrentRecord)
        return 0;
    OK(JetIndexRecordCount(session, table, &count, UINT32_MAX));
    return count;
}

static void told_is(uint32_t count, const JET_CBTYP *types)
{
    assert_int_equal(wrong_line, 0);
    assert_int_equal(told_count, count);
    for (uint32_t i = 0; i < count; i++)
        assert_int_equal(told[i], types[i]);
    told_count = 0;
}
#define TOLD(...)                                                                                            \
    told_is((uint32_t)(sizeof((JET_CBTYP[]){__VA_ARGS__}) / sizeof(JET_CBTYP)), (JET_CBTYP[]){__VA_ARGS__})
#define TOLD_NOTHING() told_is(0, NULL)

/* Notes what it is told; the context is added, to tell several from each other. */
static JET_ERR JET_API note(JET_SESID sesid, JET_DBID dbid, JET_TABLEID tableid, JET_CBTYP cbtyp,
                            void *pvArg1, void *pvArg2, void *pvContext, JET_API_PTR ulUnused)
{
    EXPECT(sesid == session);
    EXPECT(dbid == database);
    EXPECT(tableid == table);
    EXPECT(pvArg1 == NULL);
    EXPECT(pvArg2 == NULL);
    EXPECT(ulUnused == 0);
    told[told_count++ % 20] = cbtyp + (pvContext != NULL ? *(const JET_CBTYP *)pvContext : 0);
    return (refuses & cbtyp) != 0 ? answer : JET_errSuccess;
}

static void changes_are_told_before_and_after(void **state)
{
    JET_HANDLE handle;
    (void)state;
    OK(JetRegisterCallback(session, table, CHANGES, note, NULL, &handle));
    OK(insert(1));
    TOLD(JET_cbtypBeforeInsert, JET_cbtypAfterInsert);
    find(1);
    OK(JetPrepareUpdate(session, table, JET_prepReplace));
    OK(set(data_column, 5));
    OK(JetUpdate(session, table, NULL, 0, NULL));
    TOLD(JET_cbtypBeforeReplace, JET_cbtypAfterReplace);
    OK(JetBeginTransaction(session));
    OK(JetPrepareUpdate(session, table, JET_prepInsertCopy));
    OK(set(id_column, 2));
    OK(JetUpdate(session, table, NULL, 0, NULL));
    TOLD(JET_cbtypBeforeInsert, JET_cbtypAfterInsert);
    OK(JetPrepareUpdate(session, table, JET_prepInsertCopyDeleteOriginal));
    OK(set(id_column, 3));
    OK(JetUpdate(session, table, NULL, 0, NULL));
    TOLD(JET_cbtypBeforeDelete, JET_cbtypAfterDelete, JET_cbtypBeforeInsert, JET_cbtypAfterInsert);
    OK(JetCommitTransaction(session, 0));
    find(3);
    OK(JetDelete(session, table));
    TOLD(JET_cbtypBeforeDelete, JET_cbtypAfterDelete);
}

static void only_what_was_asked_for_until_it_is_taken_back(void **state)
{
    JET_HANDLE first;
    JET_HANDLE second;
    JET_CBTYP mark = 0x10000;
    (void)state;
    OK(JetRegisterCallback(session, table, JET_cbtypBeforeInsert, note, &mark, &first));
    OK(JetRegisterCallback(session, table, JET_cbtypBeforeInsert | JET_cbtypAfterDelete, note, NULL,
                           &second));
    assert_true(first != second);
    OK(insert(1));
    TOLD(JET_cbtypBeforeInsert, JET_cbtypBeforeInsert + mark); /* the newest is the first */
    OK(JetUnregisterCallback(session, table, JET_cbtypBeforeInsert, first));
    ANSWERS(JET_errInvalidParameter, JetUnregisterCallback(session, table, JET_cbtypBeforeInsert, first));
    OK(insert(2));
    TOLD(JET_cbtypBeforeInsert);
    find(2);
    OK(JetDelete(session, table));
    TOLD(JET_cbtypAfterDelete);
    OK(JetUnregisterCallback(session, table, JET_cbtypBeforeInsert, second));
    OK(insert(2));
    TOLD_NOTHING();
}

static void an_error_ends_the_change(void **state)
{
    JET_HANDLE handle;
    (void)state;
    OK(JetRegisterCallback(session, table, CHANGES, note, NULL, &handle));
    answer = JET_errCallbackFailed;
    refuses = JET_cbtypBeforeInsert | JET_cbtypBeforeReplace | JET_cbtypBeforeDelete;
    ANSWERS(JET_errCallbackFailed, insert(1));
    TOLD(JET_cbtypBeforeInsert);
    refuses = JET_cbtypAfterInsert;               /* too late */
    OK(JetUpdate(session, table, NULL, 0, NULL)); /* it is still prepared */
    assert_int_equal(rows(), 1);
    refuses = JET_cbtypBeforeReplace | JET_cbtypBeforeDelete;
    find(1);
    ANSWERS(JET_errCallbackFailed, JetDelete(session, table));
    OK(JetPrepareUpdate(session, table, JET_prepReplace));
    OK(set(data_column, 5));
    ANSWERS(JET_errCallbackFailed, JetUpdate(session, table, NULL, 0, NULL));
    OK(JetPrepareUpdate(session, table, JET_prepCancel));
    OK(JetBeginTransaction(session));
    OK(JetPrepareUpdate(session, table, JET_prepInsertCopyDeleteOriginal));
    OK(set(id_column, 2));
    ANSWERS(JET_errCallbackFailed, JetUpdate(session, table, NULL, 0, NULL));
    OK(JetPrepareUpdate(session, table, JET_prepCancel));
    OK(JetCommitTransaction(session, 0));
    assert_int_equal(rows(), 1);
    assert_int_equal(data_of(1), -1);
    OK(JetUnregisterCallback(session, table, 0, handle));
}

/* Sets a column of the row that is being written, and does elsewhere as it likes. */
static JET_ERR JET_API complete(JET_SESID sesid, JET_DBID dbid, JET_TABLEID tableid, JET_CBTYP cbtyp,
                                void *pvArg1, void *pvArg2, void *pvContext, JET_API_PTR ulUnused)
{
    JET_TABLEID other;
    int32_t id = -1;
    int32_t data = 0;
    (void)pvArg1;
    (void)pvArg2;
    (void)pvContext;
    (void)ulUnused;
    EXPECT(cbtyp == JET_cbtypBeforeInsert);
    EXPECT(JetRetrieveColumn(sesid, tableid, id_column, &id, sizeof(id), NULL, JET_bitRetrieveCopy, NULL) ==
           JET_errSuccess);
    EXPECT(JetOpenTableA(sesid, dbid, "t", NULL, 0, 0, &other) == JET_errSuccess);
    EXPECT(JetBeginTransaction(sesid) == JET_errSuccess);
    if (JetMove(sesid, other, (int32_t)JET_MoveLast, 0) == JET_errSuccess) {
        (void)JetRetrieveColumn(sesid, other, data_column, &data, sizeof(data), NULL, 0, NULL);
        EXPECT(JetDelete(sesid, other) == JET_errSuccess);
    }
    EXPECT(JetCommitTransaction(sesid, 0) == JET_errSuccess);
    EXPECT(JetCloseTable(sesid, other) == JET_errSuccess);
    return set(data_column, data + id);
}

static void a_call_back_may_complete_the_row(void **state)
{
    JET_HANDLE handle;
    (void)state;
    OK(JetRegisterCallback(session, table, JET_cbtypBeforeInsert, complete, NULL, &handle));
    OK(insert(1));
    OK(insert(2));
    OK(insert(3));
    assert_int_equal(wrong_line, 0);
    assert_int_equal(rows(), 1);
    assert_int_equal(data_of(3), 6);
}

/* Everything that would move or change the cursor, or end what the change is in, is refused. */
static JET_ERR JET_API meddle(JET_SESID sesid, JET_DBID dbid, JET_TABLEID tableid, JET_CBTYP cbtyp,
                              void *pvArg1, void *pvArg2, void *pvContext, JET_API_PTR ulUnused)
{
    int32_t id = 1;
    JET_HANDLE handle;
    (void)cbtyp;
    (void)pvArg1;
    (void)pvArg2;
    (void)pvContext;
    (void)ulUnused;
    EXPECT(JetMove(sesid, tableid, (int32_t)JET_MoveFirst, 0) == JET_errIllegalOperation);
    EXPECT(JetMakeKey(sesid, tableid, &id, sizeof(id), JET_bitNewKey) == JET_errIllegalOperation);
    EXPECT(JetSeek(sesid, tableid, JET_bitSeekEQ) == JET_errIllegalOperation);
    EXPECT(JetPrepareUpdate(sesid, tableid, JET_prepCancel) == JET_errIllegalOperation);
    EXPECT(JetUpdate(sesid, tableid, NULL, 0, NULL) == JET_errIllegalOperation);
    EXPECT(JetDelete(sesid, tableid) == JET_errIllegalOperation);
    EXPECT(JetSetCurrentIndexA(sesid, tableid, NULL) == JET_errIllegalOperation);
    EXPECT(JetCloseTable(sesid, tableid) == JET_errIllegalOperation);
    EXPECT(JetCloseDatabase(sesid, dbid, 0) == JET_errIllegalOperation);
    EXPECT(JetRollback(sesid, 0) == JET_errNotInTransaction);
    EXPECT(JetCommitTransaction(sesid, 0) == JET_errNotInTransaction);
    EXPECT(JetBeginTransaction(sesid) == JET_errSuccess);
    EXPECT(JetRollback(sesid, JET_bitRollbackAll) == JET_errSuccess);
    EXPECT(JetEndSession(sesid, 0) == JET_errSessionInUse);
    EXPECT(JetRegisterCallback(sesid, tableid, JET_cbtypAfterInsert, note, NULL, &handle) == JET_errSuccess);
    told_count++;
    return JET_errSuccess;
}

static void what_a_call_back_must_not_do(void **state)
{
    JET_HANDLE handle;
    (void)state;
    OK(JetRegisterCallback(session, table, JET_cbtypBeforeInsert | JET_cbtypAfterInsert, meddle, NULL,
                           &handle));
    OK(insert(1));
    assert_int_equal(wrong_line, 0);
    assert_int_equal(told_count, 3); /* twice itself, then the other one */
    assert_int_equal(rows(), 1);
    find(1);
}

/* --- local storage --- */

static JET_LS gone[4];
static JET_CBTYP gone_type[4];
static uint32_t gone_count;

static JET_ERR JET_API on_runtime(JET_SESID sesid, JET_DBID dbid, JET_TABLEID tableid, JET_CBTYP cbtyp,
                                  void *pvArg1, void *pvArg2, void *pvContext, JET_API_PTR ulUnused)
{
    (void)pvArg2;
    (void)pvContext;
    (void)ulUnused;
    EXPECT(sesid == JET_sesidNil);
    EXPECT(dbid == JET_dbidNil);
    EXPECT(tableid == JET_tableidNil);
    gone[gone_count % 4] = (JET_LS)pvArg1;
    gone_type[gone_count++ % 4] = cbtyp;
    return JET_errSuccess;
}

static void gone_is(uint32_t number, JET_LS value, JET_CBTYP type)
{
    assert_true(gone_count > number);
    assert_int_equal(gone[number], value);
    assert_int_equal(gone_type[number], type);
}

static int setup_with_runtime_callback(void **state)
{
    (void)state;
    (void)EsentHostReset(NULL, 0);
    if (EsentHostUseMemoryFiles() != JET_errSuccess)
        return -1;
    gone_count = 0;
    wrong_line = 0;
    instance = JET_instanceNil;
    return JetCreateInstanceA(&instance, "a") == JET_errSuccess &&
                   JetSetSystemParameterA(&instance, JET_sesidNil, JET_paramRuntimeCallback,
                                          (JET_API_PTR)on_runtime, NULL) == JET_errSuccess &&
                   JetInit(&instance) == JET_errSuccess &&
                   JetBeginSessionA(instance, &session, NULL, NULL) == JET_errSuccess &&
                   JetCreateDatabaseA(session, "x.edb", NULL, &database, 0) == JET_errSuccess &&
                   JetCreateTableA(session, database, "t", 0, 80, &table) == JET_errSuccess
               ? 0
               : -1;
}

static void the_program_is_told_when_its_storage_goes(void **state)
{
    JET_LS value = 0;
    JET_TABLEID second;
    (void)state;
    OK(JetCloseTable(session, table));
    OK(JetOpenTableA(session, database, "t", NULL, 0, 0, &table));
    OK(JetSetLS(session, table, 11, JET_bitLSCursor));
    OK(JetSetLS(session, table, 22, JET_bitLSTable));
    ANSWERS(JET_errLSAlreadySet, JetSetLS(session, table, 33, JET_bitLSTable));
    OK(JetDupCursor(session, table, &second, 0));
    ANSWERS(JET_errLSNotSet, JetGetLS(session, second, &value, JET_bitLSCursor));
    OK(JetGetLS(session, second, &value, JET_bitLSTable));
    assert_int_equal(value, 22);
    OK(JetSetLS(session, second, 44, JET_bitLSCursor));
    OK(JetGetLS(session, second, &value, JET_bitLSReset)); /* given back to the program */
    assert_int_equal(value, 44);
    OK(JetCloseTable(session, second));
    assert_int_equal(gone_count, 0);
    OK(JetCloseTable(session, table));
    assert_int_equal(gone_count, 1);
    gone_is(0, 11, JET_cbtypFreeCursorLS);
    OK(JetCloseDatabase(session, database, 0));
    OK(JetDetachDatabaseA(session, "x.edb"));
    assert_int_equal(gone_count, 2);
    gone_is(1, 22, JET_cbtypFreeTableLS);
    assert_int_equal(wrong_line, 0);
}

static void bad_calls_are_refused(void **state)
{
    JET_HANDLE handle;
    JET_COLUMNDEF number = {
        .cbStruct = sizeof(number), .coltyp = JET_coltypLong, .grbit = JET_bitColumnTTKey};
    JET_COLUMNID column;
    JET_TABLEID temporary;
    (void)state;
    ANSWERS(JET_errInvalidParameter, JetRegisterCallback(session, table, 0, note, NULL, &handle));
    ANSWERS(JET_errInvalidParameter,
            JetRegisterCallback(session, table, JET_cbtypBeforeInsert, NULL, NULL, &handle));
    ANSWERS(JET_errInvalidParameter,
            JetRegisterCallback(session, table, JET_cbtypBeforeInsert, note, NULL, NULL));
    ANSWERS(JET_errInvalidParameter, JetUnregisterCallback(session, table, JET_cbtypBeforeInsert, 1));
    ANSWERS(JET_errInvalidParameter, JetUnregisterCallback(session, table, 0, (JET_HANDLE)-1));
    OK(JetOpenTempTable(session, &number, 1, 0, &temporary, &column));
    REFUSED(JetRegisterCallback(session, temporary, JET_cbtypBeforeInsert, note, NULL, &handle));
    OK(JetCloseTable(session, temporary));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(changes_are_told_before_and_after, setup, api_world_end),
        cmocka_unit_test_setup_teardown(only_what_was_asked_for_until_it_is_taken_back, setup, api_world_end),
        cmocka_unit_test_setup_teardown(an_error_ends_the_change, setup, api_world_end),
        cmocka_unit_test_setup_teardown(a_call_back_may_complete_the_row, setup, api_world_end),
        cmocka_unit_test_setup_teardown(what_a_call_back_must_not_do, setup, api_world_end),
        cmocka_unit_test_setup_teardown(the_program_is_told_when_its_storage_goes,
                                        setup_with_runtime_callback, api_world_end),
        cmocka_unit_test_setup_teardown(bad_calls_are_refused, setup, api_world_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
