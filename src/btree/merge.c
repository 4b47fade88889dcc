#include "src/btree/merge.h"
#include "src/btree/apply_merge.h"
#include "src/btree/apply_node.h"
#include "src/btree/btree_internal.h"

struct merge_level {
    struct latch latch;
    uint32_t line; /* towards the leaf */
    bool change_key;
    bool delete_node;
    bool empty_page;
};

struct merge_plan {
    struct tree *tree;
    struct merge_level levels[TREE_DEPTH_MOST + 1]; /* 0 is the root */
    size_t depth;
    size_t first; /* highest level that changes */
    struct latch left;
    struct latch right;
    struct byte_buffer separator; /* new last key of the page that loses its last child */
    enum merge_type type;
    uint32_t size;      /* bytes of the nodes that move, uncompressed, with tags */
    uint32_t size_most; /* the same if transactions roll back */
    uint8_t *scratch;   /* two pages' worth */
};

static void release_merge(struct merge_plan *plan)
{
    for (size_t i = 0; i <= TREE_DEPTH_MOST; i++)
        cache_unlatch(&plan->levels[i].latch);
    cache_unlatch(&plan->left);
    cache_unlatch(&plan->right);
}

/* Whether the plan has the page latched already, which happens in damaged trees only. */
static bool merge_has(const struct merge_plan *plan, page_number number)
{
    for (size_t i = 0; i < plan->depth; i++) {
        if (latch_is_held(&plan->levels[i].latch) && plan->levels[i].latch.page.number == number)
            return true;
    }
    return latch_is_held(&plan->left) && plan->left.page.number == number;
}

/* Latches a sibling of the leaf and checks that they know each other. */
static JET_ERR latch_sibling(struct merge_plan *plan, page_number number, struct latch *latch)
{
    JET_ERR err = JET_errSuccess;

    if (number == PAGE_NUMBER_NULL)
        return JET_errSuccess;
    if (merge_has(plan, number))
        FAIL(JET_errBadPageLink);
    TRY(cache_latch(plan->tree->database, number, LATCH_INTENT, 0, latch));
    if (page_header(&latch->page)->tree != plan->tree->object || !page_is_leaf(&latch->page))
        FAIL(JET_errBadPageLink);
done:
    return err;
}

/* The leaf with its siblings, latched from left to right. Splits and other merges are kept out by the latch
 * of the root, so the left sibling stays what it is while the leaf is let go. */
static JET_ERR latch_leaves(struct merge_plan *plan, page_number number, const struct page *above)
{
    JET_ERR err = JET_errSuccess;
    struct latch *leaf = &plan->levels[plan->depth - 1].latch;

    if (merge_has(plan, number))
        FAIL(JET_errBadParentPageLink);
    TRY(cache_latch(plan->tree->database, number, LATCH_INTENT, 0, leaf));
    TRY(tree_check_page(plan->tree, &leaf->page, above));
    page_number previous = page_header(&leaf->page)->previous;
    if (previous == number)
        FAIL(JET_errBadPageLink);
    if (previous != PAGE_NUMBER_NULL) {
        cache_unlatch(leaf);
        TRY(latch_sibling(plan, previous, &plan->left));
        TRY(cache_latch(plan->tree->database, number, LATCH_INTENT, 0, leaf));
        if (page_header(&plan->left.page)->next != number)
            FAIL(JET_errBadPageLink);
    }
    TRY(latch_sibling(plan, page_header(&leaf->page)->next, &plan->right));
    if (latch_is_held(&plan->right) && page_header(&plan->right.page)->previous != number)
        FAIL(JET_errBadPageLink);
done:
    return err;
}

