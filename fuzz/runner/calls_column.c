/* Updates, and column values in and out. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz/runner/run.h"

#define COLUMNS_MAX 64

JET_ERR run_column_find(struct call *call, uint64_t session, uint64_t table,
                        const struct program_token *token, struct column *column)
{
    *column = (struct column){.type = JET_coltypNil};
    JET_COLUMNDEF definition = {.cbStruct = sizeof definition};
    if (token == NULL) {
        run_bad(call, "a column is missing");
        return JET_errSuccess;
    }
    if (token->text != NULL && token->word[0] == '\0') {
        JET_ERR err =
            JetGetTableColumnInfoA(session, table, token->text, &definition, sizeof definition, JET_ColInfo);
        if (err >= JET_errSuccess)
            *column = (struct column){definition.columnid, definition.coltyp, definition.cp};
        return err;
    }
    uint64_t id = 0;
    char *end = NULL;
    if (token->text == NULL && strncmp(token->word, "col:", 4) == 0 && name_number(token->word + 4, &id)) {
        column->id = (JET_COLUMNID)id;
        if (id != 0 && JetGetTableColumnInfoA(session, table, (const char *)&column->id, &definition,
                                              sizeof definition, JET_ColInfoByColid) >= JET_errSuccess)
            *column = (struct column){(JET_COLUMNID)id, definition.coltyp, definition.cp};
        return JET_errSuccess;
    }
    unsigned long index = token->word[0] == 'c' ? strtoul(token->word + 1, &end, 10) : SLOTS_MAX;
    if (index >= SLOTS_MAX || end == token->word + 1 || *end != '\0') {
        run_bad(call, "\"%.40s\" is not a column", token->word);
        return JET_errSuccess;
    }
    pthread_mutex_lock(&call->run->lock);
    column->id = (JET_COLUMNID)call->run->handles[run_slot_kind('c')][index];
    pthread_mutex_unlock(&call->run->lock);
    return JET_errSuccess;
}

static JET_ERR call_prepare_update(struct call *call)
{
    uint64_t session = arg_handle(call);
    uint64_t table = arg_handle(call);
    uint64_t preparation = arg_number(call, "preparation");
    return call->bad ? JET_errSuccess : JetPrepareUpdate(session, table, (uint32_t)preparation);
}

static JET_ERR call_update(struct call *call)
{
    uint64_t session = arg_handle(call);
    uint64_t table = arg_handle(call);
    struct slot slot = {0};
    const struct program_token *token = arg_peek(call);
    bool wants_bookmark = token != NULL && token->text == NULL && token->word[0] == 'b' &&
                          token->word[1] >= '0' && token->word[1] <= '9';
    if (wants_bookmark)
        slot = arg_slot(call);
    bool has_grbit = arg_peek(call) != NULL;
    uint64_t grbit = arg_number_or(call, 0);
    unsigned char bookmark[BOOKMARK_MAX];
    uint32_t size = (uint32_t)option_number(call, "cbMax", sizeof bookmark);
    if (size > sizeof bookmark)
        size = sizeof bookmark;
    if (call->bad)
        return JET_errSuccess;
    uint32_t actual = 0;
    void *target = wants_bookmark ? bookmark : NULL;
    uint32_t room = wants_bookmark ? size : 0;
    const struct bookmark *old = wants_bookmark ? run_bookmark_get(call, slot) : NULL;
    if (old != NULL)
        memcpy(bookmark, old->bytes, old->size);
    JET_ERR err = has_grbit ? JetUpdate2(session, table, target, room, &actual, (JET_GRBIT)grbit)
                            : JetUpdate(session, table, target, room, &actual);
    if (err >= JET_errSuccess && wants_bookmark) {
        run_fact(call, "cb=%u", actual);
        run_bookmark_set(call, slot, bookmark, actual < size ? actual : size);
    } else if (old != NULL) {
        run_bookmark_set(call, slot, bookmark, old->size); /* a failed update may have written to it */
    }
    return err;
}

static JET_ERR call_delete(struct call *call)
{
    uint64_t session = arg_handle(call);
    uint64_t table = arg_handle(call);
    return call->bad ? JET_errSuccess : JetDelete(session, table);
}

