/* The streams of logs and patch files. */
#include "src/backup/backup_stream.h"

#include "src/log/log.h"
#include "src/os/file.h"
#include "src/os/host.h"
#include "src/os/text.h"
#include "src/os/zero.h"
#include "src/page/checksum.h"

#define PATCH_EXTENSION ".pat"

/* --- names --- */

static const char *log_extension(const struct backup_context *context)
{
    return log_get_settings(backup_log(context))->legacy_extensions ? ".log" : ".jtx";
}

/* The generation that an archived log's name says: base name, 5 or 8 hexadecimal digits, extension. The
 * current log has none. */
static JET_ERR generation_of_name(const struct backup_context *context, const char *name, int32_t *generation)
{
    const char *base = context->services->base_name(context->instance);
    const size_t base_length = strlen(base);
    const size_t length = strlen(name) - strlen(os_path_extension(name));
    if (length < base_length || os_text_compare_ascii_case_n(name, base_length, base, base_length) != 0)
        return JET_errInvalidParameter;
    const char *digits = name + base_length;
    const size_t count = length - base_length;
    *generation = log_parse_generation(digits, count);
    if (*generation != 0)
        return JET_errSuccess;
    /* The published engine takes any digits: numbers that no log has are no files either. */
    static const char hexadecimal[] = "0123456789abcdefABCDEF";
    return os_host_is_published() && (count == 5 || count == 8) && strspn(digits, hexadecimal) >= count
               ? JET_errSuccess
               : JET_errInvalidParameter;
}

JET_ERR backup_patch_path(const struct database *database, char *path, size_t size)
{
    const size_t stem = strlen(database->path) - strlen(os_path_extension(database->path));
    if (stem + sizeof PATCH_EXTENSION > size)
        return JET_errInvalidPath;
    memcpy(path, database->path, stem);
    memcpy(path + stem, PATCH_EXTENSION, sizeof PATCH_EXTENSION);
    return JET_errSuccess;
}

JET_ERR backup_make_patch_file(const struct database *database)
{
    JET_ERR err = JET_errSuccess;
    char path[OS_PATH_SIZE];
    struct os_file *file;
    TRY(backup_patch_path(database, path, sizeof path));
    TRY(os_file_open(path, OS_CREATE_ALWAYS, OS_SHARE_NONE, &file));
    os_file_close(file);
done:
    return err;
}

struct patch_search {
    const char *path;
    bool found;
};

static void compare_patch_path(void *argument, struct database *database)
{
    struct patch_search *search = argument;
    char path[OS_PATH_SIZE];
    if (backup_patch_path(database, path, sizeof path) >= JET_errSuccess && os_path_equal(path, search->path))
        search->found = true;
}

/* Whether the file is a log of this instance or the patch file of one of its databases. */
static bool belongs_to_backup(struct backup_context *context)
{
    const struct backup_file *file = &context->file;
    char directory[sizeof file->path];
    if (file->is_log) {
        const JET_ERR err = os_path_directory(file->path, directory, sizeof directory);
        ASSERT(err >= JET_errSuccess); /* a part of what fits */
        (void)err;
        return os_path_equal(directory, context->services->log_directory(context->instance));
    }
    struct patch_search search = {file->path, false};
    context->services->visit(context->instance, compare_patch_path, &search);
    return search.found;
}

/* --- open --- */

JET_ERR backup_open_plain_file(struct backup_context *context)
{
    JET_ERR err = JET_errSuccess;
    struct backup_file *file = &context->file;
    const char *name = os_path_file_name(file->path);
    file->is_log = os_text_equal_ascii_case(os_path_extension(name), log_extension(context));
    if (!os_host_is_published() && !os_file_exists(file->path))
        FAIL(JET_errMissingFileToBackup);
    if (file->is_log)
        TRY(generation_of_name(context, name, &file->generation));
    if (!os_host_is_published() && !belongs_to_backup(context))
        FAIL(JET_errInvalidParameter);
    err = os_file_open(file->path, OS_OPEN_READ, OS_SHARE_READ_WRITE, &file->file);
    if (err == JET_errFileNotFound)
        err = JET_errMissingFileToBackup;
    TRY(err);
    TRY(os_file_size(file->file, &file->size));
done:
    if (err < JET_errSuccess)
        backup_drop_file(context);
    return err;
}

/* --- read --- */

/* The documented profile wants the whole log that the name promises. */
static JET_ERR check_identity(struct backup_context *context, const struct log_file_header *header)
{
    const struct backup_file *file = &context->file;
    if (os_host_is_published())
        return JET_errSuccess;
    const struct signature signature = log_signature(backup_log(context));
    if (memcmp(&header->log_signature, &signature, sizeof signature) != 0)
        return JET_errBadLogSignature;
    if (header->generation != file->generation ||
        file->size != (uint64_t)header->file_sectors * LOG_SECTOR_SIZE)
        return JET_errLogFileCorrupt;
    return JET_errSuccess;
}

static JET_ERR verify_log_header(struct backup_context *context, const uint8_t *bytes)
{
    struct log_file_header header;
    memcpy(&header, bytes, sizeof header);
    if (header.checksum != checksum_header(bytes, sizeof header))
        return JET_errLogReadVerifyFailure;
    return check_identity(context, &header);
}

/* A segment is all zero, or good by its number, or (a copy that the next write would have replaced) by the
 * one before. */
static bool segment_is_good(uint8_t *segment, uint32_t sector)
{
    return os_is_zero(segment, LOG_SECTOR_SIZE) ||
           checksum_block_verify(segment, LOG_SECTOR_SIZE, sector, true) != CHECKSUM_BAD ||
           checksum_block_verify(segment, LOG_SECTOR_SIZE, sector - 1, true) != CHECKSUM_BAD;
}

static JET_ERR verify_log(struct backup_context *context, uint8_t *bytes, uint32_t size)
{
    struct backup_file *file = &context->file;
    for (uint32_t at = 0; at < size; at += LOG_SECTOR_SIZE, file->sector++) {
        if (size - at < LOG_SECTOR_SIZE)
            return JET_errLogReadVerifyFailure;
        if (file->sector == 0) {
            const JET_ERR err = verify_log_header(context, bytes);
            if (err < JET_errSuccess)
                return err;
        } else if (!segment_is_good(bytes + at, file->sector)) {
            return JET_errLogReadVerifyFailure;
        }
    }
    return JET_errSuccess;
}

JET_ERR backup_read_plain_file(struct backup_context *context, uint8_t *buffer, uint32_t size, uint32_t *done)
{
    JET_ERR err = JET_errSuccess;
    struct backup_file *file = &context->file;
    const uint64_t left = file->size > file->position ? file->size - file->position : 0;
    const uint32_t take = left < size ? (uint32_t)left : size;
    if (take > 0) {
        /* Only logs have content. */
        if (!file->is_log)
            FAIL(JET_errLogReadVerifyFailure);
        TRY(os_file_read(file->file, file->position, buffer, take));
        TRY(verify_log(context, buffer, take));
        file->position += take;
    }
    *done = take;
done:
    return err;
}
