#include "src/table/temporary.h"

#include "src/btree/space.h"
#include "src/cache/database.h"
#include "src/os/error.h"
#include "src/os/memory.h"
#include "src/page/page.h"
#include "src/table/navigate.h"

static JET_ERR add_columns(struct table_definition *table, const struct temporary_request *request)
{
    JET_ERR err = JET_errSuccess;
    for (uint32_t i = 0; i < request->count; i++) {
        const JET_COLUMNDEF *from = &request->columns[i];
        struct column_definition column;
        struct column_request one = {
            .name = "c",
            .type = from->coltyp,
            .code_page = from->cp,
            .max_size = from->cbMax,
            .grbit = from->grbit & ~(JET_GRBIT)(JET_bitColumnTTKey | JET_bitColumnTTDescending),
        };
        if (from->cbStruct < sizeof(*from))
            FAIL(JET_errInvalidParameter);
        TRY(ddl_check_column(table, &one, true, &column));
        TRY(ddl_place_column(table, one.grbit, &column));
        TRY(table_definition_add_column(table, &column, NULL));
        if (request->ids != NULL)
            request->ids[i] = column_public_id(&column);
    }
    err = JET_errSuccess;
done:
    return err;
}

/* In the engine's order: sizes of keys, before anything else is looked at. */
static JET_ERR check_sizes(const struct temporary_request *request, uint32_t page_size)
{
    const uint32_t key_max = request->key_max != 0 ? request->key_max : KEY_SIZE_DEFAULT;
    if (key_max < KEY_SIZE_DEFAULT || key_max > ddl_key_max_of_page(page_size) ||
        request->segment_max > key_max)
        return JET_errInvalidParameter;
    return JET_errSuccess;
}

/* The key: the columns that are marked, in their order; as many as an index may have. */
static JET_ERR add_index(struct table_definition *table, const struct temporary_request *request)
{
    static const uint16_t locale_default[] = {'e', 'n', '-', 'U', 'S', 0};
    JET_ERR err = JET_errSuccess;
    struct index_definition index = {
        .id = table->id,
        .root = table->root,
        .key_max = (uint16_t)(request->key_max != 0 ? request->key_max : KEY_SIZE_DEFAULT),
        .map_flags = request->map_flags != 0 ? request->map_flags : KEY_MAP_FLAGS_DEFAULT,
        .flags = INDEX_FLAG_PRIMARY | INDEX_FLAG_ALLOW_ALL_NULLS | INDEX_FLAG_ALLOW_FIRST_NULL |
                 INDEX_FLAG_ALLOW_SOME_NULLS | INDEX_FLAG_UNIQUE,
        .name = "",
    };
    index.segment_max = (uint16_t)(request->segment_max != 0 ? request->segment_max : index.key_max);
    if (request->grbit & JET_bitTTSortNullsHigh)
        index.flags |= INDEX_FLAG_NULLS_HIGH;
    if (request->grbit & JET_bitTTDotNetGuid)
        index.extended |= INDEX_EXTENDED_DOTNET_GUID;
    const uint16_t *locale = request->locale != NULL ? request->locale : locale_default;
    for (size_t i = 0; locale[i] != 0 && i + 1 < sizeof(index.locale) / sizeof(index.locale[0]); i++)
        index.locale[i] = locale[i];
    uint32_t fixed = 0;
    uint32_t variable = 0;
    uint32_t tagged = 0;
    for (uint32_t i = 0; i < request->count; i++) {
        /* Ids were given in order, kind by kind: count along to find them again. */
        const JET_COLUMNDEF *from = &request->columns[i];
        const bool is_long = from->coltyp == JET_coltypLongText || from->coltyp == JET_coltypLongBinary;
        const bool is_fixed = (from->grbit & JET_bitColumnFixed) != 0 || column_type_size(from->coltyp) != 0;
        JET_COLUMNID id = 0;
        if ((from->grbit & JET_bitColumnTagged) != 0 || is_long)
            id = COLUMN_TAGGED_FIRST + tagged++;
        else if (is_fixed)
            id = COLUMN_FIXED_FIRST + fixed++;
        else
            id = COLUMN_VARIABLE_FIRST + variable++;
        if ((from->grbit & JET_bitColumnTTKey) == 0 || index.column_count == INDEX_SEGMENT_MAX)
            continue;
        index.columns[index.column_count++] = (struct index_key_column){
            .column = id, .descending = (from->grbit & JET_bitColumnTTDescending) != 0};
    }
    if (index.column_count == 0)
        goto done; /* in order of insertion */
    if (!key_locale_is_valid(locale))
        FAIL(JET_errInvalidLanguageId);
    TRY(table_definition_add_index(table, &index, NULL));
done:
    return err;
}

