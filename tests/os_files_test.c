/* Files: the same behaviour from POSIX and in-memory files, faults, and what a crash keeps. */
#if !defined(_GNU_SOURCE)
#define _GNU_SOURCE 1
#endif

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "include/esent_host.h"
#include "src/os/file.h"
#include "src/os/memory.h"
#include "src/os/path.h"
#include "src/os/random.h"

static char posix_directory[64];

/* ---- both kinds */

static int use_posix(void **state)
{
    (void)state;
    snprintf(posix_directory, sizeof posix_directory, "/tmp/os_files_XXXXXX");
    assert_non_null(mkdtemp(posix_directory));
    assert_int_equal(EsentHostUsePosixFiles(), JET_errSuccess);
    assert_int_equal(EsentHostSetDirectory(posix_directory), JET_errSuccess);
    return 0;
}

static int drop_posix(void **state)
{
    (void)state;
    assert_int_equal(os_directory_remove_all(posix_directory), JET_errSuccess);
    assert_int_equal(EsentHostSetDirectory(NULL), JET_errSuccess);
    assert_int_equal(EsentHostReset(NULL, 0), 0);
    return 0;
}

static int use_memory(void **state)
{
    (void)state;
    assert_int_equal(EsentHostUseMemoryFiles(), JET_errSuccess);
    assert_int_equal(EsentHostTrackWrites(0), JET_errSuccess);
    return 0;
}

static int drop_memory(void **state)
{
    (void)state;
    assert_int_equal(EsentHostReset(NULL, 0), 0);
    assert_int_equal(EsentHostUsePosixFiles(), JET_errSuccess);
    return 0;
}

static void bytes_come_back(void **state)
{
    (void)state;
    struct os_file *file = NULL;
    uint8_t data[10000];
    uint8_t back[10000];
    uint64_t size = 0;
    size_t done = 0;
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)(i * 7 + i / 256);
    assert_int_equal(os_file_open("a", OS_CREATE_NEW, OS_SHARE_NONE, &file), JET_errSuccess);
    assert_int_equal(os_file_write(file, 5, data, sizeof data), JET_errSuccess);
    assert_int_equal(os_file_write(file, 100000, data, 100), JET_errSuccess);
    assert_int_equal(os_file_size(file, &size), JET_errSuccess);
    assert_int_equal(size, 100100);
    assert_int_equal(os_file_read(file, 5, back, sizeof back), JET_errSuccess);
    assert_memory_equal(back, data, sizeof data);
    assert_int_equal(os_file_read(file, 50000, back, 100), JET_errSuccess);
    for (size_t i = 0; i < 100; i++)
        assert_int_equal(back[i], 0);
    /* the end: a short read is told apart */
    memset(back, 9, sizeof back);
    assert_int_equal(os_file_read(file, 100050, back, 100), JET_errFileIOBeyondEOF);
    assert_memory_equal(back, data + 50, 50);
    assert_int_equal(back[50], 0);
    assert_int_equal(os_file_read_some(file, 100050, back, 100, &done), JET_errSuccess);
    assert_int_equal(done, 50);
    assert_int_equal(os_file_read_some(file, 200000, back, 100, &done), JET_errSuccess);
    assert_int_equal(done, 0);
    /* cut and grown: what was cut is zero */
    assert_int_equal(os_file_set_size(file, 100), JET_errSuccess);
    assert_int_equal(os_file_set_size(file, 20000), JET_errSuccess);
    assert_int_equal(os_file_read(file, 90, back, 5000), JET_errSuccess);
    assert_memory_equal(back, data + 85, 10);
    for (size_t i = 10; i < 5000; i++)
        assert_int_equal(back[i], 0);
    assert_int_equal(os_file_sync(file), JET_errSuccess);
    os_file_close(file);
    assert_int_equal(os_file_delete("a"), JET_errSuccess);
}

