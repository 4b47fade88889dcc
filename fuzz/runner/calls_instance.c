/* Instances, parameters, sessions, databases. */
#include <string.h>

#include "fuzz/runner/run.h"

static JET_ERR set_system_parameter(struct call *call, bool is_wide)
{
    struct slot instance = arg_slot(call);
    const struct program_token *name = arg_next(call);
    const struct program_token *value = arg_next(call);
    uint32_t id = 0;
    uint64_t number = 0;
    const char *text = NULL;
    if (name == NULL || name->text != NULL || !name_parameter(name->word, &id))
        run_bad(call, "unknown parameter");
    if (value == NULL)
        run_bad(call, "a value is missing");
    else if (value->text != NULL)
        text = value->text;
    else if (strcmp(value->word, "null") != 0 && !name_number(value->word, &number))
        run_bad(call, "\"%.40s\" is not a number", value->word);
    if (call->bad)
        return JET_errSuccess;
    JET_INSTANCE handle = instance.value;
    JET_INSTANCE *pointer = instance.is_null ? NULL : &handle;
    JET_ERR err = is_wide ? JetSetSystemParameterW(pointer, JET_sesidNil, id, number, run_wide(call, text))
                          : JetSetSystemParameterA(pointer, JET_sesidNil, id, number, text);
    if (err >= JET_errSuccess)
        run_slot_set(call, instance, handle);
    return err;
}

static JET_ERR call_set_system_parameter(struct call *call)
{
    return set_system_parameter(call, false);
}

static JET_ERR call_set_system_parameter_w(struct call *call)
{
    return set_system_parameter(call, true);
}

static JET_ERR call_get_system_parameter(struct call *call)
{
    uint64_t instance = arg_handle(call);
    const struct program_token *name = arg_next(call);
    uint32_t id = 0;
    if (name == NULL || name->text != NULL || !name_parameter(name->word, &id))
        run_bad(call, "unknown parameter");
    if (call->bad)
        return JET_errSuccess;
    JET_API_PTR number = 0;
    char text[1024] = "";
    JET_ERR err = JetGetSystemParameterA(instance, JET_sesidNil, id, &number, text, sizeof text);
    if (err >= JET_errSuccess) {
        if (text[0] != '\0')
            run_fact_path(call, "", text);
        run_fact(call, "v=%llu", (unsigned long long)number);
    }
    return err;
}

static JET_ERR create_instance(struct call *call, bool is_wide)
{
    struct slot slot = arg_slot(call);
    const char *name = arg_text(call);
    if (call->bad)
        return JET_errSuccess;
    JET_INSTANCE instance = NIL_HANDLE;
    JET_INSTANCE *pointer = slot.is_null ? NULL : &instance;
    JET_ERR err =
        is_wide ? JetCreateInstanceW(pointer, run_wide(call, name)) : JetCreateInstanceA(pointer, name);
    if (err >= JET_errSuccess)
        run_slot_set(call, slot, instance);
    return err;
}

static JET_ERR call_create_instance(struct call *call)
{
    return create_instance(call, false);
}

static JET_ERR call_create_instance_w(struct call *call)
{
    return create_instance(call, true);
}

static JET_ERR call_create_instance2(struct call *call)
{
    struct slot slot = arg_slot(call);
    const char *name = arg_text(call);
    const char *display = arg_peek(call) != NULL ? arg_text(call) : NULL;
    uint64_t grbit = arg_number_or(call, 0);
    if (call->bad)
        return JET_errSuccess;
    JET_INSTANCE instance = NIL_HANDLE;
    JET_ERR err = JetCreateInstance2A(slot.is_null ? NULL : &instance, name, display, (JET_GRBIT)grbit);
    if (err >= JET_errSuccess)
        run_slot_set(call, slot, instance);
    return err;
}

static JET_ERR call_enable_multi_instance(struct call *call)
{
    (void)call;
    uint32_t succeeded = 0;
    return JetEnableMultiInstanceA(NULL, 0, &succeeded);
}

