#include "src/btree/split_select.h"

struct node split_plan_line(const struct split_plan *plan, size_t level, uint32_t line)
{
    const struct split_step *child = level + 1 < plan->depth ? &plan->steps[level + 1] : NULL;

    return split_line_node(&plan->steps[level], &plan->steps[level].page, child, &plan->change, line);
}

/* What a line may grow to when running transactions roll back. */
static size_t line_reserve(const struct split_plan *plan, const struct split_step *step, uint32_t line,
                           const struct node *node)
{
    size_t most = 0;

    if ((step->new_flags & PAGE_LEAF) == 0 || plan->tree->space)
        return 0;
    if (step->operation == SPLIT_OPERATION_INSERT && line == step->operation_line)
        return 0;
    most = node_reserved_size(plan->tree, node);
    if (step->operation != SPLIT_OPERATION_NONE && line == step->operation_line && plan->change.versioned) {
        struct node before = node_get(&step->page, line);

        if (before.data.size > most)
            most = before.data.size;
    }
    return most > node->data.size ? most - node->data.size : 0;
}

JET_ERR split_weigh(struct split_plan *plan, size_t level)
{
    const struct split_step *step = &plan->steps[level];
    struct key before = key_of(NULL, 0);
    size_t sum = 0;
    size_t reserve = 0;

    if (plan->weight_capacity < step->line_count) {
        size_t capacity = (size_t)step->line_count + 1;
        struct line_weight *weights = os_reallocate(plan->weights, capacity * sizeof *weights);

        if (weights == NULL)
            return JET_errOutOfMemory;
        plan->weights = weights;
        plan->weight_capacity = capacity;
    }
    for (uint32_t line = 0; line < step->line_count; line++) {
        struct node node = split_plan_line(plan, level, line);
        size_t common = line == 0 ? 0 : key_common_prefix(&before, &node.key);

        sum += node_size(key_size(&node.key), node.data.size, 0);
        reserve += line_reserve(plan, step, line, &node);
        plan->weights[line] = (struct line_weight){
            (uint32_t)sum, (uint32_t)reserve,
            common > NODE_PREFIX_OVERHEAD ? (uint32_t)(common - NODE_PREFIX_OVERHEAD) : 0};
        before = node.key;
    }
    return JET_errSuccess;
}

/* Sums over the lines in front of `end`. */
static size_t sum_before(const struct split_plan *plan, uint32_t end)
{
    return end == 0 ? 0 : plan->weights[end - 1].size;
}

static size_t reserve_before(const struct split_plan *plan, uint32_t end)
{
    return end == 0 ? 0 : plan->weights[end - 1].reserve;
}

size_t split_reserve(const struct split_plan *plan, uint32_t first, uint32_t end)
{
    return reserve_before(plan, end) - reserve_before(plan, first);
}

/* What a half's line shares with the one in front; nothing at the half's ends. */
static size_t common_at(const struct split_plan *plan, const struct split_half *half, uint32_t line)
{
    return line <= half->first || line >= half->end ? 0 : plan->weights[line].common;
}

/* What the key of a line saves as prefix: at each line as much as all lines up to it share. */
static size_t savings_of(const struct split_plan *plan, const struct split_half *half, uint32_t line)
{
    size_t savings = 0;
    size_t least = common_at(plan, half, line);

    for (uint32_t left = line; common_at(plan, half, left) > 0; left--) {
        size_t common = common_at(plan, half, left);

        least = common < least ? common : least;
        savings += least;
    }
    least = common_at(plan, half, line + 1);
    for (uint32_t right = line + 1; common_at(plan, half, right) > 0; right++) {
        size_t common = common_at(plan, half, right);

        least = common < least ? common : least;
        savings += least;
    }
    return savings;
}

/* Whether it is of no use to look at the line: a neighbour's key saves as much or more. Never the second and
 * the last but one. */
