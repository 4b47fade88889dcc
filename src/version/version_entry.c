#include "src/version/version_internal.h"

JET_ERR transaction_stamp(struct transaction *transaction, struct commit_stamp **out)
{
    struct transaction_internal *internal = transaction->internal;

    if (internal->stamp == NULL) {
        struct commit_stamp *stamp = os_allocate(sizeof *stamp);

        if (stamp == NULL)
            return JET_errOutOfMemory;
        atomic_init(&stamp->commit0, TRANSACTION_ID_MAX);
        atomic_init(&stamp->references, 1);
        internal->stamp = stamp;
    }
    *out = internal->stamp;
    return JET_errSuccess;
}

void stamp_release(struct commit_stamp *stamp)
{
    if (stamp != NULL && os_atomic_subtract(&stamp->references, 1) == 0)
        os_free(stamp);
}

JET_ERR entry_create(struct transaction *transaction, struct tree *tree, enum version_operation operation,
                     const struct bookmark *bookmark, struct span before, uint32_t id,
                     struct version_entry **out)
{
    JET_ERR err = JET_errSuccess;
    struct version_store *store = transaction->store;
    struct version_entry *entry = NULL;
    struct commit_stamp *stamp = NULL;
    size_t bookmark_size = bookmark->key.size + bookmark->data.size;
    size_t bytes = sizeof *entry + bookmark_size + before.size;

    *out = NULL;
    if (os_atomic_load(&store->bytes) + bytes > store->options.bytes_most)
        FAIL(JET_errVersionStoreOutOfMemory);
    TRY(transaction_stamp(transaction, &stamp));
    entry = os_allocate(bytes);
    if (entry == NULL)
        FAIL(JET_errOutOfMemory);
    memset(entry, 0, sizeof *entry);
    entry->stamp = stamp;
    os_atomic_add(&stamp->references, 1);
    entry->tree = tree;
    if (tree != NULL) {
        tree_add_reference(tree);
        entry->database = tree->database;
    }
    entry->operation = operation;
    entry->id = id != 0 ? id : os_atomic_add(&store->newest_entry_id, 1);
    entry->begin0 = transaction->actor.begin0;
    entry->level = transaction->actor.level;
    entry->key_size = (uint32_t)bookmark->key.size;
    entry->data_size = (uint32_t)bookmark->data.size;
    if (bookmark->key.size > 0)
        memcpy(entry->bookmark, bookmark->key.bytes, bookmark->key.size);
    if (bookmark->data.size > 0)
        memcpy(entry->bookmark + bookmark->key.size, bookmark->data.bytes, bookmark->data.size);
    entry->before = entry->bookmark + bookmark_size;
    entry->before_size = (uint32_t)before.size;
    entry->before_known = true;
    if (before.size > 0)
        memcpy(entry->before, before.bytes, before.size);
    entry->bytes = bytes;
    os_atomic_add(&store->bytes, bytes);
    *out = entry;
done:
    return err;
}

void entry_free(struct version_store *store, struct version_entry *entry)
{
    if (entry == NULL)
        return;
    ASSERT(!entry->hashed);
    os_atomic_subtract(&store->bytes, entry->bytes);
    stamp_release(entry->stamp);
    tree_close(entry->tree);
    if (entry->before_owned)
        os_free(entry->before);
    os_free(entry);
}

static uint32_t hash_bytes(uint32_t hash, struct span bytes)
{
    for (size_t i = 0; i < bytes.size; i++)
        hash = (hash ^ bytes.bytes[i]) * 16777619u;
    return hash;
}

uint32_t hash_of(const struct tree *tree, const struct key *key, struct span data)
{
    uint32_t hash = 2166136261u ^ (tree->root * 40503u + tree->database->id);

    hash = hash_bytes(hash, key->prefix);
    hash = hash_bytes(hash, key->suffix);
    hash = hash_bytes(hash, data);
    return hash ^ hash >> 15;
}

struct os_mutex *bucket_lock(struct version_store *store, uint32_t hash)
{
    return &store->hash_locks[hash % HASH_LOCKS];
}

struct version_entry **bucket_of(struct version_store *store, uint32_t hash)
{
    return &store->buckets[hash & os_atomic_load(&store->bucket_mask)];
}

void entry_hash(struct version_store *store, struct version_entry *entry)
{
    struct version_entry **head = bucket_of(store, entry->hash);

    entry->hash_next = *head;
    *head = entry;
    entry->hashed = true;
    os_atomic_add(&store->tree_entries, 1);
}

