/* Information about indexes (engine source: `info.cxx`). */
#include "src/api/data_index_creation.h"
#include "src/api/data_lists.h"
#include "src/api/text.h"
#include "src/os/memory.h"

/* What JET_INDEXLIST took before it had columnidLCMapFlags, as the engine counts. */
#define INDEX_LIST_OLD_SIZE (sizeof(JET_INDEXLIST) - 4)

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
        list_begin_row(list);
        list_set_text(list, 0, index->name);
        list_set_number(list, 1, index_grbit(index));
        list_set_number(list, 2, 0);
        list_set_number(list, 3, 0);
        list_set_number(list, 4, 0);
        list_set_number(list, 5, index->column_count);
        list_set_number(list, 6, i);
        list_set_number(list, 7, index->columns[i].column);
        list_set_number(list, 8, column->type);
        list_set_number(list, 9, 0);
        list_set_number(list, 10, 0);
        list_set_number(list, 11, column_is_text(column) ? column->code_page : 0);
        list_set_number(list, 12, 0);
        list_set_number(list, 13, index->columns[i].descending ? JET_bitKeyDescending : JET_bitKeyAscending);
        list_set_text(list, 14, column->name);
        list_set_number(list, 15, index->map_flags);
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
    TRY(list_open(session, index_list, sizeof(index_list) / sizeof(index_list[0]), wide, &list));
    TRY(one != NULL ? index_list_rows(&list, cursor, one) : index_list_all(&list, cursor));
    const JET_COLUMNID *ids = list.ids;
    JET_INDEXLIST out = {
        .cbStruct = max < sizeof(out) ? INDEX_LIST_OLD_SIZE : sizeof(out),
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
    TRY(list_publish(&list, &out.tableid));
    memcpy(result, &out, out.cbStruct);
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
    if (max < size)
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

/* The number of the index' locale, 0 for one without. */
static uint32_t lcid_of_index(const struct index_definition *index)
{
    uint16_t locale[DATA_LOCALE_SIZE];
    for (uint32_t lcid = 0x400; lcid < 0x1000; lcid++) {
        if (data_locale_of_lcid(lcid, locale) != JET_errSuccess || locale[0] == 0)
            continue;
        size_t i = 0;
        while (locale[i] != 0 && locale[i] == index->locale[i])
            i++;
        if (locale[i] == 0 && index->locale[i] == 0)
            return lcid;
    }
    return 0;
}

static JET_ERR lcid_out(const struct index_definition *index, void *result, uint32_t max)
{
    return put_number(result, max, lcid_of_index(index),
                      max == sizeof(uint16_t) ? sizeof(uint16_t) : sizeof(uint32_t));
}

/* The limits of keys as the catalog has them. */
static void key_limits_out(const struct index_definition *index, bool segment, void *result)
{
    const bool stored = index->stored_key_max != 0;
    const uint16_t key_max = stored ? index->stored_key_max : index->key_max;
    const uint16_t segment_max = stored ? index->stored_segment_max : index->segment_max;
    memcpy(result, segment ? &segment_max : &key_max, sizeof(key_max));
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
static JET_ERR slip_warning(const struct table_cursor *cursor, const struct index_definition *index,
                            uint32_t level)
{
    if ((level != JET_IdxInfoVarSegMac && level != JET_IdxInfoKeyMost) ||
        transaction_level(cursor->transaction) == 0)
        return JET_errSuccess;
    return limit_is_unwritten(index, level == JET_IdxInfoVarSegMac) ? JET_wrnColumnNull : JET_errSuccess;
}

/* The least size of the buffer for a level, 0 for a level that is not built, and for those that there are
 * not. */
static uint32_t least_size(uint32_t level)
{
    switch (level) {
    case JET_IdxInfo:
    case JET_IdxInfoList:
        return INDEX_LIST_OLD_SIZE;
    case JET_IdxInfoSpaceOwned:
    case JET_IdxInfoSpaceAvailable:
    case JET_IdxInfoSpaceAlloc:
    case JET_IdxInfoCount:
        return sizeof(uint32_t);
    case JET_IdxInfoLCID:
    case JET_IdxInfoVarSegMac:
    case JET_IdxInfoKeyMost:
        return sizeof(uint16_t);
    case JET_IdxInfoIndexId:
        return sizeof(JET_INDEXID);
    case JET_IdxInfoLocaleName:
        return DATA_LOCALE_SIZE * sizeof(WCHAR);
    default:
        return data_index_creation_size(level);
    }
}

static JET_ERR index_info_check(const struct info_call *call)
{
    const uint32_t least = least_size(call->level);
    if (least > 0)
        return data_info_check_size(call, least);
    switch (call->level) {
    case JET_IdxInfoSysTabCursor:
    case JET_IdxInfoOLC:
    case JET_IdxInfoResetOLC:
        return JET_errFeatureNotAvailable;
    default:
        return JET_errInvalidParameter;
    }
}

/* What an index owns itself: rows lie in the table's own tree, which owns the others'. */
static JET_ERR index_space(struct session *session, struct table_cursor *cursor,
                           const struct index_definition *index, bool owned, void *result)
{
    JET_ERR err = JET_errSuccess;
    uint32_t pages = 0;
    uint32_t parts = 0;
    TRY(data_pages_of_tree(session, cursor, index->root, owned, &pages));
    if (owned && index_is_primary(index))
        TRY(data_pages_of_parts(session, cursor, true, &parts));
    pages -= parts;
    memcpy(result, &pages, sizeof(pages));
done:
    return err;
}

/* `*found` is the index that was named, NULL if none was. */
static JET_ERR find_index_info(struct session *session, struct table_cursor *cursor, struct data_texts *texts,
                               const struct info_call *call, struct index_definition **found)
{
    void *result = call->result;
    const uint32_t max = call->max;
    const uint32_t level = call->level;
    JET_ERR err = JET_errSuccess;
    struct index_definition *index = NULL;
    const char *name = NULL;
    char checked[NAME_MAX_SIZE + 1];
    uint32_t count = 0;
    TRY(data_text(texts, call->name, &name));
    const bool named = name != NULL && name[0] != 0;
    if (level == JET_IdxInfoCount) {
        if (named)
            TRY(table_check_name(name, checked));
        TRY(count_indexes(cursor, &count));
        memcpy(result, &count, sizeof(count));
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
    if (!named && data_index_creation_size(level) != 0)
        TRY(table_find_index(cursor, NULL, &index));
    if (index == NULL) /* only whole lists, and how to make the primary index, go without a name */
        FAIL(JET_errIndexNotFound);
    switch (level) {
    case JET_IdxInfoCreateIndex:
    case JET_IdxInfoCreateIndex2:
    case JET_IdxInfoCreateIndex3:
        TRY(data_index_creation_out(cursor, index, index_grbit(index), lcid_of_index(index), call));
        break;
    case JET_IdxInfoSpaceAlloc:
        count = index->density;
        memcpy(result, &count, sizeof(count));
        break;
    case JET_IdxInfoLCID:
        TRY(lcid_out(index, result, max));
        break;
    case JET_IdxInfoVarSegMac:
    case JET_IdxInfoKeyMost:
        key_limits_out(index, level == JET_IdxInfoVarSegMac, result);
        break;
    case JET_IdxInfoIndexId:
        data_id_of_index(cursor, index, result);
        break;
    case JET_IdxInfoLocaleName:
        TRY(locale_name_out(index, texts->wide, result, max));
        break;
    default: /* others have been refused */
        if (max != sizeof(uint32_t))
            FAIL(JET_errInvalidBufferSize);
        TRY(index_space(session, cursor, index, level == JET_IdxInfoSpaceOwned, result));
        break;
    }
done:
    *found = index;
    return err;
}

static JET_ERR index_info(struct session *session, struct table_cursor *cursor, struct data_texts *texts,
                          const struct info_call *call)
{
    struct index_definition *index;
    return find_index_info(session, cursor, texts, call, &index);
}

static JET_ERR table_index_info(struct session *session, struct table_cursor *cursor,
                                struct data_texts *texts, const struct info_call *call)
{
    JET_ERR err = JET_errSuccess;
    struct index_definition *index;
    TRY(find_index_info(session, cursor, texts, call, &index));
    err = slip_warning(cursor, index, call->level);
done:
    return err;
}

JET_ERR JET_API JetGetTableIndexInfoA(JET_SESID sesid, JET_TABLEID tableid, JET_PCSTR szIndexName,
                                      void *pvResult, uint32_t cbResult, uint32_t InfoLevel)
{
    const struct info_call call = {szIndexName, false, pvResult, cbResult, InfoLevel};
    return data_info_of_cursor(sesid, tableid, &call, index_info_check, table_index_info);
}

JET_ERR JET_API JetGetTableIndexInfoW(JET_SESID sesid, JET_TABLEID tableid, JET_PCWSTR szIndexName,
                                      void *pvResult, uint32_t cbResult, uint32_t InfoLevel)
{
    const struct info_call call = {szIndexName, true, pvResult, cbResult, InfoLevel};
    return data_info_of_cursor(sesid, tableid, &call, index_info_check, table_index_info);
}

JET_ERR JET_API JetGetIndexInfoA(JET_SESID sesid, JET_DBID dbid, JET_PCSTR szTableName, JET_PCSTR szIndexName,
                                 void *pvResult, uint32_t cbResult, uint32_t InfoLevel)
{
    const struct info_call call = {szIndexName, false, pvResult, cbResult, InfoLevel};
    return data_info_of_name(sesid, dbid, szTableName, &call, index_info_check, index_info);
}

JET_ERR JET_API JetGetIndexInfoW(JET_SESID sesid, JET_DBID dbid, JET_PCWSTR szTableName,
                                 JET_PCWSTR szIndexName, void *pvResult, uint32_t cbResult,
                                 uint32_t InfoLevel)
{
    const struct info_call call = {szIndexName, true, pvResult, cbResult, InfoLevel};
    return data_info_of_name(sesid, dbid, szTableName, &call, index_info_check, index_info);
}
