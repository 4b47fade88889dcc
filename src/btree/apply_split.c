#include "src/btree/apply_split.h"

uint32_t split_separator_line(const struct page *parent, struct span key)
{
    uint32_t low = 0;
    uint32_t high = page_line_count(parent);
    struct key wanted = key_of(key.bytes, key.size);

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        struct node node = node_get(parent, middle);

        /* The empty key of the last line is above all. */
        if (key_size(&node.key) == 0 || key_compare(&node.key, &wanted) > 0)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

struct node split_line_node(const struct split_step *step, const struct page *source,
                            const struct split_step *child, const struct split_change *change, uint32_t line)
{
    bool inserts = step->operation == SPLIT_OPERATION_INSERT;
    bool leaf = (step->new_flags & PAGE_LEAF) != 0;
    struct node node = {{{NULL, 0}, {NULL, 0}}, {NULL, 0}, 0};

    if (inserts && line == step->operation_line) {
        ASSERT(leaf || child != NULL);
        if (leaf) {
            node.key = key_of(change->key.bytes, change->key.size);
            node.data = change->data;
            node.flags = change->versioned ? NODE_VERSIONED : 0;
        } else {
            node.key = key_of(child->parent_key.bytes, child->parent_key.size);
            node.data = span_of(&child->split_number, sizeof(page_number));
        }
        return node;
    }
    node = node_get(source, inserts && line > step->operation_line ? line - 1 : line);
    node.flags = (uint8_t)(node.flags & ~NODE_COMPRESSED);
    if (!leaf && child != NULL && line == step->operation_line + 1)
        node.data = span_of(&child->new_number, sizeof(page_number));
    if (!inserts && step->operation != SPLIT_OPERATION_NONE && line == step->operation_line) {
        node.data = change->data;
        if (step->operation == SPLIT_OPERATION_FLAG_INSERT_AND_REPLACE)
            node.flags = (uint8_t)(node.flags & ~NODE_DELETED);
        if (change->versioned)
            node.flags |= NODE_VERSIONED;
    }
    return node;
}

/* Appends the lines [first, end) to a page. */
static void append_lines(struct page *page, const struct split_step *step, const struct page *source,
                         const struct split_step *child, const struct split_change *change, uint32_t first,
                         uint32_t end)
{
    for (uint32_t line = first; line < end; line++) {
        struct node node = split_line_node(step, source, child, change, line);

        node_insert(page, page_line_count(page), &node, node_prefix_size(page, &node.key));
    }
}

static void set_prefix(struct page *page, const struct key *key)
{
    struct span parts[2] = {key->prefix, key->suffix};

    page_set_external_header(page, parts, 2);
}

static void fill_new_page(struct split_step *step, const struct page *source, const struct split_step *child,
                          const struct split_change *change, object_id object, dbtime modified)
{
    page_format(&step->new_page, object, step->new_flags, modified);
    if (step->prefix_line_new != SPLIT_LINE_NONE) {
        struct node node =
            split_line_node(step, source, child, change, step->split_line + (uint32_t)step->prefix_line_new);

        set_prefix(&step->new_page, &node.key);
    }
    append_lines(&step->new_page, step, source, child, change, step->split_line, step->line_count);
    if ((step->new_flags & PAGE_LEAF) != 0)
        page_set_uncommitted_free(&step->new_page, step->uncommitted_free_new);
}

/* The root keeps nothing but a pointer to its new child. */
static void empty_root(struct split_step *step)
{
    struct node node = {key_of(NULL, 0), span_of(&step->new_number, sizeof(page_number)), 0};
    struct page_header *header = page_header(&step->page);

    page_delete_lines(&step->page, 0, page_line_count(&step->page));
    header->flags =
        (step->split_flags & ~(uint32_t)PAGE_FLUSH_TYPE_MASK) | (header->flags & PAGE_FLUSH_TYPE_MASK);
    node_insert(&step->page, 0, &node, 0);
}

static void rebuild_split_page(struct split_step *step, const struct page *source,
                               const struct split_step *child, const struct split_change *change)
{
    page_delete_lines(&step->page, 0, page_line_count(&step->page));
    page_set_external_header(&step->page, &step->prefix_split, step->prefix_split.size > 0 ? 1 : 0);
    append_lines(&step->page, step, source, child, change, 0, step->split_line);
}

static void link_siblings(struct split_step *step)
{
    if (step->change_new) {
        page_header(&step->new_page)->previous = step->split_number;
        page_header(&step->new_page)->next = step->right_number;
    }
    if (step->change_page)
        page_header(&step->page)->next = step->new_number;
    if (step->change_right)
        page_header(&step->right_page)->previous = step->new_number;
}

static void apply_one_split(struct split_step *step, const struct split_step *child,
                            const struct split_change *change, object_id object, dbtime modified,
                            uint8_t *scratch)
{
    struct page source = step->page;
    bool leaf = (step->new_flags & PAGE_LEAF) != 0;

    if (step->change_page) {
        memcpy(scratch, step->page.data, step->page.size);
        source.data = scratch;
    }
    if (step->change_new)
        fill_new_page(step, &source, child, change, object, modified);
    if (step->change_page) {
        if (step->type == SPLIT_VERTICAL)
            empty_root(step);
        else if (step->type == SPLIT_RIGHT)
            rebuild_split_page(step, &source, child, change);
        if (leaf)
            page_set_uncommitted_free(&step->page,
                                      step->type == SPLIT_VERTICAL ? 0 : step->uncommitted_free_split);
    }
    if (leaf && step->type != SPLIT_VERTICAL)
        link_siblings(step);
}

/* Puts a pointer to the child's split page in front of the one that is there, which becomes the new page's.
 */
static void insert_pointer(struct split_step *step, const struct split_step *child)
{
    uint32_t line = split_separator_line(&step->page, child->parent_key);
    struct node node = {key_of(child->parent_key.bytes, child->parent_key.size),
                        span_of(&child->split_number, sizeof(page_number)), 0};

    ASSERT(node_child(&step->page, line) == child->split_number);
    node_insert(&step->page, line, &node, node_prefix_size(&step->page, &node.key));
    node_replace_data(&step->page, line + 1, span_of(&child->new_number, sizeof(page_number)));
}

void apply_split(struct split_step *steps, size_t count, const struct split_change *change, object_id object,
                 dbtime modified, uint8_t *scratch)
{
    for (size_t i = 0; i < count; i++) {
        const struct split_step *child = i + 1 < count ? &steps[i + 1] : NULL;

        if (steps[i].splits)
            apply_one_split(&steps[i], child, change, object, modified, scratch);
        else if (steps[i].change_page)
            insert_pointer(&steps[i], child);
    }
}

/* Bytes that the lines [first, end) take on a page with the given prefix. */
static size_t lines_size(const struct split_step *step, const struct page *source,
                         const struct split_step *child, const struct split_change *change, uint32_t first,
                         uint32_t end, const struct key *prefix)
{
    size_t size = key_size(prefix);

    for (uint32_t line = first; line < end; line++) {
        struct node node = split_line_node(step, source, child, change, line);
        size_t common = key_common_prefix(prefix, &node.key);

        size += node_size(key_size(&node.key), node.data.size, common > NODE_PREFIX_OVERHEAD ? common : 0);
    }
    return size;
}

static JET_ERR check_one_split(const struct split_step *step, const struct split_step *child,
                               const struct split_change *change)
{
    bool leaf = (step->new_flags & PAGE_LEAF) != 0;
    uint32_t lines = step->line_count;
    bool inserts = step->operation == SPLIT_OPERATION_INSERT;
    size_t capacity = step->page.size - page_header_size(step->page.size) - sizeof(struct page_tag);
    struct key none = key_of(NULL, 0);

    if (step->type > SPLIT_APPEND || step->operation > SPLIT_OPERATION_FLAG_INSERT_AND_REPLACE ||
        lines == 0 || step->split_line >= lines || (step->type != SPLIT_VERTICAL) != (step->split_line > 0) ||
        (step->operation != SPLIT_OPERATION_NONE && step->operation_line >= lines))
        return JET_errLogCorrupted;
    if (!leaf && (step->operation == SPLIT_OPERATION_REPLACE ||
                  step->operation == SPLIT_OPERATION_FLAG_INSERT_AND_REPLACE ||
                  (inserts && (child == NULL || step->operation_line + 1 >= lines))))
        return JET_errLogCorrupted;
    if (step->type == SPLIT_APPEND &&
        (!inserts || step->operation_line != lines - 1 || step->split_line != lines - 1))
        return JET_errLogCorrupted;
    if (step->prefix_line_new != SPLIT_LINE_NONE &&
        (step->prefix_line_new < 0 || (uint32_t)step->prefix_line_new >= lines - step->split_line))
        return JET_errLogCorrupted;
    if (step->change_page ||
        (step->change_new && step->type != SPLIT_APPEND &&
         !(inserts && step->split_line == lines - 1 && step->operation_line == lines - 1))) {
        if (page_line_count(&step->page) != lines - (inserts ? 1 : 0))
            return JET_errLogCorrupted;
        if (step->type == SPLIT_VERTICAL && !page_is_root(&step->page))
            return JET_errLogCorrupted;
    } else if (!step->change_new) {
        return JET_errSuccess;
    }
    if (step->change_new) {
        struct key prefix = none;

        if (step->prefix_line_new != SPLIT_LINE_NONE)
            prefix = split_line_node(step, &step->page, child, change,
                                     step->split_line + (uint32_t)step->prefix_line_new)
                         .key;
        if (lines_size(step, &step->page, child, change, step->split_line, lines, &prefix) > capacity)
            return JET_errLogCorrupted;
    }
    if (step->change_page && step->type == SPLIT_RIGHT) {
        struct key prefix = key_of(step->prefix_split.bytes, step->prefix_split.size);

        if (page_is_root(&step->page) ||
            lines_size(step, &step->page, child, change, 0, step->split_line, &prefix) > capacity)
            return JET_errLogCorrupted;
    }
    return JET_errSuccess;
}

JET_ERR apply_check_split(const struct split_step *steps, size_t count, const struct split_change *change)
{
    JET_ERR err = JET_errSuccess;

    for (size_t i = 0; i < count; i++) {
        const struct split_step *step = &steps[i];
        const struct split_step *child = i + 1 < count ? &steps[i + 1] : NULL;

        if (step->splits) {
            TRY(check_one_split(step, child, change));
        } else if (step->change_page) {
            if (page_is_leaf(&step->page) || child == NULL || !child->splits)
                FAIL(JET_errLogCorrupted);
            uint32_t line = split_separator_line(&step->page, child->parent_key);
            struct key key = key_of(child->parent_key.bytes, child->parent_key.size);
            size_t size =
                node_size(key_size(&key), sizeof(page_number), node_prefix_size(&step->page, &key)) -
                sizeof(struct page_tag);

            if (line >= page_line_count(&step->page) ||
                node_child(&step->page, line) != child->split_number ||
                !page_has_room(&step->page, (uint32_t)size))
                FAIL(JET_errLogCorrupted);
        }
    }
done:
    return err;
}
