/* Names, creation and deletion of log files. */
#include <stdio.h>

#include "src/log/log_internal.h"
#include "src/os/clock.h"
#include "src/os/host.h"
#include "src/os/memory.h"
#include "src/os/random.h"
#include "src/os/text.h"
#include "src/page/checksum.h"

#define RESERVE_COUNT 2

static const char *log_extension(const struct log *log)
{
    return log->settings.legacy_extensions ? ".log" : ".jtx";
}

JET_ERR log_path_in(const struct log *log, const char *directory, int32_t generation, char *path,
                    size_t capacity)
{
    char name[64];
    const char *base = log->settings.base_name;
    int length;
    if (generation > 0)
        length = snprintf(name, sizeof(name),
                          log->settings.eight_dot_three && generation <= 0xFFFFF ? "%s%05X%s" : "%s%08X%s",
                          base, (unsigned)generation, log_extension(log));
    else if (generation == LOG_PATH_CURRENT)
        length = snprintf(name, sizeof(name), "%s%s", base, log_extension(log));
    else if (generation == LOG_PATH_TEMPORARY)
        length = snprintf(name, sizeof(name), "%stmp%s", base, log_extension(log));
    else
        length =
            snprintf(name, sizeof(name), "%s%s", base, log->settings.legacy_extensions ? ".chk" : ".jcp");
    if ((size_t)length >= sizeof(name))
        return JET_errInvalidPath;
    return os_path_join(directory, name, path, capacity);
}

void log_path(const struct log *log, int32_t generation, char path[OS_PATH_SIZE])
{
    const char *directory =
        generation == LOG_PATH_CHECKPOINT ? log->settings.system_directory : log->settings.log_directory;
    const JET_ERR err = log_path_in(log, directory, generation, path, OS_PATH_SIZE);
    ASSERT(err >= JET_errSuccess); /* log_create has seen to it */
    (void)err;
}

static JET_ERR reserve_path(const struct log *log, int number, char *path, size_t capacity)
{
    char name[64];
    int length = snprintf(name, sizeof(name), "%sres%05X.jrs", log->settings.base_name, (unsigned)number);
    if ((size_t)length >= sizeof(name))
        return JET_errInvalidPath;
    return os_path_join(log->settings.log_directory, name, path, capacity);
}

void log_keep_temporary(const struct log *log)
{
    char path[OS_PATH_SIZE];
    struct os_file *file = NULL;
    log_path(log, LOG_PATH_TEMPORARY, path);
    if (!os_file_exists(path) && os_file_open(path, OS_CREATE_NEW, OS_SHARE_READ, &file) >= JET_errSuccess)
        os_file_close(file);
}

/* --- ranges --- */

struct range {
    const struct log *log;
    int32_t low;
    int32_t high;
};

int32_t log_parse_generation(const char *digits, size_t count)
{
    int64_t generation = 0;
    if (count != 5 && count != 8)
        return 0;
    for (size_t i = 0; i < count; i++) {
        const char c = os_ascii_upper(digits[i]);
        const int value = c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
        if (value < 0)
            return 0;
        generation = generation * 16 + value;
    }
    return generation <= INT32_MAX ? (int32_t)generation : 0;
}

/* The generation in a file name "baseGGGGG.log", 0 if it is none. *digits: how many. */
static int32_t generation_of_name(const struct log *log, const char *name, size_t *digits)
{
    size_t base = strlen(log->settings.base_name);
    const char *extension = log_extension(log);
    size_t length = strlen(name);
    if (length <= base + strlen(extension) || strncmp(name, log->settings.base_name, base) != 0 ||
        strcmp(name + length - strlen(extension), extension) != 0)
        return 0;
    *digits = length - base - strlen(extension);
    return log_parse_generation(name + base, *digits);
}

