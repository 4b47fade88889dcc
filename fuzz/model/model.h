/* The model: what each call of a program may answer, and what the databases contain.
 *
 * A small, plain, sequential description of the API, sharing nothing with the library but the public header's
 * numbers. It is used as a judge: fed with each call and its answer it says whether the answer is allowed,
 * and goes on from what was answered (where several answers are allowed, as under injected faults or with
 * threads, it follows the one seen).
 *
 * The model judges strictly what it describes: parameters, instances, start and term, sessions, databases,
 * transactions, the rows of `Table`-made tables, and the whole backup family, with the invariants I1 to I13
 * (docs/fidelity.md). For other calls (schema, cursors, keys) it keeps only what they do to the things above,
 * and says "no opinion" about their answers. */
#ifndef OPENESENT_FUZZ_MODEL_H
#define OPENESENT_FUZZ_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fuzz/program/program.h"

enum model_opinion {
    MODEL_AGREES,     /* the answer is one the model allows */
    MODEL_NO_OPINION, /* the model does not describe this call in this state */
    MODEL_DISAGREES,  /* the answer is wrong */
};

struct model_verdict {
    enum model_opinion opinion;
    char rule[48];      /* what was broken: "code", "fact n", "I1", ... */
    char expected[200]; /* what the model allows, for people */
};

/* A kind of fault that only hypotheses have: an end that failed had done all but write its log's last
 * records. */
#define MODEL_HALF "half"

struct model;

/* A model of a fresh process. `program` gives the settings (profile, page, parameters); NULL profile: as the
 * program says. */
struct model *model_new(const struct program *program, const char *profile);
void model_free(struct model *model);

/* The rest of the lines is another program's that began alike and has the same settings. */
void model_change_program(struct model *model, const struct program *program);

/* The program's directory holds files that no call made: no opinion on files never heard of. */
void model_assume_files(struct model *model);

/* Judge one call and its answer and step on. Lines that are not calls are ignored (MODEL_NO_OPINION). */
void model_judge(struct model *model, const struct program_line *line, const struct program_outcome *answer,
                 struct model_verdict *verdict);

/* A number for what the model knows of the instances, their backups, snapshots, databases and sessions in
 * classes; two states that later answers may tell apart have different ones, as a rule. 0 if it does not
 * know. */
uint64_t model_state_number(const struct model *model);

/* Judge every line of a transcript (its expectations are the answers). The callback sees each verdict; NULL:
 * none. Returns the number of lines the model disagrees with; counts are added to `judged` and `no_opinion`
 * (may be NULL). */
size_t model_judge_transcript(const struct program *transcript, const char *profile, size_t *judged,
                              size_t *no_opinion,
                              void (*callback)(void *context, const struct program_line *line,
                                               const struct model_verdict *verdict),
                              void *context);

#endif
