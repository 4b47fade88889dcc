/* What a backup leaves behind: records in its log, bytes in its streams, entries in headers. Things that no
 * call answers, and that a restore years later stands on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "include/esent.h"
#include "include/esent_host.h"
#include "src/log/log_reader.h"
#include "src/page/database_header.h"
#include "src/page/checksum.h"
#include "src/page/page.h"

#define BUFFER (1u << 16)
#define OK(call) assert_int_equal((call), JET_errSuccess)
#define DATABASE "/a/a.edb"
#define PAGE 4096u
#define RECORDS_MAX 64

static JET_INSTANCE instance;
static JET_SESID session;
static JET_DBID database;
static JET_TABLEID table;
static JET_COLUMNID column;
static uint8_t *copy; /* what was streamed last */
static uint32_t copy_size;

static void make_instance(void)
{
    OK(JetCreateInstanceA(&instance, "traces"));
    OK(JetSetSystemParameterA(&instance, 0, JET_paramLogFilePath, 0, "/a/"));
    OK(JetSetSystemParameterA(&instance, 0, JET_paramSystemPath, 0, "/a/"));
    OK(JetSetSystemParameterA(&instance, 0, JET_paramTempPath, 0, "/a/"));
    OK(JetSetSystemParameterA(&instance, 0, JET_paramLogFileSize, 128, NULL));
    OK(JetInit(&instance));
}

static void add_row(uint32_t size, JET_GRBIT how)
{
    static uint8_t bytes[2000];
    OK(JetBeginTransaction(session));
    OK(JetPrepareUpdate(session, table, JET_prepInsert));
    OK(JetSetColumn(session, table, column, bytes, size, 0, NULL));
    OK(JetUpdate(session, table, NULL, 0, NULL));
    OK(JetCommitTransaction(session, how));
}

static int set_up(void **state)
{
    (void)state;
    const struct ESENT_HOST_SIMULATION simulation = {.seed = 1};
    const JET_COLUMNDEF definition = {.cbStruct = sizeof definition, .coltyp = JET_coltypLongBinary};
    (void)EsentHostReset(NULL, 0);
    OK(EsentHostUseMemoryFiles());
    OK(EsentHostUseSimulation(&simulation));
    OK(EsentHostSetProfile(ESENT_HOST_DOCUMENTED));
    OK(EsentHostDirectoryCreate("/a"));
    OK(JetSetSystemParameterA(NULL, 0, JET_paramDatabasePageSize, PAGE, NULL));
    make_instance();
    OK(JetBeginSessionA(instance, &session, NULL, NULL));
    OK(JetCreateDatabaseA(session, DATABASE, NULL, &database, 0));
    OK(JetCreateTableA(session, database, "t", 1, 80, &table));
    OK(JetAddColumnA(session, table, "data", &definition, NULL, 0, &column));
    add_row(100, 0);
    copy = malloc(1u << 22);
    return copy == NULL ? -1 : 0;
}

static int tear_down(void **state)
{
    (void)state;
    (void)JetTerm2(instance, JET_bitTermAbrupt | JET_bitTermStopBackup);
    free(copy);
    return EsentHostReset(NULL, 0) == 0 ? 0 : -1;
}

/* Reads a file of the backup into `copy`, so much at a time. */
static void stream(const char *name, uint32_t chunk)
{
    static _Alignas(4096) uint8_t buffer[BUFFER];
    JET_HANDLE handle;
    uint32_t low, high, got;
    OK(JetOpenFileInstanceA(instance, name, &handle, &low, &high));
    copy_size = 0;
    do {
        OK(JetReadFileInstance(instance, handle, buffer, chunk, &got));
        memcpy(copy + copy_size, buffer, got);
        copy_size += got;
    } while (got != 0);
    OK(JetCloseFileInstance(instance, handle));
    assert_int_equal(copy_size, ((uint64_t)high << 32) + low);
}

/* The logs of the backup, read to their ends; the last one's name. */
static void stream_logs(char *last, size_t size)
{
    char list[1000];
    OK(JetGetLogInfoInstanceA(instance, list, sizeof list, NULL));
    for (const char *name = list; *name != 0; name += strlen(name) + 1) {
        stream(name, BUFFER);
        snprintf(last, size, "%s", name);
    }
}

static void back_up(JET_GRBIT kind, JET_GRBIT end)
{
    char last[300];
    OK(JetBeginExternalBackupInstance(instance, kind));
    if (kind == 0)
        stream(DATABASE, BUFFER);
    stream_logs(last, sizeof last);
    OK(JetTruncateLogInstance(instance));
    OK(JetEndExternalBackupInstance2(instance, end));
}

