#if !defined(_GNU_SOURCE)
#define _GNU_SOURCE 1
#endif

/* Composite calls that write: tables of rows, files streamed, whole backups. */
#include <sanitizer/asan_interface.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz/runner/run.h"

#define STREAM_CHUNK_MAX ((uint64_t)64 * 1024 * 1024)
#define LIST_BUFFER 65536u
#define STREAM_BUFFER_KEPT ((size_t)1 << 20)

static JET_ERR add_column(uint64_t session, uint64_t table, const char *name, uint32_t type)
{
    JET_COLUMNDEF column = {.cbStruct = sizeof column, .coltyp = type};
    JET_COLUMNID id;
    return JetAddColumnA(session, table, name, &column, NULL, 0, &id);
}

static JET_ERR call_table(struct call *call)
{
    uint64_t session = arg_handle(call);
    uint32_t database = arg_database(call);
    struct slot slot = arg_slot(call);
    const char *name = arg_text(call);
    if (call->bad)
        return JET_errSuccess;
    JET_TABLEID table = NIL_HANDLE;
    JET_ERR err = JetBeginTransaction(session);
    if (err < JET_errSuccess)
        return err;
    static const char key[] = "+id\0";
    err = JetCreateTableA(session, database, name, 0, 80, &table);
    if (err >= JET_errSuccess)
        err = add_column(session, table, "id", JET_coltypLong);
    if (err >= JET_errSuccess)
        err = add_column(session, table, "data", JET_coltypLongBinary);
    if (err >= JET_errSuccess)
        err = JetCreateIndexA(session, table, "pk", JET_bitIndexPrimary, key, sizeof key, 80);
    if (err >= JET_errSuccess)
        err = JetCommitTransaction(session, 0);
    if (err >= JET_errSuccess)
        run_slot_set(call, slot, table);
    else
        JetRollback(session, 0);
    return err;
}

/* --- rows of such tables */

struct rows {
    uint64_t session;
    uint64_t table;
    int32_t from;
    uint32_t count;
    uint32_t size;
    uint32_t seed;
    int64_t per_transaction; /* -1: one for all; 0: the caller's */
    JET_GRBIT grbit;         /* of the commit */
    JET_COLUMNID id_column;
    JET_COLUMNID data_column;
    unsigned char *buffer;
    uint32_t done;
    uint32_t kept; /* what stays when the rest fails */
};

static bool parse_rows(struct call *call, struct rows *rows, bool has_size)
{
    rows->session = arg_handle(call);
    rows->table = arg_handle(call);
    rows->from = (int32_t)arg_number(call, "first id");
    uint64_t count = arg_number(call, "count");
    uint64_t size = has_size ? arg_number(call, "size") : 0;
    rows->grbit = (JET_GRBIT)arg_number_or(call, 0);
    rows->seed = (uint32_t)option_number(call, "seed", 0);
    rows->per_transaction = option_text(call, "txn") == NULL ? -1 : (int64_t)option_number(call, "txn", 0);
    if (count > 1000000 || size > VALUE_BYTES_MAX)
        run_bad(call, "too many rows or too large ones");
    rows->count = (uint32_t)count;
    rows->size = (uint32_t)size;
    return !call->bad;
}

static JET_ERR find_columns(struct rows *rows)
{
    JET_COLUMNDEF column = {.cbStruct = sizeof column};
    JET_ERR err =
        JetGetTableColumnInfoA(rows->session, rows->table, "id", &column, sizeof column, JET_ColInfo);
    rows->id_column = column.columnid;
    if (err >= JET_errSuccess)
        err = JetGetTableColumnInfoA(rows->session, rows->table, "data", &column, sizeof column, JET_ColInfo);
    rows->data_column = column.columnid;
    return err;
}

static JET_ERR set_data(struct rows *rows, int32_t id)
{
    value_generate(rows->buffer, rows->size, (uint32_t)id * 2654435761u + rows->seed);
    return JetSetColumn(rows->session, rows->table, rows->data_column, rows->buffer, rows->size, 0, NULL);
}

