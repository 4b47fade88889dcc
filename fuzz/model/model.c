/* The judge: finds the handler of a call, compares what it expects with the answer. */
#include "fuzz/model/model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz/model/backup_rules.h"

bool model_is_wide(const struct model *model)
{
    const char *name = model->line->op->name;
    return name[strlen(name) - 1] == 'W';
}

bool model_is_legacy(const struct model *model)
{
    return strchr(model->line->op->arguments, 'i') == NULL;
}

static const struct model_entry *find_in(const struct model_entry *entries, const char *name, size_t length)
{
    for (; entries->name != NULL; entries++) {
        if (entries->name[0] == name[0] && strncmp(entries->name, name, length) == 0 &&
            entries->name[length] == '\0')
            return entries;
    }
    return NULL;
}

static const struct model_entry *search_entry(const char *name)
{
    static const struct model_entry *const tables[] = {
        model_backup_entries,      model_stream_entries,   model_data_entries,     model_row_entries,
        model_transaction_entries, model_instance_entries, model_database_entries, model_snapshot_entries,
        model_file_entries,        model_parameter_entries};
    size_t length = strlen(name);
    size_t narrow = name[length - 1] == 'W' ? length - 1 : length;
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
        const struct model_entry *entry = find_in(tables[i], name, length);
        if (entry == NULL && narrow != length)
            entry = find_in(tables[i], name, narrow);
        if (entry != NULL)
            return entry;
    }
    return NULL;
}

static const struct model_entry *find_entry(const struct program_op *op)
{
    static const struct model_entry **entries; /* by the call's index, until the process ends */
    if (entries == NULL) {
        entries = calloc(program_op_count, sizeof(struct model_entry *));
        if (entries == NULL)
            abort();
        for (size_t i = 0; i < program_op_count; i++)
            entries[i] = search_entry(program_ops[i].name);
    }
    return entries[program_op_index(op)];
}

/* --- comparison */

static void print_expected(const struct expectation *expect, struct model_verdict *verdict)
{
    size_t size = 0;
    char *out = verdict->expected;
    size_t room = sizeof verdict->expected;
    for (size_t i = 0; i < expect->code_count && size < room; i++)
        size += (size_t)snprintf(out + size, room - size, "%s%d", i > 0 ? " or " : "", expect->codes[i]);
    for (size_t i = 0; i < expect->fact_count && size < room; i++)
        size += (size_t)snprintf(out + size, room - size, " %s", expect->facts[i]);
    for (size_t i = 0; expect->check_texts && i < expect->text_count && size < room; i++)
        size += (size_t)snprintf(out + size, room - size, " \"%s\"", expect->texts[i]);
}

static bool fact_matches(const struct program_outcome *answer, const char *wanted, char *key, size_t key_size)
{
    size_t length = strcspn(wanted, "=");
    snprintf(key, key_size, "%.*s", (int)length, wanted);
    const char *value = program_outcome_fact(answer, key, true);
    return value == NULL || strcmp(value, wanted + length + 1) == 0;
}

static bool texts_match(const struct expectation *expect, const struct program_outcome *answer)
{
    size_t at = 0;
    for (size_t i = 0; i < answer->fact_count; i++) {
        const struct program_token *token = &answer->facts[i];
        if (token->text == NULL || token->word[0] != '\0')
            continue;
        if (at == expect->text_count || strcmp(token->text, expect->texts[at]) != 0)
            return false;
        at++;
    }
    return at == expect->text_count;
}

