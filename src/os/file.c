/* Files for the layers above: faults, counters, scheduling points and the list of open files, around a file
 * system's table. */
#include "src/os/file.h"

#include <stdlib.h>

#include "src/os/fault.h"
#include "src/os/internal.h"
#include "src/os/memory.h"
#include "src/os/sanitizer.h"
#include "src/os/trace.h"

struct os_file {
    struct os_file *next; /* all open files */
    struct os_file *previous;
    const os_file_system *calls;
    void *handle;
    bool read_only;
    char path[];
};

_Static_assert((int)OS_OPEN_READ == (int)ESENT_HOST_OPEN_READ, "the modes are the public ones");
_Static_assert((int)OS_OPEN_OR_CREATE == (int)ESENT_HOST_OPEN_OR_CREATE, "the modes are the public ones");
_Static_assert((int)OS_SHARE_READ_WRITE == (int)ESENT_HOST_SHARE_READ_WRITE,
               "the shares are the public ones");

static pthread_mutex_t open_lock = PTHREAD_MUTEX_INITIALIZER;
static struct os_file *open_files;
static os_atomic_64 read_count, write_count, sync_count, read_bytes, written_bytes;

const os_file_system *os_file_system_current(void)
{
    return os_host.files != NULL ? os_host.files : &os_posix_file_system;
}

void os_file_counters(struct ESENT_HOST_COUNTERS *counters)
{
    counters->open_files = os_file_open_count();
    counters->reads = os_atomic_load(&read_count);
    counters->writes = os_atomic_load(&write_count);
    counters->syncs = os_atomic_load(&sync_count);
    counters->read_bytes = os_atomic_load(&read_bytes);
    counters->written_bytes = os_atomic_load(&written_bytes);
}

void os_file_reset_counters(void)
{
    os_atomic_store(&read_count, 0);
    os_atomic_store(&write_count, 0);
    os_atomic_store(&sync_count, 0);
    os_atomic_store(&read_bytes, 0);
    os_atomic_store(&written_bytes, 0);
}

OS_UNTRACED_BEGIN

static void count_operation(os_atomic_64 *counter, os_atomic_64 *bytes, size_t size)
{
    if (!os_fault_is_counting())
        return;
    os_atomic_add(counter, 1);
    if (bytes != NULL)
        os_atomic_add(bytes, size);
}

OS_UNTRACED_END

/* ---- faults */

/* Passes the scheduling point and the fault point that every operation has. */
static JET_ERR enter(void)
{
    os_point();
    return os_fault_point(ESENT_HOST_FAULT_IO) ? JET_errDiskIO : JET_errSuccess;
}

static JET_ERR fail_if(os_fault_kind kind, JET_ERR code)
{
    return os_fault_point(kind) ? code : JET_errSuccess;
}

/* Before anything that changes the disk: at an armed crash point, keeps the disk as it is now. */
static void pass_crash_point(void)
{
    if (!os_fault_point(ESENT_HOST_FAULT_CRASH) || !os_memory_files_in_use() || os_host.frozen != NULL)
        return;
    os_host.frozen = memory_file_system_freeze(os_host.memory_files);
}

/* ---- paths: relative ones start at the host's directory, separators become '/' */

static JET_ERR translate(const char *path, char *result)
{
    JET_ERR err = JET_errSuccess;
    if (path == NULL || path[0] == 0)
        FAIL(JET_errInvalidPath);
    if (os_host.directory[0] != 0 || os_host.files != NULL) {
        TRY(os_path_full(path, result, OS_PATH_SIZE));
        goto done;
    }
    size_t length = strlen(path);
    if (length >= OS_PATH_SIZE)
        FAIL(JET_errInvalidPath);
    for (size_t i = 0; i <= length; i++)
        result[i] = path[i] == '\\' ? '/' : path[i];
    while (length > 1 && result[length - 1] == '/')
        result[--length] = 0;
done:
    return err;
}

