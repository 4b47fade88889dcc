#include "src/version/version_internal.h"

struct undo {
    struct version_store *store;
    struct version_entry *entry;
};

/* Says how to take the entry's change back; the node must be there. */
static JET_ERR decide_undo(struct node_change *change, const struct version_entry *entry,
                           const struct change_place *place)
{

    if (!place->equal)
        return JET_errRollbackError;
    switch (entry->operation) {
    case VERSION_INSERT:
        change->kind = CHANGE_UNDO_INSERT;
        break;
    case VERSION_REPLACE:
        if (!entry->before_known)
            return JET_errRollbackError;
        change->kind = CHANGE_UNDO_REPLACE;
        change->data = span_of(entry->before, entry->before_size);
        break;
    case VERSION_FLAG_DELETE:
        change->kind = CHANGE_UNDO_FLAG_DELETE;
        break;
    default:
        change->kind = CHANGE_UNDO_DELTA;
        if (entry->offset + (size_t)entry->width > place->node.data.size)
            return JET_errRollbackError;
        break;
    }
    return JET_errSuccess;
}

static void set_rolled_back(struct version_store *store, struct version_entry *entry, bool rolled_back)
{
    os_mutex_lock(bucket_lock(store, entry->hash));
    entry->rolled_back = rolled_back;
    os_mutex_unlock(bucket_lock(store, entry->hash));
}

static JET_ERR decide_and_mark(struct node_change *change, const struct change_place *place)
{
    struct undo *undo = change->context;
    JET_ERR err = decide_undo(change, undo->entry, place);

    /* From here on, under the page's latch, the entry no longer counts: for sight and for reserved space. */
    if (err >= JET_errSuccess)
        set_rolled_back(undo->store, undo->entry, true);
    return err;
}

static JET_ERR undo_node(struct transaction *transaction, struct version_entry *entry)
{
    JET_ERR err = JET_errSuccess;
    struct undo undo = {transaction->store, entry};
    struct node_change change = {.bookmark = entry_bookmark(entry),
                                 .decide = decide_and_mark,
                                 .context = &undo,
                                 .entry_id = entry->id,
                                 .undo_level = entry->level,
                                 .offset = entry->offset,
                                 .width = entry->width,
                                 .delta = entry->delta};

    TRY(transaction_prepare_change(transaction, entry->database));
    err = btree_change_node(entry->tree, &transaction->actor, &change);
    if (err < JET_errSuccess)
        set_rolled_back(transaction->store, entry, false);
done:
    return err;
}

JET_ERR entry_undo(struct transaction *transaction, struct version_entry *entry)
{
    switch (entry->operation) {
    case VERSION_READ_LOCK:
    case VERSION_WRITE_LOCK:
        return JET_errSuccess;
    case VERSION_ACTION:
        if (entry->action->undo != NULL)
            entry->action->undo(transaction, entry->database, entry->context);
        entry->rolled_back = true;
        return JET_errSuccess;
    default:
        return undo_node(transaction, entry);
    }
}

void entry_abandon(struct version_entry *entry)
{
    const struct version_action *action = entry->action;

    if (action == NULL || entry->rolled_back)
        return;
    if (action->abandoned != NULL)
        action->abandoned(entry->context);
    else if (action->cleanup != NULL)
        action->cleanup(entry->database, entry->context);
}
