/* What recovery and restore do with logs that are not as they should be, and what they write into the log
 * themselves. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "include/esent.h"
#include "include/esent_host.h"
#include "src/log/log.h"
#include "src/log/log_reader.h"
#include "src/os/path.h"
#include "src/page/checksum.h"

#define OK(call) assert_int_equal((call), JET_errSuccess)

static JET_INSTANCE instance;

static void make_instance(void)
{
    OK(JetCreateInstanceA(&instance, "traces"));
    OK(JetSetSystemParameterA(&instance, 0, JET_paramLogFilePath, 0, "/a/"));
    OK(JetSetSystemParameterA(&instance, 0, JET_paramSystemPath, 0, "/a/"));
    OK(JetSetSystemParameterA(&instance, 0, JET_paramTempPath, 0, "/a/"));
    OK(JetSetSystemParameterA(&instance, 0, JET_paramLogFileSize, 128, NULL));
}

/* A full backup of three logs in /bk; with a clock that moves between them. */
static int set_up(void **state)
{
    (void)state;
    const struct ESENT_HOST_SIMULATION simulation = {.seed = 1};
    JET_SESID session;
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
    for (int i = 0; i < 2; i++) { /* each leaves a log behind */
        char list[300];
        OK(JetBeginExternalBackupInstance(instance, 0));
        OK(JetGetLogInfoInstanceA(instance, list, sizeof list, NULL));
        OK(JetEndExternalBackupInstance2(instance, JET_bitBackupEndAbort));
        EsentHostAdvanceClock(5000);
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
        cmocka_unit_test_setup_teardown(a_split_cut_short_is_declared_ended, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
