/* Log records: the on-disk form of every record type, their sizes, and a bounds-checking decoder.
 *
 * A record is a type byte followed by a packed structure, followed by variable data whose sizes the structure
 * names. Records are physiological: they name a page, the database time before and after the change, and the
 * change itself by line number, so that redo applies a record exactly if the page's time equals the time
 * before. Engine sources: `logapi.hxx` (structures), `logread.cxx` (sizes). Written at log version 8.5.16. */
#ifndef OPENESENT_LOG_RECORDS_H
#define OPENESENT_LOG_RECORDS_H

#include "src/os/base.h"
#include "src/os/error.h"
#include "src/page/database_header.h"

enum log_record_type {
    LOG_RECORD_NOP = 0,
    LOG_RECORD_INIT = 1,         /* legacy */
    LOG_RECORD_TERM = 2,         /* legacy */
    LOG_RECORD_MULTI_SECTOR = 3, /* legacy */
    LOG_RECORD_END = 4,          /* legacy: end of a generation */
    LOG_RECORD_BEGIN = 5,
    LOG_RECORD_COMMIT = 6,
    LOG_RECORD_ROLLBACK = 7,
    LOG_RECORD_BEGIN0 = 8,
    LOG_RECORD_COMMIT0 = 9,
    LOG_RECORD_REFRESH = 10,
    LOG_RECORD_MACRO_BEGIN = 11,
    LOG_RECORD_MACRO_COMMIT = 12,
    LOG_RECORD_MACRO_ABORT = 13,
    LOG_RECORD_CREATE_DATABASE = 14,
    LOG_RECORD_ATTACH_DATABASE = 15,
    LOG_RECORD_DETACH_DATABASE = 16,
    LOG_RECORD_RECOVERY_UNDO = 17, /* legacy */
    LOG_RECORD_RECOVERY_QUIT = 18, /* legacy */
    LOG_RECORD_FULL_BACKUP = 19,
    LOG_RECORD_INCREMENTAL_BACKUP = 20,
    LOG_RECORD_JET_OPERATION = 21,
    LOG_RECORD_TRACE = 22,
    LOG_RECORD_SHUTDOWN_MARK = 23,
    LOG_RECORD_CREATE_MULTIPLE_EXTENT_FDP = 24,
    LOG_RECORD_CREATE_SINGLE_EXTENT_FDP = 25,
    LOG_RECORD_CONVERT_FDP_OBSOLETE = 26,
    LOG_RECORD_SPLIT = 27, /* without the page's before-image */
    LOG_RECORD_MERGE = 28, /* without the page's before-image */
    LOG_RECORD_INSERT = 29,
    LOG_RECORD_FLAG_INSERT = 30,
    LOG_RECORD_FLAG_INSERT_AND_REPLACE_DATA = 31,
    LOG_RECORD_FLAG_DELETE = 32,
    LOG_RECORD_REPLACE = 33,
    LOG_RECORD_REPLACE_DIFFERENCE = 34,
    LOG_RECORD_DELETE = 35,
    LOG_RECORD_UNDO_INFO = 36,
    LOG_RECORD_DELTA = 37,
    LOG_RECORD_SET_EXTERNAL_HEADER = 38,
    LOG_RECORD_UNDO = 39,
    LOG_RECORD_CHECKSUM = 42, /* legacy */
    LOG_RECORD_EXTERNAL_RESTORE_LEGACY = 45,
    LOG_RECORD_BACKUP_OBSOLETE = 46,
    LOG_RECORD_EMPTY_TREE = 48,
    LOG_RECORD_INIT2 = 49,
    LOG_RECORD_TERM2 = 50,
    LOG_RECORD_RECOVERY_UNDO2 = 51,
    LOG_RECORD_RECOVERY_QUIT2 = 52,
    LOG_RECORD_BEGIN_DISTRIBUTED = 53,
    LOG_RECORD_PREPARE_COMMIT = 54,
    LOG_RECORD_PREPARE_ROLLBACK = 55,
    LOG_RECORD_DATABASE_LIST = 56, /* never written by the versions we read */
    LOG_RECORD_FORCE_WRITE = 57,
    LOG_RECORD_CONVERT_FDP = 58,
    LOG_RECORD_EXTERNAL_RESTORE = 59,
    LOG_RECORD_BACKUP = 60,
    LOG_RECORD_FORCE_ROLLOVER = 61,
    LOG_RECORD_SPLIT2 = 62,
    LOG_RECORD_MERGE2 = 63,
    LOG_RECORD_SCRUB = 64,
    LOG_RECORD_PAGE_MOVE = 65,
    LOG_RECORD_PAGE_PATCH_REQUEST = 66,
    LOG_RECORD_MACRO_INFO = 67, /* 67-75, 82-91: ignorable, all begin with struct log_record_ignored */
    LOG_RECORD_EXTEND_DATABASE = 68,
    LOG_RECORD_COMMIT_CONTEXT = 69,
    LOG_RECORD_SCAN_CHECK = 70,
    LOG_RECORD_NOP2 = 71,
    LOG_RECORD_REATTACH = 72,
    LOG_RECORD_MACRO_INFO2 = 73,
    LOG_RECORD_FREE_FDP = 74,
    LOG_RECORD_IGNORED9 = 75,
    LOG_RECORD_FRAGMENT_BEGIN = 76,
    LOG_RECORD_FRAGMENT = 77,
    LOG_RECORD_SHRINK_DATABASE = 78,
    LOG_RECORD_CREATE_DATABASE_FINISH = 79,
    LOG_RECORD_RECOVERY_QUIT_KEEP_ATTACHMENTS = 80,
    LOG_RECORD_TRIM_DATABASE = 81,
    LOG_RECORD_IGNORED10 = 82,
    LOG_RECORD_IGNORED19 = 91,
    LOG_RECORD_SET_DATABASE_VERSION = 92,
    LOG_RECORD_DELTA64 = 93,
    LOG_RECORD_SHRINK_DATABASE2 = 94,
    LOG_RECORD_NEW_PAGE = 95,
    LOG_RECORD_ROOT_PAGE_MOVE = 96,
    LOG_RECORD_SIGNAL_ATTACH_DATABASE = 97,
    LOG_RECORD_SCAN_CHECK2 = 98,
    LOG_RECORD_SHRINK_DATABASE3 = 99,
    LOG_RECORD_EXTENT_FREED = 100,
    LOG_RECORD_EXTENT_FREED2 = 101,
    LOG_RECORD_TYPE_END = 102 /* first unknown type */
};

