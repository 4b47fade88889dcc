/* Definitions of tables, columns and indexes in memory: what the catalog's records say, ready for use.
 *
 * A definition is made by the catalog (catalog.h) from the table's records and is shared by all cursors of
 * the table; it owns everything it points to. Adding a column or index appends; nothing a cursor may point to
 * is moved or freed before the definition itself is, so a pointer to a column or index stays good while the
 * cursor is open. DDL takes `definition lock` (catalog.h); readers of committed parts need none.
 *
 * Persisted flags and numbers: engine sources `tdb.hxx` (columns), `idb.hxx` (indexes), `cat.hxx` (objects).
 */
#ifndef OPENESENT_CATALOG_DEFINITION_H
#define OPENESENT_CATALOG_DEFINITION_H

#include "include/esent.h"
#include "src/os/atomic.h"
#include "src/os/base.h"

/* Column ids: 1-127 fixed, 128-255 variable, 256 and more tagged. */
#define COLUMN_FIXED_FIRST 1u
#define COLUMN_FIXED_LAST 127u
#define COLUMN_VARIABLE_FIRST 128u
#define COLUMN_VARIABLE_LAST 255u
#define COLUMN_TAGGED_FIRST 256u
#define COLUMN_TAGGED_LAST 0xfedfu
/* Set in the id that the API shows for a column that a derived table has from its template (and for the
 * template's own). */
#define COLUMN_TEMPLATE_BIT 0x80000000u

/* Name limits in bytes without the terminating zero (JET_cbNameMost). */
#define NAME_MAX_SIZE 64u

/* Persisted column flags. */
#define COLUMN_FLAG_NOT_NULL 0x0001u
#define COLUMN_FLAG_VERSION 0x0002u
#define COLUMN_FLAG_AUTOINCREMENT 0x0004u
#define COLUMN_FLAG_MULTIVALUED 0x0008u
#define COLUMN_FLAG_DEFAULT 0x0010u
#define COLUMN_FLAG_ESCROW 0x0020u
#define COLUMN_FLAG_FINALIZE 0x0040u
#define COLUMN_FLAG_USER_DEFAULT 0x0080u
#define COLUMN_FLAG_TEMPLATE 0x0100u
#define COLUMN_FLAG_DELETE_ON_ZERO 0x0200u
#define COLUMN_FLAG_PLACEHOLDER 0x0800u
#define COLUMN_FLAG_COMPRESSED 0x1000u
#define COLUMN_FLAG_ENCRYPTED 0x2000u

/* Persisted index flags, first half. */
#define INDEX_FLAG_UNIQUE 0x0001u
#define INDEX_FLAG_ALLOW_ALL_NULLS 0x0002u
#define INDEX_FLAG_ALLOW_FIRST_NULL 0x0004u
#define INDEX_FLAG_ALLOW_SOME_NULLS 0x0008u
#define INDEX_FLAG_NO_NULL_SEGMENT 0x0010u
#define INDEX_FLAG_PRIMARY 0x0020u
#define INDEX_FLAG_LOCALE_SET 0x0040u
#define INDEX_FLAG_MULTIVALUED 0x0080u
#define INDEX_FLAG_TEMPLATE 0x0100u
#define INDEX_FLAG_DERIVED 0x0200u
#define INDEX_FLAG_LOCALIZED 0x0400u
#define INDEX_FLAG_NULLS_HIGH 0x0800u
#define INDEX_FLAG_CROSS_PRODUCT 0x2000u
#define INDEX_FLAG_DISALLOW_TRUNCATION 0x4000u
#define INDEX_FLAG_NESTED_TABLE 0x8000u
/* Second half. */
#define INDEX_EXTENDED_COLUMNS 0x0001u /* segments hold column ids; always set in the catalog */
#define INDEX_EXTENDED_DOTNET_GUID 0x0002u
#define INDEX_EXTENDED_DEFERRED_POPULATE 0x0004u
#define INDEX_EXTENDED_OPTIONALLY_UNIQUE 0x0008u

/* The state of a column or index with respect to running transactions. */
enum definition_state {
    DEFINITION_COMMITTED, /* visible to everybody */
    DEFINITION_VERSIONED, /* added or deleted by a transaction that someone may not see: ask the catalog */
    DEFINITION_DELETED,   /* gone for everybody */
};

/* Whose transaction made a versioned column or index. Spares its visitors the look into the catalog. */
struct definition_birth {
    os_atomic_32 begin0;  /* 0 = not known */
    os_atomic_32 commit0; /* 0 = not committed, or not known */
};

