/* The call-backs by which a program follows a start and decides how it goes on (JET_snpRecoveryControl):
 * which are made, what they say, and what their answers do. */
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
#define IS(call, code) assert_int_equal((call), (code))

#define CALLS_MOST 64u

/* One call: what of it matters. */
struct call {
    JET_SNT what;
    uint32_t detail; /* reason, action or event */
    uint32_t generation;
    bool current;
    JET_ERR by_default;
    uint32_t headers;
};

/* What one kind of call answers instead of its default. */
struct answer {
    JET_SNT what;
    uint32_t detail; /* 0: any */
    JET_ERR code;
};

static struct call calls[CALLS_MOST];
static unsigned call_count;
static unsigned others; /* calls about anything else */
static struct answer answers[3];
static unsigned refused; /* the call that is answered by an error, counted from 1 */
static JET_INSTANCE instance;
static JET_SESID session;
static JET_DBID database;

/* It ends so. */
static void check_path(const WCHAR *path, const char *end)
{
    size_t length = 0;
    assert_non_null(path);
    while (path[length] != 0)
        length++;
    assert_true(length > strlen(end));
    for (size_t i = strlen(end); i > 0; i--)
        assert_int_equal(path[--length], end[i - 1]);
}

static void note(const JET_RECOVERYCONTROL *control, struct call *call)
{
    call->what = control->sntUnion;
    call->by_default = control->errDefault;
    switch (control->sntUnion) {
    case JET_sntOpenLog:
        call->detail = control->OpenLog.eReason;
        call->generation = control->OpenLog.lGenNext;
        call->current = control->OpenLog.fCurrentLog;
        call->headers = control->OpenLog.cdbinfomisc;
        assert_int_equal(control->OpenLog.cbStruct, sizeof(control->OpenLog));
        check_path(control->OpenLog.wszLogFile, ".log");
        break;
    case JET_sntMissingLog:
        call->detail = control->MissingLog.eNextAction;
        call->generation = control->MissingLog.lGenMissing;
        call->current = control->MissingLog.fCurrentLog;
        call->headers = control->MissingLog.cdbinfomisc;
        assert_int_equal(control->MissingLog.cbStruct, sizeof(control->MissingLog));
        check_path(control->MissingLog.wszLogFile, "/edb.log");
        break;
    case JET_sntBeginUndo:
        call->headers = control->BeginUndo.cdbinfomisc;
        assert_int_equal(control->BeginUndo.cbStruct, sizeof(control->BeginUndo));
        if (call->headers > 0)
            assert_int_equal(control->BeginUndo.rgdbinfomisc[0].dbstate, JET_dbstateDirtyShutdown);
        break;
    case JET_sntNotificationEvent:
        call->detail = control->NotificationEvent.EventID;
        assert_int_equal(control->NotificationEvent.cbStruct, sizeof(control->NotificationEvent));
        break;
    case JET_sntAttachedDb:
        assert_int_equal(control->AttachedDb.cbStruct, sizeof(control->AttachedDb));
        check_path(control->AttachedDb.wszDbPath, "/a.edb");
        break;
    case JET_sntDetachingDb:
        assert_int_equal(control->DetachingDb.cbStruct, sizeof(control->DetachingDb));
        check_path(control->DetachingDb.wszDbPath, "/a.edb");
        break;
    case JET_sntOpenCheckpoint:
        assert_int_equal(control->OpenCheckpoint.cbStruct, sizeof(control->OpenCheckpoint));
        break;
    case JET_sntSignalErrorCondition:
        assert_int_equal(control->SignalErrorCondition.cbStruct, sizeof(control->SignalErrorCondition));
        break;
    default:
        fail_msg("%u", control->sntUnion);
    }
}

static JET_ERR JET_API follow(JET_SESID sesid, JET_SNP process, JET_SNT what, void *data)
{
    const JET_RECOVERYCONTROL *control = data;
    struct call call = {0};
    (void)sesid;
    if (process != JET_snpRecoveryControl) {
        others++;
        return JET_errSuccess;
    }
    assert_int_equal(control->cbStruct, sizeof(*control));
    assert_int_equal(control->sntUnion, what);
    assert_int_equal(control->instance, instance);
    note(control, &call);
    assert_true(call_count < CALLS_MOST);
    calls[call_count++] = call;
    if (call_count == refused)
        return JET_errDiskFull;
    for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
        if (answers[i].what == what && (answers[i].detail == 0 || answers[i].detail == call.detail))
            return answers[i].code;
    }
    return control->errDefault;
}

