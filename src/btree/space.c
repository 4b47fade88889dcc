#include "src/btree/space_internal.h"

/* Trees that begin with more pages have their own space trees from the start. */
#define SINGLE_EXTENT_MOST 16u

static JET_ERR log_create_multiple(struct tree *tree, const struct btree_actor *actor,
                                   const struct create_tree_change *change, struct log_position *position)
{
    struct log_record_create_multiple_extent_fdp record;
    struct log_piece piece = {&record, sizeof record};

    memset(&record, 0, sizeof record);
    log_fill_page(&record.page, LOG_RECORD_CREATE_MULTIPLE_EXTENT_FDP, tree, actor, change->root,
                  change->modified, LOG_DBTIME_NONE);
    record.object = change->object;
    record.owned_page = change->owned_root;
    record.available_page = change->owned_root + 1;
    record.parent_tree_page = change->parent;
    record.primary_pages = change->pages;
    record.page_flags = change->page_flags;
    return log_append(tree->database->log, &piece, 1, 0, actor->begin.generation, position);
}

static JET_ERR log_create_single(struct tree *tree, const struct btree_actor *actor,
                                 const struct create_tree_change *change, struct log_position *position)
{
    struct log_record_create_single_extent_fdp record;
    struct log_piece piece = {&record, sizeof record};

    memset(&record, 0, sizeof record);
    log_fill_page(&record.page, LOG_RECORD_CREATE_SINGLE_EXTENT_FDP, tree, actor, change->root,
                  change->modified, LOG_DBTIME_NONE);
    record.object = change->object;
    record.parent_tree_page = change->parent;
    record.primary_pages = change->pages;
    record.page_flags = change->page_flags;
    return log_append(tree->database->log, &piece, 1, 0, actor->begin.generation, position);
}

/* Formats the pages of a new tree. `tree` tells database and uniqueness. */
static JET_ERR create_pages(struct tree *tree, const struct btree_actor *actor,
                            struct create_tree_change *change)
{
    JET_ERR err = JET_errSuccess;
    struct latch root = LATCH_INIT;
    struct latch owned = LATCH_INIT;
    struct latch available = LATCH_INIT;
    struct log_position position = LOG_POSITION_MIN;
    bool logged = change_is_logged(tree);
    bool multiple = change->owned_root != PAGE_NUMBER_NULL;

    if (multiple) {
        TRY(latch_new_page(tree, actor, change->owned_root, &owned));
        TRY(latch_new_page(tree, actor, change->owned_root + 1, &available));
    }
    TRY(latch_new_page(tree, actor, change->root, &root));
    change->modified = database_next_dbtime(tree->database);
    if (logged)
        TRY(multiple ? log_create_multiple(tree, actor, change, &position)
                     : log_create_single(tree, actor, change, &position));
    if (multiple)
        apply_create_multiple(&root.page, &owned.page, &available.page, change);
    else
        apply_create_single(&root.page, change);
    stamp_page(&root, actor, change->modified, position);
    if (multiple) {
        stamp_page(&owned, actor, change->modified, position);
        stamp_page(&available, actor, change->modified, position);
    }
done:
    cache_unlatch(&available);
    cache_unlatch(&owned);
    cache_unlatch(&root);
    return err;
}

JET_ERR space_create_database(struct tree_registry *registry, struct database *database,
                              const struct btree_actor *actor, uint32_t pages)
{
    JET_ERR err = JET_errSuccess;
    struct tree *tree = NULL;
    struct log_record_extend_database record;
    struct create_tree_change change = {
        .root = ROOT_PAGE_DATABASE, .unique = true, .pages = pages, .owned_root = ROOT_PAGE_DATABASE_OWNED};

    change.object = database_next_object_id(database);
    ASSERT(change.object == 1);
    TRY(tree_open_new(registry, database, change.root, change.object, true, PAGE_NUMBER_NULL, &tree));
    if (change_is_logged(tree)) {
        record = (struct log_record_extend_database){
            .ignored = {LOG_RECORD_EXTEND_DATABASE, sizeof record - sizeof record.ignored},
            .database_id = (uint8_t)database->id,
            .last_page = pages};
        TRY(log_append_record(database->log, &record, sizeof record, NULL));
    }
    TRY(create_pages(tree, actor, &change));
    tree->owned_root = change.owned_root;
    tree->available_root = change.owned_root + 1;
done:
    tree_close(tree);
    return err;
}

