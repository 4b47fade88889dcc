/* Programs as values: append, remove, copy, compare, look up. */
#include "fuzz/program/program.h"

#include <stdlib.h>
#include <string.h>

struct program_line *program_append(struct program *program)
{
    if (program->line_count == program->line_capacity) {
        size_t capacity = program->line_capacity > 0 ? program->line_capacity * 2 : 64;
        program->lines = realloc(program->lines, capacity * sizeof *program->lines);
        if (program->lines == NULL)
            abort();
        program->line_capacity = capacity;
    }
    struct program_line *line = &program->lines[program->line_count++];
    *line = (struct program_line){0};
    return line;
}

void program_remove(struct program *program, size_t first, size_t count)
{
    memmove(&program->lines[first], &program->lines[first + count],
            (program->line_count - first - count) * sizeof *program->lines);
    program->line_count -= count;
}

void program_free(struct program *program)
{
    free(program->lines);
    arena_free(&program->arena);
    *program = (struct program){0};
}

static const char *copy_string(struct arena *arena, const char *string)
{
    return string != NULL ? arena_text(arena, string) : NULL;
}

static struct program_token *copy_tokens(struct arena *arena, const struct program_token *from, size_t count)
{
    if (count == 0)
        return NULL;
    struct program_token *to = arena_allocate(arena, count * sizeof *to);
    for (size_t i = 0; i < count; i++) {
        to[i].word = arena_text(arena, from[i].word);
        if (from[i].text != NULL)
            to[i].text = arena_copy(arena, from[i].text, from[i].text_size);
        to[i].text_size = from[i].text_size;
    }
    return to;
}

void program_copy_line(struct program *target, struct program_line *to, const struct program_line *from)
{
    struct arena *arena = &target->arena;
    *to = *from;
    to->comment = copy_string(arena, from->comment);
    to->name = copy_string(arena, from->name);
    to->arguments = copy_tokens(arena, from->arguments, from->argument_count);
    to->faults = NULL;
    if (from->fault_count > 0) {
        to->faults = arena_allocate(arena, from->fault_count * sizeof *to->faults);
        for (size_t i = 0; i < from->fault_count; i++) {
            to->faults[i].kind = arena_text(arena, from->faults[i].kind);
            to->faults[i].nth = from->faults[i].nth;
        }
    }
    to->outcome.code = copy_string(arena, from->outcome.code);
    to->outcome.facts = copy_tokens(arena, from->outcome.facts, from->outcome.fact_count);
    to->outcome.notes = copy_tokens(arena, from->outcome.notes, from->outcome.note_count);
}

void program_copy(struct program *target, const struct program *source)
{
    target->name = copy_string(&target->arena, source->name);
    for (size_t i = 0; i < source->line_count; i++)
        program_copy_line(target, program_append(target), &source->lines[i]);
}

bool program_token_equal(const struct program_token *a, const struct program_token *b)
{
    if (strcmp(a->word, b->word) != 0 || (a->text == NULL) != (b->text == NULL))
        return false;
    return a->text == NULL || (a->text_size == b->text_size && memcmp(a->text, b->text, a->text_size) == 0);
}

static bool tokens_equal(const struct program_token *a, size_t count_a, const struct program_token *b,
                         size_t count_b)
{
    if (count_a != count_b)
        return false;
    for (size_t i = 0; i < count_a; i++) {
        if (!program_token_equal(&a[i], &b[i]))
            return false;
    }
    return true;
}

