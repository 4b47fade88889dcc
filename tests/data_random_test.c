/* Random rows, updates, deletions and rollbacks through the API against a plain model; indexes and long
 * values included, with restarts in between. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "include/esent.h"
#include "include/esent_host.h"

#define OK(call) assert_int_equal((call), JET_errSuccess)

#define ROWS 120
#define LEVELS 4
#define LONG_MOST 9000u

struct row {
    bool there;
    bool has_number;
    int32_t number;      /* indexed */
    uint32_t long_size;  /* 0: null */
    uint32_t long_start; /* seed of its bytes */
    uint32_t tags;
    int32_t tag[3]; /* multi-valued, indexed */
};

struct world {
    JET_INSTANCE instance;
    JET_SESID session;
    JET_DBID database;
    JET_TABLEID table;
    JET_COLUMNID id;
    JET_COLUMNID number;
    JET_COLUMNID bytes;
    JET_COLUMNID tag;
    unsigned level;
    struct row rows[LEVELS + 1][ROWS]; /* by level */
};

static uint32_t seed;
static uint32_t next_random(uint32_t limit)
{
    seed = seed * 1664525u + 1013904223u;
    return (seed >> 8) % limit;
}

static int setup(void **state)
{
    static uintptr_t next_seed;
    struct ESENT_HOST_SIMULATION simulation = {.seed = 1, .scheduler = ESENT_HOST_SCHEDULE_FIFO};
    *state = (void *)++next_seed;
    (void)EsentHostReset(NULL, 0);
    if (EsentHostUseMemoryFiles() != JET_errSuccess || EsentHostUseSimulation(&simulation) != JET_errSuccess)
        return -1;
    return EsentHostSetProfile(ESENT_HOST_PUBLISHED) == JET_errSuccess ? 0 : -1;
}

static int teardown(void **state)
{
    char report[2000] = "";
    (void)state;
    size_t leaks = EsentHostReset(report, sizeof(report));
    if (leaks > 0)
        print_message("left behind: %s\n", report);
    return leaks == 0 ? 0 : -1;
}

static void start(struct world *world)
{
    OK(JetCreateInstanceA(&world->instance, "data"));
    OK(JetSetSystemParameterA(&world->instance, JET_sesidNil, JET_paramLogFileSize, 128, NULL));
    OK(JetSetSystemParameterA(&world->instance, JET_sesidNil, JET_paramCircularLog, 1, NULL));
    OK(JetInit(&world->instance));
    OK(JetBeginSessionA(world->instance, &world->session, NULL, NULL));
}

static JET_COLUMNID add(struct world *world, const char *name, JET_COLTYP type, JET_GRBIT grbit)
{
    JET_COLUMNDEF definition = {.cbStruct = sizeof(definition), .coltyp = type, .grbit = grbit};
    JET_COLUMNID id = 0;
    OK(JetAddColumnA(world->session, world->table, name, &definition, NULL, 0, &id));
    return id;
}

static void create(struct world *world)
{
    OK(JetCreateDatabaseA(world->session, "data.edb", NULL, &world->database, 0));
    OK(JetCreateTableA(world->session, world->database, "rows", 0, 80, &world->table));
    world->id = add(world, "id", JET_coltypLong, JET_bitColumnFixed);
    world->number = add(world, "number", JET_coltypLong, 0);
    world->bytes = add(world, "bytes", JET_coltypLongBinary, 0);
    world->tag = add(world, "tag", JET_coltypLong, JET_bitColumnTagged | JET_bitColumnMultiValued);
    OK(JetCreateIndexA(world->session, world->table, "id", JET_bitIndexPrimary, "+id\0", 5, 80));
    OK(JetCreateIndexA(world->session, world->table, "number", 0, "-number\0", 9, 80));
    OK(JetCreateIndexA(world->session, world->table, "tag", JET_bitIndexIgnoreNull, "+tag\0", 6, 80));
}

static void stop(struct world *world)
{
    OK(JetTerm2(world->instance, JET_bitTermComplete));
}

