/* Objects of a database, and calls on tables that are no row's or column's business (engine source:
 * `info.cxx`). */
#include "src/api/data_common.h"
#include "src/api/data_lists.h"
#include "src/cache/database.h"
#include "src/os/memory.h"
#include "src/os/text.h"
#include "src/table/navigate.h"
#include "src/table/update.h"

/* --- objects --- */

static const struct list_column object_list[] = {
    {JET_coltypText, JET_bitColumnTTKey},     {JET_coltypText, JET_bitColumnTTKey},
    {JET_coltypLong, JET_bitColumnFixed},     {JET_coltypDateTime, JET_bitColumnFixed},
    {JET_coltypDateTime, JET_bitColumnFixed}, {JET_coltypLong, JET_bitColumnFixed},
    {JET_coltypLong, JET_bitColumnFixed},     {JET_coltypLong, JET_bitColumnFixed},
    {JET_coltypLong, JET_bitColumnFixed},
};

/* Names first: the rows of the list are put in while no tree of the catalog is being read. */
struct names {
    struct name_entry {
        char name[NAME_MAX_SIZE + 1];
        uint32_t flags;
    } * entries;
    uint32_t count;
    uint32_t capacity;
};

static JET_ERR collect(void *context, const char *name, object_id id, uint32_t flags)
{
    struct names *names = context;
    (void)id;
    if (names->count == names->capacity) {
        uint32_t capacity = names->capacity * 2 + 16;
        struct name_entry *entries = os_reallocate(names->entries, capacity * sizeof(*entries));
        if (entries == NULL)
            return JET_errOutOfMemory;
        names->entries = entries;
        names->capacity = capacity;
    }
    struct name_entry *entry = &names->entries[names->count++];
    memcpy(entry->name, name, strlen(name) + 1);
    entry->flags = flags;
    return JET_errSuccess;
}

static JET_ERR object_row(struct list *list, const struct name_entry *entry)
{
    list_begin_row(list);
    list_set_text(list, 0, "Tables");
    list_set_text(list, 1, entry->name);
    list_set_number(list, 2, JET_objtypTable);
    list_set_number(list, 5, 0);
    list_set_number(list, 6, 0);
    list_set_number(list, 7, JET_bitTableInfoBookmark | JET_bitTableInfoRollback | JET_bitTableInfoUpdatable);
    list_set_number(list, 8, entry->flags);
    return list_end_row(list);
}

static JET_ERR object_list_out(struct session *session, struct database *database, bool wide, void *result)
{
    JET_ERR err = JET_errSuccess;
    struct list list = {0};
    struct names names = {0};
    TRY(catalog_visit_tables(&session->transaction, database, collect, &names));
    TRY(list_open(session, object_list, sizeof(object_list) / sizeof(object_list[0]), wide, &list));
    for (uint32_t i = 0; i < names.count; i++)
        TRY(object_row(&list, &names.entries[i]));
    JET_OBJECTLIST *out = result;
    const JET_COLUMNID *ids = list.ids;
    *out = (JET_OBJECTLIST){
        .cbStruct = sizeof(*out),
        .cRecord = list.rows,
        .columnidcontainername = ids[0],
        .columnidobjectname = ids[1],
        .columnidobjtyp = ids[2],
        .columniddtCreate = ids[3],
        .columniddtUpdate = ids[4],
        .columnidcRecord = ids[5],
        .columnidcPage = ids[6],
        .columnidgrbit = ids[7],
        .columnidflags = ids[8],
    };
    TRY(list_publish(&list, &out->tableid));
done:
    list_abandon(&list);
    os_free(names.entries);
    return err < JET_errSuccess ? err : JET_errSuccess;
}

static JET_ERR one_object(struct session *session, struct database *database, const char *name, void *result)
{
    JET_ERR err = JET_errSuccess;
    struct names names = {0};
    char checked[NAME_MAX_SIZE + 1];
    TRY(table_check_name(name, checked));
    TRY(catalog_visit_tables(&session->transaction, database, collect, &names));
    for (uint32_t i = 0; i < names.count; i++) {
        if (name_compare(names.entries[i].name, checked) != 0)
            continue;
        const JET_OBJECTINFO info = {
            .cbStruct = sizeof(info),
            .objtyp = JET_objtypTable,
            .grbit = JET_bitTableInfoBookmark | JET_bitTableInfoRollback | JET_bitTableInfoUpdatable,
            .flags = names.entries[i].flags,
        };
        memcpy(result, &info, sizeof(info));
        goto done;
    }
    err = JET_errObjectNotFound;
done:
    os_free(names.entries);
    return err;
}