/* Every record begins with its type; records of this size and nothing more: NOP, shutdown mark. */
struct PACKED log_record_header {
    uint8_t type;
};

/* What ignorable records have in common: a reader that does not know the type skips `size` bytes behind this.
 */
struct PACKED log_record_ignored {
    uint8_t type;
    uint32_t size;
};
_Static_assert(sizeof(struct log_record_ignored) == 5, "LRIGNORED");

enum {
    LOG_PAGE_VERSIONED = 0x01,
    LOG_PAGE_DELETED = 0x02,
    LOG_PAGE_UNIQUE = 0x04,
    LOG_PAGE_SPACE = 0x08,
    LOG_PAGE_CONCURRENT_CREATE_INDEX = 0x10,
    LOG_PAGE_SYSTEM_TASK = 0x20
};

/* First part of each record that changes pages. */
struct PACKED log_record_page {
    uint8_t type;
    uint16_t process_id; /* session (procid) that did it */
    uint8_t database_id; /* log-local database number, 1... */
    uint32_t page;
    uint64_t dbtime;        /* time of the page after the change */
    uint64_t dbtime_before; /* time of the page before the change */
    uint32_t trx_begin0;    /* transaction's begin id */
    uint8_t level;          /* transaction level */
    uint16_t line;          /* line on the page */
    uint8_t flags;          /* LOG_PAGE_... */
};
_Static_assert(sizeof(struct log_record_page) == 32, "LRPAGE_");

