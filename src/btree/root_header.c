#include "src/btree/root_header.h"

#include "src/btree/btree_internal.h"
#include "src/cache/database.h"
#include "src/os/error.h"

enum root_field {
    ROOT_FIELD_SPACE = 0x01,
    ROOT_FIELD_AUTOINCREMENT = 0x02,
};

/* The fields of an external header. */
struct root_fields {
    uint8_t flags; /* enum root_field */
    struct space_header space;
    uint64_t autoincrement;
};

static bool fields_read(const struct page *page, struct root_fields *fields)
{
    struct line line = page_external_header(page);
    const uint8_t *at = line.data;
    const uint8_t *end = line.data + line.size;

    memset(fields, 0, sizeof *fields);
    fields->flags = ROOT_FIELD_SPACE;
    if (line.size > sizeof fields->space)
        fields->flags = *at++;
    if ((fields->flags & ROOT_FIELD_SPACE) == 0 || (size_t)(end - at) < sizeof fields->space)
        return false;
    memcpy(&fields->space, at, sizeof fields->space);
    at += sizeof fields->space;
    if ((fields->flags & ROOT_FIELD_AUTOINCREMENT) != 0) {
        if ((size_t)(end - at) < sizeof fields->autoincrement)
            return false;
        memcpy(&fields->autoincrement, at, sizeof fields->autoincrement);
    }
    return true;
}

static uint32_t fields_write(const struct root_fields *fields, uint8_t out[ROOT_HEADER_MOST])
{
    uint32_t size = 0;

    if (fields->flags != ROOT_FIELD_SPACE)
        out[size++] = fields->flags;
    memcpy(out + size, &fields->space, sizeof fields->space);
    size += (uint32_t)sizeof fields->space;
    if ((fields->flags & ROOT_FIELD_AUTOINCREMENT) != 0) {
        memcpy(out + size, &fields->autoincrement, sizeof fields->autoincrement);
        size += (uint32_t)sizeof fields->autoincrement;
    }
    return size;
}

bool root_header_space(const struct page *page, struct space_header *out)
{
    struct root_fields fields;

    if (!fields_read(page, &fields))
        return false;
    *out = fields.space;
    return true;
}

uint32_t root_header_with_space(const struct page *page, const struct space_header *space,
                                uint8_t out[ROOT_HEADER_MOST])
{
    struct root_fields fields;

    if (!fields_read(page, &fields) || (fields.flags & ~(ROOT_FIELD_SPACE | ROOT_FIELD_AUTOINCREMENT)) != 0)
        fields = (struct root_fields){.flags = ROOT_FIELD_SPACE};
    fields.space = *space;
    return fields_write(&fields, out);
}

JET_ERR root_autoincrement_read(struct tree *tree, bool *known, uint64_t *highest)
{
    JET_ERR err = JET_errSuccess;
    struct latch root = LATCH_INIT;
    struct root_fields fields;

    TRY(cache_latch(tree->database, tree->root, LATCH_SHARED, 0, &root));
    TRY(tree_check_page(tree, &root.page, NULL));
    if (!fields_read(&root.page, &fields))
        FAIL(JET_errDatabaseCorrupted);
    *known = (fields.flags & ROOT_FIELD_AUTOINCREMENT) != 0;
    *highest = fields.autoincrement;
done:
    cache_unlatch(&root);
    return err;
}

JET_ERR root_autoincrement_write(struct tree *tree, const struct btree_actor *actor, uint64_t highest)
{
    JET_ERR err = JET_errSuccess;
    struct latch root = LATCH_INIT;
    struct root_fields fields;
    uint8_t bytes[ROOT_HEADER_MOST];

    TRY(cache_latch(tree->database, tree->root, LATCH_EXCLUSIVE, 0, &root));
    TRY(tree_check_page(tree, &root.page, NULL));
    if (!fields_read(&root.page, &fields))
        FAIL(JET_errDatabaseCorrupted);
    fields.flags |= ROOT_FIELD_AUTOINCREMENT;
    fields.autoincrement = highest;
    const uint32_t size = fields_write(&fields, bytes);
    const uint32_t old_size = page_external_header(&root.page).size;
    if (size > old_size && !page_has_space(tree, &root, size - old_size))
        FAIL(JET_errRecordTooBig);
    TRY(root_set_header(tree, actor, &root, span_of(bytes, size)));
done:
    cache_unlatch(&root);
    return err;
}
