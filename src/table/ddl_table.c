#include "src/btree/space.h"
#include "src/cache/database.h"
#include "src/catalog/rows.h"
#include "src/os/error.h"
#include "src/os/memory.h"
#include "src/page/page.h"
#include "src/table/ddl.h"
#include "src/table/navigate.h"

/* --- rollback and clean-up of tables --- */

static void undo_create(struct transaction *transaction, struct database *database, void *context)
{
    struct table_definition *table = context;
    (void)transaction;
    catalog_lock(database->catalog);
    table->delete_pending = true;
    catalog_unlink(database->catalog, table);
    catalog_unlock(database->catalog);
    catalog_release(table);
}

static void commit_create(struct transaction *transaction, struct database *database, void *context)
{
    struct table_definition *table = context;
    (void)transaction;
    (void)database;
    os_atomic_store(&table->uncommitted, false);
}

static void release_table(struct database *database, void *context)
{
    (void)database;
    catalog_release(context);
}

static void undo_delete(struct transaction *transaction, struct database *database, void *context)
{
    struct table_definition *table = context;
    (void)transaction;
    catalog_lock(database->catalog);
    table->delete_pending = false;
    catalog_unlock(database->catalog);
    catalog_release(table);
}

static void clean_delete(struct database *database, void *context)
{
    struct table_definition *table = context;
    catalog_lock(database->catalog);
    catalog_unlink(database->catalog, table);
    catalog_unlock(database->catalog);
    catalog_release(table);
}

static const struct version_action create_action = {
    .name = "create table", .undo = undo_create, .committed = commit_create, .cleanup = release_table};
static const struct version_action delete_action = {
    .name = "delete table", .undo = undo_delete, .cleanup = clean_delete};

static JET_ERR register_change(struct transaction *transaction, struct table_definition *table,
                               const struct version_action *action)
{
    catalog_hold(table);
    JET_ERR err = version_add_action(transaction, table->database, action, table);
    if (err < JET_errSuccess)
        catalog_release(table);
    return err;
}

static JET_ERR end_level(struct transaction *transaction, JET_ERR err)
{
    if (err >= JET_errSuccess)
        err = transaction_commit(transaction, false);
    if (err < JET_errSuccess)
        (void)transaction_rollback(transaction); /* the first error counts */
    return err;
}

/* --- creating --- */

struct creation {
    struct transaction *transaction;
    struct database *database;
    struct table_request *request;
    const struct ddl_context *context;
    struct table_definition *table;
    struct table_definition *template_table;
};

static JET_ERR open_template(struct creation *creation)
{
    JET_ERR err = JET_errSuccess;
    char checked[NAME_MAX_SIZE + 1];
    if (creation->request->template_name == NULL)
        goto done;
    TRY(table_check_name(creation->request->template_name, checked));
    TRY(catalog_open_table(creation->transaction, creation->database, checked, &creation->template_table));
    if (!creation->template_table->is_template)
        FAIL(JET_errDDLNotInheritable);
    creation->template_table->template_used = true;
done:
    return err;
}

static uint32_t table_flags(const struct table_request *request)
{
    uint32_t flags = 0;
    if (request->grbit & JET_bitTableCreateTemplateTable)
        return (uint32_t)JET_bitObjectTableTemplate | (uint32_t)JET_bitObjectTableFixedDDL;
    if (request->template_name != NULL)
        flags |= (uint32_t)JET_bitObjectTableDerived;
    if (request->grbit & JET_bitTableCreateFixedDDL)
        flags |= (uint32_t)JET_bitObjectTableFixedDDL;
    if (request->grbit & JET_bitTableCreateSystemTable)
        flags |= (uint32_t)JET_bitObjectSystem;
    return flags;
}

static JET_ERR create_tree(struct creation *creation)
{
    const struct tree_design design = {
        .parent = ROOT_PAGE_DATABASE,
        .pages = creation->table->initial_pages == 0 ? 1 : creation->table->initial_pages,
        .unique = true,
        .page_flags = PAGE_PRIMARY,
    };
    return versioned_create_tree(creation->transaction, creation->database, &design, &creation->table->root,
                                 &creation->table->id);
}

