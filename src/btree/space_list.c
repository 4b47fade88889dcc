/* What a tree owns and has available: counts and lists. */
#include "src/btree/space_internal.h"

/* The free pages of a single extent: those of the bitmap, and what lies behind it. */
static void list_single_available(const struct tree *tree, const struct space_header *header,
                                  struct space_extents *available)
{
    struct space_extent run = {0, 0};
    for (uint32_t bit = 0; bit + 1 < header->pages; bit++) {
        const bool is_free = bit >= SPACE_BITMAP_PAGES || (header->available >> bit & 1) != 0;
        if (is_free) {
            run.last = tree->root + bit + 1;
            run.pages++;
        }
        if (!is_free && run.pages > 0) {
            extents_note(available, run);
            run.pages = 0;
        }
    }
    if (run.pages > 0)
        extents_note(available, run);
}

JET_ERR space_list(struct tree *tree, struct space_extents *owned, struct space_extents *available)
{
    JET_ERR err = JET_errSuccess;
    struct space_trees trees = {NULL, NULL};
    struct space_header header;

    os_mutex_lock(&tree->space_lock);
    TRY(tree_know_space(tree));
    TRY(space_read_header(tree, &header));
    if (tree->owned_root == PAGE_NUMBER_NULL) {
        if (owned != NULL)
            extents_note(owned, (struct space_extent){tree->root + header.pages - 1, header.pages});
        if (available != NULL)
            list_single_available(tree, &header, available);
        goto done;
    }
    TRY(space_trees_open(tree, &trees));
    if (owned != NULL)
        TRY(extents_list(trees.owned, owned));
    if (available != NULL)
        TRY(extents_list(trees.available, available));
done:
    os_mutex_unlock(&tree->space_lock);
    space_trees_close(&trees);
    return err;
}

JET_ERR space_last_page(struct tree_registry *registry, struct database *database, page_number *last)
{
    JET_ERR err = JET_errSuccess;
    struct tree *tree = NULL;
    struct space_trees trees = {NULL, NULL};
    struct btree_cursor *cursor = NULL;
    struct space_extent extent = {0, 0};

    TRY(tree_open(registry, database, ROOT_PAGE_DATABASE, &tree));
    os_mutex_lock(&tree->space_lock);
    err = tree_know_space(tree);
    if (err >= JET_errSuccess && tree->owned_root == PAGE_NUMBER_NULL)
        err = JET_errSPOwnExtCorrupted;
    if (err >= JET_errSuccess)
        err = space_trees_open(tree, &trees);
    os_mutex_unlock(&tree->space_lock);
    TRY(err);
    TRY(btree_cursor_open(trees.owned, &cursor));
    err = btree_cursor_last(cursor, LATCH_SHARED);
    if (err == JET_errNoCurrentRecord || err == JET_errRecordNotFound)
        err = JET_errSPOwnExtCorrupted;
    TRY(err);
    struct node node = btree_cursor_raw_node(cursor);
    if (!extent_of_node(&node, &extent, NULL))
        FAIL(JET_errSPAvailExtCorrupted);
    *last = extent.last;
done:
    btree_cursor_close(cursor);
    space_trees_close(&trees);
    tree_close(tree);
    return err;
}

JET_ERR space_count(struct tree *tree, uint32_t *owned, uint32_t *available)
{
    struct space_extents all = {0};
    struct space_extents free_ones = {0};
    JET_ERR err = space_list(tree, owned != NULL ? &all : NULL, available != NULL ? &free_ones : NULL);
    if (owned != NULL)
        *owned = all.pages;
    if (available != NULL)
        *available = free_ones.pages;
    return err;
}
