/* Space: every page has one owner, every owned page one use.
 *
 * A tree owns what its owned-extents tree lists (or, small, one extent behind its root), out of what its
 * parent owns. Of that, some pages are given to child trees, some are its own (tree, space trees, their split
 * buffers), the rest is available. */
#include "src/check/check.h"
#include "src/os/memory.h"

struct PACKED root_header {
    uint32_t pages;
    page_number parent;
    uint32_t flags;
    uint32_t available; /* bitmap, or the root of the owned extents */
};

#define FLAG_MULTIPLE 1u
#define FLAG_NON_UNIQUE 2u
#define FLAG_VERSION2 4u
#define BITMAP_PAGES 32u

struct extents {
    struct check *check;
    struct check_tree *tree;
    bool available;
    page_number parent; /* root of the tree that must own the pages before */
    page_number last_end;
    uint8_t last_pool;
};

static void space_report(const struct extents *extents, page_number page, const char *text)
{
    check_report(extents->check, "space", page, extents->tree->object, "%s", text);
}

/* An extent becomes the tree's. */
static void own(const struct extents *extents, page_number first, page_number last)
{
    for (page_number page = first; page <= last; page++) {
        struct page_info *info = &extents->check->pages[page];
        if (info->owner != extents->parent) {
            check_report(extents->check, "space", page, extents->tree->object,
                         "the tree at %u owns it, but so does the tree at %u, which is not its parent",
                         extents->tree->root, info->owner);
            return;
        }
        info->owner = extents->tree->root;
    }
}

static void make_available(const struct extents *extents, page_number first, page_number last,
                           enum page_use use)
{
    for (page_number page = first; page <= last; page++) {
        struct page_info *info = &extents->check->pages[page];
        if (info->owner != extents->tree->root) {
            space_report(extents, page,
                         "a page is available to a tree that does not own it, or has given it away");
            return;
        }
        if (info->use != PAGE_USE_NONE) {
            space_report(extents, page, "a page is available and in use");
            return;
        }
        info->use = (uint8_t)use;
        info->visitor = extents->tree->root;
    }
}

/* A node of a space tree: the last page (big-endian, behind a pool byte if five bytes) and the number of
 * pages. */
static JET_ERR visit_extent(void *context, const struct page *page, uint32_t line, const struct node *node)
{
    struct extents *extents = context;
    struct check *check = extents->check;
    uint8_t key[5];
    size_t size = key_copy(&node->key, 0, key, sizeof key);
    (void)line;
    if ((node->flags & NODE_DELETED) != 0)
        return JET_errSuccess;
    bool pooled = size == 5 && (key[0] & 0x80) != 0 && extents->available;
    if (key_size(&node->key) != size || (size != 4 && !pooled) || node->data.size != 4) {
        space_report(extents, page->number, "an extent makes no sense");
        return JET_errSuccess;
    }
    uint8_t pool = pooled ? key[0] : 0;
    page_number last = check_big_u32(key + (pooled ? 1 : 0));
    uint32_t count = check_u32(node->data.bytes);
    if (count == 0 && pooled)
        return JET_errSuccess; /* a pool keeps an empty entry */
    if (count == 0 || last == 0 || count > last) {
        space_report(extents, page->number, "an extent of impossible size");
        return JET_errSuccess;
    }
    if (last > check->last) {
        space_report(extents, page->number, "an extent reaches beyond the end of the file");
        return JET_errSuccess;
    }
    page_number first = last - count + 1;
    if (pool == extents->last_pool && first <= extents->last_end) {
        space_report(extents, page->number, "two extents overlap");
        return JET_errSuccess;
    }
    extents->last_pool = pool;
    extents->last_end = last;
    if (extents->available)
        make_available(extents, first, last, PAGE_USE_AVAILABLE);
    else
        own(extents, first, last);
    return JET_errSuccess;
}

/* The pages a space tree keeps for its own splits: in the external header of its root. */
static JET_ERR check_split_buffer(struct extents *extents, page_number root)
{
    JET_ERR err = JET_errSuccess;
    struct page page;
    uint8_t *buffer = NULL;
    bool good = false;
    TRY(check_buffer(extents->check, 0, &buffer));
    TRY(check_read_page(extents->check, root, buffer, &page, &good));
    if (!good)
        goto done;
    struct line line = page_external_header(&page);
    if (line.size != 16) {
        if (line.size != 0)
            check_warn(extents->check, "space", root, extents->tree->object, "a split buffer of %u bytes",
                       line.size);
        goto done;
    }
    for (uint32_t i = 0; i < 2; i++) {
        page_number last = check_u32(line.data + 8 * i);
        uint32_t count = check_u32(line.data + 8 * i + 4);
        if (count == 0)
            continue;
        if (count > last || last > extents->check->last)
            space_report(extents, root, "a split buffer makes no sense");
        else
            make_available(extents, last - count + 1, last, PAGE_USE_BUFFER);
    }
done:
    return err;
}

static JET_ERR check_space_tree(struct check *check, struct check_tree *tree, struct extents *extents,
                                page_number root)
{
    JET_ERR err = JET_errSuccess;
    struct tree_walk walk = {
        .root = root,
        .object = tree->object,
        .page_flags = PAGE_SPACE_TREE,
        .unique = true,
        .any_flags = true,
        .use = PAGE_USE_SPACE,
        .visitor = tree->root,
        .visit = visit_extent,
        .context = extents,
    };
    TRY(check_walk_tree(check, &walk));
    if (walk.damaged)
        tree->damaged = true;
done:
    return err;
}

