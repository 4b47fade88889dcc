#include "bench/database.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static double seconds_of(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

double bench_processor_seconds(void)
{
    return seconds_of(CLOCK_PROCESS_CPUTIME_ID);
}

double bench_wall_seconds(void)
{
    return seconds_of(CLOCK_MONOTONIC);
}

void bench_need(JET_ERR err, const char *call)
{
    if (err >= JET_errSuccess)
        return;
    fprintf(stderr, "bench: %s answered %d\n", call, (int)err);
    exit(1);
}

void bench_create(struct bench_database *database, const char *folder)
{
    char path[512];
    memset(database, 0, sizeof *database);
    bench_need(JetCreateInstanceA(&database->instance, folder), "JetCreateInstance");
    snprintf(path, sizeof path, "%s/", folder);
    static const uint32_t paths[] = {JET_paramLogFilePath, JET_paramSystemPath, JET_paramTempPath};
    bench_need(
        JetSetSystemParameterA(&database->instance, JET_sesidNil, JET_paramCreatePathIfNotExist, 1, NULL),
        "JetSetSystemParameter");
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++)
        bench_need(JetSetSystemParameterA(&database->instance, JET_sesidNil, paths[i], 0, path),
                   "JetSetSystemParameter");
    bench_need(JetInit(&database->instance), "JetInit");
    bench_need(JetBeginSessionA(database->instance, &database->session, NULL, NULL), "JetBeginSession");
    snprintf(path, sizeof path, "%s/a.edb", folder);
    bench_need(JetCreateDatabaseA(database->session, path, NULL, &database->database, 0),
               "JetCreateDatabase");
    bench_need(JetBeginTransaction(database->session), "JetBeginTransaction");
    bench_need(JetCreateTableA(database->session, database->database, "t", 1, 100, &database->table),
               "JetCreateTable");
    JET_COLUMNDEF column = {.cbStruct = sizeof column, .coltyp = JET_coltypLong};
    bench_need(JetAddColumnA(database->session, database->table, "id", &column, NULL, 0, &database->id),
               "JetAddColumn");
    column.coltyp = JET_coltypLongBinary;
    bench_need(JetAddColumnA(database->session, database->table, "data", &column, NULL, 0, &database->data),
               "JetAddColumn");
    bench_need(
        JetCreateIndexA(database->session, database->table, "pk", JET_bitIndexPrimary, "+id\0", 5, 100),
        "JetCreateIndex");
    bench_need(JetCommitTransaction(database->session, 0), "JetCommitTransaction");
}

void bench_insert(struct bench_database *database, unsigned first, unsigned count, size_t size,
                  unsigned batch)
{
    char *data = malloc(size + 1);
    if (data == NULL)
        bench_need(JET_errOutOfMemory, "malloc");
    for (unsigned i = 0; i < count; i++) {
        int32_t id = (int32_t)(first + i);
        memset(data, (int)(i * 7 + 1), size);
        if (i % batch == 0)
            bench_need(JetBeginTransaction(database->session), "JetBeginTransaction");
        bench_need(JetPrepareUpdate(database->session, database->table, JET_prepInsert), "JetPrepareUpdate");
        bench_need(JetSetColumn(database->session, database->table, database->id, &id, sizeof id, 0, NULL),
                   "JetSetColumn");
        bench_need(
            JetSetColumn(database->session, database->table, database->data, data, (uint32_t)size, 0, NULL),
            "JetSetColumn");
        bench_need(JetUpdate(database->session, database->table, NULL, 0, NULL), "JetUpdate");
        if (i % batch == batch - 1 || i == count - 1)
            bench_need(JetCommitTransaction(database->session, 0), "JetCommitTransaction");
    }
    free(data);
}

uint64_t bench_stream(struct bench_database *database, const char *path, size_t chunk,
                      void (*write)(void *context, const void *bytes, size_t size), void *context)
{
    JET_HANDLE file;
    uint32_t low = 0;
    uint32_t high = 0;
    uint32_t got = 0;
    uint64_t total = 0;
    void *buffer = aligned_alloc(65536, chunk);
    if (buffer == NULL)
        bench_need(JET_errOutOfMemory, "aligned_alloc");
    bench_need(JetOpenFileInstanceA(database->instance, path, &file, &low, &high), "JetOpenFileInstance");
    do {
        bench_need(JetReadFileInstance(database->instance, file, buffer, (uint32_t)chunk, &got),
                   "JetReadFileInstance");
        if (write != NULL && got > 0)
            write(context, buffer, got);
        total += got;
    } while (got > 0);
    bench_need(JetCloseFileInstance(database->instance, file), "JetCloseFileInstance");
    free(buffer);
    return total;
}

uint64_t bench_backup(struct bench_database *database, const char *folder, size_t chunk)
{
    static char list[65536];
    char path[512];
    uint32_t size = 0;
    bench_need(JetBeginExternalBackupInstance(database->instance, 0), "JetBeginExternalBackupInstance");
    bench_need(JetGetAttachInfoInstanceA(database->instance, list, sizeof list, &size),
               "JetGetAttachInfoInstance");
    snprintf(path, sizeof path, "%s/a.edb", folder);
    uint64_t bytes = bench_stream(database, path, chunk, NULL, NULL);
    bench_need(JetGetLogInfoInstanceA(database->instance, list, sizeof list, &size), "JetGetLogInfoInstance");
    for (const char *log = list; *log != '\0'; log += strlen(log) + 1)
        bytes += bench_stream(database, log, chunk, NULL, NULL);
    bench_need(JetTruncateLogInstance(database->instance), "JetTruncateLogInstance");
    bench_need(JetEndExternalBackupInstance(database->instance), "JetEndExternalBackupInstance");
    return bytes;
}

void bench_term(struct bench_database *database)
{
    bench_need(JetEndSession(database->session, 0), "JetEndSession");
    bench_need(JetTerm2(database->instance, JET_bitTermComplete), "JetTerm2");
}
