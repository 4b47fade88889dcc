#include "src/btree/split_select.h"

static void release_plan(struct split_plan *plan)
{
    for (size_t i = 0; i < plan->levels_used; i++) {
        cache_unlatch(&plan->path[i]);
        cache_unlatch(&plan->new_pages[i]);
    }
    cache_unlatch(&plan->right);
    plan->depth = 0;
}

static void free_plan(struct split_plan *plan)
{
    release_plan(plan);
    for (size_t i = 0; i < plan->levels_used; i++) {
        byte_buffer_free(&plan->prefixes[i]);
        byte_buffer_free(&plan->old_prefixes[i]);
        byte_buffer_free(&plan->separators[i]);
    }
    os_free(plan->weights);
    os_free(plan);
}

/* Whether the plan has the page latched already: in a damaged database anything may point anywhere. */
static bool plan_has(const struct split_plan *plan, page_number number)
{
    for (size_t level = 0; level < plan->depth; level++) {
        if (plan->path[level].page.number == number)
            return true;
    }
    return latch_is_held(&plan->right) && plan->right.page.number == number;
}

/* Latches the path to the bookmark, root to leaf, in intent mode, and the leaf's right sibling. */
static JET_ERR latch_path(struct split_plan *plan, const struct bookmark *bookmark, bool *equal)
{
    JET_ERR err = JET_errSuccess;
    struct tree *tree = plan->tree;
    page_number number = tree->root;

    for (size_t level = 0;; level++) {
        struct latch *latch = &plan->path[level];

        if (level == TREE_DEPTH_MOST || plan_has(plan, number))
            FAIL(JET_errBadParentPageLink);
        TRY(cache_latch(tree->database, number, LATCH_INTENT, 0, latch));
        plan->depth = level + 1;
        if (plan->levels_used < plan->depth)
            plan->levels_used = plan->depth;
        TRY(tree_check_page(tree, &latch->page, level == 0 ? NULL : &plan->path[level - 1].page));
        if (page_is_leaf(&latch->page)) {
            plan->lines[level] = leaf_line(tree, &latch->page, bookmark, equal);
            break;
        }
        plan->lines[level] = branch_line(&latch->page, bookmark);
        number = node_child(&latch->page, plan->lines[level]);
    }
    const struct latch *leaf = &plan->path[plan->depth - 1];
    page_number next = page_header(&leaf->page)->next;
    if (plan_has(plan, next))
        FAIL(JET_errBadPageLink);
    if (next != PAGE_NUMBER_NULL) {
        TRY(cache_latch(tree->database, next, LATCH_INTENT, 0, &plan->right));
        if (page_header(&plan->right.page)->tree != tree->object || !page_is_leaf(&plan->right.page) ||
            page_header(&plan->right.page)->previous != leaf->page.number)
            FAIL(JET_errBadPageLink);
    }
done:
    return err;
}

/* Whether redo needs the page as it was before: not when nothing but the new node goes to the new page. */
static bool needs_before_image(const struct split_step *step)
{
    if (step->type == SPLIT_APPEND)
        return false;
    return !(step->type == SPLIT_RIGHT && step->operation == SPLIT_OPERATION_INSERT &&
             step->split_line == step->operation_line && step->split_line == step->line_count - 1);
}

