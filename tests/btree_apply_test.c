/* What each change does to the flags of a node: cleared deletion, and the mark that sends readers to the
 * version store. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "src/btree/apply_node.h"
#include "src/page/node.h"

static uint8_t bytes[4096];
static struct page page = {bytes, sizeof bytes, 7};

static struct span text(const char *characters)
{
    return (struct span){(const uint8_t *)characters, strlen(characters)};
}

static void node_with(uint8_t flags)
{
    page_format(&page, 9, PAGE_LEAF, 1);
    apply_insert(&page, 0, text("key"), 0, text("data"), false);
    node_set_flags(&page, 0, flags);
}

static void flags_are(uint8_t flags)
{
    assert_int_equal(node_get(&page, 0).flags & (NODE_DELETED | NODE_VERSIONED), flags);
}

static void changes_mark_nodes(void **state)
{
    (void)state;
    for (int versioned = 0; versioned < 2; versioned++) {
        const uint8_t mark = versioned ? NODE_VERSIONED : 0;
        page_format(&page, 9, PAGE_LEAF, 1);
        apply_insert(&page, 0, text("key"), 0, text("data"), versioned);
        flags_are(mark);
        node_with(NODE_DELETED);
        apply_flag_insert(&page, 0, versioned);
        flags_are(mark);
        node_with(NODE_DELETED);
        apply_flag_insert_and_replace(&page, 0, text("other"), versioned);
        flags_are(mark);
        assert_int_equal(node_get(&page, 0).data.size, 5);
        node_with(0);
        apply_replace(&page, 0, text("longer data"), versioned);
        flags_are(mark);
        assert_int_equal(node_get(&page, 0).data.size, 11);
        node_with(0);
        apply_flag_delete(&page, 0, versioned);
        flags_are(NODE_DELETED | mark);
        /* A mark that is there stays: others may still need the version. */
        node_with(NODE_DELETED | NODE_VERSIONED);
        apply_flag_insert(&page, 0, versioned);
        flags_are(NODE_VERSIONED);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(changes_mark_nodes)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
