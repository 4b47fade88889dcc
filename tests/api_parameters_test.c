/* System parameters through the API: which are whose, what each kind answers when read and written, in either
 * kind of text; the comparison of a second JetEnableMultiInstance; texts of errors. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/api_cases.h"
#include "tests/api_world.h"

#define BAD_TEXT ((char *)(uintptr_t) "a\xff")  /* not UTF-8 */
#define BAD_WIDE ((WCHAR *)(uintptr_t)bad_wide) /* a lone low surrogate */
#define TEXT(text) ((char *)(uintptr_t)(text))

static const WCHAR bad_wide[] = {'a', 0xdc00, 'b', 0};

static int setup(void **state)
{
    (void)state;
    return api_world_start(true) ? 0 : -1;
}

static int setup_nothing(void **state)
{
    (void)state;
    (void)EsentHostReset(NULL, 0);
    return EsentHostUseMemoryFiles() == JET_errSuccess ? 0 : -1;
}

static int teardown_nothing(void **state)
{
    (void)state;
    return EsentHostReset(NULL, 0) == 0 ? 0 : -1;
}

static uint64_t number(uint32_t parameter)
{
    JET_API_PTR value = 0xabab;
    EXPECT(JET_errSuccess, JetGetSystemParameterA(instance, JET_sesidNil, parameter, &value, NULL, 0));
    return value;
}

/* --- whose --- */

static void targets(void **state)
{
    (void)state;
    JET_API_PTR value = 0;
    JET_INSTANCE wrong = 12345;
    JET_INSTANCE none = 0;
    JET_INSTANCE nil = JET_instanceNil;
    const uint32_t depth = JET_paramCheckpointDepthMax;
    EXPECT(JET_errInvalidSesid, JetGetSystemParameterA(instance, 12345, depth, &value, NULL, 0));
    EXPECT(JET_errInvalidSesid, JetSetSystemParameterA(&instance, 12345, depth, 1, NULL));
    EXPECT(JET_errInvalidParameter, JetGetSystemParameterA(wrong, JET_sesidNil, depth, &value, NULL, 0));
    EXPECT(JET_errInvalidParameter, JetSetSystemParameterA(&wrong, JET_sesidNil, depth, 1, NULL));
    /* The session's instance, whatever the handle says. */
    EXPECT(JET_errSuccess, JetSetSystemParameterA(&wrong, session, depth, 111111, NULL));
    EXPECT_EQUAL(111111, number(depth));
    /* None is the process: what new instances get. */
    EXPECT(JET_errSuccess, JetSetSystemParameterA(NULL, 0, depth, 222222, NULL));
    EXPECT(JET_errSuccess, JetSetSystemParameterA(&none, JET_sesidNil, depth, 222223, NULL));
    EXPECT(JET_errSuccess, JetSetSystemParameterA(&nil, JET_sesidNil, depth, 222224, NULL));
    EXPECT_EQUAL(111111, number(depth));
    EXPECT(JET_errSuccess, JetGetSystemParameterA(0, 0, depth, &value, NULL, 0));
    EXPECT_EQUAL(222224, value);
    EXPECT(JET_errSuccess, JetGetSystemParameterA(nil, 0, depth, &value, NULL, 0));
    EXPECT_EQUAL(222224, value);
    cases_end();
}

/* --- numbers --- */

static void numbers(void **state)
{
    (void)state;
    EXPECT(JET_errInvalidParameter,
           JetGetSystemParameterA(instance, JET_sesidNil, JET_paramLogFileSize, NULL, NULL, 0));
    JET_API_PTR value;
    EXPECT(JET_errInvalidParameter, JetGetSystemParameterA(instance, JET_sesidNil, 185, &value, NULL, 0));
    EXPECT(JET_errInvalidParameter, JetGetSystemParameterA(instance, JET_sesidNil, 9999, &value, NULL, 0));
    EXPECT(JET_errInvalidParameter, JetSetSystemParameterA(&instance, JET_sesidNil, 9999, 1, NULL));
    EXPECT_EQUAL(JET_efvExchange2016Cu1Rtm | JET_efvAllowHigherPersistedFormat,
                 number(JET_paramEngineFormatVersion));
    /* The default is told as what it stands for. */
    EXPECT(JET_errSuccess, JetGetSystemParameterA(0, 0, JET_paramEngineFormatVersion, &value, NULL, 0));
    EXPECT_EQUAL(JET_efvExchange2016Cu1Rtm, value);
    cases_end();
}

