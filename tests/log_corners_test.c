/* Corners of the log: switched off, not started, full disks and the reserve files, the last generation,
 * checkpoints too far behind; records cut into parts that do not fit together; segments where they do not
 * belong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "include/esent_host.h"
#include "src/log/log_internal.h"
#include "src/log/log_reader.h"
#include "src/os/thread.h"
#include "src/page/checksum.h"

#define LOG "/l/edb.log"
#define SECTORS 16u
#define OK(call) assert_int_equal((call), JET_errSuccess)
#define IS(call, code) assert_int_equal((call), (code))

static struct log *logs;
static struct log_settings settings;

static int set_up(void **state)
{
    const struct ESENT_HOST_SIMULATION simulation = {.seed = 1};
    (void)state;
    (void)EsentHostReset(NULL, 0);
    if (EsentHostUseMemoryFiles() != JET_errSuccess ||
        EsentHostUseSimulation(&simulation) != JET_errSuccess ||
        EsentHostDirectoryCreate("/l") != JET_errSuccess)
        return -1;
    settings = (struct log_settings){.log_directory = "/l/",
                                     .system_directory = "/l/",
                                     .base_name = "edb",
                                     .legacy_extensions = true,
                                     .eight_dot_three = true,
                                     .enabled = true,
                                     .file_size = SECTORS * LOG_SECTOR_SIZE,
                                     .page_size = 4096};
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    log_destroy(logs);
    logs = NULL;
    EsentHostFailNone();
    return EsentHostReset(NULL, 0) == 0 ? 0 : -1;
}

static void start(void)
{
    OK(log_create(&settings, &logs));
    OK(log_start_new(logs));
}

static bool exists(const char *path)
{
    struct ESENT_HOST_FILE_INFO info;
    return EsentHostFileInfo(path, &info) >= JET_errSuccess;
}

static JET_ERR append_type(uint8_t type, int32_t begin0)
{
    const struct log_piece piece = {&type, 1};
    struct log_position position;
    return log_append(logs, &piece, 1, 0, begin0, &position);
}

/* --- off, and not started --- */

static void a_log_that_is_off(void **state)
{
    (void)state;
    int32_t generation = 7;
    struct log_position position = {1, 1, 1};
    settings.enabled = false;
    start();
    assert_false(log_enabled(logs));
    OK(append_type(LOG_RECORD_NOP, 0));
    OK(log_append_record(logs, "", 1, &position));
    assert_true(log_position_is_null(position));
    OK(log_flush(logs, (struct log_position){0, 2, 1}));
    assert_true(log_is_durable(logs, (struct log_position){0, 2, 1}));
    OK(log_roll(logs, &generation));
    assert_int_equal(generation, 0);
    OK(log_state(logs));
    OK(log_update_checkpoint(logs, true));
    OK(log_stop(logs));
    assert_false(exists(LOG) || exists("/l/edb.chk"));
}

static void a_log_that_was_not_started(void **state)
{
    (void)state;
    int32_t generation;
    OK(log_create(&settings, &logs));
    IS(append_type(LOG_RECORD_NOP, 0), JET_errLogWriteFail);
    IS(log_force_new_generation(logs), JET_errLogWriteFail);
    IS(log_roll(logs, &generation), JET_errLogWriteFail);
    OK(log_flush(logs, (struct log_position){0, 2, 1}));
    OK(log_flush(logs, LOG_POSITION_MIN));
    assert_true(log_is_durable(logs, LOG_POSITION_MIN));
    assert_false(log_is_durable(logs, (struct log_position){0, 2, 1}));
    OK(log_update_checkpoint(logs, true));
    OK(log_stop(logs));
    OK(log_abandon(logs));
    assert_false(exists(LOG) || exists("/l/edb.chk"));
}

static void a_log_whose_service_is_stopped(void **state)
{
    (void)state;
    int32_t generation;
    start();
    OK(append_type(LOG_RECORD_NOP, 0));
    log_stop_service(logs);
    IS(append_type(LOG_RECORD_NOP, 0), JET_errLogWriteFail);
    IS(log_roll(logs, &generation), JET_errLogWriteFail);
    IS(log_state(logs), JET_errLogWriteFail);
    IS(log_flush_all(logs), JET_errLogWriteFail);
    OK(log_abandon(logs));
}