static void opens_answer_as_on_windows(void **state)
{
    (void)state;
    struct os_file *a = NULL;
    struct os_file *b = NULL;
    uint8_t byte = 1;
    assert_int_equal(os_file_open("none", OS_OPEN_READ, OS_SHARE_NONE, &a), JET_errFileNotFound);
    assert_int_equal(os_file_open("none/none", OS_CREATE_NEW, OS_SHARE_NONE, &a), JET_errInvalidPath);
    assert_int_equal(os_file_open("", OS_CREATE_NEW, OS_SHARE_NONE, &a), JET_errInvalidPath);
    assert_null(a);
    assert_int_equal(os_directory_create("d"), JET_errSuccess);
    assert_int_equal(os_file_open("d", OS_OPEN_READ, OS_SHARE_NONE, &a), JET_errFileAccessDenied);
    assert_int_equal(os_file_open("d", OS_OPEN_OR_CREATE, OS_SHARE_NONE, &a), JET_errFileAccessDenied);
    assert_int_equal(os_file_open("d/f", OS_OPEN_OR_CREATE, OS_SHARE_READ, &a), JET_errSuccess);
    assert_int_equal(os_file_open("d/f", OS_CREATE_NEW, OS_SHARE_READ, &b), JET_errFileAlreadyExists);
    assert_int_equal(os_file_open("d/f/x", OS_OPEN_READ, OS_SHARE_READ, &b), JET_errInvalidPath);
    /* sharing */
    assert_int_equal(os_file_open("d/f", OS_OPEN_READ, OS_SHARE_READ, &b), JET_errFileAccessDenied);
    assert_int_equal(os_file_open("d/f", OS_OPEN_WRITE, OS_SHARE_READ_WRITE, &b), JET_errFileAccessDenied);
    assert_int_equal(os_file_delete("d/f"), JET_errFileAccessDenied);
    assert_int_equal(os_file_rename("d/f", "d/g", false), JET_errFileAccessDenied);
    assert_int_equal(os_file_open("d/f", OS_OPEN_READ, OS_SHARE_READ_WRITE, &b), JET_errSuccess);
    assert_true(os_file_is_read_only(b));
    assert_int_equal(os_file_write(b, 0, &byte, 1), JET_errFileAccessDenied);
    assert_int_equal(os_file_set_size(b, 10), JET_errFileAccessDenied);
    os_file_close(a);
    assert_int_equal(os_file_open("d/f", OS_OPEN_READ, OS_SHARE_READ, &a), JET_errSuccess);
    os_file_close(b);
    os_file_close(a);
    assert_int_equal(os_file_open("d/f", OS_OPEN_WRITE, OS_SHARE_NONE, &a), JET_errSuccess);
    assert_int_equal(os_file_open("d/f", OS_OPEN_READ, OS_SHARE_READ_WRITE, &b), JET_errFileAccessDenied);
    os_file_close(a);
    /* read-only */
    assert_int_equal(os_file_open("d/f", OS_OPEN_WRITE, OS_SHARE_NONE, &a), JET_errSuccess);
    assert_int_equal(os_file_write(a, 0, &byte, 1), JET_errSuccess);
    os_file_close(a);
    assert_int_equal(os_file_set_read_only("d/f", true), JET_errSuccess);
    assert_int_equal(os_file_open("d/f", OS_OPEN_WRITE, OS_SHARE_NONE, &a), JET_errFileAccessDenied);
    assert_int_equal(os_file_delete("d/f"), JET_errFileAccessDenied);
    assert_int_equal(os_file_set_read_only("d/f", false), JET_errSuccess);
    assert_int_equal(os_file_delete("d/f"), JET_errSuccess);
    assert_int_equal(os_file_delete("d/f"), JET_errFileNotFound);
    assert_int_equal(os_file_delete("x/f"), JET_errInvalidPath);
    assert_int_equal(os_file_delete("d"), JET_errFileAccessDenied);
    assert_int_equal(os_directory_remove("d"), JET_errSuccess);
}

static void put(const char *path, const char *text)
{
    assert_int_equal(EsentHostFileWrite(path, 0, text, strlen(text)), JET_errSuccess);
}

static void check_text(const char *path, const char *text)
{
    char back[64] = "";
    size_t done = 0;
    assert_int_equal(EsentHostFileRead(path, 0, back, sizeof back - 1, &done), JET_errSuccess);
    assert_string_equal(back, text);
}

static void names_change(void **state)
{
    (void)state;
    put("one", "1");
    put("two", "2");
    assert_int_equal(os_file_rename("one", "two", false), JET_errFileAlreadyExists);
    assert_int_equal(os_file_rename("none", "three", false), JET_errFileNotFound);
    assert_int_equal(os_file_rename("one", "no/where", false), JET_errInvalidPath);
    assert_int_equal(os_file_rename("one", "two", true), JET_errSuccess);
    check_text("two", "1");
    assert_false(os_file_exists("one"));
    assert_int_equal(os_file_rename("two", "two", false), JET_errSuccess);
    assert_int_equal(os_file_copy("two", "three", false), JET_errSuccess);
    assert_int_equal(os_file_copy("two", "three", false), JET_errFileAlreadyExists);
    put("two", "22");
    assert_int_equal(os_file_copy("two", "three", true), JET_errSuccess);
    check_text("three", "22");
    assert_int_equal(os_directory_create_all("p/q\\r"), JET_errSuccess);
    assert_int_equal(os_directory_create_all("p/q/r"), JET_errSuccess);
    assert_int_equal(os_directory_create("p"), JET_errFileAlreadyExists);
    assert_int_equal(os_directory_create("s/t"), JET_errInvalidPath);
    put("p/q/r/f", "x");
    put("p/q-", "y");
    assert_int_equal(os_file_rename("p/q", "moved", false), JET_errSuccess);
    check_text("moved/r/f", "x");
    check_text("p/q-", "y");
    assert_int_equal(os_directory_remove("moved"), JET_errFileAccessDenied);
    assert_int_equal(os_directory_sync("moved"), JET_errSuccess);
    struct os_file_info info;
    assert_int_equal(os_file_info("three", &info), JET_errSuccess);
    assert_int_equal(info.size, 2);
    assert_int_equal(os_file_info("moved", &info), JET_errSuccess);
    assert_true(info.is_directory);
    assert_int_equal(os_directory_remove_all("moved"), JET_errSuccess);
    assert_int_equal(os_directory_remove_all("moved"), JET_errSuccess);
    assert_false(os_directory_exists("moved"));
    assert_int_equal(os_directory_remove_all("no/where"), JET_errSuccess);
    assert_false(os_file_exists("p"));
    assert_int_equal(os_directory_remove_all("p"), JET_errSuccess);
    assert_int_equal(os_file_delete("two"), JET_errSuccess);
    assert_int_equal(os_file_delete("three"), JET_errSuccess);
    uint64_t space = 0;
    assert_int_equal(os_disk_free("two", &space), JET_errSuccess);
    assert_true(space > 0);
}

