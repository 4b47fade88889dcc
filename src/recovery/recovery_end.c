/* From redo to running: the end of sessions, undo, the quit record. */
#include "src/os/clock.h"
#include "src/os/file.h"
#include "src/os/path.h"
#include "src/os/memory.h"
#include "src/recovery/recovery_internal.h"

JET_ERR recovery_end_sessions(struct recovery *recovery)
{
    JET_ERR err = JET_errSuccess;
    struct log_position mark =
        log_position_is_null(recovery->shutdown_mark) ? recovery->position : recovery->shutdown_mark;
    TRY(recovery_tell_detaching(recovery));
    TRY(recovery_undo_sessions(recovery, true));
    recovery_free_sessions(recovery);
    (void)version_store_clean(recovery->set->versions, NULL);
    TRY(recovery_check_missing_pages(recovery));
    TRY(recovery_close_databases(recovery, mark));
done:
    return err;
}

static JET_ERR append_recovery_undo(struct recovery *recovery, struct log_position *position)
{
    struct log_record_recovery_undo2 record = {LOG_RECORD_RECOVERY_UNDO2, os_clock_log_time()};
    return log_append_record(recovery->log, &record, sizeof(record), position);
}

JET_ERR recovery_append_shutdown_mark(struct log *log, struct log_position *position)
{
    JET_ERR err = JET_errSuccess;
    struct log_record_header record = {LOG_RECORD_SHUTDOWN_MARK};
    TRY(log_append_record(log, &record, sizeof(record), position));
    TRY(log_flush(log, *position));
done:
    return err;
}

/* The log is told to go on behind what redo has read. */
static JET_ERR continue_log(struct recovery *recovery)
{
    JET_ERR err = JET_errSuccess;
    char path[OS_PATH_SIZE];
    log_set_checkpoint(recovery->log, recovery->checkpoint.checkpoint);
    log_set_file_size(recovery->log, recovery->log_file_size);
    if (!recovery->reader_is_current) {
        TRY(log_start_behind(recovery->log, recovery->reader));
        FAIL(JET_errSuccess);
    }
    log_path(recovery->log, LOG_PATH_CURRENT, path);
    TRY(log_file_patch(path, recovery->reader));
    TRY(log_start_existing(recovery->log, recovery->reader));
done:
    return err;
}

static JET_ERR append_quit(struct recovery *recovery, struct log_position undo)
{
    JET_ERR err = JET_errSuccess;
    struct log_position position = LOG_POSITION_MIN;
    struct log_record_term2 record = {
        {LOG_RECORD_RECOVERY_QUIT2, undo, recovery->checkpoint.checkpoint, recovery->hard ? 1 : 0},
        os_clock_log_time()};
    TRY(log_append_record(recovery->log, &record, sizeof(record), &position));
    TRY(log_flush(recovery->log, position));
    TRY(log_write_checkpoint(recovery->log, position));
done:
    return err;
}

/* Splits and merges that the crash cut short never happened: the log says so, so that whoever redoes the undo
 * below does not take its records for parts of them. */
static JET_ERR abort_macros(struct recovery *recovery)
{
    JET_ERR err = JET_errSuccess;
    for (struct recovery_session *session = recovery->sessions; session != NULL; session = session->next) {
        while (session->macros != NULL) {
            struct log_position position = LOG_POSITION_MIN;
            struct log_record_macro record = {LOG_RECORD_MACRO_ABORT, session->process,
                                              session->macros->dbtime};
            TRY(log_append_record(recovery->log, &record, sizeof(record), &position));
            recovery_macro_end(session, record.dbtime);
        }
    }
done:
    return err;
}

/* Remembers what is attached, for who wants it to stay so. */
static JET_ERR note_attached(struct recovery *recovery)
{
    struct recovery_report *report = recovery->report;
    if (report == NULL || (recovery->options->grbit & JET_bitKeepDbAttachedAtEndOfRecovery) == 0)
        return JET_errSuccess;
    for (uint32_t id = 1; id <= DATABASE_ID_MAX; id++) {
        const struct database *database = recovery->databases[id].database;
        if (database == NULL || database->header.state == DATABASE_JUST_CREATED)
            continue;
        char *path = os_duplicate_text(database->path);
        if (path == NULL)
            return JET_errOutOfMemory;
        report->attached[report->attached_count++] = path;
    }
    return JET_errSuccess;
}

