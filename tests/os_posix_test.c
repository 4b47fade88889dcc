/* The operating system refuses: this program stands between src/os and the C library, and makes its calls
 * fail one at a time. Each code of the system becomes its JET_ERR, interruptions and short transfers are made
 * good. */
#if !defined(_GNU_SOURCE)
#define _GNU_SOURCE 1
#endif

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "include/esent_host.h"
#include "src/os/clock.h"
#include "src/os/file.h"
#include "src/os/host.h"
#include "src/os/path.h"
#include "src/os/random.h"
#include "src/os/sanitizer.h"

/* ---- the calls between */

static const char *failing; /* name of the call that will fail; NULL = none */
static int failing_code;
static int failing_skip; /* calls that go through before */
static int failed_calls;

static void arm(const char *call, int code, int skip)
{
    failing = call;
    failing_code = code;
    failing_skip = skip;
    failed_calls = 0;
}

static bool fails(const char *call)
{
    if (failing == NULL || strcmp(failing, call) != 0 || failing_skip-- > 0)
        return false;
    failing = NULL;
    failed_calls++;
    errno = failing_code;
    return true;
}

/* The next definition of the function: the C library's. */
#define NEXT(name, type, parameters)                                                                         \
    static type(*real) parameters;                                                                           \
    if (real == NULL)                                                                                        \
        *(void **)(&real) = dlsym(RTLD_NEXT, name);

/* MemorySanitizer does not see what the C library writes when it is called past it. */
static void wrote(const void *bytes, size_t size)
{
    os_library_begins();
    os_library_ends(bytes, size);
}

int open(const char *path, int flags, ...)
{
    NEXT("open", int, (const char *, int, ...))
    va_list arguments;
    va_start(arguments, flags);
    mode_t mode = (flags & O_CREAT) != 0 ? va_arg(arguments, mode_t) : 0;
    va_end(arguments);
    return fails("open") ? -1 : real(path, flags, mode);
}

int fstat(int descriptor, struct stat *status)
{
    NEXT("fstat", int, (int, struct stat *))
    if (fails("fstat"))
        return -1;
    wrote(status, sizeof *status);
    return real(descriptor, status);
}

int stat(const char *path, struct stat *status)
{
    NEXT("stat", int, (const char *, struct stat *))
    if (fails("stat"))
        return -1;
    int result = real(path, status);
    wrote(status, sizeof *status);
    if (fails("stat of another disk"))
        status->st_dev++;
    return result;
}

int flock(int descriptor, int operation)
{
    NEXT("flock", int, (int, int))
    return fails("flock") ? -1 : real(descriptor, operation);
}

int ftruncate(int descriptor, off_t size)
{
    NEXT("ftruncate", int, (int, off_t))
    return fails("ftruncate") ? -1 : real(descriptor, size);
}

ssize_t pread(int descriptor, void *buffer, size_t size, off_t offset)
{
    NEXT("pread", ssize_t, (int, void *, size_t, off_t))
    if (fails("pread"))
        return -1;
    ssize_t done = real(descriptor, buffer, fails("short pread") ? 1 : size, offset);
    if (done > 0)
        wrote(buffer, (size_t)done);
    return done;
}

ssize_t pwrite(int descriptor, const void *buffer, size_t size, off_t offset)
{
    NEXT("pwrite", ssize_t, (int, const void *, size_t, off_t))
    if (fails("pwrite"))
        return -1;
    return real(descriptor, buffer, fails("short pwrite") ? 1 : size, offset);
}

int fdatasync(int descriptor)
{
    NEXT("fdatasync", int, (int))
    return fails("fdatasync") ? -1 : real(descriptor);
}

int fsync(int descriptor)
{
    NEXT("fsync", int, (int))
    return fails("fsync") ? -1 : real(descriptor);
}

int chmod(const char *path, mode_t mode)
{
    NEXT("chmod", int, (const char *, mode_t))
    return fails("chmod") ? -1 : real(path, mode);
}

int unlink(const char *path)
{
    NEXT("unlink", int, (const char *))
    return fails("unlink") ? -1 : real(path);
}

int rename(const char *from, const char *to)
{
    NEXT("rename", int, (const char *, const char *))
    return fails("rename") ? -1 : real(from, to);
}

