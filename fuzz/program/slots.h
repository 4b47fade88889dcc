/* Slots of a program, and what hangs on them: the sessions of an instance, the cursors of a session... */
#ifndef OPENESENT_FUZZ_SLOTS_H
#define OPENESENT_FUZZ_SLOTS_H

#include <stdbool.h>
#include <stddef.h>

#include "fuzz/program/program.h"

struct slot_set {
    char names[512][8];
    size_t count;
};

/* i0, s12...: a slot's name. */
bool program_is_slot(const struct program_token *token);

/* Adds a slot's name; one too many is forgotten. */
void slot_set_add(struct slot_set *set, const char *name);
bool slot_set_has(const struct slot_set *set, const char *name);

/* Everything that the program makes out of slots in the set joins it. */
void slot_set_add_offspring(struct slot_set *set, const struct program *program);

/* True if the line names a slot of the set. */
bool slot_set_is_used(const struct slot_set *set, const struct program_line *line);

#endif
