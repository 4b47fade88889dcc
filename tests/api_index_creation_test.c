/* What the engine tells of an index (JET_IdxInfoCreateIndex, 2, 3) makes the same index again, whatever the
 * form and the kind of text; in too small a buffer nothing is written behind its end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/api_tables_world.h"

#define ROOM 4096u

static JET_TABLEID again;
static const WCHAR locale_name[] = {'d', 'e', '-', 'D', 'E', 0};

static JET_TABLEID new_table(const char *name)
{
    static JET_COLUMNCREATE_A made[] = {
        {.cbStruct = sizeof(JET_COLUMNCREATE_A), .szColumnName = TEXT("k"), .coltyp = JET_coltypLong},
        {.cbStruct = sizeof(JET_COLUMNCREATE_A),
         .szColumnName = TEXT("t"),
         .coltyp = JET_coltypText,
         .cp = 1200},
        {.cbStruct = sizeof(JET_COLUMNCREATE_A),
         .szColumnName = TEXT("long"),
         .coltyp = JET_coltypLongText,
         .cp = 1200},
        {.cbStruct = sizeof(JET_COLUMNCREATE_A), .szColumnName = TEXT("n"), .coltyp = JET_coltypLong},
    };
    JET_TABLECREATE_A create = {.cbStruct = sizeof(create),
                                .szTableName = TEXT(name),
                                .rgcolumncreate = made,
                                .cColumns = sizeof(made) / sizeof(made[0])};
    EXPECT(JET_errSuccess, JetCreateTableColumnIndexA(session, database, &create));
    return create.tableid;
}

/* One index of each kind, in the newest form. */
static void make_all(JET_TABLEID in)
{
    JET_UNICODEINDEX2 unicode = {.szLocaleName = (WCHAR *)(uintptr_t)locale_name, .dwMapFlags = 0x30401};
    JET_TUPLELIMITS limits = {
        .chLengthMin = 4, .chLengthMax = 9, .chToIndexMax = 300, .cchIncrement = 2, .ichStart = 1};
    JET_CONDITIONALCOLUMN_A conditions[] = {
        {sizeof(JET_CONDITIONALCOLUMN_A), TEXT("n"), JET_bitIndexColumnMustBeNull},
        {sizeof(JET_CONDITIONALCOLUMN_A), TEXT("long"), JET_bitIndexColumnMustBeNonNull}};
#define MADE(name, columns, bits)                                                                            \
    .cbStruct = sizeof(JET_INDEXCREATE3_A), .szIndexName = TEXT(name), .szKey = TEXT(columns "\0"),          \
    .cbKey = sizeof(columns) + 1, .grbit = (bits), .ulDensity = 83
    JET_INDEXCREATE3_A all[] = {
        {MADE("primary", "+k\0-t", JET_bitIndexPrimary)},
        {MADE("text", "-t", JET_bitIndexUnicode | JET_bitIndexUnique | JET_bitIndexIgnoreAnyNull),
         .pidxunicode = &unicode, .cbVarSegMac = 100},
        {MADE("wide", "+t\0+n", JET_bitIndexKeyMost | JET_bitIndexSortNullsHigh), .cbKeyMost = 1000},
        {MADE("tuples", "+long", JET_bitIndexTuples | JET_bitIndexTupleLimits), .ptuplelimits = &limits},
        {MADE("sometimes", "+n", JET_bitIndexDisallowTruncation), .rgconditionalcolumn = conditions,
         .cConditionalColumn = 2},
    };
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
        EXPECT(JET_errSuccess, JetCreateIndex4A(session, in, &all[i], 1));
}

static const char *const names[] = {"primary", "text", "wide", "tuples", "sometimes"};

static const WCHAR *widened(const char *text)
{
    static WCHAR wide[80];
    size_t length = 0;
    do
        wide[length] = (WCHAR)text[length];
    while (text[length++] != 0);
    return wide;
}

static JET_ERR tell(JET_TABLEID of, const char *name, bool wide, void *buffer, uint32_t size, uint32_t level)
{
    return wide ? JetGetTableIndexInfoW(session, of, widened(name), buffer, size, level)
                : JetGetTableIndexInfoA(session, of, name, buffer, size, level);
}

