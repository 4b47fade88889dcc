/* Restore at the API: from a directory (JetRestore*), from a streamed backup put in place by the program
 * (JetExternalRestore*). What is restored, and how, is recovery's (engine source: `jetapi.cxx`). */
#include <stdio.h>

#include "src/api/text.h"
#include "src/instance/engine.h"
#include "src/instance/process.h"
#include "src/log/log.h"
#include "src/os/file.h"
#include "src/os/host.h"
#include "src/os/memory.h"
#include "src/os/text.h"

#define TEXT_SIZE 32u

/* --- the instance that restores --- */

/* One that lives as long as the restore. */
static JET_ERR make_instance(JET_INSTANCE *handle)
{
    static os_atomic_32 last;
    char name[TEXT_SIZE];
    (void)snprintf(name, sizeof name, "$Restore$%04u", (unsigned)(os_atomic_add(&last, 1) % 10000));
    return instance_create_for_restore(name, handle);
}

/* An external restore makes the directories it runs in. One from a directory makes that which it restores to,
 * if JET_paramCreatePathIfNotExist says so, and wants the others to be there. */
static JET_ERR prepare_directories(struct instance *instance, const struct restore_options *options)
{
    static const uint32_t needed[] = {JET_paramLogFilePath, JET_paramSystemPath};
    JET_ERR err = JET_errSuccess;
    if (options->destination != NULL && options->destination[0] != 0 &&
        instance_parameter(instance, JET_paramCreatePathIfNotExist) != 0)
        TRY(os_directory_create_all(options->destination));
    for (size_t i = 0; i < sizeof needed / sizeof needed[0]; i++) {
        const char *path = instance_parameter_text(instance, needed[i]);
        if (path[0] == 0 || os_directory_exists(path))
            continue;
        if (!options->external)
            FAIL(JET_errInvalidPath);
        TRY(os_directory_create_all(path));
    }
done:
    return err;
}

static JET_ERR restore_inside(struct instance *instance, struct restore_options *options)
{
    JET_ERR err = JET_errSuccess;
    const struct recovery_map_entry *map = options->recovery.map;
    const size_t map_count = options->recovery.map_count;
    TRY(prepare_directories(instance, options));
    TRY(engine_resolve_paths(instance));
    instance->recovery_on = true; /* a restore logs what it undoes, whatever the parameter says */
    TRY(engine_open(instance));
    engine_recovery_options(instance, &options->recovery);
    options->recovery.map = map;
    options->recovery.map_count = map_count;
    options->recovery.status = options->status;
    options->recovery.asks = os_host_is_published() && options->status != NULL;
    bool found_logs = false;
    options->found_logs = &found_logs;
    err = recovery_restore(options);
    options->found_logs = NULL;
    if (err < JET_errSuccess && found_logs)
        instance->restore_failed = true;
    engine_close(instance);
done:
    return err;
}

/* Enters the instance for a restore; afterwards it is as it was before, and may be started. */
static JET_ERR restore_with(JET_INSTANCE handle, struct restore_options *options)
{
    struct instance *instance;
    JET_ERR err = JET_errSuccess;
    TRY(instance_enter_start(handle, INSTANCE_RESTORING, &instance));
    err = restore_inside(instance, options);
    instance_leave_start(instance, INSTANCE_CREATED);
done:
    return err;
}

/* --- from a directory --- */

static JET_ERR restore_directory(JET_INSTANCE handle, const char *source, const char *destination,
                                 JET_PFNSTATUS status)
{
    JET_ERR err = JET_errSuccess;
    struct instance *only;
    struct restore_options options = {
        .backup_directory = source,
        .destination = destination,
        .status = status,
    };
    const bool none = handle == JET_instanceNil || handle == 0;
    const bool own = none && process_mode() != PROCESS_MODE_ONE_INSTANCE;
    if (source == NULL)
        return JET_errInvalidParameter;
    if (none && !own && instance_find(handle, &only) >= JET_errSuccess) {
        /* It would make an instance beside the only one. */
        instance_release(only);
        FAIL(JET_errTooManyInstances);
    }
    if (own)
        TRY(make_instance(&handle));
    err = restore_with(handle, &options);
    if (own)
        instance_free_created(handle);
done:
    return err;
}

