/* What a start makes of the logs, the checkpoint and the databases it finds, with each of its options. */
#include "tests/recovery_start_world.h"

#include "src/os/clock.h"

static void none(const char *path)
{
    (void)path;
}

static void other_signature(const char *path)
{
    change(path, offsetof(struct log_file_header, log_signature));
}

static void other_history(const char *path)
{
    change(path, offsetof(struct log_file_header, previous_created));
}

static void other_birth(const char *path)
{
    change(path, offsetof(struct log_file_header, created));
}

static void other_checksum(const char *path)
{
    change(path, offsetof(struct log_file_header, previous_segments_checksum));
}

static void older_minor(const char *path)
{
    read_first(path);
    struct log_file_header header;
    memcpy(&header, bytes, sizeof header);
    header.update_minor = 0;
    header.previous_segments_checksum ^= 1;
    memcpy(bytes, &header, sizeof header);
    write_first(path);
}

static void other_page_size(const char *path)
{
    read_first(path);
    struct log_file_header header;
    memcpy(&header, bytes, sizeof header);
    header.page_size = 8192;
    memcpy(bytes, &header, sizeof header);
    write_first(path);
}

static void no_page_size(const char *path)
{
    read_first(path);
    struct log_file_header header;
    memcpy(&header, bytes, sizeof header);
    header.page_size = 0;
    memcpy(bytes, &header, sizeof header);
    write_first(path);
}

static void other_size(const char *path)
{
    read_first(path);
    struct log_file_header header;
    memcpy(&header, bytes, sizeof header);
    header.file_sectors *= 2;
    memcpy(bytes, &header, sizeof header);
    write_first(path);
    OK(EsentHostFileSetSize(path, header.file_sectors * 4096ull));
}

static void damaged(const char *path)
{
    OK(EsentHostFileCorrupt(path, 4096 + 300, 0x55));
}

static void renamed_to_6(const char *path)
{
    OK(EsentHostFileRename(path, "/a/edb00006.log"));
}

static void in_place_of_3(const char *path)
{
    OK(EsentHostFileRename(path, "/a/edb00003.log"));
}

/* The last two: nothing is left that says that there was more. */
static void remove_both(const char *path)
{
    OK(EsentHostFileDelete(path));
    OK(EsentHostFileDelete("/a/edb.log"));
}

static void eight_digits(const char *path)
{
    OK(EsentHostFileRename(path, "/a/edb00000001.log"));
}

static void eight_digits_no_checkpoint(const char *path)
{
    eight_digits(path);
    OK(EsentHostFileDelete("/a/edb.chk"));
}

static void eight_digits_no_current(const char *path)
{
    eight_digits_no_checkpoint(path);
    OK(EsentHostFileDelete("/a/edb.log"));
}

/* Behind the term, a segment that belongs elsewhere. */
static void something_behind(const char *path)
{
    static uint8_t segment[4096];
    struct log_file_reader *reader;
    size_t done;
    OK(log_file_open(path, &reader));
    const uint32_t sector = log_file_reader_end(reader)->end.sector;
    log_file_close(reader);
    OK(EsentHostFileRead(path, (sector - 1) * 4096ull, segment, sizeof segment, &done));
    struct log_segment_header header;
    memcpy(&header, segment, sizeof header);
    header.position.sector = (uint16_t)(sector + 3);
    memcpy(segment, &header, sizeof header);
    header.checksum = checksum_block(segment, sizeof segment, sector, true);
    memcpy(segment, &header, sizeof header);
    OK(EsentHostFileWrite(path, sector * 4096ull, segment, sizeof segment));
}

static void with_temporary(const char *path)
{
    OK(EsentHostFileRename(path, "/a/edbtmp.log"));
}

/* Beside it, files that are called nearly as logs are. */
static void with_strangers(const char *path)
{
    OK(EsentHostFileCopy("/a/edb00003.log", "/a/abc00009.log"));
    OK(EsentHostFileCopy("/a/edb00003.log", "/a/edb00009.txt"));
    with_temporary(path);
}

