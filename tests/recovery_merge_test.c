/* Redo of merges, written by hand: each kind, from whatever mixture of old and new pages had reached the
 * disk, and records that do not fit the pages. */
#include "tests/recovery_world.h"

#include "src/btree/apply_merge.h"
#include "src/recovery/recovery_internal.h"

/* --- a plan --- */

/* A leaf of the tree, its neighbours, and what happens to it. */
struct plan {
    page_number left, source, right;
    uint32_t line; /* of the source, in the root */
    uint32_t merge_line;
    enum merge_type type;
    uint64_t left_before, source_before, right_before, root_before, after;
    uint8_t image[4096]; /* of the source */
    uint32_t image_size, image_flags;
    uint8_t leaf_flags, parent_flags;
    char separator[100];
    uint32_t source_lines, left_lines, right_lines;
};

static uint32_t used_bytes(page_number page)
{
    struct latch latch = LATCH_INIT;
    OK(cache_latch(database, page, LATCH_SHARED, 0, &latch));
    const uint32_t used = 4096 - page_free_bytes(&latch.page);
    cache_unlatch(&latch);
    return used;
}

/* A leaf whose nodes fit on both of its neighbours. */
static void choose_leaf(struct plan *plan)
{
    const uint32_t count = lines_of(root);
    for (uint32_t line = 1; line + 2 < count; line++) {
        plan->line = line;
        plan->left = child(line - 1);
        plan->source = child(line);
        plan->right = child(line + 1);
        if (used_bytes(plan->source) + used_bytes(plan->left) < 4000 &&
            used_bytes(plan->source) + used_bytes(plan->right) < 4000)
            return;
    }
    fail_msg("no leaf fits on its neighbours");
}

static void make_plan(struct plan *plan, enum merge_type type)
{
    struct latch latch = LATCH_INIT;
    memset(plan, 0, sizeof *plan);
    choose_leaf(plan);
    plan->type = type;
    plan->source_lines = lines_of(plan->source);
    plan->left_lines = lines_of(plan->left);
    plan->right_lines = lines_of(plan->right);
    plan->left_before = time_of(plan->left);
    plan->source_before = time_of(plan->source);
    plan->right_before = time_of(plan->right);
    plan->root_before = time_of(root);
    plan->after = database_next_dbtime(database);
    OK(cache_latch(database, plan->source, LATCH_SHARED, 0, &latch));
    memcpy(plan->image, latch.page.data, sizeof plan->image);
    plan->image_size = sizeof plan->image;
    cache_unlatch(&latch);
    const uint32_t middle = plan->source_lines / 2;
    switch (type) {
    case MERGE_FULL_RIGHT:
        plan->leaf_flags = LOG_MERGE_EMPTY_PAGE;
        plan->parent_flags = LOG_MERGE_DELETE_NODE;
        break;
    case MERGE_FULL_LEFT:
        plan->merge_line = plan->source_lines - 1;
        plan->leaf_flags = LOG_MERGE_EMPTY_PAGE;
        plan->parent_flags = LOG_MERGE_DELETE_NODE | LOG_MERGE_KEY_CHANGE;
        break;
    case MERGE_PARTIAL_RIGHT:
        plan->merge_line = middle;
        plan->parent_flags = LOG_MERGE_KEY_CHANGE;
        line_text(plan->source, middle, plan->separator, NULL);
        break;
    case MERGE_PARTIAL_LEFT:
        plan->merge_line = middle;
        plan->parent_flags = LOG_MERGE_KEY_CHANGE;
        line_text(plan->source, middle + 1, plan->separator, NULL);
        break;
    case MERGE_EMPTY_PAGE:
        plan->leaf_flags = LOG_MERGE_EMPTY_PAGE;
        plan->parent_flags = LOG_MERGE_DELETE_NODE;
        break;
    }
}

static struct log_record_merge2 merge_record(const struct plan *plan, page_number page, uint64_t before)
{
    struct log_record_merge2 record;
    memset(&record, 0, sizeof record);
    record.merge.page = page_part(LOG_RECORD_MERGE2, PAGE_NUMBER_NULL, 0);
    record.merge.page.page = page;
    record.merge.page.dbtime = plan->after;
    record.merge.page.dbtime_before = before;
    record.merge.tree_page = root;
    record.merge.tree_object = object;
    record.merge.merge_type = (uint8_t)plan->type;
    return record;
}

