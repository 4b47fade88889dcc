/* A table: its records, its long values with their reference counts, its secondary indexes against the
 * records. */
#include "src/check/check.h"
#include "src/os/memory.h"

struct table_check {
    struct check *check;
    struct check_tree *table;
    struct counter_set keys;       /* hash of each record's key */
    struct counter_set references; /* long values that records refer to */
    uint64_t records;              /* not deleted */
    /* of the index at hand */
    const struct check_tree *index;
    uint64_t entries;
    /* of the long value at hand */
    uint64_t value_id;
    uint64_t value_size;
    uint64_t last_offset; /* of the last chunk seen */
    uint64_t chunk_size;  /* 0 = not known yet */
    bool chunk_seen;
    bool value_open;
    bool value_deleted;
    bool value_encrypted;
};

static uint64_t hash_bytes(const uint8_t *bytes, size_t size)
{
    uint64_t hash = 14695981039346656037u;
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ bytes[i]) * 1099511628211u;
    return hash ^ size;
}

/* ---- records */

static JET_ERR count_reference(void *context, uint64_t id)
{
    struct table_check *state = context;
    struct counter_entry *entry = counter_set_get(&state->references, id);
    if (entry == NULL)
        return JET_errOutOfMemory;
    entry->count++;
    return JET_errSuccess;
}

static JET_ERR visit_record(void *context, const struct page *page, uint32_t line, const struct node *node)
{
    JET_ERR err = JET_errSuccess;
    struct table_check *state = context;
    uint8_t key[CHECK_SEPARATOR_MAX];
    (void)line;
    if ((node->flags & NODE_DELETED) != 0)
        goto done;
    state->records++;
    size_t size = key_copy(&node->key, 0, key, sizeof key);
    struct counter_entry *entry = counter_set_get(&state->keys, hash_bytes(key, size));
    if (entry == NULL)
        FAIL(JET_errOutOfMemory);
    entry->count++;
    struct record_check record = {.check = state->check,
                                  .table = state->table->object,
                                  .page = page->number,
                                  .long_value = count_reference,
                                  .context = state};
    TRY(check_record(&record, node->data));
done:
    return err;
}

/* ---- secondary indexes: each entry's data is the key of a record */

static JET_ERR visit_entry(void *context, const struct page *page, uint32_t line, const struct node *node)
{
    struct table_check *state = context;
    (void)line;
    if ((node->flags & NODE_DELETED) != 0)
        return JET_errSuccess;
    state->entries++;
    if (counter_set_find(&state->keys, hash_bytes(node->data.bytes, node->data.size)) == NULL)
        check_report(state->check, "index", page->number, state->index->object,
                     "an entry of index \"%s\" leads to no record", state->index->name);
    return JET_errSuccess;
}

/* Every record has one entry, unless the index leaves some out or makes several. */
static bool is_one_to_one(const struct check_tree *index)
{
    const uint32_t all_nulls = 0x2 | 0x4 | 0x8;      /* allow all, first, some nulls */
    const uint32_t several = 0x80 | 0x2000 | 0x8000; /* multi-valued, cross product, nested table */
    const uint32_t deferred = 0x40000;               /* not filled completely */
    return (index->flags & all_nulls) == all_nulls && (index->flags & (several | deferred)) == 0 &&
           !index->partial;
}

static JET_ERR check_index(struct table_check *state, struct check_tree *index)
{
    JET_ERR err = JET_errSuccess;
    struct tree_walk walk = {.root = index->root,
                             .object = index->object,
                             .page_flags = PAGE_INDEX,
                             .unique = index->unique,
                             .use = PAGE_USE_TREE,
                             .visitor = index->root,
                             .visit = state->table->damaged ? NULL : visit_entry,
                             .context = state};
    state->index = index;
    state->entries = 0;
    TRY(check_walk_tree(state->check, &walk));
    if (walk.damaged)
        index->damaged = true;
    if (walk.damaged || state->table->damaged)
        goto done;
    if (is_one_to_one(index) && state->entries != state->records)
        check_report(state->check, "index", index->root, index->object,
                     "index \"%s\" has %llu entries for %llu records", index->name,
                     (unsigned long long)state->entries, (unsigned long long)state->records);
done:
    return err;
}

/* ---- long values: a root {references, size}, then chunks by offset */

static void report_value(const struct table_check *state, page_number page, const char *text)
{
    check_report(state->check, "long value", page, state->table->object, "long value %llu: %s",
                 (unsigned long long)state->value_id, text);
}

/* Compressed chunks are shorter than what they hold, so that only offsets tell whether one is missing. */
static void end_value(struct table_check *state, page_number page)
{
    if (!state->value_open || state->value_deleted)
        return;
    uint64_t chunk = state->chunk_size != 0 ? state->chunk_size : state->check->page_size;
    if (state->value_size > 0 && (!state->chunk_seen || state->value_size - state->last_offset > chunk))
        report_value(state, page, "the chunks do not add up to its size");
    state->value_open = false;
}

