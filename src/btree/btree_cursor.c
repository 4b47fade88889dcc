#include "src/btree/btree_internal.h"

JET_ERR byte_buffer_reserve(struct byte_buffer *buffer, size_t capacity)
{
    if (capacity <= buffer->capacity && buffer->bytes != NULL)
        return JET_errSuccess;
    size_t wanted = capacity < 64 ? 64 : capacity + capacity / 2;
    uint8_t *bytes = os_reallocate(buffer->borrowed ? NULL : buffer->bytes, wanted);
    if (bytes == NULL)
        return JET_errOutOfMemory;
    if (buffer->borrowed && buffer->size > 0)
        memcpy(bytes, buffer->bytes, buffer->size);
    buffer->bytes = bytes;
    buffer->capacity = wanted;
    buffer->borrowed = false;
    return JET_errSuccess;
}

JET_ERR byte_buffer_set(struct byte_buffer *buffer, struct span content)
{
    JET_ERR err = byte_buffer_reserve(buffer, content.size);

    if (err < JET_errSuccess)
        return err;
    if (content.size > 0)
        memmove(buffer->bytes, content.bytes, content.size);
    buffer->size = content.size;
    return JET_errSuccess;
}

void byte_buffer_free(struct byte_buffer *buffer)
{
    if (!buffer->borrowed)
        os_free(buffer->bytes);
    *buffer = (struct byte_buffer){NULL, 0, 0, false};
}

int node_compare_bookmark(const struct node *node, const struct bookmark *bookmark, bool with_data)
{
    struct key key = key_of(bookmark->key.bytes, bookmark->key.size);

    return node_compare(node, &key, bookmark->data, with_data);
}

uint32_t branch_line(const struct page *page, const struct bookmark *bookmark)
{
    /* Separators of non-unique trees are pieces of key and data joined, so that is what they are compared
     * with. */
    const struct key wanted = {bookmark->key, bookmark->data};
    uint32_t low = 0;
    uint32_t high = page_line_count(page) - 1; /* the last line takes the rest */

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (node_separates(page, middle, &wanted))
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

/* Whether the bookmark lies behind all nodes of the page. */
static bool is_behind_all(const struct tree *tree, const struct page *page, const struct bookmark *bookmark)
{
    const uint32_t count = page_line_count(page);
    const struct key key = key_of(bookmark->key.bytes, bookmark->key.size);

    return count == 0 || node_compare_line(page, count - 1, &key, bookmark->data, !tree->unique) < 0;
}

uint32_t leaf_line(const struct tree *tree, const struct page *page, const struct bookmark *bookmark,
                   bool *equal)
{
    const struct key key = key_of(bookmark->key.bytes, bookmark->key.size);
    bool with_data = !tree->unique;
    uint32_t low = 0;
    uint32_t high = page_line_count(page);

    *equal = false;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        int order = node_compare_line(page, middle, &key, bookmark->data, with_data);

        if (order >= 0) {
            high = middle;
            *equal = order == 0;
            if (order == 0)
                return middle; /* bookmarks are unique */
        } else {
            low = middle + 1;
        }
    }
    return low;
}

JET_ERR tree_check_page(const struct tree *tree, const struct page *page, const struct page *above)
{
    bool leaf = page_is_leaf(page);

    if (page_header(page)->tree != tree->object)
        return JET_errBadParentPageLink;
    if (above == NULL ? !page_is_root(page) : page_is_root(page))
        return JET_errBadParentPageLink;
    if (above != NULL && leaf != page_has_flag(above, PAGE_PARENT_OF_LEAF))
        return JET_errBadParentPageLink;
    if (!leaf && page_line_count(page) == 0)
        return JET_errBadEmptyPage;
    return JET_errSuccess;
}

/* Makes a shared latch of a leaf exclusive; `changed` when it had to be let go and the page is not the same
 * any more. */
static JET_ERR leaf_exclusive(struct latch *latch, bool *changed)
{
    JET_ERR err = JET_errSuccess;
    struct database *database = latch->database;
    page_number number = latch->page.number;
    dbtime modified = page_header(&latch->page)->modified;

    *changed = false;
    if (cache_try_upgrade(latch))
        return JET_errSuccess;
    cache_unlatch(latch);
    err = cache_latch(database, number, LATCH_EXCLUSIVE, LATCH_ZERO_OK, latch);
    if (err >= JET_errSuccess &&
        (page_is_zero(&latch->page) || page_header(&latch->page)->modified != modified)) {
        cache_unlatch(latch);
        *changed = true;
    }
    return err;
}

