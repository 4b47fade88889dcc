/* JetInit*: from a created instance to a running one (engine sources: `jetapi.cxx`, `tm.cxx`). */
#include "src/instance/databases.h"
#include "src/instance/engine.h"
#include "src/instance/process.h"
#include "src/instance/session.h"
#include "src/log/log_file_header.h"
#include "src/os/host.h"
#include "src/os/memory.h"
#include "src/os/path.h"
#include "src/recovery/recovery.h"
#include "src/table/compression.h"

#define SKIP_LOST_LOGS_EVENT 0x00000400u /* JET_bitSkipLostLogsEvent, which is in no public header */

/* Settings that do not go together. */
static JET_ERR check_settings(const struct instance *instance, JET_GRBIT grbit)
{
    const struct parameters *set = &instance->parameters;
    uint64_t log_bytes = parameter_number(set, JET_paramLogFileSize) * 1024;
    if (log_bytes % LOG_SECTOR_SIZE != 0)
        return JET_errInvalidSettings;
    if (parameter_is_on(set, JET_paramCleanupMismatchedLogFiles) &&
        (!parameter_is_on(set, JET_paramCircularLog) || (grbit & JET_bitKeepDbAttachedAtEndOfRecovery) != 0))
        return JET_errInvalidSettings;
    return JET_errSuccess;
}

static void map_done(struct recovery_map_entry *map, size_t count)
{
    for (size_t i = 0; map != NULL && i < count; i++) {
        os_free((void *)(uintptr_t)map[i].from);
        os_free((void *)(uintptr_t)map[i].to);
    }
    os_free(map);
}

/* The program's map, with absolute paths. */
static JET_ERR map_make(const struct instance_recovery_map *given, struct recovery_map_entry **out)
{
    JET_ERR err = JET_errSuccess;
    char path[OS_PATH_SIZE];
    struct recovery_map_entry *map = os_allocate_array(given->count, sizeof(*map));
    if (map == NULL)
        return JET_errOutOfMemory;
    for (size_t i = 0; i < given->count; i++) {
        TRY(os_path_full(given->from[i], path, sizeof(path)));
        map[i].from = os_duplicate_text(path);
        TRY(os_path_full(given->to[i], path, sizeof(path)));
        map[i].to = os_duplicate_text(path);
        if (map[i].from == NULL || map[i].to == NULL)
            FAIL(JET_errOutOfMemory);
    }
    *out = map;
    return JET_errSuccess;
done:
    map_done(map, given->count);
    return err;
}

void engine_recovery_options(struct instance *instance, struct recovery_options *options)
{
    memset(options, 0, sizeof(*options));
    options->set = &instance->logged_databases;
    options->trees = instance->trees;
    options->page_size = instance->page_size;
    options->alternate_directory =
        parameter_text(&instance->parameters, JET_paramAlternateDatabaseRecoveryPath);
    options->log_size_default = !instance->parameters.values[JET_paramLogFileSize].written;
    options->delete_out_of_range_logs = parameter_is_on(&instance->parameters, JET_paramDeleteOutOfRangeLogs);
    options->cleanup_mismatched_logs =
        parameter_is_on(&instance->parameters, JET_paramCleanupMismatchedLogFiles);
    options->status_session = JET_sesidNil;
    options->instance = instance->handle;
    options->decompress = decompress;
}

/* Whether the call-back is asked how to go on. The published engine asks every one that comes with a map,
 * unless there are bits that say how; a client that knows nothing of that answers success, and so allows
 * everything. */
static bool asks(const struct instance_recovery_map *given, JET_GRBIT grbit)
{
    const bool wants = (grbit & JET_bitExternalRecoveryControl) != 0;
    const JET_GRBIT deciding = JET_bitLogStreamMustExist | JET_bitRecoveryWithoutUndo |
                               JET_bitReplayIgnoreLostLogs | JET_bitAllowSoftRecoveryOnBackup |
                               JET_bitAllowMissingCurrentLog | SKIP_LOST_LOGS_EVENT;
    if (!os_host_is_published())
        return wants && given->status != NULL;
    return wants || (grbit & deciding) == 0;
}

static JET_ERR recover(struct instance *instance, const struct instance_recovery_map *given, JET_GRBIT grbit,
                       struct recovery_report *report)
{
    JET_ERR err = JET_errSuccess;
    struct recovery_map_entry *map = NULL;
    struct recovery_options options;

    engine_recovery_options(instance, &options);
    options.grbit = grbit;
    options.doubt_checkpoint = instance->restore_failed && os_host_is_published();
    if (given != NULL) {
        if (given->count > 0)
            TRY(map_make(given, &map));
        options.map = map;
        options.map_count = given->count;
        options.stop = given->stop;
        options.status = given->status;
        options.asks = asks(given, grbit);
    }
    TRY(recovery_start(&options, report));
    if (report->log_size != 0)
        parameter_force_number(&instance->parameters, JET_paramLogFileSize, report->log_size / 1024);
done:
    if (given != NULL)
        map_done(map, given->count);
    return err;
}

/* Attaches again what was attached when the log ended. What does not let itself be attached is left detached,
 * and clean: the program will see that when it opens it. */
static void attach_again(JET_INSTANCE handle, const struct recovery_report *report)
{
    struct instance *instance = NULL;
    struct session *session = NULL;
    JET_SESID sesid = JET_sesidNil;
    const struct database_options options = {0, 0};

    if (report->attached_count == 0 || instance_enter(handle, &instance) < JET_errSuccess)
        return;
    if (session_begin_own(instance, &sesid) >= JET_errSuccess &&
        session_enter(sesid, &session) >= JET_errSuccess) {
        for (uint32_t i = 0; i < report->attached_count; i++)
            (void)databases_attach(session, report->attached[i], &options);
        if (session_end(session) < JET_errSuccess)
            session_leave(session);
    }
    instance_leave_call(instance);
}

JET_ERR instance_start(JET_INSTANCE handle, const struct instance_recovery_map *map, JET_GRBIT grbit)
{
    JET_ERR err = JET_errSuccess;
    struct instance *instance = NULL;
    struct recovery_report report;

    memset(&report, 0, sizeof(report));
    err = instance_enter_start(handle, INSTANCE_INITIALIZING, &instance);
    if (err < JET_errSuccess)
        return err;
    TRY(engine_resolve_paths(instance));
    TRY(check_settings(instance, grbit));
    TRY(engine_open(instance));
    if (instance->recovery_on) {
        TRY(recover(instance, map, grbit, &report));
        engine_hook_log(instance);
    }
    instance_leave_start(instance, INSTANCE_RUNNING);
    attach_again(handle, &report);
    recovery_report_done(&report);
    return report.warning;
done:
    recovery_report_done(&report);
    engine_close(instance);
    /* A start that failed takes the instance with it: no other thread may end it first. */
    instance_leave_start(instance, INSTANCE_GONE);
    instance_free(instance);
    return err;
}
