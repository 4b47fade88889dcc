#include "src/cache/database.h"
#include "src/catalog/rows.h"
#include "src/os/error.h"
#include "src/os/host.h"
#include "src/os/memory.h"
#include "src/table/ddl.h"
#include "src/table/navigate.h"
#include "src/table/update.h"

#define CODE_PAGE_ENGLISH 1252u
#define CODE_PAGE_UNICODE 1200u
#define SHORT_MAX 255u
#define LONG_DEFAULT_MAX 255u
#define STUB_PREFIX "JetStub_"

bool ddl_is_exclusive(const struct table_cursor *cursor)
{
    return cursor->table->deny_read_count > 0 && cursor->table->exclusive_owner == cursor->transaction;
}

static JET_ERR check_escrow(const struct column_request *request, bool exclusive,
                            struct column_definition *column)
{
    const JET_GRBIT grbit = request->grbit;
    if (request->type != JET_coltypLong && request->type != JET_coltypLongLong)
        return JET_errInvalidGrbit;
    if (grbit & JET_bitColumnTagged)
        return JET_errCannotBeTagged;
    if (grbit & (JET_bitColumnVersion | JET_bitColumnAutoincrement))
        return JET_errInvalidGrbit;
    if (request->default_size == 0)
        return JET_errInvalidGrbit;
    if (!exclusive)
        return JET_errExclusiveTableLockRequired;
    if ((grbit & JET_bitColumnFinalize) != 0 && (grbit & JET_bitColumnDeleteOnZero) != 0)
        return JET_errInvalidGrbit;
    column->flags |= COLUMN_FLAG_ESCROW;
    if (grbit & JET_bitColumnFinalize)
        column->flags |= COLUMN_FLAG_FINALIZE;
    if (grbit & JET_bitColumnDeleteOnZero)
        column->flags |= COLUMN_FLAG_DELETE_ON_ZERO;
    return JET_errSuccess;
}

static JET_ERR check_counting(const struct column_request *request, bool exclusive,
                              struct column_definition *column)
{
    const JET_GRBIT grbit = request->grbit;
    const uint32_t type = request->type;
    if (grbit & JET_bitColumnAutoincrement) {
        if (type != JET_coltypLong && type != JET_coltypLongLong && type != JET_coltypUnsignedLongLong &&
            type != JET_coltypCurrency)
            return JET_errInvalidGrbit;
    } else if (type != JET_coltypLong) {
        return JET_errInvalidGrbit;
    }
    if (grbit & JET_bitColumnTagged)
        return JET_errCannotBeTagged;
    if (grbit & JET_bitColumnVersion) {
        if (grbit & JET_bitColumnAutoincrement)
            return JET_errInvalidGrbit;
        column->flags |= COLUMN_FLAG_VERSION;
        return JET_errSuccess;
    }
    if (!exclusive)
        return JET_errExclusiveTableLockRequired;
    column->flags |= COLUMN_FLAG_AUTOINCREMENT;
    return JET_errSuccess;
}

static bool type_is_long(uint32_t type)
{
    return type == JET_coltypLongText || type == JET_coltypLongBinary;
}

static bool type_is_text(uint32_t type)
{
    return type == JET_coltypText || type == JET_coltypLongText;
}

static JET_ERR check_special(const struct column_request *request, bool exclusive,
                             struct column_definition *column)
{
    const JET_GRBIT grbit = request->grbit;
    if (grbit & JET_bitColumnEscrowUpdate)
        return check_escrow(request, exclusive, column);
    if (grbit & (JET_bitColumnFinalize | JET_bitColumnDeleteOnZero))
        return JET_errInvalidGrbit;
    if (grbit & (JET_bitColumnVersion | JET_bitColumnAutoincrement))
        return check_counting(request, exclusive, column);
    return JET_errSuccess;
}

/* Defaults that the program computes are not supported: they need persisted call-backs. */
static JET_ERR check_user_default(const struct column_request *request)
{
    const JET_GRBIT forbidden = JET_bitColumnFixed | JET_bitColumnNotNULL | JET_bitColumnVersion |
                                JET_bitColumnAutoincrement | JET_bitColumnUpdatable |
                                JET_bitColumnEscrowUpdate | JET_bitColumnFinalize |
                                JET_bitColumnDeleteOnZero | JET_bitColumnMaybeNull;
    if (request->grbit & forbidden)
        return JET_errInvalidGrbit;
    if ((request->grbit & JET_bitColumnTagged) == 0 && !type_is_long(request->type))
        return JET_errInvalidGrbit;
    if (request->default_size != sizeof(JET_USERDEFINEDDEFAULT))
        return JET_errInvalidParameter;
    return JET_errFeatureNotAvailable;
}

