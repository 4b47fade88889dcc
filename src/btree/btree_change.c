#include "src/btree/apply_node.h"
#include "src/btree/btree_internal.h"

uint32_t change_size(const struct page *page, uint32_t line, const struct node_change *change)
{
    switch (change->kind) {
    case CHANGE_INSERT: {
        struct key key = key_of(change->bookmark.key.bytes, change->bookmark.key.size);

        return (uint32_t)node_size(key_size(&key), change->data.size, node_prefix_size(page, &key));
    }
    case CHANGE_REPLACE:
    case CHANGE_FLAG_INSERT_AND_REPLACE:
    case CHANGE_UNDO_REPLACE: {
        size_t old_size = node_get(page, line).data.size;

        return change->data.size > old_size ? (uint32_t)(change->data.size - old_size) : 0;
    }
    default:
        return 0;
    }
}

/* The true uncommitted free space: what running transactions may claim for the nodes of the page. */
static uint32_t claimable(struct tree *tree, const struct page *page)
{
    uint32_t sum = 0;

    for (uint32_t line = 0; line < page_line_count(page); line++) {
        struct node node = node_get(page, line);

        sum += node_reserve(tree, &node);
    }
    return sum;
}

bool page_has_space(struct tree *tree, struct latch *latch, uint32_t size)
{
    const struct page_header *header = page_header(&latch->page);

    if (header->free_bytes < size)
        return false;
    if (header->free_bytes - header->uncommitted_free_bytes >= (int32_t)size)
        return true;
    uint32_t claims = claimable(tree, &latch->page);
    if (claims < header->uncommitted_free_bytes && latch->mode == LATCH_EXCLUSIVE)
        page_set_uncommitted_free(&latch->page, claims);
    return header->free_bytes >= claims && header->free_bytes - claims >= size;
}

bool change_fits(struct tree *tree, struct latch *latch, uint32_t line, const struct node_change *change)
{
    const struct page *page = &latch->page;
    uint32_t size = change_size(page, line, change);

    if (size == 0)
        return true;
    if (change->kind == CHANGE_UNDO_REPLACE)
        return page_header(page)->free_bytes >= size; /* what was reserved is there to be taken */
    /* A new last page is begun earlier. An empty page takes the node whatever its size. */
    if (change->kind == CHANGE_INSERT && !tree->space && line > 0 && line == page_line_count(page) &&
        page_header(page)->next == PAGE_NUMBER_NULL &&
        !page_has_space(tree, latch, size + page->size * os_atomic_load(&tree->append_free) / 100))
        return false;
    return page_has_space(tree, latch, size);
}

JET_ERR change_ask(struct node_change *change, struct latch *latch, uint32_t line, bool equal)
{
    struct change_place place = {latch, line, equal, {{{NULL, 0}, {NULL, 0}}, {NULL, 0}, 0}};

    if (equal)
        place.node = node_get(&latch->page, line);
    return change->decide(change, &place);
}

/* Keeps the page's count of claimable bytes in step when a versioned node's data change size. `claimed` is
 * the count before the change: growing data may have lowered it to what is free already. */
static void adjust_claims(struct tree *tree, struct page *page, uint32_t line,
                          const struct node_change *change, size_t old_size, uint32_t claimed)
{
    struct node node = node_get(page, line);
    size_t others = node_reserved_size(tree, &node);
    size_t most_before = others;
    size_t most_after = others;
    size_t new_size = node.data.size;

    if (tree->registry->reserve == NULL)
        return;
    if (change->kind == CHANGE_UNDO_REPLACE)
        most_before = others > new_size ? others : new_size; /* the before-image that is back now */
    else if (change->versioned)
        most_before = most_after = others > old_size ? others : old_size;
    size_t before = most_before > old_size ? most_before - old_size : 0;
    size_t after = most_after > new_size ? most_after - new_size : 0;
    const int64_t now = (int64_t)claimed + (int64_t)after - (int64_t)before;
    page_set_uncommitted_free(page, now > 0 ? (uint32_t)now : 0);
}