static JET_ERR create_from(JET_TABLEID in, void *told, bool wide, uint32_t level)
{
    if (level == JET_IdxInfoCreateIndex)
        return wide ? JetCreateIndex2W(session, in, told, 1) : JetCreateIndex2A(session, in, told, 1);
    if (level == JET_IdxInfoCreateIndex2)
        return wide ? JetCreateIndex3W(session, in, told, 1) : JetCreateIndex3A(session, in, told, 1);
    return wide ? JetCreateIndex4W(session, in, told, 1) : JetCreateIndex4A(session, in, told, 1);
}

/* What the structures of all kinds say of one index, in narrow text and the newest form. */
static void expect_same(const JET_INDEXCREATE3_A *one, const JET_INDEXCREATE3_A *other)
{
    assert_string_equal(one->szIndexName, other->szIndexName);
    assert_int_equal(one->cbKey, other->cbKey);
    assert_memory_equal(one->szKey, other->szKey, one->cbKey);
    assert_int_equal(one->grbit, other->grbit);
    assert_int_equal(one->ulDensity, other->ulDensity);
    assert_int_equal(one->cbKeyMost, other->cbKeyMost);
    assert_int_equal(one->pidxunicode->dwMapFlags, other->pidxunicode->dwMapFlags);
    for (size_t i = 0; i == 0 || one->pidxunicode->szLocaleName[i - 1] != 0; i++)
        assert_int_equal(one->pidxunicode->szLocaleName[i], other->pidxunicode->szLocaleName[i]);
    if (one->grbit & JET_bitIndexTupleLimits)
        assert_memory_equal(one->ptuplelimits, other->ptuplelimits, sizeof(JET_TUPLELIMITS));
    else
        assert_int_equal(one->cbVarSegMac, other->cbVarSegMac);
    assert_int_equal(one->cConditionalColumn, other->cConditionalColumn);
    for (uint32_t i = 0; i < one->cConditionalColumn; i++) {
        assert_string_equal(one->rgconditionalcolumn[i].szColumnName,
                            other->rgconditionalcolumn[i].szColumnName);
        assert_int_equal(one->rgconditionalcolumn[i].grbit, other->rgconditionalcolumn[i].grbit);
    }
    assert_memory_equal(one->pSpacehints, other->pSpacehints, sizeof(JET_SPACEHINTS));
}

static void comes_back_in_every_form(void **state)
{
    (void)state;
    static const uint32_t levels[] = {JET_IdxInfoCreateIndex, JET_IdxInfoCreateIndex2,
                                      JET_IdxInfoCreateIndex3};
    static union {
        JET_INDEXCREATE3_A index;
        uint8_t bytes[ROOM];
    } told, first, second;
    const JET_TABLEID original = new_table("original");
    make_all(original);
    for (size_t form = 0; form < 2 * sizeof(levels) / sizeof(levels[0]); form++) {
        const uint32_t level = levels[form / 2];
        const bool wide = form % 2 != 0;
        const char name[] = {'r', (char)('0' + form), 0};
        again = new_table(name);
        for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
            EXPECT(JET_errSuccess, tell(original, names[i], wide, &told, ROOM, level));
            EXPECT(JET_errSuccess, create_from(again, &told, wide, level));
            EXPECT(JET_errSuccess, tell(original, names[i], false, &first, ROOM, JET_IdxInfoCreateIndex3));
            EXPECT(JET_errSuccess, tell(again, names[i], false, &second, ROOM, JET_IdxInfoCreateIndex3));
            if (cases_wrong > 0)
                fail_msg("form %u, index %s", (unsigned)form, names[i]);
            expect_same(&first.index, &second.index);
        }
        EXPECT(JET_errSuccess, JetCloseTable(session, again));
    }
    cases_end();
}

