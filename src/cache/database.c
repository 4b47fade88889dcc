#include "src/cache/database.h"

#include "src/cache/cache_internal.h"
#include "src/os/clock.h"
#include "src/os/memory.h"

/* The most pages the format's page numbers and the engine allow. */
#define PAGE_LAST_MAX 0x7ffffffeu

JET_ERR database_allocate(struct cache *cache, struct log *log, uint32_t id, const char *path,
                          struct database **result)
{
    struct database *database = os_allocate_zeroed(sizeof *database);
    char *copy = os_duplicate_text(path);
    if (database == NULL || copy == NULL) {
        os_free(database);
        os_free(copy);
        return JET_errOutOfMemory;
    }
    database->cache = cache;
    database->log = log;
    database->id = id;
    database->path = copy;
    database->logged = log != NULL;
    database->versioned = true;
    database->temporary = id == DATABASE_ID_TEMPORARY;
    os_mutex_init(&database->header_lock, OS_RANK_DATABASE_HEADER);
    os_mutex_init(&database->size_lock, OS_RANK_DATABASE_SIZE);
    os_mutex_lock(&cache->write_lock);
    database->in_cache.next = cache->databases;
    cache->databases = database;
    os_mutex_unlock(&cache->write_lock);
    *result = database;
    return JET_errSuccess;
}

/* Takes it off the cache's list, when no background writer uses it any more. */
static void leave_cache(struct database *database)
{
    struct cache *cache = database->cache;
    os_mutex_lock(&cache->write_lock);
    while (database->in_cache.users > 0)
        os_condition_wait(&cache->write_done, &cache->write_lock, OS_WAIT_FOREVER);
    struct database **link = &cache->databases;
    while (*link != database)
        link = &(*link)->in_cache.next;
    *link = database->in_cache.next;
    os_mutex_unlock(&cache->write_lock);
}

void database_free(struct database *database)
{
    if (database == NULL)
        return;
    cache_purge_database(database);
    database_close_file(database);
    leave_cache(database);
    os_mutex_destroy(&database->size_lock);
    os_mutex_destroy(&database->header_lock);
    os_free(database->path);
    os_free(database);
}

static void set_from_header(struct database *database, uint64_t file_size)
{
    const uint32_t page_size = database->header.page_size;
    database->page_size = page_size;
    const uint64_t pages = file_size / page_size;
    atomic_store(&database->page_last, pages < 2 ? 0 : (uint32_t)(pages - 2));
    atomic_store(&database->lost_from, 0);
    atomic_store(&database->dbtime, database->header.dbtime);
    atomic_store(&database->object_id_last, database->header.object_id_last);
}

JET_ERR database_create_file(struct database *database, const struct database_header *header,
                             page_number pages, bool overwrite)
{
    JET_ERR err = JET_errSuccess;
    bool created = false;
    const uint64_t size = page_file_offset(pages + 1, header->page_size);
    ASSERT(database->file == NULL);
    err = os_file_open(database->path, overwrite ? OS_CREATE_ALWAYS : OS_CREATE_NEW, OS_SHARE_NONE,
                       &database->file);
    if (err == JET_errFileAlreadyExists)
        err = JET_errDatabaseDuplicate;
    TRY(err);
    created = true;
    TRY(os_file_set_size(database->file, size));
    os_mutex_lock(&database->header_lock);
    database->header = *header;
    database->header.extend_count = 1; /* the first size counts */
    database->header.extend_time = os_clock_log_time();
    err = database_header_write(database->file, &database->header);
    os_mutex_unlock(&database->header_lock);
    TRY(err);
    set_from_header(database, size);
done:
    if (err < JET_errSuccess && created) {
        database_close_file(database);
        os_file_delete(database->path);
    }
    return err;
}

JET_ERR database_open_file(struct database *database, bool read_only)
{
    JET_ERR err = JET_errSuccess;
    uint64_t size;
    bool damaged = false;
    ASSERT(database->file == NULL);
    TRY(os_file_open(database->path, read_only ? OS_OPEN_READ : OS_OPEN_WRITE,
                     read_only ? OS_SHARE_READ : OS_SHARE_NONE, &database->file));
    TRY(database_header_read(database->file, &database->header, &damaged));
    TRY(os_file_size(database->file, &size));
    database->read_only = read_only;
    set_from_header(database, size);
    if (damaged && !read_only)
        TRY(database_header_mend(database->file, database->header.page_size));
done:
    if (err < JET_errSuccess)
        database_close_file(database);
    return err;
}

void database_close_file(struct database *database)
{
    struct cache *cache = database->cache;
    os_mutex_lock(&cache->write_lock);
    while (database->in_cache.users > 0)
        os_condition_wait(&cache->write_done, &cache->write_lock, OS_WAIT_FOREVER);
    struct os_file *file = database->file;
    database->file = NULL;
    database->in_cache.unsynced = false;
    database->in_cache.unsynced_oldest = LOG_POSITION_MIN;
    os_mutex_unlock(&cache->write_lock);
    os_file_close(file);
}

JET_ERR database_write_header_locked(struct database *database)
{
    ASSERT(os_mutex_is_held(&database->header_lock));
    if (database->read_only)
        return JET_errDatabaseFileReadOnly;
    database->header.dbtime = atomic_load(&database->dbtime);
    database->header.object_id_last = atomic_load(&database->object_id_last);
    return database_header_write(database->file, &database->header);
}

JET_ERR database_write_header(struct database *database)
{
    os_mutex_lock(&database->header_lock);
    const JET_ERR err = database_write_header_locked(database);
    os_mutex_unlock(&database->header_lock);
    return err;
}

JET_ERR database_extend(struct database *database, page_number last)
{
    JET_ERR err = JET_errSuccess;
    os_mutex_lock(&database->size_lock);
    if (last <= atomic_load(&database->page_last))
        goto done;
    if (last > PAGE_LAST_MAX || (database->pages_max != 0 && last > database->pages_max))
        FAIL(JET_errOutOfDatabaseSpace);
    TRY(os_file_set_size(database->file, page_file_offset(last + 1, database->page_size)));
    atomic_store(&database->page_last, last);
    os_mutex_lock(&database->header_lock);
    database->header.extend_count++;
    database->header.extend_time = os_clock_log_time();
    os_mutex_unlock(&database->header_lock);
done:
    os_mutex_unlock(&database->size_lock);
    return err;
}

void database_raise_dbtime(struct database *database, dbtime time)
{
    uint64_t now = atomic_load(&database->dbtime);
    while (now < time && !atomic_compare_exchange_weak(&database->dbtime, &now, time))
        ;
}

void database_raise_object_id(struct database *database, object_id id)
{
    uint32_t now = atomic_load(&database->object_id_last);
    while (now < id && !atomic_compare_exchange_weak(&database->object_id_last, &now, id))
        ;
}
