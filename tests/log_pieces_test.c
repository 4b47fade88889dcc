/* Reading logs whose records are cut into parts that do not fit together, and whose segments are not where
 * they belong. */
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
#include "src/page/checksum.h"

#define LOG "/l/edb.log"
#define SECTORS 16u
#define OK(call) assert_int_equal((call), JET_errSuccess)
#define IS(call, code) assert_int_equal((call), (code))

static struct log *logs;

static int set_up(void **state)
{
    const struct ESENT_HOST_SIMULATION simulation = {.seed = 1};
    const struct log_settings settings = {.log_directory = "/l/",
                                          .system_directory = "/l/",
                                          .base_name = "edb",
                                          .legacy_extensions = true,
                                          .eight_dot_three = true,
                                          .enabled = true,
                                          .file_size = SECTORS * LOG_SECTOR_SIZE,
                                          .page_size = 4096};
    (void)state;
    (void)EsentHostReset(NULL, 0);
    if (EsentHostUseMemoryFiles() != JET_errSuccess ||
        EsentHostUseSimulation(&simulation) != JET_errSuccess ||
        EsentHostDirectoryCreate("/l") != JET_errSuccess)
        return -1;
    if (log_create(&settings, &logs) != JET_errSuccess)
        return -1;
    return log_start_new(logs) == JET_errSuccess ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    log_destroy(logs);
    logs = NULL;
    return EsentHostReset(NULL, 0) == 0 ? 0 : -1;
}

/* --- parts --- */

static void put(const void *bytes, size_t size)
{
    const struct log_piece piece = {bytes, size};
    OK(log_append(logs, &piece, 1, 0, 0, NULL));
}

/* What comes next begins a segment. */
static void next_segment(void)
{
    OK(log_flush_all(logs));
}

static void trace(void)
{
    const struct log_record_trace record = {.type = LOG_RECORD_TRACE, .size = 0};
    put(&record, sizeof record);
}

/* The first part of a record: `size` of `total` bytes, of which the first is `type`. */
static void begin(uint8_t type, uint32_t total, uint16_t size)
{
    uint8_t bytes[sizeof(struct log_record_fragment_begin) + 100] = {0};
    struct log_record_fragment_begin *part = (void *)bytes;
    part->type = LOG_RECORD_FRAGMENT_BEGIN;
    part->total_size = total;
    part->fragment_size = size;
    bytes[sizeof *part] = type;
    put(bytes, sizeof *part + (size <= 100 ? size : 0));
}

/* A first part that fills its segment, of a record whose rest never came. */
static void cut_off(void)
{
    static uint8_t bytes[LOG_SECTOR_SIZE];
    struct log_record_fragment_begin *cut = (void *)bytes;
    const struct log_position end = log_end(logs);
    const size_t room = LOG_SECTOR_SIZE - end.byte;
    assert_true(end.byte > 0);
    cut->type = LOG_RECORD_FRAGMENT_BEGIN;
    cut->total_size = 9000;
    cut->fragment_size = (uint16_t)(room - sizeof *cut);
    bytes[sizeof *cut] = LOG_RECORD_BEGIN;
    put(bytes, room);
}

static void part(uint16_t size)
{
    uint8_t bytes[sizeof(struct log_record_fragment) + 100] = {0};
    struct log_record_fragment *more = (void *)bytes;
    more->type = LOG_RECORD_FRAGMENT;
    more->fragment_size = size;
    put(bytes, sizeof *more + (size <= 100 ? size : 0));
}

/* Reads all that was put: how many records of this type there are, or the error. */
static int read_all(uint8_t type)
{
    struct log_file_reader *reader;
    const struct log_record_header *record;
    size_t size;
    struct log_position position;
    int count = 0;
    OK(log_flush_all(logs));
    OK(log_file_open(LOG, &reader));
    JET_ERR err;
    while ((err = log_file_next(reader, &record, &size, &position)) == JET_errSuccess)
        count += record->type == type;
    log_file_close(reader);
    return err < JET_errSuccess ? err : count;
}

static void good(void)
{
    begin(LOG_RECORD_SHUTDOWN_MARK, 1, 0);
    part(1);
}

static void no_bytes_yet(void)
{
    begin(LOG_RECORD_BEGIN, 4, 2);
    part(1);
    part(1);
}

static void whole(void)
{
    begin(LOG_RECORD_BEGIN, 4, 4);
}

static void more_than_a_segment(void)
{
    begin(LOG_RECORD_BEGIN, 9000, 5000);
}

static void more_than_a_file(void)
{
    begin(LOG_RECORD_BEGIN, 70000, 10);
}