static JET_ERR restore_directory_wide(JET_INSTANCE handle, const WCHAR *source, const WCHAR *destination,
                                      JET_PFNSTATUS status)
{
    JET_ERR err = JET_errSuccess;
    char *source_text = NULL;
    char *destination_text = NULL;
    TRY(api_text_from_wide(source, &source_text));
    TRY(api_text_from_wide(destination, &destination_text));
    err = restore_directory(handle, source_text, destination_text, status);
done:
    os_free(source_text);
    os_free(destination_text);
    return err;
}

JET_ERR JET_API JetRestoreInstanceA(JET_INSTANCE instance, JET_PCSTR sz, JET_PCSTR szDest, JET_PFNSTATUS pfn)
{
    JET_ERR err = JET_errSuccess;
    TRY(api_text_check(sz));
    TRY(api_text_check(szDest));
    err = restore_directory(instance, sz, szDest, pfn);
done:
    return err;
}

JET_ERR JET_API JetRestoreInstanceW(JET_INSTANCE instance, JET_PCWSTR sz, JET_PCWSTR szDest,
                                    JET_PFNSTATUS pfn)
{
    return restore_directory_wide(instance, sz, szDest, pfn);
}

/* The instance of a legacy restore: the one there is, or none yet. */
static JET_ERR legacy_instance(JET_INSTANCE *handle)
{
    struct instance *instance;
    JET_ERR err = JET_errSuccess;
    *handle = JET_instanceNil;
    if (process_mode() == PROCESS_MODE_NONE)
        return JET_errSuccess;
    TRY(instance_find_legacy(&instance));
    *handle = instance->handle;
    instance_release(instance);
done:
    return err;
}

JET_ERR JET_API JetRestore2A(JET_PCSTR sz, JET_PCSTR szDest, JET_PFNSTATUS pfn)
{
    JET_INSTANCE instance;
    JET_ERR err = JET_errSuccess;
    TRY(legacy_instance(&instance));
    err = JetRestoreInstanceA(instance, sz, szDest, pfn);
done:
    return err;
}

JET_ERR JET_API JetRestore2W(JET_PCWSTR sz, JET_PCWSTR szDest, JET_PFNSTATUS pfn)
{
    JET_INSTANCE instance;
    JET_ERR err = JET_errSuccess;
    TRY(legacy_instance(&instance));
    err = JetRestoreInstanceW(instance, sz, szDest, pfn);
done:
    return err;
}

JET_ERR JET_API JetRestoreA(JET_PCSTR szSource, JET_PFNSTATUS pfn)
{
    return JetRestore2A(szSource, NULL, pfn);
}

JET_ERR JET_API JetRestoreW(JET_PCWSTR szSource, JET_PFNSTATUS pfn)
{
    return JetRestore2W(szSource, NULL, pfn);
}

/* --- from a streamed backup --- */

/* The arguments of JetExternalRestore2, in UTF-8; null where the program gave none. */
struct external_restore {
    const char *checkpoint_path;
    const char *log_path;
    const char *backup_log_path;
    const char *base_name;
    const char *target_name;
    const char *target_log_path;
    const char *target_checkpoint_path;
    int32_t generation_low;
    int32_t generation_high;
    struct recovery_map_entry *map; /* absolute paths; owned */
    size_t map_count;
    JET_PFNSTATUS status;
};

/* An instance that runs now, whose logs continue the backup. */
struct target {
    const char *name;
    const char *log_path;
    JET_INSTANCE handle;
    bool found;
};

static JET_ERR match_target(struct instance *instance, void *argument)
{
    struct target *target = argument;
    if (!target->found && (target->name != NULL ? instance->name != NULL &&
                                                      os_text_equal_ascii_case(instance->name, target->name)
                                                : os_path_equal(instance->log_path, target->log_path))) {
        target->handle = instance->handle;
        target->found = true;
    }
    return JET_errSuccess;
}

/* Completes the target's current log, so that the restore can read up to it. Only JetExternalRestore2 has
 * targets, and it has a base name. */
