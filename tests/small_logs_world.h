/* An instance with logs of 128 KiB, rows in a table of it, and logs that end when a test says so. Include
 * after cmocka.h. */
#ifndef OPENESENT_TESTS_SMALL_LOGS_WORLD_H
#define OPENESENT_TESTS_SMALL_LOGS_WORLD_H

#include "include/esent.h"
#include "include/esent_host.h"

#define OK(call) assert_int_equal((call), JET_errSuccess)

static JET_INSTANCE instance;
static JET_SESID session;
static JET_TABLEID table;

static inline void make_instance_in(const char *name, const char *folder)
{
    OK(JetCreateInstanceA(&instance, name));
    OK(JetSetSystemParameterA(&instance, 0, JET_paramLogFilePath, 0, folder));
    OK(JetSetSystemParameterA(&instance, 0, JET_paramSystemPath, 0, folder));
    OK(JetSetSystemParameterA(&instance, 0, JET_paramTempPath, 0, folder));
    OK(JetSetSystemParameterA(&instance, 0, JET_paramLogFileSize, 128, NULL));
}

static inline void make_instance(void)
{
    make_instance_in("small logs", "/a/");
}

static inline void add_row(void)
{
    OK(JetPrepareUpdate(session, table, JET_prepInsert));
    OK(JetUpdate(session, table, NULL, 0, NULL));
}

/* Ends the log, and lets time pass. */
static inline void roll(void)
{
    char list[1000];
    OK(JetBeginExternalBackupInstance(instance, 0));
    OK(JetGetLogInfoInstanceA(instance, list, sizeof list, NULL));
    OK(JetEndExternalBackupInstance2(instance, JET_bitBackupEndAbort));
    EsentHostAdvanceClock(5000);
}

#endif
