/* JetGetDatabaseInfo of an open database, JetGetDatabaseFileInfo of any file (engine sources: `info.cxx`,
 * `jetapi.cxx`). */
#include "src/api/text.h"
#include "src/btree/space.h"
#include "src/instance/databases.h"
#include "src/instance/process.h"
#include "src/os/file.h"
#include "src/os/memory.h"
#include "src/recovery/header_report.h"

#define COUNTRY_DEFAULT 1u
#define CODE_PAGE_DEFAULT 1252u
#define TRANSACTION_LEVELS 7

/* --- what a header tells --- */

/* The older structures are the beginnings of the newest. */
static bool is_misc_size(uint32_t size)
{
    return size == sizeof(JET_DBINFOMISC) || size == sizeof(JET_DBINFOMISC2) ||
           size == sizeof(JET_DBINFOMISC3) || size == sizeof(JET_DBINFOMISC4) ||
           size == sizeof(JET_DBINFOMISC5) || size == sizeof(JET_DBINFOMISC6) ||
           size == sizeof(JET_DBINFOMISC7);
}

static JET_ERR misc_out(const struct database_header *header, void *result, uint32_t size)
{
    JET_DBINFOMISC7 info;
    if (!is_misc_size(size))
        return JET_errInvalidBufferSize;
    database_header_report(header, &info);
    memcpy(result, &info, size);
    return JET_errSuccess;
}

static JET_ERR number_out(uint32_t number, void *result, uint32_t size)
{
    if (size != sizeof(number))
        return JET_errInvalidBufferSize;
    memcpy(result, &number, sizeof(number));
    return JET_errSuccess;
}

/* --- an open database --- */

static JET_ERR misc_info(struct database *database, void *result, uint32_t size)
{
    os_mutex_lock(&database->header_lock);
    JET_ERR err = misc_out(&database->header, result, size);
    os_mutex_unlock(&database->header_lock);
    return err;
}

static JET_ERR file_pages(struct database *database, void *result, uint32_t size)
{
    JET_ERR err = JET_errSuccess;
    uint64_t bytes = 0;
    if (size < sizeof(uint32_t))
        return JET_errInvalidBufferSize;
    TRY(os_file_size(database->file, &bytes));
    uint32_t pages = (uint32_t)(bytes / database->page_size);
    memcpy(result, &pages, sizeof(pages));
done:
    return err;
}

/* Pages that the database owns, or of these the free ones. */
static JET_ERR space_info(struct session *session, struct database *database, bool owned, void *result,
                          uint32_t size)
{
    JET_ERR err = JET_errSuccess;
    struct tree *tree = NULL;
    uint32_t pages = 0;
    if (size != sizeof(pages))
        return JET_errInvalidBufferSize;
    TRY(tree_open(session->instance->trees, database, ROOT_PAGE_DATABASE, &tree));
    TRY(space_count(tree, owned ? &pages : NULL, owned ? NULL : &pages));
    memcpy(result, &pages, sizeof(pages));
done:
    tree_close(tree);
    return err;
}

/* Levels that answer one number which the database cannot change. */
static JET_ERR constant_info(const struct session *session, struct database *database, uint32_t level,
                             void *result, uint32_t size)
{
    const struct parameters *set = &session->instance->parameters;
    os_mutex_lock(&session->instance->database_lock);
    bool exclusive =
        session->instance->databases[database->id].exclusive_owner == (const struct session *)session;
    os_mutex_unlock(&session->instance->database_lock);
    switch (level) {
    case JET_DbInfoCountry:
        return number_out(COUNTRY_DEFAULT, result, size);
    case JET_DbInfoLCID:
        return number_out(set->unicode_default_set ? set->unicode_default.locale_id
                                                   : PARAMETER_UNICODE_LOCALE,
                          result, size);
    case JET_DbInfoCp:
        return number_out(CODE_PAGE_DEFAULT, result, size);
    case JET_DbInfoCollate:
        return number_out(0, result, size);
    case JET_DbInfoOptions:
        return number_out(exclusive ? JET_bitDbExclusive : 0, result, size);
    case JET_DbInfoTransactions:
        return number_out(TRANSACTION_LEVELS, result, size);
    case JET_DbInfoVersion:
        return number_out(DATABASE_VERSION, result, size);
    case JET_DbInfoPageSize:
        return size != sizeof(uint32_t) ? JET_errBufferTooSmall
                                        : number_out(database->page_size, result, size);
    case JET_DbInfoIsam:
        return JET_errFeatureNotAvailable;
    default:
        return JET_errInvalidParameter;
    }
}