static JET_ERR join_names(void *context, const char *name, const struct os_file_info *info)
{
    char *text = context;
    strcat(text, name);
    strcat(text, info->is_directory ? "/ " : " ");
    return JET_errSuccess;
}

static JET_ERR stop_at_once(void *context, const char *name, const struct os_file_info *info)
{
    (void)name;
    (void)info;
    ++*(int *)context;
    return JET_errOutOfMemory;
}

static void directories_list_in_order(void **state)
{
    (void)state;
    char text[256] = "";
    int calls = 0;
    assert_int_equal(os_directory_create_all("l/sub"), JET_errSuccess);
    put("l/b", "");
    put("l/a.x", "1");
    put("l/sub/deep", "1");
    put("l/A", "1");
    assert_int_equal(os_directory_list("l/", join_names, text), JET_errSuccess);
    assert_string_equal(text, "A a.x b sub/ ");
    assert_int_equal(os_directory_list("l", stop_at_once, &calls), JET_errOutOfMemory);
    assert_int_equal(calls, 1);
    assert_int_equal(os_directory_list("l/none", join_names, text), JET_errFileNotFound);
    assert_int_equal(os_directory_list("l/b", join_names, text), JET_errInvalidPath);
    assert_int_equal(EsentHostDirectoryCopy("l", "m/n"), JET_errSuccess);
    assert_int_equal(EsentHostDirectoryCopy("l", "l/inside"), JET_errInvalidPath); /* would have no end */
    assert_int_equal(EsentHostDirectoryCopy("l", "l"), JET_errInvalidPath);
    assert_int_equal(EsentHostDirectoryCopy("l", "lm"), JET_errSuccess);
    check_text("m/n/sub/deep", "1");
    assert_int_equal(EsentHostDirectoryDelete("l"), JET_errSuccess);
    assert_int_equal(EsentHostDirectoryDelete("lm"), JET_errSuccess);
    assert_int_equal(EsentHostDirectoryDelete("m"), JET_errSuccess);
}

static void the_program_tampers(void **state)
{
    (void)state;
    put("t", "abcdef");
    assert_int_equal(EsentHostFileCorrupt("t", 1, 3), JET_errSuccess);
    check_text("t", "aacdef");
    assert_int_equal(EsentHostFileCorrupt("t", 6, 3), JET_errFileIOBeyondEOF);
    assert_int_equal(EsentHostFileSetSize("t", 3), JET_errSuccess);
    check_text("t", "aac");
    assert_int_equal(EsentHostFileRename("t", "u"), JET_errSuccess);
    struct ESENT_HOST_FILE_INFO info;
    assert_int_equal(EsentHostFileInfo("u", &info), JET_errSuccess);
    assert_int_equal(info.size, 3);
    assert_int_equal(EsentHostFileInfo("t", &info), JET_errFileNotFound);
    assert_int_equal(EsentHostFileDelete("u"), JET_errSuccess);
}

/* Every point of a sequence of operations fails once: the error comes out, nothing leaks. */
static JET_ERR sequence(void)
{
    JET_ERR err = JET_errSuccess;
    struct os_file *file = NULL;
    uint64_t size;
    uint8_t bytes[2048] = {1};
    TRY(os_directory_create_all("f/g"));
    TRY(os_file_open("f/g/h", OS_OPEN_OR_CREATE, OS_SHARE_NONE, &file));
    TRY(os_file_write(file, 0, bytes, sizeof bytes));
    TRY(os_file_sync(file));
    TRY(os_file_set_size(file, 4096));
    TRY(os_file_size(file, &size));
    TRY(os_file_read(file, 0, bytes, sizeof bytes));
    os_file_close(file);
    file = NULL;
    TRY(os_file_copy("f/g/h", "f/g/i", true));
    TRY(os_directory_sync("f/g"));
    TRY(os_directory_remove_all("f"));
done:
    os_file_close(file);
    return err;
}

