/* The log: records written and read back, segments, fragments, generations, torn and damaged files, a full
 * disk, faults. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "include/esent_host.h"
#include "src/log/log.h"
#include "src/log/log_reader.h"
#include "src/os/file.h"
#include "src/os/memory.h"
#include "src/os/path.h"

#define FILE_SIZE (16 * LOG_SECTOR_SIZE)

static struct log *logs;

static void create_log_sized(uint32_t size, bool circular, bool reserves)
{
    struct log_settings settings;
    memset(&settings, 0, sizeof(settings));
    settings.log_directory = "/l/";
    settings.system_directory = "/l/";
    settings.base_name = "edb";
    settings.legacy_extensions = true;
    settings.enabled = true;
    settings.circular = circular;
    settings.create_reserve_logs = reserves;
    settings.file_size = size;
    settings.page_size = 4096;
    assert_int_equal(log_create(&settings, &logs), JET_errSuccess);
}

static void create_log(void)
{
    create_log_sized(FILE_SIZE, false, false);
}

static int set_up(void **state)
{
    (void)state;
    if (EsentHostUseMemoryFiles() != JET_errSuccess)
        return -1;
    (void)EsentHostDirectoryDelete("/l");
    return EsentHostDirectoryCreate("/l");
}

static int tear_down(void **state)
{
    (void)state;
    log_destroy(logs);
    logs = NULL;
    EsentHostFailNone();
    size_t live = os_memory_live_count();
    (void)EsentHostUsePosixFiles();
    return live == 0 ? 0 : -1;
}

/* A trace record whose content says its number and size. */
static JET_ERR append_trace(unsigned number, size_t size, struct log_position *position)
{
    uint8_t *bytes = malloc(sizeof(struct log_record_trace) + size);
    struct log_record_trace *record = (void *)bytes;
    record->type = LOG_RECORD_TRACE;
    record->process_id = (uint16_t)number;
    record->size = (uint16_t)size;
    for (size_t i = 0; i < size; i++)
        record->data[i] = (uint8_t)(number * 31 + i);
    /* In pieces, as callers do. */
    struct log_piece pieces[] = {{bytes, sizeof(*record)},
                                 {record->data, size / 3},
                                 {NULL, 0},
                                 {record->data + size / 3, size - size / 3}};
    JET_ERR err = log_append(logs, pieces, 4, 0, 0, position);
    free(bytes);
    return err;
}

static void check_trace(const struct log_record_header *header, size_t size, unsigned number, size_t expected)
{
    const struct log_record_trace *record = (const void *)header;
    assert_int_equal(header->type, LOG_RECORD_TRACE);
    assert_int_equal(size, sizeof(*record) + expected);
    assert_int_equal(record->process_id, (uint16_t)number);
    for (size_t i = 0; i < expected; i++)
        assert_int_equal(record->data[i], (uint8_t)(number * 31 + i));
}

/* Reads traces [first, ...) of one file whose sizes `size_of` tells; returns the number behind the last. */
static unsigned read_file(const char *path, unsigned first, size_t (*size_of)(unsigned),
                          const struct log_position *at)
{
    struct log_file_reader *reader = NULL;
    const struct log_record_header *record;
    size_t size;
    struct log_position position;
    assert_int_equal(log_file_open(path, &reader), JET_errSuccess);
    assert_false(log_file_reader_end(reader)->corrupt);
    assert_int_equal(log_file_seek(reader, LOG_POSITION_MIN), JET_errSuccess);
    JET_ERR err;
    while ((err = log_file_next(reader, &record, &size, &position)) == JET_errSuccess) {
        if (record->type == LOG_RECORD_NOP2)
            continue;
        check_trace(record, size, first, size_of(first));
        if (at != NULL)
            assert_int_equal(log_position_compare(position, at[first]), 0);
        first++;
    }
    assert_int_equal(err, LOG_NO_MORE_RECORDS);
    log_file_close(reader);
    return first;
}

static size_t mixed_sizes(unsigned number)
{
    static const size_t sizes[] = {1, 100, 4000, 0, 4049, 4056, 9000, 30, 3, 20000, 17, 4096};
    return sizes[number % 12];
}

static size_t small_size(unsigned number)
{
    return number % 7;
}

