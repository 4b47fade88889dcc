/* The host's own memory fails: files in memory, the simulation, snapshots and crashes answer an error and
 * lose nothing. */
#if !defined(_GNU_SOURCE)
#define _GNU_SOURCE 1
#endif

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "include/esent_host.h"
#include "src/os/executor.h"
#include "src/os/file.h"
#include "src/os/memory.h"
#include "src/os/thread.h"

static struct os_file *opened;
static uint8_t bytes[40000];

static int begin_world(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(1 + i % 251);
    assert_int_equal(EsentHostUseMemoryFiles(), JET_errSuccess);
    return 0;
}

static int end_world(void **state)
{
    (void)state;
    os_host_memory_fail_nth(0);
    assert_int_equal(EsentHostUseMemoryFiles(), JET_errSuccess);
    assert_int_equal(EsentHostTrackWrites(0), JET_errSuccess);
    assert_int_equal(EsentHostReset(NULL, 0), 0);
    assert_int_equal(EsentHostUseThreads(), JET_errSuccess);
    assert_int_equal(EsentHostUsePosixFiles(), JET_errSuccess);
    return 0;
}

/* ---- the steps of a life of files */

static JET_ERR track(void)
{
    return EsentHostTrackWrites(1);
}
static JET_ERR create_directories(void)
{
    return os_directory_create_all("/a/b/c");
}
static JET_ERR create_file(void)
{
    return opened != NULL ? JET_errSuccess : os_file_open("/a/b/f", OS_CREATE_ALWAYS, OS_SHARE_NONE, &opened);
}
static JET_ERR write_part_of_a_block(void)
{
    return os_file_write(opened, 100, bytes, 50);
}
static JET_ERR write_many_blocks(void)
{
    return os_file_write(opened, 3000, bytes, sizeof bytes);
}
static JET_ERR write_zeros(void)
{
    static const uint8_t zeros[8192];
    return os_file_write(opened, 4096 * 300, zeros, sizeof zeros);
}
static JET_ERR write_far(void)
{
    return os_file_write(opened, UINT64_C(50) << 20, bytes, 10);
}
static JET_ERR sync_file(void)
{
    return os_file_sync(opened);
}
static JET_ERR cut_file(void)
{
    return os_file_set_size(opened, 5001);
}
static JET_ERR grow_file(void)
{
    return os_file_set_size(opened, 200000);
}
static JET_ERR close_file(void)
{
    os_file_close(opened);
    opened = NULL;
    return JET_errSuccess;
}
static JET_ERR copy_file(void)
{
    return os_file_copy("/a/b/f", "/a/b/g", true);
}
static JET_ERR copy_directory(void)
{
    return EsentHostDirectoryCopy("/a", "/copy");
}
static JET_ERR rename_file(void)
{
    return os_file_exists("/a/b/f") ? os_file_rename("/a/b/f", "/a/renamed", false) : JET_errSuccess;
}
static JET_ERR replace_file(void)
{
    return os_file_exists("/a/b/g") ? os_file_rename("/a/b/g", "/copy/b/f", true) : JET_errSuccess;
}
static JET_ERR rename_directory(void)
{
    return os_directory_exists("/a") ? os_file_rename("/a", "/moved", false) : JET_errSuccess;
}
static JET_ERR delete_file(void)
{
    return os_file_exists("/moved/renamed") ? os_file_delete("/moved/renamed") : JET_errSuccess;
}
static JET_ERR delete_directory(void)
{
    return os_directory_exists("/moved/b/c") ? os_directory_remove("/moved/b/c") : JET_errSuccess;
}
static JET_ERR many_files(void)
{
    JET_ERR err = JET_errSuccess;
    for (int i = 0; i < 20 && err == JET_errSuccess; i++) {
        char path[32];
        snprintf(path, sizeof path, "/moved/many-%d", i);
        err = EsentHostFileWrite(path, 0, bytes, (size_t)i);
    }
    return err;
}
static JET_ERR save(void)
{
    return EsentHostFilesSave(3);
}
static JET_ERR change_after_save(void)
{
    return EsentHostFileWrite("/copy/b/f", 4000, "changed", 7);
}
static JET_ERR restore(void)
{
    return EsentHostFilesRestore(3);
}
static JET_ERR append_unsynced(void)
{
    return os_file_write(opened, 250000, bytes, 700);
}
static JET_ERR open_again(void)
{
    return opened != NULL ? JET_errSuccess
                          : os_file_open("/copy/b/f", OS_OPEN_WRITE, OS_SHARE_READ_WRITE, &opened);
}

static JET_ERR (*const life[])(void) = {
    track,
    create_directories,
    create_file,
    write_part_of_a_block,
    write_many_blocks,
    write_zeros,
    sync_file,
    cut_file,
    write_far,
    grow_file,
    close_file,
    copy_file,
    copy_directory,
    rename_file,
    replace_file,
    save,
    change_after_save,
    rename_directory,
    delete_file,
    delete_directory,
    many_files,
    restore,
    change_after_save,
    rename_directory,
    delete_file,
    open_again,
    append_unsynced,
    cut_file,
    sync_file,
    append_unsynced,
    close_file,
};

