/* A workload whose state after n transactions is known: each transaction follows from a seed and its number.
 * For tests that kill or crash it and look at what recovery brings back. Uses the public API alone. */
#ifndef OPENESENT_TESTS_KILL_WORKLOAD_H
#define OPENESENT_TESTS_KILL_WORKLOAD_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "include/esent.h"

#define WORKLOAD_IDS 150u
#define WORKLOAD_BYTES_MAX 30000u

/* ---- the model */

struct workload_row {
    bool exists;
    uint32_t size;
    uint32_t seed;
};

struct workload {
    uint64_t seed;
    uint32_t done; /* transactions */
    struct workload_row rows[WORKLOAD_IDS];
};

static inline uint32_t workload_random(uint64_t *state, uint32_t limit)
{
    *state += 0x9e3779b97f4a7c15u;
    uint64_t z = *state;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    z ^= z >> 31;
    return (uint32_t)(((z >> 32) * limit) >> 32);
}

enum workload_kind { WORKLOAD_INSERT, WORKLOAD_REPLACE, WORKLOAD_DELETE };

struct workload_step {
    enum workload_kind kind;
    uint32_t id;
    uint32_t size;
    uint32_t seed;
};

struct workload_transaction {
    uint32_t count;
    bool rolls_back;
    struct workload_step steps[8];
};

/* What the next transaction is; `rows` becomes the state behind it (if it does not roll back). */
static inline struct workload_transaction workload_next(const struct workload *workload,
                                                        struct workload_row *rows)
{
    struct workload_transaction transaction = {0};
    uint64_t state = workload->seed * 1000003u + workload->done * 7919u;
    memcpy(rows, workload->rows, sizeof workload->rows);
    transaction.rolls_back = workload_random(&state, 10) == 0;
    transaction.count = 1 + workload_random(&state, 8);
    for (uint32_t i = 0; i < transaction.count; i++) {
        struct workload_step *step = &transaction.steps[i];
        step->id = workload_random(&state, WORKLOAD_IDS);
        uint32_t kind = workload_random(&state, 20);
        step->size = kind == 0  ? workload_random(&state, WORKLOAD_BYTES_MAX)
                     : kind < 5 ? workload_random(&state, 2500)
                                : workload_random(&state, 300);
        step->seed = workload_random(&state, UINT32_MAX);
        struct workload_row *row = &rows[step->id];
        if (!row->exists) {
            step->kind = WORKLOAD_INSERT;
            *row = (struct workload_row){true, step->size, step->seed};
        } else if (workload_random(&state, 2) == 0) {
            step->kind = WORKLOAD_REPLACE;
            *row = (struct workload_row){true, step->size, step->seed};
        } else {
            step->kind = WORKLOAD_DELETE;
            *row = (struct workload_row){false, 0, 0};
        }
    }
    if (transaction.rolls_back)
        memcpy(rows, workload->rows, sizeof workload->rows);
    return transaction;
}

/* The state after the next transaction. */
static inline void workload_advance(struct workload *workload)
{
    struct workload_row rows[WORKLOAD_IDS];
    workload_next(workload, rows);
    memcpy(workload->rows, rows, sizeof rows);
    workload->done++;
}

static inline void workload_fill(uint8_t *bytes, uint32_t size, uint32_t seed)
{
    uint32_t x = seed;
    for (uint32_t i = 0; i < size; i++) {
        x = x * 1664525u + 1013904223u;
        bytes[i] = (uint8_t)(x >> 24);
    }
}

/* ---- the engine */

struct workload_engine {
    JET_INSTANCE instance;
    JET_SESID session;
    JET_DBID database;
    JET_TABLEID table;
    JET_COLUMNID id;
    JET_COLUMNID data;
    JET_COLUMNID tag;
    int32_t base;       /* its rows have the keys from here on; other rows are others' */
    bool lazy;          /* commits do not wait for the disk */
    const char *failed; /* the call that failed */
    uint8_t bytes[WORKLOAD_BYTES_MAX];
};

