#include "src/catalog/definition.h"

#include "src/os/error.h"
#include "src/os/memory.h"

JET_ERR table_definition_create(struct table_definition **out)
{
    struct table_definition *table = os_allocate_zeroed(sizeof(*table));
    if (table == NULL)
        return JET_errOutOfMemory;
    table->fixed_end = 4;
    table->local_storage.value = JET_LSNil;
    *out = table;
    return JET_errSuccess;
}

static void column_array_free(struct column_array *array)
{
    for (uint32_t i = 0; i < array->count; i++) {
        if (array->entries[i] != NULL) {
            os_free(array->entries[i]->default_value);
            os_free(array->entries[i]);
        }
    }
    os_free(array->entries);
}

void local_storage_free(const struct local_storage *storage, JET_CBTYP type)
{
    if (storage->value != JET_LSNil && storage->gone != NULL)
        (void)storage->gone(JET_sesidNil, JET_dbidNil, JET_tableidNil, type, (void *)storage->value, NULL,
                            NULL, 0);
}

void table_definition_free(struct table_definition *table)
{
    if (table == NULL)
        return;
    column_array_free(&table->fixed);
    column_array_free(&table->variable);
    column_array_free(&table->tagged);
    column_array_free(&table->template_tagged);
    local_storage_free(&table->local_storage, JET_cbtypFreeTableLS);
    while (table->callbacks != NULL) {
        struct row_callback *next = table->callbacks->next;
        os_free(table->callbacks);
        table->callbacks = next;
    }
    os_free(table->primary);
    struct index_definition *const lists[] = {table->secondary, table->dropped};
    for (unsigned i = 0; i < 2; i++) {
        for (struct index_definition *index = lists[i]; index != NULL;) {
            struct index_definition *next = index->next;
            os_free(index);
            index = next;
        }
    }
    os_free(table);
}

static struct column_array *array_of(struct table_definition *table, JET_COLUMNID id, bool inherited,
                                     uint32_t *first)
{
    if (column_id_is_fixed(id)) {
        *first = COLUMN_FIXED_FIRST;
        return &table->fixed;
    }
    if (column_id_is_variable(id)) {
        *first = COLUMN_VARIABLE_FIRST;
        return &table->variable;
    }
    *first = COLUMN_TAGGED_FIRST;
    return inherited ? &table->template_tagged : &table->tagged;
}

static JET_ERR array_reserve(struct column_array *array, uint32_t count)
{
    if (count <= array->capacity)
        return JET_errSuccess;
    uint32_t capacity = count + count / 2 + 8;
    struct column_definition **entries = os_reallocate(array->entries, capacity * sizeof(*entries));
    if (entries == NULL)
        return JET_errOutOfMemory;
    array->entries = entries;
    array->capacity = capacity;
    return JET_errSuccess;
}

JET_ERR table_definition_add_column(struct table_definition *table, const struct column_definition *column,
                                    struct column_definition **out)
{
    JET_ERR err = JET_errSuccess;
    struct column_definition *copy = NULL;
    uint32_t first = 0;
    const JET_COLUMNID id = column->id & 0xffff;
    ASSERT(id >= COLUMN_FIXED_FIRST && id <= COLUMN_TAGGED_LAST);
    struct column_array *array = array_of(table, id, column->inherited, &first);
    const uint32_t index = id - first;
    if (index < array->count && array->entries[index] != NULL)
        FAIL(JET_errCatalogCorrupted);
    TRY(array_reserve(array, index + 1));
    if ((copy = os_duplicate(column, sizeof(*column))) == NULL)
        FAIL(JET_errOutOfMemory);
    if (column->default_value != NULL) {
        copy->default_value =
            os_duplicate(column->default_value, column->default_size == 0 ? 1 : column->default_size);
        if (copy->default_value == NULL) {
            os_free(copy);
            FAIL(JET_errOutOfMemory);
        }
    } else {
        copy->flags &= (uint16_t)~COLUMN_FLAG_DEFAULT;
    }
    while (array->count <= index)
        array->entries[array->count++] = NULL;
    array->entries[index] = copy;
    if (column_id_is_fixed(id) && copy->record_offset + copy->max_size > table->fixed_end)
        table->fixed_end = (uint16_t)(copy->record_offset + copy->max_size);
    if (copy->state != DEFINITION_DELETED) {
        if (copy->flags & COLUMN_FLAG_VERSION)
            table->version_column = column_public_id(copy);
        if (copy->flags & COLUMN_FLAG_AUTOINCREMENT)
            table->autoincrement_column = column_public_id(copy);
    }
    if (out != NULL)
        *out = copy;
done:
    return err;
}

