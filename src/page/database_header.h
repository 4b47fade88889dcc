/* The header of a database file: the first page, and the same again as its shadow in the second.
 *
 * Fields as the engine's DBFILEHDR (`daedef.hxx`) to the end of the format, 748 bytes; the rest of the page
 * is zero. Reading tries the header, then the shadow. Writing writes the shadow only after the header, each
 * followed by a sync, so one of the two is good whenever a crash comes. Thread-safety: the caller's. */
#ifndef OPENESENT_PAGE_DATABASE_HEADER_H
#define OPENESENT_PAGE_DATABASE_HEADER_H

#include "src/page/page.h"

struct os_file;

#define DATABASE_MAGIC 0x89abcdefu
#define DATABASE_VERSION 0x620u
#define DATABASE_UPDATE_MAJOR 20u
#define DATABASE_UPDATE_MINOR 0u
#define DATABASE_UPDATE_MINOR_LOGGED 20u /* the same with its version in the log */

/* States of a database (JET_dbstate...). */
enum database_state {
    DATABASE_JUST_CREATED = 1,
    DATABASE_DIRTY_SHUTDOWN = 2,
    DATABASE_CLEAN_SHUTDOWN = 3,
    DATABASE_BEING_CONVERTED = 4,
    DATABASE_FORCE_DETACH = 5,
};

/* What a finished or current backup is remembered by (JET_BKINFO). */
struct PACKED backup_info {
    struct log_position mark;
    struct log_time time;
    uint32_t generation_low;
    uint32_t generation_high;
};
_Static_assert(sizeof(struct backup_info) == 24, "BKINFO is 24 bytes");

/* Kinds of backup in the header's `..._type` fields. */
enum backup_info_type {
    BACKUP_INFO_NORMAL = 0,
    BACKUP_INFO_OS_SNAPSHOT = 1,
    BACKUP_INFO_SNAPSHOT = 2,
    BACKUP_INFO_SURROGATE = 3, /* in log records only */
};

struct PACKED database_header {
    uint32_t checksum;
    uint32_t magic;
    uint32_t version;
    int32_t attributes;
    uint64_t dbtime;                /* of the database when last clean or in use */
    struct signature signature;     /* of the database */
    uint32_t state;                 /* enum database_state */
    struct log_position consistent; /* of the last clean detach */
    struct log_time consistent_time;
    struct log_time attach_time;
    struct log_position attach;
    struct log_time detach_time;
    struct log_position detach;
    uint32_t database_id; /* in the log, while attached */
    struct signature log_signature;
    struct backup_info full_previous;
    struct backup_info incremental_previous; /* cleared when full_previous is set */
    struct backup_info full_current;
    uint32_t flags; /* bit 0: shadowing off; bits 24-27: builds that have attached it */
    object_id object_id_last;
    uint32_t os_major;
    uint32_t os_minor;
    uint32_t os_build;
    int32_t os_service_pack;
    uint32_t update_major;
    uint32_t page_size;
    uint32_t repair_count;
    struct log_time repair_time;
    uint8_t reserved_streaming_signature[28];
    uint64_t scrub_dbtime;
    struct log_time scrub_time;
    int32_t generation_min_required; /* logs needed to recover; 0 when clean */
    int32_t generation_max_required;
    int32_t upgrade_format_pages;
    int32_t upgrade_free_pages;
    int32_t upgrade_map_pages;
    struct backup_info snapshot_current;
    uint32_t create_version;
    uint32_t create_update;
    struct log_time generation_max_create_time;
    uint32_t full_previous_type; /* enum backup_info_type */
    uint32_t incremental_previous_type;
    uint32_t repair_count_old;
    uint32_t ecc_fix_success;
    struct log_time ecc_fix_success_time;
    uint32_t ecc_fix_success_old;
    uint32_t ecc_fix_fail;
    struct log_time ecc_fix_fail_time;
    uint32_t ecc_fix_fail_old;
    uint32_t bad_checksum;
    struct log_time bad_checksum_time;
    uint32_t bad_checksum_old;
    int32_t generation_max_committed;
    struct backup_info copy_previous;
    struct backup_info differential_previous;
    uint32_t copy_previous_type;
    uint32_t differential_previous_type;
    uint32_t reseed_count;
    struct log_time reseed_time;
    uint32_t reseed_count_old;
    uint32_t page_patch_count;
    struct log_time page_patch_time;
    uint32_t page_patch_count_old;
    uint64_t sort_version;
    struct log_time scan_previous_time;
    struct log_time scan_start_time;
    page_number scan_highest_continuous;
    int32_t generation_recovering;
    uint32_t extend_count;
    struct log_time extend_time;
    uint32_t shrink_count;
    struct log_time shrink_time;
    struct log_time reattach_time;
    struct log_position reattach;
    uint32_t trim_count;
    struct signature header_flush_signature;
    struct signature flush_map_flush_signature;
    int32_t generation_min_consistent;
    uint32_t update_minor;
    uint32_t engine_format_attached; /* diagnostic: newest engine that attached it */
    page_number scan_highest;
    struct log_position last_resize;
    uint8_t reserved[3];
    uint32_t file_type; /* enum file_type; at the same place in every kind of header */
    uint8_t reserved2[1];
    struct log_time generation_max_required_time;
    int32_t generation_pre_redo_min_consistent;
    int32_t generation_pre_redo_min_required;
    struct signature revert_snapshot_signature;
    uint32_t revert_count;
    struct log_time revert_from_time;
    struct log_time revert_to_time;
    uint32_t revert_page_count;
    struct log_position commit_before_revert;
};
_Static_assert(sizeof(struct database_header) == 748, "DBFILEHDR is 748 bytes");
_Static_assert(offsetof(struct database_header, signature) == 24, "signDb");
_Static_assert(offsetof(struct database_header, state) == 52, "dbstate");
_Static_assert(offsetof(struct database_header, consistent) == 56, "lgposConsistent");
_Static_assert(offsetof(struct database_header, attach) == 80, "lgposAttach");
_Static_assert(offsetof(struct database_header, detach) == 96, "lgposDetach");
_Static_assert(offsetof(struct database_header, log_signature) == 108, "signLog");
_Static_assert(offsetof(struct database_header, full_previous) == 136, "bkinfoFullPrev");
_Static_assert(offsetof(struct database_header, full_current) == 184, "bkinfoFullCur");
_Static_assert(offsetof(struct database_header, flags) == 208, "ulDbFlags");
_Static_assert(offsetof(struct database_header, update_major) == 232, "ulDaeUpdateMajor");
_Static_assert(offsetof(struct database_header, page_size) == 236, "cbPageSize");
_Static_assert(offsetof(struct database_header, scrub_dbtime) == 280, "dbtimeLastScrub");
_Static_assert(offsetof(struct database_header, generation_min_required) == 296, "lGenMinRequired");
_Static_assert(offsetof(struct database_header, snapshot_current) == 316, "bkinfoSnapshotCur");
_Static_assert(offsetof(struct database_header, generation_max_create_time) == 348, "logtimeGenMaxCreate");
_Static_assert(offsetof(struct database_header, generation_max_committed) == 416, "lGenMaxCommitted");
_Static_assert(offsetof(struct database_header, copy_previous) == 420, "bkinfoCopyPrev");
_Static_assert(offsetof(struct database_header, sort_version) == 508, "qwSortVersion");
_Static_assert(offsetof(struct database_header, generation_recovering) == 536, "lGenRecovering");
_Static_assert(offsetof(struct database_header, reattach) == 572, "lgposLastReAttach");
_Static_assert(offsetof(struct database_header, header_flush_signature) == 584, "signDbHdrFlush");
_Static_assert(offsetof(struct database_header, generation_min_consistent) == 640, "lGenMinConsistent");
_Static_assert(offsetof(struct database_header, last_resize) == 656, "lgposLastResize");
_Static_assert(offsetof(struct database_header, file_type) == 667, "filetype");
_Static_assert(offsetof(struct database_header, generation_max_required_time) == 672,
               "logtimeGenMaxRequired");
