/* What the files of src/version share; not for other layers. */
#ifndef OPENESENT_VERSION_VERSION_INTERNAL_H
#define OPENESENT_VERSION_VERSION_INTERNAL_H

#include "src/btree/btree_internal.h"
#include "src/os/atomic.h"
#include "src/os/executor.h"
#include "src/version/version.h"
#include "src/version/versioned_cursor.h"

#define HASH_BUCKETS_LEAST 64u /* doubled as the store fills */
#define HASH_LOCKS 32u         /* an entry's lock is its hash modulo this */

/* Transaction ids grow by this, as the engine's do. */
#define TRANSACTION_ID_STEP 4u

/* Calls on the schema open and close a few cursors each. */
#define SPARE_CURSORS 4u

/* Tells of all of a transaction's entries at once whether and when it committed. */
struct commit_stamp {
    os_atomic_32 commit0; /* TRANSACTION_ID_MAX until committed */
    os_atomic_32 references;
};

struct version_entry {
    struct version_entry *hash_next; /* (bucket lock) older entries of the bucket */
    struct version_entry *older; /* next older of the transaction; after commit: next of the clean-up queue */
    struct commit_stamp *stamp;  /* immutable */
    struct database *database;
    struct tree *tree; /* referenced; NULL for actions */
    uint32_t hash;
    uint32_t id; /* "rceid" */
    uint32_t begin0;
    enum version_operation operation;
    uint8_t level;    /* (owner) */
    bool rolled_back; /* (bucket lock) the page has been undone already */
    bool hashed;
    bool before_known; /* redo: an undo-info record may still bring it */
    bool redone;       /* made by redo of the log */
    uint8_t width;     /* deltas */
    uint16_t offset;
    int64_t delta;
    versioned_zero_callback *on_zero;
    const struct version_action *action;
    void *context;
    uint32_t key_size;
    uint32_t data_size; /* bookmark's data */
    uint8_t *before;    /* VERSION_REPLACE: before-image; behind the bookmark, or its own block */
    uint32_t before_size;
    bool before_owned;
    size_t bytes; /* accounted */
    uint8_t bookmark[];
};

struct transaction_internal {
    struct transaction_internal *previous; /* running transactions in the order of their begin */
    struct transaction_internal *next;
    struct transaction *transaction;
    struct commit_stamp *stamp;         /* NULL until the first entry */
    uint32_t redone_most;               /* no entry that redo made has a greater id */
    void *spare_cursors[SPARE_CURSORS]; /* memory of closed cursors, for the next ones */
    size_t spare_count;
};

struct version_store {
    struct version_store_options options;
    struct os_mutex transactions_lock;          /* OS_RANK_TRANSACTION */
    struct transaction_internal *running_first; /* (transactions lock) oldest */
    struct transaction_internal *running_last;
    os_atomic_32 newest_id;       /* last transaction id given out */
    os_atomic_32 newest_entry_id; /* last entry id given out */
    os_atomic_64 bytes;
    os_atomic_32 tree_entries;              /* hashed entries: 0 spares the look-up */
    struct os_mutex hash_locks[HASH_LOCKS]; /* OS_RANK_VERSION */
    struct version_entry **buckets;         /* (one lock to look, all to replace) newest entries first */
    os_atomic_32 bucket_mask;               /* their number - 1; as above */
    struct os_mutex queue_lock;             /* OS_RANK_VERSION_GLOBAL */
    struct version_entry *queue_first;      /* (queue lock) committed, oldest first */
    struct version_entry *queue_last;
    bool cleaning; /* (queue lock) somebody works on the queue */
    struct os_condition cleaned;
    struct transaction cleaner; /* used by whoever set `cleaning` */
    struct os_task clean_task;
};

/* Orders transaction ids, which wrap; TRANSACTION_ID_MAX is above all. */
static inline bool id_before(uint32_t a, uint32_t b)
{
    if (a == b || a == TRANSACTION_ID_MAX)
        return false;
    return b == TRANSACTION_ID_MAX || (int32_t)(a - b) < 0;
}