static void every_operation_can_fail(void **state)
{
    (void)state;
    static const enum ESENT_HOST_FAULT kinds[] = {
        ESENT_HOST_FAULT_ALLOCATE,  ESENT_HOST_FAULT_IO,    ESENT_HOST_FAULT_OPEN,
        ESENT_HOST_FAULT_READ,      ESENT_HOST_FAULT_WRITE, ESENT_HOST_FAULT_SYNC,
        ESENT_HOST_FAULT_DISK_FULL, ESENT_HOST_FAULT_NAME,  ESENT_HOST_FAULT_SHORT_WRITE,
    };
    for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++) {
        EsentHostFailNone();
        EsentHostResetCounters();
        assert_int_equal(sequence(), JET_errSuccess);
        uint64_t points = EsentHostCountPoints(kinds[k]);
        assert_true(points > 0);
        for (uint64_t n = 1; n <= points; n++) {
            EsentHostFailNth(kinds[k], n, 1);
            JET_ERR err = sequence();
            /* os_directory_exists takes an error for a no; everything else must tell. */
            if (kinds[k] != ESENT_HOST_FAULT_IO)
                assert_true(err < JET_errSuccess);
            EsentHostFailNone();
            assert_int_equal(os_memory_live_count(), 0);
            struct ESENT_HOST_COUNTERS counters;
            EsentHostGetCounters(&counters);
            assert_int_equal(counters.open_files, 0);
            assert_int_equal(os_directory_remove_all("f"), JET_errSuccess);
        }
    }
}

static void faults_do_what_they_say(void **state)
{
    (void)state;
    struct os_file *file = NULL;
    uint8_t ones[2048];
    uint8_t back[2048];
    memset(ones, 1, sizeof ones);
    assert_int_equal(os_file_open("f", OS_CREATE_ALWAYS, OS_SHARE_NONE, &file), JET_errSuccess);
    assert_int_equal(os_file_set_size(file, 2048), JET_errSuccess);
    EsentHostFailNth(ESENT_HOST_FAULT_SHORT_WRITE, 1, 1);
    assert_int_equal(os_file_write(file, 0, ones, 2048), JET_errDiskIO);
    assert_int_equal(os_file_read(file, 0, back, 2048), JET_errSuccess);
    assert_memory_equal(back, ones, 1024);
    assert_int_equal(back[1024], 0);
    EsentHostFailNth(ESENT_HOST_FAULT_DISK_FULL, 1, 1);
    assert_int_equal(os_file_write(file, 0, ones, 2048), JET_errDiskFull);
    EsentHostFailNth(ESENT_HOST_FAULT_FLIP, 1, 1);
    assert_int_equal(os_file_read(file, 0, back, 1024), JET_errSuccess);
    assert_memory_not_equal(back, ones, 1024);
    assert_int_equal(os_file_read(file, 0, back, 1024), JET_errSuccess);
    assert_memory_equal(back, ones, 1024);
    os_file_close(file);
    assert_int_equal(os_file_delete("f"), JET_errSuccess);
}

/* ---- in-memory files against a plain array */

static void sparse_blocks_match_an_array(void **state)
{
    (void)state;
    enum { LIMIT = 600000 };
    static uint8_t model[LIMIT];
    static uint8_t buffer[LIMIT];
    struct os_random random;
    struct os_file *file = NULL;
    uint64_t size = 0;
    os_random_seed(&random, 11);
    memset(model, 0, sizeof model);
    assert_int_equal(os_file_open("m", OS_CREATE_NEW, OS_SHARE_NONE, &file), JET_errSuccess);
    for (int step = 0; step < 3000; step++) {
        uint32_t offset = os_random_next_below(&random, LIMIT);
        uint32_t length = os_random_next_below(&random, step % 50 == 0 ? 60000 : 9000);
        if (length > LIMIT - offset)
            length = LIMIT - offset;
        switch (os_random_next_below(&random, 8)) {
        case 0:
            assert_int_equal(os_file_set_size(file, offset), JET_errSuccess);
            if (offset < size)
                memset(model + offset, 0, LIMIT - offset);
            size = offset;
            break;
        case 1:
            assert_int_equal(EsentHostFilesSave((uint32_t)step % 3), JET_errSuccess); /* shares the blocks */
            break;
        case 2:
        case 3: {
            size_t done = 0;
            size_t expected = offset < size ? (length < size - offset ? length : size - offset) : 0;
            assert_int_equal(os_file_read_some(file, offset, buffer, length, &done), JET_errSuccess);
            assert_int_equal(done, expected);
            assert_memory_equal(buffer, model + offset, expected);
            break;
        }
        default:
            memset(buffer, (int)os_random_next_below(&random, 256), length);
            assert_int_equal(os_file_write(file, offset, buffer, length), JET_errSuccess);
            memcpy(model + offset, buffer, length);
            if (length > 0 && offset + length > size)
                size = offset + length;
            break;
        }
    }
    os_file_close(file);
}

