/* The host: settings, the death of the process, the reset of the world. */
#if !defined(_GNU_SOURCE)
#define _GNU_SOURCE 1
#endif

#include "src/os/host.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "src/os/clock.h"
#include "src/os/executor.h"
#include "src/os/fault.h"
#include "src/os/internal.h"
#include "src/os/memory.h"

#define FORGET_MAX 64u
#define SIMULATION_START INT64_C(1700000000000) /* 2023-11-14 */

struct os_host_state os_host = {.profile = ESENT_HOST_DOCUMENTED, .world = 1};

static pthread_mutex_t host_lock = PTHREAD_MUTEX_INITIALIZER;
static void (*forget_functions[FORGET_MAX])(void);
static uint32_t forget_count;

_Noreturn void os_assertion_failed(const char *expression, const char *file, int line)
{
    fprintf(stderr, "%s:%d: assertion failed: %s\n", file, line, expression);
    abort();
}

/* ---- settings */

static JET_ERR check_changeable(void)
{
    return os_host.holders == 0 ? JET_errSuccess : JET_errAlreadyInitialized;
}

void os_host_hold(void)
{
    __atomic_add_fetch(&os_host.holders, 1, __ATOMIC_ACQ_REL);
}

void os_host_release(void)
{
    ASSERT(__atomic_load_n(&os_host.holders, __ATOMIC_ACQUIRE) > 0);
    __atomic_sub_fetch(&os_host.holders, 1, __ATOMIC_ACQ_REL);
}

enum ESENT_HOST_PROFILE os_host_profile(void)
{
    return os_host.profile;
}

bool os_host_is_simulated(void)
{
    return os_host.simulated;
}

JET_ERR EsentHostSetProfile(enum ESENT_HOST_PROFILE profile)
{
    JET_ERR err = JET_errSuccess;
    TRY(check_changeable());
    if (profile != ESENT_HOST_DOCUMENTED && profile != ESENT_HOST_PUBLISHED)
        FAIL(JET_errInvalidParameter);
    os_host.profile = profile;
done:
    return err;
}

enum ESENT_HOST_PROFILE EsentHostGetProfile(void)
{
    return os_host.profile;
}

static JET_ERR use_files(const os_file_system *files)
{
    JET_ERR err = JET_errSuccess;
    TRY(check_changeable());
    os_host.files = files;
done:
    return err;
}

JET_ERR EsentHostUsePosixFiles(void)
{
    return use_files(NULL);
}

JET_ERR EsentHostUseMemoryFiles(void)
{
    JET_ERR err = JET_errSuccess;
    TRY(check_changeable());
    if (os_host.memory_files == NULL)
        os_host.memory_files = memory_file_system_create();
    if (os_host.memory_files == NULL)
        FAIL(JET_errOutOfMemory);
    os_host.files = memory_file_system_calls(os_host.memory_files);
done:
    return err;
}

JET_ERR EsentHostForgetMemoryFiles(void)
{
    JET_ERR err = JET_errSuccess;
    TRY(check_changeable());
    if (os_memory_files_in_use())
        os_host.files = NULL;
    memory_file_system_destroy(os_host.memory_files);
    os_host.memory_files = NULL;
done:
    return err;
}

JET_ERR EsentHostUseFileSystem(const struct ESENT_HOST_FILE_SYSTEM *calls)
{
    JET_ERR err = JET_errSuccess;
    if (calls == NULL || calls->size != sizeof *calls || calls->open == NULL || calls->close == NULL ||
        calls->read == NULL || calls->write == NULL || calls->sync == NULL || calls->get_size == NULL ||
        calls->set_size == NULL || calls->info == NULL || calls->set_read_only == NULL ||
        calls->remove == NULL || calls->rename == NULL || calls->create_directory == NULL ||
        calls->remove_directory == NULL || calls->sync_directory == NULL || calls->list == NULL ||
        calls->free_space == NULL || calls->current_directory == NULL)
        FAIL(JET_errInvalidParameter);
    TRY(use_files(calls));
done:
    return err;
}

JET_ERR EsentHostSetDirectory(const char *path)
{
    JET_ERR err = JET_errSuccess;
    char full[OS_PATH_SIZE] = "";
    TRY(check_changeable());
    if (path != NULL && path[0] != 0)
        TRY(os_path_full(path, full, sizeof full));
    memcpy(os_host.directory, full, sizeof full);
done:
    return err;
}

JET_ERR EsentHostSetAllocator(const struct ESENT_HOST_ALLOCATOR *allocator)
{
    JET_ERR err = JET_errSuccess;
    TRY(check_changeable());
    if (os_memory_live_count() != 0)
        FAIL(JET_errAlreadyInitialized);
    if (allocator != NULL && (allocator->allocate == NULL || allocator->free == NULL))
        FAIL(JET_errInvalidParameter);
    os_host.allocator_set = allocator != NULL;
    if (allocator != NULL)
        os_host.allocator = *allocator;
done:
    return err;
}