int mkdir(const char *path, mode_t mode)
{
    NEXT("mkdir", int, (const char *, mode_t))
    return fails("mkdir") ? -1 : real(path, mode);
}

int statvfs(const char *path, struct statvfs *status)
{
    NEXT("statvfs", int, (const char *, struct statvfs *))
    if (fails("statvfs"))
        return -1;
    wrote(status, sizeof *status);
    return real(path, status);
}

char *getcwd(char *path, size_t size)
{
    NEXT("getcwd", char *, (char *, size_t))
    if (fails("getcwd"))
        return NULL;
    char *found = real(path, size);
    if (found != NULL)
        wrote(path, size);
    return found;
}

int nanosleep(const struct timespec *wanted, struct timespec *rest)
{
    NEXT("nanosleep", int, (const struct timespec *, struct timespec *))
    if (!fails("nanosleep"))
        return real(wanted, rest);
    *rest = *wanted;
    return -1;
}

ssize_t getrandom(void *buffer, size_t size, unsigned flags)
{
    NEXT("getrandom", ssize_t, (void *, size_t, unsigned))
    if (fails("getrandom"))
        return -1;
    ssize_t done = real(buffer, size, flags);
    if (done > 0)
        wrote(buffer, (size_t)done);
    return done;
}

static const char *host_name;

int gethostname(char *name, size_t size)
{
    NEXT("gethostname", int, (char *, size_t))
    if (fails("gethostname"))
        return -1;
    if (host_name == NULL) {
        wrote(name, size);
        return real(name, size);
    }
    snprintf(name, size, "%s", host_name);
    return 0;
}

/* ---- a directory with a file of 10,000 bytes, an empty one, a read-only one and a directory */

static char directory[64];

static void put(const char *path, size_t size)
{
    uint8_t bytes[10000];
    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)(i * 31 + 1);
    assert_int_equal(EsentHostFileWrite(path, 0, bytes, size), JET_errSuccess);
}

static int begin(void **state)
{
    (void)state;
    snprintf(directory, sizeof directory, "/tmp/os_posix_XXXXXX");
    assert_non_null(mkdtemp(directory));
    assert_int_equal(EsentHostSetDirectory(directory), JET_errSuccess);
    put("file", 10000);
    put("empty", 0);
    put("locked", 10);
    assert_int_equal(os_file_set_read_only("locked", true), JET_errSuccess);
    assert_int_equal(os_directory_create("sub"), JET_errSuccess);
    put("sub/inner", 5);
    return 0;
}

static int end(void **state)
{
    (void)state;
    arm(NULL, 0, 0);
    (void)os_file_set_read_only("locked", false);
    assert_int_equal(os_directory_remove_all(directory), JET_errSuccess);
    assert_int_equal(EsentHostSetDirectory(NULL), JET_errSuccess);
    assert_int_equal(EsentHostReset(NULL, 0), 0);
    return 0;
}

/* ---- one operation, one failing call, one answer */

static JET_ERR try_open(enum os_open_mode mode, enum os_share share)
{
    struct os_file *file = NULL;
    JET_ERR err = os_file_open("file", mode, share, &file);
    assert_true((err < JET_errSuccess) == (file == NULL));
    os_file_close(file);
    return err;
}
static JET_ERR open_alone(void)
{
    return try_open(OS_OPEN_WRITE, OS_SHARE_NONE);
}
static JET_ERR open_to_read(void)
{
    return try_open(OS_OPEN_READ, OS_SHARE_READ);
}
static JET_ERR empty(void)
{
    return try_open(OS_CREATE_ALWAYS, OS_SHARE_NONE);
}
static JET_ERR open_missing(void)
{
    struct os_file *file = NULL;
    return os_file_open("missing", OS_OPEN_READ, OS_SHARE_READ, &file);
}

