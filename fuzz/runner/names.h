/* Numbers of the public header by the names that programs write. */
#ifndef OPENESENT_FUZZ_NAMES_H
#define OPENESENT_FUZZ_NAMES_H

#include <stdbool.h>
#include <stdint.h>

/* Decimal, 0x hexadecimal, a name without JET_bit or JET_, a column type without its prefix, or several of
 * these joined by
 * '|'. Negative numbers wrap. False for anything else. */
bool name_number(const char *text, uint64_t *value);

/* A system parameter by name or number. */
bool name_parameter(const char *text, uint32_t *id);

/* A column type: Long or coltypLong or a number. */
bool name_column_type(const char *text, uint32_t *type);

#endif
