/* Redo of changes of single nodes, and the version entries that undo needs. */
#include "src/btree/apply_node.h"
#include "src/os/memory.h"
#include "src/recovery/recovery_internal.h"

#define VALUE_SIZE_MAX PAGE_SIZE_MAX

/* One change at work. */
struct node_redo {
    struct recovery *recovery;
    struct recovery_session *session;
    struct database *database;
    const struct log_record_node *record;
    bool versioned;
    bool needed;
    struct latch latch;
    uint8_t *key; /* VALUE_SIZE_MAX bytes: a node's key in one piece, allocated on demand */
};

static struct span span_at(const uint8_t *bytes, size_t size)
{
    return span_of(bytes, size);
}

static void fill_version(const struct node_redo *redo, enum version_operation operation, uint32_t entry_id,
                         struct bookmark bookmark, struct version_redo *version)
{
    memset(version, 0, sizeof(*version));
    version->operation = operation;
    version->database = redo->database;
    version->root = redo->record->tree_page;
    version->object = redo->record->tree_object;
    version->unique = (redo->record->page.flags & LOG_PAGE_UNIQUE) != 0;
    version->entry_id = entry_id;
    version->bookmark = bookmark;
}

/* Adds a version entry for the record's session, if the change was versioned. */
static JET_ERR add_version(const struct node_redo *redo, struct version_redo *version)
{
    if (!redo->versioned)
        return JET_errSuccess;
    return version_redo_entry(&redo->session->transaction, version);
}

/* Key and data of the node in the record's line, in memory that stays when the page changes (the data does
 * not). */
static JET_ERR node_bookmark(struct node_redo *redo, struct node *node, struct bookmark *bookmark)
{
    JET_ERR err = JET_errSuccess;
    TRY(apply_check_line(&redo->latch.page, redo->record->page.line));
    *node = node_get(&redo->latch.page, redo->record->page.line);
    ASSERT(redo->key == NULL); /* asked for once a record */
    redo->key = os_allocate(VALUE_SIZE_MAX);
    if (redo->key == NULL)
        FAIL(JET_errOutOfMemory);
    size_t size = key_copy(&node->key, 0, redo->key, VALUE_SIZE_MAX);
    bookmark->key = span_at(redo->key, size);
    bookmark->data = (redo->record->page.flags & LOG_PAGE_UNIQUE) != 0 ? span_at(NULL, 0) : node->data;
done:
    return err;
}

static JET_ERR redo_insert(struct node_redo *redo)
{
    JET_ERR err = JET_errSuccess;
    const struct log_record_insert *insert = (const void *)redo->record;
    size_t key_bytes = (size_t)insert->prefix_size + insert->suffix_size;
    struct span key = span_at(insert->data, key_bytes);
    struct span data = span_at(insert->data + key_bytes, insert->data_size);
    struct version_redo version;
    struct bookmark bookmark = {key, data};
    if ((redo->record->page.flags & LOG_PAGE_UNIQUE) != 0)
        bookmark.data = span_at(NULL, 0);
    fill_version(redo, VERSION_INSERT, redo->record->version_id, bookmark, &version);
    if (redo->needed)
        TRY(apply_check_insert(&redo->latch.page, redo->record->page.line, key, insert->prefix_size, data));
    TRY(add_version(redo, &version));
    if (redo->needed)
        apply_insert(&redo->latch.page, redo->record->page.line, key, insert->prefix_size, data,
                     redo->versioned);
done:
    return err;
}

static JET_ERR redo_flag_insert(struct node_redo *redo)
{
    JET_ERR err = JET_errSuccess;
    const struct log_record_flag_insert *insert = (const void *)redo->record;
    struct version_redo version;
    struct bookmark bookmark = {span_at(insert->data, insert->key_size),
                                span_at(insert->data + insert->key_size, insert->data_size)};
    if ((redo->record->page.flags & LOG_PAGE_UNIQUE) != 0)
        bookmark.data = span_at(NULL, 0);
    fill_version(redo, VERSION_INSERT, redo->record->version_id, bookmark, &version);
    if (redo->needed)
        TRY(apply_check_line(&redo->latch.page, redo->record->page.line));
    TRY(add_version(redo, &version));
    if (redo->needed)
        apply_flag_insert(&redo->latch.page, redo->record->page.line, redo->versioned);
done:
    return err;
}