static JET_ERR with_file(JET_ERR (*call)(struct os_file *file))
{
    struct os_file *file = NULL;
    const char *armed = failing;
    failing = NULL;
    assert_int_equal(os_file_open("file", OS_OPEN_WRITE, OS_SHARE_READ_WRITE, &file), JET_errSuccess);
    failing = armed;
    JET_ERR err = call(file);
    os_file_close(file);
    return err;
}
static JET_ERR read_bytes(struct os_file *file)
{
    uint8_t bytes[5000] = {0};
    JET_ERR err = os_file_read(file, 3000, bytes, sizeof bytes);
    for (size_t i = 0; err == JET_errSuccess && i < sizeof bytes; i++)
        assert_int_equal(bytes[i], (uint8_t)((i + 3000) * 31 + 1));
    return err;
}
static JET_ERR write_bytes(struct os_file *file)
{
    uint8_t bytes[5000];
    uint8_t back[5000];
    memset(bytes, 77, sizeof bytes);
    JET_ERR err = os_file_write(file, 20000, bytes, sizeof bytes);
    if (err == JET_errSuccess) {
        assert_int_equal(os_file_read(file, 20000, back, sizeof back), JET_errSuccess);
        assert_memory_equal(back, bytes, sizeof bytes);
    }
    return err;
}
static JET_ERR size_of(struct os_file *file)
{
    uint64_t size = 0;
    JET_ERR err = os_file_size(file, &size);
    assert_true(err < JET_errSuccess || size >= 10000);
    return err;
}
static JET_ERR grow(struct os_file *file)
{
    return os_file_set_size(file, 30000);
}
static JET_ERR do_read(void)
{
    return with_file(read_bytes);
}
static JET_ERR do_write(void)
{
    return with_file(write_bytes);
}
static JET_ERR do_sync(void)
{
    return with_file(os_file_sync);
}
static JET_ERR do_size(void)
{
    return with_file(size_of);
}
static JET_ERR do_grow(void)
{
    return with_file(grow);
}
static JET_ERR info(void)
{
    struct os_file_info found;
    return os_file_info("file", &found);
}
static JET_ERR info_below_missing(void)
{
    struct os_file_info found;
    return os_file_info("missing/file", &found);
}
static JET_ERR set_read_only(void)
{
    JET_ERR err = os_file_set_read_only("empty", true);
    if (err == JET_errSuccess)
        assert_int_equal(os_file_set_read_only("empty", false), JET_errSuccess);
    return err;
}
static JET_ERR set_read_only_missing(void)
{
    return os_file_set_read_only("missing", true);
}
static JET_ERR delete_file(void)
{
    JET_ERR err = os_file_delete("empty");
    if (err == JET_errSuccess)
        put("empty", 0);
    return err;
}
static JET_ERR rename_over(const char *from, const char *to)
{
    JET_ERR err = os_file_rename(from, to, true);
    if (err == JET_errSuccess)
        put(from, 0);
    return err;
}
static JET_ERR rename_file(void)
{
    return rename_over("empty", "empty2");
}
static JET_ERR rename_over_directory(void)
{
    return rename_over("empty", "sub");
}
static JET_ERR rename_over_read_only(void)
{
    return rename_over("empty", "locked");
}
static JET_ERR rename_over_itself(void)
{
    return os_file_rename("file", "file", false);
}
static JET_ERR rename_over_open(void)
{
    struct os_file *file = NULL;
    const char *armed = failing;
    failing = NULL;
    assert_int_equal(os_file_open("file", OS_OPEN_READ, OS_SHARE_READ_WRITE, &file), JET_errSuccess);
    failing = armed;
    JET_ERR err = rename_over("empty", "file");
    os_file_close(file);
    return err;
}
static JET_ERR create_directory(void)
{
    JET_ERR err = os_directory_create("new");
    if (err == JET_errSuccess)
        assert_int_equal(os_directory_remove("new"), JET_errSuccess);
    return err;
}
static JET_ERR sync_directory(void)
{
    return os_directory_sync("sub");
}
static JET_ERR sync_missing_directory(void)
{
    return os_directory_sync("missing");
}
static JET_ERR list_missing(void)
{
    return os_directory_remove_all("file");
}
static JET_ERR free_space(void)
{
    uint64_t bytes = 0;
    JET_ERR err = os_disk_free("sub", &bytes);
    assert_true(err < JET_errSuccess || bytes > 0);
    return err;
}
static JET_ERR free_space_beside(void)
{
    uint64_t bytes = 0;
    return os_disk_free("missing", &bytes);
}
static JET_ERR free_space_nowhere(void)
{
    uint64_t bytes = 0;
    return os_disk_free("missing/missing", &bytes);
}