struct start_case {
    const char *path;
    void (*change)(const char *path);
    JET_GRBIT grbit;
    bool delete_logs;
    JET_ERR answer;
    int rows;
    int32_t required, committed; /* what the database says of the logs; 0: as it does */
};

static void require(int32_t required, int32_t committed)
{
    struct database_header header = read_header();
    if (required == 0)
        return;
    header.generation_max_required = required;
    header.generation_max_committed = committed;
    memset(&header.generation_max_create_time, 0, sizeof header.generation_max_create_time);
    write_header(&header);
}

static bool exists(const char *path)
{
    struct ESENT_HOST_FILE_INFO info;
    return EsentHostFileInfo(path, &info) >= JET_errSuccess;
}

static const char *const files[] = {"/a/edb00001.log", "/a/edb00002.log", "/a/edb00003.log",
                                    "/a/edb00004.log", "/a/edb00005.log", "/a/edb.log",
                                    DATABASE};
#define FILES (sizeof files / sizeof *files)

static void try_cases(uint32_t saved, const struct start_case *cases, size_t count)
{
    bool there[FILES];
    make_world();
    for (size_t i = 0; i < count; i++) {
        begin_case(saved);
        cases[i].change(cases[i].path);
        require(cases[i].required, cases[i].committed);
        with.grbit = cases[i].grbit;
        with.delete_logs = cases[i].delete_logs;
        for (unsigned k = 0; k < FILES; k++)
            there[k] = exists(files[k]);
        const JET_ERR err = start();
        const int found = err >= JET_errSuccess ? rows() : 0;
        for (unsigned k = 0; k < FILES && err < JET_errSuccess; k++)
            assert_int_equal(exists(files[k]), there[k]); /* a start that fails has deleted nothing */
        if (err != cases[i].answer || found != cases[i].rows)
            print_message("%d %s, bits %x: %d, %d rows\n", (int)i, cases[i].path, (unsigned)cases[i].grbit,
                          (int)err, found);
        assert_int_equal(err, cases[i].answer);
        assert_int_equal(found, cases[i].rows);
    }
}

