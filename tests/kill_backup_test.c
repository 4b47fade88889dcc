/* Crashes of the machine while backups are made and restored: recovery loses no row, a backup that was said
 * to be good is good, one that was cut short gives the rows of some moment or an error, and a restore that
 * was cut short can be done again. Streams and directories, full, atomic and incremental, with and without
 * circular logging. CRASH_ROUNDS says how many seeds (default 40), CRASH_SEED the first. */
#if !defined(_GNU_SOURCE)
#define _GNU_SOURCE 1
#endif

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "include/esent_host.h"
#include "tests/kill_workload.h"

#define PATH "/w/w.edb"
#define CHUNK (1u << 18)
#define FILES_MAX 64

/* ---- a backup that was streamed: it lies with the program, where no crash reaches it */

struct streamed {
    struct {
        char path[64];
        uint8_t *bytes;
        size_t size;
    } files[FILES_MAX]; /* the database first */
    uint32_t count;
};

static void streamed_clear(struct streamed *streamed)
{
    for (uint32_t i = 0; i < streamed->count; i++)
        free(streamed->files[i].bytes);
    streamed->count = 0;
}

static void streamed_add(struct streamed *streamed, const char *path, const uint8_t *bytes, size_t size)
{
    assert_true(streamed->count < FILES_MAX);
    uint32_t i = streamed->count++;
    snprintf(streamed->files[i].path, sizeof streamed->files[i].path, "%s", path);
    streamed->files[i].bytes = malloc(size);
    assert_non_null(streamed->files[i].bytes);
    memcpy(streamed->files[i].bytes, bytes, size);
    streamed->files[i].size = size;
}

static void streamed_append(struct streamed *streamed, const struct streamed *more)
{
    for (uint32_t i = 0; i < more->count; i++)
        streamed_add(streamed, more->files[i].path, more->files[i].bytes, more->files[i].size);
}

/* ---- the world */

enum kind { STREAMED, DIRECTORY, ATOMIC, SNAPSHOT, KINDS };
static const char *const kind_names[] = {"streamed", "directory", "atomic", "snapshot"};

/* What is known of the backups of a kind. */
struct known {
    bool good;             /* the last one that was not cut short is there, whole */
    bool touched;          /* one was cut short since: it may be there instead, or be half there */
    bool logs_follow;      /* no logs were deleted since, that it would need to go forward */
    struct workload state; /* the rows it has */
    struct workload full;  /* the rows that the full backup at its beginning has */
};

struct world {
    uint64_t seed;
    uint64_t random;
    uint32_t page_size;
    enum ESENT_HOST_CRASH_MODE mode;
    bool circular;
    struct workload workload;
    struct known known[KINDS];
    struct streamed streamed;
    uint32_t snapshot; /* the number of the disk that was kept */
    struct workload_engine engine;
    const char *doing;
};

static struct world world;
static uint8_t *chunk;
static uint32_t backups, cut_short, restores, restores_cut_short;

#define FAIL_SEED(format, ...)                                                                               \
    fail_msg("seed %llu, %s: " format, (unsigned long long)world.seed, world.doing, __VA_ARGS__)

static uint32_t below(uint32_t limit)
{
    return workload_random(&world.random, limit);
}

static void set_process_parameters(void)
{
    assert_int_equal(JetSetSystemParameterA(NULL, 0, JET_paramDatabasePageSize, world.page_size, NULL), 0);
    assert_int_equal(JetSetSystemParameterA(NULL, 0, JET_paramCircularLog, world.circular, NULL), 0);
}

