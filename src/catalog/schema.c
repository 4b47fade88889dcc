#include "src/catalog/schema.h"

#include "src/os/error.h"
#include "src/os/memory.h"

/* Ids of the columns of MSysObjects. */
enum {
    ID_TABLE = 1,
    ID_TYPE = 2,
    ID_ID = 3,
    ID_TYPE_OR_ROOT = 4,
    ID_SPACE_USAGE = 5,
    ID_FLAGS = 6,
    ID_PAGES_OR_LOCALE = 7,
    ID_ROOT_FLAG = 8,
    ID_RECORD_OFFSET = 9,
    ID_MAP_FLAGS = 10,
    ID_KEY_MAX = 11,
    ID_CHUNK_MAX = 12,
    ID_ROOT_SET_TIME = 13,
    ID_NAME = 128,
    ID_STATS = 129,
    ID_TEMPLATE = 130,
    ID_DEFAULT = 131,
    ID_SEGMENTS = 132,
    ID_SEGMENT_MAX = 133,
    ID_CONDITIONS = 134,
    ID_TUPLE_LIMITS = 135,
    ID_VERSION = 136,
    ID_SORT_ID = 137,
    ID_CALLBACK_DATA = 256,
    ID_CALLBACK_DEPENDENCIES = 257,
    ID_SEPARATE = 258,
    ID_SPACE_HINTS = 259,
    ID_DEFERRED_HINTS = 260,
    ID_LOCALE = 261,
};

const struct catalog_column catalog_columns[CATALOG_COLUMN_COUNT] = {
    {"ObjidTable", ID_TABLE, JET_coltypLong, true},
    {"Type", ID_TYPE, JET_coltypShort, true},
    {"Id", ID_ID, JET_coltypLong, true},
    {"Name", ID_NAME, JET_coltypText, true},
    {"ColtypOrPgnoFDP", ID_TYPE_OR_ROOT, JET_coltypLong, true},
    {"SpaceUsage", ID_SPACE_USAGE, JET_coltypLong, true},
    {"Flags", ID_FLAGS, JET_coltypLong, true},
    {"PagesOrLocale", ID_PAGES_OR_LOCALE, JET_coltypLong, true},
    {"Stats", ID_STATS, JET_coltypBinary, false},
    {"RootFlag", ID_ROOT_FLAG, JET_coltypBit, false},
    {"TemplateTable", ID_TEMPLATE, JET_coltypText, false},
    {"RecordOffset", ID_RECORD_OFFSET, JET_coltypShort, false},
    {"DefaultValue", ID_DEFAULT, JET_coltypBinary, false},
    {"KeyFldIDs", ID_SEGMENTS, JET_coltypBinary, false},
    {"VarSegMac", ID_SEGMENT_MAX, JET_coltypBinary, false},
    {"ConditionalColumns", ID_CONDITIONS, JET_coltypBinary, false},
    {"LCMapFlags", ID_MAP_FLAGS, JET_coltypLong, false},
    {"KeyMost", ID_KEY_MAX, JET_coltypUnsignedShort, false},
    {"TupleLimits", ID_TUPLE_LIMITS, JET_coltypBinary, false},
    {"Version", ID_VERSION, JET_coltypBinary, false},
    {"SortID", ID_SORT_ID, JET_coltypBinary, false},
    {"CallbackData", ID_CALLBACK_DATA, JET_coltypLongBinary, false},
    {"CallbackDependencies", ID_CALLBACK_DEPENDENCIES, JET_coltypLongBinary, false},
    {"SeparateLV", ID_SEPARATE, JET_coltypLongBinary, false},
    {"SpaceHints", ID_SPACE_HINTS, JET_coltypLongBinary, false},
    {"SpaceDeferredLVHints", ID_DEFERRED_HINTS, JET_coltypLongBinary, false},
    {"LocaleName", ID_LOCALE, JET_coltypLongBinary, false},
    {"LVChunkMax", ID_CHUNK_MAX, JET_coltypLong, false},
    {"PgnoFDPLastSetTime", ID_ROOT_SET_TIME, JET_coltypDateTime, false},
};

static JET_ERR schema_add_column(struct table_definition *schema, const struct catalog_column *from)
{
    struct column_definition column = {
        .id = from->id,
        .type = from->type,
        .flags = from->not_null ? COLUMN_FLAG_NOT_NULL : 0,
        .code_page = 1252,
        .record_offset = schema->fixed_end,
        .max_size = column_type_size(from->type),
    };
    if (from->type == JET_coltypText || from->type == JET_coltypBinary)
        column.max_size = 255;
    memcpy(column.name, from->name, strlen(from->name) + 1);
    return table_definition_add_column(schema, &column, NULL);
}