static JET_ERR undo_open_sessions(struct recovery *recovery)
{
    JET_ERR err = JET_errSuccess;
    struct log_position undo = LOG_POSITION_MIN;
    /* A mark that is the last record stays the only one: headers may name it, and whoever redoes this log
     * from an older copy has to come to the same. */
    struct log_position mark = recovery->shutdown_mark;
    if (!recovery->last_is_shutdown)
        TRY(append_recovery_undo(recovery, &undo));
    TRY(recovery_check_mismatch(recovery));
    TRY(recovery_tell_detaching(recovery));
    TRY(abort_macros(recovery));
    TRY(recovery_undo_sessions(recovery, false));
    recovery_free_sessions(recovery);
    /* What is left of committed transactions' deletions stays in the pages: later clean-up finds it. */
    (void)version_store_clean(recovery->set->versions, NULL);
    for (uint32_t id = 1; id <= DATABASE_ID_MAX; id++) {
        if (recovery->databases[id].database != NULL)
            TRY(cache_flush_database(recovery->databases[id].database));
    }
    if (!recovery->last_is_shutdown)
        TRY(recovery_append_shutdown_mark(recovery->log, &mark));
    TRY(note_attached(recovery));
    TRY(recovery_close_databases(recovery, mark));
    TRY(append_quit(recovery, undo));
    recovery->ended = true;
done:
    return err;
}

JET_ERR recovery_undo(struct recovery *recovery)
{
    JET_ERR err = JET_errSuccess;
    struct log_time created;
    TRY(continue_log(recovery));
    (void)recovery_tell_detaching(recovery); /* who reads the databases meanwhile is to stop */
    database_set_redoing(recovery->set, false);
    created = log_generation_created(recovery->log);
    struct log_callbacks callbacks;
    database_set_log_callbacks(recovery->set, &callbacks);
    TRY(callbacks.generations_required(callbacks.context, 0, log_generation(recovery->log), &created));
    if (!recovery->ended) {
        TRY(undo_open_sessions(recovery));
    } else {
        ASSERT(!log_position_is_null(recovery->last_term));
        TRY(log_write_checkpoint(recovery->log, recovery->last_term));
    }
    TRY(log_flush_all(recovery->log));
done:
    return err;
}

void recovery_done(struct recovery *recovery)
{
    recovery_drop_databases(recovery);
    recovery_free_sessions(recovery);
    recovery_close_reader(recovery);
}

JET_ERR recovery_term(struct database_set *set, bool clean)
{
    JET_ERR err = JET_errSuccess;
    struct log_position mark = LOG_POSITION_MIN;
    struct log_position term = LOG_POSITION_MIN;
    if (!log_started(set->log))
        return JET_errSuccess;
    if (!clean || log_state(set->log) == JET_errLogWriteFail)
        goto done;
    TRY(log_update_checkpoint(set->log, true));
    TRY(recovery_append_shutdown_mark(set->log, &mark));
    for (uint32_t id = 1; id <= DATABASE_ID_MAX; id++) {
        struct database *database = database_set_get(set, id);
        if (database == NULL)
            continue;
        if (!database->read_only)
            TRY(database_header_clean(database, mark, HEADER_CLEAN_RUNNING));
        database_set_remove(set, database);
    }
    struct log_record_term2 record = {{LOG_RECORD_TERM2, set->init, LOG_POSITION_MIN, 0},
                                      os_clock_log_time()};
    TRY(log_append_record(set->log, &record, sizeof(record), &term));
    TRY(log_flush(set->log, term));
    TRY(log_write_checkpoint(set->log, term));
done:;
    JET_ERR stop = clean ? log_stop(set->log) : log_abandon(set->log);
    return err < JET_errSuccess ? err : stop;
}