static JET_ERR set_max_size(const struct column_request *request, struct column_definition *column)
{
    const uint32_t fixed = column_type_size(request->type);
    column->max_size = request->max_size;
    if (fixed != 0) {
        column->max_size = fixed;
    } else if (!type_is_long(request->type)) {
        if (request->max_size == 0)
            column->max_size = SHORT_MAX;
        if (request->max_size > SHORT_MAX) {
            column->max_size = SHORT_MAX;
            return JET_wrnColumnMaxTruncated;
        }
    }
    return JET_errSuccess;
}

static bool template_has(const struct table_definition *table, const char *name)
{
    uint32_t position = 0;
    const struct column_definition *column = NULL;
    while ((column = table_definition_next_column(table, &position)) != NULL) {
        if (column->inherited && name_compare(column->name, name) == 0)
            return true;
    }
    return false;
}

JET_ERR ddl_check_column(const struct table_definition *table, const struct column_request *request,
                         bool exclusive, struct column_definition *column)
{
    JET_ERR err = JET_errSuccess;
    const JET_GRBIT grbit = request->grbit;
    const bool is_long = type_is_long(request->type);
    *column =
        (struct column_definition){.type = (uint8_t)request->type, .code_page = (uint16_t)request->code_page};
    if (request->max_size > 0x7fffffff)
        FAIL(JET_errInvalidParameter);
    TRY(table_check_name(request->name, column->name));
    if (template_has(table, column->name))
        FAIL(JET_errColumnDuplicate);
    if (request->type == JET_coltypNil || request->type >= JET_coltypMax || request->type == JET_coltypSLV)
        FAIL(JET_errInvalidColumnType);
    if (!type_is_text(request->type))
        column->code_page = 0;
    else if (request->code_page == 0)
        column->code_page = CODE_PAGE_ENGLISH;
    else if (request->code_page != CODE_PAGE_ENGLISH && request->code_page != CODE_PAGE_UNICODE)
        FAIL(JET_errInvalidCodePage);
    if ((grbit & JET_bitColumnCompressed) != 0 && !is_long)
        FAIL(JET_errColumnCannotBeCompressed);
    if ((grbit & JET_bitColumnEncrypted) != 0 &&
        (!is_long || (grbit & JET_bitColumnMultiValued) != 0 || request->default_size > 0))
        FAIL(JET_errColumnCannotBeEncrypted);
    if ((grbit & JET_bitColumnTagged) != 0 || is_long) {
        if (grbit & JET_bitColumnFixed)
            FAIL(JET_errInvalidGrbit);
    } else if (grbit & JET_bitColumnMultiValued) {
        FAIL(JET_errMultiValuedColumnMustBeTagged);
    }
    TRY(check_special(request, exclusive, column));
    if (grbit & JET_bitColumnUserDefinedDefault)
        TRY(check_user_default(request));
    if (grbit & JET_bitColumnNotNULL)
        column->flags |= COLUMN_FLAG_NOT_NULL;
    if (grbit & JET_bitColumnMultiValued)
        column->flags |= COLUMN_FLAG_MULTIVALUED;
    if (grbit & JET_bitColumnCompressed)
        column->flags |= COLUMN_FLAG_COMPRESSED;
    if (grbit & JET_bitColumnEncrypted)
        column->flags |= COLUMN_FLAG_ENCRYPTED;
    err = set_max_size(request, column);
    if (request->default_value != NULL && request->default_size > 0) {
        column->flags |= COLUMN_FLAG_DEFAULT;
        if (column->max_size > 0 && column->max_size < request->default_size)
            FAIL(JET_errDefaultValueTooBig);
        column->default_value = (uint8_t *)(uintptr_t)request->default_value; /* only read */
        column->default_size = request->default_size;
    }
done:
    return err;
}