static JET_ERR redo_flag_insert_and_replace(struct node_redo *redo)
{
    JET_ERR err = JET_errSuccess;
    const struct log_record_flag_insert_and_replace_data *record = (const void *)redo->record;
    struct span data = span_at(record->data + record->key_size, record->data_size);
    struct version_redo version;
    struct bookmark bookmark = {span_at(record->data, record->key_size), span_at(NULL, 0)};
    struct node node;
    if (redo->needed) {
        TRY(apply_check_replace(&redo->latch.page, redo->record->page.line, (uint32_t)data.size));
        node = node_get(&redo->latch.page, redo->record->page.line);
    }
    fill_version(redo, VERSION_INSERT, redo->record->version_id, bookmark, &version);
    TRY(add_version(redo, &version));
    if (!redo->needed)
        goto done;
    fill_version(redo, VERSION_REPLACE, record->replace_version_id, bookmark, &version);
    version.before_known = true;
    version.before = node.data;
    TRY(add_version(redo, &version));
    apply_flag_insert_and_replace(&redo->latch.page, redo->record->page.line, data, redo->versioned);
done:
    return err;
}

static JET_ERR replace_data(struct node_redo *redo, struct span before, uint8_t *expanded, struct span *after)
{
    JET_ERR err = JET_errSuccess;
    const struct log_record_replace *record = (const void *)redo->record;
    *after = span_at(record->data, record->size & LOG_REPLACE_SIZE_MASK);
    if (record->node.page.type == LOG_RECORD_REPLACE_DIFFERENCE) {
        uint32_t size = 0;
        TRY(apply_difference(before, *after, (record->size & LOG_REPLACE_DIFFERENCE2) != 0, expanded,
                             VALUE_SIZE_MAX, &size));
        *after = span_at(expanded, size);
    }
    if (after->size != record->new_size)
        FAIL(JET_errLogCorrupted);
    TRY(apply_check_replace(&redo->latch.page, record->node.page.line, (uint32_t)after->size));
done:
    return err;
}

static JET_ERR redo_replace(struct node_redo *redo)
{
    JET_ERR err = JET_errSuccess;
    uint8_t *expanded = NULL;
    struct version_redo version;
    struct bookmark bookmark;
    struct node node;
    struct span after;
    /* The page is newer: the before-image is in an undo-information record if it is still needed. */
    if (!redo->needed)
        goto done;
    expanded = os_allocate(VALUE_SIZE_MAX);
    if (expanded == NULL)
        FAIL(JET_errOutOfMemory);
    TRY(node_bookmark(redo, &node, &bookmark));
    TRY(replace_data(redo, node.data, expanded, &after));
    fill_version(redo, VERSION_REPLACE, redo->record->version_id, bookmark, &version);
    version.bookmark.data = span_at(NULL, 0);
    version.before_known = true;
    version.before = node.data;
    version.size_most = (int32_t)(after.size > node.data.size ? after.size : node.data.size);
    version.size_delta = (int32_t)after.size - (int32_t)node.data.size;
    TRY(add_version(redo, &version));
    apply_replace(&redo->latch.page, redo->record->page.line, after, redo->versioned);
done:
    os_free(expanded);
    return err;
}

static JET_ERR redo_flag_delete(struct node_redo *redo)
{
    JET_ERR err = JET_errSuccess;
    struct version_redo version;
    struct bookmark bookmark;
    struct node node;
    if (!redo->needed)
        goto done;
    TRY(node_bookmark(redo, &node, &bookmark));
    fill_version(redo, VERSION_FLAG_DELETE, redo->record->version_id, bookmark, &version);
    TRY(add_version(redo, &version));
    apply_flag_delete(&redo->latch.page, redo->record->page.line, redo->versioned);
done:
    return err;
}

