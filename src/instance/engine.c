#include "src/instance/engine.h"

#include "src/backup/snapshot.h"
#include "src/btree/tree.h"
#include "src/cache/cache.h"
#include "src/instance/databases.h"
#include "src/instance/directories.h"
#include "src/instance/process.h"
#include "src/log/log.h"
#include "src/os/text.h"
#include "src/version/version.h"

/* Memory for pages if the program does not say less, bytes. The cache takes it as it needs it. */
#define CACHE_BYTES_MOST ((uint64_t)64 << 20)
#define CACHE_PAGES_LEAST 64u

#define TEMPORARY_NAME "tmp.edb"

/* --- paths --- */

/* A folder parameter as an absolute path with a separator at its end. */
static JET_ERR resolve_folder(struct instance *instance, uint32_t number, char *path)
{
    JET_ERR err = JET_errSuccess;
    TRY(os_path_full(parameter_text(&instance->parameters, number), path, OS_PATH_SIZE - 1));
    if (!os_path_ends_with_separator(path))
        strcat(path, "/");
    TRY(parameter_force_text(&instance->parameters, number, path));
done:
    return err;
}

/* The temporary database's file: a bare name lies in the system directory, a folder gets the usual name. */
static JET_ERR resolve_temporary(struct instance *instance)
{
    JET_ERR err = JET_errSuccess;
    const char *given = parameter_text(&instance->parameters, JET_paramTempPath);
    char path[OS_PATH_SIZE];
    bool folder = given[0] == '\0' || os_path_ends_with_separator(given);

    if (os_path_is_absolute(given))
        SOUND(os_text_copy(given, path, sizeof(path))); /* parameters are shorter */
    else
        TRY(os_path_join(instance->system_path, given, path, sizeof(path)));
    TRY(os_path_full(path, instance->temporary_path, OS_PATH_SIZE));
    if (folder) {
        TRY(os_path_join(instance->temporary_path, TEMPORARY_NAME, path, sizeof(path)));
        SOUND(os_text_copy(path, instance->temporary_path, OS_PATH_SIZE)); /* as large */
    }
    TRY(parameter_force_text(&instance->parameters, JET_paramTempPath, instance->temporary_path));
done:
    return err;
}

struct path_check {
    const struct instance *own;
    JET_ERR err;
};

static bool has_temporary(const struct instance *instance)
{
    return parameter_number(&instance->parameters, JET_paramMaxTemporaryTables) > 0;
}

static void check_paths(struct instance *other, void *context)
{
    struct path_check *check = context;
    const struct instance *own = check->own;
    if (other == own || check->err != JET_errSuccess)
        return;
    os_mutex_lock(&other->lock);
    if (other->state == INSTANCE_RUNNING || other->state == INSTANCE_TERMINATING) {
        if (has_temporary(own) && has_temporary(other) &&
            strcmp(own->temporary_path, other->temporary_path) == 0)
            check->err = JET_errTempPathInUse;
        else if (own->recovery_on && other->recovery_on && strcmp(own->system_path, other->system_path) == 0)
            check->err = JET_errSystemPathInUse;
        else if (own->recovery_on && other->recovery_on && strcmp(own->log_path, other->log_path) == 0)
            check->err = JET_errLogFilePathInUse;
    }
    os_mutex_unlock(&other->lock);
}

static JET_ERR create_directories(const struct instance *instance)
{
    JET_ERR err = JET_errSuccess;
    char directory[OS_PATH_SIZE];
    SOUND(os_path_directory(instance->temporary_path, directory, sizeof(directory))); /* is shorter */
    TRY(directories_create(directory));
    TRY(directories_create(instance->system_path));
    TRY(directories_create(instance->log_path));
done:
    return err;
}

