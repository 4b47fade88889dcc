#if !defined(_GNU_SOURCE)
#define _GNU_SOURCE 1
#endif

/* Transactions, moving, seeking, keys, ranges, bookmarks. */
#include <stdlib.h>
#include <string.h>

#include "fuzz/runner/run.h"

#define KEY_BUFFER 8192u

static JET_ERR call_begin_transaction(struct call *call)
{
    uint64_t session = arg_handle(call);
    return call->bad ? JET_errSuccess : JetBeginTransaction(session);
}

static JET_ERR call_begin_transaction2(struct call *call)
{
    uint64_t session = arg_handle(call);
    uint64_t grbit = arg_number_or(call, 0);
    return call->bad ? JET_errSuccess : JetBeginTransaction2(session, (JET_GRBIT)grbit);
}

static JET_ERR call_begin_transaction3(struct call *call)
{
    uint64_t session = arg_handle(call);
    uint64_t id = arg_number(call, "transaction id");
    uint64_t grbit = arg_number_or(call, 0);
    return call->bad ? JET_errSuccess : JetBeginTransaction3(session, (int64_t)id, (JET_GRBIT)grbit);
}

static JET_ERR call_commit(struct call *call)
{
    uint64_t session = arg_handle(call);
    uint64_t grbit = arg_number_or(call, 0);
    return call->bad ? JET_errSuccess : JetCommitTransaction(session, (JET_GRBIT)grbit);
}

static JET_ERR call_commit2(struct call *call)
{
    uint64_t session = arg_handle(call);
    uint64_t grbit = arg_number_or(call, 0);
    uint64_t milliseconds = arg_number_or(call, 0);
    if (call->bad)
        return JET_errSuccess;
    JET_COMMIT_ID id;
    memset(&id, 0, sizeof id);
    return JetCommitTransaction2(session, (JET_GRBIT)grbit, (uint32_t)milliseconds, &id);
}

static JET_ERR call_rollback(struct call *call)
{
    uint64_t session = arg_handle(call);
    uint64_t grbit = arg_number_or(call, 0);
    return call->bad ? JET_errSuccess : JetRollback(session, (JET_GRBIT)grbit);
}

static JET_ERR call_move(struct call *call)
{
    uint64_t session = arg_handle(call);
    uint64_t table = arg_handle(call);
    /* The name stands for a flag of other calls as well. */
    const struct program_token *token = arg_peek(call);
    bool first = token != NULL && strcmp(token->word, "MoveFirst") == 0;
    uint64_t distance = arg_number(call, "distance");
    if (first)
        distance = (uint32_t)MOVE_FIRST;
    uint64_t grbit = arg_number_or(call, 0);
    return call->bad ? JET_errSuccess : JetMove(session, table, (int32_t)distance, (JET_GRBIT)grbit);
}

static JET_ERR call_seek(struct call *call)
{
    uint64_t session = arg_handle(call);
    uint64_t table = arg_handle(call);
    uint64_t grbit = arg_number(call, "grbit");
    return call->bad ? JET_errSuccess : JetSeek(session, table, (JET_GRBIT)grbit);
}

static JET_ERR call_make_key(struct call *call)
{
    uint64_t session = arg_handle(call);
    uint64_t table = arg_handle(call);
    const struct program_token *token = arg_next(call);
    uint64_t grbit = arg_number_or(call, 0);
    uint32_t type = JET_coltypNil;
    const char *type_name = option_text(call, "type");
    if (type_name != NULL && !name_column_type(type_name, &type))
        run_bad(call, "type=%.40s is not a column type", type_name);
    struct value value;
    if (token == NULL || !value_parse(&call->arena, token, type, &value))
        run_bad(call, "a value is missing");
    if (call->bad)
        return JET_errSuccess;
    if (value.is_zero)
        grbit |= JET_bitKeyDataZeroLength;
    return JetMakeKey(session, table, value.is_null ? NULL : value.bytes, value.size, (JET_GRBIT)grbit);
}

