/* What recovery and restore do with logs that are not as they should be, and what they write into the log
 * themselves. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "src/log/log.h"
#include "src/log/log_reader.h"
#include "src/os/path.h"
#include "src/page/checksum.h"
#include "src/page/database_header.h"
#include "tests/small_logs_world.h"

/* A full backup of three logs in /bk; with a clock that moves between them. */
static int set_up(void **state)
{
    (void)state;
    const struct ESENT_HOST_SIMULATION simulation = {.seed = 1};
    JET_DBID database;
    (void)EsentHostReset(NULL, 0);
    OK(EsentHostUseMemoryFiles());
    OK(EsentHostUseSimulation(&simulation));
    OK(EsentHostSetProfile(ESENT_HOST_DOCUMENTED));
    OK(EsentHostDirectoryCreate("/a"));
    OK(EsentHostDirectoryCreate("/bk"));
    make_instance();
    OK(JetInit(&instance));
    OK(JetBeginSessionA(instance, &session, NULL, NULL));
    OK(JetCreateDatabaseA(session, "/a/a.edb", NULL, &database, 0));
    OK(JetCreateTableA(session, database, "t", 1, 80, &table));
    for (int i = 0; i < 2; i++) {
        add_row();
        roll();
    }
    OK(JetBackupInstanceA(instance, "/bk", 0, NULL));
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    if (instance != JET_instanceNil)
        (void)JetTerm2(instance, JET_bitTermAbrupt);
    return EsentHostReset(NULL, 0) == 0 ? 0 : -1;
}

/* --- restore --- */

static JET_ERR restore(void)
{
    OK(JetTerm2(instance, JET_bitTermComplete));
    OK(EsentHostDirectoryDelete("/a"));
    OK(EsentHostDirectoryCreate("/a"));
    make_instance();
    const JET_ERR err = JetRestoreInstanceA(instance, "/bk", NULL, NULL);
    (void)JetTerm2(instance, JET_bitTermAbrupt);
    instance = JET_instanceNil;
    return err;
}

static void change_time(const char *path, size_t offset)
{
    static _Alignas(4096) uint8_t bytes[4096];
    size_t done;
    OK(EsentHostFileRead(path, 0, bytes, sizeof bytes, &done));
    bytes[offset] ^= 1;
    checksum_header_set(bytes, sizeof bytes);
    OK(EsentHostFileWrite(path, 0, bytes, sizeof bytes));
}

static void a_chain_of_logs_restores(void **state)
{
    (void)state;
    OK(restore());
}

/* A log that says of the one before that it was made at another time belongs to another history. */
static void logs_of_two_histories_do_not(void **state)
{
    (void)state;
    change_time("/bk/edb00002.log", offsetof(struct log_file_header, previous_created));
    assert_int_equal(restore(), JET_errGivenLogFileIsNotContiguous);
}

static void strangers_beside_the_backup_are_left_out(void **state)
{
    (void)state;
    struct ESENT_HOST_FILE_INFO info;
    JET_RSTMAP_A map = {.szDatabaseName = (char *)"/a/a.edb", .szNewDatabaseName = (char *)"/bk/a.edb"};
    JET_LOGINFO_A range = {.cbSize = sizeof range, .ulGenLow = 1, .ulGenHigh = 3, .szBaseName = "edb"};
    OK(JetTerm2(instance, JET_bitTermComplete));
    instance = JET_instanceNil;
    EsentHostCrash();
    OK(EsentHostDirectoryCreate("/r"));
    OK(EsentHostFileCopy("/bk/edb00003.log", "/bk/edb00005.log"));
    char checkpoint[] = "/r/", logs[] = "/r/", backup[] = "/bk/";
    OK(JetExternalRestore2A(checkpoint, logs, &map, 1, backup, &range, NULL, NULL, NULL, NULL));
    assert_int_not_equal(EsentHostFileInfo("/bk/edb00005.log", &info), JET_errSuccess);
    OK(EsentHostFileInfo("/bk/edb00003.log", &info));
}

/* --- logs behind those of the backup --- */