static void make_instance(void)
{
    instance = JET_instanceNil;
    OK(JetCreateInstanceA(&instance, "a"));
    OK(JetSetSystemParameterA(&instance, 0, JET_paramLogFilePath, 0, "/a/"));
    OK(JetSetSystemParameterA(&instance, 0, JET_paramSystemPath, 0, "/a/"));
    OK(JetSetSystemParameterA(&instance, 0, JET_paramTempPath, 0, "/a/"));
    OK(JetSetSystemParameterA(&instance, 0, JET_paramLogFileSize, 128, NULL));
}

static void use_files(void)
{
    OK(EsentHostUseMemoryFiles());
    const struct ESENT_HOST_SIMULATION simulation = {.seed = 1};
    OK(EsentHostUseSimulation(&simulation));
}

/* A database is made, and the process dies. */
static void make_work(bool published)
{
    use_files();
    OK(EsentHostSetProfile(published ? ESENT_HOST_PUBLISHED : ESENT_HOST_DOCUMENTED));
    OK(EsentHostDirectoryCreate("/a"));
    make_instance();
    OK(JetInit(&instance));
    OK(JetBeginSessionA(instance, &session, NULL, NULL));
    OK(JetCreateDatabaseA(session, "/a/a.edb", NULL, &database, 0));
}

static void die(void)
{
    EsentHostCrash();
    memset(answers, 0, sizeof(answers));
    call_count = others = 0;
    make_instance();
}

/* Nor what a roll leaves, nor a checkpoint. */
static void die_without_current_log(void)
{
    OK(EsentHostFileDelete("/a/edb.log"));
    (void)EsentHostFileDelete("/a/edbtmp.log");
    (void)EsentHostFileDelete("/a/edb.chk");
    die();
}

static JET_ERR start_with(JET_PFNSTATUS function, JET_GRBIT grbit)
{
    JET_RSTINFO_A info = {.cbStruct = sizeof(info), .pfnStatus = function};
    call_count = others = 0;
    return JetInit3A(&instance, &info, grbit);
}

static JET_ERR start(void)
{
    return start_with(follow, JET_bitExternalRecoveryControl);
}

static int tear_down(void **state)
{
    (void)state;
    (void)JetTerm2(instance, JET_bitTermAbrupt);
    memset(answers, 0, sizeof(answers));
    return EsentHostReset(NULL, 0) == 0 ? 0 : -1;
}

static void compare(const struct call *expected, unsigned count)
{
    for (unsigned i = 0; i < count || i < call_count; i++) {
        const struct call none = {0};
        const struct call *want = i < count ? &expected[i] : &none;
        const struct call *got = i < call_count ? &calls[i] : &none;
        if (want->what != got->what || want->detail != got->detail || want->generation != got->generation ||
            want->current != got->current || want->by_default != got->by_default ||
            want->headers != got->headers)
            fail_msg("call %u: %u/%u generation %u%s default %d headers %u", i, got->what, got->detail,
                     got->generation, got->current ? " current" : "", got->by_default, got->headers);
    }
}
#define COMPARE(expected) compare(expected, sizeof(expected) / sizeof((expected)[0]))

/* One log, whose database is as new as it. */
static void a_start_after_a_crash(void **state)
{
    (void)state;
    static const struct call expected[] = {
        {JET_sntOpenCheckpoint, 0, 0, false, 0, 0},
        {JET_sntOpenLog, JET_OpenLogForRedo, 1, true, 0, 0}, /* where the checkpoint is */
        {JET_sntOpenLog, JET_OpenLogForRedo, 1, false, 0, 0},
        {JET_sntOpenLog, JET_OpenLogForRedo, 1, true, 0, 0},
        {JET_sntNotificationEvent, 301, 0, false, 0, 0},
        {JET_sntBeginUndo, 0, 0, false, 0, 1},
        {JET_sntNotificationEvent, 302, 0, false, 0, 0},
        {JET_sntOpenLog, JET_OpenLogForDo, 0, true, 0, 0},
    };
    for (int published = 0; published < 2; published++) {
        make_work(published);
        die();
        OK(start());
        COMPARE(expected);
        assert_true(others > 1); /* progress is told all the same */
        OK(JetTerm(instance));
        assert_int_equal(EsentHostReset(NULL, 0), 0);
    }
    make_work(false); /* for the tear-down */
}

