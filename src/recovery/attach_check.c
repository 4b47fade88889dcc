/* Is the database file that a log record names the one that the log knows, and of the right time? */
#include "src/os/file.h"
#include "src/recovery/attach_check.h"

static JET_ERR read_header(const struct recovery *recovery, const char *path, struct database_header *header)
{
    JET_ERR err = JET_errSuccess;
    struct os_file *file = NULL;
    TRY(os_file_open(path, OS_OPEN_READ, OS_SHARE_READ_WRITE, &file));
    err = database_header_read(file, header, NULL);
    /* A log or checkpoint: its header has one size, and no state of a database. */
    if (err == JET_errFileInvalidType)
        err = database_header_error_of_other_file(recovery->options->page_size);
done:
    os_file_close(file);
    return err;
}

static bool signatures_equal(const struct signature *a, const struct signature *b)
{
    return memcmp(a, b, sizeof(*a)) == 0;
}

/* The file fits; may it be attached here? */
static JET_ERR check_attach_now(const struct recovery *recovery, const struct database_header *header)
{
    if (header->generation_min_required != 0 && header->generation_min_required < recovery->generation)
        return JET_errRequiredLogFilesMissing;
    if (header->full_current.generation_low == 0 || header->full_current.generation_high != 0 ||
        recovery->hard)
        return JET_errSuccess;
    const bool may =
        (recovery->options->grbit & (JET_bitRecoveryWithoutUndo | JET_bitAllowSoftRecoveryOnBackup)) != 0;
    return recovery_control_condition(recovery, may ? JET_errSuccess : JET_errSoftRecoveryOnBackupDatabase);
}

static JET_ERR attach_now(const struct recovery *recovery, const struct database_header *header,
                          enum attach_decision *decision)
{
    JET_ERR err = check_attach_now(recovery, header);
    if (err >= JET_errSuccess)
        *decision = ATTACH_NOW;
    return err;
}

/* Errors of reading the header that only mean that there is no such file. */
static JET_ERR absent(JET_ERR err, enum attach_decision *decision)
{
    *decision = err == JET_errFileAccessDenied ? ATTACH_DEFER_ACCESS_DENIED : ATTACH_DEFER;
    if (err == JET_errFileAccessDenied || err == JET_errFileNotFound || err == JET_errInvalidPath)
        return JET_errSuccess;
    return err;
}

JET_ERR attach_check_create(const struct recovery *recovery, const struct recovery_database *known,
                            bool overwrites, struct database_header *header, enum attach_decision *decision)
{
    JET_ERR err = read_header(recovery, known->path, header);
    *decision = ATTACH_DEFER;
    if (err == JET_errFileNotFound) {
        *decision = ATTACH_CREATE;
        return JET_errSuccess;
    }
    if (err == JET_errReadVerifyFailure || err == JET_errDatabaseCorrupted ||
        (err >= JET_errSuccess && header->state != DATABASE_CLEAN_SHUTDOWN &&
         header->state != DATABASE_DIRTY_SHUTDOWN)) {
        *decision = ATTACH_CREATE; /* the creation had not come far */
        return JET_errSuccess;
    }
    if (err < JET_errSuccess)
        return absent(err, decision);
    const bool matches_log = signatures_equal(&header->log_signature, &recovery->log_signature);
    const int attach = log_position_compare(header->attach, known->attach);
    if (overwrites && (!matches_log || attach < 0))
        *decision = ATTACH_CREATE; /* another database, which had to go */
    if (!matches_log || attach != 0 || !signatures_equal(&header->signature, &known->signature))
        return JET_errSuccess;
    if (log_position_compare(known->attach, header->consistent) <= 0) {
        *decision = ATTACH_DEFER_FUTURE;
        return JET_errSuccess;
    }
    return attach_now(recovery, header, decision);
}

/* Consistent state and attach position of header and log agree as far as they must? The log signature
 * matches. */
static JET_ERR compare_states(const struct recovery *recovery, const struct recovery_database *known,
                              const struct database_header *header, bool logged_signature_matches,
                              bool before_redo, enum attach_decision *decision)
{
    bool same_database = signatures_equal(&header->signature, &known->signature);
    int consistent = log_position_compare(header->consistent, known->consistent);
    if (!logged_signature_matches || consistent == 0 || log_position_is_null(header->consistent)) {
        if (!same_database)
            return JET_errSuccess;
        int attach = log_position_compare(header->attach, known->attach);
        if (attach == 0)
            return attach_now(recovery, header, decision);
        if (attach > 0)
            return JET_errSuccess; /* attached again later */
        if (!before_redo && logged_signature_matches)
            return attach_now(recovery, header, decision);
        return JET_errAttachedDatabaseMismatch;
    }
    if (consistent > 0 && (before_redo || log_position_compare(header->consistent, recovery->position) > 0)) {
        *decision = ATTACH_DEFER_FUTURE;
        return JET_errSuccess;
    }
    return same_database ? JET_errConsistentTimeMismatch : JET_errSuccess;
}

JET_ERR attach_check(const struct recovery *recovery, const struct recovery_database *known,
                     const struct log_record_attach_database *record, struct database_header *header,
                     enum attach_decision *decision)
{
    const struct signature logged_signature =
        record != NULL ? record->log_signature : recovery->log_signature;
    JET_ERR err = read_header(recovery, known->path, header);
    *decision = ATTACH_DEFER;
    if (err == JET_errReadVerifyFailure)
        return err;
    if (err < JET_errSuccess)
        return absent(err, decision);
    if (header->state == DATABASE_JUST_CREATED)
        return JET_errSuccess;
    if (header->state != DATABASE_CLEAN_SHUTDOWN && header->state != DATABASE_DIRTY_SHUTDOWN)
        return JET_errDatabaseCorrupted;
    bool matches_log = signatures_equal(&header->log_signature, &recovery->log_signature);
    bool matches_logged = signatures_equal(&header->log_signature, &logged_signature);
    if (matches_log)
        return compare_states(recovery, known, header, matches_logged, record == NULL, decision);
    if (!matches_logged)
        return JET_errSuccess; /* belongs to another log */
    if (!signatures_equal(&header->signature, &known->signature))
        return JET_errSuccess;
    /* Died between the record and the header: that is as it was then, with a position of those other logs.
     * (The published engine drops a position that is later than the record's own, and fails here.) */
    ASSERT(record != NULL);
    if (log_position_compare(record->consistent, header->consistent) != 0)
        return JET_errConsistentTimeMismatch;
    return attach_now(recovery, header, decision);
}