static JET_ERR check_object_call(const void *result, uint32_t max, uint32_t level)
{
    size_t least;
    switch (level) {
    case JET_ObjInfo:
    case JET_ObjInfoNoStats:
        least = sizeof(JET_OBJECTINFO);
        break;
    case JET_ObjInfoList:
    case JET_ObjInfoListNoStats:
        least = sizeof(JET_OBJECTLIST);
        break;
    case JET_ObjInfoSysTabCursor:
    case JET_ObjInfoListACM:
    case JET_ObjInfoSysTabReadOnly:
    case JET_ObjInfoRulesLoaded:
        return JET_errFeatureNotAvailable;
    default:
        return JET_errInvalidParameter;
    }
    if (result == NULL)
        return JET_errInvalidParameter;
    return max < least ? JET_errBufferTooSmall : JET_errSuccess;
}

/* There is one container; not to name it is to mean it. */
static JET_ERR check_container(const char *name)
{
    char checked[NAME_MAX_SIZE + 1];
    if (name == NULL || name[0] == 0)
        return JET_errSuccess;
    JET_ERR err = table_check_name(name, checked);
    if (err < JET_errSuccess)
        return err;
    return os_text_equal_ascii_case(checked, "Tables") ? JET_errSuccess : JET_errObjectNotFound;
}

/* What the program asked for. */
struct object_call {
    JET_OBJTYP type;
    const void *container;
    const void *name;
    bool wide;
    void *result;
    uint32_t max;
    uint32_t level;
};

static JET_ERR object_info(JET_SESID sesid, JET_DBID dbid, const struct object_call *call)
{
    JET_ERR err = JET_errSuccess;
    struct session *session = NULL;
    struct database *database = NULL;
    struct data_texts texts;
    const char *container = NULL;
    const char *name = NULL;
    data_texts_init(&texts, call->wide);
    TRY(session_enter_database(sesid, dbid, &session, &database));
    TRY(check_object_call(call->result, call->max, call->level));
    TRY(data_text(&texts, call->container, &container));
    TRY(data_text(&texts, call->name, &name));
    TRY(check_container(container));
    if (call->level == JET_ObjInfo || call->level == JET_ObjInfoNoStats) {
        if (name == NULL || name[0] == 0)
            FAIL(JET_errObjectNotFound);
        TRY(one_object(session, database, name, call->result));
    } else {
        if (call->type != JET_objtypNil && call->type != JET_objtypTable)
            FAIL(JET_errInvalidParameter);
        TRY(object_list_out(session, database, call->wide, call->result));
    }
done:
    data_texts_free(&texts);
    if (session != NULL)
        session_leave(session);
    return err;
}

JET_ERR JET_API JetGetObjectInfoA(JET_SESID sesid, JET_DBID dbid, JET_OBJTYP objtyp,
                                  JET_PCSTR szContainerName, JET_PCSTR szObjectName, void *pvResult,
                                  uint32_t cbMax, uint32_t InfoLevel)
{
    const struct object_call call = {objtyp,   szContainerName, szObjectName, false,
                                     pvResult, cbMax,           InfoLevel};
    return object_info(sesid, dbid, &call);
}

JET_ERR JET_API JetGetObjectInfoW(JET_SESID sesid, JET_DBID dbid, JET_OBJTYP objtyp,
                                  JET_PCWSTR szContainerName, JET_PCWSTR szObjectName, void *pvResult,
                                  uint32_t cbMax, uint32_t InfoLevel)
{
    const struct object_call call = {objtyp, szContainerName, szObjectName, true, pvResult, cbMax, InfoLevel};
    return object_info(sesid, dbid, &call);
}

/* --- cursors --- */

/* Tells only whether somebody else's uncommitted change hides the row; there is nothing to give out. */
JET_ERR JET_API JetGetCursorInfo(JET_SESID sesid, JET_TABLEID tableid, void *pvResult, uint32_t cbMax,
                                 uint32_t InfoLevel)
{
    JET_ERR err = JET_errSuccess;
    struct data_call call;
    struct node_view node;
    (void)pvResult;
    TRY(data_enter_unless(sesid, tableid, REFUSE_SORT | ALLOW_IN_CALLBACK, &call));
    if (cbMax != 0 || InfoLevel != 0)
        FAIL(JET_errInvalidParameter);
    if (!versioned_cursor_on_node(call.cursor->primary))
        FAIL(JET_errNoCurrentRecord);
    err = versioned_cursor_get(call.cursor->primary, &node);
    versioned_cursor_release(call.cursor->primary);
done:
    data_leave(&call);
    return err;
}

