/* What logs and the checkpoint say of themselves, of the databases that were attached when they were made,
 * and of the life of those: every field of headers, lists and records, which a recovery elsewhere stands on.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "include/esent.h"
#include "include/esent_host.h"
#include "src/log/checkpoint.h"
#include "src/log/log_reader.h"
#include "src/page/checksum.h"
#include "src/page/database_header.h"

#define OK(call) assert_int_equal((call), JET_errSuccess)
#define DATABASE "/a/a.edb"
#define PAGES 5000u /* most of the database */
#define SECTORS 32u

static JET_INSTANCE instance;
static JET_SESID session;
static JET_TABLEID table;

/* A database is created (log 1), its table changed (2), it is detached and attached (3), changed (4);
 * circular or not. */
static void live(bool circular)
{
    const struct ESENT_HOST_SIMULATION simulation = {.seed = 1};
    JET_DBID database;
    char list[1000];
    (void)EsentHostReset(NULL, 0);
    OK(EsentHostUseMemoryFiles());
    OK(EsentHostUseSimulation(&simulation));
    OK(EsentHostSetProfile(ESENT_HOST_DOCUMENTED));
    OK(EsentHostDirectoryCreate("/a"));
    OK(JetCreateInstanceA(&instance, "contents"));
    OK(JetSetSystemParameterA(&instance, 0, JET_paramLogFilePath, 0, "/a/"));
    OK(JetSetSystemParameterA(&instance, 0, JET_paramSystemPath, 0, "/a/"));
    OK(JetSetSystemParameterA(&instance, 0, JET_paramTempPath, 0, "/a/"));
    OK(JetSetSystemParameterA(&instance, 0, JET_paramLogFileSize, SECTORS * 4, NULL));
    OK(JetSetSystemParameterA(&instance, 0, JET_paramCircularLog, circular, NULL));
    OK(JetSetSystemParameterA(&instance, 0, JET_paramMaxSessions, 21, NULL));
    OK(JetSetSystemParameterA(&instance, 0, JET_paramCheckpointDepthMax, 20 << 20, NULL));
    OK(JetInit(&instance));
    OK(JetBeginSessionA(instance, &session, NULL, NULL));
    OK(JetCreateDatabase2A(session, DATABASE, PAGES, &database, 0));
    for (int generation = 1; generation < 4; generation++) {
        if (generation == 3) {
            OK(JetCloseDatabase(session, database, 0));
            OK(JetDetachDatabaseA(session, DATABASE));
            OK(JetAttachDatabase2A(session, DATABASE, PAGES + 1, 0));
            OK(JetOpenDatabaseA(session, DATABASE, NULL, &database, 0));
        }
        char name[10];
        (void)snprintf(name, sizeof name, "t%d", generation);
        OK(JetCreateTableA(session, database, name, 1, 80, &table));
        EsentHostAdvanceClock(1000);
        OK(JetBeginExternalBackupInstance(instance, 0));
        OK(JetGetLogInfoInstanceA(instance, list, sizeof list, NULL));
        OK(JetEndExternalBackupInstance2(instance, JET_bitBackupEndAbort));
        EsentHostAdvanceClock(1000);
    }
    OK(JetCommitTransaction(session, JET_bitWaitAllLevel0Commit));
}

static void end(void)
{
    EsentHostCrash();
    assert_int_equal(EsentHostReset(NULL, 0), 0);
}

static const char *log_name(int generation)
{
    static char name[30];
    (void)snprintf(name, sizeof name, generation == 4 ? "/a/edb.log" : "/a/edb%05x.log",
                   (unsigned)generation);
    return name;
}

/* The n-th record (from 0) of a type in a log; its size, or 0 if there are not so many. */
static size_t find(int generation, uint8_t type, unsigned number, void *out, size_t room,
                   struct log_position *at)
{
    struct log_file_reader *reader;
    const struct log_record_header *record;
    struct log_position position;
    size_t size, found = 0;
    OK(log_file_open(log_name(generation), &reader));
    while (found == 0 && log_file_next(reader, &record, &size, &position) == JET_errSuccess) {
        if (record->type != type || number-- > 0)
            continue;
        assert_true(size <= room);
        memset(out, 0, room);
        memcpy(out, record, size);
        *at = position;
        found = size;
    }
    log_file_close(reader);
    return found;
}