JET_ERR EsentHostSetClock(int64_t milliseconds)
{
    JET_ERR err = JET_errSuccess;
    TRY(check_changeable());
    if (milliseconds < 0 && os_host.simulated)
        FAIL(JET_errInvalidParameter);
    if (milliseconds < 0)
        os_clock_real();
    else
        os_clock_simulate(milliseconds);
done:
    return err;
}

int64_t EsentHostGetClock(void)
{
    return os_clock_now();
}

void EsentHostAdvanceClock(uint32_t milliseconds)
{
    if (os_host.simulated_clock)
        os_clock_advance(milliseconds);
}

void EsentHostSleep(uint32_t milliseconds)
{
    os_sleep(milliseconds);
}

JET_ERR EsentHostSetRandomSeed(uint64_t seed)
{
    JET_ERR err = JET_errSuccess;
    TRY(check_changeable());
    os_host.seeded = seed != 0;
    os_random_host_seed(seed);
done:
    return err;
}

JET_ERR EsentHostUseThreads(void)
{
    JET_ERR err = JET_errSuccess;
    TRY(check_changeable());
    if (!os_host.simulated)
        goto done;
    os_executor_forget();
    os_scheduler_stop();
    os_host.simulated = false;
    os_host.seeded = false;
    os_random_host_rewind();
    os_clock_real();
done:
    return err;
}

JET_ERR EsentHostUseSimulation(const struct ESENT_HOST_SIMULATION *simulation)
{
    JET_ERR err = JET_errSuccess;
    TRY(check_changeable());
    if (simulation == NULL || simulation->scheduler > ESENT_HOST_SCHEDULE_PRIORITY ||
        (simulation->choices == NULL && simulation->choices_size != 0))
        FAIL(JET_errInvalidParameter);
    os_executor_forget();
    TRY(os_scheduler_start(simulation));
    os_host.simulated = true;
    os_host.seeded = true;
    os_random_host_seed(simulation->seed);
    os_clock_simulate(simulation->clock != 0 ? simulation->clock : SIMULATION_START);
done:
    return err;
}

void os_host_computer_name(char name[16])
{
    memset(name, 0, 16);
    if (os_host.simulated || os_host.seeded) {
        memcpy(name, "OPENESENT", 10);
        return;
    }
    char host[256] = "";
    if (gethostname(host, sizeof host - 1) != 0)
        memcpy(host, "LOCALHOST", 10);
    for (size_t i = 0; i < 15 && host[i] != 0 && host[i] != '.'; i++)
        name[i] = host[i] >= 'a' && host[i] <= 'z' ? (char)(host[i] - 'a' + 'A') : host[i];
}

/* ---- death */

void os_host_on_death(void (*forget)(void))
{
    pthread_mutex_lock(&host_lock);
    bool known = false;
    for (uint32_t i = 0; i < forget_count; i++)
        known = known || forget_functions[i] == forget;
    if (!known) {
        ASSERT(forget_count < FORGET_MAX);
        if (forget_count < FORGET_MAX)
            forget_functions[forget_count++] = forget;
    }
    pthread_mutex_unlock(&host_lock);
}

void os_host_die(void)
{
    os_executor_forget();
    if (os_host.simulated)
        os_scheduler_kill_others();
    for (uint32_t i = forget_count; i > 0; i--)
        forget_functions[i - 1]();
    forget_count = 0; /* each life registers what it uses, so that all lives are alike */
    os_file_close_all();
    os_memory_free_all();
    os_thread_self()->fault_suspends = 0;
    os_host.holders = 0;
    os_host.world++;
}

/* At a crash point the disk was frozen; it is what the new process finds. */
static void take_frozen_disk(void)
{
    if (os_host.frozen == NULL)
        return;
    memory_file_system_thaw(os_host.memory_files, os_host.frozen);
    os_host.frozen = NULL;
}

void EsentHostCrash(void)
{
    os_host_die();
    take_frozen_disk();
}

bool os_memory_files_in_use(void)
{
    return os_host.memory_files != NULL && os_host.files == memory_file_system_calls(os_host.memory_files);
}

JET_ERR EsentHostMachineCrash(enum ESENT_HOST_CRASH_MODE mode, uint64_t seed)
{
    JET_ERR err = JET_errSuccess;
    if (!os_memory_files_in_use())
        FAIL(JET_errFeatureNotAvailable);
    if ((unsigned)mode > ESENT_HOST_CRASH_PREFIX_TEAR)
        FAIL(JET_errInvalidParameter);
    EsentHostCrash();
    TRY(memory_file_system_crash(os_host.memory_files, mode, seed));
done:
    return err;
}

