/* Information about tables, and the frame of the calls that tell of a table's parts (engine source:
 * `info.cxx`). */
#include "src/api/data_infos.h"
#include "src/api/text.h"
#include "src/btree/apply_space.h"
#include "src/btree/space.h"
#include "src/cache/database.h"
#include "src/instance/databases.h"

JET_ERR data_info_check_size(const struct info_call *call, size_t least)
{
    if (call->result == NULL)
        return JET_errInvalidParameter;
    return call->max < least ? JET_errBufferTooSmall : JET_errSuccess;
}

JET_ERR data_info_of_cursor(JET_SESID sesid, JET_TABLEID tableid, const struct info_call *call,
                            info_check *check, info_function *info)
{
    JET_ERR err = JET_errSuccess;
    struct data_call entered;
    struct data_texts texts;
    data_texts_init(&texts, call->wide);
    TRY(data_enter_unless(sesid, tableid, REFUSE_TEMPORARY | ALLOW_IN_CALLBACK, &entered));
    TRY(check(call));
    err = info(entered.session, entered.cursor, &texts, call);
done:
    data_texts_free(&texts);
    data_leave(&entered);
    return err;
}

JET_ERR data_info_of_name(JET_SESID sesid, JET_DBID dbid, const void *table, const struct info_call *call,
                          info_check *check, info_function *info)
{
    JET_ERR err = JET_errSuccess;
    const char *name = NULL;
    struct session *session = NULL;
    struct database *database = NULL;
    struct table_cursor *cursor = NULL;
    struct data_texts texts;
    data_texts_init(&texts, call->wide);
    TRY(session_enter_database(sesid, dbid, &session, &database));
    TRY(check(call));
    TRY(data_text(&texts, table, &name));
    if (name == NULL || name[0] == 0)
        FAIL(JET_errInvalidParameter);
    TRY(table_open(&session->transaction, database, name, JET_bitTableReadOnly, &cursor));
    err = info(session, cursor, &texts, call);
done:
    table_cursor_close(cursor);
    data_texts_free(&texts);
    if (session != NULL)
        session_leave(session);
    return err;
}

JET_ERR data_pages_of_tree(struct session *session, struct table_cursor *cursor, page_number root, bool owned,
                           uint32_t *pages)
{
    JET_ERR err = JET_errSuccess;
    struct tree *tree = NULL;
    TRY(tree_open(session->instance->trees, cursor->database, root, &tree));
    TRY(space_count(tree, owned ? pages : NULL, owned ? NULL : pages));
done:
    tree_close(tree);
    return err;
}

JET_ERR data_pages_of_parts(struct session *session, struct table_cursor *cursor, bool owned, uint32_t *pages)
{
    JET_ERR err = JET_errSuccess;
    uint32_t part = 0;
    *pages = 0;
    for (const struct index_definition *index = cursor->table->secondary; index != NULL;
         index = index->next) {
        bool sees = false;
        if (index->state != DEFINITION_DELETED)
            TRY(catalog_sees_index(cursor->transaction, cursor->table, index, &sees));
        if (!sees)
            continue;
        TRY(data_pages_of_tree(session, cursor, index->root, owned, &part));
        *pages += part;
    }
    TRY(data_pages_of_long_values(session, cursor, owned, &part));
    *pages += part;
done:
    return err;
}

JET_ERR data_pages_of_long_values(struct session *session, struct table_cursor *cursor, bool owned,
                                  uint32_t *pages)
{
    *pages = 0;
    return cursor->table->long_value_id == 0
               ? JET_errSuccess
               : data_pages_of_tree(session, cursor, cursor->table->long_value_root, owned, pages);
}

/* What a table owns counts its parts' pages; what it has available does not, so they are added. */
static JET_ERR table_space(struct session *session, struct table_cursor *cursor, uint32_t level, void *result,
                           uint32_t max)
{
    JET_ERR err = JET_errSuccess;
    const bool owned = level == JET_TblInfoSpaceOwned || level == JET_TblInfoSpaceOwnedLV;
    uint32_t pages = 0;
    uint32_t parts = 0;
    if (max < sizeof(pages))
        FAIL(JET_errBufferTooSmall);
    if (level == JET_TblInfoSpaceOwnedLV || level == JET_TblInfoSpaceAvailableLV)
        TRY(data_pages_of_long_values(session, cursor, owned, &pages));
    else
        TRY(data_pages_of_tree(session, cursor, cursor->table->root, owned, &pages));
    if (level == JET_TblInfoSpaceAvailable)
        TRY(data_pages_of_parts(session, cursor, false, &parts));
    pages += parts;
    memcpy(result, &pages, sizeof(pages));
done:
    return err;
}

/* Pages owned by the table with all its trees, pages available in its own tree (without those of its parts);
 * in a larger buffer then the extents of both, each list with zeros behind it, as far as they find room
 * (`ErrSPGetInfo`). */
static JET_ERR table_extents(struct session *session, struct table_cursor *cursor, void *result, uint32_t max)
{
    JET_ERR err = JET_errSuccess;
    struct tree *tree = NULL;
    struct space_extents owned = {0};
    struct space_extents available = {0};
    const size_t counts = 2 * sizeof(uint32_t);
    const size_t ends = 2 * sizeof(struct space_extent);
    const bool listed = max > counts;
    if (max < counts || (listed && max < counts + ends))
        FAIL(JET_errBufferTooSmall);
    TRY(tree_open(session->instance->trees, cursor->database, cursor->table->root, &tree));
    /* The lists grow where the program wants them. */
    uint8_t *out = memset(result, 0, max);
    if (listed) {
        owned.list = (struct space_extent *)(void *)(out + counts);
        owned.capacity = (uint32_t)((max - counts - ends) / sizeof(struct space_extent));
    }
    TRY(space_list(tree, &owned, NULL));
    if (listed) {
        available.list = owned.list + owned.count + 1;
        available.capacity = owned.capacity - owned.count;
    }
    TRY(space_list(tree, NULL, &available));
    memcpy(out, &owned.pages, sizeof(owned.pages));
    memcpy(out + sizeof(owned.pages), &available.pages, sizeof(available.pages));
done:
    tree_close(tree);
    return err;
}

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
    case JET_TblInfoSpaceOwnedLV:
    case JET_TblInfoSpaceAvailableLV:
        TRY(table_space(session, cursor, level, result, max));
        break;
    case JET_TblInfoSpaceAvailable:
        if (max != sizeof(uint32_t))
            FAIL(JET_errInvalidBufferSize);
        TRY(table_space(session, cursor, level, result, max));
        break;
    case JET_TblInfoSpaceUsage:
        TRY(table_extents(session, cursor, result, max));
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
    TRY(data_enter_unless(sesid, tableid, REFUSE_INSERTING | ALLOW_IN_CALLBACK, &call));
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
