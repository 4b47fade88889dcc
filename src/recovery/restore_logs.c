/* The logs of a backup, and those they are continued by (engine source: `logutil.cxx`). */
#include "src/os/file.h"
#include "src/os/path.h"
#include "src/recovery/restore.h"

static bool times_equal(const struct log_time *a, const struct log_time *b)
{
    return memcmp(a, b, sizeof(*a)) == 0;
}

static JET_ERR read_header(const struct recovery *recovery, const char *directory, int32_t generation,
                           struct log_file_header *header)
{
    char path[OS_PATH_SIZE];
    JET_ERR err = log_path_in(recovery->log, directory, generation, path, sizeof(path));
    return err < JET_errSuccess ? err : log_file_header_read(path, header);
}

/* The backup's own logs. */
static JET_ERR check_backup_logs(struct recovery *recovery, int32_t low, int32_t high,
                                 struct log_file_header *first, struct log_file_header *last)
{
    JET_ERR err = JET_errSuccess;
    for (int32_t generation = low; generation <= high; generation++) {
        struct log_file_header header;
        err = read_header(recovery, recovery->restore_directory, generation, &header);
        if (err != JET_errFileNotFound && err != JET_errInvalidPath && err != JET_errFileAccessDenied)
            recovery->found_logs = true;
        TRY(err);
        TRY(recovery_check_header(recovery, &header));
        if (generation == low)
            *first = header;
        else if (!times_equal(&header.previous_created, &last->created))
            FAIL(JET_errGivenLogFileIsNotContiguous);
        *last = header;
    }
done:
    return err;
}

static void delete_logs(const struct recovery *recovery, const char *directory, int32_t low, int32_t end)
{
    char path[OS_PATH_SIZE];
    ASSERT(low > 0);
    for (int32_t generation = low; generation < end; generation++) {
        if (log_path_in(recovery->log, directory, generation, path, sizeof(path)) >= JET_errSuccess)
            (void)os_file_delete(path);
    }
}

/* Logs in the backup's directory that are not part of the range would be replayed by mistake. */
static void delete_unrelated(const struct recovery *recovery, const char *continued, int32_t low,
                             int32_t high)
{
    int32_t found_low = 0;
    int32_t found_high = 0;
    char path[OS_PATH_SIZE];
    if (os_path_equal(recovery->restore_directory, continued) ||
        log_generation_range_in(recovery->log, recovery->restore_directory, &found_low, &found_high) <
            JET_errSuccess)
        return;
    delete_logs(recovery, recovery->restore_directory, found_low, low);
    delete_logs(recovery, recovery->restore_directory, high + 1, found_high + 1);
    const JET_ERR err =
        log_path_in(recovery->log, recovery->restore_directory, LOG_PATH_CURRENT, path, sizeof(path));
    ASSERT(err >= JET_errSuccess); /* longer names have been read there */
    (void)err;
    (void)os_file_delete(path);
}

/* The walk over the logs that will be replayed after the backup's. */
struct continuation {
    const char *directory;
    bool target; /* another instance's logs: up to `high`, without its edb.log */
    int32_t low;
    int32_t high;
    int32_t backup_low;
    int32_t backup_high;
    const struct log_file_header *first; /* of the backup's */
    const struct log_file_header *last;
    struct log_file_header previous;
    bool contiguous; /* `previous` is the generation before */
};

enum step { STEP_CHECK, STEP_NEXT, STEP_END };

/* Reads the header of *generation, which may be moved on. */
static JET_ERR read_next(struct recovery *recovery, struct continuation *walk, int32_t *generation,
                         struct log_file_header *header, enum step *step)
{
    JET_ERR err = JET_errSuccess;
    *step = STEP_CHECK;
    if (*generation == 0 || *generation == walk->high + 1) {
        err = read_header(recovery, walk->directory, LOG_PATH_CURRENT, header);
        if (err == JET_errFileNotFound || err == JET_errInvalidPath || err == JET_errFileAccessDenied) {
            *step = STEP_END;
            return JET_errSuccess;
        }
        if (*generation == 0) {
            /* Only edb.log: it should follow the backup. */
            *generation = walk->backup_high + 1;
            walk->high = walk->backup_high;
        }
        return err;
    }
    err = read_header(recovery, walk->directory, *generation, header);
    if (err != JET_errFileNotFound)
        return err;
    if (*generation > walk->backup_high)
        return JET_errMissingCurrentLogFiles;
    if (os_path_equal(recovery->restore_directory, walk->directory))
        return JET_errMissingRestoreLogFiles;
    *generation = walk->backup_high;
    *step = STEP_NEXT;
    return JET_errSuccess;
}

