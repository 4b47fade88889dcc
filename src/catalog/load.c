/* Loading a table's definition from the rows of the catalog. */
#include "src/cache/database.h"
#include "src/catalog/catalog_internal.h"
#include "src/catalog/rows.h"
#include "src/os/error.h"
#include "src/os/memory.h"

struct load_state {
    struct table_definition *table;
    bool has_table_row;
};

static JET_ERR load_table_row(struct load_state *state, const struct catalog_row *row)
{
    struct table_definition *table = state->table;
    if (row->template_name.size > NAME_MAX_SIZE)
        return JET_errCatalogCorrupted;
    table->id = row->table;
    table->root = row->type_or_root;
    table->flags = row->flags;
    table->density = row->space_usage;
    table->initial_pages = row->pages_or_locale;
    table->is_template = (row->flags & JET_bitObjectTableTemplate) != 0;
    table->is_derived = (row->flags & JET_bitObjectTableDerived) != 0;
    memcpy(table->name, row->name.data, row->name.size);
    if (row->template_name.data != NULL)
        memcpy(table->template_name, row->template_name.data, row->template_name.size);
    if (row->separate_threshold.size == 4)
        memcpy(&table->separate_threshold, row->separate_threshold.data, 4);
    state->has_table_row = true;
    return JET_errSuccess;
}

static JET_ERR load_column_row(struct load_state *state, const struct catalog_row *row)
{
    struct column_definition column;
    JET_ERR err = catalog_column_from_row(row, state->table->is_template, &column);
    if (err < JET_errSuccess)
        return err;
    if (column.state == DEFINITION_DELETED)
        state->table->columns_lost = true;
    return table_definition_add_column(state->table, &column, NULL);
}

static JET_ERR load_index_row(struct load_state *state, const struct catalog_row *row)
{
    struct index_definition index;
    JET_ERR err = catalog_index_from_row(row, &index);
    if (err < JET_errSuccess)
        return err;
    if (index_is_primary(&index) && state->table->primary != NULL)
        return JET_errCatalogCorrupted;
    return table_definition_add_index(state->table, &index, NULL);
}

static JET_ERR load_row(void *context, const struct catalog_row *row)
{
    struct load_state *state = context;
    if (row->type != CATALOG_TABLE && !state->has_table_row)
        return JET_errCatalogCorrupted;
    switch (row->type) {
    case CATALOG_TABLE:
        return load_table_row(state, row);
    case CATALOG_COLUMN:
        return load_column_row(state, row);
    case CATALOG_INDEX:
        return load_index_row(state, row);
    case CATALOG_LONG_VALUE:
        state->table->long_value_id = row->id;
        state->table->long_value_root = row->type_or_root;
        return JET_errSuccess;
    default:
        return JET_errSuccess; /* call-backs and kinds to come */
    }
}

static struct index_definition *index_by_name(const struct table_definition *table, const char *name)
{
    if (table->primary != NULL && name_compare(table->primary->name, name) == 0)
        return table->primary;
    for (struct index_definition *index = table->secondary; index != NULL; index = index->next) {
        if (name_compare(index->name, name) == 0)
            return index;
    }
    return NULL;
}

/* A derived index is defined by the template's of the same name, but has a tree of its own. */
static JET_ERR complete_derived_index(struct index_definition *index,
                                      const struct table_definition *template_table)
{
    if (!index->derived)
        return JET_errSuccess;
    const struct index_definition *from = index_by_name(template_table, index->name);
    if (from == NULL)
        return JET_errCatalogCorrupted;
    struct index_definition copy = *from;
    copy.next = index->next;
    copy.id = index->id;
    copy.root = index->root;
    copy.state = index->state;
    copy.derived = true;
    copy.density = index->density;
    memcpy(copy.name, index->name, sizeof(copy.name));
    *index = copy;
    return JET_errSuccess;
}

JET_ERR catalog_inherit(struct table_definition *table, const struct table_definition *template_table)
{
    JET_ERR err = JET_errSuccess;
    uint32_t position = 0;
    struct column_definition *from = NULL;
    while ((from = table_definition_next_column(template_table, &position)) != NULL) {
        struct column_definition copy = *from;
        copy.from_template = true;
        copy.inherited = true;
        TRY(table_definition_add_column(table, &copy, NULL));
    }
    if (table->primary != NULL)
        TRY(complete_derived_index(table->primary, template_table));
    for (struct index_definition *index = table->secondary; index != NULL; index = index->next)
        TRY(complete_derived_index(index, template_table));
done:
    return err;
}

/* Columns of indexes must exist; primary indexes know how long their keys can really be. */
static JET_ERR check_index(const struct table_definition *table, struct index_definition *index)
{
    for (unsigned i = 0; i < index->column_count; i++) {
        if (table_definition_column(table, index->columns[i].column) == NULL)
            return JET_errCatalogCorrupted;
    }
    for (unsigned i = 0; i < index->condition_count; i++) {
        if (table_definition_column(table, index->conditions[i].column) == NULL)
            return JET_errCatalogCorrupted;
    }
    if (index_is_primary(index))
        catalog_reduce_key_max(table, index);
    return JET_errSuccess;
}

