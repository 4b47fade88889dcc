/* Between the files that make the streams: databases (backup_stream.c) and everything else (backup_file.c).
 */
#ifndef OPENESENT_BACKUP_BACKUP_STREAM_H
#define OPENESENT_BACKUP_BACKUP_STREAM_H

#include "src/backup/backup_internal.h"

/* Opens context->file.path, no database: a log of any instance, or a patch file. Errors:
 * JET_errMissingFileToBackup, JET_errInvalidParameter (the current log; in the documented profile any file
 * that is not of this backup), those of the file. */
JET_ERR backup_open_plain_file(struct backup_context *context);

/* The next bytes of it, verified: JET_errLogReadVerifyFailure. In the documented profile a log of the wrong
 * length or identity is JET_errLogFileCorrupt or JET_errBadLogSignature. */
JET_ERR backup_read_plain_file(struct backup_context *context, uint8_t *buffer, uint32_t size,
                               uint32_t *done);

/* Creates the empty patch file of a database, which JetBackup puts beside the copy. */
JET_ERR backup_make_patch_file(const struct database *database);

#endif