/* --- the log --- */

/* The backup records of all logs, as text: "begin(full) ...". */
static void backup_records(char *text, size_t size)
{
    static const char *const phases[] = {"?", "begin", "prepare", "truncate", "update", "abort", "stop"};
    text[0] = '\0';
    for (int generation = 0; generation < 32; generation++) {
        char path[100];
        struct log_file_reader *reader;
        const struct log_record_header *record;
        struct log_position position;
        size_t bytes;
        snprintf(path, sizeof path, generation == 31 ? "/a/edb.log" : "/a/edb%05x.log", (unsigned)generation);
        if (log_file_open(path, &reader) < JET_errSuccess)
            continue;
        while (log_file_next(reader, &record, &bytes, &position) == JET_errSuccess) {
            const struct log_record_backup *backup = (const struct log_record_backup *)(const void *)record;
            if (backup->type == LOG_RECORD_BACKUP) {
                const size_t used = strlen(text);
                snprintf(text + used, size - used, "%s%s(%u,%u-%u)", used > 0 ? " " : "",
                         phases[backup->phase], backup->scope, backup->details.generation_low,
                         backup->details.generation_high);
            }
        }
        log_file_close(reader);
    }
}

static void the_log_tells_of_backups(void **state)
{
    (void)state;
    char text[2000];
    back_up(0, JET_bitBackupEndNormal);
    add_row(100, 0);
    back_up(JET_bitBackupIncremental, JET_bitBackupEndNormal);
    OK(JetBeginExternalBackupInstance(instance, 0));
    OK(JetEndExternalBackupInstance2(instance, JET_bitBackupEndAbort));
    OK(JetTerm2(instance, JET_bitTermComplete));
    backup_records(text, sizeof text);
    assert_string_equal(text, "begin(1,0-0) prepare(1,0-0) truncate(1,1-1) update(1,1-1) stop(1,0-0) "
                              "begin(2,0-0) prepare(2,0-0) truncate(2,1-1) update(2,1-2) stop(2,0-0) "
                              "begin(1,0-0) abort(1,0-0) stop(1,0-0)");
}

static void snapshot(JET_GRBIT kind)
{
    JET_OSSNAPID id;
    uint32_t count;
    JET_INSTANCE_INFO_A *info;
    OK(JetOSSnapshotPrepare(&id, kind | JET_bitContinueAfterThaw));
    OK(JetOSSnapshotFreezeA(id, &count, &info, 0));
    OK(JetFreeBuffer((char *)info));
    OK(JetOSSnapshotThaw(id, 0));
    assert_int_equal(JetOSSnapshotTruncateLog(id, JET_bitAllDatabasesSnapshot),
                     kind == JET_bitCopySnapshot ? JET_errOSSnapshotInvalidSequence : JET_errSuccess);
    OK(JetOSSnapshotEnd(id, 0));
}

static void the_log_tells_of_snapshots(void **state)
{
    (void)state;
    char text[2000];
    JET_OSSNAPID id;
    assert_int_equal(JetOSSnapshotPrepare(&id, 0x1000), JET_errInvalidGrbit);
    snapshot(0);
    add_row(100, 0);
    snapshot(JET_bitIncrementalSnapshot);
    add_row(100, 0);
    snapshot(JET_bitCopySnapshot);
    OK(JetTerm2(instance, JET_bitTermComplete));
    backup_records(text, sizeof text);
    assert_string_equal(text, "begin(1,0-0) prepare(1,0-0) truncate(1,1-1) update(1,1-1) stop(1,0-0) "
                              "begin(2,0-0) prepare(2,0-0) truncate(2,1-1) update(2,1-2) stop(2,0-0) "
                              "begin(1,0-0) prepare(1,0-0) update(5,1-3) stop(1,0-0)");
}

/* A backup by snapshots of the volume, whose range the caller names. */
static void the_log_tells_of_surrogates(void **state)
{
    (void)state;
    char text[2000];
    back_up(0, JET_bitBackupEndAbort);
    OK(JetBeginSurrogateBackup(instance, 1, 2, 0));
    OK(JetEndSurrogateBackup(instance, JET_bitBackupEndNormal));
    JET_DBINFOMISC4 info;
    OK(JetGetDatabaseInfoA(session, database, &info, sizeof info, JET_DbInfoMisc));
    assert_int_equal(info.bkinfoCopyPrev.genLow, 1);
    assert_int_equal(info.bkinfoCopyPrev.genHigh, 2);
    assert_int_not_equal(info.bkinfoCopyPrev.lgposMark.lGeneration, 0);
    add_row(100, 0);
    OK(JetTerm2(instance, JET_bitTermComplete));
    backup_records(text, sizeof text);
    assert_string_equal(text, "begin(1,0-0) prepare(1,0-0) truncate(1,1-1) abort(1,0-0) stop(1,0-0) "
                              "begin(1,0-0) update(5,1-2) stop(1,0-0)");
}

