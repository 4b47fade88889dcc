/* The end of a log after a crash: a tail of writes that nothing waited for may be on disk in any parts, and
 * the log ends in front of it; damage to what was promised is never taken for such a tail. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "include/esent_host.h"
#include "src/log/log_internal.h"
#include "src/log/log_reader.h"
#include "src/os/memory.h"
#include "src/page/checksum.h"

#define LOG "/l/edb.log"
#define SECTORS 16u
#define FLUSHED 3u /* segments written and synced one by one */
#define FIRST (LOG_HEADER_SECTORS + FLUSHED)
#define TAIL 4u /* segments of the last write */

static struct log *logs;

static void create_log(void)
{
    struct log_settings settings;
    memset(&settings, 0, sizeof(settings));
    settings.log_directory = "/l/";
    settings.system_directory = "/l/";
    settings.base_name = "edb";
    settings.legacy_extensions = true;
    settings.enabled = true;
    settings.file_size = SECTORS * LOG_SECTOR_SIZE;
    settings.page_size = 4096;
    assert_int_equal(log_create(&settings, &logs), JET_errSuccess);
}

static bool uniform;

/* A record of `size` bytes. */
static void append(unsigned size)
{
    static uint8_t bytes[60000];
    struct log_record_trace *record = (void *)bytes;
    struct log_piece piece = {bytes, sizeof(*record) + size};
    for (unsigned i = 0; i < piece.size; i++)
        bytes[i] = uniform ? 0xee : (uint8_t)(1 + rand() % 255);
    record->type = LOG_RECORD_TRACE;
    record->size = (uint16_t)size;
    assert_int_equal(log_append(logs, &piece, 1, 0, 0, NULL), JET_errSuccess);
}

static int set_up(void **state)
{
    (void)state;
    if (EsentHostUseMemoryFiles() != JET_errSuccess)
        return -1;
    (void)EsentHostDirectoryDelete("/l");
    if (EsentHostDirectoryCreate("/l") != JET_errSuccess)
        return -1;
    create_log();
    assert_int_equal(log_start_new(logs), JET_errSuccess);
    for (unsigned i = 0; i < FLUSHED; i++) {
        append(100);
        assert_int_equal(log_flush_all(logs), JET_errSuccess);
    }
    for (unsigned i = 0; i < TAIL; i++)
        append(3900); /* one fills a segment, nearly */
    assert_int_equal(log_flush_all(logs), JET_errSuccess);
    log_destroy(logs);
    logs = NULL;
    return 0;
}

/* The same with records whose bytes are all equal: the checksum does not see whole words missing. */
static int set_up_uniform(void **state)
{
    uniform = true;
    int answer = set_up(state);
    uniform = false;
    return answer;
}

static int tear_down(void **state)
{
    (void)state;
    log_destroy(logs);
    logs = NULL;
    size_t live = os_memory_live_count();
    (void)EsentHostUsePosixFiles();
    return live == 0 ? 0 : -1;
}

static void erase(uint32_t sector, uint32_t piece, uint32_t count)
{
    static const uint8_t zeroes[LOG_SECTOR_SIZE];
    assert_int_equal(EsentHostFileWrite(LOG, sector * LOG_SECTOR_SIZE + piece * LOG_PIECE_SIZE, zeroes,
                                        count * LOG_PIECE_SIZE),
                     JET_errSuccess);
}

enum found { WHOLE, TORN, CORRUPT };

/* What a reader makes of the file; *end is the sector where it ends. */
static enum found look(uint32_t *end)
{
    struct log_file_reader *reader = NULL;
    assert_int_equal(log_file_open(LOG, &reader), JET_errSuccess);
    const struct log_file_end *found = log_file_reader_end(reader);
    assert_false(found->corrupt && found->torn_tail);
    enum found answer = found->corrupt ? CORRUPT : found->torn_tail ? TORN : WHOLE;
    *end = found->end.sector;
    log_file_close(reader);
    return answer;
}