static JET_ERR call_set_column(struct call *call)
{
    uint64_t session = arg_handle(call);
    uint64_t table = arg_handle(call);
    const struct program_token *name = arg_next(call);
    const struct program_token *token = arg_next(call);
    uint64_t grbit = arg_number_or(call, 0);
    JET_SETINFO info = {.cbStruct = sizeof info,
                        .ibLongValue = (uint32_t)option_number(call, "ib", 0),
                        .itagSequence = (uint32_t)option_number(call, "itag", 1)};
    bool has_info = option_text(call, "ib") != NULL || option_text(call, "itag") != NULL;
    if (call->bad)
        return JET_errSuccess;
    struct column column;
    JET_ERR err = run_column_find(call, session, table, name, &column);
    if (call->bad || err < JET_errSuccess)
        return err;
    struct value value;
    if (token == NULL || !value_parse(&call->arena, token, column.type, &value)) {
        run_bad(call, "a value is missing");
        return JET_errSuccess;
    }
    uint32_t size = (uint32_t)option_number(call, "cb", value.size);
    if (value.bytes != NULL && size > value.size) {
        run_bad(call, "cb= is beyond the value");
        return JET_errSuccess;
    }
    if (value.is_zero)
        grbit |= JET_bitSetZeroLength;
    return JetSetColumn(session, table, column.id, value.is_null ? NULL : value.bytes, size, (JET_GRBIT)grbit,
                        has_info ? &info : NULL);
}

/* A buffer of exactly cbMax bytes when the program asks for it, else this thread's large one. `allocated` is
 * to be freed. */
static void *value_buffer(struct call *call, uint32_t *size, void **allocated)
{
    *allocated = NULL;
    uint64_t wanted = option_number(call, "cbMax", VALUE_BUFFER);
    *size = (uint32_t)wanted;
    if (option_text(call, "cbMax") == NULL)
        return run_value_buffer();
    if (wanted > VALUE_BYTES_MAX)
        run_bad(call, "cbMax= is too large");
    else
        *allocated = malloc(wanted > 0 ? (size_t)wanted : 1);
    if (*allocated == NULL)
        run_bad(call, "no memory for the buffer");
    return *allocated;
}

static JET_ERR call_retrieve_column(struct call *call)
{
    uint64_t session = arg_handle(call);
    uint64_t table = arg_handle(call);
    const struct program_token *name = arg_next(call);
    JET_GRBIT grbit = (JET_GRBIT)arg_number_or(call, 0);
    JET_RETINFO info = {.cbStruct = sizeof info,
                        .ibLongValue = (uint32_t)option_number(call, "ib", 0),
                        .itagSequence = (uint32_t)option_number(call, "itag", 1)};
    uint32_t size;
    void *allocated;
    void *buffer = value_buffer(call, &size, &allocated);
    struct column column = {0};
    JET_ERR err = call->bad ? JET_errSuccess : run_column_find(call, session, table, name, &column);
    if (!call->bad && err >= JET_errSuccess) {
        bool no_buffer = option_is_null(call, "pv");
        uint32_t actual = 0;
        err = JetRetrieveColumn(session, table, column.id, no_buffer ? NULL : buffer, no_buffer ? 0 : size,
                                &actual, grbit, &info);
        if (err >= JET_errSuccess && (grbit & JET_bitRetrieveTag) != 0)
            run_fact(call, "itag=%u", info.itagSequence);
        if (err >= JET_errSuccess && column.id == 0)
            run_fact(call, "next=%u", info.columnidNextTagged);
        if (err >= JET_errSuccess && err != JET_wrnColumnNull) {
            if (no_buffer)
                run_fact(call, "cb=%u", actual);
            else
                value_print_fact(&call->out, "v", buffer, actual < size ? actual : size, actual, column.type,
                                 column.code_page);
        }
    }
    free(allocated);
    return err;
}

/* Finds the columns that the positional arguments from here on name (with a value after each if `pairs`). */
static JET_ERR find_columns(struct call *call, uint64_t session, uint64_t table, bool pairs,
                            struct column *columns, struct value *values, uint32_t *count)
{
    *count = 0;
    while (!call->bad && arg_peek(call) != NULL) {
        if (*count == COLUMNS_MAX) {
            run_bad(call, "more than %d columns", COLUMNS_MAX);
            break;
        }
        JET_ERR err = run_column_find(call, session, table, arg_next(call), &columns[*count]);
        if (err < JET_errSuccess)
            return err;
        if (pairs) {
            const struct program_token *token = arg_next(call);
            if (token == NULL || !value_parse(&call->arena, token, columns[*count].type, &values[*count]))
                run_bad(call, "a value is missing");
        }
        ++*count;
    }
    return JET_errSuccess;
}

