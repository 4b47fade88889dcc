/* The streams of databases: open, read, close of the one file at a time, and what both kinds of file share.
 */
#include "src/backup/backup_stream.h"

#include "src/cache/cache.h"
#include "src/log/log.h"
#include "src/os/clock.h"
#include "src/os/host.h"
#include "src/page/checksum.h"

#define HEADER_PAGES 2u
#define TRAILER_PAGES 1u
/* Failed reads are tried again, after pauses that grow by this many milliseconds. */
#define READ_RETRIES 16u
#define READ_PAUSE 100u

/* --- open --- */

static os_atomic_64 last_handle;

static void forget_handles(void)
{
    os_atomic_store(&last_handle, 0);
}

/* In the published engine a handle is an index in an array of one; here it tells one open from all others of
 * the process. */
static JET_HANDLE new_handle(void)
{
    if (os_host_is_published())
        return 0;
    os_host_on_death(forget_handles);
    return (JET_HANDLE)os_atomic_add(&last_handle, 1);
}

static void open_database_stream(struct backup_context *context, struct database *database, uint64_t offset)
{
    struct backup_file *file = &context->file;
    const uint32_t page_size = database->page_size;
    file->database = database;
    /* The header first: what it requires fits the size that is read afterwards, and covers pages added
     * meanwhile. */
    os_mutex_lock(&database->header_lock);
    file->header = database->header;
    os_mutex_unlock(&database->header_lock);
    file->header.full_current = (struct backup_info){
        .mark = context->mark,
        .time = context->mark_time,
        .generation_low = (uint32_t)context->copy_low,
    };
    file->last = atomic_load(&database->page_last);
    file->size = ((uint64_t)file->last + HEADER_PAGES + TRAILER_PAGES) * page_size;
    /* Stream offset n * page size holds page n - 1, from page 1 on. */
    file->copied = offset == 0 ? 0 : (page_number)(offset / page_size - HEADER_PAGES);
    database->backup.in_backup = true;
}

/* The checks of the arguments, once a backup is known to run. */
static JET_ERR check_open(const struct backup_context *context, const char *path, uint64_t offset)
{
    const uint32_t page_size = context->services->page_size(context->instance);
    if (path == NULL || path[0] == 0)
        return JET_errInvalidParameter;
    if (offset % page_size != 0)
        return JET_errInvalidParameter;
    /* Starting behind the headers means starting behind page 1 too. */
    if (offset > 0 && offset / page_size < HEADER_PAGES + 1)
        return JET_errInvalidParameter;
    if (context->file.open)
        return JET_errOutOfMemory;
    return JET_errSuccess;
}

/* Finds out what the name means. *database is null if it is no attached database. */
static JET_ERR find_database(struct backup_context *context, const char *path, struct database **database)
{
    const JET_ERR err = context->services->find(context->instance, path, database);
    if (err == JET_errDatabaseNotFound ||
        (err >= JET_errSuccess && (*database)->temporary && !os_host_is_published())) {
        *database = NULL;
        return JET_errSuccess;
    }
    return err;
}

/* Its path is known already. */
static JET_ERR open_inside(struct backup_context *context, uint64_t offset)
{
    JET_ERR err = JET_errSuccess;
    struct backup_file *file = &context->file;
    struct database *database;
    enum backup_event event = BACKUP_EVENT_OPEN_FILE;
    file->position = offset;
    TRY(find_database(context, file->path, &database));
    event = database != NULL ? BACKUP_EVENT_OPEN_DATABASE : BACKUP_EVENT_OPEN_FILE;
    TRY(backup_rule(os_host_profile(), backup_state_inside(context), event)->refused);
    if (database != NULL) {
        if (context->with_patch_files)
            TRY(backup_make_patch_file(database));
        open_database_stream(context, database, offset);
    } else {
        TRY(backup_open_plain_file(context));
    }
    file->open = true;
    file->handle = new_handle();
done:
    if (err < JET_errSuccess)
        backup_failed(context, event, err);
    return err;
}

