/* The loop over all records from the checkpoint on. */
#include "src/os/thread.h"
#include "src/recovery/recovery_internal.h"

/* Macros: splits and merges are redone when their end is reached. */
static JET_ERR redo_macro(struct recovery *recovery, struct recovery_session *session,
                          const struct recovery_macro *macro)
{
    switch (macro->records[0]) {
    case LOG_RECORD_SPLIT2:
        return recovery_redo_split(recovery, session, macro);
    case LOG_RECORD_MERGE2:
        return recovery_redo_merge(recovery, macro);
    default:
        return JET_errLogCorrupted;
    }
}

static JET_ERR redo_macro_record(struct recovery *recovery, const struct log_record_macro *record)
{
    JET_ERR err = JET_errSuccess;
    struct recovery_session *session = NULL;
    TRY(recovery_session(recovery, record->process_id, &session));
    if (record->type == LOG_RECORD_MACRO_BEGIN)
        FAIL(recovery_macro_begin(session, record->dbtime));
    const struct recovery_macro *macro = recovery_find_macro(session, record->dbtime);
    if (macro != NULL && macro->size > 0 && record->type == LOG_RECORD_MACRO_COMMIT)
        TRY(redo_macro(recovery, session, macro));
done:
    if (record->type != LOG_RECORD_MACRO_BEGIN && session != NULL)
        recovery_macro_end(session, record->dbtime);
    return err;
}

/* A split, merge or root move: kept for the macro's end. */
static JET_ERR store_structure_change(struct recovery *recovery, const struct log_record_page *record,
                                      size_t size)
{
    JET_ERR err = JET_errSuccess;
    struct recovery_session *session = NULL;
    TRY(recovery_session(recovery, record->process_id, &session));
    object_id object = record->type == LOG_RECORD_SPLIT2
                           ? ((const struct log_record_split *)(const void *)record)->tree_object
                           : ((const struct log_record_merge *)(const void *)record)->tree_object;
    if (!recovery_session_redoes(session, record)) {
        (void)recovery_target(recovery, record->database_id, record->dbtime, object);
        goto done;
    }
    struct recovery_macro *macro = recovery_find_macro(session, record->dbtime);
    if (macro == NULL)
        FAIL(JET_errLogCorrupted);
    /* The time is taken even if the macro never ends: what undo writes must not look like a part of it. */
    (void)recovery_target(recovery, record->database_id, record->dbtime, object);
    TRY(recovery_macro_add(macro, record, size));
done:
    return err;
}

/* The state of a backup that had ended: the headers' bookkeeping is redone. */
static JET_ERR redo_backup(struct recovery *recovery, const struct log_record_backup *record)
{
    JET_ERR err = JET_errSuccess;
    struct database *database = recovery_target(recovery, record->database_id, 0, 0);
    if (record->phase != LOG_BACKUP_UPDATE || database == NULL)
        goto done;
    os_mutex_lock(&database->header_lock);
    database_header_note_backup(&database->header, record->scope, record->backup_type, &record->details);
    err = database_write_header_locked(database);
    os_mutex_unlock(&database->header_lock);
done:
    return err;
}

static JET_ERR redo_set_version(struct recovery *recovery,
                                const struct log_record_set_database_version *record)
{
    JET_ERR err = JET_errSuccess;
    struct database *database = recovery_target(recovery, record->database_id, 0, 0);
    if (database == NULL)
        goto done;
    if (record->major != DATABASE_VERSION)
        FAIL(JET_errInvalidDatabaseVersion);
    os_mutex_lock(&database->header_lock);
    database->header.update_major = record->update_major;
    database->header.update_minor = record->update_minor;
    err = database_write_header_locked(database);
    os_mutex_unlock(&database->header_lock);
done:
    return err;
}

/* Records that say where sessions begin and end. */
static JET_ERR redo_boundary(struct recovery *recovery, const struct log_record_header *record)
{
    JET_ERR err = JET_errSuccess;
    switch (record->type) {
    case LOG_RECORD_INIT:
    case LOG_RECORD_INIT2:
        if (!recovery->ended)
            TRY(recovery_end_sessions(recovery));
        recovery->ended = false;
        recovery->last_term = LOG_POSITION_MIN;
        recovery->shutdown_mark = LOG_POSITION_MIN;
        break;
    default:
        if (!recovery->ended)
            TRY(recovery_end_sessions(recovery));
        recovery->ended = true;
        recovery->last_term = recovery->position;
        break;
    }
done:
    return err;
}

