/* Calls of the backup family that are not built yet: each answers JET_errFeatureNotAvailable. A call that
 * gets built leaves this file. */
#include "include/esent.h"

/* Nothing is done with what these are given. */
#pragma GCC diagnostic ignored "-Wunused-parameter"

JET_ERR JET_API JetBackupA(JET_PCSTR szBackupPath, JET_GRBIT grbit, JET_PFNSTATUS pfnStatus)
{
    return JET_errFeatureNotAvailable;
}

JET_ERR JET_API JetBackupInstanceA(JET_INSTANCE instance, JET_PCSTR szBackupPath, JET_GRBIT grbit,
                                   JET_PFNSTATUS pfnStatus)
{
    return JET_errFeatureNotAvailable;
}

JET_ERR JET_API JetBackupInstanceW(JET_INSTANCE instance, JET_PCWSTR szBackupPath, JET_GRBIT grbit,
                                   JET_PFNSTATUS pfnStatus)
{
    return JET_errFeatureNotAvailable;
}

JET_ERR JET_API JetBackupW(JET_PCWSTR szBackupPath, JET_GRBIT grbit, JET_PFNSTATUS pfnStatus)
{
    return JET_errFeatureNotAvailable;
}

JET_ERR JET_API JetBeginExternalBackup(JET_GRBIT grbit)
{
    return JET_errFeatureNotAvailable;
}

JET_ERR JET_API JetBeginExternalBackupInstance(JET_INSTANCE instance, JET_GRBIT grbit)
{
    return JET_errFeatureNotAvailable;
}

JET_ERR JET_API JetCloseFile(JET_HANDLE hfFile)
{
    return JET_errFeatureNotAvailable;
}

JET_ERR JET_API JetCloseFileInstance(JET_INSTANCE instance, JET_HANDLE hfFile)
{
    return JET_errFeatureNotAvailable;
}

JET_ERR JET_API JetEndExternalBackup(void)
{
    return JET_errFeatureNotAvailable;
}

JET_ERR JET_API JetEndExternalBackupInstance(JET_INSTANCE instance)
{
    return JET_errFeatureNotAvailable;
}

JET_ERR JET_API JetEndExternalBackupInstance2(JET_INSTANCE instance, JET_GRBIT grbit)
{
    return JET_errFeatureNotAvailable;
}

JET_ERR JET_API JetExternalRestore2A(JET_PSTR szCheckpointFilePath, JET_PSTR szLogPath,
                                     JET_RSTMAP_A *rgrstmap, int32_t crstfilemap, JET_PSTR szBackupLogPath,
                                     JET_LOGINFO_A *pLogInfo, JET_PSTR szTargetInstanceName,
                                     JET_PSTR szTargetInstanceLogPath,
                                     JET_PSTR szTargetInstanceCheckpointPath, JET_PFNSTATUS pfn)
{
    return JET_errFeatureNotAvailable;
}

JET_ERR JET_API JetExternalRestore2W(JET_PWSTR szCheckpointFilePath, JET_PWSTR szLogPath,
                                     JET_RSTMAP_W *rgrstmap, int32_t crstfilemap, JET_PWSTR szBackupLogPath,
                                     JET_LOGINFO_W *pLogInfo, JET_PWSTR szTargetInstanceName,
                                     JET_PWSTR szTargetInstanceLogPath,
                                     JET_PWSTR szTargetInstanceCheckpointPath, JET_PFNSTATUS pfn)
{
    return JET_errFeatureNotAvailable;
}

JET_ERR JET_API JetExternalRestoreA(JET_PSTR szCheckpointFilePath, JET_PSTR szLogPath, JET_RSTMAP_A *rgrstmap,
                                    int32_t crstfilemap, JET_PSTR szBackupLogPath, int32_t genLow,
                                    int32_t genHigh, JET_PFNSTATUS pfn)
{
    return JET_errFeatureNotAvailable;
}

JET_ERR JET_API JetExternalRestoreW(JET_PWSTR szCheckpointFilePath, JET_PWSTR szLogPath,
                                    JET_RSTMAP_W *rgrstmap, int32_t crstfilemap, JET_PWSTR szBackupLogPath,
                                    int32_t genLow, int32_t genHigh, JET_PFNSTATUS pfn)
{
    return JET_errFeatureNotAvailable;
}

JET_ERR JET_API JetGetAttachInfoA(JET_PSTR szzDatabases, uint32_t cbMax, uint32_t *pcbActual)
{
    return JET_errFeatureNotAvailable;
}

JET_ERR JET_API JetGetAttachInfoInstanceA(JET_INSTANCE instance, JET_PSTR szzDatabases, uint32_t cbMax,
                                          uint32_t *pcbActual)
{
    return JET_errFeatureNotAvailable;
}

JET_ERR JET_API JetGetAttachInfoInstanceW(JET_INSTANCE instance, JET_PWSTR szzDatabases, uint32_t cbMax,
                                          uint32_t *pcbActual)
{
    return JET_errFeatureNotAvailable;
}

