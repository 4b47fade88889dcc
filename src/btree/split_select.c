#include "src/btree/split_select.h"

static size_t page_capacity(const struct page *page)
{
    return page->size - page_header_size(page->size) - sizeof(struct page_tag);
}

/* What a line may grow to when running transactions roll back. */
static size_t line_reserve(const struct split_plan *plan, const struct split_step *step, uint32_t line,
                           const struct node *node)
{
    size_t most = 0;
    struct node before = *node;

    if ((step->new_flags & PAGE_LEAF) == 0 || plan->tree->space)
        return 0;
    if (step->operation == SPLIT_OPERATION_INSERT && line == step->operation_line)
        return 0;
    most = node_reserved_size(plan->tree, node);
    if (step->operation != SPLIT_OPERATION_NONE && line == step->operation_line && plan->change.versioned) {
        before = node_get(&step->page, line);
        if (before.data.size > most)
            most = before.data.size;
    }
    return most > node->data.size ? most - node->data.size : 0;
}

struct half {
    uint32_t first;
    uint32_t end;
    int32_t prefix_line; /* from `first`, or SPLIT_LINE_NONE */
    size_t size;         /* bytes needed, reserves included */
    size_t reserve;
};

static struct node plan_line(const struct split_plan *plan, size_t level, uint32_t line)
{
    const struct split_step *child = level + 1 < plan->depth ? &plan->steps[level + 1] : NULL;

    return split_line_node(&plan->steps[level], &plan->steps[level].page, child, &plan->change, line);
}

static size_t half_size(const struct split_plan *plan, size_t level, const struct half *half,
                        const struct key *prefix)
{
    size_t size = key_size(prefix);

    for (uint32_t line = half->first; line < half->end; line++) {
        struct node node = plan_line(plan, level, line);
        size_t common = key_size(prefix) == 0 ? 0 : key_common_prefix(prefix, &node.key);

        size += node_size(key_size(&node.key), node.data.size, common > NODE_PREFIX_OVERHEAD ? common : 0);
    }
    return size + half->reserve;
}

static void try_prefix(const struct split_plan *plan, size_t level, struct half *half, uint32_t line)
{
    struct node node = plan_line(plan, level, line);

    if (key_size(&node.key) <= NODE_PREFIX_OVERHEAD || (int32_t)(line - half->first) == half->prefix_line)
        return;
    size_t size = half_size(plan, level, half, &node.key);
    if (size < half->size) {
        half->size = size;
        half->prefix_line = (int32_t)(line - half->first);
    }
}

/* The line that shares most with the page's present prefix: with it, the half needs no more room than before.
 */
static uint32_t closest_to_prefix(const struct split_plan *plan, size_t level, const struct half *half)
{
    struct line header = page_external_header(&plan->steps[level].page);
    struct key prefix = key_of(header.data, header.size);
    uint32_t best = half->first;
    size_t most = 0;

    for (uint32_t line = half->first; line < half->end; line++) {
        struct node node = plan_line(plan, level, line);
        size_t common = key_common_prefix(&prefix, &node.key);

        if (common > most) {
            most = common;
            best = line;
        }
    }
    return best;
}

/* Chooses the prefix of a half among a few likely lines, and computes the room it needs. */
static void choose_prefix(const struct split_plan *plan, size_t level, struct half *half)
{
    const struct page *page = &plan->steps[level].page;
    struct key none = key_of(NULL, 0);

    half->prefix_line = SPLIT_LINE_NONE;
    half->reserve = 0;
    for (uint32_t line = half->first; line < half->end; line++) {
        struct node node = plan_line(plan, level, line);

        half->reserve += line_reserve(plan, &plan->steps[level], line, &node);
    }
    half->size = half_size(plan, level, half, &none);
    if (half->end - half->first < 2)
        return;
    try_prefix(plan, level, half, half->first);
    try_prefix(plan, level, half, half->first + (half->end - half->first) / 2);
    try_prefix(plan, level, half, half->end - 1);
    if (!page_is_root(page) && page_external_header(page).size > 0)
        try_prefix(plan, level, half, closest_to_prefix(plan, level, half));
}

/* Both halves when the page is split before `line`; false if one of them overflows. */
static bool try_split_at(struct split_plan *plan, size_t level, uint32_t line)
{
    struct split_step *step = &plan->steps[level];
    struct half left = {.first = 0, .end = line};
    struct half right = {.first = line, .end = step->line_count};
    size_t capacity = page_capacity(&step->page);

    if (line > 0)
        choose_prefix(plan, level, &left);
    choose_prefix(plan, level, &right);
    if (right.size > capacity || (line > 0 && left.size > capacity))
        return false;
    step->split_line = line;
    step->prefix_line_split = line > 0 ? left.prefix_line : SPLIT_LINE_NONE;
    step->prefix_line_new = right.prefix_line;
    if ((step->new_flags & PAGE_LEAF) != 0) {
        step->uncommitted_free_split = line > 0 ? (uint32_t)left.reserve : 0;
        step->uncommitted_free_new = (uint32_t)right.reserve;
    }
    return true;
}

