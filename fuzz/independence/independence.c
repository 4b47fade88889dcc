#include "fuzz/independence/independence.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz/program/slots.h"
#include "include/esent_host.h"

#define FOLDERS_MAX 64

/* One instance's part of a program: its slots, and the folders that its calls name. */
struct part {
    struct slot_set slots;
    struct {
        const char *name; /* not terminated */
        size_t length;
    } folders[FOLDERS_MAX];
    size_t folder_count;
};

/* Calls that reach beyond one instance: snapshots, lists of instances, calls without an instance, threads. */
static bool is_global(const struct program_line *line)
{
    if (line->kind != LINE_CALL)
        return false;
    const char *name = line->op->name;
    if (line->thread != 0 || line->fault_count > 0 || line->op->family == OP_SNAPSHOT)
        return true;
    if (strncmp(name, "GetInstanceInfo", 15) == 0 || strcmp(name, "Schedule") == 0)
        return true;
    if (line->op->family == OP_BACKUP && strchr(line->op->arguments, 'i') == NULL)
        return true;
    /* The one instance takes every handle for its own. */
    return (strcmp(name, "Init") == 0 || strcmp(name, "SetSystemParameter") == 0) &&
           line->argument_count > 0 && strcmp(line->arguments[0].word, "null") == 0;
}

/* Names of instances are no paths. */
static bool is_path(const struct program_op *op, size_t argument)
{
    if (op->family == OP_INSTANCE)
        return false;
    for (const char *kind = op->arguments; *kind != '\0' && *kind != '*'; kind++) {
        if (*kind != '?' && argument-- == 0)
            return *kind == 'p';
    }
    return false;
}

/* The folder that an argument names: what stands before the first slash of a path. 0: it is no path. */
static size_t folder_length(const struct program_line *line, size_t argument)
{
    const struct program_token *token = &line->arguments[argument];
    if (token->text == NULL || token->word[0] != '\0' || token->text_size == 0)
        return 0;
    size_t length = strcspn(token->text, "/");
    return length < token->text_size || is_path(line->op, argument) ? length : 0;
}

static bool has_folder(const struct part *part, const char *name, size_t length)
{
    for (size_t i = 0; i < part->folder_count; i++) {
        if (part->folders[i].length == length && memcmp(part->folders[i].name, name, length) == 0)
            return true;
    }
    return false;
}

/* Does a call without slots (files, infos of files) name only the part's folders? Are some of its folders the
 * part's? */
static bool names_folders(const struct part *part, const struct program_line *line, bool all)
{
    bool any = false;
    for (size_t i = 0; line->kind == LINE_CALL && i < line->argument_count; i++) {
        size_t length = folder_length(line, i);
        if (length == 0)
            continue;
        bool own = has_folder(part, line->arguments[i].text, length);
        if (!own && all)
            return false;
        any = any || own;
    }
    return any;
}

static bool has_slots(const struct program_line *line)
{
    for (size_t i = 0; i < line->argument_count; i++) {
        if (program_is_slot(&line->arguments[i]))
            return true;
    }
    return false;
}

static bool is_of_part(const struct part *part, const struct program_line *line)
{
    if (line->kind != LINE_CALL)
        return false;
    return slot_set_is_used(&part->slots, line) || (!has_slots(line) && names_folders(part, line, true));
}

/* False if the instance has too many folders. */
static bool find_part(struct part *part, const struct program *program, const char *instance)
{
    slot_set_add(&part->slots, instance);
    slot_set_add_offspring(&part->slots, program);
    for (size_t i = 0; i < program->line_count; i++) {
        const struct program_line *line = &program->lines[i];
        if (!slot_set_is_used(&part->slots, line))
            continue;
        for (size_t a = 0; a < line->argument_count; a++) {
            size_t length = folder_length(line, a);
            if (length == 0 || has_folder(part, line->arguments[a].text, length))
                continue;
            if (part->folder_count == FOLDERS_MAX)
                return false;
            part->folders[part->folder_count].name = line->arguments[a].text;
            part->folders[part->folder_count++].length = length;
        }
    }
    return true;
}

/* An instance that uses another's files is no bystander. */
static bool shares_folders(const struct program *program, const struct part *part)
{
    for (size_t i = 0; i < program->line_count; i++) {
        if (!is_of_part(part, &program->lines[i]) && names_folders(part, &program->lines[i], false))
            return true;
    }
    return false;
}

