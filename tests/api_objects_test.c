/* What tables and objects tell about themselves, at every level, with good, small, odd and missing buffers.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/api_tables_world.h"

/* --- tables --- */

static void table_levels(void **state)
{
    (void)state;
    JET_OBJECTINFO info;
    char text[200];
    WCHAR wide[200];
    JET_DBID id = 0;
    uint32_t numbers[2];
    EXPECT(JET_errSuccess, JetGetTableInfoA(session, table, &info, sizeof(info), JET_TblInfo));
    EXPECT_EQUAL(JET_bitTableInfoBookmark | JET_bitTableInfoRollback | JET_bitTableInfoUpdatable, info.grbit);
    EXPECT(JET_errBufferTooSmall, JetGetTableInfoA(session, table, &info, sizeof(info) - 1, JET_TblInfo));
    EXPECT(JET_errBufferTooSmall, JetGetTableInfoA(session, table, NULL, sizeof(info), JET_TblInfo));
    EXPECT(JET_errSuccess, JetGetTableInfoA(session, table, text, 2, JET_TblInfoName));
    assert_string_equal(text, "t");
    EXPECT(JET_errBufferTooSmall, JetGetTableInfoA(session, table, text, 1, JET_TblInfoName));
    EXPECT(JET_errSuccess, JetGetTableInfoW(session, table, wide, 4, JET_TblInfoName));
    EXPECT_EQUAL('t', wide[0]);
    EXPECT(JET_errBufferTooSmall, JetGetTableInfoW(session, table, wide, 3, JET_TblInfoName));
    EXPECT(JET_errSuccess, JetGetTableInfoA(session, derived, text, 65, JET_TblInfoTemplateTableName));
    assert_string_equal(text, "m");
    EXPECT(JET_errBufferTooSmall, JetGetTableInfoA(session, derived, text, 64, JET_TblInfoTemplateTableName));
    EXPECT(JET_errSuccess, JetGetTableInfoA(session, table, text, 65, JET_TblInfoTemplateTableName));
    assert_string_equal(text, "");
    EXPECT(JET_errSuccess, JetGetTableInfoA(session, table, &id, sizeof(id), JET_TblInfoDbid));
    EXPECT_EQUAL(database, id);
    EXPECT(JET_errBufferTooSmall, JetGetTableInfoA(session, table, &id, sizeof(id) - 1, JET_TblInfoDbid));
    EXPECT(JET_errSuccess, JetGetTableInfoA(session, table, numbers, sizeof(numbers), JET_TblInfoSpaceAlloc));
    assert_true(numbers[0] >= 4);
    EXPECT_EQUAL(90, numbers[1]);
    EXPECT(JET_errBufferTooSmall, JetGetTableInfoA(session, table, numbers, 7, JET_TblInfoSpaceAlloc));
    EXPECT(JET_errBufferTooSmall, JetGetTableInfoA(session, table, numbers, 3, JET_TblInfoSpaceOwned));
    EXPECT(JET_errBufferTooSmall, JetGetTableInfoA(session, table, numbers, 3, JET_TblInfoSpaceOwnedLV));
    EXPECT(JET_errInvalidBufferSize, JetGetTableInfoA(session, table, numbers, 8, JET_TblInfoSpaceAvailable));
    static const uint32_t not_built[] = {JET_TblInfoOLC, JET_TblInfoResetOLC, JET_TblInfoRvt,
                                         JET_TblInfoMostMany, JET_TblInfoDumpTable};
    for (size_t i = 0; i < sizeof(not_built) / sizeof(not_built[0]); i++)
        EXPECT(JET_errFeatureNotAvailable,
               JetGetTableInfoA(session, table, text, sizeof(text), not_built[i]));
    EXPECT(JET_errInvalidParameter, JetGetTableInfoA(session, table, text, sizeof(text), 99));
    EXPECT(JET_errInvalidTableId, JetGetTableInfoA(session, 0, text, sizeof(text), JET_TblInfoName));
    /* One that cannot write. */
    JET_TABLEID reader;
    EXPECT(JET_errSuccess, JetCloseTable(session, table));
    EXPECT(JET_errSuccess, JetOpenTableA(session, database, "t", NULL, 0, JET_bitTableReadOnly, &reader));
    EXPECT(JET_errSuccess, JetGetTableInfoA(session, reader, &info, sizeof(info), JET_TblInfo));
    EXPECT_EQUAL(JET_bitTableInfoBookmark | JET_bitTableInfoRollback, info.grbit);
    cases_end();
}