/* Changes of one node. */
struct PACKED log_record_node {
    struct log_record_page page;
    uint32_t version_id; /* id of the version entry (RCE), joins deferred undo information; 0 = unversioned */
    uint32_t tree_page;  /* root page of the tree (pgnoFDP) */
    uint32_t tree_object; /* object id of the tree (objidFDP) */
};
_Static_assert(sizeof(struct log_record_node) == 44, "LRNODE_");

/* data[]: key prefix?, suffix, data. `prefix_size` counts key bytes compressed against the page's external
 * header. */
struct PACKED log_record_insert {
    struct log_record_node node;
    uint16_t suffix_size;
    uint16_t prefix_size;
    uint16_t data_size;
    uint8_t data[]; /* key (prefix_size + suffix_size bytes: the whole key is logged), then data */
};
_Static_assert(sizeof(struct log_record_insert) == 50, "LRINSERT");

struct PACKED log_record_flag_insert {
    struct log_record_node node;
    uint16_t key_size;
    uint16_t data_size;
    uint8_t data[]; /* key, data (may be absent: sizes 0) */
};
_Static_assert(sizeof(struct log_record_flag_insert) == 48, "LRFLAGINSERT");

struct PACKED log_record_flag_insert_and_replace_data {
    struct log_record_node node;
    uint16_t key_size;
    uint16_t data_size;
    uint32_t replace_version_id;
    uint8_t data[]; /* key, new data */
};
_Static_assert(sizeof(struct log_record_flag_insert_and_replace_data) == 52, "LRFLAGINSERTANDREPLACEDATA");

#define LOG_REPLACE_DIFFERENCE2 0x8000 /* in `size`: differences use the 3-byte header */
#define LOG_REPLACE_SIZE_MASK 0x7fff

struct PACKED log_record_replace {
    struct log_record_node node;
    uint16_t size;     /* of data[]; top bit LOG_REPLACE_DIFFERENCE2 */
    uint16_t old_size; /* of the node's data before */
    uint16_t new_size; /* of the node's data after */
    uint8_t data[];    /* new data, or the differences (type 34) */
};
_Static_assert(sizeof(struct log_record_replace) == 50, "LRREPLACE");

struct PACKED log_record_delta {
    struct log_record_node node;
    uint16_t bookmark_key_size;
    uint16_t bookmark_data_size;
    int32_t delta;
    uint16_t offset; /* of the counter within the node's data */
    uint8_t bookmark[];
};
_Static_assert(sizeof(struct log_record_delta) == 54, "LRDELTA32");

struct PACKED log_record_delta64 {
    struct log_record_node node;
    uint16_t bookmark_key_size;
    uint16_t bookmark_data_size;
    int64_t delta;
    uint16_t offset;
    uint8_t bookmark[];
};
_Static_assert(sizeof(struct log_record_delta64) == 58, "LRDELTA64");

/* Flag-delete (32) and delete (35) are a bare struct log_record_node. */

struct PACKED log_record_undo {
    struct log_record_node node;
    uint16_t bookmark_key_size;
    uint16_t bookmark_data_size;
    uint16_t operation; /* enum of version operations: 0 insert ... as the engine's OPER */
    uint8_t undo_level;
    uint8_t bookmark[];
};
_Static_assert(sizeof(struct log_record_undo) == 51, "LRUNDO");

struct PACKED log_record_undo_info {
    struct log_record_node node;
    uint16_t bookmark_key_size;
    uint16_t bookmark_data_size;
    uint16_t operation;
    int16_t maximum_size; /* replace: space reservations of the version */
    int16_t delta;
    uint16_t data_size; /* before-image */
    uint8_t data[];     /* bookmark key, bookmark data, before-image */
};
_Static_assert(sizeof(struct log_record_undo_info) == 56, "LRUNDOINFO");