static JET_ERR log_step(struct split_plan *plan, const struct btree_actor *actor, size_t level,
                        dbtime modified, uint8_t *scratch, struct log_position *position)
{
    const struct split_step *step = &plan->steps[level];
    const struct latch *parent = level > plan->first ? &plan->path[level - 1] : NULL;
    struct log_record_split2 record;
    struct log_piece pieces[5] = {{&record, sizeof record}};
    size_t count = 1;
    uint32_t flags = 0;

    memset(&record, 0, sizeof record);
    log_fill_page(&record.split.page, LOG_RECORD_SPLIT2, plan->tree, actor, step->split_number, modified,
                  page_header(&step->page)->modified);
    record.split.parent_page = parent != NULL ? parent->page.number : PAGE_NUMBER_NULL;
    record.split.dbtime_parent_before =
        parent != NULL ? page_header(&parent->page)->modified : LOG_DBTIME_NONE;
    record.split.tree_page = plan->tree->owner;
    record.split.tree_object = plan->tree->object;
    record.split.operation_line = (uint16_t)step->operation_line;
    record.split.dbtime_right_before = LOG_DBTIME_NONE;
    if (!step->splits)
        return log_append(plan->tree->database->log, pieces, count, 0, actor->begin.generation, position);
    record.split.new_page = step->new_number;
    record.split.right_page = step->right_number;
    if (step->change_right)
        record.split.dbtime_right_before = page_header(&step->right_page)->modified;
    record.split.split_type = (uint8_t)step->type;
    record.split.split_operation = (uint8_t)step->operation;
    record.split.split_line = (uint16_t)step->split_line;
    record.split.line_count = (uint16_t)step->line_count;
    record.split.new_page_flags = step->new_flags & ~(uint32_t)PAGE_FLAGS_OF_WRITING;
    record.split.split_page_flags = step->split_flags & ~(uint32_t)PAGE_FLAGS_OF_WRITING;
    record.split.uncommitted_free_source = (int16_t)step->uncommitted_free_split;
    record.split.uncommitted_free_destination = (int16_t)step->uncommitted_free_new;
    record.split.prefix_line_split = step->prefix_line_split;
    record.split.prefix_line_new = step->prefix_line_new;
    record.split.parent_key_size = (uint16_t)step->parent_key.size;
    record.split.prefix_split_old_size = (uint16_t)plan->old_prefixes[level].size;
    record.split.prefix_split_new_size = (uint16_t)step->prefix_split.size;
    pieces[count++] = (struct log_piece){step->parent_key.bytes, step->parent_key.size};
    pieces[count++] = (struct log_piece){plan->old_prefixes[level].bytes, plan->old_prefixes[level].size};
    pieces[count++] = (struct log_piece){step->prefix_split.bytes, step->prefix_split.size};
    if (needs_before_image(step)) {
        pieces[count] = log_page_image(&step->page, modified, scratch, &flags);
        record.flags = flags;
        record.before_image_size = (uint32_t)pieces[count++].size;
    }
    return log_append(plan->tree->database->log, pieces, count, 0, actor->begin.generation, position);
}

static void log_split_pages(const struct split_plan *plan)
{
    page_number pages[2 * TREE_DEPTH_MOST + 3];
    size_t count = 0;

    for (size_t level = plan->first; level < plan->depth; level++) {
        pages[count++] = plan->steps[level].split_number;
        if (plan->steps[level].splits)
            pages[count++] = plan->steps[level].new_number;
    }
    if (plan->steps[plan->depth - 1].change_right)
        pages[count++] = plan->steps[plan->depth - 1].right_number;
    log_macro_pages(plan->tree, pages, count);
}

/* Begin, a record for each level from the top, the change, commit. */
static JET_ERR log_split(struct split_plan *plan, const struct btree_actor *actor,
                         const struct node_change *change, dbtime modified, uint8_t *scratch,
                         struct log_position *position)
{
    JET_ERR err = JET_errSuccess;
    const struct split_step *leaf = &plan->steps[plan->depth - 1];
    struct log_position ignored = LOG_POSITION_MIN;
    bool begun = false;

    TRY(log_macro(plan->tree, actor, LOG_RECORD_MACRO_BEGIN, modified, position));
    begun = true;
    for (size_t level = plan->first; level < plan->depth; level++)
        TRY(log_step(plan, actor, level, modified, scratch, position));
    if (plan->operation_done)
        TRY(log_node_change(plan->tree, actor, &leaf->page, leaf->operation_line, change, modified,
                            LOG_DBTIME_NONE, position));
    TRY(log_macro(plan->tree, actor, LOG_RECORD_MACRO_COMMIT, modified, position));
    log_split_pages(plan);
done:
    if (err < JET_errSuccess && begun)
        (void)log_macro(plan->tree, actor, LOG_RECORD_MACRO_ABORT, modified, &ignored);
    return err;
}