static void restart(struct world *world)
{
    stop(world);
    start(world);
    OK(JetAttachDatabaseA(world->session, "data.edb", 0));
    OK(JetOpenDatabaseA(world->session, "data.edb", NULL, &world->database, 0));
    OK(JetOpenTableA(world->session, world->database, "rows", NULL, 0, 0, &world->table));
}

static void fill(uint8_t *bytes, const struct row *row)
{
    for (uint32_t i = 0; i < row->long_size; i++)
        bytes[i] = (uint8_t)(row->long_start + i * 7 + i / 256);
}

static void set_row(struct world *world, const struct row *row, uint32_t old_tags)
{
    static uint8_t bytes[LONG_MOST];
    OK(JetSetColumn(world->session, world->table, world->number, row->has_number ? &row->number : NULL,
                    row->has_number ? 4 : 0, 0, NULL));
    fill(bytes, row);
    OK(JetSetColumn(world->session, world->table, world->bytes, row->long_size > 0 ? bytes : NULL,
                    row->long_size, 0, NULL));
    for (uint32_t i = 0; i < old_tags; i++) {
        JET_SETINFO info = {.cbStruct = sizeof(info), .itagSequence = 1};
        OK(JetSetColumn(world->session, world->table, world->tag, NULL, 0, 0, &info));
    }
    for (uint32_t i = 0; i < row->tags; i++) {
        JET_SETINFO info = {.cbStruct = sizeof(info)};
        OK(JetSetColumn(world->session, world->table, world->tag, &row->tag[i], 4, 0, &info));
    }
}

static void random_row(struct row *row)
{
    static const uint32_t sizes[] = {0, 1, 100, 1000, 1500, 5000, LONG_MOST};
    *row = (struct row){.there = true};
    row->has_number = next_random(5) != 0;
    row->number = (int32_t)next_random(20) - 10;
    row->long_size = sizes[next_random(7)];
    row->long_start = next_random(256);
    row->tags = next_random(4);
    for (uint32_t i = 0; i < row->tags; i++)
        row->tag[i] = (int32_t)next_random(30) * 3 + (int32_t)i; /* different within a row */
}

static JET_ERR seek_row(struct world *world, int32_t id)
{
    OK(JetSetCurrentIndexA(world->session, world->table, NULL));
    OK(JetMakeKey(world->session, world->table, &id, 4, JET_bitNewKey));
    return JetSeek(world->session, world->table, JET_bitSeekEQ);
}

static void change_row(struct world *world)
{
    const int32_t id = (int32_t)next_random(ROWS);
    struct row *row = &world->rows[world->level][id];
    assert_int_equal(seek_row(world, id), row->there ? JET_errSuccess : JET_errRecordNotFound);
    if (!row->there) {
        random_row(row);
        OK(JetPrepareUpdate(world->session, world->table, JET_prepInsert));
        OK(JetSetColumn(world->session, world->table, world->id, &id, 4, 0, NULL));
        set_row(world, row, 0);
        OK(JetUpdate(world->session, world->table, NULL, 0, NULL));
    } else if (next_random(3) == 0) {
        row->there = false;
        OK(JetDelete(world->session, world->table));
    } else {
        const struct row old = *row;
        random_row(row);
        OK(JetPrepareUpdate(world->session, world->table, JET_prepReplace));
        set_row(world, row, old.tags);
        if (next_random(8) == 0) {
            OK(JetPrepareUpdate(world->session, world->table, JET_prepCancel));
            *row = old;
            return;
        }
        OK(JetUpdate(world->session, world->table, NULL, 0, NULL));
    }
}

