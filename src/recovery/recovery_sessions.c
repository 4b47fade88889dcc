/* The sessions of the log while it is redone: transactions and macros. */
#include "src/os/memory.h"
#include "src/recovery/recovery_internal.h"

JET_ERR recovery_session(struct recovery *recovery, uint16_t process, struct recovery_session **session)
{
    JET_ERR err = JET_errSuccess;
    for (struct recovery_session *known = recovery->sessions; known != NULL; known = known->next) {
        if (known->process == process) {
            *session = known;
            return JET_errSuccess;
        }
    }
    struct recovery_session *made = os_allocate_zeroed(sizeof(*made));
    if (made == NULL)
        return JET_errOutOfMemory;
    made->process = process;
    TRY(transaction_init(&made->transaction, recovery->set->versions, process));
    made->next = recovery->sessions;
    recovery->sessions = made;
    *session = made;
    return JET_errSuccess;
done:
    os_free(made);
    return err;
}

static void free_macro(struct recovery_macro *macro)
{
    os_free(macro->records);
    os_free(macro);
}

void recovery_free_sessions(struct recovery *recovery)
{
    while (recovery->sessions != NULL) {
        struct recovery_session *session = recovery->sessions;
        recovery->sessions = session->next;
        while (session->macros != NULL) {
            struct recovery_macro *macro = session->macros;
            session->macros = macro->next;
            free_macro(macro);
        }
        if (transaction_level(&session->transaction) > 0)
            transaction_abandon(&session->transaction); /* recovery failed */
        transaction_done(&session->transaction);
        os_free(session);
    }
}

/* --- macros --- */

struct recovery_macro *recovery_find_macro(const struct recovery_session *session, uint64_t time)
{
    struct recovery_macro *macro = session->macros;
    while (macro != NULL && macro->dbtime != time)
        macro = macro->next;
    return macro;
}

JET_ERR recovery_macro_begin(struct recovery_session *session, uint64_t time)
{
    if (recovery_find_macro(session, time) != NULL)
        return JET_errLogCorrupted;
    struct recovery_macro *macro = os_allocate_zeroed(sizeof(*macro));
    if (macro == NULL)
        return JET_errOutOfMemory;
    macro->dbtime = time;
    macro->next = session->macros;
    session->macros = macro;
    return JET_errSuccess;
}

JET_ERR recovery_macro_add(struct recovery_macro *macro, const void *record, size_t size)
{
    if (macro->size + size > macro->capacity) {
        size_t capacity = macro->capacity == 0 ? 1024 : macro->capacity;
        while (capacity < macro->size + size)
            capacity *= 2;
        uint8_t *records = os_reallocate(macro->records, capacity);
        if (records == NULL)
            return JET_errOutOfMemory;
        macro->records = records;
        macro->capacity = capacity;
    }
    memcpy(macro->records + macro->size, record, size);
    macro->size += size;
    return JET_errSuccess;
}

void recovery_macro_end(struct recovery_session *session, uint64_t time)
{
    struct recovery_macro **link = &session->macros;
    while (*link != NULL && (*link)->dbtime != time)
        link = &(*link)->next;
    if (*link == NULL)
        return;
    struct recovery_macro *macro = *link;
    *link = macro->next;
    free_macro(macro);
}

/* --- transactions --- */

static JET_ERR redo_begin(struct recovery *recovery, struct recovery_session *session,
                          const struct log_record_begin *record)
{
    JET_ERR err = JET_errSuccess;
    unsigned from = record->levels & 0x0f;
    unsigned levels = record->levels >> 4;
    uint32_t begin0 = session->transaction.actor.begin0;
    /* Without the begin of level 0 the session's transaction lies before the checkpoint, and is in the pages.
     */
    if (!session->began && from != 0)
        return JET_errSuccess;
    if (levels == 0) /* too many are refused by whoever begins them */
        return JET_errLogCorrupted;
    if (record->type == LOG_RECORD_BEGIN0 || record->type == LOG_RECORD_BEGIN_DISTRIBUTED) {
        begin0 = ((const struct log_record_begin0 *)(const void *)record)->trx_begin0;
        version_store_raise_ids(recovery->set->versions, begin0, 0);
    }
    unsigned level = transaction_level(&session->transaction);
    if (level < from + levels)
        TRY(version_redo_begin(&session->transaction, level, from + levels - level, begin0,
                               recovery->position));
    session->began = true;
done:
    return err;
}

static JET_ERR redo_commit(struct recovery *recovery, struct recovery_session *session,
                           const struct log_record_commit *record)
{
    uint32_t commit0 = 0;
    if (record->type == LOG_RECORD_COMMIT0) {
        commit0 = ((const struct log_record_commit0 *)(const void *)record)->trx_commit0;
        version_store_raise_ids(recovery->set->versions, commit0, 0);
    }
    if (!session->began || transaction_level(&session->transaction) <= record->level_to)
        return JET_errSuccess;
    return version_redo_commit(&session->transaction, record->level_to, commit0);
}

static JET_ERR redo_rollback(struct recovery_session *session, const struct log_record_rollback *record)
{
    unsigned level = transaction_level(&session->transaction);
    unsigned levels = record->levels < level ? record->levels : level;
    if (!session->began || levels == 0)
        return JET_errSuccess;
    return version_redo_rollback(&session->transaction, levels);
}

JET_ERR recovery_redo_transaction(struct recovery *recovery, const struct log_record_header *record)
{
    JET_ERR err = JET_errSuccess;
    struct recovery_session *session = NULL;
    const struct log_record_transaction *transaction = (const void *)record;
    TRY(recovery_session(recovery, transaction->process_id, &session));
    switch (record->type) {
    case LOG_RECORD_BEGIN:
    case LOG_RECORD_BEGIN0:
    case LOG_RECORD_BEGIN_DISTRIBUTED:
        TRY(redo_begin(recovery, session, (const void *)record));
        break;
    case LOG_RECORD_COMMIT:
    case LOG_RECORD_COMMIT0:
        TRY(redo_commit(recovery, session, (const void *)record));
        break;
    case LOG_RECORD_ROLLBACK:
        TRY(redo_rollback(session, (const void *)record));
        break;
    default:
        ASSERT(record->type == LOG_RECORD_REFRESH);
        if (session->began && transaction_level(&session->transaction) == 0)
            TRY(version_redo_begin(&session->transaction, 0, 1,
                                   ((const struct log_record_refresh *)(const void *)record)->trx_begin0,
                                   recovery->position));
        break;
    }
done:
    return err;
}

JET_ERR recovery_undo_sessions(struct recovery *recovery, bool forget)
{
    JET_ERR err = JET_errSuccess;
    for (struct recovery_session *session = recovery->sessions; session != NULL; session = session->next) {
        unsigned level = transaction_level(&session->transaction);
        if (level == 0)
            continue;
        if (forget)
            TRY(version_redo_rollback(&session->transaction, level));
        while (!forget && transaction_level(&session->transaction) > 0)
            TRY(transaction_rollback(&session->transaction));
    }
done:
    return err;
}