static void logs_after_a_crash(void **state)
{
    (void)state;
    static const struct start_case cases[] = {
        {NULL, none, 0, false, JET_errSuccess, ROWS, 0, 0},
        {"/a/edb.log", remove_file, 0, false, JET_errRequiredLogFilesMissing, 0, 0, 0},
        {"/a/edb.log", remove_file, 0, false, JET_errCommittedLogFilesMissing, 0, 5, 6},
        {"/a/edb.log", remove_file, JET_bitReplayIgnoreLostLogs, false, JET_wrnCommittedLogFilesLost,
         ROWS - 1, 5, 6},
        {"/a/edb.log", remove_file, JET_bitRecoveryWithoutUndo, false, JET_errCommittedLogFilesMissing, 0, 5,
         6},
        {"/a/edb.log", remove_file, JET_bitRecoveryWithoutUndo, false, JET_errRecoveredWithoutUndo, 0, 5, 5},
        {"/a/edb.log", with_temporary, 0, false, JET_errCommittedLogFilesMissing, 0, 5, 6},
        {"/a/edb.log", with_temporary, 0, false, JET_errSuccess, ROWS - 1, 5, 5},
        {"/a/edb.log", with_strangers, 0, false, JET_errSuccess, ROWS - 1, 5, 5},
        {"/a/edb.log", renamed_to_6, 0, false, JET_errSuccess, ROWS, 0, 0},
        {"/a/edb00005.log", remove_both, 0, false, JET_errCommittedLogFilesMissing, 0, 4, 6},
        {"/a/edb00003.log", remove_file, 0, false, JET_errInvalidLogSequence, 0, 0, 0},
        {"/a/edb00003.log", remove_file, JET_bitReplayIgnoreLostLogs, false, JET_errInvalidLogSequence, 0, 0,
         0},
        {"/a/edb00003.log", remove_file, 0, false, JET_errCommittedLogFilesMissing, 0, 2, 6},
        {"/a/edb00003.log", remove_file, JET_bitReplayIgnoreLostLogs, true, JET_wrnCommittedLogFilesRemoved,
         2, 2, 6},
        {"/a/edb00003.log", remove_file, JET_bitReplayIgnoreLostLogs, true, JET_wrnCommittedLogFilesRemoved,
         2, 2, 2},
        {"/a/edb00001.log", remove_file, 0, false, JET_errMissingLogFile, 0, 0, 0},
        {"/a/edb00004.log", in_place_of_3, 0, false, JET_errInvalidLogSequence, 0, 0, 0},
        {"/a/edb00003.log", other_signature, 0, false, JET_errBadLogSignature, 0, 0, 0},
        {"/a/edb00003.log", other_history, 0, false, JET_errInvalidLogSequence, 0, 0, 0},
        {"/a/edb00003.log", other_history, JET_bitReplayIgnoreLostLogs, false, JET_errInvalidLogSequence, 0,
         0, 0},
        {"/a/edb00003.log", other_history, JET_bitReplayIgnoreLostLogs, true, JET_errInvalidLogSequence, 0, 0,
         0},
        {"/a/edb00003.log", other_history, 0, true, JET_errInvalidLogSequence, 0, 2, 2},
        {"/a/edb00003.log", other_history, 0, false, JET_errCommittedLogFilesMissing, 0, 2, 6},
        {"/a/edb00003.log", other_history, 0, true, JET_errCommittedLogFilesMissing, 0, 2, 6},
        {"/a/edb00003.log", other_history, JET_bitReplayIgnoreLostLogs, true, JET_wrnCommittedLogFilesRemoved,
         2, 2, 6},
        {"/a/edb.log", other_history, 0, false, JET_errInvalidLogSequence, 0, 0, 0},
        {"/a/edb.log", other_history, JET_bitReplayIgnoreLostLogs, true, JET_wrnCommittedLogFilesRemoved, 5,
         5, 6},
        {"/a/edb.log", other_history, JET_bitReplayIgnoreLostLogs, false, JET_errCommittedLogFilesMissing, 0,
         5, 6},
        {"/a/edb.log", damaged, JET_bitReplayIgnoreLostLogs, false, JET_errCommittedLogFileCorrupt, 0, 5, 6},
        {"/a/edb.log", remove_file, JET_bitReplayIgnoreLostLogs, false, JET_errSuccess, ROWS - 1, 5, 5},
        {"/a/edb00003.log", remove_both, 0, false, JET_errMissingLogFile, 0, 2, 2},
        {"/a/edb00001.log", eight_digits, 0, false, JET_errMissingLogFile, 0, 0, 0},
        {"/a/edb00001.log", eight_digits_no_checkpoint, 0, false, JET_errRequiredLogFilesMissing, 0, 0, 0},
        {"/a/edb00001.log", eight_digits_no_current, 0, false, JET_errMissingPreviousLogFile, 0, 0, 0},
        {"/a/edb.log", other_birth, 0, false, JET_errRequiredLogFilesMissing, 0, 0, 0},
        {"/a/edb.log", other_birth, JET_bitReplayIgnoreLostLogs, false, JET_errSuccess, ROWS, 0, 0},
        {"/a/edb00003.log", other_checksum, 0, false, JET_errLogSequenceChecksumMismatch, 0, 0, 0},
        {"/a/edb00003.log", older_minor, 0, false, JET_errSuccess, ROWS, 0, 0},
        {"/a/edb00003.log", other_page_size, 0, false, JET_errPageSizeMismatch, 0, 0, 0},
        {"/a/edb.log", other_page_size, 0, false, JET_errPageSizeMismatch, 0, 0, 0},
        {"/a/edb00003.log", no_page_size, 0, false, JET_errSuccess, ROWS, 0, 0},
        {"/a/edb00003.log", other_size, 0, false, JET_errLogFileSizeMismatch, 0, 0, 0},
        {"/a/edb00003.log", damaged, 0, false, JET_errLogFileCorrupt, 0, 0, 0},
        {"/a/edb00003.log", damaged, 0, false, JET_errCommittedLogFileCorrupt, 0, 2, 6},
        {"/a/edb00003.log", damaged, JET_bitReplayIgnoreLostLogs, true, JET_wrnCommittedLogFilesRemoved, 2, 2,
         6},
        {"/a/edb.log", damaged, 0, false, JET_errLogFileCorrupt, 0, 0, 0},
        {"/a/edb.log", damaged, 0, false, JET_errCommittedLogFileCorrupt, 0, 5, 6},
        {"/a/edb.chk", remove_file, 0, false, JET_errSuccess, ROWS, 0, 0},
        {NULL, none, JET_bitTruncateLogsAfterRecovery, false, JET_errSuccess, ROWS, 0, 0},
        {NULL, none, JET_bitRecoveryWithoutUndo, false, JET_errRecoveredWithoutUndo, 0, 0, 0},
        {NULL, none, JET_bitLogStreamMustExist, false, JET_errSuccess, ROWS, 0, 0},
        {NULL, none, 0, true, JET_errSuccess, ROWS, 0, 0},
    };
    try_cases(1, cases, sizeof cases / sizeof *cases);
}

