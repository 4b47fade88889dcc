/* The table of backup states: what holds for all of it, each rule by rule, and that the document prints it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "src/backup/backup_state.h"

static const enum ESENT_HOST_PROFILE profiles[] = {ESENT_HOST_DOCUMENTED, ESENT_HOST_PUBLISHED};

static const struct backup_rule *rule(int profile, int state, int event)
{
    return backup_rule(profiles[profile], (enum backup_state)state, (enum backup_event)event);
}

static void every_cell_is_filled(void **unused)
{
    (void)unused;
    for (int p = 0; p < 2; p++)
        for (int s = 0; s < BACKUP_STATE_COUNT; s++)
            for (int e = 0; e < BACKUP_EVENT_COUNT; e++) {
                const struct backup_rule *r = rule(p, s, e);
                assert_true(r->refused <= 0 && r->after < BACKUP_STATE_COUNT &&
                            r->failed < BACKUP_STATE_COUNT);
                /* A refused call leaves the state as it is or ends the backup. */
                if (r->refused != 0)
                    assert_true(r->after == r->failed && ((int)r->after == s || r->after == BACKUP_IDLE));
                /* A failed one too. */
                assert_true((int)r->failed == s || r->failed == BACKUP_IDLE);
            }
}

/* Without a backup, everything but a begin is refused as JET_errNoBackup. */
static void nothing_goes_without_a_begin(void **unused)
{
    (void)unused;
    for (int p = 0; p < 2; p++)
        for (int e = BACKUP_EVENT_ATTACH_INFO; e <= BACKUP_EVENT_END_SURROGATE; e++) {
            assert_int_equal(rule(p, BACKUP_IDLE, e)->refused, JET_errNoBackup);
            assert_int_equal(backup_gate(profiles[p], BACKUP_IDLE, (enum backup_event)e, true, true),
                             JET_errNoBackup);
        }
}

/* While one runs, no other begins, and databases are neither attached nor detached. */
static void backups_exclude_each_other(void **unused)
{
    (void)unused;
    for (int p = 0; p < 2; p++)
        for (int s = BACKUP_DATABASES; s < BACKUP_STATE_COUNT; s++) {
            const JET_ERR busy =
                s == BACKUP_SURROGATE ? JET_errSurrogateBackupInProgress : JET_errBackupInProgress;
            assert_int_equal(rule(p, s, BACKUP_EVENT_BEGIN_FULL)->refused, busy);
            assert_int_equal(rule(p, s, BACKUP_EVENT_BEGIN_INCREMENTAL)->refused, busy);
            assert_int_equal(rule(p, s, BACKUP_EVENT_BEGIN_SURROGATE)->refused, busy);
            assert_int_equal(rule(p, s, BACKUP_EVENT_ATTACH_DETACH)->refused, busy);
            assert_int_equal(rule(p, s, BACKUP_EVENT_FREEZE)->refused, JET_errOSSnapshotNotAllowed);
        }
}

/* After a stop the copying calls answer nothing but JET_errBackupAbortByServer; closing and ending go on. */
static void a_stop_reaches_what_copies(void **unused)
{
    (void)unused;
    static const int copying[] = {BACKUP_EVENT_ATTACH_INFO, BACKUP_EVENT_OPEN_DATABASE,
                                  BACKUP_EVENT_OPEN_FILE,   BACKUP_EVENT_READ,
                                  BACKUP_EVENT_LOG_INFO,    BACKUP_EVENT_TRUNCATE};
    for (int p = 0; p < 2; p++)
        for (int s = BACKUP_DATABASES; s <= BACKUP_INCREMENTAL_LOGS; s++)
            for (int open = 0; open < 2; open++) {
                for (size_t i = 0; i < sizeof copying / sizeof copying[0]; i++)
                    assert_int_equal(backup_gate(profiles[p], (enum backup_state)s,
                                                 (enum backup_event)copying[i], true, open),
                                     JET_errBackupAbortByServer);
                assert_int_equal(
                    backup_gate(profiles[p], (enum backup_state)s, BACKUP_EVENT_CLOSE, true, open), 0);
                assert_int_equal(backup_gate(profiles[p], (enum backup_state)s, BACKUP_EVENT_END, true, open),
                                 0);
                assert_int_equal(backup_end_outcome(profiles[p], (enum backup_state)s, true),
                                 JET_errBackupAbortByServer);
            }
}

/* Each end leads to idle, from where a full begin succeeds. */
static void every_end_leads_to_a_new_begin(void **unused)
{
    (void)unused;
    for (int p = 0; p < 2; p++) {
        for (int s = 0; s < BACKUP_STATE_COUNT; s++)
            for (int e = BACKUP_EVENT_END; e <= BACKUP_EVENT_END_SURROGATE; e++)
                if (rule(p, s, e)->refused == 0) {
                    assert_int_equal(rule(p, s, e)->after, BACKUP_IDLE);
                    assert_int_equal(rule(p, s, e)->failed, BACKUP_IDLE);
                }
        assert_int_equal(rule(p, BACKUP_IDLE, BACKUP_EVENT_BEGIN_FULL)->refused, 0);
        assert_int_equal(rule(p, BACKUP_IDLE, BACKUP_EVENT_BEGIN_FULL)->after, BACKUP_DATABASES);
    }
}

