/* The logs of a backup: both ranges, their lists, truncation. */
#include "src/backup/backup_internal.h"

#include "src/log/log.h"
#include "src/os/clock.h"
#include "src/os/host.h"
#include "src/os/memory.h"

/* --- lists --- */

static JET_ERR list_append(struct backup_list *list, const char *bytes, size_t size)
{
    char *grown = os_reallocate(list->texts, list->size + size);
    if (grown == NULL)
        return JET_errOutOfMemory;
    memcpy(grown + list->size, bytes, size);
    list->texts = grown;
    list->size += size;
    return JET_errSuccess;
}

JET_ERR backup_list_add(struct backup_list *list, const char *text)
{
    return list_append(list, text, strlen(text) + 1);
}

JET_ERR backup_list_end(struct backup_list *list)
{
    return list_append(list, "", 1);
}

static JET_ERR add_logs(struct backup_context *context, struct backup_list *list, int32_t low, int32_t end)
{
    JET_ERR err = JET_errSuccess;
    char path[OS_PATH_SIZE];
    /* A range that is not known begins at nought (published engine): no log is called so. */
    for (int32_t generation = low > 0 ? low : 1; generation < end; generation++) {
        log_path(backup_log(context), generation, path);
        TRY(backup_list_add(list, path));
    }
done:
    return err;
}

/* --- attached databases --- */

/* A list that a visit to all databases makes. */
struct visited_list {
    struct backup_list *list;
    JET_ERR err;
};

static void add_database(void *argument, struct database *database)
{
    struct visited_list *attached = argument;
    if (attached->err >= JET_errSuccess && database->logged)
        attached->err = backup_list_add(attached->list, database->path);
}

JET_ERR backup_attach_info(struct backup_context *context, struct backup_list *list)
{
    struct visited_list attached = {list, JET_errSuccess};
    JET_ERR err = JET_errSuccess;
    TRY(backup_enter_for(context, BACKUP_EVENT_ATTACH_INFO));
    if (context->full) {
        context->services->visit(context->instance, add_database, &attached);
        err = attached.err >= JET_errSuccess ? backup_list_end(list) : attached.err;
    } else {
        /* An incremental snapshot (published engine); the table refuses incremental backups. */
        err = JET_errInvalidBackupSequence;
    }
    backup_leave(context);
done:
    return err;
}

/* --- the ranges --- */

/* A full backup must leave the logs that databases outside of it need for their next incremental one. */
static void limit_deletion(void *argument, struct database *database)
{
    struct backup_context *context = argument;
    if (!database->logged || database->backup.copied)
        return;
    os_mutex_lock(&database->header_lock);
    const uint32_t last_full = database->header.full_previous.generation_high;
    os_mutex_unlock(&database->header_lock);
    if ((uint32_t)context->delete_end > last_full)
        context->delete_end = (int32_t)last_full;
}

/* Rolls the log, which completes the last generation to copy. */
static JET_ERR roll_log(struct backup_context *context)
{
    JET_ERR err = JET_errSuccess;
    struct log *log = backup_log(context);
    const struct log_time now = os_clock_log_time();
    const struct backup_info info = {.time = now};
    struct log_position position;
    TRY(backup_log_record(context, LOG_BACKUP_PREPARE_LOGS, BACKUP_INFO_NORMAL,
                          context->full ? LOG_BACKUP_FULL : LOG_BACKUP_INCREMENTAL, 0, &info,
                          LOG_APPEND_NEW_GENERATION, &position));
    TRY(log_flush(log, position));
    *(context->full ? &context->full_position : &context->incremental_position) = position;
    *(context->full ? &context->full_time : &context->incremental_time) = now;
    log_note_backup(log, context->full, position, now);
    context->copy_end = log_generation(log);
    context->generations_copied = 0;
    context->log_rolled = true;
done:
    return err;
}

JET_ERR backup_prepare_logs(struct backup_context *context)
{
    JET_ERR err = JET_errSuccess;
    struct log *log = backup_log(context);
    int32_t low, high;
    if (!context->log_rolled)
        TRY(roll_log(context));
    TRY(log_generation_range(log, &low, &high));
    if (low == 0)
        FAIL(JET_errFileNotFound);
    if (!context->full)
        TRY(backup_check_no_gap(context, low));
    const int32_t checkpoint = log_checkpoint(log).generation;
    context->delete_low = low;
    context->delete_end = checkpoint < context->copy_end ? checkpoint : context->copy_end;
    if (context->full)
        context->services->visit(context->instance, limit_deletion, context);
    else
        context->copy_low = low;
done:
    return err;
}

/* Whether the ranges are still to be fixed. The published engine tries that once, whatever comes out. */
static bool must_prepare(const struct backup_context *context)
{
    const enum backup_state state = backup_state_inside(context);
    if (os_host_is_published())
        return !context->log_rolled;
    return state == BACKUP_DATABASES || state == BACKUP_INCREMENTAL;
}

