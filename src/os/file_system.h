/* What a file system must offer: the table behind os/file.h, implemented by POSIX files and in-memory files
 * here and, if it likes, by a program that uses the library (include/esent_host.h).
 *
 * Handles are the implementation's own. All calls answer as os/file.h says. Calls come from several threads
 * at once. */
#ifndef OPENESENT_OS_FILE_SYSTEM_H
#define OPENESENT_OS_FILE_SYSTEM_H

#include "include/esent_host.h"
#include "src/os/file.h"

/* The public table (ESENT_HOST_FILE_SYSTEM) is the internal one too. */
typedef struct ESENT_HOST_FILE_SYSTEM os_file_system;

/* The file system of the current host; never NULL. */
const os_file_system *os_file_system_current(void);

/* POSIX files; the context is not used. */
extern const os_file_system os_posix_file_system;

#endif