static void logs_are_asked_for_before_a_good_end(void **unused)
{
    (void)unused;
    for (int p = 0; p < 2; p++) {
        assert_int_equal(backup_end_outcome(profiles[p], BACKUP_DATABASES, false),
                         JET_errBackupAbortByCaller);
        assert_int_equal(backup_end_outcome(profiles[p], BACKUP_LOGS, false), 0);
        assert_int_equal(backup_end_outcome(profiles[p], BACKUP_INCREMENTAL_LOGS, false), 0);
        assert_int_equal(backup_end_outcome(profiles[p], BACKUP_SURROGATE, false), 0);
    }
    assert_int_equal(backup_end_outcome(ESENT_HOST_DOCUMENTED, BACKUP_INCREMENTAL, false),
                     JET_errBackupAbortByCaller);
    assert_int_equal(backup_end_outcome(ESENT_HOST_PUBLISHED, BACKUP_INCREMENTAL, false), 0);
}

/* Rows 10 and 11: in the documented profile nothing reaches into a snapshot, and each end ends its own kind.
 */
static void the_documented_profile_keeps_kinds_apart(void **unused)
{
    (void)unused;
    for (int e = BACKUP_EVENT_ATTACH_INFO; e <= BACKUP_EVENT_END_SURROGATE; e++)
        assert_int_equal(rule(0, BACKUP_SNAPSHOT, e)->refused, JET_errNoBackup);
    assert_int_equal(rule(0, BACKUP_SURROGATE, BACKUP_EVENT_END)->refused, JET_errSurrogateBackupInProgress);
    assert_int_equal(rule(0, BACKUP_LOGS, BACKUP_EVENT_END_SURROGATE)->refused, JET_errBackupInProgress);
    assert_int_equal(rule(1, BACKUP_SURROGATE, BACKUP_EVENT_END)->refused, 0);
    assert_int_equal(rule(1, BACKUP_LOGS, BACKUP_EVENT_END_SURROGATE)->refused, 0);
}

/* --- the document --- */

static void print_cell(char *out, size_t size, const struct backup_rule *r, int state)
{
    char to[64] = "";
    if ((int)r->after != state)
        snprintf(to, sizeof to, " → %s", backup_state_name(r->after));
    if (r->refused != 0)
        snprintf(out, size, "%d%s", (int)r->refused, to);
    else
        snprintf(out, size, "yes%s%s%s", r->wants_no_open_file ? ", closed" : "", to,
                 r->failed != r->after && (int)r->failed != state ? ", failed: idle" : "");
}

/* Prints the table of the published rules as docs/backup.md has it. */
static char *print_table(void)
{
    char *text = calloc(1, 20000);
    size_t at = (size_t)sprintf(text, "| event |");
    for (int s = 0; s < BACKUP_STATE_COUNT; s++)
        at += (size_t)sprintf(text + at, " %s |", backup_state_name((enum backup_state)s));
    at += (size_t)sprintf(text + at, "\n| --- |");
    for (int s = 0; s < BACKUP_STATE_COUNT; s++)
        at += (size_t)sprintf(text + at, " --- |");
    for (int e = 0; e < BACKUP_EVENT_COUNT; e++) {
        at += (size_t)sprintf(text + at, "\n| %s |", backup_event_name((enum backup_event)e));
        for (int s = 0; s < BACKUP_STATE_COUNT; s++) {
            char documented[96], published[96];
            print_cell(documented, sizeof documented, rule(0, s, e), s);
            print_cell(published, sizeof published, rule(1, s, e), s);
            if (strcmp(documented, published) == 0)
                at += (size_t)sprintf(text + at, " %s |", documented);
            else
                at += (size_t)sprintf(text + at, " %s (published: %s) |", documented, published);
        }
    }
    sprintf(text + at, "\n");
    return text;
}

static void the_document_prints_the_table(void **unused)
{
    (void)unused;
    char *table = print_table();
    FILE *file = fopen("docs/backup.md", "r");
    if (getenv("PRINT_TABLE") != NULL)
        printf("%s", table);
    if (file == NULL) {
        print_message("docs/backup.md is not here: skipped\n");
        free(table);
        skip();
    }
    static char text[100000];
    text[fread(text, 1, sizeof text - 1, file)] = 0;
    fclose(file);
    if (strstr(text, table) == NULL)
        fail_msg("docs/backup.md does not hold the table; it should be:\n%s", table);
    free(table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_cell_is_filled),
        cmocka_unit_test(nothing_goes_without_a_begin),
        cmocka_unit_test(backups_exclude_each_other),
        cmocka_unit_test(a_stop_reaches_what_copies),
        cmocka_unit_test(every_end_leads_to_a_new_begin),
        cmocka_unit_test(logs_are_asked_for_before_a_good_end),
        cmocka_unit_test(the_documented_profile_keeps_kinds_apart),
        cmocka_unit_test(the_document_prints_the_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