static JET_ERR next_id(const struct column_array *array, uint32_t first, uint32_t last, JET_COLUMNID *id)
{
    *id = first + array->count;
    return *id > last ? JET_errTooManyColumns : JET_errSuccess;
}

JET_ERR ddl_place_column(const struct table_definition *table, JET_GRBIT grbit,
                         struct column_definition *column)
{
    JET_ERR err = JET_errSuccess;
    const bool fixed_type = column_type_size(column->type) != 0;
    column->from_template = table->is_template;
    if (table->is_template)
        column->flags |= COLUMN_FLAG_TEMPLATE;
    if ((grbit & JET_bitColumnTagged) != 0 || type_is_long(column->type)) {
        TRY(next_id(&table->tagged, COLUMN_TAGGED_FIRST, COLUMN_TAGGED_LAST, &column->id));
    } else if ((grbit & JET_bitColumnFixed) != 0 || fixed_type) {
        if (table->fixed_end + column->max_size > record_size_max(table))
            FAIL(JET_errRecordTooBig);
        TRY(next_id(&table->fixed, COLUMN_FIXED_FIRST, COLUMN_FIXED_LAST, &column->id));
        column->record_offset = table->fixed_end;
    } else {
        TRY(next_id(&table->variable, COLUMN_VARIABLE_FIRST, COLUMN_VARIABLE_LAST, &column->id));
    }
done:
    return err;
}

JET_ERR ddl_fit_default(struct column_definition *column, uint8_t *buffer)
{
    if (column->default_value == NULL)
        return JET_errSuccess;
    if (column->default_size > LONG_DEFAULT_MAX)
        return JET_errDefaultValueTooBig;
    const uint32_t fixed = column_type_size(column->type);
    const bool pads = column_id_is_fixed(column->id) && fixed == 0;
    if (fixed != 0 && column->default_size != fixed)
        return JET_errInvalidBufferSize;
    if (column->type == JET_coltypBit && column_id_is_fixed(column->id)) {
        buffer[0] = column->default_value[0] == 0 ? 0x00 : 0xff;
        column->default_value = buffer;
    } else if (pads && column->default_size < column->max_size) {
        memset(buffer, column->type == JET_coltypText ? ' ' : 0, column->max_size);
        if (column->code_page == CODE_PAGE_UNICODE) {
            for (uint32_t i = column->default_size; i < column->max_size; i++)
                buffer[i] = (i - column->default_size) % 2 == 0 ? ' ' : 0;
        }
        memcpy(buffer, column->default_value, column->default_size);
        column->default_value = buffer;
        column->default_size = column->max_size;
    }
    return JET_errSuccess;
}

/* --- rollback and clean-up of column changes --- */

/* A column change that is not everybody's yet. */
struct column_change {
    struct table_definition *table;
    struct column_definition *column;
};

static struct column_change *change_create(struct table_definition *table, struct column_definition *column)
{
    struct column_change *change = os_allocate(sizeof(*change));
    if (change != NULL)
        *change = (struct column_change){table, column};
    return change;
}

/* The column is gone, and what it was for the table. Under the catalog's lock. */
static void lose_column(struct table_definition *table, struct column_definition *column)
{
    const JET_COLUMNID id = column_public_id(column);
    column->state = DEFINITION_DELETED;
    if (table->version_column == id)
        table->version_column = 0;
    if (table->autoincrement_column == id)
        table->autoincrement_column = 0;
    table->columns_lost = true;
}

static void change_free(void *context)
{
    struct column_change *change = context;
    catalog_release(change->table);
    os_free(change);
}

static void set_state(struct column_change *change, enum definition_state state)
{
    struct table_definition *table = change->table;
    catalog_lock(table->database->catalog);
    if (state == DEFINITION_DELETED)
        lose_column(table, change->column);
    else
        change->column->state = (uint8_t)state;
    catalog_unlock(table->database->catalog);
    change_free(change);
}

static void undo_add(struct transaction *transaction, struct database *database, void *context)
{
    (void)transaction;
    (void)database;
    set_state(context, DEFINITION_DELETED);
}

static void commit_add(struct transaction *transaction, struct database *database, void *context)
{
    struct column_change *change = context;
    (void)database;
    os_atomic_store(&change->column->birth.commit0, transaction->commit0);
}

