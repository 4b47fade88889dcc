/* Opening, verifying and walking one log file. */
#include "src/log/log_reader_internal.h"

#include "src/os/file.h"
#include "src/os/memory.h"

static JET_ERR read_header(struct os_file *file, struct log_file_header *header)
{
    JET_ERR err = JET_errSuccess;
    uint64_t size = 0;
    TRY(os_file_read(file, 0, header, sizeof(*header)));
    TRY(log_file_header_verify(header));
    TRY(os_file_size(file, &size));
    if (size != (uint64_t)header->file_sectors * header->sector_size)
        FAIL(JET_errLogFileSizeMismatch);
done:
    return err;
}

JET_ERR log_file_header_read(const char *path, struct log_file_header *header)
{
    JET_ERR err = JET_errSuccess;
    struct os_file *file = NULL;
    TRY(os_file_open(path, OS_OPEN_READ, OS_SHARE_READ_WRITE, &file));
    TRY(read_header(file, header));
done:
    os_file_close(file);
    return err;
}

/* Walks the records of the last segment: a term at its end means that the log was closed in good order. */
static void find_term(struct log_file_reader *reader)
{
    if (reader->count == 0)
        return;
    const uint8_t *segment = reader->segments + (size_t)(reader->count - 1) * LOG_SECTOR_SIZE;
    size_t offset = sizeof(struct log_segment_header);
    size_t size;
    for (; (size = log_record_size(segment + offset, LOG_SECTOR_SIZE - offset)) != 0; offset += size) {
        switch (segment[offset]) {
        case LOG_RECORD_TERM:
        case LOG_RECORD_TERM2:
        case LOG_RECORD_RECOVERY_QUIT:
        case LOG_RECORD_RECOVERY_QUIT2:
        case LOG_RECORD_RECOVERY_QUIT_KEEP_ATTACHMENTS:
            reader->end.closed_normally = true;
            reader->end.last_term = reader->end.end;
            reader->end.last_term.sector--;
            reader->end.last_term.byte = (uint16_t)(offset == sizeof(struct log_segment_header) ? 0 : offset);
            break;
        case LOG_RECORD_NOP:
        case LOG_RECORD_NOP2:
            break;
        default:
            reader->end.closed_normally = false;
            break;
        }
    }
}

JET_ERR log_file_open(const char *path, struct log_file_reader **reader)
{
    JET_ERR err = JET_errSuccess;
    struct os_file *file = NULL;
    struct log_file_reader *opened = os_allocate_zeroed(sizeof(*opened));
    if (opened == NULL)
        FAIL(JET_errOutOfMemory);
    TRY(os_file_open(path, OS_OPEN_READ, OS_SHARE_READ_WRITE, &file));
    TRY(read_header(file, &opened->header));
    TRY(log_file_scan(opened, file));
    find_term(opened);
    *reader = opened;
    opened = NULL;
done:
    os_file_close(file);
    log_file_close(opened);
    return err;
}

void log_file_close(struct log_file_reader *reader)
{
    if (reader == NULL)
        return;
    os_free(reader->segments);
    os_free(reader->assembled);
    os_free(reader);
}

const struct log_file_header *log_file_reader_header(const struct log_file_reader *reader)
{
    return &reader->header;
}

const struct log_file_end *log_file_reader_end(const struct log_file_reader *reader)
{
    return &reader->end;
}

JET_ERR log_file_patch(const char *path, struct log_file_reader *reader)
{
    JET_ERR err = JET_errSuccess;
    struct os_file *file = NULL;
    if (!reader->end.torn)
        return JET_errSuccess;
    TRY(os_file_open(path, OS_OPEN_WRITE, OS_SHARE_READ, &file));
    const uint8_t *segment =
        reader->segments + (size_t)(reader->end.torn_sector - LOG_HEADER_SECTORS) * LOG_SECTOR_SIZE;
    TRY(os_file_write(file, (uint64_t)reader->end.torn_sector * LOG_SECTOR_SIZE, segment, LOG_SECTOR_SIZE));
    TRY(os_file_sync(file));
done:
    os_file_close(file);
    return err;
}

