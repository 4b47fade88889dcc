/* Operating-system snapshots at the API (engine source: `jetapi.cxx`, `io.cxx`). */
#include "src/api/backup_common.h"
#include "src/api/instance_info.h"
#include "src/backup/snapshot.h"

/* --- prepare --- */

static JET_ERR add_to_snapshot(struct instance *instance, void *context)
{
    if (instance_enter_found(instance) >= JET_errSuccess) {
        backup_context_bind(instance->backup, &api_backup_services, instance);
        snapshot_add(*(const JET_OSSNAPID *)context, instance->backup);
        instance_leave(instance);
    }
    return JET_errSuccess;
}

static JET_ERR note_instance(struct instance *instance, void *context)
{
    (void)instance;
    *(bool *)context = true;
    return JET_errSuccess;
}

JET_ERR JET_API JetOSSnapshotPrepare(JET_OSSNAPID *psnapId, const JET_GRBIT grbit)
{
    JET_ERR err = JET_errSuccess;
    JET_OSSNAPID id;
    bool any = false;
    const JET_GRBIT all =
        JET_bitIncrementalSnapshot | JET_bitCopySnapshot | JET_bitContinueAfterThaw | JET_bitExplicitPrepare;
    if (grbit & ~all)
        return JET_errInvalidGrbit;
    if (psnapId == NULL)
        return JET_errInvalidParameter;
    TRY(instance_visit(note_instance, &any));
    if (!any)
        FAIL(JET_errNotInitialized);
    TRY(snapshot_prepare(grbit, &id));
    *psnapId = id;
    if (!(grbit & JET_bitExplicitPrepare))
        TRY(instance_visit(add_to_snapshot, &id));
done:
    return err;
}

JET_ERR JET_API JetOSSnapshotPrepareInstance(JET_OSSNAPID snapId, JET_INSTANCE instance,
                                             const JET_GRBIT grbit)
{
    struct instance *entered;
    JET_ERR err = JET_errSuccess;
    TRY(api_backup_enter(instance, &entered));
    err = snapshot_prepare_instance(snapId, entered->backup, entered->backup_allowed, grbit);
    instance_leave_call(entered);
done:
    return err;
}

/* --- freeze and what was frozen --- */

static JET_ERR add_member(void *context, void *instance)
{
    return instance_info_add(context, instance);
}

/* Where a list of instances goes, in one alphabet or the other. */
struct list_out {
    uint32_t *count;
    JET_INSTANCE_INFO_A **narrow;
    JET_INSTANCE_INFO_W **wide;
};

static JET_ERR clear_out(const struct list_out *out, JET_GRBIT grbit)
{
    if (grbit != 0)
        return JET_errInvalidGrbit;
    if (out->count == NULL || (out->narrow == NULL && out->wide == NULL))
        return JET_errInvalidParameter;
    *out->count = 0;
    if (out->wide != NULL)
        *out->wide = NULL;
    else
        *out->narrow = NULL;
    return JET_errSuccess;
}

static JET_ERR give(const struct instance_info *info, const struct list_out *out)
{
    return out->wide != NULL ? instance_info_out_wide(info, out->count, out->wide)
                             : instance_info_out(info, out->count, out->narrow);
}

static JET_ERR freeze_and_give(JET_OSSNAPID id, JET_GRBIT grbit, struct list_out out)
{
    struct instance_info info = {NULL, 0};
    JET_ERR err = JET_errSuccess;
    TRY(clear_out(&out, grbit));
    TRY(snapshot_freeze(id, grbit,
                        (uint32_t)parameter_number(process_parameters(), JET_paramOSSnapshotTimeout),
                        add_member, &info));
    err = give(&info, &out); /* what cannot be told is thawed again */
    if (err < JET_errSuccess)
        (void)snapshot_abort(id, 0);
done:
    instance_info_free(&info);
    return err;
}

static JET_ERR give_frozen(JET_OSSNAPID id, JET_GRBIT grbit, struct list_out out)
{
    struct instance_info info = {NULL, 0};
    JET_ERR err = JET_errSuccess;
    TRY(clear_out(&out, grbit));
    TRY(snapshot_visit(id, add_member, &info));
    TRY(give(&info, &out));
done:
    instance_info_free(&info);
    return err;
}

JET_ERR JET_API JetOSSnapshotFreezeA(const JET_OSSNAPID snapId, uint32_t *pcInstanceInfo,
                                     JET_INSTANCE_INFO_A **paInstanceInfo, const JET_GRBIT grbit)
{
    return freeze_and_give(snapId, grbit, (struct list_out){pcInstanceInfo, paInstanceInfo, NULL});
}

JET_ERR JET_API JetOSSnapshotFreezeW(const JET_OSSNAPID snapId, uint32_t *pcInstanceInfo,
                                     JET_INSTANCE_INFO_W **paInstanceInfo, const JET_GRBIT grbit)
{
    return freeze_and_give(snapId, grbit, (struct list_out){pcInstanceInfo, NULL, paInstanceInfo});
}

JET_ERR JET_API JetOSSnapshotGetFreezeInfoA(const JET_OSSNAPID snapId, uint32_t *pcInstanceInfo,
                                            JET_INSTANCE_INFO_A **paInstanceInfo, const JET_GRBIT grbit)
{
    return give_frozen(snapId, grbit, (struct list_out){pcInstanceInfo, paInstanceInfo, NULL});
}

JET_ERR JET_API JetOSSnapshotGetFreezeInfoW(const JET_OSSNAPID snapId, uint32_t *pcInstanceInfo,
                                            JET_INSTANCE_INFO_W **paInstanceInfo, const JET_GRBIT grbit)
{
    return give_frozen(snapId, grbit, (struct list_out){pcInstanceInfo, NULL, paInstanceInfo});
}

/* --- the way out --- */

JET_ERR JET_API JetOSSnapshotThaw(const JET_OSSNAPID snapId, const JET_GRBIT grbit)
{
    return snapshot_thaw(snapId, grbit);
}

JET_ERR JET_API JetOSSnapshotAbort(const JET_OSSNAPID snapId, const JET_GRBIT grbit)
{
    return snapshot_abort(snapId, grbit);
}

JET_ERR JET_API JetOSSnapshotEnd(const JET_OSSNAPID snapId, const JET_GRBIT grbit)
{
    return snapshot_end(snapId, grbit);
}

JET_ERR JET_API JetOSSnapshotTruncateLog(const JET_OSSNAPID snapId, const JET_GRBIT grbit)
{
    return snapshot_truncate_log(snapId, NULL, grbit);
}

JET_ERR JET_API JetOSSnapshotTruncateLogInstance(const JET_OSSNAPID snapId, JET_INSTANCE instance,
                                                 const JET_GRBIT grbit)
{
    struct instance *entered;
    JET_ERR err = JET_errSuccess;
    TRY(api_backup_enter(instance, &entered));
    err = snapshot_truncate_log(snapId, entered->backup, grbit);
    instance_leave_call(entered);
done:
    return err;
}
