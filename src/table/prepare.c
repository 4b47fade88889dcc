/* Preparing updates, auto-increment values, locks (engine sources: `fldmod.cxx`, `rec.cxx`). */
#include <stdlib.h>

#include "src/btree/root_header.h"
#include "src/cache/database.h"
#include "src/os/error.h"
#include "src/os/host.h"
#include "src/os/lock.h"
#include "src/os/memory.h"
#include "src/table/long_value.h"
#include "src/table/temporary.h"
#include "src/table/update.h"

/* 64-bit FNV-1a: tells whether a record has changed between preparing and making an update. */
static uint64_t hash_bytes(struct span bytes)
{
    uint64_t hash = 0xcbf29ce484222325u;
    for (size_t i = 0; i < bytes.size; i++)
        hash = (hash ^ bytes.bytes[i]) * 0x100000001b3u;
    return hash;
}

static JET_ERR allocate_work(struct table_cursor *cursor)
{
    ASSERT(cursor->work.data == NULL);
    cursor->work.capacity = cursor->database->page_size;
    cursor->work.data = os_allocate(cursor->work.capacity);
    return cursor->work.data == NULL ? JET_errOutOfMemory : JET_errSuccess;
}

/* The current record becomes the work record; the cursor is settled. */
static JET_ERR copy_current(struct table_cursor *cursor)
{
    JET_ERR err = JET_errSuccess;
    struct node_view node;
    TRY(versioned_cursor_copy(cursor->primary, &node));
    TRY(allocate_work(cursor));
    if (NEVER(node.data.size > cursor->work.capacity)) /* a page */
        FAIL(JET_errDatabaseCorrupted);
    memcpy(cursor->work.data, node.data.bytes, node.data.size);
    cursor->work.size = (uint32_t)node.data.size;
    TRY(record_check(table_work_view(cursor), cursor->database->page_size));
    cursor->original_hash = hash_bytes(node.data);
    cursor->original_hash_known = true;
done:
    return err;
}

JET_ERR table_record_unchanged(struct table_cursor *cursor)
{
    struct node_view node;
    JET_ERR err = versioned_cursor_copy(cursor->primary, &node);
    if (err >= JET_errSuccess && hash_bytes(node.data) != cursor->original_hash)
        err = JET_errWriteConflict;
    return err;
}

/* --- auto-increment --- */

#define BATCH_MOST 256u /* numbers the published engine takes at once at most */

struct numbers {
    uint64_t *entries;
    size_t count;
    size_t capacity;
};

static JET_ERR numbers_add(struct numbers *numbers, uint64_t number)
{
    if (numbers->count == numbers->capacity) {
        const size_t capacity = numbers->capacity * 2 + 64;
        uint64_t *entries = os_reallocate(numbers->entries, capacity * sizeof(*entries));
        if (entries == NULL)
            return JET_errOutOfMemory;
        numbers->entries = entries;
        numbers->capacity = capacity;
    }
    numbers->entries[numbers->count++] = number;
    return JET_errSuccess;
}

static int compare_numbers(const void *a, const void *b)
{
    const uint64_t *left = a;
    const uint64_t *right = b;
    return (*left > *right) - (*left < *right);
}

/* The values in the table. */
static JET_ERR read_numbers(struct table_cursor *cursor, const struct column_definition *column,
                            struct numbers *numbers)
{
    JET_ERR err = JET_errSuccess;
    struct versioned_cursor *walk = NULL;
    TRY(versioned_cursor_open(cursor->transaction, cursor->database, cursor->table->root, &walk));
    for (err = versioned_cursor_first(walk); err >= JET_errSuccess; err = versioned_cursor_next(walk)) {
        struct node_view node;
        struct value value;
        uint64_t number = 0;
        TRY(versioned_cursor_copy(walk, &node));
        TRY(record_get(cursor->table, (struct record_view){node.data.bytes, (uint32_t)node.data.size}, column,
                       &value));
        if (value.kind != VALUE_PLAIN)
            continue;
        for (uint32_t i = 0; i < value.size && i < 8; i++)
            number |= (uint64_t)value.data[i] << 8 * i;
        TRY(numbers_add(numbers, number));
    }
    if (err == JET_errNoCurrentRecord)
        err = JET_errSuccess;
done:
    versioned_cursor_close(walk);
    return err;
}

/* The published engine takes numbers in batches of 2, 4, 8... and forgets what is left of one when the
 * table's definition goes out of memory; then batches begin anew with 2. Its note of the last batch is no
 * part of this database format. The numbers in use tell how far it was: a gap before the beginning of a batch
 * is the end of a life of the definition. */
