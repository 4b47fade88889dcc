/* JetCreateDatabase, JetAttachDatabase, JetOpenDatabase, JetCloseDatabase, JetDetachDatabase, sizes of
 * databases (engine source: `jetapi.cxx`). Connect strings mean nothing. */
#include "src/api/text.h"
#include "src/btree/space.h"
#include "src/instance/databases.h"
#include "src/os/file.h"
#include "src/os/memory.h"
#include "src/table/cursor.h"

#define DATABASE_HEADER_PAGES 2u
#define DATABASE_SIZE_LEAST 32u /* what JetSetDatabaseSize takes at least */

/* --- create and attach --- */

static JET_ERR create_database(JET_SESID sesid, const char *path, uint32_t pages_most, JET_DBID *id,
                               JET_GRBIT grbit)
{
    JET_ERR err = JET_errSuccess;
    struct session *session = NULL;
    struct database_options options = {pages_most, grbit};
    JET_DBID made = JET_dbidNil;

    TRY(session_enter(sesid, &session));
    if (id == NULL)
        FAIL(JET_errInvalidParameter);
    *id = JET_dbidNil;
    TRY(api_text_check(path));
    TRY(databases_create(session, path, &options, &made));
    *id = made;
done:
    if (session != NULL)
        session_leave(session);
    return err;
}

JET_ERR JET_API JetCreateDatabase2A(JET_SESID sesid, JET_PCSTR szFilename, const uint32_t cpgDatabaseSizeMax,
                                    JET_DBID *pdbid, JET_GRBIT grbit)
{
    return create_database(sesid, szFilename, cpgDatabaseSizeMax, pdbid, grbit);
}

JET_ERR JET_API JetCreateDatabase2W(JET_SESID sesid, JET_PCWSTR szFilename, const uint32_t cpgDatabaseSizeMax,
                                    JET_DBID *pdbid, JET_GRBIT grbit)
{
    JET_ERR err = JET_errSuccess;
    char *path = NULL;
    TRY(api_text_from_wide(szFilename, &path));
    TRY(create_database(sesid, path, cpgDatabaseSizeMax, pdbid, grbit));
done:
    os_free(path);
    return err;
}

JET_ERR JET_API JetCreateDatabaseA(JET_SESID sesid, JET_PCSTR szFilename, JET_PCSTR szConnect,
                                   JET_DBID *pdbid, JET_GRBIT grbit)
{
    (void)szConnect;
    return JetCreateDatabase2A(sesid, szFilename, 0, pdbid, grbit);
}

JET_ERR JET_API JetCreateDatabaseW(JET_SESID sesid, JET_PCWSTR szFilename, JET_PCWSTR szConnect,
                                   JET_DBID *pdbid, JET_GRBIT grbit)
{
    (void)szConnect;
    return JetCreateDatabase2W(sesid, szFilename, 0, pdbid, grbit);
}

static JET_ERR attach_database(JET_SESID sesid, const char *path, uint32_t pages_most, JET_GRBIT grbit)
{
    JET_ERR err = JET_errSuccess;
    struct session *session = NULL;
    struct database_options options = {pages_most, grbit};

    TRY(session_enter(sesid, &session));
    TRY(api_text_check(path));
    TRY(databases_attach(session, path, &options));
done:
    if (session != NULL)
        session_leave(session);
    return err;
}

JET_ERR JET_API JetAttachDatabase2A(JET_SESID sesid, JET_PCSTR szFilename, const uint32_t cpgDatabaseSizeMax,
                                    JET_GRBIT grbit)
{
    return attach_database(sesid, szFilename, cpgDatabaseSizeMax, grbit);
}

JET_ERR JET_API JetAttachDatabase2W(JET_SESID sesid, JET_PCWSTR szFilename, const uint32_t cpgDatabaseSizeMax,
                                    JET_GRBIT grbit)
{
    JET_ERR err = JET_errSuccess;
    char *path = NULL;
    TRY(api_text_from_wide(szFilename, &path));
    TRY(attach_database(sesid, path, cpgDatabaseSizeMax, grbit));
done:
    os_free(path);
    return err;
}

JET_ERR JET_API JetAttachDatabaseA(JET_SESID sesid, JET_PCSTR szFilename, JET_GRBIT grbit)
{
    return attach_database(sesid, szFilename, 0, grbit);
}

JET_ERR JET_API JetAttachDatabaseW(JET_SESID sesid, JET_PCWSTR szFilename, JET_GRBIT grbit)
{
    return JetAttachDatabase2W(sesid, szFilename, 0, grbit);
}

/* --- open and close --- */

