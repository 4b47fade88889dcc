#include "src/btree/merge.h"
#include "src/version/version_internal.h"

/* Committed work waits this long for clean-up in the background. */
#define CLEAN_DELAY_MILLISECONDS 1000u

static void clean_in_background(void *context)
{
    (void)version_store_clean(context, NULL);
}

JET_ERR version_store_create(const struct version_store_options *options, struct version_store **out)
{
    JET_ERR err = JET_errSuccess;
    struct version_store *store = os_allocate_zeroed(sizeof *store);

    *out = NULL;
    if (store == NULL)
        return JET_errOutOfMemory;
    store->options = *options;
    atomic_init(&store->newest_id, 0);
    atomic_init(&store->newest_entry_id, 0);
    atomic_init(&store->bytes, 0);
    atomic_init(&store->tree_entries, 0);
    os_mutex_init(&store->transactions_lock, OS_RANK_TRANSACTION);
    for (size_t i = 0; i < HASH_LOCKS; i++)
        os_mutex_init(&store->hash_locks[i], OS_RANK_VERSION);
    os_mutex_init(&store->queue_lock, OS_RANK_VERSION_GLOBAL);
    os_condition_init(&store->cleaned);
    os_task_init(&store->clean_task, clean_in_background, store);
    store->buckets = os_allocate_array(HASH_BUCKETS_LEAST, sizeof(struct version_entry *));
    atomic_init(&store->bucket_mask, HASH_BUCKETS_LEAST - 1);
    if (store->buckets == NULL)
        FAIL(JET_errOutOfMemory);
    TRY(transaction_init(&store->cleaner, store, PROCESS_CLEANER));
    tree_registry_set_reserve(options->trees, entries_reserve, store);
    *out = store;
    store = NULL;
done:
    version_store_free(store);
    return err;
}

static void forget_entry(struct version_store *store, struct version_entry *entry)
{
    entry_abandon(entry);
    entry_unhash(store, entry);
    entry_free(store, entry);
}

void version_store_forget(struct version_store *store, struct database *database)
{
    struct version_entry *gone = NULL;
    struct version_entry **link = &store->queue_first;

    os_mutex_lock(&store->queue_lock);
    store->queue_last = NULL;
    while (*link != NULL) {
        struct version_entry *entry = *link;

        if (database == NULL || entry->database == database) {
            *link = entry->older;
            entry->older = gone;
            gone = entry;
        } else {
            store->queue_last = entry;
            link = &entry->older;
        }
    }
    os_mutex_unlock(&store->queue_lock);
    while (gone != NULL) {
        struct version_entry *entry = gone;

        gone = entry->older;
        forget_entry(store, entry);
    }
}

void version_store_free(struct version_store *store)
{
    if (store == NULL)
        return;
    os_task_cancel(&store->clean_task);
    version_store_forget(store, NULL);
    tree_registry_set_reserve(store->options.trees, NULL, NULL);
    if (store->cleaner.internal != NULL)
        transaction_abandon(&store->cleaner);
    transaction_done(&store->cleaner);
    os_condition_destroy(&store->cleaned);
    os_mutex_destroy(&store->queue_lock);
    for (size_t i = 0; i < HASH_LOCKS; i++)
        os_mutex_destroy(&store->hash_locks[i]);
    os_mutex_destroy(&store->transactions_lock);
    os_free(store->buckets);
    os_free(store);
}

struct log_position version_store_oldest_record(struct version_store *store)
{
    struct log_position oldest = LOG_POSITION_MAX;

    os_mutex_lock(&store->transactions_lock);
    for (struct transaction_internal *running = store->running_first; running != NULL;
         running = running->next) {
        if (log_position_compare(running->transaction->first_record, oldest) < 0)
            oldest = running->transaction->first_record;
    }
    os_mutex_unlock(&store->transactions_lock);
    return oldest;
}

uint64_t version_store_bytes(struct version_store *store)
{
    return os_atomic_load(&store->bytes);
}

/* The begin of the oldest running transaction, or what comes next if none runs. The cleaner's own does not
 * count. */
