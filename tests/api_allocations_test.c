/* Each call alone, with every allocation of it failing once: it answers that memory is short, nothing is half
 * done or left behind, and the same call succeeds afterwards. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/api_cases.h"
#include "tests/api_world.h"

#define TEXT(text) ((char *)(uintptr_t)(text))

static WCHAR wide_a[] = {'a', 0};
static WCHAR wide_b[] = {'b', 0};
static WCHAR wide_n[] = {'n', 0};
static WCHAR wide_t[] = {'t', 0};
static WCHAR wide_x[] = {'x', 0};
static WCHAR wide_path[] = {'x', '.', 'e', 'd', 'b', 0};
static WCHAR wide_other_path[] = {'y', '.', 'e', 'd', 'b', 0};
static WCHAR wide_key[] = {'+', 'b', 0, 0};

static JET_DBID database;
static JET_TABLEID table;
static JET_COLUMNID column;
static JET_TABLEID made;
static JET_INSTANCE made_instance;
static union {
    uint8_t bytes[4000];
    WCHAR wide[2000];
    JET_COLUMNLIST columns;
    JET_INDEXLIST indexes;
    JET_OBJECTLIST objects;
    JET_RECORDLIST records;
} out;

static int setup(void **state)
{
    JET_COLUMNDEF number = {
        .cbStruct = sizeof(number), .coltyp = JET_coltypLong, .grbit = JET_bitColumnFixed};
    JET_COLUMNDEF text = {.cbStruct = sizeof(text), .coltyp = JET_coltypText, .cp = 1200};
    (void)state;
    if (!api_world_start(true) ||
        JetCreateDatabaseA(session, "x.edb", NULL, &database, 0) != JET_errSuccess ||
        JetCreateTableA(session, database, "t", 0, 80, &table) != JET_errSuccess ||
        JetAddColumnA(session, table, "a", &number, NULL, 0, &column) != JET_errSuccess ||
        JetAddColumnA(session, table, "b", &text, "x\0", 2, NULL) != JET_errSuccess ||
        JetCreateIndexA(session, table, "pk", JET_bitIndexPrimary, "+a\0", 4, 80) != JET_errSuccess ||
        JetCreateIndexA(session, table, "x", 0, "+b\0", 4, 80) != JET_errSuccess ||
        JetCreateIndexA(session, table, "y", 0, "-b\0", 4, 80) != JET_errSuccess)
        return -1;
    for (int32_t i = 0; i < 3; i++) {
        if (JetPrepareUpdate(session, table, JET_prepInsert) != JET_errSuccess ||
            JetSetColumn(session, table, column, &i, sizeof(i), 0, NULL) != JET_errSuccess ||
            JetUpdate(session, table, NULL, 0, NULL) != JET_errSuccess)
            return -1;
    }
    return JetMove(session, table, (int32_t)JET_MoveFirst, 0) == JET_errSuccess ? 0 : -1;
}

/* A call, and what takes its success back; null if there is nothing to take back. */
struct call {
    const char *name;
    JET_ERR (*make)(void);
    JET_ERR (*undo)(void);
    bool hardly; /* some of its allocations may fail without anybody being told */
};

static void sweep(const struct call *call)
{
    for (uint64_t nth = 1;; nth++) {
        EsentHostResetCounters();
        EsentHostFailNth(ESENT_HOST_FAULT_ALLOCATE, nth, 1);
        JET_ERR err = call->make();
        uint64_t failures = EsentHostCountFailures(ESENT_HOST_FAULT_ALLOCATE);
        EsentHostFailNone();
        if (failures > 0 && err != JET_errOutOfMemory && !(call->hardly && err >= JET_errSuccess)) {
            print_message("%s, allocation %d: answers %d\n", call->name, (int)nth, (int)err);
            cases_wrong++;
        }
        if (failures == 0 && err < JET_errSuccess) {
            print_message("%s, after %d failures: answers %d\n", call->name, (int)nth - 1, (int)err);
            cases_wrong++;
        }
        if (err >= JET_errSuccess && call->undo != NULL) {
            err = call->undo();
            if (err < JET_errSuccess) {
                print_message("%s, taken back: answers %d\n", call->name, (int)err);
                cases_wrong++;
            }
        }
        if (failures == 0)
            break;
        assert_true(nth < 2000 && cases_wrong < 20);
    }
}

#define SWEEP(rows)                                                                                          \
    for (size_t row = 0; row < sizeof(rows) / sizeof((rows)[0]); row++)                                      \
        sweep(&(rows)[row]);                                                                                 \
    cases_end()