static JET_ERR seek_row(uint64_t session, uint64_t table, int32_t id)
{
    JET_ERR err = JetMakeKey(session, table, &id, sizeof id, JET_bitNewKey);
    return err < JET_errSuccess ? err : JetSeek(session, table, JET_bitSeekEQ);
}

/* After a failure inside an update, the update is called off; the first error counts. */
static JET_ERR finish_update(struct rows *rows, JET_ERR err)
{
    if (err >= JET_errSuccess)
        err = JetUpdate(rows->session, rows->table, NULL, 0, NULL);
    if (err < JET_errSuccess)
        JetPrepareUpdate(rows->session, rows->table, JET_prepCancel);
    return err;
}

static JET_ERR insert_row(struct rows *rows, int32_t id)
{
    JET_ERR err = JetPrepareUpdate(rows->session, rows->table, JET_prepInsert);
    if (err < JET_errSuccess)
        return err;
    err = JetSetColumn(rows->session, rows->table, rows->id_column, &id, sizeof id, 0, NULL);
    if (err >= JET_errSuccess)
        err = set_data(rows, id);
    return finish_update(rows, err);
}

static JET_ERR replace_row(struct rows *rows, int32_t id)
{
    JET_ERR err = seek_row(rows->session, rows->table, id);
    if (err >= JET_errSuccess)
        err = JetPrepareUpdate(rows->session, rows->table, JET_prepReplace);
    return err < JET_errSuccess ? err : finish_update(rows, set_data(rows, id));
}

static JET_ERR delete_row(struct rows *rows, int32_t id)
{
    JET_ERR err = seek_row(rows->session, rows->table, id);
    return err < JET_errSuccess ? err : JetDelete(rows->session, rows->table);
}

/* Commits after each per_transaction rows, lazily but for the last. */
static JET_ERR commit_rows(struct rows *rows, bool last)
{
    JET_ERR err = JetCommitTransaction(rows->session, last ? rows->grbit : JET_bitCommitLazyFlush);
    if (err >= JET_errSuccess)
        rows->kept = rows->done;
    return err;
}

/* All rows, in transactions of per_transaction rows. */
static JET_ERR each_row(struct rows *rows, JET_ERR (*function)(struct rows *, int32_t))
{
    bool own = rows->per_transaction != 0;
    bool open = false;
    JET_ERR err = JET_errSuccess;
    for (uint32_t i = 0; i < rows->count && err >= JET_errSuccess; i++) {
        if (own && !open) {
            err = JetBeginTransaction(rows->session);
            open = err >= JET_errSuccess;
        }
        if (err >= JET_errSuccess)
            err = function(rows, (int32_t)((uint32_t)rows->from + i));
        if (err >= JET_errSuccess)
            rows->done++;
        bool last = i + 1 == rows->count;
        if (err >= JET_errSuccess && open &&
            (last || (rows->per_transaction > 0 && rows->done % rows->per_transaction == 0))) {
            err = commit_rows(rows, last);
            open = err < JET_errSuccess;
        }
    }
    if (open)
        JetRollback(rows->session, 0);
    if (err >= JET_errSuccess)
        rows->kept = rows->done;
    return err;
}

static JET_ERR run_rows(struct call *call, bool has_size, JET_ERR (*function)(struct rows *, int32_t))
{
    struct rows rows = {0};
    if (!parse_rows(call, &rows, has_size))
        return JET_errSuccess;
    rows.buffer = malloc(rows.size > 0 ? rows.size : 1);
    if (rows.buffer == NULL)
        abort();
    JET_ERR err = find_columns(&rows);
    if (err >= JET_errSuccess)
        err = each_row(&rows, function);
    free(rows.buffer);
    run_fact(call, "rows=%u", rows.kept);
    return err;
}

static JET_ERR call_insert(struct call *call)
{
    return run_rows(call, true, insert_row);
}

static JET_ERR call_replace(struct call *call)
{
    return run_rows(call, true, replace_row);
}

static JET_ERR call_delete_rows(struct call *call)
{
    return run_rows(call, false, delete_row);
}

