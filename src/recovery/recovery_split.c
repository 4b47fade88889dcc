/* Redo of splits: the records of a macro, one a level from the top down, and the change of a node that asked
 * for room. */
#include "src/btree/apply_split.h"
#include "src/os/memory.h"
#include "src/recovery/recovery_internal.h"

#define LEVELS_MAX 16

struct split_level {
    const struct log_record_split2 *record;
    struct latch page;
    struct latch new_page;
    struct latch right;
};

struct split_redo {
    struct recovery *recovery;
    struct recovery_session *session;
    struct database *database;
    uint64_t time;
    size_t count;
    struct split_level levels[LEVELS_MAX];
    struct split_step steps[LEVELS_MAX];
    const struct log_record_node *operation; /* NULL: none in this macro */
    struct split_change change;
    uint8_t *scratch; /* two pages' worth */
};

static JET_ERR collect(struct split_redo *redo, const struct recovery_macro *macro)
{
    for (size_t offset = 0; offset < macro->size;) {
        const struct log_record_page *record = (const void *)(macro->records + offset);
        size_t size = log_record_size(record, macro->size - offset);
        ASSERT(size > 0); /* a record that was read once */
        if (record->type == LOG_RECORD_SPLIT2) {
            if (redo->count == LEVELS_MAX || redo->operation != NULL)
                return JET_errLogCorrupted;
            redo->levels[redo->count++].record = (const void *)record;
        } else if (log_record_is_node(record->type) && redo->operation == NULL) {
            redo->operation = (const void *)record;
        } else {
            return JET_errLogCorrupted;
        }
        offset += size;
    }
    ASSERT(redo->count > 0); /* the macro's first record is one */
    return JET_errSuccess;
}

static bool pages_differ(const struct split_redo *redo)
{
    page_number pages[LEVELS_MAX * 3];
    size_t count = 0;
    for (size_t i = 0; i < redo->count; i++) {
        const struct log_record_split *record = &redo->levels[i].record->split;
        pages[count++] = record->page.page;
        pages[count++] = record->new_page;
        pages[count++] = record->right_page;
    }
    return recovery_pages_differ(pages, count);
}

static JET_ERR read_operation(struct split_redo *redo)
{
    const struct log_record_node *operation = redo->operation;
    if (operation == NULL)
        return JET_errSuccess;
    redo->change.versioned = (operation->page.flags & LOG_PAGE_VERSIONED) != 0;
    switch (operation->page.type) {
    case LOG_RECORD_INSERT: {
        const struct log_record_insert *insert = (const void *)operation;
        size_t key = (size_t)insert->prefix_size + insert->suffix_size;
        redo->change.key = span_of(insert->data, key);
        redo->change.data = span_of(insert->data + key, insert->data_size);
        return JET_errSuccess;
    }
    case LOG_RECORD_FLAG_INSERT_AND_REPLACE_DATA: {
        const struct log_record_flag_insert_and_replace_data *record = (const void *)operation;
        redo->change.key = span_of(record->data, record->key_size);
        redo->change.data = span_of(record->data + record->key_size, record->data_size);
        return JET_errSuccess;
    }
    case LOG_RECORD_REPLACE: {
        const struct log_record_replace *replace = (const void *)operation;
        redo->change.data = span_of(replace->data, replace->size & LOG_REPLACE_SIZE_MASK);
        return replace->new_size == redo->change.data.size ? JET_errSuccess : JET_errLogCorrupted;
    }
    default:
        return JET_errLogCorrupted;
    }
}

/* The page was written after the split, the new page was not: the page as it was before the split comes back
 * from the record, and is redone from there on. */
static JET_ERR restore_image(struct split_redo *redo, struct split_level *level)
{
    const struct log_record_split2 *record = level->record;
    const uint8_t *image = record->data + record->split.parent_key_size +
                           record->split.prefix_split_old_size + record->split.prefix_split_new_size;
    struct page page = {redo->scratch, level->page.page.size, level->page.page.number};
    JET_ERR err = recovery_expand_image(redo->recovery, image, record->before_image_size, record->flags,
                                        page.size, redo->scratch);
    if (err < JET_errSuccess)
        return err;
    err = page_check(&page);
    if (err < JET_errSuccess)
        return JET_errLogCorrupted;
    memcpy(level->page.page.data, redo->scratch, page.size);
    return JET_errSuccess;
}

