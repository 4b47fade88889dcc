#include "src/btree/btree_check.h"
#include "src/btree/space_internal.h"

struct checker {
    struct tree *tree;
    struct tree_report *report;
    tree_page_visitor *visit;
    void *context;
    page_number previous_leaf;
    page_number expected_next; /* what the previous leaf says comes next */
    struct byte_buffer last;   /* key of the last leaf node, and its data behind it in non-unique trees */
    size_t last_key_size;
    bool any;
};

/* Ends the check. */
static JET_ERR problem(struct checker *checker, page_number page, const char *text)
{
    checker->report->problem = text;
    checker->report->where = page;
    return JET_errDatabaseCorrupted;
}

static bool node_before_last(struct checker *checker, const struct node *node)
{
    struct bookmark last;

    if (!checker->any)
        return false;
    last.key = span_of(checker->last.bytes, checker->last_key_size);
    last.data =
        span_of(checker->last.bytes + checker->last_key_size, checker->last.size - checker->last_key_size);
    return node_compare_bookmark(node, &last, !checker->tree->unique) <= 0;
}

static JET_ERR remember_node(struct checker *checker, const struct node *node)
{
    size_t key = key_size(&node->key);
    size_t data = checker->tree->unique ? 0 : node->data.size;
    JET_ERR err = byte_buffer_reserve(&checker->last, key + data);

    if (err < JET_errSuccess)
        return err;
    key_copy(&node->key, 0, checker->last.bytes, key);
    if (data > 0)
        memcpy(checker->last.bytes + key, node->data.bytes, data);
    checker->last.size = key + data;
    checker->last_key_size = key;
    checker->any = true;
    return JET_errSuccess;
}

/* Separator against the nodes seen so far (all smaller) as keys and data joined. */
static bool last_reaches(struct checker *checker, const struct key *separator)
{
    struct key last = key_of(checker->last.bytes, checker->last.size);

    return checker->any && key_compare(&last, separator) >= 0;
}

static JET_ERR check_leaf(struct checker *checker, const struct page *page, const struct key *low)
{
    JET_ERR err = JET_errSuccess;
    const struct page_header *header = page_header(page);

    if (header->previous != checker->previous_leaf)
        return problem(checker, page->number, "leaf's previous page is wrong");
    if (checker->previous_leaf != PAGE_NUMBER_NULL && checker->expected_next != page->number)
        return problem(checker, page->number, "previous leaf's next page is wrong");
    checker->previous_leaf = page->number;
    checker->expected_next = header->next;
    if (page_line_count(page) == 0)
        checker->report->empty_leaves++;
    for (uint32_t line = 0; line < page_line_count(page); line++) {
        struct node node = node_get(page, line);
        struct key whole = node.key;
        uint8_t joined[2 * BTREE_KEY_MOST]; /* more than a separator has */

        checker->report->nodes++;
        if ((node.flags & NODE_DELETED) != 0)
            checker->report->deleted++;
        if (node_before_last(checker, &node))
            return problem(checker, page->number, "nodes are out of order");
        if (!checker->tree->unique && low != NULL) {
            size_t size = key_copy(&node.key, 0, joined, sizeof joined);
            size_t rest = sizeof joined - size < node.data.size ? sizeof joined - size : node.data.size;

            memcpy(joined + size, node.data.bytes, rest);
            whole = key_of(joined, size + rest);
        }
        if (low != NULL && line == 0 && key_compare(&whole, low) < 0)
            return problem(checker, page->number, "node lies before its page's separator");
        TRY(remember_node(checker, &node));
    }
done:
    return err;
}

static JET_ERR check_page(struct checker *checker, page_number number, const struct page *above,
                          uint32_t depth, const struct key *low, bool last);

/* `last`: the page is the last of its level, so its last key must be empty, and no other. */
static JET_ERR check_branch(struct checker *checker, const struct page *page, uint32_t depth,
                            const struct key *low, bool last)
{
    JET_ERR err = JET_errSuccess;
    struct key from = low != NULL ? *low : key_of(NULL, 0);

    if (page_header(page)->previous != PAGE_NUMBER_NULL || page_header(page)->next != PAGE_NUMBER_NULL)
        return problem(checker, page->number, "branch page has siblings");
    for (uint32_t line = 0; line < page_line_count(page); line++) {
        struct node node = node_get(page, line);

        TRY(check_page(checker, node_child(page, line), page, depth + 1,
                       line > 0 || low != NULL ? &from : NULL, last && line + 1 == page_line_count(page)));
        if (key_size(&node.key) > 0) {
            if (last_reaches(checker, &node.key))
                return problem(checker, page->number, "separator is not above its child");
            if ((line > 0 || low != NULL) && key_compare(&node.key, &from) <= 0)
                return problem(checker, page->number, "separators are out of order");
        }
        from = node.key;
    }
    if (last != (key_size(&from) == 0))
        err = problem(checker, page->number, "last separator is empty where it must not be, or the reverse");
done:
    return err;
}

