/* JetDefragment: cleans up behind deletions (engine source: `old.cxx`).
 *
 * Pages that deletions have emptied go back to their trees as soon as nobody can see what they held; the
 * version store does that in the background. A start here does at once what is due of it, so the work that a
 * start begins has always ended when the call returns: a stop finds nothing running. Trees are not packed
 * anew; JetCompact does that. */
#include "src/api/text.h"
#include "src/catalog/catalog.h"
#include "src/instance/databases.h"
#include "src/os/memory.h"
#include "src/version/version.h"

#define MODIFIER_BITS ((JET_GRBIT)(JET_bitDefragmentAvailSpaceTreesOnly | JET_bitDefragmentNoPartialMerges))

/* One call, in UTF-8. */
struct defragmentation {
    const char *table; /* NULL: all */
    uint32_t *passes;
    uint32_t *seconds;
    JET_CALLBACK callback;
    void *context;
    JET_GRBIT grbit;
};

static JET_ERR find_table(struct session *session, struct database *database, const char *table)
{
    object_id id;
    page_number root;
    return catalog_seek_table(&session->transaction, database, table, &id, &root);
}

/* Cleans, and tells the program that it is done. */
static JET_ERR clean(struct session *session, struct database *database, const struct defragmentation *call)
{
    (void)version_store_clean(session->instance->versions, database);
    if (call->callback != NULL) {
        session_callback_begin(session);
        (void)call->callback(session->handle, databases_id(session->instance, database), JET_tableidNil,
                             JET_cbtypOnlineDefragCompleted, NULL, NULL, call->context, 0);
        session_callback_end(session);
    }
    return JET_errSuccess;
}

static JET_ERR defragment(struct session *session, struct database *database,
                          const struct defragmentation *call)
{
    JET_GRBIT grbit = call->grbit & ~MODIFIER_BITS;
    if (database->read_only)
        return JET_errDatabaseFileReadOnly;
    if ((grbit & JET_bitDefragmentBTree) != 0) {
        if (grbit != JET_bitDefragmentBTree)
            return JET_errInvalidGrbit;
        if (call->table == NULL || call->callback != NULL)
            return JET_errInvalidParameter;
        JET_ERR err = find_table(session, database, call->table);
        return err < JET_errSuccess ? err : clean(session, database, call);
    }
    switch (grbit) {
    case JET_bitDefragmentBatchStart:
        return clean(session, database, call);
    case JET_bitDefragmentBatchStop:
        if (call->passes != NULL)
            *call->passes = 0;
        if (call->seconds != NULL)
            *call->seconds = 0;
        return JET_wrnDefragNotRunning;
    default:
        return JET_errInvalidGrbit;
    }
}

static JET_ERR defragment_id(JET_SESID sesid, JET_DBID dbid, const struct defragmentation *call)
{
    JET_ERR err = JET_errSuccess;
    struct session *session = NULL;
    struct database *database = NULL;
    TRY(session_enter_database(sesid, dbid, &session, &database));
    TRY(api_text_check(call->table));
    TRY(defragment(session, database, call));
done:
    if (session != NULL)
        session_leave(session);
    return err;
}

static JET_ERR defragment_path(JET_SESID sesid, const char *path, const struct defragmentation *call)
{
    JET_ERR err = JET_errSuccess;
    struct session *session = NULL;
    struct database *database = NULL;
    JET_DBID id = JET_dbidNil;
    bool last;
    TRY(session_enter(sesid, &session));
    TRY(api_text_check(path));
    TRY(api_text_check(call->table));
    TRY(databases_open(session, path, 0, &id));
    SOUND(session_find_database(session, id, &database));
    ASSERT(database != NULL); /* it has just been opened */
    TRY(defragment(session, database, call));
done:
    if (id != JET_dbidNil)
        databases_close(session, id, &last);
    if (session != NULL)
        session_leave(session);
    return err;
}

JET_ERR JET_API JetDefragmentA(JET_SESID sesid, JET_DBID dbid, JET_PCSTR szTableName, uint32_t *pcPasses,
                               uint32_t *pcSeconds, JET_GRBIT grbit)
{
    return JetDefragment2A(sesid, dbid, szTableName, pcPasses, pcSeconds, NULL, grbit);
}

JET_ERR JET_API JetDefragmentW(JET_SESID sesid, JET_DBID dbid, JET_PCWSTR szTableName, uint32_t *pcPasses,
                               uint32_t *pcSeconds, JET_GRBIT grbit)
{
    return JetDefragment2W(sesid, dbid, szTableName, pcPasses, pcSeconds, NULL, grbit);
}

JET_ERR JET_API JetDefragment2A(JET_SESID sesid, JET_DBID dbid, JET_PCSTR szTableName, uint32_t *pcPasses,
                                uint32_t *pcSeconds, JET_CALLBACK callback, JET_GRBIT grbit)
{
    struct defragmentation call = {szTableName, pcPasses, pcSeconds, callback, NULL, grbit};
    return defragment_id(sesid, dbid, &call);
}

JET_ERR JET_API JetDefragment2W(JET_SESID sesid, JET_DBID dbid, JET_PCWSTR szTableName, uint32_t *pcPasses,
                                uint32_t *pcSeconds, JET_CALLBACK callback, JET_GRBIT grbit)
{
    JET_ERR err = JET_errSuccess;
    char *table = NULL;
    TRY(api_text_from_wide(szTableName, &table));
    TRY(JetDefragment2A(sesid, dbid, table, pcPasses, pcSeconds, callback, grbit));
done:
    os_free(table);
    return err;
}

JET_ERR JET_API JetDefragment3A(JET_SESID sesid, JET_PCSTR szDatabaseName, JET_PCSTR szTableName,
                                uint32_t *pcPasses, uint32_t *pcSeconds, JET_CALLBACK callback,
                                void *pvContext, JET_GRBIT grbit)
{
    struct defragmentation call = {szTableName, pcPasses, pcSeconds, callback, pvContext, grbit};
    return defragment_path(sesid, szDatabaseName, &call);
}

JET_ERR JET_API JetDefragment3W(JET_SESID sesid, JET_PCWSTR szDatabaseName, JET_PCWSTR szTableName,
                                uint32_t *pcPasses, uint32_t *pcSeconds, JET_CALLBACK callback,
                                void *pvContext, JET_GRBIT grbit)
{
    JET_ERR err = JET_errSuccess;
    char *path = NULL;
    char *table = NULL;
    TRY(api_text_from_wide(szDatabaseName, &path));
    TRY(api_text_from_wide(szTableName, &table));
    TRY(JetDefragment3A(sesid, path, table, pcPasses, pcSeconds, callback, pvContext, grbit));
done:
    os_free(table);
    os_free(path);
    return err;
}