static size_t data_end(const struct log_file_reader *reader)
{
    return (size_t)reader->count * LOG_SECTOR_SIZE;
}

static struct log_position position_of(const struct log_file_reader *reader, size_t offset)
{
    return (struct log_position){(uint16_t)(offset % LOG_SECTOR_SIZE),
                                 (uint16_t)(LOG_HEADER_SECTORS + offset / LOG_SECTOR_SIZE),
                                 reader->header.generation};
}

struct log_position log_file_position(const struct log_file_reader *reader)
{
    return position_of(reader, reader->next);
}

/* Skips the rest of a record that began before the segment at reader->next. */
static JET_ERR skip_fragments(struct log_file_reader *reader)
{
    while (reader->next < data_end(reader)) {
        size_t header = reader->next % LOG_SECTOR_SIZE == 0 ? sizeof(struct log_segment_header) : 0;
        size_t offset = reader->next + header;
        if (reader->segments[offset] != LOG_RECORD_FRAGMENT)
            return JET_errSuccess;
        size_t size = log_record_size(reader->segments + offset, LOG_SECTOR_SIZE - offset % LOG_SECTOR_SIZE);
        if (size == 0)
            return JET_errLogFileCorrupt;
        reader->next = offset + size;
    }
    return JET_errSuccess;
}

JET_ERR log_file_seek(struct log_file_reader *reader, struct log_position position)
{
    uint32_t sector = position.sector < LOG_HEADER_SECTORS ? LOG_HEADER_SECTORS : position.sector;
    uint32_t byte = position.sector < LOG_HEADER_SECTORS ? 0 : position.byte;
    if (sector >= LOG_HEADER_SECTORS + reader->count || byte >= LOG_SECTOR_SIZE) {
        reader->next = data_end(reader);
        return JET_errSuccess;
    }
    reader->next = (size_t)(sector - LOG_HEADER_SECTORS) * LOG_SECTOR_SIZE;
    size_t target = reader->next + byte;
    while (reader->next < target) {
        size_t offset = reader->next;
        if (offset % LOG_SECTOR_SIZE == 0)
            offset += sizeof(struct log_segment_header);
        size_t size = log_record_size(reader->segments + offset, LOG_SECTOR_SIZE - offset % LOG_SECTOR_SIZE);
        if (size == 0)
            return JET_errLogFileCorrupt;
        reader->next = offset + size;
        if (reader->next % LOG_SECTOR_SIZE == 0)
            break;
    }
    return skip_fragments(reader);
}

/* State while a record is put together. */
struct assembly {
    bool inside; /* a fragment has begun */
    size_t total;
    size_t seen;
};

static JET_ERR fragment_begin(struct log_file_reader *reader, struct assembly *assembly, size_t offset,
                              size_t room)
{
    const struct log_record_fragment_begin *begin = (const void *)(reader->segments + offset);
    bool at_segment_start = offset % LOG_SECTOR_SIZE == sizeof(struct log_segment_header);
    if (log_record_size(begin, room) == 0 || begin->fragment_size >= begin->total_size ||
        begin->total_size > (uint32_t)reader->header.file_sectors * LOG_SECTOR_SIZE)
        return JET_errLogFileCorrupt;
    /* A record cut off by a crash may be followed by recovery's first record at the start of a segment. */
    if (assembly->inside &&
        !(at_segment_start && begin->fragment_size > 0 && begin->data[0] == LOG_RECORD_UNDO_INFO))
        return JET_errLogFileCorrupt;
    /* What is longer than all that is there was cut off: only its fragments are counted. */
    bool whole = begin->total_size <= data_end(reader);
    if (whole && begin->total_size > reader->assembled_size) {
        uint8_t *assembled = os_reallocate(reader->assembled, begin->total_size);
        if (assembled == NULL)
            return JET_errOutOfMemory;
        reader->assembled = assembled;
        reader->assembled_size = begin->total_size;
    }
    if (whole)
        memcpy(reader->assembled, begin->data, begin->fragment_size);
    *assembly = (struct assembly){true, begin->total_size, begin->fragment_size};
    return JET_errSuccess;
}

