/* Log files that the published engine and Windows wrote: each must open, each record must parse, and the
 * files of a sequence must chain. The files lie beside the checkout (../shared); without them the test says
 * so and is skipped. */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "include/esent_host.h"
#include "src/log/checkpoint.h"
#include "src/log/log_reader.h"
#include "tests/shared_files.h"

#define PATH_SIZE SHARED_PATH_SIZE

struct totals {
    unsigned files;
    unsigned records;
    unsigned by_type[LOG_RECORD_TYPE_END];
    unsigned checkpoints;
};

/* Every byte of a segment belongs to a record of known size; filling with NOPs goes on to the segment's end.
 * So a wrong size of a record does not go unnoticed. */
static void check_segments(void)
{
    uint8_t segment[LOG_SECTOR_SIZE];
    struct log_file_header file;
    size_t done = 0;
    assert_int_equal(EsentHostFileRead("/x.log", 0, &file, sizeof(file), &done), JET_errSuccess);
    for (uint32_t number = LOG_HEADER_SECTORS; number < file.file_sectors; number++) {
        struct log_segment_header header;
        assert_int_equal(
            EsentHostFileRead("/x.log", (uint64_t)number * LOG_SECTOR_SIZE, segment, sizeof(segment), &done),
            JET_errSuccess);
        memcpy(&header, segment, sizeof(header));
        if (header.position.generation != file.generation || header.position.sector != number)
            break;
        for (size_t at = sizeof(header); at < LOG_SECTOR_SIZE;) {
            size_t size = log_record_size(segment + at, LOG_SECTOR_SIZE - at);
            assert_true(size > 0);
            if (segment[at] == LOG_RECORD_NOP) {
                for (; at < LOG_SECTOR_SIZE; at++)
                    assert_int_equal(segment[at], LOG_RECORD_NOP);
            } else {
                at += size;
            }
        }
    }
}

static void read_log(struct totals *totals)
{
    struct log_file_reader *reader = NULL;
    const struct log_record_header *record;
    size_t size;
    struct log_position position;
    struct log_position before = LOG_POSITION_MIN;
    JET_ERR err = log_file_open("/x.log", &reader);
    if (err == JET_errLogFileCorrupt) {
        /* A file that was prepared for the next generation has no header yet. */
        uint8_t header[LOG_SECTOR_SIZE];
        size_t done = 0;
        assert_int_equal(EsentHostFileRead("/x.log", 0, header, sizeof(header), &done), JET_errSuccess);
        for (size_t i = 0; i < sizeof(header); i++)
            assert_int_equal(header[i], 0);
        return;
    }
    assert_int_equal(err, JET_errSuccess);
    assert_false(log_file_reader_end(reader)->corrupt);
    assert_int_equal(log_file_reader_end(reader)->repaired, 0);
    assert_int_equal(log_file_seek(reader, LOG_POSITION_MIN), JET_errSuccess);
    while ((err = log_file_next(reader, &record, &size, &position)) == JET_errSuccess) {
        assert_int_equal(log_record_size(record, size), size);
        assert_true(log_position_compare(before, position) < 0);
        before = position;
        totals->records++;
        totals->by_type[record->type]++;
    }
    assert_int_equal(err, LOG_NO_MORE_RECORDS);
    check_segments();
    totals->files++;
    log_file_close(reader);
}

static void read_checkpoint(struct totals *totals)
{
    struct checkpoint checkpoint;
    assert_int_equal(checkpoint_read("/x.chk", &checkpoint), JET_errSuccess);
    assert_true(checkpoint.checkpoint.generation > 0);
    totals->checkpoints++;
}

static void walk(const char *directory, struct totals *totals)
{
    DIR *entries = opendir(directory);
    struct dirent *entry;
    assert_non_null(entries);
    while ((entry = readdir(entries)) != NULL) {
        char path[PATH_SIZE];
        struct stat status;
        if (entry->d_name[0] == '.')
            continue;
        (void)snprintf(path, sizeof(path), "%s/%s", directory, entry->d_name);
        if (stat(path, &status) == 0 && S_ISDIR(status.st_mode)) {
            walk(path, totals);
        } else if (shared_ends_with(path, ".log") || shared_ends_with(path, ".log.gz")) {
            assert_true(shared_load(path, "/x.log"));
            read_log(totals);
        } else if (shared_ends_with(path, ".chk") || shared_ends_with(path, ".chk.gz")) {
            assert_true(shared_load(path, "/x.chk"));
            read_checkpoint(totals);
        }
    }
    closedir(entries);
}

static void all_records_of_real_logs_parse(void **state)
{
    static struct totals totals;
    char path[PATH_SIZE];
    const char *shared = shared_directory();
    (void)state;
    if (shared == NULL) {
        print_message("no ../shared here: skipped\n");
        skip();
    }
    assert_int_equal(EsentHostUseMemoryFiles(), JET_errSuccess);
    (void)snprintf(path, sizeof(path), "%s/golden/files", shared);
    walk(path, &totals);
    (void)snprintf(path, sizeof(path), "%s/edb/museum", shared);
    walk(path, &totals);
    print_message("%u files, %u records, %u checkpoints\n", totals.files, totals.records, totals.checkpoints);
    assert_true(totals.files >= 40);
    assert_true(totals.records >= 24000);
    assert_true(totals.checkpoints >= 20);
    assert_true(totals.by_type[LOG_RECORD_SPLIT2] > 0);
    assert_true(totals.by_type[LOG_RECORD_ATTACH_DATABASE] > 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {cmocka_unit_test(all_records_of_real_logs_parse)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