/* A buffer of exactly cbMax bytes when the program asks for it, else a large one. */
static void *result_buffer(struct call *call, uint32_t *size, uint32_t otherwise)
{
    uint64_t wanted = option_number(call, "cbMax", otherwise);
    if (wanted > VALUE_BYTES_MAX)
        run_bad(call, "cbMax= is too large");
    void *buffer = call->bad ? NULL : malloc(wanted > 0 ? (size_t)wanted : 1);
    if (buffer == NULL)
        run_bad(call, "no memory for the buffer");
    *size = (uint32_t)wanted;
    return buffer;
}

static JET_ERR call_retrieve_key(struct call *call)
{
    uint64_t session = arg_handle(call);
    uint64_t table = arg_handle(call);
    uint64_t grbit = arg_number_or(call, 0);
    uint32_t size = 0;
    void *buffer = result_buffer(call, &size, KEY_BUFFER);
    uint32_t actual = 0;
    JET_ERR err = JET_errSuccess;
    if (!call->bad) {
        err = JetRetrieveKey(session, table, buffer, size, &actual, (JET_GRBIT)grbit);
        if (err >= JET_errSuccess)
            value_print_fact(&call->out, "v", buffer, actual < size ? actual : size, actual, JET_coltypNil,
                             0);
    }
    free(buffer);
    return err;
}

static JET_ERR call_set_index_range(struct call *call)
{
    uint64_t session = arg_handle(call);
    uint64_t table = arg_handle(call);
    uint64_t grbit = arg_number(call, "grbit");
    return call->bad ? JET_errSuccess : JetSetIndexRange(session, table, (JET_GRBIT)grbit);
}

static JET_ERR call_index_record_count(struct call *call)
{
    uint64_t session = arg_handle(call);
    uint64_t table = arg_handle(call);
    uint64_t most = arg_number(call, "maximum");
    if (call->bad)
        return JET_errSuccess;
    uint32_t count = 0;
    JET_ERR err = JetIndexRecordCount(session, table, &count, (uint32_t)most);
    if (err >= JET_errSuccess)
        run_fact(call, "n=%u", count);
    return err;
}

static JET_ERR call_index_record_count2(struct call *call)
{
    uint64_t session = arg_handle(call);
    uint64_t table = arg_handle(call);
    uint64_t most = arg_number(call, "maximum");
    if (call->bad)
        return JET_errSuccess;
    uint64_t count = 0;
    JET_ERR err = JetIndexRecordCount2(session, table, &count, most);
    if (err >= JET_errSuccess)
        run_fact(call, "n=%llu", (unsigned long long)count);
    return err;
}

static JET_ERR call_get_bookmark(struct call *call)
{
    uint64_t session = arg_handle(call);
    uint64_t table = arg_handle(call);
    struct slot slot = arg_slot(call);
    uint32_t size = 0;
    void *buffer = result_buffer(call, &size, BOOKMARK_MAX);
    uint32_t actual = 0;
    JET_ERR err = JET_errSuccess;
    if (!call->bad) {
        err = JetGetBookmark(session, table, buffer, size, &actual);
        if (err >= JET_errSuccess) {
            run_fact(call, "cb=%u", actual);
            run_bookmark_set(call, slot, buffer, actual < size ? actual : size);
        }
    }
    free(buffer);
    return err;
}

/* Bytes of a bookmark for the API, which takes them without const. */
static void *bookmark_bytes(struct call *call, const struct bookmark *bookmark, uint32_t *size)
{
    *size = bookmark == NULL ? 0 : bookmark->size;
    return arena_copy(&call->arena, bookmark == NULL ? (const void *)"" : bookmark->bytes, *size);
}

static JET_ERR call_goto_bookmark(struct call *call)
{
    uint64_t session = arg_handle(call);
    uint64_t table = arg_handle(call);
    struct slot slot = arg_slot(call);
    if (call->bad)
        return JET_errSuccess;
    uint32_t size;
    void *bytes = slot.is_null ? NULL : bookmark_bytes(call, run_bookmark_get(call, slot), &size);
    return JetGotoBookmark(session, table, bytes, bytes == NULL ? 0 : size);
}

