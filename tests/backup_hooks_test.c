/* Backups whose instance changes in the middle of a call: the backup layer asks an instance through a table
 * of services, and here the services act when they are asked, as another thread might. And calls that come
 * from two simulated threads at chosen moments. */
#include "tests/backup_world.h"

#include "src/backup/backup_internal.h"
#include "src/backup/backup_state.h"
#include "src/backup/snapshot.h"
#include "src/cache/cache.h"
#include "src/instance/process.h"
#include "src/log/log.h"
#include "src/os/memory.h"
#include "src/api/backup_common.h"

/* --- services that act --- */

enum service { NONE, FIND, VISIT, TERMINATING, ENTER };

static struct backup_services services;
static struct backup_context *context;
static struct instance *inside;
static enum service hooked;
static unsigned calls_before; /* the hook acts at the call after these */
static void (*action)(void);
static bool refuses; /* the answer of ENTER, TERMINATING */

static bool hits(enum service service)
{
    if (hooked != service || calls_before-- > 0)
        return false;
    hooked = NONE;
    if (action != NULL)
        action();
    return refuses;
}

static void hook(enum service service, unsigned before, void (*act)(void), bool refuse)
{
    hooked = service;
    calls_before = before;
    action = act;
    refuses = refuse;
}

static JET_ERR find_hook(void *argument, const char *path, struct database **found)
{
    (void)hits(FIND);
    return api_backup_services.find(argument, path, found);
}

static void visit_hook(void *argument, void (*visit)(void *what, struct database *database), void *what)
{
    (void)hits(VISIT);
    api_backup_services.visit(argument, visit, what);
}

static bool terminating_hook(void *argument)
{
    return hits(TERMINATING) || api_backup_services.terminating(argument);
}

static JET_ERR enter_hook(void *argument)
{
    return hits(ENTER) ? JET_errTermInProgress : api_backup_services.enter(argument);
}

/* The instance, seen through the services; the calls of the API that would name others are left alone. */
static void start(enum ESENT_HOST_PROFILE profile)
{
    world_start(profile);
    process_lock();
    inside = process_find_locked(instance);
    process_unlock();
    assert_non_null(inside);
    services = api_backup_services;
    services.find = find_hook;
    services.visit = visit_hook;
    services.terminating = terminating_hook;
    services.enter = enter_hook;
    hook(NONE, 0, NULL, false);
    context = inside->backup;
    context->services = &services;
    context->instance = inside;
}

static void stop(void)
{
    context->services = &api_backup_services;
    world_end();
}

static JET_ERR look_away(void *argument, void *member)
{
    (void)argument;
    (void)member;
    return JET_errSuccess;
}

static JET_ERR end_abort(void)
{
    return backup_end(context, JET_bitBackupEndAbort);
}

/* --- snapshots --- */

static void members_that_are_on_their_way_out(void **state)
{
    (void)state;
    JET_OSSNAPID id;
    start(ESENT_HOST_DOCUMENTED);
    /* It cannot be frozen: nobody is. */
    OK(snapshot_prepare(0, &id));
    snapshot_add(id, context);
    hook(ENTER, 0, NULL, true);
    IS(snapshot_freeze(id, 0, 1000, look_away, NULL), JET_errOSSnapshotNotAllowed);
    assert_false(snapshot_is_frozen(context));
    assert_int_equal(backup_state_of(context), BACKUP_IDLE);
    OK(snapshot_end(id, 0));
    /* It left since the thaw: nothing is truncated, its header is as before. */
    OK(snapshot_prepare(JET_bitContinueAfterThaw, &id));
    snapshot_add(id, context);
    OK(snapshot_freeze(id, 0, 1000, look_away, NULL));
    OK(snapshot_thaw(id, 0));
    hook(ENTER, 0, NULL, true);
    IS(snapshot_truncate_log(id, context, 0), (JET_ERR)-1);
    hook(ENTER, 0, NULL, true);
    OK(snapshot_end(id, 0));
    assert_int_equal(header().bkinfoFullPrev.genHigh, 0);
    assert_int_equal(backup_state_of(context), BACKUP_IDLE);
    stop();
}