/* Lets go of what does not change, and makes the rest exclusive from the top down. */
static void upgrade_plan(struct split_plan *plan)
{
    for (size_t level = 0; level < plan->first; level++)
        cache_unlatch(&plan->path[level]);
    for (size_t level = plan->first; level < plan->depth; level++) {
        cache_upgrade(&plan->path[level]);
        plan->steps[level].page = plan->path[level].page;
    }
    struct split_step *leaf = &plan->steps[plan->depth - 1];
    if (leaf->type == SPLIT_VERTICAL || !latch_is_held(&plan->right)) {
        leaf->change_right = false;
        leaf->right_number = PAGE_NUMBER_NULL;
    } else {
        cache_upgrade(&plan->right);
        leaf->right_page = plan->right.page;
    }
}

static JET_ERR latch_new_pages(struct split_plan *plan, const struct btree_actor *actor,
                               const page_number *pages)
{
    JET_ERR err = JET_errSuccess;
    size_t used = 0;

    for (size_t level = plan->first; level < plan->depth; level++) {
        struct split_step *step = &plan->steps[level];

        if (!step->splits)
            continue;
        if (plan_has(plan, pages[used]) || (used > 0 && pages[used] == pages[used - 1]))
            FAIL(JET_errSPAvailExtCorrupted);
        TRY(latch_new_page(plan->tree, actor, pages[used], &plan->new_pages[level]));
        step->new_page = plan->new_pages[level].page;
        step->new_number = pages[used];
        step->change_new = true;
        used++;
    }
done:
    return err;
}

static void stamp_plan(struct split_plan *plan, const struct btree_actor *actor, dbtime modified,
                       struct log_position position)
{
    for (size_t level = plan->first; level < plan->depth; level++) {
        stamp_page(&plan->path[level], actor, modified, position);
        if (plan->steps[level].splits)
            stamp_page(&plan->new_pages[level], actor, modified, position);
    }
    if (plan->steps[plan->depth - 1].change_right)
        stamp_page(&plan->right, actor, modified, position);
}

/* Tells the caller where its node went, under the latch. */
static void report_change(struct split_plan *plan, struct node_change *change, dbtime modified,
                          struct log_position position)
{
    size_t level = plan->depth - 1;
    const struct split_step *leaf = &plan->steps[level];
    bool moved = leaf->operation_line >= leaf->split_line;
    struct change_place place = {moved ? &plan->new_pages[level] : &plan->path[level],
                                 moved ? leaf->operation_line - leaf->split_line : leaf->operation_line,
                                 true,
                                 {{{NULL, 0}, {NULL, 0}}, {NULL, 0}, 0}};

    change->page = place.latch->page.number;
    change->line = place.line;
    change->modified = modified;
    if (change->applied != NULL)
        change->applied(change, &place, position);
}

static JET_ERR perform(struct split_plan *plan, const struct btree_actor *actor, struct node_change *change,
                       const page_number *pages, uint8_t *scratch)
{
    JET_ERR err = JET_errSuccess;
    struct log_position position = LOG_POSITION_MIN;
    dbtime modified = 0;

    TRY(latch_new_pages(plan, actor, pages));
    upgrade_plan(plan);
    modified = database_next_dbtime(plan->tree->database);
    for (size_t level = plan->first; level < plan->depth; level++) {
        if (page_header(&plan->path[level].page)->modified >= modified)
            FAIL(JET_errDbTimeCorrupted);
    }
    if (change_is_logged(plan->tree))
        TRY(log_split(plan, actor, change, modified, scratch, &position));
    apply_split(&plan->steps[plan->first], plan->depth - plan->first, &plan->change, plan->tree->object,
                modified, scratch);
    stamp_plan(plan, actor, modified, position);
    if (plan->operation_done)
        report_change(plan, change, modified, position);
done:
    return err;
}

static dbtime basis_dbtime(const struct split_plan *plan, size_t level)
{
    return level >= plan->first ? page_header(&plan->path[level].page)->modified : 0;
}

static dbtime right_dbtime(const struct split_plan *plan)
{
    return latch_is_held(&plan->right) ? page_header(&plan->right.page)->modified : 0;
}

