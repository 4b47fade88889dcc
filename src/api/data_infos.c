/* Information about tables, columns and indexes (engine source: `info.cxx`). */
#include "src/api/data_common.h"
#include "src/api/data_lists.h"
#include "src/api/text.h"
#include "src/btree/space.h"
#include "src/cache/database.h"
#include "src/instance/databases.h"
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

static JET_GRBIT index_grbit(const struct index_definition *index)
{
    JET_GRBIT grbit = 0;
    const uint16_t flags = index->flags;
    if (flags & INDEX_FLAG_PRIMARY)
        grbit |= JET_bitIndexPrimary;
    if (flags & INDEX_FLAG_UNIQUE)
        grbit |= JET_bitIndexUnique;
    if (flags & INDEX_FLAG_NO_NULL_SEGMENT) {
        grbit |= JET_bitIndexDisallowNull;
    } else {
        if ((flags & INDEX_FLAG_ALLOW_ALL_NULLS) == 0)
            grbit |= JET_bitIndexIgnoreNull;
        if ((flags & INDEX_FLAG_ALLOW_FIRST_NULL) == 0)
            grbit |= JET_bitIndexIgnoreFirstNull;
        if ((flags & INDEX_FLAG_ALLOW_SOME_NULLS) == 0)
            grbit |= JET_bitIndexIgnoreAnyNull;
        if (flags & INDEX_FLAG_NULLS_HIGH)
            grbit |= JET_bitIndexSortNullsHigh;
    }
    if (index->tuples)
        grbit |= JET_bitIndexTuples;
    if (index->extended & INDEX_EXTENDED_DEFERRED_POPULATE)
        grbit |= JET_bitIndexDeferredPopulateCreate;
    if (index->key_max > KEY_SIZE_DEFAULT)
        grbit |= JET_bitIndexKeyMost;
    if (flags & INDEX_FLAG_CROSS_PRODUCT)
        grbit |= JET_bitIndexCrossProduct;
    if (flags & INDEX_FLAG_NESTED_TABLE)
        grbit |= JET_bitIndexNestedTable;
    if (flags & INDEX_FLAG_DISALLOW_TRUNCATION)
        grbit |= JET_bitIndexDisallowTruncation;
    if (index->extended & INDEX_EXTENDED_DOTNET_GUID)
        grbit |= JET_bitIndexDotNetGuid;
    return grbit;
}

/* --- columns --- */

static JET_ERR column_definition_out(const struct table_cursor *cursor,
                                     const struct column_definition *column, void *result, uint32_t max)
{
    JET_COLUMNDEF out = {
        .cbStruct = sizeof(out),
        .columnid = column_public_id(column),
        .coltyp = column->type,
        .cp = column_is_text(column) ? column->code_page : 0,
        .cbMax = column->max_size,
        .grbit = column_grbit(cursor, column),
    };
    if (max < sizeof(out) || result == NULL)
        return JET_errInvalidParameter;
    memcpy(result, &out, sizeof(out));
    return JET_errSuccess;
}

static JET_ERR column_base_out(const struct table_cursor *cursor, const struct column_definition *column,
                               bool wide, void *result, uint32_t max)
{
    JET_ERR err = JET_errSuccess;
    const char *table = column->inherited ? cursor->table->template_name : cursor->table->name;
    if (result == NULL || max < (wide ? sizeof(JET_COLUMNBASE_W) : sizeof(JET_COLUMNBASE_A)))
        return JET_errInvalidParameter;
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
    JET_ERR err = JET_errSuccess;
    TRY(list_begin_row(list));
    if (order != 0)
        TRY(list_set_number(list, 0, order));
    TRY(list_set_text(list, 1, column->name));
    TRY(list_set_number(list, 2, column_public_id(column)));
    if (!minimal) {
        TRY(list_set_number(list, 3, column->type));
        TRY(list_set_number(list, 4, 0));
        TRY(list_set_number(list, 5, 0));
        TRY(list_set_number(list, 6, column_is_text(column) ? column->code_page : 0));
        TRY(list_set_number(list, 7, 0));
        TRY(list_set_number(list, 8, column->max_size));
        TRY(list_set_number(list, 9, column_grbit(cursor, column)));
        if (column->default_value != NULL && transaction_level(&list->session->transaction) > 0)
            TRY(list_set_bytes(list, 10, column->default_value, column->default_size));
        TRY(list_set_text(list, 11, column->inherited ? cursor->table->template_name : cursor->table->name));
        TRY(list_set_text(list, 12, column->name));
    }
    TRY(list_end_row(list));
done:
    return err;
}