static void arguments_of_snapshots(void **state)
{
    (void)state;
    JET_OSSNAPID id, other;
    start(ESENT_HOST_DOCUMENTED);
    IS(snapshot_prepare(0x100, &id), JET_errInvalidGrbit);
    OK(snapshot_prepare(JET_bitExplicitPrepare, &id));
    OK(snapshot_prepare(0, &other));
    snapshot_add(other + 1, context); /* a session that has ended meanwhile */
    IS(snapshot_prepare_instance(id, context, false, 0), JET_errOSSnapshotNotAllowed);
    IS(snapshot_freeze(id, 1, 1000, look_away, NULL), JET_errInvalidGrbit);
    OK(snapshot_prepare_instance(id, context, true, 0));
    OK(snapshot_freeze(id, 0, 1000, look_away, NULL));
    IS(snapshot_end(id, 0), JET_errOSSnapshotInvalidSequence);
    OK(snapshot_end(id, JET_bitAbortSnapshot));
    IS(snapshot_end(id, 0), JET_errOSSnapshotInvalidSnapId);
    OK(snapshot_freeze(other, 0, 1000, look_away, NULL));
    snapshot_add(other, context); /* too late: it is frozen without this one */
    assert_null(context->snapshot);
    OK(snapshot_thaw(other, 0));
    stop();
}

static void ends_of_frozen_and_timed_out(void **state)
{
    (void)state;
    JET_OSSNAPID id;
    start(ESENT_HOST_DOCUMENTED);
    OK(snapshot_prepare(JET_bitContinueAfterThaw, &id));
    snapshot_add(id, context);
    OK(snapshot_freeze(id, 0, 1000, look_away, NULL));
    OK(snapshot_end(id, JET_bitAbortSnapshot));
    assert_false(snapshot_is_frozen(context));
    IS(snapshot_thaw(id, 0), JET_errOSSnapshotInvalidSnapId);
    OK(snapshot_prepare(JET_bitContinueAfterThaw, &id));
    snapshot_add(id, context);
    OK(snapshot_freeze(id, 0, 1000, look_away, NULL));
    EsentHostAdvanceClock(1000);
    IS(snapshot_end(id, 0), JET_errOSSnapshotInvalidSequence);
    OK(snapshot_end(id, JET_bitAbortSnapshot));
    IS(snapshot_end(id, JET_bitAbortSnapshot), JET_errOSSnapshotInvalidSnapId);
    stop();
}

static bool attach_ended;

static void freezes(void *argument)
{
    OK(snapshot_freeze(*(const JET_OSSNAPID *)argument, 0, 1000, look_away, NULL));
    assert_true(attach_ended);
}

static void a_freeze_waits_for_attaches(void **state)
{
    (void)state;
    JET_OSSNAPID id;
    struct ESENT_HOST_THREAD *thread;
    start(ESENT_HOST_DOCUMENTED);
    OK(snapshot_prepare(0, &id));
    snapshot_add(id, context);
    attach_ended = false;
    OK(backup_enter_attach(context));
    OK(EsentHostThreadStart(freezes, &id, &thread));
    for (int i = 0; i < 20; i++)
        EsentHostYield();
    assert_int_equal(backup_state_of(context), BACKUP_SNAPSHOT);
    assert_false(snapshot_is_frozen(context));
    attach_ended = true;
    backup_leave_attach(context);
    EsentHostThreadJoin(thread);
    assert_true(snapshot_is_frozen(context));
    OK(snapshot_thaw(id, 0));
    stop();
}

