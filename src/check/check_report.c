/* What every part of a check needs: reporting findings, reading pages, counting. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "src/check/check.h"
#include "src/os/memory.h"

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

/* ---- pages */

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
    ASSERT(number != 0 && number <= check->last);
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
