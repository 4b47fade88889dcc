#include "src/api/data_lists.h"

#include "src/instance/databases.h"
#include "src/os/memory.h"
#include "src/os/text.h"
#include "src/table/navigate.h"
#include "src/table/temporary.h"
#include "src/table/update.h"

JET_ERR list_open(struct session *session, const struct list_column *columns, uint32_t count, bool wide,
                  struct list *list)
{
    JET_ERR err = JET_errSuccess;
    struct database *database = NULL;
    JET_COLUMNDEF definitions[LIST_COLUMNS_MAX];
    ASSERT(count <= LIST_COLUMNS_MAX);
    *list = (struct list){.session = session, .count = count, .wide = wide};
    for (uint32_t i = 0; i < count; i++) {
        definitions[i] = (JET_COLUMNDEF){
            .cbStruct = sizeof(JET_COLUMNDEF),
            .coltyp = columns[i].type,
            .cp = columns[i].type == JET_coltypText && wide ? 1200 : 0,
            .grbit = columns[i].grbit,
        };
        list->types[i] = columns[i].type;
    }
    const struct temporary_request request = {
        .columns = definitions, .count = count, .grbit = JET_bitTTScrollable, .ids = list->ids};
    TRY(databases_temporary(session, &database));
    TRY(table_open_temporary(&session->transaction, database, &request, &list->cursor));
done:
    return err;
}

void list_begin_row(struct list *list)
{
    list->row_err = table_prepare(list->cursor, JET_prepInsert);
}

void list_set_bytes(struct list *list, uint32_t column, const void *bytes, uint32_t size)
{
    const struct set_options options = {.itag = 1};
    if (list->row_err >= JET_errSuccess)
        list->row_err = table_set_column(list->cursor, list->ids[column], bytes, size, &options);
}

void list_set_number(struct list *list, uint32_t column, uint32_t value)
{
    list_set_bytes(list, column, &value, list->types[column] == JET_coltypShort ? 2 : 4);
}

void list_set_text(struct list *list, uint32_t column, const char *text)
{
    uint16_t *units = NULL;
    if (!list->wide) {
        list_set_bytes(list, column, text, (uint32_t)strlen(text));
        return;
    }
    const JET_ERR err = os_utf8_to_utf16_new(text, &units);
    if (err < JET_errSuccess)
        list->row_err = err;
    else
        list_set_bytes(list, column, units, (uint32_t)os_utf16_length(units) * 2);
    os_free(units);
}

JET_ERR list_end_row(struct list *list)
{
    if (list->row_err < JET_errSuccess)
        return list->row_err;
    list->rows++;
    return table_update(list->cursor, 0, NULL, 0);
}

JET_ERR list_publish(struct list *list, JET_TABLEID *table)
{
    JET_ERR err = JET_errSuccess;
    struct table_cursor *cursor = list->cursor;
    list->cursor = NULL;
    cursor->updatable = false;
    err = table_move(cursor, (int32_t)JET_MoveFirst, 0);
    if (err < JET_errSuccess && err != JET_errNoCurrentRecord) {
        table_cursor_close(cursor);
        return err;
    }
    return data_publish_cursor(list->session, cursor, table);
}

void list_abandon(struct list *list)
{
    table_cursor_close(list->cursor);
    list->cursor = NULL;
}