static JET_ERR visit_range(void *context, const char *name, const struct os_file_info *info)
{
    struct range *range = context;
    size_t digits = 0;
    int32_t generation = info->is_directory ? 0 : generation_of_name(range->log, name, &digits);
    if (generation == 0)
        return JET_errSuccess;
    if (digits == 5 && !range->log->settings.eight_dot_three)
        return JET_errLogGenerationMismatch;
    if (range->low == 0 || generation < range->low)
        range->low = generation;
    if (generation > range->high)
        range->high = generation;
    return JET_errSuccess;
}

JET_ERR log_generation_range_in(const struct log *log, const char *directory, int32_t *low, int32_t *high)
{
    struct range range = {log, 0, 0};
    JET_ERR err = os_directory_list(directory[0] == '\0' ? "." : directory, visit_range, &range);
    *low = range.low;
    *high = range.high;
    return err;
}

JET_ERR log_generation_range(struct log *log, int32_t *low, int32_t *high)
{
    return log_generation_range_in(log, log->settings.log_directory, low, high);
}

JET_ERR log_delete_generations(struct log *log, int32_t low, int32_t end)
{
    JET_ERR err = JET_errSuccess;
    char path[OS_PATH_SIZE];
    for (int32_t generation = low; generation < end; generation++) {
        log_path(log, generation, path);
        err = os_file_delete(path);
        if (err < JET_errSuccess && err != JET_errFileNotFound)
            goto done;
        err = JET_errSuccess;
    }
done:
    return err;
}

/* --- creation --- */

static JET_ERR fill_attachments(struct log *log, int32_t generation, struct log_file_header *header)
{
    const struct log_callbacks *callbacks = &log->settings.callbacks;
    if (callbacks->attachments == NULL)
        return JET_errSuccess;
    struct log_position position = {0, 0, generation};
    return callbacks->attachments(callbacks->context, position, header->attachments);
}

static void new_signature(struct signature *signature)
{
    memset(signature, 0, sizeof(*signature));
    signature->random = os_random_32();
    signature->created = os_clock_log_time();
    os_host_computer_name(signature->computer_name);
}

#define YEAR_MILLISECONDS (366ll * 24 * 60 * 60 * 1000)

/* The time of its creation tells a log from others of its number: no two that follow each other have the
 * same, however fast they are made and wherever the clock goes. */
static struct log_time creation_time(const struct log_file_header *previous)
{
    int64_t now = os_clock_now();
    if (previous != NULL) {
        const int64_t last = os_log_time_to_clock(&previous->created);
        if (now <= last && last - now < YEAR_MILLISECONDS)
            now = last + 1;
    }
    return os_log_time_from_clock(now);
}

static JET_ERR make_header(struct log *log, int32_t generation, const struct log_file_header *previous,
                           uint64_t previous_checksum, bool reserve_used, struct log_file_header *header)
{
    memset(header, 0, sizeof(*header));
    header->generation = generation;
    header->sector_size = LOG_SECTOR_SIZE;
    header->header_sectors = LOG_HEADER_SECTORS;
    header->file_sectors = (uint16_t)(log->settings.file_size / LOG_SECTOR_SIZE);
    header->page_size = (uint16_t)log->settings.page_size;
    header->created = creation_time(previous);
    header->major = LOG_VERSION_MAJOR;
    header->minor = LOG_VERSION_MINOR;
    header->update_major = log->settings.births ? LOG_VERSION_UPDATE_MAJOR_BIRTHS : LOG_VERSION_UPDATE_MAJOR;
    header->update_minor = log->settings.births ? LOG_VERSION_UPDATE_MINOR_BIRTHS : LOG_VERSION_UPDATE_MINOR;
    header->engine_format_version = LOG_ENGINE_FORMAT_VERSION;
    header->parameters = log->settings.parameters;
    header->parameters.flags = log->settings.circular ? LOG_PARAMETERS_CIRCULAR : 0;
    header->parameters.log_file_sectors = header->file_sectors;
    header->checkpoint = log_checkpoint(log);
    header->file_type = FILE_TYPE_LOG;
    unsigned flags = reserve_used ? LOG_FLAG_RESERVE_USED : 0;
    if (log->settings.circular)
        flags |= LOG_FLAG_CIRCULAR_NOW;
    if (previous != NULL) {
        header->previous_created = previous->created;
        header->previous_segments_checksum = previous_checksum;
        header->log_signature = previous->log_signature;
        /* A sequence never goes back to an older version. */
        if (previous->update_major > header->update_major) {
            header->update_major = previous->update_major;
            header->update_minor = previous->update_minor;
        }
        if ((previous->flags & (LOG_FLAG_CIRCULAR_NOW | LOG_FLAG_CIRCULAR_HISTORY)) != 0)
            flags |= LOG_FLAG_CIRCULAR_HISTORY;
    } else {
        new_signature(&header->log_signature);
    }
    header->flags = (uint8_t)flags;
    JET_ERR err = fill_attachments(log, generation, header);
    checksum_header_set(header, sizeof(*header));
    return err;
}