static void new_world(uint64_t seed)
{
    struct ESENT_HOST_SIMULATION simulation = {.seed = seed};
    static const uint32_t sizes[] = {4096, 8192, 32768};
    streamed_clear(&world.streamed);
    memset(&world, 0, sizeof world);
    world.seed = world.workload.seed = seed;
    world.random = seed * 99 + 7;
    world.page_size = sizes[seed % 3];
    world.circular = seed / 3 % 3 == 0;
    for (enum kind kind = 0; kind < KINDS; kind++)
        world.known[kind].state.seed = world.known[kind].full.seed = seed;
    world.mode = (enum ESENT_HOST_CRASH_MODE)(seed / 9 % 5);
    world.doing = "beginning";
    assert_int_equal(EsentHostReset(NULL, 0), 0);
    assert_int_equal(EsentHostUseSimulation(&simulation), JET_errSuccess);
    assert_int_equal(EsentHostDirectoryCreate("/w"), JET_errSuccess);
    assert_int_equal(EsentHostDirectoryCreate("/b1"), JET_errSuccess);
    assert_int_equal(EsentHostDirectoryCreate("/b2"), JET_errSuccess);
    assert_int_equal(EsentHostTrackWrites((int)world.page_size), JET_errSuccess);
    set_process_parameters();
}

static JET_ERR start(bool fresh)
{
    memset(&world.engine, 0, sizeof world.engine);
    JET_ERR err = workload_init(&world.engine, "/w/");
    if (err >= JET_errSuccess)
        err = fresh ? workload_create(&world.engine, PATH) : workload_open(&world.engine, PATH);
    return err;
}

static void start_well(bool fresh)
{
    JET_ERR err = start(fresh);
    if (err < JET_errSuccess)
        FAIL_SEED("%s answered %d", world.engine.failed, err);
}

static void end_well(void)
{
    JET_ERR err = JetTerm2(world.engine.instance, JET_bitTermComplete);
    if (err < JET_errSuccess)
        FAIL_SEED("the end answered %d", err);
}

static void crash(void)
{
    EsentHostFailNone();
    assert_int_equal(EsentHostMachineCrash(world.mode, world.seed * 31 + below(1000000)), JET_errSuccess);
    set_process_parameters();
}

/* What the program itself did to names is durable from here on. */
static void settle_names(void)
{
    assert_int_equal(EsentHostFileWrite("/settled", 0, "", 1), JET_errSuccess);
}

/* ---- making backups */

static JET_ERR stream_file(struct streamed *streamed, const char *path)
{
    JET_HANDLE handle;
    uint32_t low, high, got = 0;
    uint8_t *bytes = NULL;
    size_t size = 0;
    JET_ERR err = JetOpenFileInstanceA(world.engine.instance, path, &handle, &low, &high);
    if (err < JET_errSuccess)
        return err;
    while ((err = JetReadFileInstance(world.engine.instance, handle, chunk, CHUNK, &got)) >= JET_errSuccess &&
           got > 0) {
        bytes = realloc(bytes, size + got);
        assert_non_null(bytes);
        memcpy(bytes + size, chunk, got);
        size += got;
    }
    JET_ERR closed = JetCloseFileInstance(world.engine.instance, handle);
    if (err >= JET_errSuccess && closed >= JET_errSuccess)
        streamed_add(streamed, path, bytes, size);
    free(bytes);
    return err < JET_errSuccess ? err : closed;
}

static JET_ERR stream_files(struct streamed *streamed, bool incremental)
{
    static char list[8192];
    JET_ERR err = incremental ? JET_errSuccess : stream_file(streamed, PATH);
    if (err >= JET_errSuccess)
        err = JetGetLogInfoInstanceA(world.engine.instance, list, sizeof list, NULL);
    for (const char *name = list; err >= JET_errSuccess && *name != 0; name += strlen(name) + 1)
        err = stream_file(streamed, name);
    if (err >= JET_errSuccess)
        err = JetTruncateLogInstance(world.engine.instance);
    return err;
}

