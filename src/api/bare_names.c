/* The bare name of each ...A function, for foreign-function bindings: in C the names are macros
 * (include/esent/names.h). */
#include "include/esent.h"

#pragma GCC visibility push(default)

#undef JetAddColumn
JET_ERR JET_API JetAddColumn(JET_SESID sesid, JET_TABLEID tableid, JET_PCSTR szColumnName,
                             const JET_COLUMNDEF *pcolumndef, const void *pvDefault, uint32_t cbDefault,
                             JET_COLUMNID *pcolumnid);
JET_ERR JET_API JetAddColumn(JET_SESID sesid, JET_TABLEID tableid, JET_PCSTR szColumnName,
                             const JET_COLUMNDEF *pcolumndef, const void *pvDefault, uint32_t cbDefault,
                             JET_COLUMNID *pcolumnid)
{
    return JetAddColumnA(sesid, tableid, szColumnName, pcolumndef, pvDefault, cbDefault, pcolumnid);
}

#undef JetAttachDatabase2
JET_ERR JET_API JetAttachDatabase2(JET_SESID sesid, JET_PCSTR szFilename, const uint32_t cpgDatabaseSizeMax,
                                   JET_GRBIT grbit);
JET_ERR JET_API JetAttachDatabase2(JET_SESID sesid, JET_PCSTR szFilename, const uint32_t cpgDatabaseSizeMax,
                                   JET_GRBIT grbit)
{
    return JetAttachDatabase2A(sesid, szFilename, cpgDatabaseSizeMax, grbit);
}

#undef JetAttachDatabase
JET_ERR JET_API JetAttachDatabase(JET_SESID sesid, JET_PCSTR szFilename, JET_GRBIT grbit);
JET_ERR JET_API JetAttachDatabase(JET_SESID sesid, JET_PCSTR szFilename, JET_GRBIT grbit)
{
    return JetAttachDatabaseA(sesid, szFilename, grbit);
}

#undef JetBackup
JET_ERR JET_API JetBackup(JET_PCSTR szBackupPath, JET_GRBIT grbit, JET_PFNSTATUS pfnStatus);
JET_ERR JET_API JetBackup(JET_PCSTR szBackupPath, JET_GRBIT grbit, JET_PFNSTATUS pfnStatus)
{
    return JetBackupA(szBackupPath, grbit, pfnStatus);
}

#undef JetBackupInstance
JET_ERR JET_API JetBackupInstance(JET_INSTANCE instance, JET_PCSTR szBackupPath, JET_GRBIT grbit,
                                  JET_PFNSTATUS pfnStatus);
JET_ERR JET_API JetBackupInstance(JET_INSTANCE instance, JET_PCSTR szBackupPath, JET_GRBIT grbit,
                                  JET_PFNSTATUS pfnStatus)
{
    return JetBackupInstanceA(instance, szBackupPath, grbit, pfnStatus);
}

#undef JetBeginSession
JET_ERR JET_API JetBeginSession(JET_INSTANCE instance, JET_SESID *psesid, JET_PCSTR szUserName,
                                JET_PCSTR szPassword);
JET_ERR JET_API JetBeginSession(JET_INSTANCE instance, JET_SESID *psesid, JET_PCSTR szUserName,
                                JET_PCSTR szPassword)
{
    return JetBeginSessionA(instance, psesid, szUserName, szPassword);
}

#undef JetCompact
JET_ERR JET_API JetCompact(JET_SESID sesid, JET_PCSTR szDatabaseSrc, JET_PCSTR szDatabaseDest,
                           JET_PFNSTATUS pfnStatus, JET_CONVERT_A *pconvert, JET_GRBIT grbit);
JET_ERR JET_API JetCompact(JET_SESID sesid, JET_PCSTR szDatabaseSrc, JET_PCSTR szDatabaseDest,
                           JET_PFNSTATUS pfnStatus, JET_CONVERT_A *pconvert, JET_GRBIT grbit)
{
    return JetCompactA(sesid, szDatabaseSrc, szDatabaseDest, pfnStatus, pconvert, grbit);
}

#undef JetCreateDatabase2
JET_ERR JET_API JetCreateDatabase2(JET_SESID sesid, JET_PCSTR szFilename, const uint32_t cpgDatabaseSizeMax,
                                   JET_DBID *pdbid, JET_GRBIT grbit);
JET_ERR JET_API JetCreateDatabase2(JET_SESID sesid, JET_PCSTR szFilename, const uint32_t cpgDatabaseSizeMax,
                                   JET_DBID *pdbid, JET_GRBIT grbit)
{
    return JetCreateDatabase2A(sesid, szFilename, cpgDatabaseSizeMax, pdbid, grbit);
}

#undef JetCreateDatabase
JET_ERR JET_API JetCreateDatabase(JET_SESID sesid, JET_PCSTR szFilename, JET_PCSTR szConnect, JET_DBID *pdbid,
                                  JET_GRBIT grbit);