static uint32_t rows_after_restore(void)
{
    JET_DBID database;
    uint32_t rows;
    make_instance();
    OK(JetInit(&instance));
    OK(JetBeginSessionA(instance, &session, NULL, NULL));
    assert_true(JetAttachDatabaseA(session, "/a/a.edb", 0) >= JET_errSuccess);
    OK(JetOpenDatabaseA(session, "/a/a.edb", NULL, &database, 0));
    OK(JetOpenTableA(session, database, "t", NULL, 0, 0, &table));
    OK(JetIndexRecordCount(session, table, &rows, 0));
    OK(JetTerm2(instance, JET_bitTermComplete));
    instance = JET_instanceNil;
    return rows;
}

static void remove_log(const char *path)
{
    OK(EsentHostFileDelete(path));
}

static void other_signature(const char *path)
{
    change_time(path, offsetof(struct log_file_header, log_signature));
}

static void other_history(const char *path)
{
    change_time(path, offsetof(struct log_file_header, previous_created));
}

static void other_birth(const char *path)
{
    change_time(path, offsetof(struct log_file_header, created));
}

/* Logs 1 to 3 are the backup's, 4 and 5 and the current one follow; each after the first holds a row. */
static void restore_goes_on_with_the_logs_there(void **state)
{
    static const struct {
        const char *path;
        void (*change)(const char *path);
        JET_ERR answer;
        uint32_t rows;
    } cases[] = {
        {NULL, NULL, JET_errSuccess, 5},
        {"/a/edb.log", remove_log, JET_errSuccess, 4},
        {"/a/edb00001.log", remove_log, JET_errSuccess, 5},
        {"/a/edb00003.log", remove_log, JET_errExistingLogFileIsNotContiguous, 0},
        {"/a/edb00004.log", remove_log, JET_errMissingCurrentLogFiles, 0},
        {"/a/edb00005.log", remove_log, JET_errExistingLogFileIsNotContiguous, 0},
        {"/a/edb00002.log", other_signature, JET_errSuccess, 5},
        {"/a/edb00004.log", other_signature, JET_errExistingLogFileHasBadSignature, 0},
        {"/a/edb00005.log", other_signature, JET_errExistingLogFileHasBadSignature, 0},
        {"/a/edb.log", other_signature, JET_errExistingLogFileHasBadSignature, 0},
        {"/a/edb00001.log", other_birth, JET_errSuccess, 5},
        {"/a/edb00002.log", other_history, JET_errExistingLogFileIsNotContiguous, 0},
        {"/a/edb00004.log", other_history, JET_errExistingLogFileIsNotContiguous, 0},
        {"/a/edb00005.log", other_history, JET_errExistingLogFileIsNotContiguous, 0},
        {"/a/edb.log", other_history, JET_errExistingLogFileIsNotContiguous, 0},
        {"/bk/edb00001.log", remove_log, JET_errRequiredLogFilesMissing, 0},
        {"/bk/edb00002.log", remove_log, JET_errFileNotFound, 0},
        {"/bk/edb00003.log", remove_log, JET_errSuccess, 5},
        {"/bk/edb00003.log", other_signature, JET_errBadLogSignature, 0},
    };
    (void)state;
    add_row();
    roll();
    add_row();
    roll();
    add_row();
    EsentHostCrash();
    OK(EsentHostFilesSave(1));
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        OK(EsentHostFilesRestore(1));
        if (cases[i].change != NULL)
            cases[i].change(cases[i].path);
        OK(EsentHostFileDelete("/a/edb.chk"));
        OK(EsentHostFileDelete("/a/a.edb"));
        make_instance();
        const JET_ERR err = JetRestoreInstanceA(instance, "/bk", NULL, NULL);
        (void)JetTerm2(instance, JET_bitTermAbrupt);
        instance = JET_instanceNil;
        if (err != cases[i].answer)
            print_message("%s: %d\n", cases[i].path, (int)err);
        assert_int_equal(err, cases[i].answer);
        if (err == JET_errSuccess)
            assert_int_equal(rows_after_restore(), cases[i].rows);
    }
}

/* --- the databases of a backup --- */

