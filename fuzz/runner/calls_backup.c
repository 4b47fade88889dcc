#if !defined(_GNU_SOURCE)
#define _GNU_SOURCE 1
#endif

/* Streaming backup, directory backup, restore. */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "fuzz/runner/run.h"

#define LIST_BUFFER 65536u
#define PAGE_ALIGNMENT 4096u
#define MAPPED_FROM ((size_t)16 * 1024 * 1024)

/* --- read buffers: aligned as the call wants it, exactly as long as told, so that a write beyond the end is
 * noticed */

struct buffer {
    void *base;
    size_t mapped; /* 0: from malloc */
    char *start;
};

static bool buffer_open(struct buffer *buffer, uint64_t size, uint64_t offset)
{
    uint64_t total = size + offset;
    buffer->mapped = 0;
    if (total >= MAPPED_FROM) {
        buffer->base = mmap(NULL, (size_t)total, PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (buffer->base == MAP_FAILED)
            return false;
        buffer->mapped = (size_t)total;
    } else if (posix_memalign(&buffer->base, PAGE_ALIGNMENT, total > 0 ? (size_t)total : 1) != 0) {
        return false;
    }
    buffer->start = (char *)buffer->base + offset;
    return true;
}

static void buffer_close(struct buffer *buffer)
{
    if (buffer->mapped > 0)
        munmap(buffer->base, buffer->mapped);
    else
        free(buffer->base);
}

/* --- begin, end, stop, truncate */

static JET_ERR call_begin(struct call *call)
{
    uint64_t grbit = arg_number_or(call, 0);
    return call->bad ? JET_errSuccess : JetBeginExternalBackup((JET_GRBIT)grbit);
}

static JET_ERR call_begin_instance(struct call *call)
{
    uint64_t instance = arg_handle(call);
    uint64_t grbit = arg_number_or(call, 0);
    return call->bad ? JET_errSuccess : JetBeginExternalBackupInstance(instance, (JET_GRBIT)grbit);
}

static JET_ERR call_begin_surrogate(struct call *call)
{
    uint64_t instance = arg_handle(call);
    uint64_t first = arg_number(call, "first generation");
    uint64_t last = arg_number(call, "last generation");
    uint64_t grbit = arg_number_or(call, 0);
    return call->bad ? JET_errSuccess
                     : JetBeginSurrogateBackup(instance, (uint32_t)first, (uint32_t)last, (JET_GRBIT)grbit);
}

static JET_ERR call_end_surrogate(struct call *call)
{
    uint64_t instance = arg_handle(call);
    uint64_t grbit = arg_number_or(call, 0);
    return call->bad ? JET_errSuccess : JetEndSurrogateBackup(instance, (JET_GRBIT)grbit);
}

static JET_ERR call_end(struct call *call)
{
    (void)call;
    return JetEndExternalBackup();
}

static JET_ERR call_end_instance(struct call *call)
{
    uint64_t instance = arg_handle(call);
    return call->bad ? JET_errSuccess : JetEndExternalBackupInstance(instance);
}

static JET_ERR call_end_instance2(struct call *call)
{
    uint64_t instance = arg_handle(call);
    uint64_t grbit = arg_number_or(call, 0);
    return call->bad ? JET_errSuccess : JetEndExternalBackupInstance2(instance, (JET_GRBIT)grbit);
}

static JET_ERR call_stop(struct call *call)
{
    (void)call;
    return JetStopBackup();
}

static JET_ERR call_stop_instance(struct call *call)
{
    uint64_t instance = arg_handle(call);
    return call->bad ? JET_errSuccess : JetStopBackupInstance(instance);
}

static JET_ERR call_truncate(struct call *call)
{
    (void)call;
    return JetTruncateLog();
}

static JET_ERR call_truncate_instance(struct call *call)
{
    uint64_t instance = arg_handle(call);
    return call->bad ? JET_errSuccess : JetTruncateLogInstance(instance);
}

/* --- files */

static JET_ERR open_file(struct call *call, bool legacy, bool is_wide)
{
    uint64_t instance = legacy ? 0 : arg_handle(call);
    struct slot slot = arg_slot(call);
    const char *path = arg_text(call);
    if (call->bad)
        return JET_errSuccess;
    JET_HANDLE file = NIL_HANDLE;
    uint32_t low = 0;
    uint32_t high = 0;
    JET_HANDLE *file_pointer = slot.is_null || option_is_null(call, "ph") ? NULL : &file;
    uint32_t *low_pointer = option_is_null(call, "plo") ? NULL : &low;
    uint32_t *high_pointer = option_is_null(call, "phi") ? NULL : &high;
    JET_ERR err;
    if (legacy)
        err = is_wide ? JetOpenFileW(run_wide(call, path), file_pointer, low_pointer, high_pointer)
                      : JetOpenFileA(path, file_pointer, low_pointer, high_pointer);
    else
        err = is_wide ? JetOpenFileInstanceW(instance, run_wide(call, path), file_pointer, low_pointer,
                                             high_pointer)
                      : JetOpenFileInstanceA(instance, path, file_pointer, low_pointer, high_pointer);
    if (err >= JET_errSuccess) {
        run_slot_set(call, slot, file);
        run_bar(call);
        run_fact(call, "size=%llu", (unsigned long long)high << 32 | low);
    }
    return err;
}

static JET_ERR call_open_file(struct call *call)
{
    return open_file(call, true, false);
}

static JET_ERR call_open_file_w(struct call *call)
{
    return open_file(call, true, true);
}

static JET_ERR call_open_file_instance(struct call *call)
{
    return open_file(call, false, false);
}

static JET_ERR call_open_file_instance_w(struct call *call)
{
    return open_file(call, false, true);
}

static JET_ERR open_section(struct call *call, bool is_wide)
{
    uint64_t instance = arg_handle(call);
    struct slot slot = arg_slot(call);
    const char *path = arg_text(call);
    int32_t section = (int32_t)arg_number(call, "section");
    int32_t sections = (int32_t)arg_number(call, "sections");
    uint64_t start = arg_number(call, "start");
    if (call->bad)
        return JET_errSuccess;
    JET_HANDLE file = NIL_HANDLE;
    uint32_t low = 0;
    int32_t high = 0;
    JET_HANDLE *file_pointer = slot.is_null || option_is_null(call, "ph") ? NULL : &file;
    uint32_t *low_pointer = option_is_null(call, "plo") ? NULL : &low;
    int32_t *high_pointer = option_is_null(call, "phi") ? NULL : &high;
    JET_ERR err;
    if (is_wide) {
        size_t units;
        uint16_t *text = path == NULL ? NULL : utf16_from_bytes(&call->arena, path, strlen(path), &units);
        err = JetOpenFileSectionInstanceW(instance, text, file_pointer, section, sections, start, low_pointer,
                                          high_pointer);
    } else {
        char *text = path == NULL ? NULL : arena_text(&call->arena, path);
        err = JetOpenFileSectionInstanceA(instance, text, file_pointer, section, sections, start, low_pointer,
                                          high_pointer);
    }
    if (err >= JET_errSuccess) {
        run_slot_set(call, slot, file);
        run_bar(call);
        run_fact(call, "size=%llu", (unsigned long long)(uint32_t)high << 32 | low);
    }
    return err;
}

static JET_ERR call_open_section(struct call *call)
{
    return open_section(call, false);
}

static JET_ERR call_open_section_w(struct call *call)
{
    return open_section(call, true);
}

static JET_ERR read_file(struct call *call, bool legacy)
{
    uint64_t instance = legacy ? 0 : arg_handle(call);
    uint64_t file = arg_handle(call);
    uint32_t size = (uint32_t)arg_number(call, "size");
    uint64_t offset = option_number(call, "off", 0);
    struct buffer buffer;
    if (offset > MAPPED_FROM)
        run_bad(call, "off= is too large");
    if (call->bad || !buffer_open(&buffer, size, offset)) {
        run_bad(call, "no buffer of that size");
        return JET_errSuccess;
    }
    uint32_t actual = 0;
    void *target = option_is_null(call, "pv") ? NULL : buffer.start;
    uint32_t *actual_pointer = option_is_null(call, "pcb") ? NULL : &actual;
    JET_ERR err = legacy ? JetReadFile(file, target, size, actual_pointer)
                         : JetReadFileInstance(instance, file, target, size, actual_pointer);
    buffer_close(&buffer);
    if (err >= JET_errSuccess && actual_pointer != NULL) {
        if (actual == 0 || actual == size) {
            run_fact(call, "cb=%u", actual);
        } else {
            run_fact(call, "short=1");
            run_bar(call);
            run_fact(call, "cb=%u", actual);
        }
    }
    return err;
}

static JET_ERR call_read_file(struct call *call)
{
    return read_file(call, true);
}

static JET_ERR call_read_file_instance(struct call *call)
{
    return read_file(call, false);
}

static JET_ERR call_close_file(struct call *call)
{
    uint64_t file = arg_handle(call);
    return call->bad ? JET_errSuccess : JetCloseFile(file);
}

static JET_ERR call_close_file_instance(struct call *call)
{
    uint64_t instance = arg_handle(call);
    uint64_t file = arg_handle(call);
    return call->bad ? JET_errSuccess : JetCloseFileInstance(instance, file);
}

/* --- lists */

enum list_kind { LIST_ATTACH, LIST_LOGS, LIST_TRUNCATE };

struct list_call {
    enum list_kind kind;
    bool legacy;
    bool is_wide;
    bool has_info; /* the ...2 variant */
};

struct list {
    char *narrow;
    uint16_t *units;
    size_t unit_count; /* that the buffer holds */
};

/* One item at unit `at`: its length in units, or SIZE_MAX if no NUL ends it inside the buffer. */
static size_t item_length(const struct list *list, size_t at)
{
    for (size_t i = at; i < list->unit_count; i++) {
        if (list->units != NULL ? list->units[i] == 0 : list->narrow[i] == '\0')
            return i - at;
    }
    return SIZE_MAX;
}

/* The number of items of a double-NUL list; SIZE_MAX if it is cut. */
static size_t count_items(const struct list *list)
{
    size_t count = 0;
    for (size_t at = 0;; count++) {
        size_t length = item_length(list, at);
        if (length == SIZE_MAX)
            return SIZE_MAX;
        if (length == 0)
            return count;
        at += length + 1;
    }
}

static void print_item(struct call *call, const struct list *list, const char *key, size_t at)
{
    if (list->units != NULL)
        run_fact_wide_path(call, key, list->units + at);
    else
        run_fact_path(call, key, list->narrow + at);
}

static void print_items(struct call *call, const struct list *list, size_t count)
{
    size_t at = 0;
    for (size_t i = 0; i < count; i++) {
        print_item(call, list, "", at);
        at += item_length(list, at) + 1;
    }
}

static void print_last(struct call *call, const struct list *list, size_t count)
{
    size_t at = 0;
    for (size_t i = 1; i < count; i++)
        at += item_length(list, at) + 1;
    print_item(call, list, "last=", at);
}

static JET_ERR make_list_call(const struct list_call *kind, uint64_t instance, struct list *list,
                              uint32_t size, uint32_t *actual, JET_LOGINFO_A *info, JET_LOGINFO_W *wide_info)
{
    char *narrow = list->narrow;
    uint16_t *units = list->units;
    if (kind->kind == LIST_ATTACH) {
        if (kind->legacy)
            return kind->is_wide ? JetGetAttachInfoW(units, size, actual)
                                 : JetGetAttachInfoA(narrow, size, actual);
        return kind->is_wide ? JetGetAttachInfoInstanceW(instance, units, size, actual)
                             : JetGetAttachInfoInstanceA(instance, narrow, size, actual);
    }
    if (kind->kind == LIST_TRUNCATE)
        return kind->is_wide ? JetGetTruncateLogInfoInstanceW(instance, units, size, actual)
                             : JetGetTruncateLogInfoInstanceA(instance, narrow, size, actual);
    if (kind->has_info)
        return kind->is_wide ? JetGetLogInfoInstance2W(instance, units, size, actual, wide_info)
                             : JetGetLogInfoInstance2A(instance, narrow, size, actual, info);
    if (kind->legacy)
        return kind->is_wide ? JetGetLogInfoW(units, size, actual) : JetGetLogInfoA(narrow, size, actual);
    return kind->is_wide ? JetGetLogInfoInstanceW(instance, units, size, actual)
                         : JetGetLogInfoInstanceA(instance, narrow, size, actual);
}

static void print_list(struct call *call, const struct list_call *kind, const struct list *list,
                       bool has_list, const uint32_t *actual, const JET_LOGINFO_A *info)
{
    size_t count = has_list ? count_items(list) : 0;
    bool cut = count == SIZE_MAX;
    bool notes = kind->kind != LIST_ATTACH;
    if (info != NULL) {
        run_fact(call, "hi=%u", info->ulGenHigh);
        run_fact(call, "base=%.4s", info->szBaseName);
    }
    if (cut)
        run_fact(call, "cut=1");
    bool shown = has_list && !cut;
    if (shown && notes && count > 0)
        print_last(call, list, count);
    if (shown && !notes) {
        run_fact(call, "n=%zu", count);
        print_items(call, list, count);
    }
    if ((shown && notes) || actual != NULL || info != NULL)
        run_bar(call);
    if (info != NULL)
        run_fact(call, "lo=%u", info->ulGenLow);
    if (shown && notes) {
        run_fact(call, "n=%zu", count);
        print_items(call, list, count);
    }
    if (actual != NULL)
        run_fact(call, "cb=%u", *actual);
}

static JET_ERR list_call(struct call *call, const struct list_call *kind)
{
    uint64_t instance = kind->legacy ? 0 : arg_handle(call);
    uint32_t size = (uint32_t)option_number(call, "cbMax", LIST_BUFFER);
    uint32_t info_size = (uint32_t)option_number(
        call, "cbSize", kind->is_wide ? sizeof(JET_LOGINFO_W) : sizeof(JET_LOGINFO_A));
    struct buffer buffer;
    if (call->bad || !buffer_open(&buffer, size, 0)) {
        run_bad(call, "no buffer of that size");
        return JET_errSuccess;
    }
    bool no_list = option_is_null(call, "pv");
    bool no_actual = option_is_null(call, "pcb");
    bool no_info = option_is_null(call, "pli");
    uint32_t actual = 0;
    JET_LOGINFO_A info = {.cbSize = info_size};
    JET_LOGINFO_W wide_info = {.cbSize = info_size};
    struct list list = {0};
    if (!no_list && kind->is_wide)
        list.units = (uint16_t *)(void *)buffer.start;
    else if (!no_list)
        list.narrow = buffer.start;
    JET_ERR err = make_list_call(kind, instance, &list, size, no_actual ? NULL : &actual,
                                 no_info ? NULL : &info, no_info ? NULL : &wide_info);
    if (err >= JET_errSuccess) {
        uint32_t filled = size;
        if (!no_actual && actual < filled)
            filled = actual;
        list.unit_count = kind->is_wide ? filled / 2 : filled;
        if (kind->is_wide) {
            info.ulGenLow = wide_info.ulGenLow;
            info.ulGenHigh = wide_info.ulGenHigh;
            for (size_t i = 0; i < sizeof info.szBaseName; i++)
                info.szBaseName[i] = (char)wide_info.szBaseName[i];
        }
        print_list(call, kind, &list, !no_list, no_actual ? NULL : &actual,
                   kind->has_info && !no_info ? &info : NULL);
    }
    buffer_close(&buffer);
    return err;
}

#define LIST_CALL(name, ...)                                                                                 \
    static JET_ERR name(struct call *call)                                                                   \
    {                                                                                                        \
        return list_call(call, &(struct list_call){__VA_ARGS__});                                            \
    }

LIST_CALL(call_attach_info, LIST_ATTACH, true, false, false)
LIST_CALL(call_attach_info_w, LIST_ATTACH, true, true, false)
LIST_CALL(call_attach_info_instance, LIST_ATTACH, false, false, false)
LIST_CALL(call_attach_info_instance_w, LIST_ATTACH, false, true, false)
LIST_CALL(call_log_info, LIST_LOGS, true, false, false)
LIST_CALL(call_log_info_w, LIST_LOGS, true, true, false)
LIST_CALL(call_log_info_instance, LIST_LOGS, false, false, false)
LIST_CALL(call_log_info_instance_w, LIST_LOGS, false, true, false)
LIST_CALL(call_log_info_instance2, LIST_LOGS, false, false, true)
LIST_CALL(call_log_info_instance2_w, LIST_LOGS, false, true, true)
LIST_CALL(call_truncate_info, LIST_TRUNCATE, false, false, false)
LIST_CALL(call_truncate_info_w, LIST_TRUNCATE, false, true, false)

/* --- directory backup and restore, with their status callback */

struct status_counts {
    unsigned begin, complete, fail, progress, other;
};

static _Thread_local struct status_counts status_counts;

static JET_ERR JET_API count_status(JET_SESID session, JET_SNP process, JET_SNT status, void *data)
{
    (void)session;
    (void)process;
    (void)data;
    switch (status) {
    case JET_sntBegin:
        status_counts.begin++;
        break;
    case JET_sntComplete:
        status_counts.complete++;
        break;
    case JET_sntFail:
        status_counts.fail++;
        break;
    case JET_sntProgress:
        status_counts.progress++;
        break;
    default:
        status_counts.other++;
        break;
    }
    return JET_errSuccess;
}

static JET_PFNSTATUS status_function(struct call *call)
{
    status_counts = (struct status_counts){0};
    return option_number(call, "pfn", 0) != 0 ? count_status : NULL;
}

static void print_status(struct call *call, JET_PFNSTATUS function)
{
    if (function == NULL)
        return;
    run_fact(call, "begin=%u", status_counts.begin);
    run_fact(call, "complete=%u", status_counts.complete);
    run_fact(call, "fail=%u", status_counts.fail);
    run_bar(call);
    run_fact(call, "progress=%u", status_counts.progress);
    run_fact(call, "other=%u", status_counts.other);
}

static JET_ERR backup(struct call *call, bool legacy, bool is_wide)
{
    uint64_t instance = legacy ? 0 : arg_handle(call);
    const char *path = arg_text(call);
    JET_GRBIT grbit = (JET_GRBIT)arg_number_or(call, 0);
    JET_PFNSTATUS function = status_function(call);
    if (call->bad)
        return JET_errSuccess;
    JET_ERR err;
    if (legacy)
        err = is_wide ? JetBackupW(run_wide(call, path), grbit, function) : JetBackupA(path, grbit, function);
    else
        err = is_wide ? JetBackupInstanceW(instance, run_wide(call, path), grbit, function)
                      : JetBackupInstanceA(instance, path, grbit, function);
    print_status(call, function);
    return err;
}

static JET_ERR call_backup(struct call *call)
{
    return backup(call, true, false);
}

static JET_ERR call_backup_w(struct call *call)
{
    return backup(call, true, true);
}

static JET_ERR call_backup_instance(struct call *call)
{
    return backup(call, false, false);
}

static JET_ERR call_backup_instance_w(struct call *call)
{
    return backup(call, false, true);
}

enum restore_kind { RESTORE, RESTORE_2, RESTORE_INSTANCE };

static JET_ERR restore(struct call *call, enum restore_kind kind, bool is_wide)
{
    uint64_t instance = kind == RESTORE_INSTANCE ? arg_handle(call) : 0;
    const char *source = arg_text(call);
    const char *target = kind == RESTORE ? NULL : arg_text(call);
    JET_PFNSTATUS function = status_function(call);
    if (call->bad)
        return JET_errSuccess;
    JET_ERR err;
    if (kind == RESTORE)
        err = is_wide ? JetRestoreW(run_wide(call, source), function) : JetRestoreA(source, function);
    else if (kind == RESTORE_2)
        err = is_wide ? JetRestore2W(run_wide(call, source), run_wide(call, target), function)
                      : JetRestore2A(source, target, function);
    else
        err = is_wide
                  ? JetRestoreInstanceW(instance, run_wide(call, source), run_wide(call, target), function)
                  : JetRestoreInstanceA(instance, source, target, function);
    print_status(call, function);
    return err;
}

static JET_ERR call_restore(struct call *call)
{
    return restore(call, RESTORE, false);
}

static JET_ERR call_restore_w(struct call *call)
{
    return restore(call, RESTORE, true);
}

static JET_ERR call_restore2(struct call *call)
{
    return restore(call, RESTORE_2, false);
}

static JET_ERR call_restore2_w(struct call *call)
{
    return restore(call, RESTORE_2, true);
}

static JET_ERR call_restore_instance(struct call *call)
{
    return restore(call, RESTORE_INSTANCE, false);
}

static JET_ERR call_restore_instance_w(struct call *call)
{
    return restore(call, RESTORE_INSTANCE, true);
}

/* --- external restore */

#define MAPS_MAX 32

static char *modifiable(struct call *call, const char *text)
{
    return text == NULL ? NULL : arena_text(&call->arena, text);
}

static uint16_t *modifiable_wide(struct call *call, const char *text)
{
    size_t units;
    return text == NULL ? NULL : utf16_from_bytes(&call->arena, text, strlen(text), &units);
}

struct external_restore {
    const char *checkpoint, *log, *backup_log;
    const char *from[MAPS_MAX], *to[MAPS_MAX];
    int32_t count;
    JET_PFNSTATUS function;
};

/* Which archived logs a directory holds: what a backup program would pass on. */
struct log_files {
    const char *base;
    uint32_t low;
    uint32_t high;
};

static JET_ERR note_log_file(void *context, const char *name, const struct ESENT_HOST_FILE_INFO *info)
{
    struct log_files *files = context;
    const size_t length = strlen(files->base);
    char *end;
    if (info->directory || strncmp(name, files->base, length) != 0)
        return JET_errSuccess;
    const unsigned long generation = strtoul(name + length, &end, 16);
    const size_t digits = (size_t)(end - name) - length;
    if ((digits != 5 && digits != 8) || (strcmp(end, ".log") != 0 && strcmp(end, ".jtx") != 0) ||
        generation == 0)
        return JET_errSuccess;
    if (files->low == 0 || generation < files->low)
        files->low = (uint32_t)generation;
    if (generation > files->high)
        files->high = (uint32_t)generation;
    return JET_errSuccess;
}

static struct log_files find_log_files(struct call *call, const char *directory)
{
    const char *base = option_text(call, "base");
    struct log_files files = {.base = base != NULL ? base : "edb"};
    if (directory != NULL)
        (void)EsentHostDirectoryList(directory, note_log_file, &files);
    return files;
}

static JET_ERR external_restore_a(struct call *call, const struct external_restore *r, bool second)
{
    const struct log_files files = find_log_files(call, r->backup_log);
    JET_RSTMAP_A map[MAPS_MAX];
    for (int32_t i = 0; i < r->count; i++)
        map[i] = (JET_RSTMAP_A){modifiable(call, r->from[i]), modifiable(call, r->to[i])};
    JET_LOGINFO_A info = {.cbSize = (uint32_t)option_number(call, "cbSize", sizeof info),
                          .ulGenLow = (uint32_t)option_number(call, "lo", files.low),
                          .ulGenHigh = (uint32_t)option_number(call, "hi", files.high)};
    const char *base = option_text(call, "base");
    strncpy(info.szBaseName, base != NULL ? base : "edb", sizeof info.szBaseName - 1);
    char *checkpoint = modifiable(call, r->checkpoint);
    char *log = modifiable(call, r->log);
    char *backup_log = modifiable(call, r->backup_log);
    JET_RSTMAP_A *maps = r->count > 0 ? map : NULL;
    if (!second)
        return JetExternalRestoreA(checkpoint, log, maps, r->count, backup_log, (int32_t)info.ulGenLow,
                                   (int32_t)info.ulGenHigh, r->function);
    return JetExternalRestore2A(
        checkpoint, log, maps, r->count, backup_log, option_is_null(call, "pli") ? NULL : &info,
        modifiable(call, option_text(call, "tname")), modifiable(call, option_text(call, "tlog")),
        modifiable(call, option_text(call, "tchk")), r->function);
}

static JET_ERR external_restore_w(struct call *call, const struct external_restore *r, bool second)
{
    const struct log_files files = find_log_files(call, r->backup_log);
    JET_RSTMAP_W map[MAPS_MAX];
    for (int32_t i = 0; i < r->count; i++)
        map[i] = (JET_RSTMAP_W){modifiable_wide(call, r->from[i]), modifiable_wide(call, r->to[i])};
    JET_LOGINFO_W info = {.cbSize = (uint32_t)option_number(call, "cbSize", sizeof info),
                          .ulGenLow = (uint32_t)option_number(call, "lo", files.low),
                          .ulGenHigh = (uint32_t)option_number(call, "hi", files.high)};
    const char *base = option_text(call, "base");
    base = base != NULL ? base : "edb";
    for (size_t i = 0; i < JET_BASE_NAME_LENGTH && base[i] != '\0'; i++)
        info.szBaseName[i] = (unsigned char)base[i];
    uint16_t *checkpoint = modifiable_wide(call, r->checkpoint);
    uint16_t *log = modifiable_wide(call, r->log);
    uint16_t *backup_log = modifiable_wide(call, r->backup_log);
    JET_RSTMAP_W *maps = r->count > 0 ? map : NULL;
    if (!second)
        return JetExternalRestoreW(checkpoint, log, maps, r->count, backup_log, (int32_t)info.ulGenLow,
                                   (int32_t)info.ulGenHigh, r->function);
    return JetExternalRestore2W(
        checkpoint, log, maps, r->count, backup_log, option_is_null(call, "pli") ? NULL : &info,
        modifiable_wide(call, option_text(call, "tname")), modifiable_wide(call, option_text(call, "tlog")),
        modifiable_wide(call, option_text(call, "tchk")), r->function);
}

static JET_ERR external_restore(struct call *call, bool second, bool is_wide)
{
    struct external_restore r = {0};
    r.checkpoint = arg_text(call);
    r.log = arg_text(call);
    r.backup_log = arg_text(call);
    while (arg_peek(call) != NULL && !call->bad) {
        if (r.count == MAPS_MAX) {
            run_bad(call, "more than %d databases", MAPS_MAX);
            break;
        }
        r.from[r.count] = arg_text(call);
        r.to[r.count] = arg_text(call);
        r.count++;
    }
    r.function = status_function(call);
    option_number(call, "cbSize", 0);
    option_number(call, "lo", 0);
    option_number(call, "hi", 0);
    if (call->bad)
        return JET_errSuccess;
    JET_ERR err = is_wide ? external_restore_w(call, &r, second) : external_restore_a(call, &r, second);
    print_status(call, r.function);
    return err;
}

static JET_ERR call_external_restore(struct call *call)
{
    return external_restore(call, false, false);
}

static JET_ERR call_external_restore_w(struct call *call)
{
    return external_restore(call, false, true);
}

static JET_ERR call_external_restore2(struct call *call)
{
    return external_restore(call, true, false);
}

static JET_ERR call_external_restore2_w(struct call *call)
{
    return external_restore(call, true, true);
}

const struct call_entry run_backup_calls[] = {
    {"BeginExternalBackup", call_begin},
    {"BeginExternalBackupInstance", call_begin_instance},
    {"BeginSurrogateBackup", call_begin_surrogate},
    {"EndSurrogateBackup", call_end_surrogate},
    {"EndExternalBackup", call_end},
    {"EndExternalBackupInstance", call_end_instance},
    {"EndExternalBackupInstance2", call_end_instance2},
    {"StopBackup", call_stop},
    {"StopBackupInstance", call_stop_instance},
    {"TruncateLog", call_truncate},
    {"TruncateLogInstance", call_truncate_instance},
    {"OpenFile", call_open_file},
    {"OpenFileW", call_open_file_w},
    {"OpenFileInstance", call_open_file_instance},
    {"OpenFileInstanceW", call_open_file_instance_w},
    {"OpenFileSectionInstance", call_open_section},
    {"OpenFileSectionInstanceW", call_open_section_w},
    {"ReadFile", call_read_file},
    {"ReadFileInstance", call_read_file_instance},
    {"CloseFile", call_close_file},
    {"CloseFileInstance", call_close_file_instance},
    {"GetAttachInfo", call_attach_info},
    {"GetAttachInfoW", call_attach_info_w},
    {"GetAttachInfoInstance", call_attach_info_instance},
    {"GetAttachInfoInstanceW", call_attach_info_instance_w},
    {"GetLogInfo", call_log_info},
    {"GetLogInfoW", call_log_info_w},
    {"GetLogInfoInstance", call_log_info_instance},
    {"GetLogInfoInstanceW", call_log_info_instance_w},
    {"GetLogInfoInstance2", call_log_info_instance2},
    {"GetLogInfoInstance2W", call_log_info_instance2_w},
    {"GetTruncateLogInfoInstance", call_truncate_info},
    {"GetTruncateLogInfoInstanceW", call_truncate_info_w},
    {"Backup", call_backup},
    {"BackupW", call_backup_w},
    {"BackupInstance", call_backup_instance},
    {"BackupInstanceW", call_backup_instance_w},
    {"Restore", call_restore},
    {"RestoreW", call_restore_w},
    {"Restore2", call_restore2},
    {"Restore2W", call_restore2_w},
    {"RestoreInstance", call_restore_instance},
    {"RestoreInstanceW", call_restore_instance_w},
    {"ExternalRestore", call_external_restore},
    {"ExternalRestoreW", call_external_restore_w},
    {"ExternalRestore2", call_external_restore2},
    {"ExternalRestore2W", call_external_restore2_w},
    {NULL, NULL},
};
