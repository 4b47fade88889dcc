/* JetCreateInstance, JetInit, JetTerm, JetStopService, JetGetInstanceMiscInfo (engine source: `jetapi.cxx`).
 */
#include "src/api/text.h"
#include "src/instance/process.h"
#include "src/log/log.h"
#include "src/os/executor.h"
#include "src/os/memory.h"

/* --- creation --- */

static JET_ERR create_instance(JET_INSTANCE *handle, const char *name, const char *display_name)
{
    JET_ERR err = JET_errSuccess;
    if (handle == NULL)
        return JET_errInvalidParameter;
    *handle = JET_instanceNil;
    TRY(api_text_check(name));
    TRY(api_text_check(display_name));
    TRY(instance_create(name, display_name, handle));
done:
    return err;
}

JET_ERR JET_API JetCreateInstance2A(JET_INSTANCE *pinstance, JET_PCSTR szInstanceName,
                                    JET_PCSTR szDisplayName, JET_GRBIT grbit)
{
    (void)grbit; /* means nothing, as documented */
    return create_instance(pinstance, szInstanceName, szDisplayName);
}

JET_ERR JET_API JetCreateInstance2W(JET_INSTANCE *pinstance, JET_PCWSTR szInstanceName,
                                    JET_PCWSTR szDisplayName, JET_GRBIT grbit)
{
    JET_ERR err = JET_errSuccess;
    char *name = NULL;
    char *display_name = NULL;
    (void)grbit;
    TRY(api_text_from_wide(szInstanceName, &name));
    TRY(api_text_from_wide(szDisplayName, &display_name));
    TRY(create_instance(pinstance, name, display_name));
done:
    os_free(display_name);
    os_free(name);
    return err;
}

JET_ERR JET_API JetCreateInstanceA(JET_INSTANCE *pinstance, JET_PCSTR szInstanceName)
{
    return JetCreateInstance2A(pinstance, szInstanceName, NULL, 0);
}

JET_ERR JET_API JetCreateInstanceW(JET_INSTANCE *pinstance, JET_PCWSTR szInstanceName)
{
    return JetCreateInstance2W(pinstance, szInstanceName, NULL, 0);
}

/* --- start --- */

/* Without an instance, or with a nil one, one is made; in one-instance mode always, whatever the handle
 * holds. */
static JET_ERR init_instance(JET_INSTANCE *pinstance, const struct instance_recovery_map *map,
                             JET_GRBIT grbit)
{
    JET_ERR err = JET_errSuccess;
    JET_INSTANCE handle = pinstance != NULL ? *pinstance : JET_instanceNil;
    const bool none = handle == JET_instanceNil || handle == 0;

    if (none && pinstance != NULL)
        *pinstance = JET_instanceNil;
    if (none || process_mode() != PROCESS_MODE_MULTI_INSTANCE) {
        TRY(instance_create_for_init(pinstance != NULL, &handle));
    } else {
        struct instance *found = NULL;
        TRY(instance_find(handle, &found));
        instance_release(found);
    }
    err = instance_start(handle, map, grbit);
    /* A start that failed has taken the instance with it; a handle that named none stays as it is. */
    if (pinstance != NULL && err != JET_errAlreadyInitialized)
        *pinstance = err < JET_errSuccess ? 0 : handle;
done:
    os_executor_point();
    return err;
}

JET_ERR JET_API JetInit(JET_INSTANCE *pinstance)
{
    return JetInit2(pinstance, 0);
}

JET_ERR JET_API JetInit2(JET_INSTANCE *pinstance, JET_GRBIT grbit)
{
    return JetInit3A(pinstance, NULL, grbit | JET_bitReplayMissingMapEntryDB);
}

static void map_free(struct instance_recovery_map *map)
{
    for (size_t i = 0; i < map->count; i++) {
        os_free(map->from[i]);
        os_free(map->to[i]);
    }
    os_free(map->from);
    os_free(map->to);
}

/* Room for `count` pairs of texts. */
static JET_ERR map_allocate(struct instance_recovery_map *map, const void *array, int32_t count)
{
    if (count < 0 || (array == NULL) != (count == 0))
        return JET_errInvalidParameter;
    if (count == 0)
        return JET_errSuccess;
    map->from = os_allocate_array((size_t)count, sizeof(*map->from));
    map->to = os_allocate_array((size_t)count, sizeof(*map->to));
    if (map->from == NULL || map->to == NULL)
        return JET_errOutOfMemory;
    map->count = (size_t)count;
    return JET_errSuccess;
}

static struct log_position stop_position(JET_LGPOS given)
{
    struct log_position position;
    memcpy(&position, &given, sizeof(position));
    return position;
}

