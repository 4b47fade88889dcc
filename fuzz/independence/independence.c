#include "fuzz/independence/independence.h"

#include <string.h>

#include "fuzz/program/slots.h"

/* Calls that reach beyond one instance: snapshots, lists of instances, calls without an instance, files of
 * any instance, threads. */
static bool is_global(const struct program_line *line)
{
    if (line->kind != LINE_CALL)
        return false;
    const char *name = line->op->name;
    if (line->thread != 0 || line->fault_count > 0 || line->op->family == OP_SNAPSHOT ||
        line->op->family == OP_FILE)
        return true;
    if (strncmp(name, "GetInstanceInfo", 15) == 0 || strcmp(name, "Schedule") == 0)
        return true;
    if (line->op->family == OP_BACKUP && strchr(line->op->arguments, 'i') == NULL)
        return true;
    /* The one instance takes every handle for its own. */
    return (strcmp(name, "Init") == 0 || strcmp(name, "SetSystemParameter") == 0) &&
           line->argument_count > 0 && strcmp(line->arguments[0].word, "null") == 0;
}

/* The texts of a line are paths: an instance that uses another's files is no bystander. */
static bool shares_paths(const struct program *program, const struct slot_set *one)
{
    for (size_t i = 0; i < program->line_count; i++) {
        const struct program_line *line = &program->lines[i];
        if (!slot_set_is_used(one, line))
            continue;
        for (size_t a = 0; a < line->argument_count; a++) {
            const char *text = line->arguments[a].text;
            if (text == NULL || strchr(text, '/') == NULL)
                continue;
            size_t length = strcspn(text, "/");
            for (size_t k = 0; k < program->line_count; k++) {
                const struct program_line *other = &program->lines[k];
                if (other->kind != LINE_CALL || slot_set_is_used(one, other))
                    continue;
                for (size_t b = 0; b < other->argument_count; b++) {
                    const char *path = other->arguments[b].text;
                    if (path != NULL && strncmp(path, text, length) == 0 &&
                        (path[length] == '/' || path[length] == '\0'))
                        return true;
                }
            }
        }
    }
    return false;
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

static enum independence without(const struct program *program, const struct program *whole,
                                 const struct run_options *options, const char *instance, struct text *report)
{
    struct slot_set set = {0};
    slot_set_add(&set, instance);
    slot_set_add_offspring(&set, program);
    if (shares_paths(program, &set))
        return NOT_APPLICABLE;
    struct program smaller = {0};
    struct program expected = {0};
    for (size_t i = 0; i < program->line_count; i++) {
        if (slot_set_is_used(&set, &program->lines[i]))
            continue;
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
    for (size_t i = 0; i < program->line_count; i++) {
        const struct program_line *line = &program->lines[i];
        if (is_global(line))
            return NOT_APPLICABLE;
        if (line->kind == LINE_CALL && strncmp(line->op->name, "CreateInstance", 14) == 0 &&
            line->argument_count > 0 && program_is_slot(&line->arguments[0]))
            slot_set_add(&instances, line->arguments[0].word);
    }
    if (instances.count < 2)
        return NOT_APPLICABLE;
    struct program whole = {0};
    struct run_result result;
    run_program(program, options, &whole, &result);
    enum independence answer = NOT_APPLICABLE;
    for (size_t i = 0; i < instances.count && answer != DEPENDENT; i++) {
        enum independence one = without(program, &whole, options, instances.names[i], report);
        if (one != NOT_APPLICABLE)
            answer = one;
    }
    program_free(&whole);
    return answer;
}
