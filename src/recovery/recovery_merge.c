/* Redo of merges: the records of a macro, one a level from the top down; the last one says what moves where.
 */
#include "src/btree/apply_merge.h"
#include "src/os/memory.h"
#include "src/recovery/recovery_internal.h"

#define LEVELS_MAX 16

struct merge_level {
    const struct log_record_merge2 *record;
    struct latch page;
    bool change;
};

struct merge_redo {
    struct recovery *recovery;
    struct database *database;
    uint64_t time;
    size_t count;
    struct merge_level levels[LEVELS_MAX];
    struct latch left;
    struct latch right;
    bool change_left;
    bool change_right;
    uint8_t *scratch; /* two pages' worth */
};

static JET_ERR collect(struct merge_redo *redo, const struct recovery_macro *macro)
{
    for (size_t offset = 0; offset < macro->size;) {
        const struct log_record_page *record = (const void *)(macro->records + offset);
        size_t size = log_record_size(record, macro->size - offset);
        ASSERT(size > 0); /* a record that was read once */
        if (record->type != LOG_RECORD_MERGE2 || redo->count == LEVELS_MAX)
            return JET_errLogCorrupted;
        redo->levels[redo->count++].record = (const void *)record;
        offset += size;
    }
    ASSERT(redo->count > 0); /* the macro's first record is one */
    return JET_errSuccess;
}

static const struct log_record_merge2 *leaf_record(const struct merge_redo *redo)
{
    return redo->levels[redo->count - 1].record;
}

static bool pages_differ(const struct merge_redo *redo)
{
    page_number pages[LEVELS_MAX + 2];
    size_t count = 0;
    for (size_t i = 0; i < redo->count; i++)
        pages[count++] = redo->levels[i].record->merge.page.page;
    pages[count++] = leaf_record(redo)->merge.left_page;
    pages[count++] = leaf_record(redo)->merge.right_page;
    return recovery_pages_differ(pages, count);
}

static bool moves_left(const struct log_record_merge *record)
{
    return record->merge_type == MERGE_FULL_LEFT || record->merge_type == MERGE_PARTIAL_LEFT;
}

static bool is_partial(const struct log_record_merge *record)
{
    return record->merge_type == MERGE_PARTIAL_LEFT || record->merge_type == MERGE_PARTIAL_RIGHT;
}

static JET_ERR latch_page(struct merge_redo *redo, page_number page, uint64_t before, struct latch *latch,
                          bool *change)
{
    enum redo_need need = REDO_NOT_NEEDED;
    if (page == PAGE_NUMBER_NULL)
        return JET_errSuccess;
    JET_ERR err = recovery_latch(redo->recovery, redo->database, page, redo->time, before, latch, &need);
    *change = need == REDO_NEEDED;
    return err;
}

/* The source was written after the merge, the page that takes its nodes was not: the source as it was before
 * comes back. */
static JET_ERR restore_source(struct merge_redo *redo)
{
    const struct log_record_merge2 *record = leaf_record(redo);
    struct merge_level *leaf = &redo->levels[redo->count - 1];
    bool target_needed = moves_left(&record->merge) ? redo->change_left : redo->change_right;
    if (record->merge.merge_type == MERGE_EMPTY_PAGE || !target_needed || leaf->change)
        return JET_errSuccess;
    if (record->before_image_size == 0 || !latch_is_held(&leaf->page))
        return JET_errDatabaseBufferDependenciesCorrupted;
    struct page page = {redo->scratch, leaf->page.page.size, leaf->page.page.number};
    JET_ERR err = recovery_expand_image(redo->recovery, record->data + record->merge.parent_separator_size,
                                        record->before_image_size, record->flags, page.size, redo->scratch);
    if (err < JET_errSuccess)
        return err;
    if (page_check(&page) < JET_errSuccess)
        return JET_errLogCorrupted;
    memcpy(leaf->page.page.data, redo->scratch, page.size);
    leaf->change = true;
    return JET_errSuccess;
}

