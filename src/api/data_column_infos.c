/* Information about columns (engine source: `info.cxx`). */
#include "src/api/data_infos.h"
#include "src/api/data_lists.h"
#include "src/api/text.h"
#include "src/os/host.h"
#include "src/os/memory.h"

#define LEVEL_MASK 0x0fffffffu

static JET_GRBIT column_grbit(const struct table_cursor *cursor, const struct column_definition *column)
{
    JET_GRBIT grbit = 0;
    const uint16_t flags = column->flags;
    if (column_id_is_fixed(column->id))
        grbit |= JET_bitColumnFixed;
    else if (column_id_is_tagged(column->id))
        grbit |= JET_bitColumnTagged;
    if (cursor->updatable)
        grbit |= JET_bitColumnUpdatable;
    if (flags & COLUMN_FLAG_NOT_NULL)
        grbit |= JET_bitColumnNotNULL;
    if (flags & COLUMN_FLAG_VERSION)
        grbit |= JET_bitColumnVersion;
    if (flags & COLUMN_FLAG_AUTOINCREMENT)
        grbit |= JET_bitColumnAutoincrement;
    if (flags & COLUMN_FLAG_MULTIVALUED)
        grbit |= JET_bitColumnMultiValued;
    if (flags & COLUMN_FLAG_ENCRYPTED)
        grbit |= JET_bitColumnEncrypted;
    if (flags & COLUMN_FLAG_ESCROW)
        grbit |= JET_bitColumnEscrowUpdate;
    if (flags & COLUMN_FLAG_FINALIZE)
        grbit |= JET_bitColumnFinalize;
    if (flags & COLUMN_FLAG_DELETE_ON_ZERO)
        grbit |= JET_bitColumnDeleteOnZero;
    if (flags & COLUMN_FLAG_COMPRESSED)
        grbit |= JET_bitColumnCompressed;
    return grbit;
}

static void column_definition_out(const struct table_cursor *cursor, const struct column_definition *column,
                                  void *result)
{
    JET_COLUMNDEF out = {
        .cbStruct = sizeof(out),
        .columnid = column_public_id(column),
        .coltyp = column->type,
        .cp = column_is_text(column) ? column->code_page : 0,
        .cbMax = column->max_size,
        .grbit = column_grbit(cursor, column),
    };
    memcpy(result, &out, sizeof(out));
}

/* The table that a column comes from. The published engine always tells the table that was asked. */
static const char *base_table(const struct table_cursor *cursor, const struct column_definition *column)
{
    return column->inherited && !os_host_is_published() ? cursor->table->template_name : cursor->table->name;
}

static JET_ERR column_base_out(const struct table_cursor *cursor, const struct column_definition *column,
                               bool wide, void *result)
{
    JET_ERR err = JET_errSuccess;
    const char *table = base_table(cursor, column);
    /* The two forms begin alike. */
    JET_COLUMNBASE_A *out = result;
    out->cbStruct = wide ? sizeof(JET_COLUMNBASE_W) : sizeof(JET_COLUMNBASE_A);
    out->columnid = column_public_id(column);
    out->coltyp = column->type;
    out->wCountry = 0;
    out->langid = 0;
    out->cp = column_is_text(column) ? column->code_page : 0;
    out->wFiller = 0;
    out->cbMax = column->max_size;
    out->grbit = column_grbit(cursor, column);
    if (wide) {
        JET_COLUMNBASE_W *wide_out = result;
        TRY(api_text_out_wide(table, wide_out->szBaseTableName, sizeof(wide_out->szBaseTableName)));
        TRY(api_text_out_wide(column->name, wide_out->szBaseColumnName, sizeof(wide_out->szBaseColumnName)));
    } else {
        TRY(api_text_out(table, out->szBaseTableName, sizeof(out->szBaseTableName)));
        TRY(api_text_out(column->name, out->szBaseColumnName, sizeof(out->szBaseColumnName)));
    }
done:
    return err;
}