struct PACKED log_record_set_external_header {
    struct log_record_node node;
    uint16_t data_size;
    uint8_t data[];
};
_Static_assert(sizeof(struct log_record_set_external_header) == 46, "LRSETEXTERNALHEADER");

#define LOG_SCRUB_UNUSED_PAGE 0x1
struct PACKED log_record_scrub {
    struct log_record_node node;
    uint32_t flags;
    uint32_t operation_count;
    uint16_t data_size;
    uint8_t data[]; /* operation_count bytes... as SCRUBOPER array */
};
_Static_assert(sizeof(struct log_record_scrub) == 54, "LRSCRUB");

struct PACKED log_record_split {
    struct log_record_page page; /* the page that is split */
    uint32_t new_page;
    uint32_t right_page; /* sibling whose back-link changes, leaves only; 0 = none */
    uint64_t dbtime_right_before;
    uint32_t parent_page;
    uint64_t dbtime_parent_before;
    uint32_t tree_page;
    uint32_t tree_object;
    uint8_t split_type;      /* 0 vertical, 1 right, 2 append... as SPLITTYPE */
    uint8_t split_operation; /* SPLITOPER: none, insert, replace, flag insert and replace data */
    uint16_t operation_line;
    uint16_t split_line;
    uint16_t line_count;
    uint32_t new_page_flags;
    uint32_t split_page_flags;
    int16_t uncommitted_free_source;
    int16_t uncommitted_free_destination;
    int32_t prefix_line_split;
    int32_t prefix_line_new;
    uint16_t prefix_split_old_size;
    uint16_t prefix_split_new_size;
    uint16_t parent_key_size;
    /* type 27: key to insert at parent, old prefix, new prefix follow */
};
_Static_assert(sizeof(struct log_record_split) == 102, "LRSPLIT_");

#define LOG_PREIMAGE_DEHYDRATED 0x1
#define LOG_PREIMAGE_XPRESS 0x2
struct PACKED log_record_split2 {
    struct log_record_split split;
    uint32_t flags; /* LOG_PREIMAGE_... */
    uint32_t before_image_size;
    uint8_t data[]; /* key to insert at parent, old prefix, new prefix, before-image of the split page */
};
_Static_assert(sizeof(struct log_record_split2) == 110, "LRSPLITNEW");

enum { LOG_MERGE_KEY_CHANGE = 0x01, LOG_MERGE_DELETE_NODE = 0x02, LOG_MERGE_EMPTY_PAGE = 0x04 };
struct PACKED log_record_merge {
    struct log_record_page page; /* the page merged or emptied */
    uint32_t right_page;
    uint64_t dbtime_right_before;
    uint32_t left_page;
    uint64_t dbtime_left_before;
    uint32_t parent_page;
    uint64_t dbtime_parent_before;
    uint32_t tree_page;
    uint32_t tree_object;
    uint16_t size_total;
    uint16_t size_maximum_total;
    uint16_t uncommitted_free_destination;
    uint16_t merge_line;
    uint8_t flags; /* LOG_MERGE_... */
    uint8_t merge_type;
    uint16_t parent_separator_size;
    /* type 28: separator key follows */
};
_Static_assert(sizeof(struct log_record_merge) == 88, "LRMERGE_");

struct PACKED log_record_merge2 {
    struct log_record_merge merge;
    uint32_t flags;
    uint32_t before_image_size;
    uint8_t data[]; /* separator key, before-image of the merged page */
};
_Static_assert(sizeof(struct log_record_merge2) == 96, "LRMERGENEW");

struct PACKED log_empty_page {
    uint64_t dbtime_before;
    uint32_t page;
    uint32_t page_flags;
};
_Static_assert(sizeof(struct log_empty_page) == 16, "EMPTYPAGE");

struct PACKED log_record_empty_tree {
    struct log_record_node node;
    uint16_t list_size; /* bytes */
    uint8_t data[];     /* struct log_empty_page ... */
};
_Static_assert(sizeof(struct log_record_empty_tree) == 46, "LREMPTYTREE");