JET_ERR space_create_tree(struct tree_registry *registry, struct database *database,
                          const struct btree_actor *actor, const struct tree_design *design,
                          page_number *root, object_id *object)
{
    JET_ERR err = JET_errSuccess;
    struct tree *parent = NULL;
    struct tree *tree = NULL;
    struct space_extent extent = {0, 0};
    bool multiple = design->multiple_extents || design->pages > SINGLE_EXTENT_MOST;
    uint32_t least = multiple ? SPACE_MULTIPLE_PAGES_MIN : 1;
    uint32_t wanted = design->pages > least ? design->pages : least;
    struct create_tree_change change = {
        .unique = design->unique, .parent = design->parent, .page_flags = design->page_flags};

    TRY(tree_open(registry, database, design->parent, &parent));
    TRY(space_get_extent(parent, actor, wanted, least, true, &extent));
    change.root = extent.last - extent.pages + 1;
    change.pages = extent.pages;
    change.owned_root = multiple ? change.root + 1 : PAGE_NUMBER_NULL;
    change.object = database_next_object_id(database);
    TRY(tree_open_new(registry, database, change.root, change.object, change.unique, change.parent, &tree));
    if ((change.page_flags & PAGE_LONG_VALUE) != 0)
        tree_set_density(tree, 100);
    TRY(create_pages(tree, actor, &change));
    if (multiple) {
        tree->owned_root = change.owned_root;
        tree->available_root = change.owned_root + 1;
    }
    *root = change.root;
    *object = change.object;
done:
    if (err < JET_errSuccess && tree != NULL) {
        tree_forget(tree);
        tree = NULL;
    }
    if (err < JET_errSuccess && extent.pages > 0)
        (void)space_free_extent(parent, actor, extent);
    tree_close(tree);
    tree_close(parent);
    return err;
}

/* A list of extents that grows. */
struct extent_list {
    struct space_extent *extents;
    size_t count;
    size_t capacity;
};

static JET_ERR list_add(struct extent_list *list, struct space_extent extent)
{
    if (list->count == list->capacity) {
        size_t capacity = list->capacity == 0 ? 8 : list->capacity * 2;
        struct space_extent *extents = os_reallocate(list->extents, capacity * sizeof *extents);

        if (extents == NULL)
            return JET_errOutOfMemory;
        list->extents = extents;
        list->capacity = capacity;
    }
    list->extents[list->count++] = extent;
    return JET_errSuccess;
}

static JET_ERR list_owned(struct tree *owned, struct extent_list *list)
{
    JET_ERR err = JET_errSuccess;
    struct space_extent extent = {0, 0};
    bool found = false;

    for (page_number at = 0;; at = extent.last + 1) {
        TRY(extents_find(owned, at, &extent, &found));
        if (!found)
            break;
        TRY(list_add(list, extent));
    }
done:
    return err;
}

JET_ERR space_free_tree(struct tree_registry *registry, struct database *database,
                        const struct btree_actor *actor, page_number root)
{
    JET_ERR err = JET_errSuccess;
    struct tree *tree = NULL;
    struct tree *parent = NULL;
    struct space_trees trees = {NULL, NULL};
    struct extent_list list = {NULL, 0, 0};

    TRY(tree_open(registry, database, root, &tree));
    TRY(tree_know_space(tree));
    TRY(tree_open(registry, database, tree->parent, &parent));
    if (tree->owned_root == PAGE_NUMBER_NULL) {
        struct space_header header;

        TRY(space_read_header(tree, &header));
        TRY(list_add(&list, (struct space_extent){root + header.pages - 1, header.pages}));
    } else {
        TRY(space_trees_open(tree, &trees));
        TRY(list_owned(trees.owned, &list));
        tree_forget(trees.owned);
        tree_forget(trees.available);
        trees = (struct space_trees){NULL, NULL};
    }
    tree_forget(tree);
    tree = NULL;
    for (size_t i = 0; i < list.count; i++)
        TRY(space_free_extent(parent, actor, list.extents[i]));
done:
    os_free(list.extents);
    space_trees_close(&trees);
    tree_close(tree);
    tree_close(parent);
    return err;
}

JET_ERR space_grow_database(struct tree_registry *registry, struct database *database,
                            const struct btree_actor *actor, uint32_t pages, uint32_t *total)
{
    JET_ERR err = JET_errSuccess;
    struct tree *tree = NULL;
    struct space_trees trees = {NULL, NULL};
    struct space_extent extent = {0, 0};

    TRY(tree_open(registry, database, ROOT_PAGE_DATABASE, &tree));
    os_mutex_lock(&tree->space_lock);
    err = tree_know_space(tree);
    if (err >= JET_errSuccess)
        err = space_trees_open(tree, &trees);
    if (err >= JET_errSuccess && pages > 0)
        err = space_add_extent(tree, &trees, actor, pages, pages, &extent);
    os_mutex_unlock(&tree->space_lock);
    *total = database->page_last;
done:
    space_trees_close(&trees);
    tree_close(tree);
    return err;
}