static void records_come_back_across_segments_and_files(void **state)
{
    enum { COUNT = 200 };
    struct log_position at[COUNT];
    char path[OS_PATH_SIZE];
    (void)state;
    create_log();
    assert_int_equal(log_start_new(logs), JET_errSuccess);
    for (unsigned i = 0; i < COUNT; i++) {
        assert_int_equal(append_trace(i, mixed_sizes(i), &at[i]), JET_errSuccess);
        if (i > 0)
            assert_true(log_position_compare(at[i - 1], at[i]) < 0);
        if (i % 5 == 0) {
            assert_int_equal(log_flush(logs, at[i]), JET_errSuccess);
            assert_true(log_is_durable(logs, at[i]));
        }
    }
    int32_t last = log_generation(logs);
    assert_true(last > 3);
    assert_int_equal(log_stop(logs), JET_errSuccess);
    unsigned next = 0;
    for (int32_t generation = 1; generation <= last; generation++) {
        log_path(logs, generation == last ? 0 : generation, path);
        next = read_file(path, next, mixed_sizes, NULL);
    }
    assert_int_equal(next, COUNT);
}

static void positions_are_those_of_the_reader(void **state)
{
    enum { COUNT = 400 };
    struct log_position at[COUNT];
    (void)state;
    create_log();
    assert_int_equal(log_start_new(logs), JET_errSuccess);
    for (unsigned i = 0; i < COUNT; i++)
        assert_int_equal(append_trace(i, small_size(i), &at[i]), JET_errSuccess);
    assert_int_equal(log_flush_all(logs), JET_errSuccess);
    assert_int_equal(read_file("/l/edb.log", 0, small_size, at), COUNT);

    struct log_file_reader *reader = NULL;
    const struct log_record_header *record;
    size_t size;
    struct log_position position;
    assert_int_equal(log_file_open("/l/edb.log", &reader), JET_errSuccess);
    for (unsigned i = 0; i < COUNT; i += 37) {
        assert_int_equal(log_file_seek(reader, at[i]), JET_errSuccess);
        assert_int_equal(log_file_next(reader, &record, &size, &position), JET_errSuccess);
        check_trace(record, size, i, small_size(i));
    }
    log_file_close(reader);
}

static void generations_are_chained(void **state)
{
    int32_t generation = 0;
    struct log_file_header first;
    struct log_file_header second;
    struct log_file_reader *reader = NULL;
    (void)state;
    create_log();
    assert_int_equal(log_start_new(logs), JET_errSuccess);
    assert_int_equal(append_trace(1, 5000, NULL), JET_errSuccess);
    assert_int_equal(log_roll(logs, &generation), JET_errSuccess);
    assert_int_equal(generation, 2);
    assert_int_equal(log_file_header_read("/l/edb00000001.log", &first), JET_errSuccess);
    assert_int_equal(log_file_header_read("/l/edb.log", &second), JET_errSuccess);
    assert_int_equal(first.generation, 1);
    assert_int_equal(second.generation, 2);
    assert_memory_equal(&first.created, &second.previous_created, sizeof(first.created));
    /* Made within one tick of the clock, and yet not the same. */
    assert_memory_not_equal(&first.created, &second.created, sizeof(first.created));
    assert_memory_equal(&first.log_signature, &second.log_signature, sizeof(first.log_signature));
    assert_int_equal(log_file_open("/l/edb00000001.log", &reader), JET_errSuccess);
    assert_true(log_file_reader_end(reader)->segments_checksum == second.previous_segments_checksum);
    log_file_close(reader);
}

static void a_log_goes_on_where_it_ended(void **state)
{
    struct log_file_reader *reader = NULL;
    (void)state;
    create_log();
    assert_int_equal(log_start_new(logs), JET_errSuccess);
    for (unsigned i = 0; i < 50; i++)
        assert_int_equal(append_trace(i, small_size(i), NULL), JET_errSuccess);
    assert_int_equal(log_stop(logs), JET_errSuccess);
    log_destroy(logs);
    create_log();
    assert_int_equal(log_file_open("/l/edb.log", &reader), JET_errSuccess);
    assert_int_equal(log_start_existing(logs, reader), JET_errSuccess);
    log_file_close(reader);
    for (unsigned i = 50; i < 99; i++)
        assert_int_equal(append_trace(i, small_size(i), NULL), JET_errSuccess);
    assert_int_equal(log_stop(logs), JET_errSuccess);
    assert_int_equal(read_file("/l/edb.log", 0, small_size, NULL), 99);
}