static void logs_after_an_end(void **state)
{
    (void)state;
    static const struct start_case cases[] = {
        {NULL, none, 0, false, JET_errSuccess, ROWS, 0, 0},
        {"/a/edb.chk", remove_file, 0, false, JET_errSuccess, ROWS, 0, 0},
        {NULL, none, JET_bitRecoveryWithoutUndo, false, JET_errRecoveredWithoutUndoDatabasesConsistent, 0, 0,
         0},
        {"/a/edb.chk", remove_file, JET_bitRecoveryWithoutUndo, false,
         JET_errRecoveredWithoutUndoDatabasesConsistent, 0, 0, 0},
        {"/a/edb.log", remove_file, 0, false, JET_errMissingLogFile, 0, 0, 0},
        {"/a/edb.log", other_signature, 0, false, JET_errBadLogSignature, 0, 0, 0},
        {"/a/edb.log", something_behind, 0, false, JET_errLogFileCorrupt, 0, 0, 0},
    };
    try_cases(2, cases, sizeof cases / sizeof *cases);
}

static void of_a_backup(struct database_header *header)
{
    header->full_current.generation_low = 1;
    header->full_current.generation_high = 0;
}

/* --- options --- */

static void a_backups_database(void **state)
{
    (void)state;
    make_world();
    begin_case(1);
    struct database_header header = read_header();
    of_a_backup(&header);
    write_header(&header);
    with.grbit = JET_bitRecoveryWithoutUndo; /* whoever does not undo may look at it */
    assert_int_equal(start(), JET_errRecoveredWithoutUndo);
}

static void missing_databases(void **state)
{
    (void)state;
    make_world();
    for (int i = 0; i < 4; i++) {
        begin_case(1);
        OK(EsentHostFileDelete(DATABASE));
        OK(EsentHostFileDelete("/a/edb.chk"));
        OK(EsentHostFileDelete("/a/edb00001.log"));
        with.grbit = i == 0   ? 0
                     : i == 1 ? JET_bitReplayIgnoreMissingDB
                     : i == 2 ? JET_bitReplayIgnoreMissingDB | JET_bitKeepDbAttachedAtEndOfRecovery
                              : JET_bitRecoveryWithoutUndo;
        const JET_ERR expected = i == 0   ? JET_errAttachedDatabaseMismatch
                                 : i == 3 ? JET_errAttachedDatabaseMismatch
                                          : JET_errSuccess;
        assert_int_equal(start(), expected);
    }
}

