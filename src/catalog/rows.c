#include "src/catalog/rows.h"

#include "src/cache/database.h"
#include "src/os/error.h"
#include "src/os/memory.h"
#include "src/version/versioned_cursor.h"

/* The trees that hold a row, beside each other. */
struct row_trees {
    struct versioned_cursor *primary;
    struct versioned_cursor *names;
    struct versioned_cursor *roots;
    struct versioned_cursor *shadow;
};

static void trees_close(struct row_trees *trees)
{
    versioned_cursor_close(trees->primary);
    versioned_cursor_close(trees->names);
    versioned_cursor_close(trees->roots);
    versioned_cursor_close(trees->shadow);
    *trees = (struct row_trees){0};
}

static JET_ERR trees_open(struct transaction *transaction, struct database *database, struct row_trees *trees)
{
    JET_ERR err = JET_errSuccess;
    *trees = (struct row_trees){0};
    TRY(versioned_cursor_open(transaction, database, CATALOG_ROOT, &trees->primary));
    TRY(versioned_cursor_open(transaction, database, CATALOG_NAME_INDEX_ROOT, &trees->names));
    TRY(versioned_cursor_open(transaction, database, CATALOG_ROOT_OBJECTS_INDEX_ROOT, &trees->roots));
    TRY(versioned_cursor_open(transaction, database, CATALOG_SHADOW_ROOT, &trees->shadow));
done:
    if (err < JET_errSuccess)
        trees_close(trees);
    return err;
}

/* Of a database whose catalog somebody has looked at: who comes with a definition or an id has. */
static const struct table_definition *schema_of(const struct database *database)
{
    ASSERT(database->catalog != NULL);
    return catalog_schema(database->catalog);
}

JET_ERR catalog_writer_open(struct transaction *transaction, struct database *database,
                            struct catalog_writer *writer)
{
    JET_ERR err = JET_errSuccess;
    struct catalog *catalog = NULL;
    *writer = (struct catalog_writer){.transaction = transaction, .database = database};
    TRY(catalog_get(database, &catalog));
    writer->schema = catalog_schema(catalog);
    if ((writer->buffer = os_allocate(database->page_size)) == NULL)
        FAIL(JET_errOutOfMemory);
    TRY(versioned_cursor_open(transaction, database, CATALOG_ROOT, &writer->primary));
    TRY(versioned_cursor_open(transaction, database, CATALOG_NAME_INDEX_ROOT, &writer->names));
    TRY(versioned_cursor_open(transaction, database, CATALOG_SHADOW_ROOT, &writer->shadow));
done:
    if (err < JET_errSuccess)
        catalog_writer_close(writer);
    return err;
}

void catalog_writer_close(struct catalog_writer *writer)
{
    versioned_cursor_close(writer->primary);
    versioned_cursor_close(writer->names);
    versioned_cursor_close(writer->roots);
    versioned_cursor_close(writer->shadow);
    os_free(writer->buffer);
    *writer = (struct catalog_writer){0};
}

static JET_ERR insert_root(struct catalog_writer *writer, struct bytes name, struct span primary,
                           unsigned flags)
{
    JET_ERR err = JET_errSuccess;
    uint8_t key[KEY_BUFFER_SIZE];
    if (writer->roots == NULL)
        TRY(versioned_cursor_open(writer->transaction, writer->database, CATALOG_ROOT_OBJECTS_INDEX_ROOT,
                                  &writer->roots));
    TRY(versioned_cursor_insert(writer->roots, span_of(key, catalog_key_root(name, key)), primary, flags));
done:
    return err;
}

/* An insertion into one of the two catalogs is a transaction of its own, as it is for any record. */
static JET_ERR end_insertion(struct transaction *transaction, JET_ERR err)
{
    if (err >= JET_errSuccess)
        err = transaction_commit(transaction, true);
    if (err < JET_errSuccess)
        (void)transaction_rollback(transaction); /* the first error counts */
    return err;
}

static JET_ERR insert_into_catalog(struct catalog_writer *writer, const struct catalog_row *row,
                                   struct span key, struct span data, unsigned flags)
{
    JET_ERR err = transaction_begin(writer->transaction, false);
    uint8_t name[KEY_BUFFER_SIZE];
    if (err < JET_errSuccess)
        return err;
    TRY(versioned_cursor_insert(writer->primary, key, data, flags));
    TRY(versioned_cursor_insert(
        writer->names, span_of(name, catalog_key_name(row->table, row->type, row->name, name)), key, flags));
    if (row->root_flag)
        TRY(insert_root(writer, row->name, key, flags));
done:
    return end_insertion(writer->transaction, err);
}

