#include "src/btree/btree_internal.h"
#include "src/page/xpress.h"

bool change_is_logged(const struct tree *tree)
{
    return tree->database->logged;
}

void log_fill_page(struct log_record_page *record, uint8_t type, const struct tree *tree,
                   const struct btree_actor *actor, page_number page, dbtime modified, dbtime before)
{
    memset(record, 0, sizeof *record);
    record->type = type;
    record->process_id = actor->process;
    record->database_id = (uint8_t)tree->database->id;
    record->page = page;
    record->dbtime = modified;
    record->dbtime_before = before;
    record->trx_begin0 = actor->begin0;
    record->level = actor->level;
    record->flags = (uint8_t)((tree->unique ? LOG_PAGE_UNIQUE : 0) | (tree->space ? LOG_PAGE_SPACE : 0));
}

static void fill_node(struct log_record_node *record, uint8_t type, const struct tree *tree,
                      const struct btree_actor *actor, page_number page, uint32_t line,
                      const struct node_change *change, dbtime modified, dbtime before)
{
    log_fill_page(&record->page, type, tree, actor, page, modified, before);
    record->page.line = (uint16_t)line;
    if (change->versioned)
        record->page.flags |= LOG_PAGE_VERSIONED;
    record->version_id = change->entry_id;
    record->tree_page = tree->owner;
    record->tree_object = tree->object;
}

/* What the version store calls the operation that is undone. */
static uint16_t undone_operation(const struct node_change *change)
{
    switch (change->kind) {
    case CHANGE_UNDO_INSERT:
        return 0x0001;
    case CHANGE_UNDO_REPLACE:
        return 0x0002;
    case CHANGE_UNDO_FLAG_DELETE:
        return 0x0003;
    default:
        return change->width == 8 ? 0x0009 : 0x0004;
    }
}

/* A record is a structure and up to four pieces behind it. */
union node_record {
    struct log_record_node node;
    struct log_record_insert insert;
    struct log_record_flag_insert flag_insert;
    struct log_record_flag_insert_and_replace_data flag_insert_and_replace;
    struct log_record_replace replace;
    struct log_record_delta delta;
    struct log_record_delta64 delta64;
    struct log_record_undo undo;
};

static uint8_t record_type(const struct node_change *change)
{
    switch (change->kind) {
    case CHANGE_INSERT:
        return LOG_RECORD_INSERT;
    case CHANGE_FLAG_INSERT:
        return LOG_RECORD_FLAG_INSERT;
    case CHANGE_FLAG_INSERT_AND_REPLACE:
        return LOG_RECORD_FLAG_INSERT_AND_REPLACE_DATA;
    case CHANGE_REPLACE:
        return LOG_RECORD_REPLACE;
    case CHANGE_FLAG_DELETE:
        return LOG_RECORD_FLAG_DELETE;
    case CHANGE_DELETE:
        return LOG_RECORD_DELETE;
    case CHANGE_DELTA:
        return change->width == 8 ? LOG_RECORD_DELTA64 : LOG_RECORD_DELTA;
    default:
        return LOG_RECORD_UNDO;
    }
}

static struct log_piece piece_of(struct span span)
{
    return (struct log_piece){span.bytes, span.size};
}

/* What follows a record's fixed part, and the size of that. */
struct record_parts {
    size_t size;
    struct span first;
    struct span second;
};

/* Records that bring a node's data. `whole` is false within a split, where the prefix is not the page's. */
static struct record_parts fill_data_record(union node_record *record, const struct page *page, uint32_t line,
                                            const struct node_change *change, bool whole)
{
    struct span key = change->bookmark.key;
    struct key wanted = key_of(key.bytes, key.size);

    switch (change->kind) {
    case CHANGE_INSERT:
        record->insert.prefix_size = (uint16_t)(whole ? node_prefix_size(page, &wanted) : 0);
        record->insert.suffix_size = (uint16_t)(key.size - record->insert.prefix_size);
        record->insert.data_size = (uint16_t)change->data.size;
        return (struct record_parts){sizeof record->insert, key, change->data};
    case CHANGE_FLAG_INSERT_AND_REPLACE:
        record->flag_insert_and_replace.key_size = (uint16_t)key.size;
        record->flag_insert_and_replace.data_size = (uint16_t)change->data.size;
        record->flag_insert_and_replace.replace_version_id = change->replace_entry_id;
        return (struct record_parts){sizeof record->flag_insert_and_replace, key, change->data};
    default:
        ASSERT(change->kind == CHANGE_REPLACE);
        record->replace.size = (uint16_t)change->data.size;
        record->replace.old_size = (uint16_t)node_get(page, line).data.size;
        record->replace.new_size = (uint16_t)change->data.size;
        return (struct record_parts){sizeof record->replace, change->data, span_of(NULL, 0)};
    }
}

