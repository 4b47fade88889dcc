#include "src/btree/space.h"
#include "src/os/host.h"
#include "src/version/versioned_cursor_internal.h"

/* A change on its way. */
struct versioned_change {
    struct versioned_cursor *cursor;
    enum version_operation operation;
    struct span new_data;
    bool append;
    bool unseen; /* whether or not the transaction sees the node */
    int64_t delta;
    uint16_t offset;
    uint8_t width;
    versioned_zero_callback *on_zero;
    int64_t old;                    /* deltas: value before */
    struct version_entry *entry;    /* made by the first decision; others keep off the node from then on */
    struct version_entry *replaced; /* an insert over a deleted node: its data */
};

static JET_ERR create_hashed(struct versioned_change *change, enum version_operation operation,
                             const struct bookmark *bookmark, struct span before, bool check,
                             struct version_entry **out)
{
    JET_ERR err = JET_errSuccess;
    struct transaction *transaction = change->cursor->transaction;
    struct version_store *store = transaction->store;
    struct tree *tree = versioned_cursor_tree(change->cursor);
    struct key key = key_of(bookmark->key.bytes, bookmark->key.size);
    uint32_t hash = hash_of(tree, &key, bookmark->data);
    struct version_entry *entry = NULL;

    TRY(entry_create(transaction, tree, operation, bookmark, before, 0, &entry));
    entry->hash = hash;
    entry->delta = change->delta;
    entry->offset = change->offset;
    entry->width = change->width;
    entry->on_zero = change->on_zero;
    os_mutex_lock(bucket_lock(store, hash));
    if (check && entry_conflicts(store, transaction, tree, bookmark, operation))
        err = JET_errWriteConflict;
    else
        entry_hash(store, entry);
    os_mutex_unlock(bucket_lock(store, hash));
    TRY(err);
    *out = entry;
    entry = NULL;
done:
    entry_free(store, entry);
    return err;
}

static void drop_entry(struct version_store *store, struct version_entry **entry)
{
    if (*entry == NULL)
        return;
    entry_unhash(store, *entry);
    entry_free(store, *entry);
    *entry = NULL;
}

static JET_ERR decide_insert(struct node_change *node, const struct change_place *place)
{
    JET_ERR err = JET_errSuccess;
    struct versioned_change *change = node->context;
    struct tree *tree = versioned_cursor_tree(change->cursor);
    bool versioned = change->operation == VERSION_INSERT && node->versioned;

    if (versioned && change->entry == NULL) {
        err = create_hashed(change, VERSION_INSERT, &node->bookmark, span_of(NULL, 0), true, &change->entry);
        if (err == JET_errWriteConflict)
            err = JET_errKeyDuplicate;
        TRY(err);
        node->entry_id = change->entry->id;
    }
    if (!place->equal) {
        drop_entry(change->cursor->transaction->store, &change->replaced);
        node->replace_entry_id = 0;
        node->kind = CHANGE_INSERT;
        goto done;
    }
    if ((place->node.flags & NODE_DELETED) == 0)
        FAIL(tree->unique ? JET_errKeyDuplicate : JET_errMultiValuedIndexViolation);
    if (!tree->unique) {
        node->kind = CHANGE_FLAG_INSERT;
        goto done;
    }
    if (versioned && change->replaced == NULL) {
        TRY(create_hashed(change, VERSION_REPLACE, &node->bookmark, place->node.data, false,
                          &change->replaced));
        node->replace_entry_id = change->replaced->id;
    }
    node->kind = CHANGE_FLAG_INSERT_AND_REPLACE;
done:
    return err;
}

/* For changes of a node that must be there: is it, to this transaction? */
static JET_ERR check_sight(struct versioned_change *change, const struct change_place *place)
{
    struct versioned_cursor *cursor = change->cursor;
    struct node_sight sight = {false, {NULL, 0}};

    if (!place->equal)
        return JET_errRecordDeleted;
    JET_ERR err = node_look(cursor->transaction->store, cursor->transaction, versioned_cursor_tree(cursor),
                            &place->node, &cursor->image, &sight);
    if (err < JET_errSuccess)
        return err;
    return sight.exists ? JET_errSuccess : JET_errRecordDeleted;
}

