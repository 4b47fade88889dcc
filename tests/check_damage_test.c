/* What the checker says to each kind of damage: a database made here, one thing in it changed, its checksums
 * put right. */
#if !defined(_GNU_SOURCE)
#define _GNU_SOURCE 1
#endif

#include "tests/check_damages_rows.h"

enum { FINDING, WARNING, NOTHING };

static const struct {
    const char *name;
    void (*damage)(void);
    int answer;
    const char *kind;
    const char *text;
} rows[] = {
#define BAD(damage, kind, text)                                                                              \
    {                                                                                                        \
#damage, damage, FINDING, kind, text                                                                 \
    }
#define WARN(damage, kind, text)                                                                             \
    {                                                                                                        \
#damage, damage, WARNING, kind, text                                                                 \
    }
#define GOOD(damage)                                                                                         \
    {                                                                                                        \
#damage, damage, NOTHING, "", ""                                                                     \
    }
    GOOD(nothing),
    BAD(root_without_flag, "space", "no root page"),
    BAD(empty_leaf, "tree", "an empty page is in the tree"),
    BAD(unborn_leaf, "tree", "an empty page is in the tree"),
    BAD(leaf_and_parent, "tree", "leaf and parent of leaves at once"),
    BAD(leaf_of_an_index, "tree", "the page's flags are of another kind of tree"),
    BAD(leaf_of_another_object, "tree", "the page belongs to another object"),
    BAD(leaf_of_the_future, "tree", "the page was modified after the database's last time"),
    WARN(leaf_with_root_flag, "tree", "a root flag below the root"),
    BAD(root_not_parent_of_leaves, "tree", "parent-of-leaf flag in the wrong place"),
    BAD(child_outside, "tree", "a link leads outside the file"),
    BAD(child_twice, "tree", "the page is used twice"),
    BAD(child_of_space, "space", "the page is used twice"),
    BAD(last_leaf_goes_on, "tree", "the last page of a level has a next page"),
    BAD(other_next_leaf, "tree", "the next page is another than the link says"),
    BAD(other_previous_leaf, "tree", "the previous page is another than the link says"),
    BAD(nodes_exchanged, "tree", "nodes are not in order"),
    BAD(leaf_begins_too_early, "tree", "the first node is not behind the last of the page before"),
    BAD(leaf_ends_too_late, "tree", "the last node is not before the separator of the parent"),
    BAD(separators_exchanged, "tree", "a separator makes no sense"),
    BAD(separator_too_long, "tree", "a separator makes no sense"),
    BAD(branch_without_children, "tree", "a branch page without children"),
    BAD(tree_too_deep, "tree", "the tree is too deep"),
    BAD(leaves_at_different_depths, "tree", "leaves at different depths"),
    BAD(zero_child, "tree", "a page in use is all zero"),
    BAD(tags_overlap, "page", "tags or nodes make no sense"),
    BAD(extent_of_three_bytes, "space", "an extent makes no sense"),
    BAD(extent_with_a_long_key, "space", "an extent makes no sense"),
    BAD(owned_extent_of_a_pool, "space", "an extent makes no sense"),
    BAD(extent_of_no_pages, "space", "an extent of impossible size"),
    BAD(extent_of_too_many_pages, "space", "an extent of impossible size"),
    BAD(extent_that_ends_at_zero, "space", "an extent of impossible size"),
    BAD(extent_beyond_the_end, "space", "an extent reaches beyond the end of the file"),
    BAD(extents_that_overlap, "space", "two extents overlap"),
    GOOD(empty_pool),
    BAD(available_to_another, "space", "available to a tree that does not own it"),
    BAD(used_page_in_a_pool, "space", "the page is used twice"),
    BAD(available_twice, "space", "a page is available and in use"),
    BAD(database_root_available, "space", "the database's root page is used otherwise"),
    WARN(small_split_buffer, "space", "a split buffer of 8 bytes"),
    GOOD(no_split_buffer),
    BAD(split_buffer_before_the_file, "space", "a split buffer makes no sense"),
    BAD(split_buffer_behind_the_file, "space", "a split buffer makes no sense"),
    BAD(root_without_space_header, "space", "its space header is missing"),
    BAD(root_with_fields_but_no_space, "space", "its space header is missing"),
    BAD(parent_that_is_no_tree, "space", "its parent at 77 is no tree"),
    BAD(parents_in_a_ring, "space", "parents form a ring"),
    BAD(root_with_a_parent, "space", "the database's root has a parent"),
    BAD(not_unique, "space", "differ on uniqueness"),
    BAD(single_extent_of_nothing, "space", "a single extent of 0 pages"),
    BAD(single_extent_of_forty, "space", "a single extent of 40 pages"),
    BAD(single_extent_cut_off, "space", "a single extent of 8 pages"),
    BAD(bit_behind_the_extent, "space", "a page behind the single extent is available"),
    BAD(space_trees_nowhere, "space", "the space trees lie outside the file"),
    BAD(space_trees_behind, "space", "the space trees lie outside the file"),
    BAD(space_trees_unreadable, "tree", "a page in use is all zero"),
    BAD(unreadable_root, "checksum", "the checksum does not hold"),
    BAD(value_root_too_short, "long value", "its root makes no sense"),
    BAD(value_without_references, "long value", "records refer to it, but it is deleted"),
    BAD(value_with_all_references, "long value", "records refer to it, but it is deleted"),
    BAD(value_deleted, "long value", "records refer to it, but it is deleted"),
    BAD(value_with_two_references, "long value", "counts 2 references, records have 1"),
    BAD(value_too_small, "long value", "a chunk lies beyond the end"),
    BAD(value_too_small, "long value", "a chunk is longer than what is left"),
    BAD(value_too_large, "long value", "the chunks do not add up to its size"),
    GOOD(encrypted_value),
    BAD(value_gone, "long value", "a chunk without its root"),
    BAD(value_gone, "long value", "records refer to it, but it does not exist"),
    BAD(first_chunk_gone, "long value", "a chunk is at the wrong offset"),
    BAD(last_chunk_gone, "long value", "the chunks do not add up to its size"),
    BAD(key_of_five, "long value", "a key of 5 bytes"),
    WARN(rows_without_reference, "long value", "no record refers to it"),
    BAD(entry_gone, "index", "entries for 400 records"),
    BAD(entry_to_nowhere, "index", "leads to no record"),
    BAD(row_without_columns, "catalog", "a record lacks its fixed columns"),
    BAD(row_without_type, "catalog", "a record lacks its fixed columns"),
    BAD(root_nowhere, "catalog", "has its root at page 99999"),
    BAD(root_zero, "catalog", "has its root at page 0"),
    BAD(other_table_id, "catalog", "a table with another object's id 9999"),
    BAD(unknown_type, "catalog", "an object of unknown type 77"),
    WARN(callback_type, "space", "pages are owned but neither used nor available"),
    BAD(index_of_no_table, "catalog", "belongs to no table"),
    BAD(two_roots, "catalog", "two objects have this root"),
    BAD(two_ids, "catalog", "two objects have this id"),
    BAD(id_too_high, "catalog", "the last object id of the header is"),
    BAD(shadow_differs, "catalog", "records of the catalog and its shadow differ"),
    BAD(state_zero, "header", "unknown state 0"),
    BAD(state_too_high, "header", "unknown state 99"),
    BAD(clean_but_requires_logs, "header", "a clean database requires log generations 3 to 3"),
    BAD(clean_but_requires_a_log, "header", "a clean database requires log generations 0 to 3"),
    BAD(requires_backwards, "header", "required log generations 3 to 0"),
    BAD(row_without_kind, "catalog", "a record lacks its fixed columns"),
    BAD(row_without_id, "catalog", "a record lacks its fixed columns"),
    BAD(row_without_root, "catalog", "a record lacks its fixed columns"),
    BAD(row_without_space, "catalog", "a record lacks its fixed columns"),
    BAD(row_without_flags, "catalog", "a record lacks its fixed columns"),
    BAD(index_without_name, "index", "index \"\" has 399 entries for 400 records"),
    GOOD(column_of_no_type),
    GOOD(column_without_id),
    GOOD(column_without_place),
    BAD(two_trees_of_values, "tree", "the page's flags are of another kind of tree"),
    BAD(condition_of_no_bytes, "index", "index \"sometimes\" has 2 entries for 4 records"),
    GOOD(limits_of_no_bytes),
    BAD(catalog_unreadable, "tree", "a page in use is all zero"),
    WARN(wide_value, "long value", "long value 9223372036854775813: no record refers to it"),
    BAD(wide_value_without_its_chunk, "long value", "the chunks do not add up to its size"),
    WARN(wide_value_with_its_chunk, "long value", "no record refers to it"),
    BAD(wide_chunk_too_long, "long value", "a chunk is longer than what is left"),
    BAD(key_of_thirteen, "long value", "a key of 12 bytes"),
    BAD(value_of_nothing, "long value", "a chunk is longer than what is left"),
    GOOD(value_with_flags),
    BAD(second_value_gone, "long value", "a chunk without its root"),
    BAD(values_unreadable, "tree", "a page in use is all zero"),
    BAD(child_zero, "page", "tags or nodes make no sense"),
    BAD(empty_separator, "page", "tags or nodes make no sense"),
    BAD(separator_behind_the_parents, "tree", "a separator makes no sense"),
    BAD(equal_entries_exchanged, "tree", "nodes are not in order"),
    BAD(one_bit_wrong, "checksum", "one bit is wrong"),
    WARN(header_differs_from_shadow, "header", "header and shadow header differ"),
    WARN(ends_within_a_page, "header", "the file ends within a page"),
};