JET_ERR JET_API JetGetAttachInfoW(JET_PWSTR wszzDatabases, uint32_t cbMax, uint32_t *pcbActual)
{
    return JET_errFeatureNotAvailable;
}

JET_ERR JET_API JetGetInstanceInfoA(uint32_t *pcInstanceInfo, JET_INSTANCE_INFO_A **paInstanceInfo)
{
    return JET_errFeatureNotAvailable;
}

JET_ERR JET_API JetGetInstanceInfoW(uint32_t *pcInstanceInfo, JET_INSTANCE_INFO_W **paInstanceInfo)
{
    return JET_errFeatureNotAvailable;
}

JET_ERR JET_API JetGetLogInfoA(JET_PSTR szzLogs, uint32_t cbMax, uint32_t *pcbActual)
{
    return JET_errFeatureNotAvailable;
}

JET_ERR JET_API JetGetLogInfoInstance2A(JET_INSTANCE instance, JET_PSTR szzLogs, uint32_t cbMax,
                                        uint32_t *pcbActual, JET_LOGINFO_A *pLogInfo)
{
    return JET_errFeatureNotAvailable;
}

JET_ERR JET_API JetGetLogInfoInstance2W(JET_INSTANCE instance, JET_PWSTR wszzLogs, uint32_t cbMax,
                                        uint32_t *pcbActual, JET_LOGINFO_W *pLogInfo)
{
    return JET_errFeatureNotAvailable;
}

JET_ERR JET_API JetGetLogInfoInstanceA(JET_INSTANCE instance, JET_PSTR szzLogs, uint32_t cbMax,
                                       uint32_t *pcbActual)
{
    return JET_errFeatureNotAvailable;
}

JET_ERR JET_API JetGetLogInfoInstanceW(JET_INSTANCE instance, JET_PWSTR wszzLogs, uint32_t cbMax,
                                       uint32_t *pcbActual)
{
    return JET_errFeatureNotAvailable;
}

JET_ERR JET_API JetGetLogInfoW(JET_PWSTR szzLogs, uint32_t cbMax, uint32_t *pcbActual)
{
    return JET_errFeatureNotAvailable;
}

JET_ERR JET_API JetGetTruncateLogInfoInstanceA(JET_INSTANCE instance, JET_PSTR szzLogs, uint32_t cbMax,
                                               uint32_t *pcbActual)
{
    return JET_errFeatureNotAvailable;
}

JET_ERR JET_API JetGetTruncateLogInfoInstanceW(JET_INSTANCE instance, JET_PWSTR wszzLogs, uint32_t cbMax,
                                               uint32_t *pcbActual)
{
    return JET_errFeatureNotAvailable;
}

JET_ERR JET_API JetOSSnapshotAbort(const JET_OSSNAPID snapId, const JET_GRBIT grbit)
{
    return JET_errFeatureNotAvailable;
}

JET_ERR JET_API JetOSSnapshotEnd(const JET_OSSNAPID snapId, const JET_GRBIT grbit)
{
    return JET_errFeatureNotAvailable;
}

JET_ERR JET_API JetOSSnapshotFreezeA(const JET_OSSNAPID snapId, uint32_t *pcInstanceInfo,
                                     JET_INSTANCE_INFO_A **paInstanceInfo, const JET_GRBIT grbit)
{
    return JET_errFeatureNotAvailable;
}

JET_ERR JET_API JetOSSnapshotFreezeW(const JET_OSSNAPID snapId, uint32_t *pcInstanceInfo,
                                     JET_INSTANCE_INFO_W **paInstanceInfo, const JET_GRBIT grbit)
{
    return JET_errFeatureNotAvailable;
}

JET_ERR JET_API JetOSSnapshotGetFreezeInfoA(const JET_OSSNAPID snapId, uint32_t *pcInstanceInfo,
                                            JET_INSTANCE_INFO_A **paInstanceInfo, const JET_GRBIT grbit)
{
    return JET_errFeatureNotAvailable;
}

JET_ERR JET_API JetOSSnapshotGetFreezeInfoW(const JET_OSSNAPID snapId, uint32_t *pcInstanceInfo,
                                            JET_INSTANCE_INFO_W **paInstanceInfo, const JET_GRBIT grbit)
{
    return JET_errFeatureNotAvailable;
}

JET_ERR JET_API JetOSSnapshotPrepare(JET_OSSNAPID *psnapId, const JET_GRBIT grbit)
{
    return JET_errFeatureNotAvailable;
}

JET_ERR JET_API JetOSSnapshotPrepareInstance(JET_OSSNAPID snapId, JET_INSTANCE instance,
                                             const JET_GRBIT grbit)
{
    return JET_errFeatureNotAvailable;
}

JET_ERR JET_API JetOSSnapshotThaw(const JET_OSSNAPID snapId, const JET_GRBIT grbit)
{
    return JET_errFeatureNotAvailable;
}