JET_ERR JET_API JetCreateDatabase(JET_SESID sesid, JET_PCSTR szFilename, JET_PCSTR szConnect, JET_DBID *pdbid,
                                  JET_GRBIT grbit)
{
    return JetCreateDatabaseA(sesid, szFilename, szConnect, pdbid, grbit);
}

#undef JetCreateIndex2
JET_ERR JET_API JetCreateIndex2(JET_SESID sesid, JET_TABLEID tableid, JET_INDEXCREATE_A *pindexcreate,
                                uint32_t cIndexCreate);
JET_ERR JET_API JetCreateIndex2(JET_SESID sesid, JET_TABLEID tableid, JET_INDEXCREATE_A *pindexcreate,
                                uint32_t cIndexCreate)
{
    return JetCreateIndex2A(sesid, tableid, pindexcreate, cIndexCreate);
}

#undef JetCreateIndex3
JET_ERR JET_API JetCreateIndex3(JET_SESID sesid, JET_TABLEID tableid, JET_INDEXCREATE2_A *pindexcreate,
                                uint32_t cIndexCreate);
JET_ERR JET_API JetCreateIndex3(JET_SESID sesid, JET_TABLEID tableid, JET_INDEXCREATE2_A *pindexcreate,
                                uint32_t cIndexCreate)
{
    return JetCreateIndex3A(sesid, tableid, pindexcreate, cIndexCreate);
}

#undef JetCreateIndex4
JET_ERR JET_API JetCreateIndex4(JET_SESID sesid, JET_TABLEID tableid, JET_INDEXCREATE3_A *pindexcreate,
                                uint32_t cIndexCreate);
JET_ERR JET_API JetCreateIndex4(JET_SESID sesid, JET_TABLEID tableid, JET_INDEXCREATE3_A *pindexcreate,
                                uint32_t cIndexCreate)
{
    return JetCreateIndex4A(sesid, tableid, pindexcreate, cIndexCreate);
}

#undef JetCreateIndex
JET_ERR JET_API JetCreateIndex(JET_SESID sesid, JET_TABLEID tableid, JET_PCSTR szIndexName, JET_GRBIT grbit,
                               const char *szKey, uint32_t cbKey, uint32_t lDensity);
JET_ERR JET_API JetCreateIndex(JET_SESID sesid, JET_TABLEID tableid, JET_PCSTR szIndexName, JET_GRBIT grbit,
                               const char *szKey, uint32_t cbKey, uint32_t lDensity)
{
    return JetCreateIndexA(sesid, tableid, szIndexName, grbit, szKey, cbKey, lDensity);
}

#undef JetCreateInstance2
JET_ERR JET_API JetCreateInstance2(JET_INSTANCE *pinstance, JET_PCSTR szInstanceName, JET_PCSTR szDisplayName,
                                   JET_GRBIT grbit);
JET_ERR JET_API JetCreateInstance2(JET_INSTANCE *pinstance, JET_PCSTR szInstanceName, JET_PCSTR szDisplayName,
                                   JET_GRBIT grbit)
{
    return JetCreateInstance2A(pinstance, szInstanceName, szDisplayName, grbit);
}

#undef JetCreateInstance
JET_ERR JET_API JetCreateInstance(JET_INSTANCE *pinstance, JET_PCSTR szInstanceName);
JET_ERR JET_API JetCreateInstance(JET_INSTANCE *pinstance, JET_PCSTR szInstanceName)
{
    return JetCreateInstanceA(pinstance, szInstanceName);
}

#undef JetCreateTable
JET_ERR JET_API JetCreateTable(JET_SESID sesid, JET_DBID dbid, JET_PCSTR szTableName, uint32_t lPages,
                               uint32_t lDensity, JET_TABLEID *ptableid);
JET_ERR JET_API JetCreateTable(JET_SESID sesid, JET_DBID dbid, JET_PCSTR szTableName, uint32_t lPages,
                               uint32_t lDensity, JET_TABLEID *ptableid)
{
    return JetCreateTableA(sesid, dbid, szTableName, lPages, lDensity, ptableid);
}

#undef JetCreateTableColumnIndex2
JET_ERR JET_API JetCreateTableColumnIndex2(JET_SESID sesid, JET_DBID dbid, JET_TABLECREATE2_A *ptablecreate);
JET_ERR JET_API JetCreateTableColumnIndex2(JET_SESID sesid, JET_DBID dbid, JET_TABLECREATE2_A *ptablecreate)
{
    return JetCreateTableColumnIndex2A(sesid, dbid, ptablecreate);
}

#undef JetCreateTableColumnIndex3
JET_ERR JET_API JetCreateTableColumnIndex3(JET_SESID sesid, JET_DBID dbid, JET_TABLECREATE3_A *ptablecreate);
JET_ERR JET_API JetCreateTableColumnIndex3(JET_SESID sesid, JET_DBID dbid, JET_TABLECREATE3_A *ptablecreate)
{
    return JetCreateTableColumnIndex3A(sesid, dbid, ptablecreate);
}