void catalog_reduce_key_max(const struct table_definition *table, struct index_definition *index)
{
    const bool limited = index->segment_max != index->key_max;
    uint32_t most = 0;
    index->stored_key_max = index->key_max;
    index->stored_segment_max = index->segment_max;
    for (unsigned i = 0; i < index->column_count; i++) {
        const struct column_definition *column = table_definition_column(table, index->columns[i].column);
        const uint32_t fixed = column_type_size(column->type);
        const bool fixed_binary = column->type == JET_coltypBinary && column_id_is_fixed(column->id);
        if (fixed != 0) {
            most += 1 + fixed;
        } else if (limited) {
            most += fixed_binary && 1 + column->max_size < index->segment_max ? 1 + column->max_size
                                                                              : index->segment_max;
        } else if (fixed_binary) {
            most += 1 + column->max_size;
        } else {
            return;
        }
    }
    if (most < index->key_max) {
        if (most < index->segment_max)
            index->segment_max = (uint16_t)most;
        index->key_max = (uint16_t)most;
    }
}

static JET_ERR check_definition(struct table_definition *table)
{
    JET_ERR err = JET_errSuccess;
    if (table->primary != NULL)
        TRY(check_index(table, table->primary));
    for (struct index_definition *index = table->secondary; index != NULL; index = index->next)
        TRY(check_index(table, index));
done:
    return err;
}

/* The catalog's own tables: their columns are fixed, their rows in the catalog do not tell the record
 * offsets. */
static JET_ERR load_catalog_table(struct database *database, object_id id, struct table_definition *rows,
                                  struct table_definition **out)
{
    JET_ERR err = JET_errSuccess;
    struct table_definition *table = NULL;
    TRY(catalog_schema_create(database->page_size, &table));
    table->database = database;
    table->id = id;
    table->root = id == CATALOG_ID ? CATALOG_ROOT : CATALOG_SHADOW_ROOT;
    table->flags = rows->flags;
    table->density = rows->density;
    table->initial_pages = rows->initial_pages;
    memcpy(table->name, rows->name, sizeof(table->name));
    if (rows->primary != NULL)
        TRY(table_definition_add_index(table, rows->primary, NULL));
    for (struct index_definition *index = rows->secondary; index != NULL; index = index->next)
        TRY(table_definition_add_index(table, index, NULL));
    *out = table;
    table = NULL;
done:
    table_definition_free(table);
    return err;
}

/* For the catalog's own tables columns need no offsets. */
static JET_ERR load_row_without_columns(void *context, const struct catalog_row *row)
{
    return row->type == CATALOG_COLUMN ? JET_errSuccess : load_row(context, row);
}

/* A table that others derive from is a template and is derived from nothing: so the chain ends here. */
static JET_ERR open_template(struct transaction *transaction, struct database *database, const char *name,
                             struct table_definition **out)
{
    JET_ERR err = JET_errSuccess;
    object_id id = 0;
    page_number root = 0;
    struct catalog_row row;
    uint8_t *buffer = NULL;
    TRY(catalog_seek_table(transaction, database, name, &id, &root));
    TRY(catalog_read_row(transaction, database, id, CATALOG_TABLE, id, &row, &buffer));
    if ((row.flags & JET_bitObjectTableTemplate) == 0 || row.template_name.data != NULL)
        FAIL(JET_errCatalogCorrupted);
    TRY(catalog_open_table(transaction, database, name, out));
done:
    os_free(buffer);
    return err == JET_errObjectNotFound || err == JET_errRecordNotFound ? JET_errCatalogCorrupted : err;
}

JET_ERR catalog_load(struct transaction *transaction, struct database *database, object_id id,
                     struct table_definition **out)
{
    JET_ERR err = JET_errSuccess;
    struct load_state state = {0};
    struct table_definition *template_table = NULL;
    const bool catalog_table = id == CATALOG_ID || id == CATALOG_SHADOW_ID;
    TRY(table_definition_create(&state.table));
    state.table->database = database;
    state.table->page_size = database->page_size;
    TRY(catalog_visit_rows(transaction, database, id, catalog_table ? load_row_without_columns : load_row,
                           &state));
    if (!state.has_table_row)
        FAIL(JET_errObjectNotFound);
    if (catalog_table) {
        TRY(load_catalog_table(database, id, state.table, out));
        goto done;
    }
    if (state.table->template_name[0] != 0) {
        TRY(open_template(transaction, database, state.table->template_name, &template_table));
        TRY(catalog_inherit(state.table, template_table));
    }
    TRY(check_definition(state.table));
    *out = state.table;
    state.table = NULL;
done:
    if (template_table != NULL)
        catalog_close_table(template_table);
    table_definition_free(state.table);
    return err;
}
