/* Attachments while redoing: which databases there are, and where they stand. */
#include "src/os/file.h"
#include "src/os/memory.h"
#include "src/os/path.h"
#include "src/os/text.h"
#include "src/recovery/attach_check.h"

/* The log says that a database is attached now. */
static JET_ERR know_database(struct recovery *recovery, uint32_t id, const char *logged_path,
                             bool before_redo, struct recovery_database **known)
{
    JET_ERR err = JET_errSuccess;
    char path[OS_PATH_SIZE];
    bool skip = false;
    if (id == 0 || id > DATABASE_ID_MAX)
        FAIL(JET_errLogCorrupted);
    struct recovery_database *made = &recovery->databases[id];
    if (made->known)
        recovery_drop_database(recovery, id);
    TRY(recovery_map_path(recovery, logged_path, before_redo, path, sizeof(path), &skip));
    for (uint32_t other = 1; other <= DATABASE_ID_MAX; other++) {
        if (recovery->databases[other].known && os_path_equal(recovery->databases[other].path, path))
            FAIL(JET_errDatabaseDuplicate);
    }
    made->path = os_duplicate_text(path);
    made->logged_path = os_duplicate_text(logged_path);
    made->known = true;
    made->skipped = skip;
    *known = made;
    if (made->path == NULL || made->logged_path == NULL) {
        recovery_drop_database(recovery, id);
        FAIL(JET_errOutOfMemory);
    }
done:
    return err;
}

static void forget(struct recovery_database *known)
{
    os_free(known->path);
    os_free(known->logged_path);
    recovery_free_missing_pages(known);
    memset(known, 0, sizeof(*known));
}

void recovery_drop_database(struct recovery *recovery, uint32_t id)
{
    struct recovery_database *known = &recovery->databases[id];
    struct database *database = known->database;
    if (database != NULL) {
        version_store_forget(recovery->set->versions, database);
        (void)tree_registry_forget(recovery->options->trees, database);
        cache_purge_database(database);
        ASSERT(database_set_get(recovery->set, id) == database);
        database_set_remove(recovery->set, database);
        database_free(database);
    }
    forget(known);
}

void recovery_drop_databases(struct recovery *recovery)
{
    for (uint32_t id = 1; id <= DATABASE_ID_MAX; id++)
        recovery_drop_database(recovery, id);
}

static void defer(struct recovery_database *known, enum attach_decision decision)
{
    known->deferred = true;
    known->deferred_future = decision == ATTACH_DEFER_FUTURE;
    known->deferred_access_denied = decision == ATTACH_DEFER_ACCESS_DENIED;
}

static JET_ERR allocate(struct recovery *recovery, struct recovery_database *known, uint32_t id,
                        struct database **database)
{
    JET_ERR err = database_allocate(recovery->set->cache, recovery->log, id, known->path, database);
    if (err >= JET_errSuccess) {
        (*database)->pages_max = known->maximum_pages;
        atomic_store(&(*database)->use, DATABASE_REDOING);
    }
    return err;
}

/* Enters an open database into the set, with the path that the log has for it. */
static JET_ERR enter(struct recovery *recovery, struct recovery_database *known, struct database *database)
{
    char *logged = os_duplicate_text(known->logged_path);
    if (logged == NULL)
        return JET_errOutOfMemory;
    database_set_add(recovery->set, database, known->attach, known->consistent);
    os_mutex_lock(&recovery->set->lock);
    recovery->set->entries[database->id].logged_path = logged;
    recovery->set->entries[database->id].headers_allowed = true;
    os_mutex_unlock(&recovery->set->lock);
    known->database = database;
    return JET_errSuccess;
}

/* Opens a file that takes part in redo from here on. `record`: an attach record says so, which changes the
 * header. */