struct column_definition {
    JET_COLUMNID id;    /* as in the catalog, without the template bit */
    bool from_template; /* shown with COLUMN_TEMPLATE_BIT; tagged values carry the derived flag */
    bool inherited;     /* from the template of this (derived) table: its catalog record is the template's */
    uint8_t type;       /* JET_coltyp… */
    os_atomic_8 state;  /* enum definition_state */
    os_atomic_bool delete_pending; /* versioned because it is being deleted */
    struct definition_birth birth;
    uint16_t flags;         /* COLUMN_FLAG_… */
    uint16_t code_page;     /* text columns: 1200 or 1252; else 0 */
    uint16_t record_offset; /* fixed columns: offset in the record, the record header counted */
    uint32_t max_size;      /* bytes; 0 = unlimited (long types) */
    uint32_t default_size;
    uint8_t *default_value; /* owned; NULL if there is none */
    char name[NAME_MAX_SIZE + 1];
};

static inline bool column_id_is_fixed(JET_COLUMNID id)
{
    return (id & 0xffff) - COLUMN_FIXED_FIRST <= COLUMN_FIXED_LAST - COLUMN_FIXED_FIRST;
}

static inline bool column_id_is_variable(JET_COLUMNID id)
{
    return (id & 0xffff) - COLUMN_VARIABLE_FIRST <= COLUMN_VARIABLE_LAST - COLUMN_VARIABLE_FIRST;
}

static inline bool column_id_is_tagged(JET_COLUMNID id)
{
    return (id & 0xffff) >= COLUMN_TAGGED_FIRST;
}

static inline bool column_id_is_valid(JET_COLUMNID id)
{
    const JET_COLUMNID bare = id & ~(JET_COLUMNID)COLUMN_TEMPLATE_BIT;
    return bare >= COLUMN_FIXED_FIRST && bare <= COLUMN_TAGGED_LAST; /* the three kinds are side by side */
}

static inline bool column_is_long(const struct column_definition *column)
{
    return column->type == JET_coltypLongText || column->type == JET_coltypLongBinary;
}

static inline bool column_is_text(const struct column_definition *column)
{
    return column->type == JET_coltypText || column->type == JET_coltypLongText;
}

/* The id that the API shows. */
/* One without a value for it has none: table_definition_add_column sees to that. */
static inline bool column_has_default(const struct column_definition *column)
{
    return (column->flags & COLUMN_FLAG_DEFAULT) != 0;
}

static inline JET_COLUMNID column_public_id(const struct column_definition *column)
{
    return column->from_template ? column->id | COLUMN_TEMPLATE_BIT : column->id;
}

/* A segment of an index key, as the catalog stores it (engine: IDXSEG, 4 bytes). */
#define SEGMENT_FLAG_TEMPLATE 0x80u
#define SEGMENT_FLAG_DESCENDING 0x40u
#define SEGMENT_FLAG_MUST_BE_NULL 0x20u
struct PACKED index_segment {
    uint8_t flags;
    uint8_t reserved;
    uint16_t column; /* without the template bit */
};
_Static_assert(sizeof(struct index_segment) == 4, "an index segment is 4 bytes");

#define INDEX_SEGMENT_MAX 16u
#define INDEX_SEGMENT_LIMIT 16u

struct tuple_limits {
    uint32_t min_length; /* characters */
    uint32_t max_length;
    uint32_t to_index_max;
    uint32_t increment;
    uint32_t start;
};

struct index_key_column {
    JET_COLUMNID column; /* with COLUMN_TEMPLATE_BIT where it comes from the template */
    bool descending;
    bool must_be_null; /* conditional columns: "must be null" instead of "must not be null" */
};

struct index_definition {
    struct index_definition *next;
    object_id id;
    page_number root;
    os_atomic_8 state;
    os_atomic_bool delete_pending; /* versioned because it is being deleted */
    struct definition_birth birth;
    bool derived; /* the template's index in a derived table: its columns are the template's */
    bool tuples;
    uint16_t flags;          /* INDEX_FLAG_… */
    uint16_t extended;       /* INDEX_EXTENDED_… */
    uint16_t stored_key_max; /* as the catalog has it; key_max may be less */
    uint16_t stored_segment_max;
    uint16_t key_max;     /* bytes */
    uint16_t segment_max; /* bytes of one variable segment (cbVarSegMac) */
    uint8_t column_count;
    uint8_t condition_count;
    struct index_key_column columns[INDEX_SEGMENT_MAX];
    struct index_key_column conditions[INDEX_SEGMENT_MAX];
    struct tuple_limits tuple;
    uint32_t density;    /* percent */
    uint32_t map_flags;  /* LCMapString flags */
    uint16_t locale[85]; /* UTF-16, zero-terminated; empty = invariant */
    char name[NAME_MAX_SIZE + 1];
};

static inline bool index_is_primary(const struct index_definition *index)
{
    return (index->flags & INDEX_FLAG_PRIMARY) != 0;
}

static inline bool index_is_unique(const struct index_definition *index)
{
    return (index->flags & INDEX_FLAG_UNIQUE) != 0;
}

/* A growing array of columns by id; entry i is the column of id first + i, NULL where there is none. */
struct column_array {
    struct column_definition **entries;
    uint32_t count;
    uint32_t capacity;
};

struct database;
struct table_cursor;

/* A program's function that is called when rows change (JetRegisterCallback). Entries are added in front and
 * stay as long as the definition does; one that was taken back has no types any more. */
