/* Finding and checking the log files, one generation after another. */
#include "src/os/file.h"
#include "src/os/path.h"
#include "src/recovery/recovery_internal.h"

void recovery_close_reader(struct recovery *recovery)
{
    log_file_close(recovery->reader);
    recovery->reader = NULL;
    recovery->reader_is_current = false;
}

JET_ERR recovery_check_header(struct recovery *recovery, const struct log_file_header *header)
{
    uint32_t size = (uint32_t)header->file_sectors * LOG_SECTOR_SIZE;
    uint32_t page_size = header->page_size == 0 ? 4096 : header->page_size;
    if (!recovery->signature_known) {
        recovery->log_signature = header->log_signature;
        recovery->signature_known = true;
    } else if (memcmp(&recovery->log_signature, &header->log_signature, sizeof(header->log_signature)) != 0) {
        return JET_errBadLogSignature;
    }
    if (page_size != recovery->options->page_size)
        return JET_errPageSizeMismatch;
    if (recovery->log_file_size == 0)
        recovery->log_file_size = size;
    return recovery->log_file_size == size ? JET_errSuccess : JET_errLogFileSizeMismatch;
}

static JET_ERR try_open(struct recovery *recovery, int32_t generation, bool current)
{
    JET_ERR err = JET_errSuccess;
    char path[OS_PATH_SIZE];
    struct log_file_reader *reader = NULL;
    TRY(log_path_in(recovery->log, recovery->directory, current ? LOG_PATH_CURRENT : generation, path,
                    sizeof(path)));
    TRY(log_file_open(path, &reader));
    TRY(recovery_check_header(recovery, log_file_reader_header(reader)));
    recovery_close_reader(recovery);
    recovery->reader = reader;
    reader = NULL;
    recovery->reader_is_current = current;
    recovery->generation = log_file_reader_header(recovery->reader)->generation;
done:
    log_file_close(reader);
    /* A directory that is not there holds no log. */
    return err == JET_errInvalidPath ? JET_errFileNotFound : err;
}

JET_ERR recovery_ask_open(const struct recovery *recovery, int32_t generation, bool current)
{
    char path[OS_PATH_SIZE];
    JET_ERR err = log_path_in(recovery->log, recovery->directory, current ? LOG_PATH_CURRENT : generation,
                              path, sizeof(path));
    return err < JET_errSuccess ? err
                                : recovery_control_open_log(recovery, path, JET_OpenLogForRedo, generation,
                                                            current, JET_errSuccess);
}

JET_ERR recovery_open_archived(struct recovery *recovery, int32_t generation)
{
    return try_open(recovery, generation, false);
}

JET_ERR recovery_open_generation(struct recovery *recovery, int32_t generation)
{
    JET_ERR err = recovery_open_archived(recovery, generation);
    if (err == JET_errFileNotFound)
        err = try_open(recovery, generation, true);
    return err;
}

JET_ERR recovery_open_current(struct recovery *recovery)
{
    return try_open(recovery, 0, true);
}

JET_ERR recovery_corruption(const struct recovery *recovery, bool torn)
{
    if (!recovery->hard)
        return JET_errLogFileCorrupt;
    if (recovery->generation <= recovery->generation_high)
        return torn ? JET_errLogTornWriteDuringHardRestore : JET_errLogCorruptDuringHardRestore;
    return torn ? JET_errLogTornWriteDuringHardRecovery : JET_errLogCorruptDuringHardRecovery;
}

bool recovery_log_is_damaged(const struct recovery *recovery)
{
    const struct log_file_end *end = log_file_reader_end(recovery->reader);
    bool may_end_torn =
        recovery->reader_is_current && !(recovery->hard && recovery->generation <= recovery->generation_high);
    return end->corrupt || (end->torn_tail && !may_end_torn);
}

JET_ERR recovery_check_required(const struct recovery *recovery, int32_t generation)
{
    JET_ERR worst = JET_errSuccess;
    for (uint32_t id = 1; id <= DATABASE_ID_MAX; id++) {
        const struct database *database = recovery->databases[id].database;
        if (database == NULL)
            continue;
        if (database->header.generation_max_required > generation)
            return JET_errRequiredLogFilesMissing;
        if (database->header.generation_max_committed > generation)
            worst = JET_errCommittedLogFilesMissing;
    }
    return worst;
}