static uint64_t end_of_batch(const struct numbers *numbers)
{
    uint64_t end = 0;
    uint64_t batch = 2;
    uint64_t last = 0;
    for (size_t i = 0; i < numbers->count; i++) {
        const uint64_t number = numbers->entries[i];
        if (number == end + 1 && last < end)
            batch = 2;
        while (end < number) {
            if (end > UINT64_MAX - batch)
                return number;
            end += batch;
            batch = batch < BATCH_MOST ? batch * 2 : BATCH_MOST;
        }
        last = number;
    }
    return end;
}

static JET_ERR last_taken(struct table_cursor *cursor, uint64_t *last)
{
    struct numbers numbers = {0};
    const struct column_definition *column =
        table_definition_column(cursor->table, cursor->table->autoincrement_column);
    JET_ERR err = read_numbers(cursor, column, &numbers);
    if (err >= JET_errSuccess) {
        if (numbers.count > 1)
            qsort(numbers.entries, numbers.count, sizeof(*numbers.entries), compare_numbers);
        *last = end_of_batch(&numbers);
    }
    os_free(numbers.entries);
    return err;
}

/* Where numbers go on: behind what was reserved, or (the root does not say) behind those in use. */
static JET_ERR last_reserved(struct table_cursor *cursor, uint64_t *last)
{
    bool known = false;
    JET_ERR err = root_autoincrement_read(versioned_cursor_tree(cursor->primary), &known, last);
    return err < JET_errSuccess || known ? err : last_taken(cursor, last);
}

/* Notes in the root how far numbers are reserved. It is done for good, whatever becomes of the transaction.
 */
static JET_ERR note_reserved(struct table_cursor *cursor, uint64_t last)
{
    JET_ERR err = JET_errSuccess;
    struct transaction *transaction = cursor->transaction;
    const bool own = transaction_level(transaction) == 0;
    if (own)
        TRY(transaction_begin(transaction, false));
    err = transaction_prepare_change(transaction, cursor->database);
    if (err >= JET_errSuccess)
        err = root_autoincrement_write(versioned_cursor_tree(cursor->primary), &transaction->actor, last);
    if (err == JET_errRecordTooBig)
        err = JET_errSuccess; /* no room: the numbers in use tell next time */
    if (own && err >= JET_errSuccess)
        err = transaction_commit(transaction, false);
    if (own && err < JET_errSuccess)
        (void)transaction_rollback(transaction); /* the first error counts */
done:
    return err < JET_errSuccess ? err : JET_errSuccess;
}

/* Numbers are reserved in batches, by one session at a time; the lock is held while pages are read and
 * written. */
static struct os_mutex reserve_lock = OS_MUTEX_INITIALIZER(OS_RANK_DATABASES);

JET_ERR table_reserve_numbers(struct table_cursor *cursor, uint64_t last)
{
    JET_ERR err = JET_errSuccess;
    struct table_definition *table = cursor->table;
    const uint32_t batch = table->autoincrement_batch == 0 ? 2 : table->autoincrement_batch * 2;
    table->autoincrement_batch = batch < BATCH_MOST ? batch : BATCH_MOST;
    if (last > UINT64_MAX - 2 * BATCH_MOST)
        FAIL(JET_errOutOfAutoincrementValues);
    TRY(note_reserved(cursor, last + table->autoincrement_batch));
    catalog_lock(cursor->database->catalog);
    if (table->autoincrement_next == 0)
        table->autoincrement_next = last + 1;
    table->autoincrement_reserved = last + table->autoincrement_batch;
    catalog_unlock(cursor->database->catalog);
done:
    return err;
}

/* As the published engine's newest format has it: what is reserved is noted in the root of the table. */
static JET_ERR next_reserved(struct table_cursor *cursor, uint64_t *value)
{
    JET_ERR err = JET_errSuccess;
    struct table_definition *table = cursor->table;
    uint64_t last = 0;
    os_mutex_lock(&reserve_lock);
    if (table->autoincrement_next == 0) {
        TRY(last_reserved(cursor, &last));
        TRY(table_reserve_numbers(cursor, last));
    } else if (table->autoincrement_next > table->autoincrement_reserved) {
        TRY(table_reserve_numbers(cursor, table->autoincrement_reserved));
    }
    *value = table->autoincrement_next++;
done:
    os_mutex_unlock(&reserve_lock);
    return err;
}

static JET_ERR next_behind_those_in_use(struct table_cursor *cursor, uint64_t *value)
{
    struct catalog *catalog = cursor->database->catalog;
    struct table_definition *table = cursor->table;
    uint64_t greatest = 0;
    catalog_lock(catalog);
    const bool known = table->autoincrement_next != 0;
    catalog_unlock(catalog);
    if (!known) {
        JET_ERR err = last_taken(cursor, &greatest);
        if (err < JET_errSuccess)
            return err;
    }
    catalog_lock(catalog);
    if (table->autoincrement_next <= greatest)
        table->autoincrement_next = greatest + 1;
    *value = table->autoincrement_next++;
    catalog_unlock(catalog);
    return JET_errSuccess;
}