static JET_ERR stream(bool incremental)
{
    struct streamed made = {.count = 0};
    JET_ERR err =
        JetBeginExternalBackupInstance(world.engine.instance, incremental ? JET_bitBackupIncremental : 0);
    if (err < JET_errSuccess)
        return err;
    err = stream_files(&made, incremental);
    JET_ERR end = JetEndExternalBackupInstance2(
        world.engine.instance, err < JET_errSuccess ? JET_bitBackupEndAbort : JET_bitBackupEndNormal);
    err = err < JET_errSuccess ? err : end;
    if (err >= JET_errSuccess && !EsentHostCrashPointReached()) {
        if (!incremental)
            streamed_clear(&world.streamed);
        streamed_append(&world.streamed, &made);
    }
    streamed_clear(&made);
    return err;
}

/* What the storage keeps while the instance is frozen: the whole disk. */
static JET_ERR take_snapshot(void)
{
    JET_OSSNAPID id;
    uint32_t count = 0;
    JET_INSTANCE_INFO_A *info = NULL;
    JET_ERR err = JetOSSnapshotPrepare(&id, 0);
    if (err >= JET_errSuccess)
        err = JetOSSnapshotFreezeA(id, &count, &info, 0);
    if (err < JET_errSuccess)
        return err;
    (void)JetFreeBuffer((char *)info);
    if (!EsentHostCrashPointReached()) {
        world.snapshot = world.snapshot == 3 ? 4 : 3;
        assert_int_equal(EsentHostFilesSave(world.snapshot), JET_errSuccess);
        world.known[SNAPSHOT] = (struct known){true, false, false, world.workload, world.workload};
    }
    return JetOSSnapshotThaw(id, 0);
}

static JET_ERR back_up(enum kind kind, bool incremental)
{
    uint32_t bits = (incremental ? JET_bitBackupIncremental : 0) | (kind == ATOMIC ? JET_bitBackupAtomic : 0);
    if (kind == STREAMED)
        return stream(incremental);
    if (kind == SNAPSHOT)
        return take_snapshot();
    return JetBackupInstanceA(world.engine.instance, kind == ATOMIC ? "/b2" : "/b1", bits, NULL);
}

/* One backup of any kind. An incremental one needs a full one of its kind, the last of all full ones. */
static enum kind last_full = KINDS;

static void back_up_somehow(void)
{
    enum kind kind = (enum kind)below(KINDS);
    struct known *known = &world.known[kind];
    bool incremental = kind < ATOMIC && !world.circular && known->good && last_full == kind && below(2) == 0;
    world.doing = incremental ? "an incremental backup" : kind_names[kind];
    if (kind == DIRECTORY && !incremental) {
        known->good = false; /* the directory must be empty */
        known->touched = true;
        known->state = known->full = (struct workload){.seed = world.seed};
        assert_int_equal(EsentHostDirectoryDelete("/b1"), JET_errSuccess);
        assert_int_equal(EsentHostDirectoryCreate("/b1"), JET_errSuccess);
        settle_names();
    }
    JET_ERR err = back_up(kind, incremental);
    for (enum kind other = 0; other < KINDS; other++) {
        if (other != kind && kind != SNAPSHOT)
            world.known[other].logs_follow = false;
    }
    if (EsentHostCrashPointReached()) {
        cut_short++;
        if (kind == DIRECTORY || kind == ATOMIC)
            known->touched = true;
        known->logs_follow = false;
        if (!incremental)
            last_full = KINDS; /* it may have been the last, or not */
        return;
    }
    if (err < JET_errSuccess)
        FAIL_SEED("answered %d", err);
    backups++;
    if (kind == SNAPSHOT) {
        last_full = KINDS; /* no increment of another kind goes on from it */
        return;
    }
    *known = (struct known){true, false, true, world.workload, incremental ? known->full : world.workload};
    if (!incremental)
        last_full = kind;
}

/* ---- looking */

/* The rows are those of a moment from `*state` on, at most `most` transactions in all. */
static bool has_rows(struct workload *state, uint32_t most, char *why, size_t size)
{
    for (;;) {
        if (workload_matches(&world.engine, state, why, size))
            return true;
        if (state->done >= most)
            return false;
        workload_advance(state);
    }
}

