#if !defined(_GNU_SOURCE)
#define _GNU_SOURCE 1
#endif

#include "fuzz/replay/walk.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct paths {
    char **items;
    size_t count;
};

static void add(struct paths *paths, const char *path)
{
    paths->items = realloc(paths->items, (paths->count + 1) * sizeof *paths->items);
    if (paths->items == NULL)
        abort();
    paths->items[paths->count++] = strdup(path);
}

static void collect(struct paths *paths, const char *directory)
{
    DIR *stream = opendir(directory);
    struct dirent *entry;
    if (stream == NULL)
        return;
    while ((entry = readdir(stream)) != NULL) {
        char path[2048];
        struct stat status;
        size_t length = strlen(entry->d_name);
        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "%s/%s", directory, entry->d_name);
        if (stat(path, &status) != 0)
            continue;
        if (S_ISDIR(status.st_mode))
            collect(paths, path);
        else if (length > 4 && strcmp(entry->d_name + length - 4, ".jet") == 0)
            add(paths, path);
    }
    closedir(stream);
}

static int compare(const void *a, const void *b)
{
    const char *const *x = a;
    const char *const *y = b;
    return strcmp(*x, *y);
}

size_t each_program_file(const char *directory, void (*function)(void *context, const char *path),
                         void *context)
{
    struct paths paths = {0};
    collect(&paths, directory);
    if (paths.count > 1)
        qsort(paths.items, paths.count, sizeof *paths.items, compare);
    for (size_t i = 0; i < paths.count; i++) {
        function(context, paths.items[i]);
        free(paths.items[i]);
    }
    free(paths.items);
    return paths.count;
}
