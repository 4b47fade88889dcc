/* The logged life of a database: create, attach, detach; and what each makes of the header. */
#include "src/os/clock.h"
#include "src/os/memory.h"
#include "src/os/text.h"
#include "src/recovery/database_set.h"

static void hold_checkpoint(struct database_set *set, bool hold)
{
    os_mutex_lock(&set->lock);
    if (hold)
        set->changing++;
    else
        set->changing--;
    os_mutex_unlock(&set->lock);
}

/* Appends a record that ends in the database's path, and makes it durable. `sizes` are set by the caller's
 * structure. */
static JET_ERR append_with_path(struct database_set *set, const struct log_piece *pieces, size_t count,
                                struct log_position *position)
{
    JET_ERR err = JET_errSuccess;
    TRY(log_append(set->log, pieces, count, 0, 0, position));
    TRY(log_flush(set->log, *position));
done:
    return err;
}

/* The path as UTF-16 with its NUL; *size in bytes. Freed by the caller. */
static JET_ERR wide_path(const struct database *database, uint16_t **text, uint16_t *size)
{
    JET_ERR err = os_utf8_to_utf16_new(database->path, text);
    if (err < JET_errSuccess)
        return err;
    size_t bytes = (os_utf16_length(*text) + 1) * 2;
    ASSERT(bytes <= LOG_PATH_UNITS * 2); /* a path has fewer bytes already */
    *size = (uint16_t)bytes;
    return JET_errSuccess;
}

static void allow_headers(struct database_set *set, const struct database *database)
{
    os_mutex_lock(&set->lock);
    set->entries[database->id].headers_allowed = true;
    os_mutex_unlock(&set->lock);
}

JET_ERR database_log_create(struct database_set *set, struct database *database,
                            struct database_header *header, uint32_t grbit, uint16_t process)
{
    JET_ERR err = JET_errSuccess;
    uint16_t *path = NULL;
    uint16_t path_size = 0;
    struct log_record_create_database record;
    struct log_position position = LOG_POSITION_MIN;
    hold_checkpoint(set, true);
    TRY(wide_path(database, &path, &path_size));
    record.path_size = path_size;
    TRY(log_state(set->log));
    record.type = LOG_RECORD_CREATE_DATABASE;
    record.process_id = process;
    record.database_id = (uint8_t)database->id;
    record.grbit = grbit;
    record.maximum_pages = database->pages_max;
    record.database_signature = header->signature;
    record.flags = LOG_CREATE_VERSION_INFO | LOG_CREATE_UNICODE_NAMES;
    uint16_t version[2] = {LOG_CREATE_VERSION, LOG_CREATE_UPDATE};
    struct log_piece pieces[] = {
        {&record, sizeof(record)}, {version, sizeof(version)}, {path, record.path_size}};
    TRY(append_with_path(set, pieces, 3, &position));
    header->database_id = database->id;
    header->attach = position;
    header->log_signature = log_signature(set->log);
    header->generation_min_required = position.generation;
    header->generation_max_required = position.generation;
    header->generation_max_committed = position.generation;
    header->generation_min_consistent = position.generation;
    header->attach_time = os_clock_log_time();
    database_set_add(set, database, position, LOG_POSITION_MIN);
done:
    hold_checkpoint(set, false);
    os_free(path);
    return err;
}

JET_ERR database_log_create_finish(struct database_set *set, struct database *database, uint16_t process)
{
    JET_ERR err = JET_errSuccess;
    struct log_record_create_database_finish record = {LOG_RECORD_CREATE_DATABASE_FINISH, process,
                                                       (uint8_t)database->id};
    struct log_position position = LOG_POSITION_MIN;
    struct log_position attach;
    TRY(log_append_record(set->log, &record, sizeof(record), &position));
    TRY(log_flush(set->log, position));
    int32_t generation = log_generation(set->log);
    struct log_time created = log_generation_created(set->log);
    os_mutex_lock(&database->header_lock);
    attach = database->header.attach;
    database_header_set_state(&database->header, DATABASE_DIRTY_SHUTDOWN, attach.generation, generation,
                              &created);
    err = database_write_header_locked(database);
    os_mutex_unlock(&database->header_lock);
    TRY(err);
    allow_headers(set, database);
done:
    return err;
}

static bool signatures_equal(const struct signature *a, const struct signature *b)
{
    return memcmp(a, b, sizeof(*a)) == 0;
}