static JET_ERR open_database(JET_SESID sesid, const char *path, JET_DBID *id, JET_GRBIT grbit)
{
    JET_ERR err = JET_errSuccess;
    struct session *session = NULL;
    JET_DBID opened = JET_dbidNil;

    TRY(session_enter(sesid, &session));
    if (id == NULL)
        FAIL(JET_errInvalidParameter);
    *id = JET_dbidNil;
    TRY(api_text_check(path));
    TRY(databases_open(session, path, grbit, &opened));
    *id = opened;
done:
    if (session != NULL)
        session_leave(session);
    return err;
}

JET_ERR JET_API JetOpenDatabaseA(JET_SESID sesid, JET_PCSTR szFilename, JET_PCSTR szConnect, JET_DBID *pdbid,
                                 JET_GRBIT grbit)
{
    (void)szConnect;
    return open_database(sesid, szFilename, pdbid, grbit);
}

JET_ERR JET_API JetOpenDatabaseW(JET_SESID sesid, JET_PCWSTR szFilename, JET_PCWSTR szConnect,
                                 JET_DBID *pdbid, JET_GRBIT grbit)
{
    JET_ERR err = JET_errSuccess;
    char *path = NULL;
    (void)szConnect;
    TRY(api_text_from_wide(szFilename, &path));
    TRY(open_database(sesid, path, pdbid, grbit));
done:
    os_free(path);
    return err;
}

struct close_in_database {
    const struct database *database;
};

static void close_if_in_database(struct session *session, JET_TABLEID table, void *object, void *context)
{
    const struct close_in_database *search = context;
    const struct table_cursor *cursor = object;
    if (cursor->database == search->database)
        session_close_cursor(session, table);
}

JET_ERR JET_API JetCloseDatabase(JET_SESID sesid, JET_DBID dbid, JET_GRBIT grbit)
{
    JET_ERR err = JET_errSuccess;
    struct session *session = NULL;
    struct database *database = NULL;
    bool last = false;
    (void)grbit;

    TRY(session_enter_stopped(sesid, &session));
    TRY(session_find_database(session, dbid, &database));
    if (session->row_callbacks > 0) /* a cursor in it is in the middle of a change */
        FAIL(JET_errIllegalOperation);
    databases_close(session, dbid, &last);
    if (last) {
        struct close_in_database search = {database};
        session_visit_cursors(session, close_if_in_database, &search);
    }
done:
    if (session != NULL)
        session_leave(session);
    return err;
}

/* --- detach --- */

static JET_ERR detach_database(JET_SESID sesid, const char *path, JET_GRBIT grbit)
{
    JET_ERR err = JET_errSuccess;
    struct session *session = NULL;

    TRY(session_enter(sesid, &session));
    TRY(api_text_check(path));
    if ((grbit & ~(JET_GRBIT)(JET_bitForceDetach | JET_bitForceCloseAndDetach)) != 0)
        FAIL(JET_errInvalidGrbit);
    if ((grbit & JET_bitForceDetach) != 0)
        FAIL(JET_errForceDetachNotAllowed);
    TRY(databases_detach(session, path, grbit));
done:
    if (session != NULL)
        session_leave(session);
    return err;
}

JET_ERR JET_API JetDetachDatabase2A(JET_SESID sesid, JET_PCSTR szFilename, JET_GRBIT grbit)
{
    return detach_database(sesid, szFilename, grbit);
}

JET_ERR JET_API JetDetachDatabase2W(JET_SESID sesid, JET_PCWSTR szFilename, JET_GRBIT grbit)
{
    JET_ERR err = JET_errSuccess;
    char *path = NULL;
    TRY(api_text_from_wide(szFilename, &path));
    TRY(detach_database(sesid, path, grbit));
done:
    os_free(path);
    return err;
}

JET_ERR JET_API JetDetachDatabaseA(JET_SESID sesid, JET_PCSTR szFilename)
{
    return detach_database(sesid, szFilename, 0);
}

JET_ERR JET_API JetDetachDatabaseW(JET_SESID sesid, JET_PCWSTR szFilename)
{
    return JetDetachDatabase2W(sesid, szFilename, 0);
}

/* --- sizes --- */

/* Pages of a file, the two of the header among them. */
static JET_ERR file_pages(struct os_file *file, uint32_t page_size, uint32_t *pages)
{
    JET_ERR err = JET_errSuccess;
    uint64_t bytes = 0;
    TRY(os_file_size(file, &bytes));
    *pages = (uint32_t)(bytes / page_size);
done:
    return err;
}

/* In steps of the extension size. */
static JET_ERR grow_by(struct session *session, struct database *database, uint32_t pages)
{
    JET_ERR err = JET_errSuccess;
    struct instance *instance = session->instance;
    const uint32_t step = (uint32_t)instance_parameter(instance, JET_paramDbExtensionSize);
    uint32_t last = 0;
    if (database->read_only)
        FAIL(JET_errDatabaseFileReadOnly);
    for (uint64_t grown = 0; grown < pages; grown += step)
        TRY(space_grow_database(instance->trees, database, &session->transaction.actor, step, &last));
done:
    return err;
}