static void check_database(void)
{
    JET_ERR err = EsentHostCheckDatabase(PATH, NULL, NULL);
    if (err != JET_errSuccess)
        FAIL_SEED("the checker answered %d", err);
}

/* ---- restoring */

static JET_ERR restore_streamed(void)
{
    char name[80];
    JET_RSTMAP_A map = {.szDatabaseName = (char *)(uintptr_t)PATH,
                        .szNewDatabaseName = (char *)(uintptr_t)PATH};
    JET_LOGINFO_A info = {.cbSize = sizeof info, .szBaseName = "edb"};
    assert_int_equal(EsentHostDirectoryDelete("/x"), JET_errSuccess);
    assert_int_equal(EsentHostDirectoryCreate("/x"), JET_errSuccess);
    for (uint32_t i = 0; i < world.streamed.count; i++) {
        const char *path = world.streamed.files[i].path;
        const char *base = strrchr(path, '/') + 1;
        snprintf(name, sizeof name, i == 0 ? PATH : "/x/%s", base);
        if (i == 0)
            (void)EsentHostFileDelete(name);
        uint32_t generation = (uint32_t)strtoul(base + 3, NULL, 16);
        if (i > 0 && (info.ulGenLow == 0 || generation < info.ulGenLow))
            info.ulGenLow = generation;
        if (i > 0 && generation > info.ulGenHigh)
            info.ulGenHigh = generation;
        assert_int_equal(
            EsentHostFileWrite(name, 0, world.streamed.files[i].bytes, world.streamed.files[i].size),
            JET_errSuccess);
    }
    return JetExternalRestore2A((char *)(uintptr_t) "/w/", (char *)(uintptr_t) "/w/", &map, 1,
                                (char *)(uintptr_t) "/x/", &info, NULL, NULL, NULL, NULL);
}

static JET_ERR restore(enum kind kind)
{
    if (kind == STREAMED)
        return restore_streamed();
    if (kind == SNAPSHOT)
        return EsentHostFilesRestore(world.snapshot);
    memset(&world.engine, 0, sizeof world.engine);
    return workload_restore(&world.engine, "/w/", kind == ATOMIC ? "/b2" : "/b1");
}

/* What a restore that was cut short leaves: a start says no, or finds the rows as they were when the database
 * was closed, at one time or another since the full backup. */
static void look_at_what_is_left(enum kind kind, bool forward, uint32_t most)
{
    char why[256] = "";
    struct workload state = world.known[kind].full;
    assert_int_equal(EsentHostFilesSave(2), JET_errSuccess);
    world.doing = "what a restore that was cut short left";
    if (start(false) >= JET_errSuccess && !has_rows(&state, most, why, sizeof why))
        FAIL_SEED("%s (%s): %s", kind_names[kind], forward ? "forward" : "alone", why);
    EsentHostCrash();
    set_process_parameters();
    assert_int_equal(EsentHostFilesRestore(2), JET_errSuccess);
}

/* Restores with the logs that are there (`forward`) or into an empty directory, and compares. */
static void restore_and_look(enum kind kind, bool forward)
{
    struct known *known = &world.known[kind];
    char why[256] = "";
    /* Where logs are missing in between, all ends with the backup. */
    struct workload state = forward && known->logs_follow ? world.workload : known->state;
    uint32_t most = forward || known->touched ? world.workload.done : known->state.done;
    bool sure = known->good && (kind != DIRECTORY || !known->touched) && (!forward || known->logs_follow);
    assert_int_equal(EsentHostFilesSave(1), JET_errSuccess);
    if (!forward) {
        assert_int_equal(EsentHostDirectoryDelete("/w"), JET_errSuccess);
        assert_int_equal(EsentHostDirectoryCreate("/w"), JET_errSuccess);
        settle_names();
    }
    for (uint32_t times = below(3); times > 0; times--) {
        world.doing = "a restore that is cut short";
        EsentHostFailNth(ESENT_HOST_FAULT_CRASH, 1 + below(100), 1);
        JET_ERR err = restore(kind);
        if (err < JET_errSuccess && sure && !EsentHostCrashPointReached())
            FAIL_SEED("%s (%s) answered %d", kind_names[kind], forward ? "forward" : "alone", err);
        crash();
        restores_cut_short++;
        look_at_what_is_left(kind, forward, most);
    }
    world.doing = "a restore";
    JET_ERR err = restore(kind);
    if (err < JET_errSuccess && sure)
        FAIL_SEED("%s (%s) answered %d", kind_names[kind], forward ? "forward" : "alone", err);
    if (err < JET_errSuccess)
        EsentHostCrash();
    else
        restores++;
    set_process_parameters();
    if (err >= JET_errSuccess) {
        start_well(false);
        if (!has_rows(&state, most, why, sizeof why))
            FAIL_SEED("%s (%s): %s", kind_names[kind], forward ? "forward" : "alone", why);
        end_well();
        check_database();
    }
    assert_int_equal(EsentHostFilesRestore(1), JET_errSuccess);
}

