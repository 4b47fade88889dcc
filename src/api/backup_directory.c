/* JetBackup at the API (engine source: `jetapi.cxx`). */
#include "src/api/backup_common.h"
#include "src/api/text.h"
#include "src/os/memory.h"

static JET_ERR back_up(JET_INSTANCE instance, const char *path, JET_GRBIT grbit, JET_PFNSTATUS status)
{
    struct instance *entered;
    JET_ERR err = JET_errSuccess;
    TRY(api_backup_enter(instance, &entered));
    err = entered->backup_allowed ? backup_to_directory(entered->backup, path, grbit, status)
                                  : JET_errBackupNotAllowedYet;
    instance_leave_call(entered);
done:
    return err;
}

JET_ERR JET_API JetBackupInstanceA(JET_INSTANCE instance, JET_PCSTR szBackupPath, JET_GRBIT grbit,
                                   JET_PFNSTATUS pfnStatus)
{
    JET_ERR err = JET_errSuccess;
    TRY(api_text_check(szBackupPath));
    err = back_up(instance, szBackupPath, grbit, pfnStatus);
done:
    return err;
}

JET_ERR JET_API JetBackupInstanceW(JET_INSTANCE instance, JET_PCWSTR szBackupPath, JET_GRBIT grbit,
                                   JET_PFNSTATUS pfnStatus)
{
    JET_ERR err = JET_errSuccess;
    char *path = NULL;
    TRY(api_text_from_wide(szBackupPath, &path));
    err = back_up(instance, path, grbit, pfnStatus);
done:
    os_free(path);
    return err;
}

JET_ERR JET_API JetBackupA(JET_PCSTR szBackupPath, JET_GRBIT grbit, JET_PFNSTATUS pfnStatus)
{
    JET_INSTANCE instance;
    JET_ERR err = JET_errSuccess;
    TRY(api_backup_legacy_handle(&instance));
    err = JetBackupInstanceA(instance, szBackupPath, grbit, pfnStatus);
done:
    return err;
}

JET_ERR JET_API JetBackupW(JET_PCWSTR szBackupPath, JET_GRBIT grbit, JET_PFNSTATUS pfnStatus)
{
    JET_INSTANCE instance;
    JET_ERR err = JET_errSuccess;
    TRY(api_backup_legacy_handle(&instance));
    err = JetBackupInstanceW(instance, szBackupPath, grbit, pfnStatus);
done:
    return err;
}
