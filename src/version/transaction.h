/* Transactions of a session: levels, begin, commit, rollback (engine sources: `dir.cxx`, `pib.hxx`,
 * `ver.cxx`).
 *
 * A `struct transaction` is part of a session and lives as long. Levels nest from 0 (none) up; the snapshot
 * is fixed when level 1 begins. Begin records are logged lazily, with the first change.
 *
 * Thread safety: a transaction is used by one thread at a time. */
#ifndef OPENESENT_VERSION_TRANSACTION_H
#define OPENESENT_VERSION_TRANSACTION_H

#include "src/btree/btree.h"

struct version_store;
struct version_entry;
struct log;

/* Applications get 7 levels (the API sees to it); calls that must be all or nothing begin one of their own.
 */
#define TRANSACTION_LEVEL_MOST 10
#define TRANSACTION_ID_MAX                                                                                   \
    ((uint32_t)0xffffffff) /* later than every transaction: sees all that is committed */

struct transaction {
    struct version_store *store;
    struct btree_actor actor; /* process, level, begin0: current values */
    uint32_t commit0;         /* TRANSACTION_ID_MAX until committed to level 0 */
    bool read_only;           /* JET_bitTransactionReadOnly: the version layer refuses changes (-1110) */
    bool ever_logged;         /* a begin record was written for this transaction */
    uint8_t logged_level;     /* levels whose begin record is in the log */
    struct log_position first_record; /* position of the begin record: the checkpoint stays before it */
    struct log_position last_commit;  /* of the last commit record, for wait-commits */
    struct version_entry *newest;     /* my uncommitted entries, newest first */
    struct transaction_internal *internal;
};

/* Process numbers in log records. As in the engine, a few sessions of its own come before the programs'; the
 * highest numbers mean something to its recovery and must not appear. */
enum process_number {
    PROCESS_LONG_VALUE_TREES = 2,
    PROCESS_CLEANER = 3,
    PROCESS_SESSION_FIRST = 5,
    PROCESS_SESSION_LAST = 0xfff0,
};

/* Ties a transaction (zeroed memory) to its instance's version store; `process` is the session's number for
 * the log, unique in the instance and never 0xffff. `transaction_done` requires level 0. */
JET_ERR transaction_init(struct transaction *transaction, struct version_store *store, uint16_t process);
void transaction_done(struct transaction *transaction);

/* Gives a transaction up without undoing it: level 0 afterwards, its entries are dropped from the store (end
 * of an instance that leaves the rest to recovery). */
void transaction_abandon(struct transaction *transaction);

static inline unsigned transaction_level(const struct transaction *transaction)
{
    return transaction->actor.level;
}

/* Whether the transaction sees what a transaction that began at `begin0` did, and committed at `commit0` (0 =
 * has not). Its own begin and commit ids are never 0. */
bool transaction_sees(const struct transaction *transaction, uint32_t begin0, uint32_t commit0);

/* One level deeper. `read_only` counts when beginning level 1. JET_errTransTooDeep beyond
 * TRANSACTION_LEVEL_MOST. */
JET_ERR transaction_begin(struct transaction *transaction, bool read_only);

/* One level up. At level 1: logs the commit and, unless `lazy`, waits until it is in the log file.
 * JET_errNotInTransaction at level 0. If the log refuses, the transaction stays in its level, able to roll
 * back. */
JET_ERR transaction_commit(struct transaction *transaction, bool lazy);

/* At level 0: waits for this session's last (lazy) commit to be in the log file
 * (JET_bitWaitLastLevel0Commit), or for everything (JET_bitWaitAllLevel0Commit). */
JET_ERR transaction_wait(struct transaction *transaction, bool all);

/* Undoes the innermost level (JET_errNotInTransaction at level 0). Undo cannot run out of space; an I/O or
 * log error makes the instance unavailable and is returned (JET_errRollbackError etc.). */
JET_ERR transaction_rollback(struct transaction *transaction);

/* Forgets the transaction: level 0, entries dropped without undo. For instances that end without regard to
 * their data. */
void transaction_abandon(struct transaction *transaction);

/* A change is coming: JET_errNotInTransaction at level 0, JET_errTransReadOnly, log begins that were put off.
 */
JET_ERR transaction_prepare_change(struct transaction *transaction, struct database *database);

/* Runs something in the transaction that is not about nodes: schema changes. Entries are undone among the
 * others in reverse order. Exactly one of `undo`, `cleanup` and `abandoned` is called, once; `committed` may
 * be called before `cleanup`. Members may be NULL. */
struct version_action {
    const char *name;
    void (*undo)(struct transaction *transaction, struct database *database, void *context); /* rollback */
    void (*committed)(struct transaction *transaction, struct database *database,
                      void *context); /* commit to level 0 */
    void (*cleanup)(struct database *database,
                    void *context); /* no running transaction began before the commit */
    /* The entry is dropped without undo or clean-up (dirty term, database forgotten): only frees what it
     * holds. If NULL, `cleanup` is called instead, which must then touch memory only. */
    void (*abandoned)(void *context);
};
JET_ERR version_add_action(struct transaction *transaction, struct database *database,
                           const struct version_action *action, void *context);

#endif