static JET_ERR call_seek_row(struct call *call)
{
    struct rows rows = {0};
    rows.session = arg_handle(call);
    rows.table = arg_handle(call);
    rows.from = (int32_t)arg_number(call, "id");
    if (call->bad)
        return JET_errSuccess;
    JET_ERR err = find_columns(&rows);
    if (err >= JET_errSuccess)
        err = seek_row(rows.session, rows.table, rows.from);
    uint32_t size = 0;
    if (err >= JET_errSuccess)
        err = JetRetrieveColumn(rows.session, rows.table, rows.data_column, NULL, 0, &size, 0, NULL);
    if (err < JET_errSuccess)
        return err;
    unsigned char *data = malloc(size > 0 ? size : 1);
    if (data == NULL)
        abort();
    uint32_t actual = 0;
    err = JetRetrieveColumn(rows.session, rows.table, rows.data_column, data, size, &actual, 0, NULL);
    if (err >= JET_errSuccess) {
        run_fact(call, "cb=%u", actual);
        run_fact(call, "fnv=%08x", fnv_add(FNV_START, data, actual < size ? actual : size));
    }
    free(data);
    return err == JET_wrnColumnNull ? JET_errSuccess : err;
}

/* Row s t "a" VALUE ...: one record inserted. */
static JET_ERR set_row_columns(struct call *call, uint64_t session, uint64_t table)
{
    while (!call->bad && arg_peek(call) != NULL) {
        struct column column;
        JET_ERR err = run_column_find(call, session, table, arg_next(call), &column);
        if (call->bad || err < JET_errSuccess)
            return err;
        const struct program_token *token = arg_next(call);
        struct value value;
        if (token == NULL || !value_parse(&call->arena, token, column.type, &value)) {
            run_bad(call, "a value is missing");
            return JET_errSuccess;
        }
        JET_SETINFO info = {.cbStruct = sizeof info, .itagSequence = column.id >= 256 ? 0 : 1};
        JET_GRBIT grbit = value.is_zero ? JET_bitSetZeroLength : 0;
        err = JetSetColumn(session, table, column.id, value.is_null ? NULL : value.bytes, value.size, grbit,
                           &info);
        if (err < JET_errSuccess)
            return err;
    }
    return JET_errSuccess;
}

static JET_ERR call_row(struct call *call)
{
    uint64_t session = arg_handle(call);
    uint64_t table = arg_handle(call);
    if (call->bad)
        return JET_errSuccess;
    JET_ERR err = JetPrepareUpdate(session, table, JET_prepInsert);
    if (err < JET_errSuccess)
        return err;
    err = set_row_columns(call, session, table);
    if (err >= JET_errSuccess && !call->bad)
        err = JetUpdate(session, table, NULL, 0, NULL);
    if (err < JET_errSuccess || call->bad)
        JetPrepareUpdate(session, table, JET_prepCancel);
    return err;
}

/* --- streaming */

/* The buffer of one streamed file, kept for the next if it is not large: pages that the operating system must
 * clear are a good part of a backup's time. To AddressSanitizer it ends where the chunk ends. */
struct stream_buffer {
    uint8_t *bytes;
    size_t capacity;
    size_t open; /* bytes that may be touched; the others are poisoned */
};

/* Between calls nobody has it, so it is no part of the state that images of the world put back (fuzz/target):
 * neither the variable, by its section, nor the memory, which is always the C library's. */
static _Atomic(struct stream_buffer *) spare_buffer __attribute__((section(".kept")));

static void stream_buffer_free(struct stream_buffer *buffer)
{
    if (buffer == NULL)
        return;
    ASAN_UNPOISON_MEMORY_REGION(buffer->bytes, buffer->capacity);
    free(buffer->bytes);
    free(buffer);
}