static JET_ERR call_get_secondary_bookmark(struct call *call)
{
    uint64_t session = arg_handle(call);
    uint64_t table = arg_handle(call);
    struct slot key_slot = arg_slot(call);
    struct slot bookmark_slot = arg_slot(call);
    uint64_t grbit = arg_number_or(call, 0);
    if (call->bad)
        return JET_errSuccess;
    unsigned char key[BOOKMARK_MAX];
    unsigned char bookmark[BOOKMARK_MAX];
    uint32_t key_size = 0;
    uint32_t size = 0;
    JET_ERR err = JetGetSecondaryIndexBookmark(session, table, key, sizeof key, &key_size, bookmark,
                                               sizeof bookmark, &size, (JET_GRBIT)grbit);
    if (err >= JET_errSuccess) {
        run_fact(call, "key=%u", key_size);
        run_fact(call, "cb=%u", size);
        run_bookmark_set(call, key_slot, key, key_size);
        run_bookmark_set(call, bookmark_slot, bookmark, size);
    }
    return err;
}

static JET_ERR call_goto_secondary_bookmark(struct call *call)
{
    uint64_t session = arg_handle(call);
    uint64_t table = arg_handle(call);
    struct slot key_slot = arg_slot(call);
    struct slot bookmark_slot = arg_slot(call);
    uint64_t grbit = arg_number_or(call, 0);
    if (call->bad)
        return JET_errSuccess;
    uint32_t key_size;
    uint32_t size;
    void *key = bookmark_bytes(call, run_bookmark_get(call, key_slot), &key_size);
    void *bookmark = bookmark_bytes(call, run_bookmark_get(call, bookmark_slot), &size);
    return JetGotoSecondaryIndexBookmark(session, table, key, key_size, bookmark, size, (JET_GRBIT)grbit);
}

static JET_ERR call_get_record_position(struct call *call)
{
    uint64_t session = arg_handle(call);
    uint64_t table = arg_handle(call);
    if (call->bad)
        return JET_errSuccess;
    JET_RECPOS position = {.cbStruct = sizeof position};
    JET_ERR err = JetGetRecordPosition(session, table, &position, sizeof position);
    if (err >= JET_errSuccess) {
        run_bar(call);
        run_fact(call, "below=%u", position.centriesLT);
        run_fact(call, "of=%u", position.centriesTotal);
    }
    return err;
}

static JET_ERR call_goto_position(struct call *call)
{
    uint64_t session = arg_handle(call);
    uint64_t table = arg_handle(call);
    JET_RECPOS position = {.cbStruct = sizeof position};
    position.centriesLT = (uint32_t)arg_number(call, "entries below");
    position.centriesTotal = (uint32_t)arg_number(call, "entries in all");
    position.centriesInRange = 1;
    return call->bad ? JET_errSuccess : JetGotoPosition(session, table, &position);
}

static JET_ERR call_set_current_index(struct call *call)
{
    uint64_t session = arg_handle(call);
    uint64_t table = arg_handle(call);
    const char *name = arg_text(call);
    return call->bad ? JET_errSuccess : JetSetCurrentIndexA(session, table, name);
}

static JET_ERR call_set_current_index2(struct call *call)
{
    uint64_t session = arg_handle(call);
    uint64_t table = arg_handle(call);
    const char *name = arg_text(call);
    uint64_t grbit = arg_number_or(call, 0);
    return call->bad ? JET_errSuccess : JetSetCurrentIndex2A(session, table, name, (JET_GRBIT)grbit);
}

static JET_ERR call_set_current_index3(struct call *call)
{
    uint64_t session = arg_handle(call);
    uint64_t table = arg_handle(call);
    const char *name = arg_text(call);
    uint64_t grbit = arg_number_or(call, 0);
    uint64_t sequence = arg_number_or(call, 1);
    return call->bad ? JET_errSuccess
                     : JetSetCurrentIndex3A(session, table, name, (JET_GRBIT)grbit, (uint32_t)sequence);
}

static JET_ERR call_set_current_index4(struct call *call)
{
    uint64_t session = arg_handle(call);
    uint64_t table = arg_handle(call);
    const char *name = arg_text(call);
    uint64_t grbit = arg_number_or(call, 0);
    uint64_t sequence = arg_number_or(call, 1);
    return call->bad ? JET_errSuccess
                     : JetSetCurrentIndex4A(session, table, name, NULL, (JET_GRBIT)grbit, (uint32_t)sequence);
}

