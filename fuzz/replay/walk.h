/* Walking folders of programs. */
#ifndef OPENESENT_FUZZ_WALK_H
#define OPENESENT_FUZZ_WALK_H

#include <stddef.h>

/* Calls back for each file below `directory` whose name ends in .jet, in byte order of the paths. Returns how
 * many there were; 0 also if there is no such directory. */
size_t each_program_file(const char *directory, void (*function)(void *context, const char *path),
                         void *context);

#endif
