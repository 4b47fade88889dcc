/* Restores of damaged backups: for each kind of damage the code that docs/recovery.md says; the source is
 * never touched; and a restore that says it is good gives every row. The same for full disks. */
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

#define BUFFER (1u << 18)
#define ROWS 400u
#define ROW_SIZE 1200u
#define PAGE 4096u
#define SECTOR 4096u
#define FILES_MOST 64u

static JET_INSTANCE the_instance;
static uint8_t *buffer;

#define OK(call) assert_int_equal((call), JET_errSuccess)

/* --- two instances, each with a directory backup and a streamed one --- */

static JET_ERR make_instance(const char *name, const char *folder)
{
    the_instance = JET_instanceNil;
    JET_ERR err = JetCreateInstanceA(&the_instance, name);
    if (err >= JET_errSuccess)
        err = JetSetSystemParameterA(&the_instance, 0, JET_paramLogFilePath, 0, folder);
    if (err >= JET_errSuccess)
        err = JetSetSystemParameterA(&the_instance, 0, JET_paramSystemPath, 0, folder);
    if (err >= JET_errSuccess)
        err = JetSetSystemParameterA(&the_instance, 0, JET_paramTempPath, 0, folder);
    return err >= JET_errSuccess ? JetSetSystemParameterA(&the_instance, 0, JET_paramLogFileSize, 128, NULL)
                                 : err;
}

static void insert(JET_SESID session, JET_TABLEID table, const JET_COLUMNID columns[2], uint32_t first,
                   uint32_t count)
{
    static char data[ROW_SIZE];
    for (uint32_t i = first; i < first + count; i++) {
        memset(data, (int)(i * 7), sizeof data);
        OK(JetBeginTransaction(session));
        OK(JetPrepareUpdate(session, table, JET_prepInsert));
        OK(JetSetColumn(session, table, columns[0], &i, sizeof i, 0, NULL));
        OK(JetSetColumn(session, table, columns[1], data, sizeof data, 0, NULL));
        OK(JetUpdate(session, table, NULL, 0, NULL));
        OK(JetCommitTransaction(session, i % 20 == 0 ? 0 : JET_bitCommitLazyFlush));
    }
}

static void stream(const char *from, const char *to_folder)
{
    JET_HANDLE handle;
    uint32_t low, high, got = 1;
    uint64_t at = 0;
    char to[300];
    const char *name = strrchr(from, '/');
    snprintf(to, sizeof to, "%s%s", to_folder, name);
    OK(JetOpenFileInstanceA(the_instance, from, &handle, &low, &high));
    for (;;) {
        OK(JetReadFileInstance(the_instance, handle, buffer, BUFFER, &got));
        if (got == 0)
            break;
        OK(EsentHostFileWrite(to, at, buffer, got));
        at += got;
    }
    OK(JetCloseFileInstance(the_instance, handle));
}

static void stream_all(const char *database, const char *to_folder)
{
    char list[4096];
    OK(JetBeginExternalBackupInstance(the_instance, 0));
    stream(database, to_folder);
    OK(JetGetLogInfoInstanceA(the_instance, list, sizeof list, NULL));
    for (const char *name = list; *name != '\0'; name += strlen(name) + 1)
        stream(name, to_folder);
    OK(JetEndExternalBackupInstance(the_instance));
}

/* Fills `folder` with a database of two lives, `folder`-dir and `folder`-stream with backups of the second:
 * they need several generations of log, since the checkpoint stays behind, but none of the first life. */