/* What the page size decides. */
static void sizes_by_page(void **state)
{
    (void)state;
    static const struct {
        uint64_t page;
        uint64_t key;
        uint64_t chunk;
    } rows[] = {
        {2048, JET_cbKeyMost2KBytePage, 2048 - JET_cbColumnLVPageOverhead},
        {4096, JET_cbKeyMost4KBytePage, 4096 - JET_cbColumnLVPageOverhead},
        {8192, JET_cbKeyMost8KBytePage, 8192 - JET_cbColumnLVPageOverhead},
        {16384, JET_cbKeyMost16KBytePage, 4050},
        {32768, JET_cbKeyMost32KBytePage, 8150},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        JET_API_PTR value = 0;
        EXPECT(JET_errSuccess,
               JetSetSystemParameterA(NULL, JET_sesidNil, JET_paramDatabasePageSize, rows[i].page, NULL));
        EXPECT(JET_errSuccess, JetGetSystemParameterA(0, JET_sesidNil, JET_paramKeyMost, &value, NULL, 0));
        EXPECT_EQUAL(rows[i].key, value);
        EXPECT(JET_errSuccess,
               JetGetSystemParameterA(0, JET_sesidNil, JET_paramLVChunkSizeMost, &value, NULL, 0));
        EXPECT_EQUAL(rows[i].chunk, value);
    }
    cases_end();
}

/* --- texts --- */

static void texts(void **state)
{
    (void)state;
    char text[300];
    WCHAR wide[300];
    const uint32_t base = JET_paramBaseName;
    EXPECT(JET_errSuccess, JetGetSystemParameterA(instance, JET_sesidNil, base, NULL, text, 4));
    assert_string_equal(text, "edb");
    EXPECT(JET_errBufferTooSmall, JetGetSystemParameterA(instance, JET_sesidNil, base, NULL, text, 3));
    assert_string_equal(text, "ed");
    EXPECT(JET_errInvalidParameter, JetGetSystemParameterA(instance, JET_sesidNil, base, NULL, text, 0));
    EXPECT(JET_errInvalidParameter, JetGetSystemParameterA(instance, JET_sesidNil, base, NULL, NULL, 4));
    EXPECT(JET_errSuccess, JetGetSystemParameterW(instance, JET_sesidNil, base, NULL, wide, 8));
    EXPECT_EQUAL('b', wide[2]);
    EXPECT(JET_errBufferTooSmall, JetGetSystemParameterW(instance, JET_sesidNil, base, NULL, wide, 7));
    EXPECT_EQUAL(0, wide[2]);
    EXPECT(JET_errInvalidParameter, JetGetSystemParameterW(instance, JET_sesidNil, base, NULL, wide, 1));
    EXPECT(JET_errInvalidParameter, JetGetSystemParameterW(instance, JET_sesidNil, base, NULL, NULL, 8));
    /* Each kind of text. */
    JET_INSTANCE other = JET_instanceNil;
    EXPECT(JET_errSuccess, JetCreateInstanceA(&other, "b"));
    static const WCHAR name[] = {'n', 'e', 'w', 0};
    EXPECT(JET_errSuccess,
           JetGetSystemParameterA(other, JET_sesidNil, JET_paramLogFilePath, NULL, text, 300));
    EXPECT(JET_errSuccess, JetGetSystemParameterA(other, JET_sesidNil, JET_paramTempPath, NULL, text, 300));
    EXPECT(JET_errSuccess, JetSetSystemParameterW(&other, JET_sesidNil, JET_paramEventSourceKey, 0, name));
    EXPECT(JET_errSuccess,
           JetGetSystemParameterA(other, JET_sesidNil, JET_paramEventSourceKey, NULL, text, 300));
    assert_string_equal(text, "new");
    EXPECT(JET_errInvalidParameter,
           JetSetSystemParameterA(&other, JET_sesidNil, JET_paramEventSourceKey, 0, BAD_TEXT));
    EXPECT(JET_errInvalidParameter,
           JetSetSystemParameterW(&other, JET_sesidNil, JET_paramEventSourceKey, 0, BAD_WIDE));
    EXPECT(JET_errSuccess, JetTerm(other));
    cases_end();
}

/* --- those of sessions --- */

