/* Tables, columns, indexes. */
#include <stdlib.h>
#include <string.h>

#include "fuzz/runner/run.h"

#define COLUMNS_MAX 64
#define INDEXES_MAX 32

/* "+a -b" becomes "+a\0-b\0\0"; *size counts both NULs at the end. */
static char *key_text(struct call *call, const char *text, uint32_t *size)
{
    size_t length = strlen(text);
    char *key = arena_allocate(&call->arena, length + 2);
    memcpy(key, text, length);
    for (size_t i = 0; i < length; i++) {
        if (key[i] == ' ')
            key[i] = '\0';
    }
    *size = (uint32_t)length + 2;
    return key;
}

static JET_ERR call_create_table(struct call *call)
{
    uint64_t session = arg_handle(call);
    uint32_t database = arg_database(call);
    struct slot slot = arg_slot(call);
    const char *name = arg_text(call);
    uint64_t pages = arg_number_or(call, 0);
    uint64_t density = arg_number_or(call, 80);
    if (call->bad)
        return JET_errSuccess;
    JET_TABLEID table = NIL_HANDLE;
    JET_ERR err = JetCreateTableA(session, database, name, (uint32_t)pages, (uint32_t)density,
                                  slot.is_null ? NULL : &table);
    if (err >= JET_errSuccess)
        run_slot_set(call, slot, table);
    return err;
}

/* Fields of "a;b;c", split in place. */
static size_t split(char *text, char **fields, size_t max)
{
    size_t count = 0;
    while (count < max) {
        fields[count++] = text;
        /* The last field keeps what follows: a default value may hold anything. */
        char *end = count < max ? strchr(text, ';') : NULL;
        if (end == NULL)
            break;
        *end = '\0';
        text = end + 1;
    }
    return count;
}

static uint32_t field_number(struct call *call, char **fields, size_t count, size_t index)
{
    uint64_t value = 0;
    if (index < count && fields[index][0] != '\0' && !name_number(fields[index], &value))
        run_bad(call, "\"%.40s\" is not a number", fields[index]);
    return (uint32_t)value;
}

static void parse_column(struct call *call, const char *text, JET_COLUMNCREATE_A *column)
{
    char *fields[6];
    size_t count = split(arena_text(&call->arena, text), fields, 6);
    *column = (JET_COLUMNCREATE_A){.cbStruct = sizeof *column};
    column->szColumnName = fields[0];
    if (count < 2 || !name_column_type(fields[1], &column->coltyp))
        run_bad(call, "col=\"%.60s\" has no column type", text);
    column->grbit = field_number(call, fields, count, 2);
    column->cp = field_number(call, fields, count, 3);
    column->cbMax = field_number(call, fields, count, 4);
    struct value value = {.is_null = true};
    if (count > 5 && !value_parse_text(&call->arena, fields[5], column->coltyp, &value))
        run_bad(call, "col=\"%.60s\" has a bad default", text);
    if (!value.is_null) {
        column->pvDefault = arena_copy(&call->arena, value.bytes, value.size);
        column->cbDefault = value.size;
    }
}

static void parse_index(struct call *call, const char *text, JET_INDEXCREATE_A *index)
{
    char *fields[3];
    size_t count = split(arena_text(&call->arena, text), fields, 3);
    *index = (JET_INDEXCREATE_A){.cbStruct = sizeof *index};
    index->szIndexName = fields[0];
    index->grbit = field_number(call, fields, count, 1);
    index->szKey = key_text(call, count > 2 ? fields[2] : "", &index->cbKey);
    index->ulDensity = 80;
}

struct table_create {
    JET_TABLECREATE2_A table;
    JET_COLUMNCREATE_A columns[COLUMNS_MAX];
    JET_INDEXCREATE_A indexes[INDEXES_MAX];
};

static void parse_definitions(struct call *call, struct table_create *create)
{
    for (size_t i = 0; i < call->line->argument_count; i++) {
        const struct program_token *token = &call->line->arguments[i];
        bool is_column = strncmp(token->word, "col=", 4) == 0;
        if (!is_column && strncmp(token->word, "ix=", 3) != 0)
            continue;
        const char *text = program_token_value(token, is_column ? 4 : 3, NULL);
        if (is_column && create->table.cColumns < COLUMNS_MAX)
            parse_column(call, text, &create->columns[create->table.cColumns++]);
        else if (!is_column && create->table.cIndexes < INDEXES_MAX)
            parse_index(call, text, &create->indexes[create->table.cIndexes++]);
        else
            run_bad(call, "too many columns or indexes");
    }
}

static void print_codes(struct call *call, const char *key, size_t count,
                        JET_ERR (*code)(const void *, size_t), const void *array)
{
    if (count == 0)
        return;
    text_print(&call->out, " %s=", key);
    for (size_t i = 0; i < count; i++)
        text_print(&call->out, "%s%d", i > 0 ? "," : "", code(array, i));
}

