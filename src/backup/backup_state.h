/* The state of a streaming backup, and the one table that says what every call may do in it.
 *
 * The engine asks this table at the gate of each call and moves along it; the documentation prints it, and
 * tests and models read it as data. The calls' own arguments (sizes, names, handles) are not its business:
 * they are checked after the gate. Engine source: `backup.cxx`, where the same is spread over flags.
 *
 * A stop is not a state: it is a flag beside it, so that it can be set at any time without waiting for
 * anybody. */
#ifndef OPENESENT_BACKUP_BACKUP_STATE_H
#define OPENESENT_BACKUP_BACKUP_STATE_H

#include "include/esent.h"
#include "include/esent_host.h"
#include "src/os/base.h"

enum backup_state {
    BACKUP_IDLE,             /* no backup */
    BACKUP_DATABASES,        /* full: databases are copied, the logs were not asked for yet */
    BACKUP_LOGS,             /* full: the log was rolled, both log ranges are fixed */
    BACKUP_INCREMENTAL,      /* incremental: the logs were not asked for yet */
    BACKUP_INCREMENTAL_LOGS, /* incremental: as BACKUP_LOGS */
    BACKUP_SURROGATE,        /* somebody else copies; we only keep the log and the headers in step */
    BACKUP_SNAPSHOT,         /* the instance belongs to a snapshot that was frozen and has not ended */
    BACKUP_STATE_COUNT
};

enum backup_event {
    BACKUP_EVENT_BEGIN_FULL,
    BACKUP_EVENT_BEGIN_INCREMENTAL,
    BACKUP_EVENT_BEGIN_SURROGATE,
    BACKUP_EVENT_FREEZE, /* of a snapshot */
    BACKUP_EVENT_ATTACH_INFO,
    BACKUP_EVENT_OPEN_DATABASE, /* open of an attached database, once the name is known to be one */
    BACKUP_EVENT_OPEN_FILE,     /* open of anything else */
    BACKUP_EVENT_READ,
    BACKUP_EVENT_CLOSE,
    BACKUP_EVENT_LOG_INFO, /* GetLogInfo*, GetTruncateLogInfo* */
    BACKUP_EVENT_TRUNCATE,
    BACKUP_EVENT_END, /* JetEndExternalBackup* */
    BACKUP_EVENT_END_SURROGATE,
    BACKUP_EVENT_SNAPSHOT_END,  /* the snapshot ends, well or not */
    BACKUP_EVENT_ATTACH_DETACH, /* of databases */
    BACKUP_EVENT_COUNT
};

/* What one event meets in one state. */
struct backup_rule {
    JET_ERR refused;          /* answer at the gate; JET_errSuccess lets the call in */
    bool wants_no_open_file;  /* refused with JET_errInvalidBackupSequence while a file is open */
    enum backup_state after;  /* state when the call has succeeded */
    enum backup_state failed; /* state when it has failed behind the gate */
};

/* The rule of a state and an event in a profile. */
const struct backup_rule *backup_rule(enum ESENT_HOST_PROFILE profile, enum backup_state state,
                                      enum backup_event event);

/* True for the events that a stop refuses until the end with JET_errBackupAbortByServer: all that copy or
 * delete. */
bool backup_event_is_stoppable(enum backup_event event);

/* The answer at the gate, in the engine's order: state, stop, open file. */
JET_ERR backup_gate(enum ESENT_HOST_PROFILE profile, enum backup_state state, enum backup_event event,
                    bool stopped, bool file_open);

/* How an end that was asked for as a good one really ends: JET_errSuccess, JET_errBackupAbortByServer
 * (stopped) or JET_errBackupAbortByCaller (the logs were never asked for). In the published engine an
 * incremental backup without logs, and a snapshot, count as good ends. */
JET_ERR backup_end_outcome(enum ESENT_HOST_PROFILE profile, enum backup_state state, bool stopped);

/* Names for documents and messages. */
const char *backup_state_name(enum backup_state state);
const char *backup_event_name(enum backup_event event);

#endif
