/* Directories of an instance. */
#ifndef OPENESENT_INSTANCE_DIRECTORIES_H
#define OPENESENT_INSTANCE_DIRECTORIES_H

#include "src/os/error.h"

/* Makes a directory and its parents; what exists is fine (JET_paramCreatePathIfNotExist). `path` is absolute.
 */
JET_ERR directories_create(const char *path);

#endif
