#include "src/btree/space.h"
#include "src/cache/database.h"
#include "src/catalog/rows.h"
#include "src/os/error.h"
#include "src/os/memory.h"
#include "src/page/page.h"
#include "src/table/ddl.h"
#include "src/table/index_key.h"
#include "src/table/navigate.h"
#include "src/table/update.h"

#define DENSITY_LEAST 20u
#define DENSITY_MOST 100u
#define DENSITY_DEFAULT 80u
#define TUPLE_LENGTH_LEAST 2u
#define TUPLE_LENGTH_MOST 255u
#define TUPLE_INDEX_MOST 0x7fffu

static const uint16_t locale_default[] = {'e', 'n', '-', 'U', 'S', 0};

JET_ERR ddl_check_density(uint32_t *density)
{
    if (*density == 0)
        *density = DENSITY_DEFAULT;
    return *density < DENSITY_LEAST || *density > DENSITY_MOST ? JET_errDensityInvalid : JET_errSuccess;
}

uint32_t ddl_key_max_of_page(uint32_t page_size)
{
    if (page_size <= 2048)
        return JET_cbKeyMost2KBytePage;
    return page_size <= 4096 ? JET_cbKeyMost4KBytePage : JET_cbKeyMost8KBytePage;
}

/* Combinations of bits that go together; in the engine's order. */
static JET_ERR check_bits(const struct index_request *request)
{
    const JET_GRBIT grbit = request->grbit;
    const bool primary = (grbit & JET_bitIndexPrimary) != 0;
    const bool unique = (grbit & (JET_bitIndexUnique | JET_bitIndexPrimary)) != 0;
    if (primary &&
        (grbit & (JET_bitIndexIgnoreNull | JET_bitIndexIgnoreAnyNull | JET_bitIndexIgnoreFirstNull)) != 0)
        return JET_errInvalidGrbit;
    if ((grbit & JET_bitIndexCrossProduct) != 0 && (grbit & JET_bitIndexNestedTable) != 0)
        return JET_errInvalidGrbit;
    if (primary && request->condition_count > 0)
        return JET_errIndexInvalidDef;
    if ((grbit & JET_bitIndexEmpty) != 0 && (grbit & JET_bitIndexIgnoreAnyNull) == 0)
        return JET_errInvalidGrbit;
    (void)unique;
    return JET_errSuccess;
}

static JET_ERR check_key_text(const struct index_request *request)
{
    if (request->key == NULL || request->key_size == 0)
        return JET_errInvalidParameter;
    if (request->key_size < 2 || (request->key[0] != '+' && request->key[0] != '-') ||
        request->key[request->key_size - 1] != 0 || request->key[request->key_size - 2] != 0)
        return JET_errIndexInvalidDef;
    return JET_errSuccess;
}

/* Calls are cheap: the names are read again when columns are looked up. */
static JET_ERR count_columns(const struct index_request *request, uint8_t *count)
{
    const char *name = request->key;
    *count = 0;
    while (*name != 0) {
        if (*count >= INDEX_SEGMENT_MAX)
            return JET_errIndexInvalidDef;
        ++*count;
        name += strlen(name) + 1;
    }
    return name + 1 < request->key + request->key_size ? JET_errIndexInvalidDef : JET_errSuccess;
}

static JET_ERR check_locale(const struct index_request *request, struct index_definition *index)
{
    index->map_flags = KEY_MAP_FLAGS_DEFAULT;
    memcpy(index->locale, locale_default, sizeof(locale_default));
    if ((request->grbit & JET_bitIndexUnicode) == 0)
        return JET_errSuccess;
    if (!request->has_unicode)
        return JET_errIndexInvalidDef;
    if (request->locale != NULL) {
        size_t length = 0;
        while (request->locale[length] != 0) {
            if (++length >= sizeof(index->locale) / sizeof(index->locale[0]))
                return JET_errInvalidLanguageId;
        }
        memcpy(index->locale, request->locale, (length + 1) * 2);
    }
    if (!key_locale_is_valid(index->locale))
        return JET_errInvalidLanguageId;
    if (request->map_flags != 0)
        index->map_flags = request->map_flags | 0x400u; /* always a sort key */
    index->flags |= INDEX_FLAG_LOCALE_SET;
    return JET_errSuccess;
}

