/* Making a database with its catalog, and opening one: each allocation and each file operation fails once.
 * The call says so, nothing is left behind, and a new process makes the database. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/api_world.h"

static bool start(void)
{
    struct ESENT_HOST_SIMULATION simulation = {.seed = 1, .scheduler = ESENT_HOST_SCHEDULE_FIFO};
    instance = JET_instanceNil;
    return EsentHostUseSimulation(&simulation) == JET_errSuccess &&
           JetCreateInstanceA(&instance, "a") == JET_errSuccess && JetInit(&instance) == JET_errSuccess &&
           JetBeginSessionA(instance, &session, NULL, NULL) == JET_errSuccess;
}

/* The database is there with its catalog, or can be made. */
static void make_and_use(void)
{
    JET_DBID database;
    JET_TABLEID table;
    JET_OBJECTLIST objects = {.cbStruct = sizeof(objects)};
    JET_ERR err = JetCreateDatabaseA(session, "c.edb", NULL, &database, JET_bitDbOverwriteExisting);
    assert_int_equal(err, JET_errSuccess);
    assert_int_equal(JetCreateTableA(session, database, "t", 0, 80, &table), JET_errSuccess);
    assert_int_equal(JetCloseTable(session, table), JET_errSuccess);
    assert_int_equal(JetGetObjectInfoA(session, database, JET_objtypTable, NULL, NULL, &objects,
                                       sizeof(objects), JET_ObjInfoListNoStats),
                     JET_errSuccess);
    assert_int_equal(objects.cRecord, 5); /* the catalog's four, and ours */
    assert_int_equal(JetCloseTable(session, objects.tableid), JET_errSuccess);
}

static void fails_at_each_point(enum ESENT_HOST_FAULT kind, JET_GRBIT grbit)
{
    unsigned failures = 0;
    for (uint64_t nth = 1;; nth++) {
        JET_DBID database;
        char report[300] = "";
        (void)EsentHostReset(NULL, 0);
        assert_int_equal(EsentHostUseMemoryFiles(), JET_errSuccess);
        assert_true(start());
        EsentHostResetCounters();
        EsentHostFailNth(kind, nth, 1);
        const JET_ERR err = JetCreateDatabaseA(session, "c.edb", NULL, &database, grbit);
        const bool failed = EsentHostCountFailures(kind) > 0;
        EsentHostFailNone();
        if (!failed) {
            assert_int_equal(err, JET_errSuccess);
            break;
        }
        failures++;
        if (err >= JET_errSuccess)
            assert_int_equal(JetCloseDatabase(session, database, 0), JET_errSuccess);
        EsentHostCrash();
        assert_true(start());
        make_and_use();
        assert_int_equal(JetTerm2(instance, JET_bitTermComplete), JET_errSuccess);
        assert_int_equal(EsentHostCheckDatabase("c.edb", NULL, NULL), JET_errSuccess);
        const size_t leaks = EsentHostReset(report, sizeof(report));
        if (leaks > 0)
            fail_msg("%s %u: %s", EsentHostFaultName(kind), (unsigned)nth, report);
    }
    (void)EsentHostReset(NULL, 0);
    print_message("%s: %u\n", EsentHostFaultName(kind), failures);
    assert_true(failures > 5);
}

static void creation_without_memory(void **state)
{
    (void)state;
    fails_at_each_point(ESENT_HOST_FAULT_ALLOCATE, 0);
}

static void creation_without_disk(void **state)
{
    (void)state;
    fails_at_each_point(ESENT_HOST_FAULT_IO, 0);
}

/* Without a log changes go to the pages alone. */
static void unlogged_creation(void **state)
{
    (void)state;
    fails_at_each_point(ESENT_HOST_FAULT_ALLOCATE, JET_bitDbRecoveryOff);
}