static int64_t read_integer(struct span data, uint16_t offset, uint8_t width)
{
    int64_t wide = 0;
    int32_t narrow = 0;

    if (width == 8) {
        memcpy(&wide, data.bytes + offset, sizeof wide);
        return wide;
    }
    memcpy(&narrow, data.bytes + offset, sizeof narrow);
    return narrow;
}

static JET_ERR decide_existing(struct node_change *node, const struct change_place *place)
{
    JET_ERR err = JET_errSuccess;
    struct versioned_change *change = node->context;
    struct span before = {NULL, 0};
    bool is_delta = change->operation == VERSION_DELTA || change->operation == VERSION_DELTA64;

    if (!change->unseen)
        TRY(check_sight(change, place));
    else if (!place->equal)
        FAIL(JET_errRecordDeleted);
    if (change->operation == VERSION_REPLACE)
        before = place->node.data;
    if (is_delta) {
        if (change->offset + (size_t)change->width > place->node.data.size)
            FAIL(JET_errInvalidParameter);
    }
    if (change->entry == NULL && node->versioned) {
        TRY(create_hashed(change, change->operation, &node->bookmark, before, true, &change->entry));
        node->entry_id = change->entry->id;
    }
    if (is_delta)
        change->old = read_integer(place->node.data, change->offset, change->width);
done:
    return err;
}

/* Logs the before-image: with it, the page may be written before the transaction ends. */
static void log_undo_info(struct versioned_change *change, const struct version_entry *entry,
                          const struct change_place *place)
{
    struct transaction *transaction = change->cursor->transaction;
    struct tree *tree = versioned_cursor_tree(change->cursor);
    struct bookmark bookmark = entry_bookmark(entry);
    struct log_record_undo_info record;
    struct log_position position = LOG_POSITION_MIN;
    struct log_piece pieces[4] = {{&record, sizeof record},
                                  {bookmark.key.bytes, bookmark.key.size},
                                  {bookmark.data.bytes, bookmark.data.size},
                                  {entry->before, entry->before_size}};
    size_t new_size = node_get(&place->latch->page, place->line).data.size;

    if (!change_is_logged(tree))
        return;
    memset(&record, 0, sizeof record);
    log_fill_page(&record.node.page, LOG_RECORD_UNDO_INFO, tree, &transaction->actor,
                  place->latch->page.number, LOG_DBTIME_NONE, LOG_DBTIME_NONE);
    record.node.version_id = entry->id;
    record.node.tree_page = tree->root;
    record.node.tree_object = tree->object;
    record.bookmark_key_size = (uint16_t)bookmark.key.size;
    record.bookmark_data_size = (uint16_t)bookmark.data.size;
    record.operation = (uint16_t)entry->operation;
    if (entry->operation == VERSION_REPLACE) {
        size_t most = entry->before_size > new_size ? entry->before_size : new_size;

        record.maximum_size = (int16_t)most;
        record.delta = (int16_t)(entry->before_size > new_size ? entry->before_size - new_size : 0);
        record.data_size = (uint16_t)entry->before_size;
    }
    /* If the log takes no more, the page cannot be written either, since its last change is not durable. */
    if (log_append(tree->database->log, pieces, 4, 0, transaction->actor.begin.generation, &position) >=
        JET_errSuccess)
        cache_set_dirty(place->latch, DBTIME_NULL, transaction->actor.begin, position);
}

/* The change is in the page: its entries belong to the transaction. */
static void link_entries(struct node_change *node, const struct change_place *place,
                         struct log_position record)
{
    struct versioned_change *change = node->context;
    struct transaction *transaction = change->cursor->transaction;
    bool logged = !log_position_is_null(record);

    if (change->entry != NULL) {
        if (logged && (change->operation == VERSION_REPLACE || change->operation == VERSION_FLAG_DELETE))
            log_undo_info(change, change->entry, place);
        transaction_link(transaction, change->entry);
    }
    if (change->replaced != NULL) {
        if (logged)
            log_undo_info(change, change->replaced, place);
        transaction_link(transaction, change->replaced);
    }
    change->entry = NULL;
    change->replaced = NULL;
}