/* --- headers --- */

static struct database_header header_of(const char *path, uint32_t page)
{
    struct database_header header;
    size_t done;
    OK(EsentHostFileRead(path, (uint64_t)page * PAGE, &header, sizeof header, &done));
    return header;
}

/* Puts the database back as it was at FilesSave(1), and leaves the logs as they are. */
static void database_of_before(void)
{
    static const char *const names[] = {"/a/edb.log", "/a/edb00001.log", "/a/edb00002.log"};
    static uint8_t logs[3][131072];
    size_t done[3] = {0};
    for (size_t i = 0; i < 3; i++)
        (void)EsentHostFileRead(names[i], 0, logs[i], sizeof logs[i], &done[i]);
    OK(EsentHostFilesRestore(1));
    for (size_t i = 0; i < 3; i++) {
        if (done[i] > 0)
            OK(EsentHostFileWrite(names[i], 0, logs[i], done[i]));
    }
}

/* Recovery repeats the entry in a header that was not written before the machine stopped. */
static void a_header_entry_is_redone(void **state)
{
    (void)state;
    char last[300];
    OK(JetBeginExternalBackupInstance(instance, 0));
    stream(DATABASE, BUFFER);
    stream_logs(last, sizeof last);
    OK(JetTruncateLogInstance(instance));
    OK(EsentHostFilesSave(1));
    OK(JetEndExternalBackupInstance(instance));
    add_row(100, 0); /* which takes the record to the disk */
    EsentHostCrash();
    const struct database_header after = header_of(DATABASE, 0);
    database_of_before();
    assert_int_equal(header_of(DATABASE, 0).full_previous.generation_high, 0);
    make_instance();
    OK(JetTerm2(instance, JET_bitTermComplete));
    const struct database_header redone = header_of(DATABASE, 0);
    assert_memory_equal(&redone.full_previous, &after.full_previous, sizeof after.full_previous);
    assert_int_equal(redone.full_previous_type, after.full_previous_type);
    assert_int_equal(redone.full_previous.generation_low, 1);
    assert_int_equal(redone.full_previous.generation_high, 1);
}

/* An entry that cannot be written is not there, and the next backup can write its own. */
static void a_header_that_cannot_be_written(void **state)
{
    (void)state;
    char last[300];
    JET_DBINFOMISC4 info;
    unsigned entries = 0;
    for (uint64_t nth = 1; nth < 5; nth++) {
        OK(JetBeginExternalBackupInstance(instance, 0));
        stream(DATABASE, BUFFER);
        stream_logs(last, sizeof last);
        OK(JetTruncateLogInstance(instance));
        OK(JetGetDatabaseInfoA(session, database, &info, sizeof info, JET_DbInfoMisc));
        const uint32_t was = info.bkinfoFullPrev.genHigh;
        EsentHostResetCounters();
        EsentHostFailNth(ESENT_HOST_FAULT_WRITE, nth, 1);
        OK(JetEndExternalBackupInstance(instance));
        const bool failed = EsentHostCountFailures(ESENT_HOST_FAULT_WRITE) > 0;
        EsentHostFailNone();
        OK(JetGetDatabaseInfoA(session, database, &info, sizeof info, JET_DbInfoMisc));
        if (failed)
            assert_int_equal(info.bkinfoFullPrev.genHigh, was);
        else
            assert_true(info.bkinfoFullPrev.genHigh > was);
        entries += !failed;
    }
    assert_int_equal(entries, 2); /* the header is written twice */
}

/* --- streams --- */

static void look_at_stream(void)
{
    struct ESENT_HOST_FILE_INFO file;
    struct database_trailer trailer;
    uint8_t page[PAGE];
    size_t done;
    OK(EsentHostFileInfo(DATABASE, &file));
    assert_int_equal(copy_size, file.size + PAGE);
    for (uint32_t at = 2 * PAGE; at < file.size; at += PAGE) {
        OK(EsentHostFileRead(DATABASE, at, page, PAGE, &done));
        assert_memory_equal(copy + at, page, PAGE);
    }
    assert_memory_equal(copy, copy + PAGE, PAGE);
    const struct database_header *header = (const struct database_header *)(const void *)copy;
    assert_int_equal(header->checksum, checksum_header(copy, PAGE));
    memcpy(&trailer, copy + file.size, sizeof trailer);
    assert_int_equal(trailer.backup.generation_low, header->full_current.generation_low);
    assert_true(trailer.backup.generation_high >= (uint32_t)header->generation_max_committed);
}