JET_ERR table_definition_add_index(struct table_definition *table, const struct index_definition *index,
                                   struct index_definition **out)
{
    struct index_definition *copy = os_duplicate(index, sizeof(*index));
    if (copy == NULL)
        return JET_errOutOfMemory;
    copy->next = NULL;
    if (index_is_primary(copy)) {
        ASSERT(table->primary == NULL);
        table->primary = copy;
    } else {
        struct index_definition **link = &table->secondary;
        while (*link != NULL)
            link = &(*link)->next;
        *link = copy;
    }
    if (out != NULL)
        *out = copy;
    return JET_errSuccess;
}

static struct column_definition *array_get(const struct column_array *array, uint32_t index)
{
    return index < array->count ? array->entries[index] : NULL;
}

struct column_definition *table_definition_column_any(const struct table_definition *table, uint32_t id)
{
    if (id >= COLUMN_FIXED_FIRST && id <= COLUMN_FIXED_LAST)
        return array_get(&table->fixed, id - COLUMN_FIXED_FIRST);
    if (id >= COLUMN_VARIABLE_FIRST && id <= COLUMN_VARIABLE_LAST)
        return array_get(&table->variable, id - COLUMN_VARIABLE_FIRST);
    return NULL;
}

struct column_definition *table_definition_column(const struct table_definition *table, JET_COLUMNID id)
{
    const bool from_template = (id & COLUMN_TEMPLATE_BIT) != 0;
    const uint32_t bare = id & ~COLUMN_TEMPLATE_BIT;
    struct column_definition *column = NULL;
    if (bare > 0xffff)
        return NULL;
    if (bare < COLUMN_TAGGED_FIRST)
        column = table_definition_column_any(table, bare);
    else if (from_template && table->is_derived)
        column = array_get(&table->template_tagged, bare - COLUMN_TAGGED_FIRST);
    else
        column = array_get(&table->tagged, bare - COLUMN_TAGGED_FIRST);
    return column != NULL && column->from_template == from_template ? column : NULL;
}

struct column_definition *table_definition_next_column(const struct table_definition *table,
                                                       uint32_t *position)
{
    const struct column_array *const arrays[] = {&table->fixed, &table->variable, &table->template_tagged,
                                                 &table->tagged};
    uint32_t skip = *position;
    for (size_t a = 0; a < sizeof(arrays) / sizeof(arrays[0]); a++) {
        for (uint32_t i = skip < arrays[a]->count ? skip : arrays[a]->count; i < arrays[a]->count; i++) {
            struct column_definition *column = arrays[a]->entries[i];
            ++*position;
            if (column != NULL && column->state != DEFINITION_DELETED)
                return column;
        }
        skip = skip > arrays[a]->count ? skip - arrays[a]->count : 0;
    }
    return NULL;
}

uint32_t column_type_size(uint32_t type)
{
    switch (type) {
    case JET_coltypBit:
    case JET_coltypUnsignedByte:
        return 1;
    case JET_coltypShort:
    case JET_coltypUnsignedShort:
        return 2;
    case JET_coltypLong:
    case JET_coltypUnsignedLong:
    case JET_coltypIEEESingle:
        return 4;
    case JET_coltypCurrency:
    case JET_coltypIEEEDouble:
    case JET_coltypDateTime:
    case JET_coltypLongLong:
    case JET_coltypUnsignedLongLong:
        return 8;
    case JET_coltypGUID:
        return 16;
    default:
        return 0;
    }
}

static uint8_t fold(char c)
{
    return (uint8_t)(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
}

int name_compare(const char *a, const char *b)
{
    while (*a != 0 && fold(*a) == fold(*b)) {
        a++;
        b++;
    }
    return (int)fold(*a) - (int)fold(*b);
}
