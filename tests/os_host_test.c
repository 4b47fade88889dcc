/* The host's settings: what is refused when, a program's own file system, names, counters. */
#if !defined(_GNU_SOURCE)
#define _GNU_SOURCE 1
#endif

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "include/esent_host.h"
#include "src/os/clock.h"
#include "src/os/executor.h"
#include "src/os/file.h"
#include "src/os/file_system.h"
#include "src/os/host.h"
#include "src/os/memory.h"
#include "src/os/random.h"
#include "src/os/thread.h"

static int end_world(void **state)
{
    (void)state;
    assert_int_equal(EsentHostReset(NULL, 0), 0);
    assert_int_equal(EsentHostUseThreads(), JET_errSuccess);
    assert_int_equal(EsentHostUsePosixFiles(), JET_errSuccess);
    assert_int_equal(EsentHostSetDirectory(NULL), JET_errSuccess);
    assert_int_equal(EsentHostSetProfile(ESENT_HOST_DOCUMENTED), JET_errSuccess);
    return 0;
}

/* Every setting that must not change while an instance exists. */
static JET_ERR set_profile(void)
{
    return EsentHostSetProfile(ESENT_HOST_PUBLISHED);
}
static JET_ERR set_directory(void)
{
    return EsentHostSetDirectory("/elsewhere");
}
static JET_ERR set_clock(void)
{
    return EsentHostSetClock(5);
}
static JET_ERR set_seed(void)
{
    return EsentHostSetRandomSeed(5);
}
static JET_ERR set_allocator(void)
{
    return EsentHostSetAllocator(NULL);
}
static JET_ERR use_simulation(void)
{
    struct ESENT_HOST_SIMULATION simulation = {0};
    return EsentHostUseSimulation(&simulation);
}
static JET_ERR use_posix(void)
{
    return EsentHostUsePosixFiles();
}
static JET_ERR use_memory(void)
{
    return EsentHostUseMemoryFiles();
}
static JET_ERR use_own(void)
{
    return EsentHostUseFileSystem(&os_posix_file_system);
}

static void settings_wait_for_the_end_of_instances(void **state)
{
    static JET_ERR (*const settings[])(void) = {set_profile,   set_directory,      set_clock, set_seed,
                                                set_allocator, use_simulation,     use_posix, use_memory,
                                                use_own,       EsentHostUseThreads};
    (void)state;
    os_host_hold();
    for (size_t i = 0; i < sizeof settings / sizeof settings[0]; i++)
        assert_int_equal(settings[i](), JET_errAlreadyInitialized);
    os_host_release();
    for (size_t i = 0; i < sizeof settings / sizeof settings[0]; i++)
        assert_int_equal(settings[i](), JET_errSuccess);
    assert_int_equal(EsentHostSetClock(-1), JET_errSuccess);
    assert_int_equal(EsentHostSetRandomSeed(0), JET_errSuccess);
}

static void *own_allocate(void *context, size_t size, size_t alignment)
{
    (void)context;
    (void)size;
    (void)alignment;
    return NULL;
}
static void own_free(void *context, void *block)
{
    (void)context;
    (void)block;
}

static void nonsense_is_refused(void **state)
{
    struct ESENT_HOST_SIMULATION simulation = {.choices_size = 1};
    struct ESENT_HOST_ALLOCATOR allocator = {0};
    os_file_system calls = os_posix_file_system;
    (void)state;
    assert_int_equal(EsentHostSetProfile((enum ESENT_HOST_PROFILE)7), JET_errInvalidParameter);
    assert_int_equal(EsentHostUseSimulation(NULL), JET_errInvalidParameter);
    assert_int_equal(EsentHostUseSimulation(&simulation), JET_errInvalidParameter);
    simulation = (struct ESENT_HOST_SIMULATION){.scheduler = (enum ESENT_HOST_SCHEDULER)9};
    assert_int_equal(EsentHostUseSimulation(&simulation), JET_errInvalidParameter);
    assert_int_equal(EsentHostSetAllocator(&allocator), JET_errInvalidParameter);
    assert_int_equal(EsentHostUseFileSystem(NULL), JET_errInvalidParameter);
    calls.size = 8;
    assert_int_equal(EsentHostUseFileSystem(&calls), JET_errInvalidParameter);
    calls = os_posix_file_system;
    calls.list = NULL;
    assert_int_equal(EsentHostUseFileSystem(&calls), JET_errInvalidParameter);
    EsentHostFailNth(ESENT_HOST_FAULT_COUNT, 1, 1);
    assert_int_equal(EsentHostCountPoints(ESENT_HOST_FAULT_COUNT), 0);
    assert_int_equal(EsentHostCountFailures(ESENT_HOST_FAULT_COUNT), 0);
    assert_string_equal(EsentHostFaultName(ESENT_HOST_FAULT_COUNT), "");
}