static uint32_t line_toward(const struct page *page, const struct bookmark *bookmark, bool last)
{
    if (bookmark != NULL)
        return branch_line(page, bookmark);
    return last ? page_line_count(page) - 1 : 0;
}

JET_ERR tree_find_leaf(struct tree *tree, const struct bookmark *bookmark, bool last, enum latch_mode mode,
                       struct latch *latch, uint32_t *line, bool *equal)
{
    JET_ERR err = JET_errSuccess;
    struct latch above = LATCH_INIT;

    ASSERT(mode == LATCH_SHARED || mode == LATCH_EXCLUSIVE);
    for (;;) {
        bool changed = false;

        *latch = (struct latch)LATCH_INIT;
        TRY(cache_latch(tree->database, tree->root, LATCH_SHARED, 0, latch));
        TRY(tree_check_page(tree, &latch->page, NULL));
        for (int depth = 0; !page_is_leaf(&latch->page); depth++) {
            page_number child = node_child(&latch->page, line_toward(&latch->page, bookmark, last));

            if (depth == TREE_DEPTH_MOST)
                FAIL(JET_errBadParentPageLink);
            above = *latch;
            *latch = (struct latch)LATCH_INIT;
            TRY(cache_latch(tree->database, child, LATCH_SHARED, 0, latch));
            TRY(tree_check_page(tree, &latch->page, &above.page));
            cache_unlatch(&above);
        }
        if (mode == LATCH_EXCLUSIVE)
            TRY(leaf_exclusive(latch, &changed));
        if (!changed)
            break;
    }
    *equal = false;
    /* What is inserted comes mostly in order: one look at the end, before a search. */
    if (bookmark != NULL && mode == LATCH_EXCLUSIVE && is_behind_all(tree, &latch->page, bookmark))
        *line = page_line_count(&latch->page);
    else if (bookmark != NULL)
        *line = leaf_line(tree, &latch->page, bookmark, equal);
    else
        *line = last ? page_line_count(&latch->page) : 0;
done:
    cache_unlatch(&above);
    if (err < JET_errSuccess)
        cache_unlatch(latch);
    return err;
}

void btree_cursor_init(struct btree_cursor *cursor, struct tree *tree)
{
    cursor->tree = tree;
}

void btree_cursor_done(struct btree_cursor *cursor)
{
    btree_cursor_release(cursor);
    tree_close(cursor->tree);
    byte_buffer_free(&cursor->key);
    byte_buffer_free(&cursor->mark_key);
    byte_buffer_free(&cursor->mark_data);
}

JET_ERR btree_cursor_open(struct tree *tree, struct btree_cursor **out)
{
    struct btree_cursor *cursor = os_allocate_zeroed(sizeof *cursor);

    *out = cursor;
    if (cursor == NULL)
        return JET_errOutOfMemory;
    tree_add_reference(tree);
    btree_cursor_init(cursor, tree);
    return JET_errSuccess;
}

void btree_cursor_close(struct btree_cursor *cursor)
{
    if (cursor == NULL)
        return;
    btree_cursor_done(cursor);
    os_free(cursor);
}

struct tree *btree_cursor_tree(const struct btree_cursor *cursor)
{
    return cursor->tree;
}

void btree_cursor_release(struct btree_cursor *cursor)
{
    cache_unlatch(&cursor->latch);
}

page_number btree_cursor_page(const struct btree_cursor *cursor)
{
    return cursor->latch.page.number;
}

unsigned btree_cursor_line(const struct btree_cursor *cursor)
{
    return cursor->line;
}

dbtime btree_cursor_modified(const struct btree_cursor *cursor)
{
    return page_header(&cursor->latch.page)->modified;
}

bool btree_cursor_try_place(struct btree_cursor *cursor, page_number page, uint32_t line, dbtime modified)
{
    btree_cursor_release(cursor);
    if (page == PAGE_NUMBER_NULL || cache_latch(cursor->tree->database, page, LATCH_SHARED, LATCH_CACHED_ONLY,
                                                &cursor->latch) < JET_errSuccess)
        return false;
    const struct page_header *header = page_header(&cursor->latch.page);
    if (header->modified == modified && header->tree == cursor->tree->object &&
        page_is_leaf(&cursor->latch.page) && line < page_line_count(&cursor->latch.page)) {
        cursor->line = line;
        return true;
    }
    btree_cursor_release(cursor);
    return false;
}

