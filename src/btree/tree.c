#include "src/btree/btree_internal.h"
#include "src/btree/space.h"
#include "src/btree/root_header.h"

JET_ERR tree_registry_create(struct tree_registry **out)
{
    *out = os_allocate_zeroed(sizeof **out);
    if (*out == NULL)
        return JET_errOutOfMemory;
    os_mutex_init(&(*out)->lock, OS_RANK_LEAF);
    return JET_errSuccess;
}

void tree_registry_set_reserve(struct tree_registry *registry, node_reserve_function *function, void *context)
{
    registry->reserve = function;
    registry->reserve_context = context;
}

uint32_t node_reserved_size(struct tree *tree, const struct node *node)
{
    if (tree->space || (node->flags & NODE_VERSIONED) == 0 || tree->registry->reserve == NULL)
        return 0;
    return tree->registry->reserve(tree->registry->reserve_context, tree, node);
}

uint32_t node_reserve(struct tree *tree, const struct node *node)
{
    uint32_t most = node_reserved_size(tree, node);

    return most > node->data.size ? most - (uint32_t)node->data.size : 0;
}

static void free_tree(struct tree *tree)
{
    os_mutex_destroy(&tree->space_lock);
    os_free(tree);
}

void tree_registry_free(struct tree_registry *registry)
{
    if (registry == NULL)
        return;
    for (size_t i = 0; i < REGISTRY_BUCKETS; i++) {
        while (registry->buckets[i] != NULL) {
            struct tree *tree = registry->buckets[i];

            ASSERT(tree->references == 0);
            registry->buckets[i] = tree->next;
            free_tree(tree);
        }
    }
    os_mutex_destroy(&registry->lock);
    os_free(registry);
}

static struct tree **find_link(struct tree_registry *registry, const struct database *database,
                               page_number root)
{
    struct tree **link = &registry->buckets[(root * 7 + database->id) % REGISTRY_BUCKETS];

    while (*link != NULL && ((*link)->root != root || (*link)->database != database))
        link = &(*link)->next;
    return link;
}

/* Publishes `tree` with one reference, or frees it and takes the one that is there. */
static struct tree *publish(struct tree_registry *registry, struct tree *tree)
{
    os_mutex_lock(&registry->lock);
    struct tree **link = find_link(registry, tree->database, tree->root);
    struct tree *there = *link;
    if (there == NULL) {
        there = tree;
        *link = tree;
    }
    there->references++;
    os_mutex_unlock(&registry->lock);
    if (there != tree)
        free_tree(tree);
    return there;
}

/* The engine's default density of 80 %. */
#define APPEND_FREE_DEFAULT 20u
#define DENSITY_LEAST 20u

static struct tree *allocate_tree(struct tree_registry *registry, struct database *database, page_number root)
{
    struct tree *tree = os_allocate_zeroed(sizeof *tree);

    if (tree == NULL)
        return NULL;
    tree->registry = registry;
    tree->database = database;
    tree->root = root;
    tree->owner = root;
    os_atomic_store(&tree->append_free, APPEND_FREE_DEFAULT);
    os_mutex_init(&tree->space_lock, OS_RANK_TREE);
    return tree;
}

/* Fills a tree from its root page. */
static JET_ERR read_root(struct tree *tree, const struct page *page)
{
    const struct page_header *header = page_header(page);
    struct space_header space;

    if (!page_is_root(page) || header->tree == 0)
        return JET_errDatabaseCorrupted;
    tree->object = header->tree;
    tree->space = page_has_flag(page, PAGE_SPACE_TREE);
    tree->unique = true;
    if (page_has_flag(page, PAGE_LONG_VALUE))
        os_atomic_store(&tree->append_free, 0);
    if (tree->space)
        return JET_errSuccess; /* its external header is a split buffer */
    if (!root_header_space(page, &space) ||
        (tree->root == ROOT_PAGE_DATABASE) != (space.parent == PAGE_NUMBER_NULL))
        return JET_errDatabaseCorrupted;
    tree->unique = (space.flags & SPACE_NON_UNIQUE) == 0;
    tree->parent = space.parent;
    if ((space.flags & SPACE_MULTIPLE_EXTENT) != 0) {
        tree->owned_root = space.available;
        tree->available_root = space.available + 1;
    }
    tree->space_known = true;
    return JET_errSuccess;
}

JET_ERR tree_open(struct tree_registry *registry, struct database *database, page_number root,
                  struct tree **out)
{
    JET_ERR err = JET_errSuccess;
    struct latch latch = LATCH_INIT;
    struct tree *tree = NULL;

    *out = NULL;
    os_mutex_lock(&registry->lock);
    tree = *find_link(registry, database, root);
    if (tree != NULL)
        tree->references++;
    os_mutex_unlock(&registry->lock);
    if (tree != NULL) {
        *out = tree;
        return JET_errSuccess;
    }
    tree = allocate_tree(registry, database, root);
    if (tree == NULL)
        FAIL(JET_errOutOfMemory);
    TRY(cache_latch(database, root, LATCH_SHARED, 0, &latch));
    TRY(read_root(tree, &latch.page));
    *out = publish(registry, tree);
    tree = NULL;
done:
    cache_unlatch(&latch);
    if (tree != NULL)
        free_tree(tree);
    return err;
}

