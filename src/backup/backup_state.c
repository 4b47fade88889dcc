#include "src/backup/backup_state.h"

#include "src/os/error.h"

/* Shorthands of the table. */
#define REFUSE(code, state)                                                                                  \
    {                                                                                                        \
        (code), false, (state), (state)                                                                      \
    }
#define ALLOW(closed, after, failed)                                                                         \
    {                                                                                                        \
        JET_errSuccess, (closed), (after), (failed)                                                          \
    }
#define BUSY(state) REFUSE(JET_errBackupInProgress, state)
#define BUSY_SURROGATE(state) REFUSE(JET_errSurrogateBackupInProgress, state)
#define NONE(state) REFUSE(JET_errNoBackup, state)

/* Rows: states. The published engine's rules; what the documentation wants otherwise stands below. */
static const struct backup_rule published_rules[BACKUP_STATE_COUNT][BACKUP_EVENT_COUNT] =
    {
        [BACKUP_IDLE] =
            {
                [BACKUP_EVENT_BEGIN_FULL] = ALLOW(false, BACKUP_DATABASES, BACKUP_IDLE),
                [BACKUP_EVENT_BEGIN_INCREMENTAL] = ALLOW(false, BACKUP_INCREMENTAL, BACKUP_IDLE),
                [BACKUP_EVENT_BEGIN_SURROGATE] = ALLOW(false, BACKUP_SURROGATE, BACKUP_IDLE),
                [BACKUP_EVENT_FREEZE] = ALLOW(false, BACKUP_SNAPSHOT, BACKUP_IDLE),
                [BACKUP_EVENT_ATTACH_INFO] = NONE(BACKUP_IDLE),
                [BACKUP_EVENT_OPEN_DATABASE] = NONE(BACKUP_IDLE),
                [BACKUP_EVENT_OPEN_FILE] = NONE(BACKUP_IDLE),
                [BACKUP_EVENT_READ] = NONE(BACKUP_IDLE),
                [BACKUP_EVENT_CLOSE] = NONE(BACKUP_IDLE),
                [BACKUP_EVENT_LOG_INFO] = NONE(BACKUP_IDLE),
                [BACKUP_EVENT_TRUNCATE] = NONE(BACKUP_IDLE),
                [BACKUP_EVENT_END] = NONE(BACKUP_IDLE),
                [BACKUP_EVENT_END_SURROGATE] = NONE(BACKUP_IDLE),
                [BACKUP_EVENT_SNAPSHOT_END] = ALLOW(false, BACKUP_IDLE, BACKUP_IDLE),
                [BACKUP_EVENT_ATTACH_DETACH] = ALLOW(false, BACKUP_IDLE, BACKUP_IDLE),
            },
        [BACKUP_DATABASES] =
            {
                [BACKUP_EVENT_BEGIN_FULL] = BUSY(BACKUP_DATABASES),
                [BACKUP_EVENT_BEGIN_INCREMENTAL] = BUSY(BACKUP_DATABASES),
                [BACKUP_EVENT_BEGIN_SURROGATE] = BUSY(BACKUP_DATABASES),
                [BACKUP_EVENT_FREEZE] = REFUSE(JET_errOSSnapshotNotAllowed, BACKUP_DATABASES),
                [BACKUP_EVENT_ATTACH_INFO] = ALLOW(false, BACKUP_DATABASES, BACKUP_DATABASES),
                [BACKUP_EVENT_OPEN_DATABASE] = ALLOW(false, BACKUP_DATABASES, BACKUP_DATABASES),
                [BACKUP_EVENT_OPEN_FILE] = REFUSE(JET_errDatabaseNotFound, BACKUP_DATABASES),
                [BACKUP_EVENT_READ] = ALLOW(false, BACKUP_DATABASES, BACKUP_DATABASES),
                [BACKUP_EVENT_CLOSE] = ALLOW(false, BACKUP_DATABASES, BACKUP_DATABASES),
                [BACKUP_EVENT_LOG_INFO] = ALLOW(true, BACKUP_LOGS, BACKUP_DATABASES),
                [BACKUP_EVENT_TRUNCATE] = REFUSE(JET_errInvalidBackupSequence, BACKUP_DATABASES),
                [BACKUP_EVENT_END] = ALLOW(false, BACKUP_IDLE, BACKUP_IDLE),
                [BACKUP_EVENT_END_SURROGATE] = ALLOW(false, BACKUP_IDLE, BACKUP_IDLE),
                [BACKUP_EVENT_SNAPSHOT_END] = ALLOW(false, BACKUP_DATABASES, BACKUP_DATABASES),
                [BACKUP_EVENT_ATTACH_DETACH] = BUSY(BACKUP_DATABASES),
            },
        [BACKUP_LOGS] =
            {
                [BACKUP_EVENT_BEGIN_FULL] = BUSY(BACKUP_LOGS),
                [BACKUP_EVENT_BEGIN_INCREMENTAL] = BUSY(BACKUP_LOGS),
                [BACKUP_EVENT_BEGIN_SURROGATE] = BUSY(BACKUP_LOGS),
                [BACKUP_EVENT_FREEZE] = REFUSE(JET_errOSSnapshotNotAllowed, BACKUP_LOGS),
                [BACKUP_EVENT_ATTACH_INFO] = ALLOW(false, BACKUP_LOGS, BACKUP_LOGS),
                [BACKUP_EVENT_OPEN_DATABASE] = REFUSE(JET_errInvalidBackupSequence, BACKUP_IDLE),
                [BACKUP_EVENT_OPEN_FILE] = ALLOW(false, BACKUP_LOGS, BACKUP_IDLE),
                [BACKUP_EVENT_READ] = ALLOW(false, BACKUP_LOGS, BACKUP_IDLE),
                [BACKUP_EVENT_CLOSE] = ALLOW(false, BACKUP_LOGS, BACKUP_LOGS),
                [BACKUP_EVENT_LOG_INFO] = ALLOW(true, BACKUP_LOGS, BACKUP_LOGS),
                [BACKUP_EVENT_TRUNCATE] = ALLOW(true, BACKUP_LOGS, BACKUP_LOGS),
                [BACKUP_EVENT_END] = ALLOW(false, BACKUP_IDLE, BACKUP_IDLE),
                [BACKUP_EVENT_END_SURROGATE] = ALLOW(false, BACKUP_IDLE, BACKUP_IDLE),
                [BACKUP_EVENT_SNAPSHOT_END] = ALLOW(false, BACKUP_LOGS, BACKUP_LOGS),
                [BACKUP_EVENT_ATTACH_DETACH] = BUSY(BACKUP_LOGS),
            },
        [BACKUP_INCREMENTAL] =
            {
                [BACKUP_EVENT_BEGIN_FULL] = BUSY(BACKUP_INCREMENTAL),
                [BACKUP_EVENT_BEGIN_INCREMENTAL] = BUSY(BACKUP_INCREMENTAL),
                [BACKUP_EVENT_BEGIN_SURROGATE] = BUSY(BACKUP_INCREMENTAL),
                [BACKUP_EVENT_FREEZE] = REFUSE(JET_errOSSnapshotNotAllowed, BACKUP_INCREMENTAL),
                [BACKUP_EVENT_ATTACH_INFO] = REFUSE(JET_errInvalidBackupSequence, BACKUP_INCREMENTAL),
                [BACKUP_EVENT_OPEN_DATABASE] = REFUSE(JET_errInvalidBackupSequence, BACKUP_IDLE),
                [BACKUP_EVENT_OPEN_FILE] = ALLOW(false, BACKUP_INCREMENTAL, BACKUP_IDLE),
                [BACKUP_EVENT_READ] = ALLOW(false, BACKUP_INCREMENTAL, BACKUP_IDLE),
                [BACKUP_EVENT_CLOSE] = ALLOW(false, BACKUP_INCREMENTAL, BACKUP_INCREMENTAL),
                [BACKUP_EVENT_LOG_INFO] = ALLOW(true, BACKUP_INCREMENTAL_LOGS, BACKUP_INCREMENTAL),
                [BACKUP_EVENT_TRUNCATE] = REFUSE(JET_errInvalidBackupSequence, BACKUP_INCREMENTAL),
                [BACKUP_EVENT_END] = ALLOW(false, BACKUP_IDLE, BACKUP_IDLE),
                [BACKUP_EVENT_END_SURROGATE] = ALLOW(false, BACKUP_IDLE, BACKUP_IDLE),
                [BACKUP_EVENT_SNAPSHOT_END] = ALLOW(false, BACKUP_INCREMENTAL, BACKUP_INCREMENTAL),
                [BACKUP_EVENT_ATTACH_DETACH] = BUSY(BACKUP_INCREMENTAL),
            },
        [BACKUP_INCREMENTAL_LOGS] =
            {
                [BACKUP_EVENT_BEGIN_FULL] = BUSY(BACKUP_INCREMENTAL_LOGS),
                [BACKUP_EVENT_BEGIN_INCREMENTAL] = BUSY(BACKUP_INCREMENTAL_LOGS),
                [BACKUP_EVENT_BEGIN_SURROGATE] = BUSY(BACKUP_INCREMENTAL_LOGS),
                [BACKUP_EVENT_FREEZE] = REFUSE(JET_errOSSnapshotNotAllowed, BACKUP_INCREMENTAL_LOGS),
                [BACKUP_EVENT_ATTACH_INFO] = REFUSE(JET_errInvalidBackupSequence, BACKUP_INCREMENTAL_LOGS),
                [BACKUP_EVENT_OPEN_DATABASE] = REFUSE(JET_errInvalidBackupSequence, BACKUP_IDLE),
                [BACKUP_EVENT_OPEN_FILE] = ALLOW(false, BACKUP_INCREMENTAL_LOGS, BACKUP_IDLE),
                [BACKUP_EVENT_READ] = ALLOW(false, BACKUP_INCREMENTAL_LOGS, BACKUP_IDLE),
                [BACKUP_EVENT_CLOSE] = ALLOW(false, BACKUP_INCREMENTAL_LOGS, BACKUP_INCREMENTAL_LOGS),
                [BACKUP_EVENT_LOG_INFO] = ALLOW(true, BACKUP_INCREMENTAL_LOGS, BACKUP_INCREMENTAL_LOGS),
                [BACKUP_EVENT_TRUNCATE] = ALLOW(true, BACKUP_INCREMENTAL_LOGS, BACKUP_INCREMENTAL_LOGS),
                [BACKUP_EVENT_END] = ALLOW(false, BACKUP_IDLE, BACKUP_IDLE),
                [BACKUP_EVENT_END_SURROGATE] = ALLOW(false, BACKUP_IDLE, BACKUP_IDLE),
                [BACKUP_EVENT_SNAPSHOT_END] = ALLOW(false, BACKUP_INCREMENTAL_LOGS, BACKUP_INCREMENTAL_LOGS),
                [BACKUP_EVENT_ATTACH_DETACH] = BUSY(BACKUP_INCREMENTAL_LOGS),
            },
        [BACKUP_SURROGATE] =
            {
                [BACKUP_EVENT_BEGIN_FULL] = BUSY_SURROGATE(BACKUP_SURROGATE),
                [BACKUP_EVENT_BEGIN_INCREMENTAL] = BUSY_SURROGATE(BACKUP_SURROGATE),
                [BACKUP_EVENT_BEGIN_SURROGATE] = BUSY_SURROGATE(BACKUP_SURROGATE),
                [BACKUP_EVENT_FREEZE] = REFUSE(JET_errOSSnapshotNotAllowed, BACKUP_SURROGATE),
                [BACKUP_EVENT_ATTACH_INFO] = NONE(BACKUP_SURROGATE),
                [BACKUP_EVENT_OPEN_DATABASE] = NONE(BACKUP_SURROGATE),
                [BACKUP_EVENT_OPEN_FILE] = NONE(BACKUP_SURROGATE),
                [BACKUP_EVENT_READ] = NONE(BACKUP_SURROGATE),
                [BACKUP_EVENT_CLOSE] = NONE(BACKUP_SURROGATE),
                [BACKUP_EVENT_LOG_INFO] = NONE(BACKUP_SURROGATE),
                [BACKUP_EVENT_TRUNCATE] = NONE(BACKUP_SURROGATE),
                [BACKUP_EVENT_END] = ALLOW(false, BACKUP_IDLE, BACKUP_IDLE),
                [BACKUP_EVENT_END_SURROGATE] = ALLOW(false, BACKUP_IDLE, BACKUP_IDLE),
                [BACKUP_EVENT_SNAPSHOT_END] = ALLOW(false, BACKUP_SURROGATE, BACKUP_SURROGATE),
                [BACKUP_EVENT_ATTACH_DETACH] = BUSY_SURROGATE(BACKUP_SURROGATE),
            },
        [BACKUP_SNAPSHOT] =
            {
                [BACKUP_EVENT_BEGIN_FULL] = BUSY(BACKUP_SNAPSHOT),
                [BACKUP_EVENT_BEGIN_INCREMENTAL] = BUSY(BACKUP_SNAPSHOT),
                [BACKUP_EVENT_BEGIN_SURROGATE] = BUSY(BACKUP_SNAPSHOT),
                [BACKUP_EVENT_FREEZE] = REFUSE(JET_errOSSnapshotNotAllowed, BACKUP_SNAPSHOT),
                [BACKUP_EVENT_ATTACH_INFO] = ALLOW(false, BACKUP_SNAPSHOT, BACKUP_SNAPSHOT),
                [BACKUP_EVENT_OPEN_DATABASE] = REFUSE(JET_errInvalidBackupSequence, BACKUP_IDLE),
                [BACKUP_EVENT_OPEN_FILE] = ALLOW(false, BACKUP_SNAPSHOT, BACKUP_IDLE),
                [BACKUP_EVENT_READ] = ALLOW(false, BACKUP_SNAPSHOT, BACKUP_IDLE),
                [BACKUP_EVENT_CLOSE] = ALLOW(false, BACKUP_SNAPSHOT, BACKUP_SNAPSHOT),
                [BACKUP_EVENT_LOG_INFO] = ALLOW(true, BACKUP_LOGS, BACKUP_SNAPSHOT),
                [BACKUP_EVENT_TRUNCATE] = ALLOW(true, BACKUP_SNAPSHOT, BACKUP_SNAPSHOT),
                [BACKUP_EVENT_END] = ALLOW(false, BACKUP_IDLE, BACKUP_IDLE),
                [BACKUP_EVENT_END_SURROGATE] = ALLOW(false, BACKUP_IDLE, BACKUP_IDLE),
                [BACKUP_EVENT_SNAPSHOT_END] = ALLOW(false, BACKUP_IDLE, BACKUP_IDLE),
                [BACKUP_EVENT_ATTACH_DETACH] = BUSY(BACKUP_SNAPSHOT),
            },
};

