/* Calls of instances, sessions and databases that are not built yet: each answers JET_errFeatureNotAvailable.
 * A call that gets built leaves this file. */
#include "include/esent.h"

/* Nothing is done with what these are given. */
#pragma GCC diagnostic ignored "-Wunused-parameter"

JET_ERR JET_API JetAttachDatabase2A(JET_SESID sesid, JET_PCSTR szFilename, const uint32_t cpgDatabaseSizeMax,
                                    JET_GRBIT grbit)
{
    return JET_errFeatureNotAvailable;
}

JET_ERR JET_API JetAttachDatabase2W(JET_SESID sesid, JET_PCWSTR szFilename, const uint32_t cpgDatabaseSizeMax,
                                    JET_GRBIT grbit)
{
    return JET_errFeatureNotAvailable;
}

JET_ERR JET_API JetAttachDatabaseA(JET_SESID sesid, JET_PCSTR szFilename, JET_GRBIT grbit)
{
    return JET_errFeatureNotAvailable;
}

JET_ERR JET_API JetAttachDatabaseW(JET_SESID sesid, JET_PCWSTR szFilename, JET_GRBIT grbit)
{
    return JET_errFeatureNotAvailable;
}

JET_ERR JET_API JetBeginSessionA(JET_INSTANCE instance, JET_SESID *psesid, JET_PCSTR szUserName,
                                 JET_PCSTR szPassword)
{
    return JET_errFeatureNotAvailable;
}

JET_ERR JET_API JetBeginSessionW(JET_INSTANCE instance, JET_SESID *psesid, JET_PCWSTR szUserName,
                                 JET_PCWSTR szPassword)
{
    return JET_errFeatureNotAvailable;
}

JET_ERR JET_API JetCloseDatabase(JET_SESID sesid, JET_DBID dbid, JET_GRBIT grbit)
{
    return JET_errFeatureNotAvailable;
}

JET_ERR JET_API JetCompactA(JET_SESID sesid, JET_PCSTR szDatabaseSrc, JET_PCSTR szDatabaseDest,
                            JET_PFNSTATUS pfnStatus, JET_CONVERT_A *pconvert, JET_GRBIT grbit)
{
    return JET_errFeatureNotAvailable;
}

JET_ERR JET_API JetCompactW(JET_SESID sesid, JET_PCWSTR szDatabaseSrc, JET_PCWSTR szDatabaseDest,
                            JET_PFNSTATUS pfnStatus, JET_CONVERT_W *pconvert, JET_GRBIT grbit)
{
    return JET_errFeatureNotAvailable;
}

JET_ERR JET_API JetConfigureProcessForCrashDump(const JET_GRBIT grbit)
{
    return JET_errFeatureNotAvailable;
}

JET_ERR JET_API JetCreateDatabase2A(JET_SESID sesid, JET_PCSTR szFilename, const uint32_t cpgDatabaseSizeMax,
                                    JET_DBID *pdbid, JET_GRBIT grbit)
{
    return JET_errFeatureNotAvailable;
}

JET_ERR JET_API JetCreateDatabase2W(JET_SESID sesid, JET_PCWSTR szFilename, const uint32_t cpgDatabaseSizeMax,
                                    JET_DBID *pdbid, JET_GRBIT grbit)
{
    return JET_errFeatureNotAvailable;
}

JET_ERR JET_API JetCreateDatabaseA(JET_SESID sesid, JET_PCSTR szFilename, JET_PCSTR szConnect,
                                   JET_DBID *pdbid, JET_GRBIT grbit)
{
    return JET_errFeatureNotAvailable;
}

JET_ERR JET_API JetCreateDatabaseW(JET_SESID sesid, JET_PCWSTR szFilename, JET_PCWSTR szConnect,
                                   JET_DBID *pdbid, JET_GRBIT grbit)
{
    return JET_errFeatureNotAvailable;
}

JET_ERR JET_API JetCreateInstance2A(JET_INSTANCE *pinstance, JET_PCSTR szInstanceName,
                                    JET_PCSTR szDisplayName, JET_GRBIT grbit)
{
    return JET_errFeatureNotAvailable;
}

JET_ERR JET_API JetCreateInstance2W(JET_INSTANCE *pinstance, JET_PCWSTR szInstanceName,
                                    JET_PCWSTR szDisplayName, JET_GRBIT grbit)
{
    return JET_errFeatureNotAvailable;
}