static JET_ERR insert_into_shadow(struct catalog_writer *writer, struct span key, struct span data,
                                  unsigned flags)
{
    const JET_ERR err = transaction_begin(writer->transaction, false);
    if (err < JET_errSuccess)
        return err;
    return end_insertion(writer->transaction, versioned_cursor_insert(writer->shadow, key, data, flags));
}

JET_ERR catalog_writer_insert(struct catalog_writer *writer, const struct catalog_row *row, bool unversioned)
{
    JET_ERR err = JET_errSuccess;
    uint8_t primary[KEY_BUFFER_SIZE];
    struct record record = {.data = writer->buffer, .capacity = writer->database->page_size};
    const unsigned flags = unversioned ? VERSIONED_INSERT_UNVERSIONED : VERSIONED_INSERT_DEFAULT;
    TRY(catalog_row_encode(writer->schema, row, &record));
    struct span key = span_of(primary, catalog_key_primary(row->table, row->type, row->id, primary));
    struct span data = span_of(record.data, record.size);
    TRY(insert_into_catalog(writer, row, key, data, flags));
    TRY(insert_into_shadow(writer, key, data, flags));
done:
    return err;
}

JET_ERR catalog_insert_row(struct transaction *transaction, struct database *database,
                           const struct catalog_row *row, bool unversioned)
{
    struct catalog_writer writer;
    JET_ERR err = catalog_writer_open(transaction, database, &writer);
    if (err >= JET_errSuccess)
        err = catalog_writer_insert(&writer, row, unversioned);
    catalog_writer_close(&writer);
    return err;
}

/* Deletes the node with exactly that key. */
static JET_ERR delete_key(struct versioned_cursor *cursor, const uint8_t *key, uint32_t size)
{
    JET_ERR err = versioned_cursor_seek(cursor, span_of(key, size), VERSIONED_SEEK_EQ);
    return err < JET_errSuccess ? err : versioned_cursor_delete(cursor);
}

/* Deletes the entries of a row in all trees; `row` is as read. */
static JET_ERR delete_entries(struct row_trees *trees, const struct catalog_row *row)
{
    JET_ERR err = JET_errSuccess;
    uint8_t key[KEY_BUFFER_SIZE];
    TRY(delete_key(trees->names, key, catalog_key_name(row->table, row->type, row->name, key)));
    if (row->root_flag)
        TRY(delete_key(trees->roots, key, catalog_key_root(row->name, key)));
    const uint32_t size = catalog_key_primary(row->table, row->type, row->id, key);
    TRY(delete_key(trees->primary, key, size));
    TRY(delete_key(trees->shadow, key, size));
done:
    return err;
}

JET_ERR catalog_read_row(struct transaction *transaction, struct database *database, object_id table,
                         uint16_t type, uint32_t id, struct catalog_row *row, uint8_t **buffer)
{
    JET_ERR err = JET_errSuccess;
    struct versioned_cursor *cursor = NULL;
    struct node_view node;
    uint8_t key[KEY_BUFFER_SIZE];
    *buffer = NULL;
    TRY(versioned_cursor_open(transaction, database, CATALOG_ROOT, &cursor));
    TRY(versioned_cursor_seek(cursor, span_of(key, catalog_key_primary(table, type, id, key)),
                              VERSIONED_SEEK_EQ));
    TRY(versioned_cursor_copy(cursor, &node));
    if ((*buffer = os_duplicate(node.data.bytes, node.data.size)) == NULL)
        FAIL(JET_errOutOfMemory);
    TRY(catalog_row_decode(schema_of(database), (struct record_view){*buffer, (uint32_t)node.data.size},
                           row));
done:
    versioned_cursor_close(cursor);
    if (err < JET_errSuccess) {
        os_free(*buffer);
        *buffer = NULL;
    }
    return err;
}

JET_ERR catalog_delete_row(struct transaction *transaction, struct database *database, object_id table,
                           uint16_t type, uint32_t id)
{
    JET_ERR err = JET_errSuccess;
    struct row_trees trees = {0};
    struct catalog_row row;
    uint8_t *buffer = NULL;
    TRY(catalog_read_row(transaction, database, table, type, id, &row, &buffer));
    TRY(trees_open(transaction, database, &trees));
    TRY(delete_entries(&trees, &row));
done:
    trees_close(&trees);
    os_free(buffer);
    return err;
}

