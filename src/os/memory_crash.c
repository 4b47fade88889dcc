/* What a crash keeps of the in-memory files: the record of unsynced changes, copies of the whole, and the
 * crash itself. */
#if !defined(_GNU_SOURCE)
#define _GNU_SOURCE 1
#endif

#include "src/os/memory_files.h"

void memory_node_forget_changes(struct memory_node *node)
{
    for (size_t i = 0; i < node->change_count; i++)
        memory_bytes_drop(&node->changes[i].bytes);
    os_host_free(node->changes);
    node->changes = NULL;
    node->change_count = node->change_room = 0;
    node->has_durable = false;
    memory_content_clear(&node->durable);
}

/* Room for the record of a change that is about to be made; it counts once `change_count` says so. */
static JET_ERR record(struct memory_node *node, struct memory_change **change)
{
    JET_ERR err = JET_errSuccess;
    if (!node->has_durable) {
        TRY(memory_content_copy(&node->durable, &node->content));
        node->has_durable = true;
    }
    if (node->change_count == node->change_room) {
        size_t room = node->change_room == 0 ? 8 : node->change_room * 2;
        struct memory_change *grown = os_host_reallocate(node->changes, room * sizeof *grown);
        if (grown == NULL)
            FAIL(JET_errDiskFull);
        node->changes = grown;
        node->change_room = room;
    }
    *change = &node->changes[node->change_count];
    **change = (struct memory_change){0};
done:
    return err;
}

/* With the lock held: blocks of all named files. */
static bool fits(const struct memory_file_system *files, uint64_t more)
{
    if (files->capacity == 0)
        return true;
    uint64_t blocks = 0;
    for (size_t i = 0; i < files->names.count; i++)
        blocks += memory_content_blocks(&files->names.entries[i].node->content);
    return blocks * MEMORY_BLOCK_SIZE + more <= files->capacity;
}

JET_ERR memory_node_write(struct memory_file_system *files, struct memory_node *node, uint64_t offset,
                          const void *buffer, size_t size)
{
    JET_ERR err = JET_errSuccess;
    if (offset + size > node->content.size && !fits(files, offset + size - node->content.size))
        FAIL(JET_errDiskFull);
    if (!files->tracking)
        return memory_content_write(&node->content, offset, buffer, size);
    struct memory_change *change;
    TRY(record(node, &change));
    TRY(memory_bytes_keep(&change->bytes, offset, buffer, size));
    node->change_count++;
    TRY(memory_content_write_kept(&node->content, &change->bytes, 0, size));
done:
    return err;
}

JET_ERR memory_node_set_size(struct memory_file_system *files, struct memory_node *node, uint64_t size)
{
    JET_ERR err = JET_errSuccess;
    if (size > node->content.size && !fits(files, size - node->content.size))
        FAIL(JET_errDiskFull);
    if (files->tracking) {
        struct memory_change *change;
        TRY(record(node, &change));
        change->is_size = true;
        change->new_size = size;
        node->change_count++;
    }
    TRY(memory_content_set_size(&node->content, size));
done:
    return err;
}

JET_ERR memory_node_sync(struct memory_file_system *files, struct memory_node *node)
{
    memory_node_forget_changes(node);
    memory_names_sync(files);
    return JET_errSuccess;
}

JET_ERR memory_names_before_change(struct memory_file_system *files)
{
    JET_ERR err = JET_errSuccess;
    if (!files->tracking)
        goto done;
    if (files->history_count == files->history_room) {
        size_t room = files->history_room == 0 ? 8 : files->history_room * 2;
        struct memory_names *grown = os_host_reallocate(files->history, room * sizeof *grown);
        if (grown == NULL)
            FAIL(JET_errDiskFull);
        files->history = grown;
        files->history_room = room;
    }
    TRY(memory_names_copy(&files->history[files->history_count], &files->names));
    files->history_count++;
done:
    return err;
}

void memory_names_sync(struct memory_file_system *files)
{
    for (size_t i = 0; i < files->history_count; i++)
        memory_names_clear(&files->history[i]);
    os_host_free(files->history);
    files->history = NULL;
    files->history_count = files->history_room = 0;
}

void memory_file_system_track(struct memory_file_system *files, uint32_t sector_size)
{
    pthread_mutex_lock(&files->lock);
    files->tracking = sector_size != 0;
    files->sector_size = sector_size;
    memory_names_sync(files);
    for (size_t i = 0; i < files->names.count; i++)
        memory_node_forget_changes(files->names.entries[i].node);
    pthread_mutex_unlock(&files->lock);
}

/* ---- the crash */

static JET_ERR apply(struct memory_content *content, const struct memory_change *change)
{
    if (change->is_size)
        return memory_content_set_size(content, change->new_size);
    return memory_content_write_kept(content, &change->bytes, 0, change->bytes.size);
}