/* Columns in the order of their ids, so that each fixed one finds its offset. */
static JET_ERR schema_add_range(struct table_definition *schema, uint32_t first, uint32_t last)
{
    JET_ERR err = JET_errSuccess;
    for (uint32_t id = first; id <= last; id++) {
        for (unsigned i = 0; i < CATALOG_COLUMN_COUNT; i++) {
            if (catalog_columns[i].id == id)
                TRY(schema_add_column(schema, &catalog_columns[i]));
        }
    }
done:
    return err;
}

JET_ERR catalog_schema_create(uint32_t page_size, struct table_definition **out)
{
    JET_ERR err = JET_errSuccess;
    struct table_definition *schema = NULL;
    TRY(table_definition_create(&schema));
    schema->page_size = page_size;
    TRY(schema_add_range(schema, ID_TABLE, ID_ROOT_SET_TIME));
    TRY(schema_add_range(schema, ID_NAME, ID_SORT_ID));
    TRY(schema_add_range(schema, ID_CALLBACK_DATA, ID_LOCALE));
    *out = schema;
    schema = NULL;
done:
    table_definition_free(schema);
    return err;
}

static JET_ERR put(const struct table_definition *schema, struct record *record, JET_COLUMNID id,
                   const void *value, uint32_t size)
{
    const struct column_definition *column = table_definition_column(schema, id);
    if (column_id_is_tagged(id))
        return tagged_set(schema, record, column, 1, value, size, 0);
    return record_set(schema, record, column, value, size);
}

static JET_ERR put_bytes(const struct table_definition *schema, struct record *record, JET_COLUMNID id,
                         struct bytes bytes)
{
    return bytes.data == NULL || bytes.size == 0 ? JET_errSuccess
                                                 : put(schema, record, id, bytes.data, bytes.size);
}

/* Where the values of a row are kept. Numbers are little-endian in both places. */
struct number_member {
    JET_COLUMNID id;
    uint16_t offset;
    uint8_t size;
    bool needed; /* else `present` is the offset of the flag that says whether there is one */
    uint16_t present;
};
struct bytes_member {
    JET_COLUMNID id;
    uint16_t offset;
};

#define NEEDED(id, member, size)                                                                             \
    {                                                                                                        \
        id, offsetof(struct catalog_row, member), size, true, 0                                              \
    }
#define OPTIONAL(id, member, size, flag)                                                                     \
    {                                                                                                        \
        id, offsetof(struct catalog_row, member), size, false, offsetof(struct catalog_row, flag)            \
    }
#define BYTES(id, member)                                                                                    \
    {                                                                                                        \
        id, offsetof(struct catalog_row, member)                                                             \
    }

/* From the last column down: the record is extended once. */
static const struct number_member number_members[] = {
    OPTIONAL(ID_CHUNK_MAX, chunk_max, 4, has_chunk_max),
    OPTIONAL(ID_KEY_MAX, key_max, 2, has_key_max),
    OPTIONAL(ID_MAP_FLAGS, map_flags, 4, has_map_flags),
    OPTIONAL(ID_RECORD_OFFSET, record_offset, 2, has_record_offset),
    OPTIONAL(ID_ROOT_FLAG, root_mark, 1, root_flag),
    NEEDED(ID_PAGES_OR_LOCALE, pages_or_locale, 4),
    NEEDED(ID_FLAGS, flags, 4),
    NEEDED(ID_SPACE_USAGE, space_usage, 4),
    NEEDED(ID_TYPE_OR_ROOT, type_or_root, 4),
    NEEDED(ID_ID, id, 4),
    NEEDED(ID_TYPE, type, 2),
    NEEDED(ID_TABLE, table, 4),
};
static const struct bytes_member bytes_members[] = {
    BYTES(ID_SORT_ID, sort_id),
    BYTES(ID_VERSION, version),
    BYTES(ID_TUPLE_LIMITS, tuple_limits),
    BYTES(ID_CONDITIONS, conditions),
    BYTES(ID_SEGMENT_MAX, segment_max),
    BYTES(ID_SEGMENTS, segments),
    BYTES(ID_DEFAULT, default_value),
    BYTES(ID_TEMPLATE, template_name),
    BYTES(ID_NAME, name),
    BYTES(ID_SEPARATE, separate_threshold),
    BYTES(ID_SPACE_HINTS, space_hints),
    BYTES(ID_DEFERRED_HINTS, deferred_hints),
    BYTES(ID_LOCALE, locale),
};
#define NUMBER_MEMBERS (sizeof(number_members) / sizeof(number_members[0]))
#define BYTES_MEMBERS (sizeof(bytes_members) / sizeof(bytes_members[0]))