struct node btree_cursor_raw_node(const struct btree_cursor *cursor)
{
    ASSERT(latch_is_held(&cursor->latch));
    return node_get(&cursor->latch.page, cursor->line);
}

JET_ERR btree_cursor_node(struct btree_cursor *cursor, struct node_view *view)
{
    struct node node = btree_cursor_raw_node(cursor);

    view->data = node.data;
    view->flags = node.flags;
    if (node.key.prefix.size == 0) {
        view->key = node.key.suffix;
        return JET_errSuccess;
    }
    if (node.key.suffix.size == 0) {
        view->key = node.key.prefix;
        return JET_errSuccess;
    }
    size_t size = key_size(&node.key);
    JET_ERR err = byte_buffer_reserve(&cursor->key, size);
    if (err < JET_errSuccess)
        return err;
    cursor->key.size = key_copy(&node.key, 0, cursor->key.bytes, size);
    view->key = span_of(cursor->key.bytes, size);
    return JET_errSuccess;
}

/* Checks the neighbour of a leaf. */
static JET_ERR check_sibling(const struct btree_cursor *cursor, const struct latch *from,
                             const struct latch *to, bool forward)
{
    const struct page_header *header = page_header(&to->page);
    page_number back = forward ? header->previous : header->next;

    if (header->tree != cursor->tree->object || !page_is_leaf(&to->page) || page_is_root(&to->page) ||
        back != from->page.number)
        return JET_errBadPageLink;
    return JET_errSuccess;
}

/* Whether the nodes of one page lie before those of the next: what keeps a walk over damaged pages from going
 * in circles. */
static bool pages_ascend(const struct tree *tree, const struct page *left, const struct page *right)
{
    if (page_line_count(left) == 0 || page_line_count(right) == 0)
        return true;
    struct node before = node_get(left, page_line_count(left) - 1);
    struct node after = node_get(right, 0);

    return node_compare(&before, &after.key, after.data, !tree->unique) < 0;
}

/* From the last line to the next page's first; the latch stays where it is if there is no node behind. */
static JET_ERR next_page(struct btree_cursor *cursor)
{
    JET_ERR err = JET_errSuccess;
    struct latch from = cursor->latch; /* the place to come back to */
    struct latch at = LATCH_INIT;
    struct latch next = LATCH_INIT;
    page_number number = page_header(&from.page)->next;

    /* Empty pages whose links fit each other both ways make no circle but one that comes back to the first.
     */
    while (number != PAGE_NUMBER_NULL) {
        if (number == from.page.number)
            FAIL(JET_errBadPageLink);
        const struct latch *behind = latch_is_held(&at) ? &at : &from;

        TRY(cache_latch(cursor->tree->database, number, LATCH_SHARED, 0, &next));
        TRY(check_sibling(cursor, behind, &next, true));
        cache_unlatch(&at);
        at = next;
        next = (struct latch)LATCH_INIT;
        if (page_line_count(&at.page) > 0) {
            if (!pages_ascend(cursor->tree, &from.page, &at.page))
                FAIL(JET_errBadPageLink);
            cache_unlatch(&cursor->latch);
            cursor->latch = at;
            cursor->line = 0;
            return JET_errSuccess;
        }
        number = page_header(&at.page)->next;
    }
    err = JET_errNoCurrentRecord;
done:
    cache_unlatch(&next);
    cache_unlatch(&at);
    return err;
}

JET_ERR btree_cursor_next(struct btree_cursor *cursor)
{
    ASSERT(latch_is_held(&cursor->latch));
    if (cursor->line + 1 < page_line_count(&cursor->latch.page)) {
        cursor->line++;
        return JET_errSuccess;
    }
    return next_page(cursor);
}

/* Remembers the current place (a node, or the page's beginning when it is empty) by the node's bookmark. */
static JET_ERR save_mark(struct btree_cursor *cursor)
{
    JET_ERR err = JET_errSuccess;
    struct node_view view;

    TRY(btree_cursor_node(cursor, &view));
    TRY(byte_buffer_set(&cursor->mark_key, view.key));
    TRY(byte_buffer_set(&cursor->mark_data, cursor->tree->unique ? span_of(NULL, 0) : view.data));
done:
    return err;
}

/* Finds the saved place again (or the first node behind it). Latched shared at `line`, which may be the count
 * of lines. */
static JET_ERR find_mark(struct btree_cursor *cursor, bool *equal)
{
    struct bookmark mark = {span_of(cursor->mark_key.bytes, cursor->mark_key.size),
                            span_of(cursor->mark_data.bytes, cursor->mark_data.size)};

    return tree_find_leaf(cursor->tree, &mark, false, LATCH_SHARED, &cursor->latch, &cursor->line, equal);
}

