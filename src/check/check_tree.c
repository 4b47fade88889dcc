/* The walk of one B+-tree: every page, its flags, siblings, the order of keys within and between pages. */
#include "src/check/check.h"
#include "src/os/memory.h"

struct bound {
    uint8_t *bytes; /* key, or key and data */
    size_t size;
    bool set;
};

struct walker {
    struct check *check;
    struct tree_walk *walk;
    page_number last_at_level[CHECK_DEPTH_MAX]; /* page visited last, by distance from the root */
    page_number next_of_last[CHECK_DEPTH_MAX];  /* and what it says comes next */
    uint32_t leaf_level;                        /* distance of the leaves from the root; 0 until known */
    bool leaf_seen;
    struct bound previous; /* the last leaf node so far */
    struct bound upper[CHECK_DEPTH_MAX];
};

size_t check_node_bytes(const struct node *node, bool with_data, uint8_t *bytes, size_t room)
{
    size_t size = key_copy(&node->key, 0, bytes, room);
    if (with_data && size < room) {
        size_t part = node->data.size < room - size ? node->data.size : room - size;
        if (part > 0)
            memcpy(bytes + size, node->data.bytes, part);
        size += part;
    }
    return size;
}

static void damage(struct walker *walker, page_number page, const char *text)
{
    walker->walk->damaged = true;
    check_report(walker->check, "tree", page, walker->walk->object, "%s", text);
}

/* ---- one page; page_check has seen its tags and nodes */

static bool is_expected_page(struct walker *walker, const struct page *page, uint32_t level)
{
    const struct tree_walk *walk = walker->walk;
    const struct page_header *header = page_header(page);
    uint32_t flags = header->flags;
    const char *wrong = NULL;
    if (header->tree != walk->object)
        wrong = "the page belongs to another object";
    else if ((flags & PAGE_ROOT) == 0 && level == 0)
        wrong = "the root flag is missing";
    else if ((flags & PAGE_EMPTY) != 0 || (flags & PAGE_PRE_INIT) != 0)
        wrong = "an empty page is in the tree";
    else if ((flags & PAGE_LEAF) != 0 && (flags & PAGE_PARENT_OF_LEAF) != 0)
        wrong = "leaf and parent of leaves at once";
    else if (!walk->any_flags &&
             (flags & (PAGE_SPACE_TREE | PAGE_INDEX | PAGE_LONG_VALUE)) != walk->page_flags)
        wrong = "the page's flags are of another kind of tree";
    else if (page_size_is_large(page->size) &&
             ((const struct large_page_header *)(const void *)page->data)->number != page->number)
        wrong = "the page has another page's number";
    else if (walker->check->header.state == DATABASE_CLEAN_SHUTDOWN &&
             header->modified > walker->check->header.dbtime)
        wrong = "the page was modified after the database's last time";
    if (wrong == NULL) {
        /* Windows leaves it in rare cases. */
        if ((flags & PAGE_ROOT) != 0 && level != 0)
            check_warn(walker->check, "tree", page->number, walk->object, "a root flag below the root");
        return true;
    }
    damage(walker, page->number, wrong);
    return false;
}

/* The chain of siblings, in the order of the walk. Only leaves have links. */
static void check_siblings(struct walker *walker, const struct page *page, uint32_t level)
{
    const struct page_header *header = page_header(page);
    if ((header->flags & PAGE_LEAF) == 0)
        return;
    if (header->previous != walker->last_at_level[level])
        damage(walker, page->number, "the previous page is another than the link says");
    if (walker->last_at_level[level] != 0 && walker->next_of_last[level] != page->number)
        damage(walker, walker->last_at_level[level], "the next page is another than the link says");
    walker->last_at_level[level] = page->number;
    walker->next_of_last[level] = header->next;
}

static bool claim(struct walker *walker, page_number number)
{
    struct check *check = walker->check;
    ASSERT(number != 0); /* no link to it passes page_check */
    if (number > check->last) {
        damage(walker, number, "a link leads outside the file");
        return false;
    }
    struct page_info *info = &check->pages[number];
    if (info->use != PAGE_USE_NONE) {
        walker->walk->damaged = true;
        check_report(check, info->visitor == walker->walk->visitor ? "tree" : "space", number,
                     walker->walk->object, "the page is used twice (the other time by the tree at %u)",
                     info->visitor);
        return false;
    }
    info->use = (uint8_t)walker->walk->use;
    info->visitor = walker->walk->visitor;
    walker->walk->page_count++;
    return true;
}

/* ---- order */

static int compare_bytes(const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size)
{
    return span_compare(span_of(a, a_size), span_of(b, b_size));
}

/* Key and data of two neighbours in a page. */
static int compare_nodes(const struct node *a, const struct node *b, bool unique)
{
    int order = key_compare(&a->key, &b->key);
    return order != 0 || unique ? order : span_compare(a->data, b->data);
}

static JET_ERR remember(struct bound *bound, const struct node *node, bool with_data)
{
    if (bound->bytes == NULL)
        bound->bytes = os_allocate(CHECK_BOOKMARK_MAX);
    if (bound->bytes == NULL)
        return JET_errOutOfMemory;
    bound->size = check_node_bytes(node, with_data, bound->bytes, CHECK_BOOKMARK_MAX);
    bound->set = true;
    return JET_errSuccess;
}