/* A table with a call missing, each in turn. */
static void a_file_system_is_whole(void **state)
{
    static const size_t members[] = {
        offsetof(os_file_system, open),
        offsetof(os_file_system, close),
        offsetof(os_file_system, read),
        offsetof(os_file_system, write),
        offsetof(os_file_system, sync),
        offsetof(os_file_system, get_size),
        offsetof(os_file_system, set_size),
        offsetof(os_file_system, info),
        offsetof(os_file_system, set_read_only),
        offsetof(os_file_system, remove),
        offsetof(os_file_system, rename),
        offsetof(os_file_system, create_directory),
        offsetof(os_file_system, remove_directory),
        offsetof(os_file_system, sync_directory),
        offsetof(os_file_system, list),
        offsetof(os_file_system, free_space),
        offsetof(os_file_system, current_directory),
    };
    (void)state;
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
        os_file_system calls = os_posix_file_system;
        memset((uint8_t *)&calls + members[i], 0, sizeof(void (*)(void)));
        assert_int_equal(EsentHostUseFileSystem(&calls), JET_errInvalidParameter);
    }
    struct ESENT_HOST_ALLOCATOR allocator = {.free = own_free};
    assert_int_equal(EsentHostSetAllocator(&allocator), JET_errInvalidParameter);
    allocator = (struct ESENT_HOST_ALLOCATOR){.allocate = own_allocate};
    assert_int_equal(EsentHostSetAllocator(&allocator), JET_errInvalidParameter);
}

static void an_allocator_may_have_no_memory(void **state)
{
    struct ESENT_HOST_ALLOCATOR allocator = {.allocate = own_allocate, .free = own_free};
    (void)state;
    assert_int_equal(EsentHostSetAllocator(&allocator), JET_errSuccess);
    assert_null(os_allocate(10));
    assert_null(os_allocate_pages(10));
    assert_int_equal(os_memory_live_count(), 0);
    assert_int_equal(EsentHostSetAllocator(NULL), JET_errSuccess);
}

static void some_things_need_files_in_memory(void **state)
{
    (void)state;
    assert_int_equal(EsentHostFilesSave(0), JET_errFeatureNotAvailable);
    assert_int_equal(EsentHostFilesRestore(0), JET_errFeatureNotAvailable);
    assert_int_equal(EsentHostFilesSetCapacity(0), JET_errFeatureNotAvailable);
    assert_int_equal(EsentHostTrackWrites(1), JET_errFeatureNotAvailable);
    assert_int_equal(EsentHostMachineCrash(ESENT_HOST_CRASH_KEEP_ALL, 0), JET_errFeatureNotAvailable);
    assert_int_equal(EsentHostFilesHash(), 0);
    assert_int_equal(EsentHostUseMemoryFiles(), JET_errSuccess);
    assert_int_equal(EsentHostTrackWrites(-1), JET_errInvalidParameter);
    assert_int_equal(EsentHostTrackWrites(3), JET_errInvalidParameter);
    assert_int_equal(EsentHostMachineCrash((enum ESENT_HOST_CRASH_MODE)9, 0), JET_errInvalidParameter);
    assert_int_equal(EsentHostFilesSave(99), JET_errInvalidParameter);
    assert_int_equal(EsentHostFilesRestore(99), JET_errInvalidParameter);
    assert_int_equal(EsentHostFilesRestore(5), JET_errInvalidParameter); /* never saved */
    assert_int_equal(EsentHostFilesSave(0), JET_errSuccess);
    os_host_hold();
    assert_int_equal(EsentHostFilesRestore(0), JET_errAlreadyInitialized);
    os_host_release();
    struct os_file *file = NULL;
    assert_int_equal(os_file_open("/open", OS_CREATE_NEW, OS_SHARE_NONE, &file), JET_errSuccess);
    assert_int_equal(EsentHostFilesRestore(0), JET_errFileAccessDenied);
    os_file_close(file);
    assert_int_equal(EsentHostFilesRestore(0), JET_errSuccess);
    assert_false(os_file_exists("/open"));
    /* they are there, but not in use */
    assert_int_equal(EsentHostUsePosixFiles(), JET_errSuccess);
    assert_int_equal(EsentHostFilesSave(0), JET_errFeatureNotAvailable);
}

/* A crash point is nothing to files of the operating system. */
static void crash_points_need_files_in_memory(void **state)
{
    char directory[] = "/tmp/os_host_XXXXXX";
    (void)state;
    assert_non_null(mkdtemp(directory));
    EsentHostFailNth(ESENT_HOST_FAULT_CRASH, 1, 1);
    assert_int_equal(os_directory_remove(directory), JET_errSuccess);
    assert_false(EsentHostCrashPointReached() != 0);
}

