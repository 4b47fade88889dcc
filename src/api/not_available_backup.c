/* Calls of the backup family that are not built yet: each answers JET_errFeatureNotAvailable. A call that
 * gets built leaves this file. */
#include "include/esent.h"

/* Nothing is done with what these are given. */
#pragma GCC diagnostic ignored "-Wunused-parameter"

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

