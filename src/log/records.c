/* Sizes, names and texts of log records. */
#include "src/log/records.h"

#include "src/os/text.h"

/* `size` is the fixed part; `variable` says that sizes inside name more; 0 = no supported version writes the
 * type. */
struct record_kind {
    const char *name;
    uint16_t size;
    bool variable;
    uint8_t family; /* 1: begins with struct log_record_page; 2: with struct log_record_node; 3: ignorable */
};

#define PAGE_KIND 1
#define NODE_KIND 2
#define IGNORED_KIND 3
#define FIXED(type, structure, family) [type] = {#type, (uint16_t)sizeof(structure), false, family}
#define VARIABLE(type, structure, family) [type] = {#type, (uint16_t)sizeof(structure), true, family}

static const struct record_kind kinds[LOG_RECORD_TYPE_END] = {
    FIXED(LOG_RECORD_NOP, struct log_record_header, 0),
    FIXED(LOG_RECORD_INIT, struct log_record_init, 0),
    FIXED(LOG_RECORD_TERM, struct log_record_term, 0),
    FIXED(LOG_RECORD_END, struct log_record_header, 0),
    FIXED(LOG_RECORD_BEGIN, struct log_record_begin, 0),
    FIXED(LOG_RECORD_COMMIT, struct log_record_commit, 0),
    FIXED(LOG_RECORD_ROLLBACK, struct log_record_rollback, 0),
    FIXED(LOG_RECORD_BEGIN0, struct log_record_begin0, 0),
    FIXED(LOG_RECORD_COMMIT0, struct log_record_commit0, 0),
    FIXED(LOG_RECORD_REFRESH, struct log_record_refresh, 0),
    FIXED(LOG_RECORD_MACRO_BEGIN, struct log_record_macro, 0),
    FIXED(LOG_RECORD_MACRO_COMMIT, struct log_record_macro, 0),
    FIXED(LOG_RECORD_MACRO_ABORT, struct log_record_macro, 0),
    VARIABLE(LOG_RECORD_CREATE_DATABASE, struct log_record_create_database, 0),
    VARIABLE(LOG_RECORD_ATTACH_DATABASE, struct log_record_attach_database, 0),
    VARIABLE(LOG_RECORD_DETACH_DATABASE, struct log_record_detach_database, 0),
    FIXED(LOG_RECORD_RECOVERY_UNDO, struct log_record_header, 0),
    FIXED(LOG_RECORD_RECOVERY_QUIT, struct log_record_term, 0),
    VARIABLE(LOG_RECORD_FULL_BACKUP, struct log_record_path, 0),
    VARIABLE(LOG_RECORD_INCREMENTAL_BACKUP, struct log_record_path, 0),
    FIXED(LOG_RECORD_JET_OPERATION, struct log_record_jet_operation, 0),
    VARIABLE(LOG_RECORD_TRACE, struct log_record_trace, 0),
    FIXED(LOG_RECORD_SHUTDOWN_MARK, struct log_record_header, 0),
    FIXED(LOG_RECORD_CREATE_MULTIPLE_EXTENT_FDP, struct log_record_create_multiple_extent_fdp, PAGE_KIND),
    FIXED(LOG_RECORD_CREATE_SINGLE_EXTENT_FDP, struct log_record_create_single_extent_fdp, PAGE_KIND),
    FIXED(LOG_RECORD_CONVERT_FDP_OBSOLETE, struct log_record_convert_fdp_obsolete, PAGE_KIND),
    VARIABLE(LOG_RECORD_SPLIT, struct log_record_split, PAGE_KIND),
    VARIABLE(LOG_RECORD_MERGE, struct log_record_merge, PAGE_KIND),
    VARIABLE(LOG_RECORD_INSERT, struct log_record_insert, NODE_KIND),
    VARIABLE(LOG_RECORD_FLAG_INSERT, struct log_record_flag_insert, NODE_KIND),
    VARIABLE(LOG_RECORD_FLAG_INSERT_AND_REPLACE_DATA, struct log_record_flag_insert_and_replace_data,
             NODE_KIND),
    FIXED(LOG_RECORD_FLAG_DELETE, struct log_record_node, NODE_KIND),
    VARIABLE(LOG_RECORD_REPLACE, struct log_record_replace, NODE_KIND),
    VARIABLE(LOG_RECORD_REPLACE_DIFFERENCE, struct log_record_replace, NODE_KIND),
    FIXED(LOG_RECORD_DELETE, struct log_record_node, NODE_KIND),
    VARIABLE(LOG_RECORD_UNDO_INFO, struct log_record_undo_info, NODE_KIND),
    VARIABLE(LOG_RECORD_DELTA, struct log_record_delta, NODE_KIND),
    VARIABLE(LOG_RECORD_SET_EXTERNAL_HEADER, struct log_record_set_external_header, NODE_KIND),
    VARIABLE(LOG_RECORD_UNDO, struct log_record_undo, NODE_KIND),
    VARIABLE(LOG_RECORD_EXTERNAL_RESTORE_LEGACY, struct log_record_path, 0),
    VARIABLE(LOG_RECORD_BACKUP_OBSOLETE, struct log_record_backup_obsolete, 0),
    VARIABLE(LOG_RECORD_EMPTY_TREE, struct log_record_empty_tree, NODE_KIND),
    FIXED(LOG_RECORD_INIT2, struct log_record_init2, 0),
    FIXED(LOG_RECORD_TERM2, struct log_record_term2, 0),
    FIXED(LOG_RECORD_RECOVERY_UNDO2, struct log_record_recovery_undo2, 0),
    FIXED(LOG_RECORD_RECOVERY_QUIT2, struct log_record_term2, 0),
    FIXED(LOG_RECORD_BEGIN_DISTRIBUTED, struct log_record_begin0, 0),
    VARIABLE(LOG_RECORD_PREPARE_COMMIT, struct log_record_prepare_commit, 0),
    FIXED(LOG_RECORD_PREPARE_ROLLBACK, struct log_record_transaction, 0),
    FIXED(LOG_RECORD_FORCE_WRITE, struct log_record_transaction, 0),
    FIXED(LOG_RECORD_CONVERT_FDP, struct log_record_convert_fdp, PAGE_KIND),
    VARIABLE(LOG_RECORD_EXTERNAL_RESTORE, struct log_record_path, 0),
    VARIABLE(LOG_RECORD_BACKUP, struct log_record_backup, 0),
    VARIABLE(LOG_RECORD_FORCE_ROLLOVER, struct log_record_trace, 0),
    VARIABLE(LOG_RECORD_SPLIT2, struct log_record_split2, PAGE_KIND),
    VARIABLE(LOG_RECORD_MERGE2, struct log_record_merge2, PAGE_KIND),
    VARIABLE(LOG_RECORD_SCRUB, struct log_record_scrub, NODE_KIND),
    VARIABLE(LOG_RECORD_PAGE_MOVE, struct log_record_page_move, PAGE_KIND),
    FIXED(LOG_RECORD_PAGE_PATCH_REQUEST, struct log_record_page_patch_request, 0),
    VARIABLE(LOG_RECORD_MACRO_INFO, struct log_record_ignored, IGNORED_KIND),
    VARIABLE(LOG_RECORD_EXTEND_DATABASE, struct log_record_ignored, IGNORED_KIND),
    VARIABLE(LOG_RECORD_COMMIT_CONTEXT, struct log_record_ignored, IGNORED_KIND),
    VARIABLE(LOG_RECORD_SCAN_CHECK, struct log_record_ignored, IGNORED_KIND),
    VARIABLE(LOG_RECORD_NOP2, struct log_record_ignored, IGNORED_KIND),
    VARIABLE(LOG_RECORD_REATTACH, struct log_record_ignored, IGNORED_KIND),
    VARIABLE(LOG_RECORD_MACRO_INFO2, struct log_record_ignored, IGNORED_KIND),
    VARIABLE(LOG_RECORD_FREE_FDP, struct log_record_ignored, IGNORED_KIND),
    VARIABLE(LOG_RECORD_IGNORED9, struct log_record_ignored, IGNORED_KIND),
    VARIABLE(LOG_RECORD_FRAGMENT_BEGIN, struct log_record_fragment_begin, 0),
    VARIABLE(LOG_RECORD_FRAGMENT, struct log_record_fragment, 0),
    FIXED(LOG_RECORD_SHRINK_DATABASE, struct log_record_shrink_database, 0),
    FIXED(LOG_RECORD_CREATE_DATABASE_FINISH, struct log_record_create_database_finish, 0),
    FIXED(LOG_RECORD_RECOVERY_QUIT_KEEP_ATTACHMENTS, struct log_record_term2, 0),
    FIXED(LOG_RECORD_TRIM_DATABASE, struct log_record_trim_database, 0),
    VARIABLE(LOG_RECORD_IGNORED10, struct log_record_ignored, IGNORED_KIND),
    [83] = {"LOG_RECORD_IGNORED", (uint16_t)sizeof(struct log_record_ignored), true, IGNORED_KIND},
    [84] = {"LOG_RECORD_IGNORED", (uint16_t)sizeof(struct log_record_ignored), true, IGNORED_KIND},
    [85] = {"LOG_RECORD_IGNORED", (uint16_t)sizeof(struct log_record_ignored), true, IGNORED_KIND},
    [86] = {"LOG_RECORD_IGNORED", (uint16_t)sizeof(struct log_record_ignored), true, IGNORED_KIND},
    [87] = {"LOG_RECORD_IGNORED", (uint16_t)sizeof(struct log_record_ignored), true, IGNORED_KIND},
    [88] = {"LOG_RECORD_IGNORED", (uint16_t)sizeof(struct log_record_ignored), true, IGNORED_KIND},
    [89] = {"LOG_RECORD_IGNORED", (uint16_t)sizeof(struct log_record_ignored), true, IGNORED_KIND},
    [90] = {"LOG_RECORD_IGNORED", (uint16_t)sizeof(struct log_record_ignored), true, IGNORED_KIND},
    VARIABLE(LOG_RECORD_IGNORED19, struct log_record_ignored, IGNORED_KIND),
    FIXED(LOG_RECORD_SET_DATABASE_VERSION, struct log_record_set_database_version, 0),
    VARIABLE(LOG_RECORD_DELTA64, struct log_record_delta64, NODE_KIND),
    FIXED(LOG_RECORD_SHRINK_DATABASE2, struct log_record_shrink_database, 0),
    FIXED(LOG_RECORD_NEW_PAGE, struct log_record_new_page, 0),
    FIXED(LOG_RECORD_ROOT_PAGE_MOVE, struct log_record_root_page_move, 0),
    FIXED(LOG_RECORD_SIGNAL_ATTACH_DATABASE, struct log_record_signal_attach, 0),
    FIXED(LOG_RECORD_SCAN_CHECK2, struct log_record_scan_check2, 0),
    FIXED(LOG_RECORD_SHRINK_DATABASE3, struct log_record_shrink_database3, 0),
    FIXED(LOG_RECORD_EXTENT_FREED, struct log_record_extent_freed, 0),
    FIXED(LOG_RECORD_EXTENT_FREED2, struct log_record_extent_freed2, 0),
};