/* A call as a function without arguments. */
#define CALL(name, call)                                                                                     \
    static JET_ERR name(void)                                                                                \
    {                                                                                                        \
        return call;                                                                                         \
    }

CALL(close_made, JetCloseTable(session, made))
CALL(end_made_instance, JetTerm(made_instance))

/* --- instances and parameters --- */

CALL(create_instance, JetCreateInstance2W(&made_instance, wide_n, wide_b, 0))
CALL(set_text, JetSetSystemParameterW(NULL, JET_sesidNil, JET_paramEventSource, 0, wide_n))
CALL(get_text, JetGetSystemParameterW(instance, JET_sesidNil, JET_paramBaseName, NULL, out.wide, sizeof(out)))
static uint32_t info_count;
static JET_INSTANCE_INFO_W *infos;
static JET_INSTANCE_INFO_A *narrow_infos;
CALL(instance_info, JetGetInstanceInfoW(&info_count, &infos))
CALL(free_infos, JetFreeBuffer((char *)infos))
CALL(narrow_instance_info, JetGetInstanceInfoA(&info_count, &narrow_infos))
CALL(free_narrow_infos, JetFreeBuffer((char *)narrow_infos))
static JET_SESID made_session;
CALL(begin_session, JetBeginSessionW(instance, &made_session, NULL, NULL))
CALL(end_session, JetEndSession(made_session, 0))
CALL(duplicate_session, JetDupSession(session, &made_session))

static void of_instances(void **state)
{
    (void)state;
    static const struct call rows[] = {
        {"JetSetSystemParameterW", set_text, NULL, false},
        {"JetGetSystemParameterW", get_text, NULL, false},
        {"JetCreateInstance2W", create_instance, end_made_instance, false},
        {"JetGetInstanceInfoW", instance_info, free_infos, false},
        {"JetGetInstanceInfoA", narrow_instance_info, free_narrow_infos, false},
        {"JetBeginSessionW", begin_session, end_session, false},
        {"JetDupSession", duplicate_session, end_session, false},
    };
    SWEEP(rows);
}

/* --- databases --- */

static JET_DBID made_database;
CALL(open_database, JetOpenDatabaseW(session, wide_path, NULL, &made_database, 0))
CALL(close_database, JetCloseDatabase(session, made_database, 0))
CALL(attach_again, JetAttachDatabaseW(session, wide_path, 0))
CALL(file_name, JetGetDatabaseInfoW(session, database, out.wide, sizeof(out), JET_DbInfoFilename))
CALL(space_owned, JetGetDatabaseInfoW(session, database, out.bytes, 4, JET_DbInfoSpaceOwned))
CALL(file_info, JetGetDatabaseFileInfoW(wide_path, out.bytes, 4, JET_DbInfoPageSize))
CALL(compact, JetCompactW(session, wide_path, wide_other_path, NULL, NULL, 0))
CALL(delete_other, EsentHostFileDelete("y.edb"))
CALL(defragment,
     JetDefragment3W(session, wide_path, wide_t, NULL, NULL, NULL, NULL, JET_bitDefragmentBatchStart))

static void of_databases(void **state)
{
    (void)state;
    static const struct call rows[] = {
        {"JetOpenDatabaseW", open_database, close_database, false},
        {"JetAttachDatabaseW", attach_again, NULL, false},
        {"JetGetDatabaseInfoW", file_name, NULL, false},
        {"JetGetDatabaseInfoW of space", space_owned, NULL, false},
        {"JetGetDatabaseFileInfoW", file_info, NULL, false},
        {"JetDefragment3W", defragment, NULL, true},
    };
    SWEEP(rows);
}

static uint32_t actual;
static int32_t five = 5;
CALL(detach, JetDetachDatabase2W(session, wide_path, 0))
CALL(attach, JetAttachDatabase2W(session, wide_path, 0, 0))
CALL(set_size, JetSetDatabaseSizeW(session, wide_path, 1000, &actual))
CALL(open_again, JetOpenDatabaseW(session, wide_path, NULL, &database, JET_bitDbExclusive))

static void of_detached_databases(void **state)
{
    (void)state;
    static const struct call size[] = {{"JetSetDatabaseSizeW", set_size, NULL, false}};
    EXPECT(JET_errSuccess, JetCloseDatabase(session, database, 0));
    EXPECT(JET_errSuccess, detach());
    SWEEP(size);
    EXPECT(JET_errSuccess, attach());
    static const struct call compaction[] = {{"JetCompactW", compact, delete_other, true}};
    SWEEP(compaction);
    static const struct call opening[] = {{"JetOpenDatabaseW", open_again, NULL, false}};
    SWEEP(opening);
}