static void a_log_that_is_down(void **state)
{
    (void)state;
    int32_t generation;
    start();
    OK(append_type(LOG_RECORD_NOP, 0));
    EsentHostFailNth(ESENT_HOST_FAULT_WRITE, 1, 0);
    assert_true(log_flush_all(logs) < JET_errSuccess);
    EsentHostFailNone();
    IS(append_type(LOG_RECORD_NOP, 0), JET_errLogWriteFail);
    IS(log_roll(logs, &generation), JET_errLogWriteFail);
    IS(log_state(logs), JET_errLogWriteFail);
    IS(log_force_new_generation(logs), JET_errLogWriteFail);
    OK(log_update_checkpoint(logs, true)); /* nothing that was lost is passed */
    OK(log_abandon(logs));
}

static void what_records_cost(void **state)
{
    (void)state;
    start();
    const struct os_thread_costs before = os_thread_costs;
    for (int i = 0; i < 3; i++)
        OK(append_type(LOG_RECORD_NOP, 0));
    OK(log_append_record(logs, (const uint8_t[8]){LOG_RECORD_NOP}, 8, NULL));
    assert_int_equal(os_thread_costs.log_records - before.log_records, 4);
    assert_int_equal(os_thread_costs.log_bytes - before.log_bytes, 3 + 8);
    log_stop_service(logs);
    IS(append_type(LOG_RECORD_NOP, 0), JET_errLogWriteFail);
    assert_int_equal(os_thread_costs.log_records - before.log_records, 4);
    assert_int_equal(os_thread_costs.log_bytes - before.log_bytes, 3 + 8);
    OK(log_abandon(logs));
}

/* --- generations --- */

static void new_generations(void **state)
{
    (void)state;
    int32_t generation;
    start();
    OK(log_force_new_generation(logs));
    assert_int_equal(log_generation(logs), 2);
    OK(log_roll(logs, &generation));
    assert_int_equal(generation, 3);
    assert_true(exists("/l/edb00001.log") && exists("/l/edb00002.log") && !exists("/l/edb00003.log"));
    /* What cannot be written leaves the log down. */
    OK(append_type(LOG_RECORD_NOP, 0));
    EsentHostFailNth(ESENT_HOST_FAULT_NAME, 1, 0);
    IS(log_force_new_generation(logs), JET_errLogWriteFail);
    EsentHostFailNone();
    IS(log_state(logs), JET_errLogWriteFail);
    OK(log_abandon(logs));
}

/* A file's header as the next start finds it. */
static void change_header(const char *path, void (*change)(struct log_file_header *header))
{
    struct log_file_header header;
    size_t done;
    OK(EsentHostFileRead(path, 0, &header, sizeof header, &done));
    change(&header);
    checksum_header_set(&header, sizeof header);
    OK(EsentHostFileWrite(path, 0, &header, sizeof header));
}

static void to_the_last_generation(struct log_file_header *header)
{
    header->generation = 0x7FFFFA00 - 0x200;
}

static void of_a_later_version(struct log_file_header *header)
{
    header->update_major = LOG_VERSION_UPDATE_MAJOR + 1;
    header->update_minor = 77;
}

static void go_on(void)
{
    struct log_file_reader *reader;
    OK(log_file_open(LOG, &reader));
    OK(log_create(&settings, &logs));
    OK(log_start_existing(logs, reader));
    log_file_close(reader);
}

static void stop_and_change(void (*change)(struct log_file_header *header))
{
    start();
    OK(log_stop(logs));
    log_destroy(logs);
    change_header(LOG, change);
}

static void the_last_generation(void **state)
{
    (void)state;
    int32_t generation;
    stop_and_change(to_the_last_generation);
    go_on();
    OK(log_state(logs));
    IS(log_roll(logs, &generation), JET_errLogSequenceEnd);
    IS(log_state(logs), JET_errLogSequenceEnd);
    assert_int_equal(generation, 0x7FFFFA00 - 0x200);
    OK(log_abandon(logs));
}

