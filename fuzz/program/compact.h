/* The compact form of a program: the bytes that a fuzzer mutates.
 *
 * Lossless: decode(encode(p)) equals p (program_equal), comments and expectations included. Total: any byte
 * string decodes to some valid program, and small changes of the bytes make small changes of the program: an
 * op is one byte, a slot, a number of the common ones or a path of the common ones is one byte; the rest is
 * written out.
 *
 * A line is: one byte for its kind or op; if the op byte announces extras, a byte of flags (thread, faults,
 * expectation); then each argument by its kind in the op table, with an escape to a literal token. */
#ifndef OPENESENT_FUZZ_COMPACT_H
#define OPENESENT_FUZZ_COMPACT_H

#include <stddef.h>
#include <stdint.h>

#include "fuzz/program/program.h"

/* At most this many lines are decoded, so that no input makes an endless program. */
#define COMPACT_LINES_MAX 4096

void compact_encode(const struct program *program, struct text *out);

/* `program` must be empty (zeroed). */
void compact_decode(struct program *program, const uint8_t *bytes, size_t size);

#endif
