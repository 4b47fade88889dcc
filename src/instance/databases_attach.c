/* Creating, attaching and detaching databases (engine source: `db.cxx`). */
#include "src/btree/space.h"
#include "src/catalog/catalog.h"
#include "src/instance/backup_gate.h"
#include "src/instance/databases.h"
#include "src/instance/directories.h"
#include "src/os/clock.h"
#include "src/os/file.h"
#include "src/os/host.h"
#include "src/os/random.h"
#include "src/os/text.h"
#include "src/version/version.h"

/* Sizes in pages: what the engine's own tables need, and the whole file of a database at the usual extension
 * size. */
#define BASE_PAGES 30u
#define BASE_PAGES_SMALL 62u /* pages of 2 KiB */
#define DATABASE_PAGES_USUAL 256u
#define HEADER_PAGES 2u
/* How much a file may have lost and still be filled up: beyond that it is no database's size. */
#define LOST_PAGES_MOST 0x10000u
/* Where the clock of a new database starts. */
#define CLOCK_START 64u

uint32_t databases_initial_pages(const struct instance *instance)
{
    uint32_t base = instance->page_size < 4096 ? BASE_PAGES_SMALL : BASE_PAGES;
    uint32_t most = DATABASE_PAGES_USUAL - HEADER_PAGES - base;
    uint64_t extension = instance_parameter(instance, JET_paramDbExtensionSize);
    return base + (extension < most ? (uint32_t)extension : most);
}

static struct signature new_signature(void)
{
    struct signature signature;
    memset(&signature, 0, sizeof(signature));
    signature.random = os_random_32();
    signature.created = os_clock_log_time();
    os_host_computer_name(signature.computer_name);
    return signature;
}

static JET_ERR full_path(struct session *session, const char *path, bool create_directories, char *full)
{
    JET_ERR err = JET_errSuccess;
    if (path == NULL || path[0] == '\0')
        FAIL(JET_errDatabaseInvalidPath);
    err = os_path_full(path, full, OS_PATH_SIZE);
    if (err == JET_errInvalidPath)
        err = JET_errDatabaseInvalidPath;
    TRY(err);
    if (create_directories &&
        parameter_is_on(&session->instance->parameters, JET_paramCreatePathIfNotExist)) {
        char directory[OS_PATH_SIZE];
        SOUND(os_path_directory(full, directory, sizeof(directory))); /* is shorter */
        TRY(directories_create(directory));
    }
done:
    return err;
}

/* --- create --- */

/* The file that stands where the new one shall be: refused, or deleted if it may be replaced. */
static JET_ERR clear_place(const char *path, JET_GRBIT grbit)
{
    struct os_file_info info;
    JET_ERR err = os_file_info(path, &info);
    if (err == JET_errFileNotFound)
        return JET_errSuccess;
    /* The published engine notices a missing directory only when the creation is in its log. */
    if (err == JET_errInvalidPath && os_host_is_published())
        return JET_errSuccess;
    if (err < JET_errSuccess)
        return err;
    if ((grbit & JET_bitDbOverwriteExisting) == 0 || info.is_directory)
        return JET_errDatabaseDuplicate;
    return os_file_delete(path);
}

/* The root of the database's space, in a transaction of its own if it is logged: redo takes no change outside
 * one. */
static JET_ERR create_root(struct session *session, struct database *database, uint32_t pages)
{
    JET_ERR err = JET_errSuccess;
    struct transaction *transaction = &session->transaction;
    bool began = false;
    if (database->logged) {
        TRY(transaction_begin(transaction, false));
        began = true;
        TRY(transaction_prepare_change(transaction, database));
    }
    TRY(space_create_database(session->instance->trees, database, &transaction->actor, pages));
    if (began)
        TRY(transaction_commit(transaction, true));
    began = false;
done:
    if (began)
        (void)transaction_rollback(transaction);
    return err;
}

/* Everything from the log record to the finished catalog. `*logged` tells whether the log knows of the
 * database. */
static JET_ERR build_database(struct session *session, struct database *database, JET_GRBIT grbit,
                              bool *logged)
{
    JET_ERR err = JET_errSuccess;
    struct instance *instance = session->instance;
    struct database_header header;
    struct signature signature = new_signature();
    uint32_t pages = databases_initial_pages(instance);

    database_header_init(&header, instance->page_size, &signature);
    header.dbtime = CLOCK_START;
    atomic_store(&database->dbtime, CLOCK_START);
    if ((grbit & JET_bitDbShadowingOff) != 0)
        header.flags |= 1u;
    if (database->logged) {
        TRY(database_log_create(&instance->logged_databases, database, &header, grbit, session->process));
        *logged = true;
    }
    TRY(database_create_file(database, &header, pages, true));
    TRY(create_root(session, database, pages));
    TRY(catalog_create(&session->transaction, database,
                       parameters_format_reaches(&instance->parameters, FORMAT_VERSION_VALUE_KINDS)));
    if (database->logged) {
        TRY(database_log_version(&instance->logged_databases, database));
        TRY(database_log_create_finish(&instance->logged_databases, database, session->process));
    } else {
        TRY(databases_write_state(database, DATABASE_DIRTY_SHUTDOWN));
    }
done:
    return err;
}