static JET_ERR init(struct call *call, int variant)
{
    struct slot slot = arg_slot(call);
    uint64_t grbit = arg_number_or(call, 0);
    JET_RSTMAP_A map[16];
    JET_RSTINFO_A info = {.cbStruct = sizeof info, .rgrstmap = map};
    while (arg_peek(call) != NULL && info.crstmap < 16) {
        map[info.crstmap].szDatabaseName = arena_text(&call->arena, arg_text(call));
        map[info.crstmap].szNewDatabaseName = arena_text(&call->arena, arg_text(call));
        info.crstmap++;
    }
    if (call->bad)
        return JET_errSuccess;
    JET_INSTANCE instance = slot.value;
    JET_INSTANCE *pointer = slot.is_null ? NULL : &instance;
    JET_ERR err = variant == 1   ? JetInit(pointer)
                  : variant == 2 ? JetInit2(pointer, (JET_GRBIT)grbit)
                                 : JetInit3A(pointer, info.crstmap > 0 ? &info : NULL, (JET_GRBIT)grbit);
    /* Also when it failed: the call may have taken the instance away. */
    run_slot_set(call, slot, instance);
    return err;
}

static JET_ERR call_init(struct call *call)
{
    return init(call, 1);
}

static JET_ERR call_init2(struct call *call)
{
    return init(call, 2);
}

static JET_ERR call_init3(struct call *call)
{
    return init(call, 3);
}

static JET_ERR call_term(struct call *call)
{
    uint64_t instance = arg_handle(call);
    return call->bad ? JET_errSuccess : JetTerm(instance);
}

static JET_ERR call_term2(struct call *call)
{
    uint64_t instance = arg_handle(call);
    uint64_t grbit = arg_number_or(call, 0);
    return call->bad ? JET_errSuccess : JetTerm2(instance, (JET_GRBIT)grbit);
}

static JET_ERR call_stop_service(struct call *call)
{
    (void)call;
    return JetStopService();
}

static JET_ERR call_stop_service_instance(struct call *call)
{
    uint64_t instance = arg_handle(call);
    return call->bad ? JET_errSuccess : JetStopServiceInstance(instance);
}

static JET_ERR call_stop_service_instance2(struct call *call)
{
    uint64_t instance = arg_handle(call);
    uint64_t grbit = arg_number_or(call, 0);
    return call->bad ? JET_errSuccess : JetStopServiceInstance2(instance, (JET_GRBIT)grbit);
}

static JET_ERR call_begin_session(struct call *call)
{
    uint64_t instance = arg_handle(call);
    struct slot slot = arg_slot(call);
    if (call->bad)
        return JET_errSuccess;
    JET_SESID session = NIL_HANDLE;
    JET_ERR err = JetBeginSessionA(instance, slot.is_null ? NULL : &session, "", "");
    if (err >= JET_errSuccess)
        run_slot_set(call, slot, session);
    return err;
}

static JET_ERR call_dup_session(struct call *call)
{
    uint64_t session = arg_handle(call);
    struct slot slot = arg_slot(call);
    if (call->bad)
        return JET_errSuccess;
    JET_SESID copy = NIL_HANDLE;
    JET_ERR err = JetDupSession(session, slot.is_null ? NULL : &copy);
    if (err >= JET_errSuccess)
        run_slot_set(call, slot, copy);
    return err;
}

static JET_ERR call_end_session(struct call *call)
{
    uint64_t session = arg_handle(call);
    uint64_t grbit = arg_number_or(call, 0);
    return call->bad ? JET_errSuccess : JetEndSession(session, (JET_GRBIT)grbit);
}

static JET_ERR call_get_version(struct call *call)
{
    uint64_t session = arg_handle(call);
    if (call->bad)
        return JET_errSuccess;
    uint32_t version = 0;
    JET_ERR err = JetGetVersion(session, &version);
    if (err >= JET_errSuccess) {
        run_bar(call);
        run_fact(call, "v=0x%x", version);
    }
    return err;
}

