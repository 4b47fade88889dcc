/* Databases of other versions, attached where the log has records of versions: older ones are brought up,
 * newer ones keep theirs, and redo comes to the same. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "include/esent.h"
#include "include/esent_host.h"
#include "src/page/database_header.h"

#define OK(call) assert_int_equal((call), JET_errSuccess)
#define PAGE 4096

static JET_INSTANCE instance;
static JET_SESID session;

static void start(void)
{
    OK(JetCreateInstanceA(&instance, "versions"));
    OK(JetSetSystemParameterA(&instance, 0, JET_paramLogFilePath, 0, "/a/"));
    OK(JetSetSystemParameterA(&instance, 0, JET_paramSystemPath, 0, "/a/"));
    OK(JetSetSystemParameterA(&instance, 0, JET_paramTempPath, 0, "/a/"));
    OK(JetInit(&instance));
    OK(JetBeginSessionA(instance, &session, NULL, NULL));
}

static void read_header(struct database_header *header)
{
    size_t done = 0;
    OK(EsentHostFileRead("/x.edb", 0, header, sizeof(*header), &done));
    assert_int_equal(done, sizeof(*header));
}

/* A database of that version. */
static void make(uint32_t major, uint32_t minor)
{
    static uint8_t page[PAGE];
    const struct ESENT_HOST_SIMULATION simulation = {.seed = 1};
    struct database_header header;
    JET_DBID database;
    assert_int_equal(EsentHostReset(NULL, 0), 0);
    OK(EsentHostUseMemoryFiles());
    OK(EsentHostUseSimulation(&simulation));
    OK(EsentHostDirectoryCreate("/a"));
    OK(EsentHostSetProfile(ESENT_HOST_PUBLISHED));
    start();
    OK(JetCreateDatabaseA(session, "/x.edb", NULL, &database, 0));
    OK(JetCloseDatabase(session, database, 0));
    OK(JetDetachDatabaseA(session, "/x.edb"));
    read_header(&header);
    header.update_major = major;
    header.update_minor = minor;
    database_header_to_page(&header, page, PAGE);
    OK(EsentHostFileWrite("/x.edb", 0, page, PAGE));
    OK(EsentHostFileWrite("/x.edb", PAGE, page, PAGE));
}

static void versions_after_attach_and_redo(void **state)
{
    (void)state;
    static const struct {
        uint32_t major, minor, major_then, minor_then;
    } cases[] = {
        {20, 0, 20, 20},  {20, 20, 20, 20}, {17, 0, 20, 20},
        {17, 60, 20, 20}, {20, 60, 20, 60}, {21, 0, 21, 0},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct database_header attached;
        struct database_header redone;
        make(cases[i].major, cases[i].minor);
        OK(JetAttachDatabaseA(session, "/x.edb", 0));
        EsentHostCrash();
        read_header(&attached);
        start();
        assert_int_equal(JetAttachDatabaseA(session, "/x.edb", 0), JET_errSuccess);
        OK(JetTerm2(instance, JET_bitTermComplete));
        read_header(&redone);
        if (attached.update_major != cases[i].major_then || attached.update_minor != cases[i].minor_then ||
            redone.update_major != cases[i].major_then || redone.update_minor != cases[i].minor_then)
            fail_msg("%u.%u: %u.%u, and %u.%u after redo", (unsigned)cases[i].major, (unsigned)cases[i].minor,
                     (unsigned)attached.update_major, (unsigned)attached.update_minor,
                     (unsigned)redone.update_major, (unsigned)redone.update_minor);
    }
    assert_int_equal(EsentHostReset(NULL, 0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(versions_after_attach_and_redo)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