_Static_assert(offsetof(struct database_header, revert_count) == 716, "ulRevertCount");

/* The last page of a database's stream in a backup: what was known when its last page had been read. Checksum
 * as of a header. (PATCHHDR in `cpage.hxx`.) */
struct PACKED database_trailer {
    struct page_header page;   /* only its first 4 bytes: the checksum */
    struct backup_info backup; /* generation_high: the current generation at that moment */
    struct signature database_signature;
    struct signature log_signature;
    int32_t generation_min_required;
    int32_t generation_max_required;
    int32_t generation_max_committed;
    struct log_time generation_max_required_time;
    struct log_time generation_max_committed_time;
};
_Static_assert(sizeof(struct database_trailer) == 148, "PATCHHDR is 148 bytes");
_Static_assert(offsetof(struct database_trailer, backup) == 40, "PATCHHDR.bkinfo");
_Static_assert(offsetof(struct database_trailer, log_signature) == 92, "PATCHHDR.signLog");

/* Header and shadow occupy two pages in front of page 1. */
static inline uint64_t page_file_offset(page_number number, uint32_t page_size)
{
    return ((uint64_t)number + 1) * page_size;
}

/* Fills a header for a database that is being created: state "just created", formats, page size, signature.
 * The log signature and positions stay zero. Zeroes the whole structure first. */
void database_header_init(struct database_header *header, uint32_t page_size,
                          const struct signature *signature);

/* Judges one copy of a header: `bytes` holds the first `size` bytes of the file (or of the shadow), at least
 * 4 KiB or one page. JET_errReadVerifyFailure for a checksum that fails, JET_errDatabaseCorrupted for another
 * kind of file, JET_errInvalidDatabaseVersion for a version that is not read here, JET_errPageSizeMismatch
 * for an impossible size. */
JET_ERR database_header_check(const void *bytes, size_t size);

/* Reads the header of an open file, from the shadow if the first copy is damaged or torn. The page size is
 * found out, not assumed. `repaired` (may be null) tells whether the two copies differ: then
 * database_header_mend comes before the next database_header_write. Errors: as database_header_check;
 * JET_errFileInvalidType if it is a log or checkpoint. */
JET_ERR database_header_read(struct os_file *file, struct database_header *header, bool *repaired);
/* What JET_errFileInvalidType means to whoever wants a database of that page size: the headers of logs and
 * checkpoints have 4 KiB. */
JET_ERR database_header_error_of_other_file(uint32_t page_size);

/* Makes the two copies equal again: writes the one that database_header_read takes over the other, which
 * alone is touched. */
JET_ERR database_header_mend(struct os_file *file, uint32_t page_size);

/* Writes header, then shadow, with checksum; each synced. The copies must have been equal: a crash may cost
 * the one that is being written, and the other then counts. Gives the header a new flush signature if
 * `signature` is not null. On error the file still has at least one good copy. */
JET_ERR database_header_write(struct os_file *file, struct database_header *header);

/* Lays the header out as one page of `page_size` bytes with its checksum, as streams need it. */
void database_header_to_page(const struct database_header *header, void *page, uint32_t page_size);

/* Moves the header to a new state and sets the required generations [low, high] (0, 0 when clean); `time` is
 * the creation time of generation `high` or null. */
void database_header_set_state(struct database_header *header, enum database_state state,
                               int32_t generation_low, int32_t generation_high, const struct log_time *time);

#endif