static JET_ERR column_code(const void *array, size_t i)
{
    return ((const JET_COLUMNCREATE_A *)array)[i].err;
}

static JET_ERR index_code(const void *array, size_t i)
{
    return ((const JET_INDEXCREATE_A *)array)[i].err;
}

static void print_created(struct call *call, const struct table_create *create, JET_ERR err)
{
    run_fact(call, "created=%u", create->table.cCreated);
    if (err >= JET_errSuccess && create->table.cColumns > 0) {
        text_print(&call->out, " ids=");
        for (uint32_t i = 0; i < create->table.cColumns; i++)
            text_print(&call->out, "%s%u", i > 0 ? "," : "", create->columns[i].columnid);
    }
    print_codes(call, "cerr", create->table.cColumns, column_code, create->columns);
    print_codes(call, "ierr", create->table.cIndexes, index_code, create->indexes);
}

static JET_ERR call_create_table_column_index(struct call *call)
{
    uint64_t session = arg_handle(call);
    uint32_t database = arg_database(call);
    struct slot slot = arg_slot(call);
    const char *name = arg_text(call);
    uint64_t grbit = arg_number_or(call, 0);
    struct table_create *create = arena_allocate(&call->arena, sizeof *create);
    create->table.cbStruct = sizeof create->table;
    create->table.szTableName = name == NULL ? NULL : arena_text(&call->arena, name);
    const char *template = option_text(call, "template");
    create->table.szTemplateTableName = template == NULL ? NULL : arena_text(&call->arena, template);
    create->table.ulPages = (uint32_t)option_number(call, "pages", 0);
    create->table.ulDensity = (uint32_t)option_number(call, "density", 80);
    create->table.grbit = (JET_GRBIT)grbit;
    create->table.tableid = NIL_HANDLE;
    parse_definitions(call, create);
    if (create->table.cColumns > 0)
        create->table.rgcolumncreate = create->columns;
    if (create->table.cIndexes > 0)
        create->table.rgindexcreate = create->indexes;
    if (call->bad)
        return JET_errSuccess;
    JET_ERR err = JetCreateTableColumnIndex2A(session, database, &create->table);
    if (err >= JET_errSuccess)
        run_slot_set(call, slot, create->table.tableid);
    print_created(call, create, err);
    return err;
}

static JET_ERR call_open_table(struct call *call)
{
    uint64_t session = arg_handle(call);
    uint32_t database = arg_database(call);
    struct slot slot = arg_slot(call);
    const char *name = arg_text(call);
    uint64_t grbit = arg_number_or(call, 0);
    if (call->bad)
        return JET_errSuccess;
    JET_TABLEID table = NIL_HANDLE;
    JET_ERR err =
        JetOpenTableA(session, database, name, NULL, 0, (JET_GRBIT)grbit, slot.is_null ? NULL : &table);
    if (err >= JET_errSuccess)
        run_slot_set(call, slot, table);
    return err;
}

static JET_ERR call_close_table(struct call *call)
{
    uint64_t session = arg_handle(call);
    uint64_t table = arg_handle(call);
    return call->bad ? JET_errSuccess : JetCloseTable(session, table);
}

static JET_ERR call_dup_cursor(struct call *call)
{
    uint64_t session = arg_handle(call);
    uint64_t table = arg_handle(call);
    struct slot slot = arg_slot(call);
    uint64_t grbit = arg_number_or(call, 0);
    if (call->bad)
        return JET_errSuccess;
    JET_TABLEID copy = NIL_HANDLE;
    JET_ERR err = JetDupCursor(session, table, slot.is_null ? NULL : &copy, (JET_GRBIT)grbit);
    if (err >= JET_errSuccess)
        run_slot_set(call, slot, copy);
    return err;
}

static JET_ERR call_delete_table(struct call *call)
{
    uint64_t session = arg_handle(call);
    uint32_t database = arg_database(call);
    const char *name = arg_text(call);
    return call->bad ? JET_errSuccess : JetDeleteTableA(session, database, name);
}

static JET_ERR call_rename_table(struct call *call)
{
    uint64_t session = arg_handle(call);
    uint32_t database = arg_database(call);
    const char *name = arg_text(call);
    const char *new_name = arg_text(call);
    return call->bad ? JET_errSuccess : JetRenameTableA(session, database, name, new_name);
}

static JET_ERR call_compute_stats(struct call *call)
{
    uint64_t session = arg_handle(call);
    uint64_t table = arg_handle(call);
    return call->bad ? JET_errSuccess : JetComputeStats(session, table);
}