JET_ERR table_next_autoincrement(struct table_cursor *cursor, uint64_t *value)
{
    return os_host_is_published() ? next_reserved(cursor, value) : next_behind_those_in_use(cursor, value);
}

static JET_ERR set_autoincrement(struct table_cursor *cursor)
{
    JET_ERR err = JET_errSuccess;
    uint64_t value = 0;
    if (cursor->table->autoincrement_column == 0)
        goto done;
    const struct column_definition *column =
        table_definition_column(cursor->table, cursor->table->autoincrement_column);
    TRY(table_next_autoincrement(cursor, &value));
    TRY(record_set(cursor->table, &cursor->work, column, &value, column->max_size));
    table_column_mark_set(cursor, column);
done:
    return err;
}

/* --- preparations --- */

static JET_ERR prepare_insert(struct table_cursor *cursor)
{
    JET_ERR err = JET_errSuccess;
    TRY(allocate_work(cursor));
    TRY(record_set_defaults(cursor->table, &cursor->work));
    TRY(set_autoincrement(cursor));
    cursor->prepared = PREPARED_INSERT;
done:
    return err;
}

static JET_ERR prepare_replace(struct table_cursor *cursor, bool lock)
{
    JET_ERR err = JET_errSuccess;
    const bool at_level = transaction_level(cursor->transaction) > 0;
    lock = lock && at_level;
    TRY(table_settle(cursor));
    if (lock)
        TRY(versioned_cursor_lock(cursor->primary, VERSIONED_LOCK_WRITE));
    TRY(copy_current(cursor));
    cursor->prepared = lock ? PREPARED_REPLACE : PREPARED_REPLACE_NO_LOCK;
done:
    return err;
}

static JET_ERR prepare_copy(struct table_cursor *cursor, uint32_t preparation)
{
    JET_ERR err = JET_errSuccess;
    const bool moves = preparation != JET_prepInsertCopy;
    TRY(table_settle(cursor));
    if (moves && transaction_level(cursor->transaction) > 0)
        TRY(versioned_cursor_lock(cursor->primary, VERSIONED_LOCK_WRITE));
    TRY(copy_current(cursor));
    if (preparation != JET_prepInsertCopyReplaceOriginal)
        TRY(set_autoincrement(cursor));
    if (!moves && transaction_level(cursor->transaction) == 0)
        FAIL(JET_errNotInTransaction); /* a copy may have to share long values */
    cursor->prepared = moves ? PREPARED_INSERT_COPY_DELETE : PREPARED_INSERT_COPY;
done:
    return err;
}

static JET_ERR check_preparable(struct table_cursor *cursor)
{
    JET_ERR err = table_check_updatable(cursor);
    if (err >= JET_errSuccess && cursor->prepared != PREPARED_NONE)
        err = JET_errAlreadyPrepared;
    return err;
}

JET_ERR table_prepare(struct table_cursor *cursor, uint32_t preparation)
{
    JET_ERR err = JET_errSuccess;
    switch (preparation) {
    case JET_prepCancel:
        if (cursor->prepared == PREPARED_NONE)
            return JET_errUpdateNotPrepared;
        table_drop_update(cursor);
        return JET_errSuccess;
    case JET_prepInsert:
        TRY(check_preparable(cursor));
        err = prepare_insert(cursor);
        break;
    case JET_prepReplace:
    case JET_prepReplaceNoLock:
        TRY(temporary_check_change(cursor));
        TRY(check_preparable(cursor));
        err = prepare_replace(cursor, preparation == JET_prepReplace);
        break;
    case JET_prepInsertCopy:
    case JET_prepInsertCopyDeleteOriginal:
    case JET_prepInsertCopyReplaceOriginal:
        TRY(check_preparable(cursor));
        err = prepare_copy(cursor, preparation);
        break;
    default:
        FAIL(JET_errInvalidParameter);
    }
    if (err < JET_errSuccess)
        table_drop_update(cursor);
    else
        cursor->prepared_level = (uint8_t)transaction_level(cursor->transaction);
done:
    return err < JET_errSuccess ? err : JET_errSuccess;
}

JET_ERR table_get_lock(struct table_cursor *cursor, JET_GRBIT grbit)
{
    JET_ERR err = JET_errSuccess;
    enum versioned_lock lock = VERSIONED_LOCK_READ;
    if (transaction_level(cursor->transaction) == 0)
        FAIL(JET_errNotInTransaction);
    switch (grbit & (JET_bitReadLock | JET_bitWriteLock)) {
    case JET_bitReadLock:
        break;
    case JET_bitWriteLock:
        TRY(table_check_updatable(cursor));
        lock = VERSIONED_LOCK_WRITE;
        break;
    default:
        FAIL(JET_errInvalidGrbit);
    }
    TRY(table_settle(cursor));
    TRY(versioned_cursor_lock(cursor->primary, lock));
done:
    return err < JET_errSuccess ? err : JET_errSuccess;
}