static JET_ERR run(struct versioned_change *change, struct node_change *node)
{
    JET_ERR err = JET_errSuccess;
    struct versioned_cursor *cursor = change->cursor;
    struct tree *tree = versioned_cursor_tree(cursor);

    versioned_cursor_release(cursor);
    queue_relieve(cursor->transaction->store);
    /* A read lock changes nothing: read-only transactions may have it. */
    if (change->operation != VERSION_READ_LOCK)
        TRY(transaction_prepare_change(cursor->transaction, tree->database));
    else if (transaction_level(cursor->transaction) == 0)
        FAIL(JET_errNotInTransaction);
    node->context = change;
    node->applied = link_entries;
    TRY(btree_change_node(tree, &cursor->transaction->actor, node));
    /* A node that moved since is found by its bookmark; most have not. */
    if (cursor->place == PLACE_ON_NODE) {
        cursor->hint_page = node->page;
        cursor->hint_line = node->line;
        cursor->hint_modified = node->modified;
    }
done:
    drop_entry(cursor->transaction->store, &change->replaced);
    drop_entry(cursor->transaction->store, &change->entry);
    return err;
}

JET_ERR versioned_cursor_insert(struct versioned_cursor *cursor, struct span key, struct span data,
                                unsigned flags)
{
    JET_ERR err = JET_errSuccess;
    struct tree *tree = versioned_cursor_tree(cursor);
    bool keep = (flags & VERSIONED_INSERT_KEEP_PLACE) != 0;
    enum cursor_place place = cursor->place;
    struct versioned_change change = {.cursor = cursor, .operation = VERSION_INSERT};
    struct node_change node = {.bookmark = {key, tree->unique ? span_of(NULL, 0) : data},
                               .decide = decide_insert,
                               .data = data,
                               .append = (flags & VERSIONED_INSERT_APPEND) != 0,
                               .page = cursor->hint_page,
                               .modified = cursor->hint_modified,
                               .versioned = (flags & VERSIONED_INSERT_UNVERSIONED) == 0};

    cursor->place = PLACE_BESIDE; /* no hint from the change */
    err = run(&change, &node);
    cursor->place = place;
    TRY(err);
    if (!keep) {
        TRY(versioned_cursor_set_bookmark(cursor, &node.bookmark));
        cursor->hint_page = node.page;
        cursor->hint_line = node.line;
        cursor->hint_modified = node.modified;
    }
done:
    return err;
}

/* Changes of the current node. */
static JET_ERR change_current(struct versioned_cursor *cursor, struct versioned_change *change,
                              enum change_kind kind, struct span data)
{
    struct node_change node = {.bookmark = cursor_bookmark(cursor),
                               .decide = decide_existing,
                               .kind = kind,
                               .data = data,
                               .offset = change->offset,
                               .width = change->width,
                               .delta = change->delta,
                               .versioned = true};

    if (transaction_level(cursor->transaction) == 0)
        return JET_errNotInTransaction;
    if (cursor->place != PLACE_ON_NODE && !change->unseen)
        return JET_errNoCurrentRecord;
    if (cursor->key.size == 0)
        return JET_errRecordDeleted;
    change->cursor = cursor;
    return run(change, &node);
}

JET_ERR versioned_cursor_replace(struct versioned_cursor *cursor, struct span data)
{
    struct versioned_change change = {.operation = VERSION_REPLACE};

    ASSERT(versioned_cursor_tree(cursor)->unique);
    return change_current(cursor, &change, CHANGE_REPLACE, data);
}

JET_ERR versioned_cursor_delete(struct versioned_cursor *cursor)
{
    struct versioned_change change = {.operation = VERSION_FLAG_DELETE};

    return change_current(cursor, &change, CHANGE_FLAG_DELETE, span_of(NULL, 0));
}

JET_ERR versioned_cursor_lock(struct versioned_cursor *cursor, enum versioned_lock lock)
{
    struct versioned_change change = {.operation = lock == VERSIONED_LOCK_READ ? VERSION_READ_LOCK
                                                                               : VERSION_WRITE_LOCK};

    return change_current(cursor, &change, CHANGE_NONE, span_of(NULL, 0));
}