/* Records that name the node by its bookmark, or by its line alone. */
static struct record_parts fill_bookmark_record(union node_record *record, const struct node_change *change,
                                                struct span key, struct span data)
{
    switch (record->node.page.type) {
    case LOG_RECORD_FLAG_INSERT:
        record->flag_insert.key_size = (uint16_t)key.size;
        record->flag_insert.data_size = (uint16_t)data.size;
        return (struct record_parts){sizeof record->flag_insert, key, data};
    case LOG_RECORD_DELTA:
        record->delta.bookmark_key_size = (uint16_t)key.size;
        record->delta.bookmark_data_size = (uint16_t)data.size;
        record->delta.delta = (int32_t)change->delta;
        record->delta.offset = change->offset;
        return (struct record_parts){sizeof record->delta, key, data};
    case LOG_RECORD_DELTA64:
        record->delta64.bookmark_key_size = (uint16_t)key.size;
        record->delta64.bookmark_data_size = (uint16_t)data.size;
        record->delta64.delta = change->delta;
        record->delta64.offset = change->offset;
        return (struct record_parts){sizeof record->delta64, key, data};
    case LOG_RECORD_UNDO:
        record->undo.bookmark_key_size = (uint16_t)key.size;
        record->undo.bookmark_data_size = (uint16_t)data.size;
        record->undo.operation = undone_operation(change);
        record->undo.undo_level = change->undo_level;
        return (struct record_parts){sizeof record->undo, key, data};
    default: /* flag-delete, delete */
        return (struct record_parts){sizeof record->node, span_of(NULL, 0), span_of(NULL, 0)};
    }
}

JET_ERR log_node_change(const struct tree *tree, const struct btree_actor *actor, const struct page *page,
                        uint32_t line, const struct node_change *change, dbtime modified, dbtime before,
                        struct log_position *position)
{
    union node_record record;
    struct record_parts parts;
    bool brings_data = change->kind == CHANGE_INSERT || change->kind == CHANGE_REPLACE ||
                       change->kind == CHANGE_FLAG_INSERT_AND_REPLACE;

    memset(&record, 0, sizeof record);
    fill_node(&record.node, record_type(change), tree, actor, page->number, line, change, modified, before);
    if (brings_data)
        parts = fill_data_record(&record, page, line, change, before != LOG_DBTIME_NONE);
    else
        parts = fill_bookmark_record(&record, change, change->bookmark.key,
                                     tree->unique ? span_of(NULL, 0) : change->bookmark.data);
    struct log_piece pieces[3] = {{&record, parts.size}, piece_of(parts.first), piece_of(parts.second)};
    return log_append(tree->database->log, pieces, 3, 0, actor->begin.generation, position);
}

JET_ERR log_macro(const struct tree *tree, const struct btree_actor *actor, uint8_t type, dbtime modified,
                  struct log_position *position)
{
    struct log_record_macro record = {type, actor->process, modified};
    struct log_piece piece = {&record, sizeof record};

    return log_append(tree->database->log, &piece, 1, 0, actor->begin.generation, position);
}

struct log_piece log_page_image(const struct page *page, dbtime modified, uint8_t *scratch, uint32_t *flags)
{
    struct page image = {scratch, page->size, page->number};
    uint8_t *small = scratch + page->size;

    memcpy(scratch, page->data, page->size);
    page_header(&image)->modified = modified;
    const uint32_t size = xpress_store(scratch, page->size, small);
    *flags = size != 0 ? LOG_PREIMAGE_XPRESS : 0;
    return size != 0 ? (struct log_piece){small, size} : (struct log_piece){scratch, page->size};
}

void log_macro_pages(const struct tree *tree, const page_number *pages, size_t count)
{
    struct log_record_ignored record = {LOG_RECORD_MACRO_INFO, (uint32_t)(count * sizeof *pages)};
    struct log_piece pieces[2] = {{&record, sizeof record}, {pages, count * sizeof *pages}};

    (void)log_append(tree->database->log, pieces, 2, 0, 0, NULL);
}

JET_ERR latch_new_page(const struct tree *tree, const struct btree_actor *actor, page_number number,
                       struct latch *latch)
{
    JET_ERR err = JET_errSuccess;
    struct log_position position = LOG_POSITION_MIN;

    TRY(cache_latch_new(tree->database, number, latch));
    if (!change_is_logged(tree) || !log_has_births(tree->database->log))
        goto done;
    struct log_record_new_page record = {.type = LOG_RECORD_NEW_PAGE,
                                         .process_id = actor->process,
                                         .database_id = (uint8_t)tree->database->id,
                                         .page = number,
                                         .object = tree->object,
                                         .dbtime_after = database_next_dbtime(tree->database)};
    struct log_piece piece = {&record, sizeof record};
    TRY(log_append(tree->database->log, &piece, 1, 0, actor->begin.generation, &position));
    page_format(&latch->page, tree->object, PAGE_PRE_INIT, record.dbtime_after);
    stamp_page(latch, actor, record.dbtime_after, position);
done:
    if (err < JET_errSuccess)
        cache_unlatch(latch);
    return err;
}

void stamp_page(struct latch *latch, const struct btree_actor *actor, dbtime modified,
                struct log_position position)
{
    struct log_position oldest = position;

    if (!log_position_is_null(position) && !log_position_is_null(actor->begin) &&
        log_position_compare(actor->begin, position) < 0)
        oldest = actor->begin;
    cache_set_dirty(latch, modified, oldest, position);
}