JET_ERR catalog_row_encode(const struct table_definition *schema, const struct catalog_row *row,
                           struct record *record)
{
    JET_ERR err = JET_errSuccess;
    struct catalog_row marked = *row;
    const uint8_t *base = (const uint8_t *)&marked;
    marked.root_mark = 0xff;
    record_init(record);
    for (unsigned i = 0; i < NUMBER_MEMBERS; i++) {
        const struct number_member *member = &number_members[i];
        if (member->needed || base[member->present] != 0)
            TRY(put(schema, record, member->id, base + member->offset, member->size));
    }
    for (unsigned i = 0; i < BYTES_MEMBERS; i++) {
        struct bytes bytes;
        memcpy(&bytes, base + bytes_members[i].offset, sizeof(bytes));
        TRY(put_bytes(schema, record, bytes_members[i].id, bytes));
    }
done:
    return err;
}

static JET_ERR get(const struct table_definition *schema, struct record_view view, JET_COLUMNID id,
                   struct bytes *out)
{
    const struct column_definition *column = table_definition_column(schema, id);
    struct value value;
    JET_ERR err = column_id_is_tagged(id) ? tagged_get(schema, view, column, 1, &value)
                                          : record_get(schema, view, column, &value);
    *out = (struct bytes){NULL, 0};
    if (err == JET_errSuccess && value.kind == VALUE_PLAIN)
        *out = (struct bytes){value.data, value.size};
    return err;
}

static JET_ERR get_number(const struct table_definition *schema, struct record_view view,
                          const struct number_member *member, uint8_t *base)
{
    struct bytes bytes;
    JET_ERR err = get(schema, view, member->id, &bytes);
    const bool present = err == JET_errSuccess && bytes.size == member->size;
    if (present)
        memcpy(base + member->offset, bytes.data, member->size);
    if (!member->needed)
        base[member->present] = present;
    else if (!present)
        err = JET_errCatalogCorrupted;
    return err;
}

JET_ERR catalog_row_decode(const struct table_definition *schema, struct record_view view,
                           struct catalog_row *row)
{
    JET_ERR err = JET_errSuccess;
    uint8_t *base = (uint8_t *)row;
    memset(row, 0, sizeof(*row));
    for (unsigned i = 0; i < NUMBER_MEMBERS; i++)
        TRY(get_number(schema, view, &number_members[i], base));
    for (unsigned i = 0; i < BYTES_MEMBERS; i++) {
        struct bytes bytes;
        TRY(get(schema, view, bytes_members[i].id, &bytes));
        memcpy(base + bytes_members[i].offset, &bytes, sizeof(bytes));
    }
    row->root_flag = row->root_mark != 0;
    if (row->name.size == 0 || row->name.size > NAME_MAX_SIZE)
        FAIL(JET_errCatalogCorrupted);
done:
    return err < JET_errSuccess ? JET_errCatalogCorrupted : err;
}

static const struct key_format long_format = {
    .type = JET_coltypLong, .fixed = true, .key_max = KEY_SIZE_DEFAULT, .segment_max = KEY_SIZE_DEFAULT};
static const struct key_format short_format = {
    .type = JET_coltypShort, .fixed = true, .key_max = KEY_SIZE_DEFAULT, .segment_max = KEY_SIZE_DEFAULT};
static const struct key_format text_format = {
    .type = JET_coltypText, .code_page = 1252, .key_max = KEY_SIZE_DEFAULT, .segment_max = KEY_SIZE_DEFAULT};
static const struct key_format bit_format = {
    .type = JET_coltypBit, .fixed = true, .key_max = KEY_SIZE_DEFAULT, .segment_max = KEY_SIZE_DEFAULT};

static uint32_t append(const struct key_format *format, const void *value, uint32_t size, uint8_t *key,
                       uint32_t used)
{
    struct key_segment segment;
    JET_ERR err = key_normalize(format, value, size, key + used, KEY_SIZE_DEFAULT - used, &segment);
    ASSERT(err == JET_errSuccess); /* not Unicode: cannot fail */
    (void)err;
    return used + segment.size;
}

uint32_t catalog_key_prefix(object_id table, uint16_t type, uint32_t id, unsigned parts, uint8_t *key)
{
    uint32_t used = append(&long_format, &table, 4, key, 0);
    if (parts > 1)
        used = append(&short_format, &type, 2, key, used);
    if (parts > 2)
        used = append(&long_format, &id, 4, key, used);
    return used;
}

uint32_t catalog_key_primary(object_id table, uint16_t type, uint32_t id, uint8_t *key)
{
    return catalog_key_prefix(table, type, id, 3, key);
}

uint32_t catalog_key_name(object_id table, uint16_t type, struct bytes name, uint8_t *key)
{
    uint32_t used = catalog_key_prefix(table, type, 0, 2, key);
    return append(&text_format, name.data, name.size, key, used);
}

uint32_t catalog_key_root(struct bytes name, uint8_t *key)
{
    const uint8_t yes = 0xff;
    uint32_t used = append(&bit_format, &yes, 1, key, 0);
    return append(&text_format, name.data, name.size, key, used);
}
