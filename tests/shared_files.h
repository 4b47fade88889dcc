/* Files that lie beside the checkout (../shared): real databases and logs. Tests that need them skip when
 * they are not there. */
#ifndef OPENESENT_TESTS_SHARED_FILES_H
#define OPENESENT_TESTS_SHARED_FILES_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "include/esent_host.h"

#define SHARED_PATH_SIZE 1024

/* NULL if it is not there. ESENT_SHARED may name it. */
static inline const char *shared_directory(void)
{
    static const char *const places[] = {"../shared", "../../shared"};
    struct stat status;
    const char *given = getenv("ESENT_SHARED");
    if (given != NULL)
        return given;
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        if (stat(places[i], &status) == 0)
            return places[i];
    }
    return NULL;
}

static inline bool shared_ends_with(const char *text, const char *end)
{
    size_t length = strlen(text);
    return length >= strlen(end) && strcmp(text + length - strlen(end), end) == 0;
}

/* Copies a file, unpacked if need be, into the files in memory. */
static inline bool shared_load(const char *path, const char *target)
{
    char command[SHARED_PATH_SIZE + 32];
    uint8_t block[65536];
    uint64_t offset = 0;
    size_t size;
    bool good = true;
    (void)snprintf(command, sizeof(command), shared_ends_with(path, ".gz") ? "gzip -dc '%s'" : "cat '%s'",
                   path);
    FILE *pipe = popen(command, "r");
    if (pipe == NULL)
        return false;
    (void)EsentHostFileDelete(target);
    while ((size = fread(block, 1, sizeof(block), pipe)) > 0) {
        good = good && EsentHostFileWrite(target, offset, block, size) >= 0;
        offset += size;
    }
    return pclose(pipe) == 0 && good;
}

#endif
