/* A database with a table of all kinds of columns and indexes, and one derived from a template: what calls
 * tell about. Include after cmocka.h. */
#ifndef OPENESENT_TESTS_API_TABLES_WORLD_H
#define OPENESENT_TESTS_API_TABLES_WORLD_H

#include <string.h>

#include "tests/api_cases.h"
#include "tests/api_world.h"

#define BAD_TEXT "a\xff"                                /* not UTF-8 */
#define BAD_WIDE ((const WCHAR[]){'a', 0xdc00, 'b', 0}) /* a lone low surrogate */
#define TEXT(text) ((char *)(uintptr_t)(text))
#define LONG_NAME "1234567890123456789012345678901234567890123456789012345678901234x" /* 65 */

static const WCHAR wide_t[] = {'t', 0};
static const WCHAR wide_d[] = {'d', 0};
static const WCHAR wide_b[] = {'b', 0};
static const WCHAR wide_x[] = {'x', 0};

static JET_DBID database;
static JET_TABLEID table;   /* "t": made of all kinds of columns and indexes */
static JET_TABLEID derived; /* "d", of the template "m" */
static JET_COLUMNID ids[8];

static JET_COLUMNCREATE_A columns[] = {
    {.cbStruct = sizeof(JET_COLUMNCREATE_A),
     .szColumnName = TEXT("a"),
     .coltyp = JET_coltypLong,
     .grbit = JET_bitColumnFixed | JET_bitColumnNotNULL | JET_bitColumnAutoincrement},
    {.cbStruct = sizeof(JET_COLUMNCREATE_A),
     .szColumnName = TEXT("b"),
     .coltyp = JET_coltypText,
     .cbMax = 30,
     .cp = 1252},
    {.cbStruct = sizeof(JET_COLUMNCREATE_A),
     .szColumnName = TEXT("c"),
     .coltyp = JET_coltypLongText,
     .cp = 1200,
     .grbit = JET_bitColumnMultiValued | JET_bitColumnTagged | JET_bitColumnCompressed},
    {.cbStruct = sizeof(JET_COLUMNCREATE_A),
     .szColumnName = TEXT("v"),
     .coltyp = JET_coltypLong,
     .grbit = JET_bitColumnFixed | JET_bitColumnVersion},
    {.cbStruct = sizeof(JET_COLUMNCREATE_A),
     .szColumnName = TEXT("e"),
     .coltyp = JET_coltypLong,
     .pvDefault = TEXT("\0\0\0\0"),
     .cbDefault = 4,
     .grbit = JET_bitColumnFixed | JET_bitColumnEscrowUpdate | JET_bitColumnDeleteOnZero},
    {.cbStruct = sizeof(JET_COLUMNCREATE_A),
     .szColumnName = TEXT("f"),
     .coltyp = JET_coltypLong,
     .pvDefault = TEXT("\0\0\0\0"),
     .cbDefault = 4,
     .grbit = JET_bitColumnFixed | JET_bitColumnEscrowUpdate | JET_bitColumnFinalize},
    {.cbStruct = sizeof(JET_COLUMNCREATE_A),
     .szColumnName = TEXT("g"),
     .coltyp = JET_coltypBinary,
     .cbMax = 20},
};

#define INDEX(name, key, bits)                                                                               \
    {                                                                                                        \
        .cbStruct = sizeof(JET_INDEXCREATE_A), .szIndexName = TEXT(name), .szKey = TEXT(key), .cbKey = 4,    \
        .grbit = (bits), .ulDensity = 70                                                                     \
    }

static JET_INDEXCREATE_A indexes[] = {
    INDEX("pk", "+a\0", JET_bitIndexPrimary),
    INDEX("x", "-b\0", JET_bitIndexIgnoreNull),
    INDEX("y", "+b\0", JET_bitIndexUnique | JET_bitIndexDisallowNull),
    INDEX("z", "+b\0", JET_bitIndexIgnoreAnyNull | JET_bitIndexIgnoreFirstNull | JET_bitIndexIgnoreNull),
    INDEX("h", "+g\0", JET_bitIndexSortNullsHigh | JET_bitIndexDisallowTruncation),
    INDEX("u", "+c\0", JET_bitIndexTuples),
};

static inline JET_ERR create_all(void)
{
    JET_ERR err;
    JET_COLUMNCREATE_A base = {
        .cbStruct = sizeof(base), .szColumnName = TEXT("b"), .coltyp = JET_coltypText, .cp = 1252};
    JET_COLUMNCREATE_A own = {.cbStruct = sizeof(own), .szColumnName = TEXT("o"), .coltyp = JET_coltypLong};
    JET_TABLECREATE_A create = {.cbStruct = sizeof(create),
                                .szTableName = TEXT("t"),
                                .ulPages = 4,
                                .ulDensity = 90,
                                .rgcolumncreate = columns,
                                .cColumns = sizeof(columns) / sizeof(columns[0]),
                                .rgindexcreate = indexes,
                                .cIndexes = sizeof(indexes) / sizeof(indexes[0])};
    JET_TABLECREATE_A template = {.cbStruct = sizeof(template),
                                  .szTableName = TEXT("m"),
                                  .rgcolumncreate = &base,
                                  .cColumns = 1,
                                  .grbit = JET_bitTableCreateTemplateTable};
    JET_TABLECREATE_A from = {.cbStruct = sizeof(from),
                              .szTableName = TEXT("d"),
                              .szTemplateTableName = TEXT("m"),
                              .rgcolumncreate = &own,
                              .cColumns = 1};
    if ((err = JetCreateTableColumnIndexA(session, database, &create)) < JET_errSuccess ||
        (err = JetCreateTableColumnIndexA(session, database, &template)) < JET_errSuccess ||
        (err = JetCloseTable(session, template.tableid)) < JET_errSuccess ||
        (err = JetCreateTableColumnIndexA(session, database, &from)) < JET_errSuccess)
        return err;
    for (uint32_t i = 0; i < create.cColumns; i++)
        ids[i] = columns[i].columnid;
    derived = from.tableid;
    table = create.tableid;
    return JET_errSuccess;
}

static inline int setup(void **state)
{
    (void)state;
    if (!api_world_start(true) || JetCreateDatabaseA(session, "x.edb", NULL, &database, 0) != JET_errSuccess)
        return -1;
    JET_ERR err = create_all();
    if (err < JET_errSuccess)
        print_message("creation answers %d\n", (int)err);
    return err < JET_errSuccess ? -1 : 0;
}

static inline int rows_of(JET_TABLEID list)
{
    int rows = 0;
    for (JET_ERR err = JetMove(session, list, (int32_t)JET_MoveFirst, 0); err == JET_errSuccess;
         err = JetMove(session, list, JET_MoveNext, 0))
        rows++;
    return rows;
}

#endif