/* A copy of the database from before the last two logs: it is told when what is redone is new to it, and when
 * it leaves: before undo, and at its end. */
static void an_older_database(void **state)
{
    (void)state;
    static const struct call expected[] = {
        {JET_sntOpenCheckpoint, 0, 0, false, 0, 0},
        {JET_sntOpenLog, JET_OpenLogForRedo, 1, false, 0, 0},
        {JET_sntOpenLog, JET_OpenLogForRedo, 1, false, 0, 0},
        {JET_sntAttachedDb, 0, 0, false, 0, 0},
        {JET_sntNotificationEvent, 301, 0, false, 0, 0},
        {JET_sntOpenLog, JET_OpenLogForRedo, 2, false, 0, 1},
        {JET_sntNotificationEvent, 301, 0, false, 0, 0},
        {JET_sntOpenLog, JET_OpenLogForRedo, 3, false, 0, 1}, /* not there under its own name */
        {JET_sntOpenLog, JET_OpenLogForRedo, 3, true, 0, 1},
        {JET_sntNotificationEvent, 301, 0, false, 0, 0},
        {JET_sntBeginUndo, 0, 0, false, 0, 1},
        {JET_sntDetachingDb, 0, 0, false, 0, 0},
        {JET_sntDetachingDb, 0, 0, false, 0, 0},
        {JET_sntNotificationEvent, 302, 0, false, 0, 0},
        {JET_sntOpenLog, JET_OpenLogForDo, 0, true, 0, 0},
    };
    make_work(false);
    OK(JetCloseDatabase(session, database, 0));
    OK(JetDetachDatabaseA(session, "/a/a.edb"));
    OK(EsentHostFileCopy("/a/a.edb", "/old.edb"));
    OK(JetAttachDatabaseA(session, "/a/a.edb", 0));
    for (int i = 0; i < 2; i++)
        OK(JetCommitTransaction2(session, JET_bitForceNewLog, 0, NULL));
    die();
    OK(EsentHostFileCopy("/old.edb", "/a/a.edb"));
    OK(EsentHostFileDelete("/a/edb.chk"));
    OK(start());
    COMPARE(expected);
}

/* That a file is redone is told at its end; who does not take it is told again when the next one is opened.
 */
static void a_refused_event_is_told_again(void **state)
{
    (void)state;
    for (int refuse = 0; refuse < 2; refuse++) {
        unsigned told = 0;
        make_work(false);
        for (int i = 0; i < 2; i++)
            OK(JetCommitTransaction2(session, JET_bitForceNewLog, 0, NULL));
        die();
        OK(EsentHostFileDelete("/a/edb.chk"));
        if (refuse)
            answers[0] = (struct answer){JET_sntNotificationEvent, 301, JET_errDiskFull};
        OK(start());
        for (unsigned i = 0; i < call_count; i++)
            told += calls[i].detail == 301;
        assert_int_equal(told, refuse ? 3 + 2 : 3);
        OK(JetTerm(instance));
        assert_int_equal(EsentHostReset(NULL, 0), 0);
    }
    make_work(false);
}

