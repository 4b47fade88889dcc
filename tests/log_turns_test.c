/* The last records of an instance meet the end of a log, at each distance from it: what the next log's header
 * says is attached, and whether a start without a checkpoint makes of it what it was. */
#include "tests/recovery_start_world.h"

#include "src/os/path.h"

#define SEGMENTS 32u /* of a log of 128 KiB, its header's among them */

/* How many databases the header of a log names. */
static unsigned attached_in(const char *path)
{
    struct log_file_header header;
    struct attachment attachment;
    char name[OS_PATH_SIZE];
    size_t offset = 0;
    unsigned count = 0;
    read_first(path);
    memcpy(&header, bytes, sizeof header);
    while (attachment_next(header.attachments, sizeof header.attachments, &offset, &attachment, name,
                           sizeof name))
        count++;
    return count;
}

static int32_t current_generation(uint32_t *segments)
{
    struct log_file_reader *reader = NULL;
    OK(log_file_open("/a/edb.log", &reader));
    const int32_t generation = log_file_reader_header(reader)->generation;
    *segments = log_file_reader_end(reader)->end.sector - LOG_HEADER_SECTORS;
    log_file_close(reader);
    return generation;
}

/* Commits, each of which fills the rest of a segment. */
static void commit(unsigned times)
{
    for (unsigned i = 0; i < times; i++) {
        OK(JetBeginTransaction(session));
        add_row();
        OK(JetCommitTransaction(session, 0));
    }
}

/* The end makes durable a mark, behind which nothing is attached, and then its own record. */
static void ends_at_the_end_of_a_log(void **state)
{
    unsigned turned_by_mark = 0;
    unsigned turned_by_end = 0;
    uint32_t segments;
    (void)state;
    for (unsigned commits = 0; commits < SEGMENTS; commits++) {
        begin_case(2);
        OK(start());
        assert_int_equal(rows(), ROWS);
        commit(commits);
        const int32_t before = current_generation(&segments);
        OK(JetTerm2(instance, JET_bitTermComplete));
        if (current_generation(&segments) != before) {
            assert_in_range(segments, 1, 2);
            turned_by_mark += segments == 2;
            turned_by_end += segments == 1;
            assert_int_equal(attached_in("/a/edb.log"), segments == 2);
        }
        remove_file("/a/edb.chk");
        OK(start());
        assert_int_equal(rows(), ROWS + commits);
        OK(JetTerm2(instance, JET_bitTermComplete));
    }
    assert_int_equal(turned_by_mark, 1);
    assert_int_equal(turned_by_end, 1);
}

static int begin(void **state)
{
    (void)state;
    make_world();
    return 0;
}

static int end(void **state)
{
    (void)state;
    EsentHostCrash();
    return EsentHostReset(NULL, 0) == 0 ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ends_at_the_end_of_a_log),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