static JET_ERR check_tuples(const struct index_request *request, const struct ddl_context *context,
                            struct index_definition *index)
{
    const JET_GRBIT grbit = request->grbit;
    const struct table_parameters *defaults = context->parameters;
    struct tuple_limits limits = request->limits;
    if (grbit & JET_bitIndexPrimary)
        return JET_errIndexTuplesSecondaryIndexOnly;
    if (grbit & JET_bitIndexUnique)
        return JET_errIndexTuplesNonUniqueOnly;
    if (index->segment_max < index->key_max)
        return JET_errIndexTuplesVarSegMacNotAllowed;
    if ((grbit & JET_bitIndexTupleLimits) == 0)
        limits = (struct tuple_limits){defaults->tuple_min, defaults->tuple_max, defaults->tuple_to_index,
                                       defaults->tuple_increment, defaults->tuple_start};
    if (limits.min_length > 0xffff || limits.max_length > 0xffff || limits.to_index_max > 0xffff ||
        limits.increment > 0xffff || (limits.start > 0xffff && limits.start != UINT32_MAX))
        return JET_errIndexTuplesInvalidLimits;
    index->tuple = (struct tuple_limits){
        .min_length = limits.min_length != 0 ? limits.min_length : 3,
        .max_length = limits.max_length != 0 ? limits.max_length : 10,
        .to_index_max = limits.to_index_max != 0 ? limits.to_index_max : TUPLE_INDEX_MOST,
        .increment = limits.increment != 0 ? limits.increment : 1,
        .start = limits.start != UINT32_MAX ? limits.start : 0,
    };
    index->tuples = true;
    if (index->tuple.min_length < TUPLE_LENGTH_LEAST || index->tuple.min_length > TUPLE_LENGTH_MOST ||
        index->tuple.max_length < TUPLE_LENGTH_LEAST || index->tuple.max_length > TUPLE_LENGTH_MOST ||
        index->tuple.min_length > index->tuple.max_length || index->tuple.to_index_max > TUPLE_INDEX_MOST)
        return JET_errIndexTuplesInvalidLimits;
    return JET_errSuccess;
}

static void set_flags(JET_GRBIT grbit, struct index_definition *index)
{
    if ((grbit & (JET_bitIndexDisallowNull | JET_bitIndexIgnoreAnyNull)) == 0) {
        index->flags |= INDEX_FLAG_ALLOW_SOME_NULLS;
        if ((grbit & JET_bitIndexIgnoreFirstNull) == 0) {
            index->flags |= INDEX_FLAG_ALLOW_FIRST_NULL;
            if ((grbit & JET_bitIndexIgnoreNull) == 0)
                index->flags |= INDEX_FLAG_ALLOW_ALL_NULLS;
        }
    }
    if (grbit & (JET_bitIndexUnique | JET_bitIndexPrimary))
        index->flags |= INDEX_FLAG_UNIQUE;
    if (grbit & JET_bitIndexPrimary)
        index->flags |= INDEX_FLAG_PRIMARY;
    if (grbit & JET_bitIndexDisallowNull)
        index->flags |= INDEX_FLAG_NO_NULL_SEGMENT;
    else if (grbit & JET_bitIndexSortNullsHigh)
        index->flags |= INDEX_FLAG_NULLS_HIGH;
    if (grbit & JET_bitIndexCrossProduct)
        index->flags |= INDEX_FLAG_CROSS_PRODUCT;
    else if (grbit & JET_bitIndexNestedTable)
        index->flags |= INDEX_FLAG_NESTED_TABLE;
    if (grbit & JET_bitIndexDisallowTruncation)
        index->flags |= INDEX_FLAG_DISALLOW_TRUNCATION;
    if (grbit & JET_bitIndexDotNetGuid)
        index->extended |= INDEX_EXTENDED_DOTNET_GUID;
}