/* How long each call takes on the clock, which is everybody's: a call that waits lets time pass for all. */
struct stopwatch {
    int64_t begun;
    uint32_t *waited; /* of each line, in milliseconds */
};

static void begin_call(void *context, const struct program *program, size_t line)
{
    (void)program;
    (void)line;
    ((struct stopwatch *)context)->begun = EsentHostGetClock();
}

static void end_call(void *context, const struct program *program, size_t line,
                     const struct run_answer *answer)
{
    struct stopwatch *watch = context;
    (void)program;
    (void)answer;
    watch->waited[line] = (uint32_t)(EsentHostGetClock() - watch->begun);
}

/* In place of a call that was taken away nothing happens, for as long. */
static void append_pause(struct program *program, uint32_t milliseconds)
{
    char text[40];
    struct program_error error;
    const int length = snprintf(text, sizeof text, "Sleep %u => 0", milliseconds);
    if (!program_parse_line(program, text, (size_t)length, &error))
        abort();
}

static void describe(const struct program_line *whole, const struct program_line *alone, const char *taken,
                     struct text *report)
{
    if (report == NULL)
        return;
    text_print(report, "with %s: ", taken);
    program_print_line(whole, report);
    text_print(report, "\nwithout:  ");
    program_print_line(alone, report);
    text_print(report, "\n");
}

/* `whole`: what everything together answered, and how long it took. */
static enum independence without(const struct program *program, const struct program *whole,
                                 const uint32_t *waited, const struct run_options *options,
                                 const char *instance, struct text *report)
{
    struct part part = {0};
    if (!find_part(&part, program, instance) || shares_folders(program, &part))
        return NOT_APPLICABLE;
    struct program smaller = {0};
    struct program expected = {0};
    for (size_t i = 0; i < program->line_count; i++) {
        if (is_of_part(&part, &program->lines[i])) {
            if (waited[i] > 0) {
                append_pause(&smaller, waited[i]);
                append_pause(&expected, waited[i]);
            }
            continue;
        }
        program_copy_line(&smaller, program_append(&smaller), &program->lines[i]);
        program_copy_line(&expected, program_append(&expected), &whole->lines[i]);
    }
    struct program alone = {0};
    struct run_result result;
    run_program(&smaller, options, &alone, &result);
    enum independence answer = INDEPENDENT;
    for (size_t i = 0; i < alone.line_count && answer == INDEPENDENT; i++) {
        if (!program_line_equal(&alone.lines[i], &expected.lines[i])) {
            answer = DEPENDENT;
            describe(&expected.lines[i], &alone.lines[i], instance, report);
        }
    }
    program_free(&alone);
    program_free(&smaller);
    program_free(&expected);
    return answer;
}

enum independence independence_check(const struct program *program, const struct run_options *options,
                                     struct text *report)
{
    struct slot_set instances = {0};
    /* One that is never started only keeps the process in its mode. */
    for (size_t i = 0; i < program->line_count; i++) {
        const struct program_line *line = &program->lines[i];
        if (is_global(line))
            return NOT_APPLICABLE;
        if (line->kind == LINE_CALL && strncmp(line->op->name, "Init", 4) == 0 && line->argument_count > 0 &&
            program_is_slot(&line->arguments[0]))
            slot_set_add(&instances, line->arguments[0].word);
    }
    if (instances.count < 2)
        return NOT_APPLICABLE;
    struct program whole = {0};
    struct run_result result;
    struct stopwatch watch = {.waited = calloc(program->line_count, sizeof *watch.waited)};
    struct run_options timed = *options;
    timed.observer = (struct run_observer){.context = &watch, .before = begin_call, .after = end_call};
    if (watch.waited == NULL)
        abort();
    run_program(program, &timed, &whole, &result);
    enum independence answer = NOT_APPLICABLE;
    for (size_t i = 0; i < instances.count && answer != DEPENDENT; i++) {
        enum independence one = without(program, &whole, watch.waited, options, instances.names[i], report);
        if (one != NOT_APPLICABLE)
            answer = one;
    }
    free(watch.waited);
    program_free(&whole);
    return answer;
}