static void check_row(struct world *world, const struct row *row)
{
    static uint8_t expected[LONG_MOST];
    static uint8_t found[LONG_MOST + 1];
    uint32_t actual = 0;
    int32_t number = 0;
    assert_int_equal(
        JetRetrieveColumn(world->session, world->table, world->number, &number, 4, &actual, 0, NULL),
        row->has_number ? JET_errSuccess : JET_wrnColumnNull);
    if (row->has_number)
        assert_int_equal(number, row->number);
    assert_int_equal(
        JetRetrieveColumn(world->session, world->table, world->bytes, found, sizeof(found), &actual, 0, NULL),
        row->long_size > 0 ? JET_errSuccess : JET_wrnColumnNull);
    assert_int_equal(actual, row->long_size);
    fill(expected, row);
    assert_memory_equal(found, expected, row->long_size);
    for (uint32_t i = 0; i <= row->tags; i++) {
        JET_RETINFO info = {.cbStruct = sizeof(info), .itagSequence = i + 1};
        JET_ERR err =
            JetRetrieveColumn(world->session, world->table, world->tag, &number, 4, &actual, 0, &info);
        assert_int_equal(err, i < row->tags ? JET_errSuccess : JET_wrnColumnNull);
        if (i < row->tags)
            assert_int_equal(number, row->tag[i]);
    }
}

/* Walks an index: its entries are in order and as many as the model's. */
static void check_index(struct world *world, const char *name, uint32_t count)
{
    uint8_t last[32];
    uint32_t last_size = 0;
    uint32_t seen = 0;
    OK(JetSetCurrentIndexA(world->session, world->table, name));
    JET_ERR err = JetMove(world->session, world->table, (int32_t)JET_MoveFirst, 0);
    while (err == JET_errSuccess) {
        uint8_t key[32];
        uint32_t size = 0;
        int32_t id = -1;
        OK(JetRetrieveKey(world->session, world->table, key, sizeof(key), &size, 0));
        assert_true(memcmp(last, key, last_size < size ? last_size : size) <= 0);
        memcpy(last, key, size);
        last_size = size;
        OK(JetRetrieveColumn(world->session, world->table, world->id, &id, 4, NULL, 0, NULL));
        assert_in_range(id, 0, ROWS - 1);
        assert_true(world->rows[world->level][id].there);
        seen++;
        err = JetMove(world->session, world->table, JET_MoveNext, 0);
    }
    assert_int_equal(err, JET_errNoCurrentRecord);
    assert_int_equal(seen, count);
}

static void check_all(struct world *world)
{
    uint32_t rows = 0;
    uint32_t tags = 0;
    for (int32_t id = 0; id < ROWS; id++) {
        const struct row *row = &world->rows[world->level][id];
        assert_int_equal(seek_row(world, id), row->there ? JET_errSuccess : JET_errRecordNotFound);
        if (!row->there)
            continue;
        check_row(world, row);
        rows++;
        tags += row->tags;
    }
    check_index(world, NULL, rows);
    check_index(world, "number", rows);
    check_index(world, "tag", tags);
}

static void begin(struct world *world)
{
    OK(JetBeginTransaction(world->session));
    memcpy(world->rows[world->level + 1], world->rows[world->level], sizeof(world->rows[0]));
    world->level++;
}

static void end(struct world *world, bool commit)
{
    if (commit)
        OK(JetCommitTransaction(world->session, JET_bitCommitLazyFlush));
    else
        OK(JetRollback(world->session, 0));
    world->level--;
    if (commit)
        memcpy(world->rows[world->level], world->rows[world->level + 1], sizeof(world->rows[0]));
}

static void step(struct world *world)
{
    const uint32_t what = next_random(10);
    if (world->level == 0 || (what == 0 && world->level < LEVELS))
        begin(world);
    else if (what <= 2)
        end(world, next_random(3) != 0);
    else
        change_row(world);
}

static void rows_follow_the_model(void **state)
{
    struct world *world = calloc(1, sizeof(*world));
    assert_non_null(world);
    seed = (uint32_t)(uintptr_t)*state;
    start(world);
    create(world);
    for (int round = 0; round < 6; round++) {
        for (int i = 0; i < 400; i++) {
            step(world);
            if (i % 50 == 0)
                check_all(world);
        }
        while (world->level > 0)
            end(world, next_random(2) != 0);
        check_all(world);
        restart(world);
        check_all(world);
    }
    stop(world);
    free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(rows_follow_the_model, setup, teardown),
        cmocka_unit_test_setup_teardown(rows_follow_the_model, setup, teardown),
        cmocka_unit_test_setup_teardown(rows_follow_the_model, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
