/* Whether the model can explain what a program answered, where it is not known what became of some lines: of
 * a call that a fault or a crash hit, or of calls of two threads.
 *
 * A hypothesis is a sequence of calls with their answers, one after the other. The model explains the run if
 * it disagrees with no answer of one of the hypotheses. */
#ifndef OPENESENT_FUZZ_EXPLAIN_H
#define OPENESENT_FUZZ_EXPLAIN_H

#include "fuzz/model/model.h"
#include "fuzz/program/program.h"

/* A line of which it is not known whether it took effect: nothing happened, or what `outcome` says. */
struct explain_unknown {
    size_t line;
    const struct program_outcome *outcome;
    const struct program *instead; /* NULL, or calls with their answers that it may have been like */
};

struct explain_result {
    bool explained;
    size_t judged; /* answers that the model had an opinion on, in the hypothesis that holds (or the best) */
    size_t hypotheses; /* tried */
    char message[400]; /* of the hypothesis that went furthest, if none holds */
};

/* Appends the calls that one which failed half-way may have been like; none for most. `outcome` is what it
 * answers when nothing goes wrong. */
void explain_add_halves(struct program *halves, const struct program_line *line,
                        const struct program_outcome *outcome);

/* Each unknown line is left out, took effect, or was like the calls instead. */
void explain_unknowns(const struct program *transcript, const struct explain_unknown *unknowns, size_t count,
                      struct explain_result *result);

/* What the model says of the answer to `line`, by the hypothesis that it likes best among those that it does
 * not disagree with before. */
enum model_opinion explain_line(const struct program *transcript, const struct explain_unknown *unknown,
                                size_t line);

bool explain_is_success(const struct program_outcome *outcome);

/* Lines of several threads: every order in which each thread's lines keep theirs, lines that the main thread
 * makes after a `Join` come after that thread's, and no line comes before those of the main thread that stand
 * above it. Answers that only calls which overlap can get (explain.c lists them) count as no call. */
void explain_threads(const struct program *transcript, struct explain_result *result);

/* One call of another thread, given as line `moved`: just before line `before`, or just behind it. */
void explain_moved(const struct program *transcript, size_t moved, size_t before,
                   struct explain_result *result);

#endif
