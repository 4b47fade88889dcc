/* Failures in the life of a database that must not be passed over, and what its header says afterwards. */
#include "tests/backup_world.h"

#include "src/log/log_reader.h"
#include "src/page/checksum.h"

static JET_DBID second;

static JET_ERR create(void)
{
    return JetCreateDatabaseA(session, "/a/b.edb", NULL, &second, 0);
}

static JET_ERR create_and_detach(void)
{
    const JET_ERR err = create();
    if (err < JET_errSuccess)
        return err;
    OK(JetCloseDatabase(session, second, 0));
    return JetDetachDatabaseA(session, "/a/b.edb");
}

static JET_ERR attach(void)
{
    return JetAttachDatabaseA(session, "/a/b.edb", 0);
}

static JET_ERR detach(void)
{
    return JetDetachDatabaseA(session, "/a/b.edb");
}

static JET_ERR nothing(void)
{
    return JET_errSuccess;
}

static JET_ERR create_and_close(void)
{
    const JET_ERR err = create();
    return err < JET_errSuccess ? err : JetCloseDatabase(session, second, 0);
}

/* Each write and each allocation of the call fails once: it says so. */
static void failures_are_told(void **state)
{
    (void)state;
    static const enum ESENT_HOST_FAULT kinds[] = {ESENT_HOST_FAULT_WRITE, ESENT_HOST_FAULT_ALLOCATE};
    static const struct {
        JET_ERR (*before)(void);
        JET_ERR (*call)(void);
    } steps[] = {{nothing, create}, {create_and_detach, attach}, {create_and_close, detach}};
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
            bool failed = true;
            for (uint64_t n = 1; failed; n++) {
                world_start(ESENT_HOST_DOCUMENTED);
                OK(steps[i].before());
                EsentHostResetCounters();
                EsentHostFailNth(kinds[k], n, 1);
                const JET_ERR err = steps[i].call();
                failed = EsentHostCountFailures(kinds[k]) > 0;
                EsentHostFailNone();
                assert_int_equal(failed, err < JET_errSuccess);
                world_end();
            }
        }
    }
}

/* What a backup left in the header is the same after a crash, whatever the clock says meanwhile. */
static void headers_are_redone(void **state)
{
    (void)state;
    world_start(ESENT_HOST_DOCUMENTED);
    OK(JetBeginExternalBackupInstance(instance, 0));
    EsentHostAdvanceClock(3600 * 1000);
    OK(stream("/a/a.edb"));
    stream_logs();
    OK(JetTruncateLogInstance(instance));
    EsentHostAdvanceClock(3600 * 1000);
    OK(JetEndExternalBackupInstance(instance));
    const JET_DBINFOMISC4 before = header();
    OK(JetCommitTransaction(session, JET_bitWaitAllLevel0Commit));
    EsentHostCrash();
    EsentHostAdvanceClock(3600 * 1000);
    world_instance(&instance, "backup", "/a/");
    OK(JetInit(&instance));
    OK(JetBeginSessionA(instance, &session, NULL, NULL));
    OK(JetAttachDatabaseA(session, "/a/a.edb", 0));
    OK(JetOpenDatabaseA(session, "/a/a.edb", NULL, &database, 0));
    const JET_DBINFOMISC4 after = header();
    assert_int_not_equal(before.bkinfoFullPrev.logtimeMark.bMonth, 0);
    assert_memory_equal(&after.bkinfoFullPrev, &before.bkinfoFullPrev, sizeof after.bkinfoFullPrev);
    world_end();
}

/* --- logs without before-images --- */

static JET_TABLEID table;
static JET_COLUMNID columns[2];

enum way { MADE, REPLACED, DELETED_AND_MADE };

/* Rows of `size` bytes with keys from 0 on, one way or another. */
static void write_rows(JET_SESID by, JET_TABLEID cursor, enum way way, uint32_t count, size_t size)
{
    static uint8_t bytes[1000];
    for (uint32_t i = 0; i < count; i++) {
        memset(bytes, (int)(size + i), size);
        if (way != MADE) {
            OK(JetMakeKey(by, cursor, &i, sizeof i, JET_bitNewKey));
            OK(JetSeek(by, cursor, JET_bitSeekEQ));
        }
        if (way == DELETED_AND_MADE)
            OK(JetDelete(by, cursor));
        OK(JetPrepareUpdate(by, cursor, way == REPLACED ? JET_prepReplace : JET_prepInsert));
        if (way != REPLACED)
            OK(JetSetColumn(by, cursor, columns[0], &i, sizeof i, 0, NULL));
        OK(JetSetColumn(by, cursor, columns[1], bytes, (uint32_t)size, 0, NULL));
        OK(JetUpdate(by, cursor, NULL, 0, NULL));
    }
}