JET_ERR ddl_check_index(const struct index_request *request, uint32_t page_size,
                        const struct ddl_context *context, struct index_definition *index)
{
    JET_ERR err = JET_errSuccess;
    const bool tuples = (request->grbit & (JET_bitIndexTuples | JET_bitIndexTupleLimits)) != 0;
    *index = (struct index_definition){.key_max = KEY_SIZE_DEFAULT, .density = request->density};
    TRY(table_check_name(request->name, index->name));
    if (request->grbit & JET_bitIndexKeyMost) {
        if (request->key_max < KEY_SIZE_DEFAULT || request->key_max > ddl_key_max_of_page(page_size))
            FAIL(JET_errIndexInvalidDef);
        index->key_max = (uint16_t)request->key_max;
    }
    index->segment_max = index->key_max;
    if (request->segment_max != 0 && (request->grbit & JET_bitIndexTupleLimits) == 0)
        index->segment_max = (uint16_t)request->segment_max;
    TRY(check_bits(request));
    if ((request->grbit & JET_bitIndexTupleLimits) != 0 && !request->has_limits)
        FAIL(JET_errIndexInvalidDef);
    if ((request->grbit & JET_bitIndexUnicode) != 0 && !request->has_unicode)
        FAIL(JET_errIndexInvalidDef);
    TRY(check_key_text(request));
    TRY(ddl_check_density(&index->density));
    TRY(count_columns(request, &index->column_count));
    if (index->segment_max == 0 || request->segment_max > index->key_max)
        FAIL(JET_errIndexInvalidDef);
    TRY(check_locale(request, index));
    if (tuples)
        TRY(check_tuples(request, context, index));
    set_flags(request->grbit, index);
done:
    return err;
}

static JET_ERR check_key_column(const struct index_request *request, const struct column_definition *column,
                                unsigned position, struct index_definition *index)
{
    const bool text = column_is_text(column);
    const bool binary = column->type == JET_coltypBinary || column->type == JET_coltypLongBinary;
    if (column->flags & COLUMN_FLAG_ENCRYPTED)
        return JET_errCannotIndexOnEncryptedColumn;
    if (column->flags & COLUMN_FLAG_ESCROW)
        return JET_errCannotIndex;
    if (column->flags & COLUMN_FLAG_MULTIVALUED) {
        if (index_is_primary(index))
            return JET_errIndexInvalidDef;
        index->flags |= INDEX_FLAG_MULTIVALUED;
    }
    if ((request->grbit & JET_bitIndexEmpty) != 0 && (column->flags & COLUMN_FLAG_DEFAULT) != 0)
        return JET_errIndexInvalidDef;
    if (position == 0 && index->tuples && !text && !binary)
        return JET_errIndexTuplesTextBinaryColumnsOnly;
    if (text && column->code_page == 1200)
        index->flags |= INDEX_FLAG_LOCALIZED;
    return JET_errSuccess;
}

JET_ERR ddl_resolve_index(const struct index_request *request, ddl_find_column *find, void *find_context,
                          struct index_definition *index)
{
    JET_ERR err = JET_errSuccess;
    const struct column_definition *column = NULL;
    const char *name = request->key;
    for (unsigned i = 0; i < index->column_count; i++) {
        index->columns[i].descending = *name == '-';
        if (*name == '+' || *name == '-')
            name++;
        TRY(find(find_context, name, &column));
        TRY(check_key_column(request, column, i, index));
        index->columns[i].column = column_public_id(column);
        name += strlen(name) + 1;
    }
    if (request->condition_count > INDEX_SEGMENT_MAX)
        FAIL(JET_errIndexInvalidDef);
    index->condition_count = (uint8_t)request->condition_count;
    for (unsigned i = 0; i < index->condition_count; i++) {
        const struct condition_request *condition = &request->conditions[i];
        if (!condition->size_is_right)
            FAIL(JET_errIndexInvalidDef);
        if (condition->grbit != JET_bitIndexColumnMustBeNull &&
            condition->grbit != JET_bitIndexColumnMustBeNonNull)
            FAIL(JET_errInvalidGrbit);
        TRY(find(find_context, condition->column, &column));
        index->conditions[i].column = column_public_id(column);
        index->conditions[i].must_be_null = condition->grbit == JET_bitIndexColumnMustBeNull;
    }
done:
    return err;
}

JET_ERR ddl_create_index_tree(struct transaction *transaction, const struct table_definition *table,
                              struct index_definition *index)
{
    const bool unique = index_is_unique(index);
    const struct tree_design design = {
        .parent = table->root,
        .pages = 1,
        .unique = unique,
        .page_flags = PAGE_INDEX | (unique ? 0u : PAGE_NON_UNIQUE),
    };
    return versioned_create_tree(transaction, table->database, &design, &index->root, &index->id);
}

/* --- rollback and clean-up --- */