void entry_unhash(struct version_store *store, struct version_entry *entry)
{
    if (!entry->hashed)
        return;
    os_mutex_lock(bucket_lock(store, entry->hash));
    struct version_entry **link = bucket_of(store, entry->hash);
    while (*link != entry)
        link = &(*link)->hash_next;
    *link = entry->hash_next;
    entry->hashed = false;
    os_mutex_unlock(bucket_lock(store, entry->hash));
    os_atomic_subtract(&store->tree_entries, 1);
}

/* Deals the entries of a bucket out to two, in their order. */
static void deal(struct version_entry *entry, uint32_t bit, struct version_entry **low,
                 struct version_entry **high)
{
    while (entry != NULL) {
        struct version_entry ***end = (entry->hash & bit) != 0 ? &high : &low;

        **end = entry;
        *end = &entry->hash_next;
        entry = entry->hash_next;
    }
    *low = NULL;
    *high = NULL;
}

void hash_grow(struct version_store *store)
{
    uint32_t entries = os_atomic_load(&store->tree_entries);

    if (entries <= (os_atomic_load(&store->bucket_mask) + 1) * 2)
        return;
    for (uint32_t i = 0; i < HASH_LOCKS; i++)
        os_mutex_lock(&store->hash_locks[i]);
    uint32_t count = os_atomic_load(&store->bucket_mask) + 1;
    struct version_entry **buckets = NULL;
    if (entries > count * 2)
        buckets = os_allocate_array((size_t)count * 2, sizeof(struct version_entry *)); /* else slower */
    if (buckets != NULL) {
        for (uint32_t i = 0; i < count; i++)
            deal(store->buckets[i], count, &buckets[i], &buckets[count + i]);
        os_free(store->buckets);
        store->buckets = buckets;
        os_atomic_store(&store->bucket_mask, count * 2 - 1);
    }
    for (uint32_t i = HASH_LOCKS; i > 0; i--)
        os_mutex_unlock(&store->hash_locks[i - 1]);
}

bool entry_is_of(const struct version_entry *entry, const struct tree *tree, const struct key *key,
                 struct span data)
{
    struct bookmark bookmark = entry_bookmark(entry);
    struct key own = key_of(bookmark.key.bytes, bookmark.key.size);

    return entry->tree == tree && bookmark.key.size == key_size(key) && bookmark.data.size == data.size &&
           key_compare(&own, key) == 0 && span_compare(bookmark.data, data) == 0;
}

bool entry_is_foreign(const struct version_entry *entry, const struct transaction *transaction)
{
    uint32_t commit0 = os_atomic_load(&entry->stamp->commit0);

    if (commit0 == TRANSACTION_ID_MAX)
        return entry->stamp != transaction->internal->stamp;
    return !id_before(commit0, snapshot_of(transaction));
}

static bool commutes(enum version_operation operation)
{
    return operation == VERSION_READ_LOCK || operation == VERSION_DELTA || operation == VERSION_DELTA64;
}

static struct version_entry *next_of_node(struct version_entry *entry, const struct tree *tree,
                                          const struct key *key, struct span data)
{
    while (entry != NULL && !entry_is_of(entry, tree, key, data))
        entry = entry->hash_next;
    return entry;
}

bool entry_conflicts(struct version_store *store, const struct transaction *transaction,
                     const struct tree *tree, const struct bookmark *bookmark,
                     enum version_operation operation)
{
    struct key key = key_of(bookmark->key.bytes, bookmark->key.size);
    struct version_entry *first =
        next_of_node(*bucket_of(store, hash_of(tree, &key, bookmark->data)), tree, &key, bookmark->data);
    uint32_t snapshot = snapshot_of(transaction);

    if (first == NULL)
        return false;
    if (entry_is_foreign(first, transaction)) {
        if (!commutes(operation))
            return true;
        /* Fine if all that is going on is of the same, commuting kind. */
        for (struct version_entry *entry = first; entry != NULL;
             entry = next_of_node(entry->hash_next, tree, &key, bookmark->data)) {
            if (!id_before(os_atomic_load(&entry->stamp->commit0), snapshot) && entry->operation != operation)
                return true;
        }
    } else if (first->operation != operation && commutes(first->operation)) {
        /* Others may have done the same beside it, which does not go with this operation. */
        for (struct version_entry *entry = first; entry != NULL;
             entry = next_of_node(entry->hash_next, tree, &key, bookmark->data)) {
            if (entry_is_foreign(entry, transaction))
                return true;
        }
    }
    return false;
}

