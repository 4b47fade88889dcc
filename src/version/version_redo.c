/* Rebuilding entries while the log is redone. Recovery is single-threaded; locks are taken as elsewhere all
 * the same. */
#include "src/btree/apply_node.h"
#include "src/version/version_internal.h"

/* Ids grow along the log, nearly: most entries are new, and long transactions have many. */
static struct version_entry *find_entry(struct transaction *transaction, uint32_t id)
{
    if (id > transaction->internal->redone_most)
        return NULL;
    for (struct version_entry *entry = transaction->newest; entry != NULL; entry = entry->older) {
        if (entry->id == id)
            return entry;
    }
    return NULL;
}

static JET_ERR set_before(struct version_entry *entry, struct span before)
{
    uint8_t *copy = os_duplicate(before.bytes, before.size);

    if (copy == NULL)
        return JET_errOutOfMemory;
    ASSERT(!entry->before_known && !entry->before_owned);
    entry->before = copy;
    entry->before_size = (uint32_t)before.size;
    entry->before_owned = true;
    entry->before_known = true;
    return JET_errSuccess;
}

JET_ERR version_redo_entry(struct transaction *transaction, const struct version_redo *redo)
{
    JET_ERR err = JET_errSuccess;
    struct version_store *store = transaction->store;
    struct tree *tree = NULL;
    struct version_entry *entry = NULL;
    struct key key = key_of(redo->bookmark.key.bytes, redo->bookmark.key.size);
    struct bookmark bookmark = redo->bookmark;

    if (transaction->actor.level == 0)
        return JET_errSuccess;
    entry = find_entry(transaction, redo->entry_id);
    if (entry != NULL) {
        /* An undo-info record came first. */
        if (redo->operation == VERSION_REPLACE && redo->before_known && !entry->before_known)
            err = set_before(entry, redo->before);
        return err;
    }
    if (redo->unique)
        bookmark.data = span_of(NULL, 0);
    hash_grow(store);
    TRY(tree_open_known(store->options.trees, redo->database, redo->root, redo->object, redo->unique, &tree));
    TRY(entry_create(transaction, tree, redo->operation, &bookmark,
                     redo->before_known ? redo->before : span_of(NULL, 0), redo->entry_id, &entry));
    entry->before_known = redo->operation != VERSION_REPLACE || redo->before_known;
    entry->redone = true;
    entry->delta = redo->delta;
    entry->offset = redo->offset;
    entry->width = redo->operation == VERSION_DELTA64 ? 8 : 4;
    entry->hash = hash_of(tree, &key, bookmark.data);
    os_mutex_lock(bucket_lock(store, entry->hash));
    entry_hash(store, entry);
    os_mutex_unlock(bucket_lock(store, entry->hash));
    transaction_link(transaction, entry);
    if (entry->id > transaction->internal->redone_most)
        transaction->internal->redone_most = entry->id;
done:
    tree_close(tree);
    return err;
}

JET_ERR version_redo_undo_info(struct transaction *transaction, const struct version_redo *redo)
{
    struct version_redo known = *redo;

    if (transaction->actor.level == 0)
        return JET_errSuccess;
    known.before_known = true;
    return version_redo_entry(transaction, &known);
}

JET_ERR version_redo_undo_page(struct transaction *transaction, const struct version_redo *what,
                               struct page *page, uint32_t line)
{
    JET_ERR err = JET_errSuccess;
    const struct version_entry *entry = find_entry(transaction, what->entry_id);

    if (entry == NULL || entry->operation != what->operation)
        return JET_errLogCorrupted;
    TRY(apply_check_line(page, line));
    switch (entry->operation) {
    case VERSION_INSERT:
        apply_undo_insert(page, line, false);
        break;
    case VERSION_FLAG_DELETE:
        apply_undo_flag_delete(page, line, false);
        break;
    case VERSION_REPLACE:
        if (!entry->before_known)
            FAIL(JET_errLogCorrupted);
        TRY(apply_check_replace(page, line, entry->before_size));
        apply_undo_replace(page, line, span_of(entry->before, entry->before_size), false);
        break;
    case VERSION_DELTA:
    case VERSION_DELTA64:
        TRY(apply_check_delta(page, line, entry->offset, entry->width));
        apply_delta(page, line, entry->offset, entry->width, -entry->delta, false);
        break;
    default:
        err = JET_errLogCorrupted;
        break;
    }
done:
    return err;
}

void version_redo_undone(struct transaction *transaction, uint32_t entry_id, const struct version_redo *what)
{
    struct version_entry **link = &transaction->newest;

    (void)what;
    while (*link != NULL && (*link)->id != entry_id)
        link = &(*link)->older;
    struct version_entry *entry = *link;
    if (entry == NULL)
        return;
    *link = entry->older;
    entry_unhash(transaction->store, entry);
    entry_free(transaction->store, entry);
}

JET_ERR version_redo_begin(struct transaction *transaction, unsigned from_level, unsigned levels,
                           uint32_t begin0, struct log_position position)
{
    JET_ERR err = JET_errSuccess;

    if (from_level != transaction->actor.level || levels == 0 || from_level + levels > TRANSACTION_LEVEL_MOST)
        return JET_errLogCorrupted;
    for (unsigned i = 0; i < levels; i++)
        TRY(transaction_begin(transaction, false));
    transaction->logged_level = transaction->actor.level;
    if (from_level == 0) {
        version_store_raise_ids(transaction->store, begin0, 0);
        transaction->actor.begin0 = begin0;
        transaction->first_record = position;
        transaction->actor.begin = position;
        transaction->ever_logged = true;
    }
done:
    return err;
}

/* Ends a transaction whose outcome is in the log. */
static void finish(struct transaction *transaction)
{
    transaction->logged_level = 1;
    transaction_drop_level(transaction, 0);
    transaction->actor.level = 0;
    transaction_end_outermost(transaction);
}

JET_ERR version_redo_commit(struct transaction *transaction, unsigned to_level, uint32_t commit0)
{
    if (to_level >= transaction->actor.level)
        return JET_errLogCorrupted;
    version_store_raise_ids(transaction->store, commit0, 0);
    if (to_level == 0) {
        /* Nobody looks at the versions of what is committed, while the log is redone. */
        finish(transaction);
        return JET_errSuccess;
    }
    for (struct version_entry *entry = transaction->newest; entry != NULL && entry->level > to_level;
         entry = entry->older)
        entry->level = (uint8_t)to_level;
    transaction->actor.level = (uint8_t)to_level;
    transaction->logged_level = (uint8_t)to_level;
    return JET_errSuccess;
}

JET_ERR version_redo_rollback(struct transaction *transaction, unsigned levels)
{
    if (levels == 0 || levels > transaction->actor.level)
        return JET_errLogCorrupted;
    uint8_t to_level = (uint8_t)(transaction->actor.level - levels);
    if (to_level == 0) {
        finish(transaction);
        return JET_errSuccess;
    }
    transaction_drop_level(transaction, (uint8_t)(to_level + 1));
    transaction->actor.level = to_level;
    transaction->logged_level = to_level;
    return JET_errSuccess;
}
