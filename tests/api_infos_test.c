/* What columns and indexes tell about themselves: every level with good, small, odd and
 * missing buffers, by name and by cursor, in both kinds of text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/api_tables_world.h"

/* --- columns --- */

struct level {
    uint32_t level;
    uint32_t narrow;
    uint32_t wide;
};

static const struct level column_levels[] = {
    {JET_ColInfo, sizeof(JET_COLUMNDEF), sizeof(JET_COLUMNDEF)},
    {JET_ColInfoByColid, sizeof(JET_COLUMNDEF), sizeof(JET_COLUMNDEF)},
    {JET_ColInfoBase, sizeof(JET_COLUMNBASE_A), sizeof(JET_COLUMNBASE_W)},
    {JET_ColInfoBaseByColid, sizeof(JET_COLUMNBASE_A), sizeof(JET_COLUMNBASE_W)},
    {JET_ColInfoList, sizeof(JET_COLUMNLIST), sizeof(JET_COLUMNLIST)},
    {JET_ColInfoListCompact, sizeof(JET_COLUMNLIST), sizeof(JET_COLUMNLIST)},
    {JET_ColInfoListSortColumnid, sizeof(JET_COLUMNLIST), sizeof(JET_COLUMNLIST)},
};

static bool is_list(uint32_t level)
{
    return level == JET_ColInfoList || level == JET_ColInfoListCompact ||
           level == JET_ColInfoListSortColumnid;
}

static void column_levels_and_sizes(void **state)
{
    (void)state;
    static union {
        JET_COLUMNBASE_W base;
        JET_COLUMNLIST list;
        uint8_t bytes[2000];
    } out;
    for (size_t i = 0; i < sizeof(column_levels) / sizeof(column_levels[0]); i++) {
        const struct level *row = &column_levels[i];
        const bool by_id = row->level == JET_ColInfoByColid || row->level == JET_ColInfoBaseByColid;
        const void *name = by_id ? (const void *)&ids[1] : "b";
        const void *wide = by_id ? (const void *)&ids[1] : wide_b;
        EXPECT(JET_errSuccess, JetGetTableColumnInfoA(session, table, name, &out, row->narrow, row->level));
        if (is_list(row->level))
            EXPECT(JET_errSuccess, JetCloseTable(session, out.list.tableid));
        EXPECT(JET_errSuccess, JetGetTableColumnInfoW(session, table, wide, &out, row->wide, row->level));
        if (is_list(row->level))
            EXPECT(JET_errSuccess, JetCloseTable(session, out.list.tableid));
        EXPECT(JET_errSuccess,
               JetGetColumnInfoA(session, database, "t", name, &out, row->narrow, row->level));
        if (is_list(row->level))
            EXPECT(JET_errSuccess, JetCloseTable(session, out.list.tableid));
        EXPECT(JET_errSuccess,
               JetGetColumnInfoW(session, database, wide_t, wide, &out, row->wide, row->level));
        if (is_list(row->level))
            EXPECT(JET_errSuccess, JetCloseTable(session, out.list.tableid));
        EXPECT(JET_errBufferTooSmall,
               JetGetTableColumnInfoA(session, table, name, &out, row->narrow - 1, row->level));
        EXPECT(JET_errBufferTooSmall,
               JetGetColumnInfoW(session, database, wide_t, wide, &out, row->wide - 1, row->level));
        EXPECT(JET_errInvalidParameter,
               JetGetTableColumnInfoA(session, table, name, NULL, row->narrow, row->level));
        if (cases_wrong > 0)
            print_message("level %u\n", (unsigned)row->level);
    }
    /* Whatever else is wrong, levels and sizes are seen first. */
    EXPECT(JET_errInvalidParameter, JetGetColumnInfoA(session, database, "no", "no", &out, sizeof(out), 9));
    EXPECT(JET_errFeatureNotAvailable,
           JetGetColumnInfoA(session, database, "no", "no", &out, sizeof(out), JET_ColInfoSysTabCursor));
    EXPECT(JET_errBufferTooSmall, JetGetColumnInfoA(session, database, "no", "no", &out, 4, JET_ColInfo));
    cases_end();
}

