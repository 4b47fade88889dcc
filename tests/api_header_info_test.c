/* What a database's header tells: every structure of JET_DbInfoMisc is the beginning of the newest one, other
 * sizes are refused, and the newest members say what the header has. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "include/esent.h"
#include "include/esent_host.h"
#include "src/os/file.h"
#include "src/page/database_header.h"

#define OK(call) assert_int_equal((call), JET_errSuccess)
#define DATABASE "/a.edb"

static JET_INSTANCE instance;
static JET_SESID session;
static JET_DBID database;

static int set_up(void **state)
{
    const struct ESENT_HOST_SIMULATION simulation = {.seed = 1};
    (void)state;
    instance = JET_instanceNil;
    (void)EsentHostReset(NULL, 0);
    if (EsentHostUseMemoryFiles() < JET_errSuccess || EsentHostUseSimulation(&simulation) < JET_errSuccess ||
        JetCreateInstanceA(&instance, "a") < JET_errSuccess || JetInit(&instance) < JET_errSuccess ||
        JetBeginSessionA(instance, &session, NULL, NULL) < JET_errSuccess ||
        JetCreateDatabaseA(session, DATABASE, NULL, &database, 0) < JET_errSuccess)
        return -1;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    (void)JetTerm2(instance, JET_bitTermAbrupt);
    return EsentHostReset(NULL, 0) == 0 ? 0 : -1;
}

static bool is_structure(uint32_t size)
{
    return size == sizeof(JET_DBINFOMISC) || size == sizeof(JET_DBINFOMISC2) ||
           size == sizeof(JET_DBINFOMISC3) || size == sizeof(JET_DBINFOMISC4) ||
           size == sizeof(JET_DBINFOMISC5) || size == sizeof(JET_DBINFOMISC6) ||
           size == sizeof(JET_DBINFOMISC7);
}

static void try_sizes(bool of_file)
{
    uint8_t whole[500], some[500];
    unsigned good = 0;
    memset(whole, 0, sizeof(whole));
    OK(of_file ? JetGetDatabaseFileInfoA(DATABASE, whole, sizeof(JET_DBINFOMISC7), JET_DbInfoMisc)
               : JetGetDatabaseInfoA(session, database, whole, sizeof(JET_DBINFOMISC7), JET_DbInfoMisc));
    for (uint32_t size = 0; size < sizeof(some); size++) {
        memset(some, 0x5a, sizeof(some));
        const JET_ERR err = of_file ? JetGetDatabaseFileInfoA(DATABASE, some, size, JET_DbInfoMisc)
                                    : JetGetDatabaseInfoA(session, database, some, size, JET_DbInfoMisc);
        if (!is_structure(size)) {
            assert_int_equal(err, JET_errInvalidBufferSize);
            continue;
        }
        OK(err);
        assert_memory_equal(some, whole, size);
        assert_int_equal(some[size], 0x5a);
        good++;
    }
    assert_int_equal(good, 7);
}

static void every_structure(void **state)
{
    (void)state;
    try_sizes(false);
    OK(JetCloseDatabase(session, database, 0));
    OK(JetDetachDatabaseA(session, DATABASE));
    try_sizes(true);
}

static void the_newest_members(void **state)
{
    (void)state;
    struct os_file *file = NULL;
    struct database_header header;
    JET_DBINFOMISC7 info;
    OK(JetCloseDatabase(session, database, 0));
    OK(JetDetachDatabaseA(session, DATABASE));
    OK(os_file_open(DATABASE, OS_OPEN_WRITE, OS_SHARE_NONE, &file));
    OK(database_header_read(file, &header, NULL));
    header.reseed_count = 1;
    header.reseed_count_old = 2;
    header.page_patch_count = 3;
    header.page_patch_count_old = 4;
    header.scan_highest_continuous = 5;
    header.reattach.generation = 6;
    memset(&header.reseed_time, 11, sizeof(header.reseed_time));
    memset(&header.page_patch_time, 12, sizeof(header.page_patch_time));
    memset(&header.scan_previous_time, 13, sizeof(header.scan_previous_time));
    memset(&header.scan_start_time, 14, sizeof(header.scan_start_time));
    memset(&header.reattach_time, 15, sizeof(header.reattach_time));
    OK(database_header_write(file, &header));
    os_file_close(file);
    OK(JetGetDatabaseFileInfoA(DATABASE, &info, sizeof(info), JET_DbInfoMisc));
    assert_int_equal(info.ulIncrementalReseedCount, 1);
    assert_int_equal(info.ulIncrementalReseedCountOld, 2);
    assert_int_equal(info.ulPagePatchCount, 3);
    assert_int_equal(info.ulPagePatchCountOld, 4);
    assert_int_equal(info.cpgDatabaseChecked, 5);
    assert_int_equal(info.lgposLastReAttach.lGeneration, 6);
    assert_int_equal(info.logtimeIncrementalReseed.bSeconds, 11);
    assert_int_equal(info.logtimePagePatch.bMinutes, 12);
    assert_int_equal(info.logtimeChecksumPrev.bHours, 13);
    assert_int_equal(info.logtimeChecksumStart.bDay, 14);
    assert_int_equal(info.logtimeLastReAttach.bMonth, 15);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_structure, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_newest_members, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
