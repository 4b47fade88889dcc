/* The whole: header, checksums of all pages, then catalog, trees, space, tables. */
#include <stdarg.h>
#include <stdio.h>

#include "src/check/check.h"
#include "src/os/memory.h"
#include "src/page/checksum.h"

static void report(struct check *check, bool warning, const char *kind, page_number page, object_id object,
                   const char *format, va_list arguments) __attribute__((format(printf, 6, 0)));

static void report(struct check *check, bool warning, const char *kind, page_number page, object_id object,
                   const char *format, va_list arguments)
{
    char text[256];
    if (!warning)
        check->findings++;
    if (check->callback == NULL)
        return;
    vsnprintf(text, sizeof text, format, arguments);
    struct ESENT_HOST_FINDING finding = {
        .kind = kind, .page = page, .object = object, .text = text, .warning = warning};
    check->callback(check->context, &finding);
}

void check_report(struct check *check, const char *kind, page_number page, object_id object,
                  const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    /* Pages of a dirty database are of different times; only recovery brings them together. */
    bool fatal = check->header.state == DATABASE_CLEAN_SHUTDOWN || strcmp(kind, "checksum") == 0 ||
                 strcmp(kind, "header") == 0;
    report(check, !fatal, kind, page, object, format, arguments);
    va_end(arguments);
}

void check_warn(struct check *check, const char *kind, page_number page, object_id object, const char *format,
                ...)
{
    va_list arguments;
    va_start(arguments, format);
    report(check, true, kind, page, object, format, arguments);
    va_end(arguments);
}

/* ---- header */

static JET_ERR check_header(struct check *check)
{
    JET_ERR err = JET_errSuccess;
    bool repaired = false;
    uint64_t size = 0;
    TRY(database_header_read(check->file, &check->header, &repaired));
    TRY(os_file_size(check->file, &size));
    const struct database_header *header = &check->header;
    check->page_size = header->page_size == 0 ? 4096 : header->page_size;
    if (!page_size_is_valid(check->page_size))
        FAIL(JET_errDatabaseCorrupted);
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

JET_ERR check_buffer(struct check *check, uint32_t level, uint8_t **buffer)
{
    ASSERT(level < CHECK_DEPTH_MAX);
    if (check->buffers[level] == NULL)
        check->buffers[level] = os_allocate_pages(check->page_size);
    *buffer = check->buffers[level];
    return *buffer != NULL ? JET_errSuccess : JET_errOutOfMemory;
}

JET_ERR check_read_page(struct check *check, page_number number, void *buffer, struct page *page, bool *good)
{
    JET_ERR err = JET_errSuccess;
    *good = false;
    *page = (struct page){buffer, check->page_size, number};
    if (number == 0 || number > check->last) {
        check_report(check, "tree", number, 0, "the page lies outside the file");
        goto done;
    }
    if (check->pages[number].state == PAGE_STATE_BAD)
        goto done; /* reported already */
    if (check->pages[number].state == PAGE_STATE_ZERO) {
        check_report(check, "tree", number, 0, "a page in use is all zero");
        goto done;
    }
    TRY(os_file_read(check->file, page_file_offset(number, check->page_size), buffer, check->page_size));
    if (page_check(page) < JET_errSuccess) {
        check_report(check, "page", number, page_header(page)->tree, "tags or nodes make no sense");
        goto done;
    }
    *good = true;
done:
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

/* ---- counters */

void counter_set_free(struct counter_set *set)
{
    os_free(set->entries);
    *set = (struct counter_set){NULL, 0, 0};
}

static struct counter_entry *slot_of(struct counter_entry *entries, size_t room, uint64_t key)
{
    size_t at = (size_t)((key * 0x9e3779b97f4a7c15u) >> 20) & (room - 1);
    while (entries[at].used && entries[at].key != key)
        at = (at + 1) & (room - 1);
    return &entries[at];
}

static bool grow(struct counter_set *set)
{
    size_t room = set->room == 0 ? 64 : set->room * 2;
    struct counter_entry *entries = os_allocate_array(room, sizeof *entries);
    if (entries == NULL)
        return false;
    for (size_t i = 0; i < set->room; i++) {
        if (set->entries[i].used)
            *slot_of(entries, room, set->entries[i].key) = set->entries[i];
    }
    os_free(set->entries);
    set->entries = entries;
    set->room = room;
    return true;
}

struct counter_entry *counter_set_get(struct counter_set *set, uint64_t key)
{
    if (set->used * 4 >= set->room * 3 && !grow(set))
        return NULL;
    struct counter_entry *entry = slot_of(set->entries, set->room, key);
    if (!entry->used) {
        *entry = (struct counter_entry){.key = key, .used = true};
        set->used++;
    }
    return entry;
}

struct counter_entry *counter_set_find(const struct counter_set *set, uint64_t key)
{
    if (set->room == 0)
        return NULL;
    struct counter_entry *entry = slot_of(set->entries, set->room, key);
    return entry->used ? entry : NULL;
}