/* Many leaks: the report tells the first ones, and is cut where it must be. */
static void a_report_has_an_end(void **state)
{
    char report[4096];
    (void)state;
    for (size_t size = 0; size <= sizeof report; size = size == 0 ? 1 : size * 4) {
        for (int i = 0; i < 30; i++)
            assert_non_null(os_allocate(7));
        memset(report, 'x', sizeof report);
        assert_int_equal(EsentHostReset(report, size), 30);
        size_t length = size == 0 ? 0 : strlen(report);
        assert_true(size == 0 ? report[0] == 'x' : length < size);
        size_t lines = 0;
        for (size_t i = 0; i < length; i++)
            lines += report[i] == '\n';
        assert_int_equal(lines, size < 4096 ? lines : 20);
        assert_true(size < 1024 || lines > 10);
    }
    assert_non_null(os_allocate(7));
    assert_int_equal(EsentHostReset(NULL, sizeof report), 1);
}

/* A program's own files: in memory below, counted and refused above. */
static uint32_t own_opens;
static JET_ERR own_open(void *context, const char *path, enum ESENT_HOST_OPEN_MODE mode,
                        enum ESENT_HOST_SHARE share, void **handle)
{
    own_opens++;
    if (strstr(path, "forbidden") != NULL)
        return JET_errFileAccessDenied;
    return os_posix_file_system.open(context, path, mode, share, handle);
}

static void a_program_brings_its_files(void **state)
{
    os_file_system calls = os_posix_file_system;
    char directory[] = "/tmp/os_host_XXXXXX";
    struct os_file *file = NULL;
    (void)state;
    assert_non_null(mkdtemp(directory));
    calls.open = own_open;
    assert_int_equal(EsentHostUseFileSystem(&calls), JET_errSuccess);
    assert_int_equal(EsentHostSetDirectory(directory), JET_errSuccess);
    own_opens = 0;
    assert_int_equal(os_file_open("forbidden", OS_CREATE_NEW, OS_SHARE_NONE, &file), JET_errFileAccessDenied);
    assert_int_equal(os_file_open("sub/../a", OS_CREATE_NEW, OS_SHARE_NONE, &file), JET_errSuccess);
    assert_int_equal(own_opens, 2);
    assert_int_equal(strncmp(os_file_path(file), directory, strlen(directory)), 0);
    os_file_close(file);
    assert_int_equal(os_directory_remove_all(directory), JET_errSuccess);
}

static void the_computer_has_a_name(void **state)
{
    char name[16];
    (void)state;
    os_host_computer_name(name);
    assert_true(name[0] != 0);
    assert_int_equal(name[15], 0);
    assert_int_equal(use_simulation(), JET_errSuccess);
    os_host_computer_name(name);
    assert_string_equal(name, "OPENESENT");
    assert_true(os_host_is_simulated());
    assert_int_equal(EsentHostSetClock(-1), JET_errInvalidParameter);
}

static void the_clock_begins_where_it_is_told(void **state)
{
    struct ESENT_HOST_SIMULATION simulation = {.clock = 123456789};
    (void)state;
    EsentHostAdvanceClock(1000000000); /* the real one does not move */
    assert_true(os_clock_now() < INT64_C(1600000000000) * 2);
    assert_int_equal(EsentHostUseSimulation(&simulation), JET_errSuccess);
    assert_int_equal(os_clock_now(), 123456789);
    EsentHostSleep(0);
    assert_int_equal(os_clock_now(), 123456789);
    EsentHostSleep(5);
    assert_int_equal(os_clock_now(), 123456794);
}

static void work_is_counted(void **state)
{
    struct ESENT_HOST_COUNTERS counters;
    struct os_file *file = NULL;
    uint8_t bytes[100] = {0};
    (void)state;
    assert_int_equal(EsentHostUseMemoryFiles(), JET_errSuccess);
    EsentHostResetCounters();
    assert_int_equal(os_file_open("/c", OS_CREATE_NEW, OS_SHARE_NONE, &file), JET_errSuccess);
    assert_int_equal(os_file_write(file, 0, bytes, 100), JET_errSuccess);
    assert_int_equal(os_file_read(file, 0, bytes, 60), JET_errSuccess);
    assert_int_equal(os_file_sync(file), JET_errSuccess);
    EsentHostGetCounters(&counters);
    assert_int_equal(counters.open_files, 1);
    assert_int_equal(counters.writes, 1);
    assert_int_equal(counters.written_bytes, 100);
    assert_int_equal(counters.reads, 1);
    assert_int_equal(counters.read_bytes, 60);
    assert_int_equal(counters.syncs, 1);
    assert_int_equal(counters.live_blocks, 1);
    assert_true(counters.peak_bytes >= counters.live_bytes);
    os_file_close(file);
}

