/* Operating-system snapshots: instances stand still together while the disks are copied by somebody else.
 *
 * A session is prepared, frozen, thawed, perhaps truncates logs, and ends; several may exist. An instance
 * belongs to at most one, the first that prepared it. From freeze to end its backup context is in state
 * BACKUP_SNAPSHOT; from freeze to thaw its log is not written, and whoever needs that waits: at the longest
 * JET_paramOSSnapshotTimeout, after which the snapshot has failed. No thread watches the time: the first who
 * comes by finds it over.
 *
 * All sessions are under one lock (OS_RANK_SNAPSHOT). Calls may come from any thread. Engine source:
 * `io.cxx`. */
#ifndef OPENESENT_BACKUP_SNAPSHOT_H
#define OPENESENT_BACKUP_SNAPSHOT_H

#include "src/backup/backup.h"

/* Makes a session. JET_errInvalidGrbit, JET_errOutOfMemory. Instances are added by the caller. */
JET_ERR snapshot_prepare(JET_GRBIT grbit, JET_OSSNAPID *id);

/* Adds an instance that runs to a session just prepared; one that belongs to another session already is left
 * out. */
void snapshot_add(JET_OSSNAPID id, struct backup_context *context);

/* Adds one instance on request: JET_errInvalidGrbit, JET_errOSSnapshotInvalidSnapId,
 * JET_errOSSnapshotInvalidSequence, JET_errOSSnapshotNotAllowed (in a session already, in a backup, or not
 * allowed one). */
JET_ERR snapshot_prepare_instance(JET_OSSNAPID id, struct backup_context *context, bool backup_allowed,
                                  JET_GRBIT grbit);

/* Gets an instance of a session; an error stops the walk. The session stays while it runs. */
typedef JET_ERR (*snapshot_visitor)(void *context, void *instance);

/* Freezes all instances of a session, for at most `timeout` milliseconds, and visits them before anybody can
 * thaw it. If that fails, it is aborted. */
JET_ERR snapshot_freeze(JET_OSSNAPID id, JET_GRBIT grbit, uint32_t timeout, snapshot_visitor visit,
                        void *context);
JET_ERR snapshot_thaw(JET_OSSNAPID id, JET_GRBIT grbit);
JET_ERR snapshot_abort(JET_OSSNAPID id, JET_GRBIT grbit);
JET_ERR snapshot_end(JET_OSSNAPID id, JET_GRBIT grbit);

/* Deletes logs after a thaw: of one instance, or of all (null). -1 for an instance that is not in the
 * session. */
JET_ERR snapshot_truncate_log(JET_OSSNAPID id, struct backup_context *context, JET_GRBIT grbit);

/* Visits the instances of a session, in the order they were added. JET_errOSSnapshotInvalidSnapId. */
JET_ERR snapshot_visit(JET_OSSNAPID id, snapshot_visitor visit, void *context);

/* Before an instance ends: waits while it is frozen, then takes it out of its session. */
void snapshot_term(struct backup_context *context);
/* Takes it out without waiting. */
void snapshot_drop(struct backup_context *context);

/* Returns when the instance is not frozen (any more). */
void snapshot_wait(struct backup_context *context);
bool snapshot_is_frozen(struct backup_context *context);
/* Ends a freeze whose time is over. */
void snapshot_poll(struct backup_context *context);

#endif
