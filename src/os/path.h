/* Paths: UTF-8 text; both '/' and '\' separate, and come out as '/'. No file is touched here.
 *
 * A path is absolute if it begins with a separator or a drive ("Z:"). Comparison is exact (the file systems
 * below are case-sensitive). Sizes are bytes including the final NUL; a result that does not fit is
 * JET_errInvalidPath. */
#ifndef OPENESENT_OS_PATH_H
#define OPENESENT_OS_PATH_H

#include "src/os/base.h"
#include "src/os/error.h"

/* Room for any path the engine accepts: 260 UTF-16 units, each at most 3 bytes of UTF-8, and some names
 * below. */
#define OS_PATH_SIZE 1024u

/* The absolute, normal form: joined to the current directory if relative, without ".", ".." and doubled
 * separators, no separator at the end (except of the root). An empty or NULL path is JET_errInvalidPath.
 * Symbolic links are not followed. */
JET_ERR os_path_full(const char *path, char *full, size_t size);

/* `directory` + '/' + `name` (no separator if the directory is empty or ends with one). */
JET_ERR os_path_join(const char *directory, const char *name, char *path, size_t size);

/* The part before the last component, without the separator (except of the root); "." if there is none. */
JET_ERR os_path_directory(const char *path, char *directory, size_t size);

/* The last component: a pointer into `path`; empty text if the path ends with a separator. */
const char *os_path_file_name(const char *path);

/* The extension with its dot: a pointer into `path`; empty text if there is none. */
const char *os_path_extension(const char *path);

/* True if both name the same place after os_path_full. False if one is no valid path. */
bool os_path_equal(const char *a, const char *b);

bool os_path_is_separator(char c);
bool os_path_is_absolute(const char *path);
bool os_path_ends_with_separator(const char *path);

#endif
