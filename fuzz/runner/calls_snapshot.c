/* OS snapshots, and the list of instances. */
#include "fuzz/runner/run.h"

static JET_ERR call_prepare(struct call *call)
{
    struct slot slot = arg_slot(call);
    uint64_t grbit = arg_number_or(call, 0);
    if (call->bad)
        return JET_errSuccess;
    JET_OSSNAPID snapshot = NIL_HANDLE;
    JET_ERR err = JetOSSnapshotPrepare(slot.is_null ? NULL : &snapshot, (JET_GRBIT)grbit);
    if (err >= JET_errSuccess)
        run_slot_set(call, slot, snapshot);
    return err;
}

static JET_ERR call_prepare_instance(struct call *call)
{
    uint64_t snapshot = arg_handle(call);
    uint64_t instance = arg_handle(call);
    uint64_t grbit = arg_number_or(call, 0);
    return call->bad ? JET_errSuccess : JetOSSnapshotPrepareInstance(snapshot, instance, (JET_GRBIT)grbit);
}

static void print_instances(struct call *call, uint32_t count, JET_INSTANCE_INFO_A *list)
{
    run_fact(call, "n=%u", count);
    for (uint32_t i = 0; i < count && list != NULL; i++) {
        run_fact_path(call, "", list[i].szInstanceName);
        for (JET_API_PTR d = 0; d < list[i].cDatabases; d++)
            run_fact_path(call, "", list[i].szDatabaseFileName[d]);
    }
    if (list != NULL)
        JetFreeBuffer((char *)list);
}

static void print_instances_w(struct call *call, uint32_t count, JET_INSTANCE_INFO_W *list)
{
    run_fact(call, "n=%u", count);
    for (uint32_t i = 0; i < count && list != NULL; i++) {
        run_fact_wide_path(call, "", list[i].szInstanceName);
        for (JET_API_PTR d = 0; d < list[i].cDatabases; d++)
            run_fact_wide_path(call, "", list[i].szDatabaseFileName[d]);
    }
    if (list != NULL)
        JetFreeBuffer((char *)list);
}

enum instances_kind { FREEZE, FREEZE_INFO, INSTANCES };

static JET_ERR instances_a(struct call *call, enum instances_kind kind)
{
    uint64_t snapshot = kind == INSTANCES ? 0 : arg_handle(call);
    JET_GRBIT grbit = (JET_GRBIT)arg_number_or(call, 0);
    if (call->bad)
        return JET_errSuccess;
    uint32_t count = 0;
    JET_INSTANCE_INFO_A *list = NULL;
    uint32_t *count_pointer = option_is_null(call, "pc") ? NULL : &count;
    JET_INSTANCE_INFO_A **list_pointer = option_is_null(call, "pa") ? NULL : &list;
    JET_ERR err = kind == FREEZE ? JetOSSnapshotFreezeA(snapshot, count_pointer, list_pointer, grbit)
                  : kind == FREEZE_INFO
                      ? JetOSSnapshotGetFreezeInfoA(snapshot, count_pointer, list_pointer, grbit)
                      : JetGetInstanceInfoA(count_pointer, list_pointer);
    if (err >= JET_errSuccess)
        print_instances(call, count, list);
    return err;
}

static JET_ERR instances_w(struct call *call, enum instances_kind kind)
{
    uint64_t snapshot = kind == INSTANCES ? 0 : arg_handle(call);
    JET_GRBIT grbit = (JET_GRBIT)arg_number_or(call, 0);
    if (call->bad)
        return JET_errSuccess;
    uint32_t count = 0;
    JET_INSTANCE_INFO_W *list = NULL;
    uint32_t *count_pointer = option_is_null(call, "pc") ? NULL : &count;
    JET_INSTANCE_INFO_W **list_pointer = option_is_null(call, "pa") ? NULL : &list;
    JET_ERR err = kind == FREEZE ? JetOSSnapshotFreezeW(snapshot, count_pointer, list_pointer, grbit)
                  : kind == FREEZE_INFO
                      ? JetOSSnapshotGetFreezeInfoW(snapshot, count_pointer, list_pointer, grbit)
                      : JetGetInstanceInfoW(count_pointer, list_pointer);
    if (err >= JET_errSuccess)
        print_instances_w(call, count, list);
    return err;
}

static JET_ERR call_freeze(struct call *call)
{
    return instances_a(call, FREEZE);
}

static JET_ERR call_freeze_w(struct call *call)
{
    return instances_w(call, FREEZE);
}

static JET_ERR call_freeze_info(struct call *call)
{
    return instances_a(call, FREEZE_INFO);
}

static JET_ERR call_freeze_info_w(struct call *call)
{
    return instances_w(call, FREEZE_INFO);
}

static JET_ERR call_instance_info(struct call *call)
{
    return instances_a(call, INSTANCES);
}

static JET_ERR call_instance_info_w(struct call *call)
{
    return instances_w(call, INSTANCES);
}

static JET_ERR simple(struct call *call, JET_ERR (*function)(const JET_OSSNAPID, const JET_GRBIT))
{
    uint64_t snapshot = arg_handle(call);
    uint64_t grbit = arg_number_or(call, 0);
    return call->bad ? JET_errSuccess : function(snapshot, (JET_GRBIT)grbit);
}

static JET_ERR call_thaw(struct call *call)
{
    return simple(call, JetOSSnapshotThaw);
}

static JET_ERR call_abort(struct call *call)
{
    return simple(call, JetOSSnapshotAbort);
}

static JET_ERR call_truncate(struct call *call)
{
    return simple(call, JetOSSnapshotTruncateLog);
}

static JET_ERR call_end(struct call *call)
{
    return simple(call, JetOSSnapshotEnd);
}

static JET_ERR call_truncate_instance(struct call *call)
{
    uint64_t snapshot = arg_handle(call);
    uint64_t instance = arg_handle(call);
    uint64_t grbit = arg_number_or(call, 0);
    return call->bad ? JET_errSuccess
                     : JetOSSnapshotTruncateLogInstance(snapshot, instance, (JET_GRBIT)grbit);
}

const struct call_entry run_snapshot_calls[] = {
    {"OSSnapshotPrepare", call_prepare},
    {"OSSnapshotPrepareInstance", call_prepare_instance},
    {"OSSnapshotFreeze", call_freeze},
    {"OSSnapshotFreezeW", call_freeze_w},
    {"OSSnapshotGetFreezeInfo", call_freeze_info},
    {"OSSnapshotGetFreezeInfoW", call_freeze_info_w},
    {"GetInstanceInfo", call_instance_info},
    {"GetInstanceInfoW", call_instance_info_w},
    {"OSSnapshotThaw", call_thaw},
    {"OSSnapshotAbort", call_abort},
    {"OSSnapshotTruncateLog", call_truncate},
    {"OSSnapshotTruncateLogInstance", call_truncate_instance},
    {"OSSnapshotEnd", call_end},
    {NULL, NULL},
};