/* Whether the node's key starts with the prefix. */
static bool has_prefix(const struct node_view *node, const uint8_t *prefix, uint32_t size)
{
    return node->key.size >= size && memcmp(node->key.bytes, prefix, size) == 0;
}

/* A walk over rows ended by itself, or with an error. */
static JET_ERR end_of_walk(JET_ERR err)
{
    return err == JET_errNoCurrentRecord || err == JET_errRecordNotFound || err > JET_errSuccess
               ? JET_errSuccess
               : err;
}

JET_ERR catalog_delete_table_rows(struct transaction *transaction, struct database *database, object_id table)
{
    JET_ERR err = JET_errSuccess;
    struct versioned_cursor *walk = NULL;
    struct row_trees trees = {0};
    uint8_t prefix[KEY_BUFFER_SIZE];
    const uint32_t size = catalog_key_prefix(table, 0, 0, 1, prefix);
    TRY(versioned_cursor_open(transaction, database, CATALOG_ROOT, &walk));
    TRY(trees_open(transaction, database, &trees));
    err = versioned_cursor_seek(walk, span_of(prefix, size), VERSIONED_SEEK_GE);
    while (err >= JET_errSuccess) {
        struct node_view node;
        struct catalog_row row;
        TRY(versioned_cursor_copy(walk, &node));
        if (!has_prefix(&node, prefix, size))
            break;
        TRY(catalog_row_decode(schema_of(database),
                               (struct record_view){node.data.bytes, (uint32_t)node.data.size}, &row));
        TRY(delete_entries(&trees, &row));
        err = versioned_cursor_next(walk);
    }
    err = end_of_walk(err);
done:
    trees_close(&trees);
    versioned_cursor_close(walk);
    return err;
}

JET_ERR catalog_replace_row(struct transaction *transaction, struct database *database,
                            const struct catalog_row *row)
{
    JET_ERR err = JET_errSuccess;
    struct row_trees trees = {0};
    struct catalog_row old;
    uint8_t *buffer = NULL;
    uint8_t key[KEY_BUFFER_SIZE];
    uint8_t name[KEY_BUFFER_SIZE];
    uint8_t old_name[KEY_BUFFER_SIZE];
    struct record record = {.capacity = database->page_size};
    if (database->read_only)
        FAIL(JET_errPermissionDenied);
    if ((record.data = os_allocate(record.capacity)) == NULL)
        FAIL(JET_errOutOfMemory);
    TRY(catalog_row_encode(schema_of(database), row, &record));
    TRY(catalog_read_row(transaction, database, row->table, row->type, row->id, &old, &buffer));
    TRY(trees_open(transaction, database, &trees));
    struct span primary = span_of(key, catalog_key_primary(row->table, row->type, row->id, key));
    struct span data = span_of(record.data, record.size);
    uint32_t name_size = catalog_key_name(row->table, row->type, row->name, name);
    uint32_t old_size = catalog_key_name(old.table, old.type, old.name, old_name);
    TRY(versioned_cursor_seek(trees.primary, primary, VERSIONED_SEEK_EQ));
    TRY(versioned_cursor_replace(trees.primary, data));
    if (name_size != old_size || memcmp(name, old_name, name_size) != 0) {
        TRY(delete_key(trees.names, old_name, old_size));
        TRY(versioned_cursor_insert(trees.names, span_of(name, name_size), primary,
                                    VERSIONED_INSERT_DEFAULT));
        if (row->root_flag) {
            TRY(delete_key(trees.roots, old_name, catalog_key_root(old.name, old_name)));
            TRY(versioned_cursor_insert(trees.roots, span_of(name, catalog_key_root(row->name, name)),
                                        primary, VERSIONED_INSERT_DEFAULT));
        }
    }
    TRY(versioned_cursor_seek(trees.shadow, primary, VERSIONED_SEEK_EQ));
    TRY(versioned_cursor_replace(trees.shadow, data));
done:
    trees_close(&trees);
    os_free(buffer);
    os_free(record.data);
    return err;
}