static JET_ERR column_list_out(struct session *session, struct table_cursor *cursor, bool wide,
                               uint32_t level, void *result, uint32_t max)
{
    JET_ERR err = JET_errSuccess;
    struct list list = {0};
    uint32_t position = 0;
    uint32_t order = 0;
    struct column_definition *column = NULL;
    const bool by_id =
        (level & JET_ColInfoGrbitSortByColumnid) != 0 || (level & LEVEL_MASK) == JET_ColInfoListSortColumnid;
    if (cursor->is_temporary)
        FAIL(JET_errIllegalOperation);
    if (result == NULL || max < sizeof(JET_COLUMNLIST))
        FAIL(JET_errInvalidParameter);
    TRY(list_open(session, column_list, sizeof(column_list) / sizeof(column_list[0]), wide, &list));
    for (;;) {
        TRY(table_next_column(cursor, &position, &column));
        if (column == NULL)
            break;
        if ((level & JET_ColInfoGrbitNonDerivedColumnsOnly) != 0 && column->inherited)
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
        .columnidDefinitionName = ids[12],
    };
    TRY(list_publish(&list, &out->tableid));
done:
    list_abandon(&list);
    return err < JET_errSuccess ? err : JET_errSuccess;
}

static JET_ERR column_info(struct session *session, struct table_cursor *cursor, struct data_texts *texts,
                           const void *name_or_id, void *result, uint32_t max, uint32_t level)
{
    JET_ERR err = JET_errSuccess;
    struct column_definition *column = NULL;
    const char *name = NULL;
    char checked[NAME_MAX_SIZE + 1];
    const uint32_t plain = level & LEVEL_MASK;
    switch (plain) {
    case JET_ColInfoList:
    case JET_ColInfoListCompact:
    case JET_ColInfoListSortColumnid:
        TRY(column_list_out(session, cursor, texts->wide, level, result, max));
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
    case JET_ColInfo:
    case JET_ColInfoBase:
        TRY(data_text(texts, name_or_id, &name));
        if (name == NULL || name[0] == 0)
            FAIL(JET_errColumnNotFound);
        TRY(table_check_name(name, checked));
        TRY(table_find_column_by_name(cursor, checked, &column));
        break;
    default:
        FAIL(JET_errInvalidParameter);
    }
    if (plain == JET_ColInfoBase || plain == JET_ColInfoBaseByColid)
        TRY(column_base_out(cursor, column, texts->wide, result, max));
    else
        TRY(column_definition_out(cursor, column, result, max));
done:
    return err;
}

static JET_ERR table_column_info(JET_SESID sesid, JET_TABLEID tableid, const void *name, bool wide,
                                 void *result, uint32_t max, uint32_t level)
{
    JET_ERR err = JET_errSuccess;
    struct data_call call;
    struct data_texts texts;
    data_texts_init(&texts, wide);
    TRY(data_enter_unless(sesid, tableid, REFUSE_TEMPORARY, &call));
    TRY(column_info(call.session, call.cursor, &texts, name, result, max, level));
done:
    data_texts_free(&texts);
    data_leave(&call);
    return err;
}

JET_ERR JET_API JetGetTableColumnInfoA(JET_SESID sesid, JET_TABLEID tableid, JET_PCSTR szColumnName,
                                       void *pvResult, uint32_t cbMax, uint32_t InfoLevel)
{
    return table_column_info(sesid, tableid, szColumnName, false, pvResult, cbMax, InfoLevel);
}

JET_ERR JET_API JetGetTableColumnInfoW(JET_SESID sesid, JET_TABLEID tableid, JET_PCWSTR szColumnName,
                                       void *pvResult, uint32_t cbMax, uint32_t InfoLevel)
{
    return table_column_info(sesid, tableid, szColumnName, true, pvResult, cbMax, InfoLevel);
}

/* Calls that name the table: it is opened for them. */
struct named_table {
    struct session *session;
    struct database *database;
    struct table_cursor *cursor;
    struct data_texts texts;
};