static JET_ERR open_database_info(struct session *session, struct database *database, void *result,
                                  uint32_t size, uint32_t level)
{
    level &= ~(uint32_t)JET_DbInfoUseCachedResult;
    if (result == NULL)
        return JET_errInvalidParameter;
    switch (level) {
    case JET_DbInfoMisc:
        return misc_info(database, result, size);
    case JET_DbInfoFilesize:
    case JET_DbInfoFilesizeOnDisk:
        return file_pages(database, result, size);
    case JET_DbInfoSpaceOwned:
        return space_info(session, database, true, result, size);
    case JET_DbInfoSpaceAvailable:
        return space_info(session, database, false, result, size);
    default:
        return constant_info(session, database, level, result, size);
    }
}

typedef JET_ERR (*text_output)(const char *text, void *buffer, size_t size);

static JET_ERR get_database_info(JET_SESID sesid, JET_DBID dbid, void *result, uint32_t size, uint32_t level,
                                 text_output output)
{
    JET_ERR err = JET_errSuccess;
    struct session *session = NULL;
    struct database *database = NULL;

    TRY(session_enter_database(sesid, dbid, &session, &database));
    if (level == JET_DbInfoFilename)
        err = output(database->path, result, size);
    else if (level == JET_DbInfoConnect)
        err = output("", result, size);
    else
        err = open_database_info(session, database, result, size, level);
    session_leave(session);
done:
    return err;
}

static JET_ERR output_narrow(const char *text, void *buffer, size_t size)
{
    if (buffer != NULL && strlen(text) + 1 > size)
        return JET_errBufferTooSmall;
    return api_text_out(text, buffer, size);
}

static JET_ERR output_wide(const char *text, void *buffer, size_t size)
{
    return api_text_out_wide(text, buffer, size);
}

JET_ERR JET_API JetGetDatabaseInfoA(JET_SESID sesid, JET_DBID dbid, void *pvResult, uint32_t cbMax,
                                    uint32_t InfoLevel)
{
    return get_database_info(sesid, dbid, pvResult, cbMax, InfoLevel, output_narrow);
}

JET_ERR JET_API JetGetDatabaseInfoW(JET_SESID sesid, JET_DBID dbid, void *pvResult, uint32_t cbMax,
                                    uint32_t InfoLevel)
{
    return get_database_info(sesid, dbid, pvResult, cbMax, InfoLevel, output_wide);
}

/* --- a file --- */

/* A database that some instance of the process has attached under this path. */
struct attached_search {
    const char *path;
    struct database_header *header; /* filled if found */
    bool found;
};

static void search_attached(struct instance *instance, void *context)
{
    struct attached_search *search = context;
    os_mutex_lock(&instance->database_lock);
    const struct instance_database *slot =
        search->found ? NULL : databases_find_locked(instance, search->path);
    if (slot != NULL && slot->ready) {
        os_mutex_lock(&slot->database->header_lock);
        *search->header = slot->database->header;
        os_mutex_unlock(&slot->database->header_lock);
        search->found = true;
    }
    os_mutex_unlock(&instance->database_lock);
}

static bool find_attached(const char *path, struct database_header *header)
{
    struct attached_search search = {path, header, false};
    process_lock();
    process_visit_locked(search_attached, &search);
    process_unlock();
    return search.found;
}

static JET_ERR read_header(const char *path, struct database_header *header)
{
    JET_ERR err = JET_errSuccess;
    struct os_file *file = NULL;
    if (find_attached(path, header))
        return JET_errSuccess;
    TRY(os_file_open(path, OS_OPEN_READ, OS_SHARE_READ_WRITE, &file));
    TRY(database_header_read(file, header, NULL));
done:
    os_file_close(file);
    return err;
}

/* The type that a header tells, of whatever kind of file: a log and a checkpoint have it in the same place.
 */
static JET_ERR read_file_type(const char *path, uint32_t *type)
{
    JET_ERR err = JET_errSuccess;
    struct os_file *file = NULL;
    struct database_header header;
    err = read_header(path, &header);
    if (err != JET_errSuccess) {
        if (err != JET_errFileInvalidType)
            goto done;
        TRY(os_file_open(path, OS_OPEN_READ, OS_SHARE_READ_WRITE, &file));
        TRY(os_file_read(file, 0, &header, sizeof(header)));
    }
    *type = header.file_type;
done:
    os_file_close(file);
    return err;
}