/* Where the documentation differs: the two kinds of end are kept apart, and streaming calls do not reach into
 * a snapshot. */
struct override {
    enum backup_state state;
    enum backup_event event;
    struct backup_rule rule;
};
static const struct override documented_overrides[] = {
    {BACKUP_DATABASES, BACKUP_EVENT_END_SURROGATE, BUSY(BACKUP_DATABASES)},
    {BACKUP_LOGS, BACKUP_EVENT_END_SURROGATE, BUSY(BACKUP_LOGS)},
    {BACKUP_INCREMENTAL, BACKUP_EVENT_END_SURROGATE, BUSY(BACKUP_INCREMENTAL)},
    {BACKUP_INCREMENTAL_LOGS, BACKUP_EVENT_END_SURROGATE, BUSY(BACKUP_INCREMENTAL_LOGS)},
    {BACKUP_SURROGATE, BACKUP_EVENT_END, BUSY_SURROGATE(BACKUP_SURROGATE)},
    {BACKUP_SNAPSHOT, BACKUP_EVENT_ATTACH_INFO, NONE(BACKUP_SNAPSHOT)},
    {BACKUP_SNAPSHOT, BACKUP_EVENT_OPEN_DATABASE, NONE(BACKUP_SNAPSHOT)},
    {BACKUP_SNAPSHOT, BACKUP_EVENT_OPEN_FILE, NONE(BACKUP_SNAPSHOT)},
    {BACKUP_SNAPSHOT, BACKUP_EVENT_READ, NONE(BACKUP_SNAPSHOT)},
    {BACKUP_SNAPSHOT, BACKUP_EVENT_CLOSE, NONE(BACKUP_SNAPSHOT)},
    {BACKUP_SNAPSHOT, BACKUP_EVENT_LOG_INFO, NONE(BACKUP_SNAPSHOT)},
    {BACKUP_SNAPSHOT, BACKUP_EVENT_TRUNCATE, NONE(BACKUP_SNAPSHOT)},
    {BACKUP_SNAPSHOT, BACKUP_EVENT_END, NONE(BACKUP_SNAPSHOT)},
    {BACKUP_SNAPSHOT, BACKUP_EVENT_END_SURROGATE, NONE(BACKUP_SNAPSHOT)},
};