struct index_change {
    struct table_definition *table;
    struct index_definition *index;
};

static void change_free(void *context)
{
    struct index_change *change = context;
    catalog_release(change->table);
    os_free(change);
}

static void settle(struct index_change *change, enum definition_state state)
{
    catalog_lock(change->table->database->catalog);
    change->index->state = (uint8_t)state;
    catalog_unlock(change->table->database->catalog);
    change_free(change);
}

/* Cursors on an index that goes away are on the primary one. */
static void leave_index(struct table_definition *table, const struct index_definition *index)
{
    catalog_lock(table->database->catalog);
    for (struct table_cursor *cursor = table->cursors; cursor != NULL; cursor = cursor->next_of_table) {
        if (cursor->index != index)
            continue;
        versioned_cursor_close(cursor->secondary);
        cursor->secondary = NULL;
        cursor->index = NULL;
        table_forget_key(cursor);
        table_forget_range(cursor);
        table_before_first(cursor);
    }
    catalog_unlock(table->database->catalog);
}

/* A primary index that was rolled back: rows are in order of insertion again. */
static void forget_primary(struct table_definition *table, struct index_definition *index)
{
    if (table->primary != index)
        return;
    table->primary = NULL;
    index->next = table->dropped;
    table->dropped = index;
}

static void undo_create(struct transaction *transaction, struct database *database, void *context)
{
    struct index_change *change = context;
    (void)transaction;
    leave_index(change->table, change->index);
    catalog_lock(database->catalog);
    forget_primary(change->table, change->index);
    catalog_unlock(database->catalog);
    settle(change, DEFINITION_DELETED);
}

static void commit_create(struct transaction *transaction, struct database *database, void *context)
{
    struct index_change *change = context;
    (void)database;
    os_atomic_store(&change->index->birth.commit0, transaction->commit0);
}

static void clean_create(struct database *database, void *context)
{
    struct index_change *change = context;
    (void)database;
    settle(change, change->index->delete_pending ? DEFINITION_VERSIONED : DEFINITION_COMMITTED);
}

static void undo_delete(struct transaction *transaction, struct database *database, void *context)
{
    struct index_change *change = context;
    (void)transaction;
    (void)database;
    change->index->delete_pending = false;
    settle(change, DEFINITION_VERSIONED);
}

/* From then on nobody may use the index, whatever he sees of the catalog. */
static void commit_delete(struct transaction *transaction, struct database *database, void *context)
{
    struct index_change *change = context;
    (void)transaction;
    catalog_lock(database->catalog);
    change->index->state = DEFINITION_DELETED;
    catalog_unlock(database->catalog);
}

static void clean_delete(struct database *database, void *context)
{
    (void)database;
    settle(context, DEFINITION_DELETED);
}

static const struct version_action create_action = {.name = "create index",
                                                    .undo = undo_create,
                                                    .committed = commit_create,
                                                    .cleanup = clean_create,
                                                    .abandoned = change_free};
static const struct version_action delete_action = {.name = "delete index",
                                                    .undo = undo_delete,
                                                    .committed = commit_delete,
                                                    .cleanup = clean_delete,
                                                    .abandoned = change_free};

static JET_ERR register_change(struct table_cursor *cursor, const struct version_action *action,
                               struct index_definition *index)
{
    struct index_change *change = os_allocate(sizeof(*change));
    if (change == NULL)
        return JET_errOutOfMemory;
    *change = (struct index_change){cursor->table, index};
    catalog_hold(cursor->table);
    JET_ERR err = version_add_action(cursor->transaction, cursor->database, action, change);
    if (err < JET_errSuccess) {
        catalog_release(cursor->table);
        os_free(change);
    }
    return err;
}

/* --- creating --- */

static JET_ERR find_in_table(void *context, const char *name, const struct column_definition **column)
{
    struct column_definition *found = NULL;
    JET_ERR err = table_find_column_by_name(context, name, &found);
    *column = found;
    return err;
}