static void make_source(const char *folder, uint32_t rows)
{
    JET_SESID session;
    JET_DBID database;
    JET_TABLEID table;
    JET_COLUMNID columns[2];
    const JET_COLUMNDEF number = {.cbStruct = sizeof number, .coltyp = JET_coltypLong};
    const JET_COLUMNDEF bytes = {.cbStruct = sizeof bytes, .coltyp = JET_coltypLongBinary};
    char path[64];
    char copy[64];
    char slashed[64];
    snprintf(slashed, sizeof slashed, "%s/", folder);
    OK(EsentHostDirectoryCreate(folder));
    OK(make_instance(folder + 1, slashed));
    OK(JetInit(&the_instance));
    OK(JetBeginSessionA(the_instance, &session, NULL, NULL));
    snprintf(path, sizeof path, "%s/a.edb", folder);
    OK(JetCreateDatabaseA(session, path, NULL, &database, 0));
    OK(JetCreateTableA(session, database, "t", 1, 80, &table));
    OK(JetAddColumnA(session, table, "id", &number, NULL, 0, &columns[0]));
    OK(JetAddColumnA(session, table, "data", &bytes, NULL, 0, &columns[1]));
    insert(session, table, columns, 0, rows / 4);
    OK(JetTerm2(the_instance, JET_bitTermComplete));
    OK(make_instance(folder + 1, slashed));
    OK(JetInit(&the_instance));
    OK(JetBeginSessionA(the_instance, &session, NULL, NULL));
    OK(JetAttachDatabaseA(session, path, 0));
    OK(JetOpenDatabaseA(session, path, NULL, &database, 0));
    OK(JetOpenTableA(session, database, "t", NULL, 0, 0, &table));
    insert(session, table, columns, rows / 4, rows - rows / 4);
    snprintf(copy, sizeof copy, "%s-stream", folder);
    OK(EsentHostDirectoryCreate(copy));
    stream_all(path, copy);
    snprintf(copy, sizeof copy, "%s-dir", folder);
    OK(EsentHostDirectoryCreate(copy));
    OK(JetBackupInstanceA(the_instance, copy, 0, NULL));
    OK(JetTerm2(the_instance, JET_bitTermComplete));
}

static int make_world(void **state)
{
    (void)state;
    const struct ESENT_HOST_SIMULATION simulation = {.seed = 1, .scheduler = ESENT_HOST_SCHEDULE_FIFO};
    buffer = aligned_alloc(65536, BUFFER);
    assert_non_null(buffer);
    (void)EsentHostReset(NULL, 0);
    OK(EsentHostUseMemoryFiles());
    OK(EsentHostUseSimulation(&simulation));
    OK(JetSetSystemParameterA(NULL, 0, JET_paramDatabasePageSize, PAGE, NULL));
    OK(JetSetSystemParameterA(NULL, 0, JET_paramTempPath, 0, "/"));
    make_source("/a", ROWS);
    make_source("/b", ROWS / 2);
    OK(EsentHostFilesSave(1));
    return 0;
}

static int end_world(void **state)
{
    (void)state;
    (void)EsentHostReset(NULL, 0);
    free(buffer);
    return 0;
}

/* --- damage --- */

enum damage {
    NOTHING,
    MISSING,
    EMPTY,
    HALF,         /* cut to half its size */
    LAST_CUT,     /* cut by the last page or sector */
    ONE_BIT,      /* in the middle of the file: the checksum repairs it */
    MANY_BITS,    /* there: it cannot */
    HEADER_BIT,   /* in the first page or sector */
    HEADERS_BITS, /* in both copies of a database's header */
    LAST_BITS,    /* in the last page: a stream's trailer */
    FOREIGN,      /* the other instance's file of the same name */
    SWAPPED,      /* with the next log */
};

/* The lowest and the highest generation of a backup. */
static void find_generations(const char *folder, unsigned *first, unsigned *last)
{
    *first = *last = 0;
    for (unsigned i = 1; i < FILES_MOST; i++) {
        char path[64];
        struct ESENT_HOST_FILE_INFO info;
        snprintf(path, sizeof path, "%s/edb%05x.log", folder, i);
        if (EsentHostFileInfo(path, &info) < JET_errSuccess)
            continue;
        if (*first == 0)
            *first = i;
        *last = i;
    }
}

static void flip(const char *path, uint64_t offset, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        OK(EsentHostFileCorrupt(path, offset + 64 * i, (uint8_t)(0x10 + i)));
}