static const struct {
    JET_ERR (*operation)(void);
    const char *call;
    int code;
    int skip;
    JET_ERR expected;
} refusals[] = {
    /* every code */
    {open_alone, "open", ENOENT, 0, JET_errFileNotFound},
    {open_alone, "open", ENOTDIR, 0, JET_errInvalidPath},
    {open_alone, "open", ENAMETOOLONG, 0, JET_errInvalidPath},
    {open_alone, "open", ELOOP, 0, JET_errInvalidPath},
    {open_alone, "open", EINVAL, 0, JET_errInvalidPath},
    {open_alone, "open", EEXIST, 0, JET_errFileAlreadyExists},
    {open_alone, "open", EACCES, 0, JET_errFileAccessDenied},
    {open_alone, "open", EPERM, 0, JET_errFileAccessDenied},
    {open_alone, "open", EROFS, 0, JET_errFileAccessDenied},
    {open_alone, "open", EISDIR, 0, JET_errFileAccessDenied},
    {open_alone, "open", ETXTBSY, 0, JET_errFileAccessDenied},
    {open_alone, "open", EBUSY, 0, JET_errFileAccessDenied},
    {open_alone, "open", EWOULDBLOCK, 0, JET_errFileAccessDenied},
    {open_alone, "open", ENOTEMPTY, 0, JET_errFileAccessDenied},
    {open_alone, "open", ENOSPC, 0, JET_errDiskFull},
    {open_alone, "open", EDQUOT, 0, JET_errDiskFull},
    {open_alone, "open", EFBIG, 0, JET_errDiskFull},
    {open_alone, "open", EMFILE, 0, JET_errOutOfFileHandles},
    {open_alone, "open", ENFILE, 0, JET_errOutOfFileHandles},
    {open_alone, "open", ENOMEM, 0, JET_errOutOfMemory},
    {open_alone, "open", EIO, 0, JET_errDiskIO},
    {open_missing, NULL, 0, 0, JET_errFileNotFound},
    {open_missing, "stat", EIO, 0, JET_errInvalidPath}, /* its directory cannot be seen */
    /* opening */
    {open_alone, "fstat", EIO, 0, JET_errDiskIO},
    {open_alone, "flock", EWOULDBLOCK, 0, JET_errFileAccessDenied},
    {open_to_read, "flock", EWOULDBLOCK, 0, JET_errFileAccessDenied},
    {open_to_read, "flock", ENOLCK, 0, JET_errSuccess}, /* there are file systems without locks */
    {empty, "ftruncate", ENOSPC, 0, JET_errDiskFull},
    /* bytes */
    {do_read, "pread", EIO, 0, JET_errDiskIO},
    {do_read, "pread", EINTR, 0, JET_errSuccess},
    {do_read, "short pread", 0, 0, JET_errSuccess},
    {do_write, "pwrite", ENOSPC, 0, JET_errDiskFull},
    {do_write, "pwrite", EINTR, 0, JET_errSuccess},
    {do_write, "short pwrite", 0, 0, JET_errSuccess},
    {do_sync, "fdatasync", EIO, 0, JET_errDiskIO},
    {do_size, "fstat", EIO, 0, JET_errDiskIO},
    {do_grow, "ftruncate", ENOSPC, 0, JET_errDiskFull},
    {do_grow, NULL, 0, 0, JET_errSuccess},
    /* names */
    {info, "stat", EACCES, 0, JET_errFileAccessDenied},
    {info_below_missing, NULL, 0, 0, JET_errInvalidPath},
    {set_read_only, "chmod", EPERM, 0, JET_errFileAccessDenied},
    {set_read_only_missing, NULL, 0, 0, JET_errFileNotFound},
    {delete_file, "stat", EACCES, 0, JET_errFileAccessDenied},
    {delete_file, "stat", EACCES, 1, JET_errSuccess}, /* the attributes could not be read: unlink decides */
    {delete_file, "unlink", EBUSY, 0, JET_errFileAccessDenied},
    {rename_file, "rename", EROFS, 0, JET_errFileAccessDenied},
    {rename_file, "stat", EACCES, 0, JET_errFileAccessDenied},
    {rename_file, NULL, 0, 0, JET_errSuccess},
    {rename_over_directory, NULL, 0, 0, JET_errFileAccessDenied},
    {rename_over_read_only, NULL, 0, 0, JET_errFileAccessDenied},
    {rename_over_open, NULL, 0, 0, JET_errFileAccessDenied},
    {rename_over_itself, NULL, 0, 0, JET_errSuccess},
    {rename_over_itself, "stat", EACCES, 2,
     JET_errFileAlreadyExists}, /* then nothing says that it is the same */
    {rename_over_itself, "stat of another disk", 0, 2, JET_errFileAlreadyExists},
    {create_directory, "mkdir", ENOENT, 0, JET_errInvalidPath},
    {create_directory, "mkdir", ENOSPC, 0, JET_errDiskFull},
    {create_directory, NULL, 0, 0, JET_errSuccess},
    {sync_directory, "open", EACCES, 0, JET_errFileAccessDenied},
    {sync_directory, "fsync", EIO, 0, JET_errDiskIO},
    {sync_directory, "fsync", EINVAL, 0, JET_errSuccess}, /* some file systems cannot, and need not */
    {sync_directory, NULL, 0, 0, JET_errSuccess},
    {sync_missing_directory, NULL, 0, 0, JET_errFileNotFound},
    {list_missing, NULL, 0, 0, JET_errSuccess}, /* no directory: nothing to remove */
    {free_space, NULL, 0, 0, JET_errSuccess},
    {free_space, "statvfs", EIO, 0, JET_errSuccess}, /* the directory it is in answers */
    {free_space_beside, NULL, 0, 0, JET_errSuccess},
    {free_space_beside, "statvfs", EIO, 1, JET_errDiskIO},
    {free_space_nowhere, NULL, 0, 0, JET_errInvalidPath},
};

