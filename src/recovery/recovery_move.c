/* Redo of moved pages: online defragmentation and shrinking copy a page to another place and point to it from
 * there on (engine sources: `bt.cxx`, `logredo.cxx`). This engine moves no pages, but reads logs of those
 * that do. */
#include "src/os/memory.h"
#include "src/recovery/recovery_internal.h"

struct move_redo {
    const struct log_record_page_move *record;
    struct latch source;
    struct latch target;
    struct latch parent;
    struct latch left;
    struct latch right;
    bool change_source;
    bool change_target;
    bool change_parent;
    bool change_left;
    bool change_right;
};

static JET_ERR latch_one(struct recovery *recovery, struct database *database, const struct move_redo *redo,
                         page_number page, uint64_t before, struct latch *latch, bool *change)
{
    enum redo_need need = REDO_NOT_NEEDED;
    if (page == PAGE_NUMBER_NULL)
        return JET_errSuccess;
    JET_ERR err = recovery_latch(recovery, database, page, redo->record->page.dbtime, before, latch, &need);
    *change = need == REDO_NEEDED;
    return err;
}

/* The source was emptied and written, the target was not written: the record has the source as it was. */
static JET_ERR restore_source(struct move_redo *redo)
{
    const struct log_record_page_move *record = redo->record;
    struct page *source = &redo->source.page;
    if (!latch_is_held(&redo->source))
        return JET_errDatabaseBufferDependenciesCorrupted;
    size_t head = record->page_header_size;
    size_t tail = record->page_trailer_size;
    if (head > source->size || tail > source->size - head || head < page_header_size(source->size))
        return JET_errLogCorrupted;
    struct page image = {os_allocate_pages(source->size), source->size, source->number};
    if (image.data == NULL)
        return JET_errOutOfMemory;
    memset(image.data, 0, source->size);
    memcpy(image.data, record->data, head);
    memcpy(image.data + source->size - tail, record->data + head, tail);
    JET_ERR err = page_check(&image) < JET_errSuccess ? JET_errLogCorrupted : JET_errSuccess;
    if (err >= JET_errSuccess) {
        memcpy(source->data, image.data, source->size);
        redo->change_source = true;
    }
    os_free(image.data);
    return err;
}

static JET_ERR latch_all(struct recovery *recovery, struct database *database, struct move_redo *redo)
{
    JET_ERR err = JET_errSuccess;
    const struct log_record_page_move *record = redo->record;
    enum redo_need need = REDO_NOT_NEEDED;
    TRY(latch_one(recovery, database, redo, record->parent_page, record->dbtime_parent_before, &redo->parent,
                  &redo->change_parent));
    TRY(latch_one(recovery, database, redo, record->page.page, record->page.dbtime_before, &redo->source,
                  &redo->change_source));
    TRY(latch_one(recovery, database, redo, record->left_page, record->dbtime_left_before, &redo->left,
                  &redo->change_left));
    TRY(latch_one(recovery, database, redo, record->right_page, record->dbtime_right_before, &redo->right,
                  &redo->change_right));
    TRY(recovery_latch_new(recovery, database, record->destination_page, record->page.dbtime, &redo->target,
                           &need));
    redo->change_target = need == REDO_NEEDED;
    if (redo->change_target && !redo->change_source)
        TRY(restore_source(redo));
done:
    return err;
}

static JET_ERR point_to_target(struct move_redo *redo)
{
    struct page *parent = &redo->parent.page;
    const struct log_record_page_move *record = redo->record;
    page_number target = record->destination_page;
    if (record->parent_line < 0 || (uint32_t)record->parent_line >= page_line_count(parent) ||
        page_is_leaf(parent) || node_child(parent, (uint32_t)record->parent_line) != record->page.page)
        return JET_errLogCorrupted;
    node_replace_data(parent, (uint32_t)record->parent_line, span_of(&target, sizeof(target)));
    return JET_errSuccess;
}

static void fill_target(struct move_redo *redo)
{
    struct page *target = &redo->target.page;
    memcpy(target->data, redo->source.page.data, target->size);
    if (page_size_is_large(target->size))
        ((struct large_page_header *)(void *)target->data)->number = target->number;
}

static JET_ERR move(struct move_redo *redo)
{
    JET_ERR err = JET_errSuccess;
    if (redo->change_parent)
        TRY(point_to_target(redo));
    if (redo->change_target)
        fill_target(redo);
    if (redo->change_source)
        recovery_empty_page(&redo->source.page);
    if (redo->change_left)
        page_header(&redo->left.page)->next = redo->record->destination_page;
    if (redo->change_right)
        page_header(&redo->right.page)->previous = redo->record->destination_page;
done:
    return err;
}

static void finish(struct recovery *recovery, struct move_redo *redo, bool changed)
{
    struct latch *latches[] = {&redo->target, &redo->right, &redo->left, &redo->source, &redo->parent};
    const bool changes[] = {redo->change_target, redo->change_right, redo->change_left, redo->change_source,
                            redo->change_parent};
    for (size_t i = 0; i < sizeof(latches) / sizeof(latches[0]); i++) {
        if (changed && changes[i])
            recovery_latch_changed(recovery, latches[i], redo->record->page.dbtime);
        cache_unlatch(latches[i]);
    }
}

static bool pages_differ(const struct log_record_page_move *record)
{
    const page_number pages[] = {record->page.page, record->destination_page, record->parent_page,
                                 record->left_page, record->right_page};
    return recovery_pages_differ(pages, sizeof(pages) / sizeof(pages[0]));
}

JET_ERR recovery_redo_page_move(struct recovery *recovery, const struct log_record_page_move *record)
{
    JET_ERR err = JET_errSuccess;
    struct move_redo redo = {.record = record};
    bool changed = false;
    struct recovery_session *session = NULL;
    if (record->move_flags != 0)
        return JET_errBadLogVersion; /* roots move with all that points to them, the catalog too */
    TRY(recovery_session(recovery, record->page.process_id, &session));
    struct database *database =
        recovery_target(recovery, record->page.database_id, record->page.dbtime, record->tree_object);
    if (database == NULL || !recovery_session_redoes(session, &record->page))
        goto done;
    if (record->parent_page == PAGE_NUMBER_NULL || !pages_differ(record))
        FAIL(JET_errLogCorrupted);
    TRY(latch_all(recovery, database, &redo));
    TRY(move(&redo));
    changed = true;
done:
    finish(recovery, &redo, changed);
    return err;
}
