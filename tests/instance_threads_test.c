/* Sessions and instances under real threads: calls from several threads against stop service and term. For
 * the thread sanitizer above all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "include/esent.h"
#include "include/esent_host.h"

#define THREADS 4

static JET_INSTANCE the_instance;
static JET_SESID shared_session;
static atomic_int unexpected;
static atomic_int rounds;
static atomic_bool go_on;

static int setup(void **state)
{
    (void)state;
    (void)EsentHostReset(NULL, 0);
    if (EsentHostUseMemoryFiles() != JET_errSuccess || EsentHostUseThreads() != JET_errSuccess)
        return -1;
    atomic_store(&unexpected, 0);
    atomic_store(&rounds, 0);
    atomic_store(&go_on, true);
    return EsentHostDirectoryCreate("a") == JET_errSuccess ? 0 : -1;
}

static int teardown(void **state)
{
    char report[1000] = "";
    (void)state;
    size_t left = EsentHostReset(report, sizeof(report));
    if (left > 0)
        print_message("left: %s\n", report);
    return left == 0 ? 0 : -1;
}

static void start_instance(void)
{
    the_instance = JET_instanceNil;
    assert_int_equal(JetCreateInstanceA(&the_instance, "a"), JET_errSuccess);
    assert_int_equal(JetSetSystemParameterA(&the_instance, JET_sesidNil, JET_paramLogFilePath, 0, "a/"), 0);
    assert_int_equal(JetSetSystemParameterA(&the_instance, JET_sesidNil, JET_paramSystemPath, 0, "a/"), 0);
    assert_int_equal(JetSetSystemParameterA(&the_instance, JET_sesidNil, JET_paramTempPath, 0, "a/"), 0);
    assert_int_equal(JetSetSystemParameterA(&the_instance, JET_sesidNil, JET_paramLogFileSize, 128, NULL), 0);
    assert_int_equal(JetInit(&the_instance), JET_errSuccess);
}

/* What a call may answer around a stop or an end. */
static bool is_ending(JET_ERR err)
{
    return err == JET_errTermInProgress || err == JET_errClientRequestToStopJetService ||
           err == JET_errInvalidParameter || err == JET_errInvalidSesid || err == JET_errNotInitialized;
}

static void expect(JET_ERR err)
{
    if (err < JET_errSuccess && !is_ending(err)) {
        print_message("unexpected answer %d\n", (int)err);
        atomic_fetch_add(&unexpected, 1);
    }
}

/* Begins and ends sessions until the instance has gone. */
static void begin_and_end(void *context)
{
    (void)context;
    for (;;) {
        JET_SESID session;
        uint32_t version;
        JET_ERR err = JetBeginSessionA(the_instance, &session, NULL, NULL);
        expect(err);
        if (err < JET_errSuccess)
            return;
        for (int i = 0; i < 10; i++)
            expect(JetGetVersion(session, &version));
        expect(JetEndSession(session, 0));
        atomic_fetch_add(&rounds, 1);
    }
}

static void run_threads(void (*function)(void *context), struct ESENT_HOST_THREAD *threads[THREADS])
{
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(EsentHostThreadStart(function, NULL, &threads[i]), JET_errSuccess);
}

static void join_threads(struct ESENT_HOST_THREAD *threads[THREADS])
{
    for (int i = 0; i < THREADS; i++)
        EsentHostThreadJoin(threads[i]);
}

static void term_waits_for_calls_and_refuses_new_ones(void **state)
{
    (void)state;
    for (int i = 0; i < 10; i++) {
        struct ESENT_HOST_THREAD *threads[THREADS];
        start_instance();
        atomic_store(&rounds, 0);
        run_threads(begin_and_end, threads);
        while (atomic_load(&rounds) < 20)
            EsentHostSleep(1);
        assert_int_equal(JetTerm2(the_instance, JET_bitTermComplete), JET_errSuccess);
        join_threads(threads);
        assert_int_equal(atomic_load(&unexpected), 0);
    }
}