static void any_part_of_the_last_write_may_be_missing(void **state)
{
    (void)state;
    uint32_t end = 0;
    uint8_t file[SECTORS * LOG_SECTOR_SIZE];
    size_t got = 0;
    assert_int_equal(look(&end), WHOLE);
    assert_true(end >= FIRST + TAIL);
    uint32_t last = end;
    assert_int_equal(EsentHostFileRead(LOG, 0, file, sizeof file, &got), JET_errSuccess);
    /* All ways in which whole segments are missing... */
    for (unsigned missing = 1; missing < 1u << TAIL; missing++) {
        assert_int_equal(EsentHostFileWrite(LOG, 0, file, sizeof file), JET_errSuccess);
        for (unsigned i = 0; i < TAIL; i++) {
            if ((missing >> i & 1) != 0)
                erase(FIRST + i, 0, LOG_SECTOR_SIZE / LOG_PIECE_SIZE);
        }
        uint32_t hole = FIRST + (uint32_t)__builtin_ctz(missing);
        enum found found = look(&end);
        assert_int_equal(end, hole);
        bool behind = (missing | ((1u << (hole - FIRST)) - 1)) != (1u << TAIL) - 1 || last > FIRST + TAIL;
        assert_int_equal(found, behind ? TORN : WHOLE);
    }
    /* ... and each single piece of one. */
    for (uint32_t sector = FIRST; sector < FIRST + TAIL; sector++) {
        for (uint32_t piece = 0; piece < LOG_SECTOR_SIZE / LOG_PIECE_SIZE; piece++) {
            assert_int_equal(EsentHostFileWrite(LOG, 0, file, sizeof file), JET_errSuccess);
            uint8_t pieces = log_segment_pieces(file + (size_t)sector * LOG_SECTOR_SIZE);
            if ((pieces >> piece & 1) == 0)
                continue; /* nothing was to be there */
            erase(sector, piece, 1);
            assert_int_equal(look(&end), TORN);
            assert_int_equal(end, sector);
        }
    }
}

static void what_was_synced_must_be_there(void **state)
{
    (void)state;
    uint32_t end = 0;
    for (uint32_t sector = LOG_HEADER_SECTORS; sector < FIRST; sector++) {
        uint8_t segment[LOG_SECTOR_SIZE];
        size_t got = 0;
        uint64_t offset = (uint64_t)sector * LOG_SECTOR_SIZE;
        assert_int_equal(EsentHostFileRead(LOG, offset, segment, sizeof segment, &got), JET_errSuccess);
        erase(sector, 0, LOG_SECTOR_SIZE / LOG_PIECE_SIZE);
        assert_int_equal(look(&end), CORRUPT);
        assert_int_equal(EsentHostFileWrite(LOG, offset, segment, sizeof segment), JET_errSuccess);
        erase(sector, 0, 1);
        assert_int_equal(look(&end), CORRUPT);
        assert_int_equal(EsentHostFileWrite(LOG, offset, segment, sizeof segment), JET_errSuccess);
    }
    assert_int_equal(look(&end), WHOLE);
}

static void changed_bytes_are_no_torn_write(void **state)
{
    (void)state;
    uint32_t end = 0;
    for (uint32_t sector = LOG_HEADER_SECTORS; sector < FIRST + TAIL; sector++) {
        uint64_t offset = (uint64_t)sector * LOG_SECTOR_SIZE + 777;
        assert_int_equal(EsentHostFileCorrupt(LOG, offset, 0x5a), JET_errSuccess);
        assert_int_equal(look(&end), CORRUPT);
        assert_int_equal(end, sector);
        assert_int_equal(EsentHostFileCorrupt(LOG, offset, 0x5a), JET_errSuccess);
    }
    assert_int_equal(look(&end), WHOLE);
}

/* As in the published engine, whose segments do not tell. */
static void without_marks_every_hole_is_damage(void **state)
{
    (void)state;
    uint32_t end = 0;
    for (uint32_t sector = FIRST; sector < FIRST + TAIL; sector++) {
        uint8_t segment[LOG_SECTOR_SIZE];
        struct log_segment_header header;
        size_t got = 0;
        uint64_t offset = (uint64_t)sector * LOG_SECTOR_SIZE;
        assert_int_equal(EsentHostFileRead(LOG, offset, segment, sizeof segment, &got), JET_errSuccess);
        memcpy(&header, segment, sizeof header);
        header.pieces = 0;
        header.unsynced = 0;
        memcpy(segment, &header, sizeof header);
        header.checksum = checksum_block(segment, LOG_SECTOR_SIZE, sector, true);
        memcpy(segment, &header, sizeof header);
        assert_int_equal(EsentHostFileWrite(LOG, offset, segment, sizeof segment), JET_errSuccess);
    }
    assert_int_equal(look(&end), WHOLE);
    erase(FIRST, 3, 1);
    assert_int_equal(look(&end), CORRUPT);
    erase(FIRST, 0, LOG_SECTOR_SIZE / LOG_PIECE_SIZE);
    assert_int_equal(look(&end), CORRUPT);
}