static void change_page(const char *path, uint64_t page, size_t offset, bool right_checksum)
{
    static _Alignas(4096) uint8_t bytes[4096];
    size_t done;
    OK(EsentHostFileRead(path, page * sizeof bytes, bytes, sizeof bytes, &done));
    bytes[offset] ^= 1;
    if (right_checksum)
        checksum_header_set(bytes, sizeof bytes);
    OK(EsentHostFileWrite(path, page * sizeof bytes, bytes, sizeof bytes));
}

static void copies_are_told_from_others(void **state)
{
    (void)state;
    struct ESENT_HOST_FILE_INFO info;
    OK(EsentHostFileInfo("/bk/a.edb", &info));
    const uint64_t trailer = info.size / 4096 - 1;
    const struct {
        uint64_t page; /* and the one behind it, for headers */
        size_t offset;
        bool right_checksum;
        JET_ERR answer;
    } cases[] = {
        {trailer, 2000, true, JET_errSuccess},
        {trailer, 2000, false, JET_errBadPatchPage},
        {trailer, offsetof(struct database_trailer, backup), true, JET_errDatabasePatchFileMismatch},
        {trailer, offsetof(struct database_trailer, database_signature), true,
         JET_errDatabasePatchFileMismatch},
        {trailer, offsetof(struct database_trailer, log_signature), true, JET_errDatabasePatchFileMismatch},
        {0, offsetof(struct database_header, signature), true, JET_errDatabasePatchFileMismatch},
        {0, offsetof(struct database_header, log_signature), true, JET_errDatabasePatchFileMismatch},
        {0, 2000, false, JET_errDatabaseCorrupted},
    };
    OK(JetTerm2(instance, JET_bitTermComplete));
    instance = JET_instanceNil;
    OK(EsentHostFilesSave(1));
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        OK(EsentHostFilesRestore(1));
        change_page("/bk/a.edb", cases[i].page, cases[i].offset, cases[i].right_checksum);
        if (cases[i].page == 0)
            change_page("/bk/a.edb", 1, cases[i].offset, cases[i].right_checksum);
        OK(EsentHostDirectoryDelete("/a"));
        OK(EsentHostDirectoryCreate("/a"));
        make_instance();
        const JET_ERR err = JetRestoreInstanceA(instance, "/bk", NULL, NULL);
        (void)JetTerm2(instance, JET_bitTermAbrupt);
        instance = JET_instanceNil;
        if (err != cases[i].answer)
            print_message("case %zu: %d\n", i, (int)err);
        assert_int_equal(err, cases[i].answer);
    }
}

/* --- what the caller is told --- */

static char told[400];

static JET_ERR JET_API tell(JET_SESID who, JET_SNP what, JET_SNT when, void *data)
{
    (void)who;
    const JET_SNPROG *numbers = data;
    const size_t used = strlen(told);
    assert_int_equal(what, JET_snpRestore);
    snprintf(told + used, sizeof told - used, "%s%u/%u ",
             when == JET_sntBegin      ? "begin "
             : when == JET_sntProgress ? ""
             : when == JET_sntComplete ? "complete "
                                       : "fail ",
             numbers->cunitDone, numbers->cunitTotal);
    return JET_errSuccess;
}

static void a_restore_tells_how_far_it_is(void **state)
{
    (void)state;
    OK(JetTerm2(instance, JET_bitTermComplete));
    OK(EsentHostDirectoryDelete("/a"));
    OK(EsentHostDirectoryCreate("/a"));
    make_instance();
    told[0] = '\0';
    OK(JetRestoreInstanceA(instance, "/bk", NULL, tell));
    (void)JetTerm2(instance, JET_bitTermAbrupt);
    instance = JET_instanceNil;
    /* Three logs of 32 sectors, and the copy of the database counts as one more: a quarter each. */
    assert_string_equal(told,
                        "begin 0/100 25/100 26/100 27/100 28/100 29/100 30/100 31/100 32/100 33/100 34/100 "
                        "35/100 36/100 50/100 51/100 52/100 75/100 76/100 complete 100/100 ");
}

static JET_ERR start_and_tell(JET_GRBIT grbit)
{
    JET_RSTINFO_A info = {.cbStruct = sizeof info, .pfnStatus = tell};
    make_instance();
    told[0] = '\0';
    const JET_ERR err = JetInit3A(&instance, &info, grbit);
    if (err >= JET_errSuccess)
        OK(JetTerm2(instance, JET_bitTermComplete));
    instance = JET_instanceNil;
    return err;
}

