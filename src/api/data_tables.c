/* Tables: open, close, create, delete, rename, duplicate cursors (engine source: `jetapi.cxx`). */
#include "src/api/data_common.h"
#include "src/api/data_schema.h"
#include "src/cache/database.h"
#include "src/os/memory.h"

/* Bits of opens that the engine makes for itself: create, delete. */
#define INTERNAL_OPEN_BITS 0x30000000u

/* A call on a database, by a session. */
struct database_call {
    struct session *session;
    struct database *database;
};

static JET_ERR enter_database(JET_SESID sesid, JET_DBID dbid, struct database_call *call)
{
    *call = (struct database_call){0};
    return session_enter_database(sesid, dbid, &call->session, &call->database);
}

static JET_ERR check_writable(const struct database_call *call)
{
    return call->database->read_only ? JET_errPermissionDenied : JET_errSuccess;
}

/* --- open and close --- */

static JET_ERR open_table(JET_SESID sesid, JET_DBID dbid, const void *name, bool wide, JET_GRBIT grbit,
                          JET_TABLEID *table)
{
    JET_ERR err = JET_errSuccess;
    struct database_call call;
    struct data_texts texts;
    struct ddl_context context;
    struct table_cursor *cursor = NULL;
    const char *text = NULL;
    data_texts_init(&texts, wide);
    TRY(enter_database(sesid, dbid, &call));
    if (table == NULL)
        FAIL(JET_errInvalidParameter);
    *table = JET_tableidNil;
    TRY(data_ddl_context(call.session, &context));
    TRY(data_text(&texts, name, &text));
    if ((grbit & INTERNAL_OPEN_BITS) != 0)
        FAIL(JET_errInvalidGrbit);
    if ((grbit & JET_bitTablePermitDDL) != 0
            ? (grbit & JET_bitTableDenyRead) == 0
            : (grbit & JET_bitTableDenyRead) != 0 && (grbit & JET_bitTableReadOnly) != 0)
        FAIL(JET_errInvalidGrbit);
    TRY(table_open(&call.session->transaction, call.database, text, grbit, &cursor));
    TRY(data_publish_cursor(call.session, cursor, table));
done:
    data_texts_free(&texts);
    if (call.session != NULL)
        session_leave(call.session);
    return err;
}

JET_ERR JET_API JetOpenTableA(JET_SESID sesid, JET_DBID dbid, JET_PCSTR szTableName, const void *pvParameters,
                              uint32_t cbParameters, JET_GRBIT grbit, JET_TABLEID *ptableid)
{
    (void)pvParameters;
    (void)cbParameters;
    return open_table(sesid, dbid, szTableName, false, grbit, ptableid);
}

JET_ERR JET_API JetOpenTableW(JET_SESID sesid, JET_DBID dbid, JET_PCWSTR szTableName,
                              const void *pvParameters, uint32_t cbParameters, JET_GRBIT grbit,
                              JET_TABLEID *ptableid)
{
    (void)pvParameters;
    (void)cbParameters;
    return open_table(sesid, dbid, szTableName, true, grbit, ptableid);
}

JET_ERR JET_API JetCloseTable(JET_SESID sesid, JET_TABLEID tableid)
{
    JET_ERR err = JET_errSuccess;
    struct data_call call = {0};
    void *object = NULL;
    TRY(session_enter_cursor_stopped(sesid, tableid, &call.session, &object));
    call.cursor = object;
    if (call.cursor->in_callback)
        FAIL(JET_errIllegalOperation);
    session_remove_cursor(call.session, tableid);
    table_cursor_close(call.cursor);
done:
    if (call.session != NULL)
        session_leave(call.session);
    return err;
}

JET_ERR JET_API JetDupCursor(JET_SESID sesid, JET_TABLEID tableid, JET_TABLEID *ptableid, JET_GRBIT grbit)
{
    JET_ERR err = JET_errSuccess;
    struct data_call call;
    struct table_cursor *cursor = NULL;
    (void)grbit;
    TRY(data_enter_unless(sesid, tableid, REFUSE_INSERTING | ALLOW_IN_CALLBACK, &call));
    if (ptableid == NULL)
        FAIL(JET_errInvalidParameter);
    *ptableid = JET_tableidNil;
    TRY(table_cursor_duplicate(call.cursor, &cursor));
    TRY(data_publish_cursor(call.session, cursor, ptableid));
done:
    data_leave(&call);
    return err;
}

/* --- create --- */

/* What one JET_TABLECREATE… says, whichever of its four forms and two text kinds. */
struct table_create {
    struct table_request request;
    struct data_texts texts;
    struct condition_request *conditions; /* of all indexes */
};

static void table_create_free(struct table_create *create)
{
    os_free(create->request.columns);
    os_free(create->request.indexes);
    os_free(create->conditions);
    data_texts_free(&create->texts);
}