/* Lives through all steps, repeating each that fails; answers how many did. */
static size_t live(void)
{
    size_t failed = 0;
    for (size_t i = 0; i < sizeof life / sizeof life[0]; i++) {
        JET_ERR err = life[i]();
        if (err < JET_errSuccess) {
            assert_true(err == JET_errDiskFull || err == JET_errOutOfMemory);
            failed++;
            err = life[i]();
        }
        assert_int_equal(err, JET_errSuccess);
    }
    return failed;
}

static void a_failed_step_can_be_repeated(void **state)
{
    (void)state;
    assert_int_equal(live(), 0);
    uint64_t hash = EsentHostFilesHash();
    uint64_t nth = 1;
    for (;; nth++) {
        assert_int_equal(EsentHostReset(NULL, 0), 0);
        os_host_memory_fail_nth(nth);
        size_t failed = live();
        assert_true(EsentHostFilesHash() == hash);
        if (failed == 0)
            break;
        assert_int_equal(failed, 1);
    }
    assert_true(nth > 100);
}

/* ---- crashes of the machine */

/* Files with unsynced writes, names and sizes. */
static void unsynced_world(void)
{
    struct os_file *file = NULL;
    assert_int_equal(EsentHostReset(NULL, 0), 0);
    assert_int_equal(EsentHostTrackWrites(1), JET_errSuccess);
    assert_int_equal(os_directory_create("/d"), JET_errSuccess);
    assert_int_equal(os_directory_sync("/"), JET_errSuccess);
    assert_int_equal(os_file_open("/d/a", OS_CREATE_NEW, OS_SHARE_NONE, &file), JET_errSuccess);
    assert_int_equal(os_file_write(file, 0, bytes, 9000), JET_errSuccess);
    assert_int_equal(os_file_sync(file), JET_errSuccess);
    for (uint64_t i = 0; i < 12; i++)
        assert_int_equal(os_file_write(file, i * 1000, bytes, 1500), JET_errSuccess);
    assert_int_equal(os_file_set_size(file, 20000), JET_errSuccess);
    os_file_close(file);
    for (int i = 0; i < 18; i++) {
        char path[32];
        snprintf(path, sizeof path, "/d/n%d", i);
        assert_int_equal(os_file_open(path, OS_CREATE_NEW, OS_SHARE_NONE, &file), JET_errSuccess);
        assert_int_equal(os_file_write(file, 0, bytes, 5000), JET_errSuccess);
        os_file_close(file);
        if (i % 9 == 0)
            assert_int_equal(os_file_delete(path), JET_errSuccess);
    }
}

static void a_crash_that_fails_can_be_repeated(void **state)
{
    (void)state;
    for (int mode = ESENT_HOST_CRASH_KEEP_ALL; mode <= ESENT_HOST_CRASH_PREFIX_TEAR; mode++) {
        unsynced_world();
        assert_int_equal(EsentHostMachineCrash((enum ESENT_HOST_CRASH_MODE)mode, 7), JET_errSuccess);
        uint64_t hash = EsentHostFilesHash();
        JET_ERR err = JET_errSuccess;
        uint64_t nth = 1;
        do {
            unsynced_world();
            os_host_memory_fail_nth(nth);
            nth += 1 + nth / 12; /* the later ones are alike */
            err = EsentHostMachineCrash((enum ESENT_HOST_CRASH_MODE)mode, 7);
            os_host_memory_fail_nth(0);
            if (err < JET_errSuccess) {
                assert_true(err == JET_errDiskFull || err == JET_errOutOfMemory);
                assert_int_equal(EsentHostMachineCrash((enum ESENT_HOST_CRASH_MODE)mode, 7), JET_errSuccess);
            }
            assert_true(EsentHostFilesHash() == hash);
        } while (err < JET_errSuccess);
        assert_true(nth > 3);
    }
}

/* The disk is frozen at a crash point, or the point is not reached if there is no memory for it. */
static void a_frozen_disk_is_whole_or_none(void **state)
{
    (void)state;
    uint64_t hash = 0;
    for (uint64_t nth = 0;; nth += 1 + nth / 24) {
        unsynced_world();
        uint64_t before = EsentHostFilesHash();
        EsentHostFailNth(ESENT_HOST_FAULT_CRASH, 1, 1);
        os_host_memory_fail_nth(nth);
        JET_ERR err = os_directory_create("/d/new");
        os_host_memory_fail_nth(0);
        if (EsentHostCrashPointReached()) {
            /* a second point does not replace what the first kept */
            EsentHostFailNth(ESENT_HOST_FAULT_CRASH, 1, 1);
            assert_int_equal(os_directory_create("/d/newer"), JET_errSuccess);
            EsentHostCrash();
            assert_true(EsentHostFilesHash() == before);
            assert_int_equal(EsentHostMachineCrash(ESENT_HOST_CRASH_TEAR, 3), JET_errSuccess);
            if (nth == 0)
                hash = EsentHostFilesHash();
            assert_true(EsentHostFilesHash() == hash);
            if (nth != 0)
                break;
        } else {
            assert_true(nth != 0);
            assert_int_equal(err, JET_errSuccess);
            EsentHostCrash();
            assert_true(os_directory_exists("/d/new"));
        }
    }
}

