/* A program as stand-alone C against esent.h alone: a reproducer that also compiles on Windows, against the
 * system's own engine. */
#ifndef OPENESENT_FUZZ_EMIT_C_H
#define OPENESENT_FUZZ_EMIT_C_H

#include "fuzz/program/program.h"

/* Each line becomes a call and a check of its code; what C cannot say (faults, crashes, threads, schedules)
 * becomes a comment. */
void emit_c(const struct program *program, struct text *out);

#endif