#define WORKLOAD_TRY(call)                                                                                   \
    do {                                                                                                     \
        err = (call);                                                                                        \
        if (err < JET_errSuccess) {                                                                          \
            engine->failed = #call;                                                                          \
            return err;                                                                                      \
        }                                                                                                    \
    } while (0)

/* Makes an instance in `directory` (ending with a separator) with small logs and cache. */
static inline JET_ERR workload_instance(struct workload_engine *engine, const char *directory)
{
    JET_ERR err;
    engine->instance = 0;
    engine->failed = "";
    WORKLOAD_TRY(JetCreateInstanceA(&engine->instance, "workload"));
    WORKLOAD_TRY(JetSetSystemParameterA(&engine->instance, 0, JET_paramSystemPath, 0, directory));
    WORKLOAD_TRY(JetSetSystemParameterA(&engine->instance, 0, JET_paramLogFilePath, 0, directory));
    WORKLOAD_TRY(JetSetSystemParameterA(&engine->instance, 0, JET_paramTempPath, 0, directory));
    WORKLOAD_TRY(JetSetSystemParameterA(&engine->instance, 0, JET_paramLogFileSize, 128, NULL));
    WORKLOAD_TRY(JetSetSystemParameterA(&engine->instance, 0, JET_paramCheckpointDepthMax, 16384, NULL));
    WORKLOAD_TRY(JetSetSystemParameterA(&engine->instance, 0, JET_paramMaxTemporaryTables, 0, NULL));
    return JET_errSuccess;
}

/* Starts it, recovering what is there. */
static inline JET_ERR workload_init(struct workload_engine *engine, const char *directory)
{
    JET_ERR err = workload_instance(engine, directory);
    if (err < JET_errSuccess)
        return err;
    WORKLOAD_TRY(JetInit(&engine->instance));
    WORKLOAD_TRY(JetBeginSessionA(engine->instance, &engine->session, NULL, NULL));
    return JET_errSuccess;
}

/* Puts a backup made into the directory `from` back and redoes the logs in `directory`. The instance is
 * neither there before nor after. */
static inline JET_ERR workload_restore(struct workload_engine *engine, const char *directory,
                                       const char *from)
{
    JET_ERR err = workload_instance(engine, directory);
    if (err < JET_errSuccess)
        return err;
    WORKLOAD_TRY(JetRestoreInstanceA(engine->instance, from, NULL, NULL));
    WORKLOAD_TRY(JetTerm(engine->instance));
    return JET_errSuccess;
}

static inline JET_ERR workload_columns(struct workload_engine *engine)
{
    JET_ERR err;
    JET_COLUMNDEF definition = {.cbStruct = sizeof definition};
    WORKLOAD_TRY(JetGetTableColumnInfoA(engine->session, engine->table, "id", &definition, sizeof definition,
                                        JET_ColInfo));
    engine->id = definition.columnid;
    WORKLOAD_TRY(JetGetTableColumnInfoA(engine->session, engine->table, "data", &definition,
                                        sizeof definition, JET_ColInfo));
    engine->data = definition.columnid;
    WORKLOAD_TRY(JetGetTableColumnInfoA(engine->session, engine->table, "tag", &definition, sizeof definition,
                                        JET_ColInfo));
    engine->tag = definition.columnid;
    return JET_errSuccess;
}

static inline JET_ERR workload_add_column(struct workload_engine *engine, const char *name, JET_COLTYP type)
{
    JET_COLUMNDEF definition = {.cbStruct = sizeof definition, .coltyp = type};
    JET_COLUMNID column;
    return JetAddColumnA(engine->session, engine->table, name, &definition, NULL, 0, &column);
}