static uint32_t oldest_begin(struct version_store *store)
{
    uint32_t oldest = 0;

    os_mutex_lock(&store->transactions_lock);
    oldest = os_atomic_load(&store->newest_id) + TRANSACTION_ID_STEP;
    for (struct transaction_internal *running = store->running_first; running != NULL;
         running = running->next) {
        if (running->transaction != &store->cleaner && id_before(running->transaction->actor.begin0, oldest))
            oldest = running->transaction->actor.begin0;
    }
    os_mutex_unlock(&store->transactions_lock);
    return oldest;
}

void queue_append(struct version_store *store, struct version_entry *first, struct version_entry *last)
{
    os_mutex_lock(&store->queue_lock);
    last->older = NULL;
    if (store->queue_last != NULL)
        store->queue_last->older = first;
    else
        store->queue_first = first;
    store->queue_last = last;
    os_mutex_unlock(&store->queue_lock);
}

/* Whether cleaning it takes more than forgetting it. */
static bool needs_work(const struct version_entry *entry)
{
    return entry->operation == VERSION_FLAG_DELETE || entry->on_zero != NULL ||
           (entry->action != NULL && entry->action->cleanup != NULL);
}

/* Takes the queue's first entry if nobody needs it any more. */
static struct version_entry *queue_take(struct version_store *store, uint32_t oldest, bool work)
{
    struct version_entry *entry = NULL;

    os_mutex_lock(&store->queue_lock);
    entry = store->queue_first;
    if (entry != NULL &&
        (!id_before(os_atomic_load(&entry->stamp->commit0), oldest) || (!work && needs_work(entry))))
        entry = NULL;
    if (entry != NULL) {
        store->queue_first = entry->older;
        if (store->queue_first == NULL)
            store->queue_last = NULL;
    }
    os_mutex_unlock(&store->queue_lock);
    return entry;
}

void queue_clean_quickly(struct version_store *store)
{
    struct version_entry *entry = NULL;
    uint32_t oldest = oldest_begin(store);

    os_mutex_lock(&store->queue_lock);
    bool busy = store->cleaning || store->queue_first == NULL;
    os_mutex_unlock(&store->queue_lock);
    if (busy)
        return;
    while ((entry = queue_take(store, oldest, false)) != NULL) {
        entry_unhash(store, entry);
        entry_free(store, entry);
    }
    os_mutex_lock(&store->queue_lock);
    bool more = store->queue_first != NULL;
    os_mutex_unlock(&store->queue_lock);
    if (more)
        os_task_submit_after(&store->clean_task, CLEAN_DELAY_MILLISECONDS);
}

void queue_relieve(struct version_store *store)
{
    hash_grow(store);
    if (os_atomic_load(&store->bytes) > store->options.bytes_most / 4 * 3)
        (void)version_store_clean(store, NULL);
}

/* node_is_dead: no transaction knows of the deleted node. */
static bool is_forgotten(void *context, struct tree *tree, const struct node *node)
{
    struct version_store *store = context;

    if ((node->flags & NODE_VERSIONED) == 0 || os_atomic_load(&store->tree_entries) == 0)
        return true;
    return !node_is_known(store, tree, node);
}

/* A page is cleaned of all its dead nodes when one has to go, as the engine does. */
struct removal {
    struct version_store *store;
    struct byte_buffer next_key; /* another dead node of the page */
    struct byte_buffer next_data;
    bool more;
    bool shrinks;          /* the leaf may go: it has nothing left, or seems to fit the one behind */
    bool previous_shrinks; /* the leaf in front may; its first bookmark: */
    struct byte_buffer previous_key;
    struct byte_buffer previous_data;
};

static void note_next_dead(struct removal *removal, struct tree *tree, const struct change_place *place)
{
    const struct page *page = &place->latch->page;

    for (uint32_t line = 0; line < page_line_count(page) && !removal->more; line++) {
        struct node node = node_get(page, line);
        const struct span data = tree->unique ? span_of(NULL, 0) : node.data;

        if (line == place->line || (node.flags & NODE_DELETED) == 0 ||
            !is_forgotten(removal->store, tree, &node))
            continue;
        if (byte_buffer_reserve(&removal->next_key, key_size(&node.key)) < JET_errSuccess ||
            byte_buffer_set(&removal->next_data, data) < JET_errSuccess)
            return;
        removal->next_key.size = key_copy(&node.key, 0, removal->next_key.bytes, key_size(&node.key));
        removal->more = true;
    }
}

