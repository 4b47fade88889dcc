/* Temporary tables, and the one that JetIntersectIndexes answers (engine sources: `sortapi.cxx`, `rec.cxx`).
 */
#include "src/api/data_common.h"
#include "src/api/data_lists.h"
#include "src/instance/databases.h"
#include "src/os/memory.h"
#include "src/table/navigate.h"
#include "src/table/temporary.h"

static JET_ERR open_temporary(struct session *session, struct temporary_request *request, JET_TABLEID *table)
{
    JET_ERR err = JET_errSuccess;
    struct database *database = NULL;
    struct table_cursor *cursor = NULL;
    struct ddl_context context;
    if (table == NULL || (request->count > 0 && request->columns == NULL))
        FAIL(JET_errInvalidParameter);
    *table = JET_tableidNil;
    TRY(data_ddl_context(session, &context));
    TRY(databases_temporary(session, &database));
    TRY(table_open_temporary(&session->transaction, database, request, &cursor));
    TRY(data_publish_cursor(session, cursor, table));
done:
    return err;
}

/* The order of texts, if the program gave one: by a language's number. */
static JET_ERR open_ordered(JET_SESID sesid, struct temporary_request *request,
                            const JET_UNICODEINDEX *unicode, JET_TABLEID *table)
{
    JET_ERR err = JET_errSuccess;
    struct session *session = NULL;
    uint16_t locale[DATA_LOCALE_SIZE];
    TRY(session_enter(sesid, &session));
    if (unicode != NULL) {
        request->map_flags = unicode->dwMapFlags;
        if (unicode->lcid != 0) {
            TRY(data_locale_of_lcid(unicode->lcid, locale));
            request->locale = locale;
        }
    }
    TRY(open_temporary(session, request, table));
done:
    if (session != NULL)
        session_leave(session);
    return err;
}

JET_ERR JET_API JetOpenTempTable3(JET_SESID sesid, const JET_COLUMNDEF *prgcolumndef, uint32_t ccolumn,
                                  JET_UNICODEINDEX *pidxunicode, JET_GRBIT grbit, JET_TABLEID *ptableid,
                                  JET_COLUMNID *prgcolumnid)
{
    struct temporary_request request = {
        .columns = prgcolumndef, .count = ccolumn, .grbit = grbit, .ids = prgcolumnid};
    return open_ordered(sesid, &request, pidxunicode, ptableid);
}

JET_ERR JET_API JetOpenTempTable(JET_SESID sesid, const JET_COLUMNDEF *prgcolumndef, uint32_t ccolumn,
                                 JET_GRBIT grbit, JET_TABLEID *ptableid, JET_COLUMNID *prgcolumnid)
{
    return JetOpenTempTable3(sesid, prgcolumndef, ccolumn, NULL, grbit, ptableid, prgcolumnid);
}

JET_ERR JET_API JetOpenTempTable2(JET_SESID sesid, const JET_COLUMNDEF *prgcolumndef, uint32_t ccolumn,
                                  uint32_t lcid, JET_GRBIT grbit, JET_TABLEID *ptableid,
                                  JET_COLUMNID *prgcolumnid)
{
    JET_UNICODEINDEX unicode = {.lcid = lcid};
    return JetOpenTempTable3(sesid, prgcolumndef, ccolumn, &unicode, grbit, ptableid, prgcolumnid);
}

JET_ERR JET_API JetOpenTemporaryTable(JET_SESID sesid, JET_OPENTEMPORARYTABLE *popentemporarytable)
{
    JET_OPENTEMPORARYTABLE *open = popentemporarytable;
    if (open == NULL || open->cbStruct != sizeof(*open))
        return JET_errInvalidParameter;
    struct temporary_request request = {
        .columns = open->prgcolumndef,
        .count = open->ccolumn,
        .grbit = open->grbit,
        .key_max = open->cbKeyMost,
        .segment_max = open->cbVarSegMac,
        .ids = open->prgcolumnid,
    };
    return open_ordered(sesid, &request, open->pidxunicode, &open->tableid);
}

/* As JetOpenTemporaryTable, with the name of a language. */
JET_ERR JET_API JetOpenTemporaryTable2(JET_SESID sesid, JET_OPENTEMPORARYTABLE2 *popentemporarytable)
{
    JET_OPENTEMPORARYTABLE2 *open = popentemporarytable;
    if (open == NULL || open->cbStruct != sizeof(*open))
        return JET_errInvalidParameter;
    struct temporary_request request = {
        .columns = open->prgcolumndef,
        .count = open->ccolumn,
        .grbit = open->grbit,
        .key_max = open->cbKeyMost,
        .segment_max = open->cbVarSegMac,
        .ids = open->prgcolumnid,
    };
    if (open->pidxunicode != NULL) {
        request.locale = (const uint16_t *)open->pidxunicode->szLocaleName;
        request.map_flags = open->pidxunicode->dwMapFlags;
    }
    return open_ordered(sesid, &request, NULL, &open->tableid);
}

/* --- intersection --- */

/* Bookmarks of the rows of a range, sorted. */
struct bookmarks {
    struct saved_bookmark **entries;
    uint32_t count;
    uint32_t capacity;
};

static void bookmarks_free(struct bookmarks *bookmarks)
{
    for (uint32_t i = 0; i < bookmarks->count; i++)
        os_free(bookmarks->entries[i]);
    os_free(bookmarks->entries);
    *bookmarks = (struct bookmarks){0};
}