static JET_ERR latch_merge_path(struct merge_plan *plan, const struct bookmark *bookmark)
{
    JET_ERR err = JET_errSuccess;
    page_number number = plan->tree->root;

    for (plan->depth = 1;; plan->depth++) {
        struct merge_level *level = &plan->levels[plan->depth - 1];
        const struct page *above = plan->depth > 1 ? &plan->levels[plan->depth - 2].latch.page : NULL;

        if (plan->depth > TREE_DEPTH_MOST || merge_has(plan, number))
            FAIL(JET_errBadParentPageLink);
        if (above != NULL && page_has_flag(above, PAGE_PARENT_OF_LEAF)) {
            TRY(latch_leaves(plan, number, above));
            break;
        }
        TRY(cache_latch(plan->tree->database, number, LATCH_INTENT, 0, &level->latch));
        TRY(tree_check_page(plan->tree, &level->latch.page, above));
        if (page_is_leaf(&level->latch.page))
            break; /* the root */
        level->line = branch_line(&level->latch.page, bookmark);
        number = node_child(&level->latch.page, level->line);
    }
done:
    return err;
}

static bool leaf_is_dead(struct merge_plan *plan, node_is_dead *is_dead, void *context)
{
    const struct page *page = &plan->levels[plan->depth - 1].latch.page;

    for (uint32_t line = 0; line < page_line_count(page); line++) {
        struct node node = node_get(page, line);

        if ((node.flags & NODE_DELETED) == 0 || !is_dead(context, plan->tree, &node))
            return false;
    }
    return true;
}

static bool is_last_line(const struct merge_level *level)
{
    return level->line == page_line_count(&level->latch.page) - 1;
}

static bool key_fits(const struct merge_level *level, struct span separator)
{
    const struct page *page = &level->latch.page;
    struct node node = node_get(page, level->line);
    struct key key = key_of(separator.bytes, separator.size);
    size_t size = node_size(key_size(&key), node.data.size, node_prefix_size(page, &key));

    return page_free_bytes(page) + page_line(page, level->line).size + sizeof(struct page_tag) >= size;
}

/* Decides what happens to each level; *possible false if the tree would lose its last leaf, or a key does not
 * fit. */
static JET_ERR plan_levels(struct merge_plan *plan, bool *possible)
{
    JET_ERR err = JET_errSuccess;
    size_t i = plan->depth - 1;

    *possible = false;
    plan->levels[i].empty_page = true;
    /* Pages with one child go with it. */
    for (i--; page_line_count(&plan->levels[i].latch.page) == 1; i--) {
        if (i == 0)
            goto done;
        plan->levels[i].empty_page = true;
    }
    struct merge_level *level = &plan->levels[i];
    level->delete_node = true;
    plan->first = i;
    if (is_last_line(level)) {
        struct node last = node_get(&level->latch.page, level->line);
        struct node before = node_get(&level->latch.page, level->line - 1);

        /* The last page of a level keeps its empty last key; in others the key above follows. A branch page
         * at the right edge stays, since its left neighbour's last key is not empty. */
        if (key_size(&last.key) == 0 && i != plan->depth - 2)
            goto done;
        if (key_size(&last.key) > 0) {
            TRY(byte_buffer_reserve(&plan->separator, key_size(&before.key)));
            plan->separator.size = key_copy(&before.key, 0, plan->separator.bytes, key_size(&before.key));
            do {
                if (i == 0)
                    FAIL(JET_errBadParentPageLink);
                i--;
                if (!key_fits(&plan->levels[i], span_of(plan->separator.bytes, plan->separator.size)))
                    goto done;
                plan->levels[i].change_key = true;
                plan->first = i;
            } while (is_last_line(&plan->levels[i]));
        }
    }
    *possible = true;
done:
    return err;
}

/* Uncommitted free bytes of the leaf that takes the nodes, afterwards. */
static uint16_t target_claims(const struct merge_plan *plan)
{
    return (uint16_t)(page_header(&plan->right.page)->uncommitted_free_bytes + plan->size_most - plan->size);
}