size_t log_record_fixed_size(uint8_t type)
{
    return type < LOG_RECORD_TYPE_END ? kinds[type].size : 0;
}

const char *log_record_name(uint8_t type)
{
    if (type >= LOG_RECORD_TYPE_END || kinds[type].name == NULL)
        return "UNKNOWN";
    return kinds[type].name + sizeof("LOG_RECORD_") - 1;
}

bool log_record_is_page(uint8_t type)
{
    return type < LOG_RECORD_TYPE_END && (kinds[type].family == PAGE_KIND || kinds[type].family == NODE_KIND);
}

bool log_record_is_node(uint8_t type)
{
    return type < LOG_RECORD_TYPE_END && kinds[type].family == NODE_KIND;
}

#define AS(structure) ((const struct structure *)record)

/* Variable part of changes to trees; the fixed part is there. */
static size_t tree_variable_size(const void *record, uint8_t type)
{
    switch (type) {
    case LOG_RECORD_SPLIT:
    case LOG_RECORD_SPLIT2: {
        const struct log_record_split *split = record;
        size_t size =
            (size_t)split->parent_key_size + split->prefix_split_old_size + split->prefix_split_new_size;
        return size + (type == LOG_RECORD_SPLIT2 ? AS(log_record_split2)->before_image_size : 0);
    }
    case LOG_RECORD_MERGE:
        return AS(log_record_merge)->parent_separator_size;
    case LOG_RECORD_MERGE2:
        return (size_t)AS(log_record_merge)->parent_separator_size + AS(log_record_merge2)->before_image_size;
    case LOG_RECORD_PAGE_MOVE:
        return (size_t)AS(log_record_page_move)->page_header_size +
               AS(log_record_page_move)->page_trailer_size;
    case LOG_RECORD_EMPTY_TREE:
        return AS(log_record_empty_tree)->list_size;
    case LOG_RECORD_DELTA:
        return (size_t)AS(log_record_delta)->bookmark_key_size + AS(log_record_delta)->bookmark_data_size;
    case LOG_RECORD_DELTA64:
        return (size_t)AS(log_record_delta64)->bookmark_key_size + AS(log_record_delta64)->bookmark_data_size;
    case LOG_RECORD_INSERT:
        return (size_t)AS(log_record_insert)->suffix_size + AS(log_record_insert)->prefix_size +
               AS(log_record_insert)->data_size;
    case LOG_RECORD_FLAG_INSERT:
        return (size_t)AS(log_record_flag_insert)->key_size + AS(log_record_flag_insert)->data_size;
    case LOG_RECORD_FLAG_INSERT_AND_REPLACE_DATA:
        return (size_t)AS(log_record_flag_insert_and_replace_data)->key_size +
               AS(log_record_flag_insert_and_replace_data)->data_size;
    case LOG_RECORD_REPLACE:
    case LOG_RECORD_REPLACE_DIFFERENCE:
        return AS(log_record_replace)->size & LOG_REPLACE_SIZE_MASK;
    case LOG_RECORD_UNDO_INFO:
        return (size_t)AS(log_record_undo_info)->bookmark_key_size +
               AS(log_record_undo_info)->bookmark_data_size + AS(log_record_undo_info)->data_size;
    case LOG_RECORD_UNDO:
        return (size_t)AS(log_record_undo)->bookmark_key_size + AS(log_record_undo)->bookmark_data_size;
    case LOG_RECORD_SET_EXTERNAL_HEADER:
        return AS(log_record_set_external_header)->data_size;
    default:
        ASSERT(type == LOG_RECORD_SCRUB);
        return AS(log_record_scrub)->data_size;
    }
}

