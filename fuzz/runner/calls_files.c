/* The files of the program's directory. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz/runner/run.h"

/* A missing directory on the way is a missing file to these calls. */
static JET_ERR file_answer(JET_ERR err)
{
    return err == JET_errInvalidPath ? JET_errFileNotFound : err;
}

static const char *path(struct call *call)
{
    const char *text = arg_text(call);
    if (text == NULL)
        run_bad(call, "a path is missing");
    return text != NULL ? text : "";
}

/* Whether a path stays in the folder that it is relative to. */
static bool stays_inside(const char *text)
{
    int depth = 0;
    if (text[0] == '/' || text[0] == '\\' || (text[0] != '\0' && text[1] == ':'))
        return false;
    for (const char *at = text; *at != '\0';) {
        const size_t length = strcspn(at, "/\\");
        if (length == 2 && at[0] == '.' && at[1] == '.')
            depth--;
        else if (length > 0 && !(length == 1 && at[0] == '.'))
            depth++;
        if (depth < 0)
            return false;
        at += length;
        at += *at != '\0';
    }
    return true;
}

/* The path of what a call changes. On a real disk a program may change its own folder only: one that deletes
 * ".." would take everything that lies beside it along. */
static const char *own_path(struct call *call)
{
    const char *text = path(call);
    if (call->run->options->files == RUN_POSIX && !stays_inside(text))
        run_bad(call, "on a real disk, nothing outside the program's folder is changed");
    return text;
}

static JET_ERR call_make_dir(struct call *call)
{
    const char *directory = own_path(call);
    return call->bad ? JET_errSuccess : EsentHostDirectoryCreate(directory);
}

static JET_ERR call_delete_dir(struct call *call)
{
    const char *directory = own_path(call);
    if (call->bad)
        return JET_errSuccess;
    JET_ERR err = file_answer(EsentHostDirectoryDelete(directory));
    return err == JET_errFileNotFound ? JET_errSuccess : err;
}

static JET_ERR call_copy_file(struct call *call)
{
    const char *from = path(call);
    const char *to = own_path(call);
    return call->bad ? JET_errSuccess : file_answer(EsentHostFileCopy(from, to));
}

static JET_ERR call_copy_dir(struct call *call)
{
    const char *from = path(call);
    const char *to = own_path(call);
    return call->bad ? JET_errSuccess : file_answer(EsentHostDirectoryCopy(from, to));
}

static JET_ERR call_delete_file(struct call *call)
{
    const char *file = own_path(call);
    return call->bad ? JET_errSuccess : file_answer(EsentHostFileDelete(file));
}

static JET_ERR call_corrupt(struct call *call)
{
    const char *file = own_path(call);
    uint64_t offset = arg_number(call, "offset");
    uint64_t mask = arg_number(call, "mask");
    return call->bad ? JET_errSuccess : file_answer(EsentHostFileCorrupt(file, offset, (uint8_t)mask));
}

static JET_ERR call_truncate(struct call *call)
{
    const char *file = own_path(call);
    uint64_t size = arg_number(call, "size");
    struct ESENT_HOST_FILE_INFO info;
    if (size > (uint64_t)1 << 40)
        run_bad(call, "size is too large");
    if (call->bad)
        return JET_errSuccess;
    JET_ERR err = file_answer(EsentHostFileInfo(file, &info));
    return err < JET_errSuccess ? err : file_answer(EsentHostFileSetSize(file, size));
}

/* --- ListDir */

struct names {
    struct arena *arena;
    char **items;
    size_t count;
};

static JET_ERR add_name(void *context, const char *name, const struct ESENT_HOST_FILE_INFO *info)
{
    (void)info;
    struct names *names = context;
    char **items = arena_allocate(names->arena, (names->count + 1) * sizeof *items);
    if (names->count > 0)
        memcpy(items, names->items, names->count * sizeof *items);
    items[names->count++] = arena_text(names->arena, name);
    names->items = items;
    return JET_errSuccess;
}

static bool ends_with(const char *text, const char *end)
{
    size_t length = strlen(text);
    size_t end_length = strlen(end);
    return length >= end_length && strcmp(text + length - end_length, end) == 0;
}

/* A log with a generation number in its name: baseN.log with at least five hexadecimal digits. */
static bool is_numbered_log(const char *name)
{
    size_t length = strlen(name);
    if (length < 9 || !ends_with(name, ".log"))
        return false;
    for (size_t i = length - 9; i < length - 4; i++) {
        if (strchr("0123456789abcdefABCDEF", name[i]) == NULL)
            return false;
    }
    return true;
}

/* Files that come and go by the engine's own timing: they are notes. */
static bool is_note(const char *name)
{
    return is_numbered_log(name) || ends_with(name, ".jfm") || ends_with(name, ".jrs") ||
           ends_with(name, "tmp.log") || strcmp(name, "tmp.edb") == 0;
}

static JET_ERR call_list_dir(struct call *call)
{
    const char *directory = path(call);
    if (call->bad)
        return JET_errSuccess;
    struct names names = {.arena = &call->arena};
    JET_ERR err = file_answer(EsentHostDirectoryList(directory, add_name, &names));
    if (err < JET_errSuccess)
        return err;
    const char *last = NULL;
    size_t notes = 0;
    for (size_t i = 0; i < names.count; i++) {
        if (is_numbered_log(names.items[i]))
            last = names.items[i];
        if (is_note(names.items[i]))
            notes++;
        else
            run_fact_quoted(call, "", names.items[i], strlen(names.items[i]));
    }
    if (last != NULL)
        run_fact_quoted(call, "last=", last, strlen(last));
    if (notes > 0)
        run_bar(call);
    for (size_t i = 0; i < names.count; i++) {
        if (is_note(names.items[i]))
            run_fact_quoted(call, "", names.items[i], strlen(names.items[i]));
    }
    return err;
}

/* --- Check */

static void print_finding(void *context, const struct ESENT_HOST_FINDING *finding)
{
    struct call *call = context;
    char text[240];
    snprintf(text, sizeof text, "%s page=%u object=%u: %s", finding->kind, finding->page, finding->object,
             finding->text);
    if (call->out.size < 2000)
        run_fact_quoted(call, "", text, strlen(text));
}

static JET_ERR call_check(struct call *call)
{
    const char *file = path(call);
    return call->bad ? JET_errSuccess : EsentHostCheckDatabase(file, print_finding, call);
}

static JET_ERR call_sleep(struct call *call)
{
    uint64_t milliseconds = arg_number(call, "milliseconds");
    if (milliseconds > 600000)
        run_bad(call, "more than ten minutes");
    if (!call->bad)
        EsentHostSleep((uint32_t)milliseconds);
    return JET_errSuccess;
}

const struct call_entry run_file_calls[] = {
    {"MakeDir", call_make_dir},
    {"DeleteDir", call_delete_dir},
    {"CopyFile", call_copy_file},
    {"CopyDir", call_copy_dir},
    {"DeleteFile", call_delete_file},
    {"Corrupt", call_corrupt},
    {"Truncate", call_truncate},
    {"ListDir", call_list_dir},
    {"Check", call_check},
    {"Sleep", call_sleep},
    {NULL, NULL},
};
