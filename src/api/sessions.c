/* JetBeginSession, JetEndSession, JetDupSession; session parameters and contexts; JetIdle, JetGetVersion,
 * JetGetThreadStats (engine sources: `tm.cxx`, `pib.cxx`). */
#include "src/instance/instance.h"
#include "src/os/memory.h"
#include "src/os/thread.h"
#include "src/version/version.h"

/* Image 10.0 as the engine packs it: bits 27-31 major, 22-26 minor, 8-21 build. */
#define ENGINE_VERSION 0x50000000u

static JET_ERR begin_session(JET_INSTANCE handle, JET_SESID *sesid)
{
    JET_ERR err = JET_errSuccess;
    struct instance *instance = NULL;
    if (sesid == NULL)
        return JET_errInvalidParameter;
    *sesid = JET_sesidNil;
    TRY(instance_enter(handle, &instance));
    err = session_begin(instance, sesid);
    instance_leave_call(instance);
done:
    return err;
}

/* User name and password have never meant anything. */
JET_ERR JET_API JetBeginSessionA(JET_INSTANCE instance, JET_SESID *psesid, JET_PCSTR szUserName,
                                 JET_PCSTR szPassword)
{
    (void)szUserName;
    (void)szPassword;
    return begin_session(instance, psesid);
}

JET_ERR JET_API JetBeginSessionW(JET_INSTANCE instance, JET_SESID *psesid, JET_PCWSTR szUserName,
                                 JET_PCWSTR szPassword)
{
    (void)szUserName;
    (void)szPassword;
    return begin_session(instance, psesid);
}

JET_ERR JET_API JetDupSession(JET_SESID sesid, JET_SESID *psesid)
{
    JET_ERR err = JET_errSuccess;
    struct session *session = NULL;
    TRY(session_enter(sesid, &session));
    if (psesid == NULL) {
        err = JET_errInvalidParameter;
    } else {
        *psesid = JET_sesidNil;
        err = session_begin(session->instance, psesid);
    }
    session_leave(session);
done:
    return err;
}

JET_ERR JET_API JetEndSession(JET_SESID sesid, JET_GRBIT grbit)
{
    JET_ERR err = JET_errSuccess;
    struct session *session = NULL;
    (void)grbit;
    TRY(session_enter_stopped(sesid, &session));
    if (session->in_callback) {
        session_leave(session);
        return JET_errSessionInUse;
    }
    err = session_end(session);
    if (err < JET_errSuccess)
        session_leave(session);
done:
    return err;
}

/* --- context --- */

JET_ERR JET_API JetSetSessionContext(JET_SESID sesid, JET_API_PTR ulContext)
{
    JET_ERR err = JET_errSuccess;
    struct session *session = NULL;
    TRY(session_enter(sesid, &session));
    if (ulContext == 0 || ulContext == UINT64_MAX) {
        err = JET_errInvalidParameter;
    } else if (session->has_context) {
        err = JET_errSessionContextAlreadySet;
    } else {
        session->has_context = true;
        session->context = ulContext;
        session->context_thread = os_thread_id();
    }
    session_leave(session);
done:
    return err;
}

JET_ERR JET_API JetResetSessionContext(JET_SESID sesid)
{
    JET_ERR err = JET_errSuccess;
    struct session *session = NULL;
    TRY(session_enter(sesid, &session));
    if (!session->has_context || session->context_thread != os_thread_id())
        err = JET_errSessionContextNotSetByThisThread;
    else
        session->has_context = false;
    session_leave(session);
done:
    return err;
}

/* --- parameters --- */

/* Where a session parameter is kept, and its size in bytes; NULL if there is no such parameter. */
static void *parameter_place(struct session *session, uint32_t number, uint32_t *size)
{
    switch (number) {
    case JET_sesparamCommitDefault:
        *size = sizeof(session->commit_default);
        return &session->commit_default;
    case JET_sesparamOperationContext:
        *size = sizeof(session->operation_context);
        return &session->operation_context;
    case JET_sesparamCorrelationID:
        *size = sizeof(session->correlation_id);
        return &session->correlation_id;
    default:
        return NULL;
    }
}

static JET_ERR set_parameter(struct session *session, uint32_t number, const void *value, uint32_t size)
{
    uint32_t wanted;
    if (value == NULL && size != 0)
        return JET_errInvalidParameter;
    if (number == JET_sesparamTransactionLevel)
        return JET_errFeatureNotAvailable;
    void *place = parameter_place(session, number, &wanted);
    if (place == NULL)
        return JET_errInvalidSesparamId;
    if (size != wanted)
        return JET_errInvalidBufferSize;
    memcpy(place, value, size);
    return JET_errSuccess;
}

JET_ERR JET_API JetSetSessionParameter(JET_SESID sesid, uint32_t sesparamid, void *pvParam, uint32_t cbParam)
{
    JET_ERR err = JET_errSuccess;
    struct session *session = NULL;
    TRY(session_enter(sesid, &session));
    err = set_parameter(session, sesparamid, pvParam, cbParam);
    session_leave(session);
done:
    return err;
}