static struct stream_buffer *stream_buffer_take(size_t size)
{
    struct stream_buffer *buffer = size <= STREAM_BUFFER_KEPT ? atomic_exchange(&spare_buffer, NULL) : NULL;
    if (buffer == NULL) {
        buffer = aligned_alloc(_Alignof(struct stream_buffer), sizeof *buffer);
        if (buffer == NULL)
            abort();
        buffer->capacity = size <= STREAM_BUFFER_KEPT ? STREAM_BUFFER_KEPT : size;
        buffer->bytes = aligned_alloc(4096, (buffer->capacity + 4095) / 4096 * 4096);
        if (buffer->bytes == NULL)
            abort();
        buffer->open = buffer->capacity;
    }
    if (size > buffer->open)
        ASAN_UNPOISON_MEMORY_REGION(buffer->bytes, size);
    else
        ASAN_POISON_MEMORY_REGION(buffer->bytes + size, buffer->open - size);
    buffer->open = size;
    return buffer;
}

static void stream_buffer_give(struct stream_buffer *buffer)
{
    if (buffer->capacity == STREAM_BUFFER_KEPT)
        buffer = atomic_exchange(&spare_buffer, buffer);
    stream_buffer_free(buffer);
}

static JET_ERR read_to_end(uint64_t instance, uint64_t file, const char *target, uint32_t chunk,
                           uint32_t *calls, uint64_t *bytes)
{
    struct stream_buffer *kept = stream_buffer_take(chunk);
    void *buffer = kept->bytes;
    JET_ERR err;
    uint32_t actual;
    do {
        actual = 0;
        err = JetReadFileInstance(instance, file, buffer, chunk, &actual);
        if (err < JET_errSuccess)
            break;
        ++*calls;
        if (actual > 0 && target[0] != '\0')
            err = EsentHostFileWrite(target, *bytes, buffer, actual);
        *bytes += actual;
    } while (err >= JET_errSuccess && actual > 0);
    stream_buffer_give(kept);
    return err;
}

JET_ERR run_stream_file(struct call *call, uint64_t instance, const char *source, const char *target,
                        uint32_t chunk, uint32_t *calls, uint64_t *bytes, uint64_t *announced)
{
    (void)call;
    *calls = 0;
    *bytes = 0;
    JET_HANDLE file = NIL_HANDLE;
    uint32_t low = 0;
    uint32_t high = 0;
    JET_ERR err = JetOpenFileInstanceA(instance, source, &file, &low, &high);
    if (err < JET_errSuccess)
        return err;
    *announced = (uint64_t)high << 32 | low;
    if (target[0] != '\0') {
        EsentHostFileWrite(target, 0, "", 0);
        EsentHostFileSetSize(target, 0);
    }
    err = read_to_end(instance, file, target, chunk, calls, bytes);
    JET_ERR close_err = JetCloseFileInstance(instance, file);
    return err < JET_errSuccess ? err : close_err;
}

static JET_ERR call_stream_file(struct call *call)
{
    uint64_t instance = arg_handle(call);
    const char *source = arg_text(call);
    const char *target = arg_text(call);
    uint64_t chunk = arg_number(call, "chunk");
    if (chunk > STREAM_CHUNK_MAX)
        run_bad(call, "the chunk is too large");
    if (call->bad)
        return JET_errSuccess;
    uint32_t calls;
    uint64_t bytes;
    uint64_t announced = 0;
    JET_ERR err = run_stream_file(call, instance, source, target == NULL ? "" : target, (uint32_t)chunk,
                                  &calls, &bytes, &announced);
    if (err >= JET_errSuccess)
        run_fact(call, "whole=%d", bytes == announced ? 1 : 0);
    run_bar(call);
    run_fact(call, "calls=%u", calls);
    run_fact(call, "bytes=%llu", (unsigned long long)bytes);
    return err;
}

static const char *base_name(const char *path)
{
    const char *base = path;
    for (const char *c = path; *c != '\0'; c++) {
        if (*c == '/' || *c == '\\')
            base = c + 1;
    }
    return base;
}