JET_ERR catalog_visit_rows(struct transaction *transaction, struct database *database, object_id table,
                           catalog_visit_row *visit, void *context)
{
    JET_ERR err = JET_errSuccess;
    struct versioned_cursor *walk = NULL;
    uint8_t prefix[KEY_BUFFER_SIZE];
    const uint32_t size = catalog_key_prefix(table, 0, 0, 1, prefix);
    TRY(versioned_cursor_open(transaction, database, CATALOG_ROOT, &walk));
    err = versioned_cursor_seek(walk, span_of(prefix, size), VERSIONED_SEEK_GE);
    while (err >= JET_errSuccess) {
        struct node_view node;
        struct catalog_row row;
        TRY(versioned_cursor_copy(walk, &node));
        if (!has_prefix(&node, prefix, size))
            break;
        TRY(catalog_row_decode(schema_of(database),
                               (struct record_view){node.data.bytes, (uint32_t)node.data.size}, &row));
        TRY(visit(context, &row));
        err = versioned_cursor_next(walk);
    }
    err = end_of_walk(err);
done:
    versioned_cursor_close(walk);
    return err;
}

/* Whether the column is what its type and its bits demand: values are read and written in that size. */
static bool column_is_sound(const struct column_definition *column)
{
    const uint32_t fixed = column_type_size(column->type);
    const bool in_place = column_id_is_fixed(column->id);
    if (column->state == DEFINITION_DELETED)
        return true;
    if (fixed != 0 && ((in_place && column->max_size != fixed) ||
                       (column->default_value != NULL && column->default_size != fixed)))
        return false;
    if ((column->flags & COLUMN_FLAG_VERSION) != 0 && (!in_place || column->type != JET_coltypLong))
        return false;
    return (column->flags & (COLUMN_FLAG_AUTOINCREMENT | COLUMN_FLAG_ESCROW)) == 0 ||
           (in_place && (fixed == 4 || fixed == 8));
}

JET_ERR catalog_column_from_row(const struct catalog_row *row, bool in_template,
                                struct column_definition *column)
{
    if (row->id < COLUMN_FIXED_FIRST || row->id > COLUMN_TAGGED_LAST || row->type_or_root > 0xff)
        return JET_errCatalogCorrupted;
    *column = (struct column_definition){
        .id = row->id,
        .from_template = (row->flags & COLUMN_FLAG_TEMPLATE) != 0 || in_template,
        .type = (uint8_t)row->type_or_root,
        .state = row->type_or_root == JET_coltypNil ? DEFINITION_DELETED : DEFINITION_COMMITTED,
        .flags = (uint16_t)row->flags,
        .code_page = (uint16_t)row->pages_or_locale,
        .record_offset = row->record_offset,
        .max_size = row->space_usage,
    };
    memcpy(column->name, row->name.data, row->name.size);
    if (column->flags & COLUMN_FLAG_DEFAULT) {
        column->default_value = (uint8_t *)(uintptr_t)row->default_value.data; /* copied by the definition */
        column->default_size = row->default_value.size;
    }
    if (column_id_is_fixed(row->id) && (!row->has_record_offset || row->record_offset < RECORD_HEADER_SIZE ||
                                        row->space_usage == 0 || row->space_usage > 255))
        return JET_errCatalogCorrupted;
    return column_is_sound(column) ? JET_errSuccess : JET_errCatalogCorrupted;
}

static JET_ERR segments_from_bytes(struct bytes bytes, struct index_key_column *out, uint8_t *count)
{
    *count = 0;
    if (bytes.size % sizeof(struct index_segment) != 0 ||
        bytes.size / sizeof(struct index_segment) > INDEX_SEGMENT_MAX)
        return JET_errCatalogCorrupted;
    for (uint32_t i = 0; i < bytes.size / sizeof(struct index_segment); i++) {
        struct index_segment segment;
        memcpy(&segment, bytes.data + i * sizeof(segment), sizeof(segment));
        out[i].column = segment.column | (segment.flags & SEGMENT_FLAG_TEMPLATE ? COLUMN_TEMPLATE_BIT : 0);
        out[i].descending = (segment.flags & SEGMENT_FLAG_DESCENDING) != 0;
        out[i].must_be_null = (segment.flags & SEGMENT_FLAG_MUST_BE_NULL) != 0;
        ++*count;
    }
    return JET_errSuccess;
}

