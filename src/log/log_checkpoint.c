/* Moving the checkpoint. */
#include "src/log/log_internal.h"

struct log_position log_checkpoint(struct log *log)
{
    os_mutex_lock(&log->lock);
    struct log_position checkpoint = log->checkpoint;
    os_mutex_unlock(&log->lock);
    return checkpoint;
}

void log_set_checkpoint(struct log *log, struct log_position checkpoint)
{
    os_mutex_lock(&log->lock);
    log->checkpoint = checkpoint;
    os_mutex_unlock(&log->lock);
}

void log_keep_from(struct log *log, int32_t generation)
{
    os_mutex_lock(&log->lock);
    log->keep_from = generation;
    os_mutex_unlock(&log->lock);
}

void log_note_backup(struct log *log, bool full, struct log_position mark, struct log_time time)
{
    os_mutex_lock(&log->lock);
    if (full) {
        log->full_backup = mark;
        log->full_backup_time = time;
    } else {
        log->incremental_backup = mark;
        log->incremental_backup_time = time;
    }
    os_mutex_unlock(&log->lock);
}

/* Where recovery would have to start now. The end of the durable log is read first: what is appended later
 * lies behind. */
static struct log_position recompute(struct log *log)
{
    const struct log_callbacks *callbacks = &log->settings.callbacks;
    struct log_position end = log_durable_end(log);
    if (callbacks->oldest_needed == NULL)
        return end;
    struct log_position oldest = callbacks->oldest_needed(callbacks->context);
    return log_position_compare(oldest, end) < 0 ? oldest : end;
}

/* `closed`: at the end of a log nothing is attached, and the file says that there is no list. */
static JET_ERR write_file(struct log *log, struct log_position position, bool closed)
{
    JET_ERR err = JET_errSuccess;
    char path[OS_PATH_SIZE];
    struct checkpoint checkpoint;
    const struct log_callbacks *callbacks = &log->settings.callbacks;
    memset(&checkpoint, 0, sizeof(checkpoint));
    os_mutex_lock(&log->lock);
    checkpoint.checkpoint = position;
    checkpoint.database_consistency = position;
    checkpoint.log_signature = log->header.log_signature;
    checkpoint.parameters = log->settings.parameters;
    checkpoint.parameters.flags = log->settings.circular ? LOG_PARAMETERS_CIRCULAR : 0;
    checkpoint.parameters.log_file_sectors = log->header.file_sectors;
    checkpoint.full_backup = log->full_backup;
    checkpoint.full_backup_time = log->full_backup_time;
    checkpoint.incremental_backup = log->incremental_backup;
    checkpoint.incremental_backup_time = log->incremental_backup_time;
    checkpoint.version = closed ? 0 : CHECKPOINT_ATTACHMENTS_PRESENT;
    os_mutex_unlock(&log->lock);
    if (!closed && callbacks->attachments != NULL)
        TRY(callbacks->attachments(callbacks->context, position, checkpoint.attachments));
    log_path(log, LOG_PATH_CHECKPOINT, path);
    TRY(checkpoint_write(path, &checkpoint));
done:
    return err;
}

JET_ERR log_write_checkpoint(struct log *log, struct log_position position)
{
    JET_ERR err = JET_errSuccess;
    os_mutex_lock(&log->lock);
    while (log->checkpointing)
        (void)os_condition_wait(&log->idle, &log->lock, OS_WAIT_FOREVER);
    log->checkpointing = true;
    os_mutex_unlock(&log->lock);
    err = write_file(log, position, true);
    os_mutex_lock(&log->lock);
    if (err >= JET_errSuccess)
        log->checkpoint = position;
    log->checkpointing = false;
    os_condition_wake_all(&log->idle);
    os_mutex_unlock(&log->lock);
    return err;
}

/* How many files behind the checkpoint are left, except for one at each new file. */
#define CIRCULAR_EXTRA 2

void log_delete_passed(struct log *log)
{
    int32_t low, high;
    os_mutex_lock(&log->lock);
    const bool circular = log->settings.circular;
    const int32_t checkpoint = log->checkpoint.generation;
    const int32_t keep_from = log->keep_from;
    os_mutex_unlock(&log->lock);
    if (!circular || log_generation_range(log, &low, &high) < JET_errSuccess || low == 0)
        return;
    if (low >= checkpoint || (keep_from != 0 && low >= keep_from))
        return;
    int32_t end = low + 1;
    if (keep_from == 0 && end < checkpoint - CIRCULAR_EXTRA)
        end = checkpoint - CIRCULAR_EXTRA;
    (void)log_delete_generations(log, low, end <= high + 1 ? end : high + 1);
}

JET_ERR log_update_checkpoint(struct log *log, bool force)
{
    JET_ERR err = JET_errSuccess;
    const struct log_callbacks *callbacks = &log->settings.callbacks;
    os_mutex_lock(&log->lock);
    while (log->checkpointing)
        (void)os_condition_wait(&log->idle, &log->lock, OS_WAIT_FOREVER);
    if (!log->settings.enabled || !log->started || log->down != JET_errSuccess) {
        os_mutex_unlock(&log->lock);
        return JET_errSuccess;
    }
    log->checkpointing = true;
    struct log_position current = log->checkpoint;
    os_mutex_unlock(&log->lock);

    struct log_position position = recompute(log);
    if (log_position_compare(position, current) < 0)
        position = current; /* never goes back */
    bool moved = log_position_compare(position, current) != 0;
    os_mutex_lock(&log->lock);
    int32_t generation = log->header.generation;
    struct log_time created = log->header.created;
    os_mutex_unlock(&log->lock);
    if (moved || force) {
        if (position.generation != current.generation && callbacks->generations_required != NULL)
            TRY(callbacks->generations_required(callbacks->context, position.generation, generation,
                                                &created));
        TRY(write_file(log, position, false));
        log_set_checkpoint(log, position);
    }
done:
    os_mutex_lock(&log->lock);
    log->checkpointing = false;
    os_condition_wake_all(&log->idle);
    os_mutex_unlock(&log->lock);
    return err;
}
