/* Columns: add, delete, rename, defaults (engine source: `jetapi.cxx`). */
#include "src/api/data_common.h"
#include "src/os/memory.h"

static JET_ERR add_column(JET_SESID sesid, JET_TABLEID tableid, const void *name, bool wide,
                          const JET_COLUMNDEF *definition, const void *default_value, uint32_t default_size,
                          JET_COLUMNID *id)
{
    JET_ERR err = JET_errSuccess;
    struct data_call call;
    struct data_texts texts;
    data_texts_init(&texts, wide);
    TRY(data_enter_unless(sesid, tableid, REFUSE_TEMPORARY, &call));
    if (definition == NULL || definition->cbStruct < sizeof(*definition))
        FAIL(JET_errInvalidParameter);
    struct column_request request = {
        .type = definition->coltyp,
        .code_page = definition->cp,
        .max_size = definition->cbMax,
        .grbit = definition->grbit,
        .default_value = default_value,
        .default_size = default_value == NULL ? 0 : default_size,
    };
    TRY(data_text(&texts, name, &request.name));
    err = table_add_column(call.cursor, &request);
    if (err >= JET_errSuccess && id != NULL)
        *id = request.id;
done:
    data_texts_free(&texts);
    data_leave(&call);
    return err;
}

JET_ERR JET_API JetAddColumnA(JET_SESID sesid, JET_TABLEID tableid, JET_PCSTR szColumnName,
                              const JET_COLUMNDEF *pcolumndef, const void *pvDefault, uint32_t cbDefault,
                              JET_COLUMNID *pcolumnid)
{
    return add_column(sesid, tableid, szColumnName, false, pcolumndef, pvDefault, cbDefault, pcolumnid);
}

JET_ERR JET_API JetAddColumnW(JET_SESID sesid, JET_TABLEID tableid, JET_PCWSTR szColumnName,
                              const JET_COLUMNDEF *pcolumndef, const void *pvDefault, uint32_t cbDefault,
                              JET_COLUMNID *pcolumnid)
{
    return add_column(sesid, tableid, szColumnName, true, pcolumndef, pvDefault, cbDefault, pcolumnid);
}

static JET_ERR delete_column(JET_SESID sesid, JET_TABLEID tableid, const void *name, bool wide,
                             JET_GRBIT grbit)
{
    JET_ERR err = JET_errSuccess;
    struct data_call call;
    struct data_texts texts;
    const char *text = NULL;
    data_texts_init(&texts, wide);
    TRY(data_enter_unless(sesid, tableid, REFUSE_TEMPORARY, &call));
    TRY(data_text(&texts, name, &text));
    TRY(data_check_change(&call));
    TRY(table_delete_column(call.cursor, text, grbit));
done:
    data_texts_free(&texts);
    data_leave(&call);
    return err;
}

JET_ERR JET_API JetDeleteColumnA(JET_SESID sesid, JET_TABLEID tableid, JET_PCSTR szColumnName)
{
    return delete_column(sesid, tableid, szColumnName, false, 0);
}

JET_ERR JET_API JetDeleteColumnW(JET_SESID sesid, JET_TABLEID tableid, JET_PCWSTR szColumnName)
{
    return delete_column(sesid, tableid, szColumnName, true, 0);
}

JET_ERR JET_API JetDeleteColumn2A(JET_SESID sesid, JET_TABLEID tableid, JET_PCSTR szColumnName,
                                  const JET_GRBIT grbit)
{
    return delete_column(sesid, tableid, szColumnName, false, grbit);
}

JET_ERR JET_API JetDeleteColumn2W(JET_SESID sesid, JET_TABLEID tableid, JET_PCWSTR szColumnName,
                                  const JET_GRBIT grbit)
{
    return delete_column(sesid, tableid, szColumnName, true, grbit);
}

static JET_ERR rename_column(JET_SESID sesid, JET_TABLEID tableid, const void *name, const void *new_name,
                             bool wide)
{
    JET_ERR err = JET_errSuccess;
    struct data_call call;
    struct data_texts texts;
    const char *old_text = NULL;
    const char *new_text = NULL;
    data_texts_init(&texts, wide);
    TRY(data_enter_unless(sesid, tableid, REFUSE_TEMPORARY, &call));
    TRY(data_text(&texts, name, &old_text));
    TRY(data_text(&texts, new_name, &new_text));
    TRY(table_rename_column(call.cursor, old_text, new_text));
done:
    data_texts_free(&texts);
    data_leave(&call);
    return err;
}

JET_ERR JET_API JetRenameColumnA(JET_SESID sesid, JET_TABLEID tableid, JET_PCSTR szName, JET_PCSTR szNameNew,
                                 JET_GRBIT grbit)
{
    (void)grbit;
    return rename_column(sesid, tableid, szName, szNameNew, false);
}

JET_ERR JET_API JetRenameColumnW(JET_SESID sesid, JET_TABLEID tableid, JET_PCWSTR szName,
                                 JET_PCWSTR szNameNew, JET_GRBIT grbit)
{
    (void)grbit;
    return rename_column(sesid, tableid, szName, szNameNew, true);
}

static JET_ERR set_default(JET_SESID sesid, JET_DBID dbid, const void *table, const void *column, bool wide,
                           const void *value, uint32_t size)
{
    JET_ERR err = JET_errSuccess;
    struct session *session = NULL;
    struct database *database = NULL;
    struct data_texts texts;
    struct table_cursor *cursor = NULL;
    const char *table_text = NULL;
    const char *column_text = NULL;
    char checked[NAME_MAX_SIZE + 1];
    data_texts_init(&texts, wide);
    TRY(session_enter_database(sesid, dbid, &session, &database));
    TRY(data_text(&texts, table, &table_text));
    TRY(data_text(&texts, column, &column_text));
    TRY(table_check_name(column_text, checked));
    if (value == NULL || size == 0)
        FAIL(JET_errNullInvalid);
    TRY(table_check_name(table_text, checked));
    TRY(table_open(&session->transaction, database, table_text, 0, &cursor));
    TRY(table_check_updatable(cursor));
    TRY(table_set_default(cursor, column_text, value, size));
done:
    table_cursor_close(cursor);
    data_texts_free(&texts);
    if (session != NULL)
        session_leave(session);
    return err;
}

JET_ERR JET_API JetSetColumnDefaultValueA(JET_SESID sesid, JET_DBID dbid, JET_PCSTR szTableName,
                                          JET_PCSTR szColumnName, const void *pvData, const uint32_t cbData,
                                          const JET_GRBIT grbit)
{
    (void)grbit;
    return set_default(sesid, dbid, szTableName, szColumnName, false, pvData, cbData);
}

JET_ERR JET_API JetSetColumnDefaultValueW(JET_SESID sesid, JET_DBID dbid, JET_PCWSTR szTableName,
                                          JET_PCWSTR szColumnName, const void *pvData, const uint32_t cbData,
                                          const JET_GRBIT grbit)
{
    (void)grbit;
    return set_default(sesid, dbid, szTableName, szColumnName, true, pvData, cbData);
}
