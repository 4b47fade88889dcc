/* Putting real files into the running program's directory. */
#ifndef OPENESENT_FUZZ_LOAD_H
#define OPENESENT_FUZZ_LOAD_H

#include <stdbool.h>
#include <stddef.h>

/* Copies every file below the real directory `from` (but .jet and .txt ones) to the same relative place in
 * the program's directory; NAME.gz is unpacked to NAME. On failure `message` says why. */
bool load_directory(const char *from, char *message, size_t message_size);

#endif
