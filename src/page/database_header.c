#include "src/page/database_header.h"
#include "src/page/checksum.h"
#include "src/os/clock.h"
#include "src/os/file.h"
#include "src/os/host.h"
#include "src/os/memory.h"
#include "src/os/random.h"

#define BUILD_FLAGS                                                                                          \
    0x0e000000u /* flavours of the engine that have attached it: as the published engine sets them */
/* Databases of these versions are read; updates above the newest known are refused. */
#define UPDATE_MAJOR_READABLE 400u
#define VERSION_OLDEST 0x620u

void database_header_init(struct database_header *header, uint32_t page_size,
                          const struct signature *signature)
{
    ASSERT(page_size_is_valid(page_size));
    memset(header, 0, sizeof *header);
    header->magic = DATABASE_MAGIC;
    header->version = DATABASE_VERSION;
    header->update_major = DATABASE_UPDATE_MAJOR;
    header->update_minor = DATABASE_UPDATE_MINOR;
    header->create_version = DATABASE_VERSION;
    header->create_update = DATABASE_UPDATE_MAJOR;
    header->page_size = page_size;
    header->signature = *signature;
    header->file_type = FILE_TYPE_DATABASE;
    header->flags = BUILD_FLAGS;
    header->sort_version = ~(uint64_t)0;
    /* The system whose sort order the file was made for: kept at what the published engine writes. */
    header->os_major = 6;
    header->os_minor = 1;
    header->os_build = 7601;
    header->os_service_pack = 1;
    header->state = DATABASE_JUST_CREATED;
}

/* Page sizes a copy of a header may have been written with: the stored one, if the checksum over it holds. */
static bool checksum_holds(const void *bytes, size_t size, uint32_t page_size)
{
    uint32_t stored;
    if (!page_size_is_valid(page_size) || size < page_size)
        return false;
    memcpy(&stored, bytes, 4);
    return stored == checksum_header(bytes, page_size);
}

JET_ERR database_header_check(const void *bytes, size_t size)
{
    struct database_header header;
    if (size < sizeof header)
        return JET_errReadVerifyFailure;
    memcpy(&header, bytes, sizeof header);
    if ((header.file_type == FILE_TYPE_LOG || header.file_type == FILE_TYPE_CHECKPOINT) &&
        checksum_holds(bytes, size, 4096))
        return JET_errFileInvalidType;
    const uint32_t page_size = header.page_size == 0 ? 4096 : header.page_size;
    if (!checksum_holds(bytes, size, page_size))
        return JET_errReadVerifyFailure;
    if (header.magic != DATABASE_MAGIC || (header.file_type != FILE_TYPE_DATABASE && header.file_type != 0))
        return JET_errDatabaseCorrupted;
    if (header.version < VERSION_OLDEST)
        return JET_errInvalidDatabaseVersion;
    if (header.version > DATABASE_VERSION || header.update_major > UPDATE_MAJOR_READABLE)
        return JET_errInvalidDatabaseVersion;
    return JET_errSuccess;
}

/* Reads one copy at `offset` into `buffer` (PAGE_SIZE_MAX bytes). A short file is judged by what there is. */
static JET_ERR read_copy(struct os_file *file, uint64_t offset, uint8_t *buffer)
{
    size_t got = 0;
    const JET_ERR err = os_file_read_some(file, offset, buffer, PAGE_SIZE_MAX, &got);
    if (err < JET_errSuccess)
        return err;
    return database_header_check(buffer, got);
}

/* The shadow lies one page behind the header, but only the header says how large a page is. */
static JET_ERR read_shadow(struct os_file *file, uint8_t *buffer)
{
    for (uint32_t page_size = PAGE_SIZE_MIN; page_size <= PAGE_SIZE_MAX; page_size *= 2) {
        const JET_ERR err = read_copy(file, page_size, buffer);
        /* A wrong size may hit zeroes and a whole header, whose words cancel out: the sum holds, the magic
         * does not. */
        if (err == JET_errReadVerifyFailure || err == JET_errDatabaseCorrupted)
            continue;
        if (err < JET_errSuccess)
            return err;
        struct database_header header;
        memcpy(&header, buffer, sizeof header);
        if (header.page_size == page_size || (header.page_size == 0 && page_size == 4096))
            return JET_errSuccess;
    }
    return JET_errReadVerifyFailure;
}