/* ---- the rest of the host */

static void files_in_memory_need_memory(void **state)
{
    (void)state;
    uint64_t nth = 1;
    JET_ERR err;
    do {
        os_host_memory_fail_nth(nth++);
        err = EsentHostFilesSave(1);
        assert_true(err == JET_errSuccess || err == JET_errOutOfMemory || err == JET_errDiskFull);
    } while (err < JET_errSuccess);
    assert_true(nth > 4);
    os_host_memory_fail_nth(0);
    assert_int_equal(EsentHostFilesRestore(1), JET_errSuccess);
}

static void posix_opens_need_memory(void **state)
{
    (void)state;
    struct os_file *file = NULL;
    assert_int_equal(EsentHostUsePosixFiles(), JET_errSuccess);
    os_host_memory_fail_nth(1);
    assert_int_equal(os_file_open("/dev/null", OS_OPEN_READ, OS_SHARE_READ_WRITE, &file), JET_errOutOfMemory);
    assert_null(file);
    assert_int_equal(os_file_open("/dev/null", OS_OPEN_READ, OS_SHARE_READ_WRITE, &file), JET_errSuccess);
    os_file_close(file);
}

static void nothing_to_do(void *context)
{
    (void)context;
}

static void threads_need_memory(void **state)
{
    (void)state;
    struct os_thread *thread = NULL;
    os_host_memory_fail_nth(1);
    assert_int_equal(os_thread_create(nothing_to_do, NULL, &thread), JET_errOutOfMemory);
    assert_null(thread);
    assert_int_equal(os_thread_create(nothing_to_do, NULL, &thread), JET_errSuccess);
    os_thread_join(thread);
}

static void a_simulation_needs_memory_for_its_choices(void **state)
{
    (void)state;
    static const uint8_t choices[] = {1, 0, 1, 0};
    struct ESENT_HOST_SIMULATION simulation = {.choices = choices, .choices_size = sizeof choices};
    os_host_memory_fail_nth(1);
    assert_int_equal(EsentHostUseSimulation(&simulation), JET_errOutOfMemory);
    assert_int_equal(EsentHostUseSimulation(&simulation), JET_errSuccess);
}

static void yield_often(void *context)
{
    (void)context;
    for (int i = 0; i < 10; i++)
        os_yield();
}

/* Without memory for its record a simulation goes on; the record begins when there is some. */
static void a_simulation_runs_without_its_record(void **state)
{
    (void)state;
    struct os_thread *threads[2];
    struct ESENT_HOST_SIMULATION simulation = {.scheduler = ESENT_HOST_SCHEDULE_RANDOM};
    size_t lengths[2];
    assert_int_equal(EsentHostUseThreads(), JET_errSuccess);
    for (size_t run = 0; run < 2; run++) {
        assert_int_equal(EsentHostUseSimulation(&simulation), JET_errSuccess);
        for (size_t i = 0; i < 2; i++)
            assert_int_equal(os_thread_create(yield_often, NULL, &threads[i]), JET_errSuccess);
        if (run == 1)
            os_host_memory_fail_nth(1);
        for (size_t i = 0; i < 2; i++)
            os_thread_join(threads[i]);
        os_host_memory_fail_nth(0);
        lengths[run] = EsentHostGetSchedule(NULL, 0);
        assert_int_equal(EsentHostUseThreads(), JET_errSuccess); /* drops the record */
    }
    assert_true(lengths[0] > 10);
    assert_true(lengths[1] >= lengths[0] - 4 && lengths[1] <= lengths[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_failed_step_can_be_repeated, begin_world, end_world),
        cmocka_unit_test_setup_teardown(a_crash_that_fails_can_be_repeated, begin_world, end_world),
        cmocka_unit_test_setup_teardown(a_frozen_disk_is_whole_or_none, begin_world, end_world),
        cmocka_unit_test_setup_teardown(files_in_memory_need_memory, begin_world, end_world),
        cmocka_unit_test_setup_teardown(posix_opens_need_memory, begin_world, end_world),
        cmocka_unit_test_setup_teardown(threads_need_memory, begin_world, end_world),
        cmocka_unit_test_setup_teardown(a_simulation_needs_memory_for_its_choices, begin_world, end_world),
        cmocka_unit_test_setup_teardown(a_simulation_runs_without_its_record, begin_world, end_world),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
