#if !defined(_GNU_SOURCE)
#define _GNU_SOURCE 1
#endif

/* What databases, tables, columns and indexes say about themselves. */
#include <string.h>

#include "fuzz/runner/run.h"

/* --- databases */

static void print_backup_generation(struct call *call, const char *name, const JET_BKINFO *info)
{
    run_fact(call, "%s=%u", name, info->genHigh);
}

static void print_backup_notes(struct call *call, const char *name, const JET_BKINFO *info)
{
    const JET_LGPOS *mark = &info->lgposMark;
    if (info->genLow == 0 && info->genHigh == 0 && mark->lGeneration == 0)
        return;
    run_fact(call, "%s.low=%u", name, info->genLow);
    run_fact(call, "%s.mark=%d:%u:%u", name, mark->lGeneration, mark->isec, mark->ib);
}

JET_ERR run_print_misc_info(struct call *call, const JET_DBINFOMISC4 *info)
{
    run_fact(call, "state=%u", info->dbstate);
    run_fact(call, "page=%u", info->cbPageSize);
    print_backup_generation(call, "fullPrev", &info->bkinfoFullPrev);
    print_backup_generation(call, "incPrev", &info->bkinfoIncPrev);
    print_backup_generation(call, "fullCur", &info->bkinfoFullCur);
    print_backup_generation(call, "copyPrev", &info->bkinfoCopyPrev);
    print_backup_generation(call, "diffPrev", &info->bkinfoDiffPrev);
    run_bar(call);
    print_backup_notes(call, "fullPrev", &info->bkinfoFullPrev);
    print_backup_notes(call, "incPrev", &info->bkinfoIncPrev);
    print_backup_notes(call, "fullCur", &info->bkinfoFullCur);
    print_backup_notes(call, "copyPrev", &info->bkinfoCopyPrev);
    print_backup_notes(call, "diffPrev", &info->bkinfoDiffPrev);
    run_fact(call, "required=%u-%u", info->genMinRequired, info->genMaxRequired);
    return JET_errSuccess;
}

/* Levels other than DbInfoMisc: a file name as text, else the number in the first 4 or 8 bytes. */
static void print_plain_info(struct call *call, uint32_t level, const void *bytes)
{
    if (level == JET_DbInfoFilename) {
        run_fact_path(call, "", bytes);
        return;
    }
    uint32_t number;
    memcpy(&number, bytes, sizeof number);
    run_fact(call, "v=%u", number);
}

union database_info {
    JET_DBINFOMISC4 misc;
    char bytes[1024];
};

static uint32_t database_info_size(uint32_t level)
{
    if (level == JET_DbInfoMisc)
        return sizeof(JET_DBINFOMISC4);
    return level == JET_DbInfoFilename ? 1024 : level == JET_DbInfoUpgrade ? sizeof(JET_DBINFOUPGRADE) : 4;
}

static JET_ERR database_info(struct call *call, bool is_file, bool is_wide)
{
    uint64_t session = is_file ? 0 : arg_handle(call);
    uint32_t database = is_file ? 0 : arg_database(call);
    const char *path = is_file ? arg_text(call) : NULL;
    uint32_t level = (uint32_t)arg_number(call, "level");
    if (call->bad)
        return JET_errSuccess;
    union database_info info = {0};
    uint32_t size = (uint32_t)option_number(call, "cbMax", database_info_size(level));
    if (size > sizeof info)
        size = sizeof info;
    JET_ERR err;
    if (is_file)
        err = is_wide ? JetGetDatabaseFileInfoW(run_wide(call, path), &info, size, level)
                      : JetGetDatabaseFileInfoA(path, &info, size, level);
    else
        err = is_wide ? JetGetDatabaseInfoW(session, database, &info, size, level)
                      : JetGetDatabaseInfoA(session, database, &info, size, level);
    if (err >= JET_errSuccess && level == JET_DbInfoMisc)
        run_print_misc_info(call, &info.misc);
    else if (err >= JET_errSuccess && !(is_wide && level == JET_DbInfoFilename))
        print_plain_info(call, level, &info);
    return err;
}

static JET_ERR call_database_info(struct call *call)
{
    return database_info(call, false, false);
}

static JET_ERR call_database_info_w(struct call *call)
{
    return database_info(call, false, true);
}