/* The snapshot of a transaction; outside of one: everything committed. */
static inline uint32_t snapshot_of(const struct transaction *transaction)
{
    return transaction->actor.level == 0 ? TRANSACTION_ID_MAX : transaction->actor.begin0;
}

static inline struct bookmark entry_bookmark(const struct version_entry *entry)
{
    return (struct bookmark){span_of(entry->bookmark, entry->key_size),
                             span_of(entry->bookmark + entry->key_size, entry->data_size)};
}

/* -- Entries (version_entry.c). */

/* A new entry of the transaction, not hashed yet. `before` is copied for VERSION_REPLACE. */
JET_ERR entry_create(struct transaction *transaction, struct tree *tree, enum version_operation operation,
                     const struct bookmark *bookmark, struct span before, uint32_t id,
                     struct version_entry **out);
/* Frees an entry that is in no list. */
void entry_free(struct version_store *store, struct version_entry *entry);
JET_ERR transaction_stamp(struct transaction *transaction, struct commit_stamp **out);
void stamp_release(struct commit_stamp *stamp);

uint32_t hash_of(const struct tree *tree, const struct key *key, struct span data);
/* The lock of a hash's bucket, and (locked) the bucket. */
struct os_mutex *bucket_lock(struct version_store *store, uint32_t hash);
struct version_entry **bucket_of(struct version_store *store, uint32_t hash);
/* Doubles the number of buckets if they have become long; no latches, no locks may be held. */
void hash_grow(struct version_store *store);
void entry_hash(struct version_store *store, struct version_entry *entry);
void entry_unhash(struct version_store *store, struct version_entry *entry);
bool entry_is_of(const struct version_entry *entry, const struct tree *tree, const struct key *key,
                 struct span data);

/* Whether the entry is of somebody else and not in the transaction's snapshot. */
bool entry_is_foreign(const struct version_entry *entry, const struct transaction *transaction);
/* Whether the transaction may do `operation` on the node. Bucket lock held. */
bool entry_conflicts(struct version_store *store, const struct transaction *transaction,
                     const struct tree *tree, const struct bookmark *bookmark,
                     enum version_operation operation);

/* What a transaction sees of a node. `image` takes data that is not on the page. */
struct node_sight {
    bool exists;
    struct span data;
};
JET_ERR node_look(struct version_store *store, const struct transaction *transaction, const struct tree *tree,
                  const struct node *node, struct byte_buffer *image, struct node_sight *sight);

/* Whether entries of the node exist that are not rolled back. */
bool node_has_entries(struct version_store *store, const struct tree *tree, const struct bookmark *bookmark);

bool node_is_known(struct version_store *store, const struct tree *tree, const struct node *node);

/* node_reserve_function: the largest before-image among uncommitted replacements. */
uint32_t entries_reserve(void *context, struct tree *tree, const struct node *node);

/* Puts an entry on its transaction's list. */
void transaction_link(struct transaction *transaction, struct version_entry *entry);

/* Ends without a word: drops the entries of the levels from `level` up; takes it from the running ones. */
void transaction_drop_level(struct transaction *transaction, uint8_t level);
void transaction_end_outermost(struct transaction *transaction);

/* Undoes one entry's change of its page (version_undo.c). */
JET_ERR entry_undo(struct transaction *transaction, struct version_entry *entry);

/* The entry goes without undo or clean-up: frees what a schema entry holds. */
void entry_abandon(struct version_entry *entry);

/* Gives committed entries (oldest first) to clean-up, and does what costs nothing. */
void queue_append(struct version_store *store, struct version_entry *first, struct version_entry *last);
void queue_clean_quickly(struct version_store *store);
/* Takes the deleted node of an undone insert out of its tree, as the published engine does at once
 * (`ver.cxx`); leaves it if others have to do with it or somebody cleans already. No latches may be held. */
void remove_undone_insert(struct version_store *store, struct version_entry *entry);
/* Cleans when the store is filling up; no latches may be held. */
void queue_relieve(struct version_store *store);

#endif