static void rows_have(unsigned count, size_t size)
{
    uint8_t bytes[1000];
    uint32_t got;
    for (unsigned i = 0; i < count; i++) {
        OK(JetMove(session, table, i == 0 ? (int32_t)JET_MoveFirst : JET_MoveNext, 0));
        OK(JetRetrieveColumn(session, table, columns[1], bytes, sizeof bytes, &got, 0, NULL));
        assert_int_equal(got, size);
        for (uint32_t k = 0; k < got; k++)
            assert_int_equal(bytes[k], (uint8_t)(size + i));
    }
    IS(JetMove(session, table, JET_MoveNext, 0), JET_errNoCurrentRecord);
}

/* The published engine logs a before-image only if a page is to be written: makes all of them records that
 * are passed over. */
static unsigned strip(const char *path)
{
    static uint8_t segment[PAGE];
    struct log_file_reader *reader;
    const struct log_record_header *record;
    struct log_position position;
    size_t size, done;
    unsigned count = 0;
    OK(log_file_open(path, &reader));
    OK(log_file_seek(reader, LOG_POSITION_MIN));
    while (log_file_next(reader, &record, &size, &position) == JET_errSuccess) {
        const size_t at = position.byte != 0 ? position.byte : sizeof(struct log_segment_header);
        if (record->type != LOG_RECORD_UNDO_INFO || at + size > PAGE)
            continue;
        OK(EsentHostFileRead(path, position.sector * (uint64_t)PAGE, segment, PAGE, &done));
        if (segment[at] != LOG_RECORD_UNDO_INFO)
            continue; /* in fragments */
        const struct log_record_ignored nothing = {LOG_RECORD_NOP2,
                                                   (uint32_t)(size - sizeof(struct log_record_ignored))};
        memcpy(segment + at, &nothing, sizeof nothing);
        struct log_segment_header header;
        memcpy(&header, segment, sizeof header);
        header.checksum = checksum_block(segment, PAGE, position.sector, true);
        memcpy(segment, &header, sizeof header);
        OK(EsentHostFileWrite(path, position.sector * (uint64_t)PAGE, segment, PAGE));
        count++;
    }
    log_file_close(reader);
    return count;
}

/* What a transaction in flight did to rows is taken back by what the log says of the pages, also where the
 * page was split for it. */
static void rows_come_back_after(enum way way)
{
    static const char key[] = "+id\0";
    const uint32_t rows = 60;
    JET_SESID other;
    JET_DBID opened;
    JET_TABLEID cursor;
    JET_COLUMNDEF definition = {.cbStruct = sizeof definition, .coltyp = JET_coltypLong};
    world_start(ESENT_HOST_DOCUMENTED);
    OK(JetCreateTableA(session, database, "t", 1, 80, &table));
    OK(JetAddColumnA(session, table, "id", &definition, NULL, 0, &columns[0]));
    definition.coltyp = JET_coltypLongBinary;
    OK(JetAddColumnA(session, table, "data", &definition, NULL, 0, &columns[1]));
    OK(JetCreateIndexA(session, table, "id", JET_bitIndexPrimary, key, sizeof key, 80));
    OK(JetBeginTransaction(session));
    write_rows(session, table, MADE, rows, 100);
    OK(JetCommitTransaction(session, 0));
    OK(JetCloseTable(session, table));
    OK(JetBeginSessionA(instance, &other, NULL, NULL));
    OK(JetOpenDatabaseA(other, "/a/a.edb", NULL, &opened, 0));
    OK(JetOpenTableA(other, opened, "t", NULL, 0, 0, &cursor));
    OK(JetBeginTransaction(other));
    write_rows(other, cursor, way, rows, 700);
    OK(JetCommitTransaction(session, JET_bitWaitAllLevel0Commit));
    EsentHostCrash();
    assert_true(strip("/a/edb.log") > rows / 2);
    world_instance(&instance, "backup", "/a/");
    OK(JetInit(&instance));
    OK(JetBeginSessionA(instance, &session, NULL, NULL));
    OK(JetAttachDatabaseA(session, "/a/a.edb", 0));
    OK(JetOpenDatabaseA(session, "/a/a.edb", NULL, &database, 0));
    OK(JetOpenTableA(session, database, "t", NULL, 0, 0, &table));
    rows_have(rows, 100);
    world_end();
}

static void replaced_rows_come_back(void **state)
{
    (void)state;
    rows_come_back_after(REPLACED);
}

static void deleted_rows_come_back_as_they_were(void **state)
{
    (void)state;
    rows_come_back_after(DELETED_AND_MADE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(failures_are_told),
        cmocka_unit_test(headers_are_redone),
        cmocka_unit_test(replaced_rows_come_back),
        cmocka_unit_test(deleted_rows_come_back_as_they_were),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