/* --- schema --- */

CALL(open_table, JetOpenTableW(session, database, wide_t, NULL, 0, 0, &made))
CALL(duplicate, JetDupCursor(session, table, &made, 0))
static JET_COLUMNDEF long_column = {.cbStruct = sizeof(long_column), .coltyp = JET_coltypLong};
CALL(add_column, JetAddColumnW(session, table, wide_n, &long_column, &five, 4, NULL))
CALL(delete_column, JetDeleteColumnW(session, table, wide_n))
CALL(rename_column, JetRenameColumnW(session, table, wide_b, wide_n, 0))
CALL(rename_column_back, JetRenameColumnW(session, table, wide_n, wide_b, 0))

static JET_ERR create_table(void)
{
    JET_COLUMNCREATE_W columns[2] = {
        {.cbStruct = sizeof(columns[0]), .szColumnName = wide_a, .coltyp = JET_coltypLong},
        {.cbStruct = sizeof(columns[0]), .szColumnName = wide_b, .coltyp = JET_coltypText, .cp = 1200},
    };
    JET_INDEXCREATE_W index = {.cbStruct = sizeof(index),
                               .szIndexName = wide_x,
                               .szKey = wide_key,
                               .cbKey = sizeof(wide_key),
                               .lcid = 1031};
    JET_TABLECREATE_W create = {.cbStruct = sizeof(create),
                                .szTableName = wide_n,
                                .rgcolumncreate = columns,
                                .cColumns = 2,
                                .rgindexcreate = &index,
                                .cIndexes = 1};
    JET_ERR err = JetCreateTableColumnIndexW(session, database, &create);
    made = create.tableid;
    return err;
}

static JET_ERR delete_table(void)
{
    JET_ERR err = JetCloseTable(session, made);
    return err < JET_errSuccess ? err : JetDeleteTableW(session, database, wide_n);
}

static JET_ERR create_index(void)
{
    JET_UNICODEINDEX unicode = {.lcid = 1031, .dwMapFlags = 0x10401};
    JET_CONDITIONALCOLUMN_W condition = {
        .cbStruct = sizeof(condition), .szColumnName = wide_a, .grbit = JET_bitIndexColumnMustBeNonNull};
    JET_INDEXCREATE_W index = {.cbStruct = sizeof(index),
                               .szIndexName = wide_n,
                               .szKey = wide_key,
                               .cbKey = sizeof(wide_key),
                               .grbit = JET_bitIndexUnicode,
                               .pidxunicode = &unicode,
                               .rgconditionalcolumn = &condition,
                               .cConditionalColumn = 1};
    return JetCreateIndex2W(session, table, &index, 1);
}

CALL(delete_index, JetDeleteIndexW(session, table, wide_n))
CALL(register_nothing, JetComputeStats(session, table))

static void of_schema(void **state)
{
    (void)state;
    static const struct call rows[] = {
        {"JetOpenTableW", open_table, close_made, false},
        {"JetDupCursor", duplicate, close_made, false},
        {"JetAddColumnW", add_column, delete_column, true},
        {"JetRenameColumnW", rename_column, rename_column_back, true},
        {"JetCreateTableColumnIndexW", create_table, delete_table, true},
        {"JetCreateIndex2W", create_index, delete_index, true},
        {"JetComputeStats", register_nothing, NULL, false},
    };
    SWEEP(rows);
}

/* --- information --- */

CALL(column_list, JetGetTableColumnInfoW(session, table, NULL, &out, sizeof(out), JET_ColInfoList))
CALL(close_columns, JetCloseTable(session, out.columns.tableid))
CALL(column_list_by_name,
     JetGetColumnInfoW(session, database, wide_t, NULL, &out, sizeof(out), JET_ColInfoList))
CALL(column_base, JetGetTableColumnInfoW(session, table, wide_b, &out, sizeof(out), JET_ColInfoBase))
CALL(index_list, JetGetTableIndexInfoW(session, table, NULL, &out, sizeof(out), JET_IdxInfoList))
CALL(one_index, JetGetTableIndexInfoW(session, table, wide_x, &out, sizeof(out), JET_IdxInfo))
CALL(close_indexes, JetCloseTable(session, out.indexes.tableid))
CALL(index_locale, JetGetTableIndexInfoW(session, table, wide_x, &out, sizeof(out), JET_IdxInfoLocaleName))
CALL(index_space, JetGetIndexInfoW(session, database, wide_t, wide_x, &out, 4, JET_IdxInfoSpaceOwned))
CALL(object_list,
     JetGetObjectInfoW(session, database, JET_objtypTable, NULL, NULL, &out, sizeof(out), JET_ObjInfoList))
