/* The lists of a backup at the API: attached databases, logs to copy, logs to delete (engine source:
 * `jetapi.cxx`). */
#include "src/api/backup_common.h"
#include "src/os/host.h"
#include "src/os/memory.h"
#include "src/os/text.h"

enum list_kind { LIST_DATABASES, LIST_LOGS, LIST_TRUNCATE };

/* Which generations a list of logs covers. */
struct log_range {
    uint32_t low;
    uint32_t high;
    char base[16];
};

/* Makes a list of one kind, or a part of it; it is the caller's. `range` may be null. */
static JET_ERR make_list(JET_INSTANCE instance, enum list_kind kind, struct backup_list *list,
                         struct log_range *range)
{
    struct instance *entered;
    struct log_range ignored;
    JET_ERR err = JET_errSuccess;
    if (range == NULL)
        range = &ignored;
    TRY(api_backup_enter(instance, &entered));
    if (kind == LIST_DATABASES)
        err = backup_attach_info(entered->backup, list);
    else if (kind == LIST_LOGS)
        err = backup_log_info(entered->backup, list, &range->low, &range->high);
    else
        err = backup_truncate_info(entered->backup, list);
    if (err >= JET_errSuccess)
        err = os_text_copy(api_backup_services.base_name(entered), range->base, sizeof range->base);
    instance_leave_call(entered);
done:
    return err;
}

static JET_ERR give_list(JET_INSTANCE instance, enum list_kind kind, char *buffer, uint32_t size,
                         uint32_t *actual)
{
    struct backup_list list = {NULL, 0};
    JET_ERR err = JET_errSuccess;
    TRY(make_list(instance, kind, &list, NULL));
    TRY(api_backup_list_out(&list, buffer, size, actual));
done:
    os_free(list.texts);
    return err;
}

static JET_ERR give_list_wide(JET_INSTANCE instance, enum list_kind kind, WCHAR *buffer, uint32_t size,
                              uint32_t *actual)
{
    struct backup_list list = {NULL, 0};
    JET_ERR err = JET_errSuccess;
    TRY(make_list(instance, kind, &list, NULL));
    TRY(api_backup_list_out_wide(&list, buffer, size, actual, kind != LIST_DATABASES));
done:
    os_free(list.texts);
    return err;
}

/* --- attached databases --- */

JET_ERR JET_API JetGetAttachInfoInstanceA(JET_INSTANCE instance, JET_PSTR szzDatabases, uint32_t cbMax,
                                          uint32_t *pcbActual)
{
    return give_list(instance, LIST_DATABASES, szzDatabases, cbMax, pcbActual);
}

JET_ERR JET_API JetGetAttachInfoInstanceW(JET_INSTANCE instance, JET_PWSTR szzDatabases, uint32_t cbMax,
                                          uint32_t *pcbActual)
{
    return give_list_wide(instance, LIST_DATABASES, szzDatabases, cbMax, pcbActual);
}

JET_ERR JET_API JetGetAttachInfoA(JET_PSTR szzDatabases, uint32_t cbMax, uint32_t *pcbActual)
{
    JET_INSTANCE instance;
    JET_ERR err = JET_errSuccess;
    TRY(api_backup_legacy_handle(&instance));
    err = JetGetAttachInfoInstanceA(instance, szzDatabases, cbMax, pcbActual);
done:
    return err;
}

JET_ERR JET_API JetGetAttachInfoW(JET_PWSTR wszzDatabases, uint32_t cbMax, uint32_t *pcbActual)
{
    JET_INSTANCE instance;
    JET_ERR err = JET_errSuccess;
    TRY(api_backup_legacy_handle(&instance));
    err = JetGetAttachInfoInstanceW(instance, wszzDatabases, cbMax, pcbActual);
done:
    return err;
}

/* --- logs to copy --- */

JET_ERR JET_API JetGetLogInfoInstanceA(JET_INSTANCE instance, JET_PSTR szzLogs, uint32_t cbMax,
                                       uint32_t *pcbActual)
{
    return give_list(instance, LIST_LOGS, szzLogs, cbMax, pcbActual);
}