static void unflushed_records_are_lost_and_flushed_ones_are_not(void **state)
{
    struct log_position position;
    (void)state;
    create_log();
    assert_int_equal(log_start_new(logs), JET_errSuccess);
    for (unsigned i = 0; i < 20; i++)
        assert_int_equal(append_trace(i, small_size(i), &position), JET_errSuccess);
    assert_int_equal(log_flush(logs, position), JET_errSuccess);
    assert_int_equal(append_trace(20, 3, NULL), JET_errSuccess);
    assert_int_equal(log_abandon(logs), JET_errSuccess);
    assert_int_equal(read_file("/l/edb.log", 0, small_size, NULL), 20);
}

static void one_wrong_bit_is_put_right(void **state)
{
    struct log_file_reader *reader = NULL;
    (void)state;
    create_log();
    assert_int_equal(log_start_new(logs), JET_errSuccess);
    for (unsigned i = 0; i < 400; i++)
        assert_int_equal(append_trace(i, small_size(i), NULL), JET_errSuccess);
    assert_int_equal(log_stop(logs), JET_errSuccess);
    assert_int_equal(EsentHostFileCorrupt("/l/edb.log", LOG_SECTOR_SIZE + 700, 0x10), JET_errSuccess);
    assert_int_equal(read_file("/l/edb.log", 0, small_size, NULL), 400);
    assert_int_equal(log_file_open("/l/edb.log", &reader), JET_errSuccess);
    assert_int_equal(log_file_reader_end(reader)->repaired, 1);
    log_file_close(reader);
}

static void a_damaged_segment_is_corruption(void **state)
{
    struct log_file_reader *reader = NULL;
    (void)state;
    create_log();
    assert_int_equal(log_start_new(logs), JET_errSuccess);
    for (unsigned i = 0; i < 12; i++)
        assert_int_equal(append_trace(i, mixed_sizes(i), NULL), JET_errSuccess);
    assert_int_equal(log_stop(logs), JET_errSuccess);
    assert_int_equal(EsentHostFileCorrupt("/l/edb.log", 2 * LOG_SECTOR_SIZE + 700, 0x33), JET_errSuccess);
    assert_int_equal(log_file_open("/l/edb.log", &reader), JET_errSuccess);
    assert_true(log_file_reader_end(reader)->corrupt);
    assert_int_equal(log_file_reader_end(reader)->corrupt_sector, 2);
    log_file_close(reader);
    assert_int_equal(EsentHostFileCorrupt("/l/edb.log", 300, 0x01), JET_errSuccess);
    assert_int_equal(log_file_open("/l/edb.log", &reader), JET_errLogFileCorrupt);
    assert_int_equal(EsentHostFileSetSize("/l/edb.log", 3 * LOG_SECTOR_SIZE), JET_errSuccess);
    assert_int_equal(EsentHostFileCorrupt("/l/edb.log", 300, 0x01), JET_errSuccess);
    assert_int_equal(log_file_open("/l/edb.log", &reader), JET_errLogFileSizeMismatch);
    assert_int_equal(EsentHostFileSetSize("/l/edb.log", 100), JET_errSuccess);
    assert_int_equal(log_file_open("/l/edb.log", &reader), JET_errFileIOBeyondEOF);
}

/* The engine's way of writing partly filled segments: the same again in the sector behind. The last of one,
 * two or three. */
static void a_torn_segment_is_read_from_its_shadow(void **state)
{
    for (unsigned count = 1; count <= 3; count++) {
        struct log_file_reader *reader = NULL;
        uint8_t segment[LOG_SECTOR_SIZE];
        size_t done = 0;
        create_log();
        assert_int_equal(log_start_new(logs), JET_errSuccess);
        for (unsigned i = 0; i < count; i++) {
            assert_int_equal(append_trace(i, small_size(i), NULL), JET_errSuccess);
            assert_int_equal(log_flush_all(logs), JET_errSuccess);
        }
        assert_int_equal(log_stop(logs), JET_errSuccess);
        const uint64_t last = count * LOG_SECTOR_SIZE;
        assert_int_equal(EsentHostFileRead("/l/edb.log", last, segment, sizeof(segment), &done),
                         JET_errSuccess);
        assert_int_equal(EsentHostFileWrite("/l/edb.log", last + LOG_SECTOR_SIZE, segment, sizeof(segment)),
                         JET_errSuccess);
        assert_int_equal(read_file("/l/edb.log", 0, small_size, NULL), count);
        assert_int_equal(EsentHostFileCorrupt("/l/edb.log", last + 50, 0xff), JET_errSuccess);
        assert_int_equal(log_file_open("/l/edb.log", &reader), JET_errSuccess);
        assert_true(log_file_reader_end(reader)->torn);
        assert_int_equal(log_file_patch("/l/edb.log", reader), JET_errSuccess);
        log_file_close(reader);
        assert_int_equal(log_file_open("/l/edb.log", &reader), JET_errSuccess);
        assert_false(log_file_reader_end(reader)->torn);
        log_file_close(reader);
        assert_int_equal(read_file("/l/edb.log", 0, small_size, NULL), count);
        assert_int_equal(tear_down(state), 0);
        assert_int_equal(set_up(state), 0);
    }
}

