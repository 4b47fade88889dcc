/* POSIX files. Windows' sharing rules hold between the opens of this process exactly (a list of open files),
 * and towards other processes as far as flock can say it. */
#if !defined(_GNU_SOURCE)
#define _GNU_SOURCE 1
#endif

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "src/os/internal.h"

struct handle {
    struct handle *next;
    int descriptor;
    bool writes;
    enum ESENT_HOST_SHARE share;
    dev_t device;
    ino_t inode;
};

static pthread_mutex_t handles_lock = PTHREAD_MUTEX_INITIALIZER;
static struct handle *handles;

static JET_ERR map_error(int code)
{
    switch (code) {
    case ENOENT:
        return JET_errFileNotFound;
    case ENOTDIR:
    case ENAMETOOLONG:
    case ELOOP:
    case EINVAL:
        return JET_errInvalidPath;
    case EEXIST:
        return JET_errFileAlreadyExists;
    case EACCES:
    case EPERM:
    case EROFS:
    case EISDIR:
    case ETXTBSY:
    case EBUSY:
    case EWOULDBLOCK:
    case ENOTEMPTY:
        return JET_errFileAccessDenied;
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
        return JET_errDiskFull;
    case EMFILE:
    case ENFILE:
        return JET_errOutOfFileHandles;
    case ENOMEM:
        return JET_errOutOfMemory;
    default:
        return JET_errDiskIO;
    }
}

/* ENOENT is "no such file" only if the directory exists. */
static JET_ERR map_path_error(int code, const char *path)
{
    if (code != ENOENT)
        return map_error(code);
    char directory[OS_PATH_SIZE];
    struct stat status;
    JET_ERR err = os_path_directory(path, directory, sizeof directory);
    if (NEVER(err < JET_errSuccess)) /* the directory is shorter than the path */
        return JET_errInvalidPath;
    return stat(directory, &status) == 0 ? JET_errFileNotFound : JET_errInvalidPath;
}

/* With the list locked: may a file be opened so, or (`any`) touched at all? */
static bool conflicts(const struct stat *status, bool any, bool writes, enum ESENT_HOST_SHARE share)
{
    for (const struct handle *open = handles; open != NULL; open = open->next) {
        if (open->device == status->st_dev && open->inode == status->st_ino &&
            (any || !os_share_compatible(open->writes, open->share, writes, share)))
            return true;
    }
    return false;
}

static JET_ERR lock_against_processes(int descriptor, bool writes, enum ESENT_HOST_SHARE share)
{
    if (share == ESENT_HOST_SHARE_READ_WRITE)
        return JET_errSuccess;
    int kind = share == ESENT_HOST_SHARE_READ && !writes ? LOCK_SH : LOCK_EX;
    if (flock(descriptor, kind | LOCK_NB) == 0 || errno != EWOULDBLOCK)
        return JET_errSuccess; /* a file system without locks is no reason to refuse */
    return JET_errFileAccessDenied;
}

/* Checks the descriptor against what is open, and enters it. */
static JET_ERR enter_handle(struct handle *handle, enum ESENT_HOST_OPEN_MODE mode)
{
    JET_ERR err = JET_errSuccess;
    struct stat status;
    pthread_mutex_lock(&handles_lock);
    if (fstat(handle->descriptor, &status) != 0)
        FAIL(map_error(errno));
    if (S_ISDIR(status.st_mode))
        FAIL(JET_errFileAccessDenied);
    if (conflicts(&status, false, handle->writes, handle->share))
        FAIL(JET_errFileAccessDenied);
    bool read_only = (status.st_mode & (S_IWUSR | S_IWGRP | S_IWOTH)) == 0;
    if (handle->writes && read_only && status.st_size > 0) /* the superuser may, the engine must not */
        FAIL(JET_errFileAccessDenied);
    TRY(lock_against_processes(handle->descriptor, handle->writes, handle->share));
    if (mode == ESENT_HOST_CREATE_ALWAYS && ftruncate(handle->descriptor, 0) != 0)
        FAIL(map_error(errno));
    handle->device = status.st_dev;
    handle->inode = status.st_ino;
    handle->next = handles;
    handles = handle;
done:
    pthread_mutex_unlock(&handles_lock);
    return err;
}

