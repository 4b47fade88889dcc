/* Bookkeeping of backups: log records, and the fields of database headers. */
#include "src/backup/backup_internal.h"

#include "src/log/log.h"
#include "src/os/clock.h"
#include "src/recovery/database_set.h"

JET_ERR backup_log_record(struct backup_context *context, uint8_t phase, uint8_t type, uint8_t scope,
                          uint32_t database_id, const struct backup_info *info, unsigned flags,
                          struct log_position *position)
{
    struct log_record_backup record = {
        .type = LOG_RECORD_BACKUP,
        .phase = phase,
        .backup_type = type,
        .scope = scope,
        .database_id = (uint8_t)database_id,
    };
    if (info != NULL)
        record.details = *info;
    if (record.details.time.month == 0)
        record.details.time = os_clock_log_time(); /* no mark: the time of the record */
    const struct log_piece piece = {&record, sizeof record};
    return log_append(backup_log(context), &piece, 1, flags, 0, position);
}

static uint8_t scope_of(bool log_only, bool truncated)
{
    if (truncated)
        return log_only ? LOG_BACKUP_INCREMENTAL : LOG_BACKUP_FULL;
    return log_only ? LOG_BACKUP_DIFFERENTIAL : LOG_BACKUP_COPY;
}

void backup_update_header(struct backup_context *context, struct database *database,
                          enum backup_info_type type, bool log_only, bool truncated,
                          const struct backup_info *info)
{
    const uint8_t scope = scope_of(log_only, truncated);
    if (backup_log_record(context, LOG_BACKUP_UPDATE, (uint8_t)type, scope, database->id, info, 0, NULL) <
        JET_errSuccess)
        return;
    os_mutex_lock(&database->header_lock);
    const struct database_header before = database->header;
    if (database_header_note_backup(&database->header, scope, type, info) &&
        database_write_header_locked(database) < JET_errSuccess)
        database->header = before;
    os_mutex_unlock(&database->header_lock);
}

/* --- what an incremental backup builds on --- */

struct check {
    enum backup_info_type type;
    int32_t low;
    JET_ERR err;
};

static void check_full(void *argument, struct database *database)
{
    struct check *check = argument;
    os_mutex_lock(&database->header_lock);
    if (database->header.full_previous.generation_low == 0 ||
        database->header.full_previous_type != (uint32_t)check->type)
        check->err = JET_errMissingFullBackup;
    os_mutex_unlock(&database->header_lock);
}

JET_ERR backup_check_full_before(struct backup_context *context, enum backup_info_type type)
{
    struct check check = {.type = type == BACKUP_INFO_SURROGATE ? BACKUP_INFO_OS_SNAPSHOT : type};
    context->services->visit(context->instance, check_full, &check);
    return check.err;
}

static void check_gap(void *argument, struct database *database)
{
    struct check *check = argument;
    os_mutex_lock(&database->header_lock);
    const uint32_t full = database->header.full_previous.generation_high;
    const uint32_t incremental = database->header.incremental_previous.generation_high;
    const int64_t last = full > incremental ? full : incremental;
    if (check->low > last + 1)
        check->err = JET_errMissingFileToBackup;
    os_mutex_unlock(&database->header_lock);
}

JET_ERR backup_check_no_gap(struct backup_context *context, int32_t low)
{
    struct check check = {.low = low};
    context->services->visit(context->instance, check_gap, &check);
    return check.err;
}