static JET_ERR create_tree(struct transaction *transaction, struct table_definition *table)
{
    const struct tree_design design = {
        .parent = ROOT_PAGE_DATABASE, .pages = 1, .unique = true, .page_flags = PAGE_PRIMARY};
    JET_ERR err = transaction_begin(transaction, false);
    if (err < JET_errSuccess)
        return err;
    err = versioned_create_tree(transaction, table->database, &design, &table->root, &table->id);
    if (err >= JET_errSuccess)
        err = transaction_commit(transaction, true);
    if (err < JET_errSuccess)
        (void)transaction_rollback(transaction); /* the first error counts */
    return err;
}

/* Sorts need a key, and can hold no separated long values. */
static bool table_from_the_start(const struct temporary_request *request)
{
    bool keyed = false;
    bool has_long = false;
    for (uint32_t i = 0; i < request->count; i++) {
        const JET_COLUMNDEF *column = &request->columns[i];
        keyed = keyed || (column->grbit & JET_bitColumnTTKey) != 0;
        has_long = has_long || column->coltyp == JET_coltypLongText || column->coltyp == JET_coltypLongBinary;
    }
    return !keyed || (has_long && (request->grbit & JET_bitTTIntrinsicLVsOnly) == 0) ||
           (request->grbit & JET_bitTTForceMaterialization) != 0;
}

JET_ERR table_open_temporary(struct transaction *transaction, struct database *database,
                             const struct temporary_request *request, struct table_cursor **out)
{
    JET_ERR err = JET_errSuccess;
    struct table_definition *table = NULL;
    struct table_cursor *cursor = NULL;
    struct catalog *catalog = NULL;
    TRY(check_sizes(request, database->page_size));
    TRY(catalog_get(database, &catalog));
    TRY(table_definition_create(&table));
    table->database = database;
    table->page_size = database->page_size;
    table->is_temporary = true;
    table->unlinked = true; /* it is in no list, and ends with its last cursor */
    table->temporary_grbit = request->grbit;
    TRY(add_columns(table, request));
    TRY(create_tree(transaction, table));
    TRY(add_index(table, request));
    table->open_count = 1;
    /* The cursor takes the definition over, also when it fails. */
    struct table_definition *taken = table;
    table = NULL;
    TRY(table_cursor_open(transaction, taken, 0, &cursor));
    cursor->updatable = true;
    cursor->temporary_inserting = !table_from_the_start(request);
    cursor->table->temporary_materialized = !cursor->temporary_inserting;
    *out = cursor;
done:
    table_definition_free(table);
    return err < JET_errSuccess ? err : JET_errSuccess;
}

/* A sort that nobody can seek or move freely in: rows are put in, then read once forward. */
static bool is_plain_sort(const struct table_cursor *cursor)
{
    return !temporary_is_materialized(cursor) &&
           (cursor->table->temporary_grbit & (JET_bitTTIndexed | JET_bitTTScrollable)) == 0;
}

bool temporary_is_materialized(const struct table_cursor *cursor)
{
    return cursor->table->temporary_materialized;
}

/* The first move or seek ends a sort's insertions. */
static void end_insertion(struct table_cursor *cursor)
{
    if (!cursor->temporary_inserting)
        return;
    cursor->temporary_inserting = false;
    if (cursor->table->temporary_grbit & JET_bitTTUpdatable)
        cursor->table->temporary_materialized = true;
}

JET_ERR temporary_check_move(struct table_cursor *cursor, int32_t rows)
{
    if (!cursor->is_temporary)
        return JET_errSuccess;
    end_insertion(cursor);
    return is_plain_sort(cursor) && rows != (int32_t)JET_MoveFirst && rows < 0 ? JET_errIllegalOperation
                                                                               : JET_errSuccess;
}

JET_ERR temporary_check_seek(struct table_cursor *cursor)
{
    if (!cursor->is_temporary)
        return JET_errSuccess;
    end_insertion(cursor);
    return is_plain_sort(cursor) ? JET_errIllegalOperation : JET_errSuccess;
}

JET_ERR temporary_check_change(const struct table_cursor *cursor)
{
    return cursor->is_temporary && !temporary_is_materialized(cursor) ? JET_errIllegalOperation
                                                                      : JET_errSuccess;
}