static JET_ERR latch_all(struct merge_redo *redo)
{
    JET_ERR err = JET_errSuccess;
    const struct log_record_merge *last = &leaf_record(redo)->merge;
    for (size_t i = 0; i < redo->count; i++) {
        struct merge_level *level = &redo->levels[i];
        const struct log_record_merge *record = &level->record->merge;
        if (i + 1 == redo->count)
            TRY(latch_page(redo, last->left_page, last->dbtime_left_before, &redo->left, &redo->change_left));
        TRY(latch_page(redo, record->page.page, record->page.dbtime_before, &level->page, &level->change));
    }
    TRY(latch_page(redo, last->right_page, last->dbtime_right_before, &redo->right, &redo->change_right));
    TRY(restore_source(redo));
done:
    return err;
}

/* --- what happens to the pages --- */

void recovery_empty_page(struct page *page)
{
    page_delete_lines(page, 0, page_line_count(page));
    page_set_external_header(page, NULL, 0);
    page_header(page)->flags |= PAGE_EMPTY;
}

static JET_ERR move_nodes(struct merge_redo *redo)
{
    JET_ERR err = JET_errSuccess;
    const struct log_record_merge *record = &leaf_record(redo)->merge;
    struct merge_level *leaf = &redo->levels[redo->count - 1];
    bool left = moves_left(record);
    struct latch *target = left ? &redo->left : &redo->right;
    if (!(left ? redo->change_left : redo->change_right) || !leaf->change)
        return JET_errSuccess;
    uint32_t count = page_line_count(&leaf->page.page);
    if (record->merge_line > count || (left && record->merge_line >= count))
        return JET_errLogCorrupted;
    uint32_t first = left ? 0 : record->merge_line;
    uint32_t end = left ? (uint32_t)record->merge_line + 1 : count;
    uint32_t place = left ? page_line_count(&target->page) : 0;
    TRY(apply_move_nodes(&leaf->page.page, first, end, &target->page, place, redo->scratch));
    page_set_uncommitted_free(&target->page, record->uncommitted_free_destination);
done:
    return err;
}

static JET_ERR change_leaf(struct merge_redo *redo)
{
    JET_ERR err = JET_errSuccess;
    const struct log_record_merge *record = &leaf_record(redo)->merge;
    struct merge_level *leaf = &redo->levels[redo->count - 1];
    if (record->merge_type != MERGE_EMPTY_PAGE)
        TRY(move_nodes(redo));
    if (leaf->change && record->merge_type == MERGE_PARTIAL_RIGHT)
        page_delete_lines(&leaf->page.page, record->merge_line,
                          page_line_count(&leaf->page.page) - record->merge_line);
    if (leaf->change && record->merge_type == MERGE_PARTIAL_LEFT)
        page_delete_lines(&leaf->page.page, 0, (uint32_t)record->merge_line + 1);
    if (!is_partial(record)) {
        if (redo->change_left)
            page_header(&redo->left.page)->next = record->right_page;
        if (redo->change_right)
            page_header(&redo->right.page)->previous = record->left_page;
    }
    if (leaf->change && (record->flags & LOG_MERGE_EMPTY_PAGE) != 0)
        recovery_empty_page(&leaf->page.page);
done:
    return err;
}

/* Gives a pointer another key. */
static JET_ERR change_key(struct page *page, uint32_t line, struct span bytes)
{
    if (line >= page_line_count(page))
        return JET_errLogCorrupted;
    page_number child = node_child(page, line);
    struct key key = key_of(bytes.bytes, bytes.size);
    size_t prefix = node_prefix_size(page, &key);
    page_delete_lines(page, line, 1);
    if (!page_has_room(page,
                       (uint32_t)(node_size(bytes.size, sizeof(child), prefix) - sizeof(struct page_tag))))
        return JET_errLogCorrupted;
    struct node node = {key, span_of(&child, sizeof(child)), 0};
    node_insert(page, line, &node, prefix);
    return JET_errSuccess;
}