static JET_ERR bookmarks_add(struct bookmarks *bookmarks, struct span bookmark)
{
    if (bookmarks->count == bookmarks->capacity) {
        uint32_t capacity = bookmarks->capacity * 2 + 16;
        struct saved_bookmark **entries = os_reallocate(bookmarks->entries, capacity * sizeof(*entries));
        if (entries == NULL)
            return JET_errOutOfMemory;
        bookmarks->entries = entries;
        bookmarks->capacity = capacity;
    }
    struct saved_bookmark *entry = os_allocate(sizeof(*entry));
    if (entry == NULL)
        return JET_errOutOfMemory;
    entry->size = (uint32_t)bookmark.size;
    memcpy(entry->bytes, bookmark.bytes, bookmark.size);
    bookmarks->entries[bookmarks->count++] = entry;
    return JET_errSuccess;
}

/* All rows from the current one to the end of the range. */
static JET_ERR bookmarks_read(struct table_cursor *cursor, struct bookmarks *bookmarks)
{
    JET_ERR err = JET_errSuccess;
    struct span bookmark;
    TRY(table_settle_active(cursor));
    if (!versioned_cursor_on_node(table_active(cursor)))
        FAIL(JET_errNoCurrentRecord);
    TRY(table_follow(cursor));
    while (err >= JET_errSuccess) {
        TRY(table_bookmark(cursor, &bookmark));
        TRY(bookmarks_add(bookmarks, bookmark));
        err = table_move(cursor, JET_MoveNext, 0);
    }
    if (err == JET_errNoCurrentRecord)
        err = JET_errSuccess;
done:
    return err;
}

static bool bookmarks_has(const struct bookmarks *bookmarks, const struct saved_bookmark *wanted)
{
    for (uint32_t i = 0; i < bookmarks->count; i++) {
        const struct saved_bookmark *one = bookmarks->entries[i];
        if (one->size == wanted->size && memcmp(one->bytes, wanted->bytes, one->size) == 0)
            return true;
    }
    return false;
}

static JET_ERR check_ranges(struct session *session, const JET_INDEXRANGE *ranges, uint32_t count,
                            struct table_cursor **cursors)
{
    JET_ERR err = JET_errSuccess;
    for (uint32_t i = 0; i < count; i++) {
        void *object = NULL;
        if (ranges[i].cbStruct != sizeof(JET_INDEXRANGE))
            FAIL(JET_errInvalidParameter);
        TRY(session_find_cursor(session, ranges[i].tableid, &object));
        cursors[i] = object;
        if (cursors[i]->table != cursors[0]->table)
            FAIL(JET_errInvalidParameter);
        for (uint32_t j = 0; j < i; j++) {
            if (cursors[j]->index == cursors[i]->index)
                FAIL(JET_errInvalidParameter);
        }
    }
done:
    return err;
}

/* A long column is set in a transaction. */
static JET_ERR list_bookmark(struct session *session, struct list *list,
                             const struct saved_bookmark *bookmark)
{
    JET_ERR err = JET_errSuccess;
    bool begun = false;
    TRY(transaction_begin(&session->transaction, false)); /* the program may have them all */
    begun = true;
    list_begin_row(list);
    list_set_bytes(list, 0, bookmark->bytes, bookmark->size);
    TRY(list_end_row(list));
    TRY(transaction_commit(&session->transaction, true));
    begun = false;
done:
    if (begun)
        (void)transaction_rollback(&session->transaction);
    return err;
}

static JET_ERR list_intersection(struct session *session, const struct bookmarks *sets, uint32_t count,
                                 JET_RECORDLIST *result)
{
    JET_ERR err = JET_errSuccess;
    static const struct list_column columns[] = {{JET_coltypLongBinary, JET_bitColumnTTKey}};
    struct list list = {0};
    TRY(list_open(session, columns, 1, false, &list));
    for (uint32_t i = 0; i < sets[0].count; i++) {
        const struct saved_bookmark *one = sets[0].entries[i];
        bool in_all = true;
        for (uint32_t j = 1; j < count && in_all; j++)
            in_all = bookmarks_has(&sets[j], one);
        if (in_all)
            TRY(list_bookmark(session, &list, one));
    }
    result->cbStruct = sizeof(*result);
    result->cRecord = list.rows;
    result->columnidBookmark = list.ids[0];
    TRY(list_publish(&list, &result->tableid));
done:
    list_abandon(&list);
    return err;
}

static JET_ERR intersect(struct session *session, const JET_INDEXRANGE *ranges, uint32_t count,
                         JET_RECORDLIST *result)
{
    JET_ERR err = JET_errSuccess;
    struct table_cursor **cursors = os_allocate_array(count, sizeof(struct table_cursor *));
    struct bookmarks *sets = os_allocate_array(count, sizeof(*sets));
    if (cursors == NULL || sets == NULL)
        FAIL(JET_errOutOfMemory);
    TRY(check_ranges(session, ranges, count, cursors));
    for (uint32_t i = 0; i < count; i++)
        TRY(bookmarks_read(cursors[i], &sets[i]));
    TRY(list_intersection(session, sets, count, result));
done:
    for (uint32_t i = 0; sets != NULL && i < count; i++)
        bookmarks_free(&sets[i]);
    os_free(sets);
    os_free(cursors);
    return err;
}

JET_ERR JET_API JetIntersectIndexes(JET_SESID sesid, JET_INDEXRANGE *rgindexrange, uint32_t cindexrange,
                                    JET_RECORDLIST *precordlist, JET_GRBIT grbit)
{
    JET_ERR err = JET_errSuccess;
    struct session *session = NULL;
    (void)grbit;
    TRY(session_enter(sesid, &session));
    if (rgindexrange == NULL || cindexrange == 0 || cindexrange > 64 || precordlist == NULL ||
        precordlist->cbStruct < sizeof(*precordlist))
        err = JET_errInvalidParameter;
    else
        err = intersect(session, rgindexrange, cindexrange, precordlist);
    session_leave(session);
done:
    return err < JET_errSuccess ? err : JET_errSuccess;
}