/* Removes a deleted node, unless somebody has done something with it since. */
static JET_ERR decide_removal(struct node_change *change, const struct change_place *place)
{
    struct removal *removal = change->context;
    const struct page *page = &place->latch->page;

    change->kind = CHANGE_NONE;
    removal->shrinks = false;
    removal->more = false;
    if (!place->equal || (place->node.flags & NODE_DELETED) == 0)
        return JET_errSuccess;
    if (node_has_entries(removal->store, change->tree, &change->bookmark))
        return JET_errSuccess;
    /* A leaf is not emptied but by taking it out of the tree; the last node of a root stays, deleted. */
    if (page_line_count(page) > 1) {
        change->kind = CHANGE_DELETE;
        note_next_dead(removal, change->tree, place);
    } else if (!page_is_root(page)) {
        removal->shrinks = true;
    }
    return JET_errSuccess;
}

/* Looks, after the last removal, whether the leaf and its siblings have room for each other's nodes now. */
static void look_around(struct node_change *change, const struct change_place *place,
                        struct log_position record)
{
    struct removal *removal = change->context;

    (void)record;
    if (change->kind != CHANGE_DELETE || removal->more)
        return;
    removal->shrinks = btree_leaf_seems_to_fit(change->tree, place->latch, false, NULL, NULL);
    removal->previous_shrinks = btree_leaf_seems_to_fit(change->tree, place->latch, true,
                                                        &removal->previous_key, &removal->previous_data);
}

/* Takes the leaf out of the tree if it may go now, or the one in front of it. */
static JET_ERR shrink_around(struct version_store *store, struct tree *tree, struct removal *removal,
                             const struct bookmark *bookmark)
{
    JET_ERR err = JET_errSuccess;
    const struct btree_actor *actor = &store->cleaner.actor;
    bool removed = false;

    if (removal->shrinks)
        TRY(btree_remove_leaf(tree, actor, bookmark, is_forgotten, store, &removed));
    if (removal->previous_shrinks && !removed) {
        struct bookmark previous = {span_of(removal->previous_key.bytes, removal->previous_key.size),
                                    span_of(removal->previous_data.bytes, removal->previous_data.size)};

        TRY(btree_remove_leaf(tree, actor, &previous, is_forgotten, store, &removed));
    }
done:
    return err;
}

static JET_ERR remove_in_transaction(struct version_store *store, struct version_entry *entry)
{
    JET_ERR err = JET_errSuccess;
    struct transaction *cleaner = &store->cleaner;
    struct removal removal = {.store = store};
    struct byte_buffer key = {0};
    struct byte_buffer data = {0};
    struct node_change change = {.bookmark = entry_bookmark(entry),
                                 .decide = decide_removal,
                                 .applied = look_around,
                                 .context = &removal,
                                 .tree = entry->tree};

    for (;;) {
        TRY(btree_change_node(entry->tree, &cleaner->actor, &change));
        if (!removal.more)
            break;
        TRY(byte_buffer_set(&key, span_of(removal.next_key.bytes, removal.next_key.size)));
        TRY(byte_buffer_set(&data, span_of(removal.next_data.bytes, removal.next_data.size)));
        change.bookmark = (struct bookmark){span_of(key.bytes, key.size), span_of(data.bytes, data.size)};
    }
    TRY(shrink_around(store, entry->tree, &removal, &change.bookmark));
done:
    byte_buffer_free(&removal.next_key);
    byte_buffer_free(&removal.next_data);
    byte_buffer_free(&removal.previous_key);
    byte_buffer_free(&removal.previous_data);
    byte_buffer_free(&key);
    byte_buffer_free(&data);
    return err;
}

