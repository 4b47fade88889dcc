/* Restores: of ranges and into places that the program names, behind a running target, from torn and damaged
 * logs, of databases whose headers say other things; and each point of them fails once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "src/log/log_reader.h"
#include "src/page/checksum.h"
#include "src/page/database_header.h"
#include "tests/small_logs_world.h"

#define IS(call, code) assert_int_equal((call), (code))
#define DATABASE "/a/a.edb"

/* A backup of logs 1 to 3 in /bk; behind it two logs with a row each and a current one with another. */
static void make_world(void)
{
    const struct ESENT_HOST_SIMULATION simulation = {.seed = 1};
    JET_DBID database;
    (void)EsentHostReset(NULL, 0);
    OK(EsentHostUseMemoryFiles());
    OK(EsentHostUseSimulation(&simulation));
    OK(EsentHostDirectoryCreate("/a"));
    OK(EsentHostDirectoryCreate("/bk"));
    OK(EsentHostDirectoryCreate("/r"));
    make_instance_in("source", "/a/");
    OK(JetInit(&instance));
    OK(JetBeginSessionA(instance, &session, NULL, NULL));
    OK(JetCreateDatabaseA(session, DATABASE, NULL, &database, 0));
    OK(JetCreateTableA(session, database, "t", 1, 80, &table));
    for (int i = 0; i < 2; i++) {
        add_row();
        roll();
    }
    OK(JetBackupInstanceA(instance, "/bk", 0, NULL));
    for (int i = 0; i < 3; i++) {
        add_row();
        if (i < 2)
            roll();
    }
    OK(JetCommitTransaction(session, JET_bitWaitAllLevel0Commit));
}

static void save_crashed(void)
{
    make_world();
    EsentHostCrash();
    OK(EsentHostFilesSave(1));
}

static void begin_case(void)
{
    EsentHostCrash();
    OK(EsentHostFilesRestore(1));
}

static uint32_t rows(const char *folder, const char *path)
{
    JET_DBID database;
    uint32_t count;
    make_instance_in("rows", folder);
    OK(JetInit(&instance));
    OK(JetBeginSessionA(instance, &session, NULL, NULL));
    assert_true(JetAttachDatabaseA(session, path, 0) >= JET_errSuccess);
    OK(JetOpenDatabaseA(session, path, NULL, &database, 0));
    OK(JetOpenTableA(session, database, "t", NULL, 0, 0, &table));
    OK(JetIndexRecordCount(session, table, &count, 0));
    OK(JetTerm2(instance, JET_bitTermComplete));
    return count;
}

/* Beside the logs that are there already. */
static JET_ERR restore(const char *to)
{
    make_instance_in("restored", "/a/");
    const JET_ERR err = JetRestoreInstanceA(instance, "/bk", to, NULL);
    (void)JetTerm2(instance, JET_bitTermAbrupt);
    return err;
}

static JET_ERR external(uint32_t low, uint32_t high, const char *target, const char *logs)
{
    JET_RSTMAP_A map = {.szDatabaseName = (char *)DATABASE, .szNewDatabaseName = (char *)"/bk/a.edb"};
    JET_LOGINFO_A range = {.cbSize = sizeof range, .ulGenLow = low, .ulGenHigh = high, .szBaseName = "edb"};
    char folder[20], backup[] = "/bk/", name[20] = "";
    (void)snprintf(folder, sizeof folder, "%s", logs);
    if (target != NULL)
        (void)snprintf(name, sizeof name, "%s", target);
    return JetExternalRestore2A(folder, folder, &map, 1, backup, &range, target != NULL ? name : NULL, NULL,
                                NULL, NULL);
}

/* --- ranges and places --- */

static void a_running_target(void **state)
{
    (void)state;
    make_world();
    OK(external(1, 3, "source", "/r/"));
    add_row(); /* it runs on */
    OK(JetTerm2(instance, JET_bitTermComplete));
    assert_int_equal(rows("/r/", "/bk/a.edb"), 5);
}

