#include "src/instance/compact.h"

#include "src/btree/space.h"
#include "src/catalog/rows.h"
#include "src/os/memory.h"
#include "src/version/versioned_cursor.h"

/* Nodes that are copied between two reports of progress. */
#define NODES_A_STEP 500u

/* One row of the catalog, by its key. */
struct row_key {
    uint16_t type;
    uint32_t id;
};

struct row_list {
    struct row_key *keys;
    uint32_t count;
    uint32_t capacity;
};

struct compaction {
    struct session *session;
    struct transaction *transaction;
    struct database *from;
    struct database *to;
    compact_progress *progress;
    void *context;
    uint32_t pages_total;   /* of the source, in use */
    struct row_list tables; /* type is unused */
    struct row_list rows;   /* of the table at work */
};

/* --- lists --- */

static JET_ERR list_add(struct row_list *list, uint16_t type, uint32_t id)
{
    if (list->count == list->capacity) {
        uint32_t capacity = list->capacity == 0 ? 32 : list->capacity * 2;
        struct row_key *keys = os_reallocate(list->keys, capacity * sizeof(*keys));
        if (keys == NULL)
            return JET_errOutOfMemory;
        list->keys = keys;
        list->capacity = capacity;
    }
    list->keys[list->count++] = (struct row_key){type, id};
    return JET_errSuccess;
}

static JET_ERR visit_table(void *context, const char *name, object_id id, uint32_t flags)
{
    struct compaction *compaction = context;
    (void)name;
    if ((flags & (uint32_t)JET_bitObjectSystem) != 0)
        return JET_errSuccess;
    return list_add(&compaction->tables, 0, id);
}

static JET_ERR visit_row(void *context, const struct catalog_row *row)
{
    struct compaction *compaction = context;
    return list_add(&compaction->rows, row->type, row->id);
}

/* Tables in the order of their ids, so that new trees can get the old ids one after another. */
static void sort_tables(struct row_list *list)
{
    for (uint32_t i = 1; i < list->count; i++) {
        struct row_key key = list->keys[i];
        uint32_t place = i;
        for (; place > 0 && list->keys[place - 1].id > key.id; place--)
            list->keys[place] = list->keys[place - 1];
        list->keys[place] = key;
    }
}

/* --- trees --- */

/* Makes a tree in the new database under the object id that it has in the old one. */
static JET_ERR make_tree(struct compaction *compaction, struct tree_design *design, object_id id,
                         page_number *root)
{
    JET_ERR err = JET_errSuccess;
    object_id made = 0;
    uint32_t newest = atomic_load(&compaction->to->object_id_last);
    atomic_store(&compaction->to->object_id_last, id - 1);
    err = versioned_create_tree(compaction->transaction, compaction->to, design, root, &made);
    if (newest > id)
        atomic_store(&compaction->to->object_id_last, newest);
    ASSERT(err < JET_errSuccess || made == id);
    return err;
}

/* Copies up to NODES_A_STEP nodes; `*more` tells whether there are others. The source is at the last
 * one copied. */
static JET_ERR copy_some(struct versioned_cursor *source, struct versioned_cursor *target, bool *more)
{
    JET_ERR err = JET_errSuccess;
    for (uint32_t i = 0; i < NODES_A_STEP; i++) {
        struct node_view node;
        TRY(versioned_cursor_copy(source, &node));
        TRY(versioned_cursor_insert(target, node.key, node.data,
                                    VERSIONED_INSERT_APPEND | VERSIONED_INSERT_UNVERSIONED));
        err = versioned_cursor_next(source);
        if (err == JET_errNoCurrentRecord) {
            *more = false;
            return JET_errSuccess;
        }
        TRY(err);
    }
done:
    return err;
}

static JET_ERR copy_nodes(struct compaction *compaction, page_number from, page_number to)
{
    JET_ERR err = JET_errSuccess;
    struct versioned_cursor *source = NULL;
    struct versioned_cursor *target = NULL;
    bool more = true;
    TRY(versioned_cursor_open(compaction->transaction, compaction->from, from, &source));
    TRY(versioned_cursor_open(compaction->transaction, compaction->to, to, &target));
    err = versioned_cursor_first(source);
    if (err == JET_errNoCurrentRecord) {
        err = JET_errSuccess;
        goto done;
    }
    TRY(err);
    while (more) {
        TRY(copy_some(source, target, &more));
        uint32_t done_pages = atomic_load(&compaction->to->page_last);
        if (done_pages > compaction->pages_total)
            done_pages = compaction->pages_total;
        TRY(compaction->progress(compaction->context, done_pages, compaction->pages_total));
    }
done:
    versioned_cursor_close(target);
    versioned_cursor_close(source);
    return err;
}

static JET_ERR source_is_unique(struct compaction *compaction, page_number root, bool *unique)
{
    struct versioned_cursor *cursor = NULL;
    JET_ERR err = versioned_cursor_open(compaction->transaction, compaction->from, root, &cursor);
    if (err >= JET_errSuccess)
        *unique = versioned_cursor_tree(cursor)->unique;
    versioned_cursor_close(cursor);
    return err;
}

/* --- tables --- */