/* Streams every file of a double-NUL list into `directory`. */
static JET_ERR stream_list(struct call *call, uint64_t instance, const char *list, const char *directory,
                           uint32_t chunk, uint32_t *count)
{
    *count = 0;
    JET_ERR err = JET_errSuccess;
    for (const char *item = list; *item != '\0' && err >= JET_errSuccess; item += strlen(item) + 1) {
        const char *target = arena_format(&call->arena, "%s/%s", directory, base_name(item));
        uint32_t calls;
        uint64_t bytes;
        uint64_t announced;
        err = run_stream_file(call, instance, item, target, chunk, &calls, &bytes, &announced);
        if (err >= JET_errSuccess)
            ++*count;
    }
    return err;
}

struct full_backup {
    uint64_t instance;
    const char *directory;
    uint32_t chunk;
    JET_GRBIT grbit;
    bool truncate;
    const char *step; /* where it failed */
    uint32_t databases, logs;
};

static JET_ERR full_backup_steps(struct call *call, struct full_backup *backup, char *list)
{
    uint32_t actual = 0;
    JET_ERR err;
    if ((backup->grbit & JET_bitBackupIncremental) == 0) {
        backup->step = "GetAttachInfo";
        err = JetGetAttachInfoInstanceA(backup->instance, list, LIST_BUFFER, &actual);
        if (err < JET_errSuccess)
            return err;
        backup->step = "Database";
        err = stream_list(call, backup->instance, list, backup->directory, backup->chunk, &backup->databases);
        if (err < JET_errSuccess)
            return err;
    }
    backup->step = "GetLogInfo";
    err = JetGetLogInfoInstanceA(backup->instance, list, LIST_BUFFER, &actual);
    if (err < JET_errSuccess)
        return err;
    backup->step = "Log";
    err = stream_list(call, backup->instance, list, backup->directory, backup->chunk, &backup->logs);
    if (err < JET_errSuccess)
        return err;
    backup->step = "Truncate";
    return backup->truncate ? JetTruncateLogInstance(backup->instance) : JET_errSuccess;
}

static JET_ERR full_backup(struct call *call, struct full_backup *backup)
{
    EsentHostDirectoryCreate(backup->directory);
    backup->step = "Begin";
    JET_ERR err = JetBeginExternalBackupInstance(backup->instance, backup->grbit);
    if (err < JET_errSuccess)
        return err;
    char *list = calloc(1, LIST_BUFFER);
    if (list == NULL)
        abort();
    err = full_backup_steps(call, backup, list);
    free(list);
    if (err < JET_errSuccess) {
        JetEndExternalBackupInstance2(backup->instance, JET_bitBackupEndAbort);
        return err;
    }
    backup->step = "End";
    const char *end = option_text(call, "end");
    if (end == NULL)
        return JetEndExternalBackupInstance(backup->instance);
    return JetEndExternalBackupInstance2(backup->instance, (JET_GRBIT)option_number(call, "end", 0));
}

static JET_ERR call_full_backup(struct call *call)
{
    struct full_backup backup = {0};
    backup.instance = arg_handle(call);
    backup.directory = arg_text(call);
    uint64_t chunk = arg_number(call, "chunk");
    backup.grbit = (JET_GRBIT)arg_number_or(call, 0);
    backup.truncate = option_number(call, "truncate", 1) != 0;
    option_number(call, "end", 0);
    if (backup.directory == NULL || chunk > STREAM_CHUNK_MAX)
        run_bad(call, "a directory and a chunk of at most 64 MB are needed");
    if (call->bad)
        return JET_errSuccess;
    backup.chunk = (uint32_t)chunk;
    JET_ERR err = full_backup(call, &backup);
    if (err < JET_errSuccess) {
        run_fact(call, "step=%s", backup.step);
        return err;
    }
    run_fact(call, "databases=%u", backup.databases);
    run_bar(call);
    run_fact(call, "logs=%u", backup.logs);
    return err;
}

const struct call_entry run_composite_calls[] = {
    {"Table", call_table},
    {"Insert", call_insert},
    {"Replace", call_replace},
    {"DeleteRows", call_delete_rows},
    {"SeekRow", call_seek_row},
    {"Row", call_row},
    {"StreamFile", call_stream_file},
    {"FullBackup", call_full_backup},
    {NULL, NULL},
};