/* Where databases are looked for: by a map, or in another folder. */
static void other_places(void **state)
{
    (void)state;
    static const struct {
        const char *from, *to, *alternate;
        JET_GRBIT grbit;
        JET_ERR answer;
        const char *place; /* where the database is made */
    } cases[] = {
        {DATABASE, "/m/m.edb", NULL, 0, JET_errSuccess, "/m/m.edb"},
        {"/A/A.EDB", "/m/m.edb", NULL, 0, JET_errSuccess, "/m/m.edb"},
        {"/a/./a.edb", "/m/m.edb", NULL, 0, JET_errSuccess, "/m/m.edb"},
        {"/none.edb", "/m/m.edb", NULL, 0, JET_errAttachedDatabaseMismatch, NULL},
        {"/none.edb", "/m/m.edb", NULL, JET_bitReplayMissingMapEntryDB, JET_errSuccess, DATABASE},
        {NULL, NULL, "/m", 0, JET_errSuccess, "/m/a.edb"},
        {NULL, NULL, "/none", 0, JET_errAttachedDatabaseMismatch, NULL},
        {NULL, NULL, "", 0, JET_errSuccess, DATABASE},
    };
    make_world();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        begin_case(1);
        OK(EsentHostFileDelete(DATABASE));
        OK(EsentHostDirectoryCreate("/m"));
        with.from = cases[i].from;
        with.to = cases[i].to;
        with.alternate = cases[i].alternate;
        with.grbit = cases[i].grbit;
        const JET_ERR err = start();
        if (err != cases[i].answer)
            print_message("place %d: %d\n", (int)i, (int)err);
        assert_int_equal(err, cases[i].answer);
        if (cases[i].place != NULL)
            assert_true(exists(cases[i].place));
        assert_int_equal(exists("/m/m.edb"),
                         cases[i].place != NULL && strcmp(cases[i].place, "/m/m.edb") == 0);
    }
}

/* Redo ends at a place of the log that the program names. */
static void a_stop(void **state)
{
    (void)state;
    make_world();
    for (int generation = 2; generation <= 9; generation++) {
        begin_case(1);
        with.stop = (JET_LGPOS){0, 1, generation};
        const JET_ERR err = start();
        assert_int_equal(err, generation <= 6 ? JET_errRecoveredWithoutUndo : JET_errSuccess);
    }
    begin_case(1);
    OK(EsentHostFileDelete("/a/edb.log"));
    require(5, 5);
    with.grbit = JET_bitReplayIgnoreLostLogs;
    with.stop = (JET_LGPOS){0, 1, 9};
    assert_int_equal(start(), JET_errMissingLogFile);
}

static void sizes_of_logs(void **state)
{
    (void)state;
    struct ESENT_HOST_FILE_INFO info;
    make_world();
    for (uint32_t files = 1; files <= 2; files++) {
        /* Another size than the logs have: refused once the databases are consistent, unless they may go. */
        begin_case(files);
        with.log_size = 256;
        assert_int_equal(start(), JET_errLogFileSizeMismatchDatabasesConsistent);
        assert_true(exists("/a/edb00001.log"));
        begin_case(files);
        with.log_size = 256;
        with.cleanup_logs = true;
        OK(start());
        assert_false(exists("/a/edb00001.log"));
        OK(EsentHostFileInfo("/a/edb.log", &info));
        assert_int_equal(info.size, 256 * 1024);
        assert_int_equal(rows(), ROWS);
        /* Nobody asked for a size: that of the logs. */
        begin_case(files);
        with.log_size = 0;
        OK(start());
        OK(EsentHostFileInfo("/a/edb.log", &info));
        assert_int_equal(info.size, 128 * 1024);
    }
    /* Each step of the change fails once. */
    for (uint64_t nth = 1, failed = 1; failed; nth++) {
        begin_case(2);
        with.log_size = 256;
        with.cleanup_logs = true;
        EsentHostResetCounters();
        EsentHostFailNth(ESENT_HOST_FAULT_IO, nth, 1);
        const JET_ERR err = start();
        failed = EsentHostCountFailures(ESENT_HOST_FAULT_IO);
        EsentHostFailNone();
        if (err < JET_errSuccess) {
            EsentHostCrash();
            const JET_ERR again = start();
            if (again < JET_errSuccess)
                print_message("%u: %d, then %d\n", (unsigned)nth, (int)err, (int)again);
            OK(again);
        }
    }
}