static JET_ERR insert_table_row(struct creation *creation)
{
    JET_ERR err = JET_errSuccess;
    const struct table_definition *table = creation->table;
    struct catalog_row row = {
        .table = table->id,
        .type = CATALOG_TABLE,
        .id = table->id,
        .name = {(const uint8_t *)table->name, (uint32_t)strlen(table->name)},
        .type_or_root = table->root,
        .space_usage = table->density,
        .flags = table->flags,
        .pages_or_locale = table->initial_pages,
        .root_flag = true,
    };
    if (table->template_name[0] != 0)
        row.template_name =
            (struct bytes){(const uint8_t *)table->template_name, (uint32_t)strlen(table->template_name)};
    if (table->separate_threshold != 0)
        row.separate_threshold = (struct bytes){(const uint8_t *)&table->separate_threshold, 4};
    err = catalog_insert_row(creation->transaction, creation->database, &row, false);
    if (err == JET_errKeyDuplicate)
        err = JET_errTableDuplicate;
    TRY(err);
    TRY(catalog_insert_objid(creation->transaction, creation->database, table->id, table->id, CATALOG_TABLE,
                             false));
done:
    return err;
}

static JET_ERR insert_index_row(struct creation *creation, const struct index_definition *index)
{
    JET_ERR err = JET_errSuccess;
    struct catalog_index_buffers buffers;
    struct catalog_row row;
    catalog_row_from_index(creation->table->id, index, &buffers, &row);
    err = catalog_insert_row(creation->transaction, creation->database, &row, false);
    if (err == JET_errKeyDuplicate)
        err = JET_errIndexDuplicate;
    TRY(err);
    if (!index_is_primary(index))
        TRY(catalog_insert_objid(creation->transaction, creation->database, index->id, creation->table->id,
                                 CATALOG_INDEX, false));
done:
    return err;
}

/* The template's columns come with it; each of its indexes gets a tree of its own. */
static JET_ERR inherit(struct creation *creation)
{
    JET_ERR err = JET_errSuccess;
    const struct table_definition *from = creation->template_table;
    const struct index_definition *index = from->primary != NULL ? from->primary : from->secondary;
    while (index != NULL) {
        struct index_definition derived = *index;
        derived.next = NULL;
        derived.derived = true;
        derived.flags = (uint16_t)((derived.flags | INDEX_FLAG_DERIVED) & ~INDEX_FLAG_TEMPLATE);
        if (index_is_primary(&derived)) {
            derived.id = creation->table->id;
            derived.root = creation->table->root;
        } else {
            TRY(ddl_create_index_tree(creation->transaction, creation->table, &derived));
        }
        derived.map_flags = 0; /* the template's count */
        TRY(insert_index_row(creation, &derived));
        derived.map_flags = index->map_flags;
        derived.flags = index->flags;
        TRY(table_definition_add_index(creation->table, &derived, NULL));
        index = index == from->primary ? from->secondary : index->next;
    }
    TRY(catalog_inherit(creation->table, from));
done:
    return err;
}

/* A table has one version column and one auto-increment column at most. */
static JET_ERR check_redundant(const struct table_definition *table, const struct column_definition *column)
{
    if ((column->flags & COLUMN_FLAG_VERSION) != 0 && table->version_column != 0)
        return JET_errColumnRedundant;
    if ((column->flags & COLUMN_FLAG_AUTOINCREMENT) != 0 && table->autoincrement_column != 0)
        return JET_errColumnRedundant;
    return JET_errSuccess;
}

static JET_ERR add_column(struct creation *creation, struct column_request *request)
{
    JET_ERR err = JET_errSuccess;
    struct column_definition column;
    struct catalog_row row;
    JET_ERR warning = ddl_check_column(creation->table, request, true, &column);
    TRY(warning);
    TRY(ddl_place_column(creation->table, request->grbit, &column));
    TRY(check_redundant(creation->table, &column));
    catalog_row_from_column(creation->table->id, &column, &row);
    err = catalog_insert_row(creation->transaction, creation->database, &row, false);
    if (err == JET_errKeyDuplicate)
        err = JET_errColumnDuplicate;
    TRY(err);
    TRY(table_definition_add_column(creation->table, &column, NULL));
    request->id = column_public_id(&column);
    err = warning;
done:
    return err;
}