static JET_ERR roll_target(const struct target *target, const char *base_name, char *log_path, int32_t *high)
{
    JET_ERR err = JET_errSuccess;
    struct instance *instance;
    int32_t generation;
    TRY(instance_enter(target->handle, &instance));
    const char *base = instance_parameter_text(instance, JET_paramBaseName);
    if (!os_text_equal_ascii_case(base, base_name)) {
        err = JET_errBadRestoreTargetInstance;
    } else if (instance_parameter(instance, JET_paramCircularLog) == 0) {
        err = log_roll(instance->log, &generation);
        if (err >= JET_errSuccess) {
            SOUND(os_text_copy(instance->log_path, log_path, OS_PATH_SIZE)); /* as large itself */
            *high = generation - 1;
        }
    }
    instance_leave(instance);
done:
    return err;
}

static JET_ERR set_text(JET_INSTANCE handle, uint32_t parameter, const char *text)
{
    return text == NULL ? JET_errSuccess : JetSetSystemParameterA(&handle, JET_sesidNil, parameter, 0, text);
}

/* Which directories the restore runs in: its own, or those of a target that does not run. */
static JET_ERR choose_paths(const struct external_restore *restore, struct target *target,
                            const char **checkpoint_path, const char **log_path)
{
    *checkpoint_path = restore->checkpoint_path;
    *log_path = restore->log_path;
    if (restore->target_name == NULL && restore->target_log_path == NULL)
        return JET_errSuccess;
    target->name = restore->target_name;
    target->log_path = restore->target_log_path;
    SOUND(instance_visit(match_target, target));
    if (target->found)
        return JET_errSuccess;
    if (restore->target_name != NULL)
        return JET_errBadRestoreTargetInstance;
    *checkpoint_path = restore->target_checkpoint_path;
    *log_path = restore->target_log_path;
    return JET_errSuccess;
}

static JET_ERR run_external(const struct external_restore *restore)
{
    JET_ERR err = JET_errSuccess;
    JET_INSTANCE handle = JET_instanceNil;
    struct target target = {0};
    char target_log_path[OS_PATH_SIZE] = "";
    const char *checkpoint_path;
    const char *log_path;
    struct restore_options options = {
        .recovery = {.map = restore->map, .map_count = restore->map_count},
        .backup_directory = restore->backup_log_path,
        .target_log_directory = target_log_path,
        .generation_low = restore->generation_low,
        .generation_high = restore->generation_high,
        .external = true,
        .status = restore->status,
    };
    if ((restore->target_log_path == NULL) != (restore->target_checkpoint_path == NULL))
        return JET_errInvalidParameter;
    if (restore->target_name != NULL && restore->target_log_path != NULL)
        return JET_errInvalidParameter;
    if (process_mode() == PROCESS_MODE_ONE_INSTANCE)
        return JET_errRunningInOneInstanceMode;
    TRY(choose_paths(restore, &target, &checkpoint_path, &log_path));
    if (target.found)
        TRY(roll_target(&target, restore->base_name, target_log_path, &options.target_generation_high));
    TRY(make_instance(&handle));
    TRY(set_text(handle, JET_paramBaseName, restore->base_name));
    TRY(set_text(handle, JET_paramLogFilePath, log_path));
    TRY(set_text(handle, JET_paramSystemPath, checkpoint_path));
    TRY(set_text(handle, JET_paramTempPath, checkpoint_path));
    /* Generation 0 is no file's name. */
    if (log_path == NULL || restore->backup_log_path == NULL ||
        (restore->generation_low == 0 && restore->generation_high >= 0))
        FAIL(JET_errInvalidPath);
    err = restore_with(handle, &options);
done:
    if (handle != JET_instanceNil)
        instance_free_created(handle);
    return err;
}

/* Makes room for the map; its texts are put in with map_entry. */
static JET_ERR map_allocate(struct external_restore *restore, const void *map, int32_t count)
{
    if (count < 0 || (count > 0 && map == NULL))
        return JET_errInvalidParameter;
    if (count == 0)
        return JET_errSuccess;
    restore->map = os_allocate_array((size_t)count, sizeof *restore->map);
    if (restore->map == NULL)
        return JET_errOutOfMemory;
    restore->map_count = (size_t)count;
    return JET_errSuccess;
}

static JET_ERR map_text(const char *text, const char **result)
{
    JET_ERR err = JET_errSuccess;
    char full[OS_PATH_SIZE];
    if (text == NULL)
        FAIL(JET_errInvalidParameter);
    TRY(api_text_check(text));
    TRY(os_path_full(text, full, sizeof full));
    *result = os_duplicate_text(full);
    if (*result == NULL)
        FAIL(JET_errOutOfMemory);
done:
    return err;
}

