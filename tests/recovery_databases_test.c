/* As many databases as an instance can have: whatever happens at a start happens to each of them, and one
 * that stands in the way is found wherever it is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "src/instance/instance.h"
#include "src/instance/process.h"
#include "src/page/checksum.h"
#include "tests/small_logs_world.h"

#define DATABASES 6
#define IS(call, code) assert_int_equal((call), (code))

static char paths[DATABASES][20];
static char old_paths[DATABASES][20]; /* what each was before it was attached again */
static int32_t last;                  /* the current log's generation, which is committed */

static JET_DBID open_one(JET_SESID sesid, int i, bool attach)
{
    JET_DBID database;
    if (attach)
        assert_true(JetAttachDatabaseA(sesid, paths[i], 0) >= JET_errSuccess);
    OK(JetOpenDatabaseA(sesid, paths[i], NULL, &database, 0));
    OK(JetOpenTableA(sesid, database, "t", NULL, 0, 0, &table));
    return database;
}

/* A checkpoint behind the beginnings of all databases, whose pages are written. */
static void move_checkpoint(void)
{
    process_lock();
    struct instance *inside = process_find_locked(instance);
    process_unlock();
    for (int i = 0; i < 3; i++)
        roll();
    const int32_t here = log_generation(inside->log);
    database_set_let_checkpoint_pass(&inside->logged_databases, here);
    OK(cache_flush_before(inside->cache, LOG_POSITION_MAX));
    OK(log_update_checkpoint(inside->log, true));
    assert_int_equal(log_checkpoint(inside->log).generation, here);
    last = here + 1;
}

/* Each database was detached once, has its table and as many rows as its number, and one that was not
 * committed. */
static void make_world(void)
{
    const struct ESENT_HOST_SIMULATION simulation = {.seed = 1};
    JET_SESID other;
    (void)EsentHostReset(NULL, 0);
    OK(EsentHostUseMemoryFiles());
    OK(EsentHostUseSimulation(&simulation));
    OK(EsentHostDirectoryCreate("/a"));
    make_instance();
    OK(JetInit(&instance));
    OK(JetBeginSessionA(instance, &session, NULL, NULL));
    for (int i = 0; i < DATABASES; i++) {
        JET_DBID database;
        (void)snprintf(paths[i], sizeof paths[i], "/a/%d.edb", i + 1);
        (void)snprintf(old_paths[i], sizeof old_paths[i], "/a/%d.old", i + 1);
        OK(JetCreateDatabaseA(session, paths[i], NULL, &database, 0));
        OK(JetCreateTableA(session, database, "t", 1, 80, &table));
        OK(JetCloseTable(session, table));
        OK(JetCloseDatabase(session, database, 0));
        OK(JetDetachDatabaseA(session, paths[i]));
        OK(EsentHostFileCopy(paths[i], old_paths[i]));
    }
    const JET_DBID first = open_one(session, 0, true);
    const JET_TABLEID first_table = table;
    for (int i = 1; i < DATABASES; i++)
        (void)open_one(session, i, true);
    /* the first one's attachment is redone, the others' are in the checkpoint */
    OK(JetCloseTable(session, first_table));
    OK(JetCloseDatabase(session, first, 0));
    OK(JetDetachDatabaseA(session, paths[0]));
    move_checkpoint();
    (void)open_one(session, 0, true);
    OK(JetBeginSessionA(instance, &other, NULL, NULL));
    OK(JetBeginTransaction(other));
    for (int i = 0; i < DATABASES; i++) {
        (void)open_one(session, i, false);
        for (int k = 0; k <= i; k++)
            add_row();
        (void)open_one(other, i, false);
        OK(JetPrepareUpdate(other, table, JET_prepInsert));
        OK(JetUpdate(other, table, NULL, 0, NULL));
    }
    roll();
    (void)open_one(session, 0, false);
    add_row(); /* in the last log: one more of the first database */
    OK(JetCommitTransaction(session, JET_bitWaitAllLevel0Commit));
    EsentHostCrash();
    OK(EsentHostFilesSave(1));
}

static void begin_case(void)
{
    EsentHostCrash();
    OK(EsentHostFilesRestore(1));
    make_instance();
}