/* What answers do. */
static void answers_decide(void **state)
{
    (void)state;
    static const struct {
        struct answer answer;
        JET_GRBIT grbit;
        JET_ERR result;
    } cases[] = {
        {{JET_sntOpenCheckpoint, 0, JET_errFileNotFound}, 0, JET_errSuccess},
        {{JET_sntOpenLog, JET_OpenLogForRedo, JET_errOutOfMemory}, 0, JET_errOutOfMemory},
        {{JET_sntOpenLog, JET_OpenLogForDo, JET_errDiskFull}, 0, JET_errDiskFull},
        {{JET_sntBeginUndo, 0, JET_errRecoveredWithoutUndo}, 0, JET_errRecoveredWithoutUndo},
        {{JET_sntBeginUndo, 0, JET_errAccessDenied}, 0, JET_errAccessDenied},
        {{JET_sntBeginUndo, 0, JET_errSuccess},
         JET_bitRecoveryWithoutUndo,
         JET_errRecoveredWithoutUndoDatabasesConsistent},
        {{0, 0, 0}, JET_bitRecoveryWithoutUndo, JET_errRecoveredWithoutUndo},
        {{JET_sntNotificationEvent, 0, JET_errDiskFull}, 0, JET_errSuccess}, /* nobody minds */
        {{JET_sntNotificationEvent, 0, 1}, 0, JET_errSuccess},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        make_work(false);
        die();
        answers[0] = cases[i].answer;
        const JET_ERR err = start_with(follow, JET_bitExternalRecoveryControl | cases[i].grbit);
        if (err != cases[i].result)
            fail_msg("case %zu: %d", i, err);
        if (err >= JET_errSuccess)
            OK(JetTerm(instance));
        assert_int_equal(EsentHostReset(NULL, 0), 0);
    }
    make_work(false);
}

/* Neither edb.log nor what a roll leaves: an error, unless the program says otherwise. */
static void a_missing_log(void **state)
{
    (void)state;
    for (int allow = 0; allow < 2; allow++) {
        make_work(false);
        OK(JetCloseDatabase(session, database, 0));
        OK(JetDetachDatabaseA(session, "/a/a.edb"));
        for (int i = 0; i < 2; i++)
            OK(JetCommitTransaction2(session, JET_bitForceNewLog, 0, NULL));
        OK(JetTerm2(instance, JET_bitTermComplete));
        die_without_current_log();
        if (allow)
            answers[0] = (struct answer){JET_sntMissingLog, 0, JET_errSuccess};
        IS(start(), allow ? JET_errSuccess : JET_errMissingLogFile);
        assert_int_equal(calls[0].what, JET_sntMissingLog);
        assert_int_equal(calls[0].detail, JET_MissingLogContinueToRedo);
        assert_int_equal(calls[0].generation, 3);
        assert_true(calls[0].current);
        assert_int_equal(calls[0].by_default, JET_errMissingLogFile);
        unsigned later = 0;
        for (unsigned i = 1; i < call_count; i++)
            later += calls[i].what == JET_sntMissingLog && calls[i].detail == JET_MissingLogContinueToUndo;
        assert_int_equal(later, allow);
        if (allow)
            OK(JetTerm(instance));
        assert_int_equal(EsentHostReset(NULL, 0), 0);
    }
    make_work(false);
}

/* Who is asked whether a log may be missing is told of the databases that take part by then. */
static void a_missing_log_and_a_database(void **state)
{
    (void)state;
    unsigned told = 0;
    make_work(false);
    for (int i = 0; i < 2; i++)
        OK(JetCommitTransaction2(session, JET_bitForceNewLog, 0, NULL));
    OK(JetCommitTransaction(session, JET_bitWaitAllLevel0Commit));
    EsentHostCrash();
    die_without_current_log();
    answers[0] = (struct answer){JET_sntMissingLog, 0, JET_errSuccess};
    IS(start(), JET_errRequiredLogFilesMissing);
    for (unsigned i = 0; i < call_count; i++) {
        if (calls[i].what != JET_sntMissingLog)
            continue;
        assert_int_equal(calls[i].headers, calls[i].detail == JET_MissingLogContinueToUndo);
        told += calls[i].headers;
    }
    assert_int_equal(told, 1);
    assert_int_equal(EsentHostReset(NULL, 0), 0);
    make_work(false);
}

/* A new sequence of logs may be refused: as a missing log, whatever code for "not found" was answered. */
static void a_new_sequence(void **state)
{
    (void)state;
    use_files();
    OK(EsentHostDirectoryCreate("/a"));
    make_instance();
    answers[0] = (struct answer){JET_sntMissingLog, 0, JET_errFileNotFound};
    IS(start(), JET_errMissingLogFile);
    assert_int_equal(call_count, 1);
    assert_int_equal(calls[0].detail, JET_MissingLogCreateNewLogStream);
    assert_int_equal(calls[0].by_default, JET_errSuccess);
    make_instance();
    memset(answers, 0, sizeof(answers));
    OK(start());
    assert_int_equal(call_count, 1);
}