/* The column stays versioned if it was deleted meanwhile; that change will settle it. */
static void clean_add(struct database *database, void *context)
{
    struct column_change *change = context;
    (void)database;
    const bool deleted = change->column->delete_pending;
    set_state(change, deleted ? DEFINITION_VERSIONED : DEFINITION_COMMITTED);
}

static void undo_delete(struct transaction *transaction, struct database *database, void *context)
{
    struct column_change *change = context;
    (void)transaction;
    (void)database;
    change->column->delete_pending = false;
    set_state(change, DEFINITION_VERSIONED); /* the catalog shows it again */
}

static void clean_delete(struct database *database, void *context)
{
    (void)database;
    set_state(context, DEFINITION_DELETED);
}

static const struct version_action add_action = {.name = "add column",
                                                 .undo = undo_add,
                                                 .committed = commit_add,
                                                 .cleanup = clean_add,
                                                 .abandoned = change_free};
static const struct version_action delete_action = {
    .name = "delete column", .undo = undo_delete, .cleanup = clean_delete, .abandoned = change_free};

static JET_ERR register_change(struct table_cursor *cursor, const struct version_action *action,
                               struct column_definition *column)
{
    struct column_change *change = change_create(cursor->table, column);
    if (change == NULL)
        return JET_errOutOfMemory;
    catalog_hold(cursor->table);
    JET_ERR err = version_add_action(cursor->transaction, cursor->database, action, change);
    if (err < JET_errSuccess) {
        catalog_release(cursor->table);
        os_free(change);
    }
    return err;
}

/* --- adding --- */

/* A new auto-increment column numbers the rows that are there. */
static JET_ERR number_rows(struct table_cursor *cursor, const struct column_definition *column)
{
    JET_ERR err = JET_errSuccess;
    struct versioned_cursor *walk = NULL;
    struct record record = {.capacity = cursor->database->page_size};
    uint64_t next = 1;
    if ((record.data = os_allocate(record.capacity)) == NULL)
        FAIL(JET_errOutOfMemory);
    TRY(versioned_cursor_open(cursor->transaction, cursor->database, cursor->table->root, &walk));
    for (err = versioned_cursor_first(walk); err >= JET_errSuccess; err = versioned_cursor_next(walk)) {
        struct node_view node;
        TRY(versioned_cursor_copy(walk, &node));
        if (NEVER(node.data.size > record.capacity)) /* a page */
            FAIL(JET_errDatabaseCorrupted);
        memcpy(record.data, node.data.bytes, node.data.size);
        record.size = (uint32_t)node.data.size;
        TRY(record_check((struct record_view){record.data, record.size}, cursor->table->page_size));
        TRY(record_set(cursor->table, &record, column, &next, column->max_size));
        next++;
        TRY(versioned_cursor_replace(walk, span_of(record.data, record.size)));
    }
    if (err == JET_errNoCurrentRecord)
        err = JET_errSuccess;
    cursor->table->autoincrement_next = next;
    if (os_host_is_published())
        TRY(table_reserve_numbers(cursor, next - 1));
done:
    versioned_cursor_close(walk);
    os_free(record.data);
    return err;
}

static JET_ERR check_redundant(const struct table_definition *table, const struct column_definition *column)
{
    if ((column->flags & COLUMN_FLAG_VERSION) != 0 && table->version_column != 0)
        return JET_errColumnRedundant;
    if ((column->flags & COLUMN_FLAG_AUTOINCREMENT) != 0 && table->autoincrement_column != 0)
        return JET_errColumnRedundant;
    return JET_errSuccess;
}

