/* A program's own file system that fails: each call of each operation in turn. The operation answers the
 * failure, leaves no file open and no memory, and goes through when it is repeated. */
#if !defined(_GNU_SOURCE)
#define _GNU_SOURCE 1
#endif

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "include/esent_host.h"
#include "src/os/file.h"
#include "src/os/file_system.h"
#include "src/os/memory.h"
#include "src/os/path.h"

/* ---- files in memory below, counted and refused above */

#define REFUSAL JET_errDiskIO

static const os_file_system *below;
static uint32_t calls;
static uint32_t failing; /* the number of the call that fails; 0 = none */

static bool refused(void)
{
    return ++calls == failing;
}

static JET_ERR own_open(void *context, const char *path, enum ESENT_HOST_OPEN_MODE mode,
                        enum ESENT_HOST_SHARE share, void **handle)
{
    return refused() ? REFUSAL : below->open(context, path, mode, share, handle);
}
static JET_ERR own_read(void *context, void *handle, uint64_t offset, void *buffer, size_t size, size_t *done)
{
    return refused() ? REFUSAL : below->read(context, handle, offset, buffer, size, done);
}
static JET_ERR own_write(void *context, void *handle, uint64_t offset, const void *buffer, size_t size)
{
    return refused() ? REFUSAL : below->write(context, handle, offset, buffer, size);
}
static JET_ERR own_sync(void *context, void *handle)
{
    return refused() ? REFUSAL : below->sync(context, handle);
}
static JET_ERR own_get_size(void *context, void *handle, uint64_t *size)
{
    return refused() ? REFUSAL : below->get_size(context, handle, size);
}
static JET_ERR own_set_size(void *context, void *handle, uint64_t size)
{
    return refused() ? REFUSAL : below->set_size(context, handle, size);
}
static JET_ERR own_info(void *context, const char *path, struct ESENT_HOST_FILE_INFO *info)
{
    return refused() ? REFUSAL : below->info(context, path, info);
}
static JET_ERR own_set_read_only(void *context, const char *path, int read_only)
{
    return refused() ? REFUSAL : below->set_read_only(context, path, read_only);
}
static JET_ERR own_remove(void *context, const char *path)
{
    return refused() ? REFUSAL : below->remove(context, path);
}
static JET_ERR own_rename(void *context, const char *from, const char *to, int replace)
{
    return refused() ? REFUSAL : below->rename(context, from, to, replace);
}
static JET_ERR own_create_directory(void *context, const char *path)
{
    return refused() ? REFUSAL : below->create_directory(context, path);
}
static JET_ERR own_remove_directory(void *context, const char *path)
{
    return refused() ? REFUSAL : below->remove_directory(context, path);
}
static JET_ERR own_sync_directory(void *context, const char *path)
{
    return refused() ? REFUSAL : below->sync_directory(context, path);
}
static JET_ERR own_list(void *context, const char *path, ESENT_HOST_LIST_CALLBACK callback,
                        void *callback_context)
{
    return refused() ? REFUSAL : below->list(context, path, callback, callback_context);
}
static JET_ERR own_free_space(void *context, const char *path, uint64_t *bytes)
{
    return refused() ? REFUSAL : below->free_space(context, path, bytes);
}
static JET_ERR own_current_directory(void *context, char *path, size_t size)
{
    return refused() ? REFUSAL : below->current_directory(context, path, size);
}

static os_file_system own;

static int begin(void **state)
{
    (void)state;
    assert_int_equal(EsentHostUseMemoryFiles(), JET_errSuccess);
    assert_int_equal(EsentHostReset(NULL, 0), 0);
    below = os_file_system_current();
    own = (os_file_system){
        .size = sizeof own,
        .context = below->context,
        .open = own_open,
        .close = below->close,
        .read = own_read,
        .write = own_write,
        .sync = own_sync,
        .get_size = own_get_size,
        .set_size = own_set_size,
        .info = own_info,
        .set_read_only = own_set_read_only,
        .remove = own_remove,
        .rename = own_rename,
        .create_directory = own_create_directory,
        .remove_directory = own_remove_directory,
        .sync_directory = own_sync_directory,
        .list = own_list,
        .free_space = own_free_space,
        .current_directory = own_current_directory,
    };
    failing = 0;
    assert_int_equal(EsentHostUseFileSystem(&own), JET_errSuccess);
    return 0;
}

static int end(void **state)
{
    (void)state;
    failing = 0;
    assert_int_equal(EsentHostUseMemoryFiles(), JET_errSuccess);
    assert_int_equal(EsentHostReset(NULL, 0), 0);
    assert_int_equal(EsentHostUsePosixFiles(), JET_errSuccess);
    return 0;
}

/* ---- the operations; before each the disk is as `prepare` makes it */

static void prepare(void)
{
    failing = 0;
    assert_int_equal(EsentHostReset(NULL, 0), 0);
    assert_int_equal(EsentHostUseMemoryFiles(), JET_errSuccess);
    assert_int_equal(EsentHostReset(NULL, 0), 0);
    assert_int_equal(EsentHostUseFileSystem(&own), JET_errSuccess);
    assert_int_equal(EsentHostDirectoryCreate("/d/e"), JET_errSuccess);
    assert_int_equal(EsentHostFileWrite("/d/a", 0, "0123456789", 10), JET_errSuccess);
    assert_int_equal(EsentHostFileWrite("/d/b", 0, "b", 1), JET_errSuccess);
    assert_int_equal(EsentHostFileWrite("/d/e/c", 0, "c", 1), JET_errSuccess);
}

