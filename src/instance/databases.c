/* The table of an instance's databases: ids, slots, opening and closing. */
#include "src/instance/databases.h"

#include "src/btree/tree.h"
#include "src/catalog/catalog.h"
#include "src/instance/process.h"
#include "src/log/log_file_header.h"
#include "src/os/memory.h"

/* A JET_DBID: instance number + 1, sequence of the slot's use, slot. Never 0, never the nil value. The
 * sequence goes on through the lives of all instances, so that an id of an earlier life names nothing. */
#define ID_SLOT_MASK 0x7u
#define ID_SEQUENCE_SHIFT 3
#define ID_SEQUENCE_MASK 0x3fffu
#define ID_INSTANCE_SHIFT 17
#define ID_INSTANCE_MASK 0x7ffu

static os_atomic_32 database_sequence;

static JET_DBID slot_id(const struct instance *instance, const struct instance_database *slot)
{
    uint32_t index = (uint32_t)(slot - instance->databases);
    return ((instance->number + 1) & ID_INSTANCE_MASK) << ID_INSTANCE_SHIFT |
           (slot->sequence & ID_SEQUENCE_MASK) << ID_SEQUENCE_SHIFT | index;
}

/* The slot of an id that names a database this instance has now, NULL otherwise. Under the database lock. */
static struct instance_database *find_id_locked(struct instance *instance, JET_DBID id)
{
    uint32_t index = id & ID_SLOT_MASK;
    if (index >= INSTANCE_DATABASES)
        return NULL;
    struct instance_database *slot = &instance->databases[index];
    if (slot->database == NULL || !slot->ready || slot_id(instance, slot) != id)
        return NULL;
    return slot;
}

JET_DBID databases_id(const struct instance *instance, const struct database *database)
{
    for (uint32_t i = 0; i < INSTANCE_DATABASES; i++) {
        if (instance->databases[i].database == database)
            return slot_id(instance, &instance->databases[i]);
    }
    return JET_dbidNil;
}

struct instance_database *databases_find_locked(struct instance *instance, const char *path)
{
    ASSERT(os_mutex_is_held(&instance->database_lock));
    for (uint32_t i = 0; i < INSTANCE_DATABASES; i++) {
        struct instance_database *slot = &instance->databases[i];
        if (slot->database != NULL && strcmp(slot->database->path, path) == 0)
            return slot;
    }
    return NULL;
}

/* --- opens of a session --- */

JET_DBID databases_open_slot(struct session *session, struct instance_database *slot)
{
    struct instance *instance = session->instance;
    uint32_t index = (uint32_t)(slot - instance->databases);
    if (session->open_sequence[index] != slot->sequence) {
        session->open_sequence[index] = slot->sequence;
        session->opened[index] = 0;
    }
    session->opened[index]++;
    slot->opens++;
    return slot_id(instance, slot);
}

static bool session_has_open(const struct session *session, uint32_t index)
{
    return session->opened[index] > 0 &&
           session->open_sequence[index] == session->instance->databases[index].sequence;
}

JET_ERR session_find_database(struct session *session, JET_DBID id, struct database **database)
{
    struct instance *instance = session->instance;
    JET_ERR err = JET_errInvalidDatabaseId;
    *database = NULL;
    os_mutex_lock(&instance->database_lock);
    const struct instance_database *slot = find_id_locked(instance, id);
    if (slot != NULL && session_has_open(session, (uint32_t)(slot - instance->databases))) {
        *database = slot->database;
        err = JET_errSuccess;
    }
    os_mutex_unlock(&instance->database_lock);
    return err;
}

void session_forget_database(struct session *session, uint32_t index)
{
    struct instance *instance = session->instance;
    os_mutex_lock(&instance->database_lock);
    struct instance_database *slot = &instance->databases[index];
    if (slot->database != NULL && session_has_open(session, index)) {
        ASSERT(slot->opens >= session->opened[index]);
        slot->opens -= session->opened[index];
        if (slot->exclusive_owner == session)
            slot->exclusive_owner = NULL;
    }
    session->opened[index] = 0;
    os_mutex_unlock(&instance->database_lock);
}

static bool session_has_any_open(const struct session *session)
{
    for (uint32_t i = 1; i < INSTANCE_DATABASES; i++) {
        if (session_has_open(session, i))
            return true;
    }
    return false;
}

JET_ERR databases_open(struct session *session, const char *path, JET_GRBIT grbit, JET_DBID *id)
{
    JET_ERR err = JET_errSuccess;
    struct instance *instance = session->instance;
    char full[OS_PATH_SIZE];
    bool locked = false;

    if (path == NULL || path[0] == '\0')
        FAIL(JET_errDatabaseInvalidPath);
    TRY(os_path_full(path, full, sizeof(full)));
    os_mutex_lock(&instance->database_lock);
    locked = true;
    struct instance_database *slot = databases_find_locked(instance, full);
    if (slot == NULL || slot == &instance->databases[0])
        FAIL(JET_errDatabaseNotFound);
    if (parameter_is_on(&instance->parameters, JET_paramOneDatabasePerSession) &&
        session_has_any_open(session))
        FAIL(JET_errOneDatabasePerSession);
    if (!slot->ready || slot->busy)
        FAIL(JET_errDatabaseNotFound);
    if (slot->exclusive_owner != NULL && slot->exclusive_owner != session)
        FAIL(JET_errDatabaseLocked);
    if ((grbit & JET_bitDbExclusive) != 0) {
        if (slot->opens > 0)
            FAIL(JET_errDatabaseInUse);
        slot->exclusive_owner = session;
    }
    *id = databases_open_slot(session, slot);
done:
    if (locked)
        os_mutex_unlock(&instance->database_lock);
    return err;
}