/* Names have five digits as long as these do. */
static void to_the_last_short_name(struct log_file_header *header)
{
    header->generation = 0xFFFFF;
}

static void long_names(void **state)
{
    (void)state;
    int32_t generation;
    int32_t low, high;
    stop_and_change(to_the_last_short_name);
    go_on();
    OK(log_roll(logs, &generation));
    assert_true(exists("/l/edbFFFFF.log"));
    OK(log_roll(logs, &generation));
    assert_true(exists("/l/edb00100000.log"));
    OK(log_generation_range(logs, &low, &high));
    assert_int_equal(low, 0xFFFFF);
    assert_int_equal(high, 0x100000);
    OK(log_stop(logs));
    log_destroy(logs);
    /* A log of eight digits has none of five. */
    settings.eight_dot_three = false;
    OK(log_create(&settings, &logs));
    IS(log_generation_range(logs, &low, &high), JET_errLogGenerationMismatch);
}

static void a_later_version_stays(void **state)
{
    (void)state;
    int32_t generation;
    struct log_file_header header;
    size_t done;
    stop_and_change(of_a_later_version);
    struct log_file_reader *reader;
    JET_ERR err = log_file_open(LOG, &reader);
    if (err == JET_errBadLogVersion)
        return; /* one that this engine cannot read */
    OK(err);
    log_file_close(reader);
    go_on();
    OK(log_roll(logs, &generation));
    OK(EsentHostFileRead(LOG, 0, &header, sizeof header, &done));
    assert_int_equal(header.update_major, LOG_VERSION_UPDATE_MAJOR + 1);
    assert_int_equal(header.update_minor, 77);
    OK(log_abandon(logs));
}

/* --- names --- */

static void names_that_are_too_long(void **state)
{
    (void)state;
    char base[80];
    char folder[1100];
    memset(base, 'b', sizeof base);
    base[70] = 0;
    settings.base_name = base;
    IS(log_create(&settings, &logs), JET_errInvalidPath);
    settings.base_name = "edb";
    memset(folder, 'f', sizeof folder);
    folder[OS_PATH_SIZE - 10] = 0;
    settings.log_directory = folder; /* "/edb7FFFFFFF.log" does not fit */
    IS(log_create(&settings, &logs), JET_errInvalidPath);
    settings.log_directory = "/l/";
    settings.system_directory = folder;
    OK(log_create(&settings, &logs)); /* but "/edb.chk" does */
    log_destroy(logs);
    logs = NULL;
    folder[OS_PATH_SIZE - 10] = 'f';
    folder[OS_PATH_SIZE - 6] = 0;
    IS(log_create(&settings, &logs), JET_errInvalidPath);
    settings.enabled = false; /* nobody asks for names */
    OK(log_create(&settings, &logs));
}

/* --- full disks --- */

/* A reserve of the full size; with something in it, whoever left that. */
static void fill_reserve(const char *path)
{
    static uint8_t old[LOG_SECTOR_SIZE];
    struct ESENT_HOST_FILE_INFO info;
    OK(EsentHostFileInfo(path, &info));
    assert_int_equal(info.size, SECTORS * LOG_SECTOR_SIZE);
    memset(old, 'o', sizeof old);
    OK(EsentHostFileWrite(path, LOG_HEADER_SECTORS * LOG_SECTOR_SIZE, old, sizeof old));
}