static void says_what_was_asked_for(void **state)
{
    (void)state;
    static union {
        JET_INDEXCREATE3_A index;
        JET_INDEXCREATE_A old;
        JET_INDEXCREATE_W old_wide;
        uint8_t bytes[ROOM];
    } out;
    const JET_TABLEID of = new_table("said");
    make_all(of);
    EXPECT(JET_errSuccess, tell(of, "text", false, &out, ROOM, JET_IdxInfoCreateIndex3));
    assert_string_equal(out.index.szIndexName, "text");
    assert_int_equal(out.index.cbKey, 4);
    assert_memory_equal(out.index.szKey, "-t\0", 4);
    assert_int_equal(out.index.grbit,
                     JET_bitIndexUnicode | JET_bitIndexUnique | JET_bitIndexIgnoreAnyNull |
                         (out.index.grbit & (JET_bitIndexIgnoreNull | JET_bitIndexIgnoreFirstNull)));
    assert_int_equal(out.index.pidxunicode->dwMapFlags, 0x30401);
    assert_memory_equal(out.index.pidxunicode->szLocaleName, locale_name, sizeof(locale_name));
    assert_int_equal(out.index.cbVarSegMac, 100);
    assert_int_equal(out.index.pSpacehints->ulInitialDensity, 83);
    EXPECT(JET_errSuccess, tell(of, "tuples", false, &out, ROOM, JET_IdxInfoCreateIndex));
    assert_int_equal(out.old.cbStruct, sizeof(JET_INDEXCREATE_A));
    assert_int_equal(out.old.ptuplelimits->chLengthMin, 4);
    assert_int_equal(out.old.ptuplelimits->ichStart, 1);
    EXPECT(JET_errSuccess, tell(of, "sometimes", true, &out, ROOM, JET_IdxInfoCreateIndex));
    assert_int_equal(out.old_wide.cConditionalColumn, 2);
    assert_memory_equal(out.old_wide.rgconditionalcolumn[1].szColumnName, widened("long"), 10);
    assert_int_equal(out.old_wide.rgconditionalcolumn[0].grbit, JET_bitIndexColumnMustBeNull);
    EXPECT(JET_errSuccess, tell(of, "wide", false, &out, ROOM, JET_IdxInfoCreateIndex2));
    assert_int_equal(out.index.cbKeyMost, 1000);
    /* Without a name it is the primary index. */
    EXPECT(JET_errSuccess, JetGetTableIndexInfoA(session, of, NULL, &out, ROOM, JET_IdxInfoCreateIndex));
    assert_string_equal(out.old.szIndexName, "primary");
    assert_memory_equal(out.old.szKey, "+k\0-t\0", 7);
    EXPECT(JET_errSuccess,
           JetGetIndexInfoA(session, database, "said", "", &out, ROOM, JET_IdxInfoCreateIndex));
    assert_string_equal(out.old.szIndexName, "primary");
    EXPECT(JET_errIndexNotFound, tell(of, "no", false, &out, ROOM, JET_IdxInfoCreateIndex));
    EXPECT(JET_errIndexNotFound,
           JetGetTableIndexInfoA(session, derived, NULL, &out, ROOM, JET_IdxInfoCreateIndex));
    EXPECT(JET_errInvalidParameter, tell(of, "text", false, out.bytes + 1, ROOM - 1, JET_IdxInfoCreateIndex));
    EXPECT(JET_errSuccess, JetCloseTable(session, of));
    cases_end();
}

static void small_buffers_are_refused(void **state)
{
    (void)state;
    static const uint32_t levels[] = {JET_IdxInfoCreateIndex, JET_IdxInfoCreateIndex2,
                                      JET_IdxInfoCreateIndex3};
    const JET_TABLEID of = new_table("small");
    make_all(of);
    for (size_t form = 0; form < 2 * sizeof(levels) / sizeof(levels[0]); form++) {
        for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
            JET_ERR answered = JET_errBufferTooSmall;
            uint32_t size = 0;
            for (; answered == JET_errBufferTooSmall && size < ROOM; size++) {
                uint8_t *buffer = malloc(size + 16); /* its end is watched by the sanitizer, and here */
                assert_non_null(buffer);
                memset(buffer, 0x5a, size + 16);
                answered = tell(of, names[i], form % 2 != 0, buffer, size, levels[form / 2]);
                for (uint32_t behind = 0; behind < 16; behind++)
                    assert_int_equal(buffer[size + behind], 0x5a);
                free(buffer);
            }
            EXPECT(JET_errSuccess, answered);
            assert_in_range(size, sizeof(JET_INDEXCREATE_A) + strlen(names[i]), ROOM - 1);
        }
    }
    EXPECT(JET_errSuccess, JetCloseTable(session, of));
    cases_end();
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, api_world_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(comes_back_in_every_form),
        CASE(says_what_was_asked_for),
        CASE(small_buffers_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