static JET_ERR call_database_file_info(struct call *call)
{
    return database_info(call, true, false);
}

static JET_ERR call_database_file_info_w(struct call *call)
{
    return database_info(call, true, true);
}

/* --- reading the temporary tables that list calls answer with */

static uint32_t list_number(uint64_t session, uint64_t table, uint32_t column)
{
    uint32_t number = 0;
    JetRetrieveColumn(session, table, column, &number, sizeof number, NULL, 0, NULL);
    return number;
}

static const char *list_text(struct call *call, uint64_t session, uint64_t table, uint32_t column)
{
    char text[512];
    uint32_t size = 0;
    if (JetRetrieveColumn(session, table, column, text, sizeof text - 1, &size, 0, NULL) < JET_errSuccess)
        size = 0;
    if (size > sizeof text - 1)
        size = sizeof text - 1;
    while (size > 0 && text[size - 1] == '\0')
        size--;
    return arena_copy(&call->arena, text, size);
}

/* "0" or "0x22". */
static const char *hex(struct call *call, uint32_t number)
{
    return number == 0 ? "0" : arena_format(&call->arena, "0x%x", number);
}

/* --- tables */

static JET_ERR list_objects(struct call *call, uint64_t session, const JET_OBJECTLIST *list)
{
    struct text system = {0};
    JET_ERR err = list->cRecord > 0 ? JetMove(session, list->tableid, MOVE_FIRST, 0) : JET_errNoCurrentRecord;
    while (err >= JET_errSuccess) {
        const char *name = list_text(call, session, list->tableid, list->columnidobjectname);
        if (strncmp(name, "MSys", 4) == 0) {
            text_print(&system, " ");
            program_print_quoted(name, strlen(name), &system);
        } else {
            uint32_t flags = list_number(session, list->tableid, list->columnidflags);
            const char *entry = arena_format(&call->arena, "%s flags=%s", name, hex(call, flags));
            run_fact_quoted(call, "", entry, strlen(entry));
        }
        err = JetMove(session, list->tableid, JET_MoveNext, 0);
    }
    if (system.size > 0) {
        run_bar(call);
        text_add(&call->out, system.bytes, system.size);
    }
    text_free(&system);
    return err == JET_errNoCurrentRecord ? JET_errSuccess : err;
}

static JET_ERR call_list_tables(struct call *call)
{
    uint64_t session = arg_handle(call);
    uint32_t database = arg_database(call);
    if (call->bad)
        return JET_errSuccess;
    JET_OBJECTLIST list = {.cbStruct = sizeof list};
    JET_ERR err = JetGetObjectInfoA(session, database, JET_objtypTable, NULL, NULL, &list, sizeof list,
                                    JET_ObjInfoListNoStats);
    if (err < JET_errSuccess)
        return err;
    err = list_objects(call, session, &list);
    JetCloseTable(session, list.tableid);
    return err;
}

static JET_ERR call_object_info(struct call *call)
{
    uint64_t session = arg_handle(call);
    uint32_t database = arg_database(call);
    const char *name = arg_peek(call) != NULL ? arg_text(call) : NULL;
    if (call->bad)
        return JET_errSuccess;
    JET_OBJECTINFO info = {.cbStruct = sizeof info};
    JET_ERR err = JetGetObjectInfoA(session, database, JET_objtypTable, NULL, name, &info, sizeof info,
                                    JET_ObjInfoNoStats);
    if (err >= JET_errSuccess) {
        run_fact(call, "type=%u", info.objtyp);
        run_fact(call, "flags=%s", hex(call, info.flags));
    }
    return err;
}

static JET_ERR call_table_info(struct call *call)
{
    uint64_t session = arg_handle(call);
    uint64_t table = arg_handle(call);
    uint32_t level = (uint32_t)arg_number(call, "level");
    uint64_t size = option_number(call, "cbMax",
                                  level == JET_TblInfoName || level == JET_TblInfoTemplateTableName ? 256
                                  : level == JET_TblInfo ? sizeof(JET_OBJECTINFO)
                                                         : 4);
    char buffer[1024] = {0};
    if (size > sizeof buffer)
        run_bad(call, "cbMax= is too large");
    if (call->bad)
        return JET_errSuccess;
    JET_ERR err = JetGetTableInfoA(session, table, buffer, (uint32_t)size, level);
    if (err < JET_errSuccess)
        return err;
    if (level == JET_TblInfoName || level == JET_TblInfoTemplateTableName) {
        run_fact_quoted(call, "", buffer, strnlen(buffer, (size_t)size));
    } else if (level == JET_TblInfo) {
        JET_OBJECTINFO info;
        memcpy(&info, buffer, sizeof info);
        run_fact(call, "type=%u", info.objtyp);
        run_fact(call, "flags=%s", hex(call, info.flags));
    }
    return err;
}