static void count_visit(void *context, const void *block, size_t size, const char *site)
{
    (void)block;
    (void)site;
    *(size_t *)context += size;
}

static uint32_t ran;
static void run_once(void *context)
{
    (void)context;
    ran++;
}

static void sleep_a_little(void *context)
{
    EsentHostSleep(*(uint32_t *)context);
    EsentHostYield();
}

static void programs_have_threads_and_time(void **state)
{
    static struct os_task task;
    struct ESENT_HOST_THREAD *thread = NULL;
    uint32_t milliseconds = 40;
    size_t bytes = 0;
    (void)state;
    assert_int_equal(use_simulation(), JET_errSuccess);
    int64_t before = os_clock_now();
    assert_int_equal(EsentHostThreadStart(sleep_a_little, &milliseconds, &thread), JET_errSuccess);
    EsentHostThreadJoin(thread);
    assert_int_equal(os_clock_now(), before + 40);
    EsentHostAdvanceClock(10);
    assert_int_equal(os_clock_now(), before + 50);
    ran = 0;
    os_task_init(&task, run_once, NULL);
    os_task_submit(&task);
    assert_int_equal(EsentHostRunBackground(), 1);
    assert_int_equal(ran, 1);
    void *block = os_allocate(123);
    EsentHostVisitMemory(count_visit, &bytes);
    assert_int_equal(bytes, 123);
    os_free(block);
}

static void profiles_switch(void **state)
{
    (void)state;
    assert_false(os_host_is_published());
    assert_int_equal(EsentHostSetProfile(ESENT_HOST_PUBLISHED), JET_errSuccess);
    assert_true(os_host_is_published());
    assert_int_equal(EsentHostGetProfile(), ESENT_HOST_PUBLISHED);
}

/* The same world twice: files, time and numbers begin anew, byte for byte. */
static uint64_t live(void)
{
    struct os_file *file = NULL;
    uint32_t numbers[64];
    for (size_t i = 0; i < 64; i++)
        numbers[i] = os_random_32();
    numbers[0] = (uint32_t)os_clock_now();
    os_sleep(numbers[1] % 1000);
    numbers[2] = (uint32_t)os_clock_now();
    assert_int_equal(os_directory_create_all("/a/b"), JET_errSuccess);
    assert_int_equal(os_file_open("/a/b/c", OS_CREATE_NEW, OS_SHARE_NONE, &file), JET_errSuccess);
    assert_int_equal(os_file_write(file, numbers[3] % 100000, numbers, sizeof numbers), JET_errSuccess);
    os_file_close(file);
    return EsentHostFilesHash();
}

static void a_reset_world_lives_the_same_life(void **state)
{
    (void)state;
    assert_int_equal(EsentHostUseMemoryFiles(), JET_errSuccess);
    assert_int_equal(use_simulation(), JET_errSuccess);
    uint64_t first = live();
    assert_int_equal(EsentHostReset(NULL, 0), 0);
    assert_int_equal(live(), first);
    struct ESENT_HOST_SIMULATION simulation = {.seed = 9};
    assert_int_equal(EsentHostReset(NULL, 0), 0);
    assert_int_equal(EsentHostUseSimulation(&simulation), JET_errSuccess);
    assert_true(live() != first);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(settings_wait_for_the_end_of_instances, end_world),
        cmocka_unit_test_teardown(nonsense_is_refused, end_world),
        cmocka_unit_test_teardown(a_file_system_is_whole, end_world),
        cmocka_unit_test_teardown(an_allocator_may_have_no_memory, end_world),
        cmocka_unit_test_teardown(crash_points_need_files_in_memory, end_world),
        cmocka_unit_test_teardown(a_report_has_an_end, end_world),
        cmocka_unit_test_teardown(some_things_need_files_in_memory, end_world),
        cmocka_unit_test_teardown(a_program_brings_its_files, end_world),
        cmocka_unit_test_teardown(the_computer_has_a_name, end_world),
        cmocka_unit_test_teardown(the_clock_begins_where_it_is_told, end_world),
        cmocka_unit_test_teardown(work_is_counted, end_world),
        cmocka_unit_test_teardown(programs_have_threads_and_time, end_world),
        cmocka_unit_test_teardown(profiles_switch, end_world),
        cmocka_unit_test_teardown(a_reset_world_lives_the_same_life, end_world),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