JET_ERR JET_API JetOSSnapshotTruncateLog(const JET_OSSNAPID snapId, const JET_GRBIT grbit)
{
    return JET_errFeatureNotAvailable;
}

JET_ERR JET_API JetOSSnapshotTruncateLogInstance(const JET_OSSNAPID snapId, JET_INSTANCE instance,
                                                 const JET_GRBIT grbit)
{
    return JET_errFeatureNotAvailable;
}

JET_ERR JET_API JetOpenFileA(JET_PCSTR szFileName, JET_HANDLE *phfFile, uint32_t *pulFileSizeLow,
                             uint32_t *pulFileSizeHigh)
{
    return JET_errFeatureNotAvailable;
}

JET_ERR JET_API JetOpenFileInstanceA(JET_INSTANCE instance, JET_PCSTR szFileName, JET_HANDLE *phfFile,
                                     uint32_t *pulFileSizeLow, uint32_t *pulFileSizeHigh)
{
    return JET_errFeatureNotAvailable;
}

JET_ERR JET_API JetOpenFileInstanceW(JET_INSTANCE instance, JET_PCWSTR szFileName, JET_HANDLE *phfFile,
                                     uint32_t *pulFileSizeLow, uint32_t *pulFileSizeHigh)
{
    return JET_errFeatureNotAvailable;
}

JET_ERR JET_API JetOpenFileW(JET_PCWSTR szFileName, JET_HANDLE *phfFile, uint32_t *pulFileSizeLow,
                             uint32_t *pulFileSizeHigh)
{
    return JET_errFeatureNotAvailable;
}

JET_ERR JET_API JetReadFile(JET_HANDLE hfFile, void *pv, uint32_t cb, uint32_t *pcbActual)
{
    return JET_errFeatureNotAvailable;
}

JET_ERR JET_API JetReadFileInstance(JET_INSTANCE instance, JET_HANDLE hfFile, void *pv, uint32_t cb,
                                    uint32_t *pcbActual)
{
    return JET_errFeatureNotAvailable;
}

JET_ERR JET_API JetRestore2A(JET_PCSTR sz, JET_PCSTR szDest, JET_PFNSTATUS pfn)
{
    return JET_errFeatureNotAvailable;
}

JET_ERR JET_API JetRestore2W(JET_PCWSTR sz, JET_PCWSTR szDest, JET_PFNSTATUS pfn)
{
    return JET_errFeatureNotAvailable;
}

JET_ERR JET_API JetRestoreA(JET_PCSTR szSource, JET_PFNSTATUS pfn)
{
    return JET_errFeatureNotAvailable;
}

JET_ERR JET_API JetRestoreInstanceA(JET_INSTANCE instance, JET_PCSTR sz, JET_PCSTR szDest, JET_PFNSTATUS pfn)
{
    return JET_errFeatureNotAvailable;
}

JET_ERR JET_API JetRestoreInstanceW(JET_INSTANCE instance, JET_PCWSTR sz, JET_PCWSTR szDest,
                                    JET_PFNSTATUS pfn)
{
    return JET_errFeatureNotAvailable;
}

JET_ERR JET_API JetRestoreW(JET_PCWSTR szSource, JET_PFNSTATUS pfn)
{
    return JET_errFeatureNotAvailable;
}

JET_ERR JET_API JetStopBackup()
{
    return JET_errFeatureNotAvailable;
}

JET_ERR JET_API JetStopBackupInstance(JET_INSTANCE instance)
{
    return JET_errFeatureNotAvailable;
}

JET_ERR JET_API JetTruncateLog(void)
{
    return JET_errFeatureNotAvailable;
}

JET_ERR JET_API JetTruncateLogInstance(JET_INSTANCE instance)
{
    return JET_errFeatureNotAvailable;
}

JET_ERR JET_API JetBeginSurrogateBackup(JET_INSTANCE instance, uint32_t lgenFirst, uint32_t lgenLast,
                                        JET_GRBIT grbit)
{
    return JET_errFeatureNotAvailable;
}

JET_ERR JET_API JetEndSurrogateBackup(JET_INSTANCE instance, JET_GRBIT grbit)
{
    return JET_errFeatureNotAvailable;
}

JET_ERR JET_API JetOpenFileSectionInstanceA(JET_INSTANCE instance, JET_PSTR szFile, JET_HANDLE *phFile,
                                            int32_t iSection, int32_t cSections, uint64_t ibRead,
                                            uint32_t *pulSectionSizeLow, int32_t *plSectionSizeHigh)
{
    return JET_errFeatureNotAvailable;
}

JET_ERR JET_API JetOpenFileSectionInstanceW(JET_INSTANCE instance, JET_PWSTR wszFile, JET_HANDLE *phFile,
                                            int32_t iSection, int32_t cSections, uint64_t ibRead,
                                            uint32_t *pulSectionSizeLow, int32_t *plSectionSizeHigh)
{
    return JET_errFeatureNotAvailable;
}