static void make_derived(JET_DBID database)
{
    JET_COLUMNCREATE_A column = {.cbStruct = sizeof(column), .szColumnName = "a", .coltyp = JET_coltypLong};
    JET_INDEXCREATE_A index = {.cbStruct = sizeof(index),
                               .szIndexName = "pk",
                               .szKey = "+a\0",
                               .cbKey = 4,
                               .grbit = JET_bitIndexPrimary};
    JET_TABLECREATE2_A create = {.cbStruct = sizeof(create),
                                 .szTableName = "m",
                                 .rgcolumncreate = &column,
                                 .cColumns = 1,
                                 .rgindexcreate = &index,
                                 .cIndexes = 1,
                                 .grbit = JET_bitTableCreateTemplateTable};
    assert_int_equal(JetCreateTableColumnIndex2A(session, database, &create), JET_errSuccess);
    create = (JET_TABLECREATE2_A){.cbStruct = sizeof(create), .szTableName = "d", .szTemplateTableName = "m"};
    assert_int_equal(JetCreateTableColumnIndex2A(session, database, &create), JET_errSuccess);
}

/* The first calls that look at the catalog of a database just attached. */
static void first_look(void **state)
{
    JET_DBID database;
    (void)state;
    unsigned failures = 0;
    for (int call = 0; call < 8; call++) {
        for (uint64_t nth = 1;; nth++) {
            JET_TABLEID table = JET_tableidNil;
            JET_COLUMNDEF column = {.cbStruct = sizeof(column)};
            JET_OBJECTLIST objects = {.cbStruct = sizeof(objects)};
            JET_ERR err = JET_errSuccess;
            (void)EsentHostReset(NULL, 0);
            assert_int_equal(EsentHostUseMemoryFiles(), JET_errSuccess);
            assert_true(start());
            assert_int_equal(JetCreateDatabaseA(session, "c.edb", NULL, &database, 0), JET_errSuccess);
            assert_int_equal(JetCreateTableA(session, database, "t", 0, 80, &table), JET_errSuccess);
            make_derived(database);
            assert_int_equal(JetTerm2(instance, JET_bitTermComplete), JET_errSuccess);
            assert_true(start());
            assert_int_equal(JetAttachDatabaseA(session, "c.edb", 0), JET_errSuccess);
            assert_int_equal(JetOpenDatabaseA(session, "c.edb", NULL, &database, 0), JET_errSuccess);
            EsentHostResetCounters();
            EsentHostFailNth(ESENT_HOST_FAULT_ALLOCATE, nth, 1);
            switch (call) {
            case 0:
                err = JetOpenTableA(session, database, "t", NULL, 0, 0, &table);
                break;
            case 1:
                err = JetCreateTableA(session, database, "u", 0, 80, &table);
                break;
            case 6:
                err = JetOpenTableA(session, database, "MSysObjects", NULL, 0, 0, &table);
                break;
            case 7:
                err = JetOpenTableA(session, database, "d", NULL, 0, 0, &table);
                break;
            case 4:
                err = JetGetObjectInfoA(session, database, JET_objtypTable, NULL, NULL, &objects,
                                        sizeof(objects), JET_ObjInfoListNoStats);
                break;
            case 5:
                err = JetGetColumnInfoA(session, database, "t", "none", &column, sizeof(column), JET_ColInfo);
                break;
            case 2:
                err = JetDeleteTableA(session, database, "t");
                break;
            default:
                err = JetRenameTableA(session, database, "t", "u");
                break;
            }
            const bool failed = EsentHostCountFailures(ESENT_HOST_FAULT_ALLOCATE) > 0;
            EsentHostFailNone();
            const JET_ERR expected = call == 5 ? JET_errColumnNotFound : JET_errSuccess;
            assert_true(err == expected || (failed && err == JET_errOutOfMemory));
            failures += err != expected;
            if (err != JET_errSuccess) /* as if nothing had been asked for */
                assert_int_equal(JetOpenTableA(session, database, "t", NULL, 0, 0, &table), JET_errSuccess);
            assert_int_equal(JetTerm2(instance, JET_bitTermComplete), JET_errSuccess);
            char report[300] = "";
            const size_t leaks = EsentHostReset(report, sizeof(report));
            if (leaks > 0)
                fail_msg("call %d, %u: %s", call, (unsigned)nth, report);
            if (!failed)
                break;
        }
    }
    print_message("%u\n", failures);
    assert_true(failures > 40);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(creation_without_memory),
        cmocka_unit_test(creation_without_disk),
        cmocka_unit_test(unlogged_creation),
        cmocka_unit_test(first_look),
    };
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
