/* JetCompact: the copy holds what the original holds, is smaller, whole, and usable. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/api_world.h"

#define OK(call) assert_int_equal((call), JET_errSuccess)
#define ANSWERS(code, call) assert_int_equal((call), (code))
#define ROWS 600 /* half of them fits a file that is one growth step smaller */

static uint8_t value[9000];

static int setup(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(value); i++)
        value[i] = (uint8_t)(i * 31);
    return api_world_start(true) ? 0 : -1;
}

struct ids {
    JET_COLUMNID id, text, number, data;
};

static JET_TABLEID make_table(JET_DBID database, struct ids *ids)
{
    JET_TABLEID table;
    JET_COLUMNDEF number = {
        .cbStruct = sizeof(number), .coltyp = JET_coltypLong, .grbit = JET_bitColumnFixed};
    JET_COLUMNDEF text = {.cbStruct = sizeof(text), .coltyp = JET_coltypText, .cp = 1252};
    JET_COLUMNDEF many = {.cbStruct = sizeof(many),
                          .coltyp = JET_coltypLong,
                          .grbit = JET_bitColumnTagged | JET_bitColumnMultiValued};
    JET_COLUMNDEF data = {.cbStruct = sizeof(data), .coltyp = JET_coltypLongBinary};
    JET_COLUMNID dropped;
    int32_t standard = 7;
    OK(JetBeginTransaction(session));
    OK(JetCreateTableA(session, database, "t", 0, 80, &table));
    OK(JetAddColumnA(session, table, "gone", &number, NULL, 0, &dropped));
    OK(JetAddColumnA(session, table, "id", &number, NULL, 0, &ids->id));
    OK(JetAddColumnA(session, table, "standard", &number, &standard, sizeof(standard), &dropped));
    OK(JetAddColumnA(session, table, "text", &text, NULL, 0, &ids->text));
    OK(JetAddColumnA(session, table, "many", &many, NULL, 0, &ids->number));
    OK(JetAddColumnA(session, table, "data", &data, NULL, 0, &ids->data));
    OK(JetCreateIndexA(session, table, "pk", JET_bitIndexPrimary, "+id\0", 5, 80));
    OK(JetCreateIndexA(session, table, "many", 0, "-many\0", 7, 80));
    OK(JetCreateIndexA(session, table, "text", JET_bitIndexUnique, "+text\0+id\0", 11, 80));
    OK(JetDeleteColumnA(session, table, "gone"));
    OK(JetCommitTransaction(session, 0));
    return table;
}

static void insert(JET_TABLEID table, const struct ids *ids, int32_t id)
{
    char text[30];
    JET_SETINFO second = {.cbStruct = sizeof(second), .itagSequence = 2};
    int32_t number = id % 11;
    int32_t other = -id;
    (void)snprintf(text, sizeof(text), "text %d", (int)(id * 7919 % 1000));
    OK(JetPrepareUpdate(session, table, JET_prepInsert));
    OK(JetSetColumn(session, table, ids->id, &id, sizeof(id), 0, NULL));
    OK(JetSetColumn(session, table, ids->text, text, (uint32_t)strlen(text), 0, NULL));
    OK(JetSetColumn(session, table, ids->number, &number, sizeof(number), 0, NULL));
    if (id % 2 == 0)
        OK(JetSetColumn(session, table, ids->number, &other, sizeof(other), 0, &second));
    OK(JetSetColumn(session, table, ids->data, value, (uint32_t)(id * 29 % (int32_t)sizeof(value)), 0, NULL));
    OK(JetUpdate(session, table, NULL, 0, NULL));
}

/* A number over all rows in the order of an index: ids and long values. */
static uint64_t digest(JET_TABLEID table, const struct ids *ids, const char *index)
{
    static uint8_t buffer[sizeof(value)];
    uint64_t hash = 14695981039346656037u;
    OK(JetSetCurrentIndexA(session, table, index));
    for (JET_ERR err = JetMove(session, table, (int32_t)JET_MoveFirst, 0); err != JET_errNoCurrentRecord;
         err = JetMove(session, table, JET_MoveNext, 0)) {
        int32_t id = 0;
        uint32_t size = 0;
        OK(err);
        OK(JetRetrieveColumn(session, table, ids->id, &id, sizeof(id), NULL, 0, NULL));
        err = JetRetrieveColumn(session, table, ids->data, buffer, sizeof(buffer), &size, 0, NULL);
        assert_true(err == JET_errSuccess || err == JET_wrnColumnNull);
        hash = (hash ^ (uint32_t)id) * 1099511628211u;
        hash = (hash ^ size) * 1099511628211u;
        for (uint32_t i = 0; i < size; i++)
            hash = (hash ^ buffer[i]) * 1099511628211u;
    }
    return hash;
}