/* --- columns */

static void print_column(struct call *call, const JET_COLUMNDEF *column)
{
    run_fact(call, "type=%u", column->coltyp);
    run_fact(call, "grbit=%s", hex(call, column->grbit));
    run_fact(call, "cp=%u", column->cp);
    run_fact(call, "max=%u", column->cbMax);
    run_fact(call, "id=%u", column->columnid);
}

static JET_ERR call_table_column_info(struct call *call)
{
    uint64_t session = arg_handle(call);
    uint64_t table = arg_handle(call);
    const char *name = arg_text(call);
    if (call->bad)
        return JET_errSuccess;
    JET_COLUMNDEF column = {.cbStruct = sizeof column};
    JET_ERR err = JetGetTableColumnInfoA(session, table, name, &column, sizeof column, JET_ColInfo);
    if (err >= JET_errSuccess)
        print_column(call, &column);
    return err;
}

static JET_ERR call_column_info(struct call *call)
{
    uint64_t session = arg_handle(call);
    uint32_t database = arg_database(call);
    const char *table = arg_text(call);
    const char *name = arg_text(call);
    if (call->bad)
        return JET_errSuccess;
    JET_COLUMNDEF column = {.cbStruct = sizeof column};
    JET_ERR err = JetGetColumnInfoA(session, database, table, name, &column, sizeof column, JET_ColInfo);
    if (err >= JET_errSuccess)
        print_column(call, &column);
    return err;
}

static JET_ERR call_list_columns(struct call *call)
{
    uint64_t session = arg_handle(call);
    uint64_t table = arg_handle(call);
    uint32_t grbit = (uint32_t)option_number(call, "grbit", 0);
    if (call->bad)
        return JET_errSuccess;
    JET_COLUMNLIST list = {.cbStruct = sizeof list};
    JET_ERR err = JetGetTableColumnInfoA(session, table, NULL, &list, sizeof list, JET_ColInfoList | grbit);
    if (err < JET_errSuccess)
        return err;
    run_fact(call, "n=%u", list.cRecord);
    err = list.cRecord > 0 ? JetMove(session, list.tableid, MOVE_FIRST, 0) : JET_errNoCurrentRecord;
    while (err >= JET_errSuccess) {
        const char *entry = arena_format(&call->arena, "%s type=%u grbit=%s cp=%u max=%u id=%u",
                                         list_text(call, session, list.tableid, list.columnidcolumnname),
                                         list_number(session, list.tableid, list.columnidcoltyp),
                                         hex(call, list_number(session, list.tableid, list.columnidgrbit)),
                                         list_number(session, list.tableid, list.columnidCp),
                                         list_number(session, list.tableid, list.columnidcbMax),
                                         list_number(session, list.tableid, list.columnidcolumnid));
        run_fact_quoted(call, "", entry, strlen(entry));
        err = JetMove(session, list.tableid, JET_MoveNext, 0);
    }
    JetCloseTable(session, list.tableid);
    return err == JET_errNoCurrentRecord ? JET_errSuccess : err;
}

/* --- indexes */

static JET_ERR print_index_list(struct call *call, uint64_t session, const JET_INDEXLIST *list)
{
    run_fact(call, "n=%u", list->cRecord);
    JET_ERR err = list->cRecord > 0 ? JetMove(session, list->tableid, MOVE_FIRST, 0) : JET_errNoCurrentRecord;
    while (err >= JET_errSuccess) {
        uint32_t order = list_number(session, list->tableid, list->columnidgrbitColumn);
        const char *entry =
            arena_format(&call->arena, "%s grbit=%s cols=%u i=%u %c%s type=%u cp=%u",
                         list_text(call, session, list->tableid, list->columnidindexname),
                         hex(call, list_number(session, list->tableid, list->columnidgrbitIndex)),
                         list_number(session, list->tableid, list->columnidcColumn),
                         list_number(session, list->tableid, list->columnidiColumn),
                         (order & JET_bitKeyDescending) != 0 ? '-' : '+',
                         list_text(call, session, list->tableid, list->columnidcolumnname),
                         list_number(session, list->tableid, list->columnidcoltyp),
                         list_number(session, list->tableid, list->columnidCp));
        run_fact_quoted(call, "", entry, strlen(entry));
        err = JetMove(session, list->tableid, JET_MoveNext, 0);
    }
    JetCloseTable(session, list->tableid);
    return err == JET_errNoCurrentRecord ? JET_errSuccess : err;
}

