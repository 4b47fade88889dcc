/* What a target's runs answered, as text: to see that every engine, compiler and process gets the same of one
 * input. */
#ifndef OPENESENT_FUZZ_TARGET_TRANSCRIPT_H
#define OPENESENT_FUZZ_TARGET_TRANSCRIPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fuzz/program/program.h"

/* Whether transcripts are wanted: ESENT_FUZZ_TRANSCRIPTS names the file that they are appended to. */
bool fuzz_transcripts_wanted(void);

/* Appends the transcript of one input, a program for `replay`, behind a comment with numbers over the input
 * and over the files that the run left. The same input again and again is written once; if it answers
 * otherwise then, the process aborts and says so. */
void fuzz_write_transcript(const uint8_t *input, size_t size, const struct program *transcript,
                           uint64_t files_hash);

#endif