/* Takes a tree out of its bucket, to go with its last reference. The lock is held; true if there is none. */
static bool unlink_tree(struct tree_registry *registry, struct tree *tree)
{
    struct tree **link = find_link(registry, tree->database, tree->root);

    if (*link == tree)
        *link = tree->next;
    tree->forgotten = true;
    return tree->references == 0;
}

/* A tree that nobody uses may be left over: its own freeing failed, and its pages came back with its
 * parent's. */
static void drop_left_over(struct tree_registry *registry, const struct database *database, page_number root)
{
    os_mutex_lock(&registry->lock);
    struct tree *tree = *find_link(registry, database, root);
    const bool unused = tree != NULL && tree->references == 0;
    if (unused)
        (void)unlink_tree(registry, tree);
    os_mutex_unlock(&registry->lock);
    if (unused)
        free_tree(tree);
}

JET_ERR tree_open_new(struct tree_registry *registry, struct database *database, page_number root,
                      object_id object, bool unique, page_number parent, struct tree **out)
{
    struct tree *tree = allocate_tree(registry, database, root);

    *out = NULL;
    if (tree == NULL)
        return JET_errOutOfMemory;
    tree->object = object;
    tree->unique = unique;
    tree->parent = parent;
    tree->space_known = true;
    drop_left_over(registry, database, root);
    struct tree *published = publish(registry, tree);
    if (published != tree) {
        /* Another tree in use has this root: the page was not free. */
        tree_close(published);
        return JET_errSPAvailExtCorrupted;
    }
    *out = tree;
    return JET_errSuccess;
}

JET_ERR tree_open_known(struct tree_registry *registry, struct database *database, page_number root,
                        object_id object, bool unique, struct tree **out)
{
    struct tree *unused = NULL;

    *out = NULL;
    os_mutex_lock(&registry->lock);
    struct tree *tree = *find_link(registry, database, root);
    bool known = tree != NULL && tree->object == object;
    if (known)
        tree->references++;
    else if (tree != NULL && unlink_tree(registry, tree))
        unused = tree;
    os_mutex_unlock(&registry->lock);
    if (unused != NULL)
        free_tree(unused);
    if (known) {
        *out = tree;
        return JET_errSuccess;
    }
    tree = allocate_tree(registry, database, root);
    if (tree == NULL)
        return JET_errOutOfMemory;
    tree->object = object;
    tree->unique = unique;
    *out = publish(registry, tree);
    return JET_errSuccess;
}

void tree_set_density(struct tree *tree, uint32_t density)
{
    uint32_t append_free = density >= 100 ? 0 : 100 - (density < DENSITY_LEAST ? DENSITY_LEAST : density);

    if (os_atomic_load(&tree->append_free) != append_free)
        os_atomic_store(&tree->append_free, append_free);
}

JET_ERR tree_know_space(struct tree *tree)
{
    JET_ERR err = JET_errSuccess;
    struct latch root = LATCH_INIT;

    if (tree->space_known)
        return JET_errSuccess;
    TRY(cache_latch(tree->database, tree->root, LATCH_SHARED, 0, &root));
    if (page_header(&root.page)->tree != tree->object)
        FAIL(JET_errDatabaseCorrupted);
    TRY(read_root(tree, &root.page));
done:
    cache_unlatch(&root);
    return err;
}

void tree_add_reference(struct tree *tree)
{
    os_mutex_lock(&tree->registry->lock);
    tree->references++;
    os_mutex_unlock(&tree->registry->lock);
}

void tree_close(struct tree *tree)
{
    if (tree == NULL)
        return;
    struct tree_registry *registry = tree->registry;
    os_mutex_lock(&registry->lock);
    ASSERT(tree->references > 0);
    tree->references--;
    bool last = tree->forgotten && tree->references == 0;
    os_mutex_unlock(&registry->lock);
    if (last)
        free_tree(tree);
}

void tree_forget(struct tree *tree)
{
    struct tree_registry *registry = tree->registry;

    os_mutex_lock(&registry->lock);
    (void)unlink_tree(registry, tree);
    os_mutex_unlock(&registry->lock);
    tree_close(tree);
}

bool tree_registry_forget(struct tree_registry *registry, struct database *database)
{
    bool all = true;
    struct tree *gone = NULL;

    os_mutex_lock(&registry->lock);
    for (size_t i = 0; i < REGISTRY_BUCKETS; i++) {
        struct tree **link = &registry->buckets[i];

        while (*link != NULL) {
            struct tree *tree = *link;

            if (tree->database != database) {
                link = &tree->next;
            } else if (tree->references > 0) {
                all = false;
                link = &tree->next;
            } else {
                *link = tree->next;
                tree->next = gone;
                gone = tree;
            }
        }
    }
    os_mutex_unlock(&registry->lock);
    while (gone != NULL) {
        struct tree *tree = gone;

        gone = tree->next;
        free_tree(tree);
    }
    return all;
}