static bool may_lose_logs(const struct recovery *recovery)
{
    return (recovery->options->grbit & JET_bitReplayIgnoreLostLogs) != 0;
}

/* The program gave up logs that had been committed, but that no page needs: the database ends with those
 * there are. */
static JET_ERR forget_committed(struct recovery *recovery, struct database *database)
{
    os_mutex_lock(&database->header_lock);
    struct database_header *header = &database->header;
    JET_ERR err = JET_errSuccess;
    if (header->generation_max_committed > recovery->generation) {
        header->generation_max_committed = recovery->generation;
        header->generation_max_create_time = log_file_reader_header(recovery->reader)->created;
        err = database_write_header_locked(database);
    }
    os_mutex_unlock(&database->header_lock);
    return err;
}

JET_ERR recovery_check_required_after_redo(struct recovery *recovery)
{
    JET_ERR err = recovery_check_required(recovery, recovery->generation);
    if (err != JET_errCommittedLogFilesMissing || !may_lose_logs(recovery))
        return err;
    (void)recovery_control_condition(recovery, err);
    recovery->lost_logs = true;
    err = JET_errSuccess;
    for (uint32_t id = 1; id <= DATABASE_ID_MAX; id++) {
        if (recovery->databases[id].database != NULL)
            TRY(forget_committed(recovery, recovery->databases[id].database));
    }
done:
    return err;
}

/* A log that does not follow the one before, or is damaged: may it be left out? The answer is the error, or
 * JET_wrnCommittedLogFilesRemoved when the logs from there on were set aside. */
static JET_ERR evaluate_bad_log(struct recovery *recovery, int32_t generation, JET_ERR condition)
{
    JET_ERR err = JET_errSuccess;
    char path[OS_PATH_SIZE];
    JET_ERR required = recovery_check_required(recovery, generation - 1);
    bool may_delete = may_lose_logs(recovery) && recovery->options->delete_out_of_range_logs;
    if (required == JET_errRequiredLogFilesMissing || (required == JET_errSuccess && !may_delete))
        return condition;
    if (!may_delete)
        return condition == JET_errInvalidLogSequence ? JET_errCommittedLogFilesMissing
                                                      : JET_errCommittedLogFileCorrupt;
    int32_t low, high;
    TRY(log_generation_range(recovery->log, &low, &high));
    recovery_close_reader(recovery);
    for (int32_t lost = generation; lost <= high; lost++) {
        log_path(recovery->log, lost, path);
        (void)os_file_delete(path);
    }
    log_path(recovery->log, LOG_PATH_CURRENT, path);
    (void)os_file_delete(path);
    recovery->lost_logs = recovery->removed_logs = true;
    err = JET_wrnCommittedLogFilesRemoved;
done:
    return err;
}

JET_ERR recovery_check_current(const struct recovery *recovery, unsigned action, int32_t generation)
{
    char path[OS_PATH_SIZE];
    log_path(recovery->log, LOG_PATH_TEMPORARY, path);
    const bool may_lack =
        recovery->hard || may_lose_logs(recovery) ||
        (recovery->options->grbit & (JET_bitRecoveryWithoutUndo | JET_bitAllowMissingCurrentLog)) != 0 ||
        os_file_exists(path);
    return recovery_control_missing_log(recovery, action, generation, true,
                                        may_lack ? JET_errSuccess : JET_errMissingLogFile);
}

/* There is no file of the next generation: is redo complete? */
static JET_ERR no_next_file(struct recovery *recovery, int32_t generation)
{
    JET_ERR err = JET_errSuccess;
    int32_t low, high;
    if (!log_position_is_null(recovery->options->stop))
        FAIL(JET_errMissingLogFile);
    TRY(log_generation_range_in(recovery->log, recovery->directory, &low, &high));
    if (!recovery->hard && (high == 0 || high > generation))
        FAIL(JET_errMissingLogFile); /* a gap */
    if (recovery->hard || may_lose_logs(recovery)) {
        err = recovery_check_required(recovery, generation - 1);
        if (may_lose_logs(recovery) && err == JET_errCommittedLogFilesMissing)
            err = JET_errSuccess; /* what that means to the databases is seen to after redo */
        TRY(err);
    }
    err = recovery_check_current(recovery, JET_MissingLogContinueToUndo, generation);
done:
    return err;
}

