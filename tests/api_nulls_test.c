/* No call falls over nothing: every function of the header with good handles, null pointers and zeroes, and
 * again with sizes that promise what the pointers do not hold. Whatever it answers, the instance can be ended
 * and nothing is left. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "include/esent.h"
#include "include/esent_host.h"

static JET_INSTANCE instance;
static JET_SESID session;
static JET_DBID database;
static JET_TABLEID table;

static void begin(void)
{
    struct ESENT_HOST_SIMULATION simulation = {.seed = 1, .scheduler = ESENT_HOST_SCHEDULE_FIFO};
    assert_int_equal(EsentHostReset(NULL, 0), 0);
    assert_int_equal(EsentHostUseMemoryFiles(), JET_errSuccess);
    assert_int_equal(EsentHostUseSimulation(&simulation), JET_errSuccess);
    instance = JET_instanceNil;
    assert_int_equal(JetCreateInstanceA(&instance, "a"), JET_errSuccess);
    assert_int_equal(JetInit(&instance), JET_errSuccess);
    assert_int_equal(JetBeginSessionA(instance, &session, NULL, NULL), JET_errSuccess);
    assert_int_equal(JetCreateDatabaseA(session, "x.edb", NULL, &database, 0), JET_errSuccess);
    assert_int_equal(JetCreateTableA(session, database, "t", 0, 80, &table), JET_errSuccess);
}

static void end(const char *call, JET_ERR answer)
{
    char report[500] = "";
    assert_true(answer > -20000 && answer < 20000);
    (void)JetRollback(session, JET_bitRollbackAll);
    JET_ERR err = JetTerm2(instance, JET_bitTermAbrupt);
    if ((err != JET_errSuccess && err != JET_errInvalidParameter) ||
        EsentHostReset(report, sizeof(report)) != 0) {
        print_message("%s answered %d; then the end answers %d and leaves %s\n", call, (int)answer, (int)err,
                      report);
        fail();
    }
}

#define TRY_CALL(call)                                                                                       \
    do {                                                                                                     \
        begin();                                                                                             \
        end(#call, call);                                                                                    \
    } while (0)

static void zeroes_1(void **state)
{
    (void)state;
    TRY_CALL(JetAddColumnA(session, table, NULL, NULL, NULL, 0, NULL));
    TRY_CALL(JetAddColumnW(session, table, NULL, NULL, NULL, 0, NULL));
    TRY_CALL(JetAttachDatabase2A(session, NULL, 0, 0));
    TRY_CALL(JetAttachDatabase2W(session, NULL, 0, 0));
    TRY_CALL(JetAttachDatabaseA(session, NULL, 0));
    TRY_CALL(JetAttachDatabaseW(session, NULL, 0));
    TRY_CALL(JetBackupA(NULL, 0, NULL));
    TRY_CALL(JetBackupInstanceA(instance, NULL, 0, NULL));
    TRY_CALL(JetBackupInstanceW(instance, NULL, 0, NULL));
    TRY_CALL(JetBackupW(NULL, 0, NULL));
    TRY_CALL(JetBeginExternalBackup(0));
    TRY_CALL(JetBeginExternalBackupInstance(instance, 0));
    TRY_CALL(JetBeginSessionA(instance, NULL, NULL, NULL));
    TRY_CALL(JetBeginSessionW(instance, NULL, NULL, NULL));
    TRY_CALL(JetBeginTransaction(session));
    TRY_CALL(JetBeginTransaction2(session, 0));
    TRY_CALL(JetBeginTransaction3(session, 0, 0));
    TRY_CALL(JetCloseDatabase(session, database, 0));
    TRY_CALL(JetCloseFile(0));
    TRY_CALL(JetCloseFileInstance(instance, 0));
    TRY_CALL(JetCloseTable(session, table));
    TRY_CALL(JetCommitTransaction(session, 0));
    TRY_CALL(JetCommitTransaction2(session, 0, 0, NULL));
    TRY_CALL(JetCompactA(session, NULL, NULL, NULL, NULL, 0));
    TRY_CALL(JetCompactW(session, NULL, NULL, NULL, NULL, 0));
    TRY_CALL(JetComputeStats(session, table));
    TRY_CALL(JetConfigureProcessForCrashDump(0));
    TRY_CALL(JetCreateDatabase2A(session, NULL, 0, NULL, 0));
    TRY_CALL(JetCreateDatabase2W(session, NULL, 0, NULL, 0));
    TRY_CALL(JetCreateDatabaseA(session, NULL, NULL, NULL, 0));
    TRY_CALL(JetCreateDatabaseW(session, NULL, NULL, NULL, 0));
    TRY_CALL(JetCreateIndex2A(session, table, NULL, 0));
    TRY_CALL(JetCreateIndex2W(session, table, NULL, 0));
    TRY_CALL(JetCreateIndex3A(session, table, NULL, 0));
    TRY_CALL(JetCreateIndex3W(session, table, NULL, 0));
    TRY_CALL(JetCreateIndex4A(session, table, NULL, 0));
    TRY_CALL(JetCreateIndex4W(session, table, NULL, 0));
    TRY_CALL(JetCreateIndexA(session, table, NULL, 0, NULL, 0, 0));
    TRY_CALL(JetCreateIndexW(session, table, NULL, 0, NULL, 0, 0));
    TRY_CALL(JetCreateInstance2A(NULL, NULL, NULL, 0));
    TRY_CALL(JetCreateInstance2W(NULL, NULL, NULL, 0));
    TRY_CALL(JetCreateInstanceA(NULL, NULL));
    TRY_CALL(JetCreateInstanceW(NULL, NULL));
    TRY_CALL(JetCreateTableA(session, database, NULL, 0, 0, NULL));
    TRY_CALL(JetCreateTableColumnIndex2A(session, database, NULL));
}

static void zeroes_2(void **state)
{
    (void)state;
    TRY_CALL(JetCreateTableColumnIndex2W(session, database, NULL));
    TRY_CALL(JetCreateTableColumnIndex3A(session, database, NULL));
    TRY_CALL(JetCreateTableColumnIndex3W(session, database, NULL));
    TRY_CALL(JetCreateTableColumnIndex4A(session, database, NULL));
    TRY_CALL(JetCreateTableColumnIndex4W(session, database, NULL));
    TRY_CALL(JetCreateTableColumnIndexA(session, database, NULL));
    TRY_CALL(JetCreateTableColumnIndexW(session, database, NULL));
    TRY_CALL(JetCreateTableW(session, database, NULL, 0, 0, NULL));
    TRY_CALL(JetDefragment2A(session, database, NULL, NULL, NULL, NULL, 0));
    TRY_CALL(JetDefragment2W(session, database, NULL, NULL, NULL, NULL, 0));
    TRY_CALL(JetDefragment3A(session, NULL, NULL, NULL, NULL, NULL, NULL, 0));
    TRY_CALL(JetDefragment3W(session, NULL, NULL, NULL, NULL, NULL, NULL, 0));
    TRY_CALL(JetDefragmentA(session, database, NULL, NULL, NULL, 0));
    TRY_CALL(JetDefragmentW(session, database, NULL, NULL, NULL, 0));
    TRY_CALL(JetDelete(session, table));
    TRY_CALL(JetDeleteColumn2A(session, table, NULL, 0));
    TRY_CALL(JetDeleteColumn2W(session, table, NULL, 0));
    TRY_CALL(JetDeleteColumnA(session, table, NULL));
    TRY_CALL(JetDeleteColumnW(session, table, NULL));
    TRY_CALL(JetDeleteIndexA(session, table, NULL));
    TRY_CALL(JetDeleteIndexW(session, table, NULL));
    TRY_CALL(JetDeleteTableA(session, database, NULL));
    TRY_CALL(JetDeleteTableW(session, database, NULL));
    TRY_CALL(JetDetachDatabase2A(session, NULL, 0));
    TRY_CALL(JetDetachDatabase2W(session, NULL, 0));
    TRY_CALL(JetDetachDatabaseA(session, NULL));
    TRY_CALL(JetDetachDatabaseW(session, NULL));
    TRY_CALL(JetDupCursor(session, table, NULL, 0));
    TRY_CALL(JetDupSession(session, NULL));
    TRY_CALL(JetEnableMultiInstanceA(NULL, 0, NULL));
    TRY_CALL(JetEnableMultiInstanceW(NULL, 0, NULL));
    TRY_CALL(JetEndExternalBackupInstance(instance));
    TRY_CALL(JetEndExternalBackupInstance2(instance, 0));
    TRY_CALL(JetEndSession(session, 0));
    TRY_CALL(JetEnumerateColumns(session, table, 0, NULL, NULL, NULL, NULL, NULL, 0, 0));
    TRY_CALL(JetEscrowUpdate(session, table, 0, NULL, 0, NULL, 0, NULL, 0));
    TRY_CALL(JetExternalRestore2A(NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL));
    TRY_CALL(JetExternalRestore2W(NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL));
    TRY_CALL(JetExternalRestoreA(NULL, NULL, NULL, 0, NULL, 0, 0, NULL));
    TRY_CALL(JetExternalRestoreW(NULL, NULL, NULL, 0, NULL, 0, 0, NULL));
    TRY_CALL(JetFreeBuffer(NULL));
    TRY_CALL(JetGetAttachInfoA(NULL, 0, NULL));
    TRY_CALL(JetGetAttachInfoInstanceA(instance, NULL, 0, NULL));
    TRY_CALL(JetGetAttachInfoInstanceW(instance, NULL, 0, NULL));
    TRY_CALL(JetGetAttachInfoW(NULL, 0, NULL));
}

static void zeroes_3(void **state)
{
    (void)state;
    TRY_CALL(JetGetBookmark(session, table, NULL, 0, NULL));
    TRY_CALL(JetGetColumnInfoA(session, database, NULL, NULL, NULL, 0, 0));
    TRY_CALL(JetGetColumnInfoW(session, database, NULL, NULL, NULL, 0, 0));
    TRY_CALL(JetGetCurrentIndexA(session, table, NULL, 0));
    TRY_CALL(JetGetCurrentIndexW(session, table, NULL, 0));
    TRY_CALL(JetGetCursorInfo(session, table, NULL, 0, 0));
    TRY_CALL(JetGetDatabaseFileInfoA(NULL, NULL, 0, 0));
    TRY_CALL(JetGetDatabaseFileInfoW(NULL, NULL, 0, 0));
    TRY_CALL(JetGetDatabaseInfoA(session, database, NULL, 0, 0));
    TRY_CALL(JetGetDatabaseInfoW(session, database, NULL, 0, 0));
    TRY_CALL(JetGetErrorInfoW(NULL, NULL, 0, 0, 0));
    TRY_CALL(JetGetIndexInfoA(session, database, NULL, NULL, NULL, 0, 0));
    TRY_CALL(JetGetIndexInfoW(session, database, NULL, NULL, NULL, 0, 0));
    TRY_CALL(JetGetInstanceInfoA(NULL, NULL));
    TRY_CALL(JetGetInstanceInfoW(NULL, NULL));
    TRY_CALL(JetGetInstanceMiscInfo(instance, NULL, 0, 0));
    TRY_CALL(JetGetLS(session, table, NULL, 0));
    TRY_CALL(JetGetLock(session, table, 0));
    TRY_CALL(JetGetLogInfoA(NULL, 0, NULL));
    TRY_CALL(JetGetLogInfoInstance2A(instance, NULL, 0, NULL, NULL));
    TRY_CALL(JetGetLogInfoInstance2W(instance, NULL, 0, NULL, NULL));
    TRY_CALL(JetGetLogInfoInstanceA(instance, NULL, 0, NULL));
    TRY_CALL(JetGetLogInfoInstanceW(instance, NULL, 0, NULL));
    TRY_CALL(JetGetLogInfoW(NULL, 0, NULL));
    TRY_CALL(JetGetObjectInfoA(session, database, 0, NULL, NULL, NULL, 0, 0));
    TRY_CALL(JetGetObjectInfoW(session, database, 0, NULL, NULL, NULL, 0, 0));
    TRY_CALL(JetGetRecordPosition(session, table, NULL, 0));
    TRY_CALL(JetGetRecordSize(session, table, NULL, 0));
    TRY_CALL(JetGetRecordSize2(session, table, NULL, 0));
    TRY_CALL(JetGetSecondaryIndexBookmark(session, table, NULL, 0, NULL, NULL, 0, NULL, 0));
    TRY_CALL(JetGetSessionParameter(session, 0, NULL, 0, NULL));
    TRY_CALL(JetGetSystemParameterA(instance, session, 0, NULL, NULL, 0));
    TRY_CALL(JetGetSystemParameterW(instance, session, 0, NULL, NULL, 0));
    TRY_CALL(JetGetTableColumnInfoA(session, table, NULL, NULL, 0, 0));
    TRY_CALL(JetGetTableColumnInfoW(session, table, NULL, NULL, 0, 0));
    TRY_CALL(JetGetTableIndexInfoA(session, table, NULL, NULL, 0, 0));
    TRY_CALL(JetGetTableIndexInfoW(session, table, NULL, NULL, 0, 0));
    TRY_CALL(JetGetTableInfoA(session, table, NULL, 0, 0));
    TRY_CALL(JetGetTableInfoW(session, table, NULL, 0, 0));
    TRY_CALL(JetGetThreadStats(NULL, 0));
    TRY_CALL(JetGetTruncateLogInfoInstanceA(instance, NULL, 0, NULL));
    TRY_CALL(JetGetTruncateLogInfoInstanceW(instance, NULL, 0, NULL));
    TRY_CALL(JetGetVersion(session, NULL));
    TRY_CALL(JetGotoBookmark(session, table, NULL, 0));
    TRY_CALL(JetGotoPosition(session, table, NULL));
}

static void zeroes_4(void **state)
{
    (void)state;
    TRY_CALL(JetGotoSecondaryIndexBookmark(session, table, NULL, 0, NULL, 0, 0));
    TRY_CALL(JetGrowDatabase(session, database, 0, NULL));
    TRY_CALL(JetIdle(session, 0));
    TRY_CALL(JetIndexRecordCount(session, table, NULL, 0));
    TRY_CALL(JetInit(NULL));
    TRY_CALL(JetInit2(NULL, 0));
    TRY_CALL(JetInit3A(NULL, NULL, 0));
    TRY_CALL(JetInit3W(NULL, NULL, 0));
    TRY_CALL(JetIntersectIndexes(session, NULL, 0, NULL, 0));
    TRY_CALL(JetMakeKey(session, table, NULL, 0, 0));
    TRY_CALL(JetMove(session, table, 0, 0));
    TRY_CALL(JetOSSnapshotAbort(0, 0));
    TRY_CALL(JetOSSnapshotEnd(0, 0));
    TRY_CALL(JetOSSnapshotFreezeA(0, NULL, NULL, 0));
    TRY_CALL(JetOSSnapshotFreezeW(0, NULL, NULL, 0));
    TRY_CALL(JetOSSnapshotGetFreezeInfoA(0, NULL, NULL, 0));
    TRY_CALL(JetOSSnapshotGetFreezeInfoW(0, NULL, NULL, 0));
    TRY_CALL(JetOSSnapshotPrepare(NULL, 0));
    TRY_CALL(JetOSSnapshotPrepareInstance(0, instance, 0));
    TRY_CALL(JetOSSnapshotThaw(0, 0));
    TRY_CALL(JetOSSnapshotTruncateLog(0, 0));
    TRY_CALL(JetOSSnapshotTruncateLogInstance(0, instance, 0));
    TRY_CALL(JetOpenDatabaseA(session, NULL, NULL, NULL, 0));
    TRY_CALL(JetOpenDatabaseW(session, NULL, NULL, NULL, 0));
    TRY_CALL(JetOpenFileA(NULL, NULL, NULL, NULL));
    TRY_CALL(JetOpenFileInstanceA(instance, NULL, NULL, NULL, NULL));
    TRY_CALL(JetOpenFileInstanceW(instance, NULL, NULL, NULL, NULL));
    TRY_CALL(JetOpenFileW(NULL, NULL, NULL, NULL));
    TRY_CALL(JetOpenTableA(session, database, NULL, NULL, 0, 0, NULL));
    TRY_CALL(JetOpenTableW(session, database, NULL, NULL, 0, 0, NULL));
    TRY_CALL(JetOpenTempTable(session, NULL, 0, 0, NULL, NULL));
    TRY_CALL(JetOpenTempTable2(session, NULL, 0, 0, 0, NULL, NULL));
    TRY_CALL(JetOpenTempTable3(session, NULL, 0, NULL, 0, NULL, NULL));
    TRY_CALL(JetOpenTemporaryTable(session, NULL));
    TRY_CALL(JetOpenTemporaryTable2(session, NULL));
    TRY_CALL(JetPrepareUpdate(session, table, 0));
    TRY_CALL(JetPrereadIndexRanges(session, table, NULL, 0, NULL, NULL, 0, 0));
    TRY_CALL(JetPrereadKeys(session, table, NULL, NULL, 0, NULL, 0));
    TRY_CALL(JetReadFile(0, NULL, 0, NULL));
    TRY_CALL(JetReadFileInstance(instance, 0, NULL, 0, NULL));
    TRY_CALL(JetRegisterCallback(session, table, 0, NULL, NULL, NULL));
    TRY_CALL(JetRenameColumnA(session, table, NULL, NULL, 0));
    TRY_CALL(JetRenameColumnW(session, table, NULL, NULL, 0));
    TRY_CALL(JetRenameTableA(session, database, NULL, NULL));
    TRY_CALL(JetRenameTableW(session, database, NULL, NULL));
}

static void zeroes_5(void **state)
{
    (void)state;
    TRY_CALL(JetResetSessionContext(session));
    TRY_CALL(JetResetTableSequential(session, table, 0));
    TRY_CALL(JetResizeDatabase(session, database, 0, NULL, 0));
    TRY_CALL(JetRestore2A(NULL, NULL, NULL));
    TRY_CALL(JetRestore2W(NULL, NULL, NULL));
    TRY_CALL(JetRestoreA(NULL, NULL));
    TRY_CALL(JetRestoreInstanceA(instance, NULL, NULL, NULL));
    TRY_CALL(JetRestoreInstanceW(instance, NULL, NULL, NULL));
    TRY_CALL(JetRestoreW(NULL, NULL));
    TRY_CALL(JetRetrieveColumn(session, table, 0, NULL, 0, NULL, 0, NULL));
    TRY_CALL(JetRetrieveColumns(session, table, NULL, 0));
    TRY_CALL(JetRetrieveKey(session, table, NULL, 0, NULL, 0));
    TRY_CALL(JetRollback(session, 0));
    TRY_CALL(JetSeek(session, table, 0));
    TRY_CALL(JetSetColumn(session, table, 0, NULL, 0, 0, NULL));
    TRY_CALL(JetSetColumnDefaultValueA(session, database, NULL, NULL, NULL, 0, 0));
    TRY_CALL(JetSetColumnDefaultValueW(session, database, NULL, NULL, NULL, 0, 0));
    TRY_CALL(JetSetColumns(session, table, NULL, 0));
    TRY_CALL(JetSetCurrentIndex2A(session, table, NULL, 0));
    TRY_CALL(JetSetCurrentIndex2W(session, table, NULL, 0));
    TRY_CALL(JetSetCurrentIndex3A(session, table, NULL, 0, 0));
    TRY_CALL(JetSetCurrentIndex3W(session, table, NULL, 0, 0));
    TRY_CALL(JetSetCurrentIndex4A(session, table, NULL, NULL, 0, 0));
    TRY_CALL(JetSetCurrentIndex4W(session, table, NULL, NULL, 0, 0));
    TRY_CALL(JetSetCurrentIndexA(session, table, NULL));
    TRY_CALL(JetSetCurrentIndexW(session, table, NULL));
    TRY_CALL(JetSetCursorFilter(session, table, NULL, 0, 0));
    TRY_CALL(JetSetDatabaseSizeA(session, NULL, 0, NULL));
    TRY_CALL(JetSetDatabaseSizeW(session, NULL, 0, NULL));
    TRY_CALL(JetSetIndexRange(session, table, 0));
    TRY_CALL(JetSetLS(session, table, 0, 0));
    TRY_CALL(JetSetSessionContext(session, 0));
    TRY_CALL(JetSetSessionParameter(session, 0, NULL, 0));
    TRY_CALL(JetSetSystemParameterA(NULL, session, 0, 0, NULL));
    TRY_CALL(JetSetSystemParameterW(NULL, session, 0, 0, NULL));
    TRY_CALL(JetSetTableSequential(session, table, 0));
    TRY_CALL(JetStopBackup());
    TRY_CALL(JetStopBackupInstance(instance));
    TRY_CALL(JetStopService());
    TRY_CALL(JetStopServiceInstance(instance));
    TRY_CALL(JetStopServiceInstance2(instance, 0));
    TRY_CALL(JetTerm(instance));
    TRY_CALL(JetTerm2(instance, 0));
    TRY_CALL(JetTruncateLogInstance(instance));
    TRY_CALL(JetUnregisterCallback(session, table, 0, 0));
}

static void zeroes_6(void **state)
{
    (void)state;
    TRY_CALL(JetUpdate(session, table, NULL, 0, NULL));
    TRY_CALL(JetUpdate2(session, table, NULL, 0, NULL, 0));
    TRY_CALL(JetBeginSurrogateBackup(instance, 0, 0, 0));
    TRY_CALL(JetEndSurrogateBackup(instance, 0));
    TRY_CALL(JetIndexRecordCount2(session, table, NULL, 0));
    TRY_CALL(JetOpenFileSectionInstanceA(instance, NULL, NULL, 0, 0, 0, NULL, NULL));
    TRY_CALL(JetOpenFileSectionInstanceW(instance, NULL, NULL, 0, 0, 0, NULL, NULL));
    TRY_CALL(JetRetrieveTaggedColumnList(session, table, NULL, NULL, 0, 0, 0));
}

static void sizes_without_buffers_1(void **state)
{
    (void)state;
    TRY_CALL(JetAddColumnA(session, table, NULL, NULL, NULL, 8, NULL));
    TRY_CALL(JetAddColumnW(session, table, NULL, NULL, NULL, 8, NULL));
    TRY_CALL(JetCreateIndex2A(session, table, NULL, 8));
    TRY_CALL(JetCreateIndex2W(session, table, NULL, 8));
    TRY_CALL(JetCreateIndex3A(session, table, NULL, 8));
    TRY_CALL(JetCreateIndex3W(session, table, NULL, 8));
    TRY_CALL(JetCreateIndex4A(session, table, NULL, 8));
    TRY_CALL(JetCreateIndex4W(session, table, NULL, 8));
    TRY_CALL(JetCreateIndexA(session, table, NULL, 0, NULL, 8, 0));
    TRY_CALL(JetCreateIndexW(session, table, NULL, 0, NULL, 8, 0));
    TRY_CALL(JetEnableMultiInstanceA(NULL, 8, NULL));
    TRY_CALL(JetEnableMultiInstanceW(NULL, 8, NULL));
    TRY_CALL(JetEnumerateColumns(session, table, 8, NULL, NULL, NULL, NULL, NULL, 8, 0));
    TRY_CALL(JetEscrowUpdate(session, table, 8, NULL, 8, NULL, 8, NULL, 0));
    TRY_CALL(JetExternalRestore2A(NULL, NULL, NULL, 8, NULL, NULL, NULL, NULL, NULL, NULL));
    TRY_CALL(JetExternalRestore2W(NULL, NULL, NULL, 8, NULL, NULL, NULL, NULL, NULL, NULL));
    TRY_CALL(JetExternalRestoreA(NULL, NULL, NULL, 8, NULL, 0, 0, NULL));
    TRY_CALL(JetExternalRestoreW(NULL, NULL, NULL, 8, NULL, 0, 0, NULL));
    TRY_CALL(JetGetAttachInfoA(NULL, 8, NULL));
    TRY_CALL(JetGetAttachInfoInstanceA(instance, NULL, 8, NULL));
    TRY_CALL(JetGetAttachInfoInstanceW(instance, NULL, 8, NULL));
    TRY_CALL(JetGetAttachInfoW(NULL, 8, NULL));
    TRY_CALL(JetGetBookmark(session, table, NULL, 8, NULL));
    TRY_CALL(JetGetColumnInfoA(session, database, NULL, NULL, NULL, 8, 0));
    TRY_CALL(JetGetColumnInfoW(session, database, NULL, NULL, NULL, 8, 0));
    TRY_CALL(JetGetCurrentIndexA(session, table, NULL, 8));
    TRY_CALL(JetGetCurrentIndexW(session, table, NULL, 8));
    TRY_CALL(JetGetCursorInfo(session, table, NULL, 8, 0));
    TRY_CALL(JetGetDatabaseFileInfoA(NULL, NULL, 8, 0));
    TRY_CALL(JetGetDatabaseFileInfoW(NULL, NULL, 8, 0));
    TRY_CALL(JetGetDatabaseInfoA(session, database, NULL, 8, 0));
    TRY_CALL(JetGetDatabaseInfoW(session, database, NULL, 8, 0));
    TRY_CALL(JetGetErrorInfoW(NULL, NULL, 8, 0, 0));
    TRY_CALL(JetGetIndexInfoA(session, database, NULL, NULL, NULL, 8, 0));
    TRY_CALL(JetGetIndexInfoW(session, database, NULL, NULL, NULL, 8, 0));
    TRY_CALL(JetGetInstanceMiscInfo(instance, NULL, 8, 0));
    TRY_CALL(JetGetLogInfoA(NULL, 8, NULL));
    TRY_CALL(JetGetLogInfoInstance2A(instance, NULL, 8, NULL, NULL));
    TRY_CALL(JetGetLogInfoInstance2W(instance, NULL, 8, NULL, NULL));
    TRY_CALL(JetGetLogInfoInstanceA(instance, NULL, 8, NULL));
    TRY_CALL(JetGetLogInfoInstanceW(instance, NULL, 8, NULL));
    TRY_CALL(JetGetLogInfoW(NULL, 8, NULL));
    TRY_CALL(JetGetObjectInfoA(session, database, 0, NULL, NULL, NULL, 8, 0));
    TRY_CALL(JetGetObjectInfoW(session, database, 0, NULL, NULL, NULL, 8, 0));
    TRY_CALL(JetGetRecordPosition(session, table, NULL, 8));
}

static void sizes_without_buffers_2(void **state)
{
    (void)state;
    TRY_CALL(JetGetSecondaryIndexBookmark(session, table, NULL, 8, NULL, NULL, 8, NULL, 0));
    TRY_CALL(JetGetSessionParameter(session, 0, NULL, 8, NULL));
    TRY_CALL(JetGetSystemParameterA(instance, session, 0, NULL, NULL, 8));
    TRY_CALL(JetGetSystemParameterW(instance, session, 0, NULL, NULL, 8));
    TRY_CALL(JetGetTableColumnInfoA(session, table, NULL, NULL, 8, 0));
    TRY_CALL(JetGetTableColumnInfoW(session, table, NULL, NULL, 8, 0));
    TRY_CALL(JetGetTableIndexInfoA(session, table, NULL, NULL, 8, 0));
    TRY_CALL(JetGetTableIndexInfoW(session, table, NULL, NULL, 8, 0));
    TRY_CALL(JetGetTableInfoA(session, table, NULL, 8, 0));
    TRY_CALL(JetGetTableInfoW(session, table, NULL, 8, 0));
    TRY_CALL(JetGetThreadStats(NULL, 8));
    TRY_CALL(JetGetTruncateLogInfoInstanceA(instance, NULL, 8, NULL));
    TRY_CALL(JetGetTruncateLogInfoInstanceW(instance, NULL, 8, NULL));
    TRY_CALL(JetGotoBookmark(session, table, NULL, 8));
    TRY_CALL(JetGotoSecondaryIndexBookmark(session, table, NULL, 8, NULL, 8, 0));
    TRY_CALL(JetGrowDatabase(session, database, 8, NULL));
    TRY_CALL(JetIntersectIndexes(session, NULL, 8, NULL, 0));
    TRY_CALL(JetMakeKey(session, table, NULL, 8, 0));
    TRY_CALL(JetMove(session, table, 8, 0));
    TRY_CALL(JetOpenTableA(session, database, NULL, NULL, 8, 0, NULL));
    TRY_CALL(JetOpenTableW(session, database, NULL, NULL, 8, 0, NULL));
    TRY_CALL(JetOpenTempTable(session, NULL, 8, 0, NULL, NULL));
    TRY_CALL(JetOpenTempTable2(session, NULL, 8, 0, 0, NULL, NULL));
    TRY_CALL(JetOpenTempTable3(session, NULL, 8, NULL, 0, NULL, NULL));
    TRY_CALL(JetPrereadIndexRanges(session, table, NULL, 8, NULL, NULL, 0, 0));
    TRY_CALL(JetPrereadKeys(session, table, NULL, NULL, 8, NULL, 0));
    TRY_CALL(JetReadFile(0, NULL, 8, NULL));
    TRY_CALL(JetReadFileInstance(instance, 0, NULL, 8, NULL));
    TRY_CALL(JetRegisterCallback(session, table, 8, NULL, NULL, NULL));
    TRY_CALL(JetRetrieveColumn(session, table, 8, NULL, 8, NULL, 0, NULL));
    TRY_CALL(JetRetrieveColumns(session, table, NULL, 8));
    TRY_CALL(JetRetrieveKey(session, table, NULL, 8, NULL, 0));
    TRY_CALL(JetSetColumn(session, table, 8, NULL, 8, 0, NULL));
    TRY_CALL(JetSetColumnDefaultValueA(session, database, NULL, NULL, NULL, 8, 0));
    TRY_CALL(JetSetColumnDefaultValueW(session, database, NULL, NULL, NULL, 8, 0));
    TRY_CALL(JetSetColumns(session, table, NULL, 8));
    TRY_CALL(JetSetCursorFilter(session, table, NULL, 8, 0));
    TRY_CALL(JetSetDatabaseSizeA(session, NULL, 8, NULL));
    TRY_CALL(JetSetDatabaseSizeW(session, NULL, 8, NULL));
    TRY_CALL(JetSetSessionParameter(session, 0, NULL, 8));
    TRY_CALL(JetUnregisterCallback(session, table, 8, 0));
    TRY_CALL(JetUpdate(session, table, NULL, 8, NULL));
    TRY_CALL(JetUpdate2(session, table, NULL, 8, NULL, 0));
    TRY_CALL(JetOpenFileSectionInstanceA(instance, NULL, NULL, 0, 8, 0, NULL, NULL));
    TRY_CALL(JetOpenFileSectionInstanceW(instance, NULL, NULL, 0, 8, 0, NULL, NULL));
}

static void sizes_without_buffers_3(void **state)
{
    (void)state;
    TRY_CALL(JetRetrieveTaggedColumnList(session, table, NULL, NULL, 8, 0, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(zeroes_1),
        cmocka_unit_test(zeroes_2),
        cmocka_unit_test(zeroes_3),
        cmocka_unit_test(zeroes_4),
        cmocka_unit_test(zeroes_5),
        cmocka_unit_test(zeroes_6),
        cmocka_unit_test(sizes_without_buffers_1),
        cmocka_unit_test(sizes_without_buffers_2),
        cmocka_unit_test(sizes_without_buffers_3),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