static JET_ERR log_level(struct merge_plan *plan, const struct btree_actor *actor, size_t index,
                         dbtime modified, struct log_position *position)
{
    const struct merge_level *level = &plan->levels[index];
    const struct merge_level *above = index > plan->first ? &plan->levels[index - 1] : NULL;
    bool leaf = index == plan->depth - 1;
    struct log_record_merge2 record;
    struct log_piece pieces[3] = {{&record, sizeof record}, {NULL, 0}, {NULL, 0}};
    uint32_t flags = 0;

    memset(&record, 0, sizeof record);
    log_fill_page(&record.merge.page, LOG_RECORD_MERGE2, plan->tree, actor, level->latch.page.number,
                  modified, page_header(&level->latch.page)->modified);
    record.merge.page.line = (uint16_t)level->line;
    record.merge.parent_page = above != NULL ? above->latch.page.number : PAGE_NUMBER_NULL;
    record.merge.dbtime_parent_before =
        above != NULL ? page_header(&above->latch.page)->modified : LOG_DBTIME_NONE;
    record.merge.tree_page = plan->tree->owner;
    record.merge.tree_object = plan->tree->object;
    record.merge.flags = (uint8_t)((level->change_key ? LOG_MERGE_KEY_CHANGE : 0) |
                                   (level->delete_node ? LOG_MERGE_DELETE_NODE : 0) |
                                   (level->empty_page ? LOG_MERGE_EMPTY_PAGE : 0));
    record.merge.dbtime_left_before = LOG_DBTIME_NONE;
    record.merge.dbtime_right_before = LOG_DBTIME_NONE;
    if (leaf) {
        record.merge.merge_type = (uint8_t)plan->type;
        if (latch_is_held(&plan->left)) {
            record.merge.left_page = plan->left.page.number;
            record.merge.dbtime_left_before = page_header(&plan->left.page)->modified;
        }
        if (latch_is_held(&plan->right)) {
            record.merge.right_page = plan->right.page.number;
            record.merge.dbtime_right_before = page_header(&plan->right.page)->modified;
        }
        record.merge.parent_separator_size = (uint16_t)plan->separator.size;
        pieces[1] = (struct log_piece){plan->separator.bytes, plan->separator.size};
    }
    if (leaf && plan->type == MERGE_FULL_RIGHT) {
        /* The image carries the new dbtime already; redo puts the old one back. */
        const struct page *page = &level->latch.page;
        struct page image = {plan->scratch, page->size, page->number};

        memcpy(image.data, page->data, page->size);
        page_header(&image)->modified = modified;
        record.merge.size_total = (uint16_t)plan->size;
        record.merge.size_maximum_total = (uint16_t)plan->size_most;
        record.merge.uncommitted_free_destination = target_claims(plan);
        pieces[2] = log_page_image(&level->latch.page, modified, plan->scratch, &flags);
        record.flags = flags;
        record.before_image_size = (uint32_t)pieces[2].size;
    }
    return log_append(plan->tree->database->log, pieces, 3, 0, actor->begin.generation, position);
}

static void log_merge_pages(const struct merge_plan *plan)
{
    page_number pages[TREE_DEPTH_MOST + 3];
    size_t count = 0;

    for (size_t i = plan->first; i < plan->depth; i++)
        pages[count++] = plan->levels[i].latch.page.number;
    if (latch_is_held(&plan->left))
        pages[count++] = plan->left.page.number;
    if (latch_is_held(&plan->right))
        pages[count++] = plan->right.page.number;
    log_macro_pages(plan->tree, pages, count);
}

static JET_ERR log_merge(struct merge_plan *plan, const struct btree_actor *actor, dbtime modified,
                         struct log_position *position)
{
    JET_ERR err = JET_errSuccess;
    struct log_position ignored = LOG_POSITION_MIN;
    bool begun = false;

    TRY(log_macro(plan->tree, actor, LOG_RECORD_MACRO_BEGIN, modified, position));
    begun = true;
    for (size_t i = plan->first; i < plan->depth; i++)
        TRY(log_level(plan, actor, i, modified, position));
    TRY(log_macro(plan->tree, actor, LOG_RECORD_MACRO_COMMIT, modified, position));
    log_merge_pages(plan);
done:
    if (err < JET_errSuccess && begun)
        (void)log_macro(plan->tree, actor, LOG_RECORD_MACRO_ABORT, modified, &ignored);
    return err;
}

/* Gives the pointer in a line another key. */
static void change_pointer_key(struct page *page, uint32_t line, struct span bytes)
{
    page_number child = node_child(page, line);
    struct node node = {key_of(bytes.bytes, bytes.size), span_of(&child, sizeof child), 0};

    page_delete_lines(page, line, 1);
    node_insert(page, line, &node, node_prefix_size(page, &node.key));
}