static JET_ERR open_database(struct recovery *recovery, struct recovery_database *known, uint32_t id,
                             bool record)
{
    JET_ERR err = JET_errSuccess;
    struct database *database = NULL;
    TRY(allocate(recovery, known, id, &database));
    TRY(database_open_file(database, false));
    if (database->page_size != recovery->options->page_size)
        FAIL(JET_errPageSizeMismatch);
    database_raise_dbtime(database, known->time);
    database_raise_object_id(database, known->last_object);
    known->future_generation = database->header.generation_max_required;
    os_mutex_lock(&database->header_lock);
    if (record)
        recovery_header_after_attach(recovery, database);
    else if (database->header.state != DATABASE_DIRTY_SHUTDOWN)
        database_header_set_state(&database->header, DATABASE_DIRTY_SHUTDOWN, recovery->generation,
                                  recovery->generation, &log_file_reader_header(recovery->reader)->created);
    if (recovery->hard) {
        database->header.full_current.generation_low = (uint32_t)recovery->generation_low;
        database->header.full_current.generation_high = (uint32_t)recovery->generation_high;
    }
    err = database_write_header_locked(database);
    os_mutex_unlock(&database->header_lock);
    TRY(err);
    TRY(enter(recovery, known, database));
    return JET_errSuccess;
done:
    database_free(database);
    return err;
}

void recovery_header_after_attach(struct recovery *recovery, struct database *database)
{
    const struct log_file_header *header = log_file_reader_header(recovery->reader);
    database_header_after_attach(&recovery->log_signature, &header->created, recovery->position, true,
                                 recovery->hard, database);
}

/* --- attachments of the checkpoint --- */

static JET_ERR attach_before_redo(struct recovery *recovery, uint32_t id)
{
    JET_ERR err = JET_errSuccess;
    struct database_header header;
    enum attach_decision decision = ATTACH_DEFER;
    struct recovery_database *known = &recovery->databases[id];
    if (known->skipped)
        return JET_errSuccess;
    TRY(attach_check(recovery, known, NULL, &header, &decision));
    if (decision == ATTACH_NOW)
        TRY(open_database(recovery, known, id, false));
    else
        defer(known, decision);
done:
    return err;
}

JET_ERR recovery_load_attachments(struct recovery *recovery, const uint8_t list[LOG_ATTACHMENTS_SIZE])
{
    JET_ERR err = JET_errSuccess;
    size_t offset = 0;
    struct attachment attachment;
    char path[OS_PATH_SIZE];
    while (attachment_next(list, LOG_ATTACHMENTS_SIZE, &offset, &attachment, path, sizeof(path))) {
        struct recovery_database *known = NULL;
        TRY(know_database(recovery, attachment.database_id, path, true, &known));
        known->signature = attachment.database_signature;
        known->attach = attachment.attach;
        known->consistent = attachment.consistent;
        known->time = attachment.dbtime;
        known->last_object = attachment.last_object;
        known->maximum_pages = attachment.maximum_pages;
    }
    for (uint32_t id = 1; id <= DATABASE_ID_MAX; id++) {
        if (recovery->databases[id].known)
            TRY(attach_before_redo(recovery, id));
    }
done:
    return err;
}

/* --- records --- */

static JET_ERR create_file(struct recovery *recovery, struct recovery_database *known, uint32_t id)
{
    JET_ERR err = JET_errSuccess;
    struct database_header header;
    struct database *database = NULL;
    database_header_init(&header, recovery->options->page_size, &known->signature);
    header.log_signature = recovery->log_signature;
    header.attach = known->attach;
    header.database_id = id;
    header.generation_min_required = known->attach.generation;
    header.generation_min_consistent = known->attach.generation;
    header.generation_max_required = recovery->generation;
    header.generation_max_committed = recovery->generation;
    header.generation_max_create_time = log_file_reader_header(recovery->reader)->created;
    if (recovery->hard) {
        header.full_current.generation_low = (uint32_t)recovery->generation_low;
        header.full_current.generation_high = (uint32_t)recovery->generation_high;
    }
    TRY(allocate(recovery, known, id, &database));
    TRY(database_create_file(database, &header, RECOVERY_CREATE_PAGES, true));
    TRY(enter(recovery, known, database));
    return JET_errSuccess;
done:
    database_free(database);
    return err;
}

