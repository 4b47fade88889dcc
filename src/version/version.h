/* The version store of an instance: what transactions changed and may still need (engine sources: `ver.hxx`,
 * `ver.cxx`).
 *
 * Each change of a node leaves a version entry (who, when, what, before-image) in a hash by (tree, bookmark)
 * and on the list of its transaction. Entries answer: may I write here (-1102), what does my snapshot see,
 * how is it undone. They go when no running transaction began before their commit; flag-deleted nodes are
 * removed from their pages then.
 *
 * Thread safety: all calls are thread-safe. */
#ifndef OPENESENT_VERSION_VERSION_H
#define OPENESENT_VERSION_VERSION_H

#include "src/version/transaction.h"

struct version_store_options {
    struct log *log; /* NULL: nothing is logged (recovery off) */
    struct tree_registry *trees;
    uint64_t bytes_most; /* JET_paramMaxVerPages in bytes; beyond: JET_errVersionStoreOutOfMemory */
};

JET_ERR version_store_create(const struct version_store_options *options, struct version_store **out);
/* Frees the store; entries that are left are dropped without clean-up of pages. */
void version_store_free(struct version_store *store);

/* Cleans what can be cleaned now: removes deleted nodes, empty pages, schema leftovers. JET_wrnIdleFull-like
 * results are the caller's. `database` NULL: all. After it, with no transaction running, no entry of the
 * database is left; JET_wrnRemainingVersions: some are, of running transactions too if a database is named.
 */
JET_ERR version_store_clean(struct version_store *store, struct database *database);

/* Forgets the entries of a database without touching its pages (detach after error, crash simulation). */
void version_store_forget(struct version_store *store, struct database *database);

/* The first log record that undo may need: minimum over running transactions; LOG_POSITION_MAX when none. */
struct log_position version_store_oldest_record(struct version_store *store);
uint64_t version_store_bytes(struct version_store *store);

/* For recovery: rebuilds entries while log records are redone on behalf of the logged session (`transaction`,
 * whose actor has process, level and begin0 of the record). `before` is the before-image of a replace, or an
 * empty span with `before_known` false when an undo-info record will follow (the page was already newer than
 * the record). */
enum version_operation {
    VERSION_INSERT = 0x0001,
    VERSION_REPLACE = 0x0002,
    VERSION_FLAG_DELETE = 0x0003,
    VERSION_DELTA = 0x0004,
    VERSION_READ_LOCK = 0x0005,
    VERSION_WRITE_LOCK = 0x0006,
    VERSION_DELTA64 = 0x0009,
    VERSION_ACTION = 0x0100,
};

struct version_redo {
    enum version_operation operation;
    struct database *database;
    page_number root;
    object_id object;
    bool unique;
    uint32_t entry_id; /* "rceid" of the record */
    struct bookmark bookmark;
    bool before_known;
    struct span before; /* VERSION_REPLACE: before-image */
    int32_t size_most;  /* VERSION_REPLACE: largest size so far ("cbMaxSize") */
    int32_t size_delta; /* VERSION_REPLACE: growth of this replace ("cbDelta") */
    int64_t delta;      /* VERSION_DELTA, VERSION_DELTA64 */
    uint16_t offset;    /* VERSION_DELTA, VERSION_DELTA64 */
};
JET_ERR version_redo_entry(struct transaction *transaction, const struct version_redo *redo);
/* An undo-info record: completes the entry with that id, or makes it if the record comes first. */
JET_ERR version_redo_undo_info(struct transaction *transaction, const struct version_redo *redo);
/* An undo record was redone: the entry with that id is gone. */
void version_redo_undone(struct transaction *transaction, uint32_t entry_id, const struct version_redo *what);
/* An undo record has to be applied to its page, which the caller has latched exclusively and stamps: the line
 * gets back what the entry (by id) says. JET_errLogCorrupted if line or entry do not fit. Call
 * version_redo_undone afterwards. */
JET_ERR version_redo_undo_page(struct transaction *transaction, const struct version_redo *what,
                               struct page *page, uint32_t line);
/* Begin, commit and rollback records. */
JET_ERR version_redo_begin(struct transaction *transaction, unsigned from_level, unsigned levels,
                           uint32_t begin0, struct log_position position);
JET_ERR version_redo_commit(struct transaction *transaction, unsigned to_level, uint32_t commit0);
JET_ERR version_redo_rollback(struct transaction *transaction, unsigned levels);
/* The greatest transaction id and entry id seen in the log, so that new ones are greater. */
void version_store_raise_ids(struct version_store *store, uint32_t transaction_id, uint32_t entry_id);

#endif