static void apply_level(struct merge_plan *plan, struct merge_level *level)
{
    struct page *page = &level->latch.page;

    if (level->delete_node) {
        struct node node = node_get(page, level->line);
        bool last_of_all = key_size(&node.key) == 0;

        page_delete_lines(page, level->line, 1);
        if (last_of_all)
            change_pointer_key(page, level->line - 1, span_of(NULL, 0));
    } else if (level->change_key) {
        change_pointer_key(page, level->line, span_of(plan->separator.bytes, plan->separator.size));
    }
    if (level->empty_page)
        apply_empty_page(page);
}

static void upgrade_merge(struct merge_plan *plan)
{
    for (size_t i = 0; i < plan->first; i++)
        cache_unlatch(&plan->levels[i].latch);
    for (size_t i = plan->first; i + 1 < plan->depth; i++)
        cache_upgrade(&plan->levels[i].latch);
    if (latch_is_held(&plan->left))
        cache_upgrade(&plan->left);
    cache_upgrade(&plan->levels[plan->depth - 1].latch);
    if (latch_is_held(&plan->right))
        cache_upgrade(&plan->right);
}

static void move_right(struct merge_plan *plan)
{
    const struct page *leaf = &plan->levels[plan->depth - 1].latch.page;
    uint16_t claims = target_claims(plan);
    JET_ERR err = apply_move_nodes(leaf, 0, page_line_count(leaf), &plan->right.page, 0, plan->scratch);

    ASSERT(err == JET_errSuccess); /* the plan has seen to the room */
    (void)err;
    page_set_uncommitted_free(&plan->right.page, claims);
}

static JET_ERR perform_merge(struct merge_plan *plan, const struct btree_actor *actor)
{
    JET_ERR err = JET_errSuccess;
    struct log_position position = LOG_POSITION_MIN;
    bool has_left = latch_is_held(&plan->left);
    bool has_right = latch_is_held(&plan->right);

    upgrade_merge(plan);
    dbtime modified = database_next_dbtime(plan->tree->database);
    if (change_is_logged(plan->tree))
        TRY(log_merge(plan, actor, modified, &position));
    if (plan->type == MERGE_FULL_RIGHT)
        move_right(plan);
    if (has_left)
        page_header(&plan->left.page)->next = has_right ? plan->right.page.number : PAGE_NUMBER_NULL;
    if (has_right)
        page_header(&plan->right.page)->previous = has_left ? plan->left.page.number : PAGE_NUMBER_NULL;
    for (size_t i = plan->first; i < plan->depth; i++) {
        apply_level(plan, &plan->levels[i]);
        stamp_page(&plan->levels[i].latch, actor, modified, position);
    }
    if (has_left)
        stamp_page(&plan->left, actor, modified, position);
    if (has_right)
        stamp_page(&plan->right, actor, modified, position);
done:
    return err;
}

/* Whether what lives in the leaf fits the leaf behind and leaves as much room there as the density wants.
 * Deleted nodes that somebody may still see keep the leaf. */
static bool leaf_fits_behind(struct merge_plan *plan, node_is_dead *is_dead, void *context)
{
    const struct page *page = &plan->levels[plan->depth - 1].latch.page;
    const struct page *target = &plan->right.page;
    uint32_t free_percent = os_atomic_load(&plan->tree->append_free);
    size_t savings = 0;

    if (!latch_is_held(&plan->right))
        return false;
    plan->size = 0;
    plan->size_most = 0;
    for (uint32_t line = 0; line < page_line_count(page); line++) {
        struct node node = node_get(page, line);

        if ((node.flags & NODE_DELETED) != 0) {
            if (!is_dead(context, plan->tree, &node))
                return false;
            continue;
        }
        size_t size = node_size(key_size(&node.key), node.data.size, 0);
        plan->size += (uint32_t)size;
        plan->size_most += (uint32_t)size + node_reserve(plan->tree, &node);
        savings += size - node_size(key_size(&node.key), node.data.size, node_prefix_size(target, &node.key));
    }
    return page_has_space(plan->tree, &plan->right,
                          (uint32_t)(plan->size_most - savings + page->size * free_percent / 100));
}

