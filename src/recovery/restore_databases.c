/* The databases of a backup: their place, their headers, their trailers (engine sources: `logutil.cxx`,
 * `rstmap.cxx`). */
#include "src/os/file.h"
#include "src/os/memory.h"
#include "src/os/path.h"
#include "src/os/text.h"
#include "src/page/checksum.h"
#include "src/recovery/restore.h"

static bool signatures_equal(const struct signature *a, const struct signature *b)
{
    return memcmp(a, b, sizeof(*a)) == 0;
}

/* The last page of the file, with its place. `page` has room for a page. */
static JET_ERR read_trailer(struct os_file *file, uint32_t page_size, uint8_t *page, uint64_t *offset)
{
    JET_ERR err = JET_errSuccess;
    uint64_t size = 0;
    TRY(os_file_size(file, &size));
    if (size < 3 * (uint64_t)page_size)
        FAIL(JET_errDatabaseCorrupted);
    *offset = size / page_size * page_size - page_size;
    TRY(os_file_read(file, *offset, page, page_size));
    uint32_t stored;
    memcpy(&stored, page, sizeof(stored));
    if (stored != checksum_header(page, page_size))
        err = JET_errBadPatchPage;
done:
    return err;
}

/* The backup whose range the database needs: what the trailer says, if the header leaves it open. */
static JET_ERR check_range(struct recovery *recovery, const struct database_header *header,
                           const struct database_trailer *trailer, JET_ERR trailer_error)
{
    if (log_position_compare(header->snapshot_current.mark, LOG_POSITION_MIN) > 0)
        return signatures_equal(&header->log_signature, &recovery->log_signature)
                   ? JET_errSuccess
                   : JET_errDatabasePatchFileMismatch;
    if (header->full_current.generation_low == 0)
        return JET_errRestoreOfNonBackupDatabase;
    if (header->full_current.generation_high != 0)
        return JET_errSuccess;
    if (trailer_error < JET_errSuccess)
        return trailer_error;
    bool matches = signatures_equal(&header->signature, &trailer->database_signature) &&
                   signatures_equal(&header->log_signature, &recovery->log_signature) &&
                   signatures_equal(&trailer->log_signature, &recovery->log_signature) &&
                   log_position_compare(header->full_current.mark, trailer->backup.mark) == 0;
    return matches ? JET_errSuccess : JET_errDatabasePatchFileMismatch;
}

/* The databases must be recovered through all logs of the backup. That the range of logs is too short shows
 * in redo. */
static void enter_range(const struct recovery *recovery, struct database_header *header)
{
    int32_t high = recovery->generation_high;
    header->full_current.generation_high = (uint32_t)high;
    if (high > header->generation_max_committed) {
        memset(&header->generation_max_create_time, 0, sizeof(header->generation_max_create_time));
        header->generation_max_committed = high;
    }
    if (high > header->generation_max_required) {
        memset(&header->generation_max_required_time, 0, sizeof(header->generation_max_required_time));
        header->generation_max_required = high;
    }
}

JET_ERR restore_check_database(struct recovery *recovery, const char *path)
{
    JET_ERR err = JET_errSuccess;
    struct os_file *file = NULL;
    struct database_header header;
    struct database_trailer trailer;
    uint8_t *page = NULL;
    uint64_t offset = 0;
    TRY(os_file_open(path, OS_OPEN_WRITE, OS_SHARE_NONE, &file));
    bool differ = false;
    err = database_header_read(file, &header, &differ);
    if (err == JET_errReadVerifyFailure)
        err = JET_errDatabaseCorrupted;
    if (err == JET_errFileInvalidType)
        err = database_header_error_of_other_file(recovery->options->page_size);
    TRY(err);
    page = os_allocate_pages(header.page_size);
    if (page == NULL)
        FAIL(JET_errOutOfMemory);
    JET_ERR trailer_error = read_trailer(file, header.page_size, page, &offset);
    if (trailer_error == JET_errOutOfMemory)
        FAIL(trailer_error);
    memcpy(&trailer, page, sizeof(trailer));
    TRY(check_range(recovery, &header, &trailer, trailer_error));
    if (differ)
        TRY(database_header_mend(file, header.page_size));
    enter_range(recovery, &header);
    TRY(database_header_write(file, &header));
    if (trailer_error >= JET_errSuccess) {
        memset(page, 0, header.page_size);
        TRY(os_file_write(file, offset, page, header.page_size));
        TRY(os_file_sync(file));
    }
done:
    os_free(page);
    os_file_close(file);
    return err;
}

/* --- directory backups --- */

/* The path of the patch file that belongs to a database's file name. */
static JET_ERR patch_path(const struct recovery *recovery, const char *name, char *path, size_t capacity)
{
    char patch[OS_PATH_SIZE + sizeof(".pat")];
    size_t stem = (size_t)(os_path_extension(name) - name);
    ASSERT(stem < OS_PATH_SIZE);
    memcpy(patch, name, stem);
    memcpy(patch + stem, ".pat", sizeof(".pat"));
    return os_path_join(recovery->restore_directory, patch, path, capacity);
}

static JET_ERR copy_to_place(struct recovery *recovery, const char *source, const char *destination)
{
    JET_ERR err = JET_errSuccess;
    if (!os_path_equal(source, destination))
        TRY(os_file_copy(source, destination, true));
    TRY(restore_check_database(recovery, destination));
done:
    return err;
}

JET_ERR restore_place_database(struct recovery *recovery, const char *logged, char *path, size_t capacity,
                               bool *skip)
{
    JET_ERR err = JET_errSuccess;
    char source[OS_PATH_SIZE];
    char patch[OS_PATH_SIZE];
    const char *name = os_path_file_name(logged);
    bool exists = false;
    TRY(patch_path(recovery, name, patch, sizeof(patch)));
    TRY(os_path_join(recovery->restore_directory, name, source, sizeof(source)));
    if (recovery->restore_destination != NULL)
        TRY(os_path_join(recovery->restore_destination, name, path, capacity));
    else
        TRY(os_path_full(logged, path, capacity));
    TRY(recovery_path_exists(patch, false, &exists));
    if (exists)
        TRY(recovery_path_exists(source, false, &exists));
    *skip = !exists;
    if (*skip)
        goto done;
    for (size_t i = 0; i < recovery->placed_count; i++) {
        if (strcmp(recovery->placed[i], path) == 0)
            goto done; /* copied before, when the log named it first */
    }
    TRY(copy_to_place(recovery, source, path));
    recovery_progress_database(recovery, recovery->patch_files);
    if (recovery->placed_count < sizeof(recovery->placed) / sizeof(recovery->placed[0])) {
        char *text = os_duplicate_text(path);
        if (text == NULL)
            FAIL(JET_errOutOfMemory);
        recovery->placed[recovery->placed_count++] = text;
    }
done:
    return err;
}

static JET_ERR visit_patch(void *context, const char *name, const struct os_file_info *info)
{
    if (!info->is_directory && os_text_equal_ascii_case(os_path_extension(name), ".pat"))
        ++*(uint32_t *)context;
    return JET_errSuccess;
}

JET_ERR restore_check_patch_files(struct recovery *recovery)
{
    JET_ERR err = os_directory_list(recovery->restore_directory, visit_patch, &recovery->patch_files);
    if (err >= JET_errSuccess && recovery->patch_files == 0)
        err = JET_errPatchFileMissing;
    return err;
}