static size_t variable_size(const void *record, uint8_t type)
{
    if (kinds[type].family == IGNORED_KIND)
        return AS(log_record_ignored)->size;
    if (kinds[type].family != 0)
        return tree_variable_size(record, type);
    switch (type) {
    case LOG_RECORD_FULL_BACKUP:
    case LOG_RECORD_INCREMENTAL_BACKUP:
    case LOG_RECORD_EXTERNAL_RESTORE_LEGACY:
    case LOG_RECORD_EXTERNAL_RESTORE:
        return AS(log_record_path)->size;
    case LOG_RECORD_BACKUP_OBSOLETE:
        return AS(log_record_backup_obsolete)->path_size;
    case LOG_RECORD_BACKUP:
        return AS(log_record_backup)->path_size;
    case LOG_RECORD_CREATE_DATABASE:
        return (size_t)AS(log_record_create_database)->path_size +
               ((AS(log_record_create_database)->flags & LOG_CREATE_VERSION_INFO) != 0 ? 4 : 0);
    case LOG_RECORD_ATTACH_DATABASE:
        return AS(log_record_attach_database)->path_size;
    case LOG_RECORD_DETACH_DATABASE:
        return AS(log_record_detach_database)->path_size;
    case LOG_RECORD_TRACE:
    case LOG_RECORD_FORCE_ROLLOVER:
        return AS(log_record_trace)->size;
    case LOG_RECORD_PREPARE_COMMIT:
        return AS(log_record_prepare_commit)->data_size;
    case LOG_RECORD_FRAGMENT_BEGIN:
        return AS(log_record_fragment_begin)->fragment_size;
    default:
        ASSERT(type == LOG_RECORD_FRAGMENT);
        return AS(log_record_fragment)->fragment_size;
    }
}