JET_ERR engine_resolve_paths(struct instance *instance)
{
    JET_ERR err = JET_errSuccess;
    struct path_check check = {instance, JET_errSuccess};
    const char *recovery;

    process_lock();
    recovery = parameter_text(&instance->parameters, JET_paramRecovery);
    instance->recovery_on =
        os_text_equal_ascii_case(recovery, "on") || os_text_equal_ascii_case(recovery, "repair");
    instance->page_size = (uint32_t)parameter_number(process_parameters_locked(), JET_paramDatabasePageSize);
    TRY(resolve_folder(instance, JET_paramSystemPath, instance->system_path));
    TRY(resolve_folder(instance, JET_paramLogFilePath, instance->log_path));
    TRY(resolve_temporary(instance));
    process_visit_locked(check_paths, &check);
    err = check.err;
done:
    process_unlock();
    if (err >= JET_errSuccess && parameter_is_on(&instance->parameters, JET_paramCreatePathIfNotExist))
        err = create_directories(instance);
    return err;
}

/* --- the log --- */

static uint32_t number_or_most(const struct instance *instance, uint32_t parameter)
{
    uint64_t value = instance_parameter(instance, parameter);
    return value < UINT32_MAX ? (uint32_t)value : UINT32_MAX;
}

/* What headers of log files and init records show of the parameters. */
static void fill_log_parameters(const struct instance *instance, struct log_parameters *shown)
{
    memset(shown, 0, sizeof(*shown));
    (void)os_text_copy(instance->system_path, shown->system_path, sizeof(shown->system_path));
    (void)os_text_copy(instance->log_path, shown->log_path, sizeof(shown->log_path));
    if (parameter_is_on(&instance->parameters, JET_paramCircularLog))
        shown->flags = LOG_PARAMETERS_CIRCULAR;
    shown->sessions = number_or_most(instance, JET_paramMaxSessions);
    shown->open_tables = number_or_most(instance, JET_paramMaxOpenTables);
    shown->version_pages = number_or_most(instance, JET_paramMaxVerPages);
    shown->cursors = number_or_most(instance, JET_paramMaxCursors);
    shown->log_buffers = number_or_most(instance, JET_paramLogBuffers);
    shown->log_file_sectors = number_or_most(instance, JET_paramLogFileSize) * 1024 / LOG_SECTOR_SIZE;
    shown->cache_size_maximum = number_or_most(instance, JET_paramCacheSizeMax);
}

static JET_ERR make_log(struct instance *instance)
{
    const struct parameters *set = &instance->parameters;
    uint64_t names = parameter_number(set, JET_paramLegacyFileNames);
    struct log_settings settings;
    memset(&settings, 0, sizeof(settings));
    settings.log_directory = instance->log_path;
    settings.system_directory = instance->system_path;
    settings.base_name = parameter_text(set, JET_paramBaseName);
    settings.legacy_extensions = (names & JET_bitESE98FileNames) != 0;
    settings.eight_dot_three = (names & JET_bitEightDotThreeSoftCompat) != 0;
    settings.enabled = instance->recovery_on;
    settings.circular = parameter_is_on(set, JET_paramCircularLog);
    settings.checkpoint_too_deep = (uint32_t)parameter_number(set, JET_paramCheckpointTooDeep);
    settings.create_reserve_logs = false;
    settings.births = parameters_format_reaches(set, FORMAT_VERSION_BIRTHS);
    settings.file_size = (uint32_t)parameter_number(set, JET_paramLogFileSize) * 1024;
    settings.page_size = instance->page_size;
    fill_log_parameters(instance, &settings.parameters);
    return log_create(&settings, &instance->log);
}

/* --- the checkpoint --- */

/* The log asks the database set; what the instance adds is that a new generation is a time to move the
 * checkpoint. */
static JET_ERR log_attachments(void *context, struct log_position position,
                               uint8_t list[LOG_ATTACHMENTS_SIZE])
{
    struct instance *instance = context;
    return instance->set_callbacks.attachments(instance->set_callbacks.context, position, list);
}

static struct log_position log_oldest_needed(void *context)
{
    struct instance *instance = context;
    return instance->set_callbacks.oldest_needed(instance->set_callbacks.context);
}

static JET_ERR log_generations_required(void *context, int32_t low, int32_t high,
                                        const struct log_time *created)
{
    struct instance *instance = context;
    /* Not also when the checkpoint itself is about to move: the task would ask for itself, and never end
     * while the checkpoint file cannot be written. */
    if (high > log_generation(instance->log) && !os_atomic_load(&instance->terminating))
        os_task_submit(&instance->checkpoint_task);
    return instance->set_callbacks.generations_required(instance->set_callbacks.context, low, high, created);
}