static JET_ERR call_get_current_index(struct call *call)
{
    uint64_t session = arg_handle(call);
    uint64_t table = arg_handle(call);
    uint32_t size = 0;
    char *buffer = result_buffer(call, &size, 256);
    JET_ERR err = JET_errSuccess;
    if (!call->bad) {
        err = JetGetCurrentIndexA(session, table, buffer, size);
        if (err >= JET_errSuccess)
            run_fact_quoted(call, "", buffer, strnlen(buffer, size));
    }
    free(buffer);
    return err;
}

static JET_ERR call_get_cursor_info(struct call *call)
{
    uint64_t session = arg_handle(call);
    uint64_t table = arg_handle(call);
    return call->bad ? JET_errSuccess : JetGetCursorInfo(session, table, NULL, 0, 0);
}

static JET_ERR call_get_lock(struct call *call)
{
    uint64_t session = arg_handle(call);
    uint64_t table = arg_handle(call);
    uint64_t grbit = arg_number(call, "grbit");
    return call->bad ? JET_errSuccess : JetGetLock(session, table, (JET_GRBIT)grbit);
}

static JET_ERR call_set_ls(struct call *call)
{
    uint64_t session = arg_handle(call);
    uint64_t table = arg_handle(call);
    uint64_t value = arg_number(call, "value");
    uint64_t grbit = arg_number_or(call, 0);
    return call->bad ? JET_errSuccess : JetSetLS(session, table, value, (JET_GRBIT)grbit);
}

static JET_ERR call_get_ls(struct call *call)
{
    uint64_t session = arg_handle(call);
    uint64_t table = arg_handle(call);
    uint64_t grbit = arg_number_or(call, 0);
    if (call->bad)
        return JET_errSuccess;
    JET_LS value = 0;
    JET_ERR err = JetGetLS(session, table, &value, (JET_GRBIT)grbit);
    if (err >= JET_errSuccess)
        run_fact(call, "v=%lld", (long long)(int64_t)value);
    return err;
}

static JET_ERR call_intersect_indexes(struct call *call)
{
    uint64_t session = arg_handle(call);
    JET_INDEXRANGE ranges[16];
    uint32_t count = 0;
    while (!call->bad && arg_peek(call) != NULL && count < 16) {
        JET_TABLEID table = arg_handle(call);
        ranges[count] =
            (JET_INDEXRANGE){.cbStruct = sizeof ranges[0], .tableid = table, .grbit = JET_bitRecordInIndex};
        count++;
    }
    if (call->bad)
        return JET_errSuccess;
    JET_RECORDLIST list = {.cbStruct = sizeof list};
    JET_ERR err = JetIntersectIndexes(session, ranges, count, &list, 0);
    if (err >= JET_errSuccess) {
        run_fact(call, "n=%u", list.cRecord);
        JetCloseTable(session, list.tableid);
    }
    return err;
}

const struct call_entry run_cursor_calls[] = {
    {"BeginTransaction", call_begin_transaction},
    {"BeginTransaction2", call_begin_transaction2},
    {"BeginTransaction3", call_begin_transaction3},
    {"CommitTransaction", call_commit},
    {"CommitTransaction2", call_commit2},
    {"Rollback", call_rollback},
    {"Move", call_move},
    {"Seek", call_seek},
    {"MakeKey", call_make_key},
    {"RetrieveKey", call_retrieve_key},
    {"SetIndexRange", call_set_index_range},
    {"IndexRecordCount", call_index_record_count},
    {"IndexRecordCount2", call_index_record_count2},
    {"GetBookmark", call_get_bookmark},
    {"GotoBookmark", call_goto_bookmark},
    {"GetSecondaryIndexBookmark", call_get_secondary_bookmark},
    {"GotoSecondaryIndexBookmark", call_goto_secondary_bookmark},
    {"GetRecordPosition", call_get_record_position},
    {"GotoPosition", call_goto_position},
    {"SetCurrentIndex", call_set_current_index},
    {"SetCurrentIndex2", call_set_current_index2},
    {"SetCurrentIndex3", call_set_current_index3},
    {"SetCurrentIndex4", call_set_current_index4},
    {"GetCurrentIndex", call_get_current_index},
    {"GetCursorInfo", call_get_cursor_info},
    {"GetLock", call_get_lock},
    {"SetLS", call_set_ls},
    {"GetLS", call_get_ls},
    {"IntersectIndexes", call_intersect_indexes},
    {NULL, NULL},
};
