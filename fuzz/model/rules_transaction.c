/* Transactions. */
#include <string.h>

#include "fuzz/model/data_rules.h"

static void save_contents(struct model *model, struct model_session *session)
{
    unsigned level = session->level;
    session->saved_count[level] = 0;
    for (size_t i = 0; i < model->file_count && session->saved_count[level] < 16; i++) {
        struct database_file *file = model->files[i];
        if (file->attached != session->instance)
            continue;
        uint32_t at = session->saved_count[level]++;
        session->saved[level][at] = model_content_copy(model, file->content);
        session->saved_files[level][at] = file;
    }
}

/* A transaction belongs to the thread that began it, or to a context that goes from thread to thread. */
static bool shares_session(struct model *model, const struct model_session *session)
{
    if (session->level == 0 || session->thread == model->line->thread)
        return false;
    model->expect.no_opinion = session->foreign || session->instance->lost;
    model_want(model, JET_errSessionSharingViolation);
    return !session->foreign || model_answered(model) == JET_errSessionSharingViolation;
}

/* A session with a context of its own is shared by other rules. */
static void session_context(struct model *model)
{
    struct model_reference slot = model_reference(model);
    model_no_opinion(model);
    if (slot.kind != OBJECT_SESSION)
        return;
    struct model_session *session = slot.pointer;
    session->foreign = true;
    if (!model_succeeded(model))
        return;
    session->context = strcmp(model->line->op->name, "SetSessionContext") == 0;
    session->context_thread = model->line->thread;
}

static void enter_level(struct model *model, struct model_session *session)
{
    save_contents(model, session);
    model_writes_begin(session);
    if (session->level == 0) {
        session->thread = model->line->thread;
        session->beside = !model_alone(model, session);
        session->left = false;
    }
    session->level++;
}

void model_left_in_transaction(struct model *model)
{
    model->next = 0;
    const struct model_reference slot = model_reference(model);
    struct model_session *session = slot.kind == OBJECT_SESSION ? slot.pointer : NULL;
    if (session == NULL || !session->alive || session->level > 0 || !session->context ||
        session->context_thread == model->line->thread || model_succeeded(model))
        return;
    const int32_t code = model_answered(model);
    const char *rows = model_option(model, "txn");
    uint64_t number;
    if (rows != NULL && model_number_text(rows, &number) && number == 0)
        return;                                                       /* it begins none */
    const bool at_once = strcmp(model->line->op->name, "Table") == 0; /* others look at columns first */
    if (at_once ? code == JET_errClientRequestToStopJetService
                : code != JET_errSessionSharingViolation && code != JET_errRecordNotFound)
        return;
    enter_level(model, session);
    if (at_once) /* it may have made the table before it failed */
        model_taint_databases(model, session->instance);
}

static void begin(struct model *model)
{
    struct model_session *session = model_session_gate(model);
    if (session == NULL || shares_session(model, session))
        return;
    if (session->level == 7) {
        model_want(model, JET_errTransTooDeep);
        return;
    }
    model_want(model, JET_errSuccess);
    if (!model_succeeded(model))
        return;
    if (strcmp(model->line->op->name, "BeginTransaction3") == 0)
        (void)model_number(model, 0); /* the transaction's name */
    const uint64_t grbit =
        strcmp(model->line->op->name, "BeginTransaction") == 0 ? 0 : model_number(model, 0);
    if ((grbit & JET_bitTransactionReadOnly) != 0 && session->level == 0)
        model->lost = true; /* read-only transactions are not described */
    enter_level(model, session);
}

/* All commits up to the session's last one are on disk. */
static void last_commit_flushed(struct model *model, const struct model_session *session)
{
    for (size_t i = 0; i < model->file_count; i++) {
        struct database_file *file = model->files[i];
        if (file->attached == session->instance && session->instance->last_commit == session)
            file->uncertain = file->uncertain && model_has_transaction(model, session->instance);
    }
}

static bool is_frozen(const struct model_instance *instance)
{
    return instance->snapshot != NULL && instance->snapshot->state == SNAPSHOT_FROZEN &&
           instance->backup.kind == BACKUP_FROZEN;
}

void model_wait_for_log(struct model *model, const struct database_file *file,
                        struct model_instance *instance)
{
    if (!file->unloggable && model_succeeded(model) && is_frozen(instance))
        model_outwait_freeze(model, instance);
}

/* Who has never committed anything waits for nothing. */
static void wait_in_freeze(struct model *model, const struct model_session *session, bool all)
{
    struct model_instance *instance = session->instance;
    if (instance->no_logging || !is_frozen(instance))
        return;
    if (all || instance->last_commit == session)
        model_outwait_freeze(model, instance);
    else
        model->lost = true;
}

