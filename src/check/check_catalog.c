/* The catalog: what it says exists, and its shadow. */
#include <stdio.h>

#include "src/check/check.h"
#include "src/os/memory.h"

enum {
    COLUMN_TABLE = 1, /* fixed columns of the catalog, with their offsets in the record */
    COLUMN_TYPE = 2,
    COLUMN_ID = 3,
    COLUMN_ROOT = 4, /* or column type */
    COLUMN_SPACE = 5,
    COLUMN_FLAGS = 6,
    COLUMN_RECORD_OFFSET = 9,
    COLUMN_NAME = 128,
    COLUMN_CONDITIONS = 134,
    COLUMN_TUPLE_LIMITS = 135,
};
enum {
    OFFSET_TABLE = 4,
    OFFSET_TYPE = 8,
    OFFSET_ID = 10,
    OFFSET_ROOT = 14,
    OFFSET_SPACE = 18,
    OFFSET_FLAGS = 22
};
enum { OFFSET_RECORD_OFFSET = 31 };
enum { OBJECT_TABLE = 1, OBJECT_COLUMN = 2, OBJECT_INDEX = 3, OBJECT_LONG_VALUE = 4, OBJECT_CALLBACK = 5 };

struct catalog_walk {
    struct check *check;
    object_id table; /* the last table record */
};

static JET_ERR add_tree(struct check *check, const struct check_tree *tree)
{
    JET_ERR err = JET_errSuccess;
    if (check->tree_count == check->tree_room) {
        size_t room = check->tree_room == 0 ? 32 : check->tree_room * 2;
        struct check_tree *grown = os_reallocate(check->trees, room * sizeof *grown);
        if (grown == NULL)
            FAIL(JET_errOutOfMemory);
        check->trees = grown;
        check->tree_room = room;
    }
    check->trees[check->tree_count++] = *tree;
done:
    return err;
}

static JET_ERR add_column(struct check *check, const struct check_column *column)
{
    JET_ERR err = JET_errSuccess;
    if (check->column_count == check->column_room) {
        size_t room = check->column_room == 0 ? 64 : check->column_room * 2;
        struct check_column *grown = os_reallocate(check->columns, room * sizeof *grown);
        if (grown == NULL)
            FAIL(JET_errOutOfMemory);
        check->columns = grown;
        check->column_room = room;
    }
    check->columns[check->column_count++] = *column;
done:
    return err;
}

/* Bytes of a fixed column's type; 0 = depends. */
static uint16_t type_size(uint32_t type)
{
    static const uint8_t sizes[] = {0, 1, 1, 2, 4, 8, 4, 8, 8, 0, 0, 0, 0, 0, 4, 8, 16, 2, 8};
    return type < sizeof sizes ? sizes[type] : 0;
}

struct catalog_row {
    uint32_t table;
    uint16_t type;
    uint32_t id;
    uint32_t root;
    uint32_t space;
    uint32_t flags;
};

static bool read_row(struct span data, struct catalog_row *row)
{
    return record_fixed(data, OFFSET_TABLE, COLUMN_TABLE, &row->table, 4) &&
           record_fixed(data, OFFSET_TYPE, COLUMN_TYPE, &row->type, 2) &&
           record_fixed(data, OFFSET_ID, COLUMN_ID, &row->id, 4) &&
           record_fixed(data, OFFSET_ROOT, COLUMN_ROOT, &row->root, 4) &&
           record_fixed(data, OFFSET_SPACE, COLUMN_SPACE, &row->space, 4) &&
           record_fixed(data, OFFSET_FLAGS, COLUMN_FLAGS, &row->flags, 4);
}

