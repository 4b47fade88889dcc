/* Cursors of tables: what is behind a JET_TABLEID.
 *
 * A cursor has a place in the primary tree (the current record) and, when a secondary index is current, in
 * that index' tree; every move there takes the primary place along. A cursor is used by one thread at a time
 * (its session's). All functions of this layer answer the API's error codes; checks are in the engine's order
 * (engine sources: `rec.cxx`, `fldmod.cxx`, `recupd.cxx`, `fcreate.cxx`). */
#ifndef OPENESENT_TABLE_CURSOR_H
#define OPENESENT_TABLE_CURSOR_H

#include "src/catalog/catalog.h"
#include "src/catalog/key.h"
#include "src/version/versioned_cursor.h"

struct tree_registry;

/* What an instance's parameters say to tables. Filled by the API layer when a cursor is opened. */
struct table_parameters {
    uint32_t tuple_min;
    uint32_t tuple_max;
    uint32_t tuple_to_index;
    uint32_t tuple_increment;
    uint32_t tuple_start;
};

enum prepared_update {
    PREPARED_NONE,
    PREPARED_INSERT,
    PREPARED_INSERT_COPY,
    PREPARED_INSERT_COPY_DELETE, /* InsertCopyDeleteOriginal and InsertCopyReplaceOriginal */
    PREPARED_REPLACE,
    PREPARED_REPLACE_NO_LOCK,
};

/* A condition of JetSetCursorFilter. */
struct cursor_filter {
    JET_COLUMNID column;
    uint32_t relation; /* JET_RELOP */
    bool null;
    uint32_t size;
    uint8_t *value; /* NULL if empty */
};

struct saved_bookmark {
    uint8_t bytes[KEY_BUFFER_SIZE];
    uint32_t size;
};

/* Calls the program's function for a cursor; what it answers as an error ends the change. */
struct table_cursor;
typedef JET_ERR call_back_function(struct table_cursor *cursor, const struct row_callback *callback,
                                   JET_CBTYP type);

struct table_cursor {
    struct table_cursor *next_of_table; /* in the definition's list */
    struct transaction *transaction;
    struct database *database;
    struct table_definition *table;
    struct versioned_cursor *primary;
    struct index_definition *index;       /* current secondary index, or NULL */
    struct versioned_cursor *secondary;   /* its tree, or NULL */
    struct versioned_cursor *long_values; /* opened on demand */
    struct tree_registry *trees;
    const struct table_parameters *parameters;
    JET_GRBIT grbit; /* of JetOpenTable */
    bool updatable;
    bool exclusive;   /* counted in the definition's deny count */
    bool in_callback; /* a function of the program is told of a change of its row */
    call_back_function *call_back;
    bool permits_ddl; /* changes the schema of a table whose schema is fixed */
    bool is_temporary;
    bool temporary_inserting; /* a temporary table before its first move */
    uint8_t open_level;       /* transaction level when it was opened: a rollback below closes it */
    uint8_t primary_level;    /* of the last move in the tree: a rollback takes the place away */
    uint8_t secondary_level;
    uint8_t prepared_level; /* the same for the prepared update */
    struct local_storage local_storage;
    bool beside; /* not on a row, but where the last seek would have found one: at this key */
    struct saved_bookmark beside_key;
    /* At the first row, whichever that is when the place is first needed: of the primary tree (the row) and
     * of the current index. Calls that need only the index' place settle only that. */
    bool deferred_first;
    bool deferred_secondary;

    /* The key of JetMakeKey. */
    uint8_t *key; /* KEY_BUFFER_SIZE + 1 bytes, or NULL */
    uint32_t key_size;
    uint32_t key_columns;
    bool key_prepared;
    bool key_limited; /* a limit ended it */
    bool key_full;    /* no room for more */

    /* The range of JetSetIndexRange. */
    bool range_set;
    bool range_upper;
    bool range_inclusive; /* its key is the made key, which a later JetMakeKey overwrites */

    /* The prepared update. */
    enum prepared_update prepared;
    struct record work;
    uint8_t columns_set[32]; /* bit per fixed and variable column id; bit 0: any tagged one */
    uint32_t set_count;
    uint64_t original_hash; /* ReplaceNoLock: of the record when prepared */
    bool original_hash_known;
    struct pending_value *pending; /* long values set by this update, newest first */
    uint32_t pending_last;

    struct cursor_filter *filters;
    uint32_t filter_count;

    void *owner; /* session, for the API layer; used to know cursors apart */
    JET_TABLEID handle;
};

/* Opens a cursor on a definition, taking over the caller's reference to it (also on failure). */
JET_ERR table_cursor_open(struct transaction *transaction, struct table_definition *table, JET_GRBIT grbit,
                          struct table_cursor **out);
void table_cursor_close(struct table_cursor *cursor);
/* A second cursor on the same table: primary index, first row. */
JET_ERR table_cursor_duplicate(struct table_cursor *from, struct table_cursor **out);

/* JetOpenTable: looks the table up by name; takes and checks the deny bits. */
JET_ERR table_open(struct transaction *transaction, struct database *database, const char *name,
                   JET_GRBIT grbit, struct table_cursor **out);

/* -- Finding columns and indexes as the cursor's transaction sees them. -- */
JET_ERR table_find_column(struct table_cursor *cursor, JET_COLUMNID id, struct column_definition **out);
JET_ERR table_find_column_by_name(struct table_cursor *cursor, const char *name,
                                  struct column_definition **out);
/* NULL or empty name: the primary index (*out NULL if the table has none). JET_errIndexNotFound. */
JET_ERR table_find_index(struct table_cursor *cursor, const char *name, struct index_definition **out);
/* Next column or index that the transaction sees; *out NULL at the end. */
JET_ERR table_next_column(struct table_cursor *cursor, uint32_t *position, struct column_definition **out);

/* Checks of a name: length, characters; writes it without trailing blanks... JET_errInvalidName. */
JET_ERR table_check_name(const char *name, char *out);

/* -- Currency. -- */
/* The tree that moves go by. */
static inline struct versioned_cursor *table_active(const struct table_cursor *cursor)
{
    return cursor->secondary != NULL ? cursor->secondary : cursor->primary;
}
/* Puts the cursor at the first row, to be looked for when it is needed. */
void table_defer_first(struct table_cursor *cursor);
/* Looks for it if that was put off: JET_errNoCurrentRecord in an empty table, which leaves it put off. */
JET_ERR table_settle(struct table_cursor *cursor);
/* The same for calls that need only the place in the current index. */
JET_ERR table_settle_active(struct table_cursor *cursor);
/* Takes the primary place along after the secondary one has moved. */
JET_ERR table_follow(struct table_cursor *cursor);
/* JET_errPermissionDenied / JET_errTransReadOnly / JET_errTableReadOnly... for a change. */
JET_ERR table_check_updatable(struct table_cursor *cursor);
/* Puts both places before the first or behind the last row. */
void table_before_first(struct table_cursor *cursor);
void table_after_last(struct table_cursor *cursor);
/* Notes that the active tree's place was chosen at the present level. */
void table_note_level(struct table_cursor *cursor);
/* Transactions down to `level` have ended: cursors keep what they have as of the level above (commit), or
 * lose places that were chosen in them (rollback). */
void table_commit_level(struct table_cursor *cursor, unsigned level);
void table_roll_back_level(struct table_cursor *cursor, unsigned level);

#endif
