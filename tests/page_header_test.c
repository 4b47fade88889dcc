/* The header of a database file and its shadow: which copy counts, what is refused, what a mend writes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "include/esent_host.h"
#include "src/os/file.h"
#include "src/os/memory.h"
#include "src/page/checksum.h"
#include "src/page/database_header.h"

#define PATH "/h.edb"

static uint8_t bytes[PAGE_SIZE_MAX];
static uint32_t page_size = 4096;
static const struct signature signature = {.random = 5};

static struct database_header *header_of(void *page)
{
    return page;
}

static void make(uint32_t size)
{
    struct database_header header;
    page_size = size;
    database_header_init(&header, size, &signature);
    database_header_to_page(&header, bytes, size);
}

static void store(void)
{
    assert_int_equal(EsentHostFileWrite(PATH, 0, bytes, page_size), JET_errSuccess);
    assert_int_equal(EsentHostFileWrite(PATH, page_size, bytes, page_size), JET_errSuccess);
    assert_int_equal(EsentHostFileSetSize(PATH, 4 * page_size), JET_errSuccess);
}

static JET_ERR read_file(struct database_header *header, bool *repaired)
{
    struct os_file *file = NULL;
    JET_ERR err = os_file_open(PATH, OS_OPEN_READ, OS_SHARE_READ, &file);
    if (err == JET_errSuccess)
        err = database_header_read(file, header, repaired);
    os_file_close(file);
    return err;
}

static JET_ERR mend_file(void)
{
    struct os_file *file = NULL;
    JET_ERR err = os_file_open(PATH, OS_OPEN_WRITE, OS_SHARE_NONE, &file);
    if (err == JET_errSuccess)
        err = database_header_mend(file, page_size);
    os_file_close(file);
    return err;
}

/* ---- one copy */

static void as_it_is(void)
{
}
static void of_a_log(void)
{
    header_of(bytes)->file_type = FILE_TYPE_LOG;
}
static void of_a_checkpoint(void)
{
    header_of(bytes)->file_type = FILE_TYPE_CHECKPOINT;
}
static void of_no_type(void)
{
    header_of(bytes)->file_type = 0; /* as old files have it */
}
static void of_another_type(void)
{
    header_of(bytes)->file_type = 77;
}
static void without_magic(void)
{
    header_of(bytes)->magic++;
}
static void too_old(void)
{
    header_of(bytes)->version = 0x10;
}
static void too_new(void)
{
    header_of(bytes)->version = DATABASE_VERSION + 1;
}
static void updated_too_far(void)
{
    header_of(bytes)->update_major = 100000;
}
static void of_no_page_size(void)
{
    header_of(bytes)->page_size = 0; /* 4 KiB, in old files */
}
static void of_an_impossible_size(void)
{
    header_of(bytes)->page_size = 5000;
}
static void of_a_larger_size(void)
{
    header_of(bytes)->page_size = 8192; /* more than there is */
}

static void a_copy_is_judged(void **state)
{
    static const struct {
        void (*change)(void);
        JET_ERR err;
        JET_ERR unsealed; /* where the checksum does not hold either */
    } rows[] = {
        {as_it_is, JET_errSuccess, JET_errSuccess},
        {of_a_log, JET_errFileInvalidType, JET_errReadVerifyFailure},
        {of_a_checkpoint, JET_errFileInvalidType, JET_errReadVerifyFailure},
        {of_no_type, JET_errSuccess, JET_errReadVerifyFailure},
        {of_another_type, JET_errDatabaseCorrupted, JET_errReadVerifyFailure},
        {without_magic, JET_errDatabaseCorrupted, JET_errReadVerifyFailure},
        {too_old, JET_errInvalidDatabaseVersion, JET_errReadVerifyFailure},
        {too_new, JET_errInvalidDatabaseVersion, JET_errReadVerifyFailure},
        {updated_too_far, JET_errInvalidDatabaseVersion, JET_errReadVerifyFailure},
        {of_no_page_size, JET_errSuccess, JET_errReadVerifyFailure},
        {of_an_impossible_size, JET_errReadVerifyFailure, JET_errReadVerifyFailure},
        {of_a_larger_size, JET_errReadVerifyFailure, JET_errReadVerifyFailure},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        make(4096);
        rows[i].change();
        JET_ERR unsealed = database_header_check(bytes, 4096);
        checksum_header_set(bytes, 4096);
        JET_ERR err = database_header_check(bytes, 4096);
        if (err != rows[i].err || unsealed != rows[i].unsealed)
            fail_msg("row %zu: %d, unsealed %d", i, err, unsealed);
    }
    assert_int_equal(database_header_check(bytes, sizeof(struct database_header) - 1),
                     JET_errReadVerifyFailure);
}