JET_ERR backup_check_running(struct backup_context *context)
{
    const JET_ERR err = backup_enter_for(context, BACKUP_EVENT_READ);
    if (err == JET_errSuccess)
        backup_leave(context);
    return err;
}

JET_ERR backup_open_file(struct backup_context *context, const char *path, uint64_t offset,
                         JET_HANDLE *handle, uint64_t *size)
{
    JET_ERR err = JET_errSuccess;
    TRY(backup_enter_for(context, BACKUP_EVENT_READ));
    err = check_open(context, path, offset);
    if (err == JET_errSuccess) {
        memset(&context->file, 0, sizeof context->file);
        err = os_path_full(path, context->file.path, sizeof context->file.path);
    }
    if (err == JET_errSuccess)
        err = open_inside(context, offset);
    if (err == JET_errSuccess) {
        *handle = context->file.handle;
        *size = context->file.size;
    }
    backup_leave(context);
done:
    return err;
}

/* --- read --- */

/* The last page: what the backup knows of the database when its pages have been read. */
static void make_trailer(struct backup_context *context, void *page)
{
    struct database *database = context->file.database;
    struct database_trailer trailer = {
        .backup =
            {
                .mark = context->mark,
                .time = context->mark_time,
                .generation_low = (uint32_t)context->copy_low,
                .generation_high = (uint32_t)log_generation(backup_log(context)),
            },
    };
    os_mutex_lock(&database->header_lock);
    const struct database_header *header = &database->header;
    trailer.database_signature = header->signature;
    trailer.log_signature = header->log_signature;
    os_mutex_unlock(&database->header_lock);
    /* The generations that the database needs stand in trailers of later formats only. */
    memset(page, 0, database->page_size);
    memcpy(page, &trailer, sizeof trailer);
    checksum_header_set(page, database->page_size);
}

/* One try: no page of the range is written meanwhile, so none is torn. */
static JET_ERR read_pages_once(struct database *database, page_number first, uint32_t count, uint8_t *buffer)
{
    cache_lock_range(database, first, first + count - 1);
    JET_ERR err = cache_read_raw(database, first, count, buffer);
    cache_unlock_range(database);
    if (err >= JET_errSuccess && database->temporary) {
        /* Pages of the temporary database are on disk by chance only; one that never was is no page. */
        struct page page = {buffer, database->page_size, first};
        if (page_is_zero(&page))
            err = JET_errReadVerifyFailure;
    }
    return err;
}

static JET_ERR read_pages(struct backup_context *context, page_number first, uint32_t count, uint8_t *buffer)
{
    JET_ERR err = JET_errSuccess;
    for (uint32_t retry = 0;; retry++) {
        err = read_pages_once(context->file.database, first, count, buffer);
        if (err >= JET_errSuccess || retry == READ_RETRIES)
            return err;
        os_sleep((retry + 1) * READ_PAUSE);
        if (os_atomic_load(&context->stopped))
            return JET_errBackupAbortByServer;
    }
}

/* How many pages of the stream, headers counted in and trailer not, are left; negative behind the end. */
static int64_t pages_left(const struct backup_file *file)
{
    return (int64_t)file->last - file->copied + (file->copied == 0 ? HEADER_PAGES : 0);
}

static JET_ERR read_database(struct backup_context *context, uint8_t *buffer, uint32_t size, uint32_t *done)
{
    JET_ERR err = JET_errSuccess;
    struct backup_file *file = &context->file;
    const uint32_t page_size = file->database->page_size;
    const int64_t room = size / page_size;
    int64_t count = pages_left(file) < room ? pages_left(file) : room;
    if (count < 0)
        count = 0;
    /* Behind the end the published engine gives the trailer again and again. */
    const bool behind = pages_left(file) < 0 && os_host_is_published();
    const bool with_trailer = count < room && (!file->trailer_done || behind);
    uint32_t filled = 0;
    if (file->copied == 0) {
        database_header_to_page(&file->header, buffer, page_size);
        database_header_to_page(&file->header, buffer + page_size, page_size);
        filled = HEADER_PAGES;
    }
    const uint32_t pages = (uint32_t)count - filled;
    if (pages > 0) {
        TRY(read_pages(context, file->copied + 1, pages, buffer + (size_t)filled * page_size));
        file->copied += pages;
    }
    filled += pages;
    if (with_trailer) {
        make_trailer(context, buffer + (size_t)filled * page_size);
        file->trailer_done = true;
        filled++;
    }
    file->position += (uint64_t)filled * page_size;
    *done = filled * page_size;
done:
    return err;
}