struct search {
    size_t row;
    bool found;
    bool warning;
    char first[300];
};

static void look_for(void *context, const struct ESENT_HOST_FINDING *finding)
{
    struct search *search = context;
    if (search->first[0] == 0)
        snprintf(search->first, sizeof search->first, "%s: page %u: %s", finding->kind, finding->page,
                 finding->text);
    if (search->found || strcmp(finding->kind, rows[search->row].kind) != 0 ||
        strstr(finding->text, rows[search->row].text) == NULL)
        return;
    search->found = true;
    search->warning = finding->warning;
}

static JET_ERR check_file(struct search *search)
{
    OK(EsentHostFileWrite(PATH, 0, file, file_size));
    OK(EsentHostFileSetSize(PATH, file_size));
    return EsentHostCheckDatabase(PATH, look_for, search);
}

static void each_damage_has_its_name(void **state)
{
    (void)state;
    uint32_t wrong = 0;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct search search = {.row = i};
        memcpy(file, golden, golden_size);
        file_size = golden_size;
        if (getenv("VERBOSE") != NULL)
            print_message("%s\n", rows[i].name);
        rows[i].damage();
        JET_ERR err = check_file(&search);
        bool right = rows[i].answer == NOTHING ? search.first[0] == 0 && err == JET_errSuccess
                     : rows[i].answer == WARNING
                         ? search.found && search.warning
                         : search.found && !search.warning && err == JET_errDatabaseCorrupted;
        if (!right)
            print_error("%s: %d, first: %s\n", rows[i].name, err, search.first);
        wrong += !right;
        assert_int_equal(os_memory_live_count(), 0);
    }
    assert_int_equal(wrong, 0);
}