/* ---- two copies */

static void flip(uint64_t offset)
{
    assert_int_equal(EsentHostFileCorrupt(PATH, offset, 0x40), JET_errSuccess);
}

static void either_copy_will_do(void **state)
{
    (void)state;
    for (uint32_t size = PAGE_SIZE_MIN; size <= PAGE_SIZE_MAX; size *= 2) {
        for (uint32_t damaged = 0; damaged < 4; damaged++) {
            struct database_header header = {0};
            bool repaired = false;
            make(size);
            store();
            if ((damaged & 1) != 0)
                flip(200);
            if ((damaged & 2) != 0)
                flip(size + 200);
            JET_ERR err = read_file(&header, &repaired);
            assert_int_equal(err, damaged == 3 ? JET_errReadVerifyFailure : JET_errSuccess);
            assert_int_equal(mend_file(), err);
            if (err != JET_errSuccess)
                continue;
            assert_int_equal(repaired, damaged != 0);
            assert_int_equal(header.page_size, size);
            assert_int_equal(read_file(&header, &repaired), JET_errSuccess);
            assert_false(repaired);
            assert_int_equal(read_file(&header, NULL), JET_errSuccess);
        }
    }
}

static void old_files_say_no_page_size(void **state)
{
    (void)state;
    for (int damaged = 0; damaged < 2; damaged++) {
        struct database_header header = {0};
        bool repaired = false;
        make(4096);
        of_no_page_size();
        checksum_header_set(bytes, 4096);
        store();
        if (damaged)
            flip(200);
        assert_int_equal(read_file(&header, &repaired), JET_errSuccess);
        assert_int_equal(header.page_size, 4096);
        assert_int_equal(repaired, damaged);
    }
}

/* The shadow is taken from where a header says it belongs, and from nowhere else. */
static void a_shadow_lies_behind_its_header(void **state)
{
    struct database_header header;
    (void)state;
    make(8192);
    store();
    flip(200);
    assert_int_equal(EsentHostFileWrite(PATH, 4096, bytes, 4096),
                     JET_errSuccess); /* begins too early: half of it */
    make(8192);
    assert_int_equal(EsentHostFileWrite(PATH, 2048, bytes, 8192),
                     JET_errSuccess); /* whole, in the wrong place */
    assert_int_equal(read_file(&header, NULL), JET_errReadVerifyFailure);
    assert_int_equal(EsentHostFileWrite(PATH, 8192, bytes, 8192), JET_errSuccess);
    assert_int_equal(read_file(&header, NULL), JET_errSuccess);
    /* an old header without a page size, at the wrong distance */
    make(4096);
    of_no_page_size();
    checksum_header_set(bytes, 4096);
    store();
    flip(200);
    flip(4096 + 200);
    assert_int_equal(EsentHostFileWrite(PATH, 8192, bytes, 4096), JET_errSuccess);
    assert_int_equal(read_file(&header, NULL), JET_errReadVerifyFailure);
    /* a shadow of a version that is not read here */
    make(4096);
    too_new();
    checksum_header_set(bytes, 4096);
    store();
    flip(200);
    assert_int_equal(read_file(&header, NULL), JET_errInvalidDatabaseVersion);
    assert_int_equal(mend_file(), JET_errInvalidDatabaseVersion);
    assert_int_equal(EsentHostFileSetSize(PATH, 2 * PAGE_SIZE_MIN - 1), JET_errSuccess);
    assert_int_equal(read_file(&header, NULL), JET_errReadVerifyFailure);
}