/* The published engine looks at the lower half of a handle only. */
static JET_HANDLE seen_handle(JET_HANDLE handle)
{
    return os_host_is_published() ? (JET_HANDLE)(uint32_t)handle : handle;
}

/* The checks of a read's arguments. */
static JET_ERR check_read(const struct backup_context *context, JET_HANDLE handle, const void *buffer,
                          uint32_t size)
{
    const struct backup_file *file = &context->file;
    const uint32_t page_size = context->services->page_size(context->instance);
    const uint32_t pages = size / page_size;
    if (buffer == NULL || (uintptr_t)buffer % 4096 != 0)
        return JET_errInvalidParameter;
    handle = seen_handle(handle);
    if (file->open ? file->handle != handle : handle != 0 || !os_host_is_published())
        return JET_errInvalidParameter;
    if (size % page_size != 0)
        return JET_errInvalidParameter;
    if (file->database != NULL)
        /* At the start there must be room for the headers and a page. */
        return pages == 0 || (pages <= HEADER_PAGES && file->copied == 0) ? JET_errInvalidParameter
                                                                          : JET_errSuccess;
    return pages < HEADER_PAGES && file->position == 0 ? JET_errInvalidParameter : JET_errSuccess;
}

/* A database whose copy has failed is not copied, and the backup goes on; anything else ends the backup. */
static void read_failed(struct backup_context *context, JET_ERR err)
{
    if (backup_state_inside(context) == BACKUP_DATABASES)
        backup_drop_file(context);
    else
        backup_failed(context, BACKUP_EVENT_READ, err);
}

JET_ERR backup_read_file(struct backup_context *context, JET_HANDLE handle, void *buffer, uint32_t size,
                         uint32_t *done)
{
    JET_ERR err = JET_errSuccess;
    uint32_t filled = 0;
    TRY(backup_enter_for(context, BACKUP_EVENT_READ));
    err = check_read(context, handle, buffer, size);
    if (err == JET_errSuccess && context->file.open) {
        err = context->file.database != NULL ? read_database(context, buffer, size, &filled)
                                             : backup_read_plain_file(context, buffer, size, &filled);
        if (err < JET_errSuccess)
            read_failed(context, err);
    }
    if (err == JET_errSuccess && done != NULL)
        *done = filled;
    backup_leave(context);
done:
    return err;
}

/* --- close --- */

void backup_drop_file(struct backup_context *context)
{
    struct backup_file *file = &context->file;
    os_file_close(file->file);
    memset(file, 0, sizeof *file);
}

JET_ERR backup_close_file(struct backup_context *context, JET_HANDLE handle)
{
    JET_ERR err = JET_errSuccess;
    struct backup_file *file = &context->file;
    TRY(backup_enter_for(context, BACKUP_EVENT_CLOSE));
    if (!file->open || file->handle != seen_handle(handle)) {
        err = JET_errInvalidParameter;
    } else {
        if (file->position == file->size && file->database != NULL)
            file->database->backup.copied = true;
        /* What is no log has generation 0, which adds nothing. */
        if (file->position == file->size && file->generation >= context->copy_low &&
            file->generation < context->copy_end)
            context->generations_copied += (uint64_t)file->generation;
        backup_drop_file(context);
    }
    backup_leave(context);
done:
    return err;
}