JET_ERR database_header_error_of_other_file(uint32_t page_size)
{
    return page_size == 4096 ? JET_errDatabaseCorrupted : JET_errPageSizeMismatch;
}

JET_ERR database_header_read(struct os_file *file, struct database_header *header, bool *repaired)
{
    JET_ERR err = JET_errSuccess;
    uint8_t *first = NULL;
    uint8_t *second = NULL;
    first = os_allocate(PAGE_SIZE_MAX);
    second = os_allocate(PAGE_SIZE_MAX);
    if (first == NULL || second == NULL)
        FAIL(JET_errOutOfMemory);
    bool differ = false;
    err = read_copy(file, 0, first);
    if (err == JET_errSuccess) {
        memcpy(header, first, sizeof *header);
        if (header->page_size == 0)
            header->page_size = 4096;
        size_t got = 0;
        TRY(os_file_read_some(file, header->page_size, second, header->page_size, &got));
        differ = got < header->page_size || memcmp(first, second, header->page_size) != 0;
    } else if (err == JET_errReadVerifyFailure) {
        TRY(read_shadow(file, second));
        memcpy(header, second, sizeof *header);
        if (header->page_size == 0)
            header->page_size = 4096;
        differ = true;
    }
    if (repaired != NULL)
        *repaired = differ;
done:
    os_free(first);
    os_free(second);
    return err;
}

void database_header_to_page(const struct database_header *header, void *page, uint32_t page_size)
{
    ASSERT(page_size >= sizeof *header);
    memset(page, 0, page_size);
    memcpy(page, header, sizeof *header);
    checksum_header_set(page, page_size);
}

JET_ERR database_header_mend(struct os_file *file, uint32_t page_size)
{
    JET_ERR err = JET_errSuccess;
    uint64_t other = page_size;
    uint8_t *page = os_allocate_zeroed(PAGE_SIZE_MAX);
    if (page == NULL)
        FAIL(JET_errOutOfMemory);
    err = read_copy(file, 0, page);
    if (err == JET_errReadVerifyFailure) {
        other = 0;
        err = read_shadow(file, page);
    }
    TRY(err);
    TRY(os_file_write(file, other, page, page_size));
    TRY(os_file_sync(file));
done:
    os_free(page);
    return err;
}

JET_ERR database_header_write(struct os_file *file, struct database_header *header)
{
    JET_ERR err = JET_errSuccess;
    const uint32_t page_size = header->page_size;
    uint8_t *page = os_allocate_pages(page_size);
    if (page == NULL)
        FAIL(JET_errOutOfMemory);
    header->header_flush_signature.random = os_random_32();
    header->header_flush_signature.created = os_clock_log_time();
    memset(header->header_flush_signature.computer_name, 0,
           sizeof header->header_flush_signature.computer_name);
    database_header_to_page(header, page, page_size);
    /* Only what has changed: others read what never does, without a lock. */
    memcpy(&header->checksum, page, sizeof header->checksum);
    TRY(os_file_write(file, 0, page, page_size));
    TRY(os_file_sync(file));
    TRY(os_file_write(file, page_size, page, page_size));
    TRY(os_file_sync(file));
done:
    os_free(page);
    return err;
}

void database_header_set_state(struct database_header *header, enum database_state state,
                               int32_t generation_low, int32_t generation_high, const struct log_time *time)
{
    if (state != DATABASE_DIRTY_SHUTDOWN) {
        header->generation_pre_redo_min_consistent = 0;
        header->generation_pre_redo_min_required = 0;
    }
    header->state = state;
    header->generation_min_required = generation_low;
    header->generation_min_consistent = generation_low;
    header->generation_max_required = generation_high;
    header->generation_max_committed = generation_high;
    memset(&header->generation_max_required_time, 0, sizeof header->generation_max_required_time);
    if (generation_high != 0 && time != NULL)
        header->generation_max_create_time = *time;
    else
        memset(&header->generation_max_create_time, 0, sizeof header->generation_max_create_time);
    header->flags |= BUILD_FLAGS;
}
