/* Start-up: what the log directory holds decides what has to be done. */
#include "src/os/clock.h"
#include "src/os/file.h"
#include "src/os/path.h"
#include "src/os/memory.h"
#include "src/recovery/recovery_internal.h"

/* What was found before redo. */
struct start_state {
    bool current_exists;
    bool closed;         /* the log ends with a term, which the checkpoint names */
    bool use_checkpoint; /* the checkpoint file was there at the beginning */
};

/* Reads the checkpoint file; errors that recovery can do without are JET_errCheckpointCorrupt and the like.
 */
static JET_ERR read_checkpoint(struct recovery *recovery)
{
    JET_ERR err = JET_errSuccess;
    char path[OS_PATH_SIZE];
    log_path(recovery->log, LOG_PATH_CHECKPOINT, path);
    TRY(checkpoint_read(path, &recovery->checkpoint));
    if (recovery->signature_known && memcmp(&recovery->log_signature, &recovery->checkpoint.log_signature,
                                            sizeof(recovery->log_signature)) != 0)
        FAIL(JET_errBadCheckpointSignature);
done:
    return err;
}

static void delete_checkpoint(struct recovery *recovery)
{
    char path[OS_PATH_SIZE];
    log_path(recovery->log, LOG_PATH_CHECKPOINT, path);
    (void)os_file_delete(path);
}

/* Recovery from the beginning of a log file: its header has the attachments. */
static void fake_checkpoint(struct recovery *recovery, const struct log_file_header *header)
{
    recovery->checkpoint.checkpoint = (struct log_position){0, LOG_HEADER_SECTORS, header->generation};
    memcpy(recovery->checkpoint.attachments, header->attachments, sizeof(header->attachments));
}

/* Opens the generation that the checkpoint names. edb.log is open in the reader if it exists; another one
 * than that must lie there under its own name. */
static JET_ERR start_at_checkpoint(struct recovery *recovery, bool current_exists)
{
    JET_ERR err = JET_errSuccess;
    int32_t generation = recovery->checkpoint.checkpoint.generation;
    const bool current = current_exists && recovery->generation == generation;
    err = recovery_ask_open(recovery, generation, current);
    TRY(err == JET_errFileNotFound ? JET_errMissingLogFile : err);
    if (!current) {
        err = recovery_open_archived(recovery, generation);
        TRY(err == JET_errFileNotFound ? JET_errMissingLogFile : err);
    }
    const struct log_file_header *header = log_file_reader_header(recovery->reader);
    if (header->generation != generation ||
        (recovery->checkpoint.version & CHECKPOINT_ATTACHMENTS_PRESENT) == 0)
        fake_checkpoint(recovery, header);
done:
    return err;
}

/* Without a checkpoint: from the oldest log there is. */
static JET_ERR start_at_oldest(struct recovery *recovery)
{
    JET_ERR err = JET_errSuccess;
    int32_t low, high;
    /* Whoever begins later than at the oldest may miss what databases need. */
    TRY(log_generation_range(recovery->log, &low, &high));
    if (low != 0) {
        err = recovery_ask_open(recovery, low, false);
        if (err >= JET_errSuccess)
            err = recovery_open_generation(recovery, low);
        if (err == JET_errFileNotFound)
            err = JET_errMissingPreviousLogFile;
        TRY(err);
    }
    ASSERT(recovery->reader != NULL);
    fake_checkpoint(recovery, log_file_reader_header(recovery->reader));
done:
    return err;
}

static JET_ERR choose_start(struct recovery *recovery, struct start_state *state)
{
    JET_ERR err = recovery_control_open_checkpoint(recovery);
    if (err < JET_errSuccess)
        state->use_checkpoint = false;
    if (!state->use_checkpoint)
        delete_checkpoint(recovery);
    else {
        err = read_checkpoint(recovery);
        if (err >= JET_errSuccess)
            return start_at_checkpoint(recovery, state->current_exists);
        if (err == JET_errOutOfMemory)
            return err;
    }
    return start_at_oldest(recovery);
}

/* edb.log is not there. With edbtmp.log, that may be the moment between two names while the log went on to
 * its next file: redo goes as far as the older logs reach, and the databases say whether they need more. */
static JET_ERR without_current(struct recovery *recovery, bool *new_log)
{
    JET_ERR err = JET_errSuccess;
    int32_t low, high;
    TRY(log_generation_range(recovery->log, &low, &high));
    *new_log = high == 0;
    if (!*new_log) {
        err = recovery_check_current(recovery, JET_MissingLogContinueToRedo, high + 1);
        goto done;
    }
    const bool must_exist = (recovery->options->grbit & JET_bitLogStreamMustExist) != 0;
    TRY(recovery_control_missing_log(recovery, JET_MissingLogCreateNewLogStream, 0, false,
                                     must_exist ? JET_errMissingLogFile : JET_errSuccess));
    delete_checkpoint(recovery);
    TRY(log_start_new(recovery->log));
done:
    return err;
}