static JET_ERR header_info(const char *path, void *result, uint32_t size, uint32_t level)
{
    JET_ERR err = JET_errSuccess;
    struct database_header header;
    if (level == JET_DbInfoMisc ? !is_misc_size(size) : size != sizeof(uint32_t))
        return JET_errInvalidBufferSize;
    if (level == JET_DbInfoFileType) {
        uint32_t type = 0;
        TRY(read_file_type(path, &type));
        err = number_out(type, result, size);
        goto done;
    }
    TRY(read_header(path, &header));
    if (level == JET_DbInfoPageSize) {
        err = number_out(header.page_size, result, size);
    } else {
        if (header.file_type != FILE_TYPE_DATABASE)
            FAIL(JET_errFileInvalidType);
        err = misc_out(&header, result, size);
    }
done:
    return err;
}

static JET_ERR size_info(uint64_t bytes, void *result, uint32_t size)
{
    if (size != sizeof(bytes))
        return JET_errInvalidBufferSize;
    memcpy(result, &bytes, sizeof(bytes));
    return JET_errSuccess;
}

/* Every format that is read here is the current one: nothing is to be upgraded. */
static JET_ERR upgrade_info(const char *path, uint64_t bytes, void *result, uint32_t size)
{
    struct database_header header;
    JET_DBINFOUPGRADE *info = result;
    if (size != sizeof(*info))
        return JET_errInvalidBufferSize;
    if (info->cbStruct != sizeof(*info))
        return JET_errInvalidParameter;
    memset(info, 0, sizeof(*info));
    info->cbStruct = sizeof(*info);
    info->cbFilesizeLow = (uint32_t)bytes;
    info->cbFilesizeHigh = (uint32_t)(bytes >> 32);
    info->csecToUpgrade = (uint32_t)((bytes * 3600) >> 30);
    uint64_t needed = (bytes * 10) >> 6;
    info->cbFreeSpaceRequiredLow = (uint32_t)needed;
    info->cbFreeSpaceRequiredHigh = (uint32_t)(needed >> 32);
    if (read_header(path, &header) < JET_errSuccess)
        return JET_errSuccess;
    info->fAlreadyUpgraded = 1;
    return header.state == DATABASE_BEING_CONVERTED ? JET_errDatabaseIncompleteUpgrade : JET_errSuccess;
}

static JET_ERR get_file_info(const char *path, void *result, uint32_t size, uint32_t level)
{
    JET_ERR err = JET_errSuccess;
    char full[OS_PATH_SIZE];
    struct os_file_info file;
    struct database_header header;

    TRY(api_text_check(path));
    if (path == NULL || path[0] == '\0' || result == NULL)
        FAIL(JET_errInvalidParameter);
    TRY(os_path_full(path, full, sizeof(full)));
    TRY(os_file_info(full, &file));
    switch (level) {
    case JET_DbInfoFilesize:
    case JET_DbInfoFilesizeOnDisk:
        err = size_info(file.size, result, size);
        break;
    case JET_DbInfoUpgrade:
        err = upgrade_info(full, file.size, result, size);
        break;
    case JET_DbInfoMisc:
    case JET_DbInfoPageSize:
    case JET_DbInfoFileType:
        err = header_info(full, result, size, level);
        break;
    case JET_DbInfoDBInUse:
        err = number_out(find_attached(full, &header) ? 1 : 0, result, size);
        break;
    default:
        err = JET_errInvalidParameter;
        break;
    }
done:
    return err;
}

JET_ERR JET_API JetGetDatabaseFileInfoA(JET_PCSTR szDatabaseName, void *pvResult, uint32_t cbMax,
                                        uint32_t InfoLevel)
{
    return get_file_info(szDatabaseName, pvResult, cbMax, InfoLevel);
}

JET_ERR JET_API JetGetDatabaseFileInfoW(JET_PCWSTR szDatabaseName, void *pvResult, uint32_t cbMax,
                                        uint32_t InfoLevel)
{
    JET_ERR err = JET_errSuccess;
    char *path = NULL;
    TRY(api_text_from_wide(szDatabaseName, &path));
    TRY(get_file_info(path, pvResult, cbMax, InfoLevel));
done:
    os_free(path);
    return err;
}