static void reserves(void **state)
{
    (void)state;
    int32_t generation;
    struct log_file_reader *reader = NULL;
    settings.create_reserve_logs = true;
    start();
    OK(log_stop(logs));
    log_destroy(logs);
    assert_true(exists("/l/edbres00001.jrs"));
    OK(EsentHostFileDelete("/l/edbres00002.jrs"));
    go_on(); /* makes what is missing of them */
    fill_reserve("/l/edbres00001.jrs");
    fill_reserve("/l/edbres00002.jrs");
    OK(log_state(logs));
    /* No new file can be made: the reserves are taken, and it shows. */
    EsentHostFailNth(ESENT_HOST_FAULT_DISK_FULL, 1, 1);
    OK(log_roll(logs, &generation));
    assert_int_equal(exists("/l/edbres00001.jrs") + exists("/l/edbres00002.jrs"), 1);
    struct log_file_header header;
    size_t done;
    OK(EsentHostFileRead(LOG, 0, &header, sizeof header, &done));
    assert_true((header.flags & LOG_FLAG_RESERVE_USED) != 0);
    OK(log_file_open(LOG, &reader));
    assert_false(log_file_reader_end(reader)->corrupt);
    assert_int_equal(log_file_reader_end(reader)->end.sector, LOG_HEADER_SECTORS);
    log_file_close(reader);
    EsentHostFailNth(ESENT_HOST_FAULT_DISK_FULL, 1, 0);
    IS(log_state(logs), JET_errLogDiskFull);
    EsentHostFailNone();
    /* There is space again. */
    OK(log_state(logs));
    assert_true(exists("/l/edbres00001.jrs") && exists("/l/edbres00002.jrs"));
    /* One that cannot be made for another reason is no full disk. */
    OK(EsentHostFileDelete("/l/edbres00001.jrs"));
    EsentHostFailNth(ESENT_HOST_FAULT_OPEN, 1, 0);
    log_create_reserves(logs);
    EsentHostFailNone();
    assert_false(exists("/l/edbres00001.jrs"));
    OK(log_state(logs));
    OK(log_stop(logs));
}

/* One that cannot be deleted ends it: what is left has no gap. */
static void deletions_that_fail(void **state)
{
    static const char *const paths[] = {"/l/edb00001.log", "/l/edb00002.log", "/l/edb00003.log",
                                        "/l/edb00004.log"};
    int32_t generation;
    (void)state;
    start();
    for (int i = 0; i < 4; i++)
        OK(log_roll(logs, &generation));
    for (uint64_t nth = 1; nth <= 3; nth++) {
        EsentHostFailNth(ESENT_HOST_FAULT_NAME, nth, 1);
        IS(log_delete_generations(logs, 1, 5), JET_errFileAccessDenied);
        EsentHostFailNone();
        for (size_t i = 0; i < 4; i++)
            assert_int_equal(exists(paths[i]), i + 1 >= nth);
    }
    OK(log_delete_generations(logs, 1, 5)); /* the first two are not there any more */
    assert_false(exists(paths[3]));
    OK(log_stop(logs));
}

/* Each step that a file's making from a reserve takes fails once. */
static void reserves_that_fail(void **state)
{
    (void)state;
    int32_t generation;
    settings.create_reserve_logs = true;
    for (uint64_t nth = 2; nth < 8; nth++) {
        assert_int_equal(set_up(NULL), 0);
        settings.create_reserve_logs = true;
        start();
        OK(log_stop(logs));
        log_destroy(logs);
        go_on();
        EsentHostFailNth(ESENT_HOST_FAULT_DISK_FULL, 1, 1);
        EsentHostFailNth(ESENT_HOST_FAULT_IO, nth, 1);
        const JET_ERR err = log_roll(logs, &generation);
        EsentHostFailNone();
        assert_true(err == JET_errSuccess || err == JET_errLogWriteFail || err == JET_errLogDiskFull);
        if (err < JET_errSuccess)
            IS(log_state(logs), JET_errLogWriteFail);
        OK(log_abandon(logs));
        log_destroy(logs);
        logs = NULL;
    }
    assert_int_equal(set_up(NULL), 0);
    start();
    EsentHostFailNth(ESENT_HOST_FAULT_DISK_FULL, 1, 0);
    IS(log_roll(logs, &generation), JET_errLogDiskFull); /* there are none */
    EsentHostFailNone();
    OK(log_abandon(logs));
}

/* --- checkpoints too far behind --- */

#define LIMIT 1024

static void at_generation(int32_t generation)
{
    logs->header.generation = generation;
}

