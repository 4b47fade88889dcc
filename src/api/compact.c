/* JetCompact: copies an attached database into a new file (engine source: `comp.cxx`). */
#include "src/api/text.h"
#include "src/instance/compact.h"
#include "src/instance/databases.h"
#include "src/os/file.h"
#include "src/os/memory.h"

struct compact_status {
    struct session *session;
    JET_PFNSTATUS function;
};

/* Tells the program; what it answers as an error ends the work. */
static JET_ERR tell(struct compact_status *status, JET_SNT what, uint32_t done_pages, uint32_t total)
{
    JET_SNPROG progress = {.cbStruct = sizeof(progress), .cunitDone = done_pages, .cunitTotal = total};
    if (status->function == NULL)
        return JET_errSuccess;
    session_callback_begin(status->session);
    JET_ERR err = status->function(status->session->handle, JET_snpCompact, what, &progress);
    session_callback_end(status->session);
    return err;
}

static JET_ERR tell_progress(void *context, uint32_t done_pages, uint32_t total)
{
    return tell(context, JET_sntProgress, done_pages, total);
}

/* Opens the source for this session alone, makes the target, copies, and leaves the target closed and
 * detached. */
static JET_ERR compact_files(struct session *session, const char *from, const char *to,
                             struct compact_status *status)
{
    JET_ERR err = JET_errSuccess;
    struct database_options options = {0, JET_bitDbRecoveryOff | JET_bitDbVersioningOff};
    JET_DBID from_id = JET_dbidNil;
    JET_DBID to_id = JET_dbidNil;
    struct database *source = NULL;
    struct database *target = NULL;
    bool last;

    TRY(databases_open(session, from, JET_bitDbExclusive | JET_bitDbReadOnly, &from_id));
    SOUND(session_find_database(session, from_id, &source));
    TRY(databases_create(session, to, &options, &to_id));
    SOUND(session_find_database(session, to_id, &target));
    ASSERT(source != NULL && target != NULL); /* they have just been opened */
    TRY(tell(status, JET_sntBegin, 0, 0));
    TRY(compact_database(session, source, target, tell_progress, status));
    TRY(tell(status, JET_sntComplete, 0, 0));
done:
    if (from_id != JET_dbidNil)
        databases_close(session, from_id, &last);
    if (to_id != JET_dbidNil) {
        databases_close(session, to_id, &last);
        JET_ERR detached = databases_detach(session, to, 0);
        if (detached < JET_errSuccess)
            (void)databases_detach(session, to, 0); /* what was lacking may be back: it shall not stay */
        if (err >= JET_errSuccess)
            err = detached;
        if (err < JET_errSuccess)
            (void)os_file_delete(to);
    }
    return err;
}

static JET_ERR compact(JET_SESID sesid, const char *from, const char *to, JET_PFNSTATUS function,
                       bool convert, JET_GRBIT grbit)
{
    JET_ERR err = JET_errSuccess;
    struct session *session = NULL;
    struct compact_status status = {NULL, function};
    char full[OS_PATH_SIZE];
    (void)grbit; /* statistics and repair have no meaning here */

    TRY(session_enter(sesid, &session));
    status.session = session;
    TRY(api_text_check(from));
    TRY(api_text_check(to));
    if (convert)
        FAIL(JET_errFeatureNotAvailable);
    if (transaction_level(&session->transaction) > 0)
        FAIL(JET_errInTransaction);
    if (from == NULL || from[0] == '\0' || to == NULL || to[0] == '\0')
        FAIL(JET_errDatabaseInvalidPath);
    TRY(os_path_full(to, full, sizeof(full)));
    TRY(compact_files(session, from, full, &status));
done:
    if (session != NULL)
        session_leave(session);
    return err;
}

JET_ERR JET_API JetCompactA(JET_SESID sesid, JET_PCSTR szDatabaseSrc, JET_PCSTR szDatabaseDest,
                            JET_PFNSTATUS pfnStatus, JET_CONVERT_A *pconvert, JET_GRBIT grbit)
{
    return compact(sesid, szDatabaseSrc, szDatabaseDest, pfnStatus, pconvert != NULL, grbit);
}

JET_ERR JET_API JetCompactW(JET_SESID sesid, JET_PCWSTR szDatabaseSrc, JET_PCWSTR szDatabaseDest,
                            JET_PFNSTATUS pfnStatus, JET_CONVERT_W *pconvert, JET_GRBIT grbit)
{
    JET_ERR err = JET_errSuccess;
    char *from = NULL;
    char *to = NULL;
    TRY(api_text_from_wide(szDatabaseSrc, &from));
    TRY(api_text_from_wide(szDatabaseDest, &to));
    TRY(compact(sesid, from, to, pfnStatus, pconvert != NULL, grbit));
done:
    os_free(to);
    os_free(from);
    return err;
}
