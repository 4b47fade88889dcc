#include "src/btree/space_internal.h"
#include "src/btree/root_header.h"

JET_ERR space_trees_open(struct tree *tree, struct space_trees *trees)
{
    JET_ERR err = JET_errSuccess;

    *trees = (struct space_trees){NULL, NULL};
    if (tree->owned_root == PAGE_NUMBER_NULL) /* the database's root tree without space trees */
        return JET_errSPOwnExtCorrupted;
    TRY(tree_open(tree->registry, tree->database, tree->owned_root, &trees->owned));
    TRY(tree_open(tree->registry, tree->database, tree->available_root, &trees->available));
    if (!trees->owned->space || !trees->available->space || trees->owned->object != tree->object ||
        trees->available->object != tree->object)
        FAIL(JET_errSPOwnExtCorrupted);
    trees->owned->owner = tree->root;
    trees->available->owner = tree->root;
done:
    if (err < JET_errSuccess)
        space_trees_close(trees);
    return err;
}

void space_trees_close(struct space_trees *trees)
{
    tree_close(trees->owned);
    tree_close(trees->available);
    *trees = (struct space_trees){NULL, NULL};
}

JET_ERR space_read_header(struct tree *tree, struct space_header *header)
{
    JET_ERR err = JET_errSuccess;
    struct latch latch = LATCH_INIT;

    TRY(cache_latch(tree->database, tree->root, LATCH_SHARED, 0, &latch));
    TRY(tree_check_page(tree, &latch.page, NULL));
    if (!root_header_space(&latch.page, header))
        FAIL(JET_errDatabaseCorrupted);
    if ((header->flags & SPACE_MULTIPLE_EXTENT) == 0 &&
        (header->pages == 0 || header->pages > tree->database->page_last ||
         tree->root > tree->database->page_last - header->pages + 1))
        FAIL(JET_errSPOwnExtCorrupted);
done:
    cache_unlatch(&latch);
    return err;
}

/* The extent at a cursor; deleted nodes and other pools do not count. */
static JET_ERR extent_at(struct btree_cursor *cursor, struct space_extent *extent, bool *counts)
{
    struct node node = btree_cursor_raw_node(cursor);
    unsigned pool = 0;

    if (!extent_of_node(&node, extent, &pool))
        return JET_errSPAvailExtCorrupted;
    *counts = (node.flags & NODE_DELETED) == 0 && pool == 0 && extent->pages > 0;
    if (*counts && extent->last > btree_cursor_tree(cursor)->database->page_last)
        return JET_errSPAvailExtCorrupted;
    return JET_errSuccess;
}

/* Walks the extents from `at` on until one has `pages` pages. */
static JET_ERR find_extent(struct tree *extents, page_number at, uint32_t pages, struct space_extent *extent,
                           bool *found)
{
    JET_ERR err = JET_errSuccess;
    struct btree_cursor *cursor = NULL;
    struct extent_key key = extent_key_of(at);
    struct bookmark bookmark = {span_of(key.bytes, sizeof key.bytes), {NULL, 0}};
    enum seek_place place = SEEK_EMPTY;

    *found = false;
    TRY(btree_cursor_open(extents, &cursor));
    TRY(btree_cursor_seek(cursor, &bookmark, LATCH_SHARED, &place));
    if (place == SEEK_EMPTY || place == SEEK_LESS)
        goto done;
    for (;;) {
        bool counts = false;

        TRY(extent_at(cursor, extent, &counts));
        if (counts && extent->pages >= pages) {
            *found = true;
            break;
        }
        err = btree_cursor_next(cursor);
        if (err == JET_errNoCurrentRecord) {
            err = JET_errSuccess;
            break;
        }
        TRY(err);
    }
done:
    btree_cursor_close(cursor);
    return err;
}

JET_ERR extents_find(struct tree *extents, page_number at, struct space_extent *extent, bool *found)
{
    return find_extent(extents, at, 1, extent, found);
}

JET_ERR extents_find_size(struct tree *extents, uint32_t pages, struct space_extent *extent, bool *found)
{
    return find_extent(extents, 0, pages, extent, found);
}

