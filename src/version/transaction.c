#include "src/version/version_internal.h"

JET_ERR transaction_init(struct transaction *transaction, struct version_store *store, uint16_t process)
{
    struct transaction_internal *internal = os_allocate_zeroed(sizeof *internal);

    if (internal == NULL)
        return JET_errOutOfMemory;
    memset(transaction, 0, sizeof *transaction);
    transaction->store = store;
    transaction->actor.process = process;
    transaction->commit0 = TRANSACTION_ID_MAX;
    transaction->internal = internal;
    internal->transaction = transaction;
    return JET_errSuccess;
}

void transaction_done(struct transaction *transaction)
{
    if (transaction->internal == NULL)
        return;
    ASSERT(transaction->actor.level == 0 && transaction->newest == NULL);
    ASSERT(transaction->internal->stamp == NULL);
    while (transaction->internal->spare_count > 0)
        os_free(transaction->internal->spare_cursors[--transaction->internal->spare_count]);
    os_free(transaction->internal);
    transaction->internal = NULL;
}

void transaction_link(struct transaction *transaction, struct version_entry *entry)
{
    entry->older = transaction->newest;
    transaction->newest = entry;
}

/* Joins the running transactions with a new id; the transactions lock is held. */
static void start_running(struct version_store *store, struct transaction_internal *internal)
{
    internal->previous = store->running_last;
    internal->next = NULL;
    if (store->running_last != NULL)
        store->running_last->next = internal;
    else
        store->running_first = internal;
    store->running_last = internal;
}

static void stop_running(struct version_store *store, struct transaction_internal *internal)
{
    if (internal->previous != NULL)
        internal->previous->next = internal->next;
    else
        store->running_first = internal->next;
    if (internal->next != NULL)
        internal->next->previous = internal->previous;
    else
        store->running_last = internal->previous;
    internal->previous = internal->next = NULL;
}

bool transaction_sees(const struct transaction *transaction, uint32_t begin0, uint32_t commit0)
{
    if (commit0 != 0)
        return id_before(commit0, snapshot_of(transaction));
    return transaction->actor.level > 0 && transaction->actor.begin0 == begin0;
}

JET_ERR transaction_begin(struct transaction *transaction, bool read_only)
{
    struct version_store *store = transaction->store;

    if (transaction->actor.level >= TRANSACTION_LEVEL_MOST)
        return JET_errTransTooDeep;
    if (transaction->actor.level == 0) {
        os_mutex_lock(&store->transactions_lock);
        transaction->actor.begin0 = os_atomic_add(&store->newest_id, TRANSACTION_ID_STEP);
        transaction->first_record = LOG_POSITION_MAX;
        start_running(store, transaction->internal);
        os_mutex_unlock(&store->transactions_lock);
        transaction->commit0 = TRANSACTION_ID_MAX;
        transaction->read_only = read_only;
        transaction->ever_logged = false;
        transaction->logged_level = 0;
        transaction->actor.begin = LOG_POSITION_MIN;
    }
    transaction->actor.level++;
    return JET_errSuccess;
}

/* Others read it to find where redo must start: it is set before the record is appended, lest the checkpoint
 * pass the record in between. */
static void set_first_record(struct transaction *transaction, struct log_position position)
{
    os_mutex_lock(&transaction->store->transactions_lock);
    transaction->first_record = position;
    os_mutex_unlock(&transaction->store->transactions_lock);
}

static JET_ERR log_begin(struct transaction *transaction, struct log *log)
{
    JET_ERR err = JET_errSuccess;
    struct log_record_begin0 record;
    struct log_position position = LOG_POSITION_MIN;
    uint8_t from = transaction->logged_level;
    uint8_t levels = (uint8_t)(transaction->actor.level - from);
    size_t size = from == 0 ? sizeof record : sizeof record.begin;

    memset(&record, 0, sizeof record);
    record.begin.type = from == 0 ? LOG_RECORD_BEGIN0 : LOG_RECORD_BEGIN;
    record.begin.process_id = transaction->actor.process;
    record.begin.levels = (uint8_t)(from | levels << 4);
    record.trx_begin0 = transaction->actor.begin0;
    if (from == 0)
        set_first_record(transaction, log_end_hint(log));
    TRY(log_append_record(log, &record, size, &position));
    if (from == 0) {
        set_first_record(transaction, position);
        transaction->actor.begin = position;
        transaction->ever_logged = true;
    }
    transaction->logged_level = transaction->actor.level;
done:
    if (err < JET_errSuccess && from == 0)
        set_first_record(transaction, LOG_POSITION_MAX);
    return err;
}