static JET_ERR take_tree(struct check *check, const struct page *page, const struct catalog_row *row,
                         enum tree_kind kind, struct span data)
{
    struct check_tree tree = {
        .kind = kind, .root = row->root, .object = row->id, .table = row->table, .flags = row->flags};
    struct span name = {NULL, 0};
    /* A secondary index's tree holds key and bookmark; it is unique only if the index is. */
    tree.unique = kind != TREE_INDEX || (row->flags & 1) != 0;
    if (record_variable(data, COLUMN_NAME, &name))
        snprintf(tree.name, sizeof tree.name, "%.*s", (int)(name.size < 63 ? name.size : 63),
                 (const char *)name.bytes);
    struct span limits = {NULL, 0};
    tree.partial = (record_variable(data, COLUMN_CONDITIONS, &limits) && limits.size > 0) ||
                   (record_variable(data, COLUMN_TUPLE_LIMITS, &limits) && limits.size > 0);
    if (row->root == 0 || row->root > check->last) {
        check_report(check, "catalog", page->number, row->table, "object %u has its root at page %u", row->id,
                     row->root);
        return JET_errSuccess;
    }
    return add_tree(check, &tree);
}

static JET_ERR take_column(struct check *check, const struct catalog_row *row, struct span data)
{
    uint16_t offset = 0;
    struct check_column column = {.table = row->table, .id = (uint16_t)row->id, .type = (uint16_t)row->root};
    if (row->id == 0 || row->id > 127)
        return JET_errSuccess; /* only fixed columns matter here */
    if (record_fixed(data, OFFSET_RECORD_OFFSET, COLUMN_RECORD_OFFSET, &offset, 2))
        column.offset = offset;
    column.size = type_size(row->root);
    if (column.size == 0)
        column.size = (uint16_t)row->space;
    return add_column(check, &column);
}

static JET_ERR visit_catalog(void *context, const struct page *page, uint32_t line, const struct node *node)
{
    JET_ERR err = JET_errSuccess;
    struct catalog_walk *walk = context;
    struct check *check = walk->check;
    struct catalog_row row = {0};
    (void)line;
    if ((node->flags & NODE_DELETED) != 0)
        goto done;
    if (!read_row(node->data, &row)) {
        check_report(check, "catalog", page->number, CHECK_CATALOG_OBJECT,
                     "a record lacks its fixed columns");
        goto done;
    }
    if (row.type == OBJECT_TABLE)
        walk->table = row.table;
    else if (row.table != walk->table)
        check_report(check, "catalog", page->number, row.table, "object %u belongs to no table", row.id);
    switch (row.type) {
    case OBJECT_TABLE:
        if (row.id != row.table)
            check_report(check, "catalog", page->number, row.table, "a table with another object's id %u",
                         row.id);
        TRY(take_tree(check, page, &row, TREE_TABLE, node->data));
        break;
    case OBJECT_COLUMN:
        TRY(take_column(check, &row, node->data));
        break;
    case OBJECT_INDEX:
        if ((row.flags & 0x20) == 0) /* the primary index is the table */
            TRY(take_tree(check, page, &row, TREE_INDEX, node->data));
        break;
    case OBJECT_LONG_VALUE:
        TRY(take_tree(check, page, &row, TREE_LONG_VALUE, node->data));
        break;
    case OBJECT_CALLBACK:
        break;
    default:
        check_report(check, "catalog", page->number, row.table, "an object of unknown type %u", row.type);
        break;
    }
done:
    return err;
}

/* Two objects may not have the same root or the same id. */
static JET_ERR check_duplicates(struct check *check)
{
    JET_ERR err = JET_errSuccess;
    struct counter_set roots = {NULL, 0, 0};
    struct counter_set objects = {NULL, 0, 0};
    for (size_t i = 0; i < check->tree_count; i++) {
        const struct check_tree *tree = &check->trees[i];
        struct counter_entry *root = counter_set_get(&roots, tree->root);
        struct counter_entry *object = counter_set_get(&objects, tree->object);
        if (root == NULL || object == NULL)
            FAIL(JET_errOutOfMemory);
        if (root->count++ != 0)
            check_report(check, "catalog", tree->root, tree->object, "two objects have this root");
        if (object->count++ != 0)
            check_report(check, "catalog", tree->root, tree->object, "two objects have this id");
        if (tree->object > check->header.object_id_last && check->header.state == DATABASE_CLEAN_SHUTDOWN)
            check_report(check, "catalog", tree->root, tree->object, "the last object id of the header is %u",
                         check->header.object_id_last);
    }
done:
    counter_set_free(&roots);
    counter_set_free(&objects);
    return err;
}