JET_ERR recovery_redo_create(struct recovery *recovery, const struct log_record_create_database *record,
                             size_t size)
{
    JET_ERR err = JET_errSuccess;
    char logged[OS_PATH_SIZE];
    char directory[OS_PATH_SIZE];
    struct database_header header;
    struct recovery_database *known = NULL;
    bool directory_exists = false;
    enum attach_decision decision = ATTACH_CREATE;
    TRY(log_record_path_text(record, size, logged, sizeof(logged)));
    TRY(know_database(recovery, record->database_id, logged, false, &known));
    known->signature = record->database_signature;
    known->attach = recovery->position;
    known->maximum_pages = record->maximum_pages;
    if (known->skipped)
        goto done;
    err = os_path_directory(known->path, directory, sizeof(directory));
    ASSERT(err >= JET_errSuccess); /* a part of what fits */
    TRY(recovery_path_exists(directory, true, &directory_exists));
    if (!directory_exists)
        decision = ATTACH_DEFER;
    else
        TRY(attach_check_create(recovery, known, (record->grbit & JET_bitDbOverwriteExisting) != 0, &header,
                                &decision));
    if (decision == ATTACH_CREATE) {
        /* Databases made without the version information had their first pages made without records. */
        uint16_t version = 0;
        memcpy(&version, record->data, sizeof(version));
        if ((record->flags & LOG_CREATE_VERSION_INFO) == 0 || version != LOG_CREATE_VERSION)
            FAIL(JET_errInvalidCreateDbVersion);
        TRY(create_file(recovery, known, record->database_id));
        TRY(recovery_control_attached(recovery, known));
    } else if (decision == ATTACH_NOW) {
        TRY(open_database(recovery, known, record->database_id, false));
        TRY(recovery_control_attached(recovery, known));
    } else {
        defer(known, decision);
    }
done:
    return err;
}

JET_ERR recovery_redo_create_finish(struct recovery *recovery,
                                    const struct log_record_create_database_finish *record)
{
    struct database *database =
        record->database_id <= DATABASE_ID_MAX ? recovery->databases[record->database_id].database : NULL;
    if (database == NULL || database->header.state != DATABASE_JUST_CREATED)
        return JET_errSuccess;
    /* The pages first: a header that says "dirty" promises that the file can be redone from its attach on. */
    JET_ERR err = cache_flush_database(database);
    if (err < JET_errSuccess)
        return err;
    os_mutex_lock(&database->header_lock);
    database_header_set_state(&database->header, DATABASE_DIRTY_SHUTDOWN, database->header.attach.generation,
                              recovery->generation, &log_file_reader_header(recovery->reader)->created);
    err = database_write_header_locked(database);
    os_mutex_unlock(&database->header_lock);
    return err;
}

JET_ERR recovery_redo_attach(struct recovery *recovery, const struct log_record_attach_database *record,
                             size_t size)
{
    JET_ERR err = JET_errSuccess;
    char logged[OS_PATH_SIZE];
    struct database_header header;
    struct recovery_database *known = NULL;
    enum attach_decision decision = ATTACH_DEFER;
    TRY(log_record_path_text(record, size, logged, sizeof(logged)));
    TRY(know_database(recovery, record->database_id, logged, false, &known));
    known->signature = record->database_signature;
    known->attach = recovery->position;
    known->maximum_pages = record->maximum_pages;
    if (log_position_compare(record->consistent, recovery->position) < 0)
        known->consistent = record->consistent;
    if (known->skipped)
        goto done;
    TRY(attach_check(recovery, known, record, &header, &decision));
    if (decision == ATTACH_NOW) {
        TRY(open_database(recovery, known, record->database_id, true));
        TRY(recovery_control_attached(recovery, known));
    } else {
        defer(known, decision);
    }
done:
    return err;
}

