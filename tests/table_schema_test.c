/* Which columns, indexes and tables can be made, and which not; case by case, in the order of the published
 * engine's checks (`fcreate.cxx`). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/api_world.h"

#define CASES(array) (sizeof(array) / sizeof((array)[0]))

static JET_DBID database;
static JET_TABLEID table;

static void add(const char *name, uint32_t type, JET_GRBIT grbit, uint16_t code_page)
{
    const JET_COLUMNDEF definition = {
        .cbStruct = sizeof(definition), .coltyp = type, .grbit = grbit, .cp = code_page};
    assert_int_equal(JetAddColumnA(session, table, name, &definition, NULL, 0, NULL), JET_errSuccess);
}

static int start(void **state)
{
    (void)state;
    assert_true(api_world_start(true));
    assert_int_equal(JetCreateDatabaseA(session, "s.edb", NULL, &database, 0), JET_errSuccess);
    assert_int_equal(JetCreateTableA(session, database, "t", 0, 80, &table), JET_errSuccess);
    add("id", JET_coltypLong, JET_bitColumnFixed, 0);
    add("text", JET_coltypText, 0, 1252);
    add("wide", JET_coltypText, 0, 1200);
    add("bytes", JET_coltypBinary, 0, 0);
    add("many", JET_coltypLong, JET_bitColumnTagged | JET_bitColumnMultiValued, 0);
    add("secret", JET_coltypLongBinary, JET_bitColumnEncrypted, 0);
    return 0;
}

/* The table is used by somebody else as well, or by its maker alone. */
static void share(bool shared)
{
    assert_int_equal(JetCloseTable(session, table), JET_errSuccess);
    assert_int_equal(
        JetOpenTableA(session, database, "t", NULL, 0, shared ? 0 : JET_bitTableDenyRead, &table),
        JET_errSuccess);
}

/* --- columns */

