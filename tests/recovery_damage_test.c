/* Recovery from logs that lie: records are changed at random and their checksums made good. Whatever JetInit
 * answers, nothing is read or written out of bounds, nothing leaks, and nothing runs on for ever. How often:
 * RECOVERY_DAMAGES (default 300). */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "include/esent_host.h"
#include "src/log/log_file_header.h"
#include "src/log/log_reader.h"
#include "src/page/checksum.h"
#include "tests/kill_workload.h"

#define DIRECTORY "/r/"
#define PAGE_SIZE 4096u
#define PLACES_MAX 20000u

static void set_page_size(void)
{
    assert_int_equal(JetSetSystemParameterA(NULL, 0, JET_paramDatabasePageSize, PAGE_SIZE, NULL),
                     JET_errSuccess);
}

#define DO(engine, call)                                                                                     \
    do {                                                                                                     \
        JET_ERR answer = (call);                                                                             \
        if (answer < JET_errSuccess)                                                                         \
            fail_msg("%s answered %d", (engine).failed, (int)answer);                                        \
    } while (0)

/* A crashed instance with a few generations of log. */
static void leave_crashed(void)
{
    static struct workload_engine engine;
    struct workload workload = {.seed = 77};
    const struct ESENT_HOST_SIMULATION simulation = {.seed = 1};
    struct workload_row rows[WORKLOAD_IDS];
    assert_int_equal(EsentHostReset(NULL, 0), 0);
    assert_int_equal(EsentHostUseMemoryFiles(), JET_errSuccess);
    assert_int_equal(EsentHostUseSimulation(&simulation), JET_errSuccess);
    assert_int_equal(EsentHostDirectoryCreate(DIRECTORY), JET_errSuccess);
    set_page_size();
    memset(&engine, 0, sizeof(engine));
    DO(engine, workload_init(&engine, DIRECTORY));
    DO(engine, workload_create(&engine, DIRECTORY "w.edb"));
    for (unsigned i = 0; i < 40; i++)
        DO(engine, workload_run(&engine, &workload));
    struct workload_transaction running = workload_next(&workload, rows);
    DO(engine, JetBeginTransaction(engine.session));
    for (uint32_t i = 0; i < running.count; i++)
        DO(engine, workload_step(&engine, &running.steps[i]));
    JET_SESID other;
    assert_int_equal(JetBeginSessionA(engine.instance, &other, NULL, NULL), JET_errSuccess);
    assert_int_equal(JetCommitTransaction(other, JET_bitWaitAllLevel0Commit), JET_errSuccess);
    EsentHostCrash();
}

/* --- places: the records of all files --- */

struct place {
    unsigned file;
    uint32_t offset; /* in the file, of a record's first byte */
};

static char paths[16][64];
static unsigned path_count;
static struct place places[PLACES_MAX];
static unsigned place_count;

static void find_places(void)
{
    path_count = 0;
    place_count = 0;
    for (int generation = 1; path_count < 15; generation++) {
        struct ESENT_HOST_FILE_INFO info;
        snprintf(paths[path_count], sizeof(paths[0]), DIRECTORY "edb%05X.log", (unsigned)generation);
        if (EsentHostFileInfo(paths[path_count], &info) != JET_errSuccess)
            break;
        path_count++;
    }
    snprintf(paths[path_count++], sizeof(paths[0]), DIRECTORY "edb.log");
    for (unsigned file = 0; file < path_count; file++) {
        struct log_file_reader *reader = NULL;
        const struct log_record_header *record;
        size_t size;
        struct log_position position;
        assert_int_equal(log_file_open(paths[file], &reader), JET_errSuccess);
        assert_int_equal(log_file_seek(reader, LOG_POSITION_MIN), JET_errSuccess);
        while (log_file_next(reader, &record, &size, &position) == JET_errSuccess) {
            uint32_t byte = position.byte == 0 ? (uint32_t)sizeof(struct log_segment_header) : position.byte;
            if (place_count < PLACES_MAX && record->type != LOG_RECORD_NOP2)
                places[place_count++] = (struct place){file, position.sector * LOG_SECTOR_SIZE + byte};
        }
        log_file_close(reader);
    }
    assert_true(place_count > 100);
}

/* --- damage --- */

static void read_block(const char *path, uint64_t offset, void *block)
{
    size_t done = 0;
    assert_int_equal(EsentHostFileRead(path, offset, block, LOG_SECTOR_SIZE, &done), JET_errSuccess);
    assert_int_equal(done, LOG_SECTOR_SIZE);
}