static void make_backup(void)
{
    JET_HANDLE file;
    uint32_t low, high, got;
    static _Alignas(65536) char buffer[1 << 20];
    char logs[400];
    OK(JetBeginExternalBackupInstance(instance, 0));
    OK(JetOpenFileInstanceA(instance, "/a/a.edb", &file, &low, &high));
    uint64_t at = 0;
    for (;;) {
        OK(JetReadFileInstance(instance, file, buffer, sizeof(buffer), &got));
        if (got == 0)
            break;
        OK(EsentHostFileWrite("/copy.edb", at, buffer, got));
        at += got;
    }
    OK(JetCloseFileInstance(instance, file));
    OK(JetGetLogInfoInstanceA(instance, logs, sizeof(logs), NULL));
    OK(JetEndExternalBackupInstance(instance));
}

/* A database out of a backup: refused in a plain start, unless the program allows it. */
static void a_database_of_a_backup(void **state)
{
    (void)state;
    for (int allow = 0; allow < 2; allow++) {
        make_work(false);
        make_backup();
        die();
        OK(EsentHostFileCopy("/copy.edb", "/a/a.edb"));
        if (allow)
            answers[0] = (struct answer){JET_sntSignalErrorCondition, 0, JET_errSuccess};
        const JET_ERR err = start();
        bool asked = false;
        for (unsigned i = 0; i < call_count; i++)
            asked = asked || (calls[i].what == JET_sntSignalErrorCondition &&
                              calls[i].by_default == JET_errSoftRecoveryOnBackupDatabase);
        assert_true(asked);
        if (allow)
            assert_int_not_equal(err, JET_errSoftRecoveryOnBackupDatabase);
        else
            IS(err, JET_errSoftRecoveryOnBackupDatabase);
        if (err >= JET_errSuccess)
            OK(JetTerm(instance));
        assert_int_equal(EsentHostReset(NULL, 0), 0);
    }
    make_work(false);
}

/* Who is asked: in the documented profile only who wants to; in the published one everybody that gives a map,
 * and one without a function allows everything. */
static void who_is_asked(void **state)
{
    (void)state;
    for (int published = 0; published < 2; published++) {
        make_work(published);
        die();
        OK(start_with(follow, 0));
        assert_int_equal(call_count > 0, published);
        assert_true(others > 1);
        OK(JetTerm2(instance, JET_bitTermComplete));
        die();
        /* Bits that decide keep the function out of it. */
        OK(start_with(follow, JET_bitReplayIgnoreLostLogs));
        assert_int_equal(call_count, 0);
        OK(JetBeginSessionA(instance, &session, NULL, NULL));
        OK(JetCommitTransaction2(session, JET_bitForceNewLog, 0, NULL));
        OK(JetTerm2(instance, JET_bitTermComplete));
        die_without_current_log();
        IS(start_with(NULL, 0), published ? JET_errSuccess : JET_errMissingLogFile);
        if (published)
            OK(JetTerm(instance));
        assert_int_equal(EsentHostReset(NULL, 0), 0);
    }
    make_work(false);
}

/* Restores tell the same in the published profile. */
static void restores_tell(void **state)
{
    (void)state;
    for (int published = 0; published < 2; published++) {
        make_work(published);
        OK(EsentHostDirectoryCreate("/b"));
        OK(JetBackupInstanceA(instance, "/b", 0, NULL));
        die();
        OK(JetRestoreInstanceA(instance, "/b", NULL, follow));
        assert_int_equal(call_count > 0, published);
        assert_true(others > 1);
        if (published) {
            assert_int_equal(calls[0].what, JET_sntOpenLog);
            assert_int_equal(calls[0].generation, 1);
            assert_false(calls[0].current);
        }
        OK(JetInit(&instance));
        OK(JetTerm(instance));
        assert_int_equal(EsentHostReset(NULL, 0), 0);
    }
    make_work(false);
}

/* ---- each call refused */

/* What is lost and redone: the database whole, since it was detached and attached, or nothing. */
enum lost { LOST_NOTHING, LOST_CHANGES, LOST_FILE };