static void apply_change(struct tree *tree, struct page *page, uint32_t line,
                         const struct node_change *change)
{
    size_t old_size = change->kind == CHANGE_INSERT ? 0 : node_get(page, line).data.size;
    const uint32_t claimed = page_header(page)->uncommitted_free_bytes;
    struct key key = key_of(change->bookmark.key.bytes, change->bookmark.key.size);

    switch (change->kind) {
    case CHANGE_INSERT:
        apply_insert(page, line, change->bookmark.key, (uint32_t)node_prefix_size(page, &key), change->data,
                     change->versioned);
        break;
    case CHANGE_FLAG_INSERT:
        apply_flag_insert(page, line, change->versioned);
        break;
    case CHANGE_FLAG_INSERT_AND_REPLACE:
        apply_flag_insert_and_replace(page, line, change->data, change->versioned);
        adjust_claims(tree, page, line, change, old_size, claimed);
        break;
    case CHANGE_REPLACE:
        apply_replace(page, line, change->data, change->versioned);
        adjust_claims(tree, page, line, change, old_size, claimed);
        break;
    case CHANGE_FLAG_DELETE:
        apply_flag_delete(page, line, change->versioned);
        break;
    case CHANGE_DELETE:
        apply_delete(page, line);
        break;
    case CHANGE_DELTA:
        apply_delta(page, line, change->offset, change->width, change->delta, change->versioned);
        break;
    case CHANGE_UNDO_INSERT:
        apply_undo_insert(page, line, false);
        break;
    case CHANGE_UNDO_REPLACE:
        apply_undo_replace(page, line, change->data, false);
        adjust_claims(tree, page, line, change, old_size, claimed);
        break;
    case CHANGE_UNDO_FLAG_DELETE:
        apply_undo_flag_delete(page, line, false);
        break;
    default:
        ASSERT(change->kind == CHANGE_UNDO_DELTA);
        apply_delta(page, line, change->offset, change->width, -change->delta, false);
        break;
    }
}

JET_ERR change_in_place(struct tree *tree, const struct btree_actor *actor, struct latch *latch,
                        uint32_t line, struct node_change *change)
{
    JET_ERR err = JET_errSuccess;
    dbtime before = page_header(&latch->page)->modified;
    dbtime modified = before;
    struct log_position position = LOG_POSITION_MIN;

    ASSERT(latch->mode == LATCH_EXCLUSIVE);
    if (change->kind != CHANGE_NONE) {
        modified = database_next_dbtime(tree->database);
        if (modified <= before)
            FAIL(JET_errDbTimeCorrupted);
        if (change_is_logged(tree))
            TRY(log_node_change(tree, actor, &latch->page, line, change, modified, before, &position));
        apply_change(tree, &latch->page, line, change);
        stamp_page(latch, actor, modified, position);
    }
    change->page = latch->page.number;
    change->line = line;
    change->modified = modified;
    if (change->applied != NULL) {
        struct change_place place = {latch, line, true, {{{NULL, 0}, {NULL, 0}}, {NULL, 0}, 0}};

        change->applied(change, &place, position);
    }
done:
    return err;
}

/* What no page can hold even alone. */
static JET_ERR check_size(const struct tree *tree, const struct node_change *change)
{
    uint32_t most = page_line_size_max(tree->database->page_size);
    size_t key = change->bookmark.key.size;

    if (key > BTREE_KEY_MOST || change->data.size > most ||
        node_size(key, change->data.size, 0) - sizeof(struct page_tag) > most)
        return JET_errRecordTooBig;
    return JET_errSuccess;
}

/* Latches the tree's last leaf if it is still where it was and the node belongs behind all of its nodes. */
static bool find_end(struct tree *tree, const struct node_change *change, struct latch *latch, uint32_t *line)
{
    bool found = false;

    if (!change->append || change->page == PAGE_NUMBER_NULL ||
        cache_latch(tree->database, change->page, LATCH_EXCLUSIVE, LATCH_CACHED_ONLY | LATCH_NO_WAIT, latch) <
            JET_errSuccess)
        return false;
    const struct page_header *header = page_header(&latch->page);
    uint32_t count = page_line_count(&latch->page);
    if (header->modified == change->modified && header->tree == tree->object && page_is_leaf(&latch->page) &&
        header->next == PAGE_NUMBER_NULL && count > 0) {
        struct node last = node_get(&latch->page, count - 1);

        found = node_compare_bookmark(&last, &change->bookmark, !tree->unique) < 0;
        *line = count;
    }
    if (!found)
        cache_unlatch(latch);
    return found;
}