static JET_ERR named_open(struct named_table *named, JET_SESID sesid, JET_DBID dbid, const void *table,
                          bool wide)
{
    JET_ERR err = JET_errSuccess;
    const char *name = NULL;
    *named = (struct named_table){0};
    data_texts_init(&named->texts, wide);
    err = session_enter_database(sesid, dbid, &named->session, &named->database);
    if (err < JET_errSuccess) {
        named->session = NULL;
        goto done;
    }
    TRY(data_text(&named->texts, table, &name));
    if (name == NULL || name[0] == 0)
        FAIL(JET_errInvalidParameter);
    TRY(table_open(&named->session->transaction, named->database, name, JET_bitTableReadOnly,
                   &named->cursor));
done:
    return err;
}

static void named_close(struct named_table *named)
{
    table_cursor_close(named->cursor);
    data_texts_free(&named->texts);
    if (named->session != NULL)
        session_leave(named->session);
}

static JET_ERR get_column_info(JET_SESID sesid, JET_DBID dbid, const void *table, const void *name, bool wide,
                               void *result, uint32_t max, uint32_t level)
{
    JET_ERR err = JET_errSuccess;
    struct named_table named;
    TRY(named_open(&named, sesid, dbid, table, wide));
    TRY(column_info(named.session, named.cursor, &named.texts, name, result, max, level));
done:
    named_close(&named);
    return err;
}

JET_ERR JET_API JetGetColumnInfoA(JET_SESID sesid, JET_DBID dbid, JET_PCSTR szTableName,
                                  JET_PCSTR pColumnNameOrId, void *pvResult, uint32_t cbMax,
                                  uint32_t InfoLevel)
{
    return get_column_info(sesid, dbid, szTableName, pColumnNameOrId, false, pvResult, cbMax, InfoLevel);
}

JET_ERR JET_API JetGetColumnInfoW(JET_SESID sesid, JET_DBID dbid, JET_PCWSTR szTableName,
                                  JET_PCWSTR pwColumnNameOrId, void *pvResult, uint32_t cbMax,
                                  uint32_t InfoLevel)
{
    return get_column_info(sesid, dbid, szTableName, pwColumnNameOrId, true, pvResult, cbMax, InfoLevel);
}

/* --- indexes --- */

static const struct list_column index_list[] = {
    {JET_coltypText, JET_bitColumnTTKey},
    {JET_coltypLong, JET_bitColumnFixed},
    {JET_coltypLong, JET_bitColumnFixed},
    {JET_coltypLong, JET_bitColumnFixed},
    {JET_coltypLong, JET_bitColumnFixed},
    {JET_coltypLong, JET_bitColumnFixed},
    {JET_coltypLong, JET_bitColumnFixed | JET_bitColumnTTKey},
    {JET_coltypLong, JET_bitColumnFixed},
    {JET_coltypLong, JET_bitColumnFixed},
    {JET_coltypShort, JET_bitColumnFixed},
    {JET_coltypShort, JET_bitColumnFixed},
    {JET_coltypShort, JET_bitColumnFixed},
    {JET_coltypShort, JET_bitColumnFixed},
    {JET_coltypLong, JET_bitColumnFixed},
    {JET_coltypText, 0},
    {JET_coltypLong, JET_bitColumnFixed},
};

static JET_ERR index_list_rows(struct list *list, const struct table_cursor *cursor,
                               const struct index_definition *index)
{
    JET_ERR err = JET_errSuccess;
    for (uint32_t i = 0; i < index->column_count; i++) {
        const struct column_definition *column =
            table_definition_column(cursor->table, index->columns[i].column);
        TRY(list_begin_row(list));
        TRY(list_set_text(list, 0, index->name));
        TRY(list_set_number(list, 1, index_grbit(index)));
        TRY(list_set_number(list, 2, 0));
        TRY(list_set_number(list, 3, 0));
        TRY(list_set_number(list, 4, 0));
        TRY(list_set_number(list, 5, index->column_count));
        TRY(list_set_number(list, 6, i));
        TRY(list_set_number(list, 7, index->columns[i].column));
        TRY(list_set_number(list, 8, column->type));
        TRY(list_set_number(list, 9, 0));
        TRY(list_set_number(list, 10, 0));
        TRY(list_set_number(list, 11, column_is_text(column) ? column->code_page : 0));
        TRY(list_set_number(list, 12, 0));
        TRY(list_set_number(list, 13,
                            index->columns[i].descending ? JET_bitKeyDescending : JET_bitKeyAscending));
        TRY(list_set_text(list, 14, column->name));
        TRY(list_set_number(list, 15, index->map_flags));
        TRY(list_end_row(list));
    }
done:
    return err;
}

