/* Every page that an operation reads, read wrongly in each of many ways: a disk that fails, a page that is
 * another, that is empty, that points into a circle... The operation answers an error that says so, or what
 * it would have answered; nothing stays latched, nothing leaks. Where only the reading failed, it goes
 * through when it is repeated. */
#if !defined(_GNU_SOURCE)
#define _GNU_SOURCE 1
#endif

#include "tests/btree_reads_operations.h"

static void start(void)
{
    restore();
    open_world();
    assert_int_equal(database_open_file(database, false), JET_errSuccess);
    reads = 0;
    abandoned = false;
}

static void finish(void)
{
    target = 0;
    close_world();
    assert_int_equal(os_memory_live_count(), 0);
}

/* Whether all that is there is whole. */
static void check_world(const char *name)
{
    static const size_t kept[] = {SMALL, INDEX, EMPTY};
    struct tree_report report;
    struct tree *tree = NULL;
    for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++) {
        tree = open_tree(kept[i]);
        assert_non_null(tree);
        if (btree_check_space(tree, &report) != JET_errSuccess)
            fail_msg("%s: page %u: %s", name, report.where, report.problem);
        tree_close(tree);
    }
}

static void reading_fails_and_succeeds_again(void **state)
{
    static const struct damage kinds[] = {
        {.name = "disk", .fails = JET_errDiskIO},
        {.name = "unreadable", .unreadable = true},
    };
    (void)state;
    for (size_t kind = 0; kind < sizeof kinds / sizeof kinds[0]; kind++) {
        damage = &kinds[kind];
        cache_pages = kind == 0 ? 1 : 2000;
        for (size_t i = 0; i < OPERATIONS; i++) {
            start();
            JET_ERR err = operations[i].run();
            if (err != JET_errSuccess)
                fail_msg("%s: %d", operations[i].name, err);
            uint32_t count = reads;
            if (getenv("VERBOSE") != NULL)
                print_message("%s %u\n", operations[i].name, count);
            check_world(operations[i].name);
            finish();
            for (uint32_t nth = 1; nth <= count; nth++) {
                start();
                target = nth;
                err = operations[i].run();
                if (err != JET_errSuccess && err != (kind == 0 ? JET_errDiskIO : JET_errReadVerifyFailure))
                    fail_msg("%s: read %u %s: %d", operations[i].name, nth, damage->name, err);
                err = operations[i].run();
                /* trees that come, or go, do so twice */
                if (err != JET_errSuccess && operations[i].run != free_large)
                    fail_msg("%s: read %u %s, again: %d", operations[i].name, nth, damage->name, err);
                check_world(operations[i].name);
                finish();
            }
        }
    }
}

/* As above for memory: each allocation fails once. */
static void memory_fails_and_succeeds_again(void **state)
{
    (void)state;
    for (size_t i = 0; i < OPERATIONS; i++) {
        uint64_t nth = 1;
        for (JET_ERR err = JET_errOutOfMemory; err != JET_errSuccess; nth++) {
            start();
            EsentHostFailNth(ESENT_HOST_FAULT_ALLOCATE, nth, 1);
            err = operations[i].run();
            uint64_t failures = EsentHostCountFailures(ESENT_HOST_FAULT_ALLOCATE);
            EsentHostFailNone();
            EsentHostResetCounters();
            if (err != JET_errSuccess && err != JET_errOutOfMemory)
                fail_msg("%s: allocation %llu: %d", operations[i].name, (unsigned long long)nth, err);
            if (err == JET_errSuccess && failures != 0)
                err = JET_errOutOfMemory; /* it did without */
            JET_ERR again = operations[i].run();
            if (again != JET_errSuccess && operations[i].run != free_large)
                fail_msg("%s: allocation %llu, again: %d", operations[i].name, (unsigned long long)nth,
                         again);
            check_world(operations[i].name);
            finish();
        }
        assert_true(nth > 2);
    }
}

/* ---- pages that are read whole, but are not what they should be */