static void add_rows(JET_DBID to, bool create)
{
    JET_TABLEID table;
    if (create)
        OK(JetCreateTableA(session, to, "t", 1, 80, &table));
    else
        OK(JetOpenTableA(session, to, "t", NULL, 0, 0, &table));
    for (int i = 0; i < 3; i++) {
        OK(JetPrepareUpdate(session, table, JET_prepInsert));
        OK(JetUpdate(session, table, NULL, 0, NULL));
    }
    OK(JetCommitTransaction2(session, JET_bitForceNewLog, 0, NULL));
    OK(JetCloseTable(session, table));
}

/* Three logs: the database is created and gets three rows; is detached, attached and gets three more; the
 * instance ends and starts again, and three more come before the process dies. */
static void make_history(enum lost lost)
{
    make_work(false);
    add_rows(database, true);
    OK(JetCloseDatabase(session, database, 0));
    OK(JetDetachDatabaseA(session, "/a/a.edb"));
    OK(EsentHostFileCopy("/a/a.edb", "/old.edb"));
    for (int life = 0; life < 2; life++) {
        OK(JetAttachDatabaseA(session, "/a/a.edb", 0));
        OK(JetOpenDatabaseA(session, "/a/a.edb", NULL, &database, 0));
        add_rows(database, false);
        if (life == 0) {
            OK(JetTerm2(instance, JET_bitTermComplete));
            make_instance();
            OK(JetInit(&instance));
            OK(JetBeginSessionA(instance, &session, NULL, NULL));
        }
    }
    EsentHostCrash();
    if (lost != LOST_NOTHING) {
        OK(EsentHostFileDelete("/a/a.edb"));
        OK(EsentHostFileDelete("/a/edb.chk"));
    }
    if (lost == LOST_CHANGES)
        OK(EsentHostFileCopy("/old.edb", "/a/a.edb"));
    OK(EsentHostFilesSave(1));
}

static uint32_t count_rows(void)
{
    JET_TABLEID table;
    uint32_t count = 0;
    OK(JetBeginSessionA(instance, &session, NULL, NULL));
    const JET_ERR err = JetAttachDatabaseA(session, "/a/a.edb", 0);
    assert_true(err == JET_errSuccess || err == JET_wrnDatabaseAttached); /* it may have been kept so */
    OK(JetOpenDatabaseA(session, "/a/a.edb", NULL, &database, 0));
    OK(JetOpenTableA(session, database, "t", NULL, 0, 0, &table));
    OK(JetIndexRecordCount(session, table, &count, 0));
    return count;
}

static char kind_of(JET_SNT what)
{
    switch (what) {
    case JET_sntOpenCheckpoint:
        return 'c';
    case JET_sntOpenLog:
        return 'l';
    case JET_sntBeginUndo:
        return 'u';
    case JET_sntAttachedDb:
        return 'a';
    case JET_sntDetachingDb:
        return 'd';
    case JET_sntNotificationEvent:
        return 'e';
    default:
        return '?';
    }
}

/* Starts, or restores, with the call `refused` answered by an error. */
static JET_ERR run(bool restore)
{
    make_instance();
    call_count = others = 0;
    return restore ? JetRestoreInstanceA(instance, "/b", NULL, follow) : start();
}

/* What becomes of a start whose nth call-back was refused: for each, its kind's letter and '!' if the start
 * answered the refusal's code, '.' if it went on. */
static void refuse_each_call(bool restore, const char *expected, uint32_t rows)
{
    char results[2 * CALLS_MOST + 1] = "";
    for (refused = 1;; refused++) {
        OK(EsentHostFilesRestore(1));
        const JET_ERR err = run(restore);
        const unsigned n = refused;
        if (call_count >= n) {
            results[2 * n - 2] = kind_of(calls[n - 1].what);
            results[2 * n - 1] = err == JET_errDiskFull ? '!' : err == JET_errSuccess ? '.' : '?';
        }
        const bool was_asked = call_count >= n;
        (void)JetTerm2(instance, JET_bitTermAbrupt);
        if (!was_asked)
            break;
        /* nothing is lost by it */
        refused = 0;
        OK(run(restore));
        if (restore)
            OK(JetInit(&instance));
        refused = n;
        assert_int_equal(count_rows(), rows);
        OK(JetTerm2(instance, JET_bitTermComplete));
    }
    refused = 0;
    assert_string_equal(results, expected);
}

