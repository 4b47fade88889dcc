/* The chosen files as a program sees them: the calls of os/file.h without faults. */
#include "src/os/fault.h"
#include "src/os/file.h"
#include "src/os/host.h"
#include "src/os/memory.h"
#include "src/os/path.h"

JET_ERR EsentHostFileRead(const char *path, uint64_t offset, void *buffer, size_t size, size_t *done_size)
{
    JET_ERR err = JET_errSuccess;
    struct os_file *file = NULL;
    os_fault_suspend();
    TRY(os_file_open(path, OS_OPEN_READ, OS_SHARE_READ_WRITE, &file));
    TRY(os_file_read_some(file, offset, buffer, size, done_size));
done:
    os_file_close(file);
    os_fault_resume();
    return err;
}

JET_ERR EsentHostFileWrite(const char *path, uint64_t offset, const void *buffer, size_t size)
{
    JET_ERR err = JET_errSuccess;
    struct os_file *file = NULL;
    os_fault_suspend();
    TRY(os_file_open(path, OS_OPEN_OR_CREATE, OS_SHARE_READ_WRITE, &file));
    TRY(os_file_write(file, offset, buffer, size));
    TRY(os_file_sync(file));
done:
    os_file_close(file);
    os_fault_resume();
    return err;
}

JET_ERR EsentHostFileInfo(const char *path, struct ESENT_HOST_FILE_INFO *info)
{
    struct os_file_info found;
    os_fault_suspend();
    JET_ERR err = os_file_info(path, &found);
    os_fault_resume();
    *info = (struct ESENT_HOST_FILE_INFO){found.size, found.is_directory, found.read_only};
    return err;
}

JET_ERR EsentHostFileSetSize(const char *path, uint64_t size)
{
    JET_ERR err = JET_errSuccess;
    struct os_file *file = NULL;
    os_fault_suspend();
    TRY(os_file_open(path, OS_OPEN_WRITE, OS_SHARE_READ_WRITE, &file));
    TRY(os_file_set_size(file, size));
    TRY(os_file_sync(file));
done:
    os_file_close(file);
    os_fault_resume();
    return err;
}

JET_ERR EsentHostFileCorrupt(const char *path, uint64_t offset, uint8_t mask)
{
    JET_ERR err = JET_errSuccess;
    struct os_file *file = NULL;
    uint8_t byte = 0;
    os_fault_suspend();
    TRY(os_file_open(path, OS_OPEN_WRITE, OS_SHARE_READ_WRITE, &file));
    TRY(os_file_read(file, offset, &byte, 1));
    byte ^= mask;
    TRY(os_file_write(file, offset, &byte, 1));
    TRY(os_file_sync(file));
done:
    os_file_close(file);
    os_fault_resume();
    return err;
}

JET_ERR EsentHostFileCopy(const char *from, const char *to)
{
    os_fault_suspend();
    JET_ERR err = os_file_copy(from, to, true);
    os_fault_resume();
    return err;
}

JET_ERR EsentHostFileRename(const char *from, const char *to)
{
    os_fault_suspend();
    JET_ERR err = os_file_rename(from, to, true);
    os_fault_resume();
    return err;
}

JET_ERR EsentHostFileDelete(const char *path)
{
    os_fault_suspend();
    JET_ERR err = os_file_delete(path);
    os_fault_resume();
    return err;
}

JET_ERR EsentHostDirectoryCreate(const char *path)
{
    os_fault_suspend();
    JET_ERR err = os_directory_create_all(path);
    os_fault_resume();
    return err;
}

struct copy {
    const char *from;
    const char *to;
};

static JET_ERR copy_directory(const char *from, const char *to);

static JET_ERR copy_entry(void *context, const char *name, const struct os_file_info *info)
{
    JET_ERR err = JET_errSuccess;
    const struct copy *copy = context;
    char from[OS_PATH_SIZE];
    char to[OS_PATH_SIZE];
    TRY(os_path_join(copy->from, name, from, sizeof from));
    TRY(os_path_join(copy->to, name, to, sizeof to));
    if (info->is_directory)
        TRY(copy_directory(from, to));
    else
        TRY(os_file_copy(from, to, true));
done:
    return err;
}

static JET_ERR copy_directory(const char *from, const char *to)
{
    JET_ERR err = JET_errSuccess;
    struct copy copy = {from, to};
    struct os_file_info info;
    TRY(os_file_info(from, &info));
    TRY(os_directory_create_all(to));
    TRY(os_directory_list(from, copy_entry, &copy));
done:
    return err;
}

/* Whether the copy would be a part of what is copied, and so have no end. */
static bool is_inside(const char *path, const char *folder)
{
    const size_t length = strlen(folder);
    if (strncmp(path, folder, length) != 0)
        return false;
    return path[length] == 0 || path[length] == '/' || (length > 0 && folder[length - 1] == '/');
}

JET_ERR EsentHostDirectoryCopy(const char *from, const char *to)
{
    JET_ERR err = JET_errSuccess;
    char whole_from[OS_PATH_SIZE];
    char whole_to[OS_PATH_SIZE];
    os_fault_suspend();
    TRY(os_path_full(from, whole_from, sizeof whole_from));
    TRY(os_path_full(to, whole_to, sizeof whole_to));
    if (is_inside(whole_to, whole_from))
        FAIL(JET_errInvalidPath);
    TRY(copy_directory(from, to));
done:
    os_fault_resume();
    return err;
}

JET_ERR EsentHostDirectoryDelete(const char *path)
{
    os_fault_suspend();
    JET_ERR err = os_directory_remove_all(path);
    os_fault_resume();
    return err;
}

struct list {
    ESENT_HOST_LIST_CALLBACK callback;
    void *context;
};

static JET_ERR list_entry(void *context, const char *name, const struct os_file_info *info)
{
    const struct list *list = context;
    struct ESENT_HOST_FILE_INFO public_info = {info->size, info->is_directory, info->read_only};
    return list->callback(list->context, name, &public_info);
}

JET_ERR EsentHostDirectoryList(const char *path, ESENT_HOST_LIST_CALLBACK callback, void *context)
{
    struct list list = {callback, context};
    os_fault_suspend();
    JET_ERR err = os_directory_list(path, list_entry, &list);
    os_fault_resume();
    return err;
}
