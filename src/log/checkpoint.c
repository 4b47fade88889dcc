/* Reading and writing the checkpoint file. */
#include "src/log/checkpoint.h"

#include "src/os/file.h"
#include "src/page/checksum.h"

static bool checkpoint_good(const struct checkpoint *checkpoint)
{
    return checksum_header(checkpoint, sizeof(*checkpoint)) == checkpoint->checksum &&
           (checkpoint->file_type == 0 || checkpoint->file_type == FILE_TYPE_CHECKPOINT);
}

JET_ERR checkpoint_read(const char *path, struct checkpoint *checkpoint)
{
    JET_ERR err = JET_errSuccess;
    struct os_file *file = NULL;
    TRY(os_file_open(path, OS_OPEN_READ, OS_SHARE_READ_WRITE, &file));
    for (uint64_t copy = 0; copy < 2; copy++) {
        err = os_file_read(file, copy * sizeof(*checkpoint), checkpoint, sizeof(*checkpoint));
        if (err >= JET_errSuccess && checkpoint_good(checkpoint))
            FAIL(JET_errSuccess);
        if (err == JET_errOutOfMemory)
            goto done;
    }
    err = JET_errCheckpointCorrupt;
done:
    os_file_close(file);
    return err;
}

JET_ERR checkpoint_write(const char *path, struct checkpoint *checkpoint)
{
    JET_ERR err = JET_errSuccess;
    struct os_file *file = NULL;
    checkpoint->file_type = FILE_TYPE_CHECKPOINT;
    checksum_header_set(checkpoint, sizeof(*checkpoint));
    TRY(os_file_open(path, OS_OPEN_OR_CREATE, OS_SHARE_READ, &file));
    /* Shadow first: a torn write always leaves one good copy, the old or the new. */
    TRY(os_file_write(file, sizeof(*checkpoint), checkpoint, sizeof(*checkpoint)));
    TRY(os_file_sync(file));
    TRY(os_file_write(file, 0, checkpoint, sizeof(*checkpoint)));
    TRY(os_file_sync(file));
done:
    os_file_close(file);
    return err;
}