#undef JetCreateTableColumnIndex4
JET_ERR JET_API JetCreateTableColumnIndex4(JET_SESID sesid, JET_DBID dbid, JET_TABLECREATE4_A *ptablecreate);
JET_ERR JET_API JetCreateTableColumnIndex4(JET_SESID sesid, JET_DBID dbid, JET_TABLECREATE4_A *ptablecreate)
{
    return JetCreateTableColumnIndex4A(sesid, dbid, ptablecreate);
}

#undef JetCreateTableColumnIndex
JET_ERR JET_API JetCreateTableColumnIndex(JET_SESID sesid, JET_DBID dbid, JET_TABLECREATE_A *ptablecreate);
JET_ERR JET_API JetCreateTableColumnIndex(JET_SESID sesid, JET_DBID dbid, JET_TABLECREATE_A *ptablecreate)
{
    return JetCreateTableColumnIndexA(sesid, dbid, ptablecreate);
}

#undef JetDefragment2
JET_ERR JET_API JetDefragment2(JET_SESID sesid, JET_DBID dbid, JET_PCSTR szTableName, uint32_t *pcPasses,
                               uint32_t *pcSeconds, JET_CALLBACK callback, JET_GRBIT grbit);
JET_ERR JET_API JetDefragment2(JET_SESID sesid, JET_DBID dbid, JET_PCSTR szTableName, uint32_t *pcPasses,
                               uint32_t *pcSeconds, JET_CALLBACK callback, JET_GRBIT grbit)
{
    return JetDefragment2A(sesid, dbid, szTableName, pcPasses, pcSeconds, callback, grbit);
}

#undef JetDefragment3
JET_ERR JET_API JetDefragment3(JET_SESID sesid, JET_PCSTR szDatabaseName, JET_PCSTR szTableName,
                               uint32_t *pcPasses, uint32_t *pcSeconds, JET_CALLBACK callback,
                               void *pvContext, JET_GRBIT grbit);
JET_ERR JET_API JetDefragment3(JET_SESID sesid, JET_PCSTR szDatabaseName, JET_PCSTR szTableName,
                               uint32_t *pcPasses, uint32_t *pcSeconds, JET_CALLBACK callback,
                               void *pvContext, JET_GRBIT grbit)
{
    return JetDefragment3A(sesid, szDatabaseName, szTableName, pcPasses, pcSeconds, callback, pvContext,
                           grbit);
}

#undef JetDefragment
JET_ERR JET_API JetDefragment(JET_SESID sesid, JET_DBID dbid, JET_PCSTR szTableName, uint32_t *pcPasses,
                              uint32_t *pcSeconds, JET_GRBIT grbit);
JET_ERR JET_API JetDefragment(JET_SESID sesid, JET_DBID dbid, JET_PCSTR szTableName, uint32_t *pcPasses,
                              uint32_t *pcSeconds, JET_GRBIT grbit)
{
    return JetDefragmentA(sesid, dbid, szTableName, pcPasses, pcSeconds, grbit);
}

#undef JetDeleteColumn2
JET_ERR JET_API JetDeleteColumn2(JET_SESID sesid, JET_TABLEID tableid, JET_PCSTR szColumnName,
                                 const JET_GRBIT grbit);
JET_ERR JET_API JetDeleteColumn2(JET_SESID sesid, JET_TABLEID tableid, JET_PCSTR szColumnName,
                                 const JET_GRBIT grbit)
{
    return JetDeleteColumn2A(sesid, tableid, szColumnName, grbit);
}

#undef JetDeleteColumn
JET_ERR JET_API JetDeleteColumn(JET_SESID sesid, JET_TABLEID tableid, JET_PCSTR szColumnName);
JET_ERR JET_API JetDeleteColumn(JET_SESID sesid, JET_TABLEID tableid, JET_PCSTR szColumnName)
{
    return JetDeleteColumnA(sesid, tableid, szColumnName);
}

#undef JetDeleteIndex
JET_ERR JET_API JetDeleteIndex(JET_SESID sesid, JET_TABLEID tableid, JET_PCSTR szIndexName);
JET_ERR JET_API JetDeleteIndex(JET_SESID sesid, JET_TABLEID tableid, JET_PCSTR szIndexName)
{
    return JetDeleteIndexA(sesid, tableid, szIndexName);
}

#undef JetDeleteTable
JET_ERR JET_API JetDeleteTable(JET_SESID sesid, JET_DBID dbid, JET_PCSTR szTableName);
JET_ERR JET_API JetDeleteTable(JET_SESID sesid, JET_DBID dbid, JET_PCSTR szTableName)
{
    return JetDeleteTableA(sesid, dbid, szTableName);
}

