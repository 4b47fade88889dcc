/* Logs, checkpoint and a database that a crash or an orderly end left, and starts that meet them changed. */
#ifndef OPENESENT_TESTS_RECOVERY_START_WORLD_H
#define OPENESENT_TESTS_RECOVERY_START_WORLD_H
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "include/esent.h"
#include "include/esent_host.h"
#include "src/log/checkpoint.h"
#include "src/log/log_reader.h"
#include "src/page/checksum.h"
#include "src/page/database_header.h"

#define OK(call) assert_int_equal((call), JET_errSuccess)
#define DATABASE "/a/a.edb"

static JET_INSTANCE instance;
static JET_SESID session;
static JET_TABLEID table;

/* How the next start is made. */
static struct {
    JET_GRBIT grbit;
    bool delete_logs, cleanup_logs;
    uint32_t log_size;
    const char *alternate;
    const char *from, *to; /* a map of one database */
    JET_LGPOS stop;
} with;

static inline void make_instance(void)
{
    OK(JetCreateInstanceA(&instance, "options"));
    OK(JetSetSystemParameterA(&instance, 0, JET_paramLogFilePath, 0, "/a/"));
    OK(JetSetSystemParameterA(&instance, 0, JET_paramSystemPath, 0, "/a/"));
    OK(JetSetSystemParameterA(&instance, 0, JET_paramTempPath, 0, "/a/"));
    if (with.log_size != 0)
        OK(JetSetSystemParameterA(&instance, 0, JET_paramLogFileSize, with.log_size, NULL));
    OK(JetSetSystemParameterA(&instance, 0, JET_paramCheckpointDepthMax, 20 << 20, NULL));
    OK(JetSetSystemParameterA(&instance, 0, JET_paramDeleteOutOfRangeLogs, with.delete_logs, NULL));
    OK(JetSetSystemParameterA(&instance, 0, JET_paramCleanupMismatchedLogFiles, with.cleanup_logs, NULL));
    OK(JetSetSystemParameterA(&instance, 0, JET_paramCircularLog, with.cleanup_logs, NULL));
    if (with.alternate != NULL)
        OK(JetSetSystemParameterA(&instance, 0, JET_paramAlternateDatabaseRecoveryPath, 0, with.alternate));
}

static inline JET_ERR start(void)
{
    JET_RSTMAP_A map = {.szDatabaseName = (char *)(uintptr_t)with.from,
                        .szNewDatabaseName = (char *)(uintptr_t)with.to};
    JET_RSTINFO_A info = {.cbStruct = sizeof info,
                          .rgrstmap = with.from != NULL ? &map : NULL,
                          .crstmap = with.from != NULL,
                          .lgposStop = with.stop};
    make_instance();
    return JetInit3A(&instance, with.from != NULL || with.stop.lGeneration != 0 ? &info : NULL, with.grbit);
}

static inline void add_row(void)
{
    OK(JetPrepareUpdate(session, table, JET_prepInsert));
    OK(JetUpdate(session, table, NULL, 0, NULL));
}

static inline void roll(void)
{
    char list[1000];
    OK(JetBeginExternalBackupInstance(instance, 0));
    OK(JetGetLogInfoInstanceA(instance, list, sizeof list, NULL));
    OK(JetEndExternalBackupInstance2(instance, JET_bitBackupEndAbort));
    EsentHostAdvanceClock(5000);
}

/* Logs 1 to 5 and the current one, each with a row, left by a crash (files 1) and by an orderly end (files
 * 2); and files 3: the database of when log 3 was the current one. */
#define ROWS 6u
static inline void make_world(void)
{
    const struct ESENT_HOST_SIMULATION simulation = {.seed = 1};
    JET_DBID database;
    (void)EsentHostReset(NULL, 0);
    OK(EsentHostUseMemoryFiles());
    OK(EsentHostUseSimulation(&simulation));
    OK(EsentHostDirectoryCreate("/a"));
    memset(&with, 0, sizeof with);
    with.log_size = 128;
    OK(start());
    OK(JetBeginSessionA(instance, &session, NULL, NULL));
    OK(JetCreateDatabaseA(session, DATABASE, NULL, &database, 0));
    OK(JetCreateTableA(session, database, "t", 1, 80, &table));
    for (unsigned i = 0; i < ROWS; i++) {
        add_row();
        if (i + 1 < ROWS)
            roll();
    }
    OK(JetCommitTransaction(session, JET_bitWaitAllLevel0Commit));
    EsentHostCrash();
    OK(EsentHostFilesSave(1));
    OK(start());
    OK(JetTerm2(instance, JET_bitTermComplete));
    OK(EsentHostFilesSave(2));
}

static inline void begin_case(uint32_t files)
{
    EsentHostCrash();
    OK(EsentHostFilesRestore(files));
    memset(&with, 0, sizeof with);
    with.log_size = 128;
}

static inline int rows(void)
{
    JET_DBID database;
    uint32_t count;
    OK(JetBeginSessionA(instance, &session, NULL, NULL));
    if (JetAttachDatabaseA(session, DATABASE, 0) < JET_errSuccess)
        return -1;
    OK(JetOpenDatabaseA(session, DATABASE, NULL, &database, 0));
    const JET_ERR err = JetOpenTableA(session, database, "t", NULL, 0, 0, &table);
    if (err == JET_errObjectNotFound)
        return -2;
    OK(err);
    OK(JetIndexRecordCount(session, table, &count, 0));
    return (int)count;
}

/* --- changes of files --- */

static _Alignas(4096) uint8_t bytes[4096];

static inline void read_first(const char *path)
{
    size_t done;
    OK(EsentHostFileRead(path, 0, bytes, sizeof bytes, &done));
}

static inline void write_first(const char *path)
{
    checksum_header_set(bytes, sizeof bytes);
    OK(EsentHostFileWrite(path, 0, bytes, sizeof bytes));
}

static inline void change(const char *path, size_t offset)
{
    read_first(path);
    bytes[offset] ^= 1;
    write_first(path);
}

/* Both copies of a database's header. */
static inline void write_header(const struct database_header *header)
{
    memcpy(bytes, header, sizeof *header);
    checksum_header_set(bytes, sizeof bytes);
    OK(EsentHostFileWrite(DATABASE, 0, bytes, sizeof bytes));
    OK(EsentHostFileWrite(DATABASE, 4096, bytes, sizeof bytes));
}

static inline struct database_header read_header(void)
{
    struct database_header header;
    read_first(DATABASE);
    memcpy(&header, bytes, sizeof header);
    return header;
}

static inline void remove_file(const char *path)
{
    OK(EsentHostFileDelete(path));
}

#endif