/* One attempt to reach the last node of a page before, against the latch order: without waiting first.
 * `blocked` when another thread is in the way, `number` being the page; the cursor's latch is unchanged then.
 */
static JET_ERR previous_page_try(struct btree_cursor *cursor, bool *blocked, page_number *number)
{
    JET_ERR err = JET_errSuccess;
    struct latch at = LATCH_INIT;
    struct latch previous = LATCH_INIT;

    *blocked = false;
    *number = page_header(&cursor->latch.page)->previous;
    while (*number != PAGE_NUMBER_NULL) {
        if (*number == cursor->latch.page.number) /* as in next_page */
            FAIL(JET_errBadPageLink);
        const struct latch *before = latch_is_held(&at) ? &at : &cursor->latch;

        err = cache_latch(cursor->tree->database, *number, LATCH_SHARED, LATCH_NO_WAIT, &previous);
        if (err == CACHE_ERR_CONFLICT) {
            *blocked = true;
            FAIL(JET_errSuccess);
        }
        TRY(err);
        TRY(check_sibling(cursor, before, &previous, false));
        cache_unlatch(&at);
        at = previous;
        previous = (struct latch)LATCH_INIT;
        if (page_line_count(&at.page) > 0) {
            if (!pages_ascend(cursor->tree, &at.page, &cursor->latch.page))
                FAIL(JET_errBadPageLink);
            cache_unlatch(&cursor->latch);
            cursor->latch = at;
            cursor->line = page_line_count(&at.page) - 1;
            return JET_errSuccess;
        }
        *number = page_header(&at.page)->previous;
    }
    err = JET_errNoCurrentRecord;
done:
    cache_unlatch(&previous);
    cache_unlatch(&at);
    return err;
}

JET_ERR btree_cursor_previous(struct btree_cursor *cursor)
{
    JET_ERR err = JET_errSuccess;
    bool blocked = false;
    bool equal = false;
    page_number number = PAGE_NUMBER_NULL;

    ASSERT(latch_is_held(&cursor->latch));
    while (cursor->line == 0) {
        TRY(previous_page_try(cursor, &blocked, &number));
        if (!blocked)
            goto done;
        /* Give way: let go, wait until the other thread has left the page, and look again. */
        bool marked = page_line_count(&cursor->latch.page) > 0;

        if (marked)
            TRY(save_mark(cursor));
        cache_unlatch(&cursor->latch);
        TRY(cache_latch(cursor->tree->database, number, LATCH_SHARED, LATCH_ZERO_OK, &cursor->latch));
        cache_unlatch(&cursor->latch);
        if (!marked) /* an empty page is no place to come back to */
            FAIL(CACHE_ERR_CONFLICT);
        TRY(find_mark(cursor, &equal));
    }
    cursor->line--;
done:
    return err;
}

JET_ERR btree_cursor_seek(struct btree_cursor *cursor, const struct bookmark *bookmark, enum latch_mode mode,
                          enum seek_place *place)
{
    JET_ERR err = JET_errSuccess;
    bool equal = false;

again:
    btree_cursor_release(cursor);
    TRY(tree_find_leaf(cursor->tree, bookmark, false, mode, &cursor->latch, &cursor->line, &equal));
    *place = equal ? SEEK_EQUAL : SEEK_GREATER;
    if (cursor->line < page_line_count(&cursor->latch.page)) {
        /* A search by key alone in a non-unique tree ends at the key's first node. */
        if (!equal && !cursor->tree->unique && bookmark->data.size == 0) {
            struct node node = btree_cursor_raw_node(cursor);

            if (node_compare_bookmark(&node, bookmark, false) == 0)
                *place = SEEK_EQUAL;
        }
        goto done;
    }
    err = next_page(cursor);
    if (err == JET_errNoCurrentRecord) {
        err = JET_errSuccess;
        *place = SEEK_LESS;
        if (cursor->line > 0) {
            cursor->line--;
        } else {
            err = btree_cursor_previous(cursor);
            if (err == CACHE_ERR_CONFLICT)
                goto again;
            if (err == JET_errNoCurrentRecord) {
                err = JET_errSuccess;
                *place = SEEK_EMPTY;
                btree_cursor_release(cursor);
            }
        }
    } else if (err >= JET_errSuccess && !cursor->tree->unique && bookmark->data.size == 0) {
        struct node node = btree_cursor_raw_node(cursor);

        if (node_compare_bookmark(&node, bookmark, false) == 0)
            *place = SEEK_EQUAL;
    }
done:
    if (err < JET_errSuccess)
        btree_cursor_release(cursor);
    return err;
}

