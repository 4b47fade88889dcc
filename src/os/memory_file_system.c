/* The in-memory file system: a sorted list of names over files that live as long as a name, a handle or the
 * memory of a former list of names refers to them. What a crash keeps: memory_crash.c. */
#if !defined(_GNU_SOURCE)
#define _GNU_SOURCE 1
#endif

#include "src/os/memory_file_system.h"

#include "src/os/memory_files.h"

#define NAMES_ROOM 16u /* of a new list */

/* ---- files */

static struct memory_node *node_new(bool directory)
{
    struct memory_node *node = os_host_allocate(sizeof *node);
    if (node == NULL)
        return NULL;
    node->references = 1;
    node->directory = directory;
    return node;
}

void memory_node_release(struct memory_node *node)
{
    if (node == NULL || --node->references > 0)
        return;
    memory_node_forget_changes(node);
    memory_content_clear(&node->content);
    memory_content_clear(&node->durable);
    os_host_free(node);
}

/* ---- lists of names */

static struct memory_path *path_new(const char *text)
{
    size_t size = strlen(text) + 1;
    struct memory_path *path = os_host_reallocate(NULL, sizeof *path + size);
    if (path == NULL)
        return NULL;
    path->references = 1;
    memcpy(path->text, text, size);
    return path;
}

static void path_release(struct memory_path *path)
{
    if (path != NULL && --path->references == 0)
        os_host_free(path);
}

void memory_names_clear(struct memory_names *names)
{
    for (size_t i = 0; i < names->count; i++) {
        path_release(names->entries[i].path);
        memory_node_release(names->entries[i].node);
    }
    os_host_free(names->entries);
    *names = (struct memory_names){NULL, 0, 0};
}

