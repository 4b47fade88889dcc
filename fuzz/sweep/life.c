#include "fuzz/sweep/life.h"

#include <stdio.h>
#include <string.h>

#include "fuzz/sweep/ends.h"
#include "fuzz/sweep/explain.h"
#include "fuzz/sweep/torn_page.h"

void life_append_end(struct program *program, const struct program *source)
{
    ends_terminate(program, source, source->line_count);
    ends_start_again(program, source, source->line_count);
}

/* Snapshots that were prepared, and neither ended nor aborted because the program lost sight of them. */
static int lost_snapshots(const struct program *transcript)
{
    int count = 0;
    for (size_t i = 0; i < transcript->line_count; i++) {
        const struct program_line *line = &transcript->lines[i];
        if (line->kind != LINE_CALL || !explain_is_success(&line->outcome))
            continue;
        count += strncmp(line->op->name, "OSSnapshotPrepare", 17) == 0 &&
                 strstr(line->op->name, "Instance") == NULL;
        count -=
            strcmp(line->op->name, "OSSnapshotAbort") == 0 || strcmp(line->op->name, "OSSnapshotEnd") == 0;
    }
    return count;
}

/* The line of GetInstanceInfo behind the end of everything. */
static size_t end_of(const struct life *life)
{
    size_t line = life->program_lines;
    while (line < life->transcript->line_count &&
           !program_is_call(&life->transcript->lines[line], "GetInstanceInfo"))
        line++;
    return line;
}

/* Programs that change files by hand may have made a start impossible themselves: the model has no opinion
 * then. */
static bool damages_files(const struct program *program)
{
    static const char *const names[] = {"Corrupt",   "Truncate", "DeleteFile",
                                        "DeleteDir", "CopyFile", "CopyDir"};
    for (size_t i = 0; i < program->line_count; i++) {
        for (size_t k = 0; k < sizeof names / sizeof names[0]; k++) {
            if (program->lines[i].kind == LINE_CALL && strcmp(program->lines[i].op->name, names[k]) == 0)
                return true;
        }
    }
    return false;
}

/* Nothing went wrong, and yet the log could not be written: the program itself has put something in its way.
 */
static bool breaks_its_log(const struct program *calm)
{
    for (size_t i = 0; i < calm->line_count; i++) {
        const struct program_outcome *outcome = &calm->lines[i].outcome;
        if (calm->lines[i].kind == LINE_CALL && outcome->code != NULL && strcmp(outcome->code, "-510") == 0)
            return true;
    }
    return false;
}

/* Whether a start may fail there. */
static bool may_fail(const struct life *life, size_t line)
{
    const struct program_outcome *outcome = &life->transcript->lines[line].outcome;
    const struct program_outcome *calm = &life->calm->lines[line].outcome;
    if ((calm->code != NULL && strcmp(calm->code, outcome->code) == 0) || breaks_its_log(life->calm))
        return true;
    struct program halves = {0};
    const struct program_line *hit = &life->transcript->lines[life->hit];
    explain_add_halves(&halves, hit, &life->calm->lines[life->hit].outcome);
    const struct explain_unknown unknown = {
        .line = life->hit,
        .outcome = &life->calm->lines[life->hit].outcome,
        .instead = &halves,
    };
    const enum model_opinion opinion = explain_line(life->transcript, &unknown, line);
    program_free(&halves);
    return opinion == MODEL_AGREES || (opinion == MODEL_NO_OPINION && damages_files(life->transcript));
}

bool life_ends_well(const struct life *life, char *what, size_t size)
{
    const struct program *transcript = life->transcript;
    const size_t end = end_of(life);
    const char *left = program_outcome_fact(&transcript->lines[end].outcome, "n", false);
    if (left == NULL || strcmp(left, "0") != 0)
        return true; /* an instance that cannot end, or that the program lost sight of */
    const size_t torn = torn_page_line(transcript, life->hit);
    for (size_t i = end; i < transcript->line_count; i++) {
        const struct program_line *line = &transcript->lines[i];
        if (program_is_call(line, "Init") && i != torn && !explain_is_success(&line->outcome) &&
            !may_fail(life, i)) {
            snprintf(what, size, "no new start is possible: line %zu (Init) answers %s", i + 1,
                     line->outcome.code);
            return false;
        }
    }
    if ((life->result->leaked_bytes != 0 || life->result->leaked_handles != 0) &&
        lost_snapshots(transcript) <= 0) {
        snprintf(what, size, "I9: %llu bytes and %u open files are left",
                 (unsigned long long)life->result->leaked_bytes, life->result->leaked_handles);
        return false;
    }
    return true;
}