static void compare(struct model *model, struct model_verdict *verdict)
{
    const struct expectation *expect = &model->expect;
    const struct program_outcome *answer = model->answer;
    char *end;
    long code = answer == NULL || answer->code == NULL ? 0 : strtol(answer->code, &end, 10);
    if (expect->no_opinion || expect->code_count == 0 || answer == NULL || answer->code == NULL ||
        end == answer->code || *end != '\0') {
        verdict->opinion = MODEL_NO_OPINION;
        return;
    }
    verdict->opinion = MODEL_AGREES;
    print_expected(expect, verdict);
    bool found = false;
    for (size_t i = 0; i < expect->code_count; i++)
        found = found || expect->codes[i] == code;
    if (!found) {
        verdict->opinion = MODEL_DISAGREES;
        snprintf(verdict->rule, sizeof verdict->rule, "%s%scode", expect->rule != NULL ? expect->rule : "",
                 expect->rule != NULL ? " " : "");
        return;
    }
    if (code < 0 && code != -1601)
        return;
    char key[40];
    for (size_t i = 0; i < expect->fact_count; i++) {
        if (!fact_matches(answer, expect->facts[i], key, sizeof key)) {
            verdict->opinion = MODEL_DISAGREES;
            snprintf(verdict->rule, sizeof verdict->rule, "%s%sfact %.30s",
                     expect->rule != NULL ? expect->rule : "", expect->rule != NULL ? " " : "", key);
            return;
        }
    }
    if (code >= 0 && expect->check_texts && !texts_match(expect, answer)) {
        verdict->opinion = MODEL_DISAGREES;
        snprintf(verdict->rule, sizeof verdict->rule, "texts");
    }
}

/* --- threads: a call on another thread is sequential if its Join comes right after it */

static bool joins(const struct program_line *line, unsigned thread)
{
    uint64_t number = 0;
    return strcmp(line->op->name, "Join") == 0 && line->argument_count > 0 &&
           line->arguments[0].text == NULL && model_number_text(line->arguments[0].word, &number) &&
           number == thread;
}

static bool runs_beside_others(const struct model *model, const struct program_line *line)
{
    if (line->thread == 0)
        return false;
    const struct program *program = model->program;
    for (const struct program_line *next = line + 1; next < program->lines + program->line_count; next++) {
        if (next->kind == LINE_COMMENT || next->kind == LINE_BLANK)
            continue;
        return next->kind != LINE_CALL || !joins(next, line->thread);
    }
    return true;
}

/* A text that is not plain: what files and names become of it is not described. */
static bool has_odd_text(const struct program_line *line)
{
    for (size_t i = 0; i < line->argument_count; i++) {
        const char *text = line->arguments[i].text;
        for (; text != NULL && *text != '\0'; text++) {
            if ((unsigned char)*text < 0x20 || (unsigned char)*text > 0x7e)
                return true;
        }
    }
    return false;
}

static bool has_faults(const struct program_line *line)
{
    return line->fault_count > 0;
}

static bool has_fault(const struct program_line *line, const char *kind)
{
    for (size_t i = 0; i < line->fault_count; i++) {
        if (strcmp(line->faults[i].kind, kind) == 0)
            return true;
    }
    return false;
}

/* A fault that background work met shows in a later call: the log or the instance is down, or half a page is
 * in the file until it is written again. */
static bool is_late_fault(const struct model *model, const struct program_outcome *answer)
{
    static const int32_t codes[] = {JET_errLogWriteFail, JET_errDiskIO, JET_errDiskFull,
                                    JET_errInstanceUnavailable, JET_errLogDiskFull};
    const long code = answer == NULL || answer->code == NULL ? 0 : strtol(answer->code, NULL, 10);
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        if (codes[i] == code)
            return true;
    }
    return model->torn && code == JET_errReadVerifyFailure;
}

static bool answered(const struct program_outcome *answer, int32_t code)
{
    return answer != NULL && answer->code != NULL && strtol(answer->code, NULL, 10) == code;
}

/* A file put by hand where the next log comes: any call may be the one that fills the current log. */
static bool log_may_be_blocked(const struct model *model)
{
    for (size_t i = 0; i < model->instance_count; i++) {
        const struct model_instance *instance = model->instances[i];
        if (instance->alive && instance->initialised && !instance->no_logging &&
            model_touched(model, instance->log_path))
            return true;
    }
    return false;
}