/* A database that was not closed: its pages are of different times, so that only its header and its checksums
 * count. */
static void set_dirty(struct database_header *header)
{
    header->state = DATABASE_DIRTY_SHUTDOWN;
}

static void a_dirty_database_is_judged_mildly(void **state)
{
    (void)state;
    static const struct {
        void (*damage)(void);
        JET_ERR err;
    } cases[] = {
        {nothing, JET_errDatabaseDirtyShutdown},
        {leaf_of_the_future, JET_errDatabaseDirtyShutdown},
        {child_outside, JET_errDatabaseDirtyShutdown},
        {id_too_high, JET_errDatabaseDirtyShutdown},
        {clean_but_requires_logs, JET_errDatabaseDirtyShutdown},
        {requires_backwards, JET_errDatabaseCorrupted},
        {unreadable_root, JET_errDatabaseCorrupted},
        {trailer_of_a_backup, JET_errDatabaseDirtyShutdown},
        {last_page_unreadable, JET_errDatabaseCorrupted},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct search search = {.row = 0};
        memcpy(file, golden, golden_size);
        file_size = golden_size;
        cases[i].damage();
        change_header(set_dirty);
        JET_ERR err = check_file(&search);
        if (err != cases[i].err)
            fail_msg("case %zu: %d, first: %s", i, err, search.first);
    }
    /* of a clean database that page is damage */
    memcpy(file, golden, golden_size);
    trailer_of_a_backup();
    struct search search = {.row = 0};
    assert_int_equal(check_file(&search), JET_errDatabaseCorrupted);
    assert_int_equal(EsentHostCheckDatabase(PATH, NULL, NULL), JET_errDatabaseCorrupted);
}