static void column_names_and_ids(void **state)
{
    (void)state;
    JET_COLUMNDEF out;
    JET_COLUMNID none = 77777;
    EXPECT(JET_errInvalidParameter,
           JetGetColumnInfoA(session, database, NULL, "b", &out, sizeof(out), JET_ColInfo));
    EXPECT(JET_errInvalidParameter,
           JetGetColumnInfoA(session, database, "", "b", &out, sizeof(out), JET_ColInfo));
    EXPECT(JET_errInvalidParameter,
           JetGetColumnInfoA(session, database, BAD_TEXT, "b", &out, sizeof(out), JET_ColInfo));
    EXPECT(JET_errInvalidParameter,
           JetGetColumnInfoW(session, database, BAD_WIDE, wide_b, &out, sizeof(out), JET_ColInfo));
    EXPECT(JET_errObjectNotFound,
           JetGetColumnInfoA(session, database, "no", "b", &out, sizeof(out), JET_ColInfo));
    EXPECT(JET_errInvalidDatabaseId, JetGetColumnInfoA(session, 0, "t", "b", &out, sizeof(out), JET_ColInfo));
    EXPECT(JET_errColumnNotFound,
           JetGetTableColumnInfoA(session, table, "no", &out, sizeof(out), JET_ColInfo));
    EXPECT(JET_errColumnNotFound, JetGetTableColumnInfoA(session, table, "", &out, sizeof(out), JET_ColInfo));
    EXPECT(JET_errColumnNotFound,
           JetGetTableColumnInfoA(session, table, NULL, &out, sizeof(out), JET_ColInfo));
    EXPECT(JET_errInvalidName,
           JetGetTableColumnInfoA(session, table, LONG_NAME, &out, sizeof(out), JET_ColInfo));
    EXPECT(JET_errInvalidParameter,
           JetGetTableColumnInfoA(session, table, BAD_TEXT, &out, sizeof(out), JET_ColInfo));
    EXPECT(JET_errBadColumnId, JetGetTableColumnInfoA(session, table, (const char *)&none, &out, sizeof(out),
                                                      JET_ColInfoByColid));
    EXPECT(JET_errInvalidParameter,
           JetGetTableColumnInfoA(session, table, NULL, &out, sizeof(out), JET_ColInfoByColid));
    EXPECT(JET_errInvalidTableId, JetGetTableColumnInfoA(session, 0, "b", &out, sizeof(out), JET_ColInfo));
    cases_end();
}

static void column_values(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        JET_COLTYP type;
        uint16_t code_page;
        uint32_t most;
        JET_GRBIT bits;
    } rows[] = {
        {"a", JET_coltypLong, 0, 4, JET_bitColumnFixed | JET_bitColumnNotNULL | JET_bitColumnAutoincrement},
        {"b", JET_coltypText, 1252, 30, 0},
        {"c", JET_coltypLongText, 1200, 0,
         JET_bitColumnTagged | JET_bitColumnMultiValued | JET_bitColumnCompressed},
        {"v", JET_coltypLong, 0, 4, JET_bitColumnFixed | JET_bitColumnVersion},
        {"e", JET_coltypLong, 0, 4,
         JET_bitColumnFixed | JET_bitColumnEscrowUpdate | JET_bitColumnDeleteOnZero},
        {"f", JET_coltypLong, 0, 4, JET_bitColumnFixed | JET_bitColumnEscrowUpdate | JET_bitColumnFinalize},
        {"g", JET_coltypBinary, 0, 20, 0},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        JET_COLUMNDEF out;
        EXPECT(JET_errSuccess,
               JetGetTableColumnInfoA(session, table, rows[i].name, &out, sizeof(out), JET_ColInfo));
        EXPECT_EQUAL(ids[i], out.columnid);
        EXPECT_EQUAL(rows[i].type, out.coltyp);
        EXPECT_EQUAL(rows[i].code_page, out.cp);
        EXPECT_EQUAL(rows[i].most, out.cbMax);
        EXPECT_EQUAL(rows[i].bits | JET_bitColumnUpdatable, out.grbit);
        /* By the table's name the cursor is one that cannot write. */
        EXPECT(JET_errSuccess,
               JetGetColumnInfoA(session, database, "t", rows[i].name, &out, sizeof(out), JET_ColInfo));
        EXPECT_EQUAL(rows[i].bits, out.grbit);
    }
    cases_end();
}