static void the_tail_is_gone_before_the_log_goes_on(void **state)
{
    (void)state;
    uint32_t end = 0;
    struct log_file_reader *reader = NULL;
    erase(FIRST, 2, 1);
    erase(FIRST + 2, 0, 3);
    assert_int_equal(look(&end), TORN);
    assert_int_equal(log_file_open(LOG, &reader), JET_errSuccess);
    create_log();
    /* When the disk fails, nothing has begun. */
    EsentHostFailNth(ESENT_HOST_FAULT_WRITE, 1, 1);
    assert_int_equal(log_start_existing(logs, reader), JET_errDiskIO);
    EsentHostFailNone();
    assert_false(log_started(logs));
    assert_int_equal(log_start_existing(logs, reader), JET_errSuccess);
    log_file_close(reader);
    assert_int_equal(look(&end), WHOLE);
    assert_int_equal(end, FIRST);
    append(100);
    assert_int_equal(log_flush_all(logs), JET_errSuccess);
    assert_int_equal(look(&end), WHOLE);
    assert_int_equal(end, FIRST + 1);
}

/* The log as it was saved, on a disk that may lose what no sync has kept. */
static struct log_file_reader *open_again(void)
{
    struct log_file_reader *reader = NULL;
    assert_int_equal(EsentHostFilesRestore(1), JET_errSuccess);
    assert_int_equal(EsentHostTrackWrites(1), JET_errSuccess);
    create_log();
    assert_int_equal(log_file_open(LOG, &reader), JET_errSuccess);
    return reader;
}

/* The machine goes down before the next segment is synced. */
static void crash_while_writing(uint64_t seed)
{
    append(3900);
    EsentHostFailNth(ESENT_HOST_FAULT_SYNC, 1, 1);
    assert_int_equal(log_flush_all(logs), JET_errLogWriteFail);
    EsentHostFailNone();
    assert_int_equal(EsentHostMachineCrash(ESENT_HOST_CRASH_REORDER, seed), JET_errSuccess);
    logs = NULL;
}

/* A tail is left behind a hole; the log goes on there, and the machine goes down before that is on disk for
 * sure. Whatever is: nothing of the old tail is taken for what follows. */
static void an_old_tail_does_not_come_back(void **state)
{
    (void)state;
    unsigned went_on = 0;
    erase(FIRST, 0, LOG_SECTOR_SIZE / LOG_PIECE_SIZE);
    assert_int_equal(EsentHostFilesSave(1), JET_errSuccess);
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct log_file_reader *reader = open_again();
        uint32_t end = 0;
        assert_true(log_file_reader_end(reader)->torn_tail);
        assert_int_equal(log_start_existing(logs, reader), JET_errSuccess);
        log_file_close(reader);
        crash_while_writing(seed);
        assert_int_not_equal(look(&end), CORRUPT);
        assert_in_range(end, FIRST, FIRST + 1);
        went_on += end == FIRST + 1;
    }
    assert_in_range(went_on, 1, 19);
}

/* The last segment is torn, and its shadow whole; the log goes on where the shadow lies, and the machine goes
 * down. What was promised is there all the same. */
static void a_mended_end_stays(void **state)
{
    static uint8_t segment[LOG_SECTOR_SIZE];
    uint32_t end = 0;
    size_t done;
    (void)state;
    assert_int_equal(look(&end), WHOLE);
    const uint32_t last = end - 1;
    assert_int_equal(EsentHostFileRead(LOG, last * LOG_SECTOR_SIZE, segment, sizeof segment, &done),
                     JET_errSuccess);
    assert_int_equal(EsentHostFileWrite(LOG, end * LOG_SECTOR_SIZE, segment, sizeof segment), JET_errSuccess);
    assert_int_equal(EsentHostFileCorrupt(LOG, last * LOG_SECTOR_SIZE + 60, 0x55), JET_errSuccess);
    assert_int_equal(EsentHostFileCorrupt(LOG, last * LOG_SECTOR_SIZE + 61, 0x17), JET_errSuccess);
    assert_int_equal(EsentHostFilesSave(1), JET_errSuccess);
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct log_file_reader *reader = open_again();
        uint32_t now = 0;
        assert_true(log_file_reader_end(reader)->torn);
        assert_int_equal(log_file_patch(LOG, reader), JET_errSuccess);
        assert_int_equal(log_start_existing(logs, reader), JET_errSuccess);
        log_file_close(reader);
        crash_while_writing(seed);
        assert_int_not_equal(look(&now), CORRUPT);
        assert_in_range(now, end, end + 1);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(any_part_of_the_last_write_may_be_missing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(any_part_of_the_last_write_may_be_missing, set_up_uniform, tear_down),
        cmocka_unit_test_setup_teardown(what_was_synced_must_be_there, set_up, tear_down),
        cmocka_unit_test_setup_teardown(changed_bytes_are_no_torn_write, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_old_tail_does_not_come_back, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_mended_end_stays, set_up, tear_down),
        cmocka_unit_test_setup_teardown(without_marks_every_hole_is_damage, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_tail_is_gone_before_the_log_goes_on, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