static JET_ERR delete_out_of_range(struct recovery *recovery)
{
    JET_ERR err = JET_errSuccess;
    int32_t low, high;
    TRY(log_generation_range(recovery->log, &low, &high));
    if (high >= recovery->generation)
        TRY(log_delete_generations(recovery->log, recovery->generation, high + 1));
done:
    return err;
}

/* edb.log is there: reads it; was it closed in good order, as the checkpoint says? */
static JET_ERR with_current(struct recovery *recovery, struct start_state *state)
{
    JET_ERR err = JET_errSuccess;
    const struct log_file_end *end = log_file_reader_end(recovery->reader);
    state->closed = end->closed_normally && !end->corrupt;
    if (recovery->options->delete_out_of_range_logs)
        TRY(delete_out_of_range(recovery));
    if (!state->closed || !state->use_checkpoint)
        goto done;
    err = read_checkpoint(recovery);
    if (err == JET_errOutOfMemory)
        goto done;
    if (err < JET_errSuccess)
        state->use_checkpoint = false;
    else if (log_position_compare(recovery->checkpoint.checkpoint, end->last_term) != 0)
        state->closed = false;
    err = JET_errSuccess;
done:
    return err;
}

/* The log was closed: it goes on where it ended. */
static JET_ERR resume(struct recovery *recovery)
{
    log_set_checkpoint(recovery->log, log_file_reader_end(recovery->reader)->last_term);
    log_set_file_size(recovery->log, recovery->log_file_size);
    return log_start_existing(recovery->log, recovery->reader);
}

/* The program wants logs of another size than those that were found. */
static JET_ERR match_log_size(struct recovery *recovery, uint32_t wanted)
{
    JET_ERR err = JET_errSuccess;
    int32_t low, high;
    char path[OS_PATH_SIZE];
    ASSERT(recovery->log_file_size != 0); /* a log was there */
    if (recovery->options->log_size_default || recovery->log_file_size == wanted)
        return JET_errSuccess;
    if (!recovery->options->cleanup_mismatched_logs)
        return JET_errLogFileSizeMismatchDatabasesConsistent;
    /* All databases are consistent: the logs are not needed any more, a new sequence begins. */
    (void)log_abandon(recovery->log);
    TRY(log_generation_range(recovery->log, &low, &high));
    if (low != 0) /* a start that died in the middle of this has left the current one alone */
        TRY(log_delete_generations(recovery->log, low, high + 1));
    log_path(recovery->log, LOG_PATH_CURRENT, path);
    TRY(os_file_delete(path));
    delete_checkpoint(recovery);
    log_set_file_size(recovery->log, wanted);
    TRY(log_start_new(recovery->log));
done:
    return err;
}

static JET_ERR append_init(struct recovery *recovery)
{
    JET_ERR err = JET_errSuccess;
    struct log_position position = LOG_POSITION_MIN;
    struct log_record_init2 record = {{LOG_RECORD_INIT2, log_get_settings(recovery->log)->parameters},
                                      os_clock_log_time()};
    record.init.parameters.log_file_sectors = log_get_settings(recovery->log)->file_size / LOG_SECTOR_SIZE;
    TRY(log_append_record(recovery->log, &record, sizeof(record), &position));
    recovery->set->init = position;
done:
    return err;
}

/* After the death of the process alone, segments may be there that were never synced: they must be on disk
 * before pages with their changes are. */
static JET_ERR sync_current(const struct recovery *recovery)
{
    JET_ERR err = JET_errSuccess;
    char path[OS_PATH_SIZE];
    struct os_file *file = NULL;
    log_path(recovery->log, LOG_PATH_CURRENT, path);
    TRY(os_file_open(path, OS_OPEN_WRITE, OS_SHARE_READ, &file));
    TRY(os_file_sync(file));
done:
    os_file_close(file);
    return err;
}

/* From the checkpoint to the current log, or to where redo is to stop. */
static JET_ERR begin_progress(struct recovery *recovery, const struct start_state *state)
{
    JET_ERR err = JET_errSuccess;
    int32_t low, high;
    TRY(log_generation_range(recovery->log, &low, &high));
    if (state->current_exists)
        high++;
    low = recovery->checkpoint.checkpoint.generation;
    const int32_t stop = recovery->options->stop.generation;
    if (stop > 0 && high > stop)
        high = stop;
    recovery_progress_begin(recovery, low, high > low ? high : low);
done:
    return err;
}