void databases_close(struct session *session, JET_DBID id, bool *last)
{
    struct instance *instance = session->instance;
    os_mutex_lock(&instance->database_lock);
    struct instance_database *slot = find_id_locked(instance, id);
    ASSERT(slot != NULL && slot != &instance->databases[0]);
    uint32_t index = (uint32_t)(slot - instance->databases);
    ASSERT(session_has_open(session, index) && slot->opens > 0);
    session->opened[index]--;
    slot->opens--;
    *last = session->opened[index] == 0;
    if (slot->exclusive_owner == session)
        slot->exclusive_owner = NULL;
    os_mutex_unlock(&instance->database_lock);
}

/* --- slots --- */

/* Whether another instance of the process has the file, and not just for reading. Under the process lock. */
struct path_search {
    const struct instance *own;
    const char *path;
    bool found;
};

static void search_instance(struct instance *instance, void *context)
{
    struct path_search *search = context;
    if (instance == search->own)
        return;
    os_mutex_lock(&instance->database_lock);
    if (databases_find_locked(instance, search->path) != NULL)
        search->found = true;
    os_mutex_unlock(&instance->database_lock);
}

/* Whether headers of logs have room for one more path beside the others'. Under the database lock. */
static bool fits_log_headers(const struct instance *instance, const char *path)
{
    size_t size = attachment_size(path);
    for (uint32_t i = 1; i < INSTANCE_DATABASES; i++) {
        const struct database *database = instance->databases[i].database;
        if (database != NULL && database->log != NULL)
            size += attachment_size(database->path);
    }
    return size < LOG_ATTACHMENTS_SIZE;
}

JET_ERR databases_reserve(struct instance *instance, const char *path, bool temporary, bool logged,
                          struct instance_database **out)
{
    JET_ERR err = JET_errSuccess;
    struct database *database = NULL;
    struct path_search search = {instance, path, false};
    struct instance_database *slot = NULL;
    *out = NULL;

    process_lock();
    process_visit_locked(search_instance, &search);
    os_mutex_lock(&instance->database_lock);
    struct instance_database *same = databases_find_locked(instance, path);
    if (same != NULL) {
        *out = same;
        err = JET_wrnDatabaseAttached;
        goto done;
    }
    if (search.found)
        FAIL(JET_errDatabaseSharingViolation);
    for (uint32_t i = temporary ? 0 : 1; i < (temporary ? 1 : INSTANCE_DATABASES); i++) {
        if (instance->databases[i].database == NULL) {
            slot = &instance->databases[i];
            break;
        }
    }
    if (slot == NULL || (logged && !fits_log_headers(instance, path)))
        FAIL(JET_errTooManyAttachedDatabases);
    TRY(database_allocate(instance->cache, logged ? instance->log : NULL,
                          (uint32_t)(slot - instance->databases), path, &database));
    database->instance = instance;
    database->page_size = instance->page_size;
    database->temporary = temporary;
    slot->database = database;
    slot->sequence = os_atomic_add(&database_sequence, 1u);
    slot->opens = 0;
    slot->ready = false;
    slot->busy = true;
    slot->exclusive_owner = NULL;
    *out = slot;
done:
    os_mutex_unlock(&instance->database_lock);
    process_unlock();
    return err;
}

void databases_publish(struct instance *instance, struct instance_database *slot)
{
    atomic_store(&slot->database->use, DATABASE_ATTACHED);
    os_mutex_lock(&instance->database_lock);
    slot->ready = true;
    slot->busy = false;
    os_mutex_unlock(&instance->database_lock);
}

void databases_release(struct instance *instance, struct instance_database *slot)
{
    struct database *database = slot->database;
    /* Entries of changes to the catalog still hold its definitions. */
    version_store_forget(instance->versions, database);
    catalog_unload(database);
    (void)tree_registry_forget(instance->trees, database);
    cache_purge_database(database);
    os_mutex_lock(&instance->database_lock);
    slot->database = NULL;
    slot->ready = false;
    slot->busy = false;
    slot->opens = 0;
    os_mutex_unlock(&instance->database_lock);
    database_free(database);
}

JET_ERR databases_write_state(struct database *database, enum database_state state)
{
    os_mutex_lock(&database->header_lock);
    database_header_set_state(&database->header, state, 0, 0, NULL);
    JET_ERR err = database_write_header_locked(database);
    os_mutex_unlock(&database->header_lock);
    return err;
}
