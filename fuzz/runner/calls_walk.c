/* Composite calls that read: walks over a table, hashes of rows. */
#include <stdlib.h>
#include <string.h>

#include "fuzz/runner/run.h"

#define KEY_BUFFER 4096u

/* One walk over the current index, forwards or back, from an end or from where the cursor stands. */
struct walk {
    uint64_t session;
    uint64_t table;
    bool back;
    bool from_current;
    uint64_t most; /* rows */
    uint64_t count;
    uint32_t hash;
};

static struct walk walk_arguments(struct call *call)
{
    struct walk walk = {.most = UINT64_MAX, .hash = FNV_START};
    walk.session = arg_handle(call);
    walk.table = arg_handle(call);
    return walk;
}

static bool has_word(struct call *call, const char *word)
{
    const struct program_token *token = arg_peek(call);
    if (token == NULL || token->text != NULL || strcmp(token->word, word) != 0)
        return false;
    call->next++;
    return true;
}

/* The options behind the positional arguments; call it when those are taken. */
static void walk_options(struct call *call, struct walk *walk)
{
    walk->back = has_word(call, "back");
    const char *from = option_text(call, "from");
    walk->from_current = from != NULL && strcmp(from, "current") == 0;
    walk->most = option_number(call, "max", UINT64_MAX);
}

/* Calls `row` for each row. */
static JET_ERR walk_rows(struct walk *walk, JET_ERR (*row)(struct walk *, void *), void *context)
{
    JET_ERR err = JET_errSuccess;
    if (!walk->from_current)
        err = JetMove(walk->session, walk->table, walk->back ? JET_MoveLast : MOVE_FIRST, 0);
    while (err >= JET_errSuccess && walk->count < walk->most) {
        err = row(walk, context);
        if (err < JET_errSuccess)
            break;
        walk->count++;
        err = JetMove(walk->session, walk->table, walk->back ? JET_MovePrevious : JET_MoveNext, 0);
    }
    return err == JET_errNoCurrentRecord ? JET_errSuccess : err < JET_errSuccess ? err : JET_errSuccess;
}

/* --- keys */

static JET_ERR key_row(struct walk *walk, unsigned char *key, uint32_t *size)
{
    JET_ERR err = JetRetrieveKey(walk->session, walk->table, key, KEY_BUFFER, size, 0);
    if (*size > KEY_BUFFER)
        *size = KEY_BUFFER;
    return err;
}

static JET_ERR hash_key(struct walk *walk, void *context)
{
    (void)context;
    unsigned char key[KEY_BUFFER];
    uint32_t size = 0;
    JET_ERR err = key_row(walk, key, &size);
    walk->hash = fnv_add(walk->hash, key, size);
    return err;
}

static JET_ERR call_walk(struct call *call)
{
    struct walk walk = walk_arguments(call);
    walk_options(call, &walk);
    if (call->bad)
        return JET_errSuccess;
    JET_ERR err = walk_rows(&walk, hash_key, NULL);
    run_fact(call, "n=%llu", (unsigned long long)walk.count);
    run_fact(call, "fnv=%08x", walk.hash);
    return err;
}

static JET_ERR print_key(struct walk *walk, void *context)
{
    struct text *out = context;
    unsigned char key[KEY_BUFFER];
    uint32_t size = 0;
    JET_ERR err = key_row(walk, key, &size);
    if (err < JET_errSuccess || walk->count >= 40)
        return err;
    if (walk->count > 0)
        text_print(out, ",");
    if (size > 64)
        text_print(out, "cb:%u:%08x", size, fnv_add(FNV_START, key, size));
    else
        value_print_hex(out, key, size);
    return err;
}

static JET_ERR call_keys(struct call *call)
{
    struct walk walk = walk_arguments(call);
    walk_options(call, &walk);
    if (call->bad)
        return JET_errSuccess;
    struct text keys = {0};
    JET_ERR err = walk_rows(&walk, print_key, &keys);
    run_fact(call, "n=%llu", (unsigned long long)walk.count);
    text_print(&call->out, " k=");
    text_add(&call->out, keys.bytes, keys.size);
    text_free(&keys);
    return err;
}