static JET_ERR redo_database_record(struct recovery *recovery, const struct log_record_header *record,
                                    size_t size)
{
    switch (record->type) {
    case LOG_RECORD_CREATE_DATABASE:
        return recovery_redo_create(recovery, (const void *)record, size);
    case LOG_RECORD_CREATE_DATABASE_FINISH:
        return recovery_redo_create_finish(recovery, (const void *)record);
    case LOG_RECORD_ATTACH_DATABASE:
        return recovery_redo_attach(recovery, (const void *)record, size);
    case LOG_RECORD_DETACH_DATABASE:
        return recovery_redo_detach(recovery, (const void *)record);
    case LOG_RECORD_EXTEND_DATABASE:
        return recovery_redo_extend(recovery, (const void *)record, size);
    case LOG_RECORD_SET_DATABASE_VERSION:
        return redo_set_version(recovery, (const void *)record);
    case LOG_RECORD_BACKUP:
        return redo_backup(recovery, (const void *)record);
    default:
        ASSERT(record->type == LOG_RECORD_SHRINK_DATABASE || record->type == LOG_RECORD_SHRINK_DATABASE2 ||
               record->type == LOG_RECORD_SHRINK_DATABASE3);
        return recovery_redo_shrink(recovery, (const void *)record);
    }
}

static JET_ERR redo_other(struct recovery *recovery, const struct log_record_header *record, size_t size)
{
    switch (record->type) {
    case LOG_RECORD_CREATE_MULTIPLE_EXTENT_FDP:
    case LOG_RECORD_CREATE_SINGLE_EXTENT_FDP:
        return recovery_redo_create_fdp(recovery, (const void *)record);
    case LOG_RECORD_CONVERT_FDP:
        return recovery_redo_convert_fdp(recovery, (const void *)record, size);
    case LOG_RECORD_PAGE_MOVE:
        return recovery_redo_page_move(recovery, (const void *)record);
    case LOG_RECORD_NEW_PAGE:
        return recovery_redo_new_page(recovery, (const void *)record);
    case LOG_RECORD_SCRUB:
        return recovery_redo_scrub(recovery, (const void *)record);
    case LOG_RECORD_FREE_FDP:
        if (size >= sizeof(struct log_record_free_fdp))
            version_store_raise_ids(recovery->set->versions,
                                    ((const struct log_record_free_fdp *)(const void *)record)->trx_committed,
                                    0);
        return JET_errSuccess;
    case LOG_RECORD_SPLIT:
    case LOG_RECORD_MERGE:
    case LOG_RECORD_CONVERT_FDP_OBSOLETE:
    case LOG_RECORD_ROOT_PAGE_MOVE:
        return JET_errBadLogVersion;
    case LOG_RECORD_END:
    case LOG_RECORD_PREPARE_COMMIT:
    case LOG_RECORD_PREPARE_ROLLBACK:
        return JET_errLogCorrupted;
    default:
        /* For information only: traces, checks of pages, backups of the old kind, records made to be passed
         * over. */
        return JET_errSuccess;
    }
}

JET_ERR recovery_redo_record(struct recovery *recovery, const struct log_record_header *record, size_t size)
{
    switch (record->type) {
    case LOG_RECORD_BEGIN:
    case LOG_RECORD_BEGIN0:
    case LOG_RECORD_BEGIN_DISTRIBUTED:
    case LOG_RECORD_COMMIT:
    case LOG_RECORD_COMMIT0:
    case LOG_RECORD_ROLLBACK:
    case LOG_RECORD_REFRESH:
        return recovery_redo_transaction(recovery, record);
    case LOG_RECORD_MACRO_BEGIN:
    case LOG_RECORD_MACRO_COMMIT:
    case LOG_RECORD_MACRO_ABORT:
        return redo_macro_record(recovery, (const void *)record);
    case LOG_RECORD_SPLIT2:
    case LOG_RECORD_MERGE2:
        return store_structure_change(recovery, (const void *)record, size);
    case LOG_RECORD_INIT:
    case LOG_RECORD_INIT2:
    case LOG_RECORD_TERM:
    case LOG_RECORD_TERM2:
    case LOG_RECORD_RECOVERY_QUIT:
    case LOG_RECORD_RECOVERY_QUIT2:
    case LOG_RECORD_RECOVERY_QUIT_KEEP_ATTACHMENTS:
        return redo_boundary(recovery, record);
    case LOG_RECORD_CREATE_DATABASE:
    case LOG_RECORD_CREATE_DATABASE_FINISH:
    case LOG_RECORD_ATTACH_DATABASE:
    case LOG_RECORD_DETACH_DATABASE:
    case LOG_RECORD_EXTEND_DATABASE:
    case LOG_RECORD_SET_DATABASE_VERSION:
    case LOG_RECORD_BACKUP:
    case LOG_RECORD_SHRINK_DATABASE:
    case LOG_RECORD_SHRINK_DATABASE2:
    case LOG_RECORD_SHRINK_DATABASE3:
        return redo_database_record(recovery, record, size);
    default:
        if (log_record_is_node(record->type) && record->type != LOG_RECORD_SCRUB)
            return recovery_redo_node(recovery, (const void *)record, size);
        return redo_other(recovery, record, size);
    }
}