/* What is wrong with one of them; moves *generation to the last one that is void with it. Success if nothing
 * is. */
static JET_ERR judge(struct continuation *walk, const struct log_file_header *header, int32_t *generation,
                     bool *end)
{
    int32_t at = *generation;
    *end = false;
    if (memcmp(&header->log_signature, &walk->last->log_signature, sizeof(header->log_signature)) != 0) {
        *generation = at < walk->backup_low     ? walk->backup_low - 1
                      : at <= walk->backup_high ? at
                                                : walk->high + 1;
        walk->contiguous = false;
        return JET_errExistingLogFileHasBadSignature;
    }
    if (walk->contiguous && !times_equal(&header->previous_created, &walk->previous.created)) {
        if (at >= walk->backup_low && at <= walk->backup_high)
            *generation = walk->backup_high;
        *end = at > walk->backup_high;
        return JET_errExistingLogFileIsNotContiguous;
    }
    if (at == walk->backup_low - 1 && !times_equal(&header->created, &walk->first->previous_created)) {
        walk->contiguous = false;
        return JET_errExistingLogFileIsNotContiguous;
    }
    if (at == walk->backup_low && !times_equal(&header->created, &walk->first->created)) {
        *generation = walk->backup_high;
        return JET_errExistingLogFileIsNotContiguous;
    }
    if (at == walk->backup_high + 1 && !times_equal(&header->previous_created, &walk->last->created)) {
        *end = true;
        return JET_errExistingLogFileIsNotContiguous;
    }
    walk->contiguous = true;
    return JET_errSuccess;
}

/* As in the engine, a fault that is followed by a good log does not count: the last one decides. */
static JET_ERR check_continuation(struct recovery *recovery, struct continuation *walk)
{
    JET_ERR err = JET_errSuccess;
    walk->contiguous = walk->low > walk->backup_high;
    walk->previous = *walk->last;
    for (int32_t generation = walk->low; generation <= (walk->target ? walk->high : walk->high + 1);
         generation++) {
        struct log_file_header header;
        enum step step;
        bool end = false;
        JET_ERR read = read_next(recovery, walk, &generation, &header, &step);
        if (read < JET_errSuccess)
            return read;
        if (step == STEP_END)
            break;
        if (step == STEP_NEXT) {
            err = JET_errFileNotFound;
            continue;
        }
        err = judge(walk, &header, &generation, &end);
        walk->previous = header;
        if (end)
            break;
    }
    return err;
}

JET_ERR restore_check_logs(struct recovery *recovery, int32_t low, int32_t high)
{
    JET_ERR err = JET_errSuccess;
    struct log_file_header first;
    struct log_file_header last;
    const char *log_directory = log_get_settings(recovery->log)->log_directory;
    struct continuation walk = {
        .directory = recovery->target_directory != NULL ? recovery->target_directory : log_directory,
        .target = recovery->target_directory != NULL,
        .backup_low = low,
        .backup_high = high,
        .first = &first,
        .last = &last,
    };
    memset(&first, 0, sizeof(first));
    memset(&last, 0, sizeof(last));
    if (low > high)
        FAIL(JET_errInternalError);
    TRY(check_backup_logs(recovery, low, high, &first, &last));
    delete_unrelated(recovery, walk.directory, low, high);
    TRY(log_generation_range_in(recovery->log, walk.directory, &walk.low, &walk.high));
    if (walk.target) {
        if (walk.high < recovery->target_high || walk.low > recovery->target_high || walk.low == 0)
            FAIL(JET_errMissingRestoreLogFiles);
        walk.high = recovery->target_high;
    }
    TRY(check_continuation(recovery, &walk));
done:
    return err;
}