static void of_sessions(void **state)
{
    (void)state;
    JET_API_PTR value = 7;
    const uint32_t level = JET_paramTransactionLevel;
    const uint32_t commit = JET_paramCommitDefault;
    EXPECT(JET_errInvalidParameter, JetGetSystemParameterA(instance, 0, level, &value, NULL, 0));
    EXPECT(JET_errInvalidParameter, JetGetSystemParameterA(instance, JET_sesidNil, level, &value, NULL, 0));
    EXPECT(JET_errInvalidParameter, JetGetSystemParameterA(instance, session, level, NULL, NULL, 0));
    EXPECT(JET_errInvalidSesid, JetGetSystemParameterA(instance, 12345, level, &value, NULL, 0));
    EXPECT(JET_errSuccess, JetBeginTransaction(session));
    EXPECT(JET_errSuccess, JetGetSystemParameterA(instance, session, level, &value, NULL, 0));
    EXPECT_EQUAL(1, value);
    EXPECT(JET_errSuccess, JetCommitTransaction(session, 0));
    /* The default of a commit: the session's, if one is named. */
    EXPECT(JET_errSuccess, JetSetSystemParameterA(&instance, session, commit, JET_bitCommitLazyFlush, NULL));
    EXPECT(JET_errInvalidParameter, JetSetSystemParameterA(&instance, session, commit, 0x100000, NULL));
    EXPECT(JET_errSuccess, JetGetSystemParameterA(instance, session, commit, &value, NULL, 0));
    EXPECT_EQUAL(JET_bitCommitLazyFlush, value);
    EXPECT(JET_errInvalidParameter, JetGetSystemParameterA(instance, session, commit, NULL, NULL, 0));
    EXPECT(JET_errSuccess, JetGetSystemParameterA(instance, 0, commit, &value, NULL, 0));
    EXPECT_EQUAL(0, value);
    EXPECT(JET_errSuccess, JetGetSystemParameterA(instance, JET_sesidNil, commit, &value, NULL, 0));
    EXPECT_EQUAL(0, value);
    EXPECT(JET_errSuccess,
           JetSetSystemParameterA(&instance, JET_sesidNil, commit, JET_bitWaitLastLevel0Commit, NULL));
    EXPECT(JET_errSuccess, JetSetSystemParameterA(&instance, 0, commit, JET_bitWaitLastLevel0Commit, NULL));
    EXPECT(JET_errInvalidParameter, JetSetSystemParameterA(&instance, 0, commit, 0x100000, NULL));
    EXPECT(JET_errSuccess, JetGetSystemParameterA(instance, 0, commit, &value, NULL, 0));
    EXPECT_EQUAL(JET_bitWaitLastLevel0Commit, value);
    EXPECT(JET_errInvalidSesid, JetSetSystemParameterA(&instance, 12345, commit, 0, NULL));
    EXPECT(JET_errInvalidSesid, JetGetSystemParameterA(instance, 12345, commit, &value, NULL, 0));
    cases_end();
}

/* A session is in use by one thread at a time, for this as well. */
static JET_ERR answer_of_other_thread;

static void set_default(void *unused)
{
    (void)unused;
    answer_of_other_thread = JetSetSystemParameterA(&instance, session, JET_paramCommitDefault, 0, NULL);
}

static JET_ERR JET_API while_compacting(JET_SESID sesid, JET_SNP snp, JET_SNT snt, void *progress)
{
    struct ESENT_HOST_THREAD *thread;
    (void)sesid, (void)snp, (void)snt, (void)progress;
    if (answer_of_other_thread == 1) {
        EXPECT(JET_errSuccess, EsentHostThreadStart(set_default, NULL, &thread));
        EsentHostThreadJoin(thread);
    }
    return JET_errSuccess;
}

static void of_a_session_in_use(void **state)
{
    (void)state;
    JET_DBID database;
    answer_of_other_thread = 1;
    EXPECT(JET_errSuccess, JetCreateDatabaseA(session, "x.edb", NULL, &database, 0));
    EXPECT(JET_errSuccess, JetCloseDatabase(session, database, 0));
    EXPECT(JET_errSuccess, JetCompactA(session, "x.edb", "y.edb", while_compacting, NULL, 0));
    EXPECT(JET_errSessionSharingViolation, answer_of_other_thread);
    cases_end();
}

/* --- the order of Unicode --- */