/* A temporary table is no object: it has no name and no database. */
static void temporary_tables(void **state)
{
    (void)state;
    JET_COLUMNDEF column = {
        .cbStruct = sizeof(column), .coltyp = JET_coltypLong, .grbit = JET_bitColumnTTKey};
    JET_COLUMNID id;
    JET_TABLEID temporary;
    uint8_t out[300];
    EXPECT(JET_errSuccess,
           JetOpenTempTable(session, &column, 1, JET_bitTTIndexed | JET_bitTTUpdatable | JET_bitTTScrollable,
                            &temporary, &id));
    EXPECT(JET_errIllegalOperation,
           JetGetTableInfoA(session, temporary, out, sizeof(out), JET_TblInfo)); /* too early */
    EXPECT(JET_errSuccess, JetPrepareUpdate(session, temporary, JET_prepInsert));
    EXPECT(JET_errSuccess, JetUpdate(session, temporary, NULL, 0, NULL));
    EXPECT(JET_errSuccess, JetMove(session, temporary, (int32_t)JET_MoveFirst, 0));
    EXPECT(JET_errObjectNotFound, JetGetTableInfoA(session, temporary, out, sizeof(out), JET_TblInfo));
    EXPECT(JET_errInvalidOperation, JetGetTableInfoA(session, temporary, out, sizeof(out), JET_TblInfoName));
    EXPECT(JET_errInvalidOperation,
           JetGetTableInfoA(session, temporary, out, sizeof(out), JET_TblInfoTemplateTableName));
    EXPECT(JET_errInvalidOperation, JetGetTableInfoA(session, temporary, out, sizeof(out), JET_TblInfoDbid));
    EXPECT(JET_errIllegalOperation,
           JetGetTableColumnInfoA(session, temporary, NULL, out, sizeof(out), JET_ColInfoList));
    EXPECT(JET_errIllegalOperation,
           JetGetTableIndexInfoA(session, temporary, NULL, out, sizeof(out), JET_IdxInfoList));
    EXPECT(JET_errIllegalOperation, JetComputeStats(session, temporary));
    EXPECT(JET_errSuccess, JetCloseTable(session, temporary));
    cases_end();
}

/* --- objects --- */

static JET_ERR object(JET_OBJTYP type, const char *container, const char *name, uint32_t size, uint32_t level)
{
    static union {
        JET_OBJECTLIST list;
        JET_OBJECTINFO info;
    } out;
    JET_ERR err = JetGetObjectInfoA(session, database, type, container, name, size > 0 ? (void *)&out : NULL,
                                    size, level);
    if (err == JET_errSuccess && (level == JET_ObjInfoList || level == JET_ObjInfoListNoStats))
        err = JetCloseTable(session, out.list.tableid);
    return err;
}