/* Whether the transaction may change the database at all. */
static JET_ERR check_change(const struct transaction *transaction, const struct database *database)
{
    if (transaction->actor.level == 0)
        return JET_errNotInTransaction;
    /* Temporary tables are the session's own and may be written always. */
    if (transaction->read_only && (database == NULL || !database->temporary))
        return JET_errTransReadOnly;
    return JET_errSuccess;
}

JET_ERR transaction_prepare_change(struct transaction *transaction, struct database *database)
{
    JET_ERR err = check_change(transaction, database);

    if (err < JET_errSuccess)
        return err;
    if (transaction->logged_level == transaction->actor.level || database == NULL || !database->logged ||
        database->log == NULL)
        return JET_errSuccess;
    return log_begin(transaction, database->log);
}

/* Commit of an inner level: its entries belong to the level above now. */
static JET_ERR commit_inner(struct transaction *transaction)
{
    JET_ERR err = JET_errSuccess;
    uint8_t level = transaction->actor.level;

    if (transaction->logged_level == level) {
        struct log_record_commit record = {LOG_RECORD_COMMIT, transaction->actor.process,
                                           (uint8_t)(level - 1)};

        TRY(log_append_record(transaction->store->options.log, &record, sizeof record, NULL));
        transaction->logged_level--;
    }
    for (struct version_entry *entry = transaction->newest; entry != NULL && entry->level == level;
         entry = entry->older)
        entry->level--;
    transaction->actor.level--;
done:
    return err;
}

/* Gives the transaction its commit id, in the order of the log's commit records, and publishes it. */
static JET_ERR commit_record(struct transaction *transaction, struct log_position *position, bool *logged)
{
    JET_ERR err = JET_errSuccess;
    struct version_store *store = transaction->store;
    struct transaction_internal *internal = transaction->internal;

    *logged = transaction->logged_level > 0;
    os_mutex_lock(&store->transactions_lock);
    uint32_t commit0 = os_atomic_load(&store->newest_id) + TRANSACTION_ID_STEP;
    if (*logged) {
        struct log_record_commit0 record = {{LOG_RECORD_COMMIT0, transaction->actor.process, 0}, commit0};

        TRY(log_append_record(store->options.log, &record, sizeof record, position));
    }
    if (*logged || internal->stamp != NULL)
        os_atomic_store(&store->newest_id, commit0);
    transaction->commit0 = commit0;
    if (internal->stamp != NULL)
        os_atomic_store(&internal->stamp->commit0, commit0);
    stop_running(store, internal);
    transaction->first_record = LOG_POSITION_MAX;
done:
    os_mutex_unlock(&store->transactions_lock);
    return err;
}

/* Takes the entries from a transaction that ended well: oldest first to the clean-up queue. */
static void hand_over(struct transaction *transaction)
{
    struct version_entry *first = NULL;
    struct version_entry *last = transaction->newest;

    for (struct version_entry *entry = transaction->newest; entry != NULL;) {
        struct version_entry *older = entry->older;

        entry->older = first;
        first = entry;
        entry = older;
    }
    transaction->newest = NULL;
    for (struct version_entry *entry = first; entry != NULL; entry = entry->older) {
        if (entry->action != NULL && entry->action->committed != NULL)
            entry->action->committed(transaction, entry->database, entry->context);
    }
    stamp_release(transaction->internal->stamp);
    transaction->internal->stamp = NULL;
    if (first != NULL)
        queue_append(transaction->store, first, last);
}