void extents_note(struct space_extents *extents, struct space_extent extent)
{
    extents->pages += extent.pages;
    if (extents->count < extents->capacity)
        extents->list[extents->count++] = extent;
}

JET_ERR extents_list(struct tree *extents, struct space_extents *list)
{
    JET_ERR err = JET_errSuccess;
    struct btree_cursor *cursor = NULL;

    TRY(btree_cursor_open(extents, &cursor));
    err = btree_cursor_first(cursor, LATCH_SHARED);
    while (err >= JET_errSuccess) {
        struct space_extent extent;
        bool counts = false;

        TRY(extent_at(cursor, &extent, &counts));
        if (counts)
            extents_note(list, extent);
        err = btree_cursor_next(cursor);
    }
    if (err == JET_errNoCurrentRecord || err == JET_errRecordNotFound)
        err = JET_errSuccess;
done:
    btree_cursor_close(cursor);
    return err;
}

JET_ERR extents_sum(struct tree *extents, uint32_t *pages)
{
    struct space_extents list = {0};
    JET_ERR err = extents_list(extents, &list);
    *pages = list.pages;
    return err;
}

JET_ERR extents_insert(struct tree *extents, const struct btree_actor *actor, struct space_extent extent)
{
    struct extent_key key = extent_key_of(extent.last);

    return btree_insert(extents, actor, span_of(key.bytes, sizeof key.bytes),
                        span_of(&extent.pages, sizeof extent.pages));
}

JET_ERR extents_delete(struct tree *extents, const struct btree_actor *actor, struct space_extent extent)
{
    struct extent_key key = extent_key_of(extent.last);
    struct bookmark bookmark = {span_of(key.bytes, sizeof key.bytes), {NULL, 0}};

    return btree_delete(extents, actor, &bookmark);
}

JET_ERR extents_resize(struct tree *extents, const struct btree_actor *actor, struct space_extent extent)
{
    struct extent_key key = extent_key_of(extent.last);
    struct bookmark bookmark = {span_of(key.bytes, sizeof key.bytes), {NULL, 0}};

    return btree_replace(extents, actor, &bookmark, span_of(&extent.pages, sizeof extent.pages));
}

JET_ERR extents_take(struct tree *extents, const struct btree_actor *actor, struct space_extent extent,
                     uint32_t pages)
{
    ASSERT(pages > 0 && pages <= extent.pages);
    if (pages == extent.pages)
        return extents_delete(extents, actor, extent);
    extent.pages -= pages;
    return extents_resize(extents, actor, extent);
}

static page_number extent_first(struct space_extent extent)
{
    return extent.last - extent.pages + 1;
}

JET_ERR extents_add_free(struct space_trees *trees, const struct btree_actor *actor,
                         struct space_extent extent)
{
    JET_ERR err = JET_errSuccess;
    struct space_extent owner = {0, 0};
    struct space_extent neighbour = {0, 0};
    page_number first = extent_first(extent);
    bool found = false;

    TRY(extents_find(trees->owned, extent.last, &owner, &found));
    if (!found || extent_first(owner) > first)
        FAIL(JET_errSPOwnExtCorrupted);
    /* Pages in front? */
    if (first > extent_first(owner)) {
        TRY(extents_find(trees->available, first - 1, &neighbour, &found));
        if (found && neighbour.last >= first && extent_first(neighbour) <= extent.last)
            FAIL(JET_errSPAvailExtCorrupted); /* freed twice */
        if (found && neighbour.last == first - 1) {
            /* At least a part of it lies in the same owned extent, hence all of it. */
            TRY(extents_delete(trees->available, actor, neighbour));
            extent.pages += neighbour.pages;
        }
    }
    /* Pages behind? Their key stays. */
    if (extent.last < owner.last) {
        TRY(extents_find(trees->available, extent.last + 1, &neighbour, &found));
        if (found && extent_first(neighbour) == extent.last + 1) {
            neighbour.pages += extent.pages;
            TRY(extents_resize(trees->available, actor, neighbour));
            goto done;
        }
    }
    TRY(extents_insert(trees->available, actor, extent));
done:
    return err;
}

/* -- Split buffers. */

static JET_ERR buffer_of_page(const struct tree *extents, const struct page *page,
                              struct split_buffer *buffer)
{
    struct line line = page_external_header(page);

