/* What a restore makes of the logs that lie where it goes on: those before the backup's, its own ones, those
 * behind. A fault that a good log follows does not count: the last one decides (engine source: logutil.cxx).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "src/log/log_reader.h"
#include "src/page/checksum.h"
#include "tests/small_logs_world.h"

#define DATABASE "/a/a.edb"
#define BAD_SIGNATURE JET_errExistingLogFileHasBadSignature
#define NOT_CONTIGUOUS JET_errExistingLogFileIsNotContiguous

static void open_rows(void)
{
    JET_DBID database;
    make_instance();
    OK(JetInit(&instance));
    OK(JetBeginSessionA(instance, &session, NULL, NULL));
    assert_true(JetAttachDatabaseA(session, DATABASE, 0) >= JET_errSuccess);
    OK(JetOpenDatabaseA(session, DATABASE, NULL, &database, 0));
    OK(JetOpenTableA(session, database, "t", NULL, 0, 0, &table));
}

static bool exists(const char *path)
{
    struct ESENT_HOST_FILE_INFO info;
    return EsentHostFileInfo(path, &info) >= JET_errSuccess;
}

static const char *name(const char *folder, int generation)
{
    static char names[4][60];
    static unsigned next;
    char *path = names[next++ % 4];
    (void)snprintf(path, sizeof names[0], generation != 0 ? "%s/edb%05x.log" : "%s/edb.log", folder,
                   (unsigned)generation);
    return path;
}

/* Logs 1 and 2, then the backup's 3 and 4 in /bk, then 5, 6 and the current one (7); each from 3 on holds a
 * row. All are in /a, too. */
static int set_up(void **state)
{
    (void)state;
    const struct ESENT_HOST_SIMULATION simulation = {.seed = 1};
    JET_DBID database;
    (void)EsentHostReset(NULL, 0);
    OK(EsentHostUseMemoryFiles());
    OK(EsentHostUseSimulation(&simulation));
    OK(EsentHostSetProfile(ESENT_HOST_DOCUMENTED));
    OK(EsentHostDirectoryCreate("/a"));
    OK(EsentHostDirectoryCreate("/bk"));
    make_instance();
    OK(JetInit(&instance));
    OK(JetBeginSessionA(instance, &session, NULL, NULL));
    OK(JetCreateDatabaseA(session, DATABASE, NULL, &database, 0));
    OK(JetCreateTableA(session, database, "t", 1, 80, &table));
    roll();
    roll();
    OK(JetTerm2(instance, JET_bitTermComplete));
    open_rows();
    for (int generation = 3; generation <= 7; generation++) {
        add_row();
        if (generation == 4) {
            EsentHostAdvanceClock(5000);
            OK(EsentHostFileCopy(name("/a", 1), "/keep1"));
            OK(EsentHostFileCopy(name("/a", 2), "/keep2"));
            OK(JetBackupInstanceA(instance, "/bk", 0, NULL));
            EsentHostAdvanceClock(5000);
        } else if (generation < 7) {
            roll();
        }
    }
    OK(JetCommitTransaction(session, JET_bitWaitAllLevel0Commit));
    EsentHostCrash();
    for (int generation = 3; generation <= 4; generation++) {
        if (!exists(name("/a", generation)))
            OK(EsentHostFileCopy(name("/bk", generation), name("/a", generation)));
    }
    for (int generation = 1; generation <= 2; generation++) {
        if (!exists(name("/a", generation)))
            OK(EsentHostFileCopy(generation == 1 ? "/keep1" : "/keep2", name("/a", generation)));
    }
    for (int generation = 0; generation <= 7; generation++) {
        assert_int_equal(exists(name("/a", generation)), generation < 7);
        assert_int_equal(exists(name("/bk", generation)), generation == 3 || generation == 4);
    }
    OK(EsentHostFileDelete("/a/edb.chk"));
    OK(EsentHostFileDelete(DATABASE));
    OK(EsentHostFilesSave(1));
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    return EsentHostReset(NULL, 0) == 0 ? 0 : -1;
}

static void change(const char *path, size_t offset)
{
    static _Alignas(4096) uint8_t bytes[4096];
    size_t done;
    OK(EsentHostFileRead(path, 0, bytes, sizeof bytes, &done));
    bytes[offset] ^= 1;
    checksum_header_set(bytes, sizeof bytes);
    OK(EsentHostFileWrite(path, 0, bytes, sizeof bytes));
}

/* Words such as "-5 s6 h4": without log 5; log 6 of another signature; log 4 says of the one before that it
 * was made at another time; "b": it was itself made at another time; "m": it is the current one. 0 is the
 * current log. */
static void change_logs(const char *words)
{
    for (const char *at = words; *at != 0; at += at[2] == ' ' ? 3 : 2) {
        const char *path = name("/a", at[1] - '0');
        if (at[0] == '-')
            OK(EsentHostFileDelete(path));
        else if (at[0] == 'm')
            OK(EsentHostFileRename(path, name("/a", 0)));
        else
            change(path, at[0] == 's'   ? offsetof(struct log_file_header, log_signature)
                         : at[0] == 'h' ? offsetof(struct log_file_header, previous_created)
                                        : offsetof(struct log_file_header, created));
    }
}

static uint32_t rows(void)
{
    uint32_t count;
    open_rows();
    OK(JetIndexRecordCount(session, table, &count, 0));
    OK(JetTerm2(instance, JET_bitTermComplete));
    return count;
}

struct trial {
    const char *changes;
    JET_ERR answer;
    uint32_t rows;
};