/* What follows from the mere presence of a record. */
static void note_record(struct recovery *recovery, uint8_t type)
{
    switch (type) {
    case LOG_RECORD_NOP2:
    case LOG_RECORD_TRACE:
    case LOG_RECORD_JET_OPERATION:
    case LOG_RECORD_FORCE_WRITE:
    case LOG_RECORD_FORCE_ROLLOVER:
    case LOG_RECORD_RECOVERY_UNDO:
    case LOG_RECORD_RECOVERY_UNDO2:
    case LOG_RECORD_FULL_BACKUP:
    case LOG_RECORD_INCREMENTAL_BACKUP:
    case LOG_RECORD_BACKUP_OBSOLETE:
    case LOG_RECORD_BACKUP:
        break;
    case LOG_RECORD_SHUTDOWN_MARK:
        recovery->shutdown_mark = recovery->position;
        recovery->last_is_shutdown = true;
        break;
    default:
        recovery->last_is_shutdown = false;
        break;
    }
}

static bool stops_here(const struct recovery *recovery)
{
    struct log_position stop = recovery->options->stop;
    return !log_position_is_null(stop) && log_position_compare(recovery->position, stop) >= 0;
}

/* Databases that have now all changes that their pages may hold already. */
static JET_ERR tell_attached(struct recovery *recovery)
{
    JET_ERR err = JET_errSuccess;
    for (uint32_t id = 1; id <= DATABASE_ID_MAX; id++)
        TRY(recovery_control_attached(recovery, &recovery->databases[id]));
done:
    return err;
}

/* All records of the current file. */
static JET_ERR redo_file(struct recovery *recovery)
{
    JET_ERR err = JET_errSuccess;
    const struct log_record_header *record = NULL;
    size_t size = 0;
    bool first = true;
    for (;;) {
        struct log_position position;
        err = log_file_next(recovery->reader, &record, &size, &position);
        if (err == JET_errLogFileCorrupt)
            FAIL(recovery_corruption(recovery, false));
        TRY(err);
        recovery->position = position;
        if (record == NULL)
            break;
        if (stops_here(recovery))
            FAIL(JET_errRecoveredWithoutUndo);
        if (first) {
            TRY(tell_attached(recovery));
            TRY(recovery_raise_generations(recovery));
        }
        first = false;
        os_thread_add_log_record((uint32_t)size);
        note_record(recovery, record->type);
        if (record->type != LOG_RECORD_NOP2)
            TRY(recovery_redo_record(recovery, record, size));
        recovery_progress_sector(recovery, position.sector);
    }
    err = JET_errSuccess;
done:
    return err;
}

JET_ERR recovery_redo(struct recovery *recovery)
{
    JET_ERR err = JET_errSuccess;
    bool done_all = false;
    TRY(recovery_ask_open(recovery, recovery->generation, false));
    if (recovery->reader_is_current)
        TRY(recovery_ask_open(recovery, recovery->generation, true));
    TRY(log_file_seek(recovery->reader, recovery->checkpoint.checkpoint));
    recovery->position = recovery->checkpoint.checkpoint;
    recovery->progress.sector = recovery->position.sector;
    TRY(recovery_load_attachments(recovery, recovery->checkpoint.attachments));
    while (!done_all) {
        TRY(redo_file(recovery));
        recovery_control_file_redone(recovery);
        if (recovery_log_is_damaged(recovery))
            FAIL(recovery_corruption(recovery, false));
        TRY(recovery_next_file(recovery, &done_all));
        if (!done_all)
            recovery_progress_next_file(recovery);
    }
    TRY(recovery_check_missing_pages(recovery));
done:
    return err;
}
