/* Calls at the deepest level of transactions, beside other sessions, and in a database that is only read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/api_world.h"

#define LEVELS 7

static JET_DBID database;
static JET_TABLEID table;
static JET_COLUMNID id_column;
static JET_SESID other;
static JET_DBID other_database;

static const JET_COLUMNDEF plain = {.cbStruct = sizeof(plain), .coltyp = JET_coltypLong};

static void insert(int32_t id)
{
    assert_int_equal(JetPrepareUpdate(session, table, JET_prepInsert), JET_errSuccess);
    assert_int_equal(JetSetColumn(session, table, id_column, &id, 4, 0, NULL), JET_errSuccess);
    assert_int_equal(JetUpdate(session, table, NULL, 0, NULL), JET_errSuccess);
}

static int start(void **state)
{
    (void)state;
    assert_true(api_world_start(true));
    assert_int_equal(JetCreateDatabaseA(session, "l.edb", NULL, &database, 0), JET_errSuccess);
    assert_int_equal(JetCreateTableA(session, database, "t", 0, 80, &table), JET_errSuccess);
    assert_int_equal(JetAddColumnA(session, table, "id", &plain, NULL, 0, &id_column), JET_errSuccess);
    assert_int_equal(JetAddColumnA(session, table, "more", &plain, NULL, 0, NULL), JET_errSuccess);
    assert_int_equal(JetCreateIndexA(session, table, "pk", JET_bitIndexPrimary, "+id\0", 5, 80),
                     JET_errSuccess);
    assert_int_equal(JetCreateIndexA(session, table, "x", 0, "-id\0", 5, 80), JET_errSuccess);
    insert(1);
    assert_int_equal(JetCloseTable(session, table), JET_errSuccess);
    assert_int_equal(JetOpenTableA(session, database, "t", NULL, 0, 0, &table), JET_errSuccess);
    assert_int_equal(JetBeginSessionA(instance, &other, NULL, NULL), JET_errSuccess);
    assert_int_equal(JetOpenDatabaseA(other, "l.edb", NULL, &other_database, 0), JET_errSuccess);
    return 0;
}

/* Every change begins a level of its own. Below the seven of the program there are three, which changes out
 * of call-backs out of changes use up: what comes then goes no deeper. */
static int depth;
static JET_TABLEID copies[5];

static void at_the_bottom(void)
{
    const int32_t five = 5;
    JET_TABLEID made;
    const JET_COLUMNDEF column = {.cbStruct = sizeof(column),
                                  .coltyp = JET_coltypLong,
                                  .grbit = JET_bitColumnTTKey | JET_bitColumnFixed};
    JET_COLUMNID id;
    JET_TABLEID own = copies[4];
    assert_int_equal(JetMove(session, own, (int32_t)JET_MoveFirst, 0), JET_errSuccess);
    assert_int_equal(JetPrepareUpdate(session, own, JET_prepReplace), JET_errSuccess);
    assert_int_equal(JetUpdate(session, own, NULL, 0, NULL), JET_errTransTooDeep);
    assert_int_equal(JetPrepareUpdate(session, own, JET_prepCancel), JET_errSuccess);
    assert_int_equal(JetDelete(session, own), JET_errTransTooDeep);
    assert_int_equal(JetAddColumnA(session, own, "n", &plain, NULL, 0, NULL), JET_errTransTooDeep);
    assert_int_equal(JetDeleteColumnA(session, own, "more"), JET_errTransTooDeep);
    assert_int_equal(JetCreateIndexA(session, own, "y", 0, "+more\0", 7, 80), JET_errTransTooDeep);
    assert_int_equal(JetDeleteIndexA(session, own, "x"), JET_errTransTooDeep);
    assert_int_equal(JetCreateTableA(session, database, "u", 0, 80, &made), JET_errTransTooDeep);
    assert_int_equal(JetDeleteTableA(session, database, "none"), JET_errTransTooDeep);
    assert_int_equal(JetRenameTableA(session, database, "t", "u"), JET_errTransTooDeep);
    assert_int_equal(JetSetColumnDefaultValueA(session, database, "t", "more", &five, 4, 0),
                     JET_errTransTooDeep);
    assert_int_equal(JetOpenTempTable(session, &column, 1, 0, &made, &id), JET_errTransTooDeep);
}

