/* Which of the four places of a header a backup is noted in, of what kind it is said to have been, and what
 * it makes void; written by the backup itself, by the redo of its record, and dropped by an attach with other
 * logs. */
#include "tests/backup_world.h"

#include "src/api/backup_common.h"
#include "src/cache/database.h"
#include "src/instance/process.h"
#include "src/log/checkpoint.h"
#include "src/log/records.h"
#include "src/page/database_header.h"
#include "src/recovery/database_set.h"

#define DATABASE "/a/a.edb"

/* --- one record --- */

static struct backup_info info_at(int32_t generation)
{
    return (struct backup_info){.mark = {.generation = generation, .sector = 1},
                                .generation_low = (uint32_t)generation,
                                .generation_high = (uint32_t)generation + 1};
}

/* The places hold generations 10, 20, 30 and 40 and types that no backup has. */
static struct database_header filled(void)
{
    struct database_header header;
    memset(&header, 0, sizeof header);
    header.full_previous = info_at(10);
    header.incremental_previous = info_at(20);
    header.copy_previous = info_at(30);
    header.differential_previous = info_at(40);
    header.full_previous_type = 11;
    header.incremental_previous_type = 12;
    header.copy_previous_type = 13;
    header.differential_previous_type = 14;
    return header;
}

struct places {
    uint32_t full, incremental, copy, differential; /* the lowest generation */
    uint32_t types[4];
};

static void has(const struct database_header *header, const struct places *places)
{
    assert_int_equal(header->full_previous.generation_low, places->full);
    assert_int_equal(header->incremental_previous.generation_low, places->incremental);
    assert_int_equal(header->copy_previous.generation_low, places->copy);
    assert_int_equal(header->differential_previous.generation_low, places->differential);
    assert_int_equal(header->full_previous_type, places->types[0]);
    assert_int_equal(header->incremental_previous_type, places->types[1]);
    assert_int_equal(header->copy_previous_type, places->types[2]);
    assert_int_equal(header->differential_previous_type, places->types[3]);
}