/* Where `path` is, or would be. */
static size_t names_search(const struct memory_names *names, const char *path, bool *found)
{
    size_t low = 0;
    size_t high = names->count;
    *found = false;
    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = strcmp(names->entries[middle].path->text, path);
        if (order == 0) {
            *found = true;
            return middle;
        }
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static struct memory_node *names_find(const struct memory_names *names, const char *path)
{
    bool found;
    size_t at = names_search(names, path, &found);
    return found ? names->entries[at].node : NULL;
}

/* Puts a name into a list that has room; takes over the references. */
static void names_insert(struct memory_names *names, struct memory_path *path, struct memory_node *node)
{
    bool found;
    size_t at = names_search(names, path->text, &found);
    ASSERT(!found && names->count < names->room);
    memmove(names->entries + at + 1, names->entries + at, (names->count - at) * sizeof *names->entries);
    names->entries[at] = (struct memory_name){path, node};
    names->count++;
}

/* Adds a name; takes over the caller's reference if it succeeds. */
JET_ERR memory_names_add(struct memory_names *names, const char *path, struct memory_node *node)
{
    if (names->count == names->room) {
        size_t room = names->room == 0 ? NAMES_ROOM : names->room * 2;
        struct memory_name *grown = os_host_reallocate(names->entries, room * sizeof *grown);
        if (grown == NULL)
            return JET_errDiskFull;
        names->entries = grown;
        names->room = room;
    }
    struct memory_path *own = path_new(path);
    if (own == NULL)
        return JET_errDiskFull;
    names_insert(names, own, node);
    return JET_errSuccess;
}

static void names_remove(struct memory_names *names, const char *path)
{
    bool found;
    size_t at = names_search(names, path, &found);
    ASSERT(found);
    path_release(names->entries[at].path);
    memory_node_release(names->entries[at].node);
    names->count--;
    memmove(names->entries + at, names->entries + at + 1, (names->count - at) * sizeof *names->entries);
}

JET_ERR memory_names_copy(struct memory_names *copy, const struct memory_names *names)
{
    *copy = (struct memory_names){NULL, 0, 0};
    if (names->count == 0)
        return JET_errSuccess;
    copy->entries = os_host_reallocate(NULL, names->count * sizeof copy->entries[0]);
    if (copy->entries == NULL)
        return JET_errDiskFull;
    memcpy(copy->entries, names->entries, names->count * sizeof copy->entries[0]);
    copy->count = copy->room = names->count;
    for (size_t i = 0; i < copy->count; i++) {
        copy->entries[i].path->references++;
        copy->entries[i].node->references++;
    }
    return JET_errSuccess;
}

/* ---- paths: absolute and plain, as os/file.c gives them; there are no drives */

/* The parent must be a directory. */
static JET_ERR check_parent(const struct memory_file_system *files, const char *full)
{
    char parent[OS_PATH_SIZE];
    const char *slash = strrchr(full, '/');
    size_t length = slash == full ? 1 : (size_t)(slash - full);
    memcpy(parent, full, length);
    parent[length] = 0;
    const struct memory_node *node = names_find(&files->names, parent);
    return node != NULL && node->directory ? JET_errSuccess : JET_errInvalidPath;
}

static JET_ERR find(const struct memory_file_system *files, const char *full, struct memory_node **node)
{
    JET_ERR err = JET_errSuccess;
    *node = names_find(&files->names, full);
    if (*node == NULL) {
        TRY(check_parent(files, full));
        FAIL(JET_errFileNotFound);
    }
done:
    return err;
}

/* ---- calls */

static struct memory_file_system *lock(void *context)
{
    struct memory_file_system *files = context;
    pthread_mutex_lock(&files->lock);
    return files;
}

static void unlock(struct memory_file_system *files)
{
    pthread_mutex_unlock(&files->lock);
}

static JET_ERR create_node(struct memory_file_system *files, const char *full, bool directory,
                           struct memory_node **result)
{
    JET_ERR err = JET_errSuccess;
    struct memory_node *node = node_new(directory);
    if (node == NULL)
        FAIL(JET_errDiskFull);
    TRY(memory_names_before_change(files));
    TRY(memory_names_add(&files->names, full, node));
    *result = node;
    node = NULL;
done:
    memory_node_release(node);
    return err;
}

static JET_ERR check_share(const struct memory_file_system *files, const struct memory_node *node, bool any,
                           bool writes, enum ESENT_HOST_SHARE share)
{
    for (const struct memory_handle *open = files->handles; open != NULL; open = open->next) {
        if (open->node == node && (any || !os_share_compatible(open->writes, open->share, writes, share)))
            return JET_errFileAccessDenied;
    }
    return JET_errSuccess;
}

static JET_ERR memory_open(void *context, const char *path, enum ESENT_HOST_OPEN_MODE mode,
                           enum ESENT_HOST_SHARE share, void **result)
{
    JET_ERR err = JET_errSuccess;
    struct memory_file_system *files = lock(context);
    struct memory_node *node = NULL;
    bool writes = mode != ESENT_HOST_OPEN_READ;
    struct memory_handle *handle = os_host_allocate(sizeof *handle);
    if (handle == NULL)
        FAIL(JET_errOutOfMemory);
    err = find(files, path, &node);
    if (err == JET_errFileNotFound && mode >= ESENT_HOST_CREATE_NEW)
        err = create_node(files, path, false, &node);
    else if (err == JET_errSuccess && mode == ESENT_HOST_CREATE_NEW)
        err = JET_errFileAlreadyExists;
    TRY(err);
    if (node->directory || (writes && node->read_only))
        FAIL(JET_errFileAccessDenied);
    TRY(check_share(files, node, false, writes, share));
    if (mode == ESENT_HOST_CREATE_ALWAYS && node->content.size > 0)
        TRY(memory_node_set_size(files, node, 0));
    node->references++;
    handle->node = node;
    handle->writes = writes;
    handle->share = share;
    handle->next = files->handles;
    if (handle->next != NULL)
        handle->next->previous = handle;
    files->handles = handle;
    *result = handle;
    handle = NULL;
done:
    unlock(files);
    os_host_free(handle);
    return err;
}

static void close_handle(struct memory_file_system *files, struct memory_handle *handle)
{
    if (handle->previous != NULL)
        handle->previous->next = handle->next;
    else
        files->handles = handle->next;
    if (handle->next != NULL)
        handle->next->previous = handle->previous;
    memory_node_release(handle->node);
    os_host_free(handle);
}

static void memory_close(void *context, void *opened)
{
    struct memory_file_system *files = lock(context);
    close_handle(files, opened);
    unlock(files);
}

void memory_file_system_close_all(struct memory_file_system *files)
{
    while (files->handles != NULL)
        close_handle(files, files->handles);
}

static JET_ERR memory_read(void *context, void *opened, uint64_t offset, void *buffer, size_t size,
                           size_t *done)
{
    struct memory_file_system *files = lock(context);
    const struct memory_handle *handle = opened;
    *done = memory_content_read(&handle->node->content, offset, buffer, size);
    unlock(files);
    return JET_errSuccess;
}

static JET_ERR memory_write(void *context, void *opened, uint64_t offset, const void *buffer, size_t size)
{
    struct memory_file_system *files = lock(context);
    const struct memory_handle *handle = opened;
    JET_ERR err = handle->writes ? memory_node_write(files, handle->node, offset, buffer, size)
                                 : JET_errFileAccessDenied;
    unlock(files);
    return err;
}

static JET_ERR memory_sync(void *context, void *opened)
{
    struct memory_file_system *files = lock(context);
    const struct memory_handle *handle = opened;
    JET_ERR err = memory_node_sync(files, handle->node);
    unlock(files);
    return err;
}

static JET_ERR memory_get_size(void *context, void *opened, uint64_t *size)
{
    struct memory_file_system *files = lock(context);
    const struct memory_handle *handle = opened;
    *size = handle->node->content.size;
    unlock(files);
    return JET_errSuccess;
}

static JET_ERR memory_set_size(void *context, void *opened, uint64_t size)
{
    struct memory_file_system *files = lock(context);
    const struct memory_handle *handle = opened;
    JET_ERR err = handle->writes ? memory_node_set_size(files, handle->node, size) : JET_errFileAccessDenied;
    unlock(files);
    return err;
}

static void fill_info(const struct memory_node *node, struct ESENT_HOST_FILE_INFO *info)
{
    *info = (struct ESENT_HOST_FILE_INFO){node->content.size, node->directory, node->read_only};
}

static JET_ERR memory_info(void *context, const char *path, struct ESENT_HOST_FILE_INFO *info)
{
    JET_ERR err = JET_errSuccess;
    struct memory_file_system *files = lock(context);
    struct memory_node *node = NULL;
    TRY(find(files, path, &node));
    fill_info(node, info);
done:
    unlock(files);
    return err;
}

static JET_ERR memory_set_read_only(void *context, const char *path, int read_only)
{
    JET_ERR err = JET_errSuccess;
    struct memory_file_system *files = lock(context);
    struct memory_node *node = NULL;
    TRY(find(files, path, &node));
    node->read_only = read_only != 0;
done:
    unlock(files);
    return err;
}

static JET_ERR memory_remove(void *context, const char *path)
{
    JET_ERR err = JET_errSuccess;
    struct memory_file_system *files = lock(context);
    struct memory_node *node = NULL;
    TRY(find(files, path, &node));
    if (node->directory || node->read_only)
        FAIL(JET_errFileAccessDenied);
    TRY(check_share(files, node, true, true, ESENT_HOST_SHARE_NONE));
    TRY(memory_names_before_change(files));
    names_remove(&files->names, path);
done:
    unlock(files);
    return err;
}

/* First entry below a directory; entries below it are not contiguous (names with bytes below '/'). */
static bool is_below(const char *path, const char *directory)
{
    size_t length = strlen(directory);
    if (length == 1)
        return path[1] != 0;
    return strncmp(path, directory, length) == 0 && path[length] == '/';
}

/* Gives a directory and all below it new names. */
static JET_ERR rename_directory(struct memory_file_system *files, const char *from, const char *to)
{
    JET_ERR err = JET_errSuccess;
    struct memory_names renamed = {NULL, 0, 0};
    char path[OS_PATH_SIZE];
    if (is_below(to, from))
        FAIL(JET_errFileAccessDenied);
    for (size_t i = 0; i < files->names.count; i++) {
        const struct memory_name *name = &files->names.entries[i];
        const char *next = name->path->text;
        if (strcmp(next, from) == 0 || is_below(next, from)) {
            size_t length = strlen(to);
            size_t rest = strlen(next + strlen(from)) + 1;
            if (length + rest > sizeof path)
                FAIL(JET_errInvalidPath);
            memcpy(path, to, length);
            memcpy(path + length, next + strlen(from), rest);
            next = path;
        }
        name->node->references++;
        err = memory_names_add(&renamed, next, name->node);
        if (err < JET_errSuccess)
            memory_node_release(name->node);
        TRY(err);
    }
    TRY(memory_names_before_change(files));
    memory_names_clear(&files->names);
    files->names = renamed;
    renamed = (struct memory_names){NULL, 0, 0};
done:
    memory_names_clear(&renamed);
    return err;
}

static JET_ERR rename_file(struct memory_file_system *files, const char *from, const char *to,
                           struct memory_node *node, bool replaced)
{
    JET_ERR err = JET_errSuccess;
    struct memory_path *name = path_new(to);
    if (name == NULL)
        FAIL(JET_errDiskFull);
    TRY(memory_names_before_change(files));
    if (replaced)
        names_remove(&files->names, to);
    node->references++;
    names_remove(&files->names, from); /* so that there is room */
    names_insert(&files->names, name, node);
    name = NULL;
done:
    path_release(name);
    return err;
}

static JET_ERR memory_rename(void *context, const char *from, const char *to, int replace)
{
    JET_ERR err = JET_errSuccess;
    struct memory_file_system *files = lock(context);
    struct memory_node *node = NULL;
    TRY(find(files, from, &node));
    TRY(check_parent(files, to));
    if (strcmp(from, to) == 0)
        goto done;
    TRY(check_share(files, node, true, true, ESENT_HOST_SHARE_NONE));
    struct memory_node *target = names_find(&files->names, to);
    if (target != NULL) {
        if (!replace)
            FAIL(JET_errFileAlreadyExists);
        if (target->directory || target->read_only || node->directory)
            FAIL(JET_errFileAccessDenied);
        TRY(check_share(files, target, true, true, ESENT_HOST_SHARE_NONE));
    }
    if (node->directory)
        TRY(rename_directory(files, from, to));
    else
        TRY(rename_file(files, from, to, node, target != NULL));
done:
    unlock(files);
    return err;
}

static JET_ERR memory_create_directory(void *context, const char *path)
{
    JET_ERR err = JET_errSuccess;
    struct memory_file_system *files = lock(context);
    struct memory_node *node = NULL;
    if (names_find(&files->names, path) != NULL)
        FAIL(JET_errFileAlreadyExists);
    TRY(check_parent(files, path));
    TRY(create_node(files, path, true, &node));
done:
    unlock(files);
    return err;
}

static JET_ERR memory_remove_directory(void *context, const char *path)
{
    JET_ERR err = JET_errSuccess;
    struct memory_file_system *files = lock(context);
    struct memory_node *node = NULL;
    TRY(find(files, path, &node));
    if (!node->directory)
        FAIL(JET_errInvalidPath);
    if (path[1] == 0)
        FAIL(JET_errFileAccessDenied);
    for (size_t i = 0; i < files->names.count; i++) {
        if (is_below(files->names.entries[i].path->text, path))
            FAIL(JET_errFileAccessDenied);
    }
    TRY(memory_names_before_change(files));
    names_remove(&files->names, path);
done:
    unlock(files);
    return err;
}

static JET_ERR memory_sync_directory(void *context, const char *path)
{
    struct memory_file_system *files = lock(context);
    (void)path;
    memory_names_sync(files);
    unlock(files);
    return JET_errSuccess;
}

static JET_ERR memory_list(void *context, const char *path, ESENT_HOST_LIST_CALLBACK callback,
                           void *callback_context)
{
    JET_ERR err = JET_errSuccess;
    struct memory_file_system *files = lock(context);
    struct memory_node *node = NULL;
    TRY(find(files, path, &node));
    if (!node->directory)
        FAIL(JET_errInvalidPath);
    size_t skip = path[1] == 0 ? 1 : strlen(path) + 1;
    for (size_t i = 0; i < files->names.count; i++) {
        const struct memory_name *name = &files->names.entries[i];
        struct ESENT_HOST_FILE_INFO info;
        if (!is_below(name->path->text, path) || strchr(name->path->text + skip, '/') != NULL)
            continue;
        fill_info(name->node, &info);
        TRY(callback(callback_context, name->path->text + skip, &info));
    }
done:
    unlock(files);
    return err;
}

static JET_ERR memory_free_space(void *context, const char *path, uint64_t *bytes)
{
    struct memory_file_system *files = context;
    (void)path;
    uint64_t used = memory_file_system_used(files);
    uint64_t capacity = files->capacity != 0 ? files->capacity : UINT64_C(1) << 36;
    *bytes = used < capacity ? capacity - used : 0;
    return JET_errSuccess;
}

static JET_ERR memory_current_directory(void *context, char *path, size_t size)
{
    (void)context;
    (void)size;
    memcpy(path, "/", 2);
    return JET_errSuccess;
}

/* ---- the whole */

struct memory_file_system *memory_file_system_create(void)
{
    struct memory_file_system *files = os_host_allocate(sizeof *files);
    if (files == NULL)
        return NULL;
    pthread_mutex_init(&files->lock, NULL);
    files->calls = (os_file_system){
        .size = sizeof(os_file_system),
        .context = files,
        .open = memory_open,
        .close = memory_close,
        .read = memory_read,
        .write = memory_write,
        .sync = memory_sync,
        .get_size = memory_get_size,
        .set_size = memory_set_size,
        .info = memory_info,
        .set_read_only = memory_set_read_only,
        .remove = memory_remove,
        .rename = memory_rename,
        .create_directory = memory_create_directory,
        .remove_directory = memory_remove_directory,
        .sync_directory = memory_sync_directory,
        .list = memory_list,
        .free_space = memory_free_space,
        .current_directory = memory_current_directory,
    };
    struct memory_node *root = node_new(true);
    if (root == NULL || memory_names_add(&files->names, "/", root) < JET_errSuccess) {
        memory_node_release(root);
        memory_file_system_destroy(files);
        return NULL;
    }
    return files;
}

void memory_file_system_destroy(struct memory_file_system *files)
{
    if (files == NULL)
        return;
    memory_file_system_close_all(files);
    memory_names_sync(files);
    memory_names_clear(&files->names);
    pthread_mutex_destroy(&files->lock);
    os_host_free(files);
}

const os_file_system *memory_file_system_calls(struct memory_file_system *files)
{
    return &files->calls;
}

/* All but the root, which is the first name. */
void memory_file_system_clear(struct memory_file_system *files)
{
    struct memory_names *names = &files->names;
    memory_file_system_close_all(files);
    memory_names_sync(files);
    while (names->count > 1) {
        struct memory_name *last = &names->entries[--names->count];
        path_release(last->path);
        memory_node_release(last->node);
    }
    names->entries[0].node->read_only = false;
    if (names->room > NAMES_ROOM) { /* so that it grows alike in all lives */
        struct memory_name *smaller = os_host_reallocate(names->entries, NAMES_ROOM * sizeof *smaller);
        if (smaller != NULL) {
            names->entries = smaller;
            names->room = NAMES_ROOM;
        }
    }
}

void memory_file_system_set_capacity(struct memory_file_system *files, uint64_t bytes)
{
    files->capacity = bytes;
}

uint64_t memory_file_system_used(struct memory_file_system *files)
{
    uint64_t blocks = 0;
    pthread_mutex_lock(&files->lock);
    for (size_t i = 0; i < files->names.count; i++)
        blocks += memory_content_blocks(&files->names.entries[i].node->content);
    pthread_mutex_unlock(&files->lock);
    return blocks * MEMORY_BLOCK_SIZE;
}

uint64_t memory_file_system_hash(struct memory_file_system *files)
{
    uint64_t hash = 14695981039346656037u;
    pthread_mutex_lock(&files->lock);
    for (size_t i = 0; i < files->names.count; i++) {
        const struct memory_name *name = &files->names.entries[i];
        for (const char *at = name->path->text; *at != 0; at++)
            hash = (hash ^ (uint8_t)*at) * 1099511628211u;
        hash = memory_content_hash(&name->node->content,
                                   hash + name->node->directory * 2u + name->node->read_only);
    }
    pthread_mutex_unlock(&files->lock);
    return hash;
}