static void checkpoint_task(void *context)
{
    struct instance *instance = context;
    /* While frozen the log is not written, and nobody's background work is to wait for the thaw: the next
     * generation asks again. */
    if (log_started(instance->log) && !snapshot_is_frozen(instance->backup))
        engine_advance_checkpoint(instance);
}

void engine_hook_log(struct instance *instance)
{
    struct log_callbacks callbacks;
    instance->set_callbacks = log_get_settings(instance->log)->callbacks;
    ASSERT(instance->set_callbacks.context != instance);
    memset(&callbacks, 0, sizeof(callbacks));
    callbacks.context = instance;
    callbacks.attachments = log_attachments;
    callbacks.oldest_needed = log_oldest_needed;
    callbacks.generations_required = log_generations_required;
    log_set_callbacks(instance->log, &callbacks);
}

/* --- all of it --- */

static uint32_t cache_pages(const struct instance *instance)
{
    uint64_t most = parameter_number(process_parameters(), JET_paramCacheSizeMax);
    uint64_t usual = CACHE_BYTES_MOST / instance->page_size;
    uint64_t pages = most < usual ? most : usual;
    return pages < CACHE_PAGES_LEAST ? CACHE_PAGES_LEAST : (uint32_t)pages;
}

uint64_t engine_version_bytes(const struct instance *instance)
{
    uint64_t buckets = parameter_number(&instance->parameters, JET_paramMaxVerPages);
    uint64_t bucket = parameter_number(process_parameters(), JET_paramVerPageSize);
    return buckets * bucket;
}

JET_ERR engine_open(struct instance *instance)
{
    JET_ERR err = JET_errSuccess;
    struct cache_config cache_config = {.pages_max = cache_pages(instance)};
    struct version_store_options options;

    TRY(make_log(instance));
    TRY(cache_create(&cache_config, &instance->cache));
    TRY(tree_registry_create(&instance->trees));
    memset(&options, 0, sizeof(options));
    options.log = instance->recovery_on ? instance->log : NULL;
    options.trees = instance->trees;
    options.bytes_most = engine_version_bytes(instance);
    TRY(version_store_create(&options, &instance->versions));
    database_set_init(&instance->logged_databases, instance->log, instance->cache, instance->versions);
    instance->set_made = true;
    os_task_init(&instance->checkpoint_task, checkpoint_task, instance);
done:
    if (err < JET_errSuccess)
        engine_close(instance);
    return err;
}

void engine_close(struct instance *instance)
{
    if (instance->set_made)
        os_task_cancel(&instance->checkpoint_task);
    for (uint32_t i = 0; i < INSTANCE_DATABASES; i++) {
        if (instance->databases[i].database != NULL)
            databases_release(instance, &instance->databases[i]);
    }
    if (instance->set_made)
        database_set_done(&instance->logged_databases);
    instance->set_made = false;
    if (instance->versions != NULL)
        version_store_free(instance->versions);
    instance->versions = NULL;
    if (instance->trees != NULL)
        tree_registry_free(instance->trees);
    instance->trees = NULL;
    cache_destroy(instance->cache);
    instance->cache = NULL;
    log_destroy(instance->log);
    instance->log = NULL;
}

void engine_advance_checkpoint(struct instance *instance)
{
    struct log_position end = log_end(instance->log);
    struct log_position checkpoint = log_checkpoint(instance->log);
    const bool near = (os_atomic_load(&instance->stopped_bits) & JET_bitStopServiceQuiesceCaches) != 0;
    uint64_t depth = near ? 0 : parameter_number(&instance->parameters, JET_paramCheckpointDepthMax);
    uint64_t file_size = log_get_settings(instance->log)->file_size;
    if (log_distance(instance->log, checkpoint, end) <= depth)
        return;
    /* Write what lies in the older half of the distance, so that this need not run with each record. */
    struct log_position limit = end;
    limit.generation -= (int32_t)(depth / 2 / file_size);
    if (limit.generation < 1)
        limit.generation = 1;
    database_set_let_checkpoint_pass(&instance->logged_databases, limit.generation);
    (void)cache_flush_before(instance->cache, limit);
    (void)log_update_checkpoint(instance->log, false);
}
