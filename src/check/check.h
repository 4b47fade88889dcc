/* The checker: walks a closed database file and checks every invariant of the format. The public face is
 * EsentHostCheckDatabase in include/esent_host.h.
 *
 * It knows the format by itself (engine sources: `cpage.hxx`, `space.cxx`, `cat.hxx`, `rec.hxx`, `lv.cxx`),
 * from the page layer up, and shares no code with the layers that write these structures: what they get wrong
 * together, it sees. It must survive any file: every size and number read from the file is checked before
 * use, and work is bounded by the size of the file (each page is visited once by one tree). One thread; the
 * file may not change meanwhile. */
#ifndef OPENESENT_CHECK_CHECK_H
#define OPENESENT_CHECK_CHECK_H

#include "include/esent_host.h"
#include "src/os/file.h"
#include "src/page/database_header.h"
#include "src/page/node.h"

/* Fixed places in every database. */
#define CHECK_DATABASE_ROOT 1u
#define CHECK_CATALOG_ROOT 4u
#define CHECK_CATALOG_OBJECT 2u
#define CHECK_SHADOW_ROOT 24u
#define CHECK_SHADOW_OBJECT 3u

#define CHECK_DEPTH_MAX 16u
#define CHECK_BOOKMARK_MAX 33000u
#define CHECK_SEPARATOR_MAX 4096u

/* What is known of each page. */
enum page_state {
    PAGE_STATE_UNREAD,
    PAGE_STATE_GOOD, /* checksum holds */
    PAGE_STATE_ZERO,
    PAGE_STATE_BAD,
};
enum page_use {
    PAGE_USE_NONE,
    PAGE_USE_TREE,
    PAGE_USE_SPACE, /* page of an owned- or available-extents tree */
    PAGE_USE_AVAILABLE,
    PAGE_USE_BUFFER, /* in the split buffer of a space tree */
};
struct page_info {
    uint8_t state;
    uint8_t use;
    uint32_t owner;   /* root of the innermost tree that owns it, 0 = nobody */
    uint32_t visitor; /* root of the tree that uses it */
};

enum tree_kind { TREE_DATABASE, TREE_TABLE, TREE_INDEX, TREE_LONG_VALUE };

/* A tree named by the catalog (or the database's root). */
struct check_tree {
    enum tree_kind kind;
    page_number root;
    object_id object;
    object_id table; /* object of the table it belongs to */
    uint32_t flags;  /* of the catalog: of an index, IDB flags and more */
    bool unique;
    bool partial; /* index: with conditions, or over tuples: not one entry a record */
    bool space_done;
    bool damaged; /* a walk found something wrong: what depends on the whole is not checked */
    char name[64];
};

/* A fixed column, for the sizes of fixed parts of records. */
struct check_column {
    object_id table;
    uint16_t id;
    uint16_t type;
    uint16_t offset; /* in the record, behind the header; 0 = not known */
    uint16_t size;
};

/* A set of numbered counters: open addressing. */
struct counter_entry {
    uint64_t key;
    uint64_t count;
    uint64_t size;
    bool used;
};
struct counter_set {
    struct counter_entry *entries;
    size_t used;
    size_t room; /* power of two */
};
void counter_set_free(struct counter_set *set);
/* The entry of `key`, made if it is not there; NULL without memory. */
struct counter_entry *counter_set_get(struct counter_set *set, uint64_t key);
/* NULL if it is not there. */
struct counter_entry *counter_set_find(const struct counter_set *set, uint64_t key);

struct check {
    ESENT_HOST_CHECK_CALLBACK callback;
    void *context;
    uint64_t findings; /* without warnings */
    struct os_file *file;
    struct database_header header;
    uint32_t page_size;
    page_number last;                  /* highest page that the file holds */
    struct page_info *pages;           /* by number */
    uint8_t *buffers[CHECK_DEPTH_MAX]; /* one page a level of a descent, made when needed */
    struct check_tree *trees;
    size_t tree_count;
    size_t tree_room;
    struct check_column *columns;
    size_t column_count;
    size_t column_room;
};

/* Reports a finding; `format` as printf. */
void check_report(struct check *check, const char *kind, page_number page, object_id object,
                  const char *format, ...) __attribute__((format(printf, 5, 6)));
void check_warn(struct check *check, const char *kind, page_number page, object_id object, const char *format,
                ...) __attribute__((format(printf, 5, 6)));

/* Reads a page into `buffer`; *good is false (and reported, once) if it cannot be used. Errors of reading and
 * memory only. */
JET_ERR check_read_page(struct check *check, page_number number, void *buffer, struct page *page, bool *good);
/* A buffer of one page for a level of a descent. */
JET_ERR check_buffer(struct check *check, uint32_t level, uint8_t **buffer);

/* ---- trees (check_tree.c) */

/* What a walk of a tree expects and finds. */
struct tree_walk {
    page_number root;
    object_id object;
    uint32_t page_flags; /* of PAGE_SPACE_TREE, PAGE_INDEX, PAGE_LONG_VALUE: which must be set */
    bool unique;
    bool any_flags; /* do not compare page_flags */
    enum page_use use;
    page_number visitor; /* root of the tree that is charged for the pages */
    /* Called for each node of the leaves in order (NULL: nobody). An error ends the walk. */
    JET_ERR (*visit)(void *context, const struct page *page, uint32_t line, const struct node *node);
    void *context;
    /* Results: */
    uint64_t nodes;
    uint32_t page_count;
    uint32_t depth;
    bool damaged;
};
JET_ERR check_walk_tree(struct check *check, struct tree_walk *walk);
/* Compares key and data of two nodes, or of a node and a copied bookmark. */
size_t check_node_bytes(const struct node *node, bool with_data, uint8_t *bytes, size_t room);

/* ---- space (check_space.c) */

/* Checks the space of all trees: who owns what, what is available, nothing twice. Before the walks of the
 * trees. */
JET_ERR check_space_owned(struct check *check);
/* After the walks: pages that nobody uses. */
void check_space_unused(struct check *check);

/* ---- catalog (check_catalog.c) */

/* Reads the catalog into check->trees and check->columns, and checks it and its shadow. */
JET_ERR check_catalog(struct check *check);
JET_ERR check_shadow(struct check *check);

/* ---- records (check_record.c) */

/* What a record refers to: long values. Called for each separated value. */
struct record_check {
    struct check *check;
    object_id table;
    page_number page;
    JET_ERR (*long_value)(void *context, uint64_t id);
    void *context;
};
JET_ERR check_record(struct record_check *record, struct span data);

/* Readers of single columns, for the catalog: false if the record has no such value. */
bool record_fixed(struct span data, uint32_t offset, uint32_t column, void *value, size_t size);
bool record_variable(struct span data, uint32_t column, struct span *value);

/* ---- tables (check_table.c) */

/* Checks a table with its indexes and long values. */
JET_ERR check_table(struct check *check, struct check_tree *table);

static inline uint32_t check_u16(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8;
}
static inline uint32_t check_u32(const uint8_t *bytes)
{
    return check_u16(bytes) | check_u16(bytes + 2) << 16;
}
static inline uint32_t check_big_u32(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

#endif