static void no_logs(void **state)
{
    (void)state;
    make_world();
    begin_case(2);
    OK(EsentHostFileCopy(DATABASE, "/a.edb"));
    OK(EsentHostDirectoryDelete("/a"));
    OK(EsentHostDirectoryCreate("/a"));
    with.grbit = JET_bitLogStreamMustExist;
    assert_int_equal(start(), JET_errMissingLogFile);
    assert_false(exists("/a/edb.log"));
}

/* Logs that the current one has no place for. */
static void logs_out_of_range(void **state)
{
    (void)state;
    make_world();
    for (int i = 0; i < 4; i++) {
        /* The current log is number 6. */
        const char *path = i < 2 ? "/a/edb00009.log" : "/a/edb00006.log";
        begin_case(2);
        OK(EsentHostFileCopy("/a/edb00003.log", path));
        with.delete_logs = i % 2 == 1;
        OK(start());
        assert_int_equal(exists(path), i % 2 == 0);
        assert_true(exists("/a/edb00005.log"));
        assert_int_equal(rows(), ROWS);
    }
}

static void truncate_after(void)
{
    with.grbit = JET_bitTruncateLogsAfterRecovery;
}

static void delete_beyond(void)
{
    OK(EsentHostFileCopy("/a/edb00003.log", "/a/edb00009.log"));
    with.delete_logs = true;
}

static void without_checkpoint(void)
{
    OK(EsentHostFileDelete("/a/edb.chk"));
}

static void lose_logs(void)
{
    OK(EsentHostFileDelete("/a/edb.log"));
    require(5, 6);
    with.grbit = JET_bitReplayIgnoreLostLogs;
}

static void remove_logs(void)
{
    other_history("/a/edb.log");
    require(5, 6);
    with.grbit = JET_bitReplayIgnoreLostLogs;
    with.delete_logs = true;
}

/* Each file operation and each allocation of other starts fails once; the next start does what that one
 * should have. */
static void each_point_of_other_starts(void **state)
{
    (void)state;
    static const struct {
        uint32_t files;
        void (*prepare)(void);
        int rows;
    } cases[] = {
        {1, truncate_after, ROWS}, {2, delete_beyond, ROWS},   {2, without_checkpoint, ROWS},
        {1, lose_logs, ROWS - 1},  {1, remove_logs, ROWS - 1},
    };
    static const enum ESENT_HOST_FAULT kinds[] = {ESENT_HOST_FAULT_IO, ESENT_HOST_FAULT_ALLOCATE};
    make_world();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        for (size_t k = 0; k < 2; k++) {
            for (uint64_t nth = 1, failed = 1; failed; nth += k == 0 ? 1 : 3) {
                begin_case(cases[i].files);
                cases[i].prepare();
                make_instance();
                EsentHostResetCounters();
                EsentHostFailNth(kinds[k], nth, 1);
                JET_ERR err = JetInit3A(&instance, NULL, with.grbit);
                failed = EsentHostCountFailures(kinds[k]);
                EsentHostFailNone();
                /* Only the old logs that are of no use may stay. */
                if (failed && k == 1 && i != 0)
                    assert_true(err < JET_errSuccess);
                if (err < JET_errSuccess) {
                    assert_true(failed != 0);
                    EsentHostCrash();
                    err = start();
                }
                if (err < JET_errSuccess)
                    print_message("start %d, %s %u: %d\n", (int)i, EsentHostFaultName(kinds[k]),
                                  (unsigned)nth, (int)err);
                assert_true(err >= JET_errSuccess);
                assert_int_equal(rows(), cases[i].rows);
            }
        }
    }
}

