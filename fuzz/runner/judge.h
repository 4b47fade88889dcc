/* The model as a judge of a run, or of a recorded transcript. */
#ifndef OPENESENT_FUZZ_JUDGE_H
#define OPENESENT_FUZZ_JUDGE_H

#include "fuzz/model/model.h"
#include "fuzz/replay/summary.h"
#include "fuzz/runner/runner.h"

struct judge {
    struct run_observer observer; /* to be given to run_program */
    struct model *model;
    const struct program *program;
    size_t judged, no_opinion;
    size_t first_line; /* of the first disagreement, an index; SIZE_MAX: none */
    size_t disagreements;
    struct model_verdict first;
};

void judge_start(struct judge *judge, const struct program *program, const char *profile);

/* Frees the judge; fills the result as a comparison does. 0 the model agreed, 1 not. */
int judge_finish(struct judge *judge, const struct program *transcript, struct file_result *result);

/* The same for what a file records. */
int judge_recorded(const struct program *program, const char *profile, struct file_result *result);

#endif
