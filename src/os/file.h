/* Files: one interface over POSIX files, in-memory files and a program's own; every call is a fault point
 * (os/fault.h) and a scheduling point (os/thread.h).
 *
 * Errors are what the engine's own layer makes of the system's answers (engine source: `osfile.cxx`):
 *   JET_errFileNotFound       no such file, but its directory exists
 *   JET_errInvalidPath        no such directory, or not a path at all
 *   JET_errFileAlreadyExists  creation or rename onto an existing file
 *   JET_errFileAccessDenied   no permission, is a directory, read-only, or open elsewhere in a way that
 * conflicts JET_errDiskFull           no space JET_errFileIOBeyondEOF    a read beyond the end of the file
 *   JET_errOutOfFileHandles, JET_errOutOfMemory, JET_errDiskIO (anything else)
 *
 * Paths are taken as they are, relative to the current directory of the host (os/path.h makes them absolute).
 * Offsets and sizes are bytes. A struct os_file may be used by several threads at once. */
#ifndef OPENESENT_OS_FILE_H
#define OPENESENT_OS_FILE_H

#include "src/os/base.h"
#include "src/os/error.h"

struct os_file;

enum os_open_mode {
    OS_OPEN_READ,      /* existing file, read only */
    OS_OPEN_WRITE,     /* existing file, read and write */
    OS_CREATE_NEW,     /* must not exist; read and write */
    OS_CREATE_ALWAYS,  /* emptied if it exists; read and write */
    OS_OPEN_OR_CREATE, /* created empty if it does not exist; read and write */
};

/* What others may do with the file while it is open here, as on Windows: an open that conflicts with one that
 * exists (in this process or another) is JET_errFileAccessDenied. Deleting and renaming an open file
 * likewise. */
enum os_share {
    OS_SHARE_NONE,
    OS_SHARE_READ,       /* others may read */
    OS_SHARE_READ_WRITE, /* others may do anything (except delete) */
};

/* Opens a file; the answer is owned by the caller, closed with os_file_close. */
JET_ERR os_file_open(const char *path, enum os_open_mode mode, enum os_share share, struct os_file **file);

/* Closes (NULL is allowed). Nothing is flushed; cannot fail. */
void os_file_close(struct os_file *file);

/* Reads exactly `size` bytes. If the file ends before: what there is has been read, the rest of the buffer is
 * zero, the answer is JET_errFileIOBeyondEOF. */
JET_ERR os_file_read(struct os_file *file, uint64_t offset, void *buffer, size_t size);

/* Reads up to `size` bytes, fewer at the end of the file; `*done` says how many (0 at the end). */
JET_ERR os_file_read_some(struct os_file *file, uint64_t offset, void *buffer, size_t size, size_t *done);

/* Writes exactly `size` bytes, extending the file if needed. After a failure any part may have been written.
 */
JET_ERR os_file_write(struct os_file *file, uint64_t offset, const void *buffer, size_t size);

/* Makes everything written so far to this file durable, and its size and name. */
JET_ERR os_file_sync(struct os_file *file);

JET_ERR os_file_size(struct os_file *file, uint64_t *size);

/* Grows (new bytes read as zero, space need not be taken) or shrinks the file. */
JET_ERR os_file_set_size(struct os_file *file, uint64_t size);

/* The path it was opened with. */
const char *os_file_path(const struct os_file *file);
bool os_file_is_read_only(const struct os_file *file);

/* What a path names. `is_directory`, `size` (files) and `read_only` are filled; JET_errFileNotFound or
 * JET_errInvalidPath if nothing. */
struct os_file_info {
    uint64_t size;
    bool is_directory;
    bool read_only;
};
JET_ERR os_file_info(const char *path, struct os_file_info *info);

/* True if a file (not a directory) of that name exists. Errors count as no. */
bool os_file_exists(const char *path);
bool os_directory_exists(const char *path);

/* Deletes a file. A file that does not exist is JET_errFileNotFound. */
JET_ERR os_file_delete(const char *path);

/* Gives a file or directory another path on the same file system. With `replace`, an existing file there is
 * replaced in one step; without, it is JET_errFileAlreadyExists. The step is durable after the next sync of
 * any file beside it or os_directory_sync. */
JET_ERR os_file_rename(const char *from, const char *to, bool replace);

/* Copies a file's bytes and makes them durable. Without `replace`, an existing target is
 * JET_errFileAlreadyExists. */
JET_ERR os_file_copy(const char *from, const char *to, bool replace);

JET_ERR os_file_set_read_only(const char *path, bool read_only);

/* Makes a directory; its parent must exist (JET_errInvalidPath). An existing one is JET_errFileAlreadyExists.
 */
JET_ERR os_directory_create(const char *path);
/* The same with all parents that miss; an existing directory is success. */
JET_ERR os_directory_create_all(const char *path);
/* Removes an empty directory. */
JET_ERR os_directory_remove(const char *path);
/* Removes a directory and all below. One that does not exist is success. */
JET_ERR os_directory_remove_all(const char *path);
/* Makes creations, renames and deletions in the directory durable. */
JET_ERR os_directory_sync(const char *path);

/* Calls `visit` for each entry of a directory (without "." and ".."), in byte order of their names. An error
 * answered by `visit` ends the walk and is answered. The entries are collected before the first call, so that
 * `visit` may change the directory. */
JET_ERR os_directory_list(const char *path,
                          JET_ERR (*visit)(void *context, const char *name, const struct os_file_info *info),
                          void *context);

/* Free bytes on the disk of a path. */
JET_ERR os_disk_free(const char *path, uint64_t *free_bytes);

#endif