/* The first of two lacks logs: the other truncates all the same, and the call answers what the first met. */
static void one_of_two_cannot_truncate(void **state)
{
    (void)state;
    JET_INSTANCE other;
    JET_OSSNAPID id;
    uint32_t count;
    JET_INSTANCE_INFO_A *info;
    world_start(ESENT_HOST_DOCUMENTED);
    world_instance(&other, "other", "/b/");
    OK(JetInit(&other));
    OK(JetOSSnapshotPrepare(&id, JET_bitContinueAfterThaw));
    OK(JetOSSnapshotFreezeA(id, &count, &info, 0));
    OK(JetFreeBuffer((char *)info));
    OK(JetOSSnapshotThaw(id, 0));
    assert_true(exists("/a/edb00001.log") && exists("/b/edb00001.log"));
    EsentHostFailNth(ESENT_HOST_FAULT_IO, 1, 1); /* the list of the first one's logs */
    IS(JetOSSnapshotTruncateLog(id, JET_bitAllDatabasesSnapshot), JET_errDiskIO);
    assert_true(exists("/a/edb00001.log"));
    OK(JetOSSnapshotEnd(id, 0));
    OK(JetTerm2(other, JET_bitTermComplete));
    world_end();
}

/* --- streams --- */

static JET_OSSNAPID prepared;

static void abort_prepared(void)
{
    OK(snapshot_abort(prepared, 0));
}

/* In the published engine a snapshot that ends takes a backup's state along, even in the middle of an open.
 */
static void an_open_whose_backup_ends(void **state)
{
    (void)state;
    JET_HANDLE handle;
    uint64_t size;
    start(ESENT_HOST_PUBLISHED);
    OK(snapshot_prepare(0, &prepared));
    snapshot_add(prepared, context);
    OK(backup_begin(context, 0, 0, 0));
    hook(FIND, 0, abort_prepared, false);
    IS(backup_open_file(context, "/a/none.log", 0, &handle, &size), JET_errNoBackup);
    assert_int_equal(backup_state_of(context), BACKUP_IDLE);
    OK(backup_begin(context, 0, 0, 0));
    OK(end_abort());
    stop();
}

static void term_begins(void **state)
{
    (void)state;
    start(ESENT_HOST_DOCUMENTED);
    OK(EsentHostDirectoryCreate("/bk"));
    hook(TERMINATING, 0, NULL, true);
    IS(backup_to_directory(context, "/bk", 0, NULL), JET_errTermInProgress);
    assert_int_equal(backup_state_of(context), BACKUP_IDLE);
    stop();
}

static void close_it(void)
{
    OK(backup_close_file(context, 0));
}

/* A handle means the only file there is in the published engine: somebody else closes it, and no byte comes.
 */
static void a_file_closed_by_somebody_else(void **state)
{
    (void)state;
    start(ESENT_HOST_PUBLISHED);
    OK(EsentHostDirectoryCreate("/bk"));
    hook(TERMINATING, 0, close_it, false);
    IS(backup_to_directory(context, "/bk", 0, NULL), JET_errReadVerifyFailure);
    assert_int_equal(backup_state_of(context), BACKUP_IDLE);
    stop();
}

static void read_all(const char *path)
{
    JET_HANDLE handle;
    uint64_t size;
    uint32_t got = 1;
    OK(backup_open_file(context, path, 0, &handle, &size));
    while (got != 0)
        OK(backup_read_file(context, handle, buffer, BUFFER, &got));
    OK(backup_close_file(context, handle));
}

static void break_log(void)
{
    struct log_position position;
    EsentHostFailNth(ESENT_HOST_FAULT_WRITE, 1, 0);
    OK(backup_log_record(context, LOG_BACKUP_BEGIN, BACKUP_INFO_NORMAL, LOG_BACKUP_FULL, 0, NULL, 0,
                         &position));
    assert_true(log_flush(inside->log, position) < JET_errSuccess);
    EsentHostFailNone();
}