static void one_in_another(void)
{
    begin(LOG_RECORD_BEGIN, 4, 2);
    begin(LOG_RECORD_BEGIN, 4, 2);
}

static void one_in_another_at_a_segment(void)
{
    cut_off();
    begin(LOG_RECORD_BEGIN, 4, 2);
}

static void an_empty_one_in_another(void)
{
    cut_off();
    begin(LOG_RECORD_UNDO_INFO, 4, 0);
}

/* Cut off by a crash; recovery goes on at the next segment. */
static void undo_information_after_a_cut(void)
{
    cut_off();
    begin(LOG_RECORD_UNDO_INFO, sizeof(struct log_record_undo_info), 10);
    part(sizeof(struct log_record_undo_info) - 10);
}

static void a_record_after_a_cut(void)
{
    cut_off();
    trace();
}

static void a_record_inside(void)
{
    begin(LOG_RECORD_BEGIN, 4, 2);
    trace();
}

static void recovery_inside(void)
{
    const struct log_record_header record = {LOG_RECORD_RECOVERY_UNDO};
    begin(LOG_RECORD_BEGIN, 4, 2);
    put(&record, sizeof record);
}

static void recovery_after_a_cut(void)
{
    const struct log_record_header record = {LOG_RECORD_RECOVERY_UNDO};
    cut_off();
    put(&record, sizeof record);
}

static void new_recovery_after_a_cut(void)
{
    const struct log_record_recovery_undo2 record = {.type = LOG_RECORD_RECOVERY_UNDO2};
    cut_off();
    put(&record, sizeof record);
}

static void short_information_after_a_cut(void)
{
    struct log_record_undo_info record;
    memset(&record, 0, sizeof record);
    record.node.page.type = LOG_RECORD_UNDO_INFO;
    cut_off();
    put(&record, sizeof record);
}

static void a_part_of_nothing(void)
{
    part(1);
}

static void a_part_too_long(void)
{
    begin(LOG_RECORD_BEGIN, 4, 2);
    part(3);
}

static void a_part_behind_the_segment(void)
{
    begin(LOG_RECORD_BEGIN, 9000, 2);
    part(5000);
}

static void parts_of_another_size(void)
{
    begin(LOG_RECORD_BEGIN, 9, 2);
    part(7);
}

static void longer_than_all_there_is(void)
{
    begin(LOG_RECORD_BEGIN, 50000, 10);
    part(50);
    next_segment();
    part(50);
}

static void nothing_known(void)
{
    static const uint8_t unknown = 200;
    put(&unknown, 1);
}

static void parts_that_do_not_fit(void **state)
{
    static const struct {
        void (*write)(void);
        uint8_t type; /* what is counted */
        int answer;
    } cases[] = {
        {good, 0, 1},
        {no_bytes_yet, LOG_RECORD_BEGIN, 1},
        {whole, 0, JET_errLogFileCorrupt},
        {more_than_a_segment, 0, JET_errLogFileCorrupt},
        {more_than_a_file, 0, JET_errLogFileCorrupt},
        {one_in_another, 0, JET_errLogFileCorrupt},
        {one_in_another_at_a_segment, 0, JET_errLogFileCorrupt},
        {an_empty_one_in_another, 0, JET_errLogFileCorrupt},
        {undo_information_after_a_cut, LOG_RECORD_UNDO_INFO, 1},
        {a_record_after_a_cut, 0, JET_errLogFileCorrupt},
        {a_record_inside, 0, JET_errLogFileCorrupt},
        {recovery_inside, 0, JET_errLogFileCorrupt},
        {recovery_after_a_cut, LOG_RECORD_RECOVERY_UNDO, 1},
        {new_recovery_after_a_cut, LOG_RECORD_RECOVERY_UNDO2, 1},
        {short_information_after_a_cut, LOG_RECORD_UNDO_INFO, 1},
        {a_part_of_nothing, 0, JET_errLogFileCorrupt},
        {a_part_too_long, 0, JET_errLogFileCorrupt},
        {a_part_behind_the_segment, 0, JET_errLogFileCorrupt},
        {parts_of_another_size, 0, JET_errLogFileCorrupt},
        {longer_than_all_there_is, 0, JET_errLogFileCorrupt},
        {nothing_known, 0, JET_errLogFileCorrupt},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(tear_down(state), 0);
        assert_int_equal(set_up(state), 0);
        trace();
        cases[i].write();
        const int answer = read_all(cases[i].type);
        if (answer != cases[i].answer)
            print_message("case %d: %d\n", (int)i, answer);
        assert_int_equal(answer, cases[i].answer);
    }
}

/* --- seeking --- */

