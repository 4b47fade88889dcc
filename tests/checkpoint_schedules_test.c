/* A checkpoint that another thread makes while a database is created, attached or detached, at each point at
 * which that can be interrupted: a start after a crash, which begins there, knows what was attached. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "include/esent.h"
#include "include/esent_host.h"
#include "src/instance/instance.h"
#include "src/instance/process.h"
#include "src/log/log.h"

#define TURNS 4u
#define CHOICES_MOST 20000u
#define OK(call) assert_int_equal((call), JET_errSuccess)

static JET_INSTANCE instance;
static JET_SESID session;
static JET_DBID database;
static JET_TABLEID table;
static struct log *log_of_instance;
static uint8_t choices[CHOICES_MOST];
static size_t points; /* choices that there were in the call that is interrupted */

static void start(void)
{
    OK(JetCreateInstanceA(&instance, "checkpoints"));
    OK(JetSetSystemParameterA(&instance, 0, JET_paramLogFilePath, 0, "/a/"));
    OK(JetSetSystemParameterA(&instance, 0, JET_paramSystemPath, 0, "/a/"));
    OK(JetSetSystemParameterA(&instance, 0, JET_paramTempPath, 0, "/a/"));
    OK(JetSetSystemParameterA(&instance, 0, JET_paramLogFileSize, 128, NULL));
    OK(JetInit(&instance));
    OK(JetBeginSessionA(instance, &session, NULL, NULL));
    process_lock();
    log_of_instance = process_find_locked(instance)->log;
    process_unlock();
}

static void simulate(void)
{
    const struct ESENT_HOST_SIMULATION simulation = {.seed = 1};
    OK(EsentHostUseSimulation(&simulation));
}

/* An instance without databases. */
static int set_up(void **state)
{
    (void)state;
    (void)EsentHostReset(NULL, 0);
    OK(EsentHostUseMemoryFiles());
    simulate();
    OK(EsentHostDirectoryCreate("/a"));
    start();
    OK(JetTerm2(instance, JET_bitTermComplete));
    OK(EsentHostFilesSave(1));
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    return EsentHostReset(NULL, 0) == 0 ? 0 : -1;
}

static void make_checkpoint(void *context)
{
    (void)context;
    OK(log_update_checkpoint(log_of_instance, true));
}

/* The checkpoint is made when there was a choice `before` times. (Some are about background work: so more
 * than one byte says it.) */
static void interrupt(void (*act)(void), size_t before)
{
    struct ESENT_HOST_THREAD *thread;
    const size_t made = EsentHostGetSchedule(choices, CHOICES_MOST);
    assert_true(made + before + TURNS < CHOICES_MOST);
    memset(choices + made, 0, before);
    memset(choices + made + before, ESENT_HOST_CHOICE_THREAD + 1, TURNS);
    EsentHostSetChoices(choices, made + before + TURNS);
    OK(EsentHostThreadStart(make_checkpoint, NULL, &thread));
    act();
    points = EsentHostGetSchedule(choices, CHOICES_MOST) - made;
    EsentHostThreadJoin(thread);
}

static void create(void)
{
    OK(JetCreateDatabaseA(session, "/a/a.edb", NULL, &database, 0));
}

static void attach(void)
{
    OK(JetAttachDatabaseA(session, "/a/a.edb", 0));
    OK(JetOpenDatabaseA(session, "/a/a.edb", NULL, &database, 0));
}

static void detach(void)
{
    OK(JetCloseDatabase(session, database, 0));
    OK(JetDetachDatabaseA(session, "/a/a.edb"));
}

static void add_table(void)
{
    OK(JetCreateTableA(session, database, "t", 1, 80, &table));
    OK(JetCloseTable(session, table));
}

/* The process dies; the database has its table afterwards. */
static void expect_table(void)
{
    EsentHostCrash();
    start();
    attach();
    OK(JetOpenTableA(session, database, "t", NULL, 0, 0, &table));
    EsentHostCrash();
}

static void restart(void)
{
    OK(EsentHostFilesRestore(1));
    simulate();
    start();
}

static void beside_a_creation(void **state)
{
    size_t n = 0;
    (void)state;
    points = SIZE_MAX;
    for (; n < points && n < 500; n++) { /* behind its records, it makes pages */
        restart();
        interrupt(create, n);
        add_table();
        expect_table();
    }
    assert_true(n > 20);
}

static void beside_an_attachment(void **state)
{
    size_t n = 0;
    (void)state;
    points = SIZE_MAX;
    for (; n < points; n++) {
        restart();
        create();
        detach();
        interrupt(attach, n);
        add_table();
        expect_table();
    }
    assert_true(n > 20);
}

/* Nobody misses a file that was detached. */
static void beside_a_detachment(void **state)
{
    size_t n = 0;
    (void)state;
    points = SIZE_MAX;
    for (; n < points; n++) {
        restart();
        create();
        interrupt(detach, n);
        OK(EsentHostFileDelete("/a/a.edb"));
        EsentHostCrash();
        start();
        EsentHostCrash();
    }
    assert_true(n > 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(beside_a_creation, set_up, tear_down),
        cmocka_unit_test_setup_teardown(beside_an_attachment, set_up, tear_down),
        cmocka_unit_test_setup_teardown(beside_a_detachment, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
