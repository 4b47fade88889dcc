/* Verifying the segments of a log file: where its data ends, and whether that is the end of what was written.
 */
#include "src/log/log_internal.h"
#include "src/log/log_reader_internal.h"

#include "src/os/memory.h"
#include "src/os/zero.h"
#include "src/page/checksum.h"

#define CHUNK_SECTORS 16u
#define PIECES (LOG_SECTOR_SIZE / LOG_PIECE_SIZE)

uint8_t log_segment_pieces(const uint8_t *segment)
{
    unsigned pieces = 1;
    for (unsigned i = 1; i < PIECES; i++) {
        if (!os_is_zero(segment + i * LOG_PIECE_SIZE, LOG_PIECE_SIZE))
            pieces |= 1u << i;
    }
    return (uint8_t)pieces;
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

/* A write reached the disk in part: a piece that held something is still as it was when the file was made. */
static bool looks_torn(const uint8_t *sector)
{
    struct log_segment_header header;
    bool header_is_there = !os_is_zero(sector, LOG_PIECE_SIZE);
    memcpy(&header, sector, sizeof(header));
    return !header_is_there || (header.pieces & ~log_segment_pieces(sector)) != 0;
}

enum segment_state { SEGMENT_VALID, SEGMENT_EMPTY, SEGMENT_DAMAGED, SEGMENT_MISPLACED };

static enum segment_state classify(struct log_file_reader *reader, uint8_t *sector, uint32_t number)
{
    if (os_is_zero(sector, LOG_SECTOR_SIZE))
        return SEGMENT_EMPTY;
    if (!segment_verify(sector, number, &reader->end.repaired)) {
        if (number != LOG_HEADER_SECTORS && segment_verify(sector, number - 1, &reader->end.repaired))
            return SEGMENT_EMPTY; /* the shadow of the segment before */
        return SEGMENT_DAMAGED;
    }
    struct log_segment_header header;
    memcpy(&header, sector, sizeof(header));
    if (looks_torn(sector))
        return SEGMENT_DAMAGED; /* the checksum does not notice when what repeats itself is missing */
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
    ASSERT(number + 1 < reader->header.file_sectors); /* the last sector holds no segment */
    if (os_file_read(file, (uint64_t)(number + 1) * LOG_SECTOR_SIZE, sector, LOG_SECTOR_SIZE) <
        JET_errSuccess)
        return false;
    if (os_is_zero(sector, LOG_SECTOR_SIZE) || !segment_verify(sector, number, &reader->end.repaired))
        return false;
    struct log_segment_header header;
    memcpy(&header, sector, sizeof(header));
    struct log_position here = {0, (uint16_t)number, reader->header.generation};
    return log_position_compare(header.position, here) == 0;
}

/* --- the end of the log ---
 *
 * What was written after the last sync may be on disk in parts, in any order, when the machine goes down:
 * whole segments, and pieces of segments. The segments themselves say what may be missing. Everything else
 * that is wrong is damage. */

/* Whether the sector `number` was written before the one at `hole` had to be on disk. */
static bool admits_hole(const uint8_t *sector, uint32_t number, uint32_t hole)
{
    struct log_segment_header header;
    memcpy(&header, sector, sizeof(header));
    return number <= hole + header.unsynced;
}

struct scan {
    struct log_file_reader *reader;
    struct os_file *file;
    uint32_t hole; /* the first sector without a good segment; 0 as long as there is none */
    bool finished;
};

static void set_corrupt(struct scan *scan, uint32_t number)
{
    scan->reader->end.corrupt = true;
    scan->reader->end.corrupt_sector = number;
    scan->reader->end.torn_tail = false;
    scan->finished = true;
}

static void set_torn_tail(struct scan *scan, uint32_t number)
{
    scan->reader->end.torn_tail = true;
    scan->reader->end.tail_end = number + 1;
}

static JET_ERR scan_valid(struct scan *scan, uint32_t number, const uint8_t *sector)
{
    if (scan->hole == 0)
        return segment_append(scan->reader, sector);
    if (admits_hole(sector, number, scan->hole))
        set_torn_tail(scan, number);
    else
        set_corrupt(scan, scan->reader->end.torn_tail ? scan->hole : number);
    return JET_errSuccess;
}

static JET_ERR scan_damaged(struct scan *scan, uint32_t number, const uint8_t *sector)
{
    uint8_t shadow[LOG_SECTOR_SIZE];
    if (scan->hole == 0 && shadow_read(scan->reader, scan->file, number, shadow)) {
        scan->reader->end.torn = true;
        scan->reader->end.torn_sector = number;
        return segment_append(scan->reader, shadow);
    }
    bool header_is_there = !os_is_zero(sector, LOG_PIECE_SIZE);
    if (looks_torn(sector) &&
        (scan->hole == 0 || !header_is_there || admits_hole(sector, number, scan->hole))) {
        if (scan->hole == 0)
            scan->hole = number;
        set_torn_tail(scan, number);
    } else {
        set_corrupt(scan, number);
    }
    return JET_errSuccess;
}

/* Takes in one sector. */
static JET_ERR scan_sector(struct scan *scan, uint32_t number, uint8_t *sector)
{
    switch (classify(scan->reader, sector, number)) {
    case SEGMENT_EMPTY:
        if (scan->hole == 0)
            scan->hole = number;
        return JET_errSuccess;
    case SEGMENT_VALID:
        return scan_valid(scan, number, sector);
    case SEGMENT_DAMAGED:
        return scan_damaged(scan, number, sector);
    case SEGMENT_MISPLACED:
        break;
    }
    set_corrupt(scan, number);
    return JET_errSuccess;
}

JET_ERR log_file_scan(struct log_file_reader *reader, struct os_file *file)
{
    JET_ERR err = JET_errSuccess;
    struct scan scan = {reader, file, 0, false};
    uint32_t last = (uint32_t)reader->header.file_sectors - 1; /* exclusive: the last sector stays unused */
    uint8_t *chunk = os_allocate((size_t)CHUNK_SECTORS * LOG_SECTOR_SIZE);
    if (chunk == NULL)
        FAIL(JET_errOutOfMemory);
    for (uint32_t first = LOG_HEADER_SECTORS; first < last && !scan.finished; first += CHUNK_SECTORS) {
        uint32_t count = last - first < CHUNK_SECTORS ? last - first : CHUNK_SECTORS;
        TRY(os_file_read(file, (uint64_t)first * LOG_SECTOR_SIZE, chunk, (size_t)count * LOG_SECTOR_SIZE));
        for (uint32_t i = 0; i < count && !scan.finished; i++)
            TRY(scan_sector(&scan, first + i, chunk + (size_t)i * LOG_SECTOR_SIZE));
    }
    reader->end.end =
        (struct log_position){0, (uint16_t)(LOG_HEADER_SECTORS + reader->count), reader->header.generation};
done:
    os_free(chunk);
    return err;
}