static void damage(const char *set, const char *name, enum damage kind, const char *next)
{
    char path[128];
    char other[128];
    unsigned first, last;
    struct ESENT_HOST_FILE_INFO info = {0};
    snprintf(path, sizeof path, "/a-%s/%s", set, name);
    if (kind != NOTHING)
        OK(EsentHostFileInfo(path, &info));
    /* A page of rows; a segment of records: the last log is short. */
    const bool is_log = strstr(name, ".log") != NULL;
    const uint64_t middle = is_log ? SECTOR + 100 : 40 * PAGE + 100;
    switch (kind) {
    case NOTHING:
        break;
    case MISSING:
        OK(EsentHostFileDelete(path));
        break;
    case EMPTY:
        OK(EsentHostFileSetSize(path, 0));
        break;
    case HALF:
        OK(EsentHostFileSetSize(path, info.size / 2 / PAGE * PAGE));
        break;
    case LAST_CUT:
        OK(EsentHostFileSetSize(path, info.size - PAGE));
        break;
    case ONE_BIT:
        flip(path, middle, 1);
        break;
    case MANY_BITS:
        flip(path, middle, 9);
        break;
    case HEADER_BIT:
        flip(path, 100, 1);
        break;
    case HEADERS_BITS:
        flip(path, 100, 9);
        flip(path, PAGE + 100, 9);
        break;
    case LAST_BITS:
        flip(path, info.size - PAGE + 100, 9);
        break;
    case FOREIGN:
        snprintf(other, sizeof other, "/b-%s/%s", set, name);
        if (EsentHostFileCopy(other, path) < JET_errSuccess) {
            /* It has not as many logs. */
            char folder[64];
            snprintf(folder, sizeof folder, "/b-%s", set);
            find_generations(folder, &first, &last);
            snprintf(other, sizeof other, "%s/edb%05x.log", folder, last);
            OK(EsentHostFileCopy(other, path));
        }
        break;
    case SWAPPED:
        snprintf(other, sizeof other, "/a-%s/%s", set, next);
        OK(EsentHostFileRename(other, "/swap"));
        OK(EsentHostFileRename(path, other));
        OK(EsentHostFileRename("/swap", path));
        break;
    }
}

/* --- what may not change --- */

static uint64_t hash_file(const char *path)
{
    struct ESENT_HOST_FILE_INFO info;
    uint64_t hash = 14695981039346656037u;
    if (EsentHostFileInfo(path, &info) < JET_errSuccess)
        return 0;
    for (uint64_t at = 0; at < info.size;) {
        size_t done = 0;
        OK(EsentHostFileRead(path, at, buffer, BUFFER, &done));
        for (size_t i = 0; i < done; i++)
            hash = (hash ^ buffer[i]) * 1099511628211u;
        at += done;
        if (done == 0)
            break;
    }
    return hash ^ info.size;
}

struct watched {
    char paths[FILES_MOST][160];
    uint64_t hashes[FILES_MOST];
    unsigned count;
};

static void watch(struct watched *watched, const char *folder, const char *name)
{
    assert_true(watched->count < FILES_MOST);
    snprintf(watched->paths[watched->count], sizeof watched->paths[0], "%s/%s", folder, name);
    watched->hashes[watched->count] = hash_file(watched->paths[watched->count]);
    watched->count++;
}

static void unchanged(const struct watched *watched, const char *what)
{
    for (unsigned i = 0; i < watched->count; i++) {
        if (hash_file(watched->paths[i]) != watched->hashes[i])
            fail_msg("%s: %s was changed", what, watched->paths[i]);
    }
}

/* --- restores --- */

static JET_ERR restore_directory(void)
{
    JET_ERR err = make_instance("to", "/to/");
    if (err >= JET_errSuccess)
        err = JetRestoreInstanceA(the_instance, "/a-dir", "/to/", NULL);
    return err;
}