static void expect_base(const char *name, const char *base_table)
{
    JET_COLUMNBASE_A out;
    JET_COLUMNBASE_W wide;
    WCHAR wide_name[4] = {(WCHAR)name[0], 0};
    EXPECT(JET_errSuccess,
           JetGetTableColumnInfoA(session, derived, name, &out, sizeof(out), JET_ColInfoBase));
    assert_string_equal(out.szBaseTableName, base_table);
    assert_string_equal(out.szBaseColumnName, name);
    EXPECT_EQUAL(sizeof(out), out.cbStruct);
    EXPECT(JET_errSuccess,
           JetGetColumnInfoW(session, database, wide_d, wide_name, &wide, sizeof(wide), JET_ColInfoBase));
    EXPECT_EQUAL(base_table[0], wide.szBaseTableName[0]);
    EXPECT_EQUAL(name[0], wide.szBaseColumnName[0]);
    EXPECT_EQUAL(sizeof(wide), wide.cbStruct);
    EXPECT_EQUAL(name[0] == 'b' ? 1252 : 0, wide.cp);
    EXPECT_EQUAL(out.columnid, wide.columnid);
}

/* Columns of a template belong to it; the published engine says the derived table. */
static void base_of_inherited_columns(void **state)
{
    (void)state;
    expect_base("b", "m");
    expect_base("o", "d");
    EXPECT(JET_errSuccess, JetTerm2(instance, JET_bitTermAbrupt));
    EXPECT(JET_errSuccess, EsentHostSetProfile(ESENT_HOST_PUBLISHED));
    instance = JET_instanceNil;
    EXPECT(JET_errSuccess, JetCreateInstanceA(&instance, "a"));
    EXPECT(JET_errSuccess, JetInit(&instance));
    EXPECT(JET_errSuccess, JetBeginSessionA(instance, &session, NULL, NULL));
    EXPECT(JET_errSuccess, JetAttachDatabaseA(session, "x.edb", 0));
    EXPECT(JET_errSuccess, JetOpenDatabaseA(session, "x.edb", NULL, &database, 0));
    EXPECT(JET_errSuccess, JetOpenTableA(session, database, "d", NULL, 0, 0, &derived));
    expect_base("b", "d");
    EXPECT(JET_errSuccess, JetTerm2(instance, JET_bitTermComplete));
    instance = JET_instanceNil;
    EXPECT(JET_errSuccess, EsentHostSetProfile(ESENT_HOST_DOCUMENTED));
    EXPECT(JET_errSuccess, JetCreateInstanceA(&instance, "a"));
    cases_end();
}

static void column_lists(void **state)
{
    (void)state;
    static const struct {
        uint32_t level;
        int rows;
    } rows[] = {
        {JET_ColInfoList, 2},
        {JET_ColInfoListCompact, 1},
        {JET_ColInfoListSortColumnid, 2},
        {JET_ColInfoList | JET_ColInfoGrbitNonDerivedColumnsOnly, 1},
        {JET_ColInfoList | JET_ColInfoGrbitSortByColumnid, 2},
        {JET_ColInfoList | JET_ColInfoGrbitMinimalInfo, 2},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        JET_COLUMNLIST list;
        EXPECT(JET_errSuccess,
               JetGetTableColumnInfoA(session, derived, NULL, &list, sizeof(list), rows[i].level));
        EXPECT_EQUAL(rows[i].rows, list.cRecord);
        EXPECT_EQUAL(rows[i].rows, rows_of(list.tableid));
        EXPECT_EQUAL(list.columnidcolumnname, list.columnidDefinitionName);
        char type[4];
        uint32_t size = 0;
        EXPECT(JET_errSuccess, JetMove(session, list.tableid, (int32_t)JET_MoveFirst, 0));
        EXPECT((rows[i].level & JET_ColInfoGrbitMinimalInfo) != 0 ? JET_wrnColumnNull : JET_errSuccess,
               JetRetrieveColumn(session, list.tableid, list.columnidcoltyp, type, sizeof(type), &size, 0,
                                 NULL));
        EXPECT(JET_errSuccess, JetCloseTable(session, list.tableid));
    }
    /* Within a transaction the list has the defaults, too. */
    JET_COLUMNLIST list;
    char value[4];
    uint32_t size = 0;
    EXPECT(JET_errSuccess, JetBeginTransaction(session));
    EXPECT(JET_errSuccess,
           JetGetColumnInfoW(session, database, wide_t, NULL, &list, sizeof(list), JET_ColInfoList));
    int defaults = 0;
    for (JET_ERR err = JetMove(session, list.tableid, (int32_t)JET_MoveFirst, 0); err == JET_errSuccess;
         err = JetMove(session, list.tableid, JET_MoveNext, 0))
        defaults += JetRetrieveColumn(session, list.tableid, list.columnidDefault, value, sizeof(value),
                                      &size, 0, NULL) == JET_errSuccess;
    EXPECT_EQUAL(2, defaults);
    EXPECT(JET_errSuccess, JetCloseTable(session, list.tableid));
    EXPECT(JET_errSuccess, JetCommitTransaction(session, 0));
    cases_end();
}