static void the_checkpoint_file_survives_damage_of_one_copy(void **state)
{
    struct checkpoint checkpoint;
    struct checkpoint read;
    (void)state;
    memset(&checkpoint, 0, sizeof(checkpoint));
    checkpoint.checkpoint = (struct log_position){40, 3, 7};
    assert_int_equal(checkpoint_write("/l/edb.chk", &checkpoint), JET_errSuccess);
    assert_int_equal(checkpoint_read("/l/edb.chk", &read), JET_errSuccess);
    assert_memory_equal(&checkpoint, &read, sizeof(read));
    assert_int_equal(EsentHostFileCorrupt("/l/edb.chk", 13, 0x80), JET_errSuccess);
    assert_int_equal(checkpoint_read("/l/edb.chk", &read), JET_errSuccess);
    assert_memory_equal(&checkpoint, &read, sizeof(read));
    assert_int_equal(EsentHostFileCorrupt("/l/edb.chk", 4096 + 13, 0x80), JET_errSuccess);
    assert_int_equal(checkpoint_read("/l/edb.chk", &read), JET_errCheckpointCorrupt);
}

static void circular_logging_deletes_what_is_not_needed(void **state)
{
    int32_t low = 0;
    int32_t high = 0;
    (void)state;
    create_log_sized(FILE_SIZE, true, false);
    log_keep_from(logs, 3);
    assert_int_equal(log_start_new(logs), JET_errSuccess);
    for (unsigned i = 0; i < 300; i++)
        assert_int_equal(append_trace(i, mixed_sizes(i), NULL), JET_errSuccess);
    assert_int_equal(log_flush_all(logs), JET_errSuccess);
    /* A new file takes the oldest one's place, if the checkpoint has passed it and no backup needs it. */
    assert_int_equal(log_update_checkpoint(logs, true), JET_errSuccess);
    assert_int_equal(log_generation_range(logs, &low, &high), JET_errSuccess);
    assert_true(low <= 3);
    for (int i = 0; i < 4; i++)
        assert_int_equal(log_roll(logs, &high), JET_errSuccess);
    assert_int_equal(log_generation_range(logs, &low, &high), JET_errSuccess);
    assert_int_equal(low, 3);
    /* Without a backup, all but the last two go. */
    log_keep_from(logs, 0);
    assert_int_equal(log_update_checkpoint(logs, true), JET_errSuccess);
    assert_int_equal(log_roll(logs, &high), JET_errSuccess);
    assert_int_equal(log_generation_range(logs, &low, &high), JET_errSuccess);
    assert_true(low > 3 && low >= log_checkpoint(logs).generation - 3);
}

static void a_failed_write_brings_the_log_down_for_good(void **state)
{
    (void)state;
    create_log();
    assert_int_equal(log_start_new(logs), JET_errSuccess);
    assert_int_equal(append_trace(1, 10, NULL), JET_errSuccess);
    EsentHostFailNth(ESENT_HOST_FAULT_SYNC, 1, 1);
    assert_int_equal(log_flush_all(logs), JET_errLogWriteFail);
    EsentHostFailNone();
    assert_int_equal(log_state(logs), JET_errLogWriteFail);
    assert_int_equal(append_trace(2, 10, NULL), JET_errLogWriteFail);
    assert_int_equal(log_flush_all(logs), JET_errLogWriteFail);
}

static size_t three_thousand(unsigned number)
{
    (void)number;
    return 3000;
}

/* Records in all files of the directory, whatever name a fault has left the last one under. */
static unsigned count_records(void)
{
    unsigned next = 0;
    char path[64];
    for (unsigned generation = 1;; generation++) {
        (void)snprintf(path, sizeof(path), "/l/edb%08X.log", generation);
        if (!os_file_exists(path))
            break;
        next = read_file(path, next, three_thousand, NULL);
    }
    return os_file_exists("/l/edb.log") ? read_file("/l/edb.log", next, three_thousand, NULL) : next;
}