static void of_another_tree(struct page *page)
{
    page_header(page)->tree++;
}
static void leaf_or_not(struct page *page)
{
    page_header(page)->flags ^= PAGE_LEAF;
}
static void root_or_not(struct page *page)
{
    page_header(page)->flags ^= PAGE_ROOT;
}
static void space_or_not(struct page *page)
{
    page_header(page)->flags ^= PAGE_SPACE_TREE;
}
static void next_is_itself(struct page *page)
{
    page_header(page)->next = page->number;
}
static void next_is_nowhere(struct page *page)
{
    page_header(page)->next = 100000;
}
static void next_is_the_first(struct page *page)
{
    page_header(page)->next = ROOT_PAGE_DATABASE;
}
static void previous_is_itself(struct page *page)
{
    page_header(page)->previous = page->number;
}
static void previous_is_the_first(struct page *page)
{
    page_header(page)->previous = ROOT_PAGE_DATABASE;
}
static void all_zero(struct page *page)
{
    memset(page->data, 0, page->size);
}
static void without_lines(struct page *page)
{
    page_delete_lines(page, 0, page_line_count(page));
}
static void without_last_line(struct page *page)
{
    if (page_line_count(page) > 0)
        page_delete_lines(page, page_line_count(page) - 1, 1);
}
static void from_the_future(struct page *page)
{
    page_header(page)->modified += 1000000;
}

/* Branch pages: all pointers to one place. */
static void point_to(struct page *page, page_number number)
{
    if (page_is_leaf(page))
        return;
    for (uint32_t line = 0; line < page_line_count(page); line++) {
        if (node_get(page, line).data.size == sizeof number)
            node_replace_data(page, line, span_of(&number, sizeof number));
    }
}
static void children_are_itself(struct page *page)
{
    point_to(page, page->number);
}
static void children_are_one(struct page *page)
{
    if (!page_is_leaf(page))
        point_to(page, node_child(page, 0));
}
static void children_are_the_root(struct page *page)
{
    point_to(page, ROOT_PAGE_DATABASE);
}
static void children_are_nowhere(struct page *page)
{
    point_to(page, 99999);
}

/* Roots: the external header. */
static void without_header(struct page *page)
{
    if (page_is_root(page))
        page_set_external_header(page, NULL, 0);
}
static void header_of_a_byte(struct page *page)
{
    struct span part = span_of("\xff", 1);
    if (page_is_root(page))
        page_set_external_header(page, &part, 1);
}
static void change_header(struct page *page, size_t offset, uint32_t value)
{
    struct line line = page_external_header(page);
    if (page_is_root(page) && line.size >= offset + sizeof value)
        memcpy(line.data + offset, &value, sizeof value);
}
static void header_with_no_pages(struct page *page)
{
    change_header(page, 0, 0);
}
static void header_with_all_pages(struct page *page)
{
    change_header(page, 0, UINT32_MAX);
}
static void header_with_many_pages(struct page *page)
{
    change_header(page, 0, 240);
}
static void header_with_other_parent(struct page *page)
{
    change_header(page, 4, page->number);
}
static void header_with_large_parent(struct page *page)
{
    change_header(page, 4, roots[CHILD]);
}
static void header_with_space_tree_as_parent(struct page *page)
{
    change_header(page, 4, ROOT_PAGE_DATABASE_OWNED);
}
static void header_with_no_parent(struct page *page)
{
    change_header(page, 4, 0);
}
static void header_with_one_extent(struct page *page)
{
    change_header(page, 8, 0);
}
static void header_with_extents(struct page *page)
{
    change_header(page, 8, SPACE_MULTIPLE_EXTENT);
}
static void header_with_other_extents(struct page *page)
{
    change_header(page, 12, roots[SMALL]);
}
static void header_with_free_bits(struct page *page)
{
    change_header(page, 12, UINT32_MAX);
}
static void header_with_no_bits(struct page *page)
{
    change_header(page, 12, 0);
}

/* Extents: leaves of space trees. */
static void change_extents(struct page *page, uint32_t value)
{
    if (!page_has_flag(page, PAGE_SPACE_TREE) || !page_is_leaf(page))
        return;
    for (uint32_t line = 0; line < page_line_count(page); line++)
        node_replace_data(page, line, span_of(&value, sizeof value));
}
static void extents_of_nothing(struct page *page)
{
    change_extents(page, 0);
}
static void extents_of_all(struct page *page)
{
    change_extents(page, UINT32_MAX);
}
static void extents_of_more(struct page *page)
{
    change_extents(page, 200);
}
static void extents_of_one(struct page *page)
{
    change_extents(page, 1);
}
static void extents_of_no_number(struct page *page)
{
    for (uint32_t line = 0;
         page_has_flag(page, PAGE_SPACE_TREE) && page_is_leaf(page) && line < page_line_count(page); line++)
        node_replace_data(page, line, span_of("ab", 2));
}
static void an_extent_beyond_the_end(struct page *page)
{
    static const uint8_t key[4] = {0, 9, 0, 0};
    uint32_t pages = 3;
    struct node node = {key_of(key, 4), span_of(&pages, sizeof pages), 0};
    if (page_has_flag(page, PAGE_SPACE_TREE) && page_is_leaf(page) && page_has_room(page, 20))
        node_insert(page, page_line_count(page), &node, 0);
}
static void an_extent_of_a_pool(struct page *page)
{
    static const uint8_t key[5] = {0x82, 0, 0, 0, 40};
    uint32_t pages = 3;
    struct node node = {key_of(key, 5), span_of(&pages, sizeof pages), 0};
    if (page_has_flag(page, PAGE_SPACE_TREE) && page_is_leaf(page) && page_has_room(page, 20))
        node_insert(page, page_line_count(page), &node, 0);
}
static void extents_deleted(struct page *page)
{
    for (uint32_t line = 0;
         page_has_flag(page, PAGE_SPACE_TREE) && page_is_leaf(page) && line < page_line_count(page); line++)
        node_set_flags(page, line, NODE_DELETED);
}