struct told {
    int begun, progressed, completed;
    uint32_t last;
};
static struct told told;

static JET_ERR status(JET_SESID sesid, JET_SNP snp, JET_SNT snt, void *pv)
{
    const JET_SNPROG *progress = pv;
    uint32_t version;
    assert_int_equal(snp, JET_snpCompact);
    assert_true(sesid == session);
    /* The session may be used from here. */
    OK(JetGetVersion(sesid, &version));
    told.begun += snt == JET_sntBegin;
    told.completed += snt == JET_sntComplete;
    if (snt == JET_sntProgress) {
        told.progressed++;
        assert_true(progress->cunitDone <= progress->cunitTotal);
        assert_true(progress->cunitDone >= told.last);
        told.last = progress->cunitDone;
    }
    return JET_errSuccess;
}

static void compaction_keeps_everything(void **state)
{
    JET_DBID database;
    JET_TABLEID table;
    struct ids ids;
    uint64_t before[3];
    uint64_t size = 0;
    uint64_t compact_size = 0;
    static const char *const indexes[] = {"pk", "many", "text"};
    (void)state;
    OK(JetCreateDatabaseA(session, "x.edb", NULL, &database, 0));
    table = make_table(database, &ids);
    OK(JetBeginTransaction(session));
    for (int32_t id = 1; id <= ROWS; id++)
        insert(table, &ids, id);
    OK(JetCommitTransaction(session, 0));
    OK(JetBeginTransaction(session));
    OK(JetMove(session, table, (int32_t)JET_MoveFirst, 0));
    for (int i = 0; i < ROWS / 2; i++) {
        OK(JetDelete(session, table));
        JET_ERR err = JetMove(session, table, 2, 0);
        assert_true(err == JET_errSuccess || i == ROWS / 2 - 1);
    }
    OK(JetCommitTransaction(session, 0));
    for (int i = 0; i < 3; i++)
        before[i] = digest(table, &ids, indexes[i]);
    OK(JetCloseTable(session, table));
    ANSWERS(JET_errDatabaseInUse, JetCompactA(session, "x.edb", "y.edb", NULL, NULL, 0));
    OK(JetCloseDatabase(session, database, 0));
    OK(JetDetachDatabaseA(session, "x.edb"));
    OK(JetAttachDatabaseA(session, "x.edb", JET_bitDbReadOnly));

    memset(&told, 0, sizeof(told));
    OK(JetCompactA(session, "x.edb", "y.edb", status, NULL, 0));
    assert_int_equal(told.begun, 1);
    assert_int_equal(told.completed, 1);
    assert_true(told.progressed > 2);
    ANSWERS(JET_errDatabaseDuplicate, JetCompactA(session, "x.edb", "y.edb", NULL, NULL, 0));
    OK(JetDetachDatabaseA(session, "x.edb"));
    OK(EsentHostCheckDatabase("y.edb", NULL, NULL));
    OK(JetGetDatabaseFileInfoA("x.edb", &size, sizeof(size), JET_DbInfoFilesize));
    OK(JetGetDatabaseFileInfoA("y.edb", &compact_size, sizeof(compact_size), JET_DbInfoFilesize));
    assert_true(compact_size < size);

    OK(JetAttachDatabaseA(session, "y.edb", 0));
    OK(JetOpenDatabaseA(session, "y.edb", NULL, &database, 0));
    OK(JetOpenTableA(session, database, "t", NULL, 0, 0, &table));
    for (int i = 0; i < 3; i++)
        assert_true(before[i] == digest(table, &ids, indexes[i]));
    /* It goes on living. */
    OK(JetBeginTransaction(session));
    for (int32_t id = 1000; id < 1100; id++)
        insert(table, &ids, id);
    OK(JetCommitTransaction(session, 0));
    JET_COLUMNDEF column = {.cbStruct = sizeof(column), .coltyp = JET_coltypLong};
    JET_COLUMNID added;
    OK(JetAddColumnA(session, table, "new", &column, NULL, 0, &added));
    JET_TABLEID second;
    OK(JetCreateTableA(session, database, "u", 0, 80, &second));
    OK(JetCloseTable(session, second));
    OK(JetCloseTable(session, table));
    OK(JetCloseDatabase(session, database, 0));
    OK(JetDetachDatabaseA(session, "y.edb"));
    OK(EsentHostCheckDatabase("y.edb", NULL, NULL));
}

