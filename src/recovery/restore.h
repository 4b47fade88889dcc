/* Inside of restore: for the files restore_*.c and the places of recovery that ask them. */
#ifndef OPENESENT_RECOVERY_RESTORE_H
#define OPENESENT_RECOVERY_RESTORE_H

#include "src/recovery/recovery_internal.h"

/* Checks that the backup's logs [low, high] follow each other and belong together, deletes other logs from
 * the backup's directory (unless that is the log directory), and checks the logs that are to be replayed
 * after them. */
JET_ERR restore_check_logs(struct recovery *recovery, int32_t low, int32_t high);

/* Checks a database of a backup, at the place where it will be used, against the range of logs, enters the
 * range into its header, and takes the stream's trailer off. */
JET_ERR restore_check_database(struct recovery *recovery, const char *path);

/* A directory backup: a database that the log names is looked for in the backup and copied to where it
 * belongs. *skip if it is not part of the backup. */
JET_ERR restore_place_database(struct recovery *recovery, const char *logged, char *path, size_t capacity,
                               bool *skip);

/* Whether the directory of a backup has any patch file: without one it is none of JetBackup's. */
JET_ERR restore_check_patch_files(struct recovery *recovery);

#endif
