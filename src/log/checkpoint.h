/* The checkpoint file (edb.chk): where recovery starts, with the attachments as of there.
 *
 * Two blocks of 4096 bytes with the same content, the second as shadow. A damaged or absent checkpoint costs
 * time only: recovery starts at the oldest generation. Engine source: `log.hxx` (CHECKPOINT), `logredo.cxx`.
 * Thread-safety: plain functions; the caller serialises. */
#ifndef OPENESENT_LOG_CHECKPOINT_H
#define OPENESENT_LOG_CHECKPOINT_H

#include "src/log/log_file_header.h"

#define CHECKPOINT_ATTACHMENTS_PRESENT 0x1
struct PACKED checkpoint {
    uint32_t checksum;
    struct log_position last_full_backup_checkpoint;
    struct log_position checkpoint;
    struct signature log_signature;
    struct log_parameters parameters;
    struct log_position full_backup;
    struct log_time full_backup_time;
    struct log_position incremental_backup;
    struct log_time incremental_backup_time;
    uint8_t version; /* CHECKPOINT_ATTACHMENTS_PRESENT */
    struct log_position database_consistency;
    uint8_t reserved1[11];
    uint32_t file_type; /* FILE_TYPE_CHECKPOINT */
    uint8_t reserved2[8];
    uint8_t attachments[LOG_ATTACHMENTS_SIZE];
    uint8_t padding[4096 - 679 - LOG_ATTACHMENTS_SIZE];
};
_Static_assert(sizeof(struct checkpoint) == 4096, "CHECKPOINT");
_Static_assert(offsetof(struct checkpoint, file_type) == 667, "CHECKPOINT.le_filetype");
_Static_assert(offsetof(struct checkpoint, attachments) == 679, "CHECKPOINT.rgbAttach");

/* Reads a checkpoint file, from the shadow if the first copy is damaged.
 * JET_errFileNotFound, JET_errCheckpointCorrupt (both copies bad), or an I/O error. */
JET_ERR checkpoint_read(const char *path, struct checkpoint *checkpoint);

/* Writes both copies, shadow first, and syncs. Sets the checksum and the file type. */
JET_ERR checkpoint_write(const char *path, struct checkpoint *checkpoint);

#endif