/* --- indexes --- */

static const struct level index_levels[] = {
    {JET_IdxInfo, sizeof(JET_INDEXLIST) - 4, 0},
    {JET_IdxInfoList, sizeof(JET_INDEXLIST) - 4, 0},
    {JET_IdxInfoSpaceAlloc, 4, 0},
    {JET_IdxInfoLCID, 2, 0},
    {JET_IdxInfoCount, 4, 0},
    {JET_IdxInfoVarSegMac, 2, 0},
    {JET_IdxInfoIndexId, sizeof(JET_INDEXID), 0},
    {JET_IdxInfoKeyMost, 2, 0},
    {JET_IdxInfoLocaleName, 170, 0},
    {JET_IdxInfoSpaceOwned, 4, 0},
    {JET_IdxInfoSpaceAvailable, 4, 0},
};

static void index_levels_and_sizes(void **state)
{
    (void)state;
    static union {
        JET_INDEXLIST list;
        uint8_t bytes[400];
    } out;
    for (size_t i = 0; i < sizeof(index_levels) / sizeof(index_levels[0]); i++) {
        const struct level *row = &index_levels[i];
        const bool list = row->level == JET_IdxInfo || row->level == JET_IdxInfoList;
        EXPECT(JET_errSuccess, JetGetTableIndexInfoA(session, table, "x", &out, row->narrow, row->level));
        if (list)
            EXPECT(JET_errSuccess, JetCloseTable(session, out.list.tableid));
        EXPECT(JET_errSuccess, JetGetTableIndexInfoW(session, table, wide_x, &out, row->narrow, row->level));
        if (list)
            EXPECT(JET_errSuccess, JetCloseTable(session, out.list.tableid));
        EXPECT(JET_errSuccess, JetGetIndexInfoA(session, database, "t", "x", &out, row->narrow, row->level));
        if (list)
            EXPECT(JET_errSuccess, JetCloseTable(session, out.list.tableid));
        EXPECT(JET_errSuccess,
               JetGetIndexInfoW(session, database, wide_t, wide_x, &out, row->narrow, row->level));
        if (list)
            EXPECT(JET_errSuccess, JetCloseTable(session, out.list.tableid));
        EXPECT(JET_errBufferTooSmall,
               JetGetTableIndexInfoA(session, table, "x", &out, row->narrow - 1, row->level));
        EXPECT(JET_errInvalidParameter,
               JetGetIndexInfoA(session, database, "t", "x", NULL, row->narrow, row->level));
        if (cases_wrong > 0)
            print_message("level %u\n", (unsigned)row->level);
    }
    static const uint32_t not_built[] = {JET_IdxInfoSysTabCursor, JET_IdxInfoOLC, JET_IdxInfoResetOLC};
    for (size_t i = 0; i < sizeof(not_built) / sizeof(not_built[0]); i++)
        EXPECT(JET_errFeatureNotAvailable,
               JetGetTableIndexInfoA(session, table, "x", &out, sizeof(out), not_built[i]));
    EXPECT(JET_errInvalidParameter, JetGetIndexInfoA(session, database, "no", "x", &out, sizeof(out), 99));
    EXPECT(JET_errBufferTooSmall, JetGetIndexInfoA(session, database, "no", "x", &out, 1, JET_IdxInfoCount));
    EXPECT(JET_errInvalidBufferSize,
           JetGetTableIndexInfoA(session, table, "x", &out, 5, JET_IdxInfoSpaceOwned));
    cases_end();
}