/* Puts the entries of all rows into a new index. They are no versions: whoever sees the index sees them. */
static JET_ERR build_index(struct table_cursor *cursor, const struct index_definition *index)
{
    JET_ERR err = JET_errSuccess;
    struct versioned_cursor *walk = NULL;
    struct versioned_cursor *tree = NULL;
    struct index_keys keys = {0};
    TRY(versioned_cursor_open(cursor->transaction, cursor->database, cursor->table->root, &walk));
    TRY(versioned_cursor_open(cursor->transaction, cursor->database, index->root, &tree));
    versioned_cursor_set_density(tree, index->density);
    /* What others have changed and not committed yet cannot be in the index, nor would its commit bring it
     * there. */
    TRY(versioned_cursor_check_settled(walk));
    for (err = versioned_cursor_first(walk); err >= JET_errSuccess; err = versioned_cursor_next(walk)) {
        struct node_view node;
        TRY(versioned_cursor_copy(walk, &node));
        TRY(index_keys_of_record(
            cursor, index, (struct record_view){node.data.bytes, (uint32_t)node.data.size}, true, &keys));
        for (uint32_t i = 0; i < keys.count; i++)
            TRY(table_index_insert(cursor, tree, index,
                                   span_of(keys.entries[i]->bytes, keys.entries[i]->size), node.key,
                                   VERSIONED_INSERT_UNVERSIONED));
        index_keys_free(&keys);
    }
    if (err == JET_errNoCurrentRecord)
        err = JET_errSuccess;
done:
    index_keys_free(&keys);
    versioned_cursor_close(tree);
    versioned_cursor_close(walk);
    return err;
}

static JET_ERR place_primary(struct table_cursor *cursor, struct index_definition *index)
{
    JET_ERR err = JET_errSuccess;
    struct versioned_cursor *walk = NULL;
    struct table_definition *table = cursor->table;
    bool any = false;
    if (table->primary != NULL)
        FAIL(JET_errIndexHasPrimary);
    TRY(versioned_cursor_open(cursor->transaction, cursor->database, table->root, &walk));
    TRY(versioned_cursor_any_node(walk, &any));
    if (any)
        FAIL(JET_errTableNotEmpty);
    index->id = table->id;
    index->root = table->root;
    catalog_reduce_key_max(table, index);
    index->stored_key_max = index->key_max; /* here the catalog gets what is left */
    index->stored_segment_max = index->segment_max;
done:
    versioned_cursor_close(walk);
    return err;
}

static JET_ERR insert_index_row(struct table_cursor *cursor, const struct index_definition *index)
{
    struct catalog_index_buffers buffers;
    struct catalog_row row;
    catalog_row_from_index(cursor->table->id, index, &buffers, &row);
    JET_ERR err = catalog_insert_row(cursor->transaction, cursor->database, &row, false);
    if (err == JET_errKeyDuplicate)
        err = JET_errIndexDuplicate;
    if (err >= JET_errSuccess && !index_is_primary(index))
        err = catalog_insert_objid(cursor->transaction, cursor->database, index->id, cursor->table->id,
                                   CATALOG_INDEX, false);
    return err;
}

static JET_ERR create_one(struct table_cursor *cursor, struct index_request *request,
                          struct index_definition *index)
{
    JET_ERR err = JET_errSuccess;
    struct index_definition *added = NULL;
    const bool exclusive = ddl_is_exclusive(cursor);
    TRY(ddl_resolve_index(request, find_in_table, cursor, index));
    if (index_is_primary(index))
        TRY(place_primary(cursor, index));
    else
        TRY(ddl_create_index_tree(cursor->transaction, cursor->table, index));
    if (request->grbit & JET_bitIndexDeferredPopulateCreate)
        index->extended |= INDEX_EXTENDED_DEFERRED_POPULATE;
    TRY(insert_index_row(cursor, index));
    (void)exclusive;
    index->state = DEFINITION_VERSIONED;
    catalog_lock(cursor->database->catalog);
    err = table_definition_add_index(cursor->table, index, &added);
    catalog_unlock(cursor->database->catalog);
    TRY(err);
    err = register_change(cursor, &create_action, added);
    if (err < JET_errSuccess) {
        added->state = DEFINITION_DELETED;
        forget_primary(cursor->table, added);
        goto done;
    }
    os_atomic_store(&added->birth.begin0, cursor->transaction->actor.begin0);
    if (!index_is_primary(added) &&
        (request->grbit & (JET_bitIndexEmpty | JET_bitIndexDeferredPopulateCreate)) == 0)
        TRY(build_index(cursor, added));
done:
    return err;
}

