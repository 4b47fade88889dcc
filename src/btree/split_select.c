#include "src/btree/split_select.h"

static struct node plan_line(const struct split_plan *plan, size_t level, uint32_t line)
{
    return split_plan_line(plan, level, line);
}

/* Both halves when the page is split before `line`. */
static enum split_fit try_split_at(struct split_plan *plan, size_t level, uint32_t line)
{
    struct split_step *step = &plan->steps[level];
    struct split_half left = {.first = 0, .end = line, .prefix_line = SPLIT_LINE_NONE};
    struct split_half right = {.first = line, .end = step->line_count};
    size_t capacity = split_capacity(&step->page);

    if (line > 0)
        split_choose_prefix(plan, level, &left);
    split_choose_prefix(plan, level, &right);
    if (left.size > capacity || right.size > capacity)
        return (left.size > capacity ? SPLIT_LEFT_OVERFLOWS : 0) |
               (right.size > capacity ? SPLIT_RIGHT_OVERFLOWS : 0);
    step->split_line = line;
    step->prefix_line_split = left.prefix_line;
    step->prefix_line_new = right.prefix_line;
    if ((step->new_flags & PAGE_LEAF) != 0) {
        step->uncommitted_free_split = (uint32_t)left.reserve;
        step->uncommitted_free_new = (uint32_t)right.reserve;
    }
    return SPLIT_FITS;
}

static bool fits_at(struct split_plan *plan, size_t level, uint32_t line)
{
    return try_split_at(plan, level, line) == SPLIT_FITS;
}

/* Moves the split point away from the half that overflows; false if that leads nowhere. */
static bool try_near(struct split_plan *plan, size_t level, uint32_t line)
{
    uint32_t count = plan->steps[level].line_count;
    enum split_fit first = try_split_at(plan, level, line);
    enum split_fit fit = first;

    while (fit == first && fit != SPLIT_FITS) {
        line += fit == SPLIT_RIGHT_OVERFLOWS ? 1 : UINT32_MAX;
        if (line == 0 || line == count)
            return false;
        fit = try_split_at(plan, level, line);
    }
    return fit == SPLIT_FITS;
}

/* Splits where both halves have about the same bytes. Only the half with the operation can overflow: the
 * other one's lines had room together before, and do with a prefix that is chosen for them. */
static bool try_even_split(struct split_plan *plan, size_t level)
{
    /* Two nodes that the operation is left out of would have fitted a page each. */
    return ALWAYS(plan->steps[level].line_count > 1) && try_near(plan, level, split_middle_line(plan, level));
}

/* The same as far to the right as possible: the pages above an append. */
static bool try_right_edge(struct split_plan *plan, size_t level)
{
    for (uint32_t line = plan->steps[level].line_count - 1; line > 0; line--) {
        if (fits_at(plan, level, line))
            return true;
    }
    return false;
}

static void select_append(struct split_plan *plan, size_t level)
{
    struct split_step *step = &plan->steps[level];
    struct node node = plan_line(plan, level, step->operation_line);
    size_t size = node_size(key_size(&node.key), node.data.size, 0);

    step->type = SPLIT_APPEND;
    step->split_line = step->operation_line;
    step->prefix_line_split = SPLIT_LINE_NONE;
    step->prefix_line_new = size + NODE_PREFIX_OVERHEAD <= split_capacity(&step->page) &&
                                    key_size(&node.key) > NODE_PREFIX_OVERHEAD
                                ? 0
                                : SPLIT_LINE_NONE;
    step->uncommitted_free_split = (uint32_t)split_reserve(plan, 0, step->split_line);
    step->uncommitted_free_new = 0;
}

/* The page is split first, and the operation done when it is tried again. */
static void set_operation_none(struct split_plan *plan, size_t level)
{
    struct split_step *step = &plan->steps[level];

    step->operation = SPLIT_OPERATION_NONE;
    step->operation_line = 0;
    step->line_count = page_line_count(&step->page);
    plan->operation_done = false;
    SOUND(split_weigh(plan, level)); /* there are no more lines than before */
}

static JET_ERR copy_key(struct byte_buffer *buffer, const struct key *key)
{
    JET_ERR err = byte_buffer_reserve(buffer, key_size(key));

    if (err < JET_errSuccess)
        return err;
    buffer->size = key_copy(key, 0, buffer->bytes, key_size(key));
    return JET_errSuccess;
}