/* ---- lives */

static void live(void)
{
    EsentHostFailNth(ESENT_HOST_FAULT_CRASH, 1 + below(below(2) == 0 ? 700 : 150), 1);
    for (uint32_t actions = 1 + below(8); actions > 0; actions--) {
        world.doing = "work";
        for (uint32_t i = below(12); i > 0; i--) {
            struct workload before = world.workload;
            JET_ERR err = workload_run(&world.engine, &world.workload);
            if (EsentHostCrashPointReached()) {
                world.workload = before;
                return;
            }
            if (err < JET_errSuccess)
                FAIL_SEED("%s answered %d", world.engine.failed, err);
        }
        back_up_somehow();
        if (EsentHostCrashPointReached())
            return;
    }
}

static void one_seed(uint64_t seed)
{
    char why[256] = "";
    new_world(seed);
    last_full = KINDS;
    start_well(true);
    for (uint32_t lives = 3; lives > 0; lives--) {
        live();
        crash();
        for (uint32_t again = below(3); again > 0; again--) {
            EsentHostFailNth(ESENT_HOST_FAULT_CRASH, 1 + below(60), 1);
            if (start(false) >= JET_errSuccess && !EsentHostCrashPointReached())
                (void)JetTerm2(world.engine.instance, JET_bitTermComplete);
            crash();
        }
        world.doing = "recovery";
        start_well(false);
        if (!has_rows(&world.workload, world.workload.done + 1, why, sizeof why))
            FAIL_SEED("%s", why);
        end_well();
        check_database();
        for (enum kind kind = 0; kind < KINDS; kind++) {
            if (world.known[kind].good || world.known[kind].touched) {
                restore_and_look(kind, false);
                if (!world.circular && kind != SNAPSHOT)
                    restore_and_look(kind, true);
            }
        }
        start_well(false);
    }
    EsentHostCrash();
}

static void machines_crash_during_backups(void **state)
{
    (void)state;
    const char *rounds = getenv("CRASH_ROUNDS");
    const char *first = getenv("CRASH_SEED");
    uint64_t from = first != NULL ? strtoull(first, NULL, 10) : 0;
    uint64_t count = rounds != NULL ? strtoull(rounds, NULL, 10) : 40;
    for (uint64_t i = 0; i < count; i++)
        one_seed(from + i);
    print_message("%llu seeds, %u backups, %u cut short, %u restores, %u cut short\n",
                  (unsigned long long)count, backups, cut_short, restores, restores_cut_short);
}

static int use_memory(void **state)
{
    (void)state;
    chunk = aligned_alloc(4096, CHUNK);
    return chunk == NULL ? -1 : EsentHostUseMemoryFiles();
}

static int end_world(void **state)
{
    (void)state;
    streamed_clear(&world.streamed);
    free(chunk);
    return (int)EsentHostReset(NULL, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(machines_crash_during_backups)};
    return cmocka_run_group_tests(tests, use_memory, end_world);
}