static void stop_service_ends_the_traffic(void **state)
{
    (void)state;
    struct ESENT_HOST_THREAD *threads[THREADS];
    start_instance();
    run_threads(begin_and_end, threads);
    while (atomic_load(&rounds) < 20)
        EsentHostSleep(1);
    assert_int_equal(JetStopServiceInstance(the_instance), JET_errSuccess);
    join_threads(threads);
    assert_int_equal(atomic_load(&unexpected), 0);
    assert_int_equal(JetTerm2(the_instance, JET_bitTermComplete), JET_errSuccess);
}

/* One session, many threads: each call is answered, or refused because another thread is inside. */
static void share_a_session(void *context)
{
    (void)context;
    while (atomic_load(&go_on)) {
        uint32_t version;
        JET_ERR err = JetGetVersion(shared_session, &version);
        if (err != JET_errSuccess && err != JET_errSessionSharingViolation)
            atomic_fetch_add(&unexpected, 1);
        atomic_fetch_add(&rounds, 1);
    }
}

static void sharing_a_session_is_refused_not_fatal(void **state)
{
    (void)state;
    struct ESENT_HOST_THREAD *threads[THREADS];
    start_instance();
    assert_int_equal(JetBeginSessionA(the_instance, &shared_session, NULL, NULL), JET_errSuccess);
    run_threads(share_a_session, threads);
    while (atomic_load(&rounds) < 20000)
        EsentHostSleep(1);
    atomic_store(&go_on, false);
    join_threads(threads);
    assert_int_equal(atomic_load(&unexpected), 0);
    assert_int_equal(JetTerm2(the_instance, JET_bitTermComplete), JET_errSuccess);
}

/* Instances come and go beside each other. */
static void own_instance(void *context)
{
    char name[16];
    char path[32];
    int number = atomic_fetch_add(&rounds, 1);
    (void)context;
    (void)snprintf(name, sizeof(name), "i%d", number);
    (void)snprintf(path, sizeof(path), "i%d/", number);
    if (EsentHostDirectoryCreate(path) != JET_errSuccess)
        atomic_fetch_add(&unexpected, 1);
    for (int i = 0; i < 5; i++) {
        JET_INSTANCE instance = JET_instanceNil;
        JET_SESID session;
        JET_DBID id;
        char file[48];
        (void)snprintf(file, sizeof(file), "i%d/x%d.edb", number, i);
        bool good = JetCreateInstanceA(&instance, name) == JET_errSuccess &&
                    JetSetSystemParameterA(&instance, JET_sesidNil, JET_paramLogFilePath, 0, path) == 0 &&
                    JetSetSystemParameterA(&instance, JET_sesidNil, JET_paramSystemPath, 0, path) == 0 &&
                    JetSetSystemParameterA(&instance, JET_sesidNil, JET_paramTempPath, 0, path) == 0 &&
                    JetSetSystemParameterA(&instance, JET_sesidNil, JET_paramLogFileSize, 128, NULL) == 0 &&
                    JetInit(&instance) == JET_errSuccess &&
                    JetBeginSessionA(instance, &session, NULL, NULL) == JET_errSuccess &&
                    JetCreateDatabaseA(session, file, NULL, &id, 0) == JET_errSuccess &&
                    JetTerm2(instance, JET_bitTermComplete) == JET_errSuccess;
        if (!good)
            atomic_fetch_add(&unexpected, 1);
    }
}

static void instances_do_not_disturb_each_other(void **state)
{
    (void)state;
    struct ESENT_HOST_THREAD *threads[THREADS];
    run_threads(own_instance, threads);
    join_threads(threads);
    assert_int_equal(atomic_load(&unexpected), 0);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(term_waits_for_calls_and_refuses_new_ones, setup, teardown),
        cmocka_unit_test_setup_teardown(stop_service_ends_the_traffic, setup, teardown),
        cmocka_unit_test_setup_teardown(sharing_a_session_is_refused_not_fatal, setup, teardown),
        cmocka_unit_test_setup_teardown(instances_do_not_disturb_each_other, setup, teardown),
    };
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