static void derived_tables_keep_their_template(void **state)
{
    JET_DBID database;
    JET_TABLEID table;
    JET_COLUMNDEF column = {
        .cbStruct = sizeof(column), .coltyp = JET_coltypLong, .grbit = JET_bitColumnFixed};
    JET_COLUMNCREATE_A in_template = {.cbStruct = sizeof(in_template),
                                      .szColumnName = "n",
                                      .coltyp = JET_coltypLong,
                                      .grbit = JET_bitColumnFixed};
    JET_TABLECREATE_A derived = {
        .cbStruct = sizeof(derived), .szTableName = "derived", .szTemplateTableName = "template"};
    JET_TABLECREATE_A template_table = {.cbStruct = sizeof(template_table),
                                        .szTableName = "template",
                                        .rgcolumncreate = &in_template,
                                        .cColumns = 1,
                                        .grbit = JET_bitTableCreateTemplateTable};
    int32_t number = 42;
    (void)state;
    OK(JetCreateDatabaseA(session, "x.edb", NULL, &database, 0));
    OK(JetBeginTransaction(session));
    OK(JetCreateTableColumnIndexA(session, database, &template_table));
    OK(JetCommitTransaction(session, 0));
    OK(JetCloseTable(session, template_table.tableid));
    OK(JetCreateTableColumnIndexA(session, database, &derived));
    OK(JetGetTableColumnInfoA(session, derived.tableid, "n", &column, sizeof(column), JET_ColInfo));
    OK(JetBeginTransaction(session));
    OK(JetPrepareUpdate(session, derived.tableid, JET_prepInsert));
    OK(JetSetColumn(session, derived.tableid, column.columnid, &number, sizeof(number), 0, NULL));
    OK(JetUpdate(session, derived.tableid, NULL, 0, NULL));
    OK(JetCommitTransaction(session, 0));
    OK(JetCloseTable(session, derived.tableid));
    OK(JetCloseDatabase(session, database, 0));
    OK(JetCompactW(session, u"x.edb", u"y.edb", NULL, NULL, 0));
    OK(JetAttachDatabaseA(session, "y.edb", 0));
    OK(JetOpenDatabaseA(session, "y.edb", NULL, &database, 0));
    OK(JetOpenTableA(session, database, "derived", NULL, 0, 0, &table));
    OK(JetMove(session, table, (int32_t)JET_MoveFirst, 0));
    number = 0;
    OK(JetRetrieveColumn(session, table, column.columnid, &number, sizeof(number), NULL, 0, NULL));
    assert_int_equal(number, 42);
}

static void arguments_are_checked(void **state)
{
    JET_DBID database;
    JET_CONVERT_A convert = {0};
    (void)state;
    OK(JetCreateDatabaseA(session, "x.edb", NULL, &database, 0));
    OK(JetCloseDatabase(session, database, 0));
    ANSWERS(JET_errInvalidSesid, JetCompactA(0, "x.edb", "y.edb", NULL, NULL, 0));
    ANSWERS(JET_errDatabaseInvalidPath, JetCompactA(session, NULL, "y.edb", NULL, NULL, 0));
    ANSWERS(JET_errDatabaseInvalidPath, JetCompactA(session, "x.edb", NULL, NULL, NULL, 0));
    ANSWERS(JET_errDatabaseNotFound, JetCompactA(session, "none.edb", "y.edb", NULL, NULL, 0));
    ANSWERS(JET_errFeatureNotAvailable, JetCompactA(session, "x.edb", "y.edb", NULL, &convert, 0));
    ANSWERS(JET_errDatabaseDuplicate, JetCompactA(session, "x.edb", "x.edb", NULL, NULL, 0));
    OK(JetBeginTransaction(session));
    ANSWERS(JET_errInTransaction, JetCompactA(session, "x.edb", "y.edb", NULL, NULL, 0));
    OK(JetRollback(session, 0));
    OK(JetCompactA(session, "x.edb", "y.edb", NULL, NULL, 0));
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(compaction_keeps_everything, setup, api_world_end),
        cmocka_unit_test_setup_teardown(derived_tables_keep_their_template, setup, api_world_end),
        cmocka_unit_test_setup_teardown(arguments_are_checked, setup, api_world_end),
    };
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