JET_ERR catalog_index_from_row(const struct catalog_row *row, struct index_definition *index)
{
    JET_ERR err = JET_errSuccess;
    *index = (struct index_definition){
        .id = row->id,
        .root = row->type_or_root,
        .flags = (uint16_t)row->flags,
        .extended = (uint16_t)(row->flags >> 16),
        .key_max = row->has_key_max ? row->key_max : KEY_SIZE_DEFAULT,
        .density = row->space_usage,
        .map_flags = row->has_map_flags ? row->map_flags : KEY_MAP_FLAGS_DEFAULT,
    };
    index->derived = (index->flags & INDEX_FLAG_DERIVED) != 0;
    memcpy(index->name, row->name.data, row->name.size);
    TRY(segments_from_bytes(row->segments, index->columns, &index->column_count));
    TRY(segments_from_bytes(row->conditions, index->conditions, &index->condition_count));
    index->segment_max = index->key_max;
    if (row->segment_max.size == 2)
        index->segment_max = (uint16_t)(row->segment_max.data[0] | row->segment_max.data[1] << 8);
    if (row->tuple_limits.data != NULL) {
        uint32_t limits[5] = {0, 0, 0, 1, 0};
        memcpy(limits, row->tuple_limits.data,
               row->tuple_limits.size < sizeof(limits) ? row->tuple_limits.size : sizeof(limits));
        index->tuples = true;
        index->tuple = (struct tuple_limits){limits[0], limits[1], limits[2], limits[3], limits[4]};
        if (index->tuple.increment == 0)
            FAIL(JET_errCatalogCorrupted);
    }
    if (row->locale.size / 2 < sizeof(index->locale) / sizeof(index->locale[0]) && row->locale.data != NULL)
        memcpy(index->locale, row->locale.data, row->locale.size / 2 * 2);
    if ((index->column_count == 0 && !index->derived) || index->key_max == 0 ||
        index->key_max > KEY_SIZE_MAX || index->segment_max == 0 || index->segment_max > index->key_max)
        FAIL(JET_errCatalogCorrupted);
done:
    return err;
}

void catalog_row_from_column(object_id table, const struct column_definition *column, struct catalog_row *row)
{
    *row = (struct catalog_row){
        .table = table,
        .type = CATALOG_COLUMN,
        .id = column->id,
        .name = {(const uint8_t *)column->name, (uint32_t)strlen(column->name)},
        .type_or_root = column->type,
        .space_usage = column->max_size,
        .flags = column->flags,
        .pages_or_locale = column->code_page,
        .has_record_offset = column_id_is_fixed(column->id),
        .record_offset = column->record_offset,
        .default_value = {column->default_value, column->default_size},
    };
}

static void segments_to_bytes(const struct index_key_column *columns, unsigned count,
                              struct index_segment *out)
{
    for (unsigned i = 0; i < count; i++) {
        out[i] = (struct index_segment){.column = (uint16_t)columns[i].column};
        if (columns[i].column & COLUMN_TEMPLATE_BIT)
            out[i].flags |= SEGMENT_FLAG_TEMPLATE;
        if (columns[i].descending)
            out[i].flags |= SEGMENT_FLAG_DESCENDING;
        if (columns[i].must_be_null)
            out[i].flags |= SEGMENT_FLAG_MUST_BE_NULL;
    }
}

void catalog_row_from_index(object_id table, const struct index_definition *index,
                            struct catalog_index_buffers *buffers, struct catalog_row *row)
{
    uint32_t locale_size = 0;
    while (index->locale[locale_size] != 0)
        locale_size++;
    segments_to_bytes(index->columns, index->column_count, buffers->segments);
    segments_to_bytes(index->conditions, index->condition_count, buffers->conditions);
    buffers->segment_max = index->segment_max;
    const uint32_t tuple[5] = {index->tuple.min_length, index->tuple.max_length, index->tuple.to_index_max,
                               index->tuple.increment, index->tuple.start};
    memcpy(buffers->tuple, tuple, sizeof(tuple));
    *row = (struct catalog_row){
        .table = table,
        .type = CATALOG_INDEX,
        .id = index->id,
        .name = {(const uint8_t *)index->name, (uint32_t)strlen(index->name)},
        .type_or_root = index->root,
        .space_usage = index->density,
        .flags = index->flags | (uint32_t)(index->extended | INDEX_EXTENDED_COLUMNS) << 16,
        .has_map_flags = true,
        .map_flags = index->map_flags,
        .has_key_max = index->key_max != KEY_SIZE_DEFAULT,
        .key_max = index->key_max,
        .segments = {(const uint8_t *)buffers->segments, index->column_count * 4u},
        .conditions = {(const uint8_t *)buffers->conditions, index->condition_count * 4u},
        .locale = {(const uint8_t *)index->locale, locale_size * 2},
    };
    if (index->segment_max != index->key_max)
        row->segment_max = (struct bytes){(const uint8_t *)&buffers->segment_max, 2};
    if (index->tuples)
        row->tuple_limits = (struct bytes){(const uint8_t *)buffers->tuple, sizeof(buffers->tuple)};
}