JET_ERR btree_cursor_first(struct btree_cursor *cursor, enum latch_mode mode)
{
    JET_ERR err = JET_errSuccess;
    bool equal = false;

    btree_cursor_release(cursor);
    TRY(tree_find_leaf(cursor->tree, NULL, false, mode, &cursor->latch, &cursor->line, &equal));
    if (page_line_count(&cursor->latch.page) == 0) {
        err = next_page(cursor);
        if (err == JET_errNoCurrentRecord)
            err = JET_errRecordNotFound;
    }
done:
    if (err < JET_errSuccess)
        btree_cursor_release(cursor);
    return err;
}

JET_ERR btree_cursor_last(struct btree_cursor *cursor, enum latch_mode mode)
{
    JET_ERR err = JET_errSuccess;
    bool equal = false;

again:
    btree_cursor_release(cursor);
    TRY(tree_find_leaf(cursor->tree, NULL, true, mode, &cursor->latch, &cursor->line, &equal));
    if (cursor->line > 0) {
        cursor->line--;
    } else {
        err = btree_cursor_previous(cursor);
        if (err == CACHE_ERR_CONFLICT)
            goto again;
        if (err == JET_errNoCurrentRecord)
            err = JET_errRecordNotFound;
    }
done:
    if (err < JET_errSuccess)
        btree_cursor_release(cursor);
    return err;
}

/* Latches a child of the page at `cursor`, letting the page go. */
static JET_ERR descend(struct btree_cursor *cursor, uint32_t line)
{
    JET_ERR err = JET_errSuccess;
    struct latch above = cursor->latch;

    cursor->latch = (struct latch)LATCH_INIT;
    TRY(cache_latch(cursor->tree->database, node_child(&above.page, line), LATCH_SHARED, 0, &cursor->latch));
    TRY(tree_check_page(cursor->tree, &cursor->latch.page, &above.page));
done:
    cache_unlatch(&above);
    return err;
}

static JET_ERR latch_root(struct btree_cursor *cursor)
{
    JET_ERR err = JET_errSuccess;

    btree_cursor_release(cursor);
    TRY(cache_latch(cursor->tree->database, cursor->tree->root, LATCH_SHARED, 0, &cursor->latch));
    TRY(tree_check_page(cursor->tree, &cursor->latch.page, NULL));
done:
    return err;
}

JET_ERR btree_cursor_estimate(struct btree_cursor *cursor, const struct bookmark *bookmark, uint64_t *less,
                              uint64_t *total)
{
    JET_ERR err = JET_errSuccess;
    bool equal = false;

    *less = 0;
    *total = 1;
    TRY(latch_root(cursor));
    for (int depth = 0; !page_is_leaf(&cursor->latch.page); depth++) {
        uint32_t line = branch_line(&cursor->latch.page, bookmark);

        if (depth == TREE_DEPTH_MOST)
            FAIL(JET_errBadParentPageLink);
        *less = *less * page_line_count(&cursor->latch.page) + line;
        *total *= page_line_count(&cursor->latch.page);
        TRY(descend(cursor, line));
    }
    *less = *less * page_line_count(&cursor->latch.page) +
            leaf_line(cursor->tree, &cursor->latch.page, bookmark, &equal);
    *total *= page_line_count(&cursor->latch.page);
done:
    btree_cursor_release(cursor);
    return err;
}

JET_ERR btree_cursor_at_fraction(struct btree_cursor *cursor, uint64_t less, uint64_t total)
{
    JET_ERR err = JET_errSuccess;
    double fraction = total == 0 ? 0.0 : (double)less / (double)total;

    TRY(latch_root(cursor));
    for (int depth = 0;; depth++) {
        uint32_t count = page_line_count(&cursor->latch.page);

        if (count == 0)
            FAIL(JET_errRecordNotFound);
        if (depth > TREE_DEPTH_MOST)
            FAIL(JET_errBadParentPageLink);
        double at = fraction * count;
        uint32_t line = at >= count ? count - 1 : (uint32_t)at;

        cursor->line = line;
        if (page_is_leaf(&cursor->latch.page))
            break;
        fraction = at - line;
        TRY(descend(cursor, line));
    }
done:
    if (err < JET_errSuccess)
        btree_cursor_release(cursor);
    return err;
}