static void try_all(const struct trial *trials, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        OK(EsentHostFilesRestore(1));
        change_logs(trials[i].changes);
        make_instance();
        const JET_ERR err = JetRestoreInstanceA(instance, "/bk", NULL, NULL);
        (void)JetTerm2(instance, JET_bitTermAbrupt);
        const uint32_t found = err == JET_errSuccess ? rows() : 0;
        if (err != trials[i].answer || found != trials[i].rows)
            print_error("%s: %d, %u rows\n", trials[i].changes, (int)err, (unsigned)found);
        assert_int_equal(err, trials[i].answer);
        assert_int_equal(found, trials[i].rows);
    }
}

/* Nothing follows the backup: what was found last is what is told. */
static void logs_up_to_the_end_of_the_backup(void **state)
{
    static const struct trial trials[] = {
        {"-5 -6 -0", JET_errSuccess, 2},
        {"-4 -5 -6 -0", JET_errSuccess, 2},
        {"-3 -4 -5 -6 -0", JET_errSuccess, 2},
        {"-1 -2 -3 -4 -5 -6 -0", JET_errSuccess, 2},
        /* Of another signature: those before the backup are passed over with it, of the backup's only the
           one. */
        {"s1 -5 -6 -0", JET_errSuccess, 2},
        {"s1 h2 b2 -5 -6 -0", JET_errSuccess, 2},
        {"s1 b3 -5 -6 -0", NOT_CONTIGUOUS, 0},
        {"s2 -5 -6 -0", JET_errSuccess, 2},
        {"s2 b3 -5 -6 -0", NOT_CONTIGUOUS, 0},
        {"s3 -5 -6 -0", JET_errSuccess, 2},
        {"s4 -5 -6 -0", BAD_SIGNATURE, 0},
        {"s3 s4 -5 -6 -0", BAD_SIGNATURE, 0},
        {"-4 s3 -5 -6 -0", BAD_SIGNATURE, 0},
        {"-3 -4 s2 -5 -6 -0", BAD_SIGNATURE, 0},
        /* Of another history. */
        {"h1 -5 -6 -0", JET_errSuccess, 2},
        {"h2 -5 -6 -0", JET_errSuccess, 2},
        {"h2 b2 -5 -6 -0", NOT_CONTIGUOUS, 0},
        {"h3 -5 -6 -0", NOT_CONTIGUOUS, 0},
        {"h4 -5 -6 -0", NOT_CONTIGUOUS, 0},
        {"b1 -5 -6 -0", JET_errSuccess, 2},
        {"b2 -5 -6 -0", JET_errSuccess, 2},
        {"-3 -4 b2 -5 -6 -0", NOT_CONTIGUOUS, 0},
        {"b3 -5 -6 -0", NOT_CONTIGUOUS, 0},
        {"-1 -2 b3 -5 -6 -0", NOT_CONTIGUOUS, 0},
        {"b4 -5 -6 -0", JET_errSuccess, 2},
        /* A gap. */
        {"-2 -5 -6 -0", JET_errFileNotFound, 0},
        {"-3 -5 -6 -0", JET_errFileNotFound, 0},
    };
    (void)state;
    try_all(trials, sizeof trials / sizeof *trials);
}

static void logs_behind_the_backup(void **state)
{
    static const struct trial trials[] = {
        {"", JET_errSuccess, 5},
        {"-0", JET_errSuccess, 4},
        {"-6 -0", JET_errSuccess, 3},
        {"-1", JET_errSuccess, 5},
        {"-2", NOT_CONTIGUOUS, 0}, /* the next one looked at is 5, and that is not behind 1 */
        {"-1 -2", JET_errSuccess, 5},
        {"-3", NOT_CONTIGUOUS, 0},
        {"-4", NOT_CONTIGUOUS, 0},
        {"-1 -2 -3", JET_errSuccess, 5},
        {"-1 -2 -3 -4", JET_errSuccess, 5},
        {"-5", JET_errMissingCurrentLogFiles, 0},
        {"-1 -2 -3 -4 -5", NOT_CONTIGUOUS, 0},
        {"-1 -2 -3 -4 h5", NOT_CONTIGUOUS, 0},
        {"-1 -2 -3 -4 -5 -6", NOT_CONTIGUOUS, 0}, /* the current one alone is taken for 5 */
        {"-1 -2 -3 -4 -6 -0 m5", JET_errSuccess, 3},
        {"s1", JET_errSuccess, 5},
        {"s1 h2 b2", JET_errSuccess, 5},
        {"s4", JET_errSuccess, 5},
        {"s4 b4", JET_errSuccess, 5}, /* 5 is compared with the backup's 4 */
        {"s4 h5", NOT_CONTIGUOUS, 0},
        {"s4 h5 s6", NOT_CONTIGUOUS, 0},
        {"s5", BAD_SIGNATURE, 0},
        {"s5 h6", BAD_SIGNATURE, 0},
        {"s5 h0", BAD_SIGNATURE, 0},
        {"s6", BAD_SIGNATURE, 0},
        {"h2", JET_errSuccess, 5},
        {"b2", JET_errSuccess, 5},
        {"h2 b2", NOT_CONTIGUOUS, 0},
        {"h3", NOT_CONTIGUOUS, 0},
        {"b3", NOT_CONTIGUOUS, 0},
        {"h4", JET_errSuccess, 5},
        {"b4", NOT_CONTIGUOUS, 0},
        {"h5", NOT_CONTIGUOUS, 0},
        {"h5 s6", NOT_CONTIGUOUS, 0},
        {"h6 s0", NOT_CONTIGUOUS, 0},
        {"h0", NOT_CONTIGUOUS, 0},
    };
    (void)state;
    try_all(trials, sizeof trials / sizeof *trials);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(logs_up_to_the_end_of_the_backup),
        cmocka_unit_test(logs_behind_the_backup),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
