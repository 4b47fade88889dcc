/* Streaming backup at the API: begin, files, truncation, end, stop; legacy calls (engine source:
 * `jetapi.cxx`). */
#include "src/api/backup_common.h"
#include "src/api/text.h"
#include "src/os/memory.h"

/* --- begin --- */

JET_ERR JET_API JetBeginExternalBackupInstance(JET_INSTANCE instance, JET_GRBIT grbit)
{
    struct instance *entered;
    JET_ERR err = JET_errSuccess;
    TRY(api_backup_enter(instance, &entered));
    err = entered->backup_allowed ? backup_begin(entered->backup, grbit, 0, 0) : JET_errBackupNotAllowedYet;
    instance_leave_call(entered);
done:
    return err;
}

JET_ERR JET_API JetBeginExternalBackup(JET_GRBIT grbit)
{
    JET_INSTANCE instance;
    JET_ERR err = JET_errSuccess;
    TRY(api_backup_legacy_handle(&instance));
    err = JetBeginExternalBackupInstance(instance, grbit);
done:
    return err;
}

JET_ERR JET_API JetBeginSurrogateBackup(JET_INSTANCE instance, uint32_t lgenFirst, uint32_t lgenLast,
                                        JET_GRBIT grbit)
{
    struct instance *entered;
    JET_ERR err = JET_errSuccess;
    TRY(api_backup_enter(instance, &entered));
    err = entered->backup_allowed ? backup_begin_surrogate(entered->backup, lgenFirst, lgenLast, grbit)
                                  : JET_errBackupNotAllowedYet;
    instance_leave_call(entered);
done:
    return err;
}

/* --- files --- */

/* Opens for both alphabets: `path` is UTF-8 or null. */
static JET_ERR open_file(JET_INSTANCE instance, const char *path, uint64_t offset, JET_HANDLE *handle,
                         uint32_t *size_low, uint32_t *size_high)
{
    struct instance *entered;
    JET_ERR err = JET_errSuccess;
    JET_HANDLE opened;
    uint64_t size;
    TRY(api_backup_enter(instance, &entered));
    if (handle == NULL || size_low == NULL || size_high == NULL) {
        err = backup_check_running(entered->backup);
        if (err >= JET_errSuccess)
            err = JET_errInvalidParameter;
    } else {
        err = backup_open_file(entered->backup, path, offset, &opened, &size);
    }
    instance_leave_call(entered);
    TRY(err);
    *handle = opened;
    *size_low = (uint32_t)size;
    *size_high = (uint32_t)(size >> 32);
done:
    return err;
}

static JET_ERR open_file_wide(JET_INSTANCE instance, const WCHAR *path, uint64_t offset, JET_HANDLE *handle,
                              uint32_t *size_low, uint32_t *size_high)
{
    JET_ERR err = JET_errSuccess;
    char *text = NULL;
    TRY(api_text_from_wide(path, &text));
    TRY(open_file(instance, text, offset, handle, size_low, size_high));
done:
    os_free(text);
    return err;
}

JET_ERR JET_API JetOpenFileInstanceA(JET_INSTANCE instance, JET_PCSTR szFileName, JET_HANDLE *phfFile,
                                     uint32_t *pulFileSizeLow, uint32_t *pulFileSizeHigh)
{
    JET_ERR err = JET_errSuccess;
    TRY(api_text_check(szFileName));
    err = open_file(instance, szFileName, 0, phfFile, pulFileSizeLow, pulFileSizeHigh);
done:
    return err;
}

JET_ERR JET_API JetOpenFileInstanceW(JET_INSTANCE instance, JET_PCWSTR szFileName, JET_HANDLE *phfFile,
                                     uint32_t *pulFileSizeLow, uint32_t *pulFileSizeHigh)
{
    return open_file_wide(instance, szFileName, 0, phfFile, pulFileSizeLow, pulFileSizeHigh);
}

JET_ERR JET_API JetOpenFileA(JET_PCSTR szFileName, JET_HANDLE *phfFile, uint32_t *pulFileSizeLow,
                             uint32_t *pulFileSizeHigh)
{
    JET_INSTANCE instance;
    JET_ERR err = JET_errSuccess;
    TRY(api_backup_legacy_handle(&instance));
    err = JetOpenFileInstanceA(instance, szFileName, phfFile, pulFileSizeLow, pulFileSizeHigh);
done:
    return err;
}

JET_ERR JET_API JetOpenFileW(JET_PCWSTR szFileName, JET_HANDLE *phfFile, uint32_t *pulFileSizeLow,
                             uint32_t *pulFileSizeHigh)
{
    JET_INSTANCE instance;
    JET_ERR err = JET_errSuccess;
    TRY(api_backup_legacy_handle(&instance));
    err = JetOpenFileInstanceW(instance, szFileName, phfFile, pulFileSizeLow, pulFileSizeHigh);
done:
    return err;
}

