/* The first sector of a log file, the header of each following segment, and the list of attachments both log
 * headers and checkpoints carry.
 *
 * A log file is `file_sectors` sectors of 4096 bytes: sector 0 the header, sectors 1... segments. Each
 * segment begins with struct log_segment_header and holds records; the last sector of the file stays unused.
 * Unused space is filled with a pattern. Engine sources: `log.hxx` (LGFILEHDR, ATTACHINFO), `_logstream.hxx`
 * (LGSEGHDR), `sysver.cxx` (versions). */
#ifndef OPENESENT_LOG_LOG_FILE_HEADER_H
#define OPENESENT_LOG_LOG_FILE_HEADER_H

#include "src/log/records.h"
#include "src/os/base.h"
#include "src/os/error.h"

#define LOG_SECTOR_SIZE 4096u
#define LOG_HEADER_SECTORS 1u
#define LOG_ATTACHMENTS_SIZE 2048u
#define LOG_PIECE_SIZE 512u  /* the least that disks write whole */
#define LOG_FRAGMENT_MIN 32u /* less room than this at the end of a segment is filled with NOPs */

/* What we write; files up to these major and update-major versions are read. Logs with pages' births (NewPage
 * records) and databases' versions (SetDatabaseVersion) have the newer update. */
#define LOG_VERSION_MAJOR 8u
#define LOG_VERSION_MINOR 4000u
#define LOG_VERSION_UPDATE_MAJOR 5u
#define LOG_VERSION_UPDATE_MINOR 16u
#define LOG_VERSION_UPDATE_MAJOR_BIRTHS 40u
#define LOG_VERSION_UPDATE_MINOR_BIRTHS 100u
#define LOG_VERSION_UPDATE_MAJOR_READABLE 130u /* newest update-major whose records are understood */
#define LOG_UPDATE_MINOR_SEGMENTS_CHECKSUM 13u /* from here on previous_segments_checksum is filled */
#define LOG_ENGINE_FORMAT_VERSION 9600u        /* diagnostic field: engine that wrote the file */

enum { LOG_FLAG_RESERVE_USED = 0x01, LOG_FLAG_CIRCULAR_NOW = 0x02, LOG_FLAG_CIRCULAR_HISTORY = 0x04 };

struct PACKED log_file_header {
    uint32_t checksum; /* XOR of the sector's other 32-bit words and 0x89abcdef */
    int32_t generation;
    uint16_t sector_size;
    uint16_t header_sectors;
    uint16_t file_sectors;
    uint16_t page_size;
    struct log_time created;
    struct log_time previous_created; /* `created` of the previous generation, zero in the first */
    uint32_t major;
    uint32_t minor;
    uint32_t update_major;
    struct signature log_signature;
    struct log_parameters parameters;
    uint8_t flags;                  /* LOG_FLAG_... */
    struct log_position checkpoint; /* when the file was created */
    uint32_t update_minor;
    uint8_t sector_size_mismatch;
    uint64_t previous_segments_checksum; /* accumulated checksum of the previous generation's segments, 0
                                            unknown */
    uint32_t engine_format_version;
    uint8_t reserved[2];
    uint32_t file_type;                        /* FILE_TYPE_LOG */
    uint8_t attachments[LOG_ATTACHMENTS_SIZE]; /* struct attachment ..., as of creation */
    uint8_t padding[LOG_SECTOR_SIZE - 671 - LOG_ATTACHMENTS_SIZE];
};
_Static_assert(sizeof(struct log_file_header) == LOG_SECTOR_SIZE, "LGFILEHDR");
_Static_assert(offsetof(struct log_file_header, log_signature) == 44, "LGFILEHDR.signLog");
_Static_assert(offsetof(struct log_file_header, file_type) == 667, "LGFILEHDR.le_filetype");
_Static_assert(offsetof(struct log_file_header, attachments) == 671, "LGFILEHDR.rgbAttach");

struct PACKED log_segment_header {
    uint64_t checksum;            /* ECC and XOR, as of database pages; page number := sector number */
    struct log_position position; /* of this segment: byte 0 */
    struct log_time started;      /* when its first record was added */
    uint8_t pieces;               /* bit i: the i-th LOG_PIECE_SIZE bytes are not all zero; 0: not known */
    uint8_t reserved[1];
    uint16_t unsynced; /* segments before this one that may not have been on disk when it was written */
    uint8_t reserved_2[8];
    uint32_t flags;
};
_Static_assert(sizeof(struct log_segment_header) == 40, "LGSEGHDR");

enum { ATTACHMENT_UNICODE_NAMES = 0x20, ATTACHMENT_SPARSE_FILE = 0x40 };

/* One attached database in a header's list; the list ends at a zero database_id. */
struct PACKED attachment {
    uint8_t database_id;
    uint8_t flags;
    uint16_t names_size; /* bytes of names, terminating NUL included */
    uint64_t dbtime;
    uint32_t last_object;
    uint32_t maximum_pages;
    struct log_position attach;
    struct log_position consistent;
    struct signature database_signature;
    uint8_t names[]; /* UTF-16 path */
};
_Static_assert(sizeof(struct attachment) == 64, "ATTACHINFO");

/* Bytes that a database with this path takes in a list. */
size_t attachment_size(const char *path);

/* Appends one attachment to a list of `capacity` bytes at *used. JET_errTooManyAttachedDatabases if it does
 * not fit. */
JET_ERR attachment_append(uint8_t *list, size_t capacity, size_t *used, const struct attachment *fixed_part,
                          const char *path);

/* Walks a list: *offset = 0 to start; returns false at the end or at a malformed entry. The path is UTF-8. */
bool attachment_next(const uint8_t *list, size_t capacity, size_t *offset, struct attachment *fixed_part,
                     char *path, size_t path_capacity);

/* Whether a sector is a log file header: checksum and file type good. Versions newer than ours:
 * JET_errBadLogVersion; checksum or content wrong: JET_errLogFileCorrupt. */
JET_ERR log_file_header_verify(const struct log_file_header *header);

#endif
