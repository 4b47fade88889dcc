#include "src/os/path.h"

#include "src/os/internal.h"

bool os_path_is_separator(char c)
{
    return c == '/' || c == '\\';
}

static bool has_drive(const char *path)
{
    return ((path[0] >= 'A' && path[0] <= 'Z') || (path[0] >= 'a' && path[0] <= 'z')) && path[1] == ':';
}

bool os_path_is_absolute(const char *path)
{
    return os_path_is_separator(path[0]) || has_drive(path);
}

bool os_path_ends_with_separator(const char *path)
{
    size_t length = strlen(path);
    return length > 0 && os_path_is_separator(path[length - 1]);
}

/* Appends the components of `path` to the absolute path `full` of `*length` bytes, of which `root` cannot be
 * left. */
static JET_ERR append_components(const char *path, char *full, size_t *length, size_t root, size_t size)
{
    while (*path != 0) {
        while (os_path_is_separator(*path))
            path++;
        size_t count = 0;
        while (path[count] != 0 && !os_path_is_separator(path[count]))
            count++;
        if (count == 2 && path[0] == '.' && path[1] == '.') {
            while (*length > root && full[*length - 1] != '/')
                --*length;
            if (*length > root)
                --*length;
        } else if (count > 0 && !(count == 1 && path[0] == '.')) {
            if (*length + 1 + count + 1 > size)
                return JET_errInvalidPath;
            if (full[*length - 1] != '/')
                full[(*length)++] = '/';
            memcpy(full + *length, path, count);
            *length += count;
        }
        path += count;
    }
    full[*length] = 0;
    return JET_errSuccess;
}

/* The root of an absolute path ("/" or "Z:/") goes to `full`. Answers what follows. */
static const char *take_root(const char *path, char *full, size_t *root)
{
    *root = 0;
    if (has_drive(path)) {
        full[(*root)++] = path[0];
        full[(*root)++] = ':';
        path += 2;
    }
    full[(*root)++] = '/';
    return path;
}

JET_ERR os_path_full(const char *path, char *full, size_t size)
{
    JET_ERR err = JET_errSuccess;
    if (path == NULL || path[0] == 0 || size < 8)
        FAIL(JET_errInvalidPath);
    char current[OS_PATH_SIZE];
    const char *rest = path;
    size_t root = 0;
    size_t length = 0;
    if (!os_path_is_absolute(path)) {
        const char *from = os_host.directory;
        if (from[0] == 0) {
            const os_file_system *files = os_file_system_current();
            TRY(files->current_directory(files->context, current, sizeof current));
            from = current;
        }
        const char *below = take_root(from, full, &root);
        length = root;
        TRY(append_components(below, full, &length, root, size));
    } else {
        rest = take_root(path, full, &root);
        length = root;
    }
    TRY(append_components(rest, full, &length, root, size));
done:
    return err;
}

JET_ERR os_path_join(const char *directory, const char *name, char *path, size_t size)
{
    size_t directory_length = strlen(directory);
    size_t name_length = strlen(name);
    bool separator = directory_length > 0 && !os_path_ends_with_separator(directory);
    if (directory_length + separator + name_length + 1 > size)
        return JET_errInvalidPath;
    memmove(path, directory, directory_length);
    if (separator)
        path[directory_length++] = '/';
    memcpy(path + directory_length, name, name_length + 1);
    return JET_errSuccess;
}

const char *os_path_file_name(const char *path)
{
    const char *name = path;
    for (const char *at = path; *at != 0; at++) {
        if (os_path_is_separator(*at))
            name = at + 1;
    }
    if (name == path && has_drive(path))
        name = path + 2;
    return name;
}

const char *os_path_extension(const char *path)
{
    const char *name = os_path_file_name(path);
    const char *dot = strrchr(name, '.');
    return dot != NULL ? dot : name + strlen(name);
}

JET_ERR os_path_directory(const char *path, char *directory, size_t size)
{
    size_t length = (size_t)(os_path_file_name(path) - path);
    if (length == 0) {
        if (size < 2)
            return JET_errInvalidPath;
        memcpy(directory, ".", 2);
        return JET_errSuccess;
    }
    size_t root = has_drive(path) ? 3 : 1;
    while (length > root && os_path_is_separator(path[length - 1]))
        length--;
    if (length + 1 > size)
        return JET_errInvalidPath;
    memmove(directory, path, length);
    directory[length] = 0;
    return JET_errSuccess;
}

bool os_path_equal(const char *a, const char *b)
{
    char full_a[OS_PATH_SIZE];
    char full_b[OS_PATH_SIZE];
    return os_path_full(a, full_a, sizeof full_a) == JET_errSuccess &&
           os_path_full(b, full_b, sizeof full_b) == JET_errSuccess && strcmp(full_a, full_b) == 0;
}