static void columns(void **state)
{
    static const JET_USERDEFINEDDEFAULT_A computed = {.szCallback = "a.dll!b"};
    const uint32_t four = 4;
    const struct {
        uint32_t type;
        JET_GRBIT grbit;
        uint16_t code_page;
        uint32_t max;
        const void *value;
        uint32_t size;
        bool shared;
        JET_ERR expected;
    } cases[] = {
        {JET_coltypBinary, 0, 0, 0x80000000, NULL, 0, false, JET_errInvalidParameter},
        {JET_coltypNil, 0, 0, 0, NULL, 0, false, JET_errInvalidColumnType},
        {JET_coltypSLV, 0, 0, 0, NULL, 0, false, JET_errInvalidColumnType},
        {JET_coltypMax, 0, 0, 0, NULL, 0, false, JET_errInvalidColumnType},
        {JET_coltypText, 0, 1251, 0, NULL, 0, false, JET_errInvalidCodePage},
        {JET_coltypText, JET_bitColumnCompressed, 0, 0, NULL, 0, false, JET_errColumnCannotBeCompressed},
        {JET_coltypBinary, JET_bitColumnEncrypted, 0, 0, NULL, 0, false, JET_errColumnCannotBeEncrypted},
        {JET_coltypLongBinary, JET_bitColumnEncrypted | JET_bitColumnMultiValued, 0, 0, NULL, 0, false,
         JET_errColumnCannotBeEncrypted},
        {JET_coltypLongBinary, JET_bitColumnEncrypted, 0, 0, "x", 1, false, JET_errColumnCannotBeEncrypted},
        {JET_coltypLong, JET_bitColumnTagged | JET_bitColumnFixed, 0, 0, NULL, 0, false, JET_errInvalidGrbit},
        {JET_coltypLongText, JET_bitColumnFixed, 0, 0, NULL, 0, false, JET_errInvalidGrbit},
        {JET_coltypLong, JET_bitColumnMultiValued, 0, 0, NULL, 0, false,
         JET_errMultiValuedColumnMustBeTagged},
        /* escrow */
        {JET_coltypShort, JET_bitColumnEscrowUpdate, 0, 0, &four, 2, false, JET_errInvalidGrbit},
        {JET_coltypLong, JET_bitColumnEscrowUpdate | JET_bitColumnTagged, 0, 0, &four, 4, false,
         JET_errCannotBeTagged},
        {JET_coltypLong, JET_bitColumnEscrowUpdate | JET_bitColumnVersion, 0, 0, &four, 4, false,
         JET_errInvalidGrbit},
        {JET_coltypLong, JET_bitColumnEscrowUpdate | JET_bitColumnAutoincrement, 0, 0, &four, 4, false,
         JET_errInvalidGrbit},
        {JET_coltypLong, JET_bitColumnEscrowUpdate, 0, 0, NULL, 0, false, JET_errInvalidGrbit},
        {JET_coltypLong, JET_bitColumnEscrowUpdate, 0, 0, &four, 4, true, JET_errExclusiveTableLockRequired},
        {JET_coltypLong, JET_bitColumnEscrowUpdate | JET_bitColumnFinalize | JET_bitColumnDeleteOnZero, 0, 0,
         &four, 4, false, JET_errInvalidGrbit},
        {JET_coltypLong, JET_bitColumnEscrowUpdate | JET_bitColumnFinalize, 0, 0, &four, 4, false,
         JET_errSuccess},
        {JET_coltypLong, JET_bitColumnEscrowUpdate | JET_bitColumnDeleteOnZero, 0, 0, &four, 4, false,
         JET_errSuccess},
        {JET_coltypLong, JET_bitColumnFinalize, 0, 0, NULL, 0, false, JET_errInvalidGrbit},
        {JET_coltypLong, JET_bitColumnDeleteOnZero, 0, 0, NULL, 0, false, JET_errInvalidGrbit},
        /* versions and numbers */
        {JET_coltypShort, JET_bitColumnVersion, 0, 0, NULL, 0, false, JET_errInvalidGrbit},
        {JET_coltypShort, JET_bitColumnAutoincrement, 0, 0, NULL, 0, false, JET_errInvalidGrbit},
        {JET_coltypLong, JET_bitColumnVersion | JET_bitColumnTagged, 0, 0, NULL, 0, false,
         JET_errCannotBeTagged},
        {JET_coltypLong, JET_bitColumnVersion | JET_bitColumnAutoincrement, 0, 0, NULL, 0, false,
         JET_errInvalidGrbit},
        {JET_coltypLong, JET_bitColumnAutoincrement, 0, 0, NULL, 0, true, JET_errExclusiveTableLockRequired},
        {JET_coltypLong, JET_bitColumnVersion, 0, 0, NULL, 0, true, JET_errSuccess},
        {JET_coltypLong, JET_bitColumnVersion, 0, 0, NULL, 0, true, JET_errColumnRedundant},
        {JET_coltypCurrency, JET_bitColumnAutoincrement, 0, 0, NULL, 0, false, JET_errSuccess},
        {JET_coltypLong, JET_bitColumnAutoincrement, 0, 0, NULL, 0, false, JET_errColumnRedundant},
        /* defaults */
        {JET_coltypText, JET_bitColumnUserDefinedDefault | JET_bitColumnTagged | JET_bitColumnNotNULL, 0, 0,
         &computed, sizeof(computed), false, JET_errInvalidGrbit},
        {JET_coltypText, JET_bitColumnUserDefinedDefault, 0, 0, &computed, sizeof(computed), false,
         JET_errInvalidGrbit},
        {JET_coltypText, JET_bitColumnUserDefinedDefault | JET_bitColumnTagged, 0, 0, &computed, 4, false,
         JET_errInvalidParameter},
        {JET_coltypText, JET_bitColumnUserDefinedDefault | JET_bitColumnTagged, 0, 0, &computed,
         sizeof(computed), false, JET_errFeatureNotAvailable},
        {JET_coltypText, 0, 0, 3, "abcd", 4, false, JET_errDefaultValueTooBig},
        {JET_coltypText, 0, 0, 300, NULL, 0, false, JET_wrnColumnMaxTruncated},
        {JET_coltypShort, 0, 0, 0, &four, 1, false, JET_errInvalidBufferSize},
        {JET_coltypText, JET_bitColumnFixed, 1200, 8, "a\0", 2, false, JET_errSuccess}, /* filled up */
        {JET_coltypText, JET_bitColumnFixed, 1252, 8, "a", 1, false, JET_errSuccess},
        {JET_coltypBinary, JET_bitColumnFixed, 0, 5, "a", 1, false, JET_errSuccess},
        {JET_coltypBit, 0, 0, 0, "\5", 1, false, JET_errSuccess},
    };
    (void)state;
    for (size_t i = 0; i < CASES(cases); i++) {
        char name[20];
        const JET_COLUMNDEF definition = {.cbStruct = sizeof(definition),
                                          .coltyp = cases[i].type,
                                          .grbit = cases[i].grbit,
                                          .cp = cases[i].code_page,
                                          .cbMax = cases[i].max};
        (void)snprintf(name, sizeof(name), "c%zu", i);
        if (i == 0 || cases[i].shared != cases[i - 1].shared)
            share(cases[i].shared);
        const JET_ERR err =
            JetAddColumnA(session, table, name, &definition, cases[i].value, cases[i].size, NULL);
        if (err != cases[i].expected)
            fail_msg("case %zu: %d, not %d", i, (int)err, (int)cases[i].expected);
        JET_COLUMNDEF found = {.cbStruct = sizeof(found)};
        assert_int_equal(JetGetTableColumnInfoA(session, table, name, &found, sizeof(found), JET_ColInfo),
                         err >= JET_errSuccess ? JET_errSuccess : JET_errColumnNotFound);
    }
    const JET_COLUMNDEF plain = {
        .cbStruct = sizeof(plain), .coltyp = JET_coltypLong, .grbit = JET_bitColumnUnversioned};
    share(true);
    assert_int_equal(JetBeginTransaction(session), JET_errSuccess);
    assert_int_equal(JetAddColumnA(session, table, "unversioned", &plain, NULL, 0, NULL),
                     JET_errInTransaction);
    assert_int_equal(JetRollback(session, 0), JET_errSuccess);
    assert_int_equal(JetAddColumnA(session, table, "unversioned", &plain, NULL, 0, NULL), JET_errSuccess);
    share(false);
    assert_int_equal(JetBeginTransaction(session), JET_errSuccess);
    assert_int_equal(JetAddColumnA(session, table, "alone", &plain, NULL, 0, NULL), JET_errSuccess);
    assert_int_equal(JetCommitTransaction(session, 0), JET_errSuccess);
}