static JET_ERR call_set_columns(struct call *call)
{
    uint64_t session = arg_handle(call);
    uint64_t table = arg_handle(call);
    struct column columns[COLUMNS_MAX];
    struct value values[COLUMNS_MAX];
    uint32_t count = 0;
    JET_ERR err =
        call->bad ? JET_errSuccess : find_columns(call, session, table, true, columns, values, &count);
    uint32_t itag = (uint32_t)option_number(call, "itag", 1);
    uint32_t start = (uint32_t)option_number(call, "ib", 0);
    uint32_t grbit = (uint32_t)option_number(call, "grbit", 0);
    if (call->bad || err < JET_errSuccess)
        return err;
    JET_SETCOLUMN set[COLUMNS_MAX];
    for (uint32_t i = 0; i < count; i++)
        set[i] = (JET_SETCOLUMN){.columnid = columns[i].id,
                                 .pvData = values[i].is_null ? NULL : values[i].bytes,
                                 .cbData = values[i].size,
                                 .grbit = values[i].is_zero ? grbit | JET_bitSetZeroLength : grbit,
                                 .ibLongValue = start,
                                 .itagSequence = itag};
    err = JetSetColumns(session, table, set, count);
    text_print(&call->out, " err=");
    for (uint32_t i = 0; i < count; i++)
        text_print(&call->out, "%s%d", i > 0 ? "," : "", set[i].err);
    return err;
}

static void print_retrieved(struct call *call, const JET_RETRIEVECOLUMN *retrieve,
                            const struct column *columns, uint32_t count)
{
    text_print(&call->out, " err=");
    for (uint32_t i = 0; i < count; i++)
        text_print(&call->out, "%s%d", i > 0 ? "," : "", retrieve[i].err);
    text_print(&call->out, " cbs=");
    for (uint32_t i = 0; i < count; i++)
        text_print(&call->out, "%s%u", i > 0 ? "," : "", retrieve[i].cbActual);
    text_print(&call->out, " v=");
    for (uint32_t i = 0; i < count; i++) {
        if (i > 0)
            text_print(&call->out, ",");
        uint32_t size = retrieve[i].cbActual < retrieve[i].cbData ? retrieve[i].cbActual : retrieve[i].cbData;
        if (retrieve[i].err == JET_wrnColumnNull || retrieve[i].err < JET_errSuccess)
            text_print(&call->out, "null");
        else
            value_print_short(&call->out, retrieve[i].pvData, size, columns[i].type, columns[i].code_page);
    }
}

static JET_ERR call_retrieve_columns(struct call *call)
{
    uint64_t session = arg_handle(call);
    uint64_t table = arg_handle(call);
    JET_GRBIT grbit = (JET_GRBIT)arg_number(call, "grbit");
    struct column columns[COLUMNS_MAX];
    uint32_t count = 0;
    JET_ERR err =
        call->bad ? JET_errSuccess : find_columns(call, session, table, false, columns, NULL, &count);
    uint64_t size = option_number(call, "cbMax", 65536);
    if (size > VALUE_BUFFER)
        run_bad(call, "cbMax= is too large");
    if (call->bad || err < JET_errSuccess)
        return err;
    JET_RETRIEVECOLUMN retrieve[COLUMNS_MAX];
    for (uint32_t i = 0; i < count; i++) {
        retrieve[i] = (JET_RETRIEVECOLUMN){.columnid = columns[i].id,
                                           .pvData = malloc(size > 0 ? (size_t)size : 1),
                                           .cbData = (uint32_t)size,
                                           .grbit = grbit,
                                           .ibLongValue = (uint32_t)option_number(call, "ib", 0),
                                           .itagSequence = (uint32_t)option_number(call, "itag", 1)};
        if (retrieve[i].pvData == NULL)
            abort();
    }
    err = JetRetrieveColumns(session, table, retrieve, count);
    if (err >= JET_errSuccess)
        print_retrieved(call, retrieve, columns, count);
    for (uint32_t i = 0; i < count; i++)
        free(retrieve[i].pvData);
    return err;
}

/* --- EnumerateColumns */

static void *JET_API enumerate_realloc(void *context, void *block, uint32_t size)
{
    (void)context;
    if (size == 0) {
        free(block);
        return NULL;
    }
    return realloc(block, size);
}