const struct backup_rule *backup_rule(enum ESENT_HOST_PROFILE profile, enum backup_state state,
                                      enum backup_event event)
{
    ASSERT(state < BACKUP_STATE_COUNT && event < BACKUP_EVENT_COUNT);
    if (profile == ESENT_HOST_DOCUMENTED)
        for (size_t i = 0; i < sizeof documented_overrides / sizeof documented_overrides[0]; i++)
            if (documented_overrides[i].state == state && documented_overrides[i].event == event)
                return &documented_overrides[i].rule;
    return &published_rules[state][event];
}

bool backup_event_is_stoppable(enum backup_event event)
{
    return event >= BACKUP_EVENT_ATTACH_INFO && event <= BACKUP_EVENT_TRUNCATE && event != BACKUP_EVENT_CLOSE;
}

JET_ERR backup_gate(enum ESENT_HOST_PROFILE profile, enum backup_state state, enum backup_event event,
                    bool stopped, bool file_open)
{
    const struct backup_rule *rule = backup_rule(profile, state, event);
    if (rule->refused == JET_errNoBackup)
        return JET_errNoBackup;
    if (stopped && backup_event_is_stoppable(event))
        return JET_errBackupAbortByServer;
    if (rule->refused != JET_errSuccess)
        return rule->refused;
    if (rule->wants_no_open_file && file_open)
        return JET_errInvalidBackupSequence;
    return JET_errSuccess;
}

JET_ERR backup_end_outcome(enum ESENT_HOST_PROFILE profile, enum backup_state state, bool stopped)
{
    if (stopped)
        return JET_errBackupAbortByServer;
    if (state == BACKUP_DATABASES)
        return JET_errBackupAbortByCaller;
    if (state == BACKUP_INCREMENTAL && profile == ESENT_HOST_DOCUMENTED)
        return JET_errBackupAbortByCaller;
    return JET_errSuccess;
}

const char *backup_state_name(enum backup_state state)
{
    static const char *const names[BACKUP_STATE_COUNT] = {
        "idle", "databases", "logs", "incremental", "incremental logs", "surrogate", "snapshot",
    };
    return state < BACKUP_STATE_COUNT ? names[state] : "?";
}

const char *backup_event_name(enum backup_event event)
{
    static const char *const names[BACKUP_EVENT_COUNT] = {
        "begin full",    "begin incremental", "begin surrogate",  "freeze",
        "attach info",   "open database",     "open file",        "read",
        "close",         "log info",          "truncate",         "end",
        "end surrogate", "snapshot end",      "attach or detach",
    };
    return event < BACKUP_EVENT_COUNT ? names[event] : "?";
}