/* Escrow columns come before the rows. */
static void escrow_after_rows(void **state)
{
    const JET_COLUMNDEF escrow = {
        .cbStruct = sizeof(escrow), .coltyp = JET_coltypLong, .grbit = JET_bitColumnEscrowUpdate};
    const uint32_t zero = 0;
    (void)state;
    assert_int_equal(JetCreateIndexA(session, table, "x", 0, "+id\0", 5, 80), JET_errSuccess);
    assert_int_equal(JetPrepareUpdate(session, table, JET_prepInsert), JET_errSuccess);
    assert_int_equal(JetUpdate(session, table, NULL, 0, NULL), JET_errSuccess);
    assert_int_equal(JetAddColumnA(session, table, "e", &escrow, &zero, 4, NULL), JET_errTableNotEmpty);
    assert_int_equal(JetSetCurrentIndexA(session, table, "x"), JET_errSuccess);
    assert_int_equal(JetAddColumnA(session, table, "e", &escrow, &zero, 4, NULL), JET_errTableNotEmpty);
    /* Nor can rows be put into another order then. */
    assert_int_equal(JetSetCurrentIndexA(session, table, NULL), JET_errSuccess);
    assert_int_equal(JetCreateIndexA(session, table, "pk", JET_bitIndexPrimary, "+id\0", 5, 80),
                     JET_errTableNotEmpty);
}

/* A record of fixed columns only holds so much. */
static void too_many_bytes(void **state)
{
    JET_ERR err = JET_errSuccess;
    int added = 0;
    (void)state;
    for (; err == JET_errSuccess && added < 127; added++) {
        const JET_COLUMNDEF definition = {.cbStruct = sizeof(definition),
                                          .coltyp = JET_coltypBinary,
                                          .grbit = JET_bitColumnFixed,
                                          .cbMax = 255};
        char name[20];
        (void)snprintf(name, sizeof(name), "f%d", added);
        err = JetAddColumnA(session, table, name, &definition, NULL, 0, NULL);
    }
    assert_int_equal(err, JET_errRecordTooBig);
    assert_in_range(added, 15, 16); /* 4096 bytes a page */
}

static void defaults(void **state)
{
    const uint8_t many[300] = {1};
    const struct {
        const char *column;
        uint32_t size;
        JET_ERR expected;
    } cases[] = {
        {"text", 0, JET_errInvalidParameter}, {"text", 300, JET_errSuccess}, /* cut */
        {"bytes", 3, JET_errSuccess},         {"id", 3, JET_errInvalidBufferSize},
        {"id", 5, JET_errInvalidBufferSize},  {"many", 2, JET_errInvalidBufferSize},
        {"many", 4, JET_errSuccess},          {"secret", 256, JET_errDefaultValueTooBig},
        {"none", 4, JET_errColumnNotFound},
    };
    (void)state;
    assert_int_equal(JetCloseTable(session, table), JET_errSuccess);
    for (size_t i = 1; i < CASES(cases); i++) {
        const JET_ERR err =
            JetSetColumnDefaultValueA(session, database, "t", cases[i].column, many, cases[i].size, 0);
        if (err != cases[i].expected)
            fail_msg("case %zu: %d, not %d", i, (int)err, (int)cases[i].expected);
    }
    assert_int_equal(JetOpenTableA(session, database, "t", NULL, 0, 0, &table), JET_errSuccess);
}