static JET_ERR redo_delta(struct node_redo *redo)
{
    JET_ERR err = JET_errSuccess;
    struct version_redo version;
    bool wide = redo->record->page.type == LOG_RECORD_DELTA64;
    const struct log_record_delta *narrow = (const void *)redo->record;
    const struct log_record_delta64 *record64 = (const void *)redo->record;
    const uint8_t *bytes = wide ? record64->bookmark : narrow->bookmark;
    /* The sizes lie at the same place in both. */
    struct bookmark bookmark = {span_at(bytes, narrow->bookmark_key_size),
                                span_at(bytes + narrow->bookmark_key_size, narrow->bookmark_data_size)};
    int64_t delta = wide ? record64->delta : narrow->delta;
    uint32_t offset = wide ? record64->offset : narrow->offset;
    uint32_t width = wide ? 8 : 4;
    fill_version(redo, wide ? VERSION_DELTA64 : VERSION_DELTA, redo->record->version_id, bookmark, &version);
    version.delta = delta;
    version.offset = (uint16_t)offset;
    if (redo->needed)
        TRY(apply_check_delta(&redo->latch.page, redo->record->page.line, offset, width));
    TRY(add_version(redo, &version));
    if (redo->needed)
        apply_delta(&redo->latch.page, redo->record->page.line, offset, width, delta, redo->versioned);
done:
    return err;
}

/* A deferred before-image: never changes the page. */
static JET_ERR redo_undo_info(struct node_redo *redo)
{
    const struct log_record_undo_info *record = (const void *)redo->record;
    struct version_redo version;
    const uint8_t *data = record->data;
    if (transaction_level(&redo->session->transaction) == 0)
        return JET_errSuccess;
    struct bookmark bookmark = {span_at(data, record->bookmark_key_size),
                                span_at(data + record->bookmark_key_size, record->bookmark_data_size)};
    fill_version(redo, (enum version_operation)record->operation, redo->record->version_id, bookmark,
                 &version);
    version.before_known = true;
    version.before =
        span_at(data + record->bookmark_key_size + record->bookmark_data_size, record->data_size);
    version.size_most = record->maximum_size;
    version.size_delta = record->delta;
    return version_redo_undo_info(&redo->session->transaction, &version);
}

static JET_ERR redo_undo(struct node_redo *redo)
{
    JET_ERR err = JET_errSuccess;
    const struct log_record_undo *record = (const void *)redo->record;
    struct version_redo version;
    struct bookmark bookmark = {
        span_at(record->bookmark, record->bookmark_key_size),
        span_at(record->bookmark + record->bookmark_key_size, record->bookmark_data_size)};
    if (transaction_level(&redo->session->transaction) == 0)
        goto done;
    fill_version(redo, (enum version_operation)record->operation, redo->record->version_id, bookmark,
                 &version);
    if (redo->needed)
        TRY(version_redo_undo_page(&redo->session->transaction, &version, &redo->latch.page,
                                   redo->record->page.line));
    version_redo_undone(&redo->session->transaction, redo->record->version_id, &version);
done:
    return err;
}

/* The root becomes an empty leaf; its external header stays. */
static void empty_root(struct page *root)
{
    page_delete_lines(root, 0, page_line_count(root));
    page_header(root)->flags = (page_header(root)->flags & ~(uint32_t)PAGE_PARENT_OF_LEAF) | PAGE_LEAF;
}

static JET_ERR redo_empty_tree(struct node_redo *redo)
{
    JET_ERR err = JET_errSuccess;
    const struct log_record_empty_tree *record = (const void *)redo->record;
    for (size_t i = 0; i + sizeof(struct log_empty_page) <= record->list_size;
         i += sizeof(struct log_empty_page)) {
        struct log_empty_page entry;
        struct latch latch = LATCH_INIT;
        enum redo_need need;
        memcpy(&entry, record->data + i, sizeof(entry));
        if (entry.page == record->node.page.page)
            FAIL(JET_errLogCorrupted); /* the root is latched, and not one of those that go */
        TRY(recovery_latch(redo->recovery, redo->database, entry.page, record->node.page.dbtime,
                           entry.dbtime_before, &latch, &need));
        if (need == REDO_NEEDED) {
            recovery_empty_page(&latch.page);
            recovery_latch_changed(redo->recovery, &latch, record->node.page.dbtime);
        }
        cache_unlatch(&latch);
    }
    if (redo->needed)
        empty_root(&redo->latch.page);
done:
    return err;
}