static JET_ERR read_columns(struct table_create *create, const JET_COLUMNCREATE_A *columns, uint32_t count)
{
    JET_ERR err = JET_errSuccess;
    if (count == 0 || columns == NULL)
        goto done;
    if ((create->request.columns = os_allocate_array(count, sizeof(struct column_request))) == NULL)
        FAIL(JET_errOutOfMemory);
    create->request.column_count = count;
    for (uint32_t i = 0; i < count; i++) {
        struct column_request *to = &create->request.columns[i];
        if (columns[i].cbStruct != sizeof(JET_COLUMNCREATE_A))
            FAIL(JET_errInvalidParameter);
        *to = (struct column_request){
            .type = columns[i].coltyp,
            .code_page = columns[i].cp,
            .max_size = columns[i].cbMax,
            .grbit = columns[i].grbit,
            .default_value = columns[i].pvDefault,
            .default_size = columns[i].pvDefault == NULL ? 0 : columns[i].cbDefault,
        };
        TRY(data_text(&create->texts, columns[i].szColumnName, &to->name));
    }
done:
    return err;
}

static JET_ERR create_table(JET_SESID sesid, JET_DBID dbid, struct table_create *create, JET_TABLEID *table)
{
    JET_ERR err = JET_errSuccess;
    struct database_call call;
    struct ddl_context context;
    struct table_cursor *cursor = NULL;
    TRY(enter_database(sesid, dbid, &call));
    TRY(data_ddl_context(call.session, &context));
    TRY(check_writable(&call));
    if (transaction_level(&call.session->transaction) > 0 && call.session->transaction.read_only)
        FAIL(JET_errTransReadOnly);
    TRY(session_reserve_cursor(call.session)); /* the table shall not stay without its cursor */
    err = table_create(&call.session->transaction, call.database, &create->request, &context, &cursor);
    if (err < JET_errSuccess)
        session_release_reserved_cursor(call.session);
    else
        data_place_cursor(call.session, cursor, table);
done:
    if (call.session != NULL)
        session_leave(call.session);
    return err;
}

static JET_ERR create_simple(JET_SESID sesid, JET_DBID dbid, const void *name, bool wide, uint32_t pages,
                             uint32_t density, JET_TABLEID *table)
{
    JET_ERR err = JET_errSuccess;
    struct table_create create = {.request = {.pages = pages, .density = density}};
    data_texts_init(&create.texts, wide);
    if (table != NULL)
        *table = JET_tableidNil;
    TRY(data_text(&create.texts, name, &create.request.name));
    JET_TABLEID made = JET_tableidNil;
    TRY(create_table(sesid, dbid, &create, table == NULL ? &made : table));
done:
    table_create_free(&create);
    return err;
}

JET_ERR JET_API JetCreateTableA(JET_SESID sesid, JET_DBID dbid, JET_PCSTR szTableName, uint32_t lPages,
                                uint32_t lDensity, JET_TABLEID *ptableid)
{
    return create_simple(sesid, dbid, szTableName, false, lPages, lDensity, ptableid);
}

JET_ERR JET_API JetCreateTableW(JET_SESID sesid, JET_DBID dbid, JET_PCWSTR szTableName, uint32_t lPages,
                                uint32_t lDensity, JET_TABLEID *ptableid)
{
    return create_simple(sesid, dbid, szTableName, true, lPages, lDensity, ptableid);
}

/* The fields that all forms of JET_TABLECREATE have, by address. */
struct table_create_fields {
    const void *name;
    const void *template_name;
    uint32_t pages;
    uint32_t density;
    void *columns;
    uint32_t column_count;
    void *indexes;
    uint32_t index_count;
    uint32_t index_version; /* 1-3: JET_INDEXCREATE, 2, 3 */
    JET_GRBIT grbit;
    uint32_t separate_threshold;
    JET_TABLEID *table;
    uint32_t *created;
};

static JET_ERR create_whole(JET_SESID sesid, JET_DBID dbid, const struct table_create_fields *fields,
                            bool wide)
{
    JET_ERR err = JET_errSuccess;
    struct table_create create = {.request = {
                                      .pages = fields->pages,
                                      .density = fields->density,
                                      .grbit = fields->grbit,
                                      .separate_threshold = fields->separate_threshold,
                                  }};
    JET_COLUMNCREATE_A *columns = fields->columns;
    data_texts_init(&create.texts, wide);
    *fields->table = JET_tableidNil;
    *fields->created = 0;
    TRY(data_text(&create.texts, fields->name, &create.request.name));
    TRY(data_text(&create.texts, fields->template_name, &create.request.template_name));
    TRY(read_columns(&create, columns, fields->column_count));
    if (fields->index_count > 0 && fields->indexes == NULL)
        FAIL(JET_errInvalidParameter);
    if (fields->index_count > 0)
        TRY(data_read_indexes(&create.texts, fields->indexes, fields->index_count, fields->index_version,
                              &create.request.indexes, &create.conditions));
    create.request.index_count = fields->index_count;
    err = create_table(sesid, dbid, &create, fields->table);
    *fields->created = create.request.created;
    for (uint32_t i = 0; i < create.request.column_count; i++) {
        columns[i].columnid = create.request.columns[i].id;
        columns[i].err = create.request.columns[i].err;
    }
    if (create.request.indexes != NULL)
        data_index_results(fields->indexes, create.request.indexes, create.request.index_count);
done:
    table_create_free(&create);
    return err;
}