static void map_free(struct external_restore *restore)
{
    for (size_t i = 0; i < restore->map_count; i++) {
        os_free((void *)(uintptr_t)restore->map[i].from);
        os_free((void *)(uintptr_t)restore->map[i].to);
    }
    os_free(restore->map);
}

static JET_ERR external_restore(struct external_restore *restore, const JET_RSTMAP_A *map, int32_t count)
{
    JET_ERR err = JET_errSuccess;
    const char *const texts[] = {restore->checkpoint_path,       restore->log_path,
                                 restore->backup_log_path,       restore->base_name,
                                 restore->target_name,           restore->target_log_path,
                                 restore->target_checkpoint_path};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        TRY(api_text_check(texts[i]));
    TRY(map_allocate(restore, map, count));
    for (size_t i = 0; i < restore->map_count; i++) {
        TRY(map_text(map[i].szDatabaseName, &restore->map[i].from));
        TRY(map_text(map[i].szNewDatabaseName, &restore->map[i].to));
    }
    err = run_external(restore);
done:
    map_free(restore);
    return err;
}

JET_ERR JET_API JetExternalRestore2A(JET_PSTR szCheckpointFilePath, JET_PSTR szLogPath,
                                     JET_RSTMAP_A *rgrstmap, int32_t crstfilemap, JET_PSTR szBackupLogPath,
                                     JET_LOGINFO_A *pLogInfo, JET_PSTR szTargetInstanceName,
                                     JET_PSTR szTargetInstanceLogPath,
                                     JET_PSTR szTargetInstanceCheckpointPath, JET_PFNSTATUS pfn)
{
    if (pLogInfo == NULL || pLogInfo->cbSize != sizeof *pLogInfo)
        return JET_errInvalidParameter;
    char base_name[sizeof pLogInfo->szBaseName + 1] = "";
    memcpy(base_name, pLogInfo->szBaseName, sizeof pLogInfo->szBaseName);
    struct external_restore restore = {
        .checkpoint_path = szCheckpointFilePath,
        .log_path = szLogPath,
        .backup_log_path = szBackupLogPath,
        .base_name = base_name,
        .target_name = szTargetInstanceName,
        .target_log_path = szTargetInstanceLogPath,
        .target_checkpoint_path = szTargetInstanceCheckpointPath,
        .generation_low = (int32_t)pLogInfo->ulGenLow,
        .generation_high = (int32_t)pLogInfo->ulGenHigh,
        .status = pfn,
    };
    return external_restore(&restore, rgrstmap, crstfilemap);
}

JET_ERR JET_API JetExternalRestoreA(JET_PSTR szCheckpointFilePath, JET_PSTR szLogPath, JET_RSTMAP_A *rgrstmap,
                                    int32_t crstfilemap, JET_PSTR szBackupLogPath, int32_t genLow,
                                    int32_t genHigh, JET_PFNSTATUS pfn)
{
    struct external_restore restore = {
        .checkpoint_path = szCheckpointFilePath,
        .log_path = szLogPath,
        .backup_log_path = szBackupLogPath,
        .generation_low = genLow,
        .generation_high = genHigh,
        .status = pfn,
    };
    return external_restore(&restore, rgrstmap, crstfilemap);
}

/* --- the same in UTF-16 --- */

static void free_narrow_map(JET_RSTMAP_A *map, int32_t count)
{
    for (int32_t i = 0; map != NULL && i < count; i++) {
        os_free(map[i].szDatabaseName);
        os_free(map[i].szNewDatabaseName);
    }
    os_free(map);
}

/* A copy of a map in UTF-8. A count that makes no sense is left for the other alphabet's call to refuse. */
static JET_ERR narrow_map(const JET_RSTMAP_W *wide, int32_t count, JET_RSTMAP_A **result)
{
    JET_ERR err = JET_errSuccess;
    *result = NULL;
    if (wide == NULL || count <= 0)
        return JET_errSuccess;
    JET_RSTMAP_A *map = os_allocate_array((size_t)count, sizeof *map);
    if (map == NULL)
        return JET_errOutOfMemory;
    for (int32_t i = 0; i < count; i++) {
        TRY(api_text_from_wide(wide[i].szDatabaseName, &map[i].szDatabaseName));
        TRY(api_text_from_wide(wide[i].szNewDatabaseName, &map[i].szNewDatabaseName));
    }
    *result = map;
    return JET_errSuccess;
done:
    free_narrow_map(map, count);
    return err;
}