CALL(close_objects, JetCloseTable(session, out.objects.tableid))
CALL(one_object,
     JetGetObjectInfoW(session, database, JET_objtypTable, NULL, wide_t, &out, sizeof(out), JET_ObjInfo))
CALL(table_name, JetGetTableInfoW(session, table, out.wide, sizeof(out), JET_TblInfoName))
CALL(table_space, JetGetTableInfoW(session, table, &out, 4, JET_TblInfoSpaceAvailable))
CALL(set_current, JetSetCurrentIndexW(session, table, wide_x))
CALL(get_current, JetGetCurrentIndexW(session, table, out.wide, sizeof(out)))

static void of_information(void **state)
{
    (void)state;
    static const struct call rows[] = {
        {"JetGetTableColumnInfoW, list", column_list, close_columns, false},
        {"JetGetColumnInfoW, list", column_list_by_name, close_columns, false},
        {"JetGetTableColumnInfoW, base", column_base, NULL, false},
        {"JetGetTableIndexInfoW, list", index_list, close_indexes, false},
        {"JetGetTableIndexInfoW, one", one_index, close_indexes, false},
        {"JetGetTableIndexInfoW, locale", index_locale, NULL, false},
        {"JetGetIndexInfoW, space", index_space, NULL, false},
        {"JetGetObjectInfoW, list", object_list, close_objects, false},
        {"JetGetObjectInfoW, one", one_object, NULL, false},
        {"JetGetTableInfoW, name", table_name, NULL, false},
        {"JetGetTableInfoW, space", table_space, NULL, false},
        {"JetSetCurrentIndexW", set_current, NULL, false},
        {"JetGetCurrentIndexW", get_current, NULL, false},
    };
    SWEEP(rows);
    /* With the defaults, in a transaction. */
    EXPECT(JET_errSuccess, JetBeginTransaction(session));
    SWEEP(rows);
    EXPECT(JET_errSuccess, JetCommitTransaction(session, 0));
}

/* The first temporary table brings its database. */
static void of_the_first_list(void **state)
{
    (void)state;
    for (uint64_t nth = 1;; nth++) {
        EsentHostResetCounters();
        EsentHostFailNth(ESENT_HOST_FAULT_ALLOCATE, nth, 1);
        JET_ERR err = column_list();
        uint64_t failures = EsentHostCountFailures(ESENT_HOST_FAULT_ALLOCATE);
        EsentHostFailNone();
        if (err >= JET_errSuccess)
            EXPECT(JET_errSuccess, close_columns());
        EXPECT(failures == 0 ? JET_errSuccess : JET_errOutOfMemory, err);
        if (failures == 0)
            break;
        /* Again from nothing. */
        assert_int_equal(api_world_end(state), 0);
        assert_int_equal(setup(state), 0);
    }
    cases_end();
}

/* --- temporary tables and intersections --- */

static JET_COLUMNDEF temporary = {
    .cbStruct = sizeof(temporary), .coltyp = JET_coltypText, .cp = 1200, .grbit = JET_bitColumnTTKey};
CALL(open_temporary, JetOpenTempTable2(session, &temporary, 1, 1031, 0, &made, &column))
static JET_INDEXRANGE ranges[2];

static JET_ERR intersect(void)
{
    out.records.cbStruct = sizeof(out.records);
    return JetIntersectIndexes(session, ranges, 2, &out.records, 0);
}

/* The ranges' cursors are where they were. */
static JET_ERR rewind_ranges(void)
{
    JET_ERR err = JET_errSuccess;
    for (size_t i = 0; i < 2 && err >= JET_errSuccess; i++)
        err = JetMove(session, ranges[i].tableid, (int32_t)JET_MoveFirst, 0);
    return err;
}

static JET_ERR intersect_rewound(void)
{
    EsentHostFailNone();
    return rewind_ranges();
}