/* A database whose creation never finished was never promised to anybody: it goes. */
static JET_ERR remove_unfinished(struct recovery *recovery, uint32_t id)
{
    JET_ERR err = JET_errSuccess;
    char path[OS_PATH_SIZE];
    err = os_text_copy(recovery->databases[id].path, path, sizeof(path));
    ASSERT(err >= JET_errSuccess);
    recovery_drop_database(recovery, id);
    TRY(os_file_delete(path));
done:
    return err;
}

static JET_ERR close_clean(struct recovery *recovery, uint32_t id, struct log_position position)
{
    JET_ERR err = JET_errSuccess;
    struct database *database = recovery->databases[id].database;
    if (database->header.state == DATABASE_JUST_CREATED)
        return remove_unfinished(recovery, id);
    TRY(cache_flush_database(database));
    TRY(database_header_clean(database, position,
                              recovery->hard ? HEADER_CLEAN_HARD_RECOVERY : HEADER_CLEAN_RECOVERY));
done:
    recovery_drop_database(recovery, id);
    return err;
}

JET_ERR recovery_redo_detach(struct recovery *recovery, const struct log_record_detach_database *record)
{
    uint32_t id = record->database_id;
    if (id > DATABASE_ID_MAX || !recovery->databases[id].known)
        return JET_errSuccess;
    JET_ERR err = recovery_control_detaching(recovery, &recovery->databases[id]);
    if (err < JET_errSuccess)
        return err;
    if (recovery->databases[id].database != NULL)
        return close_clean(recovery, id, recovery->position);
    recovery_drop_database(recovery, id);
    return JET_errSuccess;
}

JET_ERR recovery_tell_detaching(const struct recovery *recovery)
{
    JET_ERR err = JET_errSuccess;
    for (uint32_t id = 1; id <= DATABASE_ID_MAX; id++)
        TRY(recovery_control_detaching(recovery, &recovery->databases[id]));
done:
    return err;
}

JET_ERR recovery_close_databases(struct recovery *recovery, struct log_position position)
{
    JET_ERR err = JET_errSuccess;
    for (uint32_t id = 1; id <= DATABASE_ID_MAX; id++) {
        if (recovery->databases[id].database != NULL)
            TRY(close_clean(recovery, id, position));
        else
            recovery_drop_database(recovery, id);
    }
done:
    return err;
}

/* --- questions --- */

JET_ERR recovery_raise_generations(struct recovery *recovery)
{
    struct log_callbacks callbacks;
    database_set_log_callbacks(recovery->set, &callbacks);
    return callbacks.generations_required(callbacks.context, 0, recovery->generation,
                                          &log_file_reader_header(recovery->reader)->created);
}

JET_ERR recovery_check_mismatch(const struct recovery *recovery)
{
    bool ignore = recovery->external || (recovery->options->grbit & JET_bitReplayIgnoreMissingDB) != 0;
    for (uint32_t id = 1; id <= DATABASE_ID_MAX; id++) {
        const struct recovery_database *known = &recovery->databases[id];
        if (known->deferred && !ignore && (!recovery->last_is_shutdown || !known->deferred_future))
            return known->deferred_access_denied ? JET_errAccessDenied : JET_errAttachedDatabaseMismatch;
        if (known->skipped)
            return JET_errAttachedDatabaseMismatch;
    }
    return JET_errSuccess;
}

struct database *recovery_target(struct recovery *recovery, uint32_t id, uint64_t time, object_id object)
{
    struct database *database = id <= DATABASE_ID_MAX ? recovery->databases[id].database : NULL;
    if (database == NULL)
        return NULL;
    if (time != UINT64_MAX) /* records that change no page have no time */
        database_raise_dbtime(database, time);
    if (object != 0)
        database_raise_object_id(database, object);
    return log_position_compare(recovery->position, database->header.attach) > 0 ? database : NULL;
}