static JET_ERR call_list_indexes(struct call *call)
{
    uint64_t session = arg_handle(call);
    uint64_t table = arg_handle(call);
    const char *name = arg_peek(call) != NULL ? arg_text(call) : NULL;
    if (call->bad)
        return JET_errSuccess;
    JET_INDEXLIST list = {.cbStruct = sizeof list};
    JET_ERR err = JetGetTableIndexInfoA(session, table, name, &list, sizeof list, JET_IdxInfo);
    return err < JET_errSuccess ? err : print_index_list(call, session, &list);
}

static bool is_index_list(uint32_t level)
{
    return level == JET_IdxInfo || level == JET_IdxInfoList;
}

static uint32_t index_info_size(uint32_t level)
{
    switch (level) {
    case JET_IdxInfo:
    case JET_IdxInfoList:
        return sizeof(JET_INDEXLIST);
    case JET_IdxInfoVarSegMac:
    case JET_IdxInfoKeyMost:
        return sizeof(uint16_t);
    case JET_IdxInfoIndexId:
        return sizeof(JET_INDEXID);
    default:
        return sizeof(uint32_t);
    }
}

union index_info {
    JET_INDEXLIST list;
    JET_INDEXID id;
    uint32_t number;
};

static JET_ERR print_index_info(struct call *call, uint64_t session, uint32_t level,
                                const union index_info *info)
{
    if (is_index_list(level))
        return print_index_list(call, session, &info->list);
    if (level != JET_IdxInfoIndexId)
        run_fact(call, "v=%u", info->number);
    return JET_errSuccess;
}

static JET_ERR call_table_index_info(struct call *call)
{
    uint64_t session = arg_handle(call);
    uint64_t table = arg_handle(call);
    const char *name = arg_text(call);
    uint32_t level = (uint32_t)arg_number(call, "level");
    if (call->bad)
        return JET_errSuccess;
    union index_info info = {0};
    if (is_index_list(level))
        info.list.cbStruct = sizeof info.list;
    JET_ERR err = JetGetTableIndexInfoA(session, table, name, &info, index_info_size(level), level);
    JET_ERR print_err = err < JET_errSuccess ? err : print_index_info(call, session, level, &info);
    return print_err < JET_errSuccess ? print_err : err;
}

static JET_ERR call_index_info(struct call *call)
{
    uint64_t session = arg_handle(call);
    uint32_t database = arg_database(call);
    const char *table = arg_text(call);
    const char *name = arg_text(call);
    uint32_t level = (uint32_t)arg_number(call, "level");
    if (call->bad)
        return JET_errSuccess;
    union index_info info = {0};
    if (is_index_list(level))
        info.list.cbStruct = sizeof info.list;
    JET_ERR err = JetGetIndexInfoA(session, database, table, name, &info, index_info_size(level), level);
    JET_ERR print_err = err < JET_errSuccess ? err : print_index_info(call, session, level, &info);
    return print_err < JET_errSuccess ? print_err : err;
}

const struct call_entry run_info_calls[] = {
    {"GetDatabaseInfo", call_database_info},
    {"GetDatabaseInfoW", call_database_info_w},
    {"GetDatabaseFileInfo", call_database_file_info},
    {"GetDatabaseFileInfoW", call_database_file_info_w},
    {"GetObjectInfo", call_object_info},
    {"GetTableInfo", call_table_info},
    {"GetTableColumnInfo", call_table_column_info},
    {"GetColumnInfo", call_column_info},
    {"GetTableIndexInfo", call_table_index_info},
    {"GetIndexInfo", call_index_info},
    {"ListTables", call_list_tables},
    {"ListColumns", call_list_columns},
    {"ListIndexes", call_list_indexes},
    {NULL, NULL},
};