/* Makes the database with its table, all in one transaction behind the creation of the file. */
static inline JET_ERR workload_create(struct workload_engine *engine, const char *path)
{
    JET_ERR err;
    WORKLOAD_TRY(JetCreateDatabaseA(engine->session, path, NULL, &engine->database, 0));
    WORKLOAD_TRY(JetBeginTransaction(engine->session));
    WORKLOAD_TRY(JetCreateTableA(engine->session, engine->database, "t", 1, 80, &engine->table));
    WORKLOAD_TRY(workload_add_column(engine, "id", JET_coltypLong));
    WORKLOAD_TRY(workload_add_column(engine, "tag", JET_coltypLong));
    WORKLOAD_TRY(workload_add_column(engine, "data", JET_coltypLongBinary));
    WORKLOAD_TRY(JetCreateIndexA(engine->session, engine->table, "pk", JET_bitIndexPrimary, "+id\0", 5, 80));
    WORKLOAD_TRY(JetCreateIndexA(engine->session, engine->table, "tag", 0, "+tag\0", 6, 80));
    WORKLOAD_TRY(JetCommitTransaction(engine->session, 0));
    WORKLOAD_TRY(workload_columns(engine));
    return JET_errSuccess;
}

static inline JET_ERR workload_open(struct workload_engine *engine, const char *path)
{
    JET_ERR err;
    WORKLOAD_TRY(JetAttachDatabaseA(engine->session, path, 0));
    WORKLOAD_TRY(JetOpenDatabaseA(engine->session, path, NULL, &engine->database, 0));
    WORKLOAD_TRY(JetOpenTableA(engine->session, engine->database, "t", NULL, 0, 0, &engine->table));
    WORKLOAD_TRY(workload_columns(engine));
    return JET_errSuccess;
}

static inline JET_ERR workload_seek(struct workload_engine *engine, uint32_t id)
{
    JET_ERR err;
    int32_t key = engine->base + (int32_t)id;
    WORKLOAD_TRY(JetSetCurrentIndexA(engine->session, engine->table, NULL));
    WORKLOAD_TRY(JetMakeKey(engine->session, engine->table, &key, sizeof key, JET_bitNewKey));
    WORKLOAD_TRY(JetSeek(engine->session, engine->table, JET_bitSeekEQ));
    return JET_errSuccess;
}

static inline JET_ERR workload_step(struct workload_engine *engine, const struct workload_step *step)
{
    uint8_t *bytes = engine->bytes;
    JET_ERR err;
    int32_t id = engine->base + (int32_t)step->id;
    int32_t tag = (int32_t)(step->seed % 50);
    if (step->kind != WORKLOAD_INSERT)
        WORKLOAD_TRY(workload_seek(engine, step->id));
    if (step->kind == WORKLOAD_DELETE) {
        WORKLOAD_TRY(JetDelete(engine->session, engine->table));
        return JET_errSuccess;
    }
    WORKLOAD_TRY(JetPrepareUpdate(engine->session, engine->table,
                                  step->kind == WORKLOAD_INSERT ? JET_prepInsert : JET_prepReplace));
    if (step->kind == WORKLOAD_INSERT)
        WORKLOAD_TRY(JetSetColumn(engine->session, engine->table, engine->id, &id, sizeof id, 0, NULL));
    WORKLOAD_TRY(JetSetColumn(engine->session, engine->table, engine->tag, &tag, sizeof tag, 0, NULL));
    workload_fill(bytes, step->size, step->seed);
    WORKLOAD_TRY(JetSetColumn(engine->session, engine->table, engine->data, bytes, step->size,
                              step->size == 0 ? JET_bitSetZeroLength : 0, NULL));
    WORKLOAD_TRY(JetUpdate(engine->session, engine->table, NULL, 0, NULL));
    return JET_errSuccess;
}