static void objects(void **state)
{
    (void)state;
    const uint32_t one = sizeof(JET_OBJECTINFO);
    const uint32_t all = sizeof(JET_OBJECTLIST);
    EXPECT(JET_errSuccess, object(JET_objtypTable, NULL, "t", one, JET_ObjInfo));
    EXPECT(JET_errSuccess, object(JET_objtypTable, "", "t", one, JET_ObjInfoNoStats));
    EXPECT(JET_errSuccess, object(JET_objtypTable, "tables", "T", one, JET_ObjInfoNoStats));
    EXPECT(JET_errObjectNotFound, object(JET_objtypTable, "Others", "t", one, JET_ObjInfo));
    EXPECT(JET_errInvalidName, object(JET_objtypTable, LONG_NAME, "t", one, JET_ObjInfo));
    EXPECT(JET_errInvalidParameter, object(JET_objtypTable, BAD_TEXT, "t", one, JET_ObjInfo));
    EXPECT(JET_errInvalidParameter, object(JET_objtypTable, NULL, BAD_TEXT, one, JET_ObjInfo));
    EXPECT(JET_errObjectNotFound, object(JET_objtypTable, NULL, "no", one, JET_ObjInfo));
    EXPECT(JET_errObjectNotFound, object(JET_objtypTable, NULL, NULL, one, JET_ObjInfo));
    EXPECT(JET_errObjectNotFound, object(JET_objtypTable, NULL, "", one, JET_ObjInfo));
    EXPECT(JET_errInvalidName, object(JET_objtypTable, NULL, LONG_NAME, one, JET_ObjInfo));
    EXPECT(JET_errBufferTooSmall, object(JET_objtypTable, NULL, "no", one - 1, JET_ObjInfo));
    EXPECT(JET_errInvalidParameter, object(JET_objtypTable, NULL, "t", 0, JET_ObjInfo));
    EXPECT(JET_errSuccess, object(JET_objtypTable, NULL, NULL, all, JET_ObjInfoList));
    EXPECT(JET_errSuccess, object(JET_objtypNil, NULL, NULL, all, JET_ObjInfoListNoStats));
    EXPECT(JET_errInvalidParameter, object(3, NULL, NULL, all, JET_ObjInfoList));
    EXPECT(JET_errBufferTooSmall, object(JET_objtypTable, NULL, NULL, all - 1, JET_ObjInfoList));
    EXPECT(JET_errFeatureNotAvailable, object(JET_objtypTable, NULL, NULL, all, JET_ObjInfoSysTabCursor));
    EXPECT(JET_errFeatureNotAvailable, object(JET_objtypTable, NULL, NULL, all, JET_ObjInfoListACM));
    EXPECT(JET_errFeatureNotAvailable, object(JET_objtypTable, NULL, NULL, all, JET_ObjInfoSysTabReadOnly));
    EXPECT(JET_errFeatureNotAvailable, object(JET_objtypTable, NULL, NULL, all, JET_ObjInfoRulesLoaded));
    EXPECT(JET_errInvalidParameter, object(JET_objtypTable, NULL, NULL, all, 99));
    JET_OBJECTINFO info;
    JET_OBJECTLIST list;
    EXPECT(JET_errInvalidDatabaseId,
           JetGetObjectInfoA(session, 0, JET_objtypTable, NULL, "t", &info, sizeof(info), JET_ObjInfo));
    EXPECT(JET_errSuccess, JetGetObjectInfoW(session, database, JET_objtypTable, NULL, wide_d, &info,
                                             sizeof(info), JET_ObjInfo));
    EXPECT_EQUAL(JET_bitObjectTableDerived, info.flags & JET_bitObjectTableDerived);
    EXPECT(JET_errSuccess, JetGetObjectInfoW(session, database, JET_objtypTable, NULL, NULL, &list,
                                             sizeof(list), JET_ObjInfoList));
    EXPECT_EQUAL(list.cRecord, rows_of(list.tableid));
    assert_true(list.cRecord >= 3);
    EXPECT(JET_errSuccess, JetCloseTable(session, list.tableid));
    cases_end();
}

/* Many tables: their names are collected in steps. */
static void many_objects(void **state)
{
    (void)state;
    JET_OBJECTLIST list;
    JET_TABLEID made;
    uint32_t before = 0;
    char name[] = "n00";
    EXPECT(JET_errSuccess, JetGetObjectInfoA(session, database, JET_objtypTable, NULL, NULL, &list,
                                             sizeof(list), JET_ObjInfoList));
    before = list.cRecord;
    EXPECT(JET_errSuccess, JetCloseTable(session, list.tableid));
    for (int i = 0; i < 30; i++) {
        name[1] = (char)('0' + i / 10);
        name[2] = (char)('0' + i % 10);
        EXPECT(JET_errSuccess, JetCreateTableA(session, database, name, 0, 80, &made));
        EXPECT(JET_errSuccess, JetCloseTable(session, made));
    }
    EXPECT(JET_errSuccess, JetGetObjectInfoA(session, database, JET_objtypTable, NULL, NULL, &list,
                                             sizeof(list), JET_ObjInfoList));
    EXPECT_EQUAL(before + 30, list.cRecord);
    EXPECT(JET_errSuccess, JetCloseTable(session, list.tableid));
    cases_end();
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, api_world_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(table_levels),
        CASE(temporary_tables),
        CASE(objects),
        CASE(many_objects),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
