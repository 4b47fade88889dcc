/* The engine of one instance: log, page cache, trees, version store, made for a start-up or a restore and
 * taken down at its end. The instance is in a starting or ending state, so nobody else uses these. */
#ifndef OPENESENT_INSTANCE_ENGINE_H
#define OPENESENT_INSTANCE_ENGINE_H

#include "src/instance/instance.h"
#include "src/recovery/recovery.h"

/* Resolves the instance's paths (system, log, temporary) and judges them: JET_errInvalidPath..., and
 * JET_errTempPathInUse, JET_errSystemPathInUse, JET_errLogFilePathInUse if a running instance has the same.
 * Makes the directories if JET_paramCreatePathIfNotExist is on. The parameters then hold the absolute paths.
 */
JET_ERR engine_resolve_paths(struct instance *instance);

/* Makes log (not started), cache, tree registry, version store, database set. On error nothing is left. */
JET_ERR engine_open(struct instance *instance);

/* Has the log ask the instance, which asks the database set: after recovery, which asks for itself. */
void engine_hook_log(struct instance *instance);

/* Frees them all, writing nothing; databases that are left are dropped. Does nothing if they are not there.
 */
void engine_close(struct instance *instance);

/* Options of recovery and restore as the instance's parameters have them; map, grbit, stop and status are the
 * caller's. */
void engine_recovery_options(struct instance *instance, struct recovery_options *options);

/* Bytes of the version store that JET_paramMaxVerPages and JET_paramVerPageSize allow. */
uint64_t engine_version_bytes(const struct instance *instance);

/* Background: moves the checkpoint so that it lies no further behind than JET_paramCheckpointDepthMax. */
void engine_advance_checkpoint(struct instance *instance);

#endif