struct PACKED log_record_new_page {
    uint8_t type;
    uint16_t process_id;
    uint8_t database_id;
    uint32_t page;
    uint32_t object;
    uint64_t dbtime_after;
};
_Static_assert(sizeof(struct log_record_new_page) == 20, "LRNEWPAGE");

struct PACKED log_record_page_move {
    struct log_record_page page; /* source */
    uint32_t destination_page;
    uint32_t left_page;
    uint32_t right_page;
    uint32_t parent_page;
    uint64_t dbtime_left_before;
    uint64_t dbtime_right_before;
    uint64_t dbtime_parent_before;
    uint32_t tree_page;
    uint32_t tree_object;
    int32_t parent_line;
    uint32_t move_flags; /* 1 root, 2 root of owned extents, 4 root of available extents */
    uint32_t page_header_size;
    uint32_t page_trailer_size;
    uint8_t data[];
};
_Static_assert(sizeof(struct log_record_page_move) == 96, "LRPAGEMOVE");

struct PACKED log_record_root_page_move {
    uint8_t type;
    uint64_t dbtime_after;
    uint8_t database_id;
    uint32_t object;
    uint16_t process_id;
};
_Static_assert(sizeof(struct log_record_root_page_move) == 16, "LRROOTPAGEMOVE");

struct PACKED log_record_create_multiple_extent_fdp {
    struct log_record_page page; /* the new root */
    uint32_t object;
    uint32_t owned_page;
    uint32_t available_page;
    uint32_t parent_tree_page;
    uint32_t primary_pages;
    uint32_t page_flags;
};
_Static_assert(sizeof(struct log_record_create_multiple_extent_fdp) == 56, "LRCREATEMEFDP");

struct PACKED log_record_create_single_extent_fdp {
    struct log_record_page page;
    uint32_t object;
    uint32_t parent_tree_page;
    uint32_t primary_pages;
    uint32_t page_flags;
};
_Static_assert(sizeof(struct log_record_create_single_extent_fdp) == 48, "LRCREATESEFDP");

struct PACKED log_record_convert_fdp_obsolete {
    struct log_record_page page;
    uint32_t object;
    uint32_t owned_page;
    uint32_t available_page;
    uint32_t parent_tree_page;
    uint32_t secondary_first_page;
    uint32_t primary_pages;
    uint32_t secondary_pages;
};
_Static_assert(sizeof(struct log_record_convert_fdp_obsolete) == 60, "LRCONVERTFDP_OBSOLETE");

struct PACKED log_record_convert_fdp {
    struct log_record_convert_fdp_obsolete convert;
    uint32_t available_bitmap;
    uint32_t page_flags;
};
_Static_assert(sizeof(struct log_record_convert_fdp) == 68, "LRCONVERTFDP");

struct PACKED log_record_free_fdp {
    struct log_record_ignored ignored;
    uint8_t database_id;
    uint32_t tree_page;
    uint32_t trx_committed;
    uint8_t kind; /* 1 table, 2 index */
};
_Static_assert(sizeof(struct log_record_free_fdp) == 15, "LRFREEFDP");

struct PACKED log_record_transaction {
    uint8_t type;
    uint16_t process_id;
};

struct PACKED log_record_begin {
    uint8_t type;
    uint16_t process_id;
    uint8_t levels; /* low 4 bits: level begun from; high 4 bits: how many levels */
};
_Static_assert(sizeof(struct log_record_begin) == 4, "LRBEGIN");

struct PACKED log_record_begin0 {
    struct log_record_begin begin;
    uint32_t trx_begin0;
};
_Static_assert(sizeof(struct log_record_begin0) == 8, "LRBEGIN0");

struct PACKED log_record_refresh {
    uint8_t type;
    uint16_t process_id;
    uint32_t trx_begin0;
};
_Static_assert(sizeof(struct log_record_refresh) == 7, "LRREFRESH");