static bool is_on_slope(const struct split_plan *plan, const struct split_half *half, uint32_t line)
{
    size_t here = common_at(plan, half, line);
    size_t next = common_at(plan, half, line + 1);

    if (line == half->end - 2)
        return false;
    if (line == half->first + 1)
        return false;
    return next >= here || common_at(plan, half, line - 1) > here;
}

/* Bytes of a half with the key of one of its lines as prefix, reserves not counted. */
static size_t size_with_prefix(const struct split_plan *plan, size_t level, const struct split_half *half,
                               const struct key *prefix)
{
    size_t size = key_size(prefix);

    for (uint32_t line = half->first; line < half->end; line++) {
        struct node node = split_plan_line(plan, level, line);
        size_t common = key_common_prefix(prefix, &node.key);

        size += node_size(key_size(&node.key), node.data.size, common > NODE_PREFIX_OVERHEAD ? common : 0);
    }
    return size;
}

/* The line that shares most with the page's present prefix: with it, the half needs no more room than before.
 */
static void try_closest_to_prefix(const struct split_plan *plan, size_t level, struct split_half *half)
{
    struct line header = page_external_header(&plan->steps[level].page);
    struct key prefix = key_of(header.data, header.size);
    uint32_t best = half->first;
    size_t most = 0;

    if (page_is_root(&plan->steps[level].page) || header.size == 0)
        return;
    for (uint32_t line = half->first; line < half->end; line++) {
        struct node node = split_plan_line(plan, level, line);
        size_t common = key_common_prefix(&prefix, &node.key);

        if (common > most) {
            most = common;
            best = line;
        }
    }
    if (most <= NODE_PREFIX_OVERHEAD)
        return;
    struct node node = split_plan_line(plan, level, best);
    size_t size = size_with_prefix(plan, level, half, &node.key) + half->reserve;
    if (size < half->size) {
        half->size = size;
        half->prefix_line = (int32_t)(best - half->first);
    }
}

void split_choose_prefix(const struct split_plan *plan, size_t level, struct split_half *half)
{
    const struct split_step *step = &plan->steps[level];
    uint32_t count = half->end - half->first;
    size_t most = NODE_PREFIX_OVERHEAD; /* what the prefix' own node loses */

    half->prefix_line = SPLIT_LINE_NONE;
    half->reserve = split_reserve(plan, half->first, half->end);
    half->size = sum_before(plan, half->end) - sum_before(plan, half->first) + half->reserve;
    if (count == 2 && common_at(plan, half, half->first + 1) > most) {
        half->prefix_line = 1;
        most = common_at(plan, half, half->first + 1);
    }
    for (uint32_t line = half->first + 1; line + 1 < half->end; line++) {
        size_t savings = is_on_slope(plan, half, line) ? 0 : savings_of(plan, half, line);

        if (savings > most) {
            half->prefix_line = (int32_t)(line - half->first);
            most = savings;
        }
    }
    half->size -= most - NODE_PREFIX_OVERHEAD;
    if (half->size > split_capacity(&step->page))
        try_closest_to_prefix(plan, level, half);
}

static size_t distance(size_t a, size_t b)
{
    return a > b ? a - b : b - a;
}

uint32_t split_middle_line(const struct split_plan *plan, size_t level)
{
    uint32_t count = plan->steps[level].line_count;
    size_t total = sum_before(plan, count);
    uint32_t line = count / 2;
    uint32_t best = 0;
    bool smaller_first = sum_before(plan, line) < total - sum_before(plan, line);

    for (;;) {
        size_t left = sum_before(plan, line);
        size_t away = distance(left, total / 2);
        size_t best_away = distance(sum_before(plan, best), total / 2);
        bool smaller = left < total - left;

        if (away < best_away || (away == best_away && line > best))
            best = line;
        if (smaller != smaller_first)
            break;
        line = smaller ? line + 1 : line - 1;
        if (line == 0 || line == count)
            break;
    }
    ASSERT(best > 0); /* a line that leaves something on both sides is nearer than none */
    return best;
}
