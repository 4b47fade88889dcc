/* All paths of the backup family through the model: two instances with two databases each.
 *
 * A *state* is what later answers depend on: the first instance's backup (kind, phase, stop, truncation, open
 * file and how far it was read, whether logs were read), its databases, its service, the snapshot; beside the
 * second instance in one of eight states of its own. An *edge* is a state, a call with a class of arguments,
 * and the answer that the model foretells. Four symmetries keep the number of states small:
 *
 * - the instances: calls are made on the first only; exchanged, the programs say the same of the second;
 * - the databases of an instance: how many were copied and know which kind of full backup, not which of them;
 * - header fields: of them later answers depend on the full backup alone, none, streamed or by a snapshot;
 * - a stopped service, where only a term gets anywhere, and the bits of a snapshot beside a streaming backup.
 *
 * The tool walks breadth-first over the model alone (no engine), so each state is reached by a shortest
 * program. */
#ifndef OPENESENT_FUZZ_PATHS_H
#define OPENESENT_FUZZ_PATHS_H

#include <stdbool.h>
#include <stddef.h>

#include "fuzz/program/program.h"

struct paths_counts {
    size_t states;
    size_t edges;    /* that the model has an opinion on */
    size_t vague;    /* calls in a state that it has none on: not edges */
    size_t programs; /* that were given out; together they pass every edge */
    size_t covered;  /* edges in these programs */
    bool complete;   /* no state was left out */
};

/* Walks until no new state is found or there are `most_states`. Gives out programs, each valid for the call
 * only. `profile` is "documented" or "published". */
void paths_walk(const char *profile, size_t most_states,
                void (*program)(void *context, const struct program *program), void *context,
                struct paths_counts *counts);

#endif