JET_ERR EsentHostTrackWrites(int sector_size)
{
    if (!os_memory_files_in_use())
        return JET_errFeatureNotAvailable;
    if (sector_size < 0 || (sector_size & (sector_size - 1)) != 0)
        return JET_errInvalidParameter;
    memory_file_system_track(os_host.memory_files, sector_size == 1 ? 512 : (uint32_t)sector_size);
    return JET_errSuccess;
}

int EsentHostCrashPointReached(void)
{
    return os_host.frozen != NULL;
}

/* ---- the world */

struct leak_report {
    char *text;
    size_t size;
    size_t at;
    size_t count;
};

#define REPORTED_MAX 20u

static void report_leak(struct leak_report *report, const char *kind, const char *name, size_t size)
{
    if (report->count++ >= REPORTED_MAX || report->text == NULL || report->at + 1 >= report->size)
        return;
    int written = snprintf(report->text + report->at, report->size - report->at, "%s %s (%zu bytes)\n", kind,
                           name, size);
    if (NEVER(written < 0))
        return;
    report->at +=
        (size_t)written < report->size - report->at ? (size_t)written : report->size - report->at - 1;
}

static void report_block(void *context, const void *block, size_t size, const char *site)
{
    (void)block;
    report_leak(context, "memory of", site, size);
}

static void report_file(void *context, const char *path)
{
    report_leak(context, "open file", path, 0);
}

size_t EsentHostReset(char *report, size_t size)
{
    struct leak_report leaks = {report, size, 0, 0};
    if (report != NULL && size > 0)
        report[0] = 0;
    os_executor_stop();
    if (os_memory_live_count() != 0)
        os_memory_visit(report_block, &leaks);
    os_file_visit_open(report_file, &leaks);
    os_host_die();
    memory_file_system_destroy(os_host.frozen);
    os_host.frozen = NULL;
    if (os_host.memory_files != NULL)
        memory_file_system_clear(os_host.memory_files);
    for (size_t i = 0; i < sizeof os_host.snapshots / sizeof os_host.snapshots[0]; i++) {
        memory_file_system_destroy(os_host.snapshots[i]);
        os_host.snapshots[i] = NULL;
    }
    os_fault_reset();
    if (os_host.simulated)
        os_scheduler_restart();
    if (os_host.simulated_clock)
        os_clock_rewind();
    os_random_host_rewind();
    return leaks.count;
}

void EsentHostVisitMemory(void (*visit)(void *context, const void *block, size_t size, const char *site),
                          void *context)
{
    os_memory_visit(visit, context);
}

void EsentHostGetCounters(struct ESENT_HOST_COUNTERS *counters)
{
    memset(counters, 0, sizeof *counters);
    counters->live_blocks = os_memory_live_count();
    counters->live_bytes = os_memory_live_bytes();
    counters->peak_bytes = os_memory_peak_bytes();
    os_file_counters(counters);
    if (os_host.simulated)
        os_scheduler_counters(counters);
}

/* ---- snapshots of the files in memory */

JET_ERR EsentHostFilesSave(uint32_t number)
{
    JET_ERR err = JET_errSuccess;
    if (!os_memory_files_in_use())
        FAIL(JET_errFeatureNotAvailable);
    if (number >= sizeof os_host.snapshots / sizeof os_host.snapshots[0])
        FAIL(JET_errInvalidParameter);
    struct memory_file_system *clone = memory_file_system_clone(os_host.memory_files);
    if (clone == NULL)
        FAIL(JET_errOutOfMemory);
    memory_file_system_destroy(os_host.snapshots[number]);
    os_host.snapshots[number] = clone;
done:
    return err;
}

JET_ERR EsentHostFilesRestore(uint32_t number)
{
    JET_ERR err = JET_errSuccess;
    if (!os_memory_files_in_use())
        FAIL(JET_errFeatureNotAvailable);
    TRY(check_changeable());
    if (number >= sizeof os_host.snapshots / sizeof os_host.snapshots[0] || os_host.snapshots[number] == NULL)
        FAIL(JET_errInvalidParameter);
    if (os_file_open_count() != 0)
        FAIL(JET_errFileAccessDenied);
    TRY(memory_file_system_rewind(os_host.memory_files, os_host.snapshots[number]));
done:
    return err;
}

JET_ERR EsentHostFilesSetCapacity(uint64_t bytes)
{
    if (!os_memory_files_in_use())
        return JET_errFeatureNotAvailable;
    memory_file_system_set_capacity(os_host.memory_files, bytes);
    return JET_errSuccess;
}

uint64_t EsentHostFilesHash(void)
{
    return os_memory_files_in_use() ? memory_file_system_hash(os_host.memory_files) : 0;
}