/* A log that breaks while a backup begins or ends. */
static void a_log_that_breaks_meanwhile(void **state)
{
    (void)state;
    /* An incremental surrogate backup needs the place of its record. */
    start(ESENT_HOST_DOCUMENTED);
    OK(backup_begin_surrogate(context, 1, 1, 0));
    OK(backup_end_surrogate(context, JET_bitBackupEndNormal | JET_bitBackupTruncateDone));
    hook(VISIT, 1, break_log, false);
    IS(backup_begin_surrogate(context, 1, 1, JET_bitBackupIncremental), JET_errLogWriteFail);
    assert_int_equal(backup_state_of(context), BACKUP_IDLE);
    stop();
    /* The end of a backup is good; what cannot be recorded is not. */
    start(ESENT_HOST_DOCUMENTED);
    struct backup_list logs = {NULL, 0};
    OK(backup_begin(context, 0, 0, 0));
    read_all("/a/a.edb");
    OK(backup_log_info(context, &logs, NULL, NULL));
    os_free(logs.texts);
    hook(VISIT, 0, break_log, false);
    OK(backup_end(context, JET_bitBackupEndNormal));
    assert_int_equal(backup_state_of(context), BACKUP_IDLE);
    assert_int_equal(inside->databases[1].database->header.copy_previous.generation_high, 0);
    stop();
}

/* --- a patch file that has no name --- */

/* A database copied before the backup was one into a directory: its patch file's name is too long to be
 * listed. */
static void patch_files_without_a_name(void **state)
{
    (void)state;
    char path[1100] = "/";
    JET_DBID other;
    JET_HANDLE handle;
    uint64_t size;
    struct backup_list logs = {NULL, 0};
    start(ESENT_HOST_DOCUMENTED);
    while (strlen(path) < 1018)
        strcat(path, strlen(path) == 601 ? "/x" : "\xE2\x82\xAC");
    path[601] = 0;
    OK(EsentHostDirectoryCreate(path));
    path[601] = '/';
    context->services = &api_backup_services; /* for the calls of the API */
    OK(JetCreateDatabaseA(session, path, NULL, &other, 0));
    context->services = &services;
    OK(backup_begin(context, 0, 0, 0));
    read_all("/a/a.edb");
    read_all(path);
    context->with_patch_files = true;
    IS(backup_log_info(context, &logs, NULL, NULL), JET_errInvalidPath);
    os_free(logs.texts);
    logs = (struct backup_list){NULL, 0};
    context->with_patch_files = false;
    OK(backup_log_info(context, &logs, NULL, NULL));
    os_free(logs.texts);
    /* Nor is any file found to be it. */
    OK(EsentHostFileWrite("/a/a.pat", 0, "", 0));
    OK(EsentHostFileWrite("/a/b.pat", 0, "", 0));
    IS(backup_open_file(context, "/a/b.pat", 0, &handle, &size), JET_errInvalidParameter);
    stop();
}

/* --- the temporary database --- */

static void pages_of_the_temporary_database(void **state)
{
    (void)state;
    JET_TABLEID table;
    JET_COLUMNID columns[2];
    const JET_COLUMNDEF definitions[2] = {
        {.cbStruct = sizeof *definitions, .coltyp = JET_coltypLong, .grbit = JET_bitColumnTTKey},
        {.cbStruct = sizeof *definitions, .coltyp = JET_coltypLongBinary}};
    static uint8_t bytes[1500];
    JET_HANDLE handle;
    uint64_t size;
    uint32_t got, read = 0, refused = 0;
    start(ESENT_HOST_PUBLISHED);
    OK(JetOpenTempTable(session, definitions, 2, JET_bitTTUpdatable | JET_bitTTIndexed, &table, columns));
    for (int32_t i = 0; i < 400; i++) {
        memset(bytes, i, sizeof bytes);
        OK(JetBeginTransaction(session));
        OK(JetPrepareUpdate(session, table, JET_prepInsert));
        OK(JetSetColumn(session, table, columns[0], &i, sizeof i, 0, NULL));
        OK(JetSetColumn(session, table, columns[1], bytes, sizeof bytes, 0, NULL));
        OK(JetUpdate(session, table, NULL, 0, NULL));
        OK(JetCommitTransaction(session, 0));
    }
    OK(backup_begin(context, 0, 0, 0));
    for (page_number page = 20; page < 30; page++) {
        if (page == 25)
            OK(cache_flush_database(inside->databases[0].database));
        OK(backup_open_file(context, inside->temporary_path, (page + 2) * (uint64_t)PAGE, &handle, &size));
        const JET_ERR err = backup_read_file(context, handle, buffer, PAGE, &got);
        assert_true(err == JET_errSuccess || err == JET_errReadVerifyFailure);
        read += err == JET_errSuccess;
        refused += err != JET_errSuccess;
        if (err == JET_errSuccess)
            OK(backup_close_file(context, handle));
    }
    assert_int_equal(refused, 5);
    assert_int_equal(read, 5);
    OK(end_abort());
    stop();
}