/* --- List */

struct list_column {
    struct column column;
    struct text values;
    JET_GRBIT grbit;
    uint32_t itag;
};

static JET_ERR list_row(struct walk *walk, void *context)
{
    struct list_column *list = context;
    JET_RETINFO info = {.cbStruct = sizeof info, .itagSequence = list->itag};
    void *buffer = run_value_buffer();
    uint32_t actual = 0;
    JET_ERR err = JetRetrieveColumn(walk->session, walk->table, list->column.id, buffer, VALUE_BUFFER,
                                    &actual, list->grbit, &info);
    if (err < JET_errSuccess)
        return err;
    struct text value = {0};
    if (err == JET_wrnColumnNull)
        text_print(&value, "null");
    else
        value_print_short(&value, buffer, actual < VALUE_BUFFER ? actual : VALUE_BUFFER, list->column.type,
                          list->column.code_page);
    if (walk->count < 48)
        text_print(&list->values, "%s%s", walk->count > 0 ? "," : "", value.bytes);
    text_print(&value, ",");
    walk->hash = fnv_add(walk->hash, value.bytes, value.size);
    text_free(&value);
    return err;
}

static JET_ERR call_list(struct call *call)
{
    struct walk walk = walk_arguments(call);
    const struct program_token *name = arg_next(call);
    walk_options(call, &walk);
    struct list_column list = {.grbit = (JET_GRBIT)option_number(call, "grbit", 0),
                               .itag = (uint32_t)option_number(call, "itag", 1)};
    if (call->bad)
        return JET_errSuccess;
    JET_ERR err = run_column_find(call, walk.session, walk.table, name, &list.column);
    if (call->bad)
        return JET_errSuccess;
    if (err >= JET_errSuccess)
        err = walk_rows(&walk, list_row, &list);
    run_fact(call, "n=%llu", (unsigned long long)walk.count);
    if (walk.count > 0) {
        text_print(&call->out, " v=");
        text_add(&call->out, list.values.bytes, list.values.size);
    }
    if (walk.count > 48)
        run_fact(call, "fnv=%08x", walk.hash);
    text_free(&list.values);
    return err;
}

/* --- rows of `Table`-made tables, by primary key */

struct table_columns {
    JET_COLUMNID id;
    JET_COLUMNID data;
};

static JET_ERR hash_table_row(struct walk *walk, void *context)
{
    const struct table_columns *columns = context;
    int32_t id = 0;
    JET_ERR err = JetRetrieveColumn(walk->session, walk->table, columns->id, &id, sizeof id, NULL, 0, NULL);
    if (err < JET_errSuccess)
        return err;
    walk->hash = fnv_add(walk->hash, &id, sizeof id);
    void *buffer = run_value_buffer();
    uint32_t actual = 0;
    err =
        JetRetrieveColumn(walk->session, walk->table, columns->data, buffer, VALUE_BUFFER, &actual, 0, NULL);
    if (err >= JET_errSuccess && err != JET_wrnColumnNull)
        walk->hash = fnv_add(walk->hash, buffer, actual < VALUE_BUFFER ? actual : VALUE_BUFFER);
    return err;
}

static JET_ERR count_row(struct walk *walk, void *context)
{
    (void)walk;
    (void)context;
    return JET_errSuccess;
}