/* Latches the pages of one level and finds out which need the change. */
static JET_ERR latch_level(struct split_redo *redo, size_t index)
{
    JET_ERR err = JET_errSuccess;
    struct split_level *level = &redo->levels[index];
    struct split_step *step = &redo->steps[index];
    const struct log_record_split *record = &level->record->split;
    enum redo_need need = REDO_NOT_NEEDED;
    TRY(recovery_latch(redo->recovery, redo->database, record->page.page, redo->time,
                       record->page.dbtime_before, &level->page, &need));
    step->change_page = need == REDO_NEEDED;
    if (record->new_page == PAGE_NUMBER_NULL)
        goto done;
    if (latch_is_held(&level->page)) {
        TRY(recovery_latch_new(redo->recovery, redo->database, record->new_page, redo->time, &level->new_page,
                               &need));
        step->change_new = need == REDO_NEEDED;
    } else {
        /* What the new page is made of is missing: so is the new page, unless it has been written since. */
        TRY(recovery_latch(redo->recovery, redo->database, record->new_page, redo->time, 0, &level->new_page,
                           &need));
    }
    if (step->change_new && !step->change_page && level->record->before_image_size > 0 &&
        latch_is_held(&level->page)) {
        TRY(restore_image(redo, level));
        step->change_page = true;
    }
    if (record->right_page != PAGE_NUMBER_NULL) {
        TRY(recovery_latch(redo->recovery, redo->database, record->right_page, redo->time,
                           record->dbtime_right_before, &level->right, &need));
        step->change_right = need == REDO_NEEDED;
    }
done:
    return err;
}

static void fill_step(struct split_redo *redo, size_t index)
{
    struct split_level *level = &redo->levels[index];
    struct split_step *step = &redo->steps[index];
    const struct log_record_split *record = &level->record->split;
    const uint8_t *data = level->record->data;
    step->page = level->page.page;
    step->new_page = level->new_page.page;
    step->right_page = level->right.page;
    step->splits = record->new_page != PAGE_NUMBER_NULL;
    step->split_number = record->page.page;
    step->new_number = record->new_page;
    step->right_number = record->right_page;
    step->type = (enum split_type)record->split_type;
    step->operation = (enum split_operation)record->split_operation;
    step->operation_line = record->operation_line;
    step->split_line = record->split_line;
    step->line_count = record->line_count;
    /* The engine marks the checksum's format when it writes a page, and does not log it. */
    step->new_flags = record->new_page_flags | PAGE_NEW_CHECKSUM;
    step->split_flags = record->split_page_flags | PAGE_NEW_CHECKSUM;
    step->uncommitted_free_split = (uint16_t)record->uncommitted_free_source;
    step->uncommitted_free_new = (uint16_t)record->uncommitted_free_destination;
    step->prefix_line_split = record->prefix_line_split;
    step->prefix_line_new = record->prefix_line_new;
    step->parent_key = span_of(data, record->parent_key_size);
    step->prefix_split = span_of(data + record->parent_key_size + record->prefix_split_old_size,
                                 record->prefix_split_new_size);
}

/* --- version entries of the change in the leaf --- */

static void fill_version(const struct split_redo *redo, enum version_operation operation, uint32_t entry_id,
                         struct bookmark bookmark, struct version_redo *version)
{
    memset(version, 0, sizeof(*version));
    version->operation = operation;
    version->database = redo->database;
    version->root = redo->operation->tree_page;
    version->object = redo->operation->tree_object;
    version->unique = (redo->operation->page.flags & LOG_PAGE_UNIQUE) != 0;
    version->entry_id = entry_id;
    version->bookmark = bookmark;
}