JET_ERR JET_API JetCreateInstanceA(JET_INSTANCE *pinstance, JET_PCSTR szInstanceName)
{
    return JET_errFeatureNotAvailable;
}

JET_ERR JET_API JetCreateInstanceW(JET_INSTANCE *pinstance, JET_PCWSTR szInstanceName)
{
    return JET_errFeatureNotAvailable;
}

JET_ERR JET_API JetDetachDatabase2A(JET_SESID sesid, JET_PCSTR szFilename, JET_GRBIT grbit)
{
    return JET_errFeatureNotAvailable;
}

JET_ERR JET_API JetDetachDatabase2W(JET_SESID sesid, JET_PCWSTR szFilename, JET_GRBIT grbit)
{
    return JET_errFeatureNotAvailable;
}

JET_ERR JET_API JetDetachDatabaseA(JET_SESID sesid, JET_PCSTR szFilename)
{
    return JET_errFeatureNotAvailable;
}

JET_ERR JET_API JetDetachDatabaseW(JET_SESID sesid, JET_PCWSTR szFilename)
{
    return JET_errFeatureNotAvailable;
}

JET_ERR JET_API JetDupSession(JET_SESID sesid, JET_SESID *psesid)
{
    return JET_errFeatureNotAvailable;
}

JET_ERR JET_API JetEnableMultiInstanceA(JET_SETSYSPARAM_A *psetsysparam, uint32_t csetsysparam,
                                        uint32_t *pcsetsucceed)
{
    return JET_errFeatureNotAvailable;
}

JET_ERR JET_API JetEnableMultiInstanceW(JET_SETSYSPARAM_W *psetsysparam, uint32_t csetsysparam,
                                        uint32_t *pcsetsucceed)
{
    return JET_errFeatureNotAvailable;
}

JET_ERR JET_API JetEndSession(JET_SESID sesid, JET_GRBIT grbit)
{
    return JET_errFeatureNotAvailable;
}

JET_ERR JET_API JetFreeBuffer(char *pbBuf)
{
    return JET_errFeatureNotAvailable;
}

JET_ERR JET_API JetGetDatabaseFileInfoA(JET_PCSTR szDatabaseName, void *pvResult, uint32_t cbMax,
                                        uint32_t InfoLevel)
{
    return JET_errFeatureNotAvailable;
}

JET_ERR JET_API JetGetDatabaseFileInfoW(JET_PCWSTR szDatabaseName, void *pvResult, uint32_t cbMax,
                                        uint32_t InfoLevel)
{
    return JET_errFeatureNotAvailable;
}

JET_ERR JET_API JetGetDatabaseInfoA(JET_SESID sesid, JET_DBID dbid, void *pvResult, uint32_t cbMax,
                                    uint32_t InfoLevel)
{
    return JET_errFeatureNotAvailable;
}

JET_ERR JET_API JetGetDatabaseInfoW(JET_SESID sesid, JET_DBID dbid, void *pvResult, uint32_t cbMax,
                                    uint32_t InfoLevel)
{
    return JET_errFeatureNotAvailable;
}

JET_ERR JET_API JetGetErrorInfoW(void *pvContext, void *pvResult, uint32_t cbMax, uint32_t InfoLevel,
                                 JET_GRBIT grbit)
{
    return JET_errFeatureNotAvailable;
}

JET_ERR JET_API JetGetInstanceMiscInfo(JET_INSTANCE instance, void *pvResult, uint32_t cbMax,
                                       uint32_t InfoLevel)
{
    return JET_errFeatureNotAvailable;
}

JET_ERR JET_API JetGetSessionParameter(JET_SESID sesid, uint32_t sesparamid, void *pvParam,
                                       uint32_t cbParamMax, uint32_t *pcbParamActual)
{
    return JET_errFeatureNotAvailable;
}

JET_ERR JET_API JetGetSystemParameterA(JET_INSTANCE instance, JET_SESID sesid, uint32_t paramid,
                                       JET_API_PTR *plParam, JET_PSTR szParam, uint32_t cbMax)
{
    return JET_errFeatureNotAvailable;
}

JET_ERR JET_API JetGetSystemParameterW(JET_INSTANCE instance, JET_SESID sesid, uint32_t paramid,
                                       JET_API_PTR *plParam, JET_PWSTR szParam, uint32_t cbMax)
{
    return JET_errFeatureNotAvailable;
}

