/* Redo of what makes trees and changes the size of files. */
#include "src/btree/apply_space.h"
#include "src/os/file.h"
#include "src/os/memory.h"
#include "src/recovery/recovery_internal.h"

static JET_ERR redo_single(struct recovery *recovery, struct database *database,
                           const struct log_record_create_single_extent_fdp *record)
{
    JET_ERR err = JET_errSuccess;
    struct latch root = LATCH_INIT;
    enum redo_need need;
    struct create_tree_change change = {
        .root = record->page.page,
        .object = record->object,
        .unique = (record->page.flags & LOG_PAGE_UNIQUE) != 0,
        .parent = record->parent_tree_page,
        .pages = record->primary_pages,
        .page_flags = record->page_flags,
        .modified = record->page.dbtime,
    };
    TRY(recovery_latch_new(recovery, database, change.root, change.modified, &root, &need));
    if (need == REDO_NEEDED) {
        apply_create_single(&root.page, &change);
        recovery_latch_changed(recovery, &root, change.modified);
    }
done:
    cache_unlatch(&root);
    return err;
}

/* Root, owned extents, available extents: each as far as it needs it. */
struct three_pages {
    struct latch latches[3];
    enum redo_need need[3];
};

static void finish_three(struct recovery *recovery, struct three_pages *pages, uint64_t time, bool changed)
{
    for (int i = 2; i >= 0; i--) {
        if (changed && pages->need[i] == REDO_NEEDED)
            recovery_latch_changed(recovery, &pages->latches[i], time);
        cache_unlatch(&pages->latches[i]);
    }
}

static struct page *needed_page(struct three_pages *pages, int index)
{
    return pages->need[index] == REDO_NEEDED ? &pages->latches[index].page : NULL;
}

static JET_ERR redo_multiple(struct recovery *recovery, struct database *database,
                             const struct log_record_create_multiple_extent_fdp *record)
{
    JET_ERR err = JET_errSuccess;
    struct three_pages pages;
    page_number numbers[3] = {record->page.page, record->owned_page, record->available_page};
    struct create_tree_change change = {
        .root = record->page.page,
        .object = record->object,
        .unique = (record->page.flags & LOG_PAGE_UNIQUE) != 0,
        .parent = record->parent_tree_page,
        .pages = record->primary_pages,
        .page_flags = record->page_flags,
        .owned_root = record->owned_page,
        .modified = record->page.dbtime,
    };
    memset(&pages, 0, sizeof(pages));
    if (record->available_page != record->owned_page + 1 || !recovery_pages_differ(numbers, 3))
        FAIL(JET_errLogCorrupted);
    for (int i = 0; i < 3; i++)
        TRY(recovery_latch_new(recovery, database, numbers[i], change.modified, &pages.latches[i],
                               &pages.need[i]));
    apply_create_multiple(needed_page(&pages, 0), needed_page(&pages, 1), needed_page(&pages, 2), &change);
done:
    finish_three(recovery, &pages, change.modified, err >= JET_errSuccess);
    return err;
}

JET_ERR recovery_redo_create_fdp(struct recovery *recovery, const struct log_record_page *record)
{
    JET_ERR err = JET_errSuccess;
    struct recovery_session *session = NULL;
    bool multiple = record->type == LOG_RECORD_CREATE_MULTIPLE_EXTENT_FDP;
    object_id object =
        multiple ? ((const struct log_record_create_multiple_extent_fdp *)(const void *)record)->object
                 : ((const struct log_record_create_single_extent_fdp *)(const void *)record)->object;
    TRY(recovery_session(recovery, record->process_id, &session));
    struct database *database = recovery_target(recovery, record->database_id, record->dbtime, object);
    if (database == NULL || !recovery_session_redoes(session, record))
        goto done;
    if (multiple)
        TRY(redo_multiple(recovery, database, (const void *)record));
    else
        TRY(redo_single(recovery, database, (const void *)record));
done:
    return err;
}