/* Takes a delta back from an image. */
static void subtract_delta(struct byte_buffer *image, const struct version_entry *entry)
{
    uint64_t value = 0;

    if (entry->offset + (size_t)entry->width > image->size)
        return;
    memcpy(&value, image->bytes + entry->offset, entry->width);
    value -= (uint64_t)entry->delta;
    memcpy(image->bytes + entry->offset, &value, entry->width);
}

/* Goes back through the node's entries that the transaction does not see, newest first, taking each change
 * back. */
static JET_ERR look_back(struct version_store *store, const struct transaction *transaction,
                         const struct tree *tree, const struct node *node, uint32_t hash,
                         struct byte_buffer *image, struct node_sight *sight)
{
    JET_ERR err = JET_errSuccess;
    struct span bookmark_data = tree->unique ? span_of(NULL, 0) : node->data;
    bool copied = false;

    for (struct version_entry *entry = next_of_node(*bucket_of(store, hash), tree, &node->key, bookmark_data);
         entry != NULL; entry = next_of_node(entry->hash_next, tree, &node->key, bookmark_data)) {
        if (entry->rolled_back || !entry_is_foreign(entry, transaction))
            continue;
        switch (entry->operation) {
        case VERSION_INSERT:
            sight->exists = false;
            break;
        case VERSION_FLAG_DELETE:
            sight->exists = true;
            break;
        case VERSION_REPLACE:
            TRY(byte_buffer_set(image, span_of(entry->before, entry->before_size)));
            copied = true;
            break;
        case VERSION_DELTA:
        case VERSION_DELTA64:
            if (!copied)
                TRY(byte_buffer_set(image, node->data));
            copied = true;
            subtract_delta(image, entry);
            break;
        default:
            break;
        }
    }
    if (copied)
        sight->data = span_of(image->bytes, image->size);
done:
    return err;
}

JET_ERR node_look(struct version_store *store, const struct transaction *transaction, const struct tree *tree,
                  const struct node *node, struct byte_buffer *image, struct node_sight *sight)
{
    sight->exists = (node->flags & NODE_DELETED) == 0;
    sight->data = node->data;
    if ((node->flags & NODE_VERSIONED) == 0 || os_atomic_load(&store->tree_entries) == 0)
        return JET_errSuccess;
    uint32_t hash = hash_of(tree, &node->key, tree->unique ? span_of(NULL, 0) : node->data);
    os_mutex_lock(bucket_lock(store, hash));
    JET_ERR err = look_back(store, transaction, tree, node, hash, image, sight);
    os_mutex_unlock(bucket_lock(store, hash));
    return err;
}

static bool has_entries(struct version_store *store, const struct tree *tree, const struct key *key,
                        struct span data)
{
    uint32_t hash = hash_of(tree, key, data);

    os_mutex_lock(bucket_lock(store, hash));
    bool found = next_of_node(*bucket_of(store, hash), tree, key, data) != NULL;
    os_mutex_unlock(bucket_lock(store, hash));
    return found;
}

bool node_has_entries(struct version_store *store, const struct tree *tree, const struct bookmark *bookmark)
{
    struct key key = key_of(bookmark->key.bytes, bookmark->key.size);

    return has_entries(store, tree, &key, bookmark->data);
}

bool node_is_known(struct version_store *store, const struct tree *tree, const struct node *node)
{
    return has_entries(store, tree, &node->key, tree->unique ? span_of(NULL, 0) : node->data);
}

uint32_t entries_reserve(void *context, struct tree *tree, const struct node *node)
{
    struct version_store *store = context;
    uint32_t most = 0;

    if (!tree->unique || os_atomic_load(&store->tree_entries) == 0)
        return 0;
    uint32_t hash = hash_of(tree, &node->key, span_of(NULL, 0));
    os_mutex_lock(bucket_lock(store, hash));
    for (struct version_entry *entry = *bucket_of(store, hash); entry != NULL; entry = entry->hash_next) {
        if (entry->operation == VERSION_REPLACE && !entry->rolled_back && entry->before_size > most &&
            os_atomic_load(&entry->stamp->commit0) == TRANSACTION_ID_MAX &&
            entry_is_of(entry, tree, &node->key, span_of(NULL, 0)))
            most = entry->before_size;
    }
    os_mutex_unlock(bucket_lock(store, hash));
    return most;
}
