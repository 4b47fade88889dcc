/* Restore: a backup's databases and logs, then the logs that follow, become consistent databases (engine
 * source: `logutil.cxx`). */
#include "src/recovery/restore.h"

#include "src/os/file.h"
#include "src/os/memory.h"
#include "src/os/path.h"

/* The status call-back counts what is in the log directory, too: redo may go on there. */
static JET_ERR begin_progress(struct recovery *recovery)
{
    JET_ERR err = JET_errSuccess;
    int32_t low, high;
    char path[OS_PATH_SIZE];
    TRY(log_generation_range(recovery->log, &low, &high));
    log_path(recovery->log, LOG_PATH_CURRENT, path);
    if (os_file_exists(path))
        high++;
    recovery_progress_begin(recovery, recovery->generation_low,
                            high > recovery->generation_high ? high : recovery->generation_high);
done:
    return err;
}

/* The directory whose logs are the backup's: the one given, or its "new" or "old" folder after an atomic
 * backup. */
static JET_ERR find_backup(struct recovery *recovery, const char *directory, char *found, size_t capacity,
                           int32_t *low, int32_t *high)
{
    static const char *const folders[] = {"", "new", "old"};
    JET_ERR err = JET_errSuccess;
    for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
        char joined[OS_PATH_SIZE];
        TRY(os_path_join(directory, folders[i], joined, sizeof(joined)));
        TRY(os_path_full(joined, found, capacity));
        if (i > 0 && !os_directory_exists(found))
            continue;
        TRY(log_generation_range_in(recovery->log, found, low, high));
        if (*low != 0)
            FAIL(JET_errSuccess);
    }
    err = JET_errFileNotFound;
done:
    return err;
}

/* Redo begins with the first log of the backup, whose header names the databases that were attached. */
static JET_ERR set_start(struct recovery *recovery)
{
    JET_ERR err = JET_errSuccess;
    char path[OS_PATH_SIZE];
    recovery->directory = recovery->restore_directory;
    TRY(recovery_open_generation(recovery, recovery->generation_low));
    const struct log_file_header *header = log_file_reader_header(recovery->reader);
    const struct log_file_end *end = log_file_reader_end(recovery->reader);
    if (end->torn && !end->corrupt)
        FAIL(recovery_corruption(recovery, true));
    recovery->checkpoint.checkpoint = (struct log_position){0, LOG_HEADER_SECTORS, recovery->generation_low};
    memcpy(recovery->checkpoint.attachments, header->attachments, sizeof(header->attachments));
    if (!recovery->external)
        goto done; /* the checkpoint stays, for the case that this fails */
    log_path(recovery->log, LOG_PATH_CHECKPOINT, path);
    err = os_file_delete(path);
    if (err == JET_errFileNotFound || err == JET_errInvalidPath)
        err = JET_errSuccess;
done:
    return err;
}

static JET_ERR check_external_databases(struct recovery *recovery)
{
    JET_ERR err = JET_errSuccess;
    for (size_t i = 0; i < recovery->options->map_count; i++) {
        char path[OS_PATH_SIZE];
        TRY(os_path_full(recovery->options->map[i].to, path, sizeof(path)));
        TRY(restore_check_database(recovery, path));
    }
done:
    return err;
}

static JET_ERR redo_and_undo(struct recovery *recovery)
{
    JET_ERR err = JET_errSuccess;
    database_set_redoing(recovery->set, true);
    TRY(recovery_redo(recovery));
    TRY(recovery_control_begin_undo(recovery, JET_errSuccess));
    TRY(recovery_check_required(recovery, recovery->generation));
    TRY(recovery_undo(recovery));
done:
    database_set_redoing(recovery->set, false);
    return err;
}

static JET_ERR run(struct recovery *recovery, const struct restore_options *options)
{
    JET_ERR err = JET_errSuccess;
    char directory[OS_PATH_SIZE];
    int32_t low = options->generation_low;
    int32_t high = options->generation_high;
    int32_t found_low = 0;
    int32_t found_high = 0;
    if (options->external) {
        TRY(os_path_full(options->backup_directory, directory, sizeof(directory)));
        if (low == 0 || high == 0)
            TRY(log_generation_range_in(recovery->log, directory, &found_low, &found_high));
    } else {
        TRY(find_backup(recovery, options->backup_directory, directory, sizeof(directory), &found_low,
                        &found_high));
    }
    recovery->restore_directory = directory;
    recovery->generation_low = low != 0 ? low : found_low;
    recovery->generation_high = high != 0 ? high : found_high;
    TRY(restore_check_logs(recovery, recovery->generation_low, recovery->generation_high));
    if (options->external)
        TRY(check_external_databases(recovery));
    TRY(begin_progress(recovery));
    if (!options->external)
        TRY(restore_check_patch_files(recovery));
    TRY(set_start(recovery));
    TRY(redo_and_undo(recovery));
    TRY(log_stop(recovery->log));
    recovery_progress_end(recovery, true);
done:
    /* The directory's text ends here. */
    recovery->restore_directory = NULL;
    recovery->directory = log_get_settings(recovery->log)->log_directory;
    return err;
}

JET_ERR recovery_restore(const struct restore_options *options)
{
    JET_ERR err = JET_errSuccess;
    struct recovery recovery;
    char destination[OS_PATH_SIZE];
    char target[OS_PATH_SIZE];
    memset(&recovery, 0, sizeof(recovery));
    recovery.options = &options->recovery;
    recovery.set = options->recovery.set;
    recovery.log = recovery.set->log;
    recovery.hard = true;
    recovery.external = options->external;
    recovery.directory = log_get_settings(recovery.log)->log_directory;
    if (options->destination != NULL && options->destination[0] != '\0') {
        TRY(os_path_full(options->destination, destination, sizeof(destination)));
        recovery.restore_destination = destination;
    }
    if (options->target_log_directory != NULL && options->target_log_directory[0] != '\0') {
        TRY(os_path_full(options->target_log_directory, target, sizeof(target)));
        recovery.target_directory = target;
        recovery.target_high = options->target_generation_high;
    }
    recovery_set_callbacks(&recovery);
    TRY(run(&recovery, options));
done:
    if (options->found_logs != NULL)
        *options->found_logs = recovery.found_logs;
    recovery_done(&recovery);
    for (size_t i = 0; i < recovery.placed_count; i++)
        os_free(recovery.placed[i]);
    if (err < JET_errSuccess)
        (void)log_abandon(recovery.log);
    return err;
}