static JET_ERR JET_API go_deeper(JET_SESID sesid, JET_DBID dbid, JET_TABLEID tableid, JET_CBTYP cbtyp,
                                 void *pvArg1, void *pvArg2, void *pvContext, JET_API_PTR ulUnused)
{
    const int32_t id = 100 + ++depth;
    (void)sesid;
    (void)dbid;
    (void)tableid;
    (void)cbtyp;
    (void)pvArg1;
    (void)pvArg2;
    (void)pvContext;
    (void)ulUnused;
    assert_int_equal(JetBeginTransaction(session), JET_errTransTooDeep);
    if (depth == 3) {
        at_the_bottom();
        return JET_errSuccess;
    }
    JET_TABLEID own = copies[depth];
    assert_int_equal(JetPrepareUpdate(session, own, JET_prepInsert), JET_errSuccess);
    assert_int_equal(JetSetColumn(session, own, id_column, &id, 4, 0, NULL), JET_errSuccess);
    assert_int_equal(JetUpdate(session, own, NULL, 0, NULL), JET_errSuccess);
    return JET_errSuccess;
}

static void deepest_level(void **state)
{
    const int32_t id = 100;
    JET_HANDLE handle;
    (void)state;
    for (int i = 0; i < 5; i++)
        assert_int_equal(JetDupCursor(session, table, &copies[i], 0), JET_errSuccess);
    assert_int_equal(JetRegisterCallback(session, table, JET_cbtypBeforeInsert, go_deeper, NULL, &handle),
                     JET_errSuccess);
    for (int level = 0; level < LEVELS; level++)
        assert_int_equal(JetBeginTransaction(session), JET_errSuccess);
    assert_int_equal(JetBeginTransaction(session), JET_errTransTooDeep);
    depth = 0;
    assert_int_equal(JetPrepareUpdate(session, copies[0], JET_prepInsert), JET_errSuccess);
    assert_int_equal(JetSetColumn(session, copies[0], id_column, &id, 4, 0, NULL), JET_errSuccess);
    assert_int_equal(JetUpdate(session, copies[0], NULL, 0, NULL), JET_errSuccess);
    assert_int_equal(depth, 3);
    assert_int_equal(JetUnregisterCallback(session, table, JET_cbtypBeforeInsert, handle), JET_errSuccess);
    uint32_t count = 0;
    assert_int_equal(JetMove(session, table, (int32_t)JET_MoveFirst, 0), JET_errSuccess);
    assert_int_equal(JetIndexRecordCount(session, table, &count, 0), JET_errSuccess);
    assert_int_equal(count, 4); /* the first row, and one of each depth */
    for (int level = 0; level < LEVELS; level++)
        assert_int_equal(JetRollback(session, 0), JET_errSuccess);
    assert_int_equal(JetMove(session, table, (int32_t)JET_MoveFirst, 0), JET_errSuccess);
    assert_int_equal(JetMove(session, table, 1, 0), JET_errNoCurrentRecord);
    assert_int_equal(JetSetCurrentIndexA(session, table, "x"), JET_errSuccess);
}

