/* JetBackup: a whole backup into a directory, made of the calls of a streaming one. */
#include "src/backup/backup_internal.h"
#include "src/backup/backup_stream.h"

#include "src/log/log.h"
#include "src/os/file.h"
#include "src/os/host.h"
#include "src/os/memory.h"

#define BUFFER_PAGES 64u /* as quick as 256 on a disk, and they fit a processor's cache */
#define TEMPORARY_NAME "temp"
#define NEW_NAME "new"
#define OLD_NAME "old"
#define STATUS_TOTAL 100u

/* --- directories --- */

static JET_ERR delete_entry(void *directory, const char *name, const struct os_file_info *info)
{
    JET_ERR err = JET_errSuccess;
    char path[OS_PATH_SIZE];
    TRY(os_path_join(directory, name, path, sizeof path));
    if (info->is_directory || os_file_delete(path) < JET_errSuccess)
        err = JET_errDeleteBackupFileFail;
done:
    return err;
}

/* Deletes a subdirectory with the files in it. One that is not there is success. It is called for
 * TEMPORARY_NAME first, the longest name: the other names fit then. */
static JET_ERR remove_subdirectory(const char *parent, const char *name)
{
    JET_ERR err = JET_errSuccess;
    char path[OS_PATH_SIZE];
    TRY(os_path_join(parent, name, path, sizeof path));
    if (!os_directory_exists(path))
        goto done;
    TRY(os_directory_list(path, delete_entry, path));
    err = os_directory_remove(path);
done:
    return err;
}

/* A name that fits, see above. */
static void join_subdirectory(const char *parent, const char *name, char path[OS_PATH_SIZE])
{
    const JET_ERR err = os_path_join(parent, name, path, OS_PATH_SIZE);
    ASSERT(err >= JET_errSuccess);
    (void)err;
}

static bool subdirectory_exists(const char *parent, const char *name)
{
    char path[OS_PATH_SIZE];
    join_subdirectory(parent, name, path);
    return os_directory_exists(path);
}

static JET_ERR move_subdirectory(const char *parent, const char *from, const char *to)
{
    char from_path[OS_PATH_SIZE];
    char to_path[OS_PATH_SIZE];
    join_subdirectory(parent, from, from_path);
    join_subdirectory(parent, to, to_path);
    return os_file_rename(from_path, to_path, false);
}

static JET_ERR refuse_entry(void *context, const char *name, const struct os_file_info *info)
{
    (void)context;
    (void)name;
    (void)info;
    return JET_errBackupDirectoryNotEmpty;
}

/* An atomic backup fills `temp`, which becomes `new` when it is complete; the one before waits in `old` till
 * then. */
static JET_ERR prepare_atomic(const char *directory, bool full, char target[OS_PATH_SIZE])
{
    JET_ERR err = JET_errSuccess;
    if (subdirectory_exists(directory, NEW_NAME)) {
        TRY(remove_subdirectory(directory, OLD_NAME));
        TRY(move_subdirectory(directory, NEW_NAME, OLD_NAME));
    }
    if (full) {
        join_subdirectory(directory, TEMPORARY_NAME, target);
        if (os_directory_create(target) < JET_errSuccess)
            FAIL(JET_errMakeBackupDirectoryFail);
    } else if (os_host_is_published()) {
        /* The published engine loses the directory here and takes "old" beside the program. */
        err = os_path_full(OLD_NAME, target, OS_PATH_SIZE);
    } else {
        join_subdirectory(directory, OLD_NAME, target);
    }
done:
    return err;
}

/* Makes the directory ready and says where the files go. */
static JET_ERR prepare_directory(struct backup_context *context, const char *directory, JET_GRBIT grbit,
                                 char target[OS_PATH_SIZE])
{
    JET_ERR err = JET_errSuccess;
    const bool full = !(grbit & JET_bitBackupIncremental);
    if (context->services->creates_paths(context->instance))
        TRY(os_directory_create_all(directory));
    if (!os_directory_exists(directory))
        FAIL(JET_errInvalidPath);
    TRY(remove_subdirectory(directory, TEMPORARY_NAME));
    if (grbit & JET_bitBackupAtomic) {
        err = prepare_atomic(directory, full, target);
        goto done;
    }
    if (full)
        TRY(os_directory_list(directory, refuse_entry, NULL));
    else if (subdirectory_exists(directory, NEW_NAME) || subdirectory_exists(directory, OLD_NAME))
        FAIL(JET_errBackupDirectoryNotEmpty);
    join_subdirectory(directory, "", target);
done:
    return err;
}

static JET_ERR promote_directory(const char *directory, JET_GRBIT grbit)
{
    JET_ERR err = JET_errSuccess;
    if (grbit & JET_bitBackupIncremental || !(grbit & JET_bitBackupAtomic))
        goto done;
    TRY(move_subdirectory(directory, TEMPORARY_NAME, NEW_NAME));
    err = remove_subdirectory(directory, OLD_NAME);
done:
    return err;
}

/* --- copying --- */

/* Reads one stream to its end into `file`. */
static JET_ERR copy_stream(struct backup_context *context, JET_HANDLE handle, uint64_t size,
                           struct os_file *file)
{
    JET_ERR err = JET_errSuccess;
    const uint64_t most = (uint64_t)BUFFER_PAGES * context->services->page_size(context->instance);
    const uint32_t buffer_size = (uint32_t)(size < most ? size : most);
    uint8_t *buffer = NULL;
    uint64_t offset = 0;
    if (size == 0)
        goto done;
    buffer = os_allocate_pages(buffer_size);
    if (buffer == NULL)
        FAIL(JET_errOutOfMemory);
    while (offset < size) {
        uint32_t got = 0;
        if (context->services->terminating(context->instance))
            FAIL(JET_errTermInProgress);
        TRY(backup_read_file(context, handle, buffer, buffer_size, &got));
        if (got == 0)
            FAIL(JET_errReadVerifyFailure);
        TRY(os_file_write(file, offset, buffer, got));
        offset += got;
    }
done:
    os_free(buffer);
    return err;
}