/* A wait for commits that were lazy; it ends no transaction and needs none. False: the bits ask for none. */
static bool wait_for_commits(struct model *model, struct model_session *session, uint64_t grbit)
{
    const uint64_t known = JET_bitCommitLazyFlush | JET_bitWaitLastLevel0Commit | JET_bitWaitAllLevel0Commit;
    if ((grbit & ~known) != 0) {
        model_no_opinion(model); /* a new log by force, redo callbacks */
        if (model_succeeded(model))
            model->lost = true;
        return true;
    }
    if ((grbit & ~(uint64_t)JET_bitCommitLazyFlush) == 0)
        return false;
    const bool alone = grbit == JET_bitWaitLastLevel0Commit || grbit == JET_bitWaitAllLevel0Commit;
    model_want(model, alone ? JET_errSuccess : JET_errInvalidGrbit);
    if (!model_succeeded(model))
        return true;
    wait_in_freeze(model, session, grbit == JET_bitWaitAllLevel0Commit);
    if (session->level > 0)
        return true;
    if (grbit == JET_bitWaitAllLevel0Commit)
        model_content_flush(model, session->instance);
    else
        last_commit_flushed(model, session);
    return true;
}

static void commit(struct model *model)
{
    struct model_session *session = model_session_gate(model);
    if (session == NULL)
        return;
    uint64_t grbit = model_number(model, 0);
    /* The bits come before the thread (`tm.cxx`, `dir.cxx`). */
    if (wait_for_commits(model, session, grbit) || shares_session(model, session))
        return;
    if (session->level == 0) {
        model_want(model, JET_errNotInTransaction);
        return;
    }
    model_want(model, JET_errSuccess);
    if (!model_succeeded(model))
        return;
    session->level--;
    for (size_t i = 0; i < model->cursor_count; i++) {
        if (model->cursors[i]->session == session && model->cursors[i]->level > session->level)
            model->cursors[i]->level = session->level;
    }
    if (session->level > 0)
        return;
    if (session->instance->snapshot != NULL && session->instance->snapshot->state == SNAPSHOT_FROZEN)
        model->lost = true; /* it waits if anything was changed */
    const enum model_wrote wrote = session->wrote         ? WROTE_SURELY
                                   : session->written > 0 ? WROTE_PERHAPS
                                                          : WROTE_NOTHING;
    session->wrote = false;
    model_writes_commit(model, session);
    model_content_commit(model, session, wrote, (grbit & JET_bitCommitLazyFlush) != 0);
}

static void restore_contents(struct model *model, struct model_session *session, unsigned level)
{
    for (uint32_t i = 0; i < session->saved_count[level]; i++) {
        struct database_file *file = session->saved_files[level][i];
        if (file->attached != session->instance)
            continue;
        bool mixed = session->left;
        for (size_t s = 0; s < model->session_count; s++) {
            const struct model_session *other = model->sessions[s];
            mixed = mixed || (other != session && other->alive && other->instance == session->instance);
        }
        file->content = session->saved[level][i];
        if (mixed) {
            file->content->opaque = true; /* others' changes are not told apart */
            file->uncertain = true;
        }
    }
}

void model_roll_back(struct model *model, struct model_session *session, unsigned level)
{
    session->level = level;
    model_writes_rollback(model, session);
    restore_contents(model, session, level);
    /* Cursors opened inside are closed. */
    for (size_t i = 0; i < model->cursor_count; i++) {
        if (model->cursors[i]->session == session &&
            (model->cursors[i]->level > level || model_cursor_table(model->cursors[i]) == NULL))
            model->cursors[i]->alive = false;
    }
    if (level > 0)
        return;
    session->wrote = false;
    model_content_commit(model, session, WROTE_NOTHING, false);
}

static void rollback(struct model *model)
{
    struct model_session *session = model_ending_session_gate(model);
    if (session == NULL || shares_session(model, session))
        return;
    uint64_t grbit = model_number(model, 0);
    if (session->level == 0) {
        model_want(model, JET_errNotInTransaction);
        return;
    }
    model_want(model, JET_errSuccess);
    if ((grbit & ~(uint64_t)JET_bitRollbackAll) != 0)
        model_no_opinion(model);
    if (!model_succeeded(model))
        return;
    model_roll_back(model, session, (grbit & JET_bitRollbackAll) != 0 ? 0 : session->level - 1);
}

const struct model_entry model_transaction_entries[] = {
    {"BeginTransaction", begin},
    {"BeginTransaction2", begin},
    {"BeginTransaction3", begin},
    {"SetSessionContext", session_context},
    {"ResetSessionContext", session_context},
    {"CommitTransaction", commit},
    {"CommitTransaction2", commit},
    {"Rollback", rollback},
    {NULL, NULL},
};
