/* Pages for redo: is the change there already, does the page fit the log. */
#include "src/os/memory.h"
#include "src/recovery/recovery_internal.h"

/* Pages that a record wanted to change but that were not there. In a file that is already of a later time
 * this is as it should be if the page was given back since; the records to come must then format or drop it.
 */
struct recovery_page_set {
    uint32_t count;
    uint32_t capacity;
    page_number *pages;
};

void recovery_free_missing_pages(struct recovery_database *database)
{
    if (database->missing != NULL)
        os_free(database->missing->pages);
    os_free(database->missing);
    database->missing = NULL;
}

static JET_ERR note_missing(struct recovery_database *database, page_number page)
{
    if (database->missing == NULL) {
        database->missing = os_allocate_zeroed(sizeof(*database->missing));
        if (database->missing == NULL)
            return JET_errOutOfMemory;
    }
    struct recovery_page_set *set = database->missing;
    for (uint32_t i = 0; i < set->count; i++) {
        if (set->pages[i] == page)
            return JET_errSuccess;
    }
    if (set->count == set->capacity) {
        uint32_t capacity = set->capacity == 0 ? 16 : set->capacity * 2;
        page_number *pages = os_reallocate(set->pages, capacity * sizeof(*pages));
        if (pages == NULL)
            return JET_errOutOfMemory;
        set->pages = pages;
        set->capacity = capacity;
    }
    set->pages[set->count++] = page;
    return JET_errSuccess;
}

static void forget_missing(struct recovery_database *database, page_number page)
{
    struct recovery_page_set *set = database->missing;
    for (uint32_t i = 0; set != NULL && i < set->count; i++) {
        if (set->pages[i] == page) {
            set->pages[i] = set->pages[--set->count];
            return;
        }
    }
}

JET_ERR recovery_check_missing_pages(struct recovery *recovery)
{
    for (uint32_t id = 1; id <= DATABASE_ID_MAX; id++) {
        struct recovery_database *known = &recovery->databases[id];
        if (known->database != NULL && known->missing != NULL && known->missing->count > 0)
            return JET_errRecoveryVerifyFailure;
    }
    return JET_errSuccess;
}

static bool is_future(const struct recovery *recovery, const struct recovery_database *known)
{
    return recovery->position.generation <= known->future_generation;
}

static JET_ERR missing(struct recovery *recovery, struct recovery_database *known, page_number page)
{
    return is_future(recovery, known) ? note_missing(known, page) : JET_errPageNotInitialized;
}

JET_ERR recovery_latch(struct recovery *recovery, struct database *database, page_number page, uint64_t time,
                       uint64_t before, struct latch *latch, enum redo_need *need)
{
    JET_ERR err = JET_errSuccess;
    struct recovery_database *known = &recovery->databases[database->id];
    *need = REDO_NOT_NEEDED;
    if (page == PAGE_NUMBER_NULL)
        return JET_errLogCorrupted;
    if (page > atomic_load(&database->page_last))
        return missing(recovery, known, page);
    err = cache_latch(database, page, LATCH_EXCLUSIVE, LATCH_ZERO_OK, latch);
    if (err < JET_errSuccess)
        return err;
    if (page_is_zero(&latch->page)) {
        cache_unlatch(latch);
        return missing(recovery, known, page);
    }
    uint64_t modified = page_header(&latch->page)->modified;
    if (modified >= time)
        return JET_errSuccess;
    if (modified != before) {
        cache_unlatch(latch);
        /* A page that was given back and reused since is found in its later life, which may be older than the
         * record only if its first write was lost: not a state that logs explain. */
        return modified < before ? JET_errDbTimeTooOld : JET_errDbTimeTooNew;
    }
    *need = REDO_NEEDED;
    return JET_errSuccess;
}

JET_ERR recovery_latch_new(struct recovery *recovery, struct database *database, page_number page,
                           uint64_t time, struct latch *latch, enum redo_need *need)
{
    JET_ERR err = JET_errSuccess;
    struct recovery_database *known = &recovery->databases[database->id];
    *need = REDO_NOT_NEEDED;
    if (page == PAGE_NUMBER_NULL)
        FAIL(JET_errLogCorrupted);
    if (page > atomic_load(&database->page_last))
        TRY(database_extend(database, page));
    /* A page that is on disk with later changes is not made anew: records of transactions that began before
     * the checkpoint are not redone, and what they changed is in the page alone. */
    err = cache_latch(database, page, LATCH_EXCLUSIVE, LATCH_ZERO_OK, latch);
    if (err >= JET_errSuccess && !page_is_zero(&latch->page) && page_header(&latch->page)->modified >= time) {
        forget_missing(known, page);
        FAIL(JET_errSuccess);
    }
    if (err >= JET_errSuccess)
        cache_unlatch(latch);
    if (err == JET_errOutOfMemory)
        goto done;
    TRY(cache_latch_new(database, page, latch));
    forget_missing(known, page);
    *need = REDO_NEEDED;
done:
    return err;
}

bool recovery_pages_differ(const page_number *pages, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < i; j++) {
            if (pages[i] == pages[j] && pages[i] != PAGE_NUMBER_NULL)
                return false;
        }
    }
    return true;
}

void recovery_latch_changed(struct recovery *recovery, struct latch *latch, uint64_t time)
{
    cache_set_dirty(latch, time, recovery->position, recovery->position);
}