static JET_ERR add_columns(struct creation *creation)
{
    for (uint32_t i = 0; i < creation->request->column_count; i++) {
        struct column_request *request = &creation->request->columns[i];
        request->err = add_column(creation, request);
        if (request->err < JET_errSuccess)
            return request->err;
        creation->request->created++;
    }
    return JET_errSuccess;
}

static JET_ERR find_in_creation(void *context, const char *name, const struct column_definition **column)
{
    const struct creation *creation = context;
    uint32_t position = 0;
    while ((*column = table_definition_next_column(creation->table, &position)) != NULL) {
        if (name_compare((*column)->name, name) == 0)
            return JET_errSuccess;
    }
    return JET_errColumnNotFound;
}

static JET_ERR add_index(struct creation *creation, struct index_request *request)
{
    JET_ERR err = JET_errSuccess;
    struct index_definition index;
    if (request->density == 0)
        request->density = creation->table->density;
    TRY(ddl_check_index(request, creation->database->page_size, creation->context, &index));
    TRY(ddl_resolve_index(request, find_in_creation, creation, &index));
    if (index_is_primary(&index)) {
        if (creation->table->primary != NULL)
            FAIL(JET_errIndexHasPrimary);
        index.id = creation->table->id;
        index.root = creation->table->root;
    } else {
        TRY(ddl_create_index_tree(creation->transaction, creation->table, &index));
    }
    if (creation->table->is_template)
        index.flags |= INDEX_FLAG_TEMPLATE;
    if (request->grbit & JET_bitIndexDeferredPopulateCreate)
        index.extended |= INDEX_EXTENDED_DEFERRED_POPULATE;
    creation->request->created++;
    TRY(insert_index_row(creation, &index));
    if (index_is_primary(&index))
        catalog_reduce_key_max(creation->table, &index);
    TRY(table_definition_add_index(creation->table, &index, NULL));
done:
    return err;
}

static JET_ERR add_indexes(struct creation *creation)
{
    struct table_request *request = creation->request;
    if (request->index_count > 0 && request->columns == NULL)
        return JET_errInvalidCreateIndex;
    for (uint32_t i = 0; i < request->index_count; i++) {
        request->indexes[i].err = add_index(creation, &request->indexes[i]);
        if (request->indexes[i].err < JET_errSuccess)
            return request->indexes[i].err;
    }
    return JET_errSuccess;
}

/* Defaults are brought into the form of records at the end: one of a wrong size fails the creation as a
 * whole. */
static JET_ERR fit_defaults(struct table_definition *table)
{
    uint32_t position = 0;
    struct column_definition *column = NULL;
    while ((column = table_definition_next_column(table, &position)) != NULL) {
        uint8_t buffer[256];
        struct column_definition fitted = *column;
        if (column->inherited)
            continue;
        JET_ERR err = ddl_fit_default(&fitted, buffer);
        if (err < JET_errSuccess)
            return err;
        if (fitted.default_value == column->default_value)
            continue;
        uint8_t *copy = os_duplicate(fitted.default_value, fitted.default_size);
        if (copy == NULL)
            return JET_errOutOfMemory;
        os_free(column->default_value);
        column->default_value = copy;
        column->default_size = fitted.default_size;
    }
    return JET_errSuccess;
}

static JET_ERR create_in_transaction(struct creation *creation)
{
    JET_ERR err = JET_errSuccess;
    struct catalog *catalog = NULL;
    TRY(catalog_get(creation->database, &catalog));
    TRY(create_tree(creation));
    creation->request->created = 1;
    TRY(insert_table_row(creation));
    if (creation->template_table != NULL)
        TRY(inherit(creation));
    TRY(add_columns(creation));
    TRY(add_indexes(creation));
    TRY(fit_defaults(creation->table));
    catalog_link(catalog, creation->table);
    os_atomic_store(&creation->table->uncommitted, true);
    err = register_change(creation->transaction, creation->table, &create_action);
    if (err < JET_errSuccess) {
        catalog_lock(catalog);
        catalog_unlink(catalog, creation->table); /* it is ours again */
        catalog_unlock(catalog);
        goto done;
    }
    catalog_lock(catalog);
    creation->table->open_count = 1;
    creation->table->deny_read_count = 1;
    creation->table->exclusive_owner = creation->transaction;
    catalog_unlock(catalog);
done:
    return err;
}