static void snapshots_rewind(void **state)
{
    (void)state;
    assert_int_equal(EsentHostDirectoryCreate("/x/y"), JET_errSuccess);
    put("/x/y/a", "first");
    uint64_t hash = EsentHostFilesHash();
    assert_int_equal(EsentHostFilesSave(3), JET_errSuccess);
    put("/x/y/a", "other");
    put("/x/b", "new");
    assert_true(EsentHostFilesHash() != hash);
    assert_int_equal(EsentHostFilesSave(4), JET_errSuccess);
    assert_int_equal(EsentHostFilesRestore(3), JET_errSuccess);
    assert_int_equal(EsentHostFilesHash(), hash);
    check_text("/x/y/a", "first");
    assert_false(os_file_exists("/x/b"));
    assert_int_equal(EsentHostFilesRestore(4), JET_errSuccess);
    check_text("/x/y/a", "other");
    assert_int_equal(EsentHostFilesRestore(5), JET_errInvalidParameter);
    assert_int_equal(EsentHostFilesRestore(16), JET_errInvalidParameter);
    put("/grow", "x");
    hash = EsentHostFilesHash();
    uint8_t zeros[8192] = {0};
    assert_int_equal(EsentHostFileSetSize("/grow", 100000), JET_errSuccess);
    uint64_t sparse = EsentHostFilesHash();
    assert_true(sparse != hash);
    assert_int_equal(EsentHostFileWrite("/grow", 50000, zeros, sizeof zeros), JET_errSuccess);
    assert_int_equal(EsentHostFilesHash(), sparse); /* zeros are zeros, stored or not */
}

static void a_full_disk_refuses(void **state)
{
    (void)state;
    uint8_t block[4096] = {1};
    struct os_file *file = NULL;
    assert_int_equal(EsentHostFilesSetCapacity(5 * 4096), JET_errSuccess);
    assert_int_equal(os_file_open("/a", OS_CREATE_NEW, OS_SHARE_NONE, &file), JET_errSuccess);
    for (uint64_t i = 0; i < 5; i++)
        assert_int_equal(os_file_write(file, i * 4096, block, 4096), JET_errSuccess);
    assert_int_equal(os_file_write(file, 5 * 4096, block, 4096), JET_errDiskFull);
    assert_int_equal(os_file_write(file, 0, block, 4096), JET_errSuccess);
    assert_int_equal(os_file_set_size(file, 4096), JET_errSuccess);
    assert_int_equal(os_file_write(file, 4096, block, 4096), JET_errSuccess);
    os_file_close(file);
    assert_int_equal(EsentHostFilesSetCapacity(0), JET_errSuccess);
    assert_int_equal(os_file_open("/huge", OS_CREATE_NEW, OS_SHARE_NONE, &file), JET_errSuccess);
    assert_int_equal(os_file_write(file, UINT64_MAX - 5, block, 4096), JET_errDiskFull);
    assert_int_equal(os_file_set_size(file, UINT64_C(1) << 40), JET_errDiskFull);
    os_file_close(file);
}

/* ---- crashes */

static void put_unsynced(struct os_file *file, uint64_t offset, uint8_t value, size_t size)
{
    static uint8_t bytes[65536];
    memset(bytes, value, size);
    assert_int_equal(os_file_write(file, offset, bytes, size), JET_errSuccess);
}

static void a_crash_loses_what_was_not_synced(void **state)
{
    (void)state;
    struct os_file *file = NULL;
    uint8_t byte = 0;
    size_t done = 0;
    assert_int_equal(EsentHostTrackWrites(1), JET_errSuccess);
    assert_int_equal(os_file_open("/a", OS_CREATE_NEW, OS_SHARE_NONE, &file), JET_errSuccess);
    put_unsynced(file, 0, 1, 4096);
    assert_int_equal(os_file_sync(file), JET_errSuccess);
    put_unsynced(file, 0, 2, 4096);
    put_unsynced(file, 4096, 2, 4096);
    assert_int_equal(os_file_rename("/a", "/b", false), JET_errFileAccessDenied);
    struct os_file *other = NULL;
    assert_int_equal(os_file_open("/late", OS_CREATE_NEW, OS_SHARE_NONE, &other), JET_errSuccess);
    assert_int_equal(EsentHostMachineCrash(ESENT_HOST_CRASH_LOSE_ALL, 1), JET_errSuccess);
    struct ESENT_HOST_FILE_INFO info;
    assert_int_equal(EsentHostFileInfo("/a", &info), JET_errSuccess);
    assert_int_equal(info.size, 4096);
    assert_int_equal(EsentHostFileRead("/a", 0, &byte, 1, &done), JET_errSuccess);
    assert_int_equal(byte, 1);
    assert_int_equal(EsentHostFileInfo("/late", &info), JET_errFileNotFound);
    assert_int_equal(os_memory_live_count(), 0);
}