JET_ERR btree_change_node(struct tree *tree, const struct btree_actor *actor, struct node_change *change)
{
    JET_ERR err = JET_errSuccess;
    struct latch latch = LATCH_INIT;
    uint32_t line = 0;
    bool equal = false;

    if (!find_end(tree, change, &latch, &line))
        TRY(tree_find_leaf(tree, &change->bookmark, false, LATCH_EXCLUSIVE, &latch, &line, &equal));
    TRY(change_ask(change, &latch, line, equal));
    if (change->kind == CHANGE_INSERT || change->kind == CHANGE_REPLACE ||
        change->kind == CHANGE_FLAG_INSERT_AND_REPLACE)
        TRY(check_size(tree, change));
    if (change_fits(tree, &latch, line, change)) {
        TRY(change_in_place(tree, actor, &latch, line, change));
    } else {
        cache_unlatch(&latch);
        TRY(split_and_change(tree, actor, change));
    }
done:
    cache_unlatch(&latch);
    return err;
}

/* -- Plain changes. */

static JET_ERR decide_insert(struct node_change *change, const struct change_place *place)
{
    if (!place->equal) {
        change->kind = CHANGE_INSERT;
    } else {
        if ((place->node.flags & NODE_DELETED) == 0)
            return JET_errKeyDuplicate;
        change->kind =
            place->node.data.size == change->data.size && span_compare(place->node.data, change->data) == 0
                ? CHANGE_FLAG_INSERT
                : CHANGE_FLAG_INSERT_AND_REPLACE;
    }
    return JET_errSuccess;
}

static bool is_there(const struct change_place *place)
{
    return place->equal && (place->node.flags & NODE_DELETED) == 0;
}

static JET_ERR decide_replace(struct node_change *change, const struct change_place *place)
{
    (void)change;
    return is_there(place) ? JET_errSuccess : JET_errRecordNotFound;
}

/* A page is never emptied but by a merge: its first node stays, flag-deleted. */
static JET_ERR decide_delete(struct node_change *change, const struct change_place *place)
{
    change->kind = place->line > 0 ? CHANGE_DELETE : CHANGE_FLAG_DELETE;
    return is_there(place) ? JET_errSuccess : JET_errRecordNotFound;
}

JET_ERR btree_insert(struct tree *tree, const struct btree_actor *actor, struct span key, struct span data)
{
    struct node_change change = {.bookmark = {key, tree->unique ? span_of(NULL, 0) : data},
                                 .decide = decide_insert,
                                 .kind = CHANGE_INSERT,
                                 .data = data};

    return btree_change_node(tree, actor, &change);
}

JET_ERR btree_replace(struct tree *tree, const struct btree_actor *actor, const struct bookmark *bookmark,
                      struct span data)
{
    struct node_change change = {
        .bookmark = *bookmark, .decide = decide_replace, .kind = CHANGE_REPLACE, .data = data};

    return btree_change_node(tree, actor, &change);
}

JET_ERR btree_delete(struct tree *tree, const struct btree_actor *actor, const struct bookmark *bookmark)
{
    struct node_change change = {.bookmark = *bookmark, .decide = decide_delete, .kind = CHANGE_DELETE};

    return btree_change_node(tree, actor, &change);
}

JET_ERR root_set_header(struct tree *tree, const struct btree_actor *actor, struct latch *root,
                        struct span header)
{
    JET_ERR err = JET_errSuccess;
    struct log_record_set_external_header record;
    struct log_piece pieces[2] = {{&record, sizeof record}, {header.bytes, header.size}};
    struct log_position position = LOG_POSITION_MIN;
    dbtime before = page_header(&root->page)->modified;
    dbtime modified = database_next_dbtime(tree->database);

    ASSERT(root->mode == LATCH_EXCLUSIVE && root->page.number == tree->root);
    if (change_is_logged(tree)) {
        memset(&record, 0, sizeof record);
        log_fill_page(&record.node.page, LOG_RECORD_SET_EXTERNAL_HEADER, tree, actor, tree->root, modified,
                      before);
        record.node.tree_page = tree->owner;
        record.node.tree_object = tree->object;
        record.data_size = (uint16_t)header.size;
        TRY(log_append(tree->database->log, pieces, 2, 0, actor->begin.generation, &position));
    }
    apply_external_header(&root->page, header);
    stamp_page(root, actor, modified, position);
done:
    return err;
}
