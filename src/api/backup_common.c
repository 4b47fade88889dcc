#include "src/api/backup_common.h"

#include "src/instance/databases.h"
#include "src/os/host.h"
#include "src/os/memory.h"
#include "src/os/text.h"

/* --- the instance behind the backup layer --- */

static struct log *service_log(void *instance)
{
    return ((struct instance *)instance)->log;
}

static uint32_t service_page_size(void *instance)
{
    return ((struct instance *)instance)->page_size;
}

static bool service_circular(void *instance)
{
    return instance_parameter(instance, JET_paramCircularLog) != 0;
}

static bool service_creates_paths(void *instance)
{
    return instance_parameter(instance, JET_paramCreatePathIfNotExist) != 0;
}

static bool service_terminating(void *instance)
{
    return os_atomic_load(&((struct instance *)instance)->terminating);
}

static bool service_backup_allowed(void *instance)
{
    return ((struct instance *)instance)->backup_allowed;
}

static uint32_t service_number(void *instance)
{
    return ((const struct instance *)instance)->number;
}

static JET_ERR service_enter(void *instance)
{
    return instance_enter_found(instance);
}

static void service_leave(void *instance)
{
    instance_leave(instance);
}

static const char *service_log_directory(void *instance)
{
    return ((struct instance *)instance)->log_path;
}

static const char *service_base_name(void *instance)
{
    return instance_parameter_text(instance, JET_paramBaseName);
}

static bool is_attached(const struct instance_database *slot)
{
    return slot->database != NULL && slot->ready;
}

static void service_visit(void *argument, void (*visit)(void *context, struct database *database),
                          void *context)
{
    struct instance *instance = argument;
    os_mutex_lock(&instance->database_lock);
    for (uint32_t i = 1; i < INSTANCE_DATABASES; i++)
        if (is_attached(&instance->databases[i]))
            visit(context, instance->databases[i].database);
    os_mutex_unlock(&instance->database_lock);
}

/* In the published engine the temporary database exists from start-up on, and can be opened in a backup; here
 * it is made when it is needed first, which may be now. */
static void make_temporary(struct instance *instance, const char *path)
{
    JET_SESID handle;
    struct session *session;
    struct database *database;
    if (!os_host_is_published() || strcmp(path, instance->temporary_path) != 0 ||
        session_begin_own(instance, &handle) < JET_errSuccess)
        return;
    if (session_enter(handle, &session) < JET_errSuccess)
        return;
    (void)databases_temporary(session, &database);
    if (session_end(session) < JET_errSuccess)
        session_leave(session);
}

static JET_ERR service_find(void *argument, const char *path, struct database **database)
{
    struct instance *instance = argument;
    make_temporary(instance, path);
    JET_ERR err = JET_errSuccess;
    os_mutex_lock(&instance->database_lock);
    const struct instance_database *slot = databases_find_locked(instance, path);
    if (slot == NULL || !(slot->ready || slot->database->temporary))
        err = JET_errDatabaseNotFound;
    else if (slot->exclusive_owner != NULL)
        err = JET_errDatabaseLocked;
    else
        *database = slot->database;
    os_mutex_unlock(&instance->database_lock);
    return err;
}

const struct backup_services api_backup_services = {
    .log = service_log,
    .page_size = service_page_size,
    .circular = service_circular,
    .creates_paths = service_creates_paths,
    .terminating = service_terminating,
    .number = service_number,
    .backup_allowed = service_backup_allowed,
    .enter = service_enter,
    .leave = service_leave,
    .log_directory = service_log_directory,
    .base_name = service_base_name,
    .visit = service_visit,
    .find = service_find,
};

/* --- entering --- */

JET_ERR api_backup_enter(JET_INSTANCE handle, struct instance **instance)
{
    JET_ERR err = JET_errSuccess;
    TRY(instance_enter(handle, instance));
    backup_context_bind((*instance)->backup, &api_backup_services, *instance);
done:
    return err;
}

JET_ERR api_backup_legacy_handle(JET_INSTANCE *handle)
{
    struct instance *instance;
    JET_ERR err = JET_errSuccess;
    TRY(instance_find_legacy(&instance));
    *handle = instance->handle;
    instance_release(instance);
done:
    return err;
}

/* --- lists --- */

JET_ERR api_backup_list_out(const struct backup_list *list, char *buffer, uint32_t size, uint32_t *actual)
{
    if (size > 0) {
        if (buffer == NULL)
            return JET_errInvalidParameter;
        if (size < list->size)
            return JET_errBufferTooSmall;
        memcpy(buffer, list->texts, list->size);
    }
    if (actual != NULL)
        *actual = (uint32_t)list->size;
    return JET_errSuccess;
}

JET_ERR api_backup_list_out_wide(const struct backup_list *list, WCHAR *buffer, uint32_t size,
                                 uint32_t *actual, bool counts_copied)
{
    JET_ERR err = JET_errSuccess;
    uint16_t *wide = NULL;
    size_t length;
    TRY(os_utf8_to_utf16(list->texts, list->size, NULL, 0, &length));
    wide = os_allocate_array(length + 1, sizeof *wide);
    if (wide == NULL)
        FAIL(JET_errOutOfMemory);
    SOUND(os_utf8_to_utf16(list->texts, list->size, wide, length + 1, NULL)); /* as measured */
    const uint32_t needed = (uint32_t)(length * sizeof *wide);
    const uint32_t copied = needed < size ? needed : size;
    if (buffer != NULL)
        memcpy(buffer, wide, copied);
    if (actual != NULL)
        *actual = counts_copied && buffer != NULL ? copied : needed;
done:
    os_free(wide);
    return err;
}