/* `*actual` is what the file has then; on failure what it had, or 0 if the call made no sense. Nothing ever
 * shrinks: where the engine would trim the file's free end, it stays. (Engine source: `db.cxx`.) */
static JET_ERR resize(struct session *session, struct database *database, uint32_t pages, uint32_t *actual,
                      JET_GRBIT grbit)
{
    JET_ERR err = JET_errSuccess;
    const JET_GRBIT known = JET_bitResizeDatabaseOnlyGrow | JET_bitResizeDatabaseOnlyShrink;
    const uint32_t now = atomic_load(&database->page_last) + DATABASE_HEADER_PAGES;

    *actual = 0;
    if ((grbit & ~known) != 0 || (grbit & known) == known)
        FAIL(JET_errInvalidGrbit);
    *actual = now;
    if (pages > now && (grbit & JET_bitResizeDatabaseOnlyShrink) == 0)
        TRY(grow_by(session, database, pages - now));
    if (pages < now && (grbit & JET_bitResizeDatabaseOnlyGrow) == 0 &&
        (instance_parameter(session->instance, JET_paramEnableShrinkDatabase) & JET_bitShrinkDatabaseOn) == 0)
        FAIL(JET_errFeatureNotAvailable);
    TRY(file_pages(database->file, database->page_size, actual));
done:
    return err;
}

JET_ERR JET_API JetResizeDatabase(JET_SESID sesid, JET_DBID dbid, uint32_t cpgTarget, uint32_t *pcpgActual,
                                  const JET_GRBIT grbit)
{
    JET_ERR err = JET_errSuccess;
    struct session *session = NULL;
    struct database *database = NULL;
    uint32_t actual = 0;

    TRY(session_enter_database(sesid, dbid, &session, &database));
    err = resize(session, database, cpgTarget, pcpgActual != NULL ? pcpgActual : &actual, grbit);
    session_leave(session);
done:
    return err;
}

JET_ERR JET_API JetGrowDatabase(JET_SESID sesid, JET_DBID dbid, uint32_t cpg, uint32_t *pcpgReal)
{
    return JetResizeDatabase(sesid, dbid, cpg, pcpgReal, JET_bitResizeDatabaseOnlyGrow);
}

/* Of a database that nobody has attached and that was shut down cleanly. `pages` counts without the header.
 */
static JET_ERR set_file_size(const char *path, uint32_t pages, uint32_t *actual)
{
    JET_ERR err = JET_errSuccess;
    char full[OS_PATH_SIZE];
    struct os_file *file = NULL;
    struct database_header header;
    uint32_t now = 0;

    if (path == NULL || path[0] == '\0')
        FAIL(JET_errDatabaseInvalidPath);
    if (pages < DATABASE_SIZE_LEAST)
        FAIL(JET_errInvalidParameter);
    TRY(os_path_full(path, full, sizeof(full)));
    TRY(os_file_open(full, OS_OPEN_WRITE, OS_SHARE_NONE, &file));
    TRY(database_header_read(file, &header, NULL));
    if (header.state != DATABASE_CLEAN_SHUTDOWN)
        FAIL(JET_errDatabaseDirtyShutdown);
    TRY(file_pages(file, header.page_size, &now));
    now -= DATABASE_HEADER_PAGES;
    if (now < pages) {
        TRY(os_file_set_size(file, (uint64_t)(pages + DATABASE_HEADER_PAGES) * header.page_size));
        TRY(os_file_sync(file));
        now = pages;
    }
    *actual = now;
done:
    os_file_close(file);
    return err;
}

static JET_ERR set_database_size(JET_SESID sesid, const char *path, uint32_t pages, uint32_t *actual)
{
    JET_ERR err = JET_errSuccess;
    struct session *session = NULL;

    TRY(session_enter(sesid, &session));
    err = api_text_check(path);
    if (err == JET_errSuccess && actual == NULL)
        err = JET_errInvalidParameter;
    if (err == JET_errSuccess)
        err = set_file_size(path, pages, actual);
    session_leave(session);
done:
    return err;
}

JET_ERR JET_API JetSetDatabaseSizeA(JET_SESID sesid, JET_PCSTR szDatabaseName, uint32_t cpg,
                                    uint32_t *pcpgReal)
{
    return set_database_size(sesid, szDatabaseName, cpg, pcpgReal);
}

JET_ERR JET_API JetSetDatabaseSizeW(JET_SESID sesid, JET_PCWSTR szDatabaseName, uint32_t cpg,
                                    uint32_t *pcpgReal)
{
    JET_ERR err = JET_errSuccess;
    char *path = NULL;
    TRY(api_text_from_wide(szDatabaseName, &path));
    TRY(set_database_size(sesid, path, cpg, pcpgReal));
done:
    os_free(path);
    return err;
}