static JET_ERR delete_pointer(struct page *page, uint32_t line)
{
    uint32_t count = page_line_count(page);
    if (line >= count)
        return JET_errLogCorrupted;
    struct node node = node_get(page, line);
    bool was_last = line + 1 == count && key_size(&node.key) == 0;
    page_delete_lines(page, line, 1);
    /* The last pointer's key stands for "above all". */
    return was_last && line > 0 ? change_key(page, line - 1, span_of(NULL, 0)) : JET_errSuccess;
}

static JET_ERR change_parent(struct merge_redo *redo, struct merge_level *level)
{
    JET_ERR err = JET_errSuccess;
    const struct log_record_merge *record = &level->record->merge;
    const struct log_record_merge2 *last = leaf_record(redo);
    struct page *page = &level->page.page;
    bool key_change = (record->flags & LOG_MERGE_KEY_CHANGE) != 0;
    bool delete_node = (record->flags & LOG_MERGE_DELETE_NODE) != 0;
    uint32_t line = record->page.line;
    if (last->merge.merge_type == MERGE_FULL_LEFT && key_change && delete_node) {
        if (line == 0 || line >= page_line_count(page))
            FAIL(JET_errLogCorrupted);
        page_number left = last->merge.left_page;
        node_replace_data(page, line, span_of(&left, sizeof(left)));
        page_delete_lines(page, line - 1, 1);
    } else if (delete_node) {
        TRY(delete_pointer(page, line));
    } else if (key_change) {
        bool partial_left = last->merge.merge_type == MERGE_PARTIAL_LEFT;
        if (partial_left && line == 0)
            FAIL(JET_errLogCorrupted);
        TRY(change_key(page, partial_left ? line - 1 : line,
                       span_of(last->data, last->merge.parent_separator_size)));
    }
    if ((record->flags & LOG_MERGE_EMPTY_PAGE) != 0)
        recovery_empty_page(page);
done:
    return err;
}

static void finish(struct merge_redo *redo, bool changed)
{
    if (changed && redo->change_right)
        recovery_latch_changed(redo->recovery, &redo->right, redo->time);
    if (changed && redo->change_left)
        recovery_latch_changed(redo->recovery, &redo->left, redo->time);
    cache_unlatch(&redo->right);
    for (size_t i = redo->count; i-- > 0;) {
        if (changed && redo->levels[i].change)
            recovery_latch_changed(redo->recovery, &redo->levels[i].page, redo->time);
        cache_unlatch(&redo->levels[i].page);
    }
    cache_unlatch(&redo->left);
}

JET_ERR recovery_redo_merge(struct recovery *recovery, const struct recovery_macro *macro)
{
    JET_ERR err = JET_errSuccess;
    bool changed = false;
    struct merge_redo *redo = os_allocate_zeroed(sizeof(*redo));
    if (redo == NULL)
        return JET_errOutOfMemory;
    redo->recovery = recovery;
    redo->time = macro->dbtime;
    TRY(collect(redo, macro));
    if (!pages_differ(redo))
        FAIL(JET_errLogCorrupted);
    const struct log_record_merge *first = &redo->levels[0].record->merge;
    redo->database = recovery_target(recovery, first->page.database_id, redo->time, first->tree_object);
    if (redo->database == NULL)
        goto done;
    redo->scratch = os_allocate_pages((size_t)redo->database->page_size * 2);
    if (redo->scratch == NULL)
        FAIL(JET_errOutOfMemory);
    TRY(latch_all(redo));
    for (size_t i = 0; i + 1 < redo->count; i++) {
        if (redo->levels[i].change)
            TRY(change_parent(redo, &redo->levels[i]));
    }
    TRY(change_leaf(redo));
    changed = true;
done:
    finish(redo, changed);
    os_free(redo->scratch);
    os_free(redo);
    return err;
}