static void the_death_of_the_process_loses_nothing(void **state)
{
    (void)state;
    struct os_file *file = NULL;
    uint8_t byte = 0;
    size_t done = 0;
    assert_int_equal(EsentHostTrackWrites(1), JET_errSuccess);
    assert_int_equal(os_file_open("/a", OS_CREATE_NEW, OS_SHARE_NONE, &file), JET_errSuccess);
    put_unsynced(file, 0, 1, 100);
    EsentHostCrash();
    assert_int_equal(EsentHostFileRead("/a", 99, &byte, 1, &done), JET_errSuccess);
    assert_int_equal(byte, 1);
    /* ... but later the machine may still lose it */
    assert_int_equal(EsentHostMachineCrash(ESENT_HOST_CRASH_LOSE_ALL, 1), JET_errSuccess);
    assert_false(os_file_exists("/a"));
}

/* What a crash made of a file of `sectors` sectors of ones, overwritten by twos and then (first half) by
 * threes. */
static void crash_once(enum ESENT_HOST_CRASH_MODE mode, uint64_t seed, uint8_t *sectors)
{
    struct os_file *file = NULL;
    size_t done = 0;
    assert_int_equal(EsentHostReset(NULL, 0), 0);
    assert_int_equal(EsentHostTrackWrites(1), JET_errSuccess);
    assert_int_equal(os_file_open("/a", OS_CREATE_NEW, OS_SHARE_NONE, &file), JET_errSuccess);
    put_unsynced(file, 0, 1, 8192);
    assert_int_equal(os_file_sync(file), JET_errSuccess);
    put_unsynced(file, 0, 2, 8192);
    put_unsynced(file, 0, 3, 4096);
    assert_int_equal(EsentHostMachineCrash(mode, seed), JET_errSuccess);
    for (size_t i = 0; i < 16; i++) {
        uint8_t bytes[512];
        assert_int_equal(EsentHostFileRead("/a", i * 512, bytes, 512, &done), JET_errSuccess);
        for (size_t j = 1; j < 512; j++)
            assert_int_equal(bytes[j], bytes[0]); /* no tear inside a sector */
        sectors[i] = bytes[0];
    }
}

static void crashes_tear_and_reorder(void **state)
{
    (void)state;
    uint8_t first[16];
    uint8_t again[16];
    bool reordered = false;
    bool torn = false;
    for (uint64_t seed = 0; seed < 60; seed++) {
        crash_once(ESENT_HOST_CRASH_TEAR, seed, first);
        crash_once(ESENT_HOST_CRASH_TEAR, seed, again);
        assert_memory_equal(first, again, 16);
        for (size_t i = 0; i < 16; i++) {
            assert_in_range(first[i], 1, i < 8 ? 3 : 2);
            torn = torn || first[i] != first[i / 8 * 8];
        }
        crash_once(ESENT_HOST_CRASH_REORDER, seed, first);
        for (size_t i = 0; i < 16; i++)
            assert_int_equal(first[i], first[i / 8 * 8]);
        reordered = reordered || (first[0] == 3 && first[8] == 1);
        crash_once(ESENT_HOST_CRASH_PREFIX_TEAR, seed, first);
        for (size_t i = 0; i < 8; i++)
            assert_true(first[i] != 3 || first[15] == 2); /* the later write needs the earlier */
        crash_once(ESENT_HOST_CRASH_KEEP_ALL, seed, first);
        assert_int_equal(first[0], 3);
        assert_int_equal(first[15], 2);
        crash_once(ESENT_HOST_CRASH_LOSE_ALL, seed, first);
        assert_int_equal(first[0], 1);
    }
    assert_true(torn);
    assert_true(reordered);
}

static void names_survive_in_their_order(void **state)
{
    (void)state;
    bool seen[4] = {false};
    for (uint64_t seed = 0; seed < 100; seed++) {
        assert_int_equal(EsentHostReset(NULL, 0), 0);
        assert_int_equal(EsentHostTrackWrites(1), JET_errSuccess);
        put("/old", "old"); /* synced */
        put("/new", "new");
        assert_int_equal(os_file_rename("/old", "/kept", false), JET_errSuccess);
        assert_int_equal(os_file_rename("/new", "/old", false), JET_errSuccess);
        assert_int_equal(os_file_delete("/kept"), JET_errSuccess);
        assert_int_equal(EsentHostMachineCrash(ESENT_HOST_CRASH_REORDER, seed), JET_errSuccess);
        int outcome = os_file_exists("/new")    ? (os_file_exists("/kept") ? 1 : 0)
                      : os_file_exists("/kept") ? 2
                                                : 3;
        seen[outcome] = true;
        if (outcome == 0)
            check_text("/old", "old");
        if (outcome == 1 || outcome == 2)
            check_text("/kept", "old");
        if (outcome >= 2)
            check_text("/old", "new");
    }
    for (size_t i = 0; i < 4; i++)
        assert_true(seen[i]);
}