/* ---- open files */

OS_UNTRACED_BEGIN

static void enlist(struct os_file *file)
{
    pthread_mutex_lock(&open_lock);
    file->previous = NULL;
    file->next = open_files;
    if (open_files != NULL)
        open_files->previous = file;
    open_files = file;
    pthread_mutex_unlock(&open_lock);
}

static void delist(struct os_file *file)
{
    pthread_mutex_lock(&open_lock);
    if (file->previous != NULL)
        file->previous->next = file->next;
    else
        open_files = file->next;
    if (file->next != NULL)
        file->next->previous = file->previous;
    pthread_mutex_unlock(&open_lock);
}

OS_UNTRACED_END

size_t os_file_open_count(void)
{
    size_t count = 0;
    pthread_mutex_lock(&open_lock);
    for (const struct os_file *file = open_files; file != NULL; file = file->next)
        count++;
    pthread_mutex_unlock(&open_lock);
    return count;
}

void os_file_visit_open(void (*visit)(void *context, const char *path), void *context)
{
    pthread_mutex_lock(&open_lock);
    for (const struct os_file *file = open_files; file != NULL; file = file->next)
        visit(context, file->path);
    pthread_mutex_unlock(&open_lock);
}

/* The process dies: its handles are closed, the records go with its memory. */
void os_file_close_all(void)
{
    for (struct os_file *file = open_files; file != NULL; file = file->next)
        file->calls->close(file->calls->context, file->handle);
    open_files = NULL;
}

JET_ERR os_file_open(const char *path, enum os_open_mode mode, enum os_share share, struct os_file **file)
{
    JET_ERR err = JET_errSuccess;
    struct os_file *opened = NULL;
    const os_file_system *files = os_file_system_current();
    char translated[OS_PATH_SIZE];
    *file = NULL;
    TRY(translate(path, translated));
    size_t length = strlen(translated) + 1;
    opened = os_allocate(sizeof *opened + length);
    if (opened == NULL)
        FAIL(JET_errOutOfMemory);
    memcpy(opened->path, translated, length);
    opened->calls = files;
    opened->read_only = mode == OS_OPEN_READ;
    TRY(enter());
    TRY(fail_if(ESENT_HOST_FAULT_OPEN, JET_errFileAccessDenied));
    if (mode == OS_CREATE_NEW || mode == OS_CREATE_ALWAYS || mode == OS_OPEN_OR_CREATE)
        pass_crash_point();
    TRY(files->open(files->context, translated, (enum ESENT_HOST_OPEN_MODE)mode, (enum ESENT_HOST_SHARE)share,
                    &opened->handle));
    enlist(opened);
    *file = opened;
    opened = NULL;
done:
    os_free(opened);
    return err;
}

void os_file_close(struct os_file *file)
{
    if (file == NULL)
        return;
    delist(file);
    file->calls->close(file->calls->context, file->handle);
    os_free(file);
    os_point();
}

const char *os_file_path(const struct os_file *file)
{
    return file->path;
}

bool os_file_is_read_only(const struct os_file *file)
{
    return file->read_only;
}

/* ---- bytes */

JET_ERR os_file_read_some(struct os_file *file, uint64_t offset, void *buffer, size_t size, size_t *done_size)
{
    JET_ERR err = JET_errSuccess;
    *done_size = 0;
    TRY(enter());
    TRY(fail_if(ESENT_HOST_FAULT_READ, JET_errDiskIO));
    TRY(file->calls->read(file->calls->context, file->handle, offset, buffer, size, done_size));
    count_operation(&read_count, &read_bytes, *done_size);
    if (*done_size > 0 && os_fault_point(ESENT_HOST_FAULT_FLIP))
        ((uint8_t *)buffer)[*done_size / 2] ^= 1;
done:
    return err;
}