size_t log_record_size(const void *record, size_t available)
{
    if (available == 0)
        return 0;
    uint8_t type = *(const uint8_t *)record;
    size_t fixed = log_record_fixed_size(type);
    if (fixed == 0 || fixed > available)
        return 0;
    size_t size = fixed + (kinds[type].variable ? variable_size(record, type) : 0);
    return size <= available ? size : 0;
}

uint8_t log_record_database(const void *record)
{
    uint8_t type = *(const uint8_t *)record;
    if (log_record_is_page(type))
        return AS(log_record_page)->database_id;
    switch (type) {
    case LOG_RECORD_CREATE_DATABASE:
        return AS(log_record_create_database)->database_id;
    case LOG_RECORD_ATTACH_DATABASE:
        return AS(log_record_attach_database)->database_id;
    case LOG_RECORD_DETACH_DATABASE:
        return AS(log_record_detach_database)->database_id;
    case LOG_RECORD_CREATE_DATABASE_FINISH:
        return AS(log_record_create_database_finish)->database_id;
    case LOG_RECORD_SET_DATABASE_VERSION:
        return AS(log_record_set_database_version)->database_id;
    case LOG_RECORD_SHRINK_DATABASE:
    case LOG_RECORD_SHRINK_DATABASE2:
    case LOG_RECORD_SHRINK_DATABASE3:
        return AS(log_record_shrink_database)->database_id;
    case LOG_RECORD_TRIM_DATABASE:
        return AS(log_record_trim_database)->database_id;
    case LOG_RECORD_NEW_PAGE:
        return AS(log_record_new_page)->database_id;
    case LOG_RECORD_ROOT_PAGE_MOVE:
        return AS(log_record_root_page_move)->database_id;
    case LOG_RECORD_SIGNAL_ATTACH_DATABASE:
        return AS(log_record_signal_attach)->database_id;
    case LOG_RECORD_EXTENT_FREED:
    case LOG_RECORD_EXTENT_FREED2:
        return AS(log_record_extent_freed)->database_id;
    case LOG_RECORD_EXTEND_DATABASE:
    case LOG_RECORD_REATTACH:
    case LOG_RECORD_FREE_FDP:
    case LOG_RECORD_MACRO_INFO2:
    case LOG_RECORD_SCAN_CHECK:
        return AS(log_record_ignored)->size > 0 ? ((const uint8_t *)record)[sizeof(struct log_record_ignored)]
                                                : 0;
    default:
        return 0;
    }
}