/* Logs that do not follow are deleted where that is allowed: all of them, and none in front of them. */
static void logs_that_do_not_follow_go(void **state)
{
    (void)state;
    for (int generation = 3; generation <= 6; generation++) {
        char path[20] = "/a/edb.log";
        make_world();
        begin_case(1);
        if (generation < 6)
            (void)snprintf(path, sizeof path, "/a/edb%05d.log", generation);
        other_history(path);
        require(generation - 1, 6);
        with.grbit = JET_bitReplayIgnoreLostLogs;
        with.delete_logs = true;
        assert_int_equal(start(), JET_wrnCommittedLogFilesRemoved);
        for (int i = 1; i < 6; i++) {
            (void)snprintf(path, sizeof path, "/a/edb%05d.log", i);
            assert_int_equal(exists(path), i < generation);
        }
        assert_int_equal(rows(), generation - 1);
    }
}

/* The last segment was being written again when the machine went down; its shadow lies behind it, where the
 * log goes on. */
static void a_torn_end_is_mended(void **state)
{
    static uint8_t segment[4096];
    struct log_file_reader *reader;
    size_t done;
    (void)state;
    make_world();
    begin_case(1);
    OK(log_file_open("/a/edb.log", &reader));
    const uint64_t last = log_file_reader_end(reader)->end.sector - 1u;
    log_file_close(reader);
    OK(EsentHostFileRead("/a/edb.log", last * 4096, segment, sizeof segment, &done));
    OK(EsentHostFileWrite("/a/edb.log", (last + 1) * 4096, segment, sizeof segment));
    OK(EsentHostFileCorrupt("/a/edb.log", last * 4096 + 60, 0x55));
    OK(EsentHostFileCorrupt("/a/edb.log", last * 4096 + 61, 0x17));
    for (unsigned more = 0; more < 3; more++) {
        OK(start());
        assert_int_equal(rows(), ROWS + more);
        add_row();
        OK(JetCommitTransaction(session, JET_bitWaitAllLevel0Commit));
        EsentHostCrash();
    }
}

/* A start that may lose logs dies on the way: the next one needs no leave once the database does without
 * them. */
static void lost_logs_are_lost_once(void **state)
{
    unsigned without_leave = 0;
    uint64_t failed = 1;
    (void)state;
    make_world();
    for (uint64_t nth = 1; failed; nth++) {
        begin_case(1);
        struct database_header header = read_header();
        assert_int_equal(header.generation_max_committed, ROWS);
        header.generation_max_required = ROWS - 1;
        write_header(&header); /* no page needs the last log, when that was made is known */
        OK(EsentHostFileDelete("/a/edb.log"));
        with.grbit = JET_bitReplayIgnoreLostLogs;
        make_instance();
        EsentHostResetCounters();
        EsentHostFailNth(ESENT_HOST_FAULT_IO, nth, 1);
        (void)JetInit3A(&instance, NULL, with.grbit);
        failed = EsentHostCountFailures(ESENT_HOST_FAULT_IO);
        EsentHostFailNone();
        EsentHostCrash();
        with.grbit = JET_bitAllowMissingCurrentLog;
        const JET_ERR err = start();
        if (err == JET_errSuccess) {
            without_leave++;
            assert_int_equal(rows(), ROWS - 1);
        } else {
            assert_int_equal(err, JET_errCommittedLogFilesMissing);
        }
    }
    assert_true(without_leave > 5);
}

/* One log is all there is. */
static void nothing_to_truncate(void **state)
{
    const struct ESENT_HOST_SIMULATION simulation = {.seed = 1};
    (void)state;
    (void)EsentHostReset(NULL, 0);
    OK(EsentHostUseMemoryFiles());
    OK(EsentHostUseSimulation(&simulation));
    OK(EsentHostDirectoryCreate("/a"));
    memset(&with, 0, sizeof with);
    OK(start());
    EsentHostCrash();
    with.grbit = JET_bitTruncateLogsAfterRecovery;
    OK(start());
    assert_true(exists("/a/edb.log"));
}