JET_ERR versioned_cursor_delta(struct versioned_cursor *cursor, uint16_t offset, unsigned width,
                               int64_t delta, int64_t *old, versioned_zero_callback *on_zero)
{
    struct versioned_change change = {.operation = width == 8 ? VERSION_DELTA64 : VERSION_DELTA,
                                      .offset = offset,
                                      .width = (uint8_t)width,
                                      .delta = delta,
                                      .on_zero = on_zero};

    ASSERT(width == 4 || width == 8);
    /* The published engine, when the cursor is on no node, goes by its last bookmark and does not look
     * whether what lies there is a deleted node. */
    change.unseen = cursor->place != PLACE_ON_NODE && os_host_is_published();
    JET_ERR err = change_current(cursor, &change, CHANGE_DELTA, span_of(NULL, 0));
    if (err >= JET_errSuccess && old != NULL)
        *old = change.old;
    return err;
}

/* -- Trees made and freed by transactions. */

struct tree_action {
    struct version_store *store;
    page_number root;
};

static void undo_create_tree(struct transaction *transaction, struct database *database, void *context)
{
    struct tree_action *action = context;

    /* What cannot be given back now is lost to use only. */
    if (transaction_prepare_change(transaction, database) >= JET_errSuccess)
        (void)space_free_tree(action->store->options.trees, database, &transaction->actor, action->root);
    os_free(action);
}

static void free_action(struct database *database, void *context)
{
    (void)database;
    os_free(context);
}

static void cleanup_free_tree(struct database *database, void *context)
{
    struct tree_action *action = context;
    struct version_store *store = action->store;

    if (transaction_begin(&store->cleaner, false) >= JET_errSuccess) {
        if (transaction_prepare_change(&store->cleaner, database) >= JET_errSuccess)
            (void)space_free_tree(store->options.trees, database, &store->cleaner.actor, action->root);
        if (transaction_commit(&store->cleaner, true) < JET_errSuccess)
            transaction_abandon(&store->cleaner);
    }
    os_free(action);
}

static void undo_free_tree(struct transaction *transaction, struct database *database, void *context)
{
    (void)transaction;
    free_action(database, context);
}

static const struct version_action create_tree_action = {
    .name = "create tree", .undo = undo_create_tree, .cleanup = free_action, .abandoned = os_free};
static const struct version_action free_tree_action = {
    .name = "free tree", .undo = undo_free_tree, .cleanup = cleanup_free_tree, .abandoned = os_free};

static JET_ERR add_tree_action(struct transaction *transaction, struct database *database,
                               const struct version_action *kind, page_number root, struct tree_action **out)
{
    JET_ERR err = JET_errSuccess;
    struct tree_action *action = os_allocate(sizeof *action);

    if (action == NULL)
        FAIL(JET_errOutOfMemory);
    *action = (struct tree_action){transaction->store, root};
    TRY(version_add_action(transaction, database, kind, action));
    *out = action;
    action = NULL;
done:
    os_free(action);
    return err;
}

JET_ERR versioned_create_tree(struct transaction *transaction, struct database *database,
                              const struct tree_design *design, page_number *root, object_id *object)
{
    JET_ERR err = JET_errSuccess;
    struct tree_action *action = NULL;

    TRY(transaction_prepare_change(transaction, database));
    TRY(space_create_tree(transaction->store->options.trees, database, &transaction->actor, design, root,
                          object));
    err = add_tree_action(transaction, database, &create_tree_action, *root, &action);
    if (err < JET_errSuccess)
        (void)space_free_tree(transaction->store->options.trees, database, &transaction->actor, *root);
done:
    return err;
}

JET_ERR versioned_free_tree(struct transaction *transaction, struct database *database, page_number root)
{
    struct tree_action *action = NULL;
    JET_ERR err = transaction_prepare_change(transaction, database);

    return err < JET_errSuccess ? err
                                : add_tree_action(transaction, database, &free_tree_action, root, &action);
}