JET_ERR transaction_commit(struct transaction *transaction, bool lazy)
{
    JET_ERR err = JET_errSuccess;
    struct log_position position = LOG_POSITION_MIN;
    bool logged = false;

    if (transaction->actor.level == 0)
        return JET_errNotInTransaction;
    if (transaction->actor.level > 1)
        return commit_inner(transaction);
    TRY(commit_record(transaction, &position, &logged));
    transaction->actor.level = 0;
    transaction->logged_level = 0;
    transaction->actor.begin = LOG_POSITION_MIN;
    hand_over(transaction);
    if (logged) {
        transaction->last_commit = position;
        if (!lazy)
            err = log_flush(transaction->store->options.log, position);
    }
    queue_clean_quickly(transaction->store);
done:
    return err;
}

JET_ERR transaction_wait(struct transaction *transaction, bool all)
{
    struct log *log = transaction->store->options.log;

    if (log == NULL || !log_enabled(log))
        return JET_errSuccess;
    if (all)
        return log_flush_all(log);
    return log_position_is_null(transaction->last_commit) ? JET_errSuccess
                                                          : log_flush(log, transaction->last_commit);
}

/* Drops the entries of the innermost level from all lists; their changes have been taken back. */
void transaction_drop_level(struct transaction *transaction, uint8_t level)
{
    while (transaction->newest != NULL && transaction->newest->level >= level) {
        struct version_entry *entry = transaction->newest;

        transaction->newest = entry->older;
        entry_unhash(transaction->store, entry);
        entry_free(transaction->store, entry);
    }
}

void transaction_end_outermost(struct transaction *transaction)
{
    struct version_store *store = transaction->store;

    os_mutex_lock(&store->transactions_lock);
    stop_running(store, transaction->internal);
    transaction->first_record = LOG_POSITION_MAX;
    os_mutex_unlock(&store->transactions_lock);
    stamp_release(transaction->internal->stamp);
    transaction->internal->stamp = NULL;
    transaction->logged_level = 0;
    transaction->actor.begin = LOG_POSITION_MIN;
}

JET_ERR transaction_rollback(struct transaction *transaction)
{
    JET_ERR err = JET_errSuccess;
    uint8_t level = transaction->actor.level;

    if (level == 0)
        return JET_errNotInTransaction;
    for (struct version_entry *entry = transaction->newest; entry != NULL && entry->level >= level;
         entry = entry->older) {
        if (entry->rolled_back)
            continue;
        TRY(entry_undo(transaction, entry));
        if (entry->operation == VERSION_INSERT)
            remove_undone_insert(transaction->store, entry);
    }
    if (transaction->logged_level == level) {
        struct log_record_rollback record = {LOG_RECORD_ROLLBACK, transaction->actor.process, 1};

        TRY(log_append_record(transaction->store->options.log, &record, sizeof record, NULL));
        transaction->logged_level--;
    }
    transaction_drop_level(transaction, level);
    transaction->actor.level--;
    if (transaction->actor.level == 0) {
        transaction_end_outermost(transaction);
        queue_clean_quickly(transaction->store);
    }
done:
    return err;
}

void transaction_abandon(struct transaction *transaction)
{
    if (transaction->actor.level == 0)
        return;
    for (struct version_entry *entry = transaction->newest; entry != NULL; entry = entry->older)
        entry_abandon(entry);
    transaction_drop_level(transaction, 0);
    transaction->actor.level = 0;
    transaction_end_outermost(transaction);
}

JET_ERR version_add_action(struct transaction *transaction, struct database *database,
                           const struct version_action *action, void *context)
{
    JET_ERR err = JET_errSuccess;
    struct version_entry *entry = NULL;
    struct bookmark none = {{NULL, 0}, {NULL, 0}};

    TRY(check_change(transaction, database));
    TRY(entry_create(transaction, NULL, VERSION_ACTION, &none, span_of(NULL, 0), 0, &entry));
    entry->database = database;
    entry->action = action;
    entry->context = context;
    transaction_link(transaction, entry);
done:
    return err;
}