static void names(void **state)
{
    (void)state;
    assert_int_equal(JetRenameColumnA(session, table, NULL, "x", 0), JET_errInvalidParameter);
    assert_int_equal(JetRenameColumnA(session, table, "id", NULL, 0), JET_errInvalidParameter);
    assert_int_equal(JetRenameColumnA(session, table, "", "x", 0), JET_errInvalidName);
    assert_int_equal(JetRenameColumnA(session, table, "id", "a!b", 0), JET_errInvalidName);
    assert_int_equal(JetRenameTableA(session, database, NULL, "x"), JET_errInvalidParameter);
    assert_int_equal(JetRenameTableA(session, database, "t", NULL), JET_errInvalidParameter);
    assert_int_equal(JetDeleteColumnA(session, table, "a.b"), JET_errInvalidName);
    assert_int_equal(JetDeleteIndexA(session, table, "a[b"), JET_errInvalidName);
    assert_int_equal(JetDeleteTableA(session, database, "MSysObjids"), JET_errCannotDeleteSystemTable);
    assert_int_equal(JetDeleteTableA(session, database, "MSysObjects"), JET_errCannotDeleteSystemTable);
    assert_int_equal(JetDeleteTableA(session, database, "MSysObjectsShadow"), JET_errCannotDeleteSystemTable);
    /* Those who only read the schema may not change it either. */
    assert_int_equal(JetBeginTransaction2(session, JET_bitTransactionReadOnly), JET_errSuccess);
    assert_int_equal(JetRenameColumnA(session, table, "id", "x", 0), JET_errTransReadOnly);
    assert_int_equal(JetRenameTableA(session, database, "t", "u"), JET_errTransReadOnly);
    assert_int_equal(JetDeleteTableA(session, database, "t"), JET_errTransReadOnly);
    assert_int_equal(JetDeleteColumnA(session, table, "id"), JET_errTransReadOnly);
    assert_int_equal(JetDeleteIndexA(session, table, "x"), JET_errTransReadOnly);
    assert_int_equal(JetCommitTransaction(session, 0), JET_errSuccess);
}

/* --- indexes */

static uint16_t english[] = {'e', 'n', '-', 'U', 'S', 0};
static uint16_t nowhere[] = {'q', 'q', '-', 'Q', 'Q', 'Q', 'Q', 'Q', 'Q', 'Q', 'Q', 'Q', 'Q', 0};
static uint16_t endless[120];