JET_ERR JET_API JetGetLogInfoInstanceW(JET_INSTANCE instance, JET_PWSTR szzLogs, uint32_t cbMax,
                                       uint32_t *pcbActual)
{
    return give_list_wide(instance, LIST_LOGS, szzLogs, cbMax, pcbActual);
}

JET_ERR JET_API JetGetLogInfoInstance2A(JET_INSTANCE instance, JET_PSTR szzLogs, uint32_t cbMax,
                                        uint32_t *pcbActual, JET_LOGINFO_A *pLogInfo)
{
    struct backup_list list = {NULL, 0};
    struct log_range range = {0};
    JET_ERR err = JET_errSuccess;
    if (pLogInfo != NULL && pLogInfo->cbSize != sizeof *pLogInfo)
        return JET_errInvalidParameter;
    TRY(make_list(instance, LIST_LOGS, &list, &range));
    TRY(api_backup_list_out(&list, szzLogs, cbMax, pcbActual));
    if (pLogInfo != NULL) {
        pLogInfo->ulGenLow = range.low;
        pLogInfo->ulGenHigh = range.high;
        memset(pLogInfo->szBaseName, 0, sizeof pLogInfo->szBaseName);
        strncpy(pLogInfo->szBaseName, range.base, sizeof pLogInfo->szBaseName - 1);
    }
done:
    os_free(list.texts);
    return err;
}

JET_ERR JET_API JetGetLogInfoInstance2W(JET_INSTANCE instance, JET_PWSTR wszzLogs, uint32_t cbMax,
                                        uint32_t *pcbActual, JET_LOGINFO_W *pLogInfo)
{
    struct backup_list list = {NULL, 0};
    struct log_range range = {0};
    JET_ERR err = JET_errSuccess;
    /* The published engine looks at the size in the other alphabet only. */
    if (pLogInfo != NULL && pLogInfo->cbSize != sizeof *pLogInfo && !os_host_is_published())
        return JET_errInvalidParameter;
    TRY(make_list(instance, LIST_LOGS, &list, &range));
    TRY(api_backup_list_out_wide(&list, wszzLogs, cbMax, pcbActual, true));
    if (pLogInfo != NULL) {
        pLogInfo->ulGenLow = range.low;
        pLogInfo->ulGenHigh = range.high;
        memset(pLogInfo->szBaseName, 0, sizeof pLogInfo->szBaseName);
        for (size_t i = 0; i < JET_BASE_NAME_LENGTH; i++)
            pLogInfo->szBaseName[i] = (WCHAR)(unsigned char)range.base[i];
    }
done:
    os_free(list.texts);
    return err;
}

JET_ERR JET_API JetGetLogInfoA(JET_PSTR szzLogs, uint32_t cbMax, uint32_t *pcbActual)
{
    JET_INSTANCE instance;
    JET_ERR err = JET_errSuccess;
    TRY(api_backup_legacy_handle(&instance));
    err = JetGetLogInfoInstanceA(instance, szzLogs, cbMax, pcbActual);
done:
    return err;
}

JET_ERR JET_API JetGetLogInfoW(JET_PWSTR szzLogs, uint32_t cbMax, uint32_t *pcbActual)
{
    JET_INSTANCE instance;
    JET_ERR err = JET_errSuccess;
    TRY(api_backup_legacy_handle(&instance));
    err = JetGetLogInfoInstanceW(instance, szzLogs, cbMax, pcbActual);
done:
    return err;
}

/* --- logs to delete --- */

JET_ERR JET_API JetGetTruncateLogInfoInstanceA(JET_INSTANCE instance, JET_PSTR szzLogs, uint32_t cbMax,
                                               uint32_t *pcbActual)
{
    return give_list(instance, LIST_TRUNCATE, szzLogs, cbMax, pcbActual);
}

JET_ERR JET_API JetGetTruncateLogInfoInstanceW(JET_INSTANCE instance, JET_PWSTR szzLogs, uint32_t cbMax,
                                               uint32_t *pcbActual)
{
    return give_list_wide(instance, LIST_TRUNCATE, szzLogs, cbMax, pcbActual);
}