/* A page for the rows and one for each secondary index, if the program did not ask for more. One is noted as
 * 0. */
static uint32_t initial_pages(const struct table_request *request)
{
    uint32_t pages = 1;
    for (uint32_t i = 0; i < request->index_count; i++)
        pages += (request->indexes[i].grbit & JET_bitIndexPrimary) == 0;
    if (request->pages > pages)
        pages = request->pages;
    return pages == 1 ? 0 : pages;
}

static JET_ERR prepare_definition(struct creation *creation)
{
    JET_ERR err = JET_errSuccess;
    const struct table_request *request = creation->request;
    struct table_definition *table = NULL;
    TRY(table_definition_create(&table));
    creation->table = table;
    TRY(table_check_name(request->name, table->name));
    TRY(open_template(creation));
    table->database = creation->database;
    table->page_size = creation->database->page_size;
    table->density = request->density;
    TRY(ddl_check_density(&table->density));
    table->initial_pages = initial_pages(request);
    table->separate_threshold = request->separate_threshold;
    table->flags = table_flags(request);
    table->is_template = (request->grbit & JET_bitTableCreateTemplateTable) != 0;
    table->is_derived = creation->template_table != NULL;
    if (creation->template_table != NULL)
        memcpy(table->template_name, creation->template_table->name, sizeof(table->template_name));
done:
    return err;
}

JET_ERR table_create(struct transaction *transaction, struct database *database,
                     struct table_request *request, const struct ddl_context *context,
                     struct table_cursor **out)
{
    JET_ERR err = JET_errSuccess;
    struct creation creation = {transaction, database, request, context, NULL, NULL};
    bool owned = true; /* the definition is ours until the catalog has it */
    request->created = 0;
    TRY(prepare_definition(&creation));
    TRY(transaction_begin(transaction, false));
    err = create_in_transaction(&creation);
    owned = err < JET_errSuccess;
    if (err >= JET_errSuccess) {
        struct table_cursor *cursor = NULL;
        err = table_cursor_open(transaction, creation.table, JET_bitTableDenyRead, &cursor);
        if (err >= JET_errSuccess) {
            cursor->exclusive = true;
            cursor->permits_ddl =
                (creation.table->flags & JET_bitObjectTableFixedDDL) != 0 && !creation.table->is_template;
            cursor->updatable = !database->read_only;
            table_defer_first(cursor);
            err = transaction_commit(transaction, false);
            if (err < JET_errSuccess)
                table_cursor_close(cursor);
        }
        *out = err < JET_errSuccess ? NULL : cursor;
    }
    if (err < JET_errSuccess)
        (void)transaction_rollback(transaction); /* the first error counts */
done:
    if (owned)
        table_definition_free(creation.table);
    if (creation.template_table != NULL)
        catalog_close_table(creation.template_table);
    return err < JET_errSuccess ? err : JET_errSuccess;
}

/* --- deleting and renaming --- */

/* Marks the table as being deleted, if nobody else uses it. */
static JET_ERR mark_deleted(const struct transaction *transaction, struct table_definition *table)
{
    JET_ERR err = JET_errSuccess;
    catalog_lock(table->database->catalog);
    if (table->delete_pending)
        err = JET_errTableLocked;
    else if (table->open_count > 1)
        err = table->deny_read_count > 0 && table->exclusive_owner != transaction ? JET_errTableLocked
                                                                                  : JET_errTableInUse;
    else if (table->is_template)
        err = JET_errCannotDeleteTemplateTable;
    else
        table->delete_pending = true;
    catalog_unlock(table->database->catalog);
    return err;
}

static JET_ERR free_trees(struct transaction *transaction, struct table_definition *table)
{
    /* Indexes and long values have their space from the table: it goes with the table's. */
    return versioned_free_tree(transaction, table->database, table->root);
}