static struct database_header database_file(void)
{
    static _Alignas(4096) uint8_t bytes[4096];
    struct database_header header;
    size_t done;
    OK(EsentHostFileRead(DATABASE, 0, bytes, sizeof bytes, &done));
    memcpy(&header, bytes, sizeof header);
    return header;
}

static bool same(const void *a, const void *b, size_t size)
{
    return memcmp(a, b, size) == 0;
}

/* --- headers of logs --- */

static void parameters_are(const struct log_parameters *parameters, bool circular)
{
    assert_string_equal(parameters->system_path, "/a/");
    assert_string_equal(parameters->log_path, "/a/");
    assert_int_equal(parameters->flags, circular ? LOG_PARAMETERS_CIRCULAR : 0);
    assert_int_equal(parameters->sessions, 21);
    assert_int_equal(parameters->log_file_sectors, SECTORS);
}

static void logs_tell_what_they_are(void **state)
{
    (void)state;
    for (int circular = 0; circular < 2; circular++) {
        struct log_file_header previous;
        memset(&previous, 0, sizeof previous);
        live(circular != 0);
        EsentHostCrash();
        for (int generation = 1; generation <= 4; generation++) {
            struct log_file_header header;
            OK(log_file_header_read(log_name(generation), &header));
            assert_int_equal(header.generation, generation);
            assert_int_equal(header.sector_size, 4096);
            assert_int_equal(header.header_sectors, 1);
            assert_int_equal(header.file_sectors, SECTORS);
            assert_int_equal(header.page_size, 4096);
            assert_int_equal(header.major, 8);
            assert_int_equal(header.minor, 4000);
            assert_int_equal(header.update_major, 5);
            assert_int_equal(header.update_minor, 16);
            assert_int_equal(header.file_type, FILE_TYPE_LOG);
            assert_int_equal(header.flags, circular ? LOG_FLAG_CIRCULAR_NOW |
                                                          (generation > 1 ? LOG_FLAG_CIRCULAR_HISTORY : 0)
                                                    : 0);
            assert_int_equal(header.sector_size_mismatch, 0);
            parameters_are(&header.parameters, circular != 0);
            assert_true(same(&header.previous_created, &previous.created, sizeof header.created));
            assert_false(same(&header.created, &previous.created, sizeof header.created));
            if (generation > 1) {
                assert_true(
                    same(&header.log_signature, &previous.log_signature, sizeof header.log_signature));
                assert_int_not_equal(header.previous_segments_checksum, 0);
            } else {
                assert_int_equal(header.previous_segments_checksum, 0);
            }
            previous = header;
        }
        end();
    }
}

/* --- lists of databases --- */

static void list_is(const uint8_t *list, const struct database_header *header, uint32_t pages,
                    struct log_position attach, struct log_position consistent)
{
    struct attachment one, none;
    char path[100];
    size_t offset = 0;
    assert_true(attachment_next(list, LOG_ATTACHMENTS_SIZE, &offset, &one, path, sizeof path));
    assert_string_equal(path, DATABASE);
    assert_int_equal(one.database_id, header->database_id);
    assert_int_equal(one.flags, ATTACHMENT_UNICODE_NAMES);
    assert_int_equal(one.names_size, 2 * sizeof DATABASE);
    assert_int_not_equal(one.dbtime, 0);
    assert_int_not_equal(one.last_object, 0);
    assert_int_equal(one.maximum_pages, pages);
    assert_true(same(&one.attach, &attach, sizeof attach));
    assert_true(same(&one.consistent, &consistent, sizeof consistent));
    assert_true(same(&one.database_signature, &header->signature, sizeof header->signature));
    assert_false(attachment_next(list, LOG_ATTACHMENTS_SIZE, &offset, &none, path, sizeof path));
}