static JET_ERR check_multiple(struct check *check, struct check_tree *tree, page_number parent,
                              page_number owned_root)
{
    JET_ERR err = JET_errSuccess;
    struct extents owned = {.check = check, .tree = tree, .parent = parent};
    struct extents available = {.check = check, .tree = tree, .available = true};
    if (owned_root == 0 || owned_root >= check->last) {
        check_report(check, "space", tree->root, tree->object, "the space trees lie outside the file");
        goto done;
    }
    TRY(check_space_tree(check, tree, &owned, owned_root));
    TRY(check_space_tree(check, tree, &available, owned_root + 1));
    TRY(check_split_buffer(&owned, owned_root));
    TRY(check_split_buffer(&available, owned_root + 1));
done:
    return err;
}

static void check_single(struct check *check, struct check_tree *tree, page_number parent,
                         const struct root_header *header)
{
    struct extents extents = {.check = check, .tree = tree, .parent = parent};
    if (header->pages == 0 || header->pages > BITMAP_PAGES + 1 ||
        header->pages - 1 > check->last - tree->root) {
        check_report(check, "space", tree->root, tree->object, "a single extent of %u pages", header->pages);
        return;
    }
    own(&extents, tree->root, tree->root + header->pages - 1);
    for (uint32_t i = 0; i < BITMAP_PAGES; i++) {
        if ((header->available >> i & 1) == 0)
            continue;
        if (i + 1 >= header->pages) {
            check_report(check, "space", tree->root, tree->object,
                         "a page behind the single extent is available");
            return;
        }
        make_available(&extents, tree->root + 1 + i, tree->root + 1 + i, PAGE_USE_AVAILABLE);
    }
}

/* A root's external header: the space header alone, or a byte of flags and the parts it names, the space
 * header first. */
static bool read_root_header(const struct page *page, struct root_header *header)
{
    struct line line = page_external_header(page);
    const uint8_t *bytes = line.data;
    if (line.size > sizeof *header) {
        if ((bytes[0] & 1) == 0)
            return false;
        bytes++;
    }
    if (line.size < sizeof *header || !page_is_root(page))
        return false;
    memcpy(header, bytes, sizeof *header);
    return true;
}

static struct check_tree *find_tree(struct check *check, page_number root)
{
    for (size_t i = 0; i < check->tree_count; i++) {
        if (check->trees[i].root == root)
            return &check->trees[i];
    }
    return NULL;
}

/* Handles a tree if its parent is done. */
static JET_ERR check_tree_space(struct check *check, struct check_tree *tree, bool *progress)
{
    JET_ERR err = JET_errSuccess;
    struct page page;
    struct root_header header;
    uint8_t *buffer = NULL;
    bool good = false;
    TRY(check_buffer(check, 0, &buffer));
    TRY(check_read_page(check, tree->root, buffer, &page, &good));
    if (!good) {
        tree->damaged = tree->space_done = *progress = true;
        goto done;
    }
    if (!read_root_header(&page, &header)) {
        check_report(check, "space", tree->root, tree->object,
                     "no root page, or its space header is missing");
        tree->damaged = tree->space_done = *progress = true;
        goto done;
    }
    if (tree->kind != TREE_DATABASE) {
        const struct check_tree *parent = find_tree(check, header.parent);
        if (parent == NULL) {
            check_report(check, "space", tree->root, tree->object, "its parent at %u is no tree",
                         header.parent);
            tree->space_done = *progress = true;
            goto done;
        }
        if (!parent->space_done)
            goto done; /* later */
    } else if (header.parent != 0) {
        check_report(check, "space", tree->root, tree->object, "the database's root has a parent");
    }
    if (((header.flags & FLAG_NON_UNIQUE) != 0) == tree->unique)
        check_report(check, "space", tree->root, tree->object,
                     "space header and catalog differ on uniqueness");
    tree->space_done = *progress = true;
    page_number parent = tree->kind == TREE_DATABASE ? 0 : header.parent;
    if ((header.flags & FLAG_MULTIPLE) != 0)
        TRY(check_multiple(check, tree, parent, header.available));
    else
        check_single(check, tree, parent, &header);
done:
    return err;
}

JET_ERR check_space_owned(struct check *check)
{
    JET_ERR err = JET_errSuccess;
    bool progress = true;
    while (progress) {
        progress = false;
        for (size_t i = 0; i < check->tree_count; i++) {
            if (!check->trees[i].space_done)
                TRY(check_tree_space(check, &check->trees[i], &progress));
        }
    }
    for (size_t i = 0; i < check->tree_count; i++) {
        if (!check->trees[i].space_done)
            check_report(check, "space", check->trees[i].root, check->trees[i].object, "parents form a ring");
    }
    /* The database's root holds no nodes of its own, but its page is in use. */
    struct page_info *root = &check->pages[CHECK_DATABASE_ROOT];
    if (root->use != PAGE_USE_NONE)
        check_report(check, "space", CHECK_DATABASE_ROOT, 0, "the database's root page is used otherwise");
    root->use = PAGE_USE_TREE;
    root->visitor = CHECK_DATABASE_ROOT;
done:
    return err;
}

void check_space_unused(struct check *check)
{
    uint64_t lost = 0;
    page_number first_lost = 0;
    for (page_number page = 1; page <= check->last; page++) {
        const struct page_info *info = &check->pages[page];
        if (info->use == PAGE_USE_NONE && info->owner != 0) {
            lost++;
            if (first_lost == 0)
                first_lost = page;
        } else if (info->use != PAGE_USE_NONE && info->owner != info->visitor) {
            check_report(check, "space", page, 0, "the tree at %u uses it, but the tree at %u owns it",
                         info->visitor, info->owner);
        }
    }
    if (lost != 0)
        check_warn(check, "space", first_lost, 0, "%llu pages are owned but neither used nor available",
                   (unsigned long long)lost);
}