static JET_ERR index_list_all(struct list *list, struct table_cursor *cursor)
{
    JET_ERR err = JET_errSuccess;
    struct index_definition *primary = NULL;
    TRY(table_find_index(cursor, NULL, &primary));
    if (primary != NULL)
        TRY(index_list_rows(list, cursor, primary));
    for (const struct index_definition *index = cursor->table->secondary; index != NULL;
         index = index->next) {
        bool sees = false;
        if (index->state == DEFINITION_DELETED)
            continue;
        TRY(catalog_sees_index(cursor->transaction, cursor->table, index, &sees));
        if (sees)
            TRY(index_list_rows(list, cursor, index));
    }
done:
    return err;
}

static JET_ERR index_list_out(struct session *session, struct table_cursor *cursor,
                              const struct index_definition *one, bool wide, void *result, uint32_t max)
{
    JET_ERR err = JET_errSuccess;
    struct list list = {0};
    if (result == NULL || max < sizeof(JET_INDEXLIST))
        FAIL(JET_errInvalidParameter);
    TRY(list_open(session, index_list, sizeof(index_list) / sizeof(index_list[0]), wide, &list));
    TRY(one != NULL ? index_list_rows(&list, cursor, one) : index_list_all(&list, cursor));
    JET_INDEXLIST *out = result;
    const JET_COLUMNID *ids = list.ids;
    *out = (JET_INDEXLIST){
        .cbStruct = sizeof(*out),
        .cRecord = list.rows,
        .columnidindexname = ids[0],
        .columnidgrbitIndex = ids[1],
        .columnidcKey = ids[2],
        .columnidcEntry = ids[3],
        .columnidcPage = ids[4],
        .columnidcColumn = ids[5],
        .columnidiColumn = ids[6],
        .columnidcolumnid = ids[7],
        .columnidcoltyp = ids[8],
        .columnidCountry = ids[9],
        .columnidLangid = ids[10],
        .columnidCp = ids[11],
        .columnidCollate = ids[12],
        .columnidgrbitColumn = ids[13],
        .columnidcolumnname = ids[14],
        .columnidLCMapFlags = ids[15],
    };
    TRY(list_publish(&list, &out->tableid));
done:
    list_abandon(&list);
    return err < JET_errSuccess ? err : JET_errSuccess;
}

/* A JET_INDEXID holds the index' object id and its tree's root behind eight bytes that tell the table. */
void data_id_of_index(const struct table_cursor *cursor, const struct index_definition *index,
                      JET_INDEXID *id)
{
    const uint64_t table = cursor->table->id;
    const uint32_t numbers[2] = {index->id, index->root};
    id->cbStruct = sizeof(*id);
    memcpy(id->rgbIndexId, &table, sizeof(table));
    memcpy(id->rgbIndexId + sizeof(table), numbers, sizeof(numbers));
}

JET_ERR data_index_of_id(struct table_cursor *cursor, const JET_INDEXID *id, struct index_definition **index)
{
    uint64_t table = 0;
    uint32_t numbers[2];
    if (id->cbStruct != sizeof(*id))
        return JET_errInvalidIndexId;
    memcpy(&table, id->rgbIndexId, sizeof(table));
    memcpy(numbers, id->rgbIndexId + sizeof(table), sizeof(numbers));
    *index = cursor->table->primary;
    while (*index != NULL && ((*index)->id != numbers[0] || (*index)->root != numbers[1]))
        *index = index_is_primary(*index) ? cursor->table->secondary : (*index)->next;
    if (*index == NULL && cursor->table->primary == NULL) {
        for (*index = cursor->table->secondary; *index != NULL; *index = (*index)->next) {
            if ((*index)->id == numbers[0] && (*index)->root == numbers[1])
                break;
        }
    }
    if (table != cursor->table->id || *index == NULL)
        return JET_errInvalidIndexId;
    bool sees = false;
    JET_ERR err = catalog_sees_index(cursor->transaction, cursor->table, *index, &sees);
    return err < JET_errSuccess ? err : sees ? JET_errSuccess : JET_errInvalidIndexId;
}