static uint8_t first_at(struct log_position where, JET_ERR *err)
{
    struct log_file_reader *reader;
    const struct log_record_header *record = NULL;
    size_t size;
    struct log_position position;
    OK(log_flush_all(logs));
    OK(log_file_open(LOG, &reader));
    *err = log_file_seek(reader, where);
    if (*err >= JET_errSuccess)
        *err = log_file_next(reader, &record, &size, &position);
    const uint8_t type = *err == JET_errSuccess ? record->type : 0;
    log_file_close(reader);
    return type;
}

static void seeks(void **state)
{
    (void)state;
    JET_ERR err;
    static const uint8_t begin0[8] = {LOG_RECORD_BEGIN0};
    trace();
    put(begin0, sizeof begin0);
    const struct log_position second = log_last(logs);
    next_segment();
    /* A record over three segments. */
    static uint8_t large[9000] = {LOG_RECORD_TRACE};
    ((struct log_record_trace *)(void *)large)->size =
        (uint16_t)(sizeof large - sizeof(struct log_record_trace));
    put(large, sizeof large);
    static const uint8_t commit[4] = {LOG_RECORD_COMMIT};
    put(commit, sizeof commit);
    assert_int_equal(first_at(LOG_POSITION_MIN, &err), LOG_RECORD_TRACE);
    assert_int_equal(first_at(second, &err), LOG_RECORD_BEGIN0);
    assert_int_equal(first_at((struct log_position){second.byte, 1, 1}, &err), LOG_RECORD_BEGIN0);
    assert_int_equal(first_at((struct log_position){0, 2, 1}, &err), LOG_RECORD_TRACE);
    assert_int_equal(first_at((struct log_position){0, 3, 1}, &err), LOG_RECORD_COMMIT);
    assert_int_equal(first_at((struct log_position){0, 4, 1}, &err), LOG_RECORD_COMMIT);
    assert_int_equal(first_at((struct log_position){4095, 1, 1}, &err), LOG_RECORD_TRACE);
    assert_int_equal(first_at((struct log_position){4096, 1, 1}, &err), 0);
    assert_int_equal(err, LOG_NO_MORE_RECORDS);
    assert_int_equal(first_at((struct log_position){0, 9, 1}, &err), 0);
    assert_int_equal(err, LOG_NO_MORE_RECORDS);
    /* No way through what is no record. */
    next_segment();
    const struct log_position end = log_end(logs);
    nothing_known();
    assert_int_equal(first_at((struct log_position){600, end.sector, 1}, &err), 0);
    assert_int_equal(err, JET_errLogFileCorrupt);
    /* Parts to the end of all that is there. */
    assert_int_equal(tear_down(state), 0);
    assert_int_equal(set_up(state), 0);
    begin(LOG_RECORD_BEGIN, 5000, 100);
    next_segment();
    part(100);
    while (LOG_SECTOR_SIZE - log_end(logs).byte > 150)
        part(47);
    part((uint16_t)(LOG_SECTOR_SIZE - log_end(logs).byte - sizeof(struct log_record_fragment) - 50));
    part(47);
    assert_int_equal(first_at((struct log_position){0, 2, 1}, &err), 0);
    assert_int_equal(err, LOG_NO_MORE_RECORDS);
    assert_int_equal(tear_down(state), 0);
    assert_int_equal(set_up(state), 0);
    trace();
    next_segment();
    part(5000);
    assert_int_equal(first_at((struct log_position){0, 2, 1}, &err), 0);
    assert_int_equal(err, JET_errLogFileCorrupt);
}

/* --- how it ended --- */

static void ends_in_order(void **state)
{
    static const uint8_t ends[] = {LOG_RECORD_TERM, LOG_RECORD_TERM2, LOG_RECORD_RECOVERY_QUIT,
                                   LOG_RECORD_RECOVERY_QUIT2, LOG_RECORD_RECOVERY_QUIT_KEEP_ATTACHMENTS};
    static const uint8_t bytes[100];
    for (size_t i = 0; i < sizeof ends; i++) {
        for (int first = 0; first < 2; first++) {
            struct log_file_reader *reader;
            assert_int_equal(tear_down(state), 0);
            assert_int_equal(set_up(state), 0);
            if (!first)
                trace();
            const struct log_piece pieces[] = {{&ends[i], 1}, {bytes, log_record_fixed_size(ends[i]) - 1}};
            struct log_position position;
            OK(log_append(logs, pieces, 2, 0, 0, &position));
            OK(log_flush_all(logs));
            OK(log_file_open(LOG, &reader));
            assert_true(log_file_reader_end(reader)->closed_normally);
            assert_true(log_position_compare(log_file_reader_end(reader)->last_term, position) == 0);
            log_file_close(reader);
        }
    }
}