static JET_ERR host_read(void)
{
    char bytes[4];
    size_t done = 0;
    return EsentHostFileRead("/d/a", 2, bytes, sizeof bytes, &done);
}
static JET_ERR host_write(void)
{
    return EsentHostFileWrite("/d/new", 0, "abc", 3);
}
static JET_ERR host_info(void)
{
    struct ESENT_HOST_FILE_INFO info;
    return EsentHostFileInfo("/d/a", &info);
}
static JET_ERR host_set_size(void)
{
    return EsentHostFileSetSize("/d/a", 3);
}
static JET_ERR host_corrupt(void)
{
    return EsentHostFileCorrupt("/d/a", 3, 0x10);
}
static JET_ERR host_copy(void)
{
    return EsentHostFileCopy("/d/a", "/d/b");
}
static JET_ERR host_rename(void)
{
    return EsentHostFileRename("/d/a", "/d/b");
}
static JET_ERR host_delete(void)
{
    return EsentHostFileDelete("/d/a");
}
static JET_ERR host_create_directory(void)
{
    return EsentHostDirectoryCreate("/d/x/y");
}
static JET_ERR host_copy_directory(void)
{
    return EsentHostDirectoryCopy("/d", "/copy");
}
static JET_ERR host_delete_directory(void)
{
    return EsentHostDirectoryDelete("/d");
}
static JET_ERR list_entry(void *context, const char *name, const struct ESENT_HOST_FILE_INFO *info)
{
    (void)context;
    (void)name;
    (void)info;
    return JET_errSuccess;
}
static JET_ERR host_list(void)
{
    return EsentHostDirectoryList("/d", list_entry, NULL);
}
static JET_ERR set_read_only(void)
{
    return os_file_set_read_only("/d/a", false);
}
static JET_ERR sync_directory(void)
{
    return os_directory_sync("/d");
}
static JET_ERR free_space(void)
{
    uint64_t bytes = 0;
    JET_ERR err = os_disk_free("/d", &bytes);
    assert_true((err == JET_errSuccess) == (bytes > 0));
    return err;
}
static JET_ERR size_of_file(void)
{
    struct os_file *file = NULL;
    uint64_t size = 0;
    JET_ERR err = os_file_open("/d/a", OS_OPEN_READ, OS_SHARE_READ, &file);
    if (err == JET_errSuccess)
        err = os_file_size(file, &size);
    assert_int_equal(size, err == JET_errSuccess ? 10 : 0);
    os_file_close(file);
    return err;
}
static JET_ERR full_path(void)
{
    char full[OS_PATH_SIZE];
    return os_path_full("a", full, sizeof full);
}
static JET_ERR set_directory(void)
{
    JET_ERR err = EsentHostSetDirectory("relative");
    if (err == JET_errSuccess)
        err = EsentHostSetDirectory(NULL);
    return err;
}

/* `tolerated`: failures that the operation passes over, since it asks only whether something is there. */
static const struct {
    const char *name;
    JET_ERR (*operation)(void);
    uint32_t calls;
    uint32_t tolerated;
} operations[] = {
    {"read", host_read, 2, 0},
    {"write", host_write, 3, 0},
    {"info", host_info, 1, 0},
    {"set size", host_set_size, 3, 0},
    {"corrupt", host_corrupt, 4, 0},
    {"copy", host_copy, 7, 0},
    {"rename", host_rename, 1, 0},
    {"delete", host_delete, 1, 0},
    {"create directory", host_create_directory, 5, 3},
    {"copy directory", host_copy_directory, 30, 3},
    {"delete directory", host_delete_directory, 7, 0},
    {"list", host_list, 1, 0},
    {"attributes", set_read_only, 1, 0},
    {"sync directory", sync_directory, 1, 0},
    {"free space", free_space, 1, 0},
    {"size", size_of_file, 2, 0},
    {"full path", full_path, 1, 0},
    {"directory", set_directory, 1, 0},
};

static void each_call_can_fail(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof operations / sizeof operations[0]; i++) {
        prepare();
        calls = 0;
        assert_int_equal(operations[i].operation(), JET_errSuccess);
        uint32_t count = calls;
        uint32_t answered = 0;
        for (uint32_t nth = 1; nth <= count; nth++) {
            prepare();
            calls = 0;
            failing = nth;
            JET_ERR err = operations[i].operation();
            assert_true(err == JET_errSuccess || err == REFUSAL);
            answered += err == REFUSAL;
            failing = 0;
            assert_int_equal(operations[i].operation(), JET_errSuccess);
            struct ESENT_HOST_COUNTERS counters;
            EsentHostGetCounters(&counters);
            assert_int_equal(counters.open_files, 0);
            assert_int_equal(counters.live_blocks, 0);
        }
        if (count != operations[i].calls || count - answered != operations[i].tolerated)
            fail_msg("%s: %u calls, %u failures tolerated", operations[i].name, count, count - answered);
    }
}

/* A directory that is there, though nobody can look at it. */
static void a_directory_nobody_sees_is_in_the_way(void **state)
{
    (void)state;
    prepare();
    calls = 0;
    failing = 1; /* the look at "/d" */
    assert_int_equal(os_directory_create_all("/d"), JET_errSuccess);
    prepare();
    assert_int_equal(os_directory_create_all("/d/a"), JET_errFileAlreadyExists);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_call_can_fail, begin, end),
        cmocka_unit_test_setup_teardown(a_directory_nobody_sees_is_in_the_way, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