static void records_are_noted(void **state)
{
    (void)state;
    static const struct {
        uint8_t scope;
        uint32_t type;
        int32_t generation;
        struct places places;
    } cases[] = {
        {LOG_BACKUP_FULL, BACKUP_INFO_NORMAL, 11, {11, 0, 30, 0, {0, 0, 13, 0}}},
        {LOG_BACKUP_FULL, BACKUP_INFO_OS_SNAPSHOT, 10, {10, 0, 30, 0, {1, 0, 13, 0}}},
        {LOG_BACKUP_FULL, BACKUP_INFO_SURROGATE, 11, {11, 0, 30, 0, {1, 0, 13, 0}}},
        {LOG_BACKUP_INCREMENTAL, BACKUP_INFO_NORMAL, 21, {10, 21, 30, 40, {11, 0, 13, 14}}},
        {LOG_BACKUP_INCREMENTAL, BACKUP_INFO_OS_SNAPSHOT, 20, {10, 20, 30, 40, {11, 1, 13, 14}}},
        {LOG_BACKUP_COPY, BACKUP_INFO_NORMAL, 31, {10, 20, 31, 40, {11, 12, 0, 14}}},
        {LOG_BACKUP_COPY, BACKUP_INFO_SURROGATE, 30, {10, 20, 30, 40, {11, 12, 1, 14}}},
        {LOG_BACKUP_DIFFERENTIAL, BACKUP_INFO_NORMAL, 41, {10, 20, 30, 41, {11, 12, 13, 0}}},
        {LOG_BACKUP_DIFFERENTIAL, BACKUP_INFO_OS_SNAPSHOT, 40, {10, 20, 30, 40, {11, 12, 13, 1}}},
        /* The header is newer. */
        {LOG_BACKUP_FULL, BACKUP_INFO_NORMAL, 9, {10, 20, 30, 40, {11, 12, 13, 14}}},
        {LOG_BACKUP_INCREMENTAL, BACKUP_INFO_NORMAL, 19, {10, 20, 30, 40, {11, 12, 13, 14}}},
        {LOG_BACKUP_COPY, BACKUP_INFO_NORMAL, 29, {10, 20, 30, 40, {11, 12, 13, 14}}},
        {LOG_BACKUP_DIFFERENTIAL, BACKUP_INFO_NORMAL, 39, {10, 20, 30, 40, {11, 12, 13, 14}}},
        /* No scope that there is. */
        {0, BACKUP_INFO_NORMAL, 99, {10, 20, 30, 40, {11, 12, 13, 14}}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct database_header noted = filled();
        const struct backup_info info = info_at(cases[i].generation);
        noted.snapshot_current = info_at(60);
        assert_int_equal(database_header_note_backup(&noted, cases[i].scope, cases[i].type, &info), i < 9);
        has(&noted, &cases[i].places);
        /* Streams that truncate end what a snapshot had begun. */
        assert_int_equal(noted.snapshot_current.generation_low, i == 0 || i == 3 ? 0 : 60);
    }
}

/* --- an attach --- */

static void other_logs_forget_backups(void **state)
{
    (void)state;
    static const struct places none = {0, 0, 0, 0, {0, 0, 0, 0}};
    static const struct places all = {10, 20, 30, 40, {11, 12, 13, 14}};
    const struct signature own = {.random = 1}, other = {.random = 2};
    const struct log_time created = {.year = 120};
    const struct log_position position = {.generation = 5, .sector = 2};
    struct database *attached = calloc(1, sizeof *attached);
    for (int i = 0; i < 8; i++) {
        const bool same = (i & 1) != 0, keep = (i & 2) != 0, recovering = (i & 4) != 0;
        attached->id = 3;
        attached->header = filled();
        attached->header.state = DATABASE_CLEAN_SHUTDOWN;
        attached->header.full_current = info_at(50);
        attached->header.snapshot_current = info_at(60);
        attached->header.consistent = (struct log_position){.generation = 4};
        attached->header.reattach = (struct log_position){.generation = 4};
        attached->header.log_signature = own;
        database_header_after_attach(same ? &own : &other, &created, position, recovering, keep, attached);
        has(&attached->header, same || keep ? &all : &none);
        assert_int_equal(attached->header.full_current.generation_low, keep ? 50 : 0);
        assert_int_equal(attached->header.snapshot_current.generation_low, keep ? 60 : 0);
        assert_int_equal(attached->header.state, DATABASE_DIRTY_SHUTDOWN);
        assert_int_equal(attached->header.generation_min_required, 5);
        assert_int_equal(attached->header.generation_max_required, 5);
        assert_int_equal(attached->header.generation_recovering, recovering ? 5 : 0);
        assert_int_equal(attached->header.attach.generation, 5);
        assert_int_equal(attached->header.reattach.generation, 0);
        assert_int_equal(attached->header.consistent.generation, same ? 4 : 0);
        assert_int_equal(attached->header.log_signature.random, same ? 1 : 2);
        assert_int_equal(attached->header.database_id, 3);
        assert_int_not_equal(attached->header.attach_time.month, 0);
    }
    free(attached);
}

/* --- snapshots and streams --- */

static struct instance *running(void)
{
    process_lock();
    struct instance *found = process_find_locked(instance);
    process_unlock();
    return found;
}

static void take(void *out, struct database *found)
{
    if (found->logged)
        *(struct database_header *)out = found->header;
}

/* In memory while the instance runs, in the file afterwards. */
static struct database_header stored(void)
{
    static _Alignas(PAGE) uint8_t bytes[PAGE];
    struct database_header found;
    size_t done;
    memset(&found, 0, sizeof found);
    struct instance *inside = running();
    if (inside != NULL) {
        api_backup_services.visit(inside, take, &found);
        return found;
    }
    OK(EsentHostFileRead(DATABASE, 0, bytes, sizeof bytes, &done));
    memcpy(&found, bytes, sizeof found);
    return found;
}

static void snapshot(JET_GRBIT grbit)
{
    JET_OSSNAPID id;
    JET_INSTANCE_INFO_A *found = NULL;
    uint32_t count;
    OK(JetOSSnapshotPrepare(&id, grbit));
    OK(JetOSSnapshotFreezeA(id, &count, &found, 0));
    OK(JetOSSnapshotThaw(id, 0));
    (void)JetFreeBuffer((char *)found);
}

/* The kinds: 0 a stream, 1 a snapshot. Which of the four places say something, and of what kind. */
static void says(bool full, bool incremental, bool copy, bool differential, uint32_t full_type)
{
    const struct database_header found = stored();
    assert_int_equal(found.full_previous.generation_high != 0, full);
    assert_int_equal(found.incremental_previous.generation_high != 0, incremental);
    assert_int_equal(found.copy_previous.generation_high != 0, copy);
    assert_int_equal(found.differential_previous.generation_high != 0, differential);
    assert_int_equal(found.full_previous_type, full_type);
    assert_int_equal(found.incremental_previous_type, incremental);
    assert_int_equal(found.copy_previous_type, copy);
    assert_int_equal(found.differential_previous_type, differential);
}

static void crash_and_start(void)
{
    if (running() != NULL)
        OK(JetCommitTransaction(session, JET_bitWaitAllLevel0Commit)); /* the log is there to the end */
    EsentHostCrash();
    world_instance(&instance, "backup", "/a/");
    OK(JetInit(&instance));
    OK(JetBeginSessionA(instance, &session, NULL, NULL));
    assert_true(JetAttachDatabaseA(session, DATABASE, 0) >= JET_errSuccess);
    OK(JetOpenDatabaseA(session, DATABASE, NULL, &database, 0));
}

static void snapshots_are_told_from_streams(void **state)
{
    (void)state;
    world_start(ESENT_HOST_DOCUMENTED);
    snapshot(0);
    says(true, false, false, false, BACKUP_INFO_OS_SNAPSHOT);
    snapshot(JET_bitIncrementalSnapshot);
    says(true, true, false, false, BACKUP_INFO_OS_SNAPSHOT);
    snapshot(JET_bitCopySnapshot);
    says(true, true, true, false, BACKUP_INFO_OS_SNAPSHOT);
    snapshot(JET_bitCopySnapshot | JET_bitIncrementalSnapshot);
    says(true, true, true, true, BACKUP_INFO_OS_SNAPSHOT);
    crash_and_start();
    says(true, true, true, true, BACKUP_INFO_OS_SNAPSHOT);
    /* A full one makes void what built on the one before; a copy stands by itself. */
    full_backup();
    says(true, false, true, false, BACKUP_INFO_NORMAL);
    crash_and_start();
    says(true, false, true, false, BACKUP_INFO_NORMAL);
    snapshot(0);
    says(true, false, true, false, BACKUP_INFO_OS_SNAPSHOT);
    /* Only snapshots go on with a snapshot. */
    IS(JetBeginExternalBackupInstance(instance, JET_bitBackupIncremental), JET_errMissingFullBackup);
    world_end();
}

/* The header as it was before the backups, and logs that tell of them: redo notes them again. */
static void redo_notes_what_the_header_lacks(void **state)
{
    (void)state;
    world_start(ESENT_HOST_DOCUMENTED);
    crash_and_start();
    EsentHostCrash(); /* attached, so that no logs but the next are needed */
    OK(EsentHostFileCopy(DATABASE, "/before"));
    crash_and_start();
    snapshot(0);
    snapshot(JET_bitIncrementalSnapshot);
    snapshot(JET_bitCopySnapshot);
    snapshot(JET_bitCopySnapshot | JET_bitIncrementalSnapshot);
    OK(JetCommitTransaction(session, JET_bitWaitAllLevel0Commit));
    EsentHostCrash();
    const struct database_header then = stored();
    OK(EsentHostFileDelete(DATABASE));
    OK(EsentHostFileCopy("/before", DATABASE));
    says(false, false, false, false, BACKUP_INFO_NORMAL);
    crash_and_start();
    says(true, true, true, true, BACKUP_INFO_OS_SNAPSHOT);
    const struct database_header now = stored();
    assert_memory_equal(&now.full_previous, &then.full_previous, sizeof now.full_previous);
    assert_memory_equal(&now.incremental_previous, &then.incremental_previous, sizeof now.full_previous);
    assert_memory_equal(&now.copy_previous, &then.copy_previous, sizeof now.full_previous);
    assert_memory_equal(&now.differential_previous, &then.differential_previous, sizeof now.full_previous);
    world_end();
}

/* The checkpoint file names the last full and the last incremental backup, too. */
static void the_checkpoint_names_the_last_ones(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++) {
        const bool snapshots = (i & 1) != 0, incremental = (i & 2) != 0;
        const struct log_position never = {0, 0, 0};
        struct checkpoint checkpoint;
        world_start(ESENT_HOST_DOCUMENTED);
        EsentHostAdvanceClock(1000);
        if (snapshots)
            snapshot(0);
        else
            full_backup();
        EsentHostAdvanceClock(1000);
        if (incremental && snapshots) {
            snapshot(JET_bitIncrementalSnapshot);
        } else if (incremental) {
            OK(JetBeginExternalBackupInstance(instance, JET_bitBackupIncremental));
            stream_logs();
            OK(JetTruncateLogInstance(instance));
            OK(JetEndExternalBackupInstance(instance));
        }
        OK(JetTerm2(instance, JET_bitTermComplete));
        const struct database_header found = stored();
        OK(checkpoint_read("/a/edb.chk", &checkpoint));
        /* A stream's mark is its begin, here it is the first record of the log after the last of the copies.
         */
        const struct log_position rolled = {.generation = (int32_t)found.full_previous.generation_high + 1,
                                            .sector = 1};
        if (snapshots) {
            assert_memory_equal(&checkpoint.full_backup, &found.full_previous.mark, sizeof never);
            assert_memory_equal(&checkpoint.full_backup_time, &found.full_previous.time,
                                sizeof found.full_previous.time);
        } else {
            assert_int_equal(checkpoint.full_backup.generation, rolled.generation);
            assert_int_equal(checkpoint.full_backup.sector, rolled.sector);
            assert_int_not_equal(checkpoint.full_backup_time.month, 0);
        }
        assert_memory_equal(&checkpoint.incremental_backup,
                            incremental ? &found.incremental_previous.mark : &never, sizeof never);
        assert_int_equal(checkpoint.incremental_backup.generation != 0, incremental);
        assert_memory_equal(&checkpoint.incremental_backup_time, &found.incremental_previous.time,
                            sizeof found.incremental_previous.time);
        (void)EsentHostReset(NULL, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_are_noted),
        cmocka_unit_test(other_logs_forget_backups),
        cmocka_unit_test(snapshots_are_told_from_streams),
        cmocka_unit_test(redo_notes_what_the_header_lacks),
        cmocka_unit_test(the_checkpoint_names_the_last_ones),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