static void two_pages_are_no_database(void **state)
{
    (void)state;
    struct search search = {.row = 0};
    memcpy(file, golden, golden_size);
    file_of_two_pages();
    assert_int_equal(check_file(&search), JET_errDatabaseCorrupted);
}

/* Pages of 16 KiB and more say which they are. */
static void large_pages_know_their_number(void **state)
{
    (void)state;
    struct search search = {.row = 0};
    memcpy(file, golden, golden_size);
    file_size = golden_size;
    assert_int_equal(check_file(&search), JET_errSuccess);
    assert_string_equal(search.first, "");
    struct page root = table_root();
    struct page page = page_at(node_child(&root, 0));
    ((struct large_page_header *)(void *)page.data)->number++;
    seal(page);
    assert_int_equal(check_file(&search), JET_errDatabaseCorrupted);
    assert_non_null(strstr(search.first, "the page has another page's number"));
}

static void reading_and_memory_can_fail(void **state)
{
    static const struct {
        enum ESENT_HOST_FAULT kind;
        JET_ERR err;
    } kinds[] = {{ESENT_HOST_FAULT_ALLOCATE, JET_errOutOfMemory}, {ESENT_HOST_FAULT_READ, JET_errDiskIO}};
    (void)state;
    memcpy(file, golden, golden_size);
    file_size = golden_size;
    for (size_t k = 0; k < 2; k++) {
        JET_ERR err = JET_errSuccess;
        uint64_t nth = 1;
        do {
            struct search search = {.row = 0};
            (void)check_file(&search);
            EsentHostFailNth(kinds[k].kind, nth, 1);
            err = EsentHostCheckDatabase(PATH, NULL, NULL);
            bool failed = EsentHostCountFailures(kinds[k].kind) > 0;
            EsentHostFailNone();
            EsentHostResetCounters();
            assert_int_equal(err, failed ? kinds[k].err : JET_errSuccess);
            assert_int_equal(os_memory_live_count(), 0);
            nth++;
        } while (err != JET_errSuccess);
        assert_true(nth > 20);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_damage_has_its_name),
        cmocka_unit_test(a_dirty_database_is_judged_mildly),
        cmocka_unit_test(two_pages_are_no_database),
        cmocka_unit_test(reading_and_memory_can_fail),
    };
    const struct CMUnitTest large[] = {cmocka_unit_test(large_pages_know_their_number)};
    int failed = cmocka_run_group_tests(tests, make_database, end_world);
    return failed + cmocka_run_group_tests(large, make_large_pages, end_world);
}