static void a_crash_point_freezes_the_disk(void **state)
{
    (void)state;
    struct os_file *file = NULL;
    uint8_t byte = 0;
    size_t done = 0;
    assert_int_equal(EsentHostTrackWrites(1), JET_errSuccess);
    assert_int_equal(os_file_open("/a", OS_CREATE_NEW, OS_SHARE_NONE, &file), JET_errSuccess);
    put_unsynced(file, 0, 1, 512);
    assert_int_equal(os_file_sync(file), JET_errSuccess);
    EsentHostFailNth(ESENT_HOST_FAULT_CRASH, 2, 1);
    put_unsynced(file, 0, 2, 512);
    assert_false(EsentHostCrashPointReached());
    put_unsynced(file, 0, 3, 512);
    assert_true(EsentHostCrashPointReached());
    assert_int_equal(os_file_sync(file), JET_errSuccess);
    assert_int_equal(os_file_read(file, 0, &byte, 1), JET_errSuccess);
    assert_int_equal(byte, 3); /* the engine runs on */
    EsentHostCrash();
    assert_false(EsentHostCrashPointReached());
    assert_int_equal(EsentHostFileRead("/a", 0, &byte, 1, &done), JET_errSuccess);
    assert_int_equal(byte, 2);
    /* the write of two was not synced at the point */
    assert_int_equal(EsentHostMachineCrash(ESENT_HOST_CRASH_LOSE_ALL, 1), JET_errSuccess);
    assert_int_equal(EsentHostFileRead("/a", 0, &byte, 1, &done), JET_errSuccess);
    assert_int_equal(byte, 1);
}

/* Files in memory where the operating system's differ or cannot be asked. */
static void names_in_memory_keep_their_rules(void **state)
{
    (void)state;
    char longer[OS_PATH_SIZE] = "/";
    struct os_file *file = NULL;
    uint8_t byte = 1;
    struct os_file_info info;
    uint64_t space = 1;
    assert_int_equal(os_directory_create_all("/d/sub"), JET_errSuccess);
    put("/d/sub/f", "f");
    put("/d/g", "g");
    put("/d/h", "h");
    /* there are no drives */
    assert_int_equal(os_file_open("Z:\\f", OS_CREATE_NEW, OS_SHARE_NONE, &file), JET_errInvalidPath);
    assert_int_equal(os_directory_create_all("Z:\\d"), JET_errInvalidPath);
    assert_int_equal(os_file_info("Z:\\", &info), JET_errInvalidPath);
    /* renaming */
    assert_int_equal(os_file_rename("/d", "/d/sub/below", false), JET_errFileAccessDenied);
    assert_int_equal(os_file_rename("/d/g", "/d/sub", true), JET_errFileAccessDenied);
    assert_int_equal(os_file_rename("/d/sub", "/d/g", true), JET_errFileAccessDenied);
    assert_int_equal(os_file_set_read_only("/d/h", true), JET_errSuccess);
    assert_int_equal(os_file_rename("/d/g", "/d/h", true), JET_errFileAccessDenied);
    assert_int_equal(os_file_set_read_only("/d/h", false), JET_errSuccess);
    assert_int_equal(os_file_open("/d/h", OS_OPEN_READ, OS_SHARE_READ_WRITE, &file), JET_errSuccess);
    assert_int_equal(os_file_rename("/d/g", "/d/h", true), JET_errFileAccessDenied);
    os_file_close(file);
    memset(longer + 1, 'n', OS_PATH_SIZE - 4);
    assert_int_equal(os_file_rename("/d", longer, false), JET_errInvalidPath);
    check_text("/d/sub/f", "f");
    /* directories */
    assert_int_equal(os_file_set_read_only("/none", true), JET_errFileNotFound);
    assert_int_equal(os_directory_remove("/none"), JET_errFileNotFound);
    assert_int_equal(os_directory_remove("/d/g"), JET_errInvalidPath);
    assert_int_equal(os_directory_remove("/"), JET_errFileAccessDenied);
    char text[64] = "";
    assert_int_equal(os_directory_list("/", join_names, text), JET_errSuccess);
    assert_string_equal(text, "d/ ");
    /* emptied by opening, refused to who only reads */
    assert_int_equal(os_file_open("/d/g", OS_CREATE_ALWAYS, OS_SHARE_NONE, &file), JET_errSuccess);
    assert_int_equal(os_file_info("/d/g", &info), JET_errSuccess);
    assert_int_equal(info.size, 0);
    os_file_close(file);
    assert_int_equal(os_file_open("/d/g", OS_OPEN_READ, OS_SHARE_NONE, &file), JET_errSuccess);
    assert_int_equal(os_file_write(file, 0, &byte, 1), JET_errFileAccessDenied);
    os_file_close(file);
    assert_int_equal(os_file_open("/d/g", OS_OPEN_WRITE, OS_SHARE_NONE, &file), JET_errSuccess);
    assert_int_equal(os_file_write(file, UINT64_C(1) << 40, &byte, 1), JET_errDiskFull);
    assert_int_equal(os_file_write(file, UINT64_C(1) << 36, &byte, 1), JET_errDiskFull);
    assert_int_equal(os_file_set_size(file, UINT64_C(1) << 40), JET_errDiskFull);
    os_file_close(file);
    /* a disk that holds more than it may */
    put("/d/g", "g");
    assert_int_equal(EsentHostFilesSetCapacity(1), JET_errSuccess);
    assert_int_equal(os_disk_free("/", &space), JET_errSuccess);
    assert_int_equal(space, 0);
    assert_int_equal(EsentHostFilesSetCapacity(UINT64_C(1) << 20), JET_errSuccess);
    assert_int_equal(os_disk_free("/", &space), JET_errSuccess);
    assert_true(space > 900000 && space < 1 << 20);
    assert_int_equal(EsentHostFilesSetCapacity(0), JET_errSuccess);
}

