/* Headers of log files and the lists of attachments in them. */
#include "src/log/log_file_header.h"

#include "src/os/text.h"
#include "src/page/checksum.h"

size_t attachment_size(const char *path)
{
    size_t units = 1;
    for (const char *c = path; *c != 0; c++)
        if (((uint8_t)*c & 0xC0) != 0x80) /* not a byte that goes on; four bytes are two units */
            units += (uint8_t)*c >= 0xF0 ? 2 : 1;
    return sizeof(struct attachment) + units * 2;
}

JET_ERR attachment_append(uint8_t *list, size_t capacity, size_t *used, const struct attachment *fixed_part,
                          const char *path)
{
    uint16_t units[LOG_PATH_UNITS];
    size_t length = 0;
    JET_ERR err = os_utf8_to_utf16(path, strlen(path), units, LOG_PATH_UNITS, &length);
    if (err < JET_errSuccess)
        return err;
    size_t names_size = (length + 1) * 2;
    size_t needed = sizeof(*fixed_part) + names_size;
    /* One zero byte must stay behind the last entry. */
    if (*used + needed + 1 > capacity)
        return JET_errTooManyAttachedDatabases;
    struct attachment entry = *fixed_part;
    entry.flags = (uint8_t)(entry.flags | ATTACHMENT_UNICODE_NAMES);
    entry.names_size = (uint16_t)names_size;
    memcpy(list + *used, &entry, sizeof(entry));
    memcpy(list + *used + sizeof(entry), units, length * 2);
    memset(list + *used + sizeof(entry) + length * 2, 0, 2);
    *used += needed;
    return JET_errSuccess;
}

bool attachment_next(const uint8_t *list, size_t capacity, size_t *offset, struct attachment *fixed_part,
                     char *path, size_t path_capacity)
{
    if (*offset + sizeof(*fixed_part) > capacity || list[*offset] == 0)
        return false;
    memcpy(fixed_part, list + *offset, sizeof(*fixed_part));
    size_t names = *offset + sizeof(*fixed_part);
    if (names + fixed_part->names_size > capacity)
        return false;
    if (log_text_decode(list + names, fixed_part->names_size,
                        (fixed_part->flags & ATTACHMENT_UNICODE_NAMES) != 0, path,
                        path_capacity) < JET_errSuccess)
        return false;
    *offset = names + fixed_part->names_size;
    return true;
}

JET_ERR log_file_header_verify(const struct log_file_header *header)
{
    if (checksum_header(header, sizeof(*header)) != header->checksum)
        return JET_errLogFileCorrupt;
    if (header->file_type != 0 && header->file_type != FILE_TYPE_LOG)
        return JET_errFileInvalidType;
    if (header->major != LOG_VERSION_MAJOR || header->minor != LOG_VERSION_MINOR ||
        header->update_major > LOG_VERSION_UPDATE_MAJOR_READABLE)
        return JET_errBadLogVersion;
    if (header->sector_size != LOG_SECTOR_SIZE || header->header_sectors != LOG_HEADER_SECTORS ||
        header->file_sectors < 4 || header->generation <= 0)
        return JET_errLogFileCorrupt;
    return JET_errSuccess;
}
