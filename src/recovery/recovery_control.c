/* Call-backs that tell what recovery does and decide how it goes on (engine sources: `log.cxx`, `tm.cxx`). */
#include "src/os/memory.h"
#include "src/os/text.h"
#include "src/recovery/header_report.h"
#include "src/recovery/recovery_internal.h"

/* Numbers of events. */
#define EVENT_FILE_REDONE 301u
#define EVENT_REDO_ENDS 302u

static JET_ERR ask(const struct recovery *recovery, JET_SNT what, JET_ERR by_default,
                   JET_RECOVERYCONTROL *control)
{
    const struct recovery_options *options = recovery->options;
    JET_ERR err = JET_errSuccess; /* what nobody says */
    control->cbStruct = sizeof(*control);
    control->errDefault = by_default;
    control->instance = options->instance;
    control->sntUnion = what;
    if (options->status != NULL)
        err = options->status(options->status_session, JET_snpRecoveryControl, what, control);
    return err > JET_errSuccess ? JET_errSuccess : err;
}

/* Headers of the databases that take part now; the caller frees them. */
static JET_ERR report_headers(const struct recovery *recovery, uint32_t *count, JET_DBINFOMISC7 **headers)
{
    *count = 0;
    *headers = os_allocate_array(DATABASE_ID_MAX, sizeof(**headers));
    if (*headers == NULL)
        return JET_errOutOfMemory;
    for (uint32_t id = 1; id <= DATABASE_ID_MAX; id++) {
        const struct database *database = recovery->databases[id].database;
        if (database != NULL)
            database_header_report(&database->header, &(*headers)[(*count)++]);
    }
    return JET_errSuccess;
}

JET_ERR recovery_control_open_log(const struct recovery *recovery, const char *path, unsigned reason,
                                  int32_t generation, bool current, JET_ERR by_default)
{
    JET_ERR err = JET_errSuccess;
    JET_RECOVERYCONTROL control = {0};
    WCHAR name[OS_PATH_SIZE];
    if (!recovery->options->asks)
        return by_default;
    TRY(os_utf8_to_utf16(path, strlen(path), name, OS_PATH_SIZE, NULL));
    TRY(report_headers(recovery, &control.OpenLog.cdbinfomisc, &control.OpenLog.rgdbinfomisc));
    control.OpenLog.cbStruct = sizeof(control.OpenLog);
    control.OpenLog.lGenNext = (uint32_t)generation;
    control.OpenLog.fCurrentLog = current;
    control.OpenLog.eReason = (unsigned char)reason;
    control.OpenLog.wszLogFile = name;
    err = ask(recovery, JET_sntOpenLog, by_default, &control);
done:
    os_free(control.OpenLog.rgdbinfomisc);
    return err;
}

JET_ERR recovery_control_missing_log(const struct recovery *recovery, unsigned action, int32_t generation,
                                     bool current, JET_ERR by_default)
{
    JET_ERR err = JET_errSuccess;
    JET_RECOVERYCONTROL control = {0};
    char path[OS_PATH_SIZE];
    WCHAR name[OS_PATH_SIZE];
    if (!recovery->options->asks)
        return by_default;
    TRY(log_path_in(recovery->log, recovery->directory, LOG_PATH_CURRENT, path, sizeof(path)));
    TRY(os_utf8_to_utf16(path, strlen(path), name, OS_PATH_SIZE, NULL));
    TRY(report_headers(recovery, &control.MissingLog.cdbinfomisc, &control.MissingLog.rgdbinfomisc));
    control.MissingLog.cbStruct = sizeof(control.MissingLog);
    control.MissingLog.lGenMissing = (uint32_t)generation;
    control.MissingLog.fCurrentLog = current;
    control.MissingLog.eNextAction = (unsigned char)action;
    control.MissingLog.wszLogFile = name;
    err = ask(recovery, JET_sntMissingLog, by_default, &control);
    if (err == JET_errFileNotFound)
        err = JET_errMissingLogFile;
done:
    os_free(control.MissingLog.rgdbinfomisc);
    return err;
}

JET_ERR recovery_control_open_checkpoint(const struct recovery *recovery)
{
    JET_RECOVERYCONTROL control = {0};
    if (!recovery->options->asks)
        return JET_errSuccess;
    control.OpenCheckpoint.cbStruct = sizeof(control.OpenCheckpoint);
    return ask(recovery, JET_sntOpenCheckpoint, JET_errSuccess, &control);
}

JET_ERR recovery_control_begin_undo(const struct recovery *recovery, JET_ERR by_default)
{
    JET_ERR err = JET_errSuccess;
    JET_RECOVERYCONTROL control = {0};
    if (!recovery->options->asks)
        return by_default;
    TRY(report_headers(recovery, &control.BeginUndo.cdbinfomisc, &control.BeginUndo.rgdbinfomisc));
    control.BeginUndo.cbStruct = sizeof(control.BeginUndo);
    err = ask(recovery, JET_sntBeginUndo, by_default, &control);
done:
    os_free(control.BeginUndo.rgdbinfomisc);
    return err;
}

static JET_ERR notify(const struct recovery *recovery, uint32_t event)
{
    JET_RECOVERYCONTROL control = {0};
    if (!recovery->options->asks)
        return JET_errSuccess;
    control.NotificationEvent.cbStruct = sizeof(control.NotificationEvent);
    control.NotificationEvent.EventID = event;
    return ask(recovery, JET_sntNotificationEvent, JET_errSuccess, &control);
}

void recovery_control_file_redone(struct recovery *recovery)
{
    if (notify(recovery, EVENT_FILE_REDONE) >= JET_errSuccess)
        recovery->told_redo = true;
}

void recovery_control_file_opened(struct recovery *recovery)
{
    if (!recovery->told_redo)
        recovery_control_file_redone(recovery);
}

void recovery_control_redo_ends(const struct recovery *recovery)
{
    (void)notify(recovery, EVENT_REDO_ENDS);
}

JET_ERR recovery_control_condition(const struct recovery *recovery, JET_ERR by_default)
{
    JET_RECOVERYCONTROL control = {0};
    if (!recovery->options->asks)
        return by_default;
    control.SignalErrorCondition.cbStruct = sizeof(control.SignalErrorCondition);
    return ask(recovery, JET_sntSignalErrorCondition, by_default, &control);
}

static JET_ERR tell_database(const struct recovery *recovery, JET_SNT what, const struct database *database)
{
    JET_ERR err = JET_errSuccess;
    JET_RECOVERYCONTROL control = {0};
    WCHAR name[OS_PATH_SIZE];
    if (!recovery->options->asks)
        return JET_errSuccess;
    TRY(os_utf8_to_utf16(database->path, strlen(database->path), name, OS_PATH_SIZE, NULL));
    /* Both have the same members. */
    control.AttachedDb.cbStruct = sizeof(control.AttachedDb);
    control.AttachedDb.wszDbPath = name;
    err = ask(recovery, what, JET_errSuccess, &control);
done:
    return err;
}

JET_ERR recovery_control_attached(const struct recovery *recovery, struct recovery_database *known)
{
    if (known->database == NULL || known->told || recovery->generation <= known->future_generation)
        return JET_errSuccess;
    known->told = true;
    return tell_database(recovery, JET_sntAttachedDb, known->database);
}

JET_ERR recovery_control_detaching(const struct recovery *recovery, const struct recovery_database *known)
{
    if (known->database == NULL || !known->told)
        return JET_errSuccess;
    return tell_database(recovery, JET_sntDetachingDb, known->database);
}