static JET_ERR add_replace(struct split_redo *redo, const struct split_step *leaf, uint32_t entry_id)
{
    JET_ERR err = JET_errSuccess;
    struct version_redo version;
    struct bookmark bookmark;
    if (!leaf->change_page || leaf->operation_line >= page_line_count(&leaf->page))
        goto done;
    struct node node = node_get(&leaf->page, leaf->operation_line);
    size_t size = key_copy(&node.key, 0, redo->scratch, leaf->page.size);
    bookmark.key = span_of(redo->scratch, size);
    bookmark.data = span_of(NULL, 0);
    fill_version(redo, VERSION_REPLACE, entry_id, bookmark, &version);
    version.before_known = true;
    version.before = node.data;
    version.size_most =
        (int32_t)(redo->change.data.size > node.data.size ? redo->change.data.size : node.data.size);
    version.size_delta = (int32_t)redo->change.data.size - (int32_t)node.data.size;
    TRY(version_redo_entry(&redo->session->transaction, &version));
done:
    return err;
}

static JET_ERR add_versions(struct split_redo *redo)
{
    JET_ERR err = JET_errSuccess;
    const struct split_step *leaf = &redo->steps[redo->count - 1];
    struct version_redo version;
    if (redo->operation == NULL || leaf->operation == SPLIT_OPERATION_NONE || !redo->change.versioned)
        goto done;
    version_store_raise_ids(redo->recovery->set->versions, 0, redo->operation->version_id);
    bool needed = leaf->operation_line < leaf->split_line ? leaf->change_page : leaf->change_new;
    if (leaf->operation == SPLIT_OPERATION_REPLACE) {
        if (needed)
            TRY(add_replace(redo, leaf, redo->operation->version_id));
        goto done;
    }
    struct bookmark bookmark = {redo->change.key, redo->change.data};
    if ((redo->operation->page.flags & LOG_PAGE_UNIQUE) != 0)
        bookmark.data = span_of(NULL, 0);
    fill_version(redo, VERSION_INSERT, redo->operation->version_id, bookmark, &version);
    TRY(version_redo_entry(&redo->session->transaction, &version));
    if (leaf->operation == SPLIT_OPERATION_FLAG_INSERT_AND_REPLACE && needed)
        TRY(add_replace(
            redo, leaf,
            ((const struct log_record_flag_insert_and_replace_data *)(const void *)redo->operation)
                ->replace_version_id));
done:
    return err;
}

static void finish(struct split_redo *redo, bool changed)
{
    for (size_t i = redo->count; i-- > 0;) {
        struct split_level *level = &redo->levels[i];
        const struct split_step *step = &redo->steps[i];
        if (changed && step->change_page)
            recovery_latch_changed(redo->recovery, &level->page, redo->time);
        if (changed && step->change_new)
            recovery_latch_changed(redo->recovery, &level->new_page, redo->time);
        if (changed && step->change_right)
            recovery_latch_changed(redo->recovery, &level->right, redo->time);
        cache_unlatch(&level->right);
        cache_unlatch(&level->new_page);
        cache_unlatch(&level->page);
    }
}

JET_ERR recovery_redo_split(struct recovery *recovery, struct recovery_session *session,
                            const struct recovery_macro *macro)
{
    JET_ERR err = JET_errSuccess;
    bool changed = false;
    struct split_redo *redo = os_allocate_zeroed(sizeof(*redo));
    if (redo == NULL)
        return JET_errOutOfMemory;
    redo->recovery = recovery;
    redo->session = session;
    redo->time = macro->dbtime;
    TRY(collect(redo, macro));
    if (!pages_differ(redo))
        FAIL(JET_errLogCorrupted);
    TRY(read_operation(redo));
    const struct log_record_split *first = &redo->levels[0].record->split;
    redo->database = recovery_target(recovery, first->page.database_id, redo->time, first->tree_object);
    if (redo->database == NULL)
        goto done;
    redo->scratch = os_allocate_pages((size_t)redo->database->page_size * 2);
    if (redo->scratch == NULL)
        FAIL(JET_errOutOfMemory);
    for (size_t i = 0; i < redo->count; i++) {
        TRY(latch_level(redo, i));
        fill_step(redo, i);
    }
    TRY(apply_check_split(redo->steps, redo->count, &redo->change));
    TRY(add_versions(redo));
    apply_split(redo->steps, redo->count, &redo->change, first->tree_object, redo->time, redo->scratch);
    changed = true;
done:
    finish(redo, changed);
    os_free(redo->scratch);
    os_free(redo);
    return err;
}