static void a_target_that_lacks_a_log(void **state)
{
    (void)state;
    make_world();
    OK(EsentHostFileDelete("/a/edb00004.log"));
    IS(external(1, 3, "source", "/r/"), JET_errMissingCurrentLogFiles);
    OK(JetTerm2(instance, JET_bitTermComplete));
}

/* The backup lies where its logs are continued: none of them is deleted as foreign, and a hole is one. */
static void beside_the_backup(void **state)
{
    (void)state;
    struct ESENT_HOST_FILE_INFO info;
    save_crashed();
    begin_case();
    OK(EsentHostFileCopy("/a/edb00004.log", "/bk/edb00004.log"));
    OK(external(1, 3, NULL, "/bk/"));
    OK(EsentHostFileInfo("/bk/edb00004.log", &info));
    assert_int_equal(rows("/bk/", "/bk/a.edb"), 3);
    begin_case();
    OK(EsentHostFileDelete("/bk/edb00002.log"));
    IS(external(3, 3, NULL, "/bk/"), JET_errMissingRestoreLogFiles);
    OK(EsentHostFileInfo("/bk/edb00001.log", &info));
}

static void ranges(void **state)
{
    (void)state;
    static const struct {
        uint32_t low, high;
        JET_ERR answer;
        uint32_t rows;
    } cases[] = {
        {1, 3, JET_errSuccess, 2},
        {0, 0, JET_errInvalidPath, 0},
        {1, 0, JET_errSuccess, 2},
        {0, 3, JET_errInvalidPath, 0},
        {3, 1, JET_errInternalError, 0},
        {1, 4, JET_errFileNotFound, 0},
        {2, 3, JET_errRequiredLogFilesMissing, 0},
        {1, 2, JET_errRequiredLogFilesMissing, 0},
    };
    save_crashed();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        begin_case();
        IS(external(cases[i].low, cases[i].high, NULL, "/r/"), cases[i].answer);
        if (cases[i].answer >= JET_errSuccess)
            assert_int_equal(rows("/r/", "/bk/a.edb"), cases[i].rows);
    }
}

static void places(void **state)
{
    (void)state;
    save_crashed();
    begin_case();
    OK(restore(NULL));
    assert_int_equal(rows("/a/", DATABASE), 5);
    begin_case();
    OK(restore(""));
    assert_int_equal(rows("/a/", DATABASE), 5);
    begin_case();
    OK(restore("/r/"));
    assert_int_equal(rows("/a/", "/r/a.edb"), 5);
    begin_case();
    OK(restore("/bk/")); /* where it lies */
    assert_int_equal(rows("/a/", "/bk/a.edb"), 5);
    begin_case();
    char path[1200];
    memset(path, 'x', sizeof path);
    path[0] = '/';
    path[1100] = 0;
    IS(restore(path), JET_errInvalidPath);
    begin_case();
    path[1021] = 0;
    assert_true(restore(path) < JET_errSuccess);
    /* A patch file without its database, and the other way round. */
    begin_case();
    OK(EsentHostFileDelete("/bk/a.edb"));
    IS(restore(NULL), JET_errAttachedDatabaseMismatch);
    begin_case();
    OK(EsentHostFileCopy("/bk/a.pat", "/bk/b.pat"));
    OK(EsentHostFileDelete("/bk/a.pat"));
    IS(restore(NULL), JET_errAttachedDatabaseMismatch);
}

/* --- torn and damaged logs --- */

/* The last segment of a log was being written again when the machine went down: its shadow lies behind it. */
static void tear(const char *path)
{
    struct log_file_reader *reader;
    uint8_t bytes[4096];
    size_t done;
    OK(log_file_open(path, &reader));
    const uint64_t last = log_file_reader_end(reader)->end.sector - 1u;
    log_file_close(reader);
    OK(EsentHostFileRead(path, last * 4096, bytes, sizeof bytes, &done));
    OK(EsentHostFileWrite(path, (last + 1) * 4096, bytes, sizeof bytes));
    OK(EsentHostFileCorrupt(path, last * 4096 + 60, 0x55));
    OK(EsentHostFileCorrupt(path, last * 4096 + 61, 0x17));
}