static JET_ERR put_number(void *result, uint32_t max, uint32_t value, uint32_t size)
{
    if (result == NULL || max < size)
        return JET_errInvalidBufferSize;
    memcpy(result, &value, size);
    return JET_errSuccess;
}

static JET_ERR count_indexes(struct table_cursor *cursor, uint32_t *count)
{
    JET_ERR err = JET_errSuccess;
    *count = 1; /* the rows' own order, with or without an index */
    for (const struct index_definition *index = cursor->table->secondary; index != NULL;
         index = index->next) {
        bool sees = false;
        if (index->state != DEFINITION_DELETED)
            TRY(catalog_sees_index(cursor->transaction, cursor->table, index, &sees));
        *count += sees;
    }
done:
    return err;
}

static JET_ERR locale_name_out(const struct index_definition *index, bool wide, void *result, uint32_t max)
{
    char name[85];
    size_t length = 0;
    do
        name[length] = (char)index->locale[length];
    while (index->locale[length++] != 0);
    return wide ? api_text_out_wide(name, result, max) : api_text_out(name, result, max);
}

static JET_ERR lcid_out(const struct index_definition *index, void *result, uint32_t max)
{
    uint16_t locale[DATA_LOCALE_SIZE];
    for (uint32_t lcid = 0x400; lcid < 0x1000; lcid++) {
        if (data_locale_of_lcid(lcid, locale) != JET_errSuccess || locale[0] == 0)
            continue;
        size_t i = 0;
        while (locale[i] != 0 && locale[i] == index->locale[i])
            i++;
        if (locale[i] == 0 && index->locale[i] == 0)
            return put_number(result, max, lcid, max == sizeof(uint16_t) ? 2 : 4);
    }
    return put_number(result, max, 0, max == sizeof(uint16_t) ? 2 : 4);
}

static JET_ERR space_of_tree(struct session *session, struct table_cursor *cursor, page_number root,
                             bool owned, void *result, uint32_t max)
{
    JET_ERR err = JET_errSuccess;
    struct tree *tree = NULL;
    uint32_t count = 0;
    TRY(tree_open(session->instance->trees, cursor->database, root, &tree));
    TRY(space_count(tree, owned ? &count : NULL, owned ? NULL : &count));
    if (max < sizeof(count))
        FAIL(JET_errBufferTooSmall);
    memcpy(result, &count, sizeof(count));
done:
    if (tree != NULL)
        tree_close(tree);
    return err;
}

/* The limits of keys as the catalog has them. */
static JET_ERR key_limits_out(const struct index_definition *index, bool segment, void *result, uint32_t max)
{
    const bool stored = index->stored_key_max != 0;
    const uint16_t key_max = stored ? index->stored_key_max : index->key_max;
    const uint16_t segment_max = stored ? index->stored_segment_max : index->segment_max;
    return put_number(result, max, segment ? segment_max : key_max, 2);
}

/* Whether the catalog has no note of the limit, because it is the default one. */
static bool limit_is_unwritten(const struct index_definition *index, bool segment)
{
    const bool stored = index->stored_key_max != 0;
    const uint16_t key_max = stored ? index->stored_key_max : index->key_max;
    const uint16_t segment_max = stored ? index->stored_segment_max : index->segment_max;
    return key_max == KEY_SIZE_DEFAULT && (!segment || segment_max == key_max);
}

/* In a transaction the published engine's JetGetTableIndexInfo lets slip the warning that it got when it
 * looked for a limit that is not stored. */
static JET_ERR slip_warning(struct table_cursor *cursor, const char *name, uint32_t level)
{
    struct index_definition *index = NULL;
    char checked[NAME_MAX_SIZE + 1];
    if ((level != JET_IdxInfoVarSegMac && level != JET_IdxInfoKeyMost) ||
        transaction_level(cursor->transaction) == 0)
        return JET_errSuccess;
    JET_ERR err = table_check_name(name, checked);
    if (err >= JET_errSuccess)
        err = table_find_index(cursor, checked, &index);
    if (err < JET_errSuccess)
        return err;
    return limit_is_unwritten(index, level == JET_IdxInfoVarSegMac) ? JET_wrnColumnNull : JET_errSuccess;
}