static struct log_record_merge2 parent_record(const struct plan *plan)
{
    struct log_record_merge2 record = merge_record(plan, root, plan->root_before);
    record.merge.page.line = (uint16_t)plan->line;
    record.merge.flags = plan->parent_flags;
    return record;
}

static struct log_record_merge2 leaf_record(const struct plan *plan)
{
    struct log_record_merge2 record = merge_record(plan, plan->source, plan->source_before);
    record.merge.left_page = plan->left;
    record.merge.right_page = plan->right;
    record.merge.dbtime_left_before = plan->left_before;
    record.merge.dbtime_right_before = plan->right_before;
    record.merge.parent_page = root;
    record.merge.dbtime_parent_before = plan->root_before;
    record.merge.merge_line = (uint16_t)plan->merge_line;
    record.merge.flags = plan->leaf_flags;
    record.merge.uncommitted_free_destination = 6;
    record.merge.parent_separator_size = (uint16_t)strlen(plan->separator);
    record.flags = plan->image_flags;
    record.before_image_size = plan->image_size;
    return record;
}

static void macro_record(uint8_t type, uint64_t time)
{
    const struct log_record_macro record = {type, PROCESS, time};
    append(&record, sizeof record);
}

static void append_leaf(const struct plan *plan, const struct log_record_merge2 *record)
{
    static uint8_t bytes[5000];
    memcpy(bytes, plan->separator, strlen(plan->separator));
    memcpy(bytes + strlen(plan->separator), plan->image, plan->image_size);
    append_two(record, sizeof *record, bytes, strlen(plan->separator) + plan->image_size);
}

static void append_plan(const struct plan *plan)
{
    const struct log_record_merge2 parent = parent_record(plan), leaf = leaf_record(plan);
    macro_record(LOG_RECORD_MACRO_BEGIN, plan->after);
    append(&parent, sizeof parent);
    append_leaf(plan, &leaf);
    macro_record(LOG_RECORD_MACRO_COMMIT, plan->after);
}

/* --- what comes of it --- */

static uint16_t flags_and_lines(page_number page, uint32_t *lines, page_number *previous, page_number *next)
{
    struct latch latch = LATCH_INIT;
    OK(cache_latch(database, page, LATCH_SHARED, 0, &latch));
    const uint16_t empty = page_has_flag(&latch.page, PAGE_EMPTY);
    *lines = page_line_count(&latch.page);
    *previous = page_header(&latch.page)->previous;
    *next = page_header(&latch.page)->next;
    cache_unlatch(&latch);
    return empty;
}

static void check_merged(const struct plan *plan)
{
    uint32_t left, source, right;
    page_number previous, next, unused;
    (void)flags_and_lines(plan->left, &left, &unused, &next);
    const bool emptied = flags_and_lines(plan->source, &source, &unused, &unused) != 0;
    (void)flags_and_lines(plan->right, &right, &previous, &unused);
    const bool partial = plan->type == MERGE_PARTIAL_LEFT || plan->type == MERGE_PARTIAL_RIGHT;
    uint32_t moved = plan->source_lines;
    if (plan->type == MERGE_PARTIAL_RIGHT)
        moved = plan->source_lines - plan->merge_line;
    if (plan->type == MERGE_PARTIAL_LEFT)
        moved = plan->merge_line + 1;
    const bool to_left = plan->type == MERGE_FULL_LEFT || plan->type == MERGE_PARTIAL_LEFT;
    assert_int_equal(left, plan->left_lines + (to_left ? moved : 0));
    assert_int_equal(right, plan->right_lines + (to_left ? 0 : moved));
    assert_int_equal(source, plan->source_lines - moved);
    assert_int_equal(emptied, !partial);
    assert_int_equal(next, partial ? plan->source : plan->right);
    assert_int_equal(previous, partial ? plan->source : plan->left);
    assert_int_equal(time_of(plan->source), plan->after);
    assert_int_equal(time_of(root), plan->after);
    assert_int_equal(time_of(to_left || !partial ? plan->left : plan->right), plan->after);
    check_rows();
}

