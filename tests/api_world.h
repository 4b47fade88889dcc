/* One instance, one session, files in memory: where tests of single API calls begin and end. */
#ifndef OPENESENT_TESTS_API_WORLD_H
#define OPENESENT_TESTS_API_WORLD_H

#include <stdbool.h>
#include <stdio.h>

#include "include/esent.h"
#include "include/esent_host.h"

static JET_INSTANCE instance;
static JET_SESID session;

/* Starts them; `simulated`: under the seeded scheduler instead of real threads. */
static inline bool api_world_start(bool simulated)
{
    struct ESENT_HOST_SIMULATION simulation = {.seed = 1, .scheduler = ESENT_HOST_SCHEDULE_FIFO};
    (void)EsentHostReset(NULL, 0);
    if (EsentHostUseMemoryFiles() != JET_errSuccess ||
        (simulated && EsentHostUseSimulation(&simulation) != JET_errSuccess))
        return false;
    instance = JET_instanceNil;
    return JetCreateInstanceA(&instance, "a") == JET_errSuccess && JetInit(&instance) == JET_errSuccess &&
           JetBeginSessionA(instance, &session, NULL, NULL) == JET_errSuccess;
}

/* A test's teardown: ends them; anything left behind is a failure. */
static inline int api_world_end(void **state)
{
    char report[1000] = "";
    (void)state;
    JET_ERR err = JetTerm2(instance, JET_bitTermComplete);
    size_t leaks = EsentHostReset(report, sizeof(report));
    if (err != JET_errSuccess || leaks > 0)
        printf("term %d, left: %s\n", (int)err, report);
    return err == JET_errSuccess && leaks == 0 ? 0 : -1;
}

#endif
