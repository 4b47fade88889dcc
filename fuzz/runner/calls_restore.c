/* Directory backup, restore, external restore. */
#include <stdlib.h>
#include <string.h>

#include "fuzz/runner/run.h"

/* --- directory backup and restore, with their status callback */

struct status_counts {
    unsigned begin, complete, fail, progress, other;
};

static JET_ERR JET_API count_status(JET_SESID session, JET_SNP process, JET_SNT status, void *data)
{
    (void)session;
    (void)process;
    (void)data;
    struct status_counts *counts = run_thread()->counts;
    switch (status) {
    case JET_sntBegin:
        counts->begin++;
        break;
    case JET_sntComplete:
        counts->complete++;
        break;
    case JET_sntFail:
        counts->fail++;
        break;
    case JET_sntProgress:
        counts->progress++;
        break;
    default:
        counts->other++;
        break;
    }
    return JET_errSuccess;
}

static JET_PFNSTATUS status_function(struct call *call, struct status_counts *counts)
{
    run_thread()->counts = counts;
    return option_number(call, "pfn", 0) != 0 ? count_status : NULL;
}

static void print_status(struct call *call, JET_PFNSTATUS function, const struct status_counts *counts)
{
    run_thread()->counts = NULL;
    if (function == NULL)
        return;
    run_fact(call, "begin=%u", counts->begin);
    run_fact(call, "complete=%u", counts->complete);
    run_fact(call, "fail=%u", counts->fail);
    run_bar(call);
    run_fact(call, "progress=%u", counts->progress);
    run_fact(call, "other=%u", counts->other);
}

static JET_ERR backup(struct call *call, bool legacy, bool is_wide)
{
    uint64_t instance = legacy ? 0 : arg_handle(call);
    const char *path = arg_text(call);
    JET_GRBIT grbit = (JET_GRBIT)arg_number_or(call, 0);
    struct status_counts counts = {0};
    JET_PFNSTATUS function = status_function(call, &counts);
    if (call->bad)
        return JET_errSuccess;
    JET_ERR err;
    if (legacy)
        err = is_wide ? JetBackupW(run_wide(call, path), grbit, function) : JetBackupA(path, grbit, function);
    else
        err = is_wide ? JetBackupInstanceW(instance, run_wide(call, path), grbit, function)
                      : JetBackupInstanceA(instance, path, grbit, function);
    print_status(call, function, &counts);
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
    struct status_counts counts = {0};
    JET_PFNSTATUS function = status_function(call, &counts);
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
    print_status(call, function, &counts);
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
    struct status_counts counts = {0};
    r.function = status_function(call, &counts);
    option_number(call, "cbSize", 0);
    option_number(call, "lo", 0);
    option_number(call, "hi", 0);
    if (call->bad)
        return JET_errSuccess;
    JET_ERR err = is_wide ? external_restore_w(call, &r, second) : external_restore_a(call, &r, second);
    print_status(call, r.function, &counts);
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

const struct call_entry run_restore_calls[] = {
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