JET_ERR recovery_redo_convert_fdp(struct recovery *recovery, const struct log_record_convert_fdp *record,
                                  size_t size)
{
    JET_ERR err = JET_errSuccess;
    struct recovery_session *session = NULL;
    struct three_pages pages;
    const struct log_record_convert_fdp_obsolete *base = &record->convert;
    struct convert_change change = {
        .root = base->page.page,
        .object = base->object,
        .secondary_first = base->secondary_first_page,
        .secondary_pages = base->secondary_pages,
        .bitmap = record->available_bitmap,
        .page_flags = record->page_flags,
        .modified = base->page.dbtime,
    };
    const page_number numbers[3] = {base->page.page, base->owned_page, base->available_page};
    memset(&pages, 0, sizeof(pages));
    TRY(recovery_session(recovery, base->page.process_id, &session));
    struct recovery_macro *macro = recovery_find_macro(session, base->page.dbtime);
    if (recovery_session_redoes(session, &base->page) && macro != NULL)
        FAIL(recovery_macro_add(macro, record, size));
    struct database *database =
        recovery_target(recovery, base->page.database_id, base->page.dbtime, base->object);
    if (database == NULL || !recovery_session_redoes(session, &base->page))
        FAIL(JET_errSuccess);
    if (base->owned_page != base->secondary_first_page || base->available_page != base->owned_page + 1 ||
        !recovery_pages_differ(numbers, 3))
        FAIL(JET_errLogCorrupted);
    change.header.pages = base->primary_pages;
    change.header.parent = base->parent_tree_page;
    change.header.flags = (base->page.flags & LOG_PAGE_UNIQUE) != 0 ? 0 : SPACE_NON_UNIQUE;
    change.header.available = record->available_bitmap;
    TRY(recovery_latch(recovery, database, base->page.page, change.modified, base->page.dbtime_before,
                       &pages.latches[0], &pages.need[0]));
    TRY(recovery_latch_new(recovery, database, base->owned_page, change.modified, &pages.latches[1],
                           &pages.need[1]));
    TRY(recovery_latch_new(recovery, database, base->available_page, change.modified, &pages.latches[2],
                           &pages.need[2]));
    apply_convert(needed_page(&pages, 0), needed_page(&pages, 1), needed_page(&pages, 2), &change);
    finish_three(recovery, &pages, change.modified, true);
    return JET_errSuccess;
done:
    finish_three(recovery, &pages, change.modified, false);
    return err;
}

JET_ERR recovery_redo_extend(struct recovery *recovery, const struct log_record_extend_database *record,
                             size_t size)
{
    if (size < sizeof(*record))
        return JET_errLogCorrupted;
    struct database *database = recovery_target(recovery, record->database_id, 0, 0);
    if (database == NULL || record->last_page == PAGE_NUMBER_NULL)
        return JET_errSuccess;
    return database_extend(database, record->last_page);
}

JET_ERR recovery_redo_shrink(struct recovery *recovery, const struct log_record_shrink_database *record)
{
    JET_ERR err = JET_errSuccess;
    struct database *database = recovery_target(recovery, record->database_id, 0, 0);
    if (database == NULL)
        goto done;
    /* A file of a later time may have grown again since. */
    if (recovery->position.generation <= recovery->databases[database->id].future_generation ||
        record->last_page >= atomic_load(&database->page_last))
        goto done;
    cache_purge_from(database, record->last_page + 1);
    TRY(os_file_set_size(database->file, page_file_offset(record->last_page + 1, database->page_size)));
    atomic_store(&database->page_last, record->last_page);
done:
    return err;
}

JET_ERR recovery_redo_new_page(struct recovery *recovery, const struct log_record_new_page *record)
{
    JET_ERR err = JET_errSuccess;
    struct latch latch = LATCH_INIT;
    enum redo_need need;
    struct database *database =
        recovery_target(recovery, record->database_id, record->dbtime_after, record->object);
    if (database == NULL)
        goto done;
    TRY(recovery_latch_new(recovery, database, record->page, record->dbtime_after, &latch, &need));
    if (need == REDO_NEEDED) {
        page_format(&latch.page, record->object, PAGE_PRE_INIT, record->dbtime_after);
        recovery_latch_changed(recovery, &latch, record->dbtime_after);
    }
done:
    cache_unlatch(&latch);
    return err;
}

JET_ERR recovery_redo_scrub(struct recovery *recovery, const struct log_record_scrub *record)
{
    JET_ERR err = JET_errSuccess;
    struct latch latch = LATCH_INIT;
    enum redo_need need;
    const struct log_record_page *page = &record->node.page;
    struct database *database =
        recovery_target(recovery, page->database_id, page->dbtime, record->node.tree_object);
    if (database == NULL)
        goto done;
    TRY(recovery_latch(recovery, database, page->page, page->dbtime, page->dbtime_before, &latch, &need));
    if (need == REDO_NEEDED) {
        page_zero_free_space(&latch.page);
        recovery_latch_changed(recovery, &latch, page->dbtime);
    }
done:
    cache_unlatch(&latch);
    return err;
}