/* --- segments --- */

static uint8_t segment[LOG_SECTOR_SIZE];

static void read_segment(uint32_t sector)
{
    size_t done;
    OK(EsentHostFileRead(LOG, sector * LOG_SECTOR_SIZE, segment, sizeof segment, &done));
}

/* Puts the segment read last at a sector, as one of `position` with `unsynced` before it. */
static void write_segment(uint32_t sector, struct log_position position, uint16_t unsynced)
{
    struct log_segment_header header;
    memcpy(&header, segment, sizeof header);
    header.position = position;
    header.unsynced = unsynced;
    memcpy(segment, &header, sizeof header);
    header.checksum = checksum_block(segment, LOG_SECTOR_SIZE, sector, true);
    memcpy(segment, &header.checksum, sizeof header.checksum);
    OK(EsentHostFileWrite(LOG, sector * LOG_SECTOR_SIZE, segment, sizeof segment));
}

static struct log_file_end end_of_log(void)
{
    struct log_file_reader *reader;
    OK(log_file_open(LOG, &reader));
    const struct log_file_end end = *log_file_reader_end(reader);
    log_file_close(reader);
    return end;
}

static void segments_of_elsewhere(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++) {
        trace();
        OK(log_flush_all(logs));
    }
    OK(log_abandon(logs));
    OK(EsentHostFilesSave(1));
    log_destroy(logs);
    logs = NULL;
    struct log_file_end end = end_of_log();
    assert_int_equal(end.end.sector, 5);
    assert_false(end.corrupt || end.torn_tail);
    /* Of an earlier life of the file: the log ends before it. */
    read_segment(4);
    write_segment(4, (struct log_position){0, 4, 0}, 0);
    end = end_of_log();
    assert_int_equal(end.end.sector, 4);
    assert_false(end.corrupt || end.torn_tail);
    /* Of a place behind it: that is damage. */
    write_segment(4, (struct log_position){0, 5, 1}, 0);
    end = end_of_log();
    assert_true(end.corrupt);
    assert_int_equal(end.corrupt_sector, 4);
    /* Behind a hole: one that may be there, one that may not. */
    for (uint16_t unsynced = 0; unsynced < 3; unsynced++) {
        OK(EsentHostFilesRestore(1));
        read_segment(4);
        write_segment(4, (struct log_position){0, 4, 1}, unsynced);
        memset(segment, 0, sizeof segment);
        OK(EsentHostFileWrite(LOG, 3 * LOG_SECTOR_SIZE, segment, sizeof segment));
        end = end_of_log();
        assert_int_equal(end.end.sector, 3);
        assert_int_equal(end.torn_tail, unsynced >= 1);
        assert_int_equal(end.corrupt, unsynced < 1);
    }
    /* A tail, and behind it what cannot be: the first hole is to blame. */
    OK(EsentHostFilesRestore(1));
    read_segment(4);
    write_segment(5, (struct log_position){0, 5, 1}, 0);
    write_segment(4, (struct log_position){0, 4, 1}, 1);
    memset(segment, 0, sizeof segment);
    OK(EsentHostFileWrite(LOG, 3 * LOG_SECTOR_SIZE, segment, sizeof segment));
    end = end_of_log();
    assert_true(end.corrupt && !end.torn_tail);
    assert_int_equal(end.corrupt_sector, 3);
    /* Behind a hole, one that is damaged: torn if it looks so and may be there. */
    for (int i = 0; i < 4; i++) {
        OK(EsentHostFilesRestore(1));
        read_segment(4);
        memset(segment + 600, 7, 3400);
        struct log_segment_header header;
        memcpy(&header, segment, sizeof header);
        header.pieces = 0xff;
        memcpy(segment, &header, sizeof header);
        write_segment(4, (struct log_position){0, 4, 1}, i < 2 ? 1 : 0);
        if (i == 0 || i == 2)
            memset(segment + 2048, 0, 512); /* a piece that never came */
        else if (i == 1)
            memset(segment, 0, 512); /* nor did the header's */
        else
            segment[700] ^= 0x55;
        OK(EsentHostFileWrite(LOG, 4 * LOG_SECTOR_SIZE, segment, sizeof segment));
        memset(segment, 0, sizeof segment);
        OK(EsentHostFileWrite(LOG, 3 * LOG_SECTOR_SIZE, segment, sizeof segment));
        end = end_of_log();
        assert_int_equal(end.end.sector, 3);
        assert_int_equal(end.torn_tail, i < 2);
        assert_int_equal(end.corrupt, i >= 2);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(parts_that_do_not_fit),
        TEST(seeks),
        TEST(ends_in_order),
        TEST(segments_of_elsewhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