static void unicode_default(void **state)
{
    (void)state;
    JET_UNICODEINDEX out = {0};
    JET_UNICODEINDEX german = {.lcid = 1031, .dwMapFlags = 0x10401};
    JET_API_PTR *place = (JET_API_PTR *)(void *)&out;
    const uint32_t parameter = JET_paramUnicodeIndexDefault;
    EXPECT(JET_errInvalidParameter, JetGetSystemParameterA(0, 0, parameter, NULL, NULL, sizeof(out)));
    EXPECT(JET_errBufferTooSmall, JetGetSystemParameterA(0, 0, parameter, place, NULL, sizeof(out) - 1));
    EXPECT(JET_errInvalidParameter, JetGetSystemParameterA(1234, 0, parameter, place, NULL, sizeof(out)));
    EXPECT(JET_errSuccess, JetGetSystemParameterA(0, 0, parameter, place, NULL, sizeof(out)));
    EXPECT_EQUAL(1033, out.lcid);
    EXPECT(JET_errSuccess, JetSetSystemParameterA(NULL, 0, parameter, (JET_API_PTR)(uintptr_t)&german, NULL));
    JET_INSTANCE other = JET_instanceNil;
    EXPECT(JET_errSuccess, JetCreateInstanceA(&other, "b"));
    EXPECT(JET_errSuccess, JetGetSystemParameterA(other, 0, parameter, place, NULL, sizeof(out)));
    EXPECT_EQUAL(1031, out.lcid);
    EXPECT_EQUAL(0x10401, out.dwMapFlags);
    EXPECT(JET_errSuccess, JetTerm(other));
    cases_end();
}

/* --- errors in words --- */

static void errors_in_words(void **state)
{
    (void)state;
    char text[300];
    JET_API_PTR value = (JET_API_PTR)(intptr_t)JET_errInvalidName;
    const uint32_t parameter = JET_paramErrorToString;
    EXPECT(JET_errInvalidParameter, JetGetSystemParameterA(0, 0, parameter, NULL, text, sizeof(text)));
    EXPECT(JET_errSuccess, JetGetSystemParameterA(0, 0, parameter, &value, text, sizeof(text)));
    assert_string_equal(text, "JET_errInvalidName, Invalid Name");
    EXPECT(JET_errBufferTooSmall, JetGetSystemParameterA(0, 0, parameter, &value, text, 5));
    int known = 0;
    for (int code = -6000; code < 6000; code++) {
        value = (JET_API_PTR)(intptr_t)code;
        EXPECT(JET_errSuccess, JetGetSystemParameterA(0, 0, parameter, &value, text, sizeof(text)));
        if (strncmp(text, "Unknown", 7) == 0)
            continue;
        known++;
        if (strncmp(text, "JET_err", 7) != 0 && strncmp(text, "JET_wrn", 7) != 0)
            EXPECT_EQUAL(0, code);
    }
    assert_true(known > 450);
    value = (JET_API_PTR)(intptr_t)-54321;
    EXPECT(JET_errSuccess, JetGetSystemParameterA(0, 0, parameter, &value, text, sizeof(text)));
    assert_string_equal(text, "Unknown error, -54321");
    JET_ERRINFOBASIC_W info;
    JET_ERR error = JET_errInvalidName;
    EXPECT(JET_errInvalidParameter, JetGetErrorInfoW(NULL, &info, sizeof(info), JET_ErrorInfoSpecificErr, 0));
    EXPECT(JET_errInvalidParameter,
           JetGetErrorInfoW(&error, NULL, sizeof(info), JET_ErrorInfoSpecificErr, 0));
    EXPECT(JET_errInvalidParameter, JetGetErrorInfoW(&error, &info, sizeof(info), 77, 0));
    EXPECT(JET_errInvalidParameter,
           JetGetErrorInfoW(&error, &info, sizeof(info), JET_ErrorInfoSpecificErr, 1));
    EXPECT(JET_errInvalidBufferSize,
           JetGetErrorInfoW(&error, &info, sizeof(info) - 1, JET_ErrorInfoSpecificErr, 0));
    EXPECT(JET_errSuccess, JetGetErrorInfoW(&error, &info, sizeof(info), JET_ErrorInfoSpecificErr, 0));
    EXPECT_EQUAL(JET_errcatUsage, info.errcatMostSpecific);
    error = -54321;
    EXPECT(JET_errInvalidParameter,
           JetGetErrorInfoW(&error, &info, sizeof(info), JET_ErrorInfoSpecificErr, 0));
    cases_end();
}

/* --- several instances --- */

#define SET(parameter, number, text)                                                                         \
    {                                                                                                        \
        .paramid = (parameter), .lParam = (number), .sz = (text), .err = 77                                  \
    }