JET_ERR os_file_read(struct os_file *file, uint64_t offset, void *buffer, size_t size)
{
    JET_ERR err = JET_errSuccess;
    size_t done_size = 0;
    TRY(os_file_read_some(file, offset, buffer, size, &done_size));
    if (done_size < size) {
        memset((uint8_t *)buffer + done_size, 0, size - done_size);
        FAIL(JET_errFileIOBeyondEOF);
    }
done:
    return err;
}

JET_ERR os_file_write(struct os_file *file, uint64_t offset, const void *buffer, size_t size)
{
    JET_ERR err = JET_errSuccess;
    const os_file_system *calls = file->calls;
    os_check_is_filled(buffer, size);
    TRY(enter());
    TRY(fail_if(ESENT_HOST_FAULT_WRITE, JET_errDiskIO));
    TRY(fail_if(ESENT_HOST_FAULT_DISK_FULL, JET_errDiskFull));
    pass_crash_point();
    if (os_fault_point(ESENT_HOST_FAULT_SHORT_WRITE)) {
        size_t part = size / 2 / 512 * 512;
        if (part > 0)
            (void)calls->write(calls->context, file->handle, offset, buffer, part);
        FAIL(JET_errDiskIO);
    }
    TRY(calls->write(calls->context, file->handle, offset, buffer, size));
    count_operation(&write_count, &written_bytes, size);
done:
    return err;
}

JET_ERR os_file_sync(struct os_file *file)
{
    JET_ERR err = JET_errSuccess;
    TRY(enter());
    TRY(fail_if(ESENT_HOST_FAULT_SYNC, JET_errDiskIO));
    pass_crash_point();
    TRY(file->calls->sync(file->calls->context, file->handle));
    count_operation(&sync_count, NULL, 0);
done:
    return err;
}

JET_ERR os_file_size(struct os_file *file, uint64_t *size)
{
    JET_ERR err = JET_errSuccess;
    *size = 0;
    TRY(enter());
    TRY(file->calls->get_size(file->calls->context, file->handle, size));
done:
    return err;
}

JET_ERR os_file_set_size(struct os_file *file, uint64_t size)
{
    JET_ERR err = JET_errSuccess;
    TRY(enter());
    TRY(fail_if(ESENT_HOST_FAULT_DISK_FULL, JET_errDiskFull));
    pass_crash_point();
    TRY(file->calls->set_size(file->calls->context, file->handle, size));
done:
    return err;
}

/* ---- names */

/* What every operation on a name does first. */
static JET_ERR enter_name(const char *path, char *translated, bool changes)
{
    JET_ERR err = JET_errSuccess;
    TRY(translate(path, translated));
    TRY(enter());
    if (changes) {
        TRY(fail_if(ESENT_HOST_FAULT_NAME, JET_errFileAccessDenied));
        pass_crash_point();
    }
done:
    return err;
}

JET_ERR os_file_info(const char *path, struct os_file_info *info)
{
    JET_ERR err = JET_errSuccess;
    const os_file_system *files = os_file_system_current();
    char translated[OS_PATH_SIZE];
    struct ESENT_HOST_FILE_INFO found = {0};
    *info = (struct os_file_info){0};
    TRY(enter_name(path, translated, false));
    TRY(files->info(files->context, translated, &found));
    info->size = found.size;
    info->is_directory = found.directory != 0;
    info->read_only = found.read_only != 0;
done:
    return err;
}

bool os_file_exists(const char *path)
{
    struct os_file_info info;
    return os_file_info(path, &info) == JET_errSuccess && !info.is_directory;
}

bool os_directory_exists(const char *path)
{
    struct os_file_info info;
    return os_file_info(path, &info) == JET_errSuccess && info.is_directory;
}

JET_ERR os_file_delete(const char *path)
{
    JET_ERR err = JET_errSuccess;
    const os_file_system *files = os_file_system_current();
    char translated[OS_PATH_SIZE];
    TRY(enter_name(path, translated, true));
    TRY(files->remove(files->context, translated));
done:
    return err;
}