static const struct list_column column_list[] = {
    {JET_coltypLong, JET_bitColumnFixed | JET_bitColumnTTKey},
    {JET_coltypText, JET_bitColumnTTKey},
    {JET_coltypLong, JET_bitColumnFixed},
    {JET_coltypLong, JET_bitColumnFixed},
    {JET_coltypShort, JET_bitColumnFixed},
    {JET_coltypShort, JET_bitColumnFixed},
    {JET_coltypShort, JET_bitColumnFixed},
    {JET_coltypShort, JET_bitColumnFixed},
    {JET_coltypLong, JET_bitColumnFixed},
    {JET_coltypLong, JET_bitColumnFixed},
    {JET_coltypLongBinary, 0},
    {JET_coltypText, 0},
    {JET_coltypText, 0},
};

static JET_ERR column_list_row(struct list *list, const struct table_cursor *cursor,
                               const struct column_definition *column, uint32_t order, bool minimal)
{
    list_begin_row(list);
    if (order != 0)
        list_set_number(list, 0, order);
    list_set_text(list, 1, column->name);
    list_set_number(list, 2, column_public_id(column));
    if (!minimal) {
        list_set_number(list, 3, column->type);
        list_set_number(list, 4, 0);
        list_set_number(list, 5, 0);
        list_set_number(list, 6, column_is_text(column) ? column->code_page : 0);
        list_set_number(list, 7, 0);
        list_set_number(list, 8, column->max_size);
        list_set_number(list, 9, column_grbit(cursor, column));
        if (column->default_value != NULL && transaction_level(&list->session->transaction) > 0)
            list_set_bytes(list, 10, column->default_value, column->default_size);
        list_set_text(list, 11, base_table(cursor, column));
        list_set_text(list, 12, column->name);
    }
    return list_end_row(list);
}

static JET_ERR column_list_out(struct session *session, struct table_cursor *cursor, bool wide,
                               uint32_t level, void *result)
{
    JET_ERR err = JET_errSuccess;
    struct list list = {0};
    uint32_t position = 0;
    uint32_t order = 0;
    struct column_definition *column = NULL;
    const bool by_id =
        (level & JET_ColInfoGrbitSortByColumnid) != 0 || (level & LEVEL_MASK) == JET_ColInfoListSortColumnid;
    const bool own_only = (level & JET_ColInfoGrbitNonDerivedColumnsOnly) != 0 ||
                          (level & LEVEL_MASK) == JET_ColInfoListCompact;
    TRY(list_open(session, column_list, sizeof(column_list) / sizeof(column_list[0]), wide, &list));
    for (;;) {
        TRY(table_next_column(cursor, &position, &column));
        if (column == NULL)
            break;
        if (own_only && column->inherited)
            continue;
        order++;
        TRY(column_list_row(&list, cursor, column, by_id ? order : 0,
                            (level & JET_ColInfoGrbitMinimalInfo) != 0));
    }
    JET_COLUMNLIST *out = result;
    const JET_COLUMNID *ids = list.ids;
    *out = (JET_COLUMNLIST){
        .cbStruct = sizeof(*out),
        .cRecord = list.rows,
        .columnidPresentationOrder = ids[0],
        .columnidcolumnname = ids[1],
        .columnidcolumnid = ids[2],
        .columnidcoltyp = ids[3],
        .columnidCountry = ids[4],
        .columnidLangid = ids[5],
        .columnidCp = ids[6],
        .columnidCollate = ids[7],
        .columnidcbMax = ids[8],
        .columnidgrbit = ids[9],
        .columnidDefault = ids[10],
        .columnidBaseTableName = ids[11],
        .columnidBaseColumnName = ids[12],
        .columnidDefinitionName = ids[1],
    };
    TRY(list_publish(&list, &out->tableid));
done:
    list_abandon(&list);
    return err < JET_errSuccess ? err : JET_errSuccess;
}