/* The place is the cursor's or the table's, which other sessions have as well. */
static JET_ERR change_local_storage(const struct data_call *call, JET_GRBIT grbit,
                                    JET_ERR (*change)(struct local_storage *place, JET_GRBIT grbit,
                                                      struct local_storage *value),
                                    struct local_storage *value)
{
    struct catalog *catalog = call->cursor->database->catalog;
    if ((grbit & JET_bitLSTable) != 0 && (grbit & JET_bitLSCursor) != 0)
        return JET_errInvalidGrbit;
    if ((grbit & JET_bitLSTable) == 0)
        return change(&call->cursor->local_storage, grbit, value);
    catalog_lock(catalog);
    JET_ERR err = change(&call->cursor->table->local_storage, grbit, value);
    catalog_unlock(catalog);
    return err;
}

static JET_ERR get_local_storage(struct local_storage *place, JET_GRBIT grbit, struct local_storage *value)
{
    *value = *place;
    if (grbit & JET_bitLSReset)
        place->value = JET_LSNil;
    else if (value->value == JET_LSNil)
        return JET_errLSNotSet;
    return JET_errSuccess;
}

static JET_ERR set_local_storage(struct local_storage *place, JET_GRBIT grbit, struct local_storage *value)
{
    if ((grbit & JET_bitLSReset) == 0 && place->value != JET_LSNil)
        return JET_errLSAlreadySet;
    *place = *value;
    if (grbit & JET_bitLSReset)
        place->value = JET_LSNil;
    return JET_errSuccess;
}

JET_ERR JET_API JetGetLS(JET_SESID sesid, JET_TABLEID tableid, JET_LS *pls, JET_GRBIT grbit)
{
    JET_ERR err = JET_errSuccess;
    struct data_call call;
    struct local_storage storage = {JET_LSNil, NULL};
    TRY(data_enter_unless(sesid, tableid, REFUSE_INSERTING | ALLOW_IN_CALLBACK, &call));
    if (pls == NULL)
        FAIL(JET_errInvalidParameter);
    err = change_local_storage(&call, grbit, get_local_storage, &storage);
    if (err >= JET_errSuccess || err == JET_errLSNotSet)
        *pls = storage.value;
done:
    data_leave(&call);
    return err;
}

JET_ERR JET_API JetSetLS(JET_SESID sesid, JET_TABLEID tableid, JET_LS ls, JET_GRBIT grbit)
{
    JET_ERR err = JET_errSuccess;
    struct data_call call;
    TRY(data_enter_unless(sesid, tableid, REFUSE_INSERTING | ALLOW_IN_CALLBACK, &call));
    const uint64_t gone = instance_parameter(call.session->instance, JET_paramRuntimeCallback);
    if (gone == 0)
        FAIL(JET_errLSCallbackNotSpecified);
    struct local_storage storage = {ls, (JET_CALLBACK)(uintptr_t)gone};
    TRY(change_local_storage(&call, grbit, set_local_storage, &storage));
done:
    data_leave(&call);
    return err;
}

/* Statistics are not kept: there is nothing to compute, but the table must be writable. */
JET_ERR JET_API JetComputeStats(JET_SESID sesid, JET_TABLEID tableid)
{
    JET_ERR err = JET_errSuccess;
    struct data_call call;
    TRY(data_enter_unless(sesid, tableid, REFUSE_TEMPORARY, &call));
    TRY(table_check_updatable(call.cursor));
    TRY(data_check_change(&call));
done:
    data_leave(&call);
    return err;
}

/* --- call-backs --- */

JET_ERR JET_API JetRegisterCallback(JET_SESID sesid, JET_TABLEID tableid, JET_CBTYP cbtyp,
                                    JET_CALLBACK pCallback, void *pvContext, JET_HANDLE *phCallbackId)
{
    JET_ERR err = JET_errSuccess;
    struct data_call call;
    uint32_t id = 0;
    TRY(data_enter_unless(sesid, tableid, REFUSE_TEMPORARY | ALLOW_IN_CALLBACK, &call));
    if (cbtyp == JET_cbtypNull || pCallback == NULL || phCallbackId == NULL)
        FAIL(JET_errInvalidParameter);
    TRY(table_callback_add(call.cursor, cbtyp, pCallback, pvContext, &id));
    *phCallbackId = id;
done:
    data_leave(&call);
    return err;
}