static JET_ERR redo_and_undo(struct recovery *recovery, struct start_state *state)
{
    JET_ERR err = JET_errSuccess;
    bool without_undo = (recovery->options->grbit & JET_bitRecoveryWithoutUndo) != 0;
    if (state->current_exists)
        TRY(sync_current(recovery));
    TRY(choose_start(recovery, state));
    TRY(begin_progress(recovery, state));
    database_set_redoing(recovery->set, true);
    TRY(recovery_redo(recovery));
    err = recovery_control_begin_undo(recovery, without_undo ? JET_errRecoveredWithoutUndo : JET_errSuccess);
    without_undo = err == JET_errRecoveredWithoutUndo;
    if (!without_undo)
        TRY(err);
    err = JET_errSuccess;
    if (without_undo && !recovery->ended) {
        TRY(recovery_check_required_after_redo(recovery));
        TRY(recovery_check_mismatch(recovery));
        FAIL(JET_errRecoveredWithoutUndo);
    }
    TRY(recovery_check_required_after_redo(recovery));
    TRY(recovery_undo(recovery));
done:
    recovery_progress_end(recovery, err >= JET_errSuccess || err == JET_errRecoveredWithoutUndo);
    if (err >= JET_errSuccess)
        recovery_control_redo_ends(recovery);
    database_set_redoing(recovery->set, false);
    return err;
}

void recovery_set_callbacks(struct recovery *recovery)
{
    struct log_callbacks callbacks = log_get_settings(recovery->log)->callbacks;
    database_set_log_callbacks(recovery->set, &callbacks);
    log_set_callbacks(recovery->log, &callbacks);
}

/* JET_bitTruncateLogsAfterRecovery: all databases are clean, nobody needs the old logs. What cannot be
 * deleted stays. */
static void truncate_logs(struct recovery *recovery)
{
    int32_t low, high;
    if ((recovery->options->grbit & JET_bitTruncateLogsAfterRecovery) == 0)
        return;
    if (log_generation_range(recovery->log, &low, &high) >= JET_errSuccess && low != 0)
        (void)log_delete_generations(recovery->log, low, log_generation(recovery->log));
}

static JET_ERR start_logs(struct recovery *recovery, struct recovery_report *report)
{
    JET_ERR err = JET_errSuccess;
    struct start_state state = {false, false, false};
    char path[OS_PATH_SIZE];
    uint32_t wanted = log_get_settings(recovery->log)->file_size;
    log_path(recovery->log, LOG_PATH_CHECKPOINT, path);
    TRY(recovery_path_exists(path, false, &state.use_checkpoint));
    err = recovery_open_current(recovery);
    if (err == JET_errFileNotFound) {
        state.use_checkpoint = state.use_checkpoint && !recovery->options->doubt_checkpoint;
        TRY(without_current(recovery, &report->new_log));
    } else {
        TRY(err);
        state.current_exists = true;
        TRY(with_current(recovery, &state));
    }
    if (!report->new_log) {
        report->redone = !state.closed || !state.use_checkpoint;
        if (report->redone) {
            TRY(redo_and_undo(recovery, &state));
            truncate_logs(recovery);
        } else {
            TRY(resume(recovery));
        }
        const bool without_undo = (recovery->options->grbit & JET_bitRecoveryWithoutUndo) != 0;
        log_path(recovery->log, LOG_PATH_CURRENT, path);
        TRY(recovery_control_open_log(recovery, path, JET_OpenLogForDo, 0, true,
                                      without_undo ? JET_errRecoveredWithoutUndoDatabasesConsistent
                                                   : JET_errSuccess));
        TRY(match_log_size(recovery, wanted));
    }
    TRY(append_init(recovery));
    report->log_size = log_get_settings(recovery->log)->file_size;
    if (recovery->lost_logs)
        report->warning =
            recovery->removed_logs ? JET_wrnCommittedLogFilesRemoved : JET_wrnCommittedLogFilesLost;
done:
    return err;
}

void recovery_report_done(struct recovery_report *report)
{
    while (report->attached_count > 0)
        os_free(report->attached[--report->attached_count]);
}

JET_ERR recovery_start(const struct recovery_options *options, struct recovery_report *report)
{
    JET_ERR err = JET_errSuccess;
    struct recovery recovery;
    memset(&recovery, 0, sizeof(recovery));
    memset(report, 0, sizeof(*report));
    recovery.options = options;
    recovery.report = report;
    recovery.set = options->set;
    recovery.log = options->set->log;
    recovery.directory = log_get_settings(recovery.log)->log_directory;
    ASSERT(log_enabled(recovery.log));
    recovery_set_callbacks(&recovery);
    TRY(start_logs(&recovery, report));
done:
    recovery_done(&recovery);
    if (err < JET_errSuccess) {
        (void)log_abandon(recovery.log);
        recovery_report_done(report);
    }
    return err;
}