static JET_ERR enable(JET_SETSYSPARAM_A set, JET_ERR *err)
{
    uint32_t count = 77;
    JET_ERR answer = JetEnableMultiInstanceA(&set, 1, &count);
    *err = set.err;
    EXPECT_EQUAL(set.err >= JET_errSuccess ? 1 : 0, count);
    return answer;
}

/* The first call sets, later ones compare. */
static void multi_instance(void **state)
{
    (void)state;
    static WCHAR wide_name[] = {'n', 'e', 'w', 0};
    JET_SETSYSPARAM_A first[] = {SET(JET_paramMaxInstances, 5, NULL),
                                 SET(JET_paramEventSourceKey, 0, TEXT("new"))};
    JET_SETSYSPARAM_A bad_text = SET(JET_paramEventSourceKey, 0, BAD_TEXT);
    JET_SETSYSPARAM_W wide[] = {SET(JET_paramMaxInstances, 5, NULL),
                                SET(JET_paramEventSourceKey, 0, wide_name)};
    JET_SETSYSPARAM_W bad_wide_text = SET(JET_paramEventSourceKey, 0, BAD_WIDE);
    uint32_t count = 7;
    JET_ERR err;
    EXPECT(JET_errInvalidParameter, JetEnableMultiInstanceA(NULL, 1, &count));
    EXPECT_EQUAL(0, count);
    EXPECT(JET_errInvalidParameter, JetEnableMultiInstanceA(&bad_text, 1, NULL));
    EXPECT_EQUAL((uint32_t)JET_errInvalidParameter, (uint32_t)bad_text.err);
    EXPECT(JET_errInvalidParameter, enable((JET_SETSYSPARAM_A)SET(9999, 0, NULL), &err));
    EXPECT(JET_errInvalidParameter, err);
    EXPECT(JET_errSuccess, JetEnableMultiInstanceA(first, 2, &count));
    EXPECT_EQUAL(2, count);
    EXPECT(JET_errSystemParamsAlreadySet, JetEnableMultiInstanceA(first, 2, &count));
    EXPECT(JET_errSystemParamsAlreadySet, JetEnableMultiInstanceW(wide, 2, &count));
    EXPECT_EQUAL(2, count);
    EXPECT(JET_errInvalidParameter, JetEnableMultiInstanceW(&bad_wide_text, 1, &count));
    EXPECT(JET_errInvalidParameter, enable((JET_SETSYSPARAM_A)SET(9999, 0, NULL), &err));
    EXPECT(JET_errInvalidParameter, err);
    /* Another value, another text, no text, one that was not set then. */
    EXPECT(JET_errSystemParameterConflict,
           enable((JET_SETSYSPARAM_A)SET(JET_paramMaxInstances, 6, NULL), &err));
    EXPECT(JET_errSystemParameterConflict, err);
    EXPECT(JET_errSystemParameterConflict,
           enable((JET_SETSYSPARAM_A)SET(JET_paramEventSourceKey, 0, TEXT("old")), &err));
    EXPECT(JET_errSystemParameterConflict,
           enable((JET_SETSYSPARAM_A)SET(JET_paramEventSourceKey, 0, NULL), &err));
    EXPECT(JET_errSystemParameterConflict,
           enable((JET_SETSYSPARAM_A)SET(JET_paramDatabasePageSize, 4096, NULL), &err));
    EXPECT(JET_errSystemParameterConflict, err);
    /* All of the same value, but one that was set then is not among them. */
    EXPECT(JET_errSystemParameterConflict,
           enable((JET_SETSYSPARAM_A)SET(JET_paramEventSourceKey, 0, TEXT("new")), &err));
    EXPECT(JET_errSuccess, err);
    /* One of the instances: compared with what the process has now. */
    EXPECT(JET_errSystemParameterConflict,
           enable((JET_SETSYSPARAM_A)SET(JET_paramLogFileSize, 1, NULL), &err));
    EXPECT(JET_errSystemParameterConflict, err);
    cases_end();
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, api_world_end)
#define BARE(name) cmocka_unit_test_setup_teardown(name, setup_nothing, teardown_nothing)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(targets),         CASE(numbers),         BARE(sizes_by_page),
        CASE(texts),           CASE(of_sessions),     CASE(of_a_session_in_use),
        CASE(unicode_default), CASE(errors_in_words), BARE(multi_instance),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