/* As a restoring program does it: the database is put in its place, the logs stay where they are. */
static JET_ERR restore_stream(unsigned first, unsigned last)
{
    char from[] = "/a/a.edb";
    char to[] = "/to/a.edb";
    JET_RSTMAP_A map = {.szDatabaseName = from, .szNewDatabaseName = to};
    (void)EsentHostFileCopy("/a-stream/a.edb", "/to/a.edb");
    char checkpoint[] = "/to/";
    char logs[] = "/to/";
    char backup[] = "/a-stream/";
    JET_ERR err = JetExternalRestoreA(checkpoint, logs, &map, 1, backup, (int32_t)first, (int32_t)last, NULL);
    return err >= JET_errSuccess ? make_instance("to", "/to/") : err;
}

/* Reads every byte of every row: how many there are, or the code of the call that cannot give them. */
static int32_t read_rows(JET_SESID session, JET_DBID database)
{
    static char data[ROW_SIZE + 1];
    JET_TABLEID table;
    JET_COLUMNDEF column = {.cbStruct = sizeof column};
    uint32_t size = 0;
    int32_t count = 0;
    JET_ERR err = JetOpenTableA(session, database, "t", NULL, 0, 0, &table);
    if (err >= JET_errSuccess)
        err = JetGetTableColumnInfoA(session, table, "data", &column, sizeof column, JET_ColInfo);
    if (err >= JET_errSuccess)
        err = JetMove(session, table, (int32_t)JET_MoveFirst, 0);
    while (err >= JET_errSuccess) {
        err = JetRetrieveColumn(session, table, column.columnid, data, sizeof data, &size, 0, NULL);
        if (err < JET_errSuccess)
            break;
        assert_int_equal(size, ROW_SIZE);
        count++;
        err = JetMove(session, table, JET_MoveNext, 0);
    }
    return err == JET_errNoCurrentRecord ? count : err;
}

/* What a restored database gives: as above. `check`: nothing in it may be out of order either. */
static int32_t use_database(bool check)
{
    JET_SESID session;
    JET_DBID database;
    JET_ERR err = JetInit(&the_instance);
    if (err < JET_errSuccess)
        return err;
    OK(JetBeginSessionA(the_instance, &session, NULL, NULL));
    err = JetAttachDatabaseA(session, "/to/a.edb", 0);
    if (err >= JET_errSuccess)
        err = JetOpenDatabaseA(session, "/to/a.edb", NULL, &database, 0);
    const int32_t count = err >= JET_errSuccess ? read_rows(session, database) : err;
    OK(JetTerm2(the_instance, JET_bitTermComplete));
    if (check && count >= 0)
        OK(EsentHostCheckDatabase("/to/a.edb", NULL, NULL));
    return count;
}

/* --- the table --- */

enum place { DATABASE, PATCH, FIRST_LOG, MIDDLE_LOG, LAST_LOG, PLACES };

static const char *const place_names[] = {"database", "patch file", "first log", "middle log", "last log"};
static const char *const damage_names[] = {"nothing",  "missing",   "empty",     "half",
                                           "last cut", "one bit",   "many bits", "header bit",
                                           "headers",  "last bits", "foreign",   "swapped"};

#define NONE 1 /* no such case */

struct damage_row {
    enum damage kind;
    JET_ERR directory[PLACES];
    JET_ERR stream[PLACES];
};

/* Database, patch file, first, middle, last log. */
static const struct damage_row rows[] = {
    {NOTHING, {0, NONE, NONE, NONE, NONE}, {0, NONE, NONE, NONE, NONE}},
    {MISSING, {-1216, -538, -543, -1811, -543}, {-1811, NONE, -1811, -1811, -1811}},
    {EMPTY, {-1206, 0, -4001, -4001, -4001}, {-1206, NONE, -4001, -4001, -4001}},
    {HALF, {-535, NONE, -541, -541, -541}, {-535, NONE, -541, -541, -541}},
    {LAST_CUT, {-535, NONE, -541, -541, -541}, {-535, NONE, -541, -541, -541}},
    {ONE_BIT, {0, NONE, 0, 0, 0}, {0, NONE, 0, 0, 0}},
    {MANY_BITS, {-1018, NONE, -573, -573, -573}, {-1018, NONE, -573, -573, -573}},
    {HEADER_BIT, {0, NONE, -501, -501, -501}, {0, NONE, -501, -501, -501}},
    {HEADERS_BITS, {-1206, NONE, NONE, NONE, NONE}, {-1206, NONE, NONE, NONE, NONE}},
    {LAST_BITS, {-535, NONE, 0, 0, 0}, {-535, NONE, 0, 0, 0}},
    {FOREIGN, {-552, NONE, -530, -530, -530}, {-552, NONE, -530, -530, -530}},
    {SWAPPED, {NONE, NONE, -556, -556, NONE}, {NONE, NONE, -556, -556, NONE}},
};