/* Each sector of the write reached the disk or did not. */
static JET_ERR apply_torn(struct memory_content *content, const struct memory_change *change,
                          uint32_t sector_size, struct os_random *random)
{
    JET_ERR err = JET_errSuccess;
    size_t at = 0;
    while (at < change->bytes.size) {
        size_t part = sector_size - (size_t)((change->bytes.offset + at) % sector_size);
        if (part > change->bytes.size - at)
            part = change->bytes.size - at;
        if (os_random_next_below(random, 2) != 0)
            TRY(memory_content_write_kept(content, &change->bytes, at, part));
        at += part;
    }
done:
    return err;
}

struct crash {
    enum ESENT_HOST_CRASH_MODE mode;
    uint32_t sector_size;
    struct os_random random;
};

static JET_ERR survive(struct memory_content *content, const struct memory_node *node, struct crash *how)
{
    JET_ERR err = JET_errSuccess;
    enum ESENT_HOST_CRASH_MODE mode = how->mode;
    if (!node->has_durable || mode == ESENT_HOST_CRASH_KEEP_ALL)
        return memory_content_copy(content, &node->content);
    TRY(memory_content_copy(content, &node->durable));
    if (mode == ESENT_HOST_CRASH_LOSE_ALL)
        goto done;
    size_t prefix = os_random_next_below(&how->random, (uint32_t)node->change_count + 1);
    for (size_t i = 0; i < node->change_count; i++) {
        const struct memory_change *change = &node->changes[i];
        bool whole =
            mode == ESENT_HOST_CRASH_PREFIX_TEAR ? i < prefix : os_random_next_below(&how->random, 2) != 0;
        bool torn = !change->is_size &&
                    (mode == ESENT_HOST_CRASH_TEAR || (mode == ESENT_HOST_CRASH_PREFIX_TEAR && i == prefix));
        if (torn && !(mode == ESENT_HOST_CRASH_PREFIX_TEAR && whole))
            TRY(apply_torn(content, change, how->sector_size, &how->random));
        else if (whole)
            TRY(apply(content, change));
    }
done:
    return err;
}

/* Copies a list of names over new files that hold what survives. Files with two names do not exist. */
static JET_ERR copy_surviving(struct memory_names *result, const struct memory_names *names,
                              struct crash *how)
{
    JET_ERR err = JET_errSuccess;
    struct memory_node *node = NULL;
    *result = (struct memory_names){NULL, 0, 0};
    for (size_t i = 0; i < names->count; i++) {
        const struct memory_node *original = names->entries[i].node;
        node = os_host_allocate(sizeof *node);
        if (node == NULL)
            FAIL(JET_errOutOfMemory);
        node->references = 1;
        node->directory = original->directory;
        node->read_only = original->read_only;
        TRY(survive(&node->content, original, how));
        TRY(memory_names_add(result, names->entries[i].path->text, node));
        node = NULL;
    }
done:
    memory_node_release(node);
    if (err < JET_errSuccess)
        memory_names_clear(result);
    return err;
}

static void replace_names(struct memory_file_system *files, struct memory_names names)
{
    memory_file_system_close_all(files);
    memory_names_sync(files);
    memory_names_clear(&files->names);
    files->names = names;
}

JET_ERR memory_file_system_crash(struct memory_file_system *files, enum ESENT_HOST_CRASH_MODE mode,
                                 uint64_t seed)
{
    JET_ERR err = JET_errSuccess;
    struct crash how = {.mode = mode, .sector_size = files->tracking ? files->sector_size : 512};
    struct memory_names surviving;
    const struct memory_names *names = &files->names;
    os_random_seed(&how.random, seed);
    if (mode != ESENT_HOST_CRASH_KEEP_ALL && files->history_count > 0) {
        size_t kept = mode == ESENT_HOST_CRASH_LOSE_ALL
                          ? 0
                          : os_random_next_below(&how.random, (uint32_t)files->history_count + 1);
        if (kept < files->history_count)
            names = &files->history[kept];
    }
    TRY(copy_surviving(&surviving, names, &how));
    replace_names(files, surviving);
done:
    return err;
}

/* ---- copies */

struct memory_file_system *memory_file_system_clone(struct memory_file_system *files)
{
    struct memory_file_system *clone = memory_file_system_create();
    struct memory_names names;
    struct crash how = {.mode = ESENT_HOST_CRASH_KEEP_ALL};
    if (clone == NULL)
        return NULL;
    pthread_mutex_lock(&files->lock);
    JET_ERR err = copy_surviving(&names, &files->names, &how);
    if (err == JET_errSuccess)
        replace_names(clone, names);
    clone->capacity = files->capacity;
    pthread_mutex_unlock(&files->lock);
    if (err < JET_errSuccess) {
        memory_file_system_destroy(clone);
        clone = NULL;
    }
    return clone;
}