static const enum merge_type moving[] = {MERGE_FULL_RIGHT, MERGE_PARTIAL_RIGHT, MERGE_FULL_LEFT,
                                         MERGE_PARTIAL_LEFT};

static void every_kind(void **state)
{
    (void)state;
    struct plan plan;
    for (size_t i = 0; i < sizeof moving / sizeof *moving; i++) {
        begin_case();
        make_plan(&plan, moving[i]);
        append_plan(&plan);
        OK(crash_and_start());
        check_merged(&plan);
    }
}

/* Writes a page as the merge leaves it, before the others. */
static void write_source_after(const struct plan *plan)
{
    struct latch latch = LATCH_INIT;
    OK(cache_latch(database, plan->source, LATCH_EXCLUSIVE, 0, &latch));
    if (plan->type == MERGE_PARTIAL_RIGHT)
        page_delete_lines(&latch.page, plan->merge_line, plan->source_lines - plan->merge_line);
    else if (plan->type == MERGE_PARTIAL_LEFT)
        page_delete_lines(&latch.page, 0, plan->merge_line + 1);
    else
        recovery_empty_page(&latch.page);
    cache_set_dirty(&latch, plan->after, appended, appended);
    cache_unlatch(&latch);
    OK(cache_flush_page(database, plan->source));
}

/* The source was written first: the record has it as it was. */
static void the_source_was_written(void **state)
{
    (void)state;
    struct plan plan;
    for (size_t i = 0; i < sizeof moving / sizeof *moving; i++) {
        begin_case();
        make_plan(&plan, moving[i]);
        append_plan(&plan);
        write_source_after(&plan);
        OK(crash_and_start());
        check_merged(&plan);
    }
    /* If it does not have it, what was moved is lost. */
    begin_case();
    make_plan(&plan, MERGE_FULL_RIGHT);
    plan.image_size = 0;
    append_plan(&plan);
    write_source_after(&plan);
    IS(crash_and_start(), JET_errDatabaseBufferDependenciesCorrupted);
}

/* The image lacks the free space in the middle. */
static void dehydrate(struct plan *plan)
{
    struct page page = {plan->image, 4096, plan->source};
    page_compact(&page);
    const uint32_t free = page_free_bytes(&page);
    const size_t tags = (page_line_count(&page) + 1) * sizeof(struct page_tag);
    memmove(plan->image + 4096 - free - tags, plan->image + 4096 - tags, tags);
    page_header(&page)->free_bytes = 0;
    plan->image_size = 4096 - free;
    plan->image_flags = LOG_PREIMAGE_DEHYDRATED;
}

static void a_dehydrated_image(void **state)
{
    (void)state;
    struct plan plan;
    begin_case();
    make_plan(&plan, MERGE_PARTIAL_LEFT);
    dehydrate(&plan);
    append_plan(&plan);
    write_source_after(&plan);
    OK(crash_and_start());
    check_merged(&plan);
}

static void images_that_are_none(void **state)
{
    (void)state;
    struct plan plan;
    for (int i = 0; i < 7; i++) {
        begin_case();
        make_plan(&plan, MERGE_FULL_RIGHT);
        switch (i) {
        case 0: /* no page's size */
            plan.image_size = 1000;
            break;
        case 1: /* nothing, compressed */
            plan.image_size = 100;
            plan.image_flags = LOG_PREIMAGE_XPRESS;
            break;
        case 2: /* no room for the header */
            dehydrate(&plan);
            plan.image_size = 20;
            break;
        case 3: /* nor for the tags */
            dehydrate(&plan);
            plan.image_size = 60;
            break;
        case 4: /* more than a page */
            plan.image_flags = LOG_PREIMAGE_DEHYDRATED;
            plan.image_size = 4096;
            break;
        default: /* a page, but not one that makes sense */
            memset(plan.image + 4096 - 20 * (size_t)(i - 4), 0xff, 20);
            break;
        }
        append_plan(&plan);
        write_source_after(&plan);
        const JET_ERR err = crash_and_start();
        if (i == 4) { /* a whole page lacks nothing */
            OK(err);
            check_merged(&plan);
            continue;
        }
        if (err != JET_errLogCorrupted)
            print_message("image %d: %d\n", i, (int)err);
        assert_int_equal(err, JET_errLogCorrupted);
    }
}