#undef JetDetachDatabase2
JET_ERR JET_API JetDetachDatabase2(JET_SESID sesid, JET_PCSTR szFilename, JET_GRBIT grbit);
JET_ERR JET_API JetDetachDatabase2(JET_SESID sesid, JET_PCSTR szFilename, JET_GRBIT grbit)
{
    return JetDetachDatabase2A(sesid, szFilename, grbit);
}

#undef JetDetachDatabase
JET_ERR JET_API JetDetachDatabase(JET_SESID sesid, JET_PCSTR szFilename);
JET_ERR JET_API JetDetachDatabase(JET_SESID sesid, JET_PCSTR szFilename)
{
    return JetDetachDatabaseA(sesid, szFilename);
}

#undef JetEnableMultiInstance
JET_ERR JET_API JetEnableMultiInstance(JET_SETSYSPARAM_A *psetsysparam, uint32_t csetsysparam,
                                       uint32_t *pcsetsucceed);
JET_ERR JET_API JetEnableMultiInstance(JET_SETSYSPARAM_A *psetsysparam, uint32_t csetsysparam,
                                       uint32_t *pcsetsucceed)
{
    return JetEnableMultiInstanceA(psetsysparam, csetsysparam, pcsetsucceed);
}

#undef JetExternalRestore2
JET_ERR JET_API JetExternalRestore2(JET_PSTR szCheckpointFilePath, JET_PSTR szLogPath, JET_RSTMAP_A *rgrstmap,
                                    int32_t crstfilemap, JET_PSTR szBackupLogPath, JET_LOGINFO_A *pLogInfo,
                                    JET_PSTR szTargetInstanceName, JET_PSTR szTargetInstanceLogPath,
                                    JET_PSTR szTargetInstanceCheckpointPath, JET_PFNSTATUS pfn);
JET_ERR JET_API JetExternalRestore2(JET_PSTR szCheckpointFilePath, JET_PSTR szLogPath, JET_RSTMAP_A *rgrstmap,
                                    int32_t crstfilemap, JET_PSTR szBackupLogPath, JET_LOGINFO_A *pLogInfo,
                                    JET_PSTR szTargetInstanceName, JET_PSTR szTargetInstanceLogPath,
                                    JET_PSTR szTargetInstanceCheckpointPath, JET_PFNSTATUS pfn)
{
    return JetExternalRestore2A(szCheckpointFilePath, szLogPath, rgrstmap, crstfilemap, szBackupLogPath,
                                pLogInfo, szTargetInstanceName, szTargetInstanceLogPath,
                                szTargetInstanceCheckpointPath, pfn);
}

#undef JetExternalRestore
JET_ERR JET_API JetExternalRestore(JET_PSTR szCheckpointFilePath, JET_PSTR szLogPath, JET_RSTMAP_A *rgrstmap,
                                   int32_t crstfilemap, JET_PSTR szBackupLogPath, int32_t genLow,
                                   int32_t genHigh, JET_PFNSTATUS pfn);
JET_ERR JET_API JetExternalRestore(JET_PSTR szCheckpointFilePath, JET_PSTR szLogPath, JET_RSTMAP_A *rgrstmap,
                                   int32_t crstfilemap, JET_PSTR szBackupLogPath, int32_t genLow,
                                   int32_t genHigh, JET_PFNSTATUS pfn)
{
    return JetExternalRestoreA(szCheckpointFilePath, szLogPath, rgrstmap, crstfilemap, szBackupLogPath,
                               genLow, genHigh, pfn);
}

#undef JetGetAttachInfo
JET_ERR JET_API JetGetAttachInfo(JET_PSTR szzDatabases, uint32_t cbMax, uint32_t *pcbActual);
JET_ERR JET_API JetGetAttachInfo(JET_PSTR szzDatabases, uint32_t cbMax, uint32_t *pcbActual)
{
    return JetGetAttachInfoA(szzDatabases, cbMax, pcbActual);
}

#undef JetGetAttachInfoInstance
JET_ERR JET_API JetGetAttachInfoInstance(JET_INSTANCE instance, JET_PSTR szzDatabases, uint32_t cbMax,
                                         uint32_t *pcbActual);
JET_ERR JET_API JetGetAttachInfoInstance(JET_INSTANCE instance, JET_PSTR szzDatabases, uint32_t cbMax,
                                         uint32_t *pcbActual)
{
    return JetGetAttachInfoInstanceA(instance, szzDatabases, cbMax, pcbActual);
}

#undef JetGetColumnInfo
JET_ERR JET_API JetGetColumnInfo(JET_SESID sesid, JET_DBID dbid, JET_PCSTR szTableName,
                                 JET_PCSTR pColumnNameOrId, void *pvResult, uint32_t cbMax,
                                 uint32_t InfoLevel);