/* The line that halves the bytes of the page. */
static uint32_t middle_line(const struct split_plan *plan, size_t level)
{
    const struct split_step *step = &plan->steps[level];
    size_t total = 0;
    size_t sum = 0;
    uint32_t line = 0;

    for (line = 0; line < step->line_count; line++) {
        struct node node = plan_line(plan, level, line);

        total += node_size(key_size(&node.key), node.data.size, 0);
    }
    for (line = 0; line + 1 < step->line_count; line++) {
        struct node node = plan_line(plan, level, line);
        size_t size = node_size(key_size(&node.key), node.data.size, 0);

        if (sum + size > total / 2 && line > 0)
            break;
        sum += size;
    }
    return line > 0 ? line : 1;
}

/* Tries split points from the middle outwards. */
static bool try_even_split(struct split_plan *plan, size_t level)
{
    uint32_t count = plan->steps[level].line_count;
    uint32_t middle = 0;

    if (count < 2)
        return false;
    middle = middle_line(plan, level);
    if (middle > count - 1)
        middle = count - 1;
    for (uint32_t away = 0; away < count; away++) {
        if (away < middle && try_split_at(plan, level, middle - away))
            return true;
        if (away > 0 && middle + away < count && try_split_at(plan, level, middle + away))
            return true;
    }
    return false;
}

/* The same as far to the right as possible: the pages above an append. */
static bool try_right_edge(struct split_plan *plan, size_t level)
{
    for (uint32_t line = plan->steps[level].line_count - 1; line > 0; line--) {
        if (try_split_at(plan, level, line))
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
    step->prefix_line_new = size + NODE_PREFIX_OVERHEAD <= page_capacity(&step->page) &&
                                    key_size(&node.key) > NODE_PREFIX_OVERHEAD
                                ? 0
                                : SPLIT_LINE_NONE;
    step->uncommitted_free_split = page_header(&step->page)->uncommitted_free_bytes;
    step->uncommitted_free_new = 0;
}

static void set_operation_none(struct split_plan *plan, size_t level)
{
    struct split_step *step = &plan->steps[level];

    step->operation = SPLIT_OPERATION_NONE;
    step->operation_line = 0;
    step->line_count = page_line_count(&step->page);
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
    bool has_prefix = !page_is_root(&step->page) && step->type == SPLIT_RIGHT;

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
    struct split_step *step = &plan->steps[level];
    bool leaf = page_is_leaf(&step->page);

    step->type = SPLIT_VERTICAL;
    step->new_flags &= ~(uint32_t)PAGE_ROOT;
    step->split_flags &= ~(uint32_t)(PAGE_LEAF | PAGE_PARENT_OF_LEAF);
    if (leaf)
        step->split_flags |= PAGE_PARENT_OF_LEAF;
    if (!try_split_at(plan, level, 0)) {
        set_operation_none(plan, level);
        plan->depth = level + 1; /* nothing happens below */
        plan->operation_done = false;
        if (!try_split_at(plan, level, 0))
            return JET_errDatabaseCorrupted;
    }
    return keep_prefixes(plan, level);
}

static JET_ERR select_horizontal(struct split_plan *plan, size_t level)
{
    JET_ERR err = JET_errSuccess;
    struct split_step *step = &plan->steps[level];
    bool leaf = page_is_leaf(&step->page);
    bool last = step->operation == SPLIT_OPERATION_INSERT && step->operation_line == step->line_count - 1;
    bool append_below = !leaf && plan->steps[plan->depth - 1].type == SPLIT_APPEND;

    step->type = SPLIT_RIGHT;
    if (leaf && last && page_header(&step->page)->next == PAGE_NUMBER_NULL) {
        select_append(plan, level);
    } else if (leaf && step->operation == SPLIT_OPERATION_INSERT && step->operation_line == 0 &&
               page_header(&step->page)->previous == PAGE_NUMBER_NULL && try_split_at(plan, level, 1)) {
        /* In front of everything: the new node stays alone, for those that will come in front of it. */
    } else if (!(append_below ? try_right_edge(plan, level) : try_even_split(plan, level))) {
        if (!leaf)
            FAIL(JET_errDatabaseCorrupted);
        set_operation_none(plan, level);
        plan->operation_done = false;
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