static JET_ERR fragment_continue(struct log_file_reader *reader, struct assembly *assembly, size_t offset,
                                 size_t room, bool *complete)
{
    const struct log_record_fragment *fragment = (const void *)(reader->segments + offset);
    if (!assembly->inside || log_record_size(fragment, room) == 0 ||
        fragment->fragment_size > assembly->total - assembly->seen)
        return JET_errLogFileCorrupt;
    if (assembly->total <= data_end(reader))
        memcpy(reader->assembled + assembly->seen, fragment->data, fragment->fragment_size);
    assembly->seen += fragment->fragment_size;
    *complete = assembly->seen == assembly->total;
    ASSERT(!*complete || assembly->total <= data_end(reader)); /* the fragments are in it */
    if (*complete && log_record_size(reader->assembled, assembly->total) != assembly->total)
        return JET_errLogFileCorrupt;
    return JET_errSuccess;
}

/* Skips NOPs. The record behind more of them than fill can be begins at the next segment. */
static void skip_nops(struct log_file_reader *reader, size_t *offset, size_t *start,
                      const struct assembly *assembly)
{
    size_t segment_end = *offset - *offset % LOG_SECTOR_SIZE + LOG_SECTOR_SIZE;
    size_t first = *offset;
    while (*offset < segment_end && reader->segments[*offset] == LOG_RECORD_NOP)
        (*offset)++;
    if (!assembly->inside && *offset - first >= LOG_FRAGMENT_MIN)
        *start = *offset;
}

JET_ERR log_file_next(struct log_file_reader *reader, const struct log_record_header **record, size_t *size,
                      struct log_position *position)
{
    JET_ERR err = JET_errSuccess;
    struct assembly assembly = {false, 0, 0};
    size_t start = reader->next;
    size_t offset = start;
    bool complete = false;
    *record = NULL;
    *size = 0;
    while (offset < data_end(reader)) {
        if (offset % LOG_SECTOR_SIZE == 0)
            offset += sizeof(struct log_segment_header);
        size_t room = LOG_SECTOR_SIZE - offset % LOG_SECTOR_SIZE;
        switch (reader->segments[offset]) {
        case LOG_RECORD_NOP:
            skip_nops(reader, &offset, &start, &assembly);
            continue;
        case LOG_RECORD_FRAGMENT_BEGIN:
            TRY(fragment_begin(reader, &assembly, offset, room));
            offset += log_record_size(reader->segments + offset, room);
            continue;
        case LOG_RECORD_FRAGMENT:
            TRY(fragment_continue(reader, &assembly, offset, room, &complete));
            offset += log_record_size(reader->segments + offset, room);
            if (!complete)
                continue;
            *record = (const void *)reader->assembled;
            *size = assembly.total;
            break;
        default:
            if (assembly.inside) {
                uint8_t type = reader->segments[offset];
                if (offset % LOG_SECTOR_SIZE != sizeof(struct log_segment_header) ||
                    (type != LOG_RECORD_RECOVERY_UNDO && type != LOG_RECORD_RECOVERY_UNDO2 &&
                     type != LOG_RECORD_UNDO_INFO))
                    FAIL(JET_errLogFileCorrupt);
                start = offset - sizeof(struct log_segment_header);
            }
            *size = log_record_size(reader->segments + offset, room);
            if (*size == 0)
                FAIL(JET_errLogFileCorrupt);
            *record = (const void *)(reader->segments + offset);
            offset += *size;
            break;
        }
        *position = position_of(reader, start);
        reader->next = offset;
        return JET_errSuccess;
    }
    *position = reader->end.end;
    err = LOG_NO_MORE_RECORDS;
done:
    return err;
}