static struct database_header read_header(int i)
{
    static _Alignas(4096) uint8_t page[4096];
    struct database_header header;
    size_t done;
    OK(EsentHostFileRead(paths[i], 0, page, sizeof page, &done));
    memcpy(&header, page, sizeof header);
    return header;
}

static void write_header(int i, const struct database_header *header)
{
    static _Alignas(4096) uint8_t page[4096];
    memcpy(page, header, sizeof *header);
    checksum_header_set(page, sizeof page);
    OK(EsentHostFileWrite(paths[i], 0, page, sizeof page));
    OK(EsentHostFileWrite(paths[i], 4096, page, sizeof page));
}

static void expect_rows(bool attached, int but, int lost)
{
    OK(JetBeginSessionA(instance, &session, NULL, NULL));
    for (int i = 0; i < DATABASES; i++) {
        uint32_t count;
        if (i == but)
            continue;
        if (attached)
            IS(JetAttachDatabaseA(session, paths[i], 0), JET_wrnDatabaseAttached);
        (void)open_one(session, i, !attached);
        OK(JetIndexRecordCount(session, table, &count, 0));
        assert_int_equal(count, i + 1 + (i == 0 ? 1 - lost : 0));
    }
}

/* --- the cases --- */

static void all_come_back(void **state)
{
    (void)state;
    begin_case();
    OK(JetInit(&instance));
    for (int i = 0; i < DATABASES; i++) {
        const struct database_header header = read_header(i);
        assert_int_equal(header.state, DATABASE_CLEAN_SHUTDOWN);
        assert_int_equal(header.generation_min_required, 0);
        assert_int_equal(header.generation_max_required, 0);
        assert_int_equal(header.generation_recovering, 0);
    }
    expect_rows(false, -1, 0);
    OK(JetTerm2(instance, JET_bitTermComplete));
    for (int i = 0; i < DATABASES; i++)
        assert_int_equal(read_header(i).state, DATABASE_CLEAN_SHUTDOWN);
    make_instance();
    OK(JetInit(&instance));
    expect_rows(false, -1, 0);
}

static void all_stay_attached(void **state)
{
    (void)state;
    begin_case();
    OK(JetInit3A(&instance, NULL, JET_bitKeepDbAttachedAtEndOfRecovery));
    expect_rows(true, -1, 0);
}

static void none_is_undone(void **state)
{
    (void)state;
    begin_case();
    IS(JetInit3A(&instance, NULL, JET_bitRecoveryWithoutUndo), JET_errRecoveredWithoutUndo);
    for (int i = 0; i < DATABASES; i++) {
        const struct database_header header = read_header(i);
        assert_int_equal(header.state, DATABASE_DIRTY_SHUTDOWN);
        assert_int_equal(header.generation_max_required, last);
    }
    make_instance();
    OK(JetInit(&instance));
    expect_rows(false, -1, 0);
}

/* Wherever it is in the list. */
static void one_is_missing(void **state)
{
    (void)state;
    for (int i = 0; i < DATABASES; i++) {
        begin_case();
        OK(EsentHostFileRename(paths[i], "/moved.edb"));
        IS(JetInit(&instance), JET_errAttachedDatabaseMismatch);
        begin_case();
        OK(EsentHostFileRename(paths[i], "/moved.edb"));
        OK(JetInit3A(&instance, NULL, JET_bitReplayIgnoreMissingDB));
        expect_rows(false, i, 0);
    }
}

/* The last log is gone. One of them needs it; or all have to do without it. */
static void the_last_log_is_missing(void **state)
{
    (void)state;
    for (int needs = -1; needs < DATABASES; needs++) {
        begin_case();
        OK(EsentHostFileDelete("/a/edb.log"));
        for (int i = 0; i < DATABASES; i++) {
            struct database_header header = read_header(i);
            assert_int_equal(header.generation_max_committed, last);
            header.generation_max_required = i == needs ? last : last - 1;
            write_header(i, &header);
        }
        const JET_ERR err =
            JetInit3A(&instance, NULL, JET_bitReplayIgnoreLostLogs | JET_bitRecoveryWithoutUndo);
        if (needs >= 0) {
            IS(err, JET_errRequiredLogFilesMissing);
            continue;
        }
        IS(err, JET_errRecoveredWithoutUndo);
        for (int i = 0; i < DATABASES; i++)
            assert_int_equal(read_header(i).generation_max_committed, last - 1);
        make_instance();
        OK(JetInit3A(&instance, NULL, JET_bitAllowMissingCurrentLog));
        expect_rows(false, -1, 1);
    }
}