JET_ERR JET_API JetGetColumnInfo(JET_SESID sesid, JET_DBID dbid, JET_PCSTR szTableName,
                                 JET_PCSTR pColumnNameOrId, void *pvResult, uint32_t cbMax,
                                 uint32_t InfoLevel)
{
    return JetGetColumnInfoA(sesid, dbid, szTableName, pColumnNameOrId, pvResult, cbMax, InfoLevel);
}

#undef JetGetCurrentIndex
JET_ERR JET_API JetGetCurrentIndex(JET_SESID sesid, JET_TABLEID tableid, JET_PSTR szIndexName,
                                   uint32_t cbIndexName);
JET_ERR JET_API JetGetCurrentIndex(JET_SESID sesid, JET_TABLEID tableid, JET_PSTR szIndexName,
                                   uint32_t cbIndexName)
{
    return JetGetCurrentIndexA(sesid, tableid, szIndexName, cbIndexName);
}

#undef JetGetDatabaseFileInfo
JET_ERR JET_API JetGetDatabaseFileInfo(JET_PCSTR szDatabaseName, void *pvResult, uint32_t cbMax,
                                       uint32_t InfoLevel);
JET_ERR JET_API JetGetDatabaseFileInfo(JET_PCSTR szDatabaseName, void *pvResult, uint32_t cbMax,
                                       uint32_t InfoLevel)
{
    return JetGetDatabaseFileInfoA(szDatabaseName, pvResult, cbMax, InfoLevel);
}

#undef JetGetDatabaseInfo
JET_ERR JET_API JetGetDatabaseInfo(JET_SESID sesid, JET_DBID dbid, void *pvResult, uint32_t cbMax,
                                   uint32_t InfoLevel);
JET_ERR JET_API JetGetDatabaseInfo(JET_SESID sesid, JET_DBID dbid, void *pvResult, uint32_t cbMax,
                                   uint32_t InfoLevel)
{
    return JetGetDatabaseInfoA(sesid, dbid, pvResult, cbMax, InfoLevel);
}

#undef JetGetIndexInfo
JET_ERR JET_API JetGetIndexInfo(JET_SESID sesid, JET_DBID dbid, JET_PCSTR szTableName, JET_PCSTR szIndexName,
                                void *pvResult, uint32_t cbResult, uint32_t InfoLevel);
JET_ERR JET_API JetGetIndexInfo(JET_SESID sesid, JET_DBID dbid, JET_PCSTR szTableName, JET_PCSTR szIndexName,
                                void *pvResult, uint32_t cbResult, uint32_t InfoLevel)
{
    return JetGetIndexInfoA(sesid, dbid, szTableName, szIndexName, pvResult, cbResult, InfoLevel);
}

#undef JetGetInstanceInfo
JET_ERR JET_API JetGetInstanceInfo(uint32_t *pcInstanceInfo, JET_INSTANCE_INFO_A **paInstanceInfo);
JET_ERR JET_API JetGetInstanceInfo(uint32_t *pcInstanceInfo, JET_INSTANCE_INFO_A **paInstanceInfo)
{
    return JetGetInstanceInfoA(pcInstanceInfo, paInstanceInfo);
}

#undef JetGetLogInfo
JET_ERR JET_API JetGetLogInfo(JET_PSTR szzLogs, uint32_t cbMax, uint32_t *pcbActual);
JET_ERR JET_API JetGetLogInfo(JET_PSTR szzLogs, uint32_t cbMax, uint32_t *pcbActual)
{
    return JetGetLogInfoA(szzLogs, cbMax, pcbActual);
}

#undef JetGetLogInfoInstance2
JET_ERR JET_API JetGetLogInfoInstance2(JET_INSTANCE instance, JET_PSTR szzLogs, uint32_t cbMax,
                                       uint32_t *pcbActual, JET_LOGINFO_A *pLogInfo);
JET_ERR JET_API JetGetLogInfoInstance2(JET_INSTANCE instance, JET_PSTR szzLogs, uint32_t cbMax,
                                       uint32_t *pcbActual, JET_LOGINFO_A *pLogInfo)
{
    return JetGetLogInfoInstance2A(instance, szzLogs, cbMax, pcbActual, pLogInfo);
}

#undef JetGetLogInfoInstance
JET_ERR JET_API JetGetLogInfoInstance(JET_INSTANCE instance, JET_PSTR szzLogs, uint32_t cbMax,
                                      uint32_t *pcbActual);
JET_ERR JET_API JetGetLogInfoInstance(JET_INSTANCE instance, JET_PSTR szzLogs, uint32_t cbMax,
                                      uint32_t *pcbActual)
{
    return JetGetLogInfoInstanceA(instance, szzLogs, cbMax, pcbActual);
}

#undef JetGetObjectInfo
JET_ERR JET_API JetGetObjectInfo(JET_SESID sesid, JET_DBID dbid, JET_OBJTYP objtyp, JET_PCSTR szContainerName,
                                 JET_PCSTR szObjectName, void *pvResult, uint32_t cbMax, uint32_t InfoLevel);