/* Old and new prefix of the split page, where the change of pages cannot reach them. */
static JET_ERR keep_prefixes(struct split_plan *plan, size_t level)
{
    JET_ERR err = JET_errSuccess;
    struct split_step *step = &plan->steps[level];
    struct line header = page_external_header(&step->page);
    bool has_prefix = step->type != SPLIT_VERTICAL;

    TRY(byte_buffer_set(&plan->old_prefixes[level], span_of(header.data, has_prefix ? header.size : 0)));
    plan->prefixes[level].size = 0;
    if (step->prefix_line_split != SPLIT_LINE_NONE) {
        struct node node = plan_line(plan, level, (uint32_t)step->prefix_line_split);

        TRY(copy_key(&plan->prefixes[level], &node.key));
    }
    step->prefix_split = span_of(plan->prefixes[level].bytes, plan->prefixes[level].size);
done:
    return err;
}

/* The shortest key that is greater than the last one on the left, and not greater than the first on the
 * right. */
static JET_ERR make_separator(struct split_plan *plan, size_t level)
{
    JET_ERR err = JET_errSuccess;
    struct split_step *step = &plan->steps[level];
    struct byte_buffer *buffer = &plan->separators[level];
    struct node left = plan_line(plan, level, step->split_line - 1);
    struct node right = plan_line(plan, level, step->split_line);
    size_t common = key_common_prefix(&left.key, &right.key);

    if ((step->new_flags & PAGE_LEAF) == 0) {
        TRY(copy_key(buffer, &left.key));
    } else if (common < key_size(&right.key)) {
        TRY(byte_buffer_reserve(buffer, common + 1));
        buffer->size = key_copy(&right.key, 0, buffer->bytes, common + 1);
    } else {
        struct key left_data = key_of(left.data.bytes, left.data.size);
        struct key right_data = key_of(right.data.bytes, right.data.size);
        size_t data = key_common_prefix(&left_data, &right_data) + 1;

        if (plan->tree->unique || data > right.data.size)
            FAIL(JET_errDatabaseCorrupted);
        TRY(byte_buffer_reserve(buffer, common + data));
        key_copy(&right.key, 0, buffer->bytes, common);
        memcpy(buffer->bytes + common, right.data.bytes, data);
        buffer->size = common + data;
    }
    step->parent_key = span_of(buffer->bytes, buffer->size);
done:
    return err;
}

static void begin_step(struct split_plan *plan, size_t level)
{
    struct split_step *step = &plan->steps[level];
    const struct latch *latch = &plan->path[level];
    uint32_t flags = page_header(&latch->page)->flags;

    memset(step, 0, sizeof *step);
    step->page = latch->page;
    step->change_page = true;
    step->split_number = latch->page.number;
    step->new_flags = flags & ~(uint32_t)PAGE_FLUSH_TYPE_MASK;
    step->split_flags = flags & ~(uint32_t)PAGE_FLUSH_TYPE_MASK;
    step->prefix_line_split = SPLIT_LINE_NONE;
    step->prefix_line_new = SPLIT_LINE_NONE;
    step->line_count = page_line_count(&latch->page);
}

/* The root: its lines go to a new page. Without the operation if it does not fit (then the levels below
 * wait). */
static JET_ERR select_vertical(struct split_plan *plan, size_t level)
{
    JET_ERR err = JET_errSuccess;
    struct split_step *step = &plan->steps[level];
    bool leaf = page_is_leaf(&step->page);

    TRY(split_weigh(plan, level));
    step->type = SPLIT_VERTICAL;
    step->new_flags &= ~(uint32_t)PAGE_ROOT;
    step->split_flags &= ~(uint32_t)(PAGE_LEAF | PAGE_PARENT_OF_LEAF);
    if (leaf)
        step->split_flags |= PAGE_PARENT_OF_LEAF;
    if (!fits_at(plan, level, 0)) {
        set_operation_none(plan, level);
        plan->depth = level + 1; /* nothing happens below */
        if (!fits_at(plan, level, 0))
            FAIL(JET_errDatabaseCorrupted);
    }
    TRY(keep_prefixes(plan, level));
done:
    return err;
}

/* Whether rows come in order at this place though it is not the end of the tree: the two nodes in front were
 * the last to be added to the page, in that order, since they lie highest on it. */
static bool is_hot_point(const struct split_step *step)
{
    const struct page *page = &step->page;
    uint32_t line = step->operation_line;

    if (step->operation != SPLIT_OPERATION_INSERT || line < 2)
        return false;
    const uint8_t *second = page_line(page, line - 2).data;
    if (page_line(page, line - 1).data < second)
        return false;
    for (uint32_t other = 0; other < page_line_count(page); other++) {
        if (other != line - 1 && page_line(page, other).data > second)
            return false;
    }
    return true;
}

/* Splits at a hot point: what is behind goes to the new page, and the new node stays in front of it with the
 * room that leaves; if nothing is behind, it goes to the new page alone. False: it does not fit. */