static void each_refusal_has_its_answer(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
        put("file", 10000);
        arm(refusals[i].call, refusals[i].code, refusals[i].skip);
        JET_ERR err = refusals[i].operation();
        if (err != refusals[i].expected || (refusals[i].call != NULL && failed_calls != 1))
            fail_msg("row %zu (%s %d): %d, expected %d, %d calls failed", i,
                     refusals[i].call != NULL ? refusals[i].call : "", refusals[i].code, err,
                     refusals[i].expected, failed_calls);
        arm(NULL, 0, 0);
    }
}

/* ---- what no call's code says */

static void offsets_end_where_the_system_does(void **state)
{
    (void)state;
    struct os_file *file = NULL;
    uint8_t bytes[16] = {0};
    size_t done = 9;
    assert_int_equal(os_file_open("file", OS_OPEN_WRITE, OS_SHARE_NONE, &file), JET_errSuccess);
    assert_int_equal(os_file_read_some(file, UINT64_C(1) << 63, bytes, 16, &done), JET_errSuccess);
    assert_int_equal(done, 0);
    assert_int_equal(os_file_write(file, INT64_MAX - 8, bytes, 16), JET_errDiskFull);
    assert_int_equal(os_file_set_size(file, UINT64_C(1) << 63), JET_errDiskFull);
    os_file_close(file);
}

static void files_of_other_disks_share_nothing(void **state)
{
    (void)state;
    struct os_file *file = NULL;
    struct os_file *other = NULL;
    assert_int_equal(os_file_open("file", OS_OPEN_WRITE, OS_SHARE_NONE, &file), JET_errSuccess);
    assert_int_equal(os_file_open("/dev/null", OS_OPEN_READ, OS_SHARE_NONE, &other), JET_errSuccess);
    os_file_close(other);
    os_file_close(file);
}

static void an_empty_read_only_file_may_be_written(void **state)
{
    (void)state;
    struct os_file *file = NULL;
    assert_int_equal(os_file_set_read_only("empty", true), JET_errSuccess);
    JET_ERR err = os_file_open("empty", OS_OPEN_WRITE, OS_SHARE_NONE, &file);
    assert_int_equal(err,
                     geteuid() == 0 ? JET_errSuccess : JET_errFileAccessDenied); /* the superuser's right */
    os_file_close(file);
    assert_int_equal(os_file_set_read_only("empty", false), JET_errSuccess);
}

static JET_ERR count_entry(void *context, const char *name, const struct os_file_info *found)
{
    (void)name;
    (void)found;
    ++*(int *)context;
    return JET_errSuccess;
}