/* Every allocation and every operation of the file fails once; one good copy remains. */
static void mending_and_writing_can_fail(void **state)
{
    static const enum ESENT_HOST_FAULT kinds[] = {ESENT_HOST_FAULT_ALLOCATE, ESENT_HOST_FAULT_IO};
    (void)state;
    for (size_t k = 0; k < 2; k++) {
        for (int what = 0; what < 3; what++) {
            JET_ERR err = JET_errDiskIO;
            for (uint64_t nth = 1; err != JET_errSuccess; nth++) {
                struct database_header header;
                struct os_file *file = NULL;
                database_header_init(&header, 4096, &signature);
                make(4096);
                store();
                if (what != 0)
                    flip(what == 1 ? 200 : 4096 + 200);
                assert_int_equal(os_file_open(PATH, OS_OPEN_WRITE, OS_SHARE_NONE, &file), JET_errSuccess);
                EsentHostFailNth(kinds[k], nth, 1);
                err = what == 0 ? database_header_write(file, &header) : database_header_mend(file, 4096);
                EsentHostFailNone();
                os_file_close(file);
                assert_true(err == JET_errSuccess || err == (k == 0 ? JET_errOutOfMemory : JET_errDiskIO));
                assert_int_equal(read_file(&header, NULL), JET_errSuccess);
                assert_int_equal(os_memory_live_count(), 0);
                assert_true(nth < 20);
            }
        }
    }
    /* and reading, of a good file and of one with a shadow alone */
    for (size_t k = 0; k < 2; k++) {
        for (int damaged = 0; damaged < 2; damaged++) {
            JET_ERR err = JET_errDiskIO;
            make(8192);
            store();
            if (damaged)
                flip(200);
            for (uint64_t nth = 1; err != JET_errSuccess; nth++) {
                struct database_header header;
                EsentHostFailNth(kinds[k], nth, 1);
                err = read_file(&header, NULL);
                EsentHostFailNone();
                assert_true(err == JET_errSuccess || err == (k == 0 ? JET_errOutOfMemory : JET_errDiskIO));
            }
        }
    }
}

static void states_keep_their_generations(void **state)
{
    struct database_header header;
    const struct log_time time = {.year = 100};
    (void)state;
    database_header_init(&header, 4096, &signature);
    database_header_set_state(&header, DATABASE_DIRTY_SHUTDOWN, 3, 7, &time);
    assert_int_equal(header.generation_min_required, 3);
    assert_int_equal(header.generation_max_committed, 7);
    assert_int_equal(header.generation_max_create_time.year, 100);
    database_header_set_state(&header, DATABASE_DIRTY_SHUTDOWN, 3, 7, NULL);
    assert_int_equal(header.generation_max_create_time.year, 0);
    database_header_set_state(&header, DATABASE_CLEAN_SHUTDOWN, 0, 0, &time);
    assert_int_equal(header.generation_max_required, 0);
    assert_int_equal(header.generation_max_create_time.year, 0);
}

static int use_memory(void **state)
{
    (void)state;
    return EsentHostUseMemoryFiles();
}

static int end_world(void **state)
{
    (void)state;
    EsentHostFailNone();
    return EsentHostReset(NULL, 0) == 0 ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_copy_is_judged, use_memory, end_world),
        cmocka_unit_test_setup_teardown(either_copy_will_do, use_memory, end_world),
        cmocka_unit_test_setup_teardown(old_files_say_no_page_size, use_memory, end_world),
        cmocka_unit_test_setup_teardown(a_shadow_lies_behind_its_header, use_memory, end_world),
        cmocka_unit_test_setup_teardown(mending_and_writing_can_fail, use_memory, end_world),
        cmocka_unit_test_setup_teardown(states_keep_their_generations, use_memory, end_world),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