/* The same, if a call-back does not refuse it. */
static JET_ERR ask_and_open(struct recovery *recovery, int32_t generation, bool current)
{
    JET_ERR err = recovery_ask_open(recovery, generation, current);
    return err < JET_errSuccess ? err : try_open(recovery, generation, current);
}

/* Opens the next generation where it may be: the backup's directory, then the target's, then the log
 * directory. */
static JET_ERR open_next(struct recovery *recovery, int32_t generation)
{
    const char *main_directory = log_get_settings(recovery->log)->log_directory;
    bool beyond_target =
        recovery->directory == recovery->target_directory && recovery->target_high == generation - 1;
    JET_ERR err = beyond_target ? JET_errFileNotFound : ask_and_open(recovery, generation, false);
    if (err == JET_errFileNotFound && recovery->directory != main_directory) {
        if (recovery->target_directory != NULL && recovery->directory != recovery->target_directory)
            recovery->directory = recovery->target_directory;
        else
            recovery->directory = main_directory;
        err = ask_and_open(recovery, generation, false);
    }
    if (err == JET_errFileNotFound)
        err = ask_and_open(recovery, generation, true);
    return err;
}

static bool times_equal(const struct log_time *a, const struct log_time *b)
{
    return memcmp(a, b, sizeof(*a)) == 0;
}

/* The last required log must be the very file that the database knew. */
static JET_ERR check_required_identity(const struct recovery *recovery)
{
    static const struct log_time none;
    const struct log_file_header *header = log_file_reader_header(recovery->reader);
    for (uint32_t id = 1; id <= DATABASE_ID_MAX && !may_lose_logs(recovery); id++) {
        const struct database *database = recovery->databases[id].database;
        if (database == NULL || database->header.generation_max_required != header->generation ||
            database->header.generation_max_committed != header->generation)
            continue;
        if (!times_equal(&database->header.generation_max_create_time, &none) &&
            !times_equal(&database->header.generation_max_create_time, &header->created))
            return JET_errRequiredLogFilesMissing;
    }
    return JET_errSuccess;
}

/* What must hold between a log and the one before it. */
static JET_ERR check_chain(struct recovery *recovery, int32_t generation,
                           const struct log_file_header *previous, uint64_t previous_checksum)
{
    const struct log_file_header *header = log_file_reader_header(recovery->reader);
    const struct log_file_end *end = log_file_reader_end(recovery->reader);
    if (!times_equal(&previous->created, &header->previous_created) || header->generation != generation)
        return evaluate_bad_log(recovery, generation, JET_errInvalidLogSequence);
    if (header->update_minor >= LOG_UPDATE_MINOR_SEGMENTS_CHECKSUM &&
        header->previous_segments_checksum != previous_checksum)
        return JET_errLogSequenceChecksumMismatch;
    if (recovery_log_is_damaged(recovery))
        return evaluate_bad_log(recovery, generation, recovery_corruption(recovery, false));
    if (recovery->hard && end->torn &&
        (generation <= recovery->generation_high || !recovery->reader_is_current))
        return recovery_corruption(recovery, true);
    return JET_errSuccess;
}

JET_ERR recovery_next_file(struct recovery *recovery, bool *done)
{
    JET_ERR err = JET_errSuccess;
    *done = recovery->reader_is_current;
    if (*done)
        return check_required_identity(recovery);
    struct log_file_header previous = *log_file_reader_header(recovery->reader);
    uint64_t previous_checksum = log_file_reader_end(recovery->reader)->segments_checksum;
    int32_t generation = previous.generation + 1;
    err = open_next(recovery, generation);
    if (err == JET_errFileNotFound) {
        TRY(no_next_file(recovery, generation));
        *done = true;
        FAIL(JET_errSuccess);
    }
    TRY(err);
    TRY(check_chain(recovery, generation, &previous, previous_checksum));
    if (err == JET_wrnCommittedLogFilesRemoved) {
        *done = true;
        TRY(recovery_open_generation(recovery, generation - 1));
        FAIL(JET_errSuccess);
    }
    TRY(check_required_identity(recovery));
    recovery_control_file_opened(recovery);
    TRY(log_file_seek(recovery->reader, (struct log_position){0, LOG_HEADER_SECTORS, generation}));
done:
    return err;
}