static JET_ERR check_leaf(struct walker *walker, const struct page *page, uint32_t level)
{
    JET_ERR err = JET_errSuccess;
    struct tree_walk *walk = walker->walk;
    bool with_data = !walk->unique;
    uint32_t count = page_line_count(page);
    struct node before = {0};
    uint8_t *bytes = os_allocate(CHECK_BOOKMARK_MAX);
    if (bytes == NULL)
        FAIL(JET_errOutOfMemory);
    if (!walker->leaf_seen) {
        walker->leaf_seen = true;
        walker->leaf_level = level;
        walk->depth = level + 1;
    } else if (walker->leaf_level != level) {
        damage(walker, page->number, "leaves at different depths");
    }
    for (uint32_t line = 0; line < count; line++) {
        struct node node = node_get(page, line);
        if (line > 0 && compare_nodes(&before, &node, walk->unique) >= 0)
            damage(walker, page->number, "nodes are not in order");
        if (line == 0 && walker->previous.set) {
            size_t size = check_node_bytes(&node, with_data, bytes, CHECK_BOOKMARK_MAX);
            if (compare_bytes(walker->previous.bytes, walker->previous.size, bytes, size) >= 0)
                damage(walker, page->number, "the first node is not behind the last of the page before");
        }
        if (line + 1 == count && walker->upper[level].set) {
            size_t size = check_node_bytes(&node, with_data, bytes, CHECK_BOOKMARK_MAX);
            if (compare_bytes(bytes, size, walker->upper[level].bytes, walker->upper[level].size) >= 0)
                damage(walker, page->number, "the last node is not before the separator of the parent");
        }
        walk->nodes++;
        if (walk->visit != NULL)
            TRY(walk->visit(walk->context, page, line, &node));
        before = node;
    }
    if (count > 0)
        TRY(remember(&walker->previous, &before, with_data));
done:
    os_free(bytes);
    return err;
}

static JET_ERR walk_page(struct walker *walker, page_number number, uint32_t level);

/* The separators ascend, stay below the parent's, and only the last of a level may be empty. A page's last
 * only is, which page_check saw to. */
static bool is_separator_good(struct walker *walker, const struct page *page, uint32_t line,
                              const struct node *before, const struct node *node, uint32_t level)
{
    size_t size = key_size(&node->key);
    uint8_t bytes[CHECK_SEPARATOR_MAX];
    if (size > sizeof bytes)
        return false;
    if (size == 0) {
        ASSERT(line + 1 == page_line_count(page)); /* page_check */
        return !walker->upper[level].set;
    }
    if (line > 0 && key_compare(&before->key, &node->key) >= 0)
        return false;
    key_copy(&node->key, 0, bytes, sizeof bytes);
    if (walker->upper[level].set &&
        compare_bytes(bytes, size, walker->upper[level].bytes, walker->upper[level].size) > 0)
        return false;
    return true;
}

static JET_ERR check_branch(struct walker *walker, const struct page *page, uint32_t level)
{
    JET_ERR err = JET_errSuccess;
    uint32_t count = page_line_count(page);
    struct node before = {0};
    if (count == 0)
        damage(walker, page->number, "a branch page without children");
    if (level + 1 >= CHECK_DEPTH_MAX) {
        damage(walker, page->number, "the tree is too deep");
        goto done;
    }
    for (uint32_t line = 0; line < count; line++) {
        struct node node = node_get(page, line);
        if (!is_separator_good(walker, page, line, &before, &node, level))
            damage(walker, page->number, "a separator makes no sense");
        /* The child's bound: this separator, or what bounds this page if it is empty. */
        struct bound *upper = &walker->upper[level + 1];
        const struct bound *mine = &walker->upper[level];
        upper->set = false;
        if (key_size(&node.key) > 0) {
            TRY(remember(upper, &node, false));
        } else if (mine->set) {
            TRY(remember(upper, &node, false));
            memcpy(upper->bytes, mine->bytes, mine->size);
            upper->size = mine->size;
        }
        TRY(walk_page(walker, node_child(page, line), level + 1));
        before = node;
    }
done:
    return err;
}

static JET_ERR walk_page(struct walker *walker, page_number number, uint32_t level)
{
    JET_ERR err = JET_errSuccess;
    struct page page;
    uint8_t *buffer = NULL;
    bool good = false;
    if (!claim(walker, number))
        goto done;
    TRY(check_buffer(walker->check, level, &buffer));
    TRY(check_read_page(walker->check, number, buffer, &page, &good));
    if (!good) {
        walker->walk->damaged = true;
        goto done;
    }
    if (!is_expected_page(walker, &page, level))
        goto done;
    check_siblings(walker, &page, level);
    if (page_is_leaf(&page)) {
        TRY(check_leaf(walker, &page, level));
    } else {
        TRY(check_branch(walker, &page, level));
        if (!walker->walk->damaged &&
            page_has_flag(&page, PAGE_PARENT_OF_LEAF) != (walker->leaf_level == level + 1))
            damage(walker, number, "parent-of-leaf flag in the wrong place");
    }
done:
    return err;
}

JET_ERR check_walk_tree(struct check *check, struct tree_walk *walk)
{
    JET_ERR err = JET_errSuccess;
    struct walker *walker = os_allocate_zeroed(sizeof *walker);
    if (walker == NULL)
        return JET_errOutOfMemory;
    walker->check = check;
    walker->walk = walk;
    walk->nodes = 0;
    walk->page_count = walk->depth = 0;
    walk->damaged = false;
    TRY(walk_page(walker, walk->root, 0));
    for (uint32_t level = 0; !walk->damaged && level < CHECK_DEPTH_MAX; level++) {
        if (walker->last_at_level[level] != 0 && walker->next_of_last[level] != 0)
            damage(walker, walker->last_at_level[level], "the last page of a level has a next page");
    }
done:
    os_free(walker->previous.bytes);
    for (uint32_t level = 0; level < CHECK_DEPTH_MAX; level++)
        os_free(walker->upper[level].bytes);
    os_free(walker);
    return err;
}
