/* JetBeginTransaction, JetCommitTransaction, JetRollback (engine source: `tm.cxx`). */
#include "src/api/data_common.h"
#include "src/log/log.h"
#include "src/table/update.h"

#define USER_LEVEL_MOST 7u
#define COMMIT_BITS                                                                                          \
    (JET_bitCommitLazyFlush | JET_bitWaitLastLevel0Commit | JET_bitWaitAllLevel0Commit | JET_bitForceNewLog)

static JET_ERR begin(struct session *session, int64_t id, JET_GRBIT grbit)
{
    JET_ERR err = JET_errSuccess;
    const unsigned level = transaction_level(&session->transaction);
    if (level > 0)
        TRY(session_check_thread(session));
    if (level >= USER_LEVEL_MOST)
        FAIL(JET_errTransTooDeep);
    TRY(transaction_begin(&session->transaction, (grbit & JET_bitTransactionReadOnly) != 0));
    if (level == 0) {
        session_bind_thread(session);
        session->transaction_id = (uint64_t)id;
    }
done:
    return err;
}

static JET_ERR begin_call(JET_SESID sesid, int64_t id, JET_GRBIT grbit)
{
    JET_ERR err = JET_errSuccess;
    struct session *session = NULL;
    TRY(session_enter(sesid, &session));
    err = begin(session, id, grbit);
    session_leave(session);
done:
    return err;
}

JET_ERR JET_API JetBeginTransaction(JET_SESID sesid)
{
    return begin_call(sesid, 0, 0);
}

JET_ERR JET_API JetBeginTransaction2(JET_SESID sesid, JET_GRBIT grbit)
{
    return begin_call(sesid, 0, grbit);
}

JET_ERR JET_API JetBeginTransaction3(JET_SESID sesid, int64_t trxid, JET_GRBIT grbit)
{
    return begin_call(sesid, trxid, grbit);
}

/* --- commit --- */

/* After a commit the level's cursors and prepared updates belong to the level above. */
static void lower_levels(struct session *session, JET_TABLEID table, void *object, void *context)
{
    struct table_cursor *cursor = object;
    const unsigned level = *(const unsigned *)context;
    (void)session;
    (void)table;
    table_commit_level(cursor, level);
}

/* The bits that may stand alone, also outside a transaction. */
static JET_ERR wait_only(struct session *session, JET_GRBIT grbit, bool *done)
{
    *done = true;
    if (grbit & JET_bitForceNewLog) {
        if (grbit != JET_bitForceNewLog)
            return JET_errInvalidGrbit;
        int32_t generation = 0;
        return log_roll(session->instance->log, &generation);
    }
    if (grbit & JET_bitWaitAllLevel0Commit) {
        if (grbit != JET_bitWaitAllLevel0Commit)
            return JET_errInvalidGrbit;
        return transaction_wait(&session->transaction, true);
    }
    if (grbit & JET_bitWaitLastLevel0Commit) {
        if (grbit != JET_bitWaitLastLevel0Commit)
            return JET_errInvalidGrbit;
        return transaction_wait(&session->transaction, false);
    }
    *done = false;
    return JET_errSuccess;
}

static JET_ERR commit(struct session *session, JET_GRBIT grbit)
{
    JET_ERR err = JET_errSuccess;
    bool finished = false;
    unsigned level = transaction_level(&session->transaction);
    if (grbit & ~(JET_GRBIT)COMMIT_BITS)
        FAIL(JET_errInvalidGrbit);
    TRY(wait_only(session, grbit, &finished));
    if (finished)
        goto done;
    if (level <= session->callback_level)
        FAIL(JET_errNotInTransaction);
    TRY(session_check_thread(session));
    const JET_GRBIT effective = grbit | session->commit_default;
    TRY(transaction_commit(&session->transaction, (effective & JET_bitCommitLazyFlush) != 0));
    level--;
    session_visit_cursors(session, lower_levels, &level);
done:
    return err < JET_errSuccess ? err : JET_errSuccess;
}

JET_ERR JET_API JetCommitTransaction2(JET_SESID sesid, JET_GRBIT grbit, uint32_t cmsecDurableCommit,
                                      JET_COMMIT_ID *pCommitId)
{
    JET_ERR err = JET_errSuccess;
    struct session *session = NULL;
    (void)cmsecDurableCommit; /* durable at once is soon enough */
    TRY(session_enter(sesid, &session));
    err = commit(session, grbit);
    if (err >= JET_errSuccess && pCommitId != NULL)
        memset(pCommitId, 0, sizeof(*pCommitId));
    session_leave(session);
done:
    return err;
}

JET_ERR JET_API JetCommitTransaction(JET_SESID sesid, JET_GRBIT grbit)
{
    return JetCommitTransaction2(sesid, grbit, 0, NULL);
}

/* --- rollback --- */

/* Cursors opened in the level go; updates prepared and places chosen in it are lost. */
static void leave_level(struct session *session, JET_TABLEID table, void *object, void *context)
{
    struct table_cursor *cursor = object;
    const unsigned level = *(const unsigned *)context;
    if (cursor->open_level >= level) {
        session_remove_cursor(session, table);
        table_cursor_close(cursor);
        return;
    }
    table_roll_back_level(cursor, level);
}

static JET_ERR rollback(struct session *session, JET_GRBIT grbit)
{
    JET_ERR err = JET_errSuccess;
    unsigned level = transaction_level(&session->transaction);
    if (level <= session->callback_level)
        FAIL(JET_errNotInTransaction);
    TRY(session_check_thread(session));
    do {
        level = transaction_level(&session->transaction);
        session_visit_cursors(session, leave_level, &level);
        TRY(transaction_rollback(&session->transaction));
    } while ((grbit & JET_bitRollbackAll) != 0 &&
             transaction_level(&session->transaction) > session->callback_level);
done:
    return err < JET_errSuccess ? err : JET_errSuccess;
}

JET_ERR JET_API JetRollback(JET_SESID sesid, JET_GRBIT grbit)
{
    JET_ERR err = JET_errSuccess;
    struct session *session = NULL;
    TRY(session_enter_stopped(sesid, &session));
    err = rollback(session, grbit);
    session_leave(session);
done:
    return err;
}