static JET_ERR call_add_column(struct call *call)
{
    uint64_t session = arg_handle(call);
    uint64_t table = arg_handle(call);
    const char *name = arg_text(call);
    const struct program_token *type = arg_next(call);
    JET_COLUMNDEF column = {.cbStruct = sizeof column};
    if (type == NULL || type->text != NULL || !name_column_type(type->word, &column.coltyp))
        run_bad(call, "a column type is missing");
    column.grbit = (JET_GRBIT)arg_number_or(call, 0);
    column.cp = (uint16_t)option_number(call, "cp", 0);
    column.cbMax = (uint32_t)option_number(call, "max", 0);
    struct value value = {.is_null = true};
    const struct program_token *token = program_find_argument(call->line, "default");
    if (token != NULL) {
        struct program_token part = {token->word + strlen("default="), token->text, token->text_size};
        if (!value_parse(&call->arena, &part, column.coltyp, &value))
            run_bad(call, "bad default value");
    }
    if (call->bad)
        return JET_errSuccess;
    JET_COLUMNID id = 0;
    JET_ERR err =
        JetAddColumnA(session, table, name, &column, value.is_null ? NULL : value.bytes, value.size, &id);
    const char *into = option_text(call, "into");
    if (err >= JET_errSuccess) {
        run_fact(call, "id=%u", id);
        if (into != NULL && into[0] == 'c')
            run_slot_set(
                call, (struct slot){.letter = 'c', .index = (unsigned char)strtoul(into + 1, NULL, 10)}, id);
    }
    return err;
}

static JET_ERR call_delete_column(struct call *call)
{
    uint64_t session = arg_handle(call);
    uint64_t table = arg_handle(call);
    const char *name = arg_text(call);
    return call->bad ? JET_errSuccess : JetDeleteColumnA(session, table, name);
}

static JET_ERR call_delete_column2(struct call *call)
{
    uint64_t session = arg_handle(call);
    uint64_t table = arg_handle(call);
    const char *name = arg_text(call);
    uint64_t grbit = arg_number_or(call, 0);
    return call->bad ? JET_errSuccess : JetDeleteColumn2A(session, table, name, (JET_GRBIT)grbit);
}

static JET_ERR call_rename_column(struct call *call)
{
    uint64_t session = arg_handle(call);
    uint64_t table = arg_handle(call);
    const char *name = arg_text(call);
    const char *new_name = arg_text(call);
    uint64_t grbit = arg_number_or(call, 0);
    return call->bad ? JET_errSuccess : JetRenameColumnA(session, table, name, new_name, (JET_GRBIT)grbit);
}

static JET_ERR call_set_default_value(struct call *call)
{
    uint64_t session = arg_handle(call);
    uint32_t database = arg_database(call);
    const char *table = arg_text(call);
    const char *column = arg_text(call);
    const struct program_token *token = arg_next(call);
    uint64_t grbit = arg_number_or(call, 0);
    uint32_t type = (uint32_t)option_number(call, "type", JET_coltypNil);
    struct value value;
    if (token == NULL || !value_parse(&call->arena, token, type, &value))
        run_bad(call, "a value is missing");
    if (call->bad)
        return JET_errSuccess;
    return JetSetColumnDefaultValueA(session, database, table, column, value.bytes, value.size,
                                     (JET_GRBIT)grbit);
}

static JET_ERR call_create_index(struct call *call)
{
    uint64_t session = arg_handle(call);
    uint64_t table = arg_handle(call);
    const char *name = arg_text(call);
    uint64_t grbit = arg_number(call, "grbit");
    const char *columns = arg_text(call);
    uint64_t density = arg_number_or(call, 80);
    uint32_t size = 0;
    char *key = columns == NULL ? NULL : key_text(call, columns, &size);
    size = (uint32_t)option_number(call, "cbKey", size);
    if (call->bad)
        return JET_errSuccess;
    return JetCreateIndexA(session, table, name, (JET_GRBIT)grbit, key, size, (uint32_t)density);
}

static JET_ERR call_create_index2(struct call *call)
{
    uint64_t session = arg_handle(call);
    uint64_t table = arg_handle(call);
    const char *name = arg_text(call);
    JET_INDEXCREATE_A index = {.cbStruct = sizeof index};
    index.szIndexName = name == NULL ? NULL : arena_text(&call->arena, name);
    index.grbit = (JET_GRBIT)arg_number(call, "grbit");
    const char *columns = arg_text(call);
    index.ulDensity = (uint32_t)arg_number_or(call, 80);
    if (columns != NULL)
        index.szKey = key_text(call, columns, &index.cbKey);
    index.cbKey = (uint32_t)option_number(call, "cbKey", index.cbKey);
    JET_UNICODEINDEX unicode = {.lcid = (uint32_t)option_number(call, "lcid", 0)};
    index.lcid = unicode.lcid;
    if (option_text(call, "flags") != NULL) {
        unicode.dwMapFlags = (uint32_t)option_number(call, "flags", 0);
        index.pidxunicode = &unicode;
        index.grbit |= JET_bitIndexUnicode;
    }
    index.cbVarSegMac = (uint32_t)option_number(call, "varseg", 0);
    if (option_text(call, "keymost") != NULL) {
        index.cbKeyMost = (uint32_t)option_number(call, "keymost", 0);
        index.grbit |= JET_bitIndexKeyMost;
    }
    JET_CONDITIONALCOLUMN_A condition = {.cbStruct = sizeof condition};
    const char *condition_column = option_text(call, "cond");
    if (condition_column != NULL) {
        condition.szColumnName = arena_text(&call->arena, condition_column);
        condition.grbit = (JET_GRBIT)option_number(call, "condgrbit", 0);
        index.rgconditionalcolumn = &condition;
        index.cConditionalColumn = 1;
    }
    if (call->bad)
        return JET_errSuccess;
    return JetCreateIndex2A(session, table, &index, 1);
}

