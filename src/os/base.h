/* Basic types that every layer shares: page numbers, database time, log positions, signatures.
 *
 * The packed structures are the on-disk forms (engine sources: `logapi.hxx`, `daedef.hxx`); they hold
 * little-endian integers, and the project supports little-endian hosts only, so that memory and disk agree.
 */
#ifndef OPENESENT_OS_BASE_H
#define OPENESENT_OS_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "on-disk structures are read in place");

#define PACKED __attribute__((packed))

/* A page of a database, 1-based; page n lies at file offset (n + 1) * page size, behind header and shadow
 * header. */
typedef uint32_t page_number;
#define PAGE_NUMBER_NULL ((page_number)0)

/* The logical clock of a database: grows by one with each page modification. */
typedef uint64_t dbtime;
#define DBTIME_NULL ((dbtime)0)

/* The id of a tree: the number of its root page ("father data page"). */
typedef uint32_t object_id;

/* A place in the log: byte within the sector, sector within the file, generation. Ordered by generation
 * first. */
struct PACKED log_position {
    uint16_t byte;
    uint16_t sector;
    int32_t generation;
};
_Static_assert(sizeof(struct log_position) == 8, "LGPOS is 8 bytes");

/* Three-way comparison: negative, zero or positive as a is before, at or behind b. */
static inline int log_position_compare(struct log_position a, struct log_position b)
{
    if (a.generation != b.generation)
        return a.generation < b.generation ? -1 : 1;
    if (a.sector != b.sector)
        return a.sector < b.sector ? -1 : 1;
    return (a.byte > b.byte) - (a.byte < b.byte);
}

static inline bool log_position_is_null(struct log_position position)
{
    return position.generation == 0 && position.sector == 0 && position.byte == 0;
}

#define LOG_POSITION_MIN ((struct log_position){0, 0, 0})
#define LOG_POSITION_MAX ((struct log_position){0xffff, 0xffff, 0x7fffffff})

/* A calendar time as the engine stores it (JET_LOGTIME's 8 bytes). */
struct PACKED log_time {
    uint8_t seconds;       /* 0-59 */
    uint8_t minutes;       /* 0-59 */
    uint8_t hours;         /* 0-23 */
    uint8_t day;           /* 1-31 */
    uint8_t month;         /* 1-12 */
    uint8_t year;          /* since 1900 */
    uint8_t milliseconds1; /* bit 0: UTC; bits 1-7: low 7 bits of the milliseconds */
    uint8_t milliseconds2; /* bit 0: operating-system snapshot; bits 1-3: high 3 bits of the milliseconds */
};
_Static_assert(sizeof(struct log_time) == 8, "LOGTIME is 8 bytes");

/* What makes a database or a log sequence itself: random number, time of birth, computer name. */
struct PACKED signature {
    uint32_t random;
    struct log_time created;
    char computer_name[16];
};
_Static_assert(sizeof(struct signature) == 28, "SIGNATURE is 28 bytes");

/* Kinds of files, at the same place (offset 667) in each kind of header (JET_filetype...). */
enum file_type { FILE_TYPE_DATABASE = 1, FILE_TYPE_LOG = 3, FILE_TYPE_CHECKPOINT = 4 };

/* For what a host that copies the process's memory and puts it back leaves alone (EsentHostMemoryIsCopied):
 * places of resources that lie outside of that memory. */
#define OS_NOT_COPIED __attribute__((section("esent_not_copied")))

#endif