JET_ERR JET_API JetGetThreadStats(void *pvResult, uint32_t cbMax)
{
    return JET_errFeatureNotAvailable;
}

JET_ERR JET_API JetGetVersion(JET_SESID sesid, uint32_t *pwVersion)
{
    return JET_errFeatureNotAvailable;
}

JET_ERR JET_API JetGrowDatabase(JET_SESID sesid, JET_DBID dbid, uint32_t cpg, uint32_t *pcpgReal)
{
    return JET_errFeatureNotAvailable;
}

JET_ERR JET_API JetIdle(JET_SESID sesid, JET_GRBIT grbit)
{
    return JET_errFeatureNotAvailable;
}

JET_ERR JET_API JetInit(JET_INSTANCE *pinstance)
{
    return JET_errFeatureNotAvailable;
}

JET_ERR JET_API JetInit2(JET_INSTANCE *pinstance, JET_GRBIT grbit)
{
    return JET_errFeatureNotAvailable;
}

JET_ERR JET_API JetInit3A(JET_INSTANCE *pinstance, JET_RSTINFO_A *prstInfo, JET_GRBIT grbit)
{
    return JET_errFeatureNotAvailable;
}

JET_ERR JET_API JetInit3W(JET_INSTANCE *pinstance, JET_RSTINFO_W *prstInfo, JET_GRBIT grbit)
{
    return JET_errFeatureNotAvailable;
}

JET_ERR JET_API JetOpenDatabaseA(JET_SESID sesid, JET_PCSTR szFilename, JET_PCSTR szConnect, JET_DBID *pdbid,
                                 JET_GRBIT grbit)
{
    return JET_errFeatureNotAvailable;
}

JET_ERR JET_API JetOpenDatabaseW(JET_SESID sesid, JET_PCWSTR szFilename, JET_PCWSTR szConnect,
                                 JET_DBID *pdbid, JET_GRBIT grbit)
{
    return JET_errFeatureNotAvailable;
}

JET_ERR JET_API JetResetSessionContext(JET_SESID sesid)
{
    return JET_errFeatureNotAvailable;
}

JET_ERR JET_API JetResizeDatabase(JET_SESID sesid, JET_DBID dbid, uint32_t cpgTarget, uint32_t *pcpgActual,
                                  const JET_GRBIT grbit)
{
    return JET_errFeatureNotAvailable;
}

JET_ERR JET_API JetSetDatabaseSizeA(JET_SESID sesid, JET_PCSTR szDatabaseName, uint32_t cpg,
                                    uint32_t *pcpgReal)
{
    return JET_errFeatureNotAvailable;
}

JET_ERR JET_API JetSetDatabaseSizeW(JET_SESID sesid, JET_PCWSTR szDatabaseName, uint32_t cpg,
                                    uint32_t *pcpgReal)
{
    return JET_errFeatureNotAvailable;
}

JET_ERR JET_API JetSetSessionContext(JET_SESID sesid, JET_API_PTR ulContext)
{
    return JET_errFeatureNotAvailable;
}

JET_ERR JET_API JetSetSessionParameter(JET_SESID sesid, uint32_t sesparamid, void *pvParam, uint32_t cbParam)
{
    return JET_errFeatureNotAvailable;
}

JET_ERR JET_API JetSetSystemParameterA(JET_INSTANCE *pinstance, JET_SESID sesid, uint32_t paramid,
                                       JET_API_PTR lParam, JET_PCSTR szParam)
{
    return JET_errFeatureNotAvailable;
}

JET_ERR JET_API JetSetSystemParameterW(JET_INSTANCE *pinstance, JET_SESID sesid, uint32_t paramid,
                                       JET_API_PTR lParam, JET_PCWSTR szParam)
{
    return JET_errFeatureNotAvailable;
}

JET_ERR JET_API JetStopService()
{
    return JET_errFeatureNotAvailable;
}

JET_ERR JET_API JetStopServiceInstance(JET_INSTANCE instance)
{
    return JET_errFeatureNotAvailable;
}

JET_ERR JET_API JetStopServiceInstance2(JET_INSTANCE instance, const JET_GRBIT grbit)
{
    return JET_errFeatureNotAvailable;
}

JET_ERR JET_API JetTerm(JET_INSTANCE instance)
{
    return JET_errFeatureNotAvailable;
}

JET_ERR JET_API JetTerm2(JET_INSTANCE instance, JET_GRBIT grbit)
{
    return JET_errFeatureNotAvailable;
}
