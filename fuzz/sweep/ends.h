/* What a sweep puts behind a program: the end of everything, a new start, a look at what is there. The lines
 * are made out of the program's own: its instances, their settings, its databases and tables. */
#ifndef OPENESENT_FUZZ_ENDS_H
#define OPENESENT_FUZZ_ENDS_H

#include "fuzz/program/program.h"

/* Appends the end of each instance that the first `count` lines of `source` start, and GetInstanceInfo. */
void ends_terminate(struct program *program, const struct program *source, size_t count);

/* Appends a new start: instances with their settings, databases, tables and their content, the end, a check
 * of each database file. */
void ends_start_again(struct program *program, const struct program *source, size_t count);

/* Appends one line of text. */
void ends_append(struct program *program, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Appends a copy of a line, without faults, expectation and thread. */
void ends_append_plain(struct program *program, const struct program_line *line);

#endif
