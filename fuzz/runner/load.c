#if !defined(_GNU_SOURCE)
#define _GNU_SOURCE 1
#endif

#include "fuzz/runner/load.h"

#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "include/esent_host.h"

static bool ends_with(const char *text, const char *end)
{
    size_t length = strlen(text);
    size_t end_length = strlen(end);
    return length >= end_length && strcmp(text + length - end_length, end) == 0;
}

/* Starts `gzip -dc` on a file; the descriptor reads what it writes. */
static int start_unpacking(const char *path, pid_t *child)
{
    int ends[2];
    if (pipe(ends) != 0)
        return -1;
    *child = fork();
    if (*child == 0) {
        dup2(ends[1], STDOUT_FILENO);
        close(ends[0]);
        close(ends[1]);
        execlp("gzip", "gzip", "-dc", path, (char *)NULL);
        _exit(127);
    }
    close(ends[1]);
    if (*child < 0) {
        close(ends[0]);
        return -1;
    }
    return ends[0];
}

static bool copy_stream(FILE *from, const char *to)
{
    char buffer[65536];
    uint64_t offset = 0;
    size_t size;
    if (EsentHostFileWrite(to, 0, "", 0) < JET_errSuccess)
        return false;
    while ((size = fread(buffer, 1, sizeof buffer, from)) > 0) {
        if (EsentHostFileWrite(to, offset, buffer, size) < JET_errSuccess)
            return false;
        offset += size;
    }
    return ferror(from) == 0;
}

static bool load_file(const char *path, char *to)
{
    pid_t child = 0;
    FILE *file;
    if (ends_with(path, ".gz")) {
        to[strlen(to) - 3] = '\0';
        int descriptor = start_unpacking(path, &child);
        file = descriptor < 0 ? NULL : fdopen(descriptor, "rb");
    } else {
        file = fopen(path, "rb");
    }
    bool good = file != NULL && copy_stream(file, to);
    if (file != NULL)
        fclose(file);
    if (child > 0) {
        int status;
        waitpid(child, &status, 0);
        good = good && WIFEXITED(status) && WEXITSTATUS(status) == 0;
    }
    return good;
}

static bool load_below(const char *from, const char *to, char *message, size_t message_size)
{
    DIR *directory = opendir(from);
    if (directory == NULL) {
        snprintf(message, message_size, "%s: %s", from, strerror(errno));
        return false;
    }
    bool good = true;
    struct dirent *entry;
    while (good && (entry = readdir(directory)) != NULL) {
        const char *name = entry->d_name;
        char path[2048];
        char target[2048];
        struct stat status;
        if (name[0] == '.' || ends_with(name, ".jet") || ends_with(name, ".txt"))
            continue;
        snprintf(path, sizeof path, "%s/%s", from, name);
        snprintf(target, sizeof target, "%s%s%s", to, to[0] != '\0' ? "/" : "", name);
        if (stat(path, &status) != 0)
            continue;
        if (S_ISDIR(status.st_mode)) {
            EsentHostDirectoryCreate(target);
            good = load_below(path, target, message, message_size);
        } else if (!load_file(path, target)) {
            snprintf(message, message_size, "%s: cannot be copied", path);
            good = false;
        }
    }
    closedir(directory);
    return good;
}

bool load_directory(const char *from, char *message, size_t message_size)
{
    return load_below(from, "", message, message_size);
}
