/* Where a database that the log names is to be looked for now. */
#include "src/os/file.h"
#include "src/os/path.h"
#include "src/os/text.h"
#include "src/recovery/restore.h"

JET_ERR recovery_path_exists(const char *path, bool directory, bool *exists)
{
    struct os_file_info info;
    const JET_ERR err = os_file_info(path, &info);
    *exists = err >= JET_errSuccess && info.is_directory == directory;
    return err == JET_errFileNotFound || err == JET_errInvalidPath ? JET_errSuccess : err;
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

JET_ERR recovery_map_path(struct recovery *recovery, const char *logged, bool before_redo, char *path,
                          size_t capacity, bool *skip)
{
    const struct recovery_options *options = recovery->options;
    *skip = false;
    if (recovery->hard && !recovery->external)
        return restore_place_database(recovery, logged, path, capacity, skip);
    const struct recovery_map_entry *entry = find_entry(options, logged);
    if (entry != NULL)
        return os_path_full(entry->to, path, capacity);
    bool map_counts = options->map_count > 0 || (recovery->hard && before_redo);
    if (map_counts && (recovery->hard || (options->grbit & JET_bitReplayMissingMapEntryDB) == 0))
        *skip = true;
    if (!recovery->hard && options->alternate_directory != NULL && options->alternate_directory[0] != '\0') {
        char joined[OS_PATH_SIZE];
        JET_ERR err =
            os_path_join(options->alternate_directory, os_path_file_name(logged), joined, sizeof(joined));
        return err < JET_errSuccess ? err : os_path_full(joined, path, capacity);
    }
    return os_path_full(logged, path, capacity);
}
