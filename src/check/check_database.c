/* The whole: header, checksums of all pages, then catalog, trees, space, tables. */
#include "src/check/check.h"
#include "src/os/memory.h"
#include "src/page/checksum.h"

/* ---- header */

static JET_ERR check_header(struct check *check)
{
    JET_ERR err = JET_errSuccess;
    bool repaired = false;
    uint64_t size = 0;
    TRY(database_header_read(check->file, &check->header, &repaired));
    TRY(os_file_size(check->file, &size));
    const struct database_header *header = &check->header;
    check->page_size = header->page_size;
    if (repaired)
        check_warn(check, "header", 0, 0, "header and shadow header differ");
    if (size % check->page_size != 0)
        check_warn(check, "header", 0, 0, "the file ends within a page");
    uint64_t count = size / check->page_size;
    if (count < 3 || count - 2 > UINT32_MAX / 2)
        FAIL(JET_errDatabaseCorrupted);
    check->last = (page_number)(count - 2);
    if (header->state < DATABASE_JUST_CREATED || header->state > DATABASE_FORCE_DETACH)
        check_report(check, "header", 0, 0, "unknown state %u", header->state);
    if (header->state == DATABASE_CLEAN_SHUTDOWN &&
        (header->generation_min_required != 0 || header->generation_max_required != 0))
        check_report(check, "header", 0, 0, "a clean database requires log generations %d to %d",
                     header->generation_min_required, header->generation_max_required);
    if (header->generation_min_required > header->generation_max_required)
        check_report(check, "header", 0, 0, "required log generations %d to %d",
                     header->generation_min_required, header->generation_max_required);
done:
    return err;
}

/* ---- pages */

#define RUN_BYTES 262144u

static void judge_page(struct check *check, page_number number, uint8_t *data)
{
    struct page_info *info = &check->pages[number];
    struct page page = {data, check->page_size, number};
    if (page_is_zero(&page)) {
        info->state = PAGE_STATE_ZERO;
        return;
    }
    enum checksum_result result = checksum_page_verify(&page, false);
    if (result == CHECKSUM_GOOD) {
        info->state = PAGE_STATE_GOOD;
        return;
    }
    info->state = PAGE_STATE_BAD;
    if (number == check->last && check->header.state != DATABASE_CLEAN_SHUTDOWN &&
        checksum_header(data, check->page_size) == check_u32(data))
        return; /* the trailer page of a streamed copy, which says how the backup went */
    check_report(check, "checksum", number, 0,
                 result == CHECKSUM_REPAIRABLE ? "one bit is wrong" : "the checksum does not hold");
}

static JET_ERR check_checksums(struct check *check)
{
    JET_ERR err = JET_errSuccess;
    uint8_t *run = os_allocate_pages(RUN_BYTES);
    if (run == NULL)
        FAIL(JET_errOutOfMemory);
    uint32_t run_pages = RUN_BYTES / check->page_size;
    for (page_number first = 1; first <= check->last; first += run_pages) {
        uint32_t count = check->last - first + 1 < run_pages ? check->last - first + 1 : run_pages;
        TRY(os_file_read(check->file, page_file_offset(first, check->page_size), run,
                         (size_t)count * check->page_size));
        for (uint32_t i = 0; i < count; i++)
            judge_page(check, first + i, run + (size_t)i * check->page_size);
    }
done:
    os_free(run);
    return err;
}

/* ---- everything */

static JET_ERR check_tables(struct check *check)
{
    JET_ERR err = JET_errSuccess;
    for (size_t i = 0; i < check->tree_count; i++) {
        if (check->trees[i].kind == TREE_TABLE)
            TRY(check_table(check, &check->trees[i]));
    }
done:
    return err;
}

static JET_ERR check_everything(struct check *check)
{
    JET_ERR err = JET_errSuccess;
    TRY(check_header(check));
    check->pages = os_allocate_array((size_t)check->last + 1, sizeof *check->pages);
    if (check->pages == NULL)
        FAIL(JET_errOutOfMemory);
    TRY(check_checksums(check));
    TRY(check_catalog(check));
    TRY(check_space_owned(check));
    TRY(check_tables(check));
    TRY(check_shadow(check));
    check_space_unused(check);
done:
    return err;
}

JET_ERR EsentHostCheckDatabase(const char *path, ESENT_HOST_CHECK_CALLBACK callback, void *context)
{
    JET_ERR err = JET_errSuccess;
    struct check *check = os_allocate_zeroed(sizeof *check);
    if (check == NULL)
        return JET_errOutOfMemory;
    check->callback = callback;
    check->context = context;
    TRY(os_file_open(path, OS_OPEN_READ, OS_SHARE_READ, &check->file));
    TRY(check_everything(check));
    if (check->findings != 0)
        FAIL(JET_errDatabaseCorrupted);
    if (check->header.state != DATABASE_CLEAN_SHUTDOWN)
        FAIL(JET_errDatabaseDirtyShutdown);
done:
    os_file_close(check->file);
    for (size_t i = 0; i < CHECK_DEPTH_MAX; i++)
        os_free(check->buffers[i]);
    os_free(check->pages);
    os_free(check->trees);
    os_free(check->columns);
    os_free(check);
    return err;
}
