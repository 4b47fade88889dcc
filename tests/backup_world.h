/* One instance in /a/ with the database /a/a.edb, files in memory, simulated time: where tests of backups
 * begin and end. */
#ifndef OPENESENT_TESTS_BACKUP_WORLD_H
#define OPENESENT_TESTS_BACKUP_WORLD_H

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

#define PAGE 4096u
#define BUFFER (1u << 18)
#define OK(call) assert_int_equal((call), JET_errSuccess)
#define IS(call, code) assert_int_equal((call), (code))

static JET_INSTANCE instance;
static JET_SESID session;
static JET_DBID database;
static _Alignas(PAGE) uint8_t buffer[BUFFER];

/* How simulated threads take turns. */
static struct ESENT_HOST_SIMULATION simulation = {.seed = 1};

static inline void world_instance(JET_INSTANCE *made, const char *name, const char *directory)
{
    OK(EsentHostDirectoryCreate(directory));
    *made = JET_instanceNil;
    OK(JetCreateInstanceA(made, name));
    OK(JetSetSystemParameterA(made, 0, JET_paramLogFilePath, 0, directory));
    OK(JetSetSystemParameterA(made, 0, JET_paramSystemPath, 0, directory));
    OK(JetSetSystemParameterA(made, 0, JET_paramTempPath, 0, directory));
    OK(JetSetSystemParameterA(made, 0, JET_paramLogFileSize, 512, NULL));
}

static inline void world_start(enum ESENT_HOST_PROFILE profile)
{
    (void)EsentHostReset(NULL, 0);
    OK(EsentHostUseMemoryFiles());
    OK(EsentHostUseSimulation(&simulation));
    OK(EsentHostSetProfile(profile));
    world_instance(&instance, "backup", "/a/");
    OK(JetInit(&instance));
    OK(JetBeginSessionA(instance, &session, NULL, NULL));
    OK(JetCreateDatabaseA(session, "/a/a.edb", NULL, &database, 0));
}

static inline void world_end(void)
{
    char report[500] = "";
    EsentHostFailNone();
    (void)JetTerm2(instance, JET_bitTermAbrupt | JET_bitTermStopBackup);
    const size_t left = EsentHostReset(report, sizeof report);
    if (left != 0)
        print_error("%s\n", report);
    assert_int_equal(left, 0);
    OK(EsentHostSetProfile(ESENT_HOST_DOCUMENTED));
}

static inline JET_ERR open_file(const char *name, JET_HANDLE *handle)
{
    uint32_t low, high;
    return JetOpenFileInstanceA(instance, name, handle, &low, &high);
}

static inline JET_ERR stream(const char *name)
{
    JET_HANDLE handle;
    uint32_t got;
    JET_ERR err = open_file(name, &handle);
    if (err < JET_errSuccess)
        return err;
    do {
        err = JetReadFileInstance(instance, handle, buffer, BUFFER, &got);
    } while (err == JET_errSuccess && got != 0);
    const JET_ERR closed = JetCloseFileInstance(instance, handle);
    return err < JET_errSuccess ? err : closed;
}

static inline void stream_logs(void)
{
    char list[4096];
    OK(JetGetLogInfoInstanceA(instance, list, sizeof list, NULL));
    for (const char *name = list; *name != 0; name += strlen(name) + 1)
        OK(stream(name));
}

/* New generations, which no database needs. */
static inline void roll_logs(int count)
{
    for (int i = 0; i < count; i++) {
        OK(JetBeginExternalBackupInstance(instance, 0));
        char list[4096];
        OK(JetGetLogInfoInstanceA(instance, list, sizeof list, NULL));
        OK(JetEndExternalBackupInstance2(instance, JET_bitBackupEndAbort));
    }
}

static inline void full_backup(void)
{
    OK(JetBeginExternalBackupInstance(instance, 0));
    OK(stream("/a/a.edb"));
    stream_logs();
    OK(JetTruncateLogInstance(instance));
    OK(JetEndExternalBackupInstance(instance));
}

static inline JET_DBINFOMISC4 header(void)
{
    JET_DBINFOMISC4 info;
    OK(JetGetDatabaseInfoA(session, database, &info, sizeof info, JET_DbInfoMisc));
    return info;
}

static inline bool exists(const char *path)
{
    struct ESENT_HOST_FILE_INFO info;
    return EsentHostFileInfo(path, &info) >= JET_errSuccess;
}

#endif
