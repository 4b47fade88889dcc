/* What each kind of change does to one page: shared by the running engine, which calls these after it has
 * appended the log record, and by redo, which calls them when the page's dbtime says that the record is
 * missing.
 *
 * The page is latched exclusively by the caller, who also stamps the dbtime. Nothing here fails once the
 * checks passed; redo of records that come from outside calls `apply_check_...` first, since lines and sizes
 * may not fit the page (JET_errLogCorrupted then). Engine sources: `node.cxx`, `logredo.cxx`. */
#ifndef OPENESENT_BTREE_APPLY_NODE_H
#define OPENESENT_BTREE_APPLY_NODE_H

#include "src/page/node.h"

/* Record LOG_RECORD_INSERT: a node before `line`; `prefix_size` bytes of the key come from the page's prefix.
 */
JET_ERR apply_check_insert(const struct page *page, uint32_t line, struct span key, uint32_t prefix_size,
                           struct span data);
void apply_insert(struct page *page, uint32_t line, struct span key, uint32_t prefix_size, struct span data,
                  bool versioned);

/* For all others: is there such a line; can its data become `data_size` bytes. */
JET_ERR apply_check_line(const struct page *page, uint32_t line);
JET_ERR apply_check_replace(const struct page *page, uint32_t line, uint32_t data_size);

/* LOG_RECORD_FLAG_INSERT: a flag-deleted node comes back. */
void apply_flag_insert(struct page *page, uint32_t line, bool versioned);
/* LOG_RECORD_FLAG_INSERT_AND_REPLACE_DATA. */
void apply_flag_insert_and_replace(struct page *page, uint32_t line, struct span data, bool versioned);
/* LOG_RECORD_REPLACE. */
void apply_replace(struct page *page, uint32_t line, struct span data, bool versioned);
/* LOG_RECORD_FLAG_DELETE. */
void apply_flag_delete(struct page *page, uint32_t line, bool versioned);
/* LOG_RECORD_DELETE: the line goes. */
void apply_delete(struct page *page, uint32_t line);
/* LOG_RECORD_DELTA, LOG_RECORD_DELTA64: `width` 4 or 8. */
JET_ERR apply_check_delta(const struct page *page, uint32_t line, uint32_t offset, uint32_t width);
void apply_delta(struct page *page, uint32_t line, uint32_t offset, uint32_t width, int64_t delta,
                 bool versioned);
/* LOG_RECORD_SET_EXTERNAL_HEADER. */
void apply_external_header(struct page *page, struct span data);

/* A page that a merge takes out of its tree: loses its nodes and is marked empty. */
void apply_empty_page(struct page *page);

/* LOG_RECORD_UNDO, by operation: an insert is flag-deleted, a flag-delete comes back, a replace gets its old
 * data, a delta is taken back (apply_delta with the negative). The version bit is cleared if `unversion`. */
void apply_undo_insert(struct page *page, uint32_t line, bool unversion);
void apply_undo_flag_delete(struct page *page, uint32_t line, bool unversion);
void apply_undo_replace(struct page *page, uint32_t line, struct span before, bool unversion);

/* Expands the differences of LOG_RECORD_REPLACE_DIFFERENCE against the data before into `out` (`capacity`
 * bytes). JET_errLogCorrupted when they do not fit. (Engine source: `logdiff.cxx`.) */
JET_ERR apply_difference(struct span before, struct span differences, bool wide_header, uint8_t *out,
                         uint32_t capacity, uint32_t *out_size);

#endif