JET_ERR log_record_path_text(const void *record, size_t size, char *path, size_t capacity)
{
    const uint8_t *text;
    size_t text_size;
    bool wide;
    switch (*(const uint8_t *)record) {
    case LOG_RECORD_CREATE_DATABASE: {
        const struct log_record_create_database *create = record;
        text = create->data + ((create->flags & LOG_CREATE_VERSION_INFO) != 0 ? 4 : 0);
        text_size = create->path_size;
        wide = (create->flags & LOG_CREATE_UNICODE_NAMES) != 0;
        break;
    }
    case LOG_RECORD_ATTACH_DATABASE:
        text = AS(log_record_attach_database)->path;
        text_size = AS(log_record_attach_database)->path_size;
        wide = (AS(log_record_attach_database)->flags & LOG_ATTACH_UNICODE_NAMES) != 0;
        break;
    case LOG_RECORD_DETACH_DATABASE:
        text = AS(log_record_detach_database)->path;
        text_size = AS(log_record_detach_database)->path_size;
        wide = (AS(log_record_detach_database)->flags & LOG_DETACH_UNICODE_NAMES) != 0;
        break;
    default:
        return JET_errLogFileCorrupt;
    }
    if ((size_t)(text - (const uint8_t *)record) + text_size > size)
        return JET_errLogFileCorrupt;
    return log_text_decode(text, text_size, wide, path, capacity);
}

JET_ERR log_text_decode(const uint8_t *text, size_t size, bool wide, char *path, size_t capacity)
{
    if (wide) {
        uint16_t units[LOG_PATH_UNITS];
        size_t count = size / 2;
        if (count > LOG_PATH_UNITS)
            return JET_errLogFileCorrupt;
        memcpy(units, text, count * 2);
        size_t length = os_utf16_length_limited(units, count);
        return os_utf16_to_utf8(units, length, path, capacity, NULL) < JET_errSuccess ? JET_errLogFileCorrupt
                                                                                      : JET_errSuccess;
    }
    size_t length = 0;
    while (length < size && text[length] != 0)
        length++;
    if (length + 1 > capacity)
        return JET_errLogFileCorrupt;
    memcpy(path, text, length);
    path[length] = '\0';
    return JET_errSuccess;
}