static void describe_basis(struct split_plan *plan, const struct node_change *change)
{
    struct split_basis *basis = &plan->basis;

    basis->kind = change->kind;
    basis->data_size = change->data.size;
    basis->depth = plan->depth;
    basis->right = plan->right.page.number;
    basis->right_modified = right_dbtime(plan);
    for (size_t level = 0; level < plan->depth; level++) {
        basis->numbers[level] = plan->path[level].page.number;
        basis->modified[level] = basis_dbtime(plan, level);
        basis->lines[level] = plan->lines[level];
    }
}

/* Whether the plan of the last attempt is still what split_select would say. */
static bool plan_holds(const struct split_plan *plan, const struct node_change *change)
{
    const struct split_basis *basis = &plan->basis;

    if (basis->depth != plan->depth || basis->kind != change->kind || basis->data_size != change->data.size ||
        basis->right != plan->right.page.number || basis->right_modified != right_dbtime(plan))
        return false;
    for (size_t level = 0; level < plan->depth; level++) {
        if (basis->numbers[level] != plan->path[level].page.number ||
            basis->modified[level] != basis_dbtime(plan, level) || basis->lines[level] != plan->lines[level])
            return false;
    }
    return true;
}

/* The plan, from the pages as they are latched now. */
static JET_ERR select_plan(struct split_plan *plan, const struct node_change *change)
{
    struct split_step *leaf = &plan->steps[plan->depth - 1];

    if (!plan_holds(plan, change)) {
        JET_ERR err = split_select(plan, change);

        if (err >= JET_errSuccess)
            describe_basis(plan, change);
        return err;
    }
    plan->change = (struct split_change){change->bookmark.key, change->data, change->versioned};
    for (size_t level = plan->first; level < plan->depth; level++)
        plan->steps[level].page = plan->path[level].page;
    if (leaf->change_right)
        leaf->right_page = plan->right.page;
    return JET_errSuccess;
}

/* One attempt: *done when the change happened; otherwise `needed` more pages, or simply again. */
static JET_ERR attempt(struct split_plan *plan, const struct btree_actor *actor, struct node_change *change,
                       page_number *pages, size_t *page_count, size_t *needed, page_number *hint,
                       uint8_t *scratch, bool *done)
{
    JET_ERR err = JET_errSuccess;
    bool equal = false;

    *needed = 0;
    TRY(latch_path(plan, &change->bookmark, &equal));
    struct latch *leaf = &plan->path[plan->depth - 1];
    uint32_t line = plan->lines[plan->depth - 1];
    *hint = leaf->page.number;
    TRY(change_ask(change, leaf, line, equal));
    if (change_fits(plan->tree, leaf, line, change)) {
        cache_upgrade(leaf);
        TRY(change_in_place(plan->tree, actor, leaf, line, change));
        *done = true;
        goto done;
    }
    TRY(select_plan(plan, change));
    if (plan->new_page_count > *page_count) {
        *needed = plan->new_page_count;
        goto done;
    }
    plan->basis.depth = 0;
    TRY(perform(plan, actor, change, pages, scratch));
    for (size_t i = 0; i + plan->new_page_count < *page_count; i++)
        pages[i] = pages[i + plan->new_page_count];
    *page_count -= plan->new_page_count;
    *done = plan->operation_done;
done:
    release_plan(plan);
    return err;
}

JET_ERR split_and_change(struct tree *tree, const struct btree_actor *actor, struct node_change *change)
{
    JET_ERR err = JET_errSuccess;
    struct split_plan *plan = os_allocate_zeroed(sizeof *plan);
    uint8_t *scratch = os_allocate_pages(2 * tree->database->page_size);
    page_number pages[TREE_DEPTH_MOST + 1];
    size_t page_count = 0;
    page_number hint = PAGE_NUMBER_NULL;
    bool finished = false;

    if (plan == NULL || scratch == NULL)
        FAIL(JET_errOutOfMemory);
    plan->tree = tree;
    while (!finished) {
        size_t needed = 0;

        TRY(attempt(plan, actor, change, pages, &page_count, &needed, &hint, scratch, &finished));
        while (page_count < needed) {
            TRY(tree_take_page(tree, actor, hint, &pages[page_count]));
            page_count++;
        }
    }
done:
    while (page_count > 0)
        tree_return_page(tree, actor, pages[--page_count]);
    if (plan != NULL)
        free_plan(plan);
    os_free(scratch);
    return err;
}