/* Leaves: nodes where no search expects them. */
static void nodes_twice(struct page *page)
{
    uint8_t key[100];
    uint8_t data[100];
    if (!page_is_leaf(page) || page_line_count(page) == 0)
        return;
    struct node node = node_get(page, page_line_count(page) - 1);
    size_t size = key_copy(&node.key, 0, key, sizeof key);
    if (node.data.size > sizeof data || !page_has_room(page, 220))
        return;
    memcpy(data, node.data.bytes, node.data.size);
    node = (struct node){key_of(key, size), span_of(data, node.data.size), 0};
    node_insert(page, 0, &node, 0);
}
static void nodes_short(struct page *page)
{
    for (uint32_t line = 0; page_is_leaf(page) && !page_is_root(page) && line < page_line_count(page); line++)
        node_replace_data(page, line, span_of(NULL, 0));
}
static void first_key_low(struct page *page)
{
    static const uint8_t key[1] = {0};
    struct node node = {key_of(key, 1), span_of("data", 4), 0};
    if (!page_is_leaf(page) || page_has_flag(page, PAGE_SPACE_TREE) || page_line_count(page) == 0)
        return;
    page_delete_lines(page, 0, 1);
    if (page_has_room(page, 20))
        node_insert(page, 0, &node, 0);
}
static void separators_out_of_order(struct page *page)
{
    if (page_is_leaf(page) || page_line_count(page) < 3)
        return;
    static const uint8_t key[1] = {0};
    page_number child = node_child(page, 1);
    struct node node = {key_of(key, 1), span_of(&child, sizeof child), 0};
    page_delete_lines(page, 1, 1);
    node_insert(page, 1, &node, 0);
}
static void header_of_fields(struct page *page, uint8_t fields, size_t size)
{
    uint8_t bytes[33] = {fields};
    struct line line = page_external_header(page);
    if (!page_is_root(page) || page_has_flag(page, PAGE_SPACE_TREE) || line.size != 16 ||
        !page_has_room(page, 40))
        return;
    memcpy(bytes + 1, line.data, 16);
    struct span part = span_of(bytes, size);
    page_set_external_header(page, &part, 1);
}
static void fields_without_space(struct page *page)
{
    header_of_fields(page, 2, 25);
}
static void fields_cut_off(struct page *page)
{
    header_of_fields(page, 3, 20);
}
static void fields_unknown(struct page *page)
{
    header_of_fields(page, 7, 33);
}
static void uncommitted(struct page *page)
{
    if (page_is_leaf(page))
        page_set_uncommitted_free(page, page_free_bytes(page));
}

/* `least`: so many of the reads at least make the operation fail. */
#define SPOIL(function, least)                                                                               \
    {                                                                                                        \
#function, JET_errSuccess, function, false, least                                                    \
    }