static JET_ERR index_info(struct session *session, struct table_cursor *cursor, struct data_texts *texts,
                          const void *name_text, void *result, uint32_t max, uint32_t level)
{
    JET_ERR err = JET_errSuccess;
    struct index_definition *index = NULL;
    const char *name = NULL;
    char checked[NAME_MAX_SIZE + 1];
    uint32_t count = 0;
    if (cursor->is_temporary)
        FAIL(JET_errIllegalOperation);
    TRY(data_text(texts, name_text, &name));
    const bool named = name != NULL && name[0] != 0;
    if (level == JET_IdxInfoCount) {
        if (named)
            TRY(table_check_name(name, checked));
        TRY(count_indexes(cursor, &count));
        TRY(put_number(result, max, count, 4));
        goto done;
    }
    if (named) {
        TRY(table_check_name(name, checked));
        TRY(table_find_index(cursor, checked, &index));
    }
    switch (level) {
    case JET_IdxInfo:
    case JET_IdxInfoList:
        TRY(index_list_out(session, cursor, named ? index : NULL, texts->wide, result, max));
        goto done;
    default:
        break;
    }
    if (index == NULL) /* only whole lists go without a name */
        FAIL(JET_errIndexNotFound);
    switch (level) {
    case JET_IdxInfoSpaceAlloc:
        TRY(put_number(result, max, index->density, 4));
        break;
    case JET_IdxInfoLCID:
        TRY(lcid_out(index, result, max));
        break;
    case JET_IdxInfoVarSegMac:
    case JET_IdxInfoKeyMost:
        TRY(key_limits_out(index, level == JET_IdxInfoVarSegMac, result, max));
        break;
    case JET_IdxInfoIndexId:
        if (result == NULL || max < sizeof(JET_INDEXID))
            FAIL(JET_errInvalidBufferSize);
        data_id_of_index(cursor, index, result);
        break;
    case JET_IdxInfoLocaleName:
        TRY(locale_name_out(index, texts->wide, result, max));
        break;
    case JET_IdxInfoSpaceOwned:
    case JET_IdxInfoSpaceAvailable:
        TRY(space_of_tree(session, cursor, index->root, level == JET_IdxInfoSpaceOwned, result, max));
        break;
    case JET_IdxInfoSysTabCursor:
    case JET_IdxInfoOLC:
    case JET_IdxInfoResetOLC:
        FAIL(JET_errFeatureNotAvailable);
    default:
        FAIL(JET_errInvalidParameter);
    }
done:
    return err;
}

static JET_ERR table_index_info(JET_SESID sesid, JET_TABLEID tableid, const void *name, bool wide,
                                void *result, uint32_t max, uint32_t level)
{
    JET_ERR err = JET_errSuccess;
    struct data_call call;
    struct data_texts texts;
    data_texts_init(&texts, wide);
    TRY(data_enter_unless(sesid, tableid, REFUSE_TEMPORARY, &call));
    TRY(index_info(call.session, call.cursor, &texts, name, result, max, level));
    const char *text = NULL;
    TRY(data_text(&texts, name, &text));
    err = slip_warning(call.cursor, text, level);
done:
    data_texts_free(&texts);
    data_leave(&call);
    return err;
}

JET_ERR JET_API JetGetTableIndexInfoA(JET_SESID sesid, JET_TABLEID tableid, JET_PCSTR szIndexName,
                                      void *pvResult, uint32_t cbResult, uint32_t InfoLevel)
{
    return table_index_info(sesid, tableid, szIndexName, false, pvResult, cbResult, InfoLevel);
}

JET_ERR JET_API JetGetTableIndexInfoW(JET_SESID sesid, JET_TABLEID tableid, JET_PCWSTR szIndexName,
                                      void *pvResult, uint32_t cbResult, uint32_t InfoLevel)
{
    return table_index_info(sesid, tableid, szIndexName, true, pvResult, cbResult, InfoLevel);
}

static JET_ERR get_index_info(JET_SESID sesid, JET_DBID dbid, const void *table, const void *name, bool wide,
                              void *result, uint32_t max, uint32_t level)
{
    JET_ERR err = JET_errSuccess;
    struct named_table named;
    TRY(named_open(&named, sesid, dbid, table, wide));
    TRY(index_info(named.session, named.cursor, &named.texts, name, result, max, level));
done:
    named_close(&named);
    return err;
}

JET_ERR JET_API JetGetIndexInfoA(JET_SESID sesid, JET_DBID dbid, JET_PCSTR szTableName, JET_PCSTR szIndexName,
                                 void *pvResult, uint32_t cbResult, uint32_t InfoLevel)
{
    return get_index_info(sesid, dbid, szTableName, szIndexName, false, pvResult, cbResult, InfoLevel);
}

