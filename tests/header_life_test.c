/* What a database's header says at each step of its life: created, detached, attached, left by a crash,
 * redone and not undone, recovered, attached without a log. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "include/esent.h"
#include "include/esent_host.h"
#include "src/cache/database.h"
#include "src/instance/session.h"
#include "src/log/log_file_header.h"
#include "src/page/database_header.h"

#define OK(call) assert_int_equal((call), JET_errSuccess)
#define DATABASE "/a/a.edb"

static JET_INSTANCE instance;
static JET_SESID session;
static struct database_header header;

static void make_instance(const char *recovery)
{
    OK(JetCreateInstanceA(&instance, "life"));
    OK(JetSetSystemParameterA(&instance, 0, JET_paramRecovery, 0, recovery));
    OK(JetSetSystemParameterA(&instance, 0, JET_paramLogFilePath, 0, "/a/"));
    OK(JetSetSystemParameterA(&instance, 0, JET_paramSystemPath, 0, "/a/"));
    OK(JetSetSystemParameterA(&instance, 0, JET_paramTempPath, 0, "/a/"));
    OK(JetSetSystemParameterA(&instance, 0, JET_paramLogFileSize, 128, NULL));
}

static void start(void)
{
    make_instance("on");
    OK(JetInit(&instance));
    OK(JetBeginSessionA(instance, &session, NULL, NULL));
}

/* An hour later. */
static void step(void)
{
    EsentHostAdvanceClock(3600 * 1000);
}

static void look(void)
{
    static _Alignas(4096) uint8_t page[4096];
    size_t done;
    OK(EsentHostFileRead(DATABASE, 0, page, sizeof page, &done));
    memcpy(&header, page, sizeof header);
}

/* While it is open, nobody else reads the file. */
static void look_at_open(JET_DBID id)
{
    struct session *inside = NULL;
    struct database *database = NULL;
    OK(session_enter(session, &inside));
    session_leave(inside);
    OK(session_find_database(inside, id, &database));
    header = database->header;
}

static uint64_t position(struct log_position at)
{
    return (uint64_t)(uint32_t)at.generation << 32 | (uint32_t)at.sector << 16 | at.byte;
}

/* Hours between two times less than a day apart. */
static int hours(struct log_time from, struct log_time to)
{
    return (to.hours - from.hours + 24) % 24;
}

static void expect_range(int32_t low, int32_t high)
{
    assert_int_equal(header.generation_min_required, low);
    assert_int_equal(header.generation_max_required, high);
    assert_int_equal(header.generation_max_committed, high);
}

static void each_step(void **state)
{
    const struct ESENT_HOST_SIMULATION simulation = {.seed = 1};
    struct database_header before;
    struct log_file_header log;
    JET_DBID database;
    size_t done;
    (void)state;
    OK(EsentHostUseSimulation(&simulation));
    OK(EsentHostDirectoryCreate("/a"));
    start();
    OK(JetCommitTransaction2(session, JET_bitForceNewLog, 0, NULL));
    OK(EsentHostFileRead("/a/edb.log", 0, &log, sizeof log, &done));
    assert_int_equal(log.generation, 2);
    step();

    OK(JetCreateDatabaseA(session, DATABASE, NULL, &database, 0));
    look_at_open(database);
    assert_int_equal(header.state, DATABASE_DIRTY_SHUTDOWN);
    assert_int_equal(header.database_id, 1);
    assert_int_equal(header.attach.generation, 2);
    assert_int_equal(hours(log.created, header.attach_time), 1);
    assert_memory_equal(&header.log_signature, &log.log_signature, sizeof log.log_signature);
    assert_memory_equal(&header.generation_max_create_time, &log.created, sizeof log.created);
    assert_int_equal(header.generation_min_consistent, 2);
    expect_range(2, 2);
    assert_int_equal(position(header.consistent), 0);
    assert_int_equal(position(header.detach), 0);
    assert_int_equal(header.generation_recovering, 0);

    step();
    before = header;
    OK(JetCloseDatabase(session, database, 0));
    OK(JetDetachDatabaseA(session, DATABASE));
    look();
    assert_int_equal(header.state, DATABASE_CLEAN_SHUTDOWN);
    expect_range(0, 0);
    assert_true(position(header.detach) > position(header.attach));
    assert_int_equal(position(header.consistent), position(header.detach));
    assert_int_equal(hours(log.created, header.detach_time), 2);
    assert_int_equal(hours(log.created, header.consistent_time), 2);
    assert_int_equal(position(header.attach), position(before.attach));
    assert_int_equal(hours(log.created, header.attach_time), 1);

    step();
    before = header;
    OK(JetAttachDatabaseA(session, DATABASE, 0));
    OK(JetOpenDatabaseA(session, DATABASE, NULL, &database, 0));
    look_at_open(database);
    assert_int_equal(header.state, DATABASE_DIRTY_SHUTDOWN);
    expect_range(2, 2);
    assert_int_equal(header.database_id, 1);
    assert_true(position(header.attach) > position(before.detach));
    assert_int_equal(position(header.detach), position(before.detach));
    assert_int_equal(position(header.consistent), position(before.consistent));
    assert_int_equal(hours(log.created, header.attach_time), 3);
    assert_int_equal(hours(log.created, header.detach_time), 2);
    assert_memory_equal(&header.signature, &before.signature, sizeof before.signature);
    assert_int_equal(header.generation_recovering, 0);

    step();
    EsentHostCrash();
    make_instance("on");
    before = header;
    OK(EsentHostFileDelete("/a/edb.chk"));
    assert_int_equal(JetInit3A(&instance, NULL, JET_bitRecoveryWithoutUndo), JET_errRecoveredWithoutUndo);
    look();
    assert_int_equal(header.state, DATABASE_DIRTY_SHUTDOWN);
    expect_range(2, 2);
    assert_int_equal(header.generation_recovering, 2);
    assert_int_equal(position(header.attach), position(before.attach));

    start();
    look();
    assert_int_equal(header.state, DATABASE_CLEAN_SHUTDOWN);
    expect_range(0, 0);
    assert_int_equal(header.generation_recovering, 0);
    assert_true(position(header.consistent) > position(header.attach));
    assert_int_equal(position(header.consistent), position(header.detach));
    assert_int_equal(hours(log.created, header.consistent_time), 4);
    OK(JetTerm2(instance, JET_bitTermComplete));

    step();
    before = header;
    make_instance("off");
    OK(JetInit(&instance));
    OK(JetBeginSessionA(instance, &session, NULL, NULL));
    OK(JetAttachDatabaseA(session, DATABASE, 0));
    OK(JetOpenDatabaseA(session, DATABASE, NULL, &database, 0));
    look_at_open(database);
    assert_int_equal(header.state, DATABASE_DIRTY_SHUTDOWN);
    expect_range(0, 0);
    assert_int_equal(hours(log.created, header.attach_time), 5);
    assert_memory_not_equal(&header.signature, &before.signature, sizeof before.signature);
    OK(JetTerm2(instance, JET_bitTermComplete));
    look();
    assert_int_equal(header.state, DATABASE_CLEAN_SHUTDOWN);
}

static int begin(void **state)
{
    (void)state;
    return EsentHostUseMemoryFiles();
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
        cmocka_unit_test_setup_teardown(each_step, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