/* What one session does with a table keeps others from it. */
static void beside_others(void **state)
{
    JET_TABLEID theirs;
    (void)state;
    /* A column that is not everybody's yet. */
    assert_int_equal(JetBeginTransaction(session), JET_errSuccess);
    assert_int_equal(JetAddColumnA(session, table, "n", &plain, NULL, 0, NULL), JET_errSuccess);
    assert_int_equal(JetOpenTableA(other, other_database, "t", NULL, 0,
                                   JET_bitTablePermitDDL | JET_bitTableDenyRead, &theirs),
                     JET_errTableInUse);
    assert_int_equal(JetOpenTableA(other, other_database, "t", NULL, 0, 0, &theirs), JET_errSuccess);
    JET_COLUMNDEF found = {.cbStruct = sizeof(found)};
    assert_int_equal(JetGetTableColumnInfoA(other, theirs, "n", &found, sizeof(found), JET_ColInfo),
                     JET_errColumnNotFound);
    assert_int_equal(JetDeleteColumnA(other, theirs, "n"), JET_errColumnNotFound);
    assert_true(JetAddColumnA(other, theirs, "n", &plain, NULL, 0, NULL) < JET_errSuccess);
    assert_int_equal(JetCreateIndexA(session, table, "n", 0, "+n\0", 4, 80), JET_errSuccess);
    assert_int_equal(JetSetCurrentIndexA(other, theirs, "n"), JET_errIndexNotFound);
    assert_int_equal(JetCommitTransaction(session, 0), JET_errSuccess);
    assert_int_equal(JetGetTableColumnInfoA(other, theirs, "n", &found, sizeof(found), JET_ColInfo),
                     JET_errSuccess);
    assert_int_equal(JetSetCurrentIndexA(other, theirs, "n"), JET_errSuccess);
    /* Somebody stands on the index. */
    assert_int_equal(JetDeleteIndexA(session, table, "n"), JET_errIndexInUse);
    assert_int_equal(JetSetCurrentIndexA(other, theirs, NULL), JET_errSuccess);
    /* An index whose deletion is not everybody's yet still needs its column. */
    assert_int_equal(JetBeginTransaction(session), JET_errSuccess);
    assert_int_equal(JetDeleteIndexA(session, table, "n"), JET_errSuccess);
    assert_int_equal(JetDeleteColumnA(other, theirs, "n"), JET_errColumnInUse);
    assert_int_equal(JetRollback(session, 0), JET_errSuccess);
    assert_int_equal(JetDeleteIndexA(session, table, "n"), JET_errSuccess);
    assert_int_equal(JetDeleteColumnA(session, table, "n"), JET_errSuccess);
    /* Writers are in the way of who would be the only one. */
    assert_int_equal(
        JetOpenTableA(session, database, "t", NULL, 0, JET_bitTableDenyWrite | JET_bitTableReadOnly, &theirs),
        JET_errTableInUse);
    assert_int_equal(JetOpenTableA(other, other_database, "t", NULL, 0,
                                   JET_bitTableReadOnly | JET_bitTableUpdatable, &theirs),
                     JET_errInvalidGrbit);
}

/* A primary index that is not everybody's yet. */
static void primary_beside_others(void **state)
{
    JET_TABLEID own;
    JET_TABLEID theirs;
    const int32_t one = 1;
    (void)state;
    assert_int_equal(JetCreateTableA(session, database, "e", 0, 80, &own), JET_errSuccess);
    assert_int_equal(JetAddColumnA(session, own, "id", &plain, NULL, 0, NULL), JET_errSuccess);
    assert_int_equal(JetCloseTable(session, own), JET_errSuccess);
    for (int round = 0; round < 2; round++) {
        assert_int_equal(JetOpenTableA(session, database, "e", NULL, 0, 0, &own), JET_errSuccess);
        assert_int_equal(JetOpenTableA(other, other_database, "e", NULL, 0, 0, &theirs), JET_errSuccess);
        assert_int_equal(JetBeginTransaction(session), JET_errSuccess);
        assert_int_equal(JetCreateIndexA(session, own, "pk", JET_bitIndexPrimary, "+id\0", 5, 80),
                         JET_errSuccess);
        assert_int_equal(JetMakeKey(session, own, &one, 4, JET_bitNewKey), JET_errSuccess);
        assert_int_equal(JetMakeKey(other, theirs, &one, 4, JET_bitNewKey), JET_errNoCurrentIndex);
        assert_int_equal(JetSetCurrentIndexA(other, theirs, "pk"), JET_errIndexNotFound);
        if (round == 0)
            assert_int_equal(JetRollback(session, 0), JET_errSuccess);
        else
            assert_int_equal(JetCommitTransaction(session, 0), JET_errSuccess);
        assert_int_equal(JetMakeKey(other, theirs, &one, 4, JET_bitNewKey),
                         round == 0 ? JET_errNoCurrentIndex : JET_errSuccess);
        assert_int_equal(JetCloseTable(session, own), JET_errSuccess);
        assert_int_equal(JetCloseTable(other, theirs), JET_errSuccess);
    }
}