static void name_place(unsigned first, unsigned last, enum place place, char name[32], char next[32])
{
    const unsigned generation = place == FIRST_LOG ? first : place == MIDDLE_LOG ? (first + last) / 2 : last;
    if (place == DATABASE || place == PATCH)
        snprintf(name, 32, "%s", place == DATABASE ? "a.edb" : "a.pat");
    else
        snprintf(name, 32, "edb%05x.log", generation);
    snprintf(next, 32, "edb%05x.log", generation + 1);
}

static void try_case(const char *set, enum place place, enum damage kind, JET_ERR expected)
{
    char name[32];
    char next[32];
    char what[96];
    unsigned first, last;
    struct watched watched = {.count = 0};
    const bool directory = strcmp(set, "dir") == 0;
    const char *folder = directory ? "/a-dir" : "/a-stream";
    snprintf(what, sizeof what, "%s, %s, %s", set, place_names[place], damage_names[kind]);
    OK(EsentHostFilesRestore(1));
    OK(EsentHostDirectoryCreate("/to"));
    find_generations(folder, &first, &last);
    assert_true(last >= first + 3);
    name_place(first, last, place, name, next);
    damage(set, name, kind, next);
    watch(&watched, "/a", "a.edb");
    watch(&watched, "/a", "edb.log");
    watch(&watched, folder, "a.edb");
    watch(&watched, folder, "a.pat");
    for (unsigned i = first; i <= last + 1; i++) {
        snprintf(name, sizeof name, "edb%05x.log", i);
        watch(&watched, folder, name);
    }
    JET_ERR err = directory ? restore_directory() : restore_stream(first, last);
    /* Never silently short: what a good restore gives is everything, or an error where it is read. */
    if (err >= JET_errSuccess) {
        const int32_t count = use_database(place != DATABASE || kind == NOTHING);
        if (count >= 0 && count != (int32_t)ROWS)
            fail_msg("%s: %d rows", what, (int)count);
        err = count < 0 ? count : err;
    } else if (the_instance != JET_instanceNil) {
        (void)JetTerm2(the_instance, JET_bitTermAbrupt);
    }
    unchanged(&watched, what);
    if (err != expected)
        fail_msg("%s: %d, not %d", what, (int)err, (int)expected);
}

static void damaged_backups_are_noticed(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        for (int place = 0; place < PLACES; place++) {
            if (rows[i].directory[place] != NONE)
                try_case("dir", (enum place)place, rows[i].kind, rows[i].directory[place]);
            if (rows[i].stream[place] != NONE)
                try_case("stream", (enum place)place, rows[i].kind, rows[i].stream[place]);
        }
    }
}

/* --- a disk that is full, and stays so --- */

static uint64_t used_bytes(void)
{
    uint64_t used = 0;
    const uint64_t step = 64 << 10;
    /* The least capacity that takes one byte more. */
    for (uint64_t capacity = step;; capacity += step) {
        const uint8_t byte = 0;
        OK(EsentHostFilesSetCapacity(capacity));
        used = capacity;
        if (EsentHostFileWrite("/x", 0, &byte, 1) >= JET_errSuccess)
            break;
    }
    OK(EsentHostFilesSetCapacity(0));
    OK(EsentHostFileDelete("/x"));
    return used;
}