struct PACKED log_record_prepare_commit {
    uint8_t type;
    uint16_t process_id;
    uint32_t data_size;
    uint8_t data[];
};

struct PACKED log_record_commit {
    uint8_t type;
    uint16_t process_id;
    uint8_t level_to;
};
_Static_assert(sizeof(struct log_record_commit) == 4, "LRCOMMIT");

struct PACKED log_record_commit0 {
    struct log_record_commit commit;
    uint32_t trx_commit0;
};
_Static_assert(sizeof(struct log_record_commit0) == 8, "LRCOMMIT0");

struct PACKED log_record_rollback {
    uint8_t type;
    uint16_t process_id;
    uint8_t levels;
};
_Static_assert(sizeof(struct log_record_rollback) == 4, "LRROLLBACK");

struct PACKED log_record_macro {
    uint8_t type; /* begin, commit, abort */
    uint16_t process_id;
    uint64_t dbtime;
};
_Static_assert(sizeof(struct log_record_macro) == 11, "LRMACROBEGIN, LRMACROEND");

struct PACKED log_record_macro_info2 {
    struct log_record_ignored ignored;
    uint8_t database_id;
    uint32_t page_count;
    uint8_t pages[]; /* uint32_t each */
};
_Static_assert(sizeof(struct log_record_macro_info2) == 10, "LRMACROINFO2");

#define LOG_CREATE_VERSION 2 /* in the version information of create records */
#define LOG_CREATE_UPDATE 0
enum { LOG_CREATE_VERSION_INFO = 0x04, LOG_CREATE_UNICODE_NAMES = 0x08, LOG_CREATE_SPARSE_FILE = 0x10 };
struct PACKED log_record_create_database {
    uint8_t type;
    uint16_t process_id;
    uint8_t database_id;
    uint32_t grbit;
    uint32_t maximum_pages;
    struct signature database_signature;
    uint16_t path_size; /* bytes, terminating NULs included */
    uint8_t flags;      /* LOG_CREATE_... */
    uint8_t data[]; /* with VERSION_INFO: uint16 version, uint16 update; then the path: NUL-terminated text */
};
_Static_assert(sizeof(struct log_record_create_database) == 43, "LRCREATEDB");

struct PACKED log_record_create_database_finish {
    uint8_t type;
    uint16_t process_id;
    uint8_t database_id;
};
_Static_assert(sizeof(struct log_record_create_database_finish) == 4, "LRCREATEDBFINISH");

enum { LOG_ATTACH_UNICODE_NAMES = 0x08, LOG_ATTACH_SPARSE_FILE = 0x10 };
struct PACKED log_record_attach_database {
    uint8_t type;
    uint16_t process_id;
    uint8_t database_id;
    uint32_t maximum_pages;
    struct log_position consistent;
    struct signature database_signature;
    struct signature log_signature;
    uint16_t path_size;
    uint8_t flags;
    uint8_t path[];
};
_Static_assert(sizeof(struct log_record_attach_database) == 75, "LRATTACHDB");

enum { LOG_DETACH_UNICODE_NAMES = 0x10 };
struct PACKED log_record_detach_database {
    uint8_t type;
    uint16_t process_id;
    uint8_t database_id;
    uint16_t path_size;
    uint8_t flags;
    uint8_t path[];
};
_Static_assert(sizeof(struct log_record_detach_database) == 7, "LRDETACHDB");

struct PACKED log_record_reattach {
    struct log_record_ignored ignored;
    uint8_t database_id;
    struct log_position attach;
    struct log_position consistent;
    struct signature database_signature;
};
_Static_assert(sizeof(struct log_record_reattach) == 50, "LRREATTACHDB");

struct PACKED log_record_signal_attach {
    uint8_t type;
    uint8_t database_id;
};

struct PACKED log_record_set_database_version {
    uint8_t type;
    uint8_t database_id;
    uint32_t major;
    uint32_t update_major;
    uint32_t update_minor;
};
_Static_assert(sizeof(struct log_record_set_database_version) == 14, "LRSETDBVERSION");