static JET_ERR posix_open(void *context, const char *path, enum ESENT_HOST_OPEN_MODE mode,
                          enum ESENT_HOST_SHARE share, void **result)
{
    JET_ERR err = JET_errSuccess;
    static const int flags[] = {
        [ESENT_HOST_OPEN_READ] = O_RDONLY,
        [ESENT_HOST_OPEN_WRITE] = O_RDWR,
        [ESENT_HOST_CREATE_NEW] = O_RDWR | O_CREAT | O_EXCL,
        [ESENT_HOST_CREATE_ALWAYS] = O_RDWR | O_CREAT,
        [ESENT_HOST_OPEN_OR_CREATE] = O_RDWR | O_CREAT,
    };
    (void)context;
    struct handle *handle = os_host_allocate(sizeof *handle);
    if (handle == NULL)
        return JET_errOutOfMemory;
    handle->writes = mode != ESENT_HOST_OPEN_READ;
    handle->share = share;
    handle->descriptor = open(path, flags[mode] | O_CLOEXEC, 0666);
    if (handle->descriptor < 0)
        FAIL(map_path_error(errno, path));
    TRY(enter_handle(handle, mode));
    *result = handle;
    handle = NULL;
done:
    if (handle != NULL && handle->descriptor >= 0)
        close(handle->descriptor);
    os_host_free(handle);
    return err;
}

static void posix_close(void *context, void *opened)
{
    struct handle *handle = opened;
    (void)context;
    pthread_mutex_lock(&handles_lock);
    struct handle **link = &handles;
    while (*link != handle)
        link = &(*link)->next;
    *link = handle->next;
    close(handle->descriptor);
    pthread_mutex_unlock(&handles_lock);
    os_host_free(handle);
}

static JET_ERR posix_read(void *context, void *opened, uint64_t offset, void *buffer, size_t size,
                          size_t *done)
{
    const struct handle *handle = opened;
    (void)context;
    *done = 0;
    while (*done < size) {
        if (offset + *done > INT64_MAX)
            break;
        ssize_t got =
            pread(handle->descriptor, (uint8_t *)buffer + *done, size - *done, (off_t)(offset + *done));
        if (got < 0) {
            if (errno == EINTR)
                continue;
            return map_error(errno);
        }
        if (got == 0)
            break;
        *done += (size_t)got;
    }
    return JET_errSuccess;
}

static JET_ERR posix_write(void *context, void *opened, uint64_t offset, const void *buffer, size_t size)
{
    const struct handle *handle = opened;
    (void)context;
    if (!handle->writes)
        return JET_errFileAccessDenied;
    if (offset > INT64_MAX - size)
        return JET_errDiskFull;
    size_t done = 0;
    while (done < size) {
        ssize_t put =
            pwrite(handle->descriptor, (const uint8_t *)buffer + done, size - done, (off_t)(offset + done));
        if (put < 0) {
            if (errno == EINTR)
                continue;
            return map_error(errno);
        }
        done += (size_t)put;
    }
    return JET_errSuccess;
}

static JET_ERR posix_sync(void *context, void *opened)
{
    const struct handle *handle = opened;
    (void)context;
    return fdatasync(handle->descriptor) == 0 ? JET_errSuccess : map_error(errno);
}

static JET_ERR posix_get_size(void *context, void *opened, uint64_t *size)
{
    const struct handle *handle = opened;
    struct stat status;
    (void)context;
    if (fstat(handle->descriptor, &status) != 0)
        return map_error(errno);
    *size = (uint64_t)status.st_size;
    return JET_errSuccess;
}

static JET_ERR posix_set_size(void *context, void *opened, uint64_t size)
{
    const struct handle *handle = opened;
    (void)context;
    if (!handle->writes)
        return JET_errFileAccessDenied;
    if (size > INT64_MAX)
        return JET_errDiskFull;
    return ftruncate(handle->descriptor, (off_t)size) == 0 ? JET_errSuccess : map_error(errno);
}

static void fill_info(const struct stat *status, struct ESENT_HOST_FILE_INFO *info)
{
    *info = (struct ESENT_HOST_FILE_INFO){0};
    info->directory = S_ISDIR(status->st_mode);
    info->size = info->directory ? 0 : (uint64_t)status->st_size;
    info->read_only = (status->st_mode & (S_IWUSR | S_IWGRP | S_IWOTH)) == 0;
}

static JET_ERR posix_info(void *context, const char *path, struct ESENT_HOST_FILE_INFO *info)
{
    struct stat status;
    (void)context;
    if (stat(path, &status) != 0)
        return map_path_error(errno, path);
    fill_info(&status, info);
    return JET_errSuccess;
}

static JET_ERR posix_set_read_only(void *context, const char *path, int read_only)
{
    struct stat status;
    (void)context;
    if (stat(path, &status) != 0)
        return map_path_error(errno, path);
    mode_t mode = status.st_mode & 07777;
    mode = read_only ? mode & ~(mode_t)(S_IWUSR | S_IWGRP | S_IWOTH) : mode | S_IWUSR;
    return chmod(path, mode) == 0 ? JET_errSuccess : map_path_error(errno, path);
}

