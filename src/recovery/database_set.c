/* The set of logged databases and the log's callbacks over it. */
#include "src/recovery/database_set.h"

#include "src/os/memory.h"

void database_set_init(struct database_set *set, struct log *log, struct cache *cache,
                       struct version_store *versions)
{
    memset(set, 0, sizeof(*set));
    os_mutex_init(&set->lock, OS_RANK_DATABASE_HEADER);
    set->log = log;
    set->cache = cache;
    set->versions = versions;
}

void database_set_redoing(struct database_set *set, bool redoing)
{
    os_mutex_lock(&set->lock); /* a checkpoint may be looking, on another thread */
    set->redoing = redoing;
    os_mutex_unlock(&set->lock);
}

void database_set_done(struct database_set *set)
{
    for (uint32_t id = 0; id <= DATABASE_ID_MAX; id++)
        os_free(set->entries[id].logged_path);
    memset(set->entries, 0, sizeof(set->entries));
    os_mutex_destroy(&set->lock);
}

struct database *database_set_get(struct database_set *set, uint32_t id)
{
    if (id > DATABASE_ID_MAX)
        return NULL;
    os_mutex_lock(&set->lock);
    struct database *database = set->entries[id].database;
    os_mutex_unlock(&set->lock);
    return database;
}

void database_set_add(struct database_set *set, struct database *database, struct log_position attach,
                      struct log_position consistent)
{
    ASSERT(database->id > 0 && database->id <= DATABASE_ID_MAX);
    os_mutex_lock(&set->lock);
    struct database_set_entry *entry = &set->entries[database->id];
    ASSERT(entry->database == NULL); /* all else is null, too */
    entry->database = database;
    entry->attach = attach;
    entry->consistent = consistent;
    entry->held_generation = attach.generation;
    os_mutex_unlock(&set->lock);
}

void database_set_remove(struct database_set *set, struct database *database)
{
    os_mutex_lock(&set->lock);
    struct database_set_entry *entry = &set->entries[database->id];
    if (entry->database == database) {
        os_free(entry->logged_path);
        memset(entry, 0, sizeof(*entry));
    }
    os_mutex_unlock(&set->lock);
}

void database_set_let_checkpoint_pass(struct database_set *set, int32_t generation)
{
    os_mutex_lock(&set->lock);
    for (uint32_t id = 1; id <= DATABASE_ID_MAX; id++) {
        struct database_set_entry *entry = &set->entries[id];
        if (entry->database != NULL && entry->held_generation < generation)
            entry->held_generation = generation;
    }
    os_mutex_unlock(&set->lock);
}

/* --- callbacks --- */

/* set->lock held. */
static struct log_position least_held(const struct database_set *set)
{
    struct log_position least = LOG_POSITION_MAX;
    for (uint32_t id = 1; id <= DATABASE_ID_MAX; id++) {
        const struct database_set_entry *entry = &set->entries[id];
        struct log_position start = {0, LOG_HEADER_SECTORS, entry->held_generation};
        if (entry->database != NULL && log_position_compare(start, least) < 0)
            least = start;
    }
    return least;
}

static bool attached_at(const struct database_set_entry *entry, struct log_position position)
{
    return entry->database != NULL && !log_position_is_null(entry->attach) &&
           log_position_compare(position, entry->attach) > 0 &&
           (log_position_is_null(entry->detach) || log_position_compare(position, entry->detach) <= 0);
}

static JET_ERR attachments(void *context, struct log_position position, uint8_t list[LOG_ATTACHMENTS_SIZE])
{
    struct database_set *set = context;
    JET_ERR err = JET_errSuccess;
    size_t used = 0;
    os_mutex_lock(&set->lock);
    for (uint32_t id = 1; id <= DATABASE_ID_MAX; id++) {
        const struct database_set_entry *entry = &set->entries[id];
        if (!attached_at(entry, position))
            continue;
        struct database *database = entry->database;
        struct attachment attachment;
        memset(&attachment, 0, sizeof(attachment));
        attachment.database_id = (uint8_t)id;
        attachment.dbtime = atomic_load(&database->dbtime);
        attachment.last_object = atomic_load(&database->object_id_last);
        attachment.maximum_pages = database->pages_max;
        attachment.attach = entry->attach;
        if (log_position_compare(position, entry->consistent) > 0)
            attachment.consistent = entry->consistent;
        /* The signature never changes while the database is in the set: no header lock. */
        attachment.database_signature = database->header.signature;
        const char *path = entry->logged_path != NULL ? entry->logged_path : database->path;
        TRY(attachment_append(list, LOG_ATTACHMENTS_SIZE, &used, &attachment, path));
    }
done:
    os_mutex_unlock(&set->lock);
    return err;
}

static struct log_position oldest_needed(void *context)
{
    struct database_set *set = context;
    os_mutex_lock(&set->lock);
    const bool still = set->changing > 0 || set->redoing;
    struct log_position oldest = least_held(set);
    os_mutex_unlock(&set->lock);
    if (still)
        return LOG_POSITION_MIN;
    struct log_position pages = cache_oldest_modification(set->cache, NULL);
    if (log_position_compare(pages, oldest) < 0)
        oldest = pages;
    if (set->versions != NULL) {
        struct log_position records = version_store_oldest_record(set->versions);
        if (log_position_compare(records, oldest) < 0)
            oldest = records;
    }
    return oldest;
}

static int32_t greater(int32_t a, int32_t b)
{
    return a > b ? a : b;
}

static JET_ERR require_generations(struct database *database, int32_t low, int32_t high,
                                   const struct log_time *created)
{
    JET_ERR err = JET_errSuccess;
    os_mutex_lock(&database->header_lock);
    struct database_header *header = &database->header;
    struct database_header before = *header;
    if (low != 0) {
        header->generation_min_required =
            greater(header->generation_min_required, greater(low, header->attach.generation));
        header->generation_min_consistent =
            greater(header->generation_min_consistent, header->generation_min_required);
    }
    header->generation_max_required = greater(header->generation_max_required, high);
    header->generation_max_committed = greater(header->generation_max_committed, high);
    if (header->generation_max_committed == high && created != NULL)
        header->generation_max_create_time = *created;
    if (memcmp(&before, header, sizeof(before)) != 0)
        err = database_write_header_locked(database);
    if (err < JET_errSuccess)
        *header = before; /* the next try must write again, before the checkpoint moves on */
    os_mutex_unlock(&database->header_lock);
    return err;
}

static JET_ERR generations_required(void *context, int32_t low, int32_t high, const struct log_time *created)
{
    struct database_set *set = context;
    JET_ERR err = JET_errSuccess;
    os_mutex_lock(&set->lock);
    for (uint32_t id = 1; id <= DATABASE_ID_MAX; id++) {
        const struct database_set_entry *entry = &set->entries[id];
        if (entry->database != NULL && entry->headers_allowed && !entry->database->read_only)
            TRY(require_generations(entry->database, low, high, created));
    }
done:
    os_mutex_unlock(&set->lock);
    return err;
}

void database_set_log_callbacks(struct database_set *set, struct log_callbacks *callbacks)
{
    callbacks->context = set;
    callbacks->attachments = attachments;
    callbacks->oldest_needed = oldest_needed;
    callbacks->generations_required = generations_required;
}
