#include "fuzz/runner/judge.h"

#include <stdio.h>
#include <string.h>

static void see(struct judge *judge, const struct program_line *line, size_t index,
                const struct program_outcome *answer)
{
    struct model_verdict verdict = {0};
    model_judge(judge->model, line, answer, &verdict);
    if (verdict.opinion == MODEL_NO_OPINION) {
        judge->no_opinion++;
        return;
    }
    judge->judged++;
    if (verdict.opinion == MODEL_DISAGREES && judge->disagreements++ == 0) {
        judge->first = verdict;
        judge->first_line = index;
    }
}

static void after(void *context, const struct program *program, size_t line, const struct run_answer *answer)
{
    if (!answer->bad_line)
        see(context, &program->lines[line], line, &answer->outcome);
}

void judge_start(struct judge *judge, const struct program *program, const char *profile)
{
    *judge = (struct judge){.program = program, .first_line = SIZE_MAX};
    judge->model = model_new(program, profile);
    judge->observer = (struct run_observer){.context = judge, .after = after};
}

int judge_finish(struct judge *judge, const struct program *transcript, struct file_result *result)
{
    result->lines = judge->judged;
    result->differences = judge->disagreements;
    result->kind = judge->disagreements > 0 ? FILE_DIFFERS : FILE_MATCHES;
    if (judge->first_line != SIZE_MAX) {
        const struct program_line *line = &judge->program->lines[judge->first_line];
        struct text call = {0};
        struct text got = {0};
        struct program_line bare = *line;
        bare.expects = false;
        program_print_line(&bare, &call);
        program_print_outcome(&transcript->lines[judge->first_line].outcome, &got);
        result->line = line->number;
        snprintf(result->group, sizeof result->group, "%s %s", line->op->name, judge->first.rule);
        snprintf(result->message, sizeof result->message, "%.110s => %.90s, but the model (%.40s): %.120s",
                 call.bytes, got.bytes, judge->first.rule, judge->first.expected);
        text_free(&call);
        text_free(&got);
    }
    model_free(judge->model);
    return judge->disagreements > 0 ? 1 : 0;
}

int judge_recorded(const struct program *program, const char *profile, struct file_result *result)
{
    struct judge judge;
    judge_start(&judge, program, profile);
    for (size_t i = 0; i < program->line_count; i++) {
        const struct program_line *line = &program->lines[i];
        if (line->kind == LINE_CALL)
            see(&judge, line, i, line->expects ? &line->outcome : NULL);
    }
    return judge_finish(&judge, program, result);
}