static void index_names(void **state)
{
    (void)state;
    uint32_t out;
    EXPECT(JET_errIndexNotFound, JetGetTableIndexInfoA(session, table, NULL, &out, 4, JET_IdxInfoSpaceAlloc));
    EXPECT(JET_errIndexNotFound, JetGetTableIndexInfoA(session, table, "", &out, 4, JET_IdxInfoSpaceAlloc));
    EXPECT(JET_errIndexNotFound, JetGetTableIndexInfoA(session, table, "no", &out, 4, JET_IdxInfoSpaceAlloc));
    EXPECT(JET_errInvalidName,
           JetGetTableIndexInfoA(session, table, LONG_NAME, &out, 4, JET_IdxInfoSpaceAlloc));
    EXPECT(JET_errInvalidName, JetGetTableIndexInfoA(session, table, LONG_NAME, &out, 4, JET_IdxInfoCount));
    EXPECT(JET_errInvalidParameter,
           JetGetTableIndexInfoA(session, table, BAD_TEXT, &out, 4, JET_IdxInfoSpaceAlloc));
    EXPECT(JET_errInvalidParameter,
           JetGetTableIndexInfoW(session, table, BAD_WIDE, &out, 4, JET_IdxInfoSpaceAlloc));
    EXPECT(JET_errSuccess, JetGetTableIndexInfoA(session, table, NULL, &out, 4, JET_IdxInfoCount));
    EXPECT_EQUAL(6, out);
    EXPECT(JET_errSuccess, JetGetTableIndexInfoA(session, table, "x", &out, 4, JET_IdxInfoCount));
    EXPECT_EQUAL(6, out);
    cases_end();
}

static uint32_t index_number(const char *name, uint32_t level, uint32_t size)
{
    uint32_t value = 0;
    EXPECT(JET_errSuccess, JetGetTableIndexInfoA(session, table, name, &value, size, level));
    return value;
}

static void index_values(void **state)
{
    (void)state;
    char locale[170];
    WCHAR wide_locale[85];
    EXPECT_EQUAL(70, index_number("x", JET_IdxInfoSpaceAlloc, 4));
    EXPECT_EQUAL(255, index_number("x", JET_IdxInfoVarSegMac, 2));
    EXPECT_EQUAL(255, index_number("x", JET_IdxInfoKeyMost, 2));
    EXPECT_EQUAL(1033, index_number("x", JET_IdxInfoLCID, 2));
    EXPECT_EQUAL(1033, index_number("x", JET_IdxInfoLCID, 4));
    assert_true(index_number("x", JET_IdxInfoSpaceOwned, 4) >= 1);
    assert_true(index_number("x", JET_IdxInfoSpaceAvailable, 4) <
                index_number("x", JET_IdxInfoSpaceOwned, 4));
    EXPECT(JET_errSuccess,
           JetGetTableIndexInfoA(session, table, "x", locale, sizeof(locale), JET_IdxInfoLocaleName));
    assert_string_equal(locale, "en-US");
    /* In a transaction a limit that nobody has set is told with a warning. */
    uint16_t most = 0;
    EXPECT(JET_errSuccess, JetBeginTransaction(session));
    EXPECT(JET_wrnColumnNull, JetGetTableIndexInfoA(session, table, "x", &most, 2, JET_IdxInfoKeyMost));
    EXPECT(JET_wrnColumnNull, JetGetTableIndexInfoA(session, table, "x", &most, 2, JET_IdxInfoVarSegMac));
    EXPECT_EQUAL(255, most);
    /* One with a language, and limits. */
    JET_UNICODEINDEX unicode = {.lcid = 1031, .dwMapFlags = 0x10401};
    JET_INDEXCREATE_A german = INDEX("german", "+c\0", JET_bitIndexUnicode | JET_bitIndexKeyMost);
    german.pidxunicode = &unicode;
    german.cbKeyMost = 400;
    german.cbVarSegMac = 300;
    EXPECT(JET_errSuccess, JetCreateIndex2A(session, table, &german, 1));
    EXPECT(JET_errSuccess, JetGetTableIndexInfoA(session, table, "german", &most, 2, JET_IdxInfoKeyMost));
    EXPECT_EQUAL(400, most);
    EXPECT(JET_errSuccess, JetGetTableIndexInfoA(session, table, "german", &most, 2, JET_IdxInfoVarSegMac));
    EXPECT_EQUAL(300, most);
    EXPECT_EQUAL(1031, index_number("german", JET_IdxInfoLCID, 2));
    EXPECT_EQUAL(1031, index_number("german", JET_IdxInfoLCID, 4));
    EXPECT(JET_errSuccess,
           JetGetTableIndexInfoA(session, table, "german", locale, sizeof(locale), JET_IdxInfoLocaleName));
    assert_string_equal(locale, "de-DE");
    static const WCHAR wide_german[] = {'g', 'e', 'r', 'm', 'a', 'n', 0};
    EXPECT(JET_errSuccess, JetGetTableIndexInfoW(session, table, wide_german, wide_locale,
                                                 sizeof(wide_locale), JET_IdxInfoLocaleName));
    EXPECT_EQUAL('E', wide_locale[4]);
    EXPECT(JET_errSuccess, JetCommitTransaction(session, 0));
    cases_end();
}