JET_ERR JET_API JetUnregisterCallback(JET_SESID sesid, JET_TABLEID tableid, JET_CBTYP cbtyp,
                                      JET_HANDLE hCallbackId)
{
    struct data_call call;
    JET_ERR err = data_enter_unless(sesid, tableid, REFUSE_TEMPORARY | ALLOW_IN_CALLBACK, &call);
    (void)cbtyp; /* the handle tells */
    if (err >= JET_errSuccess)
        err = hCallbackId > UINT32_MAX ? JET_errInvalidParameter
                                       : table_callback_remove(call.cursor, (uint32_t)hCallbackId);
    data_leave(&call);
    return err;
}

/* --- reading ahead: hints --- */

/* Keys must be in the order in which they are to be read. */
static JET_ERR check_preread_keys(const struct table_cursor *cursor, const void **keys, const uint32_t *sizes,
                                  int32_t count, bool backward)
{
    const struct index_definition *index = cursor->index != NULL ? cursor->index : cursor->table->primary;
    const uint32_t most = index != NULL ? index->key_max : sizeof(uint32_t);
    for (int32_t i = 0; i < count; i++) {
        if (keys[i] == NULL)
            return JET_errInvalidParameter;
        if (sizes[i] == 0 || sizes[i] > most)
            return JET_errInvalidBufferSize;
        if (i == 0)
            continue;
        const uint32_t common = sizes[i - 1] < sizes[i] ? sizes[i - 1] : sizes[i];
        int order = memcmp(keys[i - 1], keys[i], common);
        if (order == 0)
            order = (sizes[i - 1] > sizes[i]) - (sizes[i - 1] < sizes[i]);
        if (backward ? order < 0 : order > 0)
            return JET_errInvalidParameter;
    }
    return JET_errSuccess;
}

JET_ERR JET_API JetPrereadKeys(JET_SESID sesid, JET_TABLEID tableid, const void **rgpvKeys,
                               const uint32_t *rgcbKeys, int32_t ckeys, int32_t *pckeysPreread,
                               JET_GRBIT grbit)
{
    JET_ERR err = JET_errSuccess;
    struct data_call call;
    TRY(data_enter_unless(sesid, tableid, REFUSE_TEMPORARY, &call));
    if (pckeysPreread != NULL)
        *pckeysPreread = 0;
    if (rgpvKeys == NULL || rgcbKeys == NULL || ckeys <= 0)
        FAIL(JET_errInvalidParameter);
    if (grbit != JET_bitPrereadForward && grbit != JET_bitPrereadBackward)
        FAIL(JET_errInvalidGrbit);
    TRY(check_preread_keys(call.cursor, rgpvKeys, rgcbKeys, ckeys, grbit == JET_bitPrereadBackward));
    if (pckeysPreread != NULL)
        *pckeysPreread = ckeys;
done:
    data_leave(&call);
    return err;
}

JET_ERR JET_API JetPrereadIndexRanges(JET_SESID sesid, JET_TABLEID tableid,
                                      const JET_INDEX_RANGE *const rgIndexRanges, const uint32_t cIndexRanges,
                                      uint32_t *const pcRangesPreread,
                                      const JET_COLUMNID *const rgcolumnidPreread,
                                      const uint32_t ccolumnidPreread, JET_GRBIT grbit)
{
    JET_ERR err = JET_errSuccess;
    struct data_call call;
    (void)rgcolumnidPreread;
    (void)ccolumnidPreread;
    TRY(data_enter_unless(sesid, tableid, REFUSE_TEMPORARY, &call));
    if (rgIndexRanges == NULL || cIndexRanges == 0)
        FAIL(JET_errInvalidParameter);
    if (((grbit & JET_bitPrereadForward) != 0) == ((grbit & JET_bitPrereadBackward) != 0))
        FAIL(JET_errInvalidGrbit);
    if (pcRangesPreread != NULL)
        *pcRangesPreread = cIndexRanges;
done:
    data_leave(&call);
    return err;
}