static void clear_backup_info(struct database_header *header)
{
    memset(&header->full_previous, 0, sizeof(header->full_previous));
    memset(&header->incremental_previous, 0, sizeof(header->incremental_previous));
    memset(&header->copy_previous, 0, sizeof(header->copy_previous));
    memset(&header->differential_previous, 0, sizeof(header->differential_previous));
    header->full_previous_type = BACKUP_INFO_NORMAL;
    header->incremental_previous_type = BACKUP_INFO_NORMAL;
    header->copy_previous_type = BACKUP_INFO_NORMAL;
    header->differential_previous_type = BACKUP_INFO_NORMAL;
}

void database_header_after_attach(const struct signature *log_signature, const struct log_time *created,
                                  struct log_position position, bool recovering, bool keep_backup_info,
                                  struct database *database)
{
    struct database_header *header = &database->header;
    bool same_log = signatures_equal(&header->log_signature, log_signature);
    header->generation_recovering = recovering ? position.generation : 0;
    if (header->state != DATABASE_DIRTY_SHUTDOWN)
        database_header_set_state(header, DATABASE_DIRTY_SHUTDOWN, position.generation, position.generation,
                                  created);
    if (!keep_backup_info) {
        if (!same_log)
            clear_backup_info(header);
        memset(&header->full_current, 0, sizeof(header->full_current));
        memset(&header->snapshot_current, 0, sizeof(header->snapshot_current));
    }
    header->attach = position;
    header->reattach = LOG_POSITION_MIN;
    if (!same_log) {
        header->consistent = LOG_POSITION_MIN;
        header->log_signature = *log_signature;
    }
    header->database_id = database->id;
    header->attach_time = os_clock_log_time();
}

JET_ERR database_attach_unlogged(struct database *database, const struct signature *signature)
{
    struct database_header *header = &database->header;
    os_mutex_lock(&database->header_lock);
    clear_backup_info(header);
    memset(&header->full_current, 0, sizeof(header->full_current));
    memset(&header->snapshot_current, 0, sizeof(header->snapshot_current));
    header->signature = *signature;
    header->attach_time = os_clock_log_time();
    database_header_set_state(header, DATABASE_DIRTY_SHUTDOWN, 0, 0, NULL);
    JET_ERR err = database_write_header_locked(database);
    os_mutex_unlock(&database->header_lock);
    return err;
}

JET_ERR database_log_attach(struct database_set *set, struct database *database, uint16_t process)
{
    JET_ERR err = JET_errSuccess;
    uint16_t *path = NULL;
    uint16_t path_size = 0;
    struct log_record_attach_database record;
    struct log_position position = LOG_POSITION_MIN;
    struct signature signature = log_signature(set->log);
    struct log_time created;
    hold_checkpoint(set, true);
    TRY(wide_path(database, &path, &path_size));
    record.path_size = path_size;
    TRY(log_state(set->log));
    record.type = LOG_RECORD_ATTACH_DATABASE;
    record.process_id = process;
    record.database_id = (uint8_t)database->id;
    record.maximum_pages = database->pages_max;
    record.consistent = database->header.consistent;
    record.database_signature = database->header.signature;
    record.log_signature = database->header.log_signature;
    record.flags = LOG_ATTACH_UNICODE_NAMES;
    struct log_piece pieces[] = {{&record, sizeof(record)}, {path, record.path_size}};
    TRY(append_with_path(set, pieces, 2, &position));
    struct log_position consistent =
        signatures_equal(&record.log_signature, &signature) ? record.consistent : LOG_POSITION_MIN;
    database_set_add(set, database, position, consistent);
    created = log_generation_created(set->log);
    os_mutex_lock(&database->header_lock);
    database_header_after_attach(&signature, &created, position, false, false, database);
    err = database_write_header_locked(database);
    os_mutex_unlock(&database->header_lock);
    TRY(err);
    allow_headers(set, database);
done:
    hold_checkpoint(set, false);
    os_free(path);
    return err;
}

JET_ERR database_log_version(struct database_set *set, struct database *database)
{
    JET_ERR err = JET_errSuccess;
    struct log_record_set_database_version record = {.type = LOG_RECORD_SET_DATABASE_VERSION,
                                                     .database_id = (uint8_t)database->id,
                                                     .major = DATABASE_VERSION,
                                                     .update_major = DATABASE_UPDATE_MAJOR,
                                                     .update_minor = DATABASE_UPDATE_MINOR_LOGGED};
    if (!log_get_settings(set->log)->births)
        return JET_errSuccess;
    if (!log_has_births(set->log))
        TRY(log_force_new_generation(set->log));
    os_mutex_lock(&database->header_lock);
    const uint64_t now = (uint64_t)database->header.update_major << 32 | database->header.update_minor;
    os_mutex_unlock(&database->header_lock);
    const uint64_t logged = (uint64_t)record.update_major << 32 | record.update_minor;
    if (now > logged) /* redo would take something of it back */
        goto done;
    TRY(log_append_record(set->log, &record, sizeof(record), NULL));
    if (now == logged)
        goto done;
    os_mutex_lock(&database->header_lock);
    database->header.update_major = record.update_major;
    database->header.update_minor = record.update_minor;
    err = database_write_header_locked(database);
    os_mutex_unlock(&database->header_lock);
done:
    return err;
}