#define FIELDS_OF(create, version, threshold)                                                                \
    {                                                                                                        \
        .name = (create)->szTableName, .template_name = (create)->szTemplateTableName,                       \
        .pages = (create)->ulPages, .density = (create)->ulDensity, .columns = (create)->rgcolumncreate,     \
        .column_count = (create)->cColumns, .indexes = (create)->rgindexcreate,                              \
        .index_count = (create)->cIndexes, .index_version = (version), .grbit = (create)->grbit,             \
        .separate_threshold = (threshold), .table = &(create)->tableid, .created = &(create)->cCreated       \
    }

/* A structure begins with its size. */
static bool has_size(const void *structure, size_t size)
{
    uint32_t told = 0;
    if (structure != NULL)
        memcpy(&told, structure, sizeof(told));
    return told == size;
}

/* Template tables are what JET_TABLECREATE's grbit can ask for; each form has a call in two kinds of text. */
#define CREATE_CALL(function, structure, version, threshold, wide)                                           \
    JET_ERR JET_API function(JET_SESID sesid, JET_DBID dbid, structure *ptablecreate)                        \
    {                                                                                                        \
        if (!has_size(ptablecreate, sizeof(structure)))                                                      \
            return JET_errInvalidParameter;                                                                  \
        const struct table_create_fields fields = FIELDS_OF(ptablecreate, version, threshold);               \
        return create_whole(sesid, dbid, &fields, wide);                                                     \
    }

CREATE_CALL(JetCreateTableColumnIndexA, JET_TABLECREATE_A, 1, 0, false)
CREATE_CALL(JetCreateTableColumnIndexW, JET_TABLECREATE_W, 1, 0, true)
CREATE_CALL(JetCreateTableColumnIndex2A, JET_TABLECREATE2_A, 1, 0, false)
CREATE_CALL(JetCreateTableColumnIndex2W, JET_TABLECREATE2_W, 1, 0, true)
CREATE_CALL(JetCreateTableColumnIndex3A, JET_TABLECREATE3_A, 2, ptablecreate->cbSeparateLV, false)
CREATE_CALL(JetCreateTableColumnIndex3W, JET_TABLECREATE3_W, 2, ptablecreate->cbSeparateLV, true)
CREATE_CALL(JetCreateTableColumnIndex4A, JET_TABLECREATE4_A, 3, ptablecreate->cbSeparateLV, false)
CREATE_CALL(JetCreateTableColumnIndex4W, JET_TABLECREATE4_W, 3, ptablecreate->cbSeparateLV, true)

/* --- delete and rename --- */

static JET_ERR delete_table(JET_SESID sesid, JET_DBID dbid, const void *name, bool wide)
{
    JET_ERR err = JET_errSuccess;
    struct database_call call;
    struct data_texts texts;
    const char *text = NULL;
    data_texts_init(&texts, wide);
    TRY(enter_database(sesid, dbid, &call));
    TRY(data_text(&texts, name, &text));
    TRY(table_delete_table(&call.session->transaction, call.database, text));
done:
    data_texts_free(&texts);
    if (call.session != NULL)
        session_leave(call.session);
    return err;
}

JET_ERR JET_API JetDeleteTableA(JET_SESID sesid, JET_DBID dbid, JET_PCSTR szTableName)
{
    return delete_table(sesid, dbid, szTableName, false);
}

JET_ERR JET_API JetDeleteTableW(JET_SESID sesid, JET_DBID dbid, JET_PCWSTR szTableName)
{
    return delete_table(sesid, dbid, szTableName, true);
}

static JET_ERR rename_table(JET_SESID sesid, JET_DBID dbid, const void *name, const void *new_name, bool wide)
{
    JET_ERR err = JET_errSuccess;
    struct database_call call;
    struct data_texts texts;
    const char *old_text = NULL;
    const char *new_text = NULL;
    data_texts_init(&texts, wide);
    TRY(enter_database(sesid, dbid, &call));
    TRY(data_text(&texts, name, &old_text));
    TRY(data_text(&texts, new_name, &new_text));
    TRY(check_writable(&call));
    TRY(table_rename(&call.session->transaction, call.database, old_text, new_text));
done:
    data_texts_free(&texts);
    if (call.session != NULL)
        session_leave(call.session);
    return err;
}

JET_ERR JET_API JetRenameTableA(JET_SESID sesid, JET_DBID dbid, JET_PCSTR szName, JET_PCSTR szNameNew)
{
    return rename_table(sesid, dbid, szName, szNameNew, false);
}

JET_ERR JET_API JetRenameTableW(JET_SESID sesid, JET_DBID dbid, JET_PCWSTR szName, JET_PCWSTR szNameNew)
{
    return rename_table(sesid, dbid, szName, szNameNew, true);
}