/* What the result of a level takes, 0 for a level that there is not. */
static uint32_t level_size(uint32_t plain, bool wide)
{
    switch (plain) {
    case JET_ColInfo:
    case JET_ColInfoByColid:
        return sizeof(JET_COLUMNDEF);
    case JET_ColInfoList:
    case JET_ColInfoListCompact:
    case JET_ColInfoListSortColumnid:
        return sizeof(JET_COLUMNLIST);
    case JET_ColInfoBase:
    case JET_ColInfoBaseByColid:
        return wide ? sizeof(JET_COLUMNBASE_W) : sizeof(JET_COLUMNBASE_A);
    default:
        return 0;
    }
}

static JET_ERR column_info_check(const struct info_call *call)
{
    const uint32_t plain = call->level & LEVEL_MASK;
    const uint32_t size = level_size(plain, call->wide);
    if (plain == JET_ColInfoSysTabCursor)
        return JET_errFeatureNotAvailable;
    return size == 0 ? JET_errInvalidParameter : data_info_check_size(call, size);
}

static JET_ERR column_info(struct session *session, struct table_cursor *cursor, struct data_texts *texts,
                           const struct info_call *call)
{
    const void *name_or_id = call->name;
    JET_ERR err = JET_errSuccess;
    struct column_definition *column = NULL;
    const char *name = NULL;
    char checked[NAME_MAX_SIZE + 1];
    const uint32_t plain = call->level & LEVEL_MASK;
    switch (plain) {
    case JET_ColInfoList:
    case JET_ColInfoListCompact:
    case JET_ColInfoListSortColumnid:
        TRY(column_list_out(session, cursor, texts->wide, call->level, call->result));
        goto done;
    case JET_ColInfoByColid:
    case JET_ColInfoBaseByColid: {
        JET_COLUMNID id = 0;
        if (name_or_id == NULL)
            FAIL(JET_errInvalidParameter);
        memcpy(&id, name_or_id, sizeof(id));
        TRY(table_find_column(cursor, id, &column));
        break;
    }
    default: /* by name; other levels have been refused */
        TRY(data_text(texts, name_or_id, &name));
        if (name == NULL || name[0] == 0)
            FAIL(JET_errColumnNotFound);
        TRY(table_check_name(name, checked));
        TRY(table_find_column_by_name(cursor, checked, &column));
        break;
    }
    if (plain == JET_ColInfoBase || plain == JET_ColInfoBaseByColid)
        TRY(column_base_out(cursor, column, texts->wide, call->result));
    else
        column_definition_out(cursor, column, call->result);
done:
    return err;
}

JET_ERR JET_API JetGetTableColumnInfoA(JET_SESID sesid, JET_TABLEID tableid, JET_PCSTR szColumnName,
                                       void *pvResult, uint32_t cbMax, uint32_t InfoLevel)
{
    const struct info_call call = {szColumnName, false, pvResult, cbMax, InfoLevel};
    return data_info_of_cursor(sesid, tableid, &call, column_info_check, column_info);
}

JET_ERR JET_API JetGetTableColumnInfoW(JET_SESID sesid, JET_TABLEID tableid, JET_PCWSTR szColumnName,
                                       void *pvResult, uint32_t cbMax, uint32_t InfoLevel)
{
    const struct info_call call = {szColumnName, true, pvResult, cbMax, InfoLevel};
    return data_info_of_cursor(sesid, tableid, &call, column_info_check, column_info);
}

JET_ERR JET_API JetGetColumnInfoA(JET_SESID sesid, JET_DBID dbid, JET_PCSTR szTableName,
                                  JET_PCSTR pColumnNameOrId, void *pvResult, uint32_t cbMax,
                                  uint32_t InfoLevel)
{
    const struct info_call call = {pColumnNameOrId, false, pvResult, cbMax, InfoLevel};
    return data_info_of_name(sesid, dbid, szTableName, &call, column_info_check, column_info);
}

JET_ERR JET_API JetGetColumnInfoW(JET_SESID sesid, JET_DBID dbid, JET_PCWSTR szTableName,
                                  JET_PCWSTR pwColumnNameOrId, void *pvResult, uint32_t cbMax,
                                  uint32_t InfoLevel)
{
    const struct info_call call = {pwColumnNameOrId, true, pvResult, cbMax, InfoLevel};
    return data_info_of_name(sesid, dbid, szTableName, &call, column_info_check, column_info);
}