static JET_ERR add_in_transaction(struct table_cursor *cursor, struct column_request *request,
                                  struct column_definition *column)
{
    JET_ERR err = JET_errSuccess;
    uint8_t buffer[256];
    struct column_definition *existing = NULL;
    struct column_definition *added = NULL;
    struct catalog_row row;
    if (table_find_column_by_name(cursor, column->name, &existing) == JET_errSuccess)
        FAIL(JET_errColumnDuplicate);
    cursor->deferred_first = false;
    cursor->beside = false;
    versioned_cursor_lose(cursor->primary); /* the engine goes to the root, and stays there if it fails */
    TRY(ddl_place_column(cursor->table, request->grbit, column));
    request->id = column_public_id(column);
    TRY(check_redundant(cursor->table, column));
    catalog_row_from_column(cursor->table->id, column, &row);
    err = catalog_insert_row(cursor->transaction, cursor->database, &row, false);
    if (err == JET_errKeyDuplicate)
        err = JET_errColumnDuplicate;
    TRY(err);
    const JET_ERR fits = ddl_fit_default(column, buffer);
    if (fits < JET_errSuccess)
        column->default_value = NULL;
    /* The id is used up even if the column comes to nothing. */
    column->state = fits < JET_errSuccess ? DEFINITION_DELETED : DEFINITION_VERSIONED;
    catalog_lock(cursor->database->catalog);
    err = table_definition_add_column(cursor->table, column, &added);
    catalog_unlock(cursor->database->catalog);
    TRY(err);
    TRY(fits);
    err = register_change(cursor, &add_action, added);
    if (err < JET_errSuccess) {
        catalog_lock(cursor->database->catalog);
        lose_column(cursor->table, added);
        catalog_unlock(cursor->database->catalog);
        goto done;
    }
    os_atomic_store(&added->birth.begin0, cursor->transaction->actor.begin0);
    if (column->flags & COLUMN_FLAG_AUTOINCREMENT)
        TRY(number_rows(cursor, added));
done:
    return err;
}

/* Ends the level that a schema change works in. */
static JET_ERR end_level(struct table_cursor *cursor, JET_ERR err)
{
    if (err >= JET_errSuccess)
        err = transaction_commit(cursor->transaction, false);
    if (err < JET_errSuccess)
        (void)transaction_rollback(cursor->transaction); /* the first error counts */
    return err;
}

/* Deleted rows that are not cleaned up count as well. */
static JET_ERR table_is_empty(struct table_cursor *cursor, bool *empty)
{
    struct versioned_cursor *walk = NULL;
    bool any = false;
    JET_ERR err = versioned_cursor_open(cursor->transaction, cursor->database, cursor->table->root, &walk);
    if (err < JET_errSuccess)
        return err;
    err = versioned_cursor_any_node(walk, &any);
    *empty = !any;
    versioned_cursor_close(walk);
    return err;
}

JET_ERR table_add_column(struct table_cursor *cursor, struct column_request *request)
{
    JET_ERR err = JET_errSuccess;
    struct column_definition column;
    bool empty = false;
    TRY(table_check_updatable(cursor));
    if ((cursor->table->flags & JET_bitObjectTableFixedDDL) != 0 && !cursor->permits_ddl)
        FAIL(JET_errFixedDDL);
    if ((request->grbit & JET_bitColumnUnversioned) != 0 && !ddl_is_exclusive(cursor) &&
        transaction_level(cursor->transaction) != 0)
        FAIL(JET_errInTransaction);
    JET_ERR warning = ddl_check_column(cursor->table, request, ddl_is_exclusive(cursor), &column);
    TRY(warning);
    if (cursor->table->is_template && (request->grbit & JET_bitColumnTagged) == 0 &&
        !type_is_long(request->type))
        FAIL(JET_errFixedDDL);
    if (column.flags & COLUMN_FLAG_ESCROW) {
        TRY(table_is_empty(cursor, &empty));
        if (!empty) {
            if (cursor->secondary == NULL)
                table_defer_first(cursor);
            FAIL(JET_errTableNotEmpty);
        }
    }
    TRY(transaction_begin(cursor->transaction, false));
    TRY(end_level(cursor, add_in_transaction(cursor, request, &column)));
    table_before_first(cursor);
    err = warning;
done:
    return err;
}

/* --- deleting --- */

static bool index_uses(const struct index_definition *index, JET_COLUMNID id)
{
    for (unsigned i = 0; i < index->column_count; i++) {
        if (index->columns[i].column == id)
            return true;
    }
    for (unsigned i = 0; i < index->condition_count; i++) {
        if (index->conditions[i].column == id)
            return true;
    }
    return false;
}

/* Whether an index needs the column: one that is not deleted, or whose deletion may yet be undone by another.
 */