/* Takes the rows of all trees of the table out of MSysObjids. */
static JET_ERR delete_objids(struct transaction *transaction, const struct table_definition *table)
{
    JET_ERR err = JET_errSuccess;
    TRY(catalog_delete_objid(transaction, table->database, table->id));
    for (const struct index_definition *index = table->secondary; index != NULL; index = index->next)
        TRY(catalog_delete_objid(transaction, table->database, index->id));
    if (table->long_value_id != 0)
        TRY(catalog_delete_objid(transaction, table->database, table->long_value_id));
done:
    return err;
}

static JET_ERR delete_in_transaction(struct transaction *transaction, struct database *database,
                                     const char *name)
{
    JET_ERR err = JET_errSuccess;
    struct table_definition *table = NULL;
    TRY(catalog_open_table(transaction, database, name, &table));
    if (database->read_only)
        FAIL(JET_errPermissionDenied);
    TRY(mark_deleted(transaction, table));
    err = register_change(transaction, table, &delete_action);
    if (err < JET_errSuccess) {
        table->delete_pending = false;
        goto done;
    }
    TRY(delete_objids(transaction, table));
    TRY(catalog_delete_table_rows(transaction, database, table->id));
    TRY(free_trees(transaction, table));
done:
    if (table != NULL)
        catalog_close_table(table);
    return err;
}

JET_ERR table_delete_table(struct transaction *transaction, struct database *database, const char *name)
{
    JET_ERR err = JET_errSuccess;
    char checked[NAME_MAX_SIZE + 1];
    if (name != NULL && name_compare(name, CATALOG_OBJIDS_NAME) == 0)
        FAIL(JET_errCannotDeleteSystemTable);
    if (transaction_level(transaction) > 0 && transaction->read_only)
        FAIL(JET_errTransReadOnly);
    TRY(table_check_name(name, checked));
    if (name_compare(checked, "MSysObjects") == 0 || name_compare(checked, "MSysObjectsShadow") == 0)
        FAIL(JET_errCannotDeleteSystemTable);
    TRY(transaction_begin(transaction, false));
    TRY(end_level(transaction, delete_in_transaction(transaction, database, checked)));
done:
    return err < JET_errSuccess ? err : JET_errSuccess;
}

static JET_ERR rename_in_transaction(struct transaction *transaction, struct database *database,
                                     const char *name, const char *new_name)
{
    JET_ERR err = JET_errSuccess;
    struct table_definition *table = NULL;
    struct catalog_row row;
    uint8_t *buffer = NULL;
    TRY(catalog_open_table(transaction, database, name, &table));
    if (table->is_template)
        FAIL(JET_errCannotDeleteTemplateTable);
    TRY(catalog_read_row(transaction, database, table->id, CATALOG_TABLE, table->id, &row, &buffer));
    row.name = (struct bytes){(const uint8_t *)new_name, (uint32_t)strlen(new_name)};
    TRY(catalog_replace_row(transaction, database, &row));
    catalog_lock(database->catalog);
    memcpy(table->name, new_name, strlen(new_name) + 1);
    catalog_unlock(database->catalog);
done:
    os_free(buffer);
    if (table != NULL)
        catalog_close_table(table);
    return err;
}

JET_ERR table_rename(struct transaction *transaction, struct database *database, const char *name,
                     const char *new_name)
{
    JET_ERR err = JET_errSuccess;
    char old_checked[NAME_MAX_SIZE + 1];
    char new_checked[NAME_MAX_SIZE + 1];
    if (transaction_level(transaction) > 0 && transaction->read_only)
        FAIL(JET_errTransReadOnly);
    if (name == NULL || new_name == NULL)
        FAIL(JET_errInvalidParameter);
    TRY(table_check_name(name, old_checked));
    TRY(table_check_name(new_name, new_checked));
    TRY(transaction_begin(transaction, false));
    TRY(end_level(transaction, rename_in_transaction(transaction, database, old_checked, new_checked)));
done:
    return err < JET_errSuccess ? err : JET_errSuccess;
}