/* What the table owns, its indexes own parts of; what is available is each tree's own. */
static void space_adds_up(void **state)
{
    (void)state;
    uint32_t owned = 0;
    uint32_t available = 0;
    uint32_t own = index_number("pk", JET_IdxInfoSpaceOwned, 4);
    uint32_t own_available = index_number("pk", JET_IdxInfoSpaceAvailable, 4);
    for (size_t i = 1; i < sizeof(indexes) / sizeof(indexes[0]); i++) {
        own += index_number(indexes[i].szIndexName, JET_IdxInfoSpaceOwned, 4);
        own_available += index_number(indexes[i].szIndexName, JET_IdxInfoSpaceAvailable, 4);
    }
    EXPECT(JET_errSuccess, JetGetTableInfoA(session, table, &owned, 4, JET_TblInfoSpaceOwned));
    EXPECT(JET_errSuccess, JetGetTableInfoA(session, table, &available, 4, JET_TblInfoSpaceAvailable));
    EXPECT_EQUAL(owned, own);
    EXPECT_EQUAL(available, own_available);
    EXPECT(JET_errSuccess, JetGetTableInfoA(session, table, &owned, 4, JET_TblInfoSpaceOwnedLV));
    EXPECT_EQUAL(0, owned);
    /* A long value brings a tree of its own. */
    static uint8_t value[20000];
    EXPECT(JET_errSuccess, JetBeginTransaction(session));
    EXPECT(JET_errSuccess, JetPrepareUpdate(session, table, JET_prepInsert));
    EXPECT(JET_errSuccess, JetSetColumn(session, table, ids[1], "b", 1, 0, NULL));
    for (size_t i = 0; i < sizeof(value); i++)
        value[i] = (uint8_t)(i * i / 7); /* nothing to compress */
    EXPECT(JET_errSuccess, JetSetColumn(session, table, ids[2], value, sizeof(value), 0, NULL));
    EXPECT(JET_errSuccess, JetUpdate(session, table, NULL, 0, NULL));
    EXPECT(JET_errSuccess, JetCommitTransaction(session, 0));
    EXPECT(JET_errSuccess, JetGetTableInfoA(session, table, &owned, 4, JET_TblInfoSpaceOwnedLV));
    EXPECT(JET_errSuccess, JetGetTableInfoA(session, table, &available, 4, JET_TblInfoSpaceAvailableLV));
    assert_true(owned >= 5 && available < owned);
    own = owned + index_number("pk", JET_IdxInfoSpaceOwned, 4);
    for (size_t i = 1; i < sizeof(indexes) / sizeof(indexes[0]); i++)
        own += index_number(indexes[i].szIndexName, JET_IdxInfoSpaceOwned, 4);
    EXPECT(JET_errSuccess, JetGetTableInfoA(session, table, &owned, 4, JET_TblInfoSpaceOwned));
    EXPECT_EQUAL(owned, own);
    cases_end();
}