static void each_call_may_be_refused(void **state)
{
    (void)state;
    make_history(LOST_NOTHING);
    refuse_each_call(false, "c.l!l!e.l!l!e.u!e.l!", 9);
    assert_int_equal(EsentHostReset(NULL, 0), 0);
    /* the first of a detaching's two calls before undo only tells: nobody listens to its answer */
    make_history(LOST_CHANGES);
    refuse_each_call(false, "c.l!l!e.l!a!e.l!d!a!e.l!l!e.u!d.d!e.l!", 9);
    assert_int_equal(EsentHostReset(NULL, 0), 0);
    make_history(LOST_FILE);
    refuse_each_call(false, "c.l!l!a!e.l!d!a!e.l!d!a!e.l!l!e.u!d.d!e.l!", 9);
}

/* Restores ask in the published profile, and lose nothing by a refusal either. */
static void each_call_of_a_restore_may_be_refused(void **state)
{
    (void)state;
    make_work(true);
    add_rows(database, true);
    OK(EsentHostDirectoryCreate("/b"));
    OK(JetBackupInstanceA(instance, "/b", 0, NULL));
    add_rows(database, false);
    EsentHostCrash();
    OK(EsentHostFilesSave(1));
    refuse_each_call(true, "l!e.l!e.l!l!a!e.l!l!e.u!d.d!", 6);
}

/* Each allocation of a start that tells everything fails once: the start does, and the next one is well. */
static void fail_each_allocation(JET_GRBIT grbit)
{
    uint64_t nth = 0;
    bool passed = true;
    OK(EsentHostFilesSave(1));
    while (passed) {
        OK(EsentHostFilesRestore(1));
        make_instance();
        EsentHostResetCounters();
        EsentHostFailNth(ESENT_HOST_FAULT_ALLOCATE, ++nth, 1);
        const JET_ERR err = start_with(follow, JET_bitExternalRecoveryControl | grbit);
        passed = EsentHostCountFailures(ESENT_HOST_FAULT_ALLOCATE) != 0;
        EsentHostFailNone();
        if (!passed)
            OK(err);
        else if (err < JET_errSuccess && err != JET_errOutOfMemory)
            fail_msg("allocation %u: %d", (unsigned)nth, err);
        /* A database that cannot be attached again, though the log says so, makes the instance unavailable.
         */
        const bool works = err >= JET_errSuccess &&
                           JetBeginSessionA(instance, &session, NULL, NULL) != JET_errInstanceUnavailable;
        assert_true(passed || works);
        if (!works) {
            (void)JetTerm2(instance, JET_bitTermAbrupt);
            make_instance();
            OK(start());
        }
        assert_int_equal(count_rows(), 9);
        OK(JetTerm2(instance, JET_bitTermComplete));
    }
    assert_true(nth > 100);
}

static void memory_for_call_backs(void **state)
{
    (void)state;
    make_history(LOST_FILE);
    fail_each_allocation(JET_bitKeepDbAttachedAtEndOfRecovery);
    assert_int_equal(EsentHostReset(NULL, 0), 0);
    make_history(LOST_FILE);
    OK(EsentHostFileDelete("/a/edb.log"));
    (void)EsentHostFileDelete("/a/edbtmp.log");
    answers[0] = (struct answer){JET_sntMissingLog, 0, JET_errSuccess};
    fail_each_allocation(0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(a_start_after_a_crash, tear_down),
        cmocka_unit_test_teardown(an_older_database, tear_down),
        cmocka_unit_test_teardown(a_refused_event_is_told_again, tear_down),
        cmocka_unit_test_teardown(answers_decide, tear_down),
        cmocka_unit_test_teardown(a_missing_log, tear_down),
        cmocka_unit_test_teardown(a_missing_log_and_a_database, tear_down),
        cmocka_unit_test_teardown(a_new_sequence, tear_down),
        cmocka_unit_test_teardown(a_database_of_a_backup, tear_down),
        cmocka_unit_test_teardown(who_is_asked, tear_down),
        cmocka_unit_test_teardown(restores_tell, tear_down),
        cmocka_unit_test_teardown(each_call_may_be_refused, tear_down),
        cmocka_unit_test_teardown(each_call_of_a_restore_may_be_refused, tear_down),
        cmocka_unit_test_teardown(memory_for_call_backs, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