enum {
    TEXT_CHECKPOINT,
    TEXT_LOG,
    TEXT_BACKUP_LOG,
    TEXT_TARGET,
    TEXT_TARGET_LOG,
    TEXT_TARGET_CHECKPOINT,
    TEXT_COUNT
};

static JET_ERR narrow_texts(const WCHAR *const wide[TEXT_COUNT], char *narrow[TEXT_COUNT])
{
    JET_ERR err = JET_errSuccess;
    for (size_t i = 0; i < TEXT_COUNT; i++)
        TRY(api_text_from_wide(wide[i], &narrow[i]));
done:
    return err;
}

static void free_texts(char *texts[TEXT_COUNT])
{
    for (size_t i = 0; i < TEXT_COUNT; i++)
        os_free(texts[i]);
}

JET_ERR JET_API JetExternalRestore2W(JET_PWSTR szCheckpointFilePath, JET_PWSTR szLogPath,
                                     JET_RSTMAP_W *rgrstmap, int32_t crstfilemap, JET_PWSTR szBackupLogPath,
                                     JET_LOGINFO_W *pLogInfo, JET_PWSTR szTargetInstanceName,
                                     JET_PWSTR szTargetInstanceLogPath,
                                     JET_PWSTR szTargetInstanceCheckpointPath, JET_PFNSTATUS pfn)
{
    JET_ERR err = JET_errSuccess;
    const WCHAR *const wide[TEXT_COUNT] = {szCheckpointFilePath,    szLogPath,
                                           szBackupLogPath,         szTargetInstanceName,
                                           szTargetInstanceLogPath, szTargetInstanceCheckpointPath};
    char *texts[TEXT_COUNT] = {NULL};
    JET_RSTMAP_A *map = NULL;
    if (pLogInfo == NULL || pLogInfo->cbSize != sizeof *pLogInfo)
        return JET_errInvalidParameter;
    JET_LOGINFO_A info = {
        .cbSize = sizeof info, .ulGenLow = pLogInfo->ulGenLow, .ulGenHigh = pLogInfo->ulGenHigh};
    for (size_t i = 0; i < JET_BASE_NAME_LENGTH; i++)
        info.szBaseName[i] = (char)pLogInfo->szBaseName[i];
    TRY(narrow_texts(wide, texts));
    TRY(narrow_map(rgrstmap, crstfilemap, &map));
    err = JetExternalRestore2A(texts[TEXT_CHECKPOINT], texts[TEXT_LOG], map, crstfilemap,
                               texts[TEXT_BACKUP_LOG], &info, texts[TEXT_TARGET], texts[TEXT_TARGET_LOG],
                               texts[TEXT_TARGET_CHECKPOINT], pfn);
done:
    free_narrow_map(map, crstfilemap);
    free_texts(texts);
    return err;
}

JET_ERR JET_API JetExternalRestoreW(JET_PWSTR szCheckpointFilePath, JET_PWSTR szLogPath,
                                    JET_RSTMAP_W *rgrstmap, int32_t crstfilemap, JET_PWSTR szBackupLogPath,
                                    int32_t genLow, int32_t genHigh, JET_PFNSTATUS pfn)
{
    JET_ERR err = JET_errSuccess;
    const WCHAR *const wide[TEXT_COUNT] = {szCheckpointFilePath, szLogPath, szBackupLogPath};
    char *texts[TEXT_COUNT] = {NULL};
    JET_RSTMAP_A *map = NULL;
    TRY(narrow_texts(wide, texts));
    TRY(narrow_map(rgrstmap, crstfilemap, &map));
    err = JetExternalRestoreA(texts[TEXT_CHECKPOINT], texts[TEXT_LOG], map, crstfilemap,
                              texts[TEXT_BACKUP_LOG], genLow, genHigh, pfn);
done:
    free_narrow_map(map, crstfilemap);
    free_texts(texts);
    return err;
}