/* The engine's parameters as of the start of a generation or an init: for display only, except the circular
 * bit. */
#define LOG_PARAMETERS_CIRCULAR 0x1
struct PACKED log_parameters {
    char system_path[261];
    char log_path[261];
    uint8_t flags; /* LOG_PARAMETERS_CIRCULAR */
    uint32_t sessions;
    uint32_t open_tables;
    uint32_t version_pages;
    uint32_t cursors;
    uint32_t log_buffers;
    uint32_t log_file_sectors;
    uint32_t cache_size_maximum;
    uint8_t reserved[16];
};
_Static_assert(sizeof(struct log_parameters) == 567, "DBMS_PARAM");

struct PACKED log_record_init {
    uint8_t type;
    struct log_parameters parameters;
};

struct PACKED log_record_init2 {
    struct log_record_init init;
    struct log_time time;
};
_Static_assert(sizeof(struct log_record_init2) == 576, "LRINIT2");

struct PACKED log_record_term {
    uint8_t type;
    struct log_position begin;     /* of the init or recovery undo that this ends */
    struct log_position redo_from; /* recovery quit: where redo began */
    uint8_t hard;
};
_Static_assert(sizeof(struct log_record_term) == 18, "LRTERMREC");

/* Term2, recovery quit 2, recovery quit keeping attachments. */
struct PACKED log_record_term2 {
    struct log_record_term term;
    struct log_time time;
};
_Static_assert(sizeof(struct log_record_term2) == 26, "LRTERMREC2");

struct PACKED log_record_recovery_undo2 {
    uint8_t type;
    struct log_time time;
};
_Static_assert(sizeof(struct log_record_recovery_undo2) == 9, "LRRECOVERYUNDO2");

struct PACKED log_record_path { /* full backup, incremental backup */
    uint8_t type;
    uint16_t size;
    uint8_t data[];
};

struct PACKED log_record_backup_obsolete {
    uint8_t type;
    uint8_t backup_type;
    uint8_t reserved;
    uint16_t path_size;
    uint8_t data[];
};

enum log_backup_phase {
    LOG_BACKUP_BEGIN = 1,
    LOG_BACKUP_PREPARE_LOGS = 2,
    LOG_BACKUP_TRUNCATE = 3,
    LOG_BACKUP_UPDATE = 4,
    LOG_BACKUP_ABORT = 5,
    LOG_BACKUP_STOP = 6
};
enum log_backup_scope {
    LOG_BACKUP_FULL = 0x01,
    LOG_BACKUP_INCREMENTAL = 0x02,
    LOG_BACKUP_COPY = 0x05,
    LOG_BACKUP_DIFFERENTIAL = 0x06
};
struct PACKED log_record_backup {
    uint8_t type;
    uint8_t phase;        /* enum log_backup_phase */
    uint32_t backup_type; /* 0 streaming, 1 OS snapshot, ... as BKINFOTYPE */
    uint8_t scope;        /* enum log_backup_scope */
    uint8_t database_id;
    struct backup_info details;
    uint8_t reserved;
    uint16_t path_size;
    uint8_t data[];
};
_Static_assert(sizeof(struct log_record_backup) == 35, "LRLOGBACKUP");

struct PACKED log_record_jet_operation {
    uint8_t type;
    uint16_t process_id;
    uint8_t operation;
};

struct PACKED log_record_trace { /* trace, force rollover */
    uint8_t type;
    uint16_t process_id;
    uint16_t size;
    uint8_t data[];
};

struct PACKED log_record_extend_database {
    struct log_record_ignored ignored;
    uint8_t database_id;
    uint32_t last_page;
};
_Static_assert(sizeof(struct log_record_extend_database) == 10, "LREXTENDDB");

struct PACKED log_record_commit_context {
    struct log_record_ignored ignored;
    uint16_t process_id;
    uint8_t flags;
    uint8_t data[];
};
_Static_assert(sizeof(struct log_record_commit_context) == 8, "LRCOMMITCTX");

