/* A database in memory with one table of a test's own columns, and steps of updates. Include after cmocka.h.
 */
#ifndef OPENESENT_TESTS_TABLE_WORLD_H
#define OPENESENT_TESTS_TABLE_WORLD_H

#include <stddef.h>
#include <stdint.h>

#include "tests/api_world.h"

#define CASES(array) (sizeof(array) / sizeof((array)[0]))

static JET_DBID database;
static JET_TABLEID table;
static uint8_t big[20000];

struct shape {
    const char *name;
    uint32_t type;
    JET_GRBIT grbit;
    uint16_t code_page;
    const void *value;
    uint32_t size;
};

static inline void make_table(const char *name, const struct shape *shape, int count, JET_COLUMNID *ids)
{
    assert_int_equal(JetCreateTableA(session, database, name, 0, 80, &table), JET_errSuccess);
    for (int i = 0; i < count; i++) {
        const JET_COLUMNDEF definition = {.cbStruct = sizeof(definition),
                                          .coltyp = shape[i].type,
                                          .grbit = shape[i].grbit,
                                          .cp = shape[i].code_page};
        assert_int_equal(
            JetAddColumnA(session, table, shape[i].name, &definition, shape[i].value, shape[i].size, &ids[i]),
            JET_errSuccess);
    }
}

static inline int start(void **state)
{
    (void)state;
    assert_true(api_world_start(true));
    for (size_t i = 0; i < sizeof(big); i++)
        big[i] = (uint8_t)(i * 17 + i / 256);
    assert_int_equal(JetCreateDatabaseA(session, "r.edb", NULL, &database, 0), JET_errSuccess);
    return 0;
}

/* What is in memory about tables is forgotten. */
static inline void attach_anew(void)
{
    assert_int_equal(JetCloseTable(session, table), JET_errSuccess);
    assert_int_equal(JetCloseDatabase(session, database, 0), JET_errSuccess);
    assert_int_equal(JetDetachDatabaseA(session, "r.edb"), JET_errSuccess);
    assert_int_equal(JetAttachDatabaseA(session, "r.edb", 0), JET_errSuccess);
    assert_int_equal(JetOpenDatabaseA(session, "r.edb", NULL, &database, 0), JET_errSuccess);
    assert_int_equal(JetOpenTableA(session, database, "t", NULL, 0, 0, &table), JET_errSuccess);
}

static inline JET_ERR set_with(JET_COLUMNID id, const void *value, uint32_t size, JET_GRBIT grbit,
                               uint32_t itag)
{
    JET_SETINFO info = {.cbStruct = sizeof(info), .itagSequence = itag};
    return JetSetColumn(session, table, id, value, size, grbit, &info);
}

static inline void prepare(uint32_t preparation)
{
    assert_int_equal(JetPrepareUpdate(session, table, preparation), JET_errSuccess);
}

#endif