/* The common part of both lists: the first of them fixes the ranges. */
static JET_ERR logs_inside(struct backup_context *context, struct backup_list *list, bool copy)
{
    JET_ERR err = JET_errSuccess;
    if (must_prepare(context))
        TRY(backup_prepare_logs(context));
    TRY(add_logs(context, list, copy ? context->copy_low : context->delete_low,
                 copy ? context->copy_end : context->delete_end));
done:
    return err;
}

static void move_to_logs(struct backup_context *context)
{
    const enum backup_state state = backup_state_inside(context);
    backup_set_state(context, backup_rule(os_host_profile(), state, BACKUP_EVENT_LOG_INFO)->after);
}

static void add_patch_file(void *argument, struct database *database)
{
    struct visited_list *patches = argument;
    char path[OS_PATH_SIZE];
    if (patches->err < JET_errSuccess || !database->backup.copied)
        return;
    patches->err = backup_patch_path(database, path, sizeof path);
    if (patches->err >= JET_errSuccess)
        patches->err = backup_list_add(patches->list, path);
}

JET_ERR backup_log_info(struct backup_context *context, struct backup_list *list, uint32_t *low,
                        uint32_t *high)
{
    struct visited_list patches = {list, JET_errSuccess};
    JET_ERR err = JET_errSuccess;
    TRY(backup_enter_for(context, BACKUP_EVENT_LOG_INFO));
    err = logs_inside(context, list, true);
    if (err >= JET_errSuccess && context->with_patch_files) {
        context->services->visit(context->instance, add_patch_file, &patches);
        err = patches.err;
    }
    if (err >= JET_errSuccess)
        err = backup_list_end(list);
    if (err >= JET_errSuccess) {
        move_to_logs(context);
        if (low != NULL)
            *low = (uint32_t)context->copy_low;
        if (high != NULL)
            *high = (uint32_t)(context->copy_end - 1);
    }
    backup_leave(context);
done:
    return err;
}

JET_ERR backup_truncate_info(struct backup_context *context, struct backup_list *list)
{
    JET_ERR err = JET_errSuccess;
    TRY(backup_enter_for(context, BACKUP_EVENT_LOG_INFO));
    err = logs_inside(context, list, false);
    if (err >= JET_errSuccess)
        err = backup_list_end(list);
    if (err >= JET_errSuccess)
        move_to_logs(context);
    backup_leave(context);
done:
    return err;
}

/* --- truncation --- */

/* Deletes the range, oldest first so that what is left has no gap. */
static JET_ERR delete_logs(struct backup_context *context)
{
    const struct backup_info info = {
        .generation_low = (uint32_t)context->delete_low,
        .generation_high = (uint32_t)context->delete_end,
    };
    (void)backup_log_record(context, LOG_BACKUP_TRUNCATE, BACKUP_INFO_NORMAL,
                            context->full ? LOG_BACKUP_FULL : LOG_BACKUP_INCREMENTAL, 0, &info, 0, NULL);
    const int32_t low = context->delete_low > 0 ? context->delete_low : 1;
    if (low >= context->delete_end)
        return JET_errSuccess;
    return log_delete_generations(backup_log(context), low, context->delete_end);
}

JET_ERR backup_delete_unneeded_logs(struct backup_context *context)
{
    JET_ERR err = JET_errSuccess;
    struct log *log = backup_log(context);
    int32_t low, high;
    TRY(log_generation_range(log, &low, &high));
    context->delete_low = low;
    context->delete_end = log_checkpoint(log).generation;
    context->services->visit(context->instance, limit_deletion, context);
    if (low != 0 && !context->services->circular(context->instance))
        err = delete_logs(context);
done:
    return err;
}

/* A snapshot that is taken for a backup that copies databases (published engine) has its logs at hand all the
 * same. */
static void leave_databases(struct backup_context *context)
{
    backup_enter(context);
    if (context->left_in_databases && !os_atomic_load(&context->stopped) && !context->file.open &&
        backup_state_inside(context) == BACKUP_DATABASES)
        backup_set_state(context, BACKUP_SNAPSHOT);
    backup_leave(context);
}

JET_ERR backup_truncate_log(struct backup_context *context)
{
    JET_ERR err = JET_errSuccess;
    leave_databases(context);
    TRY(backup_enter_for(context, BACKUP_EVENT_TRUNCATE));
    /* Sum of the generations from low to end - 1. Reading one twice may hide that another was left out, as in
     * the engine; the sum finds what is left out by mistake. */
    const uint64_t low = (uint64_t)context->copy_low;
    const uint64_t last = (uint64_t)context->copy_end - 1;
    const uint64_t wanted = (low + last) * (last - low + 1) / 2;
    if (context->copy_low == 0) {
        err = JET_errInvalidBackupSequence; /* the ranges could not be fixed (published engine) */
    } else if (context->generations_copied < wanted) {
        err = JET_errLogFileNotCopied;
    } else {
        context->logs_truncated = true;
        err = delete_logs(context);
    }
    backup_leave(context);
done:
    return err;
}