static JET_ERR call_hash_table(struct call *call)
{
    struct walk walk = walk_arguments(call);
    if (call->bad)
        return JET_errSuccess;
    struct table_columns columns;
    JET_COLUMNDEF column = {.cbStruct = sizeof column};
    JET_ERR err = JetGetTableColumnInfoA(walk.session, walk.table, "id", &column, sizeof column, JET_ColInfo);
    columns.id = column.columnid;
    if (err >= JET_errSuccess)
        err = JetGetTableColumnInfoA(walk.session, walk.table, "data", &column, sizeof column, JET_ColInfo);
    columns.data = column.columnid;
    if (err >= JET_errSuccess)
        err = JetSetCurrentIndexA(walk.session, walk.table, NULL);
    if (err >= JET_errSuccess)
        err = walk_rows(&walk, hash_table_row, &columns);
    run_fact(call, "n=%llu", (unsigned long long)walk.count);
    run_fact(call, "fnv=%08x", walk.hash);
    return err;
}

static JET_ERR call_count_rows(struct call *call)
{
    struct walk walk = walk_arguments(call);
    if (call->bad)
        return JET_errSuccess;
    JET_ERR err = JetSetCurrentIndexA(walk.session, walk.table, NULL);
    if (err >= JET_errSuccess || err == JET_errIllegalOperation) /* temporary tables have one index */
        err = walk_rows(&walk, count_row, NULL);
    run_fact(call, "n=%llu", (unsigned long long)walk.count);
    return err;
}

/* --- whole rows */

static void *JET_API enumerate_realloc(void *context, void *block, uint32_t size)
{
    (void)context;
    if (size == 0) {
        free(block);
        return NULL;
    }
    return realloc(block, size);
}

static void hash_value(struct walk *walk, JET_COLUMNID id, uint32_t itag, const void *bytes, uint32_t size)
{
    uint32_t header[3] = {id, itag, size};
    walk->hash = fnv_add(walk->hash, header, sizeof header);
    walk->hash = fnv_add(walk->hash, bytes, bytes == NULL ? 0 : size);
}

static void hash_enumerated(struct walk *walk, JET_ENUMCOLUMN *column)
{
    if (column->err == JET_wrnColumnSingleValue) {
        hash_value(walk, column->columnid, 1, column->pvData, column->cbData);
        free(column->pvData);
        return;
    }
    for (uint32_t i = 0; column->rgEnumColumnValue != NULL && i < column->cEnumColumnValue; i++) {
        JET_ENUMCOLUMNVALUE *value = &column->rgEnumColumnValue[i];
        if (value->err != JET_wrnColumnNull)
            hash_value(walk, column->columnid, value->itagSequence, value->pvData, value->cbData);
        free(value->pvData);
    }
    free(column->rgEnumColumnValue);
}

static JET_ERR hash_row(struct walk *walk, void *context)
{
    (void)context;
    uint32_t count = 0;
    JET_ENUMCOLUMN *columns = NULL;
    JET_ERR err = JetEnumerateColumns(walk->session, walk->table, 0, NULL, &count, &columns,
                                      enumerate_realloc, NULL, UINT32_MAX, 0);
    if (err < JET_errSuccess)
        return err;
    for (uint32_t i = 0; columns != NULL && i < count; i++)
        hash_enumerated(walk, &columns[i]);
    free(columns);
    return err;
}

static JET_ERR call_hash_row(struct call *call)
{
    struct walk walk = walk_arguments(call);
    if (call->bad)
        return JET_errSuccess;
    JET_ERR err = hash_row(&walk, NULL);
    if (err >= JET_errSuccess)
        run_fact(call, "fnv=%08x", walk.hash);
    return err;
}

static JET_ERR call_hash_rows(struct call *call)
{
    struct walk walk = walk_arguments(call);
    if (call->bad)
        return JET_errSuccess;
    JET_ERR err = walk_rows(&walk, hash_row, NULL);
    run_fact(call, "n=%llu", (unsigned long long)walk.count);
    run_fact(call, "fnv=%08x", walk.hash);
    return err;
}

const struct call_entry run_walk_calls[] = {
    {"Walk", call_walk},
    {"Keys", call_keys},
    {"List", call_list},
    {"HashTable", call_hash_table},
    {"CountRows", call_count_rows},
    {"HashRow", call_hash_row},
    {"HashRows", call_hash_rows},
    {NULL, NULL},
};