/* Whether a row of this type has a tree of its own. */
static bool has_tree(const struct catalog_row *row, page_number table_root)
{
    switch (row->type) {
    case CATALOG_TABLE:
    case CATALOG_LONG_VALUE:
        return true;
    case CATALOG_INDEX: /* the primary one is the table itself */
        return row->type_or_root != table_root;
    default:
        return false;
    }
}

/* Copies the tree of a row; the row then tells the new root. */
static JET_ERR copy_tree(struct compaction *compaction, struct catalog_row *row, page_number new_table_root)
{
    JET_ERR err = JET_errSuccess;
    page_number root = PAGE_NUMBER_NULL;
    struct tree_design design = {.parent = new_table_root, .pages = 1, .unique = true};
    if (row->type == CATALOG_TABLE) {
        design.parent = ROOT_PAGE_DATABASE;
        design.pages = row->pages_or_locale;
    } else if (row->type == CATALOG_LONG_VALUE) {
        design.page_flags = PAGE_LONG_VALUE;
    } else {
        TRY(source_is_unique(compaction, row->type_or_root, &design.unique));
        design.page_flags = PAGE_INDEX | (design.unique ? 0u : PAGE_NON_UNIQUE);
    }
    TRY(make_tree(compaction, &design, row->id, &root));
    TRY(copy_nodes(compaction, row->type_or_root, root));
    row->type_or_root = root;
done:
    return err;
}

static JET_ERR copy_row(struct compaction *compaction, object_id table, struct row_key key,
                        page_number *old_root, page_number *new_root)
{
    JET_ERR err = JET_errSuccess;
    struct catalog_row row;
    uint8_t *buffer = NULL;
    TRY(catalog_read_row(compaction->transaction, compaction->from, table, key.type, key.id, &row, &buffer));
    if (row.type == CATALOG_TABLE)
        *old_root = row.type_or_root;
    bool tree = has_tree(&row, *old_root);
    if (tree)
        TRY(copy_tree(compaction, &row, *new_root));
    else if (row.type == CATALOG_INDEX)
        row.type_or_root = *new_root;
    if (row.type == CATALOG_TABLE)
        *new_root = row.type_or_root;
    TRY(catalog_insert_row(compaction->transaction, compaction->to, &row, true));
    if (tree)
        TRY(catalog_insert_objid(compaction->transaction, compaction->to, row.id, table, row.type, true));
done:
    os_free(buffer);
    return err;
}

static JET_ERR copy_table(struct compaction *compaction, object_id table)
{
    JET_ERR err = JET_errSuccess;
    page_number old_root = PAGE_NUMBER_NULL;
    page_number new_root = PAGE_NUMBER_NULL;
    bool began = false;
    compaction->rows.count = 0;
    SOUND(transaction_begin(compaction->transaction, false)); /* there is a level left */
    began = true;
    TRY(transaction_prepare_change(compaction->transaction, compaction->to));
    TRY(catalog_visit_rows(compaction->transaction, compaction->from, table, visit_row, compaction));
    for (uint32_t i = 0; i < compaction->rows.count; i++)
        TRY(copy_row(compaction, table, compaction->rows.keys[i], &old_root, &new_root));
    TRY(transaction_commit(compaction->transaction, true));
    began = false;
done:
    if (began)
        (void)transaction_rollback(compaction->transaction);
    return err;
}

static JET_ERR list_tables(struct compaction *compaction)
{
    SOUND(transaction_begin(compaction->transaction, true)); /* there is a level left */
    JET_ERR err = catalog_visit_tables(compaction->transaction, compaction->from, visit_table, compaction);
    JET_ERR ended = transaction_commit(compaction->transaction, true);
    if (err >= JET_errSuccess)
        err = ended;
    sort_tables(&compaction->tables);
    return err;
}

static JET_ERR count_pages(struct compaction *compaction)
{
    JET_ERR err = JET_errSuccess;
    struct tree *tree = NULL;
    uint32_t owned = 0;
    uint32_t available = 0;
    TRY(tree_open(compaction->session->instance->trees, compaction->from, ROOT_PAGE_DATABASE, &tree));
    TRY(space_count(tree, &owned, &available));
    compaction->pages_total = owned - available;
done:
    tree_close(tree);
    return err;
}

JET_ERR compact_database(struct session *session, struct database *from, struct database *to,
                         compact_progress *progress, void *context)
{
    JET_ERR err = JET_errSuccess;
    struct compaction compaction = {
        .session = session,
        .transaction = &session->transaction,
        .from = from,
        .to = to,
        .progress = progress,
        .context = context,
    };
    ASSERT(transaction_level(&session->transaction) == 0);
    TRY(count_pages(&compaction));
    TRY(list_tables(&compaction));
    for (uint32_t i = 0; i < compaction.tables.count; i++)
        TRY(copy_table(&compaction, compaction.tables.keys[i].id));
    if (atomic_load(&to->object_id_last) < atomic_load(&from->object_id_last))
        atomic_store(&to->object_id_last, atomic_load(&from->object_id_last));
done:
    os_free(compaction.rows.keys);
    os_free(compaction.tables.keys);
    return err;
}