static JET_ERR call_idle(struct call *call)
{
    uint64_t session = arg_handle(call);
    uint64_t grbit = arg_number_or(call, 0);
    return call->bad ? JET_errSuccess : JetIdle(session, (JET_GRBIT)grbit);
}

static JET_ERR call_set_session_context(struct call *call)
{
    uint64_t session = arg_handle(call);
    uint64_t context = arg_number(call, "context");
    return call->bad ? JET_errSuccess : JetSetSessionContext(session, context);
}

static JET_ERR call_reset_session_context(struct call *call)
{
    uint64_t session = arg_handle(call);
    return call->bad ? JET_errSuccess : JetResetSessionContext(session);
}

static JET_ERR call_get_session_parameter(struct call *call)
{
    uint64_t session = arg_handle(call);
    uint64_t id = arg_number(call, "parameter");
    if (call->bad)
        return JET_errSuccess;
    uint32_t value = 0;
    uint32_t size = 0;
    JET_ERR err = JetGetSessionParameter(session, (uint32_t)id, &value, sizeof value, &size);
    if (err >= JET_errSuccess)
        run_fact(call, "v=%u", value);
    return err;
}

static JET_ERR create_database(struct call *call, bool is_wide)
{
    uint64_t session = arg_handle(call);
    struct slot slot = arg_slot(call);
    const char *path = arg_text(call);
    uint64_t grbit = arg_number_or(call, 0);
    if (call->bad)
        return JET_errSuccess;
    JET_DBID database = JET_dbidNil;
    JET_DBID *pointer = slot.is_null ? NULL : &database;
    JET_ERR err = is_wide ? JetCreateDatabaseW(session, run_wide(call, path), NULL, pointer, (JET_GRBIT)grbit)
                          : JetCreateDatabaseA(session, path, NULL, pointer, (JET_GRBIT)grbit);
    if (err >= JET_errSuccess)
        run_slot_set(call, slot, database);
    return err;
}

static JET_ERR call_create_database(struct call *call)
{
    return create_database(call, false);
}

static JET_ERR call_create_database_w(struct call *call)
{
    return create_database(call, true);
}

static JET_ERR call_create_database2(struct call *call)
{
    uint64_t session = arg_handle(call);
    struct slot slot = arg_slot(call);
    const char *path = arg_text(call);
    uint64_t pages = arg_number_or(call, 0);
    uint64_t grbit = arg_number_or(call, 0);
    if (call->bad)
        return JET_errSuccess;
    JET_DBID database = JET_dbidNil;
    JET_ERR err = JetCreateDatabase2A(session, path, (uint32_t)pages, slot.is_null ? NULL : &database,
                                      (JET_GRBIT)grbit);
    if (err >= JET_errSuccess)
        run_slot_set(call, slot, database);
    return err;
}

static JET_ERR call_attach_database(struct call *call)
{
    uint64_t session = arg_handle(call);
    const char *path = arg_text(call);
    uint64_t grbit = arg_number_or(call, 0);
    return call->bad ? JET_errSuccess : JetAttachDatabaseA(session, path, (JET_GRBIT)grbit);
}

static JET_ERR call_attach_database_w(struct call *call)
{
    uint64_t session = arg_handle(call);
    const uint16_t *path = arg_wide(call);
    uint64_t grbit = arg_number_or(call, 0);
    return call->bad ? JET_errSuccess : JetAttachDatabaseW(session, path, (JET_GRBIT)grbit);
}

static JET_ERR call_attach_database2(struct call *call)
{
    uint64_t session = arg_handle(call);
    const char *path = arg_text(call);
    uint64_t pages = arg_number_or(call, 0);
    uint64_t grbit = arg_number_or(call, 0);
    return call->bad ? JET_errSuccess : JetAttachDatabase2A(session, path, (uint32_t)pages, (JET_GRBIT)grbit);
}