/* The next file says what the checksums of this one's segments come to. */
static void follow(unsigned file, uint64_t difference)
{
    struct log_file_header header;
    if (file + 1 >= path_count)
        return;
    read_block(paths[file + 1], 0, &header);
    header.previous_segments_checksum ^= difference;
    checksum_header_set(&header, sizeof(header));
    assert_int_equal(EsentHostFileWrite(paths[file + 1], 0, &header, sizeof(header)), JET_errSuccess);
}

static void damage_one(uint64_t *random)
{
    static const uint8_t tempting[] = {0, 1, 0x7f, 0x80, 0xff};
    uint8_t segment[LOG_SECTOR_SIZE];
    struct log_segment_header header;
    const struct place *place = &places[workload_random(random, place_count)];
    uint32_t sector = place->offset / LOG_SECTOR_SIZE;
    uint32_t reach = workload_random(random, 4) == 0 ? 400 : 64;
    uint32_t at = place->offset % LOG_SECTOR_SIZE + workload_random(random, reach);
    read_block(paths[place->file], (uint64_t)sector * LOG_SECTOR_SIZE, segment);
    if (at >= LOG_SECTOR_SIZE)
        at = LOG_SECTOR_SIZE - 1;
    switch (workload_random(random, 3)) {
    case 0:
        segment[at] ^= (uint8_t)(1u << workload_random(random, 8));
        break;
    case 1:
        segment[at] = tempting[workload_random(random, sizeof(tempting))];
        break;
    default:
        segment[at] = (uint8_t)(segment[at] + 1);
        break;
    }
    memcpy(&header, segment, sizeof(header));
    uint64_t before = header.checksum;
    header.checksum = checksum_block(segment, LOG_SECTOR_SIZE, sector, true);
    memcpy(segment, &header.checksum, sizeof(header.checksum));
    assert_int_equal(
        EsentHostFileWrite(paths[place->file], (uint64_t)sector * LOG_SECTOR_SIZE, segment, sizeof(segment)),
        JET_errSuccess);
    follow(place->file, before ^ header.checksum);
}

static void recover_damaged(uint64_t seed, bool without_database, unsigned *answers)
{
    static struct workload_engine engine;
    uint64_t random = seed;
    assert_int_equal(EsentHostFilesRestore(1), JET_errSuccess);
    unsigned count = 1 + workload_random(&random, 3);
    for (unsigned i = 0; i < count; i++)
        damage_one(&random);
    if (without_database)
        assert_int_equal(EsentHostFileDelete(DIRECTORY "w.edb"), JET_errSuccess);
    set_page_size();
    memset(&engine, 0, sizeof(engine));
    JET_ERR err = workload_init(&engine, DIRECTORY);
    answers[err < JET_errSuccess]++;
    if (err >= JET_errSuccess) {
        /* Recovered: what the log said may be nonsense, but the checker and the engine can read it. */
        (void)workload_open(&engine, DIRECTORY "w.edb");
        (void)JetTerm2(engine.instance, JET_bitTermAbrupt);
        (void)EsentHostCheckDatabase(DIRECTORY "w.edb", NULL, NULL);
    }
    EsentHostCrash();
}

static void records_may_lie(void **state)
{
    const char *given = getenv("RECOVERY_DAMAGES");
    unsigned rounds = given != NULL ? (unsigned)strtoul(given, NULL, 10) : 300;
    const char *first = getenv("RECOVERY_DAMAGE_FIRST");
    uint64_t seed = first != NULL ? strtoull(first, NULL, 10) : 0;
    unsigned answers[2] = {0, 0};
    char report[500] = "";
    (void)state;
    leave_crashed();
    assert_int_equal(EsentHostFilesSave(1), JET_errSuccess);
    find_places();
    for (unsigned i = 0; i < rounds; i++) {
        if (getenv("RECOVERY_DAMAGE_TELL") != NULL)
            fprintf(stderr, "seed %llu\n", (unsigned long long)(seed + i));
        recover_damaged(seed + i, (seed + i) % 2 == 0, answers);
    }
    print_message("%u recovered, %u refused\n", answers[0], answers[1]);
    if (EsentHostReset(report, sizeof(report)) != 0)
        fail_msg("leaks: %s", report);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_may_lie),
    };
    (void)argc;
    (void)argv;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
