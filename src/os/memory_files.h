/* Inside of the in-memory file system: shared by memory_file_system.c (names and calls) and memory_crash.c
 * (durability). */
#ifndef OPENESENT_OS_MEMORY_FILES_H
#define OPENESENT_OS_MEMORY_FILES_H

#include <pthread.h>

#include "src/os/internal.h"
#include "src/os/memory_blocks.h"

/* A write or change of size that no sync made durable yet. */
struct memory_change {
    bool is_size;
    uint64_t new_size;         /* if it is a change of size */
    struct memory_bytes bytes; /* otherwise */
};

struct memory_node {
    uint32_t references; /* names, handles, former lists of names */
    bool directory;
    bool read_only;
    bool has_durable; /* `durable` and `changes` are kept: there were changes since the last sync */
    struct memory_content content;
    struct memory_content durable;
    struct memory_change *changes;
    size_t change_count;
    size_t change_room;
};

/* A path that lists share: a list is copied at each change of a name while a crash may bring it back. */
struct memory_path {
    uint32_t references;
    char text[];
};

struct memory_name {
    struct memory_path *path;
    struct memory_node *node;
};

struct memory_names {
    struct memory_name *entries; /* by path */
    size_t count;
    size_t room;
};

struct memory_handle {
    struct memory_handle *next;
    struct memory_handle *previous;
    struct memory_node *node;
    bool writes;
    enum ESENT_HOST_SHARE share;
};

struct memory_file_system {
    pthread_mutex_t lock;
    os_file_system calls;
    struct memory_names names;
    struct memory_handle *handles;
    uint64_t capacity;
    bool tracking;
    uint32_t sector_size;         /* while tracking */
    struct memory_names *history; /* lists of names since the last sync, oldest first */
    size_t history_count;
    size_t history_room;
};

void memory_node_release(struct memory_node *node);
void memory_node_forget_changes(struct memory_node *node);
JET_ERR memory_node_write(struct memory_file_system *files, struct memory_node *node, uint64_t offset,
                          const void *buffer, size_t size);
JET_ERR memory_node_set_size(struct memory_file_system *files, struct memory_node *node, uint64_t size);
JET_ERR memory_node_sync(struct memory_file_system *files, struct memory_node *node);

void memory_names_clear(struct memory_names *names);
JET_ERR memory_names_add(struct memory_names *names, const char *path, struct memory_node *node);
JET_ERR memory_names_copy(struct memory_names *copy, const struct memory_names *names);
/* Keeps the list of names as it is before a change (while tracking). */
JET_ERR memory_names_before_change(struct memory_file_system *files);
/* The list of names is durable as it is. */
void memory_names_sync(struct memory_file_system *files);

#endif