JET_ERR memory_file_system_rewind(struct memory_file_system *files, struct memory_file_system *snapshot)
{
    JET_ERR err = JET_errSuccess;
    struct memory_names names;
    struct crash how = {.mode = ESENT_HOST_CRASH_KEEP_ALL};
    TRY(copy_surviving(&names, &snapshot->names, &how));
    replace_names(files, names);
done:
    return err;
}

/* ---- freezing: a copy that keeps the unsynced changes too, so that a crash can be computed from it later */

struct node_pair {
    const struct memory_node *original;
    struct memory_node *copy;
};

struct node_map {
    struct node_pair *pairs;
    size_t count;
    size_t room;
};

static JET_ERR copy_changes(struct memory_node *copy, const struct memory_node *original)
{
    JET_ERR err = JET_errSuccess;
    if (!original->has_durable)
        goto done;
    TRY(memory_content_copy(&copy->durable, &original->durable));
    copy->has_durable = true;
    for (size_t i = 0; i < original->change_count; i++) {
        const struct memory_change *from = &original->changes[i];
        struct memory_change *change;
        TRY(record(copy, &change));
        change->is_size = from->is_size;
        change->new_size = from->new_size;
        TRY(memory_bytes_share(&change->bytes, &from->bytes));
        copy->change_count++;
    }
done:
    return err;
}

/* The copy of a file, one for each original; the caller gets a reference. */
static JET_ERR map_node(struct node_map *map, const struct memory_node *original, struct memory_node **result)
{
    JET_ERR err = JET_errSuccess;
    struct memory_node *copy = NULL;
    for (size_t i = 0; i < map->count; i++) {
        if (map->pairs[i].original == original) {
            *result = map->pairs[i].copy;
            (*result)->references++;
            return JET_errSuccess;
        }
    }
    if (map->count == map->room) {
        size_t room = map->room == 0 ? 32 : map->room * 2;
        struct node_pair *grown = os_host_reallocate(map->pairs, room * sizeof *grown);
        if (grown == NULL)
            FAIL(JET_errOutOfMemory);
        map->pairs = grown;
        map->room = room;
    }
    copy = os_host_allocate(sizeof *copy);
    if (copy == NULL)
        FAIL(JET_errOutOfMemory);
    copy->references = 1;
    copy->directory = original->directory;
    copy->read_only = original->read_only;
    TRY(memory_content_copy(&copy->content, &original->content));
    TRY(copy_changes(copy, original));
    map->pairs[map->count++] = (struct node_pair){original, copy};
    *result = copy;
    copy = NULL;
done:
    memory_node_release(copy);
    return err;
}

static JET_ERR freeze_names(struct node_map *map, struct memory_names *result,
                            const struct memory_names *names)
{
    JET_ERR err = JET_errSuccess;
    struct memory_node *node = NULL;
    *result = (struct memory_names){NULL, 0, 0};
    for (size_t i = 0; i < names->count; i++) {
        TRY(map_node(map, names->entries[i].node, &node));
        TRY(memory_names_add(result, names->entries[i].path->text, node));
        node = NULL;
    }
done:
    memory_node_release(node);
    if (err < JET_errSuccess)
        memory_names_clear(result);
    return err;
}

struct memory_file_system *memory_file_system_freeze(struct memory_file_system *files)
{
    JET_ERR err = JET_errSuccess;
    struct node_map map = {NULL, 0, 0};
    struct memory_names names;
    struct memory_file_system *frozen = memory_file_system_create();
    if (frozen == NULL)
        return NULL;
    pthread_mutex_lock(&files->lock);
    frozen->capacity = files->capacity;
    frozen->tracking = files->tracking;
    frozen->sector_size = files->sector_size;
    TRY(freeze_names(&map, &names, &files->names));
    replace_names(frozen, names);
    for (size_t i = 0; i < files->history_count; i++) {
        TRY(freeze_names(&map, &names, &files->history[i]));
        struct memory_names *grown = os_host_reallocate(frozen->history, (i + 1) * sizeof *grown);
        if (grown == NULL) {
            memory_names_clear(&names);
            FAIL(JET_errOutOfMemory);
        }
        frozen->history = grown;
        frozen->history_room = i + 1;
        frozen->history[i] = names;
        frozen->history_count = i + 1;
    }
done:
    pthread_mutex_unlock(&files->lock);
    os_host_free(map.pairs);
    if (err < JET_errSuccess) {
        memory_file_system_destroy(frozen);
        frozen = NULL;
    }
    return frozen;
}

/* Takes over everything of `frozen`, unsynced changes included, and destroys it. */
void memory_file_system_thaw(struct memory_file_system *files, struct memory_file_system *frozen)
{
    struct memory_names names = frozen->names;
    frozen->names = (struct memory_names){NULL, 0, 0};
    replace_names(files, names);
    files->history = frozen->history;
    files->history_count = frozen->history_count;
    files->history_room = frozen->history_room;
    frozen->history = NULL;
    frozen->history_count = frozen->history_room = 0;
    memory_file_system_destroy(frozen);
}