static void indexes(void **state)
{
    JET_UNICODEINDEX2 unicode = {english, 0x00030401};
    JET_UNICODEINDEX2 no_flags = {english, 0};
    JET_UNICODEINDEX2 no_name = {NULL, 0x00030401};
    JET_UNICODEINDEX2 unknown = {nowhere, 0};
    JET_UNICODEINDEX2 too_long = {endless, 0};
    static const JET_TUPLELIMITS limits[] = {
        {2, 4, 10, 1, 0},         /* 0: good */
        {0, 0, 0, 0, UINT32_MAX}, /* defaults */
        {0x10000, 4, 10, 1, 0},   /* 2: too large, each in turn */
        {2, 0x10000, 10, 1, 0},   /**/
        {2, 4, 0x10000, 1, 0},    /**/
        {2, 4, 10, 0x10000, 0},   /**/
        {2, 4, 10, 1, 0x10000},   /**/
        {1, 4, 10, 1, 0},         /* 7: lengths out of their limits */
        {256, 256, 10, 1, 0},     /**/
        {2, 1, 10, 1, 0},         /**/
        {2, 256, 10, 1, 0},       /**/
        {5, 4, 10, 1, 0},         /* 11: the least above the most */
        {2, 4, 0x8000, 1, 0},     /**/
    };
    static char *const key_text = "+text\0";
    static char *const key_wide = "+wide\0";
    static char *const key_many = "+many\0";
    static char *const key_id = "-id\0";
    const struct {
        char *key;
        uint32_t key_size;
        JET_GRBIT grbit;
        uint32_t density;
        JET_UNICODEINDEX2 *unicode;
        int limits; /* -1: none */
        uint32_t segment_max;
        uint32_t key_max;
        JET_ERR expected;
    } cases[] = {
        {key_text, 7, JET_bitIndexKeyMost, 80, NULL, -1, 0, 254, JET_errIndexInvalidDef},
        {key_text, 7, JET_bitIndexKeyMost, 80, NULL, -1, 0, 1001, JET_errIndexInvalidDef},
        {key_text, 7, JET_bitIndexPrimary | JET_bitIndexIgnoreNull, 80, NULL, -1, 0, 0, JET_errInvalidGrbit},
        {key_text, 7, JET_bitIndexCrossProduct | JET_bitIndexNestedTable, 80, NULL, -1, 0, 0,
         JET_errInvalidGrbit},
        {key_text, 7, JET_bitIndexEmpty, 80, NULL, -1, 0, 0, JET_errInvalidGrbit},
        {key_text, 7, JET_bitIndexTupleLimits, 80, NULL, -1, 0, 0, JET_errIndexInvalidDef},
        {key_wide, 7, JET_bitIndexUnicode, 80, NULL, -1, 0, 0, JET_errIndexInvalidDef},
        {key_text, 0, 0, 80, NULL, -1, 0, 0, JET_errInvalidParameter},
        {NULL, 7, 0, 80, NULL, -1, 0, 0, JET_errInvalidParameter},
        {key_text, 1, 0, 80, NULL, -1, 0, 0, JET_errIndexInvalidDef},
        {"text\0", 6, 0, 80, NULL, -1, 0, 0, JET_errIndexInvalidDef},
        {key_text, 5, 0, 80, NULL, -1, 0, 0, JET_errIndexInvalidDef},
        {key_text, 6, 0, 80, NULL, -1, 0, 0, JET_errIndexInvalidDef},
        {"+text\0\0\0", 9, 0, 80, NULL, -1, 0, 0, JET_errIndexInvalidDef},
        {key_text, 7, 0, 19, NULL, -1, 0, 0, JET_errDensityInvalid},
        {key_text, 7, 0, 101, NULL, -1, 0, 0, JET_errDensityInvalid},
        {key_text, 7, 0, 80, NULL, -1, 256, 0, JET_errIndexInvalidDef},
        {key_wide, 7, JET_bitIndexUnicode, 80, &unknown, -1, 0, 0, JET_errInvalidLanguageId},
        {key_wide, 7, JET_bitIndexUnicode, 80, &too_long, -1, 0, 0, JET_errInvalidLanguageId},
        {key_wide, 7, JET_bitIndexUnicode, 80, &unicode, -1, 0, 0, JET_errSuccess},
        {key_wide, 7, JET_bitIndexUnicode, 80, &no_flags, -1, 0, 0, JET_errSuccess},
        {key_wide, 7, JET_bitIndexUnicode, 80, &no_name, -1, 0, 0, JET_errSuccess},
        {key_text, 7, JET_bitIndexTuples | JET_bitIndexPrimary, 80, NULL, -1, 0, 0,
         JET_errIndexTuplesSecondaryIndexOnly},
        {key_text, 7, JET_bitIndexTuples | JET_bitIndexUnique, 80, NULL, -1, 0, 0,
         JET_errIndexTuplesNonUniqueOnly},
        {key_text, 7, JET_bitIndexTuples, 80, NULL, -1, 100, 0, JET_errIndexTuplesVarSegMacNotAllowed},
        {key_id, 5, JET_bitIndexTuples, 80, NULL, -1, 0, 0, JET_errIndexTuplesTextBinaryColumnsOnly},
        {key_text, 7, JET_bitIndexTupleLimits, 80, NULL, 2, 0, 0, JET_errIndexTuplesInvalidLimits},
        {key_text, 7, JET_bitIndexTupleLimits, 80, NULL, 3, 0, 0, JET_errIndexTuplesInvalidLimits},
        {key_text, 7, JET_bitIndexTupleLimits, 80, NULL, 4, 0, 0, JET_errIndexTuplesInvalidLimits},
        {key_text, 7, JET_bitIndexTupleLimits, 80, NULL, 5, 0, 0, JET_errIndexTuplesInvalidLimits},
        {key_text, 7, JET_bitIndexTupleLimits, 80, NULL, 6, 0, 0, JET_errIndexTuplesInvalidLimits},
        {key_text, 7, JET_bitIndexTupleLimits, 80, NULL, 7, 0, 0, JET_errIndexTuplesInvalidLimits},
        {key_text, 7, JET_bitIndexTupleLimits, 80, NULL, 8, 0, 0, JET_errIndexTuplesInvalidLimits},
        {key_text, 7, JET_bitIndexTupleLimits, 80, NULL, 9, 0, 0, JET_errIndexTuplesInvalidLimits},
        {key_text, 7, JET_bitIndexTupleLimits, 80, NULL, 10, 0, 0, JET_errIndexTuplesInvalidLimits},
        {key_text, 7, JET_bitIndexTupleLimits, 80, NULL, 11, 0, 0, JET_errIndexTuplesInvalidLimits},
        {key_text, 7, JET_bitIndexTupleLimits, 80, NULL, 12, 0, 0, JET_errIndexTuplesInvalidLimits},
        {key_text, 7, JET_bitIndexTupleLimits, 80, NULL, 0, 0, 0, JET_errSuccess},
        {key_text, 7, JET_bitIndexTupleLimits, 80, NULL, 1, 0, 0, JET_errSuccess},
        {key_wide, 7, JET_bitIndexTuples, 80, NULL, -1, 0, 0, JET_errSuccess},
        {"+secret\0", 9, 0, 80, NULL, -1, 0, 0, JET_errCannotIndexOnEncryptedColumn},
        {"+none\0", 7, 0, 80, NULL, -1, 0, 0, JET_errColumnNotFound},
        {"+id\0text\0", 10, 0, 80, NULL, -1, 0, 0, JET_errSuccess}, /* later columns need no sign */
        {"+id\0+id\0+id\0+id\0+id\0+id\0+id\0+id\0+id\0+id\0+id\0+id\0+id\0+id\0+id\0+id\0+id\0", 69, 0, 80,
         NULL, -1, 0, 0, JET_errIndexInvalidDef},
        {key_many, 7, JET_bitIndexPrimary, 80, NULL, -1, 0, 0, JET_errIndexInvalidDef},
        {key_id, 5, JET_bitIndexPrimary | JET_bitIndexKeyMost, 0, NULL, -1, 0, 300, JET_errSuccess},
        {key_text, 7, JET_bitIndexPrimary, 80, NULL, -1, 0, 0, JET_errIndexHasPrimary},
    };
    (void)state;
    for (size_t i = 0; i + 1 < CASES(endless); i++)
        endless[i] = 'e';
    for (size_t i = 0; i < CASES(cases); i++) {
        char name[20];
        (void)snprintf(name, sizeof(name), "i%zu", i);
        JET_INDEXCREATE3_A index = {.cbStruct = sizeof(index),
                                    .szIndexName = name,
                                    .szKey = cases[i].key,
                                    .cbKey = cases[i].key_size,
                                    .grbit = cases[i].grbit,
                                    .ulDensity = cases[i].density,
                                    .pidxunicode = cases[i].unicode,
                                    .cbKeyMost = cases[i].key_max};
        if (cases[i].limits >= 0)
            index.ptuplelimits = (JET_TUPLELIMITS *)(uintptr_t)&limits[cases[i].limits];
        else
            index.cbVarSegMac = cases[i].segment_max;
        const JET_ERR err = JetCreateIndex4A(session, table, &index, 1);
        if (err != cases[i].expected)
            fail_msg("case %zu: %d, not %d", i, (int)err, (int)cases[i].expected);
    }
}