static JET_ERR end_level(struct table_cursor *cursor, JET_ERR err)
{
    if (err >= JET_errSuccess)
        err = transaction_commit(cursor->transaction, false);
    if (err < JET_errSuccess)
        (void)transaction_rollback(cursor->transaction); /* the first error counts */
    return err;
}

static JET_ERR check_request(struct table_cursor *cursor, struct index_request *request,
                             const struct ddl_context *context, struct index_definition *index)
{
    JET_ERR err = JET_errSuccess;
    char checked[NAME_MAX_SIZE + 1];
    if ((request->grbit & JET_bitIndexUnversioned) != 0 && !ddl_is_exclusive(cursor) &&
        transaction_level(cursor->transaction) != 0)
        FAIL(JET_errInTransaction);
    TRY(table_check_updatable(cursor));
    if ((cursor->table->flags & JET_bitObjectTableFixedDDL) != 0 &&
        (cursor->table->is_template || !cursor->permits_ddl))
        FAIL(JET_errFixedDDL);
    TRY(table_check_name(request->name, checked));
    if (request->density == 0)
        request->density = cursor->table->density;
    TRY(ddl_check_index(request, cursor->database->page_size, context, index));
done:
    return err;
}

JET_ERR table_create_indexes(struct table_cursor *cursor, struct index_request *requests, uint32_t count,
                             const struct ddl_context *context)
{
    JET_ERR err = JET_errSuccess;
    struct index_definition index;
    if (count == 0)
        return JET_errInvalidParameter;
    if (count == 1) {
        TRY(check_request(cursor, &requests[0], context, &index));
        TRY(transaction_begin(cursor->transaction, false));
        TRY(end_level(cursor, create_one(cursor, &requests[0], &index)));
        goto done;
    }
    /* Several are created together or not at all; nobody may be in a transaction, and none may be primary. */
    if (transaction_level(cursor->transaction) != 0)
        FAIL(JET_errInTransaction);
    TRY(transaction_begin(cursor->transaction, false));
    for (uint32_t i = 0; i < count && err >= JET_errSuccess; i++) {
        err = check_request(cursor, &requests[i], context, &index);
        if (err >= JET_errSuccess && index_is_primary(&index))
            err = JET_errInvalidCreateIndex;
        if (err >= JET_errSuccess)
            err = create_one(cursor, &requests[i], &index);
        requests[i].err = err;
    }
    TRY(end_level(cursor, err));
done:
    return err < JET_errSuccess ? err : JET_errSuccess;
}

/* --- deleting --- */

static JET_ERR delete_in_transaction(struct table_cursor *cursor, const char *name)
{
    JET_ERR err = JET_errSuccess;
    struct index_definition *index = NULL;
    TRY(table_find_index(cursor, name, &index));
    if (index_is_primary(index))
        FAIL(JET_errIndexMustStay);
    for (const struct table_cursor *other = cursor->table->cursors; other != NULL;
         other = other->next_of_table) {
        if (other->index == index)
            FAIL(JET_errIndexInUse);
    }
    TRY(catalog_delete_row(cursor->transaction, cursor->database, cursor->table->id, CATALOG_INDEX,
                           index->id));
    TRY(catalog_delete_objid(cursor->transaction, cursor->database, index->id));
    TRY(register_change(cursor, &delete_action, index));
    catalog_lock(cursor->database->catalog);
    index->state = DEFINITION_VERSIONED;
    index->delete_pending = true;
    catalog_unlock(cursor->database->catalog);
    TRY(versioned_free_tree(cursor->transaction, cursor->database, index->root));
done:
    return err;
}

JET_ERR table_delete_index(struct table_cursor *cursor, const char *name)
{
    JET_ERR err = JET_errSuccess;
    char checked[NAME_MAX_SIZE + 1];
    TRY(table_check_name(name, checked));
    TRY(table_check_updatable(cursor));
    if (cursor->table->flags & JET_bitObjectTableFixedDDL)
        FAIL(JET_errFixedDDL);
    for (const struct index_definition *index = cursor->table->secondary; index != NULL;
         index = index->next) {
        if (index->derived && name_compare(index->name, checked) == 0)
            FAIL(JET_errFixedInheritedDDL);
    }
    TRY(transaction_begin(cursor->transaction, false));
    TRY(end_level(cursor, delete_in_transaction(cursor, checked)));
done:
    return err < JET_errSuccess ? err : JET_errSuccess;
}