static void damage(const char *path)
{
    OK(EsentHostFileCorrupt(path, 4096 + 60, 0x55));
    OK(EsentHostFileCorrupt(path, 4096 + 61, 0x17));
}

/* A segment that is well, but for a record of no kind that there is. */
static void garble(const char *path)
{
    struct log_segment_header header;
    uint8_t bytes[4096];
    size_t done;
    OK(EsentHostFileRead(path, 4096, bytes, sizeof bytes, &done));
    bytes[sizeof header] = 0xff;
    memcpy(&header, bytes, sizeof header);
    header.checksum = checksum_block(bytes, sizeof bytes, 1, true);
    memcpy(bytes, &header, sizeof header);
    OK(EsentHostFileWrite(path, 4096, bytes, sizeof bytes));
}

static void torn_and_damaged_logs(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        void (*change)(const char *path);
        JET_ERR answer;
    } cases[] = {
        {"/bk/edb00001.log", tear, JET_errLogTornWriteDuringHardRestore},
        {"/bk/edb00002.log", tear, JET_errLogTornWriteDuringHardRestore},
        {"/bk/edb00003.log", tear, JET_errLogTornWriteDuringHardRestore},
        {"/a/edb00004.log", tear, JET_errLogTornWriteDuringHardRecovery},
        {"/a/edb.log", tear, JET_errSuccess},
        {"/bk/edb00001.log", damage, JET_errLogCorruptDuringHardRestore},
        {"/bk/edb00002.log", damage, JET_errLogCorruptDuringHardRestore},
        {"/bk/edb00003.log", damage, JET_errLogCorruptDuringHardRestore},
        {"/a/edb00004.log", damage, JET_errLogCorruptDuringHardRecovery},
        {"/a/edb.log", damage, JET_errLogCorruptDuringHardRecovery},
        {"/bk/edb00001.log", garble, JET_errLogCorruptDuringHardRestore},
        {"/bk/edb00003.log", garble, JET_errLogCorruptDuringHardRestore},
        {"/a/edb00004.log", garble, JET_errLogCorruptDuringHardRecovery},
        {"/a/edb.log", garble, JET_errLogCorruptDuringHardRecovery},
    };
    save_crashed();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        begin_case();
        cases[i].change(cases[i].path);
        const JET_ERR err = restore(NULL);
        if (err != cases[i].answer)
            print_message("%s: %d\n", cases[i].path, (int)err);
        assert_int_equal(err, cases[i].answer);
    }
}

/* --- headers --- */

static _Alignas(4096) uint8_t page[4096];

static void change_header(void (*change)(struct database_header *header), bool both)
{
    struct database_header header;
    size_t done;
    OK(EsentHostFileRead("/bk/a.edb", 0, page, sizeof page, &done));
    memcpy(&header, page, sizeof header);
    change(&header);
    memcpy(page, &header, sizeof header);
    checksum_header_set(page, sizeof page);
    OK(EsentHostFileWrite("/bk/a.edb", 0, page, sizeof page));
    if (both)
        OK(EsentHostFileWrite("/bk/a.edb", 4096, page, sizeof page));
}

static void of_a_snapshot(struct database_header *header)
{
    header->snapshot_current.mark = (struct log_position){0, 1, 1};
}

static void of_another_logs_snapshot(struct database_header *header)
{
    of_a_snapshot(header);
    header->log_signature.random ^= 1;
}

static void with_its_range(struct database_header *header)
{
    header->full_current.generation_high = 3;
}

static void of_no_backup(struct database_header *header)
{
    header->full_current.generation_low = 0;
}

static void of_another_begin(struct database_header *header)
{
    header->full_current.mark.byte++;
}

static void as_it_is(struct database_header *header)
{
    (void)header;
}

static void no_trailer(void)
{
    struct ESENT_HOST_FILE_INFO info;
    OK(EsentHostFileInfo("/bk/a.edb", &info));
    OK(EsentHostFileCorrupt("/bk/a.edb", info.size - 4096 + 20, 0x55));
}