static void deleted_tables(void **state)
{
    JET_TABLEID theirs;
    (void)state;
    assert_int_equal(JetDeleteTableA(session, database, "t"), JET_errTableInUse);
    assert_int_equal(JetCloseTable(session, table), JET_errSuccess);
    assert_int_equal(JetOpenTableA(other, other_database, "t", NULL, 0, JET_bitTableDenyRead, &theirs),
                     JET_errSuccess);
    assert_int_equal(JetDeleteTableA(session, database, "t"), JET_errTableLocked);
    assert_int_equal(JetCloseTable(other, theirs), JET_errSuccess);
    assert_int_equal(JetBeginTransaction(session), JET_errSuccess);
    assert_int_equal(JetDeleteTableA(session, database, "t"), JET_errSuccess);
    assert_int_equal(JetOpenTableA(other, other_database, "t", NULL, 0, 0, &theirs), JET_errTableLocked);
    assert_int_equal(JetDeleteTableA(other, other_database, "t"), JET_errTableLocked);
    assert_int_equal(JetOpenTableA(session, database, "t", NULL, 0, 0, &table), JET_errObjectNotFound);
    assert_int_equal(JetRollback(session, 0), JET_errSuccess);
    assert_int_equal(JetOpenTableA(session, database, "t", NULL, 0, 0, &table), JET_errSuccess);
}

static void read_only_database(void **state)
{
    JET_TABLEID made;
    const int32_t five = 5;
    (void)state;
    assert_int_equal(JetEndSession(other, 0), JET_errSuccess);
    assert_int_equal(JetCloseTable(session, table), JET_errSuccess);
    assert_int_equal(JetCloseDatabase(session, database, 0), JET_errSuccess);
    assert_int_equal(JetDetachDatabaseA(session, "l.edb"), JET_errSuccess);
    assert_int_equal(JetAttachDatabaseA(session, "l.edb", JET_bitDbReadOnly), JET_errSuccess);
    assert_int_equal(JetOpenDatabaseA(session, "l.edb", NULL, &database, JET_bitDbReadOnly), JET_errSuccess);
    assert_int_equal(JetOpenTableA(session, database, "t", NULL, 0, 0, &table), JET_errSuccess);
    assert_int_equal(JetMove(session, table, (int32_t)JET_MoveFirst, 0), JET_errSuccess);
    assert_true(JetPrepareUpdate(session, table, JET_prepReplace) < JET_errSuccess);
    assert_true(JetDelete(session, table) < JET_errSuccess);
    assert_true(JetAddColumnA(session, table, "n", &plain, NULL, 0, NULL) < JET_errSuccess);
    assert_true(JetDeleteColumnA(session, table, "more") < JET_errSuccess);
    assert_true(JetCreateIndexA(session, table, "y", 0, "+more\0", 7, 80) < JET_errSuccess);
    assert_true(JetDeleteIndexA(session, table, "x") < JET_errSuccess);
    assert_true(JetRenameColumnA(session, table, "more", "less", 0) == JET_errPermissionDenied);
    assert_true(JetRenameTableA(session, database, "t", "u") == JET_errPermissionDenied);
    assert_int_equal(JetCloseTable(session, table), JET_errSuccess);
    assert_true(JetCreateTableA(session, database, "u", 0, 80, &made) < JET_errSuccess);
    assert_true(JetDeleteTableA(session, database, "t") < JET_errSuccess);
    assert_true(JetSetColumnDefaultValueA(session, database, "t", "more", &five, 4, 0) < JET_errSuccess);
}

int main(int argc, char **argv)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, start, api_world_end)
    const struct CMUnitTest tests[] = {CASE(deepest_level), CASE(beside_others), CASE(primary_beside_others),
                                       CASE(deleted_tables), CASE(read_only_database)};
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