static JET_ERR choose_merge(struct merge_plan *plan, node_is_dead *is_dead, void *context, bool *possible)
{
    *possible = false;
    if (plan->depth < 2)
        return JET_errSuccess;
    if (leaf_is_dead(plan, is_dead, context))
        plan->type = MERGE_EMPTY_PAGE;
    else if (leaf_fits_behind(plan, is_dead, context))
        plan->type = MERGE_FULL_RIGHT;
    else
        return JET_errSuccess;
    return plan_levels(plan, possible);
}

JET_ERR btree_remove_leaf(struct tree *tree, const struct btree_actor *actor, const struct bookmark *bookmark,
                          node_is_dead *is_dead, void *context, bool *removed)
{
    JET_ERR err = JET_errSuccess;
    struct merge_plan *plan = os_allocate_zeroed(sizeof *plan);
    page_number pages[TREE_DEPTH_MOST + 1];
    size_t page_count = 0;
    bool possible = false;

    *removed = false;
    if (plan == NULL)
        return JET_errOutOfMemory;
    plan->tree = tree;
    plan->scratch = os_allocate_pages(2 * tree->database->page_size);
    if (plan->scratch == NULL)
        FAIL(JET_errOutOfMemory);
    TRY(latch_merge_path(plan, bookmark));
    TRY(choose_merge(plan, is_dead, context, &possible));
    if (!possible)
        goto done;
    for (size_t i = 0; i < plan->depth; i++) {
        if (plan->levels[i].empty_page)
            pages[page_count++] = plan->levels[i].latch.page.number;
    }
    TRY(perform_merge(plan, actor));
    *removed = true;
done:
    release_merge(plan);
    if (*removed) {
        while (page_count > 0)
            tree_return_page(tree, actor, pages[--page_count]);
    }
    byte_buffer_free(&plan->separator);
    os_free(plan->scratch);
    os_free(plan);
    return err;
}

/* Bytes that lines and tags take. */
static uint32_t bytes_in_use(const struct page *page)
{
    return page->size - page_header_size(page->size) - page_free_bytes(page);
}

/* Whether the leaf in front probably fits the one behind. */
static bool seems_to_fit(const struct tree *tree, const struct page *front, const struct page *behind)
{
    uint32_t free_percent = os_atomic_load(&tree->append_free);

    return page_header(front)->tree == tree->object && page_header(behind)->tree == tree->object &&
           page_is_leaf(front) && page_is_leaf(behind) && page_line_count(front) > 0 &&
           bytes_in_use(front) + front->size * free_percent / 100 <= page_free_bytes(behind);
}

bool btree_leaf_seems_to_fit(const struct tree *tree, const struct latch *leaf, bool previous,
                             struct byte_buffer *key, struct byte_buffer *data)
{
    struct latch sibling = LATCH_INIT;
    const struct page_header *header = page_header(&leaf->page);
    page_number number = previous ? header->previous : header->next;
    bool fits = false;

    if (page_is_root(&leaf->page) || number == PAGE_NUMBER_NULL || number == leaf->page.number)
        return false;
    if (cache_latch(tree->database, number, LATCH_SHARED, LATCH_CACHED_ONLY | LATCH_NO_WAIT, &sibling) <
        JET_errSuccess)
        return false;
    fits = previous ? seems_to_fit(tree, &sibling.page, &leaf->page)
                    : seems_to_fit(tree, &leaf->page, &sibling.page);
    if (fits && previous) {
        struct node node = node_get(&sibling.page, 0);

        fits = byte_buffer_reserve(key, key_size(&node.key)) >= JET_errSuccess &&
               byte_buffer_set(data, tree->unique ? span_of(NULL, 0) : node.data) >= JET_errSuccess;
        if (fits)
            key->size = key_copy(&node.key, 0, key->bytes, key_size(&node.key));
    }
    cache_unlatch(&sibling);
    return fits;
}