static bool strings_equal(const char *a, const char *b)
{
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static bool outcomes_equal(const struct program_outcome *a, const struct program_outcome *b)
{
    return strings_equal(a->code, b->code) &&
           tokens_equal(a->facts, a->fact_count, b->facts, b->fact_count) &&
           tokens_equal(a->notes, a->note_count, b->notes, b->note_count);
}

bool program_line_equal(const struct program_line *a, const struct program_line *b)
{
    if (a->kind != b->kind || a->thread != b->thread || a->op != b->op || a->expects != b->expects ||
        a->fault_count != b->fault_count || !strings_equal(a->comment, b->comment) ||
        !strings_equal(a->name, b->name) ||
        !tokens_equal(a->arguments, a->argument_count, b->arguments, b->argument_count))
        return false;
    for (size_t i = 0; i < a->fault_count; i++) {
        if (a->faults[i].nth != b->faults[i].nth || strcmp(a->faults[i].kind, b->faults[i].kind) != 0)
            return false;
    }
    return !a->expects || outcomes_equal(&a->outcome, &b->outcome);
}

bool program_equal(const struct program *a, const struct program *b)
{
    if (a->line_count != b->line_count)
        return false;
    for (size_t i = 0; i < a->line_count; i++) {
        if (!program_line_equal(&a->lines[i], &b->lines[i]))
            return false;
    }
    return true;
}

/* The length of "key=" when the token starts with it, else 0. */
static size_t key_length(const struct program_token *token, const char *key)
{
    size_t length = strlen(key);
    return strncmp(token->word, key, length) == 0 && token->word[length] == '=' ? length + 1 : 0;
}

const struct program_token *program_find_argument(const struct program_line *line, const char *key)
{
    for (size_t i = 0; i < line->argument_count; i++) {
        if (key_length(&line->arguments[i], key) > 0)
            return &line->arguments[i];
    }
    return NULL;
}

const char *program_token_value(const struct program_token *token, size_t skip, size_t *size)
{
    if (token->text != NULL) {
        if (size != NULL)
            *size = token->text_size;
        return token->text;
    }
    size_t length = strlen(token->word);
    if (skip > length)
        skip = length;
    if (size != NULL)
        *size = length - skip;
    return token->word + skip;
}

const char *program_setting(const struct program *program, const char *name)
{
    for (size_t i = program->line_count; i > 0; i--) { /* the last one counts */
        const struct program_line *line = &program->lines[i - 1];
        if (line->kind == LINE_SET && strcmp(line->name, name) == 0)
            return program_token_value(&line->arguments[0], 0, NULL);
    }
    return NULL;
}

uint32_t program_sector_size(const struct program *program)
{
    static const char *const names[] = {"sector", "page"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const char *text = program_setting(program, names[i]);
        const unsigned long size = text == NULL ? 0 : strtoul(text, NULL, 0);
        if (size >= 512 && size <= 65536 && (size & (size - 1)) == 0)
            return (uint32_t)size;
    }
    return 4096;
}

static const char *find_fact(const struct program_token *tokens, size_t count, const char *key)
{
    for (size_t i = 0; i < count; i++) {
        size_t skip = key_length(&tokens[i], key);
        if (skip > 0)
            return program_token_value(&tokens[i], skip, NULL);
    }
    return NULL;
}

const char *program_outcome_fact(const struct program_outcome *outcome, const char *key, bool notes)
{
    const char *value = find_fact(outcome->facts, outcome->fact_count, key);
    if (value == NULL && notes)
        value = find_fact(outcome->notes, outcome->note_count, key);
    return value;
}

static bool has_token(const struct program_token *tokens, size_t count, const struct program_token *wanted)
{
    for (size_t i = 0; i < count; i++) {
        if (program_token_equal(&tokens[i], wanted))
            return true;
    }
    return false;
}

/* A quoted text that is not the value of a key. */
static bool is_text(const struct program_token *token)
{
    return token->text != NULL && token->word[0] == '\0';
}

/* The next quoted text among the facts, from index *at; NULL at the end. */
static const struct program_token *next_text(const struct program_outcome *outcome, size_t *at)
{
    while (*at < outcome->fact_count) {
        const struct program_token *token = &outcome->facts[(*at)++];
        if (is_text(token))
            return token;
    }
    return NULL;
}

static bool texts_match(const struct program_outcome *expected, const struct program_outcome *actual)
{
    size_t at_expected = 0;
    size_t at_actual = 0;
    const struct program_token *want = next_text(expected, &at_expected);
    if (want == NULL)
        return true;
    for (;;) {
        const struct program_token *got = next_text(actual, &at_actual);
        if (want == NULL || got == NULL)
            return want == got;
        if (!program_token_equal(want, got))
            return false;
        want = next_text(expected, &at_expected);
    }
}

const char *program_outcome_difference(const struct program_outcome *expected,
                                       const struct program_outcome *actual)
{
    const char *code = expected->code;
    if (code != NULL && code[0] != '-' && (code[0] < '0' || code[0] > '9'))
        return NULL;
    if (code != NULL && (code[0] == '-') && (code[1] < '0' || code[1] > '9'))
        return NULL;
    if (!strings_equal(code, actual->code))
        return "code";
    for (size_t i = 0; i < expected->fact_count; i++) {
        const struct program_token *fact = &expected->facts[i];
        if (!is_text(fact) && !has_token(actual->facts, actual->fact_count, fact) &&
            !has_token(actual->notes, actual->note_count, fact))
            return fact->word;
    }
    return texts_match(expected, actual) ? NULL : "texts";
}

bool program_is_call(const struct program_line *line, const char *name)
{
    return line->kind == LINE_CALL && strcmp(line->op->name, name) == 0;
}