static JET_ERR call_detach_database(struct call *call)
{
    uint64_t session = arg_handle(call);
    const char *path = arg_text(call);
    return call->bad ? JET_errSuccess : JetDetachDatabaseA(session, path);
}

static JET_ERR call_detach_database_w(struct call *call)
{
    uint64_t session = arg_handle(call);
    const uint16_t *path = arg_wide(call);
    return call->bad ? JET_errSuccess : JetDetachDatabaseW(session, path);
}

static JET_ERR call_detach_database2(struct call *call)
{
    uint64_t session = arg_handle(call);
    const char *path = arg_text(call);
    uint64_t grbit = arg_number_or(call, 0);
    return call->bad ? JET_errSuccess : JetDetachDatabase2A(session, path, (JET_GRBIT)grbit);
}

static JET_ERR open_database(struct call *call, bool is_wide)
{
    uint64_t session = arg_handle(call);
    struct slot slot = arg_slot(call);
    const char *path = arg_text(call);
    uint64_t grbit = arg_number_or(call, 0);
    if (call->bad)
        return JET_errSuccess;
    JET_DBID database = JET_dbidNil;
    JET_DBID *pointer = slot.is_null ? NULL : &database;
    JET_ERR err = is_wide ? JetOpenDatabaseW(session, run_wide(call, path), NULL, pointer, (JET_GRBIT)grbit)
                          : JetOpenDatabaseA(session, path, NULL, pointer, (JET_GRBIT)grbit);
    if (err >= JET_errSuccess)
        run_slot_set(call, slot, database);
    return err;
}

static JET_ERR call_open_database(struct call *call)
{
    return open_database(call, false);
}

static JET_ERR call_open_database_w(struct call *call)
{
    return open_database(call, true);
}

static JET_ERR call_close_database(struct call *call)
{
    uint64_t session = arg_handle(call);
    uint32_t database = arg_database(call);
    uint64_t grbit = arg_number_or(call, 0);
    return call->bad ? JET_errSuccess : JetCloseDatabase(session, database, (JET_GRBIT)grbit);
}

const struct call_entry run_instance_calls[] = {
    {"SetSystemParameter", call_set_system_parameter},
    {"SetSystemParameterW", call_set_system_parameter_w},
    {"GetSystemParameter", call_get_system_parameter},
    {"CreateInstance", call_create_instance},
    {"CreateInstanceW", call_create_instance_w},
    {"CreateInstance2", call_create_instance2},
    {"EnableMultiInstance", call_enable_multi_instance},
    {"Init", call_init},
    {"Init2", call_init2},
    {"Init3", call_init3},
    {"Term", call_term},
    {"Term2", call_term2},
    {"StopService", call_stop_service},
    {"StopServiceInstance", call_stop_service_instance},
    {"StopServiceInstance2", call_stop_service_instance2},
    {"BeginSession", call_begin_session},
    {"DupSession", call_dup_session},
    {"EndSession", call_end_session},
    {"GetVersion", call_get_version},
    {"Idle", call_idle},
    {"SetSessionContext", call_set_session_context},
    {"ResetSessionContext", call_reset_session_context},
    {"GetSessionParameter", call_get_session_parameter},
    {"CreateDatabase", call_create_database},
    {"CreateDatabaseW", call_create_database_w},
    {"CreateDatabase2", call_create_database2},
    {"AttachDatabase", call_attach_database},
    {"AttachDatabaseW", call_attach_database_w},
    {"AttachDatabase2", call_attach_database2},
    {"DetachDatabase", call_detach_database},
    {"DetachDatabaseW", call_detach_database_w},
    {"DetachDatabase2", call_detach_database2},
    {"OpenDatabase", call_open_database},
    {"OpenDatabaseW", call_open_database_w},
    {"CloseDatabase", call_close_database},
    {NULL, NULL},
};