static void reads_a_bad_page(void *argument)
{
    uint32_t got;
    IS(backup_read_file(context, *(const JET_HANDLE *)argument, buffer, BUFFER, &got),
       JET_errBackupAbortByServer);
}

/* A read that tries again and again ends when the backup is stopped. */
static void a_stop_between_two_tries(void **state)
{
    (void)state;
    JET_HANDLE handle;
    uint64_t size;
    struct ESENT_HOST_THREAD *thread;
    start(ESENT_HOST_DOCUMENTED);
    OK(backup_begin(context, 0, 0, 0));
    OK(backup_open_file(context, "/a/a.edb", 0, &handle, &size));
    EsentHostFailNth(ESENT_HOST_FAULT_READ, 1, 0);
    OK(EsentHostThreadStart(reads_a_bad_page, &handle, &thread));
    for (int i = 0; i < 10; i++)
        EsentHostYield();
    backup_stop(context);
    EsentHostThreadJoin(thread);
    assert_true(EsentHostCountFailures(ESENT_HOST_FAULT_READ) > 0);
    EsentHostFailNone();
    OK(end_abort());
    stop();
}

/* --- ranges of logs --- */

static JET_ERR delete_archived(void *unused, const char *name, const struct ESENT_HOST_FILE_INFO *info)
{
    char path[300];
    (void)info;
    (void)snprintf(path, sizeof path, "%s%s", (const char *)unused, name);
    if (strlen(name) == 12 && strcmp(name + 8, ".log") == 0)
        (void)EsentHostFileDelete(path);
    return JET_errSuccess;
}

/* The list failed when the log had been rolled; until it is asked for again, all logs but the current one go.
 */
static void logs_that_are_gone(void **state)
{
    (void)state;
    bool seen = false;
    for (uint64_t n = 1; n < 40 && !seen; n++) {
        struct backup_list logs = {NULL, 0};
        start(ESENT_HOST_DOCUMENTED);
        OK(backup_begin(context, 0, 0, 0));
        EsentHostFailNth(ESENT_HOST_FAULT_ALLOCATE, n, 1);
        const JET_ERR err = backup_log_info(context, &logs, NULL, NULL);
        EsentHostFailNone();
        os_free(logs.texts);
        if (err < JET_errSuccess && context->copy_end != 0) {
            seen = true;
            OK(EsentHostDirectoryList("/a", delete_archived, "/a/"));
            logs = (struct backup_list){NULL, 0};
            IS(backup_log_info(context, &logs, NULL, NULL), JET_errFileNotFound);
        }
        stop();
    }
    assert_true(seen);
}

/* Without a directory only what nobody needs is deleted; circular logging does that on its own. */
static void no_directory(void **state)
{
    (void)state;
    for (uint64_t circular = 0; circular < 2; circular++) {
        world_start(ESENT_HOST_DOCUMENTED);
        roll_logs(3);
        OK(JetTerm2(instance, JET_bitTermComplete));
        world_instance(&instance, "backup", "/a/");
        OK(JetSetSystemParameterA(&instance, 0, JET_paramCircularLog, circular, NULL));
        OK(JetInit(&instance));
        OK(JetBackupInstanceA(instance, NULL, 0, NULL));
        for (int generation = 1; generation <= 3; generation++) {
            char name[30];
            (void)snprintf(name, sizeof name, "/a/edb%05d.log", generation);
            assert_int_equal(exists(name), circular);
        }

        world_end();
    }
}