static JET_ERR dispatch(struct node_redo *redo)
{
    JET_ERR err = JET_errSuccess;
    struct page *page = &redo->latch.page;
    switch (redo->record->page.type) {
    case LOG_RECORD_INSERT:
        return redo_insert(redo);
    case LOG_RECORD_FLAG_INSERT:
        return redo_flag_insert(redo);
    case LOG_RECORD_FLAG_INSERT_AND_REPLACE_DATA:
        return redo_flag_insert_and_replace(redo);
    case LOG_RECORD_REPLACE:
    case LOG_RECORD_REPLACE_DIFFERENCE:
        return redo_replace(redo);
    case LOG_RECORD_FLAG_DELETE:
        return redo_flag_delete(redo);
    case LOG_RECORD_DELTA:
    case LOG_RECORD_DELTA64:
        return redo_delta(redo);
    case LOG_RECORD_UNDO_INFO:
        return redo_undo_info(redo);
    case LOG_RECORD_UNDO:
        return redo_undo(redo);
    case LOG_RECORD_EMPTY_TREE:
        return redo_empty_tree(redo);
    case LOG_RECORD_SET_EXTERNAL_HEADER:
        if (redo->needed) {
            const struct log_record_set_external_header *header = (const void *)redo->record;
            if (header->data_size > page_external_header(page).size + page_free_bytes(page))
                FAIL(JET_errLogCorrupted);
            apply_external_header(page, span_at(header->data, header->data_size));
        }
        break;
    default:
        ASSERT(redo->record->page.type == LOG_RECORD_DELETE);
        if (redo->needed) {
            TRY(apply_check_line(page, redo->record->page.line));
            apply_delete(page, redo->record->page.line);
        }
        break;
    }
done:
    return err;
}

JET_ERR recovery_redo_node(struct recovery *recovery, const struct log_record_node *record, size_t size)
{
    JET_ERR err = JET_errSuccess;
    struct node_redo redo = {.recovery = recovery, .record = record, .latch = LATCH_INIT};
    enum redo_need need = REDO_NOT_NEEDED;
    bool undo_info = record->page.type == LOG_RECORD_UNDO_INFO;
    TRY(recovery_session(recovery, record->page.process_id, &redo.session));
    struct recovery_macro *macro = recovery_find_macro(redo.session, record->page.dbtime);
    redo.database =
        recovery_target(recovery, record->page.database_id, record->page.dbtime, record->tree_object);
    if (recovery_session_redoes(redo.session, &record->page) && macro != NULL && !undo_info)
        FAIL(recovery_macro_add(macro, record, size));
    if (redo.database == NULL || !recovery_session_redoes(redo.session, &record->page))
        goto done;
    version_store_raise_ids(recovery->set->versions, 0, record->version_id);
    redo.versioned = (record->page.flags & LOG_PAGE_VERSIONED) != 0;
    if (!undo_info)
        TRY(recovery_latch(recovery, redo.database, record->page.page, record->page.dbtime,
                           record->page.dbtime_before, &redo.latch, &need));
    redo.needed = need == REDO_NEEDED;
    /* What running transactions may claim is not kept while the log is redone: the undo that follows takes
     * what is free. */
    if (redo.needed)
        page_set_uncommitted_free(&redo.latch.page, 0);
    TRY(dispatch(&redo));
    if (redo.needed)
        recovery_latch_changed(recovery, &redo.latch, record->page.dbtime);
done:
    cache_unlatch(&redo.latch);
    os_free(redo.key);
    return err;
}