JET_ERR os_file_rename(const char *from, const char *to, bool replace)
{
    JET_ERR err = JET_errSuccess;
    const os_file_system *files = os_file_system_current();
    char translated_from[OS_PATH_SIZE];
    char translated_to[OS_PATH_SIZE];
    TRY(translate(to, translated_to));
    TRY(enter_name(from, translated_from, true));
    TRY(files->rename(files->context, translated_from, translated_to, replace));
done:
    return err;
}

JET_ERR os_file_set_read_only(const char *path, bool read_only)
{
    JET_ERR err = JET_errSuccess;
    const os_file_system *files = os_file_system_current();
    char translated[OS_PATH_SIZE];
    TRY(enter_name(path, translated, true));
    TRY(files->set_read_only(files->context, translated, read_only));
done:
    return err;
}

#define COPY_CHUNK 65536u

JET_ERR os_file_copy(const char *from, const char *to, bool replace)
{
    JET_ERR err = JET_errSuccess;
    struct os_file *source = NULL;
    struct os_file *target = NULL;
    uint64_t offset = 0;
    size_t size = 0;
    uint8_t *buffer = os_allocate(COPY_CHUNK);
    if (buffer == NULL)
        FAIL(JET_errOutOfMemory);
    TRY(os_file_open(from, OS_OPEN_READ, OS_SHARE_READ_WRITE, &source));
    if (replace) {
        /* Never a mixture of the two: after a crash there is the old file, nothing, or parts of the new one.
         */
        err = os_file_delete(to);
        if (err != JET_errFileNotFound)
            TRY(err);
    }
    TRY(os_file_open(to, OS_CREATE_NEW, OS_SHARE_NONE, &target));
    do {
        TRY(os_file_read_some(source, offset, buffer, COPY_CHUNK, &size));
        if (size > 0)
            TRY(os_file_write(target, offset, buffer, size));
        offset += size;
    } while (size > 0);
    TRY(os_file_sync(target));
done:
    os_file_close(source);
    bool made = target != NULL;
    os_file_close(target);
    if (err < JET_errSuccess && made) {
        os_fault_suspend();
        (void)os_file_delete(to);
        os_fault_resume();
    }
    os_free(buffer);
    return err;
}

/* ---- directories */

JET_ERR os_directory_create(const char *path)
{
    JET_ERR err = JET_errSuccess;
    const os_file_system *files = os_file_system_current();
    char translated[OS_PATH_SIZE];
    TRY(enter_name(path, translated, true));
    TRY(files->create_directory(files->context, translated));
done:
    return err;
}

JET_ERR os_directory_create_all(const char *path)
{
    JET_ERR err = JET_errSuccess;
    char full[OS_PATH_SIZE];
    TRY(os_path_full(path, full, sizeof full));
    size_t length = strlen(full);
    for (size_t i = 1; i <= length; i++) {
        if ((full[i] != '/' && full[i] != 0) || full[i - 1] == ':' || full[i - 1] == '/')
            continue;
        char saved = full[i];
        full[i] = 0;
        if (!os_directory_exists(full)) {
            JET_ERR made = os_directory_create(full);
            if (made != JET_errFileAlreadyExists || !os_directory_exists(full))
                TRY(made);
        }
        full[i] = saved;
    }
done:
    return err;
}

JET_ERR os_directory_remove(const char *path)
{
    JET_ERR err = JET_errSuccess;
    const os_file_system *files = os_file_system_current();
    char translated[OS_PATH_SIZE];
    TRY(enter_name(path, translated, true));
    TRY(files->remove_directory(files->context, translated));
done:
    return err;
}