static void print_enumerated(struct call *call, const JET_ENUMCOLUMN *column)
{
    if (column->err == JET_wrnColumnSingleValue) {
        run_fact(call, "%u=cb:%u,%08x", column->columnid, column->cbData,
                 fnv_add(FNV_START, column->pvData, column->cbData));
        return;
    }
    /* Columns without a list of values (null, only present) have no value. */
    uint32_t count =
        column->err >= JET_errSuccess && column->rgEnumColumnValue != NULL ? column->cEnumColumnValue : 0;
    run_fact(call, "%u=err:%d,values:%u", column->columnid, column->err, count);
    for (uint32_t i = 0; i < count; i++) {
        const JET_ENUMCOLUMNVALUE *value = &column->rgEnumColumnValue[i];
        if (value->err == JET_errSuccess || value->pvData != NULL)
            run_fact(call, "%u.%u=cb:%u,%08x", column->columnid, value->itagSequence, value->cbData,
                     value->err != JET_errSuccess ? 0 : fnv_add(FNV_START, value->pvData, value->cbData));
        else
            run_fact(call, "%u.%u=err:%d", column->columnid, value->itagSequence, value->err);
    }
}

static void free_enumerated(JET_ENUMCOLUMN *columns, uint32_t count)
{
    for (uint32_t i = 0; columns != NULL && i < count; i++) {
        if (columns[i].err == JET_wrnColumnSingleValue) {
            free(columns[i].pvData);
            continue;
        }
        for (uint32_t v = 0; columns[i].rgEnumColumnValue != NULL && v < columns[i].cEnumColumnValue; v++)
            free(columns[i].rgEnumColumnValue[v].pvData);
        free(columns[i].rgEnumColumnValue);
    }
    free(columns);
}

static JET_ERR call_enumerate_columns(struct call *call)
{
    uint64_t session = arg_handle(call);
    uint64_t table = arg_handle(call);
    JET_GRBIT grbit = (JET_GRBIT)arg_number_or(call, 0);
    uint32_t most = (uint32_t)option_number(call, "cbMax", VALUE_BUFFER);
    if (call->bad)
        return JET_errSuccess;
    uint32_t count = 0;
    JET_ENUMCOLUMN *columns = NULL;
    JET_ERR err =
        JetEnumerateColumns(session, table, 0, NULL, &count, &columns, enumerate_realloc, NULL, most, grbit);
    if (err >= JET_errSuccess) {
        run_fact(call, "n=%u", count);
        for (uint32_t i = 0; i < count; i++)
            print_enumerated(call, &columns[i]);
        free_enumerated(columns, count);
    }
    return err;
}

static JET_ERR call_retrieve_tagged_column_list(struct call *call)
{
    uint64_t session = arg_handle(call);
    uint64_t table = arg_handle(call);
    JET_GRBIT grbit = (JET_GRBIT)arg_number_or(call, 0);
    uint64_t size = option_number(call, "cbMax", 65536);
    JET_COLUMNID from = (JET_COLUMNID)option_number(call, "from", 0);
    if (size > VALUE_BUFFER)
        run_bad(call, "cbMax= is too large");
    if (call->bad)
        return JET_errSuccess;
    JET_RETRIEVEMULTIVALUECOUNT *list = malloc(size > 0 ? (size_t)size : 1);
    if (list == NULL)
        abort();
    uint32_t count = 0;
    JET_ERR err = JetRetrieveTaggedColumnList(session, table, &count, list, (uint32_t)size, from, grbit);
    if (err >= JET_errSuccess) {
        run_fact(call, "n=%u", count);
        for (uint32_t i = 0; i < count && i < size / sizeof *list; i++)
            run_fact(call, "%u=%u:%u", list[i].columnid, list[i].cMultiValues, list[i].usFlags);
    }
    free(list);
    return err;
}

static JET_ERR call_get_record_size2(struct call *call)
{
    uint64_t session = arg_handle(call);
    uint64_t table = arg_handle(call);
    JET_GRBIT grbit = (JET_GRBIT)arg_number_or(call, 0);
    if (call->bad)
        return JET_errSuccess;
    JET_RECSIZE2 size;
    memset(&size, 0, sizeof size);
    JET_ERR err = JetGetRecordSize2(session, table, &size, grbit);
    if (err >= JET_errSuccess) {
        run_fact(call, "nontagged=%llu", (unsigned long long)size.cNonTaggedColumns);
        run_fact(call, "tagged=%llu", (unsigned long long)size.cTaggedColumns);
        run_fact(call, "multi=%llu", (unsigned long long)size.cMultiValues);
        run_bar(call);
        run_fact(call, "data=%llu", (unsigned long long)size.cbData);
        run_fact(call, "lvdata=%llu", (unsigned long long)size.cbLongValueData);
        run_fact(call, "lv=%llu", (unsigned long long)size.cLongValues);
        run_fact(call, "over=%llu", (unsigned long long)size.cbOverhead);
    }
    return err;
}