static JET_GRBIT listed_bits(const char *name)
{
    JET_INDEXLIST list;
    JET_GRBIT bits = 0;
    EXPECT(JET_errSuccess, JetGetTableIndexInfoA(session, table, name, &list, sizeof(list), JET_IdxInfo));
    EXPECT_EQUAL(1, list.cRecord);
    EXPECT_EQUAL(sizeof(list), list.cbStruct);
    EXPECT(JET_errSuccess, JetRetrieveColumn(session, list.tableid, list.columnidgrbitIndex, &bits,
                                             sizeof(bits), NULL, 0, NULL));
    EXPECT(JET_errSuccess, JetCloseTable(session, list.tableid));
    return bits;
}

static void index_lists(void **state)
{
    (void)state;
    JET_INDEXLIST list;
    EXPECT_EQUAL(JET_bitIndexPrimary | JET_bitIndexUnique, listed_bits("pk"));
    EXPECT_EQUAL(JET_bitIndexIgnoreNull, listed_bits("x"));
    EXPECT_EQUAL(JET_bitIndexUnique | JET_bitIndexDisallowNull, listed_bits("y"));
    EXPECT_EQUAL(JET_bitIndexIgnoreAnyNull | JET_bitIndexIgnoreFirstNull | JET_bitIndexIgnoreNull,
                 listed_bits("z"));
    EXPECT_EQUAL(JET_bitIndexSortNullsHigh | JET_bitIndexDisallowTruncation, listed_bits("h"));
    EXPECT_EQUAL(JET_bitIndexTuples, listed_bits("u") & JET_bitIndexTuples);
    EXPECT(JET_errSuccess, JetGetTableIndexInfoA(session, table, NULL, &list, sizeof(list), JET_IdxInfoList));
    EXPECT_EQUAL(6, list.cRecord);
    EXPECT_EQUAL(6, rows_of(list.tableid));
    EXPECT(JET_errSuccess, JetCloseTable(session, list.tableid));
    /* A deleted index is not listed, though others may still see it; nor counted. */
    uint32_t count = 0;
    EXPECT(JET_errSuccess, JetBeginTransaction(session));
    EXPECT(JET_errSuccess, JetDeleteIndexA(session, table, "z"));
    EXPECT(JET_errSuccess, JetGetTableIndexInfoA(session, table, NULL, &list, sizeof(list), JET_IdxInfoList));
    EXPECT_EQUAL(5, list.cRecord);
    EXPECT(JET_errSuccess, JetCloseTable(session, list.tableid));
    EXPECT(JET_errSuccess, JetGetTableIndexInfoA(session, table, NULL, &count, 4, JET_IdxInfoCount));
    EXPECT_EQUAL(5, count);
    EXPECT(JET_errSuccess, JetCommitTransaction(session, 0));
    /* A table without any. */
    EXPECT(JET_errSuccess,
           JetGetTableIndexInfoW(session, derived, NULL, &list, sizeof(list), JET_IdxInfoList));
    EXPECT_EQUAL(0, list.cRecord);
    EXPECT(JET_errSuccess, JetCloseTable(session, list.tableid));
    cases_end();
}

static void index_ids(void **state)
{
    (void)state;
    JET_INDEXID id;
    JET_INDEXID of_other;
    char current[100];
    EXPECT(JET_errSuccess, JetGetTableIndexInfoA(session, table, "x", &id, sizeof(id), JET_IdxInfoIndexId));
    EXPECT(JET_errSuccess, JetSetCurrentIndex4A(session, table, "ignored", &id, 0, 0));
    EXPECT(JET_errSuccess, JetGetCurrentIndexA(session, table, current, sizeof(current)));
    assert_string_equal(current, "x");
    EXPECT(JET_errInvalidIndexId, JetSetCurrentIndex4A(session, derived, NULL, &id, 0, 0));
    of_other = id;
    of_other.cbStruct--;
    EXPECT(JET_errInvalidIndexId, JetSetCurrentIndex4A(session, table, NULL, &of_other, 0, 0));
    of_other = id;
    of_other.rgbIndexId[8] ^= 1;
    EXPECT(JET_errInvalidIndexId, JetSetCurrentIndex4A(session, table, NULL, &of_other, 0, 0));
    of_other = id;
    of_other.rgbIndexId[12] ^= 1;
    EXPECT(JET_errInvalidIndexId, JetSetCurrentIndex4A(session, table, NULL, &of_other, 0, 0));
    EXPECT(JET_errSuccess, JetGetTableIndexInfoA(session, table, "pk", &id, sizeof(id), JET_IdxInfoIndexId));
    EXPECT(JET_errSuccess, JetSetCurrentIndex4A(session, table, NULL, &id, 0, 0));
    /* In a table whose rows have no index of their own. */
    JET_INDEXCREATE_A index = INDEX("o", "+o\0", 0);
    EXPECT(JET_errSuccess, JetCreateIndex2A(session, derived, &index, 1));
    EXPECT(JET_errSuccess, JetGetTableIndexInfoA(session, derived, "o", &id, sizeof(id), JET_IdxInfoIndexId));
    EXPECT(JET_errSuccess, JetSetCurrentIndex4A(session, derived, NULL, &id, 0, 0));
    of_other = id;
    of_other.rgbIndexId[12] ^= 1;
    EXPECT(JET_errInvalidIndexId, JetSetCurrentIndex4A(session, derived, NULL, &of_other, 0, 0));
    cases_end();
}