JET_ERR JET_API JetGetObjectInfo(JET_SESID sesid, JET_DBID dbid, JET_OBJTYP objtyp, JET_PCSTR szContainerName,
                                 JET_PCSTR szObjectName, void *pvResult, uint32_t cbMax, uint32_t InfoLevel)
{
    return JetGetObjectInfoA(sesid, dbid, objtyp, szContainerName, szObjectName, pvResult, cbMax, InfoLevel);
}

#undef JetGetSystemParameter
JET_ERR JET_API JetGetSystemParameter(JET_INSTANCE instance, JET_SESID sesid, uint32_t paramid,
                                      JET_API_PTR *plParam, JET_PSTR szParam, uint32_t cbMax);
JET_ERR JET_API JetGetSystemParameter(JET_INSTANCE instance, JET_SESID sesid, uint32_t paramid,
                                      JET_API_PTR *plParam, JET_PSTR szParam, uint32_t cbMax)
{
    return JetGetSystemParameterA(instance, sesid, paramid, plParam, szParam, cbMax);
}

#undef JetGetTableColumnInfo
JET_ERR JET_API JetGetTableColumnInfo(JET_SESID sesid, JET_TABLEID tableid, JET_PCSTR szColumnName,
                                      void *pvResult, uint32_t cbMax, uint32_t InfoLevel);
JET_ERR JET_API JetGetTableColumnInfo(JET_SESID sesid, JET_TABLEID tableid, JET_PCSTR szColumnName,
                                      void *pvResult, uint32_t cbMax, uint32_t InfoLevel)
{
    return JetGetTableColumnInfoA(sesid, tableid, szColumnName, pvResult, cbMax, InfoLevel);
}

#undef JetGetTableIndexInfo
JET_ERR JET_API JetGetTableIndexInfo(JET_SESID sesid, JET_TABLEID tableid, JET_PCSTR szIndexName,
                                     void *pvResult, uint32_t cbResult, uint32_t InfoLevel);
JET_ERR JET_API JetGetTableIndexInfo(JET_SESID sesid, JET_TABLEID tableid, JET_PCSTR szIndexName,
                                     void *pvResult, uint32_t cbResult, uint32_t InfoLevel)
{
    return JetGetTableIndexInfoA(sesid, tableid, szIndexName, pvResult, cbResult, InfoLevel);
}

#undef JetGetTableInfo
JET_ERR JET_API JetGetTableInfo(JET_SESID sesid, JET_TABLEID tableid, void *pvResult, uint32_t cbMax,
                                uint32_t InfoLevel);
JET_ERR JET_API JetGetTableInfo(JET_SESID sesid, JET_TABLEID tableid, void *pvResult, uint32_t cbMax,
                                uint32_t InfoLevel)
{
    return JetGetTableInfoA(sesid, tableid, pvResult, cbMax, InfoLevel);
}

#undef JetGetTruncateLogInfoInstance
JET_ERR JET_API JetGetTruncateLogInfoInstance(JET_INSTANCE instance, JET_PSTR szzLogs, uint32_t cbMax,
                                              uint32_t *pcbActual);
JET_ERR JET_API JetGetTruncateLogInfoInstance(JET_INSTANCE instance, JET_PSTR szzLogs, uint32_t cbMax,
                                              uint32_t *pcbActual)
{
    return JetGetTruncateLogInfoInstanceA(instance, szzLogs, cbMax, pcbActual);
}

#undef JetInit3
JET_ERR JET_API JetInit3(JET_INSTANCE *pinstance, JET_RSTINFO_A *prstInfo, JET_GRBIT grbit);
JET_ERR JET_API JetInit3(JET_INSTANCE *pinstance, JET_RSTINFO_A *prstInfo, JET_GRBIT grbit)
{
    return JetInit3A(pinstance, prstInfo, grbit);
}

#undef JetOSSnapshotFreeze
JET_ERR JET_API JetOSSnapshotFreeze(const JET_OSSNAPID snapId, uint32_t *pcInstanceInfo,
                                    JET_INSTANCE_INFO_A **paInstanceInfo, const JET_GRBIT grbit);
JET_ERR JET_API JetOSSnapshotFreeze(const JET_OSSNAPID snapId, uint32_t *pcInstanceInfo,
                                    JET_INSTANCE_INFO_A **paInstanceInfo, const JET_GRBIT grbit)
{
    return JetOSSnapshotFreezeA(snapId, pcInstanceInfo, paInstanceInfo, grbit);
}

#undef JetOSSnapshotGetFreezeInfo
JET_ERR JET_API JetOSSnapshotGetFreezeInfo(const JET_OSSNAPID snapId, uint32_t *pcInstanceInfo,
                                           JET_INSTANCE_INFO_A **paInstanceInfo, const JET_GRBIT grbit);