static void conditions_of_indexes(void **state)
{
    JET_CONDITIONALCOLUMN_A conditions[17];
    (void)state;
    for (size_t i = 0; i < CASES(conditions); i++)
        conditions[i] = (JET_CONDITIONALCOLUMN_A){.cbStruct = sizeof(conditions[0]),
                                                  .szColumnName = "bytes",
                                                  .grbit = JET_bitIndexColumnMustBeNull};
    JET_INDEXCREATE3_A index = {.cbStruct = sizeof(index),
                                .szIndexName = "c",
                                .szKey = "+id\0",
                                .cbKey = 5,
                                .ulDensity = 80,
                                .rgconditionalcolumn = conditions,
                                .cConditionalColumn = 17};
    assert_int_equal(JetCreateIndex4A(session, table, &index, 1), JET_errIndexInvalidDef);
    index.cConditionalColumn = 1;
    conditions[0].cbStruct = 3;
    assert_int_equal(JetCreateIndex4A(session, table, &index, 1), JET_errIndexInvalidDef);
    conditions[0].cbStruct = sizeof(conditions[0]);
    conditions[0].grbit = 0;
    assert_int_equal(JetCreateIndex4A(session, table, &index, 1), JET_errInvalidGrbit);
    conditions[0].grbit = JET_bitIndexColumnMustBeNonNull;
    conditions[0].szColumnName = "none";
    assert_int_equal(JetCreateIndex4A(session, table, &index, 1), JET_errColumnNotFound);
    conditions[0].szColumnName = "text";
    index.grbit = JET_bitIndexPrimary;
    assert_int_equal(JetCreateIndex4A(session, table, &index, 1), JET_errIndexInvalidDef);
    index.grbit = 0;
    assert_int_equal(JetCreateIndex4A(session, table, &index, 1), JET_errSuccess);
    /* What an index needs stays, and so does what a current index is. */
    assert_int_equal(JetDeleteColumnA(session, table, "text"), JET_errColumnInUse);
    assert_int_equal(JetSetCurrentIndexA(session, table, "c"), JET_errSuccess);
    assert_int_equal(JetDeleteIndexA(session, table, "c"), JET_errIndexInUse);
    assert_int_equal(JetSetCurrentIndexA(session, table, NULL), JET_errSuccess);
    assert_int_equal(JetDeleteIndexA(session, table, "c"), JET_errSuccess);
    assert_int_equal(JetDeleteColumnA(session, table, "text"), JET_errSuccess);
}

static void several_indexes_at_once(void **state)
{
    JET_INDEXCREATE3_A two[2];
    (void)state;
    for (int i = 0; i < 2; i++)
        two[i] = (JET_INDEXCREATE3_A){.cbStruct = sizeof(two[0]),
                                      .szIndexName = i == 0 ? "a" : "b",
                                      .szKey = "+id\0",
                                      .cbKey = 5,
                                      .ulDensity = 80};
    assert_int_equal(JetBeginTransaction(session), JET_errSuccess);
    assert_int_equal(JetCreateIndex4A(session, table, two, 2), JET_errInTransaction);
    assert_int_equal(JetRollback(session, 0), JET_errSuccess);
    two[1].grbit = JET_bitIndexPrimary;
    assert_int_equal(JetCreateIndex4A(session, table, two, 2), JET_errInvalidCreateIndex);
    two[1].grbit = JET_bitIndexEmpty;
    assert_int_equal(JetCreateIndex4A(session, table, two, 2), JET_errInvalidGrbit);
    /* Neither of them was made. */
    assert_int_equal(JetSetCurrentIndexA(session, table, "a"), JET_errIndexNotFound);
    two[1].grbit = 0;
    assert_int_equal(JetCreateIndex4A(session, table, two, 2), JET_errSuccess);
    assert_int_equal(two[1].err, JET_errSuccess);
    assert_int_equal(JetSetCurrentIndexA(session, table, "b"), JET_errSuccess);
    assert_int_equal(JetCreateIndex4A(session, table, two, 2), JET_errIndexDuplicate);
    /* Unversioned ones need the table, or no transaction. */
    JET_INDEXCREATE3_A third = {.cbStruct = sizeof(third),
                                .szIndexName = "c",
                                .szKey = "+id\0",
                                .cbKey = 5,
                                .ulDensity = 80,
                                .grbit = JET_bitIndexUnversioned};
    assert_int_equal(JetSetCurrentIndexA(session, table, NULL), JET_errSuccess);
    share(true);
    assert_int_equal(JetBeginTransaction(session), JET_errSuccess);
    assert_int_equal(JetCreateIndex4A(session, table, &third, 1), JET_errInTransaction);
    assert_int_equal(JetRollback(session, 0), JET_errSuccess);
    assert_int_equal(JetCreateIndex4A(session, table, &third, 1), JET_errSuccess);
}

