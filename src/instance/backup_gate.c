#include "src/instance/backup_gate.h"

JET_ERR backup_gate_enter(struct instance *instance)
{
    (void)instance;
    return JET_errSuccess;
}

void backup_gate_leave(struct instance *instance)
{
    (void)instance;
}

JET_ERR instance_backup_state(struct instance *instance)
{
    (void)instance;
    return JET_errSuccess;
}

void instance_end_backup(struct instance *instance)
{
    (void)instance;
}
