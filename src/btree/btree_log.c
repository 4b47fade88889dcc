#include "src/btree/btree_internal.h"

bool change_is_logged(const struct tree *tree, const struct btree_actor *actor)
{
    return tree->database->log != NULL && tree->database->logged && !actor->no_log;
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
    record->flags = (uint8_t)((tree->unique ? LOG_PAGE_UNIQUE : 0) | (tree->space ? LOG_PAGE_SPACE : 0) |
                              (actor->system_task ? LOG_PAGE_SYSTEM_TASK : 0));
}

static void fill_node(struct log_record_node *record, uint8_t type, const struct tree *tree,
                      const struct btree_actor *actor, page_number page, uint32_t line,
                      const struct node_change *change, dbtime modified, dbtime before)
{
    log_fill_page(&record->page, type, tree, actor, page, modified, before);
    record->page.line = (uint16_t)line;
    if (change->versioned)
        record->page.flags |= LOG_PAGE_VERSIONED;
    if (change->concurrent)
        record->page.flags |= LOG_PAGE_CONCURRENT_CREATE_INDEX;
    record->version_id = change->entry_id;
    record->tree_page = tree->root;
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

JET_ERR log_node_change(const struct tree *tree, const struct btree_actor *actor, const struct page *page,
                        uint32_t line, const struct node_change *change, dbtime modified, dbtime before,
                        struct log_position *position)
{
    union node_record record;
    struct log_piece pieces[4] = {{&record, 0}};
    size_t count = 1;
    struct span key = change->bookmark.key;
    struct span bookmark_data = tree->unique ? span_of(NULL, 0) : change->bookmark.data;
    struct key whole = key_of(key.bytes, key.size);

    memset(&record, 0, sizeof record);
    fill_node(&record.node, record_type(change), tree, actor, page->number, line, change, modified, before);
    switch (record.node.page.type) {
    case LOG_RECORD_INSERT:
        record.insert.prefix_size =
            (uint16_t)(before == LOG_DBTIME_NONE ? 0 : node_prefix_size(page, &whole));
        record.insert.suffix_size = (uint16_t)(key.size - record.insert.prefix_size);
        record.insert.data_size = (uint16_t)change->data.size;
        pieces[0].size = sizeof record.insert;
        pieces[count++] = piece_of(key);
        pieces[count++] = piece_of(change->data);
        break;
    case LOG_RECORD_FLAG_INSERT:
        record.flag_insert.key_size = (uint16_t)key.size;
        record.flag_insert.data_size = (uint16_t)bookmark_data.size;
        pieces[0].size = sizeof record.flag_insert;
        pieces[count++] = piece_of(key);
        pieces[count++] = piece_of(bookmark_data);
        break;
    case LOG_RECORD_FLAG_INSERT_AND_REPLACE_DATA:
        record.flag_insert_and_replace.key_size = (uint16_t)key.size;
        record.flag_insert_and_replace.data_size = (uint16_t)change->data.size;
        record.flag_insert_and_replace.replace_version_id = change->replace_entry_id;
        pieces[0].size = sizeof record.flag_insert_and_replace;
        pieces[count++] = piece_of(key);
        pieces[count++] = piece_of(change->data);
        break;
    case LOG_RECORD_REPLACE:
        record.replace.size = (uint16_t)change->data.size;
        record.replace.old_size = (uint16_t)node_get(page, line).data.size;
        record.replace.new_size = (uint16_t)change->data.size;
        pieces[0].size = sizeof record.replace;
        pieces[count++] = piece_of(change->data);
        break;
    case LOG_RECORD_DELTA:
        record.delta.bookmark_key_size = (uint16_t)key.size;
        record.delta.bookmark_data_size = (uint16_t)bookmark_data.size;
        record.delta.delta = (int32_t)change->delta;
        record.delta.offset = change->offset;
        pieces[0].size = sizeof record.delta;
        pieces[count++] = piece_of(key);
        pieces[count++] = piece_of(bookmark_data);
        break;
    case LOG_RECORD_DELTA64:
        record.delta64.bookmark_key_size = (uint16_t)key.size;
        record.delta64.bookmark_data_size = (uint16_t)bookmark_data.size;
        record.delta64.delta = change->delta;
        record.delta64.offset = change->offset;
        pieces[0].size = sizeof record.delta64;
        pieces[count++] = piece_of(key);
        pieces[count++] = piece_of(bookmark_data);
        break;
    case LOG_RECORD_UNDO:
        record.undo.bookmark_key_size = (uint16_t)key.size;
        record.undo.bookmark_data_size = (uint16_t)bookmark_data.size;
        record.undo.operation = undone_operation(change);
        record.undo.undo_level = change->undo_level;
        pieces[0].size = sizeof record.undo;
        pieces[count++] = piece_of(key);
        pieces[count++] = piece_of(bookmark_data);
        break;
    default: /* flag-delete, delete */
        pieces[0].size = sizeof record.node;
        break;
    }
    return log_append(tree->database->log, pieces, count, 0, actor->begin.generation, position);
}

JET_ERR log_macro(const struct tree *tree, const struct btree_actor *actor, uint8_t type, dbtime modified,
                  struct log_position *position)
{
    struct log_record_macro record = {type, actor->process, modified};
    struct log_piece piece = {&record, sizeof record};

    return log_append(tree->database->log, &piece, 1, 0, actor->begin.generation, position);
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