JET_ERR databases_create(struct session *session, const char *path, const struct database_options *options,
                         JET_DBID *id)
{
    JET_ERR err = JET_errSuccess;
    struct instance *instance = session->instance;
    struct instance_database *slot = NULL;
    char full[OS_PATH_SIZE];
    bool file_made = false;
    bool logged = false;

    if (transaction_level(&session->transaction) > 0)
        return JET_errInTransaction;
    if ((options->grbit & JET_bitDbVersioningOff) != 0 && (options->grbit & JET_bitDbRecoveryOff) == 0)
        return JET_errCannotDisableVersioning;
    TRY(full_path(session, path, true, full));
    bool log_it = instance->recovery_on && (options->grbit & JET_bitDbRecoveryOff) == 0;
    err = databases_reserve(instance, full, false, log_it, &slot);
    if (err == JET_wrnDatabaseAttached)
        return JET_errDatabaseDuplicate;
    TRY(err);
    slot->database->pages_max = options->pages_most;
    slot->database->attach_grbit = options->grbit;
    slot->database->versioned = (options->grbit & JET_bitDbRecoveryOff) == 0;
    atomic_store(&slot->database->use, DATABASE_CREATING);
    TRY(clear_place(full, options->grbit));
    file_made = true;
    TRY(build_database(session, slot->database, options->grbit, &logged));
    *id = databases_open_slot(session, slot);
    databases_publish(instance, slot);
    return JET_errSuccess;
done:
    if (slot != NULL) {
        if (logged) {
            /* The log has the creation, which cannot be taken back: recovery must sort it out. */
            instance_set_unavailable(instance, err);
            database_set_remove(&instance->logged_databases, slot->database);
        }
        databases_release(instance, slot);
        if (file_made)
            (void)os_file_delete(full);
    }
    return err;
}

/* --- attach --- */

/* A header read from a file must be of a clean database that fits this process. */
static JET_ERR check_header(const struct instance *instance, const struct database_header *header)
{
    if (header->page_size != instance->page_size)
        return JET_errPageSizeMismatch;
    switch (header->state) {
    case DATABASE_CLEAN_SHUTDOWN:
        return JET_errSuccess;
    case DATABASE_BEING_CONVERTED:
        return JET_errDatabaseIncompleteUpgrade;
    default:
        return header->full_current.generation_low != 0 ? JET_errSoftRecoveryOnBackupDatabase
                                                        : JET_errDatabaseDirtyShutdown;
    }
}

/* A file that was cut off gets its size back. The published engine's flush map knows that something had been
 * written where zeros are read now. */
static JET_ERR fill_up(struct session *session, struct database *database, bool read_only)
{
    JET_ERR err = JET_errSuccess;
    page_number last = 0;
    const page_number now = os_atomic_load(&database->page_last);
    if (now == 0)
        FAIL(JET_errDatabaseCorrupted); /* nothing but a header */
    TRY(space_last_page(session->instance->trees, database, &last));
    if (read_only || last <= now)
        goto done;
    if (last - now > LOST_PAGES_MOST)
        FAIL(JET_errDatabaseCorrupted);
    TRY(database_extend(database, last));
    os_atomic_store(&database->lost_from, now + 1);
done:
    return err;
}

static JET_ERR read_root(struct database *database, page_number root)
{
    struct latch latch;
    const JET_ERR err = cache_latch(database, root, LATCH_SHARED, 0, &latch);
    if (err >= JET_errSuccess)
        cache_unlatch(&latch);
    return err;
}

/* A database whose space or catalog cannot be read is of no use: the pages that the engine reads here. */
static JET_ERR read_system_tables(struct session *session, struct database *database, bool read_only)
{
    static const char *const names[] = {CATALOG_OBJIDS_NAME, CATALOG_LOCALES_NAME};
    JET_ERR err = JET_errSuccess;
    TRY(fill_up(session, database, read_only));
    TRY(read_root(database, CATALOG_ROOT));
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        object_id id = 0;
        page_number root = 0;
        err = catalog_seek_table(&session->transaction, database, names[i], &id, &root);
        if (err == JET_errObjectNotFound)
            continue; /* older formats have none */
        TRY(err);
        TRY(read_root(database, root));
    }
    err = JET_errSuccess;
