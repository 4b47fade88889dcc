/* Instances in directories of their own, on files in memory. Include after cmocka.h. */
#ifndef OPENESENT_TESTS_INSTANCE_WORLD_H
#define OPENESENT_TESTS_INSTANCE_WORLD_H

#include <string.h>

#include "include/esent.h"
#include "include/esent_host.h"
#include "tests/api_cases.h"

#define PAGE 4096u

static JET_INSTANCE instance;
static JET_SESID session;
static JET_DBID database;
static JET_TABLEID table;

static inline int setup(void **state)
{
    struct ESENT_HOST_SIMULATION simulation = {.seed = 1, .scheduler = ESENT_HOST_SCHEDULE_FIFO};
    (void)state;
    (void)EsentHostReset(NULL, 0);
    cases_wrong = 0;
    instance = JET_instanceNil;
    return EsentHostUseMemoryFiles() == JET_errSuccess &&
                   EsentHostUseSimulation(&simulation) == JET_errSuccess &&
                   EsentHostDirectoryCreate("a") == JET_errSuccess &&
                   EsentHostDirectoryCreate("b") == JET_errSuccess &&
                   JetSetSystemParameterA(NULL, JET_sesidNil, JET_paramDatabasePageSize, PAGE, NULL) ==
                       JET_errSuccess
               ? 0
               : -1;
}

static inline int teardown(void **state)
{
    char report[1000] = "";
    (void)state;
    size_t leaks = EsentHostReset(report, sizeof(report));
    if (leaks > 0)
        print_message("left behind: %s\n", report);
    return leaks == 0 ? 0 : -1;
}

static inline JET_INSTANCE make(const char *name, const char *directory)
{
    JET_INSTANCE made = JET_instanceNil;
    EXPECT(JET_errSuccess, JetCreateInstanceA(&made, name));
    EXPECT(JET_errSuccess, JetSetSystemParameterA(&made, JET_sesidNil, JET_paramLogFilePath, 0, directory));
    EXPECT(JET_errSuccess, JetSetSystemParameterA(&made, JET_sesidNil, JET_paramSystemPath, 0, directory));
    EXPECT(JET_errSuccess, JetSetSystemParameterA(&made, JET_sesidNil, JET_paramTempPath, 0, directory));
    EXPECT(JET_errSuccess, JetSetSystemParameterA(&made, JET_sesidNil, JET_paramLogFileSize, 128, NULL));
    return made;
}

static inline void start(void)
{
    EXPECT(JET_errSuccess, JetInit(&instance));
    EXPECT(JET_errSuccess, JetBeginSessionA(instance, &session, NULL, NULL));
}

static inline void begin(void)
{
    instance = make("a", "a/");
    start();
}

static inline void begin_with_database(void)
{
    begin();
    EXPECT(JET_errSuccess, JetCreateDatabaseA(session, "a/x.edb", NULL, &database, 0));
}

static inline void end(void)
{
    EXPECT(JET_errSuccess, JetTerm2(instance, JET_bitTermComplete));
}

static inline void make_table(const char *name, int column_count)
{
    JET_COLUMNDEF definition = {.cbStruct = sizeof(definition), .coltyp = JET_coltypLong};
    char column[] = "c00";
    EXPECT(JET_errSuccess, JetCreateTableA(session, database, name, 0, 80, &table));
    for (int i = 0; i < column_count; i++) {
        column[1] = (char)('0' + i / 10);
        column[2] = (char)('0' + i % 10);
        EXPECT(JET_errSuccess, JetAddColumnA(session, table, column, &definition, NULL, 0, NULL));
    }
}

#endif