static void a_stream_holds_the_whole_file(void **state)
{
    (void)state;
    for (int i = 0; i < 300; i++)
        add_row(2000, 0);
    for (uint32_t chunk = 3 * PAGE; chunk <= 16 * PAGE; chunk += 13 * PAGE) {
        OK(JetTerm2(instance, JET_bitTermComplete)); /* all pages are in the file now */
        make_instance();
        OK(JetBeginSessionA(instance, &session, NULL, NULL));
        OK(JetAttachDatabaseA(session, DATABASE, 0));
        OK(JetBeginExternalBackupInstance(instance, 0));
        stream(DATABASE, chunk);
        OK(JetEndExternalBackupInstance2(instance, JET_bitBackupEndAbort));
        OK(JetTerm2(instance, JET_bitTermComplete));
        look_at_stream();
        make_instance();
    }
}

/* The trailer, made last, tells up to which log the pages may reach; the header only from which on. */
static void a_trailer_names_the_logs(void **state)
{
    (void)state;
    struct database_trailer trailer;
    OK(JetBeginExternalBackupInstance(instance, 0));
    for (int i = 0; i < 200; i++)
        add_row(2000, 0);
    stream(DATABASE, BUFFER);
    memcpy(&trailer, copy + copy_size - PAGE, sizeof trailer);
    assert_int_equal(trailer.backup.generation_low, 1);
    const struct database_header *header = (const struct database_header *)(const void *)copy;
    assert_memory_equal(&trailer.database_signature, &header->signature, sizeof header->signature);
    assert_memory_equal(&trailer.log_signature, &header->log_signature, sizeof header->log_signature);
    assert_memory_equal(&trailer.backup.mark, &header->full_current.mark, sizeof trailer.backup.mark);
    assert_memory_equal(&trailer.backup.time, &header->full_current.time, sizeof trailer.backup.time);

    struct log_file_header first;
    OK(log_file_header_read("/a/edb00001.log", &first));
    assert_int_equal(trailer.backup.time.minutes, first.created.minutes);
    char list[1000];
    const char *last = list;
    OK(JetGetLogInfoInstanceA(instance, list, sizeof list, NULL));
    for (const char *name = list; *name != 0; name += strlen(name) + 1)
        last = name;
    assert_int_equal(trailer.backup.generation_high, strtoul(last + strlen("/a/edb"), NULL, 16));
    OK(JetEndExternalBackupInstance2(instance, JET_bitBackupEndAbort));
}

/* Commits and the record of the roll in a log file; false if there is no such file, or a damaged one. */
static bool count_records(const char *path, unsigned *commits, unsigned *rolls)
{
    struct log_file_reader *reader;
    const struct log_record_header *record;
    struct log_position position;
    size_t bytes;
    *commits = *rolls = 0;
    if (log_file_open(path, &reader) < JET_errSuccess)
        return false;
    const struct log_file_end *end = log_file_reader_end(reader);
    const bool whole = !end->torn && !end->corrupt && !end->torn_tail;
    while (log_file_next(reader, &record, &bytes, &position) == JET_errSuccess) {
        const struct log_record_backup *backup = (const struct log_record_backup *)(const void *)record;
        *commits += backup->type == LOG_RECORD_COMMIT0 || backup->type == LOG_RECORD_COMMIT_CONTEXT;
        *rolls += backup->type == LOG_RECORD_BACKUP && backup->phase == LOG_BACKUP_PREPARE_LOGS;
    }
    log_file_close(reader);
    return whole;
}

/* When the list of logs is there, so is all that was committed before, lazily or not, and the new log has
 * begun. */
static void the_last_log_is_complete(void **state)
{
    (void)state;
    char last[300];
    unsigned commits, rolls;
    OK(JetBeginExternalBackupInstance(instance, 0));
    stream(DATABASE, BUFFER);
    for (int i = 0; i < 3; i++)
        add_row(1000, JET_bitCommitLazyFlush);
    stream_logs(last, sizeof last);
    EsentHostCrash();
    assert_true(count_records(last, &commits, &rolls));
    assert_true(commits >= 4);
    assert_int_equal(rolls, 0);
    assert_true(count_records("/a/edb.log", &commits, &rolls));
    assert_int_equal(rolls, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_log_tells_of_backups, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_log_tells_of_snapshots, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_log_tells_of_surrogates, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_header_entry_is_redone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_header_that_cannot_be_written, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_stream_holds_the_whole_file, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_trailer_names_the_logs, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_last_log_is_complete, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