static void of_temporary_tables(void **state)
{
    (void)state;
    static const struct call rows[] = {{"JetOpenTempTable2", open_temporary, close_made, false}};
    EXPECT(JET_errSuccess, open_temporary());
    EXPECT(JET_errSuccess, close_made());
    SWEEP(rows);
    static const char *const names[2] = {"x", "y"};
    for (size_t i = 0; i < 2; i++) {
        ranges[i].cbStruct = sizeof(ranges[i]);
        EXPECT(JET_errSuccess, JetDupCursor(session, table, &ranges[i].tableid, 0));
        EXPECT(JET_errSuccess, JetSetCurrentIndexA(session, ranges[i].tableid, names[i]));
    }
    for (uint64_t nth = 1;; nth++) {
        EXPECT(JET_errSuccess, intersect_rewound());
        EsentHostResetCounters();
        EsentHostFailNth(ESENT_HOST_FAULT_ALLOCATE, nth, 1);
        JET_ERR err = intersect();
        uint64_t failures = EsentHostCountFailures(ESENT_HOST_FAULT_ALLOCATE);
        EsentHostFailNone();
        EXPECT(failures == 0 ? JET_errSuccess : JET_errOutOfMemory, err);
        if (err >= JET_errSuccess) {
            EXPECT_EQUAL(3, out.records.cRecord);
            EXPECT(JET_errSuccess, JetCloseTable(session, out.records.tableid));
        }
        if (failures == 0)
            break;
    }
    cases_end();
}

/* --- backup --- */

static JET_HANDLE file;
static uint32_t low;
static uint32_t high;
CALL(attach_info, JetGetAttachInfoInstanceW(instance, out.wide, sizeof(out), &low))
CALL(log_info, JetGetLogInfoInstanceW(instance, out.wide, sizeof(out), &low))
CALL(narrow_log_info, JetGetLogInfoInstanceA(instance, (char *)out.bytes, sizeof(out), &low))
CALL(truncate_info, JetGetTruncateLogInfoInstanceW(instance, out.wide, sizeof(out), &low))
CALL(open_file, JetOpenFileInstanceW(instance, wide_path, &file, &low, &high))
CALL(close_file, JetCloseFileInstance(instance, file))

static void of_backups(void **state)
{
    (void)state;
    static const struct call databases[] = {
        {"JetGetAttachInfoInstanceW", attach_info, NULL, false},
        {"JetOpenFileInstanceW", open_file, close_file, false},
    };
    static const struct call logs[] = {
        {"JetGetLogInfoInstanceW", log_info, NULL, false},
        {"JetGetLogInfoInstanceA", narrow_log_info, NULL, false},
        {"JetGetTruncateLogInfoInstanceW", truncate_info, NULL, false},
    };
    EXPECT(JET_errSuccess, JetBeginExternalBackupInstance(instance, 0));
    SWEEP(databases);
    EXPECT(JET_errSuccess, log_info());
    SWEEP(logs);
    EXPECT(JET_errSuccess, JetEndExternalBackupInstance2(instance, JET_bitBackupEndAbort));
}

static JET_OSSNAPID snapshot;
CALL(prepare, JetOSSnapshotPrepare(&snapshot, 0))
CALL(end_snapshot, JetOSSnapshotEnd(snapshot, 0))

static void of_snapshots(void **state)
{
    (void)state;
    static const struct call rows[] = {{"JetOSSnapshotPrepare", prepare, end_snapshot, false}};
    SWEEP(rows);
}

/* --- the end --- */

/* An end that cannot clean up tells so, and leaves the rest to the next start; an end that answers success
 * leaves clean databases. */
static void of_the_end(void **state)
{
    for (uint64_t nth = 1; nth < 60; nth++) {
        uint32_t size = sizeof(JET_DBINFOMISC);
        JET_DBINFOMISC misc;
        EXPECT(JET_errSuccess, JetMove(session, table, (int32_t)JET_MoveFirst, 0));
        EXPECT(JET_errSuccess, JetDelete(session, table));
        EsentHostResetCounters();
        EsentHostFailNth(ESENT_HOST_FAULT_ALLOCATE, nth, 1);
        JET_ERR err = JetTerm2(instance, JET_bitTermComplete);
        uint64_t failures = EsentHostCountFailures(ESENT_HOST_FAULT_ALLOCATE);
        EsentHostFailNone();
        EXPECT(JET_errSuccess, JetGetDatabaseFileInfoA("x.edb", &misc, size, JET_DbInfoMisc));
        if (err >= JET_errSuccess && misc.dbstate != JET_dbstateCleanShutdown) {
            print_message("allocation %d: answers %d, state %d\n", (int)nth, (int)err, (int)misc.dbstate);
            cases_wrong++;
        }
        assert_true(failures > 0 || err == JET_errSuccess);
        assert_int_equal(EsentHostReset(NULL, 0), 0);
        assert_int_equal(setup(state), 0);
        if (failures == 0)
            break;
    }
    cases_end();
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, api_world_end)

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        CASE(of_instances),   CASE(of_databases),      CASE(of_detached_databases), CASE(of_schema),
        CASE(of_information), CASE(of_the_first_list), CASE(of_temporary_tables),   CASE(of_backups),
        CASE(of_snapshots),   CASE(of_the_end),
    };
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