/* What a failed write has left in the file is taken back: it was never promised, and must not come back. */
static void a_failed_write_leaves_nothing(void **state)
{
    (void)state;
    create_log();
    assert_int_equal(log_start_new(logs), JET_errSuccess);
    for (unsigned number = 0; number < 3; number++)
        assert_int_equal(append_trace(number, 3000, NULL), JET_errSuccess);
    assert_int_equal(log_flush_all(logs), JET_errSuccess);
    for (unsigned number = 3; number < 9; number++)
        assert_int_equal(append_trace(number, 3000, NULL), JET_errSuccess);
    EsentHostFailNth(ESENT_HOST_FAULT_SHORT_WRITE, 1, 1);
    assert_int_equal(log_flush_all(logs), JET_errLogWriteFail);
    EsentHostFailNone();
    (void)log_abandon(logs);
    assert_int_equal(count_records(), 3);
}

/* Every allocation and every I/O of a small life of a log may fail: an error comes out, nothing leaks, and
 * what was flushed before is there. */
static void every_fault_ends_in_an_error(void **state)
{
    static const enum ESENT_HOST_FAULT kinds[] = {ESENT_HOST_FAULT_ALLOCATE, ESENT_HOST_FAULT_IO,
                                                  ESENT_HOST_FAULT_SYNC};
    (void)state;
    for (size_t kind = 0; kind < 3; kind++) {
        for (uint64_t nth = 1; nth < 200; nth++) {
            struct log_settings settings;
            JET_ERR err = JET_errSuccess;
            unsigned flushed = 0;
            memset(&settings, 0, sizeof(settings));
            settings.log_directory = settings.system_directory = "/l/";
            settings.base_name = "edb";
            settings.legacy_extensions = settings.enabled = true;
            settings.file_size = 6 * LOG_SECTOR_SIZE;
            settings.page_size = 4096;
            (void)EsentHostDirectoryDelete("/l");
            assert_int_equal(EsentHostDirectoryCreate("/l"), JET_errSuccess);
            EsentHostFailNth(kinds[kind], nth, 1);
            err = log_create(&settings, &logs);
            if (err >= JET_errSuccess)
                err = log_start_new(logs);
            for (unsigned i = 0; i < 12 && err >= JET_errSuccess; i++) {
                struct log_position position;
                err = append_trace(i, 3000, &position);
                if (err >= JET_errSuccess && i % 4 == 3) {
                    err = log_flush(logs, position);
                    if (err >= JET_errSuccess)
                        flushed = i + 1;
                }
            }
            EsentHostFailNone();
            if (logs != NULL)
                (void)log_abandon(logs);
            log_destroy(logs);
            logs = NULL;
            assert_true(os_memory_live_count() == 0);
            if (flushed > 0)
                assert_true(count_records() >= flushed);
            if (err >= JET_errSuccess)
                break;
        }
    }
}

static void a_full_disk_uses_the_reserves_and_says_so(void **state)
{
    (void)state;
    create_log_sized(6 * LOG_SECTOR_SIZE, false, true);
    assert_int_equal(log_start_new(logs), JET_errSuccess);
    assert_true(os_file_exists("/l/edbres00001.jrs"));
    assert_true(os_file_exists("/l/edbres00002.jrs"));
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(append_trace(i, three_thousand(i), NULL), JET_errSuccess);
    assert_int_equal(log_state(logs), JET_errSuccess);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(records_come_back_across_segments_and_files, set_up, tear_down),
        cmocka_unit_test_setup_teardown(positions_are_those_of_the_reader, set_up, tear_down),
        cmocka_unit_test_setup_teardown(generations_are_chained, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_log_goes_on_where_it_ended, set_up, tear_down),
        cmocka_unit_test_setup_teardown(unflushed_records_are_lost_and_flushed_ones_are_not, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(one_wrong_bit_is_put_right, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_damaged_segment_is_corruption, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_torn_segment_is_read_from_its_shadow, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_checkpoint_file_survives_damage_of_one_copy, set_up, tear_down),
        cmocka_unit_test_setup_teardown(circular_logging_deletes_what_is_not_needed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_failed_write_brings_the_log_down_for_good, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_failed_write_leaves_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(every_fault_ends_in_an_error, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_full_disk_uses_the_reserves_and_says_so, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