JET_ERR JET_API JetOSSnapshotGetFreezeInfo(const JET_OSSNAPID snapId, uint32_t *pcInstanceInfo,
                                           JET_INSTANCE_INFO_A **paInstanceInfo, const JET_GRBIT grbit)
{
    return JetOSSnapshotGetFreezeInfoA(snapId, pcInstanceInfo, paInstanceInfo, grbit);
}

#undef JetOpenDatabase
JET_ERR JET_API JetOpenDatabase(JET_SESID sesid, JET_PCSTR szFilename, JET_PCSTR szConnect, JET_DBID *pdbid,
                                JET_GRBIT grbit);
JET_ERR JET_API JetOpenDatabase(JET_SESID sesid, JET_PCSTR szFilename, JET_PCSTR szConnect, JET_DBID *pdbid,
                                JET_GRBIT grbit)
{
    return JetOpenDatabaseA(sesid, szFilename, szConnect, pdbid, grbit);
}

#undef JetOpenFile
JET_ERR JET_API JetOpenFile(JET_PCSTR szFileName, JET_HANDLE *phfFile, uint32_t *pulFileSizeLow,
                            uint32_t *pulFileSizeHigh);
JET_ERR JET_API JetOpenFile(JET_PCSTR szFileName, JET_HANDLE *phfFile, uint32_t *pulFileSizeLow,
                            uint32_t *pulFileSizeHigh)
{
    return JetOpenFileA(szFileName, phfFile, pulFileSizeLow, pulFileSizeHigh);
}

#undef JetOpenFileInstance
JET_ERR JET_API JetOpenFileInstance(JET_INSTANCE instance, JET_PCSTR szFileName, JET_HANDLE *phfFile,
                                    uint32_t *pulFileSizeLow, uint32_t *pulFileSizeHigh);
JET_ERR JET_API JetOpenFileInstance(JET_INSTANCE instance, JET_PCSTR szFileName, JET_HANDLE *phfFile,
                                    uint32_t *pulFileSizeLow, uint32_t *pulFileSizeHigh)
{
    return JetOpenFileInstanceA(instance, szFileName, phfFile, pulFileSizeLow, pulFileSizeHigh);
}

#undef JetOpenTable
JET_ERR JET_API JetOpenTable(JET_SESID sesid, JET_DBID dbid, JET_PCSTR szTableName, const void *pvParameters,
                             uint32_t cbParameters, JET_GRBIT grbit, JET_TABLEID *ptableid);
JET_ERR JET_API JetOpenTable(JET_SESID sesid, JET_DBID dbid, JET_PCSTR szTableName, const void *pvParameters,
                             uint32_t cbParameters, JET_GRBIT grbit, JET_TABLEID *ptableid)
{
    return JetOpenTableA(sesid, dbid, szTableName, pvParameters, cbParameters, grbit, ptableid);
}

#undef JetRenameColumn
JET_ERR JET_API JetRenameColumn(JET_SESID sesid, JET_TABLEID tableid, JET_PCSTR szName, JET_PCSTR szNameNew,
                                JET_GRBIT grbit);
JET_ERR JET_API JetRenameColumn(JET_SESID sesid, JET_TABLEID tableid, JET_PCSTR szName, JET_PCSTR szNameNew,
                                JET_GRBIT grbit)
{
    return JetRenameColumnA(sesid, tableid, szName, szNameNew, grbit);
}

#undef JetRenameTable
JET_ERR JET_API JetRenameTable(JET_SESID sesid, JET_DBID dbid, JET_PCSTR szName, JET_PCSTR szNameNew);
JET_ERR JET_API JetRenameTable(JET_SESID sesid, JET_DBID dbid, JET_PCSTR szName, JET_PCSTR szNameNew)
{
    return JetRenameTableA(sesid, dbid, szName, szNameNew);
}

#undef JetRestore2
JET_ERR JET_API JetRestore2(JET_PCSTR sz, JET_PCSTR szDest, JET_PFNSTATUS pfn);
JET_ERR JET_API JetRestore2(JET_PCSTR sz, JET_PCSTR szDest, JET_PFNSTATUS pfn)
{
    return JetRestore2A(sz, szDest, pfn);
}

#undef JetRestore
JET_ERR JET_API JetRestore(JET_PCSTR szSource, JET_PFNSTATUS pfn);
JET_ERR JET_API JetRestore(JET_PCSTR szSource, JET_PFNSTATUS pfn)
{
    return JetRestoreA(szSource, pfn);
}

#undef JetRestoreInstance
JET_ERR JET_API JetRestoreInstance(JET_INSTANCE instance, JET_PCSTR sz, JET_PCSTR szDest, JET_PFNSTATUS pfn);
JET_ERR JET_API JetRestoreInstance(JET_INSTANCE instance, JET_PCSTR sz, JET_PCSTR szDest, JET_PFNSTATUS pfn)
{
    return JetRestoreInstanceA(instance, sz, szDest, pfn);
}