/* --- two threads --- */

#define SEEDS 40

static JET_OSSNAPID frozen_id;
static JET_ERR first_answer, second_answer;
static bool over;

/* Runs both in many interleavings, each in a new world; `check` looks at what came of it. */
static void race(void (*prepare)(void), void (*one)(void *), void (*other)(void *), void (*check)(void))
{
    struct ESENT_HOST_THREAD *threads[2];
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        simulation.seed = seed;
        simulation.scheduler = seed % 2 == 0 ? ESENT_HOST_SCHEDULE_RANDOM : ESENT_HOST_SCHEDULE_PRIORITY;
        simulation.expected_points = 400;
        start(ESENT_HOST_DOCUMENTED);
        prepare();
        over = false;
        OK(EsentHostThreadStart(one, NULL, &threads[0]));
        OK(EsentHostThreadStart(other, NULL, &threads[1]));
        EsentHostThreadJoin(threads[0]);
        EsentHostThreadJoin(threads[1]);
        check();
        stop();
    }
    simulation = (struct ESENT_HOST_SIMULATION){.seed = 1};
}

static void prepare_snapshot(void)
{
    OK(snapshot_prepare(0, &frozen_id));
    snapshot_add(frozen_id, context);
}

static void begins(void *unused)
{
    (void)unused;
    first_answer = backup_begin(context, 0, 0, 0);
}

static void freezes_now(void *unused)
{
    (void)unused;
    second_answer = snapshot_freeze(frozen_id, 0, 1000, look_away, NULL);
}

/* Whoever comes second is refused. */
static void one_of_them_has_it(void)
{
    if (first_answer == JET_errSuccess) {
        IS(second_answer, JET_errOSSnapshotNotAllowed);
        assert_int_equal(backup_state_of(context), BACKUP_DATABASES);
        OK(snapshot_end(frozen_id, 0));
    } else {
        IS(first_answer, JET_errBackupInProgress);
        OK(second_answer);
        assert_int_equal(backup_state_of(context), BACKUP_SNAPSHOT);
        OK(snapshot_thaw(frozen_id, 0));
    }
}

static void a_begin_against_a_freeze(void **state)
{
    (void)state;
    race(prepare_snapshot, begins, freezes_now, one_of_them_has_it);
}

static void nothing_first(void)
{
}

static void backs_nothing_up(void *unused)
{
    (void)unused;
    first_answer = backup_to_directory(context, NULL, 0, NULL);
    over = true;
}

static void ends_it(void *unused)
{
    (void)unused;
    do {
        second_answer = end_abort();
        EsentHostYield();
    } while (second_answer == JET_errNoBackup && !over);
}

/* The end of one of the two found no backup. */
static void it_ended_once(void)
{
    assert_int_equal(first_answer, second_answer == JET_errSuccess ? JET_errNoBackup : JET_errSuccess);
    assert_int_equal(backup_state_of(context), BACKUP_IDLE);
}

static void an_end_by_somebody_else(void **state)
{
    (void)state;
    race(nothing_first, backs_nothing_up, ends_it, it_ended_once);
}

static void full_snapshot_before(void)
{
    prepare_snapshot();
    OK(snapshot_freeze(frozen_id, 0, 1000, look_away, NULL));
    OK(snapshot_thaw(frozen_id, 0));
    OK(snapshot_prepare(JET_bitIncrementalSnapshot | JET_bitContinueAfterThaw, &frozen_id));
    snapshot_add(frozen_id, context);
}

static void freezes_and_is_done(void *unused)
{
    (void)unused;
    second_answer = snapshot_freeze(frozen_id, 0, 100000, look_away, NULL);
    over = true;
}

static void move_checkpoint(void)
{
    OK(log_update_checkpoint(inside->log, false));
    assert_true(log_checkpoint(inside->log).generation > context->copy_end);
}

/* The checkpoint passes the log's new generation just before the freeze: only logs that the snapshot holds
 * go. */
