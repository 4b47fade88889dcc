/* Opening, verifying and walking one log file. */
#include "src/log/log_reader.h"

#include "src/os/file.h"
#include "src/os/memory.h"
#include "src/page/checksum.h"

#define CHUNK_SECTORS 16u

struct log_file_reader {
    struct log_file_header header;
    struct log_file_end end;
    uint8_t *segments;     /* valid segments, from sector LOG_HEADER_SECTORS on */
    uint32_t count;        /* of them */
    uint32_t capacity;     /* room for, in segments */
    size_t next;           /* offset in `segments` behind the last record */
    uint8_t *assembled;    /* a fragmented record */
    size_t assembled_size; /* room of it */
};

static const uint8_t zero_sector[LOG_SECTOR_SIZE];

static bool is_zero(const uint8_t *sector)
{
    return memcmp(sector, zero_sector, LOG_SECTOR_SIZE) == 0;
}

/* Whether `sector` is a segment with the checksum of place `number`; a single wrong bit is put right and
 * counted. */
static bool segment_verify(uint8_t *sector, uint32_t number, unsigned *repaired)
{
    enum checksum_result result = checksum_block_verify(sector, LOG_SECTOR_SIZE, number, true);
    if (result == CHECKSUM_REPAIRABLE)
        (*repaired)++;
    return result != CHECKSUM_BAD;
}

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

static JET_ERR segment_append(struct log_file_reader *reader, const uint8_t *sector)
{
    if (reader->count == reader->capacity) {
        uint32_t capacity = reader->capacity == 0 ? CHUNK_SECTORS : reader->capacity * 2;
        uint8_t *segments = os_reallocate(reader->segments, (size_t)capacity * LOG_SECTOR_SIZE);
        if (segments == NULL)
            return JET_errOutOfMemory;
        reader->segments = segments;
        reader->capacity = capacity;
    }
    memcpy(reader->segments + (size_t)reader->count * LOG_SECTOR_SIZE, sector, LOG_SECTOR_SIZE);
    reader->count++;
    struct log_segment_header header;
    memcpy(&header, sector, sizeof(header));
    reader->end.segments_checksum ^= header.checksum;
    return JET_errSuccess;
}

enum segment_state { SEGMENT_VALID, SEGMENT_EMPTY, SEGMENT_DAMAGED, SEGMENT_MISPLACED };

static enum segment_state classify(struct log_file_reader *reader, uint8_t *sector, uint32_t number)
{
    if (is_zero(sector))
        return SEGMENT_EMPTY;
    if (!segment_verify(sector, number, &reader->end.repaired)) {
        if (number != LOG_HEADER_SECTORS && segment_verify(sector, number - 1, &reader->end.repaired))
            return SEGMENT_EMPTY; /* the shadow of the segment before */
        return SEGMENT_DAMAGED;
    }
    struct log_segment_header header;
    memcpy(&header, sector, sizeof(header));
    struct log_position here = {0, (uint16_t)number, reader->header.generation};
    int order = log_position_compare(header.position, here);
    if (order < 0)
        return SEGMENT_EMPTY; /* left by an earlier life of the file */
    return order > 0 ? SEGMENT_MISPLACED : SEGMENT_VALID;
}

/* The damaged segment's shadow, if the sector behind holds it. */
static bool shadow_read(struct log_file_reader *reader, struct os_file *file, uint32_t number,
                        uint8_t *sector)
{
    if (number + 1 >= reader->header.file_sectors ||
        os_file_read(file, (uint64_t)(number + 1) * LOG_SECTOR_SIZE, sector, LOG_SECTOR_SIZE) <
            JET_errSuccess)
        return false;
    if (is_zero(sector) || !segment_verify(sector, number, &reader->end.repaired))
        return false;
    struct log_segment_header header;
    memcpy(&header, sector, sizeof(header));
    struct log_position here = {0, (uint16_t)number, reader->header.generation};
    return log_position_compare(header.position, here) == 0;
}

static void set_corrupt(struct log_file_reader *reader, uint32_t number)
{
    reader->end.corrupt = true;
    reader->end.corrupt_sector = number;
}

/* Takes in one sector; *done when the walk has to end. */
static JET_ERR scan_sector(struct log_file_reader *reader, struct os_file *file, uint32_t number,
                           uint8_t *sector, bool *empty_seen, bool *done)
{
    uint8_t shadow[LOG_SECTOR_SIZE];
    switch (classify(reader, sector, number)) {
    case SEGMENT_EMPTY:
        *empty_seen = true;
        return JET_errSuccess;
    case SEGMENT_VALID:
        if (*empty_seen)
            break;
        return segment_append(reader, sector);
    case SEGMENT_DAMAGED:
        if (*empty_seen || !shadow_read(reader, file, number, shadow))
            break;
        reader->end.torn = true;
        reader->end.torn_sector = number;
        return segment_append(reader, shadow);
    case SEGMENT_MISPLACED:
        break;
    }
    set_corrupt(reader, number);
    *done = true;
    return JET_errSuccess;
}

static JET_ERR scan(struct log_file_reader *reader, struct os_file *file)
{
    JET_ERR err = JET_errSuccess;
    bool empty_seen = false;
    bool finished = false;
    uint32_t last = (uint32_t)reader->header.file_sectors - 1; /* exclusive: the last sector stays unused */
    uint8_t *chunk = os_allocate((size_t)CHUNK_SECTORS * LOG_SECTOR_SIZE);
    if (chunk == NULL)
        FAIL(JET_errOutOfMemory);
    for (uint32_t first = LOG_HEADER_SECTORS; first < last && !finished; first += CHUNK_SECTORS) {
        uint32_t count = last - first < CHUNK_SECTORS ? last - first : CHUNK_SECTORS;
        TRY(os_file_read(file, (uint64_t)first * LOG_SECTOR_SIZE, chunk, (size_t)count * LOG_SECTOR_SIZE));
        for (uint32_t i = 0; i < count && !finished; i++)
            TRY(scan_sector(reader, file, first + i, chunk + (size_t)i * LOG_SECTOR_SIZE, &empty_seen,
                            &finished));
    }
    reader->end.end =
        (struct log_position){0, (uint16_t)(LOG_HEADER_SECTORS + reader->count), reader->header.generation};
done:
    os_free(chunk);
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
    TRY(scan(opened, file));
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
        begin->total_size > data_end(reader))
        return JET_errLogFileCorrupt;
    /* A record cut off by a crash may be followed by recovery's first record at the start of a segment. */
    if (assembly->inside &&
        !(at_segment_start && begin->fragment_size > 0 && begin->data[0] == LOG_RECORD_UNDO_INFO))
        return JET_errLogFileCorrupt;
    if (begin->total_size > reader->assembled_size) {
        uint8_t *assembled = os_reallocate(reader->assembled, begin->total_size);
        if (assembled == NULL)
            return JET_errOutOfMemory;
        reader->assembled = assembled;
        reader->assembled_size = begin->total_size;
    }
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
    memcpy(reader->assembled + assembly->seen, fragment->data, fragment->fragment_size);
    assembly->seen += fragment->fragment_size;
    *complete = assembly->seen == assembly->total;
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