/* --- tables */

static JET_COLUMNCREATE_A column_of(char *name, uint32_t type, JET_GRBIT grbit)
{
    return (JET_COLUMNCREATE_A){
        .cbStruct = sizeof(JET_COLUMNCREATE_A), .szColumnName = name, .coltyp = type, .grbit = grbit};
}

static JET_INDEXCREATE2_A index_of(char *name, char *key, JET_GRBIT grbit)
{
    return (JET_INDEXCREATE2_A){.cbStruct = sizeof(JET_INDEXCREATE2_A),
                                .szIndexName = name,
                                .szKey = key,
                                .cbKey = (uint32_t)strlen(key) + 2,
                                .grbit = grbit};
}

static JET_ERR make(JET_TABLECREATE3_A *create)
{
    create->cbStruct = sizeof(*create);
    const JET_ERR err = JetCreateTableColumnIndex3A(session, database, create);
    if (err >= JET_errSuccess)
        assert_int_equal(JetCloseTable(session, create->tableid), JET_errSuccess);
    return err;
}

static void tables(void **state)
{
    JET_COLUMNCREATE_A columns_of[2] = {column_of("a", JET_coltypLong, 0), column_of("b", JET_coltypLong, 0)};
    JET_INDEXCREATE2_A indexes_of[2] = {index_of("pk", "+a\0", JET_bitIndexPrimary),
                                        index_of("x", "+b\0", 0)};
    JET_TABLECREATE3_A create = {.szTableName = "u",
                                 .rgcolumncreate = columns_of,
                                 .cColumns = 2,
                                 .rgindexcreate = indexes_of,
                                 .cIndexes = 2};
    (void)state;
    create.rgindexcreate = NULL;
    assert_int_equal(make(&create), JET_errInvalidParameter);
    create.rgindexcreate = indexes_of;
    create.rgcolumncreate = NULL;
    create.cColumns = 0;
    assert_int_equal(make(&create), JET_errInvalidCreateIndex);
    create.rgcolumncreate = columns_of;
    create.cColumns = 2;
    columns_of[1].szColumnName = "a";
    assert_int_equal(make(&create), JET_errColumnDuplicate);
    columns_of[1].szColumnName = "b";
    indexes_of[1].szIndexName = "pk";
    assert_int_equal(make(&create), JET_errIndexDuplicate);
    indexes_of[1].szIndexName = "x";
    for (int i = 0; i < 2; i++)
        columns_of[i].grbit = JET_bitColumnVersion;
    assert_int_equal(make(&create), JET_errColumnRedundant);
    for (int i = 0; i < 2; i++)
        columns_of[i].grbit = JET_bitColumnAutoincrement;
    assert_int_equal(make(&create), JET_errColumnRedundant);
    for (int i = 0; i < 2; i++)
        columns_of[i].grbit = 0;
    create.szTemplateTableName = "t";
    assert_int_equal(make(&create), JET_errDDLNotInheritable);
    create.szTemplateTableName = "a.b";
    assert_int_equal(make(&create), JET_errInvalidName);
    create.szTemplateTableName = "none";
    assert_int_equal(make(&create), JET_errObjectNotFound);
    create.szTemplateTableName = NULL;
    create.ulDensity = 19;
    assert_int_equal(make(&create), JET_errDensityInvalid);
    create.ulDensity = 0;
    create.grbit = JET_bitTableCreateSystemTable;
    create.cbSeparateLV = 100;
    assert_int_equal(make(&create), JET_errSuccess);
    assert_int_equal(make(&create), JET_errTableDuplicate);
}

