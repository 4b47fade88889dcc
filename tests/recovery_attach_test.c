/* Which database files redo takes for those that the log names. */
#include "tests/recovery_start_world.h"

/* --- databases that are not as the log has them --- */

static void as_it_is(struct database_header *header)
{
    (void)header;
}

static void just_created(struct database_header *header)
{
    header->state = DATABASE_JUST_CREATED;
}

static void no_state(struct database_header *header)
{
    header->state = 77;
}

static void of_another_log(struct database_header *header)
{
    header->log_signature.random ^= 1;
}

static void of_another_log_and_another(struct database_header *header)
{
    header->log_signature.random ^= 1;
    header->signature.random ^= 1;
}

static void another(struct database_header *header)
{
    header->signature.random ^= 1;
}

static void attached_later(struct database_header *header)
{
    header->attach.generation++;
}

static void attached_earlier(struct database_header *header)
{
    header->attach.sector--;
}

static void consistent_later(struct database_header *header)
{
    header->consistent = (struct log_position){0, 8, 1000};
}

static void consistent_later_and_another(struct database_header *header)
{
    consistent_later(header);
    header->signature.random ^= 1;
}

static void consistent_earlier(struct database_header *header)
{
    header->consistent = (struct log_position){0, 8, 1};
}

static void consistent_earlier_and_another(struct database_header *header)
{
    consistent_earlier(header);
    header->signature.random ^= 1;
}

static void consistent_a_little_later(struct database_header *header)
{
    header->consistent.byte++;
}

static void consistent_a_little_later_and_another(struct database_header *header)
{
    consistent_a_little_later(header);
    header->signature.random ^= 1;
}

static void never_consistent(struct database_header *header)
{
    header->consistent = (struct log_position){0, 0, 0};
    header->attach.sector--;
}

static void of_a_backup(struct database_header *header)
{
    header->full_current.generation_low = 1;
    header->full_current.generation_high = 0;
}

static void with_large_pages(const char *path)
{
    static _Alignas(4096) uint8_t page[8192];
    struct database_header header = read_header();
    header.page_size = sizeof page;
    memset(page, 0, sizeof page);
    memcpy(page, &header, sizeof header);
    checksum_header_set(page, sizeof page);
    OK(EsentHostFileWrite(path, 0, page, sizeof page));
    OK(EsentHostFileWrite(path, sizeof page, page, sizeof page));
}

static void closed(struct database_header *header)
{
    header->state = DATABASE_CLEAN_SHUTDOWN;
}

static void needs_older_logs(struct database_header *header)
{
    header->generation_min_required = 1;
}

static void no_header(const char *path)
{
    memset(bytes, 0x5a, sizeof bytes);
    OK(EsentHostFileWrite(path, 0, bytes, sizeof bytes));
    OK(EsentHostFileWrite(path, 4096, bytes, sizeof bytes));
}

static void short_file(const char *path)
{
    OK(EsentHostFileSetSize(path, 100));
}

static void a_log_instead(const char *path)
{
    OK(EsentHostFileCopy("/a/edb.log", path));
}

static void a_folder_instead(const char *path)
{
    OK(EsentHostFileDelete(path));
    OK(EsentHostDirectoryCreate(path));
}

/* How redo meets the database: its creation is in the log, its attach is, the log's first header names
 * it, or it came from another log and its header was not written any more. */
enum { CREATED, ATTACHED, KNOWN, MOVED, WAYS };

static void make_way(int way)
{
    begin_case(way == CREATED ? 1 : way == MOVED ? 5 : 4);
    if (way == KNOWN) {
        OK(EsentHostFileDelete("/a/edb.chk"));
        for (int generation = 1; generation <= 6; generation++) {
            char name[30];
            (void)snprintf(name, sizeof name, "/a/edb%05d.log", generation);
            OK(EsentHostFileDelete(name));
        }
        struct database_header header = read_header();
        header.generation_min_required = 7;
        write_header(&header);
    }
}

#define FINE JET_errSuccess
#define ANOTHER JET_errAttachedDatabaseMismatch
#define OTHER_TIME JET_errConsistentTimeMismatch