#undef JetSetColumnDefaultValue
JET_ERR JET_API JetSetColumnDefaultValue(JET_SESID sesid, JET_DBID dbid, JET_PCSTR szTableName,
                                         JET_PCSTR szColumnName, const void *pvData, const uint32_t cbData,
                                         const JET_GRBIT grbit);
JET_ERR JET_API JetSetColumnDefaultValue(JET_SESID sesid, JET_DBID dbid, JET_PCSTR szTableName,
                                         JET_PCSTR szColumnName, const void *pvData, const uint32_t cbData,
                                         const JET_GRBIT grbit)
{
    return JetSetColumnDefaultValueA(sesid, dbid, szTableName, szColumnName, pvData, cbData, grbit);
}

#undef JetSetCurrentIndex2
JET_ERR JET_API JetSetCurrentIndex2(JET_SESID sesid, JET_TABLEID tableid, JET_PCSTR szIndexName,
                                    JET_GRBIT grbit);
JET_ERR JET_API JetSetCurrentIndex2(JET_SESID sesid, JET_TABLEID tableid, JET_PCSTR szIndexName,
                                    JET_GRBIT grbit)
{
    return JetSetCurrentIndex2A(sesid, tableid, szIndexName, grbit);
}

#undef JetSetCurrentIndex3
JET_ERR JET_API JetSetCurrentIndex3(JET_SESID sesid, JET_TABLEID tableid, JET_PCSTR szIndexName,
                                    JET_GRBIT grbit, uint32_t itagSequence);
JET_ERR JET_API JetSetCurrentIndex3(JET_SESID sesid, JET_TABLEID tableid, JET_PCSTR szIndexName,
                                    JET_GRBIT grbit, uint32_t itagSequence)
{
    return JetSetCurrentIndex3A(sesid, tableid, szIndexName, grbit, itagSequence);
}

#undef JetSetCurrentIndex4
JET_ERR JET_API JetSetCurrentIndex4(JET_SESID sesid, JET_TABLEID tableid, JET_PCSTR szIndexName,
                                    JET_INDEXID *pindexid, JET_GRBIT grbit, uint32_t itagSequence);
JET_ERR JET_API JetSetCurrentIndex4(JET_SESID sesid, JET_TABLEID tableid, JET_PCSTR szIndexName,
                                    JET_INDEXID *pindexid, JET_GRBIT grbit, uint32_t itagSequence)
{
    return JetSetCurrentIndex4A(sesid, tableid, szIndexName, pindexid, grbit, itagSequence);
}

#undef JetSetCurrentIndex
JET_ERR JET_API JetSetCurrentIndex(JET_SESID sesid, JET_TABLEID tableid, JET_PCSTR szIndexName);
JET_ERR JET_API JetSetCurrentIndex(JET_SESID sesid, JET_TABLEID tableid, JET_PCSTR szIndexName)
{
    return JetSetCurrentIndexA(sesid, tableid, szIndexName);
}

#undef JetSetDatabaseSize
JET_ERR JET_API JetSetDatabaseSize(JET_SESID sesid, JET_PCSTR szDatabaseName, uint32_t cpg,
                                   uint32_t *pcpgReal);
JET_ERR JET_API JetSetDatabaseSize(JET_SESID sesid, JET_PCSTR szDatabaseName, uint32_t cpg,
                                   uint32_t *pcpgReal)
{
    return JetSetDatabaseSizeA(sesid, szDatabaseName, cpg, pcpgReal);
}

#undef JetSetSystemParameter
JET_ERR JET_API JetSetSystemParameter(JET_INSTANCE *pinstance, JET_SESID sesid, uint32_t paramid,
                                      JET_API_PTR lParam, JET_PCSTR szParam);
JET_ERR JET_API JetSetSystemParameter(JET_INSTANCE *pinstance, JET_SESID sesid, uint32_t paramid,
                                      JET_API_PTR lParam, JET_PCSTR szParam)
{
    return JetSetSystemParameterA(pinstance, sesid, paramid, lParam, szParam);
}

#undef JetOpenFileSectionInstance
JET_ERR JET_API JetOpenFileSectionInstance(JET_INSTANCE instance, JET_PSTR szFile, JET_HANDLE *phFile,
                                           int32_t iSection, int32_t cSections, uint64_t ibRead,
                                           uint32_t *pulSectionSizeLow, int32_t *plSectionSizeHigh);
JET_ERR JET_API JetOpenFileSectionInstance(JET_INSTANCE instance, JET_PSTR szFile, JET_HANDLE *phFile,
                                           int32_t iSection, int32_t cSections, uint64_t ibRead,
                                           uint32_t *pulSectionSizeLow, int32_t *plSectionSizeHigh)
{
    return JetOpenFileSectionInstanceA(instance, szFile, phFile, iSection, cSections, ibRead,
                                       pulSectionSizeLow, plSectionSizeHigh);
}

#pragma GCC visibility pop
