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