/* A checkpoint file that is another's, or says what cannot be: the logs are read from the first. */
static void checkpoints(void **state)
{
    (void)state;
    make_world();
    for (int i = 0; i < 8; i++) {
        struct checkpoint checkpoint;
        begin_case(i < 5 ? 1 : 2);
        read_first("/a/edb.chk");
        memcpy(&checkpoint, bytes, sizeof checkpoint);
        switch (i) {
        case 0:
        case 5:
            checkpoint.log_signature.random ^= 1;
            break;
        case 1: /* no list of databases */
            checkpoint.version &= (uint8_t)~CHECKPOINT_ATTACHMENTS_PRESENT;
            break;
        case 2: /* a log that is not there */
            checkpoint.checkpoint.generation = 20;
            break;
        case 3:
        case 6:
            checkpoint.file_type = 9;
            break;
        case 4:
        case 7:
            checkpoint.file_type = 0;
            break;
        }
        memcpy(bytes, &checkpoint, sizeof checkpoint);
        checksum_header_set(bytes, sizeof bytes);
        OK(EsentHostFileWrite("/a/edb.chk", 0, bytes, sizeof bytes));
        OK(EsentHostFileWrite("/a/edb.chk", 4096, bytes, sizeof bytes));
        const JET_ERR err = start();
        assert_int_equal(err, i == 2 ? JET_errMissingLogFile : JET_errSuccess);
        if (i != 2)
            assert_int_equal(rows(), ROWS);
    }
}

static struct log_file_header log_header(const char *path)
{
    struct log_file_header header;
    read_first(path);
    memcpy(&header, bytes, sizeof header);
    return header;
}

/* What logs and the checkpoint say of themselves; each log was made five seconds after the one before. */
static void files_tell_of_themselves(void **state)
{
    (void)state;
    make_world();
    for (int circular = 0; circular < 2; circular++) {
        struct checkpoint checkpoint;
        begin_case(2);
        with.cleanup_logs = circular == 1;
        OK(start());
        OK(JetBeginSessionA(instance, &session, NULL, NULL));
        roll();
        OK(JetTerm2(instance, JET_bitTermComplete));
        const uint32_t flags = circular == 1 ? LOG_PARAMETERS_CIRCULAR : 0;
        const struct log_file_header last = log_header("/a/edb.log");
        assert_int_equal(last.parameters.log_file_sectors, 32);
        assert_int_equal(last.parameters.flags, flags);
        read_first("/a/edb.chk");
        memcpy(&checkpoint, bytes, sizeof checkpoint);
        assert_int_equal(checkpoint.parameters.log_file_sectors, 32);
        assert_int_equal(checkpoint.parameters.flags, flags);
    }
    begin_case(2);
    const struct log_file_header third = log_header("/a/edb00003.log");
    const struct log_file_header fourth = log_header("/a/edb00004.log");
    const int64_t made = os_log_time_to_clock(&third.created);
    assert_int_equal(os_log_time_to_clock(&fourth.created) - made, 5000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(logs_after_a_crash),
        cmocka_unit_test(files_tell_of_themselves),
        cmocka_unit_test(logs_after_an_end),
        cmocka_unit_test(a_backups_database),
        cmocka_unit_test(missing_databases),
        cmocka_unit_test(other_places),
        cmocka_unit_test(a_stop),
        cmocka_unit_test(sizes_of_logs),
        cmocka_unit_test(no_logs),
        cmocka_unit_test(logs_out_of_range),
        cmocka_unit_test(checkpoints),
        cmocka_unit_test(each_point_of_other_starts),
        cmocka_unit_test(logs_that_do_not_follow_go),
        cmocka_unit_test(a_torn_end_is_mended),
        cmocka_unit_test(lost_logs_are_lost_once),
        cmocka_unit_test(nothing_to_truncate),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