static JET_ERR remove_entry(void *context, const char *name, const struct os_file_info *info)
{
    JET_ERR err = JET_errSuccess;
    char path[OS_PATH_SIZE];
    TRY(os_path_join(context, name, path, sizeof path));
    if (info->is_directory)
        TRY(os_directory_remove_all(path));
    else
        TRY(os_file_delete(path));
done:
    return err;
}

JET_ERR os_directory_remove_all(const char *path)
{
    JET_ERR err = os_directory_list(path, remove_entry, (void *)(uintptr_t)path);
    if (err == JET_errFileNotFound || err == JET_errInvalidPath)
        return JET_errSuccess;
    TRY(err);
    TRY(os_directory_remove(path));
done:
    return err;
}

JET_ERR os_directory_sync(const char *path)
{
    JET_ERR err = JET_errSuccess;
    const os_file_system *files = os_file_system_current();
    char translated[OS_PATH_SIZE];
    TRY(enter_name(path, translated, false));
    TRY(fail_if(ESENT_HOST_FAULT_SYNC, JET_errDiskIO));
    pass_crash_point();
    TRY(files->sync_directory(files->context, translated));
done:
    return err;
}

struct entry {
    char *name;
    struct os_file_info info;
};

struct listing {
    struct entry *entries;
    size_t count;
    size_t room;
};

static JET_ERR collect(void *context, const char *name, const struct ESENT_HOST_FILE_INFO *info)
{
    JET_ERR err = JET_errSuccess;
    struct listing *listing = context;
    if (listing->count == listing->room) {
        size_t room = listing->room == 0 ? 16 : listing->room * 2;
        struct entry *grown = os_reallocate(listing->entries, room * sizeof *grown);
        if (grown == NULL)
            FAIL(JET_errOutOfMemory);
        listing->entries = grown;
        listing->room = room;
    }
    struct entry *entry = &listing->entries[listing->count];
    entry->name = os_duplicate_text(name);
    if (entry->name == NULL)
        FAIL(JET_errOutOfMemory);
    entry->info = (struct os_file_info){info->size, info->directory != 0, info->read_only != 0};
    listing->count++;
done:
    return err;
}

static int compare_entries(const void *a, const void *b)
{
    return strcmp(((const struct entry *)a)->name, ((const struct entry *)b)->name);
}

JET_ERR os_directory_list(const char *path,
                          JET_ERR (*visit)(void *context, const char *name, const struct os_file_info *info),
                          void *context)
{
    JET_ERR err = JET_errSuccess;
    const os_file_system *files = os_file_system_current();
    char translated[OS_PATH_SIZE];
    struct listing listing = {NULL, 0, 0};
    TRY(enter_name(path, translated, false));
    TRY(files->list(files->context, translated, collect, &listing));
    if (listing.count > 1)
        qsort(listing.entries, listing.count, sizeof *listing.entries, compare_entries);
    for (size_t i = 0; i < listing.count; i++)
        TRY(visit(context, listing.entries[i].name, &listing.entries[i].info));
done:
    for (size_t i = 0; i < listing.count; i++)
        os_free(listing.entries[i].name);
    os_free(listing.entries);
    return err;
}

JET_ERR os_disk_free(const char *path, uint64_t *free_bytes)
{
    JET_ERR err = JET_errSuccess;
    const os_file_system *files = os_file_system_current();
    char translated[OS_PATH_SIZE];
    *free_bytes = 0;
    TRY(enter_name(path, translated, false));
    TRY(files->free_space(files->context, translated, free_bytes));
done:
    return err;
}

/* ---- sharing */

static bool share_allows(enum ESENT_HOST_SHARE share, bool writes)
{
    return share == ESENT_HOST_SHARE_READ_WRITE || (share == ESENT_HOST_SHARE_READ && !writes);
}

bool os_share_compatible(bool first_writes, enum ESENT_HOST_SHARE first_share, bool second_writes,
                         enum ESENT_HOST_SHARE second_share)
{
    return share_allows(first_share, second_writes) && share_allows(second_share, first_writes);
}