static void a_small_write_falls_short_whole(void **state)
{
    (void)state;
    struct os_file *file = NULL;
    uint64_t size = 1;
    uint8_t bytes[2000] = {1};
    assert_int_equal(os_file_open("/s", OS_CREATE_NEW, OS_SHARE_NONE, &file), JET_errSuccess);
    EsentHostFailNth(ESENT_HOST_FAULT_SHORT_WRITE, 1, 1);
    assert_int_equal(os_file_write(file, 0, bytes, 600), JET_errDiskIO);
    assert_int_equal(os_file_size(file, &size), JET_errSuccess);
    assert_int_equal(size, 0);
    EsentHostFailNth(ESENT_HOST_FAULT_SHORT_WRITE, 1, 1);
    assert_int_equal(os_file_write(file, 0, bytes, 2000), JET_errDiskIO);
    assert_int_equal(os_file_size(file, &size), JET_errSuccess);
    assert_int_equal(size, 512);
    os_file_close(file);
}

static void open_files_are_reported_as_leaks(void **state)
{
    (void)state;
    char report[256];
    struct os_file *file = NULL;
    assert_int_equal(os_file_open("/leak", OS_CREATE_NEW, OS_SHARE_NONE, &file), JET_errSuccess);
    assert_int_equal(EsentHostReset(report, sizeof report), 2); /* the file and its record */
    assert_non_null(strstr(report, "/leak"));
    assert_false(os_file_exists("/leak"));
}

/* ---- only POSIX: other processes */

static void other_processes_are_kept_out(void **state)
{
    (void)state;
    struct os_file *file = NULL;
    char path[OS_PATH_SIZE];
    char command[OS_PATH_SIZE + 64];
    assert_int_equal(os_file_open("x", OS_CREATE_NEW, OS_SHARE_NONE, &file), JET_errSuccess);
    assert_int_equal(os_path_full("x", path, sizeof path), JET_errSuccess);
    snprintf(command, sizeof command, "flock -n -s %s true", path);
    assert_true(system(command) != 0);
    os_file_close(file);
    assert_int_equal(system(command), 0);
    struct stat status;
    assert_int_equal(stat(path, &status), 0);
}

#define BOTH(test)                                                                                           \
    {#test " (posix)", test, use_posix, drop_posix, NULL},                                                   \
    {                                                                                                        \
#test " (memory)", test, use_memory, drop_memory, NULL                                               \
    }
#define MEMORY(test)                                                                                         \
    {                                                                                                        \
#test " (memory)", test, use_memory, drop_memory, NULL                                               \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(bytes_come_back),
        BOTH(opens_answer_as_on_windows),
        BOTH(names_change),
        BOTH(directories_list_in_order),
        BOTH(the_program_tampers),
        BOTH(every_operation_can_fail),
        BOTH(faults_do_what_they_say),
        MEMORY(sparse_blocks_match_an_array),
        MEMORY(snapshots_rewind),
        MEMORY(a_full_disk_refuses),
        MEMORY(a_crash_loses_what_was_not_synced),
        MEMORY(the_death_of_the_process_loses_nothing),
        MEMORY(crashes_tear_and_reorder),
        MEMORY(names_survive_in_their_order),
        MEMORY(a_crash_point_freezes_the_disk),
        MEMORY(names_in_memory_keep_their_rules),
        MEMORY(a_small_write_falls_short_whole),
        MEMORY(open_files_are_reported_as_leaks),
        cmocka_unit_test_setup_teardown(other_processes_are_kept_out, use_posix, drop_posix),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