/* A restore onto a disk with some room: good and whole, or refused; the backup is as it was, and restores
 * when there is room. Returns whether it went well. */
static bool restore_into(uint64_t capacity, bool directory)
{
    unsigned first, last;
    char name[32];
    struct watched watched = {.count = 0};
    const char *folder = directory ? "/a-dir" : "/a-stream";
    OK(EsentHostFilesRestore(1));
    OK(EsentHostDirectoryCreate("/to"));
    find_generations(folder, &first, &last);
    watch(&watched, folder, "a.edb");
    for (unsigned i = first; i <= last; i++) {
        snprintf(name, sizeof name, "edb%05x.log", i);
        watch(&watched, folder, name);
    }
    OK(EsentHostFilesSetCapacity(capacity));
    const JET_ERR err = directory ? restore_directory() : restore_stream(first, last);
    OK(EsentHostFilesSetCapacity(0));
    unchanged(&watched, "full disk");
    if (err >= JET_errSuccess) {
        assert_int_equal(use_database(true), ROWS);
        return true;
    }
    if (the_instance != JET_instanceNil)
        (void)JetTerm2(the_instance, JET_bitTermAbrupt);
    OK(EsentHostDirectoryDelete("/to"));
    OK(EsentHostDirectoryCreate("/to"));
    assert_true((directory ? restore_directory() : restore_stream(first, last)) >= JET_errSuccess);
    assert_int_equal(use_database(true), ROWS);
    return false;
}

static void full_disks_are_noticed(void **state)
{
    (void)state;
    OK(EsentHostFilesRestore(1));
    const uint64_t used = used_bytes();
    for (int directory = 0; directory < 2; directory++) {
        unsigned refused = 0;
        for (uint64_t room = 0; !restore_into(used + room, directory != 0); room += 96 << 10)
            refused++;
        assert_true(refused > 3);
    }
}

/* A backup onto such a disk: good and whole, or refused; the database runs on. */
static void full_disks_refuse_backups(void **state)
{
    (void)state;
    OK(EsentHostFilesRestore(1));
    const uint64_t used = used_bytes();
    JET_ERR err = JET_errDiskFull;
    unsigned refused = 0;
    for (uint64_t room = 512 << 10; err < JET_errSuccess; room += 96 << 10) {
        JET_SESID session;
        JET_DBID database;
        OK(EsentHostFilesRestore(1));
        OK(make_instance("a", "/a/"));
        OK(JetInit(&the_instance));
        OK(JetBeginSessionA(the_instance, &session, NULL, NULL));
        OK(JetAttachDatabaseA(session, "/a/a.edb", 0));
        OK(JetOpenDatabaseA(session, "/a/a.edb", NULL, &database, 0));
        OK(EsentHostDirectoryCreate("/new"));
        OK(EsentHostFilesSetCapacity(used + room));
        err = JetBackupInstanceA(the_instance, "/new", 0, NULL);
        OK(EsentHostFilesSetCapacity(0));
        refused += err < JET_errSuccess ? 1 : 0;
        assert_int_equal(read_rows(session, database), ROWS);
        OK(JetTerm2(the_instance, JET_bitTermComplete));
        /* Where the log had no room the instance ended badly; the next start puts that right. */
        OK(make_instance("a", "/a/"));
        OK(JetInit(&the_instance));
        OK(JetTerm2(the_instance, JET_bitTermComplete));
        OK(EsentHostCheckDatabase("/a/a.edb", NULL, NULL));
    }
    assert_true(refused > 3);
    OK(EsentHostDirectoryCreate("/to"));
    OK(make_instance("to", "/to/"));
    OK(JetRestoreInstanceA(the_instance, "/new", "/to/", NULL));
    assert_int_equal(use_database(true), ROWS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(damaged_backups_are_noticed),
        cmocka_unit_test(full_disks_are_noticed),
        cmocka_unit_test(full_disks_refuse_backups),
    };
    return cmocka_run_group_tests(tests, make_world, end_world);
}
