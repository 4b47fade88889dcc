/* The logged databases of an instance, and what their headers say about the log: shared by recovery and the
 * running engine.
 *
 * The set holds databases from the record of their creation or attachment until that of their detachment. It
 * answers the log's questions (struct log_callbacks): which databases are attached, from where redo must
 * start, and it keeps the generations that recovery would need in the databases' headers.
 *
 * The calls of a database's life below append the record, make it durable, and then bring the header on disk
 * to the new state, so that header and log agree whenever a crash comes.
 *
 * Locks: the set's lock has rank OS_RANK_DATABASE_HEADER, before any database's header_lock. Nobody may
 * append to the log while holding a header_lock: the append may start a new generation, which takes all of
 * them. Engine sources: `log.cxx` (ErrLGUpdateGenRequired, LGLoadAttachmentsFromFMP), `db.cxx`, `io.cxx`. */
#ifndef OPENESENT_RECOVERY_DATABASE_SET_H
#define OPENESENT_RECOVERY_DATABASE_SET_H

#include "src/cache/cache.h"
#include "src/cache/database.h"
#include "src/log/log.h"
#include "src/version/version.h"

struct database_set_entry {
    struct database *database; /* NULL: free */
    char *logged_path; /* path that log and checkpoint name, if it is another than the database's; owned */
    struct log_position attach;     /* position of the record that made it known */
    struct log_position consistent; /* as that record has it */
    struct log_position detach;     /* of the detach record, null before */
    int32_t held_generation;        /* the checkpoint does not pass its start */
    bool headers_allowed;           /* the header may be written (attach is complete) */
};

struct database_set {
    struct os_mutex lock;
    struct log *log;
    struct cache *cache;
    struct version_store *versions; /* may be NULL */
    uint32_t changing;              /* attaches and detaches in progress: the checkpoint stands still */
    bool redoing;                   /* recovery redoes: the checkpoint stays */
    struct log_position init;       /* of the last init record */
    struct database_set_entry entries[DATABASE_ID_MAX + 1]; /* by log id */
};

void database_set_init(struct database_set *set, struct log *log, struct cache *cache,
                       struct version_store *versions);
/* Frees texts; the databases are not touched. */
void database_set_done(struct database_set *set);
/* Recovery begins or ends to redo. */
void database_set_redoing(struct database_set *set, bool redoing);

/* The log's callbacks over this set. */
void database_set_log_callbacks(struct database_set *set, struct log_callbacks *callbacks);

/* The checkpoint stays at the start of the generation in which a database was created or attached, as with
 * the engine's flush maps: a file that is lost can be made anew from the log. When the checkpoint gets too
 * deep, this lets it go up to the start of a later generation. */
void database_set_let_checkpoint_pass(struct database_set *set, int32_t generation);

/* The database with a log id, NULL if there is none. */
struct database *database_set_get(struct database_set *set, uint32_t id);

/* Adds a database under its id (which must be free). `attach` is the position of its record. */
void database_set_add(struct database_set *set, struct database *database, struct log_position attach,
                      struct log_position consistent);
/* Takes it out, if it is in: nothing of it is in the log any more. */
void database_set_remove(struct database_set *set, struct database *database);

/* --- the life of a logged database --- */

/* Creation: appends the create record for the header given (database_header_init has filled it) and enters
 * the log's data into the header: the caller then creates the file with it. `process` is the session's
 * number. Adds the database to the set. On error nothing was added. */
JET_ERR database_log_create(struct database_set *set, struct database *database,
                            struct database_header *header, uint32_t grbit, uint16_t process);
/* The creation is complete: appends the finish record, the state becomes "dirty", the header is written. */
JET_ERR database_log_create_finish(struct database_set *set, struct database *database, uint16_t process);
/* Attach: the file is open and its header (clean) read; appends the attach record, the state becomes "dirty",
 * the header is written, the database is added to the set: whoever gives up after a failure removes it. */
JET_ERR database_log_attach(struct database_set *set, struct database *database, uint16_t process);
/* What follows a creation or an attachment where the log's version has it: a record of the database's
 * version. A log of an older version than the settings ask for ends first. */
JET_ERR database_log_version(struct database_set *set, struct database *database);
/* Detach: all pages are written and purged; appends the detach record, the state becomes "clean", the header
 * is written, the database is taken out of the set. The caller closes the file. If the record is in the log
 * but the header could not be written, the error means that the instance cannot go on. */
JET_ERR database_log_detach(struct database_set *set, struct database *database, uint16_t process);

/* Header changes alone, as the calls above leave it. header_lock held: the state after an attach at
 * `position` of the log with that signature, whose current file was created at `created`. */
void database_header_after_attach(const struct signature *log_signature, const struct log_time *created,
                                  struct log_position position, bool recovering, bool keep_backup_info,
                                  struct database *database);
/* A database that is attached without a log: what its header says of backups is void, and with the new
 * signature no log fits it any more. Written as dirty. */
JET_ERR database_attach_unlogged(struct database *database, const struct signature *signature);
/* Marks the database clean as of `position` and writes the header. The end of a recovery drops what the
 * header says of the backup that the file comes from, that of a restore all it says of backups. */
enum header_clean_reason { HEADER_CLEAN_RUNNING, HEADER_CLEAN_RECOVERY, HEADER_CLEAN_HARD_RECOVERY };
JET_ERR database_header_clean(struct database *database, struct log_position position,
                              enum header_clean_reason reason);

/* What a finished backup leaves in a header (header_lock held), at its end and in redo; false if the header
 * tells of a later one of this scope (enum log_backup_scope). */
bool database_header_note_backup(struct database_header *header, uint8_t scope, uint32_t type,
                                 const struct backup_info *details);

#endif