struct PACKED log_record_shrink_database {
    uint8_t type;
    uint8_t database_id;
    uint32_t last_page;
    uint32_t shrunk_pages;
};
_Static_assert(sizeof(struct log_record_shrink_database) == 10, "LRSHRINKDB");

struct PACKED log_record_shrink_database3 {
    struct log_record_shrink_database shrink;
    uint64_t dbtime;
};

struct PACKED log_record_trim_database {
    uint8_t type;
    uint8_t database_id;
    uint32_t first_zero_page;
    uint32_t zero_pages;
};

struct PACKED log_record_scan_check {
    struct log_record_ignored ignored;
    uint8_t database_id;
    uint32_t page;
    uint64_t dbtime_before;
    uint64_t dbtime_after;
    uint16_t checksum;
};
_Static_assert(sizeof(struct log_record_scan_check) == 28, "LRSCANCHECK");

struct PACKED log_record_scan_check2 {
    uint8_t type;
    uint8_t database_id;
    uint32_t page;
    uint8_t flags_and_source;
    uint64_t dbtime_page;
    uint64_t dbtime_current;
    uint32_t checksum;
};
_Static_assert(sizeof(struct log_record_scan_check2) == 27, "LRSCANCHECK2");

struct PACKED log_record_page_patch_request {
    uint8_t type;
    uint8_t database_id;
    uint32_t page;
    uint64_t dbtime;
    uint8_t reserved[32];
};
_Static_assert(sizeof(struct log_record_page_patch_request) == 46, "LRPAGEPATCHREQUEST");

struct PACKED log_record_extent_freed {
    uint8_t type;
    uint8_t database_id;
    uint32_t first_page;
    uint32_t page_count;
    uint8_t flags;
};
_Static_assert(sizeof(struct log_record_extent_freed) == 11, "LREXTENTFREED");

struct PACKED log_record_extent_freed2 {
    struct log_record_extent_freed freed;
    uint64_t dbtime;
};

/* A record too large for the rest of its segment: FRAGMENT_BEGIN, then a FRAGMENT in each following segment.
 */
struct PACKED log_record_fragment_begin {
    uint8_t type;
    uint32_t total_size;
    uint16_t fragment_size;
    uint8_t data[];
};
_Static_assert(sizeof(struct log_record_fragment_begin) == 7, "LRFRAGMENTBEGIN");

struct PACKED log_record_fragment {
    uint8_t type;
    uint16_t fragment_size;
    uint8_t data[];
};
_Static_assert(sizeof(struct log_record_fragment) == 3, "LRFRAGMENT");

/* Size of the record at `record` in bytes, header and variable data, or 0 if it is not a whole known record
 * within `available` bytes. Never reads beyond `available`. */
size_t log_record_size(const void *record, size_t available);

/* Size of the fixed part of a type, 0 for types that no supported version writes. */
size_t log_record_fixed_size(uint8_t type);

/* A short name for display, never NULL. */
const char *log_record_name(uint8_t type);

/* Whether the record begins with struct log_record_page / struct log_record_node. */
bool log_record_is_page(uint8_t type);
bool log_record_is_node(uint8_t type);

/* Database number that a record concerns, 0 if none. The record must be whole. */
uint8_t log_record_database(const void *record);

#define LOG_PATH_UNITS 1024u /* longest path in a record, UTF-16 units */

/* Converts a path as records and attachments hold it (NUL-terminated or filling `size` bytes) to UTF-8.
 * JET_errLogFileCorrupt if it is malformed or too long. */
JET_ERR log_text_decode(const uint8_t *text, size_t size, bool wide, char *path, size_t capacity);

/* Path at the end of a create, attach or detach record as UTF-8 into `path`. JET_errLogFileCorrupt if
 * malformed. */
JET_ERR log_record_path_text(const void *record, size_t size, char *path, size_t capacity);

#endif