static void vanished_entries_are_not_listed(void **state)
{
    (void)state;
    char link[100];
    int count = 0;
    snprintf(link, sizeof link, "%s/sub/dangling", directory);
    assert_int_equal(symlink("/nowhere/at/all", link), 0);
    assert_int_equal(os_directory_list("sub", count_entry, &count), JET_errSuccess);
    assert_int_equal(count, 1); /* "inner" */
    assert_int_equal(unlink(link), 0);
}

static void paths_without_a_directory(void **state)
{
    (void)state;
    struct os_file_info found;
    char full[OS_PATH_SIZE];
    char longer[OS_PATH_SIZE + 10];
    memset(longer, 'x', sizeof longer);
    longer[sizeof longer - 1] = 0;
    assert_int_equal(EsentHostSetDirectory(longer), JET_errInvalidPath);
    assert_int_equal(EsentHostSetDirectory(""), JET_errSuccess);
    /* the system's own directory: paths go to it as they are */
    assert_int_equal(os_file_info(NULL, &found), JET_errInvalidPath);
    assert_int_equal(os_file_info(longer, &found), JET_errInvalidPath);
    assert_int_equal(os_file_info("\\dev\\", &found), JET_errSuccess);
    assert_int_equal(os_file_info("/", &found), JET_errSuccess);
    assert_true(found.is_directory);
    assert_int_equal(os_file_rename("/dev/null", longer, false), JET_errInvalidPath);
    assert_int_equal(os_directory_create_all(longer), JET_errInvalidPath);
    arm("getcwd", ERANGE, 0);
    assert_int_equal(os_path_full("a", full, sizeof full), JET_errInvalidPath);
    assert_int_equal(os_path_full("a", full, sizeof full), JET_errSuccess);
    arm("getcwd", ENOENT, 0);
    assert_int_equal(os_directory_create_all("a"), JET_errInvalidPath);
    assert_int_equal(EsentHostSetDirectory(directory), JET_errSuccess);
}

static void interrupted_sleep_goes_on(void **state)
{
    (void)state;
    arm("nanosleep", EINTR, 0);
    uint64_t before = os_clock_ticks();
    EsentHostSleep(20);
    assert_int_equal(failed_calls, 1);
    assert_true(os_clock_ticks() - before >= 19);
    arm("nanosleep", EINVAL, 0); /* another failure ends it */
    EsentHostSleep(1);
    assert_int_equal(failed_calls, 1);
}

static void numbers_come_without_the_system(void **state)
{
    (void)state;
    assert_int_equal(EsentHostSetRandomSeed(0), JET_errSuccess);
    arm("getrandom", EAGAIN, 0);
    uint64_t first = os_random_64();
    assert_int_equal(failed_calls, 1);
    assert_true(first != os_random_64());
}

static void the_computer_gets_a_name(void **state)
{
    (void)state;
    static const char *const names[][2] = {{"Server-7", "SERVER-7"},
                                           {"host.example.org", "HOST"},
                                           {"a{|}~name_that_is_long", "A{|}~NAME_THAT_"},
                                           {"", ""}};
    char name[16];
    arm("gethostname", EINVAL, 0);
    os_host_computer_name(name);
    assert_string_equal(name, "LOCALHOST");
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        host_name = names[i][0];
        os_host_computer_name(name);
        assert_string_equal(name, names[i][1]);
    }
    host_name = NULL;
    assert_int_equal(EsentHostSetRandomSeed(3), JET_errSuccess); /* repeatable, then: not this computer's */
    os_host_computer_name(name);
    assert_string_equal(name, "OPENESENT");
    assert_int_equal(EsentHostSetRandomSeed(0), JET_errSuccess);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_refusal_has_its_answer, begin, end),
        cmocka_unit_test_setup_teardown(offsets_end_where_the_system_does, begin, end),
        cmocka_unit_test_setup_teardown(files_of_other_disks_share_nothing, begin, end),
        cmocka_unit_test_setup_teardown(an_empty_read_only_file_may_be_written, begin, end),
        cmocka_unit_test_setup_teardown(vanished_entries_are_not_listed, begin, end),
        cmocka_unit_test_setup_teardown(paths_without_a_directory, begin, end),
        cmocka_unit_test_setup_teardown(interrupted_sleep_goes_on, begin, end),
        cmocka_unit_test_setup_teardown(numbers_come_without_the_system, begin, end),
        cmocka_unit_test_setup_teardown(the_computer_gets_a_name, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