/* The first few also while an operation goes on. */
#define MEANWHILE 5u
static const struct damage spoiled[] = {
    SPOIL(of_another_tree, 186),
    SPOIL(fields_without_space, 20),
    SPOIL(header_of_a_byte, 51),
    SPOIL(header_with_one_extent, 5),
    SPOIL(header_with_other_extents, 42),
    SPOIL(leaf_or_not, 171),
    SPOIL(root_or_not, 183),
    SPOIL(space_or_not, 54),
    SPOIL(next_is_itself, 105),
    SPOIL(next_is_nowhere, 105),
    SPOIL(next_is_the_first, 105),
    SPOIL(previous_is_itself, 96),
    SPOIL(previous_is_the_first, 96),
    SPOIL(all_zero, 189),
    SPOIL(without_lines, 24),
    SPOIL(without_last_line, 7),
    SPOIL(from_the_future, 45),
    SPOIL(children_are_itself, 13),
    SPOIL(children_are_one, 3),
    SPOIL(children_are_the_root, 13),
    SPOIL(children_are_nowhere, 13),
    SPOIL(without_header, 30),
    SPOIL(header_with_no_pages, 1),
    SPOIL(header_with_all_pages, 5),
    SPOIL(header_with_many_pages, 0),
    SPOIL(header_with_other_parent, 38),
    SPOIL(header_with_large_parent, 38),
    SPOIL(header_with_space_tree_as_parent, 38),
    SPOIL(header_with_no_parent, 22),
    SPOIL(header_with_extents, 0),
    SPOIL(header_with_free_bits, 42),
    SPOIL(header_with_no_bits, 5),
    SPOIL(extents_of_nothing, 6),
    SPOIL(extents_of_all, 26),
    SPOIL(extents_of_more, 19),
    SPOIL(extents_of_one, 5),
    SPOIL(extents_of_no_number, 26),
    SPOIL(an_extent_beyond_the_end, 12),
    SPOIL(an_extent_of_a_pool, 0),
    SPOIL(extents_deleted, 6),
    SPOIL(nodes_twice, 28),
    SPOIL(nodes_short, 114),
    SPOIL(first_key_low, 5),
    SPOIL(separators_out_of_order, 1),
    SPOIL(fields_cut_off, 20),
    SPOIL(fields_unknown, 0),
    SPOIL(uncommitted, 0),
};

/* What damage may be called; the rest is what an operation answers anyway when nodes have gone. */
static bool is_answer(JET_ERR err)
{
    static const JET_ERR answers[] = {
        JET_errSuccess,
        JET_errDatabaseCorrupted,
        JET_errSPAvailExtCorrupted,
        JET_errSPOwnExtCorrupted,
        JET_errSPAvailExtCacheOutOfSync,
        JET_errPageNotInitialized,
        JET_errBadPageLink,
        JET_errBadParentPageLink,
        JET_errNodeCorrupted,
        JET_errFileIOBeyondEOF,
        JET_errOutOfDatabaseSpace,
        JET_errDiskFull,
        JET_errRecordNotFound,
        JET_errNoCurrentRecord,
        JET_errRecordDeleted,
        JET_errKeyDuplicate,
        JET_errRecordTooBig,
        JET_errBadEmptyPage,
        JET_errDbTimeCorrupted,
        JET_errInvalidParameter,
    };
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        if (answers[i] == err)
            return true;
    }
    return false;
}

#define SPOILED (sizeof spoiled / sizeof spoiled[0])

/* Spoils each read in the first `kinds` ways; counts what was noticed. */
static void spoil_each_read(size_t kinds, uint32_t noticed[SPOILED])
{
    for (size_t i = 0; i < OPERATIONS; i++) {
        start();
        (void)operations[i].run();
        uint32_t count = reads;
        finish();
        for (uint32_t nth = 1; nth <= count; nth++) {
            for (size_t kind = 0; kind < kinds; kind++) {
                damage = &spoiled[kind];
                start();
                target = nth;
                JET_ERR err = operations[i].run();
                if (!is_answer(err))
                    fail_msg("%s: read %u %s: %d", operations[i].name, nth, damage->name, err);
                noticed[kind] += err < JET_errSuccess;
                finish();
            }
        }
    }
}

static void spoiled_pages_are_no_surprise(void **state)
{
    (void)state;
    uint32_t noticed[SPOILED] = {0};
    cache_pages = 2000;
    spoil_each_read(SPOILED, noticed);
    for (size_t kind = 0; kind < SPOILED; kind++) {
        if (noticed[kind] < spoiled[kind].noticed)
            fail_msg("%s is noticed %u times", spoiled[kind].name, noticed[kind]);
    }
}

/* The page was right when the operation began. */
static void pages_spoiled_meanwhile_are_no_surprise(void **state)
{
    (void)state;
    uint32_t noticed[SPOILED] = {0};
    cache_pages = 1;
    spoil_each_read(MEANWHILE, noticed);
    for (size_t kind = 0; kind < MEANWHILE; kind++) {
        if (noticed[kind] < spoiled[kind].noticed)
            fail_msg("%s is noticed %u times", spoiled[kind].name, noticed[kind]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(reading_fails_and_succeeds_again, build),
        cmocka_unit_test_setup(memory_fails_and_succeeds_again, build),
        cmocka_unit_test_setup(spoiled_pages_are_no_surprise, build),
        cmocka_unit_test_setup(pages_spoiled_meanwhile_are_no_surprise, build),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