JET_ERR JET_API JetOpenFileSectionInstanceA(JET_INSTANCE instance, JET_PSTR szFile, JET_HANDLE *phFile,
                                            int32_t iSection, int32_t cSections, uint64_t ibRead,
                                            uint32_t *pulSectionSizeLow, int32_t *plSectionSizeHigh)
{
    JET_ERR err = JET_errSuccess;
    (void)iSection;
    if (cSections > 1)
        return JET_wrnNyi;
    TRY(api_text_check(szFile));
    err = open_file(instance, szFile, ibRead, phFile, pulSectionSizeLow, (uint32_t *)plSectionSizeHigh);
done:
    return err;
}

JET_ERR JET_API JetOpenFileSectionInstanceW(JET_INSTANCE instance, JET_PWSTR wszFile, JET_HANDLE *phFile,
                                            int32_t iSection, int32_t cSections, uint64_t ibRead,
                                            uint32_t *pulSectionSizeLow, int32_t *plSectionSizeHigh)
{
    (void)iSection;
    if (cSections > 1)
        return JET_wrnNyi;
    return open_file_wide(instance, wszFile, ibRead, phFile, pulSectionSizeLow,
                          (uint32_t *)plSectionSizeHigh);
}

JET_ERR JET_API JetReadFileInstance(JET_INSTANCE instance, JET_HANDLE hfFile, void *pv, uint32_t cb,
                                    uint32_t *pcbActual)
{
    struct instance *entered;
    JET_ERR err = JET_errSuccess;
    TRY(api_backup_enter(instance, &entered));
    err = backup_read_file(entered->backup, hfFile, pv, cb, pcbActual);
    instance_leave_call(entered);
done:
    return err;
}

JET_ERR JET_API JetReadFile(JET_HANDLE hfFile, void *pv, uint32_t cb, uint32_t *pcbActual)
{
    JET_INSTANCE instance;
    JET_ERR err = JET_errSuccess;
    TRY(api_backup_legacy_handle(&instance));
    err = JetReadFileInstance(instance, hfFile, pv, cb, pcbActual);
done:
    return err;
}

JET_ERR JET_API JetCloseFileInstance(JET_INSTANCE instance, JET_HANDLE hfFile)
{
    struct instance *entered;
    JET_ERR err = JET_errSuccess;
    TRY(api_backup_enter(instance, &entered));
    err = backup_close_file(entered->backup, hfFile);
    instance_leave_call(entered);
done:
    return err;
}

JET_ERR JET_API JetCloseFile(JET_HANDLE hfFile)
{
    JET_INSTANCE instance;
    JET_ERR err = JET_errSuccess;
    TRY(api_backup_legacy_handle(&instance));
    err = JetCloseFileInstance(instance, hfFile);
done:
    return err;
}

/* --- truncation --- */

JET_ERR JET_API JetTruncateLogInstance(JET_INSTANCE instance)
{
    struct instance *entered;
    JET_ERR err = JET_errSuccess;
    TRY(api_backup_enter(instance, &entered));
    err = backup_truncate_log(entered->backup);
    instance_leave_call(entered);
done:
    return err;
}

JET_ERR JET_API JetTruncateLog(void)
{
    JET_INSTANCE instance;
    JET_ERR err = JET_errSuccess;
    TRY(api_backup_legacy_handle(&instance));
    err = JetTruncateLogInstance(instance);
done:
    return err;
}

/* --- end and stop --- */

JET_ERR JET_API JetEndExternalBackupInstance2(JET_INSTANCE instance, JET_GRBIT grbit)
{
    struct instance *entered;
    JET_ERR err = JET_errSuccess;
    TRY(api_backup_enter(instance, &entered));
    err = backup_end(entered->backup, grbit);
    instance_leave_call(entered);
done:
    return err;
}

JET_ERR JET_API JetEndExternalBackupInstance(JET_INSTANCE instance)
{
    return JetEndExternalBackupInstance2(instance, JET_bitBackupEndNormal);
}

JET_ERR JET_API JetEndExternalBackup(void)
{
    JET_INSTANCE instance;
    JET_ERR err = JET_errSuccess;
    TRY(api_backup_legacy_handle(&instance));
    err = JetEndExternalBackupInstance(instance);
done:
    return err;
}

JET_ERR JET_API JetEndSurrogateBackup(JET_INSTANCE instance, JET_GRBIT grbit)
{
    struct instance *entered;
    JET_ERR err = JET_errSuccess;
    TRY(api_backup_enter(instance, &entered));
    err = backup_end_surrogate(entered->backup, grbit);
    instance_leave_call(entered);
done:
    return err;
}

/* Only a lookup: works before start-up, on an instance that is stopping, and never waits. */
JET_ERR JET_API JetStopBackupInstance(JET_INSTANCE instance)
{
    struct instance *found;
    JET_ERR err = JET_errSuccess;
    TRY(instance_find(instance, &found));
    backup_stop(found->backup);
    instance_release(found);
done:
    return err;
}

JET_ERR JET_API JetStopBackup(void)
{
    struct instance *found;
    JET_ERR err = JET_errSuccess;
    TRY(instance_find_legacy(&found));
    backup_stop(found->backup);
    instance_release(found);
done:
    return err;
}