static void logs_list_what_is_attached(void **state)
{
    (void)state;
    static uint8_t bytes[4096];
    struct log_position created, detached, attached;
    const struct log_position never = {0, 0, 0};
    struct log_file_header header;
    struct checkpoint checkpoint;
    live(false);
    EsentHostCrash();
    const struct database_header file = database_file();
    assert_true(find(1, LOG_RECORD_CREATE_DATABASE, 0, bytes, sizeof bytes, &created) > 0);
    assert_true(find(3, LOG_RECORD_DETACH_DATABASE, 0, bytes, sizeof bytes, &detached) > 0);
    assert_true(find(3, LOG_RECORD_ATTACH_DATABASE, 0, bytes, sizeof bytes, &attached) > 0);
    OK(log_file_header_read(log_name(1), &header));
    assert_int_equal(header.attachments[0], 0);
    for (int generation = 2; generation <= 3; generation++) {
        OK(log_file_header_read(log_name(generation), &header));
        list_is(header.attachments, &file, PAGES, created, never);
    }
    OK(log_file_header_read(log_name(4), &header));
    list_is(header.attachments, &file, PAGES + 1, attached, detached);
    OK(checkpoint_read("/a/edb.chk", &checkpoint));
    assert_int_equal(checkpoint.file_type, FILE_TYPE_CHECKPOINT);
    assert_true(same(&checkpoint.log_signature, &header.log_signature, sizeof header.log_signature));
    assert_true(checkpoint.checkpoint.generation >= 1 && checkpoint.checkpoint.generation <= 4);
    assert_true(same(&checkpoint.database_consistency, &checkpoint.checkpoint, sizeof checkpoint.checkpoint));
    end();
}

static void the_checkpoint_tells_what_the_logs_are(void **state)
{
    (void)state;
    for (int circular = 0; circular < 2; circular++) {
        struct checkpoint checkpoint;
        live(circular != 0);
        OK(JetTerm2(instance, JET_bitTermComplete));
        OK(checkpoint_read("/a/edb.chk", &checkpoint));
        parameters_are(&checkpoint.parameters, circular != 0);
        assert_int_equal(checkpoint.version, 0);
        assert_int_equal(checkpoint.attachments[0], 0);
        assert_int_equal(checkpoint.checkpoint.generation, 4);
        assert_int_equal(EsentHostReset(NULL, 0), 0);
    }
}

/* --- the life of a database --- */

static void ends_with_path(const uint8_t *text, size_t text_size)
{
    char path[100];
    assert_int_equal(text_size, 2 * sizeof DATABASE);
    OK(log_text_decode(text, text_size, true, path, sizeof path));
    assert_string_equal(path, DATABASE);
}