static JET_ERR get_parameter(struct session *session, uint32_t number, void *value, uint32_t size,
                             uint32_t *actual)
{
    int32_t level = (int32_t)transaction_level(&session->transaction);
    uint32_t wanted = sizeof(level);
    const void *place = &level;
    bool exact = true;
    if (value == NULL && actual == NULL)
        return JET_errInvalidParameter;
    if (number != JET_sesparamTransactionLevel) {
        place = parameter_place(session, number, &wanted);
        if (place == NULL)
            return JET_errInvalidSesparamId;
        exact = number == JET_sesparamCommitDefault;
    }
    if (actual != NULL)
        *actual = wanted;
    if (value == NULL)
        return JET_errSuccess;
    if (exact ? size != wanted : size < wanted)
        return JET_errInvalidBufferSize;
    memcpy(value, place, wanted);
    return JET_errSuccess;
}

JET_ERR JET_API JetGetSessionParameter(JET_SESID sesid, uint32_t sesparamid, void *pvParam,
                                       uint32_t cbParamMax, uint32_t *pcbParamActual)
{
    JET_ERR err = JET_errSuccess;
    struct session *session = NULL;
    TRY(session_enter_stopped(sesid, &session));
    err = get_parameter(session, sesparamid, pvParam, cbParamMax, pcbParamActual);
    session_leave(session);
done:
    return err;
}

/* --- others --- */

static JET_ERR idle(struct session *session, JET_GRBIT grbit)
{
    struct version_store *versions = session->instance->versions;
    if ((grbit & JET_bitIdleStatus) != 0) {
        uint64_t most = instance_parameter(session->instance, JET_paramMaxVerPages) *
                        parameter_number(process_parameters(), JET_paramVerPageSize);
        return version_store_bytes(versions) > most / 2 ? JET_wrnIdleFull : JET_errSuccess;
    }
    if (grbit == 0 || (grbit & JET_bitIdleCompact) != 0) {
        (void)version_store_clean(versions, NULL);
        return JET_wrnNoIdleActivity;
    }
    if ((grbit & JET_bitIdleCompactAsync) != 0)
        return JET_errInvalidGrbit;
    return JET_errSuccess;
}

JET_ERR JET_API JetIdle(JET_SESID sesid, JET_GRBIT grbit)
{
    JET_ERR err = JET_errSuccess;
    struct session *session = NULL;
    TRY(session_enter(sesid, &session));
    err = idle(session, grbit);
    session_leave(session);
done:
    return err;
}

JET_ERR JET_API JetGetVersion(JET_SESID sesid, uint32_t *pwVersion)
{
    JET_ERR err = JET_errSuccess;
    struct session *session = NULL;
    TRY(session_enter(sesid, &session));
    if (pwVersion == NULL)
        err = JET_errInvalidParameter;
    else
        *pwVersion = ENGINE_VERSION;
    session_leave(session);
done:
    return err;
}

/* The counts of `os_thread_costs`; times of waiting are not measured and stay zero. */
JET_ERR JET_API JetGetThreadStats(void *pvResult, uint32_t cbMax)
{
    if (pvResult == NULL)
        return JET_errInvalidParameter;
    if (cbMax < sizeof(JET_THREADSTATS))
        return JET_errBufferTooSmall;
    const uint32_t size = cbMax < sizeof(JET_THREADSTATS3) ? cbMax : (uint32_t)sizeof(JET_THREADSTATS3);
    const struct os_thread_costs *costs = &os_thread_costs;
    JET_THREADSTATS3 stats;
    memset(&stats, 0, sizeof stats); /* what lies between the fields goes out, too */
    stats.cbStruct = size;
    stats.cPageReferenced = costs->pages_referenced;
    stats.cPageRead = costs->pages_read;
    stats.cPageDirtied = costs->pages_dirtied;
    stats.cPageRedirtied = costs->pages_redirtied;
    stats.cLogRecord = costs->log_records;
    stats.cbLogRecord = costs->log_bytes;
    stats.cPageCacheMiss = costs->pages_read;
    stats.cSeparatedLongValueRead = costs->long_values_read;
    memcpy(pvResult, &stats, size);
    return JET_errSuccess;
}

/* Which parts of the process a crash dump shall hold is nothing the library has a hand in. */
JET_ERR JET_API JetConfigureProcessForCrashDump(const JET_GRBIT grbit)
{
    (void)grbit;
    return JET_errSuccess;
}

/* Buffers that calls hand to the program (JetGetInstanceInfo, JetOSSnapshotFreeze). */
JET_ERR JET_API JetFreeBuffer(char *pbBuf)
{
    if (pbBuf != NULL && os_memory_is_live(pbBuf))
        os_free(pbBuf);
    return JET_errSuccess;
}