static void headers(void **state)
{
    (void)state;
    static const struct {
        void (*change)(struct database_header *header);
        bool trailer;
        JET_ERR answer;
    } cases[] = {
        {as_it_is, true, JET_errSuccess},
        {as_it_is, false, JET_errBadPatchPage},
        {of_a_snapshot, true, JET_errSuccess},
        {of_a_snapshot, false, JET_errSuccess},
        {of_another_logs_snapshot, true, JET_errDatabasePatchFileMismatch},
        {with_its_range, true, JET_errSuccess},
        {with_its_range, false, JET_errSuccess},
        {of_no_backup, true, JET_errRestoreOfNonBackupDatabase},
        {of_another_begin, true, JET_errDatabasePatchFileMismatch},
    };
    save_crashed();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        begin_case();
        change_header(cases[i].change, true);
        if (!cases[i].trailer)
            no_trailer();
        const JET_ERR err = restore(NULL);
        if (err != cases[i].answer)
            print_message("header %d: %d\n", (int)i, (int)err);
        assert_int_equal(err, cases[i].answer);
        if (err >= JET_errSuccess)
            assert_int_equal(rows("/a/", DATABASE), 5);
    }
}

/* --- faults --- */

static void of_an_older_range(struct database_header *header)
{
    header->generation_max_required = header->generation_max_committed = 1;
    memset(&header->generation_max_create_time, 1, sizeof header->generation_max_create_time);
    memset(&header->generation_max_required_time, 1, sizeof header->generation_max_required_time);
}

/* A restore that stops on the way: its database needs all logs of the backup from its beginning on, whenever
 * they were made. */
static void a_restore_that_stops(void **state)
{
    static const struct log_time none;
    struct database_header header;
    size_t done;
    (void)state;
    save_crashed();
    begin_case();
    change_header(of_an_older_range, true);
    garble("/bk/edb00002.log");
    IS(restore("/r/"), JET_errLogCorruptDuringHardRestore);
    OK(EsentHostFileRead("/r/a.edb", 0, page, sizeof page, &done));
    memcpy(&header, page, sizeof header);
    assert_int_equal(header.full_current.generation_high, 3);
    assert_int_equal(header.generation_max_required, 3);
    assert_int_equal(header.generation_max_committed, 3);
    assert_memory_equal(&header.generation_max_create_time, &none, sizeof none);
    assert_memory_equal(&header.generation_max_required_time, &none, sizeof none);
}

static JET_ERR restore_there(void)
{
    return restore("/r/");
}

static JET_ERR restore_external(void)
{
    return external(1, 3, NULL, "/a/");
}

static void damage_one_header(void)
{
    OK(EsentHostFileCorrupt("/bk/a.edb", 100, 0x55));
    OK(EsentHostFileCorrupt("/bk/a.edb", 101, 0x17));
}

static void sweep(JET_ERR (*act)(void), enum ESENT_HOST_FAULT kind, const char *path)
{
    for (uint64_t nth = 1, failed = 1; failed; nth++) {
        begin_case();
        damage_one_header();
        EsentHostResetCounters();
        EsentHostFailNth(kind, nth, 1);
        const JET_ERR err = act();
        failed = EsentHostCountFailures(kind);
        EsentHostFailNone();
        if (!failed || err >= JET_errSuccess) {
            OK(err);
            assert_int_equal(rows("/a/", path), 5);
        }
    }
}

static void each_point_fails(void **state)
{
    (void)state;
    save_crashed();
    sweep(restore_there, ESENT_HOST_FAULT_IO, "/r/a.edb");
    sweep(restore_external, ESENT_HOST_FAULT_IO, "/bk/a.edb");
    sweep(restore_external, ESENT_HOST_FAULT_ALLOCATE, "/bk/a.edb");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_running_target),
        cmocka_unit_test(a_target_that_lacks_a_log),
        cmocka_unit_test(beside_the_backup),
        cmocka_unit_test(ranges),
        cmocka_unit_test(places),
        cmocka_unit_test(torn_and_damaged_logs),
        cmocka_unit_test(headers),
        cmocka_unit_test(a_restore_that_stops),
        cmocka_unit_test(each_point_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