static void a_checkpoint_too_far_behind(void **state)
{
    (void)state;
    static const uint8_t ends[] = {LOG_RECORD_SHUTDOWN_MARK,  LOG_RECORD_COMMIT0,
                                   LOG_RECORD_ROLLBACK,       LOG_RECORD_UNDO,
                                   LOG_RECORD_UNDO_INFO,      LOG_RECORD_TERM2,
                                   LOG_RECORD_TRACE,          LOG_RECORD_RECOVERY_UNDO2,
                                   LOG_RECORD_RECOVERY_QUIT2, LOG_RECORD_RECOVERY_QUIT_KEEP_ATTACHMENTS,
                                   LOG_RECORD_MACRO_ABORT,    LOG_RECORD_DETACH_DATABASE,
                                   LOG_RECORD_FORCE_ROLLOVER};
    settings.checkpoint_too_deep = LIMIT;
    start();
    OK(log_flush_all(logs));
    log_set_checkpoint(logs, (struct log_position){0, 1, 1});
    at_generation(100);
    OK(append_type(LOG_RECORD_NOP, 0));
    OK(append_type(LOG_RECORD_NOP, 90));
    /* A transaction that is older than half of the limit; one that ends may. */
    at_generation(700);
    OK(append_type(LOG_RECORD_NOP, 690));
    IS(append_type(LOG_RECORD_NOP, 100), JET_errTransactionTooLong);
    for (size_t i = 0; i < sizeof ends; i++)
        OK(append_type(ends[i], 100));
    /* Near the limit, nothing but ends; nearer, nothing. */
    at_generation(LIMIT - 12 + 1);
    IS(append_type(LOG_RECORD_NOP, 0), JET_errCheckpointDepthTooDeep);
    OK(append_type(LOG_RECORD_COMMIT0, 0));
    at_generation(LIMIT + 1);
    IS(append_type(LOG_RECORD_NOP, 0), JET_errCheckpointDepthTooDeep);
    IS(append_type(LOG_RECORD_SHUTDOWN_MARK, 0), JET_errCheckpointDepthTooDeep);
    OK(append_type(LOG_RECORD_INIT2, 0)); /* a start is no one's fault */
    /* No checkpoint, no limit. */
    log_set_checkpoint(logs, (struct log_position){0, 0, 0});
    OK(append_type(LOG_RECORD_NOP, 0));
    logs->header.generation = 1;
    OK(log_abandon(logs));
}

/* --- two threads --- */

static JET_ERR slow_attachments(void *context, struct log_position position,
                                uint8_t list[LOG_ATTACHMENTS_SIZE])
{
    (void)position;
    (void)list;
    for (int i = 0; i < 10; i++)
        EsentHostYield();
    ++*(int *)context;
    return JET_errSuccess;
}

static void moves_checkpoint(void *unused)
{
    (void)unused;
    OK(log_update_checkpoint(logs, true));
}

/* Callbacks change when nobody uses them. */
static void callbacks_wait_for_a_checkpoint(void **state)
{
    (void)state;
    int calls = 0;
    struct log_callbacks callbacks = {&calls, slow_attachments, NULL, NULL};
    struct ESENT_HOST_THREAD *thread;
    start();
    log_set_callbacks(logs, &callbacks);
    OK(EsentHostThreadStart(moves_checkpoint, NULL, &thread));
    EsentHostYield();
    const struct log_callbacks none = {NULL, NULL, NULL, NULL};
    log_set_callbacks(logs, &none);
    assert_int_equal(calls, 1);
    EsentHostThreadJoin(thread);
    OK(log_abandon(logs));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_log_that_is_off),
        TEST(a_log_that_was_not_started),
        TEST(a_log_whose_service_is_stopped),
        TEST(a_log_that_is_down),
        TEST(what_records_cost),
        TEST(new_generations),
        TEST(the_last_generation),
        TEST(long_names),
        TEST(a_later_version_stays),
        TEST(names_that_are_too_long),
        TEST(reserves),
        TEST(reserves_that_fail),
        TEST(deletions_that_fail),
        TEST(a_checkpoint_too_far_behind),
        TEST(callbacks_wait_for_a_checkpoint),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
