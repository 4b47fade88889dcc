/* Where a database that the log names is to be looked for now. */
#include "src/os/path.h"
#include "src/os/text.h"
#include "src/recovery/recovery_internal.h"

/* The last component of a path, whose separators may be those of Windows. */
static const char *file_name(const char *path)
{
    const char *name = path;
    for (const char *c = path; *c != '\0'; c++) {
        if (*c == '/' || *c == '\\')
            name = c + 1;
    }
    return name;
}

static bool same_path(const char *a, const char *b)
{
    return os_text_equal_ascii_case(a, b) || os_path_equal(a, b);
}

static const struct recovery_map_entry *find_entry(const struct recovery_options *options, const char *logged)
{
    for (size_t i = 0; i < options->map_count; i++) {
        if (same_path(options->map[i].from, logged))
            return &options->map[i];
    }
    return NULL;
}

JET_ERR recovery_map_path(const struct recovery *recovery, const char *logged, char *path, size_t capacity,
                          bool *skip)
{
    const struct recovery_options *options = recovery->options;
    const struct recovery_map_entry *entry = find_entry(options, logged);
    *skip = false;
    if (entry != NULL)
        return os_path_full(entry->to, path, capacity);
    if (options->map_count > 0 && (options->grbit & JET_bitReplayMissingMapEntryDB) == 0) {
        *skip = true;
        return os_text_copy(logged, path, capacity);
    }
    if (options->alternate_directory != NULL && options->alternate_directory[0] != '\0') {
        char joined[OS_PATH_SIZE];
        JET_ERR err = os_path_join(options->alternate_directory, file_name(logged), joined, sizeof(joined));
        return err < JET_errSuccess ? err : os_path_full(joined, path, capacity);
    }
    return os_path_full(logged, path, capacity);
}
