/* Where the life of an instance and of its databases meets backups. */
#include "src/instance/backup_gate.h"

#include "src/backup/backup.h"
#include "src/backup/snapshot.h"

JET_ERR backup_gate_enter(struct instance *instance)
{
    return backup_enter_attach(instance->backup);
}

void backup_gate_leave(struct instance *instance)
{
    backup_leave_attach(instance->backup);
}

JET_ERR instance_backup_state(struct instance *instance)
{
    /* The gate that keeps attaches out knows which code to give. */
    JET_ERR err = backup_enter_attach(instance->backup);
    if (err >= JET_errSuccess)
        backup_leave_attach(instance->backup);
    return err;
}

void instance_end_backup(struct instance *instance)
{
    snapshot_term(instance->backup);
    backup_term(instance->backup);
}