/* Runs the next transaction; the model moves on only when it has been committed. */
static inline JET_ERR workload_run(struct workload_engine *engine, struct workload *workload)
{
    JET_ERR err;
    struct workload_row rows[WORKLOAD_IDS];
    struct workload_transaction transaction = workload_next(workload, rows);
    WORKLOAD_TRY(JetBeginTransaction(engine->session));
    for (uint32_t i = 0; i < transaction.count; i++)
        WORKLOAD_TRY(workload_step(engine, &transaction.steps[i]));
    if (transaction.rolls_back)
        WORKLOAD_TRY(JetRollback(engine->session, 0));
    else
        WORKLOAD_TRY(JetCommitTransaction(engine->session, engine->lazy ? JET_bitCommitLazyFlush : 0));
    memcpy(workload->rows, rows, sizeof rows);
    workload->done++;
    return JET_errSuccess;
}

static inline JET_ERR workload_retrieve(struct workload_engine *engine, JET_COLUMNID column, void *value,
                                        uint32_t size, uint32_t *actual)
{
    JET_ERR err;
    unsigned int got = 0;
    WORKLOAD_TRY(
        JetRetrieveColumn(engine->session, engine->table, column, value, size, (void *)&got, 0, NULL));
    *actual = got;
    return err;
}

/* True if the table holds exactly the rows of the model; else `why` says what is different first. Walks by
 * both indexes. */
static inline bool workload_matches(struct workload_engine *engine, const struct workload *workload,
                                    char *why, size_t size)
{
    static uint8_t bytes[WORKLOAD_BYTES_MAX];
    static uint8_t expected[WORKLOAD_BYTES_MAX];
    uint32_t count = 0;
    uint32_t wanted = 0;
    int32_t before = -1;
    for (uint32_t i = 0; i < WORKLOAD_IDS; i++)
        wanted += workload->rows[i].exists;
    for (int by_tag = 0; by_tag < 2; by_tag++) {
        count = 0;
        before = -1;
        JET_ERR err = JetSetCurrentIndexA(engine->session, engine->table, by_tag ? "tag" : NULL);
        if (err == JET_errSuccess)
            err = JetMove(engine->session, engine->table, (int32_t)JET_MoveFirst, 0);
        while (err == JET_errSuccess) {
            int32_t id = -1;
            int32_t tag = -1;
            uint32_t got = 0;
            err = workload_retrieve(engine, engine->id, &id, sizeof id, &got);
            if (err == JET_errSuccess)
                err = workload_retrieve(engine, engine->tag, &tag, sizeof tag, &got);
            if (err != JET_errSuccess)
                break;
            if ((by_tag ? tag : id) < before + !by_tag) {
                snprintf(why, size, "row %d: tag %d out of order", id, tag);
                return false;
            }
            before = by_tag ? tag : id;
            id -= engine->base;
            if (id < 0 || (uint32_t)id >= WORKLOAD_IDS) {
                err = JetMove(engine->session, engine->table, JET_MoveNext, 0);
                continue;
            }
            err = workload_retrieve(engine, engine->data, bytes, sizeof bytes, &got);
            if (err != JET_errSuccess)
                break;
            if (!workload->rows[id].exists) {
                snprintf(why, size, "row %d should not be there (%u transactions)", id, workload->done);
                return false;
            }
            const struct workload_row *row = &workload->rows[id];
            workload_fill(expected, row->size, row->seed);
            if (got != row->size || memcmp(bytes, expected, got) != 0) {
                snprintf(why, size, "row %d holds other data: %u bytes for %u (%u transactions)", id, got,
                         row->size, workload->done);
                return false;
            }
            if (tag != (int32_t)(row->seed % 50)) {
                snprintf(why, size, "row %d: tag %d", id, tag);
                return false;
            }
            count++;
            err = JetMove(engine->session, engine->table, JET_MoveNext, 0);
        }
        if (err != JET_errNoCurrentRecord) {
            snprintf(why, size, "reading failed: %d", err);
            return false;
        }
        if (count != wanted) {
            snprintf(why, size, "%u rows by %s, %u expected (%u transactions)", count, by_tag ? "tag" : "id",
                     wanted, workload->done);
            return false;
        }
    }
    return true;
}

#endif