static void a_start_tells_how_far_it_is(void **state)
{
    (void)state;
    static const char damage[] = "something that no log holds";
    EsentHostCrash();
    assert_int_equal(start_and_tell(JET_bitRecoveryWithoutUndo), JET_errRecoveredWithoutUndo);
    assert_memory_equal(told, "begin 0/100 ", 12);
    assert_string_equal(told + strlen(told) - 17, "complete 100/100 ");
    /* Nothing is told if there is nothing to redo. */
    OK(start_and_tell(0));
    assert_string_equal(told + strlen(told) - 17, "complete 100/100 ");
    OK(start_and_tell(0));
    assert_string_equal(told, "");
    make_instance();
    OK(JetInit(&instance));
    OK(JetBeginSessionA(instance, &session, NULL, NULL));
    OK(JetAttachDatabaseA(session, "/a/a.edb", 0));
    roll();
    roll();
    EsentHostCrash();
    /* The log before the current one is damaged: redo fails. */
    struct log_file_header header;
    char path[40];
    OK(log_file_header_read("/a/edb.log", &header));
    snprintf(path, sizeof path, "/a/edb%05x.log", (unsigned)header.generation - 1);
    OK(EsentHostFileWrite(path, 4096 + 100, damage, sizeof damage));
    assert_true(start_and_tell(0) < JET_errSuccess);
    assert_string_equal(told + strlen(told) - 13, "fail 100/100 ");
}

/* --- macros --- */

/* Appends the beginning of a split that the crash cut short. */
static void begin_macro(dbtime time)
{
    const struct log_settings settings = {.log_directory = "/a/",
                                          .system_directory = "/a/",
                                          .base_name = "edb",
                                          .legacy_extensions = true,
                                          .enabled = true,
                                          .file_size = 128 * 1024,
                                          .page_size = 4096};
    const struct log_record_macro record = {LOG_RECORD_MACRO_BEGIN, 1, time};
    struct log_file_reader *reader;
    struct log *log;
    OK(log_create(&settings, &log));
    OK(log_file_open("/a/edb.log", &reader));
    OK(log_start_existing(log, reader));
    log_file_close(reader);
    OK(log_append_record(log, &record, sizeof record, NULL));
    OK(log_flush_all(log));
    OK(log_abandon(log));
    log_destroy(log);
}

static unsigned aborted_macros(dbtime time)
{
    unsigned found = 0;
    for (unsigned generation = 1; generation < 10; generation++) {
        char path[100];
        struct log_file_reader *reader;
        const struct log_record_header *record;
        struct log_position position;
        size_t size;
        snprintf(path, sizeof path, generation == 9 ? "/a/edb.log" : "/a/edb%05x.log", generation);
        if (log_file_open(path, &reader) < JET_errSuccess)
            continue;
        while (log_file_next(reader, &record, &size, &position) == JET_errSuccess) {
            const struct log_record_macro *macro = (const struct log_record_macro *)(const void *)record;
            found += macro->type == LOG_RECORD_MACRO_ABORT && macro->dbtime == time;
        }
        log_file_close(reader);
    }
    return found;
}

static void a_split_cut_short_is_declared_ended(void **state)
{
    (void)state;
    EsentHostCrash();
    begin_macro(100000);
    assert_int_equal(aborted_macros(100000), 0);
    make_instance();
    OK(JetInit(&instance));
    OK(JetTerm2(instance, JET_bitTermComplete));
    instance = JET_instanceNil;
    assert_int_equal(aborted_macros(100000), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_chain_of_logs_restores, set_up, tear_down),
        cmocka_unit_test_setup_teardown(logs_of_two_histories_do_not, set_up, tear_down),
        cmocka_unit_test_setup_teardown(strangers_beside_the_backup_are_left_out, set_up, tear_down),
        cmocka_unit_test_setup_teardown(restore_goes_on_with_the_logs_there, set_up, tear_down),
        cmocka_unit_test_setup_teardown(copies_are_told_from_others, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_restore_tells_how_far_it_is, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_start_tells_how_far_it_is, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_split_cut_short_is_declared_ended, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