static JET_ERR check_page(struct checker *checker, page_number number, const struct page *above,
                          uint32_t depth, const struct key *low, bool last)
{
    JET_ERR err = JET_errSuccess;
    struct latch latch = LATCH_INIT;

    if (depth > TREE_DEPTH_MOST)
        return problem(checker, number, "tree is too deep");
    TRY(cache_latch(checker->tree->database, number, LATCH_SHARED, 0, &latch));
    /* The cache lets in none that is not; what is changed in memory stays so. */
    if (NEVER(page_check(&latch.page) < JET_errSuccess))
        FAIL(problem(checker, number, "page is not well formed"));
    if (tree_check_page(checker->tree, &latch.page, above) < JET_errSuccess)
        FAIL(problem(checker, number, "page is not of this tree or level"));
    checker->report->pages++;
    if (checker->visit != NULL)
        TRY(checker->visit(checker->context, number));
    if (page_is_leaf(&latch.page)) {
        checker->report->depth = depth;
        TRY(check_leaf(checker, &latch.page, low));
    } else {
        TRY(check_branch(checker, &latch.page, depth, low, last));
    }
done:
    cache_unlatch(&latch);
    return err;
}

JET_ERR btree_check(struct tree *tree, tree_page_visitor *visit, void *context, struct tree_report *report)
{
    JET_ERR err = JET_errSuccess;
    struct checker checker = {.tree = tree, .report = report, .visit = visit, .context = context};

    memset(report, 0, sizeof *report);
    TRY(check_page(&checker, tree->root, NULL, 1, NULL, true));
    if (checker.expected_next != PAGE_NUMBER_NULL)
        FAIL(problem(&checker, checker.previous_leaf, "last leaf has a next page"));
done:
    byte_buffer_free(&checker.last);
    return err;
}

/* What a page of the file is, for the space check. */
enum page_use {
    USE_OWNED = 1,
    USE_TAKEN = 2,
};

struct space_map {
    struct checker *checker;
    uint8_t *uses;
    page_number last;
};

static JET_ERR take_page(void *context, page_number page)
{
    struct space_map *map = context;

    if (NEVER(page == 0 || page > map->last) ||
        (map->uses[page] & USE_OWNED) == 0) /* it was latched, or read */
        return problem(map->checker, page, "page in use is not owned");
    if ((map->uses[page] & USE_TAKEN) != 0)
        return problem(map->checker, page, "page is used twice or free");
    map->uses[page] |= USE_TAKEN;
    return JET_errSuccess;
}

static JET_ERR own_extent(struct space_map *map, struct space_extent extent)
{
    for (page_number page = extent.last - extent.pages + 1; page <= extent.last; page++) {
        if (NEVER(page == 0 || page > map->last)) /* checked where extents are read */
            return problem(map->checker, page, "owned page lies outside the file");
        if (map->uses[page] != 0)
            return problem(map->checker, page, "page is owned twice");
        map->uses[page] = USE_OWNED;
    }
    return JET_errSuccess;
}

static JET_ERR take_extent(struct space_map *map, struct space_extent extent)
{
    JET_ERR err = JET_errSuccess;

    for (page_number page = extent.last - extent.pages + 1; extent.pages > 0 && page <= extent.last; page++)
        TRY(take_page(map, page));
done:
    return err;
}

static JET_ERR map_extents(struct space_map *map, struct tree *extents, bool owned)
{
    JET_ERR err = JET_errSuccess;
    struct space_extent extent = {0, 0};
    bool found = false;

    for (page_number at = 0;; at = extent.last + 1) {
        TRY(extents_find(extents, at, &extent, &found));
        if (!found)
            break;
        TRY(owned ? own_extent(map, extent) : take_extent(map, extent));
    }
done:
    return err;
}

static JET_ERR map_space_tree(struct space_map *map, struct tree *extents)
{
    JET_ERR err = JET_errSuccess;
    struct tree_report report;
    struct split_buffer buffer;
    bool leaf = false;
    uint32_t free_bytes = 0;

    err = btree_check(extents, take_page, map, &report);
    if (err < JET_errSuccess)
        return report.problem != NULL ? problem(map->checker, report.where, report.problem) : err;
    TRY(split_buffer_read(extents, &buffer, &leaf, &free_bytes));
    TRY(take_extent(map, buffer.extents[0]));
    TRY(take_extent(map, buffer.extents[1]));
done:
    return err;
}

static JET_ERR map_space(struct space_map *map, struct tree *tree)
{
    JET_ERR err = JET_errSuccess;
    struct space_trees trees = {NULL, NULL};
    struct space_header header;

    TRY(tree_know_space(tree));
    TRY(space_read_header(tree, &header));
    if (tree->owned_root == PAGE_NUMBER_NULL) {
        /* Nothing is known of these pages yet. */
        TRY_SOUND(own_extent(map, (struct space_extent){tree->root + header.pages - 1, header.pages}));
        for (uint32_t bit = 0; bit < header.pages - 1; bit++) {
            if (bit >= SPACE_BITMAP_PAGES || (header.available >> bit & 1) != 0)
                TRY_SOUND(take_page(map, tree->root + 1 + bit));
        }
    } else {
        TRY(space_trees_open(tree, &trees));
        TRY(map_extents(map, trees.owned, true));
        TRY(map_extents(map, trees.available, false));
        TRY(map_space_tree(map, trees.owned));
        TRY(map_space_tree(map, trees.available));
    }
done:
    space_trees_close(&trees);
    return err;
}

JET_ERR btree_check_space(struct tree *tree, struct tree_report *report)
{
    JET_ERR err = JET_errSuccess;
    struct checker checker = {.tree = tree, .report = report};
    struct space_map map = {&checker, NULL, tree->database->page_last};

    memset(report, 0, sizeof *report);
    map.uses = os_allocate_zeroed((size_t)map.last + 1);
    if (map.uses == NULL)
        FAIL(JET_errOutOfMemory);
    TRY(map_space(&map, tree));
    TRY(btree_check(tree, take_page, &map, report));
done:
    os_free(map.uses);
    return err;
}