/* --- mixtures --- */

/* After the death of the process any of the four pages may be on disk as the merge left it. */
static void any_mixture_of_pages(void **state)
{
    (void)state;
    struct plan plan;
    for (size_t i = 0; i < sizeof moving / sizeof *moving; i++) {
        begin_case();
        make_plan(&plan, moving[i]);
        append_plan(&plan);
        EsentHostCrash();
        OK(EsentHostFilesSave(2));
        OK(init_instance());
        OK(JetTerm2(instance, JET_bitTermComplete));
        const page_number pages[] = {root, plan.left, plan.source, plan.right};
        uint8_t bytes[4][4096];
        size_t done;
        for (int k = 0; k < 4; k++)
            OK(EsentHostFileRead("a.edb", (pages[k] + 1) * 4096ull, bytes[k], 4096, &done));
        for (unsigned mixture = 0; mixture < 16; mixture++) {
            EsentHostCrash();
            OK(EsentHostFilesRestore(2));
            OK(EsentHostFileCopy("/old.edb", "a.edb"));
            for (int k = 0; k < 4; k++)
                if (mixture & 1u << k)
                    OK(EsentHostFileWrite("a.edb", (pages[k] + 1) * 4096ull, bytes[k], 4096));
            const JET_ERR err = init_instance();
            if (err < JET_errSuccess)
                print_message("kind %d, mixture %x: %d\n", (int)plan.type, mixture, (int)err);
            OK(err);
            open_database(false);
            check_merged(&plan);
        }
    }
}

/* --- records that do not fit --- */