static JET_ERR call_get_record_size(struct call *call)
{
    uint64_t session = arg_handle(call);
    uint64_t table = arg_handle(call);
    JET_GRBIT grbit = (JET_GRBIT)arg_number_or(call, 0);
    if (call->bad)
        return JET_errSuccess;
    JET_RECSIZE size;
    memset(&size, 0, sizeof size);
    JET_ERR err = JetGetRecordSize(session, table, &size, grbit);
    if (err >= JET_errSuccess) {
        run_fact(call, "nontagged=%llu", (unsigned long long)size.cNonTaggedColumns);
        run_fact(call, "tagged=%llu", (unsigned long long)size.cTaggedColumns);
        run_fact(call, "multi=%llu", (unsigned long long)size.cMultiValues);
        run_bar(call);
        run_fact(call, "data=%llu", (unsigned long long)size.cbData);
    }
    return err;
}

static JET_ERR call_escrow_update(struct call *call)
{
    uint64_t session = arg_handle(call);
    uint64_t table = arg_handle(call);
    const struct program_token *name = arg_next(call);
    const struct program_token *token = arg_next(call);
    JET_GRBIT grbit = (JET_GRBIT)arg_number_or(call, 0);
    if (call->bad)
        return JET_errSuccess;
    struct column column;
    JET_ERR err = run_column_find(call, session, table, name, &column);
    if (call->bad || err < JET_errSuccess)
        return err;
    struct value value;
    if (token == NULL || !value_parse(&call->arena, token, column.type, &value)) {
        run_bad(call, "a value is missing");
        return JET_errSuccess;
    }
    unsigned char old[8] = {0};
    uint32_t old_size = 0;
    void *delta = value.is_null ? NULL : arena_copy(&call->arena, value.bytes, value.size);
    err = JetEscrowUpdate(session, table, column.id, delta, value.size, old, sizeof old, &old_size, grbit);
    if (err >= JET_errSuccess)
        value_print_fact(&call->out, "old", old, old_size <= sizeof old ? old_size : sizeof old, old_size,
                         column.type == JET_coltypNil ? JET_coltypLong : column.type, 0);
    return err;
}

static JET_ERR call_set_cursor_filter(struct call *call)
{
    uint64_t session = arg_handle(call);
    uint64_t table = arg_handle(call);
    JET_INDEX_COLUMN filters[16];
    uint32_t count = 0;
    JET_ERR err = JET_errSuccess;
    while (!call->bad && arg_peek(call) != NULL && count < 16) {
        struct column column;
        err = run_column_find(call, session, table, arg_next(call), &column);
        if (err < JET_errSuccess)
            return err;
        uint64_t relation = arg_number(call, "relation");
        const struct program_token *token = arg_next(call);
        struct value value = {0};
        if (token == NULL || !value_parse(&call->arena, token, column.type, &value))
            run_bad(call, "a value is missing");
        filters[count] =
            (JET_INDEX_COLUMN){.columnid = column.id,
                               .relop = (JET_RELOP)relation,
                               .pv = value.is_null ? NULL : arena_copy(&call->arena, value.bytes, value.size),
                               .cb = value.size,
                               .grbit = value.is_zero ? JET_bitZeroLength : 0};
        count++;
    }
    JET_GRBIT grbit = (JET_GRBIT)option_number(call, "grbit", 0);
    return call->bad ? JET_errSuccess
                     : JetSetCursorFilter(session, table, count > 0 ? filters : NULL, count, grbit);
}

const struct call_entry run_column_calls[] = {
    {"PrepareUpdate", call_prepare_update},
    {"Update", call_update},
    {"Delete", call_delete},
    {"SetColumn", call_set_column},
    {"SetColumns", call_set_columns},
    {"RetrieveColumn", call_retrieve_column},
    {"RetrieveColumns", call_retrieve_columns},
    {"EnumerateColumns", call_enumerate_columns},
    {"RetrieveTaggedColumnList", call_retrieve_tagged_column_list},
    {"GetRecordSize", call_get_record_size},
    {"GetRecordSize2", call_get_record_size2},
    {"EscrowUpdate", call_escrow_update},
    {"SetCursorFilter", call_set_cursor_filter},
    {NULL, NULL},
};