done:
    return err;
}

/* The errors of opening a file that is no database, as an attach tells them. */
static JET_ERR open_file(const struct instance *instance, struct database *database, bool read_only)
{
    const JET_ERR err = database_open_file(database, read_only);
    if (err == JET_errReadVerifyFailure)
        return JET_errDatabaseCorrupted;
    if (err != JET_errFileInvalidType)
        return err;
    /* What would be the version means something else there. */
    const JET_ERR other = database_header_error_of_other_file(instance->page_size);
    return other == JET_errDatabaseCorrupted ? JET_errInvalidDatabaseVersion : other;
}

static JET_ERR open_database(struct session *session, struct database *database, bool read_only)
{
    JET_ERR err = JET_errSuccess;
    struct instance *instance = session->instance;
    TRY(open_file(instance, database, read_only));
    TRY(check_header(instance, &database->header));
    TRY(read_system_tables(session, database, read_only));
    if (read_only)
        goto done;
    if (!database->logged) {
        const struct signature signature = new_signature();
        err = database_attach_unlogged(database, &signature);
        goto done;
    }
    err = database_log_attach(&instance->logged_databases, database, session->process);
    if (err >= JET_errSuccess)
        err = database_log_version(&instance->logged_databases, database);
    if (err < JET_errSuccess && database->header.state != DATABASE_CLEAN_SHUTDOWN) {
        /* The log has the attachment, the file may or may not: recovery must sort it out. */
        instance_set_unavailable(instance, err);
    }
done:
    return err;
}

JET_ERR databases_attach(struct session *session, const char *path, const struct database_options *options)
{
    JET_ERR err = JET_errSuccess;
    struct instance *instance = session->instance;
    struct instance_database *slot = NULL;
    struct os_file_info info;
    char full[OS_PATH_SIZE];
    bool read_only = (options->grbit & JET_bitDbReadOnly) != 0;
    bool gate = false;

    if (transaction_level(&session->transaction) > 0)
        return JET_errInTransaction;
    if ((options->grbit & JET_bitDbVersioningOff) != 0)
        return JET_errCannotDisableVersioning;
    if (path == NULL || path[0] == '\0')
        return JET_errDatabaseInvalidPath;
    if ((options->grbit & JET_bitDbDeleteUnicodeIndexes) != 0 && read_only)
        return JET_errInvalidGrbit;
    TRY(full_path(session, path, false, full));
    err = os_file_info(full, &info);
    if (err == JET_errInvalidPath)
        err = JET_errFileNotFound;
    TRY(err);
    if (info.is_directory)
        FAIL(JET_errFileAccessDenied);
    if (info.read_only && !read_only)
        FAIL(JET_errDatabaseFileReadOnly);
    TRY(backup_gate_enter(instance));
    gate = true;
    bool log_it = instance->recovery_on && !read_only && (options->grbit & JET_bitDbRecoveryOff) == 0;
    err = databases_reserve(instance, full, false, log_it, &slot);
    if (err == JET_wrnDatabaseAttached) {
        slot = NULL;
        goto done;
    }
    TRY(err);
    slot->database->pages_max = options->pages_most;
    slot->database->attach_grbit = options->grbit;
    slot->database->read_only = read_only;
    slot->database->versioned = !read_only;
    atomic_store(&slot->database->use, DATABASE_ATTACHING);
    TRY(open_database(session, slot->database, read_only));
    databases_publish(instance, slot);
    slot = NULL;
done:
    if (slot != NULL) {
        database_set_remove(&instance->logged_databases, slot->database);
        databases_release(instance, slot);
    }
    if (gate)
        backup_gate_leave(instance);
    return err;
}

/* --- detach --- */

/* Takes the slot of a database that nobody has open. */
static JET_ERR take_for_detach(struct instance *instance, const char *full, struct instance_database **out)
{
    JET_ERR err = JET_errSuccess;
    os_mutex_lock(&instance->database_lock);
    struct instance_database *slot = databases_find_locked(instance, full);
    if (slot == NULL || slot == &instance->databases[0] || !slot->ready)
        FAIL(JET_errDatabaseNotFound);
    if (slot->busy || slot->opens > 0)
        FAIL(JET_errDatabaseInUse);
    slot->busy = true;
    *out = slot;
done:
    os_mutex_unlock(&instance->database_lock);
    return err;
}