static JET_ERR column_in_use(struct table_cursor *cursor, JET_COLUMNID id, bool *used)
{
    JET_ERR err = JET_errSuccess;
    *used = false;
    const struct table_definition *table = cursor->table;
    if (table->primary != NULL)
        *used = index_uses(table->primary, id);
    for (const struct index_definition *index = table->secondary; index != NULL && !*used;
         index = index->next) {
        bool sees = false;
        if (index->state == DEFINITION_DELETED || !index_uses(index, id))
            continue;
        TRY(catalog_sees_index(cursor->transaction, table, index, &sees));
        *used = sees;
    }
done:
    return err;
}

/* Whether no column of its kind has a greater id. Its row stays as a stub: the id must not be given out
 * again. */
static bool is_last(const struct table_definition *table, const struct column_definition *column)
{
    if (column_id_is_fixed(column->id))
        return column->id - COLUMN_FIXED_FIRST + 1 == table->fixed.count;
    if (column_id_is_variable(column->id))
        return column->id - COLUMN_VARIABLE_FIRST + 1 == table->variable.count;
    return column->id - COLUMN_TAGGED_FIRST + 1 == table->tagged.count;
}

static uint32_t append_number(char *text, uint32_t length, uint32_t number)
{
    char digits[10];
    uint32_t count = 0;
    do
        digits[count++] = (char)('0' + number % 10);
    while ((number /= 10) > 0);
    while (count > 0)
        text[length++] = digits[--count];
    return length;
}

static JET_ERR leave_stub(struct table_cursor *cursor, const struct column_definition *column)
{
    char name[NAME_MAX_SIZE + 1];
    struct catalog_row row;
    struct column_definition stub = *column;
    uint32_t length = sizeof(STUB_PREFIX) - 1;
    memcpy(name, STUB_PREFIX, length);
    /* The table's and the column's ids make the name unique. */
    length = append_number(name, length, cursor->table->id);
    name[length++] = '_';
    length = append_number(name, length, column->id);
    name[length] = 0;
    memcpy(stub.name, name, length + 1);
    stub.type = JET_coltypNil;
    stub.flags = column->flags & COLUMN_FLAG_TEMPLATE;
    stub.default_value = NULL;
    stub.default_size = 0;
    catalog_row_from_column(cursor->table->id, &stub, &row);
    return catalog_replace_row(cursor->transaction, cursor->database, &row);
}

static JET_ERR delete_in_transaction(struct table_cursor *cursor, const char *name)
{
    JET_ERR err = JET_errSuccess;
    struct column_definition *column = NULL;
    bool used = false;
    TRY(table_find_column_by_name(cursor, name, &column));
    if (is_last(cursor->table, column))
        err = leave_stub(cursor, column);
    else
        err = catalog_delete_row(cursor->transaction, cursor->database, cursor->table->id, CATALOG_COLUMN,
                                 column->id);
    if (err == JET_errRecordNotFound)
        err = JET_errColumnNotFound;
    TRY(err);
    TRY(column_in_use(cursor, column_public_id(column), &used));
    if (used)
        FAIL(JET_errColumnInUse);
    TRY(register_change(cursor, &delete_action, column));
    catalog_lock(cursor->database->catalog);
    column->state = DEFINITION_VERSIONED;
    column->delete_pending = true;
    catalog_unlock(cursor->database->catalog);
done:
    return err;
}

JET_ERR table_delete_column(struct table_cursor *cursor, const char *name, JET_GRBIT grbit)
{
    JET_ERR err = JET_errSuccess;
    char checked[NAME_MAX_SIZE + 1];
    TRY(table_check_name(name, checked));
    TRY(table_check_updatable(cursor));
    if (cursor->table->flags & JET_bitObjectTableFixedDDL)
        FAIL(JET_errFixedDDL);
    if ((grbit & JET_bitDeleteColumnIgnoreTemplateColumns) == 0 && template_has(cursor->table, checked))
        FAIL(JET_errFixedInheritedDDL);
    TRY(transaction_begin(cursor->transaction, false));
    TRY(end_level(cursor, delete_in_transaction(cursor, checked)));
    table_before_first(cursor);
done:
    return err < JET_errSuccess ? err : JET_errSuccess;
}

/* --- renaming, defaults --- */

