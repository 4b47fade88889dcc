/* Streaming backup: begin, open, read, close, truncate, end, stop. What it lists: calls_backup_lists.c. */
#include <stdlib.h>
#include <string.h>

#include "fuzz/runner/buffer.h"
#include "fuzz/runner/run.h"

#define OFFSET_MAX ((uint64_t)16 * 1024 * 1024)

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
    if (offset > OFFSET_MAX)
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
    {NULL, NULL},
};