JET_ERR databases_shut(struct instance *instance, struct instance_database *slot, uint16_t process)
{
    JET_ERR err = JET_errSuccess;
    struct database *database = slot->database;
    atomic_store(&database->use, DATABASE_DETACHING);
    if (version_store_clean(instance->versions, database) == JET_wrnRemainingVersions)
        FAIL(JET_errDatabaseInUse);
    catalog_unload(database);
    if (database->read_only)
        goto done;
    TRY(cache_flush_database(database));
    if (database->logged) {
        err = database_log_detach(&instance->logged_databases, database, process);
        if (err < JET_errSuccess)
            instance_set_unavailable(instance, err);
    } else {
        err = databases_write_state(database, DATABASE_CLEAN_SHUTDOWN);
    }
done:
    return err;
}

static JET_ERR check_attached(struct instance *instance, const char *full)
{
    os_mutex_lock(&instance->database_lock);
    const struct instance_database *slot = databases_find_locked(instance, full);
    const bool found = slot != NULL && slot != &instance->databases[0] && slot->ready;
    os_mutex_unlock(&instance->database_lock);
    return found ? JET_errSuccess : JET_errDatabaseNotFound;
}

static JET_ERR detach_one(struct session *session, const char *full)
{
    JET_ERR err = JET_errSuccess;
    struct instance *instance = session->instance;
    struct instance_database *slot = NULL;
    bool gate = false;

    /* An unknown name is told before a backup is. */
    TRY(check_attached(instance, full));
    TRY(backup_gate_enter(instance));
    gate = true;
    TRY(take_for_detach(instance, full, &slot));
    TRY(databases_shut(instance, slot, session->process));
    databases_release(instance, slot);
    slot = NULL;
done:
    if (slot != NULL) {
        atomic_store(&slot->database->use, DATABASE_ATTACHED);
        os_mutex_lock(&instance->database_lock);
        slot->busy = false;
        os_mutex_unlock(&instance->database_lock);
    }
    if (gate)
        backup_gate_leave(instance);
    return err;
}

JET_ERR databases_detach(struct session *session, const char *path, JET_GRBIT grbit)
{
    JET_ERR err = JET_errSuccess;
    struct instance *instance = session->instance;
    char full[OS_PATH_SIZE];
    (void)grbit;

    if (transaction_level(&session->transaction) > 0)
        FAIL(JET_errInTransaction);
    if (path != NULL && path[0] != '\0') {
        TRY(os_path_full(path, full, sizeof(full)));
        TRY(detach_one(session, full));
        goto done;
    }
    for (uint32_t i = 1; i < INSTANCE_DATABASES; i++) {
        os_mutex_lock(&instance->database_lock);
        const struct database *database = instance->databases[i].database;
        bool attached = database != NULL && instance->databases[i].ready;
        JET_ERR copied = attached ? os_text_copy(database->path, full, sizeof(full)) : JET_errSuccess;
        os_mutex_unlock(&instance->database_lock);
        TRY(copied);
        if (attached)
            TRY(detach_one(session, full));
    }
done:
    return err;
}

/* --- the temporary database --- */

JET_ERR databases_temporary(struct session *session, struct database **database)
{
    JET_ERR err = JET_errSuccess;
    struct instance *instance = session->instance;
    struct instance_database *slot = &instance->databases[0];
    struct database_header header;
    struct signature signature = new_signature();
    *database = NULL;

    os_mutex_lock(&instance->database_lock);
    while (slot->database != NULL && slot->busy) {
        /* Another session is making it. */
        os_mutex_unlock(&instance->database_lock);
        os_sleep(1);
        os_mutex_lock(&instance->database_lock);
    }
    if (slot->database != NULL)
        *database = slot->database;
    os_mutex_unlock(&instance->database_lock);
    if (*database != NULL)
        return JET_errSuccess;

    err = databases_reserve(instance, instance->temporary_path, true, false, &slot);
    if (err == JET_wrnDatabaseAttached && slot != &instance->databases[0])
        return JET_errDatabaseDuplicate; /* the program has a database there */
    if (err == JET_wrnDatabaseAttached)
        return databases_temporary(session, database);
    TRY(err);
    atomic_store(&slot->database->use, DATABASE_CREATING);
    atomic_store(&slot->database->dbtime, CLOCK_START);
    uint32_t pages = databases_initial_pages(instance);
    database_header_init(&header, instance->page_size, &signature);
    header.dbtime = CLOCK_START;
    TRY(database_create_file(slot->database, &header, pages, true));
    TRY(create_root(session, slot->database, pages));
    *database = slot->database;
    databases_publish(instance, slot);
    return JET_errSuccess;
done:
    if (slot != NULL && slot->database != NULL) {
        databases_release(instance, slot);
        (void)os_file_delete(instance->temporary_path);
    }
    return err;
}