static JET_ERR call_delete_index(struct call *call)
{
    uint64_t session = arg_handle(call);
    uint64_t table = arg_handle(call);
    const char *name = arg_text(call);
    return call->bad ? JET_errSuccess : JetDeleteIndexA(session, table, name);
}

/* --- temporary tables: "Long:ColumnTTKey", "Text:0:1252:255" */

static bool parse_temporary_column(struct call *call, const char *text, JET_COLUMNDEF *column)
{
    char *fields[4] = {NULL};
    char *rest = arena_text(&call->arena, text);
    size_t count = 0;
    while (count < 4 && rest != NULL) {
        fields[count++] = rest;
        rest = strchr(rest, ':');
        if (rest != NULL)
            *rest++ = '\0';
    }
    *column = (JET_COLUMNDEF){.cbStruct = sizeof *column};
    if (!name_column_type(fields[0], &column->coltyp))
        return run_bad(call, "\"%.40s\" is not a column type", fields[0]);
    column->grbit = field_number(call, fields, count, 1);
    column->cp = (uint16_t)field_number(call, fields, count, 2);
    column->cbMax = field_number(call, fields, count, 3);
    return true;
}

static JET_ERR open_temporary_table(struct call *call, bool has_locale)
{
    uint64_t session = arg_handle(call);
    struct slot slot = arg_slot(call);
    uint64_t grbit = arg_number(call, "grbit");
    uint64_t locale = has_locale ? arg_number(call, "lcid") : 0;
    JET_COLUMNDEF columns[COLUMNS_MAX];
    JET_COLUMNID ids[COLUMNS_MAX] = {0};
    uint32_t count = 0;
    const struct program_token *token;
    while (!call->bad && (token = arg_next(call)) != NULL) {
        if (token->text != NULL || count == COLUMNS_MAX)
            run_bad(call, "columns read TYPE:GRBIT:CP, at most %d", COLUMNS_MAX);
        else
            parse_temporary_column(call, token->word, &columns[count++]);
    }
    if (call->bad)
        return JET_errSuccess;
    JET_TABLEID table = NIL_HANDLE;
    JET_TABLEID *pointer = slot.is_null ? NULL : &table;
    JET_ERR err = has_locale ? JetOpenTempTable2(session, columns, count, (uint32_t)locale, (JET_GRBIT)grbit,
                                                 pointer, ids)
                             : JetOpenTempTable(session, columns, count, (JET_GRBIT)grbit, pointer, ids);
    if (err >= JET_errSuccess) {
        run_slot_set(call, slot, table);
        for (uint32_t i = 0; i < count; i++)
            run_slot_set(call, (struct slot){.letter = 'c', .index = (unsigned char)i}, ids[i]);
    }
    return err;
}

static JET_ERR call_open_temporary_table(struct call *call)
{
    return open_temporary_table(call, false);
}

static JET_ERR call_open_temporary_table2(struct call *call)
{
    return open_temporary_table(call, true);
}

const struct call_entry run_schema_calls[] = {
    {"CreateTable", call_create_table},
    {"CreateTableColumnIndex2", call_create_table_column_index},
    {"OpenTable", call_open_table},
    {"CloseTable", call_close_table},
    {"DupCursor", call_dup_cursor},
    {"DeleteTable", call_delete_table},
    {"RenameTable", call_rename_table},
    {"ComputeStats", call_compute_stats},
    {"AddColumn", call_add_column},
    {"DeleteColumn", call_delete_column},
    {"DeleteColumn2", call_delete_column2},
    {"RenameColumn", call_rename_column},
    {"SetColumnDefaultValue", call_set_default_value},
    {"CreateIndex", call_create_index},
    {"CreateIndex2", call_create_index2},
    {"DeleteIndex", call_delete_index},
    {"OpenTempTable", call_open_temporary_table},
    {"OpenTempTable2", call_open_temporary_table2},
    {NULL, NULL},
};