JET_ERR check_catalog(struct check *check)
{
    JET_ERR err = JET_errSuccess;
    struct check_tree root = {
        .kind = TREE_DATABASE, .root = CHECK_DATABASE_ROOT, .object = 1, .unique = true};
    struct catalog_walk context = {check, 0};
    struct tree_walk walk = {
        .root = CHECK_CATALOG_ROOT,
        .object = CHECK_CATALOG_OBJECT,
        .unique = true,
        .use = PAGE_USE_TREE,
        .visitor = CHECK_CATALOG_ROOT,
        .visit = visit_catalog,
        .context = &context,
    };
    TRY(add_tree(check, &root));
    TRY(check_walk_tree(check, &walk));
    /* The catalog is a table in itself: it will be walked again, and its pages claimed then. */
    for (page_number page = 1; page <= check->last; page++) {
        check->pages[page].use = PAGE_USE_NONE;
        check->pages[page].visitor = 0;
    }
    TRY(check_duplicates(check));
done:
    return err;
}

/* ---- shadow: the same records under the same keys */

struct fingerprint {
    struct counter_set *set;
    int sign;
};

static JET_ERR visit_shadow(void *context, const struct page *page, uint32_t line, const struct node *node)
{
    const struct fingerprint *fingerprint = context;
    uint64_t hash = 14695981039346656037u;
    uint8_t key[64];
    (void)page;
    (void)line;
    if ((node->flags & NODE_DELETED) != 0)
        return JET_errSuccess;
    size_t size = key_copy(&node->key, 0, key, sizeof key);
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ key[i]) * 1099511628211u;
    for (size_t i = 0; i < node->data.size; i++)
        hash = (hash ^ node->data.bytes[i]) * 1099511628211u;
    struct counter_entry *entry = counter_set_get(fingerprint->set, hash);
    if (entry == NULL)
        return JET_errOutOfMemory;
    entry->count += (uint64_t)(int64_t)fingerprint->sign;
    return JET_errSuccess;
}

static JET_ERR collect(struct check *check, page_number root, object_id object,
                       struct fingerprint *fingerprint, bool *damaged)
{
    JET_ERR err = JET_errSuccess;
    struct page_info *saved = os_duplicate(check->pages, ((size_t)check->last + 1) * sizeof *saved);
    uint64_t findings = check->findings;
    ESENT_HOST_CHECK_CALLBACK callback = check->callback;
    struct tree_walk walk = {.root = root,
                             .object = object,
                             .unique = true,
                             .use = PAGE_USE_TREE,
                             .visitor = root,
                             .visit = visit_shadow,
                             .context = fingerprint};
    if (saved == NULL)
        FAIL(JET_errOutOfMemory);
    /* Whatever is wrong with the tree has been reported: walk it once more as if nothing were claimed. */
    check->callback = NULL;
    for (page_number page = 1; page <= check->last; page++)
        check->pages[page].use = PAGE_USE_NONE;
    err = check_walk_tree(check, &walk);
    memcpy(check->pages, saved, ((size_t)check->last + 1) * sizeof *saved);
    check->callback = callback;
    check->findings = findings;
    *damaged = *damaged || walk.damaged;
done:
    os_free(saved);
    return err;
}

JET_ERR check_shadow(struct check *check)
{
    JET_ERR err = JET_errSuccess;
    struct counter_set set = {NULL, 0, 0};
    struct fingerprint fingerprint = {&set, 1};
    bool damaged = false;
    TRY(collect(check, CHECK_CATALOG_ROOT, CHECK_CATALOG_OBJECT, &fingerprint, &damaged));
    fingerprint.sign = -1;
    TRY(collect(check, CHECK_SHADOW_ROOT, CHECK_SHADOW_OBJECT, &fingerprint, &damaged));
    if (damaged)
        goto done;
    uint64_t different = 0;
    for (size_t i = 0; i < set.room; i++)
        different += set.entries[i].used && set.entries[i].count != 0;
    if (different != 0)
        check_report(check, "catalog", CHECK_SHADOW_ROOT, CHECK_SHADOW_OBJECT,
                     "%llu records of the catalog and its shadow differ", (unsigned long long)different);
done:
    counter_set_free(&set);
    return err;
}