/* What a failure leaves open the end of the backup closes. */
static JET_ERR copy_file(struct backup_context *context, const char *path, const char *target, bool overwrite)
{
    JET_ERR err = JET_errSuccess;
    char destination[OS_PATH_SIZE];
    JET_HANDLE handle;
    uint64_t size;
    struct os_file *file = NULL;
    TRY(os_path_join(target, os_path_file_name(path), destination, sizeof destination));
    TRY(backup_open_file(context, path, 0, &handle, &size));
    TRY(os_file_open(destination, overwrite ? OS_CREATE_ALWAYS : OS_CREATE_NEW, OS_SHARE_NONE, &file));
    TRY(copy_stream(context, handle, size, file));
    TRY(os_file_sync(file));
    err = backup_close_file(context, handle);
done:
    os_file_close(file);
    return err;
}

static size_t list_count(const struct backup_list *list)
{
    size_t count = 0;
    for (const char *at = list->texts; *at != 0; at += strlen(at) + 1)
        count++;
    return count;
}

static void report(JET_PFNSTATUS status, JET_SNT kind, uint32_t done)
{
    JET_SNPROG progress = {.cbStruct = sizeof progress, .cunitDone = done, .cunitTotal = STATUS_TOTAL};
    if (status != NULL)
        (void)status(0, JET_snpBackup, kind, &progress);
}

static JET_ERR copy_databases(struct backup_context *context, const char *target, JET_PFNSTATUS status)
{
    JET_ERR err = JET_errSuccess;
    struct backup_list list = {NULL, 0};
    uint32_t done = 0;
    report(status, JET_sntBegin, 0);
    TRY(backup_attach_info(context, &list));
    for (const char *path = list.texts; *path != 0; path += strlen(path) + 1) {
        TRY(copy_file(context, path, target, false));
        if (!os_host_is_published())
            report(status, JET_sntProgress, (uint32_t)(++done * (STATUS_TOTAL - 1) / list_count(&list)));
    }
done:
    os_free(list.texts);
    return err;
}

static JET_ERR copy_logs(struct backup_context *context, const char *target)
{
    JET_ERR err = JET_errSuccess;
    struct backup_list list = {NULL, 0};
    TRY(backup_log_info(context, &list, NULL, NULL));
    for (const char *path = list.texts; *path != 0; path += strlen(path) + 1)
        TRY(copy_file(context, path, target, true));
done:
    os_free(list.texts);
    return err;
}

static JET_ERR fill_directory(struct backup_context *context, const char *directory, JET_GRBIT grbit,
                              JET_PFNSTATUS status)
{
    JET_ERR err = JET_errSuccess;
    const bool full = !(grbit & JET_bitBackupIncremental);
    char target[OS_PATH_SIZE];
    TRY(prepare_directory(context, directory, grbit, target));
    if (full)
        TRY(copy_databases(context, target, status));
    TRY(copy_logs(context, target));
    TRY(promote_directory(directory, grbit));
    TRY(backup_truncate_log(context));
    if (full)
        report(status, JET_sntComplete, STATUS_TOTAL);
done:
    return err;
}

/* --- the call --- */

/* Without a directory, nothing is copied: only those logs go that neither recovery nor the next incremental
 * backup of a database that can be written needs. No backup is recorded. (The published engine takes the
 * current directory instead.) */
static JET_ERR only_delete_logs(struct backup_context *context)
{
    JET_ERR err = JET_errSuccess;
    TRY(backup_begin(context, 0, 0, 0));
    backup_enter(context);
    if (backup_state_inside(context) == BACKUP_DATABASES)
        err = backup_delete_unneeded_logs(context);
    backup_leave(context);
    const JET_ERR ended = backup_end(context, JET_bitBackupEndAbort);
    if (err >= JET_errSuccess)
        err = ended;
done:
    return err;
}

static JET_ERR check_before_begin(struct backup_context *context, bool full)
{
    struct log *log = backup_log(context);
    if (!log_enabled(log))
        return JET_errLoggingDisabled;
    if (log_state(log) == JET_errLogWriteFail)
        return JET_errLogWriteFail;
    if (!full && context->services->circular(context->instance))
        return JET_errInvalidBackup;
    return JET_errSuccess;
}

JET_ERR backup_to_directory(struct backup_context *context, const char *directory, JET_GRBIT grbit,
                            JET_PFNSTATUS status)
{
    JET_ERR err = JET_errSuccess;
    const bool full = !(grbit & JET_bitBackupIncremental);
    const bool none = directory == NULL || directory[0] == 0;
    char path[OS_PATH_SIZE];
    TRY(os_path_full(none ? "." : directory, path, sizeof path));
    TRY(check_before_begin(context, full));
    if (none && !os_host_is_published()) {
        err = only_delete_logs(context);
        goto done;
    }
    TRY(backup_begin(context, full ? 0 : JET_bitBackupIncremental, 0, 0));
    backup_enter(context);
    context->with_patch_files = true;
    backup_leave(context);
    err = fill_directory(context, path, grbit, status);
    const JET_ERR ended =
        backup_end(context, err >= JET_errSuccess ? JET_bitBackupEndNormal : JET_bitBackupEndAbort);
    if (err >= JET_errSuccess)
        err = ended;
    (void)remove_subdirectory(path, TEMPORARY_NAME);
done:
    return err;
}