static void records_tell_of_its_life(void **state)
{
    (void)state;
    static union {
        uint8_t bytes[4096];
        struct log_record_create_database create;
        struct log_record_create_database_finish finish;
        struct log_record_attach_database attach;
        struct log_record_detach_database detach;
    } record;
    struct log_position created, finished, detached, attached, none;
    struct log_file_header header;
    live(false);
    EsentHostCrash();
    const struct database_header file = database_file();
    OK(log_file_header_read(log_name(1), &header));
    size_t size = find(1, LOG_RECORD_CREATE_DATABASE, 0, &record, sizeof record, &created);
    assert_int_equal(size, sizeof record.create + 4 + 2 * sizeof DATABASE);
    assert_int_equal(record.create.database_id, file.database_id);
    assert_int_equal(record.create.grbit, 0);
    assert_int_equal(record.create.maximum_pages, PAGES);
    assert_int_equal(record.create.flags, LOG_CREATE_VERSION_INFO | LOG_CREATE_UNICODE_NAMES);
    assert_true(same(&record.create.database_signature, &file.signature, sizeof file.signature));
    assert_int_equal(record.create.path_size, 2 * sizeof DATABASE);
    const uint8_t version[4] = {LOG_CREATE_VERSION, 0, LOG_CREATE_UPDATE, 0};
    assert_memory_equal(record.create.data, version, sizeof version);
    ends_with_path(record.create.data + 4, size - sizeof record.create - 4);
    const uint16_t process = record.create.process_id;
    assert_int_equal(find(1, LOG_RECORD_CREATE_DATABASE, 1, &record, sizeof record, &none), 0);
    assert_int_equal(find(1, LOG_RECORD_CREATE_DATABASE_FINISH, 0, &record, sizeof record, &finished), 4);
    assert_int_equal(record.finish.process_id, process);
    assert_int_equal(record.finish.database_id, file.database_id);
    assert_true(log_position_compare(created, finished) < 0);

    size = find(3, LOG_RECORD_DETACH_DATABASE, 0, &record, sizeof record, &detached);
    assert_int_equal(record.detach.process_id, process);
    assert_int_equal(record.detach.database_id, file.database_id);
    assert_int_equal(record.detach.flags, LOG_DETACH_UNICODE_NAMES);
    assert_int_equal(record.detach.path_size, 2 * sizeof DATABASE);
    ends_with_path(record.detach.path, size - sizeof record.detach);

    size = find(3, LOG_RECORD_ATTACH_DATABASE, 0, &record, sizeof record, &attached);
    assert_true(log_position_compare(detached, attached) < 0);
    assert_int_equal(record.attach.process_id, process);
    assert_int_equal(record.attach.database_id, file.database_id);
    assert_int_equal(record.attach.maximum_pages, PAGES + 1);
    assert_true(same(&record.attach.consistent, &detached, sizeof detached));
    assert_true(same(&record.attach.database_signature, &file.signature, sizeof file.signature));
    assert_true(same(&record.attach.log_signature, &header.log_signature, sizeof header.log_signature));
    assert_int_equal(record.attach.flags, LOG_ATTACH_UNICODE_NAMES);
    assert_int_equal(record.attach.path_size, 2 * sizeof DATABASE);
    ends_with_path(record.attach.path, size - sizeof record.attach);

    /* The header stands with them. */
    assert_int_equal(file.state, DATABASE_DIRTY_SHUTDOWN);
    assert_true(same(&file.attach, &attached, sizeof attached));
    assert_true(same(&file.consistent, &detached, sizeof detached));
    assert_true(same(&file.detach, &detached, sizeof detached));
    assert_true(same(&file.log_signature, &header.log_signature, sizeof header.log_signature));
    assert_int_equal(file.reattach.generation, 0);
    assert_int_equal(file.generation_min_required, 3);
    assert_int_equal(file.generation_max_required, 4);
    assert_int_equal(file.generation_recovering, 0);
    assert_int_not_equal(file.attach_time.month, 0);
    assert_int_not_equal(file.detach_time.month, 0);
    end();
}

/* --- records of backups --- */

static void records_of_backups_name_their_database(void **state)
{
    (void)state;
    struct log_record_backup record;
    struct log_position at;
    live(false);
    EsentHostCrash();
    for (int generation = 1; generation <= 4; generation++) {
        for (unsigned i = 0; find(generation, LOG_RECORD_BACKUP, i, &record, sizeof record, &at) > 0; i++) {
            assert_true(record.phase == LOG_BACKUP_BEGIN || record.phase == LOG_BACKUP_PREPARE_LOGS ||
                        record.phase == LOG_BACKUP_ABORT || record.phase == LOG_BACKUP_STOP);
            assert_int_equal(record.backup_type, BACKUP_INFO_NORMAL);
            assert_int_equal(record.scope, LOG_BACKUP_FULL);
            assert_int_equal(record.database_id, 0);
            assert_int_equal(record.path_size, 0);
            assert_int_not_equal(record.details.time.month, 0);
        }
    }
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(logs_tell_what_they_are),
        cmocka_unit_test(logs_list_what_is_attached),
        cmocka_unit_test(the_checkpoint_tells_what_the_logs_are),
        cmocka_unit_test(records_tell_of_its_life),
        cmocka_unit_test(records_of_backups_name_their_database),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