static void begin_value(struct table_check *state, page_number page, uint64_t id, const struct node *node)
{
    state->value_id = id;
    state->value_open = true;
    state->value_deleted = false;
    state->chunk_seen = false;
    state->last_offset = state->chunk_size = 0;
    if (node->data.size != 8 && node->data.size != 9) {
        report_value(state, page, "its root makes no sense");
        state->value_deleted = true;
        return;
    }
    uint32_t references = check_u32(node->data.bytes);
    state->value_size = check_u32(node->data.bytes + 4);
    state->value_encrypted = node->data.size == 9 && (node->data.bytes[8] & 1) != 0;
    state->value_deleted = references == 0 || references == UINT32_MAX || (node->flags & NODE_DELETED) != 0;
    struct counter_entry *entry = counter_set_find(&state->references, id);
    uint64_t counted = entry != NULL ? entry->count : 0;
    if (entry != NULL)
        entry->size = 1; /* seen */
    if (state->table->damaged)
        return;
    if (state->value_deleted && counted != 0)
        report_value(state, page, "records refer to it, but it is deleted");
    else if (!state->value_deleted && counted == 0)
        check_warn(state->check, "long value", page, state->table->object,
                   "long value %llu: no record refers to it", (unsigned long long)id);
    else if (!state->value_deleted && counted != references)
        check_report(state->check, "long value", page, state->table->object,
                     "long value %llu: counts %u references, records have %llu", (unsigned long long)id,
                     references, (unsigned long long)counted);
}

static void take_chunk(struct table_check *state, page_number page, uint64_t id, uint64_t offset,
                       const struct node *node)
{
    if ((node->flags & NODE_DELETED) != 0)
        return; /* clean-up takes the nodes of a deleted value one by one */
    if (!state->value_open || id != state->value_id) {
        state->value_id = id;
        report_value(state, page, "a chunk without its root");
        state->value_open = false;
        return;
    }
    if (state->value_deleted)
        return;
    /* The second chunk's offset is the size of all but the last. */
    if (state->chunk_size == 0 && offset != 0)
        state->chunk_size = offset;
    uint64_t expected = state->chunk_seen ? state->last_offset + state->chunk_size : 0;
    if (offset != expected)
        report_value(state, page, "a chunk is at the wrong offset");
    if (offset >= state->value_size && offset != 0)
        report_value(state, page, "a chunk lies beyond the end");
    else if (!state->value_encrypted && node->data.size > state->value_size - offset)
        report_value(state, page, "a chunk is longer than what is left");
    state->chunk_seen = true;
    state->last_offset = offset;
}

static JET_ERR visit_long_value(void *context, const struct page *page, uint32_t line,
                                const struct node *node)
{
    struct table_check *state = context;
    uint8_t key[12];
    size_t size = key_copy(&node->key, 0, key, sizeof key);
    (void)line;
    bool wide = size == 8 || size == 12 ? size == 12 || (key[0] & 0x80) != 0 : false;
    bool is_root = wide ? size == 8 : size == 4;
    if (key_size(&node->key) != size || (size != 4 && size != 8 && size != 12)) {
        check_report(state->check, "long value", page->number, state->table->object, "a key of %zu bytes",
                     size);
        return JET_errSuccess;
    }
    uint64_t id = check_big_u32(key);
    if (wide)
        id = id << 32 | check_big_u32(key + 4);
    if (is_root) {
        end_value(state, page->number);
        begin_value(state, page->number, id, node);
    } else {
        take_chunk(state, page->number, id, check_big_u32(key + (wide ? 8 : 4)), node);
    }
    return JET_errSuccess;
}

static JET_ERR check_long_values(struct table_check *state, struct check_tree *tree)
{
    JET_ERR err = JET_errSuccess;
    struct tree_walk walk = {.root = tree->root,
                             .object = tree->object,
                             .page_flags = PAGE_LONG_VALUE,
                             .unique = true,
                             .use = PAGE_USE_TREE,
                             .visitor = tree->root,
                             .visit = visit_long_value,
                             .context = state};
    TRY(check_walk_tree(state->check, &walk));
    tree->damaged = tree->damaged || walk.damaged;
    if (!walk.damaged)
        end_value(state, tree->root);
done:
    return err;
}

static void check_missing_values(struct table_check *state, bool damaged)
{
    if (damaged)
        return;
    for (size_t i = 0; i < state->references.room; i++) {
        const struct counter_entry *entry = &state->references.entries[i];
        if (entry->used && entry->size == 0) {
            state->value_id = entry->key;
            report_value(state, 0, "records refer to it, but it does not exist");
        }
    }
}

JET_ERR check_table(struct check *check, struct check_tree *table)
{
    JET_ERR err = JET_errSuccess;
    bool values_damaged = false;
    struct table_check *state = os_allocate_zeroed(sizeof *state);
    if (state == NULL)
        return JET_errOutOfMemory;
    state->check = check;
    state->table = table;
    struct tree_walk walk = {.root = table->root,
                             .object = table->object,
                             .unique = true,
                             .use = PAGE_USE_TREE,
                             .visitor = table->root,
                             .visit = visit_record,
                             .context = state};
    TRY(check_walk_tree(check, &walk));
    table->damaged = table->damaged || walk.damaged;
    for (size_t i = 0; i < check->tree_count; i++) {
        struct check_tree *tree = &check->trees[i];
        if (tree->table != table->object)
            continue;
        if (tree->kind == TREE_INDEX) {
            TRY(check_index(state, tree));
        } else if (tree->kind == TREE_LONG_VALUE) {
            TRY(check_long_values(state, tree));
            values_damaged = values_damaged || tree->damaged;
        }
    }
    check_missing_values(state, values_damaged || table->damaged);
done:
    counter_set_free(&state->keys);
    counter_set_free(&state->references);
    os_free(state);
    return err;
}