static bool is_answer(const struct program_outcome *answer)
{
    if (answer == NULL || answer->code == NULL)
        return false;
    char c = answer->code[answer->code[0] == '-' ? 1 : 0];
    return c >= '0' && c <= '9';
}

void model_judge(struct model *model, const struct program_line *line, const struct program_outcome *answer,
                 struct model_verdict *verdict)
{
    *verdict = (struct model_verdict){.opinion = MODEL_NO_OPINION};
    if (line->kind != LINE_CALL)
        return;
    /* Another thread's line may have run although its answer is not in yet. */
    for (const struct program_line *before = model->program->lines; before <= line && !model->lost;
         before++) {
        if (before->kind == LINE_CALL && runs_beside_others(model, before))
            model->lost = true;
    }
    if (model->lost)
        return;
    if (answer != NULL && !is_answer(answer)) {
        model->lost = true; /* "not-run", "hang": whatever happened, it is not described */
        return;
    }
    model->faulted = model->faulted || has_faults(line);
    model->torn = model->torn || has_fault(line, "short");
    model->crash_point = model->crash_point || has_fault(line, "crash");
    if (has_odd_text(line))
        model->lost = true;
    if (model->lost)
        return;
    model->line = line;
    model->answer = answer;
    model->next = 0;
    model->expect = (struct expectation){0};
    const struct model_entry *entry = find_entry(line->op);
    if (entry == NULL)
        return;
    entry->handler(model);
    if ((model->faulted && is_late_fault(model, answer)) ||
        (answered(answer, JET_errLogWriteFail) && log_may_be_blocked(model))) {
        model->lost = true;
        return;
    }
    if (has_faults(line)) {
        /* A fault may show as its own code, or as none. */
        if (answer != NULL && answer->code != NULL && answer->code[0] == '-') {
            model->lost = true;
            return;
        }
        /* What a good end could not write into a header, is not there. */
        for (size_t i = 0; i < model->file_count; i++)
            model->files[i]->fields_unknown |= model->files[i]->attached != NULL;
    }
    /* What follows may be lost: on this answer there is an opinion all the same, if one was given. */
    if (answer != NULL)
        compare(model, verdict);
    if (answered(answer, JET_errLogWriteFail))
        model->lost = true; /* the log can not be written any more */
}

/* --- a model */

static const char *setting(const struct program *program, const char *name, const char *otherwise)
{
    const char *text = program_setting(program, name);
    return text != NULL ? text : otherwise;
}

struct model *model_new(const struct program *program, const char *profile)
{
    struct model *model = calloc(1, sizeof *model);
    if (model == NULL)
        abort();
    model->program = program;
    if (profile == NULL)
        profile = setting(program, "profile", "documented");
    model->published = strcmp(profile, "published") == 0;
    model_parameters_reset(model);
    return model;
}

void model_change_program(struct model *model, const struct program *program)
{
    model->program = program;
}

void model_assume_files(struct model *model)
{
    model->assume_files = true;
}

void model_free(struct model *model)
{
    arena_free(&model->arena);
    free(model);
}

size_t model_judge_transcript(const struct program *transcript, const char *profile, size_t *judged,
                              size_t *none,
                              void (*callback)(void *context, const struct program_line *line,
                                               const struct model_verdict *verdict),
                              void *context)
{
    struct model *model = model_new(transcript, profile);
    size_t disagreements = 0;
    for (size_t i = 0; i < transcript->line_count; i++) {
        const struct program_line *line = &transcript->lines[i];
        struct model_verdict verdict;
        if (line->kind != LINE_CALL)
            continue;
        model_judge(model, line, line->expects ? &line->outcome : NULL, &verdict);
        disagreements += verdict.opinion == MODEL_DISAGREES;
        if (verdict.opinion == MODEL_NO_OPINION && none != NULL)
            ++*none;
        if (verdict.opinion != MODEL_NO_OPINION && judged != NULL)
            ++*judged;
        if (callback != NULL)
            callback(context, line, &verdict);
    }
    model_free(model);
    return disagreements;
}