static JET_ERR remove_node(struct version_store *store, struct version_entry *entry)
{
    JET_ERR err = JET_errSuccess;
    struct transaction *cleaner = &store->cleaner;

    TRY(transaction_begin(cleaner, false));
    err = transaction_prepare_change(cleaner, entry->database);
    if (err >= JET_errSuccess)
        err = remove_in_transaction(store, entry);
    /* The cleaner leaves no entries: ending it cannot fail but for the log, which ends everything. */
    if (transaction_commit(cleaner, true) < JET_errSuccess)
        transaction_abandon(cleaner);
done:
    return err;
}

void remove_undone_insert(struct version_store *store, struct version_entry *entry)
{
    if (entry->redone || entry->tree == NULL || entry->database->temporary)
        return;
    os_mutex_lock(&store->queue_lock);
    const bool busy = store->cleaning;
    store->cleaning = true;
    os_mutex_unlock(&store->queue_lock);
    if (busy)
        return;
    entry_unhash(store, entry);      /* it is no entry of the node any more */
    (void)remove_node(store, entry); /* a node that stays is no harm */
    os_mutex_lock(&store->queue_lock);
    store->cleaning = false;
    os_condition_wake_all(&store->cleaned);
    os_mutex_unlock(&store->queue_lock);
}

static void clean_entry(struct version_store *store, struct version_entry *entry)
{
    struct bookmark bookmark = entry_bookmark(entry);

    entry_unhash(store, entry);
    /* Errors leave a deleted node or unused pages behind, which is no harm. */
    if (entry->operation == VERSION_FLAG_DELETE)
        (void)remove_node(store, entry);
    else if (entry->on_zero != NULL)
        entry->on_zero(store, entry->database, entry->tree->root, &bookmark);
    else if (entry->action != NULL && entry->action->cleanup != NULL)
        entry->action->cleanup(entry->database, entry->context);
    entry_free(store, entry);
}

/* Of running transactions, too: each has changed some node when it has changed anything. */
static bool has_hashed_entries_of(struct version_store *store, const struct database *database)
{
    bool found = false;

    for (uint32_t lock = 0; lock < HASH_LOCKS && !found; lock++) {
        os_mutex_lock(&store->hash_locks[lock]);
        const uint32_t mask = os_atomic_load(&store->bucket_mask);
        for (uint32_t i = lock; i <= mask && !found; i += HASH_LOCKS) {
            for (const struct version_entry *entry = store->buckets[i]; entry != NULL && !found;
                 entry = entry->hash_next)
                found = entry->database == database;
        }
        os_mutex_unlock(&store->hash_locks[lock]);
    }
    return found;
}

/* NULL: of any; then those of running transactions do not count. */
static bool has_entries_of(struct version_store *store, struct database *database)
{
    bool found = database != NULL && has_hashed_entries_of(store, database);

    os_mutex_lock(&store->queue_lock);
    for (struct version_entry *entry = store->queue_first; entry != NULL && !found; entry = entry->older)
        found = database == NULL || entry->database == database;
    os_mutex_unlock(&store->queue_lock);
    return found;
}

JET_ERR version_store_clean(struct version_store *store, struct database *database)
{
    struct version_entry *entry = NULL;

    os_mutex_lock(&store->queue_lock);
    while (store->cleaning)
        (void)os_condition_wait(&store->cleaned, &store->queue_lock, OS_WAIT_FOREVER);
    store->cleaning = true;
    os_mutex_unlock(&store->queue_lock);
    while ((entry = queue_take(store, oldest_begin(store), true)) != NULL)
        clean_entry(store, entry);
    os_mutex_lock(&store->queue_lock);
    store->cleaning = false;
    os_condition_wake_all(&store->cleaned);
    os_mutex_unlock(&store->queue_lock);
    return has_entries_of(store, database) ? JET_wrnRemainingVersions : JET_errSuccess;
}

void version_store_raise_ids(struct version_store *store, uint32_t transaction_id, uint32_t entry_id)
{
    if (id_before(os_atomic_load(&store->newest_id), transaction_id))
        os_atomic_store(&store->newest_id, transaction_id);
    if (id_before(os_atomic_load(&store->newest_entry_id), entry_id))
        os_atomic_store(&store->newest_entry_id, entry_id);
}