struct row_callback {
    struct row_callback *next;
    os_atomic_32 types; /* JET_cbtyp… */
    uint32_t id;
    JET_CALLBACK function;
    void *context;
};

/* What a program hung on a cursor or a table (JetSetLS), and its function that is told when that goes: with
 * locks held, so it cannot call the library. */
struct local_storage {
    JET_LS value;
    JET_CALLBACK gone;
};
void local_storage_free(const struct local_storage *storage, JET_CBTYP type);

struct table_definition {
    struct table_definition *next; /* in the database's list of loaded definitions */
    struct database *database;     /* NULL in temporary tables' unit tests only */
    object_id id;
    page_number root;
    uint32_t page_size;
    uint32_t flags;   /* JET_bitObject…/table flags of the catalog record */
    uint32_t density; /* percent */
    uint32_t initial_pages;
    bool is_template;
    bool is_temporary;
    JET_GRBIT temporary_grbit;          /* JET_bitTT… of a temporary table */
    bool temporary_materialized;        /* made a table of what was a sort */
    struct local_storage local_storage; /* of JetSetLS with JET_bitLSTable; under the definition lock */
    bool is_derived;
    bool columns_lost; /* some deleted column: rows may hold values of it */
    char name[NAME_MAX_SIZE + 1];
    char template_name[NAME_MAX_SIZE + 1];
    struct column_array fixed;           /* from COLUMN_FIXED_FIRST */
    struct column_array variable;        /* from COLUMN_VARIABLE_FIRST */
    struct column_array tagged;          /* from COLUMN_TAGGED_FIRST: own */
    struct column_array template_tagged; /* from COLUMN_TAGGED_FIRST: the template's, in a derived table */
    uint16_t fixed_end;                  /* offset behind the last fixed column */
    JET_COLUMNID version_column;         /* 0 = none */
    JET_COLUMNID autoincrement_column;   /* 0 = none */
    uint64_t autoincrement_next;         /* 0 = not known yet; under the definition lock */
    uint64_t autoincrement_reserved;     /* the root of the table says so much (published profile) */
    uint32_t autoincrement_batch;        /* size of the last batch */
    struct index_definition *primary;    /* NULL: rows are kept in order of insertion (sequential) */
    struct index_definition *secondary;  /* list, in order of creation */
    struct index_definition *dropped;    /* primary indexes whose creation was rolled back */
    object_id long_value_id;             /* 0 = no tree for long values yet */
    page_number long_value_root;
    uint32_t long_value_next;    /* last used long-value id; 0 = not known yet */
    uint32_t separate_threshold; /* bytes of long value kept in the record; 0 = default */
    uint64_t sequential_next;    /* last used key of a table without primary index; 0 = not known yet */
    uint32_t open_count;         /* cursors */
    uint32_t deny_read_count;
    bool template_used;          /* a template that a table has been derived from since it was loaded */
    const void *exclusive_owner; /* session that keeps readers out */
    os_atomic_bool uncommitted;  /* the transaction that created it goes on */
    bool delete_pending;
    bool unlinked;                  /* out of the database's list: the last close frees it */
    uint32_t versioned_count;       /* pending DDL of this table; it stays in memory until zero */
    struct table_cursor *cursors;   /* all open ones; under the definition lock */
    os_atomic_32 callback_types;    /* that any of the next was added for */
    struct row_callback *callbacks; /* newest first; the head under the definition lock */
};

/* A new definition without columns and indexes. Error: JET_errOutOfMemory. */
JET_ERR table_definition_create(struct table_definition **out);
/* Frees a definition and all that it owns; NULL is fine. */
void table_definition_free(struct table_definition *table);

/* Appends a copy of `column` (its default value is copied too); the array entry of its id must be free.
 * Sets version_column, autoincrement_column and fixed_end. *out (may be NULL) points to the new entry. */
JET_ERR table_definition_add_column(struct table_definition *table, const struct column_definition *column,
                                    struct column_definition **out);
/* Appends a copy of `index`, as primary or at the end of the secondary ones. */
JET_ERR table_definition_add_index(struct table_definition *table, const struct index_definition *index,
                                   struct index_definition **out);

/* The column of a public id (template bit as shown by the API), whatever its state, or NULL. */
struct column_definition *table_definition_column(const struct table_definition *table, JET_COLUMNID id);
/* The same by a bare id of a fixed or variable column (1-255), whosever it is. */
struct column_definition *table_definition_column_any(const struct table_definition *table, uint32_t id);
/* Calls for each column of every kind in order fixed, variable, template's tagged, tagged. Returns NULL at
 * the end; start with *position = 0. Deleted columns are passed over. */
struct column_definition *table_definition_next_column(const struct table_definition *table,
                                                       uint32_t *position);

/* The largest size of a fixed type in bytes, 0 for variable and long ones. */
uint32_t column_type_size(uint32_t type);

/* Compares object names as the engine does: case-insensitive for ASCII letters; negative, zero, positive. */
int name_compare(const char *a, const char *b);

#endif