JET_ERR JET_API JetGetIndexInfoW(JET_SESID sesid, JET_DBID dbid, JET_PCWSTR szTableName,
                                 JET_PCWSTR szIndexName, void *pvResult, uint32_t cbResult,
                                 uint32_t InfoLevel)
{
    return get_index_info(sesid, dbid, szTableName, szIndexName, true, pvResult, cbResult, InfoLevel);
}

/* --- tables --- */

static JET_ERR table_info(struct session *session, struct table_cursor *cursor, bool wide, void *result,
                          uint32_t max, uint32_t level)
{
    JET_ERR err = JET_errSuccess;
    const struct table_definition *table = cursor->table;
    const uint32_t unit = wide ? 2 : 1;
    switch (level) {
    case JET_TblInfo: {
        JET_OBJECTINFO info = {
            .cbStruct = sizeof(info),
            .objtyp = JET_objtypTable,
            .grbit = JET_bitTableInfoBookmark | JET_bitTableInfoRollback |
                     (cursor->updatable ? JET_bitTableInfoUpdatable : 0u),
            .flags = table->flags,
        };
        if (max < sizeof(info))
            FAIL(JET_errBufferTooSmall);
        if (cursor->is_temporary)
            FAIL(JET_errObjectNotFound);
        memcpy(result, &info, sizeof(info));
        break;
    }
    case JET_TblInfoName:
    case JET_TblInfoTemplateTableName: {
        const char *name = level == JET_TblInfoName ? table->name : table->template_name;
        if (cursor->is_temporary)
            FAIL(JET_errInvalidOperation);
        if ((strlen(name) + 1) * unit > max || (level != JET_TblInfoName && max <= NAME_MAX_SIZE))
            FAIL(JET_errBufferTooSmall);
        TRY(wide ? api_text_out_wide(name, result, max) : api_text_out(name, result, max));
        break;
    }
    case JET_TblInfoDbid:
        if (max < sizeof(JET_DBID))
            FAIL(JET_errBufferTooSmall);
        if (cursor->is_temporary)
            FAIL(JET_errInvalidOperation);
        JET_DBID id = databases_id(session->instance, cursor->database);
        memcpy(result, &id, sizeof(id));
        break;
    case JET_TblInfoSpaceOwned:
    case JET_TblInfoSpaceAvailable:
        TRY(space_of_tree(session, cursor, table->root, level == JET_TblInfoSpaceOwned, result, max));
        break;
    case JET_TblInfoSpaceAlloc: {
        const uint32_t numbers[2] = {table->initial_pages, table->density};
        if (max < sizeof(numbers))
            FAIL(JET_errBufferTooSmall);
        memcpy(result, numbers, sizeof(numbers));
        break;
    }
    case JET_TblInfoOLC:
    case JET_TblInfoResetOLC:
    case JET_TblInfoRvt:
    case JET_TblInfoMostMany:
    case JET_TblInfoSpaceUsage:
    case JET_TblInfoDumpTable:
        FAIL(JET_errFeatureNotAvailable);
    default:
        FAIL(JET_errInvalidParameter);
    }
done:
    return err;
}

static JET_ERR get_table_info(JET_SESID sesid, JET_TABLEID tableid, bool wide, void *result, uint32_t max,
                              uint32_t level)
{
    JET_ERR err = JET_errSuccess;
    struct data_call call;
    TRY(data_enter_unless(sesid, tableid, REFUSE_INSERTING, &call));
    if (result == NULL)
        max = 0;
    TRY(table_info(call.session, call.cursor, wide, result, max, level));
done:
    data_leave(&call);
    return err;
}

JET_ERR JET_API JetGetTableInfoA(JET_SESID sesid, JET_TABLEID tableid, void *pvResult, uint32_t cbMax,
                                 uint32_t InfoLevel)
{
    return get_table_info(sesid, tableid, false, pvResult, cbMax, InfoLevel);
}

JET_ERR JET_API JetGetTableInfoW(JET_SESID sesid, JET_TABLEID tableid, void *pvResult, uint32_t cbMax,
                                 uint32_t InfoLevel)
{
    return get_table_info(sesid, tableid, true, pvResult, cbMax, InfoLevel);
}