/* The lists of extents add up to the counts, lie in order, do not overlap and end with zeros; short buffers
 * leave extents out, not counts. */
static void extents_add_up(void **state)
{
    (void)state;
    static uint32_t out[2 + 2 * 600];
    uint32_t counts[2] = {0, 0};
    uint32_t owned = 0;
    static uint8_t value[60000];
    for (size_t i = 0; i < sizeof(value); i++)
        value[i] = (uint8_t)(i * i / 7);
    for (int row = 0; row < 20; row++) {
        EXPECT(JET_errSuccess, JetBeginTransaction(session));
        EXPECT(JET_errSuccess, JetPrepareUpdate(session, table, JET_prepInsert));
        EXPECT(JET_errSuccess, JetSetColumn(session, table, ids[1], &row, 1, 0, NULL));
        EXPECT(JET_errSuccess, JetSetColumn(session, table, ids[2], value, sizeof(value), 0, NULL));
        EXPECT(JET_errSuccess, JetUpdate(session, table, NULL, 0, NULL));
        EXPECT(JET_errSuccess, JetCommitTransaction(session, 0));
        EXPECT(JET_errSuccess,
               JetGetTableInfoA(session, table, counts, sizeof(counts), JET_TblInfoSpaceUsage));
        EXPECT(JET_errSuccess, JetGetTableInfoA(session, table, &owned, 4, JET_TblInfoSpaceOwned));
        EXPECT_EQUAL(owned, counts[0]);
        assert_true(counts[1] < counts[0]);
        EXPECT(JET_errSuccess, JetGetTableInfoA(session, table, out, sizeof(out), JET_TblInfoSpaceUsage));
        assert_memory_equal(out, counts, sizeof(counts));
        const uint32_t *extent = out + 2;
        for (int list = 0; list < 2; list++, extent += 2) {
            uint32_t pages = 0;
            uint32_t last = 0;
            for (; extent[0] != 0; extent += 2) {
                assert_true(extent[1] > 0 && extent[0] - extent[1] >= last);
                last = extent[0];
                pages += extent[1];
            }
            EXPECT_EQUAL(0, extent[1]);
            EXPECT_EQUAL(counts[list], pages);
        }
        /* Room for one extent: the first one owned. */
        uint32_t small[2 + 2 * 3];
        EXPECT(JET_errSuccess, JetGetTableInfoW(session, table, small, sizeof(small), JET_TblInfoSpaceUsage));
        assert_memory_equal(small, out, 4 * sizeof(uint32_t));
        for (size_t i = 4; i < 8; i++)
            EXPECT_EQUAL(0, small[i]);
    }
    EXPECT(JET_errBufferTooSmall, JetGetTableInfoA(session, table, out, 7, JET_TblInfoSpaceUsage));
    EXPECT(JET_errBufferTooSmall, JetGetTableInfoA(session, table, out, 23, JET_TblInfoSpaceUsage));
    EXPECT(JET_errSuccess, JetGetTableInfoA(session, table, out, 24, JET_TblInfoSpaceUsage));
    cases_end();
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, api_world_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(column_levels_and_sizes),
        CASE(column_names_and_ids),
        CASE(column_values),
        CASE(base_of_inherited_columns),
        CASE(column_lists),
        CASE(index_levels_and_sizes),
        CASE(index_names),
        CASE(index_values),
        CASE(space_adds_up),
        CASE(extents_add_up),
        CASE(index_lists),
        CASE(index_ids),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