JET_ERR log_create_file(struct log *log, int32_t generation, const struct log_file_header *previous,
                        uint64_t previous_checksum, struct log_file_header *header, struct os_file **file)
{
    JET_ERR err = JET_errSuccess;
    char path[OS_PATH_SIZE];
    bool reserve_used = false;
    *file = NULL;
    log_path(log, LOG_PATH_TEMPORARY, path);
    uint64_t size = (uint64_t)log->settings.file_size / LOG_SECTOR_SIZE * LOG_SECTOR_SIZE;
    err = os_file_open(path, OS_CREATE_ALWAYS, OS_SHARE_READ, file);
    if (err >= JET_errSuccess)
        err = os_file_set_size(*file, size);
    if (err == JET_errDiskFull) {
        os_file_close(*file);
        *file = NULL;
        (void)os_file_delete(path);
        TRY(log_use_reserve(log, path));
        reserve_used = true;
        TRY(os_file_open(path, OS_OPEN_WRITE, OS_SHARE_READ, file));
        TRY(os_file_set_size(*file, 0));
        TRY(os_file_set_size(*file, size));
    }
    TRY(err);
    TRY(make_header(log, generation, previous, previous_checksum, reserve_used, header));
    TRY(os_file_write(*file, 0, header, sizeof(*header)));
    TRY(os_file_sync(*file));
done:
    if (err < JET_errSuccess) {
        os_file_close(*file);
        *file = NULL;
    }
    return err;
}

void log_create_reserves(struct log *log)
{
    char path[OS_PATH_SIZE];
    bool full = false;
    for (int number = 1; number <= RESERVE_COUNT; number++) {
        struct os_file *file = NULL;
        if (reserve_path(log, number, path, sizeof(path)) < JET_errSuccess || os_file_exists(path))
            continue;
        JET_ERR err = os_file_open(path, OS_CREATE_NEW, OS_SHARE_READ, &file);
        if (err >= JET_errSuccess)
            err = os_file_set_size(file, log->settings.file_size / LOG_SECTOR_SIZE * LOG_SECTOR_SIZE);
        os_file_close(file);
        if (err < JET_errSuccess) {
            (void)os_file_delete(path);
            full = full || err == JET_errDiskFull;
        }
    }
    os_mutex_lock(&log->lock);
    log->disk_full = full;
    os_mutex_unlock(&log->lock);
}

JET_ERR log_use_reserve(struct log *log, const char *path)
{
    char reserve[OS_PATH_SIZE];
    for (int number = RESERVE_COUNT; number > 0; number--) {
        if (reserve_path(log, number, reserve, sizeof(reserve)) < JET_errSuccess)
            continue;
        if (os_file_rename(reserve, path, true) >= JET_errSuccess) {
            os_mutex_lock(&log->lock);
            log->disk_full = true;
            os_mutex_unlock(&log->lock);
            return JET_errSuccess;
        }
    }
    return JET_errDiskFull;
}