/* A map that brings two to the same place. */
static void two_go_to_one_place(void **state)
{
    (void)state;
    for (int i = 1; i < DATABASES; i++) {
        JET_RSTMAP_A map[DATABASES];
        JET_RSTINFO_A info = {.cbStruct = sizeof info, .rgrstmap = map, .crstmap = DATABASES};
        memset(map, 0, sizeof map);
        for (int k = 0; k < DATABASES; k++) {
            map[k].szDatabaseName = paths[k];
            map[k].szNewDatabaseName = paths[k];
        }
        begin_case();
        map[0].szNewDatabaseName = paths[i];
        map[i].szNewDatabaseName = paths[0];
        OK(JetInit3A(&instance, &info, JET_bitReplayIgnoreMissingDB)); /* they changed places, and wait */
        begin_case();
        map[i].szNewDatabaseName = paths[i];
        IS(JetInit3A(&instance, &info, 0), JET_errDatabaseDuplicate);
        begin_case();
        map[0].szNewDatabaseName = paths[0];
        OK(JetInit3A(&instance, &info, 0));
    }
}

/* The last log is the very one that each of them knows. */
static void the_last_log_is_another(void **state)
{
    (void)state;
    for (int i = 0; i < DATABASES; i++) {
        begin_case();
        struct database_header header = read_header(i);
        assert_int_equal(header.generation_max_required, last);
        header.generation_max_create_time.seconds ^= 1;
        write_header(i, &header);
        IS(JetInit(&instance), JET_errRequiredLogFilesMissing);
    }
}

static unsigned attached, detaching, at_undo;

static JET_ERR JET_API follow(JET_SESID sesid, JET_SNP process, JET_SNT what, void *data)
{
    const JET_RECOVERYCONTROL *control = data;
    (void)sesid;
    if (process != JET_snpRecoveryControl)
        return JET_errSuccess;
    attached += what == JET_sntAttachedDb;
    detaching += what == JET_sntDetachingDb;
    if (what == JET_sntBeginUndo)
        at_undo = control->BeginUndo.cdbinfomisc;
    return control->errDefault;
}

/* All logs are redone, from databases as they were or from none. */
static void from_the_beginning(void **state)
{
    (void)state;
    for (int lost = 0; lost < 2; lost++) {
        JET_RSTINFO_A info = {.cbStruct = sizeof info, .pfnStatus = follow};
        begin_case();
        OK(EsentHostFileDelete("/a/edb.chk"));
        for (int i = 0; i < DATABASES; i++)
            OK(lost ? EsentHostFileDelete(paths[i]) : EsentHostFileCopy(old_paths[i], paths[i]));
        attached = detaching = at_undo = 0;
        OK(JetInit3A(&instance, &info, JET_bitExternalRecoveryControl));
        /* The first is attached twice; creations count. Before undo, and behind it, all are told to go. */
        assert_int_equal(attached, (lost ? DATABASES : 0) + DATABASES + 1);
        assert_int_equal(detaching, (lost ? DATABASES : 0) + 1 + 2 * DATABASES);
        assert_int_equal(at_undo, DATABASES);
        expect_rows(false, -1, 0);
    }
}

static int begin(void **state)
{
    (void)state;
    make_world();
    return 0;
}

static int end(void **state)
{
    (void)state;
    EsentHostCrash();
    return EsentHostReset(NULL, 0) == 0 ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_come_back),           cmocka_unit_test(all_stay_attached),
        cmocka_unit_test(none_is_undone),          cmocka_unit_test(one_is_missing),
        cmocka_unit_test(the_last_log_is_missing), cmocka_unit_test(the_last_log_is_another),
        cmocka_unit_test(two_go_to_one_place),     cmocka_unit_test(from_the_beginning),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