    memset(buffer, 0, sizeof *buffer);
    if (line.size != 0 && line.size != sizeof *buffer)
        return JET_errSPAvailExtCorrupted;
    if (line.size != 0)
        memcpy(buffer, line.data, sizeof *buffer);
    for (size_t i = 0; i < 2; i++) {
        if (buffer->extents[i].pages > 0 && (buffer->extents[i].pages > buffer->extents[i].last ||
                                             buffer->extents[i].last > extents->database->page_last))
            return JET_errSPAvailExtCorrupted;
    }
    return JET_errSuccess;
}

JET_ERR split_buffer_read(struct tree *extents, struct split_buffer *buffer, bool *leaf, uint32_t *free_bytes)
{
    JET_ERR err = JET_errSuccess;
    struct latch root = LATCH_INIT;

    TRY(cache_latch(extents->database, extents->root, LATCH_SHARED, 0, &root));
    TRY(tree_check_page(extents, &root.page, NULL));
    TRY(buffer_of_page(extents, &root.page, buffer));
    *leaf = page_is_leaf(&root.page);
    *free_bytes = page_free_bytes(&root.page);
done:
    cache_unlatch(&root);
    return err;
}

/* Changes the buffer by a function; errSuccess without a change when it returns false. */
typedef bool buffer_function(struct split_buffer *buffer, struct space_extent *extent);

static JET_ERR change_buffer(struct tree *extents, const struct btree_actor *actor, buffer_function *function,
                             struct space_extent *extent, bool *changed)
{
    JET_ERR err = JET_errSuccess;
    struct latch root = LATCH_INIT;
    struct split_buffer buffer;

    *changed = false;
    TRY(cache_latch(extents->database, extents->root, LATCH_EXCLUSIVE, 0, &root));
    TRY(tree_check_page(extents, &root.page, NULL));
    TRY(buffer_of_page(extents, &root.page, &buffer));
    if (function(&buffer, extent)) {
        TRY(root_set_header(extents, actor, &root, span_of(&buffer, sizeof buffer)));
        *changed = true;
    }
done:
    cache_unlatch(&root);
    return err;
}

static bool buffer_add(struct split_buffer *buffer, struct space_extent *extent)
{
    for (size_t i = 0; i < 2; i++) {
        if (buffer->extents[i].pages == 0) {
            buffer->extents[i] = *extent;
            return true;
        }
    }
    return false;
}

static bool buffer_take(struct split_buffer *buffer, struct space_extent *extent)
{
    for (size_t i = 0; i < 2; i++) {
        if (buffer->extents[i].pages > 0) {
            extent->last = buffer->extents[i].last - buffer->extents[i].pages + 1;
            extent->pages = 1;
            buffer->extents[i].pages--;
            return true;
        }
    }
    return false;
}

static bool buffer_return(struct split_buffer *buffer, struct space_extent *extent)
{
    for (size_t i = 0; i < 2; i++) {
        if (buffer->extents[i].pages > 0 &&
            buffer->extents[i].last - buffer->extents[i].pages == extent->last) {
            buffer->extents[i].pages++;
            return true;
        }
    }
    return buffer_add(buffer, extent);
}

JET_ERR split_buffer_add(struct tree *extents, const struct btree_actor *actor, struct space_extent extent)
{
    bool changed = false;
    JET_ERR err = change_buffer(extents, actor, buffer_add, &extent, &changed);

    return err >= JET_errSuccess && !changed ? JET_errOutOfDatabaseSpace : err;
}

JET_ERR split_buffer_take(struct tree *extents, const struct btree_actor *actor, page_number *page)
{
    struct space_extent extent = {0, 0};
    bool changed = false;
    JET_ERR err = change_buffer(extents, actor, buffer_take, &extent, &changed);

    *page = extent.last;
    return err >= JET_errSuccess && !changed ? JET_errOutOfDatabaseSpace : err;
}

void split_buffer_return(struct tree *extents, const struct btree_actor *actor, page_number page)
{
    struct space_extent extent = {page, 1};
    bool changed = false;

    /* If it does not work the page is lost to use, not to safety. */
    (void)change_buffer(extents, actor, buffer_return, &extent, &changed);
}