static void lines_that_are_not_there(void **state)
{
    (void)state;
    struct plan plan;
    static const struct {
        enum merge_type type;
        int line, merge_line; /* -1: as it should be, -2: one more than there are */
    } cases[] = {
        {MERGE_FULL_RIGHT, -2, -1},    {MERGE_PARTIAL_RIGHT, -2, -1}, {MERGE_PARTIAL_LEFT, 0, -1},
        {MERGE_FULL_LEFT, 0, -1},      {MERGE_FULL_LEFT, -2, -1},     {MERGE_PARTIAL_LEFT, -1, -2},
        {MERGE_PARTIAL_RIGHT, -1, -3}, {MERGE_PARTIAL_LEFT, 100, -1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        begin_case();
        make_plan(&plan, cases[i].type);
        if (cases[i].line >= 0)
            plan.line = (uint32_t)cases[i].line;
        else if (cases[i].line == -2)
            plan.line = lines_of(root);
        if (cases[i].merge_line == -2)
            plan.merge_line = plan.source_lines;
        if (cases[i].merge_line == -3)
            plan.merge_line = plan.source_lines + 1;
        append_plan(&plan);
        const JET_ERR err = crash_and_start();
        if (err != JET_errLogCorrupted)
            print_message("case %d: %d\n", (int)i, (int)err);
        assert_int_equal(err, JET_errLogCorrupted);
    }
}

static void macros_of_other_records(void **state)
{
    (void)state;
    struct plan plan;
    /* A change of a node among the records of a merge. */
    begin_case();
    make_plan(&plan, MERGE_FULL_RIGHT);
    struct log_record_merge2 parent = parent_record(&plan), leaf = leaf_record(&plan);
    struct log_record_node node = node_part(LOG_RECORD_DELETE, plan.left, 0);
    node.page.dbtime = plan.after;
    macro_record(LOG_RECORD_MACRO_BEGIN, plan.after);
    append(&parent, sizeof parent);
    append_leaf(&plan, &leaf);
    append(&node, sizeof node);
    macro_record(LOG_RECORD_MACRO_COMMIT, plan.after);
    IS(crash_and_start(), JET_errLogCorrupted);
    /* More levels than a tree has. */
    begin_case();
    make_plan(&plan, MERGE_FULL_RIGHT);
    parent = parent_record(&plan);
    macro_record(LOG_RECORD_MACRO_BEGIN, plan.after);
    for (int i = 0; i < 17; i++)
        append(&parent, sizeof parent);
    macro_record(LOG_RECORD_MACRO_COMMIT, plan.after);
    IS(crash_and_start(), JET_errLogCorrupted);
    /* A database that is not there; a transaction that began before. */
    for (int i = 0; i < 2; i++) {
        begin_case();
        make_plan(&plan, MERGE_FULL_RIGHT);
        parent = parent_record(&plan);
        leaf = leaf_record(&plan);
        parent.merge.page.database_id = leaf.merge.page.database_id = i == 0 ? 6 : (uint8_t)database->id;
        parent.merge.page.level = leaf.merge.page.level = (uint8_t)i;
        macro_record(LOG_RECORD_MACRO_BEGIN, plan.after);
        append(&parent, sizeof parent);
        append_leaf(&plan, &leaf);
        macro_record(LOG_RECORD_MACRO_COMMIT, plan.after);
        OK(crash_and_start());
        check_rows();
        assert_int_equal(time_of(root), plan.root_before);
    }
    /* It never ends, or is given up. */
    for (int i = 0; i < 2; i++) {
        begin_case();
        make_plan(&plan, MERGE_FULL_RIGHT);
        parent = parent_record(&plan);
        macro_record(LOG_RECORD_MACRO_BEGIN, plan.after);
        append(&parent, sizeof parent);
        if (i == 1)
            macro_record(LOG_RECORD_MACRO_ABORT, plan.after);
        OK(crash_and_start());
        check_rows();
        assert_int_equal(time_of(root), plan.root_before);
    }
}

/* One page cannot be two of those that a merge changes. */
static void pages_that_are_the_same(void **state)
{
    (void)state;
    struct plan plan;
    for (int i = 0; i < 3; i++) {
        begin_case();
        make_plan(&plan, MERGE_FULL_RIGHT);
        if (i == 0)
            plan.left = plan.right, plan.left_before = plan.right_before;
        if (i == 1)
            plan.left = root, plan.left_before = plan.root_before;
        if (i == 2)
            plan.right = plan.source, plan.right_before = plan.source_before;
        append_plan(&plan);
        IS(crash_and_start(), JET_errLogCorrupted);
    }
}

/* --- leaves that are empty --- */

static void empty_leaves_go(void **state)
{
    (void)state;
    struct plan plan;
    for (int i = 0; i < 3; i++) {
        begin_case();
        make_plan(&plan, MERGE_EMPTY_PAGE);
        if (i == 1) { /* the first one has none to its left, the last none to its right */
            plan.line = 0;
            plan.left = PAGE_NUMBER_NULL;
            plan.source = child(0);
            plan.right = child(1);
        } else if (i == 2) {
            plan.line = lines_of(root) - 1;
            plan.left = child(plan.line - 1);
            plan.source = child(plan.line);
            plan.right = PAGE_NUMBER_NULL;
        }
        plan.source_lines = lines_of(plan.source);
        plan.left_before = time_of(plan.left);
        plan.right_before = time_of(plan.right);
        uint64_t time = time_of(plan.source);
        for (uint32_t k = 0; k < plan.source_lines; k++) {
            struct log_record_node node = node_part(LOG_RECORD_DELETE, plan.source, 0);
            node.page.dbtime_before = time;
            time = node.page.dbtime;
            append(&node, sizeof node);
        }
        plan.source_before = time;
        plan.after = database_next_dbtime(database);
        plan.image_size = 0;
        append_plan(&plan);
        OK(crash_and_start());
        check_tree(ROWS - plan.source_lines);
        assert_int_equal(lines_of(plan.source), 0);
        if (plan.left != PAGE_NUMBER_NULL)
            assert_int_equal(time_of(plan.left), plan.after);
        if (plan.right != PAGE_NUMBER_NULL)
            assert_int_equal(time_of(plan.right), plan.after);
    }
}

/* What the flags of a parent's record say, and pages that have no room. */
static void odd_records(void **state)
{
    (void)state;
    struct plan plan;
    char key[100];
    /* A full merge to the left whose pointer only goes, or only gets another key, or that changes nothing
     * above. */
    for (int i = 0; i < 3; i++) {
        begin_case();
        make_plan(&plan, MERGE_FULL_LEFT);
        plan.parent_flags = i == 0 ? LOG_MERGE_DELETE_NODE : i == 1 ? LOG_MERGE_KEY_CHANGE : 0;
        (void)snprintf(plan.separator, sizeof plan.separator, "row");
        const uint32_t lines = lines_of(root);
        append_plan(&plan);
        OK(crash_and_start());
        assert_int_equal(lines_of(root), lines - (i == 0));
        assert_int_equal(time_of(root), plan.after);
        line_text(root, plan.line, key, NULL);
        assert_int_equal(strcmp(key, "row") == 0, i == 1);
    }
    /* The parent goes, too. */
    begin_case();
    make_plan(&plan, MERGE_FULL_RIGHT);
    plan.parent_flags = LOG_MERGE_EMPTY_PAGE;
    append_plan(&plan);
    OK(crash_and_start());
    assert_int_equal(lines_of(root), 0);
    /* A separator that is too long for the page. */
    begin_case();
    make_plan(&plan, MERGE_PARTIAL_RIGHT);
    struct log_record_merge2 parent = parent_record(&plan), leaf = leaf_record(&plan);
    static uint8_t bytes[8000];
    leaf.merge.parent_separator_size = 3900;
    leaf.before_image_size = 4000;
    macro_record(LOG_RECORD_MACRO_BEGIN, plan.after);
    append(&parent, sizeof parent);
    append_two(&leaf, sizeof leaf, bytes, 7900);
    macro_record(LOG_RECORD_MACRO_COMMIT, plan.after);
    IS(crash_and_start(), JET_errLogCorrupted);
    /* Nodes that do not fit on the page they go to: it has got more since. */
    begin_case();
    make_plan(&plan, MERGE_FULL_RIGHT);
    struct log_record_insert insert;
    uint64_t time = plan.right_before;
    for (int i = 0; i < 4; i++) {
        memset(&insert, 0, sizeof insert);
        insert.node = node_part(LOG_RECORD_INSERT, plan.right, 0);
        insert.node.page.dbtime_before = time;
        time = insert.node.page.dbtime;
        insert.suffix_size = 2;
        insert.data_size = 500;
        bytes[0] = 'r';
        bytes[1] = (uint8_t)(0x70 - i);
        append_two(&insert, sizeof insert, bytes, 502);
    }
    plan.right_before = time;
    plan.after = database_next_dbtime(database);
    append_plan(&plan);
    IS(crash_and_start(), JET_errLogCorrupted);
    /* The source is not there, but the pages that need it are as before. */
    begin_case();
    make_plan(&plan, MERGE_FULL_RIGHT);
    plan.source = 1000000;
    append_plan(&plan);
    IS(crash_and_start(), JET_errDatabaseBufferDependenciesCorrupted);
    /* Each page at a wrong time. */
    for (int i = 0; i < 4; i++) {
        begin_case();
        make_plan(&plan, MERGE_FULL_RIGHT);
        plan.left_before += i == 0;
        plan.source_before += i == 1;
        plan.right_before += i == 2;
        plan.root_before += i == 3;
        append_plan(&plan);
        IS(crash_and_start(), JET_errDbTimeTooOld);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind),
        cmocka_unit_test(the_source_was_written),
        cmocka_unit_test(a_dehydrated_image),
        cmocka_unit_test(images_that_are_none),
        cmocka_unit_test(any_mixture_of_pages),
        cmocka_unit_test(lines_that_are_not_there),
        cmocka_unit_test(macros_of_other_records),
        cmocka_unit_test(pages_that_are_the_same),
        cmocka_unit_test(empty_leaves_go),
        cmocka_unit_test(odd_records),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
