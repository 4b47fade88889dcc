/* Keeps attach and detach apart from backups: neither begins while the other is at work. */
#ifndef OPENESENT_INSTANCE_BACKUP_GATE_H
#define OPENESENT_INSTANCE_BACKUP_GATE_H

#include "src/instance/instance.h"

/* JET_errBackupInProgress, JET_errSurrogateBackupInProgress while a backup is active; otherwise no backup
 * begins until backup_gate_leave. */
JET_ERR backup_gate_enter(struct instance *instance);
void backup_gate_leave(struct instance *instance);

#endif