static void databases_of_other_times(void **state)
{
    (void)state;
    static const struct {
        void (*edit)(struct database_header *header);
        void (*change)(const char *path);
        JET_ERR answers[WAYS];
    } cases[] = {
        {as_it_is, NULL, {FINE, FINE, FINE, FINE}},
        {just_created, NULL, {FINE, ANOTHER, ANOTHER, ANOTHER}},
        {no_state,
         NULL,
         {FINE, JET_errDatabaseCorrupted, JET_errDatabaseCorrupted, JET_errDatabaseCorrupted}},
        {of_another_log, NULL, {ANOTHER, ANOTHER, ANOTHER, ANOTHER}},
        {of_another_log_and_another, NULL, {ANOTHER, ANOTHER, ANOTHER, ANOTHER}},
        {another, NULL, {ANOTHER, ANOTHER, ANOTHER, ANOTHER}},
        {attached_later, NULL, {ANOTHER, ANOTHER, ANOTHER, FINE}},
        {attached_earlier, NULL, {ANOTHER, FINE, ANOTHER, FINE}},
        {consistent_later, NULL, {ANOTHER, ANOTHER, ANOTHER, OTHER_TIME}},
        {consistent_later_and_another, NULL, {ANOTHER, ANOTHER, ANOTHER, ANOTHER}},
        {consistent_earlier, NULL, {ANOTHER, OTHER_TIME, OTHER_TIME, OTHER_TIME}},
        {consistent_earlier_and_another, NULL, {ANOTHER, ANOTHER, ANOTHER, ANOTHER}},
        {consistent_a_little_later, NULL, {FINE, OTHER_TIME, ANOTHER, OTHER_TIME}},
        {consistent_a_little_later_and_another, NULL, {ANOTHER, ANOTHER, ANOTHER, ANOTHER}},
        {never_consistent, NULL, {ANOTHER, FINE, ANOTHER, OTHER_TIME}},
        {of_a_backup,
         NULL,
         {JET_errSoftRecoveryOnBackupDatabase, JET_errSoftRecoveryOnBackupDatabase,
          JET_errSoftRecoveryOnBackupDatabase, JET_errSoftRecoveryOnBackupDatabase}},
        {NULL,
         with_large_pages,
         {JET_errPageSizeMismatch, JET_errPageSizeMismatch, JET_errPageSizeMismatch,
          JET_errPageSizeMismatch}},
        {closed, NULL, {FINE, FINE, FINE, FINE}},
        {needs_older_logs,
         NULL,
         {FINE, JET_errRequiredLogFilesMissing, JET_errRequiredLogFilesMissing, FINE}},
        {NULL,
         no_header,
         {FINE, JET_errReadVerifyFailure, JET_errReadVerifyFailure, JET_errReadVerifyFailure}},
        {NULL,
         short_file,
         {FINE, JET_errReadVerifyFailure, JET_errReadVerifyFailure, JET_errReadVerifyFailure}},
        {NULL,
         a_log_instead,
         {FINE, JET_errDatabaseCorrupted, JET_errDatabaseCorrupted, JET_errDatabaseCorrupted}},
        {NULL,
         a_folder_instead,
         {JET_errAccessDenied, JET_errAccessDenied, JET_errAccessDenied, JET_errAccessDenied}},
        {NULL, remove_file, {FINE, ANOTHER, ANOTHER, ANOTHER}},
    };
    JET_DBID database;
    make_world();
    with.log_size = 128;
    OK(start());
    OK(JetBeginSessionA(instance, &session, NULL, NULL));
    OK(JetAttachDatabaseA(session, DATABASE, 0));
    OK(JetOpenDatabaseA(session, DATABASE, NULL, &database, 0));
    OK(JetOpenTableA(session, database, "t", NULL, 0, 0, &table));
    roll();
    add_row();
    OK(JetCommitTransaction(session, JET_bitWaitAllLevel0Commit));
    EsentHostCrash();
    OK(EsentHostFilesSave(4));
    begin_case(2);
    OK(EsentHostFileCopy(DATABASE, "/clean.edb"));
    OK(EsentHostDirectoryDelete("/a"));
    OK(EsentHostDirectoryCreate("/a"));
    OK(EsentHostFileCopy("/clean.edb", DATABASE));
    OK(start());
    OK(JetBeginSessionA(instance, &session, NULL, NULL));
    OK(JetAttachDatabaseA(session, DATABASE, 0));
    EsentHostCrash();
    OK(EsentHostFileCopy("/clean.edb", DATABASE));
    OK(EsentHostFilesSave(5));
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        JET_ERR found[WAYS];
        for (int way = 0; way < WAYS; way++) {
            make_way(way);
            if (cases[i].edit != NULL) {
                struct database_header header = read_header();
                cases[i].edit(&header);
                write_header(&header);
            } else {
                cases[i].change(DATABASE);
            }
            found[way] = start();
            if (found[way] >= JET_errSuccess)
                assert_int_equal(rows(), way == CREATED || way == MOVED ? ROWS : ROWS + 1);
        }
        if (memcmp(found, cases[i].answers, sizeof found) != 0)
            print_message("%d: {%d, %d, %d, %d}\n", (int)i, (int)found[0], (int)found[1], (int)found[2],
                          (int)found[3]);
        assert_memory_equal(found, cases[i].answers, sizeof found);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(databases_of_other_times),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