static JET_ERR rename_in_transaction(struct table_cursor *cursor, const char *name, const char *new_name)
{
    JET_ERR err = JET_errSuccess;
    struct column_definition *column = NULL;
    struct catalog_row row;
    uint8_t *buffer = NULL;
    TRY(table_find_column_by_name(cursor, name, &column));
    TRY(catalog_read_row(cursor->transaction, cursor->database, cursor->table->id, CATALOG_COLUMN, column->id,
                         &row, &buffer));
    row.name = (struct bytes){(const uint8_t *)new_name, (uint32_t)strlen(new_name)};
    TRY(catalog_replace_row(cursor->transaction, cursor->database, &row));
    catalog_lock(cursor->database->catalog);
    memcpy(column->name, new_name, strlen(new_name) + 1);
    catalog_unlock(cursor->database->catalog);
done:
    os_free(buffer);
    return err;
}

JET_ERR table_rename_column(struct table_cursor *cursor, const char *name, const char *new_name)
{
    JET_ERR err = JET_errSuccess;
    char old_checked[NAME_MAX_SIZE + 1];
    char new_checked[NAME_MAX_SIZE + 1];
    if (cursor->transaction->read_only && transaction_level(cursor->transaction) > 0)
        FAIL(JET_errTransReadOnly);
    if (name == NULL || new_name == NULL)
        FAIL(JET_errInvalidParameter);
    if (transaction_level(cursor->transaction) != 0)
        FAIL(JET_errInTransaction);
    TRY(table_check_name(name, old_checked));
    TRY(table_check_name(new_name, new_checked));
    TRY(transaction_begin(cursor->transaction, false));
    TRY(end_level(cursor, rename_in_transaction(cursor, old_checked, new_checked)));
done:
    return err < JET_errSuccess ? err : JET_errSuccess;
}

static JET_ERR set_default_in_transaction(struct table_cursor *cursor, struct column_definition *column,
                                          const void *value, uint32_t size)
{
    JET_ERR err = JET_errSuccess;
    struct catalog_row row;
    uint8_t *buffer = NULL;
    TRY(catalog_read_row(cursor->transaction, cursor->database, cursor->table->id, CATALOG_COLUMN, column->id,
                         &row, &buffer));
    row.default_value = (struct bytes){value, size};
    row.flags |= COLUMN_FLAG_DEFAULT;
    TRY(catalog_replace_row(cursor->transaction, cursor->database, &row));
done:
    os_free(buffer);
    return err;
}

JET_ERR table_set_default(struct table_cursor *cursor, const char *name, const void *value, uint32_t size)
{
    JET_ERR err = JET_errSuccess;
    struct column_definition *column = NULL;
    struct column_definition fitted;
    uint8_t buffer[256];
    uint8_t *copy = NULL;
    bool used = false;
    TRY(table_find_column_by_name(cursor, name, &column));
    if (column->inherited)
        FAIL(JET_errColumnNotFound); /* only the table's own columns are looked at */
    TRY(column_in_use(cursor, column_public_id(column), &used));
    if (used)
        FAIL(JET_errColumnInUse);
    if (column_type_size(column->type) != 0 && size != column->max_size &&
        (column_id_is_fixed(column->id) || size < column->max_size))
        FAIL(JET_errInvalidBufferSize);
    if (column_id_is_fixed(column->id) && size > column->max_size)
        FAIL(JET_errInvalidBufferSize);
    if (column_id_is_variable(column->id) && size > column->max_size)
        size = column->max_size; /* cut, as a value would be */
    if ((column->max_size > 0 && column->max_size < size) || size > LONG_DEFAULT_MAX)
        FAIL(JET_errDefaultValueTooBig);
    fitted = *column;
    fitted.default_value = (uint8_t *)(uintptr_t)value;
    fitted.default_size = size;
    TRY(ddl_fit_default(&fitted, buffer));
    if ((copy = os_duplicate(fitted.default_value, fitted.default_size)) == NULL)
        FAIL(JET_errOutOfMemory);
    TRY(transaction_begin(cursor->transaction, false));
    TRY(end_level(cursor, set_default_in_transaction(cursor, column, value, size)));
    catalog_lock(cursor->database->catalog);
    os_free(column->default_value);
    column->default_value = copy;
    column->default_size = fitted.default_size;
    column->flags |= COLUMN_FLAG_DEFAULT;
    catalog_unlock(cursor->database->catalog);
    copy = NULL;
done:
    os_free(copy);
    return err < JET_errSuccess ? err : JET_errSuccess;
}