static bool select_hot_point(struct split_plan *plan, size_t level)
{
    struct split_step *step = &plan->steps[level];
    uint32_t line = step->operation_line;

    if (line < step->line_count - 1)
        set_operation_none(plan, level);
    return fits_at(plan, level, line);
}

static JET_ERR select_horizontal(struct split_plan *plan, size_t level)
{
    JET_ERR err = JET_errSuccess;
    struct split_step *step = &plan->steps[level];
    bool leaf = page_is_leaf(&step->page);
    bool last = step->operation == SPLIT_OPERATION_INSERT && step->operation_line == step->line_count - 1;
    bool append_below = !leaf && plan->steps[plan->depth - 1].type == SPLIT_APPEND;
    bool done = false;

    /* Alone, and too large all the same: beside a prefix from the time of other nodes. */
    if (step->line_count < 2)
        FAIL(JET_errRecordTooBig);
    TRY(split_weigh(plan, level));
    step->type = SPLIT_RIGHT;
    if (leaf && last && page_header(&step->page)->next == PAGE_NUMBER_NULL) {
        select_append(plan, level);
        done = true;
    } else if (leaf && is_hot_point(step)) {
        done = select_hot_point(plan, level);
    } else if (leaf && step->operation == SPLIT_OPERATION_INSERT && step->operation_line == 0 &&
               page_header(&step->page)->previous == PAGE_NUMBER_NULL) {
        /* In front of everything: the new node stays alone, for those that will come in front of it. */
        done = fits_at(plan, level, 1);
    }
    if (!done)
        done = append_below ? try_right_edge(plan, level) : try_even_split(plan, level);
    if (!done) {
        if (!leaf)
            FAIL(JET_errDatabaseCorrupted);
        set_operation_none(plan, level);
        if (!try_even_split(plan, level))
            FAIL(JET_errDatabaseCorrupted);
    }
    TRY(keep_prefixes(plan, level));
    TRY(make_separator(plan, level));
done:
    return err;
}

/* Whether the page above takes the separator without being split. */
static bool pointer_fits(struct split_plan *plan, size_t level, struct span separator)
{
    struct latch *latch = &plan->path[level];
    struct key key = key_of(separator.bytes, separator.size);
    size_t size = node_size(key_size(&key), sizeof(page_number), node_prefix_size(&latch->page, &key));

    return page_header(&latch->page)->free_bytes >= size;
}

static void set_operation(struct split_plan *plan, struct split_step *step, const struct node_change *change,
                          uint32_t line)
{
    plan->change = (struct split_change){change->bookmark.key, change->data, change->versioned};
    plan->operation_done = true;
    step->operation_line = line;
    switch (change->kind) {
    case CHANGE_INSERT:
        step->operation = SPLIT_OPERATION_INSERT;
        step->line_count++;
        break;
    case CHANGE_REPLACE:
        step->operation = SPLIT_OPERATION_REPLACE;
        break;
    case CHANGE_FLAG_INSERT_AND_REPLACE:
        step->operation = SPLIT_OPERATION_FLAG_INSERT_AND_REPLACE;
        break;
    default: /* undo: makes room only */
        step->operation = SPLIT_OPERATION_NONE;
        step->operation_line = 0;
        plan->operation_done = false;
        break;
    }
}

JET_ERR split_select(struct split_plan *plan, const struct node_change *change)
{
    JET_ERR err = JET_errSuccess;
    size_t level = plan->depth - 1;

    begin_step(plan, level);
    plan->steps[level].splits = true;
    set_operation(plan, &plan->steps[level], change, plan->lines[level]);
    plan->new_page_count = 1;
    if (latch_is_held(&plan->right)) {
        plan->steps[level].right_page = plan->right.page;
        plan->steps[level].right_number = plan->right.page.number;
        plan->steps[level].change_right = true;
    }
    for (;;) {
        struct split_step *step = &plan->steps[level];

        plan->first = level;
        if (page_is_root(&step->page)) {
            size_t depth = plan->depth;

            TRY(select_vertical(plan, level));
            if (plan->depth < depth)
                plan->new_page_count = 1;
            break;
        }
        TRY(select_horizontal(plan, level));
        level--;
        begin_step(plan, level);
        plan->steps[level].operation_line = split_separator_line(&plan->path[level].page, step->parent_key);
        if (plan->steps[level].operation_line >= plan->steps[level].line_count ||
            node_child(&plan->path[level].page, plan->steps[level].operation_line) != step->split_number)
            FAIL(JET_errBadParentPageLink);
        plan->first = level;
        if (pointer_fits(plan, level, step->parent_key))
            break;
        plan->steps[level].splits = true;
        plan->steps[level].operation = SPLIT_OPERATION_INSERT;
        plan->steps[level].line_count++;
        plan->new_page_count++;
    }
done:
    return err;
}
