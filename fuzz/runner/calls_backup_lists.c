/* The lists of a streaming backup: databases, log files, log files to be truncated. */
#include <stdlib.h>
#include <string.h>

#include "fuzz/runner/buffer.h"
#include "fuzz/runner/run.h"

#define LIST_BUFFER 65536u

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

const struct call_entry run_backup_list_calls[] = {
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
    {NULL, NULL},
};