static void templates(void **state)
{
    JET_COLUMNCREATE_A columns_of[3] = {column_of("a", JET_coltypLong, 0),
                                        column_of("v", JET_coltypLong, JET_bitColumnVersion),
                                        column_of("l", JET_coltypLongText, 0)};
    JET_INDEXCREATE2_A indexes_of[2] = {index_of("pk", "+a\0", JET_bitIndexPrimary),
                                        index_of("x", "+a\0", 0)};
    JET_TABLECREATE3_A create = {.szTableName = "m",
                                 .rgcolumncreate = columns_of,
                                 .cColumns = 3,
                                 .rgindexcreate = indexes_of,
                                 .cIndexes = 2,
                                 .grbit = JET_bitTableCreateTemplateTable};
    JET_COLUMNCREATE_A own[2] = {column_of("w", JET_coltypLong, JET_bitColumnVersion),
                                 column_of("b", JET_coltypLong, 0)};
    JET_TABLECREATE3_A derived = {
        .szTableName = "d", .szTemplateTableName = "m", .rgcolumncreate = own, .cColumns = 2};
    const JET_COLUMNDEF more = {.cbStruct = sizeof(more), .coltyp = JET_coltypLong};
    const int32_t five = 5;
    JET_TABLEID other;
    (void)state;
    assert_int_equal(make(&create), JET_errSuccess);
    /* As long as nobody has it for a template it can get tagged columns. */
    const JET_COLUMNDEF tagged = {
        .cbStruct = sizeof(tagged), .coltyp = JET_coltypLong, .grbit = JET_bitColumnTagged};
    const JET_COLUMNDEF long_text = {.cbStruct = sizeof(long_text), .coltyp = JET_coltypLongText};
    assert_int_equal(
        JetOpenTableA(session, database, "m", NULL, 0, JET_bitTableDenyRead | JET_bitTablePermitDDL, &other),
        JET_errSuccess);
    assert_int_equal(JetAddColumnA(session, other, "y", &more, NULL, 0, NULL), JET_errFixedDDL);
    assert_int_equal(JetAddColumnA(session, other, "y", &tagged, NULL, 0, NULL), JET_errSuccess);
    assert_int_equal(JetAddColumnA(session, other, "x", &long_text, NULL, 0, NULL), JET_errSuccess);
    assert_int_equal(JetCloseTable(session, other), JET_errSuccess);
    assert_int_equal(make(&derived), JET_errColumnRedundant);
    own[0].grbit = 0;
    assert_int_equal(make(&derived), JET_errSuccess);
    /* The derived table has the template's indexes, the primary one among them, and keeps them. */
    assert_int_equal(JetOpenTableA(session, database, "d", NULL, 0, 0, &other), JET_errSuccess);
    assert_int_equal(JetDeleteIndexA(session, other, "x"), JET_errFixedInheritedDDL);
    assert_int_equal(JetDeleteIndexA(session, other, "y"), JET_errIndexNotFound);
    assert_int_equal(JetDeleteColumnA(session, other, "a"), JET_errFixedInheritedDDL);
    assert_int_equal(JetDeleteColumn2A(session, other, "a", JET_bitDeleteColumnIgnoreTemplateColumns),
                     JET_errColumnNotFound);
    assert_int_equal(JetAddColumnA(session, other, "a", &more, NULL, 0, NULL), JET_errColumnDuplicate);
    assert_int_equal(JetSetCurrentIndexA(session, other, "pk"), JET_errSuccess);
    assert_int_equal(JetCloseTable(session, other), JET_errSuccess);
    assert_int_equal(JetSetColumnDefaultValueA(session, database, "d", "v", &five, 4, 0),
                     JET_errColumnNotFound);
    /* Nothing of a template changes. */
    assert_int_equal(JetOpenTableA(session, database, "m", NULL, 0, 0, &other), JET_errSuccess);
    assert_int_equal(JetAddColumnA(session, other, "z", &more, NULL, 0, NULL), JET_errFixedDDL);
    assert_int_equal(JetDeleteColumnA(session, other, "l"), JET_errFixedDDL);
    assert_int_equal(JetDeleteIndexA(session, other, "x"), JET_errFixedDDL);
    assert_int_equal(JetCloseTable(session, other), JET_errSuccess);
    assert_int_equal(JetDeleteTableA(session, database, "m"), JET_errCannotDeleteTemplateTable);
    assert_int_equal(JetRenameTableA(session, database, "m", "n"), JET_errCannotDeleteTemplateTable);
    /* A template without a primary index, whose first index is a secondary one. */
    create.szTableName = "m2";
    create.rgindexcreate = &indexes_of[1];
    create.cIndexes = 1;
    derived.szTableName = "d2";
    derived.szTemplateTableName = "m2";
    assert_int_equal(make(&create), JET_errSuccess);
    assert_int_equal(make(&derived), JET_errSuccess);
    assert_int_equal(JetOpenTableA(session, database, "d2", NULL, 0, 0, &other), JET_errSuccess);
    assert_int_equal(JetSetCurrentIndexA(session, other, "x"), JET_errSuccess);
    assert_int_equal(JetCloseTable(session, other), JET_errSuccess);
    assert_int_equal(JetDeleteTableA(session, database, "d2"), JET_errSuccess);
}

int main(int argc, char **argv)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, start, api_world_end)
    const struct CMUnitTest tests[] = {
        CASE(columns), CASE(escrow_after_rows), CASE(too_many_bytes),        CASE(defaults),
        CASE(names),   CASE(indexes),           CASE(conditions_of_indexes), CASE(several_indexes_at_once),
        CASE(tables),  CASE(templates),
    };
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