/* As Windows: a file that is open or read-only stays. */
static JET_ERR check_free(const char *path, bool directories)
{
    JET_ERR err = JET_errSuccess;
    struct stat status;
    if (stat(path, &status) != 0)
        return map_path_error(errno, path);
    if (S_ISDIR(status.st_mode))
        return directories ? JET_errSuccess : JET_errFileAccessDenied;
    pthread_mutex_lock(&handles_lock);
    if (conflicts(&status, true, true, ESENT_HOST_SHARE_NONE))
        err = JET_errFileAccessDenied;
    pthread_mutex_unlock(&handles_lock);
    return err;
}

static JET_ERR check_writable(const char *path)
{
    struct stat status;
    if (stat(path, &status) == 0 && (status.st_mode & (S_IWUSR | S_IWGRP | S_IWOTH)) == 0)
        return JET_errFileAccessDenied;
    return JET_errSuccess;
}

static JET_ERR posix_remove(void *context, const char *path)
{
    JET_ERR err = JET_errSuccess;
    (void)context;
    TRY(check_free(path, false));
    TRY(check_writable(path));
    if (unlink(path) != 0)
        FAIL(map_path_error(errno, path));
done:
    return err;
}

static JET_ERR posix_rename(void *context, const char *from, const char *to, int replace)
{
    JET_ERR err = JET_errSuccess;
    struct stat source;
    struct stat target;
    (void)context;
    TRY(check_free(from, true));
    if (stat(to, &target) == 0) {
        bool same =
            stat(from, &source) == 0 && source.st_ino == target.st_ino && source.st_dev == target.st_dev;
        if (!same && !replace)
            FAIL(JET_errFileAlreadyExists);
        if (!same) {
            TRY(check_free(to, false));
            TRY(check_writable(to));
        }
    }
    if (rename(from, to) != 0)
        FAIL(map_path_error(errno, to));
done:
    return err;
}

static JET_ERR posix_create_directory(void *context, const char *path)
{
    (void)context;
    if (mkdir(path, 0777) == 0)
        return JET_errSuccess;
    return errno == ENOENT ? JET_errInvalidPath : map_error(errno);
}

static JET_ERR posix_remove_directory(void *context, const char *path)
{
    (void)context;
    return rmdir(path) == 0 ? JET_errSuccess : map_path_error(errno, path);
}

static JET_ERR posix_sync_directory(void *context, const char *path)
{
    (void)context;
    int descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor < 0)
        return map_path_error(errno, path);
    /* Some file systems cannot do it for directories, and need not. */
    JET_ERR err = fsync(descriptor) == 0 || errno == EINVAL ? JET_errSuccess : map_error(errno);
    close(descriptor);
    return err;
}

static JET_ERR posix_list(void *context, const char *path, ESENT_HOST_LIST_CALLBACK callback,
                          void *callback_context)
{
    JET_ERR err = JET_errSuccess;
    (void)context;
    DIR *directory = opendir(path);
    if (directory == NULL)
        return map_path_error(errno, path);
    struct dirent *entry;
    while ((entry = readdir(directory)) != NULL) {
        struct stat status;
        struct ESENT_HOST_FILE_INFO info;
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        if (fstatat(dirfd(directory), entry->d_name, &status, 0) != 0)
            continue; /* gone meanwhile */
        fill_info(&status, &info);
        TRY(callback(callback_context, entry->d_name, &info));
    }
done:
    closedir(directory);
    return err;
}

static JET_ERR posix_free_space(void *context, const char *path, uint64_t *bytes)
{
    struct statvfs status;
    char directory[OS_PATH_SIZE];
    (void)context;
    if (statvfs(path, &status) != 0) {
        JET_ERR err = os_path_directory(path, directory, sizeof directory);
        if (NEVER(err < JET_errSuccess) || statvfs(directory, &status) != 0)
            return map_path_error(errno, path);
    }
    *bytes = (uint64_t)status.f_bavail * status.f_frsize;
    return JET_errSuccess;
}

static JET_ERR posix_current_directory(void *context, char *path, size_t size)
{
    (void)context;
    return getcwd(path, size) != NULL ? JET_errSuccess : JET_errInvalidPath;
}

const os_file_system os_posix_file_system = {
    .size = sizeof(os_file_system),
    .open = posix_open,
    .close = posix_close,
    .read = posix_read,
    .write = posix_write,
    .sync = posix_sync,
    .get_size = posix_get_size,
    .set_size = posix_set_size,
    .info = posix_info,
    .set_read_only = posix_set_read_only,
    .remove = posix_remove,
    .rename = posix_rename,
    .create_directory = posix_create_directory,
    .remove_directory = posix_remove_directory,
    .sync_directory = posix_sync_directory,
    .list = posix_list,
    .free_space = posix_free_space,
    .current_directory = posix_current_directory,
};