/* What a backup that was running or restored leaves in the header when the database is closed. */
static void retire_backup_info(struct database_header *header, bool hard_recovery)
{
    if (header->full_current.generation_low != 0) {
        memset(&header->full_current, 0, sizeof(header->full_current));
        memset(&header->incremental_previous, 0, sizeof(header->incremental_previous));
        memset(&header->snapshot_current, 0, sizeof(header->snapshot_current));
        header->incremental_previous_type = BACKUP_INFO_NORMAL;
    }
    if (hard_recovery)
        clear_backup_info(header);
}

JET_ERR database_header_clean(struct database *database, struct log_position position,
                              enum header_clean_reason reason)
{
    os_mutex_lock(&database->header_lock);
    struct database_header *header = &database->header;
    if (reason != HEADER_CLEAN_RUNNING)
        retire_backup_info(header, reason == HEADER_CLEAN_HARD_RECOVERY);
    database_header_set_state(header, DATABASE_CLEAN_SHUTDOWN, 0, 0, NULL);
    header->generation_recovering = 0;
    header->consistent = position;
    header->detach = position;
    header->consistent_time = os_clock_log_time();
    header->detach_time = header->consistent_time;
    JET_ERR err = database_write_header_locked(database);
    os_mutex_unlock(&database->header_lock);
    return err;
}

JET_ERR database_log_detach(struct database_set *set, struct database *database, uint16_t process)
{
    JET_ERR err = JET_errSuccess;
    uint16_t *path = NULL;
    uint16_t path_size = 0;
    struct log_record_detach_database record;
    struct log_position position = LOG_POSITION_MIN;
    hold_checkpoint(set, true);
    TRY(wide_path(database, &path, &path_size));
    record.path_size = path_size;
    record.type = LOG_RECORD_DETACH_DATABASE;
    record.process_id = process;
    record.database_id = (uint8_t)database->id;
    record.flags = LOG_DETACH_UNICODE_NAMES;
    struct log_piece pieces[] = {{&record, sizeof(record)}, {path, record.path_size}};
    TRY(append_with_path(set, pieces, 2, &position));
    os_mutex_lock(&set->lock);
    set->entries[database->id].detach = position;
    set->entries[database->id].headers_allowed = false;
    os_mutex_unlock(&set->lock);
    TRY(database_header_clean(database, position, HEADER_CLEAN_RUNNING));
    database_set_remove(set, database);
done:
    hold_checkpoint(set, false);
    os_free(path);
    return err;
}

static bool not_older(const struct backup_info *stored, const struct backup_info *details)
{
    return log_position_compare(stored->mark, details->mark) <= 0;
}

bool database_header_note_backup(struct database_header *header, uint8_t scope, uint32_t type,
                                 const struct backup_info *details)
{
    const uint32_t stored_type = type == BACKUP_INFO_SURROGATE ? BACKUP_INFO_OS_SNAPSHOT : type;
    if (scope == LOG_BACKUP_FULL && not_older(&header->full_previous, details)) {
        header->full_previous = *details;
        header->full_previous_type = stored_type;
        /* Increments and differences build on the full backup before. */
        memset(&header->incremental_previous, 0, sizeof(header->incremental_previous));
        memset(&header->differential_previous, 0, sizeof(header->differential_previous));
        header->incremental_previous_type = BACKUP_INFO_NORMAL;
        header->differential_previous_type = BACKUP_INFO_NORMAL;
    } else if (scope == LOG_BACKUP_INCREMENTAL && not_older(&header->incremental_previous, details)) {
        header->incremental_previous = *details;
        header->incremental_previous_type = stored_type;
    } else if (scope == LOG_BACKUP_COPY && not_older(&header->copy_previous, details)) {
        header->copy_previous = *details;
        header->copy_previous_type = stored_type;
    } else if (scope == LOG_BACKUP_DIFFERENTIAL && not_older(&header->differential_previous, details)) {
        header->differential_previous = *details;
        header->differential_previous_type = stored_type;
    } else {
        return false;
    }
    if (type == BACKUP_INFO_NORMAL && (scope == LOG_BACKUP_FULL || scope == LOG_BACKUP_INCREMENTAL))
        memset(&header->snapshot_current, 0, sizeof(header->snapshot_current));
    return true;
}