JET_ERR JET_API JetInit3A(JET_INSTANCE *pinstance, JET_RSTINFO_A *prstInfo, JET_GRBIT grbit)
{
    JET_ERR err = JET_errSuccess;
    struct instance_recovery_map map = {0};
    if (prstInfo == NULL)
        return init_instance(pinstance, NULL, grbit);
    if (prstInfo->cbStruct != sizeof(*prstInfo))
        return JET_errInvalidParameter;
    TRY(map_allocate(&map, prstInfo->rgrstmap, prstInfo->crstmap));
    for (size_t i = 0; i < map.count; i++) {
        TRY(api_text_check(prstInfo->rgrstmap[i].szDatabaseName));
        TRY(api_text_check(prstInfo->rgrstmap[i].szNewDatabaseName));
        if (prstInfo->rgrstmap[i].szDatabaseName == NULL || prstInfo->rgrstmap[i].szNewDatabaseName == NULL)
            FAIL(JET_errInvalidParameter);
        map.from[i] = os_duplicate_text(prstInfo->rgrstmap[i].szDatabaseName);
        map.to[i] = os_duplicate_text(prstInfo->rgrstmap[i].szNewDatabaseName);
        if (map.from[i] == NULL || map.to[i] == NULL)
            FAIL(JET_errOutOfMemory);
    }
    map.stop = stop_position(prstInfo->lgposStop);
    map.status = prstInfo->pfnStatus;
    TRY(init_instance(pinstance, &map, grbit));
done:
    map_free(&map);
    return err;
}

JET_ERR JET_API JetInit3W(JET_INSTANCE *pinstance, JET_RSTINFO_W *prstInfo, JET_GRBIT grbit)
{
    JET_ERR err = JET_errSuccess;
    struct instance_recovery_map map = {0};
    if (prstInfo == NULL)
        return init_instance(pinstance, NULL, grbit);
    if (prstInfo->cbStruct != sizeof(*prstInfo))
        return JET_errInvalidParameter;
    TRY(map_allocate(&map, prstInfo->rgrstmap, prstInfo->crstmap));
    for (size_t i = 0; i < map.count; i++) {
        TRY(api_text_from_wide(prstInfo->rgrstmap[i].szDatabaseName, &map.from[i]));
        TRY(api_text_from_wide(prstInfo->rgrstmap[i].szNewDatabaseName, &map.to[i]));
        if (map.from[i] == NULL || map.to[i] == NULL)
            FAIL(JET_errInvalidParameter);
    }
    map.stop = stop_position(prstInfo->lgposStop);
    map.status = prstInfo->pfnStatus;
    TRY(init_instance(pinstance, &map, grbit));
done:
    map_free(&map);
    return err;
}

/* --- end --- */

JET_ERR JET_API JetTerm(JET_INSTANCE instance)
{
    return JetTerm2(instance, JET_bitTermAbrupt);
}

JET_ERR JET_API JetTerm2(JET_INSTANCE instance, JET_GRBIT grbit)
{
    return instance_term(instance, grbit);
}

/* --- stop service --- */

JET_ERR JET_API JetStopServiceInstance2(JET_INSTANCE instance, const JET_GRBIT grbit)
{
    JET_ERR err = JET_errSuccess;
    struct instance *found = NULL;
    TRY(instance_find(instance, &found));
    err = instance_stop_service(found, grbit);
    instance_release(found);
done:
    return err;
}

JET_ERR JET_API JetStopServiceInstance(JET_INSTANCE instance)
{
    JET_ERR err = JET_errSuccess;
    struct instance *found = NULL;
    TRY(instance_find(instance, &found));
    err = instance_stop_whole_service(found);
    instance_release(found);
done:
    return err;
}

JET_ERR JET_API JetStopService(void)
{
    JET_ERR err = JET_errSuccess;
    struct instance *found = NULL;
    TRY(instance_find_legacy(&found));
    err = instance_stop_whole_service(found);
    instance_release(found);
done:
    return err;
}

/* --- information --- */

static JET_ERR log_signature_info(const struct instance *instance, void *result, uint32_t size)
{
    if (size < sizeof(JET_SIGNATURE))
        return JET_errBufferTooSmall;
    struct signature signature = log_signature(instance->log);
    memcpy(result, &signature, sizeof(signature));
    return JET_errSuccess;
}

JET_ERR JET_API JetGetInstanceMiscInfo(JET_INSTANCE instance, void *pvResult, uint32_t cbMax,
                                       uint32_t InfoLevel)
{
    JET_ERR err = JET_errSuccess;
    struct instance *entered = NULL;
    TRY(instance_enter(instance, &entered));
    if (pvResult == NULL || InfoLevel != JET_InstanceMiscInfoLogSignature)
        err = JET_errInvalidParameter;
    else
        err = log_signature_info(entered, pvResult, cbMax);
    instance_leave_call(entered);
done:
    return err;
}