static void a_checkpoint_during_a_freeze(void **state)
{
    (void)state;
    start(ESENT_HOST_DOCUMENTED);
    context->services = &api_backup_services;
    OK(JetCloseDatabase(session, database, 0));
    OK(JetDetachDatabaseA(session, "/a/a.edb")); /* no database holds the checkpoint */
    context->services = &services;
    full_snapshot_before();
    hook(VISIT, 1, move_checkpoint, false);
    OK(snapshot_freeze(frozen_id, 0, 1000, look_away, NULL));
    assert_int_equal(context->delete_end, context->copy_end);
    OK(snapshot_thaw(frozen_id, 0));
    OK(snapshot_truncate_log(frozen_id, NULL, JET_bitAllDatabasesSnapshot));
    assert_false(exists("/a/edb00001.log"));
    assert_true(exists("/a/edb00002.log"));
    OK(snapshot_end(frozen_id, 0));
    stop();
}

static void deletes_logs(void *unused)
{
    (void)unused;
    while (!over) {
        (void)EsentHostDirectoryList("/a", delete_archived, "/a/");
        EsentHostYield();
    }
}

static void the_range_is_one(void)
{
    OK(second_answer);
    assert_true(context->copy_low > 0);
    OK(snapshot_thaw(frozen_id, 0));
    OK(snapshot_end(frozen_id, 0));
}

/* Another program deletes all logs it can while an incremental snapshot looks for them. */
static void logs_deleted_during_a_freeze(void **state)
{
    (void)state;
    race(full_snapshot_before, freezes_and_is_done, deletes_logs, the_range_is_one);
}

static void terms(void *unused)
{
    (void)unused;
    backup_term(context);
    assert_int_equal(backup_state_of(context), BACKUP_IDLE);
}

/* A term that wants to end the backup waits for a call, and that call ends it. */
static void a_term_that_comes_late(void **state)
{
    (void)state;
    struct ESENT_HOST_THREAD *thread;
    start(ESENT_HOST_DOCUMENTED);
    OK(backup_begin(context, 0, 0, 0));
    backup_enter(context);
    OK(EsentHostThreadStart(terms, NULL, &thread));
    for (int i = 0; i < 10; i++)
        EsentHostYield();
    assert_true(os_atomic_load(&context->stopped));
    backup_finish(context, JET_errSuccess, 0);
    backup_leave(context);
    EsentHostThreadJoin(thread);
    stop();
}

static void names_of_states(void **state)
{
    (void)state;
    assert_string_equal(backup_state_name(BACKUP_SNAPSHOT), "snapshot");
    assert_string_equal(backup_state_name(BACKUP_STATE_COUNT), "?");
    assert_string_equal(backup_event_name(BACKUP_EVENT_ATTACH_DETACH), "attach or detach");
    assert_string_equal(backup_event_name(BACKUP_EVENT_COUNT), "?");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(members_that_are_on_their_way_out),
        cmocka_unit_test(arguments_of_snapshots),
        cmocka_unit_test(ends_of_frozen_and_timed_out),
        cmocka_unit_test(a_freeze_waits_for_attaches),
        cmocka_unit_test(one_of_two_cannot_truncate),
        cmocka_unit_test(an_open_whose_backup_ends),
        cmocka_unit_test(term_begins),
        cmocka_unit_test(a_file_closed_by_somebody_else),
        cmocka_unit_test(a_log_that_breaks_meanwhile),
        cmocka_unit_test(patch_files_without_a_name),
        cmocka_unit_test(pages_of_the_temporary_database),
        cmocka_unit_test(a_stop_between_two_tries),
        cmocka_unit_test(logs_that_are_gone),
        cmocka_unit_test(no_directory),
        cmocka_unit_test(a_begin_against_a_freeze),
        cmocka_unit_test(an_end_by_somebody_else),
        cmocka_unit_test(a_checkpoint_during_a_freeze),
        cmocka_unit_test(logs_deleted_during_a_freeze),
        cmocka_unit_test(a_term_that_comes_late),
        cmocka_unit_test(names_of_states),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
